"""What is known of a range while a box is divided, and how much work it takes: each quantity compared with its definition."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from flint import arb

from autograd import arcsin, relu, sqrt, total
from autograd.certainty.boxes import _beyond, _corners, _limit, _Range
from autograd.certainty.enclosure import Enclosure
from autograd.certainty.intervals import EVERYTHING, Interval, between, describe, interval
from autograd.certainty.pieces import VALUE, Piece
from autograd.certainty.points import _is_narrow, _is_singular
from autograd.certainty.subjects import Subject


def reached(*values: Interval) -> _Range:
    """Return a range whose values at some points are known."""
    found = _Range()
    for x in values:
        found.add(x)
    return found


def test_how_far_an_interval_goes_beyond_two_ends() -> None:
    for side, low, high, beyond in (
        ((0, 5), 1, 3, (1, 2)), ((2, 2.5), 1, 3, (0, 0)), ((2, 5), 1, 3, (0, 2)), ((0, math.inf), -1, math.inf, (0, 0)),
        ((-math.inf, 1), -math.inf, 0, (0, 1)), ((0, math.inf), 0, 3, (0, math.inf)),
    ):  # fmt: skip
        assert tuple(map(float, _beyond(between(*side), arb(low), arb(high)))) == beyond


def test_a_range_is_known_from_points_and_from_pieces_that_are_not_divided_further() -> None:
    found = reached(interval(3.0), interval(1.0), EVERYTHING, between(0, math.inf))  # the last two say nothing
    assert (float(found.low), float(found.high)) == (1, 3)
    assert float(found.excess(between(0.5, 3.25))) == 0.5 and float(found.excess(between(1.5, 2))) == 0
    assert found.share(between(0.5, 3.25)) == 0.375 and found.share(between(1, 3)) == 0
    assert float(found.tolerance) == pytest.approx(0.03, rel=1e-8)  # half of 3 percent, on each side
    found.allow(between(0.75, 2))
    assert float(found.excess(between(0.5, 3.25))) == 0.25 and found.share(between(0.5, 3.25)) == 0.375
    found.allow(between(2, 3.25))
    assert float(found.excess(between(0.5, 3.5))) == 0.25


def test_the_range_of_a_constant_is_what_its_values_have_in_common() -> None:
    found = reached(between(0.9, 1.1), between(1.0, 1.2))
    assert found.share(between(1.0, 1.1)) == 0 and found.share(between(0.9, 1.2)) == math.inf
    assert float(found.tolerance) == pytest.approx(0.015 * 1.1e-10)
    assert reached(interval(2.0)).share(between(2, 2)) == 0 and reached(interval(2.0)).share(between(2, 3)) == math.inf
    assert reached().share(between(0, 1)) == math.inf
    assert reached(interval(0.0), interval(1e-9)).share(between(0, 2e-9)) == pytest.approx(1)


def test_the_width_of_a_half_infinite_range_is_the_size_of_its_finite_end() -> None:
    for sign in (1.0, -1.0):
        found = reached(interval(sign * 4), interval(sign * math.inf))
        assert float(found.tolerance) == 0.06
        assert found.share(between(*sorted((sign * 2, sign * math.inf)))) == 0.5


@pytest.mark.parametrize(("size", "pieces"), [(1, 2500), (12, 2500), (13, 2307), (100, 300), (468, 64), (10_000, 64)])
def test_the_number_of_pieces_depends_on_the_size_of_the_function(size: int, pieces: int) -> None:
    whole: Any = SimpleNamespace(size=size)
    assert _limit(whole) == pieces


def test_corners_are_those_of_six_sides_and_the_middle_of_the_others() -> None:
    names = "abcdefgh"
    whole = Piece(Subject(lambda **x: total([*x.values()]), dict.fromkeys(names, (0, 2)) | {"a": 5}))
    corners = [tuple(float(x.low) for x in corner.box) for corner in _corners(whole)]
    assert len(set(corners)) == 64 and {(corner[0], corner[7]) for corner in corners} == {(5, 1)}
    assert {x for corner in corners for x in corner[1:7]} == {0, 2} and all(not corner.moving for corner in _corners(whole))


@pytest.mark.parametrize(("most", "bounds", "cases"), [(3, "[-0.5, 5.5]", 8), (4, "[-∞, ∞]", 8)])
def test_at_most_three_comparisons_are_split_into_cases(most: int, bounds: str, cases: int) -> None:
    def stairs(x: Any) -> Any:
        return sum((1 if x > k else 0) for k in range(most)) + x

    found = Piece(Subject(stairs, {"x": (-0.5, most - 0.5)}))
    assert describe(found.bounds(VALUE)) == bounds and len(found.cases) == cases
    bends = Piece(Subject(lambda x: total([relu(x - k) for k in range(most)]), {"x": (-0.5, most - 0.5)}))
    assert len(bends.cases) == (8 if most == 3 else 1)  # without an `if`, more comparisons are not worth cases


def test_digits_are_known_where_an_interval_is_narrower_than_a_tenth_of_the_last_one() -> None:
    for low, high, digits, is_narrow in (
        (1, 1.0009, 2, True), (1, 1.002, 2, False), (-1.0009, -1, 2, True), (1000, 1000.9, 2, True), (2, 2, 9, True),
        (0, 0, 2, True), (0, 1e-9, 2, False), (-1e-9, 1e-9, 2, False), (1, math.inf, 2, False), (1, 1.00009, 3, True),
    ):  # fmt: skip
        assert _is_narrow(between(low, high), digits) is is_narrow


def test_a_point_is_singular_where_a_rule_states_an_infinite_slope() -> None:
    for row, side, is_singular in (
        (sqrt, (0, 0), True), (sqrt, (1, 1), False), (sqrt, (0, 1), False), (arcsin, (-1, -1), True), (relu, (0, 0), False),
    ):  # fmt: skip
        assert _is_singular(row, [Enclosure.leaf(between(*side))]) is is_singular
    assert _is_singular(sqrt, [0.0]) and not _is_singular(sqrt, [1.0])
