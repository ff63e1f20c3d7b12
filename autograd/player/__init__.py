"""The player: a graph played forward and back in a browser, a notebook or on a projector, in one HTML file.

The page is printed here, with every picture, every step and every number in it; its script only turns the leaves.

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> player = play((w * x - 5) ** 2)
>>> player
<player: Backpropagation of loss, 6 steps>
>>> player.html.startswith("<!doctype html>")
True
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from xml.etree.ElementTree import Element

from autograd.drawing.size import refuse_unreadable
from autograd.files import write_whole
from autograd.mistakes import MISTAKES
from autograd.player.cards import card, ledger, mistaken
from autograd.player.markup import as_data, element, write
from autograd.player.score import trace_of
from autograd.player.stage import draw_neurons, draw_nodes
from autograd.player.theme import colours
from autograd.steps import Walk
from autograd.value import Value

__all__ = ["Player", "play"]

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, repr=False)
class Player:
    """A walk to be played: shown in Jupyter where it is the last line of a cell, else saved and opened in a browser.

    It holds the graph as it was when it was made; the same graph gives the same bytes, with the same layout engine.

    Attributes:
        title: what is played.
        steps: how many steps there are.
        element: the player as an HTML element that can stand in any page; it needs nothing from outside.
    """

    title: str
    steps: int
    element: str

    @property
    def html(self) -> str:
        """The player as a page of its own, which asks no network for anything."""
        return _fill("page.html", title=escape(self.title), player=self.element)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path; a file of this name stays as it was if anything goes wrong.

        Args:
            path: a name that ends in .html.

        Raises:
            ValueError: for another suffix.
            FileNotFoundError: if the folder does not exist.
        """
        path = Path(path)
        if path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"a player cannot be saved as {path.suffix!r}; end the name in {SUFFIXES[0]}")
        write_whole(path, self.html.encode())
        return path

    def _repr_html_(self) -> str:
        return self.element

    def __repr__(self) -> str:
        return f"<player: {self.title}, {self.steps} step{'s' * (self.steps != 1)}>"


def play(loss: Value, *, digits: int | None = None, limit: int = 150) -> Player:
    """Make a player of the forward and backward pass of a result, step by step as `walk` has it.

    First, previous, next, last, play and a slider; a click on a node goes to its step.  Each step shows its rule, the
    numbers put in, the contribution and the running total; pointing at a node shows where its gradient comes from.  There
    are a mode in which the learner predicts each number, a view of networks neuron by neuron, and, side by side with the
    right run, the classic mistakes.  Printed, it is one page with the whole graph, every gradient and a table of the steps.

    Args:
        loss: the result whose gradient is taken.
        digits: significant digits of the numbers, 1 to 17; by default 5, and 3 in a network.
        limit: the largest number of nodes, leaves included, that is still drawn.

    Raises:
        TypeError: if `loss` is not a Value.
        ValueError: if the graph is too large to be read, or a leaf was changed after the forward pass.
        LayoutError: if no layout engine is installed.

    >>> x = Value(3.0, label="x")
    >>> play(x * x).steps
    2
    """
    if not isinstance(loss, Value):
        raise TypeError(f"play needs the Value whose graph is to be played, not {loss!r}")
    refuse_unreadable(loss, limit)
    steps = Walk(loss, n_digits=digits)
    told = list(steps)
    trace = trace_of(steps)
    wrong = [Walk(loss, mistake, digits) for mistake in MISTAKES]
    trace["mistakes"] = {walk.mistake: trace_of(walk)["steps"] for walk in wrong if walk.difference}
    title = f"Backpropagation of {steps.names[loss]}"
    views = {"nodes": draw_nodes(steps, trace), "neurons": draw_neurons(steps, trace, limit)}
    stages = [element("div", svg, class_="stage", data_view=view) for view, svg in views.items() if svg is not None]
    switch = [element("button", view.capitalize(), type="button", data_shows=view) for view in views] if stages[1:] else []
    markup = _fill(
        "player.html",
        title=escape(title),
        last=str(max(len(told) - 1, 0)),
        rows=str(sum(1 + len(step.edges) for step in told) or 1),  # of the table that is printed
        views=_lines(switch),
        stages=_lines(stages),
        steps=_lines([card(step) for step in told]),
        ledgers=_lines([ledger(node, steps) for node in steps.names]),
        mistakes=_lines([mistaken(walk, told) for walk in wrong]),
        trace=as_data(trace),
        style=colours() + _part("player.css"),
        script=_part("player.js"),
    )
    return Player(title, len(told), markup)


def _lines(parts: Sequence[Element]) -> str:
    return "\n".join(map(write, parts))


def _fill(name: str, **parts: str) -> str:
    return Template(_part(name)).substitute(parts)


def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
