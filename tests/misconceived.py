"""Random graphs, and wrong answers to them: what a student with a misconception would write.

The wrong answers are computed here, or by `autograd.mistakes`, never by the room that has to recognise them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from autograd import Value, dot, primitives, sigmoid, tanh, walk
from autograd.exercises import NAMES
from autograd.mistakes import MISTAKES, Reading, read, sorted_pass, totals, updated_too_soon
from autograd.value import topological

FUNCTIONS = {sigmoid, tanh}


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
        nodes.append(rng.choice([x + y, x - y, x * y, x * y, x**2, tanh(x), sigmoid(x + y), x * y + x]))
    return nodes[-1]


def leaves_of(loss: Value) -> list[Value]:
    return list(dict.fromkeys(x for node in topological(loss) for x in node.inputs if x.primitive is None))


def slipped(loss: Value, node: Value, k: int, partial: float | None) -> dict[Value, float]:
    right = read(node).partials
    return totals(sorted_pass(loss, lambda _: Reading([*right[:k], partial, *right[k + 1 :]]), at={node}))


def edges(loss: Value) -> list[tuple[Value, int]]:
    return [(node, k) for node in topological(loss) for k in range(len(node.inputs))]


def rounded_by_hand(loss: Value, digits: int, each: bool) -> dict[Value, float]:
    """Compute forward and back on paper, with every number written to so many significant digits."""

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
    """Iterate over the answers for ∂loss/∂x of students with a misconception."""
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
        case "rounded-on-the-way":
            yield rounded_by_hand(loss, 2, each=True)[x]
            yield rounded_by_hand(loss, 2, each=False)[x]  # only what is written down: values and gradients
            yield rounded_by_hand(loss, 1, each=True)[x]


def cases(rng: Random, count: int, digits: int) -> Iterator[tuple[str, Value, Value, float]]:
    """Iterate over misconceptions, graphs, leaves and wrong answers of so many digits that differ by more than 1 %."""
    found = dict.fromkeys(NAMES, 0)
    while any(n < count for n in found.values()):
        loss = random_graph(rng)
        leaves = leaves_of(loss)
        if not leaves or not math.isfinite(loss.data) or abs(loss.data) > 1e4:
            continue
        x, right = rng.choice(leaves), walk(loss).gradients
        for name in NAMES:
            if found[name] < count:
                for answer in wrong_answers(name, loss, x, rng):
                    written = float(f"{answer:.{digits}g}")
                    if abs(written - right[x]) > 0.01 * max(abs(right[x]), 1e-12) and abs(right[x]) > 1e-3:
                        found[name] += 1
                        yield name, loss, x, written
