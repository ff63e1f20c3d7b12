"""A function on a part of a box: enclosures of its value and its gradient.

Three enclosures of a quantity are intersected: the one that the computation returns; the mean value theorem's, from the middle
and the slopes; and, where a slope has one sign so that the quantity is monotone, the values at the ends of that side.

>>> from autograd.certainty.intervals import describe
>>> piece = Piece(Subject(lambda x: x * x - x, {"x": (1.0, 2.0)}))
>>> describe(piece.bounds(VALUE)), describe(piece.enclosure(VALUE))
('[-1, 3]', '[0, 2]')

Source: Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009), chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from autograd.certainty.enclosure import Case, Enclosure, by_cases, derivatives
from autograd.certainty.intervals import EVERYTHING, Interval, add, hull, interval, multiply, subtract
from autograd.certainty.subjects import Box, Subject
from autograd.primitives import DomainError
from autograd.value import topological

__all__ = ["VALUE", "Piece", "halves", "joined", "longest_side", "middle_of"]

VALUE: Final = -1  # stands for the function's value; an entry of the gradient is given by its place
SMALLEST: Final = 2.0**-40  # of a side of the box, below which it is not divided
UNEVEN: Final = 64  # how many times as long as a side that is divided another one may be


class Piece:
    """A part of a box, or a point of it, on which a function is enclosed.

    Where comparisons are open, such as that of an `if` in the function, each case is enclosed separately.

    Attributes:
        is_smooth: whether the function has a value and is continuous on the piece.
        is_condition: whether the function returns a truth value.
        size: the number of operations.
        user_rows: the names of the user-defined ones.  Their rules are not proved, so no bound of a value depends on them.

    Raises:
        DomainError: if the function has no value on the piece.
    """

    def __init__(self, subject: Subject, box: Box | None = None) -> None:
        self.subject, self.box = subject, subject.box if box is None else box
        self.moving = [i for i in subject.moving if not self.box[i].is_point]
        leaves = [Enclosure.leaf(x, name) for x, name in zip(self.box, subject.names, strict=True)]
        try:
            whole, cases = by_cases(lambda: subject(leaves))
        except DomainError as error:
            raise DomainError(f"{subject.title} is undefined at {subject.text(self.box)}, in the box: {error}") from error
        self.cases = [_Case(case, leaves, self.moving) for case in cases]
        self.is_smooth = whole.y is not None and whole.y.is_smooth
        ends = [case.y for case in cases if case.y is not None]
        self.is_condition = any(y.primitive is not None and y.primitive.is_condition for y in ends)
        nodes = [node for y in ends for node in topological(y)]
        self.size = len(nodes) + 1
        rows = {node.primitive for node in nodes}
        self.user_rows = sorted({row.name for row in rows if row and not row.is_in_table})

    def bounds(self, which: int) -> Interval:
        """Return the interval of a quantity that the computation returns."""
        return hull(*[case.quantity(which).bounds for case in self.cases])

    def slopes(self, which: int) -> dict[int, Interval]:
        """Return the derivatives of a quantity with respect to the arguments that have an interval on this piece."""
        found = [case.slopes(which) for case in self.cases]
        return {i: hull(*[slopes[i] for slopes in found]) for i in self.moving}

    @cached_property
    def middle(self) -> Piece:
        """The point in the middle."""
        return Piece(self.subject, tuple(middle_of(x) for x in self.box))

    def enclosure(self, which: int) -> Interval:
        """Return an interval that contains a quantity on this piece."""
        return self.examined(which)[0]

    def examined(self, which: int) -> tuple[Interval, int | None]:
        """Return the enclosure of a quantity, and the side across which to divide; None if the piece is too small for that."""
        found, slopes = self.bounds(which), self._smooth_slopes(which)
        if slopes and not self.user_rows and all(x.is_bounded for x in slopes.values()):
            for other in (self._by_mean_value(which, slopes), self._by_monotonicity(which, slopes)):
                found = Interval(max(found.low, other.low), min(found.high, other.high), found.connected)
        return found, longest_side(self.box, self.subject, slopes)

    def side(self, which: int) -> int | None:
        """Return the side across which to divide for the sake of a quantity; None if the piece is too small for that."""
        return longest_side(self.box, self.subject, self._smooth_slopes(which))

    def _smooth_slopes(self, which: int) -> dict[int, Interval]:
        """Return the slopes of a quantity if it is continuous on the piece, so that its slopes bound it; else an empty dict."""
        # A gradient may jump from case to case, so with several cases only the value is bounded by its slopes.
        is_smooth = self.is_smooth if which == VALUE else len(self.cases) == 1 and self.cases[0].quantity(which).is_smooth
        return self.slopes(which) if is_smooth else {}

    def corner(self, ends: Mapping[int, bool], others: Box = ()) -> Piece:
        """Return the piece with some of its sides reduced to one end.

        Args:
            ends: the end for each such side, by its place: True for the high one, False for the low one.
            others: a box that provides the other sides; by default, the piece's own.
        """
        reduced = {i: self.box[i].high if is_high else self.box[i].low for i, is_high in ends.items()}
        sides = [Interval(reduced[i], reduced[i]) if i in reduced else x for i, x in enumerate(others or self.box)]
        return Piece(self.subject, tuple(sides))

    def _by_mean_value(self, which: int, slopes: Mapping[int, Interval]) -> Interval:
        found = self.middle.bounds(which)
        for i, slope in slopes.items():
            found = add(found, multiply(slope, subtract(self.box[i], self.middle.box[i])))
        return found

    def _by_monotonicity(self, which: int, slopes: Mapping[int, Interval]) -> Interval:
        rises = {i: bool(x.low >= 0) for i, x in slopes.items() if x.low >= 0 or x.high <= 0}
        if not rises:
            return EVERYTHING
        least, most = (self.corner(ends).bounds(which) for ends in ({i: not up for i, up in rises.items()}, rises))
        return Interval(least.low, most.high)


class _Case:
    """A function on a piece, under assumptions; if its result is unknown, every enclosure is `EVERYTHING`."""

    def __init__(self, case: Case, leaves: Sequence[Enclosure], moving: Sequence[int]) -> None:
        self.y, self.assumptions = case
        self.leaves, self.moving = leaves, moving

    def quantity(self, which: int) -> Enclosure:
        if self.y is None:
            return Enclosure.leaf(EVERYTHING)
        found: Enclosure = self.y if which == VALUE else self._gradient[which]
        return found

    @cached_property
    def _gradient(self) -> list[Enclosure]:
        found: list[Enclosure] = self.assumptions.under(derivatives, self.y, self.leaves)
        return found

    def slopes(self, which: int) -> dict[int, Interval]:
        if not self.moving or self.y is None:
            return dict.fromkeys(self.moving, EVERYTHING)
        if which == VALUE:
            return {i: self._gradient[i].bounds for i in self.moving}
        found = self.assumptions.under(derivatives, self._gradient[which], [self.leaves[i] for i in self.moving])
        return {i: g.bounds for i, g in zip(self.moving, found, strict=True)}


def longest_side(box: Box, subject: Subject, slopes: Mapping[int, Interval] | None = None) -> int | None:
    """Return the side across which to divide a piece of a subject's box; None if the piece is too small.

    Args:
        box: the piece.
        subject: the function and the whole box.
        slopes: those of a quantity; the side along which it varies most is preferred.
    """
    shares = {i: box[i].width / subject.box[i].width for i in subject.moving if _is_divisible(box[i])}
    shares = {i: share for i, share in shares.items() if share > SMALLEST}
    if not shares:
        return None
    sizes = {i: slope.size for i, slope in (slopes or {}).items()}
    if all(math.isfinite(sizes.get(i, math.inf)) for i in shares):
        longest = max(shares.values())
        return max((i for i in shares if shares[i] * UNEVEN >= longest), key=lambda i: (sizes[i] * box[i].width, shares[i]))
    return max(shares, key=lambda i: shares[i])


def halves(box: Box, side: int) -> list[Box]:
    """Divide a box across a side."""
    cut = middle_of(box[side]).low
    parts = (box[side]._replace(high=cut), box[side]._replace(low=cut))
    return [(*box[:side], part, *box[side + 1 :]) for part in parts]


def middle_of(x: Interval) -> Interval:
    """Return the float in the middle of an interval between two floats."""
    low, high = float(x.low), float(x.high)
    return interval(low / 2 + high / 2 if high - low == math.inf else low + (high - low) / 2)


def joined(boxes: list[Box]) -> list[Box]:
    """Join pieces that differ along one side only and touch there."""
    found: list[Box] = []
    for box in sorted(boxes, key=lambda box: [float(x.low) for x in box]):
        last = found[-1] if found else box
        differ = [i for i, (x, y) in enumerate(zip(box, last, strict=True)) if x != y]
        if len(differ) == 1 and last[differ[0]].high == box[differ[0]].low:
            i = differ[0]
            found[-1] = (*last[:i], Interval(last[i].low, box[i].high), *last[i + 1 :])
        else:
            found.append(box)
    return found


def _is_divisible(x: Interval) -> bool:
    return bool(x.low < middle_of(x).low < x.high)
