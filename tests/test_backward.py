"""The gradient as a graph: structured where parameters have one use, and right where they have several."""

from collections.abc import Callable
from typing import Any

import pytest
from test_compiler import assert_as_eager, leaves, normal

from autograd import Unary, Value, compile, dot, exp, log, sqrt, tanh, total, where
from autograd.compiler.backward import template
from nn import MLP, losses

BACKENDS = pytest.mark.parametrize("backend", ["numpy", "native"])
w, v, b = [Value(0.5), Value(-1.5)], [Value(0.25), Value(2.0)], Value(0.75)
PARAMETERS = [*w, *v, b]

USES: dict[str, Callable[[Any], Any]] = {
    "once": lambda x: tanh(dot(w, x, b)),
    "in two lists": lambda x: tanh(dot(w, x)) * dot([w[0], v[1]], x),
    "twice in a list": lambda x: tanh(dot([w[0], w[0]], x)),
    "in several dots": lambda x: tanh(dot(w, x)) + tanh(dot(w, [x[1], x[0]])),
    "on both sides": lambda x: tanh(dot(w, v)) * dot(w, x),
    "with itself": lambda x: tanh(dot(w, w)) * x[0],
    "with inputs and with parameters": lambda x: tanh(dot([*w, *v], [*x, *w])),
    "with the number 0": lambda x: tanh(dot(w, [0.0, x[0]])) + tanh(dot(w, [x[1], 0.0])),
    "with the number 0 alone": lambda x: tanh(dot(w, [0.0, 0.0], x[0])) + tanh(dot(v, x)),
    "with another number": lambda x: tanh(dot(w, [3.0, x[0]])),
    "with what is the same for all examples": lambda x: tanh(dot(w, [tanh(v[0]), x[0]])),
    "outside as well": lambda x: tanh(dot(w, x)) * w[0] + v[1],
    "with a δ that is a number": lambda x: dot(w, x) / 2 + dot(v, [x[0], 1.0]),
    "through lists of results": lambda x: tanh(dot([tanh(dot(w, x)), tanh(dot(v, x))], [tanh(b * x[0]), x[1]])),
    "as its own square": lambda x: sum(w_i * w_i * x_i for w_i, x_i in zip(w, x, strict=True)) * b,
    "in a product": lambda x: w[0] * w[1] * v[0] * x[0] + w[0],
    "in a sum that is used twice": lambda x: tanh(s := dot(w, x) + b) + s,
    "below a choice": lambda x: where(x[0] > 0, sqrt(exp(dot(w, x))), dot(v, x)),
    "below a choice that may fail": lambda x: where(x[0] > 0, log(where(x[0] > 0, x[0], 1) * exp(b)), dot(v, x)),
    "with a penalty": lambda x: tanh(dot(w, x)) + tanh(dot(w, [x[1], x[0]])) + 0.1 * sum(p * p for p in PARAMETERS),
    "with a penalty of one": lambda x: tanh(dot(w, x, b)) + w[1] ** 2 + dot(v, v),
    "as a leaf": lambda x: b,
}


@BACKENDS
@pytest.mark.parametrize("name", USES)
def test_gradients_for_every_use_of_parameters(name: str, backend: str) -> None:
    assert_as_eager(backend, lambda x: 0.0 + USES[name](x), PARAMETERS, normal(5, 2))


def test_a_layer_has_one_structured_gradient_for_each_neuron() -> None:
    model = MLP(5, [4, 3], activation="tanh", seed=1)
    f = compile(lambda x, y: losses.squared_error(model(x), y), model.parameters(), example=([0.0] * 5, [0.0] * 3))
    gradients = f.trace.passes.gradients
    assert sorted(map(len, (outer.parameters for outer in gradients.outers))) == [4] * 3 + [5] * 4
    assert len(gradients.nodes) == 7  # the biases
    assert len({outer.inputs for outer in gradients.outers}) == 2  # each layer's inputs are one list


@BACKENDS
def test_a_penalty_in_the_loss_leaves_the_products_whole(backend: str) -> None:
    """The penalty is the same for all examples, so its gradient is computed once and added."""
    model = MLP(5, [4, 3], activation="tanh", output="sigmoid", seed=1)

    def f(x: Any, y: Any) -> Any:
        return losses.squared_error(model(x), y) + 0.01 * sum(p * p for p in model.parameters())

    program = compile(f, model.parameters(), example=([0.0] * 5, [0.0] * 3))
    assert sorted(map(len, (outer.parameters for outer in program.trace.passes.gradients.outers))) == [4] * 3 + [5] * 4
    for line in (
        "  ∂layer2.w[3×4] = δ2 @ out1ᵀ",
        "  ∂layer1.w[4×5] = δ1 @ xᵀ",
        "  [∂layer1.w, ∂layer2.w][32] = [∂layer1.w, ∂layer2.w] + Σ v1[…]",
    ):
        assert line in str(program).splitlines()
    assert_as_eager(backend, f, model.parameters(), normal(6, 5), normal(6, 3))


def test_weights_shared_by_a_sequence_have_one_structured_gradient_too() -> None:
    (W, U), c = leaves(2, 3, 3), leaves(3, seed=2)

    def f(sequence: Any) -> Any:
        h: Any = [0.0] * 3
        for x in sequence:
            h = [tanh(dot([*w, *u], [*h, *x], b)) for w, u, b in zip(W, U, c, strict=True)]
        return total(h)

    parameters = [*(p for row in (*W, *U) for p in row), *c]
    program = compile(f, parameters, example=[[[0.0] * 3] * 7])
    assert [(len(p), len(d)) for p, d, _ in program.trace.passes.gradients.outers] == [(6, 7)] * 3
    for backend in ("numpy", "native"):
        assert_as_eager(backend, f, parameters, normal(4, 7, 3))


@BACKENDS
def test_a_bias_among_the_weights_leaves_the_product_whole(backend: str) -> None:
    weights, out = leaves(3, 5), leaves(4, seed=2)

    def f(x: Any) -> Any:
        return dot(out, [*(tanh(dot(row, [*x, 1.0])) for row in weights), 1.0])

    parameters = [p for row in (*weights, out) for p in row]
    program = compile(f, parameters, example=[[0.0] * 4])
    gradients = program.trace.passes.gradients
    assert sorted(map(len, (outer.parameters for outer in gradients.outers))) == [4] * 3
    assert_as_eager(backend, f, parameters, normal(5, 4))


def test_rules_are_traced_once_for_each_row() -> None:
    calls = []

    def rule(x: Any, out: Any) -> Any:
        calls.append(x)
        return 3 * x * x

    cube = Unary("cube", lambda x: x * x * x, rule)
    before = template.cache_info().misses

    def f(xs: Any) -> Any:
        return total([cube(w[0] * x) for x in xs])

    compile(f, w, example=[[1.0] * 50])
    n = len(calls)
    assert n < 5 and template.cache_info().misses > before
    compile(f, w, example=[[1.0] * 80])
    assert len(calls) == n + 1  # one call checks that the rule, which may read changing state, still does the same


def test_the_number_of_nodes_does_not_grow_with_the_length_of_the_lists() -> None:
    def n_nodes(n: int) -> int:
        weights = leaves(4, n)
        program = compile(lambda x: total([tanh(dot(row, x)) for row in weights]), [p for row in weights for p in row],
                          example=[[0.0] * n])  # fmt: skip
        return len(program.graph) - program.graph.n_leaves

    assert n_nodes(10) == n_nodes(100)
