"""How a box is divided, and what is computed on one piece of it: each small step by itself, with numbers that can be checked.

The idea: however a box is divided, the bounds of a certificate are right, only wider or slower.  So the tests of certificates
notice few faults of this code; here each step is compared with its definition.
"""

from __future__ import annotations

import math
import sys
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from itertools import product
from typing import Any, Final
from unittest.mock import Mock

import pytest
from flint import arb

from autograd import Value, certify, floor, maximum, minimum, relu, sin, sqrt, where
from autograd.certainty import boxes
from autograd.certainty.enclosure import ASSUMED, Enclosure, NoEnclosureError, UndecidedError
from autograd.certainty.intervals import EVERYTHING, between, describe, interval
from autograd.certainty.pieces import VALUE, Piece, halves, joined, longest_side, middle_of
from autograd.certainty.subjects import Box, Subject
from autograd.certainty.tables import LARGEST, Bounds, _decimal

SQUARE: Final = Subject(lambda x, y: x + y, {"x": (0, 1), "y": (0, 4)})


def box(*sides: tuple[float, float]) -> Box:
    """Return a piece of a box."""
    return tuple([between(*side) for side in sides])


def piece(f: Any, **sides: Any) -> Piece:
    """Return the piece that is the whole box of a function."""
    return Piece(Subject(f, sides))


def test_a_box_is_halved_in_the_middle_of_one_side() -> None:
    assert halves(box((0, 2), (0, 4), (5, 6)), 1) == [box((0, 2), (0, 2), (5, 6)), box((0, 2), (2, 4), (5, 6))]
    most = sys.float_info.max
    for side, middle in (((1, 2), 1.5), ((-3, 1), -1), ((3, 3), 3), ((-most, most), 0), ((most / 2, most), most * 0.75)):
        assert middle_of(between(*side)) == interval(middle)


def test_pieces_that_touch_along_a_side_are_joined() -> None:
    apart = [box((0, 1), (0, 1)), box((2, 3), (0, 1))]
    assert joined(apart[::-1]) == apart
    assert joined([box((1, 2), (0, 1)), box((2, 4), (0, 1)), box((0, 1), (0, 1))]) == [box((0, 4), (0, 1))]
    assert joined([box((0, 1), (1, 2)), box((0, 1), (0, 1))]) == [box((0, 1), (0, 2))]
    corners = [box((0, 1), (0, 1)), box((1, 2), (1, 2))]
    assert joined(corners) == corners and joined([]) == []


def test_the_side_to_divide_is_the_longest_or_that_along_which_the_quantity_varies_most() -> None:
    flat, steep = between(-1, 1), between(-10, 2)
    assert longest_side(box((0, 0.5), (0, 4)), SQUARE) == 1 and longest_side(box((0, 1), (0, 2)), SQUARE) == 0
    assert longest_side(box((0, 1), (0, 4)), SQUARE, {0: flat, 1: flat}) == 1  # which is four times as long
    assert longest_side(box((0, 1), (0, 4)), SQUARE, {0: steep, 1: flat}) == 0
    assert longest_side(box((0, 1), (0, 2)), SQUARE, {0: steep, 1: EVERYTHING}) == 0  # the same as without slopes
    assert longest_side(box((0, 1), (0, 2)), SQUARE, {0: EVERYTHING, 1: steep}) == 0
    for share, chosen in ((1 / 64, 0), (1 / 64.5, 1)):  # no side becomes more than 64 times as long as another
        assert longest_side(box((0, share), (0, 4)), SQUARE, {0: between(1e6, 1e6), 1: flat}) == chosen


def test_a_side_is_not_divided_below_the_smallest_share_or_between_neighbouring_floats() -> None:
    for width, chosen in ((2**-40, None), (1.5 * 2**-40, 0)):
        assert longest_side(box((0, width), (1, 1)), SQUARE) == chosen
    next_to_1 = math.nextafter(1, 2)
    for side in ((1, next_to_1), (next_to_1, math.nextafter(next_to_1, 2))):  # the middle is rounded down, or up
        neighbours = Subject(lambda x: x, {"x": side})
        assert longest_side(neighbours.box, neighbours) is None
    assert longest_side(box((1, 1 + 2**-51)), neighbours) == 0


@pytest.mark.parametrize(
    ("f", "sides", "computed", "examined"),
    [
        (lambda x: x * x - x, {"x": (1, 2)}, (-1, 3), (0, 2)),  # monotone
        (lambda x: x - x * x, {"x": (1, 2)}, (-3, 1), (-2, 0)),
        (lambda x: x * x - x, {"x": (0, 1)}, (-1, 1), (-0.75, 0.25)),  # the mean value theorem: -1/4 + [-1, 1]·[-1/2, 1/2]
        (lambda x: x * x - x, {"x": (0.5, 1.5)}, (-1.25, 1.75), (-0.25, 0.75)),  # a slope that begins with 0
        (lambda x, y: x * x - x + y, {"x": (0, 1), "y": (0, 2)}, (-1, 3), (-0.75, 2.25)),
        (lambda x, y: x * y - y, {"x": (1, 2), "y": (1, 2)}, (-1, 3), (0, 2)),
        (lambda x: floor(x) - x, {"x": (0.5, 1.5)}, (-1.5, 0.5), (-1.5, 0.5)),  # a jump: no slope bounds it
        (lambda x: relu(x) - x, {"x": (-1, 1)}, (-2, 2), (0, 1)),  # monotone, through its kink
        (lambda x: x - x, {"x": 3}, (0, 0), (0, 0)),
    ],
)
def test_the_enclosure_of_a_value(f: Any, sides: Any, computed: Any, examined: Any) -> None:
    found = piece(f, **sides)
    assert describe(found.bounds(VALUE)) == describe(between(*computed))
    assert describe(found.enclosure(VALUE)) == describe(between(*examined))


def test_the_enclosure_of_a_gradient() -> None:
    found = piece(lambda x: x**3 - 3 * x, x=(0, 2))
    assert describe(found.bounds(0)) == "[-3, 9]" and {i: describe(x) for i, x in found.slopes(0).items()} == {0: "[0, 12]"}
    two = piece(lambda x, y: x * x * y, x=(1, 2), y=3)
    assert two.moving == [0] and describe(two.bounds(1)) == "[1, 4]" and list(two.slopes(VALUE)) == [0]
    kink = piece(lambda x: x if x > 0.5 else 0.5 * x + 0.25, x=(0, 2))  # two cases: no slope bounds their jump
    assert len(kink.cases) == 2 and describe(kink.enclosure(0)) == "[0.5, 1]" and not kink.is_smooth
    assert kink.examined(0)[1] == 0


def test_corners_and_the_middle() -> None:
    found = piece(lambda x, y: x + y, x=(0, 1), y=(0, 4))
    assert found.corner({0: True}).box == box((1, 1), (0, 4)) and found.corner({0: False, 1: True}).box == box((0, 0), (4, 4))
    assert found.middle.box == box((0.5, 0.5), (2, 2)) and found.middle.moving == []
    assert found.size == 2 and found.is_smooth and not found.is_condition
    assert piece(lambda x: x > 0, x=(-1, 1)).is_condition


def test_a_choice_that_is_open_is_narrowed_by_its_condition() -> None:
    x = Enclosure.leaf(between(-2, 3), "x")
    one = Enclosure.leaf(between(1, 1))
    for made, bounds, smooth in (
        (where(x > 0, x, 0), (0, 3), True), (where(x > 0, 0, x), (-2, 0), True), (where(x < 0, x, 0), (-2, 0), True),
        (where(x > 1, x, one), (1, 3), True), (maximum(x, 1), (1, 3), True), (minimum(x, 1), (-2, 1), True),
        (where(x > 0, 2 * x, 0), (-4, 6), True), (where(x > 0, x, 5), (0, 5), False), (where(x, 1, 2), (1, 2), False),
        (where(x > 4, 7, x), (-2, 3), True), (where(2 * x > 0, x, 0), (-2, 3), False),
    ):  # fmt: skip
        assert (describe(made.bounds), made.is_smooth) == (describe(between(*bounds)), smooth), made.operands
    assert f"{x:>5}" == repr(x) == "Enclosure([-2, 3])"
    assert repr(where(x > -3, 7, x)) == "Enclosure(7)"
    assert [y.bounds.truth for y in (x > 0, x > 4, x, one)] == [None, False, None, True]


def test_every_place_that_stays_open_is_named() -> None:
    claim = certify(lambda x: floor(x), x=(0.5, 2.5)).monotone()
    assert claim.verdict == "undecided" and [round(place["x"][1], 9) for place in claim.where] == [1, 2]
    three = certify(lambda x: floor(x), x=(0.5, 4.5)).monotone()
    assert len(three.where) == 4 and str(three).endswith("; and 1 more piece")


def test_bounds_say_by_how_much_they_may_be_too_wide() -> None:
    shares = {row[0]: row[3] for row in certify(lambda x: x * x, x=(1, 2))._table.rows}
    assert shares == {"value": "0.0%", "∂x": "0.0%"}
    steep = {row[0]: row[1:] for row in certify(sqrt, x=(0, 1))._table.rows}
    assert steep["value"] == ("0", "1", "0.0%") and 0.485 < float(steep["∂x"][0]) <= 0.5 and steep["∂x"][1] == "∞"


def test_an_enclosure_has_no_other_attributes_than_a_node() -> None:
    x = Enclosure.leaf(between(1, 2), "x")
    for name, words in (("data", "it stands for all numbers"), ("grad", "it stands for all numbers"), ("nonsense", "nonsense")):
        with pytest.raises(AttributeError, match=words):
            getattr(x, name)


@pytest.mark.parametrize(
    ("low", "high", "digits", "text"),
    [
        (1, 1, 5, "1"), (0.5, 0.5, 17, "0.5"), (-1, 2, 5, "[-1, 2]"), (100, 250, 5, "[100, 250]"),
        (1 / 3, 1 / 3, 4, "0.333[3,4]"), (-1 / 3, -1 / 3, 4, "-0.333[4,3]"), (2 / 3, 2 / 3, 3, "[0.666, 0.667]"),
        (0.0001234, 0.0001234, 2, "[0.00012, 0.00013]"), (0.25, math.inf, 3, "[0.25, ∞]"), (-math.inf, 4, 3, "[-∞, 4]"),
        (1e-9 / 3, 1e-9 / 3, 5, "3.333[3,4]E-10"), (123456, 123456, 3, "1.2[3,4]E+5"), (0, 0, 3, "0"),
        (0.0123, 0.0128, 3, "[0.0123, 0.0129]"), (0.01233, 0.01237, 4, "0.0123[3,8]"), (-math.inf, math.inf, 3, "[-∞, ∞]"),
    ],
)  # fmt: skip
def test_bounds_are_rounded_outward_and_the_digits_that_they_share_are_written_once(
    low: float, high: float, digits: int, text: str
) -> None:
    assert str(Bounds.of(between(low, high), digits)) == text


def test_an_enclosure_is_neither_a_number_nor_a_condition_by_itself() -> None:
    x = Enclosure.leaf(between(1, 2))
    for y in (x, x * x, x - 1):
        with pytest.raises(TypeError, match="is a number, not a condition"):
            bool(y)
        with pytest.raises(NoEnclosureError, match="cannot become a float"):
            float(y)
        with pytest.raises(TypeError, match="maximum cannot be applied to operands of types Enclosure, object"):
            maximum(y, object())
    assert bool(x > 0) and not bool(x > 2)
    with pytest.raises(UndecidedError, match="is open on this interval"):
        bool(x > 1.5)


def test_a_comparison_that_is_repeated_is_decided_once() -> None:
    def repeated(x: Any) -> Any:
        one = x if x > 0 else -x
        other = 1 if not x <= 0 else 2
        return where(x > 0, one, 3 * one) + (other if x > 0 else other * 10)

    found = piece(repeated, x=(-1.0, 2.0))
    # Within a case the sign of the argument is known, though its interval is that of the whole piece.
    assert sorted(describe(case.quantity(VALUE).bounds) for case in found.cases) == ["[0, 3]", "[14, 23]"]
    assert {describe(x) for case in found.cases for x in case.slopes(VALUE).values()} == {"1", "-3"}


def test_assumptions_end_with_the_case() -> None:
    piece(lambda x: x if x > 0 else -x, x=(-1.0, 2.0))
    assert ASSUMED.get() is None


def test_a_claim_about_one_of_several_arguments_names_it() -> None:
    product = certify(lambda x, y: x * y, x=(0, 1), y=(0, 2))
    with pytest.raises(TypeError, match="2 arguments have an interval; name one"):
        product.monotone()
    assert product.monotone("y") and certify(lambda x, y: x * y, x=(0, 1), y=2).monotone()


def test_a_lipschitz_constant_may_be_small_or_0() -> None:
    quarter = certify(lambda x: x / 4, x=(0, 1))
    assert [quarter.lipschitz(bound).verdict for bound in (0, 0.2, 0.25)] == ["refuted", "refuted", "proved"]
    assert certify(lambda x: x - x, x=(0, 1)).lipschitz(0)


def test_the_derivative_of_a_leaf_with_respect_to_itself_is_1() -> None:
    x = Value(0.1, "x")
    low, high = certify(x).bounds(x)
    assert certify(x).backward == [1.0] and low == high == 1


def test_advice_about_pairs_is_for_errors_of_python_only() -> None:
    with pytest.raises(TypeError, match="autograd's functions") as caught:
        certify(lambda x: math.sin(x[0]), x=[(0, 1)])
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("most", [10, 40])
def test_the_work_for_a_bound_or_a_claim_is_limited(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Box]()

    def counted(whole: Box, side: int) -> list[Box]:
        made.append(whole)
        return halves(whole, side)

    monkeypatch.setattr(boxes, "MOST_PIECES", most)
    monkeypatch.setattr(boxes, "FEWEST_PIECES", 1)
    monkeypatch.setattr(boxes, "halves", counted)
    certificate = certify(lambda x: sin(1 / x) / x, x=(1e-6, 1.0))
    assert len(made) == most / 2 and "the limit on the work was reached" in str(certificate)
    made.clear()
    assert certificate.claim(lambda value: value < 5e5).verdict == "undecided" and len(made) <= most / 2


def test_work_that_cannot_change_a_bound_or_a_claim_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = Mock(wraps=halves)
    monkeypatch.setattr(boxes, "halves", cut)
    certificate = certify(lambda x, y: 1 / (0.3 * x - y), x=(0, 1), y=(0.1, 2))
    assert certificate.value == (-math.inf, math.inf) and cut.call_count == 80  # one piece without a bound, divided to the end
    jumps = certify(lambda x: x + floor(x), x=(0.5, 1.6))
    monkeypatch.setattr(Piece, "examined", None)  # the derivative is 1 as computed; slopes of slopes cannot add to that
    assert jumps.monotone().verdict == "undecided" and not jumps.monotone().where[0]["x"][0] > 1


@pytest.mark.parametrize("exponent", [-1000, -70, -1, 0, 1, 70, 1000])
def test_a_bound_is_the_nearest_decimal_with_this_many_digits(exponent: int) -> None:
    for mantissa, digits in product((1, 7, 41042571, 2**52 + 1), (1, 3, 17, 60)):
        exact, number = Fraction(mantissa) * Fraction(2) ** exponent, (arb(mantissa) * arb(2) ** exponent).mid()
        low, high = _decimal(number, digits, ROUND_FLOOR), _decimal(number, digits, ROUND_CEILING)
        assert _decimal(-number, digits, ROUND_FLOOR) == high.copy_negate()
        assert _decimal(-number, digits, ROUND_CEILING) == low.copy_negate()
        if low == high:
            assert Fraction(low) == exact
        else:
            assert Fraction(low) < exact < Fraction(high)
            assert Fraction(high) - Fraction(low) == Fraction(10) ** (low.adjusted() - digits + 1)
            assert len(low.as_tuple().digits) == digits  # a zero at the end is a digit too


def test_bounds_beyond_every_exponent() -> None:
    huge = (3 * arb(2) ** (2 * LARGEST)).mid()
    tiny = (1 / huge).mid()
    assert _decimal(huge, 3, ROUND_CEILING) == -_decimal(-huge, 3, ROUND_FLOOR) == math.inf
    assert _decimal(tiny, 3, ROUND_FLOOR) == _decimal(-tiny, 3, ROUND_CEILING) == 0
    last = (arb(2) ** LARGEST).mid()
    assert str(_decimal(last, 3, ROUND_CEILING)) == "2.01E+19728" and str(_decimal(1 / last, 3, ROUND_FLOOR)) == "4.99E-19729"
    # The bounds are 2^±65536: 65536·log₁₀2 is 19728.3.
    assert str(_decimal(huge, 3, ROUND_FLOOR)) == str(-_decimal(-huge, 3, ROUND_CEILING)) == "2.00E+19728"
    assert str(_decimal(tiny, 3, ROUND_CEILING)) == str(-_decimal(-tiny, 3, ROUND_FLOOR)) == "5.00E-19729"


def test_nothing_is_known_of_a_value_that_depends_on_too_many_branches() -> None:
    def stairs(x: Any) -> Any:
        return sum((1 if x > k else 0) for k in range(6)) + x

    found = piece(stairs, x=(0.5, 4.5))
    assert found.bounds(VALUE)[:2] == EVERYTHING[:2] and not found.is_smooth
    assert found.slopes(VALUE)[0][:2] == found.slopes(0)[0][:2] == EVERYTHING[:2]
    assert describe(piece(stairs, x=(2.25, 2.75)).bounds(VALUE)) == "[5.25, 5.75]"


def test_a_claim_may_have_numbers_of_its_own() -> None:
    square = certify(lambda x: x * x, x=(-1, 2))
    assert [bool(square.claim(lambda value, limit=limit: value <= limit)) for limit in (3, 4, 5)] == [False, True, True]
