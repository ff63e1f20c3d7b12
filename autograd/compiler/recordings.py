"""What rows do, written down: their functions and rules as operations of other rows, repeated wherever they are needed.

A back end that has no implementation of a row computes the operations of its *definition* instead.

A user's row may read what changes, such as a temperature in a variable (see `autograd.fixed`).  A program is made of what its
function reads when it is compiled, and so it is with rows: the graph gets *frozen* rows, with the same names, that repeat what
the functions and rules of the row did then.  A part that cannot be recorded, as it takes only numbers, stays itself.

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
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from autograd.compiler.backward import Passes
from autograd.compiler.tracing import Graph, Trace
from autograd.fixed import is_fixed
from autograd.primitives import Primitive

__all__ = ["Recording", "definition", "expanded", "freeze", "frozen", "is_made_of"]

FUNCTIONS: Final = ("function", "unguarded")
RULES: Final = ("partial", "partial_x", "partial_y", "gradient")


class Recording:
    """What a function of numbers did, as operations that come one after the other; two that do the same are equal.

    Args:
        f: a row's function, or a rule.
        n: the number of its arguments.
        is_gradient: whether all but the last are one argument of f, and its results a sequence.

    Attributes:
        constants: the places of numbers, and the numbers; the arguments have the places from 0 on.
        steps: place, row and operands of each operation.
        results: the places of the results.

    Raises:
        Exception: what f raises where it needs numbers.
    """

    def __init__(self, f: Callable[..., Any], n: int, *, is_gradient: bool = False) -> None:
        trace = Trace(lambda *nodes: list(f(nodes[:-1], nodes[-1])) if is_gradient else [f(*nodes)], [], [()] * n)
        freeze(trace.graph)
        graph, places = trace.graph.pruned(n, trace.outputs)
        self.constants, self.is_gradient, self.results = graph.constants, is_gradient, [places[i] for i in trace.outputs]
        self.steps = [(i, row, graph.flat(i)) for i, row in enumerate(graph.rows) if row is not None]
        self._key = repr(self.constants), (*self.steps,), (*self.results,)  # by repr, as NaN is not itself

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recording) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __call__(self, *arguments: Any) -> Any:
        """Return what f would return for numbers, nodes, symbols or arrays."""
        if self.is_gradient:
            return self.repeated([*arguments[0], *arguments[1:]], Primitive.apply)
        return self.repeated(arguments, Primitive.apply)[0]

    def repeated(
        self, arguments: Sequence[Any], apply: Callable[[Primitive, list[Any]], Any], constant: Callable[[float], Any] = float
    ) -> list[Any]:
        """Return the results, from a function that applies a row and one that makes an operand of a number."""
        values = {**dict(enumerate(arguments)), **{i: constant(x) for i, x in self.constants.items()}}
        for i, row, operands in self.steps:
            values[i] = apply(row, [values[j] for j in operands])
        return [values[i] for i in self.results]


@functools.cache
def definition(row: Primitive, n_operands: int) -> Recording:
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
        return Recording(row.unguarded or row.function, n_operands)
    except TypeError as error:
        raise TypeError(f"{row!r} cannot be compiled, since its function works on numbers alone; write it with rows of the "
                        f"table, such as exp, or name NumPy's function, as in array=\"tanh\", and use the back end \"numpy\": "
                        f"{error}") from error  # fmt: skip


@functools.lru_cache(maxsize=4096)
def is_made_of(known: frozenset[Primitive | None], row: Any, n_operands: int) -> bool:
    """Return whether a row is known, or made of known rows."""
    if row in known:
        return True
    try:
        steps = definition(row, n_operands).steps
    except TypeError:
        return False
    return all(is_made_of(known, inner, len(operands)) for _, inner, operands in steps)


def expanded(passes: Passes, known: frozenset[Primitive | None]) -> Passes:
    """Return a program in which the rows that a machine does not know are replaced by the operations they are made of.

    Args:
        passes: the program.
        known: the machine's rows, and None.

    Raises:
        TypeError: for a row that is neither known nor made of known rows.
    """
    graph, forward, outputs, gradients = passes
    if known.issuperset(graph.rows):
        return passes
    found, places, ends = Graph(graph.parameters, graph.shapes), [*range(graph.n_leaves)], 0

    def enter(row: Primitive, operands: Sequence[int]) -> int:
        if row in known:
            return found.enter(row, operands)
        return int(definition(row, len(operands)).repeated(operands, enter, found.constant)[0])

    for i in range(graph.n_leaves, len(graph)):
        row = graph.rows[i]
        if row is not None:
            places.append(enter(row, [places[j] for j in graph.flat(i)]))
        elif graph.operands[i]:
            places.append(found.listed(tuple([places[j] for j in graph.operands[i]])))
        else:
            places.append(found.constant(graph.constants[i]))
        ends = len(found) if i < forward else ends
    return Passes(found, ends, [places[i] for i in outputs], gradients.moved(places))


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
            parts[name] = Recording(part, n + (name in RULES), is_gradient=name == "gradient")
    return _twin(row, n, *parts.items())


@functools.lru_cache(maxsize=4096)
def _twin(row: Primitive, n: int, *parts: tuple[str, Recording]) -> Primitive:
    """Return a row with other parts: the same again is the same row."""
    return replace(row, **dict[str, Any](parts))
