"""Operands: they may come from any ordered iterable, and functions and rules may do unusual things with them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import (
    Binary,
    Nary,
    Unary,
    Value,
    check_derivation,
    compile,
    dot,
    grad,
    hessian,
    jvp,
    logsumexp,
    mean,
    minimum,
    numbers,
    prod,
    replay,
    softmax,
    sqrt,
    total,
    value_and_grad,
    where,
)
from autograd.compiler.pure import as_function
from nn import MLP, fit
from nn.optim import SGD, Adam, Momentum, RProp

SMALL: Any = np.float32
TINY: Any = np.float16


def one_by_one(*operands: Any) -> Any:
    return sum(operands)


def ones(operands: Any, out: Any) -> list[float]:
    return [1.0] * len(operands)


@pytest.mark.parametrize("make", [list, tuple, lambda xs: iter(xs), lambda xs: (x for x in xs)])
def test_a_row_may_take_its_operands_from_any_iterable(make: Callable[[Any], Any]) -> None:
    row, a, b = Nary("row", one_by_one, ones, make), Value(1.0), Value(2.0)
    for y in (row([a, b]), total(make([a, b]))):
        y.backward()
        assert y.data == 3
    assert (a.grad, b.grad) == (2.0, 2.0)
    assert jvp(row, ([1.0, 2.0],), ([1.0, 0.5],)) == (3.0, 1.5)


@pytest.mark.parametrize("operands", [{0: Value(10.0), 1: Value(20.0)}, {2.0, 3.0}, b"12", frozenset([1.0])])
@pytest.mark.parametrize("f", [total, prod, mean, softmax, logsumexp, lambda xs: dot(xs, [1.0, 2.0]),
                               Nary("row", one_by_one, ones, lambda xs: xs)])  # fmt: skip
def test_keys_and_unordered_collections_are_refused(f: Callable[[Any], Any], operands: Any) -> None:
    with pytest.raises(TypeError, match=f"not {type(operands).__name__}; pass (its values|a list)"):
        f(operands)


def test_the_columns_of_a_table_are_not_its_numbers() -> None:
    pandas: Any = pytest.importorskip("pandas")
    table = pandas.DataFrame([[5.0, 7.0], [9.0, 11.0]])
    with pytest.raises(TypeError, match=r"not DataFrame; pass its numbers, to_numpy\(\)\.ravel\(\)"):
        mean(table)
    assert mean(table.to_numpy().ravel()) == 8
    assert total({"a": 1.0, "b": 2.0}.values()) == total(pandas.Series([1.0, 2.0])) == 3


def test_a_rule_may_sort_its_list() -> None:
    def slopes(operands: Any, out: Any) -> list[float]:
        found = [float(x == out) for x in operands]
        operands.sort()
        return found

    row = Nary("middle", lambda *xs: sorted(xs)[1], slopes, lambda *xs: xs)
    a = Value(3.0)
    y = row(a, 1.0, 2.0)
    assert y.operands == (a, 1.0, 2.0) and replay(y, {a: 0.0}).data == 1.0


def test_a_comparison_as_a_row_gives_floats_at_every_call() -> None:
    inner = Unary("inner", lambda x: x > 1, lambda x, out: 0.0)
    outer = Unary("outer", inner, lambda x, out: 0.0)
    pair = Binary("pair", lambda x, y: x <= y, lambda x, y, out: 0.0, lambda x, y, out: 0.0)
    for _ in range(3):
        found = [
            inner(Value(2.0)),
            outer(Value(0.5)),
            pair(Value(1.0), 2.0),
            pair(1.0, Value(2.0)),
            pair(Value(3.0), Value(2.0)),
        ]
        assert [(type(y.data), y.data) for y in found] == [(float, x) for x in (1.0, 0.0, 1.0, 1.0, 0.0)]


@pytest.mark.parametrize("combine", [lambda c, d: c & d, lambda c, d: c | d, lambda c, d: ~c, lambda c, d: True & c])
@pytest.mark.parametrize("compiled", [False, True])
def test_and_or_not_are_refused_with_what_to_write(combine: Callable[[Any, Any], Any], compiled: bool) -> None:
    def f(x: Any) -> Any:
        return where(combine(x > 0, x < 1), x, 0.0)

    with pytest.raises(TypeError, match=r"minimum\(a, b\) for 'and', maximum\(a, b\) for 'or', 1 - a for 'not'"):
        compile(f)([0.5]) if compiled else f(Value(0.5))
    assert compile(lambda x: where(minimum(x > 0, x < 1), x, 0.0))([0.5, 2.0]).tolist() == [0.5, 0.0]


def test_replay_keeps_what_a_derivative_is_taken_with_respect_to() -> None:
    x, b = Value(3.0), Value(5.0)
    assert grad(lambda q: replay(q * q))(x).data == 6
    assert grad(grad(lambda q: replay(q**3)))(2.0).data == 12
    assert numbers(hessian(lambda p: replay(p[0] ** 2 * p[1]))([3.0, 5.0])) == [[10, 6], [6, 0]]
    assert grad(grad(lambda q: replay(q * q * q * b, {b: 2.0})))(2.0).data == 24


def test_a_finished_derivative_is_replayed_and_copied_like_any_graph() -> None:
    x = Value(2.0, label="x")
    value, slope = value_and_grad(lambda q: q**3)(x)
    assert (replay(value, {x: 3.0}).data, replay(slope, {x: 3.0}).data) == (27, 27)
    leaf, copied = copy.deepcopy([x, slope])
    copied.backward()
    assert (leaf.grad, x.grad) == (12, 0)
    x.data = 3.0
    assert replay(slope).data == 27 and replay(grad(grad(lambda q: q**3))(x)).data == 18


def test_an_operand_with_the_tangent_0_is_a_constant() -> None:
    assert jvp(lambda x, y: x**y, (-2.0, 3.0), (1.0, 0.0)) == (-8.0, 12.0)
    assert jvp(lambda p: p[0] + sqrt(p[1]), ([3.0, 0.0],), ([1.0, 0.0],)) == (3.0, 1.0)
    value, slope = jvp(lambda x: jvp(lambda y: x * y * y, (3.0,), (1.0,))[1], (2.0,), (0.0,))
    assert (value, slope) == (12.0, 0.0)


def test_terms_that_cancel_have_the_derivative_0() -> None:
    x, w = Value(2.0, label="x"), Value(0.5, label="w")
    y = 0.1 * x + 0.2 * x - 0.3 * x + w * 1e-12
    assert check_derivation(y, {x: 0.0, w: 1e-12}).points == 1
    assert check_derivation(y, {w: 0.0}).points == 0


@pytest.mark.parametrize("optimizer", [
    SGD(lr=SMALL(0.1)), SGD(lr=lambda step: SMALL(0.1)), Momentum(0.1, momentum=SMALL(0.9)),
    Adam(0.1, betas=(SMALL(0.9), SMALL(0.99))), Adam(0.1, eps=SMALL(1e-8)), RProp(SMALL(0.1)),
    RProp(0.1, etas=(SMALL(0.5), SMALL(1.2))),
])  # fmt: skip
def test_hyperparameters_of_numpy_leave_parameters_in_double_precision(optimizer: Any) -> None:
    w = Value(1 / 3)
    for _ in range(2):
        w.grad = 1 / 7
        optimizer.step([w])
    assert type(w.data) is float and float(SMALL(w.data)) != w.data


def test_a_penalty_of_numpy_leaves_losses_in_double_precision() -> None:
    model = MLP(1, [1], seed=0)
    history = fit(model, [[1.0], [2.0]], [0.0, 1.0], epochs=2, l2=TINY(0.1), compiled=True, progress=False)
    assert {*map(type, history.loss)} == {float}


def test_a_program_is_not_current_where_the_structure_of_its_result_changed() -> None:
    w, is_swapped = Value(2.0), [False]

    def f(x: Any) -> Any:
        names = ("speed", "place") if is_swapped[0] else ("place", "speed")
        return dict(zip(names, (w * x, w + x), strict=True))

    program = compile(f, [w], example=[0.0])
    assert program.is_current()
    is_swapped[0] = True
    assert not program.is_current()


def test_advice_for_other_arguments_can_be_followed() -> None:
    w = Value(2.0)
    program = compile(lambda xs: sum(xs) * w, [w])
    program(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"call it with such arguments, and then to_jax\(\) again"):
        as_function(program.trace, np, None)(program.parameters, np.ones((2, 3)))
    program(np.ones((2, 3)))
    assert as_function(program.trace, np, None)(program.parameters, np.ones((2, 3)))[0] == 6
    sparse: Any = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"csr_array.*for example ….toarray\(\)"):
        program(sparse.csr_array(np.eye(2)))
    assert program(sparse.csr_array(np.eye(2)).toarray()).tolist() == [2.0, 2.0]
