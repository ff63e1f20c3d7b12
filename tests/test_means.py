"""Means that do not overflow where their sums do."""

from typing import Any

import numpy as np
import pytest

from autograd import Value, compile
from autograd.compiler.pure import exact_share, run
from nn import Neuron, fit
from nn.engines import mean_of
from nn.optim import SGD

BIG = 8.2e307  # the sum of three is beyond the largest float
BACKENDS = pytest.mark.parametrize("backend", ["numpy", "native"])


def line(backend: str = "auto") -> Any:
    w, b = Value(1.0, label="w"), Value(0.0, label="b")
    return compile(lambda x: w * x + b, [w, b], example=[1.0], backend=backend)


@BACKENDS
def test_the_mean_of_a_batch(backend: str) -> None:
    program = line(backend)
    loss, gradient = program.gradient([BIG] * 3)
    assert (loss, gradient.tolist()) == (BIG, [BIG, 1.0])
    outputs, gradient = program.outputs_and_gradient([BIG, -BIG, BIG])
    assert outputs.tolist() == [[BIG, -BIG, BIG]] and gradient.tolist() == pytest.approx([BIG / 3, 1.0])
    assert program.gradient([BIG] * 2, reduce="mean")[0] == BIG


@BACKENDS
def test_a_mean_that_is_infinite_or_undefined_stays_so(backend: str) -> None:
    program = line(backend)
    assert program.gradient([np.inf, 1.0, 1.0])[1].tolist() == [np.inf, 1.0]
    assert np.isnan(program.gradient([np.nan, 1.0, 1.0])[0])
    with np.errstate(over="ignore"):
        assert program.gradient([BIG] * 3, reduce="sum")[0] == np.inf


def test_a_matrix_of_weights() -> None:
    weights = [[Value(0.5), Value(0.25)], [Value(0.125), Value(1.0)]]
    flat = [w for row in weights for w in row]
    program = compile(
        lambda x, t: sum((w * a) * t for row in weights for w, a in zip(row, x, strict=True)), flat, backend="numpy"
    )
    gradient = program.gradient([[BIG, 1.0]] * 3, [1.0] * 3)[1]
    assert gradient.tolist() == [BIG, 1.0] * 2


def test_the_pure_function() -> None:
    layout, scale = line().layout, exact_share(3)
    outputs, gradient = run(layout, np, np.array([1.0, 0.0]), [np.full((3, 1), BIG)], scale)
    assert outputs.tolist() == [[BIG] * 3] and (gradient / (3 * scale)).tolist() == [BIG, 1.0]


def test_to_jax() -> None:
    jax = pytest.importorskip("jax", reason="JAX is an extra: pip install jax")
    jax.config.update("jax_enable_x64", True)
    program = line()
    loss, gradient = jax.jit(program.to_jax())(program.parameters, np.full(3, BIG))
    assert (float(loss), gradient.tolist()) == (BIG, [BIG, 1.0])


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, None])
def test_fit(compiled: bool, batch_size: int | None) -> None:
    unit = Neuron(1, "linear", init=lambda *_: 1.0)
    X, y = [[1.0]] * 3, [0.0] * 3
    history = fit(unit, X, y, loss=lambda out, t: out * BIG, optimizer=SGD(lr=1e-320), batch_size=batch_size, epochs=1,
                  validation=(X, y), compiled=compiled)  # fmt: skip
    assert history.loss == pytest.approx([BIG]) and history.validation_loss == pytest.approx([BIG])


def test_mean_of_lists_and_arrays_of_any_length() -> None:
    for n in (1, 2, 3, 7, 1000):
        assert mean_of([BIG] * n) == pytest.approx(BIG) and mean_of(np.full(n, BIG)) == pytest.approx(BIG)
        assert mean_of([0.1] * n) == pytest.approx(0.1)
    assert mean_of([1.0, np.inf]) == np.inf
