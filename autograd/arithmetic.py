"""Helpers for rows of many operands: sums in a fixed order, and functions that turn arguments into operands.

A sum goes from left to right.  The built-in `sum` compensates for rounding from Python 3.12 on, and `math.fsum` rounds once;
either would give other bits than the same additions recorded one by one.

>>> left_to_right(1.0, 1e16, -1e16), math.fsum([1.0, 1e16, -1e16])
(0.0, 1.0)
"""

from __future__ import annotations

import functools
import importlib
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Self

__all__ = [
    "NOT_COMPUTED",
    "Constant",
    "at_least_one",
    "branches",
    "items",
    "left_to_right",
    "log_sum_exp",
    "other",
    "product",
    "special",
    "weighted_sum",
    "weights_and_inputs",
]


# The number of a branch that was not called, which replay refuses to take.  It is recognised by identity.
NOT_COMPUTED: Final = float("nan")


class Constant(float):
    """A real number in a rule, rounded to a float; readings of the table with more digits compute it from its formula.

    Args:
        formula: computes the number from a namespace such as `math`, with log, sqrt and pi.

    >>> Constant(lambda m: m.log(2))
    0.6931471805599453
    """

    formula: Callable[[Any], Any]

    def __new__(cls, formula: Callable[[Any], Any]) -> Self:
        """Compute the float, and keep the formula."""
        self = super().__new__(cls, formula(math))
        self.formula = formula
        return self


def left_to_right(*terms: Any) -> Any:
    """Return the sum of some terms, 0 for none."""
    return functools.reduce(operator.add, terms) if terms else 0.0


def product(*factors: Any) -> Any:
    """Return the product of some factors, 1 for none."""
    return functools.reduce(operator.mul, factors) if factors else 1.0


def weighted_sum(*operands: Any) -> Any:
    """Return Σ wᵢxᵢ + b for n weights, then n inputs, then an optional bias.

    >>> weighted_sum(2.0, 3.0, 5.0, 7.0, 1.0)
    32.0
    """
    n = len(operands) // 2
    out = operands[0] * operands[n] if n else 0.0
    for w, x in zip(operands[1:n], operands[n + 1 : 2 * n], strict=True):  # measured: a third faster than reduce
        out = out + w * x
    return out + operands[-1] if len(operands) % 2 else out


def log_sum_exp(*operands: float) -> float:
    """Return log Σ exp(xᵢ) as m + log1p(Σ exp(xᵢ - m)), where m is the largest operand and the sum is over the others.

    So exp cannot overflow.

    >>> log_sum_exp(1000.0, 1000.0) == 1000 + math.log(2)
    True
    """
    if any(map(math.isnan, operands)):
        return math.nan
    *rest, shift = sorted(operands)
    return shift if math.isinf(shift) else shift + math.log1p(left_to_right(*[math.exp(x - shift) for x in rest]))


def items(operands: Iterable[Any]) -> tuple[Any, ...]:
    """Return the operands of a row, given in one iterable, as a tuple.

    Raises:
        TypeError: for an iterable that has no order, such as a set, or whose items are not its numbers, such as a dict.

    >>> items(x for x in [1.0, 2.0])
    (1.0, 2.0)
    """
    if operands.__class__ is tuple:
        return operands
    if operands.__class__ is not list:
        if hasattr(operands, "columns"):  # a table of pandas
            advice = "its numbers, to_numpy().ravel()"
        elif isinstance(operands, Mapping):
            advice = "its values, [*d.values()]"
        elif isinstance(operands, AbstractSet | bytes | bytearray):
            advice = "a list"
        else:
            return tuple(operands)
        raise TypeError(f"operands are numbers in order, not {type(operands).__name__}; pass {advice}")
    return tuple(operands)


def at_least_one(operands: Iterable[Any]) -> Sequence[Any]:
    """Return the operands of logsumexp, given in one iterable; raise a ValueError if there are none."""
    operands = items(operands)
    if not operands:
        raise ValueError("logsumexp of nothing has no value; pass at least one operand")
    return operands


def weights_and_inputs(weights: Iterable[Any], inputs: Iterable[Any], bias: Any = None) -> Sequence[Any]:
    """Return the operands of `weighted_sum`; raise a ValueError unless there are as many weights as inputs.

    >>> weights_and_inputs([2.0, 3.0], [5.0, 7.0], 1.0)
    (2.0, 3.0, 5.0, 7.0, 1.0)
    """
    weights = weights if weights.__class__ is list else items(weights)
    inputs = inputs if inputs.__class__ is list else items(inputs)
    if len(weights) != len(inputs):
        raise ValueError(f"dot needs as many weights as inputs; weights: {len(weights)}, inputs: {len(inputs)}")
    return (*weights, *inputs) if bias is None else (*weights, *inputs, bias)


def other(x: Any) -> float:
    """Return the slope of a choice with respect to an operand when another one, x, is chosen: 0, or NaN if x was not computed.

    >>> other(3.0), other(NOT_COMPUTED)
    (0.0, nan)
    """
    return NOT_COMPUTED if x is NOT_COMPUTED else 0.0


def branches(condition: Any, a: Any, b: Any) -> Sequence[Any]:
    """Return a condition and the values of its two branches; a branch that is a function is called only if it is taken.

    `NOT_COMPUTED` takes the place of a value that was not computed.  If the condition has no truth value, for example while
    tracing, both branches are called.

    >>> branches(False, lambda: 1 / 0, lambda: 2.0)
    (False, nan, 2.0)
    """
    if not (callable(a) or callable(b)):
        return condition, a, b
    try:
        takes_a = bool(condition if hasattr(condition, "dtype") else getattr(condition, "data", condition))
        takes_b = not takes_a
    except (TypeError, ValueError):
        takes_a = takes_b = True
    return condition, _value_of(a, takes_a), _value_of(b, takes_b)


def _value_of(branch: Any, is_taken: bool) -> Any:
    if not callable(branch):
        return branch
    return branch() if is_taken else NOT_COMPUTED


def special(name: str) -> Callable[[Any], Callable[..., Any]]:
    """Return a function that finds `name`, which NumPy lacks, for an array namespace: in SciPy, or for jax.numpy in jax.scipy.

    It raises a ModuleNotFoundError if SciPy is not installed.
    """

    def find(namespace: Any) -> Callable[..., Any]:
        package = "jax.scipy.special" if namespace.__name__.startswith("jax") else "scipy.special"
        try:
            found: Callable[..., Any] = getattr(importlib.import_module(package), name)
        except ImportError:
            raise ModuleNotFoundError(f"{name} on arrays needs SciPy: pip install scipy", name="scipy") from None
        return found

    return find
