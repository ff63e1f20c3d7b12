"""Where the boxes and arrows of a plan go: this module places a network in columns, Graphviz every other graph.

In a network the columns are the layers, arrows are straight lines, and the labels of the arrows to one neuron stand where the
lines are far enough apart.

>>> from autograd.drawing.plan import Edge, Line, Node, Plan
>>> x, y = (Node(ident, "neuron", (Line("value", ident, value=1.0),), "") for ident in ("n0", "n1"))
>>> plan = Plan("t", (x, y), (Edge("e0", "n0", "n1", ""),), (), columns=(("n0",), ("n1",)))
>>> place(plan).boxes["n1"]
Box(x=137.2, y=17.0, width=60.8, height=22.0)
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from autograd.drawing.as_dot import depth, in_order, spaces, ties
from autograd.drawing.folding import fold
from autograd.drawing.layers import Layered, in_layers
from autograd.drawing.layout import LayoutError, lay_out
from autograd.drawing.plan import Edge, Node, Plan
from autograd.drawing.shapes import Arrow, Box, Geometry, Point, line
from autograd.drawing.style import FONT, PAGE, SIZE, WIDEST, label_size, size_of

__all__ = ["fitted", "place"]

End = tuple[str, str, float]  # the target and the source of an arrow, and the height of its label

PAD = 6.0  # around the picture, in points
GAP = 7.0  # between boxes of a column
REACH = 40.0  # the length of an arrow without a label
HEAD = 8.0  # the length of an arrowhead
FAN = 1.4  # the room of labels on lines that fan out, in units of their height
WINDOW = 1240.0, 660.0  # about what a page shows of a picture
CLEAR = 4.0  # between a label and what is beside it
SHARES = tuple(share / 20 for share in range(20, 3, -1))  # of the distances between inputs, to try when moving them together
WIDER = tuple(share / 20 for share in range(21, 41))  # to try if labels overlap at all of these
MOST_DISTANT = 8  # references to leaves; with more, a picture is set in layers even if it would fit in lines
ROOMS = 320.0, 240.0  # points for the boxes of a layer, to try if the usual room makes the picture too wide
FRACTIONS = tuple(percent / 100 for percent in range(50, 9, -1))  # of the way back to the inputs, where labels may stand
BEYOND = tuple(percent / 100 for percent in range(51, 71))  # to try if they overlap at all of these


def place(plan: Plan, widest: float | None = None) -> Geometry:
    """Place the boxes and arrows of a plan, or of its frame.

    Args:
        plan: the picture.
        widest: the width in points beyond which it is folded; by default `WIDEST`, or `PAGE` for a network, whose layers should
            stand side by side.

    Raises:
        LayoutError: if the plan has no columns and no layout engine is installed, or it could not draw the graph.
    """
    plan = plan.frame or plan
    if any(node.kind == "neuron" for node in plan.nodes):
        return _in_columns(plan, PAGE if widest is None else widest)
    return fold(_by_graphviz(plan), plan.edges, WIDEST if widest is None else widest)


def fitted(plan: Plan, widest: float | None = None) -> tuple[Plan, Geometry]:
    """Place a plan so that it can be read in a cell of a notebook, or at another width.

    It is folded into lines, as by `place`, or set in layers from top to bottom, with references.  Layers are used if the lines
    would still be too wide and the layers fit a page, or if leaves have many uses far apart, as in a batch: arrows to all of
    them would be a tangle.

    Returns:
        The picture, with its references if it is set in layers, and where its parts go.
    """
    if any(node.kind == "neuron" for node in plan.nodes) or not (usual := in_layers(plan)):
        return plan, place(plan, widest)
    limit = WIDEST if widest is None else widest
    folded = place(plan, widest) if usual.n_distant <= MOST_DISTANT else None
    if folded is not None and folded.width <= limit:
        return plan, folded
    narrower = [layered for room in ROOMS if (layered := in_layers(plan, room))]
    found = [(layered.plan, _by_graphviz(layered.plan.frame or layered.plan, layered)) for layered in (usual, *narrower)]
    best = min(found, key=lambda pair: max(pair[1].width, limit))
    if folded is not None and best[1].width > PAGE:
        return plan, folded
    return best


def _in_columns(plan: Plan, widest: float) -> Geometry:
    """Place a network in columns; an operation stands under the one that it continues if that makes the text larger."""
    layouts = [_with_columns(plan, below) for below in (_below(plan), {})]
    candidates = [layout for layout in layouts if layout.width <= widest]
    if not candidates:
        candidates = [fold(layout, plan.edges, widest) for layout in layouts]
    return max(candidates, key=lambda layout: min(WINDOW[0] / layout.width, WINDOW[1] / layout.height))


def _with_columns(plan: Plan, below: dict[str, Edge]) -> Geometry:
    """Put every node to the right of all its operands, those in `below` under one of them, each column in the plan's order."""
    columns, sizes = _grouped(plan, below), {node.id: size_of(node) for node in plan.nodes}
    incoming: dict[str, list[Edge]] = defaultdict(list)
    for edge in plan.edges:
        if edge is not below.get(edge.target):
            incoming[edge.target].append(edge)
    y_of, height = _spread(columns, incoming, below, sizes)
    ends: dict[int, list[End]] = {}
    for rank, column in columns.items():
        arriving = [edge for group in column for node in group for edge in incoming[node.id]]
        ends[rank] = [(edge.target, edge.source, label_size(edge)[1]) for edge in arriving if edge.lines]
        if not any(incoming[edge.source] for edge in arriving):
            y_of = _gathered(arriving, ends[rank], y_of, sizes, height)
    x, boxes, arrows = PAD, dict[str, Box](), dict[str, Arrow]()
    for rank in sorted(columns):
        nodes = [node for group in columns[rank] for node in group]
        arriving = [edge for node in nodes for edge in incoming[node.id]]
        _, fraction = _label_fraction(ends[rank], y_of)
        least = min(fraction, 1 - fraction)
        needed = ((label_size(edge)[0] / 2 + HEAD + CLEAR) / least for edge in arriving if edge.lines)
        x += max([REACH, *needed]) if arriving else 0.0
        widest = max(sizes[node.id][0] for node in nodes)
        for node in nodes:
            boxes[node.id] = Box(x + widest / 2, y_of[node.id], *sizes[node.id])
        for edge in arriving:
            arrows[edge.id] = _straight(boxes[edge.source], boxes[edge.target], fraction)
        x += widest
    arrows |= {edge.id: _downward(boxes[edge.source], boxes[edge.target]) for edge in below.values()}
    return Geometry(x + PAD, height + 2 * PAD, boxes, {edge.id: arrows[edge.id] for edge in plan.edges})


def _grouped(plan: Plan, below: dict[str, Edge]) -> dict[int, list[list[Node]]]:
    """Return the groups of each column: a node, and those that stand directly under it."""
    ranks = _ranks(plan, below)
    groups: dict[str, list[Node]] = {}
    columns: dict[int, list[list[Node]]] = defaultdict(list)
    for node in plan.nodes:
        if node.id in below:
            groups[node.id] = groups[below[node.id].source]
        else:
            groups[node.id] = []
            columns[ranks[node.id]].append(groups[node.id])
        groups[node.id].append(node)
    return columns


def _spread(
    columns: dict[int, list[list[Node]]],
    incoming: dict[str, list[Edge]],
    below: dict[str, Edge],
    sizes: dict[str, tuple[float, float]],
) -> tuple[dict[str, float], float]:
    """Spread the boxes of each column over the height of the picture; return the y of their middles, and that height.

    In a column of several groups, each box has room for the labels of the arrows to it, one above the other and clear of the
    arrows to its neighbours.
    """
    labels = {ident: FAN * len(edges) * max(label_size(edge)[1] for edge in edges) for ident, edges in incoming.items()}
    drop = {ident: HEAD + 3 * CLEAR + label_size(edge)[1] for ident, edge in below.items()}  # from a box to the one below
    stacks: dict[int, list[tuple[list[float], float]]] = {}
    for rank, column in columns.items():
        beside = labels if len(column) > 1 else {}
        stacks[rank] = [
            _stacked([(sizes[node.id][1], beside.get(node.id, 0.0), drop.get(node.id, 0.0)) for node in group])
            for group in column
        ]
    heights = {rank: sum(room + GAP for _, room in stack) - GAP for rank, stack in stacks.items()}
    height, y_of = max(heights.values()), dict[str, float]()
    for rank, column in columns.items():
        gap = GAP + (height - heights[rank]) / (len(column) + 1)  # spare room is divided evenly, so that lines fan out
        y = PAD + gap - GAP
        for group, (middles, room) in zip(column, stacks[rank], strict=True):
            y_of |= {node.id: y + middle for node, middle in zip(group, middles, strict=True)}
            y += room + gap
    return y_of, height


def _stacked(shapes: Sequence[tuple[float, float, float]]) -> tuple[list[float], float]:
    """Stack boxes; return how far the middle of each is below the top of the stack, and the height of the stack.

    Args:
        shapes: for each box its height, the height of the labels of the arrows to it, and the gap above it.
    """
    middles: list[float] = []
    tops, bottoms = [0.0], list[float]()
    box, label = 0.0, -math.inf  # the bottoms of the last ones
    for height, beside, gap in shapes:
        y = max(box + gap + height / 2, label + beside / 2 if beside else -math.inf)
        box, label = y + height / 2, y + beside / 2 if beside else label
        middles.append(y)
        tops.append(y - beside / 2)
        bottoms += box, y + beside / 2
    return [y - min(tops) for y in middles], max(bottoms) - min(tops)


def _below(plan: Plan) -> dict[str, Edge]:
    """Find the operations that stand under their last operand, one that nothing else uses, each with the arrow from it."""
    incoming: dict[str, list[Edge]] = defaultdict(list)
    for edge in plan.edges:
        incoming[edge.target].append(edge)
    uses = Counter(edge.source for edge in plan.edges)
    kinds = {node.id: node.kind for node in plan.nodes}
    ranks, below = _ranks(plan, {}), dict[str, Edge]()
    for node in plan.nodes:
        if node.kind in ("operation", "result", "rest") and incoming[node.id]:
            last = max(incoming[node.id], key=lambda edge: ranks[edge.source])
            above = kinds[last.source]
            goes_on = above == "operation" or (above == "neuron" and node.kind != "rest") or last.source in below
            if uses[last.source] == 1 and goes_on:
                below[node.id] = last
    while True:  # until all the other operands stand further to the left
        ranks = _ranks(plan, below)
        wrong = next((ident for ident, last in below.items() if ranks[last.source] < ranks[ident]), None)
        if wrong is None:
            return below
        del below[wrong]


def _ranks(plan: Plan, below: dict[str, Edge]) -> dict[str, int]:
    """Return the column of every node: right of all its operands, a whole layer in one, leaves right before their first use."""
    ranks = {node.id: 0 for node in plan.nodes}
    layers = {ident: column for column in plan.columns for ident in column}
    moved = True
    while moved:
        moved = False
        for edge in plan.edges:
            rank = ranks[edge.source] + (edge is not below.get(edge.target))
            if ranks[edge.target] < rank:
                moved = True
                ranks.update(dict.fromkeys(layers.get(edge.target, (edge.target,)), rank))
    uses: dict[tuple[str, ...], list[int]] = defaultdict(list)  # of each layer
    for edge in plan.edges:
        uses[layers.get(edge.source, (edge.source,))].append(ranks[edge.target])
    free = {layers.get(node.id, (node.id,)) for node in plan.nodes if node.kind in ("leaf", "input")} & uses.keys()
    return ranks | {ident: min(uses[layer]) - 1 for layer in free for ident in layer}


def _gathered(
    edges: Sequence[Edge], ends: Sequence[End], y_of: dict[str, float], sizes: dict[str, tuple[float, float]], height: float
) -> dict[str, float]:
    """Move inputs in front of their neurons, and closer together, if labels then stay clear of each other on shorter arrows.

    If labels overlap at all of these places, those inputs of a neuron that have room move apart.
    """
    targets: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        targets[edge.source].add(edge.target)
    groups: dict[frozenset[str], list[str]] = defaultdict(list)  # such as the inputs of one example
    for source, ids in targets.items():
        groups[frozenset(ids)].append(source)

    def moved(share: float) -> dict[str, float]:
        found = dict(y_of)
        for ids, sources in groups.items():
            middle, now = fmean(map(y_of.__getitem__, ids)), fmean(map(y_of.__getitem__, sources))
            found |= {source: middle + share * (y_of[source] - now) for source in sources}
        return found

    def quality(found: dict[str, float]) -> tuple[float, float, float]:
        overlap_of_boxes = _overlap(sorted((found[source], sizes[source][1] + GAP) for source in targets))
        overlap, fraction = _label_fraction(ends, found)
        return overlap_of_boxes, overlap, min(fraction, 1 - fraction)

    def fits(found: dict[str, float]) -> bool:
        return all(sizes[x][1] / 2 <= found[x] - PAD <= height - sizes[x][1] / 2 for x in targets)

    closer = max((y_of, *map(moved, SHARES)), key=quality)
    if quality(closer)[1] == 0:
        return closer
    return max((closer, *filter(fits, map(moved, WIDER))), key=quality)


def _label_fraction(ends: Sequence[End], y_of: dict[str, float]) -> tuple[float, float]:
    """Find where the labels of a column's arrows are clear of each other, as a fraction of the way back from the targets.

    The labels of one target stand together.  Arrows are shortest with the fraction nearest to the middle; the half of the
    targets is tried first.  If labels overlap everywhere, it is the fraction at which they overlap least.

    Returns:
        The overlap, 0 or negative, and the fraction.
    """
    labels = sorted((y_of[target], y_of[source], height) for target, source, height in ends)

    def overlap(fraction: float) -> float:
        return _overlap([(v + (y - v) * fraction, height) for v, y, height in labels])

    clear = next((fraction for fraction in (*FRACTIONS, *BEYOND) if not overlap(fraction)), None)
    fraction = max(FRACTIONS, key=overlap) if clear is None else clear
    return overlap(fraction), fraction


def _overlap(labels: Sequence[tuple[float, float]]) -> float:
    """Return the largest overlap of two neighbours as a negative number, or 0; each label is given by its middle and height."""
    return min([0.0, *(lower - upper - (h + k) / 2 for (upper, h), (lower, k) in pairwise(labels))])


def _straight(source: Box, target: Box, fraction: float) -> Arrow:
    (x, y), (u, v) = (source.x + source.width / 2, source.y), (target.x - target.width / 2, target.y)
    length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
    back = HEAD / length
    end = u - (u - x) * back, v - (v - y) * back
    return Arrow(line((x, y), end), (u, v), (u - (u - x) * fraction, v - (v - y) * fraction))


def _downward(source: Box, target: Box) -> Arrow:
    x, start, end = source.x, source.y + source.height / 2, target.y - target.height / 2
    return Arrow(line((x, start), (x, end - HEAD)), (x, end), (x, (start + end - HEAD) / 2))


def _by_graphviz(plan: Plan, layered: Layered | None = None) -> Geometry:
    """Let Graphviz place empty boxes of the right sizes, and read their places from its JSON."""
    sizes = {node.id: size_of(node) for node in plan.nodes}
    lines = [f"graph [{spaces(layered)}]", 'node [shape=box, fixedsize=true, label=""]',
             f'edge [fontname="{FONT}", fontsize={SIZE}, arrowsize=0.7]']  # fmt: skip
    lines += [
        f"{ident} [id={ident}, width={width / 72:.3f}, height={height / 72:.3f}]" for ident, (width, height) in sizes.items()
    ]
    for edge in plan.edges:
        room = r"\n".join("0" * len(text) for _, text in edge.lines)
        lines.append(f'{edge.source} -> {edge.target} [id={edge.id}, label="{room}"{depth(edge, layered)}]')
    lines += ties(layered) if layered else [in_order(ids) for ids in plan.order]
    found = json.loads(lay_out("\n".join(["digraph {", *lines, "}"])))
    left, bottom, right, top = map(float, found["bb"].split(","))

    def point(text: str) -> Point:
        x, y = map(float, text.split(","))
        return x - left + PAD, top - y + PAD

    boxes = {part["id"]: Box(*point(part["pos"]), *sizes[part["id"]]) for part in found["objects"] if "id" in part}
    arrows = {part["id"]: _arrow(part, point) for part in found.get("edges", []) if "id" in part}
    return Geometry(right - left + 2 * PAD, top - bottom + 2 * PAD, boxes, arrows)


def _arrow(part: dict[str, Any], point: Any) -> Arrow:
    head, *controls = part["pos"].split(" ")
    points = tuple(map(point, controls))
    if not head.startswith("e,"):
        raise LayoutError(f"Graphviz drew an arrow without a head: {part['pos']}")
    return Arrow(points, point(head.removeprefix("e,")), point(part["lp"]) if "lp" in part else points[len(points) // 2])
