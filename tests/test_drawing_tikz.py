"""TikZ: a plan becomes a LaTeX document that every engine can typeset, with formulas as mathematics."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_drawing_formats import NASTY, SVG, needs_layout
from test_player import network

from autograd import Value, draw, exp, where
from autograd.drawing import Drawing, Edge, Line, Node
from autograd.drawing.as_tikz import set_label, set_line, set_words
from autograd.strategies import ROWS, widths
from autograd.symbol import Symbol
from nn import MLP

# Without luaotfload, lualatex has only fonts of 256 characters.
HAS_FONTS = shutil.which("kpsewhich") and subprocess.run(["kpsewhich", "luaotfload-main.lua"], capture_output=True).stdout
ENGINES = [name for name in ("pdflatex", "lualatex", "tectonic") if shutil.which(name) and (HAS_FONTS or name != "lualatex")]
needs_latex = pytest.mark.skipif(not ENGINES, reason="neither pdflatex nor lualatex nor tectonic is installed")
GREEK = "αβγδεζηθικλμνξπρςστυφχψωϑϕϵΓΔΘΛΞΠΣΦΨΩ ∂∞·×←→…≤≥≠±∑∇√′ ⁽¹⁾₀² éñçžẍẘÅ"


def trained() -> Value:
    loss = network()
    loss.backward()
    return loss


def hostile() -> Value:
    total = Value(0.0, label=GREEK)
    for label in NASTY:
        total = total + exp(Value(-2e-7, label=label))
    total.backward()
    return total


def chain() -> Value:
    x = Value(1.0, label="x")
    for _ in range(149):
        x = x + 1
    return x


def all_rows() -> Drawing:
    """Return a picture of every row of the table, each applied to symbols with awkward names."""
    names = ("w⁽¹⁾₀₂", "θ_hidden", "δ", "a b", "x′")
    boxes = []
    for i, row in enumerate(ROWS):
        operands = [Symbol(names[k % len(names)]) for k in range(widths(row)[-1])]
        boxes.append(Node(f"n{i}", "operation", (Line("operation", formula=Symbol.applied(row, operands)),), ""))
    return Drawing("Rows", tuple(boxes), (), ())


def set_with(engine: str, drawing: Drawing, folder: Path) -> str:
    """Typeset a drawing in a folder, and return the log."""
    drawing.save(folder / "graph.tex")
    options = ["--keep-logs"] if engine == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    run = subprocess.run([engine, *options, "graph.tex"], cwd=folder, capture_output=True, check=False)
    log = (folder / "graph.log").read_text(encoding="utf-8", errors="replace")
    assert run.returncode == 0, log[-3000:]
    return log


def opened(pdf: Path) -> bytes:
    """Return the contents of a PDF, decompressed."""
    data = pdf.read_bytes()
    parts = [data]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        with contextlib.suppress(zlib.error):
            parts.append(zlib.decompressobj().decompress(stream))
    return b"\n".join(parts)


@pytest.mark.slow
@needs_latex
@needs_layout
@pytest.mark.parametrize("engine", ENGINES or ["pdflatex"])
@pytest.mark.parametrize("picture", ["network", "neurons", "flowing", "branch", "hostile", "chain", "rows"])
def test_it_is_typeset_on_one_page_of_the_size_of_the_picture(picture: str, engine: str, tmp_path: Path) -> None:
    drawing = {
        "network": lambda: draw(trained()),
        "neurons": lambda: draw(trained(), view="neurons"),
        "flowing": lambda: draw(trained(), step=9),
        "branch": lambda: draw(where(Value(1.0, label="c") > 0, Value(2.0), 3.0) / 7, step=-1),
        "hostile": lambda: draw(hostile()),
        "chain": lambda: draw(chain()),
        "rows": all_rows,
    }[picture]()
    log = set_with(engine, drawing, tmp_path)
    assert not re.findall(r"^! .*|Missing character.*|Overfull.*|LaTeX Warning: .*", log, re.MULTILINE)
    [(width, height)] = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", opened(tmp_path / "graph.pdf"))
    _, _, *size = map(float, ElementTree.fromstring(drawing.svg).get("viewBox", "").split())
    part = min(1.0, 14_000 / max(size))
    assert (float(width), float(height)) == pytest.approx((size[0] * part, size[1] * part), abs=1.0)


@needs_layout
def test_names_formulas_and_numbers_are_mathematics() -> None:
    texts = re.findall(r"\\node\[.*\] at \(.*?\) \{(.*)\};", draw(trained(), view="neurons").tikz)
    assert {
        r"{\boldmath\bfseries $v_{5} = -0.49$}", r"$v_{5}^{2}$", r"$\mathrm{net} = 0.6$", r"$b = 0.1$",
        r"{\boldmath\bfseries $0.5$}", r"$\partial w = 0.0262$", r"$\ensuremath{\leftarrow} 0.0131$",
        r"{\boldmath\bfseries $\mathrm{loss} = 0.12$}", r"$v_{6} / 2$", r"$\ensuremath{\delta} = -0.123$",
    } <= set(texts)  # fmt: skip


@needs_layout
def test_everything_has_the_same_place_as_in_the_svg() -> None:
    drawing = draw(trained(), step=9)
    svg, text = ElementTree.fromstring(drawing.svg), drawing.tikz
    places = [(text.get("x"), text.get("y")) for text in svg.iter(f"{SVG}text")]
    assert re.findall(r"\\node.*? at \((.*?),(.*?)\)", text) == places
    shapes = [shape for tag in ("path", "polygon", "rect", "ellipse") for shape in svg.iter(f"{SVG}{tag}")]
    assert text.count(r"\path[") == len(shapes) - 1  # the paper
    assert text.count(", dashed]") == sum(shape.get("stroke-dasharray") is not None for shape in shapes) > 0
    curve = next(svg.iter(f"{SVG}path")).get("d", "")
    first, *rest = (f"({x})" for x in re.findall(r"-?[\d.]+,-?[\d.]+", curve))
    curves = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    assert f"] {first}{''.join(f' .. controls {a} and {b} .. {end}' for a, b, end in curves)};" in text


@needs_layout
def test_inputs_are_ellipses_and_neurons_have_round_corners() -> None:
    text = draw(trained(), view="neurons").tikz
    assert re.search(
        r"\\path\[fill=leaf fill, draw=leaf line, line width=1.2bp\] \(.*\) ellipse \[x radius=\S+, y radius=\S+\];", text
    )
    assert re.search(
        r"\\path\[fill=neuron fill, draw=neuron line, line width=1.2bp, rounded corners=9bp\] \(.*\) rectangle \(.*\);", text
    )


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (Line("value", "w⁽¹⁾₀₂", value=-0.25), "$w^{(1)}_{02} = -0.25$"),
        (Line("gradient", "∂w_h so far", value=1.5e-7), r"$\partial w_{h}\text{ so far} = 1.5 \cdot 10^{-7}$"),
        (Line("gradient", "δ", value=float("-inf")), r"$δ = -\infty$"),
        (Line("operation", formula=Symbol("a") / Symbol("b") - 3), "$a / b - 3$"),
        (Line("operation", formula=where(Symbol("c"), Symbol("a"), 0.0)), r"$\operatorname{where}(c, a, 0)$"),
        (Line("value", "50% & <b>", value=2.0), r"$\text{50\% \& \ensuremath{<}b\ensuremath{>}} = 2$"),
        (Line("operation", formula=Symbol("layer1.neuron0.w2") * Symbol("an_input_by_name")),
         r"$w_{2} \cdot \text{an\_input\_by\_name}$"),
        (Line("value", "a_very_long_name_of_something_of_no_use", value=1.0), r"a\_very\_long\_na…hing\_of\_no\_use = 1"),
    ],
)  # fmt: skip
def test_lines(line: Line, written: str) -> None:
    assert set_line(line) == written


@pytest.mark.parametrize(
    ("edge", "written"),
    [
        (Edge("e", "a", "b", "", "local", -0.5), ["$-0.5$"]),
        (Edge("e", "a", "b", "", "flowing", -0.5, 2.0, -1.0), ["$2$", "$× (-0.5)$", "$= -1$"]),
        (Edge("e", "a", "b", "", "flowed", -0.5, 2.0, -1e-9), [r"$← -1 \cdot 10^{-9}$"]),
        (Edge("e", "a", "b", "", "local", 0.5, weight=True, gradient=-2.0), ["$0.5$", r"$\partial w = -2$"]),
        (Edge("e", "a", "b", "", "not taken"), ["not taken"]),
        (Edge("e", "a", "b", "", "nothing", name="p_1"), [r"p\_1"]),
    ],
)
def test_labels(edge: Edge, written: list[str]) -> None:
    assert set_label(edge) == written


@pytest.mark.parametrize("label", NASTY)
def test_special_characters_of_latex_are_escaped(label: str) -> None:
    rest = re.sub(r"\\(?:[#$%&_{}]|textbackslash\{\}|textasciitilde\{\}|textasciicircum\{\}|ensuremath\{[<>|]\})|\{[-'`]\}", "",
                  set_words(label))  # fmt: skip
    assert not set(rest) & set("\\{}#$%&_^~<>|`\n")


@needs_layout
def test_the_document_is_ascii_except_for_unknown_characters() -> None:
    text = draw(hostile()).tikz
    known = re.sub(r"\\glyph\{.\}\{[0-9A-F]+\}", "", text)
    assert known.isascii()
    assert r"\glyph{중}{C911}" in text and r"\ensuremath{\theta}" in text and r"\text{\textsuperscript{1}}" in text
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text.replace(r"\\", "")):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_the_dots_for_the_rest_of_a_layer_need_no_font() -> None:
    drawing = draw(MLP(8, [16, 1], seed=1)([0.1] * 8), view="neurons")
    assert drawing.tikz.count(r"\vdots") == 2 and "22EE" not in drawing.tikz
