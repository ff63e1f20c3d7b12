"""Slopes, bounds, and signs and risks of rows; see `test_approved`.

They are the same on every machine: slopes are those of functions that use only + − × ÷ √, which IEEE 754 rounds in one way, and
intervals are rounded outward from a precision that no printed digit shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Final

from approved_pictures import lined
from flint import ctx

from autograd import Value
from autograd.certainty.intervals import FUNCTIONS, Interval, OutsideError, between, describe
from autograd.checking.numeric import Slope, plateau, slope
from autograd.checking.rounding import DOUBLE, Precision
from autograd.checking.verdicts import judge
from autograd.expressions import parse
from autograd.notation import Notation
from autograd.risks import ANY, risk_of, risks, sign_of_few
from autograd.rows import TABLE
from autograd.value import topological

SINGLE: Final = Precision("float32", 24)
nan, inf = math.nan, math.inf


def root(x: float) -> float:
    """Return the square root, or NaN where there is none."""
    return math.sqrt(x) if x >= 0 else nan


SLOPES: Final[dict[str, tuple[Callable[[float], float], tuple[float, ...]]]] = {
    "x³ - x": (lambda x: x * x * x - x, (0.0, 0.5, -3.0, 1e5, 1e-5, 1e20)),
    "1/x": (lambda x: 1 / x if x else nan, (0.5, 1e-3, 1e-9, 1e9, 1e-300)),
    "1/(1 + x²)": (lambda x: 1 / (1 + x * x), (0.0, 0.3, 20.0, 1e8)),
    "√(1 + x²)": (lambda x: math.sqrt(1 + x * x), (0.0, -2.0, 1e9)),
    "√(x² + 1e-12)": (lambda x: math.sqrt(x * x + 1e-12), (0.0, 1e-7, 1e-3)),
    "x/√(x² + 1e-12)": (lambda x: x / math.sqrt(x * x + 1e-12), (0.0, 1e-5, 1e-2)),
    "√x": (root, (0.0, 1e-20, 1e-9, 1e-3, 2.0)),
    "x√x": (lambda x: x * root(x), (0.0, 1e-9, 2.0)),
    "x + √√|x|·|x|": (lambda x: x + math.sqrt(math.sqrt(abs(x))) * abs(x), (0.0, 1e-9)),
    "√√√|x|": (lambda x: math.sqrt(math.sqrt(math.sqrt(abs(x)))), (0.0, 1e-9, 1.0)),
    "√(1 - x²)": (lambda x: root(1 - x * x), (1.0, -1.0, 0.999999, 0.5)),
    "|x|": (abs, (0.0, 1e-12, 1e-9, 3e-8, -1e-7, 1e-5, -5e-5, 7e-5, 3e-4)),
    "max(x, 0.1x)": (lambda x: max(x, 0.1 * x), (0.0, 1e-6)),
    "x²|x - 1| + x": (lambda x: x * x * abs(x - 1) + x, (1.0, 1.00001, 0.9999)),
    "x + 1e-6·|x - 2|": (lambda x: x + 1e-6 * abs(x - 2), (2.0, 2.0001)),
    "⌊x⌋": (lambda x: float(math.floor(x)), (1.0, 1.5, 1.00001, 0.99999)),
    "⌊x⌋·x": (lambda x: math.floor(x) * x, (1.00001, 0.99999, 3.0)),
    "1 if x = 0 else x": (lambda x: x if x else 1.0, (0.0, 1e-9)),
    "x + 1e15 - 1e15": (lambda x: (x + 1e15) - 1e15, (0.7, 100.0)),
    "x + 1e10 - 1e10": (lambda x: (x + 1e10) - 1e10, (0.7, 1e-6)),
    "x² + 1e8": (lambda x: x * x + 1e8, (0.7, 0.0)),
    "8x rounded": (lambda x: round(x * 8) / 8, (0.7, 1000.1)),
    "wave of sides 0.01": (lambda x: abs(x * 100 % 2 - 1), (0.3, 0.305, 1000.0)),
    "3": (lambda x: 3.0, (0.7, 1e30)),
    "1e308·x": (lambda x: 1e308 * x, (0.7, 1.5)),
    "1e-320·x": (lambda x: 1e-320 * x, (0.7,)),
    "x on the left of 1": (lambda x: x if x <= 1 else nan, (1.0, 0.99999)),
    "0 at 1 only": (lambda x: 0.0 if x == 1 else nan, (1.0,)),
}


def written(found: Slope) -> str:
    """Write the fields of a slope that are not at their defaults, besides its kind and value."""
    parts = {"side": found.side, "left": found.left, "right": found.right, "away": found.away, "height": found.height,
             "reach": found.reach, "limit": found.limit, "noise": found.noise}  # fmt: skip
    silent = {"side": "both", "away": 0.0, "height": 0.0, "reach": inf, "limit": inf}
    shown = {name: part for name, part in parts.items() if part == part and part != silent.get(name)}
    return ", ".join(f"{name} {part if isinstance(part, str) else f'{part:.4g}'}" for name, part in shown.items())


def slopes() -> Iterator[str]:
    """Iterate over slopes of functions, with the verdicts on claims: right, a little off, 0, of the wrong sign, and NaN."""
    for precision in (DOUBLE, SINGLE):
        yield f"\nin {precision.name}"
        for name, (f, points) in SLOPES.items():
            rounded = f if precision is DOUBLE else lambda x, f=f: SINGLE.round(f(x))
            for x in map(precision.round, points if precision is DOUBLE else points[:2]):
                found = slope(rounded, x, precision=precision)
                right = found.left if math.isnan(found.value) else found.value
                checks = [judge("", "", claim, found) for claim in (right, right * 1.001, 0.0, -right, nan)]
                verdicts = (
                    f"{' '.join(check.verdict for check in checks)} {f'({checks[0].reason})' if checks[0].reason else ''}"
                )
                yield f"{name} at {x:.6g}: {found.kind} {found.value:.8g} ± {found.error:.2g}, {written(found)}"
                yield f"    plateau {plateau(rounded, x, precision):.3g}; {verdicts}".rstrip()


ENDS: Final = (-inf, -2.5, -1.0, -0.5, 0.0, 0.75, 1.0, 2.0, 4.0, inf)
SIDES: Final = [between(a, b) for i, a in enumerate(ENDS) for b in ENDS[i : i + 4] if a != b or math.isfinite(a)]
FEW: Final = [between(a, b) for a, b in ((-2.5, -1), (-1, 2), (0, 0), (0, 0.5), (0.75, 4), (2, 2), (3, 3), (-1, -1), (1, inf))]


def bounds() -> Iterator[str]:
    """Iterate over the functions of the table on intervals; * marks operands at which a function may jump or be undefined."""
    with ctx.workprec(128):
        for f, on_intervals in FUNCTIONS.items():
            operands: list[tuple[Interval, ...]] = [(x,) for x in SIDES]
            try:
                on_intervals(SIDES[0])
            except TypeError:
                operands = [(x, y) for x in FEW for y in FEW]
            except OutsideError:
                pass
            cells = []
            for xs in operands:
                try:
                    found = on_intervals(*xs)
                    cells.append(f"{', '.join(map(describe, xs))}: {describe(found)}{'' if found.connected else '*'}")
                except OutsideError:
                    cells.append(f"{', '.join(map(describe, xs))}: none")
            yield f"\n{f.__name__}"
            yield from (" | ".join(cells[i : i + 4]) for i in range(0, len(cells), 4))


KINDS: Final[dict[str, Any]] = {"-": frozenset({-1}), "0": frozenset({0}), "+": frozenset({1}), "0+": frozenset({0, 1}),
                                "±": ANY, "2": 2.0, "-0.5": -0.5, "∞": inf}  # fmt: skip
GRAPHS: Final = """
log(a) + log(a*a + 1) + sqrt(a)
sqrt(a*a + b*b)
sqrt(a*a + b*b + 1e-5)
sqrt(dot([a, b], [a, b], 1))
sqrt(dot([a, 3, b], [b, -2, b], 7))
1/dot([exp(a), 2], [exp(b), 0.5])
1/total([exp(a), 1, b*b])
1/total([exp(a), -1])
1/total([exp(a), -1, b, 2])
sqrt(prod([exp(a), 2, 3]))
log(a*b)
log(exp(a)*exp(b))
log(4 - a) + log(a - 2) + log(a*a - 4)
arcsin(sigmoid(a)) + arcsin(tanh(a)/2)
1/where(a > 0, 1, exp(b))
1/where(a > 0, -1, exp(b))
1/where(b - b > 0, -2, -3)
sqrt(a)*b + where(sqrt(a) > 1, b, 1)
log(sqrt(a))*b*3 + floor(log(b))
maximum(sqrt(a), b)*2 + log(a)**2
dot([sqrt(a), b], [b, 2], a)*3
dot([a, b], [a, sqrt(b)], sqrt(a))
a**3 + a**0.5 + 2**a + exp(a)**b
exp(a)/exp(a) + a/(a + a) + a*exp(a*1e4)
log(where(a > 3, -1, 2)) + log(where(a > 1, 2, -1)) + log(5000 - a*a) + log(b*b + 3000) + log(1 + (a*a - 1e-12))
sqrt(cos(a) + 2) + sqrt(sin(b*b)) + sqrt(cos(b))
log(1 + a**b) + log(1 + a**2) + log(9 + a**3)
"""


def risky() -> Iterator[str]:
    """Iterate over what is known of rows and graphs without their numbers: signs, and where a slope may be infinite or NaN.

    For a row and each kind of its operands: the signs of its result, the risk of its rules, and ! if it may be undefined.  For
    a graph: the nodes with a risk.
    """
    signs = {kind: name for name, kind in KINDS.items()} | {frozenset({-1, 0}): "-0"}
    for row in TABLE.values():
        cells = []
        for names in product(KINDS, repeat=row.arity) if row.arity else ():
            kinds = tuple(KINDS[name] for name in names)
            risk, fails = risk_of(row, kinds)
            cells.append(
                f"{', '.join(names)}: {signs[sign_of_few(row, kinds, False)]} {risk or ''}{'!' if fails else ''}".strip()
            )
            if row.arity == 2 and names[0] == names[1] and kinds[0] not in (2.0, -0.5):
                cells[-1] += f" (the same twice: {signs[sign_of_few(row, kinds, True)]})"
        if cells:
            yield f"\n{row.name}"
            yield from (" | ".join(cells[i : i + 8]) for i in range(0, len(cells), 8))
    for text in GRAPHS.strip().splitlines():
        graph: Any = parse(text).evaluate({"a": Value(2.5, "a"), "b": Value(1.5, "b")})
        order, notation = topological(graph), Notation(graph)
        at = risks(order)
        found = [f"{at(node)} at {notation.names[node]} = {notation.formula(node).text}" for node in order if at(node)]
        yield f"\n{text}\n    {'; '.join(found) or 'none'}"


NUMBERS: Final[dict[str, Callable[[], str]]] = {
    "slopes.txt": lambda: lined(slopes()),
    "bounds.txt": lambda: lined(bounds()),
    "risks.txt": lambda: lined(risky()),
}
