"""The player marks a unit with a small slope: as dead if its rule is exactly 0 by a branch, else as saturated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines import Node, graph, node_with

from autograd import Value, relu, sigmoid, tanh
from autograd.rows import TABLE, Unary


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with node_with("picture.js") as found:
        yield found


def mark(node: Node, unit: Value) -> str:
    """Return the text below the box of a computed unit."""
    text = node.run(f"""(() => {{
        const graph = {graph(unit * 2)}, [unit] = graph.order, mark = {{}};
        const box = {{unit, mark, group: {{classList: {{toggle: () => 0}}}}}};
        Picture.prototype.markUnit.call({{graph, scene: {{known: new Set([unit])}}}}, box);
        return mark.textContent;
    }})()""")
    return str(text)


def test_a_rectifier_at_zero_is_dead_and_not_saturated(node: Node) -> None:
    assert [mark(node, relu(Value(x))) for x in (-0.1, -0.0, 0.0, 1e-9)] == ["dead: slope 0"] * 3 + [""]


def test_a_curve_is_saturated_however_flat_it_is(node: Node) -> None:
    assert mark(node, sigmoid(Value(1000.0))) == mark(node, tanh(Value(-40.0))) == "saturated: slope 0"
    assert mark(node, sigmoid(Value(4.0))) == "saturated: slope 0.017663" and mark(node, sigmoid(Value(0.0))) == ""


def test_a_step_is_dead_everywhere(node: Node) -> None:
    step = TABLE["step"]
    assert isinstance(step, Unary) and [mark(node, step(Value(x))) for x in (-1.0, 0.0, 1.0)] == ["dead: slope 0"] * 3
