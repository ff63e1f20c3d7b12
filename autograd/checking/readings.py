"""Two readings of a row, its function and rules as text and on arrays, compared with its values at floats."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autograd.primitives import Primitive
from autograd.symbol import Symbol, as_symbol, operand_names
from autograd.writing import source

__all__ = ["check_arrays", "check_text"]


def check_text(row: Primitive, data: Sequence[float]) -> None:
    """Compare a row's function and rules, written as Python and evaluated, with what they give at some operands.

    Raises:
        AssertionError: if they cannot be written, or give something else.

    >>> from autograd.primitives import tanh
    >>> check_text(tanh, [0.5])
    """
    names = operand_names(row, len(data))
    symbols, which = [Symbol(name) for name in names], range(len(data))
    out = row.evaluate(data)
    values = {**dict(zip(names, data, strict=True)), "out": float(out), "inf": math.inf, "nan": math.nan}
    try:
        formulas = [row.apply(symbols), *row.partials(symbols, Symbol("out"), which)]
    except Exception as error:  # a function or rule that takes only numbers may raise anything
        raise AssertionError(f"{row.name} cannot be written as text: {error}") from None
    for formula, expected in zip(formulas, [out, *row.partials(data, out, which)], strict=True):
        text, calls = source(as_symbol(formula))
        found = float(eval(text, {"__builtins__": {}}, {**values, **{name: called.function for name, called in calls.items()}}))
        if found != expected and not (math.isnan(found) and math.isnan(expected)):
            raise AssertionError(f"{row.name} at {tuple(data)}: the text {text} gives {found!r}, the row {float(expected)!r}")


def check_arrays(row: Primitive, data: Sequence[float]) -> None:
    """Compare a row's function and rules, read on NumPy's arrays, with what they give at floats.

    Raises:
        AssertionError: if they cannot be read, or give something else, apart from rounding.

    >>> from autograd.primitives import tanh
    >>> check_arrays(tanh, [0.5])
    """
    import numpy as np

    which = range(len(data))
    out = row.evaluate(data)
    columns = [np.array([x, x]) for x in data]
    try:
        with np.errstate(all="ignore"):  # the comparison shows what is not finite
            result = row.apply(columns)
            found = [result, *row.partials(columns, result, which)]
    except Exception as error:
        raise AssertionError(f"{row.name} cannot be read on arrays ({error}); make its function of rows, name the function "
                             "of the array namespace in the column array, or pass arrays=False") from None  # fmt: skip
    for array, expected in zip(found, [out, *row.partials(data, out, which)], strict=True):
        if not np.allclose(array, float(expected), rtol=1e-12, atol=1e-15, equal_nan=True):
            raise AssertionError(f"{row.name} at {tuple(data)}: arrays give {array!r}, floats {float(expected)!r}")
