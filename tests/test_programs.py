"""Programs as users write them, compared with independent answers: closed forms, NumPy, published figures.

Where a program runs on arrays, NumPy runs the same lines on complex numbers: Im f(x + ih) / h is the derivative of an analytic
f to the last digits, because nothing is subtracted.

Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest

from autograd import Value, erf, exp, grad, hessian, log, sqrt
from autograd.compatible import ELSEWHERE
from nn.data import moons

Arrays = dict[str, Any]


def complex_step(f: Callable[[Arrays], Any], p: Arrays) -> Arrays:
    """Return the gradient of an analytic function of arrays, computed by NumPy on complex numbers."""
    found = {name: np.empty_like(array) for name, array in p.items()}
    for name, array in p.items():
        for place in np.ndindex(array.shape):
            shifted = {key: np.array(x, complex) for key, x in p.items()}
            shifted[name][place] += 1e-30j
            found[name][place] = f(shifted).imag / 1e-30
    return found


def assert_close(found: Arrays, expected: Arrays) -> None:
    assert found.keys() == expected.keys()
    size = max(np.abs(array).max() for array in expected.values())
    for name, array in expected.items():
        assert found[name].dtype == float
        np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-12 * size)


# Programs written for micrograd


def draw_dot(root: Any) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Collect what the lectures hand to Graphviz: a box for each value, an oval for each operation, and the arrows."""
    boxes: dict[str, str] = {}
    arrows: set[tuple[str, str]] = set()

    def visit(n: Any) -> None:
        if (uid := str(id(n))) in boxes:
            return
        boxes[uid] = f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }}"
        if n._op:
            boxes[uid + n._op] = n._op
            arrows.add((uid + n._op, uid))
        for child in n._prev:
            arrows.add((str(id(child)), uid + n._op))
            visit(child)

    visit(root)
    return boxes, arrows


def test_the_drawing_of_the_lectures() -> None:
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    o = (x * w + b).tanh()
    o.label = "o"
    o.backward()
    boxes, arrows = draw_dot(o)
    assert sorted(text for text in boxes.values() if "|" not in text) == ["*", "+", "tanh"]
    assert boxes[str(id(x))] == "{ x | data 2.0000 | grad -2.3593 }"  # -3·(1 - tanh² ½)
    assert len(boxes) == 6 + 3 and arrows == {
        (str(id(x)), f"{id(o._prev[0]._prev[0])}*"), (str(id(w)), f"{id(o._prev[0]._prev[0])}*"),
        (f"{id(o._prev[0]._prev[0])}*", f"{id(o._prev[0]._prev[0])}"), (str(id(o._prev[0]._prev[0])), f"{id(o._prev[0])}+"),
        (str(id(b)), f"{id(o._prev[0])}+"), (f"{id(o._prev[0])}+", str(id(o._prev[0]))),
        (str(id(o._prev[0])), f"{id(o)}tanh"), (f"{id(o)}tanh", str(id(o))),
    }  # fmt: skip


def test_views_of_the_graph_are_read_only() -> None:
    x = Value(2.0)
    assert x._prev == () and x._op == "" and (x * x)._prev == (x, x) and (2 * x)._prev == (x,)
    assert [y._op for y in (-x, x**2, 1 / x, x.relu(), x > 1)] == ["-", "**", "/", "relu", ">"]
    for name, value in (("_prev", ()), ("_op", "+")):
        with pytest.raises(AttributeError):
            setattr(x, name, value)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_attribute_of_other_engines_is_refused_with_its_replacement(name: str) -> None:
    others = {"_backward": r"backward\(\)", "children": "inputs", "topo": r"backward\(\)", "detach": "data", "item": "data"}
    replacement = others.get(name, "dict keyed by parameter")
    w = Value(2.0, label="w")
    for node in (w, w * 3):
        with pytest.raises(AttributeError, match=rf"data=[26]\.0.*'{name}'; .*{replacement}"):
            getattr(node, name)
        with pytest.raises(AttributeError, match=replacement):
            setattr(node, name, 0.0)
        assert not hasattr(node, name)


# Ideas of the lectures


def test_softmax_by_hand() -> None:
    logits = [Value(x) for x in (0.5, -1.0, 2.0)]
    counts = [x.exp() for x in logits]
    p = [count / sum(counts) for count in counts]
    p[2].backward()
    e = np.exp([0.5, -1.0, 2.0])
    expected = e / e.sum()
    assert [x.data for x in p] == pytest.approx(expected, rel=1e-14)
    assert [x.grad for x in logits] == pytest.approx(expected[2] * (np.array([0, 0, 1]) - expected), rel=1e-13)


def test_cross_entropy_of_logits() -> None:
    """The gradient is softmax minus the one-hot target."""
    logits = np.array([[0.2, -1.3, 0.7], [2.0, 0.1, -0.4]])
    targets = [2, 1]

    def loss(z: Any) -> Any:
        return -sum(row[t] - log(np.exp(row).sum()) for row, t in zip(z, targets, strict=True)) / len(targets)

    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(grad(loss)(logits), (p - np.eye(3)[targets]) / 2, rtol=1e-13)


def test_a_bigram_model_learns_the_counts() -> None:
    word = "abracadabra"
    letters = sorted(set(word))
    pairs = [(letters.index(a), letters.index(b)) for a, b in pairwise(word)]
    W = [[Value(0.0) for _ in letters] for _ in letters]
    for _ in range(60):
        rows = [[x.exp() for x in row] for row in W]
        loss = -sum(((rows[i][j] / sum(rows[i])).log() for i, j in pairs), Value(0.0))
        loss.zero_grad()
        loss.backward()
        for x in chain(*W):
            x.data -= x.grad
    counts = np.zeros((len(letters), len(letters)))
    for i, j in pairs:
        counts[i, j] += 1
    share = counts / counts.sum(axis=1, keepdims=True)
    found = np.exp([[x.data for x in row] for row in W])
    np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), share, atol=0.02)
    assert loss.data == pytest.approx(-(counts * np.log(np.where(share > 0, share, 1))).sum(), abs=0.1)


def test_moons_with_a_margin() -> None:
    """The hinge loss of a small network: its gradient equals NumPy's, and it learns the classes."""
    points, classes = moons(40, noise=0.1, seed=1)
    X, y = np.array(points), 2.0 * np.array(classes) - 1
    rng = np.random.default_rng(0)
    p: Arrays = {"W": rng.normal(size=(8, 2)), "b": np.zeros(8), "w": rng.normal(size=8) / 4, "c": np.zeros(1)}

    def loss(p: Arrays) -> Any:
        score = (np.maximum(X @ p["W"].T + p["b"], 0)) @ p["w"] + p["c"]
        return np.maximum(1 - y * score, 0).mean() + 1e-3 * (p["w"] @ p["w"])

    def by_hand(p: Arrays) -> Arrays:
        hidden = np.maximum(X @ p["W"].T + p["b"], 0)
        d = np.where(y * (hidden @ p["w"] + p["c"]) < 1, -y, 0) / len(y)
        back = np.outer(d, p["w"]) * (hidden > 0)
        return {"W": back.T @ X, "b": back.sum(axis=0), "w": hidden.T @ d + 2e-3 * p["w"], "c": d.sum(keepdims=True)}

    assert_close(grad(loss)(p), by_hand(p))
    for _ in range(60):
        gradient = grad(loss)(p)
        p = {name: array - 0.5 * gradient[name] for name, array in p.items()}
    assert np.mean(np.sign(np.maximum(X @ p["W"].T + p["b"], 0) @ p["w"] + p["c"]) == y) > 0.9


def test_xor() -> None:
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    rng = np.random.default_rng(1)
    p: Arrays = {"W": rng.normal(size=(4, 2)), "b": np.zeros(4), "w": rng.normal(size=4), "c": np.zeros(1)}

    def out(p: Arrays) -> Any:
        return np.tanh(X @ p["W"].T + p["b"]) @ p["w"] + p["c"]

    slope = grad(lambda p: ((out(p) - y) ** 2).sum())
    assert_close(slope(p), complex_step(lambda p: ((out(p) - y) ** 2).sum(), p))
    for _ in range(200):
        gradient = slope(p)
        p = {name: array - 0.1 * gradient[name] for name, array in p.items()}
    assert (out(p).round() == y).all()


# Recurrences on arrays


def test_an_rnn() -> None:
    rng = np.random.default_rng(2)
    X, targets = rng.normal(size=(6, 2)), rng.normal(size=6)
    p = {"W": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3)), "b": rng.normal(size=3), "v": rng.normal(size=3)}

    def loss(p: Arrays) -> Any:
        h, total = np.zeros(3), 0.0
        for x, target in zip(X, targets, strict=True):
            h = np.tanh(p["W"] @ x + p["U"] @ h + p["b"])
            total = total + (p["v"] @ h - target) ** 2
        return total

    assert_close(grad(loss)(p), complex_step(loss, p))


def test_an_lstm() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(5, 2))
    p = {"W": rng.normal(size=(12, 2)), "U": rng.normal(size=(12, 3)), "b": rng.normal(size=12)}

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    def loss(p: Arrays) -> Any:
        h = c = np.zeros(3)
        for x in X:
            i, f, o, g = np.split(p["W"] @ x + p["U"] @ h + p["b"], 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        return (h**2).sum()

    assert_close(grad(loss)(p), complex_step(loss, p))


# Numerical methods


def test_newton_on_one_equation() -> None:
    """The digits of a cube root double at each step."""

    def f(x: Any) -> Any:
        return x**3 - 2

    x, errors = 1.5, []
    for _ in range(5):
        x -= f(x) / grad(f)(x).data
        errors.append(abs(x - 2 ** (1 / 3)))
    assert errors[-1] < 4e-16 and all(after < 2 * before**2 + 4e-16 for before, after in pairwise(errors))


def test_newton_on_a_valley() -> None:
    """The minimum of Rosenbrock's function is at (1, 1); from (-1.2, 1) Newton's method takes six steps.

    Source: Moré, Garbow, Hillstrom, Testing unconstrained optimization software, ACM TOMS 7 (1981), for the start.
    """

    def rosenbrock(x: Any) -> Any:
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    x = np.array([-1.2, 1.0])
    assert hessian(rosenbrock)(x).tolist() == [[1330.0, 480.0], [480.0, 200.0]]
    for _ in range(6):
        x = x - np.linalg.solve(hessian(rosenbrock)(x), grad(rosenbrock)(x))
    np.testing.assert_allclose(x, [1, 1], atol=1e-10)


@pytest.mark.slow
def test_a_leapfrog() -> None:
    """On ½q² with q = 1 and p = 0 the leapfrog's n-th position is cos nθ exactly, where cos θ = 1 - h²/2.

    Source: Hairer, Lubich, Wanner, Geometric numerical integration illustrated by the Störmer-Verlet method (2003).
    """
    h, n = 0.1, 100

    def position(q: Any, p: Any) -> Any:
        force = grad(lambda q: -(q**2) / 2)
        for _ in range(n):
            p = p + h / 2 * force(q)
            q = q + h * p
            p = p + h / 2 * force(q)
        return q

    expected = math.cos(n * math.acos(1 - h * h / 2))
    assert position(1.0, 0.0).data == pytest.approx(expected, rel=1e-12)
    assert grad(position)(2.0, 0.5).data == pytest.approx(expected, rel=1e-12)  # the map is linear


# Black and Scholes


def call(S: Any, K: Any, r: Any, sigma: Any, T: Any) -> Any:
    """Return the price of a European call on a stock without dividends."""

    def normal(x: Any) -> Any:
        return (1 + erf(x / math.sqrt(2))) / 2

    d1 = (log(S / K) + (r + sigma**2 / 2) * T) / (sigma * sqrt(T))
    return S * normal(d1) - K * exp(-r * T) * normal(d1 - sigma * sqrt(T))


def test_black_scholes() -> None:
    """The figures of Hull, Options, Futures, and Other Derivatives, chapters on the model and on the Greek letters."""
    assert call(42.0, 40.0, 0.1, 0.2, 0.5) == pytest.approx(4.76, abs=0.005)
    at = 49.0, 50.0, 0.05, 0.2, 20 / 52
    assert call(*at) == pytest.approx(2.40, abs=0.005)
    delta, rho, vega, theta = (x.data for x in grad(call, argnums=(0, 2, 3, 4))(*at))
    gamma = grad(grad(call))(*at).data
    assert [delta, gamma, -theta, vega, rho] == pytest.approx([0.522, 0.066, -4.31, 12.1, 8.91], rel=2e-3, abs=5e-4)


def test_micrograds_example() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"
