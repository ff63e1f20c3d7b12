"""Computation graphs as pictures.

A picture is made in two steps: ``graph`` describes a graph as plain data, a `Plan`, and ``as_dot``, ``as_mermaid`` and
``as_svg`` write such a description in their format.  A `Drawing` is the description with the formats at hand.

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> loss = (w * x - 5) ** 2
>>> loss.backward()
>>> drawing = draw(loss)
>>> drawing
<drawing: Computation graph of loss: 5 nodes, 4 edges>
>>> [line.text for line in drawing.nodes[0].lines], drawing.edges[0].hint
(['w = 3', 'δ = 4'], '∂v1/∂w = 2; δ·∂ = 2·2 = 4 flows back')
>>> print(drawing.mermaid.splitlines()[4])
  n2["<b>v1 = 6</b><br/>w·x<br/>δ = 2"]:::operation
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autograd.drawing.as_dot import to_dot
from autograd.drawing.as_mermaid import to_mermaid
from autograd.drawing.as_svg import to_svg
from autograd.drawing.graph import describe_graph
from autograd.drawing.jupyter import bundle, image
from autograd.drawing.layout import LayoutError, lay_out
from autograd.drawing.moment import describe_moment
from autograd.drawing.neurons import describe_neurons
from autograd.drawing.plan import Edge, Line, Node, Plan
from autograd.files import write_whole
from autograd.value import Value

__all__ = ["Drawing", "Edge", "LayoutError", "Line", "Node", "Plan", "draw"]

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".mmd")
RESOLUTION = 192  # of a PNG, in dots per inch: twice a screen's, so that it stays sharp on a slide


@dataclass(frozen=True, repr=False)
class Drawing(Plan):
    """A picture: plain data, and the formats that it can be had in.

    In Jupyter it is shown where it is the last line of a cell.  The properties are made anew when asked for, and the same
    graph gives the same text in every process; the SVG, with the same layout engine.
    """

    @property
    def dot(self) -> str:
        """The picture in DOT, the language of Graphviz."""
        return to_dot(self)

    @property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart, for Markdown on GitHub and elsewhere."""
        return to_mermaid(self)

    @property
    def svg(self) -> str:
        """The picture as SVG; a `LayoutError` if no layout engine is installed."""
        return to_svg(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its suffix names, and return the path.

        The file is written beside its place first and put there whole, so that whatever goes wrong an older file stays.

        Args:
            path: a name that ends in .svg, .png, .pdf, .dot or .mmd (Mermaid).

        Raises:
            ValueError: for another suffix.
            FileNotFoundError: if the folder does not exist.
            LayoutError: if no layout engine is installed that makes this format.
        """
        path = Path(path)
        data = self._encoded(path.suffix.lower())
        write_whole(path, data)
        return path

    def _encoded(self, suffix: str) -> bytes:
        match suffix:
            case ".svg":
                return self.svg.encode()
            case ".dot":
                return self.dot.encode()
            case ".mmd":
                return self.mermaid.encode()
            case ".png":
                return lay_out(to_dot(self, RESOLUTION), "png")
            case ".pdf":
                return lay_out(self.dot, "pdf")
        raise ValueError(f"a drawing cannot be saved as {suffix!r}; end the name in {', '.join(SUFFIXES)}")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        svg = self.svg
        return bundle(image(svg, self.summary), svg, repr(self))

    def __repr__(self) -> str:
        return f"<drawing: {self.summary}>"


def draw(loss: Value, *, step: int | None = None, view: Literal["nodes", "neurons"] = "nodes", limit: int = 150) -> Drawing:
    """Draw the computation graph of a result.

    A box shows a node's name and value, its operation, and its gradient δ once a backward pass has run; an arrow shows the
    local derivative ∂result/∂operand.

    Args:
        loss: the result; any node, and everything that it came from is drawn.
        step: draw this moment of ``walk(loss)``: what is being done stands out, what is still to come is faint.
        view: "neurons" draws a network neuron by neuron, with net, out and δ in the boxes and the weights on the arrows.
        limit: the largest number of nodes, leaves included, that is still drawn.

    Raises:
        TypeError: if `loss` is not a Value.
        ValueError: if the graph has more than `limit` nodes or is otherwise too large to be read, for another view, for a
            step of the view by neurons, or for that view of a graph without neurons.
        IndexError: if there is no such step.

    >>> x = Value(2.0, label="x")
    >>> draw(x * x).notes[0]
    'no backward pass has run yet: backward() adds δ = ∂loss/∂node'
    """
    if not isinstance(loss, Value):
        raise TypeError(f"draw needs the Value whose graph is to be drawn, not {loss!r}")
    if view not in ("nodes", "neurons") or (view == "neurons" and step is not None):
        wanted = f"view {view!r}" + f" at step {step}" * (step is not None)
        raise ValueError(f"there is no {wanted}; view is 'nodes', with or without a step, or 'neurons'")
    if view == "neurons":
        plan = describe_neurons(loss, limit)
    else:
        plan = describe_graph(loss, limit) if step is None else describe_moment(loss, step, limit)
    return Drawing(plan.title, plan.nodes, plan.edges, plan.notes)
