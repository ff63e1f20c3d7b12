"""A trace has its own nodes: those of another or a finished trace are refused, and parameters become plain Values again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from autograd import Value, compile, exp, where
from autograd.compiler import tracing
from autograd.compiler.labels import alike

USES: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y, lambda x, y: x**y,
    lambda x, y: y + 2 * x,
]  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_nodes_of_two_traces_do_not_mix(use: Callable[[Any, Any], Any]) -> None:
    def outer(x: Any) -> Any:
        return compile(lambda y: use(x, y), example=[1.0])([2.0])

    with pytest.raises(TypeError, match="two functions are being compiled at once, one inside the other"):
        compile(outer, example=[1.0])


def test_a_program_takes_numbers_and_says_what_to_do_with_nodes() -> None:
    w = Value(2.0, label="w")
    inner = compile(lambda x: w * x, [w])
    calls: list[Callable[[Any], Any]] = [lambda x: inner(x), lambda x: inner([x])[0], lambda x: inner.gradient([x])[0]]
    for call in calls:
        with pytest.raises(TypeError, match=r"<traced x>, a Traced; .* for nodes call the function that was compiled"):
            compile(call, [w], example=[1.0])
        with pytest.raises(TypeError, match=r"a Value; pass a real number .*; for nodes call the function that was compiled"):
            call(Value(1.0))
    assert compile(lambda x: inner.f(x) + 1, [w])([3.0]).tolist() == [7.0]


def test_the_class_of_a_node_makes_a_constant() -> None:
    w = Value(3.0, label="w")
    program = compile(lambda x: type(w)(2.0, label="two") * w * x + x.__class__(1), [w])
    assert program([1.0, 2.0]).tolist() == [7.0, 13.0]
    assert program.gradient([1.0, 2.0])[1].tolist() == [3.0]
    with pytest.raises(TypeError, match="a Value holds a number, not a node; use <traced x> itself"):
        compile(lambda x: type(w)(x), [w], example=[1.0])


def test_a_program_is_not_run_where_its_parameters_stand_for_any_number() -> None:
    w, u = Value(2.0, label="w"), Value(3.0, label="u")
    inner = compile(lambda x: w * x, [w])
    calls: list[Callable[[], Any]] = [lambda: inner([1.0])[0], lambda: inner.gradient([1.0])[0], lambda: inner.jacobian([1.0])]
    for call in calls:
        with pytest.raises(TypeError, match=r"as numbers, and their gradient would be lost; call program\.f"):
            compile(lambda x, call=call: w * x + float(call()), [w], example=[1.0])
    assert compile(lambda x: u * x + inner([1.0])[0], [u])([1.0]).tolist() == [5.0]  # a constant of this program
    assert compile(lambda x: w * x + inner.f(1.0), [w]).gradient([1.0])[1].tolist() == [2.0]


@pytest.mark.parametrize("use", [*USES, lambda x, y: -x, lambda x, y: exp(y)])
def test_nodes_of_a_finished_trace_are_refused(use: Callable[[Any, Any], Any]) -> None:
    kept: list[Any] = []

    def keep(x: Any, y: Any) -> Any:
        kept.extend([x, y])
        return x * y

    compile(keep, example=[1.0, 2.0])
    with pytest.raises(TypeError, match="a node of a compiled function that has returned"):
        use(*kept)


def test_labels_can_be_set_while_tracing() -> None:
    w, seen = Value(3.0, label="w"), list[tuple[str | None, ...]]()

    def f(x: Any, y: Any) -> Any:
        product = w * x
        before = w.label, x.label, y.label, product.label
        w.label, x.label, y.label, product.label = "v", "a", "b", "p"
        seen.extend([before, (w.label, x.label, y.label, product.label)])
        return product + y

    program = compile(f, [w], example=[1.0, 2.0], backend="numpy")
    assert seen == [("w", None, None, None), ("w", "a", "b", "p")]  # a parameter has its label from the start
    assert w.label == "v" and w.__class__ is Value and program([1.0], [2.0]).tolist() == [5.0]


@pytest.mark.parametrize("use", [math.exp, float, lambda x: 1 if x > 0 else 2, lambda x: x.data])
def test_a_refusal_that_the_function_catches_is_raised_all_the_same(use: Callable[[Any], Any]) -> None:
    w = Value(2.0, label="w")

    def f(x: Any) -> Any:
        try:
            return w * use(x)
        except TypeError:
            return w * 0  # numbers do not come here, so the program would be wrong for all of them

    with pytest.raises(TypeError, match=r"of <traced .*> cannot be used while compiling") as error:
        compile(f, [w], example=[1.0])
    assert "the function caught this error; with numbers it would not have been raised" in error.value.__notes__
    assert w.__class__ is Value
    assert compile(lambda x: where(x > 0, lambda: w * x, lambda: x), [w])([3.0, -1.0]).tolist() == [6.0, -1.0]


def test_an_interrupt_does_not_keep_parameters_from_being_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    w, calls = Value(3.0, label="w"), list[int]()
    give_back = tracing._give_back

    def interrupted(parameters: Sequence[Value]) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        give_back(parameters)

    monkeypatch.setattr(tracing, "_give_back", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compile(lambda x: w * x, [w], example=[1.0])
    assert w.__class__ is Value and w.data == 3.0


def test_labels_that_differ_in_any_digit_belong_together() -> None:
    for digit in range(10):
        [group] = alike(["w4_x", f"w{digit}_x"])
        assert group.words == ("w", "_x") and group.differ == (set() if digit == 4 else {0})
    assert len(alike(["w/", "w:", "w0"])) == 3  # the characters before and after the digits are not digits
