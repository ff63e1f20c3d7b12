"""The compiled program as a pure function for JAX, on four devices that are all the host."""

import math
import os
import random
import warnings
from typing import Any

import numpy as np
import pytest
from differential import tried
from test_compiler import attention, convolution, flat, leaves, normal

from autograd import DomainError, Primitive, Value, compile, exp, log, maximum, minimum, relu, sqrt, tanh, where
from autograd.strategies import ROWS, widths
from nn import MLP, losses

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"  # read when JAX is first imported
jax = pytest.importorskip("jax", reason="JAX is an extra: pip install jax")
jax.config.update("jax_enable_x64", True)
pytestmark = pytest.mark.slow  # `.ci/run jax` runs them


def cases() -> dict[str, tuple[Any, list[Value], tuple[Any, Any]]]:
    """Return losses with their parameters and a batch of 8."""
    model = MLP(6, [5, 3], activation="relu", seed=1)
    filters, bias, dense, weights = leaves(2, 3, 3), leaves(2, seed=2), leaves(3, 32, seed=3), leaves(4, 3, 3)
    one_hot = [losses.one_hot(i % 3, 3) for i in range(8)]
    return {
        "network": (lambda x, y: losses.cross_entropy(model(x), y), model.parameters(), (normal(8, 6), one_hot)),
        "convolution": (lambda x, y: convolution(filters, bias, dense, x, y), flat([filters, bias, dense]),
                        (normal(8, 6, 6), normal(8, 3))),
        "attention": (lambda x, y: attention(weights, x, y), flat(weights), (normal(8, 5, 3), normal(8, 5, 3))),
    }  # fmt: skip


@pytest.mark.parametrize("name", cases())
def test_the_batch_spread_over_devices_gives_equal_gradients(name: str) -> None:
    f, parameters, batch = cases()[name]
    program = compile(f, parameters)
    loss, gradient = program.gradient(*batch)
    function = jax.jit(program.to_jax())
    scale = np.abs(gradient).max()

    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
    spread, everywhere = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes)) for axes in (("batch",), ()))
    placed = [jax.device_put(np.array(x), spread) for x in batch]
    assert len(placed[0].sharding.device_set) == 4
    assert placed[0].addressable_shards[0].data.shape[0] == 2

    for arguments, numbers in (batch, program.parameters), (placed, jax.device_put(program.parameters, everywhere)):
        found, its_gradient = function(numbers, *[np.array(x) if isinstance(x, list) else x for x in arguments])
        assert float(found) == pytest.approx(loss, rel=1e-13)
        np.testing.assert_allclose(np.asarray(its_gradient) / scale, gradient / scale, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", cases())
def test_jax_derives_the_same_gradient_itself(name: str) -> None:
    f, parameters, batch = cases()[name]
    program = compile(f, parameters)
    gradient = program.gradient(*batch)[1]
    function = program.to_jax()
    # Jitted as a whole; without jit, JAX would compile every operation by itself.
    found = jax.jit(jax.grad(lambda numbers: function(numbers, *[np.array(x) for x in batch])[0]))(program.parameters)
    np.testing.assert_allclose(np.asarray(found), gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


def test_wrong_shapes_are_refused() -> None:
    function = compile(lambda x: x[0] * 2, [Value(1.0)], example=[[1.0, 2.0]]).to_jax()
    with pytest.raises(ValueError, match=r"the arguments have the shapes \(2, 3\); the program was compiled for \[batch×2\]; "
                                         "compile without example=, call it with such arguments, and then"):  # fmt: skip
        function(np.array([1.0]), np.zeros((2, 3)))


def test_a_list_of_arrays_is_taken_by_a_jitted_function_too() -> None:
    w, batch = Value(2.0), [np.array([1.0, 2.0]), np.array([3.0, 5.0])]
    program = compile(lambda x: w * x[0] * x[1], [w])
    loss, gradient = program.gradient(batch)
    for call in (program.to_jax(), jax.jit(program.to_jax())):
        found = call(program.parameters, batch)
        assert (found[0].item(), found[1].tolist()) == (loss, gradient.tolist())


def test_the_programs_own_parameters_are_taken_in_single_precision_without_a_warning() -> None:
    w = Value(0.5)
    function = compile(lambda x: tanh(w * x) * 2, [w], example=[0.0]).to_jax()
    with jax.enable_x64(False), warnings.catch_warnings(action="error"):
        loss, gradient = function(np.array([0.5]), [1.0])
    assert (loss.dtype, gradient.dtype) == ("float32", "float32") and math.isclose(loss, 2 * math.tanh(0.5), rel_tol=1e-6)


@pytest.mark.parametrize("jacobian", [None, "parameters", "inputs"])
def test_parameters_need_one_real_number_for_each_leaf(jacobian: str | None) -> None:
    a, b = Value(2.0), Value(5.0)
    function = compile(lambda x: a * x + b, [a, b], example=[0.0]).to_jax(jacobian)
    expected = jax.tree.leaves(function(np.array([2.0, 5.0]), np.array([1.0, 3.0])))
    for right in ([2.0, 5.0], (2, 5), np.array([2, 5]), jax.numpy.array([2, 5])):
        for call in (function, jax.jit(function)):
            found = jax.tree.leaves(call(right if call is function else np.array(right), np.array([1.0, 3.0])))
            assert [x.tolist() for x in found] == [x.tolist() for x in expected]
    for wrong in (
        [2.0],
        [2.0, 5.0, 1.0],
        2.0,
        np.ones((2, 1)),
        ["2", "5"],
        [2.0, None],
        np.array([2j, 5]),
        None,
        jax.numpy.ones(3),
    ):
        with pytest.raises((TypeError, ValueError), match=r"^parameters: .* for each leaf is needed, 2 in all; "):
            function(wrong, np.array([1.0, 3.0]))
    with pytest.raises(ValueError, match=r"argument 0 is the number 1.0; a program takes a batch"):
        function(np.array([2.0, 5.0]), 1.0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row(row: Primitive) -> None:
    n, source = widths(row)[0], random.Random(5)
    parameters = [Value(0.7) for _ in range(n)]

    def f(x: Any) -> Any:
        return 0.0 + row.apply([p * x_i for p, x_i in zip(parameters, x, strict=True)])

    batch, values, gradients = [], [], []
    for x in [*([source.uniform(-4, 4) for _ in range(n)] for _ in range(60)), [0.0] * n, [1.0] * n]:
        for p in parameters:
            p.grad = 0.0
        try:
            y = f(x)
        except DomainError:
            continue
        y.backward()
        if all(math.isfinite(p.grad) for p in parameters):
            batch.append(x)
            values.append(y.data)
            gradients.append([p.grad for p in parameters])
    program = compile(f, parameters, example=[[0.0] * n])
    loss, gradient = jax.jit(program.to_jax())(program.parameters, np.array(batch))
    assert len(batch) >= 10
    np.testing.assert_allclose(loss, np.mean(values), rtol=1e-9)
    np.testing.assert_allclose(gradient, np.mean(gradients, axis=0), rtol=1e-8, atol=1e-9)


w = Value(1.0)
BRANCHES: dict[str, tuple[Any, list[float], float]] = {
    "a logarithm that is not taken": (lambda x: where(x > 0, w * log(x), w), [-1.0, 2.0], (1 + math.log(2)) / 2),
    "a root below a dead unit": (lambda x: sqrt(relu(w * x)), [-1.0, 4.0], 0.5),
    "a root that is not chosen": (lambda x: maximum(sqrt(w * x), 1), [0.0, 4.0], 0.5),
    "an overflow that is not chosen": (lambda x: minimum(exp(w * x), 5), [1000.0, 1.0], math.e / 2),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_that_is_not_taken_contributes_nothing(name: str) -> None:
    f, batch, expected = BRANCHES[name]
    program = compile(f, [w], example=[0.0])
    _, gradient = jax.jit(program.to_jax())(program.parameters, np.array(batch))
    np.testing.assert_allclose(gradient, [expected], rtol=1e-12)


def test_jax_derives_the_gradients_of_random_programs() -> None:
    assert tried(range(5_000_000, 5_000_080), jax=True) == []
