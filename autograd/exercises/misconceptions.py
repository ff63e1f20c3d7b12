"""The misconceptions that a wrong answer may come from, each an algorithm that is run on the graph at hand.

Whole passes are those of `autograd.mistakes`.  A misconception about one derivative is a slip: the pass as it should be, with
one partial derivative replaced, at each node where that changes something.  So an explanation names the place.  A
gradient is linear in each partial derivative, so one pass forward from a node gives the results of all slips at once:

    wrong gradient = gradient + ∂loss/∂node · (wrong partial - partial) · ∂input/∂(the node in question)

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> suspects = Suspects(Walk((w * x - 5) ** 2))
>>> sorted({suspect.name for suspect in suspects.of(w) if suspect.gradient == 6.0})
['other-operand']
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import combinations, islice
from typing import Final, NamedTuple

from autograd.derivation import Derivation, tangents_of
from autograd.exercises.tasks import listed
from autograd.mistakes import MISTAKES, RATE, Move, Reading, activations, at_output, plus, read, sorted_pass, totals, unit
from autograd.mistakes import updated_too_soon as update
from autograd.primitives import DomainError
from autograd.steps import Walk
from autograd.symbol import Symbol, fill
from autograd.value import Value
from autograd.writing import parts

__all__ = ["NAMES", "Suspect", "Suspects"]

NAMES: Final = (
    "sign", "overwritten", "path-forgotten", "too-early", "activation-forgotten", "other-operand", "out-for-net", "factor-two",
    "local-only", "upstream-only", "updated-too-soon", "rounded-on-the-way",
)  # fmt: skip
MOST_MOVES: Final = 10_000  # of a pass that may visit nodes again and again
MOST_SHARES: Final = 6  # of which any may be forgotten
WRONG_SIGN: Final = " has the wrong sign"
HALF: Final = 0.5  # points for a pass that goes wrong as a whole


class Suspect(NamedTuple):
    """The result of a misconception for one node.

    Attributes:
        name: the misconception, one of `NAMES`.
        words: an explanation, with the names of the nodes.
        gradient: the gradient that results.
        points: the part of the answer that is still right, from 0 to 1.
    """

    name: str
    words: str
    gradient: float
    points: float


class _Pass(NamedTuple):
    name: str
    words: str
    gradients: Mapping[Value, float]


class Suspects:
    """The results of all misconceptions on one graph.

    Args:
        steps: the walk of the graph, as it should be.
        rate: the learning rate for weights that are updated too soon.
    """

    def __init__(self, steps: Walk, rate: float = RATE) -> None:
        self.steps, self.rate = steps, rate
        self.names, self.number = steps.names, steps.telling.number

    def of(self, node: Value) -> Iterator[Suspect]:
        """Iterate over the results of all misconceptions for the gradient of a node, single slips first."""
        right = self.steps.gradients[node]
        shares = [edge for move in reversed(self.steps.order) if node in move.inputs for edge in self._edges(move, node)]
        n = max(2, sum(1 for _ in Derivation(node, self.steps).links(frozenset())))
        most = (n - 1) / n
        yield from self._single(node, most)
        for name, words, gradients in self._passes:
            if node in gradients:
                yield Suspect(name, words, gradients[node], HALF)
        if len(shares) > 1:
            words = f"only the last use of {self.names[node]} counts, where all uses add up"
            yield Suspect("overwritten", words, self._flow(*shares[-1]), HALF)
        for size in range(len(shares) if len(shares) <= MOST_SHARES else 0):
            for some in combinations(shares, size):
                through = listed(self.names[consumer] for consumer, _, _ in some)
                words = f"only what comes through {through} counts" if some else f"nothing flows back to {self.names[node]}"
                yield Suspect("path-forgotten", words, sum(self._flow(*share) for share in some), size / len(shares))
        for consumer, partial, rule in shares:
            above = f"∂{self._loss}/∂{self.names[consumer]}"
            slope = f"∂{self.names[consumer]}/∂{self.names[node]} = {rule}"
            words = f"this is only the upstream gradient {above}, without the factor {slope}"
            yield Suspect("upstream-only", words, self.steps.gradients[consumer], most)
            words = f"this is only the local derivative {slope}, without the factor {above}"
            yield Suspect("local-only", words, partial, 1 / n)
        if len(shares) > 1:
            yield Suspect("local-only", "this is the sum of the local derivatives only", sum(p for _, p, _ in shares), 1 / n)
        yield from _off_as_a_whole(right, most)

    def readings(self, node: Value, k: int) -> Iterator[Suspect]:
        """Iterate over the results of all misconceptions for the partial derivative of a node with respect to its input k."""
        right = node.partials[k]
        for name, words, partial in self._slips(node, k):
            yield Suspect(name, words, partial, HALF)
        yield from _off_as_a_whole(right, HALF)
        yield Suspect("upstream-only", f"this is ∂{self._loss}/∂{self.names[node]}", self.steps.gradients[node], 0.0)

    def _flow(self, consumer: Value, partial: float, _: str) -> float:
        return self.steps.gradients[consumer] * partial

    @property
    def _loss(self) -> str:
        return self.names[self.steps.loss]

    def _edges(self, consumer: Value, node: Value) -> Iterator[tuple[Value, float, str]]:
        rules = self.steps.telling.rules(consumer)
        for x, partial, rule in zip(consumer.inputs, read(consumer).partials, rules, strict=True):
            if x is node and partial is not None:
                yield consumer, partial, rule.text

    @cached_property
    def _passes(self) -> list[_Pass]:
        loss, activation = self.steps.loss, "the derivatives of all activations are"
        swapped = "every product is differentiated with respect to the other operand"
        replaced = "gradients replace one another where a node is used more than once; they add up"
        early = "a node was visited before all that use it had passed on their share"
        changed = "weights were changed before the pass was over: what is passed on uses the new ones"
        passes = [
            ("sign", "every minus sign is lost", MISTAKES["sign"](loss)),
            ("activation-forgotten", f"{activation} forgotten", MISTAKES["activation-forgotten"](loss)),
            ("out-for-net", f"{activation} taken at their outputs, not at the net inputs", MISTAKES["out-for-net"](loss)),
            ("other-operand", swapped, sorted_pass(loss, self._others)),
            ("factor-two", "the factor 2 of every square is missing", sorted_pass(loss, self._halves)),
            ("overwritten", replaced, MISTAKES["overwrite"](loss)),
            *[("too-early", early, MISTAKES[mistake](loss)) for mistake in ("recursion", "unsorted")],
            *[("updated-too-soon", changed, update(loss, rate)) for rate in dict.fromkeys((self.rate, RATE))],
        ]
        for words, shorten in ROUNDINGS.items():
            for each in (shorten, float):  # local derivatives are rounded, too, or only the results
                moves = self._rounded(shorten, each)
                passes.append(("rounded-on-the-way", f"numbers on the way were rounded to {words}", moves))
        return [_Pass(name, words, totals(islice(moves, MOST_MOVES))) for name, words, moves in passes]

    def _others(self, node: Value) -> Reading:
        """Read the partial derivatives of a product with respect to the other operand."""
        own, rules = read(node).partials, self.steps.telling.rules(node)
        others = [self._other(node, k, rule) if rule.row is None else None for k, rule in enumerate(rules)]
        return Reading([x if other is None else other for x, other in zip(own, others, strict=True)])

    def _halves(self, node: Value) -> Reading:
        """Read the partial derivatives without the factor 2 with which a rule begins."""
        pairs = zip(read(node).partials, self.steps.telling.rules(node), strict=True)
        return Reading([x / 2 if x and rule.text.startswith("2·") else x for x, rule in pairs])

    def _rounded(self, shorten: Callable[[float], float], each: Callable[[float], float]) -> Iterator[Move]:
        """Run both passes with values and gradients shortened by one function, and local derivatives by another."""
        numbers = {x: x.data for x in self.names}  # the given numbers are not rounded
        for node in self.steps.order:
            operands = [numbers[x] if isinstance(x, Value) else x for x in node.operands]
            try:
                numbers[node] = shorten(float(node.primitive.evaluate(operands) if node.primitive else node.data))
            except DomainError:  # rounded out of the domain
                numbers[node] = shorten(node.data)

        def slip(node: Value) -> Reading:
            partials = read(node, numbers).partials
            return Reading([None if partial is None else each(partial) for partial in partials])

        return sorted_pass(self.steps.loss, slip, combine=lambda total, more: shorten(total + more))

    def _single(self, asked: Value, points: float) -> Iterator[Suspect]:
        """Iterate over the gradients of a node that result from one wrong partial derivative."""
        tangents, right = tangents_of(asked, self.steps.order), self.steps.gradients
        for node, k, name, words, change in self._changes:
            x = node.inputs[k]
            if x in tangents and node is not asked:
                yield Suspect(name, words, right[asked] + right.get(node, 0.0) * change * tangents[x], points)

    @cached_property
    def _changes(self) -> list[tuple[Value, int, str, str, float]]:
        """The slips on the whole graph: node, place among its inputs, name, words, and by how much the partial changes."""
        found = []
        for node in reversed(self.steps.order):
            for k, (x, own) in enumerate(zip(node.inputs, read(node).partials, strict=True)):
                for name, words, partial in self._slips(node, k):
                    found.append((node, k, name, words, partial - (own or 0.0)))
                if own is not None and self._uses[x] > 1:
                    words = f"the path through {self.names[node]} = {self.steps.telling.formula(node).text} is forgotten"
                    found.append((node, k, "path-forgotten", words, -own))
        return sorted(found, key=lambda change: change[3].endswith(WRONG_SIGN))  # a lost minus sign explains more

    @cached_property
    def _uses(self) -> dict[Value, int]:
        return Counter(x for node in self.steps.order for x in node.inputs)

    @cached_property
    def _activations(self) -> set[Value]:
        return activations(self.steps.loss)

    def _slips(self, node: Value, k: int) -> Iterator[tuple[str, str, float]]:
        """Iterate over the wrong partial derivatives of a node with respect to its input k: name, words, number."""
        rules, own, x = self.steps.telling.rules(node), read(node).partials[k], node.inputs[k]
        slope = f"∂{self.names[node]}/∂{self.names[x]} = {rules[k].text}"
        if node in self._activations and k == 0:
            words = f"the factor {slope} is left out: the derivative of the activation"
            yield "activation-forgotten", words, _first(unit(node))
            words = f"{slope} is read at {self.names[node]} = {self.number(node.data)}, not at {self.names[x]}"
            yield "out-for-net", words, _first(at_output(node))
            if (swapped := _at_input(node, rules[k])) is not None:
                yield "out-for-net", f"{slope} is computed with {self.names[x]} in place of {self.names[node]}", swapped
        factor = next((x for x in node.inputs if x in self._activations and rules[k].name == self.names[x]), None)
        if factor is not None and rules[k].row is None:
            net = factor.inputs[0]
            yield "out-for-net", f"{slope} is taken as {self.names[net]}, the net input, in place of the output", net.data
        if own is None:
            return
        signless = plus(node).partials[k]
        words = f"the minus sign of {slope} is lost" if signless != own else slope + WRONG_SIGN
        yield "sign", words, -own
        if rules[k].text.startswith("2·"):
            yield "factor-two", f"the factor 2 of {slope} is missing", own / 2
        if own == 0.5 and rules[k].row is None:
            yield "factor-two", f"the factor {slope} is missing", 1.0
        other = self._other(node, k, rules[k])
        if other is not None:
            yield "other-operand", f"{slope}, not {self.number(other)}: the derivative with respect to the other operand", other

    def _other(self, node: Value, k: int, rule: Symbol) -> float | None:
        """Return the derivative with respect to the other operand: of two, the other one's; in a dot, the factor itself."""
        row, operands = node.primitive, node.operands
        if rule.row is None and not rule.name:  # a constant, as in a sum
            return None
        if row is not None and row.arity == 2:
            data = [x.data if isinstance(x, Value) else x for x in operands]
            places = [i for i, x in enumerate(operands) if isinstance(x, Value)]
            try:
                return float(row.partials(data, node.data, [1 - places[k]])[0])
            except DomainError:
                return None
        return node.inputs[k].data if rule.row is None and rule.name else None


def _off_as_a_whole(right: float, points: float) -> Iterator[Suspect]:
    yield Suspect("factor-two", "a factor 2 is missing", right / 2, points)
    yield Suspect("factor-two", "there is a factor 2 too many", right * 2, points)
    yield Suspect("sign", "the sign is wrong", -right, points)


def _first(reading: Reading) -> float:
    return reading.partials[0] or 0.0


def _at_input(node: Value, rule: Symbol) -> float | None:
    """Return a rule that is written with the result, as tanh's 1 - out², with the operand in its place."""
    names = {part.name for part in parts(rule)} - {""}
    try:
        found = float(fill(rule, dict.fromkeys(names, node.inputs[0].data))) if names else math.nan
    except DomainError:
        return None
    return found if math.isfinite(found) else None


def _significant(digits: int) -> Callable[[float], float]:
    return lambda x: float(f"{x:.{digits}g}")


def _decimals(places: int) -> Callable[[float], float]:
    return lambda x: round(x, places) if math.isfinite(x) else x


ROUNDINGS: Final[dict[str, Callable[[float], float]]] = {
    "two decimals": _decimals(2),
    "two digits": _significant(2),
    "one decimal": _decimals(1),
    "one digit": _significant(1),
}
