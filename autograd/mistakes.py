"""The classic mistakes in backpropagation, as algorithms that can be run.

Each visits the graph and combines gradients in a way that looks right, and is right on some graphs.  It yields its moves, for
the caller to compare with the right ones.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from autograd.value import Value, topological

__all__ = ["MISTAKES", "Move", "sorted_pass"]


class Move(NamedTuple):
    """What a node passes on to its inputs.

    Attributes:
        node: the node.
        delta: the gradient that it passes on, or None if nothing has flowed to it.
        sums: for each of its inputs, the gradient before and after; the two are equal where the edge is not taken.
    """

    node: Value
    delta: float | None
    sums: list[tuple[float, float]]


def sorted_pass(loss: Value) -> Iterator[Move]:
    """Visit every node after all its consumers and add up contributions: backpropagation as it should be."""
    gradients = {loss: 1.0}
    for node in reversed(topological(loss)):
        yield _pass_on(node, gradients)


def recursion(loss: Value) -> Iterator[Move]:
    """Add to a node's inputs, then recurse into each of them: a shared node passes on its gradient before it is complete."""
    gradients = {loss: 1.0}
    waiting = [loss]
    while waiting:
        node = waiting.pop()
        if node.primitive is None:
            continue
        yield _pass_on(node, gradients)
        waiting.extend(reversed(node.inputs))


def overwrite(loss: Value) -> Iterator[Move]:
    """Set an input's gradient instead of adding to it: only the last use of a node counts."""
    gradients = {loss: 1.0}
    for node in reversed(topological(loss)):
        yield _pass_on(node, gradients, lambda before, contribution: contribution)


def unsorted(loss: Value) -> Iterator[Move]:
    """Visit each node once, breadth first from the loss: a node may be visited before all its consumers."""
    gradients = {loss: 1.0}
    reached = {loss}
    queue = deque([loss])
    while queue:
        node = queue.popleft()
        if node.primitive is None:
            continue
        yield _pass_on(node, gradients)
        for x in node.inputs:
            if x not in reached:
                reached.add(x)
                queue.append(x)


def _pass_on(node: Value, gradients: dict[Value, float], combine: Callable[[float, float], float] = operator.add) -> Move:
    delta, sums = gradients.get(node), []
    for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True):
        before = gradients.get(x, 0.0)
        if taken and delta is not None:
            gradients[x] = combine(before, delta * partial)
        sums.append((before, gradients.get(x, 0.0)))
    return Move(node, delta, sums)


MISTAKES: Final[dict[str, Callable[[Value], Iterator[Move]]]] = {
    "recursion": recursion,
    "overwrite": overwrite,
    "unsorted": unsorted,
}
