"""The misconceptions that may explain a wrong answer, each an algorithm that runs on the graph at hand.

Whole passes come from `autograd.mistakes`.  A misconception about one derivative is a slip: the correct pass with one partial
derivative replaced.  Slips are tried at every node where they change something, so an explanation can name the place.  A
gradient is linear in each partial derivative, so one forward pass of tangents gives the results of all slips at once:

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations, islice
from typing import Any, Final, NamedTuple, cast

from autograd.derivation import Derivation, tangents_of
from autograd.exercises.answers import differs
from autograd.exercises.tasks import listed
from autograd.mistakes import MISTAKES, RATE, Move, Reading, activations, at_output, read, signless, sorted_pass, totals, unit
from autograd.mistakes import updated_too_soon as update
from autograd.notation import is_condition
from autograd.primitives import DomainError, Primitive, dot, multiply
from autograd.rerun import input_places, operand_numbers
from autograd.steps import Walk
from autograd.symbol import Symbol, fill
from autograd.value import Value
from autograd.writing import PLAIN, parts

__all__ = ["NAMES", "Suspect", "Suspects"]

NAMES: Final = (
    "sign", "overwritten", "path-forgotten", "too-early", "activation-forgotten", "other-operand", "other-branch",
    "out-for-net", "factor-two", "local-only", "upstream-only", "updated-too-soon", "rounded-too-early", "ascent",
    "rate-forgotten",
)  # fmt: skip
MOST_MOVES: Final = 10_000  # of a pass that may visit nodes again and again
MOST_SHARES: Final = 6  # contributions to a node, up to which any subset may be forgotten
WRONG_SIGN: Final = " is taken with the wrong sign"
HALF: Final = 0.5  # points for a pass that goes wrong as a whole


class Suspect(NamedTuple):
    """The result of a misconception for one node.

    Attributes:
        name: the misconception, one of `NAMES`.
        words: an explanation, with the names of the nodes.
        gradient: the gradient that results; after a step of gradient descent, the number of the leaf.
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


class _Share(NamedTuple):
    """The contribution of a consumer to the node in question, which is its input k."""

    consumer: Value
    k: int
    partial: float
    flow: float


class Suspects:
    """The results of all misconceptions on one graph.

    Args:
        steps: the walk of the graph, as it should be.
        rate: the learning rate for weights that are updated too soon.
    """

    def __init__(self, steps: Walk, rate: float = RATE) -> None:
        self.steps, self.rate = steps, rate
        self.names, self.number = steps.names, steps.notation.number
        self._activations = activations(steps.loss)

    def of(self, node: Value) -> Iterator[Suspect]:
        """Iterate over the results of all misconceptions for the gradient of a node, single slips first."""
        n_factors = max(2, sum(1 for _ in Derivation(node, self.steps).links(frozenset())))
        most = (n_factors - 1) / n_factors  # points if one factor is wrong
        yield from self._single(node, most)
        for name, words, gradients in self._passes:
            if node in gradients:
                yield Suspect(name, words, gradients[node], HALF)
        yield from self._incomplete(node, n_factors)
        yield from _off_as_a_whole(self.steps.gradients[node], most)

    def _incomplete(self, node: Value, n_factors: int) -> Iterator[Suspect]:
        """Iterate over the gradients that lack contributions, or one of the two factors of a contribution."""
        shares = [share for consumer in reversed(self.steps.order) for share in self._shares(consumer, node)]
        most, least = (n_factors - 1) / n_factors, 1 / n_factors  # points if one factor is wrong; if only one is right
        if len(shares) > 1:
            words = f"this is only the last contribution, from {self._sources(shares[-1:], shares)}; all contributions add up"
            yield Suspect("overwritten", words, shares[-1].flow, HALF)
        for size in range(len(shares) if len(shares) <= MOST_SHARES else 0):
            for some in combinations(shares, size):
                words = f"this would be the result if nothing flowed back to {self.names[node]}"
                if some:
                    words = f"this counts only what comes directly from {self._sources(some, shares)}"
                yield Suspect("path-forgotten", words, sum(share.flow for share in some), size / len(shares))
        for consumer, k, partial, _ in shares:
            above, slope = f"∂{self._loss}/∂{self.names[consumer]}", self._slope(consumer, k)
            words = f"this is only the upstream gradient {above}, without the factor {slope}"
            yield Suspect("upstream-only", words, self.steps.gradients[consumer], most)
            words = f"this is only the local derivative {slope}, without the factor {above}"
            yield Suspect("local-only", words, partial, least)
        if len(shares) > 1:
            words = "this is the sum of the local derivatives only"
            yield Suspect("local-only", words, sum(share.partial for share in shares), least)

    def readings(self, node: Value, k: int) -> Iterator[Suspect]:
        """Iterate over the results of all misconceptions for the partial derivative of a node with respect to its input k."""
        right = node.partials[k]
        for name, words, partial in self._slips(node, k, is_question=True):
            yield Suspect(name, words, partial, HALF)
        yield from _off_as_a_whole(right, HALF)
        upstream = f"this is the upstream gradient ∂{self._loss}/∂{self.names[node]}"
        yield Suspect("upstream-only", upstream, self.steps.gradients[node], 0.0)

    def after_step(self, node: Value, rate: float) -> Iterator[Suspect]:
        """Iterate over the results of all misconceptions for a leaf after a step of gradient descent.

        A number that a mistake in the step itself explains is not blamed on the gradient.
        """
        old, gradient, slope = node.data, self.steps.gradients[node], f"∂{self._loss}/∂{self.names[node]}"
        uphill = f"this goes uphill: η·{slope} is added, not subtracted, or {slope} has the wrong sign"
        whole = f"the factor η = {rate:g} of the step is left out"
        own = [Suspect("ascent", uphill, old + rate * gradient, HALF), Suspect("rate-forgotten", whole, old - gradient, HALF)]
        yield from own
        for suspect in self.of(node):
            new = old - rate * suspect.gradient
            if all(differs(new, each.gradient, old) for each in own):
                yield suspect._replace(gradient=new)

    @property
    def _loss(self) -> str:
        return self.names[self.steps.loss]

    def _shares(self, consumer: Value, node: Value) -> Iterator[_Share]:
        for k, (x, partial) in enumerate(zip(consumer.inputs, read(consumer).partials, strict=True)):
            if x is node and partial is not None:
                yield _Share(consumer, k, partial, self.steps.gradients[consumer] * partial)

    def _sources(self, some: Sequence[_Share], shares: Sequence[_Share]) -> str:
        """Name the consumers that some shares come from, with the operand where only some of a consumer's shares are meant."""
        whole, part = Counter(share.consumer for share in shares), Counter(share.consumer for share in some)
        names = [self.names[x] + f" (operand {k})" * (part[x] < whole[x]) for x, k, _, _ in some]
        return listed(names)

    def _slope(self, node: Value, k: int, is_question: bool = False) -> str:
        """Write a partial derivative with its rule: ∂v1/∂w = x; for an operand that occurs twice, also which one is meant.

        If the derivative is the question, its rule is left out, because that is the answer.
        """
        x, rule = node.inputs[k], self.steps.notation.rules(node)[k]
        which = f" (operand {k})" * (node.inputs.count(x) > 1)
        return f"{self.steps.notation.slope(node, x, PLAIN)}{which}" + f" = {rule.text}" * (not is_question)

    @cached_property
    def _passes(self) -> list[_Pass]:
        loss, so = self.steps.loss, "this would be the result if"
        forgotten = "the derivatives of all activations are forgotten"
        at_outputs = "this takes the derivatives of all activations at their outputs, not at the net inputs"
        swapped = f"{so} every product were differentiated with respect to the other operand"
        replaced = f"{so} gradients replaced one another where a node is used more than once; they should add up"
        early = "a node was visited before all nodes that use it had passed on their shares"
        changed = "weights were updated before the pass was over, so later contributions used the new ones"
        passes = [
            ("sign", f"{so} every local derivative lost the minus sign in front of it", MISTAKES["sign"](loss)),
            ("activation-forgotten", forgotten, MISTAKES["activation-forgotten"](loss)),
            ("out-for-net", at_outputs, MISTAKES["out-for-net"](loss)),
            ("other-operand", swapped, sorted_pass(loss, self._others)),
            ("other-branch", f"{so} every choice had taken the other branch", sorted_pass(loss, self._untaken)),
            ("factor-two", f"{so} every local derivative lost the factor 2 in front of it", sorted_pass(loss, self._halves)),
            ("overwritten", replaced, MISTAKES["overwrite"](loss)),
            *[("too-early", early, MISTAKES[mistake](loss)) for mistake in ("recursion", "unsorted")],
            *[("updated-too-soon", changed, update(loss, rate)) for rate in dict.fromkeys((self.rate, RATE))],
        ]
        for words, shorten in ROUNDINGS.items():
            for shorten_partial in (shorten, float):  # local derivatives are rounded as well, or only values and gradients
                moves = self._rounded(shorten, shorten_partial)
                passes.append(("rounded-too-early", f"intermediate results were rounded to {words}", moves))
        return [_Pass(name, words, totals(islice(moves, MOST_MOVES))) for name, words, moves in passes]

    def _others(self, node: Value) -> Reading:
        """Read the partial derivatives of a product with respect to the other operand."""
        own, rules = read(node).partials, self.steps.notation.rules(node)
        is_product = node.primitive in (multiply, dot)
        others = [self._other(node, k, rule) if is_product else None for k, rule in enumerate(rules)]
        return Reading([x if other is None else other for x, other in zip(own, others, strict=True)])

    def _untaken(self, node: Value) -> Reading:
        """Read the partial derivatives of a choice as if it had taken the branches that it did not take."""
        own = read(node).partials
        return Reading([1.0 if x is None else None for x in own] if self._chooses(node) else own)

    def _chooses(self, node: Value) -> bool:
        """Whether a node returns one of its inputs, and the others are not taken."""
        return node not in self._activations and {*read(node).partials} == {None, 1.0}

    def _halves(self, node: Value) -> Reading:
        """Read the partial derivatives without the factor 2 at the beginning of their rules."""
        pairs = zip(read(node).partials, self.steps.notation.rules(node), strict=True)
        return Reading([x / 2 if x and _is_doubled(rule) else x for x, rule in pairs])

    def _rounded(self, shorten: Callable[[float], float], shorten_partial: Callable[[float], float]) -> Iterator[Move]:
        """Run both passes with values and gradients shortened by one function, and local derivatives by another."""
        numbers = {x: x.data for x in self.names}  # the given numbers are not rounded
        for node in self.steps.order:
            operands = [numbers[x] if isinstance(x, Value) else x for x in node.operands]
            try:
                numbers[node] = shorten(float(cast(Primitive, node.primitive).evaluate(operands)))
            except DomainError:  # rounded out of the domain
                numbers[node] = shorten(node.data)

        def slip(node: Value) -> Reading:
            partials = read(node, numbers).partials
            return Reading([None if partial is None else shorten_partial(partial) for partial in partials])

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
        """The slips on the whole graph: node, index of the input, name, words, and the change of the partial derivative."""
        found = []
        for node in reversed(self.steps.order):
            for k, own in enumerate(read(node).partials):
                for name, words, partial in self._slips(node, k):
                    found.append((node, k, name, words, partial - (own or 0.0)))
            for x in dict.fromkeys(node.inputs):
                shares = [*self._shares(node, x)]
                words = f"the contribution of {self.names[node]} = {self.steps.notation.formula(node).text} to {self.names[x]}"
                if shares and len(shares) < len(self.steps.notation.users[x]):
                    lost = sum(share.partial for share in shares)
                    found.append((node, shares[0].k, "path-forgotten", f"{words} is forgotten", -lost))
                for _, k, partial, _ in shares if len(shares) > 1 else ():
                    found.append((node, k, "path-forgotten", f"{words} (operand {k}) is forgotten", -partial))
        return sorted(found, key=lambda change: change[3].endswith(WRONG_SIGN))  # a lost minus sign explains more

    def _slips(self, node: Value, k: int, is_question: bool = False) -> Iterator[tuple[str, str, float]]:
        """Iterate over the wrong partial derivatives of a node with respect to its input k: name, words, number."""
        rule, own, x = self.steps.notation.rules(node)[k], read(node).partials[k], node.inputs[k]
        slope = self._slope(node, k, is_question)
        if node in self._activations and k == 0:
            yield from self._activation_slips(node, rule, slope)
        factor = next((each for each in node.inputs if each in self._activations and rule.name == self.names[each]), None)
        if factor is not None and rule.row is None:
            net = factor.inputs[0]
            yield "out-for-net", f"in {slope}, this uses {self.names[net]}, the net input, in place of the output", net.data
        if own is None:
            if self._chooses(node) and not is_condition(x):
                yield "other-branch", f"{self._slope(node, k, True)} is 1 only where this operand is taken", 1.0
            return
        words = f"the minus sign of {slope} is lost" if signless(node).partials[k] != own else slope + WRONG_SIGN
        yield "sign", words, -own
        if _is_doubled(rule):
            yield "factor-two", f"the factor 2 of {slope} is missing", own / 2
        if own == 0.5 and rule.row is None:
            yield "factor-two", f"the factor {slope} is missing", 1.0
        other = self._other(node, k, rule)
        if other is not None:
            what = "this" if is_question else f"{slope}, not {self.number(other)}, which"
            yield "other-operand", f"{what} is the derivative with respect to the other operand", other

    def _activation_slips(self, node: Value, rule: Symbol, slope: str) -> Iterator[tuple[str, str, float]]:
        """Iterate over the wrong derivatives of an activation with respect to its net input: name, words, number."""
        out, net = self.names[node], self.names[node.inputs[0]]
        words = f"the factor {slope} is left out: the derivative of the activation"
        yield "activation-forgotten", words, _first_partial(unit(node))
        words = f"this evaluates {slope} at {out} = {self.number(node.data)}, not at {net}"
        yield "out-for-net", words, _first_partial(at_output(node))
        swapped = _at_input(rule, out, node.inputs[0].data)
        if swapped is not None:
            yield "out-for-net", f"this computes {slope} with {net} in place of {out}", swapped

    def _other(self, node: Value, k: int, rule: Symbol) -> float | None:
        """Return the derivative with respect to the other operand of two; for a dot product's factor, the factor itself."""
        row = node.primitive
        if rule.row is None and not rule.name:  # a constant, as in a sum
            return None
        if row is not None and row.arity == 2:
            try:
                return float(row.partials(operand_numbers(node), node.data, [1 - input_places(node)[k]])[0])
            except DomainError:
                return None
        return node.inputs[k].data if row is dot and rule.row is None else None


def _off_as_a_whole(right: float, points: float) -> Iterator[Suspect]:
    yield Suspect("factor-two", "a factor of 2 is missing", right / 2, points)
    yield Suspect("factor-two", "there is one factor of 2 too many", right * 2, points)
    yield Suspect("sign", "the sign is wrong", -right, points)


def _first_partial(reading: Reading) -> float:
    return reading.partials[0] or 0.0


def _at_input(rule: Symbol, out: str, x: float) -> float | None:
    """Evaluate a rule that contains the result, such as tanh's 1 - out², with the operand in its place; or return None."""
    values = {part.name: part.value for part in parts(rule) if part.name}
    try:
        found = float(fill(rule, {**values, out: x})) if out in values else math.nan
    except DomainError:
        return None
    return found if math.isfinite(found) else None


def _is_doubled(rule: Any) -> bool:
    """Whether a rule is a product that begins with the factor 2."""
    while isinstance(rule, Symbol) and rule.row is not None and rule.row.infix in ("*", "/"):
        rule = rule.operands[0]
    return not isinstance(rule, Symbol) and bool(rule == 2)


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
