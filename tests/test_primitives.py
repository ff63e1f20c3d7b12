"""The table: every row against numeric derivatives, at its singular points, and on plain numbers and arrays."""

import importlib
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Value, grad, jvp, primitives
from autograd.arithmetic import special
from autograd.primitives import Binary, DomainError, Nary, Primitive, Unary, dot, exp, log, power, sigmoid, tanh
from autograd.reals import number
from autograd.strategies import ROWS, widths
from autograd.wellformed import SIGNS
from autograd.writing import LEVELS

mpmath = importlib.import_module("mpmath")  # it has no types

POINTS = [-2.5, -1.5, -0.75, -0.25, 0.125, 0.25, 0.5, 0.875, 1.5, 2.5, 3.5]  # 11, a prime: see `sample`
NAMES = [row.name for row in ROWS]


def sample(row: Primitive) -> list[list[float]]:
    """Return operands at which the row has a value and is smooth; each operand goes through all points, in its own order."""
    count = widths(row)[0]
    tuples = [[POINTS[(i * (2 * j + 1) + j) % len(POINTS)] for j in range(count)] for i in range(len(POINTS))]
    inside = []
    for operands in tuples:
        try:
            row.evaluate(operands)
        except DomainError:
            continue
        if row.kink is None or row.kink(*operands) != 0:
            inside.append(operands)
    return inside


def numeric(row: Primitive, operands: list[float], i: int) -> float:
    """Return ∂out/∂operand i by central differences, with an error of about 1e-10."""

    def value(step: float) -> float:
        moved = list(operands)
        moved[i] += step
        return float(row.evaluate(moved))

    h = 1e-4
    return (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_partials_are_the_derivatives_of_the_function(row: Primitive) -> None:
    points = sample(row)
    assert len(points) >= 3
    for operands in points:
        out = row.evaluate(operands)
        which = [i for i in range(len(operands)) if not (row.is_choice and i == 0)]
        if row is power and operands[0] < 0:
            which = [0]  # a negative base has no power at neighbouring exponents
        for i, partial in zip(which, row.partials(operands, out, which), strict=True):
            assert partial == pytest.approx(numeric(row, operands, i), rel=1e-7, abs=1e-8), (operands, i)


@pytest.mark.parametrize("row", [row for row in ROWS if row.singular], ids=lambda row: row.name)
def test_singular_points_have_the_chosen_values(row: Primitive) -> None:
    for point, chosen in row.singular.items():
        out = row.evaluate(point)
        found = [float(p) for p in row.partials(point, out, range(len(point)))]
        assert repr(found) == repr([*chosen]), point  # as text, NaN equals NaN


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_nan_passes_through(row: Primitive) -> None:
    count = widths(row)[0]
    operands = [math.nan] + [0.5] * (count - 1)
    if row.is_condition or row.is_choice:
        return  # a comparison with NaN is false
    assert math.isnan(row.evaluate(operands))


def test_rows_are_named_as_in_the_module() -> None:
    assert all(getattr(primitives, row.name) is row for row in ROWS)
    assert set(NAMES) <= set(primitives.__all__)


# A quick check of some rows; test_accuracy compares the values and derivatives of all rows with mpmath.
@pytest.mark.parametrize(
    ("row", "name"),
    [(getattr(primitives, name), name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "erf")]
    + [(primitives.arcsin, "asin"), (primitives.arccosh, "acosh"), (primitives.arctanh, "atanh"), (primitives.log10, "log10")],
)
def test_values_agree_with_fifty_digits(row: Unary, name: str) -> None:
    with mpmath.workdps(50):
        for [x] in sample(row):
            assert row(x) == pytest.approx(float(getattr(mpmath, name)(x)), rel=4e-16)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lambda: exp(1000), math.inf),
        (lambda: primitives.expm1(1000), math.inf),
        (lambda: tanh(1000), 1.0),
        (lambda: sigmoid(1000), 1.0),
        (lambda: sigmoid(-1000), 0.0),
        (lambda: primitives.softplus(1000), 1000.0),
        (lambda: primitives.softplus(-1000), 0.0),
        (lambda: primitives.logsumexp([1000, 1000]), 1000 + math.log(2)),
        (lambda: primitives.logsumexp([-math.inf, -math.inf]), -math.inf),
        (lambda: power(1e200, 2), math.inf),
        (lambda: power(-1e200, 3), -math.inf),
        (lambda: power(power(9, 9), 9**9), math.inf),
        (lambda: primitives.relu(-0.5), 0.0),
        (lambda: primitives.leaky_relu(-2), -0.02),
        (lambda: primitives.leaky_relu(-2, 0.5), -1.0),
        (lambda: primitives.step(0), 1.0),
        (lambda: primitives.maximum(2, 3), 3.0),
        (lambda: primitives.where(True, 1, 2), 1.0),
        (lambda: primitives.total([]), 0.0),
        (lambda: primitives.total(x for x in (1, 2, 3)), 6.0),
        (lambda: dot([1, 2], [3, 4]), 11.0),
        (lambda: dot([1, 2], [3, 4], 5), 16.0),
        (lambda: primitives.greater(2, 1), True),
        (lambda: primitives.add(Fraction(1, 2), np.int64(3)), 3.5),
        (lambda: primitives.maximum(2, 3, 1), 3.0),
        (lambda: primitives.minimum(2, 3, 1, -5), -5.0),
        (lambda: primitives.prod([2, 3, 4]), 24.0),
        (lambda: primitives.prod([]), 1.0),
        (lambda: primitives.sinh(-1000), -math.inf),
        (lambda: primitives.cosh(-1000), math.inf),
        (lambda: primitives.exp2(2000), math.inf),
        (lambda: primitives.hypot(1e300, 1e300), 1e300 * math.sqrt(2)),
        (lambda: primitives.arctan2(1, -1), 3 * math.pi / 4),
        (lambda: primitives.floor_divide(-7, 2), -4.0),
        (lambda: primitives.remainder(-7, 2), 1.0),
        (lambda: primitives.floor(-0.5), -1.0),
        (lambda: primitives.ceil(-0.5), 0.0),
        (lambda: primitives.logsumexp([math.inf, 0]), math.inf),
    ],
)
def test_rows_work_on_plain_numbers(value: Callable[[], float], expected: float) -> None:
    assert value() == pytest.approx(expected)


def test_rows_work_on_arrays() -> None:
    for row in ROWS:
        points = [operands for operands in sample(row) if not row.name.startswith("logsumexp")]
        if points:
            columns = [np.array(column) for column in zip(*points, strict=True)]
            out = row.apply(columns)
            assert np.allclose(out, [float(row.evaluate(operands)) for operands in points], rtol=1e-14), row.name


def test_whole_numbers_in_arrays_become_floats() -> None:
    assert primitives.square(np.array([2**40])).tolist() == [2.0**80] and power(np.array([10]), 20).tolist() == [1e20]
    assert primitives.total([np.array([2**62]), np.array([2**62])]).tolist() == [2.0**63]
    ones, single = np.array([True, True]), np.ones(2, np.float32)
    assert primitives.total([ones, ones, single]).tolist() == [3.0, 3.0] and primitives.negative(ones).tolist() == [-1.0, -1.0]
    assert primitives.total([ones, single]).dtype == np.float32
    assert primitives.where(ones, single, 3).tolist() == [1, 1]
    assert primitives.less(np.array([1, 2]), 1.5).tolist() == [True, False]


@pytest.mark.parametrize("bad", ["neg", None, [1.0], 1j, np.array([1j]), np.array(["1"]), np.array([1], "m8[s]")])
def test_results_that_are_not_numbers_are_refused_on_arrays(bad: Any) -> None:
    odd = Unary("odd", lambda x: bad, lambda x, out: 1.0)
    with pytest.raises(TypeError, match=r"the function of the row 'odd' returned .* on arrays; it must return numbers"):
        odd(np.array([1.0]))
    assert Unary("constant", lambda x: 2, lambda x, out: 0.0)(np.array([1.0])) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: log(-2), r"log\(-2\.0\) is undefined: log needs x > 0"),
        (lambda: log(0), "log needs x > 0"),
        (lambda: primitives.divide(1, 0), r"1\.0 / 0\.0 is undefined: divide needs y ≠ 0"),
        (lambda: power(-8, 0.5), r"\(-8\.0\) \*\* 0\.5 is undefined"),
        (lambda: power(0, -1), "is undefined"),
        (lambda: primitives.sin(math.inf), "a finite x"),
        (lambda: primitives.arccosh(0.5), "arccosh needs x ≥ 1"),
        (lambda: primitives.arctanh(1), "arctanh needs -1 < x < 1"),
        (lambda: primitives.arcsin(-1.5), "arcsin needs -1 ≤ x ≤ 1"),
        (lambda: primitives.floor_divide(1, 0), r"1\.0 // 0\.0 is undefined: floor_divide needs y ≠ 0"),
        (lambda: primitives.remainder(1, 0), r"1\.0 % 0\.0 is undefined: remainder needs y ≠ 0"),
    ],
)
def test_outside_the_domain(call: Callable[[], object], message: str) -> None:
    with pytest.raises(DomainError, match=message):
        call()


untyped: Any = tanh


@pytest.mark.parametrize("x", ["3", None, 1j, [1], (1,), {}, b"1"])
def test_what_is_not_a_number_is_refused(x: object) -> None:
    with pytest.raises(TypeError, match="pass a real number"):
        tanh(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: untyped(x, x), "tanh is called as tanh(x); got tanh(Value, Value)"),
        (lambda x: tanh(), "tanh is called as tanh(x); got tanh()"),
        (lambda x: primitives.maximum(x), "maximum is called as maximum(x, y, *more); got maximum(Value)"),
        (lambda x: primitives.maximum([x, x]), "maximum is called as maximum(x, y, *more); got maximum(list)"),
        (lambda x: primitives.divide(1, 2, 3), "divide is called as divide(x, y); got divide(int, int, int)"),
        (lambda x: primitives.leaky_relu(x, 1, 2), "leaky_relu(x, y=0.01); got leaky_relu(Value, int, int)"),
        (lambda x: primitives.where(x > 0, 1), "where is called as where(condition, a, b); got where(Value, int)"),
        (lambda x: primitives.logsumexp(x, x), "logsumexp is called as logsumexp(operands); got logsumexp(Value, Value)"),
        (lambda x: primitives.total(x), "total is called as total(operands); got total(Value)"),
        (lambda x: primitives.prod(x, x), "prod is called as prod(operands); got prod(Value, Value)"),
        (lambda x: dot(x, x), "is called as dot(weights, inputs, bias=None); got dot(Value, Value)"),
        (lambda x: primitives.total(float(y) for y in [x]), "would drop its graph"),  # the fault is in the generator
    ],
)
def test_a_wrong_call_is_refused_with_the_right_one(call: Callable[[Value], object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        call(Value(1.0))


def test_a_wrong_number_of_arguments_is_refused_with_nothing_but_the_right_call() -> None:
    for arguments in ((1.0, 2.0), (1.0, 2.0, 3.0, 4.0)):
        with pytest.raises(TypeError, match=r"^where is called as where\(condition, a, b\); got where\((float, )+float\)$"):
            primitives.where(*arguments)


def test_only_an_array_without_dimensions_is_a_number() -> None:
    class Column:
        """Two numbers, without an array namespace."""

        shape = (2,)

    assert [(type(x), x) for x in (primitives.square(np.array(1.5)), primitives.add(1, np.float32(0.5)))] == [
        (float, 2.25), (float, 1.5),
    ]  # fmt: skip
    column: Any = Column()
    with pytest.raises(TypeError, match=r"an array of shape \(2,\) is not a scalar"):
        primitives.square(column)
    assert type(primitives.square(np.array([1.5]))) is np.ndarray


# For rows that mypy would reject.
unary: Any = Unary
binary: Any = Binary
nary: Any = Nary


def nothing(x: Any, out: Any) -> None:
    """A rule that forgets its return."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: unary("bad", "f", lambda x, out: 1), "the function of the row 'bad' must be a function of (x); got 'f'"),
        (lambda: unary("bad", math.sin, 1), "the rule ∂bad/∂x of the row 'bad' must be a function of (x, out); got 1"),
        (lambda: unary("bad", math.pow, nothing), "the function of the row 'bad' is called with (x), but it takes (x, y"),
        (lambda: unary("bad", math.sin, lambda x: 1), "∂bad/∂x of the row 'bad' is called with (x, out), but it takes (x)"),
        (lambda: binary("bad", math.pow, lambda x, y, out: 1, nothing), "∂bad/∂y of the row 'bad' is called with (x, y, out)"),
        (lambda: nary("bad", max, lambda v: 1, tuple), "the gradient of the row 'bad' is called with (operands, out)"),
    ],
)
def test_user_defined_rows_are_checked_when_they_are_made(make: Callable[[], Primitive], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"infix": "^"}, "the infix of the row 'bad' is '^'; it may be +, -, *, /,"),
        ({"text": "{2}"}, "the text of the row 'bad' is '{2}'; it may contain {0}, {1} for operands; double other braces"),
        ({"text": "{x}"}, "the text of the row 'bad' is '{x}'"),
        ({"text": "{}"}, "the text of the row 'bad' is '{}'"),
        ({"latex": r"\frac{x}{y}"}, "the latex of the row 'bad' is "),
        ({"code": "{0"}, "the code of the row 'bad' is '{0'"),
        ({"text": 3}, "the text of the row 'bad' must be text; got 3"),
        ({"domain": None}, "the domain of the row 'bad' must be text; got None"),
        ({"kink": 3}, "the kink of the row 'bad' must be a function of (x, y); got 3"),
        ({"kink": math.sin}, "the kink of the row 'bad' is called with (x, y), but it takes (x"),
        ({"unguarded": "f"}, "the unguarded of the row 'bad' must be a function of (x, y); got 'f'"),
        ({"singular": {(0.0,): (1.0,)}}, "is {(0.0,): (1.0,)}; it maps points to slopes, both tuples with an"),
        ({"singular": {(0.0, 0.0): (1.0,)}}, "tuples with an entry for each operand, such as {(0.0,): (1.0,)}"),
        ({"singular": {0.0: 1.0}}, "the singular of the row 'bad' is {0.0: 1.0}"),
        ({"singular": [(0.0, 0.0)]}, "the singular of the row 'bad' is [(0.0, 0.0)]"),
    ],
)
def test_every_part_of_a_row_is_checked_when_it_is_made(parts: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        binary("bad", math.pow, lambda x, y, out: 1, lambda x, y, out: 1, **parts)


def test_the_signs_that_rows_may_have_are_those_that_formulas_are_written_with() -> None:
    assert {*SIGNS[2]} == {*LEVELS} and {row.infix for row in ROWS if row.infix} == {*LEVELS}


def test_the_signs_of_rows_with_one_operand_and_with_many() -> None:
    with pytest.raises(
        ValueError, match=re.escape("the infix of the row 'bad' is '!'; it may be +, -; write others as text='!{0}'")
    ):
        unary("bad", math.sin, lambda x, out: 1, infix="!")
    with pytest.raises(ValueError, match=re.escape("the infix of the row 'bad' is '+'; a row of many operands has none;")):
        nary("bad", max, lambda v, out: v, tuple, infix="+")
    with pytest.raises(ValueError, match=re.escape("'{x}'; it may contain {0}, {1}, {2}, … for operands; double")):
        nary("bad", max, lambda v, out: v, tuple, text="{x}")
    nary("good", max, lambda v, out: v, tuple, text=r"{{{0}}}, {12}")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (unary("bad", math.sin, lambda x, out: None), "the rule ∂bad/∂x of the row 'bad' returned None"),
        (unary("bad", math.sin, nothing), "the rule ∂bad/∂x of the row 'bad' returned None"),
        (unary("bad", lambda x: "text", lambda x, out: 1), "the function of the row 'bad' returned 'text'"),
        (unary("bad", lambda x: None, lambda x, out: 1), "the function of the row 'bad' returned None"),
        (binary("bad", math.pow, lambda x, y, out: 1, lambda x, y, out: (1,)), "∂bad/∂y of the row 'bad' returned (1,)"),
        (nary("bad", max, lambda v, out: [1], lambda *v: v), "the gradient of the row 'bad' returned [1]; it must return"),
        (nary("bad", max, lambda v, out: None, lambda *v: v), "the gradient of the row 'bad' returned None"),
        (nary("bad", lambda *v: "text", lambda v, out: v, lambda *v: v), "the function of the row 'bad' returned 'text'"),
    ],
)
def test_user_defined_rows_are_checked_when_they_are_read(row: Any, message: str) -> None:
    operands = [Value(0.5) for _ in range(1 if isinstance(row, Unary) else 2)]
    for _ in range(2):  # the second time too
        with pytest.raises(TypeError, match=re.escape(message)):
            row(*operands)
        with pytest.raises(TypeError, match=re.escape(message)):
            jvp(row, [0.5] * len(operands), [1.0] * len(operands))


def test_arguments_of_sums_are_checked() -> None:
    with pytest.raises(ValueError, match="weights: 2, inputs: 1"):
        dot([1, 2], [3])
    with pytest.raises(ValueError, match="at least one"):
        primitives.logsumexp([])


def test_number_takes_the_numeric_tower_and_leaves_unknown_types_alone() -> None:
    assert [number(x) for x in (1, True, 2.5, Fraction(1, 4), np.float32(0.5), np.int8(3), np.bool_(True))] == [
        1.0, 1.0, 2.5, 0.25, 0.5, 3.0, 1.0,
    ]  # fmt: skip
    assert number(object()) is NotImplemented
    with pytest.raises(TypeError, match=r"array of shape \(2,\)"):
        number(np.zeros(2))


def test_rows_are_frozen() -> None:
    with pytest.raises(AttributeError):
        tanh.__setattr__("name", "other")


def test_a_product_of_one_number_has_the_slope_1() -> None:
    assert primitives.prod.partials([3.0], 3.0, [0]) == [1.0]
    assert grad(lambda x: primitives.prod([x]) * 5)(3.0).data == 5.0


@pytest.mark.parametrize("row", [row for row in ROWS if row.kink is not None], ids=lambda row: row.name)
def test_kink_returns_how_far_the_operands_are_from_the_kink(row: Any) -> None:
    assert all(row.kink(*point) == 0.0 for point in row.singular)
    if row.name in ("floor", "ceil", "floor_divide", "remainder"):  # the others jump or turn where the kink changes its sign
        for x, y in ((3.75, 1.0), (-2.25, 1.0), (3.25, 1.5), (-3.25, 1.5), (3.25, -1.5), (0.5, 8.0)):
            if row.arity == 2 or y == 1.0:
                assert abs(row.kink(*[x, y][: row.arity])) == abs(x - y * round(x / y))


def test_a_function_that_numpy_lacks_is_scipys() -> None:
    scipy = importlib.import_module("scipy.special")  # it has no types
    assert special("erf")(np) is scipy.erf and special("expit")(np) is scipy.expit
