"""The perceptron: a threshold unit and the oldest rule for training one.

    o = 1[Σ wᵢxᵢ + b ≥ 0]          Δwᵢ = η·(y − o)·xᵢ          Δb = η·(y − o)

The rule changes nothing where the output is right, and otherwise turns the line towards the example.  It uses no gradient: the
derivative of a threshold is 0 wherever it exists.  If a line separates the two classes, the rule finds one after finitely many
mistakes; otherwise it never stops, and the weights soon repeat in a cycle.

>>> from nn.data import truth_table
>>> X, y = truth_table("and")
>>> unit = Perceptron(2)
>>> print(unit.fit(X, y))
converged: mistakes per epoch 2, 3, 3, 2, 1, 0
>>> unit.predict(X)
[0.0, 0.0, 0.0, 1.0]
>>> X, y = truth_table("xor")
>>> print(Perceptron(2).fit(X, y))
no line separates these classes: after epoch 3 the weights are those after epoch 2 again; mistakes per epoch 3, 3, 4

Source: Rosenblatt, The perceptron, Psychological Review 65 (1958); the proof of convergence: Novikoff, On convergence proofs
on perceptrons, 1962.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from autograd import Value, dot, step
from nn.evaluation import numbers_of
from nn.layers import Neuron
from nn.module import plain
from nn.tables import naming, nested, rows_of

__all__ = ["Outcome", "Perceptron"]


@dataclass(frozen=True)
class Outcome:
    """How the training of a perceptron went.

    Attributes:
        mistakes: how many examples each epoch found wrong.
        separable: True if the last epoch found none; False if the weights returned to earlier ones, so no line separates
            the classes (unless only rounding did this, with numbers of very different sizes); None if the epochs ran out
            before either.
        message: the same as text.
    """

    mistakes: list[int]
    separable: bool | None
    message: str

    @property
    def converged(self) -> bool:
        """Whether all examples are classified correctly."""
        return self.separable is True

    def __str__(self) -> str:
        return self.message


class Perceptron(Neuron):
    """A threshold unit, 1 where Σ wᵢxᵢ + b ≥ 0 and otherwise 0, with weights that start at zero.

    Args:
        n_inputs: number of inputs.
        label: a prefix for all labels.

    >>> Perceptron(2)([1.0, -1.0]).data  # a net input of 0 is on the side of 1
    1.0
    """

    def __init__(self, n_inputs: int, *, label: str = "") -> None:
        super().__init__(n_inputs, step, init="zeros", label=label)

    def fit(self, X: Any, y: Any, *, lr: float = 1.0, epochs: int = 1000) -> Outcome:
        """Train by the perceptron rule, in the order given, until an epoch finds no mistake.

        An example counts as 1 exactly when its net input is ≥ 0, as in the unit itself.  Some texts use > 0 during training:
        then an example of class 0 with a net input of exactly 0 counts as learned, although the trained unit returns 1 for it.

        Args:
            X: the examples.
            y: their targets, 0 or 1.
            lr: the learning rate η.  With weights that start at zero, it only scales them.
            epochs: the largest number of passes through the examples.

        Returns:
            The mistakes in each epoch, and whether a line was found, cannot be found, or was not found in time.

        Raises:
            ValueError: for inputs that are not finite, targets other than 0 and 1, different numbers of examples and targets,
                no examples, no epochs, or η ≤ 0.
            TypeError: for inputs that are not numbers.
        """
        rows = [self._finite_row(i, x) for i, x in enumerate(plain(rows_of("X", X)))]
        targets = [_target(i, t) for i, t in enumerate(numbers_of(plain(nested(rows_of("y", y)))))]
        if not rows or len(rows) != len(targets):
            raise ValueError(f"fit needs one example or more, and a target for each; got {len(rows)} and {len(targets)}")
        if not (isinstance(lr, Real) and 0 < lr < math.inf and hasattr(epochs, "__index__") and epochs >= 1):
            raise ValueError(f"lr is a positive number and epochs at least 1; got {lr!r} and {epochs!r}")
        mistakes: list[int] = []
        seen = {self._weights(): 0}
        for epoch in range(1, epochs + 1):
            wrong = [self._learn(x, target, lr) for x, target in zip(rows, targets, strict=True)]
            mistakes.append(wrong.count(True))
            counts = f"mistakes per epoch {_shortened(mistakes)}"
            if not mistakes[-1]:
                return Outcome(mistakes, True, f"converged: {counts}")
            # The next epoch depends only on the weights: once they are those of an earlier one, training repeats for ever.
            before = seen.setdefault(self._weights(), epoch)
            if before != epoch:
                cycle = f"after epoch {epoch} the weights are those after epoch {before} again"
                return Outcome(mistakes, False, f"no line separates these classes: {cycle}; {counts}")
        advice = "more may help, or no line separates these classes"
        return Outcome(mistakes, None, f"not converged in {epochs} epoch{'s' * (epochs != 1)}: {advice}; {counts}")

    def _finite_row(self, i: int, x: Any) -> list[float]:
        """Return an example as a list of floats, or raise naming it."""
        with naming(f"example {i}"):
            row = [Value(a).data for a in self._row(x)]
            if not all(map(math.isfinite, row)):
                raise ValueError(f"the rule adds inputs to the weights, so they are finite; got {row}")
        return row

    def _learn(self, x: list[float], target: float, lr: float) -> bool:
        """Apply the rule to one example; return whether it was a mistake."""
        *weights, bias = self._weights()
        error = target - step(dot(weights, x, bias))
        if error:
            for w, a in zip(self.w, x, strict=True):
                w.data += lr * error * a
            self.b.data += lr * error
        return bool(error)

    def _weights(self) -> tuple[float, ...]:
        return (*(w.data for w in self.w), self.b.data)

    def __repr__(self) -> str:
        return f"Perceptron({self.n_inputs})"


def _target(i: int, t: Any) -> float:
    if t not in (0, 1):
        raise ValueError(f"example {i}: a perceptron's target is 0 or 1; got {t!r}")
    return float(t)


def _shortened(counts: list[int]) -> str:
    texts = [str(count) for count in counts]
    return ", ".join(texts if len(texts) <= 12 else [*texts[:6], "…", *texts[-3:]])
