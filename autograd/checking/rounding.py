"""How rounding affects a computation: the precision of its numbers, and the spread of its results.

The idea: a rounding error cannot be seen in one result, but it shows when the same computation is rounded differently.  So
a graph is replayed on numbers that are rounded at random, `Rounded`, and the spread of the results estimates their error.
For a function that takes only plain numbers, neighbouring points take the place of the replays; the `Precision` determines
which numbers are neighbours.

Source: Vignes, A stochastic arithmetic for reliable scientific computation, Mathematics and Computers in Simulation 35
(1993).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any, Final

from autograd.primitives import Nary, Operand, Primitive

__all__ = ["DOUBLE", "SINGLE", "Precision", "Rounded", "roughness", "spread"]

RUNS: Final = 6  # with numbers that are rounded at random


@dataclass(frozen=True, slots=True)
class Precision:
    """A binary floating-point format, by the number of its significant bits.

    >>> single = Precision("float32", 24)
    >>> single.round(0.1), single.ulp(0.1) == 2**-27
    (0.10000000149011612, True)
    """

    name: str
    bits: int

    def round(self, x: float) -> float:
        """Return the nearest number of this format; its range is assumed to be that of a double."""
        if self.bits == 53 or not math.isfinite(x):
            return x
        mantissa, exponent = math.frexp(x)
        return math.ldexp(round(math.ldexp(mantissa, self.bits)), exponent - self.bits)

    def ulp(self, x: float) -> float:
        """Return the distance from x to the next number of this format; ∞ and NaN are treated as by `math.ulp`."""
        return math.ldexp(math.ulp(x), 53 - self.bits)


DOUBLE: Final = Precision("float64", 53)
SINGLE: Final = Precision("float32", 24)


class Rounded(Operand):
    """A number that is rounded at random in its last place, at every operation; without a generator it is exact.

    If a computation is run several times on such numbers, the spread of its results estimates its rounding error.

    >>> x = Rounded(0.1, Random(0))
    >>> x + 1e10 - 1e10
    Rounded(0.10000...)
    """

    __slots__ = ("number", "rng")

    def __init__(self, number: float, rng: Random | None) -> None:
        self.number, self.rng = number, rng

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Apply the row, or the rows that it is made of, and round the result at random."""
        if not all(isinstance(x, Rounded | float | int) for x in operands):
            return NotImplemented
        if not row.infix and not row.array:
            try:
                parts = row.function(*operands)
            except Exception:  # outside a domain; or a user's function, which takes only plain numbers
                parts = None
            if isinstance(parts, Rounded):
                return parts
        numbers = [float(x) for x in operands]
        if isinstance(row, Nary) and not row.is_choice:  # this stands for the rounding of its intermediate results
            numbers = [self._shaken(x) for x in numbers]
        out = row.evaluate(numbers)
        return out if row.is_condition or not math.isfinite(out) else Rounded(self._shaken(out), self.rng)

    def _shaken(self, number: float) -> float:
        return number + self.rng.choice((-1, 0, 1)) * math.ulp(number) if self.rng is not None else number

    def __float__(self) -> float:
        return self.number

    def __bool__(self) -> bool:
        return self.number != 0

    def __repr__(self) -> str:
        return f"Rounded({self.number!r})"


def spread(run: Callable[[], tuple[float, ...]]) -> list[float]:
    """Return the spread of each result over several runs; results that are not finite do not count."""
    runs = []
    for _ in range(RUNS):
        try:
            runs.append(run())
        except Exception:  # outside a domain; or a user's function, which takes only plain numbers
            continue
    columns = [[x for x in column if math.isfinite(x)] for column in zip(*runs, strict=True)]
    return [max(column) - min(column) if column else 0.0 for column in columns] or [0.0, 0.0]


def roughness(values: Sequence[float]) -> float:
    """Estimate the rounding error of a function by the fourth differences of its values at eight neighbouring numbers.

    >>> roughness([float(x * x) for x in range(8)]), roughness([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    (0.0, 0.875)
    """
    differences = list(values)
    for _ in range(4):
        differences = [b - a for a, b in pairwise(differences)]
    return max(map(abs, differences)) / 8 if all(map(math.isfinite, differences)) else 0.0
