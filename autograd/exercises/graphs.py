"""Endless exercises that can be worked by hand: short, finite decimals, and gradients that do not round to 0.

>>> print(exercises(seed=7, level=1, count=1)[0])
Given w = 0.5, b = 2, x = 1.5:
    v1 = w - b = 0.5 - 2 = -1.5
    y = v1·x = -1.5·1.5 = -2.25
Find the local derivatives:
    ∂v1/∂w = ____
    ∂v1/∂b = ____
    ∂y/∂v1 = ____
    ∂y/∂x = ____
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final

from autograd.exercises.asking import Exercise, exercise
from autograd.exercises.matrices import Equation, Matrix
from autograd.notation import label_values
from autograd.primitives import dot, sigmoid
from autograd.value import Value

__all__ = ["LEVELS", "exercises"]

SMALL: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
PLAIN: Final = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
LEAST: Final = 0.002  # the smallest gradient in question: smaller ones would round to nothing
LONGEST: Final = 4  # digits of a value or a gradient on the first two levels
XOR: Final = ((0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0))
REPEATED: Final = 100  # exercises drawn a second time, after which the leaves may take one more size


class Dice:
    """Draws from a seed with `Random.random` only, because its numbers are the same in every version of Python.

    Attributes:
        extra_sizes: how many sizes leaves may take beyond the shortest ones.
    """

    def __init__(self, seed: str) -> None:
        self.random = Random(seed).random
        self.extra_sizes = 0

    def pick(self, options: Sequence[Any]) -> Any:
        """Return one of the options."""
        return options[int(self.random() * len(options))]

    def leaf(self, name: str, sizes: Sequence[float] = PLAIN) -> Value:
        """Return a leaf with a short decimal of either sign."""
        step = 0.1 if sizes is SMALL else 0.5
        longer = [round(sizes[-1] + step * (i + 1), 1) for i in range(self.extra_sizes)]
        return Value(self.pick([*sizes, *longer]) * self.pick((1.0, 1.0, -1.0)), name)


def exercises(seed: int = 0, level: int = 1, count: int = 8) -> list[Exercise]:
    """Make a sheet of exercises, no two of them alike; the same seed makes the same sheet.

    Args:
        seed: any int.
        level: 1, one multiplication; 2, shared nodes; 3, sigmoid neurons; 4, networks for XOR, with matrices.
        count: how many, 1 or more.

    Raises:
        ValueError: for any other level, or a count below 1.

    >>> sheet = exercises(seed=3, level=2, count=4)
    >>> [str(task) for task in sheet] == [str(task) for task in exercises(seed=3, level=2, count=4)]
    True
    """
    if level not in list(LEVELS):  # a list compares, so a level without a hash is refused as well
        raise ValueError(f"level is {level!r}; the levels are {', '.join(map(str, LEVELS))}")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"count is {count!r}; make 1 exercise or more")
    dice = Dice(f"{seed}/{level}")
    sheet: dict[str, Exercise] = {}
    repeated = 0
    while len(sheet) < count:
        task = LEVELS[level](dice)
        if _is_fit(task, exact=level <= 2):
            repeated += task.text in sheet
            sheet.setdefault(task.text, task)
        dice.extra_sizes = repeated // REPEATED  # so that new exercises never run out
    return [*sheet.values()]


def _is_fit(task: Exercise, exact: bool) -> bool:
    """Whether an exercise can be worked by hand; `exact` if all its numbers have to be short decimals."""
    numbers = [x.data for x in task.names] + [task.steps.gradients[x] for x in task.names]
    if not all(map(math.isfinite, numbers)):
        return False
    if exact and not all(x and math.isclose(float(f"{x:.{LONGEST}g}"), x, rel_tol=1e-12) for x in numbers):
        return False
    asked = [question.node for question in task.questions if question.place is None]
    return all(abs(task.steps.gradients[x]) >= LEAST for x in asked)


def _one_product(dice: Dice) -> Exercise:
    w, x, b = dice.leaf("w"), dice.leaf("x"), dice.leaf("b")
    y, asked = dice.pick((
        lambda: (w * x, [w, x]),
        lambda: (w * x + b, [w, x, b]),
        lambda: (w * x - b, [w, x, b]),
        lambda: (b - w * x, [w, x, b]),
        lambda: ((w + b) * x, [w, b, x]),
        lambda: ((w - b) * x, [w, b, x]),
    ))()  # fmt: skip
    y.label = "y"
    return exercise(y, ask=dice.pick((asked, asked, "local")))


def _shared(dice: Dice) -> Exercise:
    a, b, c = dice.leaf("a"), dice.leaf("b"), dice.leaf("c")
    h = dice.pick((lambda: a * b, lambda: a + b, lambda: a - b))()
    h.label = "h"
    y, asked = dice.pick((
        lambda: (h * c + h, [a, b, c]),
        lambda: (h * h - a, [a, b]),
        lambda: (h * a + c * h, [a, b, c]),
        lambda: ((h + c) * h, [a, b, c]),
        lambda: (h**2 + c * a, [a, b, c]),
        lambda: ((h - c) * (h + c), [a, b, c]),
    ))()  # fmt: skip
    y.label = "y"
    return exercise(y, ask=dice.pick((asked, asked, [h, *asked], "order")))


def _neurons(dice: Dice) -> Exercise:
    x, t = dice.leaf("x", (0.5, 1.0, 1.5, 2.0)), Value(dice.pick((0.0, 1.0)), "t")
    nodes: dict[str, Value] = {}
    if dice.random() < 0.5:
        w, b = dice.leaf("w", SMALL), dice.leaf("b", SMALL)
        nodes["net"] = w * x + b
        nodes["out"] = sigmoid(nodes["net"])
        asked = [w, b]
    else:
        w, v = dice.leaf("w_h", SMALL), dice.leaf("w_o", SMALL)
        nodes["net_h"] = w * x
        nodes["r_h"] = sigmoid(nodes["net_h"])
        nodes["net_o"] = v * nodes["r_h"]
        nodes["out"] = sigmoid(nodes["net_o"])
        asked = [v, w]
    label_values(nodes)
    error = (t - nodes["out"]) ** 2 / 2
    error.label = "E"
    nets = [node for name, node in nodes.items() if name.startswith("net")][::-1]
    return exercise(error, ask=dice.pick((asked, asked, [*nets, *asked], "local")))


def _xor(dice: Dice) -> Exercise:
    """Make an exercise on a 2-2-1 network and one row of XOR's truth table."""
    x1, x2, target = dice.pick(XOR)
    x, t = [Value(x1, "x1"), Value(x2, "x2")], Value(target, "t")
    weights, biases, nets, outs = [], [], [], [x]
    for layer, size in enumerate((2, 1), 1):
        weights.append([[dice.leaf(f"layer{layer}.neuron{i}.w{j}", SMALL) for j in range(2)] for i in range(size)])
        biases.append([dice.leaf(f"layer{layer}.neuron{i}.b", SMALL) for i in range(size)])
        nets.append([dot(row, outs[-1], b) for row, b in zip(weights[-1], biases[-1], strict=True)])
        outs.append([sigmoid(net) for net in nets[-1]])
        for i, (net, out) in enumerate(zip(nets[-1], outs[-1], strict=True)):
            net.label, out.label = f"layer{layer}.neuron{i}.net", f"layer{layer}.neuron{i}.out"
    error = (t - outs[2][0]) ** 2 / 2
    error.label = "E"
    last = [*weights[1][0], *biases[1]]
    task = exercise(error, ask=dice.pick(("deltas", "deltas", last, [*weights[0][0], biases[0][0]])))
    given: list[tuple[str, Any]] = [("W¹", weights[0]), ("b¹", _column(biases[0])), ("W²", weights[1]), ("b²", [biases[1]]),
                                    ("x", _column(x)), ("t", [[t]])]  # fmt: skip
    parts: list[str | Matrix] = []
    for name, rows in given:
        parts += [f"{', ' * bool(parts)}{name} = ", _matrix(rows, lambda v: v.data, task)]
    four = _four_equations(task, weights, biases, nets, outs)
    return Exercise(error, task.kind, [q.node for q in task.questions], task.rate, [Equation("", parts)], [*four])


def _four_equations(task: Exercise, weights: Any, biases: Any, nets: Any, outs: Any) -> Iterator[Equation]:
    """Write the four equations of backpropagation with the numbers of a network of two layers."""

    def values(rows: Any) -> Matrix:
        return _matrix(rows, lambda node: node.data, task)

    def gradients(rows: Any) -> Matrix:
        return _matrix(rows, lambda node: task.steps.gradients[node], task)

    def slopes(layer: int) -> Matrix:
        return _matrix(_column(outs[layer + 1]), lambda node: node.partials[0], task)

    deltas = [gradients(_column(each)) for each in nets]
    yield Equation("BP1", ["δ² = ∇ₐE ⊙ σ′(z²) = ", gradients([outs[2]]), " ⊙ ", slopes(1), " = ", deltas[1]])
    back: list[str | Matrix] = [values(_column(weights[1][0])), deltas[1], " ⊙ ", slopes(0), " = ", deltas[0]]
    yield Equation("BP2", ["δ¹ = (W²)ᵀδ² ⊙ σ′(z¹) = ", *back])
    yield Equation("BP3", ["∂E/∂b² = δ² = ", gradients(_column(biases[1])), ", ∂E/∂b¹ = δ¹ = ", gradients(_column(biases[0]))])
    yield Equation("BP4", ["∂E/∂W² = δ²(a¹)ᵀ = ", deltas[1], values([outs[1]]), " = ", gradients(weights[1])])
    yield Equation("BP4", ["∂E/∂W¹ = δ¹xᵀ = ", deltas[0], values([outs[0]]), " = ", gradients(weights[0])])


def _column(nodes: Sequence[Value]) -> list[list[Value]]:
    return [[x] for x in nodes]


def _matrix(rows: Sequence[Sequence[Value]], number: Callable[[Value], float], task: Exercise) -> Matrix:
    return Matrix([[task.number(number(x)) for x in row] for row in rows])


LEVELS: Final[dict[int, Callable[[Dice], Exercise]]] = {1: _one_product, 2: _shared, 3: _neurons, 4: _xor}
