"""One canonical form for each computation.

People write a sum of products in many ways: with ``+`` and ``*``, with `sum`, `total`, `dot`, with the bias in front or
behind.  The canonical form writes every maximal sum as one ``dot`` of two lists and a bias if it has several products, and
otherwise as one ``add`` or ``total``.  Equal operations on equal operands are one node, and nodes that no result needs are left
out.

>>> from autograd.value import Value
>>> from autograd.compiler.tracing import Trace
>>> w, b = [Value(0.5, label="w0"), Value(2.0, label="w1")], Value(1.0, label="b")
>>> trace = Trace(lambda x: sum(w * x for w, x in zip(w, x)) + b, [*w, b], [(2,)])
>>> graph, [place] = canonical(trace.graph, trace.outputs)
>>> print(graph)
0: w0
1: w1
2: b
3: x0
4: x1
5: [0, 1]
6: [3, 4]
7: dot(5, 6, 2)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from itertools import chain
from typing import Final

from autograd import primitives
from autograd.compiler.tracing import Graph
from autograd.primitives import Primitive

__all__ = ["LEARNS", "VARIES", "VARIES_OR_ZERO", "Canonical", "canonical"]

# The rows that this pass knows by name, besides `multiply`: those that add up terms, even a single one; and those that multiply
# an operand by itself, `power` if its second operand is the number 2.  Later passes know `dot`, `multiply` and `total`.
ADDITIVE: Final = {primitives.positive, primitives.add, primitives.total, primitives.dot}
SQUARE: Final = {primitives.power, primitives.square}
# Flags of what a node depends on: an input, so that its number varies from example to example; a leaf to differentiate with
# respect to.  VARIES_OR_ZERO holds for a list if it does for each of its nodes.
VARIES, LEARNS, VARIES_OR_ZERO = 1, 2, 4


def canonical(graph: Graph, wanted: Sequence[int]) -> tuple[Canonical, list[int]]:
    """Return the canonical form of a graph, and the places of the wanted nodes in it."""
    form = Canonical(graph)
    return form, form.add(graph, wanted)


class Canonical(Graph):
    """A graph in canonical form, to which nodes are added.

    Args:
        like: a graph with the same leaves.
        of: the leaves to differentiate with respect to, ``"parameters"`` or ``"inputs"``.

    Attributes:
        depends: for each node, the flags of what it depends on: `VARIES`, `LEARNS`, `VARIES_OR_ZERO`.
    """

    def __init__(self, like: Graph, of: str = "parameters") -> None:
        super().__init__(like.parameters, like.shapes)
        self.entered: defaultdict[Primitive, dict[tuple[int, ...], int]] = defaultdict(dict)  # by row, then by operands
        n = len(like.parameters)
        parameter, number = (LEARNS, 0) if of == "parameters" else (0, LEARNS)
        self.depends = [parameter] * n + [number | VARIES | VARIES_OR_ZERO] * (like.n_leaves - n)

    def add(self, graph: Graph, wanted: Sequence[int]) -> list[int]:
        """Add the wanted nodes of a graph and all that they are computed from; return the places of the wanted ones."""
        rows, operands, n_leaves = graph.rows, graph.operands, graph.n_leaves
        zeros = {i for i, x in graph.constants.items() if x == 0}  # which a sum leaves out
        uses, inner = _uses(graph, wanted, zeros)
        place = [*range(len(graph))]
        for i in range(n_leaves, len(graph)):
            if not uses[i] or inner[i]:
                continue
            row, made_of = rows[i], operands[i]
            if row is None:
                place[i] = self.constant(graph.constants[i]) if i in graph.constants else -1  # -1: a list, until a dot needs it
            elif row is primitives.dot and _is_plain(graph, made_of, inner):
                for k in made_of[:2]:
                    if place[k] < 0:
                        is_moved = max(operands[k]) >= n_leaves  # leaves have the same places in both graphs
                        place[k] = self.listed(tuple(map(place.__getitem__, operands[k])) if is_moved else operands[k])
                place[i] = self._dot(*[place[j] for j in made_of])
            elif row in ADDITIVE:
                place[i] = self.sum(*_terms(graph, i, inner, zeros, place))
            elif row in SQUARE and _is_square(graph, i):
                place[i] = self.node(primitives.multiply, (place[made_of[0]], place[made_of[0]]))
            else:
                place[i] = self.node(row, tuple([place[j] for j in made_of]))
        for i in sorted(graph.labels):
            if uses[i] and not inner[i]:
                self.labels.setdefault(place[i], graph.labels[i])
        return [place[i] for i in wanted]

    def node(self, row: Primitive, operands: tuple[int, ...]) -> int:
        """Return the node of an operation; equal operations on equal operands share one."""
        flags = self.depends
        place = self.entered[row].setdefault(operands, len(flags))
        if place == len(flags):
            depends = 0
            for j in operands:
                depends |= flags[j]
            flags.append(depends | VARIES_OR_ZERO if depends & VARIES else depends & LEARNS)
            self.rows.append(row)
            self.operands.append(operands)
        return place

    def append(self, row: Primitive | None, operands: tuple[int, ...]) -> int:
        """Enter a list or a constant, and return its place."""
        flags, depends = self.depends, 0
        shared = VARIES_OR_ZERO if operands or self.constants.get(len(flags)) == 0 else 0
        for j in operands:
            depends |= flags[j]
            shared &= flags[j]
        flags.append(depends & (VARIES | LEARNS) | shared)
        return super().append(row, operands)

    def _dot(self, left: int, right: int, *bias: int) -> int:
        """Enter a dot of two lists, with the factors that vary on the right."""
        if self.depends[left] & VARIES and not self.depends[right] & VARIES_OR_ZERO:
            pairs = self._oriented(zip(self.operands[left], self.operands[right], strict=True))
            left, right = (self.listed(places) for places in zip(*pairs, strict=True))
        return self.node(primitives.dot, (left, right, *bias))

    def _oriented(self, products: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return products with the factor that varies on the right, or with a 0 there, which may pad a list of such factors."""
        flags = self.depends
        return [(b, a) if not flags[b] & VARIES and flags[a] & VARIES_OR_ZERO else (a, b) for a, b in products]

    def sum(self, products: Sequence[tuple[int, int]], addends: Sequence[int]) -> int:
        """Enter a sum of products and other terms."""
        if products:
            products = self._oriented(products)
            if len(products) > 1:
                left, right = zip(*products, strict=True)
                bias = [self._total(addends)] if addends else []
                return self.node(primitives.dot, (self.listed(left), self.listed(right), *bias))
            addends = [self.node(primitives.multiply, products[0]), *addends]
        return self._total(addends)

    def _total(self, addends: Sequence[int]) -> int:
        if not addends:
            return self.constant(0.0)
        if len(addends) == 1:
            return addends[0]
        return self.node(primitives.add if len(addends) == 2 else primitives.total, tuple(addends))

    def sum_of(self, left: tuple[int, ...], right: tuple[int, ...]) -> int:
        """Return the node of Σ leftᵢ·rightᵢ."""
        if len(left) == 1:
            return self.node(primitives.multiply, (right[0], left[0]))
        return self._dot(self.listed(left), self.listed(right))


def _uses(graph: Graph, wanted: Sequence[int], zeros: Container[int]) -> tuple[list[int], bytearray]:
    """Return how often each node is used, and which are taken apart: those that are a term of one sum and have no other use."""
    rows, operands, n_leaves = graph.rows, graph.operands, graph.n_leaves
    uses = [0] * len(graph)
    for i in wanted:
        uses[i] += 2  # a result is never taken apart
    inner = bytearray(len(graph))  # terms of a sum; once visited, only those taken apart
    for i in range(len(graph) - 1, n_leaves - 1, -1):
        row, made_of = rows[i], operands[i]
        if inner[i]:
            inner[i] = uses[i] == 1 and (row is primitives.multiply or row in ADDITIVE or _is_square(graph, i))
        if not uses[i] or (row is None and max(made_of, default=0) < n_leaves):  # uses of leaves do not matter
            continue
        if row in ADDITIVE:
            if row is primitives.dot:
                lists, made_of = made_of[:2], made_of[2:]
                factors = chain.from_iterable([operands[k] for k in lists])
                for j in factors if inner[i] else lists:
                    uses[j] += 1
            for j in made_of:
                if j not in zeros:
                    uses[j] += 1
                    inner[j] = True
        else:
            for j in made_of:
                uses[j] += 1
    inner[:n_leaves] = bytes(n_leaves)  # leaves are not taken apart
    return uses, inner


def _is_plain(graph: Graph, made_of: Sequence[int], inner: Sequence[int]) -> bool:
    """Return whether a dot can stay as it is: it has several products, and its bias is neither taken apart nor 0."""
    return len(graph.operands[made_of[0]]) > 1 and not any(inner[j] or graph.constants.get(j) == 0 for j in made_of[2:])


def _terms(
    graph: Graph, root: int, inner: Sequence[int], zeros: Container[int], place: Sequence[int]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the places of the factors of the products in a sum, and of its other terms, in written order."""
    products: list[tuple[int, int]] = []
    addends: list[int] = []
    todo = [root]
    while todo:
        i = todo.pop()
        row, operands = graph.rows[i], graph.operands[i]
        if i != root and not inner[i]:
            if i not in zeros:
                addends.append(place[i])
        elif row is primitives.multiply:
            products.append((place[operands[0]], place[operands[1]]))
        elif row is primitives.dot:
            left, right = [map(place.__getitem__, graph.operands[j]) for j in operands[:2]]
            products += zip(left, right, strict=True)
            todo += operands[2:]
        elif row in SQUARE:
            products.append((place[operands[0]], place[operands[0]]))
        else:
            todo += reversed(operands)
    return products, addends


def _is_square(graph: Graph, i: int) -> bool:
    """Return whether a node is the product of something with itself."""
    return graph.rows[i] in SQUARE and all(graph.constants.get(j) == 2 for j in graph.operands[i][1:])
