"""Workloads for compiled programs: each computation in scalars, in NumPy by hand, and as torch and jax write it.

The scalar text is written for one example: lists, `sum`, operators, a network.  The text by hand is the NumPy that the same
person would write next, with examples in rows and the backward pass derived on paper.  Torch and jax share one text, in the
words of a `Library`, since both differentiate for themselves.

A workload's parameters are one flat array, in the order of its leaves; `places` lists which of them form which array.

>>> import numpy as np
>>> moons = workloads()["moons"]()
>>> loss, gradients = moons.by_hand(moons.arrays(), *moons.batch)
>>> moons.flat(gradients).shape == (len(moons.leaves),)
True
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd import Value, cos, dot, exp, relu, sigmoid, sin, tanh, total
from nn import MLP
from nn.losses import cross_entropy, squared_error

__all__ = [
    "Array", "Gradients", "Library", "Workload", "consecutive", "flattened", "layer_places", "leaves", "sigmoids_by_hand",
    "workloads",
]  # fmt: skip

Array: TypeAlias = Any  # numpy.ndarray, torch.Tensor or jax.Array
Gradients: TypeAlias = tuple[float, list[Array]]


class Library(NamedTuple):
    """The functions of a library that differentiates for itself.

    The function that `last` takes goes from (h, x) to h; `stack` stacks along the second dimension; `array` converts NumPy's.
    """

    linear: Callable[[Array, Array, Array], Array]
    convolution: Callable[[Array, Array, Array], Array]
    softmax: Callable[[Array], Array]
    logsumexp: Callable[[Array], Array]
    tanh: Callable[[Array], Array]
    sigmoid: Callable[[Array], Array]
    relu: Callable[[Array], Array]
    sin: Callable[[Array], Array]
    cos: Callable[[Array], Array]
    last: Callable[[Callable[[Array, Array], Array], Array, Array], Array]
    exp: Callable[[Array], Array]
    log: Callable[[Array], Array]
    stack: Callable[[Sequence[Array]], Array]
    array: Callable[[Array], Array]


@dataclass(frozen=True)
class Workload:
    """One computation.

    Attributes:
        title: its description in the table.
        scalars: the loss of one example, in scalars.
        leaves: its parameters.
        places: for each array that the other texts take, the places of its numbers among the leaves.
        batch: the arguments for all examples, each [batch×…].
        by_hand: the mean loss and its gradients, from the arrays and the batch.
        by_library: the mean loss, from a `Library`, the arrays and the batch.
        dtype: the type of all numbers.
        jitted: whether jax takes part; it is left out where it compiles for many minutes.
        adam: whether a step is one of Adam instead of gradient descent.
    """

    title: str
    scalars: Callable[..., Value]
    leaves: Sequence[Value]
    places: Sequence[Array]
    batch: tuple[Array, ...]
    by_hand: Callable[..., Gradients]
    by_library: Callable[..., Array]
    dtype: str = "float64"
    jitted: bool = True
    adam: bool = False

    def arrays(self) -> list[Array]:
        """Return the parameters as the arrays that the other texts take."""
        flat = np.array([leaf.data for leaf in self.leaves], self.dtype)
        return [np.array(flat[places]) for places in self.places]

    def flat(self, arrays: Sequence[Array]) -> Array:
        """Return the numbers of these arrays in the order of the leaves."""
        found = np.empty(len(self.leaves), self.dtype)
        for places, array in zip(self.places, arrays, strict=True):
            found[places] = array
        return found


def workloads() -> dict[str, Callable[[], Workload]]:
    """Return all workloads by name, in the sizes of the published table."""
    return {
        "moons": lambda: moons(100),
        "parity": lambda: parity(8),
        "digits": lambda: digits(256, "float64"),
        "digits32": lambda: digits(256, "float32"),
        "convolution": lambda: convolution(64),
        "attention": lambda: attention(1),
        "attention64": lambda: attention(64),
        "recurrence": lambda: recurrence(10_000),
        "mixed": lambda: mixed(10_000, 32),
    }


def consecutive(*shapes: tuple[int, ...]) -> list[Array]:
    """Return the places of arrays that are stored one after the other."""
    ends = itertools.accumulate(math.prod(shape) for shape in shapes)
    return [np.arange(end - math.prod(shape), end).reshape(shape) for shape, end in zip(shapes, ends, strict=True)]


def leaves(rng: np.random.Generator, shapes: Sequence[tuple[int, ...]], scale: float = 0.5) -> list[Any]:
    """Return leaves for arrays of these shapes, as nested lists."""
    return [np.vectorize(Value, otypes=[object])(scale * rng.standard_normal(shape)).tolist() for shape in shapes]


def flattened(tree: Any) -> list[Value]:
    """Return the leaves of nested lists, in written order."""
    return [leaf for part in tree for leaf in flattened(part)] if isinstance(tree, list) else [tree]


# Networks: a layer's numbers are ordered by neuron, the weights before the bias.


def layer_places(model: MLP) -> list[Array]:
    tables = consecutive(*[(len(layer.neurons), layer.n_inputs + 1) for layer in model.layers])
    return [places for table in tables for places in (table[:, :-1], table[:, -1])]


def _one_hot(rng: np.random.Generator, n: int, classes: int, dtype: str = "float64") -> Array:
    return np.eye(classes, dtype=dtype)[rng.integers(classes, size=n)]


def moons(n: int) -> Workload:
    """Return the tanh network 2-16-16-1 of many tutorials, with squared errors to ±1."""
    rng, model = np.random.default_rng(1), MLP(2, [16, 16, 1], seed=1)
    X, t = rng.standard_normal((n, 2)), rng.choice([-1.0, 1.0], n)

    def by_hand(parameters: Sequence[Array], X: Array, t: Array) -> Gradients:
        W1, b1, W2, b2, w3, b3 = parameters
        a1 = np.tanh(X @ W1.T + b1)
        a2 = np.tanh(a1 @ W2.T + b2)
        error = (a2 @ w3.T + b3)[:, 0] - t
        d3 = (2 / len(X)) * error[:, None]
        d2 = (d3 @ w3) * (1 - a2 * a2)
        d1 = (d2 @ W2) * (1 - a1 * a1)
        return float((error * error).mean()), [d1.T @ X, d1.sum(0), d2.T @ a1, d2.sum(0), d3.T @ a2, d3.sum(0)]

    def by_library(words: Library, parameters: Sequence[Array], X: Array, t: Array) -> Array:
        W1, b1, W2, b2, w3, b3 = parameters
        a2 = words.tanh(words.linear(words.tanh(words.linear(X, W1, b1)), W2, b2))
        return ((words.linear(a2, w3, b3)[:, 0] - t) ** 2).mean()

    def scalars(x: Any, t: Any) -> Value:
        out: Value = (model(x) - t) ** 2
        return out

    title = f"moons, 2-16-16-1, batch {n}"
    return Workload(title, scalars, model.parameters(), layer_places(model), (X, t), by_hand, by_library)


def sigmoids_by_hand(parameters: Sequence[Array], X: Array, T: Array) -> Gradients:
    """Return the mean over examples of Σ (y − t)², and its gradients, for a network of one hidden layer, sigmoid throughout."""
    W1, b1, W2, b2 = parameters
    a1 = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    a2 = 1 / (1 + np.exp(-(a1 @ W2.T + b2)))
    error = a2 - T
    d2 = (2 / len(X)) * error * a2 * (1 - a2)
    d1 = (d2 @ W2) * a1 * (1 - a1)
    return float((error * error).sum() / len(X)), [d1.T @ X, d1.sum(0), d2.T @ a1, d2.sum(0)]


def _sigmoids(title: str, model: MLP, batch: tuple[Array, Array], dtype: str = "float64") -> Workload:
    """Return a sigmoid network of one hidden layer with squared errors, as in the notes."""

    def by_library(words: Library, parameters: Sequence[Array], X: Array, T: Array) -> Array:
        W1, b1, W2, b2 = parameters
        a2 = words.sigmoid(words.linear(words.sigmoid(words.linear(X, W1, b1)), W2, b2))
        return ((a2 - T) ** 2).sum() / len(X)

    def scalars(x: Any, t: Any) -> Value:
        out: Value = squared_error(model(x), t)
        return out

    return Workload(title, scalars, model.parameters(), layer_places(model), batch, sigmoids_by_hand, by_library, dtype)


def parity(n: int) -> Workload:
    """Return the network 10-3-2 that tells even from odd numbers."""
    rng = np.random.default_rng(2)
    model = MLP(10, [3, 2], activation="sigmoid", output="sigmoid", seed=2)
    X = rng.integers(2, size=(n, 10)).astype(float)
    return _sigmoids(f"parity, 10-3-2, batch {n}", model, (X, np.eye(2)[X[:, -1].astype(int)]))


def digits(n: int, dtype: str, sizes: tuple[int, int, int] = (784, 32, 10)) -> Workload:
    """Return the network that reads handwritten digits."""
    rng, (pixels, hidden, classes) = np.random.default_rng(3), sizes
    model = MLP(pixels, [hidden, classes], activation="sigmoid", output="sigmoid", seed=3)
    batch = rng.random((n, pixels)).astype(dtype), _one_hot(rng, n, classes, dtype)
    return _sigmoids(f"digits, {pixels}-{hidden}-{classes}, batch {n}, {dtype}", model, batch, dtype)


def convolution(n: int, size: int = 12, filters: int = 4, width: int = 3, classes: int = 10) -> Workload:
    """Return a convolution with tanh, a dense layer and the cross-entropy."""
    rng, side = np.random.default_rng(4), size - width + 1
    shapes = [(filters, width, width), (filters,), (classes, filters * side * side), (classes,)]
    tree = leaves(rng, shapes, 0.3)
    F, c, W, b = tree

    def scalars(image: Any, t: Any) -> Value:
        maps = [
            tanh(sum((F[k][i][j] * image[row + i][column + j] for i in range(width) for j in range(width)), c[k]))
            for k in range(filters) for row in range(side) for column in range(side)
        ]  # fmt: skip
        out: Value = cross_entropy([dot(w, maps, bias) for w, bias in zip(W, b, strict=True)], t)
        return out

    def by_hand(parameters: Sequence[Array], images: Array, T: Array) -> Gradients:
        F, c, W, b = parameters
        windows = np.lib.stride_tricks.sliding_window_view(images, (width, width), axis=(1, 2))
        patches = windows.reshape(n * side * side, width * width)
        maps = np.tanh(patches @ F.reshape(filters, -1).T + c).reshape(n, side * side, filters)
        flat = maps.transpose(0, 2, 1).reshape(n, -1)
        z = flat @ W.T + b
        largest = z.max(1, keepdims=True)
        powers = np.exp(z - largest)
        sums = powers.sum(1, keepdims=True)
        loss = (np.log(sums) + largest).mean() - (T * z).sum() / n
        d2 = (powers / sums - T) / n
        back = (d2 @ W).reshape(n, filters, side * side).transpose(0, 2, 1)
        d1 = (back * (1 - maps * maps)).reshape(-1, filters)
        return float(loss), [(d1.T @ patches).reshape(F.shape), d1.sum(0), d2.T @ flat, d2.sum(0)]

    def by_library(words: Library, parameters: Sequence[Array], images: Array, T: Array) -> Array:
        F, c, W, b = parameters
        maps = words.tanh(words.convolution(images[:, None], F[:, None], c)).reshape(n, -1)
        z = words.linear(maps, W, b)
        return (words.logsumexp(z) - (T * z).sum(-1)).mean()

    batch = rng.random((n, size, size)), _one_hot(rng, n, classes)
    title = f"convolution {size}×{size}, {filters} filters {width}×{width}, dense, batch {n}"
    return Workload(title, scalars, flattened(tree), consecutive(*shapes), batch, by_hand, by_library)


def attention(n: int, length: int = 8, width: int = 8) -> Workload:
    """Return a block of attention, written with lists and `sum`, with squared errors to a target sequence."""
    rng = np.random.default_rng(5)
    shapes = 4 * [(width, width)]
    tree = leaves(rng, shapes)
    batch = rng.standard_normal((n, length, width)), rng.standard_normal((n, length, width))
    scale = width**-0.5

    def linear(W: Any, rows: Any) -> Any:
        return [[sum(w * x for w, x in zip(line, row, strict=True)) for line in W] for row in rows]

    def scalars(X: Any, T: Any) -> Value:
        Q, K, V = (linear(W, X) for W in tree[:3])
        mixed = []
        for q in Q:
            powers = [exp(scale * sum(a * b for a, b in zip(q, k, strict=True))) for k in K]
            whole = sum(powers)
            shares = [power / whole for power in powers]
            mixed.append([sum(s * v[j] for s, v in zip(shares, V, strict=True)) for j in range(width)])
        out: Value = sum((y - t) ** 2 for ys, ts in zip(linear(tree[3], mixed), T, strict=True)
                         for y, t in zip(ys, ts, strict=True))  # fmt: skip
        return out

    def by_hand(parameters: Sequence[Array], X: Array, T: Array) -> Gradients:
        WQ, WK, WV, WO = parameters
        Q, K, V = X @ WQ.T, X @ WK.T, X @ WV.T
        powers = np.exp(scale * (Q @ K.transpose(0, 2, 1)))
        shares = powers / powers.sum(-1, keepdims=True)
        mixed = shares @ V
        error = mixed @ WO.T - T
        dY = (2 / len(X)) * error
        dmixed = dY @ WO
        dV = shares.transpose(0, 2, 1) @ dmixed
        dshares = dmixed @ V.transpose(0, 2, 1)
        dscores = scale * shares * (dshares - (dshares * shares).sum(-1, keepdims=True))
        dQ, dK = dscores @ K, dscores.transpose(0, 2, 1) @ Q
        sequence = X.reshape(-1, width)
        gradients = [d.reshape(-1, width).T @ sequence for d in (dQ, dK, dV)]
        return float((error * error).sum() / len(X)), [*gradients, dY.reshape(-1, width).T @ mixed.reshape(-1, width)]

    def by_library(words: Library, parameters: Sequence[Array], X: Array, T: Array) -> Array:
        WQ, WK, WV, WO = parameters
        Q, K, V = X @ WQ.T, X @ WK.T, X @ WV.T
        shares = words.softmax(scale * (Q @ K.swapaxes(1, 2)))
        return ((shares @ V @ WO.T - T) ** 2).sum() / len(X)

    title = f"attention, sequence of {length}, width {width}, batch {n}"
    return Workload(title, scalars, flattened(tree), consecutive(*shapes), batch, by_hand, by_library)


def recurrence(steps: int) -> Workload:
    """Return a unit that is fed its own output: h ← tanh(w·h + u·x + b), with the squared error of the last output."""
    rng = np.random.default_rng(6)
    w, u, b = leaves = [Value(0.9), Value(0.7), Value(-0.1)]
    batch = rng.standard_normal((1, steps)), np.array([0.5])

    def scalars(x: Any, t: Any) -> Value:
        h: Any = 0.0
        for x_t in x:
            h = tanh(w * h + u * x_t + b)
        out: Value = (h - t) ** 2
        return out

    def by_hand(parameters: Sequence[Array], X: Array, t: Array) -> Gradients:
        w, u, b = parameters
        driven = u * X + b
        h = np.zeros((steps + 1, len(X)))
        for i in range(steps):
            h[i + 1] = np.tanh(w * h[i] + driven[:, i])
        error = h[-1] - t
        delta = (2 / len(X)) * error
        d = np.empty((steps, len(X)))
        slopes = 1 - h[1:] * h[1:]
        for i in range(steps - 1, -1, -1):
            d[i] = delta * slopes[i]
            delta = w * d[i]
        return float((error * error).mean()), [(d * h[:-1]).sum(), (d * X.T).sum(), d.sum()]

    def by_library(words: Library, parameters: Sequence[Array], X: Array, t: Array) -> Array:
        w, u, b = parameters
        h = words.last(lambda h, x: words.tanh(w * h + u * x + b), 0 * X[:, 0], X.T)
        return ((h - t) ** 2).mean()

    title = f"recurrence of {steps:,} steps, one example"
    return Workload(title, scalars, leaves, consecutive((), (), ()), batch, by_hand, by_library)


# Graphs without a pattern.


class Operation(NamedTuple):
    """An operation of a mixed graph, with its partial derivatives by hand, from operands and result."""

    n_operands: int
    partials: Sequence[Callable[..., Array]]


MIXED = {
    "multiply": Operation(2, [lambda x, y, out: y, lambda x, y, out: x]),
    "mean": Operation(2, [lambda x, y, out: 0.5, lambda x, y, out: 0.5]),
    "difference": Operation(2, [lambda x, y, out: 1.0, lambda x, y, out: -1.0]),
    "tanh": Operation(1, [lambda x, out: 1 - out * out]),
    "sigmoid": Operation(1, [lambda x, out: out * (1 - out)]),
    "sin": Operation(1, [lambda x, out: np.cos(x)]),
    "cos": Operation(1, [lambda x, out: -np.sin(x)]),
    "relu": Operation(1, [lambda x, out: x > 0]),
}


def _functions(tanh: Any, sigmoid: Any, sin: Any, cos: Any, relu: Any) -> dict[str, Callable[..., Any]]:
    """Return the operations of a mixed graph as functions of an engine."""
    return {
        "multiply": lambda x, y: x * y, "mean": lambda x, y: (x + y) / 2, "difference": lambda x, y: x - y,
        "tanh": tanh, "sigmoid": sigmoid, "sin": sin, "cos": cos, "relu": relu,
    }  # fmt: skip


def mixed(n: int, batch: int, n_leaves: int = 20) -> Workload:
    """Return a graph of n random operations, each on random results of earlier ones."""
    rng = np.random.default_rng(7)
    names = rng.choice([*MIXED], n).tolist()
    graph = [(name, rng.integers(2 * n_leaves + i, size=MIXED[name].n_operands).tolist()) for i, name in enumerate(names)]
    used = {j for _, operands in graph for j in operands}
    ends = [i for i in range(2 * n_leaves, 2 * n_leaves + n) if i not in used]
    leaves = [Value(x) for x in rng.standard_normal(n_leaves)]
    X = rng.standard_normal((batch, n_leaves))
    by_numpy = _functions(np.tanh, lambda x: 1 / (1 + np.exp(-x)), np.sin, np.cos, lambda x: np.maximum(x, 0))

    def run(functions: dict[str, Callable[..., Any]], values: list[Any]) -> list[Any]:
        for name, operands in graph:
            values.append(functions[name](*[values[j] for j in operands]))
        return values

    def scalars(x: Any) -> Value:
        values = run(_functions(tanh, sigmoid, sin, cos, relu), [*leaves, *x])
        out: Value = total([values[i] for i in ends]) / len(ends)
        return out

    def by_hand(parameters: Sequence[Array], X: Array) -> Gradients:
        values = run(by_numpy, [*parameters[0], *np.ascontiguousarray(X.T)])
        deltas: list[Any] = len(values) * [0.0]
        for i in ends:
            deltas[i] = np.full(len(X), 1 / len(ends) / len(X))
        for i in range(len(graph) - 1, -1, -1):
            name, operands = graph[i]
            at = i + 2 * n_leaves
            xs = [values[j] for j in operands]
            for j, partial in zip(operands, MIXED[name].partials, strict=True):
                deltas[j] = deltas[j] + deltas[at] * partial(*xs, values[at])
        loss = sum(values[i].mean() for i in ends) / len(ends)
        return float(loss), [np.array([np.sum(delta) for delta in deltas[:n_leaves]])]

    def by_library(words: Library, parameters: Sequence[Array], X: Array) -> Array:
        functions = _functions(words.tanh, words.sigmoid, words.sin, words.cos, words.relu)
        values = run(functions, [*parameters[0], *X.T])
        return sum(values[i].mean() for i in ends) / len(ends)

    title = f"{n:,} mixed operations, batch {batch}"
    return Workload(title, scalars, leaves, consecutive((n_leaves,)), (X,), by_hand, by_library, jitted=n <= 100)
