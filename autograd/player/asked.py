"""An exercise in a player: the data with which its page poses questions on the graph and marks the answers.

The picture and the text for readers without scripts are printed without gradients.  The right answers must be in the page,
because it marks without a server; base64 keeps them from being read by accident.

>>> reveal(conceal('{"right": -0.5}'))
'{"right": -0.5}'
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from autograd.primitives import Primitive

__all__ = ["Asked", "blank", "conceal", "reveal"]


@dataclass(frozen=True)
class Asked:
    """An exercise, as a page needs it.

    Attributes:
        title: the title of the page.
        text: the task, for readers without scripts and on paper.
        data: plain data for exercise.js.
        rows: the rows that formulas in answers may use.
    """

    title: str
    text: str
    data: Mapping[str, Any]
    rows: Sequence[Primitive] = ()


def blank(svg: Element) -> None:
    """Remove the results of the backward pass from a picture that shows the end of the walk."""
    for text in svg.iterfind(".//text[@data-gradient]"):
        text.text = ""
    for label in svg.iterfind("g[@data-flow]"):
        if "label" in label.get("class", "").split():
            for text in label.findall("text")[1 if "data-weighs" in label.attrib else 0 :]:
                text.text = ""


def conceal(text: str) -> str:
    """Return a text in base64."""
    return base64.b64encode(text.encode()).decode()


def reveal(text: str) -> str:
    """Return the text that was concealed."""
    return base64.b64decode(text).decode()
