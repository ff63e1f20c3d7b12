"""A slot for every number, so that groups of scalars become instructions on arrays.

A space is an array of slots: there is one for the parameters, the constants, each argument, the results that are computed once,
and those that are computed for each example.  A group gets consecutive slots, in the order of its operands' slots, so that
operands are slices and need not be gathered.  `Slots` are those of an operand, arranged in any number of dimensions.

Groups of dots become more.  Each dot multiplies a row of left factors by a row of right factors; **if every left row meets
every right row, that is a matrix product**: a dense layer (one right row), a convolution (a filter meets every patch), the
queries, keys and values of attention, and in the backward pass Wᵀδ and, summed over the batch, δxᵀ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd import primitives
from autograd.compiler.backward import Gradients, Outer, Passes
from autograd.compiler.schedule import BATCHED, CONSTANTS, GRADIENT, STATIC, Group, fold_of, spaces
from autograd.compiler.tracing import Graph
from autograd.primitives import Primitive

__all__ = ["Array", "Instruction", "Layout", "Slots", "lay_out", "strides"]

BITS = 32  # for the slot in an address; the higher bits hold the space
Array: TypeAlias = Any  # numpy.ndarray, without its type parameters


class Slots(NamedTuple):
    """Some slots of a space, as an array of their numbers."""

    space: int
    index: Array


@dataclass(frozen=True, eq=False)
class Instruction:
    """``out = row(*operands)``, for all slots at once; a machine has a method for each `kind`.

    Attributes:
        row: a row of the table, or a user's.
        operands: see `kind`.
        out: where the results go.
        backward: whether only the gradient needs the results.
        adds: whether a sum over the batch is added to the numbers in out.
    """

    row: Primitive
    operands: tuple[Slots, ...]
    out: Slots
    backward: bool
    adds: bool = False

    @property
    def kind(self) -> str:
        """How the results are computed.

        - ``"apply"``: the row is applied element by element; the operands have out's shape.
        - ``"fold"``: the row combines the columns of all operands, [n×k] each, in any order; out is [n].
        - ``"product"``: ``out[c] = left[c] @ right[c]ᵀ + …`` for each block c.  The operands are left and right of each
          product, [c×m×K] and [c×n×K]; if their number is odd, the last is a bias of out's shape [c×m×n].  In a gradient the
          products are summed over the batch as well.
        - ``"sum"``: the operand is summed over the batch.
        """
        if self.row is primitives.dot:
            return "product"
        return "sum" if self.is_summed else "fold" if fold_of(self.row) else "apply"

    @property
    def is_summed(self) -> bool:
        """Whether the results are summed over the batch, as the gradient is."""
        return self.out.space == GRADIENT

    @property
    def factors(self) -> list[tuple[Slots, Slots]]:
        """Left and right of each product."""
        return [*zip(self.operands[::2], self.operands[1::2], strict=False)]

    @property
    def bias(self) -> Slots | None:
        """The slots that are added to the products, or None."""
        return self.operands[-1] if len(self.operands) % 2 else None


@dataclass
class Layout:
    """A program as instructions.

    Attributes:
        instructions: in order.
        sizes: how many slots the spaces `STATIC` and `BATCHED` have.
        constants: the numbers of the space `CONSTANTS`.
        outputs: where the results are: (space, slot).
        labels: of slots, where the user gave one.
    """

    instructions: list[Instruction]
    sizes: dict[int, int]
    constants: list[float]
    outputs: list[tuple[int, int]]
    labels: dict[tuple[int, int], str]

    def outputs_by_space(self) -> list[tuple[int, Array, Array]]:
        """Return, for each space with outputs, its number, the indices of these outputs, and their slots."""
        spaces, slots = np.array(self.outputs, np.intp).reshape(-1, 2).T
        places = [(int(space), np.flatnonzero(spaces == space)) for space in np.unique(spaces)]
        return [(space, which, slots[which]) for space, which in places]


def lay_out(passes: Passes, groups: Sequence[Group]) -> Layout:
    """Give every node of a program its slot, and every group of its schedule its instructions."""
    graph = passes.graph
    places = _Places(graph, passes.gradients)
    instructions = [*chain.from_iterable(map(places.instructions, groups)), *places.sums()]
    labels = dict(zip(places.of(graph.labels), graph.labels.values(), strict=True))
    return Layout(instructions, places.sizes, [*graph.constants.values()], places.of(passes.outputs), labels)


# For each instruction the places of its results among the nodes that are laid out, in their shape, and its operands.
Placed: TypeAlias = Iterator[tuple[Array, tuple[Slots, ...]]]


class _Places:
    """The addresses of the nodes in all groups that were laid out so far."""

    def __init__(self, graph: Graph, gradients: Gradients) -> None:
        self.graph, self.gradients, self.sizes = graph, gradients, {STATIC: 0, BATCHED: 0}
        self.multiplied: set[int] = set()  # the parameters whose gradient a product writes
        self.at, self.block = np.zeros((2, len(graph)), np.int64)  # the address of each node, and the first one of its block
        self.block[: graph.n_leaves] = np.array(spaces(graph), np.int64) << BITS
        self.at[: graph.n_leaves] = np.concatenate([np.arange(n) for n in (len(graph.parameters), *graph.sizes)])
        self.at[[*graph.constants]] = np.arange(len(graph.constants))
        self.at |= self.block  # 0 for constants, whose space is 0

    def of(self, nodes: Iterable[int]) -> list[tuple[int, int]]:
        """Return the spaces and slots of nodes."""
        return [divmod(at, 1 << BITS) for at in self.at[[*nodes]].tolist()]

    def results(self, group: Group, nodes: Array) -> Slots:
        """Give new slots to nodes, in their order."""
        first = self.sizes[group.space]
        self.sizes[group.space] += nodes.size
        index = np.arange(first, first + nodes.size).reshape(nodes.shape)
        self.block[nodes] = group.space << BITS | first
        self.at[nodes] = group.space << BITS | index
        return Slots(group.space, index)

    def instructions(self, group: Group) -> Iterator[Instruction]:
        """Lay out a group."""
        if group.row is None:
            yield from self._outers([self.gradients.outers[k] for k in group.nodes])
            return
        nodes, operands = np.array(group.nodes), np.array([self.graph.operands[i] for i in group.nodes])
        if group.row is primitives.dot:
            left, right = map(self._lists, operands[:, :2].T.tolist())
            placed = self._products(left, right, self.at[operands[:, 2:]])
        elif fold_of(group.row):
            placed = self._folds(self.at[operands])
        else:
            placed = self._elements(self.at[operands])
        for places, slots in placed:
            yield Instruction(group.row, slots, self.results(group, nodes[places]), group.backward)

    def _elements(self, rows: Array) -> Placed:
        """Lay out a row that is applied element by element, from the addresses of its operands [nodes×operands]."""
        order = _ascending(rows)
        columns = [*rows[order].T]
        shape = shape_of(columns)
        yield order.reshape(shape), tuple([_slots(column.reshape(shape)) for column in columns])

    def _folds(self, rows: Array) -> Placed:
        """Lay out a row that combines many operands in any order, as one instruction for all from the same spaces."""
        rows = np.sort(rows, axis=1)
        for chosen in _alike(rows >> BITS):
            placed = chosen[_ascending(rows[chosen])]
            yield placed, tuple([_slots(rows[placed, run]) for run in _runs(rows[placed[0]] >> BITS)])

    def _outers(self, outers: Sequence[Outer]) -> Iterator[Instruction]:
        """Lay out outers: the gradient of each parameter is a sum of products, of its outer's δ and of its own inputs."""
        deltas = np.repeat([outer.deltas for outer in outers], [len(outer.parameters) for outer in outers], axis=0)
        lists = {inputs: self._lists(inputs).T for inputs in {outer.inputs for outer in outers}}
        inputs = np.concatenate([lists[outer.inputs] for outer in outers])
        parameters = np.concatenate([outer.parameters for outer in outers])
        no_bias = np.zeros((len(parameters), 0), np.int64)
        for grid, operands in self._products(self.at[deltas], inputs, no_bias, least=CONSTANTS + 1):
            self.multiplied.update(parameters[grid].flat)
            yield Instruction(primitives.dot, operands, Slots(GRADIENT, parameters[grid]), backward=True)

    def _lists(self, places: Sequence[int]) -> Array:
        """Return the addresses in lists of one length."""
        numbers = {i: number for number, i in enumerate({*places})}  # neurons of a layer share a list, which is read once
        return self.at[[self.graph.operands[i] for i in numbers]][[numbers[i] for i in places]]

    def _products(self, left: Array, right: Array, bias: Array, least: int = CONSTANTS) -> Placed:
        """Lay out sums of products, as one instruction for all whose factors come from the same spaces.

        Args:
            left: [sums×K], the addresses of the left factors.
            right: [sums×K], those of the right ones.
            bias: [sums×1], or [sums×0] if there is none.
            least: products with a factor from a space below this one are 0, and are left out.

        Returns:
            For each instruction the places of its sums, in a grid [c×m×n], and its operands.
        """
        swap = left >> BITS > right >> BITS  # so that factors computed once are on the left, and arguments on the right
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        kinds = left >> BITS << BITS | right >> BITS
        if (kinds[:, 1:] < kinds[:, :-1]).any() or (left[:, 1:] <= left[:, :-1]).any():
            order = np.lexsort([right, left, kinds], axis=1)
            left, right, kinds = (np.take_along_axis(x, order, axis=1) for x in (left, right, kinds))
        for chosen in _alike(np.concatenate([kinds, bias >> BITS], axis=1)):
            runs = _runs(kinds[chosen[0]])
            parts = [(left[chosen, run], right[chosen, run]) for run in runs if kinds[chosen[0], run.start] >> BITS >= least]
            if not parts:
                continue
            largest = max(parts, key=lambda part: part[0].shape[1])
            grid, others = _grid(*largest), [part for part in parts if part is not largest]
            if not all((a[grid] == a[grid[:, :, :1]]).all() and (b[grid] == b[grid[:, :1]]).all() for a, b in others):
                grid = np.arange(len(chosen)).reshape(-1, 1, 1)
            operands = [_slots(x) for a, b in parts for x in (a[grid[:, :, 0]], b[grid[:, 0]])]
            yield chosen[grid], (*operands, *[_slots(x[grid]) for x in bias[chosen].T])

    def sums(self) -> Iterator[Instruction]:
        """Lay out the gradients that are not outers: sums of results or leaves over the batch."""
        parameters, nodes = (np.array([*x], np.intp) for x in (self.gradients.nodes.keys(), self.gradients.nodes.values()))
        adds = np.array([parameter in self.multiplied for parameter in self.gradients.nodes], np.intp)
        for chosen in _alike(np.stack([self.block[nodes], adds], axis=1)) if nodes.size else ():
            out = Slots(GRADIENT, parameters[chosen])
            yield Instruction(primitives.positive, (_slots(self.at[nodes[chosen]]),), out, True, bool(adds[chosen[0]]))


def _slots(at: Array) -> Slots:
    """Return addresses in one space as slots."""
    space = int(at.flat[0]) >> BITS
    return Slots(space, at - (space << BITS))


def _runs(kinds: Array) -> list[slice]:
    """Return the slices between which the numbers change."""
    jumps = (np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist()
    return [slice(a, b) for a, b in pairwise([0, *jumps, len(kinds)])]


def _ascending(rows: Array) -> Array:
    """Return the order in which rows of numbers ascend, by their first number first."""
    return np.lexsort(rows.T[::-1])


def _alike(kinds: Array) -> list[Array]:
    """Return the places of each distinct row."""
    if (kinds == kinds[0]).all():
        return [np.arange(len(kinds))]
    numbers = _numbered(kinds)
    return np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])


def _grid(left: Array, right: Array) -> Array:
    """Arrange dots in blocks [c×m×n] so that those in a line share their left factors, and those in a column their right ones.

    Args:
        left: [dots×K], the slots of the left factors.
        right: [dots×K], those of the right ones.

    Returns:
        The places of the dots; in blocks of one dot each if there are no larger blocks of equal size.
    """
    single = np.arange(len(left)).reshape(-1, 1, 1)
    a, b = _numbered(left), _numbered(right)
    order, counts = np.lexsort([b, a]), np.bincount(a)
    if (counts != counts[0]).any():
        return single
    order = order.reshape(len(counts), -1)
    blocks = _alike(b[order])  # left rows that meet the same right rows
    return order[np.stack(blocks)] if len({*map(len, blocks)}) == 1 else single


def _numbered(rows: Array) -> Array:
    """Number the rows of a matrix, equal ones alike, in ascending order."""
    if rows.shape[1] > 1:  # measured: as bytes they are compared several times as fast as by `axis=0`
        rows = np.ascontiguousarray(rows, ">i8").view(f"V{8 * rows.shape[1]}")
    return np.unique(rows, return_inverse=True)[1].reshape(-1)


def shape_of(columns: Sequence[Array]) -> tuple[int, ...]:
    """Return the shape in which to see columns of slots: two dimensions if one that jumps is evenly spaced there, else one.

    >>> shape_of([np.array([0, 1, 2, 3, 4, 5]), np.array([7, 7, 7, 8, 8, 8])])
    (2, 3)
    """
    n = len(columns[0])
    runs = []  # the lengths between jumps, of columns that jump at equal distances by equal steps
    for column in columns:
        jumps = np.flatnonzero(np.diff(column, 2))
        if jumps.size:
            run = int(jumps[0]) + 2
            if n % run == 0 and strides(column.reshape(-1, run)):
                runs.append(run)
    return (n // min(runs), min(runs)) if runs else (n,)


def strides(index: Array) -> tuple[int, tuple[int, ...]] | None:
    """Return the first slot and the step along each dimension, if slots are evenly spaced; else None.

    >>> strides(np.array([[3, 4], [7, 8]])), strides(np.array([3, 4, 9]))
    ((3, (4, 1)), None)
    """
    flat, size, even = index.reshape(-1), index.size, index.flat[0]
    steps: list[int] = []
    for n in index.shape:
        size //= n
        steps.append(int(flat[size] - flat[0]) if n > 1 else 0)
        if n > 1:
            even = np.add.outer(even, steps[-1] * np.arange(n))
    return (int(flat[0]), tuple(steps)) if even.tobytes() == flat.tobytes() else None
