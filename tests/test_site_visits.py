"""The page for everyone in a real browser: links, windows of every size, and visits without a network."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from browser import Browser
from visits import READY, Server, Visit, link, modules

from autograd.site import Site, write_site
from autograd.site.examples import EXAMPLES
from autograd.site.vendored import PROGRAMS
from autograd.site.words import LANGUAGES

WORDS = LANGUAGES["en"]

pytestmark = pytest.mark.slow  # each page starts Python anew, which takes some seconds


class TestLinks:
    def test_a_link_carries_everything(self, visit: Visit) -> None:
        visit.open()
        visit.write("#expression", "dot([u, v], [x, y], b)**2")
        visit.wait("player?.steps === 4")
        visit.write("[name=u]", "-3")
        visit.run("player.goto(3)")
        state = visit.state()
        address = visit.run("location.hash")
        assert state["values"] == {"u": -3, "v": 2, "x": 2, "y": 1, "b": -0.4}, "x and b keep their numbers"
        visit.open(address)
        visit.wait("player?.steps === 4")
        assert visit.run("[player.step, player.value('u'), by('expression').value]") == [3, -3, "dot([u, v], [x, y], b)**2"]
        assert visit.state() == state

    def test_a_link_has_the_expression_until_there_is_code(self, visit: Visit) -> None:
        visit.open(link(expression="w*w", values={"w": 2}))
        visit.wait("player?.steps === 2")
        visit.browser.click("[value=code]")
        visit.run("player.goto(1)")
        state = visit.state()
        assert (state["expression"], state["values"], state["step"]) == ("w*w", {"w": 2}, 1)

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

    @pytest.mark.parametrize("tab", ["step", "why"])
    def test_a_link_stays_in_the_address_until_its_graph_is_shown(self, visit: Visit, tab: str) -> None:
        """The page's own example neither takes the link's place in the address nor stands beneath what is wrong with it."""
        for state in ({"code": "w = Value(3.0)\nw * w"}, {"expression": "log(x", "values": {"x": 3}}):
            address = link(**state, step=1, tab=tab, language="en")
            visit.open(address)
            visit.browser.run("new Promise(done => setTimeout(done, 1500))")
            assert visit.run("[location.hash, host]") == [address, None]
            assert visit.text("panel-" + tab).endswith(WORDS["nothing"])

    def test_numbers_in_a_link_may_be_undefined(self, visit: Visit) -> None:
        visit.open(link(expression="log(x)*y", values={"x": -1, "y": 3}, step=1))
        visit.wait("player?.step === 1")
        assert visit.run("[player.value('x'), player.value('y'), player.value('f')]") == [-1, 3, None]
        assert visit.run("find('.problem').textContent").startswith("log(-1.0) is undefined")
        assert visit.run("document.querySelector('[name=x]').value") == "-1"
        visit.write("[name=x]", "1")
        visit.wait("player.value('f') === 0")
        visit.open(link(expression="log(x) + log(0 - y)", values={"x": -1, "y": 3}))
        visit.wait("!by('problem').hidden")
        visit.browser.run("new Promise(done => setTimeout(done, 300))")
        assert "log(-1.0)" in visit.text("problem") and visit.run("host") is None
        assert visit.run("[...by('variables').querySelectorAll('input')].map(field => field.value)") == ["-1", "3"]

    def test_the_way_back_from_a_link_leads_to_what_was_there(self, visit: Visit) -> None:
        visit.open(link(expression="x + 3", values={"x": 4}))
        visit.wait("player?.value('f') === 7")
        visit.run("player.set({x: 5})")
        visit.wait("document.querySelector('[name=x]').value === '5'")
        visit.browser.run("new Promise(done => setTimeout(done, 700))")  # the page has written its address
        visit.run(f"location.hash = {json.dumps(link(code='Value(1.0) * 2'))}")
        visit.wait("!by('gate').hidden")
        visit.run("history.back()")
        visit.wait("player?.value('f') === 8")
        assert visit.run("[by('gate').hidden, by('expression').value]") == [True, "x + 3"]

    def test_a_link_is_followed_in_an_open_page(self, visit: Visit) -> None:
        visit.open()
        visit.run(f"location.hash = {json.dumps(link(expression='x + 3', values={'x': 4}))}")
        visit.wait("player?.steps === 2 && player.value('f') === 7")

    @pytest.mark.parametrize("fragment", ["#eJw", "#!!!", link(expression=3), link(), "#" + "A" * 50])
    def test_a_broken_link_is_reported(self, visit: Visit, fragment: str) -> None:
        visit.open(fragment, is_ready=False)
        visit.wait("by('notice').textContent")
        assert visit.text("notice") == WORDS["link-broken"]
        assert visit.run("player.steps") == 10

    def test_the_state_in_a_link_is_checked(self, visit: Visit) -> None:
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

    def test_a_long_link_is_reported(self, visit: Visit) -> None:
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
    def test_only_the_worker_of_the_page_before_is_left_out_of_its_requests(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        for server in ("http://127.0.0.1:1/", visit.address, "null/"):
            given = {"loaderId": "", "documentURL": f"blob:{server}1", "request": {"url": f"{server}late"}}
            visit.browser.events.append({"method": "Network.requestWillBeSent", "params": given})
        assert [each for each in visit.browser.requests if "late" in each] == [f"{visit.address}late", "null/late"]
        visit.browser.events.clear()

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
        visit.write("#expression", f"logsumexp([{', '.join(f'a{i}' for i in range(1, 9))}])")
        visit.browser.press("Enter")
        visit.wait("player?.steps === 2")
        for tab in ("why", "check"):
            visit.open_tab(tab, "a8")
            for width in (360, 641, 768, 1024, 1280):
                visit.browser.resize(width)
                assert visit.run("document.documentElement.scrollWidth") <= width, (tab, width)
        visit.browser.resize(360)
        sizes = visit.run("""[...document.querySelectorAll("button, select, input:not([type=radio])")]
            .filter(e => e.offsetParent).map(e => [e.id || e.name || e.textContent, e.getBoundingClientRect().height])""")
        assert not [name for name, height in sizes if height < 40]
        for width, scheme in ((360, "dark"), (768, "light"), (1280, "dark"), (1920, "light")):
            visit.open(is_ready=False, width=width, prefers_color_scheme=scheme)
            assert visit.run("document.documentElement.scrollWidth") <= width
            dark = visit.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 29)"
            assert dark is (scheme == "dark")

    def test_in_forced_colours_the_open_tab_is_seen(self, visit: Visit) -> None:
        visit.open(is_ready=False, forced_colors="active")
        first, second = visit.run("['step', 'why'].map(tab => getComputedStyle(by('tab-' + tab)).backgroundColor)")
        assert first != second

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

    def test_every_control_has_a_name(self, visit: Visit) -> None:
        visit.open(is_ready=False)
        tree = visit.browser.call("Accessibility.getFullAXTree")["nodes"]
        controls = ("button", "textbox", "combobox", "radio", "tab", "tabpanel", "slider", "spinbutton")
        found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]]
        assert len([role for role, _ in found if role in controls]) > 20
        assert not [role for role, name in found if role in controls and not name]

    def test_a_language_needs_only_a_column_of_the_table(
        self, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        modules("pyodide", "@viz-js/viz")
        turned = {key: word[::-1] if "{" not in word else f"~{word}" for key, word in WORDS.items()}
        monkeypatch.setitem(LANGUAGES, "xx", turned | {"direction": "rtl", "language-name": "Turned"})
        server = Server(write_site(tmp_path).folder)
        visit = Visit(chromium, server.address)
        visit.open(link(expression="w*w + 4*w", values={"w": 1}, language="xx"), is_ready=False)
        visit.wait("document.documentElement.lang === 'xx' && player?.steps === 6")  # until then, the first example is shown
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
        npm, server = modules("pyodide", "@viz-js/viz"), Server(write_site(tmp_path).folder)
        files = {p.address(file): (npm / p.name / file).read_bytes() for p in PROGRAMS for file in p.files}
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
        visit.write("#expression", "w*w + 3*w")
        visit.wait("!by('problem').hidden")
        (folder / "viz/viz.js").write_bytes((site.folder / "viz/viz.js").read_bytes())
        visit.browser.click("#retry")
        visit.wait(f"{READY} && player.steps === 6 && by('problem').hidden")
        server.stop()
