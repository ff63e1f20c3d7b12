"""A plan as PNG or PDF: its SVG, printed by Typst.

Typst is one wheel for every system, and brings fonts with all signs of the formulas.  So a machine that has no fonts draws the
same picture as any other, and the same plan gives the same bytes; the system's fonts are used only for characters that
Typst's own do not have.
"""

from __future__ import annotations

from importlib import import_module
from typing import Literal
from xml.etree import ElementTree

from autograd.drawing.as_svg import draw_plan
from autograd.drawing.layout import LayoutError
from autograd.drawing.plan import Plan

__all__ = ["to_image"]

RESOLUTION = 192  # of a PNG, in dots per inch: twice a screen's, so that it stays sharp on a slide
FONT = "Libertinus Serif"
# The page around the picture.  What it shows is passed beside it, so that nothing in there is read as markup.
PAGE = b"""
#set document(title: sys.inputs.about, date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.about)
"""


def to_image(plan: Plan, form: Literal["png", "pdf"]) -> bytes:
    """Print a plan as PNG or PDF.

    Raises:
        LayoutError: if Typst or a layout engine is not installed, or if the picture is too large for a PNG.
    """
    try:
        typst = import_module("typst")
    except ImportError:
        raise LayoutError(f"a {form.upper()} is printed by Typst, which is not installed: `pip install typst`") from None
    svg = draw_plan(plan)
    svg.set("font-family", FONT)
    shown = {"about": plan.summary, "svg": ElementTree.tostring(svg, encoding="unicode")}
    try:
        return bytes(typst.compile(PAGE, format=form, ppi=RESOLUTION, sys_inputs=shown))
    except typst.TypstError as error:
        raise LayoutError(f"Typst could not print this picture: {error}") from error
