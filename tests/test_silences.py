"""What was once silently wrong: identities taken for conditions, tangents and graphs that were dropped on the way."""

import copy
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Dual, Nary, Unary, Value, compile, dot, grad, gradients, hessian, jacobian, jvp, maximum, sqrt, tanh, where
from nn import MLP

# Dual numbers as conditions


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 10 * x if x == 1 else x,
        lambda x: 10 * x if x != 1 else x,
        lambda x: 10 * x if x == x * 1 else x,
        lambda x: 10 * x if x in (0.0, 1.0) else x,
        lambda x: 10 * x if x in {0.0, 1.0} else x,
        lambda x: 10 * x if x else x,
        lambda x: x or 5.0,
        lambda x: x and 5.0,
        lambda x: not x,
        lambda x: [1.0, 2.0].index(x),
        lambda x: math.exp(x),
        lambda x: float(x),
    ],
)
def test_a_dual_number_is_neither_a_condition_nor_a_float(f: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"use <, <=, > or >=|compare it, as in|would drop its derivative"):
        jvp(f, (1.0,), (1.0,))


@pytest.mark.parametrize("x", [0.5, 1.0, 3.0])
def test_comparisons_of_dual_numbers_are_those_of_their_numbers(x: float) -> None:
    assert jvp(lambda x: 10 * x if x > 1 else x, (x,), (1.0,)) == ((10 * x, 10.0) if x > 1 else (x, 1.0))
    assert jvp(lambda x: max(x, 1.0), (x,), (1.0,))[0] == max(x, 1.0)
    assert jvp(lambda x: (x > 1).where(x * x, x), (x,), (1.0,)) == ((x * x, 2 * x) if x > 1 else (x, 1.0))
    assert jvp(lambda x: (-x).abs() + x.maximum(2.0, 4.0), (x,), (1.0,)) == (x + 4.0, 1.0)
    _, slope = jvp(lambda x: Value(2.0).maximum(x, 2.5) + Value(1.0).hypot(x), (x,), (1.0,))  # a Dual behind a Value
    assert slope.data == pytest.approx(float(x > 2.5) + x / math.hypot(1.0, x))
    with pytest.raises(TypeError, match="maximum cannot be applied to operands of types Value, object"):
        Value(2.0).maximum(object())


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: np.hypot(1.0, x), 2 / math.sqrt(5)),
        (lambda x: np.arctan2(1.0, x), -0.2),
        (lambda x: np.float64(3.0) * x, 3.0),
        (lambda x: np.hypot(np.array([1.0, x]), x)[0], 2 / math.sqrt(5)),
        (lambda x: (np.array([x, 1.0]) * x).sum(), 5.0),
        (lambda x: np.exp(np.array([x, x]))[1], math.exp(2.0)),
    ],
)
def test_functions_of_numpy_take_duals_and_nodes_in_every_place(f: Callable[[Any], Any], slope: float) -> None:
    assert jvp(f, (2.0,), (1.0,))[1] == pytest.approx(slope) == grad(f)(2.0).data


def test_arrays_and_duals_are_combined_number_by_number() -> None:
    assert jvp(lambda x: np.hypot(np.array([3.0, 4.0]), x) * np.ones(2), (0.0,), (1.0,))[0].tolist() == [3.0, 4.0]
    for f in (np.fmod, np.fmax):
        with pytest.raises(TypeError, match=rf"numpy.{f.__name__} cannot be recorded"):
            jvp(lambda x, f=f: f(5.0, x), (2.0,), (1.0,))


# Results of forward mode


def test_results_in_containers_keep_their_tangents() -> None:
    assert jvp(lambda x: {"y": x * x, "z": [x, 1.0]}, (3.0,), (1.0,)) == (
        {"y": 9.0, "z": [3.0, 1.0]},
        {"y": 6.0, "z": [1.0, 0.0]},
    )
    primal, tangent = jvp(lambda x: np.array([x, x * x]), (3.0,), (1.0,))
    assert primal.tolist() == [3.0, 9.0] and tangent.tolist() == [1.0, 6.0]


@pytest.mark.parametrize("result", [None, "text", {1.0}, object(), 1j, range(3), iter([1.0])])
def test_a_result_that_cannot_be_differentiated_is_refused(result: Any) -> None:
    with pytest.raises(TypeError, match="the result"):
        jvp(lambda x: result, (1.0,), (1.0,))


# Comparisons of nodes


def test_equality_is_identity_and_no_row_takes_it_for_a_condition() -> None:
    v, w = Value(1.0), Value(1.0)
    assert [bool(same) for same in (v == v, v == w, v != w, v != v)] == [True, False, True, False]
    assert (v == "1", v == (), v != "1") == (False, False, True) and v in [w, v] and v not in [w]
    assert {v: 1}[v] == 1 and len({v, w, v}) == 2
    calls: list[Callable[[], Any]] = [
        lambda: where(v == w, 10, 20),
        lambda: where(v != w, v, w),
        lambda: maximum(v == w, v),
        lambda: tanh(v == v),
        lambda: dot([v], [v == w]),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="== and != test whether two nodes are the same node"):
            call()
    assert where(True, 10, 20) == 10.0 and where(v > 0, 10, 20).data == 10.0


def test_a_rule_that_compares_with_equality_is_refused_where_it_gets_nodes() -> None:
    def rule(operands: Any, out: Any) -> list[float]:
        return [1.0 if x == out else 0.0 for x in operands]

    largest = Nary("largest", max, rule, lambda values: tuple(values))
    x, y = Value(1.0), Value(3.0)
    largest([x, y]).backward()  # here it gets numbers
    assert (x.grad, y.grad) == (0.0, 1.0)
    for call in (grad(largest), grad(lambda v: jvp(largest, (v,), ([1.0, 0.0],))[1])):
        with pytest.raises(TypeError, match="a rule tests nodes with == or !="):
            call([1.0, 3.0])
    assert bool(x == x), "outside of rules it is identity again"


def test_a_rule_that_gives_other_numbers_on_nodes_is_refused() -> None:
    largest = Nary("largest", max, lambda v, out: [1.0 if x in {out} else 0.0 for x in v], lambda values: tuple(values))
    x, y = Value(1.0), Value(3.0)
    assert largest([x, y]).partials == (0.0, 1.0)
    with pytest.raises(TypeError, match=r"^a rule of the row 'largest' gives 0.0 on nodes and 1.0 on numbers, at"):
        gradients(largest([x, y]), [x, y])


@pytest.mark.parametrize("rule", [lambda x, out: 1.0 if x in {0.0} else 2 * x, lambda x, out: {0.0: 1.0}.get(x, 2 * x)])
def test_a_rule_that_looks_up_an_operand_is_refused(rule: Callable[[Any, Any], Any]) -> None:
    row = Unary("row", lambda x: x * x, rule)
    with pytest.raises(TypeError, match="a rule looks up x in a set or a dict; use where"):
        row(Value(0.0))  # the slope was 0 on nodes, and 1 on numbers


@pytest.mark.parametrize(
    "other", [1, 1.0, True, np.True_, np.float64(1), np.array(1.0), Decimal(1), Fraction(1), 1j, np.ones(2)]
)
def test_a_node_compared_with_a_number_is_refused(other: Any) -> None:
    for node in (Value(1.0), Value(1.0) > 0):
        for compare in (operator.eq, operator.ne):
            with pytest.raises(TypeError, match="compares nodes, not their numbers"):
                compare(node, other)


def test_while_tracing_equality_is_refused_and_only_parameters_are_keys() -> None:
    w = Value(2.0)
    for f in (lambda x: w if x == w else x, lambda x: w if w != x else x, lambda x: w if x in [w] else x):
        with pytest.raises(TypeError, match="for a condition use <, <=, > or >="):
            compile(f, [w], example=[1.0])
    assert compile(lambda x: {w: x * w}[w] + len({w}), [w], example=[1.0])([3.0]).tolist() == [7.0]


@pytest.mark.parametrize("label", [(Value(1.0),), [Value(1.0)], {Value(1.0)}, Value(1.0), ()])
def test_the_arguments_of_micrograds_constructor_are_refused(label: Any) -> None:
    with pytest.raises(TypeError, match="the label of a Value is text"):
        Value(math.sin(1.0), label)


# Iterables and copies


def test_gradients_take_any_iterable_and_nothing_but_nodes() -> None:
    a, b = Value(2.0), Value(3.0)
    y = a * b * b
    for xs in ([a, b], (a, b), iter([a, b]), (x for x in (a, b)), {a: 0, b: 0}):
        assert [g.data for g in gradients(y, xs)] == [9.0, 12.0]
    wrongs: list[Any] = [[3.0], [a, None], ["a"], a, [[a]], {a, b}]  # a set has no order
    for wrong in wrongs:
        with pytest.raises(TypeError, match="Values"):
            gradients(y, wrong)
    number: Any = 3.0
    with pytest.raises(TypeError, match="needs the Value"):
        gradients(number, [a])


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a list": lambda x: copy.deepcopy([x])[0],
    "deepcopy of a result": lambda x: copy.deepcopy(x * 1.0),
    "copy of a copy": lambda x: copy.copy(copy.deepcopy(x)),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_inside_a_differentiated_function_stays_connected(name: str) -> None:
    duplicate, w = COPIES[name], Value(5.0)
    assert grad(lambda x: 3 * duplicate(x))(1.0).data == 3.0
    assert grad(lambda x: duplicate(x) * x)(2.0).data == 4.0
    assert grad(grad(lambda x: duplicate(x) ** 3))(2.0).data == 12.0
    assert grad(lambda x: grad(lambda q: duplicate(x * q) * q)(2.0))(3.0).data == 4.0
    assert jacobian(lambda x: [duplicate(x), x])(2.0)[0].data == 1.0
    assert hessian(lambda x: duplicate(x) * x)(2.0).data == 2.0
    assert jvp(lambda x: 3 * duplicate(x), (1.0,), (1.0,)) == (3.0, 3.0)
    assert compile(lambda x: 3 * duplicate(x * w), [w], example=[1.0]).gradient([2.0])[1].tolist() == [6.0]


def test_a_deepcopy_elsewhere_is_an_independent_graph() -> None:
    x = Value(3.0)
    y = copy.deepcopy(x * x)
    y.backward()
    assert x.grad == 0.0 and y.inputs[0].grad == 6.0


# Masked arrays


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: (np.ma.array([1.0, 2.0]) * x).sum(), 3.0),
        (lambda x: np.ma.sum(np.ma.array([1.0, 2.0], mask=[False, True]) * x * x), 6.0),
    ],
)
def test_masked_arrays_keep_the_graph(f: Callable[[Any], Any], slope: float) -> None:
    assert grad(f)(3.0).data == jvp(f, (3.0,), (1.0,))[1] == slope
    w = Value(3.0)
    assert compile(lambda _: f(w), [w], example=[1.0]).gradient([1.0])[1].tolist() == [slope]


@pytest.mark.parametrize("f", [np.ma.exp, np.ma.sqrt, np.ma.negative, lambda x: np.ma.add(x, 1.0)])
def test_a_function_of_masked_arrays_does_not_turn_a_node_into_a_number(f: Callable[[Any], Any]) -> None:
    with pytest.raises((AttributeError, TypeError)):
        grad(f)(3.0)


# Keyword arguments


def test_keyword_arguments_pass_through_undifferentiated() -> None:
    def f(x: Any, *, power: int = 2, scale: Any = 1.0) -> Any:
        return scale * x**power

    assert grad(f)(2.0, power=3).data == 12.0
    assert jacobian(lambda x, k=1.0: [x * k])(2.0, k=5.0)[0].data == 5.0
    assert hessian(f)(2.0, power=3, scale=2.0).data == 24.0


def test_an_error_inside_grad_keeps_its_message() -> None:
    w = Value(2.0, label="w")

    def f(x: Any) -> Any:
        y = w * x
        w.data = 3.0
        return y

    with pytest.raises(ValueError, match=r"^w \* .* was recorded with other operands"):
        grad(f)(1.0)


def test_the_hessian_of_several_arguments_is_a_tuple_of_tuples() -> None:
    rows = hessian(lambda a, b: a * a * b, argnums=(0, 1))(2.0, 3.0)
    assert [[h.data for h in row] for row in rows] == [[6.0, 4.0], [4.0, 0.0]] and isinstance(rows, tuple)


def test_a_dual_number_prints_its_tangent_and_hashes_like_its_number() -> None:
    x = Dual(3.0, 1.0)
    assert repr(x) == "Dual(3.0, 1.0)" and hash(x) == hash(3.0) and copy.deepcopy(x) is x
    assert sqrt(Dual(4.0, 1.0)).tangent == 0.25


def test_a_program_does_not_run_with_old_constants() -> None:
    """A network that is not among the parameters, such as a GAN's other half, kept the numbers it had when it was traced."""
    w, u = Value(2.0, label="w"), Value(3.0, label="u")
    program = compile(lambda x: w * u * x, [w])
    assert program.gradient([1.0]) == (6.0, [3.0])
    u.data = 4.0
    for run in (program, program.gradient, program.outputs_and_gradient, program.jacobian):
        with pytest.raises(ValueError, match=r"^u = 4\.0 was 3\.0 when the function was compiled, and is a constant"):
            run([1.0])
    u.data = 3.0
    assert program([1.0]) == [6.0]


def test_the_advice_for_old_constants_helps() -> None:
    w, u = Value(2.0, label="w"), Value(3.0, label="u")
    program = compile(lambda x: w * u * x, [w, u], example=[0.0])
    u.data = 4.0
    program.pull()
    assert program.gradient([1.0])[1].tolist() == [4.0, 2.0]


def test_a_program_does_not_go_on_with_old_parameters() -> None:
    """A loop that moved the Values, as a loop without a program does, computed the same loss again and again."""
    w = Value(2.0, label="w")
    program = compile(lambda x: w * x, [w], example=[0.0])
    w.data -= 0.5
    for run in (program, program.gradient, program.outputs_and_gradient, program.jacobian):
        with pytest.raises(ValueError, match=r"^w = 1\.5 was 2\.0 when the program read its parameters.* program\.pull\(\)"):
            run([1.0])
    program.pull()
    assert program([1.0]) == [1.5]
    w.data = 7.0
    program.push()
    assert w.data == 1.5 and program([1.0]) == [1.5]
    w.data = 7.0
    program.parameters = [3.0]  # this says what to compute with
    assert program([1.0]) == [3.0]
    program.parameters *= 2.0  # in place, as by an optimiser
    assert program([1.0]) == [6.0]


def test_a_model_with_other_weights_is_noticed_whatever_its_size() -> None:
    model, other = MLP(20, [30, 1], seed=1), MLP(20, [30, 1], seed=2)
    program = compile(model, model.parameters(), example=[[0.0] * 20])
    model.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match=r"when the program read its parameters"):
        program([[1.0] * 20])
    program.pull()
    assert program([[1.0] * 20])[0] == pytest.approx(model.predict([1.0] * 20))


def test_constants_that_stay_are_no_reason_to_refuse() -> None:
    """NaN does not equal itself, and a constant that is made anew in every call cannot change."""
    w, unknown = Value(2.0), Value(math.nan)
    program = compile(lambda x: w * x + Value(1.0) + 0 * unknown, [w], example=[0.0])
    assert math.isnan(program([1.0])[0])
    unknown.data = float("nan")
    assert math.isnan(program([1.0])[0])


def test_a_program_is_not_built_into_a_function_of_its_constants() -> None:
    """The derivative was 6 instead of 12, since the inner program's result was a number."""
    w = Value(2.0, label="w")
    inner = compile(lambda x: w * x, example=[0.0])
    with pytest.raises(TypeError, match=r"cannot run inside a function of its parameters .* call program\.f"):
        compile(lambda x: inner([3.0])[0] * w * x, [w]).gradient([1.0])
    assert compile(lambda x: inner.f(3.0) * w * x, [w]).gradient([1.0]) == (12.0, [12.0])
