"""A walk as an animated SVG: what `draw(loss, step=k)` shows for every k, one after the other, in one picture that moves.

In the forward pass the values appear; in the backward pass a dot leaves each node along each edge, carries ∂loss/∂node, is
multiplied by the local derivative, and is added to what has arrived at the input.  While it travels, the label of its arrow is
written line by line: what it carries, times the local derivative, what arrives.  The picture is laid out once, with room for
everything it will ever show, so nothing shifts or is covered.

It contains no script: every part is visible at certain times (SMIL's discrete ``visibility``), and every dot has a path, so
a README or a slide can show it as an image.  In a viewer without animation, or for a reader who prefers reduced motion, it
shows the last moment of the walk.

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> to_animation(Walk(w * x)).count("<animateMotion")
2
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar
from xml.etree.ElementTree import Element, SubElement, tostring

from autograd.drawing.as_svg import darken, draw_arrow, draw_box, draw_label, draw_note, draw_plan, path_of
from autograd.drawing.geometry import fitted
from autograd.drawing.layers import MEANING, with_references
from autograd.drawing.neurons import describer
from autograd.drawing.nodes import describe_nodes, frame_of
from autograd.drawing.plan import WIDEST_NOTE, Edge, Line, Node, Plan, Theme, checked_theme, cut, largest_note
from autograd.drawing.shapes import Arrow
from autograd.drawing.style import NEGATIVE, NOTE, PAGE, PAPER, POSITIVE
from autograd.files import write_whole
from autograd.moments import Moment, Step
from autograd.notation import Notation
from autograd.steps import Walk

__all__ = ["save", "to_animation"]

State = TypeVar("State")
Describe = Callable[[Notation, Moment], Plan]

SUFFIX = ".svg"
START, FORWARD, TRIP, BETWEEN, REST, PAUSE = 1.0, 0.8, 2.1, 0.6, 0.4, 3.0  # seconds
PHASES = 3  # of a trip: with the upstream gradient, multiplied by the local derivative, with the contribution
MOST_BETWEEN = 2.4  # seconds from the first dot of a step to the last, however many there are
HALO = {"stroke": PAPER, "stroke-width": "3", "paint-order": "stroke"}
# In CSS, !important overrides SMIL's values.
REDUCED = (
    "@media (prefers-reduced-motion: reduce) {.last {visibility: visible !important} .past {visibility: hidden !important}}"
)


class Trip(NamedTuple):
    """The trip of a dot: when it starts, in seconds, and the edge with the numbers that it carries."""

    start: float
    edge: Edge

    @property
    def phases(self) -> list[float]:
        """When each of the three lines of its label is written, in seconds."""
        return [self.start + TRIP * k / PHASES for k in range(PHASES)]


class Score:
    """When everything happens: the states of every part of the picture, each with the time from which it holds.

    Args:
        steps: the walk.
        describe: the function that describes one moment, such as `describe_nodes`.
        frame: the picture with room for everything, if it is already known.

    Attributes:
        frame: the picture with room for everything.
        nodes, edges: the states of each box and each arrow, by their ids.
        captions: the texts of the line below the picture, each with its time.
        trips: the trips of the dots.
        end: when the animation starts again, in seconds.
    """

    def __init__(self, steps: Walk, describe: Describe, frame: Plan | None = None) -> None:
        self.frame = frame or frame_of(steps, describe)
        self.nodes: dict[str, list[tuple[float, Node]]] = defaultdict(list)
        self.edges: dict[str, list[tuple[float, Edge]]] = defaultdict(list)
        self.captions = [(0.0, "given: the leaves")]
        self.trips: list[Trip] = []
        self._describe, self._notation, self._moment = describe, steps.notation, Moment(steps.loss, steps.names)
        self._lines = {node.id: len(node.lines) for node in self.frame.nodes}
        self._edge_ids = {edge.place: edge.id for edge in self.frame.edges if edge.place is not None}
        self._shown: dict[str, Hashable] = {}
        self._record(0.0)
        time = START
        for step in steps:
            time = self._play(step, time)
        self.end = time + PAUSE

    def _play(self, step: Step, time: float) -> float:
        """Record a step that begins at a time, and return when it ends."""
        self._moment.enter(step)
        plan = self._record(time)
        self.captions.append((time, cut(str(step).partition("\n")[0], WIDEST_NOTE)))
        ids = [self._edge_ids.get((self._notation.places[step.node], k)) for k in range(len(step.edges))]
        moves = [ident is not None and edge.taken for ident, edge in zip(ids, step.edges, strict=True)]
        starts, arrival = dict[str | None, float](), time
        for k in range(len(step.edges)):
            if moves[k]:
                starts[ids[k]] = time + len(starts) * min(BETWEEN, MOST_BETWEEN / sum(moves))
                arrival = starts[ids[k]] + TRIP
            self._moment.add(step, k)
            if k + 1 == len(step.edges) or moves[k + 1]:
                plan = self._record(arrival)
        self.trips += [Trip(starts[edge.id], edge) for edge in plan.edges if edge.id in starts]
        if step.mistake:
            self.captions.append((arrival, cut(f"wrong: {step.mistake}", WIDEST_NOTE)))
        return arrival + (REST if starts else FORWARD)

    def _record(self, time: float) -> Plan:
        """Record the state of everything, and return it."""
        plan = self._describe(self._notation, self._moment)
        for node in plan.nodes:
            shown: Hashable = node.emphasis, *((line.name, line.value) for line in node.lines)  # the rest stays
            if self._shown.get(node.id) != shown:
                missing = self._lines[node.id] - len(node.lines) if node.kind != "rest" else 0  # so that no line moves
                self.nodes[node.id].append((time, replace(node, lines=(*node.lines, *[Line("gradient")] * missing))))
            self._shown[node.id] = shown
        for edge in plan.edges:
            shown = edge.emphasis, edge.flow, edge.gradient
            if self._shown.get(edge.id) != shown:
                self.edges[edge.id].append((time, edge))
            self._shown[edge.id] = shown
        return plan


def to_animation(steps: Walk, describe: Describe = describe_nodes) -> str:
    """Write a walk as an animated SVG.

    Args:
        steps: the walk.
        describe: the function that describes one moment of it.

    Raises:
        LayoutError: if no layout engine is installed.
    """
    whole = frame_of(steps, describe)
    frame, geometry = fitted(replace(whole, frame=whole), PAGE)  # as wide as a page, not as a cell of a notebook
    far = {edge.id for edge in set(whole.edges) - set(frame.edges)}  # dots travel to the references for these

    def described(notation: Notation, moment: Moment) -> Plan:
        return with_references(describe(notation, moment), far)

    score = Score(steps, described if far else describe, replace(frame, frame=None))
    caption = largest_note(text for _, text in score.captions)
    title = f"The walk over {steps.names[steps.loss]}"
    notes = (caption, *(cut(note, WIDEST_NOTE) for note in steps.notation.notes), *[MEANING] * bool(far))
    svg = draw_plan(replace(score.frame, title=title, notes=notes), geometry)
    summary = replace(whole, title=title).summary
    svg[0].text = summary
    svg.set("aria-label", summary)
    style = Element("style")
    style.text = REDUCED
    svg.insert(1, style)
    groups = {group.get("id"): group for group in svg.findall("g") if group.get("id")}
    labels = {group.get("data-of"): group for group in svg.findall("g") if group.get("data-of")}
    for ident, boxes in score.nodes.items():
        drawn = [(time, draw_box(box, geometry.boxes[ident])) for time, box in boxes]
        _overlay(groups[ident], drawn, score.end)
    trips, texts_of_labels = {trip.edge.id: trip for trip in score.trips}, list[Element]()
    for ident, edges in score.edges.items():
        arrow = geometry.arrows[ident]
        _overlay(groups[ident], [(time, draw_arrow(edge, arrow)) for time, edge in edges], score.end)
        if ident in labels:
            written = [(time, draw_label(edge, arrow)) for time, edge in edges]
            if ident in trips:
                written += _line_by_line(trips[ident], arrow)
            texts_of_labels.append(_overlay_label(labels[ident], written, score.end))
    first, *_ = svg.findall("text")  # the caption, which is the first of the notes
    texts = [(time, _group(draw_note(text, float(first.get("y", "0"))))) for time, text in score.captions]
    svg.remove(first)
    _overlay(SubElement(svg, "g"), texts, score.end)
    svg.extend([_dot(trip, geometry.arrows[trip.edge.id], score.end) for trip in score.trips])
    svg.extend(texts_of_labels)  # above the dots
    if score.frame.theme == "dark":
        darken(svg)
    return tostring(svg, encoding="unicode") + "\n"


def _overlay(group: Element, drawings: Sequence[tuple[float, Element]], end: float) -> None:
    """Fill a group with the parts of several drawings of it, each part visible during the drawings that contain it.

    Of several drawings with the same time, only the last one counts.
    """
    parts: dict[tuple[int, bytes], Element] = {}
    states = []
    for time, drawing in dict(drawings).items():
        keys = {(i, tostring(part)): part for i, part in enumerate(drawing) if part.tag != "title"}
        parts |= keys
        states.append((time, frozenset(keys)))
    together: dict[tuple[tuple[float, float], ...], list[Element]] = {}
    for key in sorted(parts, key=lambda key: key[0]):  # the shape first: it covers what is drawn before it
        held = _times([(time, key in drawn) for time, drawn in states], end)[True]
        together.setdefault(tuple(held), []).append(parts[key])
    group[:] = [part for part in group if part.tag == "title"]
    for times, same in together.items():
        shown = same[0] if len(same) == 1 else _group(*same)
        _show(shown, times, end)
        group.append(shown)


def _overlay_label(label: Element, drawings: Sequence[tuple[float, Element]], end: float) -> Element:
    """Fill a label with the papers of several drawings of it, and return a group with their texts, to be put above the dots."""
    in_order = sorted(drawings, key=lambda drawing: drawing[0])
    texts = Element("g", {**label.attrib, **HALO})
    label.attrib = {"class": "paper"}
    for group, tag in ((label, "rect"), (texts, "text")):
        _overlay(group, [(time, _group(*drawing.findall(tag))) for time, drawing in in_order], end)
    return texts


def _group(*elements: Element) -> Element:
    group = Element("g")
    group.extend(elements)
    return group


def _line_by_line(trip: Trip, arrow: Arrow) -> Iterator[tuple[float, Element]]:
    """Yield the label of an arrow as a travelling dot writes it, each line already in its final place."""
    for k, time in enumerate(trip.phases, 1):
        label = draw_label(trip.edge, arrow)
        missing = min(PHASES - k, 1) if trip.edge.weight else PHASES - k  # upstream × weight is one line
        del label[len(label) - missing :]
        yield time, label


def _dot(trip: Trip, arrow: Arrow, end: float) -> Element:
    """Draw a dot that travels against an arrow with the upstream gradient, and in the last phase with the contribution."""
    edge, start, stop, dot = trip.edge, trip.start, trip.start + TRIP, Element("g")
    keys = ";".join(map(_fraction, (0.0, start / end, stop / end, 1.0)))
    motion = {"keyTimes": keys, "keyPoints": "0;0;1;1", "calcMode": "linear", **_forever(end)}
    SubElement(dot, "animateMotion", {"path": path_of(reversed(arrow.points)), **motion})
    last = trip.phases[-1]
    for number, times in ((edge.upstream, (start, last)), (edge.contribution, (last, stop))):
        _show(SubElement(dot, "circle", r=f"{_radius(number):.1f}", fill=_ink(number)), [times], end)
    return dot


def _times(states: Sequence[tuple[float, State]], end: float) -> dict[State, list[tuple[float, float]]]:
    """Return the intervals in which each state holds; of several states with the same time, only the last one counts.

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
    """Make an element visible at certain times; without animation it is visible if it is so at the end."""
    if list(times) == [(0.0, end)]:
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
    keys = {"keyTimes": ";".join(_fraction(time / end) for time in changes), "values": ";".join(changes.values())}
    element.append(Element("animate", {"attributeName": "visibility", "calcMode": "discrete", **keys, **_forever(end)}))


def _forever(end: float) -> dict[str, str]:
    return {"dur": f"{end:g}s", "repeatCount": "indefinite"}


def _fraction(x: float) -> str:
    return f"{x:.5g}"


def _radius(x: float) -> float:
    """Return the radius of a dot, in points: 3, and 0.8 more for each power of ten from 0.001 to 100."""
    size = abs(x)
    return 3.0 + 0.8 * (min(max(math.log10(size) + 3.0, 0.0), 5.0) if size > 0 else 0.0)


def _ink(x: float) -> str:
    return POSITIVE if x > 0 else NEGATIVE if x < 0 else NOTE


def save(steps: Walk, path: str | os.PathLike[str], view: str, limit: int, theme: Theme) -> Path:
    """Write a walk to a file; see `Walk.save`."""
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise ValueError(f"a walk cannot be saved as {path.name!r}; end the name in {SUFFIX}")
    describe, theme = describer(steps.loss, view, limit), checked_theme(theme)
    write_whole(path, to_animation(steps, lambda notation, moment: replace(describe(notation, moment), theme=theme)).encode())
    return path
