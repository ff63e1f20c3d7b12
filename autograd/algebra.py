"""Products and sums of formulas, written as a person would write them.

>>> x, y = Symbol("x"), Symbol("y")
>>> added([product([x, x]), product([-x, y, as_symbol(2.0)])]).text
'x² - 2·x·y'
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from autograd.symbol import Symbol, as_symbol

__all__ = ["added", "merged", "product"]


def product(factors: Sequence[Symbol]) -> Symbol:
    """Multiply formulas; numbers and signs are collected in front, and a product with 0 is 0.

    >>> product([Symbol("x") * 2, -Symbol("y"), as_symbol(0.5)]).text
    '-x·y'
    """
    coefficient, others = _collected(factors)
    if not others or coefficient == 0:
        return as_symbol(coefficient or 0.0)  # not -0
    runs = [list(run) for _, run in groupby(others, _structure)]  # equal factors in a row become a power
    others = [run[0] if len(run) == 1 else run[0] ** len(run) for run in runs]
    out: Any = -others[0] if coefficient == -1 else others[0] if coefficient == 1 else coefficient * others[0]
    return as_symbol(functools.reduce(operator.mul, others[1:], out))


def _collected(factors: Sequence[Symbol]) -> tuple[float, list[Any]]:
    """Return the product of the numbers and signs among the factors of some formulas, and the other factors in order."""
    coefficient, others = 1.0, list[Any]()
    waiting: list[Any] = [*reversed(factors)]
    while waiting:
        factor = as_symbol(waiting.pop())
        row, operands = factor.row, factor.operands
        if row is None and not factor.name and factor.value is not None:
            coefficient *= factor.value
        elif row is not None and row.infix == "*":
            waiting.extend(reversed(operands))
        elif _is_negated(factor):
            coefficient = -coefficient
            waiting.append(operands[0])
        elif row is not None and row.infix == "/" and _is_negated(operands[0]):
            coefficient = -coefficient
            others.append(operands[0].operands[0] / operands[1])
        else:
            others.append(factor)
    return coefficient, others


def _is_negated(formula: Any) -> bool:
    return isinstance(formula, Symbol) and formula.row is not None and formula.row.infix == "-" and len(formula.operands) == 1


def merged(terms: Sequence[Symbol]) -> Symbol:
    """Add formulas; equal ones are written once, with their number in front, and 0 is left out beside others.

    >>> merged([Symbol("x"), as_symbol(0.0), Symbol("y"), Symbol("x")]).text
    '2·x + y'
    """
    keys = list(map(_structure, terms))
    times, first = Counter(keys), dict(zip(reversed(keys), reversed(terms), strict=True))
    counted = [first[key] if n == 1 else product([as_symbol(float(n)), first[key]]) for key, n in times.items()]
    return added([term for term in counted if _collected([term])[0] != 0] or counted[:1])


def added(terms: Sequence[Symbol]) -> Symbol:
    """Add formulas; one with a minus sign is subtracted.

    >>> added([Symbol("a"), -Symbol("b"), as_symbol(-1.0)]).text
    'a - b - 1'
    """
    out, *rest = terms
    for term in rest:
        coefficient, others = _collected([term])
        out = out - product([as_symbol(-coefficient), *others]) if coefficient < 0 else out + term
    return out


def _structure(formula: Any) -> Any:
    """Return a formula as nested tuples, equal only for equal formulas; two long ones that differ may have the same text."""
    formula = as_symbol(formula)
    return (formula.row, *map(_structure, formula.operands)) if formula.row is not None else (formula.name, formula.value)
