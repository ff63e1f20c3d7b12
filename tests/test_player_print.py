"""A printed player: one page with the whole graph, every gradient and the table of steps; on the screen all is as before."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find_browser
from test_player import network, neuron, shared

from autograd import Value, tanh, walk
from autograd.drawing import draw
from autograd.player import play
from nn import MLP

PAGES = {"A4": (8.27, 11.69), "Letter": (8.5, 11)}  # inches
SEEN = (
    """[...document.querySelectorAll(".autograd-player *")].filter(part => part.checkVisibility({visibilityProperty: true}))"""
)
TEXTS = f"""{SEEN}.filter(part => part.matches("text")).map(part => part.textContent.trim())"""
PARTS = f"""[...new Set({SEEN}.flatMap(part => [...part.classList]))]"""
STATE = """[...document.querySelectorAll(".autograd-player *")].map(part =>
    [part.tagName, [...part.classList].sort().join(" "), part.hidden, part.children.length ? "" : part.textContent])"""


def deep() -> Value:
    """Return the error of a 2-3-1 network."""
    model = MLP(2, [3, 1], "tanh", "sigmoid", seed=1)
    loss: Value = (model([Value(0.5, label="x0"), Value(-1.0, label="x1")]) - 1) ** 2 / 2
    return loss


def chain() -> Value:
    """Return the end of a chain of twenty operations."""
    y = Value(0.5, label="x")
    for _ in range(20):
        y = tanh(y)
    return y


GRAPHS = pytest.mark.parametrize("make", [neuron, shared, network, deep, chain])


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all the tests here."""
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium to drive; apt install chromium, for instance")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def pages(browser: Browser, **options: Any) -> int:
    """Print what the browser shows and return how many pages it takes."""
    pdf = base64.b64decode(browser.call("Page.printToPDF", **options)["data"])
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@GRAPHS
@pytest.mark.parametrize("paper", PAGES)
def test_it_is_one_page(make: Callable[[], Value], paper: str, chromium: Browser, tmp_path: Path) -> None:
    chromium.open(play(make()).save(tmp_path / "page.html"))
    width, height = PAGES[paper]
    assert pages(chromium, paperWidth=width, paperHeight=height, preferCSSPageSize=True) == 1
    assert pages(chromium, paperWidth=height, paperHeight=width, printBackground=True) == 1


@GRAPHS
@pytest.mark.parametrize("mode", ["", "neurons", "predict"])
def test_it_holds_every_gradient_and_every_step(
    make: Callable[[], Value], mode: str, chromium: Browser, tmp_path: Path
) -> None:
    loss = make()
    chromium.open(play(loss).save(tmp_path / "page.html"))
    for _ in range(2):
        chromium.press("ArrowRight")
    if mode == "predict":
        chromium.click(".predict")
    elif mode and chromium.run("document.querySelector('[data-shows=neurons]') !== null"):
        chromium.click("[data-shows=neurons]")
    before = chromium.run(STATE)
    chromium.call("Emulation.setEmulatedMedia", media="print")
    chromium.run("window.dispatchEvent(new Event('beforeprint'))")
    texts, parts = chromium.run(TEXTS), chromium.run(PARTS)
    steps = walk(loss)
    plan = draw(loss, step=-1)
    flows = [f"← {edge.label.rpartition(' = ')[2].removeprefix('← ')}" for edge in plan.edges]
    assert sorted(texts) == sorted([*flows, *(line.text for node in plan.nodes for line in node.lines)])
    gradients = [text for text in texts if text.startswith(("∂", "δ"))]
    assert len(gradients) == len(steps.names)
    shown = chromium.run("document.querySelector('.steps').innerText").replace("\n", " ")
    for step in steps:
        assert f"{step.name} = {step.formula}" in shown and step.value in shown
        assert all(edge.addition in shown and f"{edge.slope} = {edge.case}" in shown for edge in step.edges)
    assert not {"bar", "ledgers", "mistakes", "guess", "active", "faint", "aside", "unseen", "pending"} & set(parts)
    chromium.run("window.dispatchEvent(new Event('afterprint'))")
    chromium.call("Emulation.setEmulatedMedia", media="")
    assert chromium.run(STATE) == before
    assert not chromium.complaints


def test_a_browser_that_prints_says_so(chromium: Browser, tmp_path: Path) -> None:
    """What the other tests do by hand happens when a page is printed."""
    chromium.open(play(neuron()).save(tmp_path / "page.html"))
    seen = "window.addEventListener('afterprint', () => window.printed = window.gradients)"
    count = "document.querySelectorAll('.gradient:not(.unseen)').length"
    chromium.run(f"{seen}; window.addEventListener('beforeprint', () => window.gradients = {count})")
    assert chromium.run(count) == 0
    assert pages(chromium) == 1
    assert chromium.run("window.printed") == len(walk(neuron()).names)
    assert chromium.run(count) == 0
