"""The page for everyone in a real browser: expressions, code and tabs; see `visits` for what that needs."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import pytest
from visits import HOST, READY, Visit

from autograd.expressions import parse
from autograd.site.examples import EXAMPLES
from autograd.site.session import Session
from autograd.site.words import LANGUAGES

WORDS = LANGUAGES["en"]
TASK = "#task .autograd-player"
ENDLESS = "x = Value(2.0)\nwhile True:\n    pass\nx"

pytestmark = pytest.mark.slow  # each page starts Python anew, which takes some seconds


class TestExpressions:
    def test_an_example_plays_before_python_is_there(self, visit: Visit) -> None:
        visit.open(is_ready=False, motion="no-preference")
        assert visit.run("[player.steps, find('.play').ariaLabel, by('panel-step').hidden]") == [10, "Pause", False]
        assert visit.run("document.body.dataset.python") == "loading"
        visit.run("player.set({w: 0.7})")
        assert visit.run("player.value('f')") == parse(EXAMPLES[0].source)(0.7, 2.0, -0.4)
        visit.wait(READY)
        assert visit.text("state") == WORDS["ready"].format(version=version("scalar-autograd"))

    def test_a_typed_expression_plays(self, visit: Visit) -> None:
        visit.open(motion="no-preference")
        visit.write("#expression", "sin(a*x)**2 + a")
        visit.wait("by('variables').querySelector('[name=a]') && player?.steps === 8")
        assert visit.run("[...by('variables').querySelectorAll('input')].map(field => [field.name, field.value])") == [
            ["a", "0.5"], ["x", "2"],
        ]  # fmt: skip
        visit.wait("player.step > 1")
        assert visit.run("find('.problem').hidden")
        visit.run("player.goto(7)")
        assert "v1 = a·x" in visit.run("find('.card').innerText")

    def test_a_value_is_changed_in_its_field_and_in_the_player(self, page: Visit) -> None:
        page.write("[name=w]", "1/4")
        f = parse(EXAMPLES[0].source)
        assert page.run("player.value('f')") == f(0.25, 2.0, -0.4)
        page.run("player.set({b: 0.5})")
        page.wait("document.querySelector('[name=b]').value === '0.5'")
        assert page.state()["values"] == {"w": 0.25, "x": 2, "b": 0.5}
        page.write("[name=w]", "a quarter")
        assert page.text("problem") == WORDS["not-number"].format(name="w")
        assert page.run("document.querySelector('[name=w]').ariaInvalid") == "true"
        assert page.run("player.value('f')") == f(0.25, 2.0, 0.5), "the last valid number stays"
        page.run("document.activeElement.blur()")
        page.run("player.set({w: 0.75})")
        page.wait("document.querySelector('[name=w]').value === '0.75'")
        assert page.run("[document.querySelector('[name=w]').ariaInvalid, by('problem').hidden]") == ["false", True]

    def test_what_is_typed_stays_while_train_runs(self, page: Visit) -> None:
        shown = "document.querySelector('[name=w]').value"
        page.browser.click(f"{HOST} >>> .train")
        for typed in ("1/", "1/8", "-", ""):
            page.write("[name=w]", typed)
            page.run("b = by('variables').querySelector('[name=b]').value, null")
            page.wait("by('variables').querySelector('[name=b]').value !== b")
            assert page.run(f"[{shown}, by('problem').hidden]") == [typed, typed == "1/8"]
        page.write("[name=w]", "1/8")
        page.browser.press("Enter")
        page.wait(f"{shown} !== '1/8'")
        page.browser.click(f"{HOST} >>> .train")
        page.write("[name=w]", "1/8")
        page.browser.press("Tab")
        assert page.run(f"[{shown}, player.value('w')]") == ["1/8", 0.125], "it is the number"

    def test_a_drag_ends_what_is_typed(self, page: Visit) -> None:
        page.write("[name=w]", "5")
        x, y = page.browser.middle(f"{HOST} >>> .box.leaf")
        for kind, at in (("mousePressed", x), ("mouseMoved", x + 40), ("mouseReleased", x + 40)):
            page.browser.call("Input.dispatchMouseEvent", type=kind, x=at, y=y, button="left", buttons=1, clickCount=1)
        page.wait("player.value('w') !== 5")
        page.wait("Number(document.querySelector('[name=w]').value) === player.value('w')")

    def test_the_address_follows_the_step(self, page: Visit) -> None:
        page.browser.click(f"{HOST} >>> .next")
        page.browser.click(f"{HOST} >>> .next")
        assert page.run("player.step") == 2
        assert page.state()["step"] == 2

    def test_the_address_follows_while_train_runs(self, page: Visit) -> None:
        page.browser.click(f"{HOST} >>> .train")
        assert page.state()["values"]["w"] > 0.5
        page.browser.click(f"{HOST} >>> .train")

    def test_an_error_is_shown_at_its_place(self, page: Visit) -> None:
        for text, shown, marked in (
            ("2*tahn(w)", "column 3, `tahn(w)`: there is no function tahn; did you mean tanh?", "tahn(w)"),
            ("w + ", "column 5: the expression ends too early", " "), ("log(w - 2)", "log(-1.5)", "log(w - 2)"),
            ("1/2w", "column 3, `2w`: 2w after / can be read in two ways; write 2*w", "2w"),
            ("w😀 + 1", "column 2, `😀`", "😀"),  # one character in Python, two in JavaScript
            ("2 + 3", "2 + 3 is 5; there is no variable in it", None),
        ):  # fmt: skip
            page.write("#expression", text)
            page.browser.press("Enter")
            page.wait(f"by('problem').innerText.includes({json.dumps(shown)})")
            assert page.run("by('problem').querySelector('mark')?.textContent ?? null") == marked
            assert page.run("[player.steps, by('expression').ariaInvalid]") == [10, "true"], "the last valid graph stays"
        page.write("#expression", "2w")
        page.browser.press("Enter")
        page.wait("by('problem').hidden && player.steps === 2 && by('expression').ariaInvalid === 'false'")

    def test_every_example_is_what_python_makes(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        for i, example in enumerate(EXAMPLES):
            shown = Session().show(**example.content)
            visit.run(f"by('example').value = '{i}', by('example').dispatchEvent(new Event('change'))")
            visit.wait(f"host.ariaLabel && player?.steps === {shown['steps']}")
            assert visit.run("find('.problem').hidden"), example.title
        visit.wait(READY)
        for i, example in enumerate(EXAMPLES):  # now computed and laid out in the browser
            visit.run(f"by('example').value = '{i}', by('example').dispatchEvent(new Event('change'))")
            steps = Session().show(**example.content)["steps"]
            visit.wait(f"player?.steps === {steps}")
            visit.run("host.dataset.old = '', null")
            if example.values is None:
                visit.browser.click("#run")
            else:
                visit.browser.click("#expression")
                visit.browser.press("Enter")
            visit.wait("player && !('old' in host.dataset)")
            assert visit.run("[player.steps, find('.problem').hidden, by('problem').hidden]") == [steps, True, True], (
                example.title
            )

    def test_examples_that_cannot_be_loaded_are_computed(self, visit: Visit) -> None:
        visit.open()
        visit.browser.call("Network.setBlockedURLs", urls=["*examples.bin"])
        visit.run("by('example').value = '1', by('example').dispatchEvent(new Event('change'))")
        visit.wait(f"player?.steps === {Session().show(**EXAMPLES[1].content)['steps']}")
        assert visit.run("by('problem').hidden && by('notice').textContent === ''")
        visit.browser.call("Network.setBlockedURLs", urls=[])
        visit.browser.events.clear()


class TestCode:
    def test_a_cell_is_run(self, page: Visit) -> None:
        page.browser.click("[value=code]")
        page.write("#code", 'w = Value(3.0)\nprint("w is", w.data)\nloss = w * w + 1')
        page.browser.call(
            "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, modifiers=2
        )
        page.wait("player?.steps === 4")
        assert page.run("player.value('loss')") == 10
        assert page.run("by('output').querySelector('pre').textContent") == "w is 3.0\n"
        page.run("player.set({w: 2.5})")
        assert "# changed in the player: w = 2.5" in page.open_tab("code", "changed")

    def test_an_error_is_shown_at_its_line(self, page: Visit) -> None:
        for code, text, line in (
            ("x = 1\ny = x / 0\ny", "ZeroDivisionError: ", 2), ("x = (1\ny", "SyntaxError: ", 1),
            ("3.0", "the cell ends in a float; ", 1), ("def f():\n    return f()\n\nf()", "RecursionError: ", 2),
            ("log(Value(-1.0))", "log(-1.0) is undefined: log needs x > 0", 1), ("exit()", "SystemExit", 1),
        ):  # fmt: skip
            page.run_cell(code)
            page.wait(f"by('problem').innerText.includes({json.dumps(text)})")
            assert page.text("problem").startswith(f"line {line}: ")
            assert page.run("by('lines').querySelector('.wrong').textContent.trim()") == str(line)

    def test_an_endless_loop_is_stopped(self, page: Visit) -> None:
        page.run_cell(ENDLESS)
        page.wait("!by('stop').hidden")
        page.browser.click("#stop")
        page.wait(f"by('stop').hidden && {READY}")
        assert page.text("notice") == WORDS["stopped"]
        page.run_cell("x = Value(2.0)\nx * x")
        page.wait("player?.steps === 2")

    @pytest.mark.parametrize("code", ["x = Value(2.0)\nfor i in range(9000):\n    x = x * 1.0\nx", "import os\nos._exit(0)"])
    def test_python_starts_again_after_it_has_crashed(self, visit: Visit, code: str) -> None:
        """Such as by an overflow of the browser's stack."""
        visit.open()
        visit.run_cell(code)
        visit.wait("!by('problem').hidden")
        assert visit.text("problem").startswith("Python has ended")
        visit.run_cell("x = Value(2.0)\nx * x")
        visit.wait("player?.steps === 2 && by('problem').hidden")
        visit.browser.events.clear()

    def test_what_is_typed_after_the_end_of_python_is_computed_by_the_next_one(self, visit: Visit) -> None:
        """An error in a callback of a cell ends it while no call waits for an answer."""
        visit.open()
        later = "js.setTimeout(create_once_callable(lambda: 1 / 0), 300)"
        visit.run_cell(f"import js\nfrom pyodide.ffi import create_once_callable\n{later}\nValue(1.0) * 2")
        visit.wait("!by('retry').hidden")
        visit.browser.click("[value=expression]")
        visit.write("#expression", "(x + 3)*x")
        visit.browser.press("Enter")
        visit.wait("!by('problem').hidden")
        assert visit.text("problem").startswith("Python has ended")
        visit.browser.click("#retry")
        visit.wait("player?.steps === 4 && by('problem').hidden && by('stop').hidden")
        visit.browser.events.clear()

    def test_code_sends_nothing(self, visit: Visit) -> None:
        visit.open()
        code = """\
from pyodide.ffi import run_sync
import js
for send in (lambda: js.fetch("https://example.org/?secret"), lambda: js.XMLHttpRequest.new().open("GET", "https://example.org")):
    print(send())
async def ask():
    try:
        await js.fetch("http://127.0.0.1:9/?secret")
    except Exception as error:
        js.postMessage(js.JSON.parse('{"id": -1, "result": "refused"}'))
import asyncio
asyncio.ensure_future(ask())
Value(1.0) * 2"""
        visit.run("addEventListener('message', () => 0), null")
        visit.run_cell(code)
        visit.wait("player?.steps === 2 || !by('problem').hidden")
        visit.browser.run("new Promise(done => setTimeout(done, 500))")
        violations = [each for each in visit.browser.events if "Content Security Policy" in json.dumps(each)]
        assert violations
        assert not [each for each in visit.browser.requests if "secret" in each]
        visit.browser.events.clear()

    def test_tab_indents_and_escape_leaves(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        visit.browser.click("[value=code]")
        visit.write("#code", "x")
        visit.browser.press("Tab")
        assert visit.run("by('code').value") == "x    "
        visit.browser.press("Escape")
        visit.browser.press("Tab")
        assert visit.run("document.activeElement.id") == "run"


class TestTabs:
    def test_why_shows_the_ledger_and_the_derivation(self, page: Visit) -> None:
        page.write("[name=w]", "1")
        page.open_tab("why", "The gradient")
        page.run("by('node').value = 'x', by('node').dispatchEvent(new Event('change'))")
        page.wait("by('reasons').querySelectorAll('math').length > 5")
        session = Session()
        session.show(**EXAMPLES[0].content)
        expected = session.why({"w": 1.0}, "x")
        assert (
            page.run("[...by('reasons').querySelectorAll('td math')].map(e => e.innerHTML)")
            == list(expected["ledger"][0].values())[:4]
        )
        derivation = "[...by('reasons').querySelectorAll('.formula math')].at(-1).outerHTML"
        assert page.run(derivation) == expected["derivation"]
        right, left = page.run("[...by('reasons').querySelectorAll('mtd')].slice(0, 2).map(e => getComputedStyle(e).textAlign)")
        assert (right, left) == ("right", "left")

    def test_another_tab_is_about_numbers_that_stand_still(self, page: Visit) -> None:
        page.browser.click(f"{HOST} >>> .train")
        page.wait("player.value('w') > 0.5")
        page.open_tab("why", "The gradient")
        w = page.run("player.value('w')")
        page.browser.run("new Promise(done => setTimeout(done, 300))")
        assert page.run("[player.value('w'), find('.train').ariaPressed]") == [w, "false"]

    def test_check_shows_the_verdict(self, page: Visit) -> None:
        assert "correct: 3 derivatives and 7 local ones agree" in page.open_tab("check", "∂f/∂w")
        page.write("#expression", "relu(x)")
        page.write("[name=x]", "0")
        page.wait("by('report').innerText.includes('kink')")

    def test_an_exercise_is_marked(self, page: Visit) -> None:
        page.browser.click("#tab-exercise")
        page.wait(f"document.querySelector('{TASK}')?.player")
        asked = f"[...document.querySelector('{TASK}').shadowRoot.querySelectorAll"
        assert page.run(f"{asked}('.question label')].map(e => e.textContent.trim())") == ["∂f/∂w =", "∂f/∂x =", "∂f/∂b ="]
        page.browser.click(f"{TASK} >>> .hint")
        assert page.run(f"{asked}('.hints li')].map(e => e.textContent)") == ["w feeds v1 = w·x"]
        for i, answer in enumerate(["2*v4*(1 - v3**2)*x", "(((", "-0.9259"], 1):
            page.browser.click(f"{TASK} >>> .question:nth-child({i}) .answer")
            page.browser.type(answer)
            page.browser.press("Enter")
        right, unread, wrong = page.run(f"{asked}('.question .mark')].map(e => e.textContent)")
        assert right.endswith("is right")
        assert "cannot be read" in unread
        assert "the derivative of the activation" in wrong
        page.browser.click("#tab-step")
        page.browser.click("#tab-exercise")
        assert page.run(f"{asked}('.question .mark')].map(e => e.textContent)") == [right, unread, wrong], "the marks stay"
        page.write("[name=w]", "2")
        page.wait(f"document.querySelector('{TASK}')?.player && {asked}('.question .mark')].every(e => !e.textContent)")

    def test_exercises_of_every_kind_are_offered(self, page: Visit) -> None:
        page.browser.click("#tab-exercise")
        seen = set()
        for kind in ("4", "order", "1"):
            page.run(f"by('kind').value = '{kind}', by('kind').dispatchEvent(new Event('change'))")
            page.wait(f"document.querySelector('{TASK}')?.player && by('task').dataset.kind === '{kind}'")
            seen.add(page.run(f"document.querySelector('{TASK}').shadowRoot.querySelector('.exercise').innerText"))
        page.browser.click("#another")
        page.wait(
            f"!{json.dumps([*seen])}.includes(document.querySelector('{TASK}').shadowRoot.querySelector('.exercise').innerText)"
        )
        assert len(seen) == 3

    def test_code_makes_the_same_graph(self, page: Visit) -> None:
        page.write("[name=w]", "0.75")
        page.open_tab("code", "0.75")
        program = page.run("by('source').textContent")
        names: dict[str, Any] = {}
        exec(program, names)
        assert names["f"].data == parse(EXAMPLES[0].source)(0.75, 2.0, -0.4)

    def test_code_that_the_browser_does_not_copy_is_selected(self, page: Visit) -> None:
        page.open_tab("code", "Value")
        page.run("Object.defineProperty(navigator, 'clipboard', {configurable: true, value: undefined})")
        page.browser.click("#copy")
        page.wait(f"by('notice').textContent === {json.dumps(WORDS['copy-here'])}")
        assert page.run("getSelection().toString()").startswith("from autograd import")
        page.run("delete navigator.clipboard")

    def test_keys_move_between_the_tabs(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        visit.run("by('tab-step').focus()")
        for key, tab in (
            ("ArrowRight", "why"),
            ("End", "code"),
            ("ArrowRight", "step"),
            ("ArrowLeft", "code"),
            ("Home", "step"),
        ):
            visit.browser.press(key)
            assert visit.run("[document.activeElement.id, by('panel-' + document.activeElement.id.slice(4)).hidden]") == [
                f"tab-{tab}", False,
            ]  # fmt: skip
