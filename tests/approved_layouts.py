"""Layouts and timings of pictures; see `test_approved`.

Each version of Graphviz places boxes a little differently.  Here `in_ranks` stands in for it and puts each box to the right of
its inputs; so the input of Graphviz, and the pictures made from its output, are the same everywhere.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest.mock import patch
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from approved_pictures import batch, choice, lined, odd, placed, trained
from approved_texts import shared

from autograd import Value, draw, log, tanh, total, walk
from autograd.drawing import geometry
from autograd.drawing.as_animation import Score, to_animation
from autograd.drawing.layers import in_layers
from autograd.drawing.neurons import describe_neurons
from autograd.drawing.nodes import describe_nodes
from autograd.drawing.plan import Plan
from autograd.player.asked import blank
from autograd.player.stage import draw_views
from autograd.site import _page


def in_ranks(dot: str) -> str:
    """Return the places of a graph in DOT as Graphviz writes them: as JSON, in points, with y upwards."""
    sizes = dict(re.findall(r"^(\w+) \[id=\w+, width=([\d.]+)", dot, re.MULTILINE))
    arrows = re.findall(r'^(\w+) -> (\w+) \[id=(\w+), label="(.*?)"', dot, re.MULTILINE)
    ranks, places = dict.fromkeys(sizes, 0), dict[str, tuple[float, float]]()
    for _ in sizes:
        for source, target, *_ in arrows:
            ranks[target] = max(ranks[target], ranks[source] + 1)
    columns: dict[int, list[str]] = defaultdict(list)
    for ident, rank in ranks.items():
        columns[rank].append(ident)
    left = start = 12.0
    for _, column in sorted(columns.items()):
        width = max(72 * float(sizes[ident]) for ident in column)
        places |= {ident: (left + width / 2, 60.0 * i) for i, ident in enumerate(column)}
        left += width + 50
    edges = []
    for source, target, ident, label in arrows:
        (x, y), (u, v) = places[source], places[target]
        x, u = x + 36 * float(sizes[source]), u - 36 * float(sizes[target])
        points = [(x + (u - 8 - x) * k / 3, y + (v - y) * k / 3) for k in range(4)]
        pos = " ".join(f"{a:.2f},{b:.2f}" for a, b in points)
        edges.append(
            {"id": ident, "pos": f"e,{u:.2f},{v:.2f} {pos}"} | ({"lp": f"{(x + u) / 2:.2f},{(y + v) / 2:.2f}"} if label else {})
        )
    objects: list[dict[str, str]] = [{"id": ident, "pos": f"{x:.2f},{y:.2f}"} for ident, (x, y) in places.items()]
    return json.dumps({"bb": f"{start:.0f},-30,{left - 50:.2f},{60 * max(map(len, columns.values())) - 30}",
                       "objects": [{"name": "a cluster without a place"}, *objects], "edges": edges})  # fmt: skip


def chain(n: int) -> Value:
    """Return a long chain that uses its beginning again, after a backward pass."""
    x = y = Value(0.5, label="x")
    for i in range(n):
        y = y * 1.5 if i % 2 else tanh(y)
    result: Value = y * x + y
    result.backward()
    return result


def layouts() -> Iterator[str]:
    """Iterate over the input of Graphviz, and the places that follow from its output."""
    drawings = {
        "a choice, before the backward pass": draw(choice(), step=12),
        "a choice": draw(choice()),
        "a network": draw(trained(2, 1)),
        "a chain": draw(chain(12)),
        "four examples": draw(batch(4)),
        "four examples, on the way back": draw(batch(4), step=-5),
    }
    for name, drawing in drawings.items():
        asked: list[str] = []
        with patch.object(geometry, "lay_out", lambda dot, asked=asked: asked.append(dot) or in_ranks(dot)):
            plan, found = geometry.fitted(drawing)
            widths = [geometry.place(drawing, widest).width for widest in (2000.0, 500.0)]
        yield f"\n{name}: asked {len(asked)} times; in one line {widths[0]:.1f} wide, in lines {widths[1]:.1f}"
        yield from (line for line in asked[0].splitlines() if re.match("graph|.*minlen|.*invis", line))
        yield from placed(plan, found)
    for n in (3, 5, 9):
        layered = in_layers(draw(batch(n)))
        if layered is not None:
            yield f"\n{n} examples in layers: {layered.n_distant} references, {layered.ties}, {layered.layers}"
            yield from (f"{node.id}: {' | '.join(line.text for line in node.lines)}" for node in layered.plan.nodes)


def scored(score: Score) -> Iterator[str]:
    """Iterate over the events of an animation, each with its time in seconds."""
    yield from (f"{time:.2f} {text}" for time, text in score.captions)
    for ident, nodes in score.nodes.items():
        states = [f"{time:.2f} {node.emphasis} {' | '.join(line.text for line in node.lines)}" for time, node in nodes]
        yield f"{ident}: {'; '.join(states)}"
    for ident, edges in score.edges.items():
        yield f"{ident}: {'; '.join(f'{time:.2f} {edge.emphasis} {edge.flow} {edge.label}' for time, edge in edges)}"
    for trip in score.trips:
        yield f"{trip.edge.id} from {trip.start:.2f}: {', '.join(f'{time:.2f}' for time in trip.phases)}"
    yield f"end {score.end:.2f}"


def scores() -> Iterator[str]:
    """Iterate over the times of animations."""
    x = [Value(0.5 * i, label=f"x{i}") for i in range(6)]
    walks: dict[str, tuple[Any, Callable[..., Plan]]] = {
        "six operands": (walk(total(x)), describe_nodes),
        "a choice": (walk(choice()), describe_nodes),
        "a mistake": (walk(shared()["E"], "overwrite"), describe_nodes),
        "a network": (walk(trained(2, 1)), describe_neurons),
        "a neuron and more": (walk(odd()), describe_neurons),
    }
    for name, (steps, describe) in walks.items():
        yield f"\n{name}"
        yield from scored(Score(steps, describe))
    with patch.object(geometry, "lay_out", in_ranks):
        svg = ElementTree.fromstring(to_animation(walk(batch(4))))
    yield f"\nfour examples, with references: {svg.get('viewBox')}, {svg.get('aria-label')}"
    texts = [(text.text or "", text) for text in svg.iterfind(".//{*}text")]
    yield from (f"{words} at {text.get('x')}, {text.get('y')}" for words, text in texts if words.startswith(("↑", "↓")))


def stages() -> Iterator[str]:
    """Iterate over the pictures of players: their sizes, and the texts and data of each part that the page uses."""
    deep = trained(3, 2, 1)
    for name, loss in {
        "a choice": choice(),
        "a network": deep,
        "a network of many arrows": trained(9, 1, inputs=9),
        "a chain": chain(12),
        "odd": odd(),
        "a logarithm": log(Value(2.0, "x")) * 3,
    }.items():
        with patch.object(geometry, "lay_out", in_ranks):
            views = draw_views(walk(loss), 20 if "many" in name else 150)
        for view, pictures in views.items():
            for svg in pictures:
                yield f"\n{name} in {view}: {svg.get('viewBox')}, {svg.get('data-notes')}"
                for group in svg.iterfind("g"):
                    texts = [f"{text.text}@{text.get('x')},{text.get('y')}{data_of(text)}" for text in group.iter("text")]
                    yield f"    {group.get('class')}{data_of(group)} {texts}"
    with patch.object(geometry, "lay_out", in_ranks):
        [svg, *_] = draw_views(walk(trained(2, 1)), 150)["neurons"]
    blank(svg)
    yield f"\nwhat an exercise leaves: {[text.text for text in svg.iter('text') if text.text]}"


def page_of_the_site() -> Iterator[str]:
    """Iterate over the words and fields of the site's page."""
    first, files = {"title": "A player", "markup": "<style></style><p>a picture</p>"}, {"site.css": b"", "site.js": b""}
    with patch.object(geometry, "lay_out", in_ranks):
        page = _page(first, [], "autograd-1.0-py3-none-any.whl", files)
    yield from re.findall(r"<[^<]*data-(?:word|label)=[^>]*>[^<]*|<title>[^<]*|<input[^>]*>|<option[^>]*>[^<]*", page)


def data_of(element: Element) -> str:
    return "".join(f" {name[5:]}={value}" for name, value in element.attrib.items() if name.startswith("data-"))


LAYOUTS: Final[dict[str, Callable[[], str]]] = {
    "layouts.txt": lambda: lined(layouts()),
    "site.txt": lambda: lined(page_of_the_site()),
    "stages.txt": lambda: lined(stages()),
    "scores.txt": lambda: lined(scores()),
}
