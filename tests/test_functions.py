"""Functions made of rows: their values, their slopes, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Unary, Value, clip, compile, exp, grad, jacobian, mean, replay, softmax

untyped: Any = mean, softmax
numpy_clip: Any = np.clip  # its annotations do not allow nodes
lists = st.lists(st.floats(-700, 700), min_size=1, max_size=5)


@given(lists)
def test_each_operand_has_its_share_of_the_mean(v: list[float]) -> None:
    assert mean(v) == pytest.approx(sum(v) / len(v), abs=1e-9)
    assert [d.data for d in grad(mean)(v)] == [1 / len(v)] * len(v)


def test_a_mean_of_large_numbers_does_not_overflow() -> None:
    assert mean([1.5e308, 1.5e308, 1.5e308]) == pytest.approx(1.5e308)


@given(lists)
def test_the_jacobian_of_softmax(v: list[float]) -> None:
    p = softmax(v)
    assert sum(p) == pytest.approx(1) and all(0 <= share <= 1 for share in p)
    found = [[d.data for d in row] for row in jacobian(softmax)(v)]
    for i, row in enumerate(found):  # Bridle (1990): ∂pᵢ/∂xⱼ = pᵢ(1[i = j] - pⱼ)
        assert row == pytest.approx([p[i] * ((i == j) - p[j]) for j in range(len(v))], abs=1e-12)


@pytest.mark.parametrize(
    ("x", "low", "high", "out", "slopes"),
    [
        (0.5, 0.0, 1.0, 0.5, (1, 0, 0)),
        (-1.0, 0.0, 1.0, 0.0, (0, 1, 0)),
        (2.0, 0.0, 1.0, 1.0, (0, 0, 1)),
        (0.0, 0.0, 1.0, 0.0, (0, 1, 0)),  # at an end, the slope belongs to that end
        (1.0, 0.0, 1.0, 1.0, (0, 0, 1)),
        (0.5, 3.0, 1.0, 1.0, (0, 0, 1)),  # ends in the wrong order, as in NumPy
    ],
)
def test_clip(x: float, low: float, high: float, out: float, slopes: tuple[float, ...]) -> None:
    assert clip(x, low, high) == out
    assert tuple(d.data for d in grad(clip, argnums=(0, 1, 2))(x, low, high)) == slopes
    leaf = Value(x)
    recorded = numpy_clip(leaf, low, high)
    assert isinstance(recorded, Value) and recorded.data == out and leaf.clip(low, high).data == out
    assert replay(recorded, {leaf: 0.5}).data == clip(0.5, low, high)  # replaying chooses again


def test_numpy_clips_a_node_with_one_bound_and_while_compiling() -> None:
    x = Value(2.0, label="x")
    assert [numpy_clip(x, *ends).data for ends in ((None, 1.0), (3.0, None), (None, None), (0, Value(1.5)))] == [
        1.0,
        3.0,
        2.0,
        1.5,
    ]
    with pytest.raises(TypeError):
        numpy_clip(x, 0.0, 1.0, out=np.zeros(()))
    pytest.importorskip("numba")
    program = compile(lambda t: numpy_clip(t * x, 0, 1), [x], example=[0.5])
    batch = [0.25, 3.0, -1.0]
    assert list(program(batch)) == [0.5, 1.0, 0.0] and list(program.gradient(batch, reduce="sum")[1]) == [0.25]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mean([]), ValueError, "mean of nothing has no value"),
        (lambda: softmax([]), ValueError, "softmax of nothing has no value"),
        (lambda: untyped[0](Value(2.0)), TypeError, r"mean takes a list of numbers or nodes; got Value\(data=2.0"),
        (lambda: untyped[1](3.0), TypeError, "softmax takes a list .* got 3.0"),
        (lambda: mean(["1"]), TypeError, "pass a real number"),
        (lambda: softmax({"a": 1.0}), TypeError, "operands are numbers in order, not dict"),
    ],
)
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_value_joins_an_array_of_numbers_in_an_array() -> None:
    """The advice of the error for a `Value` times an array, and the README's."""
    times, at = np.linspace(0.0, 1.0, 3), np.array([2.0, 0.5])
    slopes = np.stack([np.exp(-at[1] * times), -at[0] * times * np.exp(-at[1] * times)], axis=1)
    with pytest.raises(TypeError, match="which holds the Value"):
        jacobian(lambda p: p[0] * np.exp(-p[1] * times))(at)
    forms: tuple[Callable[[Any], Any], ...] = (
        lambda p: p[:1] * np.exp(-p[1:2] * times),
        lambda p: np.array([p[0]]) * np.exp(-np.array([p[1]]) * times),
        lambda p: [p[0] * exp(-p[1] * t) for t in times],
    )
    for f in forms:
        assert np.allclose(np.array([*jacobian(f)(at)], float), slopes)


def test_functions_of_numbers_whose_rules_need_each_other() -> None:
    """The advice of the error for SciPy's functions, and the README's."""
    special: Any = pytest.importorskip("scipy.special")
    with pytest.raises(TypeError, match=r"or make it a row: Unary\('j1', j1, rule\)"):
        special.j1(Value(0.7))
    j0 = Unary("j0", special.j0, lambda x, out: -j1(x), array=lambda numpy: special.j0)
    j1 = Unary("j1", special.j1, lambda x, out: j0(x) - out / x, array=lambda numpy: special.j1)
    assert grad(grad(j0))(0.7).data == pytest.approx(special.jvp(0, 0.7, 2))
    assert compile(j0).jacobian([0.7], of="inputs")[0, 0, 0] == pytest.approx(special.jvp(0, 0.7, 1))


def test_a_row_of_slope_0_cuts_the_graph_where_data_is_refused() -> None:
    stop = Unary("stop", lambda x: x, lambda x, out: 0.0)
    w = Value(2.0)
    with pytest.raises(TypeError, match=r"^\.data of .* cannot be used while compiling"):
        compile(lambda x: w * (w * x).data, [w], example=[1.0])
    assert compile(lambda x: w * stop(w * x), [w]).gradient([3.0]) == (12.0, [6.0])
    assert grad(lambda x: x * stop(x))(3.0).data == 3.0
