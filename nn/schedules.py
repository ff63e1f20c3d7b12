"""Learning rates as functions of the number of steps made so far.

A schedule is a module-level function with its settings bound by `partial`, so that an optimiser that holds one can be pickled.

>>> rate = warmup(cosine(0.8, steps=8), steps=2)
>>> [round(rate(i), 2) for i in (0, 1, 4, 8)]
[0.4, 0.77, 0.4, 0.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from autograd import power
from nn.settings import is_positive, is_rate, require, whole_number

__all__ = ["Schedule", "cosine", "exponential_decay", "step_decay", "warmup"]

Schedule: TypeAlias = Callable[[int], float]


def step_decay(lr: float, every: int, factor: float = 0.5) -> Schedule:
    """Multiply the rate by a factor after every `every` steps.

    >>> [step_decay(0.8, every=2)(i) for i in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    require("lr", lr, is_positive, "a positive number")
    whole_number("every", every)
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
    whole_number("steps", steps)
    require("lowest", lowest, is_rate, "a finite number, 0 or more")
    return partial(_along_cosine, lr, steps, lowest)


def warmup(lr: float | Schedule, steps: int) -> Schedule:
    """Raise the rate linearly over `steps` steps, up to that of `lr`, then follow `lr`.

    >>> [warmup(0.8, steps=4)(i) for i in range(5)]
    [0.2, 0.4, 0.6000000000000001, 0.8, 0.8]
    """
    if not callable(lr):
        require("lr", lr, is_positive, "a positive number, or another function of the step")
    whole_number("steps", steps)
    return partial(_after_rise, lr, steps)


def _by_steps(lr: float, every: int, factor: float, step: int) -> float:
    return float(lr * power(float(factor), step // every))  # ∞ where it overflows, which the optimiser refuses


def _along_cosine(lr: float, steps: int, lowest: float, step: int) -> float:
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2


def _after_rise(lr: float | Schedule, steps: int, step: int) -> float:
    rate = require(f"lr({step})", lr(step), is_rate, "a finite number, 0 or more") if callable(lr) else lr
    return float(rate * min((step + 1) / steps, 1.0))
