"""Instructions on NumPy's arrays.

Everything is prepared once for each size of batch: operands are views, results have their places, and what remains is a list of
calls that allocate nothing, such as ``np.matmul(w, x, net)`` and ``np.tanh(net, out)``.

The numbers of an example form a column and those of a slot a row, so that each slot is contiguous.  An argument has its
examples in rows; it is used transposed, and copied only where slots have to be gathered from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from autograd.compiler.batches import batch_of
from autograd.compiler.layout import Array, Instruction, Slots, strides
from autograd.compiler.recordings import definition
from autograd.compiler.schedule import BATCHED, CONSTANTS, GRADIENT, INPUTS, PARAMETERS, STATIC, fold_of
from autograd.compiler.version import Plan
from autograd.primitives import Primitive

__all__ = ["NumPyMachine"]

Call: TypeAlias = tuple[Callable[..., Any], list[Any]]
MOST_SIZES: Final = 8  # the number of batch sizes that stay prepared


class NumPyMachine:
    """A program on NumPy's arrays.

    Args:
        plan: the program.
        parameters: one flat array, which the calls read in place.
    """

    def __init__(self, plan: Plan, parameters: Array) -> None:
        self.layout, self.parameters, self.sizes = plan.layout, parameters, plan.passes.graph.sizes
        self._for = functools.lru_cache(MOST_SIZES)(functools.partial(Bound, self))

    @classmethod
    def suits(cls, plan: Plan, batch: int) -> bool:
        """Return True: NumPy runs everything."""
        return True

    def outputs(self, arguments: Sequence[Array]) -> Array:
        """Return the outputs [outputs×batch] for arguments [batch×size]."""
        bound = self._for(batch_of(arguments))
        return bound.run(arguments, bound.forward)

    def gradient(self, arguments: Sequence[Array], share: float) -> tuple[Array, Array]:
        """Return the outputs, and the gradient of the first, summed over the batch and multiplied by a share."""
        bound = self._for(batch_of(arguments))
        return bound.run(arguments, bound.calls), bound.spaces[GRADIENT][:, 0] * share


class ArgumentView(NamedTuple):
    """A view of an argument, with steps in bytes, that is made at each run, when the argument is known."""

    argument: int
    shape: tuple[int, ...]
    offset: int
    steps: tuple[int, ...]


class Bound:
    """A program's calls for batches of one size."""

    def __init__(self, machine: NumPyMachine, batch: int) -> None:
        layout, dtype = machine.layout, machine.parameters.dtype
        self.batch, self.dtype, self.layout = batch, dtype, layout
        self.spaces: dict[int, Array] = {
            CONSTANTS: np.array(layout.constants, dtype).reshape(-1, 1),
            PARAMETERS: machine.parameters.reshape(-1, 1),
            STATIC: np.empty((layout.sizes[STATIC], 1), dtype),
            BATCHED: np.empty((layout.sizes[BATCHED], batch), dtype),
            GRADIENT: np.zeros((machine.parameters.size, 1), dtype),
        }
        self.steps = {space: (array.strides[0], array.strides[1]) for space, array in self.spaces.items()}
        for i, size in enumerate(machine.sizes):
            self.steps[INPUTS + i] = (dtype.itemsize, size * dtype.itemsize)
        self.outputs = layout.outputs_by_space()
        self.patches: list[tuple[list[Any], int, ArgumentView]] = []  # operands of calls that only a run knows
        self.calls: list[Call] = []
        n_forward = 0  # the number of calls of the forward pass, which comes first
        self._gathered: dict[Any, Array] = {}
        self._between: dict[Any, Array] = {}  # by row, step and shape, results within rows that are made of others
        for instruction in layout.instructions:
            getattr(self, instruction.kind)(instruction)
            if not instruction.backward:
                n_forward = len(self.calls)
        self.forward = self.calls[:n_forward]

    def run(self, arguments: Sequence[Array], calls: Sequence[Call]) -> Array:
        """Put the arguments in their places, make the calls, and return the outputs [outputs×batch]."""
        for args, i, (argument, shape, offset, steps) in self.patches:
            args[i] = np.ndarray(shape, self.dtype, arguments[argument], offset, steps)
        with np.errstate(all="ignore"):  # undefined operations give NaN or ±∞ here
            for function, args in calls:
                function(*args)
        for args, i, _ in self.patches:
            args[i] = None  # so that the batch can be freed
        found = np.empty((len(self.layout.outputs), self.batch), self.dtype)
        for space, which, slots in self.outputs:
            found[which] = self.spaces[space][slots] if space < INPUTS else arguments[space - INPUTS].T[slots]
        return found

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Add a call."""
        call = function, [*args]
        for i, x in enumerate(args):
            if isinstance(x, ArgumentView):
                self.patches.append((call[1], i, x))
        self.calls.append(call)

    # Views of operands and results.

    def see(self, space: int, first: int, dims: Sequence[tuple[int, int]]) -> Any:
        """Return a view that begins at a slot and has these lengths and steps in bytes."""
        shape, steps = tuple([n for n, _ in dims]), tuple([step for _, step in dims])
        offset = first * self.steps[space][0]
        if space >= INPUTS:
            return ArgumentView(space - INPUTS, shape, offset, steps)
        return np.ndarray(shape, self.dtype, self.spaces[space], offset, steps)

    def view(self, slots: Slots) -> Any:
        """Return slots in their shape, with a last dimension for the batch."""
        even = strides(slots.index)
        if even is None:
            return self.gather(slots.space, slots.index)
        down, along = self.steps[slots.space]
        dims = [(n, step * down) for n, step in zip(slots.index.shape, even[1], strict=True)]
        return self.see(slots.space, even[0], [*dims, (self.width(slots.space), along)])

    def operand(self, slots: Slots) -> Any:
        """Return a view of slots, without dimensions if they are one number, which halves the time of calls on small arrays."""
        first = int(slots.index.flat[0])
        if self.width(slots.space) == 1 and (slots.index == first).all():
            return self.see(slots.space, first, [])
        return self.view(slots)

    def width(self, space: int) -> int:
        """Return the size of the batch where there is a number for each example, else 1."""
        return self.batch if space >= BATCHED else 1

    def gather(self, space: int, index: Array) -> Array:
        """Gather slots into an array of the index's shape, with a last dimension for the batch."""
        key = space, index.shape, index.tobytes()
        if key not in self._gathered:
            self._gathered[key] = found = np.empty((*index.shape, self.width(space)), self.dtype)
            if space not in self.spaces:  # an argument is copied once, so that its slots are contiguous
                down, along = self.steps[space]
                self.spaces[space] = np.empty((along // down, self.batch), self.dtype)
                self.call(np.copyto, self.spaces[space], self.see(space, 0, [(along // down, down), (self.batch, along)]))
            self.call(np.take, self.spaces[space], index.reshape(-1), 0, found.reshape(index.size, -1), "clip")
        return self._gathered[key]

    def matrix(self, slots: Slots, *, transposed: bool = False) -> Any:
        """Return slots [c×m×K] as matrices for BLAS, [c×m×K·batch] or transposed [c×K·batch×m], without c if it is 1."""
        c, m, k = slots.index.shape
        down, along = self.steps[slots.space]
        even, width = strides(slots.index), self.width(slots.space)
        if even is not None:
            first, steps = even
            block, line, column = [step * down for step in steps]
            across = along if width > 1 else column
            # K and the batch merge if the numbers of the next slot begin where those of a slot end.
            merges = width == 1 or k == 1 or column == width * along
            if merges and _suits_blas(line, m, across, k * width, self.dtype.itemsize):
                dims = [(m, line), (k * width, across)]
                dims = dims[::-1] if transposed else dims
                return self.see(slots.space, first, [(c, block), *dims] if c > 1 else dims)
        found = self.gather(slots.space, slots.index).reshape(c, m, -1)
        found = found.swapaxes(1, 2) if transposed else found
        return found if c > 1 else found[0]

    # The calls of an instruction, by its kind.

    def apply(self, instruction: Instruction) -> None:
        """Add the calls that apply a row."""
        operands = [self.operand(slots) for slots in instruction.operands]
        self.apply_row(instruction.row, operands, self.view(instruction.out))

    def apply_row(self, row: Primitive, operands: Sequence[Any], out: Array) -> None:
        """Add the calls that compute a row: NumPy's own function, or those that the row is made of."""
        function = row.array_function(np)
        if isinstance(function, np.ufunc):
            self.call(functools.partial(function, out=out), *operands)
        elif function is not None:
            self.call(_assign, function, out, *operands)
        else:
            self.apply_definition(row, operands, out)

    def apply_definition(self, row: Primitive, operands: Sequence[Any], out: Array) -> None:
        """Add the calls of what a row is made of."""
        made = definition(row, len(operands))
        [result] = made.results
        values: dict[int, Any] = {**dict(enumerate(operands)), **made.constants}
        for i, inner, made_of in made.steps:
            key = row, len(operands), i, out.shape
            values[i] = out if i == result else self._between.setdefault(key, np.empty(out.shape, self.dtype))
            self.apply_row(inner, [values[j] for j in made_of], values[i])
        if not made.steps:
            self.call(np.copyto, out, values[result])

    def fold(self, instruction: Instruction) -> None:
        """Add the calls that combine many operands."""
        out, fold = self.view(instruction.out), getattr(np, fold_of(instruction.row))
        for i, slots in enumerate(instruction.operands):
            partial = np.empty((len(out), self.width(slots.space)), self.dtype)
            self.call(fold.reduce, self.view(slots), 1, None, partial)
            if i:
                self.call(fold, out, partial, out)
            else:
                self.call(np.copyto, out, partial)

    def product(self, instruction: Instruction) -> None:
        """Add the calls of a product."""
        if instruction.is_summed:
            self.over_batch(instruction)
            return
        target = self.view(instruction.out)
        c, m, n, width = target.shape
        flat = target.reshape(c, m, n * width)
        flat = flat if c > 1 else flat[0]
        is_matrix = c == 1 or m > 1 or n > 1  # not many blocks of one dot each
        for i, (left, right) in enumerate(instruction.factors):
            if is_matrix and self.width(left.space) == 1 and self.width(right.space) == width:
                # The batch belongs to the columns: [m×K] @ [K × n·batch].
                columns = Slots(right.space, right.index.swapaxes(1, 2))
                self.accumulate(np.matmul, i, flat, self.matrix(left), self.matrix(columns))
            else:
                self.accumulate(_einsum, i, target, self.view(left), self.view(right))
        if instruction.bias is not None:
            self.call(np.add, target, self.view(instruction.bias), target)

    def over_batch(self, instruction: Instruction) -> None:
        """Add the calls of a product that is summed over the batch: the gradient of a matrix of weights."""
        item, index = self.dtype.itemsize, instruction.out.index
        even, (c, m, n) = strides(index), index.shape
        is_contiguous = even is not None and _suits_blas(even[1][1] * item, m, even[1][2] * item, n, item)
        target = self.view(instruction.out)[..., 0] if is_contiguous else np.empty(index.shape, self.dtype)
        target = target if c > 1 else target[0]
        for i, (left, right) in enumerate(instruction.factors):
            self.accumulate(np.matmul, i, target, self.matrix(left), self.matrix(right, transposed=True))
        if not is_contiguous:
            self.call(np.put, self.spaces[GRADIENT], index, target)

    def accumulate(self, function: Callable[..., Any], i: int, target: Array, *operands: Any) -> None:
        """Add a call that sets the target, or that adds to it."""
        partial = np.empty(target.shape, self.dtype) if i else target
        self.call(function, *operands, partial)
        if i:
            self.call(np.add, target, partial, target)

    def sum(self, instruction: Instruction) -> None:
        """Add the calls of a sum over the batch."""
        [slots] = instruction.operands
        index, operand = instruction.out.index, self.view(slots)
        is_direct = strides(index) is not None and not instruction.adds
        target = self.view(instruction.out)[..., 0] if is_direct else np.empty(len(index), self.dtype)
        if self.width(slots.space) == self.batch:
            self.call(np.add.reduce, operand, -1, None, target)
        else:
            self.call(np.multiply, operand[..., 0], self.batch, target)
        if not is_direct:
            self.call(_add if instruction.adds else np.put, self.spaces[GRADIENT], index, target)


def _add(array: Array, index: Array, x: Array) -> None:
    array[index, 0] += x


def _einsum(left: Array, right: Array, out: Array) -> None:
    np.einsum("cmkb,cnkb->cmnb", left, right, out=out)


def _assign(function: Callable[..., Any], out: Array, *operands: Any) -> None:
    out[...] = function(*operands)


def _suits_blas(lines: int, m: int, across: int, k: int, item: int) -> bool:
    """Return whether BLAS accepts a matrix [m×k] with these steps in bytes, from line to line and across a line."""
    by_lines = across == item and (m == 1 or lines >= k * item)
    by_columns = lines == item and (k == 1 or across >= m * item)
    return by_lines or by_columns
