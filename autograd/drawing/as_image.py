"""A plan as PNG or PDF: its SVG, printed by Typst.

Typst installs as one wheel and brings fonts with every character of the formulas.  So a machine without fonts draws the same
picture as any other, and the same plan gives the same bytes.  The system's fonts are used only for labels in scripts that
Typst's fonts lack, or with emoji.

>>> is_foreign("∂loss/∂θ = -0.5"), is_foreign("損失")
(False, True)
"""

from __future__ import annotations

from importlib import import_module
from typing import Literal
from unicodedata import category
from xml.etree import ElementTree

from autograd.drawing.as_svg import draw_plan
from autograd.drawing.layout import LayoutError
from autograd.drawing.plan import Plan

__all__ = ["FONT", "is_foreign", "print_svg", "to_image"]

RESOLUTION = 192  # of a PNG, in dots per inch: twice a screen's, so that it stays sharp on a slide
FONT = "DejaVu Sans Mono"  # the only sans-serif font that Typst brings; its characters are `style.EM` wide
FOREIGN = frozenset(("Lo", "So"))  # letters without capitals, as in Arabic or Chinese, and pictographs
# The page around the picture.  The picture and its summary are inputs, so that nothing in them is read as markup.
PAGE = b"""
#set document(title: sys.inputs.about, date: none)
#set page(width: auto, height: auto, margin: 0pt, fill: none)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.about)
"""


def to_image(plan: Plan, form: Literal["png", "pdf"]) -> bytes:
    """Print a plan as PNG or PDF.

    Raises:
        LayoutError: if Typst or a layout engine is not installed, or if the picture is too large for a PNG.
    """
    svg = draw_plan(plan)
    svg.set("font-family", FONT)
    return print_svg(ElementTree.tostring(svg, encoding="unicode"), plan.summary, form)


def print_svg(svg: str, about: str, form: Literal["png", "pdf"]) -> bytes:
    """Print an SVG as PNG or PDF.

    Args:
        svg: the picture.
        about: what it shows, for the document's title and screen readers.
        form: the format.

    Raises:
        LayoutError: if Typst is not installed, or if the picture is too large for a PNG.
    """
    try:
        typst = import_module("typst")
    except ImportError:
        raise LayoutError(f"a {form.upper()} is printed by Typst, which is not installed: `pip install typst`") from None
    try:
        return bytes(typst.compile(PAGE, format=form, ppi=RESOLUTION, sys_inputs={"about": about, "svg": svg},
                                   ignore_system_fonts=not is_foreign(svg)))  # fmt: skip
    except typst.TypstError as error:
        raise LayoutError(f"Typst could not print this picture: {error}") from error


def is_foreign(text: str) -> bool:
    """Return whether a text needs the system's fonts."""
    return not FOREIGN.isdisjoint(map(category, text))
