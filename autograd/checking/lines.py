"""Lines through a point, along which a function of many numbers is a function of one.

The idea: along a line in a random direction every number moves at once, so a few lines test all of a gradient; the numbers
are tried one by one only if a line disagrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from autograd.checking.verdicts import short

__all__ = ["DIRECTIONS", "MOST_SINGLE", "Line", "axes", "combined", "directions"]

MOST_SINGLE: Final = 24  # numbers that are checked one by one; of more, random directions are checked
DIRECTIONS: Final = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A line through a point, to differentiate along: ``point + (t - start)·direction``."""

    name: str
    at: str
    start: float
    point: Sequence[float]
    direction: dict[int, float]

    def __call__(self, t: float) -> list[float]:
        """Return the point at t."""
        moved = list(self.point)
        for i, d in self.direction.items():
            moved[i] = t if len(self.direction) == 1 else moved[i] + (t - self.start) * d
        return moved

    def near(self, f: Callable[[list[float]], float], clear: float) -> Callable[[float], float]:
        """Return f along the line as a function of t; it is NaN where f has no value, and at a distance of `clear` or more."""

        def along(t: float) -> float:
            try:
                return f(self(t)) if abs(t - self.start) < clear or t == self.start else math.nan
            except (ArithmeticError, ValueError):
                return math.nan

        return along

    def along(self, gradient: Sequence[float] | Mapping[int, float]) -> float:
        """Return the derivative along the line with respect to t, from a gradient."""
        return combined(self.direction, gradient)


def combined(weights: Mapping[int, float], numbers: Sequence[float] | Mapping[int, float]) -> float:
    """Return the sum of some numbers, each times its weight.

    >>> combined({0: 0.5, 2: 1.0}, [2.0, 3.0, 4.0])
    5.0
    """
    out = 0.0
    for i, weight in weights.items():
        out += weight * numbers[i]
    return out


def axes(names: Sequence[str], point: Sequence[float]) -> list[Line]:
    """Return the lines along which one number moves, for each number of a point.

    >>> [(line.at, line(5.0)) for line in axes(["w", "x"], [0.5, 2.0])]
    [('w = 0.5', [5.0, 2.0]), ('x = 2', [0.5, 5.0])]
    """
    pairs = enumerate(zip(names, point, strict=True))
    return [Line(name, f"{name} = {short(x)}", x, point, {i: 1.0}) for i, (name, x) in pairs]


def directions(point: Sequence[float], which: Sequence[int], rng: Random) -> list[Line]:
    """Return lines in random directions, along which every number moves by a power of two in proportion to its size.

    Products with powers of two are exact.  The proportions differ from line to line, so that two errors of opposite signs,
    such as those of two swapped derivatives, do not cancel along all of them.
    """
    sizes = {i: 2.0 ** (math.frexp(point[i])[1] - 1) if point[i] else 1.0 for i in which}
    lines = [{i: rng.choice((-size, size)) / 2 ** rng.randrange(3) for i, size in sizes.items()} for _ in range(DIRECTIONS)]
    return [Line(f"direction{k}", f"{len(which)} at once", 1.0, point, direction) for k, direction in enumerate(lines, 1)]
