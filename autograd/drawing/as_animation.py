"""A walk as an animated SVG: what `draw(loss, step=k)` shows for every k, one after the other, in one picture that moves.

In the forward pass the values appear; in the backward pass a dot leaves each node along each edge, carries ∂loss/∂node, is
multiplied by the local derivative, and is added to what has arrived at the input.  The picture is laid out once, with room
for everything it will ever show, so nothing shifts.

There is no script in it: every part is visible at certain times (SMIL's discrete ``visibility``), and every dot has a path, so
a README or a slide can show it as an image.  Without the animation, in a viewer that has none or for a reader who prefers
reduced motion, it is the last moment of the walk.

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> to_animation(Walk(w * x)).count("<animateMotion")
2
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from autograd.drawing.as_svg import to_tree
from autograd.drawing.nodes import describe_nodes, local_edge, plain_box
from autograd.drawing.plan import Edge, Emphasis, Flow, Line, Node, Plan, cut
from autograd.drawing.size import refuse_unreadable
from autograd.drawing.style import BACKWARD, FAINT, NEGATIVE, NOTE, PAPER, POSITIVE, TEXT
from autograd.files import write_whole
from autograd.moments import Edge as Passed
from autograd.moments import Moment, Step
from autograd.steps import Walk
from autograd.symbol import digits
from autograd.telling import factor
from autograd.value import Value

__all__ = ["save", "to_animation"]

State = TypeVar("State")

SUFFIX = ".svg"
START, FORWARD, TRIP, BETWEEN, REST, PAUSE = 1.0, 0.8, 2.1, 0.6, 0.4, 3.0  # seconds
MOST_BETWEEN = 2.4  # seconds from the first dot of a step to the last, however many there are
WIDEST_CAPTION = 100  # characters
# A label beside its dot, readable over lines.
LABEL = {"y": "-9", "text-anchor": "middle", "font-size": "12", "font-weight": "bold", "stroke": PAPER, "stroke-width": "3",
         "paint-order": "stroke"}  # fmt: skip
AFTER_THE_DOT: dict[Flow, Flow] = {"step": "flowed"}  # the dot has already shown upstream × local = contribution
# What is important comes before SMIL's values.
REDUCED = (
    "@media (prefers-reduced-motion: reduce) {.last {visibility: visible !important} .past {visibility: hidden !important}}"
)


class Trip(NamedTuple):
    """What a dot carries along an edge, and from when on."""

    start: float
    edge: Edge

    @property
    def labels(self) -> tuple[str, str, str]:
        """The dot's label: what leaves the node, times the local derivative, what arrives."""
        edge = self.edge
        upstream, contribution = (_signed(x, edge.digits) for x in (edge.upstream, edge.contribution))
        return upstream, f"{upstream} × {factor(digits(edge.local, edge.digits))}", f"= {contribution}"


class Score:
    """When everything happens: the states of every part of the picture, each with the time from which it holds.

    Args:
        steps: the walk.

    Attributes:
        nodes, edges: the states of each box and each arrow, by their ids.
        captions: the line below.
        trips: the dots.
        end: when it all begins again, in seconds.
    """

    def __init__(self, steps: Walk) -> None:
        self.still = describe_nodes(steps.telling)
        self.nodes: dict[str, list[tuple[float, Node]]] = {node.id: [] for node in self.still.nodes}
        self.edges: dict[str, list[tuple[float, Edge]]] = {edge.id: [] for edge in self.still.edges}
        self.captions = [(0.0, "given: the leaves")]
        self.trips: list[Trip] = []
        self._telling, self._moment = steps.telling, Moment(steps.loss, steps.names)
        self._ids = {place: node.id for node in self.still.nodes for place in node.places}
        self._arrows = {edge.place: edge for edge in self.still.edges}
        self._record(0.0, steps.names)
        time = START
        for step in steps:
            time = self._play(step, time)
        self.end = time + PAUSE

    def _play(self, step: Step, time: float) -> float:
        """Write down a step that begins at a time, and return when it is over."""
        moment, before = self._moment, self._moment.active
        is_turn = step.delta is not None and not moment.arrived  # the backward pass begins, and everything is still to come
        moment.enter(step)
        self.captions.append((time, cut(str(step).partition("\n")[0], WIDEST_CAPTION)))
        self._record(time, self._telling.names if is_turn else [node for node in (before, step.node) if node is not None])
        flowing = sum(edge.taken for edge in step.edges)
        start = arrival = time
        for k, edge in enumerate(step.edges):
            if edge.taken:
                self.trips.append(Trip(start, self._arrow(step.node, k, edge)))
                arrival = start + TRIP
                start += min(BETWEEN, MOST_BETWEEN / flowing)
            moment.add(step, k)
            self._record(arrival, [step.node, edge.input])
        if step.mistake:
            self.captions.append((arrival, cut(f"wrong: {step.mistake}", WIDEST_CAPTION)))
        return arrival + (REST if flowing else FORWARD)

    def _record(self, time: float, nodes: Iterable[Value]) -> None:
        """Write down the state of nodes, and of the edges that lead to them."""
        told, moment = self._telling, self._moment
        for node in nodes:
            ident = self._ids[told.places[node]]
            self.nodes[ident].append((time, plain_box(ident, node, told, moment)))
            for k in range(len(node.inputs)):
                arrow = self._arrows[told.places[node], k]
                state = local_edge(arrow.id, arrow.source, arrow.target, node, k, told, moment)
                self.edges[arrow.id].append((time, replace(state, flow=AFTER_THE_DOT.get(state.flow, state.flow))))

    def _arrow(self, node: Value, k: int, edge: Passed) -> Edge:
        arrow = self._arrows[self._telling.places[node], k]
        return replace(arrow, local=edge.partial, upstream=edge.upstream, contribution=edge.contribution)

    def plan(self, title: str) -> Plan:
        """Return a picture with room for everything that is ever shown."""
        nodes = tuple(
            replace(node, lines=_widest([state.lines for _, state in self.nodes[node.id]])) for node in self.still.nodes
        )
        labels = {ident: [state.label for _, state in states] for ident, states in self.edges.items()}
        for trip in self.trips:
            labels[trip.edge.id] += trip.labels
        edges = tuple(replace(edge, flow="nothing", name=max(labels[edge.id], key=len)) for edge in self.still.edges)
        caption = max((text for _, text in self.captions), key=len)
        return Plan(title, nodes, edges, (caption, *self._telling.notes))


def _widest(boxes: Sequence[tuple[Line, ...]]) -> tuple[Line, ...]:
    """Return the lines of a box with room for each of several."""
    lines: dict[int, Line] = {}
    for i, line in (pair for box in boxes for pair in enumerate(box)):
        if i not in lines or len(line.text) > len(lines[i].text):
            lines[i] = Line(line.role, line.text)
    return tuple(lines.values())


def to_animation(steps: Walk) -> str:
    """Write a walk as an animated SVG.

    Raises:
        LayoutError: if no layout engine is installed.
    """
    score = Score(steps)
    plan = score.plan(f"The walk over {steps.names[steps.loss]}")
    svg = to_tree(plan)
    svg.set("style", "max-width: 100%; height: auto")
    style = Element("style")
    style.text = REDUCED
    svg.insert(1, style)
    graph = svg.find("g")
    assert graph is not None
    groups = {group.get("id"): group for group in graph.iter("g")}
    for ident, boxes in score.nodes.items():
        emphases = [(time, box.emphasis) for time, box in boxes]
        _vary(groups[ident], emphases, score.end)
        for i, text in enumerate(groups[ident].findall("text")):
            states = [(time, _line(box, i)) for time, box in boxes]
            _replace(groups[ident], text, states, score.end)
    for ident, arrows in score.edges.items():
        _vary(groups[ident], [(time, arrow.emphasis) for time, arrow in arrows], score.end)
        for text in groups[ident].findall("text"):
            _replace(groups[ident], text, [(time, _label(arrow)) for time, arrow in arrows], score.end)
    if (caption := graph.find("text")) is not None:
        _replace(graph, caption, [(time, (text, NOTE)) for time, text in score.captions], score.end)
    for trip in score.trips:
        graph.append(_dot(trip, groups[trip.edge.id], score.end))
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def _line(node: Node, i: int) -> tuple[str, str]:
    """Return the text and the colour of a line; no text where the box does not have the line yet."""
    if i >= len(node.lines):
        return "", ""
    return node.lines[i].text, FAINT if node.emphasis == "faint" else TEXT[node.lines[i].role].colour


def _label(edge: Edge) -> tuple[str, str]:
    return edge.label, FAINT if edge.emphasis == "faint" else BACKWARD if edge.flow == "flowed" else NOTE


def _replace(group: Element, text: Element, states: Sequence[tuple[float, tuple[str, str]]], end: float) -> None:
    """Put the texts that a line has at one time or another in the place of a text."""
    place = list(group).index(text)
    group.remove(text)
    for (words, colour), times in _times(states, end).items():
        if words:
            twin = Element("text", dict(text.attrib))
            twin.text = words
            twin.set("fill", colour)
            _show(twin, times, end)
            group.insert(place, twin)
            place += 1


def _vary(group: Element, states: Sequence[tuple[float, Emphasis]], end: float) -> None:
    """Draw the shapes of a box or an arrow once for each emphasis that it ever has."""
    shapes = [shape for shape in group if shape.tag in ("path", "polygon", "ellipse")]
    place = list(group).index(shapes[0]) if shapes else 0
    for shape in shapes:
        group.remove(shape)
    for emphasis, times in _times(states, end).items():
        look = Element("g")
        for shape in shapes:
            twin = Element(shape.tag, dict(shape.attrib))
            is_filled = shape.get("fill", "none").startswith("#")
            if emphasis == "active":
                twin.attrib |= {"stroke": BACKWARD, "stroke-width": "3"}
            if emphasis == "faint":
                twin.attrib |= {"stroke": FAINT, "stroke-dasharray": "5,2"}
            if is_filled and shape.get("fill") == shape.get("stroke"):  # an arrowhead
                twin.set("fill", twin.get("stroke", ""))
            elif is_filled and emphasis == "faint":
                twin.set("fill", PAPER)
            look.append(twin)
        _show(look, times, end)
        group.insert(place, look)
        place += 1


def _dot(trip: Trip, arrow: Element, end: float) -> Element:
    """Draw a dot that travels against an arrow: with what it left with, the multiplication, and what arrives."""
    edge, start, stop = trip.edge, trip.start, trip.start + TRIP
    path = arrow.find(".//path")
    assert path is not None
    points = re.findall(r"-?[\d.]+,-?[\d.]+", path.get("d", ""))[::-1]
    dot = Element("g")
    motion = f"M{points[0]}C{' '.join(points[1:])}"
    keys = ";".join(map(_share, (0.0, start / end, stop / end, 1.0)))
    attributes = {"path": motion, "keyTimes": keys, "keyPoints": "0;0;1;1", "calcMode": "linear"}
    SubElement(dot, "animateMotion", {**attributes, **_forever(end)})
    first, second = start + TRIP / 3, start + TRIP * 2 / 3
    for number, times in ((edge.upstream, (start, second)), (edge.contribution, (second, stop))):
        _show(SubElement(dot, "circle", r=f"{_radius(number):.1f}", fill=_ink(number)), [times], end)
    phases = ((edge.upstream, (start, first)), (edge.upstream, (first, second)), (edge.contribution, (second, stop)))
    for words, (number, times) in zip(trip.labels, phases, strict=True):
        text = SubElement(dot, "text", {**LABEL, "fill": _ink(number)})
        text.text = words
        _show(text, [times], end)
    return dot


def _times(states: Sequence[tuple[float, State]], end: float) -> dict[State, list[tuple[float, float]]]:
    """Return from when to when each state holds; of several with the same time the last one does.

    >>> _times([(0.0, "faint"), (1.0, "active"), (1.0, "normal"), (2.0, "normal")], 3.0)
    {'faint': [(0.0, 1.0)], 'normal': [(1.0, 3.0)]}
    """
    changes = dict(states)
    found: dict[State, list[tuple[float, float]]] = {}
    for (start, state), stop in zip(changes.items(), [*list(changes)[1:], end], strict=True):
        times = found.setdefault(state, [])
        if times and times[-1][1] == start:
            start, _ = times.pop()
        times.append((start, stop))
    return found


def _show(element: Element, times: Sequence[tuple[float, float]], end: float) -> None:
    """Let an element be visible at certain times, and without animation if it is so at the end."""
    if times == [(0.0, end)]:
        return
    is_last = times[-1][1] == end
    element.set("class", "last" if is_last else "past")
    if not is_last:
        element.set("visibility", "hidden")
    changes = {0.0: "hidden"}
    for start, stop in times:
        changes[start] = "visible"
        if stop < end:
            changes[stop] = "hidden"
    keys = {"keyTimes": ";".join(_share(time / end) for time in changes), "values": ";".join(changes.values())}
    element.append(Element("animate", {"attributeName": "visibility", "calcMode": "discrete", **keys, **_forever(end)}))


def _forever(end: float) -> dict[str, str]:
    return {"dur": f"{end:g}s", "repeatCount": "indefinite"}


def _share(part: float) -> str:
    return f"{part:.5g}"


def _radius(x: float) -> float:
    """Return the radius of a dot, in points: 3, and 0.8 more for each power of ten from 0.001 to 100."""
    size = abs(x)
    return 3.0 + 0.8 * (min(max(math.log10(size) + 3.0, 0.0), 5.0) if size > 0 else 0.0)


def _signed(x: float, n_digits: int) -> str:
    return "+" * (x > 0) + digits(x, n_digits)


def _ink(x: float) -> str:
    return POSITIVE if x > 0 else NEGATIVE if x < 0 else NOTE


def save(steps: Walk, path: str | os.PathLike[str], limit: int) -> Path:
    """Write a walk to a file; see `Walk.save`."""
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise ValueError(f"a walk cannot be saved as {path.suffix!r}; end the name in {SUFFIX}")
    refuse_unreadable(steps.loss, limit)
    write_whole(path, to_animation(steps).encode())
    return path
