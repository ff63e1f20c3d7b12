"""Random programs agree in every reading, and a planted fault is found and shrunk; see `differential`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import differential
import pytest
from differential import Disagreement, disagreement, drawn, shrunk, tried

from autograd import primitives, transforms
from autograd.strategies import ROWS

FRESH = 1_000_000  # the first seed of those that were not used while the readings were written


@pytest.mark.parametrize("count", [25, pytest.param(300, marks=pytest.mark.slow)])
def test_every_reading_agrees(count: int) -> None:
    assert tried(range(FRESH, FRESH + count)) == []


def test_programs_are_of_every_kind() -> None:
    cases = [drawn(seed) for seed in range(400)]
    rows = {row for case in cases for row, _ in case.program.instructions}
    assert rows == set(ROWS)
    assert {case.is_tame for case in cases} == {True, False}
    assert any(len(case.outputs) > 1 for case in cases)
    leaves = [x for case in cases for x in case.program.leaves]
    assert any(map(math.isnan, leaves)) and math.inf in leaves and -math.inf in leaves and min(map(abs, leaves)) == 0.0
    assert any(0 < abs(x) < 1e-300 for x in leaves)


def first_found() -> Disagreement:
    for seed in range(1000):
        found = disagreement(drawn(seed))
        if found is not None:
            return shrunk(found)
    raise AssertionError("no program shows the fault")


def wrong(row: Any, **changed: Any) -> tuple[Any, ...]:
    return tuple([replace(row, **changed) if each is row else each for each in ROWS])


def test_a_wrong_rule_is_found_by_mpmath_which_has_no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differential, "ROWS", wrong(primitives.square, partial=lambda x, out: 3 * x))
    found = first_found()
    assert found.reading == "the gradient of mpmath"
    assert [row.name for row, _ in found.case.program.instructions] == ["square", "positive"], found


@pytest.mark.parametrize(
    ("name", "instead", "reading"),
    [
        ("both", lambda one, other: one, "gradients"),  # ignores that a branch is not taken
        ("_chain", lambda upstream, partial, is_hot: partial, "gradients"),  # ignores the upstream gradient
    ],
)
def test_a_fault_of_one_reading_is_found(
    name: str, instead: Callable[..., Any], reading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transforms, name, instead)
    found = first_found()
    assert reading in found.reading, found
    assert len(found.case.program.instructions) <= 4, found
