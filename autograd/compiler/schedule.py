"""What can be done at once.

A node's *level* is the length of the longest way to it from a leaf.  Nodes of equal level cannot depend on each other; those
of them that apply the same row to operands from the same places are one `Group`, and will be one instruction on arrays.

>>> from autograd.value import Value
>>> from autograd.compiler.canonical import canonical
>>> from autograd.compiler.tracing import Trace
>>> trace = Trace(lambda x, y: [[x[0] + y, x[1] + y], x[0] * 3], [], [(2,), ()])
>>> graph, outputs = canonical(trace.graph, trace.outputs)
>>> for group in schedule(graph, len(graph)):
...     print(group.row.name, [graph.describe(i) for i in group.nodes])
add ['add(0, 2)', 'add(1, 2)']
multiply ['multiply(0, 5)']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd import primitives
from autograd.compiler.backward import Outer
from autograd.compiler.tracing import CONSTANTS, INPUTS, PARAMETERS, Graph
from autograd.primitives import Nary, Primitive

__all__ = ["BATCHED", "STATIC", "Group", "is_deep", "schedule", "spaces"]

STATIC, BATCHED = 2, 3  # the spaces of results: computed once for a batch, and computed for each of its examples


@dataclass
class Group:
    """Nodes that are computed together.

    Attributes:
        row: the operation; None for `Outer`s.
        space: where the results are: `STATIC` or `BATCHED`.
        backward: whether only the gradient needs them.
        nodes: their places in the graph, or the numbers of the outers.
    """

    row: Primitive | None
    space: int
    backward: bool
    nodes: list[int] = field(default_factory=list)


def schedule(graph: Graph, forward: int, outers: Sequence[Outer] = ()) -> list[Group]:
    """Return the groups of a graph in an order in which they can be computed.

    Args:
        graph: in canonical form.
        forward: the number of its nodes that the outputs need, which come first.
        outers: gradients of parameters.
    """
    source = spaces(graph)  # of a leaf its space, of a result its group
    sets: dict[int, frozenset[int]] = {}  # of a list, all that its nodes come from
    varies = [space >= INPUTS for space in source[: graph.n_leaves]]
    level = [0] * len(graph)
    by_level: dict[int, list[int]] = {}
    for i in range(graph.n_leaves, len(graph)):
        operands = graph.operands[i]
        if operands:
            level[i] = max([level[j] for j in operands]) + (graph.rows[i] is not None)
            varies.append(any(varies[j] for j in operands))
            if graph.rows[i] is not None:
                by_level.setdefault(level[i], []).append(i)
        else:
            varies.append(False)
    ends: dict[int, list[int]] = {}
    for k, outer in enumerate(outers):
        ends.setdefault(1 + max([level[j] for j in (*outer.deltas, *outer.inputs)]), []).append(k)

    def sources(i: int) -> frozenset[int]:
        if source[i] >= 0:
            return frozenset((source[i],))
        if i not in sets:
            sets[i] = frozenset([source[j] for j in graph.operands[i]])
        return sets[i]

    n_leaves = max(source, default=0) + 1
    groups: list[Group] = []
    for depth in sorted({*by_level, *ends}):
        found: dict[Any, Group] = {}
        for i in by_level.get(depth, ()):
            row, operands = graph.rows[i], graph.operands[i]
            if row is primitives.dot:
                made_of: Any = (len(graph.operands[operands[0]]), len(operands), frozenset().union(*map(sources, operands)))
            else:
                parts = [source[j] for j in operands]
                made_of = len(parts), frozenset(parts) if isinstance(row, Nary) and row.fold else tuple(parts)
            key = row, i < forward, varies[i], made_of
            if key not in found:
                found[key] = Group(row, BATCHED if varies[i] else STATIC, backward=i >= forward)
            found[key].nodes.append(i)
        for number, group in enumerate(found.values(), n_leaves + len(groups)):
            for i in group.nodes:
                source[i] = number
        groups += found.values()
        last: dict[Any, Group] = {}
        for k in ends.get(depth, ()):
            deltas, inputs = outers[k][1:]
            kind = len(deltas), frozenset().union(*map(sources, deltas), *map(sources, inputs))
            last.setdefault(kind, Group(None, BATCHED, backward=True)).nodes.append(k)
        groups += last.values()
    return groups


def spaces(graph: Graph) -> list[int]:
    """Return the space of each leaf and constant, and -1 for all other nodes."""
    found = [PARAMETERS] * len(graph.parameters)
    for i, size in enumerate(graph.sizes):
        found += [INPUTS + i] * size
    return found + [CONSTANTS if i in graph.constants else -1 for i in range(graph.n_leaves, len(graph))]


def is_deep(graph: Graph, levels: float) -> bool:
    """Return whether a graph has more levels than that, which are at most as many as its groups."""
    level = [0] * graph.n_leaves
    for i in range(graph.n_leaves, len(graph)):
        level.append(max([level[j] for j in graph.operands[i]], default=0) + (graph.rows[i] is not None))
        if level[i] > levels:
            return True
    return False
