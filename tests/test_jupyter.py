"""Pictures and players in a real JupyterLab, in trusted and untrusted notebooks, in light and dark themes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find
from regenerate_notebooks import NOTEBOOKS, nbformat, run
from test_player import neuron

from autograd import Value, draw, play

pytestmark = pytest.mark.slow  # a browser, or many graphs: run by the part of the pictures

CELLS = [
    "from autograd import draw, play\nfrom test_player import network, neuron\nloss = neuron()\nloss",
    "draw(loss, step=7)",
    "draw(network(), view='neurons')",
    "play(loss)",
    "play(network())",
]
PLAYER = ".autograd-player >>> .player"  # the first one on the page, in its shadow root
HEIGHT = 2500  # of the window, large enough for all outputs
PATIENCE = 120.0  # seconds after which the server or a page is taken to hang
OPTIONS = ("--no-browser", "--allow-root", "--port=0", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=")
SETTINGS = "@jupyterlab/apputils-extension/{}.jupyterlab-settings"
LOOK = """(async () => {
    const outputs = [...document.querySelectorAll(".jp-OutputArea-output")];
    await Promise.allSettled(outputs.flatMap((output) => [...output.querySelectorAll("img")]).map((image) => image.decode()));
    return outputs.map((output) => ({
        text: output.innerText.trim(),
        pictures: [...output.querySelectorAll("img")].map((image) => image.getBoundingClientRect().width && {
            shape: image.width / image.height / (image.naturalWidth / image.naturalHeight),
            shrunk: image.width / image.naturalWidth,
            fits: image.getBoundingClientRect().right <= output.getBoundingClientRect().right,
        }),
        plays: Boolean(output.querySelector(".autograd-player")?.shadowRoot),
    }));
})()"""


class Lab:
    """A JupyterLab on this machine with an empty home, and a browser that looks at it.

    Args:
        folder: an empty folder for its notebooks, settings and data.
        browser: shows its pages.
    """

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.browser, self.notebooks, self.home = browser, folder / "notebooks", folder / "home"
        self.notebooks.mkdir()
        places = {name: str(self.home / name) for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
        environment = {f"JUPYTER_{name}": place for name, place in places.items()}
        environment |= {"HOME": str(self.home), "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings")}
        self.set("notification", fetchNews="false", checkForUpdates=False)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--ServerApp.root_dir={self.notebooks}"],
                env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        # The file exists a moment before its content.
        while not (running := [path for path in (self.home / "RUNTIME_DIR").glob("jpserver-*.json") if path.stat().st_size]):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab does not start: {(folder / 'log').read_text()}")
            time.sleep(0.1)
        self.address: str = json.loads(running[0].read_text())["url"]

    def close(self) -> None:
        """End the server."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def set(self, group: str, **settings: Any) -> None:
        """Change settings, as in the menu."""
        path = self.home / "settings" / SETTINGS.format(group)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))

    def keep(self, name: str, notebook: Any, *, trusted: bool) -> None:
        """Write a notebook, and sign it if it is trusted."""
        notebook.metadata.name = name  # makes the content unique, so that no other signature applies
        path = self.notebooks / f"{name}.ipynb"
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
        if trusted:
            notary = import_module("nbformat.sign").NotebookNotary(data_dir=str(self.home / "DATA_DIR"))
            notary.sign(nbformat.read(path, as_version=4))
            notary.store.close()

    def open(self, name: str, view: str = "doc/tree", wanted: int = len(CELLS), **window: Any) -> list[dict[str, Any]]:
        """Open a notebook, wait for the wanted number of outputs, and return what `look` sees."""
        address = f"{self.address}{view}/{name}.ipynb"
        self.browser.open(address, **({"height": HEIGHT} | window))
        deadline = time.monotonic() + PATIENCE
        there = f"document.querySelectorAll('.jp-OutputArea-output').length >= {wanted}"
        ready = f"{there} && !document.querySelector('#jupyterlab-splash')"
        while not self.browser.run(ready):
            assert time.monotonic() < deadline, f"{address} is not shown"
            time.sleep(0.1)
        return self.look()

    def look(self) -> list[dict[str, Any]]:
        """Return the visible parts of the outputs of the open notebook."""
        seen: list[dict[str, Any]] = self.browser.run(LOOK)
        return seen


@pytest.fixture(scope="module")
def lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab with the same notebook twice, trusted and untrusted."""
    if find_spec("jupyterlab") is None or find_spec("notebook") is None:
        pytest.skip("JupyterLab is not here; pip install -e '.[jupyter]'")
    folder = tmp_path_factory.mktemp("jupyter")
    new = nbformat.v4
    source = folder / "source.ipynb"
    source.write_text(nbformat.writes(new.new_notebook(cells=[new.new_code_cell(cell) for cell in CELLS])))
    notebook = run(source, PYTHONPATH=os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent)]))
    lab = Lab(folder, chromium)
    try:
        for trusted in (False, True):
            lab.keep("trusted" if trusted else "untrusted", notebook, trusted=trusted)
        yield lab
    finally:
        lab.close()


class TestFormats:
    """The formats that IPython receives, whichever front end shows them."""

    @staticmethod
    def formats(shown: Any) -> dict[str, str]:
        formatter = import_module("IPython.core.formatters").DisplayFormatter()
        data: dict[str, str] = formatter.format(shown)[0]
        return data

    def test_a_picture(self) -> None:
        loss = neuron()
        for shown, drawing in ((loss, draw(loss)), (draw(loss, step=3), draw(loss, step=3))):
            data = self.formats(shown)
            assert set(data) == {"text/html", "image/svg+xml", "text/plain"}
            assert data["image/svg+xml"] == drawing.svg
            assert data["text/plain"] == repr(shown)
            assert data["text/html"].startswith(
                f'<img style="max-width: 100%" alt="{drawing.summary}" src="data:image/svg+xml;'
            )

    def test_a_player(self) -> None:
        player = play(neuron())
        data = self.formats(player)
        assert data["text/html"] == player.element == player._repr_html_()
        assert data["image/svg+xml"] == draw(neuron(), step=0).svg
        assert data["text/plain"] == "<player: Backpropagation of loss, 10 steps>"
        assert self.formats(play(Value(1.0)))["text/html"].count("<p>") == 0, "nothing to be played"

    def test_a_graph_that_is_too_large_is_text(self) -> None:
        loss = Value(1.0)
        for _ in range(200):
            loss = loss + 1
        assert self.formats(loss) == {"text/plain": repr(loss)}

    def test_no_layout_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograd.drawing.layout._package", lambda name: None)
        assert self.formats(Value(1.0)) == {"text/plain": "Value(data=1.0, grad=0.0)"}


@pytest.mark.parametrize("name", ["untrusted", "trusted"])
@pytest.mark.parametrize("view", ["doc/tree", "notebooks"])  # JupyterLab, Jupyter Notebook
def test_everything_is_seen_and_fits(lab: Lab, view: str, name: str) -> None:
    lab.open(name, view)
    for width in (1280, 800):
        lab.browser.resize(width, HEIGHT)
        seen = lab.look()
        assert len(seen) == len(CELLS)
        for output in seen[:3] if name == "trusted" else seen:
            [picture] = output["pictures"]
            assert picture["shape"] == pytest.approx(1, abs=0.02)
            assert 0.3 < picture["shrunk"] <= 1 and picture["fits"]
        assert [output["text"] for output in seen[:3]] == ["", "", ""]
        assert [output["plays"] for output in seen] == [False] * 3 + [name == "trusted"] * 2
        if name == "untrusted":
            advice = [f"The first of {n} steps. To play them, run this cell or trust this notebook." for n in (10, 14)]
            assert [output["text"] for output in seen[3:]] == advice


def test_a_trusted_player_is_played(lab: Lab) -> None:
    assert lab.open("trusted")[3]["pictures"] == [0], "the player has replaced the picture"
    place = f"{find(PLAYER + ' .slider')}.value"
    lab.browser.click(f"{PLAYER} .next")
    lab.browser.press("ArrowRight")
    assert lab.browser.run(place) == "2"
    lab.browser.press("End")
    assert lab.browser.run(place) == "9"
    lab.browser.click(f"{PLAYER} .predict")
    lab.browser.click(f"{PLAYER} .guess")
    lab.browser.type("2")  # the local derivative
    lab.browser.press("Enter")
    assert "✓ 2 is right" in lab.browser.run(f"{find(PLAYER + ' .card')}.innerText")


def test_its_keys_do_not_reach_the_notebook(lab: Lab) -> None:
    lab.open("trusted")
    lab.browser.click(f"{PLAYER} .next")
    cells = "document.querySelectorAll('.jp-Notebook .jp-Cell').length"
    before = lab.browser.run(cells)
    for key in ("a", "b", "x", "ArrowDown", "Enter"):  # insert above, insert below, cut, next cell, edit
        lab.browser.press(key)
    lab.browser.run("new Promise((done) => setTimeout(done, 500))")
    assert lab.browser.run(cells) == before
    assert lab.browser.run("document.activeElement.className") == "autograd-player"


@pytest.mark.parametrize("width", [1280, 800])
def test_the_styles_of_the_notebook_do_not_reach_it(lab: Lab, width: int, tmp_path: Path) -> None:
    """Every part of a card has the same size as on a separate page of the same width."""
    parts = ".card, .card :is(.head, table, th, td), .legend, .bar button, .bar select, .leaf, .leaf > *"
    boxes = f"""(root => [...root.querySelectorAll("{parts}")].map((part) => {{
        const {{width, height}} = part.getBoundingClientRect();
        return [part.tagName, ...[width, height].map(Math.round)];
    }}).filter((size) => size[1]))"""
    lab.open("trusted", width=width)
    there = lab.browser.run(f"{boxes}({find(PLAYER)})")
    room = lab.browser.run(f"{find(PLAYER)}.getBoundingClientRect().width")
    size = lab.browser.run(f"getComputedStyle({find(PLAYER)}).fontSize")
    element = nbformat.read(lab.notebooks / "trusted.ipynb", as_version=4).cells[3].outputs[0].data["text/html"]
    path = tmp_path / "alone.html"
    style = f'<div style="width: {room}px; font-size: {size}">'
    path.write_text(f"<!doctype html><meta charset=utf-8>{style}{element}</div>", encoding="utf-8")
    lab.browser.open(path, width=width)
    assert there == lab.browser.run(f"{boxes}({find(PLAYER)})")
    assert len(there) > 15


@pytest.mark.parametrize(
    ("theme", "paper"), [("JupyterLab Light", "rgb(255, 255, 255)"), ("JupyterLab Dark", "rgb(20, 25, 29)")]
)
def test_it_has_the_theme_of_the_notebook_not_of_the_system(lab: Lab, theme: str, paper: str) -> None:
    lab.set("themes", theme=theme)
    try:
        lab.open("trusted")
        for system in ("light", "dark"):
            lab.browser.resize(prefers_color_scheme=system)
            assert lab.browser.run(f"getComputedStyle({find(PLAYER)}).backgroundColor") == paper
    finally:
        lab.set("themes")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_untrusted_notebooks_show_all_their_pictures(lab: Lab, path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    drawn = ["image/png" in output.get("data", ()) for output in outputs]
    lab.keep(path.stem, notebook, trusted=False)
    seen = lab.open(path.stem, wanted=len(outputs), height=12_000)
    assert [bool(output["pictures"]) for output in seen] == drawn
    assert all(picture["fits"] and picture["shape"] == pytest.approx(1, abs=0.02) for o in seen for picture in o["pictures"])
    assert not any("untrusted" in output["text"] for output in seen)
