"""Drawings: what a picture shows of a graph, and which graphs are too large for one."""

from __future__ import annotations

import math
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.drawing import Drawing, Edge, Line, Node, Plan, draw
from autograd.drawing.size import refuse_unreadable
from autograd.primitives import Unary, dot, exp, relu, sigmoid, sqrt, tanh, total, where
from autograd.steps import walk
from autograd.symbol import Symbol
from autograd.value import Value


def texts(drawing: Plan) -> dict[str, list[str]]:
    """Return the lines of each box, by the name at their beginning."""
    return {node.lines[0].text.partition(" = ")[0]: [line.text for line in node.lines] for node in drawing.nodes}


def network() -> Value:
    """Return the loss of a 1-1-1 network of sigmoid neurons."""
    i, w_h, w_o = Value(1.0, label="i"), Value(0.5, label="w_h"), Value(-0.3, label="w_o")
    r_h = sigmoid(w_h * i)
    r_h.label = "r_h"
    error: Value = (1 - sigmoid(w_o * r_h)) ** 2 / 2
    error.label = "E"
    return error


class TestWhatItSays:
    def test_a_box_shows_name_and_value_and_operation_with_its_constants(self) -> None:
        w, b = Value(0.5, label="w"), Value(3.0, label="b")
        y = (w * 2 + b) ** 3 - 1
        assert texts(draw(y)) == {
            "w": ["w = 0.5"],
            "v1": ["v1 = 1", "w·2"],
            "b": ["b = 3"],
            "v2": ["v2 = 4", "v1 + b"],
            "v3": ["v3 = 64", "v2³"],
            "loss": ["loss = 63", "v3 - 1"],
        }

    def test_a_box_shows_its_gradient_after_backward(self) -> None:
        w, x = Value(3.0, label="w"), Value(2.0, label="x")
        y = w * x
        y.label = "y"
        y.backward()
        assert texts(draw(y)) == {"w": ["w = 3", "∂w = 2"], "x": ["x = 2", "∂x = 3"], "y": ["y = 6", "w·x", "∂y = 1"]}
        assert draw(y).notes[0] == "∂x is short for ∂y/∂x, as backward() left it in .grad"

    def test_a_leaf_that_has_changed_since_is_noted(self) -> None:
        w = Value(3.0, label="w")
        y = (w - 2).log()
        for number in (4.0, 1.0):  # at 1.0 the logarithm would be undefined
            w.data = number
            assert texts(draw(y))["w"][0] == f"w = {number:g}"
            assert draw(y).notes[0].startswith("a leaf was changed after the forward pass")
        w.data = 3.0
        assert draw(y).notes[0].startswith("no backward pass")

    def test_the_order_of_operands_can_be_read(self) -> None:
        a, b = Value(6.0, label="a"), Value(2.0, label="b")
        assert texts(draw(a - b))["loss"][1] == "a - b"
        assert texts(draw(b / a))["loss"][1] == "b / a"
        assert texts(draw(1 / a))["loss"][1] == "1 / a"

    def test_operations_are_written_from_their_rows(self) -> None:
        w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-1.0, label="b")
        swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
        written = {
            "σ(x)": sigmoid(x),
            "√x": sqrt(x),
            "relu(x)": relu(x),
            "swish(x)": swish(x),
            "w·x + b": dot([w], [x], b),
            "w + x + b": total([w, x, b]),
            "x > 0": x > 0,
            "where(w, x, b)": where(w, x, b),
        }
        assert {formula: texts(draw(node))["loss"][1] for formula, node in written.items()} == {f: f for f in written}

    def test_an_edge_shows_the_local_derivative(self) -> None:
        a, b = Value(6.0, label="a"), Value(2.0, label="b")
        edges = draw(a / b).edges
        assert [(edge.source, edge.target, edge.label) for edge in edges] == [("n0", "n2", "0.5"), ("n1", "n2", "-1.5")]
        assert edges[1].hint == "∂loss/∂b = -1.5"

    def test_an_edge_shows_what_flows_back_after_backward(self) -> None:
        a, b = Value(6.0, label="a"), Value(2.0, label="b")
        y = a / b * 10
        y.backward()
        assert draw(y).edges[1].hint == "∂v1/∂b = -1.5; 10 × (-1.5) = -15 flows back to b"

    def test_the_same_operand_twice_is_two_edges(self) -> None:
        x = Value(3.0, label="x")
        drawing = draw(x * x)
        assert [edge.label for edge in drawing.edges] == ["3", "3"]
        assert len({edge.id for edge in drawing.edges}) == 2
        assert texts(drawing)["loss"][1] == "x²"
        assert drawing.dot.count("n0 -> n1") == drawing.mermaid.count("n0 -->") == 2

    def test_kinds(self) -> None:
        x = Value(1.0)
        assert [node.kind for node in draw(exp(x) + 1).nodes] == ["leaf", "operation", "result"]
        assert [node.kind for node in draw(x).nodes] == ["leaf"]

    def test_names_and_ids_are_those_of_the_walk(self) -> None:
        error = network()
        names = walk(error).names
        assert [node.hint.partition(" = ")[0] for node in draw(error).nodes] == list(names.values())
        assert [node.id for node in draw(error).nodes] == [f"n{i}" for i in range(len(names))]

    @pytest.mark.parametrize(
        ("value", "shown"), [(float("nan"), "NaN"), (float("inf"), "∞"), (float("-inf"), "-∞"), (1e-12, "1e-12")]
    )
    def test_unusual_numbers(self, value: float, shown: str) -> None:
        x = Value(value, label="x")
        y = x * 2
        y.backward()
        assert texts(draw(y))["loss"] == [f"loss = {'2e-12' if value == 1e-12 else shown}", "x·2", "∂loss = 1"]
        assert texts(draw(x))["x"][0] == f"x = {shown}"

    def test_long_labels_are_shortened_in_the_box_and_whole_in_the_hint(self) -> None:
        x = Value(1.0, label="x" * 100 + "end")
        drawing = draw(x * x * 2)
        for node in drawing.nodes:
            assert all(len(line.text) < 40 for line in node.lines)
        assert drawing.nodes[0].lines[0].text.endswith("xend = 1")
        assert drawing.nodes[0].hint == f"{x.label} = 1"
        assert drawing.nodes[1].lines[1].text == "xxxx…end²"

    def test_a_neuron_is_written_with_short_names(self) -> None:
        weights = [Value(0.1, label=f"layer1.neuron0.w{i}") for i in range(2)]
        inputs = [Value(0.2, label=f"layer0.neuron{i}.out") for i in range(2)]
        net = dot(weights, inputs, Value(1.0, label="layer1.neuron0.b"))
        assert texts(draw(net))["loss"][1] == "w₀₀·a₀ + w₀₁·a₁ + b₀"
        assert draw(net).nodes[-1].hint.startswith("loss = layer1.neuron0.w0·layer0.neuron0.out + layer1.neuron0.w1·")

    def test_the_operation_survives_where_the_label_is_shortened(self) -> None:
        x = Value(1.0, label="a label of more than thirty characters")
        assert texts(draw(x * 7))["loss"][1] == "a la…ers·7"


class TestBackwardOrNot:
    def test_before_backward_it_says_so_and_shows_no_zeros(self) -> None:
        drawing = draw(network())
        assert drawing.notes[0].startswith("no backward pass has run yet")
        for form in (drawing.dot, drawing.mermaid):
            assert "no backward pass has run yet" in form
            assert "∂" not in form.replace("∂x, short for ∂E/∂x", "").replace("∂result/∂operand", "")
        assert not [line for node in drawing.nodes for line in node.lines if line.role == "gradient"]

    def test_a_single_leaf(self) -> None:
        drawing = draw(Value(2.0, label="w"))
        assert (len(drawing.nodes), drawing.edges, len(drawing.notes)) == (1, (), 1)
        assert "no backward pass has run yet" in drawing.notes[0]

    def test_a_true_zero_gradient_is_shown(self) -> None:
        x = Value(-1.0, label="x")
        y = relu(x)
        y.backward()
        assert texts(draw(y))["x"] == ["x = -1", "∂x = 0"]

    def test_after_zero_grad_it_says_so_again(self) -> None:
        error = network()
        error.backward()
        error.zero_grad()
        assert draw(error).notes[0].startswith("no backward pass has run yet")

    def test_a_backward_pass_from_elsewhere_is_not_taken_for_one_from_here(self) -> None:
        w = Value(0.5, label="w")
        (w * 2).backward()
        y = w * 3
        y.label = "y"
        drawing = draw(y)
        assert drawing.notes[0] == "no backward pass has run from y yet: the gradients are left from another one"
        assert texts(drawing) == {"w": ["w = 0.5", "∂w = 2"], "y": ["y = 1.5", "w·3"]}

    def test_gradients_of_two_passes_are_pointed_out(self) -> None:
        w, x = Value(0.5, label="w"), Value(2.0, label="x")
        y = w * x + 1
        y.backward()
        assert len(draw(y).notes) == 2
        y.backward()
        outside = "an earlier pass, or a path outside this graph, contributed to the gradient of "
        assert draw(y).notes[2] == f"{outside}w, x"
        x.grad, y = 1e-12, relu(x * -1)
        y.backward()  # nothing flows to x, so even a tiny gradient is from elsewhere
        assert draw(y).notes[2] == f"{outside}x"

    def test_a_pass_that_brings_nan_is_one_pass(self) -> None:
        x = Value(0.0, label="x")
        y = sqrt(x) * 0 + x  # 0·∞ to x
        y.backward()
        assert math.isnan(x.grad) and len(draw(y).notes) == 2

    def test_where_no_gradient_arrives_nothing_flows_on_however_steep_it_is(self) -> None:
        x, w = Value(0.0, label="x"), Value(3.0, label="w")
        (x * 5).backward()
        y = where(w, w * 2, sqrt(x))
        y.backward()
        assert x.grad == 5 and "contributed to the gradient of x" in draw(y).notes[2]

    def test_a_part_of_a_graph_does_not_claim_to_be_the_loss(self) -> None:
        w = Value(0.5, label="w")
        h = w * 3
        y = h * 5
        y.backward()
        assert draw(h).notes[0].startswith("∂x is the gradient that arrived at x")
        assert len(draw(h).notes) == 2

    @given(st.lists(st.floats(-5, 5), min_size=2, max_size=4))
    def test_one_pass_is_never_taken_for_two(self, numbers: list[float]) -> None:
        leaves = [Value(x, label=f"x{i}") for i, x in enumerate(numbers)]
        y = total([tanh(a * b) + a / 3 for a in leaves for b in leaves]) * leaves[0]
        y.backward()
        assert len(draw(y).notes) == 2


class TestLimit:
    def test_too_many_nodes(self) -> None:
        leaves = [Value(float(i)) for i in range(150)]
        assert len(draw(total(leaves[:149])).nodes) == 150
        with pytest.raises(ValueError, match=r"it has 151 nodes and 150 edges, and the limit is 150; pass limit=151 or more"):
            draw(total(leaves))
        assert len(draw(total(leaves), limit=151).nodes) == 151

    def test_a_large_graph_is_not_walked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looked_at = 0
        y = Value(1.0)
        for _ in range(100_000):
            y = y + 1
        inputs = Value.inputs

        def counted(self: Value) -> tuple[Value, ...]:
            nonlocal looked_at
            looked_at += 1
            operands: tuple[Value, ...] = inputs.__get__(self)
            return operands

        monkeypatch.setattr(Value, "inputs", property(counted))
        with pytest.raises(ValueError, match=r"it has more than 10,000 nodes, and the limit is 150$"):
            draw(y)
        assert looked_at <= 10_000

    def test_too_many_edges_between_few_nodes(self) -> None:
        x = Value(1.0)
        assert len(draw(total([x] * 450)).edges) == 450
        with pytest.raises(ValueError, match="2 nodes and 451 edges, and the limit is 150; pass limit=151 or more"):
            draw(total([x] * 451))

    def test_the_named_limit_is_the_smallest_that_draws_the_graph(self) -> None:
        y = Value(1.0, label="x")
        for _ in range(200):
            y = y + 1
        with pytest.raises(ValueError, match="it has 201 nodes and 200 edges, and the limit is 150; pass limit=201 or more"):
            draw(y)
        with pytest.raises(ValueError, match="the limit is 200; pass limit=201 or more"):
            draw(y, limit=200)
        assert len(draw(y, limit=201).nodes) == 201

    def test_a_higher_limit_holds_however_high_it_is(self) -> None:
        y = Value(1.0)
        for _ in range(12_000):
            y = y + 1
        with pytest.raises(ValueError, match=r"it has more than 11,999 nodes, and the limit is 11999$"):
            refuse_unreadable(y, 11_999)
        refuse_unreadable(y, 12_001)

    def test_edges_across_too_many_layers_of_nodes(self) -> None:
        def recurrence(steps: int) -> Value:
            w, h = Value(0.5), Value(0.1)
            for _ in range(steps):
                h = tanh(w * h)
            return h

        assert len(draw(recurrence(50)).nodes) == 102
        with pytest.raises(
            ValueError,
            match="180 edges, which cross 3,720 layers of nodes, and the limit is 150; pass limit=186 or more",
        ):
            draw(recurrence(60))
        assert len(draw(recurrence(60), limit=186).nodes) == 122

    def test_a_leaf_stands_right_before_its_first_use(self) -> None:
        y = Value(0.0)
        for i in range(149):
            y = y + Value(float(i))
        assert len(draw(y, limit=300).nodes) == 299

    def test_anything_but_a_value_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"draw needs the Value whose graph is to be drawn, not 3.0"):
            draw(cast(Value, 3.0))


def test_a_drawing_is_plain_data() -> None:
    drawing = draw(Value(2.0, label="w") * 3)
    product = Symbol("w", 2.0) * 3
    lines = (Line("value", "loss", value=6.0, place=1), Line("operation", formula=product))
    assert drawing.nodes[1] == Node("n1", "result", lines, "loss = w·3 = 6", places=(1,))
    assert lines[1] == Line("operation", formula=Symbol("w", 2.0) * 3) != Line("operation", formula=Symbol("w", 2.0) * 4)
    assert drawing.edges == (Edge("e0", "n0", "n1", "∂loss/∂w = 3", "local", local=3.0, place=(1, 0)),)
    assert Drawing(drawing.title, drawing.nodes, drawing.edges, drawing.notes) == drawing
    assert drawing == draw(Value(2.0, label="w") * 3) != draw(Value(2.0, label="w") + 4)
    assert hash(drawing) == hash(draw(Value(2.0, label="w") * 3))


def test_drawing_leaves_the_graph_as_it_was() -> None:
    error = network()
    error.backward()
    before = {node: (node.data, node.grad, node.label) for node in walk(error).names}
    _ = draw(error).mermaid
    assert before == {node: (node.data, node.grad, node.label) for node in before}
