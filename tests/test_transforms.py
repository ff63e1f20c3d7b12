"""Derivatives: every reading of the one table gives the same."""

import math
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from autograd import (
    Dual,
    Unary,
    Value,
    arcsin,
    cos,
    divide,
    exp,
    floor,
    forward,
    grad,
    gradients,
    hessian,
    jacobian,
    jvp,
    log,
    maximum,
    relu,
    replay,
    sin,
    sqrt,
    tanh,
    value_and_grad,
    walk,
    where,
)
from autograd.risks import ANY, risk_of
from autograd.strategies import Program, programs
from autograd.symbol import both, either
from autograd.transforms import chain_rule
from autograd.value import topological


@given(programs())
def test_every_reading_gives_the_same_gradient(program: Program) -> None:
    leaves = [Value(x) for x in program.leaves]
    y = program(leaves)
    y.backward()
    backward = [leaf.grad for leaf in leaves]
    # The gradient's own graph evaluates the same rules in the same order: equal to the last bit.
    assert [g.data for g in gradients(y, leaves)] == backward
    # Forward mode adds in another order: the tolerance is relative to the size of the sums.
    used = {x for node in topological(y) for x in node.inputs}
    size = max(1.0, *(abs(x) for x in backward))
    for i, expected in enumerate(backward):
        tangents = [float(i == j) for j in range(len(leaves))]
        value, tangent = jvp(lambda *xs: program(xs), program.leaves, tangents)
        assert value == y.data and tangent == pytest.approx(expected, rel=1e-9, abs=1e-9 * size)
        again = replay(y, {x: Dual(x.data, t) for x, t in zip(leaves, tangents, strict=True) if x in used})
        assert getattr(again, "primal", again) == value and getattr(again, "tangent", 0.0) == tangent


def third_power(x: Any) -> Any:
    return x**3


def test_higher_derivatives() -> None:
    f: Callable[[Any], Any] = sin
    for k in range(1, 6):
        f = grad(f)
        assert f(0.7).data == pytest.approx(math.sin(0.7 + k * math.pi / 2))
    cube: Callable[[Any], Any] = third_power
    for expected in (0.0, 0.0, 6.0, 0.0, 0.0):
        cube = grad(cube)
        assert cube(0.0).data == expected
    assert hessian(lambda x: x**2)(0.0).data == 2.0


def test_gradients_of_inner_nodes_and_of_unrelated_nodes() -> None:
    x = Value(2.0)
    h = x * x
    y = h * h + x
    inner, leaf, stranger, own = gradients(y, [h, x, Value(1.0), y])
    assert (inner.data, leaf.data, stranger.data, own.data) == (8.0, 33.0, 0.0, 1.0)


def test_gradient_graphs_stay_small() -> None:
    x = Value(3.0)
    [slope] = gradients(x**2, [x])
    assert slope.primitive is not None and slope.primitive.name == "multiply" and slope.operands == (2.0, x)
    [constant] = gradients(x * 2 + 1, [x])
    assert constant.primitive is None and constant.data == 2.0
    # Neither a risk without a choice nor a choice without a risk keeps a condition.
    for y, rows in (
        (log(x * 2), ["multiply", "divide", "multiply"]),
        (log(relu(x) * 2 - 1), ["relu", "multiply", "subtract", "divide", "multiply", "gate", "multiply"]),
    ):
        [slope] = gradients(y, [x])
        assert [node.primitive.name for node in topological(slope) if node.primitive is not None] == rows


def test_a_factor_of_zero_stays_where_an_infinite_slope_may_meet_it() -> None:
    x, w, z = Value(2.0), Value(0.0), Value(1.0)
    root = sqrt(x * 0.0 + z)
    for y in (root, root + sqrt(w * 0.0)):  # in the second, ∂y/∂w is NaN already
        slope = gradients(y, [x, w, z])[0]
        assert slope.data == 0.0 and math.isnan(replay(slope, {z: 0.0}).data)


def test_a_changed_leaf_is_noticed() -> None:
    x = Value(2.0, label="x")
    y = tanh(x) * x
    x.data = 3.0
    with pytest.raises(ValueError, match=r"tanh\(x\) = .* was recorded with other operands.*autograd.replay"):
        gradients(y, [x])
    again = replay(y)
    assert again.data == pytest.approx(math.tanh(3.0) * 3.0) and gradients(again, [x])[0].data > 0


@pytest.mark.parametrize(
    ("f", "others", "slope"),
    [
        (lambda x, y: x * x, (-2.0, 3.0), "-2.0 in place of 2.0"),
        (lambda x, y: x * y, (3.0, 2.0), "2.0 in place of 3.0"),
        (lambda x, y: cos(x), (-2.0, 3.0), rf"{math.sin(2.0)} in place of -{math.sin(2.0)}"),
        (lambda x, y: abs(x), (-2.0, 3.0), "-1.0 in place of 1.0"),
        (lambda x, y: Unary("even", abs, lambda x, out: where(x < 0, -1, 1))(x), (-2.0, 3.0), "-1.0 in place of 1.0"),
    ],
)
def test_a_changed_leaf_is_noticed_where_the_number_stays(f: Any, others: Any, slope: str) -> None:
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    z = f(x, y)
    x.data, y.data = others
    read: Callable[[Value], Any]
    for read in (walk, lambda z: gradients(z, [x, y])):
        with pytest.raises(ValueError, match=f"recorded with other operands; its operands now give the slope {slope}"):
            read(z)
    z.backward()  # needs only what was recorded


def test_a_changed_leaf_below_a_plus_is_noticed() -> None:
    x = Value(2.0, label="x")
    y = (+x) * 3.0
    x.data = 3.0
    with pytest.raises(ValueError, match=r"^x = 2\.0 was recorded with other operands; its operands now give 3\.0"):
        walk(y)


def test_shapes_of_grad() -> None:
    value, (dx, dys) = value_and_grad(lambda x, ys: x * ys[0] * ys[1][0], argnums=(0, 1))(2.0, [3.0, (5.0,)])
    assert (value.data, dx.data, dys[0].data, dys[1][0].data) == (30.0, 15.0, 10.0, 6.0)
    numbers_of_two: list[Any] = [1, np.int64(1)]
    for one in numbers_of_two:
        assert grad(lambda x, y: x * y, argnums=one)(2.0, 3.0).data == 2.0
    assert grad(lambda x: 3.0)(1.0).data == 0.0
    rows = jacobian(lambda x, y: (x * y, [x - y]), argnums=(0, 1))(2.0, 3.0)
    assert rows[0][0].data == 3.0 and rows[1][0][1].data == -1.0


def test_hessian_agrees_with_numpy_on_a_quadratic_form() -> None:
    a = np.random.default_rng(0).normal(size=(4, 4))

    def form(v: list[Value]) -> Value:
        out: Value = sum((float(a[i, j]) * v[i] * v[j] for i in range(4) for j in range(4)), Value(0.0))
        return out

    found = [[h.data for h in row] for row in hessian(form)([0.1, -0.2, 0.3, 0.4])]
    assert np.allclose(found, a + a.T, rtol=1e-14)


def test_nested_derivatives_are_kept_apart() -> None:
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0).data == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(3.0).data == 6.0
    assert grad(lambda x: grad(lambda y: y * y * x)(x))(3.0).data == 12.0

    def d(f: Callable[[Any], Any], x: Any) -> Any:
        return jvp(f, (x,), (1.0,))[1]

    assert d(lambda x: x * d(lambda y: x + y, 1.0), 1.0) == 1.0
    assert d(lambda x: x * d(lambda y: x * y, 1.0), 3.0) == 6.0
    assert d(lambda x: d(lambda y: y * y * x, x), 3.0) == 12.0
    assert grad(lambda x: d(lambda y: y**3, x))(2.0).data == 12.0  # forward inside reverse


def test_duals_choose_branches_and_read_methods() -> None:
    value, tangent = jvp(lambda x: where(x > 0, x.relu(), x**2) + abs(x) + x.maximum(2.0) + 2 / x - (3 - x), (4.0,), (1.0,))
    assert (value, tangent) == (4 + 4 + 4 + 0.5 + 1, 1 + 1 + 1 - 1 / 8 + 1)
    values, tangents = jvp(lambda v: [v[0] * v[1], 3.0], ([2.0, 5.0],), ([1.0, 0.0],))
    assert values == [10.0, 3.0] and tangents == [5.0, 0.0]
    assert not hasattr(Dual(1.0, 1.0), "nothing")


def test_a_dual_number_is_not_a_condition_but_a_comparison_is() -> None:
    for primal in (2.0, Value(2.0), Dual(2.0, 0.0)):
        x = Dual(primal, 1.0, level=7)
        assert bool(x > 1) is True and bool(x > 3) is False
    with pytest.raises(TypeError, match=r"Dual\(2.0, 1.0\) is a number, not a condition"):
        bool(Dual(2.0, 1.0))


def test_jvp_takes_two_tuples() -> None:
    both: list[tuple[Any, Any]] = [(1.0, (1.0,)), ((1.0,), 1.0), (1.0, 1.0), ("1", ["1"])]
    for primals, tangents in both:
        with pytest.raises(TypeError, match="jvp takes a tuple of arguments and one of tangents"):
            jvp(lambda x: x, primals, tangents)


@pytest.mark.parametrize("f", [lambda x: sqrt(relu(x)), lambda x: sqrt(where(x > 0, where(x > 1, x, 0.0), 0.0) * 3)])
def test_forward_mode_on_nodes_leaves_out_what_was_not_chosen(f: Callable[[Any], Any]) -> None:
    for x in (-1.0, Value(-1.0)):  # where the slope of the root is ∞
        value, slope = jvp(f, (x,), (1.0,))
        assert float(getattr(value, "data", value)) == float(getattr(slope, "data", slope)) == 0.0


def test_a_constant_of_forward_mode_is_an_operand_of_numpy_and_a_number() -> None:
    x = np.array([-1.0, 2.0])
    functions: list[Callable[[Any], Any]] = [
        lambda a: np.exp(-a).sum(), lambda a: np.exp(relu(a)).sum(), lambda a: np.sqrt(where(a > 0, a, 4.0)).sum(),
        lambda a: (a[1] * a + a[1] ** (2 - a) + maximum(a[0] / 2, a)).sum(),  # a number, then an array
    ]  # fmt: skip
    for f in functions:
        columns = [jvp(f, (x,), (direction,))[1] for direction in np.eye(2)]  # one of the two numbers is a constant
        assert columns == pytest.approx(grad(f)(x))
    assert jvp(lambda x, n: x * math.exp(n) + [5.0, 7.0][int(floor(x))], (1.5, 0.0), (1.0, 0.0)) == (8.5, 1.0)
    chosen: list[Callable[[Any], Any]] = [
        lambda x: 10 * x if floor(x) == 1 else x, lambda x: 10 * x if floor(x) else x, lambda x: {1.0: 10 * x}[floor(x)],
        lambda x: 10 * x * round(floor(x)),
    ]  # fmt: skip
    assert [jvp(f, (1.5,), (1.0,)) for f in chosen] == [(15.0, 10.0)] * 4


def test_a_dual_number_made_by_hand_belongs_to_an_outer_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "_levels", count())  # as in a new process
    x = Dual(3.0, 1.0)
    value, slope = jvp(lambda y: x * y * y, (2.0,), (1.0,))
    assert (value.primal, value.tangent, slope.primal, slope.tangent) == (12.0, 4.0, 12.0, 4.0)
    assert hash(x) == hash(3.0)
    with pytest.raises(TypeError, match="compares objects, not numbers"):
        {x, Dual(3.0, 2.0)}


def test_replay_substitutes_numbers_in_a_new_graph() -> None:
    w, x = Value(2.0, label="w"), Value(5.0)
    h = w * x
    h.label = "h"
    y = h + exp(h) * 0
    again = replay(y, {w: 3.0})
    again.backward()
    assert (again.data, y.data, x.grad, w.grad) == (15.0, 10.0, 3.0, 0.0)
    assert again.inputs[0].label == "h" and again.inputs[0].inputs[0].label == "w"
    other = Value(7.0)
    assert replay(y, {w: other}).data == 35.0 and replay(y, {h: 1.0}).data == 1.0 and replay(w, {w: 1}).data == 1.0
    assert replay(where(w > 1, w, cos(w)), {w: -1.0}).data == math.cos(-1.0)  # the branch is chosen again


def test_a_leaf_that_was_nan_and_is_a_number_now_is_noticed() -> None:
    w = Value(math.nan, label="w")
    y = w * 2
    assert math.isnan(gradients(y * w, [w])[0].data)
    w.data = 1.0
    with pytest.raises(ValueError, match=r"was recorded with other operands; its operands now give 2\.0"):
        gradients(y * w, [w])


def test_replay_refuses_a_branch_that_was_not_called() -> None:
    w = Value(2.0, label="w")
    y = where(w > 1, w, lambda: w * 2)
    assert replay(y, {w: 3.0}).data == 3.0 and replay(y, {w: Dual(3.0, 1.0)}).tangent == 1.0
    assert math.isnan(replay(where(w > 1, w, math.nan), {w: 0.0}).data)  # this NaN is a number like any other
    for x in (-1.0, Value(-1.0), Dual(-1.0, 1.0), Dual(Value(-1.0), 1.0)):
        with pytest.raises(ValueError, match="now takes a branch that was not called when the graph was recorded"):
            replay(y, {w: x})
    roots = where(w > 0, lambda: sqrt(w), lambda: sqrt(-w))
    with pytest.raises(ValueError, match="now takes a branch that was not called"):  # rather than: sqrt(-1.0) is undefined
        replay(roots + 1, {w: -1.0})
    with pytest.raises(ValueError, match=r"sqrt\(-1.0\) is undefined"):
        replay(where(sqrt(w) < 9, lambda: w, lambda: -w), {w: -1.0})
    root = sqrt(w) + 1
    assert replay(root * w, {w: -1.0, root: 5.0}).data == -5.0  # nodes below a given value are not recomputed


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: replay(Value(1.0) * 2, {Value(3.0, label="z"): 1.0}), ValueError, r"z = 3.0 does not take part in 1.0 \* 2.0"),
        (lambda: replay(Value(1.0), {Value(3.0): "1"}), ValueError, "does not take part"),
        (lambda: replay(Value(1.0), dict[Any, Any]({3: 1.0})), ValueError, "3 does not take part"),
        (lambda: grad(lambda x, y: x * y, argnums=(0, 0))(1.0, 2.0), TypeError, r"argnums is \(0, 0\).* each once"),
        (lambda: grad(pow, argnums=-1)(1.0, 2.0), TypeError, "argnums is -1, but the number of arguments is 2"),
        *[
            (lambda wrong=wrong: grad(pow, argnums=wrong)(1.0, 2.0), TypeError, r"several as a tuple, such as \(0, 1\)")
            for wrong in ([0, 1], 0.0, "x", None, (0, None))
        ],
        (lambda: grad(lambda x: [x])(1.0), TypeError, "use jacobian"),
        (lambda: grad(lambda x: x)("1"), TypeError, "pass a real number"),
        (lambda: grad(lambda x: x)(), TypeError, "the number of arguments is 0"),
        (lambda: jvp(lambda x: x, (1.0,), ()), ValueError, "needs a tangent for each argument; arguments: 1, tangents: 0"),
        (lambda: jvp(grad(lambda x: x * x), (1.0,), (1.0,)), TypeError, "take jvp inside grad"),
        (lambda: jvp(math.exp, (1.0,), (1.0,)), TypeError, "use autograd's functions in place of math's"),
        (lambda: grad(math.exp)(1.0), TypeError, r"turning Value\(1.0\) into a plain number would drop its graph"),
        (lambda: grad(grad(log))(-1.0), ValueError, r"the operand is Value\(-1.0\); keep it in the domain"),
        (lambda: grad(log)(Value(-1.0, label="x")), ValueError, "the operand is x = -1.0; keep it in the domain"),
        (lambda: grad(lambda x: 1 / (x - x))(1.0), ValueError, r"the operands are 1.0 and 1.0 - 1.0 = 0.0"),
    ],
)
def test_bad_input(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_the_risk_of_a_row_depends_on_the_signs_of_its_operands() -> None:
    negative, positive = frozenset({-1}), frozenset({1})
    for row, kinds, risk in (
        (arcsin, (negative,), (2, True)), (log, (ANY,), (1, True)), (log, (positive,), (0, False)),
        (sqrt, (frozenset({0, 1}),), (2, False)), (sqrt, (positive,), (0, False)), (divide, (1.0, ANY), (1, True)),
        (divide, (ANY, 2.0), (0, False)),
    ):  # fmt: skip
        assert risk_of(row, kinds) == risk, (row.name, kinds)


def test_a_slope_that_is_0_everywhere_adds_no_node_to_the_gradient() -> None:
    x, w = Value(1.5), Value(2.0)
    y = floor(x) * w
    slope, _ = chain_rule(topological(y), y, [x, w])
    assert type(slope) is float and slope == 0.0


def test_conditions_that_are_known_add_no_node() -> None:
    x, y = Value(1.0), Value(2.0)
    for one, other, product, total in (
        (True, x, x, True), (x, True, x, True), (False, x, False, x), (x, False, False, x), (True, False, False, True),
        (False, True, False, True),
    ):  # fmt: skip
        assert both(one, other) is product and either(one, other) is total
    assert both(x, y).data == 2.0 and either(x, y).data == 3.0


@pytest.mark.parametrize("xs", [None, 5, Value(1.0), {Value(1.0)}])
def test_gradients_takes_a_list(xs: Any) -> None:
    with pytest.raises(TypeError, match=r"^gradients needs a list of Values .*, as in \[x, y\]; got "):
        gradients(Value(2.0) * 3, xs)
