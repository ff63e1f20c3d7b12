"""What can be done at once.

A node's *level* is the length of the longest way to it from a leaf.  Nodes of equal level cannot depend on each other; those
of them that apply the same row to operands from the same places are one `Group`, and will be one instruction on arrays.

>>> from autograd.value import Value
>>> from autograd.compiler.canonical import canonical
>>> from autograd.compiler.tracing import Trace
>>> trace = Trace(lambda x, y: [[x[0] + y, x[1] + y], x[0] * 3], [], [(2,), ()])
>>> graph, outputs = canonical(trace.graph, [node._dx for node in [*trace.result[0], trace.result[1]]])
>>> for group in schedule(graph, outputs, []):
...     print(group.row.name, [graph.describe(i) for i in group.nodes])
add ['add(0, 1)', 'add(3, 1)']
multiply ['multiply(0, 5)']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd import primitives
from autograd.compiler.canonical import dependent
from autograd.compiler.tracing import Graph
from autograd.primitives import Nary, Primitive

__all__ = ["BATCHED", "STATIC", "Group", "below", "only_summed", "schedule"]

STATIC, BATCHED = 2, 3  # the spaces of results: computed once for a batch, and computed for each of its examples


@dataclass
class Group:
    """Nodes that are computed together.

    Attributes:
        row: the operation.
        space: where the results are: `STATIC` or `BATCHED`.
        backward: whether only the gradient needs them.
        summed: whether only their sums over a batch are wanted, as for the gradients of parameters.
        nodes: their places in the graph.
    """

    row: Primitive
    space: int
    backward: bool
    summed: bool
    nodes: list[int] = field(default_factory=list)


def schedule(graph: Graph, outputs: Sequence[int], gradients: Sequence[int]) -> list[Group]:
    """Return the groups of a graph in an order in which they can be computed.

    Args:
        graph: in canonical form.
        outputs: the nodes that are wanted for each example.
        gradients: the nodes that are wanted as sums over a batch.
    """
    wanted, ends, depends = below(graph, outputs), only_summed(graph, outputs, gradients), dependent(graph)
    level = [0] * len(graph)
    by_level: dict[int, list[int]] = {}
    for i, row in enumerate(graph.rows):
        if row is not None:
            level[i] = 1 + max([level[j] for j in graph.operands[i]])
            by_level.setdefault(level[i], []).append(i)
    source = [graph.leaves[i].space if i in graph.leaves else -1 for i in range(len(graph))]  # of a result, its group
    leaves = max(source, default=0) + 1
    groups: list[Group] = []
    for depth in sorted(by_level):
        found: dict[tuple[object, ...], Group] = {}
        for i in by_level[depth]:
            row, operands = graph.rows[i], graph.operands[i]
            assert row is not None
            sources = [source[j] for j in operands]
            is_sum = row is primitives.dot or (isinstance(row, Nary) and bool(row.fold))  # the order does not matter
            key = (row, len(operands), i in wanted, i in ends, depends[i], frozenset(sources) if is_sum else tuple(sources))
            if key not in found:
                space = BATCHED if depends[i] else STATIC
                found[key] = Group(row, space, backward=i not in wanted, summed=i in ends)
            found[key].nodes.append(i)
        for number, group in enumerate(found.values(), leaves + len(groups)):
            for i in group.nodes:
                source[i] = number
        groups += found.values()
    return groups


def below(graph: Graph, outputs: Sequence[int]) -> set[int]:
    """Return the nodes that the outputs depend on, and the outputs."""
    found = set(outputs)
    todo = list(found)
    while todo:
        new = set(graph.operands[todo.pop()]) - found
        found |= new
        todo += new
    return found


def only_summed(graph: Graph, outputs: Sequence[int], gradients: Sequence[int]) -> set[int]:
    """Return the products and sums of products that serve as one gradient and for nothing else.

    Nobody needs them for each example: their sum over the batch is a product as well, of matrices with the batch in between.
    """
    uses = Counter(j for operands in graph.operands for j in operands) + Counter(outputs) + Counter(gradients)
    depends = dependent(graph)
    return {
        i for i in gradients
        if uses[i] == 1 and len(graph.operands[i]) % 2 == 0 and all(depends[j] for j in graph.operands[i])
        and graph.rows[i] in (primitives.multiply, primitives.dot)
    }  # fmt: skip
