"""Students' answers: how a number, a fraction, or a formula over the names in the picture is read, and when it is right.

A number is right if it is the right one rounded to three significant digits or three decimals, or better; after a step of
gradient descent, if its change is right as well.  A formula is compared with the derivative at random points, so any way of
writing it will do.

>>> read_answer("−1/2", {}).value, read_answer(",5", {}).value
(-0.5, 0.5)
>>> is_rounded(0.234, 0.23404), is_rounded(0.23, 0.23404), is_rounded(0.0, 0.0002)
(True, False, True)
"""

from __future__ import annotations

import contextlib
import keyword
import math
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any, Final

from autograd.expressions import CONSTANTS, FUNCTIONS, LONGEST, Expression, ExpressionError, parse
from autograd.reals import kind_of, number
from autograd.rows import Nary, Primitive
from autograd.writing import DIGITS, RAISED

__all__ = ["Answer", "AnswerError", "differs", "fits", "is_rounded", "read_answer", "shown", "split"]

FEWEST: Final = 3  # digits of a rounded answer
LONGEST_SHOWN: Final = 60  # characters that a message shows of an object that is not an answer
EXACT: Final = 1e-9  # relative: the difference of two numbers that count as the same
NOISE: Final = 1e-15  # relative: the difference of two sums of the same floats in another order
NUMERAL: Final = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[¼-¾⅐-⅞]"
WORD: Final = r"[^\W\d⁰¹²³⁴-⁹¼-¾⅐-⅞][^\W⁰¹²³⁴-⁹¼-¾⅐-⅞]*"
# Characters that people write in formulas, and how the parser of expressions spells them; it reads w·x itself.
SPELLINGS: Final = {"^": "**", "≤": "<=", "≥": ">="}
ROOTS: Final = {"√": "sqrt(", "∛": "cbrt("}
# For each opening bracket: how it is spelled, what closes it, and how that is spelled.
BRACKETS: Final = {"(": ("(", ")", ")"), "[": ("[", "]", "]"), "⌊": ("floor(", "⌋", ")"), "⌈": ("ceil(", "⌉", ")"),
                   "|": ("abs(", "|", ")")}  # fmt: skip
NUMBERS: Final = {"∞": "1e999", "inf": "1e999", "NaN": "(1e999 - 1e999)", "nan": "(1e999 - 1e999)", "π": "pi"}
KEYWORDS: Final = ("and", "else", "if", "or")  # of Python, about which the parser has advice
# For answers that cannot be read: a pattern that they may contain, which JavaScript uses as well, and what to write instead.
ADVICE: Final = {
    "(^|[^-+*/<>=])=([^=]|$)|[≈~]": "give only the part to the right of = or ≈",
    "[∂′\u2019]|[^\\s\\d(]'([^)]|$)": "a derivative such as σ'(z) or ∂y/∂z is written out, as a number or a formula",
    r"%\s*$": "% is the remainder of a division; a percentage is written as a decimal number, such as 0.5",
    r"^(?!.*[a-zσ]\d*\().*\d,\d": "a decimal number in a formula has a point, as in 0.5",
    r"\bln\b": "the natural logarithm is written log(x)",
}


class AnswerError(ValueError):
    """An answer cannot be read, or belongs to no question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read.

    Attributes:
        text: as it was written.
        value: its number at the numbers of the exercise.
        formula: the formula, if there are names in it; `names` has each of them with the one in the picture.
        rounding: by how much the value may be off because the constants in it were rounded, see `slack`.
    """

    text: str
    value: float
    formula: Expression | None = None
    names: tuple[tuple[str, str], ...] = ()
    rounding: float = 0.0

    def at(self, numbers: Mapping[str, float]) -> float:
        """Return the value of the formula at other numbers, which are given by name."""
        if self.formula is None:
            return self.value
        return float(self.formula.evaluate({inner: numbers[outer] for inner, outer in self.names}))

    def slack(self, numbers: Mapping[str, float]) -> float:
        """Return by how much the value of the formula may be off because the constants in it were rounded.

        A constant of three digits or more stands for all numbers that round to it.
        """
        formula, total = self.formula, 0.0
        if formula is None:
            return total
        for i, term in enumerate(formula.terms):
            half = _half_unit(formula.text[term.start : term.end])
            if half and isinstance(term.meaning, float):
                moved = (*formula.terms[:i], term._replace(meaning=term.meaning + half), *formula.terms[i + 1 :])
                with contextlib.suppress(ExpressionError):  # undefined at another constant, so this one was not rounded
                    total += abs(replace(self, formula=replace(formula, terms=moved)).at(numbers) - self.at(numbers))
        return total


def read_answer(
    answer: Any,
    numbers: Mapping[str, float],
    functions: Mapping[str, Primitive] = FUNCTIONS,
    constants: Mapping[str, float] = {},
) -> Answer:
    """Read an answer.

    Args:
        answer: a number, also a `Fraction` or a `Decimal`, or text: a number, also with a decimal comma, a fraction such as
            ``1/2``, or a formula.
        numbers: the numbers that the names in a formula stand for.
        functions: the rows that a formula may call, by name.
        constants: further numbers with a name, such as a learning rate η.

    Raises:
        AnswerError: for anything else; the message is one sentence.

    >>> read_answer("-(t - r)*r", {"t": 1.0, "r": 0.5}).value
    -0.25
    """
    if not isinstance(answer, str):
        try:
            value = float(answer) if isinstance(answer, Decimal) else number(answer)
        except (TypeError, ValueError):
            value = NotImplemented
        except OverflowError:  # the number itself may be too long to be printed
            largest = f"the largest float, {sys.float_info.max:.2g}"
            raise AnswerError(f"the answer is beyond {largest}; give a smaller number") from None
        if value is NotImplemented or math.isnan(value):
            excerpt = repr(answer) if len(repr(answer)) <= LONGEST_SHOWN else kind_of(answer)
            raise AnswerError(f"{excerpt} is not an answer; give a number, a fraction such as '1/2', or a formula as text")
        return Answer(f"{value:g}" if float(f"{value:g}") == value else repr(value), value)
    text = answer.strip()
    known = [name for name in numbers if not re.fullmatch(NUMERAL, name)]  # `2` is the number, whatever a node is called
    inner = {name: name if _is_plain(name) and name not in functions else f"name_{i}" for i, name in enumerate(known)}
    inner |= {name: repr(x) for name, x in constants.items() if name not in inner}
    code = spelled = re.sub(r"^([-−–+]?\d*),(\d+(?:[eE][-+]?\d+)?)$", r"\1.\2", text)
    try:
        spelled = _in_python(code, inner, functions) if len(code) <= LONGEST else code
        formula = parse(spelled, functions)
        outer = {short: name for name, short in inner.items()}
        names = tuple((name, outer[name]) for name in formula.names)
        read = Answer(text, 0.0, formula, names)
        value = read.at(numbers)
    except ExpressionError as error:
        # The parser counts columns in the respelled text, which differ from those of the answer.
        problem = str(error) if spelled == text else re.sub(r"^column \d+(, `.*?`)?: ", "", str(error))
        bare = re.sub("|".join(map(re.escape, sorted(known, key=len, reverse=True))) or "$^", "x", text)
        problem = next((advice for pattern, advice in ADVICE.items() if re.search(pattern, bare)), problem)
        raise AnswerError(f"{text!r} cannot be read as a number or a formula: {problem}") from None
    return Answer(text, value, formula if names else None, names, read.slack(numbers))


def _in_python(text: str, inner: Mapping[str, str], functions: Mapping[str, Primitive] = FUNCTIONS) -> str:
    """Spell a formula as the parser of expressions reads it.

    Args:
        text: the formula as people write it.
        inner: the names in it, each with the one that the parser reads.
        functions: the rows that may be called, by name.

    Raises:
        ExpressionError: for a name that the exercise does not have.

    >>> _in_python("2·√|a.b| + x⁴·[x ≤ ∞]", {"a.b": "name_0", "x": "x"})
    '2·sqrt(abs(name_0)) + x**4·[x <= 1e999]'
    """
    odd = {name for name in inner if not re.fullmatch(WORD, name)}
    typed = {unicodedata.normalize("NFKC", name) for name in odd}  # w(1)00, as keyboards have w⁽¹⁾₀₀
    odd |= {name for name in typed if re.match(WORD, name) and not re.fullmatch(WORD, name)}
    tokens = [*map(re.escape, sorted(odd, key=len, reverse=True)), NUMERAL, WORD, rf"(?:⁻?[{RAISED}]+)+", r"\s+", "."]
    speller = _Speller(inner, functions)
    for found in re.finditer("|".join(tokens), text, re.DOTALL):
        speller.add(found[0], following=text[found.end() :].lstrip()[:1])
    return "".join(speller.code)


class _Speller:
    """Spells a formula for the parser, one token after the other.

    Args:
        inner: the names in the formula, each with the one that the parser reads.
        functions: the rows that may be called, by name.

    Attributes:
        code: the tokens so far, as the parser reads them.
    """

    def __init__(self, inner: Mapping[str, str], functions: Mapping[str, Primitive]) -> None:
        self.inner, self.functions = inner, functions
        self.meant = {name: name for name in (*CONSTANTS, *KEYWORDS, *functions)} | NUMBERS
        self.meant |= {unicodedata.normalize("NFKC", name): short for name, short in inner.items()} | dict(inner)
        self.code: list[str] = []
        self.open: list[tuple[str, str, int]] = []  # for each open bracket: what closes it, how that is spelled, its roots
        self.roots = 0  # how many roots begin right before the next operand, whose end closes them
        self.row: Primitive | None = None  # the row that is called here
        self.is_operand = False  # whether an operand ends here, so that a bar closes

    def add(self, token: str, following: str) -> None:
        """Spell a token; `following` is the first character after it that is not a space."""
        name = "sigmoid" if token == "σ" else token
        if token.isspace():
            self.code.append(token)
        elif token[0] in f"⁻{RAISED}":
            self.code.append(f"**({_normal(token)})" if "⁻" in token else f"**{_normal(token)}")
        elif token in ROOTS:
            self._begin(ROOTS[token])
            self.roots += 1
        elif self.open and token == self.open[-1][0] and (self.is_operand or token != "|"):
            self._close_bracket()
        elif token in BRACKETS and not (token == "|" and self.is_operand):
            self._open_bracket(token, following)
        elif name in self.functions and following == "(":
            self.row = self.functions[name]
            self._begin(name)
        elif token in self.meant or re.fullmatch(rf"{NUMERAL}|{WORD}", token):
            self._operand(token, _normal(name), following)
        else:
            self.code.append(SPELLINGS.get(token, token))
            self.roots, self.is_operand = 0, False  # a root without an operand is never closed, and the parser refuses it

    def _begin(self, code: str) -> None:
        """Begin an operand; after another one a space keeps Python from reading 1_3177 or 0x10 as a number."""
        self.code.append(" " * self.is_operand + code)

    def _open_bracket(self, token: str, following: str) -> None:
        opening, end, closing = BRACKETS[token]
        if isinstance(self.row, Nary) and self.row.fold and following != "[":  # prod(x, y) means prod([x, y])
            opening, closing = "([", "])"
        self._begin(opening)
        self.open.append((end, closing, self.roots))
        self.roots, self.row, self.is_operand = 0, None, False

    def _close_bracket(self) -> None:
        _, closing, roots = self.open.pop()
        self.code.append(closing + ")" * roots)
        self.roots, self.is_operand = 0, True

    def _operand(self, token: str, word: str, following: str) -> None:
        spelled = self.meant.get(token, self.meant.get(word))
        if spelled is None and re.fullmatch(WORD, token) and following != "(":
            raise ExpressionError(f"there is no {token} in this exercise; a formula may use {', '.join(self.inner)}")
        self._begin((spelled or word) + ")" * self.roots)
        self.roots, self.is_operand = 0, True


def _normal(token: str) -> str:
    """Return a token in plain characters: x₁ as x1, and ½ as (1/2)."""
    return re.sub("(.*)⁄(.*)", r"(\1/\2)", unicodedata.normalize("NFKC", token))


def _half_unit(numeral: str) -> float:
    """Return half a unit of the last digit of a numeral with three significant digits or more, and 0 for a shorter one.

    >>> _half_unit("0.667"), _half_unit("0.5"), _half_unit("1.25e+03")
    (0.0005, 0.0, 5.0)
    """
    found = re.fullmatch(r"(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?", numeral)
    if found is None or len((found[1] + found[2]).lstrip("0")) < FEWEST:
        return 0.0
    return 0.5 * 10.0 ** (int(found[3] or 0) - len(found[2]))


def _is_plain(name: str) -> bool:
    """Whether the parser of expressions reads a name as the name of a variable."""
    is_taken = keyword.iskeyword(name) or name in CONSTANTS or name.startswith("name_")
    return bool(re.fullmatch(WORD, name)) and name.isidentifier() and unicodedata.is_normalized("NFKC", name) and not is_taken


def split(text: str, names: Iterable[str]) -> list[str]:
    """Split a text at its commas, semicolons and arrows, except those inside one of the given names.

    >>> split("E, f(x, w) → v1", ["f(x, w)", "E"])
    ['E', 'f(x, w)', 'v1']
    """
    known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.findall(rf"(?:{known})(?=\s*(?:[,;→]|$))|[^\s,;→](?:[^,;→]*[^\s,;→])?", text)


def is_rounded(answer: float, right: float, old: float | None = None) -> bool:
    """Whether an answer is the right number, or agrees with it to three significant digits or three decimals.

    A zero may be the rounded right value, but a number that is not zero needs the right sign.

    Args:
        answer: the number that was given.
        right: the right one.
        old: for a number after a step, the one before.  Then their difference has to be right as well, to three significant
            digits or to the decimals that were given, and with the right sign.  The step may also start from the old number as
            it is shown, rounded.

    >>> is_rounded(2.0033, 2.0033216, old=2.0), is_rounded(2.003, 2.0033216, old=2.0), is_rounded(2.0, 2.0033216, old=2.0)
    (True, True, False)
    """
    if answer == right or (math.isnan(answer) and math.isnan(right)):
        return True
    if not (math.isfinite(answer) and math.isfinite(right)):
        return False
    if old is not None:
        return any(_is_step(answer, right + (start - old), start) for start in (old, shown(old)))
    if math.isclose(answer, right, rel_tol=EXACT, abs_tol=1e-15):
        return True
    unit = _unit(min(abs(answer), abs(right)))  # of two numbers around a power of ten, the finer unit
    places = next(n for n in count(FEWEST) if math.isclose(answer, round(answer, n), rel_tol=EXACT, abs_tol=1e-15))
    return abs(answer - right) <= max(unit, 10.0**-places) / 2 * (1 + EXACT)  # a tie may be rounded up or down


def _is_step(answer: float, right: float, old: float) -> bool:
    """Whether an answer is the right number after a step, and precise enough to show the step."""
    given, wanted = answer - old, right - old  # the two steps
    half = _unit(min(abs(given), abs(wanted))) / 2 * (1 + EXACT)
    noise = NOISE * max(abs(answer), abs(old))
    is_seen = abs(answer - right) <= max(noise, half) or fits(answer, right)
    return is_seen and (given > 0, given < 0) == (wanted > 0, wanted < 0) and is_rounded(answer, right)


def shown(x: float) -> float:
    """Return a number as texts and pictures show it, rounded."""
    return float(f"{x:.{DIGITS}g}")


def fits(answer: float, right: float) -> bool:
    """Whether an answer agrees with the right number in all its decimals, however few it has.

    >>> fits(2.0, 2.0033216), fits(2.1, 2.0033216)
    (True, False)
    """
    decimals = max(0, -int(Decimal(repr(answer)).normalize().as_tuple().exponent)) if math.isfinite(answer) else 0
    return abs(answer - right) <= 10.0**-decimals / 2 * (1 + EXACT)


def _unit(size: float) -> float:
    """Return the unit of the third significant digit, the last one that counts; 0 for 0."""
    return 10.0 ** (math.floor(math.log10(size)) - FEWEST + 1) if size else 0.0


def differs(wrong: float, right: float, old: float | None = None) -> bool:
    """Whether an answer of three digits can tell a wrong algorithm's number from the right one."""
    return math.isfinite(wrong) and not is_rounded(wrong, right, old)
