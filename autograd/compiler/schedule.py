"""Groups of nodes that can be computed at once.

A node's *level* is the length of the longest path to it from a leaf.  Nodes of equal level cannot depend on each other.  Those
that apply the same row to operands from the same groups are one `Group`, which the layout makes an instruction on arrays.

>>> from autograd.value import Value
>>> from autograd.compiler.backward import differentiate
>>> from autograd.compiler.tracing import Trace
>>> trace = Trace(lambda x, y: [[x[0] + y, x[1] + y], x[0] * 3], [], [(2,), ()])
>>> passes = differentiate(trace.graph, trace.outputs)
>>> for group in schedule(passes):
...     print(group.row.name, [passes.graph.describe(i) for i in group.nodes])
add ['add(0, 2)', 'add(1, 2)']
multiply ['multiply(0, 5)']
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from autograd import primitives
from autograd.compiler.backward import Passes
from autograd.compiler.tracing import Graph
from autograd.primitives import Nary, Primitive

__all__ = [
    "BATCHED", "CONSTANTS", "GRADIENT", "INPUTS", "PARAMETERS", "STATIC", "Group", "fold_of", "schedule", "spaces",
]  # fmt: skip

# The spaces that numbers are in.  Results that are computed once for a batch are STATIC, those for each example BATCHED; from
# INPUTS on, there is a space for each argument.
GRADIENT, CONSTANTS, PARAMETERS, STATIC, BATCHED, INPUTS = range(-1, 5)


@dataclass(eq=False)
class Group:
    """Nodes that are computed together, or the leaves in one space.

    Attributes:
        row: the operation; None for `Outer`s.
        space: where the results are: `STATIC` or `BATCHED`.
        backward: whether only the gradient needs them.
        level: the length of the longest path to them from a leaf.
        nodes: their places in the graph, or the numbers of the outers.
    """

    row: Primitive | None
    space: int
    backward: bool = False
    level: int = 0
    nodes: list[int] = field(default_factory=list)


def schedule(passes: Passes, most: float = math.inf) -> list[Group]:
    """Return the groups of a program in an order in which they can be computed, those that the outputs need first.

    Args:
        passes: the program.
        most: a limit: as soon as there are more groups, those found so far are returned.
    """
    graph = passes.graph
    leaves = [Group(None, space) for space in range(INPUTS + len(graph.sizes))]
    source: list[Any] = [leaves[space] for space in spaces(graph)]  # a node's group; a list's groups
    groups: dict[Any, Group] = {}

    def enter(node: int, row: Primitive | None, backward: bool, sizes: Any, sources: Collection[Group]) -> Group:
        """Put a node into its group, which is one level above the highest of its sources, and return the group."""
        key = row, backward, sizes, sources
        if key not in groups:
            varies = row is None or any(group.space >= BATCHED for group in sources)
            level = 1 + max([group.level for group in sources])
            groups[key] = Group(row, BATCHED if varies else STATIC, backward, level)
        groups[key].nodes.append(node)
        return groups[key]

    for i in range(graph.n_leaves, len(graph)):
        row, operands = graph.rows[i], graph.operands[i]
        parts: Any = tuple(map(source.__getitem__, operands))
        if row is None:
            source.append(frozenset(parts) if operands else leaves[CONSTANTS])
            continue
        sizes: Any = len(parts)
        if row is primitives.dot:
            sizes, parts = (len(graph.operands[operands[0]]), sizes), parts[0] | parts[1] | {*parts[2:]}
        elif fold_of(row):
            parts = frozenset(parts)
        source.append(enter(i, row, i >= passes.forward, sizes, parts))
        if len(groups) > most:
            return [*groups.values()]
    for k, (_, deltas, inputs) in enumerate(passes.gradients.outers):
        parts = frozenset([source[j] for j in deltas]).union(*[source[j] for j in inputs])
        enter(k, None, True, len(deltas), parts)
    return sorted(groups.values(), key=lambda group: (group.backward, group.level))


def fold_of(row: Primitive | None) -> str:
    """Return the name of the function that combines the operands of a row in any order, or an empty string."""
    return row.fold if isinstance(row, Nary) else ""


def spaces(graph: Graph) -> list[int]:
    """Return the space of each leaf."""
    arguments = [[INPUTS + i] * size for i, size in enumerate(graph.sizes)]
    return [PARAMETERS] * len(graph.parameters) + [*chain.from_iterable(arguments)]
