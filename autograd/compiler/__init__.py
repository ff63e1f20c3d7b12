"""From scalars to matrices.

Write a loss with scalars, for one example.  `compile` writes down once what it does, finds the matrices in it, and replays it
for whole batches at the speed of hand-written NumPy.

    tracing     the function as plain data
    canonical   sums gathered: `total` and `dot`; the same operation once
    backward    its gradient, by the rules of the table, as more of the same graph
    jacobians   the derivatives of all outputs, as a graph of their own
    schedule    what can be done at once
    layout      where everything lies, which makes groups of dots matrix products
    arrays      the instructions on NumPy's arrays
    native      the same graph on single numbers, compiled by numba
    lesson      the instructions as equations
    batches     arguments and results as trees: which arrays they consist of
    version     the passes in a row, for arguments of one shape
    program     a version for each shape, a machine for each version
"""

from importlib.util import find_spec

if find_spec("numpy") is None:
    raise ModuleNotFoundError("autograd.compile needs NumPy: pip install numpy numba", name="numpy")

from autograd.compiler.program import Program, compile

__all__ = ["Program", "compile"]
