"""Where the boxes and arrows of a plan go: this module places a network in columns, Graphviz every other graph.

A `Geometry` is data in points, y downwards, and knows no format; so every format draws one picture, and all moments of a walk
can share one layout.  In a network the columns are the layers, arrows are straight lines, and the labels of the arrows to one
neuron stand where the lines are far enough apart.

>>> from autograd.drawing.plan import Edge, Line, Node, Plan
>>> x, y = (Node(ident, "leaf", (Line("value", ident, value=1.0),), "") for ident in ("n0", "n1"))
>>> plan = Plan("t", (x, y), (Edge("e0", "n0", "n1", ""),), (), columns=(("n0",), ("n1",)))
>>> place(plan).boxes["n1"]
Box(x=139.2, y=19.0, width=60.8, height=22.0)
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from autograd.drawing.layout import LayoutError, lay_out
from autograd.drawing.plan import Edge, Node, Plan
from autograd.drawing.style import FONT, PATIENCE, SIZE, label_size, size_of

__all__ = ["Arrow", "Box", "Geometry", "place"]

Point = tuple[float, float]

PAD = 8.0  # around the picture, in points
GAP = 10.0  # between boxes of a column
REACH = 40.0  # the length of an arrow without a label
HEAD = 8.0  # the length of an arrowhead
FAN = 1.4  # the room of labels on lines that fan out, in units of their height
CLEAR = 4.0  # between a label and what is beside it
PARTS = tuple(part / 100 for part in range(10, 51))  # of the way from a neuron back to its inputs, where labels may stand


class Box(NamedTuple):
    """A box by its centre and its size."""

    x: float
    y: float
    width: float
    height: float


class Arrow(NamedTuple):
    """An arrow: the control points of its Bézier curves from the source on, the point of its head, the centre of its label."""

    points: tuple[Point, ...]
    tip: Point
    label: Point


class Geometry(NamedTuple):
    """The size of a picture without its notes, and the places of its parts by their ids."""

    width: float
    height: float
    boxes: dict[str, Box]
    arrows: dict[str, Arrow]


def place(plan: Plan) -> Geometry:
    """Place the boxes and arrows of a plan, or of its frame.

    Raises:
        LayoutError: if the plan has no columns and no layout engine is installed, or it could not draw the graph.
    """
    plan = plan.frame or plan
    return _in_columns(plan) if plan.columns else _by_graphviz(plan)


def _in_columns(plan: Plan) -> Geometry:
    """Put every node to the right of all that it is computed from, each column in the order of the plan."""
    ranks = _ranks(plan)
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in plan.nodes:
        columns[ranks[node.id]].append(node)
    incoming: dict[str, list[Edge]] = defaultdict(list)
    for edge in plan.edges:
        incoming[edge.target].append(edge)
    sizes = {node.id: size_of(node) for node in plan.nodes}
    # A box is given the room of the labels that come in, one above the other, and of the lines of its neighbours.
    labels = {ident: FAN * len(edges) * max(label_size(edge)[1] for edge in edges) for ident, edges in incoming.items()}
    room = {ident: max(height, labels.get(ident, 0.0)) for ident, (_, height) in sizes.items()}
    heights = {rank: sum(room[node.id] for node in column) + GAP * (len(column) - 1) for rank, column in columns.items()}
    height = max(heights.values())
    y_of: dict[str, float] = {}
    for rank, column in columns.items():
        gap = GAP + (height - heights[rank]) / (len(column) + 1)  # what is over is shared out, so that lines fan out
        y = PAD + gap - GAP
        for node in column:
            y_of[node.id] = y + room[node.id] / 2
            y += room[node.id] + gap
    x, boxes, arrows = PAD, dict[str, Box](), dict[str, Arrow]()
    for rank in sorted(columns):
        arriving = [edge for node in columns[rank] for edge in incoming[node.id]]
        fraction = _fraction(arriving, y_of)
        needed = ((label_size(edge)[0] / 2 + HEAD + CLEAR) / fraction for edge in arriving if edge.lines)
        x += max([REACH, *needed]) if arriving else 0.0
        widest = max(sizes[node.id][0] for node in columns[rank])
        for node in columns[rank]:
            boxes[node.id] = Box(x + widest / 2, y_of[node.id], *sizes[node.id])
        for edge in arriving:
            arrows[edge.id] = _straight(boxes[edge.source], boxes[edge.target], fraction)
        x += widest
    return Geometry(x + PAD, height + 2 * PAD, boxes, arrows)


def _ranks(plan: Plan) -> dict[str, int]:
    """Return the column of every node: after all that it is computed from, a layer in one; a lone leaf right before its use."""
    ranks = {node.id: 0 for node in plan.nodes}
    layers = {ident: column for column in plan.columns for ident in column}
    moved = True
    while moved:
        moved = False
        for edge in plan.edges:
            rank = ranks[edge.source] + 1
            if ranks[edge.target] < rank:
                moved = True
                ranks.update(dict.fromkeys(layers.get(edge.target, (edge.target,)), rank))
    targets: dict[str, list[int]] = defaultdict(list)
    for edge in plan.edges:
        targets[edge.source].append(ranks[edge.target])
    lone = [node.id for node in plan.nodes if node.kind == "leaf" and node.id not in layers and targets[node.id]]
    return ranks | {ident: min(targets[ident]) - 1 for ident in lone}


def _fraction(edges: Sequence[Edge], y_of: dict[str, float]) -> float:
    """Return how far from the targets, as a part of the way, the labels of a column's arrows are clear of each other.

    The labels of a target stand together.  The largest such part makes the shortest arrows; where there is none, it is the part
    at which labels overlap least.
    """
    ends = sorted((y_of[edge.target], y_of[edge.source], label_size(edge)[1]) for edge in edges if edge.lines)

    def clearance(part: float) -> float:
        """Return the smallest gap between two labels that are neighbours there, negative if they overlap."""
        labels = [(v + (y - v) * part, height) for v, y, height in ends]
        return min((lower - upper - (h + k) / 2 for (upper, h), (lower, k) in pairwise(labels)), default=0.0)

    return max(PARTS, key=lambda part: (min(clearance(part), 0.0), part))


def _straight(source: Box, target: Box, fraction: float) -> Arrow:
    (x, y), (u, v) = (source.x + source.width / 2, source.y), (target.x - target.width / 2, target.y)
    length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
    back = HEAD / length
    end = u - (u - x) * back, v - (v - y) * back
    points = tuple((x + (end[0] - x) * k / 3, y + (end[1] - y) * k / 3) for k in range(4))
    return Arrow(points, (u, v), (u - (u - x) * fraction, v - (v - y) * fraction))


def _by_graphviz(plan: Plan) -> Geometry:
    """Let Graphviz place empty boxes of the right sizes, and read their places from its JSON."""
    sizes = {node.id: size_of(node) for node in plan.nodes}
    lines = [f"graph [rankdir=LR, nodesep=0.18, ranksep=0.4, nslimit={PATIENCE}]", 'node [shape=box, fixedsize=true, label=""]',
             f'edge [fontname="{FONT}", fontsize={SIZE}, arrowsize=0.7]']  # fmt: skip
    lines += [
        f"{ident} [id={ident}, width={width / 72:.3f}, height={height / 72:.3f}]" for ident, (width, height) in sizes.items()
    ]
    for edge in plan.edges:
        room = r"\n".join("0" * len(text) for _, text in edge.lines)
        lines.append(f'{edge.source} -> {edge.target} [id={edge.id}, label="{room}"]')
    found = json.loads(lay_out("\n".join(["digraph {", *lines, "}"])))
    left, bottom, right, top = map(float, found["bb"].split(","))

    def point(text: str) -> Point:
        x, y = map(float, text.split(","))
        return x - left + PAD, top - y + PAD

    boxes = {part["id"]: Box(*point(part["pos"]), *sizes[part["id"]]) for part in found["objects"]}
    arrows = {part["id"]: _arrow(part, point) for part in found.get("edges", [])}
    return Geometry(right - left + 2 * PAD, top - bottom + 2 * PAD, boxes, arrows)


def _arrow(part: dict[str, Any], point: Any) -> Arrow:
    head, *controls = part["pos"].split(" ")
    points = tuple(map(point, controls))
    if not head.startswith("e,"):
        raise LayoutError(f"Graphviz has drawn an arrow without a head: {part['pos']}")
    return Arrow(points, point(head.removeprefix("e,")), point(part["lp"]) if "lp" in part else points[len(points) // 2])
