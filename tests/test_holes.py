"""Details that mutants once changed without any test noticing."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest

from autograd import Unary, Value, compile, cosh, explain, gradcheck, hypot, leaky_relu, play, relu, total, walk, where
from autograd.checking.lines import DIRECTIONS, directions
from autograd.checking.numeric import Slope, slope
from autograd.checking.verdicts import judge
from autograd.strategies import check_primitive
from nn import MLP, Neuron, fit, losses, plots
from nn.data import moons
from nn.optim import SGD, descend
from nn.tables import short


def test_leaky_relu_has_a_default_slope() -> None:
    v = Value(-2.0)
    for out in (v.leaky_relu(), leaky_relu(v), v.leaky_relu(0.01)):
        out.backward()
        assert (out.data, v.grad) == (-0.02, 0.01)
        v.zero_grad()
    assert v.leaky_relu(0.5).data == -1.0


def test_zero_grad_of_a_leaf() -> None:
    v = Value(1.0)
    v.grad = 3.0
    v.zero_grad()
    assert v.grad == 0.0


def test_directions_move_every_number_in_proportion_to_its_size() -> None:
    point = [3.0, 0.0, -0.01, 1000.0, 5.0]
    lines = directions(point, [0, 1, 2, 3], Random(0))
    assert len(lines) == DIRECTIONS and len({tuple(line.direction.items()) for line in lines}) == DIRECTIONS
    ratios = set()
    for line in lines:
        assert sorted(line.direction) == [0, 1, 2, 3] and line.start == 1.0 and line(line.start) == point
        for i, unit in enumerate((2.0, 1.0, 2.0**-7, 512.0)):  # the largest power of two below the number, or 1 if it is 0
            ratios.add(line.direction[i] / unit)
    assert ratios == {sign * size for sign in (1.0, -1.0) for size in (1.0, 0.5, 0.25)}
    [line] = directions([2.0, 5.0], [0, 1], Random(1))[:1]
    assert line(1.25) == [2.0 + 0.25 * line.direction[0], 5.0 + 0.25 * line.direction[1]]
    assert line.along([10.0, 1.0]) == 10.0 * line.direction[0] + line.direction[1]


def test_hypot_has_its_only_kink_at_zero() -> None:
    kink = hypot.kink
    assert kink is not None and kink(0.0, 0.0) == 0.0
    for x, y in ((1.0, 1.0), (1.0, -1.0), (-2.0, 2.0), (0.0, 3.0), (-3.0, 0.0)):
        assert kink(x, y) > 0.0
        assert gradcheck(lambda a, b: hypot(a, b), x, y).verdict == "correct"
    assert gradcheck(lambda a, b: hypot(a, b), 0.0, 0.0).verdict == "kink"


def test_an_unbounded_slope_is_neither_a_fault_nor_vacuous() -> None:
    found = slope(lambda x: math.copysign(math.sqrt(abs(x)), x), 0.0)
    assert (found.kind, found.value, found.error) == ("steep", math.inf, math.inf)
    check = judge("∂f/∂x", "x = 0", 5.0, found)
    assert check.verdict == "domain" and "without bound" in check.reason and not check.is_flat


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_derivative_too_large_for_a_float(sign: float) -> None:
    found = slope(lambda x: sign * x * 1e308 * 10, 0.0)
    assert (found.value, found.error) == (sign * math.inf, 0.0)
    assert judge("∂f/∂x", "x = 0", sign * math.inf, found).verdict == "correct"


def test_the_noise_of_moons_is_normal_and_independent_in_both_coordinates() -> None:
    away = [[a - b for a, b in zip(x, y, strict=True)]
            for x, y in zip(moons(4000, 0.2, seed=3)[0], moons(4000, 0.0)[0], strict=True)]  # fmt: skip
    for column in zip(*away, strict=True):
        deviation = math.sqrt(sum(x * x for x in column) / len(column))
        assert deviation == pytest.approx(0.2, rel=0.05)
        assert sum(abs(x) > 2 * deviation for x in column) / len(column) == pytest.approx(0.0455, abs=0.012)  # two σ
    assert abs(sum(a * b for a, b in away)) / len(away) < 0.003  # the two are uncorrelated


def test_ticks_and_grids_of_pictures() -> None:
    plt: Any = pytest.importorskip("matplotlib.pyplot")
    try:
        [hidden, last] = plots.weights(MLP(3, [2, 1], seed=0))
        assert [label.get_text() for label in hidden.get_xticklabels()] == ["0", "1", "2", "b"]
        assert list(hidden.get_xticks()) == [0, 1, 2, 3.5] and list(hidden.get_yticks()) == [0, 1]
        assert (hidden.get_xlabel(), hidden.get_ylabel(), last.get_ylabel()) == ("input", "neuron", "")
        model = MLP(2, [3, 1], seed=0)
        model([0.5, -0.5]).backward()
        for ax, n in zip(plots.activations(model), (3, 1), strict=True):
            assert list(ax.get_xticks()) == [*range(n)] and ax.get_xlabel() == "neuron"
        X, y = moons(20, seed=0)
        ax = plots.decision_boundary(Neuron(2, seed=0), X, y, resolution=5)
        [image] = ax.get_images()
        shades: Any = image.get_array()
        assert shades.shape == (5, 5)
        extent = image.get_extent()
        for edges, values in zip((extent[:2], extent[2:]), zip(*X, strict=True), strict=True):
            margin = 0.1 * (max(values) - min(values))
            assert edges == pytest.approx((min(values) - margin, max(values) + margin))
    finally:
        plt.close("all")


def test_a_report_counts_the_other_wrong_derivatives() -> None:
    def wrong(n: int) -> str:
        report = gradcheck(lambda *v: total(v), *[1.0] * 3, gradient=lambda *v: [2.0] * n + [1.0] * (3 - n))
        return str(report).partition("\n")[0]

    assert wrong(1).endswith("∂f/∂x0 disagrees with the numeric derivative.")
    assert wrong(2).endswith("numeric derivative, and so does 1 more.") and wrong(3).endswith(", and so do 2 more.")


def test_a_program_notices_the_order_of_operands() -> None:
    w, u, order = Value(2.0), Value(3.0), [0, 1]
    program = compile(lambda x: x * ([w, u][order[0]] - [w, u][order[1]]), [w, u], example=[1.0])
    assert program.is_current()
    order.reverse()
    assert not program.is_current()


def test_examples_with_different_numbers_of_outputs_are_refused() -> None:
    w = Value(2.0)
    program = compile(lambda x: [w * part for part in x], [w])
    with pytest.raises(ValueError, match="different numbers of outputs"):
        program.outputs_and_gradient([[1.0], [2.0, 3.0]])
    assert program.outputs_and_gradient([[1.0, 4.0], [2.0, 3.0]])[0].shape == (2, 2)


def test_a_mean_over_examples_of_two_lengths() -> None:
    w = Value(2.0)
    loss, gradient = compile(lambda x: w * sum(x), [w]).gradient([[1.0], [2.0, 3.0], [4.0]])
    assert loss == 20 / 3 and gradient.tolist() == pytest.approx([10 / 3], rel=1e-15)


def test_a_descent_makes_the_given_number_of_steps() -> None:
    optimizer = SGD(lr=0.1)
    path = descend(lambda x: x * x, [1.0], optimizer, 3)
    assert len(path) == 4 and optimizer.steps == 3


def test_a_leaf_without_a_name_is_written_as_its_number_if_short() -> None:
    w = Value(2.0, "w")
    assert explain(w, of=w * Value(0.25) + w * Value(1 / 3)).formula.text == "0.25 + v3"


def test_a_hinge_refuses_zero_beside_minus_one() -> None:
    for labels, is_right in (([-1, 1], True), ([0, 1], True), ([-1, 0], False), ([-1, 0, 1], False)):
        y = [labels[i % len(labels)] for i in range(6)]
        if is_right:
            assert fit(MLP(1, [1]), [[float(i)] for i in range(6)], y, loss="hinge", epochs=1).loss
        else:
            with pytest.raises(ValueError, match="-1 and 0 are one class"):
                fit(MLP(1, [1]), [[float(i)] for i in range(6)], y, loss="hinge", epochs=1)


def test_probabilities_reach_their_limits() -> None:
    losses.require_probabilities(losses.binary_cross_entropy, [*losses.LIMITS])
    for p in (math.nextafter(losses.LIMITS[0], -1), math.nextafter(losses.LIMITS[1], 2)):
        with pytest.raises(ArithmeticError, match="takes probabilities from 0 to 1"):
            losses.require_probabilities(losses.binary_cross_entropy, [p])


def test_an_array_function_that_is_almost_right_is_wrong() -> None:
    almost = Unary("almost", math.sinh, lambda x, out: cosh(x), array=lambda np: lambda x: np.sinh(x) * (1 + 1e-9),
                   overflow=lambda x: math.copysign(math.inf, x))  # fmt: skip
    with pytest.raises(AssertionError, match="almost"):
        check_primitive(almost)


def test_an_edge_that_is_not_taken_does_not_hide_a_later_mistake() -> None:
    x, u = Value(2.0, "x"), Value(5.0, "u")
    loss = where(x < 0, u, x) + x * 2
    difference = walk(loss, mistake="overwrite").difference
    assert "x is used more than once, so its contributions add up: 2 + 1 = 3, not 1" in difference


def test_a_rule_is_excused_only_at_a_kink() -> None:
    bent = replace(relu, name="bent", partial=lambda x, out: where(x > 0, 2, 0))  # wrong on one side, away from the kink
    report = gradcheck(lambda x: bent(x) * x, 1.5)
    [wrong] = [check for check in report.edges if check.verdict == "wrong"]
    assert report.verdict == "wrong" and "the rule 2 gives 2, but the slope is 1" in wrong.reason
    assert all(check.verdict != "wrong" for check in gradcheck(lambda x: relu(x) * x, 1.5).edges)


def test_a_function_that_is_not_deterministic_is_called_more_often() -> None:
    calls = count()
    jitter = [1e-9 * (n % 2) for n in range(5)] + [1e-6 * (n % 2) for n in range(200)]
    report = gradcheck(lambda x: x * x + jitter[next(calls) % 200], 3.0, gradient=lambda x: 2 * x)
    assert any("differ by up to 1e-06" in note for note in report.notes)


def test_texts_are_cut_after_their_last_character() -> None:
    assert short("a" * 200) == "a" * 200 and short("a" * 201) == "a" * 200 + "…"


def test_a_single_value_on_a_plot_has_a_margin() -> None:
    ax = plots.decision_boundary(MLP(2, [1], seed=1), [[1.0, 2.0], [1.0, 4.0]], [0, 1], resolution=3)
    assert ax.get_xlim() == pytest.approx((0.5, 1.5)) and ax.get_ylim()[1] > 4.0
    contours = plots.descent(lambda x, y: x * x + y * y, [((1.0, 1.0), 2.0), ((0.5, 0.5), 0.5)])
    assert len(contours.texts) > 2  # the heights


def test_a_player_offers_its_views_where_there_are_several() -> None:
    one, several = play(Value(2.0) * 3).html, play(MLP(2, [2, 1], seed=1)([1.0, 2.0])).html
    assert one.count('data-shows="') == 0 and several.count('data-shows="') == 2


def test_players_of_different_rows_have_scripts_of_different_names() -> None:
    third = Unary("third", lambda x: x / 3, lambda x, out: 1 / 3)
    first, other = [re.findall(r'start\("(\w+)"', play(y).html) for y in (Value(2.0) * 3, third(Value(2.0)))]
    assert first != other and len(first[0]) == len(other[0]) == 12


def test_an_overflowing_quotient_does_not_refute_huge_slopes() -> None:
    found = Slope(math.inf, 0.0)
    verdicts = [judge("∂f/∂x", "x = 0", claim, found).verdict for claim in (2.0**1022, math.nextafter(2.0**1022, 0))]
    assert verdicts == ["unsure", "wrong"]


def test_names_with_hyphens_are_not_broken_in_a_report() -> None:
    names = [f"the-rate-of-layer-{i}" for i in range(12)]
    spoilt = Unary("spoilt", math.sin, lambda x, out: 2.0)
    report = gradcheck(lambda *xs: sum((spoilt(x) for x in xs), Value(0.0)), *[Value(0.5, label=name) for name in names])
    assert not any(line.endswith("-") for line in str(report).splitlines())
