"""The player's colours by day and by night: those of the drawings, and for each its counterpart on dark paper.

>>> print(colours().splitlines()[1])
    --paper: light-dark(#ffffff, #14191d);
"""

from __future__ import annotations

from typing import Final

from autograd.drawing.style import BACKWARD, BOXES, FAINT, NOTE, PAPER, TEXT, WIRE

__all__ = ["THEME", "colours"]

THEME: Final[dict[str, tuple[str, str]]] = {
    "paper": (PAPER, "#14191d"),
    "ink": (TEXT["value"].colour, "#f0f4f6"),
    "note": (NOTE, "#b6c2ca"),
    "wire": (WIRE, "#8d9aa4"),
    "faint": (FAINT, "#76848e"),
    "forward": (BOXES["leaf"].outline, "#78c6f5"),
    "backward": (BACKWARD, "#ffa873"),
    "plus": ("#1b7837", "#a6dba0"),  # of ColorBrewer's PRGn: distinct under every common colour blindness
    "minus": ("#762a83", "#c2a5cf"),
    "leaf": (BOXES["leaf"].fill, "#143347"),
    "outline": (BOXES["operation"].outline, "#a9b6bf"),
    "result": (BOXES["result"].fill, "#3f3610"),
    "neuron": (BOXES["neuron"].fill, "#123a2e"),
}


def colours() -> str:
    """Write the colours as variables for the style sheet, each by day and by night."""
    lines = [f"    --{name}: light-dark({day}, {night});" for name, (day, night) in THEME.items()]
    return "\n".join([".player {", *lines, "}", ""])
