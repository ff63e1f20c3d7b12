"""Training: gradients of examples, steps of an optimiser, epoch after epoch.

The whole of it is a few lines, which anybody may write by hand:

    for x, t in batch:
        loss(model(x), t).backward(1 / len(batch))    # leaves add up, so this is the gradient of the mean
    optimizer.step(model.parameters())

`fit` puts around them what one wants around them: shuffling, stopping, a history, a progress bar, and clear words when
something goes wrong.  Each example's graph is gone before the next one's is recorded, so memory does not grow with the batch.

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

import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from autograd import DomainError, find_nonfinite
from nn.evaluation import Examples, class_of, examples_of, numbers_of
from nn.losses import LOSSES, Loss, boundary, mean_squared_error
from nn.losses import l2 as squares
from nn.module import Module
from nn.optim import Adam, Optimizer
from nn.progress import bar_over

__all__ = ["Batches", "Callback", "DivergenceError", "History", "collector_paused", "fit"]

Batches = Callable[[], Iterable[Sequence[int]]]
Callback = Callable[["History", Module], Any]


@dataclass
class History:
    """What happened in a training, epoch by epoch.

    Attributes:
        loss: the mean loss of the examples of each epoch (or their sum, as `fit` was told), each at the time of its turn.
        accuracy: the share of examples that were classified rightly at their turn; empty if the targets are no classes.
        validation_loss, validation_accuracy: the same of the validation examples after each epoch, if there are any.
        stopped: why the training ended.
        seconds: how long it took.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0

    @property
    def epochs(self) -> int:
        """The number of epochs that were finished."""
        return len(self.loss)

    def __str__(self) -> str:
        curves = [("loss", self.loss, ".4f"), ("accuracy", self.accuracy, ".2f"),
                  ("validation loss", self.validation_loss, ".4f"),
                  ("validation accuracy", self.validation_accuracy, ".2f")]  # fmt: skip
        told = [f"{name} {curve[0]:{spec}} → {curve[-1]:{spec}}" for name, curve, spec in curves if curve]
        return f"{', '.join([f'{self.epochs} epochs', *told])}; stopped {self.stopped}"


class DivergenceError(FloatingPointError):
    """A loss or a gradient is not finite; the parameters are those of the last good step.

    Attributes:
        history: of the epochs before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


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
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
) -> History:
    """Train a model in place.

    Args:
        model: any `Module`.
        X: the examples, each what the model takes when called; nested lists or an array.
        y: a target for each: a number, a list as long as the outputs, or the number of a class.
        loss: a function of one example's outputs and targets, or the name of one in `nn.losses`.
        optimizer: by default `Adam` with a learning rate of 0.05.  It keeps its state, so a second call goes on from there.
        epochs: how often to go through all examples at most.
        batch_size: examples for each step: 1 for online training, None for all of them (batch training).
        shuffle: whether each epoch goes through the examples in a new order.
        seed: for the same orders every time, an int, or a `random.Random` to go on drawing from.
        batches: a function that returns the batches of an epoch, each a list of places in X, in place of the three above.
        reduce: whether a step follows the gradient of the ``"mean"`` or of the ``"sum"`` over its batch.
        l2: adds this times the sum of the squares of all parameters to the loss of each step.
        goal: stop when an epoch's loss is at most this.
        patience: stop when for so many epochs the loss has not been better than the best before by more than `tolerance`:
            the validation loss, if there is one.
        tolerance: see `patience`.
        validation: inputs and targets that are not learned from, only measured after each epoch.
        callbacks: functions of the history and the model, called after each epoch; one that returns True ends the training.
        progress: show a progress bar if it takes longer than a second, tqdm is installed, and someone watches: at a
            terminal or in a notebook.

    Returns:
        The history.  An interrupt from the keyboard ends the training too, and what was learned is kept.

    Raises:
        DivergenceError: for a loss or gradient that is not finite, naming the first node at fault; the model is as it was
            before that step.
        ValueError: for no examples, unequally many inputs and targets, an unknown loss, or counts below 1.

    >>> from nn import Neuron
    >>> line = Neuron(1, activation="linear", seed=0)
    >>> fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=1000, goal=1e-6, seed=0).stopped
    'at the goal'
    >>> f"{line.w[0].data:.2f} x + {line.b.data:.2f}"
    '2.00 x + 1.00'
    """
    objective = _loss(loss)
    optimizer = Adam(lr=0.05) if optimizer is None else optimizer
    examples = examples_of(model, X, y)
    held_out = examples_of(model, *validation) if validation is not None else None
    _at_least_one("epochs", epochs)
    _at_least_one("batch_size", batch_size)
    _at_least_one("patience", patience)
    if reduce not in ("mean", "sum"):
        raise ValueError(f"reduce is 'mean' or 'sum'; got {reduce!r}")
    if batches is None:
        batches = _batches(len(examples), batch_size or len(examples), shuffle, seed)
    threshold = boundary(objective, [] if examples.classes is None else numbers_of(examples.targets))
    history, started, parameters = History(), time.perf_counter(), model.parameters()

    def step(batch: Sequence[int]) -> tuple[float, int]:
        """Learn from a batch; return the sum of its losses and how many examples were right."""
        with collector_paused():
            for parameter in parameters:
                parameter.grad = 0.0
            share = 1 / len(batch) if reduce == "mean" else 1.0
            try:
                losses, right = _gradient(model, objective, examples, batch, share, threshold)
            except DomainError as error:
                raise DivergenceError(f"in epoch {history.epochs}: {error}", history) from error
            if l2:
                penalty = squares(parameters, l2)
                penalty.backward()
                losses += penalty.data / share
            if not (math.isfinite(losses) and all(math.isfinite(parameter.grad) for parameter in parameters)):
                raise DivergenceError(_fault(model, objective, examples, batch, history), history)
            optimizer.step(parameters)
        return losses, right

    bar = bar_over(progress, epochs)
    try:
        for _ in range(epochs):
            n = losses = right = 0.0
            for batch in batches():
                more_losses, more_right = step(batch)
                n, losses, right = n + len(batch), losses + more_losses, right + more_right
            history.loss.append(losses / n if reduce == "mean" else losses)
            if examples.classes is not None:
                history.accuracy.append(right / n)
            if held_out is not None:
                _measure(model, objective, held_out, threshold, history)
            bar.update(f"loss {history.loss[-1]:.4g}")
            stops = [callback(history, model) is True for callback in callbacks]
            if reason := _reason(history, goal, patience, tolerance, any(stops)):
                history.stopped = reason
                break
        else:
            history.stopped = "after the last epoch"
    except KeyboardInterrupt:
        history.stopped = "by an interrupt"
    finally:
        bar.close()
        history.seconds = time.perf_counter() - started
    return history


def _gradient(
    model: Module, loss: Loss, examples: Examples, batch: Sequence[int], share: float, threshold: float
) -> tuple[float, int]:
    """Add the gradients of a batch, each multiplied by `share`, to the parameters'."""
    losses, right = 0.0, 0
    for i in batch:
        outputs = model(examples.X[i])
        error = loss(outputs, examples.targets[i])
        error.backward(share)
        losses += error.data
        if examples.classes is not None:
            right += class_of(outputs, threshold) == examples.classes[i]
    return losses, right


def _fault(model: Module, loss: Loss, examples: Examples, batch: Sequence[int], history: History) -> str:
    """Say where the first number that is not finite came up, by recording the batch again, example by example."""
    for i in batch:
        finding = find_nonfinite(loss(model(examples.X[i]), examples.targets[i]))
        if finding is not None:
            return (f"in epoch {history.epochs}, at example {i}: {finding}; the parameters are those before this step; try "
                    "a lower learning rate, inputs of a size of about 1, or a loss that takes logits")  # fmt: skip
    return f"in epoch {history.epochs}: the sum over a batch of {len(batch)} examples is not finite; try a lower learning rate"


def _measure(model: Module, loss: Loss, examples: Examples, threshold: float, history: History) -> None:
    outputs = [model.predict(x) for x in examples.X]
    losses = [float(loss(out, target)) for out, target in zip(outputs, examples.targets, strict=True)]
    history.validation_loss.append(math.fsum(losses) / len(losses))
    if examples.classes is not None:
        right = [class_of(out, threshold) == c for out, c in zip(outputs, examples.classes, strict=True)]
        history.validation_accuracy.append(right.count(True) / len(right))


def _reason(history: History, goal: float | None, patience: int | None, tolerance: float, called: bool) -> str:
    """Return why to stop here, or nothing."""
    if goal is not None and history.loss[-1] <= goal:
        return "at the goal"
    curve = history.validation_loss or history.loss
    if patience is not None and len(curve) > patience and min(curve[-patience:]) >= min(curve[:-patience]) - tolerance:
        return f"since {patience} epochs brought nothing better"
    return "by a callback" if called else ""


def _batches(n: int, size: int, shuffle: bool, seed: int | Random | None) -> Batches:
    rng = seed if isinstance(seed, Random) else Random(seed)

    def batches() -> Iterator[Sequence[int]]:
        # Sorted by random keys, since of Random's methods only `random` promises the same numbers on every Python.
        order = sorted(range(n), key=lambda _: rng.random()) if shuffle else range(n)
        return (order[i : i + size] for i in range(0, n, size))

    return batches


def _loss(loss: Loss | str) -> Loss:
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(f"there is no loss {loss!r}; choose from {', '.join(sorted(LOSSES))}, or pass a function of the "
                         "outputs and the targets of an example")  # fmt: skip
    return LOSSES[loss]


def _at_least_one(name: str, n: int | None) -> None:
    if n is not None and n < 1:
        raise ValueError(f"{name} is at least 1; got {n!r}")
