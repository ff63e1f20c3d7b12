"""Losses: their values, their derivatives by formula, their limits, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import DomainError, Value, log, negative, sigmoid, softmax, walk
from nn import Layer, accuracy, fit
from nn.losses import (
    LOSSES,
    PROBABILITIES,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    boundary,
    categorical_cross_entropy,
    cross_entropy,
    hinge,
    l2,
    mean_squared_error,
    one_hot,
    squared_error,
    unsuited,
)

numbers = st.floats(-20, 20)
lists = st.lists(numbers, min_size=2, max_size=5)


def slopes(loss: Callable[..., Any], outputs: list[float], targets: Any) -> list[float]:
    leaves = [Value(y) for y in outputs]
    loss(leaves, targets).backward()
    return [leaf.grad for leaf in leaves]


@given(lists, st.data())
def test_squared_errors(outputs: list[float], data: st.DataObject) -> None:
    targets = data.draw(st.lists(numbers, min_size=len(outputs), max_size=len(outputs)))
    away = np.array(outputs) - np.array(targets)
    assert squared_error(outputs, targets) == pytest.approx(float(away @ away))
    assert squared_error(outputs, targets, half=True) == pytest.approx(float(away @ away) / 2)
    assert mean_squared_error(outputs, targets) == pytest.approx(float(np.mean(away**2)))
    assert squared_error(outputs, targets, half=True, reduce="mean") == pytest.approx(float(np.mean(away**2)) / 2)
    assert slopes(squared_error, outputs, targets) == pytest.approx((2 * away).tolist())
    assert slopes(lambda y, t: squared_error(y, t, half=True), outputs, targets) == pytest.approx(away.tolist())
    assert slopes(mean_squared_error, outputs, targets) == pytest.approx((2 * away / len(outputs)).tolist())


@given(st.floats(0.01, 0.99), st.sampled_from([0, 1, 0.25]))
def test_binary_cross_entropy(p: float, t: float) -> None:
    assert binary_cross_entropy(p, t) == pytest.approx(-(t * math.log(p) + (1 - t) * math.log(1 - p)))
    assert slopes(binary_cross_entropy, [p], [t]) == pytest.approx([(p - t) / (p * (1 - p))])
    assert binary_cross_entropy([p, 0.5], [t, 1]) == pytest.approx(binary_cross_entropy(p, t) + math.log(2))


@given(numbers, st.sampled_from([0, 1, 0.25]))
def test_binary_cross_entropy_of_logits_is_that_of_their_sigmoid(z: float, t: float) -> None:
    p = 1 / (1 + math.exp(-z))
    assert slopes(binary_cross_entropy_with_logits, [z], [t]) == pytest.approx([p - t], rel=1e-9, abs=1e-9)
    if abs(z) < 10:
        assert binary_cross_entropy_with_logits(z, t) == pytest.approx(binary_cross_entropy(p, t), rel=1e-9, abs=1e-9)


@given(lists, st.data())
def test_cross_entropy_of_logits_is_that_of_their_softmax(z: list[float], data: st.DataObject) -> None:
    c = data.draw(st.integers(0, len(z) - 1))
    exact = [math.exp(a - max(z)) for a in z]
    p = [a / sum(exact) for a in exact]
    assert softmax(z) == pytest.approx(p, rel=1e-9)
    assert cross_entropy(z, c) == cross_entropy(z, one_hot(c, len(z))) == pytest.approx(-math.log(p[c]), rel=1e-9, abs=1e-9)
    assert categorical_cross_entropy(p, c) == pytest.approx(-math.log(p[c]), rel=1e-9, abs=1e-12)
    delta = [p_j - (j == c) for j, p_j in enumerate(p)]
    assert slopes(cross_entropy, z, c) == pytest.approx(delta, rel=1e-7, abs=1e-9)
    assert slopes(lambda z, c: categorical_cross_entropy(softmax(z), c), z, c) == pytest.approx(delta, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("loss", "z", "t", "wanted"), [
    (binary_cross_entropy_with_logits, [1e4], [1], 0.0),
    (binary_cross_entropy_with_logits, [-1e4], [1], 1e4),
    (cross_entropy, [1e4, -1e4], 1, 2e4),
    (cross_entropy, [1e4, -1e4], 0, 0.0),
])  # fmt: skip
def test_logits_of_any_size(loss: Any, z: list[float], t: Any, wanted: float) -> None:
    assert loss(z, t) == wanted
    assert all(map(math.isfinite, slopes(loss, z, t)))


def test_certain_predictions_have_zero_loss_and_a_slope() -> None:
    assert binary_cross_entropy([1.0, 0.0], [1, 0]) == 0.0
    assert categorical_cross_entropy([0.0, 1.0], 1) == 0.0
    assert slopes(binary_cross_entropy, [1.0, 0.0], [1, 0]) == [-1.0, 1.0]
    assert slopes(categorical_cross_entropy, [0.0, 1.0], 1) == [0.0, -1.0]
    for loss, outputs, target in ((binary_cross_entropy, [0.0], [1]), (binary_cross_entropy, [1.0], [0.5]),
                                  (categorical_cross_entropy, [0.0, 1.0], 0)):  # fmt: skip
        with pytest.raises(DomainError, match=f"what happened has the probability 0.* use {PROBABILITIES[loss][1].__name__}$"):
            loss([Value(p) for p in outputs], target)


@given(numbers, st.sampled_from([(1, 1), (-1, -1), (0, -1)]))
def test_hinge(y: float, target: tuple[int, int]) -> None:
    t, sign = target
    assert hinge(y, t) == max(0.0, 1 - sign * y)
    assert slopes(hinge, [y], [t]) == [-sign if sign * y < 1 else 0]


def test_hinge_of_several_outputs_is_one_against_the_rest() -> None:
    assert hinge([0.5, -0.5, 2.0], 0) == 0.5 + 0.5 + 3.0


def test_l2_takes_a_list() -> None:
    model: Any = Layer(1, 1)
    with pytest.raises(TypeError, match=r"^l2 takes a list of parameters, such as model.parameters\(\); got Layer"):
        l2(model)


def test_l2() -> None:
    w = [Value(3.0), Value(-4.0)]
    l2(w, 0.5).backward()
    assert [p.grad for p in w] == [3.0, -4.0]


def test_targets_may_be_nodes_and_outputs_arrays() -> None:
    t = Value(2.0)
    squared_error(5.0, t).backward()
    assert t.grad == -6.0
    assert squared_error(np.array([1.0, 2.0]), np.array([0.0, 0.0])) == 5.0
    assert squared_error([1.0, 2.0], np.int64(1)) == 2.0


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: squared_error([1.0, 2.0], [1.0]), ValueError, "a target for each output; got 2 and 1"),
    (lambda: squared_error(1.0, [1.0, 2.0]), ValueError, "got 1 and 2"),
    (lambda: squared_error(1.0, 2.0, reduce="max"), ValueError, "reduce is 'sum' or 'mean'; got 'max'"),
    (lambda: cross_entropy([1.0, 2.0], 2), ValueError, "whole number from 0 to 1; got 2"),
    (lambda: cross_entropy([1.0, 2.0], 0.5), ValueError, "whole number from 0 to 1; got 0.5"),
    (lambda: cross_entropy([1.0, 2.0], Value(1.0)), TypeError, "or a one-hot list; got Value"),
    (lambda: cross_entropy([1.0, 2.0], "1"), TypeError, "or a one-hot list; got '1'"),
    (lambda: squared_error(Value(1.0), "1"), TypeError, "'1' is a str"),
    (lambda: hinge(Value(1.0), "1"), TypeError, "hinge takes the targets -1 and 1, or 0 and 1; got '1', which is not a number"),
    (lambda: binary_cross_entropy(Value(0.5), None), TypeError, "takes targets from 0 to 1; got None, which is not a number"),
    (lambda: binary_cross_entropy_with_logits(Value(0.5), [[1]]), TypeError, r"got \[1\], which is not a number"),
    (lambda: cross_entropy([[1.0, 2.0]], [0]), TypeError, r"outputs for one example, .*; got \[1.0, 2.0\]: call it for each"),
    (lambda: squared_error({"y": Value(1.0)}, 1.0), TypeError, "one example, .*; got {'y': Value.*, or write a loss of your"),
    (lambda: mean_squared_error([], []), ValueError, "the mean over no outputs has no value"),
])  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_single_output_is_not_the_probability_of_a_class() -> None:
    notes = [unsuited(cross_entropy, [Value(x) for x in xs]) for xs in ([1.0], [0.0, 1.0], [-1.0, 2.0])]
    assert ["use categorical_cross_entropy" in note for note in notes] == [False, True, False] and not notes[0] + notes[2]


def test_boundaries_between_two_classes() -> None:
    assert [boundary(loss, [0, 1]) for loss in LOSSES.values()] == [0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.0]
    assert boundary(squared_error, [-1, 1]) == 0.0


def test_losses_that_do_not_suit_the_outputs_are_noticed() -> None:
    squashed, free = [Value(2.0).sigmoid()] * 3, [Value(1.0)]
    notes = {name: note for name, loss in LOSSES.items() if (note := unsuited(loss, squashed))}
    assert notes.keys() == {"binary_cross_entropy_with_logits", "categorical_cross_entropy", "cross_entropy"}
    assert all("use binary_cross_entropy" in note for note in notes.values())
    assert "add up to 2.64: " in notes["categorical_cross_entropy"]
    assert [unsuited(loss, free) for loss in LOSSES.values()] == [""] * len(LOSSES)


def test_a_sum_of_squares_has_no_node_for_a_factor_of_one() -> None:
    y = Value(3.0)
    assert squared_error(y, 1.0).primitive is (y**2).primitive is mean_squared_error([y], [1.0]).primitive
    assert squared_error(y, 1.0, half=True).primitive is (y * 2).primitive


def test_terms_with_a_target_of_zero_are_left_out() -> None:
    t = Value(0.0)
    binary_cross_entropy(0.25, t).backward()
    assert t.grad == pytest.approx(math.log(0.75))  # the term of p is left out: it has no ln p
    z = [Value(0.5), Value(-1.0)]
    for loss in (binary_cross_entropy(z[0].sigmoid(), 1), categorical_cross_entropy([x.sigmoid() for x in z], 0)):
        assert [node.primitive for node in walk(loss).order] == [sigmoid, log, negative]  # no conditions, no 0·ln p
    assert isinstance(binary_cross_entropy([np.array([0.25, 0.5])], [np.array([0.0, 1.0])]), np.ndarray)


def test_plain_targets_leave_no_factor_of_zero_or_one_in_the_graph() -> None:
    z = [Value(0.5, "a"), Value(-1.0, "b"), Value(2.0, "c")]
    formulas = {
        cross_entropy(z, 1): ["logsumexp([a, b, c])", "v1 - b"],
        cross_entropy(z, [0.0, 0.25, 0.75]): ["logsumexp([a, b, c])", "0.25·b + 0.75·c", "v1 - v2"],
        binary_cross_entropy_with_logits(z[0], 0): ["softplus(a)"],
        binary_cross_entropy_with_logits(z[0], 1): ["softplus(a)", "v1 - a"],
        hinge(z[0], 1): ["1 - a", "relu(v1)"],
        hinge(z[0], -1): ["1 + a", "relu(v1)"],
        l2(z[:1]): ["a²"],
    }
    for loss, expected in formulas.items():
        steps = walk(loss)
        assert [step.formula for step in steps[: len(steps) // 2]] == expected


@pytest.mark.parametrize("compiled", [False, True])
def test_one_output_in_a_list_has_the_number_itself_as_its_target(compiled: bool) -> None:
    for loss in (squared_error, mean_squared_error, binary_cross_entropy, binary_cross_entropy_with_logits, hinge):
        for target in (0, 1):
            assert loss([0.75], target) == loss(0.75, target) == loss([0.75], [target])
    X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    for targets in ([0, 0, 0, 0], [0, 1, 1, 1]):
        layer = Layer(2, 1, "sigmoid", seed=1)
        fit(layer, X, targets, loss="binary_cross_entropy", epochs=100, seed=0, compiled=compiled)
        assert accuracy(layer, X, targets) == 1.0
