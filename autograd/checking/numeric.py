"""A derivative computed only from the values of a function, with an error estimate.

The idea: go from the smallest step upward.  The smallest steps are spoiled only by rounding, so their error bounds are wide,
but hold.  A larger step has narrower bounds, and is accepted as long as it agrees with all smaller steps.  If it does not,
something else has begun: waves that the step leaps over (aliasing), a kink, the edge of the domain.  The amount of rounding
is measured, at neighbouring numbers and by `rounding`.

>>> found = slope(lambda x: math.sin(x * x), 20000.3)
>>> right = 2 * 20000.3 * math.cos(20000.3**2)
>>> abs(found.value - right) < found.error < 1e-5 * abs(right)
True
>>> found = slope(abs, 0.0)
>>> found.kind, found.left, found.right
('kink', -1.0, 1.0)

Source: Ridders, Accurate computation of F′(x) and F′(x)F″(x), Advances in Engineering Software 4 (1982), for the
extrapolation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise, takewhile, zip_longest
from typing import Final, Literal

from autograd.checking.rounding import DOUBLE, Precision, roughness

__all__ = ["FITTED", "NEAR", "TINY", "Slope", "Thresholds", "first_jump", "lasting", "plateau", "slope"]

inf, nan = math.inf, math.nan

RATIO: Final = 4.0  # of each step to the one before
LARGEST: Final = 2.0**-3  # step, relative to max(|x|, 1)
NEAR: Final = 2.0**-8  # the same, of the steps by which kinks are looked for: one up to 6e-5 away is seen
TINY: Final = 2.0**-60  # the smallest step at x = 0
ORDERS: Final = 3  # of extrapolation
FAR: Final = 4.0  # times |x|: steps beyond this lead to numbers that are rounded more coarsely than x
STAIR_UNITS: Final = 2.0**30  # a stair that rounding made rises by a smaller multiple of its unit: float32 has 24 bits
SKEW: Final = 0.7320508075688772  # fraction of a step; it uses all digits of a float, so that exact results do not look rounded
CANCELLED: Final = 2.0**8  # rounding units: a value that is a whole multiple of this many has lost its last digits
LEAST: Final = 2.0**-1022  # the smallest float with all its digits
SPACING: Final = 3  # powers of RATIO between distances of neighbours at which rounding is looked for
FEWEST: Final = 4  # such distances; of small numbers more, up to INNER
INNER: Final = 2.0**-26  # the absolute distance up to which an inner part may move in steps, such as exp(x) in exp(x) - 1 - x
LEVEL: Final = RATIO**4  # growth of roughness from one such distance to the next, up to which it is due to rounding
CURVED: Final = RATIO**9  # growth beyond which it is due to curvature, which grows by RATIO**12
LOST: Final = 1e-13  # rounding, relative to the value, beyond which a function without a visible slope has lost its digits


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds between one explanation of the values and another, and the cases that each was fitted on.

    Each interval is the range in which no verdict changes on the 110 cases of ``tests/benchmarks/thresholds.py``; the cases
    named after it are the first to change, below and above.

    Attributes:
        hidden: rounding errors that the values around a point must range over, or rounding hides the slope.  1.7 to 5000:
            sin(x²) at 1e9; in float32, cos(1e6 x) needs more than 20.
        sharper: how many times more exact a one-sided derivative must be to be preferred to the two-sided one.  0.1 to 1000.
        growing: rounding errors of a difference quotient that its size must exceed before its growth counts.  3.3 to 1e4:
            a sum of cosines that cancel.
        factor: growth of the quotients from step to step beyond which it has no bound.  1.09 to 1.8: max(x, 0) at 3e-4, and
            √x at 0.
        constant: ratio of the largest to the least growth up to which growth counts as even.  1.1 to 110: √x at 0.
        changing: rounding errors of a quotient that its change must exceed before its convergence counts.  3.3 to 1000: a
            discretised integral equation.
        slow: the least factor by which changes must shrink from step to step for quotients to converge fast enough.  1.2 to
            1.9: x^1.1 and x^1.5 at 0.
        clear: rounding errors that the angle of a kink or the height of a jump must exceed.  0.3 to 3000.
        steady: largest relative change of that angle or height while the step grows sixteenfold.  5e-4 to 0.5: tanh(1e6 x)
            at 0.
        whole: if smaller steps show between 1 % and this part of the angle or height, the bend is sharp but smooth.  0.72
            to 90: tanh(1e6 x) at 0.
        apart: distance, in smallest steps, beyond which a kink is beside the point, not at it.  0.64 to 6400.
    """

    hidden: float = 50.0
    sharper: float = 10.0
    growing: float = 100.0
    factor: float = 1.2
    constant: float = 1.1
    changing: float = 10.0
    slow: float = 1.5
    clear: float = 30.0
    steady: float = 0.05
    whole: float = 0.9
    apart: float = 64.0


FITTED: Final = Thresholds()


@dataclass(frozen=True, slots=True)
class Slope:
    """What the values of a function show about its derivative at a point.

    Attributes:
        value: the derivative; NaN if there is none.
        error: the estimated error of `value`; ∞ if there is no estimate.
        kind: "smooth"; "kink", where the slopes from left and right differ; "jump", where the values do; "steep", where the
            slope grows without bound; "noise", where rounding hides it; "lone", where no neighbour has a value.
        side: the side of the neighbours that were used.
        left, right: the slopes on either side of a kink or jump, else NaN.
        away: the distance of the kink or jump, negative to the left; 0 if it is at the point itself, where `value` is NaN.
        height: how much the values jump.
        reach: the smallest step, relative to max(|x|, 1), at which one side has no value; ∞ if there is none.
        limit: a derivative beyond this would not show, because x is so large that its neighbouring floats are far away.
        noise: the measured error of the values.
        flat: the step, relative to max(|x|, 1), up to which the values do not change, if beyond it they move in steps that
            rounding may have made; else 0.
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
    noise: float = 0.0
    flat: float = 0.0


def slope(f: Callable[[float], float], x: float, noise: float = 0.0, precision: Precision = DOUBLE) -> Slope:
    """Return the derivative of a function of one number, as far as its values determine it.

    Args:
        f: the function; NaN where it has no value.
        x: the point, at which f is finite; an infinite x has no neighbours, so nothing can be derived.
        noise: the error of f near x, if it may be larger than neighbouring numbers show.
        precision: the format of the numbers that f computes with; x is one of them.

    >>> found = slope(math.exp, 1.0)
    >>> abs(found.value - math.e) < found.error < 1e-12
    True
    >>> edge = slope(lambda x: math.exp(x) if x >= 0 else math.nan, 0.0)
    >>> edge.side, abs(edge.value - 1) <= edge.error
    ('right', True)
    """
    if not math.isfinite(x):  # no floats are near ∞
        return Slope(nan, inf, "lone")
    samples = Samples(f, x, noise, precision)
    return replace(_read(samples), noise=samples.noise, flat=samples.flat)


def _read(samples: Samples) -> Slope:
    """Return the first interpretation that fits the samples."""
    if not samples.left and not samples.right:
        return Slope(nan, inf, "lone")
    lost = math.ldexp(LOST, 53 - samples.precision.bits) * max(abs(samples.center), samples.largest_change)
    if 0 < samples.largest_change < FITTED.hidden * samples.noise and samples.noise > max(lost, LEAST):
        return Slope(nan, inf, "noise")
    found, quotients = samples.smooth()
    if bend := samples.bend():
        return replace(bend, value=found.value, error=found.error) if bend.away else bend
    if first := samples.unbounded(quotients, FITTED.factor):
        return Slope(math.copysign(inf, first), inf, "steep", found.side)
    if cusp := samples.cusp():
        return cusp
    if samples.converges_slowly(quotients):
        return replace(found, error=inf)
    return replace(found, reach=samples.reach, limit=samples.limit)


class Samples:
    """The values of a function at a point, and at growing steps to its left and right as far as there are any."""

    def __init__(self, f: Callable[[float], float], x: float, noise: float, precision: Precision) -> None:
        self.x, self.center, self.precision = x, f(x), precision
        self.scale = max(abs(x), 1.0)
        to, ulp = precision.round, precision.ulp
        self.steps = [ulp(x) if x else TINY]
        while self.steps[-1] * RATIO <= LARGEST * self.scale:
            self.steps.append(self.steps[-1] * RATIO)  # powers of two, so that x ± h is hardly ever rounded
        self.left = list(takewhile(math.isfinite, (f(to(x - h)) for h in self.steps)))
        self.right = list(takewhile(math.isfinite, (f(to(x + h)) for h in self.steps)))
        # The actual distances of these values: where floats become sparser, they differ a little from the steps.
        self.far_left = [x - to(x - h) for h in self.steps[: len(self.left)]]
        self.far_right = [to(x + h) - x for h in self.steps[: len(self.right)]]
        unit, self.flat = self.steps[0], 0.0  # how far f is flat, relative to max(|x|, 1), before it moves in steps
        self.noise = max(noise, ulp(self.center), _rough(f, x, unit), _rough(f, x, -unit), *self._stairs(f))
        self.largest_change = max(abs(value - self.center) for value in (self.center, *self.left, *self.right))
        pairs = [*zip_longest(self.left, self.right, fillvalue=0.0)]
        self.noises = [max(self.noise, *map(ulp, pair), lost) for pair, lost in zip(pairs, self._cancelled(f), strict=False)]
        both = min(len(self.left), len(self.right))
        self.reach = self.steps[both] / self.scale if both < len(self.steps) else inf
        self.limit = max(abs(self.center), self.largest_change) / unit if unit >= 1 else inf

    def _stairs(self, f: Callable[[float], float]) -> Iterator[float]:
        """Measure the rounding of a function that is flat on both sides of x and then moves in steps, as in float32."""
        first = [next((k for k, value in enumerate(v) if value != self.center), 0) for v in (self.left, self.right)]
        if min(first) < 2:  # it moves at once on one side, or never
            return
        rises = [abs(values[k] - self.center) for values, k in zip((self.left, self.right), first, strict=True)]
        if any(rise > STAIR_UNITS * _unit(rise) for rise in rises):  # steps of its own, such as those of round(x, 2)
            return
        self.flat = self.steps[min(first)] / self.scale
        width = self.steps[max(first)]
        yield from (_rough(f, self.x, width), _rough(f, self.x, -width))
        values = [f(self.x + i * width) for i in range(-8, 9)]  # a step may be near on one side, and far on the other
        yield min((abs(b - a) for a, b in pairwise(values) if b != a and math.isfinite(b - a)), default=0.0)
        if abs(first[0] - first[1]) <= 1:  # the steps on both sides are the same, like those of (x + 1e10) - 1e10
            yield min(rises)

    def _cancelled(self, f: Callable[[float], float]) -> Iterator[float]:
        """Measure at each step, if it is far larger than x, the rounding of parts that cancel and grow with the step.

        What is left of them is far smaller, but still a whole multiple of their rounding units, like x - sin(x) of x's.
        """
        side = -1 if len(self.left) > len(self.right) else 1
        for h in self.steps:
            value = f(self.x + side * SKEW * h) if self.flat and h > FAR * abs(self.x) else 0.0
            unit = _unit(value)
            yield unit if unit >= CANCELLED * self.precision.ulp(value) else 0.0

    def smooth(self) -> tuple[Slope, list[float]]:
        """Return the derivative as if f were smooth, and the quotients used: two-sided, or of the side that reaches farther."""
        both = zip(self.left, self.right, self.far_left, self.far_right, strict=False)
        quotients = [(b - a) / (g + h) for a, b, g, h in both]
        found = Slope(*self._extrapolate(quotients, 1.0, RATIO**2))
        if len(self.left) != len(self.right):
            is_right = len(self.right) > len(self.left)
            values, far, sign = (self.right, self.far_right, 1) if is_right else (self.left, self.far_left, -1)
            # The edge of a domain may be a singularity; steps much larger than its distance would not feel it.
            end = len(quotients) + 1 if quotients else len(values)
            single = [sign * (value - self.center) / h for value, h in zip(values[:end], far, strict=False)]
            value, error = self._extrapolate(single, 2.0, RATIO)
            if not quotients or error < found.error / FITTED.sharper:
                return Slope(value, error, side="right" if is_right else "left"), single
        return found, quotients

    def _extrapolate(self, quotients: Sequence[float], noise_factor: float, ratio: float) -> tuple[float, float]:
        """Extrapolate difference quotients, given from the smallest step on, to a step of zero; return limit and error.

        Among the extrapolations that agree with every smaller step, take the one with the smallest error.  The error is how
        much an extrapolation changes when all steps become smaller, plus rounding.
        """
        if sum(map(math.isinf, quotients)) > 4 and len(set(quotients[4:8])) == 1:  # the derivative is too large for a float
            return quotients[4], 0.0
        roundings = [2 * noise_factor * noise / h for noise, h in zip(self.noises, self.steps, strict=False)]
        best = nan, inf
        low, high = -inf, inf
        before: list[float] = []
        for k, quotient in enumerate(quotients):
            if math.isinf(quotient):
                continue
            row = [quotient]
            for order, finer in enumerate(before[:ORDERS], 1):
                row.append(finer + (finer - row[-1]) / (ratio**order - 1))
                change = abs(row[-1] - before[order]) if order < len(before) else inf
                error = change + roundings[k - order] + 4 * self.precision.ulp(row[-1])
                if error < best[1] and low <= row[-1] <= high:
                    best = row[-1], error
            if before:
                slack = roundings[k - 1] + abs(before[0] - quotient)
                low, high = max(low, before[0] - slack), min(high, before[0] + slack)
            before = row
        return best

    def unbounded(self, quotients: Sequence[float], least: float) -> float:
        """Return the first quotient clear of rounding if they grow evenly as the step shrinks, like √h / h; else 0.

        Args:
            quotients: difference quotients, from the smallest step on.
            least: the factor that their growth must exceed at each step.
        """
        blurs = [FITTED.growing * noise / h for noise, h in zip(self.noises, self.steps, strict=False)]
        clear = onset(quotients, blurs)
        factors = [a / b for a, b in pairwise(clear) if b]
        grows = len(factors) == 3 and min(factors) > least and max(factors) < FITTED.constant * min(factors)
        return clear[0] if grows else 0.0

    def cusp(self) -> Slope | None:
        """Find a point where the slopes on the left and right diverge to opposite infinities, like those of √|x| at 0."""
        both = zip(self.left, self.right, self.far_left, self.far_right, strict=False)
        turns = [(b - self.center) / h - (self.center - a) / g for a, b, g, h in both]
        first = self.unbounded(turns, 1.0)  # however slowly they grow: where f is smooth they shrink with the step
        right = math.copysign(inf, first)
        return Slope(nan, inf, "kink", left=-right, right=right) if first else None

    def converges_slowly(self, quotients: Sequence[float]) -> bool:
        """Whether difference quotients converge too slowly for the limit to be estimated, like those of x^1.1 at 0."""
        blurs = [FITTED.changing * noise / h for noise, h in zip(self.noises, self.steps, strict=False)]
        clear = onset([abs(b - a) for a, b in pairwise(quotients)], blurs)
        return len(clear) == 4 and all(0 < b < FITTED.slow * a for a, b in pairwise(clear))

    def bend(self) -> Slope | None:
        """Find a kink or a jump, at x or near it.

        On each side, draw a line through the values at two neighbouring steps.  The slopes of the two lines differ in
        proportion to the step where f is smooth, and by the same amount at all step sizes at a kink.  At a jump the heights
        of the two lines at x differ by the same amount at all step sizes.
        """
        steps = [h for h in self.steps if h <= NEAR * self.scale]
        left = [(a - b) / (h - g) for (a, b), (g, h) in zip(pairwise(self.left), pairwise(self.far_left), strict=False)]
        right = [(b - a) / (h - g) for (a, b), (g, h) in zip(pairwise(self.right), pairwise(self.far_right), strict=False)]
        levels = range(min(len(left), len(right), len(steps) - 1))
        ulp = self.precision.ulp
        blurs = [4 * (self.noises[k + 1] + max(abs(left[k]), abs(right[k])) * ulp(steps[k + 1])) for k in levels]
        turns = [right[k] - left[k] for k in levels]
        ends = [(self.left[k] + left[k] * self.far_left[k], self.right[k] - right[k] * self.far_right[k]) for k in levels]
        heights = [b - a for a, b in ends]
        if (k := _steady(turns, [blurs[k] / steps[k] for k in levels])) is not None:
            # Larger steps may leap over something else, such as the next kink.
            end = next((j for j in levels[k:] if abs(turns[j] - turns[k]) > 2 * FITTED.steady * abs(turns[k])), None)
            before, after = (_flattest(slopes[k:end], blurs[k:end], steps[k:end]) for slopes in (left, right))
            away = -heights[k] / turns[k]
            away = 0.0 if abs(heights[k]) < 2 * blurs[k] or abs(away) < FITTED.apart * steps[0] else away
            if abs(away) <= steps[-1]:  # else the lines do not meet here: the value jumps as well
                return Slope(nan, inf, "kink", left=before, right=after, away=away)
        if (k := _steady(heights, blurs)) is not None:
            first = next(j for j in levels if abs(heights[j]) > 0.5 * abs(heights[k]))
            behind = abs(ends[k][0] - self.center) > 0.5 * abs(heights[k])
            away = (-steps[first] if behind else steps[first]) if first else 0.0
            return Slope(nan, inf, "jump", left=left[k], right=right[k], away=away, height=heights[k])
        one_sided = [b - self.center for _, b in ends]
        if _steady(one_sided, blurs) == 0:
            return Slope(nan, inf, "jump", left=left[0], right=right[0], height=one_sided[0])
        return None


def onset(sizes: Sequence[float], blurs: Sequence[float]) -> Sequence[float]:
    """Return the first four sizes that are clear of rounding; none if smaller steps would have shown them, and did not.

    >>> onset([0.3, 0.2, -4.0, 2.0, -1.0, 0.5, 0.25], [9.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01])
    [-4.0, 2.0, -1.0, 0.5]
    >>> onset([0.0, 0.1, -4.0, 2.0, -1.0, 0.5, 0.25], [9.0, 0.3, 0.1, 0.03, 0.01, 0.01, 0.01])
    []
    """
    first = next((k for k, size in enumerate(sizes) if abs(size) > blurs[k]), len(sizes))
    was_hidden = not first or first == len(sizes) or blurs[first - 1] > abs(sizes[first]) / FITTED.slow
    return sizes[first : first + 4] if was_hidden else []


def _rough(f: Callable[[float], float], x: float, unit: float) -> float:
    """Measure the rounding of f at eight numbers on one side of x, a unit apart."""
    return roughness([f(x + i * unit) for i in range(1, 9)])


def _unit(value: float) -> float:
    """Return the largest power of two that a number is a whole multiple of.

    >>> _unit(20.0), _unit(0.75), _unit(0.0)
    (4.0, 0.25, 0.0)
    """
    mantissa, exponent = math.frexp(value if math.isfinite(value) else 0.0)
    digits = int(math.ldexp(mantissa, 53))
    return math.ldexp(float(digits & -digits), exponent - 53)


def plateau(f: Callable[[float], float], x: float, precision: Precision = DOUBLE) -> float:
    """Measure the rounding of f where neighbouring numbers do not show it, because an inner part moves in larger steps.

    >>> coarse = lambda x: ((math.cos(x) + 100) - 100) + x
    >>> plateau(coarse, 0.1) > 1e-15, plateau(math.cos, 0.1) < 1e-15
    (True, True)
    """
    return max(lasting(f, x, precision), _step_height(f, x, precision))


def lasting(f: Callable[[float], float], x: float, precision: Precision) -> float:
    """Return the height at which the roughness of f stays while the distance between the points grows.

    Roughness due to rounding stays the same; that due to curvature grows with the fourth power of the distance.
    """
    unit = precision.ulp(x) if x else TINY
    least = precision.ulp(f(x))
    powers = takewhile(lambda k: k < FEWEST * SPACING or unit * RATIO**k < min(INNER, abs(x) / 64), count(1, SPACING))
    # Odd numbers of units: multiples of powers of two may be exact, and show no rounding.
    distances = [unit * (2 * int(SKEW * RATIO**k / 2) + 1) for k in powers]
    heights = [_rough(f, x, distance if k % 2 else -distance) for k, distance in enumerate(distances)]
    found = 0.0
    for height, after, then in zip(heights, heights[1:], [*heights[2:], inf], strict=False):
        if after > CURVED * max(height, least) and then > LEVEL * after:
            break  # it keeps growing: curvature; where an inner part begins to move in its larger units, it grows only once
        if after <= LEVEL * height:
            found = max(found, height)
    return found


def first_jump(f: Callable[[float], float], x: float, found: Slope, precision: Precision) -> float:
    """Return how much f changes between two neighbouring numbers where it first departs from its tangent.

    A smooth function departs gradually; one that has lost its last digits moves in steps, and between two of them its slope
    is not that of the function it stands for.

    >>> lossy = lambda x: (math.sqrt(1 + x * x) - 1) / x
    >>> [first_jump(f, 1e-7, slope(f, 1e-7), DOUBLE) > 1e-14 for f in (lossy, math.sin)]
    [True, False]
    """
    to, h, center = precision.round, precision.ulp(x) if x else TINY, f(x)

    def away(t: float) -> float:
        return f(t) - center - found.value * (t - x)

    near, far = x, to(x + math.copysign(h, x))
    while h < LARGEST and abs(away(far)) <= abs(found.value) * h / 4 + 8 * found.noise:
        h *= RATIO
        far = to(x + math.copysign(h, x))
    while (middle := to(near / 2 + far / 2)) not in (near, far):
        near, far = (middle, far) if abs(away(far) - away(middle)) > abs(away(middle) - away(near)) else (near, middle)
    height = abs(away(far) - away(near))
    return height if math.isfinite(height) else 0.0


def _step_height(f: Callable[[float], float], x: float, precision: Precision) -> float:
    """Return the first change of f if it is flat on both sides, like (sin(x) + 1e15) - 1e15; 0 if it is not.

    Large numbers inside f leave a change of a few whole units, which is rare in a function that is flat by itself.
    """
    center, largest = f(x), LARGEST * max(abs(x), 1.0)

    def changes(*exponents: int) -> Iterator[float]:
        return (abs(f(precision.round(x + side * largest / RATIO**k)) - center) for k in exponents for side in (1, -1))

    if any(changes(2, 3, 5, 8)):
        return 0.0
    first = next(filter(None, changes(1, 0)), 0.0)
    return first if math.isfinite(first) and math.frexp(first)[0] * 16 % 1 == 0 else 0.0


def _steady(spreads: Sequence[float], blurs: Sequence[float]) -> int | None:
    """Return the first of three places where a quantity, clear of rounding, stays the same while the step grows sixteenfold.

    A sharp but smooth bend reaches its height gradually; a kink at a distance appears at once.
    """
    for k, (a, b, c) in enumerate(zip(spreads, spreads[1:], spreads[2:], strict=False)):
        if abs(a) > FITTED.clear * blurs[k] and max(abs(a - b), abs(b - c)) < FITTED.steady * abs(a):
            part, whole = 0.01 * abs(a), FITTED.whole * abs(a)
            rising = [s for s, blur in zip(spreads[:k], blurs, strict=False) if blur < part < abs(s) < whole]
            return k if len(rising) <= 1 else None
    return None


def _flattest(slopes: Sequence[float], blurs: Sequence[float], steps: Sequence[float]) -> float:
    """Return the slope that rounding and curvature affect least."""
    doubts = [(abs(a - b) + blur / h, a) for (a, b), blur, h in zip(pairwise(slopes), blurs, steps, strict=False)]
    return min(doubts)[1]
