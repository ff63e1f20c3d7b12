"""Optimisers: each rule is that of an independent version, on numbers and on arrays, and descends."""

from __future__ import annotations

import copy
import functools
import math
import pickle
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import MLP, fit
from nn.data import moons
from nn.optim import SGD, Adam, Momentum, Optimizer, RProp, cosine, descend, exponential_decay, step_decay, warmup

gradients = st.lists(st.lists(st.floats(-3, 3), min_size=2, max_size=2), min_size=1, max_size=12)

adam: Any = Adam  # without annotations, for wrong arguments
rprop: Any = RProp
momentum: Any = Momentum
decay: Any = step_decay
exponential: Any = exponential_decay
wave: Any = cosine
rise: Any = warmup


def every() -> list[Optimizer]:
    return [SGD(lr=0.1), Momentum(lr=0.1, momentum=0.8), Adam(lr=0.1), RProp(lr=0.1), SGD(lr=cosine(0.1, 5))]


def by_hand(optimizer: Optimizer, start: float, gs: list[float]) -> float:
    """Return a parameter after these gradients, by an independent version of the optimiser's rule."""
    w, v, m, width, before = start, 0.0, 0.0, 0.1, 0.0
    for t, g in enumerate(gs, start=1):
        match optimizer:
            case Momentum():
                v = 0.8 * v + g
                w -= 0.1 * v
            case Adam():
                m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
                w -= 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
            case RProp():
                if g * before > 0:
                    width = min(1.2 * width, 50.0)
                elif g * before < 0:
                    width, g = max(0.5 * width, 1e-6), 0.0
                w -= width * ((g > 0) - (g < 0))
                before = g
            case _:
                w -= optimizer.lr * g if isinstance(optimizer.lr, float) else optimizer.lr(t - 1) * g
    return w


@pytest.mark.parametrize("i", range(5))
@given(gs=gradients)
def test_each_rule_by_hand_and_on_arrays(i: int, gs: list[list[float]]) -> None:
    optimizer, twin = every()[i], every()[i]
    values, array = [Value(1.0), Value(-2.0)], np.array([1.0, -2.0])
    for g in gs:
        for value, slope in zip(values, g, strict=True):
            value.grad = slope
        optimizer.step(values)
        twin.step_array(array, np.array(g))
    expected = [by_hand(optimizer, 1.0, [g[0] for g in gs]), by_hand(optimizer, -2.0, [g[1] for g in gs])]
    assert [value.data for value in values] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(array, [value.data for value in values], rtol=1e-13, atol=1e-15)
    assert optimizer.steps == twin.steps == len(gs)


@pytest.mark.parametrize(
    "optimizer", [SGD(lr=0.1), Momentum(lr=0.02), Adam(lr=0.5), RProp(lr=0.5), Adam(lr=warmup(cosine(1.0, 150), 5))]
)
def test_every_optimiser_descends(optimizer: Optimizer) -> None:
    path = descend(lambda a, b: (a - 1) ** 2 + 4 * (b + 2) ** 2, [10.0, 5.0], optimizer, steps=200)
    assert len(path) == 201 and path[0] == ((10.0, 5.0), 277.0)
    assert path[-1][0] == pytest.approx((1.0, -2.0), abs=1e-2)


def test_a_parameter_keeps_its_own_state() -> None:
    optimizer, a, b = Momentum(lr=1.0, momentum=0.5), Value(0.0), Value(0.0)
    a.grad = b.grad = 1.0
    optimizer.step([a])
    optimizer.step([b, a])
    assert (a.data, b.data) == (-2.5, -1.0)
    for _ in range(50):  # new parameters start afresh, even at the addresses of dead ones
        c = Value(0.0)
        c.grad = 1.0
        optimizer.step([c])
        assert c.data == -1.0
        del c


def test_an_array_takes_over_the_states_of_its_parameters() -> None:
    for known in range(3):
        optimizer, leaves = Momentum(lr=1.0, momentum=0.5), [Value(0.0), Value(0.0)]
        for leaf in leaves:
            leaf.grad = -1.0
        optimizer.step(leaves[:known])
        numbers = np.array([leaf.data for leaf in leaves])
        optimizer.gather(numbers, leaves)
        before = numbers.copy()
        optimizer.step_array(numbers, np.array([-1.0, -1.0]))
        assert (numbers - before).tolist() == [1.5] * known + [1.0] * (2 - known)
        assert "_states" not in repr(optimizer)


def test_schedules() -> None:
    assert [step_decay(1.0, 3, 0.1)(i) for i in (0, 2, 3, 6)] == pytest.approx([1.0, 1.0, 0.1, 0.01])
    assert [exponential_decay(2.0, 0.5)(i) for i in (0, 1, 3)] == [2.0, 1.0, 0.25]
    assert [cosine(1.0, 10, lowest=0.2)(i) for i in (0, 5, 10, 99)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    assert [warmup(exponential_decay(1.0, 0.5), 2)(i) for i in (0, 1, 2)] == [0.5, 0.5, 0.25]
    optimizer, w = SGD(lr=step_decay(1.0, 1)), Value(0.0)
    w.grad = -1.0
    rates = []
    for _ in range(3):
        rates.append(optimizer.rate)
        optimizer.step([w])
    assert (rates, w.data) == ([1.0, 0.5, 0.25], 1.75)


@pytest.mark.parametrize("rate", ["0.1", None, [0.1], 1j, -0.1, math.nan])
def test_a_warmup_refuses_what_an_optimiser_refuses(rate: Any) -> None:
    for schedule in (lambda _: rate, rise(lambda _: rate, 3)):
        with pytest.raises(ValueError, match=r"^lr\(0\) is a finite number, 0 or more; got "):
            SGD(lr=schedule).step([Value(1.0)])


@pytest.mark.parametrize(
    "schedule", [exponential_decay(0.8, 2), exponential_decay(0.8, 1.5), warmup(step_decay(0.8, 2, 2.0), 9)]
)
def test_a_rate_that_grew_beyond_the_floats_is_refused_with_its_step(schedule: Any) -> None:
    optimizer = SGD(lr=schedule)
    optimizer.steps = 5000
    with pytest.raises(ValueError, match=r"lr\(5000\) is a finite number, 0 or more; got inf"):
        optimizer.step([Value(1.0)])
    assert optimizer.steps == 5000


@pytest.mark.parametrize(("make", "message"), [
    (lambda: SGD(lr=0.0), "lr is a positive number, or a function of the step; got 0.0"),
    (lambda: SGD(lr=-1.0), "got -1.0"),
    (lambda: Adam(lr=float("nan")), "got nan"),
    (lambda: Momentum(momentum=1.0), "momentum is at least 0 and below 1; got 1.0"),
    (lambda: Adam(betas=(0.9, 1.0)), "betas is two numbers"),
    (lambda: Adam(eps=0.0), "eps is positive"),
    (lambda: RProp(etas=(1.2, 0.5)), "etas is a factor below 1 and one above 1"),
    (lambda: RProp(widths=(2.0, 1.0)), "widths is two positive numbers in order"),
    (lambda: adam(betas=0.9), "betas is two numbers, at least 0 and below 1; got 0.9"),
    (lambda: adam(betas=(0.9, 0.99, 0.999)), "betas is two numbers"),
    (lambda: rprop(etas=0.5), "etas is a factor below 1 and one above 1; got 0.5"),
    (lambda: rprop(widths=("a", "b")), r"widths is two positive numbers in order; got \('a', 'b'\)"),
    *[(make, "; got .*'ab?'") for make in (
        lambda: momentum(momentum="a"), lambda: adam(eps="a"), lambda: adam(betas=("a", 0.9)), lambda: adam(betas="ab"),
        lambda: decay(0.1, "a"), lambda: decay("a", 1), lambda: decay(0.1, 1, "a"), lambda: exponential("a", 0.1),
        lambda: exponential(0.1, "a"), lambda: wave(0.1, "a"), lambda: wave("a", 1), lambda: wave(0.1, 1, "a"),
        lambda: rise("a", 1), lambda: rise(0.1, "a"), lambda: rprop(widths=(1.0, "a")),
    )],
    (lambda: exponential(-0.1, 0.5), "lr is a positive number; got -0.1"),
    (lambda: step_decay(1.0, every=0), "every is at least 1; got 0"),
    (lambda: cosine(1.0, steps=0), "steps is at least 1; got 0"),
    (lambda: warmup(1.0, steps=cast(int, 2.5)), "steps is a whole number; got 2.5"),
    (lambda: descend(lambda x: x * x, [1.0], SGD(lr=0.1), -1), "steps is at least 0; got -1"),
    (lambda: descend(lambda x: x * x, [1.0], SGD(lr=0.1), cast(int, 2.5)), "steps is a whole number; got 2.5"),
    *[(make, "; got ") for make in (
        lambda: warmup(0.8, 0), lambda: SGD(lr=math.inf), lambda: Momentum(momentum=-0.1), lambda: RProp(etas=(0.0, 1.2)),
        lambda: RProp(etas=(0.5, 1.0)), lambda: RProp(etas=(1.0, 1.2)), lambda: RProp(widths=(0.0, 1.0)),
    )],
])  # fmt: skip
def test_wrong_hyperparameters_are_refused(make: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf, "0.1", None])
@pytest.mark.parametrize("kind", [SGD, Momentum, Adam, RProp])
def test_a_rate_that_a_function_gives_is_checked_and_nothing_is_lost(kind: Any, rate: Any) -> None:
    w = Value(2.0)
    optimizer = kind(lr=lambda t: 0.5 if t == 0 else 0.0 if t == 1 else rate)
    w.grad = 1.0
    optimizer.step([w])
    optimizer.step([w])  # the rate 0 is the end of a schedule, such as `cosine`
    before = w.data, optimizer.steps, copy.deepcopy(optimizer._states)
    with pytest.raises(ValueError, match=r"^lr\(2\) is a finite number, 0 or more; got "):
        optimizer.step([w])
    assert (w.data, optimizer.steps) == before[:2] and str(optimizer._states) == str(before[2])


def test_a_single_parameter_is_not_a_list_of_parameters() -> None:
    with pytest.raises(TypeError, match=r"step takes a list of parameters, such as model.parameters\(\); got Value"):
        SGD().step(cast(Any, Value(1.0)))
    model = MLP(1, [1])
    wrong: list[Any] = [model, model.named_parameters(), 5, [Value(1.0), 2.0], {*model.parameters()}]  # a set has no order
    for parameters in wrong:
        with pytest.raises(TypeError, match=r"^step takes a list of parameters, such as model.parameters\(\); got "):
            SGD().step(parameters)


def test_a_shared_parameter_that_is_listed_twice_does_not_move_twice() -> None:
    shared, own = Value(1.0), Value(1.0)
    shared.grad = own.grad = 1.0
    optimizer = SGD(lr=0.1)
    with pytest.raises(ValueError, match="a parameter is listed twice, and would move twice; list each once"):
        optimizer.step([shared, own, shared])  # such as the parameters of two networks, one after the other
    assert (shared.data, own.data, optimizer.steps) == (1.0, 1.0, 0)


def test_a_gradient_that_is_not_a_number_is_named() -> None:
    w, removed = Value(1.0), Value(2.0)
    cleared: Any = removed
    cleared.grad = None
    optimizer = SGD(lr=0.1)
    with pytest.raises(TypeError, match=r"the gradient of Value\(data=2.0, grad=None\) is not a number; call zero_grad\(\)"):
        optimizer.step([w, removed])
    assert (w.data, optimizer.steps) == (1.0, 0)


def test_an_array_of_integers_is_refused() -> None:
    array = np.array([1, 2])
    with pytest.raises(TypeError, match=r"one of int64 would round each step; pass parameters.astype\(float\)$"):
        SGD(0.6).step_array(array, np.ones(2))
    assert array.tolist() == [1, 2]


def test_an_array_takes_a_gradient_of_its_shape_and_nothing_is_spread_over_rows() -> None:
    array, optimizer, numbers = np.ones((2, 2)), SGD(lr=0.5), cast(Any, [1.0, 2.0])
    for gradient in (np.array([1.0, -1.0]), np.ones((2, 1)), 1.0):
        with pytest.raises(
            ValueError, match=r"^the gradient has the shape of the parameters, \(2, 2\); got (1.0|\(2,\)|\(2, 1\))$"
        ):
            optimizer.step_array(array, gradient)
    with pytest.raises(TypeError, match=r"^step_array takes an array of parameters, and step a list of them; got list$"):
        optimizer.step_array(numbers, numbers)
    assert (array == 1).all() and optimizer.steps == 0


@pytest.mark.parametrize(
    ("given", "named", "problem"),
    [
        (([Value(1.0)],), {"lr": 0.1}, "multiple values for argument 'lr'"),  # as in PyTorch
        ((), {"lr": 0.1, "momentum": 0.9}, "got an unexpected keyword argument 'momentum'"),
        ((), {"learning_rate": 0.1}, "got an unexpected keyword argument 'learning_rate'"),  # as in Keras
        ((0.1, 0.9), {}, "too many positional arguments"),
    ],
)
def test_arguments_of_other_libraries_are_refused_with_what_takes_their_place(given: Any, named: Any, problem: str) -> None:
    advice = r"; lr is the learning rate; pass the parameters to step\(…\), as fit does; for momentum use Momentum, .*$"
    with pytest.raises(TypeError, match=f"^SGD: {problem}{advice}"):
        SGD(*given, **named)


def test_a_descent_needs_a_point_and_an_optimiser() -> None:
    start, kind = cast(Any, 3.0), cast(Any, SGD)
    with pytest.raises(TypeError, match=r"^start is a list of coordinates; got 3.0; .* write \[3.0\]$"):
        descend(lambda x: x * x, start, SGD(), 5)
    with pytest.raises(TypeError, match=r"^optimizer is an instance of a class of nn.optim, such as "):
        descend(lambda x: x * x, [3.0], kind, 1)


def test_parameters_in_place_of_a_rate_are_refused_and_not_printed() -> None:
    for parameters in ([Value(1.0)], iter([Value(1.0)])):
        rate: Any = parameters
        with pytest.raises(TypeError, match=r"or a function of the step; pass the parameters to step\(…\), as fit does$"):
            SGD(rate)
    wrong: list[Any] = [None, "0.1"]
    for rate in wrong:
        with pytest.raises(TypeError, match=f"function of the step; got {rate!r}$"):
            SGD(rate)


def test_a_user_defined_optimiser() -> None:
    class Signs(Optimizer):
        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            return parameter - rate * (1 if gradient > 0 else -1), ()

    assert descend(lambda x: x * x, [3.0], Signs(lr=1.0), 3)[-1] == ((0.0,), 0.0)
    with pytest.raises(NotImplementedError, match="define its method rule"):
        descend(lambda x: x * x, [3.0], Optimizer(), 1)


def test_the_ends_of_ranges_are_allowed_and_schedules_can_be_pickled() -> None:
    for schedule, rates in (
        (cosine(0.8, 1), [0.8, 0.0]), (step_decay(0.8, 1), [0.8, 0.4, 0.2]), (warmup(0.8, 1), [0.8, 0.8]),
        (warmup(exponential_decay(0.8, 0.5), 2), [0.4, 0.4, 0.2]),
    ):  # fmt: skip
        assert [schedule(i) for i in range(len(rates))] == pytest.approx(rates)
        again = pickle.loads(pickle.dumps(SGD(lr=schedule)))
        assert [again.lr(i) for i in range(len(rates))] == pytest.approx(rates)
    assert Momentum(momentum=0.0).momentum == 0.0 and Adam(betas=(0.0, 0.0)).betas == (0.0, 0.0)
    assert RProp(widths=(0.5, 0.5)).widths == (0.5, 0.5)


@functools.cache
def losses(kind: Any, engines: tuple[bool, bool], copied: Any = tuple) -> list[float]:
    """Return the losses of training that continues with a copied model and optimiser."""
    model, optimizer, (X, y) = MLP(2, [3, 1], output="sigmoid", seed=1), kind(lr=0.05), moons(8, seed=1)
    fit(model, X, y, optimizer=optimizer, epochs=3, shuffle=False, compiled=engines[0])
    model, optimizer = copied((model, optimizer))
    return fit(model, X, y, optimizer=optimizer, epochs=3, shuffle=False, compiled=engines[1]).loss


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda both: pickle.loads(pickle.dumps(both))])
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("engines", [(False, False), (False, True), (True, False), (True, True)])
def test_a_copy_continues_with_the_states(engines: tuple[bool, bool], together: bool, copied: Any) -> None:
    for kind in (Momentum, Adam, RProp):
        assert losses(kind, engines, copied if together else lambda both: map(copied, both)) == losses(kind, engines)


def test_a_copy_and_its_original_are_independent() -> None:
    optimizer, w = Momentum(lr=1.0, momentum=0.5), Value(0.0)
    w.grad = -1.0
    optimizer.step([w])
    twin, array = copy.copy(optimizer), np.zeros(1)
    twin.step([w])
    optimizer.step([w])
    assert w.data == 1.0 + 1.5 + 1.5 and (twin.steps, optimizer.steps) == (2, 2)
    copy.deepcopy(optimizer).step_array(array, np.array([-1.0]))
    assert array.tolist() == [1.75]


def test_a_copy_without_its_parameters_continues_only_with_as_many() -> None:
    optimizer, values = Adam(), [Value(1.0), Value(2.0)]
    optimizer.step(values)
    alone = copy.deepcopy(optimizer)
    for wrong in (values[:1], [*values, Value(3.0)]):
        with pytest.raises(ValueError, match=rf"parameters \(2\), and cannot continue with others \({len(wrong)}\): copy it"):
            alone.step([Value(1.0) for _ in wrong])
    assert alone.steps == 1
    alone.step(values)
    alone.step([Value(1.0)])  # a new parameter starts afresh
    assert alone.steps == 3


def test_an_array_of_parameters_leaves_no_state_behind() -> None:
    model, optimizer, (X, y) = MLP(2, [3, 1], seed=1), Adam(), moons(20, seed=1)
    for _ in range(2):
        fit(model, X, y, optimizer=optimizer, epochs=3, compiled=True, callbacks=[lambda *_: None])
    assert [key for key, *_ in optimizer._states.values()] == model.parameters()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("lr", [-0.1, math.nan, "a", None])
def test_a_rate_set_while_training_is_checked(lr: Any, compiled: bool) -> None:
    model, optimizer, (X, y) = MLP(2, [3, 1], seed=1), SGD(lr=0.1), moons(20, seed=1)

    def spoil(history: Any, _: Any) -> None:
        optimizer.lr = lr

    with pytest.raises(ValueError, match=rf"^lr is a finite number, 0 or more; got {lr!r}"):
        fit(model, X, y, optimizer=optimizer, epochs=3, batch_size=2, compiled=compiled, callbacks=[spoil])
    assert optimizer.steps == 10 and model.history.epochs == 1


@pytest.mark.parametrize("compiled", [False, True])
def test_the_steps_before_a_wrong_rate_are_kept(compiled: bool) -> None:
    model, (X, y) = MLP(2, [3, 1], seed=1), moons(20, seed=1)
    optimizer = SGD(lr=lambda step: 0.1 if step < 15 else -0.1)
    with pytest.raises(ValueError, match=r"^lr\(15\) is a finite number, 0 or more; got -0\.1"):
        fit(model, X, y, optimizer=optimizer, epochs=3, batch_size=1, compiled=compiled, shuffle=False)
    assert optimizer.steps == 15


@pytest.mark.parametrize(
    "f",
    [lambda x: Value(x.data**2), lambda x: x.data**2, lambda x: np.float64(1.0), lambda x: None, lambda x: Value(2.0) * 3.0],
)
@pytest.mark.parametrize("steps", [0, 2])
def test_a_descent_needs_a_function_of_its_arguments(f: Any, steps: int) -> None:
    with pytest.raises(ValueError, match=r"^f depends on none of its arguments at \[3\.0\]: it returned "):
        descend(f, [3.0], SGD(lr=0.1), steps)
    with pytest.raises(ValueError, match=r"none of its arguments at \[3\.0, 1\.0\]"):
        descend(lambda x, y: f(x), [3.0, 1.0], SGD(lr=0.1), steps)


def test_a_descent_may_leave_an_argument_where_it_is() -> None:
    assert descend(lambda x, y: 1.0 * x, [3.0, 1.0], SGD(lr=0.5), 1)[-1] == ((2.5, 1.0), 2.5)
    assert descend(lambda x: x, [3.0], SGD(lr=0.5), 1)[-1] == ((2.5,), 2.5)
    once = descend(lambda x: x * x if x.data > 2 else 0 * x, [3.0], SGD(lr=0.5), 2)
    assert [point for point, _ in once] == [(3.0,), (0.0,), (0.0,)]


def test_a_result_with_many_paths_is_searched_once_for_its_arguments() -> None:
    y = Value(1.0)
    for _ in range(60):
        y = y + y
    with pytest.raises(ValueError, match=r"^f depends on none of its arguments"):
        descend(lambda x: y, [3.0], SGD(lr=0.1), 1)


def test_an_optimiser_without_a_state_begins_with_an_empty_one() -> None:
    assert Optimizer().start() == SGD().start() == ()


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam, RProp])
def test_every_optimiser_refuses_a_rate_of_zero_and_starts_without_steps(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"^lr is a positive number"):
        kind(lr=0.0)
    assert kind(lr=0.5).steps == 0 and kind() == kind() and "_states" not in repr(kind())
