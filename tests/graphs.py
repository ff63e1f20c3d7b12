"""Random computation graphs, as programs that run on any kind of operand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograd import DomainError, Primitive, primitives
from autograd.primitives import Nary, Unary

ROWS = [row for row in vars(primitives).values() if isinstance(row, Primitive)]
numbers = st.decimals(-3, 3, places=2).map(float)


def widths(row: Primitive) -> list[int]:
    """Return how many operands a row can be given in a test."""
    if isinstance(row, Nary):
        return [3] if row.picks is not None else [3, 5]
    return [1] if isinstance(row, Unary) else [2]


@dataclass(frozen=True)
class Program:
    """Leaves, and instructions that apply a row to leaves, earlier results (by place) and constants."""

    leaves: tuple[float, ...]
    instructions: tuple[tuple[Primitive, tuple[int | float, ...]], ...]

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on any operands; an int is a place, a float a constant."""
        results = list(leaves)
        for row, operands in self.instructions:
            results.append(row.apply([results[x] if isinstance(x, int) else x for x in operands]))
        return results[-1]


@st.composite
def programs(draw: st.DrawFn, longest: int = 20) -> Program:
    """Draw a program whose values stay finite and moderate, inside every domain and away from kinks."""
    leaves = draw(st.lists(numbers, min_size=1, max_size=4))
    values = list(leaves)
    instructions: list[tuple[Primitive, tuple[int | float, ...]]] = []
    for row in draw(st.lists(st.sampled_from(ROWS), min_size=1, max_size=longest)):
        count = draw(st.sampled_from(widths(row)))
        # Late results are taken more often, so that graphs become deep; the same one twice is common.
        place = st.integers(1, len(values)).map(lambda back: len(values) - back)
        operands = [draw(place)] + [draw(place | numbers) for _ in range(count - 1)]
        data = [values[x] if isinstance(x, int) else x for x in operands]
        try:
            out = float(row.evaluate(data))
        except DomainError:
            continue
        slopes = row.partials(data, out, range(count))
        steep = not all(abs(x) < 100 for x in (out, *slopes))
        near = row.kink is not None and not isinstance(row, Nary) and abs(row.kink(*data)) < 1e-2
        if not steep and not near and math.isfinite(out):
            instructions.append((row, tuple(operands)))
            values.append(out)
    if not instructions:
        instructions.append((primitives.multiply, (0, 0)))
    return Program(tuple(leaves), tuple(instructions))
