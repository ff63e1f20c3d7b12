"""Computation graphs as pictures.

A picture is made in two steps: ``nodes`` or ``neurons`` describes a graph as plain data, a `Plan`, and one of the ``formats``
writes the plan.  A `Drawing` is a plan with a property or a method for each format.

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> loss = (w * x - 5) ** 2
>>> loss.backward()
>>> drawing = draw(loss)
>>> drawing
<drawing: Computation graph of loss: 5 nodes, 4 edges>
>>> [line.text for line in drawing.nodes[0].lines], drawing.edges[0].hint
(['w = 3', '∂w = 4'], '∂v1/∂w = 2; 2 × 2 = 4 flows back to w')
>>> print(drawing.mermaid.splitlines()[4])
  n2["<b>v1 = 6</b><br/>w·x<br/>∂v1 = 2"]:::operation
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from autograd.drawing.formats import write
from autograd.drawing.jupyter import bundle, image
from autograd.drawing.layout import LayoutError
from autograd.drawing.neurons import describer
from autograd.drawing.nodes import frame_of
from autograd.drawing.plan import WIDEST_NOTE, Edge, Line, Node, Plan, Theme, checked_theme, cut, largest_note
from autograd.files import write_whole
from autograd.moments import Moment
from autograd.notation import Notation
from autograd.rerun import refuse_stale
from autograd.steps import Walk
from autograd.value import Value

__all__ = ["Drawing", "Edge", "LayoutError", "Line", "Node", "Plan", "draw"]

NEW_LINE = "\n"


@dataclass(frozen=True, repr=False)
class Drawing(Plan):
    """A picture: plain data, and the formats it can be written in.

    Jupyter shows it if it is the last line of a cell.  The properties are computed on each access.  The same graph gives the
    same text in every process, and with the same layout engine the same SVG.
    """

    @property
    def dot(self) -> str:
        """The picture in DOT, the language of Graphviz."""
        return write(self, ".dot").decode()

    @property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart, for Markdown on GitHub and elsewhere."""
        return write(self, ".mmd").decode()

    @property
    def tikz(self) -> str:
        """The picture as TikZ in a LaTeX document for pdflatex; raises a `LayoutError` if no layout engine is installed."""
        return write(self, ".tex").decode()

    @property
    def svg(self) -> str:
        """The picture as SVG; raises a `LayoutError` if no layout engine is installed."""
        return write(self, ".svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its suffix names, and return the path.

        The file is replaced only by a complete new one, so that an older file survives if anything goes wrong.

        Args:
            path: a name with the suffix of a format; `autograd.drawing.formats.suffixes` lists them.

        Raises:
            ValueError: if no format has this suffix.
            FileNotFoundError: if the folder does not exist.
            LayoutError: if the format needs something that is not installed.
        """
        path = Path(path)
        write_whole(path, write(self, path.suffix))
        return path

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        svg = self.svg
        return bundle(image(svg, self.summary), svg, repr(self))

    def __repr__(self) -> str:
        return f"<drawing: {self.summary}>"


def draw(
    loss: Value,
    *,
    step: int | None = None,
    view: Literal["nodes", "neurons"] = "nodes",
    digits: int | None = None,
    limit: int = 150,
    theme: Theme = "light",
) -> Drawing:
    """Draw the computation graph of a result.

    A box shows a node's name and value, its operation, and its gradient once a backward pass has run: ∂x is short for
    ∂loss/∂x, and δ is the gradient of a neuron's net input.  An arrow shows the local derivative ∂result/∂operand.

    Args:
        loss: the result, which may be any node; it is drawn with everything that it was computed from.
        step: draw this moment of ``walk(loss)``: the current step stands out, later ones are faint.
        view: "neurons" draws a network neuron by neuron, with z, a and δ in the boxes and, on each arrow, the weight, its
            gradient and the product δ·w that flows back; long layers are condensed.
        digits: significant digits of the numbers, 1 to 17; by default 5, and 3 in a network.
        limit: the largest number of boxes to draw: nodes, leaves included, or the boxes that the view by neurons shows.
        theme: "dark" draws on a dark background, for a dark notebook or slide.

    Raises:
        TypeError: if `loss` is not a Value, `digits` not an int, or `limit` not a number.
        ValueError: if the graph has more than `limit` nodes or is otherwise too large to be read, if the view by neurons is
            chosen for a graph without neurons, or if `view`, `theme` or `digits` is none of the above.
        IndexError: if there is no such step.

    >>> x = Value(2.0, label="x")
    >>> draw(x * x).notes[0]
    'no backward pass has run yet: backward() adds ∂x, short for ∂loss/∂x'
    """
    if not isinstance(loss, Value):
        raise TypeError(f"draw needs the Value whose graph is to be drawn, not {loss!r}")
    describe = describer(loss, view, limit)
    if step is None:
        plan = describe(notation := Notation(loss, digits), None)
        plan = replace(plan, notes=(*_stale_note(notation), *plan.notes))
    else:
        plan = _at_step(Walk(loss, n_digits=digits), step, describe)
    return Drawing(**(vars(plan) | {"theme": checked_theme(theme)}))


def _stale_note(notation: Notation) -> Iterator[str]:
    """Yield a note if a leaf was changed after the forward pass, for example by a step of training."""
    try:
        refuse_stale(notation.order)
    except (ArithmeticError, ValueError):
        yield "a leaf was changed after the forward pass; the other nodes have the numbers from before"


def _at_step(steps: Walk, i: int, describe: Callable[[Notation, Moment | None], Plan]) -> Plan:
    """Describe a moment of a walk, with the current step as the first note."""
    plan, frame = describe(steps.notation, steps.moment(i)), frame_of(steps, describe)
    captions = [cut(f"step {k}, {str(step).partition(NEW_LINE)[0]}", WIDEST_NOTE) for k, step in enumerate(steps)]
    title = f"Step {i % len(steps)} of the walk over {steps.names[steps.loss]}"
    frame = replace(frame, notes=(largest_note(captions), *frame.notes))
    return replace(plan, title=title, notes=(captions[i], *plan.notes), frame=frame)
