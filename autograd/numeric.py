"""A derivative from the values of a function alone, with an honest account of its error.

The idea: go from the smallest step upward.  The smallest steps are spoiled by rounding, and by nothing else; so they say
little, but what they say holds.  A larger step says more, and is believed as long as it agrees with all the smaller ones.
Where it no longer does, something else has begun: waves that the step leaps over (aliasing), a kink, the edge of the
domain.  How much rounding there is, is measured, at neighbouring floats and by computing with `Rounded` numbers.

>>> found = slope(lambda x: math.sin(x * x), 20000.3)
>>> right = 2 * 20000.3 * math.cos(20000.3**2)
>>> abs(found.value - right) < found.error < 1e-5 * abs(right)
True
>>> found = slope(abs, 0.0)
>>> found.kind, found.left, found.right
('kink', -1.0, 1.0)

Source: Ridders, Accurate computation of F′(x) and F′(x)F″(x), Advances in Engineering Software 4 (1982), for the
extrapolation; Vignes, A stochastic arithmetic for reliable scientific computation, Mathematics and Computers in Simulation
35 (1993), for the rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from random import Random
from typing import Any, Final, Literal

from autograd.primitives import Nary, Operand, Primitive

__all__ = ["Rounded", "Slope", "slope"]

inf, nan = math.inf, math.nan

RATIO: Final = 4.0  # of each step to the one before
LARGEST: Final = 2.0**-3  # step, relative to max(|x|, 1)
NEAR: Final = 2.0**-8  # the same, of the steps by which kinks are looked for: one up to 6e-5 away is seen
TINY: Final = 2.0**-60  # the smallest step at x = 0
ORDERS: Final = 3  # of extrapolation
LEAST: Final = 2.0**-1022  # the smallest float with all its digits
LOST: Final = 1e-13  # rounding, relative to the value, beyond which a function without a visible slope has lost its digits


@dataclass(frozen=True, slots=True)
class Slope:
    """What the values of a function say about its derivative at a point.

    Attributes:
        value: the derivative; NaN if none is to be seen.
        error: the estimated error of `value`; ∞ if nothing can be said.
        kind: "smooth"; "kink", where the slopes from left and right differ; "jump", where the values do; "steep", where the
            slope grows without bound; "noise", where rounding hides it; "lone", where no neighbour has a value.
        side: where the neighbours are that served.
        left, right: the slopes on either side of a kink or jump, else NaN.
        away: how far from the point it is, negative to the left; 0 if at the point itself, where `value` is NaN.
        height: how much the values jump.
        reach: the smallest step, relative to max(|x|, 1), at which a side has no value any more; ∞ if both always have.
        limit: a derivative beyond this would not show, as x is so large that the floats next to it are far away.
    """

    value: float
    error: float
    kind: Literal["smooth", "kink", "jump", "steep", "noise", "lone"] = "smooth"
    side: Literal["both", "left", "right"] = "both"
    left: float = nan
    right: float = nan
    away: float = 0.0
    height: float = 0.0
    reach: float = inf
    limit: float = inf


def slope(f: Callable[[float], float], x: float, noise: float = 0.0) -> Slope:
    """Return the derivative of a function of one number, as far as its values tell.

    Args:
        f: the function; NaN where it has no value.
        x: the point, at which f is finite; of an infinite x it can be said only that it has no neighbours.
        noise: the rounding error of f near x, where it may be larger than neighbouring floats show; see `Rounded`.

    >>> found = slope(math.exp, 1.0)
    >>> abs(found.value - math.e) < found.error < 1e-12
    True
    >>> edge = slope(lambda x: math.exp(x) if x >= 0 else math.nan, 0.0)
    >>> edge.side, abs(edge.value - 1) <= edge.error
    ('right', True)
    """
    if not math.isfinite(x):  # no floats are near ∞
        return Slope(nan, inf, "lone")
    samples = Samples(f, x, noise)
    if not samples.left and not samples.right:
        return Slope(nan, inf, "lone")
    if 0 < samples.seen < 20 * samples.noise and samples.noise > max(LOST * max(abs(samples.center), samples.seen), LEAST):
        return Slope(nan, inf, "noise")
    found, quotients = samples.smooth()
    if bend := samples.bend():
        return replace(bend, value=found.value, error=found.error) if bend.away else bend
    if samples.grow(quotients):
        return Slope(math.copysign(inf, quotients[0]), inf, "steep", found.side)
    if samples.crawl(quotients):
        return replace(found, error=inf)
    return replace(found, reach=samples.reach, limit=samples.limit)


class Samples:
    """The values of a function at a point, and at growing steps to its left and right as far as there are any."""

    def __init__(self, f: Callable[[float], float], x: float, noise: float) -> None:
        self.x, self.center = x, f(x)
        self.steps = [math.ulp(x) if x else TINY]
        while self.steps[-1] * RATIO <= LARGEST * max(abs(x), 1.0):
            self.steps.append(self.steps[-1] * RATIO)  # powers of two, so that x ± h is hardly ever rounded
        self.left = list(takewhile(math.isfinite, (f(x - h) for h in self.steps)))
        self.right = list(takewhile(math.isfinite, (f(x + h) for h in self.steps)))
        # How far these values are really away: where floats become sparser, not quite the step.
        self.far_left = [x - (x - h) for h in self.steps[: len(self.left)]]
        self.far_right = [x + h - x for h in self.steps[: len(self.right)]]
        unit = self.steps[0]
        self.noise = max(noise, math.ulp(self.center), _roughness(f, x, unit), _roughness(f, x, -unit), self._tread())
        self.seen = max((abs(value - self.center) for value in (*self.left, *self.right)), default=0.0)
        shorter, longer = sorted((self.left, self.right), key=len)
        self.noises = [max(self.noise, math.ulp(value)) for value in longer]  # of the values at each step
        self.noises[: len(shorter)] = map(max, self.noises, map(math.ulp, shorter))
        self.reach = self.steps[len(shorter)] / max(abs(x), 1.0) if len(shorter) < len(self.steps) else inf
        self.limit = max(abs(self.center), self.seen) / unit if unit >= 1 else inf

    def _tread(self) -> float:
        """Measure the rounding of a function that is a staircase, as (x + 1e10) - 1e10 is: flat, then a step on both sides."""
        begins = [next((k for k, value in enumerate(v) if value != self.center), 0) for v in (self.left, self.right)]
        if min(begins) < 2 or abs(begins[0] - begins[1]) > 1:
            return 0.0
        return min(abs(self.left[begins[0]] - self.center), abs(self.right[begins[1]] - self.center))

    def smooth(self) -> tuple[Slope, list[float]]:
        """Return the derivative as if f were smooth, and its quotients; from both sides, or from one that reaches farther."""
        both = zip(self.left, self.right, self.far_left, self.far_right, strict=False)
        quotients = [(b - a) / (g + h) for a, b, g, h in both]
        found = Slope(*self._extrapolate(quotients, 1.0, RATIO**2))
        if len(self.left) != len(self.right):
            side: Literal["left", "right"] = "right" if len(self.right) > len(self.left) else "left"
            values, far, sign = (self.right, self.far_right, 1) if side == "right" else (self.left, self.far_left, -1)
            # The edge of a domain may be a singularity; steps much larger than its distance would not feel it.
            end = min(len(self.left), len(self.right)) + 1 if quotients else len(values)
            single = [sign * (value - self.center) / h for value, h in zip(values[:end], far, strict=False)]
            value, error = self._extrapolate(single, 2.0, RATIO)
            if not quotients or error < found.error / 10:
                return Slope(value, error, side=side), single
        return found, quotients

    def _extrapolate(self, quotients: Sequence[float], loud: float, ratio: float) -> tuple[float, float]:
        """Extrapolate difference quotients, given from the smallest step on, to the step zero; return limit and error.

        Of all that neighbouring steps extrapolate to, take what has the smallest error among what agrees with every
        smaller step.  The error is how much it moves when all steps become smaller, and rounding.
        """
        if sum(map(math.isinf, quotients)) > 4 and len(set(quotients[4:8])) == 1:  # the derivative is too large for a float
            return quotients[4], 0.0
        best = nan, inf
        low, high = -inf, inf
        before: list[float] = []
        for k, quotient in enumerate(quotients):
            if math.isinf(self.noises[k] / self.steps[k]) or math.isinf(quotient):
                continue
            row = [quotient]
            for order, finer in enumerate(before[:ORDERS], 1):
                row.append(finer + (finer - row[-1]) / (ratio**order - 1))
                change = abs(row[-1] - before[order]) if order < len(before) else inf
                error = change + 2 * loud * self.noises[k - order] / self.steps[k - order] + 4 * math.ulp(row[-1])
                if error < best[1] and low <= row[-1] <= high:
                    best = row[-1], error
            if before:
                slack = 2 * loud * self.noises[k - 1] / self.steps[k - 1] + abs(before[0] - quotient)
                low, high = max(low, before[0] - slack), min(high, before[0] + slack)
            before = row
        return best

    def grow(self, quotients: Sequence[float]) -> bool:
        """Whether difference quotients grow without bound, by the same factor each time that the step shrinks, like √h / h."""
        blurs = [100 * noise / h for noise, h in zip(self.noises, self.steps, strict=False)]
        clear = self._onset([abs(quotient) for quotient in quotients], blurs)
        factors = [a / b for a, b in pairwise(clear) if b]
        return len(factors) == 3 and min(factors) > 1.2 and max(factors) < 1.1 * min(factors)

    def crawl(self, quotients: Sequence[float]) -> bool:
        """Whether difference quotients converge too slowly for the limit to be estimated, like those of x^1.1 at 0."""
        blurs = [10 * noise / h for noise, h in zip(self.noises, self.steps, strict=False)]
        clear = self._onset([abs(b - a) for a, b in pairwise(quotients)], blurs)
        return len(clear) == 4 and all(0 < b < 1.5 * a for a, b in pairwise(clear))

    def _onset(self, sizes: Sequence[float], blurs: Sequence[float]) -> Sequence[float]:
        """Return the first four sizes that are clear of rounding; none if they set in where smaller steps showed nothing."""
        first = next((k for k, size in enumerate(sizes) if size > blurs[k]), len(sizes))
        begun_before = not first or first == len(sizes) or blurs[first - 1] > sizes[first] / 1.5
        return sizes[first : first + 4] if begun_before else []

    def bend(self) -> Slope | None:
        """Find a kink or a jump, at x or near it.

        On either side a line is laid through the values at two neighbouring steps.  As the steps grow, the slopes of the two
        lines part in proportion to them where f is smooth; at a kink they differ by the same amount at all step sizes.  So
        do the heights of the two lines at a jump.
        """
        steps = [h for h in self.steps if h <= NEAR * max(abs(self.x), 1.0)]
        left = [(a - b) / (h - g) for (a, b), (g, h) in zip(pairwise(self.left), pairwise(self.far_left), strict=False)]
        right = [(b - a) / (h - g) for (a, b), (g, h) in zip(pairwise(self.right), pairwise(self.far_right), strict=False)]
        levels = range(min(len(left), len(right), len(steps) - 1))
        blurs = [4 * self.noises[k + 1] + 4 * max(abs(left[k]), abs(right[k])) * math.ulp(steps[k + 1]) for k in levels]
        turns = [right[k] - left[k] for k in levels]
        ends = [(self.left[k] + left[k] * self.far_left[k], self.right[k] - right[k] * self.far_right[k]) for k in levels]
        heights = [b - a for a, b in ends]
        if (k := _steady(turns, [blurs[k] / steps[k] for k in levels])) is not None:
            before, after = _flattest(left[k:], blurs[k:], steps[k:]), _flattest(right[k:], blurs[k:], steps[k:])
            away = -heights[k] / turns[k]
            away = 0.0 if abs(heights[k]) < 2 * blurs[k] or abs(away) < 64 * steps[0] else away
            return Slope(nan, inf, "kink", left=before, right=after, away=away)
        if (k := _steady(heights, blurs)) is not None:
            onset = next(j for j in levels if abs(heights[j]) > 0.5 * abs(heights[k]))
            behind = abs(ends[k][0] - self.center) > 0.5 * abs(heights[k])
            away = (-steps[onset] if behind else steps[onset]) if onset else 0.0
            return Slope(nan, inf, "jump", left=left[k], right=right[k], away=away, height=heights[k])
        alone = [b - self.center for _, b in ends]
        if _steady(alone, blurs) == 0:
            return Slope(nan, inf, "jump", left=left[0], right=right[0], height=alone[0])
        return None


def _roughness(f: Callable[[float], float], x: float, unit: float) -> float:
    """Measure the rounding of f at neighbouring floats on one side: what is left after four differences."""
    values = [f(x + i * unit) for i in range(1, 9)]
    for _ in range(4):
        values = [b - a for a, b in pairwise(values)]
    return max(map(abs, values)) / 8 if all(map(math.isfinite, values)) else 0.0


def _steady(spreads: Sequence[float], blurs: Sequence[float]) -> int | None:
    """Return the first of three places where a quantity, clear of rounding, stays the same while the step grows sixteenfold.

    What comes to its height gradually is a bend, sharp but smooth; a kink at a distance is at once there.
    """
    for k, (a, b, c) in enumerate(zip(spreads, spreads[1:], spreads[2:], strict=False)):
        if abs(a) > 30 * blurs[k] and max(abs(a - b), abs(b - c)) < 0.05 * abs(a):
            rising = [s for s, blur in zip(spreads[:k], blurs, strict=False) if blur < 0.01 * abs(a) < abs(s) < 0.9 * abs(a)]
            return k if len(rising) <= 1 else None
    return None


def _flattest(slopes: Sequence[float], blurs: Sequence[float], steps: Sequence[float]) -> float:
    """Return the slope that rounding and curvature change least."""
    doubts = [(abs(a - b) + blur / h, a) for (a, b), blur, h in zip(pairwise(slopes), blurs, steps, strict=False)]
    return min(doubts)[1]


class Rounded(Operand):
    """A number that is rounded at random in its last place, at every operation; without a source of chance it is exact.

    Read a computation several times on such numbers, and the results differ by as much as its rounding errors are.

    >>> x = Rounded(0.1, Random(0))
    >>> x + 1e10 - 1e10
    Rounded(0.10000...)
    """

    __slots__ = ("number", "rng")

    def __init__(self, number: float, rng: Random | None) -> None:
        self.number, self.rng = number, rng

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Apply the row, or the rows that it is made of, and round the result up or down."""
        if not all(isinstance(x, Rounded | float | int) for x in operands):
            return NotImplemented
        if not row.infix and not row.array:
            try:
                parts = row.function(*operands)
            except Exception:  # outside a domain; or a user's function, which takes plain numbers alone
                parts = None
            if isinstance(parts, Rounded):
                return parts
        numbers = [float(x) for x in operands]
        if isinstance(row, Nary) and row.picks is None:  # it rounds on its way, by as much as its operands would
            numbers = [self._shaken(x) for x in numbers]
        out = row.evaluate(numbers)
        return out if row.is_condition or not math.isfinite(out) else Rounded(self._shaken(out), self.rng)

    def _shaken(self, number: float) -> float:
        return number + self.rng.choice((-1, 0, 1)) * math.ulp(number) if self.rng is not None else number

    def __float__(self) -> float:
        return self.number

    def __bool__(self) -> bool:
        return self.number != 0

    def __repr__(self) -> str:
        return f"Rounded({self.number!r})"
