"""What a comparison of a derivative with a numeric one comes to: verdicts with reasons, and the report made of them.

The idea: the tolerance is not a constant, it follows from the estimated error of the numeric derivative.  So a verdict can
say that a derivative is right or wrong, and also that here nobody could tell.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from autograd.numeric import NEAR, Slope
from autograd.value import Value

__all__ = ["HIDDEN", "VERDICTS", "Check", "Report", "Verdict", "judge", "short"]

Verdict: TypeAlias = Literal["wrong", "domain", "kink", "unsure", "vacuous", "correct"]
VERDICTS: Final[tuple[Verdict, ...]] = ("wrong", "domain", "kink", "unsure", "vacuous", "correct")

SAFETY: Final = 4.0  # times the estimated error are allowed; on random functions, 1.2 times was the most that was needed
ENOUGH: Final = 0.1  # relative error with which a numeric derivative can still tell right from wrong
WIDTH: Final = 100  # columns of a printed report
MOST: Final = 12  # rows of each kind that are printed

HIDDEN: Final = "a kink or a jump lies too near for a numeric derivative"  # a reason
SUMMARIES: Final[dict[Verdict, str]] = {
    "wrong": "a derivative is not the numeric one",
    "domain": "the point is at an edge of the domain, where no derivative can be compared",
    "kink": "the point is at a kink or a jump, or next to one",
    "unsure": "rounding leaves too little to judge by",
    "vacuous": "a gradient of zero, or of the wrong sign, would pass as well",
}


def short(x: float) -> str:
    """Write a number for a comparison: ten significant digits.

    >>> short(2 / 3), short(-12.0), short(math.inf)
    ('0.6666666667', '-12', '∞')
    """
    return f"{x:.10g}".replace("inf", "∞").replace("nan", "NaN")


@dataclass(frozen=True, slots=True)
class Check:
    """One derivative, compared with a numeric one.

    Attributes:
        name: which one, ``∂f/∂w``, or for a local derivative ``∂tanh/∂x``.
        at: the point.
        analytic, numeric: the derivative from the backward pass or from a rule, and the one from values.
        error: the estimated error of the numeric one.
        verdict: one of `VERDICTS`.
        reason: why, in words; for a correct one, empty or something to know about the comparison.
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
    """Compare a derivative with what the values of the function say.

    Args:
        name: which derivative it is, as in `Check`.
        at: the point.
        analytic: the derivative that is claimed.
        found: the numeric one.
        doubt: the rounding error of `analytic`.

    >>> from autograd.numeric import slope
    >>> print(judge("∂exp/∂x", "x = 0", 1.0, slope(math.exp, 0.0)))
    correct: ∂exp/∂x at x = 0: 1, numeric 1 ± ...
    >>> judge("∂abs/∂x", "x = 0", 0.0, slope(abs, 0.0)).reason
    'a kink: the slope is -1 on the left and 1 on the right'
    """
    tolerance = SAFETY * found.error + doubt
    verdict, reason, is_flat = _verdict(analytic, found, tolerance)
    return Check(name, at, analytic, found.value, found.error, verdict, reason, is_flat)


def _verdict(analytic: float, found: Slope, tolerance: float) -> tuple[Verdict, str, bool]:
    value = found.value
    if found.kind == "lone":
        return "domain", "no number next to this one is in the domain", False
    if found.kind == "noise":
        return "unsure", "the digits of the value are lost in rounding", False
    if found.kind == "steep":
        return "domain", f"the slope grows without bound; the rule gives {short(analytic)}", False
    if found.kind in ("kink", "jump") and not found.away:
        low, high = sorted((found.left, found.right))
        slack = 0.01 * (high - low)
        if found.kind == "jump" or low - slack <= analytic <= high + slack:
            return "kink", _bend(found), False
        return "wrong", f"it is {short(analytic)}, and this is {_bend(found)}", False
    if math.isinf(value) and value == analytic:
        return "correct", "", False
    if math.isinf(found.error) and not math.isnan(analytic):
        return "unsure", "no two step sizes agree on a slope", False
    if not math.isfinite(analytic) or math.isinf(value):
        return "wrong", _versus(analytic, found), False
    if abs(analytic - value) > tolerance and abs(analytic) > 0.1 * found.limit:
        return "unsure", "neighbouring floats are too far apart here to show the slope", False
    if abs(analytic - value) > tolerance:
        return "wrong", _versus(analytic, found), False
    if found.kind in ("kink", "jump"):
        return "kink", f"{_bend(found)}; {short(analytic)} is right on this side", False
    zero_passes, sign_passes = abs(value) <= tolerance, abs(value + analytic) <= tolerance
    if analytic and (zero_passes or sign_passes):
        return "vacuous", f"{short(analytic)} cannot be told from 0 with an error of {found.error:.1g}", True
    if analytic and tolerance > ENOUGH * abs(analytic):
        return "unsure", f"a numeric derivative of {short(value)} ± {found.error:.1g} is too coarse to judge by", False
    return "correct", _note(found), zero_passes


def _versus(analytic: float, found: Slope) -> str:
    return f"it is {short(analytic)}, but the slope is {short(found.value)} ± {found.error:.1g}"


def _bend(found: Slope) -> str:
    place = f" {abs(found.away):.1g} to the {'left' if found.away < 0 else 'right'}" if found.away else ""
    if found.kind == "jump":
        return f"a jump{place}: the value changes by {short(found.height)} at once"
    return f"a kink{place}: the slope is {_slope(found.left)} on the left and {_slope(found.right)} on the right"


def _slope(x: float) -> str:
    return f"{x:.4g}" if abs(x) > 1e-6 else "0"


def _note(found: Slope) -> str:
    if found.side != "both":
        return f"compared from the {found.side} alone, as the other side has no value"
    if found.reach <= NEAR:
        return f"compared with steps below {found.reach:.1g}, where the domain ends"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The comparisons of one `gradcheck`; printed, a table; true only if all are correct.

    Attributes:
        inputs: the derivatives of the function by its inputs, then those of the derivatives for a higher order.
        edges: the local derivatives, of every node by every operand, in the order of the forward pass.
        cause: where a wrong gradient went wrong: "rule", "accumulation", "graph", or "nonfinite", if the local derivatives are
            right, but their product is NaN, as 0·∞ is, or overflows; else empty.
    """

    inputs: tuple[Check, ...]
    edges: tuple[Check, ...]
    cause: Literal["rule", "accumulation", "graph", "nonfinite", ""] = ""

    @property
    def verdict(self) -> Verdict:
        """The first of `VERDICTS` that applies to some derivative."""
        found = {check.verdict for check in (*self.inputs, *self.edges)}
        return next(verdict for verdict in VERDICTS if verdict in found)

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        failing = sorted((c for c in self.edges if c.verdict != "correct"), key=_rank)
        inputs = self.inputs if len(self.inputs) <= MOST else sorted(self.inputs, key=_rank)
        rows = [*inputs[:MOST], *failing[:MOST]]
        left_out = len(self.inputs) + len(failing) - len(rows)
        blocks = [_wrapped(f"{self.verdict}: {self._summary()}."), _table(rows, left_out)]
        reasons: dict[str, list[str]] = {}
        for check in rows:
            if check.reason:
                reasons.setdefault(check.reason, []).append(f"{check.name} at {check.at}")
        if reasons:
            blocks.append("\n".join(_wrapped(f"{'; '.join(of)}: {why}.", "    ") for why, of in reasons.items()))
        right = Counter(c.name.partition("/")[0].removeprefix("∂") for c in self.edges if c.verdict == "correct")
        if right:
            counted = ", ".join(f"{name} {n}" for name, n in right.items())
            blocks.append(_wrapped(f"Local derivatives that are correct: {counted}.", "    "))
        return "\n\n".join(blocks)

    def _summary(self) -> str:
        if self.cause == "rule":
            rules = list(dict.fromkeys(check.name for check in self.edges if check.verdict == "wrong"))
            return f"the local derivative {rules[0]} is wrong" + (f", and {len(rules) - 1} more" if rules[1:] else "")
        if self.cause == "accumulation":
            return "the local derivatives are right, but the backward pass puts them together wrongly"
        if self.cause == "graph":
            return ("local derivatives and backward pass are right, but the graph lacks a part of the function, cut off by "
                    ".data, by float() or by an `if`")  # fmt: skip
        if self.cause == "nonfinite":
            return "the local derivatives are right, but multiplied by the chain rule they give NaN or ∞"
        if self.verdict != "correct":
            return SUMMARIES[self.verdict]
        many, edges = len(self.inputs), len(self.edges)
        return (f"{many} derivative{'s' * (many > 1)} and {edges} local one{'s' * (edges != 1)} agree with numeric ones, and "
                "backward with forward mode")  # fmt: skip


def _rank(check: Check) -> int:
    return VERDICTS.index(check.verdict)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table(checks: Sequence[Check], left_out: int) -> str:
    """Write comparisons in columns: texts to the left, numbers to the right."""
    head = ("derivative", "at", "backward", "numeric", "± error", "verdict")
    rows = [[c.name, c.at, short(c.analytic), *_numeric(c), c.verdict] for c in checks]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    free = WIDTH - 2 * (len(head) - 1) - sum(widths[2:])  # columns for the two texts
    widths[1] = min(widths[1], max(free - widths[0], free // 2))
    widths[0] = min(widths[0], free - widths[1])
    sides: tuple[Callable[[str, int], str], ...] = (str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.ljust)
    lines = [
        "  ".join(side(_cut(cell, width), width) for side, cell, width in zip(sides, row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([*lines, f"… and {left_out} more"] if left_out else lines)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 3]}…{text[len(text) - (most - most // 3 - 1) :]}"


def _numeric(check: Check) -> tuple[str, str]:
    return ("none", "") if math.isnan(check.numeric) else (short(check.numeric), f"{check.error:.1e}".replace("inf", "∞"))
