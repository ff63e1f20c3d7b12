"""What every network is: something callable that has parameters.

A module's parameters are found by looking at its attributes, in the order in which they were set: `Value`s, modules, and
lists, tuples or dicts of them.  The forward pass is written once, in ``__call__``.  A row of autograd's table makes nodes of
`Value`s and numbers of numbers; so, to predict, the same code runs on a twin of the module that has numbers for parameters.

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

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from autograd import Value

__all__ = ["Module", "plain"]

SEQUENCES: Final = (list, tuple)
CONTAINERS: Final = (*SEQUENCES, dict)


class Module:
    """A part of a network, with parameters; write one by setting attributes and defining ``__call__``.

    In ``__call__``, write ``tanh(net)`` rather than ``net.tanh()``: functions and operators take the plain numbers of
    `predict` as well.

    Attributes:
        numbered: for an attribute that is a list, what its items are called and from which number on they are counted;
            without an entry, by the attribute's own name from 0, so that the items of ``w`` are ``w0``, ``w1`` ….
    """

    numbered: ClassVar[Mapping[str, tuple[str, int]]] = {}

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Return the result of the forward pass, a `Value` or a list of them."""
        # No abstract class: a module may hold parameters, and other modules, without computing anything itself.
        raise NotImplementedError(f"{type(self).__name__} does not say how it computes; define its method __call__")

    def predict(self, *inputs: Any, **options: Any) -> Any:
        """Return what a call returns, bit for bit, but as plain numbers and without recording a node."""
        return plain(self)(*plain(inputs), **plain(options))

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of the attributes, each once even if it is shared."""
        found: dict[int, Value | Module] = {}
        _find(self, found)
        return [part for part in found.values() if isinstance(part, Value)]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return the parameters with their names, which say the way to them, as in ``layer1.neuron0.w2``.

        A parameter is a `Value` that did not come from an operation.

        Raises:
            ValueError: if two parameters come to have the same name.
        """
        found: dict[str, Value] = {}
        _collect("", self, found, set())
        return list(found.items())

    def modules(self) -> list[Module]:
        """Return this module and all modules inside it, in the order of the attributes, each once."""
        found: dict[int, Value | Module] = {id(self): self}
        _find(self, found)
        return [part for part in found.values() if isinstance(part, Module)]

    def state_dict(self) -> dict[str, float]:
        """Return the parameters' numbers by their names.

        >>> from nn import Neuron
        >>> Neuron(2, init="zeros").state_dict()
        {'w0': 0.0, 'w1': 0.0, 'b': 0.0}
        """
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the parameters to the numbers of a `state_dict`; if anything does not fit, none is changed.

        Raises:
            ValueError: if names are missing or unknown, saying which.
            TypeError: for what is no real number, with its name.

        >>> from nn import Neuron
        >>> neuron = Neuron(2)
        >>> neuron.load_state_dict({"w0": 1.5, "w1": -2.0, "b": 0.5})
        >>> neuron.predict([2.0, 1.0])
        0.9051482536448664
        >>> neuron.load_state_dict({"w0": 1.5, "w2": -2.0, "b": 0.5})
        Traceback (most recent call last):
        ValueError: the state does not fit Neuron(2, activation='tanh'): it lacks w1; it has w2, which is not a parameter
        """
        named = dict(self.named_parameters())
        differences = []
        if lacking := [name for name in named if name not in state]:
            differences.append(f"it lacks {_enumerate(lacking)}")
        if unknown := [str(name) for name in state if name not in named]:
            are = "is not a parameter" if len(unknown) == 1 else "are not parameters"
            differences.append(f"it has {_enumerate(unknown)}, which {are}")
        if differences:
            raise ValueError(f"the state does not fit {self!r}: {'; '.join(differences)}")
        numbers = {}
        for name in named:
            try:
                numbers[name] = Value(state[name]).data
            except TypeError as error:
                raise TypeError(f"{name}: {error}") from None
        for name, parameter in named.items():
            parameter.data = numbers[name]

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero, as each backward pass adds to them."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def __repr__(self) -> str:
        parts = [f"{name}={part!r}" for name, part in vars(self).items() if isinstance(part, Module)]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        return f"{self!r} with {len(self.parameters())} parameters"

    def __getstate__(self) -> dict[str, Any]:
        # A node of a past forward pass belongs to that pass: copied or pickled, it would take its whole graph along.
        return {name: None if _is_result(part) else part for name, part in vars(self).items()}


def plain(thing: Any) -> Any:
    """Return the same thing with its number in the place of each `Value`, inside modules, lists, tuples and dicts as well.

    >>> plain({"w": [Value(0.5), 2], "name": "unit"})
    {'w': [0.5, 2], 'name': 'unit'}
    """
    return _plain(thing, {})


def _plain(thing: Any, twins: dict[int, Module]) -> Any:
    if isinstance(thing, Value):
        return thing.data
    if isinstance(thing, list):
        return [_plain(item, twins) for item in thing]
    if isinstance(thing, tuple):
        return tuple.__new__(type(thing), [_plain(item, twins) for item in thing])  # a named tuple stays one
    if isinstance(thing, dict):
        return {key: _plain(item, twins) for key, item in thing.items()}
    if not isinstance(thing, Module):
        return thing
    if id(thing) not in twins:
        twin = twins[id(thing)] = object.__new__(type(thing))
        vars(twin).update({name: _plain(part, twins) for name, part in thing.__getstate__().items()})  # without past results
    return twins[id(thing)]


def _enumerate(names: list[str], most: int = 4) -> str:
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def _is_result(thing: Any) -> bool:
    return isinstance(thing, Value) and thing.primitive is not None


def _find(thing: Any, found: dict[int, Value | Module]) -> None:
    """Enter the parameters and modules in `thing` into `found`, by their identities.

    `_collect` without the names, six times as fast: a training loop asks for the parameters at every step.
    """
    for part in thing if isinstance(thing, SEQUENCES) else (vars(thing) if isinstance(thing, Module) else thing).values():
        if isinstance(part, Value):
            if part.primitive is None:
                found[id(part)] = part
        elif isinstance(part, Module):
            if id(part) not in found:
                found[id(part)] = part
                _find(part, found)
        elif isinstance(part, CONTAINERS):
            _find(part, found)


def _collect(name: str, thing: Any, found: dict[str, Value], seen: set[int]) -> None:
    """Enter the parameters in `thing` into `found`; `seen` has the identities of those that were met before."""
    if isinstance(thing, Value | Module):
        if id(thing) in seen or _is_result(thing):
            return
        seen.add(id(thing))
    if isinstance(thing, Value):
        if name in found:
            raise ValueError(f"two parameters are both named {name!r}; rename an attribute on the way to one of them")
        found[name] = thing
    for inner, part in _parts(name, thing):
        _collect(inner, part, found, seen)


def _parts(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """Go through the parts of a module or container, with their names."""
    if isinstance(thing, Module):
        prefix = f"{name}." if name else ""
        for attribute, part in vars(thing).items():
            if attribute in thing.numbered:
                called, first = thing.numbered[attribute]
                yield from ((f"{prefix}{called}{i}", item) for i, item in enumerate(part, first))
            else:
                yield prefix + attribute, part
    elif isinstance(thing, SEQUENCES):
        stem = f"{name}_" if name[-1:].isdigit() else name  # row 1 of a matrix m is m1, and its item 2 is m1_2
        yield from ((f"{stem}{i}", item) for i, item in enumerate(thing))
    elif isinstance(thing, dict):
        yield from ((f"{name}.{key}", item) for key, item in thing.items())
