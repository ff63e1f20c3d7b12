"""Detects whether a function drew random numbers: whether a call of it changed a generator that it can reach.

A compiled program repeats what was traced, so a coin tossed while tracing would fall the same way for ever.

>>> from random import Random
>>> rng = Random(0)
>>> watched = Watched({"noise": rng})
>>> watched.drew()
False
>>> _ = rng.random()
>>> watched.drew()
True
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from types import (
    BuiltinMethodType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final

from autograd.value import Value

__all__ = ["Watched"]

# Packages whose own code is not searched.
LIBRARIES: Final = {"autograd", "jax", "jaxlib", "llvmlite", "matplotlib", "nn", "numba", "numpy"}
QUIET: Final = LIBRARIES | sys.stdlib_module_names - {"secrets", "uuid"}


class Watched:
    """The generators that functions and models can reach, with their states when this was made.

    These are the generators of the modules `random` and ``numpy.random``, and those that are found in attributes, containers,
    closures, and in the global variables that a function names.  What another thread draws from them meanwhile counts, too.

    Args:
        things: functions, models, or anything that holds them.
    """

    def __init__(self, *things: Any) -> None:
        self.generators = [random, *_numpy_random(), *_generators(things)]
        self.states = self._states()

    def drew(self) -> bool:
        """Whether the state of any generator has changed since."""
        return self._states() != self.states

    def _states(self) -> list[Any]:
        return [_state(generator) for generator in self.generators]


def _numpy_random() -> list[Any]:
    """Return ``numpy.random`` in a list, or an empty list if NumPy is not imported: then no model draws from it."""
    return [sys.modules["numpy"].random] if "numpy" in sys.modules else []


def _state(generator: Any) -> Any:
    """Return a generator's state as text, in full; for one without a state, a new object each time."""
    if isinstance(generator, random.SystemRandom):
        return object()
    if hasattr(generator, "getstate"):
        return repr(generator.getstate())
    state = generator.get_state(legacy=False) if hasattr(generator, "get_state") else generator.bit_generator.state
    return repr(_without_arrays(state))


def _without_arrays(state: Any) -> Any:
    """Return nested dicts with lists for arrays, since the text of a long array has gaps."""
    if isinstance(state, dict):
        return {key: _without_arrays(part) for key, part in state.items()}
    return state.tolist() if hasattr(state, "tolist") else state


def _generators(things: Any) -> Iterator[Any]:
    """Yield the generators of `random` and NumPy that things hold, directly or not, each once."""
    kinds: tuple[type, ...] = (random.Random,)
    for module in _numpy_random():
        kinds += (module.Generator, module.RandomState)
    seen: dict[int, Any] = {}
    waiting = [*things]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, Value | str | bytes | float | int | ModuleType):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, kinds):
            yield thing
        elif thing is os.urandom:
            yield random.SystemRandom()
        else:
            waiting.extend(_held(thing))


def _held(thing: Any) -> list[Any]:
    """Return what a container, an object, a function or a class holds."""
    if isinstance(thing, dict | MappingProxyType):  # other mappings may run code of their own
        return [*thing.values()]
    if isinstance(thing, list | tuple):
        return [] if thing and isinstance(thing[0], float | int | Value) else [*thing]  # no generator among numbers
    if isinstance(thing, set | frozenset | deque):
        return [*thing]
    if isinstance(thing, MethodType | BuiltinMethodType | staticmethod | classmethod | property):
        return [getattr(thing, name, None) for name in ("__self__", "__func__", "fget")]
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    is_quiet = isinstance(thing, FunctionType | type) and str(thing.__module__).partition(".")[0] in QUIET
    if isinstance(thing, FunctionType):
        defaults = [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
        held = [*defaults, *_contents(thing)]
        return held if is_quiet else [*held, *_named(thing.__code__, thing.__globals__)]
    if isinstance(thing, type):
        return [] if is_quiet else [*vars(thing).values(), *thing.__bases__]
    return [type(thing), *_attributes(thing)]


def _attributes(thing: Any) -> Iterator[Any]:
    """Yield an object's attributes, including those in slots, without running a ``__getattr__``, such as a proxy's."""
    with contextlib.suppress(AttributeError):
        yield from object.__getattribute__(thing, "__dict__").values()
    for slot in [x for kind in type(thing).__mro__ for x in vars(kind).values() if isinstance(x, MemberDescriptorType)]:
        with contextlib.suppress(AttributeError):  # nothing was assigned yet
            yield slot.__get__(thing)


def _contents(function: FunctionType) -> Iterator[Any]:
    """Yield the contents of a function's cells."""
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # nothing was assigned yet
            yield cell.cell_contents


def _named(code: CodeType, scope: Mapping[str, Any]) -> list[Any]:
    """Return the objects that the names in a function's code stand for, including those in the modules that it names."""
    codes = [code]
    for inner in codes:
        codes += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]
    names = {name for inner in codes for name in inner.co_names}
    found = [scope[name] for name in names if name in scope]
    modules = [vars(thing) for thing in found if isinstance(thing, ModuleType)]
    return [*found, *(module[name] for module in modules for name in names if name in module)]
