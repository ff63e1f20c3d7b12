"""The Jacobian of all outputs, as a program whose outputs are its entries.

Each output has a backward pass of its own.  It ends where the gradient is the constant 0, such as below a comparison, unless a
slope may be infinite, because 0·∞ is NaN.  So the entries that are 0 at every point are known from the trace, and only the
others are computed.

>>> from autograd.compiler.tracing import Trace
>>> trace = Trace(lambda x: [x[0] * x[1], 3 * x[1], x[2] > 0], [], [(3,)])
>>> found = jacobian(trace.graph, trace.outputs, "inputs")
>>> found.rows, found.columns
([0, 0, 1], [0, 1, 1])
>>> print(found.passes.graph, found.passes.outputs)
0: x0
1: x1
2: x2
3: 3.0 [1, 0, 3]
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from autograd.compiler.backward import Backward, Gradients, Passes, risks
from autograd.compiler.canonical import LEARNS, Canonical
from autograd.compiler.layout import Array
from autograd.compiler.tracing import Graph

__all__ = ["OF", "Jacobian", "assembled", "jacobian"]

OF: Final = ("parameters", "inputs")


class Jacobian(NamedTuple):
    """The entries of a Jacobian that may be other than 0.

    Attributes:
        passes: a program whose outputs are the entries, row by row.
        rows: the output that each entry is a derivative of.
        columns: the parameter, or the number in the arguments, that it is a derivative with respect to.
        shape: the numbers of outputs and of parameters, or of outputs and of numbers in the arguments.
    """

    passes: Passes
    rows: list[int]
    columns: list[int]
    shape: tuple[int, int]

    def dense(self, entries: Array, namespace: Any = np) -> Array:
        """Return the Jacobians [batch×outputs×n] that have these entries [entries×batch], by NumPy's functions or JAX's."""
        zero = namespace.zeros((1, entries.shape[1]), dtype=entries.dtype)
        where = np.full(self.shape, len(self.rows))  # the place of each entry; the zero comes after them all
        where[self.rows, self.columns] = range(len(self.rows))
        return namespace.take(namespace.concatenate([entries, zero]).T, where, axis=1)

    def csr(self, entries: Array) -> Any:
        """Return the Jacobians as one sparse matrix [batch·outputs×n]."""
        batch, (m, n) = entries.shape[1], self.shape
        ends = np.cumsum(np.tile(np.bincount(np.array(self.rows, np.intp), minlength=m), batch))
        parts = entries.T.reshape(-1), np.tile(np.array(self.columns, np.intp), batch), np.concatenate([[0], ends])
        return importlib.import_module("scipy.sparse").csr_array(parts, shape=(batch * m, n))


def assembled(runs: Sequence[tuple[Sequence[int], Jacobian, Array]], of: str, sparse: bool) -> Any:
    """Return the Jacobians of all examples, in their order.

    Args:
        runs: for the examples of each structure their places, the Jacobian, and its entries [entries×batch].
        of: ``"parameters"`` or ``"inputs"``.
        sparse: whether to return a sparse matrix.

    Raises:
        ValueError: if they do not fit into one array.
    """
    if len({found.shape for _, found, _ in runs}) > 1 or (len(runs) > 1 and of == "inputs"):
        raise ValueError("the examples have different structures, so that their Jacobians do not fit into one array; "
                         "compute them one structure after the other")  # fmt: skip
    if len(runs) == 1:
        return runs[0][1].csr(runs[0][2]) if sparse else runs[0][1].dense(runs[0][2])
    order = np.argsort(np.concatenate([places for places, _, _ in runs]))
    if not sparse:
        return np.concatenate([found.dense(entries) for _, found, entries in runs])[order]
    stacked = importlib.import_module("scipy.sparse").vstack([found.csr(entries) for _, found, entries in runs], "csr")
    return stacked[np.arange(stacked.shape[0]).reshape(len(order), -1)[order].reshape(-1)]


def jacobian(graph: Graph, outputs: Sequence[int], of: str) -> Jacobian:
    """Return the derivatives of outputs with respect to all parameters or all numbers of the arguments.

    Args:
        graph: the computation.
        outputs: the nodes to differentiate.
        of: ``"parameters"`` or ``"inputs"``.
    """
    form = Canonical(graph, of)
    outputs = form.add(graph, outputs)
    n = len(graph.parameters)
    leaves = range(n) if of == "parameters" else range(n, graph.n_leaves)
    node_risks = risks(form, max(outputs))
    entries: list[tuple[int, int, int]] = []  # for each its row and column, and its node
    for row, y in enumerate(outputs):
        backward = Backward(form, y, node_risks)
        backward.through_operations(_below(form, y), past_zeros=False)
        for leaf in sorted(leaf for leaf in {*backward.terms, *backward.member} if leaf in leaves):
            entry = backward.gradient(leaf)
            if form.constants.get(entry) != 0:
                entries.append((row, leaf - leaves.start, entry))
    rows, columns, nodes = ([entry[k] for entry in entries] for k in range(3))
    pruned, places = form.pruned(graph.n_leaves, nodes)
    passes = Passes(pruned, len(pruned), [places[i] for i in nodes], Gradients())
    return Jacobian(passes, rows, columns, (len(outputs), len(leaves)))


def _below(form: Canonical, y: int) -> list[int]:
    """Return y and the nodes below it that depend on a leaf to differentiate with respect to, in descending order."""
    found, todo = {y}, [y]
    while todo:
        below = {j for j in form.operands[todo.pop()] if j >= form.n_leaves and form.depends[j] & LEARNS}
        todo += below - found
        found |= below
    return sorted(found, reverse=True)
