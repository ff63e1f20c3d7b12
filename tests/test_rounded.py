"""Numbers that are rounded at random: they show how far the results of a computation wander, and change nothing else."""

from __future__ import annotations

import math
from random import Random

import pytest

from autograd.checking.rounding import Rounded, spread
from autograd.primitives import Primitive, Unary, add, exp, power, tanh, total, where


def test_a_rounded_number_wanders_by_a_unit_in_its_last_place_at_every_operation() -> None:
    exact, chance = Rounded(0.1, None) + 0.2, Random(1)
    assert float(exact) == 0.1 + 0.2 and repr(exact) == "Rounded(0.30000000000000004)"
    for row, operands in ((add, (0.1, 0.2)), (exp, (1.0,)), (power, (3.0, 0.5))):
        out = row.evaluate(operands)
        found = {float(row.apply([Rounded(x, chance) for x in operands])) for _ in range(50)}
        assert found == {out - math.ulp(out), out, out + math.ulp(out)}


def test_a_rounded_number_is_otherwise_a_number() -> None:
    x = Rounded(2.0, Random(1))
    assert (x > 1) is True and bool(x) and bool(Rounded(1.0, None)) and not Rounded(0.0, None)
    assert float(where(x > 3, x, 7.0)) == pytest.approx(7.0, rel=1e-15)
    assert (exp(x * 1e3), exp(x * 1e3) > 0) == (math.inf, True)
    with pytest.raises(TypeError, match="'Rounded' and 'object'"):
        x + object()


def wandering(row: Primitive, *numbers: float) -> float:
    """Return by how much a row's result wanders."""
    chance = Random(1)
    return spread(lambda: (float(row.apply([Rounded(x, chance) for x in numbers])),))[0]


def test_a_row_made_of_rows_is_rounded_inside() -> None:
    coarse = Unary("coarse", lambda x: (x + 1e8) - 1e8, lambda x, out: 1)
    assert 1e-8 < wandering(coarse, 0.1) < 1e-7 and 0 < wandering(tanh, 0.1) < 1e-16
    # A sum wanders by as much as its largest operand.
    assert 1e-8 < wandering(total, 1e8, 0.5, -1e8) < 1e-7 and wandering(total, 1.0, 0.5) < 1e-15
    with_numbers = Unary("with_numbers", lambda x: math.sin(x), lambda x, out: 1)
    assert 0 < wandering(with_numbers, 0.5) < 1e-15


def test_results_that_are_infinite_or_missing_do_not_count_as_rounding() -> None:
    results = iter([(1.0, math.inf), (1.5, 2.0), (math.nan, -math.inf), (1.25, 2.5), (1.0, 2.0)])
    assert spread(lambda: next(results)) == [0.5, 0.5]  # the sixth run ends in an error
    assert spread(lambda: (math.inf,)) == [0.0] and spread(lambda: (math.log(-1.0),)) == [0.0, 0.0]
