"""How the parts of a picture look: the one place for colours and sizes.

The hues are Okabe and Ito's, which stay apart under every common colour blindness; fills are their tints, and text is dark
enough to be read on each of them (contrast 4.5 : 1 and more).  On dark paper each colour has its counterpart in `NIGHT`.  Black
and grey stand for the forward pass, vermilion for the backward pass.  No meaning depends on colour alone: the formats give each
kind of box a shape of its own, and gradients are marked with ∂ or δ, so a print in grey has the same information.

Source: M. Okabe and K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from typing import NamedTuple
from unicodedata import category, east_asian_width

from autograd.drawing.plan import Edge, Kind, Node, Role

__all__ = [
    "BACKWARD", "BOXES", "EM", "FAINT", "FONT", "FONTS", "LINE", "MARGIN", "NEGATIVE", "NIGHT", "NOTE", "NOTE_SIZE", "PAGE",
    "PAPER", "PATIENCE", "POSITIVE", "SIZE", "TEXT", "WIDEST", "WIRE", "Colours", "Text", "label_size", "size_of", "text_width",
]  # fmt: skip


class Colours(NamedTuple):
    """The colours of a box: its area and its outline."""

    fill: str
    outline: str


class Text(NamedTuple):
    """The colour and the weight of a line of text."""

    colour: str
    weight: str = "normal"


SIZE = 13.0  # of text, in points
NOTE_SIZE = 13.0
LINE = 15.0  # from one line of text to the next
MARGIN = 7.0  # between the text of a box and its outline
PATIENCE = 20  # bounds Graphviz's search for positions: the pictures stay the same, but long edges no longer take minutes
WIDEST = 690.0  # points: then text has 11 pixels in a cell of JupyterLab, which is 585 wide in a window of 800
PAGE = 945.0  # points: then text has 11 pixels on a page or slide of 800
EM = 0.6  # the mean width of a character, in units of the text's size; with a box's margin, enough for DejaVu Sans
PAPER = "#ffffff"
WIRE = "#5b6670"  # edges
FAINT = "#8b959d"  # what is still to come: outlines, edges and text, 3 : 1 on paper
NOTE = "#4a5560"  # the notes below, and operations
POSITIVE, NEGATIVE = "#1b7837", "#762a83"  # green and purple: the sign of what flows, which is written too
BACKWARD = "#a33b00"  # vermilion, darkened until small print in it can be read
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
FONT = "Helvetica"  # Graphviz knows its widths without consulting the system
BOXES: dict[Kind, Colours] = {
    "leaf": Colours("#dceefa", "#0072b2"),  # sky blue, outlined in blue
    "operation": Colours(PAPER, "#33404a"),
    "result": Colours("#fdf3cf", "#33404a"),  # yellow
    "input": Colours("#dceefa", "#0072b2"),
    "neuron": Colours("#e5f4ee", "#00694c"),  # bluish green
    "rest": Colours(PAPER, PAPER),
}
TEXT: dict[Role, Text] = {
    "value": Text("#1a1a1a", "bold"),
    "operation": Text(NOTE),
    "gradient": Text(BACKWARD),
}


# On dark paper.
NIGHT: dict[str, str] = {
    PAPER: "#14191d",
    TEXT["value"].colour: "#f0f4f6",
    NOTE: "#b6c2ca",
    WIRE: "#8d9aa4",
    FAINT: "#76848e",
    BACKWARD: "#ffa873",
    POSITIVE: "#a6dba0",  # from ColorBrewer's PRGn, like the green and the purple on light paper
    NEGATIVE: "#c2a5cf",
    BOXES["leaf"].fill: "#143347",
    BOXES["leaf"].outline: "#78c6f5",
    BOXES["operation"].outline: "#a9b6bf",
    BOXES["result"].fill: "#3f3610",
    BOXES["neuron"].fill: "#123a2e",
    BOXES["neuron"].outline: "#6fcfae",
}


def size_of(node: Node) -> tuple[float, float]:
    """Return the width and height of a box, in points: room for its text in every font that a reader may have."""
    rounded = 1.2 if node.kind == "input" and len(node.lines) > 1 else 1.0  # keeps the corners of the text inside the ellipse
    width, height = max(text_width(line.text) for line in node.lines) + 2 * MARGIN, len(node.lines) * LINE + MARGIN
    return rounded * width, rounded * height


def label_size(edge: Edge) -> tuple[float, float]:
    """Return the width and height of an arrow's label, in points; both are 0 without one."""
    return max((text_width(text) for _, text in edge.lines), default=0.0), len(edge.lines) * LINE


def text_width(text: str) -> float:
    """Estimate the width of a text in points: wide characters count twice, marks above others not at all.

    >>> text_width("aa") == text_width("漢") == 2 * text_width("e") == text_width("e\u0301e")
    True
    """
    return EM * SIZE * sum(2 if east_asian_width(c) in "WF" else category(c) != "Mn" for c in text)
