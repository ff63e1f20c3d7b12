"""Classes and losses of examples: outputs without a class or a loss are refused or count as wrong, in both engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, log, sigmoid
from nn import MLP, Module, Neuron, accuracy, classify, confusion, deltas, fit, plots
from nn.data import moons
from nn.evaluation import Confusion, examples_of, numbers_of
from nn.optim import SGD
from nn.rehearsal import Dependence

ENGINES = pytest.mark.parametrize("compiled", [False, True])
X, Y = moons(12, noise=0.1, seed=1)


class Echo(Module):
    """A model that returns its inputs, shifted by a parameter that is 0 at first."""

    def __init__(self) -> None:
        self.w = Value(0.0)

    def __call__(self, x: Any) -> Any:
        """Return the inputs; a single input as a number."""
        outs = [a + self.w for a in x]
        return outs[0] if len(outs) == 1 else outs


def tiny(outputs: Any, targets: Any) -> Any:
    """Return a loss with a gradient that hardly moves the parameters."""
    return 1e-12 * (sum(outputs) if isinstance(outputs, list) else outputs)


# The threshold


@pytest.mark.parametrize(("loss", "labels"), [("hinge", [0, 1]), ("binary_cross_entropy_with_logits", [0, 1]),
                                              ("mean_squared_error", [-1, 1])])  # fmt: skip
def test_the_threshold_is_that_of_the_last_training(loss: str, labels: list[int]) -> None:
    X, y = [[-1.0], [0.2], [0.8], [2.0]], [labels[i] for i in (0, 1, 1, 1)]
    neuron = Neuron(1, "linear", init=lambda *_: 1.0)
    history = fit(neuron, X, y, loss=loss, epochs=1, optimizer=SGD(1e-9), validation=(X, y))
    assert history.threshold == 0.0 and history.validation_accuracy == [1.0]
    assert accuracy(neuron, X, y) == accuracy(neuron, X[1:], y[1:]) == confusion(neuron, X, y).accuracy == 1.0
    assert classify(neuron, X) == [0, 1, 1, 1] and classify(neuron, X, threshold=0.5) == [0, 0, 1, 1]
    fit(neuron, X, [0.1, 0.2, 0.3, 0.4], epochs=1, optimizer=SGD(1e-9))  # these targets are not classes
    assert classify(neuron, X) == [0, 0, 1, 1]


# NaN


@pytest.mark.parametrize("bad", [[0.2, math.nan, 0.9], [math.nan, 1.0, 0.0], [1.0, 0.0, math.nan], [math.nan]])
def test_a_nan_output_is_not_a_class(bad: list[float]) -> None:
    good = [1.0, *[0.0] * (len(bad) - 1)]
    X, y = [good, bad], [0, 0] if len(bad) > 1 else [1, 0]
    for judge in (lambda: classify(Echo(), X), lambda: accuracy(Echo(), X, y), lambda: confusion(Echo(), X, y)):
        with pytest.raises(ValueError, match=r"example 1: the model returned \[?.*nan.*, and NaN is not a class;"):
            judge()
    assert classify(Echo(), X[:1]) == y[:1] and classify(Echo(), [[math.inf]]) == [1]


@ENGINES
@pytest.mark.parametrize("bad", [[0.2, math.nan, 0.9], [math.nan, 1.0, 0.0], [0.0, math.nan, 0.0], [math.nan]])
def test_in_training_a_nan_output_is_never_right(bad: list[float], compiled: bool) -> None:
    good = [0.0, 0.0, 1.0] if len(bad) == 3 else [1.0]
    for label in range(len(bad)) if len(bad) > 1 else (0, 1):
        right = [2, label] if len(bad) == 3 else [1, label]
        history = fit(Echo(), [good], right[:1], loss=tiny, epochs=1, compiled=compiled, validation=([good, bad], right),
                      optimizer=SGD(1e-9))  # fmt: skip
        assert (history.accuracy, history.validation_accuracy) == ([1.0], [0.5])
        assert history.validation_loss == [math.inf]


@ENGINES
def test_nan_is_not_an_improvement(compiled: bool) -> None:
    for bad in (([[math.nan, 0.0]], [1]), ([[0.5, 0.5]], [math.nan])):
        history = fit(MLP(2, [3, 1], seed=1), X, Y, epochs=20, compiled=compiled, validation=bad, patience=2)
        assert (history.epochs, history.stopped) == (3, "after 2 epochs without improvement")
        assert history.validation_loss == [math.inf] * 3


def test_a_number_after_infinities_is_an_improvement() -> None:
    rows = [[math.nan]]

    def heal(history: Any, _: Any) -> None:
        rows[0][0] = 1.0

    model = Neuron(1, "linear", init="zeros")
    history = fit(model, [[1.0]], [1.0], epochs=4, validation=(rows, [1.0]), patience=1, callbacks=[heal], compiled=False)
    assert history.epochs == 4 and history.validation_loss[0] == math.inf > history.validation_loss[1]


class Curve(list[float]):
    """A list that counts the numbers that are read from it."""

    n_read = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.n_read += len(found) if isinstance(found, list) else 1
        return found


def test_patience_reads_only_the_last_epochs_however_many_there_were() -> None:
    def count(history: Any, _: Any) -> None:
        history.loss = history.loss if isinstance(history.loss, Curve) else Curve(history.loss)

    options: Any = {"optimizer": SGD(lr=1e-3), "epochs": 200, "callbacks": [count], "compiled": False}
    history = fit(Neuron(1, "linear", seed=0), [[1.0]], [9.0], patience=3, **options)
    assert history.epochs == 200 and isinstance(history.loss, Curve) and history.loss.n_read < 200 * 10


# Undefined losses


@ENGINES
def test_an_undefined_validation_loss_is_infinite_and_training_goes_on(compiled: bool) -> None:
    unit, far = Neuron(1, "sigmoid", seed=0), ([[1e4]], [0.0])
    history = fit(unit, [[0.0], [1.0]], [0.0, 1.0], loss="binary_cross_entropy", epochs=3, compiled=compiled, validation=far)
    assert history.validation_loss == [math.inf] * 3 and history.epochs == 3 and history.validation_accuracy == [0.0] * 3


@ENGINES
@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("x", [1.5, -0.5])
def test_outputs_that_are_not_probabilities_have_an_infinite_loss(x: float, target: float, compiled: bool) -> None:
    def learn(model: Module, row: list[float], t: Any, loss: str) -> Any:
        return fit(model, [row], [t], loss=loss, epochs=1, compiled=compiled, optimizer=SGD(1e-12), validation=(
            [[x, *row[1:]], row], [target if len(row) == 1 else int(target), t]))  # fmt: skip

    assert learn(Echo(), [0.5], target, "binary_cross_entropy").validation_loss == [math.inf]
    assert learn(Echo(), [0.5, 0.5], int(target), "categorical_cross_entropy").validation_loss == [math.inf]


@ENGINES
@pytest.mark.parametrize("bad", [0.0, -1.0, 1e-300])
def test_an_undefined_or_overflowing_example_has_an_infinite_loss(bad: float, compiled: bool) -> None:
    class Steep(Echo):
        def __call__(self, x: Any) -> Any:
            return self.w + log(x[0]) / 1e3 + (1 / x[0]) ** 2 / 1e3

    rows = [[1.0], [bad]]
    history = fit(Steep(), rows[:1], [0.0], loss="squared_error", epochs=2, compiled=compiled, validation=(rows, [0.0, 0.0]))
    assert history.validation_loss == [math.inf] * 2 and history.epochs == 2
    assert history.validation_accuracy == [0.5] * 2


# One-hot lists and the widths of the outputs


def hot(n: int, width: int) -> list[list[float]]:
    return [[float(i == j) for j in range(width)] for i in range(n)]


WRONG: list[tuple[list[int], Any, str]] = [
    ([1], [0, 1, 2], "for one output pass 0 and 1, or -1 and 1; for more classes, the model needs an output for each; got"),
    ([1], hot(3, 3), r"for one output pass 0 and 1, or -1 and 1; .* got \[\[1\.0, 0\.0, 0\.0\]"),
    ([1], np.eye(3), "for one output pass 0 and 1"),
    ([1], [[1, 0], [0, 1], [1, 0]], "for one output pass 0 and 1"),
    ([3], [[1, 0], [0, 1], [1, 0]], "for 3 outputs pass whole numbers from 0 to 2, or one-hot lists of 3; got"),
    ([3], hot(3, 4), "for 3 outputs pass whole numbers from 0 to 2, or one-hot lists of 3"),
    ([2], hot(3, 3), "for 2 outputs pass whole numbers from 0 to 1, or one-hot lists of 2; got"),
    ([3], [[1, 1, 0], [0, 1, 0], [0, 0, 1]], "for 3 outputs"),
    ([3], [[1, 0, 0], [0, 1, 0], [0, 1]], "for 3 outputs"),
]


@pytest.mark.parametrize(("sizes", "y", "message"), WRONG)
def test_targets_with_another_width_than_the_outputs_are_refused(sizes: list[int], y: Any, message: str) -> None:
    model, rows = MLP(2, sizes, seed=0), [[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]
    pytest.importorskip("matplotlib", reason="a picture is refused, too").use("Agg")
    for judge in (accuracy, confusion, plots.decision_boundary):
        with pytest.raises(ValueError, match=f"the targets are not classes of this model: {message}"):
            judge(model, rows, y)


@ENGINES
def test_a_user_defined_loss_may_take_targets_of_any_width(compiled: bool) -> None:
    def loss(out: Any, t: Any) -> Any:
        return t[1] * (out - t[0]) ** 2

    assert fit(MLP(2, [1], seed=0), [[0.0, 1.0]], [[0, 1]], loss=loss, epochs=1, compiled=compiled).accuracy == []


def test_the_model_comes_first() -> None:
    calls: list[Callable[[Any], Any]] = [
        lambda model: accuracy(model, [[1.0]], [0]), lambda model: classify(model, [[1.0]]), deltas, plots.weights,
        lambda model: plots.decision_boundary(model, [[1.0]], [0]),
    ]  # fmt: skip
    for call in calls:
        for model in ([0.5], MLP):
            with pytest.raises(TypeError, match="the model comes first and is a Module, such as an MLP; got "):
                call(model)


def test_classes_may_be_given_as_a_column() -> None:
    rows, y = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], [0, 2, 1]
    for column in ([[t] for t in y], np.array([y]).T):
        assert accuracy(Echo(), rows, column) == accuracy(Echo(), rows, y) == 1.0
        assert fit(MLP(3, [3], seed=0), rows, column, loss="cross_entropy", epochs=1).epochs == 1
    with pytest.raises(ValueError, match="example 1: for 3 outputs, a class is a whole number from 0 to 2; got 3"):
        accuracy(Echo(), rows, [[0], [3], [1]])


def test_outputs_that_are_not_numbers_have_no_classes() -> None:
    class Named(Echo):
        def __call__(self, x: Any) -> Any:
            return x[0] if x[0] > 0 else {"y": x[0]}

    with pytest.raises(ValueError, match="not classes of this model: its outputs are neither numbers nor lists of them; got"):
        accuracy(Named(), [[-1.0]], [1])
    for judge in (lambda: classify(Named(), [[1.0], [-1.0]]), lambda: accuracy(Named(), [[1.0], [-1.0]], [1, 1])):
        with pytest.raises(TypeError, match=r"^example 1: only numbers and lists .* the model returned {'y'"):
            judge()
    assert fit(MLP(2, [2], seed=0), X[:1], [[Value(0.0), Value(1.0)]], epochs=1).accuracy == []


# Before training


def test_a_model_is_called_on_one_example_of_each_shape() -> None:
    seen: list[Any] = []

    def model_of(x: Any) -> float:
        seen.append(x)
        return 1.0

    examples_of(model_of, rows := [[1.0], [2.0], [3.0, 4.0], [5.0, 6.0], [[7.0]]], [0.0] * 5)
    assert seen == [rows[0], rows[2], rows[4]]
    seen.clear()
    examples_of(model_of, np.ones((3, 2)), [0.0] * 3)
    assert seen == [[1.0, 1.0]]
    model = MLP(2, [1], seed=1)
    with pytest.raises(ValueError, match=r"example 2: .* takes 2 inputs; got 1"):
        fit(model, [[0.0, 0.0], [1.0, 1.0], [1.0]], [0.0] * 3)
    assert model.history is None


def test_a_list_of_one_number_is_that_number() -> None:
    assert numbers_of([[5.0], [1.0, 2.0], 3.0, []]) == [5.0, [1.0, 2.0], 3.0, []]


@pytest.mark.parametrize(("n", "width"), [(10, 3), (11, 4)])
def test_columns_of_a_table_are_wide_enough_for_the_last_class(n: int, width: int) -> None:
    header, first, *_ = str(Confusion([[1] * n] * n)).splitlines()
    assert header == "true ╲ predicted" + "".join(f"{i:{width}d}" for i in range(n))
    assert first == f"{0:16d}" + f"{1:{width}d}" * n


def test_a_loss_with_many_paths_is_searched_once_for_what_it_depends_on() -> None:
    w = y = Value(1.0)
    for _ in range(60):
        y = y + y
    dependence = Dependence([w, Value(2.0)])
    dependence.see(y, given=[])
    assert [*dependence.unreached.values()] == [*dependence.parameters.values()][1:] and not dependence.is_empty


@pytest.mark.parametrize("f", [lambda x: x.sum(), lambda x: x[:, 0][0], lambda x: (x - 1.0)[0][0], lambda x: (x * 0.5)[0][0]])
@pytest.mark.parametrize("use", [lambda *given: fit(*given, epochs=1), accuracy])
def test_a_model_of_arrays_is_told_that_examples_are_lists(f: Callable[[Any], Any], use: Callable[..., Any]) -> None:
    class Arrays(Module):
        def __init__(self, convert: Callable[[Any], Any]) -> None:
            self.w, self.convert = Value(0.5), convert

        def __call__(self, x: Any) -> Any:
            return sigmoid(self.w * f(self.convert(x)))

    X = np.array([[[0.0, 1.0]], [[1.0, 1.0]]])
    assert isinstance(Arrays(np.asarray)(X[0]), Value)
    with pytest.raises((AttributeError, TypeError), match="; an array, a table or a tuple reaches the model as nested lists: "):
        use(Arrays(lambda x: x), X, [0.0, 1.0])
    use(Arrays(np.array), X, [0.0, 1.0])


@pytest.mark.parametrize("threshold", ["0.5", [0.5], math.nan, Value(0.5), 1j])
@pytest.mark.parametrize("use", [classify, accuracy, confusion, plots.decision_boundary])
def test_a_threshold_is_a_number(use: Callable[..., Any], threshold: Any) -> None:
    examples = ([[0.0, 0.0], [1.0, 1.0]], [0, 1])[: 1 if use is classify else 2]
    with pytest.raises(ValueError, match=r"^threshold is a number, not NaN; got "):
        use(Neuron(2, seed=1), *examples, threshold=threshold)
