"""How far off rounding can put a value or a gradient: a running error bound, and the places that have none.

The idea: each node's error is the worst that its operands' errors can cause, plus a few units of its own.  Within 1e-9 of a
kink, the edge of a domain or the threshold of a condition, rounding decides which side a program is on, and there is no bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from autograd import DomainError, Primitive, Value, walk
from autograd.rerun import input_places, operand_numbers
from autograd.value import topological


class Torn(Exception):
    """A kink, an edge or a threshold is so near that rounding may decide which side a program is on."""


NARROW: Final = 1e-9
UNIT: Final = 4e-15  # the relative error that a function of another library may have


def running_errors(loss: Value) -> dict[Value, tuple[float, float]]:
    """Return bounds on the errors of each node's value and gradient, if every function is accurate to a few units.

    Raises:
        Torn: if a kink, the edge of a domain or the threshold of a condition is near.
    """
    order = topological(loss)
    off: dict[Value, float] = {x: 0.0 for node in order for x in node.inputs if x.primitive is None}
    slopes: dict[tuple[Value, int], float] = {}
    for node in order:
        row = node.primitive
        assert row is not None
        data, which = operand_numbers(node), input_places(node)
        refuse_torn(row, node.operands, data)
        off[node] = UNIT * abs(node.data)
        for k in range(len(which)):
            slopes[node, k] = UNIT * abs(node.partials[k])
        for i, x in zip(which, node.inputs, strict=True):
            for sign in (-1, 1) if off[x] else ():
                moved = [*data[:i], data[i] + sign * off[x], *data[i + 1 :]]
                try:
                    out = float(row.evaluate(moved))
                    partials = row.partials(moved, out, which)
                except DomainError:
                    raise Torn from None
                off[node] += abs(out - node.data)
                for k, partial in enumerate(partials):
                    slopes[node, k] += abs(partial - node.partials[k])
        for sign in (-1, 1):
            for k, partial in enumerate(row.partials(data, node.data + sign * off[node], which)):
                slopes[node, k] += abs(partial - node.partials[k])
    steps = walk(loss)
    doubt, gradients = dict.fromkeys(steps.names, 0.0), steps.gradients
    for node in reversed(order):
        for k, x in enumerate(node.inputs):
            if node.taken[k]:
                contribution = abs(gradients[node] * node.partials[k])
                doubt[x] += doubt[node] * (abs(node.partials[k]) + slopes[node, k])
                doubt[x] += abs(gradients[node]) * slopes[node, k] + UNIT * contribution
    return {node: (off[node], doubt[node]) for node in doubt}


def refuse_torn(row: Primitive, operands: Sequence[Any], data: Sequence[float]) -> None:
    if row.kink is not None and not abs(row.kink(*data)) > NARROW:
        raise Torn
    if row.is_choice:
        made = isinstance(operands[0], Value) and operands[0].primitive is not None
        if made and not operands[0].primitive.is_condition and abs(data[0]) <= NARROW:
            raise Torn
        return
    for i in range(len(data)):
        for step in (-NARROW, NARROW):
            try:
                row.evaluate([*data[:i], data[i] + step * max(abs(data[i]), 1.0), *data[i + 1 :]])
            except DomainError:
                raise Torn from None
