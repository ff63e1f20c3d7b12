"""Every control of the live player, used by mouse, by finger and by keyboard, in a real browser."""

from __future__ import annotations

import pytest
from players import HOST, Players
from test_player import layers, network, neuron

from autograd import Value, tanh

pytestmark = pytest.mark.slow  # needs a browser: run by `.ci/run pictures`

WIDTH = "find('.stage:not([hidden]) .graph').viewBox.baseVal.width"
CONTROLS = {  # for each control, a script to run first, and the state that it changes
    ".first": ("player.goto(3)", "player.step"),
    ".previous": ("player.goto(3)", "player.step"),
    ".next": ("", "player.step"),
    ".last": ("", "player.step"),
    ".play": ("", "find('.play').ariaLabel"),
    ".slider": ("", "player.step"),
    ".predict": ("", "find('.predict').ariaPressed"),
    ".reveal": ("find('.predict').click()", "find('.reveal').hidden"),
    "[data-shows=nodes]": ("", "find('[data-shows=nodes]').ariaPressed"),
    ".whole": ("find('.neuron').dispatchEvent(new Event('click'))", "find('.whole').hidden"),
    ".closer": ("", WIDTH),
    ".farther": ("find('.closer').click()", WIDTH),
    ".fit": ("find('.closer').click()", WIDTH),
    ".large": ("", "find('.large').ariaPressed"),
    ".full": ("", "document.fullscreenElement !== null"),
    ".learn": ("", "player.value('loss')"),
    ".train": ("", "find('.train').ariaPressed"),
    ".reset": ("player.set({v: 3})", "player.value('v')"),
    ".leaf .range": ("", "player.value('w')"),
    ".leaf input[type=checkbox]": ("", "find('.leaf input[type=checkbox]').checked"),
    "details:not([hidden]) summary": ("", "find('details:not([hidden])').open"),
    ".neuron.active": ("", "find('.player').querySelector('[data-shows=nodes]').ariaPressed"),
}


def reach(players: Players, selector: str) -> None:
    """Press the Tab key until a control has the focus."""
    for _ in range(100):
        players.press("Tab")
        if players.run(f"host.shadowRoot.activeElement?.matches({selector!r}) ?? false"):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")


def tap(players: Players, selector: str) -> None:
    """Tap the middle of an element with a finger."""
    players.touch([players.browser.middle(f"{HOST} >>> {selector}")])


class TestEveryControl:
    @pytest.mark.parametrize("by", ["mouse", "finger", "keyboard"])
    @pytest.mark.parametrize("control", CONTROLS)
    def test_changes_its_state(self, control: str, by: str, players: Players) -> None:
        players.show(network())
        before, state = CONTROLS[control]
        players.run(f"({before or 0}, 0)")
        players.still()
        was = players.run(state)
        if by == "mouse":
            players.click(control)
        elif by == "finger":
            tap(players, control)
        else:
            reach(players, control)
            players.press("ArrowRight" if "slider" in control or "range" in control else " ")
        players.still()
        assert players.run(state) != was

    @pytest.mark.parametrize(("control", "state", "key"), [
        (".speed", "find('.speed').value", "ArrowDown"), (".example", "player.value('loss')", "ArrowDown"),
        (".rate", "find('.rate').value", "0"), (".leaf .field", "player.value('w')", "ArrowDown"),
    ])  # fmt: skip
    def test_the_keyboard_changes_lists_and_fields(self, control: str, state: str, key: str, players: Players) -> None:
        w = Value(0.5, label="w")
        players.show([tanh(w * x) * 2 for x in (1.0, 2.0)])
        was = players.run(state)
        reach(players, control)
        players.press(key)
        players.still()
        assert players.run(state) != was

    @pytest.mark.parametrize(("text", "w"), [("1/2", 0.5), ("−2", -2.0), ("0,25", 0.25), ("2*3", 0.7), ("1½", 0.7)])
    def test_a_number_is_read_whole_or_not_at_all(self, text: str, w: float, players: Players) -> None:
        players.show(neuron())
        players.run("player.set({w: 0.7})")
        players.run("find('.leaf .field').focus(), find('.leaf .field').select()")
        players.browser.type(text)
        players.press("Enter")
        assert players.run("[player.value('w'), find('.leaf .field').value]") == [w, f"{w:g}"]

    def test_what_is_typed_stays_while_the_number_changes(self, players: Players) -> None:
        players.show(neuron())
        players.run("find('.leaf .field').select()")
        players.browser.type("0.")
        players.run("player.set({w: 0.7})")
        players.still()
        players.browser.type("25")
        players.press("Enter")
        assert players.run("[player.value('w'), find('.leaf .field').value]") == [0.25, "0.25"]

    @pytest.mark.parametrize(("control", "keys"), [
        (".leaf .field", ["0", "-", "b", "ArrowLeft", "ArrowDown", "Enter"]), (".leaf .range", ["ArrowRight", "Home"]),
        (".guess", ["0", "b", "ArrowLeft", "Enter"]), (".leaf input[type=checkbox]", [" "]), (".speed", ["ArrowDown", "b"]),
        (".next", [" ", "Enter", "ArrowRight"]), ("details:not([hidden]) summary", [" "]),
    ])  # fmt: skip
    def test_a_page_around_it_does_not_get_its_keys(self, control: str, keys: list[str], players: Players) -> None:
        players.show(network(), neuron())
        players.run("window.got = [], document.addEventListener('keydown', event => got.push(event.key))")
        players.run("find('.predict').click()")
        players.run(f"find({control!r}).focus()")
        players.press(*keys)
        assert players.run("got") == []
        players.run("find('.next').focus()")
        players.press("b")
        assert players.run("got") == ["b"], "the player has no use for it"

    def test_questions_are_answered_by_the_keyboard(self, players: Players) -> None:
        players.show(neuron())
        reach(players, ".predict")
        players.press(" ")
        assert players.focus() == "your prediction: value of v1"
        reach(players, ".asks")
        players.press("ArrowDown")
        assert players.run("find('.asks').value") == "signs"
        reach(players, ".sign[data-sign='+']")
        players.press(" ")
        reach(players, ".reveal")
        players.press(" ")
        assert players.run("find('.score').textContent") == "1 of 1 right"

    @pytest.mark.parametrize("by", ["mouse", "finger"])
    @pytest.mark.parametrize(("handle", "leaf"), [
        (".leaf .name span", "w"), (".leaf .range", "w"), ('.label[data-weighs="3.0"] text', "w"),
        ('.box[data-nodes="1"]', "x"),
    ])  # fmt: skip
    def test_numbers_are_dragged(self, handle: str, leaf: str, by: str, players: Players) -> None:
        players.show(network())
        was = players.run(f"player.value('{leaf}')")
        if by == "mouse":
            players.drag(handle, 30)
        else:
            x, y = players.browser.middle(f"{HOST} >>> {handle}")
            players.touch(*([(x + dx, y)] for dx in (0, 10, 20, 30)))
        assert players.run(f"player.value('{leaf}')") != was
        assert players.place == 0, "nothing was clicked"

    @pytest.mark.parametrize("control", [".leaf .field", ".leaf .range"])
    def test_what_has_the_focus_follows_a_number_that_is_dragged(self, control: str, players: Players) -> None:
        players.show(neuron())
        players.click(control)
        players.drag('.box[data-nodes="0"]', 40)
        players.still()
        w = players.run("player.value('w')")
        assert players.run("[find('.leaf .field').value, find('.leaf .range').value]") == [f"{w:g}"] * 2

    @pytest.mark.parametrize("typed", ["5", "-"])
    @pytest.mark.parametrize("handle", ['.box[data-nodes="0"]', ".leaf .name span"])
    def test_a_drag_ends_what_is_typed(self, typed: str, handle: str, players: Players) -> None:
        players.show(neuron())
        players.run("find('.leaf .field').focus(), find('.leaf .field').select()")
        players.browser.type(typed)
        players.drag(handle, 40)
        players.still()
        w = players.run("player.value('w')")
        assert w not in (0.5, 5) and players.run("find('.leaf .field').value") == f"{w:g}"

    @pytest.mark.parametrize("by", ["mouse", "finger"])
    def test_the_picture_and_its_map_are_dragged(self, by: str, players: Players) -> None:
        players.show(layers(2, 3, 1), width=900, height=700)
        players.press("+", "+", "+")
        players.still()
        left = "find('.stage:not([hidden]) .graph').viewBox.baseVal.x"
        for handle, dx, dy in ((".stage:not([hidden])", -30, 0), (".map", 300, 0)):
            was = players.run(left)
            if by == "mouse":
                players.drag(handle, dx, dy)
            else:
                x, y = players.browser.middle(f"{HOST} >>> {handle}")
                players.touch(*([(x + dx * part, y)] for part in (0, 0.3, 0.6, 1)))
            players.still()
            assert players.run(left) > was + 10

    def test_a_mouse_that_was_released_elsewhere_moves_nothing(self, players: Players) -> None:
        players.show(network())
        players.click(".closer")
        view = "find('.stage:not([hidden]) .graph').getAttribute('viewBox')"
        left, top = players.run("(r => [r.x, r.y])(find('.stage:not([hidden])').getBoundingClientRect())")
        before = players.run(view)
        players.browser.call("Input.dispatchMouseEvent", type="mousePressed", x=left + 9, y=top + 9, button="left", buttons=1)
        for dx in (20, 90):
            players.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=left + dx, y=top + 40)
        assert players.run(view) == before

    def test_a_node_is_tapped(self, players: Players) -> None:
        players.show(neuron())
        tap(players, '.box[data-nodes="5"]')
        assert players.place == 2


class TestRings:
    LOOK = "(box => [box.matches(':focus-visible'), getComputedStyle(box).outlineStyle])(host.shadowRoot.activeElement)"

    def test_a_click_leaves_no_ring(self, players: Players) -> None:
        players.show(neuron())
        players.click('.box[data-nodes="5"]')
        assert players.run(self.LOOK) == [False, "none"]

    def test_the_focus_of_the_keyboard_is_shown_by_the_outline_of_the_box(self, players: Players) -> None:
        players.show(neuron())
        reach(players, ".box")
        players.press("ArrowDown")
        assert players.run(self.LOOK) == [True, "none"]
        assert players.run("getComputedStyle(host.shadowRoot.activeElement.querySelector('rect')).strokeWidth") == "4.5px"


class TestKeys:
    @pytest.mark.parametrize(("key", "state"), [
        ("ArrowRight", "player.step"), ("End", "player.step"), ("p", "find('.predict').ariaPressed"),
        ("l", "find('.large').ariaPressed"), ("f", "document.fullscreenElement !== null"), ("+", WIDTH),
    ])  # fmt: skip
    def test_do_what_the_page_says(self, key: str, state: str, players: Players) -> None:
        players.show(network())
        was = players.run(state)
        players.press(key)
        players.still()
        assert players.run(state) != was

    def test_keys_undo_what_keys_did(self, players: Players) -> None:
        players.show(network())
        for keys in (("+", "-"), ("+", "+", "0"), ("l", "l"), ("p", "p"), ("f", "f")):
            look = f"[{WIDTH}, find('.large').ariaPressed, find('.predict').ariaPressed, document.fullscreenElement !== null]"
            was = players.run(look)
            for key in keys:
                players.press(key)
                players.still()
            assert players.run(look)[1:] == was[1:]
            assert players.run(look)[0] == pytest.approx(was[0], abs=1)

    @pytest.mark.parametrize("field", [".slider", ".leaf .range", ".leaf input[type=checkbox]"])
    def test_sliders_and_checkboxes_leave_keys_to_the_player(self, field: str, players: Players) -> None:
        players.show(network())
        players.run(f"find('{field}').focus()")
        players.press("p")
        assert players.run("find('.predict').ariaPressed") == "true"

    @pytest.mark.parametrize(
        ("prepare", "control", "key", "after"),
        [
            ("find('.neuron').dispatchEvent(new Event('click'))", ".whole", "Enter", ".fit"),
            ("find('.predict').click()", ".guess", "p", ".predict"),
            ("0", ".leaves .all", "Enter", ".leaf:nth-child(61) .range"),
        ],
    )
    def test_the_focus_is_not_lost_with_the_control_that_had_it(
        self, prepare: str, control: str, key: str, after: str, players: Players
    ) -> None:
        players.show(layers(8, 7, 1))
        players.run(prepare)
        players.run(f"find('{control}').focus()")
        players.press(key)
        players.still()
        assert players.run(f"host.shadowRoot.activeElement === find('{after}')")

    def test_a_key_that_is_held_down_switches_once(self, players: Players) -> None:
        players.show(neuron())
        for i in range(4):
            players.browser.call("Input.dispatchKeyEvent", type="keyDown", key="l", text="l", autoRepeat=i > 0)
        assert players.run("find('.large').ariaPressed") == "true"

    def test_next_puts_the_cursor_into_the_next_question(self, players: Players) -> None:
        players.show(neuron())
        players.press("p")
        for answer in ("1", "0.6", "0.537"):
            players.browser.type(answer)
            players.press("Enter", "Enter")
        assert players.place == 3
        assert players.run("find('.score').textContent") == "3 of 3 right"
        assert players.focus() == "your prediction: value of v3"
