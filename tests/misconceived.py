"""Random graphs, and the wrong answers that a student with a misconception would give.

The wrong answers are computed here or by `autograd.mistakes`, never by the package that has to recognise them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from autograd import Binary, Unary, Value, dot, exp, label_values, maximum, prelu, primitives, sigmoid, tanh, walk, where
from autograd.exercises import NAMES
from autograd.mistakes import MISTAKES, Reading, read, sorted_pass, totals, updated_too_soon
from autograd.value import topological

FUNCTIONS = {sigmoid, tanh}
OF_GRADIENTS = [name for name in NAMES if name not in ("ascent", "rate-forgotten")]  # the other two concern a step of descent
SCALED = Binary("scaled", lambda x, y: y * tanh(x), lambda x, y, out: y - out * out / y, lambda x, y, out: tanh(x), default=1.0)
BOWL = Unary("bowl", lambda x: x * x + x, lambda x, out: 2 * x + 1)


def random_graph(rng: Random) -> Value:
    """Return a network, or an expression with shared nodes, whose numbers have one or two digits."""

    def number() -> float:
        return rng.choice([-1, 1]) * rng.choice([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.2, 1.5, 1.7, 2.0, 2.5])

    if rng.random() < 0.5:
        signals: list[Any] = [number(), number()]
        for layer, size in enumerate((rng.choice([1, 2, 3]), 1)):
            nets = [
                dot([Value(number(), f"w{layer}{i}{j}") for j in range(len(signals))], signals, Value(number(), f"b{layer}{i}"))
                for i in range(size)
            ]
            signals = [rng.choice([sigmoid, tanh])(net) for net in nets]
        loss: Value = (Value(1.0, "t") - signals[0]) ** 2 / 2
        return loss
    nodes = [Value(number(), name) for name in "abc"]
    for _ in range(rng.choice([3, 4, 5, 6])):
        x, y = rng.choice(nodes), rng.choice(nodes)
        nodes.append(rng.choice([x + y, x - y, x * y, x * y, x**2, tanh(x), sigmoid(x + y), x * y + x, maximum(x, y)]))
    return nodes[-1]


def leaves_of(loss: Value) -> list[Value]:
    return list(dict.fromkeys(x for node in topological(loss) for x in node.inputs if x.primitive is None))


def slipped(loss: Value, node: Value, k: int, partial: float | None) -> dict[Value, float]:
    right = read(node).partials
    return totals(sorted_pass(loss, lambda _: Reading([*right[:k], partial, *right[k + 1 :]]), at={node}))


def edges(loss: Value) -> list[tuple[Value, int]]:
    return [(node, k) for node in topological(loss) for k in range(len(node.inputs))]


def rounded_by_hand(loss: Value, digits: int, each: bool) -> dict[Value, float]:
    """Return the gradients of a calculation on paper whose written numbers are rounded to `digits` significant digits."""

    def short(x: float) -> float:
        return float(f"{x:.{digits}g}")

    numbers = {x: x.data for x in leaves_of(loss)}
    order = topological(loss)
    twins: dict[Value, Value] = {}
    for node in order:
        row: Any = node.primitive
        twin = row.apply([Value(numbers[x]) if isinstance(x, Value) else x for x in node.operands])
        numbers[node], twins[node] = short(twin.data), twin
    gradients = {loss: 1.0}
    for node in reversed(order):
        for x, partial in zip(node.inputs, twins[node].partials, strict=True):
            partial = short(partial) if each else partial
            gradients[x] = short(gradients.get(x, 0.0) + short(gradients.get(node, 0.0) * partial))
    return gradients


def wrong_answers(name: str, loss: Value, x: Value, rng: Random) -> Iterator[float]:
    """Iterate over the answers for ∂loss/∂x that students with a misconception give."""
    right, n = walk(loss).gradients, edges(loss)
    uses = [(node, k) for node, k in n if node.inputs[k] is x]
    match name:
        case "sign":
            yield totals(MISTAKES["sign"](loss))[x]
            node, k = rng.choice(n)
            yield slipped(loss, node, k, -node.partials[k])[x]
        case "overwritten":
            yield totals(MISTAKES["overwrite"](loss))[x]
        case "path-forgotten":
            node, k = rng.choice(uses)
            yield right[x] - right[node] * node.partials[k]
        case "too-early":
            yield totals(MISTAKES["recursion"](loss))[x]
            yield totals(MISTAKES["unsorted"](loss))[x]
        case "activation-forgotten":
            yield totals(MISTAKES["activation-forgotten"](loss))[x]
            for node in [node for node in topological(loss) if node.primitive in FUNCTIONS][:1]:
                yield slipped(loss, node, 0, 1.0)[x]
        case "out-for-net":
            yield totals(MISTAKES["out-for-net"](loss))[x]
        case "other-operand":
            products = [(node, k) for node, k in n if node.primitive is primitives.multiply]
            yield totals(
                sorted_pass(loss, lambda node: Reading([x.data for x in node.inputs]), at={node for node, _ in products})
            )[x]
            for node, k in rng.sample(products, min(1, len(products))):
                yield slipped(loss, node, k, node.inputs[k].data)[x]
        case "other-branch":
            choices = [node for node in topological(loss) if node.primitive is maximum and len({*node.inputs}) == 2]
            losers = {node: int(node.inputs[0].data > node.inputs[1].data) for node in choices}
            other = {node: Reading([None if k else 1.0, 1.0 if k else None]) for node, k in losers.items()}
            if choices:
                yield totals(sorted_pass(loss, other.__getitem__, at={*choices})).get(x, 0.0)
            for node in choices[:1]:
                yield slipped(loss, node, losers[node], 1.0)[x]
        case "factor-two":
            squares = [(node, k) for node, k in n if node.primitive is primitives.power]
            halved = {node for node, _ in squares}
            yield totals(sorted_pass(loss, lambda node: Reading([p and p / 2 for p in read(node).partials]), at=halved))[x]
            for node, k in rng.sample(squares, min(1, len(squares))):
                yield slipped(loss, node, k, node.partials[k] / 2)[x]
        case "local-only":
            node, k = rng.choice(uses)
            yield node.partials[k]
            yield sum(node.partials[k] for node, k in uses)
        case "upstream-only":
            node, _ = rng.choice(uses)
            yield right[node]
        case "updated-too-soon":
            yield totals(updated_too_soon(loss, 0.1))[x]
        case "rounded-too-early":
            yield rounded_by_hand(loss, 2, each=True)[x]
            yield rounded_by_hand(loss, 2, each=False)[x]  # only values and gradients are written down and so rounded
            yield rounded_by_hand(loss, 1, each=True)[x]


def cases(rng: Random, count: int, digits: int) -> Iterator[tuple[str, Value, Value, float]]:
    """Iterate over misconceptions, graphs, leaves and wrong answers: rounded to `digits`, and off by more than 1 %."""
    found = dict.fromkeys(OF_GRADIENTS, 0)
    while any(n < count for n in found.values()):
        loss = random_graph(rng)
        leaves = leaves_of(loss)
        if not leaves or not math.isfinite(loss.data) or abs(loss.data) > 1e4:
            continue
        x, right = rng.choice(leaves), walk(loss).gradients
        for name in OF_GRADIENTS:
            if found[name] < count:
                for answer in wrong_answers(name, loss, x, rng):
                    written = float(f"{answer:.{digits}g}")
                    if abs(written - right[x]) > 0.01 * max(abs(right[x]), 1e-12) and abs(right[x]) > 1e-3:
                        found[name] += 1
                        yield name, loss, x, written


# Explanations, turned back into the gradients that they describe

EDGE = r"∂(?P<y>.+?)/∂(?P<x>\S+)(?: \(operand (?P<k>\d)\))?"
EXPLANATIONS = {
    r"the contribution of (?P<y>\S+) = .+ to (?P<x>\S+)(?: \(operand (?P<k>\d)\))? is forgotten": "forgotten",
    r"this counts only what comes directly from (?P<sources>.+)": "sources",
    r"this is only the last contribution, from (?P<sources>.+); all contributions add up": "sources",
    r"this would be the result if nothing flowed back to .+": "nothing",
    r"this is only the upstream gradient ∂\S+/∂(?P<y>\S+), without the factor .+": "upstream",
    rf"this is only the local derivative {EDGE} = .+, without the factor .+": "local",
    "this is the sum of the local derivatives only": "locals",
    rf"the minus sign of {EDGE} = .+ is lost": "sign",
    rf"{EDGE} = .+ is taken with the wrong sign": "sign",
    rf"the factor 2 of {EDGE} = 2·[^+]+ is missing": "half",
    rf"the factor {EDGE} = .+ is (left out: the derivative of the activation|missing)": "unit",
    rf"{EDGE} is 1 only where this operand is taken": "unit",
    rf"this evaluates {EDGE} = .+ at \S+ = \S+, not at \S+": "at the output",
    rf"this computes {EDGE} = .+ with \S+ in place of \S+": "input for output",
    rf"in {EDGE} = .+, this uses (?P<net>\S+), the net input, in place of the output": "net",
    rf"{EDGE} = .+, not \S+, which is the derivative with respect to the other operand": "other",
    "a factor of 2 is missing": "whole half",
    "there is one factor of 2 too many": "whole double",
    "the sign is wrong": "whole sign",
}


def odd_graphs() -> Iterator[Value]:
    """Iterate over graphs that are hard to explain: with operands that occur twice, and rules that are not products."""
    a, b, c, w, x = (Value(x, name) for x, name in ((2.0, "a"), (1.5, "b"), (0.5, "c"), (3.0, "w"), (-0.7, "x")))
    p = a * b
    q = p * p
    r = q * p
    label_values({"p": p, "q": q, "r": r})
    yield r * a + q
    yield w * w + 4 * w
    yield (w * w).tanh() * w + w * w * w
    yield exp(w * c) * exp(x) + where(c, w, x) * maximum(w, x) - abs(w * x)
    yield prelu(x, c) * prelu(x, b) + dot([w, x, w], [x, x, c], w)
    yield dot([c, 2.0], [tanh(x), 2.0]) ** 2 / w + (w / a) ** c + a**w
    yield SCALED(w, c) * SCALED(x, w) + BOWL(x * w) * x
    yield maximum(w * w, maximum(x, w) * a) * (w * x).maximum(q).minimum(r * w).maximum(maximum(a, b) * x)
    yield w.maximum(w) + (w - x) * (w - x) + 2 * w * x / (w + x)


def recomputed(words: str, loss: Value, asked: Value) -> float | None:
    """Return the gradient that an explanation describes, or None for one about the pass as a whole."""
    steps = walk(loss)
    right, nodes = steps.gradients, {name: node for node, name in steps.names.items()}
    nodes |= {f"({steps.notation.formula(node).text})": node for node in steps.order}  # where a name would be ambiguous
    matches = [(kind, found.groupdict()) for pattern, kind in EXPLANATIONS.items() if (found := re.fullmatch(pattern, words))]
    if not matches:
        return None
    kind, parts = matches[0]
    y, x = nodes.get(parts.get("y") or ""), nodes.get(parts.get("x") or "", asked)
    places = [] if y is None else [k for k, each in enumerate(y.inputs) if each is x and parts.get("k") in (None, str(k))]
    uses = [(node, k) for node, k in edges(loss) if node.inputs[k] is asked and node.taken[k]]
    match kind:
        case "sources":
            total = 0.0
            for source in re.split(", | and ", parts["sources"]):
                name, _, k = source.rstrip(")").partition(" (operand ")
                total += sum(right[n] * n.partials[i] for n, i in uses if n is nodes[name] and k in ("", str(i)))
            return total
        case "nothing":
            return 0.0
        case "locals":
            return sum(node.partials[k] for node, k in uses)
        case "whole half" | "whole double" | "whole sign":
            return right[asked] * {"whole half": 0.5, "whole double": 2.0, "whole sign": -1.0}[kind]
        case "upstream":
            return right[nodes[parts["y"]]]
    assert y is not None and places
    if kind == "forgotten":
        partials = [None if k in places else partial for k, partial in enumerate(read(y).partials)]
        return totals(sorted_pass(loss, lambda _: Reading(partials), at={y})).get(asked, 0.0)
    [k] = places  # the words name one edge
    data, row = [each.data if isinstance(each, Value) else each for each in y.operands], y.primitive
    [place] = [i for i, each in enumerate(y.operands) if each is x] if parts["k"] is None else [int(parts["k"])]
    assert row is not None
    match kind:
        case "local":
            return y.partials[k]
        case "sign":
            partial = -y.partials[k]
        case "half":
            partial = y.partials[k] / 2
        case "unit":
            partial = 1.0
        case "at the output":
            partial = row.partials([y.data, *data[1:]], row.evaluate([y.data, *data[1:]]), [0])[0]
        case "input for output":
            partial = row.partials(data, data[0], [0])[0]
        case "net":
            partial = nodes[parts["net"]].data
        case "other" if row is dot:
            n = len(data) // 2
            partial = row.partials(data, y.data, [(place + n) % (2 * n)])[0]
        case "other":
            assert len(data) == 2
            partial = row.partials(data, y.data, [1 - place])[0]
    return slipped(loss, y, k, partial).get(asked, 0.0)
