"""Where everything lies: groups of scalars become instructions on arrays.

Each space is an array with a row for every number: the parameters, the constants, each argument, what is computed once, what
is computed for each example.  A group gets rows that follow each other, in the order of its operands' rows, so that operands
are slices rather than collections.  `Rows` says which rows an operand is, in a box of any number of dimensions.

A group of dots is more.  Each dot multiplies a row of left factors by a row of right factors; **if every left row meets every
right row, that is a matrix product**: a dense layer (one right row), a convolution (a filter meets every patch), the queries,
keys and values of attention, and in the backward pass Wᵀδ and, summed over the batch, δxᵀ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from autograd import primitives
from autograd.compiler.schedule import BATCHED, STATIC, Group
from autograd.compiler.tracing import CONSTANTS, Graph
from autograd.primitives import Nary, Primitive

__all__ = ["GRADIENT", "Apply", "Array", "Fold", "Instruction", "Layout", "Product", "Rows", "Sum", "lay_out", "strides"]

GRADIENT = -1  # the space of the gradient, with a row for each parameter
Array: TypeAlias = Any  # numpy.ndarray, without its type parameters


class Rows(NamedTuple):
    """Some rows of a space, as an array of their numbers."""

    space: int
    index: Array


@dataclass(frozen=True, eq=False)
class Apply:
    """``out = row(*operands)``, element by element; all have one shape."""

    row: Primitive
    operands: tuple[Rows, ...]
    out: Rows
    backward: bool


@dataclass(frozen=True, eq=False)
class Fold:
    """``out = row(parts[0][:, 0], parts[0][:, 1], …)``, for operations on many operands, whose order does not matter."""

    row: Nary
    parts: tuple[Rows, ...]
    out: Rows
    backward: bool


@dataclass(frozen=True, eq=False)
class Product:
    """``out[c] = left[c] @ right[c]ᵀ + …`` for each block c, of shapes [c×m×K], [c×n×K] and [c×m×n].

    Attributes:
        parts: pairs (left, right), of which the products add up.
        bias: of out's shape, or None.
        out: results, or for the gradients of parameters, which parameters.
        backward: whether only the gradient needs it.
        summed: whether the products are summed over the batch as well: then K takes the batch in.
    """

    parts: tuple[tuple[Rows, Rows], ...]
    bias: Rows | None
    out: Rows
    backward: bool
    summed: bool


@dataclass(frozen=True, eq=False)
class Sum:
    """``out = operand``, summed over the batch."""

    operand: Rows
    out: Rows
    backward: ClassVar[bool] = True


Instruction: TypeAlias = Apply | Fold | Product | Sum


@dataclass
class Layout:
    """A program as instructions.

    Attributes:
        instructions: in order.
        sizes: how many rows the spaces `STATIC` and `BATCHED` have.
        constants: the numbers of the space `CONSTANTS`.
        outputs: where the results are: (space, row).
        labels: of rows, where the user gave one.
    """

    instructions: list[Instruction]
    sizes: dict[int, int]
    constants: list[float]
    outputs: list[tuple[int, int]]
    labels: dict[tuple[int, int], str]


def lay_out(graph: Graph, groups: Sequence[Group], outputs: Sequence[int], gradients: Sequence[int]) -> Layout:
    """Give every node its row, and every group its instructions.

    Args:
        graph: in canonical form.
        groups: its schedule.
        outputs: the nodes that are wanted for each example.
        gradients: for each parameter, the node whose sum over the batch is its gradient.
    """
    places = _Places(graph, gradients)
    instructions = [instruction for group in groups for instruction in places.instructions(group)]
    instructions += places.sums()
    instructions.sort(key=lambda instruction: instruction.backward)
    labels = {places.of(i): label for i, label in graph.labels.items()}
    return Layout(instructions, places.sizes, places.constants, [places.of(i) for i in outputs], labels)


class _Places:
    """Which space and row each node has, as far as the groups were laid out."""

    def __init__(self, graph: Graph, gradients: Sequence[int]) -> None:
        self.graph, self.sizes = graph, {STATIC: 0, BATCHED: 0}
        self.space, self.row = np.full(len(graph), -1), np.zeros(len(graph), dtype=np.intp)
        self.constants: list[float] = []
        for i, leaf in graph.leaves.items():
            self.space[i], self.row[i] = leaf.space, leaf.place
            if leaf.space == CONSTANTS:
                self.row[i] = len(self.constants)
                self.constants.append(leaf.number)
        self.gradients = np.array(gradients, dtype=np.intp)
        self.parameter = {i: parameter for parameter, i in enumerate(gradients)}
        self.summed = np.zeros(len(graph), dtype=bool)  # whether a product's sum over the batch was laid out
        self.block = np.zeros(len(graph), dtype=np.intp)  # the first row of those that a node was given its row with

    def of(self, i: int) -> tuple[int, int]:
        """Return a node's space and row."""
        return int(self.space[i]), int(self.row[i])

    def rows(self, nodes: Array) -> Rows:
        """Return the rows of nodes that are in one space."""
        return Rows(int(self.space[nodes.flat[0]]), self.row[nodes])

    def results(self, group: Group, nodes: Array) -> Rows:
        """Give new rows to nodes, in their order."""
        first = self.sizes[group.space]
        self.sizes[group.space] += nodes.size
        self.space[nodes], self.block[nodes] = group.space, first
        self.row[nodes] = np.arange(first, first + nodes.size).reshape(nodes.shape)
        return self.rows(nodes)

    def instructions(self, group: Group) -> Iterator[Instruction]:
        """Lay out a group."""
        nodes = np.array(group.nodes)
        operands = np.array([self.graph.operands[i] for i in group.nodes])
        if group.summed or group.row is primitives.dot:
            yield from self._products(group, nodes, operands)
        elif isinstance(group.row, Nary) and group.row.fold:
            yield from self._folds(group, group.row, nodes, operands)
        else:
            yield self._apply(group, nodes, operands)

    def _apply(self, group: Group, nodes: Array, operands: Array) -> Apply:
        order = _by_rows(self.row[operands])
        columns = [self.rows(column) for column in operands[order].T]
        shape = box([column.index for column in columns])
        shaped = tuple(Rows(column.space, column.index.reshape(shape)) for column in columns)
        return Apply(group.row, shaped, self.results(group, nodes[order].reshape(shape)), group.backward)

    def _folds(self, group: Group, row: Nary, nodes: Array, operands: Array) -> Iterator[Fold]:
        order = np.lexsort([self.row[operands], self.space[operands]], axis=1)
        operands = np.take_along_axis(operands, order, 1)
        for chosen in _alike(self.space[operands]):
            placed = chosen[_by_rows(self.row[operands[chosen]])]
            cuts = np.flatnonzero(np.diff(self.space[operands[placed[0]]])) + 1
            parts = tuple(self.rows(part) for part in np.split(operands[placed], cuts, axis=1))
            yield Fold(row, parts, self.results(group, nodes[placed]), group.backward)

    def _products(self, group: Group, nodes: Array, operands: Array) -> Iterator[Product]:
        n = operands.shape[1] // 2
        left, right, bias = operands[:, :n], operands[:, n : 2 * n], operands[:, 2 * n :]
        swap = self.space[left] > self.space[right]  # what is computed once stands left, and arguments stand right
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        order = np.lexsort([self.row[right], self.row[left], self.space[right], self.space[left]], axis=1)
        left, right = np.take_along_axis(left, order, 1), np.take_along_axis(right, order, 1)
        for chosen in _alike(np.concatenate([self.space[left], self.space[right], self.space[bias]], axis=1)):
            yield self._product(group, nodes[chosen], left[chosen], right[chosen], bias[chosen])

    def _product(self, group: Group, nodes: Array, left: Array, right: Array, bias: Array) -> Product:
        """Lay out dots whose factors come from the same spaces."""
        cuts = np.flatnonzero(np.diff(self.space[left[0]]) | np.diff(self.space[right[0]])) + 1
        parts = [*zip(np.split(left, cuts, axis=1), np.split(right, cuts, axis=1), strict=True)]
        grid = _grid(*max([(self.row[a], self.row[b]) for a, b in parts], key=lambda part: part[0].shape[1]))
        if any((a[grid] != a[grid][:, :, :1]).any() or (b[grid] != b[grid][:, :1]).any() for a, b in parts):
            grid = np.arange(len(nodes)).reshape(-1, 1, 1)
        laid = tuple((self.rows(a[grid[:, :, 0]]), self.rows(b[grid[:, 0]])) for a, b in parts)
        nodes = nodes[grid]
        added = self.rows(bias[grid][..., 0]) if bias.size else None
        if group.summed:
            self.summed[nodes] = True
            out = Rows(GRADIENT, np.vectorize(self.parameter.__getitem__)(nodes))
            return Product(laid, None, out, group.backward, summed=True)
        return Product(laid, added, self.results(group, nodes), group.backward, summed=False)

    def sums(self) -> Iterator[Sum]:
        """Lay out the gradients that are not summed products: sums of results, and of leaves."""
        rest = np.flatnonzero(~self.summed[self.gradients]) if self.gradients.size else self.gradients
        kinds = np.stack([self.space[self.gradients[rest]], self.block[self.gradients[rest]]], axis=1)
        for chosen in _alike(kinds) if rest.size else ():
            parameters = rest[chosen]
            yield Sum(self.rows(self.gradients[parameters]), Rows(GRADIENT, parameters))


def _by_rows(rows: Array) -> Array:
    """Return the order of nodes in which their operands' rows ascend, the first operand's first."""
    return np.lexsort(rows.T[::-1])


def _alike(kinds: Array) -> Iterator[Array]:
    """Return the places of equal rows, for each kind of row."""
    if (kinds == kinds[0]).all():
        yield np.arange(len(kinds))
        return
    _, kind = np.unique(kinds, axis=0, return_inverse=True)
    yield from (np.flatnonzero(kind.reshape(-1) == k) for k in range(kind.max() + 1))


def _grid(left: Array, right: Array) -> Array:
    """Arrange dots in blocks [c×m×n] so that, in a block, all dots of a line share their left factors, of a column their right.

    Args:
        left: [dots×K], the rows of the left factors.
        right: [dots×K], those of the right ones.

    Returns:
        The dots' places.  Blocks of one dot each where there are no larger blocks of equal size.
    """
    alone = np.arange(len(left)).reshape(-1, 1, 1)
    _, a = np.unique(left, axis=0, return_inverse=True)
    _, b = np.unique(right, axis=0, return_inverse=True)
    a, b = a.reshape(-1), b.reshape(-1)
    block = _components(a, b)
    order = np.lexsort([b, a, block])
    counts = np.bincount(block)
    first = order[np.cumsum(counts) - counts]
    n = int((a[order[: counts[0]]] == a[first[0]]).sum())
    if (counts != counts[0]).any() or counts[0] % n:
        return alone
    grid = order.reshape(len(counts), -1, n)
    same = (a[grid] == a[grid][:, :, :1]).all() and (b[grid] == b[grid][:, :1]).all()
    return grid if same else alone


def _components(a: Array, b: Array) -> Array:
    """Number the connected components of the graph that joins left row a[i] and right row b[i], for each i."""
    block = np.arange(a.max() + 1)
    while True:  # each turn carries the lowest number one step further
        lowest = np.full(b.max() + 1, len(block))
        np.minimum.at(lowest, b, block[a])
        new = block.copy()
        np.minimum.at(new, a, lowest[b])
        if (new == block).all():
            return np.unique(block[a], return_inverse=True)[1].reshape(-1)
        block = new


def box(columns: Sequence[Array]) -> tuple[int, ...]:
    """Return the shape in which as many as possible of some lists of rows ascend evenly along each dimension.

    >>> box([np.array([0, 1, 2, 3, 4, 5]), np.array([7, 7, 7, 8, 8, 8])])
    (2, 3)
    """
    n = len(columns[0])
    cuts = {n}
    for column in columns:
        merged = sorted(cuts | _cuts(column))
        if all(b % a == 0 for a, b in pairwise(merged)):
            cuts = set(merged)
    sizes = sorted(cuts)
    return tuple(b // a for a, b in pairwise([1, *sizes]))[::-1] if n > 1 else (1,)


def _cuts(column: Array) -> set[int]:
    """Return after how many rows, again and again, a list of rows jumps; nothing if it is irregular."""
    cuts, size = set(), 1
    while len(column) > 1:
        step = np.diff(column)
        jumps = np.flatnonzero(step != step[0])
        run = int(jumps[0]) + 1 if jumps.size else len(column)
        inside = np.arange(len(step)) % run != run - 1
        if len(column) % run or (step[inside] != step[0]).any():
            return set()
        size *= run
        cuts.add(size)
        column = column[::run]
    return cuts


def strides(index: Array) -> tuple[int, tuple[int, ...]] | None:
    """Return the first row and the step along each dimension, if rows are evenly spaced; else None.

    >>> strides(np.array([[3, 4], [7, 8]])), strides(np.array([3, 4, 9]))
    ((3, (4, 1)), None)
    """
    first = int(index.flat[0])
    places = range(index.ndim)
    second = [tuple(int(k == d) for k in places) for d in places]
    steps = tuple(int(index[at]) - first if n > 1 else 0 for at, n in zip(second, index.shape, strict=True))
    even: Array = np.array(first)
    for d, (n, step) in enumerate(zip(index.shape, steps, strict=True)):
        even = even + (step * np.arange(n)).reshape([-1 if k == d else 1 for k in places])
    return (first, steps) if np.array_equal(even, index) else None
