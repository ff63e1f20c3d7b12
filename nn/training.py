"""Training: gradients of examples, steps of an optimiser, epoch after epoch.

The core is a few lines that anyone can write by hand:

    for x, t in batch:
        loss(model(x), t).backward(1 / len(batch))    # leaves add up, so this is the gradient of the mean
    optimizer.step(model.parameters())

`fit` adds shuffling, stopping, a history, a progress bar, and clear errors.  Each example's graph is
released before the next one is recorded, so memory does not grow with the batch.

>>> from nn import MLP, fit
>>> from nn.data import truth_table
>>> X, y = truth_table("xor")
>>> model = MLP(2, [4, 1], output="sigmoid", seed=1)
>>> print(fit(model, X, y, epochs=200, seed=0))
200 epochs, loss 0.2525 → 0.0003, accuracy 0.50 → 1.00; stopped after the last epoch
>>> [round(p) for p in model.predict(X)]
[0, 1, 1, 0]
"""

from __future__ import annotations

import inspect
import math
import operator
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from numbers import Real
from random import Random
from typing import Any, Never

from autograd import DomainError, find_nonfinite
from autograd.collector import collector_paused
from nn.engines import Compiled, Engine, Lesson, Step, StepError, engine_for
from nn.evaluation import Examples, examples_of, numbers_of
from nn.history import History
from nn.layers import choose, generator, twins
from nn.losses import LOSSES, Loss, boundary, hinge, mean_squared_error, paired, reach, require_targets, unsuited
from nn.module import Module, require_module
from nn.optim import Adam, Optimizer, require_optimizer
from nn.progress import bar_over
from nn.rehearsal import Snapshot, parameters_of
from nn.settings import whole_number
from nn.tables import flat, listed, naming, order_notes, short

__all__ = ["Batches", "Callback", "DivergenceError", "History", "collector_paused", "fit"]

Batches = Callable[[], Iterable[Sequence[int]]]
Callback = Callable[["History", Any], Any]
LAZY = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)  # a call runs nothing of these


class DivergenceError(FloatingPointError):
    """A loss or a gradient is not finite; the parameters are those before the step.

    Attributes:
        history: of the epochs before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.history)  # by default unpickling, as from another process, passes only the message


def fit(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: Loss | str = mean_squared_error,
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = 8,
    shuffle: bool = True,
    seed: int | Random | None = None,
    batches: Batches | None = None,
    reduce: str = "mean",
    l2: float = 0.0,
    goal: float | None = None,
    patience: int | None = None,
    tolerance: float = 0.0,
    validation: tuple[Any, Any] | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    compiled: bool | str = "auto",
    interrupt: str = "raise",
    **others: Never,
) -> History:
    """Train a model in place.

    Args:
        model: any `Module`.
        X: the examples, in the form that the model takes: nested lists, an array, a DataFrame or a sparse matrix, with a row
            for each example.  Do not change them while fit runs: compiled training may work on a copy.
        y: a target for each: a number, a list as long as the outputs, or the number of a class.  It has to suit the loss:
            for binary cross-entropies 0 to 1, for the hinge -1 and 1, or 0 and 1.
        loss: a function of one example's outputs and targets, or the name of one in `nn.losses`.  For a model with several
            outputs, numbers of classes become one-hot lists first; a function of your own gets other targets unchanged.
        optimizer: by default `Adam` with a learning rate of 0.05.  It keeps its state, so a second call continues from there.
        epochs: the largest number of passes through all examples.
        batch_size: examples for each step: 1 for online training, None for all of them (batch training).
        shuffle: whether each epoch goes through the examples in a new order.
        seed: an int for the same orders every time, or a `random.Random` to draw from.
        batches: replaces the three above: a function that returns the batches of an epoch, each a list or an array of indices
            into X.  To change anything else, use `callbacks`: compiled training would not see it.
        reduce: whether a step follows the gradient of the ``"mean"`` or of the ``"sum"`` over its batch.
        l2: adds this times the sum of the squares of all parameters to the loss of each step.
        goal: stop when an epoch's loss is at most this.
        patience: stop when the loss has not fallen below its earlier minimum by more than `tolerance` for this many epochs:
            the validation loss, if there is one.
        tolerance: see `patience`; not negative.
        validation: inputs and targets that are not learned from, only measured after each epoch.  If the model or the loss is
            undefined for one of them, the loss is ∞.
        callbacks: functions of the history and the model, called after each epoch; one that returns True, Python's or NumPy's,
            ends the training; other results are ignored.  They may change the model: parameters that they add or replace
            are learned from then on.
        progress: show a progress bar if it takes longer than a second, tqdm is installed, and someone is watching: at a
            terminal or in a notebook.
        compiled: whether to compile the loss for batches, see `autograd.compile`: True, False, or ``"auto"``, if that is
            possible and saves time.  The history's `engine` records what was done, and why.  Compiled training does not call
            the model, so attributes that a call sets, such as an activation to look at, are left unchanged; a model that
            computes with such attributes, or counts its calls, is not compiled.
        interrupt: what happens after an interrupt from the keyboard: ``"raise"`` raises it again, so a program with several
            trainings stops; ``"return"`` returns the history.  Either way the model keeps the parameters after its last
            complete step, and ``model.history`` has the complete epochs.
        others: not allowed; for ``lr``, the error shows where the learning rate belongs.

    Returns:
        The history, also kept as ``model.history`` (unless the model uses that name itself).

    Raises:
        DivergenceError: for a loss or gradient that is not finite, naming the first node at fault; the model is as it was
            before that step.
        ValueError: for no examples, different numbers of inputs and targets, targets that do not suit the loss, a model
            without parameters, a loss that depends on none of them, an unknown loss, or counts below 1.
        TypeError: for an argument of another type, and for a loss that does not return a `Value`.
        KeyboardInterrupt: see `interrupt`.

    >>> from nn import Neuron
    >>> line = Neuron(1, activation="linear", seed=0)
    >>> fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=1000, goal=1e-6, seed=0).stopped
    'at the goal'
    >>> f"{line.w[0].data:.2f} x + {line.b.data:.2f}"
    '2.00 x + 1.00'
    """
    for name in others:  # such as those of other libraries
        if name in ("lr", "learning_rate"):
            raise TypeError(f"fit has no argument {name}; pass the learning rate to the optimiser: optimizer=Adam(lr=0.05)")
        raise TypeError(f"fit has no argument {name}; help(fit) lists its arguments")
    optimizer = Adam(lr=0.05) if optimizer is None else optimizer
    _require_arguments(model, optimizer, validation, callbacks, batches, shuffle, reduce, interrupt)
    _require_numbers(l2, tolerance, goal)
    for name, n in {"epochs": epochs, "batch_size": batch_size, "patience": patience}.items():
        if n is not None or name == "epochs":
            whole_number(name, n)
    parameters = parameters_of(model)
    alternative = "a function of the outputs and the targets of an example"
    objective = loss if callable(loss) else choose("loss", loss, LOSSES, alternative)
    before = Snapshot(model, objective)
    examples, held_out, notes = _checked_examples(model, objective, X, y, validation)
    shuffled = _batches(len(examples), batch_size or len(examples), shuffle, seed)
    output = examples.outputs[0] if examples.outputs else None
    threshold = boundary(objective, [] if examples.classes is None else numbers_of(examples.targets), output)
    lesson = Lesson(model, objective, examples, optimizer, reduce, float(l2), threshold, held_out)
    engine = engine_for(lesson, compiled, epochs)
    if isinstance(engine, Compiled) and model.parameters() == parameters:  # otherwise the first call made some
        before.restore()
    history, started = History(engine=engine.description, notes=notes), time.perf_counter()
    history.threshold = threshold if examples.classes is not None and examples.n_outputs == 1 else None
    if isinstance(model.history, History | None):  # otherwise the model uses the name itself
        vars(model)["history"] = history

    bar, waiting = bar_over(progress, epochs), _Patience(patience, tolerance)
    try:
        for _ in range(epochs):
            _epoch(engine, shuffled() if batches is None else _checked_batches(batches(), len(examples), history), history)
            bar.set_postfix_str(f"loss {history.loss[-1]:.4g}", refresh=False)
            bar.update()
            stop_requested = _call_back(callbacks, engine, history) if callbacks else False
            history.stopped = _reason(history, goal, waiting, stop_requested)
            if history.stopped:
                break
        else:
            history.stopped = "after the last epoch"
        engine.settle()  # here and below: if an interrupt cuts one short, the other still runs
        if lost := sum(not math.isfinite(parameter.data) for parameter in model.parameters()):
            history.notes += [f"after the last step, {lost} of the parameters {'is' if lost == 1 else 'are'} not finite; try a "
                              "lower learning rate"]  # fmt: skip
    except KeyboardInterrupt:
        history.stopped = "by an interrupt"
        if interrupt == "raise":
            raise
    finally:
        engine.settle()
        bar.close()
        history.seconds = time.perf_counter() - started
    return history


def _epoch(engine: Engine, drawn: Iterable[Sequence[int]], history: History) -> None:
    """Learn from the batches of an epoch, measure the validation examples, and enter both in the history."""
    lesson = engine.lesson
    try:
        steps = [*engine.learn_all(drawn)]
    except StepError as error:
        engine.settle()
        raise DivergenceError(_fault(lesson, error.batch, history), history) from error.__cause__
    if not steps:
        raise ValueError(f"batches gave no batch in epoch {history.epochs}, so there is nothing to learn from")
    if not history.epochs:
        history.notes += engine.notes()
    loss, accuracy = _summary(steps, lesson.reduce)
    held_out = (None, None) if lesson.held_out is None else engine.measure(lesson.held_out)
    history.enter(loss, None if lesson.examples.classes is None else accuracy, *held_out)


def _call_back(callbacks: Sequence[Callback], engine: Engine, history: History) -> bool:
    """Call all callbacks, which may change the model; return whether one of them ends the training."""
    engine.settle()
    try:
        returned = [callback(history, engine.lesson.model) for callback in callbacks]
        return any(_is_bool(stop) and stop for stop in returned)
    finally:
        engine.resume()


def _require_arguments(
    model: Any, optimizer: Any, validation: Any, callbacks: Any, batches: Any, shuffle: Any, reduce: Any, interrupt: Any
) -> None:
    require_module(model)
    require_optimizer(optimizer)
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise TypeError(f"validation is a pair (X, y) of inputs and targets; got {short(repr(validation))}")
    if not (isinstance(callbacks, Sequence) and all(map(callable, callbacks))):
        raise TypeError(f"callbacks is a list of functions; got {callbacks!r}")
    for callback in callbacks:
        if any(is_lazy(f) for is_lazy in LAZY for f in (callback, callback.__call__)):
            raise TypeError(f"a callback is a plain function: a call would not run {callback!r}, because of its yield or async")
    if batches is not None and not callable(batches):
        raise TypeError(f"batches is a function that returns the batches of an epoch, such as [[0, 1], [2]]; got {batches!r}")
    if shuffle not in (False, True):
        raise TypeError(f"shuffle is True or False; got {shuffle!r}; for the same orders every time, pass seed=42")
    if reduce not in ("mean", "sum"):
        raise ValueError(f"reduce is 'mean' or 'sum'; got {reduce!r}")
    if interrupt not in ("raise", "return"):
        raise ValueError(f"interrupt is 'raise' or 'return'; got {interrupt!r}")


def _require_numbers(l2: Any, tolerance: Any, goal: Any) -> None:
    for name, bound in {"l2": l2, "tolerance": tolerance, "goal": 0.0 if goal is None else goal}.items():
        if not isinstance(bound, Real):
            raise TypeError(f"{name} is a number; got {bound!r}")
        if math.isnan(bound) or (math.isinf(bound) and name != "goal"):
            raise ValueError(f"{name} is finite; got {bound!r}")
        if bound < 0 and name != "goal":
            raise ValueError(f"{name} is not negative; got {bound!r}")


def _checked_examples(
    model: Module, loss: Loss, X: Any, y: Any, validation: tuple[Any, Any] | None
) -> tuple[Examples, Examples | None, list[str]]:
    """Return the examples, those of validation, and notes about weights, targets and outputs that do not suit."""
    are_classes = True if loss in LOSSES.values() else None
    examples = examples_of(model, X, y, are_classes=are_classes)
    notes = twins(model) + order_notes(X, y) + _check_targets(loss, examples)
    if validation is None:
        return examples, None, notes
    with naming("validation"):
        held_out = examples_of(model, *validation, are_classes=are_classes or examples.classes is not None)
        notes += order_notes(*validation) + _check_validation_targets(loss, examples, held_out)
    with suppress(ArithmeticError):  # with either engine, a model that cannot predict is rejected before it learns
        model.predict(held_out.inputs(0))
    return examples, held_out, notes


def _summary(steps: Sequence[Step], reduce: str) -> tuple[float, float]:
    """Return the loss of an epoch, reduced over all its examples, and the share of examples that were right."""
    sizes, losses, right = zip(*steps, strict=True)
    n = sum(sizes)
    # A weighted mean of the batches' means, since a sum of all losses may overflow where their mean does not.
    shares = (size / n if reduce == "mean" else 1.0 for size in sizes)
    return sum(map(operator.mul, losses, shares)), sum(right) / n


def _check_validation_targets(loss: Loss, examples: Examples, held_out: Examples) -> list[str]:
    """Check the targets of validation, see `_check_targets`; return a note if they number the classes differently."""
    _check_targets(loss, held_out)
    have_classes = examples.classes and held_out.classes
    if loss is hinge or not have_classes or not {-1, 0} <= _labels(examples) | _labels(held_out):
        return []
    return ["training and validation number the classes differently, one -1 and 1, the other 0 and 1: their losses cannot be "
            "compared"]  # fmt: skip


def _check_targets(loss: Loss, examples: Examples) -> list[str]:
    """Check that a loss of `nn.losses` takes all targets; return a note if the outputs cannot reach some of them.

    Raises:
        ValueError: naming the first example whose target does not suit, or an output that cannot reach its targets.
        TypeError: for text and other targets that are not numbers.
    """
    if loss not in LOSSES.values() or examples.outputs is None:
        return []
    outputs = examples.outputs
    for i, target in enumerate(examples.targets):
        targets = target if isinstance(target, list) else [target]
        with naming(f"example {i}"):
            paired(outputs, targets)
            require_targets(loss, targets)
    if loss is hinge and {-1, 0} <= _labels(examples):
        raise ValueError("hinge takes the targets -1 and 1, or 0 and 1, but not all three, since -1 and 0 are one class")
    if note := unsuited(loss, outputs):
        return [note]
    for i, limits in enumerate(reach(loss, outputs)):
        if limits is None:
            continue
        low, high = limits
        column = [target[i] if isinstance(target, list) else target for target in examples.targets]
        labels = {x for x in column if isinstance(x, float | int)}
        if not any(x < low or x > high for x in labels):  # NaN is found by its loss
            continue
        of = f" of output {i}" * (len(outputs) > 1)
        beyond = f"the targets{of} go from {min(labels):g} to {max(labels):g}, but the outputs only from {low} to {high}"
        beyond = beyond.replace("inf", "∞")
        if labels <= {-1, 1}:
            return [f'{beyond}: number the classes 0 and 1, or end the model with output="tanh"']
        raise ValueError(f'{beyond}: scale the targets, use output="linear", or for classes give the model an output for each')
    return []


def _labels(examples: Examples) -> set[float]:
    return {x for x in numbers_of(examples.targets) if isinstance(x, float | int)}


def _fault(lesson: Lesson, batch: Sequence[int], history: History) -> str:
    """Return where the first number that is not finite arose, found by recording the batch again, example by example."""
    epoch = f"in epoch {history.epochs}"
    for i in batch:
        try:
            finding = find_nonfinite(lesson.record(i)[0])
        except DomainError as error:
            return f"{epoch}, at example {i}: {error}"
        if finding is not None:
            advice = "try a lower learning rate, inputs of size about 1, or a loss that takes logits"
            for given, of in zip(lesson.given(i), ("inputs", "targets"), strict=True):
                if any(isinstance(x, Real) and not math.isfinite(x) for x in flat(given)):
                    advice = f"its {of} are {short(repr(given))}; put finite numbers there, or leave the example out"
            are_fine = all(math.isfinite(parameter.data) for parameter in lesson.model.parameters())
            kept = "are those before this step" if are_fine else "were not finite before this step either"
            return f"{epoch}, at example {i}: {finding}; the parameters {kept}; {advice}"
    penalty, rate = (" with the penalty of l2", "l2 or learning rate") if lesson.l2 else ("", "learning rate")
    return f"{epoch}: the sum over the examples of a batch ({len(batch)}){penalty} is not finite; try a lower {rate}"


class _Patience:
    """The wait for a curve to fall below its earlier minimum; `is_over`, called after each epoch, reads only the last few.

    Args:
        epochs: how many epochs may pass without this; None for any number.
        tolerance: by how much the curve has to fall below.
    """

    def __init__(self, epochs: int | None, tolerance: float) -> None:
        self.epochs, self.tolerance, self.earlier = epochs, tolerance, math.inf

    def is_over(self, curve: Sequence[float]) -> bool:
        """Return whether the last epochs brought no improvement."""
        if self.epochs is None or len(curve) <= self.epochs:
            return False
        self.earlier = min(self.earlier, curve[-self.epochs - 1])  # the minimum before the last epochs
        return not min(curve[-self.epochs :]) < self.earlier - self.tolerance


def _reason(history: History, goal: float | None, patience: _Patience, stop_requested: bool) -> str:
    """Return why to stop here, or an empty string."""
    if goal is not None and history.loss[-1] <= goal:
        return "at the goal"
    if patience.is_over(history.validation_loss or history.loss):
        return f"after {patience.epochs} epoch{'s' * (patience.epochs != 1)} without improvement"
    return "by a callback" if stop_requested else ""


def _batches(n: int, size: int, shuffle: bool, seed: int | Random | None) -> Batches:
    rng = generator(seed)

    def batches() -> Iterator[Sequence[int]]:
        # Sorted by random keys, since no other method of Random than `random` promises the same numbers on every Python.
        order = sorted(range(n), key=lambda _: rng.random()) if shuffle else range(n)
        return (order[i : i + size] for i in range(0, n, size))

    return batches


def _checked_batches(batches: Iterable[Sequence[int]], n: int, history: History) -> Iterator[Sequence[int]]:
    if not isinstance(batches, Iterable):
        raise TypeError(f"batches returns the batches of an epoch, such as [[0, 1], [2]]; it gave {batches!r}")
    for batch in batches:
        yield _indices(batch, n, history.epochs)


def _indices(batch: Any, n: int, epoch: int) -> list[int]:
    """Return a batch as a list of indices from 0 to n − 1, or raise if it is anything else."""
    indices = listed(batch)
    error: type[Exception] = TypeError
    if indices is None:
        wrong = ", where a list of indices into X is needed"
    elif not indices:
        raise ValueError(f"batches gave an empty batch in epoch {epoch}; leave it out")
    elif any(map(_is_bool, indices)):
        wrong = ", truth values, where indices into X are needed; for those of a mask pass numpy.flatnonzero(mask)"
    elif not all(hasattr(index, "__index__") for index in indices):
        wrong = f"; the indices into X are whole numbers, 0 to {n - 1}"
    elif not -n <= min(indices) <= max(indices) < n:
        error, wrong = ValueError, f"; the indices into X are 0 to {n - 1}"
    else:
        return [operator.index(index) % n for index in indices]
    raise error(f"batches gave {short(repr(batch))} in epoch {epoch}{wrong}")


def _is_bool(x: Any) -> bool:
    """Whether a thing is a truth value of Python or of NumPy."""
    return isinstance(x, bool) or (getattr(x, "shape", None) == () and getattr(x.dtype, "kind", "") == "b")
