"""Every row at zeros, infinities, NaN, denormals, ties and huge numbers: one answer in every reading, or a DomainError."""

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite import everywhere, readings

from autograd import (
    DomainError,
    Primitive,
    Value,
    clip,
    jvp,
    maximum,
    mean,
    minimum,
    primitives,
    replay,
    softmax,
    value_and_grad,
    walk,
)
from autograd.strategies import ROWS, widths
from autograd.symbol import Symbol, as_symbol
from autograd.writing import source

inf, nan = math.inf, math.nan
ONE = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, -5e-324, 1e-310, -1e-310, 0.5, -0.5, 1.5, 2.0, -2.0, 3.0, math.pi,
       math.nextafter(1.0, 0), math.nextafter(1.0, 2), -math.nextafter(1.0, 2), 1e-160, 1e16, -1e16, 710.0, -746.0, 1e154,
       -1e155, 1e300, -1e300, math.nextafter(inf, 0)]  # fmt: skip
TWO = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, -1e-310, 0.5, -2.0, 3.0, 1e16, -1e300]


def points(row: Primitive) -> Iterator[tuple[float, ...]]:
    """Iterate over the special operands of a row: all pairs, and tuples that begin with each pair."""
    for width in widths(row):
        if width == 1:
            yield from ((x,) for x in ONE)
        for i, (x, y) in enumerate(itertools.product(TWO, repeat=2) if width > 1 else ()):
            yield (x, y, *[TWO[(i + 5 * j) % len(TWO)] for j in range(width - 2)])
    yield from row.singular


def inside(row: Primitive) -> Iterator[tuple[tuple[float, ...], float, list[float]]]:
    """Iterate over the points where a row and its rules have values; at the others, one of them raises a DomainError."""
    for data in points(row):
        try:
            out = row.evaluate(data)
            yield data, float(out), [float(x) for x in row.partials(data, out, range(len(data)))]
        except DomainError:
            continue


def same(found: Iterable[Any], expected: Sequence[float], tolerance: float = 0.0) -> bool:
    ours, theirs = [*map(float, found)], [*map(float, expected)]
    return ours == theirs or ours == pytest.approx(theirs, rel=tolerance, abs=tolerance * 1e-300, nan_ok=True)


each = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@each
def test_every_reading_gives_the_same_partial_derivatives(row: Primitive) -> None:
    for data, _, partials in inside(row):
        for reading, found in readings(row, data).items():
            assert same(found, partials), f"{reading} at {data}: {found}, not {partials}"


@each
def test_nodes_have_the_values_of_numbers_and_the_same_domain(row: Primitive) -> None:
    for data in points(row):
        nodes = [Value(x) for x in data]
        try:
            out = row.evaluate(data)
        except DomainError:
            with pytest.raises(DomainError):
                row.apply(nodes)
            continue
        try:
            node = row.apply(nodes)
        except DomainError:
            with pytest.raises(DomainError):
                row.partials(data, out, range(len(data)))
            continue
        assert repr(node.data) == repr(float(out)), data
        for i in range(len(data)):  # and with constants among the operands
            mixed = [nodes[j] if j == i else x for j, x in enumerate(data)]
            assert repr(row.apply(mixed).data) == repr(float(out)), data
        assert str(walk(node)).startswith("forward 1/1: loss = ")


def formulas(row: Primitive, width: int) -> list[Any]:
    """Return the function and the rules of a row, read on symbols."""
    symbols = [Symbol(f"x{i}") for i in range(width)]
    return [row.apply(symbols), *row.partials(symbols, Symbol("out"), range(width))]


@each
def test_generated_source_gives_the_same_numbers(row: Primitive) -> None:
    written = {
        width: [source(as_symbol(formula)) for formula in formulas(row, width)]
        for width in {*widths(row), *map(len, row.singular)}
    }
    for data, out, partials in inside(row):
        scope = {**{f"x{i}": x for i, x in enumerate(data)}, "out": out, "inf": inf, "nan": nan}
        for (text, calls), expected in zip(written[len(data)], [out, *partials], strict=True):
            functions = {name: (lambda *v, called=called: called.evaluate(v)) for name, called in calls.items()}
            try:
                found = float(eval(text, {"__builtins__": {}}, {**scope, **functions}))
            except OverflowError:  # ** of plain floats, which the recording function leaves to `record`
                continue
            assert same([found], [expected]), f"{text} at {data}: {found}, not {expected}"


@each
def test_arrays_give_the_same_numbers(row: Primitive) -> None:
    for data, out, partials in inside(row):
        columns = [np.array([x, x]) for x in data]
        with np.errstate(all="ignore"):
            result = row.apply(columns)
            rules = row.partials(columns, result, range(len(data)))
        for array, expected in zip([result, *rules], [out, *partials], strict=True):
            assert same(np.broadcast_to(array, 2), [expected] * 2, 1e-12), f"{data}: {array}, not {expected}"


# Operators, compared with Python's


def outcome(call: Callable[[], Any]) -> str:
    """Return the bits of a number, or a word if there is none."""
    try:
        found = call()
    except ZeroDivisionError:
        return "undefined"
    return float(getattr(found, "data", found)).hex()


@pytest.mark.parametrize(
    ("operation", "row"), [(operator.floordiv, primitives.floor_divide), (operator.mod, primitives.remainder)]
)
@settings(max_examples=300)
@given(st.floats() | st.sampled_from(TWO), st.floats() | st.sampled_from(TWO))
def test_remainders_and_floors_are_pythons_bit_for_bit(operation: Any, row: Any, x: float, y: float) -> None:
    expected = outcome(lambda: operation(x, y))
    calls: list[Callable[[], Any]] = [
        lambda: row(x, y),
        lambda: operation(Value(x), Value(y)),
        lambda: operation(Value(x), y),
        lambda: operation(x, Value(y)),
        lambda: jvp(lambda a: operation(a, y), [x], [1.0])[0],
        lambda: jvp(lambda b: operation(x, b), [y], [1.0])[0],
        lambda: value_and_grad(operation)(x, y)[0],
        lambda: replay(operation(x_node := Value(3.0), y_node := Value(2.0)), {x_node: x, y_node: y}),
    ]
    assert [outcome(call) for call in calls] == [expected] * len(calls)


@given(st.floats() | st.sampled_from(ONE))
def test_floor_and_ceil_are_pythons(x: float) -> None:
    for rounded, row in ((math.floor, primitives.floor), (math.ceil, primitives.ceil)):
        found = row(x)
        if math.isfinite(x):
            assert found == rounded(x) and rounded(Value(x)).data == found  # type(v).__floor__ serves math.floor
        else:
            assert repr(found) == repr(x) == repr(rounded(Value(x)).data)
        assert isinstance(found, float) and isinstance(rounded(Value(x)), Value)


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=5))
def test_maximum_and_minimum_of_many(numbers: list[float]) -> None:
    for row, best in ((maximum, max), (minimum, min)):
        leaves = [Value(x) for x in numbers]
        assert row(*numbers) == best(numbers) == row(*leaves).data
        gradient = everywhere(lambda *v, row=row: row(*v), numbers)
        assert all(found == gradient["backward"] for found in gradient.values())
        last = max(i for i, x in enumerate(numbers) if x == best(numbers))  # a tie goes to the last
        assert gradient["backward"] == [float(i == last) for i in range(len(numbers))]
    assert math.isnan(maximum(*numbers, nan)) and math.isnan(minimum(nan, *numbers))


def test_operators_on_special_nodes() -> None:
    for x in ONE:
        v = Value(x)
        assert repr(abs(v).data) == repr(abs(x)) and repr((-v).data) == repr(-x) and repr((+v).data) == repr(x)
        for y in TWO:
            for compare in (operator.lt, operator.le, operator.gt, operator.ge):
                assert bool(compare(v, y)) == bool(compare(y, v)) if x != x or y != y else bool(compare(v, y)) == compare(x, y)
            for operation in (operator.add, operator.sub, operator.mul):
                assert repr(operation(v, y).data) == repr(operation(y, Value(x)).data) or operation is operator.sub
                assert repr(operation(v, y).data) == repr(operation(x, y))
    for name in ("round", "math.trunc", "int", "complex", "operator.index"):
        with pytest.raises(TypeError):
            eval(f"{name}(v)", {"v": Value(1.5), "math": math, "operator": operator})


# Functions made of rows


@pytest.mark.parametrize(
    ("f", "point", "value", "gradient"),
    [
        (lambda x, y, z: mean([x, y, z]), (8.2e307, 8.2e307, 8.2e307), 8.2e307, (1 / 3,) * 3),
        (lambda x, y: mean([x, y]), (inf, 1.0), inf, (0.5, 0.5)),
        (lambda x, y: mean([x, y]), (inf, -inf), nan, (0.5, 0.5)),
        (lambda x: mean([x]), (-0.0,), -0.0, (1.0,)),
        (lambda x, y: softmax([x, y])[0], (1000.0, 1000.0), 0.5, (0.25, -0.25)),
        (lambda x, y: softmax([x, y])[0], (-1000.0, 1000.0), 0.0, (0.0, 0.0)),
        (lambda x, y: softmax([x, y])[1], (1e16, 1e16), 0.5, (-0.25, 0.25)),
        (lambda x: softmax([x])[0], (3.0,), 1.0, (0.0,)),
        (lambda x: clip(x, 0, 1), (0.0,), 0.0, (0.0,)),
        (lambda x: clip(x, 0, 1), (1.0,), 1.0, (0.0,)),
        (lambda x: clip(x, 0, 1), (-inf,), 0.0, (0.0,)),
        (lambda x: clip(x, 0, 1), (inf,), 1.0, (0.0,)),
        (lambda x: clip(x, 0, 1), (0.5,), 0.5, (1.0,)),
        (lambda x: clip(x, -inf, inf), (1e300,), 1e300, (1.0,)),
        (lambda x, low, high: clip(x, low, high), (-2.0, -1.0, 1.0), -1.0, (0.0, 1.0, 0.0)),
        (lambda x, low, high: clip(x, low, high), (2.0, -1.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
        (lambda x: clip(x, 0, 1), (nan,), nan, (nan,)),
    ],
)
def test_functions_made_of_rows(f: Callable[..., Any], point: Sequence[float], value: float, gradient: Sequence[float]) -> None:
    assert repr(f(*point) + 0.0) == repr(value + 0.0) and repr(f(*[Value(x) for x in point]).data + 0.0) == repr(value + 0.0)
    for reading, found in everywhere(f, point).items():
        assert same(found, gradient, 1e-12), f"{reading}: {found}, not {gradient}"


def test_softmax_at_infinities_and_its_sum() -> None:
    assert softmax([-inf, 0.0]) == [0.0, 1.0]
    for logits in ([inf, 0.0], [-inf, -inf]):
        assert all(map(math.isnan, softmax(logits))) and all(math.isnan(p.data) for p in softmax([Value(x) for x in logits]))
    assert sum(softmax([1000.0, 1001.0, 999.0])) == pytest.approx(1.0) and all(map(math.isnan, softmax([nan, 1.0])))
    leaves = [Value(x) for x in (1000.0, 1001.0)]
    assert [p.data for p in softmax(leaves)] == softmax([1000.0, 1001.0])
    rows = {step.node.primitive.name for step in walk(softmax(leaves)[0]) if step.node.primitive}
    assert rows == {"logsumexp", "subtract", "exp", "total", "divide"}  # no conditions, which would clutter its picture
    for function in (mean, softmax):
        with pytest.raises(ValueError, match="at least one operand"):
            function([])
        assert function(iter([1.0, 1.0])) in (1.0, [0.5, 0.5])
