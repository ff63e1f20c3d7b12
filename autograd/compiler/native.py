"""Instructions on single numbers, compiled by numba.

Without matrices, or with only tiny ones, calling NumPy costs more than computing.  Here a program is a *tape*: arrays that
hold for each operation its code, the slot of its result, and the slots of its operands.  `autograd.compiler.interpreter` runs
it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from autograd.compiler.backward import Gradients, Passes
from autograd.compiler.interpreter import CODES, HAS_NUMBA, PRODUCTS, interpreter
from autograd.compiler.layout import Array
from autograd.compiler.recordings import expanded
from autograd.compiler.tracing import Graph
from autograd.compiler.version import Plan
from autograd.primitives import Primitive

__all__ = ["NativeMachine", "can_run"]

BREAK_EVEN: Final = 2500  # operations on single numbers that take as long as one instruction on arrays
MOST_SIZES: Final = 8  # the number of sheets that are kept, one for each width
KINDS: Final[dict[Primitive | None, int]] = {None: -1} | CODES  # the code of a node's row; leaves and lists have no row
KNOWN: Final = frozenset(KINDS)
TILE: Final = 1 << 15  # how many numbers are computed at once, so that they stay in the cache


def can_run(passes: Passes) -> bool:
    """Return whether every operation of a program is a row of the table, or made of such rows."""
    try:
        expanded(passes, KNOWN)
    except TypeError:
        return False
    return True


class NativeMachine:
    """A program on single numbers.

    Args:
        plan: the program, read as a graph, because a schedule and a layout would only cost time here.
        parameters: one flat array, which the calls read in place.
    """

    def __init__(self, plan: Plan, parameters: Array) -> None:
        self.run, self.parameters, self.flush = interpreter("run", parameters.dtype), parameters, plan.flush
        graph, forward, outputs, gradients = expanded(plan.passes, KNOWN)
        kinds = np.fromiter(map(KINDS.__getitem__, graph.rows), np.intp, len(graph))
        sizes = np.fromiter(map(len, graph.operands), np.intp, len(graph))
        n, first, slot = len(graph.parameters), graph.n_leaves, np.cumsum((kinds >= 0) | (sizes == 0)) - 1
        slot[:n], slot[n:first] = np.arange(first - n, first), np.arange(first - n)  # the inputs come before the parameters
        one = int(slot.max(initial=-1)) + 1  # the last slot is for the number 1
        self.n_slots, self.constants = one + 1, {slot[i]: x for i, x in graph.constants.items()} | {one: 1.0}
        self.forward, self.whole = _tapes(graph, kinds, sizes, forward, gradients, slot, one)
        self.out_rows = slot[[*outputs]]
        self._sheet = functools.lru_cache(MOST_SIZES)(self._new_sheet)

    @classmethod
    def suits(cls, plan: Plan, batch: int) -> bool:
        """Return whether a batch is small, or the program has little structure.

        An array instruction takes a few calls of NumPy, as long as some 2,500 native operations on single numbers.  Measured:
        there the two are equally fast, within a factor of 1.5, for networks, convolution and attention at batches up to 256.
        """
        return HAS_NUMBA and can_run(plan.passes) and plan.has_more_groups(plan.passes.work * batch / BREAK_EVEN)

    def outputs(self, arguments: Sequence[Array]) -> Array:
        """Return the outputs [outputs×batch] for arguments [batch×size]."""
        return self._run(arguments, self.forward)[0]

    def gradient(self, arguments: Sequence[Array], share: float) -> tuple[Array, Array]:
        """Return the outputs, and the gradient of the first, summed over the batch and multiplied by a share."""
        outputs, gradient = self._run(arguments, self.whole)
        gradient *= share
        return outputs, gradient

    def _run(self, arguments: Sequence[Array], tape: Sequence[Array]) -> tuple[Array, Array]:
        dtype, inputs = self.parameters.dtype, self._joined(arguments)
        gradient, out = np.zeros(self.parameters.size, dtype), np.empty((len(self.out_rows), len(inputs)), dtype)
        sheet = self._sheet(self._width(len(inputs)))
        self.run(*tape, sheet, inputs, 0, len(inputs), self.parameters, gradient, self.out_rows, out, self.flush)
        return out, gradient

    def train(
        self, arguments: Sequence[Array], sizes: Sequence[int], mean: bool, update: NativeMachine, states: Array, rates: Any,
        scalars: tuple[float, float, float, int],
    ) -> tuple[int, Array, Array, bool]:  # fmt: skip
        """Make steps of training, one for each batch; see `Program.train`.

        Args:
            arguments: of all batches, one after the other.
            sizes: of the batches.
            mean: whether a step follows the mean over its batch, or the sum.
            update: the rule of the optimiser as a program, with a parameter, its gradient, the rate, the step and the states
                as arguments.
            states: [states×parameters], changed in place.
            rates: of each step.
            scalars: the lowest and the highest allowed output, the factor of the penalty, the number of the first step.

        Returns:
            The number of steps made, the outputs [outputs×examples], each step's penalty, whether a gradient was other than 0.
        """
        dtype, inputs, width = self.parameters.dtype, self._joined(arguments), update._width(self.parameters.size)
        steps = np.zeros((3, len(sizes)), dtype)
        steps[0] = 1 / np.array(sizes) if mean else 1.0
        gradient, out = np.zeros(self.parameters.size, dtype), np.empty((len(self.out_rows), len(inputs)), dtype)
        kept = np.ascontiguousarray(states)  # to numba, another order is another type
        made = interpreter("train", dtype)(
            self.whole, self._sheet(self._width(max(sizes))), inputs, np.cumsum(sizes), self.parameters, gradient,
            self.out_rows, out, self.flush, update.forward, update._sheet(width), update.out_rows, kept, steps,
            np.asarray(rates, dtype), scalars,
        )  # fmt: skip
        states[...] = kept
        return made, out, steps[1], bool(steps[2].any())

    def _joined(self, arguments: Sequence[Array]) -> Array:
        """Return the arguments as one writeable array; to numba, any other is another type."""
        as_it_is = len(arguments) == 1 and arguments[0].flags.writeable
        return arguments[0] if as_it_is else np.concatenate(arguments or [np.zeros((1, 0), self.parameters.dtype)], axis=1)

    def _width(self, batch: int) -> int:
        """Return how many examples of a batch are computed at once."""
        return max(1, min(batch, max(8, TILE // self.n_slots)))  # the rule of a program without parameters gets 1

    def _new_sheet(self, width: int) -> Array:
        """Return an array with a slot for each number of the program, and a column for each of some examples."""
        sheet = np.zeros((self.n_slots, width), self.parameters.dtype)
        for slot, number in self.constants.items():
            sheet[slot] = number
        return sheet


def _written_out(graph: Graph, kinds: Array, sizes: Array) -> tuple[Array, Array]:
    """Return the operands of all operations, with lists written out, and the number of operands of each operation."""
    flat = np.fromiter(chain.from_iterable(graph.operands), np.intp, sizes.sum())
    is_operation, is_list, nodes = kinds >= 0, (kinds < 0) & (sizes > 0), np.arange(len(graph))
    # Each operand is a run in [*flat, *nodes]: a list is that of its own operands, any other node one of length 1, itself.
    first, length = np.where(is_list, np.cumsum(sizes) - sizes, len(flat) + nodes), np.where(is_list, sizes, 1)
    operands = flat[np.repeat(is_operation, sizes)]
    first, length = first[operands], length[operands]
    ends = np.cumsum(length)
    run = np.repeat(first - ends + length, length) + np.arange(length.sum())
    return np.concatenate([flat, nodes])[run], np.diff(ends[np.cumsum(sizes[is_operation]) - 1], prepend=0)


def _tapes(
    graph: Graph, kinds: Array, sizes: Array, forward: int, gradients: Gradients, slot: Array, one: int
) -> list[tuple[Array, ...]]:
    """Return the tapes of the forward pass and of both passes: codes, slots of results, ends of operands, slots of operands.

    Args:
        graph: the program.
        kinds: the `KINDS` of its nodes.
        sizes: the number of operands of each node.
        forward: the number of nodes that the outputs need.
        gradients: of the parameters.
        slot: the slot of each node.
        one: the slot of the number 1.
    """
    operands, counts = _written_out(graph, kinds, sizes)
    places = np.flatnonzero(kinds >= 0)
    summed = slot[[*gradients.nodes.values()]]
    # Parameters, and for each a line of slots: its gradient is the sum of products of the left half and the right half.
    sums: list[tuple[Sequence[int], Array]] = [([*gradients.nodes], np.stack([summed, np.full_like(summed, one)], axis=1))]
    matrices: dict[tuple[int, ...], Array] = {}
    for parameters, deltas, inputs in gradients.outers:
        if inputs not in matrices:
            matrices[inputs] = slot[np.array([graph.operands[i] for i in inputs])].T
        block, n = np.empty((len(parameters), 2 * len(deltas)), np.intp), len(deltas)
        block[:, :n], block[:, n:] = slot[[*deltas]], matrices[inputs]
        sums.append((parameters, block))
    tape = (
        np.concatenate([kinds[places], *(np.full(len(p), PRODUCTS) for p, _ in sums)]),
        np.concatenate([slot[places], *(p for p, _ in sums)]),
        np.cumsum(np.concatenate([[0], counts, *(np.full(len(p), block.shape[1]) for p, block in sums)])),
        np.concatenate([slot[operands], *(block.reshape(-1) for _, block in sums)]),
    )
    ops, tos, ats, args = (x.astype(np.uint32) for x in tape)
    n = int(np.searchsorted(places, forward))
    return [(ops[:n], tos[:n], ats[: n + 1], args[: ats[n]]), (ops, tos, ats, args)]
