"""The checks that every row of the table has to pass, whatever it computes."""

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from test_primitives import sample

from autograd import DomainError, Primitive, Value, grad, gradients, jvp, replay, walk
from autograd.checking.edges import Rules
from autograd.checking.verdicts import Check
from autograd.strategies import widths
from autograd.value import topological

EXTREMES = [sign * size for size in (1e-300, 1e-20, 1e-8, 1.0, 700.0, 1e150, 1e300) for sign in (1, -1)]


def extremes(row: Primitive) -> Iterator[tuple[float, ...]]:
    """Iterate over operands of extreme sizes: all pairs, and some of the longer tuples."""
    width = widths(row)[0]
    if width <= 2:
        yield from itertools.product([*EXTREMES, 0.0], repeat=width)
    else:
        n = len(EXTREMES)
        yield from (tuple(EXTREMES[(i * (2 * j + 3) + 5 * j) % n] for j in range(width)) for i in range(n))


def judged(row: Primitive, points: Sequence[Sequence[float]]) -> Iterator[Check]:
    """Compare every partial derivative of a row with a numeric one, at all points where the row has a finite value."""
    rules = Rules(Random(0))
    for data in points:
        try:
            node = row.apply([Value(x) for x in data])
        except DomainError:
            continue
        if math.isfinite(node.data):
            yield from rules.check(node, repeat=True)


def readings(row: Primitive, data: Sequence[float]) -> dict[str, list[float]]:
    """Return a row's partial derivatives by each reading; they have to agree, except in the sign of zero."""
    leaves = [Value(x) for x in data]
    y = row.apply(leaves)
    y.backward()
    steps = walk(y).gradients
    found = {
        "floats": [float(p) for p in row.partials(data, row.evaluate(data), range(len(data)))],
        "backward": [leaf.grad for leaf in leaves],
        "walk": [steps[leaf] for leaf in leaves],
        "differentiable": [g.data for g in gradients(y, leaves)],
        "forward": [
            float(jvp(lambda x, i=i: row.apply([*data[:i], x, *data[i + 1 :]]), [x], [1.0])[1]) for i, x in enumerate(data)
        ],
    }
    return {reading: [x + 0.0 for x in partials] for reading, partials in found.items()}  # -0.0 + 0.0 is 0.0


def everywhere(f: Callable[..., Any], point: Sequence[float]) -> dict[str, list[float]]:
    """Return the gradient of a function by each reading; the forward ones may add in another order."""
    leaves = [Value(x) for x in point]
    y = f(*leaves)
    twins = [Value(x) for x in point]
    known = dict(zip(leaves, twins, strict=True))
    again = replay(y, {x: known[x] for node in topological(y) for x in node.inputs if x in known})
    copied, *copies = copy.deepcopy([y, *leaves])
    for root in (y, again, copied):
        root.backward()
    steps, places = walk(y).gradients, range(len(point))

    def forward(kind: Callable[[float], Any], i: int) -> float:
        """Return the derivative with respect to one operand; the others have no tangent, not even the tangent 0."""
        rest = [kind(x) for x in point]
        tangent = jvp(lambda x: f(*rest[:i], x, *rest[i + 1 :]), [kind(point[i])], [1.0])[1]
        return float(getattr(tangent, "data", tangent))

    found = {
        "backward": [leaf.grad for leaf in leaves],
        "replay": [leaf.grad for leaf in twins],
        "copy": [leaf.grad for leaf in copies],
        "walk": [steps.get(leaf, 0.0) for leaf in leaves],
        "gradients": [g.data for g in gradients(y, leaves)],
        "grad": [g.data for g in grad(f, tuple(places))(*point)],
        "forward": [forward(float, i) for i in places],
        "forward on nodes": [forward(Value, i) for i in places],
    }
    return {reading: [x + 0.0 for x in gradient] for reading, gradient in found.items()}


def faults(row: Primitive) -> Iterator[str]:
    """Describe each fault of a row, at ordinary points and at the singular points where it states its choice."""
    yield from (str(check) for check in judged(row, sample(row)) if check.verdict == "wrong")
    for point, chosen in row.singular.items():
        found = tuple(float(x) for x in row.partials(point, row.evaluate(point), range(len(point))))
        if repr(found) != repr(chosen):  # as text, NaN equals NaN
            yield f"{row.name} at {point}: partial derivatives {found}, not {chosen}"
