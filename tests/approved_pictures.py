"""Pictures; see `test_approved`.

They depend only on this project: a network is placed without Graphviz, and a wide picture is folded from places that are given
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from autograd import Value, clip, dot, draw, exp, maximum, relu, tanh, total, walk
from autograd.drawing.as_animation import to_animation
from autograd.drawing.folding import fold
from autograd.drawing.geometry import place
from autograd.drawing.neurons import describe_neurons
from autograd.drawing.plan import Edge, Plan
from autograd.drawing.shapes import Arrow, Box, Geometry
from autograd.drawing.shapes import line as straight
from autograd.player.stage import draw_views
from nn import MLP, plots
from nn.training import History

matplotlib: Any = pytest.importorskip("matplotlib", reason="the pictures are drawn with matplotlib")
plt: Any = pytest.importorskip("matplotlib.pyplot")


def trained(*sizes: int, inputs: int = 2, **options: Any) -> Value:
    """Return the loss of a network after one backward pass."""
    xs = [Value(0.5 - 0.25 * i, label=f"x{i}") for i in range(inputs)]
    loss: Value = (MLP(inputs, list(sizes), seed=1, **options)(xs) - 1) ** 2
    loss.label = "L"
    loss.backward()
    return loss


def batch(n: int) -> Value:
    """Return the mean loss of a network over some examples that are plain numbers."""
    model = MLP(2, [2, 1], seed=1)
    mean: Value = total([(model([0.1 * i, 1.0]) - 1) ** 2 for i in range(n)]) / n
    return mean


def recurrent(activation: Callable[[Any], Any] = tanh) -> Value:
    """Return the result of a recurrent network after three steps."""
    weights = [[Value(0.1 * i + 0.2 * j, label=f"w{j}{i}") for i in range(3)] for j in range(2)]
    states: list[Any] = [0.0, 0.0]
    for t in range(3):
        states = [activation(dot(row, [*states, float(t)])) for row in weights]
    result: Value = states[0] - states[1]
    return result


def odd() -> Value:
    """Return a neuron whose net input and one weight are also used elsewhere, and whose other weight is a number."""
    x, w = Value(1.0, label="x"), Value(0.5, label="w")
    shared = dot([w, 2.0], [x, x], 0.25)
    result: Value = tanh(shared) + shared * w
    return result


def fixed() -> Value:
    """Return the sum of three neurons after a backward pass; their weights and one of their inputs are numbers."""
    xs = [0.3, Value(-0.5, label="x1"), Value(0.7, label="x2")]
    result: Value = total([tanh(dot([0.5, 1.5 - 0.25 * j, -0.75 * j], xs, 0.25)) for j in range(3)])
    result.backward()
    return result


def uneven() -> Value:
    """Return the result of two copies of a neuron, the second of which is further away from its input."""
    w, x, y = Value(0.5, label="w"), Value(1.0, label="x"), Value(-2.0, label="y")
    first = tanh(dot([w], [x], 0.25))
    result: Value = relu(first * 2) + tanh(dot([w], [exp(y * 0.5)], 0.25))
    return result


def choice() -> Value:
    """Return an expression with branches that are not taken, a large number and a small one."""
    x, y = Value(2.0, label="x"), Value(-3.0, label="a_name_that_is_rather_long")
    loss: Value = maximum(relu(y) * 1e6, clip(x, 0, 1)) + exp(y * 4) - x / 3
    loss.backward()
    return loss


def numbers(*xs: float) -> str:
    return " ".join(f"{x + 0.0:.1f}" for x in xs)


def placed(plan: Plan | None, geometry: Geometry) -> Iterator[str]:
    """Iterate over the places of a picture: boxes by centre and size; arrows by points, tip and label."""
    yield f"width {geometry.width:.1f}, height {geometry.height:.1f}"
    texts = {node.id: " | ".join(line.text for line in node.lines) for node in plan.nodes} if plan else {}
    for ident, box in geometry.boxes.items():
        yield f"{ident} at {numbers(box.x, box.y)}, size {numbers(box.width, box.height)} {texts.get(ident, '')}".strip()
    ends = {edge.id: f" {edge.source} to {edge.target} {edge.label}".rstrip() for edge in plan.edges} if plan else {}
    for ident, arrow in geometry.arrows.items():
        points = ", ".join(numbers(*point) for point in (*arrow.points[::3], arrow.tip))
        yield f"{ident}{ends.get(ident, '')}: {points}; label at {numbers(*arrow.label)}"
    yield from (f"note: {note}" for note in plan.notes) if plan else ()


def wide() -> tuple[Geometry, list[Edge]]:
    """Return a wide picture of two rows of boxes; some arrows go far, some come from both rows, some have labels."""
    boxes = {
        f"n{i}{j}": Box(60.0 + 130 * i, 30.0 + 50 * j + 7 * (i % 3), 80.0, 22.0 + 15 * j) for i in range(9) for j in (0, 1)
    }
    ends = [(f"n{i}{j}", f"n{i + 1}{j}") for i in range(8) for j in (0, 1)]
    ends += [
        ("n00", "n51"),
        ("n11", "n80"),
        ("n30", "n41"),
        ("n21", "n30"),
        ("n50", "n61"),
        ("n51", "n60"),
        ("n01", "n70"),
        ("n10", "n81"),
    ]
    edges = [Edge(f"e{i}", *pair, "", "local" if i % 3 else "nothing", 0.5) for i, pair in enumerate(ends)]
    arrows = {}
    for edge in edges:
        (x, y, width, _), (u, v, other, _) = boxes[edge.source], boxes[edge.target]
        start, tip = (x + width / 2, y), (u - other / 2, v)
        low = 70 * (edge.id == "e4")  # a label below all boxes
        arrows[edge.id] = Arrow(straight(start, (tip[0] - 8, tip[1])), tip, ((start[0] + tip[0]) / 2, (y + v) / 2 + low))
    return Geometry(1180.0, 140.0, boxes, arrows), edges


def places() -> Iterator[str]:
    """Iterate over the places of networks, and of one picture folded to smaller and smaller widths."""
    networks = {
        "one hidden layer, after a backward pass": trained(3, 1),
        "one neuron of one input": trained(1, inputs=1),
        "condensed": trained(9, 2, 1, inputs=9),
        "two examples": batch(2),
        "ten examples": batch(10),
        "recurrent": recurrent(),
        "linear and recurrent": recurrent(lambda net: net),
        "odd": odd(),
        "weights that are numbers": fixed(),
        "copies that are not in step": uneven(),
    }
    for name, loss in networks.items():
        drawing = draw(loss, view="neurons")
        yield f"\n{name}"
        yield from placed(drawing, place(drawing))
    for widest in (1180.0, 700.0, 420.0):
        yield f"\nfolded to {widest:.0f}"
        yield from placed(None, fold(*wide(), widest))


def svg(text: str) -> str:
    """Return SVG with a line for each element."""
    root = ElementTree.fromstring(text)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def page(layouts: list[Element]) -> str:
    """Return the layouts for a screen and a phone as one element."""
    both = Element("both")
    both.extend(layouts)
    return ElementTree.tostring(both, encoding="unicode")


def lined(lines: Iterator[str]) -> str:
    """Return lines as a text."""
    return "\n".join(lines).lstrip() + "\n"


def short(*xs: float) -> str:
    return " ".join(f"{round(x, 9) + 0.0:.3g}" for x in xs)


def axes_of(figure: Any) -> Iterator[str]:
    """Iterate over the visible parts of a matplotlib figure that nn.plots determines."""
    to_hex, look = matplotlib.colors.to_hex, tuple[Any, ...]()
    yield f"size {short(*figure.get_size_inches())}"
    for ax in figure.axes:
        words = [ax.get_title(), ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale(), ax.get_yscale(), str(ax.get_aspect())]
        yield f"axes {words}, x {short(*ax.get_xlim())}, y {short(*ax.get_ylim())}, {to_hex(ax.get_facecolor())}"
        for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
            if isinstance(axis.get_major_locator(), matplotlib.ticker.FixedLocator):
                yield f"    ticks of {name}: {short(*axis.get_ticklocs())}"
        for line in ax.get_lines():
            look = line.get_color(), line.get_linestyle(), line.get_linewidth(), line.get_marker(), line.get_markersize()
            xs, ys = (short(*list(data)[:: max(1, len(data) // 7)]) for data in line.get_data(orig=False))
            yield f"    line {line.get_label().partition('_')[0]} {look}: {xs}; {ys}"
        for patch in ax.patches:
            place = short(*patch.get_xy(), patch.get_width(), patch.get_height())
            yield f"    rectangle {place}, {to_hex(patch.get_facecolor())}"
        for image in ax.get_images():
            look = image.get_interpolation(), image.get_alpha(), image.origin, *(to_hex(image.cmap(x)) for x in (0.0, 0.5, 1.0))
            data = image.get_array()
            yield f"    image {look}, {short(*image.get_clim(), *image.get_extent())}; {short(*data[0], *data[-1])}"
        for points in ax.collections:
            colours = [to_hex(c) for c in (*points.get_facecolor(), *points.get_edgecolor())]
            first = [short(*path.vertices[0]) for path in points.get_paths() if len(path.vertices)]
            look = points.get_label().partition("_")[0], float(points.get_linewidths()[0]), *colours[:4]
            sizes = points.get_sizes() if hasattr(points, "get_sizes") else points.levels  # of marks, or of contour lines
            yield f"    {len(first)} marks {look}, sizes {short(*sizes[:4])}, from {first[:4]}"
        if (legend := ax.get_legend()) is not None:
            yield f"    legend {legend.get_title().get_text()} {[text.get_text() for text in legend.get_texts()]}"


def pictures_of_training() -> Iterator[str]:
    """Iterate over the visible parts of the pictures of nn.plots."""
    plt.switch_backend("Agg")
    history = History(loss=[3.0, 2.0], accuracy=[0.5, 1.0], validation_loss=[4.0, 3.0], validation_accuracy=[0.25, 0.5])
    model, classes = MLP(2, [2, 1], seed=1), MLP(2, [3], seed=1)
    model.layers[0].neurons[0].b.data = 0.5
    X = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 2.0]]
    (model([0.5, -1.0]) - 1).backward()
    path = [((2.0, 1.0), 4.25), ((1.0, 0.5), 1.0), ((0.0, 0.0), 0.0)]
    makers: dict[str, Callable[[], Any]] = {
        "loss curve": lambda: plots.loss_curve(history),
        "loss curve of the loss only, logarithmic": lambda: plots.loss_curve(
            History(loss=[1.0, 0.1], validation_loss=[2.0, 1.0]), log=True
        ),
        "decision boundary": lambda: plots.decision_boundary(model, X, [0, 1, 1, 0], resolution=4),
        "decision boundary of three classes": lambda: plots.decision_boundary(classes, X, [0, 1, 2, 0], resolution=3),
        "weights": lambda: plots.weights(model)[0],
        "weights of many inputs": lambda: plots.weights(MLP(60, [1], init="zeros"))[0],
        "weights of many neurons": lambda: plots.weights(MLP(2, [40, 1], init="zeros"))[0],
        "activations": lambda: plots.activations(model)[0],
        "descent": lambda: plots.descent(lambda x: x * x, [((2.0,), 4.0), ((1.0,), 1.0)]),
        "descent over a plane": lambda: plots.descent(lambda a, b: a * a + b * b / 4, path),
    }
    for name, draw_into in makers.items():
        yield f"\n{name}"
        seen = list(axes_of(draw_into().figure))
        yield from seen if "many" not in name else seen[:4]
        plt.close("all")


PICTURES: Final[dict[str, Callable[[], str]]] = {
    "places.txt": lambda: lined(places()),
    "network.svg": lambda: svg(draw(trained(2, 1), view="neurons").svg),
    "network.tex": lambda: draw(trained(2, 1), view="neurons", step=9).tikz,
    "network.dot": lambda: draw(trained(2, 1), view="neurons", step=3, theme="dark").dot,
    "network.mmd": lambda: draw(trained(2, 1), view="neurons", step=-1).mermaid,
    "moment.svg": lambda: svg(draw(trained(1, inputs=1), view="neurons", step=4, theme="dark").svg),
    "stage.svg": lambda: svg(page(draw_views(walk(trained(2, 1)), 150)["neurons"])),
    "walk.svg": lambda: svg(to_animation(walk(trained(1, inputs=1)), describe_neurons)),
    "plots.txt": lambda: lined(pictures_of_training()),
    "choice.dot": lambda: draw(choice()).dot,
    "layers.dot": lambda: draw(trained(3, 2, 1)).dot,
    "layers.mmd": lambda: draw(trained(1, 1, 1)).mermaid,
    "choice.mmd": lambda: draw(choice(), step=12).mermaid,
}
