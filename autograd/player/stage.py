"""The pictures of the player: the whole graph with all its numbers, laid out once for every moment and every number.

A box is as wide as the widest text that it may show, so nothing shifts while steps go by and numbers change.  A picture is
folded into lines to suit a screen, and once more for a phone; one that cannot be read as a whole stays a strip, which the page
follows step by step.  Attributes tell the page what each cell shows: ``data-value`` a value, ``data-gradient`` a gradient,
``data-flow`` the contribution on an edge and ``data-weighs`` its weight.  Without scripts, the picture shows the end of the
walk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from xml.etree.ElementTree import Element

from autograd.drawing.as_svg import draw_plan
from autograd.drawing.folding import fold
from autograd.drawing.geometry import place
from autograd.drawing.neurons import describe_neurons
from autograd.drawing.nodes import THICK, describe_nodes
from autograd.drawing.plan import Edge, Flow, Line, Node, Plan
from autograd.drawing.shapes import Arrow, Geometry
from autograd.drawing.size import refuse_unreadable
from autograd.moments import Moment
from autograd.notation import Notation
from autograd.primitives import Unary
from autograd.steps import Walk
from autograd.value import Value

__all__ = ["draw_views"]

WIDE = -0.1234567890123456789  # as wide as most numbers; the script condenses wider ones
MOST_ARROWS = 9  # to a layer, with two lines on each
ABOVE = 9  # points from the middle of a straight line to its label
SCREEN = ((1265, 420), (845, 660))  # pixels: room for a picture on a screen, with the step below it or to its right
PHONE = ((390, 420),)
BETTER = 1.1  # how many times larger a fold has to make the text
LEGIBLE, LARGE = 10.0, 20.0  # pixels: sizes of text, as in camera.js
TEXT = 14.0  # the size of text, in points
MARKS = 24  # points above and below a picture together, where the page writes products and marks
FAR = 1e4  # where a unit that saturates has reached its limit
STYLED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-weight", "font-size", "font-family", "style")


def draw_views(steps: Walk, limit: int) -> dict[str, list[Element]]:
    """Draw the graph of a walk in every view in which it can be read, the one to start with first.

    Args:
        steps: the walk to be played.
        limit: the largest number of boxes.

    Returns:
        The pictures of each view as SVG: "neurons" if there are neurons, and "nodes" unless there are too many.  The first is
        for a screen; there is a second one, for a phone, if another layout can be read there.

    Raises:
        ValueError: if the graph is too large to be read.
        LayoutError: if no layout engine is installed.
    """
    views: dict[str, list[Element]] = {}
    if steps.notation.neurons:
        views["neurons"] = _draw(steps, partial(describe_neurons, limit=limit))
    try:
        refuse_unreadable(steps.loss, limit)
    except ValueError:
        if not views:
            raise
    else:
        views["nodes"] = _draw(steps, describe_nodes)
    return views


def _draw(steps: Walk, describe: Callable[[Notation, Moment], Plan]) -> list[Element]:
    """Draw a view in its layouts."""
    notation = steps.notation
    plan = describe(notation, steps.moment(-1) if len(steps) else Moment(steps.loss, steps.names))
    uses = Counter(x for node in steps.order for x in node.inputs)
    reused = {notation.places[node] for node, times in uses.items() if times > 1}
    nodes = tuple(replace(node, emphasis="normal") for node in plan.nodes)
    dense = _dense(plan)
    plan = replace(plan, nodes=nodes, edges=tuple(_at_rest(edge, edge.target in dense) for edge in plan.edges))
    boxes = tuple(replace(node, lines=tuple(_with_room(line, reused) for line in node.lines)) for node in nodes)
    roomy = replace(plan, nodes=boxes, edges=tuple(map(_with_width, plan.edges)), notes=(), frame=None)
    return [_marked(plan, geometry, notation) for geometry in _layouts(roomy)]


def _layouts(plan: Plan) -> list[Geometry]:
    """Return the layout for a screen, and another one for a phone if the text can be read there and is larger."""
    strip = place(plan, math.inf)
    screen = _best(plan, strip, strip, SCREEN, (1100, 945, 760))
    phone = _best(plan, strip, screen, PHONE, (480, 400, 330))
    return [screen] if phone is screen else [screen, phone]


def _best(
    plan: Plan, strip: Geometry, found: Geometry, places: Sequence[tuple[float, float]], widths: Sequence[float]
) -> Geometry:
    """Return the best layout so far, or a folded one if its text is clearly larger in a place and can be read."""
    room = max(width * height for width, height in places)
    if strip.width * strip.height * (LEGIBLE / TEXT) ** 2 > room:
        return found  # too large to be read, however it is folded
    for width in widths:
        layout = place(plan, width) if plan.columns else fold(strip, plan.edges, width)
        if _text_size(layout, places) >= max(LEGIBLE, BETTER * _text_size(found, places)):
            found = layout
    return found


def _text_size(layout: Geometry, places: Sequence[tuple[float, float]]) -> float:
    """Return the size of text, in pixels, in the better of the places for a picture, at most `LARGE`."""
    return min(LARGE, max(TEXT * min(width / layout.width, height / (layout.height + MARKS)) for width, height in places))


def _marked(plan: Plan, geometry: Geometry, notation: Notation) -> Element:
    """Draw a layout, and mark each part with what the page shows there."""
    svg = _bare(draw_plan(replace(plan, notes=()), geometry))
    groups = {group.attrib.pop("id"): group for group in svg.iterfind("g[@id]")}
    labels = {group.attrib.pop("data-of"): group for group in svg.iterfind("g[@data-of]")}
    by_place = list(notation.names)
    for node in plan.nodes:
        _mark_box(groups[node.id], node, [by_place[i] for i in node.places], geometry.boxes[node.id].width)
    places = {node.id: node.places if node.kind != "rest" else () for node in plan.nodes}
    for edge in plan.edges:
        ends = {"data-from": _listed(places[edge.source]), "data-to": _listed(places[edge.target])}
        groups[edge.id].attrib |= {"class": "arrow", **ends}
        for part in (groups[edge.id], labels.get(edge.id)):
            if part is not None:
                part.attrib |= {"data-flow": "{}.{}".format(*edge.place)} if edge.place else {}
                part.attrib |= {"data-weighs": "{}.{}".format(*edge.weighs)} if edge.weighs else {}
        if edge.id in labels:
            is_above = bool(plan.columns) and not edge.weight and _is_level(geometry.arrows[edge.id])
            labels[edge.id].attrib |= {"class": "label" + " weight" * edge.weight + " above" * is_above}
            svg.remove(labels[edge.id])
            svg.append(labels[edge.id])  # above the boxes: a product may be wider than its room
            if is_above:
                for text in labels[edge.id]:
                    text.set("y", f"{float(text.attrib['y']) - ABOVE:.1f}")
    svg.set("data-notes", "; ".join(note for note in plan.notes if not note.startswith(THICK)))
    return svg


def _is_level(arrow: Arrow) -> bool:
    """Return whether an arrow is straight and goes from left to right."""
    return len(arrow.points) == 4 and abs(arrow.tip[1] - arrow.points[0][1]) < abs(arrow.tip[0] - arrow.points[0][0]) / 2


def _dense(plan: Plan) -> set[str]:
    """Return the boxes whose layer has too many arrows for two lines on each; one line shows the weight, then its gradient."""
    arriving = Counter(edge.target for edge in plan.edges if edge.weight)
    columns = {ident: len(column) for column in plan.columns for ident in column}
    return {ident for ident, m in arriving.items() if m * columns.get(ident, 1) > MOST_ARROWS}


def _at_rest(edge: Edge, is_dense: bool) -> Edge:
    """Return an edge as it is at the end of the walk: a weight with its gradient, or a contribution that has flowed back."""
    flow: Flow = "nothing" if edge.weight else "flowed" if edge.flow == "flowing" else edge.flow
    gradient = None if is_dense else edge.gradient
    return replace(edge, flow=flow, gradient=gradient, emphasis="faint" if edge.hint == "" else "normal")


def _with_room(line: Line, reused: set[int]) -> Line:
    """Return a line with the widest text that it may show."""
    if line.place is None:
        return line
    so_far = " so far" if line.role == "gradient" and line.place in reused and "so far" not in line.name else ""
    named = replace(line, name=line.name + so_far)
    return max((replace(named, value=value) for value in (line.value, WIDE)), key=lambda line: len(line.text))


def _with_width(edge: Edge) -> Edge:
    """Return an edge with the largest label that it may show."""
    gradient = "0" * (edge.digits + 5)
    if edge.weight and edge.gradient is None and edge.weighs:  # one line for both
        return replace(edge, weight=False, flow="nothing", name=gradient)
    if edge.weight:
        widest = max(edge.local, WIDE, key=lambda x: len(f"{x:.{edge.digits}g}"))
        return replace(edge, local=widest, gradient=None, flow="nothing", name="" if edge.gradient is None else gradient)
    return replace(edge, flow="flowing", upstream=WIDE, local=-WIDE, contribution=WIDE) if edge.place else edge


def _bare(svg: Element) -> Element:
    """Remove paper, tooltips, colours and sizes; the page has its own."""
    for part in list(svg.iter()):
        for extra in (*part.findall("title"), *part.findall("rect[@class='paper']")):
            part.remove(extra)
        hollow = part.get("fill") == "none" and part.tag != "path"
        for name in STYLED:
            part.attrib.pop(name, None)
        if hollow:
            part.set("class", "inner")
    for name in ("width", "height", "xmlns"):
        svg.attrib.pop(name, None)
    svg.attrib |= {"role": "group", "class": "graph"}
    return svg


def _mark_box(group: Element, node: Node, nodes: list[Value], width: float) -> None:
    """Mark a box and its lines with their nodes; a box with ⋮, which cannot be opened, with the nodes that it hides."""
    if node.kind == "rest":
        group.attrib |= {"class": "box rest", "data-hidden": _listed(node.places)}
        return
    group.attrib |= {"class": f"box {node.kind}", "data-nodes": _listed(node.places)}
    if node.places:
        group.attrib |= {"role": "button", "tabindex": "-1", "data-width": f"{width:.0f}"}
    if nodes and nodes[-1].primitive is not None and saturates(nodes[-1]):
        group.set("data-unit", str(node.places[-1]))
    for text, line in zip(group.iter("text"), node.lines, strict=True):
        if line.role == "gradient":
            text.set("data-gradient", str(line.place))
        elif line.place is not None:
            text.attrib |= {"data-value": str(line.place), "data-name": line.name}


def saturates(node: Value) -> bool:
    """Return whether a node is a unit that can saturate or die: a function of one operand that is constant far from 0."""
    row = node.primitive
    if not isinstance(row, Unary) or row.infix:
        return False
    try:
        return any(row.evaluate([far]) == row.evaluate([2 * far]) for far in (FAR, -FAR))
    except (ValueError, ArithmeticError):
        return False


def _listed(places: tuple[int, ...]) -> str:
    return " ".join(map(str, places))
