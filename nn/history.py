"""The record of a training run.

>>> history = History(loss=[0.5, 0.25], stopped="at the goal")
>>> print(history.epochs, history)
2 2 epochs, loss 0.5000 → 0.2500; stopped at the goal
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["History"]


@dataclass
class History:
    """The record of a training run, epoch by epoch.

    Attributes:
        loss: for each epoch the mean loss of the examples, or with ``reduce="sum"`` its sum, each measured when visited.
        accuracy: the share of examples that were classified correctly when visited; empty if the targets are not classes.
        validation_loss, validation_accuracy: the same for the validation examples, if any, measured after each epoch; the loss
            is ∞ if that of an example is undefined or NaN.
        stopped: why the training ended.
        engine: how it computed, and why: ``"compiled: …"`` for whole batches at once, or ``"eager: …"``, example by example.
        seconds: how long it took.
        threshold: the least output that counted as class 1, for a model with one output and two classes; else None.
        notes: a sentence about each thing that did not learn but may have been meant to, such as a `Value` that is not among
            the model's parameters, and one if the last step made parameters infinite.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    stopped: str = ""
    engine: str = ""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    threshold: float | None = None

    @property
    def epochs(self) -> int:
        """The number of complete epochs."""
        return len(self.loss)

    def enter(
        self,
        loss: float,
        accuracy: float | None = None,
        validation_loss: float | None = None,
        validation_accuracy: float | None = None,
    ) -> None:
        """Enter the numbers of an epoch, of which all but the loss may be missing: None.

        >>> history = History()
        >>> history.enter(0.5, validation_loss=math.nan)
        >>> history.loss, history.accuracy, history.validation_loss
        ([0.5], [], [inf])
        """
        # Without a call in between, which could be interrupted: an epoch is entered completely or not at all.
        self.loss += [loss]
        self.accuracy += [] if accuracy is None else [accuracy]
        # NaN, which differs from itself, counts as ∞: an eager engine raises an error for it, a compiled program does not.
        if validation_loss is not None:
            self.validation_loss += [validation_loss if validation_loss == validation_loss else math.inf]
        self.validation_accuracy += [] if validation_accuracy is None else [validation_accuracy]

    def __str__(self) -> str:
        curves = [("loss", self.loss, ".4f"), ("accuracy", self.accuracy, ".2f"),
                  ("validation loss", self.validation_loss, ".4f"),
                  ("validation accuracy", self.validation_accuracy, ".2f")]  # fmt: skip
        ranges = [f"{name} {curve[0]:{spec}} → {curve[-1]:{spec}}" for name, curve, spec in curves if curve]
        run = ", ".join([f"{self.epochs} epoch{'s' * (self.epochs != 1)}", *ranges])
        return "\n".join([run + (f"; stopped {self.stopped}" if self.stopped else " so far"), *self.notes])
