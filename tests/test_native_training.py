"""Native code makes whole epochs with the same steps as Python, wherever they end, and flushes subnormal numbers on request."""

import math
import random
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_own_optimisers import Lazy

from autograd import Value, compile, primitives, tanh
from autograd.compiler import interpreter
from nn import MLP, Neuron, fit
from nn.data import moons
from nn.engines import Compiled
from nn.optim import SGD, Adam, Momentum, Optimizer, RProp, cosine
from nn.training import DivergenceError, History

pytest.importorskip("numba")


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that collects the sizes of the batches learned in Python."""
    seen: list[int] = []
    learn = Compiled.learn

    def counted(self: Compiled, batch: Sequence[int]) -> tuple[float, int]:
        seen.append(len(batch))
        return learn(self, batch)

    monkeypatch.setattr(Compiled, "learn", counted)
    return seen


def trained(compiled: bool, optimizer: Optimizer, **options: Any) -> tuple[list[float], History]:
    """Return the parameters of a model that was trained in many small steps, and the history."""
    X, y = moons(31, noise=0.1, seed=1)
    model = MLP(2, [4, 1], output="sigmoid", seed=1)
    history = fit(model, X, y, optimizer=optimizer, compiled=compiled, **{"epochs": 3, "seed": 1, "batch_size": 2, **options})
    return [parameter.data for parameter in model.parameters()], history


class Own(SGD):
    """Gradient descent with functions that NumPy has and nodes lack."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a clipped step."""
        return parameter - np.fmin(np.fmax(rate * gradient, -0.01), 0.01), ()


class Clipped(SGD):
    """Gradient descent with steps of limited width, as NumPy and nodes write it."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a clipped step."""
        return parameter - np.clip(rate * gradient, -0.01, 0.01), ()


class Twice(SGD):
    """Gradient descent with its own step for arrays."""

    def step_array(self, parameters: Any, gradient: Any) -> None:
        """Make the step twice."""
        super().step_array(parameters, gradient)
        super().step_array(parameters, gradient)


@pytest.mark.parametrize("reduce", ["mean", "sum"])
@pytest.mark.parametrize("kind", [SGD, Clipped, Momentum, Adam, RProp])
def test_epochs_in_native_code_equal_eager_ones(kind: Any, reduce: str, one_by_one: list[int]) -> None:
    options = {"reduce": reduce, "l2": 0.01, "loss": "binary_cross_entropy"}
    (expected, eager), (found, compiled) = (trained(on, kind(lr=cosine(0.05, 60)), **options) for on in (False, True))
    assert found == pytest.approx(expected, abs=1e-12)
    assert compiled.loss == pytest.approx(eager.loss, rel=1e-12)
    assert compiled.accuracy == eager.accuracy
    assert one_by_one == ([] if kind in (SGD, Clipped) else [2])  # the first batch, which makes the state


@pytest.mark.parametrize(("most", "left_over"), [(8, 0), (10, 6), (16, 0)])
def test_a_call_of_native_code_makes_a_limited_number_of_steps(
    most: int, left_over: int, one_by_one: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, history = trained(True, SGD(lr=0.05))  # of 16 steps an epoch
    assert one_by_one == []
    monkeypatch.setattr("nn.engines.MOST_STEPS", most)
    found, again = trained(True, SGD(lr=0.05))
    assert found == pytest.approx(expected, abs=1e-12) and again.loss == pytest.approx(history.loss, rel=1e-12)
    assert len(one_by_one) == 3 * left_over


@pytest.mark.parametrize("kind", [Own, Twice])
def test_an_optimiser_that_native_code_cannot_run_steps_in_python(kind: Any, one_by_one: list[int]) -> None:
    compiled, _ = trained(True, kind(lr=0.05))
    assert len(one_by_one) == 3 * 16
    if kind is Twice:  # eager training does not call step_array
        assert compiled != pytest.approx(trained(False, kind(lr=0.05))[0], abs=1e-6)
    else:
        X, y = moons(31, noise=0.1, seed=1)
        model = MLP(2, [4, 1], output="sigmoid", seed=1)
        fit(model, X, y, optimizer=SGD(lr=0.05), epochs=3, seed=1, batch_size=2, compiled=True)
        assert compiled != pytest.approx([parameter.data for parameter in model.parameters()], abs=1e-6)


def test_an_optimiser_continues_when_the_engine_changes() -> None:
    found = []
    for order in ([False] * 3, [True] * 3, [True, False, True]):
        X, y = moons(20, noise=0.1, seed=1)
        model, optimizer = MLP(2, [3, 1], seed=1), Adam(lr=0.01)
        for compiled in order:
            fit(model, X, y, optimizer=optimizer, epochs=2, batch_size=1, shuffle=False, compiled=compiled)
        found.append([parameter.data for parameter in model.parameters()])
        assert optimizer.steps == 3 * 2 * 20
    assert found[1] == pytest.approx(found[0], abs=1e-12)
    assert found[2] == pytest.approx(found[0], abs=1e-12)


@pytest.mark.parametrize("bad", [1e200, math.nan])
def test_a_step_that_is_not_finite_is_not_made(bad: float) -> None:
    X, y = moons(40, noise=0.1, seed=1)
    X[23] = [bad, 1.0]
    found = []
    for compiled in (False, True):
        model = MLP(2, [3, 1], activation="relu", output="linear", seed=1)
        optimizer = SGD(lr=0.01)
        with pytest.raises(DivergenceError) as caught:
            fit(model, X, y, loss="squared_error", optimizer=optimizer, batch_size=2, shuffle=False, compiled=compiled)
        found.append((str(caught.value), optimizer.steps, [parameter.data for parameter in model.parameters()]))
    assert all("in epoch 0, at example 23: the first value that is not finite is" in message for message, *_ in found)
    assert [steps for _, steps, _ in found] == [11, 11]
    assert found[1][2] == pytest.approx(found[0][2], abs=1e-12)


def test_an_output_that_is_not_a_probability_ends_the_steps() -> None:
    X = [[x / 40] for x in range(40)]
    X[30] = [5.0]
    found = []
    for compiled in (False, True):
        model = MLP(1, [2], seed=1)
        for parameter, x in zip(model.parameters(), [0.5, 0.25, 0.5, 0.25], strict=True):
            parameter.data = x
        with pytest.raises(DivergenceError, match=r"takes probabilities from 0 to 1; got 2\.") as caught:
            fit(model, X, [0, 1] * 20, loss="categorical_cross_entropy", optimizer=SGD(lr=1e-4), batch_size=1, shuffle=False,
                compiled=compiled)  # fmt: skip
        found.append((str(caught.value), [parameter.data for parameter in model.parameters()]))
    assert found[1][0] == found[0][0]
    assert found[1][1] == pytest.approx(found[0][1], abs=1e-14)


def test_batches_are_learned_up_to_one_that_fails() -> None:
    X, y = moons(20, noise=0.1, seed=1)

    def batches() -> Iterator[Sequence[int]]:
        for i in range(12):
            yield [i, i + 1]
        yield []

    found = []
    for compiled in (False, True):
        model = MLP(2, [3, 1], seed=1)
        with pytest.raises(ValueError, match="batches gave an empty batch in epoch 0"):
            fit(model, X, y, optimizer=SGD(lr=0.1), batches=batches, compiled=compiled)
        found.append([parameter.data for parameter in model.parameters()])
    assert found[1] == pytest.approx(found[0], abs=1e-12)
    assert found[0] != [parameter.data for parameter in MLP(2, [3, 1], seed=1).parameters()]


def test_many_parameters_are_moved_in_pieces() -> None:
    """There are more of them than a rule's tape has columns."""
    rng = random.Random(1)
    X, y = [[rng.gauss(0, 1) for _ in range(300)] for _ in range(10)], [float(i % 2) for i in range(10)]
    found = []
    for compiled in (False, True):
        model = MLP(300, [12, 1], seed=1)
        fit(model, X, y, optimizer=Adam(lr=0.01), epochs=2, batch_size=1, seed=1, compiled=compiled)
        found.append([parameter.data for parameter in model.parameters()])
    assert len(found[0]) == 3625
    assert found[1] == pytest.approx(found[0], abs=1e-12)


def test_a_program_on_numpy_has_no_native_steps() -> None:
    w = Value(0.0)
    program = compile(lambda x: (w * x - 1) ** 2, [w], backend="numpy")
    given: Any = {"rule": SGD().rule, "states": np.zeros((0, 1)), "rates": [0.1]}
    assert program.train([1.0], batches=[[0]], **given) is None
    assert program.parameters.tolist() == [0.0]
    with pytest.raises(ValueError, match="reduce is 'mean' or 'sum'"):
        program.train([1.0], batches=[[0]], reduce="max", **given)


# Subnormal numbers.


def vanishing(x: Any) -> Any:
    """Return a product so small that its gradient is subnormal."""
    return w * x * 1e-155 * 1e-155


w = Value(0.5)


def test_subnormal_numbers_are_flushed_on_request() -> None:
    kept, flushed = (compile(vanishing, [w], backend="native", flush=on) for on in (False, True))
    for batch in ([1.0], [1.0] * 100):
        assert kept.gradient(batch)[1] == pytest.approx([1e-310])
        loss, gradient = flushed.gradient(batch)
        assert (loss, gradient.tolist()) == (0.0, [0.0])
        assert np.array([1e-310]) * 0.5 > 0  # outside of the program, nothing is flushed
        assert kept.gradient(batch)[1] == pytest.approx([1e-310])
    ordinary = compile(lambda x: tanh(w * x), [w], backend="native", flush=True)
    assert ordinary([1.0])[0] == math.tanh(0.5)
    assert compile(vanishing, [w], backend="numpy", flush=True).gradient([1.0])[1] > 0  # native code only
    assert flushed.jacobian([1.0]).tolist() == [[[0.0]]]


def test_the_interpreter_has_no_instruction_that_a_processor_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "FLUSH", None)
    text = interpreter.interpreter_text()
    assert "llvm" not in text and "None" not in text
    module: dict[str, Any] = {}
    exec(text.replace("from numba import njit", "njit = lambda **_: lambda f: f"), module)
    twice = [np.array(x) for x in ([interpreter.CODES[primitives.add]], [1], [0, 2], [0, 0])]
    out = np.zeros((1, 2))
    module["run"](*twice, np.zeros((2, 2)), np.array([[3.0], [4.0]]), 0, 2, np.zeros(0), np.zeros(0), np.array([1]), out, False)
    assert out.tolist() == [[6.0, 8.0]]


def test_flushing_needs_an_x86_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.compiler.program.FLUSH", None)
    with pytest.raises(ValueError, match="flush is for x86 processors"):
        compile(vanishing, [w], flush=True)
    compile(vanishing, [w])


# Arguments that native code could not check.


def descend(w: Any, gradient: Any, rate: Any, state: Any, step: Any) -> Any:
    """Return a step of gradient descent, with a state or without."""
    return w - rate * gradient, [s + gradient for s in state]


RIGHT: dict[str, Any] = {"batches": [[0, 1]] * 2, "rates": [0.1] * 2, "states": np.zeros((0, 1)), "rule": descend}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rates": [0.1]}, r"^rates: .* for each step is needed, 2 in all; got \[0.1\], of shape \(1,\)"),
    ({"rates": 0.1}, "^rates: .* 2 in all; got 0.1"),
    ({"rates": [0.1] * 3}, "^rates: .* 2 in all"),
    ({"rates": [0.1, None]}, r"^rates: .* 2 in all; rates\[1\] is None"),
    ({"states": np.zeros(1)}, r"^states is changed .* of shape \(states, 1\).*; got an array of float64, of shape \(1,\)"),
    ({"states": np.zeros((1, 2))}, r"of shape \(1, 2\)"),
    ({"states": np.zeros((1, 0))}, r"of shape \(1, 0\)"),
    ({"states": np.zeros((1, 1), int)}, "array of float64.*; got an array of int64"),
    ({"states": np.zeros((1, 1), "float32")}, "got an array of float32"),
    ({"states": [[0.0]]}, r"got \[\[0.0\]\]"),
    ({"batches": [[0, 1], []]}, "batch 1 is empty"),
    ({"batches": []}, "at least one step; there is none"),
    ({"batches": [[0], [2]]}, "names the example 2; examples are numbered from 0 to 1"),
    ({"batches": [[0], [-1]]}, "names the example -1"),
    ({"batches": [[0], [0.5]]}, r"as ints, such as \[\[0, 1\], \[2\]\]; got \[\[0\], \[0.5\]\]"),
    ({"batches": [[True], [False]]}, "as ints"),
    ({"batches": [0, 1]}, r"as ints, .*; got \[0, 1\]"),
    ({"batches": [[[0]], [[1]]]}, "as ints"),
]


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize(("given", "message"), WRONG)
def test_steps_that_leave_their_arrays_are_refused(given: dict[str, Any], message: str, backend: str) -> None:
    program = compile(lambda x, y: [(w * x - y) ** 2, w * x], [w], backend=backend)
    with pytest.raises((TypeError, ValueError), match=message):
        program.train([1.0, 2.0], [3.0, 6.0], **(RIGHT | given))
    assert program.parameters.tolist() == [0.5]


def test_a_rule_that_returns_other_states_than_it_got_makes_no_native_steps() -> None:
    program = compile(lambda x, y: [(w * x - y) ** 2, w * x], [w], backend="native")
    fewer: dict[str, Any] = {"rule": lambda w, g, r, s, k: (w, ()), "states": np.zeros((1, 1))}
    for given in (fewer, {"rule": Lazy().rule}):
        assert program.train([1.0, 2.0], [3.0, 6.0], **(RIGHT | given)) is None
    assert program.parameters.tolist() == [0.5]
    assert trained(True, Lazy(lr=0.1))[0] == pytest.approx(trained(False, Lazy(lr=0.1))[0], abs=1e-12)


def test_numbers_of_any_type_make_the_same_steps() -> None:
    found = []
    options: list[dict[str, Any]] = [
        {},
        {"batches": np.array([[0, 1], [0, 1]]), "rates": np.array([0.1, 0.1]), "penalty": 0, "limits": (-100, 100)},
        {"rates": (Fraction(1, 10), 0.1), "states": np.zeros((2, 3))[:, ::3]},
        {"batches": [(0, 1), np.array([0, 1], np.uint8)], "states": np.asfortranarray(np.zeros((3, 1)))},
    ]
    for given in options:
        program = compile(lambda x, y: [(w * x - y) ** 2, w * x], [w], backend="native")
        made = program.train([1.0, 2.0], [3.0, 6.0], **(RIGHT | given))
        assert made is not None and made[0] == 2
        found.append(program.parameters.tolist())
    assert found == [found[0]] * 4


def test_steps_without_data_and_without_parameters() -> None:
    alone = compile(lambda: (w - 3) ** 2, [w], backend="native")
    steps = alone.train(**(RIGHT | {"batches": [[0]] * 40, "rates": [0.25] * 40}))
    assert steps is not None and steps[0] == 40 and steps[1].shape == (1, 40)
    assert alone.parameters == pytest.approx([3.0])
    with pytest.raises(ValueError, match="names the example 1; examples are numbered from 0 to 0"):
        alone.train(**RIGHT)
    fixed = compile(lambda x: x * 2, [], backend="native")
    steps = fixed.train([1.0, 2.0], **(RIGHT | {"states": np.zeros((0, 0))}))
    assert steps is not None and steps[1].tolist() == [[2.0, 4.0, 2.0, 4.0]]


@pytest.mark.parametrize("compiled", [False, True])
def test_a_history_counts_the_seconds(compiled: bool) -> None:
    before = time.perf_counter()
    seconds = fit(Neuron(1), [[0.0]], [0.0], epochs=1, compiled=compiled).seconds
    assert 0 < seconds <= time.perf_counter() - before
