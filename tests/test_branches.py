"""A branch that is not taken contributes nothing, in every reading; a number that happens to be 0 is not such a branch.

The idea: each case is a function with its gradient at several points, on both sides of a choice.  Every reading must give that
gradient at each point, and a gradient's graph built at one of the points must give it at all others.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from suite import everywhere

from autograd import (
    DomainError,
    Primitive,
    Unary,
    Value,
    arctan2,
    ceil,
    clip,
    dot,
    exp,
    find_nonfinite,
    floor,
    gate,
    grad,
    gradients,
    hessian,
    hypot,
    jvp,
    leaky_relu,
    less,
    log,
    logsumexp,
    maximum,
    minimum,
    prelu,
    primitives,
    prod,
    relu,
    replay,
    sign,
    softmax,
    sqrt,
    step,
    total,
    walk,
    where,
)
from autograd.checking import gradcheck
from autograd.mistakes import MISTAKES
from autograd.risks import risks
from autograd.strategies import Program, widths
from autograd.transforms import chain_rule
from autograd.value import topological
from nn import MLP

inf, nan = math.inf, math.nan
Gradient = tuple[float, ...]


@dataclass(frozen=True)
class Case:
    """A function, and its gradient at some points."""

    name: str
    f: Callable[..., Any]
    at: dict[Gradient, Gradient]


def deep(x: Any) -> Any:
    """Return a long computation that begins with √x."""
    y = sqrt(x)
    for _ in range(30):
        y = y * 1.0 + 0.0
    return y


def shared(x: Any) -> Any:
    s = sqrt(x)
    return where(x > 1, s, x) + where(x > 1, x, s * 0.5)


CASES = [
    Case("where", lambda x: where(x > 0, sqrt(x), x), {(0.0,): (1.0,), (4.0,): (0.25,)}),
    Case("where, the other way", lambda x: where(x <= 0, x, sqrt(x)), {(0.0,): (1.0,), (4.0,): (0.25,)}),
    Case("maximum", lambda x: maximum(sqrt(x), 1), {(0.0,): (0.0,), (4.0,): (0.25,)}),
    Case("maximum, reflected", lambda x: maximum(1, sqrt(x)), {(0.0,): (0.0,), (4.0,): (0.25,)}),
    Case("maximum of three", lambda x: maximum(-1, sqrt(x), 1), {(0.0,): (0.0,), (4.0,): (0.25,)}),
    Case("minimum", lambda x: minimum(1 - sqrt(x), 0.5), {(0.0,): (0.0,), (4.0,): (-0.25,)}),
    Case("relu", lambda x: relu(x**0.5 - 1), {(0.0,): (0.0,), (4.0,): (0.25,)}),
    Case("above the choice", lambda x: sqrt(relu(x)), {(-1.0,): (0.0,), (4.0,): (0.25,)}),
    Case("above, and beside it", lambda x: sqrt(relu(x)) + 3 * x, {(-1.0,): (3.0,), (4.0,): (3.25,)}),
    Case("clip", lambda x: clip(sqrt(x), 0.5, 3), {(0.0,): (0.0,), (4.0,): (0.25,), (16.0,): (0.0,)}),
    Case("clip, above", lambda x: sqrt(clip(x, 0, 9)), {(-1.0,): (0.0,), (4.0,): (0.25,), (16.0,): (0.0,)}),
    Case("step", lambda x: step(sqrt(x) - 1) + x, {(0.0,): (1.0,), (4.0,): (1.0,)}),
    Case("step, above", lambda x: sqrt(step(x)), {(-1.0,): (0.0,), (4.0,): (0.0,)}),
    Case("gate", lambda x: gate(1 - sqrt(x)) * x, {(0.0,): (1.0,), (4.0,): (0.0,)}),
    Case("gate, above", lambda x: gate(x) ** 0.5 + x, {(-1.0,): (1.0,), (4.0,): (1.0,)}),
    Case("sign", lambda x: sign(sqrt(x) - 1) * x, {(0.0,): (-1.0,), (4.0,): (1.0,)}),
    Case("floor", lambda x: floor(sqrt(x) + 0.5) + x, {(0.0,): (1.0,), (4.0,): (1.0,)}),
    Case("floor, above", lambda x: sqrt(floor(x)) + x, {(0.5,): (1.0,), (4.5,): (1.0,)}),
    Case("ceil", lambda x: ceil(0.5 - sqrt(x)) * x, {(0.0,): (1.0,), (4.0,): (-1.0,)}),
    Case("floor_divide", lambda x: (sqrt(x) + 0.5) // 2 + x, {(0.0,): (1.0,), (4.0,): (1.0,)}),
    Case("a comparison", lambda x: (x > 1) ** 0.5, {(0.0,): (0.0,), (4.0,): (0.0,)}),
    Case("a comparison below", lambda x: (sqrt(x) > 1) * x, {(0.0,): (0.0,), (4.0,): (1.0,)}),
    Case("a comparison, reflected", lambda x: sqrt(less(2.0, x)) + x, {(0.0,): (1.0,), (4.0,): (1.0,)}),
    Case("a slope", lambda x, y: leaky_relu(x, sqrt(y)), {(1.0, 0.0): (1.0, 0.0), (-1.0, 4.0): (2.0, -0.25)}),
    Case("a learned slope", lambda x, y: prelu(x, y**0.5), {(1.0, 0.0): (1.0, 0.0), (-1.0, 4.0): (2.0, -0.25)}),
    Case("deep below", lambda x: where(x > 0, deep(x), x), {(0.0,): (1.0,), (4.0,): (0.25,)}),
    Case("nested", lambda x: where(x > 0, where(x > 1, sqrt(x - 0), x), x * 3), {(0.0,): (3.0,), (4.0,): (0.25,)}),
    Case("twice", lambda x: relu(maximum(sqrt(x), 1) - 1.5), {(0.0,): (0.0,), (4.0,): (0.25,)}),
    Case("two branches, one node", shared, {(0.25,): (1.5,), (4.0,): (1.25,)}),
    Case("overflow", lambda x: where(x < 1, x, exp(x) * 1e308 * 10), {(0.5,): (1.0,), (2.0,): (inf,)}),
    Case("overflow, its slope too", lambda x: where(x < 1000, 2 * x, exp(x)), {(900.0,): (2.0,), (1000.5,): (inf,)}),
    Case("overflow at a maximum", lambda x: maximum(-exp(x), -5), {(900.0,): (0.0,), (0.0,): (-1.0,)}),
    Case("overflow at a minimum", lambda w, x: minimum(w * exp(x), 5), {
        (1.0, 900.0): (0.0, 0.0), (2.0, 0.0): (1.0, 2.0)}),
    Case("overflow of a weight's factor", lambda w, x: where(x > 0, x, w * (exp(x) - 1)), {
        (2.0, 900.0): (0.0, 1.0), (2.0, 0.0): (0.0, 2.0)}),
    Case("overflow on both sides", lambda w, x: where(x > 0, w / (1 + exp(-x)), w * exp(x) / (1 + exp(x))), {
        (2.0, 900.0): (1.0, 0.0), (2.0, 0.0): (0.5, 0.5), (2.0, -900.0): (0.0, 0.0)}),
    Case("a product", lambda x, y: prod([where(x > 0, sqrt(x), x), y]), {(0.0, 3.0): (3.0, 0.0), (4.0, 3.0): (0.75, 2.0)}),
    Case("a dot", lambda x, y: dot([relu(x**0.5 - 1)], [y], 1.0), {(0.0, 3.0): (0.0, 0.0), (4.0, 3.0): (0.75, 1.0)}),
    Case("a sum", lambda x: total([where(x > 0, sqrt(x), x), x, 1.0]), {(0.0,): (2.0,), (4.0,): (1.25,)}),
    Case("a mean of dead units", lambda x, y: (sqrt(relu(x)) + sqrt(relu(y))) / 2, {
        (-1.0, 4.0): (0.0, 0.125), (4.0, -1.0): (0.125, 0.0), (-1.0, -1.0): (0.0, 0.0)}),
    Case("logsumexp above", lambda x: logsumexp([sqrt(relu(x)), x, 0]), {(-1.0,): (math.exp(-1) / (2 + math.exp(-1)),)}),
    # A value of 0, and a kink itself, are not such branches: 0·∞ is NaN.
    Case("a square of a root", lambda x: sqrt(x) ** 2, {(0.0,): (nan,), (4.0,): (1.0,)}),
    Case("times zero", lambda x: sqrt(x) * 0.0 + x, {(0.0,): (nan,), (4.0,): (1.0,)}),
    Case("times minus zero", lambda x: sqrt(x) * -0.0 + x, {(0.0,): (nan,), (4.0,): (1.0,)}),
    Case("times zero, below", lambda x: sqrt(x * 0.0), {(4.0,): (nan,), (-4.0,): (nan,)}),
    Case("a jump below a root", lambda x: sqrt(gate(x)), {(0.0,): (nan,), (-1.0,): (0.0,), (1.0,): (0.0,)}),
    Case("arctan2 at its middle", lambda x: where(x > 0, arctan2(x, x), x), {(1.0,): (0.0,), (0.0,): (1.0,)}),
    Case("times a variable zero", lambda x, y: sqrt(x) * y, {(0.0, 0.0): (nan, 0.0), (4.0, 0.0): (0.0, 2.0)}),
    Case("times a chosen zero", lambda x: sqrt(x) * where(x > 1, 1.0, 0.0), {(0.0,): (nan,), (4.0,): (0.25,)}),
    Case("a norm", lambda x, y: sqrt(x * x + y * y), {(0.0, 0.0): (nan, nan), (3.0, 4.0): (0.6, 0.8)}),
    Case("|√x|", lambda x: abs(sqrt(x)), {(0.0,): (nan,), (4.0,): (0.25,)}),
    Case("hypot", lambda x: hypot(sqrt(x), 0.0), {(0.0,): (nan,), (4.0,): (0.25,)}),
    Case("relu at its kink", lambda x: relu(sqrt(x)), {(0.0,): (nan,), (4.0,): (0.25,)}),
    Case("gate at its jump", lambda x: gate(sqrt(x)) + x, {(0.0,): (nan,), (4.0,): (1.0,)}),
    Case("a comparison at its jump", lambda x: sqrt(x > 1) + x, {(1.0,): (nan,), (4.0,): (1.0,)}),
    Case("maximum at a tie", lambda x: maximum(sqrt(x), 0), {(0.0,): (nan,), (4.0,): (0.25,)}),
    Case("minimum at a tie", lambda x: minimum(sqrt(x), x), {(0.0,): (nan,), (4.0,): (0.25,), (0.25,): (1.0,)}),
    Case("a weight that underflows", lambda x: logsumexp([sqrt(x), 1000.0]), {(0.0,): (nan,), (4e6,): (0.00025,)}),
    Case("a softmax that underflows", lambda x: softmax([sqrt(x), 1000.0])[1], {(0.0,): (nan,)}),
    Case("infinities at a tie", lambda x: maximum(exp(x), inf) * 0 + x, {(900.0,): (nan,)}),
    Case("one path taken, one not", lambda x: where(x > 1, sqrt(x), x) + sqrt(x), {(0.0,): (inf,), (4.0,): (0.5,)}),
]  # fmt: skip
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def agree(found: Sequence[float], expected: Sequence[float]) -> bool:
    return list(found) == pytest.approx(list(expected), rel=1e-12, nan_ok=True)


@each
def test_every_reading_gives_the_gradient(case: Case) -> None:
    for point, expected in case.at.items():
        for reading, gradient in everywhere(case.f, point).items():
            assert agree(gradient, expected), f"{reading} at {point} gives {gradient}, not {expected}"


@each
def test_a_gradients_graph_is_right_on_the_other_side(case: Case) -> None:
    for built in case.at:
        leaves = [Value(x) for x in built]
        slopes = gradients(case.f(*leaves), leaves)
        for point, expected in case.at.items():
            numbers = dict(zip(leaves, point, strict=True))
            found = [replay(slope, {x: numbers[x] for x in below(slope) if x in numbers}).data for slope in slopes]
            assert agree(found, expected), f"built at {built}, at {point} it gives {found}, not {expected}"


def below(root: Value) -> set[Value]:
    return {x for node in topological(root) for x in node.inputs} | {root}


@each
def test_gradients_agree_with_the_values(case: Case) -> None:
    for point, expected in case.at.items():
        if not math.isfinite(case.f(*point)):
            continue
        report = gradcheck(case.f, *point)
        if any(map(math.isnan, expected)):
            assert report.cause == "nonfinite" and not report
        else:
            assert report.verdict != "wrong" and report.cause == "", str(report)


@each
def test_steps_say_which_edges_are_not_taken(case: Case) -> None:
    for point in case.at:
        y = case.f(*[Value(x) for x in point])
        for moment in walk(y):
            for edge in moment.edges:
                assert edge.taken or edge.contribution == 0
                assert edge.taken or edge.before == edge.total or math.isnan(edge.total)
            assert ("nothing flows" in str(moment)) == any(not edge.taken for edge in moment.edges)
        assert find_nonfinite(y) is not None or all(map(math.isfinite, case.at[point]))
        for mistake in MISTAKES:
            wrong: Any = mistake
            assert len([*walk(y, wrong)]) > 0


# Nodes


def test_a_node_that_nothing_reaches_passes_nothing_on() -> None:
    x = Value(0.0)
    root = sqrt(x)
    chosen = where(x > 0, root * 2, x)
    chosen.backward()
    assert (x.grad, root.grad, root.inputs, root.partials, root.taken) == (1.0, 0.0, (x,), (inf,), (True,))
    assert chosen.taken == (False, False, True) and chosen.partials == (0.0, 0.0, 1.0)
    chosen.backward()
    assert (x.grad, root.grad) == (2.0, 0.0)  # leaves accumulate
    root.backward()  # now it is reached
    assert x.grad == inf


@pytest.mark.parametrize("upstream", [0.0, -0.0])
def test_a_gradient_of_zero_that_arrives_is_a_number(upstream: float) -> None:
    x = Value(0.0)
    sqrt(x).backward(upstream)
    assert math.isnan(x.grad)
    x = Value(0.0)
    (sqrt(x) * upstream).backward()
    assert math.isnan(x.grad)
    x, y = Value(0.0), Value(2.0)
    root = sqrt(x)
    (root * y - root * 2.0).backward()  # 2 and -2 arrive and add up to 0
    assert math.isnan(x.grad) and root.grad == 0


def test_taken_edges_of_every_row_that_chooses() -> None:
    def taken(f: Callable[..., Any], *point: float) -> tuple[bool, ...]:
        node: Value = f(*[Value(x) for x in point])
        return node.taken

    assert taken(relu, -1.0) == (False,) and taken(relu, 0.0) == taken(relu, 2.0) == taken(relu, nan) == (True,)
    assert taken(maximum, 1.0, 2.0) == (False, True) and taken(maximum, 2.0, 1.0) == (True, False)
    assert taken(minimum, 1.0, 2.0) == (True, False) and taken(minimum, 2.0, 2.0) == (True, True)
    assert taken(maximum, nan, 1.0) == taken(minimum, 1.0, nan) == taken(maximum, inf, inf) == (True, True)
    assert taken(prelu, 2.0, 0.1) == (True, False) and taken(prelu, -2.0, 0.0) == (True, True)
    for flat in (step, gate, sign):
        assert taken(flat, 1.5) == taken(flat, -1.5) == (False,) and taken(flat, 0.0) == (True,)
    for flat in (floor, ceil):
        assert taken(flat, 1.5) == (False,) and taken(flat, 2.0) == (True,)
    assert taken(lambda x, y: x // y, 7.0, 2.0) == (False, False) and taken(lambda x, y: x % y, 1.0, 2.0) == (True, True)
    assert taken(lambda x, y: x < y, 1.0, 2.0) == (False, False)
    assert taken(where, 1.0, 2.0, 3.0) == (False, True, False) and taken(where, 0.0, 2.0, 3.0) == (False, False, True)
    assert taken(where, nan, 2.0, 3.0) == (False, True, False)  # as in Python, NaN is true
    assert taken(abs, 0.0) == (True,) and taken(hypot, 0.0, 0.0) == (True, True)
    assert taken(lambda x: x * 0.0, 3.0) == (True,) and taken(lambda x: x**2, 0.0) == (True,)
    assert taken(lambda x, y: logsumexp([x, y]), -1e6, 0.0) == (True, True)
    assert taken(lambda x, y: dot([x], [y], 0.0), 0.0, 0.0) == (True, True)


def test_a_users_row_that_chooses() -> None:
    hinge = Unary("hinge", lambda x: where(x > 1, x - 1, 0.0), lambda x, out: where(x > 1, 1, 0), kink=lambda x: x - 1)

    def rule(x: Any, out: Any) -> float:
        return 1.0 if x > 1 else 0.0

    numeric = Unary("numeric", lambda x: max(x - 1.0, 0.0), rule)
    for x, expected in ((0.0, 0.0), (9.0, 1 / 6)):
        for gradient in everywhere(lambda x: hinge(sqrt(x)), [x]).values():
            assert gradient == pytest.approx([expected])
    v = Value(0.0)
    numeric(sqrt(v)).backward()
    assert math.isnan(v.grad)  # a rule that takes only numbers cannot show whether it chose


# Second derivatives, networks


@pytest.mark.parametrize(
    ("f", "x", "second"),
    [
        (lambda x: where(x > 0, x * sqrt(x), x * x), 0.0, 2.0),
        (lambda x: where(x > 0, sqrt(x), x**3), 4.0, -1 / 32),
        (lambda x: relu(x**1.5 - 1), 0.0, 0.0),
        (lambda x: relu(x**1.5 - 1), 4.0, 3 / 8),
        (lambda x: sqrt(relu(x)) + x**2, -1.0, 2.0),
        (lambda x: maximum(sqrt(x), 1 + x * x), 0.0, 2.0),
        (lambda x: clip(sqrt(x), 0.5, 3), 0.0, 0.0),
        (lambda x: where(x < 1, x**3, exp(x) * 1e308 * 10), 0.5, 3.0),
        (lambda x: step(sqrt(x) - 1) * x + x * x, 0.0, 2.0),
        (lambda x: where(x * x < 1, x * x, abs(x) ** 1.5), 0.0, 2.0),
        (lambda x: maximum(1 - x, hypot(x, 0.0) ** 1.5), 0.0, 0.0),
        (sqrt, 0.0, -inf),
        (lambda x: hypot(0.0, x), 0.0, 0.0),
    ],
)
def test_second_derivatives(f: Callable[[Any], Any], x: float, second: float) -> None:
    assert seconds(f, x) == pytest.approx(dict.fromkeys(seconds(f, x), second), abs=1e-12)


def seconds(f: Callable[[Any], Any], x: float) -> dict[str, float]:
    """Return a second derivative by each pair of readings."""
    leaf = Value(x)
    [first] = gradients(f(leaf), [leaf])
    first.backward()
    return {
        "hessian": hessian(f)(x).data,
        "backward of gradients": leaf.grad,
        "gradients of gradients": gradients(first, [leaf])[0].data,
        "backward over forward": grad(lambda x: jvp(f, [x], [1.0])[1])(x).data,
        "forward over forward": jvp(lambda x: jvp(f, [x], [1.0])[1], [x], [1.0])[1],
    }


def test_dead_units_of_a_network_contribute_nothing() -> None:
    weights, bias = [[Value(0.5), Value(-1.0)], [Value(-0.5), Value(-2.0)]], [Value(0.1), Value(0.2)]
    hidden = [relu(dot(row, [1.0, 2.0], b)) for row, b in zip(weights, bias, strict=True)]
    assert [h.data for h in hidden] == [0.0, 0.0]
    total([sqrt(h) for h in hidden]).backward()
    assert [w.grad for row in weights for w in row] + [b.grad for b in bias] == [0.0] * 6
    alive = [relu(dot(row, [1.0, -2.0], b)) for row, b in zip(weights, bias, strict=True)]
    loss = total([sqrt(h) for h in (*hidden, *alive)])
    loss.backward()
    assert all(math.isfinite(w.grad) and w.grad != 0 for row in weights for w in row)


def test_a_model_with_a_root_above_dead_units() -> None:
    model = MLP(2, [3, 1], seed=1)
    out = model([0.5, -0.25])
    loss = where(out > 100, sqrt(out - out.data), sqrt(relu(out - 100)) + out)
    loss.backward()
    found = [p.grad for p in model.parameters()]
    model.zero_grad()
    model([0.5, -0.25]).backward()
    assert found == [p.grad for p in model.parameters()] and any(found)


@pytest.mark.parametrize(
    "unit",
    [
        lambda net: relu(net),
        lambda net: relu(net) / sqrt(net * net + 1),
        lambda net: maximum(net, 0.1 * net),
        lambda net: exp(net) + relu(net),
        lambda net: clip(net, -1, 1) ** 2,
    ],
)
def test_choices_cost_nothing_where_no_infinity_can_meet_them(unit: Callable[[Any], Any]) -> None:
    weights = [Value(x) for x in (0.5, -1.0, 0.25)]
    error = unit(dot(weights[:2], [1.0, 2.0], weights[2])) - 1
    for y in (error * error, error**2):
        careful, careless = (chain_rule(topological(y), y, weights, one) for one in (risks(topological(y)), lambda node: 0))
        assert len(topological(total(careful))) == len(topological(total(careless)))


def test_every_factor_of_a_dot_can_be_a_risk_but_not_its_bias_or_a_square() -> None:
    a, b = Value(0.5), Value(2.0)
    for factors in ([log(a), b, b, b], [b, b, b, log(a)]):
        y = dot(factors[:2], factors[2:])
        assert risks(topological(y))(y) == 1
    biased = dot([a, b], [b, a], log(a))
    assert risks(topological(biased))(biased) == 0
    length = sqrt(dot([a, b], [a, b]) + 1e-5)
    assert [risks(topological(length))(node) for node in topological(length)] == [0, 0, 0]


def test_log_of_a_branch_needs_a_guard_where_it_is_written() -> None:
    with pytest.raises(DomainError, match="log needs x > 0"):
        where(Value(-1.0) > 0, log(Value(-1.0)), 0.0)
    x = Value(-1.0)
    safe = where(x > 0, log(where(x > 0, x, 1.0)), 2 * x)
    safe.backward()
    assert (safe.data, x.grad) == (-2.0, 2.0)
    for gradient in everywhere(lambda x: where(x > 0, lambda: log(x), lambda: 2 * x), [-1.0]).values():
        assert gradient == [2.0]


# Random programs, against a slow reference

SPECIAL = [0.0, 1.0, -1.0, 4.0, 0.5, -2.0]
COMPARISONS = [primitives.less, primitives.less_equal, primitives.greater, primitives.greater_equal]
CHOOSING = [where, where, maximum, minimum, relu, relu, prelu, step, gate, sign, floor, ceil, primitives.floor_divide]
PLAIN = [sqrt, sqrt, primitives.cbrt, primitives.arcsin, primitives.square, abs, hypot, exp, primitives.add,
         primitives.subtract, primitives.multiply, primitives.power, arctan2, logsumexp]  # fmt: skip
ALL: list[Any] = [*COMPARISONS, *CHOOSING, *[primitives.absolute if row is abs else row for row in PLAIN]]


def is_cut(row: Primitive, data: Sequence[float], i: int) -> bool:
    """Whether a row chose the plain number 0 for a partial derivative, away from its kink; written row by row."""
    x, y = data[0], data[min(1, len(data) - 1)]
    if row is where:
        return i != (1 if x else 2)
    if row in (maximum, minimum):
        return x != y and (x < y) == ((row is maximum) == (i == 0))
    if row in (relu, prelu):
        return x < 0 if row is relu else (x > 0 and i == 1)
    if row in COMPARISONS:
        return x != y
    if row is primitives.floor_divide:
        return math.fmod(x, y) != 0
    return (row in (step, gate, sign) and x != 0) or (row in (floor, ceil) and x != math.floor(x))


def reference(y: Value, leaves: Sequence[Value]) -> list[float]:
    """Return ∂y/∂leaf by the definition: a node's gradient is the sum over its uses, or None if nothing arrives."""
    uses = [(node, i, x) for node in topological(y) for i, x in enumerate(node.operands) if isinstance(x, Value)]

    @functools.cache
    def arrived(node: Value) -> float | None:
        found = 1.0 if node is y else None
        for user, i, x in uses:
            if x is node and user.primitive is not None and (delta := arrived(user)) is not None:
                data = [getattr(operand, "data", operand) for operand in user.operands]
                if not is_cut(user.primitive, data, i):
                    [partial] = user.primitive.partials(data, user.data, [i])
                    found = (0.0 if found is None else found) + delta * partial
        return found

    return [arrived(leaf) or 0.0 for leaf in leaves]


@st.composite
def special_programs(draw: st.DrawFn) -> Program:
    """Draw a program of rows that choose and rows with infinite slopes, at points where they meet."""
    leaves = tuple(draw(st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=3)))
    values, conditions, instructions = list(leaves), list[int](), list[tuple[Primitive, tuple[int | float, ...]]]()
    for row in draw(st.lists(st.sampled_from(ALL), min_size=2, max_size=10)):
        operand = st.integers(0, len(values) - 1)
        places: list[int | float] = [
            draw(operand),
            *(draw(operand | st.sampled_from(SPECIAL)) for _ in range(widths(row)[0] - 1)),
        ]
        if row is where and conditions:
            places[0] = draw(st.sampled_from(conditions))
        data = [values[x] if isinstance(x, int) else x for x in places]
        try:
            out = float(row.evaluate(data))
            row.partials(data, out, range(len(data)))
        except DomainError:
            continue
        if abs(out) < 1e6:
            conditions += [len(values)] * row.is_condition
            instructions.append((row, tuple(places)))
            values.append(out)
    assume(instructions)
    return Program(leaves, tuple(instructions))


@settings(max_examples=100)
@given(special_programs(), st.lists(st.sampled_from(SPECIAL), min_size=3, max_size=3))
def test_random_programs_agree_in_every_reading(program: Program, elsewhere: Sequence[float]) -> None:
    leaves = [Value(x) for x in program.leaves]
    y = program(leaves)
    expected = reference(y, leaves)
    found = everywhere(lambda *xs: program(xs), program.leaves)
    assert agree(found["backward"], expected), program
    for reading, gradient in found.items():
        if reading.startswith("forward"):  # where ∞ and -∞ meet in another order, NaN may be ∞
            pairs = zip(gradient, expected, strict=True)
            assert all(a == pytest.approx(b) if math.isfinite(b) else not math.isfinite(a) for a, b in pairs), (program, found)
        else:
            assert repr(gradient) == repr(found["backward"]), (program, reading, found)
    # The gradient's graph, replayed at other numbers.
    slopes, there = gradients(y, leaves), elsewhere[: len(leaves)]
    moved = [Value(x) for x in there]
    try:
        program(moved).backward()
    except DomainError:
        return
    numbers = dict(zip(leaves, there, strict=True))
    for slope, leaf in zip(slopes, moved, strict=True):
        again = replay(slope, {x: numbers[x] for x in below(slope) if x in numbers}).data
        right = again == pytest.approx(leaf.grad) if math.isfinite(leaf.grad) else not math.isfinite(again)
        assert right, f"{program}: at {there} the gradient is {leaf.grad}, its graph gives {again}"


@settings(max_examples=50)
@given(special_programs())
def test_second_derivatives_of_random_programs(program: Program) -> None:
    found = seconds(lambda x: program([x, *program.leaves[1:]]) + x * x, program.leaves[0])
    finite = [second for second in found.values() if math.isfinite(second)]
    assert len(finite) in (0, len(found)) and finite == pytest.approx(finite[:1] * len(finite), abs=1e-9), (program, found)


def test_a_difference_from_a_constant_may_be_zero() -> None:
    x = Value(-1.0)
    difference = x - 4.0
    [slope] = gradients(primitives.arctan2(difference, difference) < 1.0, [x])  # NaN where the difference is 0, but not taken
    assert replay(slope, {x: 4.0}).data == 0.0


def test_below_a_comparison_an_infinite_constant_does_not_matter() -> None:
    x = Value(1.0)
    assert [g.data for g in gradients(x * -math.inf >= 1.0, [x])] == [0.0]
