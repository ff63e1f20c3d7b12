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
    value_errors: dict[Value, float] = {x: 0.0 for node in order for x in node.inputs if x.primitive is None}
    partial_errors: dict[tuple[Value, int], float] = {}
    for node in order:
        row = node.primitive
        assert row is not None
        data, places = operand_numbers(node), input_places(node)
        refuse_torn(row, node.operands, data)
        value_errors[node] = UNIT * abs(node.data)
        for k in range(len(places)):
            partial_errors[node, k] = UNIT * abs(node.partials[k])
        for i, x in zip(places, node.inputs, strict=True):
            for sign in (-1, 1) if value_errors[x] else ():
                moved = [*data[:i], data[i] + sign * value_errors[x], *data[i + 1 :]]
                try:
                    out = float(row.evaluate(moved))
                    partials = row.partials(moved, out, places)
                except DomainError:
                    raise Torn from None
                value_errors[node] += abs(out - node.data)
                for k, partial in enumerate(partials):
                    partial_errors[node, k] += abs(partial - node.partials[k])
        for sign in (-1, 1):
            for k, partial in enumerate(row.partials(data, node.data + sign * value_errors[node], places)):
                partial_errors[node, k] += abs(partial - node.partials[k])
    steps = walk(loss)
    gradient_errors, gradients = dict.fromkeys(steps.names, 0.0), steps.gradients
    for node in reversed(order):
        for k, x in enumerate(node.inputs):
            if node.taken[k]:
                contribution = abs(gradients[node] * node.partials[k])
                gradient_errors[x] += gradient_errors[node] * (abs(node.partials[k]) + partial_errors[node, k])
                gradient_errors[x] += abs(gradients[node]) * partial_errors[node, k] + UNIT * contribution
    return {node: (value_errors[node], gradient_errors[node]) for node in gradient_errors}


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
