"""Which numbers graders and answers accept: points from 0 on, and decimals just like fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from autograd import Value
from autograd.exercises import AnswerError, Exercise, exercise, grade


def task() -> Exercise:
    w, x = Value(3.0, "w"), Value(2.0, "x")
    return exercise((w * x - 5) ** 2, ask=[w])


@pytest.mark.parametrize("points", [float("nan"), -1, float("inf"), "4", None, [4]])
def test_invalid_points_are_refused_by_name(points: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        grade(task(), {"w": 4}, points=points)
    assert str(caught.value).startswith(f"points is {points!r}; give what all these answers are worth")
    assert isinstance(caught.value, ValueError) == isinstance(points, int | float)


def test_points_may_be_any_number_from_zero_on() -> None:
    assert [grade(task(), {"w": 4}, points=worth) for worth in (0, 0.5, 4, True)] == [0, 0.5, 4, 1]


def test_a_decimal_is_an_answer_like_a_fraction() -> None:
    for answer in (Decimal(4), Decimal("4.000"), Fraction(4), Decimal("3.9996")):
        assert task().mark({"w": answer})
    assert not task().mark({"w": Decimal("3.9")}) and not task().mark({"w": Decimal("1e400")})
    for wrong in ("NaN", "sNaN"):
        with pytest.raises(AnswerError, match=rf"Decimal\('{wrong}'\) is not an answer"):
            task().mark({"w": Decimal(wrong)})
