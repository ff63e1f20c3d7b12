"""Compiled programs compared with the eager engine, on every machine, at other points than the traced ones."""

import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import (
    Binary,
    DomainError,
    Nary,
    Primitive,
    Unary,
    Value,
    compile,
    dot,
    exp,
    log,
    logsumexp,
    maximum,
    sigmoid,
    tanh,
    where,
)
from autograd.strategies import ROWS, Program, programs, widths
from nn import MLP, losses

BACKENDS = ["numpy", "native", "pure"]
Tree = Any


def eager(f: Callable[..., Value], parameters: Sequence[Value], *batch: Any) -> tuple[list[float], list[float]]:
    """Return the losses of a batch and the gradient of their sum, one example at a time."""
    for parameter in parameters:
        parameter.grad = 0.0
    values = []
    for example in zip(*batch, strict=True):
        loss = f(*example)
        loss.backward()
        values.append(loss.data)
    return values, [parameter.grad for parameter in parameters]


def assert_close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Compare relative to the largest entry: sums have another order, and some entries are ill-conditioned."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=tolerance)


def assert_as_eager(backend: str, f: Callable[..., Value], parameters: Sequence[Value], *batch: Any) -> None:
    """Compare a program's losses and gradient with the eager ones."""
    values, gradient = eager(f, parameters, *batch)
    program = compile(f, parameters, backend=backend)
    assert_close(program(*batch), values)
    assert_close(program.gradient(*batch, reduce="sum")[1], gradient)
    loss, mean = program.gradient(*batch)
    assert_close([loss], [math.fsum(values) / len(values)])
    assert_close(mean, np.array(gradient) / len(values))


def normal(*shape: int, seed: int = 0) -> list[Any]:
    """Return nested lists of normal numbers."""
    drawn: list[Any] = np.random.default_rng(seed).normal(size=shape).tolist()
    return drawn


def leaves(*shape: int, seed: int = 1) -> Tree:
    """Return nested lists of parameters."""
    source = random.Random(seed)

    def build(rest: tuple[int, ...]) -> Tree:
        return [build(rest[1:]) for _ in range(rest[0])] if rest else Value(source.gauss(0, 0.5))

    return build(shape)


def flat(tree: Tree) -> list[Value]:
    """Return the parameters of nested lists."""
    return [x for item in tree for x in flat(item)] if isinstance(tree, list) else [tree]


# Graphs of all kinds.


@pytest.mark.parametrize("backend", BACKENDS)
@given(data=st.data(), drawn=programs())
def test_random_graphs_at_other_points(backend: str, data: st.DataObject, drawn: Program) -> None:
    n = data.draw(st.integers(0, len(drawn.leaves)))
    parameters = [Value(x) for x in drawn.leaves[:n]]
    source = random.Random(data.draw(st.integers(0, 10_000)))
    rows = [[source.uniform(-3, 3) for _ in drawn.leaves[n:]] for _ in range(5)]

    def f(inputs: Sequence[Any]) -> Value:
        result: Value = 0.0 + drawn([*parameters, *inputs])
        return result

    possible = [row for row in rows if is_finite(f, parameters, row)]
    if possible:
        assert_as_eager(backend, f, parameters, possible)


def is_finite(f: Callable[..., Any], parameters: Sequence[Value], row: Sequence[float]) -> bool:
    try:
        result = f(row)
    except DomainError:
        return False
    if not isinstance(result, Value):
        return False  # it depends only on inputs
    result.zero_grad()
    result.backward()
    return math.isfinite(result.data) and all(abs(parameter.grad) < 1e6 for parameter in parameters) and abs(result.data) < 1e6


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row(backend: str, row: Primitive) -> None:
    width = widths(row)[0]
    source = random.Random(2)
    parameters = [Value(0.7) for _ in range(width)]
    points = [[source.uniform(-4, 4) for _ in range(width)] for _ in range(200)]
    points += [[0.0] * width, [1.0] * width, [0.0, *[1.0] * (width - 1)], [*[1.0] * (width - 1), 0.0]]

    def f(x: Sequence[Any]) -> Value:
        result: Value = row.apply([p * x_i for p, x_i in zip(parameters, x, strict=True)])
        return result

    possible = []
    for point in points:
        try:
            _, slopes = eager(f, parameters, [point])
        except DomainError:
            continue
        if all(map(math.isfinite, slopes)):
            possible.append(point)
    assert len(possible) > 50
    assert_as_eager(backend, f, parameters, possible)


@pytest.mark.parametrize("backend", BACKENDS)
def test_user_defined_rows(backend: str) -> None:
    swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
    w = Value(0.5)
    assert_as_eager(backend, lambda x: swish(w * x) ** 2, [w], [1.0, -2.0, 30.0])
    cube = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * swish(x) - 3 * swish(x) + 3 * x * x)
    assert_as_eager(backend, lambda x: cube(w * x), [w], [1.0, -2.0, 30.0])


ODD_ROWS: dict[str, Primitive] = {
    "the operand itself": Unary("same", lambda x: x, lambda x, out: 1),
    "the first of two": Binary("first", lambda x, y: x, lambda x, y, out: 1, lambda x, y, out: 0),
    "a number": Unary("one", lambda x: 1.0, lambda x, out: 0),
    "an unused operation": Unary("unused", lambda x: (x * x, x * 3)[0], lambda x, out: 2 * x),
    "a condition": Unary("condition", lambda x: x > 0, lambda x, out: 0),
    "an operation twice": Unary("twice", lambda x: (x * x) + (x * x), lambda x, out: 4 * x),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", ODD_ROWS.values(), ids=ODD_ROWS.keys())
def test_a_rows_function_may_return_anything(backend: str, row: Any) -> None:
    w = Value(0.5)
    operands = (w,) * (2 if isinstance(row, Binary) else 1)
    assert_as_eager(backend, lambda x: row(*[p * x for p in operands]) * 3 + w, [w], [1.0, -2.0])
    assert_as_eager(backend, lambda x: row(x, w) + w if isinstance(row, Binary) else row(x) + w, [w], [1.0, -2.0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_row_with_operands_from_inputs_parameters_and_results(backend: str) -> None:
    def four(*operands: Any) -> Any:
        a, b, c, d = operands
        return a * 8 - b * 4 + c * 2 - d

    row = Nary("four", four, lambda v, out: (8.0, -4.0, 2.0, -1.0), lambda *operands: operands)
    w, v = Value(0.5), Value(-1.5)
    assert_as_eager(backend, lambda x: row(x[0], x[1], w, v) + 2 * row(x[0], w, v, x[1]).tanh(), [w, v], normal(3, 2))


def test_a_row_with_only_an_array_function_runs_on_numpy() -> None:
    arctan = Unary("arctan", math.atan, lambda x, out: 1 / (1 + x * x), array="arctan")
    twice = Unary("twice", lambda x: arctan(x) * 2, lambda x, out: 2 / (1 + x * x))
    for f in (lambda x: arctan(x) * 2, lambda x: twice(x)):  # the second row is made of such a row
        program = compile(f, [])
        assert program([1.0]).tolist() == [math.pi / 2]
        assert program.backend_for(1) == "numpy"
    with pytest.raises(TypeError, match='use the back end "numpy"'):
        compile(lambda x: arctan(x) * 2, [], backend="native")([1.0])
    with pytest.raises(TypeError, match="numpy has no function of this name"):
        compile(lambda x: Unary("f", math.atan, lambda x, out: 1, array="no_such")(x), [], backend="numpy")([1.0])


def test_a_row_that_takes_only_numbers_is_refused_with_advice() -> None:
    erf = Unary("erf", math.erf, lambda x, out: 2 / math.sqrt(math.pi) * exp(-x * x))
    for backend in BACKENDS:
        with pytest.raises(TypeError, match="its function works only on numbers; write it with rows"):
            compile(lambda x: erf(x), [], backend=backend)([1.0])


# Networks, and other models that people write.


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "softplus", "leaky_relu"])
@pytest.mark.parametrize("loss", [losses.squared_error, losses.cross_entropy, losses.binary_cross_entropy_with_logits])
def test_networks(backend: str, activation: str, loss: losses.Loss) -> None:
    model = MLP(4, [6, 5, 3], activation=activation, seed=1)
    targets = [losses.one_hot(i % 3, 3) for i in range(9)]
    assert_as_eager(backend, lambda x, y: loss(model(x), y), model.parameters(), normal(9, 4), targets)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sizes", [[1], [1, 1], [2, 1, 2], [7]])
def test_narrow_networks(backend: str, sizes: list[int]) -> None:
    model = MLP(3, sizes, activation="prelu", output="softmax" if sizes[-1] > 1 else "sigmoid", seed=2)
    targets = normal(4, sizes[-1]) if sizes[-1] > 1 else normal(4)
    for batch in (1, 4):
        X, Y = normal(4, 3)[:batch], targets[:batch]
        assert_as_eager(backend, lambda x, y: losses.squared_error(model(x), y), model.parameters(), X, Y)


def convolution(filters: Tree, bias: Tree, dense: Tree, image: Tree, target: Tree) -> Value:
    """Return the squared error of a convolution followed by a dense layer, written with scalars."""
    size, width = len(filters[0]), len(image)
    places = range(width - size + 1)
    maps = [
        tanh(sum(f[i][j] * image[r + i][c + j] for i in range(size) for j in range(size)) + b)
        for f, b in zip(filters, bias, strict=True) for r in places for c in places
    ]  # fmt: skip
    outputs = [sum(w * m for w, m in zip(row, maps, strict=True)) for row in dense]
    error: Value = sum((out - t) ** 2 for out, t in zip(outputs, target, strict=True))
    return error


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, 5])
def test_a_convolution(backend: str, batch: int) -> None:
    filters, bias, dense = leaves(2, 3, 3), leaves(2, seed=2), leaves(3, 2 * 4 * 4, seed=3)
    parameters = flat([filters, bias, dense])
    images, targets = normal(batch, 6, 6), normal(batch, 3)
    assert_as_eager(backend, lambda x, y: convolution(filters, bias, dense, x, y), parameters, images, targets)


def attention(weights: Sequence[Tree], tokens: Tree, target: Tree) -> Value:
    """Return the squared error of an attention block, written with lists and sums."""

    def linear(matrix: Tree, v: Tree) -> Tree:
        return [sum(w * x for w, x in zip(row, v, strict=True)) for row in matrix]

    queries, keys, values = ([linear(matrix, token) for token in tokens] for matrix in weights[:3])
    error = Value(0.0)
    for query, expected in zip(queries, target, strict=True):
        scores = [sum(q * k for q, k in zip(query, key, strict=True)) / len(query) ** 0.5 for key in keys]
        weighed = [exp(score) for score in scores]
        total = sum(weighed)
        shares = [w / total for w in weighed]
        mixed = [sum(share * value[d] for share, value in zip(shares, values, strict=True)) for d in range(len(query))]
        error += sum((out - t) ** 2 for out, t in zip(linear(weights[3], mixed), expected, strict=True))
    return error


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, 4])
def test_attention(backend: str, batch: int) -> None:
    weights = leaves(4, 3, 3)
    assert_as_eager(backend, lambda x, y: attention(weights, x, y), flat(weights), normal(batch, 5, 3), normal(batch, 5, 3))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recurrence_over_a_sequence(backend: str) -> None:
    w, u, b = leaves(3, 3), leaves(3, 2, seed=2), leaves(3, seed=3)

    def f(sequence: Tree) -> Value:
        state: Tree = [0.0] * 3
        for x in sequence:
            state = [tanh(dot([*w[i], *u[i]], [*state, *x], b[i])) for i in range(3)]
        error: Value = losses.squared_error(state, [0.5, -0.5, 0.0])
        return error

    assert_as_eager(backend, f, flat([w, u, b]), normal(4, 6, 2))


@pytest.mark.parametrize("length", [500, pytest.param(2000, marks=pytest.mark.slow)])  # Python's limit of recursion is 1000
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_long_recurrence(backend: str, length: int) -> None:
    w, b = Value(0.9), Value(0.1)

    def f(sequence: Sequence[Any]) -> Value:
        h: Any = 0.0
        for x in sequence:
            h = tanh(w * h + x + b)
        result: Value = h * h
        return result

    assert_as_eager(backend, f, [w, b], normal(1, length))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_layers_in_blocks(backend: str, batch: int) -> None:
    """Each block sees only its own inputs."""
    blocks = leaves(3, 2, 4)

    def f(x: Any) -> Value:
        result: Value = tanh(sum(dot(row, x[c]) ** 2 for c, block in enumerate(blocks) for row in block))
        return result

    assert_as_eager(backend, f, flat(blocks), normal(batch, 3, 4))
    local = leaves(5, 4)
    assert_as_eager(backend, lambda x: tanh(sum(dot(local[c], x[c]) for c in range(5))), flat(local), normal(batch, 5, 4))


def test_products_with_large_batches_are_right() -> None:
    blocks = leaves(2, 3, 2)
    program = compile(
        lambda x: [[dot(row, x[c]) for row in block] for c, block in enumerate(blocks)], flat(blocks), backend="numpy"
    )
    X = np.random.default_rng(0).normal(size=(250_001, 2, 2))
    numbers = np.array([w.data for w in flat(blocks)]).reshape(2, 3, 2)
    np.testing.assert_allclose(program(X), np.einsum("cmk,bck->bcm", numbers, X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_batches_of_all_sizes_in_any_order(backend: str) -> None:
    model = MLP(3, [4, 2], seed=1)
    program = compile(lambda x, y: losses.squared_error(model(x), y), model.parameters(), backend=backend)
    for batch in (1, 5, 1, 40, 2, 5, 3, 7, 9, 11, 13, 15, 1, 5):
        X, Y = normal(batch, 3, seed=batch), normal(batch, 2, seed=batch)
        values, gradient = eager(lambda x, y: losses.squared_error(model(x), y), model.parameters(), X, Y)
        assert_close(program(X, Y), values)
        assert_close(program.gradient(X, Y, reduce="sum")[1], gradient)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_all_kinds_are_taken(backend: str) -> None:
    w = Value(2.0)
    program = compile(lambda x: w * x[0] - x[1], [w], backend=backend)
    X = np.arange(12.0).reshape(6, 2)
    frozen = X.copy()
    frozen.flags.writeable = False
    expected = (2 * X[:, 0] - X[:, 1]).tolist()
    for same in (X, frozen, X.astype(int), X.astype("float32"), np.asfortranarray(X), X.tolist(), np.repeat(X, 2, axis=0)[::2]):
        assert program(same).tolist() == expected
    assert np.array_equal(X, np.arange(12.0).reshape(6, 2))


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_threads_take_turns(backend: str) -> None:
    model = MLP(3, [4, 1], seed=1)
    program = compile(lambda x: model(x), model.parameters(), backend=backend)
    inputs = [normal(6, 3, seed=seed) for seed in range(4)]
    expected = [program(X).tolist() for X in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            assert [found.tolist() for found in pool.map(program, inputs)] == expected


# Leaves that are not learned, not reached, or used twice.


@pytest.mark.parametrize("backend", BACKENDS)
def test_leaves_of_every_kind(backend: str) -> None:
    w, unreached, frozen = Value(2.0), Value(5.0), Value(3.0)
    assert_as_eager(backend, lambda x, y: w * x * w + w + frozen, [w, unreached], [1.0, 2.0], [0.0, 0.0])
    assert_as_eager(backend, lambda x: w * w + 0 * x, [w], [1.0, 2.0, 4.0])  # the same for every example
    assert_as_eager(backend, lambda x: +w, [w], [1.0, 2.0])
    assert_as_eager(backend, lambda x: w * x, [w], [1.0, 2.0])  # the gradient is an input
    assert_as_eager(backend, lambda x: (w + unreached) * x, [w, unreached], [1.0, 2.0])  # one gradient for two parameters
    program = compile(lambda x: frozen * 2, [w], backend=backend)
    assert program([1.0, 2.0]).tolist() == [6.0, 6.0]
    assert program.gradient([1.0, 2.0])[1].tolist() == [0.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_outputs_come_in_the_shape_of_the_result(backend: str) -> None:
    w = Value(2.0)
    X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    program = compile(lambda x: [[w * x[0], x[1]], [1.0, w]], [w], backend=backend)
    assert program(X).tolist() == [[[2.0, 2.0], [1.0, 2.0]], [[6.0, 4.0], [1.0, 2.0]], [[10.0, 6.0], [1.0, 2.0]]]
    assert compile(lambda x: [w * x[0]], [w], backend=backend)(X).shape == (3, 1)
    ragged = compile(lambda x: [w * x[0], [x[1], x[0]]], [w], backend=backend)(X)
    assert [part.shape for part in ragged] == [(3,), (3, 2)]
    assert compile(lambda x: [w * x[0], x[1]], [w], backend=backend).gradient(X, reduce="sum")[1].tolist() == [9.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_condition_recorded_on_one_side_holds_on_the_other(backend: str) -> None:
    w = Value(1.0)
    w.data = -1.3
    program = compile(lambda x: (w * x).relu(), [w], example=[1.0], backend=backend)
    assert program([-1.34]).tolist() == [1.3 * 1.34]
    assert program.gradient([-1.0])[1].tolist() == [-1.0]
    choice = compile(lambda x: where(x > w, log(maximum(x, 1e-3)), x * w), [w], backend=backend)
    assert_close(choice([1.0, -2.0]), [0.0, 2.6])


@pytest.mark.parametrize("backend", BACKENDS)
def test_undefined_values_are_nan_or_infinite(backend: str) -> None:
    w = Value(1.0)
    program = compile(lambda x: [log(w * x), 1 / x, exp(x), logsumexp([x, w])], [w], backend=backend)
    out = program([-1.0, 0.0, math.nan, 1e300, math.inf])
    np.testing.assert_array_equal(out[:, 0], [math.nan, -math.inf, math.nan, math.log(1e300), math.inf])
    np.testing.assert_array_equal(out[:, 1], [-1.0, math.inf, math.nan, 1e-300, 0.0])
    np.testing.assert_array_equal(out[2:, 2], [math.nan, math.inf, math.inf])
    np.testing.assert_array_equal(out[2:, 3], [math.nan, 1e300, math.inf])
    assert math.isnan(program.gradient([math.nan])[1][0])


# The parameters' numbers.


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_are_one_array(backend: str) -> None:
    w, b = Value(2.0), Value(1.0)
    program = compile(lambda x: w * x + b, [w, b], backend=backend)
    assert program([1.0]).tolist() == [3.0]
    program.parameters *= 10
    assert program([1.0]).tolist() == [30.0]
    program.push()
    assert (w.data, b.data) == (20.0, 10.0)
    w.data = 0.0
    program.pull()
    assert program([1.0]).tolist() == [10.0]
    program.parameters = np.array([1.0, 1.0])
    assert program([1.0]).tolist() == [2.0]
    first = program.gradient([1.0])[1]
    program.gradient([5.0])
    assert first.tolist() == [1.0, 1.0]  # a later call does not change an earlier result


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=pytest.mark.slow), "pure"])
def test_float32(backend: str) -> None:
    model = MLP(3, [4, 2], seed=3)

    def f(x: Any, y: Any) -> Value:
        error: Value = losses.squared_error(model(x), y)
        return error

    X, Y = normal(6, 3), normal(6, 2)
    values, gradient = eager(f, model.parameters(), X, Y)
    program = compile(f, model.parameters(), dtype="float32", backend=backend)
    assert program(X, Y).dtype == program.gradient(X, Y)[1].dtype == np.float32
    assert_close(program(X, Y), values, 1e-6)
    assert_close(program.gradient(X, Y, reduce="sum")[1], gradient, 1e-6)


def test_compiling_does_not_change_the_model() -> None:
    model = MLP(2, [3, 1], seed=1)
    before = model.state_dict()
    program = compile(lambda x: model(x), model.parameters())
    program([[1.0, 2.0]])
    assert model.state_dict() == before
    assert all(type(parameter) is Value for parameter in model.parameters())
    out = model([1.0, 2.0])
    out.backward()
    assert_close(program.gradient([[1.0, 2.0]])[1], [parameter.grad for parameter in model.parameters()])
    with pytest.raises(ZeroDivisionError):
        compile(lambda x: model([1 / 0, x]), model.parameters())([1.0])
    assert all(type(parameter) is Value for parameter in model.parameters())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gradient_is_the_same_at_each_call(backend: str) -> None:
    # One product is 0 and left out; a parameter's sum over the batch is not accumulated from call to call.
    leaves = [Value(1.0, "w"), u := Value(2.0, "u")]
    program = compile(lambda x: dot(leaves, [x, 0.0]) ** 2 + u * u, leaves, backend=backend)
    assert [program.gradient([3.0, 4.0], reduce="sum")[1].tolist() for _ in range(2)] == [[50.0, 8.0]] * 2
    assert "∂u = Σ 2·u" in str(program)
