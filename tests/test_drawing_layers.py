"""Long graphs in DOT and Mermaid run from top to bottom, in layers that fit a page, with references to distant operands."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_drawing_folding import chain, expression
from test_drawing_formats import needs_layout
from test_drawing_views import batch, trained

from autograd import Value, draw, sin
from autograd.drawing import Drawing, Edge, Plan
from autograd.drawing.geometry import fitted, place
from autograd.drawing.layers import ARROW, FAR, LONGEST, ROOM, Layered, in_layers
from autograd.drawing.style import NIGHT, PAPER, SIZE, WIDEST, size_of
from autograd.drawing.style import PAGE as PAGE_WIDTH

PAGE, SMALLEST = 800, 11  # pixels
PICTURES: dict[str, Callable[[], Drawing]] = {
    "1-1-1": lambda: draw(trained(1, 1)),
    "2-3-1": lambda: draw(trained(3, 1)),
    "2-3-1, a moment": lambda: draw(trained(3, 1), step=12),
    "a batch": lambda: draw(batch(4)),
    "a batch, a moment": lambda: draw(batch(4), step=60),
    "a batch of neurons": lambda: draw(batch(4), view="neurons"),
    "30 nodes": lambda: draw(expression()),
    "200 nodes": lambda: draw(chain(), limit=200),
}
FLAT: dict[str, Callable[[], Drawing]] = {
    "2-3-1, neurons": lambda: draw(trained(3, 1), view="neurons", step=12),
    "2-16-1, neurons": lambda: draw(trained(16, 1), view="neurons", step=40),
}
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")


def layered(drawing: Plan) -> Layered:
    found = in_layers(drawing)
    assert found is not None
    return found


def laid_out(text: str) -> tuple[float, dict[str, float]]:
    """Return the width of a graph in points, and the vertical position of each box, as Graphviz lays them out."""
    run = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, check=True)
    lines = [line.split() for line in run.stdout.decode().splitlines()]
    return 72 * float(lines[0][2]), {words[1]: float(words[3]) for words in lines if words[0] == "node"}


@needs_dot
@pytest.mark.parametrize("name", PICTURES | FLAT)
def test_text_can_be_read_on_a_page(name: str) -> None:
    width, _ = laid_out((PICTURES | FLAT)[name]().dot)
    assert SIZE * min(4 / 3, PAGE / width) >= SMALLEST


@needs_dot
@pytest.mark.parametrize("name", PICTURES)
def test_graphviz_finds_these_layers(name: str) -> None:
    drawing = PICTURES[name]()
    _, heights = laid_out(drawing.dot)
    levels = sorted(set(heights.values()))
    assert layered(drawing).layers == {node: levels.index(y) for node, y in heights.items()}


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(20, 90))
def test_layers_of_random_graphs(seed: int, n: int) -> None:
    drawing = draw(expression(n, seed), limit=1000)
    if (found := in_layers(drawing)) is None:
        return
    assert set(found.layers) == {node.id for node in found.plan.nodes}
    assert set(found.layers.values()) == set(range(max(found.layers.values()) + 1)), "no layer is empty"
    ties = [Edge("", *pair, "") for pair in found.ties]
    assert all(found.length(tie) == 1 for tie in ties)
    joined = [{node.id} for node in found.plan.nodes]  # arrows and ties join all nodes into one part
    for edge in (*found.plan.edges, *ties):
        assert found.length(edge) >= 1
        both = [part for part in joined if not part.isdisjoint((edge.source, edge.target))]
        joined = [part for part in joined if part not in both] + [set().union(*both)]
    assert len(joined) == 1
    lengths = [len(dashes) - 1 for dashes in re.findall(r"n\w+ (-+)>", drawing.mermaid)]
    assert lengths == [min(found.length(edge), 10) for edge in found.plan.edges]
    assert drawing.mermaid.startswith("flowchart TB") and "rankdir=TB" in drawing.dot


@pytest.mark.parametrize("name", PICTURES)
def test_boxes_of_a_layer_fit_into_the_room(name: str) -> None:
    """Boxes that stand side by side are no wider than the room, together with the arrows that pass them."""
    found = layered(PICTURES[name]())
    plan = found.plan.frame or found.plan
    side_by_side = Counter(found.layers.values())
    for layer, n in side_by_side.items():
        boxes = [node for node in plan.nodes if found.layers[node.id] == layer and not node.id.endswith("r")]
        passing = [edge for edge in plan.edges if found.layers[edge.target] < layer < found.layers[edge.source]]
        if n > 1 and len(boxes) > 1:
            assert sum(size_of(node)[0] for node in boxes) + ARROW * (len(passing) - len(boxes)) <= ROOM


def test_distant_uses_have_references() -> None:
    drawing = draw(batch(4))
    found = layered(drawing)
    names = {node.id: node.lines[0].name for node in drawing.nodes}
    cut = [edge for edge in drawing.edges if edge not in found.plan.edges]
    assert len(cut) > 30
    above = {node.id: [line.text for line in node.lines] for node in found.plan.nodes if node.id.endswith("r")}
    wanted: dict[str, list[str]] = {f"{edge.target}r": [] for edge in cut}
    for edge in cut:
        wanted[f"{edge.target}r"].append(f"↑ {names[edge.source]}: {edge.label}")
    assert above == wanted, "each is named once, where its arrow would arrive, with its label"
    below = {node.id for node in found.plan.nodes if any(line.text.startswith("↓") for line in node.lines)}
    assert below == {edge.source for edge in cut}
    assert found.plan.notes == (*drawing.notes, "↑ names an operand whose box is further up, ↓ an operation further down")
    for node in drawing.nodes:  # a leaf is drawn with an arrow to its first use
        if node.kind == "leaf":
            assert next(edge for edge in drawing.edges if edge.source == node.id) in found.plan.edges
    assert all(found.length(edge) <= FAR for edge in found.plan.edges if edge.source not in above)


def test_a_reference_shows_the_moment() -> None:
    loss = batch(4)
    frames = [layered(draw(loss, step=k)) for k in (0, 62, -1)]
    first, middle, last = ({node.id: node for node in found.plan.nodes if node.id.endswith("r")} for found in frames)
    assert first.keys() == middle.keys() == last.keys()
    assert {node.emphasis for node in first.values()} == {"faint"} and "normal" in {node.emphasis for node in middle.values()}
    active = next(edge.target for edge in frames[1].plan.edges if edge.emphasis == "active")
    name, local, contribution = (line.text for line in middle[f"{active}r"].lines)
    assert (name, local, contribution) == ("↑ v3: 0.25", "× 1", "= 0.25")
    assert any(": ← " in line.text for node in last.values() for line in node.lines)
    one, other, frame = (found.plan.frame for found in frames)
    assert frame is not None and one == other == frame
    room = {node.id: size_of(node) for node in frame.nodes}
    for found in frames:
        assert all(max(size, room[node.id]) == room[node.id] for node in found.plan.nodes for size in [size_of(node)])


@needs_layout
def test_references_stand_right_above_their_arrow() -> None:
    drawing = draw(batch(3), step=-1)
    svg = fromstring(drawing.svg)
    groups = {group.get("id"): group for group in svg.findall("{*}g")}
    for edge in fitted(drawing)[0].edges:
        if edge.source.endswith("r"):
            [path] = groups[edge.id].findall("{*}path")
            start = float(re.findall(r"M[-\d.]+,([-\d.]+)", path.get("d", ""))[0])
            last = max(float(text.get("y", "")) for text in groups[edge.source].findall("{*}text"))
            assert 0 < start - last < 15


def test_a_graph_without_distant_uses_has_no_references() -> None:
    drawing = draw(trained(3, 1))
    found = layered(drawing)
    assert (found.plan.edges, found.plan.notes, found.ties, found.n_distant) == (drawing.edges, drawing.notes, [], 0)


def test_all_moments_have_the_same_layers() -> None:
    for loss in (trained(3, 1), batch(3)):
        moments = [layered(draw(loss, step=k)) for k in range(0, 18, 5)]
        assert all((found.layers, found.ties) == (moments[0].layers, moments[0].ties) for found in moments)


def test_a_branch_stands_beside_others_only_if_all_of_it_has_room() -> None:
    found = layered(draw(batch(3)))
    names = {node.lines[0].name: found.layers[node.id] for node in found.plan.nodes}
    examples = [[layer for name, layer in names.items() if name.endswith(f"[{k}]")] for k in (1, 2, 3)]
    assert min(examples[0]) > max(examples[1]) and min(examples[1]) > max(examples[2])


def test_leaves_of_one_operation_stand_one_above_the_other() -> None:
    drawing = draw(trained(3, 1))
    found = layered(drawing).layers
    leaves = {node.id for node in drawing.nodes if node.kind == "leaf"}
    for target in {edge.target for edge in drawing.edges}:
        depths = [found[edge.source] for edge in drawing.edges if edge.target == target and edge.source in leaves]
        assert len(set(depths)) == len(depths)


def test_a_short_graph_runs_from_left_to_right() -> None:
    x = Value(2.0, label="x")
    y: Value = (x * x + 1) ** 2
    assert in_layers(draw(y)) is None
    assert draw(y).mermaid.startswith("flowchart LR") and "rankdir=LR" in draw(y).dot
    assert LONGEST == 4 and in_layers(draw(sin(sin(y)))) is not None


@needs_layout
@pytest.mark.parametrize("step", [None, 12])
def test_a_batch_has_references_in_every_format(step: int | None) -> None:
    drawing = draw(batch(4), step=step)
    assert fitted(drawing)[1].width <= (WIDEST if step is None else PAGE_WIDTH) < place(drawing).width
    assert drawing.svg.count(">↑ ") > 40 and drawing.tikz.count(r"\uparrow") > 40
    assert drawing.svg.count(drawing.summary) == 2, "the summary does not count references"


@needs_layout
def test_a_batch_that_is_narrow_has_references_too() -> None:
    drawing = draw(batch(3))
    assert fitted(drawing)[0] != drawing
    for other in (draw(batch(3), view="neurons"), draw(trained(3, 1)), draw(expression())):
        assert fitted(other) == (other, place(other))


def test_notes_stand_below_the_result_of_a_long_graph() -> None:
    drawing = draw(expression())
    assert drawing.mermaid.splitlines()[-1] == f"  {drawing.nodes[-1].id} ~~~ notes"
    assert drawing.nodes[-1].kind == "result"


def test_labels_of_crossing_arrows_stay_apart() -> None:
    """Only on arrows of straight lines does Mermaid keep a label where its layout engine has put it."""
    assert "  linkStyle default interpolate linear" in draw(trained(3, 1), view="neurons").mermaid.splitlines()


def test_arrows_pass_behind_the_notes() -> None:
    loss = trained(3, 1)
    day, night = (draw(loss, view="neurons").mermaid, draw(loss, view="neurons", theme="dark").mermaid)
    for text, paper in ((day, PAPER), (night, NIGHT[PAPER])):
        assert f"  classDef note fill:{paper},stroke:{paper},color:#" in text
