"""Compiled programs; see `test_approved`.

Any choice of a compiler can be right, such as which sums become one product and which slots share a line; so only a text that
was read once tells a choice from an accident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from approved_pictures import lined

from autograd import Unary, Value, absolute, compile, dot, exp, log, maximum, relu, sigmoid, sqrt, tanh, total, where
from autograd.compiler.arrays import Bound, NumPyMachine
from autograd.compiler.layout import Layout, Slots
from autograd.compiler.program import Program
from autograd.compiler.schedule import GRADIENT, INPUTS
from nn import MLP
from nn.losses import cross_entropy, l2, mean_squared_error

SPACES: Final = dict(
    enumerate(("gradient", "constant", "parameter", "static", "batched", "first", "second", "third"), start=GRADIENT)
)


def values(*numbers: float) -> list[Value]:
    return [Value(x, label=f"p{i}") for i, x in enumerate(numbers)]


def made() -> Iterator[tuple[str, Callable[..., Any], Sequence[Value], list[Any]]]:
    """Iterate over functions with their parameters and an example."""
    model = MLP(2, [3, 1], seed=1)
    yield "a network", lambda x, y: mean_squared_error(model(x), y), model.parameters(), [[0.1, 0.2], 1.0]
    classes = MLP(2, [2, 3], activation="relu", seed=1)
    yield "classes", lambda x, y: cross_entropy(classes(x), y), classes.parameters(), [[0.1, 0.2], [0.0, 1.0, 0.0]]
    w = values(0.5, -0.25, 2.0, 0.75)
    yield "a filter", lambda x: total([tanh(dot(w[:3], x[i : i + 3])) for i in range(4)]), w, [[0.1 * i for i in range(6)]]

    def recurrent(xs: Any) -> Any:
        state = 0.0
        for x in xs:
            state = tanh(dot(w[:2], [state, x], w[2]))
        return state * w[3]

    yield "a recurrent network", recurrent, w, [[0.1, 0.2, 0.3]]
    yield "shared parts", lambda x: (w[0] * x + w[1]) ** 2 + exp(w[0] * x + w[1]) / 2 - (w[0] * x) * 3, w, [0.3]
    yield "branches", lambda x: where(x > w[0], sqrt(x - w[0]), absolute(x) * w[1]) + maximum(x, w[2]), w, [0.7]
    yield "several outputs", lambda x: [w[0] * x, w[0] + w[1], sigmoid(w[2] * x) - 1, 2.0, x], w, [0.7]
    yield "products", lambda x: w[0] * w[1] * x[0] * x[1] + log(w[2]) * w[3] ** 3 - x[0] / w[1], w, [[0.7, 0.2]]
    yield "a quadratic form", lambda x: dot(x, [dot(w[:2], x), dot(w[2:], x)]), w, [[0.7, 0.2]]


BUMP: Final = Unary("bump", lambda x: exp(-x * x) * (x + 2) / (x * x + 3), lambda x, out: out * x)
HALF: Final = Unary("half", lambda x: x / 2, lambda x, out: 0.5, array=lambda namespace: lambda x: namespace.multiply(x, 0.5))


def layered() -> Iterator[tuple[str, Callable[..., Any], Sequence[Value], list[Any]]]:
    """Iterate over functions of many sums of products, as `made` does, chosen for their instructions."""
    w = values(*(0.25 * (i - 4) for i in range(16)))
    image = [[0.1 * i - 0.2 * j for i in range(3)] for j in range(3)]
    rows, matrix = [w[:2], w[2:4], w[4:6]], [w[4 * i : 4 * i + 4] for i in range(4)]

    def convolution(x: Any) -> Any:
        patches = [[*x[i][j : j + 2], *x[i + 1][j : j + 2]] for i in (0, 1) for j in (0, 1)]
        return total([relu(dot(w[5 * k : 5 * k + 4], patch, w[5 * k + 4])) for k in (0, 1, 2) for patch in patches])

    def attention(x: Any) -> Any:
        queries, keys, held = ([[dot(row, token) for row in rows[i : i + 2]] for token in x] for i in (0, 1, 0))
        scores = [[exp(dot(query, key)) for key in keys] for query in queries]
        return total([(dot(row, column) / total(row)) ** 2 for row in scores for column in zip(*held, strict=True)])

    def in_blocks(x: Any) -> Any:
        hidden = [tanh(dot(row[:2], x[2 * (i // 2) : 2 * (i // 2) + 2])) for i, row in enumerate(matrix)]
        return dot(hidden, [row[2] for row in matrix]) + dot(hidden[:2], x[:2]) - dot(matrix[0][:2], [x[3], hidden[3]])

    yield "a convolution", convolution, w, [image]
    yield "attention", attention, w[:8], [[[0.1, 0.2], [0.3, -0.4], [0.5, 0.0]]]
    yield "layers in blocks", in_blocks, w, [[0.1, 0.2, 0.3, 0.4]]
    yield "a penalty", lambda x, y: (tanh(dot(w[:3], x, w[3])) - y) ** 2 + l2(w[:4], 0.5), w[:5], [[1.0, 2.0, 3.0], 0.5]
    yield (
        "lists of everything",
        lambda x, y: maximum(*x, w[0], y, 0.5, w[1]) * total([1.0, *x, w[2] * y, *w[:2]]),
        w[:3],
        [[0.1, 0.7], 0.2],
    )
    yield (
        "once for a batch",
        lambda x: dot([w[0] * w[1], tanh(w[1]), 2.0, w[2]], [x[0], x[1], w[0], exp(w[2])]),
        w[:3],
        [[0.1, 0.7]],
    )
    yield (
        "powers",
        lambda x: [(dot(w[:2], x) + 3) ** 2, dot(x, x), dot(w[:2], w[:2]), dot(w[:2], x) * 0, x[0] ** 3],
        w[:2],
        [[1.0, 2.0]],
    )
    yield (
        "dead ends",
        lambda x: dot(w[:2], [sqrt(relu(dot(w[2:4], x))), where(x[0] > w[4], log(x[1] - w[5]), w[6])]),
        w[:7],
        [[1.0, 2.0]],
    )
    yield "own rows", lambda x: [HALF(x[0] * w[0]) + BUMP(w[1]), -HALF(BUMP(x[1])), w[1]], w[:2], [[1.0, 2.0]]
    yield "one input among weights", lambda x: [tanh(dot([w[0], x], [w[1], w[2]])), dot([x, w[0]], [w[1], x])], w[:3], [0.5]
    yield "weights on the right", lambda x, y: [tanh(dot(x, w[:2])), dot(x, y), dot([*x, 2.0], w[:3])], w[:3], [[1.0, 2.0]] * 2
    yield (
        "turned",
        lambda x: [total(dot([row[i] for row in rows], x[:3]) ** 2 for i in (0, 1)), dot(rows[0], x[2:])],
        w[:6],
        [[1.0, 2.0, 3.0, 4.0]],
    )


def written(slots: Slots) -> str:
    """Write where numbers are stored: the space, and the slots in it."""
    return f"{SPACES[slots.space]}{slots.index.tolist()}"


def laid_out(layout: Layout) -> Iterator[str]:
    """Iterate over the instructions of a layout."""
    for each in layout.instructions:
        name = each.row.name if each.kind in ("apply", each.row.name) else f"{each.kind} {each.row.name}"
        flags = " backward" * each.backward + " adds" * each.adds
        yield f"    {name} {', '.join(map(written, each.operands))} -> {written(each.out)}{flags}"
    yield f"    sizes {layout.sizes}, outputs {layout.outputs}, constants {[float(f'{x:.4g}') for x in layout.constants]}"


def called(bound: Bound) -> Iterator[str]:
    """Iterate over the calls of NumPy's functions, with each operand's place in its space, its shape and its strides."""
    places = {(id(args), i): place for args, i, place in bound.patches}
    others: dict[int, int] = {}  # the numbers of arrays outside of all spaces, by their addresses

    def operand(args: list[Any], i: int) -> str:
        x = args[i]
        if (id(args), i) in places:
            place = places[id(args), i]
            return f"{SPACES[INPUTS + place.argument]}@{place.offset // 8} {lengths(place.shape, place.steps)}"
        if not isinstance(x, np.ndarray):
            return str(getattr(x, "__name__", x))
        if x.dtype.kind == "i":
            return str(x.tolist())
        first = x.ctypes.data
        for space, array in bound.spaces.items():
            if 0 <= first - array.ctypes.data < array.nbytes:
                return f"{SPACES[space]}@{(first - array.ctypes.data) // 8} {lengths(x.shape, x.strides)}"
        return f"array{others.setdefault(first, len(others))} {lengths(x.shape, x.strides)}"

    for i, (function, args) in enumerate(bound.calls):
        name = getattr(getattr(function, "func", function), "__name__", "")
        options = getattr(function, "keywords", {})
        shown = [operand(args, k) for k in range(len(args))] + [operand([x], 0) for x in options.values()]
        yield f"    {'' if i < len(bound.forward) else 'backward '}{name} {', '.join(shown)}"


def lengths(shape: Sequence[int], steps: Sequence[int]) -> str:
    return " ".join(f"{n}·{step // 8}" if n > 1 else "1" for n, step in zip(shape, steps, strict=True))


def calls() -> Iterator[str]:
    """Iterate over programs as instructions, and as calls for batches of one and of three examples."""
    for name, f, parameters, example in layered():
        program: Program = compile(f, parameters, example=example)
        yield f"\n{name}\n{program}"
        yield from laid_out(program.layout)
        machine = NumPyMachine(program.trace, program.parameters)
        for batch in (1, 3):
            yield f"batch {batch}"
            yield from called(Bound(machine, batch))


def programs() -> Iterator[str]:
    """Iterate over programs as lessons, in LaTeX and as instructions, and over Jacobians."""
    for name, f, parameters, example in made():
        program: Program = compile(f, parameters, example=example)
        yield f"\n{name}: {program!r}, {program.instructions}\n{program}\n{program.latex}"
        yield from laid_out(program.layout)
        for of in ("parameters", "inputs"):
            found = np.asarray(program.jacobian(*[np.array([each]) for each in example], of=of), dtype=float)
            yield f"    Jacobian with respect to {of}: {(np.round(found, 6) + 0.0).reshape(-1).tolist()}"


PROGRAMS: Final[dict[str, Callable[[], str]]] = {
    "programs.txt": lambda: lined(programs()),
    "instructions.txt": lambda: lined(calls()),
}
