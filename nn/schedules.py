"""Learning rates as functions of the number of steps made so far, and the checks of an optimiser's settings.

A schedule is a module-level function with its settings bound by `partial`, so that an optimiser that holds one can be pickled.

>>> rate = warmup(cosine(0.8, steps=8), steps=2)
>>> [round(rate(i), 2) for i in (0, 1, 4, 8)]
[0.4, 0.77, 0.4, 0.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Real
from typing import Any, TypeAlias

__all__ = ["Schedule", "cosine", "exponential_decay", "is_count", "is_positive", "is_rate", "is_share", "require", "step_decay",
           "warmup"]  # fmt: skip

Schedule: TypeAlias = Callable[[int], float]


def step_decay(lr: float, every: int, factor: float = 0.5) -> Schedule:
    """Multiply the rate by a factor after every `every` steps.

    >>> [step_decay(0.8, every=2)(i) for i in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    require("lr", lr, is_positive, "a positive number")
    require("every", every, is_count, "at least 1")
    require("factor", factor, is_rate, "a finite number, 0 or more")
    return partial(_by_steps, lr, every, factor)


def exponential_decay(lr: float, factor: float) -> Schedule:
    """Multiply the rate by a factor, a little below 1, at every step.

    >>> [exponential_decay(0.8, 0.5)(i) for i in range(3)]
    [0.8, 0.4, 0.2]
    """
    return step_decay(lr, 1, factor)


def cosine(lr: float, steps: int, lowest: float = 0.0) -> Schedule:
    """Lower the rate to the lowest one along half a cosine wave over `steps` steps, and keep it there.

    Source: Loshchilov, Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017, equation 5.

    >>> [round(cosine(0.8, steps=4)(i), 3) for i in (0, 2, 4, 9)]
    [0.8, 0.4, 0.0, 0.0]
    """
    require("lr", lr, is_positive, "a positive number")
    require("steps", steps, is_count, "at least 1")
    require("lowest", lowest, is_rate, "a finite number, 0 or more")
    return partial(_along_cosine, lr, steps, lowest)


def warmup(lr: float | Schedule, steps: int) -> Schedule:
    """Raise the rate linearly over `steps` steps, up to that of `lr`, then follow `lr`.

    >>> [warmup(0.8, steps=4)(i) for i in range(5)]
    [0.2, 0.4, 0.6000000000000001, 0.8, 0.8]
    """
    if not callable(lr):
        require("lr", lr, is_positive, "a positive number, or another function of the step")
    require("steps", steps, is_count, "at least 1")
    return partial(_after_rise, lr, steps)


def _by_steps(lr: float, every: int, factor: float, step: int) -> float:
    return lr * factor ** (step // every)


def _along_cosine(lr: float, steps: int, lowest: float, step: int) -> float:
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2


def _after_rise(lr: float | Schedule, steps: int, step: int) -> float:
    return (lr(step) if callable(lr) else lr) * min((step + 1) / steps, 1.0)


def is_positive(x: float) -> bool:
    """Return whether a number is finite and positive."""
    return 0.0 < x < math.inf


def is_rate(x: float) -> bool:
    """Return whether a number is finite and not negative."""
    return 0.0 <= x < math.inf


def is_share(x: float) -> bool:
    """Return whether a number is at least 0 and below 1."""
    return 0.0 <= x < 1.0


def is_count(x: float) -> bool:
    """Return whether a number is at least 1."""
    return x >= 1


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
