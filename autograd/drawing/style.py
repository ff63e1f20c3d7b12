"""How the parts of a picture look: the one place for colours.

The hues are Okabe and Ito's, which stay apart under every common colour blindness; fills are their tints, and text is dark
enough to be read on each of them (contrast 4.5 : 1 and more).  Black and grey tell of the forward pass, vermilion of the
backward pass.  No meaning hangs on a colour alone: the formats give each kind of box a shape of its own, and gradients
are marked with ∂ or δ; so a grey print says the same.

Source: M. Okabe and K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.drawing.plan import Kind, Role

__all__ = ["BACKWARD", "BOXES", "FAINT", "FONT", "NEGATIVE", "NOTE", "PAPER", "POSITIVE", "TEXT", "WIRE", "Box", "Text"]


class Box(NamedTuple):
    """The colours of a box: its area and its outline."""

    fill: str
    outline: str


class Text(NamedTuple):
    """The colour and the weight of a line of text."""

    colour: str
    weight: str = "normal"


PAPER = "#ffffff"
WIRE = "#5b6670"  # edges
FAINT = "#8b959d"  # what is still to come: outlines, edges and text, 3 : 1 on paper
NOTE = "#4a5560"  # the notes below, and operations
POSITIVE, NEGATIVE = "#1b7837", "#762a83"  # green and purple: the sign of what flows, which is written too
BACKWARD = "#a33b00"  # vermilion, darkened until small print in it can be read
FONT = "Helvetica"  # Graphviz knows its widths without asking the system
BOXES: dict[Kind, Box] = {
    "leaf": Box("#dceefa", "#0072b2"),  # sky blue, outlined in blue
    "operation": Box(PAPER, "#33404a"),
    "result": Box("#fdf3cf", "#33404a"),  # yellow
    "neuron": Box("#e5f4ee", "#00694c"),  # bluish green
}
TEXT: dict[Role, Text] = {
    "value": Text("#1a1a1a", "bold"),
    "operation": Text(NOTE),
    "gradient": Text(BACKWARD),
}
