"""Accuracy: every row against mpmath with hundreds of digits; accuracy.md lists the largest errors.

The idea: mpmath knows the functions, not their derivatives.  With so many digits, a difference quotient with a step of 2⁻²⁰⁰
equals the derivative to more digits than a float has; so no rule is written a second time here.

To write the table again:

    .venv/bin/python -m tests.test_accuracy
"""

from __future__ import annotations

import functools
import importlib
import itertools
import math
import operator
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from autograd import DomainError, Nary, Primitive, Value, primitives
from autograd.checking.edges import clearance
from autograd.checking.lines import Line
from autograd.strategies import ROWS, widths

mpmath = importlib.import_module("mpmath")  # it has no type hints

TABLE: Final = Path(__file__).with_name("accuracy.md")
DIGITS: Final = 400  # 60 for the step, 300 for the smallest slopes, 40 for the result; more if operands differ in size
EPSILON: Final = sys.float_info.epsilon
SLACK: Final = 16  # how many times the measured error a figure of the table may be: other C libraries round differently


def exponential(x: Any) -> Any:
    """Return eˣ, or, where mpmath would take long, a number that no float distinguishes from it."""
    return mpmath.exp(max(min(x, 10_000), -10_000))


def power(x: Any, y: Any) -> Any:
    """Return xʸ; a root of a negative number is None."""
    if x == 0:
        return mpmath.mpf(0) ** y
    if x < 0 and y != mpmath.floor(y):
        return None
    return (-1 if x < 0 and y % 2 else 1) * exponential(y * mpmath.log(abs(x)))


ORACLE: Final[dict[str, Callable[..., Any]]] = {
    **{name: getattr(mpmath, name) for name in (
        "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sign", "hypot", "floor", "ceil", "erf",
    )},
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "arctan2": mpmath.atan2,
    "arcsinh": lambda x: mpmath.sign(x) * mpmath.asinh(abs(x)), "arccosh": mpmath.acosh, "arctanh": mpmath.atanh,
    "sinh": lambda x: (exponential(x) - exponential(-x)) / 2, "cosh": lambda x: (exponential(x) + exponential(-x)) / 2,
    "exp2": lambda x: exponential(x * mpmath.log(2)), "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log10": lambda x: mpmath.log(x) / mpmath.log(10), "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "square": lambda x: x * x, "floor_divide": lambda x, y: mpmath.floor(x / y),
    "remainder": lambda x, y: x - y * mpmath.floor(x / y), "prod": lambda *v: functools.reduce(operator.mul, v),
    "exp": exponential, "expm1": lambda x: exponential(x) - 1,
    "positive": operator.pos, "negative": operator.neg, "absolute": abs,
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv, "power": power,
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "sigmoid": lambda x: 1 / (1 + exponential(-x)), "softplus": lambda x: max(x, 0) + mpmath.log(1 + exponential(-abs(x))),
    "step": lambda x: x >= 0, "gate": lambda x: x > 0, "relu": lambda x: max(x, 0),
    "prelu": lambda x, y: x if x > 0 else y * x, "leaky_relu": lambda x, y: x if x > 0 else y * x,
    "maximum": max, "minimum": min,
    "where": lambda condition, a, b: a if condition else b,
    "total": lambda *v: sum(v),
    "dot": lambda *v: sum(map(operator.mul, v[: len(v) // 2], v[len(v) // 2 :])) + (v[-1] if len(v) % 2 else 0),
    "logsumexp": lambda *v: max(v) + mpmath.log(sum(exponential(x - max(v)) for x in v)),
}  # fmt: skip

# Where terms cancel, their own rounding already exceeds the ulps of the sum: errors are counted in ulps of the largest term.
LARGEST_TERM: Final[dict[str, Callable[..., float]]] = {
    "total": lambda *v: max(map(abs, v)),
    "dot": lambda *v: max(*(abs(w * x) for w, x in zip(v, v[len(v) // 2 : len(v) // 2 * 2], strict=False)), abs(v[-1])),
    "logsumexp": lambda *v: abs(max(v)),
}

# The allowed errors of a row: of its value, in ulps, and of its derivatives, relative to max(1, |f′|) and in units of ε.
VALUES: Final = 2.0
SLOPES: Final = {"power": math.inf}  # see COSTS

# The errors of the textbook's forms, and of sums: for a value (None) or a derivative with respect to an operand, at a point.
COSTS: Final[list[tuple[str, int | None, tuple[float, ...], str]]] = [
    ("tanh", 0, (1.0,), "1 - out²"),
    ("tanh", 0, (10.0,), "1 - out²: out is so near to 1 that the difference keeps few digits"),
    ("tanh", 0, (20.0,), "1 - out²: out is 1"),
    ("sigmoid", 0, (10.0,), "out·(1 - out)"),
    ("sigmoid", 0, (40.0,), "out·(1 - out): out is 1"),
    ("sigmoid", 0, (-40.0,), "out·(1 - out): a small out costs nothing"),
    ("power", 0, (1e-300, 0.1), "y·x^(y - 1): y - 1 is rounded, and the power multiplies its error by ln x"),
    ("power", 0, (-1.0, 1e20), "y·x^(y - 1): y - 1 is rounded to y, which is even, so the sign is wrong"),
    ("erf", 0, (26.1,), "exp(-x²): x² is rounded, and exp multiplies its relative error by x²"),
    ("logsumexp", 0, (-700.0, 0.1), "exp(x - out): x - out is rounded, and exp multiplies its relative error by it"),
    ("logsumexp", 0, (700.0, 699.0), "exp(x - out), divided by the sum: the rounding of out cancels"),
    ("logsumexp", 0, (1e16, 1e16), "exp(x - out), divided by the sum: right even where out has lost ln 2"),
    ("logsumexp", None, (-0.7, -0.7), "the largest operand and the logarithm cancel"),
    ("total", None, (1.0, 1e16, -1e16), "the sum goes from left to right, and 1 is rounded away"),
]


def near(x: float) -> list[float]:
    """Return x and numbers on both sides of it, including the neighbouring floats."""
    away = [sign * max(abs(x), 1.0) * size for size in (1e-3, 1e-8, 1e-13) for sign in (1, -1)]
    neighbours = [math.nextafter(x, sign * math.inf) for sign in (1, -1)] if x else []
    return [x, *(x + step for step in away), *neighbours]


ORDINARY: Final = [i / 8 for i in range(-40, 41)] + [0.1 * i for i in range(-40, 41, 7)]
EXTREME: Final = [sign * size for sign in (1, -1) for size in (
    1e-300, 1e-150, 1e-20, 1e-8, 10.0, 20.0, 36.5, 40.0, 300.0, 700.0, 745.0, 1e4, 1e8, 1e16, 1e150, 1e300,
)]  # fmt: skip
CANCELLING: Final = [x for zero in (0.0, 1.0, -1.0, math.pi, math.pi / 2, -math.pi, -math.log(2)) for x in near(zero)]
ONE: Final = sorted({*ORDINARY, *EXTREME, *CANCELLING})
TWO: Final = [0.0, 0.1, 0.5, 1.0, 1 - 1e-8, 1.5, 2.0, 3.0, 7.25, 40.0, 700.0, 1e-300, 1e-20, 1e-8, 1e8, 1e20, 1e300]
SAMPLE: Final = f"""\
- one operand: {len(ONE)} numbers: the multiples of 1/8 from -5 to 5 and some decimals; ±1e-300, ±1e-150, ±1e-20, ±1e-8,
  ±1e4, ±1e8, ±1e16, ±1e150, ±1e300, and sizes from 10 to 745, where exponentials overflow or vanish; 0, ±1, ±π, π/2 and -ln 2,
  where functions vanish or have singular points, and numbers on both sides of them, at 1e-3, 1e-8, 1e-13 and one float;
- two operands: all pairs of ±{len(TWO)} numbers from 0 to 1e300, the points that the row lists, and numbers next to them;
- more operands: 50 tuples of the same numbers, and 50 in which the first is 0 and the others are below it.
"""


def points(row: Primitive) -> Iterator[tuple[float, ...]]:
    """Iterate over the sample of a row."""
    signed = sorted({sign * x for x in TWO for sign in (1, -1)})
    for width in widths(row):
        if width == 1:
            yield from ((x,) for x in ONE)
        elif width == 2:
            yield from itertools.product(signed, repeat=2)
        else:
            tuples = [tuple(signed[(i * (2 * j + 3) + 5 * j) % len(signed)] for j in range(width)) for i in range(50)]
            yield from (*tuples, *((0.0, *(-abs(x) for x in rest)) for _, *rest in tuples))
    for point in row.singular:
        yield from itertools.product(*map(near, point)) if len(point) == 2 else ()


def digits(data: Sequence[float]) -> int:
    """Return the number of digits with which the smallest operand still counts beside the largest."""
    sizes = [0.0, *(math.log10(abs(x)) for x in data if x)]
    return DIGITS + 2 * round(max(sizes) - min(sizes))


def truth(row: Primitive, data: Sequence[float]) -> Any:
    """Return the value to the working precision of mpmath, or None if it is not a real number."""
    try:
        out = ORACLE[row.name](*(x if isinstance(x, mpmath.mpf) else mpmath.mpf(x) for x in data))
    except ZeroDivisionError:
        return None
    return None if out is None or isinstance(out, mpmath.mpc) else mpmath.mpf(out)


def true_slope(row: Primitive, data: Sequence[float], i: int) -> Any:
    """Return the derivative with respect to operand i to the working precision of mpmath, or None if it does not exist."""
    exponents = [1, *(math.frexp(x)[1] for x in data if x)]
    h = mpmath.ldexp(1, min(exponents) - max(exponents) - 200)  # a power of two keeps sums, products and quotients short
    exact = [*map(mpmath.mpf, data)]
    ends = [truth(row, [*exact[:i], moved, *exact[i + 1 :]]) for moved in (exact[i] - h, exact[i] + h)]
    return None if None in ends else (ends[1] - ends[0]) / (2 * h)


def ulps(found: float, right: Any, least: float = 0.0) -> float:
    """Return the distance from the truth in units in the last place of the truth, or of `least` if that is larger."""
    nearest = float(right)
    if math.isnan(found) or math.isinf(nearest):
        return 0.0 if found == nearest else math.inf
    return float(abs(found - right) / math.ulp(max(abs(nearest), least)))


def is_smooth(row: Primitive, data: tuple[float, ...], i: int) -> bool:
    """Whether the derivative with respect to operand i is unique, and nothing overflows."""
    size = math.prod([abs(x) for x in data if abs(x) > 1]) if row is primitives.prod else 0.0
    if not math.isfinite(row.evaluate(data)) or data in row.singular or math.isinf(size):
        return False
    leaves = [Value(x) for x in data]
    line = Line("", "", data[i], data, {i: 1.0})
    kink = 1.0 if row.kink is None else row.kink(*leaves)
    return getattr(kink, "data", kink) != 0 and clearance(kink, line, leaves) > math.ulp(data[i])


def value_error(row: Primitive, data: Sequence[float], least: float = 0.0) -> float:
    """Return the error of the value in ulps of it, or of `least` if that is larger; 0 if the value is not a real number."""
    right = truth(row, data)
    return 0.0 if right is None or math.isinf(least) else ulps(float(row.evaluate(data)), right, least)


def slope_errors(row: Primitive, data: Sequence[float], i: int) -> tuple[float, float]:
    """Return the error of a derivative, relative to max(1, |f′|) and in units of ε, and in ulps."""
    right = true_slope(row, data, i)
    [found] = map(float, row.partials(data, row.evaluate(data), [i]))
    if right is None or math.isinf(float(right)):
        return 0.0, ulps(found, right) if right is not None else 0.0
    lost = math.inf if math.isnan(found) else float(abs(found - right) / max(1, abs(right)) / EPSILON)
    return lost, ulps(found, right)


@functools.cache
def measured(row: Primitive) -> list[float]:
    """Return the largest errors of a row: of its value, then two for each derivative; an n-ary row's operands count as one."""
    values: list[float] = []
    slopes: dict[int, list[tuple[float, float]]] = {}
    for data in points(row):
        try:
            row.evaluate(data)
        except DomainError:
            continue
        with mpmath.workdps(digits(data)):
            values.append(value_error(row, data, LARGEST_TERM[row.name](*data) if row.name in LARGEST_TERM else 0.0))
            for i in filter(functools.partial(is_smooth, row, data), range(1 if row.is_choice else 0, len(data))):
                slopes.setdefault(0 if isinstance(row, Nary) else i, []).append(slope_errors(row, data, i))
    worst = [max(column) for i in sorted(slopes) for column in zip(*slopes[i], strict=True)]
    return [round(x, 3) for x in (max(values), *worst)]


def cost(name: str, i: int | None, data: tuple[float, ...]) -> list[float]:
    """Return the error of a value or a derivative at one point, in ulps."""
    row = getattr(primitives, name)
    with mpmath.workdps(digits(data)):
        return [round(value_error(row, data) if i is None else slope_errors(row, data, i)[1], 3)]


# The table


def figure(error: float) -> str:
    """Round an error up to 0, 1, 2, 4, 8 or a power of ten, with a margin because errors differ between C libraries.

    >>> [figure(x) for x in (0.0, 0.51, 1.0, 7.3e15)]
    ['0', '1', '2', '1e16']
    """
    more = 1.25 * error
    if more <= 8:
        return str(next(x for x in (0, 1, 2, 4, 8) if more <= x))
    return f"1e{math.ceil(math.log10(more))}"


def label(name: str, i: int | None, data: Sequence[float]) -> str:
    """Write the name of a value or derivative, with its point."""
    argument = "" if i is None else f"∂{f'x{i}' if isinstance(getattr(primitives, name), Nary) else 'xy'[i]} "
    return f"{argument}{name}({', '.join(f'{x:g}' for x in data)})"


def written() -> str:
    """Write the table."""
    rows = [[row.name, *map(figure, measured(row))] for row in ROWS]
    costs = [[label(name, i, data), *map(figure, cost(name, i, data)), why] for name, i, data, why in COSTS]
    head = ["row", "value, ulps", "∂x, ε", "∂x, ulps", "∂y, ε", "∂y, ulps"]
    return TEXT.format(sample=SAMPLE, rows=aligned(head, rows), costs=aligned(["derivative or value", "ulps", "why"], costs))


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown, with columns of one width."""
    full = [[*row, *[""] * (len(head) - len(row))] for row in rows]
    sizes = [max(map(len, column)) for column in zip(head, *full, strict=True)]
    return "\n".join(f"| {' | '.join(map(str.ljust, row, sizes))} |" for row in (head, ["-" * n for n in sizes], *full))


TEXT: Final = """\
# How accurate the rows are

The largest errors over the sample below, against mpmath, rounded up to 1, 2, 4, 8 or a power of ten; 0 is exact. Errors of
values are in units in the last place (ulps) of the right value; for `total`, `dot` and `logsumexp`, in ulps of the largest
term, if that is larger. Errors of derivatives are given relative to max(1, |f′|), in units of ε = 2.2e-16, and in ulps. At a
kink, nearer to one than the next float, and at the singular points that a row lists, derivatives are conventions and do not
count. ∂x of an operation on many operands stands for all of them.

{rows}

What the textbook's form of a derivative costs at some points, and what sums lose when they cancel, in ulps of the result:

{costs}

The sample:

{sample}
`.venv/bin/python -m tests.test_accuracy` writes this file; `tests/test_accuracy.py` compares it with new measurements.
"""


# The tests


def claims(name: str) -> list[float]:
    """Return the figures in a line of the table."""
    [line] = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} ")]
    cells = [cell.strip() for cell in line.split("|")[2:-1]]
    return [float(cell) for cell in cells if re.fullmatch(r"[\d.e]+", cell)]


def agree(found: Sequence[float], claimed: Sequence[float]) -> bool:
    """Whether no error is larger than the table says, or so much smaller that the table is out of date."""
    pairs = list(zip(found, claimed, strict=True))
    return all(a <= b <= max(SLACK * a, math.ceil(a)) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_are_as_accurate_as_the_table_says(row: Primitive) -> None:
    value, *slopes = found = measured(row)
    assert value <= VALUES
    assert max(slopes[::2]) <= SLOPES.get(row.name, 4.0)
    assert agree(found, claims(row.name)), f"{row.name}: {found}, but the table says {claims(row.name)}"


@pytest.mark.parametrize(("name", "i", "data", "why"), COSTS, ids=lambda x: str(x))
def test_the_errors_of_textbook_forms_are_in_the_table(name: str, i: int | None, data: tuple[float, ...], why: str) -> None:
    assert agree(cost(name, i, data), claims(label(name, i, data)))
    assert why in TABLE.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_table_has_these_lines_and_texts() -> None:
    def frame(text: str) -> list[str]:
        return [re.sub(r"\b\d[\d.e]* *(?=\|)", "", line) for line in text.splitlines()]

    assert frame(TABLE.read_text(encoding="utf-8")) == frame(written())


def test_errors_are_noticed() -> None:
    with mpmath.workdps(DIGITS):
        assert 0 < value_error(primitives.exp, [1.0]) < 1
        lost = replace(primitives.expm1, function=lambda x: math.exp(x) - 1)
        assert value_error(lost, [1e-8]) > 1e6 > 1 > value_error(primitives.expm1, [1e-8])
        wrong = replace(primitives.expm1, partial=lambda x, out: out)
        assert slope_errors(wrong, [0.5], 0)[0] > 1e15 and slope_errors(primitives.expm1, [0.5], 0)[0] < 1
        assert slope_errors(primitives.tanh, [10.0], 0)[1] > 1e6
        assert abs(float(true_slope(primitives.tanh, [0.5], 0)) * math.cosh(0.5) ** 2 - 1) < 1e-15


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
