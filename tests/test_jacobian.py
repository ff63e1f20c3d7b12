"""Jacobians of compiled programs: the trace shows which entries are 0; the oracle is the eager engine."""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_compiler import attention, convolution, flat, leaves, normal

from autograd import (
    Value,
    arithmetic,
    cbrt,
    compile,
    cos,
    dot,
    exp,
    floor,
    gradients,
    logsumexp,
    maximum,
    relu,
    sign,
    sin,
    sqrt,
    step,
    tanh,
    where,
)  # fmt: skip
from autograd.compiler.pure import as_function
from autograd.trees import flatten, map_tree
from nn import MLP, losses

BACKENDS = pytest.mark.parametrize("backend", ["numpy", "native"])


def eager(f: Callable[..., Any], parameters: Sequence[Value], batch: Sequence[Any]) -> dict[str, Any]:
    """Return the Jacobians [batch×outputs×n] that the eager engine computes."""
    found: dict[str, Any] = {"parameters": [], "inputs": []}
    for example in zip(*batch, strict=True):
        inputs = map_tree(Value, [x.tolist() if isinstance(x, np.ndarray) else x for x in example])
        ys = [y if isinstance(y, Value) else Value(y) for y in flatten(f(*inputs))[0].values()]
        for of, xs in {"parameters": parameters, "inputs": [*flatten(inputs)[0].values()]}.items():
            found[of].append([[g.data for g in gradients(y, xs)] for y in ys])
    return {of: np.array(jacobians) for of, jacobians in found.items()}


def cases() -> dict[str, tuple[Callable[..., Any], list[Value], tuple[Any, ...]]]:
    """Return functions with several outputs, their parameters, and a batch."""
    model, deep = MLP(3, [5, 2], activation="tanh", seed=1), MLP(2, [4, 4, 3], activation="relu", seed=2)
    filters, bias, dense, weights = leaves(2, 3, 3), leaves(2, seed=2), leaves(3, 8, seed=3), leaves(4, 3, 3)
    a, b, c = plain = leaves(3, seed=4)

    def recurrence(x: Any) -> Any:
        states: list[Any] = [0.0]
        for x_t in x:
            states.append(tanh(a * states[-1] + b * x_t + c))
        return states

    def chain(u: Any) -> Any:
        return [a * left - 2 * middle + right + exp(b * middle) for left, middle, right in zip(u, u[1:], u[2:], strict=False)]

    def branches(x: Any) -> Any:
        return [where(x[0] > 0, lambda: sqrt(x[0]) * a, lambda: b * x[1]), maximum(x[0], x[1]), x[0] > x[1], 3.0, c, x[2]]

    return {
        "network": (lambda x: model(x), model.parameters(), (normal(6, 3),)),
        "deep network with a loss": (lambda x, y: [losses.cross_entropy(deep(x), y), *deep(x)], deep.parameters(),
                                     (normal(4, 2), [losses.one_hot(i % 3, 3) for i in range(4)])),
        "convolution": (lambda x, y: convolution(filters, bias, dense, x, y), flat([filters, bias, dense]),
                        (normal(3, 4, 4), normal(3, 3))),
        "attention": (lambda x, y: attention(weights, x, y), flat(weights), (normal(2, 4, 3), normal(2, 4, 3))),
        "recurrence": (recurrence, plain, (normal(3, 6),)),
        "a chain of neighbours": (chain, plain, (normal(2, 9),)),
        "branches": (branches, plain, ([[0.0, 2.0, 1.0], [-1.0, -3.0, 0.5], [4.0, 1.0, -1.0]],)),
        "a list in several dots": (lambda x: [dot(plain, x), dot(x, x, a), dot(plain, plain) * x[0], logsumexp(x)], plain,
                                   (normal(3, 3),)),
        "a tree": (lambda p: {"r": p["x"] * a, "s": [sum(p["v"]) * b, relu(p["x"])]}, plain,
                   ([{"x": 0.5, "v": [1.0, 2.0]}, {"x": -0.5, "v": [3.0, -1.0]}],)),
    }  # fmt: skip


CASES = cases()


def given(name: str) -> tuple[Callable[..., Any], list[Value], tuple[Any, ...], tuple[Any, ...]]:
    """Return a case, and its batch in the form that a program takes."""
    f, parameters, batch = CASES[name]
    return f, parameters, batch, batch if name != "a tree" else ({"x": [0.5, -0.5], "v": [[1.0, 2.0], [3.0, -1.0]]},)


@BACKENDS
@pytest.mark.parametrize("name", CASES)
def test_jacobians_are_the_eager_ones(name: str, backend: str) -> None:
    f, parameters, batch, arrays = given(name)
    program = compile(f, parameters, backend=backend)
    for of, expected in eager(f, parameters, batch).items():
        found = program.jacobian(*arrays, of=of)
        assert found.shape == expected.shape
        assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
        sparse = program.jacobian(*arrays, of=of, sparse=True)
        assert sparse.format == "csr"
        np.testing.assert_array_equal(sparse.toarray(), found.reshape(-1, found.shape[2]))
    assert_allclose(program.jacobian(*arrays), program.jacobian(*arrays, of="parameters"), rtol=0)
    program.parameters *= 0.5  # and at other parameters
    before = [parameter.data for parameter in parameters]
    program.push()
    expected, found = eager(f, parameters, batch)["parameters"], program.jacobian(*arrays)
    for parameter, x in zip(parameters, before, strict=True):
        parameter.data = x
    assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["network", "branches", "convolution", "a tree"])
def test_the_pure_function_runs_in_numpy(name: str) -> None:
    """The function of `to_jax` works in any namespace with NumPy's functions."""
    f, parameters, _, arrays = given(name)
    program = compile(f, parameters)
    loss, gradient = program.gradient(*arrays)
    found = as_function(program.trace, np, None)(program.parameters, *arrays)
    assert found[0] == pytest.approx(loss, rel=1e-13)
    assert_allclose(found[1], gradient, rtol=0, atol=1e-13 * np.abs(gradient).max())
    for of in ("parameters", "inputs"):
        expected = program.jacobian(*arrays, of=of)
        found = as_function(program.trace, np, of)(program.parameters, *arrays)
        assert_allclose(found, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("of", ["parameters", "inputs"])
@pytest.mark.parametrize("name", ["branches", pytest.param("recurrence", marks=pytest.mark.slow)])
def test_jacobians_in_jax(name: str, of: str) -> None:
    jax = pytest.importorskip("jax", reason="JAX is an extra: pip install jax")
    jax.config.update("jax_enable_x64", True)
    f, parameters, batch = CASES[name]
    program = compile(f, parameters)
    expected = program.jacobian(*batch, of=of)
    found = jax.jit(program.to_jax(of))(program.parameters, *map(np.array, batch))
    assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@BACKENDS
def test_independent_entries_are_never_computed(backend: str) -> None:
    n = 300
    program = compile(lambda u: [u[i] * exp(u[i - 1]) + sin(u[i]) for i in range(n)], backend=backend)
    u = np.linspace(-1, 1, n)
    found = program.jacobian([u], of="inputs", sparse=True)
    assert found.nnz == 2 * n
    graph, _, entries, _ = program.trace.jacobian("inputs")[0].passes
    assert {*range(graph.n_leaves, len(graph))} == {*entries, *(j for operands in graph.operands for j in operands)} - {
        *range(n)
    }
    expected = np.diag(np.exp(np.roll(u, 1)) + np.cos(u)) + np.roll(np.diag(np.roll(u, -1) * np.exp(u)), 1, axis=0)
    assert_allclose(found.toarray(), expected, rtol=1e-14)
    u[7] = math.nan  # NaN appears only in entries that use it
    assert np.isnan(program.jacobian([u], of="inputs")).sum() == 4
    assert compile(lambda x: [x[0] > x[1], 1.0], backend=backend).jacobian([[math.nan, 1.0]], of="inputs").tolist() == [
        [[0, 0]] * 2
    ]


@BACKENDS
def test_shapes(backend: str) -> None:
    a, b = Value(2.0), Value(3.0)
    assert compile(lambda: [a * b, a], [a, b], backend=backend).jacobian().tolist() == [[[3.0, 2.0], [1.0, 0.0]]]
    assert compile(lambda x: x * 2, backend=backend).jacobian([1.0, 2.0]).shape == (2, 1, 0)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=pytest.mark.slow)])
def test_float32(backend: str) -> None:
    a, b = Value(2.0), Value(3.0)
    found = compile(lambda x: a * x, [a, b], dtype="float32", backend=backend).jacobian([1.0, 2.0])
    assert (found.dtype, found.tolist()) == (np.float32, [[[1.0, 0.0]], [[2.0, 0.0]]])


@BACKENDS
def test_examples_of_different_lengths(backend: str) -> None:
    a = Value(2.0)
    program = compile(lambda xs: sum(a * a * x for x in xs), [a], backend=backend)
    ragged = [[1.0], [2.0, 3.0], [4.0]]
    assert program.jacobian(ragged).ravel().tolist() == [4.0, 20.0, 16.0]
    assert program.jacobian(ragged, sparse=True).toarray().ravel().tolist() == [4.0, 20.0, 16.0]
    two = compile(lambda xs: [a * xs[0], a * sum(xs)], [a], backend=backend)
    for found in (two.jacobian(ragged), two.jacobian(ragged, sparse=True).toarray()):
        assert found.ravel().tolist() == [1.0, 1.0, 2.0, 5.0, 4.0, 4.0]
    with pytest.raises(ValueError, match=r"different structures.*one structure after the other"):
        program.jacobian(ragged, of="inputs")
    with pytest.raises(ValueError, match="different structures"):
        compile(lambda xs: [a * x for x in xs], [a], backend=backend).jacobian(ragged)
    with pytest.raises(ValueError, match="of is 'parameters' or 'inputs'; got 'weights'"):
        program.jacobian([[1.0]], of="weights")


@BACKENDS
def test_a_levenberg_marquardt_fit(backend: str) -> None:
    """Misra1a of NIST's Statistical Reference Datasets: the certified values and their residual sum of squares."""
    optimize = pytest.importorskip("scipy.optimize")
    y = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
    x = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
    b1, b2 = Value(500.0), Value(0.0001)
    program = compile(lambda x, y: b1 * (1 - exp(-b2 * x)) - y, [b1, b2], backend=backend)

    def residuals(numbers: Any) -> Any:
        program.parameters = numbers
        return program(x, y)

    def slopes(numbers: Any) -> Any:
        program.parameters = numbers
        return program.jacobian(x, y)[:, 0]

    fit = optimize.least_squares(residuals, [500.0, 0.0001], slopes, method="lm", x_scale="jac", xtol=1e-15, ftol=1e-15)
    assert_allclose(fit.x, [2.3894212918e02, 5.5015643181e-04], rtol=1e-8)
    assert 2 * fit.cost == pytest.approx(1.2455138894e-01, rel=1e-9)


def test_a_sparse_jacobian_solves_a_boundary_value_problem() -> None:
    """Bratu's problem u″ + λ eᵘ = 0 with u(0) = u(1) = 0, whose solution is known."""
    optimize, linalg = (pytest.importorskip(f"scipy.{name}") for name in ("optimize", "sparse.linalg"))
    n, strength = 99, 1.0
    h = 1 / (n + 1)

    def bratu(u: Any) -> Any:
        whole = [0.0, *u, 0.0]
        return [(whole[i - 1] - 2 * whole[i] + whole[i + 1]) / h**2 + strength * exp(whole[i]) for i in range(1, n + 1)]

    program = compile(bratu)
    u = np.zeros(n)
    for _ in range(6):  # Newton's method
        u -= linalg.spsolve(program.jacobian([u], of="inputs", sparse=True), program([u])[0])
    theta = optimize.brentq(lambda t: t - math.sqrt(2 * strength) * math.cosh(t / 4), 1.0, 2.0)
    x = np.linspace(h, 1 - h, n)
    exact = -2 * np.log(np.cosh((x - 0.5) * theta / 2) / math.cosh(theta / 4))
    assert_allclose(u, exact, atol=2e-6)
    assert program.jacobian([u], of="inputs", sparse=True).nnz == 3 * n - 2


def test_a_robot_arm_has_its_textbook_jacobian() -> None:
    """The planar arm with two links: Craig, Introduction to Robotics (2005), section 5.7."""
    one, two = 1.5, 0.75
    program = compile(lambda a, b: [one * cos(a) + two * cos(a + b), one * sin(a) + two * sin(a + b)])
    a, b = np.array([0.3, -1.0]), np.array([0.8, 2.0])
    expected: Any = [[-one * np.sin(a) - two * np.sin(a + b), -two * np.sin(a + b)],
                     [one * np.cos(a) + two * np.cos(a + b), two * np.cos(a + b)]]  # fmt: skip
    assert_allclose(program.jacobian(a, b, of="inputs"), np.moveaxis(expected, 2, 0), rtol=1e-14)


@pytest.mark.parametrize("backend", ["numpy", "native", "pure"])
def test_entries_may_all_be_leaves(backend: str) -> None:
    a, b = Value(2.0), Value(-3.0)
    program = compile(lambda x: a * x[0] + b * x[1], [a, b], backend=backend)
    for batch in (1, 5):
        found = program.jacobian(np.ones((batch, 2)), of="inputs")
        assert found.tolist() == [[[2.0, -3.0]]] * batch
    assert compile(lambda: [1.0], backend=backend).jacobian().shape == (1, 1, 0)


AT_A_ROOT: list[Callable[[Any], Any]] = [
    lambda a: floor(sqrt(a)), lambda a: sign(cbrt(a)), lambda a: step(sqrt(a)), lambda a: sqrt(sign(a)),
    lambda a: relu(sqrt(a)),
]  # fmt: skip


@pytest.mark.parametrize("f", AT_A_ROOT)
def test_a_jacobian_is_nan_where_the_gradient_is(f: Callable[[Any], Any]) -> None:
    a = Value(0.0, label="a")
    f(a).backward()
    program = compile(lambda: f(a), [a])
    assert np.isnan([a.grad, *program.gradient()[1], *program.jacobian().ravel()]).all()


def test_without_scipy_what_needs_it_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    program, error_function = compile(lambda x: x * x), arithmetic.special("erf")
    for name in ("scipy", "scipy.special"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="a sparse Jacobian needs SciPy: pip install scipy"):
        program.jacobian([1.0], of="inputs", sparse=True)
    with pytest.raises(ModuleNotFoundError, match="erf on arrays needs SciPy: pip install scipy"):
        error_function(np)
