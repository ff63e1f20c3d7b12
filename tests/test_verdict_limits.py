"""The limits between verdicts, the parts of a point and the layout of a report, at given numbers."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from autograd.checking import gradcheck
from autograd.checking.numeric import NEAR, Slope
from autograd.checking.points import Point, block, point_text
from autograd.checking.report import Report
from autograd.checking.rounding import Precision
from autograd.checking.verdicts import Check, judge

inf, nan = math.inf, math.nan
BENT: Final = Slope(nan, inf, "kink", left=100.0, right=0.0)


@pytest.mark.parametrize(  # an error of 0.25 tolerates a difference of 1
    ("analytic", "found", "verdict", "flat"),
    [
        (0.0, Slope(1.0, 0.25), "correct", True),
        (0.0, Slope(1.25, 0.25), "wrong", False),
        (3.0, Slope(0.5, 0.25), "wrong", False),
        (2.0, Slope(1.0, 0.25), "vacuous", True),
        (-0.5, Slope(0.5, 0.25), "vacuous", True),
        (2.25, Slope(1.25, 0.25), "unsure", False),
        (9.75, Slope(9.75, 0.25), "unsure", False),  # more than a tenth is tolerated
        (10.0, Slope(10.0, 0.25), "correct", False),
        (10.0, Slope(8.5, 0.25), "wrong", False),
        (101.0, Slope(100.0, 0.25, limit=1000.0), "correct", False),
        (100.0, Slope(50.0, 0.25, limit=1000.0), "wrong", False),
        (101.0, Slope(-101.0, 0.25, limit=1000.0), "unsure", False),
        (2.0**1022, Slope(inf, 0.25), "unsure", False),
        (math.nextafter(2.0**1022, 0), Slope(inf, 0.25), "wrong", False),
        (-1.0, BENT, "kink", False),  # a hundredth more than both slopes is tolerated
        (101.0, BENT, "kink", False),
        (math.nextafter(-1.0, -2), BENT, "wrong", False),
        (math.nextafter(101.0, 102), BENT, "wrong", False),
    ],
)
def test_limits_between_verdicts(analytic: float, found: Slope, verdict: str, flat: bool) -> None:
    check = judge("∂f/∂x", "x = 1", analytic, found)
    assert (check.verdict, check.is_flat) == (verdict, flat)


def test_a_slope_of_at_most_a_millionth_is_written_as_0() -> None:
    for left, text in ((1e-6, "0"), (1.5e-6, "1.5e-06")):
        reason = judge("∂f/∂x", "x = 1", 5.0, Slope(nan, inf, "kink", left=left, right=1.0)).reason
        assert reason == f"it is 5, and this is a kink: the slope is {text} on the left and 1 on the right"


def test_a_domain_that_ends_near_is_named() -> None:
    for reach, reason in ((NEAR, "compared with steps below 0.004, where the domain ends"), (2 * NEAR, "")):
        assert judge("∂f/∂x", "x = 1", 5.0, Slope(5.0, 1e-9, reach=reach)).reason == reason


def test_what_is_not_finite_is_not_rounded() -> None:
    single = Precision("float32", 24)
    assert [single.round(x) for x in (inf, -inf, 1 + 2**-24, 1 + 3 * 2**-24)] == [inf, -inf, 1.0, 1 + 2**-22]
    assert math.isnan(single.round(nan))


def test_a_point_of_more_than_80_characters_is_cut_short() -> None:
    for n in (75, 76):
        assert point_text(["x" * n], [2.0]) == "x" * n + " = 2"
    assert point_text(["x" * 77], [2.0]) == "x" * 77 + " = …"
    assert point_text(["x"] * 30, [2.0] * 30) == "x = 2, " * 11 + "x =…"


def test_arrays_of_integers_are_points_and_arrays_without_a_shape_are_not() -> None:
    assert gradcheck(lambda v: (v * v).sum(), np.array([1, 2]), gradient=lambda v: 2 * v).verdict == "correct"
    with pytest.raises(TypeError, match="pass a real number, an array or nested lists of them"):
        block(array("d", [1.0, 2.0]), "v")


def test_a_diagonal_matrix_is_advised_only_where_it_has_the_shape_that_is_needed() -> None:
    point = Point(["v"], [np.array([1.0, 2.0])])
    for shape, end in (((3,), r"so it should have \(3, 2\)$"), ((2,), r"\(2, 2\); if each .* np.diag\(…\)$")):
        with pytest.raises(ValueError, match=end):
            point.match(np.ones(2), shape)


RIGHT = Check("∂f/∂x", "x = 1", 1.0, 1.0, 2e-16, "correct")


def test_a_report_of_many_comparisons_leaves_some_out() -> None:
    inputs = tuple(replace(RIGHT, name=f"∂f/∂x{i}", verdict="wrong" if i == 11 else "correct") for i in range(13))
    rules = tuple(replace(RIGHT, name=f"∂r{i % 2}/∂x", verdict="wrong") for i in range(14))
    edges = (replace(RIGHT, name="∂tanh/∂x"), *rules, replace(RIGHT, name="∂tanh/∂x"))
    names = [f"∂f/∂x{i}" for i in range(12)]
    for n, first, left_out in ((12, names, 2), (13, ["∂f/∂x11", *names[:11]], 3)):
        lines = str(Report(inputs[:n], edges, "rule")).splitlines()
        assert lines[0] == "wrong: the local derivative ∂r0/∂x is wrong, and 1 more."
        assert [line.split()[0] for line in lines[3:27]] == first + ["∂r0/∂x", "∂r1/∂x"] * 6
        assert lines[27:] == [f"… and {left_out} more", "", "Local derivatives that are correct: tanh 2."]
    assert not RIGHT.is_flat
    for n, more in ((1, ""), (2, ", and so does 1 more"), (3, ", and so do 2 more")):
        assert str(Report(inputs[11:12] * n, (), source="gradient")).startswith(
            f"wrong: ∂f/∂x11 disagrees with the numeric derivative{more}."
        )


def test_a_report_cuts_long_texts_to_its_100_columns() -> None:
    name, at = "∂" + "f" * 58 + "/∂" + "x" * 19, "x = 0." + "1" * 53 + "7"
    rest = "         1        1  2.0e-16  correct"
    for check, texts in (
        (replace(RIGHT, name=name, at=at), f"{name[:10]}…{name[-20:]}  {at[:10]}…{at[-19:]}"),
        (replace(RIGHT, at=at + at), f"∂f/∂x       {(at + at)[:17]}…{(at + at)[-33:]}"),
    ):
        line = str(Report((check,), ())).splitlines()[3]
        assert line == texts + rest and len(line) == 100


def test_a_report_breaks_lines_only_at_spaces() -> None:
    notes = ("x" * 85 + " step-by-step", "y" * 120)
    text = str(Report((RIGHT,), (), notes=notes))
    assert text.endswith(f"\n\nNote: {'x' * 85}\n    step-by-step.\n\nNote:\n    {'y' * 120}.")


@pytest.mark.parametrize(("height", "verdicts"), [(1e-12, ["correct", "wrong"]), (1e-11, ["kink", "kink"])])
def test_a_jump_of_many_last_places_counts_as_rounding(height: float, verdicts: list[str]) -> None:
    def stepped(x: float) -> float:
        return x * x + (height if x >= 1 else 0.0)

    assert [gradcheck(stepped, 1.0, gradient=lambda x, slope=slope: slope).verdict for slope in (2.0, 2.02)] == verdicts
