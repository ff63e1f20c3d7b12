"""What may be certified: constants in disguise, containers of all kinds; and what is refused."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Unary, Value, certify, cos, exp, gradcheck, log, sigmoid, sin, sqrt, where
from autograd.certainty import boxes
from autograd.certainty.enclosure import Enclosure
from autograd.certainty.intervals import interval
from autograd.certainty.subjects import Subject


def rows_of(certificate: Any) -> list[list[str]]:
    """Return the rows of a certificate's table: name, lower bound, upper bound and share."""
    return [line.split() for line in str(certificate).splitlines()[2:4]]


# Ranges of width 0


@pytest.mark.parametrize(
    ("f", "value", "is_flat"),
    [
        (lambda x: x / x, 1, False),
        (lambda x: sin(x) ** 2 + cos(x) ** 2, 1, False),
        (lambda x: (x * x) / x - x, 0, False),
        (lambda x: x * x - x * x, 0, True),
        (lambda x: exp(x) / exp(x), 1, False),
        (lambda x: sigmoid(x) + sigmoid(-x), 1, False),
        (lambda x: log(exp(x)) - x, 0, False),
        (lambda x: where(x - x, 1, x / x), 1, False),
    ],
)
def test_bounds_wider_than_a_range_of_width_0_have_an_infinite_excess(
    f: Any, value: float, is_flat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "MOST_PIECES", boxes.FEWEST_PIECES)
    of_value, of_slope = rows_of(certify(f, x=(1, 2)))
    assert [of_value[0], of_value[3]] == ["value", "∞"] and float(of_value[1]) <= value <= float(of_value[2])
    assert [of_slope[0], of_slope[3]] == ["∂x", "0.0%" if is_flat else "∞"]
    assert float(of_slope[1]) <= 0 <= float(of_slope[2])


def test_bounds_that_are_exact_up_to_rounding_need_no_more_work() -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x)
        return sin(x * 0 + 1) + x * (sin(x * 0 + 2) - sin(x * 0 + 2))

    assert [row[3] for row in rows_of(certify(f, x=(1, 2)))] == ["0.0%", "0.0%"] and len(calls) < 100
    assert rows_of(certify(lambda x: x.sin() / 3 - 0.1 * x, x=1))[1][3] == "0.0%"


@pytest.mark.parametrize(
    ("f", "box", "value", "slope"),
    [
        (lambda x: exp(1000 * x), (1, 2), "0.0%", "0.0%"),  # beyond the largest float
        (lambda x: sqrt(x) ** 2, 0, "0.0%", "∞"),  # 0·∞: nothing is known about the slope
        (lambda x: sqrt(x), 0, "0.0%", "0.0%"),  # the slope is ∞
        (lambda x: where(x, x, x), (-1, 1), "0.0%", "∞"),
    ],
)
def test_shares_of_ranges_at_infinity(f: Any, box: Any, value: str, slope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "MOST_PIECES", boxes.FEWEST_PIECES)
    assert [row[3] for row in rows_of(certify(f, x=box))] == [value, slope]


# Random numbers


RNG = np.random.default_rng(0)


@dataclass
class Noisy:
    """An unhashable model that draws from its own generator, or does not draw if the scale is 0."""

    rng: random.Random
    scale: float

    def __call__(self, x: Any) -> Any:
        """Return x with noise, or x² without noise if the scale is 0."""
        return x + self.scale * self.rng.random() if self.scale else x * x


careless = Unary("careless", lambda x: x, lambda x, out: random.random())
noisy = Unary("noisy", lambda x: x + random.random(), lambda x, out: 1.0)


@pytest.mark.parametrize(
    "use",
    [
        lambda: certify(lambda x: x + random.random(), x=(0, 1)),
        lambda: certify(lambda x: x + np.random.rand(), x=(0, 1)),
        lambda: certify(lambda x: x * RNG.normal(), x=1),
        lambda: certify(lambda x: x < random.random(), x=(0, 1)),
        lambda: certify(Noisy(random.Random(0), 1.0), x=(0, 1)),
        lambda: certify(noisy, x=(0, 1)),
        lambda: certify(careless(Value(1.0, "x")) * 2, x=(0, 1)),
        lambda: certify(noisy(Value(1.0, "x")) * 2, x=(0, 1)),
        lambda: certify(lambda x: x * x, x=(0, 1)).claim(lambda value: value > random.random() - 2),
        lambda: gradcheck(lambda x: x * x + random.random(), box={"x": (0, 1)}),
        lambda: gradcheck(noisy(Value(1.0, "x")), box={"x": (0, 1)}),
    ],
)
def test_nothing_is_proved_about_random_numbers(use: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="draws random numbers"):
        use()


def test_a_function_that_could_draw_but_does_not_is_certified() -> None:
    certificate = certify(Noisy(random.Random(0), 0.0), x=(0, 1))
    assert random.random() < 1  # other code draws between two certified bounds
    assert certificate.value == (0, 1) and certificate.bounds("x") == (0, 2) and certificate.monotone()


# Arguments


class Pair(NamedTuple):
    """A container that is a tuple, but not an interval."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Line:
    """A container with names."""

    slope: Any
    start: Any


@pytest.mark.parametrize(
    ("v", "value"),
    [
        (np.array([1.0, 2.0]), (0, 3)),
        (np.array([1, 2]), (0, 3)),
        (np.array([(1, 1.5), 2.0, None][:2], dtype=object), (0, 3.5)),
        ([(1, 1.5), 2.0], (0, 3.5)),
        (Pair((1, 1.5), 2.0), (0, 3.5)),
        (Pair(1.0, 2.0), (0, 3)),
        ([Value(1.0), Value(2.0)], (0, 3)),
        ((Value(1.0), Value(2.0)), (0, 3)),
    ],
)
def test_an_argument_is_any_tree_of_numbers_and_pairs(v: Any, value: tuple[float, float]) -> None:
    assert certify(lambda v, x: v[0] * x + v[1] * x, v=v, x=(0, 1)).value == value


def test_a_series_of_pandas() -> None:
    pandas: Any = pytest.importorskip("pandas")
    for v, value in ((pandas.Series([1.0, 2.0]), (0, 3)), (pandas.Series([(1, 1.5), 2.0], dtype=object), (0, 3.5))):
        assert certify(lambda v, x: v[0] * x + v[1] * x, v=v, x=(0, 1)).value == value


def test_an_array_in_the_box_of_a_check() -> None:
    assert gradcheck(lambda v, x: v[0] * x + v[1], box={"v": np.array([1.0, 2.0]), "x": (0, 1)})


def test_other_containers() -> None:
    assert certify(lambda v: v.slope * v.start, v=Line((0, 1), 2.0)).subject.names == ("v.slope", "v.start")
    assert certify(lambda v: (v[0] * v[1]).sum(), v=(np.array([1.0, 2.0]), np.array([3.0, 4.0]))).value == (11, 11)
    assert certify(lambda v: v @ v, v=np.array([1.0, 2.0])).value == (5, 5)
    assert certify(lambda v: v * 2, v=np.array(3.0)).value == certify(lambda v: v * 2, v=np.float64(3.0)).value == (6, 6)
    assert certify(lambda x: x * 2, x=(np.float64(1.0), np.array(3.0))).value == (2, 6)
    ring: list[Any] = [1.0]
    ring.append(ring)
    for bad, message in ((ring, "contains itself"), ({1.0, 2.0}, "v is a set"), ([()], r"v\[0\] = \(\) has no numbers")):
        with pytest.raises((TypeError, ValueError), match=message):
            certify(lambda v: v[0], v=bad)


@pytest.mark.parametrize("use", [lambda x: round(x, 2), round, math.trunc, int, float, complex, lambda x: [1.0, 2.0][x]])
def test_an_interval_is_not_a_number(use: Any) -> None:
    for x in ((0, 1), 1):
        with pytest.raises(TypeError, match=r"Enclosure\(.*it stands for all numbers of an interval; use autograd's functions"):
            certify(lambda x: use(x), x=x)
    leaf = Enclosure.leaf(interval(1.0))
    for name in ("data", "_number", "grad"):
        with pytest.raises(AttributeError, match=f"has no {name.lstrip('_')}: here it stands for all numbers"):
            getattr(leaf, name)
        with pytest.raises(AttributeError):
            setattr(leaf, name, 2.0)


def test_a_function_has_a_name_and_a_side_may_be_one_number() -> None:
    w = Value(0.5, label="w")
    named, unnamed = w * 2, w * 3
    named.label = "loss"
    assert Subject(sin, {"x": (0, 1)}).title == "sin"
    for f, title in ((lambda w: w, "f"), (named, "loss"), (unnamed, "f")):
        assert Subject(f, {"w": (0, 1)}).title == title
    point = Subject(lambda x, y: x, {"x": (1, 1), "y": (1, 2)})
    assert point.moving == (1,) and point.text(point.box) == "x = 1, y ∈ [1, 2]"


def test_numbers_that_are_not_floats_are_enclosed() -> None:
    third = Fraction(1, 3)
    assert certify(lambda x: 3 * x, x=(third, 2 * third)).value.high >= 2
    assert not certify(lambda x: 3 * x < 2, x=2 * third) and not certify(lambda x: 3 * (x * third) < x, x=2)
    assert certify(lambda x: x - 2**53, x=2**53 + 1).value.high >= 1
    assert certify(lambda x: x - (2**53 + 1), x=(0, 2**53)).value.low <= -(2**53) - 1
    assert certify(lambda x: 4 * x <= 3, x=Fraction(3, 4)) and certify(lambda x: 4 * x <= 3, x=Decimal("0.75"))
    tenth = Decimal("0.1")
    assert certify(lambda x: 10 * x, x=(-tenth, tenth)).value.high >= 1 and not certify(lambda x: 10 * x <= 1, x=tenth)
    with pytest.raises(ValueError, match=r"^x = \(-inf, 1.0\) is not finite; a box has finite sides$"):
        certify(sin, x=(Decimal("-1e400"), Decimal(1)))


class ByName(dict[str, Any]):
    """A dict whose items are attributes too, and that raises a KeyError for any other."""

    __getattr__ = dict.__getitem__


def test_a_dict_may_raise_its_own_error_for_attributes() -> None:
    assert certify(lambda p: p.w * p.b, p=ByName(w=(1, 2), b=3)).value == (3, 6)


def test_the_bounds_of_a_certificate_are_the_sides_of_another() -> None:
    inner = certify(sin, x=(0.1, 0.2))
    assert certify(lambda x: x * x, x=inner.value).value.low <= math.sin(0.1) ** 2
    assert certify(lambda pairs: pairs[0] - pairs[1], pairs=[inner.value, inner.bounds("x")]).value.high < 0
    w = Value(0.3, label="w")
    low, high = certify(lambda x: 2 * x, x=certify(sin(w)).value).value
    assert low < 2 * Decimal(math.sin(0.3)) < high


@pytest.mark.parametrize("f", [lambda x: 5 if x in {0.0} else x, lambda x: {0.0: 5}.get(x, x), lambda x: len({x, +x})])
def test_an_interval_is_not_looked_up_in_a_set_or_a_dict(f: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"^Enclosure\(\[-1, 1\]\) cannot be looked up in a set or a dict: here it stands for"):
        certify(f, x=(-1, 1)).claim(lambda value: value <= 1)  # it was proved, and false at 0


def caught(f: Callable[[Any], Any], other: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function that computes f, or something else if f raises an error."""

    def g(x: Any) -> Any:
        try:
            return f(x)
        except (TypeError, ArithmeticError, ValueError):
            return other(x)

    return g


def test_an_error_that_the_function_catches_proves_nothing() -> None:
    number, domain = caught(lambda x: math.exp(x) * x, lambda x: 0 * x), caught(sqrt, lambda x: 5 + 0 * x)
    for f in (number, domain, caught(lambda x: {0.0: 5}[x], lambda x: x)):
        with pytest.raises(TypeError, match=r"^the function caught an error, which not all numbers of an interval raise \("):
            certify(f, x=(-1, 1))
    branch = certify(caught(lambda x: x + 5 if x > 0 else x, lambda x: 0 * x), x=(-1, 1))  # both branches count, as without try
    assert (branch.value.low, branch.value.high) == (-1, 6) and certify(caught(sqrt, lambda x: x), x=(1, 4)).value.high == 2


def test_a_function_that_changes_from_call_to_call_is_refused() -> None:
    counter = itertools.count(1)
    with pytest.raises(TypeError, match=r"^f computes something different at each call, as with a counter or a clock, and"):
        certify(lambda x: x * next(counter), x=(-1, 1))  # the bounds of ∂x were 14 and 10
