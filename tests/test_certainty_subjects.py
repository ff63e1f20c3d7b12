"""What may be certified: constants in disguise, choices by a number, containers of all kinds; and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autograd import certify, cos, exp, log, sigmoid, sin, sqrt, where
from autograd.certainty import boxes


def rows_of(certificate: Any) -> list[list[str]]:
    """Return the rows of a certificate's table, each as name, lower bound, upper bound and share."""
    return [line.split() for line in str(certificate).splitlines()[2:4]]


# Ranges of width 0


@pytest.mark.parametrize(
    ("f", "value", "is_flat"),
    [
        (lambda x: x / x, 1, False),
        (lambda x: sin(x) ** 2 + cos(x) ** 2, 1, False),
        (lambda x: (x * x) / x - x, 0, False),
        (lambda x: x * x - x * x, 0, True),
        (lambda x: exp(x) / exp(x), 1, False),
        (lambda x: sigmoid(x) + sigmoid(-x), 1, False),
        (lambda x: log(exp(x)) - x, 0, False),
        (lambda x: where(x - x, 1, x / x), 1, False),
    ],
)
def test_bounds_of_a_constant_are_wider_than_its_range_by_any_share(
    f: Any, value: float, is_flat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "MOST", boxes.FEWEST)
    of_value, of_slope = rows_of(certify(f, x=(1, 2)))
    assert [of_value[0], of_value[3]] == ["value", "∞"] and float(of_value[1]) <= value <= float(of_value[2])
    assert [of_slope[0], of_slope[3]] == ["∂x", "0.0%" if is_flat else "∞"]
    assert float(of_slope[1]) <= 0 <= float(of_slope[2])


def test_bounds_that_are_exact_but_for_rounding_take_no_more_work() -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x)
        return sin(x * 0 + 1) + x * (sin(x * 0 + 2) - sin(x * 0 + 2))

    assert [row[3] for row in rows_of(certify(f, x=(1, 2)))] == ["0.0%", "0.0%"] and len(calls) < 100
    assert rows_of(certify(lambda x: x.sin() / 3 - 0.1 * x, x=1))[1][3] == "0.0%"


@pytest.mark.parametrize(
    ("f", "box", "value", "slope"),
    [
        (lambda x: exp(1000 * x), (1, 2), "0.0%", "0.0%"),  # beyond the largest float
        (lambda x: sqrt(x) ** 2, 0, "0.0%", "∞"),  # 0·∞: nothing is known of the slope
        (lambda x: sqrt(x), 0, "0.0%", "0.0%"),  # the slope is ∞
        (lambda x: where(x, x, x), (-1, 1), "0.0%", "∞"),
    ],
)
def test_shares_of_ranges_at_infinity(f: Any, box: Any, value: str, slope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "MOST", boxes.FEWEST)
    assert [row[3] for row in rows_of(certify(f, x=box))] == [value, slope]


def test_a_branch_that_a_number_does_not_choose_need_not_have_a_value() -> None:
    certificate = certify(lambda x: where(x, lambda: sin(x) / x, lambda: 1.0), x=0)
    assert certificate.value == (1, 1) and certificate.bounds("x") == (0, 0)
    assert float(certify(lambda x: where(x, lambda: 1 / x, lambda: 0.0), x=(0.5, 1)).value.high) == 2
    with pytest.raises(TypeError, match="is a number, not a condition"):
        certify(lambda x: x if x else 1.0, x=(-1, 1))
    assert math.isinf(certify(lambda x: where(x, lambda: 1 / x, lambda: 0.0), x=(0, 1)).value.high)
