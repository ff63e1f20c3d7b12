"""Rows as JavaScript, without an engine: which of them are printed, under which key, and how formulas are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograd import Value, exp, sin, tanh, walk
from autograd.player.javascript import NotLiveError, to_javascript
from autograd.primitives import Binary, Unary

WAVE = Unary("wave", lambda x: float(format(x, ".1f")), lambda x, out: 1.0)  # a function of numbers only
OVER_WAVE = Unary("over_wave", lambda x: exp(WAVE(x)), lambda x, out: out)


def keys(rows: str) -> list[str]:
    """Return the keys of the printed rows, in their order."""
    lines = rows.partition("}, kinds:")[0].splitlines()[1:]
    return [line.partition(":")[0].strip('"') for line in lines]


@pytest.mark.parametrize("missing", [WAVE, OVER_WAVE])
def test_an_offered_row_without_javascript_is_left_out_and_all_others_keep_their_names(missing: Unary) -> None:
    steps = walk(tanh(Value(0.5)))
    with_it, without = (keys(to_javascript([steps], also)[0]) for also in ([tanh, missing, sin], [tanh, sin]))
    assert [key for key in with_it if key != "exp"] == without


def test_a_row_brings_its_own_javascript_or_is_refused() -> None:
    with pytest.raises(NotLiveError, match="the row 'wave' cannot be computed in a page"):
        to_javascript([walk(WAVE(Value(0.5)))])
    rows, _ = to_javascript([walk(replace(WAVE, javascript="(x) => Math.round(10 * x) / 10")(Value(0.5)))])
    assert '"wave": {name: "wave", value: (x) => Math.round(10 * x) / 10},\n' in rows


def test_sums_and_products_of_three_are_chains_and_differences_are_not() -> None:
    for sign, written in {
        "+": '$.chain("add", x[0], x[1], x[0])',
        "*": '$.chain("multiply", x[0], x[1], x[0])',
        "-": '$("subtract", $("subtract", x[0], x[1]), x[0])',
        "/": '$("divide", $("divide", x[0], x[1]), x[0])',
    }.items():
        function = eval(f"lambda x, y: x {sign} y {sign} x")
        row = Binary("three", function, lambda x, y, out: 1.0, lambda x, y, out: 1.0)
        rows, _ = to_javascript([walk(row(Value(0.5), Value(2.0)))])
        assert f"($, x) => {written}}},\n" in rows
