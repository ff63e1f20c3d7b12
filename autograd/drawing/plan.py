"""What a picture says, before it is put into any format.

A graph is described as plain data, a `Plan`: boxes with lines, arrows, notes below.  A line holds a name, a formula and a
number, an arrow its numbers; they become text, or mathematics, in the format.  Code that makes plans knows no format, and a
format knows nothing of computation graphs; so a new view is one function that returns a `Plan`, and a new format is one module
that reads it and one line in the table of formats.

>>> w = Node("n0", "leaf", (Line("value", "w", value=2.0), Line("gradient", "∂w", value=3.0)), hint="w = 2")
>>> product = Symbol("w") * 3
>>> y = Node("n1", "result", (Line("value", "y", value=6.0), Line("operation", formula=product)), hint="y = w·3 = 6")
>>> plan = Plan("Computation graph of y", (w, y), (Edge("e0", "n0", "n1", "∂y/∂w = 3", "local", local=3.0),), notes=())
>>> plan.summary, [line.text for line in y.lines], plan.edges[0].label
('Computation graph of y: 2 nodes, 1 edge', ['y = 6', 'w·3'], '3')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from autograd.symbol import DIGITS, Style, Symbol, plain
from autograd.telling import equation, factor

__all__ = ["NAMINGS", "Edge", "Emphasis", "Flow", "Kind", "Line", "Node", "Plan", "Role", "cut"]

Kind = Literal["leaf", "operation", "result", "neuron"]
Emphasis = Literal["normal", "active", "faint"]
Role = Literal["value", "operation", "gradient"]
Flow = Literal["local", "step", "flowed", "not taken", "weight", "nothing"]

WIDEST = 30  # characters in a line of a box; longer text is shortened; the tooltip has it in full
BRIEF = 8  # characters of a name in a formula that would be too wide


@dataclass(frozen=True, slots=True)
class Line:
    """One line in a box: a name, a formula and a value that are equal, those of them that there are.

    Attributes:
        role: whether it is about the node's value, its operation or its gradient.
        name: such as ``w``, ``∂w`` or ``δ so far``.
        formula: an operation, on names that carry their numbers.
        value: a number.
        digits: its significant digits.
        place: the node whose value or gradient it shows, by its place in the graph.
    """

    role: Role
    name: str = ""
    formula: Symbol | None = None
    value: float | None = None
    digits: int = DIGITS
    place: int | None = None

    def written(self, style: Style) -> str:
        r"""Return the line in a style, however wide it is.

        >>> from autograd.symbol import latex
        >>> Line("operation", "v1", Symbol("w_h") * Symbol("x", 2.0), 0.25).written(latex())
        'v_{1} = w_{h} \\cdot x = 0.25'
        """
        name = style.name(Symbol(self.name)) if self.name else ""
        formula = "" if self.formula is None else self.formula.written(style)
        return equation(name, formula, "" if self.value is None else style.number(self.value))

    @property
    def text(self) -> str:
        """The line as text, shortened to the width of a box."""
        style = plain(self.digits)
        if self.formula is None:
            value = "" if self.value is None else style.number(self.value)
            return equation(cut(self.name, WIDEST - len(value)), value)
        tries = [self.written(style._replace(name=naming)) for naming in NAMINGS]
        return next((text for text in tries if len(text) <= WIDEST), cut(tries[-1], WIDEST))


@dataclass(frozen=True, slots=True)
class Node:
    """A box.

    Attributes:
        id: letters and digits, unique in the plan, the same for the same graph in every process.
        kind: what the box stands for; every format tells the kinds apart by colour and by shape.
        lines: its text, from top to bottom.
        hint: a sentence for readers who point at it, with full names and nothing cut short.
        emphasis: whether it stands out at the moment shown, or is still to come.
        places: the nodes that it stands for, by their places in the graph.
    """

    id: str
    kind: Kind
    lines: tuple[Line, ...]
    hint: str
    emphasis: Emphasis = "normal"
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from an operand to a result.

    Attributes:
        id: as that of a node.
        source, target: the ids of its ends.
        hint: a sentence for readers who point at it.
        flow: what its label is: the local derivative ∂target/∂source; in the step shown, upstream × local = contribution; after
            that step, the contribution that has flowed back; a weight; or nothing.
        local, upstream, contribution: the numbers, as far as they are known.
        name: the name of a weight.
        emphasis: whether it stands out at the moment shown, or is still to come.
        digits: significant digits of the numbers.
        place: where it is one edge of the graph, the place of its node and its own place among that node's inputs.
    """

    id: str
    source: str
    target: str
    hint: str
    flow: Flow = "nothing"
    local: float = 0.0
    upstream: float = 0.0
    contribution: float = 0.0
    name: str = ""
    emphasis: Emphasis = "normal"
    digits: int = DIGITS
    place: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """The label as text."""
        return self.written(plain(self.digits))

    def written(self, style: Style) -> str:
        """Return the label in a style; a local derivative and a contribution never look alike."""
        local, upstream, contribution = map(style.number, (self.local, self.upstream, self.contribution))
        match self.flow:
            case "local":
                return local
            case "step":
                return f"{upstream} × {factor(local)} = {contribution}"
            case "flowed":
                return f"← {contribution}"
            case "not taken":
                return "not taken"
            case "weight":
                return equation(style.name(Symbol(self.name)) if self.name else "", local)
        return self.name


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


def cut(text: str, width: int = WIDEST) -> str:
    """Shorten a text that is too wide in its middle: names differ at their ends, and a formula ends in its constant.

    >>> cut("a_name_of_many_characters", 9)
    'a_na…ters'
    """
    half = width // 2
    return text if len(text) <= width else f"{text[:half]}…{text[half + 1 - width :]}"


def _last_part(symbol: Symbol) -> str:
    """Write w2 for layer1.neuron0.w2."""
    return symbol.name.rpartition(".")[2] or symbol.name


# How the names in a formula are written: the first way in which the line is not too wide.
NAMINGS: Final[tuple[Callable[[Symbol], str], ...]] = (
    lambda symbol: symbol.name,
    _last_part,
    lambda symbol: cut(_last_part(symbol), BRIEF),
)
