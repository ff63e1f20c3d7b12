"""Fixed rows, which compute the same at every call, so that facts about them can be cached.

Every row of the table is fixed.  A user's row may read something that changes, such as a temperature in a variable, a flag or
an attribute; then its function and its rules have to be called each time.  It is fixed if its code names only fixed rows and
Python's own functions, such as those of `math`:

>>> from autograd import Unary, sigmoid
>>> T = 1.0
>>> is_fixed(Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out)))
True
>>> is_fixed(Unary("cool", lambda x: x / T, lambda x, out: 1 / T))
False
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType
from typing import Any, Final, TypeVar

from autograd.rows import Primitive

__all__ = ["is_fixed", "remembered"]

PURE: Final = (abs, bool, divmod, float, int, len, list, max, min, pow, range, round, sum, tuple, zip)
T = TypeVar("T")


@functools.lru_cache(maxsize=4096)
def is_fixed(row: Primitive) -> bool:
    """Return whether a row computes the same at every call."""
    return _is_fixed_row(row, frozenset())


def remembered(find: Callable[..., T]) -> Callable[..., T]:
    """Cache a function whose first argument is a row, for rows that are fixed."""
    known = functools.lru_cache(maxsize=4096)(find)
    return functools.wraps(find)(lambda row, *rest: (known if is_fixed(row) else find)(row, *rest))


def _is_fixed_row(row: Primitive, among: frozenset[Primitive]) -> bool:
    """Return whether a row is fixed, assuming that those in `among` are: a rule may use its own row."""
    parts = (row.function, *row.rules.values())
    return row.is_in_table or row in among or all(_is_fixed(part, among | {row}) for part in parts)


def _is_fixed(function: Any, among: frozenset[Primitive]) -> bool:
    if isinstance(function, BuiltinFunctionType):
        return function.__module__ == "math" or function in PURE
    if not isinstance(function, FunctionType) or any(isinstance(part, CodeType) for part in function.__code__.co_consts):
        return False
    try:
        read = inspect.getclosurevars(function)
    except ValueError:  # a name in it was not assigned yet
        return False
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    variables = {**read.nonlocals, **read.globals}
    return (
        all(x.__class__ in (float, int, bool) for x in defaults)
        and all(map(_is_pure, read.builtins.values()))
        and {*dir(math)}.issuperset(read.unbound)  # attributes
        and all(x is math or _is_row(name, x, among) for name, x in variables.items())
    )


def _is_pure(builtin: Any) -> bool:
    return builtin in PURE or (isinstance(builtin, type) and issubclass(builtin, BaseException))


def _is_row(name: str, x: Any, among: frozenset[Primitive]) -> bool:
    """Return whether a name stands for the fixed row of that name; a variable of another name may hold another row later."""
    return isinstance(x, Primitive) and x.name == name and _is_fixed_row(x, among)
