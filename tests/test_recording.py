"""Recording: what each row's own function records, and what a node, a leaf and a graph consist of."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_primitives import NAMES, sample

from autograd import Unary, Value, gradients, jvp, primitives, sqrt, tanh, total, value, where
from autograd.fixed import is_fixed
from autograd.primitives import Binary, Nary, Primitive, dot, exp, multiply, power, relu, sigmoid
from autograd.rows import TABLE
from autograd.strategies import ROWS, widths
from autograd.symbol import Symbol, flows
from autograd.value import record, topological
from autograd.writing import source


def forbidden(row: Primitive, operands: Any) -> None:
    """Take the place of the reference implementation, and fail."""
    raise AssertionError(f"{row.name} of {operands} was not recorded by the row's own function")


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_at_regular_points_the_reference_implementation_is_not_used(row: Primitive, monkeypatch: pytest.MonkeyPatch) -> None:
    regular = [x for x in sample(row) if row is not power or x[0] > 0][:3]  # xʸ has no slope in y for x < 0
    for point in [*regular, [0.0, 2.0, 3.0]] if row is where else regular:
        for kinds in itertools.product((Value, float), repeat=len(point)):
            operands = [kind(x) for kind, x in zip(kinds, point, strict=True)]
            # Where many operands are nodes and numbers in an unusual order, the reference implementation may step in.
            is_rare = isinstance(row, Nary) and kinds[len(kinds) // 2] is kinds[-1] is Value and float in kinds
            if Value in kinds and not is_rare:
                plain = record(row, operands)
                row.apply(operands)  # the first call writes the function
                with monkeypatch.context() as patch:
                    patch.setattr(value, "record", forbidden)
                    fast = row.apply(operands)
                assert (fast.data, fast.partials, fast.taken) == (plain.data, plain.partials, plain.taken)
                assert (fast.operands, fast.inputs, fast.primitive) == (plain.operands, plain.inputs, row)
                assert fast.grad == plain.grad == 0.0


def test_a_user_defined_row_is_recorded_by_its_own_function_too(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = Value(0.5), Value(2.0)
    swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
    clock = Binary("clock", math.fmod, lambda x, y, out: 1.0, lambda x, y, out: -float(int(x / y)), infix="%")
    nodes = swish(x), clock(x, y), clock(-5.5, y), clock(y, 1)
    monkeypatch.setattr(value, "record", forbidden)
    assert [n.data for n in (swish(x), clock(x, y), clock(-5.5, y), clock(y, 1))] == [n.data for n in nodes]
    # The sign is only notation: clock computes math.fmod, not %, by which -5.5 % 2 is 0.5.
    assert clock(-5.5, y).data == -1.5 and source(clock(Symbol("x"), Symbol("y")))[0] == "row0(x, y)"
    assert source(power(Symbol("x"), Symbol("y")))[0] == "power(x, y)"


def test_functions_and_rules_of_users_may_return_whole_numbers() -> None:
    def four(x: float, out: float) -> int:
        return 4

    for row in (Unary("whole", round, lambda x, out: 4.0), Unary("whole", lambda x: 2.0, four)):
        assert is_fixed(row)  # so it is recorded by its own function from the second call on
        for _ in range(3):
            node = row(Value(2.25))
            assert [(type(x), x) for x in (node.data, *node.partials)] == [(float, 2.0), (float, 4.0)]


def test_what_a_row_of_many_operands_did_not_choose_gets_no_gradient() -> None:
    choose = replace(where, name="choose", gradient=lambda v, out: (0, where(v[0], 1, 0), where(v[0], 0, 1)))
    for condition, expected in ((1.0, (3.0, 0.0)), (0.0, (0.0, math.inf))):
        x, y = Value(2.0), Value(0.0)
        node = choose(Value(condition), x * 3, sqrt(y))
        node.backward()
        assert (x.grad, y.grad) == expected and node.taken == (False, condition > 0, condition <= 0)


def test_every_result_of_a_user_defined_row_of_many_operands_is_checked() -> None:
    results = iter([1.0, 2.0, "three"])
    odd = Nary("odd", lambda *v: next(results), lambda v, out: [1.0] * len(v), lambda *v: v)
    assert odd(Value(1.0)).data + odd(Value(1.0)).data == 3.0
    with pytest.raises(TypeError, match="returned 'three'"):
        odd(Value(1.0))


@pytest.mark.parametrize("gradient", [np.array([2.0, 3.0]), [2.0, 3.0], (2, 3)])
def test_a_gradient_is_a_list_or_an_array_of_numbers(gradient: Any) -> None:
    row = Nary("linear", lambda x, y: 2 * x + 3 * y, lambda v, out: gradient, lambda *v: v)
    for _ in range(2):
        assert row(Value(1.0), Value(1.0)).partials == (2.0, 3.0)


@pytest.mark.parametrize("gradient", [2.0, np.array(2.0), np.array([[2.0, 3.0]]), {0: 2.0, 1: 3.0}, [2.0], "ab"])
def test_another_gradient_is_refused(gradient: Any) -> None:
    row = Nary("linear", lambda x, y: 2 * x + 3 * y, lambda v, out: gradient, lambda *v: v)
    with pytest.raises(TypeError, match=r"gradient of the row 'linear' returned .*; .* number for each operand; operands: 2"):
        row(Value(1.0), Value(1.0))


@pytest.mark.parametrize("number", [3, True, Fraction(3), np.float32(3), np.int8(3), np.array(3.0)])
def test_a_leaf_holds_a_float(number: Any) -> None:
    leaf = Value(0.0)
    leaf.data = number
    assert type(leaf.data) is type(Value(number).data) is float and leaf.data == float(number)


def test_a_rule_may_be_a_comparison() -> None:
    ramp = Unary("ramp", lambda x: where(x > 0, x, 0), lambda x, out: x > 0)
    for x, slope in ((-1.0, 0.0), (2.0, 1.0)):
        leaf = Value(x)
        ramp(sqrt(leaf + 1)).backward()
        assert leaf.grad == slope / (2 * math.sqrt(3))  # at -1, the infinite slope of the root is not taken
        assert ramp(leaf).partials == (slope,) and ramp(leaf).taken == (slope > 0,)
    assert str(flows(ramp, 1)) == "(Symbol('x > 0'),)"


@pytest.mark.parametrize("array", [np.array([Value(0.5), Value(-1.0)]), np.array([[Value(0.5), 2.0]], dtype=object)])
def test_a_row_of_the_table_on_an_array_of_nodes_is_applied_to_each(array: Any) -> None:
    found = tanh(array), multiply(array, Value(3.0)), primitives.maximum(2.0, array), dot([array], [2.0])
    expected = np.vectorize(lambda x: x.data if isinstance(x, Value) else x)(array)
    for nodes, numbers in zip(found, (np.tanh(expected), expected * 3, np.maximum(2.0, expected), expected * 2), strict=True):
        assert nodes.shape == array.shape
        assert [x.data if isinstance(x, Value) else x for x in nodes.flat] == pytest.approx([*numbers.flat])


@pytest.mark.parametrize(
    ("f", "n"),
    [
        (lambda x, y: x * y, 0), (lambda x, y: x**1.5, 2), (lambda x, y: x**1.0, 2), (lambda x, y: x**2, 1),
        (lambda x, y: x**3, 2), (lambda x, y: exp(x) * y, 1), (lambda x, y: x * y + y * y, 0),
        (lambda x, y: total([x, y, y]), 0), (lambda x, y: relu(x) * sqrt(y), 2),
    ],
)  # fmt: skip
def test_the_gradient_of_one_input_has_no_nodes_for_the_others(f: Callable[..., Any], n: int) -> None:
    x, y = Value(2.0), Value(3.0)
    before = {*topological(f(x, y))}
    result = f(x, y)
    [slope] = gradients(result, [x])
    assert len({*topological(slope)} - {*topological(result)} - before) == n


def test_the_table_is_complete() -> None:
    assert {*TABLE.values()} == {*ROWS} and all(widths(row) for row in ROWS)


def test_forward_mode_adds_a_choice_only_where_there_is_one() -> None:
    def rows(f: Callable[[Any], Any]) -> list[str]:
        _, slope = jvp(f, (Value(2.0),), (1.0,))
        return [node.primitive.name for node in topological(slope) if node.primitive is not None]

    assert "where" not in rows(lambda x: exp(x * x) * x) and "where" in rows(lambda x: where(x > 1, x * x, x))


def test_rules_of_other_inputs_are_not_read() -> None:
    read: list[Any] = []

    def rule(x: Any, y: Any, out: Any) -> Any:
        read.append(y)
        return x

    product = Binary("product", lambda x, y: x * y, lambda x, y, out: y, rule)
    x, y = Value(2.0), Value(3.0)
    result = product(x, y)
    assert [g.data for g in gradients(result, [x])] == [3.0] and not any(x is y for x in read)
    assert [g.data for g in gradients(result, [y])] == [2.0] and any(x is y for x in read)
