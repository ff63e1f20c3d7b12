"""Other views: a moment of the walk, and a network neuron by neuron."""

import re
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from autograd import Value, dot, label_values, sigmoid, tanh, walk
from autograd.drawing import Drawing, draw
from autograd.symbol import SUBSCRIPTS, SUPERSCRIPTS
from autograd.telling import factor
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


def test_every_step_is_drawn_as_the_walk_tells_it() -> None:
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


def test_what_is_to_come_is_faint_and_without_numbers() -> None:
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


def test_a_step_that_is_not_there() -> None:
    with pytest.raises(IndexError, match="there is no step 10; the walk has the steps 0 to 7"):
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
    assert boxes(drawing)["a⁽¹⁾₁"] == [
        f"a⁽¹⁾₁ = {tanh(hidden.net.data):.3g}",
        "tanh(net)",
        f"net = {hidden.net.data:.3g}",
        "b = 0",
        f"δ = {hidden.net.grad:.3g}",
    ]
    weights = {edge.label: edge.hint for edge in drawing.edges if edge.label.startswith("w")}
    assert len(weights) == 9
    name, slope = "layer1.neuron1.w1", f"{hidden.w[1].grad:.3g}"
    assert weights[f"w⁽¹⁾₁₁ = {hidden.w[1].data:.3g}"] == f"{name} = {hidden.w[1].data:.3g}; ∂L/∂{name} = {slope}"
    assert len(drawing.nodes) == 2 + 4 + 2 and len(drawing.edges) == 9 + 2
    for text in (drawing.dot, drawing.svg, drawing.mermaid):
        assert "a⁽¹⁾₁ = " in text and "σ" not in text


@pytest.mark.parametrize("sizes", [[2, 1], [4, 1], [4, 3, 1], [5, 5, 5, 1]])
@pytest.mark.parametrize("inputs", [1, 2, 4])
def test_a_layer_stands_in_its_order_in_one_column(inputs: int, sizes: list[int]) -> None:
    xs = [Value(0.1 * i, label=f"x{i}") for i in range(inputs)]
    drawing = draw((MLP(inputs, sizes, seed=1)(xs) - 1) ** 2, view="neurons")
    svg = fromstring(drawing.svg)
    places: dict[str, tuple[float, float]] = {}
    for node in drawing.nodes:
        text = next(x for group in svg.iter() if group.get("id") == node.id for x in group.iter() if x.tag.endswith("text"))
        places[str(text.text).partition(" = ")[0]] = float(text.attrib["x"]), float(text.attrib["y"])
    assert len(places) == inputs + sum(sizes) + 2
    layers = [[f"x{i}" for i in range(inputs)]]
    layers += [
        [f"{'z' if k == len(sizes) else 'a'}{raised(k)}{lowered(i)}" for i in range(n)] for k, n in enumerate(sizes, start=1)
    ]
    for layer in layers:
        across, down = zip(*(places[name] for name in layer), strict=True)
        assert len(set(across)) == 1 and list(down) == sorted(down), layer
    assert sum("class" in group.attrib and group.get("class") == "edge" for group in svg.iter()) == len(drawing.edges)


def test_neurons_of_all_kinds_are_found() -> None:
    x, w = Value(1.0, label="x"), Value(0.5, label="w")
    shared = dot([w], [x], 0.25)  # its net input is used twice, so it is a neuron by itself
    loss = tanh(shared) + shared * w
    drawing = draw(loss, view="neurons")
    [neuron] = [node for node in drawing.nodes if node.kind == "neuron"]
    assert [line.text for line in neuron.lines] == ["v1 = 0.75", "b = 0.25"]
    assert boxes(drawing)["w"] == ["w = 0.5"]  # a weight that is also used elsewhere has a box


def test_views_that_are_not_there() -> None:
    _, loss = network()
    wrong: Any = "layers"
    with pytest.raises(ValueError, match="there is no view 'layers'; view is 'nodes', with or without a step, or 'neurons'"):
        draw(loss, view=wrong)
    with pytest.raises(ValueError, match="there is no view 'neurons' at step 1"):
        draw(loss, view="neurons", step=1)
    with pytest.raises(ValueError, match="there is no neuron in this graph"):
        draw(chain(), view="neurons")
    with pytest.raises(ValueError, match="8 boxes, and the limit is 5; to draw it takes limit=8 at least"):
        draw(loss, view="neurons", limit=5)
    with pytest.raises(ValueError, match=r"nodes and [0-9]+ edges, and the limit is 1; to draw it takes limit=2 at least"):
        draw(loss, view="neurons", limit=1)  # more than 20 nodes, which is what a box may hold
