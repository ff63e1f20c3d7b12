"""Trainings, and what they report or raise; see `test_approved`.

They use only + - × ÷ and √, so they have the same digits everywhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from approved_pictures import lined

from autograd import Value
from nn import Module, Perceptron, fit
from nn.data import truth_table
from nn.optim import SGD, Momentum, RProp, step_decay
from nn.tables import short

X: Final = [[0.0], [1.0], [2.0], [3.0]]
Y: Final = [1.0, 3.0, 5.0, 7.0]
L: Final = [[i / 8] for i in range(12)]
P: Final = [[i / 16, 0.5 - i / 32] for i in range(12)]
C: Final = [int(i in (2, 3, 5, 7, 11)) for i in range(12)]

EDGES: Final = ([[-1e-9], [1 + 1e-9]], [0, 1])  # as far outside [0, 1] as rounding may move a probability


class Line(Module):
    """A line w·x + b, or w·x where b is switched off."""

    def __init__(self, *, used: bool = True) -> None:
        self.w, self.b, self.used = Value(0.5, "w"), Value(0.0, "b"), used

    def __call__(self, x: Any) -> Any:
        """Return w·x + b."""
        return self.w * x[0] + self.b if self.used else self.w * x[0]


class Spare(Line):
    """A line with n parameters that it does not use."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.spare = [Value(float(i), f"spare{i}") for i in range(n)]


class Table(Module):
    """A model that returns its input, shifted by a parameter."""

    def __init__(self, *, squashed: str = "") -> None:
        self.w, self.squashed = Value(0.0, "w"), squashed

    def __call__(self, x: Any) -> Any:
        """Return the numbers, or the first one squashed."""
        out = [a + self.w for a in x]
        return getattr(out[0], self.squashed)() if self.squashed else out[0] if len(out) == 1 else out


class Noisy(Line):
    """A line that uses its parameter in a different way at each call."""

    calls = 0

    def __call__(self, x: Any) -> Any:
        """Return w·x + b, with the term w·x n times at the n-th call."""
        self.calls += 1
        return sum(self.w * x[0] for _ in range(self.calls)) + self.b


class Stale(Line):
    """A line whose slope is computed from a parameter before it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = self.w * 2

    def __call__(self, x: Any) -> Any:
        """Return 2w·x + b."""
        return self.slope * x[0] + self.b


def uneven() -> list[list[int]]:
    """Return batches of different sizes, more than are made one by one."""
    return [[0], [1, 2], [3, 4, 5], [6], [7, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5, 6], [8], [9, 2], [3]]


def faulty() -> Iterator[list[int]]:
    """Yield one batch, then fail."""
    yield [0]
    raise ValueError("no more")


def first(y: Any, t: Any) -> Any:
    """Return the squared error of the first output."""
    y, t = (x[0] if isinstance(x, list) else x for x in (y, t))
    return (y - t) ** 2


def with_others(n: int, others: int) -> Callable[[Any, Any], Any]:
    """Return a loss that adds other Values at its first n calls."""
    outside, left = [Value(0.5, f"outside{i}") for i in range(others)], iter([True] * n)
    return lambda y, t: (y - t) ** 2 + (sum(outside) if next(left, False) else 0)


def scripted(*values: float) -> Callable[[Any, Any], Any]:
    """Return a loss that has these values, one per call, and the slope 1."""
    left = iter(values)
    return lambda y, t: y - y.data + next(left)


def steep(y: Any, t: Any) -> Any:
    """Return a finite loss whose sum over examples overflows."""
    return y * 0 + 1e308


def high(y: Any, t: Any) -> Any:
    """Return a finite loss whose mean is finite, although its sum overflows."""
    return y * 1e-3 + 1e308


def partly(y: Any, t: Any) -> Any:
    """Return a loss that depends on the output only if the target is not 0."""
    return y * t if t else Value(1.0)


def after(n: int) -> Callable[[Any, Any], bool]:
    """Return a callback that ends a training after n epochs."""
    return lambda history, model: history.epochs == n


def shifted(history: Any, model: Any) -> None:
    """Move the parameters by 1: a callback."""
    for parameter in model.parameters():
        parameter.data += 1.0


FITS: Final = """
fit(Line(), X, Y, epochs=2, seed=0)
fit(Line(), X, Y, epochs=2, seed=0, batch_size=1, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, seed=1, batch_size=1, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, batch_size=1, shuffle=False, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05), reduce="sum")
fit(Line(), X, Y, epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05), l2=0.25)
fit(Line(), X, Y, epochs=2, batch_size=3, shuffle=False, optimizer=Momentum(lr=0.05))
fit(Line(), X, Y, epochs=3, batch_size=3, shuffle=False, optimizer=RProp(lr=0.5))
fit(Line(), X, Y, epochs=2, batch_size=None, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, batches=lambda: [[3, 0], [-1]], optimizer=SGD(lr=0.05))
fit(Line(used=False), X, Y, epochs=1, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, batch_size=None, optimizer=SGD(lr=0.05), callbacks=[shifted])
fit(Line(), X, Y, epochs=9, batch_size=None, optimizer=SGD(lr=0.05), callbacks=[after(2), after(3)])
fit(Line(), X, Y, epochs=2, batch_size=None, optimizer=SGD(lr=0.05), validation=([[4.0]], [9.0]))
fit(Line(), X, Y, epochs=9, batch_size=None, optimizer=SGD(lr=0.05), goal=13.375)
fit(Line(), X, Y, epochs=9, batch_size=None, optimizer=SGD(lr=0.05), goal=1.0)
fit(Line(), X, Y, epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05), reduce="sum", l2=0.25)
fit(Line(), X, Y, epochs=2, batch_size=None, optimizer=Momentum(lr=0.05), validation=([[4.0]], [9.0]))
fit(Line(), X, Y, epochs=2, batch_size=None, optimizer=SGD(lr=0.05), callbacks=[shifted])
fit(Line(), L, C, epochs=2, batch_size=1, optimizer=SGD(lr=0.05))
fit(Line(), L, C, epochs=2, batch_size=1, optimizer=SGD(lr=0.05), reduce="sum", l2=0.25)
fit(Line(), L, C, epochs=2, batch_size=1, optimizer=Momentum(lr=0.05), validation=(L, C))
fit(Line(), L, C, epochs=2, batch_size=1, optimizer=SGD(lr=step_decay(0.05, 5)))
fit(Line(), L, C, epochs=3, batch_size=1, optimizer=SGD(lr=0.05), callbacks=[shifted])
fit(Line(), L, C, epochs=3, batch_size=1, optimizer=SGD(lr=lambda i: 0.05 if i < 20 else -1.0))
fit(Line(), L, C, epochs=2, batches=uneven, optimizer=SGD(lr=0.05))
fit(Line(), L, C, epochs=2, batches=uneven, optimizer=SGD(lr=0.05), reduce="sum")
fit(Line(), L, C, epochs=2, batches=uneven, optimizer=Momentum(lr=0.05), l2=0.25)
fit(Line(), L, C, epochs=9, batch_size=1, shuffle=False, optimizer=SGD(lr=1e60))
fit(Line(), L[3:8], C[3:8], epochs=2, batch_size=1, optimizer=SGD(lr=0.001), loss="binary_cross_entropy")
fit(Line(), L, C, epochs=2, batch_size=1, shuffle=False, optimizer=SGD(lr=0.05), loss="binary_cross_entropy")
fit(Line(), L, C, epochs=2, batch_size=1, optimizer=SGD(lr=0.05), loss="hinge")
fit(Table(), P, C, epochs=2, batch_size=1, optimizer=SGD(lr=0.05), loss="squared_error", validation=(P[:5], C[1:6]))
fit(Table(), P, C, epochs=2, batch_size=None, optimizer=SGD(lr=0.05), validation=(P[:5], C[1:6]))
fit(Table(), P, [[x, y] for y, x in P], epochs=2, batch_size=5, optimizer=SGD(lr=0.05))
fit(Table(), P[:3], C[:3], epochs=1, validation=([[math.nan, 1.0], [1.0, 0.0]], [0, 0]))
fit(Table(), P[1:4], C[1:4], epochs=1, loss="categorical_cross_entropy", validation=([[1.5, 0.5], *P[1:3]], [0, 1, 1]))
fit(Line(), X, Y, epochs=3, optimizer=SGD(lr=0.05), callbacks=[dropped])
fit(Table(), [[1.0], [2.0, 3.0]], [1.0, 1.0], epochs=1, loss=first)
fit(Table(), [[1.0], [2.0]], [[1.0], [2.0, 3.0]], epochs=1, loss=first)
fit(Table(), [[1.0], [2.0]], [1.0, 2.0], epochs=1, loss=first, batches=faulty)
fit(Noisy(), X, Y, epochs=1)
fit(Stale(), X, Y, epochs=2, batch_size=2)
fit(Stale(), X, Y, epochs=2, batch_size=1)
fit(Line(), X, [0.0, 1.0, 1.0, 1.0], epochs=1, batch_size=1, shuffle=False, optimizer=SGD(lr=0.05), loss=partly)
fit(Line(), L, C, epochs=2, batches=uneven, optimizer=SGD(lr=0.05), loss=high)
fit(Line(), X[:2], Y[:2], epochs=1, loss=steep)
fit(Line(), L, C, epochs=3, batch_size=1, optimizer=Momentum(lr=0.05), callbacks=[shifted])
fit(Line(), L[3:8], C[3:8], epochs=1, optimizer=SGD(lr=0.001), loss="binary_cross_entropy", validation=(L[3:8], C[3:8]))
fit(Table(), [[0.25], [0.75]], [0, 1], epochs=1, optimizer=SGD(lr=1e-300), loss="binary_cross_entropy", validation=EDGES)
fit(Line(), [[0.0]], [0.0], epochs=9, loss=scripted(5, 4, 3, 6, 7, 8), patience=2)
fit(Line(), [[0.0]], [0.0], epochs=9, loss=scripted(5, 4, 6, 3, 3, 3), patience=2)
fit(Line(), [[0.0]], [0.0], epochs=9, loss=scripted(5, 4, 6, 3, 7, 2, 8, 8, 8), patience=3)
fit(Line(), [[0.0]], [0.0], epochs=9, loss=scripted(5, 5, 4.5, 4, 3.5, 3), patience=2, tolerance=1.0)
fit(Line(), [[0.0]], [0.0], epochs=9, loss=scripted(5, 5, 4.5, 3.5, 3.4, 2.9), patience=2, tolerance=1.0)
fit(Line(), [[0.0]], [0.0], epochs=3, loss=scripted(5, 4, 3), goal=4)
fit(Line(), [[0.0]], [0.0], epochs=3, loss=scripted(5, 4, 3, 2), goal=0)
fit(Line(), [[0.0]], [0.0], epochs=3, loss=scripted(5, 5, math.inf, math.inf))
fit(Line(), [[0.0]], [0.0], epochs=3, loss=scripted(5, 4))
fit(Line(), [[0.0], [1.0]], [0.0, 1.0], epochs=3, loss=steep, reduce="sum")
fit(Line(), [[0.0], [1.0]], [0.0, 1.0], epochs=1, loss=steep, batch_size=1, shuffle=False)
fit(Line(), X, [0, 0, 1, 1], epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05), validation=(X, [1, 0, 1, 0]))
fit(Line(), X, [0, 0, 1, 1], epochs=2, batch_size=3, shuffle=False, optimizer=SGD(lr=0.05), validation=(X, [-1, -1, 1, 1]))
fit(Line(), X, [-1, -1, 1, 1], epochs=1, optimizer=SGD(lr=0.05), validation=(X, [0, 0, 1, 1]))
fit(Line(), X, [-1, -1, 1, 1], epochs=1, optimizer=SGD(lr=0.0625), validation=(X, [1, 1, 1, 1]))
fit(Line(), X, [0, 0, 1, 1], epochs=1, optimizer=SGD(lr=0.05), validation=(X, [1, 1, 1, 1]))
fit(Line(), X, [-1, -1, -1, -1], epochs=1, optimizer=SGD(lr=0.05), validation=(X, [0, 0, 0, 0]))
fit(Spare(3), X, Y, epochs=1, optimizer=SGD(lr=0.05))
fit(Spare(4), X, Y, epochs=1, optimizer=SGD(lr=0.05))
fit(Line(), L, C, epochs=1, shuffle=False, optimizer=SGD(lr=0.05), loss=with_others(7, 1))
fit(Line(), L, C, epochs=1, shuffle=False, optimizer=SGD(lr=0.05), loss=with_others(8, 1))
fit(Line(), L, C, epochs=1, shuffle=False, optimizer=SGD(lr=0.05), loss=with_others(8, 4))
fit(Line(), L, C, epochs=1, batches=lambda: [[0]], optimizer=SGD(lr=0.05), loss=with_others(8, 1))
fit(Line(), L[:1], C[:1], epochs=1, optimizer=SGD(lr=0.05), loss=with_others(8, 2))
fit(Line(), L[:1], C[:1], epochs=1, optimizer=SGD(lr=0.05), loss=with_others(1, 2))
fit(Line(), X, [-1, -1, 1, 1], epochs=1, optimizer=SGD(lr=0.05), validation=(X, [0.0, 0.5, 1.0, 1.0]))
fit(Line(), X, [-1, -1, 1, 1], epochs=1, optimizer=SGD(lr=0.05), loss="hinge", validation=(X, [0, 0, 1, 1]))
fit(Line(), X, [-1, 0, 1, 1], epochs=1, loss="hinge")
fit(Line(), X, [-1, 0, 1, 1], epochs=1, optimizer=SGD(lr=0.05))
fit(Line(), X, [0, 1], epochs=1)
fit(Line(), [], [], epochs=1)
fit(Line(), X, ["a", "b", "c", "d"], epochs=1)
fit(Line(), X, [0, 1, None, 1], epochs=1)
fit(Line(), X, [0, 1, 2, 1], epochs=1, loss="hinge")
fit(Line(), X, Y, epochs=1, validation=(X, [0, 1j, 1, 1]))
fit(Line(), X, Y, epochs=1, validation=[X, Y, X])
fit(Line(), X, Y, epochs=1, validation=X[0])
fit(Line(), X, Y, epochs=1, validation=5)
fit(Line(), X, Y, epochs=0)
fit(Line(), X, Y, epochs=None)
fit(Line(), X, Y, batch_size=0)
fit(Line(), X, Y, patience=0)
fit(Line(), X, Y, loss="cubed")
fit(Line(), X, Y, l2=-1.0)
fit(Line(), X, Y, l2="1")
fit(Line(), X, Y, goal="1")
fit(Line(), X, Y, reduce="max")
fit(Line(), X, Y, interrupt="stop")
fit(Line(), X, Y, optimizer=SGD)
fit(Line(), X, Y, optimizer=0.1)
fit(Line(), X, Y, callbacks=after(2))
fit(Line(), X, Y, callbacks=[None])
fit(Line(), X, Y, compiled="yes")
fit(Line(), X, Y, lr=0.1)
fit(Line(), X, Y, momentum=0.1)
fit(Line, X, Y)
fit(Module(), X, Y)
fit(Line(), X, Y, batches=[[0, 1]])
fit(Line(), X, Y, batches=lambda: 5)
fit(Line(), X, Y, batches=lambda: [])
fit(Line(), X, Y, batches=lambda: [0, 1])
fit(Line(), X, Y, batches=lambda: [[0], []])
fit(Line(), X, Y, batches=lambda: [[True, False, True, True]])
fit(Line(), X, Y, batches=lambda: [[0.5]])
fit(Line(), X, Y, batches=lambda: [[4]])
fit(Line(), X, Y, batches=lambda: [[-4, 3]], epochs=1, optimizer=SGD(lr=0.05))
fit(Line(), X, Y, batches=lambda: [[-5]])
fit(Table(), X, Y, loss=lambda y, t: 1.0)
fit(Table(), X, Y, loss=lambda y, t: Value(1.0))
fit(Table(), X, Y, epochs=1, loss=lambda y, t: y * 0)
fit(Table(squashed="tanh"), [[0.0]], [-1], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(squashed="tanh"), [[0.0]], [1], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(squashed="tanh"), [[0.0]], [1.5], epochs=1)
fit(Table(squashed="tanh"), [[0.0], [1.0]], [-1.5, 0], epochs=1)
fit(Table(squashed="sigmoid"), [[0.0], [0.0]], [0, 1], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(squashed="sigmoid"), [[0.0], [0.0]], [-1, 1], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(squashed="sigmoid"), [[-1.0], [1.0]], [-1, 1], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(squashed="sigmoid"), [[0.0], [0.0]], [0, 2], epochs=1)
fit(Table(squashed="sigmoid"), [[0.0]], [math.nan], epochs=1)
fit(Table(squashed="sigmoid"), [[0.0]], [1], epochs=1, validation=([[0.0]], [3]))
fit(Table(squashed="sigmoid"), [[0.0]], [5], epochs=1, loss=lambda y, t: (y - t) ** 2, optimizer=SGD(lr=0.25))
fit(Table(squashed="relu"), [[0.0], [1.0]], [0, 1], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(), [[0.0, 1.0], [1.0, 0.0]], [1, 0], epochs=1, optimizer=SGD(lr=0.25))
fit(Table(), [[0.0, 1.0], [1.0, 0.0]], [1, 2], epochs=1)
fit(Table(), [[0.0, 1.0], [1.0, 0.0]], [[0, 1, 0], [1, 0, 0]], epochs=1)
fit(Table(), [[0.25, 0.75]], [1], epochs=1, loss="cross_entropy", optimizer=SGD(lr=1.0))
fit(Table(), [[0.5, 0.75]], [[0.5, 0.25]], epochs=1, loss="cross_entropy")
fit(Table(), [[-1.0]], [0.0], epochs=1, loss="binary_cross_entropy")
"""


def dropped(history: Any, model: Line) -> None:
    """Switch off a line's constant: a callback."""
    model.used = False


NAMES: Final[dict[str, Any]] = {
    "Line": Line, "Module": Module, "Momentum": Momentum, "Noisy": Noisy, "RProp": RProp, "SGD": SGD, "Stale": Stale,
    "Spare": Spare,
    "Table": Table, "Value": Value, "C": C, "L": L, "P": P, "X": X, "Y": Y, "after": after, "faulty": faulty, "first": first,
    "dropped": dropped, "high": high, "partly": partly, "EDGES": EDGES,
    "math": math, "scripted": scripted, "shifted": shifted, "steep": steep, "step_decay": step_decay, "uneven": uneven,
    "with_others": with_others,
}  # fmt: skip


def report(model: Any, history: Any) -> Iterator[str]:
    """Write a training's curves, parameters and notes, with numbers to six digits."""
    curves = {"loss": history.loss, "accuracy": history.accuracy, "validation": history.validation_loss,
              "validation accuracy": history.validation_accuracy}  # fmt: skip
    yield from (f"{name} {', '.join(f'{x:.6g}' for x in curve)}" for name, curve in curves.items() if curve)
    parameters = ", ".join(f"{parameter.data:.6g}" for parameter in model.parameters())
    yield f"parameters {parameters}; stopped {history.stopped or '?'}"
    yield from history.notes


def outcome(line: str, compiled: bool) -> str:
    """Train with one of the engines, and write the report or the error."""
    models: list[Any] = []

    def fitted(model: Any, *args: Any, **options: Any) -> Any:
        models.append(model)
        return fit(model, *args, **{"seed": 0, "compiled": compiled} | options)

    try:
        eval(line, NAMES | {"fit": fitted})
        found = []
    except Exception as error:  # of whatever type
        found = [f"{type(error).__name__}: {re.sub(' at 0x[0-9a-f]+', '', str(error))}"]
    [model] = models
    history = getattr(model, "history", None)
    return "\n".join([*found, *([] if history is None else report(model, history))])


def trainings() -> Iterator[str]:
    """Iterate over trainings with what they report or raise, and the compiled outcome where it differs."""
    for line in FITS.strip().splitlines():
        eager, compiled = (outcome(line, engine) for engine in (False, True))
        yield f">>> {line}\n{eager}" + f"\ncompiled: {short(compiled, 50)}" * (compiled != eager)
    for compiled_or_auto in (False, True, "auto"):
        engine = fit(Line(), X, Y, epochs=1, compiled=compiled_or_auto).engine
        yield f"compiled={compiled_or_auto}: {engine if engine.startswith('eager') else engine.partition(':')[0]}"
    for kind, epochs in ((Line, 249_999), (Line, 250_000), (Noisy, 250_000)):  # times 4 examples and 2 parameters
        engine = fit(kind(), X, Y, epochs=epochs, callbacks=[after(1)]).engine
        yield f"{kind.__name__}, {epochs} epochs: {engine if engine.startswith('eager') else engine.partition(':')[0]}"


GATES: Final = {name: truth_table(name) for name in ("and", "or", "nand", "nor", "xor", "xnor")}
POINTS: Final = ([[float(i)] for i in range(40)], [int(i >= 37) for i in range(40)])


def perceptrons() -> Iterator[str]:
    """Iterate over the reports and weights of trained perceptrons."""
    for name, (X, y) in GATES.items():
        for lr, epochs in ((1.0, 1000), (0.5, 3)):
            unit = Perceptron(2, label="unit")
            yield f"{name}, {lr}, {epochs}: {unit.fit(X, y, lr=lr, epochs=epochs)}; {[p.data for p in unit.parameters()]}"
    yield from (f"{n} epochs: {Perceptron(1).fit(*POINTS, epochs=n)}" for n in (1, 12, 13, 14, 1000))
    yield from (f"{target}: {Perceptron(1).fit([[1.0]], [target])}" for target in (0, 1, True, 1.0))


FITTED: Final[dict[str, Callable[[], str]]] = {
    "fits.txt": lambda: lined(trainings()),
    "perceptrons.txt": lambda: lined(perceptrons()),
}
