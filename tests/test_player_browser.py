"""The player in a real browser: every control is clicked and every key pressed, and what is seen is held against the walk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find, find_browser
from test_player import HOSTILE, network, neuron, shared

from autograd import Value, walk
from autograd.drawing import Plan, draw
from autograd.player import play
from autograd.symbol import digits

STEPS = 10  # of `neuron`: five operations, forward and back
SEEN = """(root => {
    const seen = text => [...text.childNodes].filter(c => !c.matches?.(".unseen")).map(c => c.textContent).join("");
    const lines = part => [...part.querySelectorAll("text:not(.unseen)")].map(seen);
    const state = part => part.matches(".active") ? "active" : part.matches(".faint") ? "faint" : "normal";
    const main = box => +box.dataset.nodes.split(" ")[0];
    const boxes = [...root.querySelectorAll(".stage:not([hidden]) .box")].sort((a, b) => main(a) - main(b));
    const key = arrow => arrow.dataset.flow?.split(".").map(Number) ?? [0, 0];
    const order = (a, b) => key(a)[0] - key(b)[0] || key(a)[1] - key(b)[1];
    const arrows = [...root.querySelectorAll(".stage:not([hidden]) .arrow")].sort(order);
    return {
        boxes: boxes.map(box => [lines(box), state(box)]),
        arrows: arrows.map(arrow => [lines(arrow).join("").trim(), state(arrow)]),
        card: root.querySelector(".steps > .step:not([hidden])").innerText,
        cards: root.querySelectorAll(".steps > .step:not([hidden])").length,
        ledger: root.querySelector(".ledgers > section:not([hidden])").innerText,
        ledgers: root.querySelectorAll(".ledgers > section:not([hidden])").length,
        place: +root.querySelector(".slider").value,
        phase: root.dataset.phase,
        live: root.querySelector(".live").textContent,
    };
})"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all the tests here."""
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium to drive; apt install chromium, for instance")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


class Stand:
    """A page with players in the browser."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.folder = folder

    def show(self, *losses: Value, **window: Any) -> None:
        """Open a page with the players of some results: the page that is saved if it is one, else a page of several."""
        players = [play(loss) for loss in losses]
        html = "\n".join(["<!doctype html><meta charset=utf-8><body>", *(player._repr_html_() for player in players)])
        path = self.folder / "page.html"
        path.write_text(players[0].html if len(players) == 1 else html, encoding="utf-8")
        self.browser.open(path, **window)
        assert not self.browser.complaints

    def seen(self, player: int = 0) -> dict[str, Any]:
        """Return what can be seen of a player."""
        host = f"document.querySelectorAll('.autograd-player')[{player}]"
        seen: dict[str, Any] = self.browser.run(f"{SEEN}({host}.shadowRoot?.querySelector('.autograd-player') ?? {host})")
        return seen

    @property
    def place(self) -> int:
        """The place of the first player in its walk."""
        return int(self.seen()["place"])

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.browser.press(key)

    def click(self, *selectors: str) -> None:
        """Click elements, one after the other."""
        for selector in selectors:
            self.browser.click(selector)

    def focus(self) -> str:
        """Return the accessible name of what has the focus."""
        return str(self.browser.run("document.activeElement.ariaLabel ?? document.activeElement.textContent"))

    def wait(self, condition: str) -> None:
        """Wait until a condition holds in the page."""
        script = f"""new Promise((done, fail) => {{
            const asked = setInterval(() => ({condition}) && (clearInterval(asked), done()), 20);
            setTimeout(() => fail("in vain"), 60000);
        }})"""
        self.browser.run(script)


@pytest.fixture
def stand(chromium: Browser, tmp_path: Path) -> Iterator[Stand]:
    """A page to be opened; when the test is over, no script has failed and nothing else was asked for."""
    stand = Stand(chromium, tmp_path)
    yield stand
    assert not chromium.complaints
    assert [request.partition(":")[0] for request in chromium.requests if not request.startswith("data:")] in ([], ["file"])


def told(plan: Plan) -> tuple[list[list[Any]], list[list[str]]]:
    """Return boxes and arrows of a drawing as they are seen on the page."""
    boxes = [[[line.text for line in node.lines], node.emphasis] for node in plan.nodes]
    return boxes, [[edge.label, edge.emphasis] for edge in plan.edges]


class TestControls:
    @pytest.mark.parametrize("make", [neuron, shared, network])
    def test_each_step_is_the_moment_that_is_drawn(self, stand: Stand, make: Any) -> None:
        loss = make()
        stand.show(loss)
        for place, step in enumerate(walk(loss)):
            seen = stand.seen()
            assert (seen["place"], seen["phase"]) == (place, step.phase)
            assert (seen["boxes"], seen["arrows"]) == told(draw(loss, step=place))
            assert (seen["cards"], seen["ledgers"]) == (1, 1)
            assert f"{step.name} = {step.formula}" in seen["card"]
            assert seen["live"] == str(step)
            assert f"Ledger of {step.name}" in seen["ledger"]
            stand.click(".next")
        assert stand.place == len(walk(loss)) - 1

    def test_buttons(self, stand: Stand) -> None:
        stand.show(neuron())
        places = []
        for button in (".previous", ".next", ".next", ".previous", ".last", ".next", ".previous", ".first"):
            stand.click(button)
            places.append(stand.place)
        assert places == [0, 1, 2, 1, 9, 9, 8, 0]

    def test_ends_are_told(self, stand: Stand) -> None:
        stand.show(neuron())
        ended = "[...document.querySelectorAll('button[aria-disabled=true]')].map(b => b.ariaLabel)"
        assert stand.browser.run(ended) == ["First step", "Previous step"]
        stand.click(".last")
        assert stand.browser.run(ended) == ["Next step", "Last step"]

    def test_play_goes_on_by_itself_and_ends_at_the_end(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press(*["ArrowRight"] * 8)
        stand.click(".play")
        assert stand.browser.run("document.querySelector('.play').ariaLabel") == "Pause"
        stand.wait("document.querySelector('.play').ariaLabel === 'Play'")
        assert stand.place == STEPS - 1
        stand.click(".play")
        assert stand.place == 0

    def test_play_is_paused_by_a_second_click_and_by_any_other_control(self, stand: Stand) -> None:
        stand.show(neuron())
        for stop in (".play", ".next", ".box.active"):
            stand.click(".play", stop)
            assert stand.browser.run("document.querySelector('.play').ariaLabel") == "Play"

    def test_slider(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click(".slider")
        place = stand.place
        assert place in (4, 5)  # it was clicked in its middle
        stand.press("ArrowRight")
        assert stand.place == place + 1, "the player's own keys must not add to the slider's"
        stand.press("ArrowLeft", "ArrowLeft")
        assert stand.place == place - 1
        stand.press("End")
        assert stand.place == STEPS - 1
        assert stand.browser.run("document.querySelector('.slider').ariaValueText") == "backward 5/5"

    def test_keys(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight")
        assert stand.place == 2
        stand.click(".next")
        stand.press("End")
        assert stand.place == STEPS - 1
        stand.press("Home")
        assert stand.place == 0
        stand.browser.run("document.activeElement.blur()")
        stand.press(" ")
        assert stand.browser.run("document.querySelector('.play').ariaLabel") == "Pause"
        stand.press(" ")
        assert stand.browser.run("document.querySelector('.play').ariaLabel") == "Play"

    def test_a_node_that_is_clicked_is_jumped_to(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click('.box[data-nodes="5"]')
        assert (stand.place, stand.seen()["phase"]) == (2, "forward")
        stand.click(".last", '.box[data-nodes="5"]')
        assert (stand.place, stand.seen()["phase"]) == (7, "backward")
        stand.click('.box[data-nodes="0"]')
        assert stand.place == 9
        assert "Ledger of w" in stand.seen()["ledger"]

    def test_a_leaf_that_is_clicked_is_shown_where_its_gradient_is_complete(self, stand: Stand) -> None:
        stand.show(shared())
        stand.click('.box[data-nodes="0"]')
        assert stand.place == 0
        stand.click(".last", ".previous", '.box[data-nodes="0"]')
        assert stand.place == 9

    def test_the_ledger_of_what_is_pointed_at(self, stand: Stand) -> None:
        stand.show(shared())
        assert stand.seen()["ledger"].endswith("v1.grad = ∂loss/∂v1: still to come")
        stand.press(*["ArrowRight"] * 6)
        stand.browser.point('.box[data-nodes="0"]')
        ledger = stand.seen()["ledger"]
        assert "Ledger of a" in ledger
        assert "from loss: ∂loss/∂loss · ∂loss/∂a = 1·1 = 1" in ledger
        assert ledger.count("still to come") == 2
        assert "∂a so far = 1" in ledger
        stand.browser.point(".buttons")
        assert "Ledger of v4" in stand.seen()["ledger"]
        stand.press("End")
        stand.browser.point('.box[data-nodes="0"]')
        assert "still to come" not in stand.seen()["ledger"]
        assert stand.seen()["ledger"].endswith("a.grad = ∂loss/∂a: ∂a = 33")

    def test_nodes_by_the_keyboard(self, stand: Stand) -> None:
        stand.show(shared())
        stand.press("Tab")
        assert stand.focus() == "v1 = 4, a²"
        stand.press("ArrowUp")
        assert stand.focus() == "a = 2"
        assert "Ledger of a" in stand.seen()["ledger"]
        stand.press("ArrowDown", "ArrowDown")
        assert stand.focus() == "v2, v1·3"
        stand.press("Enter")
        assert stand.place == 1
        assert stand.focus() == "v2 = 12, v1·3"
        stand.press("ArrowRight")
        assert stand.place == 2

    def test_order_of_the_focus(self, stand: Stand) -> None:
        stand.show(network())
        passed = []
        for _ in range(10):
            stand.press("Tab")
            passed.append(stand.focus())
        assert passed == [
            "v1 = 0.6, w·x + b", "Step", "First step", "Previous step", "Play", "Next step", "Last step",
            "Predict, then reveal", "Nodes", "Neurons",
        ]  # fmt: skip


class TestPredicting:
    def test_nothing_is_told_until_it_is_revealed(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press(*["ArrowRight"] * 7)
        stand.click(".predict")
        asking = stand.seen()
        assert "0.65885" not in json.dumps([asking[part] for part in ("boxes", "arrows", "card", "ledger", "live")])
        assert "∂out/∂v2 = 1 - out²" in asking["card"]
        stand.click(".guess")
        stand.browser.type("-0.66")
        stand.press("Enter")
        assert "✓ -0.66 is right" in stand.seen()["card"]
        assert (stand.seen()["boxes"], stand.seen()["arrows"]) == told(draw(neuron(), step=7))
        assert stand.focus() == "Next step"

    def test_a_value_is_predicted_in_the_forward_phase(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click(".predict")
        assert stand.seen()["boxes"][2][0] == ["v1", "w·x"]
        stand.click(".guess")
        stand.browser.type("2")
        stand.click(".reveal")
        assert "✗ not 2" in stand.seen()["card"]
        assert stand.seen()["boxes"][2][0] == ["v1 = 1", "w·x"]

    def test_next_reveals_first(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click(".predict")
        stand.press("ArrowRight")
        assert (stand.place, "v1 = 1" in stand.seen()["card"]) == (0, True)
        stand.press("ArrowRight")
        assert (stand.place, "v2 = 0.6" in stand.seen()["card"]) == (1, False)
        stand.click(".last")
        assert "-1.3177" not in stand.seen()["card"]
        stand.click(".predict")
        assert "-1.3177" in stand.seen()["card"]

    def test_a_field_has_keys_of_its_own(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press("ArrowRight")
        stand.click(".predict", ".guess")
        stand.press("ArrowLeft", "Home", " ", "ArrowRight")
        assert stand.place == 1
        assert stand.browser.run("document.querySelector('.play').ariaLabel") == "Play"

    def test_nothing_is_asked_any_more_when_it_is_over(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click(".predict", ".last", ".predict", ".first")
        assert stand.browser.run("document.querySelectorAll('.guess').length") == 0
        assert "v1 = 1" in stand.seen()["card"]
        assert not stand.browser.run("document.querySelector('.step').matches('.asking')")

    @pytest.mark.parametrize(
        ("x", "said", "verdict"),
        [(0.0, "0", "✓"), (0.0, "0.01", "✗"), (-2.0, "−4", "✓"), (2.5, "5,0", "✓"), (2.5, "5.1", "✗"), (2.5, "five", "✗"),
         (float("inf"), "∞", "✓"), (float("inf"), "-inf", "✗"), (float("nan"), "NaN", "✓"), (float("nan"), "1", "✗")],
    )  # fmt: skip
    def test_what_counts_as_right(self, stand: Stand, x: float, said: str, verdict: str) -> None:
        stand.show(Value(x, label="x") * 2)
        stand.click(".predict", ".guess")
        stand.browser.type(said)
        stand.press("Enter")
        assert verdict in stand.seen()["card"]


class TestNeurons:
    def test_a_network_neuron_by_neuron(self, stand: Stand) -> None:
        loss = network()
        stand.show(loss)
        stand.click('[data-shows="neurons"]')
        first = stand.seen()["boxes"]
        assert [["v2", "tanh(net)", "net = 0.6", "b = 0.1"], "active"] in first
        assert [["v4", "σ(net)", "net", "b = 0.2"], "faint"] in first
        stand.press("End")
        delta = walk(loss).gradients[loss.inputs[0].inputs[0].inputs[0].inputs[0]]
        expected = [["v4 = 0.51", "σ(net)", "net = 0.0389", "b = 0.2", f"δ = {digits(delta, 3)}"], "normal"]
        assert expected in stand.seen()["boxes"]
        assert stand.browser.run("document.querySelector('[data-shows=neurons]').ariaPressed") == "true"

    def test_a_neuron_opens_into_its_nodes(self, stand: Stand) -> None:
        stand.show(network())
        stand.click('[data-shows="neurons"]', ".neuron.active")
        standing = "[...document.querySelectorAll('.stage:not([hidden]) .box:not(.aside)')].map(b => b.ariaLabel).sort()"
        assert stand.browser.run(standing) == ["b = 0.1", "v1 = 0.6, w·x + b", "v2, tanh(v1)", "w = 0.5", "x = 1"]
        assert stand.focus() == "v1 = 0.6, w·x + b"
        stand.click(".whole")
        assert len(stand.browser.run(standing)) == len(walk(network()).names)
        assert stand.browser.run("document.querySelector('.whole').hidden")

    def test_by_the_keyboard(self, stand: Stand) -> None:
        stand.show(network())
        stand.click('[data-shows="neurons"]')
        stand.browser.run("document.querySelector('.stage:not([hidden]) .neuron').focus()")
        stand.press("Enter")
        assert stand.focus() == "v1 = 0.6, w·x + b"


def test_mistakes_side_by_side(stand: Stand) -> None:
    loss = shared()
    stand.show(loss)
    stand.click('[data-mistake="recursion"] summary')
    stand.wait("document.querySelector('[data-mistake=recursion] .wrong .box')")
    look = """['right', 'wrong'].map(kind => {
        const run = document.querySelector(`[data-mistake=recursion] .${kind}`);
        const box = run.querySelector('.box.active'), at = run.getBoundingClientRect();
        return [box.querySelector('.gradient').textContent, at.x, at.y, run.querySelector('.step').innerText];
    })"""
    (right, x, y, card), (wrong, x_wrong, y_wrong, card_wrong) = stand.browser.run(look)
    assert (right, wrong) == ("∂v1 = 8", "∂v1 so far = 3")
    assert x < x_wrong
    assert y == y_wrong
    assert "1 + 16 = 17" in card
    assert "1 + 6 = 7" in card_wrong
    assert stand.place == 0, "the player itself stays where it is"


class TestTogether:
    def test_two_players_stay_apart(self, stand: Stand) -> None:
        stand.show(neuron(), neuron())
        stand.click(".autograd-player:nth-of-type(2) >>> .next")
        stand.press("ArrowRight", "ArrowRight")
        assert (stand.seen(0)["place"], stand.seen(1)["place"]) == (0, 3)
        stand.click(".autograd-player:nth-of-type(1) >>> .last")
        stand.press("ArrowLeft")
        assert (stand.seen(0)["place"], stand.seen(1)["place"]) == (8, 3)
        stand.click(".autograd-player:nth-of-type(2) >>> .predict")
        assert "-0.65885" in stand.seen(0)["card"]
        stand.browser.run("document.activeElement.blur()")
        stand.press("ArrowRight")
        assert (stand.seen(0)["place"], stand.seen(1)["place"]) == (8, 3), "keys pressed beside them are nobody's"

    def test_as_a_notebook_puts_it_into_a_page(self, stand: Stand) -> None:
        stand.show(neuron(), shared())
        stand.browser.run(f"""for (const html of {json.dumps([play(shared())._repr_html_()] * 2)}) {{
            const output = document.body.appendChild(document.createElement("div"));
            output.innerHTML = html;
            for (const inert of output.querySelectorAll("script")) {{
                const script = document.createElement("script");
                for (const {{name, value}} of inert.attributes) script.setAttribute(name, value);
                script.textContent = inert.textContent;
                inert.replaceWith(script);
            }}
        }}""")
        stand.click("body > div:last-child .autograd-player >>> .next")
        assert [stand.seen(i)["place"] for i in range(4)] == [0, 0, 0, 1]
        first = stand.browser.call("Runtime.evaluate", expression=find(".autograd-player >>> .next"))["result"]["objectId"]
        listening = stand.browser.call("DOMDebugger.getEventListeners", objectId=first)["listeners"]
        assert [listener["type"] for listener in listening] == ["click"], "no script starts a player a second time"


class TestSafety:
    def test_a_label_is_shown_and_not_run(self, stand: Stand) -> None:
        stand.show(Value(1.0, label=HOSTILE) * Value(2.0, label="</script><script>alert(2)</script>"))
        stand.press("End")
        assert f"{HOSTILE} = 1" in [box[0][0] for box in stand.seen()["boxes"]]
        assert HOSTILE in stand.seen()["card"]
        assert not [event for event in stand.browser.events if event.get("method") == "Page.javascriptDialogOpening"]

    def test_the_first_frame_needs_no_script(self, stand: Stand) -> None:
        stand.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            stand.show(neuron())
            boxes, arrows = told(draw(neuron(), step=0))
            look = SEEN.replace('card: root.querySelector(".steps > .step:not([hidden])").innerText,', "")
            seen = stand.browser.run(f"{look}(document.querySelector('.autograd-player'))")
            assert (seen["boxes"], seen["arrows"]) == (boxes, arrows)
            assert seen["cards"] == STEPS
            shown = "e => e.checkVisibility({visibilityProperty: true})"
            for selector, visible in ((".box.active text", True), (".unseen", False), (".bar", False), (".step", True)):
                assert stand.browser.run(f"({shown})(document.querySelector({selector!r}))") is visible
        finally:
            stand.browser.call("Emulation.setScriptExecutionDisabled", value=False)


class TestForEveryone:
    def test_everything_that_can_be_used_has_a_role_and_a_name(self, stand: Stand) -> None:
        stand.show(network())
        stand.click(".predict")
        nodes = stand.browser.call("Accessibility.getFullAXTree")["nodes"]
        used = [
            (node["role"]["value"], node["name"]["value"])
            for node in nodes
            if not node["ignored"] and any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
        ]
        assert ("button", "v1, w·x + b") in used
        assert ("slider", "Step") in used
        assert ("textbox", "your prediction: value") in used
        assert ("button", "Reveal") in used
        assert all(name for role, name in used if role != "generic")

    def test_the_two_phases_look_different(self, stand: Stand) -> None:
        stand.show(neuron(), prefers_color_scheme="light")
        look = """(() => {
            const style = getComputedStyle(document.querySelector(".stage .arrow.active path"));
            return [style.stroke, style.animationName];
        })()"""
        assert stand.browser.run(look) == ["rgb(0, 114, 178)", "autograd-on"]
        stand.press("End")
        assert stand.browser.run(look) == ["rgb(163, 59, 0)", "autograd-back"]

    def test_what_is_done_now_is_thick_and_only_what_is_to_come_is_dashed(self, stand: Stand) -> None:
        stand.show(shared(), prefers_reduced_motion="reduce")
        looks = """[...document.querySelectorAll(".stages .arrow")].map((arrow) => {
            const style = getComputedStyle(arrow.querySelector("path"));
            return [arrow.matches(".active"), arrow.matches(".faint"), style.strokeWidth, style.strokeDasharray].join(" ");
        })"""
        found = set()
        for _ in walk(shared()):
            found |= set(stand.browser.run(looks))
            stand.press("ArrowRight")
        assert found == {"true false 3px none", "false true 1.1px 3px, 3px", "false false 1.1px none"}

    def test_nothing_moves_for_who_wants_it_so(self, stand: Stand) -> None:
        stand.show(neuron(), prefers_reduced_motion="reduce")
        assert stand.browser.run("document.getAnimations().length") == 0
        stand.press("End")
        assert stand.browser.run("document.getAnimations().length") == 0

    def test_night(self, stand: Stand) -> None:
        background = "getComputedStyle(document.querySelector('.autograd-player')).backgroundColor"
        for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 25, 29)")):
            stand.show(neuron(), prefers_color_scheme=scheme)
            assert stand.browser.run(background) == colour

    def test_a_notebook_has_a_theme_of_its_own(self, stand: Stand) -> None:
        stand.show(neuron(), neuron(), prefers_color_scheme="dark")
        background = f"getComputedStyle({find('.autograd-player >>> .autograd-player')}).backgroundColor"
        assert stand.browser.run(background) == "rgb(20, 25, 29)"
        stand.browser.run("document.body.dataset.jpThemeLight = 'true'")
        assert stand.browser.run(background) == "rgb(255, 255, 255)"

    @pytest.mark.parametrize("width", [360, 1280, 1920])
    @pytest.mark.parametrize("make", [shared, network])
    def test_every_width(self, stand: Stand, make: Any, width: int) -> None:
        stand.show(make(), width=width)
        stand.click("details summary" if make is shared else '[data-shows="neurons"]')
        for key in ["Home"] + ["ArrowRight"] * (len(walk(make())) // 2):  # from the left of the picture to its right
            stand.press(key)
            assert stand.browser.run("document.documentElement.scrollWidth") <= width
            inside = """(() => {
                const stage = document.querySelector(".stages > .stage:not([hidden])").getBoundingClientRect();
                const box = document.querySelector(".stages > .stage:not([hidden]) .box.active").getBoundingClientRect();
                return box.left >= stage.left - 1 && box.right <= stage.right + 1 && box.height >= 20;
            })()"""
            assert stand.browser.run(inside)
        sizes = "[...document.querySelectorAll('button:not([hidden])')].map(b => b.getBoundingClientRect())"
        assert stand.browser.run(f"{sizes}.every(r => r.width >= 40 && r.height >= 40)")
