"""The walk: it equals the backward pass, can be read, and can be moved through step by step."""

import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given

from autograd import (
    Unary,
    Value,
    dot,
    exp,
    find_nonfinite,
    floor,
    gradients,
    logsumexp,
    maximum,
    relu,
    replay,
    sigmoid,
    sign,
    sqrt,
    tanh,
    walk,
    where,
)
from autograd.notation import name_nodes
from autograd.strategies import Program, programs
from autograd.value import topological


@given(programs())
def test_the_whole_walk_equals_the_backward_pass(program: Program) -> None:
    leaves = [Value(x) for x in program.leaves]
    y = program(leaves)
    steps = walk(y)
    order = topological(y)
    assert len(steps) == 2 * len(order) == len(list(steps))
    assert [step.node for step in steps] == [*order, *reversed(order)]
    totals: dict[Value, float] = {}
    for step in steps[len(order) :]:
        for edge in step.edges:
            assert edge.before == totals.get(edge.input, 0.0) and step.delta is not None
            assert edge.contribution == step.delta * edge.partial and edge.total == edge.before + edge.contribution
            totals[edge.input] = edge.total
        assert [edge.input for edge in step.edges] == list(step.node.inputs)
    assert all(node.grad == 0 for node in (*leaves, *order))
    y.backward()
    assert all(steps.gradients[node] == node.grad for node in (*order, *(x for node in order for x in node.inputs)))
    assert all(totals[x] == x.grad for node in order for x in node.inputs)
    assert [step.delta for step in steps[len(order) :]] == [node.grad for node in reversed(order)]


@given(programs())
def test_the_trace_is_strict_json_and_agrees_with_the_walk(program: Program) -> None:
    y = program([Value(x) for x in program.leaves])
    steps = walk(y)
    trace = json.loads(steps.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert [step["text"] for step in trace["steps"]] == [str(step) for step in steps]
    assert [node["id"] for node in trace["nodes"]] == list(range(len(trace["nodes"])))
    for entry, step in zip(trace["steps"], steps, strict=True):
        assert trace["nodes"][entry["node"]]["name"] == step.name
        assert [edge["total"] for edge in entry.get("edges", [])] == [edge.total for edge in step.edges]


def test_the_trace_of_a_small_graph() -> None:
    x = Value(math.inf, label="x")
    trace = json.loads(walk(2 * x).to_json())
    assert trace["nodes"] == [
        {"id": 0, "name": "x", "short": "x", "label": "x", "operation": None, "operands": [], "data": "Infinity"},
        {"id": 1, "name": "loss", "short": "loss", "label": None, "operation": "multiply",
         "operands": [{"constant": 2.0}, {"node": 0}], "data": "Infinity"},
    ]  # fmt: skip
    assert trace["steps"][1] == {
        "phase": "backward", "node": 1, "formula": "2·x", "numbers": "2·∞", "delta": 1.0,
        "text": "backward 1/1: loss = 2·x, ∂loss/∂loss = 1\n    ∂loss/∂x = 2\n        add 1·2 = 2 to x.grad: 0 + 2 = 2",
        "edges": [{"input": 0, "rule": "2", "reason": "", "numbers": "2", "partial": 2.0, "contribution": 2.0, "before": 0.0,
                   "total": 2.0, "taken": True}],
    }  # fmt: skip
    unchecked: Any = x
    unchecked.label = Fraction(1, 2)  # a program may set anything
    assert json.loads(walk(x * 2).to_json())["nodes"][0]["label"] == "1/2"
    assert '"NaN"' in walk(Value(math.nan) * -math.inf).to_json() and "-Infinity" in walk(x * -1).to_json()


def test_a_step_is_written_as_text() -> None:
    net = Value(0.6, label="net")
    out = sigmoid(net)
    out.label = "out"
    forward, backward = walk(out)
    assert (forward.phase, backward.phase) == ("forward", "backward")
    assert str(forward) == "forward 1/1: out = σ(net) = σ(0.6) = 0.64566"
    assert str(backward) == (
        "backward 1/1: out = σ(net), ∂out/∂out = 1\n"
        "    ∂out/∂net = out·(1 - out) = 0.64566·(1 - 0.64566) = 0.22878\n"
        "        add 1·0.22878 = 0.22878 to net.grad: 0 + 0.22878 = 0.22878"
    )
    [edge] = backward.edges
    assert (edge.rule, edge.numbers, edge.partial) == ("out·(1 - out)", "0.64566·(1 - 0.64566)", out.partials[0])


def test_a_rule_with_cases_says_which_and_why() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    text = str(walk(maximum(a, b) * b)[-1])
    assert "∂v1/∂a = 1, since a > b\n        add (-3)·1 = -3 to a.grad: 0 + (-3) = -3" in text
    assert "∂v1/∂b = 0, since a > b\n        nothing flows to b: this branch is not taken" in text


@pytest.mark.parametrize(("x", "taken", "left"), [(1.0, "a", "b"), (-1.0, "b", "a")])
def test_the_reason_for_a_branch_is_whether_its_condition_is_0(x: float, taken: str, left: str) -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    step = str(walk(where(Value(x, label="x") > 0, a, b) * b)[-2])
    reason = "v1 ≠ 0" if x > 0 else "v1 = 0"
    assert f"∂v2/∂{taken} = 1, since {reason}\n        add (-3)·1" in step
    assert f"∂v2/∂{left} = 0, since {reason}\n        nothing flows to {left}: this branch is not taken" in step


def test_moving_through_the_steps() -> None:
    x = Value(2.0)
    steps = walk((x * x + x).tanh())
    assert len(steps) == 6 and steps.position == 0 and steps.current.phase == "forward"
    assert steps.goto(5) == steps[5] == steps[-1] and steps.position == 5
    assert steps.back() == steps[4] and steps.forward() == steps[5]
    for i in (6, -1, 100):
        with pytest.raises(IndexError, match=f"there is no step {i}; the walk has steps 0 to 5"):
            steps.goto(i)
    with pytest.raises(IndexError):
        steps.forward()
    assert steps.position == 5
    steps.goto(0)
    with pytest.raises(IndexError):
        steps.back()
    assert [step.place for step in steps[::2]] == [(1, 3), (3, 3), (2, 3)] and steps[0] in steps and steps.index(steps[3]) == 3
    assert repr(steps).startswith("<walk over tanh(") and str(steps).count("\n") > 6
    with pytest.raises(IndexError):
        steps[6]


def test_a_single_leaf_has_no_steps() -> None:
    leaf = Value(1.0)
    assert len(walk(leaf)) == 0 and walk(leaf).gradients == {leaf: 1.0}
    with pytest.raises(IndexError, match="there is no step 0; the walk has no steps, because its result is a leaf"):
        walk(leaf).goto(0)


def test_a_changed_leaf_and_a_number_are_refused() -> None:
    x = Value(1.0)
    y = x * 2
    x.data = 3.0
    with pytest.raises(ValueError, match="a leaf was changed after the forward pass"):
        walk(y)
    assert len(walk(replay(y))) == 2
    number: Any = 3.0
    with pytest.raises(TypeError, match="walk needs the Value"):
        walk(number)


def test_names_are_one_to_one() -> None:
    a, b, v1 = Value(1.0, label="a"), Value(2.0, label="a"), Value(3.0, label="v1")
    y = dot([a, b], [v1, a]) * Value(4.0)
    names = name_nodes(y, topological(y))
    assert list(names.values()) == ["a", "a′", "v1", "v2", "v3", "loss"]
    assert names[a] == "a" and names[b] == "a′"


def test_the_first_number_that_is_not_finite_is_found() -> None:
    w, z = Value(800.0, label="w"), Value(0.0, label="z")
    assert find_nonfinite(w * z) is None
    found = find_nonfinite((w.exp() - w.exp()) * 2 + 1)
    assert found is not None and found.phase == "forward" and found.node.data == math.inf
    assert str(found) == "the first value that is not finite is exp(w) = inf, from w = 800.0"
    found = find_nonfinite(Value(math.nan, label="q") * 2)
    assert str(found) == "the first value that is not finite is q = nan, from the start"
    assert str(find_nonfinite(Value(math.inf))) == "the first value that is not finite is Value(inf), from the start"
    found = find_nonfinite(w * math.inf)
    assert found is not None and found.text.endswith("w * inf = inf, from w = 800.0 and inf")
    found = find_nonfinite(z.sqrt() + 1)
    assert found is not None and found.phase == "backward"
    assert str(found) == "the first gradient that is not finite flows from sqrt(z) = 0.0: 1.0 · inf to z = 0.0"
    lost = ", and 0·∞ is NaN: this 0 is a number, not a branch that is not taken; "
    assert f" from sqrt(z) = 0.0: 0.0 · inf to z = 0.0{lost}" in str(find_nonfinite(sqrt(z) ** 2))
    found = find_nonfinite(sqrt(z * z))
    assert f" from sqrt(0.0) = 0.0: 1.0 · inf to z * z = 0.0; from z * z = 0.0 flows inf · 0.0{lost}" in str(found)
    base, exponent = Value(-2.0, label="base"), Value(2.0, label="exponent")
    found = find_nonfinite(base ** (exponent * 0 + 2))  # the rule itself gives the slope NaN, which is multiplied by 0 below
    assert str(found) == "the first gradient that is not finite flows from base ** 2.0 = 4.0: 1.0 · nan to 0.0 + 2.0 = 2.0"


def test_a_branch_that_is_not_taken_is_not_to_blame() -> None:
    x = Value(0.0, label="x")
    harmless = exp(x + 1000)
    found = find_nonfinite(where(x < 1, sqrt(x) ** 2, harmless))
    assert found is not None and found.phase == "backward" and "sqrt(x)" in str(found) and "0·∞" in str(found)
    for y in (
        where(x < 1, x * 2, harmless),
        maximum(x, -harmless),
        relu(-harmless),
        where(harmless > 3, x, 1),
        sign(harmless) * x,
        where(x < 1, x, where(x < 1, harmless, x)) + 1,
    ):
        assert find_nonfinite(y) is None
    for y in (
        where(x < 1, harmless, harmless * 2),
        floor(harmless),
        sign(x) + floor(harmless) * 2,
        maximum(harmless, exp(x + 800) * -1),
        where(x < 1, x, harmless) + harmless,
    ):
        found = find_nonfinite(y)
        assert found is not None and found.node is harmless
    found = find_nonfinite(where(x < 1, math.inf, harmless) + x)
    assert found is not None and found.node.primitive is where and found.phase == "forward"


def test_a_sum_of_gradients_that_overflows_is_found() -> None:
    a = Value(0.1, label="a")
    found = find_nonfinite(a * 1e308 + a * 1e308)
    assert found is not None and found.node is a and found.phase == "backward"
    assert str(found) == "the first gradient that is not finite is a sum, at a = 0.1: 1e+308 + 1e+308"
    twice = Value(0.1, label="b") * 0.1
    found = find_nonfinite(dot([twice, twice], [1.7e308, 1.7e308]))
    assert found is not None and found.node is twice
    larger = maximum(Value(0.05), a) * 1e308
    found = find_nonfinite(larger + a * 1e308)
    assert found is not None and found.node is a and "a sum, at a = 0.1" in str(found), "beside a branch that is not taken"
    assert find_nonfinite(a * 1e308 - a * 1e308) is None
    found = find_nonfinite((a * 1e308 + a * 1e308) * 1e10 * 1e-10)
    assert found is not None and found.phase == "forward"


@pytest.mark.parametrize("reading", [walk, find_nonfinite, replay, lambda y: gradients(y, [])])
@pytest.mark.parametrize("y", [None, 3.0, "y", [Value(1.0)]])
def test_an_argument_that_is_not_a_node_is_refused(reading: Callable[[Any], Any], y: Any) -> None:
    with pytest.raises(TypeError, match=r"needs the Value .*, not "):
        reading(y)


def test_another_nan_is_not_a_change() -> None:
    w = Value(math.nan, "w")
    steps = walk(w * 2)
    w.data = -float("nan")
    assert str(steps[0]) == "forward 1/1: loss = w·2 = NaN·2 = NaN"
    w.data = 1.0
    with pytest.raises(ValueError, match=r"w = 1.0 was nan when the steps were recorded"):
        str(steps[0])
    steps = walk(w * 2)
    w.data = math.nan
    with pytest.raises(ValueError, match=r"w = nan was 1.0 when the steps were recorded"):
        str(steps[0])


def test_a_sum_that_is_nan_is_no_overwritten_gradient() -> None:
    steps = walk(sqrt(Value(0.0, "x")) ** 2)
    assert "add 0·∞ = NaN to x.grad: 0 + NaN = NaN" in str(steps[-1])


def test_what_is_only_below_a_node_with_a_new_value_is_not_computed() -> None:
    w = Value(4.0)
    root = sqrt(w)
    w.data = -1.0
    assert replay(root * 2, {root: 3.0}).data == 6.0


def test_the_forward_pass_has_no_gradients_yet() -> None:
    w = Value(3.0, "w")
    assert [step.gradient for step in walk(w * w)] == ["", "∂loss/∂loss = 1"]


def test_a_label_may_be_a_number() -> None:
    y = Value(2.0, label=cast(str, 7)) * 3
    assert str(walk(y)[0]) == "forward 1/1: loss = 7·3 = 2·3 = 6"


def test_the_steps_of_a_graph_that_was_trained_since_are_refused() -> None:
    w, x = Value(3.0, "w"), Value(2.0, "x")
    loss = (w * x - 5) ** 2
    steps, mistaken = walk(loss), walk(loss, mistake="sign")
    loss.backward()
    w.data -= 0.1 * w.grad
    for read in (
        lambda: steps[-1], lambda: steps[1:2], lambda: next(iter(steps)), lambda: str(steps), steps.to_json,
        lambda: steps.moment(3), steps.forward, lambda: steps.current, lambda: mistaken.difference, lambda: walk(loss),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"a leaf was changed after the forward pass; compute the result again"):
            read()
    w.data = 3.0
    assert str(steps) == str(walk(loss)) and mistaken.difference == ""
    nan = walk(Value(math.nan, "x") * 2)
    assert str(nan[0]) == "forward 1/1: loss = x·2 = NaN·2 = NaN"


def test_a_condition_that_every_finite_number_meets_is_not_a_reason() -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    assert [edge.case for edge in walk(logsumexp([x, y]))[-1].edges] == [
        "exp(x - loss) / (exp(x - loss) + exp(y - loss))",
        "exp(y - loss) / (exp(x - loss) + exp(y - loss))",
    ]


def test_numbers_that_differ_in_their_last_digit_are_written_differently() -> None:
    mistaken = walk(tanh(Value(1e-8, "x") * 1), mistake="activation-forgotten")
    assert mistaken.difference == "∂loss/∂v1 = 1 - loss² = 0.9999999999999999, not 1"


@pytest.mark.parametrize(("x", "n", "reason"), [(2.0, 3.0, "|x| > 0"), (0.0, 3.0, "n ≥ 1"), (-2.0, 3.0, "|x| > 0")])
def test_of_several_sufficient_conditions_the_reason_is_the_one_that_holds(x: float, n: float, reason: str) -> None:
    power = Value(x, label="x") ** Value(n, label="n")
    assert walk(power)[-1].edges[0].reason == reason
    row = Unary("row", lambda x: x, lambda x, out: where(maximum(x, x - 1), 2.0, 3.0))
    reasons = [walk(row(Value(z, label="x")))[-1].edges[0].reason for z in (x, math.nan)]
    assert reasons == ["x ≠ 0" if x else "", "maximum(x, x - 1)"]
