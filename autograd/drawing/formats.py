"""The formats of pictures: one table, from which suffixes, messages and help are derived.

A format is a function of a `Plan`.  To add one, write a module with that function and enter it in the table:

>>> from autograd.drawing.plan import Plan
>>> FORMATS[".txt"] = Format("a summary", lambda plan: plan.summary.encode())
>>> write(Plan("Nothing", (), (), ()), ".TXT")
b'Nothing: 0 nodes, 0 edges'
>>> del FORMATS[".txt"]
>>> suffixes()
'.svg, .png, ...'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from autograd.drawing.as_dot import to_dot
from autograd.drawing.as_image import to_image
from autograd.drawing.as_mermaid import to_mermaid
from autograd.drawing.as_svg import to_svg
from autograd.drawing.as_tikz import to_tikz
from autograd.drawing.plan import Plan

__all__ = ["FORMATS", "Format", "suffixes", "write"]

GRAPHVIZ = "Graphviz"  # its program `dot` or its build for WebAssembly; see `autograd.drawing.layout`


class Format(NamedTuple):
    """A format: what it is, the function that writes a plan in it, and what that needs beyond the standard library."""

    about: str
    write: Callable[[Plan], bytes]
    needs: str = "nothing"


FORMATS: Final[dict[str, Format]] = {
    ".svg": Format("SVG", lambda plan: to_svg(plan).encode(), GRAPHVIZ),
    ".png": Format("PNG", lambda plan: to_image(plan, "png"), f"{GRAPHVIZ}, Typst"),
    ".pdf": Format("PDF", lambda plan: to_image(plan, "pdf"), f"{GRAPHVIZ}, Typst"),
    ".tex": Format("TikZ, in a LaTeX document", lambda plan: to_tikz(plan).encode(), GRAPHVIZ),
    ".dot": Format("DOT, the language of Graphviz", lambda plan: to_dot(plan).encode()),
    ".mmd": Format("Mermaid", lambda plan: to_mermaid(plan).encode()),
}


def suffixes() -> str:
    """List the suffixes of all formats."""
    return ", ".join(FORMATS)


def write(plan: Plan, suffix: str) -> bytes:
    """Write a plan in the format that a suffix names.

    Raises:
        ValueError: if no format has this suffix.
        LayoutError: if the format needs something that is not installed.
    """
    if suffix.lower() not in FORMATS:
        name = f"as {suffix!r}" if suffix else "under a name without a suffix"
        raise ValueError(f"a drawing cannot be saved {name}; end the name in {suffixes()}")
    return FORMATS[suffix.lower()].write(plan)
