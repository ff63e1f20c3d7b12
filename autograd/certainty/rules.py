"""Compares rules with the functions of their rows on whole boxes, by the mean value theorem.

The mean slope of a function that is continuous on a segment is the mean of its derivative there.  So if a rule is right, an
enclosure of its mean on the segment contains the mean slope.  If it does not, the rule is proved wrong.  Otherwise the box is
divided, first where the rule varies most, since an error may hide there; how much it still varies on the final pieces is the
sharpness of the comparison.

>>> from autograd.primitives import Unary, tanh, where
>>> spoilt = Unary("spoilt", tanh.function, lambda x, out: (1 - out * out) * where(abs(x - 0.5) < 0.005, 1.1, 1))
>>> print(check(spoilt, {"x": (0.0, 1.0)}))
wrong: the rule ∂spoilt/∂x is not the derivative of the function on x ∈ [0, 1]
...
∂spoilt/∂x  wrong  ...
>>> check(tanh, {"x": (-1.0, 1.0)}).verdict
'correct'

A row whose function may jump, or have no value, on a segment cannot be judged there: the piece is divided until it is tiny, and
undecided pieces are listed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal, NamedTuple

from flint import ctx

from autograd.certainty.enclosure import Enclosure, UndecidedError, by_cases, derivatives
from autograd.certainty.intervals import EVERYTHING, Interval, add, describe, divide, hull, interval, multiply, subtract
from autograd.certainty.pieces import Piece, halves, joined, longest_side, middle_of
from autograd.certainty.subjects import Box, Subject
from autograd.certainty.tables import Table, Tabular
from autograd.primitives import DomainError, Primitive
from autograd.rows import TABLE
from autograd.symbol import operand_names
from autograd.value import Value, topological

__all__ = ["BoxReport", "RuleOnBox", "check"]

COARSEST: Final = 1 / 256  # largest share of the box for a final piece: an error on a hundredth of the box fills a piece
FINE: Final = 0.01  # sharpness at which the box is not divided further
ENOUGH: Final = 0.25  # largest uncertainty of a rule's mean on a segment, as a share of its size, at which it is judged
MOST_WORK: Final = 5_000  # comparisons of a rule on a piece, more or less
FEWEST_PIECES: Final = 64  # into which the box may be divided, whatever the work
MOST_PIECES: Final = 1_500
SMALL: Final = 1 / 16  # share of the largest slope that a rule's size is at least taken to be, with several arguments
Verdict = Literal["wrong", "undecided", "correct"]
Rule = tuple[Primitive, int]  # a row, and the place of an operand


class Spread(NamedTuple):
    """By what share of its size a rule may vary on a piece: from point to point, and in its mean on the compared segment.

    At a kink the slopes of both sides count, so neither number says anything about errors of the rule.
    """

    pointwise: float = 0.0
    mean: float = 0.0
    is_kink: bool = False


UNKNOWN: Final = Spread(math.inf, math.inf)


@dataclass(frozen=True)
class RuleOnBox:
    """The verdict on one rule on a box.

    Attributes:
        name: the rule's name, such as ``∂tanh/∂x``.
        verdict: "wrong", which is a proof; "undecided"; or "correct".
        sharpness: the largest share of its size by which the rule varies on a piece; a smaller error may have stayed hidden
            there.
        where: the piece on which it is wrong, or those on which it is undecided, as pairs by name.
        reason: why it is not correct, or an empty string.
    """

    name: str
    verdict: Verdict
    sharpness: float
    where: tuple[Mapping[str, tuple[float, float]], ...] = ()
    reason: str = ""


@dataclass(frozen=True, repr=False)
class BoxReport(Tabular):
    """The verdicts on all rules that a function uses, on a box; prints as a table; true only if all rules are correct.

    Attributes:
        rules: the verdict on each rule.
        box: the box, as text.
    """

    rules: tuple[RuleOnBox, ...]
    box: str

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts: "wrong", "undecided" or "correct"."""
        found = {rule.verdict for rule in self.rules}
        return "wrong" if "wrong" in found else "undecided" if "undecided" in found else "correct"

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    @property
    def _table(self) -> Table:
        these = [rule.name for rule in self.rules if rule.verdict == self.verdict]
        many = len(these) > 1
        what = {
            "wrong": f"the rule{'s' * many} {', '.join(these)} {'are' if many else 'is'} not the derivative of the function",
            "undecided": f"{', '.join(these)} cannot be judged everywhere",
            "correct": f"{len(these)} rule{'s agree' if many else ' agrees'} with the function{'s' * many}",
        }[self.verdict] if these else "no rule is used"  # fmt: skip
        shown = [f"{rule.sharpness:.1%}" if rule.verdict == "correct" else "" for rule in self.rules]
        rows = [(x.name, x.verdict, sharpness, x.reason) for x, sharpness in zip(self.rules, shown, strict=True)]
        return Table(f"{self.verdict}: {what} on {self.box}", ("rule", "verdict", "sharpness", "where"), rows)


def check(f: Callable[..., Any] | Value, box: Mapping[str, Any]) -> BoxReport:
    """Compare the rules that a function uses with their rows' functions on a box; see `autograd.checking.gradcheck`."""
    subject = Subject(f, box)
    with ctx.workprec(128), subject.without_chance():
        return _Search(subject).report()


class _Search:
    """The division of a box, piece by piece, until every rule varies little on each."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.scales: dict[Rule, float] = {}  # the largest slope that was met, of each rule's function
        self.wrong: dict[Rule, tuple[Box, str]] = {}
        self.outside: list[Box] = []  # pieces on which the function has no value
        self.settled: list[tuple[Box, dict[Rule, Spread]]] = []  # pieces too small to be divided
        self.heap: list[tuple[float, int, Box, dict[Rule, Spread]]] = []
        self.numbers = count()
        self.is_argument = False  # whether the result is an argument itself, perhaps a chosen one, so that no rule is used
        if not subject.moving:
            raise ValueError(f"no argument has an interval: {subject.text(subject.box)}; give one a pair, (low, high)")
        self._enter(subject.box)
        if self.outside:
            Piece(subject)  # raises, since the function has no value anywhere
        if not self.scales and not self.outside and not self.is_argument:
            raise ValueError(f"{subject.title} depends on none of its arguments on {subject.text(subject.box)}")
        self._divide()

    def _divide(self) -> None:
        left = max(FEWEST_PIECES, min(MOST_PIECES, MOST_WORK // max(1, len(self.scales))))
        while self.heap and left > 0:
            negated_spread, _, box, spread = self.heap[0]
            if -negated_spread <= FINE and _volume(box, self.subject) <= COARSEST:
                return
            heapq.heappop(self.heap)
            side = longest_side(box, self.subject)
            if side is None:
                self.settled.append((box, spread))
                continue
            for half in halves(box, side):
                self._enter(half)
                left -= 1

    def _enter(self, box: Box) -> None:
        try:
            piece = Piece(self.subject, box)
        except DomainError:
            self.outside.append(box)
            return
        self.is_argument = self.is_argument or any(x is case.y for case in piece.cases for x in case.leaves)
        spread: dict[Rule, Spread] = {}
        seen = set[tuple[Any, ...]]()
        for node in [node for case in piece.cases if case.y is not None for node in topological(case.y)]:
            for rule, sides in _edges(node):
                use = (rule, *map(id, node.operands))
                if rule in self.wrong or use in seen:
                    continue
                seen.add(use)
                found, reason = self._compare(rule, sides)
                spread[rule] = Spread._make(map(max, found, spread.get(rule, found)))  # the larger of each field
                if reason:
                    self.wrong[rule] = box, reason
        self._keep(box, spread)

    def _keep(self, box: Box, spread: dict[Rule, Spread]) -> None:
        widest = max((found.pointwise for found in spread.values()), default=0.0)
        if _volume(box, self.subject) > COARSEST:
            widest = max(widest, 2 * FINE)
        heapq.heappush(self.heap, (-widest, next(self.numbers), box, spread))

    def _compare(self, rule: Rule, sides: Box) -> tuple[Spread, str]:
        """Return by what share a rule varies on a piece, and why it is wrong, or an empty string."""
        row, i = rule
        line = [side if j == i else middle_of(side) for j, side in enumerate(sides)]
        ends = [Interval(end, end) for end in line[i][:2]]
        everywhere, along = _rule(row, sides, i), _mean(row, line, i)
        try:
            on_line = _value(row, line)
            low, high = (_value(row, [*line[:i], end, *line[i + 1 :]]).bounds for end in ends)
        except (DomainError, UndecidedError):  # an edge of the domain; or an `if` of the row's own function is open
            self.scales.setdefault(rule, 0.0)
            return UNKNOWN, ""
        slope = divide(subtract(high, low), subtract(ends[1], ends[0]))
        scale = self.scales[rule] = max(self.scales.get(rule, 0.0), slope.size if slope.is_bounded else 0.0)
        if slope.high < along.low or slope.low > along.high:
            if not on_line.is_smooth:
                return UNKNOWN, ""
            names = operand_names(row, len(line))
            fixed = [(j, x) for j, x in enumerate(line) if j != i and len(line) < 4]
            others = "".join(f", {names[j]} = {describe(x)}" for j, x in fixed)
            return Spread(), (f"{names[i]} ∈ {describe(sides[i])}{others} the rule's mean is {describe(along)}, the slope's "
                         f"{describe(slope)}")  # fmt: skip
        if not everywhere.is_bounded:
            return UNKNOWN, ""
        size = everywhere.size
        if everywhere.low <= 0 <= everywhere.high:
            size = scale
        elif len(self.subject.moving) > 1:  # else all pieces would go to where the rule is nearly 0
            size = max(size, scale * SMALL)
        return Spread(_share(everywhere, size), _share(along, size), on_line.is_smooth and _has_kink(row, sides)), ""

    def report(self) -> BoxReport:
        """Return the verdicts on all rules."""
        return BoxReport(tuple(map(self._verdict, self.scales)), self.subject.text(self.subject.box))

    def _verdict(self, rule: Rule) -> RuleOnBox:
        row, i = rule
        name = f"∂{row.name}/∂{operand_names(row, i + 1)[i]}"
        if rule in self.wrong:
            box, reason = self.wrong[rule]
            return RuleOnBox(name, "wrong", math.inf, (self.subject.pairs(box),), f"{self.subject.text(box)}: {reason}")
        spreads = [(box, spread.get(rule, Spread())) for box, spread in [*self.settled, *[entry[2:] for entry in self.heap]]]
        vague = [box for box, found in spreads if found.mean > ENOUGH and not (found.is_kink and math.isfinite(found.mean))]
        pieces = joined([*self.outside, *vague])
        if not pieces:
            return RuleOnBox(name, "correct", max((x.pointwise for _, x in spreads if not x.is_kink), default=0.0))
        where, shown = tuple(map(self.subject.pairs, pieces)), self.subject.texts(pieces)
        return RuleOnBox(name, "undecided", math.inf, where, f"{shown}: a jump, an edge of the domain or a steep place")


def _edges(node: Value) -> Iterator[tuple[Rule, Box]]:
    """Iterate over the operands of a node that have an interval, with the intervals of all."""
    row = node.primitive
    assert row is not None
    sides = tuple([Interval(x.bounds.low, x.bounds.high) for x in node.operands])
    for i, side in enumerate(sides):
        if not side.is_point and side.is_bounded and not (row.is_choice and i == 0):
            yield (row, i), sides


def _value(row: Primitive, sides: Sequence[Interval]) -> Enclosure:
    found = row.apply([Enclosure.leaf(side) for side in sides])
    assert isinstance(found, Enclosure)
    return found


def _rule(row: Primitive, sides: Sequence[Interval], i: int) -> Interval:
    """Return an interval that contains a rule's values on a piece; where a choice is open, those of each case."""
    leaves = [Enclosure.leaf(side) for side in sides]

    def run() -> Enclosure:
        [rule] = row.partials(leaves, row.apply(leaves), [i])
        return rule if isinstance(rule, Enclosure) else Enclosure.leaf(interval(float(rule)))

    try:
        return hull(*[EVERYTHING if case.y is None else case.y.bounds for case in by_cases(run)[1]])
    except DomainError:
        return EVERYTHING


def _mean(row: Primitive, line: Sequence[Interval], i: int) -> Interval:
    """Return an interval that contains the mean of a rule on a segment.

    The range of the rule contains its mean.  If the rule is a formula of rows of the table and smooth on the segment, there is
    a tighter bound: on a segment of length h with middle m, if the slopes of the rule r are between s and t, its mean is
    r(m) ± (t - s)·h/8.
    """
    found, leaves = _rule(row, line, i), [Enclosure.leaf(side) for side in line]
    try:
        [rule] = row.partials(leaves, row.apply(leaves), [i])
        if not isinstance(rule, Enclosure) or not rule.is_smooth:
            return found
        if not {node.primitive for node in topological(rule)} <= {row, *TABLE.values()}:
            return found
        [slope] = derivatives(rule, [leaves[i]])
        ends = [Interval(end, end) for end in line[i][:2]]
        middle = _rule(row, [*line[:i], divide(add(*ends), interval(2.0)), *line[i + 1 :]], i)
    except (DomainError, UndecidedError):
        return found
    if not (slope.bounds.is_bounded and middle.is_bounded):
        return found
    length, spread = subtract(ends[1], ends[0]), subtract(slope.bounds, slope.bounds)
    best = add(middle, divide(multiply(spread, length), interval(8.0)))
    return Interval(max(found.low, best.low), min(found.high, best.high))


def _has_kink(row: Primitive, sides: Sequence[Interval]) -> bool:
    """Whether a piece may contain a kink that the row names, so that the slopes on it are far apart."""
    if row.kink is None:
        return False
    kink = row.kink(*[Enclosure.leaf(side) for side in sides])
    return not isinstance(kink, Enclosure) or bool(kink.bounds.low <= 0 <= kink.bounds.high)


def _volume(box: Box, subject: Subject) -> float:
    """Return what share of a subject's box a piece is."""
    return math.prod(box[i].width / subject.box[i].width for i in subject.moving)


def _share(x: Interval, size: float) -> float:
    return x.width and (x.width / size if size else math.inf)
