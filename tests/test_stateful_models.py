"""Models and optimisers that keep a state: compiled training leaves it as it was, follows it, or is refused."""

from __future__ import annotations

import copy
import math
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import Layer, Module, Neuron, deltas, fit, save
from nn.losses import squared_error
from nn.optim import SGD, Adam, Momentum, RProp, require_arrays
from nn.rehearsal import numbers_in, unchanged

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 2.0]
CHANGING = "the model or the loss does something else at each call"
ALL = pytest.mark.parametrize("compiled", [True, False, "auto"])


def trained(model: Module, compiled: Any, **options: Any) -> Any:
    """Train for three epochs, of so many that "auto" would compile."""
    epochs = 1_000_000 if compiled == "auto" else 3
    ends = [*options.pop("callbacks", []), lambda history, _: history.epochs == 3]
    return fit(
        model,
        X,
        Y,
        **{"epochs": epochs, "compiled": compiled, "optimizer": SGD(lr=0.1), "seed": 0, "callbacks": ends, **options},
    )


def numbers(model: Module) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


# Results that are kept to be looked at


class Slotted:
    """An object without a dict."""

    __slots__ = ("node", "other")
    node: Any
    other: Any


class Keeping(Module):
    """A model that keeps its activations and inputs in every kind of place."""

    def __init__(self) -> None:
        self.first, self.last = Layer(2, 2, seed=1), Neuron(2, "linear", seed=1)
        self.by_name: dict[str, Any] = {"inputs": 0}
        self.recent: deque[Any] = deque([1, 2], maxlen=2)
        self.nodes: list[Any] = [None]
        self.grid: Any = np.array([None])
        self.slotted = Slotted()
        self.slotted.node = 5

    def __call__(self, x: Any) -> Any:
        """Return the output, and keep what is on the way to it."""
        self.hidden = self.first(x)
        self.by_name["inputs"] = x
        self.by_name["sum"] = x[0] + x[1]
        self.recent.append(self.hidden[0])
        self.nodes[:] = [self.hidden[0]] * 2
        self.grid[0] = self.slotted.node = self.slotted.other = self.hidden[1]
        return self.last(self.hidden)


def kept(model: Keeping) -> list[Any]:
    slots = getattr(model.slotted, "node", None), hasattr(model.slotted, "other")
    return [model.by_name, [*model.recent], model.nodes, model.grid.tolist(), slots, hasattr(model, "hidden")]


@pytest.mark.parametrize("compiled", [True, "auto"])
def test_a_model_that_keeps_results_is_left_as_it_was(compiled: Any, tmp_path: Path) -> None:
    model, twin = Keeping(), Keeping()
    before = kept(twin)
    history = trained(model, compiled, callbacks=[lambda *_: None])
    assert history.engine.startswith("compiled") and history.notes == []
    assert kept(model) == before
    assert len(model.parameters()) == 9 and [*model.state_dict()] == [*twin.state_dict()]
    assert model.predict(X[1]) == copy.deepcopy(model).predict(X[1]) == pytest.approx(model(X[1]).data)
    save(model, tmp_path / "model.json")
    trained(twin, False)
    assert numbers(twin) == pytest.approx(numbers(model), abs=1e-12)


def test_a_node_of_before_is_kept() -> None:
    model = Keeping()
    model(X[3]).backward()
    hidden, found = model.hidden, deltas(model)
    trained(model, True)
    assert model.hidden is hidden and deltas(model) == found
    other = Keeping()
    trained(other, True)
    with pytest.raises(ValueError, match="no example has gone through the model yet"):
        deltas(other)


class Squared:
    """A loss that keeps what it was given."""

    def __init__(self) -> None:
        self.given: Any = None

    def __call__(self, out: Any, target: Any) -> Any:
        """Return the squared error."""
        self.given = out, target
        return squared_error(out, target)

    def method(self, out: Any, target: Any) -> Any:
        """Return the squared error, too."""
        return self(out, target)


def test_a_loss_that_keeps_results_is_left_as_it_was() -> None:
    loss, other = Squared(), Squared()
    trained(Keeping(), True, loss=loss)
    trained(Keeping(), True, loss=other.method)
    assert loss.given is None and other.given is None


def test_a_model_may_make_its_parameters_at_the_first_call() -> None:
    class Late(Module):
        w: Any = None

        def __init__(self) -> None:
            self.b = Value(0.0)

        def __call__(self, x: Any) -> Any:
            if self.w is None:
                self.w = [Value(0.5) for _ in x]
            return self.w[0] * x[0] + self.w[1] * x[1] + self.b

    found = []
    for compiled in (False, True):
        model = Late()
        assert trained(model, compiled).notes == []
        found.append(numbers(model))
    assert found[1] == pytest.approx(found[0], abs=1e-12) and len(found[0]) == 3 and 0.5 not in found[0]


def test_an_interrupt_while_a_state_is_put_back_does_not_lose_it() -> None:
    class Fragile(dict[str, int]):
        interrupts = 1

        def __setitem__(self, key: str, x: int) -> None:
            if self.interrupts:
                self.interrupts -= 1
                raise KeyboardInterrupt
            super().__setitem__(key, x)

    model: Any = Module()
    model.parts = Fragile(a=1, b=2)
    with pytest.raises(KeyboardInterrupt), unchanged(model):
        model.parts.clear()
        model.parts.update(c=3)
    assert model.parts == {"a": 1, "b": 2}


def test_sets_arrays_and_attributes_come_back() -> None:
    model: Any = Module()
    parts: dict[str, Any] = {"seen": {1, 2}, "mean": np.array([1.0, 2.0]), "fixed": np.array([3.0]), "scalar": np.array(4.0)}
    parts["fixed"].flags.writeable = False
    vars(model).update(parts)
    before = numbers_in(model)
    with unchanged(model):
        parts["seen"].add(3)
        parts["mean"] *= 2
        model.fixed, model.other = None, 1
        assert numbers_in(model) != before
    assert vars(model) == parts and model.seen == {1, 2} and model.mean.tolist() == [1.0, 2.0]
    assert numbers_in(model) == before


# States that a result depends on


class Running(Module):
    """A model that subtracts a running mean of its inputs."""

    def __init__(self) -> None:
        self.unit = Neuron(2, "linear", seed=1)
        self.mean: Any = [0.0, 0.0]

    def __call__(self, x: Any) -> Any:
        """Return w·(x - mean) + b."""
        self.mean = [0.9 * m + 0.1 * a for m, a in zip(self.mean, x, strict=True)]
        return self.unit([a - m for a, m in zip(x, self.mean, strict=True)])


class InPlace(Running):
    """The same, in an array that is changed in place."""

    def __init__(self) -> None:
        super().__init__()
        self.means = np.zeros(2)

    def __call__(self, x: Any) -> Any:
        """Return w·(x - mean) + b."""
        self.means *= 0.9
        self.means += 0.1 * np.array(x)
        return self.unit([a - float(m) for a, m in zip(x, self.means, strict=True)])


class Apart(Running):
    """A model that keeps a running mean, and does not use it while it learns."""

    def __call__(self, x: Any) -> Any:
        """Return w·x + b."""
        super().__call__(x)
        return self.unit(x)


class Counting(Running):
    """A model that counts its calls, and only that."""

    calls: Any = 0

    def __call__(self, x: Any) -> Any:
        """Return w·x + b."""
        self.count()
        return self.unit(x)

    def count(self) -> None:
        """Count a call."""
        self.calls += 1


class Collecting(Counting):
    """A model that lists its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = []

    def count(self) -> None:
        """Add an entry to the list."""
        self.calls.append(None)


class Pairing(Counting):
    """A model that counts in a tuple."""

    calls = 0, "calls"

    def count(self) -> None:
        """Count a call."""
        self.calls = self.calls[0] + 1, "calls"


class Tallying(Counting):
    """A model that counts in an array."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = np.zeros(1)


@pytest.mark.parametrize("kind", [Running, InPlace, Apart, Counting, Collecting, Pairing, Tallying])
def test_a_state_that_changes_with_each_call_is_not_compiled(kind: Any) -> None:
    eager, other = kind(), kind()
    histories = trained(eager, False), trained(other, "auto")
    assert histories[1].engine.startswith("eager: Cannot cast" if kind is InPlace else f"eager: {CHANGING}")
    assert histories[1].loss == histories[0].loss and numbers(eager) == numbers(other)
    assert numbers_in(eager) == numbers_in(other)
    with pytest.raises(TypeError, match="Cannot cast" if kind is InPlace else f"^{CHANGING}.*; use compiled=False$"):
        trained(kind(), True)


def test_a_state_that_every_call_makes_anew_is_compiled() -> None:
    class Sized(Running):
        def __call__(self, x: Any) -> Any:
            self.size = len(x)
            self.state = Value(0.0) + x[0]
            return self.unit([self.state / self.size, x[1]])

    assert trained(Sized(), "auto").engine.startswith("compiled")


def test_a_callback_that_has_a_model_count_is_noticed() -> None:
    class Switched(Counting):
        def count(self) -> None:
            if self.by:
                self.mean = [self.mean[0] + self.by, 0.0]

        by = 0.0

        def __call__(self, x: Any) -> Any:
            return super().__call__(x) + self.mean[0]

    with pytest.raises(TypeError, match=CHANGING):
        trained(Switched(), True, callbacks=[lambda _, model: setattr(model, "by", 1.0)])


# Optimisers that take single numbers only


class Normed(SGD):
    """Gradient descent along the gradient's direction, by a step of its own."""

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
        """Return a step of the same width always."""
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
    """A rule with an if on the state that it had made."""

    def start(self) -> Any:
        """Return the sum 0."""
        return (0.0,)

    def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
        """Return a step, and the sum of the gradients."""
        return parameter - rate * (gradient if state[0] == 0.0 else gradient / 2), (state[0] + gradient,)


OWN, RULE = "own step, which moves Values", "cannot move all parameters as one array, which compiled training does"


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Normed(lr=0.1), f"Normed has its {OWN}"), (Bare, f"Bare has its {OWN}"), (lambda: Branching(lr=0.1), RULE),
    (lambda: Mathematical(lr=0.1), RULE), (lambda: Bounded(lr=0.1), RULE), (lambda: Late(lr=0.1), f"Late {RULE}"),
])  # fmt: skip
def test_an_optimiser_for_single_numbers_is_not_compiled(make: Any, message: str) -> None:
    eager, other = Neuron(2, "linear", seed=1), Neuron(2, "linear", seed=1)
    trained(eager, False, optimizer=make())
    history = trained(other, "auto", optimizer=make())
    assert history.engine.startswith("eager: ") and message in history.engine
    assert numbers(eager) == numbers(other)
    with pytest.raises(TypeError, match=f"{message}.* or use compiled=False$"):
        trained(other, True, optimizer=make())
    assert numbers(eager) == numbers(other)


def test_a_step_set_on_an_optimiser_is_not_compiled() -> None:
    optimizer: Any = SGD(lr=0.1)
    seen: list[Any] = []
    optimizer.step = seen.append
    assert trained(Neuron(2, "linear"), "auto", optimizer=optimizer).engine.startswith("eager: SGD has its own step")
    assert len(seen) == 3


def test_an_optimiser_with_steps_of_its_own_for_both_is_compiled() -> None:
    found = []
    for compiled in (False, "auto"):
        model = Neuron(2, "linear", seed=1)
        history = trained(model, compiled, optimizer=Whole(lr=0.1))
        found.append(numbers(model))
    assert history.engine.startswith("compiled") and found[1] == pytest.approx(found[0], abs=1e-12)


def test_a_trial_leaves_the_optimiser_as_it_is() -> None:
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
    class Told(SGD):
        def start(self) -> Any:
            return (0.0,)

        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return t + 0.0 * parameter, (state[0] + t,)

    class Bald(SGD):
        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return t + 0.0 * parameter, ()

    for kind, counts in ((Told, [2.0, 3.0]), (Bald, [3.0, 3.0])):
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
    """Train a neuron, and go on with one input more, with the engines given."""
    model = Neuron(2, "linear", seed=1)
    fit(model, X, Y, optimizer=optimizer, epochs=3, batch_size=1, seed=0, compiled=compiled[0])
    model.w.append(Value(0.2))
    rows = [[*x, 1.0 - x[0]] for x in X]
    for on in compiled[1:]:
        fit(model, rows, Y, optimizer=optimizer, epochs=3, batch_size=1, seed=0, compiled=on)
    return numbers(model)


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_an_optimiser_is_kept_when_a_model_grows(kind: Any) -> None:
    eager = grown([False, False, False], kind(lr=0.05))
    for engines in ([True, True, True], [False, True, False], [True, False, True]):
        assert grown(engines, kind(lr=0.05)) == pytest.approx(eager, abs=1e-12)


def test_states_that_do_not_fit_into_one_array_are_refused() -> None:
    message = "this RProp has moved some of the parameters and not the others, .*: use compiled=False, or a new optimiser"
    with pytest.raises(TypeError, match=message):
        grown([True, True], RProp(lr=0.05))
    assert grown([True, False], RProp(lr=0.05)) == pytest.approx(grown([False, False], RProp(lr=0.05)), abs=1e-12)


class Decaying(SGD):
    """Steps of a rate that falls, by a state that is the same for every parameter."""

    def start(self) -> Any:
        """Return the count 0, of two types."""
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
