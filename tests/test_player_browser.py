"""The player in a real browser: every control by mouse, finger and keyboard; what is seen is compared with the walk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find, find_browser
from test_player import HOSTILE, layers, network, neuron, shared

from autograd import Unary, Value, cos, dot, log, maximum, relu, replay, tanh, walk
from autograd.drawing import draw
from autograd.player import play

STEPS = 10  # of `neuron`: five operations, forward and back
HOST = ".autograd-player"
SEEN = """(host => {
    const root = host.shadowRoot, find = selector => root.querySelector(selector);
    const words = text => [...text.childNodes].map(each => each.textContent).join("").replace(/\\s+/g, " ");
    const lines = part => [...part.querySelectorAll("text:not(.mark)")].map(words).filter(Boolean);
    const state = part => part.matches(".active") ? "active" : part.matches(".faint") ? "faint" : "normal";
    const main = box => +box.dataset.nodes.split(" ")[0];
    const shown = selector => [...root.querySelectorAll(`.stages > .stage:not([hidden]) ${selector}`)];
    const boxes = shown(".box[role]").sort((a, b) => main(a) - main(b));
    return {
        boxes: boxes.map(box => [lines(box), state(box)]),
        labels: Object.fromEntries(shown(".label").map(label => [label.dataset.flow ?? label.dataset.weighs, lines(label).join(" ")])),
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


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all the tests here."""
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium to drive; apt install chromium, for instance")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def at(loss: Value, **leaves: float) -> Value:
    """Compute a graph again with other numbers for some leaves, by their labels."""
    return replay(loss, {x: leaves[x.label] for x in walk(loss).names if x.label in leaves})


class Stand:
    """A page with players in the browser."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.path = folder / "page.html"

    def show(self, *losses: Value | list[Value], address: str = "", motion: str = "reduce", **window: Any) -> None:
        """Open a page with the players of some results: the page that is saved if it is one, otherwise a page of several."""
        players = [play(loss) for loss in losses]
        html = "\n".join(["<!doctype html><meta charset=utf-8><body>", *(player._repr_html_() for player in players)])
        self.path.write_text(players[0].html if len(players) == 1 else html, encoding="utf-8")
        self.browser.open("about:blank")
        self.browser.open(self.path.as_uri() + address, **{"prefers_reduced_motion": motion} | window)
        assert not self.browser.complaints

    def seen(self, player: int = 0) -> dict[str, Any]:
        """Return what can be seen of a player."""
        seen: dict[str, Any] = self.browser.run(f"{SEEN}(document.querySelectorAll('{HOST}')[{player}])")
        return seen

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in which ``player`` is the first player and ``find`` looks into it."""
        setup = f"const host = document.querySelector('{HOST}'), player = host.player, find = s => host.shadowRoot.querySelector(s);"
        return self.browser.run(f"(() => {{ {setup} return {script}; }})()")

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
        """Return the accessible name of what has the focus."""
        return str(self.run("(a => a.ariaLabel ?? a.textContent)(host.shadowRoot.activeElement)"))

    def wait(self, condition: str) -> None:
        """Wait until a condition holds in the page; in it, ``find`` looks into the first player."""
        self.browser.run(f"""new Promise((done, fail) => {{
            const host = document.querySelector('{HOST}'), player = host.player, find = s => host.shadowRoot.querySelector(s);
            const asked = setInterval(() => ({condition}) && (clearInterval(asked), done()), 20);
            setTimeout(() => fail("in vain"), 60000);
        }})""")

    def still(self) -> None:
        """Wait until all is painted."""
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


@pytest.fixture
def stand(chromium: Browser, tmp_path: Path) -> Iterator[Stand]:
    """A page to be opened; when the test is over, no script has failed and nothing else was asked for."""
    stand = Stand(chromium, tmp_path)
    yield stand
    assert not chromium.complaints
    asked = [request for request in chromium.requests if not request.startswith("data:image/svg+xml")]  # pictures are in the page
    assert {request.partition(":")[0] for request in asked} <= {"file"}
    assert len(asked) <= 1


class TestMoments:
    @pytest.mark.parametrize("make", [neuron, shared])
    def test_each_step_is_the_moment_that_is_drawn(self, stand: Stand, make: Any) -> None:
        loss = make()
        stand.show(loss)
        for place, step in enumerate(walk(loss)):
            seen, plan = stand.seen(), draw(loss, step=place)
            assert (seen["place"], seen["phase"]) == (place, step.phase)
            assert seen["boxes"] == [[[line.text for line in node.lines], node.emphasis] for node in plan.nodes]
            labels = {f"{p}.{k}": edge.label for edge in plan.edges if edge.place is not None for p, k in [edge.place]}
            assert seen["labels"] == labels
            assert f"{step.name} = {step.formula}" in seen["card"]
            assert seen["live"] == str(step)
            assert f"Ledger of {step.name}" in seen["ledger"]
            for edge in step.edges:
                for text in (edge.slope, edge.case, edge.addition):
                    assert text in seen["card"]
            stand.click(".next")
        assert stand.place == len(walk(loss)) - 1

    def test_a_network_neuron_by_neuron(self, stand: Stand) -> None:
        loss = layers(2, 3, 1)
        stand.show(loss)
        for place, _ in enumerate(walk(loss)):
            plan = draw(loss, step=place, view="neurons")
            boxes = [[[line.text for line in node.lines], node.emphasis] for node in plan.nodes if node.places]
            assert stand.seen()["boxes"] == boxes
            stand.press("ArrowRight")

    def test_a_weight_shows_its_gradient_once_it_has_arrived(self, stand: Stand) -> None:
        loss = network()
        stand.show(loss)
        steps = walk(loss)
        v, number = next(x for x in steps.names if x.label == "v"), steps.telling.number
        key = next(f"{steps.telling.places[node]}.1" for node in steps.order if v in node.inputs)
        assert stand.seen()["labels"][key] == number(v.data)
        stand.press("End")
        assert stand.seen()["labels"][key] == f"{number(v.data)} ∂w {number(steps.gradients[v])}"

    def test_the_flow_is_seen(self, stand: Stand) -> None:
        stand.show(neuron())
        upstream, local, contribution = "-0.65885", "2", "-1.3177"
        told = []
        for t in (0.05, 0.5, 0.75, 0.9):
            stand.run(f"player.seek(9, {t})")
            told.append(stand.seen()["dots"][0])
        assert told == [
            [upstream, "dot minus"], [f"{upstream} × {local} = {contribution}", "dot minus"], [contribution, "dot minus"],
            [f"0 + ({contribution}) = {contribution}", "dot minus"],
        ]  # fmt: skip
        stand.run("player.seek(9, 1)")
        assert stand.seen()["dots"] == []
        stand.run("player.seek(0, 0.5)")
        assert [text for text, _ in stand.seen()["dots"]] == ["0.5", "2"]

    def test_a_dot_moves_from_the_node_to_its_operand(self, stand: Stand) -> None:
        stand.show(neuron())
        where = "(r => r.x + r.width / 2)(find('.stage:not([hidden]) .dot:not(.off) circle').getBoundingClientRect())"
        at = []
        for t in (0.05, 0.3, 0.5, 0.7, 0.9):
            stand.run(f"player.seek(9, {t})")
            at.append(stand.run(where))
        assert at == sorted(at, reverse=True)
        box = "(r => r.{})(find('.box[data-nodes=\"{}\"] rect').getBoundingClientRect())"
        assert at[0] == pytest.approx(stand.run(box.format("left", 2)), abs=3)
        assert at[-1] == pytest.approx(stand.run(box.format("right", 0)), abs=3)

    def test_arrows_turn_round_and_carry_sign_and_size(self, stand: Stand) -> None:
        w, x = Value(3.0, label="w"), Value(-2.0, label="x")
        stand.show(w * x * 0.01)
        look = """[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .arrow')].map(arrow => {
            return [arrow.querySelector("path").getAttribute("stroke-width"), ["plus", "minus"].filter(c => arrow.matches("." + c)).join()];
        })"""
        stand.press("End")
        assert [sign for _, sign in stand.run(look)] == ["minus", "plus", "plus"]
        assert [float(width) for width, _ in stand.run(look)] == [2.4, 2.4, 2.0], "of 0.02, 0.03 and 0.01"
        tip = "find('.arrow[data-flow=\"2.0\"] polygon').points.getItem(1).x"
        back = stand.run(tip)
        stand.press("Home")
        assert stand.run(tip) > back

    def test_a_dead_unit_and_a_saturated_one_are_marked(self, stand: Stand) -> None:
        x, y = Value(-1.0, label="x"), Value(4.0, label="y")
        stand.show(relu(x) + tanh(y))
        marks = "[...host.shadowRoot.querySelectorAll('.mark')].map(mark => mark.textContent)"
        stand.press("End")
        assert sorted(stand.run(marks)) == ["dead: slope 0", "saturated: slope 0.001341"]
        assert "not taken" in stand.seen()["labels"].values()
        stand.run("player.set({x: 1, y: 0})")
        stand.still()
        assert stand.run(marks) == ["", ""]
        assert "not taken" not in stand.seen()["labels"].values()


class TestControls:
    def test_buttons(self, stand: Stand) -> None:
        stand.show(neuron())
        places = []
        for button in (".previous", ".next", ".next", ".previous", ".last", ".next", ".previous", ".first"):
            stand.click(button)
            places.append(stand.place)
        assert places == [0, 1, 2, 1, 9, 9, 8, 0]

    def test_ends_are_told(self, stand: Stand) -> None:
        stand.show(neuron())
        ended = "[...host.shadowRoot.querySelectorAll('button[aria-disabled=true]')].map(b => b.ariaLabel)"
        assert stand.run(ended) == ["First step", "Previous step"]
        stand.click(".last")
        assert stand.run(ended) == ["Next step", "Last step"]

    @pytest.mark.parametrize("motion", ["reduce", "no-preference"])
    def test_play_goes_on_by_itself_and_ends_at_the_end(self, stand: Stand, motion: str) -> None:
        stand.show(neuron(), motion=motion)
        stand.run("find('.speed').value = '4', find('.speed').dispatchEvent(new Event('change'))")
        stand.run(f"player.goto({STEPS - 3})")
        stand.click(".play")
        assert stand.run("find('.play').ariaLabel") == "Pause"
        stand.wait("find('.play').ariaLabel === 'Play'")
        assert stand.place == STEPS - 1
        stand.click(".play")
        assert stand.place == 0

    def test_play_is_paused_by_a_second_click_and_by_any_other_control(self, stand: Stand) -> None:
        stand.show(neuron())
        for stop in (".play", ".next", ".box.active"):
            stand.click(".play", stop)
            assert stand.run("find('.play').ariaLabel") == "Play"

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
        assert stand.run("find('.slider').ariaValueText") == "backward 5/5"

    def test_keys(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight")
        assert stand.place == 2
        stand.click(".next")
        stand.press("End")
        assert stand.place == STEPS - 1
        stand.press("Home")
        assert stand.place == 0
        stand.run("host.shadowRoot.activeElement.blur()")
        stand.press(" ")
        assert stand.run("find('.play').ariaLabel") == "Pause"
        stand.press(" ")
        assert stand.run("find('.play').ariaLabel") == "Play"

    def test_a_node_that_is_clicked_is_jumped_to(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click('.box[data-nodes="5"]')
        assert (stand.place, stand.seen()["phase"]) == (2, "forward")
        stand.click(".last", '.box[data-nodes="5"]')
        assert (stand.place, stand.seen()["phase"]) == (7, "backward")
        stand.click('.box[data-nodes="0"]')
        assert stand.place == 9
        assert "Ledger of w" in stand.seen()["ledger"]

    def test_the_ledger_of_what_is_pointed_at(self, stand: Stand) -> None:
        stand.show(shared())
        assert stand.seen()["ledger"].endswith("v1.grad = ∂loss/∂v1: still to come")
        stand.press(*["ArrowRight"] * 6)
        stand.browser.point(f'{HOST} >>> .box[data-nodes="0"]')
        ledger = stand.seen()["ledger"]
        assert "Ledger of a" in ledger
        assert "from loss: ∂loss/∂loss · ∂loss/∂a = 1 × 1 = 1" in ledger
        assert ledger.count("still to come") == 2
        assert "∂a so far = 1" in ledger
        stand.browser.point(f"{HOST} >>> .moves")
        assert "Ledger of v4" in stand.seen()["ledger"]
        stand.press("End")
        stand.browser.point(f'{HOST} >>> .box[data-nodes="0"]')
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

    def test_a_neuron_opens_into_its_nodes(self, stand: Stand) -> None:
        stand.show(network())
        stand.click(".neuron.active")
        standing = "[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .box:not(.aside)')].map(b => b.ariaLabel).sort()"
        assert stand.run(standing) == ["b = 0.1", "v1 = 0.6, w·x + b", "v2, tanh(v1)", "w = 0.5", "x = 1"]
        assert stand.focus() == "v1 = 0.6, w·x + b"
        stand.click(".whole")
        assert len(stand.run(standing)) == len(walk(network()).names)
        assert stand.run("find('.whole').hidden")

    def test_zoom_by_keys_buttons_wheel_and_two_fingers(self, stand: Stand) -> None:
        stand.show(neuron())
        width = "find('.graph').viewBox.baseVal.width"
        whole = stand.run(width)
        stand.press("+")
        assert stand.run(width) == pytest.approx(whole / 1.25, rel=0.01)
        stand.click(".farther", ".closer", ".closer")
        assert stand.run(width) == pytest.approx(whole / 1.25**2, rel=0.01)
        x, y = stand.browser.middle(f"{HOST} >>> .stage")
        stand.browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-100)
        stand.wait(f"{width} < {0.99 * whole / 1.25**2}")
        stand.press("0")
        stand.wait(f"Math.abs({width} - {whole}) < 1")
        stand.touch([(x - 40, y), (x + 40, y)], [(x - 60, y), (x + 60, y)], [(x - 80, y), (x + 80, y)])
        assert stand.run(width) < 0.7 * whole

    def test_the_picture_is_dragged(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press("+", "+")
        left = "find('.graph').viewBox.baseVal.x"
        before = stand.run(left)
        x, y = stand.browser.middle(f"{HOST} >>> .stage")
        send = stand.browser.call
        send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y + 120, button="left", clickCount=1)
        send("Input.dispatchMouseEvent", type="mouseMoved", x=x + 100, y=y + 120, button="left", buttons=1)
        send("Input.dispatchMouseEvent", type="mouseReleased", x=x + 100, y=y + 120, button="left", clickCount=1)
        assert stand.run(left) < before


class TestChanging:
    """Every leaf by typing, keys, slider, dragging and touch: the page is that of the graph at the new numbers."""

    def agrees(self, stand: Stand, loss: Value, **leaves: float) -> None:
        """Check that the page shows what Python computes at these leaves."""
        other = at(loss, **leaves)
        stand.still()
        seen, plan = stand.seen(), draw(other, step=stand.place)
        assert [box[0] for box in seen["boxes"]] == [[line.text for line in node.lines] for node in plan.nodes]
        assert seen["live"] == str(walk(other)[stand.place])

    def test_every_leaf_has_a_labelled_field_from_the_start(self, stand: Stand) -> None:
        stand.show(neuron())
        fields = "[...host.shadowRoot.querySelectorAll('.leaf .field')].map(f => [f.labels[0].innerText, f.type, f.value])"
        assert stand.run(fields) == [["w", "number", "0.5"], ["x", "number", "2"], ["b", "number", "-0.4"]]

    @pytest.mark.parametrize("place", [0, 3, 7, 9])
    def test_typing(self, stand: Stand, place: int) -> None:
        stand.show(neuron())
        stand.run(f"player.goto({place})")
        stand.run("find('.leaf .field').focus(), find('.leaf .field').select()")
        stand.browser.type("-1.25")
        self.agrees(stand, neuron(), w=-1.25)
        assert stand.place == place

    def test_arrow_keys_and_slider(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.run("player.goto(9)")
        stand.run("find('.leaf .field').focus()")
        stand.press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown")
        assert stand.run("player.value('w')") == pytest.approx(0.52)
        self.agrees(stand, neuron(), w=stand.run("player.value('w')"))
        stand.click(".leaf .range")
        stand.press("ArrowRight")
        assert stand.run("player.value('w')") == pytest.approx(0.005)
        self.agrees(stand, neuron(), w=stand.run("player.value('w')"))

    @pytest.mark.parametrize("handle", [".leaf .name span", '.box[data-nodes="0"]'])
    def test_dragging_a_name_or_a_box(self, stand: Stand, handle: str) -> None:
        stand.show(neuron())
        stand.drag(handle, 40)
        assert stand.run("player.value('w')") == pytest.approx(0.7)
        assert stand.place == 0
        self.agrees(stand, neuron(), w=stand.run("player.value('w')"))

    def test_a_finger_on_a_box(self, stand: Stand) -> None:
        stand.show(neuron())
        x, y = stand.browser.middle(f'{HOST} >>> .box[data-nodes="0"]')
        stand.touch([(x, y)], [(x + 10, y)], [(x + 20, y)])
        assert stand.run("player.value('w')") == pytest.approx(0.6)

    def test_dragging_a_weight(self, stand: Stand) -> None:
        loss = network()
        stand.show(loss)
        steps = walk(loss)
        v = next(x for x in steps.names if x.label == "v")
        key = next(f"{steps.telling.places[node]}.0" for node in steps.order if v in node.inputs)
        stand.drag(f'.label[data-weighs="{key}"] text', 40)
        assert stand.run("player.value('v')") == pytest.approx(v.data + 40 * 0.005)
        assert stand.run("player.value('w')") == 0.5

    def test_reset(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.run("player.set({w: 3, b: 1})")
        stand.click(".reset")
        self.agrees(stand, neuron())

    def test_outside_a_domain_the_row_says_so(self, stand: Stand) -> None:
        x = Value(2.0, label="x")
        stand.show(log(x) * 3)
        stand.press("End")
        stand.run("player.set({x: -2})")
        stand.still()
        seen = stand.seen()
        assert "log(-2.0) has no value: log needs x > 0 (v1)" in seen["problem"]
        assert seen["boxes"] == [[["x = -2"], "faint"], [["v1", "log(x)"], "active"], [["loss", "v1·3"], "faint"]]
        stand.run("player.set({x: 2})")
        stand.still()
        assert stand.seen()["problem"] == ""
        assert stand.seen()["boxes"][0][0] == ["x = 2", "∂x = 1.5"]

    def test_the_case_and_its_reason_follow(self, stand: Stand) -> None:
        x, y = Value(3.0, label="x"), Value(2.0, label="y")
        stand.show(maximum(x, y) * 2)
        stand.press("End")
        assert "∂v1/∂x = 1, as x > y" in stand.seen()["card"]
        stand.run("player.set({x: 1})")
        stand.still()
        assert "∂v1/∂x = 0, as x ≤ y" in stand.seen()["card"]
        assert "not taken" in stand.seen()["card"]

    def test_a_row_that_computes_something_else_stops_the_page(self, stand: Stand) -> None:
        html = play(neuron()).html
        key = html.index('"tanh": {')
        broken = html[:key] + html[key:].replace("math.tanh", "math.sin", 1)
        stand.path.write_text(broken.replace("Content-Security-Policy", "x"), encoding="utf-8")
        stand.browser.open(stand.path)
        assert "it stays still: tanh gives 0.5646" in stand.seen()["problem"]
        assert stand.run("find('.bar').hidden")
        assert stand.run("getComputedStyle(find('.text')).display") == "block"

    def test_a_row_without_javascript_leaves_the_page_still_and_complete(self, stand: Stand) -> None:
        wave = Unary("wave", lambda x: __import__("math").sin(x), lambda x, out: cos(x))
        stand.show(wave(Value(1.0, label="x")))
        assert "the row 'wave' cannot be computed in a page" in stand.seen()["problem"]
        assert "loss = wave(x)" in stand.run("find('.text').innerText")
        assert stand.run("find('.desk').hidden")


class TestLearning:
    def test_a_step_of_gradient_descent(self, stand: Stand) -> None:
        loss = neuron()
        stand.show(loss)
        gradients = {x.label: g for x, g in walk(loss).gradients.items() if x.label in ("w", "x", "b")}
        stand.click(".learn")
        assert stand.run("player.value('w')") == pytest.approx(0.5 - 0.1 * gradients["w"], rel=1e-12)
        assert stand.run("player.value('b')") == pytest.approx(-0.4 - 0.1 * gradients["b"], rel=1e-12)
        assert stand.run("player.value('x')") == 2
        stand.run("find('.rate').value = '0.01'")
        stand.click('.leaf:nth-child(2) input[type="checkbox"]')
        slope = stand.run("player.gradient('x')")
        stand.click(".learn")
        assert stand.run("player.value('x')") == pytest.approx(2 - 0.01 * slope, rel=1e-12)
        stand.still()
        assert "2 steps" in stand.run("find('.losses').textContent")
        assert len(stand.run("find('.curve polyline').getAttribute('points')").split()) == 3

    def test_train_repeats_until_it_is_stopped(self, stand: Stand) -> None:
        stand.show(neuron())
        first = stand.run("player.value('loss')")
        stand.click(".train")
        stand.wait(f"player.value('loss') < {first / 10}")
        stand.click(".train")
        stand.still()
        later = stand.run("player.value('loss')")
        stand.still()
        assert stand.run("player.value('loss')") == later

    def test_of_several_examples_the_mean(self, stand: Stand) -> None:
        w, b = Value(0.5, label="w"), Value(0.0, label="b")
        losses: list[Value] = [(tanh(dot([w], [x], b)) - t) ** 2 for x, t in ((1.0, 1.0), (2.0, 0.5), (-1.0, -1.0))]
        stand.show(losses)
        mean = sum(walk(loss).gradients[w] for loss in losses) / 3
        stand.click(".learn")
        assert stand.run("player.value('w')") == pytest.approx(0.5 - 0.1 * mean, rel=1e-12)
        stand.click(".reset")
        stand.run("find('.example').value = '1', find('.example').dispatchEvent(new Event('change'))")
        assert stand.run("player.value('loss')") == losses[1].data
        stand.press("End")
        assert stand.run("player.gradient('w')") == pytest.approx(walk(losses[1]).gradients[w])
        plan = draw(losses[1], step=-1, view="neurons")
        assert [box[0] for box in stand.seen()["boxes"]] == [[line.text for line in node.lines] for node in plan.nodes if node.places]


class TestPredicting:
    def test_nothing_is_told_until_it_is_revealed(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press(*["ArrowRight"] * 7)
        stand.click(".predict")
        asking = stand.seen()
        assert "0.65885" not in json.dumps([asking[part] for part in ("boxes", "labels", "card", "ledger", "live", "dots")])
        assert "∂out/∂v2 = 1 - out²" in asking["card"]
        assert stand.focus() == "your prediction: local derivative ∂out/∂v2", "the cursor is where the answer belongs"
        stand.browser.type("0.71")
        stand.press("Tab")
        stand.browser.type("-0.66")
        stand.press("Enter")
        card = stand.seen()["card"]
        assert "✓ 0.71 is right" in card
        assert "✓ -0.66 is right" in card
        assert stand.seen()["boxes"][4][0] == ["v2 = 0.6", "v1 + b", "∂v2 = -0.65885"]
        assert stand.focus() == "Next step"
        assert stand.run("find('.score').textContent") == "2 of 2 right"

    def test_next_reveals_first(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click(".predict", ".next")
        assert (stand.place, "0.5·2" in stand.seen()["card"]) == (0, True)
        stand.press("ArrowRight")
        assert (stand.place, "0.6" in stand.seen()["card"]) == (1, False)
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
        assert stand.run("find('.play').ariaLabel") == "Play"

    @pytest.mark.parametrize(
        ("x", "said", "verdict"),
        [(0.0, "0", "✓"), (0.0, "0.01", "✗"), (-2.0, "−4", "✓"), (2.5, "5,0", "✓"), (2.5, "5.1", "✗"), (2.5, "five", "✗"),
         (0.25, "1/2", "✓"), (0.25, ",5", "✓"), (-0.25, "-1/2", "✓"), (0.25, "1/0", "✗"),
         (float("inf"), "∞", "✓"), (float("inf"), "-inf", "✗"), (float("nan"), "NaN", "✓"), (float("nan"), "1", "✗")],
    )  # fmt: skip
    def test_what_counts_as_right(self, stand: Stand, x: float, said: str, verdict: str) -> None:
        stand.show(Value(x, label="x") * 2)
        stand.click(".predict", ".guess")
        stand.browser.type(said)
        stand.press("Enter")
        assert verdict in stand.seen()["card"]

    @pytest.mark.parametrize(("said", "hint"), [
        ("1.3177", "the sign"), ("-0.65885", "the local derivative 2 is missing"), ("2", "the upstream gradient -0.65885 is missing"),
        ("1.3412", "multiply, do not add"), ("-0.3294", "that flows to the other operand"),
    ])  # fmt: skip
    def test_what_a_wrong_answer_looks_like(self, stand: Stand, said: str, hint: str) -> None:
        stand.show(neuron())
        stand.press("End")
        stand.click(".predict", '[data-edge="2.0"] td:nth-child(3) .guess')
        stand.browser.type(said)
        stand.press("Enter")
        assert f"✗ not {said}: {hint}" in stand.seen()["card"]

    def test_a_class_is_asked_for_signs(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press("End")
        stand.click(".predict")
        stand.run("find('.asks').value = 'signs', find('.asks').dispatchEvent(new Event('change'))")
        stand.click('[data-edge="2.0"] td:nth-child(3) [data-sign="-"]', '[data-edge="2.1"] td:nth-child(3) [data-sign="+"]', ".reveal")
        card = stand.seen()["card"]
        assert "✓ - is right" in card
        assert "✗ not +" in card
        assert stand.run("find('.score').textContent") == "1 of 2 right"


class TestMistakes:
    def test_side_by_side(self, stand: Stand) -> None:
        stand.show(shared())
        stand.click('[data-mistake="recursion"] summary')
        stand.wait("find('[data-mistake=recursion] .wrong .box')")
        look = """['right', 'wrong'].map(kind => {
            const run = find(`[data-mistake=recursion] .${kind}`), box = run.querySelector('.box.active'), at = run.getBoundingClientRect();
            return [box.querySelector('[data-gradient]').textContent, at.x, at.y, run.querySelector('.card').innerText];
        })"""
        (right, x, y, card), (wrong, x_wrong, y_wrong, card_wrong) = stand.run(look)
        assert (right, wrong) == ("∂v1 = 8", "∂v1 so far = 3")
        assert x < x_wrong
        assert y == y_wrong
        assert "1 + 16 = 17" in card
        assert "1 + 6 = 7" in card_wrong
        assert walk(shared(), mistake="recursion").difference in card_wrong
        assert stand.place == 0, "the player itself stays where it is"

    def test_they_follow_the_numbers(self, stand: Stand) -> None:
        stand.show(shared())
        stand.run("player.set({a: 3})")
        stand.still()
        told = stand.run("find('[data-mistake=overwrite] .difference').textContent")
        assert told == walk(at(shared(), a=3.0), mistake="overwrite").difference + "."

    def test_a_harmless_one_says_so(self, stand: Stand) -> None:
        stand.show(neuron())
        assert "It changes nothing on this graph." in stand.run("find('[data-mistake=recursion]').innerText")


class TestInOtherPages:
    def test_a_script_sets_numbers_and_reads_them_at_once(self, stand: Stand) -> None:
        stand.show(neuron())
        right = walk(at(neuron(), w=0.7))
        found = stand.run("(player.set({w: 0.7}), [player.value('loss'), player.gradient('w'), player.step, player.steps])")
        assert found == pytest.approx([right.loss.data, next(g for x, g in right.gradients.items() if x.label == "w"), 0, STEPS])

    def test_the_event_change(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.run("(window.heard = [], host.addEventListener('change', e => heard.push(e.detail)))")
        stand.run("(player.goto(7), player.set({w: 0.7}))")
        assert [told["step"] for told in stand.browser.run("heard")] == [7, 7]
        assert stand.browser.run("heard[1].loss") == stand.run("player.value('loss')")

    @pytest.mark.parametrize("script", ["player.set({nobody: 1})", "player.value('nobody')", "player.set({w: '1'})"])
    def test_what_a_script_gets_wrong(self, stand: Stand, script: str) -> None:
        stand.show(neuron())
        told = stand.run(f"(() => {{ try {{ {script}; }} catch (error) {{ return error.message; }} }})()")
        assert "nobody" in told or "w needs a number, not 1" in told

    def test_full_and_short_names(self, stand: Stand) -> None:
        stand.show(layers(2, 2, 1))
        stand.run("player.set({'layer1.neuron0.w1': 0.25})")
        assert stand.run("player.value('w⁽¹⁾₀₁')") == 0.25

    def test_the_address(self, stand: Stand) -> None:
        stand.show(neuron(), address="#step=7&w=0.75")
        assert (stand.place, stand.run("player.value('w')")) == (7, 0.75)
        stand.browser.run("location.hash = '#step=3&b=1/2'")
        stand.wait("player.step === 3")
        assert stand.run("player.value('b')") == 0.5
        stand.run("player.set({x: 1.5})")
        stand.press("ArrowRight")
        stand.wait("location.hash.includes('step=4') && location.hash.includes('x=1.5')")

    def test_an_address_with_nonsense(self, stand: Stand) -> None:
        stand.show(neuron(), address="#step=many&w=heavy&example=9&nobody=1&view=upside")
        assert (stand.place, stand.run("player.value('w')")) == (0, 0.5)

    def test_two_players_stay_apart(self, stand: Stand) -> None:
        stand.show(neuron(), neuron())
        stand.click(".next", player=2)
        stand.press("ArrowRight", "ArrowRight")
        assert (stand.seen(0)["place"], stand.seen(1)["place"]) == (0, 3)
        stand.click(".last")
        stand.press("ArrowLeft")
        assert (stand.seen(0)["place"], stand.seen(1)["place"]) == (8, 3)
        stand.run("player.set({w: 2})")
        assert stand.browser.run(f"document.querySelectorAll('{HOST}')[1].player.value('w')") == 0.5
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
        stand.browser.click(f"body > div:last-child {HOST} >>> .next")
        assert [stand.seen(i)["place"] for i in range(4)] == [0, 0, 0, 1]
        listening = stand.browser.call(
            "DOMDebugger.getEventListeners",
            objectId=stand.browser.call("Runtime.evaluate", expression=find(f"{HOST} >>> .next"))["result"]["objectId"],
        )["listeners"]
        assert [listener["type"] for listener in listening] == ["click"], "no script starts a player a second time"

    def test_the_styles_of_the_page_do_not_reach_it(self, stand: Stand) -> None:
        stand.show(neuron(), neuron())
        stand.browser.run("document.head.append(Object.assign(document.createElement('style'), {textContent: 'table, p, button {display: none !important}'}))")
        assert stand.run("getComputedStyle(find('.card table')).display") == "table"

    def test_in_a_small_frame(self, stand: Stand) -> None:
        stand.show(neuron(), address="#compact", width=420, height=300)
        assert stand.run("find('.stages').getBoundingClientRect().height") > 100
        assert stand.run("find('.bar').getBoundingClientRect().bottom") <= 300
        assert stand.run("getComputedStyle(find('.mistakes')).display") == "none"


class TestSafety:
    def test_a_label_is_shown_and_not_run(self, stand: Stand) -> None:
        stand.show(Value(1.0, label=HOSTILE) * Value(2.0, label="</script><script>alert(2)</script>"))
        stand.press("End")
        assert any(HOSTILE[:9] in box[0][0] for box in stand.seen()["boxes"])
        assert HOSTILE in stand.seen()["card"]
        assert not [event for event in stand.browser.events if event.get("method") == "Page.javascriptDialogOpening"]

    def test_without_scripts_picture_and_text_are_there(self, stand: Stand) -> None:
        stand.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            stand.show(neuron())
            shown = "e => e.checkVisibility({visibilityProperty: true})"
            for selector, visible in ((".box text", True), (".text", True), (".bar", False), (".desk", False)):
                assert stand.browser.run(f"({shown})({find(f'{HOST} >>> {selector}')})") is visible
            assert "out = tanh(v2) = tanh(0.6) = 0.53705" in stand.browser.run(find(f"{HOST} >>> .text") + ".innerText")
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
        for wanted in (("slider", "Step"), ("textbox", "your prediction: value of v1"), ("button", "Reveal"), ("slider", "w, slider"),
                       ("checkbox", "learn w"), ("spinbutton", "w"), ("button", "Train")):  # fmt: skip
            assert wanted in used
        assert all(name for role, name in used if role not in ("generic", "RootWebArea"))

    def test_what_is_done_now_is_thick_and_only_what_is_to_come_is_dashed(self, stand: Stand) -> None:
        stand.show(shared())
        looks = """[...host.shadowRoot.querySelectorAll(".stages .arrow")].map((arrow) => {
            const style = getComputedStyle(arrow.querySelector("path"));
            return [arrow.matches(".faint"), style.strokeDasharray].join(" ");
        })"""
        found = set()
        for _ in walk(shared()):
            found |= set(stand.run(looks))
            stand.press("ArrowRight")
        assert found == {"true 3px, 3px", "false none"}

    def test_nothing_moves_for_those_who_want_it_so(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click(".last", ".previous", ".next")
        assert stand.seen()["dots"] == []

    def test_dots_move_for_others(self, stand: Stand) -> None:
        stand.show(neuron(), motion="no-preference")
        stand.click(".last", ".previous", ".next")
        assert len(stand.seen()["dots"]) == 2
        stand.wait("!find('.dot:not(.off)')")
        assert stand.seen()["boxes"][0][0] == ["w = 0.5", "∂w = -1.3177"]

    def test_night(self, stand: Stand) -> None:
        for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 25, 29)")):
            stand.show(neuron(), prefers_color_scheme=scheme)
            assert stand.run("getComputedStyle(find('.player')).backgroundColor") == colour

    def test_a_notebook_has_a_theme_of_its_own(self, stand: Stand) -> None:
        stand.show(neuron(), prefers_color_scheme="dark")
        stand.browser.run("document.body.dataset.jpThemeLight = 'true'")
        assert stand.run("getComputedStyle(find('.player')).backgroundColor") == "rgb(255, 255, 255)"

    def test_paper_has_the_whole_graph_every_gradient_and_every_step(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.run("player.set({w: 1})")
        stand.browser.call("Emulation.setEmulatedMedia", media="print")
        stand.browser.run("dispatchEvent(new Event('beforeprint'))")
        assert stand.run("find('.text').textContent") == "\n".join(map(str, walk(at(neuron(), w=1.0))))
        assert all(len(lines) >= 2 for lines, _ in stand.seen()["boxes"])
        shown = "getComputedStyle(find('{}')).display"
        assert [stand.run(shown.format(part)) for part in (".bar", ".desk", ".text")] == ["none", "none", "block"]
        stand.browser.run("dispatchEvent(new Event('afterprint'))")
        assert stand.place == 0

    @pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720), (1920, 1080)])
    @pytest.mark.parametrize("make", [shared, network])
    def test_every_size(self, stand: Stand, make: Any, width: int, height: int) -> None:
        stand.show(make(), width=width, height=height)
        for key in ["Home"] + ["ArrowRight"] * (len(walk(make())) // 2):  # from the left of the picture to its right
            stand.press(key)
            stand.still()
            assert stand.browser.run("document.documentElement.scrollWidth") <= width
            assert stand.run("""(() => {
                const stage = find(".stages > .stage:not([hidden])").getBoundingClientRect();
                const box = find(".stages > .stage:not([hidden]) .box.active").getBoundingClientRect();
                return box.left >= stage.left - 1 && box.right <= stage.right + 1 && box.height >= 20;
            })()""")
        assert stand.run("[...host.shadowRoot.querySelectorAll('.bar button')].filter(b => b.checkVisibility()).map(b => b.getBoundingClientRect())"
                         ".every(r => r.width >= 40 && r.height >= 40)")  # fmt: skip
        if width >= 1280:
            assert stand.run("find('.card').getBoundingClientRect().top") < height - 100

    def test_a_small_network_fills_a_projector(self, stand: Stand) -> None:
        stand.show(layers(2, 3, 1), width=1280, height=720)
        stand.press("End")
        sizes = stand.run("""[...host.shadowRoot.querySelectorAll(".stage:not([hidden]) text")].map(text =>
            parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)""")
        assert min(sizes) >= 18
        fits = "[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .box')].every(b => (r => r.left >= 0 && r.right <= 1280)(b.getBoundingClientRect()))"
        assert stand.run(fits)
