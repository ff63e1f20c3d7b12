"""A row's function as operations of other rows, found by calling it on nodes that stand for any number.

A back end that has no implementation of a row computes these operations instead.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Sequence
from typing import NamedTuple

from autograd.compiler.tracing import Graph, Trace
from autograd.primitives import Primitive

__all__ = ["Definition", "definition", "expanded", "has_definition"]


class Definition(NamedTuple):
    """A row's function as operations that come one after the other.

    Attributes:
        constants: the places of numbers, and the numbers; the operands have the places from 0 on.
        steps: place, row and operands of each operation.
        result: the place of the result.
    """

    constants: dict[int, float]
    steps: list[tuple[int, Primitive, tuple[int, ...]]]
    result: int


@functools.cache
def definition(row: Primitive, n_operands: int) -> Definition:
    """Return what a row's function does.

    Raises:
        TypeError: for a row whose function works on numbers alone.

    >>> from autograd import sigmoid
    >>> for step in definition(sigmoid, 1).steps:
    ...     print(*step)
    1 <primitive negative> (0,)
    2 <primitive exp> (1,)
    4 <primitive add> (3, 2)
    5 <primitive divide> (3, 4)
    """
    try:
        trace = Trace(row.unguarded or row.function, [], [()] * n_operands)
    except TypeError as error:
        raise TypeError(f"{row!r} cannot be compiled, since its function works on numbers alone; write it with rows of the "
                        f"table, such as exp, or name NumPy's function with array=… and use the back end \"numpy\": "
                        f"{error}") from error  # fmt: skip
    graph, places = trace.graph.pruned(n_operands, trace.outputs)
    steps = [(i, made_of, graph.flat(i)) for i, made_of in enumerate(graph.rows) if made_of is not None]
    return Definition(graph.constants, steps, places[trace.outputs[0]])


def has_definition(row: Primitive, n_operands: int) -> bool:
    """Return whether a row can be taken apart."""
    try:
        definition(row, n_operands)
    except TypeError:
        return False
    return True


def expanded(graph: Graph, forward: int, known: Container[Primitive]) -> tuple[Graph, int, list[int]]:
    """Replace the rows that a machine does not know by the operations that they are made of.

    Args:
        graph: in canonical form.
        forward: the number of its nodes that the outputs need, which come first.
        known: the machine's rows.

    Returns:
        A graph of known rows, the number of its nodes that the outputs need, and where each node is in it.

    Raises:
        TypeError: for a row that is neither known nor made of rows.
    """
    found, places, ends = Graph(graph.parameters, graph.shapes), [*range(graph.n_leaves)], 0

    def enter(row: Primitive, operands: Sequence[int]) -> int:
        if row in known:
            return found.enter(row, operands)
        constants, steps, result = definition(row, len(operands))
        inner = {**dict(enumerate(operands)), **{i: found.constant(x) for i, x in constants.items()}}
        for i, made_of, its_operands in steps:
            inner[i] = enter(made_of, [inner[j] for j in its_operands])
        return inner[result]

    for i in range(graph.n_leaves, len(graph)):
        row = graph.rows[i]
        if row is not None:
            places.append(enter(row, [places[j] for j in graph.flat(i)]))
        elif graph.operands[i]:
            places.append(found.listed(tuple([places[j] for j in graph.operands[i]])))
        else:
            places.append(found.constant(graph.constants[i]))
        ends = len(found) if i < forward else ends
    return found, ends, places
