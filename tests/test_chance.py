"""Random numbers are noticed wherever a model draws them: a compiled program would repeat one toss of a coin for ever."""

from __future__ import annotations

import os
import random
import secrets
import threading
import uuid
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest
from test_suitability import Straight, X, Y, network

from autograd import Value, compile
from autograd.chance import Watched
from nn import fit


def global_coin() -> float:
    return random.random()


HELD = random.Random(3)
DICE = random.SystemRandom()


class Tossing(Straight):
    """A model that tosses a coin, by one of several generators."""

    def __init__(self, toss: str) -> None:
        self.w, self.toss = Value(0.5), toss
        self.rng, self.numpy = random.Random(1), np.random.default_rng(1)
        self.by_builtin = random.Random(2).random
        self.old = {"state": [np.random.RandomState(1)]}

    def __call__(self, x: Any) -> Any:
        """Return w·x₀: the toss decides nothing, but it is drawn."""
        u = getattr(self, f"by_{self.toss}")()
        return self.w * x[0] if u > -1.0 else self.w

    def by_module(self) -> float:
        """Draw from `random`."""
        return random.gauss(0.0, 0.1)

    def by_numpy(self) -> float:
        """Draw from ``numpy.random``."""
        return float(np.random.rand())

    def by_own(self) -> float:
        """Draw from a generator in an attribute."""
        return self.rng.uniform(0, 1)

    def by_new(self) -> float:
        """Draw from a NumPy generator."""
        return float(self.numpy.random())

    def by_old(self) -> float:
        """Draw from a legacy NumPy generator inside containers."""
        return float(self.old["state"][0].rand())

    def by_function(self) -> float:
        """Draw through a function."""
        return global_coin()

    def by_global(self) -> float:
        """Draw from a generator in a global variable."""
        return HELD.random()

    def by_system(self) -> float:
        """Draw from a generator of the operating system, which has no state."""
        return DICE.random()

    def by_secret(self) -> float:
        """Draw through `secrets`."""
        return float(secrets.randbelow(2))

    def by_uuid(self) -> float:
        """Draw through `uuid`."""
        return float(uuid.uuid4().int % 2)


TOSSES = pytest.mark.parametrize(
    "toss", ["module", "numpy", "own", "new", "old", "function", "global", "builtin", "system", "secret", "uuid"]
)


@TOSSES
def test_a_coin_is_not_compiled(toss: str) -> None:
    with pytest.raises(TypeError, match="draws random numbers"):
        fit(Tossing(toss), X, Y, epochs=1, compiled=True)
    history = fit(Tossing(toss), X, Y, epochs=1_000_000, callbacks=[lambda *_: True])
    assert history.engine.startswith("eager: the compiled function draws random numbers")


def test_a_coin_in_the_loss_is_not_compiled() -> None:
    rng = np.random.default_rng(0)

    def loss(out: Any, t: Any) -> Any:
        return (out - t) ** 2 if rng.random() > -1.0 else out

    with pytest.raises(TypeError, match="random numbers"):
        fit(network(), X, Y, loss=loss, epochs=1, compiled=True)


def test_a_model_that_counts_its_calls_is_not_compiled() -> None:
    class Counting(Straight):
        calls = 0

        def __call__(self, x: Any) -> Any:
            self.calls += 1
            return self.w * x[0] * self.calls

    with pytest.raises(TypeError, match="something different at each call"):
        fit(Counting(w=Value(1.0)), X, Y, epochs=1, compiled=True)


def test_a_coin_that_a_callback_switches_on_is_noticed() -> None:
    class Dropping(Straight):
        training = False

        def __call__(self, x: Any) -> Any:
            return self.w * x[0] if not self.training or random.random() > -1.0 else self.w

    def switch(history: Any, model: Any) -> None:
        model.training = True

    with pytest.raises(TypeError, match="random numbers"):
        fit(Dropping(w=Value(1.0)), X, Y, epochs=3, callbacks=[switch], compiled=True)


def test_unused_generators_do_not_matter() -> None:
    class Calm(Straight):
        def __call__(self, x: Any) -> Any:
            return self.w * x[0]

    model = Calm(w=Value(1.0), rng=random.Random(1), numpy=np.random.default_rng(1))
    assert fit(model, X, Y, epochs=1, compiled=True).engine.startswith("compiled")


COIN = random.Random(0)


def test_a_generator_is_found_in_a_function_inside_a_function() -> None:
    def outer() -> float:
        def inner() -> float:
            return COIN.random()

        return inner()

    watched = Watched(outer)
    assert not watched.drew()
    outer()
    assert watched.drew()


class Held:
    __slots__ = "rng"

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng


class Lazy(Mapping[str, Any]):
    """A mapping whose items cannot be read."""

    def __getitem__(self, key: str) -> Any:
        raise OSError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


def test_a_generator_is_found_in_slots_and_queues_without_loading_items() -> None:
    rng, w, lazy = random.Random(0), Value(2.0), Lazy()
    for held in (Held(rng), deque([rng])):
        with pytest.raises(TypeError, match="draws random numbers"):
            compile(lambda x, held=held: w * x * (held.rng if isinstance(held, Held) else held[0]).random(), example=[1.0])

    def scaled(x: Any) -> Any:
        return w * x * len(lazy) if len(lazy) else w * x * later

    assert compile(scaled, example=[1.0])([3.0]).tolist() == [6.0]
    later = 1.0


def test_a_generator_is_found_in_any_list() -> None:
    coin = random.Random(0)
    for held in ([coin], (None, {"rng": [coin]}), partial(max, coin), partial(max, key=coin), partial(coin.random)):
        watched = Watched(held)
        assert not watched.drew()
        coin.random()
        assert watched.drew()


OWN = ModuleType("own")
OWN.__dict__["coin"] = COIN


class Holder:
    rng = COIN

    def still(self) -> float:
        return 0.0


class Heir(Holder):
    __slots__ = ("other",)


class Methods:
    fixed = staticmethod(lambda: COIN.random())
    made = classmethod(lambda kind: COIN.random())
    read = property(lambda self: COIN.random())


def by_default(rng: random.Random = COIN) -> float:
    return rng.random()


def by_keyword(*, rng: random.Random = COIN) -> float:
    return rng.random()


@pytest.mark.parametrize("held", [
    {COIN}, frozenset([COIN]), deque([1.0, COIN]), MappingProxyType({"rng": COIN}), Holder, Heir, Heir(), Heir().still,
    vars(Methods)["fixed"], vars(Methods)["made"], vars(Methods)["read"], Methods, Methods(), by_default, by_keyword,
    lambda: OWN.coin.random(),
])  # fmt: skip
def test_a_generator_is_found_wherever_python_can_keep_it(held: Any) -> None:
    assert COIN in Watched(held).generators


def test_lists_of_numbers_and_modules_that_a_function_does_not_read_are_not_searched() -> None:
    for held in ([1.0, COIN], (2, COIN), [Value(1.0), COIN], lambda: OWN.__name__, OWN, [OWN]):
        assert COIN not in Watched(held).generators


def test_a_generator_is_found_once_and_never_in_packages_that_draw_nothing() -> None:
    coin = random.Random(0)

    def toss() -> float:
        return COIN.random()

    class Box:
        rng = coin

    assert Watched([coin, coin]).generators.count(coin) == 1
    for name, is_searched in ((__name__, True), ("nn", False), ("numpy.linalg", False), ("own.numpy", True), ("uuid", True)):
        toss.__module__ = Box.__module__ = name
        assert (COIN in Watched(toss).generators, coin in Watched(Box).generators) == (is_searched, is_searched)


def test_a_model_may_keep_a_program_even_a_native_one() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = Value(2.0)
            self.program = compile(self.loss, [self.w], backend="native")

        def loss(self, x: Any) -> Any:
            return self.w * x if isinstance(x, Value) else self.w * sum(x)

    program = Model().program
    assert program([1.0]).tolist() == [2.0] and program([[1.0, 2.0]]).tolist() == [6.0] and program.is_current()


def test_a_proxy_is_searched_without_running_its_code() -> None:
    class Proxy:
        __slots__ = ("__rng", "unset")

        def __init__(self) -> None:
            self.__rng = COIN

        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    assert COIN in Watched(Proxy()).generators


def test_the_noise_of_the_operating_system_has_no_state() -> None:
    def noise() -> bytes:
        return os.urandom(4)

    assert Watched(noise).drew() and not Watched(os.getpid).drew()


def test_an_old_generator_on_new_bits_is_watched_without_a_warning() -> None:
    generator = np.random.RandomState(np.random.PCG64(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watched = Watched(generator)
        assert not watched.drew()
        generator.rand()
        assert watched.drew()


def test_every_word_of_a_state_counts_even_if_arrays_are_printed_with_gaps() -> None:
    generator = np.random.RandomState(1)
    with np.printoptions(threshold=10):
        watched, state = Watched(generator), generator.get_state(legacy=False)
        state["state"]["key"][300] ^= 1
        generator.set_state(state)
        assert watched.drew()


def test_numbers_that_another_thread_draws_during_one_call_leave_a_program_current() -> None:
    w, draws = Value(0.5), [False]

    def f(x: Any) -> Any:
        if draws.pop():
            other = threading.Thread(target=random.random)
            other.start()
            other.join()
        return w * x

    program = compile(f, [w], example=[1.0])
    draws[:] = [False, True]  # one quiet call after a disturbed one
    assert program.is_current() and not draws
    draws[:] = [True]
    with pytest.raises(TypeError, match="if it draws none, another thread did, so compile again"):
        compile(f, [w], example=[1.0])
