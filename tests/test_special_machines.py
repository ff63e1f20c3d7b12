"""Every row at every special point, on every machine and in both precisions: what compiled programs give there.

They are compared with plain floats, `Primitive.evaluate` and `Primitive.partials`, just as `test_special_points` compares the
eager readings.  In float32 the operands are floats of that precision, so both compute from the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from test_special_points import points

from autograd import DomainError, Primitive, compile, primitives
from autograd.compiler.program import MACHINES
from autograd.strategies import ROWS, widths

PRECISION = {"float64": 1e-12, "float32": 3e-6}


def inside(row: Primitive, width: int, dtype: str) -> Iterator[tuple[tuple[float, ...], float, list[float]]]:
    """Iterate over the points, rounded to a precision, where a row and its rules have values."""
    kind = np.dtype(dtype).type
    with np.errstate(all="ignore"):
        sample = {repr(data): data for point in points(row) for data in [tuple(float(kind(x)) for x in point)]}
    for data in sample.values():
        if len(data) == width:
            try:
                out = row.evaluate(data)
                yield data, float(out), [float(x) for x in row.partials(data, out, range(width))]
            except DomainError:
                continue


def agree(found: float, expected: float, dtype: str, least: float = 0.0) -> bool:
    """Whether a number is the expected one up to rounding, relative to it or to `least` if that is larger."""
    found, info = float(found), np.finfo(dtype)
    if found == expected or (found != found and expected != expected):
        return True
    if abs(expected) > float(info.max):  # overflows in this precision
        return abs(found) == math.inf and (found > 0) == (expected > 0)
    return abs(found - expected) <= PRECISION[dtype] * max(abs(expected), least, float(info.tiny) / PRECISION[dtype])


def read(row: Primitive, machine: str, dtype: str, cases: Sequence[Sequence[float]]) -> tuple[Any, Any]:
    """Return the values [cases] and the partial derivatives [cases×operands] that a machine gives at some operands."""
    width = len(cases[0])
    program = compile(lambda *v: row.apply(v), example=[1.0] * width, dtype=dtype, backend=machine)
    columns = [np.array(column, dtype) for column in zip(*cases, strict=True)]
    return program(*columns), program.jacobian(*columns, of="inputs")[:, 0]


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_machine_gives_what_floats_give(row: Primitive, machine: str, dtype: str) -> None:
    limit = float(np.finfo(dtype).max)
    for width in widths(row):
        cases = [*inside(row, width, dtype)]
        if row is primitives.prod:  # the order of the factors decides whether a product on the way overflows
            cases = [case for case in cases if math.prod(max(abs(x), 1.0) for x in case[0]) < limit]
        values, slopes = read(row, machine, dtype, [data for data, _, _ in cases])
        for (data, out, partials), value, slope in zip(cases, values, slopes, strict=True):
            assert agree(value, out, dtype), f"{data}: {value}, not {out}"
            least = 1.0 if dtype == "float32" else 0.0  # near 1, tanh² leaves few digits to 1 - tanh²
            for x, expected in zip(slope, partials, strict=True):
                assert agree(x, expected, dtype, least), f"{data}: slopes {slope}, not {partials}"
