r"""The page that ``help(tanh)`` shows: the row as formulas, with its domain, its conventions and an example.

>>> from autograd import leaky_relu
>>> print("\n".join(leaky_relu.__doc__.splitlines()[:6]))
leaky_relu(x, y=0.01)
<BLANKLINE>
    value  where(x > 0, x, y·x)
    ∂/∂x   where(x > 0, 1, where(x ≤ 0, y, x))
    ∂/∂y   minimum(x, 0)
    at     leaky_relu(0, 0.25): ∂/∂x = 0.25, ∂/∂y = 0, by convention
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from typing import Any

from autograd.rows import Binary, Nary, Primitive, Unary
from autograd.symbol import Symbol, as_symbol
from autograd.writing import digits, expand

__all__ = ["page"]


def page(row: Primitive) -> str:
    """Return the page of a row, as text."""
    lines = [f"{part:5}  {text}" for part, text in _facts(row)]
    return "\n".join([row.usage, "", *(f"    {line}" for line in lines), "", *_example(row), ""])


def _facts(row: Primitive) -> Iterator[tuple[str, str]]:
    items = [Symbol(name + i) for name, is_list in _parameters(row) for i in (("0", "1") if is_list else ("",))]
    symbols = row.operands_from(_arguments(row, items))
    if row.default is not None:
        symbols = [symbols[0], Symbol("y")]
    names = [x.name for x in symbols]
    value = expand(row, symbols)
    yield "value", (value if isinstance(value, Symbol) and value.row is not None else row.apply(symbols)).text
    for i, name in enumerate(names):
        try:
            [rule] = row.partials(symbols, Symbol("out"), [i])
            yield f"∂/∂{name}", as_symbol(rule).text
        except Exception:  # a function of numbers may raise anything at a symbol
            yield f"∂/∂{name}", "a function of numbers"
    if row.domain:
        yield "needs", row.domain
    for point, partials in row.singular.items():
        slopes = ", ".join(f"∂/∂{name} = {digits(x)}" for name, x in zip(names, partials, strict=True))
        yield "at", f"{row.spell([digits(x) for x in point])}: {slopes}, by convention"


def _parameters(row: Primitive) -> list[tuple[str, bool]]:
    """Return the names of a row's required arguments, and whether each is a list."""
    if not isinstance(row, Nary):
        return [(name, False) for name in "xy"[: row.arity - (row.default is not None)]]
    found = inspect.signature(row.operands_of).parameters.values()
    return [(p.name, "Iterable" in str(p.annotation)) for p in found if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]


def _arguments(row: Primitive, items: Sequence[Any]) -> list[Any]:
    rest = iter(items)
    return [[next(rest), next(rest)] if is_list else next(rest) for _, is_list in _parameters(row)]


def _example(row: Primitive) -> Iterator[str]:
    for numbers in ((0.5, 2.0, 3.0, 4.0), (2.0, 3.0, 4.0, 5.0), (-0.5, -2.0, 3.0, 4.0)):
        arguments = _arguments(row, numbers)
        try:
            value = row(*arguments)
        except Exception:  # undefined there, or only for other numbers, such as the keys of a dict
            continue
        if math.isfinite(value):
            call = row.spell([repr(x) for x in arguments])
            yield from (f">>> {call}", repr(value))
            return


class _Page:
    """A descriptor: on a row's class the docstring, on a row its page."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __get__(self, row: Primitive | None, kind: type) -> str:
        return self.text if row is None else page(row)


_kind: Any
for _kind in (Primitive, Unary, Binary, Nary):
    _kind.__doc__ = _Page(_kind.__doc__ or "")
