"""The page for everyone in a real browser, served on loopback, with Python in WebAssembly and without any other network.

It needs a browser, and npm's packages pyodide and @viz-js/viz, which are found by the variable NODE_PATH:

    npm install --prefix FOLDER pyodide@314.0.7 @viz-js/viz@3.31.0
    NODE_PATH=FOLDER/node_modules .venv/bin/python -m pytest -m slow tests/test_site_browser.py
"""

from __future__ import annotations

import base64
import json
import os
import threading
import zlib
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find

from autograd.expressions import parse
from autograd.site import Site, write_site
from autograd.site.examples import EXAMPLES
from autograd.site.server import _Handler
from autograd.site.session import Session
from autograd.site.vendored import PROGRAMS, address
from autograd.site.words import LANGUAGES

HOST = ".autograd-player"
TASK = "#task .autograd-player"
WORDS = LANGUAGES["en"]
READY = "document.body.dataset.python === 'ready' && by('state').textContent.includes('ready')"
ENDLESS = "x = Value(2.0)\nwhile True:\n    pass\nx"

pytestmark = pytest.mark.slow  # each page starts Python anew, which takes some seconds


def modules() -> Path:
    """Return npm's folder in which both packages are."""
    folders = [Path(folder) for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder]
    found = [each for each in folders if (each / "pyodide").is_dir() and (each / "@viz-js" / "viz").is_dir()]
    if not found:
        pytest.skip("npm's packages pyodide and @viz-js/viz are not on NODE_PATH")
    return found[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, with the programs of others."""
    return write_site(tmp_path_factory.mktemp("site"), modules())


class Server:
    """The folder of a site, handed out on this machine until it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Hand out nothing more."""
        self.server.shutdown()
        self.server.server_close()


class Visit:
    """The page, as a visitor sees it."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self, fragment: str = "", is_ready: bool = True, motion: str = "reduce", **window: Any) -> None:
        """Open the page, by default until Python is ready."""
        self.browser.open("about:blank")
        self.browser.open(self.address + fragment, **{"prefers_reduced_motion": motion} | window)
        self.wait(READY if is_ready else "document.body.dataset.python")  # the scripts unfold after the page has loaded

    def run(self, script: str) -> Any:
        """Evaluate JavaScript: ``by`` finds an element by its id, ``player`` is the player's, ``find`` looks into it."""
        return self.browser.run(f"(() => {{ {KNOWN} return {script}; }})()")

    def wait(self, condition: str) -> None:
        """Wait until a condition holds."""
        self.browser.run(f"""new Promise((done, fail) => {{
            const asked = setInterval(() => {{
                {KNOWN}
                if ({condition}) clearInterval(asked), done();
            }}, 20);
            setTimeout(() => fail("in vain: " + {json.dumps(condition)}), 110000);
        }})""")

    def write(self, selector: str, text: str) -> None:
        """Write into a field, in place of what is there."""
        self.browser.click(selector)
        self.run(f"{find(selector)}.select()")
        self.browser.type(text)

    def text(self, ident: str) -> str:
        """Return what is written in an element, with single spaces."""
        return " ".join(str(self.run(f"by({json.dumps(ident)}).innerText")).split())

    def open_tab(self, tab: str, shows: str) -> str:
        """Open a tab, and return its text once it has what is wanted."""
        self.browser.click(f"#tab-{tab}")
        self.wait(f"by('panel-{tab}').innerText.includes({json.dumps(shows)})")
        return self.text(f"panel-{tab}")

    def state(self) -> dict[str, Any]:
        """Return the state in the address, once it is up to date."""
        self.browser.run("new Promise(done => setTimeout(done, 800))")
        fragment = self.run("location.hash.slice(1)")
        found: dict[str, Any] = json.loads(zlib.decompress(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4))))
        return found


KNOWN = f"""const by = id => document.getElementById(id), host = document.querySelector("{HOST}"), player = host?.player,
    find = selector => host.shadowRoot.querySelector(selector);"""


def link(**state: Any) -> str:
    """Return the fragment of an address that holds a state."""
    return "#" + base64.urlsafe_b64encode(zlib.compress(json.dumps(state).encode())).decode().rstrip("=")


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    """The site on loopback, at an address of its own."""
    server = Server(site.folder)
    yield server
    server.stop()


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Visit]:
    """A visit, during which no script fails and nothing is requested from elsewhere."""
    visit = Visit(chromium, server.address)
    yield visit
    assert not [each for each in chromium.complaints if "favicon" not in each]
    assert not [each for each in chromium.requests if not each.startswith((server.address, f"blob:{server.address}", "data:"))]


class TestExpressions:
    def test_an_example_plays_before_python_is_there(self, visit: Visit) -> None:
        visit.open(is_ready=False, motion="no-preference")
        assert visit.run("[player.steps, find('.play').ariaLabel, by('panel-step').hidden]") == [10, "Pause", False]
        assert visit.run("document.body.dataset.python") == "loading"
        visit.run("player.set({w: 0.7})")
        assert visit.run("player.value('f')") == parse(EXAMPLES[0].source)(0.7, 2.0, -0.4)
        visit.wait(READY)
        assert visit.text("state") == WORDS["ready"].format(version=version("scalar-autograd"))

    def test_an_expression_of_ones_own_plays(self, visit: Visit) -> None:
        visit.open(motion="no-preference")
        visit.write("#expression", "sin(a*x)**2 + a")
        visit.wait("by('variables').querySelector('[name=a]') && player?.steps === 8")
        assert visit.run("[...by('variables').querySelectorAll('input')].map(field => [field.name, field.value])") == [
            ["a", "0.5"], ["x", "2"],
        ]  # fmt: skip
        visit.wait("player.step > 4")
        assert visit.run("find('.problem').hidden")
        visit.run("player.goto(7)")
        assert "v1 = a·x" in visit.run("find('.card').innerText")

    def test_a_value_is_changed_in_its_field_and_in_the_player(self, visit: Visit) -> None:
        visit.open()
        visit.write("[name=w]", "1/4")
        f = parse(EXAMPLES[0].source)
        assert visit.run("player.value('f')") == f(0.25, 2.0, -0.4)
        visit.run("player.set({b: 0.5})")
        visit.wait("document.querySelector('[name=b]').value === '0.5'")
        assert visit.state()["values"] == {"w": 0.25, "x": 2, "b": 0.5}
        visit.write("[name=w]", "a quarter")
        assert visit.text("problem") == WORDS["not-number"].format(name="w")
        assert visit.run("document.querySelector('[name=w]').ariaInvalid") == "true"
        assert visit.run("player.value('f')") == f(0.25, 2.0, 0.5), "the last number stays"

    def test_a_step(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click(f"{HOST} >>> .next")
        visit.browser.click(f"{HOST} >>> .next")
        assert visit.run("player.step") == 2
        assert visit.state()["step"] == 2

    def test_an_error_is_shown_at_its_place(self, visit: Visit) -> None:
        visit.open()
        for text, shown, marked in (
            ("2*tahn(w)", "column 3, `tahn(w)`: there is no function tahn; is tanh meant?", "tahn(w)"),
            ("w + ", "column 5: the expression ends too early", " "), ("log(w - 2)", "log(-1.5)", "log(w - 2)"),
            ("2 + 3", "2 + 3 is 5; there is no variable in it", None),
        ):  # fmt: skip
            visit.write("#expression", text)
            visit.browser.press("Enter")
            visit.wait(f"by('problem').innerText.includes({json.dumps(shown)})")
            assert visit.run("by('problem').querySelector('mark')?.textContent ?? null") == marked
            assert visit.run("[player.steps, by('expression').ariaInvalid]") == [10, "true"], "the graph that worked stays"
        visit.write("#expression", "w + 1")
        visit.browser.press("Enter")
        visit.wait("by('problem').hidden && player.steps === 2 && by('expression').ariaInvalid === 'false'")

    def test_every_example_is_what_python_makes(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        for i, example in enumerate(EXAMPLES):
            shown = Session().show(**example.content)
            visit.run(f"by('example').value = '{i}', by('example').dispatchEvent(new Event('change'))")
            visit.wait(f"host.ariaLabel && player?.steps === {shown['steps']}")
            assert visit.run("find('.problem').hidden"), example.title
        visit.wait(READY)
        for i, example in enumerate(EXAMPLES):  # now computed there, with the layout of the browser
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


class TestCode:
    def test_a_cell_is_run(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click("[value=code]")
        visit.write("#code", 'w = Value(3.0)\nprint("w is", w.data)\nloss = w * w + 1')
        visit.browser.call(
            "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, modifiers=2
        )
        visit.wait("player?.steps === 4")
        assert visit.run("player.value('loss')") == 10
        assert visit.run("by('output').querySelector('pre').textContent") == "w is 3.0\n"
        visit.run("player.set({w: 2.5})")
        assert "# changed in the player: w = 2.5" in visit.open_tab("code", "changed")

    def test_an_error_is_shown_at_its_line(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click("[value=code]")
        for code, text, line in (
            ("x = 1\ny = x / 0\ny", "ZeroDivisionError: ", 2), ("x = (1\ny", "SyntaxError: ", 1),
            ("3.0", "the cell ends in a float; ", 1), ("def f():\n    return f()\n\nf()", "RecursionError: ", 2),
            ("log(Value(-1.0))", "log(-1.0) has no value: log needs x > 0", 1), ("exit()", "SystemExit", 1),
        ):  # fmt: skip
            visit.write("#code", code)
            visit.browser.click("#run")
            visit.wait(f"by('problem').innerText.includes({json.dumps(text)})")
            assert visit.text("problem").startswith(f"line {line}: ")
            assert visit.run("by('lines').querySelector('.wrong').textContent.trim()") == str(line)

    def test_an_endless_loop_is_stopped(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click("[value=code]")
        visit.write("#code", ENDLESS)
        visit.browser.click("#run")
        visit.wait("!by('stop').hidden")
        visit.browser.click("#stop")
        visit.wait(f"by('stop').hidden && {READY}")
        assert visit.text("notice") == WORDS["stopped"]
        visit.write("#code", "x = Value(2.0)\nx * x")
        visit.browser.click("#run")
        visit.wait("player?.steps === 2")

    def test_code_sends_nothing(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click("[value=code]")
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
        visit.write("#code", code)
        visit.browser.click("#run")
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
    def test_why(self, visit: Visit) -> None:
        visit.open()
        visit.write("[name=w]", "1")
        visit.open_tab("why", "The gradient")
        visit.run("by('node').value = 'x', by('node').dispatchEvent(new Event('change'))")
        visit.wait("by('reasons').querySelectorAll('math').length > 5")
        session = Session()
        session.show(**EXAMPLES[0].content)
        expected = session.why({"w": 1.0}, "x")
        assert (
            visit.run("[...by('reasons').querySelectorAll('td math')].map(e => e.innerHTML)")
            == list(expected["ledger"][0].values())[:4]
        )
        derivation = "[...by('reasons').querySelectorAll('.formula math')].at(-1).outerHTML"
        assert visit.run(derivation) == expected["derivation"]
        right, left = visit.run(
            "[...by('reasons').querySelectorAll('mtd')].slice(0, 2).map(e => getComputedStyle(e).textAlign)"
        )
        assert (right, left) == ("right", "left")

    def test_check(self, visit: Visit) -> None:
        visit.open()
        assert "correct: 3 derivatives and 7 local ones agree" in visit.open_tab("check", "∂f/∂w")
        visit.write("#expression", "relu(x)")
        visit.write("[name=x]", "0")
        visit.wait("by('report').innerText.includes('kink')")

    def test_an_exercise_is_done(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click("#tab-exercise")
        visit.wait(f"document.querySelector('{TASK}')?.player")
        asked = f"[...document.querySelector('{TASK}').shadowRoot.querySelectorAll"
        assert visit.run(f"{asked}('.question label')].map(e => e.textContent.trim())") == ["∂f/∂w =", "∂f/∂x =", "∂f/∂b ="]
        visit.browser.click(f"{TASK} >>> .hint")
        assert visit.run(f"{asked}('.hints li')].map(e => e.textContent)") == ["w feeds v1 = w·x"]
        for i, answer in enumerate(["2*v4*(1 - v3**2)*x", "(((", "-0.9259"], 1):
            visit.browser.click(f"{TASK} >>> .question:nth-child({i}) .answer")
            visit.browser.type(answer)
            visit.browser.press("Enter")
        right, unread, wrong = visit.run(f"{asked}('.question .mark')].map(e => e.textContent)")
        assert right.endswith("is right")
        assert "cannot be read" in unread
        assert "the derivative of the activation" in wrong
        visit.browser.click("#tab-step")
        visit.browser.click("#tab-exercise")
        assert visit.run(f"{asked}('.question .mark')].map(e => e.textContent)") == [right, unread, wrong], "it stays"
        visit.write("[name=w]", "2")
        visit.wait(f"document.querySelector('{TASK}')?.player && {asked}('.question .mark')].every(e => !e.textContent)")

    def test_exercises_of_a_level(self, visit: Visit) -> None:
        visit.open()
        visit.browser.click("#tab-exercise")
        seen = set()
        for kind in ("4", "order", "1"):
            visit.run(f"by('kind').value = '{kind}', by('kind').dispatchEvent(new Event('change'))")
            visit.wait(f"document.querySelector('{TASK}')?.player && by('task').dataset.kind === '{kind}'")
            seen.add(visit.run(f"document.querySelector('{TASK}').shadowRoot.querySelector('.exercise').innerText"))
        visit.browser.click("#another")
        visit.wait(
            f"!{json.dumps([*seen])}.includes(document.querySelector('{TASK}').shadowRoot.querySelector('.exercise').innerText)"
        )
        assert len(seen) == 3

    def test_code_makes_the_same_graph(self, visit: Visit) -> None:
        visit.open()
        visit.write("[name=w]", "0.75")
        visit.open_tab("code", "0.75")
        program = visit.run("by('source').textContent")
        names: dict[str, Any] = {}
        exec(program, names)
        assert names["f"].data == parse(EXAMPLES[0].source)(0.75, 2.0, -0.4)

    def test_the_tabs_are_moved_between_by_keys(self, visit: Visit) -> None:
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


class TestLinks:
    def test_a_link_carries_everything(self, visit: Visit) -> None:
        visit.open()
        visit.write("#expression", "dot([u, v], [x, y], b)**2")
        visit.wait("player?.steps === 4")
        visit.write("[name=u]", "-3")
        visit.run("player.goto(3)")
        state = visit.state()
        address = visit.run("location.hash")
        assert state["values"] == {"u": -3, "v": 2, "x": 2, "y": 1, "b": -0.4}, "x and b had numbers"
        visit.open(address)
        visit.wait("player?.steps === 4")
        assert visit.run("[player.step, player.value('u'), by('expression').value]") == [3, -3, "dot([u, v], [x, y], b)**2"]
        assert visit.state() == state

    def test_an_expression_runs_at_once(self, visit: Visit) -> None:
        visit.open(link(expression="w*w*w", values={"w": 2}, step=1, tab="why"))
        visit.wait("by('reasons').querySelector('math')")
        assert visit.run("player.value('f')") == 8
        assert visit.run("by('panel-step').hidden")

    def test_a_link_to_an_example_needs_no_python(self, visit: Visit) -> None:
        visit.open(link(expression=EXAMPLES[4].source, values={"w": 7}, step=2), is_ready=False)
        visit.wait("player?.steps === 6 && player.step === 2")
        assert visit.run("[player.value('w'), document.querySelector('[name=w]').value]") == [7, "7"]

    def test_code_runs_only_after_a_click_that_shows_it(self, visit: Visit) -> None:
        code = "import js\njs.globalThis.ran = True\nw = Value(3.0)\nw * w"
        visit.open(link(code=code, values={"w": 2.5}, step=1))
        visit.browser.run("new Promise(done => setTimeout(done, 700))")
        assert visit.run("[by('gate').hidden, by('code').value, host]") == [False, "", None]
        assert visit.text("gate").startswith(WORDS["link-code"])
        visit.browser.click("#show-code")
        assert visit.run("[by('gate').hidden, by('code').value, host]") == [True, code, None]
        assert visit.run("document.activeElement.id") == "run"
        visit.browser.press("Enter")
        visit.wait("player?.steps === 2")
        assert visit.run("[player.step, player.value('w')]") == [1, 2.5]

    def test_a_link_is_followed_in_an_open_page(self, visit: Visit) -> None:
        visit.open()
        visit.run(f"location.hash = {json.dumps(link(expression='x + 3', values={'x': 4}))}")
        visit.wait("player?.steps === 2 && player.value('f') === 7")

    @pytest.mark.parametrize("fragment", ["#eJw", "#!!!", link(expression=3), link(), "#" + "A" * 50])
    def test_a_broken_link_is_called_broken(self, visit: Visit, fragment: str) -> None:
        visit.open(fragment, is_ready=False)
        visit.wait("by('notice').textContent")
        assert visit.text("notice") == WORDS["link-broken"]
        assert visit.run("player.steps") == 10

    def test_what_a_link_may_hold_is_checked(self, visit: Visit) -> None:
        state = {
            "expression": "x*x",
            "values": {"x": "Infinity", "y": "<b>", "z": []},
            "step": -1,
            "view": "<b>",
            "language": "xx",
        }
        visit.open(link(**state))
        visit.wait("player?.steps === 2 && by('expression').value === 'x*x'")
        assert visit.run("[player.value('x') === Infinity, player.step, document.documentElement.lang]") == [True, 0, "en"]

    def test_a_long_link_says_so(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        visit.browser.click("[value=code]")
        noise = "".join(base64.b64encode(os.urandom(9000)).decode())
        visit.write("#code", f"# {noise}\nValue(1.0) + 1")
        visit.browser.click("#link")
        visit.wait("by('notice').textContent.includes('kB')")
        assert "more than 8 kB" in visit.text("notice")
        visit.write("#code", "Value(1.0) + 1")
        visit.browser.click("#link")
        visit.wait("!by('notice').textContent.includes('kB')")


class TestThePage:
    def test_the_second_visit_needs_no_network(self, chromium: Browser, site: Site) -> None:
        server = Server(site.folder)
        visit = Visit(chromium, server.address)
        visit.open()
        visit.browser.run("navigator.serviceWorker.ready.then(() => 1)")
        server.stop()
        visit.open(link(expression="cosh(x)", values={"x": 0.5}))
        visit.wait("player?.steps === 2")
        assert "correct" in visit.open_tab("check", "∂f/∂x")
        assert not chromium.complaints

    def test_it_fits_any_window(self, visit: Visit) -> None:
        visit.open(width=360)
        for tab in ("why", "check", "exercise", "code", "step"):
            visit.browser.click(f"#tab-{tab}")
            visit.wait(f"document.querySelector('#panel-{tab} :is(math, td, .autograd-player, #source:not(:empty))')")
            assert visit.run("document.documentElement.scrollWidth") <= 360, tab
        sizes = visit.run("""[...document.querySelectorAll("button, select, input:not([type=radio])")]
            .filter(e => e.offsetParent).map(e => [e.id || e.name || e.textContent, e.getBoundingClientRect().height])""")
        assert not [name for name, height in sizes if height < 40]
        for width, scheme in ((360, "dark"), (768, "light"), (1280, "dark"), (1920, "light")):
            visit.open(is_ready=False, width=width, prefers_color_scheme=scheme)
            assert visit.run("document.documentElement.scrollWidth") <= width
            dark = visit.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 29)"
            assert dark is (scheme == "dark")

    def test_nothing_shifts(self, visit: Visit) -> None:
        watch = """globalThis.shifts = [];
            new PerformanceObserver(list => shifts.push(...list.getEntries().map(e => e.value)))
                .observe({type: "layout-shift", buffered: true});"""
        script = visit.browser.call("Page.addScriptToEvaluateOnNewDocument", source=watch)["identifier"]
        try:
            visit.open()
            assert sum(visit.browser.run("shifts")) < 0.05
        finally:
            visit.browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)

    def test_everything_has_a_name(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        tree = visit.browser.call("Accessibility.getFullAXTree")["nodes"]
        controls = ("button", "textbox", "combobox", "radio", "tab", "tabpanel", "slider", "spinbutton")
        found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]]
        assert len([role for role, _ in found if role in controls]) > 20
        assert not [role for role, name in found if role in controls and not name]

    def test_a_language_is_a_column_of_the_table(
        self, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        modules()
        turned = {key: word[::-1] if "{" not in word else f"~{word}" for key, word in WORDS.items()}
        monkeypatch.setitem(LANGUAGES, "xx", turned | {"direction": "rtl", "language-name": "Turned"})
        server = Server(write_site(tmp_path).folder)
        visit = Visit(chromium, server.address)
        visit.open(link(expression="w*w + 4*w", values={"w": 1}, language="xx"), is_ready=False)
        visit.wait("document.documentElement.lang === 'xx'")
        assert visit.run("[document.documentElement.dir, document.title, by('tab-why').textContent]") == [
            "rtl", turned["title"], turned["why"],
        ]  # fmt: skip
        assert visit.run("[find('.play').ariaLabel, find('.card th').textContent, find('.train').textContent]") == [
            turned["Play"], turned["rule"], turned["Train"],
        ]  # fmt: skip
        assert visit.run("find('.card .place').textContent") == "~Forward 1 of 3 →"
        visit.run("by('language').value = 'en', by('language').dispatchEvent(new Event('change'))")
        assert visit.run("[document.documentElement.dir, by('tab-why').textContent]") == ["ltr", "Why"]
        assert visit.run("[find('.play').ariaLabel, find('.card th').textContent, find('.train').textContent]") == [
            "Play", "rule", "Train",
        ]  # fmt: skip
        server.stop()

    def test_the_programs_may_come_from_the_public_cdn(self, chromium: Browser, tmp_path: Path) -> None:
        npm, server = modules(), Server(write_site(tmp_path).folder)
        files = {address(p.folder, file): (npm / p.name / file).read_bytes() for p in PROGRAMS for file in p.files}
        chromium.stand_in(files)
        try:
            visit = Visit(chromium, server.address)
            visit.open(link(expression="sqrt(x)", values={"x": 4}))
            visit.wait("player?.steps === 2")
            assert not chromium.complaints
            assert {each for each in chromium.requests if "jsdelivr" in each} == set(files)
        finally:
            chromium.stand_in({})
            server.stop()

    def test_a_file_that_was_changed_is_refused(self, chromium: Browser, site: Site, tmp_path: Path) -> None:
        folder = tmp_path / "changed"
        for file in site.files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            data = (site.folder / file).read_bytes()
            (folder / file).write_bytes(data + b" " if file == "viz/viz.js" else data)
        server = Server(folder)
        visit = Visit(chromium, server.address)
        visit.open(is_ready=False)
        visit.wait("document.body.dataset.python === 'failed'")
        assert visit.run("[by('retry').hidden, player.steps]") == [False, 10]
        server.stop()
