"""The player's colours in the light and the dark theme: those of the drawings, each with its counterpart on dark paper.

>>> print(colours().splitlines()[1])
    --paper: light-dark(#ffffff, #14191d);
"""

from __future__ import annotations

from typing import Final

from autograd.drawing.style import BACKWARD, BOXES, FAINT, NEGATIVE, NIGHT, NOTE, PAPER, POSITIVE, TEXT, WIRE

__all__ = ["THEME", "colours"]

DAY: Final[dict[str, str]] = {
    "paper": PAPER,
    "ink": TEXT["value"].colour,
    "note": NOTE,
    "wire": WIRE,
    "faint": FAINT,
    "forward": BOXES["leaf"].outline,
    "backward": BACKWARD,
    "plus": POSITIVE,
    "minus": NEGATIVE,
    "leaf": BOXES["leaf"].fill,
    "outline": BOXES["operation"].outline,
    "result": BOXES["result"].fill,
    "neuron": BOXES["neuron"].fill,
}
THEME: Final = {name: (colour, NIGHT[colour]) for name, colour in DAY.items()}


def colours() -> str:
    """Write the colours as variables for the style sheet, each for both themes."""
    lines = [f"    --{name}: light-dark({day}, {night});" for name, (day, night) in THEME.items()]
    return "\n".join([".player {", *lines, "}", ""])
