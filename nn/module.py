"""The base class of networks: a callable with parameters.

A module finds its parameters in its attributes, in the order in which they were set: `Value`s and modules, also at any depth
in lists, tuples, dicts, arrays of objects, dataclasses and other objects with attributes.  The forward pass is written once, in
``__call__``.  A row of autograd's table returns a node for `Value`s and a number for numbers, so `predict` runs the same code
on a twin of the module that has numbers for parameters.

>>> from autograd import Value, dot, exp
>>> class Bell(Module):
...     def __init__(self, centre):
...         self.centre = [Value(c) for c in centre]
...         self.height = Value(2.0)
...
...     def __call__(self, x):
...         away = [a - c for a, c in zip(x, self.centre)]
...         return self.height * exp(-dot(away, away))
>>> bell = Bell([0.5, 1.0])
>>> bell.named_parameters()
[('centre0', Value(data=0.5, grad=0.0)), ('centre1', Value(data=1.0, grad=0.0)), ('height', Value(data=2.0, grad=0.0))]
>>> bell([0.5, 0.0])
Value(data=0.7357588823428847, grad=0.0)
>>> bell.predict([0.5, 0.0])
0.7357588823428847
"""

from __future__ import annotations

import copy
import reprlib
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence, ValuesView
from contextlib import suppress
from functools import partial
from types import MappingProxyType, MethodType
from typing import Any, ClassVar

from autograd import Value
from nn.parts import ATOM, BOUND, CLOSED, OBJECT, Inventory, attributes, closures, distinct, in_slots, is_array, named, role_of
from nn.state import arrays, assign
from nn.tables import listed, short

__all__ = ["Module", "plain", "require_module"]


class Module:
    """A network, or a part of one; to write your own, set its parameters as attributes and define ``__call__``.

    In ``__call__``, write ``tanh(net)`` rather than ``net.tanh()``: functions and operators also take the plain numbers that
    `predict` passes.  Do not look parameters up with ``==`` or ``in``, or as keys: nodes differ even where numbers are equal.

    Copying or pickling a module leaves out attributes that are results of operations, since these belong to the call that made
    them.  A `functools.cached_property` is computed again; any other such attribute has to be set before ``__call__`` reads it.

    Attributes:
        numbered: for an attribute that is a list, the name of its items and the number of the first one; by default
            the attribute's own name, from 0, so that the items of ``w`` are ``w0``, ``w1``, ….
        gathered: attributes, usually properties, that gather parameters of the module's parts as arrays for `state_dict`.
        history: the `nn.history.History` of the last `nn.fit`, including one that was interrupted; None before the first.
    """

    numbered: ClassVar[Mapping[str, tuple[str, int]]] = {}
    gathered: ClassVar[Sequence[str]] = ()
    history: Any = None

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Return the result of the forward pass, a `Value` or a list of them."""
        # No abstract class: a module may hold parameters, and other modules, without computing anything itself.
        raise NotImplementedError(f"{type(self).__name__} has no forward pass; define its method __call__")

    def predict(self, *inputs: Any, **options: Any) -> Any:
        """Return what a call returns, bit for bit, but as plain numbers and without recording a node.

        For a DataFrame, the result is a list with an entry for each row.  A Series is one example.

        Raises:
            TypeError: if an attribute is a function that closes over `Value`s, since numbers cannot take their place.
            ValueError: if the forward pass uses an attribute that was computed from a parameter earlier, since it may be stale.
        """
        if inputs and hasattr(type(inputs[0]), "to_numpy"):
            rows, others = listed(inputs[0]) or [], inputs[1:]
            if len(inputs[0].shape) == 2:
                return [self.predict(row, *others, **options) for row in rows]
            return self.predict(rows, *others, **options)
        return self._computed(plain(self), *plain(inputs), **plain(options))

    def _computed(self, twin: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
        """Return what the twin of this module returns, as plain numbers; see `predict`."""
        try:
            returned = twin(*inputs, **options)
            if complex in map(type, returned if isinstance(returned, list | tuple) else [returned]):
                raise ArithmeticError("the result is complex")  # as that of (-8.0) ** (1 / 3)
        except (ArithmeticError, AttributeError, TypeError) as error:
            if isinstance(error, ArithmeticError) or "complex" in str(error):
                # Python's operators raise an error, or leave the reals, where those of nodes are ∞ or say what is undefined.
                return plain(copy.deepcopy(self)(*inputs, **options))
            if "NoneType" in str(error):
                self._require_fresh(str(error), *inputs, **options)
            if isinstance(getattr(error, "obj", None), float | int):
                is_data = getattr(error, "name", "") == "data"
                instead = "numbers(w) in place of w.data" if is_data else "tanh(net) in place of net.tanh()"
                error.args = (f"{error}; predict computes with plain numbers: write {instead}",)
            elif "which has no callable" in str(error):
                error.args = (f"{error}; predict computes with plain numbers: use autograd's function in place of NumPy's",)
            raise
        if returned.__class__ is float or not Inventory([returned]).values:
            return returned
        for name, variable in closures(self):
            raise TypeError(f"{type(self).__name__}.{name} is a function that closes over {variable}, which predict cannot "
                            "replace by numbers: write it as a method")  # fmt: skip
        return plain(returned)  # of `Value`s that are not attributes, such as global ones

    def _require_fresh(self, message: str, *inputs: Any, **options: Any) -> None:
        """Raise if an error while predicting comes from results of earlier operations, which the twin leaves out."""
        try:
            _plain(self, _Twins(keeps_results=True))(*inputs, **options)
        except Exception as error:
            if str(error) == message:  # even with them, so they are not the cause, and the error is raised unchanged
                return
        past = [name for name, part in named("", self) if _is_result(part)]
        raise ValueError(f"predict leaves out results of earlier operations, but {type(self).__name__} uses one of them "
                         f"({', '.join(past[:4])}); it does not change when a parameter does, so compute it in "
                         "__call__")  # fmt: skip

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of the attributes, each once even if it is shared.

        A parameter is a `Value` that did not come from an operation.

        Raises:
            TypeError: for a set, a generator or a table of another package that holds `Value`s found nowhere else: their order
                or their names would differ from one process to the next.
        """
        return [value for value in self._inventory().values.values() if value.primitive is None]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return the parameters with their names, which are paths to them, as in ``layer1.neuron0.w2``.

        Raises:
            ValueError: if two parameters would have the same name.
            TypeError: see `parameters`.
        """
        self._inventory()
        pairs = named("", self)
        return [*distinct((name, part) for name, part in pairs if isinstance(part, Value) and part.primitive is None).items()]

    def modules(self) -> list[Module]:
        """Return this module and all modules inside it, in the order of the attributes, each once."""
        objects = {id(self): self, **self._inventory().objects}
        return [part for part in objects.values() if isinstance(part, Module)]

    def _inventory(self) -> Inventory:
        """Return everything that the module holds, or raise for a part that cannot be searched."""
        inventory = Inventory(self)
        lost = inventory.lost() if inventory.closed else None
        if lost is not None:
            name = next((name for name, part in named("", self) if part is lost), "?")
            raise TypeError(f"{type(self).__name__}.{name} is a {type(lost).__name__}, in which parameters have no fixed order "
                            "or name, so they cannot be found or saved; use a list or a dict of names")  # fmt: skip
        return inventory

    def state_dict(self) -> dict[str, Any]:
        """Return the parameters' numbers as arrays, named by the attributes on the path to them.

        An array is a nested list.  A layer has its weights [outputs×inputs] and its biases [outputs].

        Raises:
            ValueError: if two arrays would have the same name.
            TypeError: see `parameters`.

        >>> from nn import Layer, Neuron
        >>> Layer(2, 3, init="zeros").state_dict()
        {'weight': [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], 'bias': [0.0, 0.0, 0.0]}
        >>> Neuron(2, init="zeros").state_dict()
        {'w': [0.0, 0.0], 'b': 0.0}
        """
        self._inventory()
        return {name: plain(array) for name, array in arrays(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the parameters to the numbers of a state; if anything does not fit, none is changed.

        A state with none of this module's names, such as one of another package, is loaded in order if all shapes fit, with a
        warning that lists which array became which parameter.

        Args:
            state: lists or arrays of any package under the names of `state_dict`, or numbers under those of `named_parameters`;
                a `Value` stands for its number.

        Raises:
            ValueError: if names are missing or unknown, or shapes differ, naming them.
            TypeError: for anything that is not a real number, with its name.
            OverflowError: for an integer beyond the range of floats, with its name.

        >>> from nn import Layer, Neuron
        >>> neuron = Neuron(2)
        >>> neuron.load_state_dict({"w": [1.5, -2.0], "b": 0.5})
        >>> neuron.predict([2.0, 1.0])
        0.9051482536448664
        >>> neuron.load_state_dict({"w0": 1.5, "w2": -2.0, "b": 0.5})
        Traceback (most recent call last):
        ValueError: the state does not fit Neuron(2, activation='tanh'): it lacks w1; it has w2, which is not a parameter
        >>> Layer(3, 1).load_state_dict({"weight": [[1.0, 2.0]], "bias": [0.5]})
        Traceback (most recent call last):
        ValueError: the state does not fit Layer(3, 1, activation='tanh'): weight is [1×3], and in the state [1×2]
        """
        if note := assign(self, state):
            warnings.warn(note, stacklevel=2)

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero, since each backward pass adds to them."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    @reprlib.recursive_repr("…")
    def __repr__(self) -> str:
        parts = [f"{name}={part!r}" for name, part in vars(self).items() if _has_modules(part)]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        n = len(self.parameters())
        return f"{self!r} with {n} parameter{'s' * (n != 1)}"

    def __getstate__(self) -> Any:
        # A node of a past forward pass belongs to that pass: copied or pickled, it would take its whole graph along.
        own, slots = _without_results(vars(self)), _without_results(in_slots(self))
        return (own, slots) if slots else own  # the two forms that copy and pickle know


def _has_modules(part: Any) -> bool:
    """Return whether a part is a module, or a container of some."""
    containers = (Module, list, tuple, dict)
    return isinstance(part, containers) and any(isinstance(thing, Module) for thing in Inventory([part]).objects.values())


def require_module(model: object) -> None:
    """Raise a TypeError if the model is not a module, but for example its class, or the examples."""
    if not isinstance(model, Module):
        raise TypeError(f"the model comes first and is a Module, such as an MLP; got {short(repr(model))}")


def plain(thing: Any) -> Any:
    """Return a copy of a thing in which each `Value` is replaced by its number, inside modules, containers and other objects.

    >>> plain({"w": [Value(0.5), 2], "name": "unit"})
    {'w': [0.5, 2], 'name': 'unit'}
    """
    twins = _Twins()
    twin = _plain(thing, twins)
    if isinstance(thing, Module) and twins.is_in_doubt:
        thing.parameters()  # which raises if a part cannot be searched
    return twin


class _Twins(dict[int, Any]):
    """The copies made so far, by the ids of the originals.

    Attributes:
        keeps_results: whether results of operations become numbers; otherwise they become None in modules and objects.
        is_in_doubt: whether there was a part that cannot be searched, and may hold `Value`s.
    """

    def __init__(self, *, keeps_results: bool = False) -> None:
        super().__init__()
        self.keeps_results, self.is_in_doubt = keeps_results, False


def _plain(thing: Any, twins: _Twins) -> Any:
    if isinstance(thing, Value):
        return thing.data
    role = role_of(thing.__class__)
    if role == ATOM:
        return thing
    if role == BOUND:
        return _rebound(thing, twins)
    if id(thing) in twins:
        return twins[id(thing)]
    if isinstance(thing, tuple):
        twin: Any = tuple.__new__(type(thing), [_plain(item, twins) for item in thing])  # a named tuple stays one
        return _with_attributes(twin, thing, twins)
    if isinstance(thing, list | deque | dict | ValuesView | MappingProxyType):
        return _refilled(thing, twins)
    if is_array(thing):
        twin = thing.copy()
        flat = twin.reshape(-1)
        for i, item in enumerate(thing.reshape(-1).tolist()):
            flat[i] = _plain(item, twins)
        return twin
    if type(thing).__module__ == "numpy" and str(getattr(thing, "dtype", "")) in ("float16", "float32"):
        return thing.astype(float) if thing.ndim else float(thing)  # they would round what is computed with a float
    return _twin(thing, role, twins)


def _refilled(thing: Any, twins: _Twins) -> Any:
    """Return a copy of a list, a deque or a dict, with numbers for `Value`s; a subclass stays one.

    The items are read and set by the methods of the base class, since those of a subclass may count from 1, for example.
    """
    base: Any = next((kind for kind in (list, deque, dict) if isinstance(thing, kind)), None)  # None for a view
    twin: Any = base() if base else {} if isinstance(thing, MappingProxyType) else []
    if thing.__class__ not in (list, dict) and base:
        with suppress(Exception):  # one that is read-only cannot be copied
            twin = copy.copy(thing)
    twins[id(thing)] = twin  # before its items, which may lead back to it
    if isinstance(twin, dict):
        twins.is_in_doubt |= any(isinstance(key, Value) for key in thing)
        pairs = dict.items(thing) if base else thing.items()
        dict.update(twin, {key: _plain(item, twins) for key, item in pairs})
    else:
        items = [_plain(item, twins) for item in (base.__iter__(thing) if base else thing)]
        base = base or list
        base.clear(twin)
        base.extend(twin, items)
    return _with_attributes(twin, thing, twins) if twin.__class__ is thing.__class__ else twin


def _rebound(thing: Any, twins: _Twins) -> Any:
    """Bind a method to the twin of its object, or a partial function to the twins of its arguments."""
    if isinstance(thing, MethodType):
        owner = thing.__self__
        return thing if isinstance(owner, Value) else MethodType(thing.__func__, _plain(owner, twins))
    return partial(_plain(thing.func, twins), *_plain(thing.args, twins), **_plain(thing.keywords, twins))


def _twin(thing: Any, role: str, twins: _Twins) -> Any:
    """Return a copy of an object with numbers for `Value`s, or the object itself if it has none and is not a module."""
    twin = thing
    if isinstance(thing, Module):
        twin = object.__new__(type(thing))
    elif role == OBJECT:
        inventory = Inventory(thing, through=True)
        twin = copy.copy(thing) if inventory.values else thing
        twins.is_in_doubt |= bool(inventory.closed)
    elif role == CLOSED:
        twins.is_in_doubt = True
    twins[id(thing)] = twin
    return _with_attributes(twin, thing, twins) if twin is not thing else twin


def _with_attributes(twin: Any, thing: Any, twins: _Twins) -> Any:
    """Set the attributes of a twin to copies of those of the thing, and return it."""
    if thing.__class__ in (list, tuple, dict):  # without attributes; measured: predict of a small network takes 30 % less time
        return twin
    for name, part in attributes(thing).items():
        # Past results are left out: after compiling they have no number.
        object.__setattr__(twin, name, None if _is_result(part) and not twins.keeps_results else _plain(part, twins))
    return twin


def _without_results(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if not _is_result(part)}


def _is_result(thing: Any) -> bool:
    return isinstance(thing, Value) and thing.primitive is not None
