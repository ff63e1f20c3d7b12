"""The thresholds of numeric derivatives: how far each can be moved before a verdict changes.

    python tests/benchmarks/thresholds.py

Each function below once caused a false alarm or hid a fault, and is listed with its right verdict; public functions of
`corpus.py` are added, with right gradients and with ones that are off by 1 %.  Thresholds are moved one at a time, up and down.
The program prints the interval in which all verdicts stay the same; `autograd.checking.numeric.Thresholds` has the table.  No
function is evaluated twice at a point, because thresholds only interpret values.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs without installing the project

import numpy as np
from corpus import problems

from autograd import gradcheck
from autograd.checking import numeric

Judged = Callable[[], str]  # returns a verdict
FACTORS: Final = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)

NASTY: Final[list[tuple[str, Callable[[float], float], float, float, str]]] = [
    ("relu at 0", lambda x: max(x, 0.0), 0.0, 0.0, "kink"),
    ("relu beside 0", lambda x: max(x, 0.0), 1e-5, 1.0, "kink"),
    ("relu next to 0", lambda x: max(x, 0.0), 1e-12, 1.0, "kink"),
    ("relu away from 0", lambda x: max(x, 0.0), 3e-4, 1.0, "correct"),
    ("wrong at a kink", lambda x: max(x, 0.0), 0.0, 2.0, "wrong"),
    ("wrong beside a kink", lambda x: max(x, 0.0), 1e-5, 0.5, "wrong"),
    ("curved kink", lambda x: (x + math.exp(x)) * abs(x), 0.0, 0.0, "kink"),
    ("slight kink", lambda x: math.sin(x) + 1e-4 * abs(x - 0.5), 0.5, math.cos(0.5), "kink"),
    ("sharp bend", lambda x: math.tanh(1e6 * x), 0.0, 1e6, "correct"),
    ("rounded corner", lambda x: math.sqrt(x * x + 1e-12), 0.0, 0.0, "vacuous"),
    ("step", lambda x: float(x > 0), 0.0, 0.0, "kink"),
    ("step beside", lambda x: float(x > 0) + x, 1e-5, 1.0, "kink"),
    ("root at 0", lambda x: math.sqrt(x), 0.0, math.inf, "domain"),
    ("cube root at 0", lambda x: math.cbrt(x), 0.0, math.inf, "domain"),
    ("cusp", lambda x: abs(x) ** 0.125, 0.0, 0.0, "kink"),
    ("blunt cusp", lambda x: x - 3 * abs(x - 0.3) ** 0.9, 0.3, 1.0, "kink"),
    ("x^1.5 at 0", lambda x: x**1.5 + x if x >= 0 else math.nan, 0.0, 1.0, "correct"),
    ("x^1.1 at 0", lambda x: math.copysign(abs(x) ** 1.1, x) + x, 0.0, 1.0, "unsure"),
    ("logarithm near 0", math.log, 1e-300, 1e300, "correct"),
    ("waves", lambda x: math.sin(x * x), 20000.3, 2 * 20000.3 * math.cos(20000.3**2), "correct"),
    ("half the waves", lambda x: math.sin(x * x), 20000.3, 20000.3 * math.cos(20000.3**2), "wrong"),
    ("waves too short", lambda x: math.sin(x * x), 1e9 + 0.3, 2e9, "unsure"),
    ("staircase", lambda x: (x + 1e10) - 1e10, 1.0, 1.0, "correct"),
    ("wrong on a staircase", lambda x: (x + 1e10) - 1e10, 1.0, 1.1, "wrong"),
    ("lost digits", lambda x: (math.sin(x) + 1e15) - 1e15, 0.3, math.cos(0.3), "unsure"),
    ("noise of 1e-9", lambda x: x * x + 1e-9 * math.sin(1e20 * x), 3.0, 6.0, "correct"),
    ("wrong below noise", lambda x: x * x + 1e-9 * math.sin(1e20 * x), 3.0, 6.01, "wrong"),
    ("saturated", math.tanh, 10.0, 1 / math.cosh(10) ** 2, "correct"),
    ("in float32", lambda x: float(np.sin(np.float32(3 * x))), 0.3, 3 * math.cos(0.9), "correct"),
    ("wrong in float32", lambda x: float(np.sin(np.float32(3 * x))), 0.3, 3.1 * math.cos(0.9), "wrong"),
]  # fmt: skip


def nasty() -> Iterator[tuple[str, Judged, str]]:
    """Iterate over the functions above, with their right verdicts."""
    for name, f, x, slope, want in NASTY:
        yield name, partial(_verdict, cache(f), x, slope), want


def _verdict(f: Callable[[float], float], x: float, slope: float) -> str:
    return gradcheck(f, x, gradient=lambda _: slope).verdict


def public() -> Iterator[tuple[str, Judged, str]]:
    """Iterate over public functions, with their present verdicts."""
    for problem in list(problems())[::3]:
        for factor in (1.0, 1.01):
            judged = _kept(problem, factor)
            yield f"{problem.name} times {factor}", judged, judged()


def _kept(problem: Any, factor: float) -> Judged:
    f, gradient = _by_point(problem.f), _by_point(problem.gradient)
    return lambda: gradcheck(f, problem.x, gradient=lambda x: factor * gradient(x)).verdict


def _by_point(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of arrays that caches its results, as `cache` does for numbers."""
    known: dict[bytes, Any] = {}

    def call(x: Any) -> Any:
        key = x.tobytes()
        if key not in known:
            known[key] = np.asarray(f(x), float)
        return known[key]

    return call


def changed(cases: list[tuple[str, Judged, str]], name: str, value: float) -> list[str]:
    """Return the cases whose verdicts change with another value of a threshold."""
    usual = numeric.FITTED
    vars(numeric)["FITTED"] = replace(usual, **{name: value})
    try:
        return [case for case, judged, want in cases if judged() != want]
    finally:
        vars(numeric)["FITTED"] = usual


def main() -> None:
    """Print, for each threshold, the interval in which no verdict changes, and the first changes beyond it."""
    with np.errstate(all="ignore"):
        cases = [*nasty(), *public()]
        if off := [name for name, judged, want in cases if judged() != want]:
            print("not as they should be:", *off, sep="\n    ")
        print(f"{len(cases)} cases\n| threshold | value | from | to | below | above |\n| --- | --: | --: | --: | --- | --- |")
        for field in fields(numeric.FITTED):
            value = getattr(numeric.FITTED, field.name)
            ends, first = [value, value], ["", ""]
            for side in (0, 1):
                for factor in FACTORS:
                    moved = value * factor if side else value / factor
                    if wrong := changed(cases, field.name, moved):
                        first[side] = wrong[0]
                        break
                    ends[side] = moved
            print(f"| {field.name} | {value:g} | {ends[0]:.3g} | {ends[1]:.3g} | {first[0]} | {first[1]} |", flush=True)


if __name__ == "__main__":
    main()
