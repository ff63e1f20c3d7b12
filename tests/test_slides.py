"""Derivations on slides: in a browser, KaTeX sets each within the width of a slide.

The tests need a browser and npm's package katex, which the variable NODE_PATH has to lead to:

    npm install --prefix FOLDER katex && NODE_PATH=FOLDER/node_modules .venv/bin/python -m pytest tests/test_slides.py
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest
from browser import Browser
from visits import modules

from autograd import Value, explain, tanh, total
from autograd.derivation import Explanation
from nn import MLP

pytestmark = pytest.mark.slow  # needs a browser: run by `.ci/run pictures`

SLIDE = 900  # pixels, for text of 20 px
SET = """(async () => {
    for (const place of document.querySelectorAll("p"))
        katex.render(place.textContent, place, {displayMode: true, strict: "error"});
    await document.fonts.ready;
    return [...document.querySelectorAll("p .katex-html")].map(made => {
        const range = document.createRange();
        range.selectNodeContents(made.querySelector(".mtable"));
        return range.getBoundingClientRect().width;
    });
})()"""


@pytest.fixture(scope="module")
def katex() -> Path:
    """The folder of KaTeX."""
    return modules("katex") / "katex" / "dist"


def widths(formulas: list[str], browser: Browser, katex: Path, folder: Path) -> list[float]:
    """Return the widths of formulas, in pixels, as KaTeX sets them in text of 20 px."""
    head = f'<meta charset=utf-8><link rel=stylesheet href="{(katex / "katex.min.css").as_uri()}">'
    head += f'<script src="{(katex / "katex.min.js").as_uri()}"></script><style>p {{ font-size: 20px; width: 3000px }}</style>'
    page = folder / "slides.html"
    page.write_text(f"<!doctype html>{head}<body>" + "".join(f"<p>{escape(text)}</p>" for text in formulas), encoding="utf-8")
    browser.open(page)
    found: list[float] = browser.run(SET)
    assert len(found) == len(formulas)
    return found


def network(sizes: list[int], activation: str) -> tuple[MLP, Value]:
    """Return a network with two inputs, and its error on an example."""
    model = MLP(2, sizes, activation, "sigmoid", seed=1)
    loss = (model([Value(0.5, label="x0"), Value(-1.0, label="x1")]) - 1) ** 2 / 2
    loss.label = "L"
    return model, loss


@pytest.mark.parametrize("digits", [None, 8])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus"])
@pytest.mark.parametrize("sizes", [[3, 1], [8, 1], [3, 3, 1]])
def test_the_derivation_of_every_weight_fits_on_a_slide(
    sizes: list[int], activation: str, digits: int | None, chromium: Browser, katex: Path, tmp_path: Path
) -> None:
    model, loss = network(sizes, activation)
    explanations = {name: explain(x, of=loss, digits=digits) for name, x in model.named_parameters()}
    found = widths([each.latex for each in explanations.values()], chromium, katex, tmp_path)
    assert max(found) <= SLIDE, dict(zip(explanations, found, strict=True))
    deepest = explanations[next(iter(explanations))]
    assert len(deepest.paths) == (3 if len(sizes) == 3 else 1), "a network of three layers has a sum of paths"


def test_other_formulas_fit(chromium: Browser, katex: Path, tmp_path: Path) -> None:
    x = Value(0.5, label="a_rather_long_name_of_a_leaf")
    y = x
    for _ in range(12):
        y = tanh(y * 1.2345)
    shared = Value(0.3, label="w")
    z = shared
    for _ in range(3):
        z = z * shared + 0.123456789 * shared
    many = Value(1.0, label="m")
    made: list[Explanation] = [explain(x, of=y), explain(shared, of=z), explain(many, of=total([many * i for i in range(9)]))]
    found = widths([each.latex for each in made], chromium, katex, tmp_path)
    assert max(found) <= SLIDE, found


def test_katex_accepts_squares_of_what_has_a_superscript(chromium: Browser, katex: Path, tmp_path: Path) -> None:
    """Squares of numbers with exponents, of squares, and of names with layers: TeX refuses a second superscript."""
    tiny, w = Value(1e-7), Value(0.5, label="layer1.neuron0.w2")
    made = [explain(w, of=((tiny * tiny) * w**2) ** 2), explain(w, of=tanh(w * w) ** 2 * 1e30)]
    assert all(width > 0 for width in widths([each.latex for each in made], chromium, katex, tmp_path))
    assert r"\left(1 \cdot 10^{-7}\right)^{2}" in made[0].latex and "{w^{(1)}_{02}}^{2}" in made[0].latex
