"""Pictures that are too wide to be read are folded into lines, with the same contents."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from test_drawing_formats import SVG, needs_layout
from test_player import network

from autograd import Value, draw, tanh, walk
from autograd.drawing.geometry import place
from autograd.drawing.shapes import Box, Point
from autograd.drawing.style import SIZE, WIDEST, label_size

PAGE = 585  # pixels: a cell of JupyterLab in a window of 800
SMALLEST = 11  # pixels of text


def chain(n: int = 200) -> Value:
    x = Value(0.5, label="x")
    for i in range(n - 1):
        x = tanh(x) if i % 2 else x * 1.1
    x.backward()
    return x


def expression(n: int = 30, seed: int = 3) -> Value:
    """Return an expression of about n nodes, each made of recent ones."""
    chance = random.Random(seed)
    values = [Value(chance.uniform(0.5, 2), label=letter) for letter in "abcdef"]
    while len(values) < n - 2:
        a, b = chance.sample(values[-6:], 2)
        kind = chance.randrange(4)
        values.append(a * b if kind == 0 else a + b if kind == 1 else tanh(a) if kind == 2 else a - b)
    loss = values[-1] + values[-2] * values[-3]
    loss.backward()
    return loss


def reused() -> Value:
    """Return a chain that uses its beginning again and again."""
    x, y = Value(0.5, label="x"), Value(1.5, label="y")
    z = x * y
    for i in range(40):
        z = z * 1.1 + {5: x, 12: y, 20: x, 30: y}.get(i, 0.1)
    return z + x * y


def straddles(point: Point, box: Box, inside: float) -> bool:
    return abs(point[0] - box.x) < box.width / 2 - inside and abs(point[1] - box.y) < box.height / 2 - inside


def overlap(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) < (a.width + b.width) / 2 and abs(a.y - b.y) < (a.height + b.height) / 2


@needs_layout
@pytest.mark.parametrize("graph", [chain, expression, lambda: expression(60, 8), lambda: chain(41)])
def test_text_can_be_read_on_a_page(graph: Callable[[], Value]) -> None:
    loss = graph()
    for drawing in (draw(loss, limit=300), draw(loss, limit=300, step=-1)):
        assert min(4 / 3, PAGE / place(drawing).width) * SIZE >= SMALLEST


@needs_layout
@pytest.mark.parametrize("seed", range(8))
def test_nothing_overlaps_and_every_arrow_goes_from_its_source_to_its_target(seed: int) -> None:
    drawing = draw(expression(60, seed))
    folded = place(drawing)
    boxes = list(folded.boxes.values())
    assert len({round(box.y / folded.height, 3) for box in boxes}) > 3
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    for edge in drawing.edges:
        arrow = folded.arrows[edge.id]
        source, target = folded.boxes[edge.source], folded.boxes[edge.target]
        assert not straddles(arrow.points[0], source, 1) and straddles(arrow.points[0], source, -1)
        assert not straddles(arrow.tip, target, 1) and straddles(arrow.tip, target, -1)
        assert math.dist(arrow.points[-1], arrow.tip) < 12
        assert all(0 <= x <= folded.width and 0 <= y <= folded.height for x, y in arrow.points)
        label = Box(*arrow.label, *label_size(edge))
        assert not any(overlap(label, box) for box in boxes)


@needs_layout
def test_arrows_that_return_between_two_lines_avoid_the_boxes() -> None:
    folded = place(draw(chain(), limit=300))
    for arrow in folded.arrows.values():
        inner = arrow.points[1:-1]
        assert not any(straddles(point, box, 0) for point in inner for box in folded.boxes.values())


@needs_layout
@pytest.mark.parametrize("graph", [reused, *(partial(expression, 60, seed) for seed in range(4))])
def test_every_returning_arrow_has_its_own_lane(graph: Callable[[], Value]) -> None:
    paths = [pairwise(arrow.points[::3]) for arrow in place(draw(graph())).arrows.values()]
    lines = [(start, end) for path in paths for start, end in path if math.dist(start, end) > 1]
    for here in (0, 1):  # vertical lines, then horizontal ones
        there = 1 - here
        lanes = sorted((round(a[here]), *sorted((a[there], b[there]))) for a, b in lines if abs(a[here] - b[here]) < 0.01)
        assert len(lanes) > 8
        assert all(a[0] < b[0] or a[2] <= b[1] + 0.1 for a, b in pairwise(lanes))


@needs_layout
def test_boxes_keep_the_order_of_the_wide_picture() -> None:
    drawing = draw(expression(60))
    folded = place(drawing).boxes
    wide = place(drawing, math.inf).boxes
    assert place(drawing, math.inf).width > 2 * WIDEST
    shifts = {(round(folded[i].x - wide[i].x, 3), round(folded[i].y - wide[i].y, 3)) for i in wide}
    assert 3 < len(shifts) < 16, "each line was moved as a whole"
    assert len({y for _, y in shifts}) == len(shifts)


@needs_layout
def test_all_moments_of_a_walk_have_one_layout_and_the_same_graph_the_same_bytes() -> None:
    steps = walk(chain(40))
    moments = [draw(steps.loss, step=k).svg for k in range(0, len(steps), 7)]
    assert len({tuple(re.findall(r'viewBox="[^"]*"', svg)) for svg in moments}) == 1
    corners = re.compile(r'<rect (x="[^"]*" y="[^"]*" width="[^"]*" height="[^"]*") rx="9"')
    assert len({tuple(corners.findall(svg)) for svg in moments}) == 1
    assert draw(chain(40), step=3).svg == draw(chain(40), step=3).svg


@needs_layout
def test_a_picture_that_fits_stays_as_it_is() -> None:
    drawing = draw(network(), view="neurons")
    boxes = place(drawing).boxes
    assert place(drawing).width < WIDEST
    assert all(boxes[edge.source].x < boxes[edge.target].x + 1e-9 for edge in drawing.edges)


@needs_layout
def test_lines_have_nearly_the_same_number_of_boxes() -> None:
    """Otherwise the last line might have only the result."""
    for n, lines in ((5, {2, 3}), (9, {3}), (12, {3})):
        assert set(Counter(round(box.y) for box in place(draw(chain(n))).boxes.values()).values()) == lines


@needs_layout
@pytest.mark.parametrize("seed", [0, 1])
def test_arrows_that_cross_at_the_end_of_a_line_do_not_meet(seed: int) -> None:
    arrows = place(draw(expression(60, seed))).arrows.values()
    turns = [a for arrow in arrows for a, b in pairwise(arrow.points[::3]) if abs(a[1] - b[1]) < 0.01 < abs(a[0] - b[0])]
    assert all(abs(a[1] - b[1]) > 3 for a, b in combinations(turns, 2) if abs(a[0] - b[0]) < 3)


@needs_layout
def test_a_long_note_is_one_text_of_several_lines() -> None:
    drawing = replace(draw(chain(3)), notes=("a note " * 20, "another one"), frame=None)
    svg = ElementTree.fromstring(drawing.svg)
    long, short = svg.findall(f"{SVG}text")
    assert " ".join("".join(long.itertext()).split()) == " ".join(["a note"] * 20)
    assert len(long) == 1 and float(short.get("y", "")) - float(long.get("y", "")) == 30
    assert float(svg.get("viewBox", "").split()[2]) <= WIDEST
    words = re.findall(r"at \(8,([\d.]+)\) \{\\small ([^}]*)\}", drawing.tikz)
    assert [text.split()[0] for _, text in words] == ["a", "note", "another"]
    assert [float(b) - float(a) for (a, _), (b, _) in pairwise(words)] == [15, 15]
