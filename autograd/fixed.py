"""Rows that do the same at every call, so that what was found out about them may be kept.

A row of the table does.  A user's row may read what changes, such as a temperature in a variable, a flag or an attribute; then
its function and its rules have to be called each time.  It does the same at every call if all that its code names are rows of
the table and functions of Python's own, such as those of `math`:

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
from typing import Any, ParamSpec, TypeVar, cast

from autograd.rows import TABLE, Primitive

__all__ = ["is_fixed", "remembered"]

P = ParamSpec("P")
T = TypeVar("T")


@functools.lru_cache(maxsize=4096)
def is_fixed(row: Primitive) -> bool:
    """Return whether a row does the same at every call."""
    return TABLE.get(row.name) is row or all(map(_reads_rows_alone, (row.function, *row.rules.values())))


def remembered(find: Callable[P, T]) -> Callable[P, T]:
    """Keep what a function finds out about a row, its first argument, if the row is fixed."""
    known = functools.lru_cache(maxsize=4096)(find)

    @functools.wraps(find)
    def found(row: Any, *rest: Any) -> Any:
        return (known if is_fixed(row) else cast(Callable[..., Any], find))(row, *rest)

    return cast(Callable[P, T], found)


def _reads_rows_alone(function: Callable[..., Any]) -> bool:
    if isinstance(function, BuiltinFunctionType):
        return True
    if not isinstance(function, FunctionType) or any(isinstance(part, CodeType) for part in function.__code__.co_consts):
        return False
    read = inspect.getclosurevars(function)
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    named = {**read.nonlocals, **read.globals}
    are_rows = all(TABLE.get(name) is x or x is math for name, x in named.items())
    return are_rows and not defaults and read.unbound <= {*dir(math)}
