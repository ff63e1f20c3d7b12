"""What a model makes of examples: classes, how many are right, which is taken for which, and each neuron's δ.

>>> from nn import Perceptron
>>> from nn.data import truth_table
>>> unit = Perceptron(2)
>>> print(unit.fit(*truth_table("and")))
converged: mistakes per epoch 2, 3, 3, 2, 1, 0
>>> accuracy(unit, *truth_table("and")), accuracy(unit, *truth_table("or"))
(1.0, 0.5)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import Value
from nn.layers import by_layer
from nn.losses import boundary, mean_squared_error, one_hot
from nn.module import Module

__all__ = ["Confusion", "Examples", "accuracy", "class_of", "classify", "confusion", "deltas", "examples_of", "numbers_of"]


@dataclass
class Examples:
    """Inputs as they came, a list or an array; targets as lists, one-hot for classes where the model has several outputs."""

    X: Any
    targets: list[Any]
    classes: list[int] | None

    def __len__(self) -> int:
        return len(self.X)

    def inputs(self, i: int) -> Any:
        """Return an example's inputs as a number or nested lists."""
        x = self.X[i]
        return x.tolist() if hasattr(x, "tolist") else x


def examples_of(outputs_for: Callable[[Any], Any], X: Any, y: Any) -> Examples:
    """Check examples and turn them into lists.

    Args:
        outputs_for: gives the outputs for an example, of which there may be several.
        X: the examples.
        y: their targets.

    Raises:
        ValueError: for no examples, unequally many inputs and targets, or a class that the model has no output for.
        TypeError: for what is no list or array.
    """
    rows = X if getattr(X, "shape", ()) else _listed("X", X)  # an array stays one, since large ones would not do as lists
    targets = _listed("y", y)
    if len(rows) != len(targets):
        raise ValueError(f"each example has a target; got {len(rows)} examples and {len(targets)} targets")
    if not len(rows):
        raise ValueError("there are no examples; pass at least one")
    examples = Examples(rows, targets, None)
    outputs = outputs_for(examples.inputs(0))
    if isinstance(outputs, list) and len(outputs) > 1 and not isinstance(targets[0], list):
        targets = [one_hot(target, len(outputs)) for target in targets]
    examples.targets, examples.classes = targets, _classes(targets)
    return examples


def _classes(targets: Sequence[Any]) -> list[int] | None:
    """Return the class that each target stands for, None if the targets are no classes.

    A one-hot list stands for the place of its 1; 0 and 1, or -1 and 1, for a no and a yes.
    """
    if all(isinstance(target, list) and len(target) > 1 for target in targets):
        one_hots = all(sorted(target) == [0] * (len(target) - 1) + [1] for target in targets)
        return [target.index(1) for target in targets] if one_hots else None
    labels = numbers_of(targets)
    if any(isinstance(label, list) for label in labels):
        return None
    return [int(label == 1) for label in labels] if set(labels) <= {0, 1} or set(labels) <= {-1, 1} else None


def numbers_of(targets: Sequence[Any]) -> list[Any]:
    """Return targets with the number itself in the place of a list of one."""
    return [target[0] if isinstance(target, list) and len(target) == 1 else target for target in targets]


def _listed(name: str, x: Any) -> list[Any]:
    """Return nested lists of a sequence or array, down to the examples' own numbers."""
    if hasattr(x, "tolist"):
        x = x.tolist()
    if not isinstance(x, Sequence) or isinstance(x, str | bytes):
        raise TypeError(f"{name} is a list or an array, with an entry for each example; got {x!r}")
    return [item.tolist() if hasattr(item, "tolist") else list(item) if isinstance(item, tuple) else item for item in x]


def classify(model: Module, X: Any, threshold: float = 0.5) -> list[int]:
    """Return the class of each example: the place of the largest output, or 1 where a single output reaches the threshold.

    `Module.predict` gives the outputs themselves.

    Args:
        model: the model.
        X: examples.
        threshold: for a single output; 0.5 for probabilities, 0 for net inputs and for targets ±1.

    >>> from nn import Neuron
    >>> classify(Neuron(1, "linear", init=lambda *_: 1.0), [[0.2], [0.7]])
    [0, 1]
    """
    return [class_of(model.predict(x), threshold) for x in _listed("X", X)]


def accuracy(model: Module, X: Any, y: Any, threshold: float | None = None) -> float:
    """Return the share of examples whose class is predicted rightly.

    Args:
        model: the model.
        X: examples.
        y: their classes: numbers, 0 and 1, -1 and 1, or one-hot lists.
        threshold: see `classify`; by default the middle between the two labels.

    Raises:
        ValueError: for targets that are no classes.
    """
    return confusion(model, X, y, threshold).accuracy


@dataclass(frozen=True)
class Confusion:
    """How often each class was taken for which.

    Attributes:
        counts: ``counts[i][j]`` is how many examples of class i were taken for class j.

    >>> print(Confusion([[3, 1], [0, 4]]))
    true ╲ predicted  0  1
                   0  3  1
                   1  0  4
    accuracy 0.8750
    """

    counts: list[list[int]]

    @property
    def accuracy(self) -> float:
        """The share on the diagonal."""
        return sum(row[i] for i, row in enumerate(self.counts)) / sum(map(sum, self.counts))

    def __str__(self) -> str:
        width = max(len(str(entry)) for row in self.counts for entry in (*row, len(row) - 1)) + 2
        corner = "true ╲ predicted"
        lines = [corner + "".join(f"{j:{width}d}" for j in range(len(self.counts)))]
        lines += [f"{i:{len(corner)}d}" + "".join(f"{n:{width}d}" for n in row) for i, row in enumerate(self.counts)]
        return "\n".join([*lines, f"accuracy {self.accuracy:.4f}"])


def confusion(model: Module, X: Any, y: Any, threshold: float | None = None) -> Confusion:
    """Return the table of true and predicted classes; see `accuracy`."""
    examples = examples_of(model.predict, X, y)  # nothing recorded, so that the δ stay
    if examples.classes is None:
        raise ValueError("the targets are no classes: pass whole numbers from 0 on, 0 and 1, -1 and 1, or one-hot lists")
    if threshold is None:
        threshold = boundary(mean_squared_error, numbers_of(examples.targets))
    predicted = classify(model, examples.X, threshold)
    first = examples.targets[0]
    n = len(first) if isinstance(first, list) and len(first) > 1 else 2
    counts = [[0] * n for _ in range(n)]
    for true, guess in zip(examples.classes, predicted, strict=True):
        counts[true][guess] += 1
    return Confusion(counts)


def class_of(outputs: Any, threshold: float) -> int:
    """Return the class that outputs stand for."""
    if not isinstance(outputs, list):
        return int(_number(outputs) >= threshold)
    if len(outputs) == 1:
        return int(_number(outputs[0]) >= threshold)
    numbers = [_number(out) for out in outputs]
    return numbers.index(max(numbers))


def _number(out: Any) -> float:
    return out.data if isinstance(out, Value) else out


def deltas(model: Module) -> list[list[float]]:
    """Return δ = ∂L/∂net of each neuron, layer by layer, from the last example that went forward and back.

    Raises:
        ValueError: if a neuron has not been called yet.

    >>> from nn import MLP
    >>> model = MLP(2, [3, 1], seed=0)
    >>> loss = (model([1.0, -1.0]) - 1.0) ** 2
    >>> loss.backward()
    >>> [len(layer) for layer in deltas(model)]
    [3, 1]
    """
    found = []
    for neurons, _ in by_layer(model):
        nets = [neuron.net for neuron in neurons]
        if any(net is None for net in nets):
            raise ValueError("no example has gone through the model yet: compute a loss and call its backward() first")
        found.append([net.grad for net in nets if net is not None])
    return found
