"""Certificates of one graph and enclosures at the edges of their definitions: kinks, open questions, errors and limits."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autograd import DomainError, Unary, Value, certify, exp, floor, leaky_relu, maximum, minimum, relu, sqrt, total, where
from autograd.certainty.enclosure import Assumptions, Enclosure, NoEnclosureError, by_cases, derivatives
from autograd.certainty.intervals import between, describe
from autograd.certainty.points import GraphCertificate
from autograd.certainty.subjects import Subject
from autograd.certainty.tables import bits
from autograd.primitives import ceil, hypot, prelu, sign


def leaf(low: float, high: float) -> Enclosure:
    """Return a leaf that stands for an interval."""
    return Enclosure.leaf(between(low, high))


def test_a_kink_is_certified_where_the_operand_is_exactly_there() -> None:
    bend = relu(Value(0.0, label="x"))
    found = GraphCertificate(bend, 17)
    assert found.kinks == (bend,) and found.precision == bits(17)
    assert "is at a kink or a jump; its rule's choice there is certified, the local derivative 0" in found.notes[0]


@pytest.mark.parametrize(("sign", "doubled"), [(1, 32), (-1, 1)])  # with -1, value and slope are 0 either way
def test_a_kink_at_an_end_of_the_operands_interval_is_open_after_five_doublings(sign: int, doubled: int) -> None:
    root = sqrt(Value(2.0, label="x"))
    zero = root * root - 2  # exactly 0, but known only as an interval around 0; that of its square begins at 0
    bend = relu(sign * (zero * zero))
    found = GraphCertificate(bend, 17)
    assert found.kinks == (bend,) and found.precision == doubled * bits(17)
    assert f"too near a kink or a jump to decide with {found.precision} bits" in found.notes[0]


def test_a_kink_that_rounding_steps_over_is_pointed_out() -> None:
    one = Value(1.0, label="x")
    low = one + 1e-17 - 1 - 5e-18  # in floats -5e-18, exactly 5e-18
    high = low + 1e-17
    across = [relu(low), relu(-low), abs(low), leaky_relu(low), sign(low), floor(low), ceil(low), 3 % low, low > 0, -low < 0]
    across += [hypot(low, 0), prelu(low, one), maximum(low, 0), minimum(one, low * 1e18), where(low > 0, one, 2)]
    for y in across:
        assert certify(y).notes[-1].endswith("backward() took a different branch from the exact numbers"), y
    for y in (low, abs(high), relu(high), low < high, maximum(low, high), floor(low + 0.5), high % one, prelu(high, one)):
        assert not certify(y).notes, y


def test_an_error_that_does_not_reach_the_result_is_not_named() -> None:
    x, zero = Value(3.0, label="x"), Value(0.0, label="z")
    assert GraphCertificate(where(x > 0, x * x, x / 10), 17).lost_at() is None  # the quotient is in the branch not taken
    assert GraphCertificate(sqrt(zero * x), 17).lost_at() is None  # an infinite slope times an error of 0


def test_a_function_of_rounded_operands_may_be_undefined_without_rounding() -> None:
    late = Unary("late", lambda x: sqrt(1 + x - 1), lambda x, out: 1 + x)
    shifted = Value(1.0, label="x") + 1e-17  # the difference is in floats -5e-18, exactly 5e-18
    assert GraphCertificate(late(shifted - 1 - 5e-18), 17).lost_at() is shifted


def test_how_far_off_a_number_is_and_where_it_was_lost() -> None:
    x, z = Value(1e200, label="x"), Value(1.0, label="z")
    tenth = z / 10
    found = GraphCertificate(x * 1e-200 + tenth, 17)
    for ulps, off, is_placed in (
        (0.5, "0.5 ulp", False), (0.5001, "0.5 ulp", False), (0.51, "0.51 ulp", True), (2.0**53, "9.01e+15 ulp", True),
        (2.0**53 + 2, "all digits", True), (math.inf, "∞", False), (math.nan, "no bounds", False),
    ):  # fmt: skip
        *_, shown, at = found._row("y", found.value, 1.0, ulps, found.loss)
        assert (shown, bool(at)) == (off, is_placed), ulps


def test_a_table_has_twenty_leaves_and_formulas_of_thirty_columns() -> None:
    for n in (20, 21):
        text = str(GraphCertificate(total([Value(float(i), label=f"x{i}") for i in range(n)]), 17))
        assert text.count("∂x") == 20 and ("1 more leaves are off by no more" in text) is (n > 20)
    for n in (25, 26):
        y = exp(Value(1.0, label="a" * n))
        assert GraphCertificate(y, 17)._shown(y).endswith(f"exp({'a' * n})" if n == 25 else "exp(…)")


def test_open_comparisons_are_split_into_cases_up_to_a_limit() -> None:
    x = leaf(-1, 2)

    def three_bends() -> Any:
        return relu(x) + relu(x - 1 / 4) + relu(x - 1 / 2)

    def four_bends() -> Any:
        return three_bends() + relu(x - 1)

    assert [len(by_cases(lambda: relu(x) + relu(x - 1), most)[1]) for most in (1, 2, 3)] == [1, 4, 4]
    assert [len(by_cases(sums)[1]) for sums in (three_bends, four_bends)] == [8, 1]

    def half() -> Any:
        if x > 0:
            return x
        raise DomainError("undefined here")

    whole, cases = by_cases(half)
    assert whole.y is None and sorted(case.y is x for case in cases) == [False, True]
    assert sorted(case.y is None for case in cases) == [False, True]
    assert Assumptions((True,)).under(lambda: bool(x > 0))


def test_a_plain_number_is_a_constant_with_the_slope_0() -> None:
    x = leaf(1, 2)
    assert [describe(slope.bounds) for slope in derivatives(3.0, [x, x])] == ["0", "0"]
    for y in (3, Value(3.0)):
        assert describe(Subject(lambda x, y=y: y, {"x": (1, 2)})([x]).bounds) == "3"
    untyped: Any = x
    with pytest.raises(AttributeError):
        _ = untyped.nothing


def test_why_a_function_cannot_be_read_on_intervals_is_said_once() -> None:
    for function, why in (
        (lambda x: x + float(x), ". Write it"),
        (lambda x: x + int("a"), " (ValueError: invalid literal for int() with base 10: 'a'). Write it"),
    ):
        with pytest.raises(NoEnclosureError) as caught:
            Unary("rough", function, lambda x, out: x)(leaf(1, 2))
        assert f"its function takes only numbers{why}" in str(caught.value)


def test_a_choice_is_continuous_where_its_branches_meet() -> None:
    x, y, z = leaf(-1, 1), leaf(-1, 2), leaf(-2, 1)
    meets = [where(x > 0, product, 0.0).is_smooth for product in (x * y, y * x, y * z)]
    assert meets == [True, True, False]


def test_twelve_sides_of_a_box_are_named() -> None:
    for n in (12, 13):
        subject = Subject(lambda **x: total([*x.values()]), {f"x{i}": i for i in range(n)})
        assert subject.text(subject.box).count("=") == 12 and subject.text(subject.box).endswith("…") is (n > 12)
