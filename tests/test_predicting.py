"""Predicting: methods are bound to plain numbers too, and functions that cannot be are named."""

from __future__ import annotations

import copy
import math
import re
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from types import MethodType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograd import DomainError, Value, dot, maximum, numbers, tanh, where
from nn import MLP, Module, Neuron, fit


class Acting(Module):
    """A module that calls a function that it holds."""

    def __init__(self, hold: Callable[[Any], Any]) -> None:
        self.w, self.inner = Value(2.0), MLP(1, [2, 1], seed=1)
        self.act = hold(self)

    def go(self, x: Any, by: Any = 1.0) -> Any:
        """Return w·x, scaled."""
        return self.w * x * by

    def __call__(self, x: Any) -> Any:
        """Return the result of the held function."""
        act = self.act
        while not callable(act):  # whatever holds it
            act = act[0] if isinstance(act, list | tuple) else act["act"] if isinstance(act, dict) else act.act
        return act(x[0])


@dataclass
class Named:
    """A function with a name."""

    name: str
    act: Callable[..., Any]


def scaled(w: Any, x: Any) -> Any:
    return w * x


class Times:
    """An object with a parameter and a method."""

    def __init__(self, w: Value) -> None:
        self.w = w

    def times(self, x: Any) -> Any:
        """Return w·x."""
        return self.w * x


def call_on_row(inner: Any, x: Any) -> Any:
    return inner([x])


METHODS: dict[str, Callable[[Any], Any]] = {
    "own": lambda s: s.go,
    "in a list": lambda s: [s.go, tanh],
    "in a tuple": lambda s: (s.go,),
    "in a dict": lambda s: {"act": s.go},
    "in a namespace": lambda s: SimpleNamespace(act=s.go),
    "in a dataclass": lambda s: [Named("go", s.go)],
    "of another module": lambda s: Acting(lambda t: t.go).go,
    "of a part": lambda s: [MethodType(call_on_row, s.inner)],
    "of an object": lambda s: Times(s.w).times,
    "of a value": lambda s: s.w.__mul__,
    "partial": lambda s: partial(s.go, by=3.0),
    "partial with a parameter": lambda s: partial(scaled, s.w),
    "partial in an object": lambda s: SimpleNamespace(act=partial(s.go, by=s.w)),
    "partial of a partial": lambda s: partial(partial(scaled), s.w),
}


@pytest.mark.parametrize("kind", METHODS)
def test_methods_are_bound_to_the_numbers_when_predicting(kind: str) -> None:
    model = Acting(METHODS[kind])
    names = [name for name, _ in model.named_parameters()]
    assert names[:2] == ["w", "inner.layer1.neuron0.w0"] and len(names) == 8
    expected = model([1.5]).data
    nets = [neuron.net for layer in model.inner.layers for neuron in layer.neurons]
    assert type(model.predict([1.5])) is float and model.predict([1.5]) == expected
    assert [neuron.net for layer in model.inner.layers for neuron in layer.neurons] == nets
    before = model([0.5]).data
    for compiled in (False, True) if kind not in ("of another module", "of a value") else ():
        twin = copy.deepcopy(model)
        history = fit(twin, [[0.5], [1.0]], [0.0, 0.1], epochs=2, compiled=compiled, validation=([[0.5]], [0.0]))
        assert history.validation_loss[-1] == pytest.approx(twin([0.5]).data ** 2)
        assert twin.predict([0.5]) != before


class Closed(Module):
    """A module with a function that closes over the module."""

    def __init__(self, listed: bool) -> None:
        self.w = Value(2.0)

        def act(x: Any) -> Any:
            return self.w * x

        self.act: Any = [act] if listed else act

    def __call__(self, x: Any) -> Any:
        """Return w·x."""
        return (self.act[0] if isinstance(self.act, list) else self.act)(x[0])


@pytest.mark.parametrize("compiled", [False, True])
def test_a_function_that_cannot_be_given_numbers_is_named(compiled: bool) -> None:
    for model, name in ((Closed(False), "Closed.act"), (Closed(True), "Closed.act0")):
        with pytest.raises(TypeError, match=rf"^{name} is a function that closes over self, which predict cannot replace"):
            model.predict([1.0])
        with pytest.raises(TypeError, match=rf"^{name} is a function"):  # before anything is learned
            fit(model, [[1.0]], [1.0], epochs=1, compiled=compiled, validation=([[1.0]], [1.0]))
        assert model.w.data == 2.0
        assert fit(model, [[1.0]], [1.0], epochs=1, compiled=compiled).epochs == 1


def test_functions_that_use_only_plain_objects_are_allowed() -> None:
    scale = 3.0

    class Free(Module):
        def __init__(self) -> None:
            self.w, self.sizes = Value(2.0), [3]
            self.act, self.late = self.free(), lambda: later
            self.size: Callable[[], int] = lambda: self.sizes[0]

        def free(self) -> Callable[[Any, Any], Any]:
            return lambda w, x: scale * w * x

        def __call__(self, x: Any) -> Any:
            return self.act(self.w, x[0]) * self.size()

    assert Free().predict([1.0]) == 18.0
    later = 1.0


GLOBAL = Value(5.0)


def test_values_outside_of_the_instance_are_predicted_as_numbers() -> None:
    class Leaning(Module):
        shared = Value(2.0)

        def __call__(self, x: Any) -> Any:
            return {"y": [self.shared * x[0], GLOBAL * 1.0]}

    assert Leaning().predict([3.0]) == {"y": [6.0, 5.0]}


class Early(Module):
    """A module that computes from a parameter when it is made."""

    def __init__(self, use: Callable[[Any, Any], Any]) -> None:
        self.w, self.inner, self.use = Value(2.0), Neuron(1, seed=0), use
        self.scaled = self.w * 3

    def __call__(self, x: Any) -> Any:
        """Return a result of the early one and the input."""
        return self.use(self.scaled, x[0])


@pytest.mark.parametrize(
    "use", [lambda w, x: w * x, lambda w, x: x - w, lambda w, x: tanh(w), lambda w, x: w.tanh(), lambda w, x: dot([w], [x])]
)
def test_predicting_names_a_result_that_was_computed_early(use: Any) -> None:
    message = r"^predict leaves out results of earlier operations, but Early uses one of them \(scaled\); it does not"
    with pytest.raises(ValueError, match=message):
        Early(use).predict([1.0])


def test_other_errors_of_predicting_are_unchanged() -> None:
    wrong: Any = None
    with pytest.raises(TypeError, match="unsupported operand"):
        Early(lambda w, x: x * None).predict([1.0])
    neuron = Neuron(1)
    neuron([1.0])
    with pytest.raises(AttributeError, match=r"^'float' object has no attribute 'tanh'; .* write tanh\(net\) in place of net"):
        Early(lambda w, x: x.tanh()).predict([1.0])
    with pytest.raises(TypeError, match="None is a NoneType; pass a real number"):
        neuron.predict([wrong])
    assert Early(lambda w, x: x if w is None else w).predict([1.0]) == 1.0


class FromOne(list[Any]):
    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i - 1)


class Backwards(list[Any]):
    def __iter__(self) -> Any:
        return reversed([*super().__iter__()])


class ReadOnly(dict[str, Any]):
    def __setitem__(self, key: str, item: Any) -> None:
        raise TypeError("read-only")


class Stack(list[Any], Module):
    def __call__(self, x: Any) -> Any:
        return reduce(lambda out, layer: layer(out), self, x)


class ByName(dict[str, Any]):
    __getattr__ = dict.__getitem__


class Aliased(dict[str, Any]):
    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.__dict__ = self


class Scaled(tuple[Any, ...]):
    scale: Value


class Recent(deque[Any]):
    def latest(self) -> Any:
        return self[-1]


def five_times() -> Scaled:
    made = Scaled([Value(2.0)])
    made.scale = Value(5.0)
    return made


USES: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "an overridden method": (FromOne([Value(2.0), Value(5.0), Value(7.0)]), lambda p, x: p[1] * x + p[2]),
    "another order": (Backwards([Value(2.0), Value(5.0)]), lambda p, x: p[0] * x + 3.0 * next(iter(p))),
    "no changes": (ReadOnly(w=Value(2.0)), lambda p, x: p["w"] * x),
    "a module that is a list": (Stack([Neuron(1, seed=1), lambda out: out * 3.0]), lambda p, x: p([x])),
    "attributes for items": (ByName(w=Value(2.0)), lambda p, x: p.w * x),
    "items for attributes": (Aliased(w=Value(2.0)), lambda p, x: p.w * x + p["w"]),
    "attributes of its own": (five_times(), lambda p, x: p[0] * x * p.scale),
    "a method of a deque": (Recent([Value(2.0), Value(3.0)], maxlen=2), lambda p, x: p.latest() * x),
    "an order": (OrderedDict(a=Value(2.0), b=Value(3.0)), lambda p, x: (p.move_to_end("a"), p.popitem()[1] * x)[1]),
    "a default": (defaultdict(lambda: 4.0, w=Value(2.0)), lambda p, x: p["w"] * x + p["b"]),
}


@pytest.mark.parametrize("name", USES)
def test_a_container_keeps_its_class_when_predicting(name: str) -> None:
    class Model(Module):
        def __init__(self, parts: Any) -> None:
            self.parts = parts

        def __call__(self, x: Any) -> Any:
            return use(self.parts, x)

    parts, use = USES[name]
    model = Model(parts)
    predicted = model.predict(0.5)
    assert predicted == model(0.5).data
    assert isinstance(predicted, float)


def powered(use: Callable[[Any], Any], exponent: float) -> Any:
    class Power(Module):
        def __init__(self) -> None:
            self.exponent = Value(exponent, label="exponent")

        def __call__(self, x: Any) -> Any:
            return use(x**self.exponent)

    return Power()


def test_numbers_overflow_like_nodes_when_predicting() -> None:
    assert powered(lambda out: 1 / (1 + out), 800.0).predict(2.7) == 0.0
    assert powered(lambda out: [out, 1.0], 800.0).predict(2.7) == [math.inf, 1.0]


@pytest.mark.parametrize("use", [
    lambda out: out, lambda out: [1.0, out], tanh, lambda out: maximum(out, 0.0), lambda out: where(out > 0, out, 0.0),
])  # fmt: skip
def test_predicting_leaves_the_reals_nowhere(use: Callable[[Any], Any]) -> None:
    message = r"^\(-8.0\) \*\* 0.25 is undefined: power needs .*; the operands are -8.0 and exponent = 0.25; keep them in"
    with pytest.raises(DomainError, match=message):
        powered(use, 0.25).predict(-8.0)
    with pytest.raises(DomainError, match=r"^1.0 / 0.0 is undefined: .* operands are 1.0 and 0.0 \*\* exponent = 0.0"):
        powered(lambda out: 1.0 / out, 0.25).predict(0.0)


@pytest.mark.parametrize(("use", "message"), [
    (lambda out: out * out.data, "no attribute 'data'; .*: write numbers(w) in place of w.data"),
    (lambda out: np.exp(np.array([out], object))[0], "callable exp method; .*: use autograd's function in place of NumPy's"),
])  # fmt: skip
def test_a_model_that_takes_only_nodes_is_told_what_to_write(use: Callable[[Any], Any], message: str) -> None:
    with pytest.raises((AttributeError, TypeError), match=re.escape(message).replace(r"\.\*", ".*") + "$"):
        powered(use, 2.0).predict(3.0)
    assert powered(lambda out: out * numbers(out), 2.0).predict(3.0) == 81.0


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int8])
def test_numbers_of_numpy_are_as_precise_as_with_nodes_when_predicting(kind: Any) -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.w, self.scale, self.shifts = Value(0.3), kind(3.7), np.array([1.3, 2.7], kind)

        def __call__(self, x: Any) -> Any:
            return self.w * x[0] * self.scale + self.shifts[0] + self.w * self.shifts[1]

    inputs: list[Any] = [np.array([1.1, 7.0], kind), [kind(1.1)], (kind(1.1),)]
    for x in inputs:
        predicted = Line().predict(x)
        assert predicted == Line()(x).data and isinstance(predicted, float)
