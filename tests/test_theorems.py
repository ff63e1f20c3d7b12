"""The rules as theorems: on which pieces they hold, what is printed for Coq, and that Coq accepts only the right ones."""

from __future__ import annotations

import itertools
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "theorems"))

import prover
from coq import definition, term
from networks import gradients
from pieces import PIECES, members, pieces
from prover import AXIOMS, Refused, accepted
from statements import PROVED, names_of, theorems
from test_mutations import GRID
from wrong import attempt, verdicts, wrong_theorems

from autograd import Unary, Value, dot, maximum, multiply, primitives, relu, sigmoid, subtract, tanh, walk
from autograd.primitives import DomainError, Primitive, arctan2, erf, power
from autograd.strategies import ROWS
from autograd.symbol import Symbol

README = prover.README.read_text(encoding="utf-8")
SAMPLED = 20  # one wrong theorem in twenty is tried here; `python tests/theorems/prover.py --wrong` tries all
SWISH = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
POWER_2 = next(row for row in PROVED if row.name == "power_2")
x, y, out = Symbol("x"), Symbol("y"), Symbol("out")


@pytest.fixture
def coq() -> None:
    """Skip a test where Coq or its library of real analysis is missing."""
    if prover.missing():
        pytest.skip(prover.missing())


# On which pieces the rules hold


def is_smooth(row: Primitive, data: Sequence[float], i: int) -> bool:
    """Whether the slopes of a row along its operand i, to the left and to the right of a point, both equal its rule."""
    h = 1e-6
    try:
        left, here, right = [row.evaluate([*data[:i], data[i] + step, *data[i + 1 :]]) for step in (-h, 0.0, h)]
        [slope] = row.partials(data, here, [i])
    except DomainError:
        return False
    return all(math.isclose(found / h, slope, rel_tol=1e-3, abs_tol=1e-3) for found in (right - here, here - left))


@pytest.mark.parametrize("row", PROVED, ids=lambda row: row.name)
def test_every_point_where_a_row_is_smooth_is_on_a_piece(row: Primitive) -> None:
    names = names_of(row)
    grid = GRID[:: max(1, len(names) - 1)]
    for i, name in enumerate(names):
        covered = {tuple(point.values()) for piece in pieces(row, name) for point in members(piece, names, grid)}
        for data in itertools.product(grid, repeat=len(names)):
            if not is_smooth(row, data, i):
                assert data not in covered or row.kink is None
                continue
            at_kink = row.kink is not None and row.kink(*data) == 0  # along a kink, or where two branches have the same slope
            same = row.is_choice and data[1] == data[2]
            assert data in covered or at_kink or same, (name, data)


def test_pieces_are_those_of_rows_and_operands() -> None:
    rows = {row.name: row for row in PROVED}
    for key in PIECES:
        name, _, operand = key.partition(" ")
        assert not operand or operand in names_of(rows[name])
    assert {row.name for row in ROWS} <= set(rows)  # no row is left out
    assert all({theorem.operand for theorem in theorems(row)} == {*names_of(row)} for row in PROVED)


# What is printed


def test_the_readme_says_what_is_proved() -> None:
    before, text, after = re.split(r"<!-- (?:table|end of the table) -->\n?", README)
    assert text.rstrip("\n") == prover.table()
    assert prover.counted(prover.text()) in before and not after


def test_the_readme_shows_what_is_printed() -> None:
    printed = prover.text().splitlines()
    shown = [line for block in re.findall(r"```coq\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    assert len(shown) > 20 and all(line in printed for line in shown)


def test_a_formula_is_printed_as_it_is_computed() -> None:
    assert term(-x * x - (x - (y - 1)) / (2 * y)) == "-x * x - (x - (y - 1)) / (2 * y)"
    assert term(primitives.exp(-tanh(x) + 1) * 0.25) == "row_exp (-row_tanh x + 1) * (1 / 4)"
    assert term(primitives.where(x + 1 > y, x, -0.5)) == "choose (x + 1 >? y) x (-1 / 2)"
    assert term(primitives.where(abs(x) < math.inf, x, math.nan)) == "x"
    assert term(x * math.log(2) + math.nan) == "x * (ln 2) + nan"


def test_a_function_of_numbers_that_coq_does_not_know_is_named() -> None:
    gamma = Unary("gamma", lambda x: math.gamma(x), lambda x, out: out)
    with pytest.raises(ValueError, match="the function of the row 'gamma' takes only numbers, and FUNCTIONS does not say"):
        definition(gamma, 1)


def test_a_leaf_that_is_used_twice_is_refused() -> None:
    w = Value(2.0, label="w")
    with pytest.raises(ValueError, match="several paths lead from loss to w"):
        [*gradients(walk(w * w), [w], "square")]


# What Coq says


def axioms(printed: str) -> set[str]:
    """Return the names of the axioms that Coq prints."""
    assert printed.startswith("Axioms:\n")
    return set(re.findall(r"^([\w.]+)\s*:", printed.partition("\n")[2], re.MULTILINE))


@pytest.mark.slow
def test_coq_accepts_every_theorem(coq: None) -> None:
    assert axioms(accepted(prover.text())) == AXIOMS


@pytest.mark.slow
def test_wrong_rules_are_refused(coq: None) -> None:
    wrong = [*wrong_theorems()]
    assert {theorem.row for *_, theorem in wrong} == {*PROVED}
    # The right rules are accepted in the same way, also those whose proof is not ``smooth``.
    right = [("right", "", theorem) for row in (relu, dot, power, arctan2, erf) for theorem in theorems(row)]
    tried = wrong[::SAMPLED]
    printed = verdicts(accepted(attempt([*right, *tried])))
    assert printed[: len(right)] == [f"accepted: {theorem.name}, right" for *_, theorem in right]
    assert printed[len(right) :] == [f"refused: {theorem.name}, {what}" for what, _, theorem in tried]


@pytest.mark.slow
def test_a_user_defined_row_is_proved(coq: None) -> None:
    accepted(prover.text([SWISH], []))
    wrong = Unary("swish", SWISH.function, lambda x, out: out + sigmoid(x))
    with pytest.raises(Refused, match="Coq refuses the theorem swish_x"):
        accepted(prover.text([wrong], []))


@pytest.mark.slow
def test_a_wrong_step_of_a_network_is_refused(coq: None) -> None:
    w, i, t = Value(0.5, "w"), Value(2.0, "i"), Value(1.0, "t")
    rows = [multiply, subtract, sigmoid, POWER_2]
    right = [*gradients(walk((sigmoid(w * i) - t) ** 2), [w], "neuron")]
    accepted(prover.text(rows, right))
    wrong = [line.replace("v2 * (1 - v2) in", "v2 in").replace("(v2 * (1 - v2)) in", "v2 in") for line in right]
    assert wrong != right
    with pytest.raises(Refused, match="Coq refuses the theorem neuron_w"):
        accepted(prover.text(rows, wrong))


@pytest.mark.slow
def test_an_admitted_theorem_is_noticed(coq: None) -> None:
    printed = accepted(prover.text([maximum], ["Theorem false : 0 = 1. Admitted."]))
    assert "false" in axioms(printed) - AXIOMS
