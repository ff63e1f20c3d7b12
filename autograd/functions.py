"""Functions composed of rows, which need no rows of their own.

>>> softmax([1.0, 1.0])
[0.5, 0.5]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.arithmetic import items
from autograd.primitives import divide, exp, logsumexp, maximum, minimum, subtract, total

__all__ = ["clip", "mean", "softmax"]


def mean(operands: Iterable[Any]) -> Any:
    """Return the mean of numbers or nodes; of finite ones it overflows only next to the largest float, where it is rounded up.

    Args:
        operands: one or more numbers or nodes, or the rows of a NumPy array, whose mean is that of each column.

    Raises:
        ValueError: for no operands.
        TypeError: for anything but a list or another iterable.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    operands = _listed("mean", operands)
    return total([divide(x, len(operands)) for x in operands])


def softmax(operands: Iterable[Any]) -> list[Any]:
    """Return exp(xᵢ) / Σ exp(xⱼ) for each of one or more numbers or nodes; it does not overflow.

    An operand of -∞ gets 0.  With an operand of +∞, or only operands of -∞, all results are NaN, since ∞ - ∞ is NaN.  A NumPy
    array is treated as the list of its rows, as for `mean`.

    Raises:
        ValueError: for no operands.

    >>> [round(p, 4) for p in softmax([1000.0, 1001.0])]
    [0.2689, 0.7311]

    Source: Bridle, Probabilistic interpretation of feedforward classification network outputs, Neurocomputing (1990).
    """
    operands = _listed("softmax", operands)
    out = logsumexp(operands)
    weights = [exp(subtract(x, out)) for x in operands]
    whole = total(weights)  # 1, unless `out` is rounded: for two operands of 1e16 it is 2
    return [divide(weight, whole) for weight in weights]


def clip(x: Any, low: Any, high: Any) -> Any:
    """Return x between low and high: low below it, high above it; the slope with respect to x is 0 at both ends.

    Args:
        x: a number or node.
        low: the lower bound, a number or node, or None for no bound.
        high: the upper bound, likewise.

    >>> clip(3.0, 0.0, 1.0), clip(0.25, 0.0, 1.0)
    (1.0, 0.25)
    """
    above = x if low is None else maximum(x, low)
    return above if high is None else minimum(above, high)


def _listed(name: str, operands: Iterable[Any]) -> list[Any]:
    if not isinstance(operands, Iterable):
        raise TypeError(f"{name} takes a list of numbers or nodes; got {operands!r}")
    try:
        found = [*items(operands)]
    except TypeError as error:
        raise TypeError(f"{name} takes a list of numbers or nodes; {error}") from None
    if not found:
        raise ValueError(f"{name} of nothing has no value; pass at least one operand")
    return found
