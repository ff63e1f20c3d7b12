"""The live player in a real browser: every moment, every control and every number, compared with the walk."""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import Any

import pytest
from players import HOST, STEPS, Players, at
from test_player import layers, network, neuron, shared

from autograd import Unary, Value, cos, dot, log, maximum, relu, tanh, walk
from autograd.drawing import draw
from autograd.notation import factor
from autograd.player import play

SECOND = "find('.example').value = '1', find('.example').dispatchEvent(new Event('change'))"

pytestmark = pytest.mark.slow  # needs a browser: run by `.ci/run pictures`


class TestMoments:
    @pytest.mark.parametrize("make", [neuron, shared])
    def test_each_step_is_the_moment_that_is_drawn(self, players: Players, make: Any) -> None:
        loss = make()
        players.show(loss)
        for place, step in enumerate(walk(loss)):
            seen, plan = players.seen(), draw(loss, step=place)
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
            players.click(".next")
        assert players.place == len(walk(loss)) - 1

    def test_a_network_neuron_by_neuron(self, players: Players) -> None:
        loss = layers(2, 3, 1)
        players.show(loss)
        for place, _ in enumerate(walk(loss)):
            plan = draw(loss, step=place, view="neurons")
            boxes = [[[line.text for line in node.lines], node.emphasis] for node in plan.nodes if node.places]
            assert players.seen()["boxes"] == boxes
            players.press("ArrowRight")

    def test_inside_a_neuron_the_slope_of_its_activation_is_a_factor(self, players: Players) -> None:
        loss = layers(2, 2, 1)
        players.show(loss)
        steps = walk(loss)
        place, [edge] = next((i, step.edges) for i, step in enumerate(steps) if step.edges and step.node.primitive is tanh)
        players.run(f"player.goto({place})")
        number = steps.notation.number
        product = f"{number(edge.upstream)} × {factor(number(edge.partial))} = {number(edge.contribution)}"
        assert players.run("find('.stage:not([hidden])  .product').textContent") == product
        players.press("ArrowRight")
        assert players.run("find('.stage:not([hidden]) .product').textContent") == ""

    def test_a_weight_shows_its_gradient_once_it_has_arrived(self, players: Players) -> None:
        loss = network()
        players.show(loss)
        steps = walk(loss)
        v, number = next(x for x in steps.names if x.label == "v"), steps.notation.number
        key = next(f"{steps.notation.places[node]}.1" for node in steps.order if v in node.inputs)
        assert players.seen()["labels"][key] == number(v.data)
        players.press("End")
        assert players.seen()["labels"][key] == f"{number(v.data)} ∂w {number(steps.gradients[v])}"

    def test_a_dot_shows_upstream_then_product_then_contribution_then_sum(self, players: Players) -> None:
        players.show(neuron())
        upstream, local, contribution = "-0.65885", "2", "-1.3177"
        dots = []
        for t in (0.05, 0.5, 0.75, 0.9):
            players.run(f"player.seek(9, {t})")
            dots.append(players.seen()["dots"][0])
        assert dots == [
            [upstream, "dot minus"], [f"{upstream} × {local} = {contribution}", "dot minus"], [contribution, "dot minus"],
            [f"0 + ({contribution}) = {contribution}", "dot minus"],
        ]  # fmt: skip
        players.run("player.seek(9, 1)")
        assert players.seen()["dots"] == []
        players.run("player.seek(0, 0.5)")
        assert [text for text, _ in players.seen()["dots"]] == ["0.5", "2"]

    def test_the_product_stays_on_the_arrow_of_a_weight(self, players: Players) -> None:
        loss = layers(2, 2, 1)
        players.show(loss)
        steps = walk(loss)
        place, step = next((i, step) for i, step in enumerate(steps) if step.edges and step.node.primitive is dot)
        players.run(f"player.goto({place})")
        number, flowing = steps.notation.number, [edge for edge in step.edges if edge.input.inputs]
        products = [f"{number(e.upstream)} × {factor(number(e.partial))} = {number(e.contribution)}" for e in flowing]
        assert [text for text, _ in players.seen()["dots"]] == products

    def test_a_dot_moves_from_the_node_to_its_operand(self, players: Players) -> None:
        players.show(neuron())
        where = "(r => r.x + r.width / 2)(find('.stage:not([hidden]) .dot:not(.off) circle').getBoundingClientRect())"
        at = []
        for t in (0.05, 0.3, 0.5, 0.7, 0.9):
            players.run(f"player.seek(9, {t})")
            at.append(players.run(where))
        assert at == sorted(at, reverse=True)
        box = "(r => r.{})(find('.box[data-nodes=\"{}\"] rect').getBoundingClientRect())"
        assert at[0] == pytest.approx(players.run(box.format("left", 2)), abs=3)
        assert at[-1] == pytest.approx(players.run(box.format("right", 0)), abs=3)

    def test_arrows_turn_round_and_carry_sign_and_size(self, players: Players) -> None:
        w, x = Value(3.0, label="w"), Value(-2.0, label="x")
        players.show(w * x * 0.01)
        look = """[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .arrow')].map(arrow => [
            arrow.querySelector("path").getAttribute("stroke-width"),
            ["plus", "minus"].filter(sign => arrow.matches("." + sign)).join(),
        ])"""
        players.press("End")
        assert [sign for _, sign in players.run(look)] == ["minus", "plus", "plus"]
        assert [float(width) for width, _ in players.run(look)] == [2.4, 2.4, 2.0], "for 0.02, 0.03 and 0.01"
        tip = "find('.arrow[data-flow=\"2.0\"] polygon').points.getItem(1).x"
        back = players.run(tip)
        players.press("Home")
        assert players.run(tip) > back

    def test_a_dead_unit_and_a_saturated_one_are_marked(self, players: Players) -> None:
        x, y = Value(-1.0, label="x"), Value(4.0, label="y")
        players.show(relu(x) + tanh(y))
        marks = "[...host.shadowRoot.querySelectorAll('.mark')].map(mark => mark.textContent)"
        players.press("End")
        assert sorted(players.run(marks)) == ["dead: slope 0", "saturated: slope 0.001341"]
        assert "not taken" in players.seen()["labels"].values()
        players.run("player.set({x: 1, y: 0})")
        players.still()
        assert players.run(marks) == ["", ""]
        assert "not taken" not in players.seen()["labels"].values()


class TestControls:
    def test_buttons(self, players: Players) -> None:
        players.show(neuron())
        places = []
        for button in (".previous", ".next", ".next", ".previous", ".last", ".next", ".previous", ".first"):
            players.click(button)
            places.append(players.place)
        assert places == [0, 1, 2, 1, 9, 9, 8, 0]

    def test_buttons_beyond_the_ends_are_disabled(self, players: Players) -> None:
        players.show(neuron())
        ended = "[...host.shadowRoot.querySelectorAll('button[aria-disabled=true]')].map(b => b.ariaLabel)"
        assert players.run(ended) == ["First step", "Previous step"]
        players.click(".last")
        assert players.run(ended) == ["Next step", "Last step"]

    @pytest.mark.parametrize("motion", ["reduce", "no-preference"])
    def test_play_advances_by_itself_and_stops_at_the_end(self, players: Players, motion: str) -> None:
        players.show(neuron(), motion=motion)
        players.run("find('.speed').value = '4', find('.speed').dispatchEvent(new Event('change'))")
        players.run(f"player.goto({STEPS - 3})")
        players.click(".play")
        assert players.run("find('.play').ariaLabel") == "Pause"
        players.wait("find('.play').ariaLabel === 'Play'")
        assert players.place == STEPS - 1
        players.click(".play")
        assert players.place == 0

    def test_play_is_paused_by_a_second_click_and_by_any_other_control(self, players: Players) -> None:
        players.show(neuron())
        for stop in (".play", ".next", ".box.active"):
            players.click(".play", stop)
            assert players.run("find('.play').ariaLabel") == "Play"

    def test_slider(self, players: Players) -> None:
        players.show(neuron())
        players.click(".slider")
        place = players.place
        assert place in (4, 5)  # a click is in the middle
        players.press("ArrowRight")
        assert players.place == place + 1, "the player's own keys must not add to the slider's"
        players.press("ArrowLeft", "ArrowLeft")
        assert players.place == place - 1
        players.press("End")
        assert players.place == STEPS - 1
        assert players.run("find('.slider').ariaValueText") == "backward 5/5"

    def test_keys(self, players: Players) -> None:
        players.show(neuron())
        players.press("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight")
        assert players.place == 2
        players.click(".next")
        players.press("End")
        assert players.place == STEPS - 1
        players.press("Home")
        assert players.place == 0
        players.run("host.shadowRoot.activeElement.blur()")
        players.press(" ")
        assert players.run("find('.play').ariaLabel") == "Pause"
        players.press(" ")
        assert players.run("find('.play').ariaLabel") == "Play"

    def test_a_click_on_a_node_jumps_to_it(self, players: Players) -> None:
        players.show(neuron())
        players.click('.box[data-nodes="5"]')
        assert (players.place, players.seen()["phase"]) == (2, "forward")
        players.click(".last", '.box[data-nodes="5"]')
        assert (players.place, players.seen()["phase"]) == (7, "backward")
        players.click('.box[data-nodes="0"]')
        assert players.place == 9
        assert "Ledger of w" in players.seen()["ledger"]

    def test_the_ledger_is_that_of_the_node_under_the_pointer(self, players: Players) -> None:
        players.show(shared())
        assert players.seen()["ledger"].endswith("v1.grad = ∂loss/∂v1: still to come")
        players.press(*["ArrowRight"] * 6)
        players.browser.point(f'{HOST} >>> .box[data-nodes="0"]')
        ledger = players.seen()["ledger"]
        assert "Ledger of a" in ledger
        assert "from loss: ∂loss/∂loss · ∂loss/∂a = 1 × 1 = 1" in ledger
        assert ledger.count("still to come") == 2
        assert "∂a so far = 1" in ledger
        players.browser.point(f"{HOST} >>> .moves")
        assert "Ledger of v4" in players.seen()["ledger"]
        players.press("End")
        players.browser.point(f'{HOST} >>> .box[data-nodes="0"]')
        assert "still to come" not in players.seen()["ledger"]
        assert players.seen()["ledger"].endswith("a.grad = ∂loss/∂a: ∂a = 33")

    def test_nodes_are_reached_by_the_keyboard(self, players: Players) -> None:
        players.show(shared())
        players.press("Tab")
        assert players.focus() == "v1 = 4, a²"
        players.press("ArrowUp")
        assert players.focus() == "a = 2"
        assert "Ledger of a" in players.seen()["ledger"]
        players.press("ArrowDown", "ArrowDown")
        assert players.focus() == "v2, v1·3"
        players.press("Enter")
        assert players.place == 1
        assert players.focus() == "v2 = 12, v1·3"
        players.press("ArrowRight")
        assert players.place == 2

    def test_a_neuron_opens_into_its_nodes(self, players: Players) -> None:
        players.show(network())
        players.click(".neuron.active")
        boxes = "[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .box:not(.aside)')]"
        standing = f"{boxes}.map(b => b.ariaLabel).sort()"
        assert players.run(standing) == ["b = 0.1", "v1 = 0.6, w·x + b", "v2, tanh(v1)", "w = 0.5", "x = 1"]
        assert players.focus() == "v1 = 0.6, w·x + b"
        players.click(".whole")
        assert len(players.run(standing)) == len(walk(network()).names)
        assert players.run("find('.whole').hidden")

    def test_the_picture_zooms_into_a_neuron_that_opens(self, players: Players) -> None:
        players.show(layers(2, 3, 1), motion="no-preference")
        width = "find('.stage:not([hidden]) .graph').viewBox.baseVal.width"
        players.click(".neuron.active")
        first = players.run(width)
        boxes = "[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .box:not(.aside)')]"
        players.wait(
            f"{boxes}.every(b => (r => r.left >= 0 && r.right <= innerWidth)(b.getBoundingClientRect())) && {width} < {first}"
        )
        players.click(".whole")
        players.still()
        assert players.run(width) > first - 1

    def test_zoom_by_keys_buttons_wheel_and_two_fingers(self, players: Players) -> None:
        players.show(neuron())
        width = "find('.graph').viewBox.baseVal.width"
        whole = players.run(width)
        players.press("+")
        assert players.run(width) == pytest.approx(whole / 1.25, rel=0.01)
        players.click(".farther", ".closer", ".closer")
        assert players.run(width) == pytest.approx(whole / 1.25**2, rel=0.01)
        x, y = players.browser.middle(f"{HOST} >>> .stage")
        players.browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-100)
        players.wait(f"{width} < {0.99 * whole / 1.25**2}")
        players.press("0")
        players.wait(f"Math.abs({width} - {whole}) < 1")
        y += 90  # a place without a box
        players.touch([(x - 40, y), (x + 40, y)], [(x - 60, y), (x + 60, y)], [(x - 80, y), (x + 80, y)])
        players.wait(f"{width} < {0.7 * whole}")

    def test_the_picture_is_dragged(self, players: Players) -> None:
        players.show(neuron())
        left = "find('.graph').viewBox.baseVal.x"
        players.still()
        players.press("0", "+", "+")
        players.wait(f"{left} > 100")
        before = players.run(left)
        x, y = players.browser.middle(f"{HOST} >>> .stage")
        y += 90  # a place without a box
        send = players.browser.call
        send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        send("Input.dispatchMouseEvent", type="mouseMoved", x=x + 100, y=y, button="left", buttons=1)
        send("Input.dispatchMouseEvent", type="mouseReleased", x=x + 100, y=y, button="left", clickCount=1)
        players.wait(f"{left} < {before}")


class TestChanging:
    """Every leaf by typing, keys, slider, dragging and touch: the page shows the graph at the new numbers."""

    def agrees(self, players: Players, loss: Value, **leaves: float) -> None:
        """Check that the page shows what Python computes at these leaves."""
        other = at(loss, **leaves)
        players.still()
        seen, plan = players.seen(), draw(other, step=players.place)
        assert [box[0] for box in seen["boxes"]] == [[line.text for line in node.lines] for node in plan.nodes]
        assert seen["live"] == str(walk(other)[players.place])

    def test_every_leaf_has_a_labelled_field_from_the_start(self, players: Players) -> None:
        players.show(neuron())
        fields = "[...host.shadowRoot.querySelectorAll('.leaf .field')].map(f => [f.labels[0].innerText, f.type, f.value])"
        assert players.run(fields) == [["w", "text", "0.5"], ["x", "text", "2"], ["b", "text", "-0.4"]]

    @pytest.mark.parametrize("place", [0, 3, 7, 9])
    def test_typing(self, players: Players, place: int) -> None:
        players.show(neuron())
        players.run(f"player.goto({place})")
        players.run("find('.leaf .field').focus(), find('.leaf .field').select()")
        players.browser.type("-1.2500")
        self.agrees(players, neuron(), w=-1.25)
        assert players.place == place
        assert players.run("find('.leaf .field').value") == "-1.2500", "the typed text stays as it is"

    def test_arrow_keys_and_slider(self, players: Players) -> None:
        players.show(neuron())
        players.run("player.goto(9)")
        players.run("find('.leaf .field').focus()")
        players.press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown")
        assert players.run("player.value('w')") == pytest.approx(0.52)
        players.still()
        assert players.run("find('.leaf .field').value") == "0.52"
        self.agrees(players, neuron(), w=players.run("player.value('w')"))
        players.click(".leaf .range")
        players.press("ArrowRight")
        assert players.run("player.value('w')") == pytest.approx(0.005)
        self.agrees(players, neuron(), w=players.run("player.value('w')"))

    @pytest.mark.parametrize("handle", [".leaf .name span", '.box[data-nodes="0"]'])
    def test_dragging_a_name_or_a_box(self, players: Players, handle: str) -> None:
        players.show(neuron())
        players.drag(handle, 40)
        assert players.run("player.value('w')") == pytest.approx(0.7)
        assert players.place == 0
        self.agrees(players, neuron(), w=players.run("player.value('w')"))

    def test_a_finger_on_a_box(self, players: Players) -> None:
        players.show(neuron())
        x, y = players.browser.middle(f'{HOST} >>> .box[data-nodes="0"]')
        players.touch([(x, y)], [(x + 10, y)], [(x + 20, y)])
        assert players.run("player.value('w')") == pytest.approx(0.6)

    def test_dragging_a_weight(self, players: Players) -> None:
        loss = network()
        players.show(loss)
        steps = walk(loss)
        v = next(x for x in steps.names if x.label == "v")
        key = next(f"{steps.notation.places[node]}.0" for node in steps.order if v in node.inputs)
        players.drag(f'.label[data-weighs="{key}"] text', 40)
        assert players.run("player.value('v')") == pytest.approx(v.data + 40 * 0.005)
        assert players.run("player.value('w')") == 0.5

    def test_reset(self, players: Players) -> None:
        players.show(neuron())
        players.run("player.set({w: 3, b: 1})")
        players.click(".reset")
        self.agrees(players, neuron())

    def test_outside_a_domain_the_row_says_so(self, players: Players) -> None:
        x = Value(2.0, label="x")
        players.show(log(x) * 3)
        players.press("End")
        players.run("player.set({x: -2})")
        players.still()
        seen = players.seen()
        assert "log(-2.0) is undefined: log needs x > 0 (v1)" in seen["problem"]
        assert seen["boxes"] == [[["x = -2"], "faint"], [["v1", "log(x)"], "active"], [["loss", "v1·3"], "faint"]]
        players.run("player.set({x: 2})")
        players.still()
        assert players.seen()["problem"] == ""
        assert players.seen()["boxes"][0][0] == ["x = 2", "∂x = 1.5"]

    def test_the_case_and_its_reason_follow_the_numbers(self, players: Players) -> None:
        x, y = Value(3.0, label="x"), Value(2.0, label="y")
        players.show(maximum(x, y) * 2)
        players.press("End")
        assert "∂v1/∂x = 1, since x > y" in players.seen()["card"]
        players.run("player.set({x: 1})")
        players.still()
        assert "∂v1/∂x = 0, since x ≤ y" in players.seen()["card"]
        assert "not taken" in players.seen()["card"]

    def test_a_row_that_computes_something_else_stops_the_page(self, players: Players) -> None:
        html = play(neuron()).html
        key = html.index('"tanh": {')
        broken = html[:key] + html[key:].replace("math.tanh", "math.sin", 1)
        players.path.write_text(broken.replace("Content-Security-Policy", "x"), encoding="utf-8")
        players.browser.open(players.path)
        assert "it stays still: tanh gives 0.5646" in players.seen()["problem"]
        assert players.run("find('.bar').hidden")
        assert players.run("getComputedStyle(find('.text')).display") == "block"

    def test_a_row_without_javascript_leaves_the_page_still_and_complete(self, players: Players) -> None:
        wave = Unary("wave", lambda x: __import__("math").sin(x), lambda x, out: cos(x))
        players.show(wave(Value(1.0, label="x")))
        assert "the row 'wave' cannot be computed in a page" in players.seen()["problem"]
        assert "loss = wave(x)" in players.run("find('.text').innerText")
        assert players.run("find('.desk').hidden")


class TestLearning:
    def test_a_step_of_gradient_descent(self, players: Players) -> None:
        loss = neuron()
        players.show(loss)
        gradients = {x.label: g for x, g in walk(loss).gradients.items() if x.label in ("w", "x", "b")}
        players.click(".learn")
        assert players.run("player.value('w')") == pytest.approx(0.5 - 0.1 * gradients["w"], rel=1e-12)
        assert players.run("player.value('b')") == pytest.approx(-0.4 - 0.1 * gradients["b"], rel=1e-12)
        players.wait("player.value('x') === 2 && find('.losses').textContent.endsWith(', 1 step')")
        typed = "(find('.rate').value = text, find('.rate').dispatchEvent(new Event('input')), find('.rate').ariaInvalid)"
        assert players.run(f"['0.1.', '0.01'].map((text) => {typed})") == ["true", "false"]
        players.click('.leaf:nth-child(2) input[type="checkbox"]')
        slope = players.run("player.gradient('x')")
        players.click(".learn")
        assert players.run("player.value('x')") == pytest.approx(2 - 0.01 * slope, rel=1e-12)
        players.still()
        assert "2 steps" in players.run("find('.losses').textContent")
        assert len(players.run("find('.curve polyline').getAttribute('points')").split()) == 3

    def test_train_repeats_until_it_is_stopped(self, players: Players) -> None:
        players.show(neuron())
        first = players.run("player.value('loss')")
        players.click(".train")
        players.wait(f"player.value('loss') < {first / 10}")
        players.click(".train")
        players.still()
        later = players.run("player.value('loss')")
        players.still()
        assert players.run("player.value('loss')") == later

    @pytest.mark.parametrize("powers", [(2, 4), (4, 2), (1, 2), (2, 1)])
    def test_examples_may_have_different_numbers_of_steps(self, powers: tuple[int, int], players: Players) -> None:
        a = Value(2.0, label="a")
        first, second = (reduce(mul, [a] * n) for n in powers)
        players.show([first, second])
        players.press("End")
        players.run(SECOND)
        players.press("End")
        assert players.run("player.step") == max(len(walk(second)) - 1, 0)
        assert players.run("find('.slider').max") == str(max(len(walk(second)) - 1, 0))
        assert ("Backward" in players.seen()["card"]) == (len(walk(second)) > 0)

    def test_a_result_that_is_a_leaf_can_be_pointed_at(self, players: Players) -> None:
        players.show(Value(3.0, label="a"))
        players.click(".box")
        players.browser.point(f"{HOST} >>> .values")
        players.press("ArrowRight", "p", "p", "End", " ")
        assert "a = 3" in players.seen()["ledger"]

    def test_each_example_says_where_it_has_no_value(self, players: Players) -> None:
        x, y = Value(2.0, label="x"), Value(3.0, label="y")
        players.show([x * 2, log(y) * x])
        players.run("player.set({y: -1})")
        assert players.seen()["problem"] == ""
        players.run(SECOND)
        assert players.seen()["problem"].startswith("log(-1.0) is undefined")

    def test_a_name_means_the_leaf_of_the_example_that_is_shown(self, players: Players) -> None:
        w = Value(1.0, label="w")
        players.show([w * Value(2.0, label="x"), w * Value(3.0, label="x")], address="#example=2&x=5")
        assert players.run("[player.value('x'), find('.example').value]") == [5, "1"]
        players.run("player.set({x: 7})")
        assert players.run("player.value('loss')") == 7
        players.run(SECOND.replace("'1'", "'0'"))
        assert players.run("player.value('loss')") == 2

    def test_several_examples_learn_by_the_mean_of_their_gradients(self, players: Players) -> None:
        w, b = Value(0.5, label="w"), Value(0.0, label="b")
        losses: list[Value] = [(tanh(dot([w], [x], b)) - t) ** 2 for x, t in ((1.0, 1.0), (2.0, 0.5), (-1.0, -1.0))]
        players.show(losses)
        mean = sum(walk(loss).gradients[w] for loss in losses) / 3
        players.click(".learn")
        assert players.run("player.value('w')") == pytest.approx(0.5 - 0.1 * mean, rel=1e-12)
        players.click(".reset")
        players.run(SECOND)
        assert players.run("player.value('loss')") == losses[1].data
        players.press("End")
        assert players.run("player.gradient('w')") == pytest.approx(walk(losses[1]).gradients[w])
        plan = draw(losses[1], step=-1, view="neurons")
        assert [box[0] for box in players.seen()["boxes"]] == [
            [line.text for line in node.lines] for node in plan.nodes if node.places
        ]
