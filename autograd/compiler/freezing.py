"""A user's rows as they are when a function is compiled.

A row may read what changes, such as a temperature in a variable (see `autograd.fixed`).  A program is made of what its function
reads when it is compiled, and so it is with rows: their functions and rules are traced, and the graph gets rows that repeat the
traces, with the same names.  A part that cannot be traced, as it takes only numbers, stays itself.

>>> from autograd import Unary
>>> T = 2.0
>>> cool = Unary("cool", lambda x: x / T, lambda x, out: 1 / T)
>>> row = frozen(cool, 1)
>>> T = 5.0
>>> row, row(6.0), row.partials([6.0], 3.0, [0]), cool(6.0)
(<primitive cool>, 3.0, [0.5], 1.2)
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from autograd.compiler.tracing import Graph, Trace
from autograd.fixed import is_fixed
from autograd.primitives import Primitive

__all__ = ["freeze", "frozen"]

FUNCTIONS: Final = ("function", "unguarded")
RULES: Final = ("partial", "partial_x", "partial_y", "gradient")


class Recording:
    """A function of numbers, nodes, symbols or arrays that repeats what another one did; two that do the same are equal.

    Args:
        f: a row's function or a rule.
        n: the number of its arguments.
        is_gradient: whether all but the last are one argument of f, and its results a sequence.

    Raises:
        Exception: what f raises where it needs numbers.
    """

    def __init__(self, f: Callable[..., Any], n: int, is_gradient: bool) -> None:
        trace = Trace(lambda *nodes: list(f(nodes[:-1], nodes[-1])) if is_gradient else [f(*nodes)], [], [()] * n)
        freeze(trace.graph)
        self.graph, self.outputs, self.is_gradient = trace.graph, trace.outputs, is_gradient
        self._key = (*self.graph.rows,), (*self.graph.operands,), repr(self.graph.constants), (*self.outputs,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recording) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __call__(self, *arguments: Any) -> Any:
        """Return what f would return."""
        graph, values = self.graph, [*arguments[0], *arguments[1:]] if self.is_gradient else [*arguments]
        for i in range(graph.n_leaves, len(graph)):
            row = graph.rows[i]
            values.append(graph.constants.get(i) if row is None else row.apply([values[j] for j in graph.flat(i)]))
        found = [values[i] for i in self.outputs]
        return found if self.is_gradient else found[0]


def freeze(graph: Graph) -> None:
    """Put frozen rows in the place of those in a graph that may change."""
    changing = {row for row in {*graph.rows} if row is not None and not is_fixed(row)}
    twins = functools.cache(frozen)
    for i, row in enumerate(graph.rows) if changing else ():
        if row in changing:
            graph.rows[i] = twins(row, len(graph.operands[i]))


def frozen(row: Primitive, n: int) -> Primitive:
    """Return a row of n operands that does what the row does now, whatever it reads later."""
    parts: dict[str, Recording] = {}
    for name in (*FUNCTIONS, *RULES):
        part: Any = getattr(row, name, None)
        with contextlib.suppress(Exception):  # it is None, or takes only numbers
            parts[name] = Recording(part, n + (name in RULES), name == "gradient")
    return _twin(row, n, *parts.items())


@functools.lru_cache(maxsize=4096)
def _twin(row: Primitive, n: int, *parts: tuple[str, Recording]) -> Primitive:
    """Return a row with other parts: the same again is the same row."""
    return replace(row, **dict[str, Any](parts))
