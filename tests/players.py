"""Players in a real browser, for the tests that look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from browser import Browser

from autograd import Value, replay, walk
from autograd.player import play

STEPS = 10  # of `neuron`: five operations, forward and back
HOST = ".autograd-player"
FIND = f"const host = document.querySelector('{HOST}'), {{player}} = host, find = s => host.shadowRoot.querySelector(s);"
SEEN = """(host => {
    const root = host.shadowRoot, find = selector => root.querySelector(selector);
    const words = text => [...text.childNodes].map(each => each.textContent).join("").replace(/\\s+/g, " ");
    const lines = part => [...part.querySelectorAll("text:not(.mark, .product)")].map(words).filter(Boolean);
    const state = part => part.matches(".active") ? "active" : part.matches(".faint") ? "faint" : "normal";
    const main = box => +box.dataset.nodes.split(" ")[0];
    const shown = selector => [...root.querySelectorAll(`.stages > .stage:not([hidden]) ${selector}`)];
    const boxes = shown(".box[role]").sort((a, b) => main(a) - main(b));
    return {
        boxes: boxes.map(box => [lines(box), state(box)]),
        labels: Object.fromEntries(shown(".label").map(e => [e.dataset.flow ?? e.dataset.weighs, lines(e).join(" ")])),
        arrows: shown(".arrow").map(arrow => [arrow.dataset.flow, state(arrow)]),
        dots: shown(".dot:not(.off)").map(dot => [dot.textContent, dot.getAttribute("class")]),
        card: find(".card").innerText,
        ledger: find(".ledger").innerText,
        place: +find(".slider").value,
        phase: find(".player").dataset.phase,
        live: find(".live").textContent,
        problem: find(".problem").hidden ? "" : find(".problem").textContent,
    };
})"""


def at(loss: Value, **leaves: float) -> Value:
    """Recompute a graph with other numbers for some leaves, given by label."""
    changed: Value = replay(loss, {x: leaves[x.label] for x in walk(loss).names if x.label in leaves})
    return changed


class Players:
    """A page with players in the browser."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.path = folder / "page.html"

    def show(self, *losses: Value | list[Value], address: str = "", motion: str = "reduce", **window: Any) -> None:
        """Open a page with the players of some results: for a single one the page that is saved, else one page for all."""
        players = [play(loss) for loss in losses]
        html = "\n".join(["<!doctype html><meta charset=utf-8><body>", *(player._repr_html_() for player in players)])
        self.path.write_text(players[0].html if len(players) == 1 else html, encoding="utf-8")
        self.browser.open("about:blank")
        self.browser.open(self.path.as_uri() + address, **{"prefers_reduced_motion": motion} | window)
        assert not self.browser.complaints

    def seen(self, player: int = 0) -> dict[str, Any]:
        """Return what a player shows."""
        seen: dict[str, Any] = self.browser.run(f"{SEEN}(document.querySelectorAll('{HOST}')[{player}])")
        return seen

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in which ``player`` is the first player and ``find`` looks into it."""
        return self.browser.run(f"(() => {{ {FIND} return {script}; }})()")

    @property
    def place(self) -> int:
        """The place of the first player in its walk."""
        return int(self.seen()["place"])

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.browser.press(key)

    def click(self, *selectors: str, player: int = 1) -> None:
        """Click elements of a player, one after the other."""
        for selector in selectors:
            self.browser.click(f"{HOST}:nth-of-type({player}) >>> {selector}")

    def focus(self) -> str:
        """Return the accessible name of the focused element."""
        return str(self.run("(a => a.ariaLabel ?? a.textContent)(host.shadowRoot.activeElement)"))

    def wait(self, condition: str) -> None:
        """Wait until a condition holds in the page; in it, ``find`` looks into the first player."""
        self.browser.run(f"""new Promise((done, fail) => {{
            {FIND}
            const timer = setInterval(() => ({condition}) && (clearInterval(timer), done()), 20);
            setTimeout(() => fail("timed out"), 60000);
        }})""")

    def still(self) -> None:
        """Wait until everything is painted."""
        self.browser.run("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 150))")

    def drag(self, selector: str, dx: int, dy: int = 0) -> None:
        """Drag the middle of an element of the first player with the mouse."""
        x, y = self.browser.middle(f"{HOST} >>> {selector}")
        send = self.browser.call
        send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        for part in (0.3, 0.6, 1.0):
            send("Input.dispatchMouseEvent", type="mouseMoved", x=x + part * dx, y=y + part * dy, button="left", buttons=1)
        send("Input.dispatchMouseEvent", type="mouseReleased", x=x + dx, y=y + dy, button="left", clickCount=1)

    def touch(self, *moves: list[tuple[float, float]]) -> None:
        """Put fingers down at the first places, move them along, and lift them."""
        send = self.browser.call
        points = [[{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(fingers)] for fingers in moves]
        send("Input.dispatchTouchEvent", type="touchStart", touchPoints=points[0])
        for each in points[1:]:
            send("Input.dispatchTouchEvent", type="touchMove", touchPoints=each)
        send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def judge(self) -> None:
        """Check that no script failed and that nothing but the page was requested."""
        assert not self.browser.complaints
        requested = [each for each in self.browser.requests if not each.startswith("data:image/svg+xml")]  # drawn in the page
        assert {each.partition(":")[0] for each in requested} <= {"file"}
        assert len(requested) <= 1
