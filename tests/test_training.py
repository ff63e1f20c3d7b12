"""Training: what `fit` does step by step, when it stops, what it says, and what is left when something goes wrong."""

from __future__ import annotations

import gc
import io
import math
import pickle
import re
import sys
import types
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, dot, exp, log
from nn import MLP, Layer, Module, Neuron, accuracy, classify, collector_paused, confusion, deltas, fit
from nn.data import moons, truth_table
from nn.evaluation import Confusion
from nn.losses import squared_error
from nn.optim import SGD, Adam, Momentum
from nn.training import DivergenceError, History, _Patience

LINE: tuple[list[list[float]], list[float]] = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]


def line(seed: int = 0) -> Neuron:
    return Neuron(1, "linear", seed=seed)


class Recorder:
    """An optimiser that records the gradients and moves nothing."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def step(self, parameters: Sequence[Value]) -> None:
        """Record the gradients."""
        self.seen.append([parameter.grad for parameter in parameters])


def steps(**options: Any) -> Any:
    recorder: Any = Recorder()
    fit(line(), *LINE, loss=squared_error, optimizer=recorder, epochs=1, shuffle=False, **options)
    return recorder.seen


# Learning


@pytest.mark.parametrize("seed", range(3))
def test_defaults_learn_xor_and_moons(seed: int) -> None:
    X, y = truth_table("xor")
    model = MLP(2, [4, 1], seed=seed)
    history = fit(model, X, y, epochs=200, seed=seed)
    assert history.loss[-1] < 0.05 < history.loss[0] and accuracy(model, X, y) == history.accuracy[-1] == 1.0
    X, y = moons(60, seed=seed)
    model = MLP(2, [8, 1], output="sigmoid", seed=seed)
    fit(model, X, y, loss="binary_cross_entropy", epochs=40, seed=seed)
    assert accuracy(model, *moons(100, seed=100 + seed)) > 0.84


def test_several_classes() -> None:
    X = [[float(a), float(b)] for a in range(3) for b in range(3)]
    y = [max(int(a), int(b)) for a, b in X]
    by_logits, by_softmax = MLP(2, [8, 3], seed=0), MLP(2, [8, 3], output="softmax", seed=0)
    one = fit(by_logits, X, y, loss="cross_entropy", epochs=150, seed=0)
    other = fit(by_softmax, X, y, loss="categorical_cross_entropy", epochs=150, seed=0)
    assert one.loss == pytest.approx(other.loss, rel=1e-4)
    assert classify(by_logits, X) == classify(by_softmax, X) == y
    assert accuracy(by_logits, X, y) == 1.0


# Steps


def gradient(i: int) -> Any:
    """Return the gradient of example i's squared error at the first weights."""
    w, x, t = line().w[0].data, LINE[0][i][0], LINE[1][i]
    return 2 * (w * x - t) * np.array([x, 1.0])


def test_online_mini_batch_and_full_batch() -> None:
    g = [gradient(i) for i in range(4)]
    np.testing.assert_allclose(steps(batch_size=1), g)
    np.testing.assert_allclose(steps(batch_size=3), [(g[0] + g[1] + g[2]) / 3, g[3]])
    np.testing.assert_allclose(steps(batch_size=None), [sum(g) / 4])
    np.testing.assert_allclose(steps(batch_size=None, reduce="sum"), [sum(g)])
    np.testing.assert_allclose(steps(batches=lambda: [[3, 3], [0]]), [g[3], g[0]])


def test_l2_pulls_every_parameter() -> None:
    w = line().w[0].data
    np.testing.assert_allclose(steps(batch_size=None, l2=0.5)[0] - np.array(steps(batch_size=None)[0]), [w, 0.0])
    plain, penalised = (fit(line(), *LINE, epochs=1, l2=l2, batch_size=None).loss[0] for l2 in (0.0, 0.5))
    assert penalised == pytest.approx(plain + 0.5 * w * w)


def test_the_loss_of_an_epoch_is_the_mean_or_the_sum() -> None:
    w = line().w[0].data
    errors = [(w * x - t) ** 2 for [x], t in zip(*LINE, strict=True)]
    still = 1e-300
    mean = fit(line(), *LINE, optimizer=SGD(lr=still), epochs=1, batch_size=3).loss
    total = fit(line(), *LINE, optimizer=SGD(lr=still), epochs=1, batch_size=3, reduce="sum").loss
    assert (mean[0], total[0]) == pytest.approx((sum(errors) / 4, sum(errors)))


def test_shuffling_has_a_seed() -> None:
    def orders(shuffle: bool, seed: Any) -> list[list[float]]:
        model, seen = line(), []

        def loss(y: Any, t: Any) -> Any:
            seen.append(t)
            return squared_error(y, t)

        fit(model, *LINE, loss=loss, epochs=2, batch_size=3, shuffle=shuffle, seed=seed)
        return [seen[:4], seen[4:]]

    first, second = orders(True, 1)
    assert sorted(first) == sorted(second) == LINE[1] and first != second
    assert orders(True, 1) == orders(True, Random(1)) == orders(True, np.int64(1)) == [first, second] != orders(True, 2)
    assert orders(False, 1) == [LINE[1], LINE[1]]


def test_arrays_and_tuples_are_taken() -> None:
    histories = [fit(line(), X, y, epochs=3, seed=0).loss for X, y in (
        LINE, (np.array(LINE[0]), np.array(LINE[1])), (tuple(map(tuple, LINE[0])), tuple(LINE[1])),
        ([np.array(x) for x in LINE[0]], [[t] for t in LINE[1]]), (np.array(LINE[0], np.float32), np.array(LINE[1])[:, None]),
    )]  # fmt: skip
    assert all(losses == histories[0] for losses in histories)


def test_a_user_defined_module_and_loss() -> None:
    class Bell(Module):
        def __init__(self) -> None:
            self.centre = Value(0.5)

        def __call__(self, x: Any) -> Any:
            return exp(-((x - self.centre) ** 2))

    bell = Bell()
    fit(bell, [2.0], [0.0], loss=lambda y, t: -log(y), epochs=200)  # an input need not be a list
    assert bell.centre.data == pytest.approx(2.0, abs=1e-3)


def test_a_second_call_continues() -> None:
    whole, parts = line(), line()
    fit(whole, *LINE, optimizer=Momentum(lr=0.01), epochs=6, shuffle=False)
    optimizer = Momentum(lr=0.01)
    for _ in range(3):
        fit(parts, *LINE, optimizer=optimizer, epochs=2, shuffle=False)
    assert parts.state_dict() == whole.state_dict()


# Stopping, history, callbacks


def test_goal_and_patience() -> None:
    history = fit(line(), *LINE, epochs=1000, goal=0.01, seed=0)
    assert history.stopped == "at the goal" and history.loss[-1] <= 0.01 < min(history.loss[:-1])
    history = fit(line(), *LINE, epochs=1000, optimizer=SGD(lr=1e-9), patience=3, tolerance=1e-3, seed=0)
    assert history.epochs == 4 and history.stopped == "after 3 epochs without improvement"
    assert fit(line(), *LINE, epochs=20, optimizer=SGD(lr=1e-3), patience=3, seed=0).epochs == 20
    at_rest = line()
    at_rest.w[0].data, at_rest.b.data = 2.0, 1.0
    history = fit(at_rest, *LINE, epochs=20, patience=3, seed=0)
    assert history.loss == [0.0] * 4, "as good as before is not better"


@given(st.lists(st.integers(0, 5), min_size=1), st.integers(1, 4), st.sampled_from([0.0, 1.0]))
def test_patience_ends_when_the_minimum_is_too_old(losses: list[int], patience: int, tolerance: float) -> None:
    curve = [float(x) for x in losses]
    newer, older = curve[-patience:], curve[:-patience]
    *_, is_over = map(_Patience(patience, tolerance).is_over, (curve[: n + 1] for n in range(len(curve))))
    assert is_over == bool(older and not any(x < min(older) - tolerance for x in newer))


def test_validation() -> None:
    model = MLP(2, [4, 1], seed=0)
    X, y = truth_table("and")
    history = fit(model, X, y, epochs=5, validation=([[0.0, 0.0], [1.0, 1.0]], [0, 1]), seed=0)
    errors = [(model.predict([a, a]) - a) ** 2 for a in (0.0, 1.0)]
    assert history.validation_loss[-1] == pytest.approx(sum(errors) / 2)
    assert len(history.validation_loss) == len(history.validation_accuracy) == 5
    # The loss keeps falling; that of the held-out example, with a target far below the line, does not.
    worse = fit(line(), *LINE, epochs=5, optimizer=SGD(lr=0.01), validation=([[1.0]], [-50.0]), patience=2, seed=0)
    assert worse.epochs == 3 and worse.loss == sorted(worse.loss, reverse=True)


def test_callbacks() -> None:
    seen = []

    def callback(history: History, model: Module) -> bool:
        seen.append((history.epochs, model))
        return history.epochs == 3

    model = line()
    history = fit(model, *LINE, epochs=9, callbacks=[callback, lambda history, model: "truthy, but not True"])
    assert seen == [(1, model), (2, model), (3, model)] and history.stopped == "by a callback"


def test_a_history_as_text() -> None:
    texts: list[str] = []
    history = fit(line(), *LINE, epochs=2, seed=0, callbacks=[lambda history, _: texts.append(str(history))])
    assert history.accuracy == [] and history.seconds > 0
    assert [*texts, str(history)][1:] == [f"2 epochs, loss {history.loss[0]:.4f} → {history.loss[1]:.4f}{end}" for end in
                                          (" so far", "; stopped after the last epoch")]  # fmt: skip


# When it goes wrong


@pytest.mark.parametrize(
    ("x", "y", "fault"), [(math.nan, 3.0, r"its inputs are \[nan\]"), (3.0, math.inf, "its targets are inf")]
)
def test_a_loss_that_is_not_finite_stops_and_names_the_node_and_the_number(x: float, y: float, fault: str) -> None:
    model, message = line(), f"in epoch 0, at example 2: the first value that is not finite is .*{fault}; put finite numbers"
    with pytest.raises(DivergenceError, match=message) as caught:
        fit(model, [[1.0], [2.0], [x]], [1.0, 2.0, y], batch_size=1, shuffle=False)
    assert caught.value.history.loss == [] and all(math.isfinite(parameter.data) for parameter in model.parameters())


def test_a_runaway_training_stops_at_the_last_good_step() -> None:
    model = line()
    with pytest.raises(DivergenceError, match="try a lower learning rate") as caught:
        fit(model, *LINE, optimizer=SGD(lr=1e3), epochs=1000)
    assert len(caught.value.history.loss) > 10 and caught.value.history.stopped == ""
    assert all(math.isfinite(parameter.data) for parameter in model.parameters())


def test_a_gradient_that_is_not_finite_stops_the_training_too() -> None:
    class Root(Module):
        def __init__(self) -> None:
            self.w = Value(0.0)

        def __call__(self, x: Any) -> Any:
            return self.w.sqrt() * x

    model = Root()
    with pytest.raises(DivergenceError, match="the first gradient that is not finite flows from"):
        fit(model, [1.0], [1.0])
    assert model.w.data == 0.0


def test_a_domain_error_names_the_epoch_and_the_example() -> None:
    neuron = Neuron(1, "sigmoid", init="zeros")
    neuron.b.data = 800.0
    with pytest.raises(DivergenceError, match=r"in epoch 0, at example 0: .* what happened has the probability 0"):
        fit(neuron, [[1.0]], [0], loss="binary_cross_entropy")


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("loss", "n_outputs", "message"),
    [
        ("binary_cross_entropy", 1, 'got -3: end the model with output="sigmoid", or use binary_cross_entropy_with_logits'),
        ("categorical_cross_entropy", 2, 'got -3: end the model with output="softmax", or use cross_entropy'),
    ],
)
def test_outputs_that_are_not_probabilities_are_named(loss: str, n_outputs: int, message: str, compiled: bool) -> None:
    model = MLP(1, [n_outputs], output="linear", seed=1)
    for parameter in model.parameters():
        parameter.data = -1.5
    with pytest.raises(DivergenceError, match=f"^in epoch 0, at example [01]: {loss} takes probabilities .*; {message}$"):
        fit(model, [[1.0], [1.0]], [1, 0], loss=loss, compiled=compiled)


def test_a_domain_error_in_the_model_keeps_its_message() -> None:
    class Logarithm(Neuron):
        def __call__(self, x: Any) -> Any:
            return log(super().__call__(x) + x[0])

    with pytest.raises(DivergenceError, match=r"^in epoch 0, at example 1: log\(-1.0\) is undefined"):
        fit(Logarithm(1, "linear", init="zeros"), [[1.5], [-1.0]], [1, 0], loss="binary_cross_entropy")


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"X": []}, ValueError, "examples: 0, targets: 4"),
    ({"X": [], "y": []}, ValueError, "there are no examples"), ({"y": [1.0]}, ValueError, "examples: 4, targets: 1"),
    ({"X": 5.0}, TypeError, "X is a list or an array.*; got 5.0"),
    ({"y": "abcd"}, TypeError, "y is a list or an array.*; got 'abcd'"),
    ({"X": [[1.0, 2.0]] * 4}, ValueError, "takes 1 input; got 2"),
    ({"y": [[1.0, 2.0]] * 4}, ValueError, "a target for each output; got 1 and 2"),
    ({"loss": "mse"}, ValueError, "unknown loss 'mse'; choose from binary_cross_entropy, "),
    ({"epochs": 0}, ValueError, "epochs is at least 1; got 0"),
    ({"batch_size": 0}, ValueError, "batch_size is at least 1; got 0"),
    ({"patience": 0}, ValueError, "patience is at least 1; got 0"),
    ({"epochs": 1.5}, TypeError, "epochs is a whole number; got 1.5"),
    ({"optimizer": "adam"}, TypeError, r"optimizer is an instance of a class of nn.optim, such as Adam\(lr=0.05\); got 'adam'"),
    ({"optimizer": SGD}, TypeError, "optimizer is an instance of a class of nn.optim"),
    ({"callbacks": print}, TypeError, "callbacks is a list of functions; got <built-in function print>"),
    ({"l2": -1.0}, ValueError, "l2 is not negative; got -1.0"), ({"tolerance": -1.0}, ValueError, "tolerance is not negative"),
    ({"l2": math.inf}, ValueError, "l2 is finite; got inf"), ({"tolerance": math.nan}, ValueError, "tolerance is finite"),
    ({"validation": [[0.0]] * 99}, TypeError, r"validation is a pair \(X, y\) of inputs and targets; got \[.{199}…$"),
    ({"validation": ([[1.0, 2.0]], [1])}, ValueError, "^validation: .* takes 1 input; got 2"),
    ({"l2": None}, TypeError, "l2 is a number; got None"), ({"tolerance": None}, TypeError, "tolerance is a number; got None"),
    ({"model": None}, TypeError, "the model comes first and is a Module, such as an MLP; got None"),
    ({"reduce": "max"}, ValueError, "reduce is 'mean' or 'sum'; got 'max'"),
    ({"interrupt": "stop"}, ValueError, "interrupt is 'raise' or 'return'; got 'stop'"),
    ({"epochs": None}, TypeError, "epochs is a whole number; got None"),
    ({"callbacks": [3]}, TypeError, r"callbacks is a list of functions; got \[3\]"),
    ({"loss": ["hinge"]}, ValueError, r"unknown loss \['hinge'\]; choose from"),
    ({"batches": [[0, 1]]}, TypeError, r"batches is a function that returns the batches .*; got \[\[0, 1\]\]"),
    ({"batches": lambda: None}, TypeError, "batches returns the batches of an epoch, .*; it gave None"),
    ({"batches": lambda: [0, 1]}, TypeError, "batches gave 0 in epoch 0, where a list of indices into X is needed"),
    ({"batches": lambda: [[0, 4]]}, ValueError, r"batches gave \[0, 4\] in epoch 0; the indices into X are 0 to 3"),
    ({"batches": lambda: [np.array([-5])]}, ValueError, "in epoch 0; the indices into X are 0 to 3"),
    ({"seed": [1], "shuffle": True}, TypeError, r"seed is an int, a random.Random or None; got \[1\]"),
    ({"seed": np.random.default_rng(1)}, TypeError, r"seed is an int, a random.Random or None; got Generator"),
    ({"lr": 0.1}, TypeError, r"fit has no argument lr; pass the learning rate to the optimiser: optimizer=Adam\(lr=0.05\)$"),
    ({"verbose": 1}, TypeError, r"fit has no argument verbose; help\(fit\) lists its arguments$"),
])  # fmt: skip
def test_wrong_arguments_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    model = line()
    before = model.state_dict()
    with pytest.raises(error, match=message):
        fit(**{"model": model, "X": LINE[0], "y": LINE[1], "shuffle": False, **options})
    assert model.state_dict() == before


def test_a_class_beyond_the_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match="for 3 outputs, a class is a whole number from 0 to 2; got 3"):
        fit(MLP(1, [3]), [[0.0], [1.0]], [0, 3])


def test_a_divergence_can_be_pickled() -> None:
    error = DivergenceError("in epoch 1", History(loss=[2.0]))
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.history) == (str(error), error.history)


# The collector


def test_the_collector_is_off_during_steps_and_restored() -> None:
    states = []

    def loss(y: Any, t: Any) -> Any:
        states.append(gc.isenabled())
        return squared_error(y, t)

    fit(line(), *LINE, loss=loss, epochs=1, callbacks=[lambda history, model: states.append(gc.isenabled())])
    assert states == [False] * 4 + [True]
    with pytest.raises(ZeroDivisionError):
        fit(line(), *LINE, loss=lambda y, t: 1 // 0)
    assert gc.isenabled()
    with collector_paused(), collector_paused():
        pass
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_training_leaves_no_garbage() -> None:
    model = MLP(2, [3, 1], seed=0)
    X, y = truth_table("xor")
    fit(model, X, y, epochs=2)
    gc.collect()
    before = sum(type(x) is Value for x in gc.get_objects())
    with collector_paused():
        fit(model, X, y, epochs=5)
        alive = sum(type(x) is Value for x in gc.get_objects())
        assert alive - before < 100  # the nodes of the last example


# Progress


class Bar:
    """A stand-in for tqdm's bar."""

    made: list[Bar]

    def __init__(self, **options: Any) -> None:
        self.options, self.updates, self.closed, self.text = options, 0, False, ""
        self.made.append(self)

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        """Take the loss."""
        self.text = text + " at once" * refresh

    def update(self) -> None:
        """Count."""
        self.updates += 1

    def close(self) -> None:
        """Close."""
        self.closed = True


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Bar]:
    Bar.made = []
    module: Any = types.ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    return Bar.made


def test_a_bar_is_shown_only_at_a_terminal(bars: list[Bar], monkeypatch: pytest.MonkeyPatch) -> None:
    fit(line(), *LINE, epochs=3)
    monkeypatch.setattr(sys, "stderr", None)
    fit(line(), *LINE, epochs=3)
    assert bars == []
    monkeypatch.setattr(sys, "stderr", Terminal())
    fit(line(), *LINE, epochs=3, progress=False)
    assert bars == []
    fit(line(), *LINE, epochs=3)
    (bar,) = bars
    assert bar.options == {"total": 3, "unit": "epoch", "delay": 1.0, "leave": False} and (bar.updates, bar.closed) == (3, True)
    assert re.fullmatch(r"loss \d\S+", bar.text)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)  # not installed
    assert fit(line(), *LINE, epochs=3).epochs == 3


def test_a_bar_is_shown_in_a_notebook(bars: list[Bar], monkeypatch: pytest.MonkeyPatch) -> None:
    ipython: Any = types.ModuleType("IPython")
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    for application, n in (("TerminalIPythonApp", 0), ("IPKernelApp", 1)):
        shell = types.SimpleNamespace(config={application: {}})
        ipython.get_ipython = lambda shell=shell: shell
        fit(line(), *LINE, epochs=2)
        assert len(bars) == n


def test_the_bar_is_closed_when_training_fails(bars: list[Bar], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ZeroDivisionError):
        fit(line(), *LINE, loss=lambda y, t: 1 // 0)
    assert bars[0].closed


# After training


def test_classes_accuracy_confusion() -> None:
    neuron = Neuron(1, "linear", init=lambda *_: 1.0)
    X = [[-1.0], [0.2], [0.5], [2.0]]
    assert classify(neuron, X) == [0, 0, 1, 1]
    assert classify(neuron, np.array(X), threshold=0.0) == [0, 1, 1, 1]
    assert accuracy(neuron, X, [0, 1, 1, 1]) == 0.75
    assert accuracy(neuron, X, [-1, 1, 1, 1]) == accuracy(neuron, X, [0, 1, 1, 1], threshold=0.0) == 1.0
    table = confusion(neuron, X, [[0], [1], [1], [0]])
    assert table == Confusion([[1, 1], [1, 1]]) and table.accuracy == 0.5
    assert confusion(Layer(1, 3, "linear", init="zeros"), X, [2, 2, 0, 1]).counts == [[1, 0, 0], [1, 0, 0], [2, 0, 0]]
    with pytest.raises(ValueError, match="the targets are not classes"):
        accuracy(neuron, X, [0.5, 1.0, 2.0, 3.0])
    for soft in ([1.0, 0.5, 0.0], [0.5, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]):
        with pytest.raises(ValueError, match="the targets are not classes"):
            accuracy(Layer(1, 3, "linear", init="zeros"), X[:2], [[0.0, 1.0, 0.0], soft])


def test_accuracy_while_training_knows_the_loss() -> None:
    X, y = [[-1.0], [-0.5], [0.25], [1.0]], [0, 0, 1, 1]
    for loss in ("binary_cross_entropy_with_logits", "hinge"):
        neuron = Neuron(1, "linear", init=lambda *_: 1.0)
        assert fit(neuron, X, y, loss=loss, optimizer=Adam(lr=1e-9), epochs=1).accuracy == [1.0]


def test_deltas() -> None:
    model = MLP(2, [3, 2], output="softmax", seed=0)
    with pytest.raises(ValueError, match="no example has gone through the model yet"):
        deltas(model)
    p = model([1.0, -1.0])
    (-log(p[0])).backward()
    first, last = deltas(model)
    assert last == pytest.approx([p[0].data - 1, p[1].data])
    assert first == [neuron.net.grad for neuron in model.layers[0].neurons if neuron.net is not None]
    accuracy(model, [[0.0, 1.0]], [1])
    assert deltas(model) == [first, last]  # accuracy records nothing

    class Mixed(Module):
        def __init__(self) -> None:
            self.gate = Neuron(2, "sigmoid", seed=0)
            self.body = Layer(2, 2, seed=1)

        def __call__(self, x: Any) -> Any:
            return self.gate(x) * dot(self.body(x), [1.0, 2.0])

    mixed = Mixed()
    mixed([0.5, 1.0]).backward()
    assert [len(layer) for layer in deltas(mixed)] == [2, 1]
    assert deltas(mixed.gate) == [[mixed.gate.b.grad]]
