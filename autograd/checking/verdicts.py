"""The outcome of comparing a derivative with a numeric one: a verdict, with a reason.

The idea: the tolerance is not a constant; it follows from the estimated error of the numeric derivative.  So a verdict is
that a derivative is right, that it is wrong, or that this point cannot decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from autograd.checking.numeric import NEAR, Slope
from autograd.value import Value
from autograd.writing import digits

__all__ = ["HIDDEN", "SAFETY", "VERDICTS", "Check", "Verdict", "judge", "mark_vacuous", "short"]

Verdict: TypeAlias = Literal["wrong", "domain", "kink", "unsure", "vacuous", "correct"]
VERDICTS: Final[tuple[Verdict, ...]] = ("wrong", "domain", "kink", "unsure", "vacuous", "correct")

SAFETY: Final = 4.0  # the tolerance, as a multiple of the estimated error; measured on random functions: at most 1.2 is needed
LARGE: Final = 2.0**1022  # size of a derivative from which on rounding makes difference quotients overflow
ENOUGH: Final = 0.1  # relative error with which a numeric derivative can still tell right from wrong

HIDDEN: Final = "a kink or a jump is too near for a numeric derivative"  # a reason


def short(x: float) -> str:
    """Write a number for a comparison: ten significant digits.

    >>> short(2 / 3), short(-12.0), short(math.inf)
    ('0.6666666667', '-12', '∞')
    """
    return digits(x, 10)


@dataclass(frozen=True, slots=True)
class Check:
    """One derivative, compared with a numeric one.

    Attributes:
        name: which one, such as ``∂f/∂w``, or for a local derivative ``∂tanh/∂x``.
        at: the point.
        analytic, numeric: the derivative from the backward pass, a rule or a given gradient, and the one from values of f.
        error: the estimated error of the numeric one.
        verdict: one of `VERDICTS`.
        reason: why; for a correct one, empty or a remark on the comparison.
        is_flat: whether a derivative of zero would pass as well.
        node, operand: for a local derivative, the node and the place of its operand.
    """

    name: str
    at: str
    analytic: float
    numeric: float
    error: float
    verdict: Verdict
    reason: str = ""
    is_flat: bool = False
    node: Value | None = None
    operand: int | None = None

    def __str__(self) -> str:
        numbers = f"{short(self.analytic)}, numeric {short(self.numeric)} ± {self.error:.1g}"
        return f"{self.verdict}: {self.name} at {self.at}: {numbers}" + (f": {self.reason}" if self.reason else "")


def judge(name: str, at: str, analytic: float, found: Slope, doubt: float = 0.0) -> Check:
    """Compare a derivative with the numeric one.

    Args:
        name: which derivative it is, as in `Check`.
        at: the point.
        analytic: the derivative that is claimed.
        found: the numeric one.
        doubt: the rounding error of `analytic`.

    >>> from autograd.checking.numeric import slope
    >>> print(judge("∂exp/∂x", "x = 0", 1.0, slope(math.exp, 0.0)))
    correct: ∂exp/∂x at x = 0: 1, numeric 1 ± ...
    >>> judge("∂abs/∂x", "x = 0", 0.0, slope(abs, 0.0)).reason
    'a kink: the slope is -1 on the left and 1 on the right'
    """
    error = found.error + doubt / SAFETY
    tolerance = SAFETY * error
    verdict, reason = _verdict(analytic, found, error)
    zero_passes = verdict == "correct" and math.isfinite(found.value) and abs(found.value) <= tolerance
    return Check(name, at, analytic, found.value, found.error, verdict, reason, zero_passes or verdict == "vacuous")


def _verdict(analytic: float, found: Slope, error: float) -> tuple[Verdict, str]:
    """Return the verdict with its reason; the error is that of both derivatives."""
    value, tolerance = found.value, SAFETY * error
    if found.kind == "lone":
        return "domain", "no number next to this one is in the domain"
    if found.kind == "noise":
        return "unsure", "the digits of the value are lost in rounding"
    if found.kind == "steep":
        return "domain", f"the slope grows without bound; the rule gives {short(analytic)}"
    if found.kind in ("kink", "jump") and not found.away:
        low, high = sorted((found.left, found.right))
        slack = 0.01 * (high - low)
        if found.kind == "jump" or low - slack <= analytic <= high + slack:
            return "kink", _bend(found)
        return "wrong", f"it is {short(analytic)}, and this is {_bend(found)}"
    if math.isinf(value) and value == analytic:
        return "correct", ""
    if math.isinf(found.error):
        return "unsure", "no two step sizes agree on a slope"
    if math.isinf(value) and LARGE <= abs(analytic) < math.inf:
        return "unsure", "the slope is near the largest float, and its difference quotients overflow"
    if not math.isfinite(analytic) or math.isinf(value):
        return "wrong", _versus(analytic, found)
    if abs(analytic - value) > tolerance and abs(analytic) > 0.1 * found.limit:
        return "unsure", "neighbouring floats are too far apart here to show the slope"
    if abs(analytic - value) > tolerance:
        return "wrong", _versus(analytic, found)
    if found.kind in ("kink", "jump"):
        return "kink", f"{_bend(found)}; {short(analytic)} is right on this side"
    if analytic and abs(value) <= tolerance:
        return "vacuous", f"{short(analytic)} cannot be told from 0 with an error of {error:.1g}"
    if analytic and tolerance > ENOUGH * abs(analytic):
        if error > 2 * found.error:
            return "unsure", f"{short(analytic)} is known only to ± {error:.1g}, which is too coarse to judge by"
        return "unsure", f"a numeric derivative of {short(value)} ± {found.error:.1g} is too coarse to judge by"
    return "correct", _note(found)


def _versus(analytic: float, found: Slope) -> str:
    write = short if short(analytic) != short(found.value) else repr
    return f"it is {write(analytic)}, but the slope is {write(found.value)} ± {found.error:.1g}"


def _bend(found: Slope) -> str:
    place = f" {abs(found.away):.1g} to the {'left' if found.away < 0 else 'right'}" if found.away else ""
    if found.kind == "jump":
        return f"a jump{' up to' * bool(place)}{place}: the value changes by {short(found.height)} at once"
    left, right = (digits(x, 4) if abs(x) > 1e-6 else "0" for x in (found.left, found.right))
    return f"a kink{place}: the slope is {left} on the left and {right} on the right"


def _note(found: Slope) -> str:
    if found.side != "both":
        return f"compared from the {found.side} only, because the other side has no value"
    if found.reach <= NEAR:
        return f"compared with steps below {found.reach:.1g}, where the domain ends"
    return ""


def mark_vacuous(checks: list[Check]) -> list[Check]:
    """Mark checks as vacuous if all of them would pass with a gradient of zero."""
    if not all(check.is_flat for check in checks):
        return checks
    why = "all derivatives are 0 here, so a gradient of zero would pass as well; choose another point"
    return [replace(check, verdict="vacuous", reason=why) if check.verdict == "correct" else check for check in checks]
