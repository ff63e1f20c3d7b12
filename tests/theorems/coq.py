"""The table in Coq: formulas on symbols, written as terms over Coq's real numbers.

The idea: Coq is one more style of `autograd.writing.write`, beside text, LaTeX and Python.  So three tables suffice:
``NOTATION`` for the rows with a notation of their own, ``FUNCTIONS`` for Python's functions over the reals, and ``CONSTANTS``
for the numbers that a float can only round.  Any other row becomes a function named ``row_`` plus its name.

>>> from autograd.primitives import relu, tanh
>>> x, out = Symbol("x"), Symbol("out")
>>> term(tanh.partial(x, out)), term(relu.partial(x, out))
('1 - out * out', 'row_gate x')
>>> definition(relu, 1)
'choose (x >? 0) x (choose (x <=? 0) 0 x)'
>>> definition(primitives.log2, 1)
'ln x / ln 2'
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from autograd import primitives
from autograd.arithmetic import log_sum_exp
from autograd.primitives import Nary, Primitive, exp, log, total
from autograd.symbol import Symbol, operand_names
from autograd.writing import Style, expand, parts, write

__all__ = ["definition", "proposition", "rows_of", "term"]

SIGNS: Final = {sign: f" {sign} " for sign in "+-*/"} | {sign: f" {sign}? " for sign in ("<", "<=", ">", ">=")}
# A template that ends with a space binds less tightly than one that ends with an operand; `term` removes the spaces.
NOTATION: Final = {"positive": "{0}", "where": "choose {0} {1} {2} "}
# A float can only round these; the rules mean the exact numbers.  All that Coq knows about ∞ and NaN is that they are numbers:
# no proof can use them, so a proved rule does not choose them.
CONSTANTS: Final = {
    math.log(2): "(ln 2)", math.log(10): "(ln 10)", 2 / math.sqrt(math.pi): "(2 / sqrt PI)", math.inf: "infinity",
}  # fmt: skip
# The functions of Python's math over the reals: Coq's own, or definitions of library.py.
FUNCTIONS: Final[Mapping[Callable[..., Any], str]] = {
    math.exp: "exp x", math.exp2: "Rpower 2 x", math.expm1: "exp x - 1", math.pow: "power x y",
    math.log: "ln x", math.log2: "ln x / ln 2", math.log10: "ln x / ln 10", math.log1p: "ln (1 + x)",
    math.sin: "sin x", math.cos: "cos x", math.tan: "tan x", math.asin: "asin x", math.acos: "acos x", math.atan: "atan x",
    math.sinh: "sinh x", math.cosh: "cosh x", math.tanh: "tanh x",
    math.asinh: "arcsinh x", math.acosh: "arccosh x", math.atanh: "arctanh x", math.atan2: "arctan2 x y",
    math.sqrt: "sqrt x", math.cbrt: "cbrt x", math.hypot: "sqrt (x * x + y * y)", math.erf: "erf x",
    abs: "Rabs x", primitives.floor_divide.function: "floor (x / y)", primitives.remainder.function: "x - y * floor (x / y)",
    primitives.where.function: "choose x0 x1 x2",
}  # fmt: skip


def _number(x: float) -> str:
    if x in CONSTANTS:
        return CONSTANTS[x]
    if math.isnan(x):
        return "nan"
    numerator, denominator = x.as_integer_ratio()
    return str(numerator) if denominator == 1 else f"({numerator} / {denominator})"


def _template(row: Primitive) -> str:
    applied = " ".join([f"row_{row.name}", *map("{{{}}}".format, range(row.arity))])
    return NOTATION.get(row.name, "" if row.infix in SIGNS else f"{applied} ")


COQ: Final = Style(_number, SIGNS, _template)


def term(formula: Any, names: Mapping[str, str] | None = None) -> str:
    """Return a formula, or a number, as a Coq term of type R.

    Args:
        formula: the formula.
        names: Coq's name for each symbol; by default, the symbol's own.

    >>> x, y = Symbol("x"), Symbol("y")
    >>> term(-0.5 * x - primitives.hypot(x, y) ** 2)
    '(-1 / 2) * x - row_power (row_hypot x y) 2'
    """
    style = COQ if names is None else COQ._replace(name=lambda symbol: names[symbol.name])
    return re.sub(r" +(?=[ )]|$)", "", write(_on_reals(formula), style)[0])


def proposition(condition: Symbol) -> str:
    """Return a comparison as a Coq proposition.

    >>> proposition(Symbol("x") > 0)
    'x > 0'
    """
    return term(condition).replace("?", "")


def definition(row: Primitive, n: int) -> str:
    """Return the function of a row as a Coq term in the names of its n operands, from `FUNCTIONS` or the row's own formula.

    Raises:
        ValueError: for a function that takes only numbers and is not in `FUNCTIONS`.
    """
    if row.function in FUNCTIONS:
        return FUNCTIONS[row.function]
    return term(formula_of(row, n))


def formula_of(row: Primitive, n: int) -> Any:
    """Return a row's function as a formula."""
    symbols = [Symbol(name) for name in operand_names(row, n)]
    if row.function is log_sum_exp:
        return log(total(exp(x) for x in symbols))
    formula = expand(row, symbols)
    if formula is None:
        raise ValueError(
            f"the function of the row {row.name!r} takes only numbers, and FUNCTIONS does not say what it is in Coq"
        )
    return formula


def rows_of(row: Primitive, n: int) -> list[Primitive]:
    """Return the rows that a row's function applies."""
    formula = None if row.function in FUNCTIONS else formula_of(row, n)
    return [part.row for part in parts(formula) if part.row is not None and part.row is not row]


def _on_reals(formula: Any) -> Any:
    """Return a formula with its comparisons with ∞ decided: a real number is finite."""
    if not isinstance(formula, Symbol) or formula.row is None:
        return formula
    row, operands = formula.row, [_on_reals(x) for x in formula.operands]
    if row.is_condition and any(not isinstance(x, Symbol) and math.isinf(x) for x in operands):
        return row.evaluate([0.0 if isinstance(x, Symbol) else x for x in operands])
    if isinstance(row, Nary) and row.picks is not None and not isinstance(operands[0], Symbol):
        return operands[row.picks(operands[0])]
    return Symbol.applied(row, operands)
