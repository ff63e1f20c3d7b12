"""Layout decisions, each over a range of sizes, and pictures of rare cases; see `test_approved`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import Any, Final
from unittest.mock import patch

from approved_layouts import chain, in_ranks
from approved_pictures import batch, lined, numbers, trained

from autograd import Value, dot, draw, tanh, total
from autograd.drawing import as_tikz, geometry
from autograd.drawing.as_animation import _radius
from autograd.drawing.as_tikz import in_ascii
from autograd.drawing.folding import _cuts, fold
from autograd.drawing.geometry import _below, _in_columns, _with_columns, fitted, place
from autograd.drawing.layers import in_layers
from autograd.drawing.plan import Edge, Plan, note_lines
from autograd.drawing.shapes import Arrow, Box, Geometry, joined, line
from autograd.drawing.size import refuse_unreadable
from autograd.player.stage import PHONE, SCREEN, _best, _text_size
from nn import MLP


def decided(sizes: Iterable[int], decide: Callable[[int], Any]) -> Iterator[str]:
    """Iterate over the ranges of sizes with the same decision."""
    for found, group in groupby(sizes, decide):
        first, *others = group
        yield f"{first}{f' to {others[-1]}' if others else ''}: {found}"


def row_of_boxes(widths: Sequence[float], between: float, ends: Sequence[tuple[int, int]]) -> tuple[Geometry, list[Edge]]:
    """Return a picture of boxes in a row; an arrow has a curve for each box that it passes, every fourth arrow a label."""
    boxes, x = dict[str, Box](), 6.0
    for i, width in enumerate(widths):
        boxes[f"n{i}"] = Box(x + width / 2, 40.0 + 6 * (i % 3), width, 22.0 + 15 * (i % 2))
        x += width + between
    edges = [Edge(f"e{k}", f"n{i}", f"n{j}", "", "nothing" if k % 4 else "local", 0.5) for k, (i, j) in enumerate(ends)]
    arrows = {}
    for k, (i, j) in enumerate(ends):
        stops = [(boxes[f"n{m}"].x + boxes[f"n{m}"].width / 2 + between / 2 - 4, 100.0 + 3 * k) for m in range(i, j)]
        source, target = boxes[f"n{i}"], boxes[f"n{j}"]
        start, tip = (source.x + source.width / 2, source.y), (target.x - target.width / 2, target.y)
        points = [start, *(stops if j > i + 1 else []), (tip[0] - 8, tip[1])]
        curves = [line(a, b) for a, b in pairwise(points)]
        arrows[f"e{k}"] = Arrow(joined(*curves), tip, ((start[0] + tip[0]) / 2, 60.0 - 70 * (k == 4)))
    return Geometry(x - between + 6.0, 150.0, boxes, arrows), edges


def lines_end_at(geometry: Geometry, edges: Sequence[Edge], widest: int) -> str:
    return numbers(*_cuts(geometry, edges, float(widest))) or "one line"


def folds() -> Iterator[str]:
    """Iterate over the places where pictures are cut into lines, for all widths, and over the folded picture for one width."""
    pairs = [(i, i + 1) for i in range(9)]
    rows: dict[str, tuple[Sequence[float], float, Sequence[tuple[int, int]]]] = {
        "a chain with a long way": ([80.0] * 10, 40.0, [*pairs, (0, 4), (2, 7), (1, 9)]),
        "boxes that are wide": ([80.0, 60.0, 300.0, 40.0, 80.0, 260.0, 80.0], 40.0, [*pairs[:6], (1, 5)]),
        "boxes that are close": ([80.0] * 8, 8.0, pairs[:7]),
        "two parts": ([80.0] * 6, 40.0, [*pairs[:2], *pairs[3:5]]),
        "eight arrows across": ([80.0] * 4, 60.0, [pairs[0], *[(1, 2)] * 8, pairs[2]]),
        "nine arrows across": ([80.0] * 4, 60.0, [pairs[0], *[(1, 2)] * 9, pairs[2]]),
    }
    for name, row in rows.items():
        geometry, edges = row_of_boxes(*row)
        width = int(geometry.width)
        yield f"\n{name}, {width} wide"
        yield from decided(range(width // 4, width + 14), partial(lines_end_at, geometry, edges))
        if "arrows" in name:
            continue
        folded = fold(geometry, edges, width * 0.6)
        yield f"folded: {numbers(folded.width, folded.height)}"
        yield from (f"{ident} at {numbers(box.x, box.y)}" for ident, box in folded.boxes.items())
        yield from (
            f"{ident}: {', '.join(numbers(*point) for point in arrow.points[::3])}; label at {numbers(*arrow.label)}"
            for ident, arrow in folded.arrows.items()
        )


def used_again(later: int, of_leaf: bool, with_leaves: bool = False) -> str:
    """Return how the second use of a node is drawn if it comes `later` operations after the first."""
    x = Value(0.5, label="x")
    first = tanh(x)
    y = first * x
    for _ in range(later - 1):
        y = y * (Value(1.5, label="w") if with_leaves else 1.5)
    found = in_layers(draw(y * (x if of_leaf else first) * 2.0 * 2.0 * 2.0))
    return "one line" if found is None else "reference" if any(node.kind == "rest" for node in found.plan.nodes) else "arrow"


def used_often(times: int) -> str:
    """Return how a picture is set whose leaf is used `times` times more, far from its first use."""
    x, ys = Value(0.5, label="x"), [Value(1.0, label="y")]
    for i in range(10):
        ys.append(ys[-1] * (x if i == 0 else 1.5))
    plan = draw(total([ys[-1] * x for _ in range(times)]))
    with patch.object(geometry, "lay_out", in_ranks):
        return "layers" if fitted(plan)[0] is not plan else "lines"


def heights(plan: Plan, room: int) -> str:
    """Return how many boxes each layer has, from the bottom."""
    found = in_layers(plan, float(room))
    assert found is not None
    layers = [found.layers[node.id] for node in plan.nodes]
    return " ".join(str(layers.count(k)) for k in range(max(layers) + 1))


def shown(inputs: int, neurons: int) -> str:
    """Return how many inputs and neurons of a layer are shown, and whether its arrows are labelled with what flows back."""
    xs = [Value(0.5, label=f"x{i}") for i in range(inputs)]
    loss = MLP(inputs, [neurons, 1], seed=1)(xs)
    loss.backward()
    plan = draw(loss, view="neurons")
    kinds = [node.kind for node in plan.nodes]
    return f"{kinds.count('input')}·{kinds.count('neuron') - 1}{'←' * ('←' in plan.edges[0].label)}{'⋮' * kinds.count('rest')}"


def examples(n: int, is_small: bool = False) -> str:
    """Return the number of boxes of each kind in the picture of a network with n examples."""
    model = MLP(1, [1], seed=1)
    plan = draw(total([model([0.5 * i]) for i in range(n)]) if is_small else batch(n), view="neurons")
    kinds = [node.kind for node in plan.nodes]
    return f"{', '.join(f'{kinds.count(kind)} {kind}' for kind in dict.fromkeys(kinds))}; {', '.join(plan.notes[:-1])}"


def refused(loss: Value, limit: int) -> str:
    try:
        refuse_unreadable(loss, limit)
    except ValueError as error:
        return str(error)
    return "drawn"


def gated() -> Value:
    """Return neurons whose outputs are multiplied by those of an earlier layer, and compared with a target."""
    xs = [Value(0.5 - 0.25 * i, label=f"x{i}") for i in range(2)]
    first, second = MLP(2, [5], seed=1), MLP(5, [2], seed=1)
    gates = first(xs)
    products = [gate * out for gate, out in zip(gates[:2], second(gates), strict=True)]
    loss: Value = (Value(1.0, label="t") - total(products)) ** 2
    loss.backward()
    return loss


def pairs_of_inputs(neurons: int, weights: Sequence[float]) -> Value:
    """Return neurons that do not share their inputs, with plain numbers as weights."""
    outs = [tanh(dot([*weights], [Value(1.0 + i, label=f"x{k}{i}") for i in range(len(weights))])) for k in range(neurons)]
    loss: Value = total(outs) * 2.0
    loss.backward()
    return loss


def chosen(times: int, lines: float, layers: float) -> str:
    """Return what `used_often` returns if lines and layers have these widths."""
    with (
        patch.object(geometry, "place", lambda plan, widest: Geometry(lines, 1.0, {}, {})),
        patch.object(geometry, "_by_graphviz", lambda plan, layered: Geometry(layers, 1.0, {}, {})),
    ):
        return used_often(times)


def columns(below: tuple[float, float], beside: tuple[float, float], widest: float) -> str:
    """Return where the operations of a network are placed if the two pictures have these sizes."""
    plan = draw(trained(1, inputs=1), view="neurons")
    with patch.object(geometry, "_with_columns", lambda plan, found: Geometry(*(below if found else beside), {}, {})):
        found = _in_columns(plan, widest)
    return "below" if (found.width, found.height) == below else "beside"


def decisions() -> Iterator[str]:
    """Iterate over the decisions that depend on sizes."""
    for name, of_leaf in (("a leaf", True), ("an operation", False)):
        for with_leaves in (False, True):
            yield f"\n{name}, used again some operations later{', with other leaves between' * with_leaves}"
            yield from decided(range(1, 12), partial(used_again, of_leaf=of_leaf, with_leaves=with_leaves))
    yield "\na leaf, used some times more, far away"
    yield from decided(range(7, 11), used_often)
    yield "\nboxes in each layer of a batch, without references, by the room in points"
    yield from decided(range(100, 900, 20), partial(heights, draw(batch(3))))
    yield "of a network, whose arrows have wide labels"
    yield from decided(range(100, 900, 20), partial(heights, draw(trained(3, 1))))
    yield "\ninputs · neurons"
    for inputs in (1, 2, 3, 4, 5, 8, 9):
        yield f"{inputs}: {'  '.join(shown(inputs, neurons) for neurons in (1, 2, 3, 4, 5, 8, 9))}"
    for sizes in ([4, 4], [4, 5], [5, 4], [5, 5], [9, 2], [2, 9]):
        network = draw(MLP(1, [*sizes, 1], seed=1)([0.5]), view="neurons")
        yield f"two layers, {sizes}: {[len(column) for column in network.columns]} boxes in columns"
    yield "\nexamples"
    yield from decided((1, 2, 3, 4, 5, 8, 9), examples)
    yield from decided((4, 5, 8, 9), partial(examples, is_small=True))
    for inputs, sizes in ((1, [3, 1]), (3, [1]), (4, [2, 1]), (6, [1]), (8, [2, 1]), (2, [8, 1]), (3, [3, 3, 1])):
        network = draw(trained(*sizes, inputs=inputs), view="neurons")
        found = place(network)
        spots = [box.y for node in network.nodes if node.kind == "input" for box in [found.boxes[node.id]]]
        yield f"{inputs} inputs to {sizes}: {numbers(found.width, found.height)}; inputs at {numbers(*spots)}"
    for neurons, weights in ((2, [0.5, 2.0]), (3, [0.5, 2.0, 1.0]), (4, [0.5])):
        for network in (draw(loss := pairs_of_inputs(neurons, weights), view="neurons"), draw(loss, view="neurons", step=2)):
            spots = [box.y for node in network.nodes if node.kind == "input" for box in [place(network).boxes[node.id]]]
            yield f"{neurons} neurons with {len(weights)} inputs each: at {numbers(*spots)}"
    for below, beside in (((600.0, 500.0), (900.0, 400.0)), ((600.0, 500.0), (960.0, 400.0)), ((300.0, 700.0), (600.0, 690.0))):
        widest = [columns(below, beside, widest) for widest in (960.0, 900.0)]
        yield f"operations below in {below} or beside in {beside}: {', '.join(widest)}"
    for times in (8, 9):
        for lines in (690.0, 690.5):
            how = [f"{layers}: {chosen(times, lines, layers)}" for layers in (945.0, 945.5)]
            yield f"a leaf used {times} times more, lines {lines} wide, layers {', '.join(how)}"
    network = draw(gated(), view="neurons")
    found = _with_columns(network, _below(network))
    yield "\na network with gates"
    yield from (f"{node.id} {node.kind} at {numbers(*found.boxes[node.id])}" for node in network.nodes)
    plan = draw(chain(12))
    with patch.object(geometry, "lay_out", in_ranks):
        width = place(plan, 1e9).width
        whole = [fitted(plan, widest)[1].width == width for widest in (width, width - 0.01)]
    yield f"\na chain {width:.1f} wide is left alone where there is so much room, and where there is less: {whole}"
    yield "\ntoo large to be read, with a limit of 10"
    x = Value(0.5, label="x")
    for n in (9, 10):
        yield f"a chain of {n + 1}: {refused(powers(x, n), 10)}"
        yield f"{3 * n + 3} edges to a leaf: {refused(total([x] * (3 * n + 3)), 10)}"
    for n in (40, 41):
        yield f"long ways, with a limit of {n + 1}: {refused(long_ways(n), n + 1)}"
    with patch("autograd.drawing.size.MOST_COUNTED", 12):
        for n in (11, 12):
            yield f"counted to 12, a chain of {n + 1}: {refused(powers(x, n), 10)}"
            yield f"counted to 12, {3 * n + 3} edges: {refused(total([x] * (3 * n + 3)), 10)}"
        yield f"counted to 12, 36 edges and more: {refused(total([powers(x, 2)] * 36), 10)}"
        yield f"counted to 12, 12 nodes and 39 edges: {refused(powers(total([x] * 29), 10), 10)}"
    yield "\npictures of a player, by the number of boxes: on a screen, on a phone"
    for n in (2, 4, 7, 10, 14, 20, 30, 44):
        strip, edges = row_of_boxes([80.0] * n, 40.0, [(i, i + 1) for i in range(n - 1)])
        bare = Plan("", (), tuple(edges), ())
        screen = _best(bare, strip, strip, SCREEN, (1100, 945, 760))
        phone = _best(bare, strip, screen, PHONE, (480, 400, 330))
        texts = [f"{found.width:.1f} × {found.height:.1f}, text {_text_size(found, places):.2f}" for found, places in
                 ((strip, SCREEN), (screen, SCREEN), (screen, PHONE), (phone, PHONE))]  # fmt: skip
        yield f"{n}: {'; '.join(texts)}"
    yield "\nlines of notes"
    for note in ("a" * 43 + ", " + "b" * 86, "a" * 43 + ", " + "b" * 87, "a-b " * 30, "abc-def " * 30, "x, " * 40, "",
                 *(f"a, {'b' * n} {' '.join(['bbbb'] * 16)}" for n in (6, 7))):  # fmt: skip
        yield f"{len(note)}: {[len(line) for line in note_lines(note, 'another')]}"
    yield f"\nradius of a dot: {numbers(*(_radius(10.0**k) for k in range(-5, 6)), _radius(0.0), _radius(-100.0))}"


def powers(x: Value, n: int) -> Value:
    """Return a chain of n operations."""
    for _ in range(n):
        x = x * 1.5
    return x


def long_ways(n: int) -> Value:
    """Return a chain of n operations, all of which also use the first one."""
    x = Value(0.5, label="x")
    y = first = x * 1.5
    for _ in range(n - 1):
        y = y * first
    return y


def rarely_seen() -> Iterator[str]:
    """Iterate over the lines of pictures for rare cases, such as references and condensed layers at single steps."""
    far, condensed = batch(4), trained(9, 2, 1, inputs=9)
    for name, loss in (("references", far), ("a condensed network", condensed)):
        for step in (3, -9):
            drawing = draw(loss, step=step, view="neurons" if loss is condensed else "nodes")
            rests = {node.id for node in drawing.nodes if node.kind == "rest"} | {f"{node.id}r" for node in drawing.nodes}
            yield f"\n{name}, step {step}: {drawing.title}"
            yield from (text for text in drawing.dot.splitlines() if "class=rest" in text)
            yield from (text for text in drawing.mermaid.splitlines() if re.match(r"  (style n\d+r|linkStyle \d)", text))
            yield from (f"{edge.id}: {edge.source} to {edge.target} {edge.emphasis} {edge.label} ({edge.hint})"
                        for edge in drawing.edges if {edge.source, edge.target} & rests)  # fmt: skip
            yield from (f"{node.id}: {node.emphasis} {node.places} ({node.hint})" for node in drawing.nodes if node.id in rests)
    lone = draw(tanh(dot([Value(0.5, label="w")], [2.0])), step=-1, view="neurons")
    yield f"\none weight, no bias: {lone.edges[0].label}"
    network = trained(2, 1)
    for step in (1, 3, -4, -2):
        drawing = draw(network, step=step, view="neurons")
        yield f"\na network, {drawing.title}"
        for node in drawing.nodes:
            yield f"{node.id}: {node.emphasis} {node.places} {' | '.join(line.text for line in node.lines)} ({node.hint})"
        yield from (f"{edge.id}: {edge.emphasis} {edge.weighs} {edge.label} ({edge.hint})" for edge in drawing.edges)
    dark = draw(trained(2, 1), view="neurons", theme="dark")
    yield from ("", *(text for text in dark.tikz.splitlines() if r"\path" in text or "definecolor" in text))
    yield "\ntoo large for TeX"
    for size in ([5], [1]):  # one is high, the other wide
        drawing = draw(trained(*size, 1, inputs=4), view="neurons")
        with patch.object(as_tikz, "LARGEST", 50):
            yield from (text for text in drawing.tikz.splitlines() if "bp" in text and "path[" not in text)
    yield "\ncharacters"
    yield from (f"{c} {in_ascii(c)}" for c in "′éǖếā中½ßÅ²⁻ﬀ∂⋮")
    yield "\ngradients with contributions from elsewhere"
    x = [Value(1.0 + i, label=f"x{i}") for i in range(5)]
    for n in range(1, 5):
        total([*x[:n], 1.0]).backward()
        loss = total(x)
        loss.backward()
        yield from draw(loss).notes[-1:]
        loss.zero_grad()


DRAWINGS: Final[dict[str, Callable[[], str]]] = {
    "decisions.txt": lambda: lined(decisions()),
    "folds.txt": lambda: lined(folds()),
    "moments.txt": lambda: lined(rarely_seen()),
}
