"""Accessibility: axe-core finds nothing wrong with any page, in either theme, at any width, in any state.

The tests need a browser and npm's packages axe-core, pyodide and @viz-js/viz, which the variable NODE_PATH has to lead to:

    npm install --prefix FOLDER axe-core pyodide@314.0.7 @viz-js/viz@3.31.0
    NODE_PATH=FOLDER/node_modules .venv/bin/python -m pytest -m slow tests/test_accessibility.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser
from players import FIND
from visits import Visit, modules

from autograd.demo import POINT, network
from autograd.exercises import exercise, exercises, worksheet
from autograd.player import play

pytestmark = pytest.mark.slow  # a browser: run by the part of the pictures

# The rule left out reads the lines of a box without spaces between them, so that they differ from the box's name.
FOUND = """axe.run(document, {rules: {"label-content-name-mismatch": {enabled: false}}}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map(node => `${id}: ${node.target.flat().join(" ")}: ${node.failureSummary}`)))"""
WINDOWS = [(width, theme) for width in (1280, 400) for theme in ("light", "dark")]


class Inspector:
    """A browser that inspects the page it shows."""

    def __init__(self, browser: Browser, program: str, width: int = 1280, theme: str = "light") -> None:
        self.browser, self.program, self.width, self.theme = browser, program, width, theme

    def open(self, page: Path) -> None:
        """Open a page."""
        self.browser.open("about:blank")
        self.browser.open(page, self.width, prefers_color_scheme=self.theme, prefers_reduced_motion="reduce")

    def run(self, script: str) -> None:
        """Run JavaScript, as `players.Players.run` does, and wait until the page has followed."""
        self.browser.run(f"(() => {{ {FIND} {script}; }})()")
        self.browser.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")

    @property
    def found(self) -> list[str]:
        """What axe finds wrong: for each element its rule, its place and what to do."""
        if not self.browser.run("'axe' in globalThis"):
            self.browser.run(f"{self.program}; 0")
        found: list[str] = self.browser.run(FOUND)
        return found


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, as JavaScript."""
    return (modules("axe-core") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(params=WINDOWS, ids=lambda window: "-".join(map(str, window)))
def inspector(request: pytest.FixtureRequest, chromium: Browser, axe: str) -> Inspector:
    """An inspector with a window of some width, in a theme."""
    return Inspector(chromium, axe, *request.param)


# Actions, one after the other, by the state that each leads to.
PLAYER = {
    "at the start": "player.goto(0)",
    "a step back": "player.goto(8)",
    "lecture mode": "find('.large').click()",
    "a text for a number": "const field = find('.leaves input'); field.value = 'a'; field.dispatchEvent(new Event('change'))",
    "a step of descent": "find('.learn').click()",
    "predicting": "find('.predict').click(); player.goto(2)",
}
EXERCISE = {
    "nothing answered": "0",
    "a hint": "find('.question button').click()",
    "a wrong answer": """const field = find('.answer'); field.value = '0.2345';
        field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}))""",
    "the solution": "find('.give-up').click()",
}


@pytest.mark.parametrize("page", ["player", "exercise"])
def test_a_player(page: str, inspector: Inspector, tmp_path: Path) -> None:
    nodes = network(**POINT)
    player = play(nodes["E"]) if page == "player" else exercise(nodes["E"], ask=[nodes["w_o"], nodes["w_h"]]).play()
    inspector.open(player.save(tmp_path / "page.html"))
    for state, action in (PLAYER if page == "player" else EXERCISE).items():
        inspector.run(action)
        assert inspector.found == [], state


def test_a_worksheet(inspector: Inspector, tmp_path: Path) -> None:
    inspector.open(worksheet(exercises(seed=3, level=2, count=3), solutions=True).save(tmp_path / "sheet.html"))
    assert inspector.found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_site(theme: str, visit: Visit, axe: str) -> None:
    visit.open(prefers_color_scheme=theme)
    inspector = Inspector(visit.browser, axe)
    assert inspector.found == []
    for tab in ("why", "check", "exercise", "code"):
        visit.browser.click(f"#tab-{tab}")
        visit.wait(f"by('panel-{tab}').innerText.length > 80")
        assert inspector.found == [], tab
    visit.write("#expression", "log(x")
    visit.wait("!by('problem').hidden")
    assert inspector.found == []
