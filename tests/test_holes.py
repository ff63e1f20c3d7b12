"""Details that mutants once changed without a test noticing."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

from autograd import Value, draw, gradcheck, hypot, leaky_relu
from autograd.checking.lines import DIRECTIONS, directions
from autograd.checking.numeric import slope
from autograd.checking.verdicts import judge
from nn import MLP, Neuron, plots
from nn.data import moons


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


def test_directions_move_every_number_as_its_size_asks_for() -> None:
    point = [3.0, 0.0, -0.01, 1000.0, 5.0]
    lines = directions(point, [0, 1, 2, 3], Random(0))
    assert len(lines) == DIRECTIONS and len({tuple(line.direction.items()) for line in lines}) == DIRECTIONS
    ratios = set()
    for line in lines:
        assert sorted(line.direction) == [0, 1, 2, 3] and line.start == 1.0 and line(line.start) == point
        for i, unit in enumerate((2.0, 1.0, 2.0**-7, 512.0)):  # the power of two below the number; 1 where it is 0
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


def test_a_slope_without_bound_is_not_a_fault_and_not_vacuous() -> None:
    found = slope(lambda x: math.copysign(math.sqrt(abs(x)), x), 0.0)
    assert (found.kind, found.value, found.error) == ("steep", math.inf, math.inf)
    check = judge("∂f/∂x", "x = 0", 5.0, found)
    assert check.verdict == "domain" and "without bound" in check.reason and not check.is_flat


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_derivative_too_large_for_a_float(sign: float) -> None:
    found = slope(lambda x: sign * x * 1e308 * 10, 0.0)
    assert (found.value, found.error) == (sign * math.inf, 0.0)
    assert judge("∂f/∂x", "x = 0", sign * math.inf, found).verdict == "correct"


def test_a_link_that_a_drawing_is_saved_to_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.dot", tmp_path / "link.dot"
    target.write_text("old")
    link.symlink_to(target)
    draw(Value(2.0) * 3).save(link)
    assert link.is_symlink() and link.resolve() == target.resolve() and target.read_text().startswith("digraph")


def test_the_noise_of_moons_is_normal_and_the_same_in_both_coordinates() -> None:
    away = [[a - b for a, b in zip(x, y, strict=True)]
            for x, y in zip(moons(4000, 0.2, seed=3)[0], moons(4000, 0.0)[0], strict=True)]  # fmt: skip
    for column in zip(*away, strict=True):
        deviation = math.sqrt(sum(x * x for x in column) / len(column))
        assert deviation == pytest.approx(0.2, rel=0.05)
        assert sum(abs(x) > 2 * deviation for x in column) / len(column) == pytest.approx(0.0455, abs=0.012)  # two σ
    assert abs(sum(a * b for a, b in away)) / len(away) < 0.003  # not the same noise twice


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
