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
import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any, Final

from autograd.expressions import FUNCTIONS, Expression, ExpressionError, parse
from autograd.reals import kind_of, number
from autograd.rows import Primitive
from autograd.tokens import NUMERAL, plain_text
from autograd.writing import DIGITS

__all__ = ["Answer", "AnswerError", "differs", "fits", "is_rounded", "read_answer", "shown", "split"]

FEWEST: Final = 3  # digits of a rounded answer
LONGEST_SHOWN: Final = 60  # characters that a message shows of an object that is not an answer
EXACT: Final = 1e-9  # relative: the difference of two numbers that count as the same
NOISE: Final = 1e-15  # relative: the difference of two sums of the same floats in another order
# For answers that cannot be read: a pattern that they may contain, which JavaScript uses as well, and what to write instead.
ADVICE: Final = {
    "(^|[^-+*/<>=!])=([^=<>]|$)|[≈~]": "give only the part to the right of = or ≈",
    "[∂′\u2019]|[^\\s0-9(]'([^)]|$)|\\bd[a-z]\\w*/d[a-z]": (
        "a derivative such as σ'(z) or ∂y/∂z is written out, as a number or a formula"
    ),
    r"%\s*$": "% is the remainder of a division; a percentage is written as a decimal number, such as 0.5",
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
        formula: the formula, if there are names in it.
        rounding: by how much the value may be off because the constants in it were rounded, see `slack`.
    """

    text: str
    value: float
    formula: Expression | None = None
    rounding: float = 0.0

    def at(self, numbers: Mapping[str, float]) -> float:
        """Return the value of the formula at other numbers, which are given by name."""
        if self.formula is None:
            return self.value
        return float(self.formula.evaluate(numbers))

    def slack(self, numbers: Mapping[str, float]) -> float:
        """Return by how much the value of the formula may be off because the constants in it were rounded.

        A constant of three digits or more stands for all numbers that round to it.
        """
        formula, total = self.formula, 0.0
        if formula is None:
            return total
        for i, term in enumerate(formula.terms):
            half = _half_unit(plain_text(formula.text[term.start : term.end]))
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
        answer: a number, also a `Fraction` or a `Decimal`, or text: a number, also with a decimal comma unless that may
            separate thousands, as in 1,000; a fraction such as ``1/2``; or a formula.
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
    try:
        formula = parse(text, functions, numbers, constants)
        read = Answer(text, 0.0, formula)
        value = read.at(numbers)
    except ExpressionError as error:
        known = sorted((name for name in numbers if not re.fullmatch(NUMERAL, name)), key=len, reverse=True)
        bare = re.sub("|".join(map(re.escape, known)) or "$^", "x", text)
        problem = next((advice for pattern, advice in ADVICE.items() if re.search(pattern, bare)), error.problem)
        raise AnswerError(f"{text!r} cannot be read as a number or a formula: {problem}") from None
    return Answer(text, value, formula if formula.names else None, read.slack(numbers))


def _half_unit(numeral: str) -> float:
    """Return half a unit of the last digit of a numeral with three significant digits or more, and 0 for a shorter one.

    >>> _half_unit("0.667"), _half_unit("0.5"), _half_unit("1.25e+03")
    (0.0005, 0.0, 5.0)
    """
    found = re.fullmatch(r"(\d*)[.,]?(\d*)(?:[eE]([-+]?\d+))?", numeral)
    if found is None or len((found[1] + found[2]).lstrip("0")) < FEWEST:
        return 0.0
    return 0.5 * 10.0 ** (int(found[3] or 0) - len(found[2]))


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
