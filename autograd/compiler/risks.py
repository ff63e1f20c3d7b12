"""Where a partial derivative may be infinite or not a number, so that a compiled gradient has to keep its choices.

A compiled program refuses no number: where the eager engine would stop at log(-2), it goes on with NaN, and 0·NaN would spoil
the gradient of a branch that was not taken.  But a mask on every contribution would cost plain networks their matrices.  So
each row is tried at a few numbers of the signs that its operands can have: ``sqrt(total(squares) + 1e-5)`` is never at the edge
of its domain, and needs no mask.

>>> from autograd.compiler.tracing import Trace
>>> from autograd.value import topological
>>> order = topological(Trace(lambda x: x.log() + (x * x + 1).log() + x.sqrt(), [], [()]).result)
>>> risk = risks(order)
>>> [(node.primitive.name, risk(node)) for node in order if risk(node) or node.primitive.domain]
[('log', 1), ('log', 0), ('sqrt', 2)]
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from autograd import primitives
from autograd.primitives import DomainError, Nary, Primitive
from autograd.symbol import Symbol
from autograd.value import Value

__all__ = ["risks"]

Sign: TypeAlias = frozenset[int]
ANY: Final[Sign] = frozenset((-1, 0, 1))
TRIED: Final = {-1: (-1.5, -0.5), 0: (0.0,), 1: (0.5, 1.5)}
LARGE: Final = {-1: (-1000.0,), 0: (), 1: (1000.0,)}


def risks(order: Sequence[Value]) -> Callable[[Value], int]:
    """Return the function that says what a node's partial derivatives risk; see `autograd.transforms.risk`."""
    signs: dict[Value, Sign] = {}
    undefined: set[Value] = set()  # nodes whose number may be NaN where a branch is not taken
    found: dict[Value, int] = {}
    for node in order:
        row = node.primitive
        assert row is not None
        kinds = tuple([signs.get(x, ANY) if isinstance(x, Value) else x for x in node.operands])
        signs[node] = _sign(row, kinds, len(set(node.operands)) == 1)
        danger, fails = _danger(row, kinds) if len(kinds) < 3 else (0, False)
        inherits = any(x in undefined for x in node.inputs)
        if fails or inherits:
            undefined.add(node)
        found[node] = max(danger, inherits and not _has_constant_rules(row, min(len(kinds), 3)))
    return lambda node: found.get(node, 0)


def _sign(row: Primitive, kinds: tuple[Any, ...], is_same: bool) -> Sign:
    """Return the signs that a row's result can have, from the signs or the number of each operand."""
    if not isinstance(row, Nary):
        return _sign_of_few(row, kinds, is_same)
    if row.picks is not None:
        return functools.reduce(frozenset.union, [_sign_of_few(primitives.positive, (kind,), False) for kind in kinds[1:]])
    n = len(kinds) // 2
    pairs = zip(kinds[:n], kinds[n : 2 * n], strict=True) if row is primitives.dot else ()
    terms = itertools.chain((_sign_of_few(primitives.multiply, pair, False) for pair in pairs), kinds[2 * n * bool(pairs) :])
    total: Any = None
    for term in terms if row.expands else (ANY,):
        total = term if total is None else _sign_of_few(primitives.add, (total, term), False)
        if total == ANY:
            break
    return ANY if total is None else total


@functools.cache
def _sign_of_few(row: Primitive, kinds: tuple[Any, ...], is_same: bool) -> Sign:
    found: set[int] = set()
    for data in _points(kinds, TRIED):
        if is_same and len(set(data)) > 1:
            continue
        try:
            out = float(row.evaluate(data))
        except DomainError:
            continue
        found |= ANY if math.isnan(out) else {(out > 0) - (out < 0)}
    return frozenset(found) or ANY


@functools.cache
def _danger(row: Primitive, kinds: tuple[Any, ...]) -> tuple[int, bool]:
    """Return what a row of one or two operands risks, and whether it may have no value."""
    large = {sign: TRIED[sign] + LARGE[sign] for sign in TRIED}
    points = [
        *_points(kinds, large),
        *(p for p in row.singular if all(_is_possible(x, k) for x, k in zip(p, kinds, strict=True))),
    ]
    danger, fails = 0, False
    for data in points:
        try:
            out = float(row.evaluate(data))
        except DomainError:
            danger, fails = max(danger, 1), True
            continue
        if not all(
            map(math.isfinite, row.partials(data, out, [i for i, kind in enumerate(kinds) if isinstance(kind, frozenset)]))
        ):
            danger = max(danger, 2 if math.isfinite(out) else 1)
    return danger, fails


def _points(kinds: Sequence[Any], tried: dict[int, tuple[float, ...]]) -> Any:
    columns = [[x for sign in sorted(kind) for x in tried[sign]] if isinstance(kind, frozenset) else [kind] for kind in kinds]
    return itertools.product(*columns)


def _is_possible(x: float, kind: Any) -> bool:
    return ((x > 0) - (x < 0)) in kind if isinstance(kind, frozenset) else x == kind


@functools.cache
def _has_constant_rules(row: Primitive, n: int) -> bool:
    """Whether a row's partial derivatives are numbers whatever its operands are."""
    try:
        return not any(
            isinstance(rule, Symbol) for rule in row.partials([Symbol(f"x{i}") for i in range(n)], Symbol("out"), range(n))
        )
    except Exception:  # a rule for numbers alone
        return False
