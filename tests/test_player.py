"""The player: what its page says, that it is whole, safe and the same each time, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from autograd import Primitive, Value, dot, sigmoid, tanh, walk
from autograd.__main__ import main
from autograd.drawing import LayoutError
from autograd.mistakes import MISTAKES
from autograd.player import Player, play, theme
from autograd.steps import Walk
from autograd.strategies import graphs
from autograd.symbol import digits

ROOT = Path(__file__).parent.parent
HOSTILE = "<script>alert(1)</script>"


def neuron() -> Value:
    """Return the squared error of a neuron, with the names that the tests speak of."""
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


class Page(HTMLParser):
    """A page taken apart: its elements with attributes, and the text inside those of each class."""

    EMPTY = frozenset({"meta", "input", "path", "polygon", "br", "link", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []  # the classes around a text, from the outside in
        self._open: list[tuple[str, str]] = []
        self._goes_on = False  # a span without a class is no end of a text
        self.feed(html)
        self.close()
        assert not self._open, "elements are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._goes_on = self._goes_on and (tag, attrs) == ("span", [])
        if tag not in self.EMPTY:
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            opened = self._open.pop()
            assert opened[0] == tag
            self._goes_on = self._goes_on and opened == ("span", "")

    def handle_data(self, data: str) -> None:
        classes = tuple(name for _, names in self._open for name in names.split())
        if self._goes_on:
            data = self.texts.pop()[1] + data
        if data.strip():
            self.texts.append((classes, data))
            self._goes_on = True

    def within(self, name: str) -> list[str]:
        """Return the texts inside elements of a class."""
        return [text for names, text in self.texts if name in names]

    @property
    def trace(self) -> dict[str, Any]:
        """The data that the script reads."""
        trace: dict[str, Any] = json.loads("".join(self.within("trace")))
        return trace


def page(loss: Value) -> Page:
    """Return the page that plays a result, taken apart."""
    return Page(play(loss).html)


class TestWhatItSays:
    def test_every_step_has_its_rule_the_numbers_put_in_the_contribution_and_the_running_total(self) -> None:
        told = " ".join(page(neuron()).within("steps"))
        for text in ("Forward 3 of 5 →", "out = tanh(v2)", "tanh(0.6)", "out = 0.53705",
                     "← Backward 3 of 5", "∂loss/∂out = -0.9259", "∂out/∂v2 = 1 - out²", "1 - 0.53705² = 0.71158",
                     "(-0.9259)·0.71158 = -0.65885", "0 + (-0.65885) = -0.65885", "running total, v2.grad"):  # fmt: skip
            assert text in told

    @given(graphs())
    @settings(max_examples=20)
    def test_it_tells_what_the_walk_tells(self, loss: Value) -> None:
        told = page(loss)
        cells = told.within("secret")
        for step in walk(loss):
            assert step.value in " ".join(cells)
            for edge in step.edges:
                rule = f"∂{step.name}/∂{edge.name} = {edge.rule}" + (f", as {edge.reason}" if edge.reason else "")
                assert rule in told.within("rule")
                assert any(cell.endswith(f" = {digits(edge.contribution, edge.digits)}") for cell in cells)
                assert any(cell.endswith(f" = {digits(edge.total, edge.digits)}") for cell in cells)

    def test_the_trace_is_that_of_the_walk_with_the_texts_of_the_picture(self) -> None:
        loss = shared()
        told, right = page(loss).trace, json.loads(walk(loss).to_json())
        assert told["nodes"] == right["nodes"]
        for step, expected in zip(told["steps"], right["steps"], strict=True):
            assert expected | {"says": step.get("says"), "edges": step.get("edges")} == {"says": None, "edges": None} | step
            for edge, known in zip(step.get("edges", []), expected.get("edges", []), strict=True):
                assert known.items() <= edge.items()
        edges = [edge for step in told["steps"] for edge in step.get("edges", []) if edge["input"] == 0]
        assert [(edge["flows"], edge["flowed"], edge["says"]) for edge in edges] == [
            ("1 × 1 = 1", "← 1", "∂a so far = 1"), ("8 × 2 = 16", "← 16", "∂a so far = 17"), ("8 × 2 = 16", "← 16", "∂a = 33"),
        ]  # fmt: skip

    def test_play_is_a_triangle_a_step_one_with_a_bar_and_an_end_two(self) -> None:
        glyphs = re.findall(r'class="(\w+)"[^>]*><svg[^>]*><path (?:class="start" )?d="([^"]*)"', play(shared()).element)
        triangles_and_bars = {name: (path.count("l"), path.count("h-2") + path.count("H")) for name, path in glyphs}
        assert triangles_and_bars == {"first": (2, 1), "previous": (1, 1), "play": (1, 0), "next": (1, 1), "last": (2, 1)}

    def test_a_ledger_has_a_line_for_each_contribution_and_ends_in_what_backward_leaves(self) -> None:
        loss = shared()
        told = page(loss)
        loss.backward()
        ledgers = "\n".join(told.within("ledgers")).split("Ledger of ")[1:]
        parts = dict(ledger.split("\n", 1) for ledger in ledgers)
        assert list(parts) == ["a", "v1", "v2", "v3", "v4", "loss"]
        assert re.findall(r"from .*\n.*", parts["a"]) == [
            "from loss: ∂loss/∂loss · ∂loss/∂a\n = 1·1 = 1",
            *["from v1: ∂loss/∂v1 · ∂v1/∂a\n = 8·2 = 16"] * 2,
        ]
        assert "a.grad = ∂loss/∂a: \n∂a = 33" in parts["a"]
        assert loss.inputs[1].grad == 33.0
        assert re.findall(r"from (\w+)", parts["v1"]) == ["v3", "v2"]
        assert "from" not in parts["loss"].replace("the backward pass starts here", "")
        assert "loss.grad = ∂loss/∂loss: \n∂loss = 1" in parts["loss"]

    def test_each_number_to_be_predicted_is_there(self) -> None:
        answers = [float(a["data-answer"] or "") for _, a in page(neuron()).elements if "data-answer" in a]
        steps = walk(neuron())
        right = [step.node.data for step in steps[:5]] + [e.contribution for step in steps[5:] for e in step.edges]
        assert answers[: len(right)] == right  # then those of the mistakes

    def test_a_mistake_stands_beside_the_right_run_at_the_first_step_that_differs(self) -> None:
        told = page(shared())
        assert told.within("difference") == [f"{said}." for m in MISTAKES if (said := Walk(shared(), m).difference)]
        assert "∂loss/∂v1 = 8" in told.within("right")
        assert "∂loss/∂v1 = 3" in told.within("wrong")
        assert "5 + 3 = 8" in told.within("right")
        assert "set to 3, where it was 5" in told.within("wrong")
        assert [text for text in told.within("harmless") if "unsorted" in text] == ["unsorted"]
        assert set(told.trace["mistakes"]) == {"recursion", "overwrite", "zero-grad-forgotten", "updated-too-soon"}

    def test_only_a_network_has_a_view_by_neurons(self) -> None:
        views = [[a["data-view"] for _, a in page(loss).elements if "data-view" in a] for loss in (neuron(), network())]
        assert views == [["nodes"], ["nodes", "neurons"]]
        told = page(network())
        neurons = [["v2", " = 0.537", "tanh(net)", "net", " = 0.6", "b", " = 0.1", "δ = 0.0262"],
                   ["v4", " = 0.51", "σ(net)", "net", " = 0.0389", "b", " = 0.2", "δ = -0.123"]]  # fmt: skip
        assert told.within("neuron") == [text for lines in neurons for text in lines]

    def test_the_picture_holds_the_gradients_of_the_walk_whatever_backward_left(self) -> None:
        fresh, used = neuron(), neuron()
        used.backward(10.0)
        assert play(fresh).html == play(used).html
        assert used.grad == 10.0
        assert fresh.grad == 0.0

    def test_a_variable_alone_has_no_steps(self) -> None:
        player = play(Value(3.0, label="x"))
        assert repr(player) == "<player: Backpropagation of x, 0 steps>"
        assert Page(player.html).within("leaf") == ["x", " = 3"]

    def test_what_is_not_finite_is_told(self) -> None:
        x = Value(800.0, label="x")
        told = page(x.exp() * 0)
        assert "v1 = ∞" in told.within("secret")
        assert "NaN" in " ".join(told.within("steps"))


class TestFirstFrame:
    def test_it_is_in_the_markup(self) -> None:
        told = page(neuron())
        boxes = [a for _, a in told.elements if (a.get("class") or "").startswith("box ")]
        assert sorted(str(a["class"]) for a in boxes) == sorted([
            "box leaf", "box leaf", "box leaf", "box operation active", "box operation faint", "box operation faint",
            "box operation faint", "box result faint",
        ])  # fmt: skip
        arrows = [str(a["class"]) for _, a in told.elements if (a.get("class") or "").startswith("arrow")]
        assert sorted(arrows) == ["arrow active"] * 2 + ["arrow faint"] * 5
        hidden = [text for names, text in told.texts if "unseen" in names and "stage" in names]
        assert " = 0.6" in hidden
        assert "∂out = -0.9259" in hidden
        assert not {"v1", "w", " = 0.5", " = 1", "w·x"} & set(hidden)

    def test_controls_wait_for_the_script(self) -> None:
        bar = [a for _, a in page(neuron()).elements if a.get("class") == "bar"]
        assert ["hidden" in a for a in bar] == [True]


class TestSafety:
    def test_a_label_is_shown_and_not_run(self) -> None:
        x = Value(1.0, label=HOSTILE)
        loss = x * Value(2.0, label='"><img src=x onerror=alert(2)>')
        loss.label = '"></title><script>alert(3)</script>'
        told = page(loss)
        scripts = [a.get("type") for tag, a in told.elements if tag == "script"]
        assert scripts == ["application/json", None]
        assert "img" not in {tag for tag, _ in told.elements}
        assert HOSTILE in told.within("leaf")
        assert told.trace["nodes"][0]["label"] == HOSTILE

    @pytest.mark.parametrize("label", ["$title", "${style}", "]]>", "<!--", "a\nb", "\x00", "\ud800", "&lt;", "δ\u2028"])
    def test_any_label_will_do(self, label: str) -> None:
        loss = Value(1.0, label=label) * 2
        html = play(loss).html
        assert Page(html).trace["nodes"][0]["label"] == label
        assert html.encode()

    def test_it_names_no_other_place(self) -> None:
        html = play(network()).html
        assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"<link|<iframe|<img|@import|url\(|fetch|XMLHttpRequest|\bimport\b|localStorage", html)
        assert "default-src 'none'" in html

    def test_nothing_has_an_id_that_another_player_could_have_too(self) -> None:
        told = page(network())
        assert [a["name"] for _, a in told.elements if "name" in a] == ["viewport", "color-scheme"]
        assert not [a for _, a in told.elements if "id" in a]


def test_the_same_graph_gives_the_same_bytes_in_every_process() -> None:
    program = "import hashlib, test_player as t; print(hashlib.sha256(t.play(t.network()).html.encode()).hexdigest())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


class TestFiles:
    def test_a_page_is_saved(self, tmp_path: Path) -> None:
        player = play(neuron())
        saved = player.save(tmp_path / "x.html")
        assert saved.read_text(encoding="utf-8") == player.html
        assert list(tmp_path.iterdir()) == [saved]

    def test_another_suffix_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"cannot be saved as '.svg'; end the name in .html"):
            play(neuron()).save(tmp_path / "x.svg")

    def test_a_missing_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.* to write x.html to"):
            play(neuron()).save(tmp_path / "nowhere" / "x.html")

    def test_the_parts_that_are_no_python_are_packaged(self) -> None:
        patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["autograd"]
        folder = ROOT / "autograd"
        packaged = {path for pattern in patterns for path in folder.glob(pattern)}
        assert {p for p in (folder / "player").iterdir() if p.is_file() and p.suffix != ".py"} <= packaged


class TestRefusals:
    def test_what_is_no_value(self) -> None:
        not_a_value: Any = 3.0
        with pytest.raises(TypeError, match=r"play needs the Value whose graph is to be played, not 3.0"):
            play(not_a_value)

    def test_a_large_graph(self) -> None:
        loss = Value(1.0)
        for _ in range(150):
            loss = loss + 1
        with pytest.raises(
            ValueError, match=r"it has 151 nodes and 150 edges, and the limit is 150; to draw it takes limit=151 at least"
        ):
            play(loss)
        assert play(loss, limit=300).steps == 300

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
    """What a notebook is offered; GitHub shows no HTML, so a `Value` must not prefer it."""

    @staticmethod
    def offered(shown: Any) -> dict[str, str]:
        interactive = pytest.importorskip("IPython.core.formatters")
        data: dict[str, str] = interactive.DisplayFormatter().format(shown)[0]
        return data

    def test_a_value_is_a_picture_and_text(self) -> None:
        offered = self.offered(neuron())
        assert set(offered) == {"image/svg+xml", "text/plain"}
        assert "<svg" in offered["image/svg+xml"]

    def test_a_drawing_is_a_picture_and_text(self) -> None:
        from autograd import draw

        assert set(self.offered(draw(neuron()))) == {"image/svg+xml", "text/plain"}

    def test_a_player_is_an_element_and_text(self) -> None:
        offered = self.offered(play(neuron()))
        assert set(offered) == {"text/html", "text/plain"}
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
        assert "f = v3²" in Page(path.read_text(encoding="utf-8")).within("steps")

    def test_it_says_why_not(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([*self.ARGUMENTS, "--html", str(tmp_path / "f.txt")]) == 2
        assert "f.txt is not written: a player cannot be saved as '.txt'" in capsys.readouterr().err


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [(ink, paper, 4.5) for ink in ("ink", "note", "backward") for paper in ("paper", "leaf", "result", "neuron")]
    + [("forward", "paper", 4.5), ("paper", "forward", 4.5), ("paper", "backward", 4.5)]
    + [(line, "paper", 3.0) for line in ("wire", "faint", "outline", "neuron-outline")],
)  # fmt: skip
def test_contrast(ink: str, paper: str, least: float, night: bool) -> None:
    lighter, darker = sorted((luminance(theme.THEME[name][night]) for name in (ink, paper)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


def test_it_is_public() -> None:
    import autograd

    assert autograd.play is play
    assert isinstance(play(neuron()), Player)
    assert not isinstance(autograd.play, Primitive)
