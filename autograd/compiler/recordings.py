"""The functions and rules of rows, recorded as operations of other rows that can be repeated anywhere.

A back end that has no implementation of a row computes the operations of its *definition* instead.

A user's row may read something that changes, such as a temperature in a variable (see `autograd.fixed`).  A program keeps the
values that its function read when it was compiled, and the same has to hold for rows: the graph gets *frozen* rows, with the
same names, that repeat the operations which the row's functions and rules did then.  A part that cannot be recorded, because it
takes only numbers, stays as it is.

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

__all__ = ["Recording", "definition", "expanded", "freeze", "frozen"]

FUNCTIONS: Final = ("function", "unguarded")
RULES: Final = ("partial", "partial_x", "partial_y", "gradient")


class Recording:
    """The operations that a function of numbers did, in order; recordings of the same operations are equal.

    Args:
        f: a row's function, or a rule.
        n: the number of its arguments.
        is_gradient: whether f takes all arguments but the last as one tuple, and returns a sequence.

    Attributes:
        constants: numbers, by place; the arguments have the places from 0 on.
        steps: place, row and operands of each operation.
        results: the places of the results.

    Raises:
        Exception: whatever f raises where it needs numbers.
    """

    def __init__(self, f: Callable[..., Any], n: int, *, is_gradient: bool = False) -> None:
        trace = Trace(lambda *nodes: list(f(nodes[:-1], nodes[-1])) if is_gradient else [f(*nodes)], [], [()] * n)
        freeze(trace.graph)
        graph, places = trace.graph.pruned(n, trace.outputs)
        self.constants, self.is_gradient, self.results = graph.constants, is_gradient, [places[i] for i in trace.outputs]
        self.steps = [(i, row, graph.flat(i)) for i, row in enumerate(graph.rows) if row is not None]
        self._key = repr(self.constants), (*self.steps,), (*self.results,)  # by repr, because NaN does not equal itself

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
        """Repeat the operations with functions that apply a row and turn a number into an operand; return the results."""
        values = {**dict(enumerate(arguments)), **{i: constant(x) for i, x in self.constants.items()}}
        for i, row, operands in self.steps:
            values[i] = apply(row, [values[j] for j in operands])
        return [values[i] for i in self.results]


@functools.cache
def definition(row: Primitive, n_operands: int) -> Recording:
    """Return the recording of a row's function.

    Raises:
        TypeError: for a row whose function works only on numbers.

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
        raise TypeError(f"{row!r} cannot be compiled, since its function works only on numbers; write it with rows of the "
                        f"table, such as exp, or name NumPy's function, as in array=\"tanh\", and use the back end \"numpy\": "
                        f"{error}") from error  # fmt: skip


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
    found, places, n_forward = Graph(graph.parameters, graph.shapes), [*range(graph.n_leaves)], 0

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
        if i < forward:
            n_forward = len(found)
    return Passes(found, n_forward, [places[i] for i in outputs], gradients.moved(places))


def freeze(graph: Graph) -> None:
    """Replace the rows of a graph that may change with frozen ones."""
    changing = {row for row in {*graph.rows} if row is not None and not is_fixed(row)}
    if not changing:
        return
    twins = functools.cache(frozen)
    for i, row in enumerate(graph.rows):
        if row in changing:
            graph.rows[i] = twins(row, len(graph.operands[i]))


def frozen(row: Primitive, n: int) -> Primitive:
    """Return a copy of a row, for n operands, that does what the row does now, whatever becomes of the variables it reads."""
    parts: dict[str, Recording] = {}
    for name in (*FUNCTIONS, *RULES):
        part: Any = getattr(row, name, None)
        with contextlib.suppress(Exception):  # it is None, or takes only numbers
            parts[name] = Recording(part, n + (name in RULES), is_gradient=name == "gradient")
    return _twin(row, *parts.items())


@functools.lru_cache(maxsize=4096)
def _twin(row: Primitive, *parts: tuple[str, Recording]) -> Primitive:
    """Return a copy of a row with other parts; equal parts give the same copy."""
    return replace(row, **dict[str, Any](parts))
