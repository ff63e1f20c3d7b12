"""Where everything lies: groups of scalars become instructions on arrays.

Each space is an array with a slot for every number: the parameters, the constants, each argument, what is computed once, what
is computed for each example.  A group gets slots that follow each other, in the order of its operands' slots, so that operands
are slices rather than collections.  `Slots` says which slots an operand is, in a box of any number of dimensions.

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
from autograd.compiler.backward import Gradients, Outer
from autograd.compiler.schedule import BATCHED, STATIC, Group, spaces
from autograd.compiler.tracing import CONSTANTS, Graph
from autograd.primitives import Nary, Primitive

__all__ = ["GRADIENT", "Apply", "Array", "Fold", "Instruction", "Layout", "Product", "Slots", "Sum", "lay_out", "strides"]

GRADIENT = -1  # the space of the gradient, with a slot for each parameter
Array: TypeAlias = Any  # numpy.ndarray, without its type parameters


class Slots(NamedTuple):
    """Some slots of a space, as an array of their numbers."""

    space: int
    index: Array


@dataclass(frozen=True, eq=False)
class Apply:
    """``out = row(*operands)``, element by element; all have one shape."""

    row: Primitive
    operands: tuple[Slots, ...]
    out: Slots
    backward: bool


@dataclass(frozen=True, eq=False)
class Fold:
    """``out = row(parts[0][:, 0], parts[0][:, 1], …)``, for operations on many operands, whose order does not matter."""

    row: Nary
    parts: tuple[Slots, ...]
    out: Slots
    backward: bool

    @property
    def operands(self) -> tuple[Slots, ...]:
        """The slots that are read."""
        return self.parts


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

    parts: tuple[tuple[Slots, Slots], ...]
    bias: Slots | None
    out: Slots
    backward: bool
    summed: bool

    @property
    def operands(self) -> tuple[Slots, ...]:
        """The slots that are read."""
        return (*(slots for part in self.parts for slots in part), *([] if self.bias is None else [self.bias]))


@dataclass(frozen=True, eq=False)
class Sum:
    """``out = operand``, summed over the batch; if it `adds`, ``out = out + …``, after a product."""

    operand: Slots
    out: Slots
    adds: bool
    backward: ClassVar[bool] = True

    @property
    def operands(self) -> tuple[Slots, ...]:
        """The slots that are read."""
        return (self.operand,)


Instruction: TypeAlias = Apply | Fold | Product | Sum  # each has operands, an output and a pass


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
        """Return for each space with results its number, which outputs these are, and their slots."""
        spaces, slots = np.array(self.outputs, np.intp).reshape(-1, 2).T
        places = [(int(space), np.flatnonzero(spaces == space)) for space in np.unique(spaces)]
        return [(space, which, slots[which]) for space, which in places]


def lay_out(graph: Graph, groups: Sequence[Group], outputs: Sequence[int], gradients: Gradients | None = None) -> Layout:
    """Give every node its slot, and every group its instructions.

    Args:
        graph: in canonical form.
        groups: its schedule.
        outputs: the nodes that are wanted for each example.
        gradients: of the parameters.
    """
    gradients = gradients or Gradients()
    places = _Places(graph, gradients)
    instructions = [instruction for group in groups for instruction in places.instructions(group)]
    instructions += places.sums()
    instructions.sort(key=lambda instruction: instruction.backward)
    labels = {places.of(i): label for i, label in graph.labels.items()}
    return Layout(instructions, places.sizes, places.constants, [places.of(i) for i in outputs], labels)


class _Places:
    """Which space and slot each node has, as far as the groups were laid out."""

    def __init__(self, graph: Graph, gradients: Gradients) -> None:
        self.graph, self.gradients, self.sizes = graph, gradients, {STATIC: 0, BATCHED: 0}
        self.space, self.slot = np.full(len(graph), -1), np.zeros(len(graph), np.intp)
        self.space[: graph.n_leaves], self.space[[*graph.constants]] = spaces(graph), CONSTANTS
        self.constants = [*graph.constants.values()]
        self.slot[[*graph.constants]] = np.arange(len(self.constants))
        self.slot[: graph.n_leaves] = np.concatenate([np.arange(n) for n in (len(graph.parameters), *graph.sizes)])
        self.block = np.zeros(len(graph), dtype=np.intp)  # the first slot of those that a node was given its slot with

    def of(self, i: int) -> tuple[int, int]:
        """Return a node's space and slot."""
        return int(self.space[i]), int(self.slot[i])

    def slots(self, nodes: Array) -> Slots:
        """Return the slots of nodes that are in one space."""
        return Slots(int(self.space[nodes.flat[0]]), self.slot[nodes])

    def results(self, group: Group, nodes: Array) -> Slots:
        """Give new slots to nodes, in their order."""
        first = self.sizes[group.space]
        self.sizes[group.space] += nodes.size
        self.space[nodes], self.block[nodes] = group.space, first
        self.slot[nodes] = np.arange(first, first + nodes.size).reshape(nodes.shape)
        return self.slots(nodes)

    def instructions(self, group: Group) -> Iterator[Instruction]:
        """Lay out a group."""
        nodes = np.array(group.nodes)
        if group.row is None:
            yield from self._outers([self.gradients.outers[k] for k in group.nodes])
        elif group.row is primitives.dot:
            yield from self._dots(group, nodes)
        elif isinstance(group.row, Nary) and group.row.fold:
            yield from self._folds(group, group.row, nodes, self._operands(group))
        else:
            yield self._apply(group, group.row, nodes, self._operands(group))

    def _operands(self, group: Group) -> Array:
        return np.array([self.graph.operands[i] for i in group.nodes])

    def _apply(self, group: Group, row: Primitive, nodes: Array, operands: Array) -> Apply:
        order = _by_slots(self.slot[operands])
        columns = [self.slots(column) for column in operands[order].T]
        shape = box([column.index for column in columns])
        shaped = tuple(Slots(column.space, column.index.reshape(shape)) for column in columns)
        return Apply(row, shaped, self.results(group, nodes[order].reshape(shape)), group.backward)

    def _folds(self, group: Group, row: Nary, nodes: Array, operands: Array) -> Iterator[Fold]:
        order = np.lexsort([self.slot[operands], self.space[operands]], axis=1)
        operands = operands[np.arange(len(nodes))[:, None], order]
        for chosen in _alike(self.space[operands]):
            placed = chosen[_by_slots(self.slot[operands[chosen]])]
            parts = tuple(self.slots(operands[placed][:, run]) for run in _runs(self.space[operands[placed[0]]]))
            yield Fold(row, parts, self.results(group, nodes[placed]), group.backward)

    def _dots(self, group: Group, nodes: Array) -> Iterator[Product]:
        left, right, *bias = zip(*[self.graph.operands[i] for i in group.nodes], strict=True)
        added = np.stack(bias, axis=1) if bias else np.zeros((len(nodes), 0), np.intp)
        for chosen, *factors in self._products(self._lists(left), self._lists(right), added):
            parts, grid = self._parts(*factors)
            laid_bias = self.slots(added[chosen][grid][..., 0]) if added.size else None
            yield Product(parts, laid_bias, self.results(group, nodes[chosen][grid]), group.backward, summed=False)

    def _outers(self, outers: Sequence[Outer]) -> Iterator[Product]:
        """Lay out gradients: one row of left factors for each outer, and one of right factors for each of its elements."""
        deltas = np.repeat([outer.deltas for outer in outers], [len(outer.parameters) for outer in outers], axis=0)
        lists = {inputs: self._lists(inputs).T for inputs in {outer.inputs for outer in outers}}
        inputs = np.concatenate([lists[outer.inputs] for outer in outers])
        parameters = np.concatenate([outer.parameters for outer in outers])
        for chosen, left, right in self._products(deltas, inputs, np.zeros((len(parameters), 0), np.intp)):
            used = (self.space[left[0]] != CONSTANTS) & (self.space[right[0]] != CONSTANTS)  # the others are 0
            if not used.any():
                continue
            parts, grid = self._parts(left[:, used], right[:, used])
            yield Product(parts, None, Slots(GRADIENT, parameters[chosen][grid]), backward=True, summed=True)

    def _lists(self, places: Sequence[int]) -> Array:
        """Return the nodes of lists of one length."""
        numbers = {i: number for number, i in enumerate({*places})}
        return np.array([self.graph.operands[i] for i in numbers])[[numbers[i] for i in places]]

    def _products(self, left: Array, right: Array, bias: Array) -> Iterator[tuple[Array, ...]]:
        """Sort the factors of sums of products [sums×K], and group the sums whose factors come from the same spaces."""
        swap = self.space[left] > self.space[right]  # what is computed once stands left, and arguments stand right
        if swap.any():
            left, right = np.where(swap, right, left), np.where(swap, left, right)
        order = np.lexsort([self.slot[right], self.slot[left], self.space[right], self.space[left]], axis=1)
        lines = np.arange(len(left))[:, None]
        left, right = left[lines, order], right[lines, order]
        for chosen in _alike(np.concatenate([self.space[left], self.space[right], self.space[bias]], axis=1)):
            yield chosen, left[chosen], right[chosen]

    def _parts(self, left: Array, right: Array) -> tuple[Any, Array]:
        """Lay out factors that come from the same spaces: the parts of a product, and the sums' places in it."""
        parts = [(left[:, run], right[:, run]) for run in _runs(self.space[left[0]], self.space[right[0]])]
        grid = _grid(*max([(self.slot[a], self.slot[b]) for a, b in parts], key=lambda part: part[0].shape[1]))
        same = [((a[grid] == a[grid][:, :, :1]) & (b[grid] == b[grid][:, :1])).all() for a, b in parts if len(parts) > 1]
        if not all(same):
            grid = np.arange(len(left)).reshape(-1, 1, 1)
        return tuple((self.slots(a[grid[:, :, 0]]), self.slots(b[grid[:, 0]])) for a, b in parts), grid

    def sums(self) -> Iterator[Sum]:
        """Lay out the gradients that are no outers: sums of results, and of leaves."""
        parameters, nodes = (np.array([*x], np.intp) for x in (self.gradients.nodes.keys(), self.gradients.nodes.values()))
        structured = set().union(*[outer.parameters for outer in self.gradients.outers])
        adds = np.array([parameter in structured for parameter in self.gradients.nodes], np.intp)
        for chosen in _alike(np.stack([self.space[nodes], self.block[nodes], adds], axis=1)) if nodes.size else ():
            yield Sum(self.slots(nodes[chosen]), Slots(GRADIENT, parameters[chosen]), bool(adds[chosen[0]]))


def _runs(*columns: Array) -> list[slice]:
    """Return the longest slices in which each column has one number."""
    jumps = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return [slice(a, b) for a, b in pairwise([0, *(np.flatnonzero(jumps) + 1).tolist(), len(columns[0])])]


def _by_slots(slots: Array) -> Array:
    """Return the order of nodes in which their operands' slots ascend, the first operand's first."""
    return np.lexsort(slots.T[::-1])


def _alike(kinds: Array) -> Iterator[Array]:
    """Return the places of equal kinds, for each kind."""
    if (kinds == kinds[0]).all():
        yield np.arange(len(kinds))
        return
    _, kind = np.unique(kinds, axis=0, return_inverse=True)
    yield from (np.flatnonzero(kind.reshape(-1) == k) for k in range(kind.max() + 1))


def _grid(left: Array, right: Array) -> Array:
    """Arrange dots in blocks [c×m×n] so that, in a block, all dots of a line share their left factors, of a column their right.

    Args:
        left: [dots×K], the slots of the left factors.
        right: [dots×K], those of the right ones.

    Returns:
        The dots' places.  Blocks of one dot each where there are no larger blocks of equal size.
    """
    alone = np.arange(len(left)).reshape(-1, 1, 1)
    a, b = _numbered(left), _numbered(right)
    order, counts = np.lexsort([b, a]), np.bincount(a)
    if (counts != counts[0]).any():
        return alone
    kinds: dict[bytes, list[int]] = {}  # left rows by the right rows that they meet
    for i, met in enumerate(_keys(b[order].reshape(len(counts), -1))):
        kinds.setdefault(met, []).append(i)
    if len({*map(len, kinds.values())}) > 1:
        return alone
    return order.reshape(len(counts), -1)[[*kinds.values()]]


def _keys(rows: Array) -> list[bytes]:
    """Return for each row of a matrix of integers a key, in the order of the rows."""
    return [row.tobytes() for row in np.ascontiguousarray(rows, ">i8")]


def _numbered(rows: Array) -> Array:
    """Number the rows of a matrix, equal ones alike, in ascending order."""
    if rows.shape[1] == 1:
        return np.unique(rows, return_inverse=True)[1].reshape(-1)
    keys = _keys(rows)
    numbers = {key: i for i, key in enumerate(sorted({*keys}))}
    return np.array([numbers[key] for key in keys])


def box(columns: Sequence[Array]) -> tuple[int, ...]:
    """Return the shape in which as many as possible of some lists of slots ascend evenly along each dimension.

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
    """Return the periods at which a list of slots jumps, or an empty result if it is irregular."""
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
    return (int(flat[0]), tuple(steps)) if (even.reshape(-1) == flat).all() else None
