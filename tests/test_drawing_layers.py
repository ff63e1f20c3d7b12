"""Long graphs in DOT and Mermaid run from top to bottom, in layers that fit a page."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_drawing_folding import chain, expression
from test_drawing_views import batch, trained

from autograd import Value, draw, sin
from autograd.drawing import Drawing
from autograd.drawing.layers import ROOM, layers
from autograd.drawing.style import NIGHT, PAPER, SIZE

PAGE, SMALLEST = 800, 10  # pixels
PICTURES: dict[str, Callable[[], Drawing]] = {
    "1-1-1": lambda: draw(trained(1, 1)),
    "2-3-1": lambda: draw(trained(3, 1)),
    "2-3-1, a moment": lambda: draw(trained(3, 1), step=12),
    "a batch": lambda: draw(batch(4), view="neurons"),
    "30 nodes": lambda: draw(expression()),
    "200 nodes": lambda: draw(chain(), limit=200),
}
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")


def laid_out(text: str) -> tuple[float, dict[str, float]]:
    """Return the width of a graph in points, and the height at which each box stands, as Graphviz lays them out."""
    run = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, check=True)
    lines = [line.split() for line in run.stdout.decode().splitlines()]
    return 72 * float(lines[0][2]), {words[1]: float(words[3]) for words in lines if words[0] == "node"}


@needs_dot
@pytest.mark.parametrize("name", PICTURES)
def test_text_can_be_read_on_a_page(name: str) -> None:
    width, _ = laid_out(PICTURES[name]().dot)
    assert SIZE * min(4 / 3, PAGE / width) >= SMALLEST


@needs_dot
def test_branches_stand_one_above_the_other() -> None:
    width, _ = laid_out(draw(batch(2), view="neurons").dot)
    assert width < 800  # 915 if they grow side by side


@needs_dot
@pytest.mark.parametrize("name", PICTURES)
def test_graphviz_finds_these_layers(name: str) -> None:
    drawing = PICTURES[name]()
    found = layers(drawing)
    assert found is not None
    _, heights = laid_out(drawing.dot)
    levels = sorted(set(heights.values()))
    assert found == {node: levels.index(y) for node, y in heights.items()}


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(20, 90))
def test_layers(seed: int, n: int) -> None:
    drawing = draw(expression(n, seed), limit=1000)
    found = layers(drawing)
    if found is None:
        return
    assert set(found) == {node.id for node in drawing.nodes}
    assert set(found.values()) == set(range(max(found.values()) + 1)), "no layer is empty"
    assert all(found[edge.source] > found[edge.target] for edge in drawing.edges)
    assert max(Counter(found.values()).values()) <= ROOM
    lengths = [len(dashes) - 1 for dashes in re.findall(r"n\d+ (-+)>", drawing.mermaid)]
    assert lengths == [min(found[edge.source] - found[edge.target], 10) for edge in drawing.edges]
    assert drawing.mermaid.startswith("flowchart TB") and "rankdir=TB" in drawing.dot


def test_texts_do_not_matter() -> None:
    loss = trained(3, 1)
    one = layers(draw(loss))
    assert all(layers(draw(loss, step=k, digits=17)) == one for k in range(0, 18, 5))


def test_leaves_of_one_operation_stand_one_above_the_other() -> None:
    drawing = draw(trained(3, 1))
    found = layers(drawing)
    assert found is not None
    leaves = {node.id for node in drawing.nodes if node.kind == "leaf"}
    for target in {edge.target for edge in drawing.edges}:
        depths = [found[edge.source] for edge in drawing.edges if edge.target == target and edge.source in leaves]
        assert len(set(depths)) == len(depths)


def test_a_short_graph_runs_from_left_to_right() -> None:
    x = Value(2.0, label="x")
    y: Value = (x * x + 1) ** 2
    assert layers(draw(y)) is None
    assert draw(y).mermaid.startswith("flowchart LR") and "rankdir=LR" in draw(y).dot
    assert layers(draw(sin(sin(y)))) is not None


def test_notes_stand_below_the_result_of_a_long_graph() -> None:
    drawing = draw(expression())
    assert drawing.mermaid.splitlines()[-1] == f"  {drawing.nodes[-1].id} ~~~ notes"
    assert drawing.nodes[-1].kind == "result"


def test_labels_of_crossing_arrows_stay_apart() -> None:
    """Mermaid keeps a label where its layout engine has put it only on an arrow of straight lines."""
    assert "  linkStyle default interpolate linear" in draw(trained(3, 1), view="neurons").mermaid.splitlines()


def test_arrows_pass_behind_the_notes() -> None:
    loss = trained(3, 1)
    day, night = (draw(loss, view="neurons").mermaid, draw(loss, view="neurons", theme="dark").mermaid)
    for text, paper in ((day, PAPER), (night, NIGHT[PAPER])):
        assert f"  classDef note fill:{paper},stroke:{paper},color:#" in text
