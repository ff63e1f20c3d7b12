"""The compiled program as a pure function for JAX, on several devices: the host, counted four times."""

import os
from typing import Any

import numpy as np
import pytest
from test_compiler import attention, convolution, flat, leaves, normal

from autograd import Value, compile
from nn import MLP, losses

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"  # read when JAX is first imported
jax = pytest.importorskip("jax", reason="JAX is an extra: pip install jax")
jax.config.update("jax_enable_x64", True)


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
def test_jax_finds_the_same_gradient_itself(name: str) -> None:
    f, parameters, batch = cases()[name]
    program = compile(f, parameters)
    gradient = program.gradient(*batch)[1]
    function = program.to_jax()
    found = jax.grad(lambda numbers: function(numbers, *[np.array(x) for x in batch])[0])(program.parameters)
    np.testing.assert_allclose(np.asarray(found), gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


def test_wrong_shapes_are_refused() -> None:
    function = compile(lambda x: x[0] * 2, [Value(1.0)], example=[[1.0, 2.0]]).to_jax()
    with pytest.raises(ValueError, match=r"the arguments have the shapes \(2, 3\); the program was compiled for \[batch×2\]"):
        function(np.array([1.0]), np.zeros((2, 3)))
