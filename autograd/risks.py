"""Finds where a partial derivative may be infinite or NaN, so that the graph of a gradient has to keep its choices.

A graph may be replayed at other numbers, or run by a compiled program, which continues with NaN where the eager engine raises
an error, as at log(-2).  There 0·∞ would spoil the gradient of a branch that is not taken.  But with a mask on every
contribution, plain networks could not be compiled to products of matrices.  So each row is evaluated at a few numbers of each
sign that its operands can have: ``sqrt(total(squares) + 1e-5)`` is never at the edge of its domain, and needs no mask.

>>> from autograd.value import Value, topological
>>> x = Value(2.0)
>>> order = topological(x.log() + (x * x + 1).log() + x.sqrt())
>>> risk = risks(order)
>>> [(node.primitive.name, risk(node)) for node in order if risk(node) or node.primitive.domain]
[('log', 1), ('log', 0), ('sqrt', 2)]
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from autograd import primitives
from autograd.primitives import DomainError, Nary, Primitive
from autograd.symbol import Symbol
from autograd.value import Value

__all__ = ["ANY", "risk_of", "risks", "risks_of"]

Sign: TypeAlias = frozenset[int]
ANY: Final[Sign] = frozenset((-1, 0, 1))
SIZES: Final = (1e-9, 3.0, 5.0, 1000.0)  # at 3 the cosine is negative, at 5 the sine, and both are odd exponents


def risks(order: Sequence[Value]) -> Callable[[Value], int]:
    """Return the function that gives the risk of a node's partial derivatives: 0, 1 or 2.

    The risk is 2 if they may be infinite at a finite value of the node, like sqrt's at 0; 1 if they may be infinite or NaN only
    where the value or an operand is, like those of w·log(x); else 0.
    """
    nodes = [(node, node.primitive, node.operands) for node in order if node.primitive is not None]
    found = risks_of({(row, len(operands)) for _, row, operands in nodes}, nodes, {})
    return lambda node: found.get(node, 0)


def risks_of(
    kinds: Iterable[tuple[Primitive, int]],
    nodes: Iterable[tuple[Any, Primitive, Sequence[Any]]],
    constants: Mapping[Any, float],
) -> dict[Any, int]:
    """Return the risk of each node's partial derivatives where it is not 0; see `risks`.

    Args:
        kinds: the rows of the nodes, with their numbers of operands; most have no risk, and then no node is looked at.
        nodes: in the order of computation, each with its row and its operands: nodes, leaves or floats.
        constants: the numbers of the leaves that are constant.
    """
    if not any(itertools.starmap(may_fail, kinds)):
        return {}
    signs: dict[Any, Any] = dict(constants)
    tainted: set[Any] = set()  # nodes that may be NaN, or infinite, or have an infinite slope in a branch that is not taken
    large: set[Any] = set()  # those of them that may only be infinite, by overflow
    found: dict[Any, int] = {}

    def kind(x: Any) -> Any:
        return x if isinstance(x, float) else signs.get(x, ANY)

    for node, row, operands in nodes:
        signs[node] = sign_of(row, operands, kind)
        may_have_risk = len(operands) < 3 or not row.is_in_table  # a row of the table with more has no risk of its own
        risk, fails = risk_of(row, tuple(map(kind, operands))) if may_have_risk else (0, False)
        tainted_operands = tainted.intersection(operands)
        if row is primitives.dot:
            tainted_operands -= large  # masks would cost the matrices of every network with an exponential in it
        if tainted_operands:
            used = used_by_rules(row, len(operands))
            risk = max(risk, int(any(operands[i] in tainted_operands for i in used)))
            fails = fails or not tainted_operands <= large
        if fails or risk or tainted_operands:
            tainted.add(node)
            if not fails and risk < 2:
                large.add(node)
        if risk:
            found[node] = risk
    return found


def sign_of(row: Primitive, operands: Sequence[Any], kind: Callable[[Any], Any]) -> Sign:
    """Return the signs that a row's result can have.

    Args:
        row: of the table, or a user's.
        operands: what it is applied to.
        kind: returns the signs or the number of an operand.
    """
    if not row.is_in_table:
        return ANY
    if not isinstance(row, Nary):
        return sign_of_few(row, tuple(map(kind, operands)), len(set(operands)) == 1)
    if row.is_choice:
        return frozenset().union(*[sign_of_few(primitives.positive, (kind(x),), False) for x in operands[1:]])
    if not row.expands:
        return ANY
    n = len(operands) // 2 if row is primitives.dot else 0
    factors = zip(operands[:n], operands[n : 2 * n], strict=True)
    products = (sign_of_few(primitives.multiply, (kind(a), kind(b)), len({a, b}) == 1) for a, b in factors)
    terms = itertools.chain(products, map(kind, operands[2 * n :]))
    partial_sum: Any = next(terms, ANY)
    for term in terms:
        if partial_sum == ANY:
            break
        partial_sum = sign_of_few(primitives.add, (partial_sum, term), False)
    return partial_sum if isinstance(partial_sum, frozenset) else ANY


@functools.lru_cache(maxsize=4096)
def sign_of_few(row: Primitive, kinds: tuple[Any, ...], is_same: bool) -> Sign:
    """Return the signs that the result of a row of few operands can have, found by sampling; see `sign_of`."""
    found: set[int] = set()
    for data in _points(kinds):
        if not is_same or len(set(data)) == 1:
            try:
                out = float(row.evaluate(data))
            except DomainError:
                continue
            found |= ANY if math.isnan(out) else {(out > 0) - (out < 0)}
    return frozenset(found) if found and found != {-1, 1} else ANY  # between values of both signs there may be a 0


@functools.lru_cache(maxsize=4096)
def risk_of(row: Primitive, kinds: tuple[Any, ...]) -> tuple[int, bool]:
    """Return the risk of the rules of a row of one or two operands, see `risks`, and whether the row may be undefined."""
    if not row.is_in_table:  # a few points are no evidence about a user's row
        return 2, True
    singular = (point for point in row.singular if all(map(_is_possible, point, kinds)))
    which = [i for i, kind in enumerate(kinds) if isinstance(kind, frozenset)]
    risk, fails = 0, False
    if row is primitives.power and isinstance(kinds[1], float) and _is_possible(0.0, kinds[0]):
        risk = int(not kinds[1].is_integer())  # x**1.5 has an infinite second derivative at 0; no other row hides that
    for data in itertools.chain(_points(kinds), singular):
        try:
            out = float(row.evaluate(data))
            finite = all(map(math.isfinite, row.partials(data, out, which)))
        except DomainError:
            risk, fails = max(risk, 1), True
            continue
        risk = max(risk, 0 if finite else 2 if math.isfinite(out) else 1)
    return risk, fails


@functools.cache
def may_fail(row: Primitive, n: int) -> bool:
    """Return whether the risk of a row of n operands can be other than 0."""
    return not row.is_in_table or (n < 3 and risk_of(row, (ANY,) * n)[0] > 0)


def _points(kinds: Sequence[Any]) -> Iterator[tuple[float, ...]]:
    # For a constant c also ±c/2 and ±2c, because x - 4 may have any sign.
    constants = [abs(x) for x in kinds if not isinstance(x, frozenset) and 0 < abs(x) < math.inf]
    sizes = {*SIZES, *[size for c in constants for size in (c / 2, c * 2)]}
    return itertools.product(
        *[{sign * x for sign in kind for x in sizes} if isinstance(kind, frozenset) else [kind] for kind in kinds]
    )


def _is_possible(x: float, kind: Any) -> bool:
    return ((x > 0) - (x < 0)) in kind if isinstance(kind, frozenset) else x == kind


@functools.cache
def used_by_rules(row: Primitive, n: int) -> frozenset[int]:
    """Return the places of the operands on whose values a row's partial derivatives depend."""
    symbols = [Symbol(f"x{i}") for i in range(n)]
    try:
        waiting = row.partials(symbols, Symbol("out"), range(n))
    except Exception:  # a rule that takes only numbers has no formula, and may use all of them
        return frozenset(range(n))
    used: set[int] = set()
    while waiting:
        formula = waiting.pop()
        if isinstance(formula, Symbol):
            waiting.extend(formula.operands)
            used |= set(range(n)) if formula.name == "out" else {i for i, x in enumerate(symbols) if x is formula}
    return frozenset(used)
