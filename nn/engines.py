"""The two ways of learning from a batch: example by example, or all at once.

`Eager` records each example's graph, goes back through it, and lets go of it.  `Compiled` has the loss of one example compiled
for batches by `autograd.compile`, and moves all parameters as one array.  Both do the same arithmetic, up to the order of sums.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from nn.evaluation import Examples, class_of
from nn.losses import Loss
from nn.losses import l2 as squares
from nn.module import Module
from nn.optim import Optimizer

if TYPE_CHECKING:
    from autograd import Program

__all__ = ["Compiled", "Eager", "Lesson", "collector_paused", "engine_for"]

WORTH: Final = 2_000_000  # examples × epochs × parameters, from which on a second or more is saved by compiling


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cyclic garbage collector off inside the block, and put it back as it was, whatever happens.

    Graphs have no reference cycles, so it finds nothing to free in them; but it looks at every living node again and again,
    which takes most of the time of a training step.

    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    was_on = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass
class Lesson:
    """What is to be learned, and how.

    Attributes:
        model: what learns.
        loss: of one example's outputs and targets.
        examples: to learn from.
        optimizer: moves the parameters.
        reduce: ``"mean"`` or ``"sum"`` over a batch.
        l2: the strength of the penalty on large parameters.
        threshold: from which output on a single one says "yes".
    """

    model: Module
    loss: Loss
    examples: Examples
    optimizer: Optimizer
    reduce: str
    l2: float
    threshold: float


class Eager:
    """Learns from one example after the other."""

    def __init__(self, lesson: Lesson, reason: str) -> None:
        self.lesson, self.parameters = lesson, lesson.model.parameters()
        self.description = f"eager: {reason}"

    def learn(self, batch: Sequence[int]) -> tuple[float, int]:
        """Make a step; return the sum of the batch's losses and how many examples were right.

        Raises:
            FloatingPointError: if the loss or the gradient is not finite; then no parameter has changed.
        """
        lesson, losses, right = self.lesson, 0.0, 0
        share = 1 / len(batch) if lesson.reduce == "mean" else 1.0
        with collector_paused():
            for parameter in self.parameters:
                parameter.grad = 0.0
            for i in batch:
                outputs = lesson.model(lesson.examples.inputs(i))
                error = lesson.loss(outputs, lesson.examples.targets[i])
                error.backward(share)
                losses += error.data
                if lesson.examples.classes is not None:
                    right += class_of(outputs, lesson.threshold) == lesson.examples.classes[i]
            if lesson.l2:
                penalty = squares(self.parameters, lesson.l2)
                penalty.backward()
                losses += penalty.data / share
            if not (math.isfinite(losses) and all(math.isfinite(parameter.grad) for parameter in self.parameters)):
                raise FloatingPointError
            lesson.optimizer.step(self.parameters)
        return losses, right

    def measure(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean loss of examples, and the share that is classified rightly if they have classes."""
        lesson = self.lesson
        outputs = [lesson.model.predict(examples.inputs(i)) for i in range(len(examples))]
        losses = [float(lesson.loss(out, target)) for out, target in zip(outputs, examples.targets, strict=True)]
        mean = math.fsum(losses) / len(losses)
        if examples.classes is None:
            return mean, None
        right = [class_of(out, lesson.threshold) == c for out, c in zip(outputs, examples.classes, strict=True)]
        return mean, right.count(True) / len(right)

    def settle(self) -> None:
        """Bring the model up to date with what was learned."""

    def resume(self) -> None:
        """Take notice of what somebody else did to the model."""


class Compiled:
    """Learns from a whole batch at once.

    Raises:
        TypeError, ValueError: if the model or the loss cannot be compiled, saying why.
        ModuleNotFoundError: without NumPy.
    """

    def __init__(self, lesson: Lesson) -> None:
        from autograd import compile

        self.lesson, self.np, examples = lesson, import_module("numpy"), lesson.examples

        def both(x: Any, target: Any) -> list[Any]:
            outputs = lesson.model(x)
            return [lesson.loss(outputs, target), *(outputs if isinstance(outputs, list) else [outputs])]

        self.parameters = lesson.model.parameters()
        self.compile = partial(compile, both, self.parameters, example=(examples.inputs(0), examples.targets[0]))
        self.program: Program = self.compile()
        if not self.compile().graph.does_as(self.program.graph):
            raise TypeError("the model or the loss does something else at each call, as with random numbers")
        self.data = self._arrays(examples)
        self.description = f"compiled: {self.program.backend_for(min(len(examples), 8))}"
        lesson.optimizer.gather(self.program.parameters, self.parameters)

    def _arrays(self, examples: Examples) -> tuple[Any, Any, Any]:
        np = self.np
        try:
            inputs, targets = np.asarray(examples.X, float), np.asarray(examples.targets, float)
        except ValueError as error:
            raise ValueError(f"the examples are not all of one shape: {error}") from None
        return inputs, targets, None if examples.classes is None else np.array(examples.classes)

    def learn(self, batch: Sequence[int]) -> tuple[float, int]:
        """Make a step; see `Eager.learn`."""
        np, lesson, parameters = self.np, self.lesson, self.program.parameters
        places = np.asarray(batch)
        inputs, targets, classes = self.data
        outputs, gradient = self.program.outputs_and_gradient(inputs[places], targets[places], reduce=lesson.reduce)
        losses = float(outputs[0].sum())
        if lesson.l2:
            gradient += 2 * lesson.l2 * parameters
            losses += lesson.l2 * float(parameters @ parameters) * (len(places) if lesson.reduce == "mean" else 1)
        if not (math.isfinite(losses) and np.isfinite(gradient).all()):
            raise FloatingPointError
        lesson.optimizer.step_array(parameters, gradient)
        return losses, 0 if classes is None else self._right(outputs[1:], classes[places])

    def _right(self, outputs: Any, classes: Any) -> int:
        guesses = outputs.argmax(axis=0) if len(outputs) > 1 else outputs[0] >= self.lesson.threshold
        return int((guesses == classes).sum())

    def measure(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean loss of examples, and the share that is classified rightly if they have classes."""
        inputs, targets, classes = self._arrays(examples)
        losses, *outputs = self.program(inputs, targets).T
        return float(losses.mean()), None if classes is None else self._right(self.np.array(outputs), classes) / len(inputs)

    def settle(self) -> None:
        """Bring the model, and the optimiser's state, up to date with what was learned."""
        self.program.push()
        self.lesson.optimizer.scatter(self.program.parameters, self.program.leaves)

    def resume(self) -> None:
        """Take notice of what somebody else did to the model: to its parameters, and to what else it computes with."""
        fresh = self.compile()
        if fresh.graph.does_as(self.program.graph):
            self.program.pull()
        else:
            self.program = fresh
            self.lesson.optimizer.gather(fresh.parameters, self.parameters)


def engine_for(lesson: Lesson, compiled: bool | str, epochs: int) -> Eager | Compiled:
    """Choose an engine: compiled where it can be and is worth it, for "auto"; True and False decide it.

    Raises:
        ValueError: for another choice than these.
        TypeError: for True, if the model cannot be compiled.
    """
    if not isinstance(compiled, bool) and compiled != "auto":
        raise ValueError(f"compiled is 'auto', True or False; got {compiled!r}")
    if compiled is True:
        return Compiled(lesson)
    if compiled is False:
        return Eager(lesson, "as asked for")
    if epochs * len(lesson.examples) * len(lesson.model.parameters()) < WORTH:
        return Eager(lesson, "done sooner than compiled")
    try:
        return Compiled(lesson)
    except (ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
        return Eager(lesson, str(error))
