"""Every control of the live player, used by mouse, by finger and by keyboard, in a real browser."""

from __future__ import annotations

import pytest
from stand import HOST, Stand
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


def reach(stand: Stand, selector: str) -> None:
    """Press the Tab key until a control has the focus."""
    for _ in range(100):
        stand.press("Tab")
        if stand.run(f"host.shadowRoot.activeElement?.matches({selector!r}) ?? false"):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")


def tap(stand: Stand, selector: str) -> None:
    """Tap the middle of an element with a finger."""
    stand.touch([stand.browser.middle(f"{HOST} >>> {selector}")])


class TestEveryControl:
    @pytest.mark.parametrize("by", ["mouse", "finger", "keyboard"])
    @pytest.mark.parametrize("control", CONTROLS)
    def test_changes_its_state(self, control: str, by: str, stand: Stand) -> None:
        stand.show(network())
        before, state = CONTROLS[control]
        stand.run(f"({before or 0}, 0)")
        stand.still()
        was = stand.run(state)
        if by == "mouse":
            stand.click(control)
        elif by == "finger":
            tap(stand, control)
        else:
            reach(stand, control)
            stand.press("ArrowRight" if "slider" in control or "range" in control else " ")
        stand.still()
        assert stand.run(state) != was

    @pytest.mark.parametrize(("control", "state", "key"), [
        (".speed", "find('.speed').value", "ArrowDown"), (".example", "player.value('loss')", "ArrowDown"),
        (".rate", "find('.rate').value", "0"), (".leaf .field", "player.value('w')", "ArrowDown"),
    ])  # fmt: skip
    def test_the_keyboard_changes_lists_and_fields(self, control: str, state: str, key: str, stand: Stand) -> None:
        w = Value(0.5, label="w")
        stand.show([tanh(w * x) * 2 for x in (1.0, 2.0)])
        was = stand.run(state)
        reach(stand, control)
        stand.press(key)
        stand.still()
        assert stand.run(state) != was

    @pytest.mark.parametrize(("text", "w"), [("1/2", 0.5), ("−2", -2.0), ("0,25", 0.25), ("2*3", 0.7), ("1½", 0.7)])
    def test_a_number_is_read_whole_or_not_at_all(self, text: str, w: float, stand: Stand) -> None:
        stand.show(neuron())
        stand.run("player.set({w: 0.7})")
        stand.run("find('.leaf .field').focus(), find('.leaf .field').select()")
        stand.browser.type(text)
        stand.press("Enter")
        assert stand.run("[player.value('w'), find('.leaf .field').value]") == [w, f"{w:g}"]

    def test_questions_are_answered_by_the_keyboard(self, stand: Stand) -> None:
        stand.show(neuron())
        reach(stand, ".predict")
        stand.press(" ")
        assert stand.focus() == "your prediction: value of v1"
        reach(stand, ".asks")
        stand.press("ArrowDown")
        assert stand.run("find('.asks').value") == "signs"
        reach(stand, ".sign[data-sign='+']")
        stand.press(" ")
        reach(stand, ".reveal")
        stand.press(" ")
        assert stand.run("find('.score').textContent") == "1 of 1 right"

    @pytest.mark.parametrize("by", ["mouse", "finger"])
    @pytest.mark.parametrize(("handle", "leaf"), [
        (".leaf .name span", "w"), (".leaf .range", "w"), ('.label[data-weighs="3.0"] text', "w"),
        ('.box[data-nodes="1"]', "x"),
    ])  # fmt: skip
    def test_numbers_are_dragged(self, handle: str, leaf: str, by: str, stand: Stand) -> None:
        stand.show(network())
        was = stand.run(f"player.value('{leaf}')")
        if by == "mouse":
            stand.drag(handle, 30)
        else:
            x, y = stand.browser.middle(f"{HOST} >>> {handle}")
            stand.touch(*([(x + dx, y)] for dx in (0, 10, 20, 30)))
        assert stand.run(f"player.value('{leaf}')") != was
        assert stand.place == 0, "nothing was clicked"

    @pytest.mark.parametrize("by", ["mouse", "finger"])
    def test_the_picture_and_its_map_are_dragged(self, by: str, stand: Stand) -> None:
        stand.show(layers(2, 3, 1), width=900, height=700)
        stand.press("+", "+", "+")
        stand.still()
        left = "find('.stage:not([hidden]) .graph').viewBox.baseVal.x"
        for handle, dx, dy in ((".stage:not([hidden])", -30, 0), (".map", 300, 0)):
            was = stand.run(left)
            if by == "mouse":
                stand.drag(handle, dx, dy)
            else:
                x, y = stand.browser.middle(f"{HOST} >>> {handle}")
                stand.touch(*([(x + dx * part, y)] for part in (0, 0.3, 0.6, 1)))
            stand.still()
            assert stand.run(left) > was + 10

    def test_a_node_is_tapped(self, stand: Stand) -> None:
        stand.show(neuron())
        tap(stand, '.box[data-nodes="5"]')
        assert stand.place == 2


class TestRings:
    LOOK = "(box => [box.matches(':focus-visible'), getComputedStyle(box).outlineStyle])(host.shadowRoot.activeElement)"

    def test_a_click_leaves_no_ring(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.click('.box[data-nodes="5"]')
        assert stand.run(self.LOOK) == [False, "none"]

    def test_the_focus_of_the_keyboard_is_shown_by_the_outline_of_the_box(self, stand: Stand) -> None:
        stand.show(neuron())
        reach(stand, ".box")
        stand.press("ArrowDown")
        assert stand.run(self.LOOK) == [True, "none"]
        assert stand.run("getComputedStyle(host.shadowRoot.activeElement.querySelector('rect')).strokeWidth") == "4.5px"


class TestKeys:
    @pytest.mark.parametrize(("key", "state"), [
        ("ArrowRight", "player.step"), ("End", "player.step"), ("p", "find('.predict').ariaPressed"),
        ("l", "find('.large').ariaPressed"), ("f", "document.fullscreenElement !== null"), ("+", WIDTH),
    ])  # fmt: skip
    def test_do_what_the_page_says(self, key: str, state: str, stand: Stand) -> None:
        stand.show(network())
        was = stand.run(state)
        stand.press(key)
        stand.still()
        assert stand.run(state) != was

    def test_keys_undo_what_keys_did(self, stand: Stand) -> None:
        stand.show(network())
        for keys in (("+", "-"), ("+", "+", "0"), ("l", "l"), ("p", "p"), ("f", "f")):
            look = f"[{WIDTH}, find('.large').ariaPressed, find('.predict').ariaPressed, document.fullscreenElement !== null]"
            was = stand.run(look)
            for key in keys:
                stand.press(key)
                stand.still()
            assert stand.run(look)[1:] == was[1:]
            assert stand.run(look)[0] == pytest.approx(was[0], abs=1)

    @pytest.mark.parametrize("field", [".slider", ".leaf .range", ".leaf input[type=checkbox]"])
    def test_sliders_and_checkboxes_leave_keys_to_the_player(self, field: str, stand: Stand) -> None:
        stand.show(network())
        stand.run(f"find('{field}').focus()")
        stand.press("p")
        assert stand.run("find('.predict').ariaPressed") == "true"

    def test_next_puts_the_cursor_into_the_next_question(self, stand: Stand) -> None:
        stand.show(neuron())
        stand.press("p")
        for answer in ("1", "0.6", "0.537"):
            stand.browser.type(answer)
            stand.press("Enter", "Enter")
        assert stand.place == 3
        assert stand.run("find('.score').textContent") == "3 of 3 right"
        assert stand.focus() == "your prediction: value of v3"
