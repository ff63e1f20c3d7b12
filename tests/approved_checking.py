"""Numeric derivatives and gradient checks of functions that use only + − × ÷ √; see `test_approved`.

IEEE 754 fixes every digit of their values, so derivatives, estimated errors and random directions are the same everywhere.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from random import Random
from typing import Any, Final

import numpy as np
from approved_numbers import SINGLE, SLOPES, root
from approved_pictures import lined

from autograd import Nary, Unary, absolute, dot, floor, gradcheck, maximum, minimum, relu, sqrt, total, where
from autograd.checking.numeric import Slope, plateau, slope
from autograd.checking.plain import Comparison
from autograd.checking.report import Report
from autograd.checking.verdicts import Check

nan, inf = math.nan, math.inf


def window(center: float, slope: float = 1.0) -> Unary:
    """Return a row whose slope is 1 near a number and 0 elsewhere; its rule gives `slope` everywhere."""
    return Unary(
        "window",
        lambda x: minimum(maximum(x - center, -0.2), 0.2),
        lambda x, out: where(absolute(x - center) < 0.2, slope, 0),
    )


wrong: Final = Unary("wrong", lambda x: x * x * x, lambda x, out: 3 * x)
cut: Final = Unary("cut", lambda x: x * x * x, lambda x, out: 3 * x * getattr(x, "data", x))
many: Final = Nary("many", lambda *v: v[0] * v[1] + v[-1], lambda v, out: (v[1], *[v[0]] * (len(v) - 2), 1.5), lambda *v: v)
weighted: Final = Nary(
    "weighted", lambda *v: added(x * i for i, x in enumerate(v, 1)), lambda v, out: [*range(1, len(v) + 1)], lambda *v: v
)

GRAPHS: Final[list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]] = [
    (lambda w, x: w * x + w * x, (0.5, 3.0), {"order": 2}),
    (lambda x: cut(x) + 0 * x, (2.0,), {"order": 2}),
    (lambda x: x, (2.0,), {}),
    (lambda v: v[0] * v[1] * v[2] / v[3], ([0.5, 3.0, -2.0, 1.5],), {"order": 2}),
    (lambda v: v[0] * v[1] * v[2] / v[3] - v[4], ([0.5, 3.0, -2.0, 1.5, 1.0],), {"order": 2}),
    (lambda v: total(v) * v[0], ([0.5 * i for i in range(24)],), {}),
    (lambda v: total(v) * v[0], ([0.5 * i for i in range(25)],), {}),
    (lambda v: total([*v[:7], v[7].data, *v[8:]]) * v[0], ([0.5 * i for i in range(1, 26)],), {"seed": 2}),
    (lambda x: x * 1e-200 * 1e-200 * 1e200 * 1e200, (2.0,), {}),
    (lambda x: sqrt(x) * sqrt(x), (0.0,), {}),
    (lambda x: sqrt(x) - sqrt(x), (0.0,), {}),
    (lambda x, y: sqrt(x) * y, (0.0, 2.0), {}),
    (lambda x: floor(x), (1e150,), {}),
    (lambda x, y: floor(x) + y * y.data, (1e150, 1e75), {}),
    (lambda x: 1 // x + x, (1e-20,), {}),
    (lambda v: dot(v[:2], v[2:]), ([0.5, 3.0, -2.0, 1.5],), {}),
    (lambda x: maximum(x, 1.0) + absolute(x - 1), (1.0,), {}),
    (lambda x: where(x, x * 3, 1.0), (2.0,), {}),
    (lambda x, y: relu(x) + y, (-1.0, 2.0), {}),
    (lambda x: wrong(x) + wrong(-x) * 0, (-2.0,), {}),
    (lambda v: many(*v), ([0.5 + i / 4 for i in range(25)],), {}),
    (lambda v: weighted(*v), ([0.5 + i / 4 for i in range(25)],), {}),
    *[(window(center, slope), (10.0,), {}) for center in (-1.5, -0.5, 0.0, 0.5, 1.5, 2.5) for slope in (1.0, 1.25)],
]  # fmt: skip

SHOWN: Final = 15  # comparisons of each kind


def line(check: Check) -> str:
    """Write all fields of a comparison."""
    flat = ", flat" if check.is_flat else ""
    text = f"{check.name} at {check.at}: {check.analytic:.12g}, {check.numeric:.12g} ± {check.error:.2g}, {check.verdict}{flat}"
    return f"{text} ({check.reason})" if check.reason else text


def whole(report: Report) -> Iterator[str]:
    """Iterate over the parts of a report."""
    yield f"\n{report.verdict} {report.cause}".rstrip()
    for checks, margin in ((report.inputs, ""), (report.edges, "    ")):
        yield from (margin + line(check) for check in checks[:SHOWN])
        if len(checks) > SHOWN:
            yield f"{margin}… and {len(checks) - SHOWN} more, {sum(check.verdict == 'wrong' for check in checks[SHOWN:])} wrong"
    yield from report.notes


def graphs() -> Iterator[str]:
    """Iterate over checks of graphs."""
    for f, point, options in GRAPHS:
        yield from whole(gradcheck(f, *point, **options))


def products(v: Any) -> Any:
    """Return the Jacobian of v @ v for a matrix of two rows; one entry is wrong."""
    found = np.einsum("ik,lj->ijkl", np.eye(2), v) + np.einsum("jl,ik->ijkl", np.eye(2), v)
    found[0, 1, 0, 1] += 0.25
    return found


class Chance:
    """The function x², with an error that cycles through 0, amount and -amount from call to call."""

    def __init__(self, amount: float) -> None:
        self.amount, self.calls = amount, 0

    def __call__(self, x: float) -> float:
        self.calls += 1
        return x * x + self.amount * (self.calls % 3 - 1)


def added(numbers: Iterable[Any]) -> Any:
    """Add numbers one by one, as `sum` did before Python 3.12."""
    return functools.reduce(operator.add, numbers, 0)


SMALL: Final = math.ulp(4.0)


def given() -> list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]:
    """Return functions of plain numbers, with their points and given gradients."""
    powers = [float(f"1e{k}") for k in range(-12, 13)]
    return [
        (lambda x, y: x * y, (2.0, 3.0), {"gradient": lambda x, y: (y, y)}),
        (lambda x: 1e20 + x, (1.0,), {"gradient": lambda x: 1.0}),
        (lambda x: float(x > 0), (0.0,), {"gradient": lambda x: 0.0}),
        (root, (0.0,), {"gradient": lambda x: inf}),
        (lambda x: x * root(x), (0.0,), {"gradient": lambda x: 1.5 * math.sqrt(x)}),
        (lambda x: (x * x + 1e3) - 1e3, (0.7,), {"gradient": lambda x: 2 * x}),
        (lambda x: x * x + 1e-10 * (x * 1e12 % 7), (2.0,), {"gradient": lambda x: 2 * x}),
        (Chance(1e-9), (2.0,), {"gradient": lambda x: 2 * x}),
        (lambda x: x * x, (2.0,), {"gradient": Chance(1e-9)}),
        (lambda x: x * x, (2.0,), {"gradient": lambda x: 2 * x + 1e-6 * (x * 1e15 % 3)}),
        (lambda x: x * x, (0.3,), {"gradient": lambda x: SINGLE.round(2 * x)}),
        (lambda v: added(x * i for i, x in enumerate(v)), ([0.5] * 25,), {"gradient": lambda v: [*range(24), 23.0]}),
        (lambda v: added(x * i for i, x in enumerate(v)), ([0.5] * 25,), {"gradient": lambda v: [*range(24), 23.0], "seed": 1}),
        (lambda v: added(v), ([0.5] * 40,), {"gradient": lambda v: [1.0] * 20 + [1.5] * 20}),
        (lambda v: added(v), ([0.5] * 26,), {"gradient": lambda v: [1.0] * 14 + [1.5] * 12}),
        (lambda v: added(v), ([0.5] * 26,), {"gradient": lambda v: [1.0] * 15 + [1.5] * 11}),
        (lambda x: [x * size for size in powers], (2.0,), {"gradient": lambda x: [3e-12, *powers[1:]]}),
        (lambda x: [x * k for k in range(24)], (2.0,), {"gradient": lambda x: [*range(24)]}),
        (lambda v: added(x * i for i, x in enumerate(v)), ([0.5] * 24,), {"gradient": lambda v: [*range(24)]}),
        (lambda x: [x * k for k in range(26)], (2.0,), {"gradient": lambda x: [*range(24), 0.0, 0.0]}),
        (lambda v: [v[0] * v[1], v[0]], ([2.0, 3.0],), {"gradient": lambda v: [[v[1], v[0]], [1.0, 1.0]]}),
        (lambda v: (v[:, :, None] * v).sum(1), (np.array([[1.0, 2.0], [0.5, 4.0]]),), {"gradient": products}),
        (lambda v: v * 3, (np.array([0.1, 2.0], np.float32),), {"gradient": lambda v: np.diag([3, np.float32(3.01)])}),
        (lambda v: v * v, (np.float32(0.1),), {"gradient": lambda v: 2 * v}),
        (lambda v: np.float32(v * v), (0.1,), {"gradient": lambda v: 2 * v}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 8.0 if x == 4 else 1 / 0}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 8.0 + 1e-9 * (x > 4)}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 2 * x + 1e-9 * (x > 4) * (x * 2**50 % 3), "seed": 1}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 2 * x + 1e-9 * (x * 2**50 % 3)}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 2 * x + 1e-9 * (x * 2**50 % 5), "seed": 1}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 8.0 + 1e-9 * (abs(x - 4) > 4 * SMALL)}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 8.0 + 1e-9 * ((abs(x - 4) > 3 * SMALL) + (abs(x - 4) > 6 * SMALL))}),
        (lambda x: x * x, (4.0,), {"gradient": lambda x: 2 * x + 1e-9 * (x * 2**50 % 3) if abs(x - 4) < 4 * SMALL else 1 / 0}),
        (lambda x, y: x * x + y, (4.0, 0.0), {"gradient": lambda x, y: (inf, nan)}),
        (lambda x, y: x * x + y, (4.0, 0.0), {"gradient": lambda x, y: (2 * x + y * 2**10, 1.0)}),
        (lambda x: [0.0, x], (0.0,), {"gradient": lambda x: [0.0, 1.0]}),
        (lambda x: math.floor(x * 1e15) / 1e15, (0.5,), {"gradient": lambda x: 1.0}),
        (lambda x: math.floor(x * 1e9) / 1e9, (0.5,), {"gradient": lambda x: 0.0}),
    ]  # fmt: skip


def plain() -> Iterator[str]:
    """Iterate over checks of given gradients."""
    for f, point, options in given():
        yield from whole(gradcheck(f, *point, **options))
        found = Comparison(f, point, options["gradient"], Random(options.get("seed", 0)))
        doubts = "; ".join(", ".join(f"{doubt:.5g}" for doubt in row[:3]) for row in found.doubts[:3])
        calls = f", {f.calls} calls" if isinstance(f, Chance) else ""
        yield f"noise {found.noises[0]:.5g}, doubts {doubts}{calls}"


def coarse(size: float) -> Callable[[float], float]:
    """Return the function x, rounded by adding and subtracting a large number."""
    return lambda x: (x + size) - size


def edge(x0: float, f: Callable[[float], float]) -> Callable[[float], float]:
    """Return a function without values to the left of a number."""
    return lambda x: f(x) if x >= x0 else nan


def saturated(height: float, width: float) -> Callable[[float], float]:
    """Return a function that is steep at 0, and flat far away from it."""
    return lambda x: height * x / (width + abs(x))


ULP: Final = 2.0**-52
POINTS: Final[dict[str, tuple[Callable[[float], float], tuple[float, ...]]]] = SLOPES | {
    "x": (lambda x: x, (0.0, 1.0, 2.0**52, 2.0**53, 2.0**60)),
    "√(4 - x)": (lambda x: root(4 - x), (3.5, 4.0, 4 - 8 * ULP)),
    "x² from 1 on": (edge(1.0, lambda x: x * x), (1.0, 1 + ULP, 1 + 2 * ULP, 1 + 5 * ULP, 1 + 20 * ULP, 1 + 99 * ULP)),
    "x√x from 1 on": (edge(1.0, lambda x: x * math.sqrt(x)), (1.0, 1 + 3 * ULP, 1 + 500 * ULP)),
    "√(x - 1)": (lambda x: root(x - 1), (1.0, 1 + 2 * ULP, 1 + 1000 * ULP)),
    "x² in float32": (lambda x: SINGLE.round(x * x), (0.3, 0.7, 0.70000001, 1.1, 3.0, 5.3, 1e6)),
    "1e300·x/(1e-10 + |x|)": (saturated(1e300, 1e-10), (0.0, 1e-12, 1e-9)),
    "infinite slope at eight steps": (saturated(2.0**984 + 2.0**979, 2.0**-40), (0.0,)),
    "1e308·(1 + x)": (lambda x: 1e308 * (1 + x), (0.0, 1e-3)),
    "√|x|·(1 + x)": (lambda x: math.sqrt(abs(x)) * (1 + x), (0.0,)),
    "√|x| + 3√√|x|·x": (lambda x: math.sqrt(abs(x)) + 3 * math.sqrt(math.sqrt(abs(x))) * x, (0.0, 1e-7)),
    **{f"x beside {size:g}": (coarse(size), (0.7, 0.71, -0.3, 100.3)) for size in (4.0, 8.0, 16.0, 32.0, 64.0, 1e5, 1e12)},
}  # fmt: skip

NOISY: Final[list[tuple[str, float, float]]] = [  # functions of x, each with a point and the noise of its values
    ("x", 0.0, 0.00125), ("x", 0.0, math.nextafter(0.00125, 1)),  # 1/50 of the differences that are seen
    ("1 + x/2**45", 0.0, 1e-13), ("1 + x/2**45", 0.0, math.nextafter(1e-13, 1)),
    ("x/2**1020", 0.0, 2.0**-1022), ("x/2**1020", 0.0, math.nextafter(2.0**-1022, 1)),
    ("3.0", 0.7, 1.0),
    ("abs(x)/2", 0.0, 5.08e-7), ("abs(x)/2", 0.0, 5.09e-7),  # 1/120 of the step
    ("floor(x*8)*0.1", 0.6328125, 0.0), ("floor(x*64)/1e6", 0.01611328125, 2**-40), ("floor(x/2)*0.5", 4.0625, 0.0),
    ("floor(x*4)*0.5625", 0.25 + 2**-22, 0.0), ("floor(x*64)/1000", -(2**-12), 2**-38),
    ("floor(x*8)*0.5625 + 0.125*(abs(abs(x - 0.7) - 2**-12) < 2**-16)", 0.7, 2**-18),
    ("floor(x*64)*0.5 + 0.125*(abs(abs(x - 0.4) - 2**-17) < 2**-21)", 0.4, 0.0),
    ("0.125*(abs(abs(x) - 2**-9) < 2**-13) + 0.5*(abs(x) > 2**-6)", 0.0, 0.0),
    ("0.125*(abs(abs(x) - 2**-13) < 2**-17) + 0.5*(abs(x) > 2**-6)", 0.0, 0.0),
    ("0.125*(abs(abs(x) - 2**-19) < 2**-23) + 0.5*(abs(x) > 2**-6)", 0.0, 0.0),
    ("-2*floor(x*16) + 0.125*(abs(abs(x - 0.58) - 2**-5) < 2**-9)", 0.58, 0.0),
    ("sqrt(sqrt(abs(x)))*abs(x)*sqrt(abs(x)) + x/100", 2**-13, 2**-27), ("sqrt(abs(x))*(1e-6 + x)", -(2**-18), 2**-32),
    ("x/10 - (2**-35 if x else 0)", 0.0, 0.0), ("abs(x) - x*x - 2**-10*(x > 0.001)", 0.0, 0.0),
    ("sqrt(x - 2**-12) if x >= 2**-12 else nan", 2**-12 + 2**-55, 0.0),
    ("1e308*(x/1e6 + 1)", 0.5, 0.0), ("sqrt(x*x + 1e-12) + x/1e6", 1e-6, 2**-23), ("((x*x + 196608) - 196608) - 2*x", 0.7, 0.0),
    ("floor(x/2)/1e6", 2.125, 0.0), ("floor(x*10)*0.5625", 0.03125, 0.0), ("floor(x*4)*0.1", 1.25 + 2**-22, 0.0),
    ("floor(x*8)/1000", -(2**-29), 0.0), ("1/(x - 0.125) if x > 0.125 else nan", 0.125 + 2**-23, 0.0),
    ("floor(x*4)*0.5625 + 0.125*(abs(abs(x - 2**-6) - 2**-9) < 2**-13)", 2**-6, 0.0),
    ("floor(x*4)*0.5 + 0.125*(abs(abs(x - 0.7) - 2**-13) < 2**-17)", 0.7, 0.0),
    ("1e308*(x/1000 + 1)", 3.0, 0.0), ("1e308*(x + 0.5)", 0.7, 0.0), ("(x + 3*2**48) - 3*2**48", 3.0, 0.0),
    ("((x*x + 5*2**23) - 5*2**23) - x", 601.75, 0.0), ("((x*x + 80) - 80) - x", 0.5, 2**-50),
    ("x/1000 + abs(x - 2**-32)", 0.0, 0.0),
]  # fmt: skip


def facts(found: Slope) -> str:
    """Write the fields of a numeric derivative that are not at their defaults."""
    silent = Slope(nan, inf)
    pairs = ((field.name, str(getattr(found, field.name)), str(getattr(silent, field.name))) for field in fields(Slope))
    return ", ".join(f"{name} {part}" for name, part, other in pairs if part != other)


def derivatives() -> Iterator[str]:
    """Iterate over numeric derivatives with all their digits."""
    for text, x, noise in NOISY:
        f = eval(f"lambda x: float({text})", {"sqrt": math.sqrt, "floor": math.floor, "nan": nan})
        yield f"{text} ± {noise} at {x}: {facts(slope(f, x, noise))}, plateau {plateau(f, x)}"
    for name, (f, points) in POINTS.items():
        for x in points:
            yield f"{name} at {x}: {facts(slope(f, x))}, plateau {plateau(f, x)}"


CHECKING: Final[dict[str, Callable[[], str]]] = {
    "derivatives.txt": lambda: lined(derivatives()),
    "gradients.txt": lambda: lined(plain()),
    "graphs.txt": lambda: lined(graphs()),
}
