"""One step of backpropagation, and the state of a graph between steps.

A step and its edges hold numbers and formulas; all texts are written from these, so a printed step, a picture, a card and a
ledger cannot differ.  Only a `Moment` records what is known, what has arrived and what has flowed.

>>> from autograd.steps import walk
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> [edge, _] = walk(w * x)[-1].edges
>>> edge.slope, edge.rule, edge.product, edge.addition
('∂loss/∂w', 'x', '1·2', '0 + 2 = 2')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from autograd.notation import equation, factor, slope
from autograd.symbol import Symbol
from autograd.value import Value
from autograd.writing import DIGITS, Style, digits, numbers, plain

__all__ = ["Edge", "Moment", "Step"]


@dataclass(frozen=True, slots=True)
class Edge:
    """What flows from a node to one of its inputs in the backward pass.

    Attributes:
        input: the input.
        name: its name.
        consumer: the name of the node.
        derivative: ∂consumer/∂input as a formula, in names that carry their numbers.
        partial: the partial derivative, as recorded.
        upstream: the gradient of the node.
        contribution: upstream · partial, which is added to the input's gradient.
        before, total: the input's gradient before and after the addition.
        taken: whether anything flows along the edge; False for a branch that was not taken, and where nothing has flowed to
            the node itself.
        digits: significant digits of the numbers in texts.
        operation: the node's operation if other paths lead from the node to the input too, else None.  ∂node/∂input could then
            mean the total derivative, so the partial one along this edge is written as ∂(operation)/∂input.
    """

    input: Value
    name: str
    consumer: str
    derivative: Symbol = field(compare=False)  # symbols refuse ==, and the consumer determines it
    partial: float
    upstream: float
    contribution: float
    before: float
    total: float
    taken: bool = True
    digits: int = DIGITS
    operation: Symbol | None = field(default=None, compare=False)

    @property
    def slope(self) -> str:
        """The partial derivative by its names, such as ``∂v1/∂w``."""
        return self.slope_in(plain(self.digits))

    def slope_in(self, style: Style) -> str:
        """Write the partial derivative by its names in a style."""
        return slope(self.consumer if self.operation is None else self.operation, self.name, style)

    @property
    def rule(self) -> str:
        """The partial derivative as a formula, such as ``1 - out²``."""
        return self.derivative.written(plain(self.digits))

    @property
    def numbers(self) -> str:
        """The formula with numbers in place of names."""
        return self.derivative.written(numbers(self.digits))

    @property
    def reason(self) -> str:
        """The condition under which the formula holds if the rule has cases, such as ``x > 0``; else empty."""
        return " and ".join(self.derivative.conditions(plain(self.digits)))

    @property
    def overwrites(self) -> bool:
        """Whether the contribution replaced the gradient instead of being added to it, as can happen in a mistaken walk."""
        return self.total != self.before + self.contribution and self.total == self.contribution

    @property
    def case(self) -> str:
        """The rule with its reason, as text: ``1, since x > 0``."""
        return self.rule + f", since {self.reason}" * bool(self.reason)

    @property
    def product(self) -> str:
        """The contribution as a product: ``4·3``, or 0 along a branch that is not taken."""
        return self.product_in(plain(self.digits))

    def product_in(self, style: Style) -> str:
        """Write the contribution as a product in a style."""
        factors = (style.number(self.upstream), style.number(self.partial))
        return style.signs["*"].join(map(factor, factors)) if self.taken else "0"

    @property
    def addition(self) -> str:
        """What happens to the input's gradient: ``1 + 12 = 13``."""
        before, total = self._number(self.before), self._number(self.total)
        if self.overwrites:
            return f"set to {total}, where it was {before}"
        return f"{before} + {factor(self._number(self.contribution))} = {total}"

    def _number(self, x: float) -> str:
        return digits(x, self.digits)

    def __str__(self) -> str:
        local = equation(self.slope, self.rule, self.numbers, self._number(self.partial))
        flow = equation(self.product, self._number(self.contribution))
        if not self.taken:
            text = f"nothing flows to {self.name}" + ": this branch is not taken" * bool(self.reason)
        elif self.overwrites:
            text = f"set {self.name}.grad to {flow}, where it was {self._number(self.before)}"
        else:
            text = f"add {flow} to {self.name}.grad: {self.addition}"
        return f"    {local}" + f", since {self.reason}" * bool(self.reason) + f"\n        {text}"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the forward or the backward pass; printing it explains it.

    Attributes:
        phase: "forward" or "backward".
        place: the step's place within its phase, from 1, and the number of steps there.
        node: the node.
        name: its name.
        operation: the operation as a formula, in names that carry their numbers.
        delta: the upstream gradient ∂loss/∂node, now complete, or 0 if nothing has flowed to the node; None in the forward
            pass.
        edges: what flows on to the inputs, in written order; empty in the forward pass.
        loss: the name of the result.
        mark: the short form of ∂loss/∂node: δ for the net input of a neuron, else ∂ with the name.
        mistake: what goes wrong here, if the walk makes a mistake and this is the first step that differs; else empty.
        digits: significant digits of the numbers in texts.
    """

    phase: Literal["forward", "backward"]
    place: tuple[int, int]
    node: Value
    name: str
    operation: Symbol = field(compare=False)
    delta: float | None
    edges: tuple[Edge, ...]
    loss: str
    mark: str
    mistake: str = ""
    digits: int = DIGITS

    @property
    def formula(self) -> str:
        """The operation with names, such as ``w·x``."""
        return self.operation.written(plain(self.digits))

    @property
    def numbers(self) -> str:
        """The operation with numbers in place of names."""
        return self.operation.written(numbers(self.digits))

    @property
    def value(self) -> str:
        """The node's value."""
        return digits(self.node.data, self.digits)

    @property
    def gradient(self) -> str:
        """The node's gradient: ``∂loss/∂v1 = 2``, for the net input of a neuron ``δ = ∂loss/∂net = 2``; else empty."""
        if self.delta is None:
            return ""
        mark = self.mark if self.mark == "δ" else ""
        return equation(mark, f"∂{self.loss}/∂{self.name}", digits(self.delta, self.digits))

    def __str__(self) -> str:
        head = f"{self.phase} {self.place[0]}/{self.place[1]}: "
        if self.delta is None:
            return head + equation(self.name, self.formula, self.numbers, self.value)
        lines = [f"{head}{self.name} = {self.formula}, {self.gradient}", *map(str, self.edges)]
        return "\n".join([*lines, f"    wrong: {self.mistake}"] if self.mistake else lines)


class Moment:
    """What is known, what has arrived and what has flowed after some steps of a walk: the state that steps advance.

    Attributes:
        known: the nodes whose values are known, at first the leaves.
        arrived: the gradients that have arrived, complete or so far.
        flowed: the edges that have been visited, by the node and the place among its inputs; nothing flows along some of them.
        active: the node of the last step; None before the first.

    >>> from autograd.steps import walk
    >>> x = Value(3.0, label="x")
    >>> moment = walk(x * x + x).moment(2)
    >>> moment.arrived[x], moment.is_complete(x)
    (1.0, False)
    """

    def __init__(self, loss: Value, nodes: Collection[Value]) -> None:
        self.loss = loss
        self.known = {node for node in nodes if node.primitive is None}
        self.arrived: dict[Value, float] = {}
        self.flowed: dict[tuple[Value, int], Edge] = {}
        self.active: Value | None = None
        self._awaited = Counter(x for node in nodes for x in node.inputs)

    def advance(self, step: Step) -> None:
        """Apply a step: its node, then all its edges."""
        self.enter(step)
        for k in range(len(step.edges)):
            self.add(step, k)

    def enter(self, step: Step) -> None:
        """Go to the node of a step, before anything flows on from it."""
        self.active = step.node
        self.known.add(step.node)
        if step.delta is not None:
            self.arrived.setdefault(self.loss, 1.0)

    def add(self, step: Step, k: int) -> None:
        """Let the contribution of a step's k-th edge arrive."""
        edge = step.edges[k]
        self.arrived[edge.input] = edge.total
        self.flowed[step.node, k] = edge
        self._awaited[edge.input] -= 1

    def is_complete(self, node: Value) -> bool:
        """Return whether no more contributions will arrive at a node."""
        return self._awaited[node] <= 0
