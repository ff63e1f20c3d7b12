"""The classic mistakes: each is a wrong algorithm, silent exactly where it does no harm."""

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from misconceived import leaves_of

from autograd import Value, dot, exp, grad, leaky_relu, log, primitives, relu, sigmoid, tanh, walk
from autograd.__main__ import main
from autograd.demo import POINT, network
from autograd.mistakes import MISTAKES, activations, sorted_pass, totals, updated_too_soon
from autograd.steps import Mistake
from autograd.strategies import Network, Program, networks, programs
from autograd.value import topological
from nn import MLP, losses


def shared() -> Value:
    h = Value(2.0, label="x") * 3
    h.label = "h"
    return h * 2 + h * 5


@pytest.mark.parametrize("mistake", ["recursion", "overwrite", "unsorted"])
def test_mistakes_that_change_nothing_are_silent(mistake: Any) -> None:
    x = Value(0.5)
    chain = exp((x * 2).tanh() + 1)
    tree = dot([Value(1.0), Value(2.0)], [chain, 3.0])
    for loss in (chain, tree, x * 2):
        steps = walk(loss, mistake=mistake)
        assert steps.difference == "" and str(steps) == str(walk(loss)) and steps.gradients == walk(loss).gradients


@pytest.mark.parametrize(
    ("mistake", "make", "message"),
    [
        (
            "overwrite",
            lambda: (lambda a: a + a)(Value(1.0, label="a")),
            "a is used more than once, so its contributions add up: 1 + 1 = 2, not 1",
        ),
        (
            "overwrite",
            lambda: (lambda a: a * 3 + a * 4 + a * 5)(Value(1.0, label="a")),
            "a is used more than once, so its contributions add up: 5 + 4 = 9 so far, not 4",
        ),
        ("recursion", shared, "2 is used, but ∂loss/∂h is 7: v2 had not contributed yet"),
        (
            "recursion",
            lambda: (lambda h: h * 2 + h * 3 + h * 5)(Value(2.0, label="x") * 3),
            "2 is used, but ∂loss/∂v1 is 10: v3 and v5 had not contributed yet",
        ),
        ("recursion", lambda: (lambda h: h.tanh() + h)(Value(1.0) * 2), "v2 is visited a second time and passes on again"),
        (
            "unsorted",
            lambda: (lambda h: h + h.tanh().tanh())(Value(1.0) * 2),
            "is used, but ∂loss/∂v2 is 1.0313: v3 had not contributed yet",
        ),
    ],
)
def test_mistakes_that_change_something_are_described(mistake: Any, make: Callable[[], Value], message: str) -> None:
    loss = make()
    steps = walk(loss, mistake=mistake)
    right = walk(loss)
    assert message in steps.difference and f"wrong: {steps.difference}" in str(steps[-1])
    assert [str(step) for step in steps[:-1]][: len(right.order)] == [str(step) for step in right[: len(right.order)]]
    assert all(not step.mistake for step in steps[:-1])


def test_an_edge_that_overwrites_says_what_was_there() -> None:
    a = Value(3.0, "a")
    edges = [[edge.addition for edge in walk(a * a, mistake=mistake)[-1].edges] for mistake in (None, "overwrite")]
    assert edges == [["0 + 3 = 3", "3 + 3 = 6"], ["0 + 3 = 3", "set to 3, where it was 3"]]


def test_recursion_is_right_if_only_leaves_are_shared() -> None:
    x = Value(3.0)
    assert walk(x * x, mistake="recursion").difference == ""
    a, b = Value(2.0), Value(3.0)
    c, d = a + b, a * b
    y = (c + d) + c * d
    steps = walk(y, mistake="recursion")
    assert "1 is used, but" in steps.difference


def test_the_rounding_of_a_sum_in_another_order_is_no_mistake() -> None:
    h = Value(1.0, "x") * 1
    loss = (h + h + h * 0.2) * 0.7
    steps = walk(loss, mistake="unsorted")
    assert totals(MISTAKES["unsorted"](loss))[h] != walk(loss).gradients[h]
    assert steps.difference == "" and len(steps) == len(walk(loss))


@pytest.mark.parametrize("mistake", ["sloppy", ["recursion"], {}, 5])
def test_an_unknown_mistake(mistake: Any) -> None:
    with pytest.raises(ValueError, match=r"unknown mistake .*; choose from recursion, overwrite, unsorted"):
        walk(Value(1.0) * 2, mistake=mistake)


# On random graphs and networks


def is_close(x: float, y: float, scale: float) -> bool:
    return abs(x - y) <= 1e-12 * max(scale, abs(x), abs(y)) or (math.isnan(x) and math.isnan(y)) or x == y


def agree(found: Mapping[Value, float], right: Mapping[Value, float]) -> bool:
    """Whether two passes give the same gradients, up to the rounding of sums in another order."""
    slack = 1e-13 * max([abs(x) for x in right.values() if math.isfinite(x)], default=0.0)
    return all(
        found[x] == right[x] or (math.isnan(found[x]) and math.isnan(right[x])) or abs(found[x] - right[x]) <= slack
        for x in right
    )


# Here a contribution that is read after an update differs by less than the rounding of the sum.
ABSORBED = Program(
    (-1.8,),
    (
        (primitives.total, (0, 0, 0)),
        (primitives.positive, (1,)),
        (primitives.square, (2,)),
        (primitives.cbrt, (0,)),
        (primitives.logsumexp, (3, 4, 4)),
        (primitives.add, (0, 5)),
    ),
)


# Here `recursion` adds 1, -1 and 0.25 in another order.
IN_ANOTHER_ORDER = Program(
    (0.01, 0.0, 0.0, 0.0),
    (
        (primitives.add, (3, 3)),
        (primitives.subtract, (4, 0)),
        (primitives.total, (0, 5, 3)),
        (primitives.positive, (0,)),
        (primitives.sigmoid, (7,)),
        (primitives.total, (6, 8, 3)),
    ),
)


@pytest.mark.parametrize("name", MISTAKES)
@example(ABSORBED)
@example(IN_ANOTHER_ORDER)
@given(programs(12))
def test_a_mistake_is_silent_exactly_where_it_does_no_harm(name: Any, program: Program) -> None:
    loss = program([Value(x, f"x{i}") for i, x in enumerate(program.leaves)])
    steps, right = walk(loss, mistake=name), walk(loss)
    assert bool(steps.difference) == ("wrong: " in str(steps[-1])) and not any(step.mistake for step in steps[:-1])
    if not steps.difference:
        assert agree(totals(MISTAKES[name](loss)), right.gradients) and len(steps) == len(right)
    elif name not in ("recursion", "unsorted"):  # these two may visit a node again only to pass on 0
        wrong, own = (
            [(move.delta, *move.reading.partials, *move.sums) for move in moves]
            for moves in (MISTAKES[name](loss), sorted_pass(loss))
        )
        assert wrong != own  # the totals may agree by chance or rounding, as 1 + 1 - 1 and its last term 1
        assert len(steps) <= len(right)


@given(programs(12))
def test_without_zero_grad_the_gradients_are_those_of_two_backward_passes(program: Program) -> None:
    loss = program([Value(x) for x in program.leaves])
    found = totals(MISTAKES["zero-grad-forgotten"](loss))
    loss.backward()
    loss.backward()
    assert all(found[x] == x.grad for x in found)


def surrogate(node: Value, loss: Value, replaced: Callable[[Value, list[Any]], Any]) -> float:
    """Return the gradient with respect to `node` of a graph in which some operations are replaced."""
    twins: dict[Value, Value] = {x: Value(x.data) for x in leaves_of(loss)}
    for other in topological(loss):
        operands = [twins[x] if isinstance(x, Value) else x for x in other.operands]
        new = replaced(other, operands)
        twins[other] = other.primitive.apply(operands) if new is None and other.primitive is not None else new
    twins[loss].backward()
    return twins[node].grad


@given(networks())
def test_a_forgotten_activation_is_the_gradient_of_a_network_that_is_linear_there(drawn: Network) -> None:
    loss = drawn([Value(x) for x in drawn.parameters])
    found, neurons = totals(MISTAKES["activation-forgotten"](loss)), activations(loss)
    assert all(x.inputs[0].primitive is dot for x in neurons) or not any(x.primitive is dot for x in topological(loss))
    for leaf in leaves_of(loss):
        right = surrogate(leaf, loss, lambda node, on: on[0] + (node.data - on[0].data) if node in neurons else None)
        assert is_close(found[leaf], right, max(map(abs, found.values())))


@given(networks())
def test_the_derivative_at_the_output_is_that_of_another_tangent(drawn: Network) -> None:
    loss = drawn([Value(x) for x in drawn.parameters])
    found, neurons = totals(MISTAKES["out-for-net"](loss)), activations(loss)
    assume(all(map(math.isfinite, found.values())))  # the slope of sinh at its own output overflows soon

    def tangent(node: Value, on: list[Any]) -> Any:
        row: Any = node.primitive
        return node.data + float(grad(row)(node.data).data) * (on[0] - on[0].data) if node in neurons else None

    for leaf in leaves_of(loss):
        assert is_close(found[leaf], surrogate(leaf, loss, tangent), max(map(abs, found.values())))


@given(st.randoms(use_true_random=False))
def test_a_lost_sign_is_the_gradient_of_a_graph_with_plus_in_place_of_minus(rng: Random) -> None:
    results = [Value(rng.uniform(-2, 2)) for _ in range(3)]
    for _ in range(8):
        x, y = rng.choice(results), rng.choice(results)
        results.append(rng.choice([x + y, x - y, x * y, -x, 1.5 - x, tanh(x)]))
    loss = results[-1]

    def plus(node: Value, on: list[Any]) -> Any:
        last = on[-1] if isinstance(on[-1], Value) else None
        if node.primitive is primitives.negative:
            return on[0] - 2 * on[0].data
        return on[0] + (last - 2 * last.data) if node.primitive is primitives.subtract and last is not None else None

    found = totals(MISTAKES["sign"](loss))
    for leaf in leaves_of(loss):
        assert is_close(found[leaf], surrogate(leaf, loss, plus), max(map(abs, found.values())))


def test_weights_that_are_updated_too_soon_by_hand() -> None:
    nodes = network(**POINT)
    found = totals(updated_too_soon(nodes["E"], rate=2.0))
    t, r_o, r_h, w_o, i = (nodes[name].data for name in ("t", "r_o", "r_h", "w_o", "i"))
    delta_o = -(t - r_o) * r_o * (1 - r_o)
    delta_h = delta_o * (w_o - 2.0 * delta_o * r_h) * r_h * (1 - r_h)
    assert found[nodes["net_o"]] == pytest.approx(delta_o, rel=1e-15)
    assert found[nodes["w_o"]] == pytest.approx(delta_o * r_h, rel=1e-15)
    assert found[nodes["net_h"]] == pytest.approx(delta_h, rel=1e-15)
    assert found[nodes["w_h"]] == pytest.approx(delta_h * i, rel=1e-15)


# Descriptions


def test_each_mistake_says_which_derivative_it_used_and_where() -> None:
    error = network(**POINT)["E"]
    differences = {
        name: walk(error, mistake=name).difference for name in get_args(Mistake)
    }  # the names in the type of walk's argument
    assert differences == {
        "recursion": "", "overwrite": "", "unsorted": "",
        "activation-forgotten": "∂r_o/∂net_o = r_o·(1 - r_o) = 0.23404, not 1",
        "zero-grad-forgotten": "t.grad starts at 0.62633, which an earlier pass left, not at 0",
        "sign": "∂v1/∂r_o = -1, not 1",
        "out-for-net": "∂r_o/∂net_o = r_o·(1 - r_o) = 0.23404, not 0.24147: it was read at net_o = 0.37367 instead of -0.51653",
        "updated-too-soon": "∂net_o/∂r_h = w_o = -0.8, not -0.79054: it was read at w_o = -0.79054 instead of -0.8",
    }  # fmt: skip
    assert list(differences) == list(MISTAKES)


def test_the_wrong_step_shows_the_derivative_that_was_used() -> None:
    last = walk(network(**POINT)["E"], mistake="activation-forgotten")[-1]
    assert str(last) == (
        "backward 4/7: r_o = σ(net_o), ∂E/∂r_o = -0.62633\n"
        "    ∂r_o/∂net_o = 1\n"
        "        add (-0.62633)·1 = -0.62633 to net_o.grad: 0 + (-0.62633) = -0.62633\n"
        "    wrong: ∂r_o/∂net_o = r_o·(1 - r_o) = 0.23404, not 1"
    )


def test_a_shut_rectifier_passes_nothing_unless_its_derivative_is_forgotten() -> None:
    net = Value(-2.0, "net")
    steps = walk(relu(net) * 3, mistake="activation-forgotten")
    assert steps.difference == "∂v1/∂net = [net > 0] = 0, not 1" and steps.gradients[net] == 3.0
    assert walk(relu(net) * 3).gradients[net] == 0.0
    assert walk(log(net * -1), mistake="out-for-net").difference.startswith("∂loss/∂v1 = 1 / v1 = 0.5, not 1.4427: it was read")
    assert walk(log(net * -0.1), mistake="out-for-net").difference == "", "the output is outside the domain"


def test_only_neurons_have_activations_if_there_are_any() -> None:
    model = MLP(2, [2, 1], activation="tanh", output="sigmoid", seed=1)
    loss = losses.binary_cross_entropy(model([1.0, 0.5]), 1.0)
    assert {x.primitive for x in activations(loss)} == {tanh, sigmoid} and len(activations(loss)) == 3
    x = Value(0.5)
    assert len(activations(exp(x * 2).tanh())) == 2
    assert not activations(-x) and not activations(leaky_relu(1.0, x))


def test_numbers_that_look_alike_get_more_digits() -> None:
    nodes = network(**POINT)
    w, x = Value(0.5, "w"), Value(1e-6, "x")
    h = x * 2
    difference = walk((w * h) * 1e-3, mistake="updated-too-soon").difference
    assert difference == "∂v2/∂v1 = w = 0.5, not 0.4999999998: it was read at w = 0.4999999998 instead of 0.5"
    assert totals(sorted_pass(nodes["E"])) == walk(nodes["E"]).gradients


def test_of_two_leaves_that_moved_the_one_in_the_rule_is_named() -> None:
    w, x = Value(0.5, "w"), Value(2.0, "x")
    difference = walk(relu(w * x) * (w - x), mistake="updated-too-soon").difference
    assert difference == "∂v1/∂w = x = 2, not 2.1: it was read at x = 2.1 instead of 2"
    steps = walk(relu(w) + w * 10, mistake="updated-too-soon")  # from the new weight nothing flows
    assert steps.difference == "∂v1/∂w = [w > 0] = 1, not 0: it was read at w = -0.5 instead of 0.5"


@pytest.mark.parametrize("name", MISTAKES)
def test_the_command_line_makes_each_mistake(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["(t - sigmoid(w*h + h))**2 * h", "t=1", "w=0.5", "h=-0.8", "--mistake", name]
    assert main(command) == 0
    out = capsys.readouterr().out
    harmless = f"The mistake {name!r} changes nothing on this graph." in out
    assert harmless == (name in ("recursion", "unsorted"))
    assert harmless or (f"With the mistake {name!r}, this is the first step that differs:" in out and "    wrong: " in out)


def test_a_function_of_a_number_has_no_net_that_its_output_could_replace() -> None:
    slope = Value(0.25, "slope")
    assert walk(leaky_relu(-2.0, slope) * 3, mistake="out-for-net").difference == ""
