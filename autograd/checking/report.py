"""All comparisons of one check, as an object with attributes and as text.

The idea: what is wrong comes first, in one sentence; then the numbers, in a table; then the reasons, each written once, with
the derivatives that it holds for.  The text is the report's `repr` too, so that a notebook, a failing `assertTrue` and a
debugger show all of it.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from autograd.checking.verdicts import VERDICTS, Check, Verdict, short

__all__ = ["MOST_ROWS", "Report"]

WIDTH: Final = 100  # columns of a printed report
MOST_ROWS: Final = 12  # rows of each kind that are printed

SUMMARIES: Final[dict[Verdict, str]] = {
    "domain": "the point is at an edge of the domain, where no derivative can be compared",
    "kink": "the point is at a kink or a jump, or next to one",
    "unsure": "the numeric derivative is too uncertain to judge by",
    "vacuous": "a gradient of zero, or of the wrong sign, would pass as well",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report:
    """The comparisons of one `gradcheck`; printed, a table; true only if all are correct.

    Attributes:
        inputs: the derivatives of the function with respect to its inputs, then, for a higher order, those of the derivatives.
        edges: the local derivatives of every node with respect to its operands, in the order of the forward pass.
        cause: where a wrong gradient went wrong: "rule", "accumulation", "graph", or "nonfinite", if the local derivatives are
            right, but their product overflows or is NaN, such as 0·∞; else empty.
        notes: remarks on the whole comparison, such as the precision it was made with.
        source: where the derivatives came from, the head of their column.
    """

    inputs: tuple[Check, ...]
    edges: tuple[Check, ...]
    cause: Literal["rule", "accumulation", "graph", "nonfinite", ""] = ""
    notes: tuple[str, ...] = ()
    source: Literal["backward", "gradient"] = "backward"

    @property
    def verdict(self) -> Verdict:
        """The first of `VERDICTS` that applies to some derivative."""
        found = {check.verdict for check in (*self.inputs, *self.edges)}
        return next(verdict for verdict in VERDICTS if verdict in found)

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        failing = sorted((c for c in self.edges if c.verdict != "correct"), key=_rank)
        inputs = self.inputs if len(self.inputs) <= MOST_ROWS else sorted(self.inputs, key=_rank)
        rows = [*inputs[:MOST_ROWS], *failing[:MOST_ROWS]]
        left_out = len(self.inputs) + len(failing) - len(rows)
        blocks = [_wrapped(f"{self.verdict}: {self._summary()}."), _table(rows, left_out, self.source)]
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
        blocks += [_wrapped(f"Note: {note}.", "    ") for note in self.notes]
        return "\n\n".join(blocks)

    __repr__ = __str__

    def _summary(self) -> str:
        if self.cause == "rule":
            rules = list(dict.fromkeys(check.name for check in self.edges if check.verdict == "wrong"))
            return f"the local derivative {rules[0]} is wrong" + (f", and {len(rules) - 1} more" if rules[1:] else "")
        if self.cause == "accumulation":
            return "the local derivatives are right, but the backward pass combines them wrongly"
        if self.cause == "graph":
            return ("local derivatives and backward pass are right, but the graph lacks a part of the function, cut off by "
                    ".data, by float() or by an `if`")  # fmt: skip
        if self.cause == "nonfinite":
            return "the local derivatives are right, but multiplied together by the chain rule, they give NaN or ∞"
        if self.verdict == "wrong":
            names = [check.name for check in self.inputs if check.verdict == "wrong"]
            more = f", and so {'do' if names[2:] else 'does'} {len(names) - 1} more" if names[1:] else ""
            return f"{names[0]} disagrees with the numeric derivative{more}"
        if self.verdict != "correct":
            return SUMMARIES[self.verdict]
        many, edges = len(self.inputs), len(self.edges)
        if self.source == "gradient":
            return f"{many} derivative{'s' * (many > 1)} agree{'s' * (many == 1)} with the numeric one{'s' * (many > 1)}"
        return (f"{many} derivative{'s' * (many > 1)} and {edges} local one{'s' * (edges != 1)} agree with numeric ones, and "
                "backward with forward mode")  # fmt: skip


def _rank(check: Check) -> int:
    return VERDICTS.index(check.verdict)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table(checks: Sequence[Check], left_out: int, source: str) -> str:
    """Write comparisons in columns: texts to the left, numbers to the right."""
    head = ("derivative", "at", source, "numeric", "± error", "verdict")
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
