"""Finds the parameters in an object's attributes and containers, and names them.

>>> from types import SimpleNamespace
>>> unit = SimpleNamespace(w=[Value(1.0), Value(2.0)], shift={"b": Value(3.0)}, size=2)
>>> [name for name, part in named("unit", unit) if isinstance(part, Value)]
['unit.w0', 'unit.w1', 'unit.shift.b']
>>> len(Inventory(unit).values)
3
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from random import Random
from types import BuiltinFunctionType, CellType, FunctionType, GeneratorType, MappingProxyType, MethodType, ModuleType
from typing import Any, Final, TypeVar

from autograd import Primitive, Value
from nn.history import History
from nn.optim import Optimizer

__all__ = ["ARRAY", "ATOM", "BOUND", "CLOSED", "OBJECT", "SEQUENCE", "VALUE", "Inventory", "attributes", "closures", "distinct",
           "entries", "in_slots", "is_array", "named", "own", "role_of"]  # fmt: skip

VALUE, SEQUENCE, MAPPING, ARRAY, OBJECT = "value", "sequence", "mapping", "array", "object"
CLOSED = "closed"  # not searched, since its contents have no fixed order or no names
ATOM = "atom"  # has nothing to search
BOUND = "bound"  # methods and partial functions: the objects that they are bound to belong elsewhere
# Searching these would use them up.
ONCE: Final[tuple[type, ...]] = (GeneratorType, map, filter, zip, enumerate, type(iter([])), type(reversed([])))
# Objects with attributes, but without parameters of their own.
WITHOUT_PARAMETERS: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, Random, Primitive, Optimizer, History)
PACKAGES_WITHOUT_PARAMETERS: Final = ("autograd", "numba")  # such as a `Program`, whose parameters belong to a model
T = TypeVar("T")


class Inventory:
    """Everything in an object that may be or hold a parameter, in the order of its attributes, each part once.

    Args:
        thing: an object or a container.
        through: whether to search also the objects that methods and partial functions are bound to.

    Attributes:
        values: the `Value`s by id, including results of operations.
        objects: the objects with attributes, and the containers, by id.
        closed: parts that were not searched: sets, tables of other packages, iterators, and dicts with `Value`s as keys.
    """

    def __init__(self, thing: Any, *, through: bool = False) -> None:
        self.through = through
        self.values: dict[int, Value] = {}
        self.objects: dict[int, Any] = {}
        self.closed: list[Any] = []
        waiting = [iter(_parts(thing))]  # in place of recursion, since chains of objects may be of any length
        while waiting:
            for part in waiting[-1]:
                kind = part.__class__
                if kind is Value:  # the common cases first: a training loop may do this at every step
                    self.values[id(part)] = part
                elif (role := role_of(kind)) != ATOM and self._admit(part, role):
                    waiting.append(iter(_parts(part)))
                    break
            else:
                waiting.pop()

    def _admit(self, part: Any, role: str) -> bool:
        """Record a part; return whether to search inside it."""
        if role == VALUE:
            self.values[id(part)] = part
            return False
        skipped = (role == ARRAY and not is_array(part)) or (role == BOUND and not self.through)
        if skipped or id(part) in self.objects:
            return False
        if role == CLOSED:
            self.closed.append(part)
            return False
        if role == MAPPING and any(isinstance(key, Value) for key in part):
            self.closed.append(part)  # its keys are not searched
        self.objects[id(part)] = part
        return True

    def lost(self) -> Any:
        """Return the first closed part that is an iterator, or holds a `Value` found nowhere else, or None.

        >>> Inventory([{"a", "b"}, {1.0: "c"}]).lost() is None
        True
        >>> Inventory([{Value(1.0)}]).lost()
        {Value(data=1.0, grad=0.0)}
        """
        for part in self.closed:
            if isinstance(part, ONCE) or not Inventory(_contents(part)).values.keys() <= self.values.keys():
                return part
        return None


def _contents(part: Any) -> list[Any]:
    """Return the contents of a closed part, such as the keys of a dict."""
    if not hasattr(part, "to_numpy"):
        return [*part]
    table = part.to_numpy()
    return table.reshape(-1).tolist() if is_array(table) else []


def _parts(thing: Any) -> Iterable[Any]:
    role = role_of(thing.__class__)
    if role == OBJECT:
        return attributes(thing).values()
    if role == BOUND:
        return [thing.__self__] if isinstance(thing, MethodType) else [thing.func, thing.args, thing.keywords]
    inside: Iterable[Any] = thing.values() if role == MAPPING else [thing.tolist()] if role == ARRAY else thing
    return inside


def entries(thing: Any) -> Iterable[tuple[Any, Any]]:
    """Return the attributes of an object with their names, or the items of a container with their indices or keys."""
    role = role_of(thing.__class__)
    if role == SEQUENCE:
        return enumerate(thing)
    return thing.items() if role == MAPPING else attributes(thing).items() if role == OBJECT else ()


@functools.cache
def role_of(kind: Any) -> str:
    """Return how instances of a class are searched: one of the roles above."""
    if issubclass(kind, Value):
        return VALUE
    if issubclass(kind, (list, tuple, deque, ValuesView)):
        return SEQUENCE
    if issubclass(kind, (dict, MappingProxyType)):
        return MAPPING
    if issubclass(kind, (AbstractSet, *ONCE)) or hasattr(kind, "to_numpy"):
        return CLOSED
    if hasattr(kind, "tolist") and hasattr(kind, "reshape"):
        return ARRAY
    if issubclass(kind, (MethodType, functools.partial)):
        return BOUND
    has_attributes = getattr(kind, "__dictoffset__", 0) != 0 or _slots(kind)
    package = kind.__module__.partition(".")[0]
    has_no_parameters = issubclass(kind, WITHOUT_PARAMETERS) or package in PACKAGES_WITHOUT_PARAMETERS
    return OBJECT if has_attributes and not has_no_parameters else ATOM


def is_array(thing: Any) -> bool:
    """Whether a thing is a NumPy array of objects."""
    return role_of(thing.__class__) == ARRAY and str(thing.dtype) == "object"


def attributes(thing: Any) -> Mapping[str, Any]:
    """Return an object's attributes by name, in the order in which they were set, those in slots last."""
    slots = in_slots(thing)
    return {**own(thing), **slots} if slots else own(thing)


def in_slots(thing: Any) -> dict[str, Any]:
    """Return an object's attributes in slots, by name."""
    return {name: getattr(thing, name) for name in _slots(thing.__class__) if hasattr(thing, name)}


def own(thing: Any) -> dict[str, Any]:
    """Return an object's attributes outside slots, without calling a ``__getattr__`` of its class, such as a proxy's."""
    try:
        found: dict[str, Any] = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    return found


@functools.lru_cache(maxsize=1000)
def _slots(kind: Any) -> tuple[str, ...]:
    """Return the names of a class's slots."""
    found = []
    for base in reversed(kind.__mro__):
        names = vars(base).get("__slots__", ())
        for name in [names] if isinstance(names, str) else names:
            if name not in ("__dict__", "__weakref__"):
                is_mangled = name.startswith("__") and not name.endswith("__")
                found.append(f"_{base.__name__.lstrip('_')}{name}" if is_mangled else name)
    return tuple(found)


def named(name: str, thing: Any, seen: dict[int, Any] | None = None) -> Iterator[tuple[str, Any]]:
    """Iterate over a thing and all its parts, each object and `Value` once, with the path to it as its name."""
    seen = {} if seen is None else seen
    role = role_of(thing.__class__)
    if role == ATOM or id(thing) in seen:
        return
    seen[id(thing)] = thing
    yield name, thing
    for inner, part in _named_parts(name, thing, role):
        yield from named(inner, part, seen)


def _named_parts(name: str, thing: Any, role: str) -> Iterator[tuple[str, Any]]:
    """Iterate over the parts of an object or a container, with their names."""
    if is_array(thing):
        yield name, thing.tolist()
    separator = "." if name else ""
    if role == SEQUENCE:  # row 1 of a matrix m is m1, and its item 2 is m1_2
        separator = "_" if name[-1:].isdigit() else ""
    numbered = getattr(type(thing), "numbered", {}) if role == OBJECT else {}
    for key, part in entries(thing):
        if key in numbered:
            item_name, first = numbered[key]
            yield from ((f"{name}{separator}{item_name}{i}", item) for i, item in enumerate(part, first))
        else:
            yield f"{name}{separator}{key}", part


def closures(thing: Any) -> Iterator[tuple[str, str]]:
    """Iterate over the functions in a thing that close over `Value`s: the path to each, and the variable.

    >>> from types import SimpleNamespace
    >>> w = Value(2.0)
    >>> [*closures(SimpleNamespace(rows=[(lambda w: lambda x: w * x)(w), abs]))]
    [('rows0', 'w')]
    """
    for name, part in named("", thing):
        for inner, item in _named_parts(name, part, role_of(part.__class__)):
            if isinstance(item, FunctionType):
                for variable, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
                    if Inventory(_contents_of(cell), through=True).values:
                        yield inner, variable


def _contents_of(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # no value was assigned yet
        return []


def distinct(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Return parts by name, or raise if two have the same name."""
    found: dict[str, T] = {}
    for name, part in pairs:
        if name in found:
            raise ValueError(f"two parameters are both named {name!r}; rename an attribute on the path to one of them")
        found[name] = part
    return found
