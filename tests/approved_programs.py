"""Compiled programs that have to stay as they are; see `test_approved`.

A compiler's choices, such as which sums become one product and which slots share a line, can all be right; so only a text that
was read once tells a choice from an accident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from approved_pictures import lined

from autograd import Value, absolute, compile, dot, exp, log, maximum, sigmoid, sqrt, tanh, total, where
from autograd.compiler.layout import GRADIENT, Layout, Slots
from autograd.compiler.program import Program
from nn import MLP
from nn.losses import cross_entropy, mean_squared_error

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


def written(slots: Slots) -> str:
    """Write where some numbers are: the space and the slots in it."""
    return f"{SPACES[slots.space]}{slots.index.tolist()}"


def laid_out(layout: Layout) -> Iterator[str]:
    """Iterate over the instructions of a layout."""
    for each in layout.instructions:
        name = each.row.name if each.kind in ("apply", each.row.name) else f"{each.kind} {each.row.name}"
        flags = " backward" * each.backward + " adds" * each.adds
        yield f"    {name} {', '.join(map(written, each.operands))} -> {written(each.out)}{flags}"
    yield f"    sizes {layout.sizes}, outputs {layout.outputs}, constants {[float(f'{x:.4g}') for x in layout.constants]}"


def programs() -> Iterator[str]:
    """Iterate over programs as lessons, in LaTeX and as instructions, and over Jacobians."""
    for name, f, parameters, example in made():
        program: Program = compile(f, parameters, example=example)
        yield f"\n{name}: {program!r}, {program.instructions}\n{program}\n{program.latex}"
        yield from laid_out(program.layout)
        for of in ("parameters", "inputs"):
            found = np.asarray(program.jacobian(*[np.array([each]) for each in example], of=of), dtype=float)
            yield f"    Jacobian with respect to {of}: {(np.round(found, 6) + 0.0).reshape(-1).tolist()}"


PROGRAMS: Final[dict[str, Callable[[], str]]] = {"programs.txt": lambda: lined(programs())}
