"""The questions of an exercise, each with its right answer at any numbers of the leaves.

The graph at some numbers is a `Scene`.  An answer that is a formula is compared at random ones.

>>> from autograd.value import Value
>>> w, x = Value(3.0, "w"), Value(2.0, "x")
>>> steps = Walk(w * x)
>>> [question] = questions(steps, "gradients", [w], 0.1)
>>> question.name, [question.value(scene) == scene.nodes[x].data for scene in scenes(steps)]
('∂loss/∂w', [True, True, True, True])
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias

from autograd.mistakes import sorted_pass, totals
from autograd.primitives import DomainError
from autograd.steps import Walk
from autograd.telling import slope
from autograd.value import Value
from autograd.writing import LATEX, latex_name

__all__ = ["Kind", "Question", "Scene", "questions", "scenes"]

Kind: TypeAlias = Literal["gradients", "deltas", "local", "order", "update"]
SCENES: Final = 4  # at which a formula is compared
SPREAD: Final = 0.3  # of the leaves' numbers there


class Scene(NamedTuple):
    """The nodes of the exercise's graph at some numbers, by the original nodes, and the gradients there."""

    nodes: Mapping[Value, Value]
    gradients: Mapping[Value, float]


@dataclass(frozen=True, eq=False)
class Question:
    """One number to find: a gradient, the new value of a leaf, or a local derivative."""

    key: Hashable
    name: str
    latex: str
    node: Value
    place: int | None = None  # among the node's inputs, of a local derivative
    rate: float | None = None  # of an update

    def value(self, scene: Scene) -> float:
        """Return the right number at a scene."""
        node = scene.nodes[self.node]
        if self.place is not None:
            return node.partials[self.place]
        gradient = scene.gradients[self.node]
        return gradient if self.rate is None else node.data - self.rate * gradient


def questions(steps: Walk, kind: Kind, nodes: Sequence[Value], rate: float) -> Iterator[Question]:
    """Iterate over the questions of an exercise; there are none about an order."""
    names, result = steps.names, steps.names[steps.loss]
    if kind == "local":
        for node in steps.order:
            for k, x in enumerate(node.inputs):
                twice = node.inputs.count(x) > 1
                name = f"∂{names[node]}/∂{names[x]}" + f" (operand {k})" * twice
                yield Question((node, k if twice else x), name, slope(names[node], names[x], LATEX), node, k)
    elif kind == "update":
        for x in nodes:
            yield Question(x, f"{names[x]} after the step", f"{latex_name(names[x])} \\leftarrow", x, None, rate)
    elif kind != "order":
        for x in nodes:
            yield Question(x, f"∂{result}/∂{names[x]}", slope(result, names[x], LATEX), x)


def scenes(steps: Walk) -> list[Scene]:
    """Return the graph at other numbers of its leaves, drawn from a fixed seed; fewer where it is undefined there."""
    rng = Random(1)
    return list(islice((scene for _ in range(10 * SCENES) if (scene := _moved(steps, rng)) is not None), SCENES))


def _moved(steps: Walk, rng: Random) -> Scene | None:
    twins: dict[Value, Value] = {}
    try:
        for x in steps.names:
            if x.primitive is None:
                twins[x] = Value(x.data * (1 + SPREAD * (2 * rng.random() - 1)) + SPREAD * (2 * rng.random() - 1))
        for node in steps.order:
            if node.primitive is not None:
                twins[node] = node.primitive.apply([twins[x] if isinstance(x, Value) else x for x in node.operands])
    except DomainError:
        return None
    found = totals(sorted_pass(twins[steps.loss]))
    return Scene(twins, {x: found.get(twin, 0.0) for x, twin in twins.items()})
