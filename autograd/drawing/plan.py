"""What a picture says, before it is put into any format.

A picture is made in two steps: a graph is described as plain data, and the description is written in a format.  Between
the two stands a `Plan`: boxes with lines of text, arrows with a number, notes below.  Who makes plans knows no format, and
a format knows nothing of computation graphs; so a new view is one function that returns a `Plan`, and a new format is one
module that reads it.

>>> w = Node("n0", "leaf", (Line("w = 2", "value"), Line("δ = 3", "gradient")), hint="w = 2")
>>> y = Node("n1", "result", (Line("y = 6", "value"), Line("3·w", "operation")), hint="y = 3·w = 6")
>>> Plan("Computation graph of y", (w, y), (Edge("e0", "n0", "n1", "3", hint="∂y/∂w = 3"),), notes=()).summary
'Computation graph of y: 2 nodes, 1 edge'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Edge", "Emphasis", "Kind", "Line", "Node", "Plan", "Role"]

Kind = Literal["leaf", "operation", "result", "neuron"]
Emphasis = Literal["normal", "active", "faint"]
Role = Literal["value", "operation", "gradient"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a box, and what it tells: the name with its value, the operation, or the gradient."""

    text: str
    role: Role


@dataclass(frozen=True, slots=True)
class Node:
    """A box.

    Attributes:
        id: letters and digits, unique in the plan, the same for the same graph in every process.
        kind: what the box stands for; every format tells the kinds apart by colour and by shape.
        lines: its text, from top to bottom.
        hint: a sentence for readers who point at it, with nothing cut short.
        emphasis: whether it stands out at the moment shown, or is still to come.
    """

    id: str
    kind: Kind
    lines: tuple[Line, ...]
    hint: str
    emphasis: Emphasis = "normal"


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from an operand to a result, by their ids; `label` is the number on it, `hint` and `role` say what that is."""

    id: str
    source: str
    target: str
    label: str
    hint: str
    emphasis: Emphasis = "normal"
    role: Role = "gradient"


@dataclass(frozen=True)
class Plan:
    """A picture as data: a title, boxes and arrows in a fixed order, and notes to be written below."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The title, and how much there is to see."""
        nodes, edges = len(self.nodes), len(self.edges)
        return f"{self.title}: {nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)}"
