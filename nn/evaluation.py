"""Evaluates a model on examples: predicted classes, accuracy, confusion, and each neuron's δ.

>>> from nn import Perceptron
>>> from nn.data import truth_table
>>> unit = Perceptron(2)
>>> print(unit.fit(*truth_table("and")))
converged: mistakes per epoch 2, 3, 3, 2, 1, 0
>>> accuracy(unit, *truth_table("and")), accuracy(unit, *truth_table("or"))
(1.0, 0.5)
"""

from __future__ import annotations

import contextlib
import copy
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from autograd import DomainError, Value
from nn.history import History
from nn.layers import by_layer
from nn.losses import boundary, mean_squared_error, one_hot
from nn.module import Module, require_module
from nn.settings import require
from nn.tables import listed, naming, nested, rows_of, shape_of, short

__all__ = ["Confusion", "Examples", "accuracy", "class_of", "classes_of", "classify", "confusion", "deltas", "examples_of",
           "numbers_of", "outputs_of", "threshold_of"]  # fmt: skip

OF_A_LIST: Final = re.compile(r"'list'|^list indices|^can't multiply sequence")  # in Python's messages


@dataclass
class Examples:
    """Examples that have been checked and made uniform; see `examples_of`.

    Attributes:
        X: the inputs, a list or an array.
        targets: lists, one-hot for classes where the model has several outputs.
        classes: the class of each example, None if the targets are not classes of the model or the outputs not numbers.
        outputs: of the first example, as a list; None if the model returns anything but numbers and lists of them.
    """

    X: Any
    targets: list[Any]
    classes: list[int] | None
    outputs: list[Any] | None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def n_outputs(self) -> int:
        """The number of the model's outputs; 0 where `outputs` is None."""
        return len(self.outputs or ())

    def inputs(self, i: int) -> Any:
        """Return an example's inputs as a number or nested lists."""
        return nested(self.X[i])


def examples_of(outputs_for: Callable[[Any], Any], X: Any, y: Any, *, are_classes: bool | None = True) -> Examples:
    """Check examples and turn them into lists.

    Args:
        outputs_for: returns the outputs for an example: a model, or its `predict`.
        X: the examples: a list, an array, a DataFrame, or a sparse matrix, with a row for each.
        y: their targets, in the same forms.
        are_classes: whether numbers, as targets of a model with several outputs, are classes; None if they are whenever all
            of them can be.

    Raises:
        ValueError: for no examples, different numbers of inputs and targets, a class for which the model has no output,
            masked entries, or inputs of a length that the model rejects.
        TypeError: for anything but lists and tables of numbers, and for a model that returns None.
    """
    rows, targets = rows_of("X", X), nested(rows_of("y", y))
    if len(rows) != len(targets):
        raise ValueError(f"each example needs a target; examples: {len(rows)}, targets: {len(targets)}")
    if not len(rows):
        raise ValueError("there are no examples; pass at least one")
    examples = Examples(rows, targets, None, None)
    try:
        returned = outputs_for(examples.inputs(0))
    except (AttributeError, TypeError) as error:
        if OF_A_LIST.search(str(error)):  # perhaps a model of arrays, which works on the rows that its author tried
            advice = "an array, a table or a tuple reaches the model as nested lists: there, write numpy.array(x)"
            error.args = (f"{error}; {advice}",)
        raise
    if returned is None:
        raise TypeError("the model returned None for example 0; let its __call__ return its outputs")
    _require_shapes(outputs_for, examples)
    outputs = outputs_of(returned)
    if outputs is not None:
        numbers, n = numbers_of(targets), len(outputs)
        may_be_classes = n > 1 and are_classes is not False and not isinstance(numbers[0], list)
        if may_be_classes and (are_classes or all(number in range(n) for number in numbers)):
            for i, number in enumerate(numbers):
                with naming(f"example {i}"):
                    targets[i] = one_hot(number, n)
        examples.outputs, examples.classes = outputs, _classes(targets, n)
    return examples


def classes_of(examples: Examples) -> list[int]:
    """Return the class of each example.

    Raises:
        ValueError: if the targets are not classes of the model.
    """
    if examples.classes is not None:
        return examples.classes
    n = examples.n_outputs
    if n > 1:
        expected = f"for {n} outputs pass whole numbers from 0 to {n - 1}, or one-hot lists of {n}"
    elif n == 1:
        expected = "for one output pass 0 and 1, or -1 and 1; for more classes, the model needs an output for each"
    else:
        expected = "its outputs are neither numbers nor lists of them"
    raise ValueError(f"the targets are not classes of this model: {expected}; got {short(repr(examples.targets[:4]))}")


def _require_shapes(outputs_for: Callable[[Any], Any], examples: Examples) -> None:
    """Call the model on an example of each shape, so that an error comes before anything is learned."""
    firsts: dict[tuple[int, ...], int] = {}
    for i, x in enumerate(examples.X if isinstance(examples.X, list) else ()):
        firsts.setdefault(shape_of(x), i)
    for i in [*firsts.values()][1:]:
        with contextlib.suppress(DomainError), naming(f"example {i}"):  # this is about its numbers, not its length
            outputs_for(examples.X[i])


def outputs_of(returned: Any) -> list[Any] | None:
    """Return what a model returned as a list of numbers or `Value`s, None if it is anything else.

    >>> outputs_of(Value(1.0)), outputs_of((1.0, 2.0)), outputs_of({"y": 1.0})
    ([Value(data=1.0, grad=0.0)], [1.0, 2.0], None)
    """
    outputs = [returned] if isinstance(returned, Value | float | int) else listed(returned)
    return outputs if outputs and all(isinstance(out, Value | float | int) for out in outputs) else None


def _classes(targets: Sequence[Any], n_outputs: int) -> list[int] | None:
    """Return the class that each target stands for, or None if they are not classes of a model with `n_outputs` outputs.

    For several outputs, a one-hot list stands for the index of its 1; for one, 0 and 1, or -1 and 1, for classes 0 and 1.
    """
    if n_outputs > 1:
        return [target.index(1) for target in targets] if all(_is_one_hot(target, n_outputs) for target in targets) else None
    labels = numbers_of(targets)
    if not all(isinstance(label, float | int) for label in labels):
        return None
    return [int(label == 1) for label in labels] if set(labels) <= {0, 1} or set(labels) <= {-1, 1} else None


def _is_one_hot(target: Any, n: int) -> bool:
    if not (isinstance(target, list) and len(target) == n and all(isinstance(x, float | int) for x in target)):
        return False
    return target.count(1) == 1 and target.count(0) == n - 1


def numbers_of(targets: Sequence[Any]) -> list[Any]:
    """Return targets with each list of one number replaced by the number."""
    return [target[0] if isinstance(target, list) and len(target) == 1 else target for target in targets]


def classify(model: Module, X: Any, threshold: float | None = None) -> list[int]:
    """Return the class of each example: the index of the largest output, or 1 where a single output reaches the threshold.

    For the outputs themselves, use `Module.predict`.

    Args:
        model: the model.
        X: examples.
        threshold: for a single output; by default that of the model's last training, see `History`, or else 0.5, which suits
            probabilities; for net inputs and for targets ±1, pass 0.

    Raises:
        ValueError: naming the first example for which an output is NaN, and for a threshold that is NaN or not a number.

    >>> from nn import Neuron
    >>> classify(Neuron(1, "linear", init=lambda *_: 1.0), [[0.2], [0.7]])
    [0, 1]
    """
    require_module(model)
    if threshold is None:
        threshold = _learned_threshold(model, 0.5)
    require("threshold", threshold, lambda least: not math.isnan(least), "a number, not NaN")
    found = []
    for i, x in enumerate(nested(rows_of("X", X))):
        outputs = model.predict(x)
        with naming(f"example {i}"):
            guess = class_of(outputs, threshold)
            if guess is None:
                raise ValueError(f"the model returned {short(repr(outputs))}, and NaN is not a class; look for NaN in the "
                                 "example and in the parameters")  # fmt: skip
        found.append(guess)
    return found


def accuracy(model: Module, X: Any, y: Any, threshold: float | None = None) -> float:
    """Return the share of examples whose class is predicted correctly.

    Args:
        model: the model.
        X: examples.
        y: their classes: numbers, 0 and 1, -1 and 1, or one-hot lists.
        threshold: see `classify`; by default that of the last training, or else the midpoint of the two labels, or ½ for
            outputs that are never negative.

    Raises:
        ValueError: for targets that are not classes of the model, and for outputs that are NaN.
    """
    return confusion(model, X, y, threshold).accuracy


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: how often each class was predicted as which.

    Attributes:
        counts: ``counts[i][j]`` is how many examples of class i were predicted as class j.

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
    require_module(model)
    examples = examples_of(model.predict, X, y)  # records nothing, so the δ of the last pass remain
    classes = classes_of(examples)
    predicted = classify(model, examples.X, threshold_of(model, examples) if threshold is None else threshold)
    n = max(examples.n_outputs, 2)
    counts = [[0] * n for _ in range(n)]
    for true, guess in zip(classes, predicted, strict=True):
        counts[true][guess] += 1
    return Confusion(counts)


def threshold_of(model: Module, examples: Examples) -> float:
    """Return the least single output that means class 1: that of the model's last training, or what the labels suggest."""
    labels = numbers_of(examples.targets)
    # Recorded on a copy, so that the δ of the last pass remain; its operation matters only for labels -1 and 1.
    recorded = outputs_of(copy.deepcopy(model)(examples.inputs(0))) if -1 in labels else None
    return _learned_threshold(model, boundary(mean_squared_error, labels, recorded[0] if recorded else None))


def _learned_threshold(model: Module, default: float) -> float:
    """Return the threshold of the model's last training, or the default if it has none."""
    history = getattr(model, "history", None)
    return history.threshold if isinstance(history, History) and history.threshold is not None else default


def class_of(outputs: Any, threshold: float) -> int | None:
    """Return the class that outputs stand for, None if one of them is NaN.

    Args:
        outputs: of a model for one example: a number, or a list of them.
        threshold: the least single output that means class 1.

    Raises:
        TypeError: for outputs that are neither.

    >>> class_of([0.2, 0.9], 0.5), class_of(0.5, 0.5), class_of([0.2, math.nan], 0.5)
    (1, 1, None)
    """
    numbers = [out.data if isinstance(out, Value) else out for out in outputs_of(outputs) or ()]
    if not numbers:
        raise TypeError(f"only numbers and lists of them stand for a class; the model returned {outputs!r}")
    if any(map(math.isnan, numbers)):
        return None
    return numbers.index(max(numbers)) if len(numbers) > 1 else int(numbers[0] >= threshold)


def deltas(model: Module) -> list[list[float]]:
    """Return δ = ∂L/∂net of each neuron, layer by layer, from the last forward and backward pass.

    Raises:
        ValueError: if a neuron has not been called yet.

    >>> from nn import MLP
    >>> model = MLP(2, [3, 1], seed=0)
    >>> loss = (model([1.0, -1.0]) - 1.0) ** 2
    >>> loss.backward()
    >>> [len(layer) for layer in deltas(model)]
    [3, 1]
    """
    layers = [[neuron.net for neuron in neurons] for neurons, _ in by_layer(model)]
    if any(net is None for nets in layers for net in nets):
        raise ValueError("no example has gone through the model yet: compute a loss and call its backward() first")
    return [[net.grad for net in nets] for nets in layers]
