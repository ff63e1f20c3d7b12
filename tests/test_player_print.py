"""A printed player: one page with the whole graph, every gradient and the table of steps; the screen is left as it was."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from browser import Browser
from players import Players
from test_player import network, neuron, shared

from autograd import Value, dot, tanh, walk
from autograd.drawing import draw
from autograd.player import play
from nn import MLP

pytestmark = pytest.mark.slow  # needs a browser: run by `.ci/run pictures`

PAGES = {"A4": (8.27, 11.69), "Letter": (8.5, 11)}  # inches
ROOT = "document.querySelector('.autograd-player').shadowRoot"
SEEN = f"""[...{ROOT}.querySelectorAll("*")].filter(part => part.checkVisibility({{visibilityProperty: true}}))"""
TEXTS = f"""{SEEN}.filter(part => part.matches("text")).map(part => part.textContent.trim()).filter(text => text)"""
PARTS = f"""[...new Set({SEEN}.flatMap(part => [...part.classList]))]"""


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
def test_it_holds_every_gradient_and_every_step(make: Callable[[], Value], chromium: Browser, tmp_path: Path) -> None:
    loss = make()
    chromium.open(play(loss).save(tmp_path / "page.html"))
    for _ in range(2):
        chromium.press("ArrowRight")
    before = chromium.run("document.querySelector('.autograd-player').player.step")
    chromium.call("Emulation.setEmulatedMedia", media="print")
    chromium.run("window.dispatchEvent(new Event('beforeprint'))")
    texts, parts = chromium.run(TEXTS), chromium.run(PARTS)
    steps = walk(loss)
    view: Literal["nodes", "neurons"] = "neurons" if any(node.primitive is dot for node in steps.order) else "nodes"
    gradients = [line.text for node in draw(loss, step=-1, view=view).nodes for line in node.lines if line.role == "gradient"]
    assert gradients and not [text for text in gradients if text not in texts]
    assert chromium.run(f"{ROOT}.querySelector('.text').innerText").splitlines() == str(steps).splitlines()
    assert not {"bar", "desk", "mistakes", "guess"} & set(parts)
    size = chromium.run(f"parseFloat(getComputedStyle({ROOT}.querySelector('.text')).fontSize)")
    assert size == pytest.approx(12 if len(str(steps).splitlines()) <= 45 else 8)  # pixels: 9 pt where there is room
    chromium.run("window.dispatchEvent(new Event('afterprint'))")
    chromium.call("Emulation.setEmulatedMedia", media="")
    assert chromium.run("document.querySelector('.autograd-player').player.step") == before
    assert not chromium.complaints


def test_a_browser_dispatches_the_events_of_printing(chromium: Browser, tmp_path: Path) -> None:
    """The browser itself dispatches the events that the other tests dispatch."""
    chromium.open(play(neuron()).save(tmp_path / "page.html"))
    chromium.run(f"window.addEventListener('beforeprint', () => window.printed = {ROOT}.querySelector('.text').textContent)")
    assert pages(chromium) == 1
    assert chromium.run("window.printed") == str(walk(neuron()))
    assert chromium.run("document.querySelector('.autograd-player').player.step") == 0


def test_printing_leaves_the_page_as_it_was(players: Players) -> None:
    """In every state: a question that is open or was answered, a part of the picture, another view."""
    players.show(deep())
    players.run("addEventListener('change', () => window.isChanged = true)")
    steps = walk(deep())
    numbers = [line.text for node in draw(deep(), step=-1, view="neurons").nodes for line in node.lines]
    numbers += [steps.notation.number(w.data) for w, name in steps.names.items() if name.startswith("w")]

    def state() -> Any:
        players.still()
        details = "find('.card').innerHTML, find('.guess')?.value, find('.graph').getAttribute('viewBox')"
        return players.seen(), players.run(f"[{details}]")

    for act in ("ArrowRight", "p", "0", "Enter", "+", "ArrowRight"):
        players.press(act)
        players.still()
        before = state()
        players.run("window.isChanged = false")
        players.run("dispatchEvent(new Event('beforeprint'))")
        texts = players.run("[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) text')].map(each => each.textContent)")
        assert not set(numbers) - set(texts)
        players.run("dispatchEvent(new Event('afterprint'))")
        assert state() == before
        assert not players.run("window.isChanged"), "it is not news to the page around"


def test_the_map_of_a_long_graph_stays_on_the_screen(chromium: Browser, tmp_path: Path) -> None:
    y = chain()
    for _ in range(20):
        y = tanh(y)
    chromium.open(play(y).save(tmp_path / "page.html"))
    assert "map" in chromium.run(PARTS)
    chromium.call("Emulation.setEmulatedMedia", media="print")
    assert "map" not in chromium.run(PARTS)
