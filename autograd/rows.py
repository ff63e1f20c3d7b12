"""What can be said of a row without reading it: how it is called, and whether its rules are such that it can be read.

Nothing of this is written down in the rows.  How one is called is found by trying its calls on objects that stand for
operands, and what a rule takes is what Python knows of its signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Protocol

__all__ = ["Row", "check_gradient", "check_partial", "check_rules", "refuse_call", "usage", "ways"]


class Row(Protocol):
    """What is asked of a row here: its name, and the operands that the arguments of a call stand for."""

    @property
    def name(self) -> str:
        """The row's name."""

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the operands, or raise a `TypeError`."""


def ways(row: Row) -> list[tuple[bool, ...]]:
    """Return the ways to call a row: for each argument, whether it is a list.

    >>> from autograd import dot
    >>> ways(dot)
    [(True, True), (True, True, False)]
    """
    found = []
    for way in (way for count in (1, 2, 3) for way in product((False, True), repeat=count)):
        try:
            operands = row.operands_from([[object(), object()] if is_list else object() for is_list in way])
        except (TypeError, ValueError):
            continue
        if not any(isinstance(x, list) for x in operands):
            found.append(way)
    return found


def usage(row: Row) -> str:
    """Write how a row is called.

    >>> from autograd import dot, leaky_relu
    >>> usage(dot), usage(leaky_relu)
    ('dot([a, b], [c, d]) or dot([a, b], [c, d], e)', 'leaky_relu(a) or leaky_relu(a, b)')
    """
    calls = []
    for way in ways(row):
        letters = iter("abcdef")
        shown = [f"[{next(letters)}, {next(letters)}]" if is_list else next(letters) for is_list in way]
        calls.append(f"{row.name}({', '.join(shown)})")
    return " or ".join(calls)


def refuse_call(row: Row, arguments: Sequence[Any]) -> None:
    """Raise if a row is not called so; what is within the lists is not looked at.

    >>> from autograd import maximum
    >>> refuse_call(maximum, [1.0])
    Traceback (most recent call last):
    TypeError: maximum is called as maximum(a, b); got maximum(float)
    """
    if tuple(isinstance(x, Iterable) for x in arguments) not in ways(row):
        kinds = ", ".join(type(x).__name__ for x in arguments)
        raise TypeError(f"{row.name} is called as {usage(row)}; got {row.name}({kinds})")


def check_rules(row: str, function: Any, operands: str, rules: Mapping[str, Callable[..., Any]]) -> None:
    """Raise if a part of a row is no function, or does not take what it will be called with.

    Args:
        row: the row's name.
        function: its function, which takes the operands one by one.
        operands: what they are called: ``"x"``, ``"x, y"``, or ``"operands"`` for a row that takes any number of them.
        rules: the functions for the partial derivatives, by what they are called; each takes the operands and ``out``.

    >>> check_rules("cube", lambda x: x**3, "x", {"rule ∂cube/∂x": lambda x: 3 * x * x})
    Traceback (most recent call last):
    TypeError: the rule ∂cube/∂x of the row 'cube' is called with (x, out), but it takes (x)
    """
    known = operands != "operands"
    for part, rule, words in [("function", function, operands), *((part, rules[part], f"{operands}, out") for part in rules)]:
        if not callable(rule):
            raise TypeError(f"the {part} of the row {row!r} must be a function of ({words}); got {rule!r}")
        try:
            signature = inspect.signature(rule)
        except ValueError:  # not every function that is written in C says what it takes
            continue
        try:
            signature.bind(*words.split(", "))
        except TypeError:
            if known or rule is not function:
                raise TypeError(f"the {part} of the row {row!r} is called with ({words}), but it takes {signature}") from None


def check_partial(row: str, operand: object, partial: Any) -> Any:
    """Return what a rule gave for a partial derivative; raise if it can be none.

    >>> check_partial("cube", "x", None)
    Traceback (most recent call last):
    TypeError: the rule ∂cube/∂x of the row 'cube' returned None; it must return a number
    """
    if partial is None or isinstance(partial, str | bytes | list | tuple):
        raise TypeError(f"the rule ∂{row}/∂{operand} of the row {row!r} returned {partial!r}; it must return a number")
    return partial


def check_gradient(row: str, n_operands: int, gradient: Any) -> Any:
    """Return what a row of many operands gave for its partial derivatives; raise if they can be none.

    >>> check_gradient("mean", 2, [0.5])
    Traceback (most recent call last):
    TypeError: the gradient of the row 'mean' returned [0.5]; it must return a number for each of the 2 operands
    """
    if not hasattr(gradient, "__len__") or isinstance(gradient, str) or len(gradient) != n_operands:
        raise TypeError(f"the gradient of the row {row!r} returned {gradient!r}; it must return a number for each of the "
                        f"{n_operands} operands")  # fmt: skip
    return gradient
