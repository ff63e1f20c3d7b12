"""Models that keep a state, or change while they learn: compiled training does what eager training does, or is refused."""

from __future__ import annotations

import copy
import functools
import pickle
import random
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograd import Value, total
from nn import Layer, Module, Neuron, deltas, fit, load, save
from nn.engines import UNLIKE
from nn.losses import squared_error
from nn.optim import SGD, Adam
from nn.rehearsal import numbers_in, unchanged

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 2.0]
CHANGING = "the model or the loss does something different at each call"
ALL = pytest.mark.parametrize("compiled", [True, False, "auto"])


def trained(model: Module, compiled: Any, **options: Any) -> Any:
    """Train for three epochs; with "auto", plan so many that compiling pays."""
    epochs = 1_000_000 if compiled == "auto" else 3
    ends = [*options.pop("callbacks", []), lambda history, _: history.epochs == 3]
    options = {"optimizer": SGD(lr=0.1), **options}
    return fit(model, X, Y, epochs=epochs, compiled=compiled, seed=0, callbacks=ends, **options)


def numbers(model: Module) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


# Results that models and losses keep


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
        """Return the output, and keep what is computed on the way."""
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


def test_results_from_before_the_training_are_kept() -> None:
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
    """A loss that keeps its arguments."""

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


def test_a_loss_that_counts_is_not_compiled() -> None:
    class Tallied:
        calls = 0

        def loss(self, out: Any, target: Any) -> Any:
            self.calls += 1
            return squared_error(out, target)

    tallied = Tallied()
    assert trained(Neuron(2), "auto", loss=tallied.loss).engine.startswith(f"eager: {CHANGING}")
    assert tallied.calls == 12


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

    class Fixed(dict[str, int]):
        def __setitem__(self, key: str, x: int) -> None:
            raise TypeError("it is fixed")

    model: Any = Module()
    model.parts, model.fixed = Fragile(a=1, b=2), Fixed(c=3)  # a part that does not change may forbid changes
    with pytest.raises(KeyboardInterrupt), unchanged(model):
        model.parts.clear()
        model.parts.update(c=3)
    assert model.parts == {"a": 1, "b": 2}


class Tensor:
    """An array of another package."""

    dtype = "float64"

    def tolist(self) -> list[float]:
        """Return the numbers."""
        return [0.0]

    def reshape(self, *shape: int) -> Tensor:
        """Return the array itself."""
        return self


def test_sets_arrays_and_attributes_come_back() -> None:
    model: Any = Module()
    parts: dict[str, Any] = {"seen": {1, 2}, "mean": np.array([1.0, 2.0]), "fixed": np.array([3.0]), "scalar": np.array(4.0)}
    parts["fixed"].flags.writeable, parts["tensor"] = False, Tensor()
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
    """A model that keeps a running mean, but does not use it while it learns."""

    def __call__(self, x: Any) -> Any:
        """Return w·x + b."""
        super().__call__(x)
        return self.unit(x)


class Counting(Running):
    """A model that only counts its calls."""

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


def test_a_state_that_changes_only_with_plain_numbers_is_not_compiled() -> None:
    class Guarded(Running):
        def __call__(self, x: Any) -> Any:
            if isinstance(x[0], Value):
                return self.unit([a - m for a, m in zip(x, self.mean, strict=True)])
            return super().__call__(x)

    with pytest.raises(TypeError, match=f"^{UNLIKE}$"):
        trained(Guarded(), True)


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng, np.random.RandomState])
def test_a_generator_of_the_model_draws_the_same_numbers_even_if_compiling_was_tried(make: Any) -> None:
    class Noisy(Running):
        def __init__(self) -> None:
            super().__init__()
            self.generator = make(1)

        def __call__(self, x: Any) -> Any:
            return self.unit([a * float(self.generator.random()) for a in x])

    eager, other = Noisy(), Noisy()
    assert trained(other, "auto").loss == trained(eager, False).loss
    assert numbers(other) == numbers(eager) and other.generator.random() == eager.generator.random()


def test_a_state_that_every_call_recomputes_is_compiled() -> None:
    class Sized(Running):
        def __call__(self, x: Any) -> Any:
            self.size, self.ratio = len(x), float("nan")
            self.state = Value(0.0) + x[0]
            return self.unit([self.state / self.size, x[1]])

    assert trained(Sized(), "auto").engine.startswith("compiled")


def test_a_callback_that_makes_the_model_count_is_noticed() -> None:
    class Switched(Counting):
        def count(self) -> None:
            if self.by:
                self.mean = [self.mean[0] + self.by, 0.0]

        by = 0.0

        def __call__(self, x: Any) -> Any:
            return super().__call__(x) + self.mean[0]

    with pytest.raises(TypeError, match=CHANGING):
        trained(Switched(), True, callbacks=[lambda _, model: setattr(model, "by", 1.0)])


# Parameters that callbacks change


@ALL
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_parameter_that_a_callback_replaces_or_adds_is_learned(kind: Any, compiled: Any) -> None:
    class Growing(Module):
        def __init__(self) -> None:
            self.units = [Neuron(2, "linear", seed=1)]

        def __call__(self, x: Any) -> Any:
            return total([unit(x) for unit in self.units])

    def grow(history: Any, model: Any) -> None:
        if history.epochs == 1:
            model.units.append(Neuron(2, "linear", seed=2))
            model.units[0].b = Value(5.0)
        if history.epochs == 2:
            model.units[1].b = 0.25  # a plain number, which is not learned

    model, by_hand = Growing(), Growing()
    trained(model, compiled, optimizer=kind(lr=0.1), callbacks=[grow], batch_size=None)
    optimizer = kind(lr=0.1)
    for epochs in range(1, 4):
        by_hand.zero_grad()
        for x, t in zip(X, Y, strict=True):
            squared_error(by_hand(x), t).backward(1 / 4)
        optimizer.step(by_hand.parameters())
        grow(SimpleNamespace(epochs=epochs), by_hand)
    assert numbers(model) == pytest.approx(numbers(by_hand), abs=1e-12)
    assert len(numbers(model)) == 5 and model.units[0].b.data != 5.0 and model.units[1].b == 0.25


@ALL
def test_a_callback_that_takes_all_parameters_away_is_refused(compiled: Any) -> None:
    model = Neuron(2, "linear", seed=1)
    with pytest.raises(ValueError, match=r"^Neuron\(.*\) has no parameters, so there is nothing to train"):
        trained(model, compiled, callbacks=[lambda *_: vars(model).update(w=[1.0, 1.0], b=0.0)])


# Copies


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_recomputes_results(copied: Any) -> None:
    model = Scaled()
    assert model([2.0]).data == 2.0 and vars(model).keys() == {"w", "scale"}
    model.w.data = 1.5
    twin = copied(model)
    assert vars(twin).keys() == {"w"} and twin.note == "a slot"
    assert twin([2.0]).data == 6.0 and model([2.0]).data == 2.0
    assert not hasattr(copied(twin), "last")


class Noted(Module):
    """A module with slots."""

    __slots__ = ("last", "note")

    note: Any
    last: Any


class Scaled(Noted):
    """A module with a result that is computed once, and with the last call's result in a slot."""

    def __init__(self) -> None:
        self.w = Value(0.5)
        self.note = "a slot"

    @functools.cached_property
    def scale(self) -> Any:
        """Twice the weight."""
        return 2.0 * self.w

    def __call__(self, x: Any) -> Any:
        """Return 2w·x."""
        self.last = self.scale * x[0]
        return self.last


def test_a_model_that_shows_a_result_is_saved(tmp_path: Path) -> None:
    class Shown(Scaled):
        def __repr__(self) -> str:
            return f"Shown({self.last.data})"

    model = Shown()
    model([2.0])
    save(model, tmp_path / "model.json")
    model.w.data = 3.0
    assert load(model, tmp_path / "model.json").w.data == 0.5
