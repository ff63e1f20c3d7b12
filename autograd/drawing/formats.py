"""The formats of pictures: one table, from which suffixes, messages and help are derived.

A format is a function of a `Plan`.  To add one, write a module with that function and put it into the table:

>>> from autograd.drawing.plan import Plan
>>> FORMATS[".txt"] = Format("a summary", lambda plan: plan.summary.encode())
>>> write(Plan("Nothing", (), (), ()), ".TXT")
b'Nothing: 0 nodes, 0 edges'
>>> del FORMATS[".txt"]
>>> suffixes()
'.svg, .png, .pdf, .dot, .mmd'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from autograd.drawing.as_dot import to_dot
from autograd.drawing.as_mermaid import to_mermaid
from autograd.drawing.as_svg import to_svg
from autograd.drawing.layout import lay_out
from autograd.drawing.plan import Plan

__all__ = ["FORMATS", "Format", "suffixes", "write"]

RESOLUTION = 192  # of a PNG, in dots per inch: twice a screen's, so that it stays sharp on a slide


class Format(NamedTuple):
    """A format: what it is, and the function that writes a plan in it."""

    about: str
    write: Callable[[Plan], bytes]


FORMATS: Final[dict[str, Format]] = {
    ".svg": Format("SVG", lambda plan: to_svg(plan).encode()),
    ".png": Format("PNG", lambda plan: lay_out(to_dot(plan, RESOLUTION), "png")),
    ".pdf": Format("PDF", lambda plan: lay_out(to_dot(plan), "pdf")),
    ".dot": Format("DOT, the language of Graphviz", lambda plan: to_dot(plan).encode()),
    ".mmd": Format("Mermaid", lambda plan: to_mermaid(plan).encode()),
}


def suffixes() -> str:
    """List the suffixes of all formats."""
    return ", ".join(FORMATS)


def write(plan: Plan, suffix: str) -> bytes:
    """Write a plan in the format that a suffix names.

    Raises:
        ValueError: for a suffix that no format has.
        LayoutError: if no layout engine is installed that makes this format.
    """
    if suffix.lower() not in FORMATS:
        raise ValueError(f"a drawing cannot be saved as {suffix!r}; end the name in {suffixes()}")
    return FORMATS[suffix.lower()].write(plan)
