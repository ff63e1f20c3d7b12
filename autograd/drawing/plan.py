"""The contents of a picture, before it is written in any format.

A graph is described as plain data, a `Plan`: boxes with lines of text, arrows, and notes below.  A line holds a name, a formula
and a number; an arrow holds its numbers.  Each format turns them into text or mathematics.  Code that makes plans knows no
format, and a format knows nothing of computation graphs.  So a new view is one function that returns a `Plan`; a new format is
one module that reads a plan, and one line in the table of formats.

>>> w = Node("n0", "leaf", (Line("value", "w", value=2.0), Line("gradient", "∂w", value=3.0)), hint="w = 2")
>>> product = Symbol("w") * 3
>>> y = Node("n1", "result", (Line("value", "y", value=6.0), Line("operation", formula=product)), hint="y = w·3 = 6")
>>> plan = Plan("Computation graph of y", (w, y), (Edge("e0", "n0", "n1", "∂y/∂w = 3", "local", local=3.0),), notes=())
>>> plan.summary, [line.text for line in y.lines], plan.edges[0].label
('Computation graph of y: 2 nodes, 1 edge', ['y = 6', 'w·3'], '3')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import Final, Literal, get_args

from autograd.notation import MOST_DIGITS, equation, factor
from autograd.symbol import Symbol
from autograd.writing import DIGITS, RAISED, Style, plain

__all__ = [
    "NAMINGS", "NOTE_LINE", "Edge", "Emphasis", "Flow", "Kind", "Line", "Node", "Plan", "Role", "Theme", "checked_theme",
    "cut", "largest_note", "note_lines",
]  # fmt: skip

Kind = Literal["leaf", "operation", "result", "input", "neuron", "rest"]
Emphasis = Literal["normal", "active", "faint"]
Role = Literal["value", "operation", "gradient"]
Theme = Literal["light", "dark"]
Flow = Literal["local", "flowing", "flowed", "not taken", "nothing"]

WIDEST = 30  # characters in a line of a box; longer text is shortened; the tooltip has it in full
WIDEST_NOTE = 100  # characters
NOTE_LINE = 86  # characters of a note in one line
LAYER = re.compile(rf".*\.|⁽[{RAISED}]+⁾", re.DOTALL)  # left out of a formula that would be too wide: w₀₂ for w⁽¹⁾₀₂
BRIEF = 8  # characters of a name in a formula that would be too wide


@dataclass(frozen=True, slots=True)
class Line:
    """One line in a box: a name, a formula and a value, each of them optional, joined by equals signs.

    Attributes:
        role: whether it is about the node's value, its operation or its gradient.
        name: such as ``w``, ``∂w`` or ``δ so far``.
        formula: an operation, on names that carry their numbers.
        value: a number.
        digits: its significant digits.
        place: the place in the graph of the node whose value or gradient it shows.
    """

    role: Role
    name: str = ""
    formula: Symbol | None = None
    value: float | None = None
    digits: int = DIGITS
    place: int | None = None

    def __eq__(self, other: object) -> bool:
        """Compare formulas by their text: symbols refuse ==, which in a rule would be a condition."""
        return isinstance(other, Line) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[object, ...]:
        formula = None if self.formula is None else self.formula.written(plain(MOST_DIGITS))
        return self.role, self.name, formula, repr(self.value), self.digits, self.place

    def written(self, style: Style) -> str:
        r"""Return the line in a style, however wide it is.

        >>> from autograd.writing import latex
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
        kind: what the box stands for; every format distinguishes the kinds by colour and by shape.
        lines: its text, from top to bottom.
        hint: the tooltip, a sentence with full names and nothing cut short.
        emphasis: whether it stands out at the moment shown, or is still to come.
        places: the places in the graph of the nodes that it stands for.
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
        id: like that of a node.
        source, target: the ids of its ends.
        hint: the tooltip.
        flow: what its label shows: the local derivative ∂target/∂source; in the step shown, upstream × local = contribution;
            after that step, the contribution that has flowed back; that the branch is not taken; or nothing.
        local, upstream, contribution: the numbers; 0 if they are not known.
        weight: whether the local derivative is a weight, which the label shows first, with its gradient.
        gradient: ∂loss/∂weight, or None if it is not known.
        name: a label, as text.
        emphasis: whether it stands out at the moment shown, or is still to come.
        digits: significant digits of the numbers.
        place: if the arrow is one edge of the graph, the place of its node, and its own place among that node's inputs.
        weighs: if its weight is a node, the same for the edge from the weight.
    """

    id: str
    source: str
    target: str
    hint: str
    flow: Flow = "nothing"
    local: float = 0.0
    upstream: float = 0.0
    contribution: float = 0.0
    weight: bool = False
    gradient: float | None = None
    name: str = ""
    emphasis: Emphasis = "normal"
    digits: int = DIGITS
    place: tuple[int, int] | None = None
    weighs: tuple[int, int] | None = None

    @property
    def lines(self) -> tuple[tuple[Role, str], ...]:
        """The lines of the label as text."""
        return self.written(plain(self.digits))

    @property
    def label(self) -> str:
        """The label as one line of text."""
        return " ".join(text for _, text in self.lines)

    def written(self, style: Style) -> tuple[tuple[Role, str], ...]:
        """Return the lines of the label in a style; a local derivative and a contribution never look alike.

        In the step shown, a weight appears only in the product, so that the label has no more lines than after the step.
        """
        local, upstream, contribution = map(style.number, (self.local, self.upstream, self.contribution))
        factors = [f"{upstream} × {factor(local)}"] if self.weight else [upstream, f"× {factor(local)}"]
        flows: dict[Flow, list[tuple[Role, str]]] = {
            "local": [] if self.weight else [("operation", local)],
            "flowing": [("gradient", text) for text in (*factors, f"= {contribution}")],
            "flowed": [("gradient", f"← {contribution}")],
            "not taken": [("operation", "not taken")],
            "nothing": [],
        }
        lines: list[tuple[Role, str]] = []
        if self.weight and self.flow != "flowing":
            lines.append(("value", local))
        if self.gradient is not None:
            lines.append(("gradient", f"{style.name(Symbol('∂w'))} {style.number(self.gradient)}"))
        lines += flows[self.flow]
        if self.name:
            lines.append(("operation", self.name))
        return tuple(lines)


@dataclass(frozen=True)
class Plan:
    """A picture as data.

    Attributes:
        title: what is shown.
        nodes, edges: boxes and arrows in a fixed order.
        notes: lines to be written below.
        columns: the ids of boxes that stand one above the other, in a network.
        order: the ids of boxes that keep this order where Graphviz stacks them, such as the neurons of a layer.
        theme: whether it is drawn on light or dark paper.
        frame: the same picture with the widest text of any moment, from which all moments are laid out; None if it is still.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...] = ()
    order: tuple[tuple[str, ...], ...] = ()
    theme: Theme = "light"
    frame: Plan | None = None

    @property
    def summary(self) -> str:
        """The title, and the numbers of nodes and edges."""
        nodes, edges = len(self.nodes), len(self.edges)
        return f"{self.title}: {nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)}"


def checked_theme(theme: Theme) -> Theme:
    """Return a theme, or raise a `ValueError` if there is no such theme."""
    if theme not in get_args(Theme):
        raise ValueError(f"there is no theme {theme!r}; theme is 'light' or 'dark'")
    return theme


def cut(text: str, width: int = WIDEST) -> str:
    """Shorten a text that is too wide by cutting its middle: names differ at their ends, and formulas end in their constants.

    >>> cut("a_name_of_many_characters", 9)
    'a_na…ters'
    """
    half = width // 2
    return text if len(text) <= width else f"{text[:half].rstrip('…')}…{text[half + 1 - width :].lstrip('…')}"


def note_lines(*notes: str) -> list[str]:
    """Break notes into lines that are no wider than a picture should be, if possible after a comma or a semicolon.

    >>> [len(line) for line in note_lines("a note " * 20, "another note")]
    [85, 53, 12]
    >>> note_lines("step 13, backward 5/9: z₂ = w₂₀·0.3 + w₂₁·(-0.2) + w₂₂·0.1 + b₂, δ = ∂loss/∂z₂ = 1.92345")
    ['step 13, backward 5/9: z₂ = w₂₀·0.3 + w₂₁·(-0.2) + w₂₂·0.1 + b₂,', 'δ = ∂loss/∂z₂ = 1.92345']
    """
    lines: list[str] = []
    for note in notes:
        clauses = re.sub(r"(?<![,;]) ", "\N{NO-BREAK SPACE}", note)
        whole = max(map(len, clauses.split(" "))) <= NOTE_LINE
        lines += wrap(clauses if whole else note, NOTE_LINE, break_on_hyphens=False) or [""]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def largest_note(notes: Iterable[str]) -> str:
    """Return the note that takes the most room."""
    return max(notes, key=lambda note: (len(note_lines(note)), len(note)))


def _last_part(symbol: Symbol) -> str:
    """Write w2 for layer1.neuron0.w2, and w₀₂ for w⁽¹⁾₀₂."""
    return LAYER.sub("", symbol.name) or symbol.name


# Ways to write the names in a formula: a line uses the first with which it is not too wide.
NAMINGS: Final[tuple[Callable[[Symbol], str], ...]] = (
    lambda symbol: symbol.name,
    _last_part,
    lambda symbol: cut(_last_part(symbol), BRIEF),
)
