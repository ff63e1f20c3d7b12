"""The contents of the pages of players and of the site, without pictures and scripts; see `test_approved`."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from approved_layouts import in_ranks
from approved_pictures import choice, lined, trained

from autograd import Unary, Value, cos, tanh
from autograd.__main__ import UsageError, _printable, _reason, _spell_out, make_parser, run
from autograd.demo import demonstrate, line_up, signed
from autograd.drawing import geometry
from autograd.drawing.shapes import Arrow, line
from autograd.exercises import exercise
from autograd.player import ASKING, SCRIPTS, Player, _part, play
from autograd.player.asked import reveal
from autograd.player.markup import element, write
from autograd.player.stage import _is_level, saturates
from autograd.rows import TABLE
from autograd.site.mathml import math as as_math
from autograd.site.mathml import to_mathml
from autograd.site.session import Session
from autograd.site.source import write_expression
from autograd.site.wheel import _files, make_wheel


def of_player(player: Player) -> Iterator[str]:
    """Iterate over the contents of a player and its page."""
    page, shown = player.html, player.element
    yield f"{player}"
    held = [name for name in (*SCRIPTS, *ASKING) if _part(name).strip() in page]
    yield f"scripts: {' '.join(held)}; remarks: {bool(re.search('^ *//', page, re.MULTILINE))}"
    styles, script = re.findall("<style>(.*?)</style>", page, re.DOTALL), re.findall("<script>(.*?)</script>", page, re.DOTALL)
    allowed = re.findall(r"(?<='sha256-)[^']+", page)
    yield f"styles: {[style.split()[0] for style in styles]}; own page first: {styles[0] == _part('page.css')}"
    yield f"allowed: {allowed == [hashed(text) for text in (*script, *styles)]}"
    [key] = re.findall('data-script="([^"]*)"', page)
    started = f'start("{key}", ' in script[0]
    yield f"key of {len(key)}, the same for the script: {started}, in a notebook: {key in shown}"
    advice, pictures = re.findall("<p>(.*?)</p>", shown), re.findall('alt="(.*?)"', shown)
    yield f"in a notebook: {advice}, {pictures}; shown so: {player._repr_html_() == shown}"
    yield f"formats: {', '.join(player._repr_mimebundle_())}"
    gradients = re.findall("<text[^>]*data-gradient[^>]*?(?:/>|>([^<]*)<)", player.markup)
    yield f"gradients in the pictures: {sum(map(bool, gradients))} of {len(gradients)}"
    yield from re.findall("<button[^>]*data-shows[^>]*>.*?</button>|<div[^>]*data-view[^>]*>", page)
    yield from re.findall('<p class="legend">.*</span> (<span>.*?</span> <span>.*?</span>)</p>', page)
    yield from html.unescape(re.findall('<pre class="text">(.*?)</pre>', page, re.DOTALL)[0]).splitlines()
    [text] = re.findall('<script type="application/json" class="data">(.*?)</script>', page)
    data = json.loads(reveal(text) if player.asks else text)
    for name, part in data.items():
        yield f"{name}: {json.dumps(part, ensure_ascii=False) if name in ('learn', 'reason') else len(part)}"


def hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def players() -> Iterator[str]:
    """Iterate over the contents of players."""
    x = Value(1.0, "x")
    wave = Unary("wave", lambda x: math.sin(x), lambda x, out: cos(x))
    network = trained(2, 1)
    examples = [(tanh(Value(0.5, "w") * i) - 1.0) ** 2 for i in (1.0, 2.0)]
    with patch.object(geometry, "lay_out", in_ranks):
        for name, player in {
            "a choice": play(choice()),
            "a network": play(network),
            "two examples": play(examples, learn=[]),
            "a leaf alone": play(x),
            "a row without JavaScript": play(wave(x)),
            "an exercise": exercise(network, "update").play(),
        }.items():
            yield f"\n{name}"
            yield from of_player(player)
        with patch("autograd.player.MOST_LINES", 4):
            for n in (3, 4):
                text = re.findall('<pre class="text">(.*?)</pre>', play(powers(n)).html, re.DOTALL)[0]
                yield f"\n{n + 1} nodes, where four are many\n{html.unescape(text)}"
    yield ""
    yield write(element("p", element("b", "a < b\0 & c"), class_="d", data_e="f"))
    for far in (9.0, 10.0, 11.0, -9.0, -10.0):
        arrows = [
            Arrow(line((x, y), (x + 12.0, y + far)), (x + 20.0, y + far), (0.0, 0.0)) for x, y in ((0.0, 0.0), (5.0, 70.0))
        ]
        yield f"level, {far:g} in 20: {[*map(_is_level, arrows)]}"
    nodes: dict[str, Any] = {name: SimpleNamespace(primitive=row) for name, row in TABLE.items()}
    yield f"saturate: {' '.join(name for name, node in nodes.items() if saturates(node))}"


def powers(n: int) -> Value:
    x = Value(0.5, label="x")
    for _ in range(n):
        x = x * 1.5
    return x


def terminal() -> Iterator[str]:
    """Iterate over the options of the command line, and over how it writes characters that a terminal may lack."""
    for option in make_parser()._actions:
        choices = [*option.choices] if option.choices else None
        yield f"{' '.join(option.option_strings) or option.dest}: {option.nargs} {option.const} {choices} {option.default}"
    for text in ("w⁽¹⁾₀₀ = ∂x·√2 ≤ ∞ …", "ew⁽¹²⁾₁ ⁽a⁾ é中−", "x²⁻¹"):
        yield f"{text} is {_spell_out(UnicodeEncodeError('ascii', text, 1, len(text) - 1, ''))} in ASCII"
    errors = OSError(2, "No such file", "f"), OSError(2, "No such file"), OSError("broken"), ValueError("wrong")
    yield from (f"{error!r}: {_reason(error)}" for error in errors)
    yield _printable(" a\tb  \0 c\u200b\n")
    for words in (["abs(x)", "x=0"], ["x*y", "x=1", "y=2"], ["x", "x=inf"], ["x*y", "x=1", "y=inf", "--wrt", "x"]):
        try:
            text, status = run([*words, "--check"])
        except UsageError as error:
            text, status = str(error), 2
        yield f"{' '.join(words)}: {text.partition('Check: ')[2].partition(chr(10))[0] or text}, status {status}"
    for words in (["x", "--json", "a", "--svg", "a"], ["x", "x=1", "--json", "-", "--check"], ["x", "--json", "-", "--mermaid"],
                  ["--site", "a", "--check"], ["--serve", "-1"], ["--serve", "65536"], ["--exercise", "5"], ["--seed", "a"],
                  ["--exercise", "1", "x"], ["1 +  2", "x=1"], ["x + pi", "e=2"], ["x", "x = 1", " x=2"], ["x", "--wrt", "x,"],
                  ["--unknown"], ["x", "--mistake", "none"]):  # fmt: skip
        try:
            text, status = run(words)
        except UsageError as error:
            text, status = str(error).partition(" (choose")[0], 2
        yield f"{' '.join(words)}: {text.splitlines()[0]}, status {status}"
    yield from (f"{row}: {signed(row)}" for row in ([1.0, 2.5], [1.0, -2.5], [-0.0, 1e-7], []))
    yield line_up([["a", "=", "bcd"], ["efg", "", "h"]])
    with TemporaryDirectory() as folder, patch.object(geometry, "lay_out", in_ranks):
        text = demonstrate(Path(folder)).replace(str(Path(folder).resolve()), "")
    text = re.sub(r", (\de-1[5-9] apart|the same to the last bit)$", ", …", text, flags=re.MULTILINE)
    yield re.sub(r"(\d\.\d{5})\d+", r"\1…", re.sub(r"    \S+ -m autograd", "    python -m autograd", text))


FORMULAS: Final = r"""
x^2_1
x_1^{2}
x_1
x'^2
^2
\ln^2 x
\operatorname{softplus}'(x)
\operatorname{f} x^\sin
-x + -y
(-x) - -(x) - [y]-z
a \cdot -b
\sqrt[3]x
\sqrt[\sin]{x}
\sqrt x
\sqrt{\sin}
\sqrt{x y}
\frac {a b} c
\frac
\left(x\right)
\left[x - 1\right
\left\lfloor x \right\rfloor
\mathrm{a{b}c} d
\mathrm{\textbackslash\textasciitilde\textasciicircum\_}
\mathbb{1}
\text{a < b}
.5 + 1.25e
a\ b\quad c\allowbreak d
\unknown
& " < >
\begin{aligned}a &= b \\ c &= {d & e}\end{aligned} f
\begin{cases}1 & x > 0 \\ \begin{cases}2 & y\end{cases} & x\end{cases}
\begin{cases}1 & x
\begin{cases}& x \\ & \\ 1\end{cases} y
\begin{cases}1 &
\begin{cases}1 \\
\begin{cases}
"""

PROGRAMS: Final[dict[str, dict[str, float]]] = {
    "[x > 0]*w·x": {"x": 2.0, "w": -1.0},
    "f*loss*result*f_": dict.fromkeys(("f", "loss", "result", "f_"), 2.0),
    "x + y": {"x": 1.0, "y": math.inf},
    "f * loss": {"f": 1.0, "loss": -0.0},
    "f + loss + result": {"f": 1.0, "loss": 2.0, "result": math.nan},
    "f": {"f": 1.0},
    "tanh(x) + relu(x)  *  pi + e": {"x": 1.0},
    "x + 9007199254740991": {"x": 1.0},
    "x + 9007199254740992": {"x": 1.0},
    "x + (9007199254740993 - 9007199254740992)": {"x": 1.0},
    "x + (9007199254740990 + 1)": {"x": 1.0},
    "x + (9007199254740991 + 2 - 9007199254740991)": {"x": 1.0},
    "x + (94906267 * 94906267 - 9007199515875289)": {"x": 1.0},
    "x + (94906267 * 94906267 + 1)": {"x": 1.0},
    "x + (5000000000 + 4000000000) * 1000000": {"x": 1.0},
    "x + 2**3": {"x": 1.0},
    "x**2 + 2*3 - 4/5": {"x": 1.0},
    "x + sqrt(4)": {"x": 1.0},
    "x + (7 - -2)": {"x": 1.0},
    "x + 7 // 2": {"x": 1.0},
    "Value + 1": {"Value": 1.0},
    "print * é": {"print": 1.0, "é": 2.0},
}

CELLS: Final = (
    "",
    "1 +",
    "x = Value(3.0)\nx * x",
    "x = y = Value(2.0)",
    "x: float = 1",
    "for i in range(2):\n    x = Value(1.0) * i",
    "print('a')\n\n1 / 0",
    "x = Value(1.0)\n\n5\n\n",
    "import sys\nsys.exit(3)",
    "def g():\n    return [][0]\n\ng()",
    "from autograd import sin\nfrom math import sqrt as exp\ndef tanh(x): return x\nclass relu: pass\n"
    "tanh(sin(exp(0.0) * Value(1.0)))",
    "[Value(1.0)]",
    "compile('(', 'other', 'exec')",
    "Value(1.0).data",
)


GIVEN: Final[dict[str, dict[str, float]]] = {
    "a*b + c*d - g*h/k": {}, "x*y + x": {"x": 3.0}, "x": {}, "1 +  2": {}, "x + z / 0": {"x": 1.0}, "f*2": {},
    "x * 1e308 * 100": {"x": 1e10}, "((": {},
}  # fmt: skip


CHECKED: Final = (
    "x = Value(2.0)\nx*x*x + relu(x - 2)",
    "cube = Unary('cube', lambda x: x*x*x, lambda x, out: 2*x*x)\nx, y = Value(2.0), Value(3.0)\ncube(x)*1.5 - y",
)


def site() -> Iterator[str]:
    """Iterate over formulas as MathML, over programs, and over the answers of a session."""
    yield from (f"{formula}\n    {to_mathml(formula)}" for formula in FORMULAS.strip().split("\n"))
    yield as_math(r"x^2")
    for text, values in PROGRAMS.items():
        yield f"\n# {text}\n{write_expression(text, values)}"
    session = Session()
    for code in CELLS:
        answer = session.show(code=code)
        yield f"\n{code}\n    { ({name: x for name, x in answer.items() if name not in ('markup', 'rows')}) }"
        if "error" not in answer:
            yield session.code({"x": 2.5, "y": -math.inf})["text"]
            yield session.code({})["text"]
    for text, given in GIVEN.items():
        answer = session.show(expression=text, values=given)
        yield f"\n{text}\n    { ({name: x for name, x in answer.items() if name not in ('markup', 'rows')}) }"
    session.show(expression="w*x + w*relu(z)", values={"w": 0.5, "z": -1.0})
    for node in ("w", "x", "z", "f"):
        yield f"\nwhy {node}"
        yield from (f"{name}: {x}" for name, x in session.why({"x": 4.0}, node).items())
    yield f"\n{session.code({'x': 4.0})['text']}"
    for code in CHECKED:
        yield f"\n{session.show(code=code).get('error')} {session.check({})}"
    session.show(expression="log(x)*y", values={"x": 2.0, "y": -1.0})
    yield f"{session.why({'x': -1.0}, 'x')} {session.check({'x': -1.0})} {session.exercise({'x': -1.0}, 'gradients')}"
    yield f"{session.show(code=chr(0))['error']['line']} {len(session.show(code='print(chr(120) * 20_000)')['output'])}"
    with zipfile.ZipFile(io.BytesIO(make_wheel()[1])) as wheel:
        kinds = {(entry.date_time, oct(entry.external_attr >> 16), entry.compress_type) for entry in wheel.filelist}
    yield f"in the wheel: {kinds}"
    with TemporaryDirectory() as folder:
        for name in ("b.py", "a/c.txt", "a/__pycache__/c.py", "a/.hidden", "a.pyc", ".pyc"):
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_text(name, encoding="utf-8")
        yield f"of a folder: {[*_files(Path(folder), 'p')]}"
    for kind in ("gradients", "deltas", "local", "order", "update", "1"):
        yield f"{kind}: {session.exercise({}, kind).get('title')}"


def in_a_session() -> Iterator[str]:
    """Iterate over the lines of `site`, with nodes placed by `in_ranks`."""
    with patch.object(geometry, "lay_out", in_ranks):
        yield from site()


PAGES: Final[dict[str, Callable[[], str]]] = {
    "players.txt": lambda: lined(players()),
    "session.txt": lambda: lined(in_a_session()),
    "terminal.txt": lambda: lined(terminal()),
}
