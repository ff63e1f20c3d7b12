"""Plain numbers become floats; anything else is refused, or left to handle the operation itself.

>>> from fractions import Fraction
>>> number(Fraction(1, 4)), number(True), number(object())
(0.25, 1.0, NotImplemented)
"""

from __future__ import annotations

from numbers import Real
from typing import Any

__all__ = ["function", "kind_of", "number", "real"]


def kind_of(x: Any) -> str:
    """Return the name of an object's type with its article, for messages.

    >>> kind_of(3), kind_of("3")
    ('an int', 'a str')
    """
    name = type(x).__name__
    return f"{'an' if name[0] in 'aeioAEIO' or name == 'ndarray' else 'a'} {name}"


def function(f: Any) -> Any:
    """Return a function that is to be differentiated, or raise if it is something else, such as the result of a graph.

    >>> function(3.0)
    Traceback (most recent call last):
    TypeError: only a function can be differentiated, such as lambda x: x * x; got a float; for a result y, ...
    """
    if not callable(f):
        raise TypeError(f"only a function can be differentiated, such as lambda x: x * x; got {kind_of(f)}; for a result y, "
                        "use gradients(y, [x])")  # fmt: skip
    return f


def number(x: Any) -> Any:
    """Return a plain number as a float, or NotImplemented for a type that may handle the operation itself.

    Plain numbers are int, bool, float, `fractions.Fraction` and NumPy scalars.

    Raises:
        TypeError: for text, None, complex numbers, sequences and arrays.
        OverflowError: for an int beyond the largest float.

    >>> number(3), number(True)
    (3.0, 1.0)
    """
    # Measured: comparing classes first saves 10 % on a chain with constants such as 2.  NumPy's timedelta64 claims to be Real.
    if x.__class__ is float or x.__class__ is int or (isinstance(x, Real) and x.__class__.__name__ != "timedelta64"):
        return float(x)
    shape = x.shape if hasattr(type(x), "shape") else None  # a dict with attributes for items may raise a KeyError
    kind = getattr(x.dtype, "kind", "?") if hasattr(type(x), "dtype") else "?"
    if shape == () and kind in "biuf":  # numpy.bool_, and 0-d arrays, which NumPy's operators pass on
        return float(x)
    if kind == "O":  # an array of nodes
        return NotImplemented
    if shape:
        raise TypeError(f"an array of shape {tuple(shape)} is not a scalar; apply the operation to its elements one by one, or "
                        "to two arrays, one of which holds the Value, as np.array([x]) does")  # fmt: skip
    if x is None or shape == () or isinstance(x, str | bytes | complex | list | tuple | dict | set):
        each = ", or apply the operation to its elements one by one" if isinstance(x, list | tuple) else ""
        raise TypeError(f"{x!r} is {kind_of(x)}; pass a real number (int, float) or a Value{each}")
    return NotImplemented


def real(x: Any, advice: str = "pass a real number (int, float)") -> float:
    """Return a plain number as a float; anything else raises a TypeError that ends with the advice.

    >>> real(object)
    Traceback (most recent call last):
    TypeError: <class 'object'> is a type; pass a real number (int, float)
    """
    if (found := number(x)) is NotImplemented:
        raise TypeError(f"{x!r} is {kind_of(x)}; {advice}")
    return float(found)
