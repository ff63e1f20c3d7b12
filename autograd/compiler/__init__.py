"""From scalars to matrices.

Write a loss with scalars, for one example.  `compile` writes down once what it does, finds the matrices in it, and replays it
for whole batches at the speed of hand-written NumPy.

    tracing     the function as plain data
    recordings  what rows do, as operations of other rows: to take one apart, and to keep one as it is
    canonical   sums gathered: `total` and `dot`; the same operation once
    backward    its gradient, by the rules of the table, as more of the same graph
    jacobians   the derivatives of all outputs, as a graph of their own
    schedule    what can be done at once
    layout      where everything lies, which makes groups of dots matrix products
    arrays      the instructions on NumPy's arrays
    pure        the instructions as a pure function, for JAX or any namespace with NumPy's functions
    native      the same graph on single numbers, compiled by numba
    interpreter the native code, written from the table
    lesson      the instructions as equations
    batches     arguments and results as trees: which arrays they consist of
    version     the passes in a row, for arguments of one structure
    program     a version for each structure, a machine for each version
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Any

if find_spec("numpy") is None:
    raise ModuleNotFoundError("autograd.compile needs NumPy: pip install numpy numba", name="numpy")

from autograd.compiler.program import MOST_TRACES, Program
from autograd.value import Value

__all__ = ["Program", "compile"]


def compile(
    f: Callable[..., Any],
    parameters: Iterable[Value] = (),
    *,
    example: Sequence[Any] | None = None,
    dtype: str = "float64",
    backend: str = "auto",
    traces: int = MOST_TRACES,
    flush: bool = False,
) -> Program:
    """Compile a scalar function of one example into a program for whole batches.

    Args:
        f: a function of numbers or trees of numbers (nested lists, tuples, dicts, dataclasses, NumPy arrays, pandas Series)
            that returns one `Value`, such as a loss, or a tree of them.  It is called with nodes that stand for any
            number; so a choice that depends on data has to be a `where`, a `maximum` or the like, and Python's ``if`` is
            refused.  For that call it borrows the parameters: no other thread may use them then.
        parameters: the leaves to differentiate with respect to.  Any other `Value` that f uses is a constant.
        example: arguments to trace f with at once, of which only the structures and shapes matter; then the program is for
            these, and refuses others, and other labels; a row of numbers may come as a list, a tuple or an array, and f gets
            the example's.  Without it, f is traced once for each structure and shape that the program meets.
        dtype: ``"float64"`` or ``"float32"``.
        backend: ``"numpy"``; ``"native"``, for small or unstructured work, which needs numba; or ``"auto"``, the faster of the
            two.  ``"pure"`` is the function of `Program.to_jax` on NumPy's arrays, which prepares nothing.
        traces: the largest number of structures and shapes to be kept compiled.
        flush: whether native code takes subnormal numbers, those below 2.2e-308, for 0, so that it computes a gradient that
            vanishes as fast as any other; processors may take ten times as long for such numbers.

    Raises:
        ValueError: for flush where the processor is not an x86.
        ModuleNotFoundError: without NumPy, or without numba where it was requested.
        TypeError: if f needs a number that depends on an input or a parameter, or draws random numbers; for a leaf that is not
            a number, by its path.

    >>> import numpy as np
    >>> from autograd import Value
    >>> w = Value(2.0, label="w")
    >>> program = compile(lambda x: w * x, [w])
    >>> program([1.0, 2.0, 3.0])
    array([2., 4., 6.])
    >>> program = compile(lambda p: {"sum": p["a"] + p["b"].sum()}, example=[{"a": 1.0, "b": np.zeros(2)}])
    >>> program({"a": [1.0, 2.0], "b": [[3.0, 4.0], [5.0, 6.0]]})
    {'sum': array([ 8., 13.])}

    Examples may differ in length, and a function may need no data:

    >>> compile(lambda x: w * sum(x))([[1.0], [2.0, 3.0]])
    array([ 2., 10.])
    >>> loss, gradient = compile(lambda: (w - 3) ** 2, [w]).gradient()
    >>> loss, gradient
    (1.0, array([-2.]))
    """
    return Program(f, parameters, example=example, dtype=dtype, backend=backend, traces=traces, flush=flush)
