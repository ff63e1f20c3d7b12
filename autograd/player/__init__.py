"""The live player: a graph played forward and back, changed and trained in a browser or a notebook, in one HTML file.

The page is a spreadsheet.  Python prints the picture with cells for its numbers, the graph as data, and the rows that the graph
uses as JavaScript; the page computes the graph, fills the cells and moves the dots that carry numbers along the edges.  Without
scripts it shows the whole picture, and every node as text.

>>> from autograd.value import Value
>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> player = play((w * x - 5) ** 2)
>>> player
<player: Backpropagation of loss, 6 steps>
>>> player.html.startswith("<!doctype html>")
True
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from itertools import chain
from pathlib import Path
from string import Template
from typing import Any, Literal
from xml.etree.ElementTree import Element

from autograd.drawing import Drawing, draw
from autograd.drawing.jupyter import image
from autograd.drawing.neurons import Neuron
from autograd.drawing.size import refuse_unreadable
from autograd.files import write_whole
from autograd.mistakes import MISTAKES
from autograd.notation import Notation, equation
from autograd.player.asked import Asked, blank, conceal
from autograd.player.javascript import NotLiveError, to_javascript
from autograd.player.markup import as_data, element, policy_hash, style_of, write
from autograd.player.stage import draw_views
from autograd.player.theme import colours
from autograd.steps import Walk
from autograd.value import Value
from autograd.writing import numbers, plain, printable

__all__ = ["Asked", "Player", "make_player", "play"]

SUFFIXES = (".html", ".htm")
MOST_LINES = 1000
SCRIPTS = ("formulas.js", "live.js", "mistakes.js", "camera.js", "picture.js", "panels.js", "quiz.js", "player.js",
           "controls.js")  # fmt: skip
ASKING = ("answers.js", "exercise.js")  # further scripts of a page that poses an exercise
NO_CODE = re.compile(r"^ *(//.*|/\*.*\*/)?\n", re.MULTILINE)
DATA = re.compile(r"(x|y|t|i|input|target|label|data|example)s?[\W_]*\d*", re.IGNORECASE)  # labels of leaves that do not learn


@dataclass(frozen=True, repr=False)
class Player:
    """A walk to be played: Jupyter shows it if it is the last line of a cell; elsewhere, save it and open it in a browser.

    It holds the graph as it was when the player was made.  With the same layout engine, the same graph gives the same bytes.

    Attributes:
        title: the heading of the page.
        steps: the number of steps.
        walks: the walk of every example.
        markup: the visible part of the page, as HTML.
        rows: the rows that the graphs use, as JavaScript.
        asks: whether the page poses an exercise.
    """

    title: str
    steps: int
    walks: Sequence[Walk]
    markup: str
    rows: str
    asks: bool = False

    @property
    def html(self) -> str:
        """The player as a page of its own, which makes no network requests."""
        style, script = _part("page.css"), self._script
        return _fill("page.html", title=escape(self.title), markup=self.markup, script=script, key=self._key, page_style=style,
                     script_hash=policy_hash(script),
                     style_hashes=f"{policy_hash(style)} {policy_hash(style_of(self.markup))}")  # fmt: skip

    @property
    def element(self) -> str:
        """The player as an HTML element for any page: it is self-contained, and the page's styles do not reach it.

        Where scripts do not run, it shows a picture of the first step.
        """
        first = self._first
        what = "The graph. To answer questions about it" if self.asks else f"The first of {self.steps} steps. To play them"
        advice = f"<p>{what}, run this cell or trust this notebook.</p>"
        return _fill(
            "notebook.html",
            title=escape(self.title),
            picture=image(first.svg, first.summary) if first is not None else "",
            advice=advice if first is not None else "",
            markup=as_data(self.markup),
            script=self._script,
            key=self._key,
            page_style=_part("page.css"),
        )

    @cached_property
    def _first(self) -> Drawing | None:
        """A picture of the first step, or of the whole graph of an exercise, for pages where scripts do not run."""
        if not self.steps:
            return None
        steps = self.walks[0]
        step = len(steps.order) - 1 if self.asks else 0
        view: Literal["nodes", "neurons"] = "neurons" if 'data-view="neurons"' in self.markup else "nodes"
        return draw(steps.loss, step=step, view=view, digits=steps.notation.digits, limit=len(steps.names))

    @cached_property
    def _code(self) -> str:
        return "".join(map(_part, (*SCRIPTS, *ASKING) if self.asks else SCRIPTS))

    @property
    def _key(self) -> str:
        """A name for the script, by which it finds its own players in a page with several."""
        return hashlib.sha256((self._code + self.rows).encode()).hexdigest()[:12]

    @property
    def _script(self) -> str:
        return f'(() => {{\n{self._code}start("{self._key}", {self.rows});\n}})();'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path; if anything goes wrong, an older file stays unchanged.

        Args:
            path: a name that ends in .html.

        Raises:
            ValueError: if the name ends differently.
            FileNotFoundError: if the folder does not exist.
        """
        path = Path(path)
        if path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"a player cannot be saved as {path.name!r}; end the name in {SUFFIXES[0]}")
        write_whole(path, self.html.encode())
        return path

    def _repr_html_(self) -> str:
        return self.element

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        first = self._first
        return {"text/html": self.element, "text/plain": repr(self)} | (
            {"image/svg+xml": first.svg} if first is not None else {}
        )

    def __repr__(self) -> str:
        return f"<player: {self.title}, {self.steps} step{'s' * (self.steps != 1)}>"


def play(
    loss: Value | Sequence[Value], *, learn: Sequence[Value] | None = None, digits: int | None = None, limit: int = 150
) -> Player:
    """Make a player of the forward and backward pass of a result, with the steps of `walk`.

    Every leaf can be changed in the page, which then computes everything that depends on it.  Dots carry gradients along the
    edges and multiply them by local derivatives on the way; *Learn* takes a step of gradient descent.  Learners can predict
    each number before it is shown, open a network neuron by neuron, and see the classic mistakes beside the right run.

    Args:
        loss: the result whose gradient is taken, or the losses of several examples; *Learn* follows the mean of their
            gradients.
        learn: the leaves that *Learn* changes; by default the weights and biases of neurons or, without neurons, all labelled
            leaves except those called x, y, t, i, input, target, label, data or example, or one of these with a number.
        digits: significant digits of the numbers, 1 to 17; by default 5, and 3 in a network.
        limit: the largest number of boxes to draw; a network with more nodes is shown neuron by neuron only.

    Raises:
        TypeError: if `loss` is not a Value or a sequence of them, or if `learn` is not a sequence of leaves.
        ValueError: if the graph is too large to be read, if a leaf was changed after the forward pass, or if something in
            `learn` is not in the graph.
        LayoutError: if no layout engine is installed.

    >>> x = Value(3.0, label="x")
    >>> play(x * x).steps
    2
    """
    return make_player(_losses(loss), learn, digits, limit)


def make_player(
    losses: Sequence[Value], learn: Sequence[Value] | None, digits: int | None, limit: int, asked: Asked | None = None
) -> Player:
    """Make a player like `play`, or, with `asked`, one that poses an exercise and shows the backward pass afterwards.

    Raises:
        NotLiveError: if a row of an exercise has no JavaScript, so that no page can compute the graph.
    """
    for each in losses:
        _refuse_unreadable(each, limit)
    walks = [Walk(each, n_digits=digits) for each in losses]
    layouts = [
        [element("div", svg, class_="stage", data_view=view, data_example=str(i)) for svg in svgs]
        for i, walk in enumerate(walks)
        for view, svgs in draw_views(walk, limit).items()
    ]
    stages = [*chain.from_iterable(layouts)]
    notes = dict.fromkeys(note for stage in stages if (note := stage[0].attrib.pop("data-notes", "")))
    if asked:
        for stage in stages:
            blank(stage[0])
    shown, spare = [first for first, *_ in layouts], [write(stage) for _, *others in layouts for stage in others]
    views = list(dict.fromkeys(stage.attrib["data-view"] for stage in shown))
    switch = [element("button", view.capitalize(), type="button", data_shows=view) for view in views]
    rows, data = _data(walks, learn, spare, asked)
    [steps, *_] = walks
    title = asked.title if asked else f"Backpropagation of {steps.names[steps.loss]}"
    markup = _fill(
        "player.html",
        views="\n".join(map(write, switch)) if len(views) > 1 else "",
        stages="\n".join(map(write, shown)),
        meaning=write(_meaning(steps)),
        notes=escape(printable("; ".join(notes))),
        text=escape("\n".join(map(printable, asked.text.split("\n") if asked else _lines(steps)))),
        data=conceal(as_data(data)) if asked else as_data(data),
        style=colours() + _part("player.css") + (_part("exercise.css") if asked else ""),
    )
    return Player(title, len(steps), walks, markup, rows, asks=asked is not None)


def _data(
    walks: Sequence[Walk], learn: Sequence[Value] | None, layouts: list[str], asked: Asked | None
) -> tuple[str, dict[str, Any]]:
    """Return the rows as JavaScript, and the data of the page: without JavaScript for a row, only why it stays still."""
    leaves = list(dict.fromkeys(x for walk in walks for x in walk.names if x.primitive is None))
    about = {name: (mistake.__doc__ or "").partition("\n")[0].replace("`", "") for name, mistake in MISTAKES.items()}
    data: dict[str, Any] = {"learn": _learned(leaves, walks, learn), "mistakes": {} if asked else about, "layouts": layouts}
    try:
        rows, graphs = to_javascript(walks, asked.rows if asked else ())
    except NotLiveError as error:
        if asked:
            raise
        return "null", {"reason": f"{str(error).rstrip('.')}. So this page stays still."}
    data["graphs"] = graphs
    if asked:
        data["exercise"] = {"text": asked.text, **asked.data}
    return rows, data


def _losses(loss: object) -> list[Value]:
    losses: list[Any] = [loss]
    if isinstance(loss, Sequence) and not isinstance(loss, str) and len(loss) > 0:
        losses = list(loss)
    for each in losses:
        if not isinstance(each, Value):
            raise TypeError(f"play needs the Value whose graph is to be played, or a list of them, not {each!r}")
    return losses


def _refuse_unreadable(loss: Value, limit: int) -> None:
    """Raise unless there is a view in which a graph can be read, without walking it."""
    try:
        refuse_unreadable(loss, limit)
    except ValueError:
        if not Notation(loss).neurons:
            raise


def _learned(leaves: Sequence[Value], walks: Sequence[Walk], learn: Sequence[Value] | None) -> list[int]:
    """Return the indices, among all leaves, of those that learn."""
    if learn is not None:
        known, chosen = set(leaves), list(learn) if isinstance(learn, Iterable) else [learn]
        for each in chosen:
            if not isinstance(each, Value) or each.primitive is not None:
                raise TypeError(f"learn takes leaves of the graph, not {each!r}; give the nodes themselves, such as learn=[w]")
            if each not in known:
                raise ValueError(f"learn has {each!r}, which is not a leaf of this graph")
        learning = set(chosen)
        return [i for i, x in enumerate(leaves) if x in learning]
    neurons = [Neuron(net, out) for walk in walks for net, out in walk.notation.neurons.items()]
    parameters = {x for neuron in neurons for x in (*neuron.weights, neuron.bias) if isinstance(x, Value)}
    if not parameters:
        parameters = {x for x in leaves if x.label and not DATA.fullmatch(str(x.label))}
    return [i for i, x in enumerate(leaves) if x in parameters]


def _meaning(steps: Walk) -> Element:
    """Explain the symbols for gradients in the picture."""
    loss, has_delta = steps.names[steps.loss], any(steps.notation.mark(node) == "δ" for node in steps.order)
    delta = f"; δ of a neuron: ∂{loss}/∂z, with respect to its net input z" if has_delta else ""
    return element("span", f"∂x: ∂{loss}/∂x, how much {loss} grows with x{delta}")


def _lines(steps: Walk) -> Iterator[str]:
    """Write the walk, one line per node, for readers without JavaScript."""
    notation = steps.notation
    is_large = len(steps.names) > MOST_LINES  # then the leaves, of which there are thousands, are left out
    for node, name in steps.names.items():
        if is_large and node.primitive is None:
            continue
        formula = notation.formula(node)
        styles = () if node.primitive is None else (plain(notation.digits), numbers(notation.digits))
        gradient = f"{notation.mark(node)} = {notation.number(steps.gradients.get(node, 0.0))}"
        yield f"{equation(name, *map(formula.written, styles), notation.number(node.data))},  {gradient}"


def _fill(name: str, **parts: str) -> str:
    return Template(_part(name)).substitute(parts)


def _part(name: str) -> str:
    """Return the content of a file, without lines that are empty or a comment."""
    return NO_CODE.sub("", files(__name__).joinpath(name).read_text(encoding="utf-8"))
