"""Training never trains nothing or the wrong thing: what is unsuitable is refused, or named in a note."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from autograd import DomainError, Value, dot, exp, softmax
from nn import MLP, Module, Neuron, Perceptron, accuracy, fit, losses
from nn.data import moons
from nn.optim import SGD
from nn.training import DivergenceError

X, Y = moons(24, noise=0.1, seed=1)
ENGINES = pytest.mark.parametrize("compiled", [False, True, "auto"])


def network(output: str = "linear", n_outputs: int = 1) -> MLP:
    return MLP(2, [3, n_outputs], output=output, seed=1)


def refused(model: Module, error: type[Exception], message: str, y: Any = Y, **options: Any) -> None:
    """Assert that training is refused and leaves the model as it was."""
    before = [parameter.data for parameter in model.parameters()]
    with pytest.raises(error, match=message):
        fit(model, X, y, **{"epochs": 2, "seed": 0, **options})
    assert [parameter.data for parameter in model.parameters()] == before


# Nothing to learn


class Straight(Module):
    """A model whose parts can be set from outside."""

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)

    def __call__(self, x: Any) -> Any:
        """Return w·x₀ + x₁; where the model has no w of its own, w is that of the class."""
        return self.w * x[0] + x[1]

    w: Any = Value(2.0, label="shared by the class")


@ENGINES
def test_a_model_without_parameters_is_refused(compiled: Any) -> None:
    for model in (Straight(), Straight(w=Value(1.0) * 0.5), Straight(w=0.5)):
        refused(model, ValueError, r"Straight\(\) has no parameters", compiled=compiled)


@ENGINES
def test_an_attribute_that_hides_the_method_parameters_is_refused(compiled: Any) -> None:
    with pytest.raises(TypeError, match=r"^Straight has an attribute called parameters, which hides the method"):
        fit(Straight(w=Value(1.0), parameters=[Value(1.0)]), X, y=Y, compiled=compiled)


LOSSES: list[tuple[Callable[[Any, Any], Any], type[Exception], str]] = [
    (lambda out, t: (out.data - t) ** 2, TypeError, r"the loss is [0-9.e-]+, of type float, where a Value is needed"),
    (lambda out, t: float((out - t).data), TypeError, "of type float, where a Value is needed"),
    (lambda out, t: None, TypeError, "the loss is None, of type NoneType"),
    (lambda out, t: max(0, 1e-9 * (out - t) - 1e9), TypeError, "the loss is 0, of type int"),
    (lambda out, t: [(out - t) ** 2], TypeError, "of type list, where a Value is needed"),
    (lambda out, t: np.array([(out - t) ** 2]), TypeError, "of type ndarray, where a Value is needed"),
    (
        lambda out, t: Value((out.data - t) ** 2),
        ValueError,
        r"depends on any parameter \(13 in all\), such as layer1.neuron0.w0",
    ),
    (lambda out, t: Value(1.0) * 2, ValueError, r"depends on any parameter \(13 in all\)"),
]


@ENGINES
@pytest.mark.parametrize(("loss", "error", "message"), LOSSES)
def test_a_loss_without_a_graph_to_the_parameters_is_refused(loss: Any, error: Any, message: str, compiled: Any) -> None:
    refused(network(), error, message, loss=loss, compiled=compiled)
    refused(network(), error, message, loss=loss, compiled=compiled, batch_size=1)


@ENGINES
def test_a_loss_that_drops_the_graph_once_is_refused_there(compiled: Any) -> None:
    def loss(out: Any, t: Any) -> Any:
        return (out - t) ** 2 if isinstance(t, Value) or t == Y[0] else 0.0

    place = next(i for i, t in enumerate(Y) if t != Y[0])
    model = network()
    with pytest.raises(
        TypeError, match=f"example {place}: the loss is 0.0" if compiled is False else "the loss is 0.0, of type"
    ):
        fit(model, X, Y, loss=loss, shuffle=False, compiled=compiled)


class Cut(Module):
    """A model that cuts the graph behind its first layer, or the whole of it."""

    def __init__(self, whole: bool) -> None:
        self.whole, self.first, self.last = whole, MLP(2, [2, 2], seed=0), Neuron(2, "linear", seed=0)

    def __call__(self, x: Any) -> Any:
        """Return an output that depends on the last layer at most."""
        cut = [h.data if isinstance(h, Value) else h for h in self.first(x)]
        out = self.last(cut)
        return out.data if self.whole and isinstance(out, Value) else out


def test_a_model_that_cuts_its_graph_is_refused_and_a_part_that_does_is_noted() -> None:
    refused(Cut(whole=True), TypeError, "example .*: the model returned .*, which contains no Value")
    history = fit(Cut(whole=False), X, Y, epochs=2, seed=0)
    [note] = history.notes
    assert "no loss depends on first.layer1.neuron0.w0" in note
    assert "12 of 15 do not" in note and note in str(history)


def test_a_part_that_few_examples_use_does_not_matter() -> None:
    class Table(Module):
        def __init__(self) -> None:
            self.rows = [Value(float(i)) for i in range(20)]

        def __call__(self, x: Any) -> Any:
            return self.rows[x]

    assert fit(Table(), list(range(20)), [0.0] * 20, epochs=1).notes == []
    [note] = fit(Table(), list(range(19)), [0.0] * 19, epochs=1).notes
    assert "no loss depends on rows19 (19), so not all parameters learn (1 of 20 do not)" in note


def test_an_example_may_depend_on_nothing() -> None:
    def loss(out: Any, t: Any) -> Any:
        return Value(0.0) if t is None else (out - t) ** 2

    model = Neuron(1, "linear", seed=0)
    assert fit(model, [[1.0], [2.0], [3.0]], [None, None, 1.0], loss=loss, batch_size=1, shuffle=False, epochs=2).notes == []


def test_a_model_that_returns_nothing_is_refused() -> None:
    class Silent(Straight):
        def __call__(self, x: Any) -> Any:
            self.w * x[0]

    refused(Silent(w=Value(1.0)), TypeError, "the model returned None for example 0")


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_that_are_all_zero_are_noted(compiled: bool) -> None:
    [note] = fit(Perceptron(2), X, Y, epochs=2, compiled=compiled).notes
    assert note.startswith("every gradient was 0 in the first epoch")
    assert fit(network(), X, Y, epochs=2, compiled=compiled).notes == []


# Values that are not learned

OUTSIDE = Value(3.0, label="outside")


class Leaning(Straight):
    """A model that uses a `Value` which is not its own."""

    def __call__(self, x: Any) -> Any:
        """Return w·x₀ + outside + 2."""
        return self.w * x[0] + OUTSIDE * 1.0 + Value(2.0)


@ENGINES
@pytest.mark.parametrize("n", [1, 2, 24])
def test_a_value_that_is_not_a_parameter_is_noted_and_not_refused(n: int, compiled: Any) -> None:
    model = Leaning(w=Value(1.0))
    [note] = fit(model, X[:n], Y[:n], epochs=1, compiled=compiled, optimizer=SGD(lr=0.01)).notes
    assert note.startswith("outside (3) takes part in the loss of every example but is not in model.parameters()")
    assert model.w.data != 1.0 and OUTSIDE.data == 3.0


def test_a_frozen_part_is_named_by_its_path() -> None:
    class Learner(Module):
        def __init__(self) -> None:
            self.net, self.judge = network(), Neuron(1)

        def __call__(self, x: Any) -> Any:
            return self.judge([self.net(x)])

        def parameters(self) -> list[Value]:
            return self.net.parameters()

    [note] = fit(Learner(), X, Y, epochs=1).notes
    assert note.startswith("judge.w0 (") and ", judge.b (0) take part in the loss of every example but are not in" in note


@pytest.mark.parametrize("n", [1, 24])
def test_values_that_come_with_an_example_are_not_noted(n: int) -> None:
    shared = Value(0.5)
    history = fit(
        Neuron(2, "linear", seed=0), [[shared, Value(a)] for a, _ in X[:n]], [Value(float(t)) for t in Y[:n]], epochs=1
    )
    assert history.notes == []


def test_weights_that_are_results_are_noted() -> None:
    class Scaled(Straight):
        def __call__(self, x: Any) -> Any:
            return self.w * x[0] + self.v * x[1]

        v: Any

    [note] = fit(Scaled(w=Value(1.0), v=Value(0.7, label="draw") * 0.1), X, Y, epochs=1).notes
    assert note.startswith("draw (0.7) takes part")


# Unsuitable targets

TWO = [1 + t for t in Y]
THREE = [i % 3 for i in range(24)]
SIGNS = [2 * t - 1 for t in Y]
BINARY = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]
CATEGORICAL = ["categorical_cross_entropy", "cross_entropy"]


def output_for(loss: str) -> str:
    return {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}.get(loss, "linear")


@ENGINES
@pytest.mark.parametrize("loss", [*BINARY, "hinge"])
def test_labels_of_a_binary_loss(loss: str, compiled: Any) -> None:
    place = TWO.index(2)
    for y, i, got in ((TWO, place, 2), (THREE, 2, 2), ([t * 1.5 for t in Y], place, 1.5), ([-0.5] * 24, 0, -0.5)):
        for targets in (y, [[t] for t in y], np.array(y)):
            message = rf"example {i}: {loss} takes .*; got {got}(\.0)?: "
            refused(network(output_for(loss)), ValueError, message, y=targets, loss=loss, compiled=compiled)
    if loss != "hinge":
        refused(network(output_for(loss)), ValueError, "takes targets from 0 to 1; got -1", y=SIGNS, loss=loss)
        refused(network(output_for(loss)), ValueError, "takes targets from 0 to 1; got nan", y=[np.nan] * 24, loss=loss)
    good: list[Any] = [Y, [bool(t) for t in Y], SIGNS if loss == "hinge" else [0.25] * 24]
    for y in good:
        assert np.isfinite(fit(network(output_for(loss)), X, y, loss=loss, epochs=1, compiled=compiled).loss[0])


@ENGINES
@pytest.mark.parametrize("loss", CATEGORICAL)
def test_targets_of_a_categorical_loss(loss: str, compiled: Any) -> None:
    refused(network(), ValueError, f"{loss} needs an output for each class; the model has one", y=THREE, loss=loss)
    refused(network(), ValueError, f"{loss} needs an output for each class", y=Y, loss=loss, compiled=compiled)
    model = network(output_for(loss), 3)
    for row, message in (([1, 1, 0], r"add up to 1; got \[1, 1, 0\]"), ([0, 0, 0], "add up to 1"),
                         ([1.5, -0.5, 0], "from 0 to 1; got 1.5"), ([0.5, 0.6, 0], "add up to 1")):  # fmt: skip
        refused(
            model, ValueError, f"example 1: {loss} takes .*{message}", y=[[1, 0, 0], *[row] * 23], loss=loss, compiled=compiled
        )
    refused(model, ValueError, "example 0: for 3 outputs, a class is a whole number from 0 to 2; got 3", y=[3] * 24, loss=loss)
    for y in (THREE, [[0.2, 0.3, 0.5]] * 24, [[0.333, 0.333, 0.333]] * 24):
        assert fit(model, X, y, loss=loss, epochs=1, compiled=compiled).epochs == 1


@ENGINES
def test_targets_that_no_output_can_reach(compiled: Any) -> None:
    for y, message in (
        (TWO, "from 1 to 2, but the outputs only from 0 to 1"),
        (THREE, "from 0 to 2"),
        ([-2.0] * 24, "from -2"),
    ):
        refused(network("sigmoid"), ValueError, message, y=y, compiled=compiled)
    refused(network("tanh"), ValueError, "from 0 to 2, but the outputs only from -1 to 1", y=THREE, loss="squared_error")
    pairs = [[0.0, float(i)] for i in range(24)]
    for output, message in (
        ("sigmoid", "targets of output 1 go from 0 to 23, but the outputs only from 0 to 1: scale"),
        ("softmax", "targets of output 1 go from 0 to 23, but the outputs only from 0 to 1: scale"),
    ):
        refused(network(output, 2), ValueError, message, y=pairs, compiled=compiled)
    refused(network("relu"), ValueError, "targets go from -2 to -2, but the outputs only from 0 to ∞", y=[-2.0] * 24)
    assert fit(network("exp", 2), X, pairs, epochs=1, compiled=compiled, optimizer=SGD(1e-9)).notes == []
    assert fit(network(), X, THREE, epochs=1, compiled=compiled).notes == []  # a linear output reaches them all
    assert fit(network("tanh"), X, SIGNS, epochs=1, compiled=compiled).notes == []


def test_quotients_that_add_up_to_1_at_first_may_leave_that_range() -> None:
    numerators = [Value(0.25), Value(0.75)]
    quotients = [x / (numerators[0] + numerators[1]) for x in numerators]
    assert losses.reach(losses.squared_error, quotients) == [None, None]
    assert losses.reach(losses.squared_error, softmax(numerators)) == [(0, 1), (0, 1)]


def test_three_labels_for_the_hinge() -> None:
    refused(
        network(), ValueError, "not all three, since -1 and 0 are one class", y=[i % 3 - 1 for i in range(24)], loss="hinge"
    )


def test_probabilities_for_a_loss_on_net_inputs_are_noted() -> None:
    for loss, output, n, instead in (("binary_cross_entropy_with_logits", "sigmoid", 1, "use binary_cross_entropy,"),
                                     ("cross_entropy", "softmax", 2, "use categorical_cross_entropy,"),
                                     ("cross_entropy", "sigmoid", 2, "use binary_cross_entropy,")):  # fmt: skip
        [note] = fit(network(output, n), X, Y, loss=loss, epochs=1).notes
        assert note.startswith(f"{loss} takes net inputs") and instead in note
        assert fit(network("linear", n), X, Y, loss=loss, epochs=1).notes == []
        assert fit(network(output, n), X, Y, loss=instead.split()[1].rstrip(","), epochs=1).notes == []
    [note] = fit(network("sigmoid", 2), X, Y, loss="categorical_cross_entropy", epochs=1).notes
    assert "add up to 1, but the outputs for example 0 add up to " in note and 'end the model with output="softmax"' in note


@ENGINES
def test_targets_that_are_not_classes_reach_a_user_defined_loss(compiled: Any) -> None:
    def likelihood(outputs: Any, target: Any) -> Any:  # of a normal distribution, from its mean and its deviation's logarithm
        return outputs[1] + (outputs[0] - target) ** 2 * exp(-2 * outputs[1]) / 2

    model, heights, apart = network("linear", 2), [x[0] - x[1] for x in X], ([X[0], X[1]], [0, 1])  # they could be classes
    before = sum(likelihood(model.predict(x), height) for x, height in zip(X, heights, strict=True)) / len(X)
    history = fit(model, X, heights, loss=likelihood, epochs=1, batch_size=None, compiled=compiled, validation=apart)
    assert history.loss == [pytest.approx(before, rel=1e-12)] and len(history.validation_loss) == 1 and not history.accuracy
    # Classes still become one-hot lists, also those of validation.
    dotted = {"loss": lambda outputs, target: -dot(outputs, target), "compiled": compiled}
    assert fit(network("softmax", 2), X, Y, epochs=1, **dotted).accuracy
    refused(network("softmax", 2), ValueError, "example 0: for 2 outputs, a class is", validation=([X[0]], [2]), **dotted)


@pytest.mark.parametrize("compiled", [False, True])
def test_batches_without_examples_are_refused(compiled: bool) -> None:
    refused(network(), ValueError, "batches gave no batch in epoch 0", batches=lambda: iter([]), compiled=compiled)
    refused(network(), ValueError, "batches gave an empty batch in epoch 0", batches=lambda: [[], [1]], compiled=compiled)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("batch", "message"), [
    ([False] * 23 + [True], ", truth values, where indices into X are needed; .* pass numpy.flatnonzero"),
    (np.arange(24) < 12, ", truth values, .*flatnonzero"), ([np.True_, np.False_], ", truth values, .*flatnonzero"),
    ([0, True], ", truth values, .*flatnonzero"), ([0.0, 1.0], "; the indices into X are whole numbers, 0 to 23"),
    (np.array([0.0, 1.5]), "whole numbers"), (["a"], "whole numbers"), ([None], "whole numbers"),
    (np.array([[0, 1], [2, 3]]), "whole numbers"), ([[0, 1]], "whole numbers"), ({0, 1}, ", where a list of indices into X is"),
    ("ab", ", where a list of indices"), ({0: 1}, ", where a list of indices"), (3, ", where a list of indices"),
    (np.array(3), ", where a list of indices"),
])  # fmt: skip
def test_batches_are_lists_of_indices(batch: Any, message: str, compiled: bool) -> None:
    message = f"(?s)batches gave .* in epoch 0.*{message}"
    refused(network(), TypeError, message, batches=lambda: [batch], compiled=compiled)


@pytest.mark.parametrize("compiled", [False, True])
def test_batches_may_be_any_sequence_of_indices(compiled: bool) -> None:
    kinds: list[Any] = [list(range(12)), tuple(range(12)), range(12), np.arange(12), np.flatnonzero(np.arange(24) < 12),
                        [*np.arange(12)], deque(range(12)), [i - 24 for i in range(12)]]  # fmt: skip
    curves = []
    for kind in kinds:
        history = fit(network(), X, Y, batches=partial(list, [kind] * 10), epochs=2, compiled=compiled)
        curves.append((history.loss, history.accuracy))
    assert all(curve == curves[0] for curve in curves)


STOPS: list[tuple[Any, int]] = [
    (True, 1), (np.True_, 1), (np.array(True), 1), (np.float64(1.0) < 2, 1), (False, 3), (np.False_, 3), (1, 3), ("yes", 3),
    ([True], 3), (np.array([True]), 3), (np.float64(1.0), 3), (None, 3), (Value(1.0) > 0, 3), (np.array([True, False]), 3),
]  # fmt: skip


@pytest.mark.parametrize(("stop", "epochs"), STOPS)
def test_a_callback_ends_the_training_only_by_true(stop: Any, epochs: int) -> None:
    calls: list[int] = []
    others = [lambda *_: calls.append(1), lambda *_: stop, lambda *_: calls.append(2)]
    assert fit(network(), X, Y, epochs=3, callbacks=others).epochs == epochs
    assert calls == [1, 2] * epochs


def test_validation_targets_are_checked_too() -> None:
    refused(network("sigmoid"), ValueError, "^validation: example .*got 2", loss="binary_cross_entropy", validation=(X, TWO))


@pytest.mark.parametrize(("y", "held", "noted"), [
    (Y, SIGNS, True), (SIGNS, Y, True), (Y, [[t] for t in SIGNS], True), (Y, Y, False), (SIGNS, SIGNS, False),
    (SIGNS, [1] * 24, False), (Y, [1] * 24, False), ([1] * 24, SIGNS, False), (Y, [-1, 0.5] * 12, False),
])  # fmt: skip
def test_classes_that_are_numbered_differently_in_validation_are_noted(y: Any, held: Any, noted: bool) -> None:
    notes = fit(network(), X, y, epochs=1, validation=(X, held)).notes
    assert [note.startswith("training and validation number the classes differently") for note in notes] == [True] * noted
    assert fit(network(), X, y, epochs=1).notes == []
    if 0.5 not in held:
        assert fit(network(), X, y, epochs=1, loss="hinge", validation=(X, held)).notes == []


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("loss", ["mean_squared_error", "squared_error", "hinge"])
def test_signs_with_a_sigmoid_are_judged_by_its_middle(loss: str, compiled: bool) -> None:
    model = network("sigmoid")
    history = fit(model, X, SIGNS, loss=loss, epochs=150, seed=0, compiled=compiled)
    assert history.accuracy[-1] >= 0.85 and accuracy(model, X, SIGNS) == accuracy(model, X, Y) >= 0.85
    assert loss == "hinge" or "the targets go from -1 to 1, but the outputs only from 0 to 1" in history.notes[0]
    own = Neuron(1, "sigmoid", init=lambda *_: 1.0)
    assert accuracy(own, [[-1.0], [2.0]], [-1, 1]) == accuracy(own, [[-1.0], [2.0]], [0, 1]) == 1.0
    assert accuracy(own, [[-1.0]], [-1]) == 1.0  # a single example, of the class that a sigmoid never reaches
    assert accuracy(Neuron(1, "tanh", init=lambda *_: 1.0), [[-1.0], [0.2]], [-1, 1]) == 1.0


def test_accuracy_does_not_change_the_deltas() -> None:
    unit = Neuron(1, "sigmoid", seed=0)
    unit([1.0]).backward()
    net = unit.net
    accuracy(unit, [[1.0], [2.0]], [-1, 1])
    assert unit.net is net


def test_a_loss_refuses_targets_and_outputs_by_itself() -> None:
    p: Any = Value(0.5)
    z = [Value(1.0), Value(2.0)]
    for loss in (losses.binary_cross_entropy, losses.binary_cross_entropy_with_logits):
        for t in (1.5, -1, 2, np.float32(1.5), Value(2.0), [3]):
            with pytest.raises(ValueError, match=f"{loss.__name__} takes targets from 0 to 1; got "):
                loss(p, t)
    with pytest.raises(ValueError, match="hinge takes the targets -1 and 1, or 0 and 1; got 2"):
        losses.hinge(p, 2)
    with pytest.raises(ValueError, match=r"cross_entropy takes targets that add up to 1; got \[1, 1\]"):
        losses.cross_entropy(z, [1, 1])
    with pytest.raises(ValueError, match="cross_entropy needs an output for each class"):
        losses.cross_entropy(p, 1)
    for wrong in (1.5, -0.25, Value(1.5)):
        with pytest.raises(
            DomainError, match=r"binary_cross_entropy takes probabilities from 0 to 1; got .*output=\"sigmoid\""
        ):
            losses.binary_cross_entropy(wrong, 1)
        with pytest.raises(DomainError, match="categorical_cross_entropy takes probabilities from 0 to 1"):
            losses.categorical_cross_entropy([wrong, 0.5], 1)
    assert losses.binary_cross_entropy(1 + 1e-12, 1) < 0  # rounding is tolerated


@pytest.mark.parametrize("compiled", [False, True])
def test_outputs_above_one_are_named_where_the_logarithm_would_accept_them(compiled: bool) -> None:
    unit = Neuron(1, "linear", init=lambda *_: 1.0)
    with pytest.raises(DivergenceError, match=r"binary_cross_entropy takes probabilities from 0 to 1; got 1\.5: end the model"):
        fit(unit, [[1.5], [1.5]], [1, 1], loss="binary_cross_entropy", compiled=compiled)
    assert unit.w[0].data == 1.0


def test_a_user_defined_loss_is_tried_on_all_kinds_of_targets_before_it_is_compiled() -> None:
    def loss(out: Any, t: Any) -> Any:
        return losses.binary_cross_entropy_with_logits(out, t)

    refused(network(), ValueError, "takes targets from 0 to 1; got 2", y=[0] * 12 + [2] + [1] * 11, loss=loss, compiled=True)


class Cached(Module):
    """A model that computes from its parameter when it is made, and not when it is called."""

    def __init__(self) -> None:
        self.w = Value(0.3)
        self.double = self.w * 2

    def __call__(self, x: Any) -> Any:
        return self.double * x[0]


@pytest.mark.parametrize("compiled", [False, "auto"])
def test_a_graph_older_than_the_steps_is_refused(compiled: Any) -> None:
    optimizer = SGD(lr=0.1)
    with pytest.raises(ValueError, match=r"computed from a parameter before training began.*changed after the forward pass"):
        fit(Cached(), [[1.0], [2.0]], [1.0, 2.0], epochs=3, optimizer=optimizer, compiled=compiled)
    assert optimizer.steps == 1  # the first step, which cannot be told from a right one


@pytest.mark.parametrize("target", ["a", None, 1j])
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "squared_error", "hinge"])
def test_targets_that_are_not_numbers_are_refused_by_example(loss: str, target: Any) -> None:
    with pytest.raises(TypeError, match=rf"^example 1: {loss} takes .*targets.*; got {target!r}, which is not a number; "):
        fit(Neuron(1, "sigmoid"), [[1.0], [2.0]], [0.0, target], loss=loss, epochs=1)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_penalty_that_overflows_is_named(compiled: bool) -> None:
    model = Neuron(1, "linear", seed=0)
    with pytest.raises(
        DivergenceError, match=r"a batch \(2\) with the penalty of l2 is not finite; try a lower l2 or learning rate"
    ):
        fit(model, [[0.0], [1.0]], [0.0, 1.0], l2=1.5e308, epochs=1, optimizer=SGD(lr=1e-308), compiled=compiled)


class Leap(SGD):
    """Gradient descent whose steps are infinite."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        return parameter + math.inf, ()


@pytest.mark.parametrize("compiled", [False, True])
def test_parameters_that_the_last_step_made_infinite_are_noted(compiled: bool) -> None:
    model = Neuron(1, "linear", seed=0)
    history = fit(model, [[1.0]], [9.0], epochs=1, optimizer=Leap(), compiled=compiled)
    assert history.notes == ["after the last step, 2 of the parameters are not finite; try a lower learning rate"]
    with pytest.raises(DivergenceError, match="; the parameters were not finite before this step either; try a lower"):
        fit(model, [[1.0]], [9.0], epochs=1, optimizer=Leap(), compiled=False)


@pytest.mark.parametrize("returned", [0.5, None, (0.5,), [0.5, (), 1]])
def test_a_rule_that_does_not_return_a_parameter_and_a_state_is_refused(returned: Any) -> None:
    class Short(SGD):
        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return returned

    message = f"^a rule returns the next parameter and the state, .*; got {re.escape(repr(returned))}$"
    refused(network(), TypeError, message, optimizer=Short())
