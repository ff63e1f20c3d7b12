"""The questions of an exercise, each with its right answer at any numbers of the leaves.

The graph at some numbers of its leaves is a `Scene`.  A formula is compared with the right answer at random scenes.

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
from math import isfinite
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias, cast, get_args

from autograd.mistakes import sorted_pass, totals
from autograd.notation import is_condition, slope
from autograd.primitives import DomainError, Primitive
from autograd.rerun import operand_numbers
from autograd.steps import Walk
from autograd.value import Value
from autograd.writing import LATEX, PLAIN, latex_name

__all__ = ["KINDS", "Kind", "Question", "Scene", "questions", "scenes"]

Kind: TypeAlias = Literal["gradients", "deltas", "local", "order", "update"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SCENES: Final = 4  # random scenes, at which a formula is compared
SPREADS: Final = [0.3 / 2**n for n in range(9)]  # how far leaves move there: the largest spread that works
MOST_WORK: Final = 50_000  # leaves times operations, up to which leaves are moved one by one


class Scene(NamedTuple):
    """The exercise's graph at some numbers: its nodes and their gradients, each by the original node."""

    nodes: Mapping[Value, Value]
    gradients: Mapping[Value, float]


@dataclass(frozen=True, eq=False)
class Question:
    """One number to find: a gradient, the new value of a leaf, or a local derivative."""

    key: Hashable
    name: str
    latex: str
    node: Value
    place: int | None = None  # of a local derivative: which of the node's inputs
    rate: float | None = None  # of an update: the learning rate

    @property
    def old(self) -> float | None:
        """The number of a leaf before the step; None for a derivative."""
        return None if self.rate is None else self.node.data

    def value(self, scene: Scene) -> float:
        """Return the right number at a scene."""
        node = scene.nodes[self.node]
        if self.place is not None:
            return node.partials[self.place]
        gradient = scene.gradients[self.node]
        return gradient if self.rate is None else node.data - self.rate * gradient


def questions(steps: Walk, kind: Kind, nodes: Sequence[Value], rate: float) -> Iterator[Question]:
    """Iterate over the questions of an exercise; an order has none."""
    names, result = steps.names, steps.names[steps.loss]
    if kind == "local":
        edges = [(node, k, x) for node in steps.order for k, x in enumerate(node.inputs)]
        for node, k, x in [edge for edge in edges if not (is_condition(edge[0]) or is_condition(edge[2]))] or edges:
            twice = node.inputs.count(x) > 1
            name, latex = [steps.notation.slope(node, x, style) for style in (PLAIN, LATEX)]
            yield Question((node, k if twice else x), name + f" (operand {k})" * twice, latex, node, k)
    elif kind == "update":
        for x in nodes:
            yield Question(x, f"{names[x]} after the step", f"{latex_name(names[x])} \\leftarrow", x, None, rate)
    elif kind != "order":
        for x in nodes:
            yield Question(x, f"∂{result}/∂{names[x]}", slope(result, names[x], LATEX), x)


def scenes(steps: Walk) -> list[Scene]:
    """Return the graph at other numbers of its leaves, drawn from a fixed seed; an empty list if none will do.

    At all of them the graph takes the same branches as at its own numbers, because on another branch the derivative is another
    formula.

    >>> from autograd.primitives import relu
    >>> w, x, n = Value(0.5), Value(0.001), Value(3.0)
    >>> [scene.gradients[w] > 0 for scene in scenes(Walk(relu(w * x)))]
    [True, True, True, True]
    >>> {scene.nodes[n].data for scene in scenes(Walk((-w) ** n))} == {2.0, 4.0}
    True
    """
    sampler = _Sampler(steps)
    return [scene for _ in range(SCENES) if (scene := sampler.scene()) is not None]


class _Sampler:
    """Draws scenes of one graph."""

    def __init__(self, steps: Walk) -> None:
        self.steps, self.random = steps, Random(1).random
        self.branches = [_branches(node) for node in steps.order]

    def scene(self) -> Scene | None:
        """Move all leaves together or, if no spread works for all, one after the other."""
        leaves = self.steps.notation.leaves
        for spread in SPREADS:
            if found := self._at({x: self._near(x.data, spread) for x in leaves}):
                return found
        return self._one_by_one(leaves) if len(leaves) * len(self.branches) <= MOST_WORK else None

    def _one_by_one(self, leaves: Sequence[Value]) -> Scene | None:
        """Move each leaf as far as it can be moved, and keep it there; None if no leaf can be moved."""
        numbers, found = {x: x.data for x in leaves}, None
        for x in leaves:
            for number in self._candidates(x.data):
                if scene := self._at({**numbers, x: number}):
                    found, numbers[x] = scene, number
                    break
        return found

    def _candidates(self, x: float) -> list[float]:
        """Return other numbers for x: near ones, the widest spread first; then the integers next to an integer."""
        near = [self._near(x, spread) for spread in SPREADS]
        whole = [x + 1, x - 1] if self.random() < 0.5 else [x - 1, x + 1]  # an exponent of a negative number stays whole
        return [*near, *whole] if x.is_integer() else near

    def _near(self, x: float, spread: float) -> float:
        return x * (1 + spread * (2 * self.random() - 1)) + spread * (2 * self.random() - 1)

    def _at(self, leaves: Mapping[Value, float]) -> Scene | None:
        """Return the graph at these numbers, or None if it is undefined, takes another branch, or loses a finite gradient."""
        twins = {x: Value(number) for x, number in leaves.items()}
        for node, branches in zip(self.steps.order, self.branches, strict=True):
            row = cast(Primitive, node.primitive)
            try:
                twins[node] = row.apply([twins[x] if isinstance(x, Value) else x for x in node.operands])
            except DomainError:
                return None
            if _branches(twins[node]) != branches:
                return None
        found = totals(sorted_pass(twins[self.steps.loss]))
        gradients = {x: found[twin] for x, twin in twins.items()}
        spoiled = any(isfinite(self.steps.gradients[x]) and not isfinite(gradient) for x, gradient in gradients.items())
        return None if spoiled else Scene(twins, gradients)


def _branches(node: Value) -> tuple[object, ...]:
    """Return which inputs an operation chose, and on which side of its kink it is."""
    kink = cast(Primitive, node.primitive).kink
    side = kink(*operand_numbers(node)) if kink else 0.0
    return *node.taken, side > 0, side < 0
