"""A certificate for a box: bounds of a function and its gradient that hold at every point, and claims about them.

The box is divided where the bounds are widest.  The next piece to be divided is the one whose enclosure goes furthest beyond
the values that the quantity is known to reach.  The division stops when no enclosure goes beyond them by more than a few
percent of the range, or at the limit on the work.  A claim is a condition: pieces on which it holds prove it; one point where
it fails refutes it.

>>> from autograd.primitives import tanh
>>> certificate = BoxCertificate(Subject(lambda w, x: tanh(w * x), {"w": (-1, 1), "x": 2}), 17)
>>> print(certificate)
Bounds of f on w ∈ [-1, 1], x = 2
       at least   at most   wider than the range by
value  -0.964028  0.964028  0.0%
∂w     0.141301   2         0.0%
∂x     -0.2302...
>>> print(certificate.claim(lambda w: w > 0))
proved on w ∈ [-1, 1], x = 2
>>> print(certificate.lipschitz(1.5))
refuted at w = 0, x = 2

Source: Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009), chapters 6 and 11.
"""

from __future__ import annotations

import heapq
import inspect
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, product
from typing import Any, Final, Literal, NamedTuple

from flint import arb, ctx

from autograd.certainty.enclosure import Enclosure, UndecidedError
from autograd.certainty.intervals import EVERYTHING, Interval, hull, interval
from autograd.certainty.pieces import VALUE, Piece, halves, joined
from autograd.certainty.subjects import Box, Subject
from autograd.certainty.tables import Bounds, Table, Tabular, bits
from autograd.primitives import total
from autograd.reals import real
from autograd.value import Value

__all__ = ["BoxCertificate", "Claim", "claimed", "decide"]

MOST_WORK: Final = 30_000  # operations of the function that one bound or claim may cost, more or less
FEWEST_PIECES: Final = 64  # into which the box may be divided, whatever the work
MOST_PIECES: Final = 2_500
NEAR: Final = 0.03  # of the range: how far the bounds may be from the values that are reached
CORNER_SIDES: Final = 6  # sides whose corners are evaluated first
SHOWN_DIGITS: Final = 6  # of a printed bound
MOST_ROWS: Final = 20
Condition = Callable[[Callable[[int], Interval]], Any]  # its argument is a function from quantities to their bounds
Quantity = tuple[Interval, float]  # bounds, and by what share of the true range they may be wider than it


@dataclass(frozen=True)
class Claim:
    """The verdict on a claim; true only if it is proved.

    Attributes:
        verdict: "proved", "refuted" or "undecided".
        at: for a refuted claim, a point where it is false.
        where: for an undecided claim, the pieces on which it is open, each as pairs by name.
        text: the verdict with its box, point or pieces.
    """

    verdict: Literal["proved", "refuted", "undecided"]
    at: Mapping[str, float] | None
    where: tuple[Mapping[str, tuple[float, float]], ...]
    text: str

    def __bool__(self) -> bool:
        return self.verdict == "proved"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Claim({self.text!r})"


class BoxCertificate(Tabular):
    """Bounds of a function and its gradient on a box; prints as a table.

    They hold at every point of the box at which the function has a value.  The bounds of the gradient are those of the
    derivatives that the rules state; where these are unproved rules of user-defined rows, the certificate names the rows.

    Attributes:
        subject: the function and its box.
        digits: significant digits of the bounds.
    """

    def __init__(self, subject: Subject, digits: int) -> None:
        self.subject, self.digits = subject, digits
        self._precision = bits(digits)
        self._found: dict[int, Quantity] = {}
        self._search(VALUE)

    @property
    def value(self) -> Bounds:
        """The bounds of the value on the box."""
        return Bounds.of(self._search(VALUE)[0], self.digits)

    def bounds(self, name: str | Value) -> Bounds:
        """Return the bounds of the derivative with respect to one argument, on the box.

        Args:
            name: the name of the argument, or of a number in a list, such as ``w[0]``; for a graph, also the leaf itself.

        Raises:
            ValueError: for a name that no argument has.
        """
        return Bounds.of(self._search(self._place(name))[0], self.digits)

    def claim(self, claim: Callable[..., Any]) -> Claim:
        """Decide whether a condition on the value and the gradient holds at every point of the box.

        Args:
            claim: a function that returns a condition.  Its argument `value` stands for the value; one with the name of an
                argument of the certified function stands for the *derivative* with respect to that argument.  Arguments with
                defaults keep them.

        Raises:
            TypeError: for anything but a function, and for a result that is not a condition.
            ValueError: for arguments of other names.

        >>> certificate = BoxCertificate(Subject(lambda w: w * w, {"w": (1.0, 2.0)}), 17)
        >>> bool(certificate.claim(lambda w: w >= 2)), certificate.claim(lambda value: value < 3).at["w"] >= 3**0.5
        (True, True)
        """
        if not callable(claim):
            raise TypeError(f"a claim is a function that returns a condition, such as lambda value: value > 0, not {claim!r}")
        names = [name for name, p in inspect.signature(claim).parameters.items() if p.default is p.empty]
        places = {name: VALUE if name == "value" else self._place(name) for name in names}
        return self._decided(lambda bounds: claim(**{name: Enclosure.leaf(bounds(place)) for name, place in places.items()}))

    def monotone(self, name: str | None = None) -> Claim:
        """Decide whether the function never falls, or never rises, as one argument grows.

        Args:
            name: the argument's name; may be omitted if only one argument has an interval.

        Raises:
            TypeError: if the name is omitted and none or several arguments have an interval.
            ValueError: for a name that no argument has.

        >>> str(BoxCertificate(Subject(lambda x: x * x, {"x": (-1.0, 2.0)}), 17).monotone())
        'refuted: it falls at x = -1 and rises at x = 2'
        """
        place = self._only_moving() if name is None else self._place(name)
        rises = self._decided(lambda bounds: Enclosure.leaf(bounds(place)) >= 0, is_continuous=True)
        falls = rises or self._decided(lambda bounds: Enclosure.leaf(bounds(place)) <= 0, is_continuous=True)
        claim = falls if falls or rises.verdict == "refuted" else rises
        if claim.verdict == "refuted":
            claim = replace(rises, text=f"refuted: it falls at {_spelled(rises.at)} and rises at {_spelled(falls.at)}")
        return self._with_proviso(claim)

    def lipschitz(self, bound: float) -> Claim:
        """Decide whether |f(x) - f(y)| ≤ bound·‖x - y‖ for all x and y in the box, by the Euclidean length of the gradient.

        Args:
            bound: the constant, 0 or more.  Arguments given as numbers stay fixed.

        Raises:
            ValueError: for a constant that is negative or not finite.
        """
        limit = real(bound)
        if not 0 <= limit < math.inf:
            raise ValueError(f"a Lipschitz constant is a finite number, 0 or more, not {bound!r}")

        def condition(bounds: Callable[[int], Interval]) -> Any:
            slopes = [Enclosure.leaf(bounds(i)) for i in self.subject.moving]
            return total([x * x for x in slopes]) <= Enclosure.leaf(interval(limit)) ** 2

        return self._with_proviso(self._decided(condition, is_continuous=True))

    @cached_property
    def _user_rows(self) -> str:
        """The names of the user-defined rows whose rules the derivatives depend on."""
        with ctx.workprec(self._precision):
            return ", ".join(Piece(self.subject).user_rows)

    def _with_proviso(self, claim: Claim) -> Claim:
        """Return a claim that was decided by derivatives, with a proviso if these depend on rules of user-defined rows."""
        rows = self._user_rows
        return replace(claim, text=f"{claim.text}, if the rules of {rows} are right") if rows else claim

    @cached_property
    def _table(self) -> Table:
        names = {"value": VALUE, **{f"∂{name}": i for i, name in enumerate(self.subject.names)}}
        shown = {name: self._search(place) for name, place in [*names.items()][:MOST_ROWS]}
        rows = []
        for name, (found, excess) in shown.items():
            ends = [str(end).replace("Infinity", "∞") for end in Bounds.of(found, SHOWN_DIGITS)]
            rows.append((name, *ends, "∞" if math.isinf(excess) else f"{excess:.1%}"))
        notes = [f"{len(names) - MOST_ROWS} more derivatives; bounds(name) computes each"] if len(names) > MOST_ROWS else []
        if any(excess > 2 * NEAR for _, excess in shown.values()):
            notes.append("the limit on the work was reached before all bounds were near the range; "
                         "a smaller box gives tighter ones")  # fmt: skip
        if self._user_rows:
            notes.append(f"the derivatives are those that the rules of {self._user_rows} state; gradcheck(f, box=…) "
                         "compares them with the function")  # fmt: skip
        title = f"Bounds of {self.subject.title} on {self.subject.text(self.subject.box)}"
        return Table(title, ("", "at least", "at most", "wider than the range by"), rows, notes)

    def _place(self, name: str | Value) -> int:
        called = name.label if isinstance(name, Value) else name
        if called not in self.subject.names:
            raise ValueError(f"{called!r} is not an argument; the arguments are {', '.join(self.subject.names)}")
        return self.subject.names.index(called)

    def _only_moving(self) -> int:
        n = len(self.subject.moving)
        if n == 0:
            raise TypeError(f"no argument has an interval; certify on a box that has one, {self.subject.names[0]}=(low, high)")
        if n > 1:
            raise TypeError(f"{n} arguments have an interval; name one, as in monotone({self.subject.names[0]!r})")
        return self.subject.moving[0]

    def _decided(self, condition: Condition, is_continuous: bool = False) -> Claim:
        with ctx.workprec(self._precision), self.subject.without_chance(condition):
            return decide(self.subject, condition, is_continuous)

    def _search(self, which: int) -> Quantity:
        if which not in self._found:
            with ctx.workprec(self._precision), self.subject.without_chance():
                self._found[which] = _bounded(self.subject, which)
        return self._found[which]


def claimed(subject: Subject, digits: int) -> Claim | None:
    """Decide the claim of a function that returns a condition; return None for a function that returns a number.

    Raises:
        TypeError: for a function that does not compute the same at each call.
    """
    with ctx.workprec(bits(digits)), subject.without_chance():
        whole, again = Piece(subject), Piece(subject)
        is_same = repr(whole.bounds(VALUE)) == repr(again.bounds(VALUE))
        if is_same and (whole.is_condition or whole.middle.is_condition):
            return decide(subject, lambda bounds: bounds(VALUE))
    if not is_same:
        raise TypeError(f"{subject.title} computes something different at each call, as with a counter or a clock, and bounds "
                        "would hold only for some calls; pass what changes as an argument")  # fmt: skip
    return None


class _Waiting(NamedTuple):
    """A piece in a heap: the one whose enclosure goes furthest beyond the range is divided next, across its side.

    The side is None if the piece is too small to be divided.
    """

    negated_excess: arb
    turn: int
    box: Box
    enclosure: Interval
    side: int | None


def _bounded(subject: Subject, which: int) -> Quantity:
    """Divide the box until the bounds of a quantity are near the values that it reaches."""
    whole = Piece(subject)
    heap, numbers, reached = list[_Waiting](), count(), _Range()

    def enter(piece: Piece) -> None:
        enclosure, side = piece.examined(which)
        reached.add(piece.middle.bounds(which))
        excess, number = reached.excess(enclosure), next(numbers)
        # Of pieces without a bound the newest, a smallest one, goes first: if it cannot be divided, the others need not be.
        turn = number if excess.is_finite() else -number
        heapq.heappush(heap, _Waiting(-excess, turn, piece.box, enclosure, side))

    for corner in _corners(whole):
        reached.add(corner.bounds(which))
    enter(whole)
    left, settled = _limit(whole), list[Interval]()
    while heap and left > 0:
        first = heapq.heappop(heap)
        excess = reached.excess(first.enclosure)
        has_shrunk = excess < -first.negated_excess  # more values have been reached since the piece was entered
        if has_shrunk and heap and excess < -heap[0].negated_excess:
            heapq.heappush(heap, first._replace(negated_excess=-excess, turn=next(numbers)))
            continue
        if excess <= reached.tolerance or first.side is None:
            settled.append(first.enclosure)
            reached.allow(first.enclosure)
            continue
        for half in halves(first.box, first.side):
            enter(piece := Piece(subject, half))
            left -= len(piece.cases)
    bounds = hull(*settled, *[waiting.enclosure for waiting in heap])
    return bounds, reached.share(bounds)


def _limit(whole: Piece) -> int:
    """Return the number of pieces into which a box may be divided."""
    return max(FEWEST_PIECES, min(MOST_PIECES, MOST_WORK // whole.size))


class _Range:
    """The values that a quantity is known to reach, and the enclosures that its bounds must contain in any case."""

    def __init__(self) -> None:
        self.low, self.high = EVERYTHING.high, EVERYTHING.low
        self.least, self.most = self.low, self.high

    def add(self, x: Interval) -> None:
        """Enter the value at a point, unless it is unknown there."""
        if x.is_point or x.is_bounded:
            self.low, self.high = min(self.low, x.high), max(self.high, x.low)

    def allow(self, x: Interval) -> None:
        """Enter the enclosure on a piece that is not divided further."""
        self.least, self.most = min(self.least, x.low), max(self.most, x.high)

    def excess(self, x: Interval) -> arb:
        """Return how far an enclosure goes beyond all of these."""
        low, high = self._ends
        return max(_beyond(x, min(low, self.least), max(high, self.most)))

    @property
    def tolerance(self) -> arb:
        """How far a bound may go beyond these."""
        return (self._width + self._negligible) * (NEAR / 2)

    def share(self, bounds: Interval) -> float:
        """Return by what share of the range the bounds may be wider; ∞ where the range seems to be one number."""
        low, high = self._ends
        if low > high:  # no value is known
            return math.inf
        beyond, width = sum(_beyond(bounds, low, high), arb(0)), self._width
        if width > self._negligible:
            return float(beyond / width)
        return math.inf if beyond > self._negligible else 0.0

    @property
    def _ends(self) -> tuple[arb, arb]:
        # The enclosures of a constant's values differ by rounding only, so they overlap; its range is their intersection.
        is_constant = self.high < self.low < EVERYTHING.high
        return (self.high, self.low) if is_constant else (self.low, self.high)

    @property
    def _width(self) -> arb:
        """The width of the range as far as it is known; if one end is infinite, the size of the other."""
        width = self.high - self.low
        return max(arb(0), width) if width.is_finite() else min(abs(self.low), abs(self.high))

    @property
    def _negligible(self) -> arb:
        """A distance too small to matter for numbers of this size."""
        size = max(abs(self.low), abs(self.high))
        return size * 1e-10 if size.is_finite() else arb(0)


def _beyond(x: Interval, low: arb, high: arb) -> tuple[arb, arb]:
    """Return how far an interval goes beyond each of two ends; 0 for an infinite end that it shares."""
    below, above = (arb(0) if end == other else (end - other).upper() for end, other in ((low, x.low), (x.high, high)))
    return max(arb(0), below), max(arb(0), above)


def _corners(piece: Piece) -> Iterator[Piece]:
    """Iterate over the corners of a box; if it has many sides, over some of them."""
    sides = piece.moving[:CORNER_SIDES]
    for ends in product((False, True), repeat=len(sides)):
        chosen = dict(zip(sides, ends, strict=True))
        yield piece.corner(chosen, piece.middle.box)


def decide(subject: Subject, condition: Condition, is_continuous: bool = False) -> Claim:
    """Decide whether a condition holds on all of a box.

    Args:
        subject: the function and the box.
        condition: takes a function from each quantity to its bounds on a piece; returns a bool, an enclosure of a truth
            value, or its interval.
        is_continuous: whether the claim also requires the function to be continuous on the box.
    """
    whole = Piece(subject)
    left, waiting, still_open = _limit(whole), deque([subject.box]), list[Box]()
    points = [*_corners(whole)]
    while waiting or points:
        is_point = bool(points)
        piece = points.pop() if is_point else Piece(subject, waiting.popleft())
        found = _truth(condition, piece.bounds)
        if found is None:  # enclosures by slopes take longer, but may decide
            found = _truth(condition, piece.enclosure)
        if found is False:
            point = piece.middle.box
            return Claim("refuted", subject.point(point), (), f"refuted at {subject.text(point)}")
        if is_point or (found and (piece.is_smooth or not is_continuous)):
            continue
        points.append(piece.middle)
        side = piece.side(VALUE) if left > 0 else None
        if side is None:
            still_open.append(piece.box)
            continue
        left -= 2 * len(piece.cases)
        waiting.extend(halves(piece.box, side))
    if not still_open:
        return Claim("proved", None, (), f"proved on {subject.text(subject.box)}")
    pieces = joined(still_open)
    return Claim("undecided", None, tuple(map(subject.pairs, pieces)), f"undecided on {subject.texts(pieces)}")


def _truth(condition: Condition, bounds: Callable[[int], Interval]) -> bool | None:
    """Return whether a condition holds for all numbers within some bounds; None where it is open."""
    try:
        found = condition(bounds)
    except UndecidedError:
        return None
    if isinstance(found, Enclosure) and found.primitive is not None and found.primitive.is_condition:
        found = found.bounds
    if isinstance(found, Interval):
        return found.truth
    if not isinstance(found, bool):
        raise TypeError(f"a claim is a condition, such as value > 0; this one returned {found!r}")
    return found


def _spelled(point: Mapping[str, float] | None) -> str:
    return ", ".join(f"{name} = {x:.10g}" for name, x in (point or {}).items())
