"""The suite that every row of the table is held to, whatever it computes."""

import itertools
import math
from collections.abc import Iterator, Sequence
from random import Random

from test_primitives import sample

from autograd import DomainError, Primitive, Value
from autograd.edges import Rules
from autograd.strategies import widths
from autograd.verdicts import Check

EXTREMES = [sign * size for size in (1e-300, 1e-20, 1e-8, 1.0, 700.0, 1e150, 1e300) for sign in (1, -1)]


def extremes(row: Primitive) -> Iterator[tuple[float, ...]]:
    """Go through operands of extreme sizes: all pairs, and some of the longer tuples."""
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
            yield from rules.check(node, known=True)


def faults(row: Primitive) -> Iterator[str]:
    """Say what is wrong with a row: at ordinary points, and at the points where it states what is chosen."""
    yield from (str(check) for check in judged(row, sample(row)) if check.verdict == "wrong")
    for point, chosen in row.singular.items():
        found = tuple(float(x) for x in row.partials(point, row.evaluate(point), range(len(point))))
        if found != chosen:
            yield f"{row.name} at {point}: partial derivatives {found}, not {chosen}"
