"""The perceptron: the rule step by step, convergence, and classes that no line separates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import Perceptron
from nn.data import truth_table

points = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=8, unique=True)


def rule(X: Any, y: list[int], above: bool, epochs: int = 100) -> tuple[np.ndarray, list[int]]:
    """Train by hand, with a unit that fires from a net input of 0 on, or only `above` it."""
    w, mistakes = np.zeros(3), []
    for _ in range(epochs):
        wrong = 0
        for x, t in zip(X, y, strict=True):
            row = np.array([*x, 1.0])
            o = int(w @ row > 0) if above else int(w @ row >= 0)
            w = w + (t - o) * row
            wrong += t != o
        mistakes.append(wrong)
        if not wrong:
            break
    return w, mistakes


@pytest.mark.parametrize("name", ["and", "or", "nand", "nor"])
def test_gates_are_learned_by_the_rule(name: str) -> None:
    X, y = truth_table(name)
    unit = Perceptron(2)
    outcome = unit.fit(X, y)
    w, mistakes = rule(X, y, above=False)
    assert outcome.mistakes == mistakes and outcome.converged and str(outcome).startswith("converged: mistakes per epoch ")
    assert [parameter.data for parameter in unit.parameters()] == w.tolist()
    assert unit.predict(X) == y


@given(points, st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3)))
def test_separable_data_are_always_learned(X: list[tuple[int, int]], line: tuple[int, int, int]) -> None:
    y = [int(line[0] * a + line[1] * b + line[2] >= 0) for a, b in X]
    unit = Perceptron(2)
    assert unit.fit(X, y, epochs=10_000).separable is True
    assert unit.predict(X) == y


@given(points, st.data())
def test_the_verdict_is_that_of_an_exact_search(X: list[tuple[int, int]], data: st.DataObject) -> None:
    y = data.draw(st.lists(st.integers(0, 1), min_size=len(X), max_size=len(X)))
    outcome = Perceptron(2).fit(X, y, epochs=10_000)
    assert outcome.separable is not None
    if outcome.separable is False:
        # The convex hulls of the classes meet, so their projections overlap in every direction.
        angles = np.linspace(0, 2 * np.pi, 721)
        rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ np.array(X).T
        ones = np.array(y) == 1
        assert ones.any() and not ones.all()
        assert (rows[:, ones].min(axis=1) <= rows[:, ~ones].max(axis=1) + 1e-9).all()


@pytest.mark.parametrize("name", ["xor", "xnor"])
def test_xor_fails_and_says_why(name: str) -> None:
    X, y = truth_table(name)
    outcome = Perceptron(2).fit(X, y)
    assert outcome.separable is False and not outcome.converged and min(outcome.mistakes) > 0
    assert "no line separates these classes: after epoch" in str(outcome)


def test_weights_that_recur_after_one_epoch_are_the_initial_ones() -> None:
    outcome = Perceptron(1).fit([[1.0], [1.0]], [0, 1])
    assert "after epoch 1 the weights are those after epoch 0 again" in str(outcome)


def test_the_cap_on_epochs() -> None:
    X, y = [[float(i)] for i in range(40)], [int(i >= 37) for i in range(40)]
    outcome = Perceptron(1).fit(X, y, epochs=5)
    assert outcome.separable is None and len(outcome.mistakes) == 5
    assert str(outcome).startswith("not converged in 5 epochs: more may help, or no line separates these classes; mistakes")
    longer = Perceptron(1).fit(X, y, epochs=10_000)
    assert longer.converged and len(str(longer)) < 120


def test_why_it_fires_at_zero_while_it_is_trained() -> None:
    # If training fired only above 0, this example would count as learned at once; but predicting, which fires at 0, gives 1.
    X, y = [[1.0, 1.0]], [0]
    w, mistakes = rule(X, y, above=True)
    assert mistakes == [0] and w.tolist() == [0.0, 0.0, 0.0] and Perceptron(2).predict(X) == [1.0]
    unit = Perceptron(2)
    assert unit.fit(X, y).mistakes == [1, 0] and unit.predict(X) == [0.0]


def test_the_learning_rate_only_scales() -> None:
    X, y = truth_table("and")
    one, half = Perceptron(2), Perceptron(2)
    assert one.fit(X, y).mistakes == half.fit(np.array(X), np.array(y), lr=0.5).mistakes
    assert [p.data for p in one.parameters()] == [2 * p.data for p in half.parameters()]


def test_a_threshold_has_no_slope() -> None:
    unit = Perceptron(2)
    unit([1.0, 2.0]).backward()
    assert [parameter.grad for parameter in unit.parameters()] == [0.0, 0.0, 0.0]
    assert repr(unit) == "Perceptron(2)" and unit.w[0].label == "w0"


@pytest.mark.parametrize(("X", "y", "options", "message"), [
    ([[0.0, 1.0]], [-1], {}, "a perceptron's target is 0 or 1; got -1"),
    ([[0.0, 1.0]], [0.5], {}, "got 0.5"),
    ([[0.0, 1.0]], [0, 1], {}, "got 1 and 2"),
    ([], [], {}, "got 0 and 0"),
    ([[0.0]], [0], {}, "takes 2 inputs; got 1"),
    ([[0.0, 1.0]], [0], {"lr": 0.0}, "lr is a positive number and epochs at least 1; got 0.0"),
    ([[0.0, 1.0]], [0], {"epochs": 0}, "got 1.0 and 0"),
    ([[0.0, 1.0]], [0], {"lr": math.inf}, "lr is a positive number and epochs at least 1; got inf"),
    ([[0.0, 1.0]], [0], {"lr": "a"}, "lr is a positive number and epochs at least 1; got 'a'"),
    ([[0.0, 1.0]], [0], {"epochs": 2.5}, "got 1.0 and 2.5"),
    ([[0.0, 1.0], [math.nan, 1.0]], [0, 1], {}, r"example 1: .* so they are finite; got \[nan, 1.0\]"),
    ([[0.0, 1.0], [1.0, -math.inf]], [0, 1], {}, r"example 1: .* so they are finite; got \[1.0, -inf\]"),
    (np.array([[math.inf, 1.0]]), [0], {}, "example 0: .* so they are finite"),
    ([[0.0, 1.0]] * 2, [[0], [2]], {}, "example 1: a perceptron's target is 0 or 1; got 2"),
    ([[0.0, 1.0]] * 2, [[0, 1], [1, 0]], {}, r"example 0: a perceptron's target is 0 or 1; got \[0, 1\]"),
    ([[0.0, 1.0]], [math.nan], {}, "example 0: a perceptron's target is 0 or 1; got nan"),
])  # fmt: skip
def test_wrong_examples_and_options_are_refused(X: Any, y: Any, options: dict[str, Any], message: str) -> None:
    unit = Perceptron(2)
    with pytest.raises(ValueError, match=message):
        unit.fit(X, y, **options)
    assert [parameter.data for parameter in unit.parameters()] == [0.0] * 3


def test_inputs_that_are_not_numbers_are_refused_by_example() -> None:
    with pytest.raises(TypeError, match="example 1: 'a' is a str; pass a real number"):
        Perceptron(2).fit([[0.0, 1.0], [0.0, "a"]], [0, 1])


def test_targets_in_a_column() -> None:
    X, y = truth_table("and")
    pandas = pytest.importorskip("pandas")
    column = [[t] for t in y]
    for given_y in (column, np.array(column), pandas.DataFrame({"y": y}), pandas.Series(y), [Value(float(t)) for t in y]):
        unit = Perceptron(2)
        assert unit.fit(X, given_y).converged and unit.predict(X) == y


def test_one_epoch_may_be_enough() -> None:
    outcome = Perceptron(1).fit([[1.0], [-1.0]], [1, 0], epochs=1)
    assert len(outcome.mistakes) == 1
