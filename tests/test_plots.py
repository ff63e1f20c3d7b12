"""Plots: each shows the numbers that it was given."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import DomainError, exp, log, sqrt
from nn import MLP, Layer, Module, Neuron, deltas, fit, plots
from nn.data import moons, truth_table
from nn.optim import SGD, descend
from nn.training import History

matplotlib: Any = pytest.importorskip("matplotlib", reason="the pictures are drawn with matplotlib")
plt: Any = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close() -> Iterator[None]:
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def drawn(ax: Any) -> None:
    """Draw everything, which raises or warns if matplotlib cannot."""
    ax.figure.savefig(io.BytesIO())


def test_a_loss_curve_needs_a_history() -> None:
    model: Any = Neuron(1)
    with pytest.raises(TypeError, match=r"^history is the result of fit, also kept as model.history; got Neuron"):
        plots.loss_curve(model)


def test_loss_curve(tmp_path: Path) -> None:
    history = History(loss=[3.0, 2.0, 1.0], accuracy=[0.5, 0.75, 1.0], validation_loss=[4.0, 3.0, 2.0])
    ax: Any = plots.loss_curve(history)
    assert [list(line.get_ydata()) for line in ax.get_lines()] == [[3.0, 2.0, 1.0], [4.0, 3.0, 2.0]]
    assert list(ax.get_lines()[0].get_xdata()) == [1, 2, 3]
    (right,) = [other for other in ax.figure.axes if other is not ax]
    assert list(right.get_lines()[0].get_ydata()) == [0.5, 0.75, 1.0]
    ax.figure.savefig(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").stat().st_size > 5000
    assert plots.loss_curve(History(loss=[1.0]), log=True).get_yscale() == "log"


@pytest.mark.parametrize("losses", [[-1.0, -2.0, -3.0], [2.0, 1.0, -1.0], [3.0, 2.0, 1.0], [0.0]])
def test_every_loss_is_visible_on_an_ascending_axis(losses: list[float]) -> None:
    for history in (History(loss=losses), History(loss=[1.0] * len(losses), validation_loss=losses)):
        low, high = plots.loss_curve(history).get_ylim()
        assert low < high and all(low <= loss <= high for loss in losses)
        assert (low == 0.0) == (min(losses) >= 0)


def test_losses_that_are_not_finite_or_not_positive() -> None:
    ax: Any = plots.loss_curve(History(loss=[3.0, 1.0], validation_loss=[np.inf, np.nan]))
    drawn(ax)
    assert ax.get_ylim()[0] == 0.0 < 3.0 < ax.get_ylim()[1]
    logarithmic: Any = plots.loss_curve(History(loss=[0.5, 0.0]), log=True)
    assert logarithmic.get_yscale() == "log" and logarithmic.get_ylim()[0] > 0
    with pytest.raises(ValueError, match="a logarithmic axis shows positive numbers, and the largest loss is -1; use log="):
        plots.loss_curve(History(loss=[-1.0, -2.0]), log=True)
    with pytest.raises(ValueError, match="the largest loss is 0; use log="):
        plots.loss_curve(History(loss=[0.0]), log=True)
    assert ax.get_yscale() == "linear"
    drawn(plots.loss_curve(History()))


class Ramp(Module):
    """A model with the output x₀."""

    def __call__(self, x: Any) -> Any:
        """Return the first input."""
        return x[0]


class Slopes(Module):
    """A model with two outputs, one for each class."""

    def __call__(self, x: Any) -> Any:
        """Return 1 − x₀ and x₀."""
        return [1.0 - x[0], x[0]]


class Pairs(Slopes):
    """The same, as a tuple."""

    def __call__(self, x: Any) -> Any:
        """Return 1 − x₀ and x₀."""
        return tuple(super().__call__(x))


def test_decision_boundary() -> None:
    X, y = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0, 1, 0, 1]
    ax: Any = plots.decision_boundary(Ramp(), X, y, resolution=21)
    (image,) = ax.get_images()
    heights = image.get_array()
    assert heights.shape == (21, 21) and list(heights[3]) == pytest.approx([-0.6 + 1.2 * i / 20 for i in range(21)])
    no, yes = ax.collections[-2:]
    assert no.get_offsets().tolist() == [X[0], X[2]] and yes.get_offsets().tolist() == [X[1], X[3]]
    (line,) = ax.collections[0].get_paths()
    assert all(a == pytest.approx(0.5) for a, _ in line.vertices)
    signs: Any = plots.decision_boundary(Ramp(), X, [-1, 1, -1, 1], resolution=21).get_images()[0].get_array()
    assert list(signs[3]) == pytest.approx([height + 0.5 for height in heights[3]])  # above 0
    for model in (Slopes(), Pairs()):
        two: Any = plots.decision_boundary(model, X, y, resolution=21).get_images()[0].get_array()
        assert list(two[3]) == pytest.approx([2 * height for height in heights[3]])
    assert not plots.decision_boundary(Ramp(), X, y, threshold=9.0, resolution=5).collections[2:]  # always "no"


class Corners(Module):
    """A model with an output for each of three classes."""

    def __call__(self, x: Any) -> Any:
        """Return x₀, x₁ and ½."""
        return [x[0], x[1], 0.5]


@pytest.mark.parametrize("hot", [False, True])
def test_decision_boundary_of_three_classes(hot: bool) -> None:
    X, y = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.25], [0.1, 0.1]], [0, 1, 2, 0, 2]
    targets = [[float(i == label) for i in range(3)] for label in y] if hot else y
    ax: Any = plots.decision_boundary(Corners(), X, targets, resolution=21)
    classes = ax.get_images()[0].get_array()
    assert (classes[0][0], classes[0][20], classes[20][0]) == (2, 0, 1) and set(classes.reshape(-1).tolist()) == {0, 1, 2}
    shown = ax.collections[-3:]
    assert [points.get_offsets().tolist() for points in shown] == [
        [x for x, t in zip(X, y, strict=True) if t == i] for i in range(3)
    ]
    assert len({tuple(points.get_facecolor()[0]) for points in shown}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]
    assert len(ax.collections) == 6  # a line around each class
    image = ax.get_images()[0]
    for i, points in enumerate(shown):  # a region has the colour of its class
        assert tuple(image.cmap(image.norm(i)))[:3] == tuple(points.get_facecolor()[0])[:3]


def test_decision_boundary_takes_the_targets_that_training_takes() -> None:
    X = [[0.0, 0.0], [1.0, 0.0]]
    for y in ([-1, 1], [[0], [1]], [0.0, 1.0], (0, 1)):
        ax: Any = plots.decision_boundary(Ramp(), X, y, resolution=3)
        assert [points.get_offsets().tolist() for points in ax.collections[-2:]] == [[X[0]], [X[1]]]
    for y, error in (
        ([0, 2], "not classes of this model"),
        ([0.5, 1.0], "not classes of this model"),
        ([0], "examples: 2, targets: 1"),
    ):
        with pytest.raises(ValueError, match=error):
            plots.decision_boundary(Ramp(), X, y)
    with pytest.raises(ValueError, match="for 3 outputs, a class is a whole number from 0 to 2; got 3"):
        plots.decision_boundary(Corners(), X, [0, 3])


def test_decision_boundary_of_trained_models() -> None:
    X, y = moons(30, seed=0)
    for sizes, loss in (([3, 1], "hinge"), ([3, 2], "cross_entropy")):
        model = MLP(2, sizes, seed=0)
        fit(model, X, y, loss=loss, epochs=2, seed=0)
        plots.decision_boundary(model, X, y, resolution=8)
    with pytest.raises(ValueError, match=r"for examples of two numbers; these have \[3\]"):
        plots.decision_boundary(MLP(3, [1]), [[1.0, 2.0, 3.0]], [1])


class Root(Module):
    """A model that is defined only to the right of a line."""

    def __init__(self, shift: float, n: int = 1) -> None:
        self.shift, self.n = shift, n

    def __call__(self, x: Any) -> Any:
        """Return √(x₀ − shift), and where there are more outputs, x₁ and ½."""
        out = sqrt(x[0] - self.shift)
        return out if self.n == 1 else [out, x[1], 0.5][: self.n]


class Gap(Root):
    """The same with NaN and infinities in place of the error."""

    def __call__(self, x: Any) -> Any:
        """Return NaN to the left of the line, and ∞ far to the right."""
        if x[0] < self.shift:
            return np.nan if self.n == 1 else [np.nan] * self.n
        return super().__call__(x) if x[0] < 1 else np.inf if self.n == 1 else [np.inf, *[0.0] * (self.n - 1)]


@pytest.mark.parametrize("kind", [Root, Gap])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_decision_boundary_is_white_where_the_model_is_undefined(kind: Any, n: int) -> None:
    X = [[0.5, 0.0], [1.0, 0.5], [0.6, 1.0]]
    ax: Any = plots.decision_boundary(kind(0.475, n), X, [0, 1, 0], resolution=21)  # the grid begins at 0.45, 0.03 apart
    field = np.ma.filled(ax.get_images()[0].get_array().astype(float), np.nan)
    assert np.isnan(field[:, 0]).all() and np.isfinite(field[:, 1:]).all()
    drawn(ax)
    low, high = ax.get_images()[0].get_clim()
    assert -np.inf < low < high < np.inf and len(ax.collections) > 3 - (n < 3)  # a line


@pytest.mark.parametrize("n", [1, 3])
def test_a_decision_boundary_refuses_an_example_that_is_undefined(n: int) -> None:
    with pytest.raises(ValueError, match=r"example 1: the model returned .*nan.*, and NaN is not a class"):
        plots.decision_boundary(Gap(0.0, n), [[0.5, 0.0], [-1.0, 0.5]], [0, 1])
    with pytest.raises(DomainError):
        plots.decision_boundary(Root(0.0, n), [[0.5, 0.0], [-1.0, 0.5]], [0, 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_decision_boundary_refuses_points_that_have_no_place(bad: float) -> None:
    for X in ([[0.0, 0.0], [1.0, bad]], np.array([[0.0, 0.0], [bad, 1.0]])):
        with pytest.raises(ValueError, match=r"example 1 is \[.*\]; only finite numbers can be drawn"):
            plots.decision_boundary(Ramp(), X, [0, 1])
    for flat in ([1.0, 2.0], [[[1.0, 2.0], [1.0, 2.0]]]):
        with pytest.raises(ValueError, match="for examples of two numbers"):
            plots.decision_boundary(Ramp(), flat, [0, 1][: len(flat)])


def test_the_grid_of_a_decision_boundary_has_at_least_two_points_a_side() -> None:
    X, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    for n, error, message in ((1, ValueError, "resolution is at least 2; got 1"), (0, ValueError, "got 0"),
                              (2.5, TypeError, "resolution is a whole number; got 2.5")):  # fmt: skip
        wrong: Any = n
        with pytest.raises(error, match=message):
            plots.decision_boundary(Ramp(), X, y, resolution=wrong)
    ax: Any = plots.decision_boundary(Ramp(), X, y, resolution=2)
    assert ax.get_images()[0].get_array().shape == (2, 2)
    ax = plots.decision_boundary(Ramp(), X, y)
    assert ax.get_images()[0].get_array().shape == (60, 60)


def test_weights() -> None:
    model = MLP(3, [2, 1], seed=0)
    model.layers[0].neurons[1].b.data = -4.0
    axes: list[Any] = list(plots.weights(model))
    first, second = axes
    assert (len(first.patches), len(second.patches)) == (2 * 4, 3)
    rows = [[p.data for p in (*neuron.w, neuron.b)] for neuron in model.layers[0].neurons]
    numbers = [w for row in rows for w in row]
    for square, w in zip(first.patches, numbers, strict=True):
        assert square.get_width() * square.get_height() == pytest.approx(0.95**2 * abs(w) / 4.0)
        assert matplotlib.colors.to_hex(square.get_facecolor()) == (plots.RED if w > 0 else plots.BLUE)
    assert first.patches[-1].get_x() + first.patches[-1].get_width() / 2 == pytest.approx(3.5)  # the bias is set apart
    with pytest.raises(ValueError, match="no layers and no neurons to draw"):
        plots.weights(Ramp())
    for given in ([first], first):
        with pytest.raises(ValueError, match="layers: 2, axes: 1"):
            plots.weights(model, given)
    assert plots.weights(MLP(2, [1], seed=0), first) == [first]
    assert len(plots.weights(Neuron(40))) == len(plots.weights(Layer(2, 3))) == 1


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 1, 1, 1), (120, 6, 2, 1)])
def test_titles_of_weights_are_whole_and_apart(sizes: tuple[int, ...]) -> None:
    model = MLP(sizes[0], sizes[1:], seed=0)
    model.layers[-1].neurons[0].w[0].data = -0.0123456  # a long number
    axes: list[Any] = list(plots.weights(model))
    figure = axes[0].figure
    figure.canvas.draw()
    spans = [ax.title.get_window_extent().intervalx for ax in axes]
    ends = [x for span in spans for x in span]
    assert ends == sorted(ends) and ends[0] >= 0 and ends[-1] <= figure.bbox.width


LARGE = [pytest.param(sizes, marks=pytest.mark.slow) for sizes in ((30, 20, 12), (784, 32, 10))]


@pytest.mark.parametrize("sizes", [(2, 3, 1), (8, 16, 1), *LARGE])
def test_the_numbers_of_neurons_and_inputs_do_not_run_into_each_other(sizes: tuple[int, ...]) -> None:
    axes: list[Any] = list(plots.weights(MLP(sizes[0], sizes[1:], seed=0)))
    axes[0].figure.canvas.draw()
    for ax in axes:
        for labels, side in ((ax.get_xticklabels(), "x"), (ax.get_yticklabels(), "y")):
            shown = [label.get_window_extent() for label in labels if label.get_text() != "b"]
            spans = sorted((getattr(box, f"{side}0"), getattr(box, f"{side}1")) for box in shown)
            assert spans and all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.parametrize(("sizes", "inches", "inputs", "neurons"), [
    ((1, 1), 6.0, 1, 1),  # the minimum
    ((1, 1, 1, 1, 1, 1, 1), 9.45, 1, 1),  # six layers, each as wide as 3.5 squares of 0.45 inches
    ((20, 10, 1), 15.75, 2, 1),  # (20 + 2.5 + 10 + 2.5) squares
    ((60, 1), 16.0, 2, 1),  # the maximum
    ((44, 1), 16.0, 1, 1), ((45, 1), 16.0, 1, 1), ((46, 1), 16.0, 2, 1),  # a square of 22 points has room for a number
    ((98, 1), 16.0, 2, 1), ((99, 1), 16.0, 3, 1),  # and so have two of 11
    ((1, 13), 6.0, 1, 1), ((1, 14), 6.0, 1, 2),  # a number is 12 points high, and the picture 2.3 inches
])  # fmt: skip
def test_the_size_of_a_picture_of_weights(sizes: tuple[int, ...], inches: float, inputs: int, neurons: int) -> None:
    first: Any = plots.weights(MLP(sizes[0], sizes[1:], seed=0))[0]
    assert first.figure.get_size_inches().tolist() == pytest.approx([inches, 3.4])
    assert [*first.get_xticks()] == [*range(0, sizes[0], inputs), sizes[0] + 0.5]
    assert [*first.get_yticks()] == [*range(0, sizes[1], neurons)]


def test_pictures_of_zeros_have_a_size() -> None:
    model = MLP(2, [2, 1], activation="linear", output="linear", seed=0)
    for parameter in model.parameters():
        parameter.data = 0.0
    model([0.5, -1.0]).backward()
    ax: Any = plots.activations(model)[0]
    assert ax.get_ylim() == (-1.0, 1.0) and ax.get_yticklabels()[0].get_color() == plots.GREY
    squares: Any = plots.weights(model)[0].patches
    assert all(square.get_width() == 0 for square in squares)
    curve: Any = plots.descent(lambda x: x, [((3.0,), 3.0)]).get_lines()[0]
    assert (min(curve.get_xdata()), max(curve.get_xdata())) == (2.0, 4.0)
    contours: Any = plots.descent(lambda a, b: a + b, [((3.0, 1.0), 4.0)])
    assert {text.get_fontsize() for text in contours.texts} == {7.0}


def test_activations() -> None:
    model = MLP(2, [3, 2], activation="prelu", output="softmax", seed=0)
    with pytest.raises(ValueError, match="no example has gone through the model yet"):
        plots.activations(model)
    outs = model([0.5, -1.0])
    outs[0].backward()
    axes: list[Any] = list(plots.activations(model))
    hidden = model.layers[0].predict([0.5, -1.0])
    assert [bar.get_height() for bar in axes[0].patches] == pytest.approx(hidden)
    assert [bar.get_height() for bar in axes[1].patches] == pytest.approx([out.data for out in outs])
    twins = [other for other in axes[0].figure.axes if other not in axes]
    assert [[bar.get_height() for bar in twin.patches] for twin in twins] == deltas(model)
    assert axes[0].get_ylim()[0] == -axes[0].get_ylim()[1]
    assert [twin.get_ylabel() for twin in twins] == ["", "δ"]  # once, at the right


def test_descent() -> None:
    path = descend(lambda a, b: a**2 + b**2, [10.0, 10.0], SGD(lr=0.3), steps=7)
    ax: Any = plots.descent(lambda a, b: a**2 + b**2, path)
    line = ax.get_lines()[0]
    assert list(line.get_xdata()) == list(line.get_ydata()) == [point[0] for point, _ in path]
    ax = plots.descent(lambda x: x**2, descend(lambda x: x**2, [10.0], SGD(lr=0.2), steps=3))
    curve, way = ax.get_lines()
    assert all(y == pytest.approx(x * x) for line in (curve, way) for x, y in zip(*line.get_data(), strict=True))
    assert min(curve.get_xdata()) < 0 < 10 < max(curve.get_xdata())
    ax = plots.descent(np.square, [((3.0,), 9.0), ((1.0,), 1.0)])  # the `data` of NumPy's numbers is a buffer
    assert all(y == pytest.approx(x * x) for x, y in zip(*ax.get_lines()[0].get_data(), strict=True))
    for wrong in ([], [((1.0, 2.0, 3.0), 0.0)]):
        with pytest.raises(ValueError, match="over one or two coordinates; got"):
            plots.descent(lambda *x: 0.0, wrong)


@pytest.mark.parametrize(("f", "start"), [
    (lambda x: x - log(x), 3.0), (lambda x: x - math.log(x), 3.0), (lambda x: 1 / max(x, 0) + x, 3.0),
    (lambda x: x - x**0.5, 3.0), (lambda x: exp(exp(8 - x)) + x, 8.0),
])  # fmt: skip
def test_a_descent_is_drawn_where_its_function_is_defined(f: Any, start: float) -> None:
    path = [((x,), float(f(x))) for x in (start, start / 2, start / 4)]
    ax: Any = plots.descent(f, path)
    xs, ys = map(np.array, ax.get_lines()[0].get_data())
    assert 0 < np.isnan(ys).sum() < 60
    assert all(y == pytest.approx(f(float(x))) for x, y in zip(xs, ys, strict=True) if not np.isnan(y))
    drawn(plots.descent(lambda a, b: f(a) + b * b, [((x, 1.0), h + 1.0) for (x,), h in path]))


def test_a_descent_that_cannot_be_drawn() -> None:
    for point, height in (((np.inf,), 1.0), ((1.0,), np.nan), ((1.0,), -np.inf)):
        with pytest.raises(ValueError, match=r"point 1 of the path is \[.*\]; only finite numbers can be drawn"):
            plots.descent(lambda x: x, [((2.0,), 4.0), (point, height)])
    with pytest.raises(DomainError):  # not an empty picture
        plots.descent(lambda x: log(-x), [((1.0,), 1.0), ((2.0,), 2.0)])


def test_given_axes_are_drawn_into() -> None:
    figure, (left, right) = plt.subplots(1, 2)
    X, y = truth_table("xor")
    assert plots.loss_curve(History(loss=[1.0]), left) is left
    assert plots.decision_boundary(Ramp(), X, y, right, resolution=4) is right
    model = MLP(2, [2, 1], seed=0)
    assert plots.weights(model, [left, right]) == [left, right]
    assert len(plt.get_fignums()) == 1 and figure.axes[0] is left


def test_only_axes_are_drawn_into() -> None:
    """As for those who write ``figure, ax = plt.subplots(1, 2)``."""
    _, row = plt.subplots(1, 2)
    _, grid = plt.subplots(2, 2)
    for axes in (row, plt, row[0].figure):
        with pytest.raises(TypeError, match=r"ax is the second result of plt\.subplots\(\)"):
            plots.loss_curve(History(loss=[1.0]), axes)
    with pytest.raises(TypeError, match="got ndarray"):
        plots.weights(MLP(2, [2, 1], seed=0), grid)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="install matplotlib"):
        plots.loss_curve(History(loss=[1.0]))
