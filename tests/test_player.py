"""The player: its page says what the walk says, is complete, safe and the same each time, and wrong input is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import tomllib
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from autograd import Primitive, Unary, Value, cos, dot, maximum, relu, sigmoid, sin, tanh, walk
from autograd.__main__ import main
from autograd.demo import POINT
from autograd.demo import network as demonstration
from autograd.drawing import LayoutError, draw
from autograd.exercises import exercise, worksheet
from autograd.mistakes import MISTAKES
from autograd.notation import equation
from autograd.player import Player, play, theme
from autograd.player.stage import draw_views, saturates
from autograd.strategies import graphs

ROOT = Path(__file__).parent.parent
HOSTILE = "<script>alert(1)</script>"


def neuron() -> Value:
    """Return the squared error of a neuron, with the names that the tests use."""
    w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-0.4, label="b")
    out = tanh(w * x + b)
    out.label = "out"
    loss: Value = (out - 1) ** 2
    return loss


def shared() -> Value:
    """Return a result in which a node is used three times."""
    a = Value(2.0, label="a")
    square = a * a
    return square * 3 + square * 5 + a


def network() -> Value:
    """Return the error of a network of two neurons."""
    x, w, b = Value(1.0, label="x"), Value(0.5, label="w"), Value(0.1, label="b")
    hidden = tanh(dot([w], [x], b))
    loss: Value = (sigmoid(dot([Value(-0.3, label="v")], [hidden], Value(0.2, label="c"))) - 1) ** 2 / 2
    return loss


def layers(*sizes: int) -> Value:
    """Return the squared error of a network of dense layers, with different weights for each neuron."""
    units: list[Any] = [0.1 * (i + 1) for i in range(sizes[0])]
    for layer, n in enumerate(sizes[1:], 1):
        made = []
        for j in range(n):
            weights = [Value(math.sin(7 * layer + 3 * j + i), label=f"layer{layer}.neuron{j}.w{i}") for i in range(len(units))]
            net = dot(weights, units, Value(0.1 * j, label=f"layer{layer}.neuron{j}.b"))
            net.label = f"layer{layer}.neuron{j}.net"
            out = tanh(net)
            out.label = f"layer{layer}.neuron{j}.out"
            made.append(out)
        units = made
    loss: Value = (units[0] - 1) ** 2
    return loss


class Page(HTMLParser):
    """A parsed page: its elements with attributes, and its texts with the classes around them."""

    EMPTY = frozenset({"meta", "input", "br", "link", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []  # the classes around a text, from the outside in
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self._open, "elements are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        classes = tuple(name for _, names in self._open for name in names.split())
        if data.strip():
            self.texts.append((classes, data))

    def within(self, name: str) -> list[str]:
        """Return the texts inside elements of a class."""
        return [text for names, text in self.texts if name in names]

    def having(self, attribute: str) -> list[dict[str, str | None]]:
        """Return the attributes of the elements that have the attribute of this name."""
        return [attributes for _, attributes in self.elements if attribute in attributes]

    @property
    def data(self) -> dict[str, Any]:
        """The data that the script reads."""
        data: dict[str, Any] = json.loads("".join(self.within("data")))
        return data


def page(loss: Value | list[Value], **options: Any) -> Page:
    """Return the parsed page that plays a result."""
    return Page(play(loss, **options).html)


class TestWithoutScripts:
    """The picture of the whole walk, and a line for each node."""

    @given(graphs())
    @settings(max_examples=20)
    def test_every_node_reads_as_in_the_walk(self, loss: Value) -> None:
        steps = walk(loss)
        [text] = page(loss).within("text")
        lines = dict(zip(steps.names, text.splitlines(), strict=True))
        for step in steps[: len(steps.order)]:
            assert lines[step.node].startswith(equation(step.name, step.formula, step.numbers, step.value) + ", ")
        for node, line in lines.items():
            gradient = steps.notation.number(steps.gradients.get(node, 0.0))
            assert line.endswith(f"{steps.notation.mark(node)} = {gradient}")

    def test_the_picture_shows_the_end_of_the_walk(self) -> None:
        parsed = page(neuron())
        assert [" ".join(parsed.within(kind)) for kind in ("leaf", "result")] == [
            "w = 0.5 ∂w = -1.3177 x = 2 ∂x = -0.32943 b = -0.4 ∂b = -0.65885", "loss = 0.21432 v3² ∂loss = 1",
        ]  # fmt: skip
        assert sorted(parsed.within("label")) == sorted(["← -1.3177", "← -0.32943", *["← -0.65885"] * 3, *["← -0.9259"] * 2])

    def test_the_picture_holds_the_gradients_of_the_walk_whatever_backward_left(self) -> None:
        fresh, used = neuron(), neuron()
        used.backward(10.0)
        assert play(fresh).html == play(used).html
        assert used.grad == 10.0
        assert fresh.grad == 0.0

    def test_controls_are_hidden_until_the_script_runs(self) -> None:
        parts = {a["class"]: "hidden" in a for _, a in page(neuron()).elements if a.get("class") in ("bar", "desk", "tools")}
        assert parts == {"bar": True, "desk": True, "tools": True}

    def test_a_single_variable_has_no_steps(self) -> None:
        player = play(Value(3.0, label="x"))
        assert repr(player) == "<player: Backpropagation of x, 0 steps>"
        assert Page(player.html).within("box")[0] == "x = 3"

    def test_a_row_without_javascript_is_named(self) -> None:
        wave = Unary("wave", lambda x: math.sin(x), lambda x, out: cos(x))
        parsed = page(wave(Value(1.0, label="x")))
        assert parsed.data["reason"].startswith("the row 'wave' cannot be computed in a page")
        assert parsed.data["reason"].endswith("So this page stays still.")
        assert "wave(x)" in " ".join(parsed.within("text"))


class TestCells:
    def test_every_value_and_every_gradient_has_a_cell_and_every_edge_an_arrow(self) -> None:
        loss = shared()
        parsed, steps = page(loss), walk(loss)
        places = steps.notation.places
        values, gradients = (
            sorted(int(a[f"data-{name}"] or "") for a in parsed.having(f"data-{name}")) for name in ("value", "gradient")
        )
        assert values == gradients == sorted(places.values())
        arrows = [a["data-flow"] for a in parsed.having("data-flow") if a["class"] == "arrow"]
        assert sorted(map(str, arrows)) == sorted(
            f"{places[node]}.{k}" for node in steps.order for k in range(len(node.inputs))
        )

    def test_a_box_that_no_gradient_reaches_has_room_for_one(self) -> None:
        x, y = Value(2.0, label="x"), Value(1.0, label="y")
        parsed = page(maximum(x, y) * 2)
        assert len(parsed.having("data-gradient")) == 4

    def test_a_weight_is_written_on_its_arrow_with_its_gradient(self) -> None:
        loss = network()
        parsed, places = page(loss), walk(loss).notation.places
        [net, *_] = [node for node in walk(loss).order if node.primitive is dot]
        labels = [a for a in parsed.having("data-weighs") if (a["class"] or "").startswith("label")]
        assert next((a["data-flow"], a["data-weighs"]) for a in labels) == (f"{places[net]}.1", f"{places[net]}.0")

    def test_units_that_can_saturate_are_recognised_by_their_function(self) -> None:
        x = Value(1.0)
        assert [saturates(f(x)) for f in (tanh, sigmoid, relu, sin)] == [True, True, True, False]
        assert not saturates(x * 2)

    def test_a_network_starts_neuron_by_neuron(self) -> None:
        views = [[a["data-view"] for a in page(loss).having("data-view")] for loss in (neuron(), network())]
        assert views == [["nodes"], ["neurons", "nodes"]]

    def test_a_network_with_too_many_nodes_is_shown_by_neurons_only(self) -> None:
        parsed = page(layers(8, 16, 1), limit=60)
        assert [a["data-view"] for a in parsed.having("data-view")] == ["neurons"]
        assert "condensed: " in " ".join(parsed.within("legend"))


class TestLearning:
    def learned(self, loss: Value | list[Value], **options: Any) -> list[str]:
        data = page(loss, **options).data
        names = {node["leaf"]: node["name"] for graph in data["graphs"] for node in graph["nodes"] if "leaf" in node}
        return [names[i] for i in data["learn"]]

    def test_by_default_the_weights_and_biases_of_neurons_learn(self) -> None:
        assert self.learned(network()) == ["w", "b", "v", "c"]

    def test_without_neurons_labelled_leaves_learn_unless_named_like_data(self) -> None:
        a, x, y, t = (Value(1.0, label=label) for label in ("a", "x", "y_1", "target"))
        assert self.learned(a * x * y * t + Value(2.0)) == ["a"]
        assert self.learned(demonstration(**POINT)["E"]) == ["w_h", "w_o"]  # but not its input i

    def test_the_leaves_that_learn_can_be_chosen(self) -> None:
        w, x = Value(3.0, label="w"), Value(2.0, label="x")
        assert self.learned(w * x, learn=[x]) == ["x"]

    @pytest.mark.parametrize(("learn", "error", "words"), [
        ([3.0], TypeError, "learn takes leaves of the graph, not 3.0"),
        (3.0, TypeError, "learn takes leaves of the graph, not 3.0"),
        ([Value(3.0) * 2], TypeError, "learn takes leaves of the graph, not "),
        ([Value(3.0, label="other")], ValueError, "which is not a leaf of this graph"),
    ])  # fmt: skip
    def test_only_leaves_of_the_graph_can_learn(self, learn: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            play(neuron(), learn=learn)

    def test_a_page_describes_every_mistake(self) -> None:
        about = page(neuron()).data["mistakes"]
        assert list(about) == list(MISTAKES)
        assert about["overwrite"] == "Set an input's gradient instead of adding to it: only the last use of a node counts."

    def test_several_examples_share_their_leaves(self) -> None:
        w = Value(0.5, label="w")
        data = page([(w * x - 1) ** 2 for x in (1.0, 2.0)]).data
        assert [graph["nodes"][0]["leaf"] for graph in data["graphs"]] == [0, 0]
        assert data["learn"] == [0]


class TestPictures:
    @pytest.mark.parametrize("sizes", [(2, 3, 1), (2, 4, 4, 1), (2, 8, 1)])
    def test_the_labels_of_weights_do_not_overlap_and_are_beside_their_neuron(self, sizes: tuple[int, ...]) -> None:
        svg, *_ = draw_views(walk(layers(*sizes)), 150)["neurons"]
        assert float(svg.attrib["viewBox"].split()[2]) < 1300, "lines that fan out are only as long as necessary"
        labels = [
            (label.attrib["data-weighs"].partition(".")[0], float(text.attrib["x"]), float(text.attrib["y"]))
            for label in svg.iterfind("g[@data-weighs]")
            for text in label.iterfind("text")
        ]
        for (target, x, y), (other, u, v) in combinations(labels, 2):
            assert abs(x - u) > 60 or abs(y - v) >= 14
            if target != other and abs(x - u) < 60:  # no label of one neuron is between two of another
                own, others = ([each[2] for each in labels if each[0] == which] for which in (target, other))
                assert max(own) < min(others) or max(others) < min(own)


class TestSize:
    def test_small_examples(self) -> None:
        assert len(play(neuron()).html.encode()) < 150_000

    def test_150_nodes(self) -> None:
        y = Value(0.5, label="x")
        for i in range(37):
            y = tanh(y * Value(0.9, label=f"w{i}") + 0.1)
        assert len(walk(y).names) == 149
        assert len(play(y).html.encode()) < 350_000


class TestInOtherPages:
    @pytest.mark.parametrize("attribute", ["data-lm-suppress-shortcuts", "data-prevent-swipe"])  # JupyterLab's and reveal.js's
    def test_what_is_typed_and_dragged_in_it_is_not_a_command(self, attribute: str) -> None:
        assert [element["class"] for element in Page(play(neuron()).element).having(attribute)] == ["autograd-player"]

    def test_no_line_is_empty(self) -> None:
        """In Markdown, such as nbconvert writes, HTML ends at an empty line."""
        task = exercise(tanh(Value(0.5, "a\n\nb") * 2))
        for shown in (play(task.loss), task.play(), task, worksheet([task])):
            assert all(map(str.strip, shown._repr_html_().strip().split("\n")))


class TestSafety:
    def test_a_label_is_shown_and_not_run(self) -> None:
        x = Value(1.0, label=HOSTILE)
        loss = x * Value(2.0, label='"><img src=x onerror=alert(2)>')
        loss.label = '"></title><script>alert(3)</script>'
        parsed = page(loss)
        scripts = [a.get("type") for tag, a in parsed.elements if tag == "script"]
        assert scripts == ["application/json", None]
        assert "img" not in {tag for tag, _ in parsed.elements}
        assert HOSTILE in " ".join(parsed.within("leaf"))
        assert parsed.data["graphs"][0]["nodes"][0]["name"] == HOSTILE

    @pytest.mark.parametrize("label", ["$title", "${style}", "]]>", "<!--", "a\nb", "\x00", "\ud800", "&lt;", "δ\u2028"])
    def test_any_label_is_allowed(self, label: str) -> None:
        loss = Value(1.0, label=label) * 2
        html = play(loss).html
        assert Page(html).data["graphs"][0]["nodes"][0]["name"] == walk(loss).notation.full[loss.inputs[0]]
        assert html.encode()

    def test_it_refers_to_no_other_address(self) -> None:
        html = play(network()).html
        assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"<link|<iframe|<img|@import|url\(|fetch|XMLHttpRequest|\bimport\b|localStorage|\beval\b", html)

    def test_its_policy_allows_its_own_script_and_styles_by_their_hashes_and_nothing_else(self) -> None:
        html = play(network()).html
        [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

        def hashes(tag: str) -> list[str]:
            contents = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
            return ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in contents]

        assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
        assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'",) * 3
        assert rules["script-src"].split() == hashes("script")
        assert rules["style-src"].split() == hashes("style")
        assert not re.search(r'\sstyle="', html)

    def test_nothing_has_an_id_that_another_player_could_have_too(self) -> None:
        assert not page(network()).having("id")


class TestFiles:
    def test_a_page_is_saved(self, tmp_path: Path) -> None:
        player = play(neuron())
        saved = player.save(tmp_path / "x.html")
        assert saved.read_text(encoding="utf-8") == player.html
        assert list(tmp_path.iterdir()) == [saved]

    def test_another_suffix_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"cannot be saved as 'x.svg'; end the name in .html"):
            play(neuron()).save(tmp_path / "x.svg")

    def test_a_missing_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.* to write x.html to"):
            play(neuron()).save(tmp_path / "nowhere" / "x.html")

    def test_the_files_that_are_not_python_are_packaged(self) -> None:
        patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["autograd"]
        folder = ROOT / "autograd"
        packaged = {path for pattern in patterns for path in folder.glob(pattern)}
        assert {p for p in (folder / "player").iterdir() if p.is_file() and p.suffix not in (".py", ".md")} <= packaged


class TestRefusals:
    def test_what_is_not_a_value(self) -> None:
        not_a_value: Any = 3.0
        with pytest.raises(TypeError, match=r"play needs the Value whose graph is to be played, or a list of them, not 3.0"):
            play(not_a_value)

    def test_a_large_graph(self) -> None:
        loss = Value(1.0)
        for _ in range(150):
            loss = loss + 1
        with pytest.raises(ValueError, match=r"it has 151 nodes and 150 edges, and the limit is 150; pass limit=151 or more"):
            play(loss)
        assert play(loss, limit=300).steps == 300

    def test_nothing_to_play(self) -> None:
        nothing: Any = []
        with pytest.raises(TypeError, match=r"play needs the Value whose graph is to be played, or a list of them, not \[\]"):
            play(nothing)

    def test_a_large_graph_is_refused_before_it_is_walked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograd.player.Walk", None)
        with pytest.raises(ValueError, match="it has 8 nodes and 7 edges, and the limit is 3"):
            play(neuron(), limit=3)

    def test_a_leaf_that_was_changed(self) -> None:
        x = Value(1.0, label="x")
        loss = x * 2
        x.data = 5.0
        with pytest.raises(ValueError, match="changed after the forward pass"):
            play(loss)

    def test_no_layout_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograd.drawing.layout._package", lambda name: None)
        with pytest.raises(LayoutError, match="no layout engine is installed"):
            play(neuron())


class TestInJupyter:
    """The formats offered to a notebook: HTML that is shown even if the notebook is not trusted, a picture, and text."""

    @staticmethod
    def offered(shown: Any) -> dict[str, str]:
        interactive = pytest.importorskip("IPython.core.formatters")
        data: dict[str, str] = interactive.DisplayFormatter().format(shown)[0]
        return data

    def test_a_value_is_a_picture_and_text(self) -> None:
        offered = self.offered(neuron())
        assert set(offered) == {"text/html", "image/svg+xml", "text/plain"}
        assert "<svg" in offered["image/svg+xml"]

    def test_a_drawing_is_a_picture_and_text(self) -> None:
        assert set(self.offered(draw(neuron()))) == {"text/html", "image/svg+xml", "text/plain"}

    def test_a_player_is_an_element_and_text(self) -> None:
        offered = self.offered(play(neuron()))
        assert set(offered) == {"text/html", "image/svg+xml", "text/plain"}
        assert offered["image/svg+xml"] == draw(neuron(), step=0).svg
        assert offered["text/html"].startswith('<div class="autograd-player"')
        assert offered["text/plain"] == "<player: Backpropagation of loss, 10 steps>"

    def test_a_value_whose_graph_is_too_large_is_text(self) -> None:
        loss = Value(1.0)
        for _ in range(200):
            loss = loss + 1
        assert set(self.offered(loss)) == {"text/plain"}


class TestCommandLine:
    ARGUMENTS = ("tanh(w*x + b)**2", "w=0.5", "x=2", "b=-0.4")

    def test_it_writes_a_page(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "f.html"
        assert main([*self.ARGUMENTS, "--html", str(path)]) == 0
        assert capsys.readouterr().out.endswith(f"The player is in {path}; open it in a browser.\n")
        assert "f = v3²" in " ".join(Page(path.read_text(encoding="utf-8")).within("text"))

    def test_it_says_why_a_page_is_not_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([*self.ARGUMENTS, "--html", str(tmp_path / "f.txt")]) == 2
        assert "f.txt is not written: a player cannot be saved as 'f.txt'" in capsys.readouterr().err


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [(ink, paper, 4.5) for ink in ("ink", "note", "plus", "minus") for paper in ("paper", "leaf", "result", "neuron")]
    + [("forward", "paper", 4.5), ("paper", "ink", 4.5), ("backward", "paper", 4.5)]
    + [(line, "paper", 3.0) for line in ("wire", "faint", "outline", "plus", "minus")],
)  # fmt: skip
def test_contrast(ink: str, paper: str, least: float, night: bool) -> None:
    lighter, darker = sorted((luminance(theme.THEME[name][night]) for name in (ink, paper)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


def test_it_is_public() -> None:
    import autograd

    assert autograd.play is play
    assert isinstance(play(neuron()), Player)
    assert not isinstance(autograd.play, Primitive)
