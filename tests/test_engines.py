"""Training with compiled gradients: the same as example by example, with a reason for the choice of engine."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from autograd import Value
from nn import MLP, Module, fit, losses
from nn.data import moons, parity
from nn.engines import _chunks
from nn.optim import SGD, Adam, Momentum, Optimizer, RProp
from nn.training import DivergenceError, History

OPTIMIZERS: list[Optimizer] = [SGD(lr=0.3), Momentum(lr=0.05), Adam(lr=0.05), RProp(lr=0.01)]


def trained(compiled: bool, optimizer: Optimizer, **options: Any) -> tuple[MLP, History]:
    """Return a briefly trained model, and its history."""
    X, y = moons(30, noise=0.1, seed=1)
    model = MLP(2, [4, 1], output="sigmoid", seed=1)
    options = {"epochs": 4, "seed": 1, "batch_size": 7, **options}
    return model, fit(model, X, y, optimizer=optimizer, compiled=compiled, **options)


def test_an_error_of_batches_comes_after_the_batches_before_it() -> None:
    def batches() -> Iterator[list[int]]:
        yield from ([0], [1])
        raise ValueError("the file ended")

    found = _chunks(batches())
    assert next(found) == [[0], [1]]
    with pytest.raises(ValueError, match="the file ended"):
        next(found)


ONE = 1  # a loss may depend on its identity


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_both_engines_learn_the_same(kind: Optimizer, reduce: str) -> None:
    options = {"reduce": reduce, "l2": 0.01, "validation": moons(10, noise=0.1, seed=2)}
    (eager, eager_history), (compiled, compiled_history) = (trained(on, type(kind)(lr=0.01), **options) for on in (False, True))
    assert [p.data for p in compiled.parameters()] == pytest.approx([p.data for p in eager.parameters()], abs=1e-10)
    assert compiled_history.loss == pytest.approx(eager_history.loss)
    assert compiled_history.validation_loss == pytest.approx(eager_history.validation_loss)
    assert (compiled_history.accuracy, compiled_history.validation_accuracy) == (
        eager_history.accuracy,
        eager_history.validation_accuracy,
    )
    assert eager_history.engine == "eager: compiled=False"
    assert compiled_history.engine.startswith("compiled: n")


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
def test_an_optimiser_keeps_its_state_across_engines(kind: Optimizer) -> None:
    X, y = moons(20, noise=0.1, seed=1)
    found = []
    for order in ([False] * 3, [True] * 3, [False, True, False]):
        model, optimizer = MLP(2, [3, 1], seed=1), type(kind)(lr=0.01)
        for compiled in order:
            fit(model, X, y, optimizer=optimizer, epochs=2, shuffle=False, compiled=compiled)
        found.append([parameter.data for parameter in model.parameters()])
    assert found[1] == pytest.approx(found[0], abs=1e-10)
    assert found[2] == pytest.approx(found[0], abs=1e-10)


@pytest.mark.parametrize("n", [2, 3])
def test_classes_with_several_outputs(n: int) -> None:
    X = [[float(i), float(j)] for i in range(4) for j in range(4)]
    y = [min(n - 1, int(a > b) + int(a > b + 1)) for a, b in X]
    found = []
    for compiled in (False, True):
        model = MLP(2, [5, n], seed=2)
        history = fit(model, X, y, loss="cross_entropy", epochs=3, seed=1, compiled=compiled, validation=(X, y))
        found.append(([parameter.data for parameter in model.parameters()], history.accuracy, history.validation_accuracy))
    assert found[1][0] == pytest.approx(found[0][0], abs=1e-10)
    assert found[1][1:] == found[0][1:]


def test_small_work_is_not_worth_compiling() -> None:
    X, y = moons(10, seed=1)
    assert fit(MLP(2, [2, 1], seed=1), X, y, epochs=1).engine == "eager: training takes less time than compiling"


def test_large_work_is_compiled() -> None:
    X, y = parity(10)
    assert fit(MLP(10, [3, 2], seed=1), X, y, epochs=60, seed=1).engine == "compiled: native"


class Choosy(Module):
    """A model with a Python branch on its data."""

    def __init__(self) -> None:
        self.w = Value(0.5)

    def __call__(self, x: Any) -> Any:
        """Return |w·x|, computed with an if."""
        net = self.w * x[0]
        return net if net > 0 else -net


class Noisy(Choosy):
    """A model that computes something different at each call."""

    def __call__(self, x: Any) -> Any:
        """Return w·x·noise."""
        return self.w * x[0] * random.random()


def test_models_that_cannot_be_compiled_are_trained_eagerly_with_the_reason() -> None:
    X = [[float(i)] for i in range(1000)]
    y = [float(i) for i in range(1000)]
    slow = SGD(lr=1e-12)
    history = fit(Choosy(), X, y, optimizer=slow, epochs=1, callbacks=[lambda *_: True])
    assert history.engine == "eager: training takes less time than compiling"
    with pytest.raises(TypeError, match="use where"):
        fit(Choosy(), X, y, optimizer=slow, epochs=1, compiled=True)
    with pytest.raises(TypeError, match="draws random numbers"):
        fit(Noisy(), X, y, optimizer=slow, epochs=1, compiled=True)
    history = fit(Choosy(), X[:3], y[:3], optimizer=slow, epochs=1_000_000, callbacks=[lambda *_: True])
    assert history.engine.startswith("eager: the truth of <traced")
    assert history.epochs == 1


@pytest.mark.parametrize("factor", [
    lambda t: 3 if isinstance(t, int) else 1, lambda t: len(str(t)), lambda t: 3 if t is ONE else 1,
])  # fmt: skip
@pytest.mark.parametrize("y", [[0.5, 0.5, ONE, 0.5], [ONE, ONE, 2.0, ONE]], ids=["in between", "first"])
def test_a_loss_that_depends_on_the_kind_of_its_target_cannot_be_compiled(factor: Any, y: list[Any]) -> None:
    def loss(out: Any, target: Any) -> Any:
        return (out - target) ** 2 * factor(target)

    X = [[0.0], [1.0], [2.0], [3.0]]
    with pytest.raises(TypeError, match=r"a different result for nodes than for numbers.*; use compiled=False"):
        fit(MLP(1, [1]), X, y, loss=loss, epochs=1, compiled=True)
    assert fit(MLP(1, [1]), X, y, loss=lambda out, target: (out - target) ** 2, epochs=1, compiled=True).epochs == 1


def test_a_model_that_diverges_keeps_the_parameters_before_the_step() -> None:
    for compiled in (False, True):
        model = MLP(1, [1], seed=1)
        with pytest.raises(DivergenceError, match=r"in epoch 0, at example 1: .*the parameters are those before this step"):
            fit(model, [[1.0], [1e200]], [0.0, 1.0], batch_size=1, shuffle=False, optimizer=SGD(lr=0.1), compiled=compiled)
        assert all(abs(parameter.data) < 10 for parameter in model.parameters())


def test_an_interrupt_keeps_what_was_learned() -> None:
    def interrupt(history: History, model: Module) -> None:
        if history.epochs == 3:
            raise KeyboardInterrupt

    X, y = moons(30, noise=0.1, seed=1)
    found = []
    for compiled in (False, True):
        model = MLP(2, [4, 1], output="sigmoid", seed=1)
        with pytest.raises(KeyboardInterrupt):
            fit(model, X, y, optimizer=SGD(lr=0.1), epochs=10, seed=1, callbacks=[interrupt], compiled=compiled)
        assert (model.history.epochs, model.history.stopped) == (3, "by an interrupt")
        found.append([parameter.data for parameter in model.parameters()])
        _, history = trained(compiled, SGD(lr=0.1), epochs=10, callbacks=[interrupt], interrupt="return")
        assert (history.epochs, history.stopped) == (3, "by an interrupt")
    assert found[1] == pytest.approx(found[0], abs=1e-10)
    assert found[0] != [parameter.data for parameter in MLP(2, [4, 1], output="sigmoid", seed=1).parameters()]


def test_callbacks_see_and_may_change_the_model() -> None:
    seen: list[float] = []

    def reset(history: History, model: Module) -> None:
        seen.append(model.parameters()[0].data)
        model.parameters()[0].data = 0.0

    for compiled in (False, True):
        trained(compiled, SGD(lr=0.1), epochs=2, callbacks=[reset])
    assert seen[2:] == pytest.approx(seen[:2], abs=1e-10)


def test_an_unknown_choice_of_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="compiled is 'auto', True or False"):
        fit(MLP(1, [1]), [[1.0]], [1.0], compiled="fast")


def test_losses_with_logits_compile() -> None:
    X, y = moons(12, noise=0.1, seed=1)
    model = MLP(2, [3, 1], seed=1)
    history = fit(model, X, y, loss=losses.binary_cross_entropy_with_logits, epochs=2, compiled=True, seed=0)
    assert history.loss[1] < history.loss[0]


class Scaled(Choosy):
    """A model with a number that is not a parameter."""

    scale = 1.0

    def __call__(self, x: Any) -> Any:
        """Return scale·w·x."""
        return self.w * x[0] * self.scale


def test_callbacks_may_change_more_than_parameters() -> None:
    def louder(history: History, model: Any) -> None:
        model.scale *= 10

    found = []
    for compiled in (False, True):
        history = fit(Scaled(), [[1.0], [2.0]], [1.0, 2.0], optimizer=Momentum(lr=1e-4), epochs=4, shuffle=False,
                      callbacks=[louder], compiled=compiled)  # fmt: skip
        found.append(history.loss)
    assert found[1] == pytest.approx(found[0])
    assert found[0][1] > 2 * found[0][0]


def test_parameters_set_by_a_callback_stay_even_if_it_raises() -> None:
    def last_word(history: History, model: Any) -> None:
        model.w.data = 42.0
        raise KeyboardInterrupt

    for compiled in (False, True):
        model = Scaled()
        fit(model, [[1.0]], [1.0], epochs=3, callbacks=[last_word], compiled=compiled, interrupt="return")
        assert model.w.data == 42.0


def test_noise_is_noticed_behind_a_label() -> None:
    class Labelled(Choosy):
        def __call__(self, x: Any) -> Any:
            net = self.w * x[0]
            net.label = "net"
            return net * random.random()

    with pytest.raises(TypeError, match="draws random numbers"):
        fit(Labelled(), [[1.0]], [1.0], loss=lambda out, target: out - target, epochs=1, compiled=True)
