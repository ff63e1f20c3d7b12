"""Layers of a bounded width: how a long picture runs from top to bottom and fits a page.

Layers are filled from the result upwards, the latest boxes first.  A branch stands beside others only if the whole branch fits
there; otherwise branches, such as the examples of a batch, stand one above the other.  So do an operation's leaves that no
other operation uses.

Layout engines draw long arrows straight, which would make the whole picture wide.  So an operand that stands far above is not
joined by an arrow: a *reference* beside the operation names it after ↑, with the label that the arrow would have, and its
own box names the operation after ↓.

In DOT and Mermaid the reader's engine lays out the picture; there the text states how many layers each arrow goes down.  The
engine makes every arrow as short as that allows, and so arrives at exactly these layers; invisible *ties* hold together parts
that no arrow joins.

>>> from autograd.drawing.plan import Line
>>> boxes = [Node(f"n{i}", "operation" if i else "leaf", (Line("value", f"v{i}"),), "") for i in range(16)]
>>> arrows = [Edge(f"e{i}", f"n{i}", f"n{i + 1}", "") for i in range(15)] + [Edge("e15", "n0", "n15", "", "local", 0.5)]
>>> found = in_layers(Plan("t", tuple(boxes), tuple(arrows), ()))
>>> [line.text for line in found.plan.nodes[15].lines], [line.text for line in found.plan.nodes[0].lines]
(['↑ v0: 0.5'], ['v0', '↓ v15'])
>>> found.layers["n0"], found.layers["n14"], found.layers["n15r"], found.layers["n15"]
(15, 1, 1, 0)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from autograd.drawing.plan import Edge, Line, Node, Plan, Role
from autograd.drawing.style import label_size, size_of

__all__ = ["MEANING", "Layered", "in_layers", "with_references"]

LONGEST = 4  # arrows on a path from left to right
ROOM = 405.0  # points for the boxes of a layer: arrows and labels make the whole about twice as wide
ARROW = 16.0  # points for an arrow that passes a layer
FAR = 8  # boxes after the first use of a leaf, or layers below a box: uses further away get a reference
NO_LABEL: tuple[tuple[Role, str], ...] = (("operation", ""),)
MEANING = "↑ names an operand whose box is further up, ↓ an operation further down"


class Layered(NamedTuple):
    """A picture in layers.

    Attributes:
        plan: the picture with references.
        layers: the layer of every box, counted from the bottom.
        ties: pairs of boxes, the second in the layer below the first, which hold together parts that no arrow joins.
        leaves: the ids of leaves.
        n_distant: how many uses of leaves have references because they are far from the first one.
    """

    plan: Plan
    layers: dict[str, int]
    ties: list[tuple[str, str]]
    leaves: frozenset[str]
    n_distant: int

    def length(self, edge: Edge) -> int:
        """Return how many layers an arrow goes down."""
        return self.layers[edge.source] - self.layers[edge.target]


def in_layers(plan: Plan, room: float = ROOM) -> Layered | None:
    """Set a picture in layers, or return None if it fits from left to right.

    All moments of a walk have the same layers, those of their frame.

    Args:
        plan: the picture.
        room: points for the boxes of a layer.
    """
    frame = plan.frame or plan
    if _longest(frame) <= LONGEST:
        return None
    place = {node.id: i for i, node in enumerate(frame.nodes)}
    kinds = {node.id: node.kind for node in frame.nodes}
    first = {edge.source: edge for edge in reversed(frame.edges)}  # from a leaf, this arrow is always drawn
    leaves = frozenset(ident for ident, kind in kinds.items() if kind == "leaf")
    later = [edge for edge in frame.edges if edge.source in leaves and edge is not first[edge.source]]
    far = {edge.id for edge in later if place[edge.target] - place[first[edge.source].target] > FAR}
    layers, n_distant = _fill(with_references(frame, far), room), len(far)
    others = [edge for edge in frame.edges if kinds[edge.source] in ("operation", "neuron")]
    far |= {edge.id for edge in later + others if layers[edge.source] - layers[edge.target] > FAR}
    shown = replace(with_references(plan, far), frame=plan.frame and with_references(frame, far, roomy=True))
    for edge in shown.edges:
        layers.setdefault(edge.source, layers[edge.target] + 1)  # a reference
    last = {layer: ident for ident, layer in layers.items()}
    joined = {edge.source for edge in shown.edges}
    ties = [(node.id, last[layers[node.id] - 1]) for node in shown.nodes if node.id not in joined and layers[node.id]]
    return Layered(shown, layers, ties, leaves, n_distant)


def _longest(plan: Plan) -> int:
    """Return the largest number of arrows on a path."""
    depth = {node.id: 0 for node in plan.nodes}
    for edge in plan.edges:  # those to a node come before those from it
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values())


def with_references(plan: Plan, far: AbstractSet[str], roomy: bool = False) -> Plan:
    """Replace some arrows by references: beside each operation one box, which one arrow joins to it.

    Args:
        plan: the picture.
        far: the ids of the arrows.
        roomy: whether a reference also has room for its label at later moments, which shows what has flowed back.
    """
    names = {node.id: node.lines[0].name for node in plan.nodes}
    above: dict[str, list[Line]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    edges: dict[str, Edge] = {}
    for edge in plan.edges:
        if edge.id in far:
            (role, text), *rest = edge.lines or NO_LABEL
            if roomy:
                text = max(text, *(text for _, text in replace(edge, flow="flowed").lines), key=len)
            name = f"↑ {names[edge.source]}" + f": {text}" * bool(text)
            above[edge.target] += [Line(role, name), *(Line(role, text) for role, text in rest)]
            below[edge.source].append(names[edge.target])
            edge = replace(edge, source=f"{edge.target}r", flow="nothing", weight=False, gradient=None, name="")
            edges.setdefault(edge.source, edge)
        else:
            edges[edge.id] = edge
    faint = {edge.source: edge.emphasis for edge in edges.values() if edge.emphasis == "faint"}
    nodes: list[Node] = []
    for node in plan.nodes:
        if node.id in above:
            ident = f"{node.id}r"
            nodes.append(Node(ident, "rest", tuple(above[node.id]), "operands further up", faint.get(ident, "normal")))
        if node.id in below:
            uses = below[node.id]
            k = sum(line.role != "gradient" for line in node.lines)  # before its gradient, which is missing at some moments
            use = Line("operation", f"↓ {uses[0]}{', …' * (len(uses) > 1)}")
            node = replace(node, lines=(*node.lines[:k], use, *node.lines[k:]))
        nodes.append(node)
    return replace(plan, nodes=tuple(nodes), edges=tuple(edges.values()), notes=(*plan.notes, *[MEANING] * bool(above)))


def _fill(plan: Plan, room: float) -> dict[str, int]:
    """Choose the layer of every box, from the result upwards, each box above all the boxes that use it."""
    incoming: dict[str, list[Edge]] = defaultdict(list)
    outgoing: dict[str, list[Edge]] = defaultdict(list)
    for edge in plan.edges:
        incoming[edge.target].append(edge)
        outgoing[edge.source].append(edge)
    place = {node.id: i for i, node in enumerate(plan.nodes)}
    widths = _widths(plan, incoming, room)
    waiting = {node.id: len(outgoing[node.id]) for node in plan.nodes}  # how many of its uses have no layer yet
    ready = [ident for ident, uses in waiting.items() if not uses]
    layers: dict[str, int] = {}
    passing = layer = 0  # arrows to the layers below whose sources have no layer yet
    while ready:
        chosen: dict[str, str] = {}  # a leaf with one use is paired with that use, any other box with itself
        width = ARROW * passing
        for ident in sorted(ready, key=place.__getitem__, reverse=True):
            uses = outgoing[ident]
            more = max(widths[ident] - ARROW * len(uses), sum(label_size(edge)[0] for edge in uses))
            use = uses[0].target if len(uses) == 1 and not incoming[ident] else ident
            if not chosen or (width + more <= room and use not in chosen.values()):
                width += more
                chosen[ident] = use
        ready = [ident for ident in ready if ident not in chosen]
        for ident in chosen:
            layers[ident] = layer
            passing += len(incoming[ident]) - len(outgoing[ident])
            for edge in incoming[ident]:
                waiting[edge.source] -= 1
                if not waiting[edge.source]:
                    ready.append(edge.source)
        layer += 1
    return layers


def _widths(plan: Plan, incoming: Mapping[str, Sequence[Edge]], room: float) -> dict[str, float]:
    """Return the width of each box together with the operations that it is computed from, at most that of a layer."""
    widths: dict[str, float] = {}
    for node in plan.nodes:
        above = sum(widths[ident] for ident in {edge.source for edge in incoming[node.id]} if incoming[ident])
        widths[node.id] = min(room, max(size_of(node)[0], above))
    return widths
