"""Checks of settings, and of what an optimiser is called with.

>>> is_share(0.9), is_share(1.0)
(True, False)
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, Final

from nn.tables import short

__all__ = ["alternatives", "is_positive", "is_rate", "is_share", "pair", "require", "require_array", "require_state",
           "whole_number"]  # fmt: skip

# What takes the place of arguments of other libraries' optimisers.
ELSEWHERE: Final = ("lr is the learning rate; pass the parameters to step(…), as fit does; for momentum use Momentum, and for "
                    "weight decay fit(…, l2=…)")  # fmt: skip


def is_positive(x: float) -> bool:
    """Return whether a number is finite and positive."""
    return 0.0 < x < math.inf


def is_rate(x: float) -> bool:
    """Return whether a number is finite and not negative."""
    return 0.0 <= x < math.inf


def is_share(x: float) -> bool:
    """Return whether a number is at least 0 and below 1."""
    return 0.0 <= x < 1.0


def require(name: str, given: Any, suits: Callable[..., bool], requirement: str, *, count: int = 1) -> Any:
    """Return a setting as a Python number, or as a tuple of `count` of them, or raise unless it suits.

    A setting in NumPy's float32 would turn the parameters into float32, too.

    Args:
        name: of the setting, for the message.
        given: its value.
        suits: a test of the number, or of all the numbers together.
        requirement: which values are suitable, for the message.
        count: how many numbers the setting has.

    Raises:
        ValueError: for anything else.

    >>> require("widths", [0.5, 2], lambda low, high: low < high, "two numbers in order", count=2)
    (0.5, 2)
    >>> require("lr", -1.0, is_positive, "a positive number")
    Traceback (most recent call last):
    ValueError: lr is a positive number; got -1.0
    """
    numbers = [given] if count == 1 else given if isinstance(given, Sequence) else []
    if not (len(numbers) == count and all(isinstance(x, Real) for x in numbers) and suits(*numbers)):
        raise ValueError(f"{name} is {requirement}; got {given!r}")
    plain = [x if isinstance(x, float | int) else float(x) for x in numbers]
    return plain[0] if count == 1 else tuple(plain)


def whole_number(name: str, n: Any, *, least: int = 1) -> int:
    """Return a count as an int, or raise an error with its name unless it is a whole number, at least `least`.

    >>> whole_number("epochs", 0)
    Traceback (most recent call last):
    ValueError: epochs is at least 1; got 0
    """
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} is a whole number; got {n!r}") from None
    if count < least:
        raise ValueError(f"{name} is at least {least}; got {count}")
    return count


def require_array(parameters: Any, gradient: Any) -> None:
    """Raise unless an array of parameters can be changed in place by a gradient.

    Raises:
        TypeError: for anything but an array, and for an array of integers.
        ValueError: for a gradient of another shape, which NumPy may spread over all rows.
    """
    if not hasattr(parameters, "dtype"):
        raise TypeError(f"step_array takes an array of parameters, and step a list of them; got {type(parameters).__name__}")
    if parameters.dtype.kind in "biu":
        raise TypeError(f"step_array changes an array in place, and one of {parameters.dtype} would round each step; pass "
                        "parameters.astype(float)")  # fmt: skip
    shape = getattr(gradient, "shape", None)
    if shape != parameters.shape:
        raise ValueError(f"the gradient has the shape of the parameters, {parameters.shape}; got {shape or gradient!r}")


def require_state(state: Iterable[Any], shape: tuple[int, ...]) -> None:
    """Raise unless the state of an array of parameters consists of numbers and arrays of its shape, so that it can be divided.

    >>> require_state([0.5, {"mean": 0.5}], (2,))
    Traceback (most recent call last):
    TypeError: a state is a tuple of numbers; it contains {'mean': 0.5}
    """
    for part in state:
        if not isinstance(part, Real) and getattr(part, "shape", None) != shape:
            raise TypeError(f"a state is a tuple of numbers; it contains {short(repr(part))}")


def pair(returned: Any) -> Any:
    """Return what a rule returned, or raise if it is anything but the next parameter and the state.

    >>> pair(0.5)
    Traceback (most recent call last):
    TypeError: a rule returns the next parameter and the state, as in `return parameter - rate * gradient, ()`; got 0.5
    """
    if returned.__class__ not in (tuple, list) or len(returned) != 2 or returned[0] is None:
        raise TypeError("a rule returns the next parameter and the state, as in `return parameter - rate * gradient, ()`; got "
                        f"{short(repr(returned))}")  # fmt: skip
    return returned


def alternatives(kind: Any) -> None:
    """Let a class of optimisers name what takes the place of other libraries' arguments, if it is called with them.

    >>> from nn.optim import SGD
    >>> SGD([], lr=0.1)
    Traceback (most recent call last):
    TypeError: SGD: multiple values for argument 'lr'; lr is the learning rate; pass the parameters to step(…), as fit does; ...
    """
    init, signature = kind.__init__, inspect.signature(kind.__init__)

    @functools.wraps(init)
    def checked(self: Any, *given: Any, **named: Any) -> None:
        try:
            signature.bind(self, *given, **named)
        except TypeError as error:
            raise TypeError(f"{kind.__name__}: {error}; {ELSEWHERE}") from None
        init(self, *given, **named)

    kind.__init__ = checked
