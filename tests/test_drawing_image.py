"""PNG and PDF: Typst prints them from the SVG, even on a machine without fonts, in the same bytes each time."""

from __future__ import annotations

import io
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from test_drawing_formats import needs_layout
from test_player import network

from autograd import Value, draw
from autograd.drawing import Drawing, LayoutError
from autograd.drawing.as_image import RESOLUTION, to_image

needs_typst = pytest.mark.skipif(find_spec("typst") is None, reason="typst is not installed")
SIGNS = "∂δσΣθ∞·×←√²³⁽⁾¹₀₁₉′≤≥…−|"


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Typst only its built-in fonts, as on a machine without fonts."""
    typst = import_module("typst")
    compile_page = typst.compile

    def compile_without(*parts: Any, **options: Any) -> Any:
        return compile_page(*parts, **(options | {"ignore_system_fonts": True}))

    monkeypatch.setattr(typst, "compile", compile_without)


def trained() -> Drawing:
    loss = network()
    loss.backward()
    return draw(loss)


def pixels(text: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return the PNG of a picture with a single text."""
    svg = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", width="30pt", height="20pt")
    ElementTree.SubElement(svg, "text", x="5", y="15").text = text
    monkeypatch.setattr("autograd.drawing.as_image.draw_plan", lambda plan: svg)
    return to_image(Drawing("A sign", (), (), ()), "png")


@needs_layout
@needs_typst
@pytest.mark.parametrize("step", [None, 9])
def test_png_has_the_size_of_the_picture_at_its_resolution(step: int | None, tmp_path: Path) -> None:
    drawing = draw(network(), step=step)
    data = drawing.save(tmp_path / "graph.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    size = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    svg = ElementTree.fromstring(drawing.svg)
    assert size == pytest.approx([float(svg.get(side, "")) * RESOLUTION / 96 for side in ("width", "height")], abs=2)


@needs_layout
@needs_typst
def test_pdf_has_the_size_of_the_picture_its_fonts_and_no_date(tmp_path: Path) -> None:
    drawing = trained()
    data = drawing.save(tmp_path / "graph.PDF").read_bytes()
    assert data.startswith(b"%PDF")
    [box] = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", data)
    svg = ElementTree.fromstring(drawing.svg)
    assert list(map(float, box)) == pytest.approx([float(svg.get(side, "")) * 72 / 96 for side in ("width", "height")], abs=1)
    assert b"DejaVuSansMono" in data
    assert b"CreationDate" not in data and b"xmp:CreateDate" not in data


@needs_typst
def test_every_character_is_drawn_without_system_fonts(no_fonts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_box, blank = pixels("\U0010fffc", monkeypatch), pixels(" ", monkeypatch)  # no font has this private-use character
    assert pixels("\U0010fffb", monkeypatch) == empty_box != blank
    drawn = {pixels(sign, monkeypatch) for sign in SIGNS}
    assert len(drawn) == len(SIGNS) and not drawn & {empty_box, blank}


@needs_layout
@needs_typst
def test_system_fonts_change_nothing(request: pytest.FixtureRequest) -> None:
    drawing = trained()
    with_them = to_image(drawing, "png"), to_image(drawing, "pdf")
    request.getfixturevalue("no_fonts")
    assert (to_image(drawing, "png"), to_image(drawing, "pdf")) == with_them


@needs_layout
@needs_typst
def test_a_label_in_another_script_uses_system_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    typst, taken = import_module("typst"), []
    compile_page = typst.compile

    def compile_and_note(*parts: Any, **options: Any) -> Any:
        taken.append(not options["ignore_system_fonts"])
        return compile_page(*parts, **options)

    monkeypatch.setattr(typst, "compile", compile_and_note)
    for label in ("θ₁", "потеря", "損失", "הפסד", "خسارة", "🎉"):
        to_image(draw(Value(1.0, label=label)), "png")
    assert taken == [False, False, True, True, True, True]


@pytest.mark.slow
@needs_layout
@needs_typst
@pytest.mark.parametrize("form", ["png", "pdf"])
def test_colours_and_bold_lines_are_those_of_the_svg(form: str) -> None:
    matplotlib = pytest.importorskip("matplotlib.image")
    drawing = trained()
    if form == "pdf":
        assert b"DejaVuSansMono-Bold" in to_image(drawing, "pdf")
        return
    image = (matplotlib.imread(io.BytesIO(to_image(drawing, "png")))[..., :3] * 255).round().astype(int)
    found = {"#{:02x}{:02x}{:02x}".format(*pixel) for pixel in image.reshape(-1, 3).tolist()}
    assert {"#dceefa", "#0072b2", "#fdf3cf", "#a33b00", "#1a1a1a"} <= found


@needs_layout
@needs_typst
def test_a_label_is_never_markup() -> None:
    label = '#panic("no") $x$ *b* \\ ] ) <script>'
    quiet, loud = draw(Value(1.0, label=label)), draw(Value(1.0, label=label), digits=7)
    assert to_image(quiet, "pdf").startswith(b"%PDF") and to_image(loud, "png").startswith(b"\x89PNG")


@needs_layout
@pytest.mark.parametrize("form", ["png", "pdf"])
def test_without_typst(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(
        LayoutError, match=rf"a {form.upper()} is printed by Typst, which is not installed: `pip install typst`"
    ):
        trained().save(tmp_path / f"graph.{form}")
    assert not list(tmp_path.iterdir())


@needs_layout
@needs_typst
def test_a_failure_of_typst_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.drawing.as_image.PAGE", b"#image(bytes(sys.inputs.nothing))")
    with pytest.raises(LayoutError, match=r"Typst could not print this picture: .*nothing"):
        to_image(trained(), "png")
