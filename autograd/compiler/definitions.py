"""What a row is made of: its function, read on nodes that stand for any number.

A back end that has no word of its own for a row does what the row's function does.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from autograd.compiler.schedule import below
from autograd.compiler.tracing import Graph, Trace
from autograd.primitives import Primitive

__all__ = ["Definition", "definition", "has_definition"]


class Definition(NamedTuple):
    """A row's function as a graph, the nodes of it that the result depends on, in order, and which one the result is."""

    graph: Graph
    nodes: list[int]
    result: int


@functools.cache
def definition(row: Primitive, n_operands: int) -> Definition:
    """Return what a row's function does.

    Raises:
        TypeError: for a row whose function works on numbers alone.

    >>> from autograd import sigmoid
    >>> print(definition(sigmoid, 1).graph)
    0: x
    1: negative(0)
    2: exp(1)
    3: 1.0
    4: add(3, 2)
    5: divide(3, 4)
    """
    try:
        trace = Trace(row.unguarded or row.function, [], [()] * n_operands)
    except TypeError as error:
        raise TypeError(f"{row!r} cannot be compiled, since its function works on numbers alone; write it with rows of the "
                        f"table, such as exp, or name NumPy's function with array=… and use the back end \"numpy\": "
                        f"{error}") from error  # fmt: skip
    return Definition(trace.graph, sorted(below(trace.graph, [trace.result.place])), trace.result.place)


def has_definition(row: Primitive, n_operands: int) -> bool:
    """Say whether a row can be taken apart."""
    try:
        definition(row, n_operands)
    except TypeError:
        return False
    return True
