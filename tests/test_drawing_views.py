"""Other views: a single step of the walk, and a network neuron by neuron."""

import math
import re
from collections.abc import Callable
from itertools import combinations
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from autograd import Value, dot, label_values, sigmoid, tanh, total, walk
from autograd.drawing import Drawing, draw
from autograd.drawing.geometry import place
from autograd.drawing.nodes import describe_nodes
from autograd.drawing.plan import note_lines
from autograd.drawing.style import label_size, text_width
from autograd.notation import Notation, factor
from autograd.writing import SUBSCRIPTS, SUPERSCRIPTS
from nn import MLP


def chain() -> Value:
    x, w = Value(2.0, label="x"), Value(0.5, label="w")
    net = w * x
    out: Value = sigmoid(net)
    loss = (out - w) ** 2
    label_values({"net": net, "out": out, "loss": loss})
    return loss


def boxes(drawing: Drawing) -> dict[str, list[str]]:
    return {node.lines[0].text.partition(" = ")[0]: [line.text for line in node.lines] for node in drawing.nodes}


def test_every_step_is_drawn_as_in_the_walk() -> None:
    loss = chain()
    steps = walk(loss)
    for k, step in enumerate(steps):
        drawing = draw(loss, step=k)
        active = [node for node in drawing.nodes if node.emphasis == "active"]
        assert [node.lines[0].text.partition(" = ")[0] for node in active] == [step.name]
        assert [edge.target for edge in drawing.edges if edge.emphasis == "active"] == [active[0].id] * len(step.node.inputs)
        assert drawing.notes[0] == f"step {k}, " + str(step).splitlines()[0]
        labels = [edge.label for edge in drawing.edges if edge.emphasis == "active"]
        flows = [f"{e.upstream:.5g} × {factor(f'{e.partial:.5g}')} = {e.contribution:.5g}" for e in step.edges]
        assert labels == (flows or [""] * len(step.node.inputs))
        passed = {(s.node, i): edge for s in steps[len(steps) // 2 : k] for i, edge in enumerate(s.edges)}
        behind = [edge.label for edge in drawing.edges if edge.emphasis == "normal" and edge.label]
        assert sorted(behind) == sorted(f"← {edge.contribution:.5g}" for edge in passed.values())


def test_future_steps_are_faint_and_without_numbers() -> None:
    loss = chain()
    start, middle, end = draw(loss, step=0), draw(loss, step=5), draw(loss, step=-1)
    assert boxes(start)["out"] == ["out", "σ(net)"] and boxes(start)["net"] == ["net = 1", "w·x"]
    assert [node.emphasis for node in start.nodes].count("faint") == 3
    assert boxes(middle)["out"][2] == "∂out = 0.46212" and len(boxes(middle)["net"]) == 2
    assert boxes(middle)["w"] == ["w = 0.5", "∂w so far = -0.46212"]
    assert {node.emphasis for node in end.nodes} | {edge.emphasis for edge in end.edges} == {"normal", "active"}
    assert boxes(end)["w"][1] == f"∂w = {walk(loss).gradients[loss.inputs[0].inputs[1]]:.5g}"


def test_moments_in_every_format() -> None:
    loss = chain()
    drawing = draw(loss, step=5)
    assert drawing.dot.count("penwidth=3") == 3 and 'style="dashed"' in drawing.dot
    assert "stroke-width:3px" in drawing.mermaid and "stroke-dasharray" in drawing.mermaid
    assert re.search(r"linkStyle \d", drawing.mermaid) and drawing.svg.count("stroke-dasharray") >= 3
    assert draw(loss, step=5).svg == drawing.svg


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(IndexError, match="there is no step 10; the walk has steps 0 to 7"):
        draw(chain(), step=10)
    with pytest.raises(IndexError):
        draw(Value(1.0), step=0)


def raised(k: int) -> str:
    return f"({k})".translate(SUPERSCRIPTS)


def lowered(k: int) -> str:
    return str(k).translate(SUBSCRIPTS)


def network() -> tuple[MLP, Value]:
    model = MLP(2, [3, 1], seed=1)
    loss = (model([Value(0.5, label="x0"), Value(-1.0, label="x1")]) - 1) ** 2
    loss.label = "L"
    return model, loss


def test_a_network_neuron_by_neuron() -> None:
    model, loss = network()
    assert not any("δ" in line for lines in boxes(draw(loss, view="neurons")).values() for line in lines)
    loss.backward()
    drawing = draw(loss, view="neurons")
    neurons = [node for node in drawing.nodes if node.kind == "neuron"]
    names = [*(f"layer1.neuron{i}" for i in range(3)), "layer2.neuron0"]
    assert [re.split(r"\.(?:out|net) = ", node.hint)[0] for node in neurons] == names
    hidden = model.layers[0].neurons[1]
    assert hidden.net is not None
    z, a = hidden.net.data, tanh(hidden.net.data)
    assert boxes(drawing)["a⁽¹⁾₁ tanh"] == [
        "a⁽¹⁾₁ tanh", f"z = {z:.3g}", f"a = {a:.3g}", "b = 0", f"δ = {hidden.net.grad:.3g}",
    ]  # fmt: skip
    [edge] = [edge for edge in drawing.edges if edge.hint.startswith("layer1.neuron1.w1 = ")]
    weight, slope = f"{hidden.w[1].data:.3g}", f"{hidden.w[1].grad:.3g}"
    assert [text for _, text in edge.lines][:2] == [weight, f"∂w {slope}"]
    assert edge.hint.endswith(f"; ∂L/∂layer1.neuron1.w1 = {slope}")
    flows = [edge.label.rpartition(" ")[2] for edge in drawing.edges if edge.hint.startswith("layer2.neuron0.w")]
    [last] = model.layers[1].neurons
    assert last.net is not None
    assert flows == [f"{last.net.grad * w.data:.3g}" for w in last.w]
    assert len(drawing.nodes) == 2 + 4 + 2 and len(drawing.edges) == 9 + 2
    for text in (drawing.dot, drawing.svg, drawing.mermaid):
        assert "a⁽¹⁾₁ tanh" in text and "σ" not in text


def test_plain_numbers_are_inputs_too() -> None:
    drawing = draw(MLP(2, [3, 1], seed=1)([0.3, -0.2]) ** 2, view="neurons")
    assert [(node.kind, node.lines[0].text) for node in drawing.nodes[:2]] == [("input", "x₀ = 0.3"), ("input", "x₁ = -0.2")]
    assert len(drawing.edges) == 6 + 3 + 1
    assert all(edge.source in ("n0", "n1") for edge in drawing.edges[:6:3])


def test_every_step_of_a_network_is_drawn_by_neurons() -> None:
    _, loss = network()
    steps = walk(loss)
    frames: set[str] = set()
    for k, step in enumerate(steps):
        drawing = draw(loss, view="neurons", step=k)
        [active] = [node for node in drawing.nodes if node.emphasis == "active"]
        assert steps.notation.places[step.node] in active.places
        flowing = [edge for edge in drawing.edges if edge.flow == "flowing"]
        flows = {f"{edge.upstream:.3g} × {factor(f'{edge.partial:.3g}')} = {edge.contribution:.3g}" for edge in step.edges}
        assert all(any(edge.label.endswith(text) for text in flows) for edge in flowing)
        assert step.phase == "forward" or step.name.startswith("a") or flowing
        frames |= set(re.findall(r'viewBox="([^"]*)"', drawing.svg))
    assert len(frames) == 1


@pytest.mark.parametrize(
    ("n_inputs", "sizes", "shown"),
    [(8, [16, 1], 3 + 1), pytest.param(784, [32, 10], 3 + 3, marks=pytest.mark.slow), (2, [8, 1], 8 + 1), (2, [4, 4, 1], 9)],
)
def test_long_layers_are_condensed_and_say_so(n_inputs: int, sizes: list[int], shown: int) -> None:
    outs = MLP(n_inputs, sizes, seed=1)([0.1] * n_inputs)
    loss = total(outs) ** 2 if isinstance(outs, list) else outs**2
    loss.backward()
    drawing = draw(loss, view="neurons")
    neurons = [node for node in drawing.nodes if node.kind == "neuron"]
    assert len(neurons) == shown
    if shown < sum(sizes):
        assert drawing.notes[0] == f"condensed: {shown} of {sum(sizes)} neurons are shown"
        last = [node.lines[0].text.split()[0] for node in neurons]
        assert f"a⁽¹⁾{str(sizes[0] - 1).translate(SUBSCRIPTS)}" in last and "a⁽¹⁾₀" in last
        assert any(node.kind == "rest" for node in drawing.nodes)


def test_a_batch_is_the_same_network_with_the_numbers_of_its_examples() -> None:
    model = MLP(2, [2, 1], seed=1)
    examples = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]
    drawing = draw(total([(model(x) - y) ** 2 for x, y in examples]), view="neurons")
    neurons = [node.lines[0].text.split(" ")[0] for node in drawing.nodes if node.kind == "neuron"]
    assert sorted(neurons) == sorted(f"{name}[{i}]" for i in range(1, 5) for name in ("a⁽¹⁾₀", "a⁽¹⁾₁", "z⁽²⁾₀"))
    inputs = [node.lines[0].text for node in drawing.nodes if node.kind == "input"]
    assert inputs == [f"x{lowered(k)}[{i}] = {x[k]:g}" for i, (x, _) in enumerate(examples, start=1) for k in range(2)]


@pytest.mark.parametrize("sizes", [[2, 1], [4, 1], [4, 3, 1], [4, 4, 4, 1]])
@pytest.mark.parametrize("inputs", [1, 2, 4])
def test_the_neurons_of_a_layer_are_in_one_column_in_order(inputs: int, sizes: list[int]) -> None:
    xs = [Value(0.1 * i, label=f"x{i}") for i in range(inputs)]
    drawing = draw((MLP(inputs, sizes, seed=1)(xs) - 1) ** 2, view="neurons")
    svg = fromstring(drawing.svg)
    places: dict[str, tuple[float, float]] = {}
    for node in drawing.nodes:
        text = next(x for group in svg.iter() if group.get("id") == node.id for x in group.iter() if x.tag.endswith("text"))
        places[re.split(" = | tanh", str(text.text))[0]] = float(text.attrib["x"]), float(text.attrib["y"])
    assert len(places) == inputs + sum(sizes) + 2
    layers = [[f"x{i}" for i in range(inputs)]]
    layers += [
        [f"{'z' if k == len(sizes) else 'a'}{raised(k)}{lowered(i)}" for i in range(n)] for k, n in enumerate(sizes, start=1)
    ]
    for layer in layers:
        across, down = zip(*(places[name] for name in layer), strict=True)
        assert len(set(across)) == 1 and list(down) == sorted(down), layer
    assert sum(group.get("class", "").startswith("arrow") for group in svg.iter()) == len(drawing.edges)


@pytest.mark.parametrize(("steps", "neurons", "columns"), [(3, 6, 3), (20, 6, 20)])
def test_the_time_steps_of_a_recurrent_network_stand_side_by_side(steps: int, neurons: int, columns: int) -> None:
    weights = [[Value(0.1 * i + 0.2 * j, label=f"w{j}{i}") for i in range(3)] for j in range(2)]
    states: list[Any] = [0.0, 0.0]
    for t in range(steps):
        states = [tanh(dot(row, [*states, float(t)])) for row in weights]
    drawing = draw(states[0] - states[1], view="neurons")
    assert sum(node.kind == "neuron" for node in drawing.nodes) == neurons
    places = {edge.target: place(drawing, math.inf).boxes[edge.target].x for edge in drawing.edges}
    assert len(set(places.values())) == columns + 1  # and the result
    assert all(places.get(edge.source, 0.0) < places[edge.target] for edge in drawing.edges)


def test_neurons_of_all_kinds_are_found() -> None:
    x, w = Value(1.0, label="x"), Value(0.5, label="w")
    shared = dot([w], [x], 0.25)  # its net input is used twice, so the dot is a neuron by itself
    loss = tanh(shared) + shared * w
    drawing = draw(loss, view="neurons")
    [neuron] = [node for node in drawing.nodes if node.kind == "neuron"]
    assert [line.text for line in neuron.lines] == ["v1", "net = 0.75", "b = 0.25"]
    assert boxes(drawing)["w"] == ["w = 0.5"]  # a weight that is also used elsewhere has a box


def test_inputs_of_a_later_layer_stand_right_before_it_and_cover_nothing() -> None:
    hidden = [tanh(dot([0.5, Value(w)], [1.0, 2.0])) for w in (0.25, 0.75, -0.5)]
    drawing = draw(dot([0.25] * 5, [*hidden, 1.0, 2.0]), view="neurons")
    boxes_of = place(drawing).boxes
    for a, b in combinations(boxes_of.values(), 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
    columns = sorted({box.x for box in boxes_of.values()})
    steps = {columns.index(boxes_of[edge.target].x) - columns.index(boxes_of[edge.source].x) for edge in drawing.edges}
    assert len(columns) == 3 and steps == {1}


def test_the_text_of_an_input_stands_inside_its_ellipse() -> None:
    loss = dot([Value(0.3)], [Value(0.5, label="x0")])
    loss.backward(0.000735)
    svg = fromstring(draw(loss, view="neurons").svg)
    [group] = [group for group in svg.iter() if "box input" in group.get("class", "")]
    [ellipse] = [shape for shape in group if shape.tag.endswith("ellipse")]
    cy, rx, ry = (float(ellipse.get(name, "")) for name in ("cy", "rx", "ry"))
    lines = [(float(text.get("y", "")), text.text or "") for text in group if text.tag.endswith("text")]
    assert len(lines) == 2
    for y, text in lines:
        assert (text_width(text) / 2 / rx) ** 2 + ((y - cy) / ry) ** 2 < 1


def recurrence() -> Value:
    w, u, h = Value(0.5, label="w"), Value(-0.3, label="u"), Value(0.0, label="h0")
    for t, x in enumerate((1.0, 2.0, -1.0), 1):
        h = tanh(dot([w, u], [h, Value(x, label=f"x{t}")]))
    return h


def scores() -> Value:
    query = [Value(0.5, label="q0"), Value(-0.3, label="q1")]
    keys = [[Value(0.2, label="k00"), Value(1.0, label="k01")], [Value(-0.7, label="k10"), Value(0.1, label="k11")]]
    loss: Value = total([dot(query, key) / 2**0.5 for key in keys])
    return loss


@pytest.mark.parametrize("make", [lambda: trained(1, 1), lambda: trained(3, 1), lambda: trained(2, 2, 1), recurrence, scores])
def test_labels_of_a_network_do_not_overlap_at_any_moment(make: Callable[[], Value]) -> None:
    steps = walk(make())
    place_of = place(draw(steps.loss, step=0, view="neurons"))
    for k in range(len(steps)):
        labels = []
        for edge in draw(steps.loss, step=k, view="neurons").edges:
            (x, y), (width, height) = place_of.arrows[edge.id].label, label_size(edge)
            labels.append((x - width / 2, x + width / 2, y - height / 2, y + height / 2))
        for (a, b, c, d), (e, f, g, h) in combinations(labels, 2):
            assert min(b, f) - max(a, e) < 1 or min(d, h) - max(c, g) < 1


def test_in_its_step_a_weight_is_written_in_the_product() -> None:
    steps = walk(trained(3, 1))
    k = next(k for k, step in enumerate(steps) if step.edges and step.node.primitive is dot and step.node.inputs[3].primitive)
    active = [edge for edge in draw(steps.loss, step=k, view="neurons").edges if edge.emphasis == "active"]
    number = steps.notation.number
    for edge, step in zip(active, steps[k].edges[3:6], strict=True):
        gradient, product, contribution = (text for _, text in edge.lines)
        assert gradient.startswith("∂w ") and contribution == f"= {number(step.contribution)}"
        assert product.replace("(", "").replace(")", "") == f"{number(step.upstream)} × {number(step.partial)}"
    assert {edge.lines[0][0] for edge in draw(steps.loss, step=-1, view="neurons").edges if edge.weight} == {"value"}


@pytest.mark.slow
def test_the_rest_of_a_layer_is_highlighted_at_its_steps() -> None:
    steps = walk(trained(16, 1))
    for k, step in enumerate(steps):
        drawing = draw(steps.loss, step=k, view="neurons")
        [rest] = [node for node in drawing.nodes if node.kind == "rest"]
        place, emphases = steps.notation.places[step.node], {node.id: node.emphasis for node in drawing.nodes}
        active = [node for node in drawing.nodes if node.emphasis == "active"]
        assert [place in node.places for node in active] == [True], "every step is seen"
        around = [edge for edge in drawing.edges if rest.id in (edge.source, edge.target)]
        assert {edge.emphasis for edge in around} <= {"faint", "active"}
        for edge in around:
            is_here = emphases[edge.target] == "active" and step.node.primitive is dot
            assert (edge.emphasis == "active") == is_here
        standing = "active" if rest in active else "normal" if rest.emphasis == "normal" else "faint"
        svg = fromstring(drawing.svg)
        [group] = [group for group in svg.findall("{*}g") if group.get("id") == rest.id]
        assert (group.find("{*}rect") is not None) == (standing == "active")
        look = re.findall(rf"{rest.id} \[.*", drawing.dot)[0]
        assert ("shape=box" in look) == (standing == "active") and "dashed" not in look
        styles = re.findall(rf"style {rest.id} (\w+)", drawing.mermaid)
        assert styles == {"active": ["stroke"], "faint": ["color"], "normal": []}[standing]


def test_unknown_and_impossible_views_are_refused() -> None:
    _, loss = network()
    wrong: Any = "layers"
    with pytest.raises(ValueError, match="there is no view 'layers'; view is 'nodes' or 'neurons'"):
        draw(loss, view=wrong)
    with pytest.raises(ValueError, match="there is no neuron in this graph"):
        draw(chain(), view="neurons")
    with pytest.raises(ValueError, match="8 boxes, and the limit is 5; pass limit=8 or more"):
        draw(loss, view="neurons", limit=5)


def text_size(drawing: Drawing, width: float, height: float) -> float:
    """Return the size of the text in a window, in pixels."""
    wide, high = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing.svg)[0])
    return 13.0 * min(width / wide, height / high)


def trained(*sizes: int, **options: Any) -> Value:
    model = MLP(2, list(sizes), seed=1, **options)
    loss: Value = (model([0.3, -0.2]) - 1) ** 2
    loss.backward()
    return loss


def batch(n: int) -> Value:
    model = MLP(2, [3, 1], seed=1)
    loss: Value = sum((model([0.1 * i, 1.0]) - 1) ** 2 for i in range(n)) / n
    loss.backward()
    return loss


def test_a_small_network_fills_a_window() -> None:
    drawing = draw(trained(3, 1), view="neurons")
    assert text_size(drawing, 1240, 430) >= 19
    assert text_size(drawing, 1240, 660) >= 26
    assert any("∂w" in edge.label for edge in drawing.edges)


def test_operations_after_a_single_result_stand_below_it() -> None:
    drawing = draw(trained(3, 1), view="neurons")
    found = place(drawing)
    net, difference, loss = (found.boxes[node.id] for node in drawing.nodes[-3:])
    assert net.x == difference.x == loss.x and net.y < difference.y < loss.y
    tip = found.arrows[drawing.edges[-1].id].tip
    assert tip == (loss.x, loss.y - loss.height / 2)


def test_a_sum_over_examples_runs_from_top_to_bottom() -> None:
    drawing = draw(batch(4), view="neurons")
    found, names = place(drawing), {node.id: node.lines[0].text for node in drawing.nodes}
    assert found.width < 945
    sums = [found.boxes[ident] for ident, name in names.items() if name.startswith(("v6 ", "v9 ", "v12 ", "loss "))]
    assert len({box.x for box in sums}) == 1 and sorted(sums, key=lambda box: box.y) == sums


def test_the_inputs_of_an_example_stand_in_front_of_its_neurons() -> None:
    drawing = draw(batch(4), view="neurons")
    found = place(drawing)
    names = {node.id: node.lines[0].name for node in drawing.nodes}
    for k in (1, 2, 4):
        inputs, hidden = ([box.y for ident, box in found.boxes.items() if names[ident].startswith(start)
                           and f"[{k}]" in names[ident]] for start in ("x", "a⁽¹⁾"))  # fmt: skip
        assert len(inputs) == 2 and len(hidden) == 3
        assert sum(inputs) / 2 == pytest.approx(sum(hidden) / 3) and max(inputs) - min(inputs) < max(hidden) - min(hidden)
    assert found.width < 700  # 736 if they were spread over the whole column, since their labels would need longer arrows


def test_a_long_batch_shows_the_same_examples_in_every_layer() -> None:
    drawing = draw(batch(12), view="neurons")
    names = [node.lines[0].text for node in drawing.nodes if node.kind in ("input", "neuron")]
    assert {name.partition("[")[2].partition("]")[0] for name in names} == {"1", "2", "12"}
    assert len(names) == 3 * (2 + 3 + 1)
    sums = [node for node in drawing.nodes if any(re.fullmatch(r"v\d+ [+] v\d+", line.text) for line in node.lines)]
    assert [node.lines[0].text.split()[0] for node in sums] == ["v6", "v36"]
    ends = {edge.source for edge in drawing.edges}
    assert [node.kind for node in drawing.nodes if node.id not in ends] == ["result"]
    assert "condensed: 12 of 48 neurons are shown" in drawing.notes


def test_neurons_keep_their_order_node_by_node() -> None:
    drawing = draw(trained(4, 3, 1))
    boxes, names = place(drawing).boxes, {node.id: node.lines[0].name for node in drawing.nodes}
    for layer, n in ((1, 4), (2, 3)):
        wanted = [f"z{str(layer).translate(SUPERSCRIPTS).join('⁽⁾')}{str(i).translate(SUBSCRIPTS)}" for i in range(n)]
        found = sorted((ident for ident, name in names.items() if name in wanted), key=lambda ident: boxes[ident].y)
        assert [names[ident] for ident in found] == wanted


def test_all_moments_have_the_size_that_the_widest_note_needs() -> None:
    x = Value(2.0, label="x")
    steps = walk(sigmoid(x * 1e-4))
    sizes = {draw(steps.loss, step=k).svg.partition("viewBox=")[2][:30] for k in range(len(steps))}
    assert len(sizes) == 1


def test_every_line_of_a_note_has_room_at_every_moment() -> None:
    steps = walk(trained(3, 1))
    for k in range(len(steps)):
        drawing = draw(steps.loss, step=k, view="neurons")
        svg = fromstring(drawing.svg)
        width = float(svg.get("viewBox", "").split()[2])
        lines = [line for note in svg.findall("{*}text") for line in note.itertext()]
        assert all(text_width(line.rstrip()) + 2 * 8 <= width for line in lines)
    assert any(len(note_lines(str(step).partition("\n")[0])) > 1 for step in steps)


def test_weighted_sums_of_the_same_inputs_form_a_layer_node_by_node() -> None:
    xs = [Value(1.0), Value(2.0)]
    nets = [dot([Value(0.5), Value(0.25)], xs) for _ in range(2)]
    other = dot([Value(0.5), Value(0.25)], [Value(3.0), xs[1]])
    assert [len(layer) for layer in describe_nodes(Notation(total([*nets, other]))).order] == [2]
