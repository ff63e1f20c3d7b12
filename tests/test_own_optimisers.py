"""User-defined optimisers, and optimisers that are kept while a model grows: compiled or not, they make the same steps."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import Module, Neuron, fit
from nn.optim import SGD, Adam, Momentum, RProp, require_arrays

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 2.0]


def trained(model: Neuron, compiled: Any, optimizer: Any) -> Any:
    """Train for three epochs; with "auto", plan so many that compiling pays."""
    epochs = 1_000_000 if compiled == "auto" else 3
    ends = [lambda history, _: history.epochs == 3]
    return fit(model, X, Y, epochs=epochs, compiled=compiled, optimizer=optimizer, seed=0, callbacks=ends)


def numbers(model: Neuron) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


# Optimisers that take single numbers only


class Normed(SGD):
    """Gradient descent along the normalised gradient, with its own step."""

    def step(self, parameters: Any) -> None:
        """Make a step with the whole gradient scaled to the length 1."""
        norm = math.sqrt(sum(parameter.grad**2 for parameter in parameters))
        for parameter in parameters:
            parameter.grad /= norm
        super().step(parameters)


class Whole(Normed):
    """The same, for arrays as well."""

    def step_array(self, parameters: Any, gradient: Any) -> None:
        """Make a step with the whole gradient scaled to the length 1."""
        super().step_array(parameters, gradient / np.linalg.norm(gradient))


class Bare:
    """An optimiser with nothing but a step."""

    def step(self, parameters: Any) -> None:
        """Make a step of gradient descent."""
        for parameter in parameters:
            parameter.data -= 0.1 * parameter.grad


class Branching(SGD):
    """A rule with an if."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step that always has the same width."""
        return (parameter - rate if gradient > 0 else parameter + rate), state


class Mathematical(SGD):
    """A rule with a function of math."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step of limited width."""
        return parameter - rate * math.tanh(gradient), state


class Bounded(SGD):
    """A rule with Python's max and min."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step of limited width."""
        return parameter - rate * max(-0.5, min(0.5, gradient)), state


class Late(SGD):
    """A rule with an if on its own state."""

    def start(self) -> Any:
        """Return the sum 0."""
        return (0.0,)

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step, and the sum of the gradients."""
        return parameter - rate * (gradient if state[0] == 0.0 else gradient / 2), (state[0] + gradient,)


class ByName(SGD):
    """A rule whose state is a dict."""

    def start(self) -> Any:
        """Return the mean 0."""
        return ({"mean": 0.0},)

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step along the mean, and the mean of the gradients."""
        mean = 0.5 * state[0]["mean"] + gradient
        return parameter - rate * mean, ({"mean": mean},)


class InPlace(SGD):
    """A rule that changes its state, a list inside the tuple."""

    def start(self) -> Any:
        """Return the mean 0."""
        return ([0.0],)

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step along the mean, and the mean of the gradients."""
        state[0][0] = 0.5 * state[0][0] + gradient
        return parameter - rate * state[0][0], state


OWN, RULE = "own step, which moves Values", "cannot move all parameters as one array, which compiled training does"


class Inverse(SGD):
    """A rule that reads the number of steps."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step that is shorter each time."""
        return parameter - rate / (self.steps + 1) * gradient, state


def test_a_rule_that_reads_the_number_of_steps_sees_each() -> None:
    found = []
    for compiled in (False, True):
        neuron, optimizer = Neuron(2, "linear", seed=0), Inverse(0.1)
        fit(neuron, X * 8, Y * 8, epochs=3, batch_size=2, compiled=compiled, optimizer=optimizer, seed=0)
        assert optimizer.steps == 48
        found.append(numbers(neuron))
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Normed(lr=0.1), f"Normed has its {OWN}"), (Bare, f"Bare has its {OWN}"), (lambda: Branching(lr=0.1), RULE),
    (lambda: Mathematical(lr=0.1), RULE), (lambda: Bounded(lr=0.1), RULE), (lambda: Late(lr=0.1), f"Late {RULE}"),
    (lambda: ByName(lr=0.1), f"ByName {RULE} \\(a state is a tuple of numbers; it contains {{'mean': array"),
    (lambda: InPlace(lr=0.1), f"InPlace {RULE} \\(a state is a tuple of numbers; it contains \\[array"),
])  # fmt: skip
def test_an_optimiser_for_single_numbers_is_not_compiled(make: Any, message: str) -> None:
    eager, other = Neuron(2, "linear", seed=1), Neuron(2, "linear", seed=1)
    trained(eager, False, optimizer=make())
    history = trained(other, "auto", optimizer=make())
    assert history.engine.startswith("eager: ") and message.replace("\\", "") in history.engine
    assert numbers(eager) == numbers(other)
    with pytest.raises(TypeError, match=f"{message}.* or use compiled=False$"):
        trained(other, True, optimizer=make())
    assert numbers(eager) == numbers(other)


class Forgetful(SGD):
    """A rule that does not return the parameter."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return nothing in its place."""
        return None, state


@pytest.mark.parametrize("compiled", [False, True])
def test_a_rule_that_returns_no_parameter_is_refused(compiled: bool) -> None:
    neuron = Neuron(2, "linear", seed=1)
    before = numbers(neuron)
    with pytest.raises(TypeError, match=r"a rule returns the next parameter and the state, .* got \(None, \(\)\)"):
        trained(neuron, compiled, optimizer=Forgetful(lr=0.1))
    assert numbers(neuron) == before


def test_a_rule_that_draws_random_numbers_is_not_compiled() -> None:
    class Drawing(SGD):
        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return parameter - rate * gradient + random.random(), ()

    class Throughout(Drawing):
        def step_array(self, parameters: Any, gradient: Any) -> None:
            parameters += np.random.default_rng().random(len(parameters)) - gradient

    with pytest.raises(TypeError, match=rf"^Drawing {RULE} \(its rule draws random numbers, .* or use compiled=False$"):
        require_arrays(Drawing(), np.zeros(2))
    require_arrays(Throughout(), np.zeros(2))


def test_a_step_set_on_an_optimiser_is_not_compiled() -> None:
    optimizer: Any = SGD(lr=0.1)
    seen: list[Any] = []
    optimizer.step = seen.append
    assert trained(Neuron(2, "linear"), "auto", optimizer=optimizer).engine.startswith("eager: SGD has its own step")
    assert len(seen) == 3


def test_an_optimiser_with_its_own_steps_for_numbers_and_arrays_is_compiled() -> None:
    found = []
    for compiled in (False, "auto"):
        model = Neuron(2, "linear", seed=1)
        history = trained(model, compiled, optimizer=Whole(lr=0.1))
        found.append(numbers(model))
    assert history.engine.startswith("compiled") and found[1] == pytest.approx(found[0], abs=1e-12)


def test_a_trial_leaves_the_optimiser_unchanged() -> None:
    class Counted(SGD):
        calls = 0

        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            self.calls += 1
            return super().rule(parameter, gradient, rate, state, t)

    def rate(step: int) -> float:
        rates.append(step)
        return 0.1

    for optimizer in (Counted(), Adam(), Momentum(), RProp()):
        rates: list[int] = []
        optimizer.lr = rate
        array = np.array([1.0, 2.0])
        require_arrays(optimizer, array)
        assert vars(optimizer) == {**vars(type(optimizer)()), "lr": rate} and not rates


# Optimisers that are kept while the parameters change


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam, RProp])
def test_a_new_parameter_starts_afresh(kind: Any) -> None:
    optimizer, old, new, alone = kind(lr=0.1), Value(0.0), Value(0.0), Value(0.0)
    for parameter in (old, new, alone):
        parameter.grad = 1.0
    for _ in range(100):
        optimizer.step([old])
    other = kind(lr=0.1)
    for _ in range(3):
        optimizer.step([old, new])
        other.step([alone])
    assert new.data == alone.data and optimizer.steps == 103


def test_a_parameter_counts_its_own_steps() -> None:
    class Stateful(SGD):
        def start(self) -> Any:
            return (0.0,)

        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return t + 0.0 * parameter, (state[0] + t,)

    class Stateless(SGD):
        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return t + 0.0 * parameter, ()

    for kind, counts in ((Stateful, [2.0, 3.0]), (Stateless, [3.0, 3.0])):
        optimizer, a, b = kind(), Value(0.0), Value(0.0)
        optimizer.step([b])
        optimizer.step([a, b])
        optimizer.step([a, b])
        assert [a.data, b.data] == counts
        array = np.zeros(2)
        optimizer.gather(array, [a, b])
        optimizer.step_array(array, np.ones(2))
        assert array.tolist() == [x + 1 for x in counts]
        optimizer.scatter(array, [a, b])
        twin, others = copy.deepcopy((optimizer, [a, b]))
        for each, parameters in ((optimizer, [a, b]), (twin, others), (copy.copy(twin), others)):
            each.step(parameters)
            assert [parameter.data for parameter in parameters] == [x + 2 for x in counts]


def grown(compiled: list[bool], optimizer: Any) -> list[float]:
    """Train a neuron, add an input, and go on with these engines, each time for as many steps as native code makes at once."""
    model = Neuron(2, "linear", seed=1)
    fit(model, X * 4, Y * 4, optimizer=optimizer, epochs=2, batch_size=1, seed=0, compiled=compiled[0])
    model.w.append(Value(0.2))
    rows = [[*x, 1.0 - x[0]] for x in X * 4]
    for on in compiled[1:]:
        fit(model, rows, Y * 4, optimizer=optimizer, epochs=2, batch_size=1, seed=0, compiled=on)
    return numbers(model)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", [Momentum, Adam, RProp])
def test_a_second_model_is_trained_like_the_first(kind: Any, compiled: bool) -> None:
    optimizer, found = kind(lr=0.05), []
    for _ in range(3):
        model = Neuron(2, "linear", seed=1)
        fit(model, X * 4, Y * 4, optimizer=optimizer, epochs=2, batch_size=1, seed=0, compiled=compiled)
        found.append(numbers(model))
    assert found[1] == found[2] == found[0] and optimizer.steps == 96


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_an_optimiser_is_kept_when_a_model_grows(kind: Any) -> None:
    eager = grown([False, False, False], kind(lr=0.05))
    for engines in ([True, True, True], [False, True, False], [True, False, True]):
        assert grown(engines, kind(lr=0.05)) == pytest.approx(eager, abs=1e-12)


def test_an_optimiser_is_kept_for_a_single_parameter() -> None:
    class Only(Module):
        def __init__(self) -> None:
            self.w = Value(0.5)

        def __call__(self, x: Any) -> Any:
            return self.w * x[1]

    found = []
    for compiled in (False, True):
        model, optimizer = Only(), Adam(lr=0.05)
        for _ in range(2):
            fit(model, X, Y, optimizer=optimizer, epochs=2, seed=0, compiled=compiled)
        found.append(model.w.data)
    assert found[1] == pytest.approx(found[0], abs=1e-12)


class Lazy(SGD):
    """Gradient descent with momentum, whose state is made by the first step."""

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step, and the mean of the gradients."""
        mean = 0.5 * state[0] + gradient if state else gradient
        return parameter - rate * mean, (mean,)


@pytest.mark.parametrize("kind", [RProp, Lazy])
def test_states_that_do_not_fit_into_one_array_are_refused(kind: Any) -> None:
    message = f"this {kind.__name__} has moved some of the parameters but not the others, .*: use compiled=False, or a new"
    with pytest.raises(TypeError, match=message):
        grown([True, True], kind(lr=0.05))
    assert grown([True, False], kind(lr=0.05)) == pytest.approx(grown([False, False], kind(lr=0.05)), abs=1e-12)


class Decaying(SGD):
    """Gradient descent with a falling rate, from a state that is the same for every parameter."""

    def start(self) -> Any:
        """Return the count 0 as an int and as a float."""
        return 0, 0.0

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step, and the counts of steps."""
        n = state[0] + 1
        return parameter - rate / n * gradient, (n, np.float64(state[1] + 1.0))


def test_a_state_may_be_a_number_for_all_parameters() -> None:
    eager = grown([False, False, False], Decaying(lr=0.5))
    for engines in ([True, True, True], [False, True, False], [True, False, True]):
        assert grown(engines, Decaying(lr=0.5)) == pytest.approx(eager, abs=1e-12)
    optimizer, model = Decaying(lr=0.5), Neuron(2, "linear", seed=1)
    assert trained(model, "auto", optimizer=optimizer).engine.startswith("compiled")
    assert [entry[1:] for entry in optimizer._states.values()] == [((3, 3.0), 3)] * 3
    assert all(type(x) is float for _, state, _ in optimizer._states.values() for x in state)
