"""The page for everyone, without a browser: its files, Python's side of it, formulas as MathML, and the command line."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from engines import Engine
from test_main import refusal

from autograd import Value, explain, tanh, walk, where
from autograd.__main__ import main
from autograd.exercises import exercise
from autograd.exercises.questions import KINDS
from autograd.expressions import parse
from autograd.player import ASKING, SCRIPTS
from autograd.player.asked import reveal
from autograd.player.javascript import to_javascript
from autograd.rows import TABLE
from autograd.site import FROM_PLAYER, functions, in_words, make_site, vendored, write_site
from autograd.site.examples import EXAMPLES
from autograd.site.mathml import COMMANDS, to_mathml
from autograd.site.mathml import math as as_math
from autograd.site.session import MOST_OUTPUT, Session
from autograd.site.source import write_expression
from autograd.site.vendored import PROGRAMS, VendorError, collect
from autograd.site.wheel import make_wheel
from autograd.site.words import FRAME, LANGUAGES, SPOKEN
from autograd.strategies import ROWS, widths
from autograd.symbol import Symbol, operand_names
from autograd.writing import latex, latex_name

SITE = Path(vendored.__file__).parent
PLAYER = SITE.parent / "player"
PARTS = {path.name: path.read_text(encoding="utf-8") for path in SITE.iterdir() if path.suffix in (".html", ".js")}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """The files of the site."""
    return make_site()


def page(made: dict[str, bytes]) -> str:
    return made["index.html"].decode()


def policy(made: dict[str, bytes]) -> dict[str, list[str]]:
    [text] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page(made))
    return {name: sources for name, *sources in (part.split() for part in unescape(text).split(";"))}


class TestFiles:
    def test_the_site_is_small_and_the_same_each_time(self, made: dict[str, bytes]) -> None:
        assert make_site() == made
        assert sum(map(len, made.values())) < 600_000

    def test_other_files_of_the_folder_are_kept(
        self, made: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("autograd.site.make_site", lambda vendor: made)
        folder = tmp_path / "a" / "b"
        folder.mkdir(parents=True)
        (folder / "CNAME").write_text("x", encoding="utf-8")
        site = write_site(folder)
        assert {path.name for path in folder.iterdir()} == {"CNAME", *site.files}
        assert site.vendored == 0

    def test_the_page_begins_with_the_first_of_its_examples(self, made: dict[str, bytes]) -> None:
        text = page(made)
        assert f'id="expression" type="text" value="{EXAMPLES[0].source}"' in text
        assert text.index(f'<option value="0">{EXAMPLES[0].title}') < text.index(f'<option value="1">{EXAMPLES[1].title}')

    def test_the_wheel_installs_and_says_its_version(self, tmp_path: Path) -> None:
        name, data = make_wheel()
        assert name == f"scalar_autograd-{version('scalar-autograd')}-py3-none-any.whl"
        (tmp_path / name).write_bytes(data)
        with zipfile.ZipFile(tmp_path / name) as wheel:
            assert wheel.testzip() is None
            [record] = [each for each in wheel.namelist() if each.endswith("RECORD")]
            listed = [line.split(",") for line in wheel.read(record).decode().splitlines()]
            assert sorted(path for path, *_ in listed) == sorted(wheel.namelist())
            for path, digest, size in listed:
                if digest:
                    held = wheel.read(path)
                    right = base64.urlsafe_b64encode(hashlib.sha256(held).digest()).decode().rstrip("=")
                    assert (digest, int(size)) == (f"sha256={right}", len(held))
        run = subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / name)!r})\n"
             "import autograd, nn, importlib.metadata\nfrom autograd.expressions import parse\n"
             "assert '.whl' in autograd.__file__ and '.whl' in nn.__file__\n"
             "print(importlib.metadata.version('scalar-autograd'), autograd.walk(parse('x**2')(autograd.Value(3.0)))[0])"],
            capture_output=True, text=True, encoding="utf-8", check=True, env={"PYTHONUTF8": "1"},
        )  # fmt: skip
        assert run.stdout == f"{version('scalar-autograd')} forward 1/1: loss = v1² = 3² = 9\n"

    def test_a_wheel_made_in_a_clone_has_its_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a clone, Python finds setuptools' folder first, where METADATA is called PKG-INFO."""
        about = distribution("scalar-autograd")
        text = about.read_text("METADATA") or about.read_text("PKG-INFO")
        monkeypatch.setattr(type(about), "read_text", lambda self, name: text if name == "PKG-INFO" else None)
        name, data = make_wheel()
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            metadata = wheel.read(f"{name.partition('-py3')[0]}.dist-info/METADATA").decode()
        assert f"\nVersion: {about.version}\n" in metadata

    def test_every_word_is_in_the_table_and_every_word_of_the_table_is_used(self) -> None:
        html, script = PARTS["site.html"], "".join(text for name, text in PARTS.items() if name.endswith(".js"))
        used = set(re.findall(r'data-(?:word|label)="([\w-]+)"', html + (SITE / "__init__.py").read_text(encoding="utf-8")))
        used |= set(re.findall(r'(?:word|heading)\("([\w-]+)"', script))
        chosen = re.findall(r"heads = \[[^\]]*\]|(?:isBusy|wasReady) \? [^,)]*", script)
        used |= set(re.findall(r'"([\w-]+)"', " ".join(chosen)))
        used |= {f"task-{kind}" for kind in (*KINDS, "1", "2", "3", "4")} | {"direction", "title", "language-name"}
        assert used | set(FRAME) | set(SPOKEN) == set(LANGUAGES["en"])

    def test_the_words_of_the_player_are_those_of_its_files(self) -> None:
        frame = PLAYER.joinpath("player.html").read_text(encoding="utf-8")
        script = in_words("".join(PLAYER.joinpath(name).read_text(encoding="utf-8") for name in (*SCRIPTS, *ASKING)))
        assert not [phrase for phrase in SPOKEN if f"word({json.dumps(phrase, ensure_ascii=False)}" not in script]
        fixed = {text.strip() for text in re.findall(r'(?:aria-label|title)="([^"]+)"|>([^<$]+)<', frame) for text in text}
        assert {text for text in fixed if re.search(r"[a-z]{3}", text)} | {"Neurons", "Nodes"} == set(FRAME)

    def test_the_names_that_the_page_takes_from_the_player_are_declared_there(self) -> None:
        script = "".join(PLAYER.joinpath(name).read_text(encoding="utf-8") for name in (*SCRIPTS, *ASKING))
        declared = re.findall(r"^(?:class|const|function) (\w+)", script, re.MULTILINE)
        assert {*FROM_PLAYER} <= {*declared}
        assert "{" + ", ".join((*FROM_PLAYER, "FUNCTIONS")) + "} = playerIn(" in PARTS["site.js"]

    def test_the_policy_allows_what_is_needed_and_no_more(self, made: dict[str, bytes]) -> None:
        found = policy(made)
        assert found["default-src"] == ["'none'"]
        assert found["script-src"] == ["'self'", "blob:", "'wasm-unsafe-eval'"]
        assert found["connect-src"][0] == "'self'"
        assert all(each.startswith("https://cdn.jsdelivr.net/npm/") and "@" in each for each in found["connect-src"][1:])
        assert len(found["connect-src"]) == 1 + sum(len(program.files) for program in PROGRAMS)
        [style] = re.findall(r"<style>(.*?)</style>", page(made), re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert found["style-src"][:2] == ["'self'", f"'sha256-{hashed}'"]
        assert len(found["style-src"]) == 3, "the styles of the player and of exercises"
        assert not re.findall(r"<[^>]* (?:on\w+|style)=", page(made)), "the policy forbids these"

    def test_every_file_that_is_loaded_has_its_digest(self, made: dict[str, bytes]) -> None:
        [data] = re.findall(r'<script type="application/json" id="site">(.*?)</script>', page(made), re.DOTALL)
        files = json.loads(data)["files"]
        assert all(re.fullmatch(r"sha384-[\w+/]{64}", each["integrity"]) for each in files)
        for each in files:
            if each["address"] in made:
                assert each["integrity"] == vendored.digest(made[each["address"]])
        linked = re.findall(r'(?:href|src)="(site\.\w+)" integrity="([^"]*)"|src="(site\.js)" integrity="([^"]*)"', page(made))
        assert {vendored.digest(made[name]) for name in ("site.css", "site.js")} <= {part for found in linked for part in found}

    def test_the_page_contains_the_first_player_and_lists_the_files_to_load(self, made: dict[str, bytes]) -> None:
        [text] = re.findall(r'<script type="application/json" id="site">(.*?)</script>', page(made), re.DOTALL)
        data = json.loads(text)
        pinned = [program.address(file) for program in PROGRAMS for file in program.files]
        wheel = next(name for name in made if name.endswith(".whl"))
        assert [each["address"] for each in data["files"]] == [wheel, "worker.js", *pinned]
        first = Session().show(**EXAMPLES[0].content)
        assert first.pop("markup") in page(made) and data["first"] == json.loads(json.dumps(first))
        assert data["version"] == version("scalar-autograd")
        assert re.search(r'const VERSION = "[0-9a-f]{12}",', made["service-worker.js"].decode())

    def test_the_size_leaves_out_the_programs_of_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograd.site.make_site", lambda vendor: {"index.html": b"12", "pyodide/pyodide.mjs": b"345"})
        site = write_site(tmp_path / "new" / "folder")
        assert (site.size, site.vendored) == (2, 3)
        assert (tmp_path / "new" / "folder" / "pyodide" / "pyodide.mjs").read_bytes() == b"345"

    def test_the_service_worker_keeps_every_file_of_its_own(self, made: dict[str, bytes]) -> None:
        head = made["service-worker.js"].decode().partition("\n")[0]
        own = json.loads(head.partition("FILES = ")[2].rstrip(";"))
        assert set(own) == {"./", *(name for name in made if not name.endswith(".whl") and name != "service-worker.js")}

    def test_a_change_of_any_file_is_a_new_version(self, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(LANGUAGES["en"], "intro", "Another.")
        other = make_site()
        assert other["service-worker.js"] != made["service-worker.js"]

    def test_the_players_of_the_examples_were_made(self, made: dict[str, bytes]) -> None:
        players = json.loads(zlib.decompress(made["examples.bin"]))
        [style] = re.findall(r"<style>.*?</style>", page(made), re.DOTALL)
        for example, player in zip(EXAMPLES[1:], players, strict=True):
            player["markup"] = player["markup"].replace("<style></style>", style)
            assert player == json.loads(json.dumps(Session().show(**example.content)))

    def test_pinned_addresses_have_their_versions(self) -> None:
        assert PROGRAMS[1].address("dist/viz.js") == "https://cdn.jsdelivr.net/npm/@viz-js/viz@3.31.0/dist/viz.js"
        workflow = (SITE.parent.parent / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8")
        ci = (SITE.parent.parent / ".ci" / "run").read_text(encoding="utf-8")
        for text in (workflow, ci, (SITE / "README.md").read_text(encoding="utf-8")):
            assert all(f"{program.name}@{program.version}" in text for program in PROGRAMS)


class TestVendored:
    @pytest.fixture
    def modules(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder with one small package, which is pinned."""
        (tmp_path / "tiny" / "dist").mkdir(parents=True)
        (tmp_path / "tiny" / "dist" / "tiny.js").write_bytes(b"1")
        program = vendored.Program("tiny", "1.0.0", "small", {"dist/tiny.js": (1, vendored.digest(b"1"))})
        monkeypatch.setattr(vendored, "PROGRAMS", (program,))
        return tmp_path

    def test_files_are_copied(self, modules: Path) -> None:
        assert dict(collect(modules)) == {"small/tiny.js": b"1"}

    def test_another_file_is_refused(self, modules: Path) -> None:
        (modules / "tiny" / "dist" / "tiny.js").write_bytes(b"2")
        with pytest.raises(VendorError, match=r"not the file of version 1\.0\.0.*run `npm install tiny@1\.0\.0`"):
            dict(collect(modules))

    def test_a_missing_file_is_named(self, modules: Path) -> None:
        (modules / "tiny" / "dist" / "tiny.js").unlink()
        with pytest.raises(VendorError, match=r"tiny\.js cannot be read: No such file.*npm install tiny@1\.0\.0"):
            dict(collect(modules))


class TestSession:
    def test_call_passes_json(self) -> None:
        session = Session()
        shown = json.loads(session.call("show", '{"expression": "x*x", "values": {"x": 3}}'))
        assert (shown["leaves"], shown["names"], shown["steps"]) == ({"x": 3.0}, ["x", "f"], 2)

    def test_numbers_that_json_lacks(self) -> None:
        shown = json.loads(json.dumps(Session().show("x*y", {"x": math.inf, "y": math.nan}), allow_nan=False))
        assert shown["values"] == {"x": "Infinity", "y": "NaN"}
        assert json.loads(Session().call("show", json.dumps({"expression": "x*y", "values": shown["values"]}))) == shown

    def test_a_result_gets_another_name_where_a_variable_has_its_name(self) -> None:
        assert Session().show("f*f", {"f": 2.0})["names"] == ["f", "loss"]
        assert Session().show("x", {"x": 2.0})["steps"] == 0

    def test_a_cell_shows_its_last_expression_or_what_its_last_line_assigns(self) -> None:
        for code in ("w = Value(2.0)\nw * w", "w = Value(2.0)\nout = w * w", "w = Value(2.0)\nout = other = w * w",
                     "w = Value(2.0)\nout = w\nout *= w", "w = Value(2.0)\nout: Value = w * w"):  # fmt: skip
            shown = Session().show(code=code)
            assert (shown["leaves"], shown["steps"]) == ({"w": 2.0}, 2)

    def test_a_graph_that_is_too_large_is_refused_and_the_last_one_kept(self) -> None:
        session = Session()
        session.show("x*x", {"x": 3.0})
        refused = session.show(code="x = Value(1.0)\nfor _ in range(400):\n    x = tanh(x)\nx")
        assert "401 nodes" in refused["error"]["text"] and "limit=" not in refused["error"]["text"]
        assert session.code({})["text"].startswith("from autograd import Value\n\nx = Value(3.0")

    def test_a_cell_knows_every_public_name_and_names_its_leaves(self) -> None:
        shown = Session().show(code="import nn\nw = Value(2.0)\nb = 0.5\nout = tanh(w) + sum([w, b])\nout")
        assert shown["leaves"] == {"w": 2.0}
        assert shown["names"][-1] == "out"

    @pytest.mark.slow
    def test_every_tab_of_every_example(self) -> None:
        for example in EXAMPLES:
            session = Session()
            shown = session.show(**example.content)
            assert shown["rows"] != "null", example.title
            for name in (shown["names"][0], shown["names"][-1]):
                found = session.why({}, name)
                for text in (found["total"], found["derivation"], *(f"<math>{r['local']}</math>" for r in found["ledger"])):
                    ElementTree.fromstring(text)
            assert session.check({})["verdict"] in ("correct", "kink")
            for kind in (*KINDS, "1", "4"):
                task = session.exercise({}, kind)
                assert '"exercise":' in reveal(re.findall(r'class="data">([^<]*)<', task["markup"])[0]), (example.title, kind)
            exec(session.code({})["text"], {})

    def test_other_numbers_are_recomputed(self) -> None:
        session = Session()
        session.show("(w*x - 1)**2", {"w": 1.0, "x": 2.0})
        w, x = Value(3.0, label="w"), Value(2.0, label="x")
        loss = (w * x - 1) ** 2
        loss.label = "f"
        assert session.why({"w": 3.0}, "w")["text"] == str(explain(w, of=loss))
        assert session.check({"w": 3.0})["rows"][0][2] == "20"
        assert "Value(3.0" in session.code({"w": 3.0})["text"]

    def test_numbers_in_the_ledger_are_set_as_mathematics(self) -> None:
        session = Session()
        session.show("1e-7*x*y + relu(-x)", {"x": 2.0, "y": -3.0})
        products = [row["contribution"] for row in session.why({}, "x")["ledger"]]
        power = '<msup><mn>10</mn><mrow><mo form="prefix">−</mo><mn>7</mn></mrow></msup>'
        assert power in products[0] + products[1] and not any("<mi>e</mi>" in product for product in products)

    def test_a_letter_that_python_normalises_keeps_its_number(self) -> None:
        for key in "ϕφ":  # a symbol and the letter, which is its normal form
            shown = Session().show(expression="ϕ*x", values={key: 3.0, "x": 2.0})
            assert shown["values"] == {"φ": 3.0, "x": 2.0}

    def test_an_exercise_is_set_at_the_numbers_that_are_shown(self) -> None:
        session = Session()
        session.show("(w*x - 5)**2", {"w": 3.0, "x": 2.0})
        asked = session.exercise({"w": 4.0}, "gradients")
        w, x = Value(4.0, "w"), Value(2.0, "x")
        loss = (w * x - 5) ** 2
        loss.label = "f"
        assert asked["markup"] == exercise(loss, [w, x]).play().markup
        assert session.exercise({}, "1", seed=1) == session.exercise({}, "1", seed=1) != session.exercise({}, "1", seed=2)
        session.show("x", {"x": 1.0})
        assert "is a leaf" in session.exercise({}, "gradients")["error"]["text"]

    @pytest.mark.parametrize(("text", "start", "end"), [("x + foo(x)", 4, 10), ("x = 2", 2, 3), ("", 0, 0), ("log(0*x)", 0, 8)])
    def test_an_error_has_its_place(self, text: str, start: int, end: int) -> None:
        error = Session().show(text)["error"]
        assert (error["start"], error["end"]) == (start, end)
        assert error["text"].startswith(f"column {start + 1}")

    def test_an_error_of_syntax_has_its_line(self) -> None:
        error = Session().show(code="x = Value(1.0)\ny = (x")["error"]
        assert error == {"text": "SyntaxError: '(' was never closed", "line": 2}
        error = Session().show(code="\nraise SyntaxError('none', ('<cell>', None, None, None))")["error"]
        assert error == {"text": "SyntaxError: none", "line": 1}, "one that a program raises may have no line"

    def test_output_is_cut_beyond_the_limit(self) -> None:
        for beyond in (0, 1):
            output = Session().show(code=f"print('x' * {MOST_OUTPUT + beyond}, end='')")["output"]
            assert output == "x" * MOST_OUTPUT + "\n…" * beyond
        code = f"import sys\nn = sys.stdout.write('x' * {MOST_OUTPUT})\nprint(n, end='')\nprint(n)"
        output = Session().show(code=code)["output"]
        assert output == "x" * MOST_OUTPUT + "\n…", "a cut is marked, even if the limit was reached exactly"

    def test_write_returns_the_number_of_characters(self) -> None:
        assert Session().show(code="import sys\nValue(float(sys.stdout.write('four')))")["leaves"] == {"loss": 4.0}


class TestSource:
    @pytest.mark.parametrize("text", [
        "tanh(w*x + b)**2", "9**9**9*x", "abs(x) + e*pi", "x**2**3", "maximum(x, 1, 2)", "where(x > 0, x, 2*x)", "2**-1*x",
        "x // 2 + 7 % 3", "total([x, 1, x])", "f*x", "Value*print", "(1 > 0)*x", "dot([x, 2], [x, 3])", "-x**2", "1e999*x",
        "x * 10000000000000000000001", "x", "  x \n * 2 ", "x * (9007199254740993 - 9007199254740992)",
        "x * (9007199254740991 + 2 - 9007199254740991)", "x * (94906267*94906267 - 9007199515875289)",
    ])  # fmt: skip
    def test_the_program_makes_the_same_graph(self, text: str) -> None:
        formula = parse(text)
        values = {name: 1.5 + i for i, name in enumerate(formula.names)}
        names: dict[str, Any] = {}
        exec(write_expression(text, values), names)
        result = text if text in values else next(x for x in ("f", "loss", "result") if x in names and x not in values)
        made = names[result]
        variables = {name: Value(x, name) for name, x in values.items()}
        right = formula.evaluate(variables)
        assert repr(made.data) == repr(right.data)
        assert [step.numbers for step in walk(made)] == [step.numbers for step in walk(right)]


class TestMathML:
    def test_every_row_and_rule_is_read_completely(self) -> None:
        known = {"begin", "end"} | COMMANDS
        for row in TABLE.values():
            n = widths(row)[0]
            symbols = [Symbol(name) for name in operand_names(row, n)]
            formulas = [Symbol.applied(row, symbols), *row.partials(symbols, Symbol("out"), range(n))]
            for formula in formulas:
                text = formula.written(latex()) if isinstance(formula, Symbol) else str(formula)
                used = set(re.findall(r"\\([A-Za-z]+)", text))
                assert used <= known | {"lfloor", "rfloor", "lceil", "rceil"}, text
                tree = ElementTree.fromstring(f"<math>{to_mathml(text)}</math>")
                assert "\\" not in "".join(tree.itertext()), text

    @pytest.mark.parametrize(("text", "right"), [
        ("x^{2}_{1}", "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>"),
        (r"\sqrt[3]{x + 1}", "<mroot><mrow><mi>x</mi><mo>+</mo><mn>1</mn></mrow><mn>3</mn></mroot>"),
        ("x''", "<msup><mi>x</mi><mrow><mo>′</mo><mo>′</mo></mrow></msup>"), (r"\foo", "<mi>foo</mi>"),
        (r"\text{50\% \& <b>}", "<mtext>50% &amp; &lt;b&gt;</mtext>"), ("{}", "<mrow></mrow>"),
        ("a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"), ("x^", "<msup><mi>x</mi><mrow></mrow></msup>"),
    ])  # fmt: skip
    def test_single_formulas(self, text: str, right: str) -> None:
        assert to_mathml(text) == right

    @pytest.mark.parametrize("name", ["w_h", "w⁽¹⁾₀₂", "x′", "net_o", "a b & <c>", "50%", "v12", "out[3]", "\\", "a_{b", "~^"])
    def test_names_keep_their_characters(self, name: str) -> None:
        tree = ElementTree.fromstring(f"<math>{to_mathml(latex_name(name))}</math>")
        seen = "".join(tree.itertext())
        assert set(seen) - {"\u2061"} <= set(name) | set("012()"), seen

    def test_a_derivation_is_a_table_in_two_columns(self) -> None:
        w, x = Value(0.5, label="w"), Value(2.0, label="x")
        tree = ElementTree.fromstring(as_math(explain(w, of=tanh(w * x) ** 2).latex))
        rows = tree.findall("mtable/mtr")
        assert len(rows) > 3
        assert {len(row.findall("mtd")) for row in rows} == {2}


class TestCommandLine:
    def test_site(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--site", str(tmp_path / "s")]) == 0
        assert "Python and Graphviz from https://cdn.jsdelivr.net" in capsys.readouterr().out
        assert (tmp_path / "s" / "index.html").stat().st_size > 10_000

    def test_refusals(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        folder = str(tmp_path)
        assert "leave out x**2" in refusal(capsys, "x**2", "--site", folder)
        assert "leave out --steps" in refusal(capsys, "--serve", "--steps")
        assert "--site FOLDER --vendor DIR" in refusal(capsys, "--vendor", folder)
        assert "npm install pyodide@" in refusal(capsys, "--site", folder, "--vendor", folder)
        assert "invalid int" in refusal(capsys, "--serve", "http")
        assert "needs the name of a folder" in refusal(capsys, "--site", "")
        (tmp_path / "file").touch()
        monkeypatch.setattr("autograd.site.make_site", lambda vendor: {"index.html": b""})
        assert "file" in refusal(capsys, "--site", str(tmp_path / "file" / "s"))
        assert "port 70000" in refusal(capsys, "--serve", "70000")

    def test_without_a_layout_engine(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("autograd.drawing.layout._package", lambda name: None)
        assert "no layout engine is installed" in refusal(capsys, "--site", str(tmp_path / "s"))
        assert not (tmp_path / "s").exists()


@pytest.fixture(scope="module")
def reader(engine: Engine) -> Engine:
    """An engine with the reader of rows."""
    names = f"{{readRows, UnreadableError, known: {functions()}}}"
    engine.run(f"(() => {{ {PARTS['rows.js']}\nObject.assign(globalThis, {names}); }})()")
    return engine


@pytest.mark.slow
class TestRows:
    def test_rows_are_read_as_they_would_be_run(self, reader: Engine) -> None:
        script = """((data, run, text) => {
            const graphs = [run, readRows(text, known)].map((rows) => new Graph(data, rows));
            const leaves = [...data.nodes.keys()].filter((p) => data.nodes[p].leaf !== undefined);
            const told = (graph, x) => {
                leaves.forEach((p, i) => graph.set(p, x + i / 3));
                graph.compute();
                const texts = graph.problem ? [] : graph.steps.map((_, i) => graph.stepText(i));
                return JSON.stringify([graph.problem, [...graph.values], [...graph.gradients], texts]);
            };
            return [0.4, -1.3, 2.0, 0.0].map((x) => told(graphs[0], x) === told(graphs[1], x));
        })"""
        for loss in losses():
            rows, [data] = to_javascript([walk(loss)])
            answer = reader.run(f"{script}({json.dumps(data)}, {rows}, {json.dumps(rows)})")
            assert answer == [True] * 4, loss.primitive

    @pytest.mark.parametrize("text", [
        '{rows: {"f": {name: "f", value: (x) => fetch("https://example.org")}}, kinds: []}', "fetch('x')", "", "{rows: {",
        "{rows: {}, kinds: []}; alert(1)", '{rows: {}, kinds: [{rules: ($, x) => globalThis}]}x',
        '{rows: {"a": () => { const s0 = 1 }}}',
    ])  # fmt: skip
    def test_anything_else_is_refused(self, reader: Engine, text: str) -> None:
        script = "(text) => { try { readRows(text, {}); return ''; } catch (error) { return error.constructor.name; } }"
        assert reader.run(f"({script})({json.dumps(text)})") == "UnreadableError"


def losses() -> Iterator[Value]:
    """Make graphs of each row, also with a constant operand, of a branch that is not called, and of the examples."""
    x = Value(0.4, "x")
    yield where(x > 0, lambda: x * 2, lambda: x)
    for row in ROWS:
        for n in widths(row):
            for constant in (None, *range(n)):
                for points in ((0.4, 1.5, 0.7), (1.2, 2.5, 0.3)):
                    operands: list[Any] = [Value(points[i % 3], f"x{i}") for i in range(n)]
                    if constant is not None:
                        operands[constant] = 2.0
                    try:
                        result = row.apply(operands)
                    except ValueError:
                        continue
                    if isinstance(result, Value):
                        yield result * 0.5
    for example in EXAMPLES:
        session = Session()
        session.show(**example.content)
        assert session.loss is not None
        yield session.loss
