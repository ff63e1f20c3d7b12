r"""A row of the table, read as a formula.

A `Symbol` stands for a number that is not known yet.  Since a rule never inspects its operands, calling it with symbols
returns its formula, which can be printed for people, in LaTeX, or as Python source.

>>> from autograd.primitives import maximum, tanh
>>> x, out = Symbol("x"), Symbol("out")
>>> rule = tanh.partial(x, out)
>>> print(rule)
1 - out²
>>> rule.latex, rule.python
('1 - \\mathrm{out}^{2}', '1.0 - out * out')

A symbol may carry the number it stands for; then a rule with cases shows only the case that applies, and why:

>>> print(maximum.partial_x(Symbol("x", 4.0), Symbol("y", 2.0), Symbol("out", 4.0)))
1, as x > y
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from string import Formatter
from typing import Any, NamedTuple, NoReturn

from autograd.primitives import Nary, Operand, Primitive, absolute, where
from autograd.rows import TABLE

__all__ = [
    "RuleError", "Symbol", "as_symbol", "digits", "flows", "latex_name", "operand_name", "operand_names", "parts", "printable",
    "read_flow", "source",
]  # fmt: skip

COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)  # how tightly the outermost operation of a formula binds
LEVELS = {"<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
          "//": PRODUCT, "%": PRODUCT, "**": POWER}  # fmt: skip
ESCAPES = {**{c: "\\" + c for c in "#$%&_{}"}, "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
DIGITS = 5  # of a number that people read, unless another count is chosen
RAISED, LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
SUPERSCRIPTS, SUBSCRIPTS = str.maketrans("0123456789()", RAISED + "⁽⁾"), str.maketrans("0123456789", LOWERED)
LEVEL = str.maketrans(RAISED + "⁽⁾" + LOWERED, "0123456789()0123456789")
LONGEST_SUM = 6  # terms or arguments; more are written with an ellipsis


def digits(x: float, n: int = DIGITS) -> str:
    """Write a number for people: n significant digits, or ∞ or NaN; a zero has no sign.

    >>> digits(0.7615941559557649), digits(3.0), digits(float("-inf")), digits(1e-12), digits(0.76159, 3)
    ('0.76159', '3', '-∞', '1e-12', '0.762')
    """
    return f"{x + 0.0:.{n}g}".replace("inf", "∞").replace("nan", "NaN")


def printable(text: str) -> str:
    """Return text with line breaks and other invisible characters escaped as in Python."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def latex_name(name: str) -> str:
    r"""Write a name in LaTeX: words upright, what follows an underscore below, the number of a layer above.

    >>> print(latex_name("w_h"), latex_name("net_o"), latex_name("v12"), latex_name("w⁽¹⁾₀₂"), latex_name("50% & more"))
    w_{h} \mathrm{net}_{o} v_{12} w^{(1)}_{02} \text{50\% \& more}
    """
    if re.fullmatch(r"-?[\d.∞]+(e[-+]?\d+)?", name):
        return name.replace("∞", r"\infty")
    # Possessive quantifiers, so that a match takes linear time.
    parts = re.fullmatch(rf"([^\W\d_{RAISED}{LOWERED}]++)(⁽[{RAISED}]++⁾)?_?([\w,]*+)(′*+|\[\d+\])", name)
    if parts is None or "_" in parts[3]:
        return rf"\text{{{''.join(ESCAPES.get(c, c) for c in printable(name))}}}"
    letters, layer, below, last = parts.groups()
    base = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
    above = f"^{{{layer.translate(LEVEL)}}}" if layer else ""
    return base + above + (f"_{{{below.translate(LEVEL)}}}" if below else "") + last.replace("′", "'")


def latex_number(x: float, n: int = DIGITS) -> str:
    r"""Write a number in LaTeX.

    >>> print(latex_number(-0.25), latex_number(1.5e-07), latex_number(float("-inf")), latex_number(float("nan")))
    -0.25 1.5 \cdot 10^{-7} -\infty \text{NaN}
    """
    mantissa, e, exponent = digits(x, n).partition("e")
    if e:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return mantissa.replace("∞", r"\infty").replace("NaN", r"\text{NaN}")


class Style(NamedTuple):
    """A way of writing formulas: how it writes numbers, operators, names and the rows that have a template."""

    number: Callable[[float], str]
    signs: dict[str, str]
    template: Callable[[Primitive], str]
    square: str = ""
    name: Callable[[Symbol], str] = operator.attrgetter("name")
    calls: dict[str, Primitive] | None = None  # for Python source only: collects the rows that it calls, by name
    tex: bool = False
    scale: str = ""  # the sign between a number and what it multiplies, where that is another one


@functools.cache
def plain(n: int = DIGITS) -> Style:
    """Return the style of formulas as text, their constants to n significant digits."""
    signs = {"+": " + ", "-": " - ", "*": "·", "/": " / ", "**": "^", "<=": " ≤ ", ">=": " ≥ "}
    return Style(lambda x: digits(x, n), signs, lambda row: row.text, "{}²")


@functools.cache
def numbers(n: int = DIGITS) -> Style:
    """Return the style of formulas as text with numbers put in the place of names.

    >>> write(Symbol("w", 0.5) * Symbol("x", -2.0), numbers())[0]
    '0.5·(-2)'
    """
    return plain(n)._replace(name=lambda symbol: symbol.name if symbol.value is None else digits(symbol.value, n))


@functools.cache
def latex(n: int = DIGITS) -> Style:
    """Return the style of formulas in LaTeX's mathematics mode."""
    signs = {"*": r" \cdot ", "%": r" \bmod ", "<=": r" \leq ", ">=": r" \geq "}
    return Style(lambda x: latex_number(x, n), signs, lambda row: row.latex, "{}^{{2}}", lambda x: latex_name(x.name), tex=True)


PLAIN, LATEX = plain(), latex()


class RuleError(TypeError):
    """A rule uses the number or the truth value of an operand, which a formula does not have."""


class Symbol(Operand):
    """A formula: a name, or a row of the table applied to other formulas and numbers.

    Args:
        name: how it is written; an empty name stands for a plain number, which is then `value`.
        value: the number it stands for, or None if it is not known.
    """

    level: int | None = None  # how tightly the text of a name binds, if not as a name does
    __slots__ = ("given", "name", "operands", "row", "value")

    def __init__(self, name: str, value: float | None = None) -> None:
        self.name, self.value = name, value
        self.row: Primitive | None = None
        self.operands: tuple[Any, ...] = ()
        self.given: tuple[Symbol, ...] = ()

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Return the formula of `row` applied to `operands`; where a known condition picks an operand, that operand."""
        values = [x.value if isinstance(x, Symbol) else x for x in operands]
        if isinstance(row, Nary) and row.picks is not None and values[0] is not None:
            return as_symbol(operands[row.picks(values[0])])._because(operands[0])
        value = None if None in values else row.evaluate([float(v) for v in values if v is not None])
        return Symbol.applied(row, operands, value)

    @classmethod
    def applied(cls, row: Primitive, operands: Sequence[Any], value: float | None = None) -> Symbol:
        """Return the formula of `row` applied to `operands` as it stands, whatever its conditions are."""
        formula = cls("", value)
        formula.row, formula.operands = row, tuple(operands)
        formula.given = tuple(condition for x in operands if isinstance(x, Symbol) for condition in x.given)
        return formula

    def _because(self, condition: Any) -> Symbol:
        twin = Symbol(self.name, self.value)
        twin.row, twin.operands = self.row, self.operands
        twin.given = (*self.given, condition) if isinstance(condition, Symbol) else self.given
        return twin

    def __str__(self) -> str:
        return f"{self.text}, as {self.reason}" if self.reason else self.text

    def __repr__(self) -> str:
        return f"Symbol({self.text!r})"

    def written(self, style: Style) -> str:
        """Return the formula in a style such as `plain`, `numbers` or `latex`, without the conditions under which it holds."""
        return write(self, style)[0]

    def conditions(self, style: Style) -> list[str]:
        """Return the conditions under which the formula holds, each in a style."""
        return list(dict.fromkeys(condition.written(style) for condition in self.given if condition.value))

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

    @property
    def python(self) -> str:
        """The formula as a Python expression, see `source`."""
        return source(self)[0]

    def __array_ufunc__(self, ufunc: Any, *_: Any, **options: Any) -> NoReturn:
        raise TypeError(f"numpy.{ufunc.__name__} takes only numbers; in a rule use autograd's function of that name")

    def __bool__(self) -> bool:
        raise RuleError(f"a rule tests whether {self.text} is true; Python's if, and, or, max would freeze one case into it: "
                        "use where, maximum or minimum")  # fmt: skip

    def __float__(self) -> float:
        raise RuleError(f"a rule turns {self.text} into a float; use autograd's functions in a rule, not math's")


def as_symbol(formula: Any) -> Symbol:
    """Return a formula unchanged, or a plain number as a formula.

    >>> as_symbol(0.5).text
    '0.5'
    """
    return formula if isinstance(formula, Symbol) else Symbol("", float(formula))


def source(formula: Any) -> tuple[str, dict[str, Primitive]]:
    """Return a formula as a Python expression over floats, and the rows that it calls, by name.

    Rows made of other rows are written out, down to those whose function takes only numbers.  A user's row is called by a
    generated name, since its own may be another row's.

    >>> from autograd.primitives import relu, tanh
    >>> source(relu(Symbol("x")))
    ('(x if (x > 0.0) else (0.0 if (x <= 0.0) else x))', {})
    >>> source(tanh(Symbol("x")))
    ('tanh(x)', {'tanh': <primitive tanh>})
    """
    calls: dict[str, Primitive] = {}
    text, _ = write(formula, Style(lambda x: repr(float(x)), {}, lambda row: row.code, calls=calls))
    row = formula.row if isinstance(formula, Symbol) else None
    return f"(1.0 if {text} else 0.0)" if row is not None and row.is_condition else text, calls


def operand_names(n: int) -> Sequence[str]:
    """Return the names of n operands in a row's rules: x and y, or x0, x1, … for more than two."""
    return ("x", "y")[:n] if n <= 2 else [f"x{i}" for i in range(n)]


def operand_name(row: Primitive, i: int) -> str:
    """Return the name of an operand of a row in reports: x and y, or x0, x1, … where there may be more than two.

    >>> from autograd.primitives import dot, power, tanh
    >>> operand_name(tanh, 0), operand_name(power, 1), operand_name(dot, 1)
    ('x', 'y', 'x1')
    """
    return f"x{i}" if isinstance(row, Nary) else "xy"[i]


@functools.lru_cache(maxsize=1024)
def flows(row: Primitive, n: int) -> Sequence[Any]:
    """Return for each of n operands when a gradient flows to it: True, False, or a formula in the operands and `out`.

    Nothing flows where the rule *chooses* the plain number 0, as relu's does below 0.  Where a partial derivative is computed
    and happens to be 0, the gradient flows, so 0·∞ is NaN.  It also flows at a kink, where the slope is a convention.

    >>> from autograd.primitives import maximum, multiply, relu
    >>> flows(multiply, 2), flows(relu, 1)
    ((True, True), (Symbol('where(|x| > 0, where(x > 0, 1, where(x ≤ 0, 0, 1)), 1)'),))
    """
    symbols = [Symbol(name) for name in operand_names(n)]
    try:
        found = [_flow(rule) for rule in row.partials(symbols, Symbol("out"), range(n))]
        kink = None if row.kink is None else absolute(row.kink(*symbols)) > 0
    except Exception:  # a rule that takes only numbers has no formula; assume that the gradient always flows
        return (True,) * n
    return tuple([flow if kink is None or flow is True else where(kink, flow, True) for flow in found])


def read_flow(flow: Any, operands: Sequence[Any], out: Any) -> Any:
    """Evaluate an entry of `flows` at operands: a bool at numbers, a node at nodes.

    >>> from autograd.primitives import relu
    >>> [read_flow(flows(relu, 1)[0], [x], max(x, 0.0)) for x in (-2.0, 0.0, 2.0)]
    [False, True, True]
    """
    found = put_in(flow, {**dict(zip(operand_names(len(operands)), operands, strict=True)), "out": out})
    return found if hasattr(found, "__primitive__") else bool(found)


def put_in(formula: Any, values: Mapping[str, Any]) -> Any:
    """Return a formula with its names replaced by numbers, nodes, or anything else that a row can be applied to.

    >>> put_in(Symbol("x") * Symbol("y") + 1, {"x": 2.0, "y": 3.0})
    7.0
    """
    if not isinstance(formula, Symbol):
        return formula
    if formula.row is None:
        return values[formula.name] if formula.name else formula.value  # a number of the rule
    return formula.row.apply([put_in(x, values) for x in formula.operands])


def _flow(rule: Any) -> Any:
    """Return when a rule is not a chosen 0: True, False or a condition."""
    if not isinstance(rule, Symbol) or rule.row is None:
        return isinstance(rule, Symbol) or rule != 0
    row, operands = rule.row, rule.operands
    if row.is_condition:
        return rule
    if isinstance(row, Nary) and row.picks is not None:
        flow, otherwise = map(_flow, operands[1:])
        return flow if flow is otherwise else where(operands[0], flow, otherwise)
    written = expand(row, operands)
    return not isinstance(written, Symbol) or written.row is row or _flow(written)


def parts(formula: Any) -> Iterator[Symbol]:
    """Go through a formula and all its parts; a square's base, which is written once, counts once."""
    waiting = [formula]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Symbol):
            yield part
            squared = len(part.operands) == 2 and part.operands[0] is part.operands[1]
            waiting.extend(part.operands[: 1 if squared else None])


def write(formula: Any, style: Style) -> tuple[str, int]:
    """Return a formula as text, and how tightly its outermost operation binds."""
    if not isinstance(formula, Symbol):
        return _write_number(formula, style)
    row, operands = formula.row, formula.operands
    if row is None:
        if not formula.name and formula.value is not None:
            return _write_number(formula.value, style)
        text = style.name(formula)
        return text, (SIGN if text.startswith("-") else ATOM) if formula.level is None else formula.level
    if isinstance(row, Nary) and row.expands:
        return _write_sum(list(_terms(expand(row, operands)))[::-1], style)
    if style.calls is not None:
        formula = expand(row, operands)
        if isinstance(formula, Symbol) and formula.row is not row:
            return write(formula, style)
        if not row.code and (formula is None or not row.infix):
            return _call(row, operands, style), ATOM
    if template := style.template(row):
        binding = POWER if "^" in template else ATOM if template.endswith((")", "]", "}", "|")) else SIGN
        return _fill(template, operands, style), LEVELS.get(row.infix, binding)
    if row.infix:
        return _write_infix(row.infix, operands, style)
    return _call(row, operands, style), ATOM


def expand(row: Primitive, operands: Sequence[Any]) -> Any:
    """Return a row's function as a formula over rows, or None where it takes only numbers, as math.tanh does.

    >>> from autograd.primitives import softplus
    >>> expand(softplus, [Symbol("x")]).text
    'maximum(x, 0) + log1p(exp(-|x|))'
    """
    try:
        return row.function(*operands)
    except Exception:  # whatever a function of numbers does with a symbol
        return None


def _write_number(x: float, style: Style) -> tuple[str, int]:
    text = style.number(x)
    return text, SIGN if text.startswith("-") else PRODUCT if r"\cdot" in text else ATOM


def _terms(formula: Any) -> Iterator[Any]:
    """Iterate over the terms of a sum, the last one first."""
    while isinstance(formula, Symbol) and formula.row is not None and formula.row.infix == "+" and len(formula.operands) == 2:
        formula, last = formula.operands
        yield last
    yield formula


def _write_sum(terms: Sequence[Any], style: Style) -> tuple[str, int]:
    shown = [_signed(_parenthesised(term, SUM, style), i) for i, term in enumerate(terms)]
    if len(shown) > LONGEST_SUM and style.calls is None:
        shown[2:-2] = [r"\cdots" if style.tex else "…"]
    return (" + ".join(shown), SUM if len(shown) > 1 else PRODUCT) if shown else (style.number(0.0), ATOM)


def _write_infix(sign: str, operands: Sequence[Any], style: Style) -> tuple[str, int]:
    written = style.signs.get(sign, f" {sign} ")
    if len(operands) == 1:
        text = _parenthesised(operands[0], SIGN, style)
        return sign + ("(0)" if sign + text == "-0" else _signed(text, 1)), SIGN  # nobody writes -0
    x, y = operands
    if sign == "*" and x is y and style.square:
        return style.square.format(_base(x, style)), POWER
    if sign == "**":
        if not style.tex and style.calls is None and not isinstance(y, Symbol) and y in range(10):
            return _base(x, style) + str(int(y)).translate(SUPERSCRIPTS), POWER
        return _base(x, style) + written + _parenthesised(y, SIGN, style), POWER
    level = LEVELS[sign]
    if sign == "*" and style.scale and not isinstance(x, Symbol):
        written = style.scale
    return _parenthesised(x, max(level, SUM), style) + written + _signed(_parenthesised(y, level + 1, style), 1), level


def _base(formula: Any, style: Style) -> str:
    """Return the base of a power as text; TeX refuses a second superscript, so there braces enclose the first."""
    text = _parenthesised(formula, ATOM, style)
    return f"{{{text}}}" if style.tex and "^" in text and not text.startswith(r"\left") else text


def _signed(text: str, place: int) -> str:
    """Put a term with a minus sign into parentheses, unless it comes first."""
    return f"({text})" if place and text.startswith("-") else text


def _parenthesised(formula: Any, level: int, style: Style) -> str:
    """Return a formula as text, in parentheses if it binds less tightly than `level`."""
    text, binding = write(formula, style)
    if binding >= level:
        return text
    return rf"\left({text}\right)" if style.tex else f"({text})"


def _fill(template: str, operands: Sequence[Any], style: Style) -> str:
    """Put operands into a template; after an opening bracket or bar they need no parentheses of their own."""
    parts, pieces = [], [(literal, place) for literal, place, _, _ in Formatter().parse(template)]
    for (literal, place), (following, _) in zip(pieces, [*pieces[1:], ("", None)], strict=True):
        parts.append(literal)
        if place is not None:
            x, enclosed = operands[int(place)], "".join(parts).endswith(("(", "[", "{", "|"))
            is_base = following.startswith("^")
            parts.append(_base(x, style) if is_base else _parenthesised(x, COMPARE if enclosed else ATOM, style))
    return "".join(parts)


def _call(row: Primitive, operands: Sequence[Any], style: Style) -> str:
    shown = [write(x, style)[0] for x in operands]
    if len(shown) > LONGEST_SUM and style.calls is None:
        shown[2:-1] = [r"\ldots" if style.tex else "…"]
    name = rf"\operatorname{{{row.name}}}".replace("_", r"\_") if style.tex else row.name
    if style.calls is not None:
        known = [name for name, called in style.calls.items() if called is row]
        name = known[0] if known else row.name if TABLE.get(row.name) is row else f"row{len(style.calls)}"
        style.calls[name] = row
    return f"{name}({', '.join(shown)})"
