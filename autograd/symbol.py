r"""A row of the table, read as a formula.

A `Symbol` stands for a number that is not known yet.  Since a rule never inspects its operands, calling it with symbols
returns its formula, which can be printed for people, in LaTeX, or as Python source.

>>> from autograd.primitives import maximum, tanh
>>> from autograd.writing import source
>>> x, out = Symbol("x"), Symbol("out")
>>> rule = tanh.partial(x, out)
>>> print(rule)
1 - out²
>>> rule.latex, source(rule)[0]
('1 - \\mathrm{out}^{2}', '1.0 - out * out')

A symbol may carry the number it stands for; then a rule with cases shows only the case that applies, and why:

>>> print(maximum.partial_x(Symbol("x", 4.0), Symbol("y", 2.0), Symbol("out", 4.0)))
1, since x > y
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from autograd.fixed import remembered
from autograd.lookups import hashed_here
from autograd.primitives import Nary, Operand, Primitive, absolute, maximum, where
from autograd.writing import LATEX, PLAIN, Style, expand, write

__all__ = ["RuleError", "Symbol", "as_symbol", "both", "either", "fill", "flows", "operand_names", "read_flow"]


class RuleError(TypeError):
    """A rule uses the number or the truth value of an operand, which a formula does not have."""


class Symbol(Operand):
    """A formula: a name, or a row of the table applied to other formulas and numbers.

    Args:
        name: how it is written; an empty name stands for a plain number, which is then `value`.
        value: the number it stands for, or None if it is not known.
        row, operands: the operation that computed it; a name has neither.
        given: the conditions under which a row with cases picked it.
    """

    level: int | None = None  # how tightly the name binds, in a subclass whose names are formulas
    __slots__ = ("given", "name", "operands", "row", "value")

    def __init__(
        self, name: str, value: float | None = None, row: Primitive | None = None, operands: Sequence[Any] = (),
        given: Sequence[Symbol] = (),
    ) -> None:  # fmt: skip
        self.name, self.value, self.row, self.operands, self.given = name, value, row, tuple(operands), tuple(given)

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Return the formula of `row` applied to `operands`; where a known condition picks an operand, that operand."""
        values = [x.value if isinstance(x, Symbol) else x for x in operands]
        if isinstance(row, Nary) and row.picks is not None and values[0] is not None:
            picked, condition = as_symbol(operands[row.picks(values[0])]), operands[0]
            given = (*picked.given, condition) if isinstance(condition, Symbol) else picked.given
            return Symbol(picked.name, picked.value, picked.row, picked.operands, given)
        value = None if None in values else row.evaluate([float(v) for v in values if v is not None])
        return Symbol.applied(row, operands, value)

    @classmethod
    def applied(cls, row: Primitive, operands: Sequence[Any], value: float | None = None) -> Symbol:
        """Return the formula of `row` applied to `operands`, even where a known condition would pick one of them."""
        return cls("", value, row, operands, [condition for x in operands if isinstance(x, Symbol) for condition in x.given])

    def __str__(self) -> str:
        return f"{self.text}, since {self.reason}" if self.reason else self.text

    def __repr__(self) -> str:
        return f"Symbol({self.text!r})"

    def written(self, style: Style) -> str:
        """Return the formula in a style such as `plain`, `numbers` or `latex`, without the conditions under which it holds."""
        return write(self, style)[0]

    def conditions(self, style: Style) -> list[str]:
        """Return the conditions under which the formula holds, each written in a style, without those of all finite numbers."""
        found = [_because(condition) for condition in self.given if condition.value or condition.row is None]
        return list(dict.fromkeys(_stated(condition, style) for condition in found if not _compares_with_infinity(condition)))

    @property
    def text(self) -> str:
        """The formula for people, without the conditions under which it holds."""
        return self.written(PLAIN)

    @property
    def reason(self) -> str:
        """The conditions under which this formula holds, as text."""
        return " and ".join(self.conditions(PLAIN))

    @property
    def latex(self) -> str:
        """The formula in LaTeX's mathematics mode."""
        return self.written(LATEX)

    def __array_ufunc__(self, ufunc: Any, *_: Any, **options: Any) -> NoReturn:
        raise TypeError(f"numpy.{ufunc.__name__} takes only numbers; in a rule use autograd's function of that name")

    def __bool__(self) -> bool:
        raise RuleError(f"a rule tests whether {self.text} is true; Python's if, and, or, max would freeze one case into it: "
                        "use where, maximum or minimum")  # fmt: skip

    def __float__(self) -> float:
        raise RuleError(f"a rule turns {self.text} into a float; use autograd's functions in a rule, not math's")

    __hash__ = hashed_here(lambda self: RuleError(f"a rule looks up {self.text} in a set or a dict; use where(…) and < or >"))


def as_symbol(formula: Any) -> Symbol:
    """Return a formula unchanged, or a plain number as a formula.

    >>> as_symbol(0.5).text
    '0.5'
    """
    return formula if isinstance(formula, Symbol) else Symbol("", float(formula))


def operand_names(row: Primitive, n: int) -> Sequence[str]:
    """Return the names of a row's n operands: x and y, or x0, x1, … where there may be more than two.

    >>> from autograd.primitives import dot, power
    >>> [*operand_names(power, 2)], operand_names(dot, 2)
    (['x', 'y'], ['x0', 'x1'])
    """
    return [f"x{i}" for i in range(n)] if isinstance(row, Nary) else "xy"[:n]


def _because(condition: Symbol) -> Symbol:
    """Return why a condition holds: the first alternative that does, if it is an "or", which rules write as a maximum."""
    if condition.row is maximum:
        holding = [each for each in map(as_symbol, condition.operands) if each.value == condition.value]
        return _because(holding[0]) if holding else condition  # none does for NaN
    return condition


def _stated(condition: Symbol, style: Style) -> str:
    """Return a condition as text: a comparison that holds, or whether a name is 0, which counts as false."""
    return condition.written(style) + ("" if condition.row else " ≠ 0" if condition.value else " = 0")


def _compares_with_infinity(condition: Symbol) -> bool:
    """Return whether a condition, such as x < ∞, separates only infinities from numbers."""
    return any(not isinstance(x, Symbol) and x == math.inf for x in condition.operands)


@remembered
def flows(row: Primitive, n: int) -> Sequence[Any]:
    """Return for each of n operands when a gradient flows to it: True, False, or a formula in the operands and `out`.

    Nothing flows where the rule *chooses* the plain number 0, as relu's does below 0.  Where a partial derivative is computed
    and happens to be 0, the gradient flows, so 0·∞ is NaN.  It also flows at a kink, where the slope is a convention.

    >>> from autograd.primitives import maximum, multiply, relu
    >>> flows(multiply, 2), flows(relu, 1)
    ((True, True), (Symbol('where(|x| > 0, where(x > 0, 1, where(x ≤ 0, 0, 1)), 1)'),))
    """
    symbols = [Symbol(name) for name in operand_names(row, n)]
    try:
        found = [_flow(rule) for rule in row.partials(symbols, Symbol("out"), range(n))]
        kink = None if row.kink is None else absolute(row.kink(*symbols)) > 0
    except Exception:  # a rule that takes only numbers has no formula; assume that the gradient always flows
        return (True,) * n
    return tuple([flow if kink is None or flow is True else where(kink, flow, True) for flow in found])


def read_flow(row: Primitive, i: int, operands: Sequence[Any], out: Any) -> Any:
    """Evaluate entry i of `flows` at operands: a bool at numbers, a node at nodes.

    >>> from autograd.primitives import relu
    >>> [read_flow(relu, 0, [x], max(x, 0.0)) for x in (-2.0, 0.0, 2.0)]
    [False, True, True]
    """
    n = len(operands)
    found = fill(flows(row, n)[i], {**dict(zip(operand_names(row, n), operands, strict=True)), "out": out})
    return found if hasattr(found, "__primitive__") else bool(found)


def both(one: Any, other: Any, times: Callable[[Any, Any], Any] = operator.mul) -> Any:
    """Return the condition that two conditions both hold.

    Args:
        one: True, False, or a node or symbol that is not 0 where it holds.
        other: the same.
        times: multiplies two nodes.

    >>> both(True, Symbol("x")), both(False, Symbol("x")), both(Symbol("x"), Symbol("y"))
    (Symbol('x'), False, Symbol('x·y'))
    """
    if one is True or other is False:
        return other
    return one if other is True or one is False else times(one, other)


def either(one: Any, other: Any, plus: Callable[[Any, Any], Any] = operator.add) -> Any:
    """Return the condition that at least one of two conditions holds; see `both`.

    >>> either(True, Symbol("x")), either(False, Symbol("x")), either(Symbol("x"), Symbol("y"))
    (True, Symbol('x'), Symbol('x + y'))
    """
    if one is True or other is False:
        return one
    return other if other is True or one is False else plus(one, other)


def fill(formula: Any, values: Mapping[str, Any]) -> Any:
    """Return a formula with its names replaced by numbers, nodes, or anything else that a row can be applied to.

    >>> fill(Symbol("x") * Symbol("y") + 1, {"x": 2.0, "y": 3.0})
    7.0
    """
    if not isinstance(formula, Symbol):
        return formula
    if formula.row is None:
        return values[formula.name] if formula.name else formula.value  # a constant of the rule
    return formula.row.apply([fill(x, values) for x in formula.operands])


def _flow(rule: Any) -> Any:
    """Return the condition under which a rule is not a chosen 0: True, False or a formula."""
    if not isinstance(rule, Symbol) or rule.row is None:
        return isinstance(rule, Symbol) or bool(rule != 0)
    row, operands = rule.row, rule.operands
    if row.is_condition:
        return rule
    if row.is_choice:
        flow, otherwise = map(_flow, operands[1:])
        return flow if flow is otherwise else where(operands[0], flow, otherwise)
    written = expand(row, operands)
    return not isinstance(written, Symbol) or written.row is row or _flow(written)
