"""The instructions as a pure function of arrays: for JAX, or for any namespace that has NumPy's functions.

Nothing is prepared and nothing is written in place: each instruction makes a new block of results.  So the function can be
differentiated, compiled for an accelerator, and its batch spread over devices.  On NumPy's arrays it is the reference for all
other machines.

>>> import numpy as np
>>> from autograd.compiler import compile
>>> from autograd.value import Value
>>> w = Value(2.0)
>>> program = compile(lambda x: (w * x) ** 2, [w], example=[0.0])
>>> outputs, gradient = run(program.layout, np, np.array([2.0]), [np.array([[1.0], [3.0]])])
>>> outputs.tolist(), gradient.tolist()
([[4.0, 36.0]], [40.0])
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.batches import Batch, batch_of, numbers_of
from autograd.compiler.layout import Array, Instruction, Layout, Slots
from autograd.compiler.recordings import definition
from autograd.compiler.schedule import CONSTANTS, GRADIENT, INPUTS, PARAMETERS, fold_of
from autograd.compiler.version import Plan, Version

__all__ = ["PureMachine", "as_function", "exact_share", "run"]


def exact_share(n: int) -> float:
    """Return the largest power of two that is at most 1/n: numbers multiplied by it keep their digits.

    The sum of n numbers may overflow where their mean is finite; the sum of the scaled numbers does not.

    >>> exact_share(3), exact_share(8)
    (0.25, 0.125)
    """
    return 2.0 ** -(n - 1).bit_length()


@np.errstate(all="ignore")  # undefined operations give NaN or ±∞ here, as in every compiled program
def run(
    layout: Layout, namespace: Any, parameters: Array, arguments: Sequence[Array], scale: float = 1.0
) -> tuple[Array, Array]:
    """Run a program's instructions.

    Args:
        layout: the program.
        namespace: where NumPy's functions are for these arrays, such as ``jax.numpy``.
        parameters: one flat array.
        arguments: [batch×size] each.
        scale: a factor for each example's gradient, so that the sum over the batch does not overflow.

    Returns:
        The outputs [outputs×batch], and the gradient of the first, scaled and summed over the batch.
    """
    memory = Memory(namespace, parameters, batch_of(arguments), scale)
    memory.keep(CONSTANTS, namespace.asarray(layout.constants, dtype=parameters.dtype).reshape(-1, 1))
    memory.keep(PARAMETERS, parameters.reshape(-1, 1))
    memory.keep(GRADIENT, namespace.zeros_like(parameters).reshape(-1, 1))  # for parameters that nothing depends on
    for i, argument in enumerate(arguments):
        memory.keep(INPUTS + i, argument.T)
    for instruction in layout.instructions:
        result = getattr(memory, instruction.kind)(instruction)
        memory.keep(instruction.out.space, result.reshape(instruction.out.index.size, -1), instruction.out.index)
    places, outputs = [np.zeros(0, np.intp)], [namespace.zeros((0, memory.batch), dtype=parameters.dtype)]  # there may be none
    for space, which, slots in layout.outputs_by_space():
        places.append(which)
        outputs.append(namespace.broadcast_to(memory.take(Slots(space, slots)), (len(slots), memory.batch)))
    order = np.argsort(np.concatenate(places))
    gradient = memory.take(Slots(GRADIENT, np.arange(parameters.size)))[:, 0] if parameters.size else parameters
    return namespace.concatenate(outputs)[order], gradient


class PureMachine:
    """A program on NumPy's arrays, run as written; for the arguments see `NumPyMachine`, which is faster."""

    def __init__(self, plan: Plan, parameters: Array) -> None:
        self.layout, self.parameters = plan.layout, parameters

    @classmethod
    def suits(cls, plan: Plan, batch: int) -> bool:
        """Return False: it runs only where it is requested."""
        return False

    def outputs(self, arguments: Sequence[Array]) -> Array:
        """Return the outputs [outputs×batch] for arguments [batch×size]."""
        return run(self.layout, np, self.parameters, arguments)[0]

    def gradient(self, arguments: Sequence[Array], share: float) -> tuple[Array, Array]:
        """Return the outputs, and the gradient of the first, summed over the batch and multiplied by a share."""
        return run(self.layout, np, self.parameters, arguments, share)


def as_function(version: Version, namespace: Any, of: str | None, first: str = "") -> Callable[..., Any]:
    """Return a program as a function of its parameters and a batch.

    Args:
        version: the program.
        namespace: see `run`.
        of: None for a function that returns the mean loss and its gradient; ``"parameters"`` or ``"inputs"`` for one that
            returns the Jacobian [batch×outputs×n].
        first: the beginning of the advice for other arguments.
    """
    n = len(version.passes.graph.parameters)

    def checked(parameters: Any, arguments: Sequence[Any]) -> tuple[Any, list[Any]]:
        if getattr(parameters, "shape", None) != (n,) or not namespace.issubdtype(parameters.dtype, namespace.floating):
            parameters = numbers_of(parameters, "parameters", n, "leaf", namespace.asarray).astype(float)
        parameters = namespace.asarray(parameters)  # in JAX's own precision, float32 unless it is set otherwise
        advice = f"{first}call it with such arguments, and then to_jax() again"
        arrays = version.in_order(Batch(arguments, namespace.asarray), advice)
        return parameters, [namespace.asarray(x, dtype=parameters.dtype).reshape(len(x), -1) for x in arrays]

    def loss_and_gradient(parameters: Any, *arguments: Any) -> tuple[Any, Any]:
        parameters, arrays = checked(parameters, arguments)
        batch = batch_of(arrays)
        scale = exact_share(batch)
        outputs, gradient = run(version.layout, namespace, parameters, arrays, scale)
        return (outputs[0] * scale).sum() / (batch * scale), gradient / (batch * scale)

    if of is None:
        return loss_and_gradient
    found, plan = version.jacobian(of)

    def jacobian(parameters: Any, *arguments: Any) -> Any:
        parameters, arrays = checked(parameters, arguments)
        return found.dense(run(plan.layout, namespace, parameters, arrays)[0], namespace)

    return jacobian


class Memory:
    """The blocks of results so far, and where each slot is in them."""

    def __init__(self, namespace: Any, parameters: Array, batch: int, scale: float) -> None:
        self.namespace, self.dtype, self.batch, self.scale = namespace, parameters.dtype, batch, scale
        self.blocks: list[Array] = []
        self.places: dict[tuple[int, int], tuple[int, int]] = {}

    def keep(self, space: int, block: Array, index: Array | None = None) -> None:
        """Keep a block of slots of a space: all its slots, or those of an index."""
        slots = range(len(block)) if index is None else index.reshape(-1).tolist()
        self.places.update({(space, slot): (len(self.blocks), i) for i, slot in enumerate(slots)})
        self.blocks.append(block)

    def take(self, slots: Slots) -> Array:
        """Return slots in their shape, with a last dimension for the batch."""
        places = np.array([self.places[slots.space, slot] for slot in slots.index.reshape(-1).tolist()])
        used, which = np.unique(places[:, 0], return_inverse=True)
        blocks = [self.blocks[block] for block in used]
        starts = np.cumsum([0, *(len(block) for block in blocks)])
        block = self.namespace.concatenate(blocks) if len(blocks) > 1 else blocks[0]
        lines = starts[which] + places[:, 1]
        first, end = lines[0], lines[0] + len(lines)
        block = block[first:end] if np.array_equal(lines, np.arange(first, end)) else block[lines]
        return block.reshape(*slots.index.shape, -1)

    # The results of an instruction, by its kind: a block in their shape.

    def apply(self, instruction: Instruction) -> Array:
        """Apply a row."""
        row, operands = instruction.row, [self.take(slots) for slots in instruction.operands]
        if row.array_function(self.namespace) is None:
            definition(row, len(operands))  # raises an error with advice if the row takes only numbers
        result = self.namespace.asarray(row.apply(operands), dtype=self.dtype)  # truth values become 0 and 1
        return self.namespace.broadcast_to(result, np.broadcast_shapes(*[x.shape for x in operands]))

    def fold(self, instruction: Instruction) -> Array:
        """Combine many operands."""
        fold = getattr(self.namespace, fold_of(instruction.row))
        return functools.reduce(fold, [fold.reduce(self.take(slots), axis=1) for slots in instruction.operands])

    def sum(self, instruction: Instruction) -> Array:
        """Sum over the batch."""
        operand = self.take(instruction.operands[0])
        result = (operand * self.scale).sum(axis=-1) * (self.batch // operand.shape[-1])
        return result + self.take(instruction.out)[..., 0] if instruction.adds else result

    def product(self, instruction: Instruction) -> Array:
        """Add up products, of numbers [c×m×K×batch] and [c×n×K×batch], where a batch of 1 stands for all examples."""
        text, scale = ("cmkb,cnkb->cmn", self.scale) if instruction.is_summed else ("cmkb,cnkb->cmnb", 1)
        terms = [self.namespace.einsum(text, self.take(a) * scale, self.take(b)) for a, b in instruction.factors]
        terms += [self.take(instruction.bias)] if instruction.bias else []
        return functools.reduce(operator.add, terms)
