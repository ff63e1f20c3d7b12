"""Which graphs can still be read as a picture.

Even a graph with few nodes is a tangle if it has many edges, or edges that pass many other nodes, such as those from a weight
that is used at each of 50 time steps; layout is slow for it as well.  So the number of nodes, the number of edges and the total
length of the edges each have a limit, all in proportion to the largest number of boxes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

from autograd.value import Value, topological

__all__ = ["refuse_unreadable", "too_large"]

EDGES_PER_NODE = 3
LAYERS_PER_NODE = 20
MOST_COUNTED = 10_000  # nodes, or the limit if it is higher: counting stops there


def refuse_unreadable(root: Value, limit: int) -> None:
    """Raise a ValueError if the picture of a graph would be unreadable.

    Args:
        root: the result.
        limit: the largest number of boxes.

    Raises:
        TypeError: for a limit that is not a number.
    """
    if not isinstance(limit, Real):
        raise TypeError(f"limit is the largest number of boxes, such as 150; got {limit!r}")
    most = max(limit, MOST_COUNTED)
    n_nodes, n_edges = _size(root, most)
    if n_nodes > most or n_edges > EDGES_PER_NODE * most:
        reason = f"{most:,} nodes" if n_nodes > most else f"{EDGES_PER_NODE * most:,} edges"
        raise too_large(f"it has more than {reason}", limit)
    crossed = _layers_crossed(topological(root))
    counted = max(n_nodes, math.ceil(n_edges / EDGES_PER_NODE))
    needed = max(counted, math.ceil(crossed / LAYERS_PER_NODE))
    if needed > limit:
        reason = f"it has {n_nodes:,} nodes and {n_edges:,} edges"
        if counted <= limit:
            reason += f", which cross {crossed:,} layers of nodes"
        raise too_large(reason, limit, needed)


def too_large(reason: str, limit: int, needed: int | None = None) -> ValueError:
    """Make the error for a graph that is too large to be read; it names the limit that the graph needs, if that is known."""
    advice = f"; pass limit={needed} or more to draw it anyway" if needed is not None else ""
    return ValueError(f"this graph is too large to be read: {reason}, and the limit is {limit}{advice}")


def _size(root: Value, most: int) -> tuple[int, int]:
    """Count the nodes and the edges of a graph; stop beyond `most` nodes, or `EDGES_PER_NODE` times as many edges."""
    seen, pending, edges = {root}, [root], 0
    while pending and len(seen) <= most and edges <= EDGES_PER_NODE * most:
        for x in pending.pop().inputs:
            edges += 1
            if x not in seen:
                seen.add(x)
                pending.append(x)
    return len(seen), edges


def _layers_crossed(order: Sequence[Value]) -> int:
    """Sum the lengths of the edges: how many layers each crosses, where a layer is the nodes that stand side by side."""
    layer: dict[Value, int] = {}
    for node in order:
        layer[node] = 1 + max(layer.get(x, 0) for x in node.inputs)
    for node in order:
        for x in node.inputs:  # a leaf stands right before its first use
            layer[x] = min(layer.get(x, layer[node] - 1), layer[node] - 1)
    return sum(layer[node] - layer[x] for node in order for x in node.inputs)
