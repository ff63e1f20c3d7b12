"""A row may read values that change: a temperature, a flag, a generator.  Every call uses the present values."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from autograd import (
    Binary,
    Nary,
    Unary,
    Value,
    compile,
    cos,
    exp,
    gradcheck,
    gradients,
    jvp,
    prod,
    sigmoid,
    sqrt,
    tanh,
    total,
    where,
)
from autograd.fixed import is_fixed, remembered
from autograd.primitives import Primitive

T = 1.0
CALM = [tanh]
cool = Unary("cool", lambda x: x / T, lambda x, out: 1 / T)
leak = Unary("leak", lambda x: where(x > 0, x, T * x), lambda x, out: where(x > 0, 1, T))
wave = Unary("wave", lambda x: math.sin(T * x), lambda x, out: T * cos(T * x), array=lambda np: lambda x: np.sin(T * x))
scaled = Binary("scaled", lambda x, y: T * x * y, lambda x, y, out: T * y, lambda x, y, out: x * T)
summed = Nary("summed", lambda *v: T * total(v), lambda v, out: [T] * len(v), lambda *v: v)
scaled_product = Nary("scaled_product", lambda *v: T * prod(v), lambda v, out: [out / x for x in v], lambda *v: v)
above = Unary("above", lambda x: cool(x) * 2, lambda x, out: 2 * (1 / T))
ROWS: dict[str, tuple[Callable[[Any], Any], Callable[[float], float], Callable[[float], float]]] = {
    "cool": (cool, lambda x: x / T, lambda x: 1 / T),
    "leak": (leak, lambda x: T * x, lambda x: T),
    "wave": (wave, lambda x: math.sin(T * x), lambda x: T * math.cos(T * x)),
    "scaled": (lambda x: scaled(x, 3.0) + scaled(2.0, x), lambda x: 5 * T * x, lambda x: 5 * T),
    "summed": (lambda x: summed(x, x, 1.0), lambda x: T * (2 * x + 1), lambda x: 2 * T),
    "product": (lambda x: scaled_product(x, 3.0, x), lambda x: 3 * T * x * x, lambda x: 6 * T * x),
    "above": (above, lambda x: 2 * x / T, lambda x: 2 / T),
}


def recorded(f: Callable[[Any], Any], x: float, derivative: Callable[[Value, Value], float]) -> tuple[float, float]:
    v = Value(x)
    y = f(v)
    return y.data, derivative(y, v)


def compiled(backend: str, f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    if f is wave and backend == "native":
        pytest.skip("it takes only numbers")
    value, gradient = compile(lambda: f(w) * 1.0, [w := Value(x)], backend=backend).gradient()
    return value, float(gradient[0])


READINGS: dict[str, Callable[[Callable[[Any], Any], float], tuple[float, float]]] = {
    "backward": lambda f, x: recorded(f, x, lambda y, v: y.backward() or v.grad),
    "gradients": lambda f, x: recorded(f, x, lambda y, v: gradients(y, [v])[0].data),
    "jvp": lambda f, x: jvp(f, (x,), (1.0,)),
    **{backend: partial(compiled, backend) for backend in ("numpy", "native", "pure")},
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("reading", READINGS)
def test_every_call_reads_the_present_values(name: str, reading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    f, value, slope = ROWS[name]
    for temperature in (1.0, 2.0, 0.5):
        monkeypatch.setitem(globals(), "T", temperature)
        assert READINGS[reading](f, -0.75) == pytest.approx((value(-0.75), slope(-0.75)), rel=1e-14)
        assert gradcheck(f, -0.75).verdict == "correct"


def test_a_program_keeps_the_values_that_its_rows_read_when_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(-0.75)
    programs = [compile(lambda x: (above(w) + leak(w)) * x, [w], example=[1.0], backend=b) for b in ("numpy", "native", "pure")]
    monkeypatch.setitem(globals(), "T", 2.0)
    for program in programs:
        assert program([1.0, 1.0, 1.0]).tolist() == [-2.25] * 3 and program.gradient([1.0])[1] == [3.0]
        assert not program.is_current()
    monkeypatch.setitem(globals(), "T", 1.0)
    assert all(program.is_current() for program in programs)


def test_a_row_that_draws_is_fresh_at_every_call_and_not_compiled() -> None:
    noisy = Unary("noisy", lambda x: x * random.random(), lambda x, out: out / x)
    nodes = [noisy(Value(2.0)) for _ in range(5)]
    assert len({node.data for node in nodes}) == 5 and all(node.partials == (node.data / 2,) for node in nodes)
    with pytest.raises(TypeError, match="draws random numbers"):
        compile(lambda x: noisy(x), example=[1.0])


def test_a_change_after_the_forward_pass_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    y = cool(x := Value(3.0, "x"))
    above_an_operation = cool(x * 1.0)
    monkeypatch.setitem(globals(), "T", 2.0)
    with pytest.raises(ValueError, match=r"cool\(x\) = 3.0 .*now give 1.5: a leaf, or something else that the row reads,"):
        gradients(y, [x])
    with pytest.raises(ValueError, match=r"now give 1.5: a leaf, or something else that the row reads,"):
        gradients(above_an_operation, [x])
    y.backward()
    assert x.grad == 1.0  # the recorded partial


def test_which_rows_are_fixed() -> None:
    k = 2.0
    fixed: list[Primitive] = [
        tanh, Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out)),
        Unary("sine", math.sin, lambda x, out: cos(x)), Unary("wave", lambda x: math.sin(math.pi * x), lambda x, out: x),
    ]  # fmt: skip
    free: list[Primitive] = [
        cool, wave, Unary("k", lambda x: k * x, lambda x, out: k), Unary("index", lambda x: CALM[0](x), lambda x, out: 1 - out),
        Unary("inner", lambda x: (lambda: T * x)(), lambda x, out: 1.0), Unary("other", np.tanh, lambda x, out: 1 - out * out),
        Unary("by default", lambda x, scale=CALM: x, lambda x, out: 1.0),
        Unary("later", eval("lambda x: undefined * x"), lambda x, out: 1),
    ]  # fmt: skip
    swish = fixed[1]
    fixed += [
        Unary("twice", lambda x: swish(x) * 2, lambda x, out: 2.0),
        Unary("steep", lambda x, k=3.0: k * abs(x), lambda x, out: 1.0),
    ]  # fmt: skip
    act, table = tanh, [0.0, 1.0]
    free += [
        Unary("act", lambda x: act(x), lambda x, out: 1.0), Unary("table", table.__getitem__, lambda x, out: 1.0),
        Unary("eval", lambda x: x * eval("T"), lambda x, out: 1.0), Unary("empty", lambda x: x * unset, lambda x, out: 1.0),
    ]  # fmt: skip
    assert all(map(is_fixed, fixed)) and not any(map(is_fixed, free))
    unset = 1.0


def test_a_fixed_row_returns_floats_at_every_call() -> None:
    whole = Unary("whole", math.floor, lambda x, out: 0, kink=lambda x: x)
    both = Binary("both", math.gcd, lambda x, y, out: 0, lambda x, y, out: 0)
    assert is_fixed(whole) and [type(whole(Value(2.5)).data) for _ in range(3)] == [float] * 3
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        both(Value(2.0), 4.0)


def test_a_users_row_may_be_dangerous_anywhere() -> None:
    bowl = Unary("bowl", lambda x: (x - 10) * (x - 10) - 1, lambda x, out: 2 * (x - 10))
    norm = Nary(
        "norm",
        lambda *v: sqrt(total([x * x for x in v])),
        lambda v, out: [x / where(out > 0, out, math.nan) for x in v],
        lambda v: v,
    )
    for f, at, slope in (
        (lambda p: where(bowl(p) > 0, sqrt(bowl(p)), p), 10.0, 1.0),
        (lambda p: where(p > 0, norm((p, p, p)), p), 0.0, 1.0),
        (lambda p: where(p > 0, exp(norm((p, p, p, p))), p), 0.0, 1.0),
    ):
        for backend in ("numpy", "native", "pure"):
            program = compile(lambda f=f: f(p), [p := Value(at)], backend=backend)
            assert program.gradient()[1].tolist() == [slope]


def test_facts_about_a_row_are_remembered_only_if_the_row_is_fixed() -> None:
    asked = list[str]()

    @remembered
    def doubled(row: Primitive, x: float) -> float:
        """Return 2x."""
        asked.append(row.name)
        return 2 * x

    assert [doubled(row, 3.0) for row in (tanh, tanh, cool, cool)] == [6.0] * 4
    assert asked == ["tanh", "cool", "cool"] and doubled.__doc__ == "Return 2x."


def test_a_rule_may_use_its_own_row() -> None:
    own = Unary("own", math.exp, lambda x, out: own(x))
    one = Unary("one", math.sin, lambda x, out: other(x))
    other = Unary("other", math.cos, lambda x, out: -one(x))
    for row in (own, one, other):
        assert is_fixed(row) and math.isfinite(row(Value(0.5)).partials[0])
