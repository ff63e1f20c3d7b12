"""What the pages of players and of the site hold, without pictures and scripts; see `test_approved`."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
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
from autograd.player import ASKING, COMMENTS, SCRIPTS, Player, _part, play
from autograd.player.asked import reveal
from autograd.player.markup import element, write
from autograd.player.stage import _is_level, saturates
from autograd.rows import TABLE


def of_player(player: Player) -> Iterator[str]:
    """Iterate over what is in a player and its page."""
    page, shown = player.html, player.element
    yield f"{player}"
    held = [name for name in (*SCRIPTS, *ASKING) if COMMENTS.sub("", _part(name)).strip() in page]
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
    """Iterate over what is in players."""
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
    yield write(
        element("p", "a < b", "\0", element("b", "c"), " d", " & e", element("i"), element("u"), "f", class_="g", data_h="i")
    )
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
    """Iterate over the options of the command line, and over how it writes what a terminal may lack."""
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


PAGES: Final[dict[str, Callable[[], str]]] = {
    "players.txt": lambda: lined(players()),
    "terminal.txt": lambda: lined(terminal()),
}
