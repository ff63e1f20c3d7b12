"""The two ways of learning from a batch: example by example, or all at once.

`Eager` records each example's graph, runs its backward pass, and releases it.  `Compiled` compiles the loss of one example for
batches, with `autograd.compile`, and moves all parameters as one array.  Both do the same arithmetic, up to the order of sums.
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from autograd import DomainError, Value, gradients
from autograd.collector import collector_paused
from nn.evaluation import Examples, class_of, outputs_of
from nn.losses import LIMITS, PROBABILITIES, Loss, l2, require_probabilities
from nn.module import Module, plain
from nn.optim import Optimizer, require_arrays
from nn.rehearsal import Dependence, numbers_in, parameters_of, require_loss, unchanged
from nn.tables import naming

if TYPE_CHECKING:
    from autograd import Program

__all__ = ["Compiled", "Eager", "Lesson", "Step", "StepError", "engine_for", "mean_of"]

# A step that was made: the number of its examples, their loss, reduced and with the penalty, and how many were right.
Step: TypeAlias = tuple[int, float, int]
# If examples × epochs × parameters is at least this, compiling saves a second or more.
LEAST_WORK_TO_COMPILE: Final = 2_000_000
MOST_STEPS: Final = 1000  # in one call of native code; an interrupt from the keyboard waits for its end
FEW_STEPS: Final = 8  # fewer are as fast one by one
MOST_TARGETS: Final = 100  # different targets, such as classes, with which a loss is tried before it is compiled
CHANGING: Final = ("the model or the loss does something different at each call, but a compiled program would repeat the "
                   "call that was traced; use compiled=False")  # fmt: skip
UNLIKE: Final = ("the model or the loss returns a different result for nodes than for numbers, and nodes replace the inputs "
                 "and targets while it is compiled: it may depend on their class, text or identity; "
                 "use compiled=False")  # fmt: skip
PLAIN: Final = ("but compiled training needs numbers in nested lists of one shape; use compiled=False, or write a loop with "
                "autograd.compile, which takes others, too")  # fmt: skip


@dataclass
class Lesson:
    """What to learn, and how.

    Attributes:
        model: the model to train.
        loss: of one example's outputs and targets.
        examples: to learn from.
        optimizer: moves the parameters.
        reduce: ``"mean"`` or ``"sum"`` over a batch.
        l2: the strength of the penalty on large parameters.
        threshold: the least single output that means class 1.
        held_out: examples that are only measured.
    """

    model: Module
    loss: Loss
    examples: Examples
    optimizer: Optimizer
    reduce: str
    l2: float
    threshold: float
    held_out: Examples | None = None

    def record(self, i: int) -> tuple[Value, Any]:
        """Return the loss of example i, and what the model returned for it.

        Raises:
            TypeError: if the loss is not a `Value`; like every error about an example, it includes its number.
        """
        with naming(f"example {i}"):
            outputs = self.model(self.examples.inputs(i))
            return require_loss(self.loss(outputs, self.examples.targets[i]), outputs), outputs

    def given(self, i: int) -> Any:
        """Return the inputs and targets of example i."""
        return self.examples.inputs(i), self.examples.targets[i]


class StepError(Exception):
    """A step that failed because a number is not finite or outside a domain; its cause is the original error.

    Attributes:
        batch: the indices of its examples.
    """

    def __init__(self, batch: Sequence[int]) -> None:
        super().__init__(batch)
        self.batch = batch


class Engine(ABC):
    """The base class of both engines: makes steps, and checks what can be learned.

    Attributes:
        description: how it computes, and why.
        dependence: what the losses seen so far depend on.
        looking: whether to inspect graphs, as in the first epoch.
        moved: whether any gradient so far was not 0.
    """

    description: str

    def __init__(self, lesson: Lesson) -> None:
        self.lesson, self.parameters = lesson, parameters_of(lesson.model)
        self.dependence, self.looking, self.moved = Dependence(self.parameters, lesson.model), True, False

    @abstractmethod
    def learn(self, batch: Sequence[int]) -> tuple[float, int]:
        """Make a step; return the loss of the batch, reduced and with the penalty, and how many examples were right.

        Raises:
            FloatingPointError: if the loss or the gradient is not finite; then no parameter has changed.
            ValueError: if no example's loss depends on a parameter.
            TypeError: if a loss is not a `Value`.
        """

    def learn_all(self, batches: Iterable[Sequence[int]]) -> Iterator[Step]:
        """Make a step with each batch; iterate over the steps.

        Raises:
            StepError: if `learn` raises a DomainError or a FloatingPointError.
        """
        for batch in batches:  # not `map`, which a StopIteration of the model or the loss would end silently
            try:
                yield len(batch), *self.learn(batch)
            except (DomainError, FloatingPointError) as error:
                raise StepError(batch) from error

    @abstractmethod
    def measure(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean loss of examples, and the share that is classified correctly if they have classes.

        An example for which the loss is undefined counts as ∞ and does not raise, so that the training so far is not lost.
        """

    @abstractmethod
    def settle(self) -> None:
        """Bring the model, and the optimiser's state, up to date with what was learned."""

    def resume(self) -> None:
        """Pick up changes that callbacks made to the model: other parameters are learned from now on."""
        self.parameters = parameters_of(self.lesson.model)

    def notes(self) -> list[str]:
        """Return, after the first epoch, a sentence about each thing that is not learned, and stop inspecting graphs."""
        self.looking = False
        flat = [] if self.moved else ["every gradient was 0 in the first epoch, so nothing was learned: the loss is at a "
                                      "minimum, or flat, as after step, or after relu of a negative number"]  # fmt: skip
        return self.dependence.notes() + flat


class Eager(Engine):
    """Learns from one example after another."""

    def __init__(self, lesson: Lesson, reason: str) -> None:
        super().__init__(lesson)
        self.description = f"eager: {reason}"
        self.steps = 0

    def learn(self, batch: Sequence[int]) -> tuple[float, int]:
        """Make a step; see `Engine.learn`."""
        lesson, right = self.lesson, 0
        losses: list[float] = []
        share = 1 / len(batch) if lesson.reduce == "mean" else 1.0
        with collector_paused():
            for parameter in self.parameters:
                parameter.grad = 0.0
            for i in batch:
                example_loss, outputs = lesson.record(i)
                if self.steps == 1 and not losses:
                    _require_fresh(example_loss)
                if self.looking and self.dependence.is_open:
                    self._see(example_loss, i)
                example_loss.backward(share)
                losses.append(example_loss.data)
                if lesson.examples.classes is not None:
                    right += class_of(outputs, lesson.threshold) == lesson.examples.classes[i]
            self._require_dependence()
            loss = mean_of(losses) if lesson.reduce == "mean" else sum(losses)
            if lesson.l2:
                penalty = l2(self.parameters, lesson.l2)
                penalty.backward()
                loss += penalty.data
            if not (math.isfinite(loss) and all(math.isfinite(parameter.grad) for parameter in self.parameters)):
                raise FloatingPointError
            self.moved = self.moved or any(parameter.grad for parameter in self.parameters)
            lesson.optimizer.step(self.parameters)
        self.steps += 1
        return loss, right

    def _see(self, example_loss: Value, i: int) -> None:
        self.dependence.see(example_loss, self.lesson.given(i))
        if len(self.lesson.examples) == 1 and self.dependence.seen == 1:
            # Recorded again: only nodes that persist between calls are in both graphs.
            self.dependence.see(self.lesson.record(i)[0], self.lesson.given(i))

    def _require_dependence(self) -> None:
        """Raise if no example's loss depends on a parameter; usually the first example's does."""
        for i in range(len(self.lesson.examples)):
            if not self.dependence.is_empty:
                return
            self._see(self.lesson.record(i)[0], i)
        self.dependence.require_any()

    def measure(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy of examples; see `Engine.measure`."""
        lesson, losses, right = self.lesson, [], 0
        for i, target in enumerate(examples.targets):
            loss = math.inf
            with contextlib.suppress(ArithmeticError):  # the model or the loss is undefined for this example
                outputs = lesson.model.predict(examples.inputs(i))
                if examples.classes is not None:
                    right += class_of(outputs, lesson.threshold) == examples.classes[i]
                loss = float(plain(lesson.loss(outputs, target)))
            losses.append(loss)
        return mean_of(losses), None if examples.classes is None else right / len(examples)

    def settle(self) -> None:
        """Do nothing: each step has moved the model itself."""


class Compiled(Engine):
    """Learns from a whole batch at once.

    Raises:
        TypeError, ValueError: if the model or the loss cannot be compiled, the optimiser cannot move an array of parameters, or
            nothing can be learned, with the reason.
        ModuleNotFoundError: without NumPy.
    """

    def __init__(self, lesson: Lesson) -> None:
        super().__init__(lesson)
        with unchanged(lesson.model, lesson.loss):
            self._rehearse()
            self.program = self._compile()
            self._require_alike()
        self.np = np = import_module("numpy")
        with np.errstate(all="ignore"):
            require_arrays(lesson.optimizer, self.program.parameters.copy())
        self.data = self._arrays(lesson.examples)
        if lesson.held_out is not None:
            learned, measured = _shapes(self.data), _shapes(self._arrays(lesson.held_out))
            if learned != measured:
                raise ValueError(f"the validation examples and their targets have the shapes {measured}, and the training "
                                 f"examples {learned}; use compiled=False")  # fmt: skip
        self.description = f"compiled: {self.program.backend_for(min(len(lesson.examples), 8))}"
        lesson.optimizer.gather(self.program.parameters, self.parameters)

    def _rehearse(self) -> None:
        """Record two examples, to see what the loss depends on; if it can be compiled, all examples have the same graph."""
        lesson = self.lesson
        with contextlib.suppress(ArithmeticError):  # such as a DomainError, for which the first step names the example
            for i in (0, len(lesson.examples) - 1):
                example_loss, outputs = lesson.record(i)
                self.dependence.see(example_loss, lesson.given(i))
            self.dependence.require_any()
            # A loss may reject targets, but not symbolic ones, while it is compiled; so each different target is tried here.
            for target in self._distinct_targets():
                lesson.loss(outputs, target)

    def _distinct_targets(self) -> list[Any]:
        return [*{repr(target): target for target in self.lesson.examples.targets}.values()][:MOST_TARGETS]

    def _require_alike(self) -> None:
        """Raise if the loss of an example changes when nodes replace its numbers, as in the compiler."""
        loss, given = self.lesson.loss, self.lesson.given
        with contextlib.suppress(ArithmeticError):
            for x, target in (given(0), given(-1)):
                _require_same(lambda x, target: loss(self.lesson.model(x), target), x, target)
            outputs = self.lesson.model(given(-1)[0])
            for target in self._distinct_targets():
                _require_same(partial(loss, outputs), target)

    def _compile(self) -> Program:
        """Compile the loss of an example, and the outputs.

        Raises:
            TypeError: if that is impossible; if random numbers are drawn, which would be the same in every example; or if a
                second call computes something else, or changes numbers that are kept, such as a running mean.
        """
        from autograd import compile

        lesson = self.lesson
        model, loss = lesson.model, lesson.loss

        def loss_and_outputs(x: Any, target: Any) -> list[Any]:
            outputs = model(x)
            return [loss(outputs, target), *(outputs_of(outputs) or [])]

        program = compile(loss_and_outputs, self.parameters, example=lesson.given(0))
        before = numbers_in(model, loss)
        is_current = False
        with contextlib.suppress(Exception):  # of nodes that the first call kept, for example
            is_current = program.is_current()
        if not is_current or numbers_in(model, loss) != before:
            raise TypeError(CHANGING)
        return program

    def _arrays(self, examples: Examples) -> tuple[Any, Any, Any]:
        np = self.np
        try:
            inputs, targets = np.asarray(examples.X, float), np.asarray(examples.targets, float)
        except ValueError as error:
            is_ragged = "inhomogeneous" in str(error)
            raise ValueError(f"the examples are not all of one shape, {PLAIN}" if is_ragged else str(error)) from None
        return inputs, targets, None if examples.classes is None else np.array(examples.classes)

    def learn(self, batch: Sequence[int]) -> tuple[float, int]:
        """Make a step; see `Engine.learn`."""
        np, lesson, parameters = self.np, self.lesson, self.program.parameters
        indices = np.asarray(batch)
        inputs, targets, classes = self.data
        outputs, gradient = self.program.outputs_and_gradient(inputs[indices], targets[indices], reduce=lesson.reduce)
        if lesson.loss in PROBABILITIES:
            require_probabilities(lesson.loss, (float(outputs[1:].min()), float(outputs[1:].max())))
        with np.errstate(over="ignore", invalid="ignore"):  # the error below is clearer than a warning
            loss = mean_of(outputs[0]) if lesson.reduce == "mean" else float(outputs[0].sum())
            if lesson.l2:
                gradient += 2 * lesson.l2 * parameters
                loss += lesson.l2 * float(parameters @ parameters)
        if not (math.isfinite(loss) and np.isfinite(gradient).all()):
            raise FloatingPointError
        self.moved = self.moved or bool(gradient.any())
        lesson.optimizer.step_array(parameters, gradient)
        return loss, 0 if classes is None else int(self._are_right(outputs[1:], classes[indices]).sum())

    def learn_all(self, batches: Iterable[Sequence[int]]) -> Iterator[Step]:
        """Make a step with each batch; see `Engine.learn_all`.  A native program makes many at once."""
        for chunk in _chunks(batches):
            while chunk:
                steps = self._many(chunk)
                yield from steps
                chunk = chunk[len(steps) :]
                # Alone: the first step, which makes the optimiser's state, and a step that raises.
                n = 1 if steps or not self.moved else len(chunk)
                yield from super().learn_all(chunk[:n])
                chunk = chunk[n:]

    def _many(self, batches: Sequence[Sequence[int]]) -> list[Step]:
        """Make as many steps as possible in native code."""
        if len(batches) < FEW_STEPS:
            return []
        np, lesson, (inputs, targets, classes) = self.np, self.lesson, self.data
        limits = LIMITS if lesson.loss in PROBABILITIES else (-math.inf, math.inf)
        train = partial(
            self.program.train, inputs, targets, batches=batches, reduce=lesson.reduce, penalty=lesson.l2, limits=limits
        )
        made, *found = lesson.optimizer.step_many(self.program.parameters, len(batches), train)
        if not made:
            return []
        outputs, penalties, moved = found
        self.moved = self.moved or moved
        sizes = np.array([len(batch) for batch in batches[:made]])
        starts = np.cumsum(sizes) - sizes
        n = int(sizes.sum())
        shares = 2.0 ** -np.ceil(np.log2(sizes)) if lesson.reduce == "mean" else np.ones(made)
        sums = np.add.reduceat(outputs[0, :n] * np.repeat(shares, sizes), starts)
        losses = sums / (sizes * shares) if lesson.reduce == "mean" else sums
        right = np.zeros(made, int)
        if classes is not None:
            order = np.concatenate(batches[:made])
            right = np.add.reduceat(self._are_right(outputs[1:, :n], classes[order]).astype(int), starts)
        return [*zip(sizes.tolist(), (losses + penalties[:made]).tolist(), right.tolist(), strict=True)]

    def _are_right(self, outputs: Any, classes: Any) -> Any:
        guesses = outputs.argmax(axis=0) if len(outputs) > 1 else outputs[0] >= self.lesson.threshold
        return (guesses == classes) & ~self.np.isnan(outputs).any(axis=0)  # as in `class_of`

    def measure(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy of examples; see `Engine.measure`."""
        inputs, targets, classes = self._arrays(examples)
        found = self.program(inputs, targets).T
        losses, outputs = found[0], found[1:]
        if self.lesson.loss in PROBABILITIES:  # otherwise they would be finite for some outputs that are not probabilities
            losses = self.np.where(((outputs < LIMITS[0]) | (outputs > LIMITS[1])).any(axis=0), math.inf, losses)
        share = None if classes is None else int(self._are_right(outputs, classes).sum()) / len(inputs)
        return mean_of(losses), share

    def settle(self) -> None:
        """Bring the model, and the optimiser's state, up to date with what was learned."""
        self.program.push()
        self.lesson.optimizer.scatter(self.program.parameters, self.program.leaves)

    def resume(self) -> None:
        """Pick up changes that callbacks made to the model: to its parameters and everything else it computes with."""
        self.parameters = parameters_of(self.lesson.model)
        with unchanged(self.lesson.model, self.lesson.loss):
            if self.parameters == self.program.leaves and self.program.is_current():
                self.program.pull()
            else:
                self.program = self._compile()
        self.lesson.optimizer.gather(self.program.parameters, self.parameters)


def _shapes(data: tuple[Any, Any, Any]) -> list[tuple[int, ...]]:
    """Return the shape of an example's inputs, and that of its targets."""
    inputs, targets, _ = data
    return [inputs.shape[1:], targets.shape[1:]]


def _require_same(f: Callable[..., Any], *given: Any) -> None:
    """Raise a TypeError unless a function returns the same number for numbers, for `Value`s of them, and a second time."""
    one, *others = (float(plain(f(*arguments))) for arguments in (given, map(_nodes, given), given))
    # The operations are the same, so even after cancellation only a user's row that rounds differently makes a difference.
    if not (all(math.isclose(one, other, rel_tol=1e-6) for other in others) or math.isnan(one)):
        raise TypeError(UNLIKE)


def _nodes(x: Any) -> Any:
    if isinstance(x, list | Value):
        return [*map(_nodes, x)] if isinstance(x, list) else x
    try:
        return Value(x)
    except TypeError:
        raise TypeError(f"an example is or holds a {type(x).__name__}, {PLAIN}") from None


def _chunks(batches: Iterable[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Iterate over lists of batches; an error of the iterator is raised after the batches before it."""
    found: list[Sequence[int]] = []
    try:
        for batch in batches:
            found.append(batch)
            if len(found) == MOST_STEPS:
                yield found
                found = []
    except Exception:
        yield found
        raise
    yield found


def mean_of(losses: Any) -> float:
    """Return the mean of a list or an array of numbers, which overflows only if it is itself beyond the largest float.

    >>> mean_of([8.2e307, 8.2e307, 8.2e307])
    8.2e+307
    """
    n = len(losses)
    share = 2.0 ** -(n - 1).bit_length()  # a power of two, so that no digit is lost
    total = float((losses * share).sum()) if hasattr(losses, "sum") else sum(loss * share for loss in losses)
    return total / (n * share)


def engine_for(lesson: Lesson, compiled: bool | str, epochs: int) -> Engine:
    """Return the engine: True and False choose it; "auto" compiles where that is possible and saves time.

    Raises:
        ValueError: for any other choice.
        TypeError: for True, if the model cannot be compiled.
    """
    if not isinstance(compiled, bool) and compiled != "auto":
        raise ValueError(f"compiled is 'auto', True or False; got {compiled!r}")
    if compiled is True:
        return Compiled(lesson)
    if compiled is False:
        return Eager(lesson, "compiled=False")
    if epochs * len(lesson.examples) * len(lesson.model.parameters()) < LEAST_WORK_TO_COMPILE:
        return Eager(lesson, "training takes less time than compiling")
    try:
        return Compiled(lesson)
    except (ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
        return Eager(lesson, str(error))


def _require_fresh(loss: Value) -> None:
    """Raise if a loss uses a node that was computed from a parameter before the first step, and is not updated with it."""
    try:
        gradients(loss, [])
    except ValueError as error:
        raise ValueError("the loss uses a node that was computed from a parameter before training began and stays as it was; "
                         f"compute it inside the model or the loss: {error}") from None  # fmt: skip
