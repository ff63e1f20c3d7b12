"""Rows keep their promises at every call: only numbers go in and out, and errors name the row, the rule and the operands."""

import copy
import doctest
import functools
import inspect
import linecache
import math
import operator
import pickle
import pydoc
import re
import traceback
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, assert_type

import numpy as np
import pytest
from hypothesis import strategies as st

from autograd import (
    Binary,
    DomainError,
    Nary,
    Primitive,
    Unary,
    Value,
    compile,
    cos,
    cosh,
    exp,
    gradcheck,
    gradients,
    jvp,
    primitives,
    replay,
    sin,
    tanh,
    walk,
    where,
)
from autograd.strategies import ROWS, check_primitive
from autograd.symbol import Symbol

inf = math.inf


class Parts:
    """A row with a function and a rule that return the attributes `value` and `rule`."""

    def __init__(self, kind: str) -> None:
        self.value: Any = 2.0
        self.rule: Any = 3.0

        def partial(*operands: Any) -> Any:
            return self.rule

        made: Any
        if kind == "Unary":
            made = Unary("odd", lambda x: self.value, lambda x, out: partial(x, out))
            made = replace(made, partial=partial)
        elif kind == "Binary":
            made = Binary("odd", lambda x, y: self.value, partial, partial)
        else:
            made = Nary("odd", lambda *v: self.value, lambda v, out: [self.rule] * len(v), lambda *v: v)
        self.row: Any = made
        self.width = {"Unary": 1, "Binary": 2}.get(kind, 3)

    def readings(self) -> dict[str, Callable[[], list[Any]]]:
        """Return ways to read the row, each of which gives the value and a partial derivative."""
        row, n, rest = self.row, self.width, [0.5] * (self.width - 1)
        old = Value(0.5), Value(0.5)
        self.value, self.rule = 2.0, 3.0
        recorded = row(old[0], *rest) * 1.0

        def nodes(*operands: Any) -> list[Any]:
            y = row(*operands)
            y.backward()
            return [y.data, next(x for x in operands if isinstance(x, Value)).grad]

        def again() -> list[Any]:
            y = replay(recorded, {old[0]: old[1]})
            old[1].grad = 0.0
            y.backward()
            return [y.data, old[1].grad]

        def graph() -> list[Any]:
            x = Value(0.5)
            y = row(x, *rest)
            return [y.data, gradients(y, [x])[0].data]

        return {
            "floats": lambda: [row(0.5, *rest), *row.partials([0.5] * n, 2.0, [0])],
            "nodes": lambda: nodes(*[Value(0.5) for _ in range(n)]),
            "constants": lambda: nodes(Value(0.5), *rest),
            "reflected": lambda: nodes(*rest, Value(0.5)),
            "forward": lambda: [*jvp(lambda x: row(x, *rest), [0.5], [1.0])],
            "graph of the gradient": graph,
            "replay": again,
        }


kinds = pytest.mark.parametrize("kind", ["Unary", "Binary", "Nary"])
GOOD = [np.float32(0.1), np.float64(0.3), np.float16(0.1), 3, True, Fraction(1, 3), np.int8(3), np.bool_(True), np.array(2.0)]
BAD = ["neg", None, [1.0], (1.0,), 1j, object(), b"1", {}, np.zeros(2), np.array("text"), math.sin]


@kinds
@pytest.mark.parametrize("part", ["value", "rule"])
@pytest.mark.parametrize("bad", BAD, ids=lambda x: type(x).__name__)
def test_results_that_are_not_numbers_are_refused_at_every_call(kind: str, part: str, bad: object) -> None:
    for name in Parts(kind).readings():
        for calls in range(4):
            parts = Parts(kind)
            read = parts.readings()[name]
            for _ in range(calls):
                assert read() == [2.0, 3.0]
            setattr(parts, part, bad)
            with pytest.raises((TypeError, ValueError)) as caught:
                read()
            assert "'odd'" in str(caught.value), (name, calls, caught.value)
            setattr(parts, part, {"value": 2.0, "rule": 3.0}[part])
            assert read() == [2.0, 3.0]  # and one bad call spoils nothing


@kinds
@pytest.mark.parametrize("good", GOOD, ids=lambda x: type(x).__name__)
def test_real_numbers_become_floats_at_every_call(kind: str, good: Any) -> None:
    parts = Parts(kind)
    for name, read in parts.readings().items():
        parts.value = parts.rule = good
        for _ in range(3):
            found = read()
            assert found == [float(good)] * 2 and all(type(x) is float for x in found), name


@kinds
def test_a_row_that_returns_a_node_is_refused(kind: str) -> None:
    parts = Parts(kind)
    read = parts.readings()
    parts.value = Value(1.0)
    for name in ("floats", "nodes", "forward"):
        for _ in range(3):
            with pytest.raises(TypeError, match="the function of the row 'odd' returned Value"):
                read[name]()


# Errors


def test_an_overflow_is_infinite_only_if_the_row_gives_its_sign() -> None:
    bare = Unary("mysinh", math.sinh, lambda x, out: cosh(x))
    for _ in range(3):
        for call in (lambda: bare(Value(-1000.0, label="w")), lambda: bare(-1000.0), lambda: jvp(bare, [-1000.0], [1.0])):
            with pytest.raises(DomainError, match=r"mysinh\(-1000\.0\) overflows; give the row overflow="):
                call()
    signed = replace(bare, overflow=lambda x: math.copysign(inf, x))
    for x in (-1000.0, 1000.0):
        assert signed(Value(x)).data == signed(x) == jvp(signed, [x], [1.0])[0] == math.copysign(inf, x)
    failing = replace(bare, overflow=lambda x: 1 / (x - x))
    with pytest.raises(DomainError, match=r"the overflow of the row 'mysinh' raised ZeroDivisionError at mysinh\(1000\.0\)"):
        failing(Value(1000.0))
    assert primitives.sinh(-1000) == -inf and primitives.power(-10.0, 401) == -inf and (2.0 ** Value(2000.0)).data == inf


@pytest.mark.parametrize(
    ("row", "point", "words"),
    [
        (Unary("upright", math.sqrt, lambda x, out: 0.5 / out), [0.0], "∂upright/∂x of the row 'upright' raised ZeroDivision"),
        (Unary("far", math.atan, lambda x, out: math.exp(x)), [1000.0], "∂far/∂x of the row 'far' raised OverflowError"),
        (Unary("rooted", math.atan, lambda x, out: math.sqrt(x)), [-1.0], "∂rooted/∂x of the row 'rooted' raised ValueError"),
        (
            Binary("angle", math.atan2, lambda x, y, out: y / (x * x + y * y), lambda x, y, out: -x / (x * x + y * y)),
            [0.0, 0.0],
            "∂angle/∂x of the row 'angle' raised ZeroDivisionError",
        ),
        (
            Nary("mean_log", lambda *v: math.fsum(v), lambda v, out: [1 / x for x in v], lambda *v: v),
            [0.0, 1.0],
            "the gradient of the row 'mean_log' raised ZeroDivisionError",
        ),
    ],
)
def test_a_rule_that_raises_is_named_with_its_operands(row: Any, point: list[float], words: str) -> None:
    spelled = row.spell([repr(x) for x in point])
    for _ in range(3):
        with pytest.raises(DomainError) as caught:
            row(*[Value(x, label="w") for x in point])
        message = str(caught.value)
        assert words in message and f"at {spelled}" in message and f"w = {point[0]}" in message
        assert isinstance(caught.value.__cause__, DomainError) and isinstance(
            caught.value.__cause__.__cause__, ArithmeticError | ValueError
        )
    with pytest.raises(DomainError, match=re.escape(words)):
        row.partials(point, row(*point), [0])
    with pytest.raises(DomainError, match=re.escape(words)):
        jvp(row, point, [1.0] * len(point))
    assert isinstance(row(*point), float)  # the value itself is defined


def test_a_function_that_raises_is_named_with_its_operands() -> None:
    row = Unary("picky", lambda x: math.sqrt(x - 3), lambda x, out: 0.5 / out, domain="x ≥ 3")
    for _ in range(3):
        with pytest.raises(DomainError, match=r"picky\(2\.0\) is undefined: picky needs x ≥ 3; the operand is w = 2\.0"):
            row(Value(2.0, label="w"))
    assert row(Value(4.0)).data == 1.0 and issubclass(DomainError, ValueError) and issubclass(DomainError, ZeroDivisionError)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: {float: x * x}[type(x)],  # KeyError for other types
        lambda x: [x * x][int(not isinstance(x, float))],  # IndexError
        lambda x: float.fromhex(x.hex()) ** 2,  # AttributeError
        lambda x: math.pow(x, 2),  # TypeError
    ],
)
def test_functions_that_take_only_numbers(function: Callable[[Any], Any]) -> None:
    row = Unary("numeric", function, lambda x, out: 2 * x)
    for _ in range(3):
        leaf = Value(3.0)
        y = row(leaf)
        y.backward()
        assert (y.data, leaf.grad, row(3.0)) == (9.0, 6.0, 9.0) and jvp(row, [3.0], [1.0]) == (9.0, 6.0)
        assert "numeric(" in str(walk(y)) and str(row.__doc__).startswith("numeric(x)")
        assert gradcheck(row, 3.0, order=2) and gradcheck(y)
    check_primitive(row, arrays=False, examples=3)
    with pytest.raises(AssertionError, match="numeric cannot be read on arrays"):
        check_primitive(row, examples=3)


def test_any_callable_is_a_rule() -> None:
    row = Unary("scaled", functools.partial(operator.mul, 2.0), functools.partial(lambda k, x, out: k, 2.0))
    for x in (Value(3.0), Value(4.0)):
        y = row(x)
        y.backward()
        assert (y.data, x.grad) == (2.0 * x.data, 2.0)


@pytest.mark.parametrize("part", ["function", "rule"])
def test_other_errors_of_a_row_get_a_note_at_every_call(part: str) -> None:
    def fails(x: float, out: float = 0.0) -> float:
        return {0.5: 2.0}[x]

    row = Unary("looked_up", fails if part == "function" else math.atan, fails if part == "rule" else lambda x, out: 1.0)
    for _ in range(3):
        for call in (lambda: row(Value(3.0)), lambda: jvp(row, [3.0], [1.0])):
            with pytest.raises(KeyError) as caught:
                call()
            [note] = caught.value.__notes__
            assert "'looked_up'" in note and part in note
        assert row(Value(0.5)).primitive is row


def broken(x: float) -> float:
    """Return √x, and fail above 5."""
    if x > 5:
        raise KeyError("boom")
    return math.sqrt(x)


def test_tracebacks_show_the_lines_of_recording_functions() -> None:
    row = Unary("broken", broken, lambda x, out: 0.5 / out)
    row(Value(4.0))
    assert row(Value(4.0)).data == 2.0  # now by the function that was made for it
    with pytest.raises(KeyError) as caught:
        row(Value(9.0))
    text = "".join(traceback.format_exception(caught.value))
    assert re.search(r'File "<autograd: broken.*", line \d+, in recorded\n +out = ', text) and 'raise KeyError("boom")' in text


def multiple(factor: float) -> Unary:
    """Return a row with the same name for every factor."""
    return Unary("multiple", lambda x: factor * x, lambda x, out: factor + 0 * x)


def test_rows_of_the_same_name_keep_their_own_lines() -> None:
    for factor in (2.0, 3.0, 4.0):  # each has its own source file
        row = multiple(factor)
        assert row(Value(1.0)).data == row(Value(1.0)).data == factor
    files = [name for name in linecache.cache if name.startswith("<autograd: multiple")]
    assert files == ["<autograd: multiple>", "<autograd: multiple 2>", "<autograd: multiple 3>"]


def test_every_part_of_a_row_returns_a_float_whatever_number_its_function_returns() -> None:
    row = Unary("whole", math.floor, lambda x, out: True, overflow=lambda x: 1)
    for number in (row.evaluate([2.5]), row.partials([2.5], 2.0, [0])[0]):
        assert type(number) is float
    text: Any = Unary("text", lambda x: str(x), lambda x, out: str(x))
    for part in (text.evaluate, lambda operands: text.partials(operands, 2.0, [0])):
        with pytest.raises(TypeError, match=r"of the row 'text' returned '2\.5'; it must return a number"):
            part([2.5])


def test_recording_functions_show_their_source() -> None:
    methods = {name: inspect.unwrap(method) for name, method in vars(Value).items() if inspect.isfunction(method)}
    names = {name for name, method in methods.items() if "autograd:" in method.__code__.co_filename}
    assert {"tanh", "__add__", "__radd__", "__floor__", "__lt__", "relu", "erf"} <= names and len(names) > 40
    for name in names:
        lines, first = inspect.getsourcelines(getattr(Value, name))
        assert lines[0].strip().startswith("def re") and first > 0, name
        method = methods[name]
        assert method.__code__.co_filename in linecache.cache and method.__qualname__.startswith("Value.")
    assert "dx = 1.0 - out * out\n" in inspect.getsource(Value.tanh)
    linecache.checkcache()  # as a debugger does
    assert "dx = 1.0 - out * out" in inspect.getsource(Value.tanh)


# Manual pages, signatures


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_manual_pages(row: Primitive) -> None:
    page = str(row.__doc__)
    assert page.startswith(row.usage) and "value" in page and "∂/∂" in page
    assert (row.domain in page) and page.count("by convention") == len(row.singular)
    examples = doctest.DocTestParser().get_doctest(page, {row.name: row}, row.name, None, None)
    failed, tried = doctest.DocTestRunner(verbose=False).run(examples)
    assert (failed, tried) == (0, 1)
    assert row.usage in pydoc.plain(pydoc.render_doc(row))


@pytest.mark.parametrize(
    ("function", "example"),
    [
        (math.log, "f(0.5)"), (math.acosh, "f(2.0)"), (lambda x: math.log(-x), "f(-0.5)"), (lambda x: 1 / (x - 0.5), "f(2.0)"),
        (lambda x: math.inf if x > 0 else x, "f(-0.5)"), (lambda x: math.log(-9 - x), ""),
        (lambda x: {2.0: 4.0}[x], "f(2.0)"),
    ],
)  # fmt: skip
def test_the_example_of_a_manual_page_has_a_value(function: Callable[[float], float], example: str) -> None:
    page = str(Unary("f", function, lambda x, out: 1.0).__doc__)
    assert f">>> {example}" in page if example else ">>>" not in page


def test_a_manual_page_has_the_rules_that_can_be_written() -> None:
    page = str(
        Binary("scaled", lambda x, y: x * y, lambda x, y, out: float.fromhex(y.hex()), lambda x, y, out: out / y).__doc__
    )
    assert "∂/∂x   a function of numbers" in page and "∂/∂y   out / y" in page


def test_signatures_show_how_rows_are_called() -> None:
    assert str(inspect.signature(tanh)) == "(x)" and str(inspect.signature(primitives.maximum)) == "(x, y, *more)"
    assert str(inspect.signature(primitives.leaky_relu)) == "(x, y=0.01)"
    assert primitives.dot.usage == "dot(weights, inputs, bias=None)" and primitives.where.usage == "where(condition, a, b)"
    swish = Unary("swish", lambda x: x, lambda x, out: 1)
    half = Unary("half", lambda x: x / 2, lambda x, out: 0.5, default=3.0)
    assert half.usage == "half(x=3.0)" and half() == half(3.0) == 1.5
    assert swish.usage == "swish(x)" and "∂/∂x   1" in str(swish.__doc__)
    assert "A row ``f(x)``" in str(Unary.__doc__) and "One row of the table" in str(Primitive.__doc__)


def test_type_checkers_know_the_type_of_a_result() -> None:
    assert isinstance(assert_type(tanh(Value(0.5)), Value), Value) and isinstance(assert_type(tanh(1.0), float), float)


# Names


NAMES = ["lambda", "record", "node", "row", "new", "Value", "out", "x", "y", "number", "self", "other", "inf", "nan", "None",
         "def", "REFUSED", "my row", "tanh", "partial_x", "recorded", "reflected", "∂", "1a", "a-b", "{0}", ""]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_row_may_have_any_name(name: str) -> None:
    one = Unary(name, math.tan, lambda x, out: 1 + out * out)
    two = Binary(name, math.fmod, lambda x, y, out: 1.0, lambda x, y, out: -float(int(x / y)))
    many = Nary(name, lambda *v: math.fsum(v), lambda v, out: [1.0] * len(v), lambda *v: v)
    both = Unary("both", lambda x: one(one(x)) + sin(x), lambda x, out: (1 + one(x) ** 2) * (1 + one(one(x)) ** 2) + cos(x))
    for _ in range(3):
        x, y = Value(0.5), Value(5.5)
        one(x).backward()
        assert x.grad == 1 + math.tan(0.5) ** 2
        last = two(y, 2) + two(7.0, y) + many(y, 1.0, x)
        last.backward()
        assert (y.grad, last.data) == (1.0 - 1.0 + 1.0, 1.5 + 1.5 + 7.0)
        x = Value(0.3)
        both(x).backward()
        assert x.grad == pytest.approx(jvp(lambda x: one(one(x)) + sin(x), [0.3], [1.0])[1])
        assert str(walk(both(x) * one(x) + two(y, 2)))
    check_primitive(both, st.tuples(st.sampled_from([0.1, 0.2, 0.3])), examples=1, arrays=False)


def test_rows_of_the_same_name_are_distinct() -> None:
    def times(k: float) -> Unary:
        return Unary("twin", lambda x: k * x, lambda x, out: k)

    rows = [times(2.0), times(3.0), times(5.0)]
    for _ in range(3):
        x = Value(1.0)
        y = rows[0](rows[1](rows[2](x)))
        y.backward()
        assert y.data == x.grad == 30.0


# Copies


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_of_the_table_are_never_duplicated(row: Primitive) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(row, protocol)) is row
    assert copy.copy(row) is row and copy.deepcopy({"a": [row]})["a"][0] is row and hash(row) == hash(row)
    with pytest.raises(TypeError, match="not in autograd's table"):
        pickle.dumps(replace(row))  # the same name, another row


# where, with functions as branches


def recorded(calls: list[str]) -> tuple[Callable[[], float], Callable[[], float]]:
    def first() -> float:
        calls.append("a")
        return 1.0

    def second() -> float:
        calls.append("b")
        return 2.0

    return first, second


CONDITIONS: list[tuple[Any, str]] = [
    (True, "a"), (False, "b"), (1, "a"), (0.0, "b"), (math.nan, "a"), (Fraction(1, 2), "a"),
    (np.float64(0), "b"), (np.float32(1), "a"), (np.bool_(1), "a"), (np.int64(0), "b"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "branch"), CONDITIONS, ids=lambda x: repr(x))
def test_only_the_branch_that_is_taken_is_called(condition: Any, branch: str) -> None:
    calls: list[str] = []
    assert where(condition, *recorded(calls)) == {"a": 1.0, "b": 2.0}[branch] and calls == [branch]
    calls.clear()
    assert where(Value(condition), *recorded(calls)).data == {"a": 1.0, "b": 2.0}[branch] and calls == [branch]


def test_functions_as_branches_in_every_reading() -> None:
    calls: list[str] = []
    x = Value(4.0)
    y = where(x > 0, lambda: x**0.5, lambda: 1 / 0)
    y.backward()
    assert (y.data, x.grad, y.taken) == (2.0, 0.25, (False, True)) and math.isnan(y.operands[2])
    assert (x > 0).where(lambda: 1.0, lambda: 1 / 0).data == 1.0 and gradients(y, [x])[0].data == 0.25
    assert jvp(lambda x: where(x > 0, lambda: x**0.5, lambda: -x), [4.0], [1.0]) == (2.0, 0.25)
    assert jvp(lambda x: where(x > 0, lambda: x**0.5, lambda: -x), [-4.0], [1.0]) == (4.0, -1.0)
    choice, w = where(x > 0, lambda: 2 * x, lambda: 1 / 0), Value(3.0)
    other = where(x > 0, lambda: x, lambda: w * x) + w  # the slope with respect to w is 1; the other branch would make it 1 + x
    functions = [lambda t: t * t + where(t > 0, lambda: 3.0, lambda: 1 / t)]  # the slope 2·t contains no choice
    functions.append(lambda t: jvp(functions[0], (t,), (t,))[1])
    slopes = [jvp(f, (x,), (1.0,))[1] for f in functions]
    for graph in (choice, *gradients(choice, [x]), where(x > 0, x, choice), *gradients(other, [x, w]), *slopes):
        with pytest.raises(ValueError, match=r"where\(1.0, .*, nan\) = .* now takes a branch that was not called"):
            replay(graph, {x: -1.0})
    second = where(x > 9, lambda: 1 / 0, lambda: 2 * x)
    for graph in (second, *gradients(second, [x])):
        with pytest.raises(ValueError, match=r"where\(0.0, nan, .*\) = .* now takes a branch that was not called"):
            replay(graph, {x: 10.0})
    assert jvp(lambda t: replay(choice, {x: t}), [3.0], [1.0]) == (6.0, 2.0)
    formula = where(Symbol("c"), *recorded(calls))
    assert calls == ["a", "b"] and formula.text == "where(c, 1, 2)"
    calls.clear()
    program = compile(lambda x: where(x > 0, lambda: x, lambda: 2 * x), example=[1.0], backend="numpy")
    assert [*program([3.0, -3.0])] == [3.0, -6.0]
    assert np.array_equal(where(np.array([True, False]), lambda: 1.0, lambda: 2.0), [1.0, 2.0])
    with pytest.raises(TypeError, match="'text' is a str"):
        where(Value(1.0) > 0, lambda: "text", 2.0)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        where(Value(1.0) > 0, lambda x: x, 2.0)


# The property test of a row


def test_a_wrong_rule_is_reported_before_anything_about_arrays() -> None:
    wrong = Unary("wrong", math.atan, lambda x, out: 2 / (1 + x * x))  # math.atan takes no arrays
    with pytest.raises(AssertionError, match="the local derivative ∂wrong/∂x is wrong"):
        check_primitive(wrong)
    with pytest.raises(AssertionError, match="wrong cannot be read on arrays"):
        check_primitive(replace(wrong, partial=lambda x, out: 1 / (1 + x * x)))


def test_points_where_neither_a_function_nor_its_rule_is_smooth_are_skipped() -> None:
    at_zero = Binary("angle", math.atan2, lambda x, y, out: y / (x * x + y * y), lambda x, y, out: -x / (x * x + y * y))
    points = st.sampled_from([(0.0, 0.0), (1.0, 2.0), (-2.0, 0.5)])
    check_primitive(at_zero, points, arrays=False, examples=10)
    check_primitive(at_zero, arrays=False, examples=10)
    nowhere = Unary("nowhere", math.atan, lambda x, out: 1 / (x - x))
    with pytest.raises(AssertionError, match="the rule has no finite value at x = 0, where the function is smooth"):
        check_primitive(nowhere, st.tuples(st.floats(-2, 2)), arrays=False, examples=5)
    overflowing = Unary("overflowing", math.exp, lambda x, out: exp(x), overflow=lambda x: inf)
    check_primitive(overflowing, st.tuples(st.sampled_from([1.0, 2.0, 1000.0])), arrays=False, examples=5)
