"""Derivatives inside compiled functions, and untaken branches with infinite or NaN values; the oracle is the eager engine."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from autograd import (
    Unary,
    Value,
    arccos,
    arcsin,
    cosh,
    exp,
    grad,
    gradients,
    hessian,
    hypot,
    jacobian,
    jvp,
    log,
    replay,
    sigmoid,
    sqrt,
    value_and_grad,
    where,
)

compile = pytest.importorskip("autograd.compiler").compile
BACKENDS = pytest.mark.parametrize("backend", ["numpy", "native"])
w = Value(2.0, label="w")
SWISH = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))

DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "at an input": lambda x: x * grad(lambda b: b * b * w)(x),
    "at a number": lambda x: x * grad(lambda b: b * b * w)(2.0),
    "at a number that stands elsewhere too": lambda x: 2.0 * x * grad(lambda b: 2.0 * b * w)(2.0),
    "at a leaf": lambda x: x * grad(lambda b: b * b * w)(Value(2.0)),
    "of one of two": lambda x: grad(lambda a, b: a * b * b * w, (0, 1))(x, 3.0)[1],
    "in a list": lambda x: grad(lambda v: v[0] * v[1] * v[1] * w)([x, 3.0])[1],
    "in a derivative": lambda x: grad(lambda a: a * grad(lambda b: a * b * b * w)(1.0))(x),
    "with its value": lambda x: x * value_and_grad(lambda b: b**3 * w)(1.5)[1],
    "second": lambda x: x * hessian(lambda b: b**3 * w)(1.5),
    "of several results": lambda x: jacobian(lambda b: [b * w * x, b * b])(3.0)[0],
    "with a factor 0": lambda x: grad(lambda b: b * 0.0 * x * x + b * w)(2.0),
    "of a user-defined row": lambda x: grad(SWISH)(x) * w,
    "forward": lambda x: jvp(lambda b: where(b > 0, sqrt(b), b) * w * x, (4.0,), (1.0,))[1],
}


@BACKENDS
@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_inside_are_the_eager_ones(name: str, backend: str) -> None:
    f = DERIVATIVES[name]
    for x in (0.5, 3.0):
        w.grad = 0.0
        y = f(x)
        y.backward()
        values, gradient = compile(f, [w], backend=backend).outputs_and_gradient([x], reduce="sum")
        assert values[0] == pytest.approx([y.data], rel=1e-12) and gradient == pytest.approx([w.grad], rel=1e-12)


def test_a_constant_of_the_program_has_no_gradient_in_it() -> None:
    b = Value(2.0)
    with pytest.raises(TypeError, match="a constant of the function being compiled"):
        compile(lambda x: gradients(b * b * w * x, [b])[0], [w], example=[1.0])


SIGNS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "a difference is zero": (lambda x: sqrt(1 - where(x > 0, x, w * x)), 1.0),
    "a difference from a large number is zero": (lambda x: sqrt(5000 - where(x > 0, x, w * x)), 5000.0),
    "a logarithm is zero": (lambda x: sqrt(log(where(x > 0, x, w))), 1.0),
    "a cosh is one": (lambda x: sqrt(cosh(where(x >= 0, x, w)) - 1), 0.0),
    "an exponential is large": (lambda x: where(x < 0.5, lambda: w * log(2 - exp(x)), lambda: w * 1), 1.0),
    "a square is large": (lambda x: where(abs(x) < 3, lambda: w * sqrt(9 - x * x), lambda: w * 1), 4.0),
    "a denominator is zero": (lambda x: where(x > 10, lambda: w / (x - 10), lambda: w * 1), 10.0),
    "a sigmoid is small": (lambda x: where(x > 0, lambda: w * sqrt(sigmoid(x) - 0.1), lambda: w * 1), -5.0),
    "an exponential underflows": (lambda x: sqrt(exp(where(x > 0, w * x, x))), -800.0),
}


@BACKENDS
@pytest.mark.parametrize("name", SIGNS)
def test_a_branch_that_is_not_taken_contributes_nothing_where(name: str, backend: str) -> None:
    f, x = SIGNS[name]
    w.grad = 0.0
    f(x).backward()
    assert compile(f, [w], backend=backend).gradient([x], reduce="sum")[1] == pytest.approx([w.grad])


def test_the_graph_of_a_gradient_keeps_such_choices() -> None:
    x = Value(0.5)
    [slope] = gradients(sqrt(1 - where(x > 0, x, w * x)), [w])
    assert replay(slope, {x: 1.0}).data == 0.0


@pytest.mark.parametrize(
    ("f", "x", "second"),
    [
        (sqrt, 0.0, -math.inf),
        (lambda x: x**0.5, 0.0, -math.inf),
        (lambda x: sqrt(1 - x), 1.0, -math.inf),
        (arcsin, 1.0, math.nan),
        (arccos, -1.0, math.nan),
        (lambda x: hypot(x, 0.0), 0.0, 0.0),
        (abs, 0.0, 0.0),
    ],
)
def test_second_derivatives_where_the_tangent_is_vertical(f: Callable[[Any], Any], x: float, second: float) -> None:
    assert grad(grad(f))(x).data == pytest.approx(second, nan_ok=True)
