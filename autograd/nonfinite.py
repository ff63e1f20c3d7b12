"""Where a NaN or an infinity begins: the first node whose operands are finite and whose value, or gradient, is not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from autograd.manners import describe
from autograd.mistakes import sorted_pass
from autograd.telling import name_nodes
from autograd.value import Value, topological

__all__ = ["Nonfinite", "find_nonfinite"]


@dataclass(frozen=True, slots=True)
class Nonfinite:
    """Where a NaN or an infinity arose: the first node, in the order of the passes, whose operands were still finite.

    Attributes:
        node: the node.
        phase: "forward" if its value is not finite, "backward" if a gradient that flows from it is not.
        text: an explanation with the operation and its operands.
    """

    node: Value
    phase: Literal["forward", "backward"]
    text: str

    def __str__(self) -> str:
        return self.text


def find_nonfinite(loss: Value) -> Nonfinite | None:
    """Find the node at which a NaN or an infinity arose first, in the forward pass or else in the backward pass.

    Returns:
        The finding, or None if all values and gradients are finite.

    >>> w = Value(800.0, label="w")
    >>> print(find_nonfinite((w.exp() - w.exp()) * 2))
    the first value that is not finite is exp(w) = inf, from w = 800.0
    """
    if not isinstance(loss, Value):
        raise TypeError(f"find_nonfinite needs the Value whose graph is to be searched, not {loss!r}")
    order = topological(loss)
    for node in name_nodes(loss, order):
        if not math.isfinite(node.data):
            operands = " and ".join(describe(x) if isinstance(x, Value) else repr(x) for x in node.operands)
            origin = f"from {operands}" if operands else "from the start"
            return Nonfinite(node, "forward", f"the first value that is not finite is {describe(node)}, {origin}")
    flows = [
        (node, delta, x, partial)
        for node, delta, _, (partials, _) in sorted_pass(loss)
        for x, partial in zip(node.inputs, partials, strict=True)
        if partial is not None and delta is not None and not math.isfinite(delta * partial)
    ]
    for node, delta, x, partial in flows[:1]:
        text = f"the first gradient that is not finite flows from {describe(node)}: {delta!r} · {partial!r} to {describe(x)}"
        lost = next((flow for flow in flows if 0 in (flow[1], flow[3])), None)
        if lost is not None:
            origin = "" if lost[0] is node else f"; from {describe(lost[0])} flows {lost[1]!r} · {lost[3]!r}"
            text += (f"{origin}, and 0·∞ is NaN: this 0 is a number, not a branch that is not taken; keep clear of the point, "
                     "and for the length of a vector use hypot")  # fmt: skip
        return Nonfinite(node, "backward", text)
    return None
