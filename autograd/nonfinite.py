"""Finds where a NaN or an infinity begins: the first node whose operands are finite and whose value or gradient is not.

Only nodes that contribute to the result count: a value on a branch that is not taken does no harm.

>>> x = Value(0.0, label="x")
>>> root = x**0.5
>>> loss = root * root
>>> loss.backward()
>>> print(find_nonfinite(loss))
the first gradient that is not finite flows from x ** 0.5 = 0.0: 0.0 · inf to x = 0.0, and 0·∞ is NaN: ...
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autograd.manners import describe
from autograd.mistakes import sorted_pass
from autograd.notation import name_nodes
from autograd.value import Value, topological

__all__ = ["Nonfinite", "find_nonfinite"]


@dataclass(frozen=True, slots=True)
class Nonfinite:
    """Where a NaN or an infinity arose: the first node, in the order of the passes, whose operands were still finite.

    Attributes:
        node: the node.
        phase: "forward" if its value is not finite, "backward" if a contribution that it sends is not, or the sum of those
            that it receives.
        text: an explanation with the operation and its operands.
    """

    node: Value
    phase: Literal["forward", "backward"]
    text: str

    def __str__(self) -> str:
        return self.text


def find_nonfinite(loss: Value) -> Nonfinite | None:
    """Find the node at which a NaN or an infinity first arose, in the forward pass or else in the backward pass.

    Args:
        loss: the result of the graph.

    Returns:
        The finding, or None if all values and gradients are finite, apart from values on branches that are not taken.

    Raises:
        TypeError: for anything but a Value.

    >>> w = Value(800.0, label="w")
    >>> print(find_nonfinite((w.exp() - w.exp()) * 2))
    the first value that is not finite is exp(w) = inf, from w = 800.0
    """
    if not isinstance(loss, Value):
        raise TypeError(f"find_nonfinite needs the Value whose graph is to be searched, not {loss!r}")
    return _first_value(loss) or _first_gradient(loss)


def _first_value(loss: Value) -> Nonfinite | None:
    order = topological(loss)
    contributing = _contributing(order, loss)
    for node in name_nodes(loss, order):
        if node in contributing and not math.isfinite(node.data):
            operands = " and ".join(map(describe, node.operands))
            origin = f"from {operands}" if operands else "from the start"
            return Nonfinite(node, "forward", f"the first value that is not finite is {describe(node)}, {origin}")
    return None


def _first_gradient(loss: Value) -> Nonfinite | None:
    flows: list[tuple[Value, float, Value, float]] = []  # contributions that are not finite
    for node, delta, sums, (partials, _) in sorted_pass(loss):
        for x, (before, after), partial in zip(node.inputs, sums, partials, strict=True):
            if partial is None or delta is None:
                continue
            if not math.isfinite(delta * partial):
                flows.append((node, delta, x, partial))
            elif not flows and not math.isfinite(after):
                terms = f"{before!r} + {delta * partial!r}"
                return Nonfinite(x, "backward", f"the first gradient that is not finite is a sum, at {describe(x)}: {terms}")
    if not flows:
        return None
    node, delta, x, partial = flows[0]
    product = f"{delta!r} · {partial!r}"
    text = f"the first gradient that is not finite flows from {describe(node)}: {product} to {describe(x)}"
    undefined = next((flow for flow in flows if {0, math.inf} == {abs(flow[1]), abs(flow[3])}), None)
    if undefined is not None:
        source, upstream, _, slope = undefined
        origin = "" if source is node else f"; from {describe(source)} flows {upstream!r} · {slope!r}"
        text += (f"{origin}, and 0·∞ is NaN: this 0 is a number, not a branch that is not taken; keep clear of the point, "
                 "and for the length of a vector use hypot")  # fmt: skip
    return Nonfinite(node, "backward", text)


def _contributing(order: Sequence[Value], loss: Value) -> set[Value]:
    """Return the nodes that contribute to the result: those along taken edges.

    Below a node that is not finite although its inputs along taken edges are, such as ⌊∞⌋, all inputs count.
    """
    found = {loss}
    for node in reversed(order):
        if node in found:
            inputs = [x for x, taken in zip(node.inputs, node.taken, strict=True) if taken]
            is_choice = node.primitive is not None and node.primitive.is_choice
            if not math.isfinite(node.data) and not is_choice and all(math.isfinite(x.data) for x in inputs):
                inputs = [*node.inputs]
            found.update(inputs)
    return found
