"""Intervals of real numbers, and the functions of the table on them.

An interval is a pair of exact numbers and a flag.  Arb evaluates every function at the ends of its operands and at the turning
points between them; its results are balls that contain the true number, and their ends are rounded outward.  So the interval
contains the function's value at every point of the operands, and for narrow operands it is hardly wider than necessary.

>>> low, high, connected = FUNCTIONS[math.sqrt](interval(2.0))
>>> round(float(low), 15), round(float(high), 15), connected
(1.414213562373095, 1.414213562373095, True)
>>> describe(FUNCTIONS[operator.truediv](interval(1.0), between(2.0, 4.0)))
'[0.25, 0.5]'

The flag is True if the function has a value and is continuous everywhere on its operands.  If it has a value on a part of them
only, the interval contains its values there.

Source: Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE Transactions on Computers 66
(2017); Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from flint import arb

from autograd.arithmetic import Constant, log_sum_exp
from autograd.writing import digits

__all__ = [
    "EVERYTHING", "FUNCTIONS", "NAN", "Interval", "OutsideError", "add", "between", "describe", "divide", "exactly", "hull",
    "interval", "multiply", "square", "subtract", "unrounded",
]  # fmt: skip

INFINITE: Final = arb.pos_inf()


class OutsideError(ValueError):
    """A function has no value anywhere on an interval."""


class Interval(NamedTuple):
    """The real numbers from `low` to `high`, which are exact and may be infinite.

    `connected` is False for the values of a function that may jump, or lack a value, somewhere on its operands.
    """

    low: arb
    high: arb
    connected: bool = True

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite."""
        return bool(self.low.is_finite() and self.high.is_finite())

    @property
    def is_point(self) -> bool:
        """Whether it is a single number, perhaps an infinite one."""
        return bool(self.low == self.high)

    @property
    def truth(self) -> bool | None:
        """Whether the interval is true as a condition, that is, not 0; None where it contains 0 and other numbers."""
        if not self.low <= 0 <= self.high:
            return True
        return False if self.is_point else None

    @property
    def width(self) -> float:
        """The distance between the ends."""
        return float(self.high - self.low)

    @property
    def size(self) -> float:
        """The largest absolute value."""
        return max(abs(float(self.low)), abs(float(self.high)))


EVERYTHING: Final = Interval(-INFINITE, INFINITE, False)
NAN: Final = Interval(-INFINITE, INFINITE, False)  # recognised by identity: 0 times EVERYTHING is 0, 0 times NaN is not
Function = Callable[..., Interval]


def interval(x: float) -> Interval:
    """Return the interval of a single float, `NAN` for NaN."""
    return NAN if math.isnan(x) else Interval(exact := arb(x), exact)


def unrounded(x: float, given: Any) -> Interval:
    """Return an interval that contains a float and the number, such as a fraction, that it was rounded from.

    >>> from fractions import Fraction
    >>> unrounded(0.25, Fraction(1, 4)).width, unrounded(2 / 3, Fraction(2, 3)).width
    (0.0, 1.1102230246251565e-16)
    """
    if x == given or math.isnan(x):
        return interval(x)
    return between(*sorted((x, math.nextafter(x, math.inf if x < given else -math.inf))))


def between(low: float, high: float) -> Interval:
    """Return the interval from one float to another."""
    return Interval(arb(low), arb(high))


def hull(one: Interval, *others: Interval, connected: bool = True) -> Interval:
    """Return the smallest interval that contains all the given ones."""
    low, high = one.low, one.high
    for other in others:
        low, high = min(low, other.low), max(high, other.high)
    return Interval(low, high, connected)


def describe(x: Interval) -> str:
    """Write an interval as text, with six digits.

    >>> describe(between(0.0, math.inf))
    '[0, ∞]'
    """
    low, high = (digits(float(end), 6) for end in x[:2])
    return low if low == high else f"[{low}, {high}]"


def _down(ball: arb) -> arb:
    return -INFINITE if ball.is_nan() else ball.lower()


def _up(ball: arb) -> arb:
    return INFINITE if ball.is_nan() else ball.upper()


def _outward(low: arb, high: arb, connected: bool = True) -> Interval:
    return Interval(_down(low), _up(high), connected)


def _spanned(balls: Sequence[arb]) -> Interval:
    return Interval(min(map(_down, balls)), max(map(_up, balls)))


# Arithmetic.


def add(x: Interval, y: Interval) -> Interval:
    """Return the interval of all sums.

    >>> describe(add(between(1.0, 2.0), between(-1.0, 3.0)))
    '[0, 5]'
    """
    return _outward(x.low + y.low, x.high + y.high)


def subtract(x: Interval, y: Interval) -> Interval:
    """Return the interval of all differences."""
    return _outward(x.low - y.high, x.high - y.low)


def _negative(x: Interval) -> Interval:
    return Interval(-x.high, -x.low)


def _product(x: arb, y: arb) -> arb:
    return x if x.is_zero() else y if y.is_zero() else x * y  # 0·∞ is 0: an infinite end stands for unbounded finite numbers


def multiply(x: Interval, y: Interval) -> Interval:
    """Return the interval of all products."""
    (a, b, _), (c, d, _) = x, y
    for point, other in ((x, y), (y, x)):
        if point.is_point and not point.high.is_finite() and other.low <= 0 <= other.high:
            return EVERYTHING  # 0·∞
    return _spanned([_product(a, c), _product(a, d), _product(b, c), _product(b, d)])


def square(x: Interval) -> Interval:
    """Return the interval of all squares; `multiply(x, x)` would also contain the products of different numbers."""
    size = _absolute(x)
    return _outward(size.low * size.low, size.high * size.high)


def _reciprocal(y: Interval) -> Interval:
    if y.low <= 0 <= y.high:
        if y.is_point:
            raise OutsideError("the divisor is 0")
        if y.low < 0 < y.high:
            return EVERYTHING
        return Interval(_down(1 / y.high), INFINITE, False) if y.high > 0 else Interval(-INFINITE, _up(1 / y.low), False)
    return _outward(1 / y.high, 1 / y.low)


def divide(x: Interval, y: Interval) -> Interval:
    """Return the interval of all quotients.

    Raises:
        OutsideError: if y is 0.
    """
    inverse = _reciprocal(y)
    if inverse.connected and x.is_bounded:  # rounded once
        return _spanned([x.low / y.low, x.low / y.high, x.high / y.low, x.high / y.high])
    return multiply(x, inverse)._replace(connected=inverse.connected)


def _absolute(x: Interval) -> Interval:
    return Interval(max(x.low, -x.high, arb(0)), max(-x.low, x.high))


def _floor(x: Interval) -> Interval:
    low, high = _down(x.low.floor()), _up(x.high.floor())
    return Interval(low, high, low == high and x.connected)


def _remainder(x: Interval, y: Interval) -> Interval:
    whole = _floor(divide(x, y))
    if whole.connected:
        return subtract(x, multiply(whole, y))
    return Interval(min(y.low, arb(0)), max(y.high, arb(0)), False)


def _power(x: Interval, y: Interval) -> Interval:
    if y.is_point and y.low.is_integer():
        return _whole_power(x, y.low) if y.low >= 0 else _reciprocal(_whole_power(x, -y.low))
    if x.high < 0 or (x.high <= 0 and y.high < 0):
        if y.is_point or y.low.floor() == y.high.floor() < y.low:
            raise OutsideError("the base is negative")
        return EVERYTHING
    base = Interval(max(x.low, arb(0)), x.high)
    low, high, _ = _spanned([_positive_power(a, b) for a in base[:2] for b in y[:2]])
    if x.low < 0:  # a negative base has a value only where the exponent is a whole number, which y may contain
        return Interval(low, high, False) if y.is_point else EVERYTHING
    return Interval(low, high, bool(x.low > 0 or y.low > 0))


def _whole_power(x: Interval, n: arb) -> Interval:
    if n.is_zero():
        return interval(1.0)
    base = _absolute(x) if (n / 2).is_integer() else x
    return _outward(base.low**n, base.high**n)


def _positive_power(x: arb, y: arb) -> arb:
    if x.is_zero():
        return arb(0) if y > 0 else INFINITE if y < 0 else arb(1)
    if not x.is_finite():
        return INFINITE if y > 0 else arb(0) if y < 0 else arb(1)
    return x**y


# Functions of math.


def _increasing(f: Callable[[arb], arb], low: float = -math.inf, high: float = math.inf, *, is_open: bool = False) -> Function:
    """Return an increasing function on intervals, from the function on its domain.

    Args:
        f: the function; at the ends of an open domain its limits are -∞ and ∞, which replace Arb's NaN.
        low: the low end of its domain.
        high: the high end.
        is_open: whether the function has no value at these ends.
    """
    start, end = arb(low), arb(high)

    def applied(x: Interval) -> Interval:
        if x.high < start or x.low > end or (is_open and x.is_point and (x.low <= start or x.high >= end)):
            raise OutsideError("no number of the interval is in the domain")
        inside = bool(x.low > start and x.high < end) or (not is_open and bool(x.low >= start and x.high <= end))
        return _outward(f(max(x.low, start)), f(min(x.high, end)), inside)

    return applied


def _root(x: arb) -> arb:
    return x if x.is_zero() else x.sgn() * abs(x).root(3)


def _exp(x: arb) -> arb:
    return x.exp() if x.is_finite() else max(x, arb(0))


def _arccos(x: Interval) -> Interval:
    turned = FUNCTIONS[math.asin](_negative(x))  # arccos x = π/2 + arcsin(-x)
    return _outward(arb.pi() / 2 + turned.low, arb.pi() / 2 + turned.high, turned.connected)


def _wave(f: Callable[[arb], arb], shift: float) -> Function:
    """Return cos or sin on intervals; its turning points are (k - shift)·π for all whole k, with shift 0 for cos, ½ for sin."""

    def applied(x: Interval) -> Interval:
        if x.is_point and x.low.is_finite():
            return _outward(f(x.low), f(x.low))
        first, last = (_turn(end, shift) for end in x[:2])
        if first is None or last is None or last > first + 1:
            return Interval(arb(-1), arb(1))
        ends = _outward(f(x.low), f(x.low)), _outward(f(x.high), f(x.high))
        if first == last:
            return hull(*ends)
        is_maximum = last % 2 == (shift > 0)
        return hull(*ends, interval(1.0 if is_maximum else -1.0))

    return applied


def _turn(x: arb, shift: float) -> int | None:
    """Return the number k of the last turning point up to x, or None if the precision does not decide it."""
    whole = (x / arb.pi() + shift).floor().unique_fmpz()
    return None if whole is None else int(whole)


def _tan(x: Interval) -> Interval:
    first, last = (_turn(end, 0.5) for end in x[:2])
    if first is None or first != last:
        return EVERYTHING
    return _outward(x.low.tan(), x.high.tan())


def _cosh(x: Interval) -> Interval:
    size = _absolute(x)
    return _outward(size.low.cosh(), size.high.cosh() if size.high.is_finite() else INFINITE)


def _hypot(x: Interval, y: Interval) -> Interval:
    squares = add(square(x), square(y))
    return FUNCTIONS[math.sqrt](squares._replace(low=max(squares.low, arb(0))))


def _arctan2(y: Interval, x: Interval) -> Interval:
    # In a neighbourhood of the origin every angle occurs; at the cut the angle jumps from -π to π.
    has_origin = x.low <= 0 <= x.high and y.low <= 0 <= y.high and not x.low == x.high == y.low == y.high
    has_cut = y.low < 0 <= y.high and x.low < 0
    if has_origin or has_cut or not (y.is_bounded and x.is_bounded):
        return _outward(-arb.pi(), arb.pi(), False)
    return _spanned([arb.atan2(b, a) for b in y[:2] for a in x[:2]])


def _log_sum_exp(*operands: Interval) -> Interval:
    def at(points: list[arb]) -> arb:
        shift = max(points)
        if not shift.is_finite():
            return shift
        return shift + sum((_exp(x - shift) for x in points), arb(0)).log()  # increasing in each

    return _outward(at([x.low for x in operands]), at([x.high for x in operands]))


def _compare(x: Interval, y: Interval, is_strict: bool) -> Interval:
    """Return the truth of x < y, or of x ≤ y, as a number: 1, 0, or both where it is open."""
    if x.high < y.low or (not is_strict and x.high <= y.low):
        return interval(1.0)
    if x.low > y.high or (is_strict and x.low >= y.high):
        return interval(0.0)
    return Interval(arb(0), arb(1), False)


FUNCTIONS: Final[Mapping[Callable[..., Any], Function]] = {
    operator.pos: lambda x: x, operator.neg: _negative, operator.add: add, operator.sub: subtract,
    operator.mul: multiply, operator.truediv: divide,
    operator.floordiv: lambda x, y: _floor(divide(x, y)), operator.mod: _remainder,
    operator.lt: lambda x, y: _compare(x, y, True), operator.le: lambda x, y: _compare(x, y, False),
    operator.gt: lambda x, y: _compare(y, x, True), operator.ge: lambda x, y: _compare(y, x, False),
    abs: _absolute, math.pow: _power, math.hypot: _hypot, math.atan2: _arctan2, log_sum_exp: _log_sum_exp,
    math.sqrt: _increasing(arb.sqrt, 0.0), math.cbrt: _increasing(_root),
    math.exp: _increasing(_exp), math.exp2: _increasing(lambda x: arb(2) ** x if x.is_finite() else _exp(x)),
    math.expm1: _increasing(lambda x: x.expm1() if x.is_finite() else _exp(x) - 1),
    math.log: _increasing(arb.log, 0.0, is_open=True), math.log1p: _increasing(arb.log1p, -1.0, is_open=True),
    math.log2: _increasing(lambda x: x.log() / arb.const_log2(), 0.0, is_open=True),
    math.log10: _increasing(lambda x: x.log() / arb.const_log10(), 0.0, is_open=True),
    math.sin: _wave(arb.sin, 0.5), math.cos: _wave(arb.cos, 0.0), math.tan: _tan,
    math.asin: _increasing(arb.asin, -1.0, 1.0), math.acos: _arccos, math.atan: _increasing(arb.atan),
    math.sinh: _increasing(lambda x: x.sinh() if x.is_finite() else x), math.cosh: _cosh, math.tanh: _increasing(arb.tanh),
    math.asinh: _increasing(lambda x: x.asinh() if x.is_finite() else x),
    math.acosh: _increasing(lambda x: x.acosh() if x.is_finite() else x, 1.0),
    math.atanh: _increasing(arb.atanh, -1.0, 1.0, is_open=True), math.erf: _increasing(arb.erf),
}  # fmt: skip


class Reals:
    """The functions of `math` that a `Constant` uses, with balls as their results."""

    log, sqrt = staticmethod(lambda x: arb(x).log()), staticmethod(lambda x: arb(x).sqrt())

    @property
    def pi(self) -> arb:
        """The number π, to the precision that is set."""
        return arb.pi()


def exactly(x: float) -> Interval:
    """Return the interval of a float, or of the real number that a `Constant` stands for."""
    if not isinstance(x, Constant):
        return interval(x)
    ball = x.formula(Reals())
    return _outward(ball, ball)
