"""A certificate for one graph: its true value and gradient, with its leaves taken as exact numbers.

The graph is computed again on intervals, with the precision doubled each time, until they are narrow enough.  Then the error of
`backward` is known, and also where it arose.  To first order it is a sum over all operations of the forward and the backward
pass: the rounding error of the operation, times the derivative of the gradient with respect to its result.  These are second
derivatives, which the table provides.

>>> from autograd.primitives import tanh
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> certificate = GraphCertificate(tanh(w * x), 20)
>>> certificate.bounds(w)
Bounds(low=Decimal('0.000049153094810665402601'), high=Decimal('0.000049153094810665402602'))
>>> round(certificate.ulps(w)) > 1000, certificate.lost_at(w).primitive.name
(True, 'tanh')
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from flint import arb, ctx

from autograd.certainty.enclosure import Enclosure, derivatives
from autograd.certainty.intervals import Interval, hull, interval
from autograd.certainty.subjects import without_chance
from autograd.certainty.tables import Bounds, Table, Tabular, bits
from autograd.manners import describe
from autograd.mistakes import sorted_pass, totals
from autograd.notation import Notation
from autograd.primitives import DomainError, Primitive
from autograd.rerun import input_places, operand_numbers, refuse_stale
from autograd.symbol import read_flow
from autograd.value import Value, topological
from autograd.writing import digits as rounded

__all__ = ["GraphCertificate"]

DOUBLINGS: Final = 5  # of the precision, after which an open question stays open
MOST_LEAVES: Final = 20  # in a printed table
WIDEST_FORMULA: Final = 30  # characters, there
EVERY_DIGIT: Final = 2.0**53  # ulps beyond which no digit is right
ROUNDED: Final = 0.5001  # ulps that a correctly rounded number may be off


class GraphCertificate(Tabular):
    """Bounds of the value and the gradient of a graph; prints as a table.

    Attributes:
        leaves: the leaves, in the order in which the graph uses them.
        kinks: the nodes at a kink or another point where the rule states a convention or a limit.
        notes: remarks on conventions and branches, as text.
        precision: bits of the last computation.
    """

    def __init__(self, loss: Value, digits: int) -> None:
        self.loss, self.digits, self._order = loss, digits, topological(loss)
        refuse_stale(self._order)
        self._notation = Notation(loss)
        self.leaves = self._notation.leaves
        for leaf in self.leaves:
            if not math.isfinite(leaf.data):
                raise ValueError(f"{describe(leaf)} is not finite; a certificate needs real numbers in all leaves")
        with without_chance(self._notation.names[loss], *{node.primitive for node in self._order}):
            self._compute(digits)

    def _compute(self, digits: int) -> None:
        self.precision = bits(digits)
        for _ in range(DOUBLINGS + 1):
            with ctx.workprec(self.precision):
                self._nodes = self._computed()
                found = derivatives(self._nodes[self.loss], [self._nodes[leaf] for leaf in self.leaves])
                self._value, self._gradient = self._nodes[self.loss].bounds, [g.bounds for g in found]
                if all(_is_narrow(x, digits) for x in (self._value, *self._gradient)):
                    break
            self.precision *= 2
        else:
            self.precision //= 2
        with ctx.workprec(self.precision):
            self.kinks, self.notes = self._conventions()

    @property
    def value(self) -> Bounds:
        """The bounds of the true value."""
        return Bounds.of(self._value, self.digits)

    def bounds(self, leaf: Value | str) -> Bounds:
        """Return the bounds of the true derivative with respect to a leaf.

        Args:
            leaf: the leaf, or its name as in the table.

        Raises:
            ValueError: for anything that is not a leaf of the graph.
        """
        return Bounds.of(self._gradient[self._place(leaf)], self.digits)

    def ulps(self, leaf: Value | str | None = None) -> float:
        """Return the error of `backward()`, in units in the last place of the true derivative; correct rounding leaves ≤ 0.5.

        Args:
            leaf: the leaf, or None for the value of the forward pass.

        Returns:
            The error: ∞ if `backward()` computes ±∞ or NaN and the truth is finite, NaN if the truth has no bounds.
        """
        if leaf is None:
            return self._distance(self.loss.data, self._value)
        place = self._place(leaf)
        return self._distance(self.backward[place], self._gradient[place])

    def lost_at(self, leaf: Value | str | None = None) -> Value | None:
        """Return the node that contributes most to the error of the derivative, or of the value; None if there is no error."""
        return self._largest_error(self.loss if leaf is None else self.leaves[self._place(leaf)])[0]

    @cached_property
    def backward(self) -> list[float]:
        """The gradient that `backward()` computes, for each of `leaves`; no node is changed."""
        sums = {self.loss: 1.0, **totals(sorted_pass(self.loss))}
        return [sums[leaf] for leaf in self.leaves]

    # Computing.

    def _computed(self) -> dict[Value, Enclosure]:
        found = {leaf: Enclosure.leaf(interval(leaf.data), leaf.label) for leaf in self.leaves}
        for node in self._order:
            row = node.primitive
            assert row is not None
            try:
                found[node] = row.apply([found[x] if isinstance(x, Value) else x for x in node.operands])
            except DomainError as error:
                raise DomainError(f"{describe(node)} is a number only because of rounding; exactly, {error}") from None
        return found

    def _conventions(self) -> tuple[tuple[Value, ...], list[str]]:
        """Return the nodes at which a rule states a convention or a limit, and notes on these and on branches."""
        kinks, notes = [], []
        for node in self._order:
            row, operands = node.primitive, [self._nodes[x] if isinstance(x, Value) else x for x in node.operands]
            assert row is not None
            shown = self._shown(node)
            around = _kink_bounds(row, operands)
            if (around is not None and around.low == around.high == 0) or _is_singular(row, operands):
                kinks.append(node)
                slopes = ", ".join(rounded(p) for p in node.partials)
                kind = "a kink or a jump" if around else "a singular point"
                notes.append(f"{shown} is at {kind}; its rule's choice there is certified, the local derivative {slopes}")
            elif around is not None and around.low <= 0 <= around.high:
                kinks.append(node)
                notes.append(f"{shown} is too near a kink or a jump to decide with {self.precision} bits; "
                             "the bounds allow for both sides")  # fmt: skip
            elif _is_at_kink(node):
                notes.append(f"{shown}: because of rounding, backward() is at a kink or a jump, where it may take a "
                             "different branch from the exact numbers")  # fmt: skip
            elif self._took_another_branch(node, operands):
                notes.append(f"{shown}: because of rounding, backward() took a different branch from the exact numbers")
        return tuple(kinks), notes

    def _took_another_branch(self, node: Value, operands: Sequence[Any]) -> bool:
        """Whether gradients flow elsewhere at the exact operands, or a kink or a jump is between these and the rounded ones."""
        row = node.primitive
        assert row is not None
        for i, taken in zip(input_places(node), node.taken, strict=True):
            exact = read_flow(row, i, operands, self._nodes[node])
            if isinstance(exact, Enclosure):
                exact = exact.bounds.truth
            if exact is not None and exact != taken:
                return True
        if not any(node.taken):  # on a flat piece, whose value has no rounding error
            value = self._nodes[node].bounds
            return not value.low <= node.data <= value.high
        if not all(node.taken):  # a choice between operands, and the exact one is the same
            return False
        pairs = zip(_bounds(operands), map(interval, operand_numbers(node)), strict=True)
        around = _kink_bounds(row, [Enclosure.leaf(hull(*pair)) for pair in pairs])
        return around is not None and bool(around.low <= 0 <= around.high)

    def _place(self, leaf: Value | str) -> int:
        names = [self._notation.full[x] for x in self.leaves]
        for i, (x, name) in enumerate(zip(self.leaves, names, strict=True)):
            if leaf is x or (isinstance(leaf, str) and leaf == name):
                return i
        raise ValueError(f"{describe(leaf)} is not a leaf of this graph; its leaves are {', '.join(names[:MOST_LEAVES])}")

    # The error of backward(), and its origin.

    def _distance(self, x: float, truth: Interval) -> float:
        if not truth.is_bounded:
            return 0.0 if truth.low == truth.high == arb(x) else math.nan
        if not math.isfinite(x):
            return math.inf
        with ctx.workprec(self.precision):
            exact = (truth.low + truth.high) / 2
            unit = math.ulp(min(abs(float(exact)), sys.float_info.max))
            return float(abs(arb(x) - exact) / arb(unit))

    def _largest_error(self, what: Value) -> tuple[Value | None, float]:
        """Return the node that contributes most to the error of the value or of a leaf's derivative, and its share."""
        gradients, owners = self._gradients
        y = what if what is self.loss and what.primitive is not None else gradients.get(what, 0.0)
        if not isinstance(y, Value):
            return None, 0.0
        weights, errors = totals(sorted_pass(y)), dict[Value, float]()
        for node in topological(y):
            error = weights.get(node, 0.0) * self._own_error(node)
            if error and math.isfinite(error):
                owner = owners.get(node, node)
                errors[owner] = errors.get(owner, 0.0) + error
        if not any(errors.values()):
            return None, 0.0
        worst = max(errors, key=lambda node: abs(errors[node]))
        return worst, abs(errors[worst]) / sum(map(abs, errors.values()))

    @cached_property
    def _gradients(self) -> tuple[dict[Value, Any], dict[Value, Value]]:
        """The backward pass as nodes: the gradient of each node, and for each node that a rule made, the node of the rule."""
        found: dict[Value, Any] = {self.loss: Value(1.0)}
        owners: dict[Value, Value] = {}
        forward = {*self._order, *self.leaves}
        for node in reversed(self._order):
            row = node.primitive
            if node not in found or row is None:
                continue
            flowing = [i for i, taken in zip(input_places(node), node.taken, strict=True) if taken]
            for i, partial in zip(flowing, row.partials(node.operands, node, flowing), strict=True):
                x = node.operands[i]
                contribution = found[node] * partial
                found[x] = found[x] + contribution if x in found else contribution
                for made in _new_below(found[x], forward, owners):
                    owners[made] = node
        return found, owners

    def _own_error(self, node: Value) -> float:
        """Return the rounding error of a node: its number minus the exact result for the numbers of its operands."""
        row = node.primitive
        assert row is not None
        if row.is_choice or not math.isfinite(node.data):
            return 0.0
        with ctx.workprec(self.precision):
            try:
                exact = row.apply([Enclosure.leaf(interval(x.data if isinstance(x, Value) else x)) for x in node.operands])
            except DomainError:
                return 0.0
            low, high, _ = exact.bounds
            return float(arb(node.data) - (low + high) / 2) if exact.bounds.is_bounded else 0.0

    # Showing.

    @cached_property
    def _table(self) -> Table:
        names = self._notation.names
        off = {x: -math.inf if math.isnan(ulps := self.ulps(x)) else -ulps for x in self.leaves}
        shown = set(sorted(off, key=off.__getitem__)[:MOST_LEAVES])
        rows = [self._row(names[self.loss], self.value, self.loss.data, self.ulps(), self.loss)]
        for leaf in self.leaves:
            if leaf in shown and leaf is not self.loss:
                place = self._place(leaf)
                rows.append(self._row(f"∂{names[leaf]}", self.bounds(leaf), self.backward[place], self.ulps(leaf), leaf))
        left_out = len(self.leaves) - len(shown)
        notes = [*self.notes, *([f"{left_out} more leaves are off by no more than those shown"] if left_out else [])]
        title = f"Certificate of {self._shown(self.loss)}, its leaves taken as exact"
        return Table(title, ("", "true", "backward()", "off by", "lost at"), rows, notes)

    def _row(self, name: str, bounds: Bounds, number: float, ulps: float, what: Value) -> tuple[str, ...]:
        node, share = self._largest_error(what) if ROUNDED < ulps < math.inf else (None, 0.0)
        lost_at = "" if node is None else f"{self._shown(node)} ({share:.0%})"
        return name, str(bounds), repr(number), _error_text(ulps), lost_at

    def _shown(self, node: Value) -> str:
        name, row = self._notation.names[node], node.primitive
        if row is None:
            return name
        formula = self._notation.formula(node).text
        return f"{name} = {formula if len(formula) <= WIDEST_FORMULA else f'{row.name}(…)'}"


def _error_text(ulps: float) -> str:
    if math.isnan(ulps):
        return "no bounds"
    if math.isinf(ulps):
        return "∞"
    return "all digits" if ulps > EVERY_DIGIT else f"{ulps:.3g} ulp"


def _is_narrow(x: Interval, digits: int) -> bool:
    if x.is_point:
        return True
    size = max(abs(x.low), abs(x.high))
    return bool(size.is_finite() and x.high - x.low < size * arb(10) ** -(digits + 1))


def _bounds(operands: Sequence[Any]) -> list[Interval]:
    return [x.bounds if isinstance(x, Enclosure) else interval(x) for x in operands]


def _kink_bounds(row: Primitive, operands: Sequence[Any]) -> Interval | None:
    """Return the interval of the function that is 0 at a row's kinks; None for a row that has none."""
    if row.kink is None:
        return None
    kink = row.kink(*operands)
    return kink.bounds if isinstance(kink, Enclosure) else interval(kink)


def _is_singular(row: Primitive, operands: Sequence[Any]) -> bool:
    """Whether a row that has no kink states a limit or a convention at these operands."""
    bounds = _bounds(operands)
    points = row.singular if row.kink is None else ()
    return any(all(b.low == b.high == arb(x) for b, x in zip(bounds, point, strict=True)) for point in points)


def _is_at_kink(node: Value) -> bool:
    """Whether the rounded numbers of a node's operands are at a kink of its row."""
    assert node.primitive is not None
    kink = node.primitive.kink
    return kink is not None and float(kink(*operand_numbers(node))) == 0


def _new_below(y: Any, forward: set[Value], known: Mapping[Value, Value]) -> Iterator[Value]:
    """Iterate over the nodes below y that are neither part of the forward pass nor known yet."""
    waiting, seen = [y], set[Value]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Value) and node not in forward and node not in known and node not in seen:
            seen.add(node)
            yield node
            waiting.extend(node.inputs)
