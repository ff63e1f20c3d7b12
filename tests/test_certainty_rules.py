"""Rules checked on whole boxes: wrong ones are refuted, however small the place of the error, and right ones never are."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from test_certainty import boxes

from autograd import (
    Primitive,
    Unary,
    Value,
    cos,
    exp,
    floor,
    gradcheck,
    hypot,
    primitives,
    relu,
    sqrt,
    tanh,
    where,
)
from autograd.strategies import ROWS


def some(rows: Sequence[Primitive], quick: Sequence[str]) -> list[Any]:
    """Return the rows, marked as slow except for a few."""
    return [row if row.name in quick else pytest.param(row, marks=pytest.mark.slow) for row in rows]


def test_a_rule_that_is_wrong_is_refuted_on_a_box() -> None:
    careless = Unary("careless", tanh.function, lambda x, out: 1 - out)
    report = gradcheck(lambda a: careless(a) * 3, box={"a": (0.2, 1)})
    assert report.verdict == "wrong" and not report
    [rule] = [rule for rule in report.rules if rule.verdict == "wrong"]
    assert rule.name == "∂careless/∂x" and rule.where[0]["a"][0] >= 0.2 and "∂careless/∂x" in str(report)
    assert gradcheck(lambda x: tanh(x) * exp(x), box={"x": (1, 3)}).verdict == "correct"
    assert gradcheck(lambda digits: tanh(digits), box={"digits": (1, 3)}).verdict == "correct"


@pytest.mark.parametrize("factor", [1.1, *[pytest.param(x, marks=pytest.mark.slow) for x in (2.0, 0.0, -1.0, 1.001)]])
def test_an_error_in_a_hundredth_of_a_box_is_refuted(factor: float) -> None:
    rng = random.Random(factor)
    for row in (primitives.sin, primitives.exp, primitives.tanh, primitives.log):
        low = rng.uniform(0.5, 1.5)
        at = low + rng.uniform(0.01, 0.98)

        def rule(x: Any, out: Any, row: Any = row, at: float = at) -> Any:
            return row.partial(x, out) * where(abs(x - at) < 0.005, factor, 1)

        report = gradcheck(replace(row, partial=rule), box={"x": (low, low + 1)})
        assert report.verdict == "wrong"
        [found] = report.rules
        assert found.where[0]["x"][0] < at + 0.005 and found.where[0]["x"][1] > at - 0.005
    frozen = replace(primitives.sin, partial=lambda x, out: cos(x) * (factor if 1.3 < x < 1.31 else 1))
    assert gradcheck(frozen, box={"x": (1, 2)}).verdict == "wrong"


@pytest.mark.slow
def test_an_error_in_a_hundredth_of_an_area_is_refuted() -> None:
    def wrong(x: Any, y: Any, out: Any) -> Any:
        return y * where(abs(x - 0.33) + abs(y - 0.77) < 0.07, 1.3, 1)

    report = gradcheck(replace(primitives.multiply, partial_x=wrong), box={"x": (0, 1), "y": (0, 1)})
    assert [rule.verdict for rule in report.rules] == ["wrong", "correct"]


@pytest.mark.parametrize("row", some([row for row in ROWS if row.arity == 1], ("tanh", "relu")), ids=lambda row: row.name)
def test_no_rule_of_the_table_is_refuted_but_its_mutants_are(row: Primitive) -> None:
    assert isinstance(row, Unary)
    [[(low, high)]] = boxes(row, random.Random(row.name), 0.05, 1)
    report = gradcheck(row, box={"x": (low, high)})
    assert report.verdict != "wrong" and (report or row.kink is not None)
    mutant = replace(row, partial=lambda x, out: row.partial(x, out) + 0.01)
    assert gradcheck(mutant, box={"x": (low, high)}).verdict == "wrong"


@pytest.mark.parametrize(
    ("f", "box", "places"),
    [
        (floor, (0.5, 2.5), [1.0, 2.0]),
        *[pytest.param(*case, marks=pytest.mark.slow) for case in (
            (primitives.sign, (-1, 1), [0.0]),
            (sqrt, (0, 1), [0.0]),
            (primitives.log, (-1, 1), [0.0]),
            (primitives.tan, (1, 2), [math.pi / 2]),
        )],
    ],
)  # fmt: skip
def test_jumps_and_edges_are_listed_not_refuted(f: Any, box: tuple[float, float], places: Sequence[float]) -> None:
    report = gradcheck(f, box={"x": box})
    assert report.verdict == "undecided" and len(report.rules[0].where) == len(places)
    for where_open, place in zip(report.rules[0].where, places, strict=True):
        assert where_open["x"][0] <= place <= where_open["x"][1] + 1e-9


def test_boxes_are_divided_at_an_if_in_a_function_or_a_rule() -> None:
    own = Unary("own", lambda x: x if x > 0 else 0.5 * x, lambda x, out: 1 if x > 0 else 0.5)
    assert gradcheck(own, box={"x": (0.5, 1)}).verdict == "correct"
    report = gradcheck(own, box={"x": (-1, 1)})
    assert report.verdict == "undecided" and [round(end, 9) for end in report.rules[0].where[0]["x"]] == [0, 0]
    assert gradcheck(replace(own, partial=lambda x, out: 1 if x > 0 else 0.4), box={"x": (-1, 1)}).verdict == "wrong"


def test_a_report_on_a_box_is_a_table_in_a_notebook() -> None:
    report = gradcheck(primitives.multiply, box={"x": (1, 2), "y": (3, 4)})
    assert report and report._repr_html_().count("<tr>") == 1 + len(report.rules) == 3


@pytest.mark.slow
def test_a_rule_with_a_kink_is_correct() -> None:
    for g in (relu, abs):
        assert gradcheck(lambda x, g=g: g(x), box={"x": (-1, 2)}).verdict == "correct"


def test_a_midpoint_that_is_not_a_float_raises_no_alarm() -> None:
    assert gradcheck(primitives.square, box={"x": (1.7599505050000001, 1.777833559)}).verdict == "correct"
    assert gradcheck(primitives.square, box={"x": (0.1, 0.7)}).verdict == "correct"


@pytest.mark.slow
def test_gradcheck_takes_a_box_of_two_sides_or_around_a_node() -> None:
    assert gradcheck(hypot, box={"x": (1, 1.1), "y": (0.5, 0.6)}).verdict == "correct"
    x = Value(1.5, label="x")
    assert gradcheck(x * x + 2, box={"x": (1, 2)})
