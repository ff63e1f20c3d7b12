"""Layers of a bounded width: how a text in DOT or Mermaid, which its reader lays out, makes a long picture fit a page.

A picture with long paths runs from top to bottom, and a layer has no more boxes than fit side by side.  Layers are filled from
the result upwards, one branch before the next, so that branches stand one above the other rather than side by side; so do
leaves that only one operation uses.  The text says how many layers each arrow goes down.  Since every arrow is as short as that
allows, the reader's layout engine finds exactly these layers.

>>> from autograd.drawing.plan import Node
>>> nodes = tuple(Node(f"n{i}", "leaf", (), "") for i in range(8))
>>> long = [(f"n{i}", f"n{i + 1}") for i in range(5)]
>>> ends = [("n6", "n4"), ("n7", "n4")] + long
>>> plan = Plan("t", nodes, tuple(Edge(f"e{i}", *pair, "") for i, pair in enumerate(ends)), ())
>>> layers(plan)
{'n5': 0, 'n4': 1, 'n3': 2, 'n7': 2, 'n2': 3, 'n6': 3, 'n1': 4, 'n0': 5}
"""

from __future__ import annotations

from collections import defaultdict

from autograd.drawing.plan import Edge, Plan

__all__ = ["layers"]

LONGEST = 4  # arrows on a path from left to right
ROOM = 3.0  # boxes in a layer: engines draw long arrows straight, so the whole becomes up to twice as wide
ARROW = 0.12  # of a box: the room of an arrow that passes a layer
LABEL = 0.6  # of a box: the room of the label of an arrow


def layers(plan: Plan) -> dict[str, int] | None:
    """Return the layer of every box, counted from the bottom, or None if the picture fits from left to right.

    The texts have no influence, so all moments of a walk have the same layers.
    """
    if _longest(plan) <= LONGEST:
        return None
    incoming: dict[str, list[Edge]] = defaultdict(list)
    outgoing: dict[str, list[Edge]] = defaultdict(list)
    for edge in plan.edges:
        incoming[edge.target].append(edge)
        outgoing[edge.source].append(edge)
    waiting = {node.id: len(outgoing[node.id]) for node in plan.nodes}  # uses without a layer
    ready = [ident for ident, uses in waiting.items() if not uses]
    found: dict[str, int] = {}
    passing = layer = 0  # arrows to the layers below whose sources have no layer yet
    while ready:
        chosen: dict[str, str] = {}  # with what they are used by, if they are leaves with one use
        width = ARROW * passing
        for ident in reversed(ready):
            uses = outgoing[ident]
            more = max(1.0, LABEL * len(uses)) - ARROW * len(uses)
            use = uses[0].target if len(uses) == 1 and not incoming[ident] else ident
            if not chosen or (width + more <= ROOM and use not in chosen.values()):
                width += more
                chosen[ident] = use
        ready = [ident for ident in ready if ident not in chosen]
        for ident in chosen:
            found[ident] = layer
            passing += len(incoming[ident]) - len(outgoing[ident])
            for edge in incoming[ident]:
                waiting[edge.source] -= 1
                if not waiting[edge.source]:
                    ready.append(edge.source)
        layer += 1
    return found


def _longest(plan: Plan) -> int:
    """Return the largest number of arrows on a path."""
    depth = {node.id: 0 for node in plan.nodes}
    for edge in plan.edges:  # those to a node come before those from it
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values(), default=0)
