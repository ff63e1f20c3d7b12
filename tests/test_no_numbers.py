"""Certificates where a number is missing: a branch that was never called, NaN, and a row's convention.

The idea: an unknown number is never certified, and a claim that cannot be decided is not proved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Unary, Value, arctan2, certify, floor, gradcheck, hypot, maximum, relu, sqrt, where

INFINITE: Any = (-math.inf, math.inf)


@pytest.mark.parametrize("use", [
    lambda y, x: certify(y, x=(-2, -1)),
    lambda y, x: certify(y, x=(-1, 1)),
    lambda y, x: gradcheck(y, box={"x": (-2, -1)}),
    lambda y, x: certify(where(x * 0.1 * 10 > 1, lambda: 3 * x, lambda: 2 * x)),  # 1 only because of rounding
])  # fmt: skip
def test_a_branch_that_was_not_called_is_refused(use: Callable[[Value, Value], Any]) -> None:
    x = Value(1.0, label="x")
    y = where(x > 0, lambda: 3 * x, lambda: 2 * x)
    with pytest.raises(ValueError, match="a branch that was not called when the graph was recorded; pass numbers or nodes"):
        use(y, x)
    assert certify(y, x=(1, 2)).bounds("x") == (3, 3)


def test_nothing_is_known_where_a_number_is_nan() -> None:
    z, u = Value(0.0, "z"), Value(0.0, "u")
    for loss in (z * math.nan, z / math.nan, z * math.nan + 1, (z * math.nan) ** 2):
        assert certify(loss).value == INFINITE
    certificate = certify(arctan2(z, u))  # no slope has a limit there
    assert certificate.bounds("z") == certificate.bounds("u") == INFINITE
    rule = Unary("rule", lambda x: x * x, lambda x, out: x / where(x > 0, 1, math.nan))
    assert certify(rule(z)).bounds("z") == INFINITE
    assert certify(where(z > 1, math.nan, z * 2)).bounds("z") == (2, 2)  # NaN is in the branch that is not taken


def test_a_claim_about_a_point_is_open_where_nothing_is_known() -> None:
    open_claim = certify(lambda z: arctan2(z, 0.0), z=0.0).claim(lambda z: z < 1)
    assert open_claim.verdict == "undecided" and str(open_claim) == "undecided on z = 0"
    square = certify(lambda z: z * z, z=0.5)
    assert [square.claim(lambda z, limit=limit: z < limit).verdict for limit in (1, 1.5)] == ["refuted", "proved"]


def test_conventions_and_ties_that_rounding_made_are_pointed_out() -> None:
    z, x = Value(0.0, "z"), Value(0.1, "x")
    assert certify(z**z).notes == ["loss = z^z is at a singular point; its rule's choice there is certified, "
                                   "the local derivative 0, 0"]  # fmt: skip
    note = "because of rounding, backward() is at a kink or a jump, where it may take a different branch from the exact numbers"
    for loss in (maximum(x * 10, 1.0), relu(x * 10 - 1), abs(x * 10 - 1)):  # exactly, x·10 is larger than 1
        certificate = certify(loss)
        assert certificate.notes[0].endswith(note)
        assert certificate.bounds("x") == (10, 10) and certificate.ulps("x") > 1e15
    assert certify(floor(x * 10)).notes == [f"loss = ⌊v1⌋: {note}"]  # it did not: exactly, the floor is 1, too


@pytest.mark.parametrize(("f", "point"), [(lambda x: hypot(sqrt(x), x), (0.0,)), (lambda x, y: arctan2(x, y) + x, (0.0, 0.0))])
def test_without_a_numeric_slope_no_gradient_is_called_wrong(f: Callable[..., Any], point: tuple[float, ...]) -> None:
    for order in (1, 2):
        assert gradcheck(f, *point, order=order).verdict in ("domain", "kink", "unsure")
