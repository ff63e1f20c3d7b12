"""A module's parameters are found in every container and object that holds them in order; other containers are refused."""

from __future__ import annotations

import copy
import pickle
from array import array
from collections import ChainMap, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import mul
from pathlib import Path
from random import Random
from types import CellType, FunctionType, MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograd import Unary, Value, compile
from nn import MLP, Module, Neuron, fit, load, save
from nn.module import plain
from nn.optim import Adam
from nn.parts import Inventory, closures, named


class Holder(Module):
    """A module with one attribute, in which `read` finds the parameters."""

    def __init__(self, thing: Any, read: Callable[[Any], Any]) -> None:
        self.thing, self.read = thing, read

    def __call__(self, x: Any) -> Any:
        """Return the sum of the parameters times the input."""
        return sum(w * x[0] for w in self.read(self.thing))


@dataclass
class Pair:
    """Two parameters and something else."""

    left: Value = field(default_factory=lambda: Value(1.0))
    right: Value = field(default_factory=lambda: Value(2.0))
    name: str = "pair"


@dataclass(frozen=True, slots=True)
class Tight:
    """A frozen pair in slots."""

    left: Value
    right: Value


class Weight(Value):
    """A parameter of a user-defined class."""


class Slotted:
    """A plain object with slots, one of them private and one empty."""

    __slots__ = ("__hidden", "never", "shown")

    def __init__(self) -> None:
        self.shown, self.__hidden = Value(1.0), Value(2.0)

    @property
    def both(self) -> list[Value]:
        """Return the two."""
        return [self.shown, self.__hidden]


def two() -> list[Any]:
    return [Value(1.0), Value(2.0)]


def objects(items: Any) -> Any:
    array = np.empty(np.shape(items), dtype=object)
    array[...] = items
    return array


PLACES: dict[str, tuple[Any, Callable[[Any], Any], list[str]]] = {
    "subclass": (Weight(3.0), lambda w: [w], ["thing"]),
    "array": (objects(two()), list, ["thing0", "thing1"]),
    "matrix": (objects([two(), two()]), lambda a: a.reshape(-1)[:2], ["thing0_0", "thing0_1", "thing1_0", "thing1_1"]),
    "one": (objects(Value(3.0)), lambda a: [a.item()], ["thing"]),
    "array of objects": (objects([Pair()]), lambda a: [a[0].left, a[0].right], ["thing0.left", "thing0.right"]),
    "dataclass": (Pair(), lambda p: [p.left, p.right], ["thing.left", "thing.right"]),
    "frozen": (Tight(*two()), lambda p: [p.left, p.right], ["thing.left", "thing.right"]),
    "slots": (Slotted(), lambda s: s.both, ["thing._Slotted__hidden", "thing.shown"]),
    "namespace": (SimpleNamespace(w=two(), n=3), lambda s: s.w, ["thing.w0", "thing.w1"]),
    "dict": (dict(zip("ab", two(), strict=True)), lambda d: d.values(), ["thing.a", "thing.b"]),
    "dict of dicts": ({"a": {1: two()}}, lambda d: d["a"][1], ["thing.a.1_0", "thing.a.1_1"]),
    "user": (UserDict(a=Value(1.0)), lambda d: d.values(), ["thing.data.a"]),
    "chain": (ChainMap({"a": Value(1.0)}), lambda d: d.values(), ["thing.maps0.a"]),
    "others": (OrderedDict(a=defaultdict(list, b=two())), lambda d: d["a"]["b"], ["thing.a.b0", "thing.a.b1"]),
    "deque": (deque(two(), maxlen=4), list, ["thing0", "thing1"]),
    "nested": (
        [SimpleNamespace(x=({"k": Pair()},))],
        lambda t: [t[0].x[0]["k"].left],
        ["thing0.x0.k.left", "thing0.x0.k.right"],
    ),
    "modules": (SimpleNamespace(unit=Neuron(1, "linear", seed=0)), lambda s: s.unit.w, ["thing.unit.w0", "thing.unit.b"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_parameters_are_found_named_predicted_and_trained(place: str) -> None:
    thing, read, names = PLACES[place]
    model = Holder(thing, read)
    assert [name for name, _ in model.named_parameters()] == names
    assert model.parameters() == [parameter for _, parameter in model.named_parameters()]
    out = model.predict([2.0])
    assert type(out) is float and out == model([2.0]).data
    twin = copy.deepcopy(model)
    assert twin.state_dict() == model.state_dict()
    twin.load_state_dict(dict.fromkeys(names, 0.25))
    assert model([2.0]).data == out != twin([2.0]).data
    before = model.state_dict()
    history = fit(model, [[1.0]], [100.0], epochs=2)
    assert history.loss[1] < history.loss[0] and model.state_dict() != before
    assert isinstance(model.thing, type(thing)) and model.thing is thing


def test_views_of_a_dict() -> None:  # Python does not copy them
    values = Holder({"a": Value(1.0), "b": Value(2.0)}.values(), list)
    assert values.state_dict() == {"thing": [1.0, 2.0]} and values.predict([2.0]) == 6.0
    model = Holder(MappingProxyType({"a": Value(1.5)}), lambda d: d.values())
    assert model.state_dict() == {"thing.a": 1.5} and model.predict([2.0]) == 3.0


def test_each_is_found_once_and_cycles_end() -> None:
    pair = Pair()
    ring = SimpleNamespace(pair=pair, again=[pair])
    ring.self = ring
    model = Holder(ring, lambda r: [r.self.pair.left, r.again[0].right])
    assert [name for name, _ in model.named_parameters()] == ["thing.pair.left", "thing.pair.right"]
    assert model.predict([3.0]) == 9.0
    assert [type(part) for part in Holder([Neuron(1), {"a": Neuron(1)}], list).modules()] == [Holder, Neuron, Neuron]


def ring(thing: Any, add: Callable[[Any, Any], Any]) -> Any:
    add(thing, thing)
    return thing


@pytest.mark.parametrize(
    ("thing", "read"),
    [
        (ring([Value(2.0)], list.append), lambda t: [t[1][1][0]]),
        (ring(deque([Value(2.0)]), deque.append), lambda t: [t[1][1][0]]),
        (ring({"w": Value(2.0)}, lambda t, own: t.update(own=own)), lambda t: [t["own"]["w"]]),
        (ring([Value(2.0)], lambda t, own: t.append((own,))), lambda t: [t[1][0][0]]),
        (ring(SimpleNamespace(w=Value(2.0)), lambda t, own: setattr(t, "own", [own])), lambda t: [t.own[0].w]),
        (ring(Neuron(1, "linear", seed=0), lambda t, own: setattr(t, "own", own)), lambda t: [t.own.w[0]]),
    ],
    ids=["list", "deque", "dict", "list in a tuple", "object", "module"],
)
def test_a_module_that_contains_itself_is_predicted_shown_and_saved(thing: Any, read: Any, tmp_path: Path) -> None:
    model = Holder(thing, read)
    assert model.predict([3.0]) == model([3.0]).data
    assert len(repr(model)) < 100
    save(model, tmp_path / "model.json")
    assert load(copy.deepcopy(model), tmp_path / "model.json").predict([3.0]) == model([3.0]).data


def test_a_chain_of_objects_of_any_length() -> None:
    first: Any = SimpleNamespace(w=Value(2.0))
    for _ in range(3000):
        first = SimpleNamespace(below=first)
    assert [parameter.data for parameter in Holder(first, list).parameters()] == [2.0]


def test_predicting_leaves_other_objects_as_they_are() -> None:
    class Counter:
        calls = 0

    counter = Counter()

    class Counting(Module):
        def __init__(self) -> None:
            self.w, self.counter = Value(2.0), counter

        def __call__(self, x: Any) -> Any:
            self.counter.calls += 1
            return self.w * x

    assert Counting().predict(3.0) == 6.0 and counter.calls == 1


def generator() -> Any:
    yield Value(1.0)


REFUSED: dict[str, Callable[[], Any]] = {
    "set": lambda: set(two()),
    "frozenset": lambda: frozenset([(1, Value(1.0))]),
    "set of modules": lambda: {Neuron(1)},
    "keys": lambda: {Value(1.0): "a"},
    "generator": generator,
    "view of keys": lambda: {Value(1.0): "a"}.keys(),
    "view of items": lambda: {"a": Value(1.0)}.items(),
    "reversed": lambda: reversed(two()),
    "map": lambda: map(Value, [1.0, 2.0]),
    "in a list": lambda: [SimpleNamespace(units={Value(1.0)})],
}


@pytest.mark.parametrize("kind", REFUSED)
def test_containers_without_order_and_iterators_are_refused(kind: str) -> None:
    model = Holder(REFUSED[kind](), lambda thing: [])
    name = "thing0.units" if kind == "in a list" else "thing"
    looks: list[Callable[[], Any]] = [model.parameters, model.named_parameters, model.modules, model.state_dict]
    looks += [model.zero_grad, lambda: model.predict([1.0]), lambda: fit(model, [[1.0]], [1.0])]
    for look in looks:
        with pytest.raises(
            TypeError,
            match=rf"Holder\.{name} is a (set|frozenset|dict|generator|map|dict_\w+|list_\w+), .*use a list or a dict",
        ):
            look()


def test_a_table_of_parameters_is_refused() -> None:
    pd = pytest.importorskip("pandas")
    for table in (pd.Series(two()), pd.DataFrame({"a": two()})):
        with pytest.raises(TypeError, match=r"Holder\.thing is a (Series|DataFrame)"):
            Holder(table, list).parameters()
    assert Holder([pd.DataFrame({"a": [1.0]}), Value(1.0)], list).parameters()[0].data == 1.0


def test_sets_and_keys_of_parameters_that_are_found_elsewhere_are_allowed() -> None:
    class Frozen(Module):
        def __init__(self) -> None:
            self.w, self.names = two(), {"a", "b"}
            self.frozen, self.velocity = {self.w[0]}, dict.fromkeys(self.w, 0.0)

        def __call__(self, x: Any) -> Any:
            return self.w[0] * x + self.w[1]

    model = Frozen()
    assert len(model.parameters()) == 2 and model.predict(3.0) == 5.0


def test_objects_without_parameters_of_their_own_are_skipped() -> None:
    other = Value(9.0)
    optimizer = Adam(lr=0.1)
    other.grad = 1.0
    optimizer.step([other])
    row = Unary("twice", lambda x: x * 2.0, lambda x, out: 2.0)
    things = [optimizer, row, lambda: other, partial(abs, other), Random(0), np.random.default_rng(0), np.zeros(3), Value, np]
    assert Holder([*things, Value(1.0)], list).named_parameters()[0][0] == "thing9"
    assert len(Holder([*things, Value(1.0)], list).parameters()) == 1


@dataclass(slots=True, eq=False)
class Slim(Module):
    """A module that is a dataclass with slots."""

    w: Value
    unit: MLP

    def __call__(self, x: Any) -> Any:
        """Return w times the unit's output."""
        return self.w * self.unit(x)


class Options(dict[str, Any]):
    """A dict whose entries are attributes, too; it raises a KeyError for any other name."""

    __getattr__ = dict.__getitem__


class Proxy:
    """An object that makes up an attribute for every name."""

    __slots__ = ("target", "unset")
    target: Value

    def __getattr__(self, name: str) -> Any:
        return lambda: name


def test_an_object_that_makes_up_attributes_is_searched_for_real_ones() -> None:
    proxy = Proxy()
    proxy.target = Value(3.0)
    model = Holder([Options(rate=Value(2.0)), proxy], lambda held: [held[0]["rate"], held[1].target])
    assert [w.data for w in model.parameters()] == [2.0, 3.0]
    for compiled in (False, True):
        fit(model, [[1.0], [2.0]], [1.0, 2.0], epochs=2, compiled=compiled)


def test_the_parameters_of_a_program_do_not_belong_to_the_module() -> None:
    teacher, w = Value(1.0), Value(2.0)
    program = compile(lambda x: teacher * x, [teacher], backend="native")
    assert program([2.0]).tolist() == [2.0]
    model = Holder([w, program], lambda held: held[:1])
    assert model.parameters() == [w]
    for compiled in (False, True):
        fit(model, [[1.0], [2.0]], [1.0, 2.0], epochs=2, compiled=compiled)


def test_a_module_that_is_a_dataclass() -> None:
    model = Slim(Value(2.0), MLP(1, [1], seed=0))
    assert [name for name, _ in model.named_parameters()] == ["w", "unit.layer1.neuron0.w0", "unit.layer1.neuron0.b"]
    assert model.predict([1.0]) == model([1.0]).data
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.state_dict() == model.state_dict() and twin.w is not model.w
    assert fit(model, [[1.0]], [3.0], epochs=2).epochs == 2


def test_names_of_places_in_tables() -> None:
    table = [[Value(0.0), Value(1.0)]] * 11
    for name in ("m", "weights"):
        names = [found for found, part in named(name, [[*row] for row in table]) if isinstance(part, list)]
        assert names == [name, *(f"{name}{i}" for i in range(11))]
    rows = [[Value(0.0), Value(1.0)] for _ in range(11)]
    assert [found for found, part in named("weights", rows) if isinstance(part, Value)][-2:] == ["weights10_0", "weights10_1"]


def test_a_value_of_a_subclass_is_found() -> None:
    class Special(Value):
        pass

    assert [*Inventory([special := Special(1.0)]).values.values()] == [special]


def test_functions_that_use_values_indirectly_or_nothing_yet() -> None:
    product: Any = (lambda f: lambda x: f(x))(partial(mul, Value(2.0)))
    unfinished = FunctionType(product.__code__, {}, "unfinished", None, (CellType(),))
    assert [*closures(SimpleNamespace(f=product, g=unfinished))] == [("f", "f")]
    assert [*closures(SimpleNamespace(g=unfinished))] == []


def test_methods_and_partial_functions_are_given_numbers() -> None:
    w = Value(3.0)
    found = plain(SimpleNamespace(f=partial(mul, w))).f(2.0)
    assert type(found) is float and found == 6.0
    free = SimpleNamespace(labels={"a"})
    assert plain([free]) == [free]  # a set that holds no parameters is allowed


def test_the_dict_in_slots_is_no_part_of_its_own() -> None:
    class Open:
        __slots__ = ("__dict__", "w")

        def __init__(self) -> None:
            self.w, self.b = Value(1.0), Value(2.0)

    assert [name for name, _ in named("thing", Open())] == ["thing", "thing.b", "thing.w"]


def test_a_module_with_slots_is_copied_whole() -> None:
    class Slotted(Module):
        __slots__ = ("w",)

        def __init__(self) -> None:
            self.w, self.b = Value(2.0), Value(3.0)

        def __call__(self, x: Any) -> Any:
            return [1.0 * x, 2.0]  # only numbers

    model = Slotted()
    twin = copy.deepcopy(model)
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()] == [3.0, 2.0]
    assert twin.w is not model.w and type(copy.deepcopy(Neuron(1)).__getstate__()) is dict
    vars(model)["f"] = (lambda w: lambda x: w * x)(Value(2.0))  # the forward pass does not use it
    assert model.predict(2.0) == [2.0, 2.0]


def test_an_earlier_result_is_left_out_even_beside_objects_that_cannot_be_searched() -> None:
    class Keeps(Module):
        def __init__(self) -> None:
            self.w, self.labels, self.bytes = Value(2.0), {"a"}, array("d", [1.0])
            self.last = self.w * 3

        def __call__(self, x: Any) -> Any:
            return self.last * x

    assert len(Keeps().parameters()) == 1
    with pytest.raises(ValueError, match="predict leaves out results of earlier operations"):
        Keeps().predict(2.0)
