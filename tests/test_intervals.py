"""Intervals of the functions: neither too narrow nor too wide, and `connected` exactly where the function is.

The idea: an interval that is too wide is still right, so containment is not a sufficient test.  Here both ends are known: for a
monotone function they are mpmath's values at the ends of its operand, for the others they are found by hand.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

import pytest
from test_accuracy import mpmath

from autograd.arithmetic import log_sum_exp
from autograd.certainty.intervals import (
    EVERYTHING,
    FUNCTIONS,
    Interval,
    OutsideError,
    between,
    describe,
    exactly,
    hull,
    interval,
    square,
)
from autograd.primitives import ERF_0

PI, INF, NO_VALUE = mpmath.pi, math.inf, "no value"
Side = tuple[float, float]


def evaluated(function: Any, *sides: Side) -> Interval | str:
    """Return the interval of a function's values on the sides of a box, or NO_VALUE."""
    try:
        return FUNCTIONS[function](*[between(*side) for side in sides])
    except OutsideError:
        return NO_VALUE


def assert_tight(found: Interval, low: Any, high: Any) -> None:
    """Assert that an interval contains all numbers from low to high, and hardly more."""
    with mpmath.workdps(30):
        for end, right, outward in ((found.low, low, -1), (found.high, high, 1)):
            slack = mpmath.mpf(float(end)) - right if math.isfinite(right) else 0 if float(end) == right else mpmath.nan
            assert 0 <= slack * outward <= 2e-15 * (1 + abs(right)), (describe(found), right)


# Rising functions, each with its domain, an operand inside it, and its limits at the ends of the domain.
RISING: Final = [
    (math.sqrt, mpmath.sqrt, (0.0, INF), (0.3, 7.0), (0, INF)),
    (math.cbrt, lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), (-INF, INF), (-0.3, 7.0), (-INF, INF)),
    (math.exp, mpmath.exp, (-INF, INF), (-0.3, 2.0), (0, INF)),
    (math.exp2, lambda x: mpmath.mpf(2) ** x, (-INF, INF), (-0.3, 2.5), (0, INF)),
    (math.expm1, mpmath.expm1, (-INF, INF), (-0.3, 2.0), (-1, INF)),
    (math.asin, mpmath.asin, (-1.0, 1.0), (-0.3, 0.75), (-PI / 2, PI / 2)),
    (math.atan, mpmath.atan, (-INF, INF), (-0.3, 2.0), (-PI / 2, PI / 2)),
    (math.sinh, mpmath.sinh, (-INF, INF), (-0.3, 2.0), (-INF, INF)),
    (math.tanh, mpmath.tanh, (-INF, INF), (-0.3, 2.0), (-1, 1)),
    (math.asinh, mpmath.asinh, (-INF, INF), (-0.3, 2.0), (-INF, INF)),
    (math.acosh, mpmath.acosh, (1.0, INF), (1.25, 3.0), (0, INF)),
    (math.erf, mpmath.erf, (-20.0, 20.0), (-0.3, 2.0), (-1, 1)),  # defined beyond these ends, so they are not tested there
    (math.log, mpmath.log, (0.0, INF), (0.3, 7.0), (-INF, INF)),
    (math.log1p, mpmath.log1p, (-1.0, INF), (-0.3, 2.0), (-INF, INF)),
    (math.log2, lambda x: mpmath.log(x, 2), (0.0, INF), (0.3, 7.0), (-INF, INF)),
    (math.log10, mpmath.log10, (0.0, INF), (0.3, 7.0), (-INF, INF)),
    (math.atanh, mpmath.atanh, (-1.0, 1.0), (-0.3, 0.75), (-INF, INF)),
]


@pytest.mark.parametrize(
    ("function", "right", "domain", "inside", "limits"), RISING, ids=lambda x: getattr(x, "__name__", None)
)
def test_rising_functions(function: Any, right: Callable[[float], Any], domain: Side, inside: Side, limits: Any) -> None:
    is_open = function in (math.log, math.log1p, math.log2, math.log10, math.atanh)
    (start, end), (low, high) = domain, inside
    ends: dict[float, Any] = {start: limits[0], end: limits[1]}

    def at(x: float) -> Any:
        with mpmath.workdps(30):
            return ends[x] if x in ends else right(mpmath.mpf(x))

    sides = [(inside, True), ((low, low), True), ((start, high), not is_open), ((low, end), not is_open)]
    for side, connected in sides:
        found = evaluated(function, side)
        assert isinstance(found, Interval) and found.connected is connected
        assert_tight(found, *map(at, side))
    if math.isfinite(start) and function is not math.erf:  # the part of a side outside of the domain is ignored
        found = evaluated(function, (start - 1, high))
        assert isinstance(found, Interval) and not found.connected
        assert_tight(found, at(start), at(high))
        assert evaluated(function, (start - 2, start - 1)) == NO_VALUE
        assert (evaluated(function, (start, start)) == NO_VALUE) is is_open
    if math.isfinite(end) and function is not math.erf:
        found = evaluated(function, (low, end + 1))
        assert isinstance(found, Interval) and not found.connected
        assert_tight(found, at(low), at(end))
        assert evaluated(function, (end + 1, end + 2)) == NO_VALUE
        assert (evaluated(function, (end, end)) == NO_VALUE) is is_open


CASES: Final[list[tuple[Any, tuple[Side, ...], Any]]] = [
    (operator.pos, ((1, 2),), (1, 2)),
    (operator.neg, ((1, 2),), (-2, -1)),
    (operator.add, ((1, 2), (3, 5)), (4, 7)),
    (operator.sub, ((1, 2), (3, 5)), (-4, -1)),
    (operator.mul, ((1, 2), (3, 5)), (3, 10)),
    (operator.mul, ((-1, 2), (3, 5)), (-5, 10)),
    (operator.mul, ((-2, -1), (-5, 3)), (-6, 10)),
    (operator.mul, ((-3, -2), (-7, -5)), (10, 21)),
    (operator.mul, ((0, 2), (-3, -1)), (-6, 0)),
    (operator.mul, ((0, INF), (0, 0)), (0, 0)),  # ∞ as an end stands for numbers without a bound
    (operator.mul, ((0, INF), (0, INF)), (0, INF)),
    (operator.mul, ((1, 2), (0, INF)), (0, INF)),
    (operator.mul, ((-1, 1), (0, INF)), (-INF, INF)),
    (operator.mul, ((2, 2), (-INF, -INF)), (-INF, -INF)),
    (operator.mul, ((INF, INF), (1, 2)), (INF, INF)),
    (operator.mul, ((INF, INF), (0, 1)), None),  # but from ∞ to ∞, it is the number ∞
    (operator.mul, ((-1, 0), (-INF, -INF)), None),
    (operator.truediv, ((1, 2), (2, 4)), (0.25, 1)),
    (operator.truediv, ((1, 1), (3, 3)), (mpmath.fdiv(1, 3, dps=30), mpmath.fdiv(1, 3, dps=30))),
    (operator.truediv, ((-1, 2), (-4, -2)), (-1, 0.5)),
    (operator.truediv, ((1, 3), (-4, -2)), (-1.5, -0.25)),
    (operator.truediv, ((-3, -1), (2, 4)), (-1.5, -0.25)),
    (operator.truediv, ((1, INF), (2, 4)), (0.25, INF)),
    (operator.truediv, ((1, 2), (2, INF)), (0, 1)),
    (operator.truediv, ((1, 2), (0, 4)), (0.25, INF, False)),
    (operator.truediv, ((1, 2), (-4, 0)), (-INF, -0.25, False)),
    (operator.truediv, ((0, 0), (0, 4)), (0, 0, False)),
    (operator.truediv, ((1, 2), (-1, 1)), None),
    (operator.truediv, ((1, 2), (0, 0)), NO_VALUE),
    (abs, ((1, 2),), (1, 2)),
    (abs, ((-2, -1),), (1, 2)),
    (abs, ((-3, 1),), (0, 3)),
    (abs, ((-1, 3),), (0, 3)),
    (operator.floordiv, ((5, 6), (4, 4)), (1, 1)),
    (operator.floordiv, ((5, 9), (4, 4)), (1, 2, False)),
    (operator.floordiv, ((5, 5), (-4, -4)), (-2, -2)),
    (operator.floordiv, ((0, 0), (0, 4)), (0, 0, False)),
    (operator.mod, ((5, 6), (4, 4)), (1, 2)),
    (operator.mod, ((5, 5.5), (3, 4)), (1, 2.5)),
    (operator.mod, ((5, 9), (4, 4)), (0, 4, False)),
    (operator.mod, ((5, 9), (-4, -4)), (-4, 0, False)),
    (operator.mod, ((5, 9), (-1, 2)), (-1, 2, False)),
    (math.pow, ((-2, 3), (0, 0)), (1, 1)),
    (math.pow, ((-2, 3), (2, 2)), (0, 9)),
    (math.pow, ((-2, 3), (3, 3)), (-8, 27)),
    (math.pow, ((-3, -2), (2, 2)), (4, 9)),
    (math.pow, ((-2, -1), (-3, -3)), (-1, -0.125)),
    (math.pow, ((2, 4), (-1, -1)), (0.25, 0.5)),
    (math.pow, ((0, 4), (-2, -2)), (0.0625, INF, False)),
    (math.pow, ((-2, 4), (-2, -2)), (0.0625, INF, False)),
    (math.pow, ((1, 4), (0.5, 1.5)), (1, 8)),
    (math.pow, ((0.25, 4), (-0.5, 0.5)), (0.5, 2)),
    (math.pow, ((4, INF), (-1.5, -0.5)), (0, 0.5)),
    (math.pow, ((4, INF), (0, 0.5)), (1, INF)),
    (math.pow, ((4, INF), (0.5, 1.5)), (2, INF)),
    (math.pow, ((0, 4), (0.5, 1.5)), (0, 8)),
    (math.pow, ((0, 4), (-1.5, -0.5)), (0.125, INF, False)),
    (math.pow, ((0, 0.25), (0, 0.5)), (0, 1, False)),  # 0⁰ is 1
    (math.pow, ((0, 4), (0, 0.5)), (0, 2, False)),
    (math.pow, ((0, 4), (-0.5, 0.5)), (0, INF, False)),
    (math.pow, ((0, 0), (-0.5, 0)), (1, INF, False)),
    (math.pow, ((0, 0), (0, 0.5)), (0, 1, False)),
    (math.pow, ((1, INF), (-1, 0)), (0, 1)),
    (math.pow, ((-1, 4), (0.5, 0.5)), (0, 2, False)),
    (math.pow, ((-2, 0), (0.5, 0.5)), (0, 0, False)),
    (math.pow, ((-1, 4), (0.5, 1.5)), None),  # (-1)¹ is defined
    (math.pow, ((-2, -1), (0.5, 1.0)), None),
    (math.pow, ((-2, -1), (1.0, 1.5)), None),
    (math.pow, ((-2, 0), (-1.5, -0.5)), None),
    (math.pow, ((-2, -1), (0.5, 0.7)), NO_VALUE),
    (math.pow, ((-2, -1), (0.5, 0.5)), NO_VALUE),
    (math.pow, ((0, 0), (-0.5, -0.5)), NO_VALUE),
    (math.acos, ((-0.5, 0.5),), (PI / 3, 2 * PI / 3)),
    (math.acos, ((-2, 0.5),), (PI / 3, PI, False)),
    (math.acos, ((2, 3),), NO_VALUE),
    (math.sin, ((0, 1),), (0, mpmath.sin(1))),
    (math.sin, ((1, 2),), (mpmath.sin(1), 1)),
    (math.sin, ((2, 4),), (mpmath.sin(4), mpmath.sin(2))),
    (math.sin, ((4, 5),), (-1, mpmath.sin(4))),
    (math.sin, ((-1, 2),), (mpmath.sin(-1), 1)),
    (math.sin, ((-2, -1),), (-1, mpmath.sin(-1))),
    (math.sin, ((13, 15),), (mpmath.sin(13), 1)),
    (math.sin, ((1, 5),), (-1, 1)),
    (math.sin, ((0, INF),), (-1, 1)),
    (math.cos, ((1, 2),), (mpmath.cos(2), mpmath.cos(1))),
    (math.cos, ((-1, 2),), (mpmath.cos(2), 1)),
    (math.cos, ((3, 4),), (-1, mpmath.cos(4))),
    (math.cos, ((-4, -3),), (-1, mpmath.cos(4))),
    (math.cos, ((6, 7),), (mpmath.cos(7), 1)),
    (math.cos, ((12, 13),), (mpmath.cos(12), 1)),
    (math.cos, ((1, 9),), (-1, 1)),
    (math.tan, ((-1, 1.5),), (mpmath.tan(-1), mpmath.tan(1.5))),
    (math.tan, ((2, 4),), (mpmath.tan(2), mpmath.tan(4))),
    (math.tan, ((1, 2),), None),
    (math.tan, ((1, INF),), None),
    (math.cosh, ((1, 2),), (mpmath.cosh(1), mpmath.cosh(2))),
    (math.cosh, ((-2, 1),), (1, mpmath.cosh(2))),
    (math.cosh, ((1, INF),), (mpmath.cosh(1), INF)),
    (math.hypot, ((-5, 3), (4, 12)), (4, 13)),
    (math.hypot, ((0, 0), (-1, 4)), (0, 4)),
    (math.atan2, ((3, 5), (4, 12)), (mpmath.atan2(3, 12), mpmath.atan2(5, 4))),
    (math.atan2, ((1, 2), (-1, 1)), (PI / 4, 3 * PI / 4)),
    (math.atan2, ((-1, 2), (3, 4)), (mpmath.atan2(-1, 3), mpmath.atan2(2, 3))),
    (math.atan2, ((0, 2), (-2, -1)), (mpmath.atan2(2, -1), PI)),  # the upper side of the cut
    (math.atan2, ((-2, -1), (-2, -1)), (mpmath.atan2(-1, -2), mpmath.atan2(-2, -1))),
    (math.atan2, ((-2, 0), (-2, -1)), (-PI, PI, False)),
    (math.atan2, ((-1, 2), (-2, -1)), (-PI, PI, False)),
    (math.atan2, ((0, 1), (0, 1)), (-PI, PI, False)),
    (math.atan2, ((-1, 0), (-1, 0)), (-PI, PI, False)),
    (math.atan2, ((1, INF), (1, 2)), (-PI, PI, False)),
    (math.atan2, ((1, 2), (1, INF)), (-PI, PI, False)),
    (math.atan2, ((0, 0), (0, 0)), (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "sides", "right"), CASES, ids=lambda x: getattr(x, "__name__", None))
def test_other_functions(function: Any, sides: tuple[Side, ...], right: Any) -> None:
    found = evaluated(function, *sides)
    if right == NO_VALUE or right is None:
        assert found == (NO_VALUE if right else EVERYTHING)
    else:
        assert isinstance(found, Interval) and found.connected is (len(right) == 2)
        assert_tight(found, *right[:2])


def test_the_logarithm_of_a_sum_of_exponentials() -> None:
    for sides in ([(0, 1), (1, 2)], [(-3, -2), (5, 6), (5, 7)], [(-INF, 0), (1, 2)], [(0, INF), (0, 1)], [(800, 801)]):
        found = evaluated(log_sum_exp, *sides)
        assert isinstance(found, Interval) and found.connected
        with mpmath.workdps(30):
            assert_tight(found, *[mpmath.log(sum(mpmath.exp(x) for x in ends)) for ends in zip(*sides, strict=True)])


def test_comparisons_are_decided_as_soon_as_they_can_be() -> None:
    strict, weak = (operator.lt, operator.gt), (operator.le, operator.ge)
    for x, y, is_less, is_at_most in (
        ((0, 1), (2, 3), 1, 1), ((2, 3), (0, 1), 0, 0), ((0, 2), (1, 3), None, None), ((0, 3), (1, 2), None, None),
        ((0, 1), (1, 2), None, 1), ((1, 2), (0, 1), 0, None), ((1, 1), (1, 1), 0, 1),
    ):  # fmt: skip
        for (less, greater), right in ((strict, is_less), (weak, is_at_most)):
            expected = between(0, 1)._replace(connected=False) if right is None else interval(right)
            assert evaluated(less, x, y) == evaluated(greater, y, x) == expected


def test_squares_hulls_and_exact_numbers() -> None:
    assert square(between(-3, 2)) == between(0, 9) and square(between(-3, -2)) == between(4, 9)
    assert hull(between(2, 3), between(0, 1), between(2.5, 4)) == between(0, 4)
    assert hull(between(0, 1), connected=False) == between(0, 1)._replace(connected=False)
    assert interval(math.nan) == EVERYTHING and interval(2.0) == exactly(2.0) == between(2, 2)
    assert not EVERYTHING.is_bounded and not between(0, INF).is_bounded and not between(-INF, 0).is_bounded
    with mpmath.workdps(30):
        assert_tight(exactly(ERF_0), *[2 / mpmath.sqrt(PI)] * 2)
