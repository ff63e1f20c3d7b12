"""Gradient checks: the right verdicts, wrong gradients traced to their source, and no false alarms."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from suite import extremes, faults, judged, readings
from test_primitives import NAMES, sample

from autograd import (
    DomainError,
    Primitive,
    Unary,
    Value,
    arctan2,
    ceil,
    dot,
    exp,
    floor,
    floor_divide,
    gradients,
    hypot,
    jvp,
    log,
    log1p,
    maximum,
    multiply,
    power,
    primitives,
    relu,
    sin,
    softplus,
    sqrt,
    step,
    tanh,
    total,
    walk,
    where,
)
from autograd.checking import gradcheck
from autograd.checking.numeric import slope
from autograd.checking.report import Report
from autograd.checking.rounding import Rounded
from autograd.checking.verdicts import HIDDEN
from autograd.mistakes import MISTAKES, totals
from autograd.strategies import ROWS, Network, Program, networks, programs
from autograd.value import topological

cube = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * x)  # a wrong rule


def verdicts(report: Report) -> set[str]:
    return {check.verdict for check in (*report.inputs, *report.edges)}


# Numeric derivatives


@pytest.mark.parametrize(
    ("f", "x", "right", "tolerance"),
    [
        (math.exp, 1.0, math.e, 1e-12),
        (math.exp, 0.0, 1.0, 1e-12),
        (math.exp, 1e-300, 1.0, 1e-12),
        (math.exp, 709.5, math.exp(709.5), 1e-12),
        (math.log, 1e-5, 1e5, 1e-11),
        (math.log, 1e-300, 1e300, 1e-9),
        (math.log, 1e300, 1e-300, 1e-9),
        (math.sqrt, 1e-12, 0.5e6, 1e-11),
        (math.tanh, 10.0, 1 / math.cosh(10) ** 2, 1e-5),
        (math.tan, 1.5707, 1 + math.tan(1.5707) ** 2, 1e-11),
        (lambda x: x**3, 1e100, 3e200, 1e-12),
        (lambda x: x**3, 1e-100, 3e-200, 1e-12),
        (lambda x: math.sin(50 * x), 1.3, 50 * math.cos(65), 1e-10),
        (lambda x: math.tanh(1e6 * x), 0.0, 1e6, 1e-12),  # steep, but not a jump
        (lambda x: max(x, 0.0), 3e-4, 1.0, 1e-12),
        (lambda x: (x + 1e10) - 1e10, 1.0, 1.0, 1e-2),  # a staircase
    ],
)
def test_numeric_derivatives_are_within_their_estimated_errors(
    f: Callable[[float], float], x: float, right: float, tolerance: float
) -> None:
    def inside(x: float) -> float:
        try:
            return f(x)
        except (ValueError, OverflowError):
            return math.nan

    found = slope(inside, x)
    assert found.kind == "smooth" and abs(found.value - right) <= 2 * found.error <= 2 * tolerance * abs(right)


@pytest.mark.parametrize("x", [20000.3, 0.3, 300.3, 1e6 + 0.3, 1e7 + 0.3, 1e8 + 0.3, 1e9 + 0.3])
def test_waves_shorter_than_the_step_are_noticed(x: float) -> None:
    report = gradcheck(lambda x: sin(x * x), x)
    assert report.verdict == ("correct" if x < 1e7 else "unsure"), str(report)
    half = gradcheck(lambda x: sin(x * x.data), x)  # half the gradient
    assert half.verdict == ("wrong" if x < 1e7 else "unsure"), str(half)


def test_rounded_numbers_show_the_rounding() -> None:
    def spread(f: Callable[[Any], Any], x: float) -> float:
        found = [float(f(Rounded(x, Random(i)))) for i in range(9)]
        return max(found) - min(found)

    assert spread(lambda x: (x + 1e10) - 1e10, 0.1) >= math.ulp(1e10)
    assert spread(lambda x: sin(x * x), 20000.3) > 1e-8 > spread(lambda x: sin(x), 20000.3)
    assert spread(lambda x: softplus(x) * 1, 0.5) < 1e-14 and spread(lambda x: +x, 0.5) <= 2 * math.ulp(0.5)
    assert float(dot([Rounded(3.0, None)], [2.0], 1.0)) == 7.0 and repr(Rounded(1.0, None)) == "Rounded(1.0)"


# Verdicts


@pytest.mark.parametrize("x", [2e4, 1e-5, 3.0, -0.7])
@pytest.mark.parametrize("f", [sin, lambda x: x**3 - 2 * x, lambda x: 1 / x, softplus, lambda x: (x * x + 1).log()])
def test_steps_scale_with_x(f: Callable[[Any], Any], x: float) -> None:
    report = gradcheck(f, x)
    assert report, str(report)


@pytest.mark.parametrize(
    ("f", "x", "slopes"),
    [
        (relu, 0.0, (0, 1)),
        (abs, 0.0, (-1, 1)),
        (lambda x: maximum(x, 1.5), 1.5, (0, 1)),
        (lambda x: maximum(2 * x, x * x + 1) * 3, 1.0, None),  # the two touch, so there is no kink
        (lambda x: x.prelu(0.25) + 2 * x, 0.0, (2.25, 3)),
        (lambda x: where(x > 1, 5 * x, x + 4), 1.0, (1, 5)),
        (lambda x: 5 * x if x > 1 else x + 4, 1.0, (1, 5)),
        (lambda x: (x + exp(x)) * abs(x), 0.0, (-1, 1)),
        (relu, 1e-5, (0, 1)),
        (relu, -1e-5, (0, 1)),
        (relu, 1e-9, (0, 1)),
        (lambda x: maximum(x, 1000.0), 1000.001, (0, 1)),
    ],
)
def test_kinks_are_recognised_at_and_near_them(f: Callable[[Any], Any], x: float, slopes: tuple[float, float] | None) -> None:
    report = gradcheck(f, x)
    check = report.inputs[0]
    if slopes is None:
        assert check.verdict == "correct"
        return
    assert report.verdict == "kink" and not report and check.verdict == "kink", str(report)
    assert f"the slope is {slopes[0]:.4g} on the left and {slopes[1]:.4g} on the right" in check.reason
    if check.reason.startswith("a kink:"):
        assert math.isnan(check.numeric)
    else:  # near a kink, the derivative of this side was compared
        side = "right" if x < 0 else "left"
        assert f"to the {side}" in check.reason and "is right on this side" in check.reason
        assert abs(check.numeric - check.analytic) < 1e-6


def test_at_a_kink_a_derivative_that_is_not_between_the_slopes_is_wrong() -> None:
    wild = Unary("wild", relu.function, lambda x, out: 2.0)
    near = Unary("near", relu.function, lambda x, out: 0.5)
    assert gradcheck(wild, 0.0).verdict == "wrong" and "this is a kink: the slope is 0" in str(gradcheck(wild, 0.0))
    assert gradcheck(near, 0.0).verdict == "kink" and gradcheck(near, 1e-5).verdict == "wrong"


def test_jumps_are_kinks_with_their_height() -> None:
    assert gradcheck(step, 0.0).inputs[0].reason == "a jump: the value changes by 1 at once"
    beside = gradcheck(lambda x: step(x) + x, 1e-5).inputs[0].reason
    assert "a jump up to 3e-05 to the left: the value changes by 1 at once" in beside
    hole = gradcheck(lambda x: x + 1 if x > 0 else (x + 1 if x < 0 else x), 0.0)
    assert hole.verdict == "kink" and "changes by 1 at once" in str(hole)


def test_edges_of_domains() -> None:
    near = gradcheck(log, 1e-5)
    assert near and near.inputs[0].reason == "compared with steps below 3e-05, where the domain ends"
    assert gradcheck(log, 1e-300) and gradcheck(sqrt, 1e-12) and gradcheck(log1p, -1 + 1e-9)
    assert gradcheck(log, 3.0).inputs[0].reason == ""
    upright = gradcheck(sqrt, 0.0)
    assert upright.verdict == "domain" and upright.inputs[0].reason == "the slope grows without bound; the rule gives ∞"
    one_sided = gradcheck(lambda x: x + power(x, 1.5), 0.0)
    assert one_sided.inputs[0].verdict == "correct"
    assert one_sided.inputs[0].reason == "compared from the right only, because the other side has no value"
    lone = gradcheck(power, -8.0, 3.0)
    assert lone.verdict == "domain" and lone.inputs[0].verdict == "correct"
    assert lone.inputs[1].reason == "no number next to this one is in the domain"
    assert gradcheck(lambda x: power(x, 1.06) + x, 0.0).inputs[0].verdict == "unsure"  # the quotients converge too slowly


def test_checks_that_zero_would_pass_are_vacuous() -> None:
    cases: list[tuple[Callable[[Any], Any], float]]
    cases = [(relu, -1.0), (tanh, 30.0), (lambda x: step(x) * 3, 0.5), (lambda x: 0 * x, 2.0), (lambda x: x**2, 0.0)]
    for f, x in cases:
        report = gradcheck(f, x)
        assert report.verdict == "vacuous" and not report
        assert "a gradient of zero would pass as well" in report.inputs[0].reason
    tiny = gradcheck(lambda x: 1e8 + 1e-10 * x, 1.0)
    assert tiny.verdict == "vacuous" and tiny.inputs[0].reason == "1e-10 cannot be told from 0 with an error of 4e-06"
    # A single derivative of 0 among others does not make the check vacuous.
    assert gradcheck(lambda x, y: relu(x) + y, -1.0, 2.0) and gradcheck(lambda x: where(x > 0, x * x, -x), 2.0)
    assert gradcheck(lambda x: log(x + 100000), 1.0)  # small, but clearly distinct from 0


def test_a_rule_is_tried_elsewhere_where_its_derivative_is_zero() -> None:
    dead = Unary("dead", relu.function, lambda x, out: 0.0)
    report = gradcheck(lambda x, y: dead(x) + y, -1.0, 2.0)
    assert report.verdict == "wrong" and report.cause == "rule"
    assert report.edges[0].reason.startswith("0 is right here; at x = 0.5 the rule gives 0, but the slope is 1 ±")
    fine = gradcheck(lambda x, y: relu(x) + y, -1.0, 2.0)
    assert fine and fine.edges[0].reason == "0 here; its rule was compared at x = 0.5 as well"


# Where a wrong gradient comes from


def test_a_wrong_rule_is_named_with_its_edge() -> None:
    w, x = Value(2.0, label="w"), Value(1.0, label="x")
    y = tanh(cube(w) * x * 0.1) + w
    report = gradcheck(y)
    assert report.verdict == "wrong" and report.cause == "rule" and not report
    [edge] = [check for check in report.edges if check.verdict == "wrong"]
    assert (edge.name, edge.at, edge.analytic, edge.operand) == ("∂cube/∂x", "x = 2", 6.0, 0)
    assert edge.node is not None and edge.node.primitive is cube and abs(edge.numeric - 12) < 1e-10
    assert edge.reason.startswith("the rule 3·x gives 6, but the slope is 12 ±") and edge.reason.endswith(", in cube(w) = 8.0")
    assert [check.verdict for check in report.inputs] == ["wrong", "correct"]
    assert report.inputs[0].reason.endswith("it comes from the rule")
    assert "wrong: the local derivative ∂cube/∂x is wrong." in str(report)


def test_the_operand_of_a_wrong_rule_is_named() -> None:
    def doubled(v: Sequence[Any], out: Any) -> Sequence[Any]:
        first, second, *rest = dot.gradient(v, out)
        return first, 2 * second, *rest

    for row, point, name in [
        (replace(multiply, name="product", partial_y=lambda x, y, out: y), (3.0, 5.0), "∂product/∂y"),
        (replace(power, name="raised", partial_y=lambda x, y, out: -out * log(x)), (2.0, 3.0), "∂raised/∂y"),
        (replace(dot, name="net", gradient=doubled), (1.0, 2.0, 0.5, -3.0, 0.25), "∂net/∂x1"),
    ]:
        report = gradcheck(lambda *v, row=row: row.apply(v), *point)
        assert [check.name for check in report.edges if check.verdict == "wrong"] == [name], str(report)


def test_a_graph_that_lacks_a_part_of_the_function_is_wrong() -> None:
    report = gradcheck(lambda x: x * x.data, 3.0)
    assert report.verdict == "wrong" and report.cause == "graph" and verdicts(report) == {"wrong", "correct"}
    assert "the graph lacks a part of the function" in str(report)
    assert (report.inputs[0].analytic, report.inputs[0].at) == (3.0, "x = 3") and abs(report.inputs[0].numeric - 6) < 1e-9


@pytest.mark.parametrize("mistake", ["overwrite", "unsorted", "recursion"])
def test_a_wrong_accumulation_is_distinguished_from_a_wrong_rule(mistake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def backward(self: Value, upstream: float = 1.0) -> None:
        moves = list(MISTAKES[mistake](self))
        for x, gradient in totals(moves).items():
            x.grad = gradient

    def f(a: Any, b: Any) -> Any:
        c = a * b
        return c * tanh(c)

    assert gradcheck(f, 0.5, 3.0)
    monkeypatch.setattr(Value, "backward", backward)
    report = gradcheck(f, 0.5, 3.0)
    assert report.verdict == "wrong" and report.cause == "accumulation"
    assert all(check.verdict == "correct" for check in report.edges)
    assert all(check.verdict == "wrong" and check.reason.startswith("backward gives ") for check in report.inputs)
    assert "the local derivatives are right, but the backward pass combines them wrongly" in str(report)
    chain = gradcheck(lambda x: tanh(sin(x)), 0.5)
    assert chain  # on a chain none of these mistakes matters


def test_an_infinite_gradient_that_forward_mode_does_not_give_is_a_wrong_accumulation(monkeypatch: pytest.MonkeyPatch) -> None:
    def backward(self: Value, upstream: float = 1.0) -> None:
        for x in topological(self)[0].inputs:
            x.grad = math.inf

    monkeypatch.setattr(Value, "backward", backward)
    report = gradcheck(lambda x: x * 3, 2.0)
    assert report.cause == "accumulation" and report.inputs[0].reason == "backward gives ∞, forward mode 3"


@pytest.mark.parametrize(
    ("f", "point", "origin", "is_product"),
    [
        (lambda x: sqrt(x) ** 2, (0.0,), "sqrt(x)", True),
        (lambda x, y: sqrt(x * x + y * y), (0.0, 0.0), "y * y", True),
        (lambda x: relu(sqrt(x)), (0.0,), "sqrt(x)", True),
        (lambda x: sqrt(x) * 0.0 + x, (0.0,), "sqrt(x)", True),
        (lambda x: sqrt(x) - sqrt(x), (0.0,), "sqrt(x)", False),
        (lambda x, y: sqrt(x) ** 2 + y, (0.0, 2.0), "sqrt(x)", True),
    ],
)
def test_a_gradient_that_is_nan_is_explained(
    f: Callable[..., Any], point: Sequence[float], origin: str, is_product: bool
) -> None:
    report = gradcheck(f, *point)
    assert report.cause == "nonfinite" and not report
    reasons = [check.reason for check in report.inputs if math.isnan(check.analytic)]
    assert reasons and all(origin in reason for reason in reasons)
    for fact in ("0·∞ is NaN", "hypot"):
        assert [fact in reason for reason in reasons] == [is_product] * len(reasons)
    assert ".data" not in str(report)


def test_products_that_overflow_in_one_order_are_not_a_wrong_accumulation() -> None:
    report = gradcheck(lambda x: x * 1e-200 * 1e-200 * 1e200 * 1e200, 2.0)
    assert report.cause == "nonfinite" and "1e+200 · 1e+200" in report.inputs[0].reason


def test_a_nan_that_a_rule_returns_is_not_taken_for_a_product() -> None:
    assert gradcheck(arctan2, 0.0, 0.0).cause == "" and gradcheck(arctan2, 0.0, 0.0).verdict == "kink"
    assert gradcheck(hypot, 0.0, 0.0).verdict == "kink" and gradcheck(sqrt, 0.0).cause == ""
    # A part that the graph lacks is found even beside a gradient that is NaN.
    assert gradcheck(lambda x, y: sqrt(x) ** 2 + y * y.data, 0.0, 2.0).cause == "graph"


@pytest.mark.parametrize(
    ("f", "point", "node"),
    [
        (floor, (1e150,), "floor(x)"),
        (floor, (2.0**51 + 0.5,), "floor(x)"),
        (ceil, (-1e17,), "ceil(x)"),
        (lambda x: 1 // x, (1e-20,), "1.0 // x"),
        (lambda x: 1 % x, (1e-20,), "1.0 % x"),
        (lambda x: x % -1e150, (1e-300,), "x % (-1e+150)"),
        (lambda x: floor(x * 1e160) + 3.0, (0.7,), "floor("),
        (floor_divide, (1e150, 3.0), "x // y"),
        (floor, (10000.3,), "floor(x)"),
        (lambda x: 1 // x, (0.0010001,), "1.0 // x"),
        (lambda x: floor(2.0**17 * x) / 2.0**17 + sin(0.1), (0.300375,), "floor("),
    ],
)
def test_kinks_closer_than_floats_are_not_errors(f: Callable[..., Any], point: Sequence[float], node: str) -> None:
    report = gradcheck(f, *point)
    assert report.verdict == "kink" and report.cause == "" and not report
    hidden = [check for check in report.inputs if check.verdict == "kink"]
    assert hidden and all(check.reason.startswith(HIDDEN) and node in check.reason for check in hidden)
    assert any(check.reason == HIDDEN for check in report.edges)


def test_a_hidden_kink_does_not_excuse_other_errors() -> None:
    report = gradcheck(lambda x, y: floor(x) + y * y.data, 1e150, 1e75)
    assert report.verdict == "wrong" and report.cause == "graph"
    assert [check.verdict for check in report.inputs] == ["kink", "wrong"]
    # Where floats resolve the kinks, a wrong rule stays wrong.
    steep = replace(primitives.floor, name="steep", partial=lambda x, out: 1)
    assert gradcheck(steep, 2.5).verdict == gradcheck(lambda x: steep(x) * 0.5 + x, 20.5).verdict == "wrong"
    wild = replace(relu, name="wild", partial=lambda x, out: 2.0)
    assert gradcheck(wild, 0.0).verdict == gradcheck(wild, 5e-324).verdict == "wrong"
    twice = replace(maximum, name="twice", partial_x=lambda x, y, out: 2.0)
    assert gradcheck(lambda x: twice(x, 1.5), 1.5).verdict == "wrong"


def test_graphs_are_checked_at_finite_points() -> None:
    for x in (math.inf, -math.inf, math.nan):
        for y in (1 / (Value(x, label="q") + 1), where(Value(1.0) > 0, 2.0, Value(x, label="q")) * 3):
            with pytest.raises(ValueError, match=r"q is .*; gradients are checked at finite points"):
                gradcheck(y)


# Second derivatives, many inputs, graphs


def test_second_derivatives() -> None:
    report = gradcheck(lambda x, y: x**2 * exp(y), 3.0, 0.5, order=2)
    assert report and [check.name for check in report.inputs] == [
        "∂f/∂x", "∂f/∂y", "∂²f/∂x∂x", "∂²f/∂x∂y", "∂²f/∂y∂x", "∂²f/∂y∂y",
    ]  # fmt: skip
    assert gradcheck(lambda x: sin(x) * x, 0.7, order=3).inputs[2].name == "∂³f/∂x∂x∂x"
    assert gradcheck(lambda x: 3 * x, 2.0, order=2).verdict == "vacuous"
    # The number of this rule is right, but half of its graph is cut off.
    cut = Unary("cut", lambda x: x**3, lambda x, out: 3 * x * getattr(x, "data", x))
    assert gradcheck(cut, 2.0) and gradcheck(cut, 2.0, order=2).verdict == "wrong"


def test_many_inputs_are_checked_in_random_directions() -> None:
    def f(v: list[Any]) -> Any:
        return tanh(dot(v[:13], v[13:])) + total([x * x for x in v])

    point = [round(math.sin(i), 2) for i in range(26)]  # more than 24
    report = gradcheck(f, point)
    assert report and len(report.inputs) == 6 and report.inputs[0].name == "∂f/∂direction1"
    assert str(report) == str(gradcheck(f, point)) != str(gradcheck(f, point, seed=1))
    cut = gradcheck(lambda v: f([*v[:7], Value(v[7].data), *v[8:]]), point)
    assert cut.verdict == "wrong" and [c.name for c in cut.inputs[6:]] == ["∂f/∂v[7]"]


@pytest.mark.slow
def test_second_derivatives_of_many_inputs_are_checked_in_random_directions() -> None:
    assert gradcheck(
        lambda v: tanh(dot(v[:13], v[13:])) + total([x * x for x in v]), [0.1 * i for i in range(-13, 13)], order=2
    )


def test_gradients_of_the_nodes_stay_as_they_were() -> None:
    w, b = Value(2.0, label="w"), Value(1.0)
    inner = w * b
    y = inner * inner + w
    y.backward()
    before = [node.grad for node in (w, b, inner, y)]
    assert gradcheck(y) and gradcheck(lambda x: x * w + inner, 3.0)
    assert [node.grad for node in (w, b, inner, y)] == before and w.data == 2.0


def test_a_graph_is_checked_by_its_leaves() -> None:
    x = Value(0.5, label="x")
    loss = (x * Value(3.0) + 1).sigmoid()
    loss.label = "loss"
    report = gradcheck(loss)
    assert report and [(check.name, check.at) for check in report.inputs] == [("∂loss/∂x", "x = 0.5"), ("∂loss/∂v1", "v1 = 3")]
    assert [check.node for check in report.edges][-1] is not None and len(report.edges) == 4
    assert [check.name for check in gradcheck(x * Value(2.0, label="x")).inputs] == ["∂f/∂x", "∂f/∂x′"]  # as in `walk`
    assert [check.at for check in gradcheck(lambda a, b: a * b, x, Value(3.0, label="x")).inputs] == ["a = 0.5", "b = 3"]


def test_points_may_be_nested_and_labelled() -> None:
    report = gradcheck(lambda w, rows: w * rows[0][1] + rows[1][0] ** 2, Value(2.0, label="weight"), [(1.0, 2.0), (3.0,)])
    assert [check.name for check in report.inputs] == ["∂f/∂weight", "∂f/∂rows[0][0]", "∂f/∂rows[0][1]", "∂f/∂rows[1][0]"]
    assert report and report.inputs[1].is_flat
    assert gradcheck(lambda *v: v[0] * v[1], 1.5, np.float64(2.0)).inputs[1].name == "∂f/∂x1"


def test_micrograds_example() -> None:
    def f(a: Any, b: Any) -> Any:
        c = a + b
        d = a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + (b + a).relu()
        d += 3 * d + (b - a).relu()
        e = c - d
        g = e**2 / 2.0
        return g + 10.0 / e**2

    assert gradcheck(f, -4.0, 2.0, order=2)


# Properties


@given(programs(longest=60))
def test_random_graphs_raise_no_false_alarm(program: Program) -> None:
    leaves = [Value(x, f"x{i}") for i, x in enumerate(program.leaves)]
    y = program(leaves)
    report = gradcheck(y)
    assert report.verdict in {"correct", "vacuous", "unsure"}, f"{program}\n{report}"
    # Rounding may hide only derivatives that vanish beside the value.
    hidden = [check for check in report.edges if check.verdict == "unsure"]
    assert all(c.node is not None and abs(c.analytic) < 1e-6 * max(1.0, abs(c.node.data)) for c in hidden), (
        f"{program}\n{report}"
    )
    steps = walk(y)
    y.backward()
    used = {x for node in topological(y) for x in node.inputs}
    assert [g.data for g in gradients(y, leaves)] == [leaf.grad for leaf in leaves]
    assert all(steps.gradients[leaf] == leaf.grad for leaf in leaves if leaf in used)
    size = max(1.0, *(abs(leaf.grad) for leaf in leaves))
    for i, leaf in enumerate(leaves):
        _, tangent = jvp(lambda *xs: program(xs), program.leaves, [float(i == j) for j in range(len(leaves))])
        assert tangent == pytest.approx(leaf.grad, rel=1e-9, abs=1e-9 * size)


@settings(max_examples=15)
@given(networks())
def test_networks(network: Network) -> None:
    report = gradcheck(network, list(network.parameters))
    assert report.verdict in {"correct", "vacuous", "unsure"}, f"{network}\n{report}"
    assert all(check.verdict in {"correct", "unsure"} for check in report.edges)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_rows_at_ordinary_points_and_at_their_singular_points(row: Primitive) -> None:
    assert list(faults(row)) == []


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_every_reading_of_a_row_gives_the_same_derivatives(row: Primitive) -> None:
    for data in (*sample(row), *extremes(row), *row.singular):
        try:
            row.evaluate(data)
        except DomainError:
            continue
        first, *others = map(repr, (found := readings(row, data)).values())
        assert all(other == first for other in others), f"{row.name} at {data}: {found}"


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_rows_at_extreme_magnitudes(row: Primitive) -> None:
    found = list(judged(row, list(extremes(row))))
    # The derivative of a power with respect to its exponent is NaN for a negative base, and flat where all floats are even.
    wrong = [check for check in found if check.verdict == "wrong" and not math.isnan(check.analytic)]
    assert found and not wrong, "\n".join(map(str, wrong))
    assert sum(check.verdict in ("correct", "kink") for check in found) > 0.6 * len(found)
