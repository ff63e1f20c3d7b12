"""The live player in a real browser: predictions, mistakes, other pages and scripts, paper, and windows of every size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from browser import find
from players import HOST, STEPS, Players, at
from test_player import HOSTILE, layers, network, neuron, shared

from autograd import Value, tanh, walk
from autograd.player import play
from autograd.steps import Mistake

pytestmark = pytest.mark.slow  # needs a browser: run by `.ci/run pictures`


class TestPredicting:
    def test_nothing_is_shown_until_it_is_revealed(self, players: Players) -> None:
        players.show(neuron())
        players.press(*["ArrowRight"] * 7)
        players.click(".predict")
        asking = players.seen()
        assert "0.65885" not in json.dumps([asking[part] for part in ("boxes", "labels", "card", "ledger", "live", "dots")])
        assert "∂out/∂v2 = 1 - out²" in asking["card"]
        assert players.focus() == "your prediction: local derivative ∂out/∂v2", "the cursor is where the answer belongs"
        players.browser.type("0.71")
        players.press("Tab")
        players.browser.type("-0.66")
        players.press("Enter")
        card = players.seen()["card"]
        assert "✓ 0.71 is right" in card
        assert "✓ -0.66 is right" in card
        assert players.seen()["boxes"][4][0] == ["v2 = 0.6", "v1 + b", "∂v2 = -0.65885"]
        assert players.focus() == "Next step"
        assert players.run("find('.score').textContent") == "2 of 2 right"

    def test_next_reveals_first(self, players: Players) -> None:
        players.show(neuron())
        players.click(".predict", ".next")
        assert (players.place, "0.5·2" in players.seen()["card"]) == (0, True)
        players.press("ArrowRight")
        assert (players.place, "0.6" in players.seen()["card"]) == (1, False)
        players.click(".last")
        assert "-1.3177" not in players.seen()["card"]
        players.click(".predict")
        assert "-1.3177" in players.seen()["card"]

    def test_a_field_keeps_its_own_keys(self, players: Players) -> None:
        players.show(neuron())
        players.press("ArrowRight")
        players.click(".predict", ".guess")
        players.press("ArrowLeft", "Home", " ", "ArrowRight")
        assert players.place == 1
        assert players.run("find('.play').ariaLabel") == "Play"

    @pytest.mark.parametrize(
        ("x", "answer", "verdict"),
        [(0.0, "0", "✓"), (0.0, "0.01", "✗"), (-2.0, "−4", "✓"), (2.5, "5,0", "✓"), (2.5, "5.1", "✗"), (2.5, "five", "✗"),
         (0.25, "1/2", "✓"), (0.25, ",5", "✓"), (-0.25, "-1/2", "✓"), (0.25, "1/0", "✗"),
         (float("inf"), "∞", "✓"), (float("inf"), "-inf", "✗"), (float("nan"), "NaN", "✓"), (float("nan"), "1", "✗")],
    )  # fmt: skip
    def test_which_answers_count_as_right(self, players: Players, x: float, answer: str, verdict: str) -> None:
        players.show(Value(x, label="x") * 2)
        players.click(".predict", ".guess")
        players.browser.type(answer)
        players.press("Enter")
        assert verdict in players.seen()["card"]

    @pytest.mark.parametrize(("answer", "hint"), [
        ("1.3177", "the sign"), ("-0.65885", "the local derivative 2 is missing"),
        ("2", "the upstream gradient -0.65885 is missing"), ("1.3412", "multiply, do not add"),
        ("-0.3294", "that flows to the other operand"),
    ])  # fmt: skip
    def test_a_wrong_answer_gets_a_hint(self, players: Players, answer: str, hint: str) -> None:
        players.show(neuron())
        players.press("End")
        players.click(".predict", '[data-edge="2.0"] td:nth-child(3) .guess')
        players.browser.type(answer)
        players.press("Enter")
        assert f"✗ not {answer}: {hint}" in players.seen()["card"]

    def test_questions_may_ask_only_for_signs(self, players: Players) -> None:
        players.show(neuron())
        players.press("End")
        players.click(".predict")
        players.run("find('.asks').value = 'signs', find('.asks').dispatchEvent(new Event('change'))")
        players.click(
            '[data-edge="2.0"] td:nth-child(3) [data-sign="-"]', '[data-edge="2.1"] td:nth-child(3) [data-sign="+"]', ".reveal"
        )
        card = players.seen()["card"]
        assert "✓ - is right" in card
        assert "✗ not +" in card
        assert players.run("find('.score').textContent") == "1 of 2 right"


class TestMistakes:
    def test_side_by_side(self, players: Players) -> None:
        players.show(shared())
        players.click('[data-mistake="recursion"] summary')
        players.wait("find('[data-mistake=recursion] .wrong .box')")
        look = """['right', 'wrong'].map(kind => {
            const run = find(`[data-mistake=recursion] .${kind}`), box = run.querySelector('.box.active');
            const at = run.getBoundingClientRect();
            return [box.querySelector('[data-gradient]').textContent, at.x, at.y, run.querySelector('.card').innerText];
        })"""
        (right, x, y, card), (wrong, x_wrong, y_wrong, card_wrong) = players.run(look)
        assert (right, wrong) == ("∂v1 = 8", "∂v1 so far = 3")
        assert x < x_wrong
        assert y == y_wrong
        assert "1 + 16 = 17" in card
        assert "1 + 6 = 7" in card_wrong
        assert walk(shared(), mistake="recursion").difference in card_wrong
        assert players.place == 0, "the player itself stays where it is"

    def test_they_follow_the_numbers(self, players: Players) -> None:
        players.show(shared())
        players.run("player.set({a: 3})")
        players.still()
        shown = players.run("find('[data-mistake=overwrite] .difference').textContent")
        assert shown == walk(at(shared(), a=3.0), mistake="overwrite").difference + "."

    def test_only_those_that_change_something_are_offered(self, players: Players) -> None:
        players.show(neuron())
        harmful = [name for name in get_args(Mistake) if walk(neuron(), mistake=name).difference]
        entries = "[...host.shadowRoot.querySelectorAll('[data-mistake]')]"
        offered = f"{entries}.filter(each => each.checkVisibility()).map(each => each.dataset.mistake)"
        assert players.run(offered) == harmful
        idle = ", ".join(name for name in get_args(Mistake) if name not in harmful)
        harmless = players.run("find('.harmless').innerText")
        assert harmless == f"They would change nothing on this graph at these numbers: {idle}."
        players.run("player.set({w: 0})")
        players.still()
        harmful = [name for name in get_args(Mistake) if walk(at(neuron(), w=0.0), mistake=name).difference]
        assert players.run(offered) == harmful

    @pytest.mark.parametrize("mistake", get_args(Mistake))
    def test_each_is_computed_live_beside_the_right_run(self, players: Players, mistake: Mistake) -> None:
        a, b = Value(2.0, label="a"), Value(0.3, label="b")
        square = a * a
        loss = (1 - tanh(b * (square * 0.1))) * b + square * 3 + square * 5 + a
        players.show(loss)
        players.click(f'[data-mistake="{mistake}"] summary')
        for value in (2.0, 0.7):
            players.run(f"player.set({{a: {value}}})")
            players.still()
            wrong = walk(at(loss, a=value), mistake=mistake)
            step, backward = wrong[-1], [step for step in walk(at(loss, a=value)) if step.phase == "backward"]
            [right] = [each for each in backward if each.name == step.name]
            right_card, wrong_card = players.run(
                f"['right', 'wrong'].map(kind => find(`[data-mistake={mistake}] .${{kind}} .card`).innerText)"
            )
            assert players.run(f"find('[data-mistake={mistake}] .difference').textContent") == f"{wrong.difference}."
            assert wrong.difference in wrong_card
            assert wrong.difference not in right_card
            for edge in step.edges:
                assert f"{edge.slope} = {edge.case}" in wrong_card
                assert edge.addition in wrong_card
            assert all(edge.addition in right_card for edge in right.edges)


class TestNewcomers:
    LOOK = "[find('.advice').innerText, [...host.shadowRoot.querySelectorAll('.slope')].map(e => e.textContent)]"

    def test_advice_names_the_weight_to_change_first(self, players: Players) -> None:
        players.show(neuron())
        assert players.run(self.LOOK) == ["", ["", "", ""]], "nothing has flowed yet"
        players.press("End", "ArrowLeft")
        assert players.run(self.LOOK) == ["", ["", "", "∂ -0.65885"]]
        players.press("End")
        advice = "To lower loss, raise w first: its gradient, -1.3177, is the largest in size."
        assert players.run(self.LOOK) == [advice, ["∂ -1.3177", "∂ -0.32943", "∂ -0.65885"]]
        players.run("player.set({w: 2})")
        players.still()
        right = walk(at(neuron(), w=2.0))
        largest = max((right.gradients[x] for x in right.names if x.label in ("w", "b")), key=abs)
        assert f"its gradient, {right.notation.number(largest)}, is the largest in size" in players.run(self.LOOK)[0]
        w = Value(1e308, label="w")
        players.show(w * 10 - w * w)
        players.press("End")
        assert players.run(self.LOOK) == ["", ["∂ -∞"]], "there is no advice for a loss of NaN"

    def test_advice_does_not_answer_a_question(self, players: Players) -> None:
        players.show(neuron())
        players.press("End", "p")
        assert players.run(self.LOOK) == ["", ["", "", "∂ -0.65885"]]

    def test_the_legend_explains_delta_where_it_occurs(self, players: Players) -> None:
        players.show(layers(2, 3, 1))
        assert "∂loss/∂z, with respect to its net input z" in players.run("find('.legend').innerText")
        players.show(neuron())
        assert "δ" not in players.run("find('.legend').innerText")


class TestInOtherPages:
    def test_a_script_sets_numbers_and_reads_them_at_once(self, players: Players) -> None:
        players.show(neuron())
        right = walk(at(neuron(), w=0.7))
        found = players.run("(player.set({w: 0.7}), [player.value('loss'), player.gradient('w'), player.step, player.steps])")
        assert found == pytest.approx(
            [right.loss.data, next(g for x, g in right.gradients.items() if x.label == "w"), 0, STEPS]
        )

    def test_the_event_change_carries_step_and_loss(self, players: Players) -> None:
        players.show(neuron())
        players.run("(window.heard = [], host.addEventListener('change', e => heard.push(e.detail)))")
        players.run("(player.goto(7), player.set({w: 0.7}))")
        assert [detail["step"] for detail in players.browser.run("heard")] == [7, 7]
        assert players.browser.run("heard[1].loss") == players.run("player.value('loss')")

    @pytest.mark.parametrize(("script", "words"), [
        ("player.set({nobody: 1})", "RangeError: no leaf is called nobody; the leaves are w, x, b"),
        ("player.value('nobody')", "RangeError: no node is called nobody; the nodes are w, x, v1, b, v2, out, v3, loss"),
        ("player.set({w: '1'})", "TypeError: w needs a number, not 1"),
        ("player.goto('end')", "TypeError: a step and a part of it are numbers, not end"),
        ("player.seek(1, NaN)", "TypeError: a step and a part of it are numbers, not NaN"),
    ])  # fmt: skip
    def test_mistakes_of_a_script_are_named(self, players: Players, script: str, words: str) -> None:
        players.show(neuron())
        assert players.run(f"(() => {{ try {{ {script}; }} catch (error) {{ return String(error); }} }})()") == words
        assert players.place == 0

    def test_full_and_short_names_are_understood(self, players: Players) -> None:
        players.show(layers(2, 2, 1))
        players.run("player.set({'layer1.neuron0.w1': 0.25})")
        assert players.run("player.value('w⁽¹⁾₀₁')") == 0.25

    def test_the_address_sets_the_state_and_follows_it(self, players: Players) -> None:
        players.show(neuron(), address="#step=7&w=0.75")
        assert (players.place, players.run("player.value('w')")) == (7, 0.75)
        players.browser.run("location.hash = '#step=3&b=1/2'")
        players.wait("player.step === 3")
        assert players.run("[player.value('w'), player.value('b')]") == [0.5, 0.5]  # the address no longer names w
        players.run("player.set({x: 1.5})")
        players.press("ArrowRight")
        players.wait("location.hash.includes('step=4') && location.hash.includes('x=1.5')")
        players.show(layers(2, 2, 1), address="#view=nodes")
        players.press("ArrowRight")
        players.wait("location.hash === '#step=1&view=nodes'")
        players.click("[data-shows=neurons]")
        players.wait("location.hash === '#step=1'")

    def test_a_player_that_was_taken_out_rests_until_it_is_put_back(self, players: Players) -> None:
        players.show(neuron(), neuron())
        players.click(".train")
        count = "host.addEventListener('change', () => host.changes++)"
        players.run(f"(window.taken = host, host.changes = 0, {count}, host.remove())")
        players.still()
        count = "new Promise(done => setTimeout((before => done(taken.changes - before)), 300, taken.changes))"
        assert players.browser.run(count) == 0
        players.browser.run("document.body.append(taken)")
        assert players.browser.run(count) > 0

    def test_going_back_in_the_history_brings_the_state_back(self, players: Players) -> None:
        losses = [neuron(), neuron() * 2]
        state = "[player.step, player.value('w'), find('.example').value]"
        players.show(losses)
        players.browser.run("location.hash = '#step=7&w=0.75'")
        players.wait("player.step === 7")
        players.browser.run("new Promise(done => setTimeout(done, 400))")  # the page has written its address
        players.browser.run("location.hash = '#step=3&example=2'")
        players.wait("player.step === 3")
        assert players.run(state) == [3, 0.5, "1"]
        players.browser.run("new Promise(done => setTimeout(done, 400))")
        players.browser.run("history.back()")
        players.wait("player.step === 7")
        assert players.run(state) == [7, 0.75, "0"]
        players.browser.run("location.hash = ''")
        players.wait("player.step === 0")
        assert players.run(state) == [0, 0.5, "0"]

    def test_a_leaf_may_be_named_like_a_part_of_the_address(self, players: Players) -> None:
        players.show(Value(1.0, label="step") * Value(2.0, label="w"))
        players.run("player.set({step: 9, w: 3})")
        players.press("ArrowRight")
        players.wait("location.hash === '#step=1&w=3'")
        players.browser.run("location.hash = '#step=0'")
        players.wait("player.value('w') === 2")
        assert players.run("player.value('step')") == 9

    def test_any_name_comes_back_from_the_address(self, players: Players) -> None:
        name = "a b+c=1&é"
        players.show(Value(1.0, label=name) * 2)
        players.run(f"player.set({{{name!r}: 1e300}})")
        players.wait("location.hash.includes('300')")
        address = players.browser.run("location.hash")
        players.show(Value(1.0, label=name) * 2, address=address)
        assert players.run(f"player.value({name!r})") == 1e300

    def test_nonsense_in_the_address_is_ignored(self, players: Players) -> None:
        players.show(neuron(), address="#step=many&w=heavy&example=9&nobody=1&view=upside")
        assert (players.place, players.run("player.value('w')")) == (0, 0.5)

    def test_two_players_are_independent(self, players: Players) -> None:
        players.show(neuron(), neuron())
        players.click(".next", player=2)
        players.press("ArrowRight", "ArrowRight")
        assert (players.seen(0)["place"], players.seen(1)["place"]) == (0, 3)
        players.click(".last")
        players.press("ArrowLeft")
        assert (players.seen(0)["place"], players.seen(1)["place"]) == (8, 3)
        players.run("player.set({w: 2})")
        assert players.browser.run(f"document.querySelectorAll('{HOST}')[1].player.value('w')") == 0.5
        players.browser.run("document.activeElement.blur()")
        players.press("ArrowRight")
        assert (players.seen(0)["place"], players.seen(1)["place"]) == (8, 3), "keys pressed outside of both are for neither"

    def test_it_starts_once_as_a_notebook_inserts_it(self, players: Players) -> None:
        players.show(neuron(), shared())
        players.browser.run(f"""for (const html of {json.dumps([play(shared())._repr_html_()] * 2)}) {{
            const output = document.body.appendChild(document.createElement("div"));
            output.innerHTML = html;
            for (const inert of output.querySelectorAll("script")) {{
                const script = document.createElement("script");
                for (const {{name, value}} of inert.attributes) script.setAttribute(name, value);
                script.textContent = inert.textContent;
                inert.replaceWith(script);
            }}
        }}""")
        players.browser.click(f"body > div:last-child {HOST} >>> .next")
        assert [players.seen(i)["place"] for i in range(4)] == [0, 0, 0, 1]
        listening = players.browser.call(
            "DOMDebugger.getEventListeners",
            objectId=players.browser.call("Runtime.evaluate", expression=find(f"{HOST} >>> .next"))["result"]["objectId"],
        )["listeners"]
        assert [listener["type"] for listener in listening] == ["click"], "no script starts a player a second time"

    def test_the_styles_of_the_page_do_not_reach_it(self, players: Players) -> None:
        players.show(neuron(), neuron())
        players.browser.run(
            "document.head.appendChild(document.createElement('style')).textContent = 'table, p {display: none !important}'"
        )
        assert players.run("getComputedStyle(find('.card table')).display") == "table"

    def test_it_runs_in_a_frame_of_another_page(self, players: Players, tmp_path: Path) -> None:
        play(neuron()).save(tmp_path / "neuron.html")
        outer = tmp_path / "outer.html"
        outer.write_text('<!doctype html><iframe src="neuron.html#step=7&w=0.75" width="600" height="400"></iframe>')
        players.browser.open(outer, width=800, height=600)
        players.still()
        assert players.browser.run("frames.length") == 1
        assert not players.browser.complaints
        players.browser.events.clear()

    def test_it_fits_a_small_frame(self, players: Players) -> None:
        players.show(neuron(), address="#compact", width=420, height=300)
        assert players.run("find('.stages').getBoundingClientRect().height") > 100
        assert players.run("find('.bar').getBoundingClientRect().bottom") <= 300
        for address, display in (("step=2", "block"), ("compact", "none")):
            players.browser.run(f"new Promise(done => {{ onhashchange = () => done(); location.hash = '{address}'; }})")
            assert players.run("getComputedStyle(find('.mistakes')).display") == display


class TestSafety:
    def test_a_label_is_shown_and_not_run(self, players: Players) -> None:
        players.show(Value(1.0, label=HOSTILE) * Value(2.0, label="</script><script>alert(2)</script>"))
        players.press("End")
        assert any(HOSTILE[:9] in box[0][0] for box in players.seen()["boxes"])
        assert HOSTILE in players.seen()["card"]
        assert not [event for event in players.browser.events if event.get("method") == "Page.javascriptDialogOpening"]

    def test_without_scripts_picture_and_text_are_there(self, players: Players) -> None:
        players.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            players.show(neuron())
            shown = "e => e.checkVisibility({visibilityProperty: true})"
            for selector, visible in ((".box text", True), (".text", True), (".bar", False), (".desk", False)):
                assert players.browser.run(f"({shown})({find(f'{HOST} >>> {selector}')})") is visible
            assert "out = tanh(v2) = tanh(0.6) = 0.53705" in players.browser.run(find(f"{HOST} >>> .text") + ".innerText")
        finally:
            players.browser.call("Emulation.setScriptExecutionDisabled", value=False)


class TestForEveryone:
    def test_everything_that_can_be_used_has_a_role_and_a_name(self, players: Players) -> None:
        players.show(network())
        players.click(".predict")
        nodes = players.browser.call("Accessibility.getFullAXTree")["nodes"]
        used = [
            (node["role"]["value"], node["name"]["value"])
            for node in nodes
            if not node["ignored"] and any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
        ]
        for wanted in (("slider", "Step"), ("textbox", "your prediction: value of v1"), ("button", "Reveal"),
                       ("slider", "w, slider"),
                       ("checkbox", "learn w"), ("textbox", "w"), ("button", "Train")):  # fmt: skip
            assert wanted in used
        assert all(name for role, name in used if role not in ("generic", "RootWebArea"))

    def test_only_arrows_still_to_come_are_dashed(self, players: Players) -> None:
        players.show(shared())
        looks = """[...host.shadowRoot.querySelectorAll(".stages .arrow")].map((arrow) => {
            const style = getComputedStyle(arrow.querySelector("path"));
            return [arrow.matches(".faint"), style.strokeDasharray].join(" ");
        })"""
        found = set()
        for _ in walk(shared()):
            found |= set(players.run(looks))
            players.press("ArrowRight")
        assert found == {"true 3px, 3px", "false none"}

    def test_nothing_moves_where_reduced_motion_is_preferred(self, players: Players) -> None:
        players.show(neuron())
        players.click(".last", ".previous", ".next")
        assert players.seen()["dots"] == []

    def test_dots_move_otherwise(self, players: Players) -> None:
        players.show(neuron(), motion="no-preference")
        players.click(".last", ".previous", ".next")
        assert len(players.seen()["dots"]) == 2
        players.wait("!find('.dot:not(.off)')")
        assert players.seen()["boxes"][0][0] == ["w = 0.5", "∂w = -1.3177"]

    def test_colours_follow_the_preferred_scheme(self, players: Players) -> None:
        for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 25, 29)")):
            players.show(neuron(), prefers_color_scheme=scheme)
            assert players.run("getComputedStyle(find('.player')).backgroundColor") == colour

    def test_a_notebooks_own_theme_takes_precedence(self, players: Players) -> None:
        players.show(neuron(), prefers_color_scheme="dark")
        players.browser.run("document.body.dataset.jpThemeLight = 'true'")
        assert players.run("getComputedStyle(find('.player')).backgroundColor") == "rgb(255, 255, 255)"

    def test_paper_has_the_whole_graph_every_gradient_and_every_step(self, players: Players) -> None:
        players.show(neuron())
        players.run("player.set({w: 1})")
        players.browser.call("Emulation.setEmulatedMedia", media="print")
        players.browser.run("dispatchEvent(new Event('beforeprint'))")
        assert players.run("find('.text').textContent") == "\n".join(map(str, walk(at(neuron(), w=1.0))))
        assert all(len(lines) >= 2 for lines, _ in players.seen()["boxes"])
        shown = "getComputedStyle(find('{}')).display"
        assert [players.run(shown.format(part)) for part in (".bar", ".desk", ".text")] == ["none", "none", "block"]
        players.browser.run("dispatchEvent(new Event('afterprint'))")
        assert players.place == 0

    @pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720), (1920, 1080)])
    @pytest.mark.parametrize("make", [shared, network])
    def test_it_fits_windows_of_every_size(self, players: Players, make: Any, width: int, height: int) -> None:
        players.show(make(), width=width, height=height)
        for key in ["Home"] + ["ArrowRight"] * (len(walk(make())) // 2):  # from the left of the picture to its right
            players.press(key)
            players.still()
            assert players.browser.run("document.documentElement.scrollWidth") <= width
            assert players.run("""(() => {
                const stage = find(".stages > .stage:not([hidden])").getBoundingClientRect();
                const box = find(".stages > .stage:not([hidden]) .box.active").getBoundingClientRect();
                return box.left >= stage.left - 1 && box.right <= stage.right + 1 && box.height >= 20;
            })()""")
        assert players.run("""[...host.shadowRoot.querySelectorAll(".bar button")].filter(b => b.checkVisibility())
            .map(b => b.getBoundingClientRect()).every(r => r.width >= 40 && r.height >= 40)""")
        if width >= 1280:
            assert players.run("find('.card').getBoundingClientRect().top") < height - 100

    def test_the_card_is_at_the_right_where_that_enlarges_the_picture(self, players: Players) -> None:
        players.show(layers(2, 8, 1), width=1920, height=720)
        players.still()
        assert (
            players.run("find('.card').getBoundingClientRect().left")
            > players.run("find('.stages').getBoundingClientRect().right") - 1
        )
        assert players.run("find('.stages').getBoundingClientRect().height") > 600
        players.show(neuron(), width=1920, height=720)
        card, bar = (players.run(f"find('{part}').getBoundingClientRect().top") for part in (".card", ".bar"))
        assert card > bar

    def test_lecture_mode_leaves_the_picture_and_the_step_in_large_type(self, players: Players) -> None:
        players.show(layers(2, 3, 1), width=1280, height=720)
        size = "parseFloat(getComputedStyle(find('.card td')).fontSize)"
        before = players.run(size)
        players.press("l")
        assert players.run(size) > 1.3 * before
        assert players.run("[find('.values'), find('.ledger'), find('.mistakes')].every(part => !part.checkVisibility())")
        players.run("player.goto(player.steps / 2 + 3)")  # the output neuron, with seven rows
        assert players.run("find('.card tr:nth-child(7) td') !== null")
        assert players.run("find('.desk > div').scrollHeight <= find('.desk > div').clientHeight")
        players.press("l")
        assert players.run("find('.values').checkVisibility()")

    def test_a_map_shows_the_place_in_a_long_chain(self, players: Players) -> None:
        y = Value(0.5, label="x")
        for i in range(30):
            y = y * Value(0.9, label=f"w{i}") + 0.1
        players.show(y, width=1280, height=720)
        players.still()
        place = "find('.map .window').x.baseVal.value"
        first = players.run(place)
        players.press("End", "Home", *["ArrowRight"] * 40)
        players.still()
        assert players.run(place) > first
        players.browser.click(f"{HOST} >>> .map")
        players.wait("Math.abs(find('.graph').viewBox.baseVal.x + find('.graph').viewBox.baseVal.width / 2"
                   " - find('.map').viewBox.baseVal.width / 2) < 30")  # fmt: skip
        players.show(neuron(), width=1280, height=720)
        players.still()
        assert players.run("find('.map').hasAttribute('hidden')")
