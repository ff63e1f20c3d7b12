"""Arguments and results as trees: every reading takes the same ones, and refuses others with the path of the fault."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Value, compile, exp, grad, gradcheck, hessian, jacobian, jvp, numbers, tanh, value_and_grad
from autograd.trees import flatten, map_tree


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Layer:
    w: Any
    b: Any


# An argument, a function of it, and the gradient worked out by hand.
TREES: dict[str, tuple[Any, Callable[[Any], Any], Any]] = {
    "number": (3, lambda x: x * x, 6.0),
    "0-d array": (np.array(3.0), lambda x: x * x, 6.0),
    "list": ([2.0, 3], lambda v: v[0] * v[1], [3.0, 2.0]),
    "tuple": ((2.0, (3.0,)), lambda v: v[0] * v[1][0], (3.0, (2.0,))),
    "namedtuple": (Point(2.0, 3.0), lambda p: p.x * p.y**2, Point(9.0, 12.0)),
    "dict": ({"a": 2.0, "b": [3.0]}, lambda p: p["a"] * p["b"][0], {"a": 3.0, "b": [2.0]}),
    "dataclass": (Layer(2.0, 3.0), lambda p: p.w * p.w + p.b, Layer(4.0, 1.0)),
    "array": (np.array([[1.0, 2.0]]), lambda A: (A @ A.T).sum(), np.array([[2.0, 4.0]])),
    "nested": (
        {"layers": [Layer(np.array([[1.0, 2.0]]), 0.5)], "at": Point(3.0, 4.0)},
        lambda p: sum(layer.w @ [p["at"].x, p["at"].y] + layer.b for layer in p["layers"])[0],
        {"layers": [Layer(np.array([[3.0, 4.0]]), 1.0)], "at": Point(1.0, 2.0)},
    ),
}
each_tree = pytest.mark.parametrize(("tree", "f", "gradient"), TREES.values(), ids=TREES.keys())


def assert_same(found: Any, expected: Any) -> None:
    """Assert that two trees have the same structure, the same types of arrays, and nearly the same numbers."""
    leaves, wanted = flatten(found)[0], flatten(expected)[0]
    assert list(leaves.values()) == pytest.approx(list(wanted.values()), rel=1e-14)
    assert repr(map_tree(lambda _: 0.0, found)) == repr(map_tree(lambda _: 0.0, expected))
    arrays = [flatten(tree, entries=False)[0].values() for tree in (found, expected)]
    assert [getattr(x, "dtype", None) for x in arrays[0]] == [getattr(x, "dtype", None) for x in arrays[1]]


@each_tree
def test_gradients_have_the_structure_of_the_argument(tree: Any, f: Any, gradient: Any) -> None:
    assert_same(numbers(grad(f)(tree)), gradient)
    value, found = value_and_grad(f)(tree)
    assert_same(numbers(found), gradient)
    assert value.data == pytest.approx(float(f(tree)))
    assert_same(numbers(jacobian(lambda t: {"y": [f(t)]})(tree)), {"y": [gradient]})
    second = numbers(grad(lambda k, t: f(t) * k, argnums=(0, 1))(2.0, tree))
    assert_same(second, (float(f(tree)), map_tree(lambda g: 2 * g, gradient)))


@each_tree
def test_forward_mode_takes_and_returns_trees(tree: Any, f: Any, gradient: Any) -> None:
    value, tangent = jvp(lambda t: Point(f(t), [1.0]), (tree,), (tree,))
    along = sum(g * x for g, x in zip(flatten(gradient)[0].values(), flatten(tree)[0].values(), strict=True))
    assert_same(value, Point(float(f(tree)), [1.0]))
    assert_same(tangent, Point(along, [0.0]))


@each_tree
def test_checks_name_the_leaves(tree: Any, f: Any, gradient: Any) -> None:
    [name] = inspect.signature(f).parameters
    report = gradcheck(f, tree)
    assert report and [check.name for check in report.inputs] == [f"∂f/∂{path}" for path in flatten(tree, name)[0]]
    assert gradcheck(f, tree, order=2)


def test_checks_of_arrays_and_series() -> None:
    pandas: Any = pytest.importorskip("pandas")

    def f(w: Any, p: Any) -> Any:
        return tanh(w @ [1.0, -2.0]) * p["b"]["k"]

    report = gradcheck(f, np.array([0.5, 0.25]), {"b": pandas.Series([3.0], index=["k"])})
    assert report and [check.name for check in report.inputs] == ["∂f/∂w[0]", "∂f/∂w[1]", "∂f/∂p['b']['k']"]
    labelled = gradcheck(lambda w: w[0] * w[1], [Value(2.0, label="slope"), 3.0])
    assert [check.name for check in labelled.inputs] == ["∂f/∂slope", "∂f/∂w[1]"]
    assert gradcheck(lambda v: np.asarray(v @ v), np.array([1.0, 2.0]))  # a 0-d array is a number
    with pytest.raises(ValueError, match=r"^w\[1\] is ∞; gradients are checked at finite points"):
        gradcheck(lambda w: w.sum(), np.array([1.0, np.inf]))
    with pytest.raises(TypeError, match=r"^np.str_\('3'\) is a str_; pass a real number"):
        grad(lambda v: np.str_("3"))(3.0)
    for result in (lambda v: v, lambda v: {"y": v[0]}):
        with pytest.raises(TypeError, match="one scalar"):
            gradcheck(result, np.array([1.0]))


# Arrays


def test_a_function_of_an_array_receives_an_array_of_nodes() -> None:
    seen: list[Any] = []
    A = np.arange(6.0).reshape(2, 3)

    def f(v: Any) -> Any:
        seen.append(v)
        return (A @ v).sum() + v[1:].sum() * 10

    assert_same(grad(f)(np.array([1, 2, 3])), np.array([3.0, 15.0, 17.0]))
    assert seen[0].dtype == object and seen[0].shape == (3,) and all(isinstance(x, Value) for x in seen[0])
    assert_same(grad(lambda v: (v * v).sum())(np.ones((2, 3), np.float32)), np.full((2, 3), 2.0))
    assert_same(grad(lambda v: 3.0)(np.ones((2, 0))), np.empty((2, 0)))


def test_gradients_through_numpy_functions_and_methods() -> None:
    rng = np.random.default_rng(0)
    x, A = rng.normal(size=4), rng.normal(size=(3, 4))
    n, d, p = len(x), x - x.mean(), np.exp(x) / np.exp(x).sum()
    for f, expected in (
        (lambda v: np.exp(v).sum() + np.sqrt(np.square(v) + 1).mean(), np.exp(x) + x / np.sqrt(x * x + 1) / n),
        (lambda v: (np.exp(v) / np.exp(v).sum())[0], p[0] * (np.eye(n)[0] - p)),
        (lambda v: np.asarray(v[0] * v @ v), 2 * x[0] * x + np.eye(n)[0] * (x @ x)),
        (lambda v: np.linalg.norm(A @ v), A.T @ A @ x / np.linalg.norm(A @ x)),
        (lambda v: np.std(v), d / n / np.std(x)),
        (lambda v: v.var(ddof=1) + np.vdot(v, v), 2 * d / (n - 1) + 2 * x),
        (lambda v: v.max() + np.abs(v).sum() + np.where(v > 0, v, 0).sum(), (x == x.max()) + np.sign(x) + (x > 0)),
        (lambda v: np.cumsum(v)[2] + np.diff(v).sum() + v[[0, 0]].sum(), np.array([2.0, 1, 1, 1])),
        (lambda v: np.einsum("ij,j->i", A, v) @ (A @ v), 2 * A.T @ A @ x),
    ):
        np.testing.assert_allclose(grad(f)(x), expected, rtol=1e-12)
    np.testing.assert_allclose(jacobian(lambda v: np.outer(v, 1 / v))(x)[0, 1], [1 / x[1], -x[0] / x[1] ** 2, 0, 0], rtol=1e-14)


def test_gradients_stay_connected_to_outer_nodes() -> None:
    c = Value(3.0)
    found = grad(lambda v: (v @ v) * c)(np.array([1.0, 2.0]))
    assert found.dtype == object and [x.data for x in found] == [6.0, 12.0]
    found.sum().backward()
    assert c.grad == 6.0  # Σ 2v
    assert grad(lambda x: grad(lambda v: (v @ v) * x)(np.array([1.0, 2.0])).sum())(5.0).data == 6.0
    mixed = grad(lambda p: (p["v"] @ p["v"]) * p["k"] * c)({"v": np.array([1.0, 2.0]), "k": 2.0})
    assert mixed["v"].dtype == object and numbers(mixed["v"]).tolist() == [12.0, 24.0] and mixed["k"].data == 15.0
    outer = grad(lambda x: grad(lambda p: (p["v"] @ p["v"]) * x)({"v": np.array([1.0, 2.0])})["v"].sum())(5.0)
    assert outer.data == 6.0
    inside = grad(lambda b: (grad(lambda a: (a * a * b).sum())(np.array([1.0, 2.0])) ** 2).sum())(np.array([1.0, 3.0]))
    assert inside.dtype == float and inside.tolist() == [8.0, 96.0]  # it depends only on b and on numbers
    assert jacobian(lambda x: {"y": np.array([x * c])})(2.0)["y"].dtype == object
    inner = jacobian(grad(lambda v: (v**3).sum()))(np.array([1.0, 2.0]))
    assert_same(inner, np.diag([6.0, 12.0]))


def test_jacobians_and_hessians_of_arrays() -> None:
    rng = np.random.default_rng(0)
    A, X = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))
    found = jacobian(lambda X: A @ X)(X)
    assert_same(found, np.einsum("ik,jl->ijkl", A, np.eye(3)))
    S = rng.normal(size=(3, 3))
    assert_same(hessian(lambda v: v @ S @ v)(rng.normal(size=3)), S + S.T)
    both = jacobian(lambda v, k: {"Av": A @ v, "k": k * k}, argnums=(0, 1))(X[:, 0], 3.0)
    assert_same(numbers(both), {"Av": (A, np.zeros(4)), "k": (np.zeros(2), 6.0)})
    blocks = hessian(lambda u, v: u @ S @ v, argnums=(0, 1))(X[0], X[1])
    assert_same(blocks, ((np.zeros((3, 3)), S), (S.T, np.zeros((3, 3)))))


def test_series_keep_their_index() -> None:
    pandas: Any = pytest.importorskip("pandas")
    series = pandas.Series([1, 2], index=["a", "b"], name="s")
    expected = pandas.Series([2.0, 4.0], index=["a", "b"], name="s")
    pandas.testing.assert_series_equal(grad(lambda s: (s * s).sum())(series), expected)
    pandas.testing.assert_series_equal(grad(lambda p: p["s"] @ p["s"])({"s": series})["s"], expected)
    assert_same(grad(lambda s: s["a"] * s["b"] ** 2)(series).tolist(), [4.0, 4.0])
    assert_same(jacobian(lambda s: s * s)(series), np.diag([2.0, 4.0]))
    value, tangent = jvp(lambda s: s * s, (series,), (series,))
    assert value.tolist() == [1.0, 4.0] and tangent["b"] == 8.0


# What is refused

READINGS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda x: grad(lambda x: 1.0)(x),
    "value_and_grad": lambda x: value_and_grad(lambda x: 1.0)(x),
    "jacobian": lambda x: jacobian(lambda x: [1.0])(x),
    "hessian": lambda x: hessian(lambda x: 1.0)(x),
    "jvp": lambda x: jvp(lambda x: 1.0, (x,), (x,)),
    "gradcheck": lambda x: gradcheck(lambda x: Value(1.0), x),
    "compile": lambda x: compile(lambda x: 1.0, example=[x]),
    "a batch": lambda x: compile(lambda x: 1.0)(x),
    "numbers": numbers,
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS.keys())
@pytest.mark.parametrize(
    ("tree", "path", "kind"),
    [
        ({1.0, 2.0}, "", "set"),
        (range(3), "", "range"),
        ((x for x in [1.0]), "", "generator"),
        ([1.0, "2"], "[1]", "str"),
        ({"w": [1.0, None]}, "['w'][1]", "NoneType"),
        (Point(1.0, Layer([1j], 2.0)), ".y.w[0]", "complex"),
        ((1.0, [{2.0}]), "[1][0]", "set"),
    ],
)
def test_anything_but_a_number_is_refused_with_its_path(reading: Any, tree: Any, path: str, kind: str) -> None:
    with pytest.raises(TypeError) as caught:
        reading(tree)
    message = str(caught.value)
    assert message.startswith(tuple(f"{start}{path}{end}" for start in ("argument 0", "x", "tree") for end in (":", " is")))
    assert f"a {kind}" in message


def test_results_that_are_not_numbers_are_refused_with_their_path() -> None:
    for f in (lambda x: {"y": [x, "text"]}, lambda x: {"y": [x, {1.0}]}):
        for reading in (jacobian(f), lambda x, f=f: jvp(f, (x,), (x,)), lambda x, f=f: compile(f, example=[x])):
            with pytest.raises(TypeError, match=r"^the result\['y'\]\[1\]( is a set|: )"):
                reading(1.0)


# SciPy


def rosenbrock(x: Any) -> Any:
    """Return SciPy's test function, written as its users write it."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "TNC"])
def test_scipy_minimizes(method: str) -> None:
    optimize: Any = pytest.importorskip("scipy.optimize")
    start = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    np.testing.assert_allclose(grad(rosenbrock)(start), optimize.rosen_der(start), rtol=1e-13)
    np.testing.assert_allclose(hessian(rosenbrock)(start), optimize.rosen_hess(start), rtol=1e-13)
    found = optimize.minimize(optimize.rosen, start, jac=grad(rosenbrock), method=method)
    exact = optimize.minimize(optimize.rosen, start, jac=optimize.rosen_der, method=method)
    np.testing.assert_allclose(found.x, np.ones(5), atol=1e-3)
    assert found.success and abs(found.nfev - exact.nfev) <= 2 + exact.nfev // 5


def test_scipy_as_its_users_write_it() -> None:
    optimize: Any = pytest.importorskip("scipy.optimize")
    start = np.array([1.3, 0.7])
    both = optimize.minimize(lambda x: numbers(value_and_grad(rosenbrock)(x)), start, jac=True)
    newton = optimize.minimize(rosenbrock, start, jac=grad(rosenbrock), hess=hessian(rosenbrock), method="trust-exact")
    np.testing.assert_allclose([both.x, newton.x], np.ones((2, 2)), atol=1e-5)

    def circle(x: Any, radius: float) -> Any:
        return np.array([x @ x - radius**2, x[0] - x[1]])

    root = optimize.root(circle, start, args=(2.0,), jac=jacobian(circle))
    np.testing.assert_allclose(root.x, [2**0.5, 2**0.5], rtol=1e-10)
    t = np.linspace(0.0, 2.0, 20)

    def decay(p: Any) -> Any:
        return np.array([p[0] * exp(-p[1] * x) - 3 * exp(-0.5 * x) for x in t])

    fit = optimize.least_squares(decay, [1.0, 1.0], jac=jacobian(decay))
    np.testing.assert_allclose(fit.x, [3.0, 0.5], rtol=1e-8)


# Compiled programs


def test_examples_are_trees() -> None:
    w = Value(2.0, label="w")
    example = {"at": Point(1.0, [2.0, 3.0]), "A": np.zeros((2, 2)), "layers": [Layer(0.0, (0.0, 0.0))]}
    seen: list[Any] = []

    def f(p: Any, k: Any) -> Any:
        seen.append(p)
        v = p["A"] @ p["at"].y
        return w * p["at"].x * v[0] + v.sum() * p["layers"][0].w + p["layers"][0].b[1] * k

    rng = np.random.default_rng(0)
    batch: Any = {  # also with the keys in another order
        "layers": [Layer(rng.normal(size=3), rng.normal(size=(3, 2)))],
        "A": rng.normal(size=(3, 2, 2)),
        "at": Point(rng.normal(size=3), rng.normal(size=(3, 2))),
    }
    k = rng.normal(size=3)
    losses = [f(map_tree(lambda array, i=i: array[i], batch, entries=False), k[i]) for i in range(3)]
    total = sum(losses, Value(0.0))
    total.backward()
    for program in (compile(f, [w], example=[example, 0.0]), compile(f, [w])):
        seen.clear()
        np.testing.assert_allclose(program(batch, k), numbers(losses), rtol=1e-13)
        loss, [gradient] = program.gradient(batch, k, reduce="sum")
        assert (loss, gradient) == pytest.approx((total.data, w.grad), rel=1e-13)
    program = compile(f, [w], example=[example, 0.0])
    assert repr(map_tree(lambda _: 0.0, seen[-1])) == repr(map_tree(lambda _: 0.0, example))
    assert "p['at'].y" in str(program) and "p['layers'][0].b" in program.latex


def test_series_and_frames_are_examples_and_batches() -> None:
    pandas: Any = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6]})
    program = compile(lambda row, y: row["a"] * row["b"] - y, example=[frame.iloc[0], 0.0])
    assert program(frame, frame["a"]).tolist() == [3.0, 8.0, 15.0]
    columns = compile(lambda p: p["a"] - p["b"])
    assert columns({"a": frame["a"], "b": frame["b"]}).tolist() == [-3.0, -3.0, -3.0]


def test_results_are_trees() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    def check(f: Any, expected: Any) -> None:
        assert_same(compile(f)(x), expected)

    check(lambda v: {"sum": v.sum(), "exp": [v[0] * 2, v[1] + 0]}, {"sum": x.sum(axis=1), "exp": x * [2.0, 1.0]})
    check(lambda v: Point(v[0], Layer(v * 2, (v[1], 1.0))),
          Point(x[:, 0], Layer(x * 2, np.stack([x[:, 1], np.ones(3)], axis=1))))  # fmt: skip
    check(lambda v: np.outer(v, v), np.einsum("bi,bj->bij", x, x))
    check(lambda v: (v[0], [v[1], v[0]]), (x[:, 0], x[:, ::-1]))
    check(lambda v: [np.asarray(v[0]), {"none": v[:0]}], [x[:, 0], {"none": np.empty(0)}])


def test_batches_that_do_not_fit_are_refused_with_the_path() -> None:
    without_list: Any = {"a": 1.0}
    program = compile(lambda p: p["a"] * p["b"][0], example=[{"a": 1.0, "b": [1.0, 2.0]}])
    with pytest.raises(ValueError, match=r"shapes argument 0\['a'\] \(2,\), argument 0\['b'\] \(2, 3\); "):
        program({"a": [1.0, 2.0], "b": np.zeros((2, 3))})
    with pytest.raises(ValueError, match=r"argument 0\['a'\] \[batch\], argument 0\['b'\] \[batch×2\]; compiled without"):
        program({"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"argument 0\['a'\] is the number 1.0; a program takes a batch"):
        program({"a": 1.0, "b": [[1.0, 2.0]]})
    with pytest.raises(ValueError, match=r"\[2, 1\] entries"):
        program({"a": [1.0, 2.0], "b": [[1.0, 2.0]]})
    with pytest.raises(TypeError, match=r"^argument 0\['b'\] is not an array of numbers, nor nested lists of equal lengths"):
        program({"a": [1.0, 2.0], "b": [[1.0, 2.0], [1.0]]})
    with pytest.raises(TypeError, match=r"for a single one write \[\{'a': 1.0\}\]"):
        compile(lambda p: p["a"], example=without_list)


def test_a_branch_on_a_leaf_of_a_tree_is_refused() -> None:
    with pytest.raises(TypeError, match="the truth of"):
        compile(lambda p: exp(p["a"]) if p["a"] > 0 else 0.0, example=[{"a": 1.0}])


@dataclass
class Pendulum:
    length: float
    gravity: float = field(default=9.81, init=False)
    rate: float = field(init=False)
    scale = 1.0

    def __post_init__(self) -> None:
        self.rate = self.length * self.length


@dataclass(slots=True)
class Slotted:
    length: float
    gravity: float = field(default=9.81, init=False)


class Pair(NamedTuple):
    length: float
    gravity: float


class Marked(Pair):
    scale = 1.0


def test_attributes_that_were_set_stay_and_computed_ones_are_computed_anew() -> None:
    moon, small, pair = Pendulum(2.0), Slotted(2.0), Marked(2.0, 1.62)
    moon.gravity = small.gravity = 1.62
    moon.scale = pair.scale = 3.0
    for f, argument, slope in (
        (lambda p: p.length / p.gravity * p.scale, moon, 3 / 1.62), (lambda p: p.rate * p.scale, moon, 12.0),
        (lambda p: p.length / p.gravity, small, 1 / 1.62), (lambda p: p.length * p.scale, pair, 3.0),
    ):  # fmt: skip
        assert grad(f)(argument).length.data == pytest.approx(slope, rel=1e-15)


def test_cached_attributes_are_computed_anew() -> None:
    @dataclass
    class Square:
        side: Any

        @cached_property
        def area(self) -> Any:
            return self.side * self.side

        def doubled(self) -> Any:
            if not hasattr(self, "_twice"):
                self._twice = self.side * 2
            return self._twice

    square = Square(3.0)
    assert (square.area, square.doubled()) == (9.0, 6.0)
    assert grad(lambda s: s.area + s.doubled())(square).side.data == 8.0


def test_a_constant_gradient_of_an_array_is_an_array_of_floats() -> None:
    w = Value(2.0)
    for found in (
        grad(lambda a: np.where(a > 0, a, 0.0).sum())(np.array([-1.0, -2.0])), grad(lambda a: 3.0)(np.array([1.0, 2.0])),
        hessian(lambda a: a.sum())(np.array([1.0, 2.0])), jacobian(lambda a: [a.sum(), 1.0])(np.array([1.0])),
    ):  # fmt: skip
        assert all(array.dtype == float for array in (found if isinstance(found, list) else [found]))
    assert grad(lambda a: (w * a).sum())(np.array([1.0]))[0].data == 2.0  # it depends on w, so it stays a node


@pytest.mark.parametrize("derivative", [grad, value_and_grad, jacobian, hessian, lambda f: jvp(f, (1.0,), (1.0,))])
def test_a_result_in_place_of_a_function_is_refused_at_once(derivative: Any) -> None:
    w = Value(2.0)
    with pytest.raises(TypeError, match=r"got a Value; for a result y, use gradients\(y, \[x\]\)$"):
        derivative(w * w)
    with pytest.raises(TypeError, match=r"such as lambda x: x \* x; got a float;"):
        derivative(4.0)
