r"""Writes formulas, names and numbers: for people, in LaTeX, and as Python.

A formula is a number, a name, or a row of the table applied to formulas; see `autograd.symbol`.  It is written from inside out:
`write` returns a text together with how tightly its outermost operation binds, which is all that an operation around it needs
to know to set parentheses.

>>> from autograd.symbol import Symbol
>>> a, b = Symbol("a"), Symbol("b")
>>> write((a + b) * a / b, plain())[0], write(a - (a - b), plain())[0], source(a / (b * b))[0]
('(a + b)·a / b', 'a - (a - b)', 'a / (b * b)')

A `Style` holds what differs between the languages; the shared code, above all for parentheses, is written once.
"""

from __future__ import annotations

import functools
import inspect
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from string import Formatter
from typing import Any, NamedTuple

from autograd.arithmetic import NOT_COMPUTED
from autograd.primitives import Nary, Operand, Primitive

__all__ = [
    "DIGITS", "LEVELS", "PLAIN", "Style", "call", "digits", "escaped", "expand", "latex", "latex_name", "latex_number",
    "numbers", "parts", "plain", "printable", "read_template", "source", "strict", "takes_list", "write",
]  # fmt: skip

COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)  # how tightly the outermost operation of a formula binds
LEVELS = {"<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
          "//": PRODUCT, "%": PRODUCT, "**": POWER}  # fmt: skip
ESCAPES = {
    **{c: "\\" + c for c in "#$%&_{}"}, "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
DIGITS = 5  # significant digits of numbers for people, by default
RAISED, LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
SUPERSCRIPTS, SUBSCRIPTS = str.maketrans("0123456789()", RAISED + "⁽⁾"), str.maketrans("0123456789", LOWERED)
UNSHIFTED = str.maketrans(RAISED + "⁽⁾" + LOWERED, "0123456789()0123456789")  # to characters on the line
BRACKETS = re.compile(r"\([^()]*\)|\[[^][]*\]|\{[^{}]*\}|\|[^|]*\|")
NOT_IN_JSON = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
LONGEST_SUM = 6  # terms or arguments; more are written with an ellipsis


def digits(x: float, n: int = DIGITS) -> str:
    """Write a number for people: n significant digits, or ∞ or NaN; a zero has no sign.

    >>> digits(0.7615941559557649), digits(3.0), digits(float("-inf")), digits(1e-12), digits(0.76159, 3)
    ('0.76159', '3', '-∞', '1e-12', '0.762')
    """
    return f"{x + 0.0:.{n}g}".replace("inf", "∞").replace("nan", "NaN")


def strict(x: Any) -> Any:
    """Return a float as strict JSON can hold it, ±∞ and NaN as text that JavaScript and Python convert to these numbers.

    Anything else is returned unchanged.

    >>> strict(0.5), strict(float("-inf")), strict(float("nan")), strict("rule")
    (0.5, '-Infinity', 'NaN', 'rule')
    """
    return NOT_IN_JSON.get(repr(float(x)), x) if isinstance(x, float) else x


def printable(text: str) -> str:
    """Return text with line breaks and other invisible characters escaped as in Python."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escaped(text: str) -> str:
    """Escape the characters that LaTeX interprets, and those that its old fonts show as others, such as < as ¡."""
    return "".join(ESCAPES.get(c, c) for c in text)


def latex_name(name: str) -> str:
    r"""Write a name in LaTeX: words upright, the text after an underscore lowered, a power or the number of a layer raised.

    >>> print(latex_name("w_h"), latex_name("net_o"), latex_name("w⁽¹⁾₀₂′"), latex_name("σ²"), latex_name("50% & more"))
    w_{h} \mathrm{net}_{o} w^{(1)\prime}_{02} σ^{2} \text{50\% \& more}
    """
    # Possessive quantifiers, so that a match takes linear time.
    indices = rf"([^\W\d_{RAISED}{LOWERED}]++)(⁽[{RAISED}]++⁾)?_?((?:[^\W{RAISED}]|,)*+)([{RAISED}]*+)(′*+)(\[\d+\])?"
    match = re.fullmatch(indices, name)
    if match is None or "_" in match[3] or (match[2] and match[4]):
        return rf"\text{{{escaped(printable(name))}}}"
    letters, layer, below, power, primes, place = match.groups("")
    base = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
    above, below = (layer + power).translate(UNSHIFTED), below.translate(UNSHIFTED)
    if above:  # a prime is a superscript too, and TeX refuses a second one
        above, primes = above + primes.replace("′", r"\prime"), ""
    superscript, subscript = f"^{{{above}}}" if above else "", f"_{{{below}}}" if below else ""
    return base + superscript + subscript + primes.replace("′", "'") + place


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
    """A language for formulas.

    Attributes:
        number: writes a number.
        signs: the signs that differ from Python's, with the spaces around them, by Python's operator.
        template: returns a row's template in this language, or an empty string.
        square: the template of x·x, where it has one.
        name: writes the name of a symbol.
        calls: for Python source only, collects the rows that it calls, by name.
        tex: whether this is LaTeX.
        scale: the sign between a number and the factor that follows it, where it differs from that of other products.
    """

    number: Callable[[float], str]
    signs: dict[str, str]
    template: Callable[[Primitive], str]
    square: str = ""
    name: Callable[[Any], str] = operator.attrgetter("name")
    calls: dict[str, Primitive] | None = None
    tex: bool = False
    scale: str = ""


class Place(NamedTuple):
    """The place of an operand in a template: which one, how tightly it has to bind, and whether it is the base of a power."""

    operand: int
    binding: int
    is_base: bool


@functools.cache
def plain(n: int = DIGITS) -> Style:
    """Return the style of formulas as text, their constants to n significant digits."""
    signs = {"+": " + ", "-": " - ", "*": "·", "/": " / ", "**": "^", "<=": " ≤ ", ">=": " ≥ "}
    return Style(lambda x: digits(x, n), signs, lambda row: row.text, "{}²")


@functools.cache
def numbers(n: int = DIGITS) -> Style:
    """Return the style of formulas as text, with numbers in place of names.

    >>> from autograd.symbol import Symbol
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


def source(formula: Any) -> tuple[str, dict[str, Primitive]]:
    """Return a formula as a Python expression over floats, and the rows that it calls, by name.

    Rows made of other rows are written out, down to those whose function takes only numbers.  A user's row is called by a
    generated name, because another row may have the same name.

    >>> from autograd.primitives import relu, tanh
    >>> from autograd.symbol import Symbol
    >>> source(relu(Symbol("x")))
    ('(x if (x > 0.0) else (0.0 if (x <= 0.0) else x))', {})
    >>> source(tanh(Symbol("x")))
    ('tanh(x)', {'tanh': <primitive tanh>})
    """
    calls: dict[str, Primitive] = {}
    text, _ = write(formula, Style(lambda x: repr(float(x)), {}, lambda row: row.code, calls=calls))
    return f"(1.0 if {text} else 0.0)" if _is_truth(formula) else text, calls


def _is_truth(formula: Any) -> bool:
    """Return whether a formula, as Python, gives a truth value: it is a comparison, or a row whose function is one."""
    row = formula.row if isinstance(formula, Operand) else None
    if row is None or row.is_condition:
        return row is not None
    inner = expand(row, formula.operands)
    return isinstance(inner, Operand) and inner.row is not row and _is_truth(inner)


def write(formula: Any, style: Style) -> tuple[str, int]:
    """Return a formula as text, and how tightly its outermost operation binds."""
    if not isinstance(formula, Operand):
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
        if isinstance(formula, Operand) and formula.row is not row:
            return write(formula, style)
        if not row.code and (formula is None or not row.infix):
            return call(row, operands, style), ATOM
    if template := style.template(row):
        pieces, binding = read_template(template, row.infix, row.is_in_table)
        return "".join(piece if isinstance(piece, str) else _operand(piece, operands, style) for piece in pieces), binding
    if row.infix:
        return _write_infix(row.infix, operands, style)
    return call(row, operands, style, is_list=takes_list(row) and not style.tex), ATOM


def parts(formula: Any) -> Iterator[Any]:
    """Iterate over a formula and all its parts; the base of a square, which is written once, counts once."""
    waiting = [formula]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Operand):
            yield part
            is_square = len(part.operands) == 2 and part.operands[0] is part.operands[1]
            waiting.extend(part.operands[:1] if is_square else part.operands)


def expand(row: Primitive, operands: Sequence[Any]) -> Any:
    """Return a row's function as a formula over rows, or None where it takes only numbers, as math.tanh does.

    >>> from autograd.primitives import softplus
    >>> from autograd.symbol import Symbol
    >>> expand(softplus, [Symbol("x")]).text
    'maximum(x, 0) + log1p(exp(-|x|))'
    """
    try:
        return row.function(*operands)
    except Exception:  # a function of numbers may raise anything at a symbol
        return None


def _write_number(x: float, style: Style) -> tuple[str, int]:
    if x is NOT_COMPUTED and style.calls is None:
        return r"\ldots" if style.tex else "…", ATOM
    text = style.number(x)
    return text, SIGN if text.startswith("-") else PRODUCT if r"\cdot" in text else ATOM


def _terms(formula: Any) -> Iterator[Any]:
    """Iterate over the terms of a sum, the last one first."""
    while isinstance(formula, Operand) and formula.row is not None and formula.row.infix == "+" and len(formula.operands) == 2:
        formula, last = formula.operands
        yield last
    yield formula


def _write_sum(terms: Sequence[Any], style: Style) -> tuple[str, int]:
    shown = [_signed(_parenthesised(term, SUM, style), i) for i, term in enumerate(terms)]
    if len(shown) > LONGEST_SUM and style.calls is None:
        shown[2:-2] = [r"\cdots" if style.tex else "…"]
    return " + ".join(shown), SUM if len(shown) > 1 else PRODUCT


def _write_infix(sign: str, operands: Sequence[Any], style: Style) -> tuple[str, int]:
    written = style.signs.get(sign, f" {sign} ")
    if len(operands) == 1:
        text = _parenthesised(operands[0], SIGN, style)
        return sign + ("(0)" if sign + text == "-0" else _signed(text, 1)), SIGN  # nobody writes -0
    x, y = operands
    if sign == "*" and x is y and style.square:
        return style.square.format(_base(x, style)), POWER
    if sign == "**":
        if not style.tex and style.calls is None and not isinstance(y, Operand) and y in range(10):
            return _base(x, style) + str(int(y)).translate(SUPERSCRIPTS), POWER
        return _base(x, style) + written + _parenthesised(y, SIGN, style), POWER
    level = LEVELS[sign]
    if sign == "*" and style.scale and not isinstance(x, Operand):
        written = style.scale
    for_people = style.calls is None and not style.tex
    is_quotient = isinstance(x, Operand) and x.row is not None and x.row.infix == "/"
    left = ATOM if for_people and sign == "*" and is_quotient else max(level, SUM)  # (a / b)·c
    return _parenthesised(x, left, style) + written + _signed(_parenthesised(y, level + 1, style), 1), level


def _base(formula: Any, style: Style) -> str:
    """Return the base of a power as text; in LaTeX in braces if it has a superscript, because TeX refuses a second one."""
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


@functools.cache
def _is_closed(template: str) -> bool:
    """Return whether all operands of a template are in brackets, and nothing but a name is outside them.

    >>> [_is_closed(template) for template in ("gelu({0})", "|{0} - {1}|", "1 - {0}", "({0}) + ({0})")]
    [True, True, False, False]
    """
    bare = "".join(literal if place is None else literal + "·" for literal, place, _, _ in Formatter().parse(template))
    while BRACKETS.search(bare):
        bare = BRACKETS.sub("", bare)
    return re.fullmatch(r"[\w\\]*", bare) is not None


@functools.cache
def read_template(template: str, infix: str, is_in_table: bool) -> tuple[list[str | Place], int]:
    """Return the pieces of a row's template, text and places of operands, and how tightly the filled-in template binds.

    An operand that is alone between brackets or bars needs no parentheses of its own.  In the table's templates an operand
    after an opening bracket needs them only if it is a comparison, because what stands beside it is a comparison's sign.

    >>> read_template("|{0} - 1|", "", False)
    (['|', Place(operand=0, binding=5, is_base=False), ' - 1|'], 5)
    >>> read_template("{0} - 1", "", False)[1] == COMPARE  # so that it has parentheses wherever it is part of something else
    True
    """
    pieces, text, parsed = list[str | Place](), "", [part[:2] for part in Formatter().parse(template)]
    for (literal, place), (following, _) in zip(parsed, [*parsed[1:], ("", None)], strict=True):
        text += literal
        if place is not None:
            opened, is_base = text.endswith(("(", "[", "{", "|")), following.startswith("^")
            is_alone = following.startswith((")", "]", "}", "|", ",", r"\right"))
            level = COMPARE if is_alone else SUM if is_in_table else ATOM
            pieces += [text, Place(int(place), level if opened and not is_base else ATOM, is_base)]
            text = ""
    binding = POWER if re.search(r"\^|^\\frac", template) else ATOM if template.endswith((")", "]", "}}", "|")) else SIGN
    if not template.startswith(r"\frac"):  # a fraction's bar encloses its parts
        binding = LEVELS.get(infix, binding if is_in_table or _is_closed(template) else COMPARE)
    return [*pieces, text], binding


def _operand(place: Place, operands: Sequence[Any], style: Style) -> str:
    x = operands[place.operand]
    return _base(x, style) if place.is_base else _parenthesised(x, place.binding, style)


def call(row: Primitive, operands: Sequence[Any], style: Style, is_list: bool = False) -> str:
    """Write a row as a call of its name, with its operands in a list if `is_list`; for people, a long one has an ellipsis."""
    shown = [write(x, style)[0] for x in operands]
    if len(shown) > LONGEST_SUM and style.calls is None:
        shown[2:-1] = [r"\ldots" if style.tex else "…"]
    name = rf"\operatorname{{{escaped(row.name)}}}" if style.tex else row.name
    if style.calls is not None:
        known = [name for name, called in style.calls.items() if called is row]
        name = known[0] if known else row.name if row.is_in_table else f"row{len(style.calls)}"
        style.calls[name] = row
    listed = ", ".join(shown)
    return f"{name}([{listed}])" if is_list else f"{name}({listed})"


@functools.lru_cache(maxsize=4096)
def takes_list(row: Primitive) -> bool:
    """Return whether a row is called with all its operands in one list, as ``logsumexp([x, y])``."""
    parameters = inspect.signature(row).parameters.values() if isinstance(row, Nary) else ()
    return [parameter.kind for parameter in parameters] == [inspect.Parameter.POSITIONAL_OR_KEYWORD]
