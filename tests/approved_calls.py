"""Calls, and what they return or raise, as at a prompt; see `test_approved`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from approved_pictures import lined

import autograd
from autograd import Value, value_and_grad
from autograd.checking.readings import check_text
from nn import losses
from nn.data import moons, parity, truth_table
from nn.optim import SGD, descend


@dataclasses.dataclass(frozen=True)
class Weights:
    """Two numbers."""

    w: Any
    b: Any = 0.5


class Pair(NamedTuple):
    """Two numbers."""

    x: Any
    y: Any


def nested(levels: int) -> Any:
    """Return a number inside that many nested lists."""
    tree: Any = 1.0
    for _ in range(levels):
        tree = [tree]
    return tree


CALLS: Final = """
grad(lambda x, y: x * y**2)(2.0, 3.0)
grad(lambda x, y: x * y**2, 1)(2.0, 3.0)
grad(lambda x, y: x * y**2, -1)(2.0, 3.0)
grad(lambda x, y: x * y**2, (1, 0))(2.0, 3.0)
grad(lambda x, y: x * y**2, 2)(2.0, 3.0)
grad(lambda x, y: x * y**2, (0, 0))(2.0, 3.0)
grad(lambda x, y: x * y**2, ())(2.0, 3.0)
grad(lambda x, y: x * y**2, 0.5)(2.0, 3.0)
grad(lambda x, y: x * y**2, 1.0)(2.0, 3.0)
grad(lambda x: x)(2)
grad(lambda x: 5.0)(2.0)
grad(lambda x: "a")(2.0)
grad(lambda x: [x, x])(2.0)
grad(lambda x: None)(2.0)
grad(lambda x: x > 1)(2.0)
grad(lambda x: x * 0.0 * 1e200 * 1e200)(1.0)
grad(lambda x: x)("a")
grad(lambda x: x)(None)
grad(lambda x: x)()
grad(lambda v: v[0] * v[1])([2.0, 3.0])
grad(lambda v: v[0] * v[1])((2.0, 3.0))
grad(lambda v: v["a"] * v["b"][0])({"a": 2.0, "b": [3.0]})
grad(lambda v: v.w * v.b)(Weights(2.0))
grad(lambda v: v.x * v.y)(Pair(2.0, 3.0))
grad(lambda v: (v * v).sum())(np.array([[1.0, 2.0]]))
grad(lambda v: v * v)(np.array([2.0, 3.0]))
grad(lambda v: v[0])([])
grad(lambda v: v)({1.0, 2.0})
grad(lambda v: v[0])(nested(2))
grad(lambda v: 1.0)(nested(101))
value_and_grad(lambda x: x**3)(2.0)
value_and_grad(lambda x: x**3)(Value(2.0, "x"))
jacobian(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0])
jacobian(lambda x: {"a": x**2})(3.0)
jacobian(lambda x, y: [x * y, x], (0, 1))(2.0, 3.0)
hessian(lambda v: v[0] ** 3 * v[1])([2.0, 3.0])
hessian(lambda x, y: x * y**2, (0, 1))(2.0, 3.0)
jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.5))
jvp(lambda x: [x, x * x], (3.0,), (2.0,))
jvp(lambda x: x, (3.0,), (1.0, 2.0))
jvp(lambda x: x, (3.0,), ("a",))
jvp(lambda x: x, 3.0, 1.0)
jvp(lambda x: x, (3.0,), 1.0)
jvp(lambda x: x, 3.0, (1.0,))
gradients(w * x, [w, x, Value(1.0)])
gradients(w * x, w)
gradients(2.0, [w])
replay(w * x + 1)
replay(w * x + 1, {w: 10.0})
replay(w * x + 1, {w: "a"})
replay(w * x + 1, {2.0: 1.0})
replay(w * x + 1, [w])
check_derivation(w * x, {w: 1.0})
check_derivation(w * x, {w: 1.0}, -1.0)
check_derivation(w * x, {w: 1.0}, "1")
check_derivation(w * x, {w: 10**400})
check_derivation(w * x, {w: math.nan})
check_derivation(sqrt(w - 0.5) ** 2, {w: math.nan})
check_derivation(sqrt(w - 0.5) ** 2, {w: 1.0})
check_derivation(w * 3 + w * 2 * (x - 2), {w: 7.0})
check_derivation(w * x, [1.0])
check_derivation(2.0, {w: 1.0})
label_values([w, x])
draw(w * x, limit="5")
walk(w * x)[-3]
walk(w * x)["0"]
walk(w * x).goto(True)
certify(max, w=(0, 1), x=(2, 3)).bounds("x")
certify(lambda x: x[0], x=[1, math.inf])
numbers([w, {"x": x}])
numbers((w * x, 1, "a"))
mean([w, x, 4.0])
mean([])
softmax([w, x])
softmax([])
clip(w, 0.0, 0.25)
clip(w, 1.0, 0.0)
total([])
dot([w], [x, x])
dot([w], [x], "b")
dot([], [])
where(w > 0, w, x)
where(w, w, x)
where(w > 0, lambda: x, lambda: 1 / 0)
maximum(w, x, 3)
maximum(w)
hypot(w, x, 2)
w + "a"
w + [1.0]
w + 1j
w + 10**400
w**x
(-1.0 * w) ** 0.5
0**w
1 / (w - 0.5)
w // 0.2
w % 0.2
divmod(w, 0.2)
round(w)
abs(-w)
w == x
w == w
w == 0.5
{w == w, w == x, w != x}
1 / total([w, x, -w, -x])
1 / total([w, x, 0, -w, -x])
w.tanh()
w.maximum(x)
w.leaky_relu()
(w > 1).where(w, x)
w < x
bool(w)
bool(w < x)
float(w)
int(w)
math.floor(w)
len(w)
w[0]
[1, 2][w]
f"{w:.2f}"
str(w)
repr(w * x)
w.item()
w.backward("a")
(w * x).backward(2)
w.zero_grad()
Value("a")
Value(True)
Value(None)
Value([1.0])
Value(Value(1.0))
Value(math.nan)
Value(1, 2)
autograd.Primitive("row", abs)
np.array([w, x]) * 2
np.exp(np.array([w, x], dtype=object))
np.sqrt(w)
check_text(autograd.Unary("third", lambda x: x / 3, lambda x, out: 1 / 3), [2.0])
losses.squared_error([1.0, 2.0], [0.0, 0.5], half=True, reduce="mean")
losses.squared_error([1.0], [0.0, 0.5])
losses.binary_cross_entropy([0.25, 0.5], [0.0, 1.0])
losses.binary_cross_entropy_with_logits([-800.0, 800.0], [0.0, 0.0])
losses.categorical_cross_entropy([0.25, 0.5, 0.25], 1)
losses.categorical_cross_entropy([0.25, 0.5, 0.25], 3)
losses.cross_entropy([1.0, 2.0, 3.0], [0.0, 0.5, 0.5])
losses.hinge([0.5, -2.0], [1, 0])
losses.hinge(0.5, 0.5)
losses.one_hot(1, 3)
losses.one_hot(3, 3)
losses.boundary(losses.hinge, [-1, 1])
losses.boundary(losses.mean_squared_error, [-1, 1])
losses.boundary(losses.mean_squared_error, [0, 1])
truth_table("xor")
truth_table("nor")
parity(2)
moons(3, noise=0.25, seed=1)
descend(lambda a, b: a * a + b, [1.0, 2.0], SGD(lr=0.25), 2)
"""


def shortened(found: Any) -> str:
    """Write a result with its numbers to nine digits."""
    if isinstance(found, float):
        return f"{found:.9g}"
    if isinstance(found, Value):
        return f"Value({found.data:.9g}, {found.grad:.9g}, {found.label!r})"
    if isinstance(found, list | tuple) and type(found) in (list, tuple):
        return f"{type(found).__name__}({', '.join(map(shortened, found))})"
    if isinstance(found, dict):
        return f"dict({', '.join(f'{key!r}: {shortened(x)}' for key, x in found.items())})"
    if isinstance(found, np.ndarray):
        return f"array({shortened(found.tolist())})"
    return repr(found)


def calls() -> Iterator[str]:
    """Iterate over calls with what they return or raise."""
    own = {"Value": Value, "Weights": Weights, "Pair": Pair, "nested": nested, "np": np, "math": math, "losses": losses,
           "check_text": check_text, "SGD": SGD,
           "moons": moons, "parity": parity, "truth_table": truth_table, "descend": descend, "autograd": autograd,
           "value_and_grad": value_and_grad}  # fmt: skip
    for call in CALLS.strip().splitlines():
        nodes = {"w": Value(0.5, "w"), "x": Value(2.0, "x")}
        names = {name: getattr(autograd, name) for name in autograd.__all__} | own | nodes
        try:
            found = shortened(eval(call, names))
        except Exception as error:  # of whatever type
            found = f"{type(error).__name__}: {error}"
        after = "".join(f"; {name}.grad = {node.grad:g}" for name, node in nodes.items() if node.grad)
        yield f">>> {call}\n{found}{after}"


RESULTS: Final[dict[str, Callable[[], str]]] = {"calls.txt": lambda: lined(calls())}
