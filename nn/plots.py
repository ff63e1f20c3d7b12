"""Pictures of training, with matplotlib.

Every function draws into the axes it is given, or into a new figure, and returns the axes; anything else in their place, such
as an array of axes, is a TypeError.  ``axes.figure.savefig("name.png")`` saves the picture, and a notebook shows it.  In every
picture blue means negative or class 0, red positive or class 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nn.evaluation import classes_of, classify, deltas, examples_of, outputs_of, threshold_of
from nn.history import History
from nn.layers import by_layer
from nn.module import Module, plain, require_module
from nn.settings import whole_number
from nn.tables import nested, rows_of, shape_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["activations", "decision_boundary", "descent", "loss_curve", "weights"]

BLUE, RED, GREY = "#2166ac", "#b2182b", "#808080"
COLOURS = (BLUE, RED, "#e6a000", "#1b7837", "#762a83", "#4dbbd5", "#8c510a", "#f781bf")  # of classes 0, 1, …
MARKERS = "o^sDvP*X"
PER_SQUARE, WIDEST, HIGHEST = 0.45, 16.0, 2.3  # inches: a weight's square, a row of pictures, a layer's height
NARROWEST = 1.5  # inches: axes with their labels
BESIDE = 4.0  # squares, for the numbers beside a layer


def loss_curve(history: History, ax: Axes | None = None, *, log: bool = False) -> Axes:
    """Draw the loss over the epochs, and the accuracy if there is one.

    Args:
        history: what `nn.fit` returned.
        ax: where to draw.
        log: whether the loss has a logarithmic axis.

    Raises:
        TypeError: for anything but a history.
        ValueError: for a logarithmic axis where no loss is positive.
    """
    if not isinstance(history, History):
        raise TypeError(f"history is the result of fit, also kept as model.history; got {history!r}")
    losses = [loss for loss in (*history.loss, *history.validation_loss) if math.isfinite(loss)]
    if log and losses and max(losses) <= 0:
        raise ValueError(f"a logarithmic axis shows positive numbers, and the largest loss is {max(losses):g}; use log=False")
    ax = _axes(ax)
    _curve(ax, "loss", history.loss, history.validation_loss, BLUE)
    ax.set(xlabel="epoch", ylabel="loss", yscale="log" if log else "linear")
    if not log and min(losses, default=0.0) >= 0:
        ax.set_ylim(bottom=0)
    if history.accuracy:
        right = ax.twinx()
        _curve(right, "accuracy", history.accuracy, history.validation_accuracy, RED)
        right.set(ylabel="accuracy", ylim=(0, 1.02))
        lines = [*ax.get_lines(), *right.get_lines()]
        right.legend(lines, [str(line.get_label()) for line in lines], loc="center right")
    elif history.validation_loss:
        ax.legend()
    return ax


def _curve(ax: Axes, name: str, learned: Sequence[float], held_out: Sequence[float], colour: str) -> None:
    epochs = range(1, len(learned) + 1)
    ax.plot(epochs, learned, color=colour, label=name)
    if held_out:
        ax.plot(epochs, held_out, color=colour, linestyle="--", label=f"{name}, validation")


def decision_boundary(
    model: Module, X: Any, y: Any, ax: Axes | None = None, *, threshold: float | None = None, resolution: int = 60
) -> Axes:
    """Draw the class that a model of two inputs predicts at each point, the lines between the classes, and the examples.

    Where the model is undefined, or its outputs are NaN, the picture stays white.

    Args:
        model: a model of two inputs.  With one output, the colour is its distance from the threshold; with two, the second
            output minus the first; with more, the class of the largest output.
        X: the examples.
        y: their classes: one-hot lists, or numbers: 0 to the number of outputs less 1, or for one output 0 and 1, or -1 and 1.
        ax: where to draw.
        threshold: the least output for which a model with one output predicts class 1; by default as for `accuracy`.
        resolution: points of the grid in each direction, at least 2.

    Returns:
        The axes.

    Raises:
        ValueError: for examples that are not pairs of finite numbers, for targets that are not classes of the model, and
            for an example with an output that is NaN.
    """
    require_module(model)
    rows, resolution = nested(rows_of("X", X)), whole_number("resolution", resolution, least=2)
    if not rows or any(shape_of(row) != (2,) for row in rows):
        raise ValueError("a decision boundary is drawn for examples of two numbers; these have "
                         f"{sorted({math.prod(shape_of(row)) for row in rows})}")  # fmt: skip
    points = [[float(a) for a in row] for row in rows]
    for i, point in enumerate(points):
        _require_finite(f"example {i}", point)
    examples = examples_of(model.predict, points, y)
    classes = classes_of(examples)
    threshold = threshold_of(model, examples) if threshold is None else threshold
    classify(model, points, threshold)  # raises for NaN, naming the example
    ax = _axes(ax)
    across, up = (_grid([point[i] for point in points], resolution) for i in (0, 1))
    n_classes = max(examples.n_outputs, 2)
    outputs = [[_outputs(model, [a, b], examples.n_outputs) for a in across] for b in up]
    if n_classes > 2:
        _regions(ax, across, up, outputs)
    else:
        _heights(ax, across, up, [[outs[-1] - (outs[0] if len(outs) > 1 else threshold) for outs in row] for row in outputs])
    for i in range(n_classes):
        chosen = [point for point, found in zip(points, classes, strict=True) if found == i]
        ax.scatter([a for a, _ in chosen], [b for _, b in chosen], color=_colour(i), marker=MARKERS[i % len(MARKERS)],
                   edgecolors="white", s=36, label=str(i))  # fmt: skip
    if n_classes > 2:
        ax.legend(title="class")
    ax.set(xlabel="x₀", ylabel="x₁")
    return ax


def _outputs(model: Module, point: list[float], n: int) -> list[float]:
    """Return a model's outputs at a point of the plane, NaN where it is undefined."""
    try:
        return outputs_of(model.predict(point)) or []
    except ArithmeticError:  # nobody chose this point
        return [math.nan] * n


def _clipped(heights: Sequence[Sequence[float]]) -> tuple[list[list[float]], float]:
    """Replace ±∞ by plus or minus the largest finite absolute value; return the heights and that value."""
    largest = max((abs(height) for row in heights for height in row if math.isfinite(height)), default=0.0) or 1.0
    return [[math.copysign(largest, height) if math.isinf(height) else height for height in row] for row in heights], largest


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _heights(ax: Axes, across: Sequence[float], up: Sequence[float], heights: Sequence[Sequence[float]]) -> None:
    """Draw heights as blue and red, and the line where they are 0."""
    heights, largest = _clipped(heights)
    _field(ax, across, up, heights, interpolation="bilinear", cmap="RdBu_r", vmin=-largest, vmax=largest, alpha=0.6)
    _border(ax, across, up, heights)


def _regions(ax: Axes, across: Sequence[float], up: Sequence[float], outputs: Sequence[Sequence[Sequence[float]]]) -> None:
    """Draw where each output is the largest, and the lines between."""
    from matplotlib.colors import ListedColormap

    n = len(outputs[0][0])
    classes = [[math.nan if any(map(math.isnan, outs)) else outs.index(max(outs)) for outs in row] for row in outputs]
    colours = ListedColormap([_colour(i) for i in range(n)])
    _field(ax, across, up, classes, interpolation="nearest", cmap=colours, vmin=-0.5, vmax=n - 0.5, alpha=0.35)
    for i in range(n):
        ahead = [[outs[i] - max(out for j, out in enumerate(outs) if j != i) for outs in row] for row in outputs]
        _border(ax, across, up, _clipped(ahead)[0])


def _field(ax: Axes, across: Sequence[float], up: Sequence[float], field: Sequence[Sequence[float]], **style: Any) -> None:
    ax.imshow(field, extent=(across[0], across[-1], up[0], up[-1]), origin="lower", aspect="auto", **style)


def _border(ax: Axes, across: Sequence[float], up: Sequence[float], heights: Sequence[Sequence[float]]) -> None:
    if any(height < 0 for row in heights for height in row) and any(height > 0 for row in heights for height in row):
        ax.contour(across, up, heights, levels=[0.0], colors="black", linewidths=1.5)


def weights(model: Module, axes: Sequence[Axes] | Axes | None = None) -> list[Axes]:
    """Draw each layer's weights as a Hinton diagram: a square's area is the weight's size, its colour the sign.

    A row is a neuron, a column one of its inputs; the bias stands apart on the right.

    Args:
        model: a model of layers.
        axes: one for each layer.
    """
    layers = [neurons for neurons, _ in by_layer(model)]
    widths = [len(layer[0].w) + 2.5 for layer in layers]
    axes = _row_of_axes(axes, widths)
    square = 72 * min(PER_SQUARE, WIDEST / sum(width + BESIDE for width in widths), HIGHEST / max(map(len, layers)))  # points
    for i, (ax, layer) in enumerate(zip(axes, layers, strict=True), start=1):
        rows = [[parameter.data for parameter in (*neuron.w, neuron.b)] for neuron in layer]
        largest = max(abs(w) for row in rows for w in row) or 1.0
        n_inputs = len(layer[0].w)
        for j, row in enumerate(rows):
            for k, w in enumerate(row):
                _square(ax, k + (k == n_inputs) * 0.5, j, 0.95 * (abs(w) / largest) ** 0.5, RED if w > 0 else BLUE)
        ax.set(xlim=(-0.75, n_inputs + 1.25), ylim=(len(rows) - 0.25, -0.75), aspect="equal", facecolor="#f2f2f2")
        ax.set(title=f"layer {i}\nlargest {largest:.3g}", xlabel="input", yticks=range(0, len(rows), _apart(12, square)))
        shown = range(0, n_inputs, _apart(22, square))
        ax.set_xticks([*shown, n_inputs + 0.5], [*map(str, shown), "b"])
    axes[0].set_ylabel("neuron")
    return list(axes)


def activations(model: Module, axes: Sequence[Axes] | Axes | None = None) -> list[Axes]:
    """Draw each neuron's output and δ, layer by layer, from the last forward and backward pass.

    Args:
        model: a model of layers.
        axes: one for each layer.

    Raises:
        ValueError: if no example has gone through the model yet.
    """
    found, layers = deltas(model), by_layer(model)
    axes = _row_of_axes(axes, [len(neurons) for neurons, _ in layers])
    for i, (ax, (neurons, joint), delta) in enumerate(zip(axes, layers, found, strict=True), start=1):
        places = range(len(neurons))
        fired = [twin.fire(neuron.net.data) for twin, neuron in zip(plain(neurons), neurons, strict=True)]
        outs = joint(fired) if joint is not None else fired
        ax.bar([place - 0.2 for place in places], outs, width=0.4, color=GREY, label="out")
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set(title=f"layer {i}", xlabel="neuron", xticks=places)
        right = ax.twinx()
        colours = [RED if d > 0 else BLUE for d in delta]
        right.bar([place + 0.2 for place in places], delta, width=0.4, color=colours, label="δ")
        for side, heights in ((ax, outs), (right, delta)):  # the same place for 0 on both sides
            most = 1.1 * max(map(abs, heights)) or 1.0
            side.set_ylim(-most, most)
        ax.tick_params(axis="y", colors=GREY)
        ax.set_ylabel("out" if i == 1 else "", color=GREY)
        right.set_ylabel("δ" if i == len(layers) else "")
    return list(axes)


def descent(f: Callable[..., Any], path: Sequence[tuple[Sequence[float], float]], ax: Axes | None = None) -> Axes:
    """Draw a descent: over the curve of a function of one number, or over the contour lines of one of two.

    Args:
        f: the function.  Where it is undefined away from the path, nothing is drawn.
        path: points and heights, as `nn.optim.descend` returns them.
        ax: where to draw.

    Raises:
        ValueError: for points of more than two coordinates, or none, or that are not finite.
    """
    points, heights = [point for point, _ in path], [height for _, height in path]
    if not points or not 1 <= len(points[0]) <= 2:
        raise ValueError("a descent is drawn over one or two coordinates; got "
                         f"{len(points[0]) if points else 'no points'}")  # fmt: skip
    for i, (point, height) in enumerate(path):
        _require_finite(f"point {i} of the path", [*point, height])
    # The picture is centred on the lowest point, so that both sides of the valley are seen.
    lowest = points[heights.index(min(heights))]
    reach = [1.15 * max(abs(point[i] - lowest[i]) for point in points) or 1.0 for i in range(len(lowest))]
    grid = [_grid([low - r, low + r], 80, margin=0.0) for low, r in zip(lowest, reach, strict=True)]
    plain(f(*lowest))  # an error here is not about a single point
    ax = _axes(ax)
    if len(grid) == 1:
        ax.plot(grid[0], [_height(f, x) for x in grid[0]], color=GREY)
        ax.plot([x for [x] in points], heights, color=RED, marker="o", markersize=5)
        ax.set(xlabel="x", ylabel="f(x)")
    else:
        across, up = grid
        lines = ax.contour(across, up, [[_height(f, a, b) for a in across] for b in up], levels=12, cmap="Greys_r")
        ax.clabel(lines, fontsize=7)
        ax.plot([a for a, _ in points], [b for _, b in points], color=RED, marker="o", markersize=5)
        ax.set(xlabel="a", ylabel="b", aspect="equal" if reach[0] == reach[1] else "auto")
    return ax


def _height(f: Callable[..., Any], *point: float) -> float:
    """Return a function's value, NaN where it is undefined or infinite."""
    try:
        height = plain(f(*point))
        height = math.nan if isinstance(height, complex) else float(height)  # such as (-1.0) ** 0.5
    except (ArithmeticError, ValueError):  # the latter from `math`; nobody chose this point
        return math.nan
    return height if math.isfinite(height) else math.nan


def _require_finite(name: str, numbers: Sequence[float]) -> None:
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} is {numbers!r}; only finite numbers can be drawn")


def _apart(label: float, square: float) -> int:
    """Return how many squares there are from one label to the next, so that labels do not overlap."""
    return max(1, math.ceil(label / square))


def _axes(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure."""
    plt = _pyplot()
    kind: type[Axes] = plt.Axes
    found = plt.subplots(figsize=(5.6, 4.2), layout="constrained")[1] if ax is None else ax
    if not isinstance(found, kind):
        raise TypeError(
            f"ax is the second result of plt.subplots(), or one element of it if there are several; got {type(ax).__name__}"
        )
    return found


def _row_of_axes(axes: Sequence[Axes] | Axes | None, widths: Sequence[float]) -> Sequence[Axes]:
    """Return the axes given, or a row of new ones with these relative widths."""
    if not widths:
        raise ValueError("the model has no layers and no neurons to draw")
    if axes is not None:
        axes = axes if isinstance(axes, Iterable) else [axes]
        if len(axes) != len(widths):
            raise ValueError(f"each layer needs axes of its own; layers: {len(widths)}, axes: {len(axes)}")
        return [_axes(each) for each in axes]
    least = max(3.5, 0.1 * sum(widths))  # room for a title
    ratios = [max(width, least) for width in widths]
    width = max(min(max(PER_SQUARE * sum(ratios), 6.0), WIDEST), NARROWEST * len(widths))
    figure = _pyplot().figure(figsize=(width, 3.4), layout="constrained")
    return list(figure.subplots(1, len(widths), squeeze=False, gridspec_kw={"width_ratios": ratios})[0])


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("the pictures are drawn with matplotlib; install matplotlib") from None
    return plt


def _grid(values: Sequence[float], n: int, margin: float = 0.1) -> list[float]:
    """Return n evenly spaced numbers from a little below the smallest to a little above the largest."""
    low, high = min(values), max(values)
    extra = margin * (high - low) or (0.5 if margin else 0.0)
    low, high = low - extra, high + extra
    return [low + (high - low) * i / (n - 1) for i in range(n)]


def _square(ax: Axes, x: float, y: float, side: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    # Measured: half the time of `add_patch`, which also updates the limits of the axes; these are set anyway.
    ax.add_artist(Rectangle((x - side / 2, y - side / 2), side, side, facecolor=colour, edgecolor="none"))
