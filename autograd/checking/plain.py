"""Compares a gradient, computed by any means, with numeric derivatives of a function of plain numbers, entry by entry.

The idea: both are known only by what they return, so their precision is measured too: that of the function at neighbours of
the point along each line, that of the gradient at neighbours of the point in all entries at once.  The comparison itself is
the one used for graphs.  Among many entries a wrong one is found by halving the set that must contain it.

>>> import math
>>> print(check(lambda x, y: x * math.sin(y), (2.0, 1.0), lambda x, y: (math.sin(y), x * math.sin(y))))
wrong: ∂f/∂y disagrees with the numeric derivative.
<BLANKLINE>
derivative  at         gradient       numeric  ± error  verdict
∂f/∂x       x = 2  0.8414709848  0.8414709848  ...  correct
∂f/∂y       y = 1    1.68294197   1.080604612  ...  wrong
<BLANKLINE>
∂f/∂y at y = 1: it is 1.68294197, but the slope is 1.080604612 ± ....
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from random import Random
from typing import Any, Final

from autograd.checking.lines import DIRECTIONS, MOST_SINGLE, Line, axes, combined, directions
from autograd.checking.numeric import TINY, Slope, first_jump, lasting, plateau, slope
from autograd.checking.points import (
    CALLS,
    Block,
    Point,
    PointError,
    block,
    coarser,
    finite,
    parameters,
    point_text,
    refuse_tuple,
    require_inputs,
    subscript,
    title,
)
from autograd.checking.report import MOST_ROWS, Report
from autograd.checking.rounding import DOUBLE, SINGLE, roughness
from autograd.checking.verdicts import SAFETY, Check, judge, mark_vacuous, short
from autograd.reals import kind_of

__all__ = ["check"]

MORE_CALLS: Final = 12  # further calls of a function or a gradient at the point, if it does not return the same each time
NEIGHBOURS: Final = 8  # of the point, at which the gradient is computed to see how it is rounded
DOUBTS: Final = 4.0  # the rounding allowed in a gradient, as a multiple of what is seen
SLIGHT: Final = 1e4  # units in the last place of the values around, up to which the height of a jump is due to rounding
ROUGH: Final = 1e4  # units in the last place, beyond which a note mentions the noise of a function
CLOSE: Final = 1e-3  # relative to the numeric derivative; a larger difference is wrong, whatever its cause
WIDE: Final = 2.0**-16  # relative to max(|x|, 1): a wider flat part may well be a step of the function itself


@dataclass(frozen=True, slots=True)
class Output:
    """A number made of a function's result: one of its entries, or a sum of all with weights."""

    name: str
    weights: dict[int, float]

    def of(self, values: Sequence[float]) -> float:
        """Return the number; NaN if there is no result."""
        return combined(self.weights, values) if values else math.nan


def check(f: Callable[..., Any], point: Sequence[Any], gradient: Callable[..., Any], seed: int | None = None) -> Report:
    """Compare the gradient of a function with numeric derivatives.

    Args:
        f: a function of numbers, arrays or containers of them, which returns a number or an array.
        point: its arguments.
        gradient: the function of the same arguments that returns the gradient in their structure, for several arguments
            a tuple; for an array the Jacobian, with the shape of the result before that of the argument.
        seed: chooses the random directions that are used with many inputs.

    Raises:
        TypeError: if f or gradient is not a function, or takes or returns anything but real numbers.
        ValueError: if one of them raises, f is not finite at the point, or the gradient has another structure or shape.
    """
    return Comparison(f, point, gradient, Random(0 if seed is None else seed)).report()


class Comparison:
    """A function, its gradient and a point, with the measured precision of each."""

    def __init__(self, f: Callable[..., Any], point: Sequence[Any], gradient: Callable[..., Any], rng: Random) -> None:
        """Evaluate both at the point and next to it."""
        for role, g in (("f", f), ("gradient", gradient)):
            if not callable(g):
                raise TypeError(f"{role} is {kind_of(g)}; pass a function of the point, for example lambda x: 2 * x")
        refuse_tuple(f, point)
        self.f, self.gradient, self.rng, self.title = f, gradient, rng, title(f)
        self.point = Point(parameters(f, len(point)), point)
        require_inputs(self.point.numbers, self.title, point)
        for name, x in zip(self.point.names, self.point.numbers, strict=True):
            finite(x, name)
        self.notes: list[str] = []
        self.roughness = 0.0  # in units of the result's rounding
        first = self._result(self.point.numbers)
        self.shape, self.precision = first.shape, coarser(self.point.precision, first.precision)
        self.numbers = [self.precision.round(x) for x in self.point.numbers]
        if self.precision is not DOUBLE:
            moved = ", and the point is rounded to it" if self.numbers != self.point.numbers else ""
            self.notes.append(f"{self.title} computes in {self.precision.name}, and is judged by its rounding, "
                              f"{self.precision.ulp(1.0):.0e} of each value{moved}")  # fmt: skip
        self.noises = self._noises()
        self.rows, self.doubts, self.changes = self._gradients()

    def report(self) -> Report:
        """Compare all entries; or, if there are many, random directions, and the entries for which one of them disagrees."""
        n, m = len(self.numbers), math.prod(self.shape)
        every = [self._entry(k) for k in range(m)]
        axis_lines = axes(self.point.names, self.numbers)
        outputs = every if m <= MOST_SINGLE else [self._combination(j) for j in range(1, DIRECTIONS + 1)]
        lines = axis_lines if n <= MOST_SINGLE else directions(self.numbers, range(n), self.rng)
        checks: list[Check] = []
        wrong: dict[int, Line] = {}  # for entries of the result, the first line that disagrees
        for line in lines:
            values = cache(lambda t, line=line: self._values(line(t)))
            found = self._along(line, outputs, values)
            checks += found
            if any(check.verdict == "wrong" for check in found):
                by_entry = found if outputs is every else self._along(line, every, values)
                wrong = {k: line for k, check in enumerate(by_entry) if check.verdict == "wrong"} | wrong
        if outputs is not every or lines is not axis_lines:
            single: list[Check] = []
            for k, line in sorted(wrong.items(), key=itemgetter(0)):
                single += self._search(every[k], line, axis_lines, MOST_ROWS - len(single))
            if len(single) == MOST_ROWS:
                self.notes.append(f"the search ended with {MOST_ROWS} wrong entries; there may be more")
            if single:
                why = "the line goes through an entry that is wrong"
                checks = [replace(check, reason=why) if check.verdict == "wrong" else check for check in checks]
            checks = single + checks
        if self.roughness > ROUGH:
            self.notes.append(f"the values of {self.title} are noisy, or move in steps: nearby they differ by "
                              f"{self.roughness:.0e} units in the last place")  # fmt: skip
        return Report(tuple(mark_vacuous(checks)), (), notes=tuple(self.notes), source="gradient")

    def _search(self, output: Output, line: Line, axis_lines: Sequence[Line], most: int) -> list[Check]:
        """Find wrong entries of a gradient on a line that disagrees, by halving it: at least one half disagrees too."""
        found: list[Check] = []
        groups = [list(line.direction)]
        while groups and len(found) < most:
            group = groups.pop()
            part = axis_lines[group[0]] if len(group) == 1 else replace(line, direction={i: line.direction[i] for i in group})
            [check] = self._along(part, [output])
            if check.verdict == "wrong":
                middle = len(group) // 2
                found += [check] if len(group) == 1 else []
                groups += [group[middle:], group[:middle]] if middle else []
        return found

    def _entry(self, k: int) -> Output:
        index = [k // math.prod(self.shape[axis + 1 :]) % size for axis, size in enumerate(self.shape)]
        return Output(self.title + subscript(index), {k: 1.0})

    def _combination(self, j: int) -> Output:
        sizes = [2.0 ** -math.frexp(y)[1] if y else 1.0 for y in self._values(self.numbers)]
        return Output(f"(w{j}·{self.title})", {k: self.rng.choice((-1, 1)) * size for k, size in enumerate(sizes)})

    def _along(
        self, line: Line, outputs: Sequence[Output], values: Callable[[float], Sequence[float]] | None = None
    ) -> list[Check]:
        """Compare derivatives along one line."""
        values = values or cache(lambda t: self._values(line(t)))
        derivatives = cache(lambda t: self._derivatives(line, t))
        along = [line.along(row) for row in self.rows]
        return [self._compared(line, output, output.of(along), values, derivatives) for output in outputs]

    def _compared(
        self,
        line: Line,
        output: Output,
        analytic: float,
        values: Callable[[float], Sequence[float]],
        derivatives: Callable[[float], Sequence[float]],
    ) -> Check:
        """Compare the derivative of one output along a line."""
        noise, doubt, change, size, seen = 0.0, 0.0, 0.0, 0.0, list[float]()
        for k, weight in output.weights.items():
            noise += abs(weight) * self.noises[k]
            for i, d in line.direction.items():
                share = abs(weight * d)
                doubt += share * self.doubts[k][i]
                change += share * self.changes[k][i]
                size += share * abs(self.rows[k][i])

        def g(t: float) -> float:
            seen.append(output.of(values(t)))
            return seen[-1]

        noise = max(noise, plateau(g, line.start, self.precision))
        found = slope(g, line.start, noise, self.precision)
        ulp = self.precision.ulp(max(abs(y) for y in seen if math.isfinite(y)))
        if found.kind == "jump" and abs(found.height) < SLIGHT * ulp:
            found = slope(g, line.start, abs(found.height), self.precision)
        if found.kind in ("smooth", "noise"):
            self.roughness = max(self.roughness, found.noise / ulp)
        check = judge(f"∂{output.name}/∂{line.name}", line.at, analytic, found, doubt)
        if change > max(CLOSE * size, SAFETY * found.error):
            why = (f"called again at this point, it differs by up to {change:.1g}: draw random numbers outside of it, and let "
                   "no call add to what an earlier one left")  # fmt: skip
            check = replace(check, verdict="wrong", reason=why)
        elif check.verdict == "wrong":
            check = self._doubted(check, found, doubt, line.start, g, lambda t: output.of(derivatives(t)))
        return replace(check, reason=check.reason.replace("the rule gives", "the gradient is"))

    def _doubted(
        self,
        check: Check,
        found: Slope,
        doubt: float,
        start: float,
        g: Callable[[float], float],
        derivative: Callable[[float], float],
    ) -> Check:
        """Turn the verdict of a check from "wrong" into "unsure" if lost digits may explain the disagreement.

        Args:
            check: the check.
            found: the numeric derivative.
            doubt: the rounding error allowed in the derivative that is checked.
            start: the place of the point on the line.
            g: the output along the line.
            derivative: the derivative that is checked, along the line.
        """
        if not check.analytic and found.flat > WIDE:
            why = "the values are flat here and then move in steps, which may be the function's own or come from lost digits"
            return replace(check, verdict="unsure", reason=why)
        if found.kind == "smooth":
            step = first_jump(g, start, found, self.precision)
            again = slope(g, start, max(found.noise, step), self.precision)
            if judge(check.name, check.at, check.analytic, again, doubt).verdict != "wrong":
                why = f"these move in steps of {step:.1g}, which may come from lost digits: choose another point"
                return replace(check, verdict="unsure", reason=f"{check.reason} between neighbouring values; {why}")
        if _is_close(check, found) and len(self.numbers) <= MOST_SINGLE:
            doubt += DOUBTS * lasting(derivative, start, self.precision)
            if judge(check.name, check.at, check.analytic, found, doubt).verdict != "wrong":
                return replace(check, verdict="unsure", reason=f"{check.reason}; rounding in the gradient may explain this")
        return check

    def _derivatives(self, line: Line, t: float) -> list[float]:
        """Return the derivatives of all entries along a line at t, or an empty list if there is no gradient."""
        try:
            return [line.along(row) for row in self.point.match(self._gradient(line(t)), self.shape)]
        except ValueError:
            return []

    def _result(self, numbers: Sequence[float]) -> Block:
        """Return the result at the point.

        Raises:
            PointError: if the function raises an arithmetic error or a ValueError, or its result is not finite.
            TypeError: if its result is not a number or an array of real numbers, or is empty.
            ValueError: if it raises any other error.
        """
        y = self._called(numbers)
        if y is None:
            raise TypeError(f"{self.title} returned None; does it end without a return?")
        found = block(y, self.title)
        for k, value in enumerate(found.entries):
            if not math.isfinite(value):
                self.shape = found.shape
                raise PointError(f"{self._entry(k).name} is {short(value)} at {self._at(numbers)}; choose another point")
        if not found.entries:
            raise TypeError(f"{self.title} returned an array of shape {found.shape}, which is empty")
        return found

    def _values(self, numbers: Sequence[float]) -> Sequence[float]:
        """Return the entries of the result next to the point, or an empty list where the value is undefined or complex."""
        try:
            y = self._called(numbers)
        except PointError:
            return []
        if isinstance(y, complex) or "complex" in str(getattr(y, "dtype", "")):  # such as x**0.5 for x < 0
            return []
        found = block(y, self.title)
        return found.entries if found.shape == self.shape else []

    def _called(self, numbers: Sequence[float]) -> Any:
        try:
            with _quiet():
                return self.f(*self.point.build(numbers))
        except Exception as error:
            kind = PointError if isinstance(error, ArithmeticError | ValueError) else ValueError
            raise kind(f"{self.title} raised {type(error).__name__} at {self._at(numbers)}: {error}") from error

    def _noises(self) -> list[float]:
        """Return how much each entry of the result differs from call to call at the same point."""
        runs = [self._result(self.numbers).entries for _ in range(CALLS)]
        if all(run == runs[0] for run in runs):
            return [0.0] * len(runs[0])
        runs += [self._result(self.numbers).entries for _ in range(MORE_CALLS)]
        noises = [max(column) - min(column) for column in zip(*runs, strict=True)]
        self.notes.append(f"{self.title} is not deterministic: at the same point its values differ by up to {max(noises):.1g}; "
                          "to judge more, draw random numbers outside of it")  # fmt: skip
        return noises

    def _gradients(self) -> tuple[list[list[float]], list[list[float]], list[list[float]]]:
        """Return for each derivative its number, the rounding error to allow, and how much it differs from call to call."""
        found = self._gradient(self.numbers)
        rows = self.point.match(found, self.shape)
        precision = coarser(self.precision, self.point.precision_of(found))
        runs = [rows, self.point.match(self._gradient(self.numbers), self.shape)]
        if any(map(any, _spreads(runs))):
            runs += [self.point.match(self._gradient(self.numbers), self.shape) for _ in range(MORE_CALLS)]
            largest = max(map(max, _spreads(runs)))
            self.notes.append(f"the gradient is not deterministic: at the same point it differs by up to {largest:.1g}")
        changes = _spreads(runs)
        steps = [self.rng.choice((-1, 1)) * (precision.ulp(x) if x else TINY) for x in self.numbers]
        beside: list[list[list[float]]] = []
        for j in range(1, NEIGHBOURS + 1):
            with contextlib.suppress(ValueError):  # it may have no value there
                moved = [precision.round(x + j * step) for x, step in zip(self.numbers, steps, strict=True)]
                beside.append(self.point.match(self._gradient(moved), self.shape))

        def doubt(derivative: float, change: float, *values: float) -> float:
            # Only two different values are one step of a staircase, not noise: the gradient has fewer digits than it should.
            rough = roughness(values) if len(values) == NEIGHBOURS and len({*values}) > 2 else 0.0
            return DOUBTS * (rough + change) + 8 * precision.ulp(derivative) if math.isfinite(derivative) else 0.0

        return rows, [[*map(doubt, *row_and_others)] for row_and_others in zip(rows, changes, *beside, strict=True)], changes

    def _gradient(self, numbers: Sequence[float]) -> Any:
        try:
            with _quiet():
                return self.gradient(*self.point.build(numbers))
        except Exception as error:
            raise ValueError(f"the gradient raised {type(error).__name__} at {self._at(numbers)}: {error}") from error

    def _at(self, numbers: Sequence[float]) -> str:
        return point_text(self.point.names, numbers)


def _spreads(runs: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """Return by how much each number differs between runs; 0 for one that is not finite in each of them."""
    columns = [list(zip(*rows, strict=True)) for rows in zip(*runs, strict=True)]
    return [[max(xs) - min(xs) if all(map(math.isfinite, xs)) else 0.0 for xs in row] for row in columns]


def _is_close(check: Check, found: Slope) -> bool:
    """Whether a derivative is so close to a numeric one that the difference may be due to digits lost by cancellation."""
    if found.kind != "smooth" or SINGLE.round(check.analytic) == check.analytic:
        return False  # beside a kink the gradient jumps; and one in float32 lacks digits everywhere
    return abs(check.analytic - found.value) < CLOSE * abs(found.value)


def _quiet() -> contextlib.AbstractContextManager[Any]:
    """Return a context in which NumPy, if it is used, does not warn about values that are not finite."""
    return sys.modules["numpy"].errstate(all="ignore") if "numpy" in sys.modules else contextlib.nullcontext()
