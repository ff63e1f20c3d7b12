"""How rules are compared with their functions on the pieces of a box: each small step by itself, with numbers to check.

The idea: verdicts stay right where a comparison is less sharp than it could be, or a box is divided elsewhere.  So here the
means, the shares and the first pieces are compared with their definitions.
"""

from __future__ import annotations

import math
from typing import Any, Final

import pytest

from autograd import DomainError, Unary, Value, floor, gradcheck, log, primitives, relu, sin, tanh, where
from autograd.certainty import rules
from autograd.certainty.intervals import between, describe
from autograd.certainty.rules import BoxReport, RuleOnBox, Spread, Verdict, _has_kink, _mean, _rule, _Search, _share, _volume
from autograd.certainty.subjects import Subject

CUBE: Final = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * x * x)


def box(*sides: tuple[float, float]) -> tuple[Any, ...]:
    """Return a piece of a box."""
    return tuple([between(*side) for side in sides])


def test_the_mean_of_a_rule_on_a_segment() -> None:
    # Around the middle m, with slopes between s and t on a length h, it is r(m) ± (t - s)·h/8.
    for row, sides, i, values, mean in (
        (primitives.square, box((1, 2)), 0, "[2, 4]", "3"),
        (CUBE, box((0, 2)), 0, "[0, 12]", "[0, 6]"),  # 3 ± 12·2/8
        (CUBE, box((1, 2)), 0, "[3, 12]", "[6, 7.5]"),  # 6.75 ± 6·1/8
        (primitives.multiply, box((1, 2), (3, 5)), 0, "[3, 5]", "[3, 5]"),
        (primitives.divide, box((4, 4), (1, 2)), 1, "[-4, -1]", "[-2.65278, -1]"),  # -4/2.25 ± (8 - 1)·1/8
        (relu, box((-1, 2)), 0, "[0, 1]", "[0, 1]"),  # at a kink the rule has two values
        (primitives.positive, box((-1, 2)), 0, "1", "1"),
        (log, box((-1, 2)), 0, "[-∞, ∞]", "[-∞, ∞]"),
    ):
        assert (describe(_rule(row, sides, i)), describe(_mean(row, sides, i))) == (values, mean), row
    assert describe(_rule(Unary("reciprocal", CUBE.function, lambda x, out: 1 / x), box((0, 0)), 0)) == "[-∞, ∞]"


def test_shares_and_volumes() -> None:
    assert [_share(between(*side), size) for side, size in (((1, 3), 4.0), ((1, 3), 0.0), ((2, 2), 0.0))] == [0.5, math.inf, 0]
    subject = Subject(lambda x, y, z: x, {"x": (0, 2), "y": (0, 1), "z": 3})
    assert _volume(subject.box, subject) == 1 and _volume(box((1, 1.5), (0, 0.5), (3, 3)), subject) == 0.125


def test_a_kink_is_on_the_pieces_that_contain_it() -> None:
    for side, is_on in (((-1, 1), True), ((0, 1), True), ((-1, 0), True), ((0.5, 1), False), ((-2, -1), False)):
        assert _has_kink(relu, box(side)) is is_on and not _has_kink(tanh, box(side))


@pytest.mark.parametrize(
    ("row", "sides", "scale", "spread"),
    [
        (CUBE, box((0, 2)), 4.0, Spread(3.0, 1.5)),  # values in [0, 12], the mean in [0, 6]; the slope is 4
        (CUBE, box((1, 2)), 7.0, Spread(0.75, 0.125)),
        (relu, box((-1, 1)), 0.5, Spread(2.0, 2.0, is_kink=True)),
        (relu, box((1, 2)), 1.0, Spread()),
        (floor, box((0.5, 1.5)), 1.0, Spread(math.inf, math.inf)),  # a jump proves nothing
        (log, box((0, 1)), 0.0, Spread(math.inf, math.inf)),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_by_what_share_a_rule_varies_on_a_piece(row: Unary, sides: Any, scale: float, spread: Spread) -> None:
    search = _Search(Subject(lambda x: x, {"x": (-1, 2)}))
    assert search._compare((row, 0), sides) == (spread, "") and search.scales == {(row, 0): scale}


def test_a_rule_that_is_nearly_0_is_compared_with_a_sixteenth_of_the_largest_slope() -> None:
    search, rule = _Search(Subject(lambda x, y: x, {"x": (0, 1), "y": (0, 1)})), (primitives.multiply, 0)
    assert search._compare(rule, box((0, 1), (0.5, 1)))[0] == Spread(0.5, 0.0) and search.scales == {rule: 0.75}
    assert search._compare(rule, box((0, 1), (0.0, 0.25)))[0] == Spread(1 / 3, 0.0)  # of 0.75, since 0 is among the values
    assert search._compare(rule, box((0, 1), (2**-6, 2**-5)))[0].pointwise == 2**-6 / (0.75 / 16)
    alone = _Search(Subject(lambda x: x, {"x": (0, 1)}))
    alone.scales[rule] = 0.75
    assert alone._compare(rule, box((0, 1), (2**-6, 2**-5)))[0].pointwise == 0.5


@pytest.mark.parametrize("most", [2, 8])
def test_the_pieces_on_which_rules_vary_most_are_divided_first(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "FEWEST_PIECES", most)
    monkeypatch.setattr(rules, "MOST_PIECES", most)
    search = _Search(Subject(CUBE, {"x": (1, 3)}))
    ends = {2: [1, 2], 8: [1, 1.25, 1.5, 2, 2.5]}[most]
    assert sorted(float(entry[2][0].low) for entry in search.heap) == ends


def test_a_box_is_divided_into_256_pieces_and_further_where_a_rule_varies_by_more_than_a_hundredth() -> None:
    fourth = Unary("fourth", lambda x: x * x * x * x, lambda x, out: 4 * x * x * x)
    found = _Search(Subject(fourth, {"x": (1, 2)}))  # on a width h the rule varies by the share 3h/x
    assert {_volume(entry[2], found.subject) for entry in found.heap} == {1 / 256, 1 / 512}
    spreads = [spread.pointwise for *_, pieces in found.heap for spread in pieces.values()]
    assert 0.0095 < max(spreads) <= 0.01
    assert 1.1 < max(float(entry[2][0].high) for entry in found.heap if _volume(entry[2], found.subject) < 1 / 256) < 1.2


@pytest.mark.parametrize(
    ("spread", "verdict", "sharpness"),
    [
        (Spread(0.5, 0.25), "correct", 0.5),
        (Spread(0.5, 0.26), "undecided", math.inf),
        (Spread(2.0, 2.0, is_kink=True), "correct", 0.125),  # at a kink its slopes show nothing about errors
        (Spread(math.inf, math.inf, is_kink=True), "undecided", math.inf),
    ],
)
def test_a_rule_is_judged_where_its_mean_is_known_to_a_quarter(spread: Spread, verdict: str, sharpness: float) -> None:
    search, key = _Search(Subject(lambda x: x, {"x": (0, 1)})), (tanh, 0)
    search.heap, search.settled = [], [(box((0, 0.5)), {key: spread}), (box((0.5, 1)), {key: Spread(0.125, 0.1)})]
    found = search._verdict(key)
    assert (found.name, found.verdict, found.sharpness) == ("∂tanh/∂x", verdict, sharpness)
    assert found.where == (() if verdict == "correct" else ({"x": (0.0, 0.5)},))


def test_verdicts_on_a_box() -> None:
    untyped: Any = gradcheck
    x = Value(1.5, label="x")
    assert str(gradcheck(x * 3 + 2, box={"x": (1, 2)})) == (
        "correct: 2 rules agree with the functions on x ∈ [1, 2]\nrule          verdict  sharpness  where\n"
        "∂multiply/∂x  correct  0.0%\n∂add/∂x       correct  0.0%"
    )
    with pytest.raises(TypeError, match="neither a point"):
        untyped(tanh, 1.0, box={"x": (0, 1)})
    with pytest.raises(TypeError, match="it is a dict"):
        untyped(tanh, box=(0, 1))
    with pytest.raises(ValueError, match="depends on none"):
        gradcheck(lambda x: 3.0, box={"x": (0, 1)})
    with pytest.raises(ValueError, match="no argument has an interval: x = 1"):
        gradcheck(tanh, box={"x": 1})
    with pytest.raises(DomainError, match="log is undefined at x ∈"):
        gradcheck(log, box={"x": (-2, -1)})
    assert str(gradcheck(lambda x: x, box={"x": (0, 1)})).startswith("correct: no rule is used on x ∈ [0, 1]")
    assert gradcheck(lambda x: where(x > -1, x, 1), box={"x": (0, 1)}).rules == ()


def test_titles_distinguish_one_rule_from_several() -> None:
    titles: list[tuple[Verdict, str]] = [
        ("wrong", "the rule r0 is not the derivative of the function"),
        ("wrong", "the rules r0, r1 are not the derivative of the function"),
        ("undecided", "r0 cannot be judged everywhere"),
        ("correct", "1 rule agrees with the function"),
        ("correct", "2 rules agree with the functions"),
    ]
    for verdict, title in titles:
        count = 2 if "r1" in title or "2" in title else 1
        these = [RuleOnBox(f"r{i}", verdict, 0.125) for i in range(count)]
        found = BoxReport((*these, RuleOnBox("s", "correct", 0.25)) if verdict != "correct" else (*these,), "x = 1")
        shown = [line.split()[1:3] for line in str(found).splitlines()[2 : 2 + count]]
        assert str(found).startswith(f"{verdict}: {title} on x = 1\n") and found.verdict == verdict
        assert shown == [[verdict, "12.5%"] if verdict == "correct" else [verdict]] * count


def test_a_wrong_rule_is_reported_with_its_piece_and_its_mean() -> None:
    far = Unary("far", lambda x: sin(x) * 0 + x * x, lambda x, out: 3 * x)
    report = gradcheck(far, box={"x": (1, 2)})
    [rule] = report.rules
    assert rule.where == ({"x": (1.0, 2.0)},) and rule.sharpness == math.inf
    assert rule.reason == "x ∈ [1, 2]: x ∈ [1, 2] the rule's mean is 4.5, the slope's 3"
