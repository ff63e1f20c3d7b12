"""The classic mistakes in backpropagation, as algorithms that can be run.

Each visits the graph and combines gradients in a way that looks right, and is right on some graphs.  Its error shows in its
moves: in the order of the nodes, in a sum that does not add or does not start at 0, or in a slip, which uses partial
derivatives other than the node's own.  The caller compares the moves with the right ones.

>>> x = Value(3.0, label="x")
>>> loss = x * x - x
>>> [totals(MISTAKES[name](loss))[x] for name in ("overwrite", "sign")], totals(sorted_pass(loss))[x]
([3.0, 7.0], 5.0)
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from autograd.notation import Notation, Symbols, rules_of
from autograd.primitives import Binary, DomainError, Unary
from autograd.value import Value, topological

__all__ = [
    "MISTAKES", "RATE", "Combine", "Move", "Reading", "Slip", "activations", "at_output", "read", "signless",
    "sorted_pass", "totals", "unit", "updated_too_soon",
]  # fmt: skip

RATE: Final = 0.1  # the learning rate of a pass that updates too soon


class Reading(NamedTuple):
    """The partial derivatives of a node that a pass uses.

    Attributes:
        partials: with respect to each of the node's inputs; None along a branch that is not taken.
        values: for each of them, the numbers that were put into the rule in place of some inputs' own, by input; empty if
            there are none.
    """

    partials: Sequence[float | None]
    values: Sequence[Mapping[Value, float]] = ()


Slip: TypeAlias = Callable[[Value], Reading]
Combine: TypeAlias = Callable[[float, float], float]


class Move(NamedTuple):
    """What a node passes on to its inputs.

    Attributes:
        node: the node.
        delta: the gradient that it passes on, or None if nothing has flowed to it.
        sums: for each of its inputs, the gradient before and after; the two are equal where the edge is not taken.
        reading: the partial derivatives that it used.
    """

    node: Value
    delta: float | None
    sums: list[tuple[float, float]]
    reading: Reading

    @property
    def upstream(self) -> float:
        """The gradient that the node passes on; 0 if nothing has flowed to it."""
        return 0.0 if self.delta is None else self.delta


def read(node: Value, values: Mapping[Value, float] | None = None) -> Reading:
    """Return the partial derivatives of a node: as recorded, or computed by its rules at other numbers.

    Args:
        node: the node.
        values: numbers to use in place of the inputs' own; ignored if the operation is undefined at them.

    >>> w, x = Value(3.0), Value(2.0)
    >>> read(w * x).partials, read(w * x, {w: 5.0}).partials
    ([2.0, 3.0], [2.0, 5.0])
    """
    used = {x: values[x] for x in node.inputs if x in values} if values else {}
    twin = node
    if used and node.primitive is not None:
        try:
            twin = node.primitive.apply([Value(used.get(x, x.data)) if isinstance(x, Value) else x for x in node.operands])
        except DomainError:
            used = {}
    return Reading(twin._partials, [used] * len(twin.inputs))


def totals(moves: Iterable[Move]) -> dict[Value, float]:
    """Return the gradients at the end of a pass."""
    found: dict[Value, float] = {}
    for move in moves:
        found.setdefault(move.node, 1.0)  # the result, which comes first
        found.update((x, after) for x, (_, after) in zip(move.node.inputs, move.sums, strict=True))
    return found


def sorted_pass(
    loss: Value,
    slip: Slip = read,
    at: Collection[Value] | None = None,
    combine: Combine = operator.add,
    start: Mapping[Value, float] | None = None,
) -> Iterator[Move]:
    """Visit every node after all its consumers and add up contributions: by default correct backpropagation.

    Args:
        loss: the result.
        slip: how partial derivatives are read.
        at: the nodes at which `slip` reads them, by default all; at the others they are read correctly.
        combine: makes the new gradient from the old one and a contribution.
        start: gradients before the pass, by default 0.
    """
    gradients = {**(start or {}), loss: 1.0}
    for node in reversed(topological(loss)):
        yield _pass_on(node, gradients, slip(node) if at is None or node in at else read(node), combine)


def recursion(loss: Value) -> Iterator[Move]:
    """Add to a node's inputs, then recurse into each of them: a shared node passes on its gradient before it is complete."""
    gradients = {loss: 1.0}
    waiting = [loss]
    while waiting:
        node = waiting.pop()
        if node.primitive is None:
            continue
        yield _pass_on(node, gradients, read(node))
        waiting.extend(reversed(node.inputs))


def overwrite(loss: Value) -> Iterator[Move]:
    """Set an input's gradient instead of adding to it: only the last use of a node counts."""
    return sorted_pass(loss, combine=lambda before, contribution: contribution)


def unsorted(loss: Value) -> Iterator[Move]:
    """Visit each node once, breadth first from the loss: a node may be visited before all its consumers."""
    gradients = {loss: 1.0}
    reached = {loss}
    queue = deque([loss])
    while queue:
        node = queue.popleft()
        if node.primitive is None:
            continue
        yield _pass_on(node, gradients, read(node))
        for x in node.inputs:
            if x not in reached:
                reached.add(x)
                queue.append(x)


def activation_forgotten(loss: Value) -> Iterator[Move]:
    """Pass the gradient through each activation f unchanged: the factor f′(net) is forgotten."""
    return sorted_pass(loss, unit, activations(loss))


def zero_grad_forgotten(loss: Value) -> Iterator[Move]:
    """Run a second backward pass without `zero_grad`: each leaf starts from the gradient that the first pass left."""
    return sorted_pass(loss, start={x: total for x, total in totals(sorted_pass(loss)).items() if x.primitive is None})


def sign(loss: Value) -> Iterator[Move]:
    """Lose the minus sign of each rule that begins with one, such as ∂(t - out)/∂out = -1."""
    return sorted_pass(loss, signless)


def out_for_net(loss: Value) -> Iterator[Move]:
    """Take the derivative of each activation f at its output, f′(out), where f′(net) is needed."""
    return sorted_pass(loss, at_output, activations(loss))


def updated_too_soon(loss: Value, rate: float = RATE) -> Iterator[Move]:
    """Change each weight as soon as a gradient arrives at it: from then on, the new weights are used."""
    gradients = {loss: 1.0}
    moved: dict[Value, float] = {}
    for node in reversed(topological(loss)):
        delta, before = gradients.get(node), read(node, moved)
        for x, partial in zip(node.inputs, before.partials, strict=True):
            if x.primitive is None and delta is not None and partial is not None:
                moved[x] = moved.get(x, x.data) - rate * delta * partial
        after = read(node, moved)
        used = [before if x.primitive is None else after for x in node.inputs]  # a leaf moves only after its contribution
        partials = [reading.partials[k] for k, reading in enumerate(used)]
        values = [reading.values[k] for k, reading in enumerate(used)]
        yield _pass_on(node, gradients, Reading(partials, values))


def activations(loss: Value) -> set[Value]:
    """Return the activations: the functions of a neuron's net input or, if there are none, all functions called by name."""
    notation = Notation(loss)
    functions = [node for node in notation.order if _is_function(node)]
    return {node for node in functions if node.inputs[0] in notation.neurons} or {*functions}


def unit(node: Value) -> Reading:
    """Return 1 in place of the partial derivative with respect to the first input."""
    return Reading([1.0, *read(node).partials[1:]])


def signless(node: Value) -> Reading:
    """Return the partial derivatives, each without the minus sign that its rule begins with."""
    rules = rules_of(node, Symbols({**dict.fromkeys(node.inputs, "x"), node: "out"}))
    pairs = zip(read(node).partials, rules, strict=True)
    return Reading([-partial if partial and rule.text.startswith("-") else partial for partial, rule in pairs])


def at_output(node: Value) -> Reading:
    """Return the partial derivatives, computed with the node's own value in place of its first input's."""
    return read(node, {node.inputs[0]: node.data})


def _is_function(node: Value) -> bool:
    """Whether a node is a function called by its name, of one operand, or of two with a default for the second."""
    row = node.primitive
    if isinstance(row, Unary) or (isinstance(row, Binary) and row.default is not None):
        return not row.infix and isinstance(node.operands[0], Value)
    return False


def _pass_on(node: Value, gradients: dict[Value, float], reading: Reading, combine: Combine = operator.add) -> Move:
    delta, sums = gradients.get(node), []
    for x, partial in zip(node.inputs, reading.partials, strict=True):
        before = gradients.get(x, 0.0)
        if partial is not None and delta is not None:
            gradients[x] = combine(before, delta * partial)
        sums.append((before, gradients.get(x, 0.0)))
    return Move(node, delta, sums, reading)


MISTAKES: Final[dict[str, Callable[[Value], Iterator[Move]]]] = {
    "recursion": recursion,
    "overwrite": overwrite,
    "unsorted": unsorted,
    "activation-forgotten": activation_forgotten,
    "zero-grad-forgotten": zero_grad_forgotten,
    "sign": sign,
    "out-for-net": out_for_net,
    "updated-too-soon": updated_too_soon,
}
