"""Certificates: enclosures are tight and contain mpmath's results with 80 digits and more, and claims are decided correctly.

The idea: mpmath knows the functions, and difference quotients with tiny steps give their derivatives, as in `test_accuracy`; so
the oracle shares no code with the certificates.
"""

from __future__ import annotations

import itertools
import math
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import pytest
from test_accuracy import is_smooth, mpmath, true_slope, truth

from autograd import (
    DomainError,
    Primitive,
    Unary,
    Value,
    certify,
    clip,
    cos,
    exp,
    floor,
    grad,
    maximum,
    mean,
    primitives,
    relu,
    sigmoid,
    sin,
    sqrt,
    tanh,
    where,
)
from autograd.certainty.intervals import FUNCTIONS, Interval, interval
from autograd.certainty.tables import Bounds
from autograd.strategies import ROWS, widths
from nn import MLP

DIGITS: Final = 300  # of the oracle: 60 for its step, 80 to compare, and a margin for cancellation
XOR: Final = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]


def mp(x: Any) -> Any:
    """Return a decimal as mpmath's number, with all its digits."""
    return mpmath.mpf(str(x))


def boxes(row: Primitive, rng: random.Random, size: float, count: int) -> Iterator[list[tuple[float, float]]]:
    """Iterate over random boxes on which a row is defined, as far as three points show."""
    found = 0
    for width in itertools.cycle(widths(row)):
        sides = [
            (x, x + size * rng.uniform(0.3, 1)) for x in (rng.choice([rng.uniform(-3, 3), rng.random()]) for _ in range(width))
        ]
        if row.is_choice:
            sides[0] = (choice := rng.choice([0.0, 1.0]), choice)
        try:
            for share in (0.0, 0.5, 1.0):
                row.evaluate([low + share * (high - low) for low, high in sides])
        except DomainError:
            continue
        yield sides
        found += 1
        if found == count:
            return


def exactly(x: float) -> tuple[Decimal, Decimal]:
    """Return the bounds of a number that are exact."""
    return Decimal(x), Decimal(x)


def on_box(row: Primitive, sides: Sequence[tuple[float, float]]) -> Any:
    """Certify a row on a box, with operands named x0, x1, …."""
    box: dict[str, Any] = {f"x{i}": side for i, side in enumerate(sides)}
    return certify(lambda **x: row.apply([*x.values()]), **box)


def trained() -> MLP:
    """Return a network that has learned the exclusive or, as in the README."""
    model = MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=1)
    for _ in range(200):
        for inputs, target in XOR:
            loss = (model(inputs) - target) ** 2 / 2
            model.zero_grad()
            loss.backward()
            for parameter in model.parameters():
                parameter.data -= parameter.grad
    return model


# One graph


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_value_and_gradient_of_every_row_are_where_mpmath_finds_them(row: Primitive) -> None:
    rng = random.Random(row.name)
    for sides in boxes(row, rng, 0.0, 3):
        data = [x for x, _ in sides]
        leaves = [Value(x) for x in data]
        certificate = certify(row.apply(leaves), digits=80)
        with mpmath.workdps(DIGITS):
            low, high = map(mp, certificate.value)
            right = truth(row, data)
            assert low <= right <= high and high - low <= abs(right) * mpmath.mpf(10) ** -78
            for i, leaf in enumerate(leaves):
                if is_smooth(row, tuple(data), i) and not (row.is_choice and i == 0):
                    low, high = map(mp, certificate.bounds(leaf))
                    slope, doubt = true_slope(row, data, i), mpmath.mpf(10) ** -90
                    assert low - doubt <= slope <= high + doubt and high - low <= abs(slope) * mpmath.mpf(10) ** -78


def test_lost_digits_are_traced_to_a_node_that_is_used_twice() -> None:
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    out = tanh(w * x)
    certificate = certify(out + out)
    assert certificate.ulps(w) > 1000 and certificate.lost_at(w) is out
    assert certificate.ulps() < 1 and certificate.lost_at("x") is out


def test_the_ten_lines_of_the_readme() -> None:
    w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-0.4, label="b")
    out = tanh(w * x + b)
    loss = (out - 1) ** 2
    certificate = certify(loss)
    with mpmath.workdps(60):
        net = mpmath.mpf(0.5) * 2 + mpmath.mpf(-0.4)
        slope = 2 * (mpmath.tanh(net) - 1) * (1 - mpmath.tanh(net) ** 2)
        for leaf, right in ((w, 2 * slope), (x, slope / 2), (b, slope)):
            low, high = map(mp, certificate.bounds(leaf))
            assert low <= right <= high and high - low < 1e-18
    assert certificate.bounds("w") == certificate.bounds(w)
    assert [certificate.ulps(leaf) < 3 for leaf in (w, x, b)] == [True] * 3
    assert (w.grad, certificate.kinks, certificate.notes) == (0.0, (), [])
    lines = str(certificate).splitlines()
    assert (
        lines[0].startswith("Certificate of loss = v4²")
        and len(lines) == 6
        and lines[3].startswith("∂w    -1.31770093321729626")
    )
    assert certificate._repr_html_().count("<tr>") == 5 and "<script" not in certificate._repr_html_()


def test_bounds_with_more_digits_are_inside_those_with_fewer() -> None:
    x = Value(0.3, label="x")
    y = exp(sin(x)) / x
    few, many = certify(y), certify(y, digits=40)
    assert few.bounds(x).low <= many.bounds(x).low <= many.bounds(x).high <= few.bounds(x).high
    assert len(str(many.value.low).replace(".", "")) == 40 and isinstance(many.value.low, Decimal)
    double = x * 2
    assert certify(double).value.low < Decimal(double.data) < certify(double).value.high  # a float of more than twenty digits
    assert certify(Value(0.5) * 2).value == exactly(1)


def test_the_ulps_lost_by_the_gradient_of_a_trained_network() -> None:
    model = trained()
    loss = mean([(model(inputs) - target) ** 2 / 2 for inputs, target in XOR])
    certificate = certify(loss)
    loss.backward()
    for parameter, backward in zip(certificate.leaves, certificate.backward, strict=True):
        if parameter not in model.parameters():
            continue
        low, high = certificate.bounds(parameter)
        ulps = max(abs(Decimal(backward) - end) for end in (low, high)) / Decimal(math.ulp(float(low)))
        assert abs(float(ulps) - certificate.ulps(parameter)) < 0.01 and certificate.ulps(parameter) < 1e4
    assert max(map(certificate.ulps, certificate.leaves)) > 10
    assert "layer" not in str(certificate) and len(str(certificate).splitlines()) > 17


def test_the_node_that_loses_the_digits_is_named() -> None:
    x, y = Value(1.0, label="x"), Value(1e-9, label="y")
    near = x + y
    difference = near - x
    loss = difference * 3 + sin(y)
    certificate = certify(loss)
    assert certificate.lost_at() is near and certificate.ulps() > 1e6
    w = Value(9.0, label="w")
    out = tanh(w)
    certificate = certify(out * 5)
    assert certificate.lost_at(w) is out and certificate.ulps(w) > 1e4
    assert certify(w * 2).lost_at(w) is None and certify(w * 2).ulps(w) == 0


def test_a_kink_is_certified_as_the_rule_chooses_and_reported() -> None:
    x, y = Value(0.0, label="x"), Value(2.0, label="y")
    node = relu(x)
    certificate = certify(node * 3 + y)
    assert certificate.bounds(x) == exactly(0) and certificate.kinks == (node,) and "kink" in certificate.notes[0]
    tie = certify(maximum(y, y * 1.0))
    assert tie.bounds(y) == exactly(1) and tie.kinks
    steep = certify(sqrt(x) + y)
    assert steep.bounds(x) == (Decimal("Infinity"),) * 2 and "singular" in steep.notes[0] and steep.ulps(x) == 0
    assert certify(relu(y)).kinks == ()


def test_a_branch_that_is_not_taken_contributes_nothing() -> None:
    x = Value(0.0, label="x")
    assert certify(where(x > 0, sqrt(x), x)).bounds(x) == exactly(1)
    y = Value(-1.0, label="y")
    assert certify(sqrt(relu(y))).bounds(y) == exactly(0)
    assert certify(sqrt(x) ** 2).bounds(x) == (Decimal("-Infinity"), Decimal("Infinity"))  # 0·∞ is not 0


def test_rounding_that_chose_another_branch_is_reported() -> None:
    a, b, c = Value(0.1, label="a"), Value(0.2, label="b"), Value(0.30000000000000004, label="c")
    y = maximum(a + b, c)  # equal as floats; the exact sum is less
    assert (a + b).data == c.data
    certificate = certify(y)
    assert certificate.bounds(a) == exactly(0) and certificate.bounds(c) == exactly(1)
    z = maximum(c, a + b)  # the tie goes to the sum, which is less
    certificate = certify(z)
    assert certificate.bounds(c) == exactly(1) and certificate.backward[certificate.leaves.index(c)] == 0
    assert any("different branch" in note for note in certificate.notes)


def test_overflow_is_no_limit_and_nonfinite_numbers_are_refused() -> None:
    x = Value(1000.0, label="x")
    certificate = certify(exp(x))
    assert certificate.ulps() == math.inf and certificate.value.low > Decimal("1e434")
    assert "inf" in str(certificate) and "∞" in str(certificate)
    for bad in (math.inf, math.nan):
        with pytest.raises(ValueError, match="not finite"):
            certify(Value(bad, label="v") * 2)
    edge = Value(1.0, label="edge")
    with pytest.raises(DomainError, match="only because of rounding"):
        certify(primitives.arccos(edge + 1e-17))
    leaf = Value(2.0, label="leaf")
    assert certify(leaf).value == exactly(2) and certify(leaf).bounds(leaf) == exactly(1)


def test_anything_but_a_leaf_is_refused() -> None:
    x = Value(2.0, label="x")
    y = x * x
    certificate = certify(y + 1)
    for bad in (y, "nonsense", Value(2.0)):
        with pytest.raises(ValueError, match="its leaves are x"):
            certificate.bounds(bad)
    x.data = 3.0
    with pytest.raises(ValueError, match="changed after"):
        certify(y)


def test_precision_is_raised_until_the_digits_are_known() -> None:
    v, x = Value(60.0, label="v"), Value(1e-40, label="x")
    large = exp(v)
    certificate = certify((large + x) - large)
    assert certificate.value.low <= Decimal(x.data) <= certificate.value.high < certificate.value.low * Decimal("1.0000000001")
    assert certificate.precision > 200 and certificate.lost_at(x) is None
    assert certify(exp(x)).precision == 64 + 67, "twenty digits are known at once"


def test_the_gradients_whose_errors_are_counted_are_those_of_backward() -> None:
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    certificate = certify((model([0.5, -1.0]) - 1) ** 2)
    found = [certificate._gradients[0][leaf] for leaf in certificate.leaves]
    assert [g.data for g in found] == certificate.backward


def test_functions_of_intervals_contain_the_truth_with_few_bits_too() -> None:
    pairs = {math.exp: mpmath.exp, math.log: mpmath.log, math.sin: mpmath.sin, math.cos: mpmath.cos, math.tanh: mpmath.tanh,
             math.asin: mpmath.asin, math.acos: mpmath.acos, math.erf: mpmath.erf, math.sqrt: mpmath.sqrt}  # fmt: skip
    with mpmath.workdps(60):
        for function, right in pairs.items():
            for k in range(1, 40):
                low, high, connected = FUNCTIONS[function](interval(k / 41))
                exact = right(mpmath.mpf(k / 41))
                assert mp(Bounds.of(Interval(low, low), 60).low) <= exact <= mp(Bounds.of(Interval(high, high), 60).high)
                assert low < high and connected


# A box


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bounds_on_a_small_box_contain_the_truth_and_are_tight(row: Primitive) -> None:
    rng = random.Random(row.name)
    for sides in boxes(row, rng, 0.02, 1):
        certificate = on_box(row, sides)
        if row.is_condition:
            assert certificate.verdict in ("proved", "refuted")
            continue
        points = [[rng.choice([low, high, rng.uniform(low, high)]) for low, high in sides] for _ in range(20)]
        with mpmath.workdps(DIGITS):
            values = [truth(row, point) for point in points]
            assert inside(values, certificate.value)
            for i in range(1 if row.is_choice else 0, len(sides)):
                slopes = [true_slope(row, point, i) for point in points if is_smooth(row, tuple(point), i)]
                assert not slopes or inside(slopes, certificate.bounds(f"x{i}"))


def inside(values: Sequence[Any], bounds: tuple[Decimal, Decimal]) -> bool:
    """Whether bounds contain numbers, and are at most twice as wide as their range."""
    (low, high), least, most = map(mp, bounds), min(values), max(values)
    doubt = mpmath.mpf(10) ** -12 * (1 + abs(most))
    return bool(low - doubt**4 <= least <= most <= high + doubt**4 and high - low <= 2 * (most - least) + doubt)


def test_bounds_of_tanh_of_a_product_on_an_interval_of_weights() -> None:
    certificate = certify(lambda w, x: tanh(w * x), w=(-1, 1), x=2)
    with mpmath.workdps(60):
        low, high = map(mp, certificate.value)
        assert -0.97 < low <= -mpmath.tanh(2) < mpmath.tanh(2) <= high < 0.97
        low, high = map(mp, certificate.bounds("w"))
        assert 0.14 < low <= 2 * (1 - mpmath.tanh(2) ** 2) and 2 <= high < 2.01
    assert certificate.claim(lambda w: w > 0) and certificate.monotone("w") and certificate.lipschitz(2)
    refuted = certificate.lipschitz(1.5)
    assert not refuted and refuted.verdict == "refuted" and refuted.at == {"w": 0.0, "x": 2.0}
    assert str(certificate).startswith("Bounds of f on w ∈ [-1, 1], x = 2") and "<table>" in certificate._repr_html_()
    with pytest.raises(ValueError, match="the arguments are w, x"):
        certificate.bounds("y")


@pytest.mark.parametrize(
    ("f", "box", "value", "slope"),
    [
        (lambda x: x * x - x, (0, 2), (-0.25, 2), (-1, 3)),
        (lambda x: sin(x), (0, 10), (-1, 1), (-1, 1)),
        (lambda x: relu(x), (-1, 2), (0, 2), (0, 1)),
        (lambda x: sqrt(x), (0, 4), (0, 2), (0.25, math.inf)),
        (lambda x: where(x > 0, sin(x), x), (-1, 2), (-1, 1), (math.cos(2), 1)),
        (lambda x: x if x > 0.5 else 0.5 * x + 0.25, (0, 2), (0.25, 2), (0.5, 1)),
        (lambda x: abs(x) + abs(x - 1), (-1, 2), (1, 3), (-2, 2)),
        (lambda x: floor(x), (0.5, 2.5), (0, 2), (0, 0)),
        (lambda x: x**3, (-1, 2), (-1, 8), (0, 12)),
        (lambda x: 1 / (1 + x * x), (-2, 3), (0.1, 1), (-0.6495190528, 0.6495190528)),
    ],
)
def test_bounds_are_within_a_few_percent_of_known_ranges(f: Any, box: Any, value: Any, slope: Any) -> None:
    certificate = certify(f, x=box)
    for bounds, right in ((certificate.value, value), (certificate.bounds("x"), slope)):
        spread = 0.04 * (right[1] - right[0]) if math.isfinite(right[1]) else 0.04 * right[0]
        assert right[0] - spread - 1e-9 <= float(bounds.low) <= right[0] + 1e-9
        assert right[1] - 1e-9 <= float(bounds.high) <= right[1] + spread + 1e-9


def test_claims_are_proved_refuted_at_a_point_or_undecided_somewhere() -> None:
    assert certify(lambda x: sin(x) <= x, x=(0.5, 3)).verdict == "proved"
    refuted = certify(lambda x: sin(x) < 0.99, x=(0, 3))
    assert refuted.verdict == "refuted" and math.sin(refuted.at["x"]) >= 0.99 and "refuted at x = " in str(refuted)
    touched = certify(lambda x: x - x * x < 0.25, x=(0, 1))  # false only at 1/2
    assert touched.verdict == "refuted" and touched.at == {"x": 0.5}
    undecided = certify(lambda x: x * (2 - 3 * x) <= 1 / 3, x=(0, 1))  # true of the exact 1/3, but its float is less
    assert undecided.verdict == "undecided" and not undecided and undecided.where[0]["x"][0] >= 0
    assert certify(lambda x: grad(sin)(x) > 0, x=(-1.5, 1.5)).verdict == "proved"
    certificate = certify(lambda x: x * x, x=(-1, 2))
    assert certificate.monotone().verdict == "refuted" and "falls" in str(certificate.monotone())
    jumps = certify(lambda x: floor(x), x=(0.5, 1.5)).monotone()
    assert jumps.verdict == "undecided" and jumps.where[0]["x"][0] <= 1 <= jumps.where[0]["x"][1]
    assert certify(lambda x: x if x < 0.5 else x - 1, x=(0, 1)).monotone().verdict == "undecided"
    assert certify(lambda x: relu(x) + x, x=(-1, 1)).monotone().verdict == "proved"
    with pytest.raises(TypeError, match="a claim is a condition"):
        certificate.claim(lambda value: value + 1)
    with pytest.raises(ValueError, match="not an argument"):
        certificate.claim(lambda nonsense: nonsense > 0)


def test_a_network_on_all_its_inputs_and_a_graph_by_its_labels() -> None:
    model = trained()
    certificate = certify(lambda x, y: model([x, y]), x=(0, 1), y=(0, 1))
    values = [model([i / 8, j / 8]).data for i in range(9) for j in range(9)]
    assert float(certificate.value.low) <= min(values) and max(values) <= float(certificate.value.high)
    assert certify(lambda v: model(v) > 0.8, v=[(0, 0.05), (0.95, 1)]).verdict == "proved"
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    graph = certify(tanh(w * x), w=(-1, 1))
    assert graph.subject.names == ("w",) and float(graph.bounds(w).high) == 2.0
    with pytest.raises(ValueError, match="no leaf of the graph is labelled 'v'"):
        certify(tanh(w * x), v=1)


def test_arguments_are_checked() -> None:
    untyped: Any = certify
    refusals: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
        (lambda digits: digits, {"digits": 3}, TypeError, "digits"),
        (lambda x, digits=2: x * digits, {"x": (0, 1)}, TypeError, "certify takes itself"),
        (lambda x: x, {}, TypeError, "on a box"),
        (lambda x, y: x * y, {"x": (0, 1)}, TypeError, "also needs y"),
        (lambda x: x, {"x": (0, 1), "z": 1}, TypeError, "no argument z"),
        (lambda x: x, {"x": (1, 0)}, ValueError, "is empty"),
        (lambda x: x, {"x": (0, math.inf)}, ValueError, "finite"),
        (lambda x: x, {"x": "text"}, TypeError, "x: 'text' is a str"),
        (lambda x: [x], {"x": (0, 1)}, TypeError, "one scalar result"),
        (lambda x: None, {"x": (0, 1)}, TypeError, "without a return"),
        (lambda x: math.sin(x), {"x": (0, 1)}, TypeError, "autograd's functions"),
        (lambda x: x.data, {"x": (0, 1)}, AttributeError, "autograd's functions"),
        (lambda x: 1 / x, {"x": (-1, 1)}, DomainError, "is undefined at x = 0"),
        (3.0, {"x": 1}, TypeError, "certify takes"),
        (lambda x: x, {"x": ("a", 1)}, TypeError, "x: 'a' is a str"),
        (lambda x: x, {"x": ()}, ValueError, r"x = \(\) has no numbers"),
        (lambda x: x, {"x": (0, 10**400)}, ValueError, "x is beyond the largest float"),
        (Value(1.0, "w") * Value(2.0, "w"), {"w": (0, 1)}, ValueError, "2 leaves of the graph are labelled 'w'"),
    ]
    for f, box, error, message in refusals:
        with pytest.raises(error, match=message):
            certify(f, **box)
    with pytest.raises(ValueError, match="significant digits"):
        certify(Value(1.0) * 2, digits=0)
    with pytest.raises(TypeError, match="significant digits"):
        untyped(Value(1.0) * 2, digits=2.5)
    for of in (tanh, lambda x: x * 2):
        with pytest.raises(TypeError) as caught:
            certify(of, x=[0, 1])  # read as a list, since only a tuple of two is a pair
        assert caught.value.__notes__ == ["x is a list of numbers here; an interval is a pair, x=(low, high)"]
    point = certify(tanh, x=1)
    with pytest.raises(TypeError, match="a claim is a function"):
        point.claim(True)
    for bound in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="a Lipschitz constant is a finite number, 0 or more"):
            point.lipschitz(bound)
    with pytest.raises(TypeError, match=r"no argument has an interval.*x=\(low, high\)"):
        point.monotone()


def test_a_function_that_returns_a_plain_truth_value_is_a_claim() -> None:
    assert certify(lambda x: not x < 0, x=(0, 1)).verdict == "proved"
    assert certify(lambda x: not x < 0, x=(-1, 1)).at["x"] < 0


def test_users_rows_are_certified_if_they_are_made_of_rows() -> None:
    swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
    assert certify(swish, x=(-3, 3)).claim(lambda value: value > -0.3)
    own = Unary("own", math.tanh, lambda x, out: 1 - out * out)
    assert certify(own, x=(-1, 1)).monotone()
    numbers = Unary("numbers", lambda x: math.sin(x), lambda x, out: cos(x))
    with pytest.raises(TypeError, match="the row 'numbers' cannot be certified: its function takes only numbers"):
        certify(numbers(Value(1.0)))
    with pytest.raises(TypeError, match="autograd's functions"):
        certify(Unary("half", math.sin, lambda x, out: math.cos(x))(Value(1.0)))


def test_values_are_not_bounded_by_a_users_rule() -> None:
    stop = Unary("stop", lambda x: +x, lambda x, out: 0)  # a gradient that is stopped on purpose
    certificate = certify(lambda q: stop(sin(q)), q=(0, 3))
    assert certificate.value.low <= 0 and certificate.value.high >= 1 and certificate.bounds("q") == (0, 0)
    assert certificate.claim(lambda value: value < 0.9).verdict == "refuted"
    assert str(certificate.monotone()) == "proved on q ∈ [0, 3], if the rules of stop are right"
    assert str(certificate.lipschitz(0.5)).endswith("if the rules of stop are right")
    assert "the derivatives are those that the rules of stop state" in str(certificate)
    clipped = Unary("clipped", lambda x: x * x, lambda x, out: clip(2 * x, -1, 1))
    assert certify(lambda q: clipped(q) * 2, q=(0.5, 0.75)).value.high >= 1.125


def test_trees_of_arguments() -> None:
    certificate = certify(lambda p, x: p["w"][0] * x[0] + p["b"], p={"w": [(0, 1)], "b": 2.0}, x=[(1, 2), 5.0])
    assert certificate.subject.names == ("p['w'][0]", "p['b']", "x[0]", "x[1]")
    assert certificate.value == (2, 4) and certificate.bounds("p['w'][0]") == (1, 2) and certificate.bounds("x[1]") == (0, 0)


def test_without_the_extra_all_else_works_and_certify_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['flint'] = None\n"
        "from autograd import *\n"
        "x = Value(2.0)\n"
        "for use in (lambda: certify(x * x), lambda: gradcheck(lambda x: x * x, box={'x': (0, 1)})):\n"
        "    try: use()\n"
        "    except ModuleNotFoundError as error: print(error)\n"
        "print(gradcheck(lambda x: x * x, 2.0).verdict)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.count("pip install python-flint") == 2 and run.stdout.endswith("correct\n")


def test_only_leaves_of_a_graph_have_an_interval() -> None:
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    out = tanh(w * x)
    out.label = "out"
    with pytest.raises(ValueError, match="no leaf of the graph is labelled 'out'; its labels are w, x"):
        certify(out * 2, out=(0, 1))
