"""The Jacobian of all outputs, as a program whose outputs are its entries.

*Index sets* are one more reading of the table: in place of a number, each node has the set of leaves that it depends on.  The
result of a row has the sets of its operands, except those whose rule is the number 0.  So the entries that are 0 at every
point are known from the trace, and only the others are computed.

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

Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 7, where index sets are index domains.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from autograd.compiler.backward import Backward, Gradients, Passes, risks, template
from autograd.compiler.canonical import Canonical
from autograd.compiler.layout import Array
from autograd.compiler.tracing import Graph
from autograd.primitives import Primitive, dot, total

__all__ = ["OF", "Jacobian", "assembled", "jacobian"]

OF: Final = ("parameters", "inputs")
SUMS: Final = {dot, total}  # which depend on all of their operands, however many


class Jacobian(NamedTuple):
    """The entries of a Jacobian that may be other than 0.

    Attributes:
        passes: a program whose outputs are the entries, row by row.
        rows: the output that each entry is a derivative of.
        columns: the parameter, or the number of the arguments, that it is a derivative with respect to.
        shape: outputs × parameters, or numbers of the arguments.
    """

    passes: Passes
    rows: list[int]
    columns: list[int]
    shape: tuple[int, int]

    def dense(self, entries: Array) -> Array:
        """Return the Jacobians [batch×outputs×n] that have these entries [entries×batch]."""
        found = np.zeros((*self.shape, entries.shape[1]), entries.dtype)
        found[self.rows, self.columns] = entries
        return np.ascontiguousarray(np.moveaxis(found, 2, 0))

    def csr(self, entries: Array) -> Any:
        """Return them as one sparse matrix [batch·outputs×n]."""
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
    sets, risk = index_sets(form.graph, leaves), risks(form.graph, max(outputs))
    rows: list[int] = []
    columns: list[int] = []
    entries: list[int] = []
    for row, y in enumerate(outputs):
        found = Backward(form, y, risk)
        found.through_operations(_below(form.graph, y, sets))
        for leaf in _members(sets[y], leaves):
            entry = found.gradient(leaf)
            if form.graph.constants.get(entry) != 0:
                rows.append(row)
                columns.append(leaf - leaves.start)
                entries.append(entry)
    pruned, places = form.graph.pruned(graph.n_leaves, entries)
    passes = Passes(pruned, len(pruned), [places[i] for i in entries], Gradients())
    return Jacobian(passes, rows, columns, (len(outputs), len(leaves)))


def index_sets(graph: Graph, leaves: range) -> list[int]:
    """Return for each node the set of leaves that it depends on, as the bits of a number.

    >>> from autograd.compiler.tracing import Trace
    >>> trace = Trace(lambda x: x[0] * x[2] + (x[1] > 0), [], [(3,)])
    >>> [f"{s:03b}" for s in index_sets(trace.graph, range(3))]
    ['001', '010', '100', '101', '000', '000', '101']
    """
    sets = [0] * graph.n_leaves
    for i in leaves:
        sets[i] = 1 << (i - leaves.start)
    for i in range(graph.n_leaves, len(graph)):
        row, operands, found = graph.rows[i], graph.operands[i], 0
        for k in range(len(operands)) if row is None or row in SUMS else _matter(row, len(operands)):
            found |= sets[operands[k]]
        sets.append(found)
    return sets


@functools.cache
def _matter(row: Primitive, n: int) -> list[int]:
    """Return which of n operands a row depends on: those whose rule is not the number 0."""
    steps, edges = template(row, (None,) * n, (True,) * n, False)
    return [k for k, partial, _ in edges if partial <= n or steps[partial - n - 1] != (0.0, None)]


def _below(graph: Graph, y: int, sets: Sequence[int]) -> list[int]:
    """Return y and the nodes below it that depend on a leaf, in descending order."""
    found, todo = {y}, [y]
    while todo:
        fresh = {j for j in graph.operands[todo.pop()] if j >= graph.n_leaves and sets[j] and j not in found}
        found |= fresh
        todo += fresh
    return sorted(found, reverse=True) if y >= graph.n_leaves else []


def _members(bits: int, leaves: range) -> Iterator[int]:
    """Iterate over the leaves of a set, in ascending order."""
    while bits:
        low = bits & -bits
        yield leaves.start + low.bit_length() - 1
        bits ^= low
