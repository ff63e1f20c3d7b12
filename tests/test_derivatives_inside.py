"""Derivatives inside compiled functions, compared with published and analytic values: equations, prices, penalties."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_compiler import assert_close, eager, flat, leaves, normal

from autograd import Value, compile, dot, erf, exp, grad, hessian, jacobian, jvp, log, sin, sqrt, tanh, value_and_grad
from nn import MLP

BACKENDS = pytest.mark.parametrize("backend", ["numpy", "native"])


def assert_compiled_is_eager(f: Callable[..., Any], parameters: Sequence[Value], *batch: Any) -> None:
    """Compare outputs and the gradient of a loss on all machines with those of the eager engine."""
    values, gradient = eager(f, parameters, *batch)
    for backend in ("numpy", "native", "pure"):
        program = compile(f, parameters, backend=backend)
        outputs, found = program.outputs_and_gradient(*batch, reduce="sum")
        assert_close(outputs[0], values)
        assert_close(found, gradient)


# A differential equation: Lagaris, Likas and Fotiadis, Artificial Neural Networks for Solving Ordinary and Partial Differential
# Equations, IEEE Transactions on Neural Networks 9 (1998), problem 1, with the trial function ψ = 1 + x·N(x).


def equation(net: Callable[[Any], Any], x: Any) -> Any:
    """Return the residual of ψ′ + (x + c)ψ = x³ + 2x + x²c with c = (1 + 3x²)/(1 + x + x³)."""
    c = (1 + 3 * x**2) / (1 + x + x**3)
    psi, slope = value_and_grad(lambda x: 1 + x * net(x))(x)
    return slope + (x + c) * psi - (x**3 + 2 * x + x**2 * c)


def test_the_compiled_residual_of_an_equation_is_the_eager_one() -> None:
    model = MLP(1, [5, 1], activation="tanh", seed=1)
    assert_compiled_is_eager(lambda x: equation(lambda x: model([x]), x) ** 2, model.parameters(), [0.0, 0.4, 1.0])


@BACKENDS
def test_a_network_learns_the_published_solution_of_an_equation(backend: str) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    model = MLP(1, [10, 1], activation="sigmoid", seed=1)
    program = compile(lambda x: equation(lambda x: model([x]), x), model.parameters(), backend=backend)
    x = np.linspace(0, 1, 40)

    def at(numbers: Any) -> Any:
        program.parameters = numbers
        return program

    fit = optimize.least_squares(
        lambda p: at(p)(x), program.parameters.copy(), lambda p: at(p).jacobian(x)[:, 0], method="lm", xtol=1e-15, max_nfev=200
    )
    at(fit.x).push()
    between = np.linspace(0, 1, 37)
    trial = [1 + t * model([t]).data for t in between]
    exact = np.exp(-(between**2) / 2) / (1 + between + between**3) + between**2
    assert np.abs(trial - exact).max() < 5e-5  # SciPy 1.13 comes to 1.5e-5, newer ones below 1e-5


def test_second_derivatives_of_a_network_are_analytic() -> None:
    """The residual of u″ + u for u(t) = Σ vⱼ tanh(wⱼt + bⱼ), where tanh″ = -2·tanh·(1 - tanh²)."""
    w, b, v = weights = [leaves(4, seed=seed) for seed in range(3)]
    W, B, V = ([leaf.data for leaf in row] for row in weights)
    t = np.array([-0.5, 0.25, 1.5])
    out = np.tanh(np.outer(t, W) + B)
    expected = (out - 2 * out * (1 - out**2) * np.square(W)) @ V
    for second in (grad(grad(u_of(w, b, v))), hessian(u_of(w, b, v)), lambda t: twice_forward(u_of(w, b, v), t)):

        def residual(t: Any, second: Any = second) -> Any:
            return second(t) + u_of(w, b, v)(t)

        assert_allclose(compile(residual, [*w, *b, *v])(t), expected, rtol=1e-12)
        assert_compiled_is_eager(residual, [*w, *b, *v], t)


def u_of(w: Any, b: Any, v: Any) -> Callable[[Any], Any]:
    """Return Σ vⱼ tanh(wⱼt + bⱼ) as a function of t."""
    return lambda t: dot(v, [tanh(w_j * t + b_j) for w_j, b_j in zip(w, b, strict=True)])


def twice_forward(u: Callable[[Any], Any], t: Any) -> Any:
    """Return u″(t) by forward mode inside forward mode."""
    return jvp(lambda t: jvp(u, (t,), (1.0,))[1], (t,), (1.0,))[1]


# Prices: Hull, Options, Futures, and Other Derivatives, the chapters on Black, Scholes and Merton and on the Greek letters.


def call(spot: Any, strike: Any, rate: Any, volatility: Any, years: Any) -> Any:
    """Return the price of a European call."""
    d1 = (log(spot / strike) + (rate + volatility**2 / 2) * years) / (volatility * sqrt(years))
    return spot * _normal(d1) - strike * exp(-rate * years) * _normal(d1 - volatility * sqrt(years))


def _normal(x: Any) -> Any:
    return (1 + erf(x / math.sqrt(2))) / 2


def greeks(spot: Any, strike: Any, rate: Any, volatility: Any, years: Any) -> dict[str, Any]:
    """Return a call's price and its derivatives."""
    price, (delta, rho, vega, decay) = value_and_grad(call, (0, 2, 3, 4))(spot, strike, rate, volatility, years)
    gamma = grad(grad(call))(spot, strike, rate, volatility, years)
    return {"price": price, "delta": delta, "gamma": gamma, "vega": vega, "theta": -decay, "rho": rho}


@BACKENDS
def test_greeks(backend: str) -> None:
    program = compile(greeks, backend=backend)
    published = program([42.0, 49.0], [40.0, 50.0], [0.1, 0.05], [0.2, 0.2], [0.5, 0.3846])
    assert round(published["price"][0], 2) == 4.76
    digits = {"delta": (0.522, 3), "gamma": (0.066, 3), "vega": (12.1, 1), "theta": (-4.31, 2), "rho": (8.91, 2)}
    assert {name: (round(published[name][1], n), n) for name, (_, n) in digits.items()} == digits

    s, k, r, v, t = np.array([(42, 40, 0.1, 0.2, 0.5), (100, 130, -0.01, 0.4, 2), (9, 5, 0, 0.1, 1)]).T
    d1 = (np.log(s / k) + (r + v**2 / 2) * t) / (v * np.sqrt(t))
    d2, density = d1 - v * np.sqrt(t), np.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi)
    below = [np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2)(d) for d in (d1, d2)]
    closed = {
        "price": s * below[0] - k * np.exp(-r * t) * below[1],
        "delta": below[0],
        "gamma": density / (s * v * np.sqrt(t)),
        "vega": s * density * np.sqrt(t),
        "theta": -s * density * v / (2 * np.sqrt(t)) - r * k * np.exp(-r * t) * below[1],
        "rho": k * t * np.exp(-r * t) * below[1],
    }
    found = program(s, k, r, v, t)
    for name, expected in closed.items():
        assert_allclose(found[name], expected, rtol=0, atol=1e-12 * np.abs(expected).max(), err_msg=name)


@BACKENDS
def test_compiled_greeks_are_the_eager_ones_and_differentiate_again(backend: str) -> None:
    market = [100.0, 95.0, 0.03, 0.25, 0.75]
    expected = {name: value.data for name, value in greeks(*market).items()}
    program = compile(greeks, backend=backend)
    found = program(*[[x] for x in market])
    assert {name: float(x[0]) for name, x in found.items()} == pytest.approx(expected, rel=1e-12)
    delta, vega = program.jacobian(*[[x] for x in market], of="inputs")[0][[1, 3]]
    assert delta[0] == pytest.approx(expected["gamma"], rel=1e-12)
    assert vega[0] == pytest.approx(delta[3], rel=1e-12)  # vanna, either way


# A penalty on a gradient: Gulrajani et al., Improved Training of Wasserstein GANs (2017), equation 3.


def penalty(f: Callable[[Any], Any], x: Any) -> Any:
    """Return (‖∂f/∂x‖ - 1)²."""
    slopes = grad(f)(x)
    return (sqrt(dot(slopes, slopes)) - 1) ** 2


@BACKENDS
def test_a_gradient_penalty_is_analytic(backend: str) -> None:
    matrix, linear = leaves(3, 3, seed=1), leaves(3, seed=2)
    A, b = np.array([[leaf.data for leaf in row] for row in matrix]), np.array([leaf.data for leaf in linear])
    X = np.array(normal(5, 3))

    def quadratic(x: Any) -> Any:
        return dot(x, [dot(row, x) for row in matrix]) / 2 + dot(linear, x)

    program = compile(lambda x: penalty(quadratic, x), flat([matrix, linear]), backend=backend)
    slopes = X @ (A + A.T) / 2 + b
    norms = np.linalg.norm(slopes, axis=1)
    assert_allclose(program(X), (norms - 1) ** 2, rtol=1e-12)
    upstream = (2 * (norms - 1) / norms)[:, None] * slopes
    half = upstream.T @ X / 2
    expected = np.concatenate([(half + half.T).ravel(), upstream.sum(axis=0)])
    assert_close(program.gradient(X, reduce="sum")[1], expected)


def test_the_gradient_penalty_of_a_network_is_the_eager_one() -> None:
    critic = MLP(3, [4, 4, 1], activation="tanh", seed=2)
    assert_compiled_is_eager(lambda x: critic(x) + 10 * penalty(critic, x), critic.parameters(), normal(3, 3))


# Nested, and with zeros that are known.


def test_derivatives_nest() -> None:
    w = Value(0.7, label="w")
    nested: dict[str, Callable[[Any], Any]] = {
        "three times": lambda x: grad(grad(grad(lambda x: sin(w * x) * x**3)))(x),
        "forward in reverse": lambda x: grad(lambda a: jvp(lambda b: exp(a * b * w), (a,), (1.0,))[1])(x),
        "of a parameter in one of an input": lambda x: grad(lambda x: grad(lambda w: sin(w * x))(w) * w)(x),
        "a Hessian times a vector": lambda x: grad(lambda v: dot(grad(lambda u: tanh(dot(u, u) * w))([v, x]), [0.5, w]))(x),
        "the determinant of second derivatives": lambda x: _determinant(
            hessian(lambda v: exp(v[0] * v[1] * w) + v[0] ** 3)([x, 2.0])
        ),
        "rows of a Jacobian": lambda x: sum(sum(row) for row in jacobian(lambda v: [v[0] * v[1], sin(v[0] * w)])([x, w])),
    }
    for f in nested.values():
        assert_compiled_is_eager(f, [w], [-0.5, 0.3, 1.2])


def _determinant(rows: Any) -> Any:
    (a, b), (c, d) = rows
    return a * d - b * c


@BACKENDS
def test_zeros_of_a_hessian_are_found_when_compiling(backend: str) -> None:
    n = 30
    program = compile(hessian(lambda v: sum((b - a * a) ** 2 for a, b in pairwise(v))), backend=backend)
    x = np.array(normal(2, n))
    found = program(x)
    a, b = x[:, :-1], x[:, 1:]
    for k, (left, right) in enumerate(zip(a, b, strict=True)):
        expected = np.diag([*(12 * left**2 - 4 * right), 0.0]) + np.diag([0.0, *[2.0] * (n - 1)])
        expected += np.diag(-4 * left, 1) + np.diag(-4 * left, -1)
        assert_allclose(found[k], expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    outputs, constants = program.trace.passes.outputs, program.graph.constants
    assert sum(constants.get(i) == 0 for i in outputs) == n * n - (3 * n - 2)
