"""Local derivatives: the value of a row's rule at a node, compared with the numeric derivative of the row's own function.

The idea: a wrong rule shows only where the derivative is not zero.  Where it is zero, such as relu's at -1, any rule that
gives zero would seem right, so the rule is compared at another point as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

from autograd.checking.lines import MOST_SINGLE, Line, directions
from autograd.checking.numeric import slope
from autograd.checking.rounding import Rounded, spread
from autograd.checking.verdicts import HIDDEN, Check, judge, short
from autograd.manners import describe
from autograd.primitives import DomainError, Primitive
from autograd.rerun import input_places, operand_numbers
from autograd.symbol import Symbol, operand_names
from autograd.transforms import gradients
from autograd.value import Value, topological

__all__ = ["Rules", "clearance", "excused"]

PROBES: Final = (-1.5, 0.5, 0.0, 2.5, -0.5, 1.5)  # operands at which to try a rule that is zero at its node


def clearance(kink: Any, line: Line, leaves: Sequence[Value]) -> float:
    """Estimate, to first order, the distance along a line to a kink, where an expression of the leaves is 0; ∞ for none."""
    order = topological(kink) if isinstance(kink, Value) else []
    moved = [leaves[i] for i in line.direction]
    if not {*moved}.intersection(x for node in order for x in (node, *node.inputs)):
        return math.inf
    if kink.data == 0:
        return 0.0
    rate = line.along({i: g.data for i, g in zip(line.direction, gradients(kink, moved), strict=True)})
    return abs(kink.data / rate) if rate else math.inf


def excused(compare: Callable[[float], Check], check: Check, clear: float) -> Check:
    """Turn the verdict of a check from "wrong" into "kink" if a kink nearby spoils the numeric derivative.

    Args:
        compare: compares the derivative with the values of the function up to some distance.
        check: the comparison at any distance, whose verdict is "wrong"; it stays wrong if it has no numeric derivative,
            because there is a kink at the point itself.
        clear: the distance of the kink.
    """
    if math.isnan(check.analytic) or math.isnan(check.numeric):
        return check
    return check if compare(clear).verdict == "wrong" else replace(check, verdict="kink", reason=HIDDEN)


class Rules:
    """The check of local derivatives, node by node; results for the same row at the same numbers are reused."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.known: dict[tuple[Any, ...], Check] = {}
        self.elsewhere: dict[tuple[Primitive, int, int], Check | None] = {}

    def check(self, node: Value, repeat: bool) -> Iterator[Check]:
        """Compare the partial derivatives that a node recorded with the values of its row.

        Args:
            node: the result of an operation.
            repeat: whether to yield known results again, for a node of the same row at the same numbers.
        """
        row = node.primitive
        assert row is not None
        data, which = operand_numbers(node), input_places(node)
        partials = dict(zip(which, node.partials, strict=True))
        if len(which) > MOST_SINGLE:
            across = [self._judge(row, data, line, partials) for line in directions(data, which, self.rng)]
            if not any(check.verdict == "wrong" for check in across):
                yield from (replace(check, node=node) for check in across)
                return
        for i in which:
            key = (row, i, *data, partials[i])
            if key in self.known and not repeat:
                continue
            if key not in self.known:
                self.known[key] = self._one(row, data, i, partials)
            check = self.known[key]
            where = f", in {describe(node)}" if check.verdict == "wrong" else ""
            yield replace(check, node=node, operand=i, reason=check.reason + where)

    def _one(self, row: Primitive, data: Sequence[float], i: int, partials: Mapping[int, float]) -> Check:
        """Compare one partial derivative; if it is 0, compare its rule also at a point where it is not."""
        line = _axis(row, data, i)
        if row.is_choice and i == 0:  # a condition, which has no neighbours
            check = Check(f"∂{row.name}/∂{line.name}", line.at, partials[i], 0.0, 0.0, "correct", is_flat=True)
            return replace(check, verdict="wrong", reason="a condition has no derivative but 0") if partials[i] else check
        check = self._judge(row, data, line, partials)
        if not check.is_flat:
            return check
        key = (row, i, len(data))
        if key not in self.elsewhere:
            self.elsewhere[key] = self._try_elsewhere(row, i, len(data))
        other = self.elsewhere[key]
        if other is None:
            return check
        hidden = f"{short(check.analytic)} cannot be told from 0 here" if check.analytic else ""
        if other.verdict == "wrong":
            reason = f"{hidden or '0 is right here'}; at {other.at} {other.reason}"
            return replace(check, verdict="wrong", reason=reason)
        return replace(check, verdict="correct", reason=f"{hidden or '0 here'}; its rule was compared at {other.at} as well")

    def _try_elsewhere(self, row: Primitive, i: int, n: int) -> Check | None:
        """Compare a rule at a point where it is not 0; return None if no probe is such a point."""
        for k in range(len(PROBES)):
            data = [PROBES[(k + 2 * j) % len(PROBES)] for j in range(n)]
            try:
                [partial] = row.partials(data, row.evaluate(data), [i])
            except DomainError:
                continue
            check = self._judge(row, data, _axis(row, data, i), {i: float(partial)})
            if check.verdict == "wrong" or (check.verdict == "correct" and not check.is_flat):
                return check
        return None

    def _judge(self, row: Primitive, data: Sequence[float], line: Line, partials: Mapping[int, float]) -> Check:
        which = list(line.direction)
        out = row.evaluate(data)

        def run() -> tuple[float, ...]:
            rounded = [Rounded(x, self.rng) for x in data]
            nearly = row.apply(rounded)
            rules = row.partials(rounded, nearly, which)
            return float(nearly), line.along({i: float(rule) for i, rule in zip(which, rules, strict=True)})

        analytic = line.along(partials)
        noise, doubt = spread(run)

        def compare(clear: float) -> Check:
            found = slope(line.near(lambda point: float(row.evaluate(point)), clear), line.start, noise)
            return judge(f"∂{row.name}/∂{line.name}", line.at, analytic, found, 2 * doubt + 8 * math.ulp(analytic))

        check = compare(math.inf)
        if check.verdict == "wrong" and len(which) == 1:
            if row.kink is not None:
                values = [Value(x) for x in data]
                check = excused(compare, check, clearance(row.kink(*values), line, values))
                if check.verdict != "wrong":
                    return check
            rule = _rule(row, data, out, which[0])
            check = replace(check, reason=check.reason.replace("it is", f"the rule{rule} gives"))
        return check


def _axis(row: Primitive, data: Sequence[float], i: int) -> Line:
    """Return the line along which one operand of a row moves."""
    shown = range(len(data)) if len(data) <= 3 else [i]
    names = operand_names(row, len(data))
    at = ", ".join(f"{names[j]} = {short(data[j])}" for j in shown) + (", …" if len(data) > 3 else "")
    return Line(names[i], at, data[i], data, {i: 1.0})


def _rule(row: Primitive, data: Sequence[float], out: float, i: int) -> str:
    """Write a rule as a formula with a space before it; return an empty string if it cannot be written or is a number."""
    symbols = [*map(Symbol, operand_names(row, len(data)), data)]
    try:
        [rule] = row.partials(symbols, Symbol("out", out), [i])
    except Exception:  # a rule that takes only numbers cannot be written
        return ""
    return f" {rule.text}" if isinstance(rule, Symbol) else ""
