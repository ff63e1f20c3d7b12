"""From scalars to matrices.

Write the loss of one example with scalars.  `compile` traces it once, finds the matrices in it, and replays it for whole
batches at the speed of hand-written NumPy.

    tracing     the function as plain data
    recordings  the functions and rules of rows as operations of other rows, to expand a row or to freeze it
    canonical   one form for every sum: `total` or `dot`; equal operations become one node
    backward    the gradient, by the rules of the table, as more nodes of the same graph
    jacobians   the derivatives of all outputs, as a graph of their own
    schedule    groups of nodes that can be computed at once
    layout      a slot for every number, so that groups of dots become matrix products
    arrays      the instructions on NumPy's arrays
    pure        the instructions as a pure function, for JAX or any namespace with NumPy's functions
    native      the same graph on single numbers, compiled by numba
    interpreter the native code, written from the table
    lesson      the instructions as equations
    names       what equations call parameters and results
    labels      what their labels have in common, for these names
    parts       names for parts of arrays
    batches     arguments and results as trees of arrays
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
            number, so a choice that depends on data has to be a `where`, a `maximum` or the like; Python's ``if`` raises an
            error.  The call borrows the parameters: no other thread may use them meanwhile.
        parameters: the leaves to differentiate with respect to.  The program has their numbers in an array of its own,
            `Program.parameters`; once those of the `Value`s have changed, `pull` reads them.  Any other `Value` that f uses is
            a constant; once its number has changed, the program refuses to run.  So for two networks, one of which is trained,
            list both.
        example: arguments to trace f with immediately; only their structures, shapes and labels matter, and the program then
            accepts no others.  Numbers in a row may be passed as a list, a tuple or an array; f always gets the example's kind.
            Without an example, f is traced once for each structure and shape that the program meets.
        dtype: ``"float64"`` or ``"float32"``.
        backend: ``"numpy"``; ``"native"``, for small or unstructured work, which needs numba; or ``"auto"``, the faster of the
            two.  ``"pure"`` runs the function of `Program.to_jax` on NumPy's arrays, without any preparation.
        traces: the largest number of compiled structures and shapes to keep.
        flush: whether native code treats subnormal numbers as 0: those below 2.2e-308, or 1.2e-38 in float32.  Processors may
            take ten times as long for them, and vanishing gradients are full of them.

    Raises:
        ValueError: for flush where the processor is not an x86.
        ModuleNotFoundError: without NumPy.
        ImportError: from the first run, if ``"native"`` was requested and numba is not installed or does not work.
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
