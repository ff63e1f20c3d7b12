"""The numeric derivative: its verdict on a function cannot depend on the unit in which the function is measured.

The idea: multiplication by a power of two is exact, so the slope of 2^k·f and its error have to be 2^k times those of f in all
digits, with the same verdict; a comparison with a fixed number would break this.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import pytest

from autograd import gradcheck
from autograd.checking.lines import Line
from autograd.checking.numeric import Samples, plateau, slope
from autograd.checking.rounding import DOUBLE

FUNCTIONS: Final[dict[str, tuple[Callable[[float], float], float, str]]] = {
    "smooth": (math.sin, 0.7, "smooth"),
    "flat": (lambda x: 3.0, 0.7, "smooth"),
    "sharp, but smooth": (lambda x: math.tanh(1e6 * x), 0.0, "smooth"),
    "sharp, but smooth, like a kink": (lambda x: math.log1p(math.exp(-abs(1e4 * x))) / 1e4 + max(x, 0.0), 0.0, "smooth"),
    "a power of 1.5": (lambda x: abs(x) ** 1.5, 0.0, "smooth"),
    "a kink": (lambda x: max(x, 0.0) - 0.3 * x, 0.0, "kink"),
    "beside a kink": (lambda x: abs(x - 1e-7), 0.0, "kink"),
    "a jump": (lambda x: 1.0 if x > 0 else 0.0, 0.0, "jump"),
    "infinitely steep": (math.cbrt, 0.0, "steep"),
    "steep at the edge of a domain": (lambda x: math.sqrt(x) if x >= 0 else math.nan, 0.0, "steep"),
    "all digits lost": (lambda x: (math.sin(x) + 1e15) - 1e15, 0.7, "noise"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("scale", [2.0**-40, -(2.0**20)])
def test_a_slope_scales_with_its_function(name: str, scale: float) -> None:
    f, x, kind = FUNCTIONS[name]
    one, other = slope(f, x), slope(lambda x: scale * f(x), x)
    assert (one.kind, one.side, one.away, one.reach) == (other.kind, other.side, other.away, other.reach)
    assert one.kind == kind and other.error == abs(scale) * one.error
    for a, b in ((one.value, other.value), (one.left, other.left), (one.right, other.right), (one.height, other.height)):
        assert scale * a == b or (math.isnan(a) and math.isnan(b))


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**20])
@pytest.mark.parametrize("f", [math.sin, lambda x: (math.sin(x) + 1e15) - 1e15, lambda x: float(round(x * 8)), lambda x: 3.0])
def test_a_plateau_scales_with_its_function(f: Callable[[float], float], scale: float) -> None:
    assert plateau(lambda x: scale * f(x), 0.7) == scale * plateau(f, 0.7)


def test_a_line_is_followed_only_near_its_point() -> None:
    line = Line("x", "", 3.0, (3.0, 5.0), {0: 1.0})
    near = line.near(lambda point: 2.0 * point[0] * point[1], 0.5)
    assert [near(t) for t in (3.0, 3.25, 2.75)] == [30.0, 32.5, 27.5] and math.isnan(near(3.5)) and math.isnan(near(-3.0))
    assert line.near(sum, 0.0)(3.0) == 8.0  # the point itself always counts
    assert line(4.0) == [4.0, 5.0] and Line("", "", 0.0, (3.0, 5.0), {0: 1.0, 1: -2.0})(0.5) == [3.5, 4.0]


def test_waves_that_larger_steps_leap_over_do_not_flatten_a_kink() -> None:
    found = slope(lambda x: abs(x * 100 % 2 - 1), 1000.0)  # a peak; 2 away the values are the same, so it seems flat
    assert (found.kind, round(found.left, 6), round(found.right, 6)) == ("kink", 100.0, -100.0)


def samples(f: Callable[[float], float] = lambda x: 0.0) -> Samples:
    """Return samples at 0, where the smallest step is 2^-60."""
    return Samples(f, 0.0, 0.0, DOUBLE)


def test_noise_around_a_flat_part_is_measured_up_to_eight_steps_away() -> None:
    wide = 2.0**-60 * 4**4  # the first step that changes f to the right; to the left, a sixteenth of it does
    moved = samples(lambda x: 0.0 if -wide / 16 < x < wide else 1.0 if abs(x) < 9 * wide else 1.001)
    assert moved.noise == 1.0  # the step by 0.001, nine steps away, is not seen


def test_a_quotient_is_infinite_if_five_are_and_four_of_the_smallest_agree() -> None:
    inf = math.inf
    for quotients, value in (
        ([5.0, inf, 1.0, 1.0, inf, inf, inf, inf, 2.0], inf),
        ([inf, inf, 1.0, 1.0, -inf, inf, inf, inf, 2.0], None),
        ([5.0, 1.0, 1.0, 1.0, inf, inf, inf, inf], None),
        ([-inf] * 9, -inf),
    ):
        limit, error = samples()._extrapolate(quotients, 1.0, 4.0)
        assert (limit if error == 0 else None) == value


def test_changes_that_stop_abruptly_are_not_slow_convergence() -> None:
    flat = samples()
    flat.noises = [0.0] * len(flat.noises)
    assert flat.converges_slowly([0.0, 5.0, 9.0, 12.0, 15.0]) and not flat.converges_slowly([0.0, 5.0, 9.0, 12.0, 12.0])
    assert not flat.converges_slowly([0.0, 5.0, 9.0, 12.0]) and not flat.converges_slowly([0.0, 1.0, 2.0, 4.0, 5.0])


def test_a_quotient_has_to_agree_with_smaller_steps_within_their_rounding() -> None:
    rounded = samples()
    rounded.steps, rounded.noises = [1.0, 4.0, 16.0, 64.0], [0.5, 0.25, 0.125, 9.0]
    # A one-sided quotient is uncertain by four times the rounding of its step.
    value, error = rounded._extrapolate([9.0, 2.0, 5.0, 4.0], 2.0, 4.0)
    assert value == 2 + (2 - 5) / 3 and math.isclose(error, 127 / 12)


@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_the_sign_of_an_infinite_slope_is_taken_where_rounding_does_not_hide_it(scale: float) -> None:
    def cusp(x: float) -> float:
        return scale * math.sqrt(abs(x - 3.6e-12)) * (0.5 + x)

    found = slope(cusp, 3.6e-12, noise=3e-5)
    assert (found.kind, found.left, found.right) == ("kink", -scale * math.inf, scale * math.inf)
    steep = slope(lambda x: scale * math.cbrt(x) + (1e-7 if x == 2.0**-60 else 0.0), 0.0)
    assert (steep.kind, steep.value) == ("steep", scale * math.inf)


CANCELLING: Final[dict[str, tuple[Callable[[float], float], Callable[[float], float]]]] = {
    "x - sin(x)": (lambda x: x - math.sin(x), lambda x: 2 * math.sin(x / 2) ** 2),
    "x - sinh(x)": (lambda x: x - math.sinh(x), lambda x: -2 * math.sinh(x / 2) ** 2),
    "tan(x) - x": (lambda x: math.tan(x) - x, lambda x: math.tan(x) ** 2),
    "x - tanh(x)": (lambda x: x - math.tanh(x), lambda x: math.tanh(x) ** 2),
    "sin(x) - x·cos(x)": (lambda x: math.sin(x) - x * math.cos(x), lambda x: x * math.sin(x)),
    "10⁶x - sin(10⁶x)": (lambda x: 1e6 * x - math.sin(1e6 * x), lambda x: 2e6 * math.sin(5e5 * x) ** 2),
    "exp(x) - 1 - x": (lambda x: math.exp(x) - 1 - x, math.expm1),
    "(x + 1)³ - 1 - 3x - 3x²": (lambda x: (x + 1) ** 3 - 1 - 3 * x - 3 * x * x, lambda x: 3 * x * x),
}


@pytest.mark.parametrize("name", CANCELLING)
def test_parts_that_cancel_leave_their_rounding(name: str) -> None:
    """Near 0 the difference is far smaller than its parts, whose rounding grows with the step."""
    f, derivative = CANCELLING[name]
    for x in (0.0, 1e-12, 1e-8, -1e-5, 1e-3, 0.1):
        found = slope(f, x, plateau(f, x))
        assert abs(found.value - derivative(x)) <= 4 * found.error < 1e-6 * (1 + abs(derivative(x))), (x, found)
    for x in (0.0, 1e-12, -1e-10, 1e-6):
        assert gradcheck(f, x, gradient=derivative).verdict != "wrong"


def test_steps_of_a_function_are_not_taken_for_rounding() -> None:
    for f, x in ((lambda x: round(x, 2), 50.003), (lambda x: round(x, 3), 50.0003), (lambda x: 0.3 * math.floor(x), 5052.65)):
        found = slope(f, x, plateau(f, x))
        assert (found.kind, found.value, found.flat) == ("smooth", 0.0, 0.0) and found.error < 1e-7
    # Whole numbers do not show whether they are rounded.
    assert not gradcheck(math.floor, 5052.65, gradient=lambda x: 1.0)
    [check] = gradcheck(math.floor, 5052.65, gradient=lambda x: 0.0).inputs
    assert (check.verdict, check.analytic) == ("unsure", 0.0) and "the function's own or come from lost" in check.reason
