"""One way of writing each computation.

People write a sum of products in many ways: with ``+`` and ``*``, with `sum`, `total`, `dot`, with the bias in front or
behind.  `canonical` finds every maximal sum and writes it as one ``total``, or as one ``dot(*weights, *inputs, bias)`` where
it has products to add up.  What nothing asks for is left out.

>>> from autograd.value import Value
>>> from autograd.compiler.tracing import Trace
>>> w, b = [Value(0.5, label="w0"), Value(2.0, label="w1")], Value(1.0, label="b")
>>> trace = Trace(lambda x: sum(w * x for w, x in zip(w, x)) + b, [*w, b], [(2,)])
>>> graph, [place] = canonical(trace.graph, [trace.result._dx])
>>> print(graph)
0: w0
1: x0
2: w1
3: x1
4: b
5: dot(0, 2, 1, 3, 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autograd import primitives
from autograd.compiler.tracing import CONSTANTS, INPUTS, Graph
from autograd.primitives import Primitive

__all__ = ["canonical", "dependent"]

# What the compiler knows of operations by name: what adds up, be it a single term; what multiplies; and what is a product of
# something with itself, a power if its second operand is the number 2.  The other passes know `dot` and `multiply`, which
# come out here.
ADDITIVE: Final = {primitives.positive, primitives.add, primitives.total, primitives.dot}
MULTIPLICATIVE: Final = {primitives.multiply}
SQUARE: Final = {primitives.power, primitives.square}


def dependent(graph: Graph) -> list[bool]:
    """Say of each node whether it depends on an input, so that it is another number for each example."""
    depends: list[bool] = []
    for i, operands in enumerate(graph.operands):
        leaf = graph.leaves.get(i)
        depends.append(leaf.space >= INPUTS if leaf else any(depends[j] for j in operands))
    return depends


def canonical(graph: Graph, outputs: Sequence[int]) -> tuple[Graph, list[int]]:
    """Return the graph with its sums gathered, and where the outputs are in it.

    Args:
        graph: a trace.
        outputs: the nodes that are wanted.
    """
    rows, operands = graph.rows, graph.operands
    uses = [0] * len(graph)
    for i in outputs:
        uses[i] += 2  # an output is never taken apart
    for i in range(len(graph) - 1, -1, -1):
        if uses[i]:
            for j in operands[i]:
                uses[j] += 1
    inner = [False] * len(graph)  # nodes that only serve the one sum which they are part of
    for i, row in enumerate(rows):
        if uses[i] and row in ADDITIVE:
            for j in _addends(graph, i):
                inner[j] = uses[j] == 1 and (rows[j] in ADDITIVE or _factors(graph, j) is not None)
    depends = dependent(graph)
    found = Graph()
    place: dict[int, int] = {}

    def at(i: int) -> int:
        if i not in place:  # a leaf
            place[i] = found.leaf(graph.leaves[i], graph.labels.get(i, ""))
        return place[i]

    for i, row in enumerate(rows):
        if row is None or not uses[i] or inner[i]:
            continue
        if row in ADDITIVE:
            products, addends = _terms(graph, i, inner)
            oriented = [(at(b), at(a)) if depends[a] and not depends[b] else (at(a), at(b)) for a, b in products]
            place[i] = _sum(found, oriented, [at(j) for j in addends])
        else:
            factors = _factors(graph, i)
            made_of = operands[i] if factors is None else factors
            place[i] = found.node(row if factors is None else primitives.multiply, tuple([at(j) for j in made_of]))
        if i in graph.labels:
            found.labels.setdefault(place[i], graph.labels[i])
    return found, [at(i) for i in outputs]


def _terms(graph: Graph, root: int, inner: Sequence[bool]) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the products and the other terms that a sum is made of, in written order."""
    products: list[tuple[int, int]] = []
    addends: list[int] = []
    todo = [root]
    while todo:
        i = todo.pop()
        row, operands = graph.rows[i], graph.operands[i]
        if i != root and not inner[i]:
            if not _is_number(graph, i, 0):
                addends.append(i)
        elif row is primitives.dot:
            n = len(operands) // 2
            products += zip(operands[:n], operands[n : 2 * n], strict=True)
            todo += _addends(graph, i)
        elif (factors := _factors(graph, i)) is not None:
            products.append(factors)
        else:
            todo += reversed(_addends(graph, i))
    return products, addends


def _addends(graph: Graph, i: int) -> tuple[int, ...]:
    """Return the operands of a sum that are its terms; of a dot, the bias."""
    operands = graph.operands[i]
    return operands[len(operands) // 2 * 2 :] if graph.rows[i] is primitives.dot else operands


def _factors(graph: Graph, i: int) -> tuple[int, int] | None:
    """Return what a product is made of, None for what is no product."""
    row = graph.rows[i]
    if row in MULTIPLICATIVE:
        x, y = graph.operands[i]
        return x, y
    if row in SQUARE and all(_is_number(graph, j, 2) for j in graph.operands[i][1:]):
        return graph.operands[i][0], graph.operands[i][0]
    return None


def _sum(found: Graph, products: Sequence[tuple[int, int]], addends: Sequence[int]) -> int:
    """Enter a sum in its canonical form."""
    if len(products) == 1:
        addends, products = [found.node(primitives.multiply, products[0]), *addends], []
    if products:
        bias = [_sum(found, [], addends)] if addends else []
        return found.node(primitives.dot, (*(a for a, _ in products), *(b for _, b in products), *bias))
    if not addends:
        return found.constant(0.0)
    if len(addends) == 1:
        return addends[0]
    row: Primitive = primitives.add if len(addends) == 2 else primitives.total
    return found.node(row, tuple(addends))


def _is_number(graph: Graph, i: int, x: float) -> bool:
    leaf = graph.leaves.get(i)
    return leaf is not None and leaf.space == CONSTANTS and leaf.number == x
