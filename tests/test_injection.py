"""A label is only ever text: every format shows even the worst label as it is, and nothing else changes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd import Value, compile, draw, explain, play, tanh, walk
from autograd.drawing.as_svg import left_to_right
from autograd.drawing.plan import cut
from autograd.writing import printable

WORST = [
    '"];x[',
    '"];evil[label="',
    r"\"];evil[label=\"",
    "\\",
    r"\N\G\E\T\H\L",
    "</svg><script>alert(1)</script>",
    "<!--",
    "--></title><script>",
    "]]>",
    "<![CDATA[",
    "</style>",
    "</script >",
    "&lt;&amp;&#0;&nbsp;",
    '"]:::leaf\n  click n0 "javascript:alert(1)"',
    "%%{init: {'theme': 'x'}}%%",
    "end",
    "#quot;",
    r"\end{aligned}\input{/etc/passwd}",
    r"$$ \href{javascript:alert(1)}{x}",
    "}_{^%#&~",
    "${player}",
    "%s {0} {x!r}",
    "line\nbreak\r\n\ttab\u2028\u2029\x85",
    "\x00\x01\x1b[31m\x7f\x9f",
    "\u202eright to left\u202c\u200f\u2066",
    "\ufeff\ufffe\uffff",
    "👩‍👩‍👧‍👦🙂é\u0301ΩЖ中",
    "\ud800",
    "x" * 2_000,
    "é\n<" * 600,
]
labels = pytest.mark.parametrize("label", WORST, ids=range(len(WORST)))
TAME = "a tame label"


def graph(label: str) -> Value:
    """Return a graph whose leaf, interior node and result have a label."""
    x = Value(2.0, label=label)
    h = tanh(x * 0.5)
    h.label = f"{label} h"
    y: Value = h * x + Value(1.0, label=f"{label} c")
    y.label = f"{label} y"
    y.backward()
    return y


def shape(tree: ElementTree.Element) -> Counter[tuple[str, ...]]:
    """Count the elements of a tree by tag and names of attributes."""
    return Counter((element.tag, *sorted(element.attrib)) for element in tree.iter())


@labels
def test_svg(label: str) -> None:
    drawing = draw(graph(label))
    tree = ElementTree.fromstring(drawing.svg)
    assert shape(tree) == shape(ElementTree.fromstring(draw(graph(TAME)).svg))
    shown = {(text.text or "").replace("\xa0", " ") for text in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {left_to_right(line.text) for node in drawing.nodes for line in node.lines} <= shown
    assert any(printable(label) in (title.text or "") for title in tree.iter("{http://www.w3.org/2000/svg}title"))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")
@labels
def test_dot(label: str) -> None:
    """Graphviz's own parser prints its reading of the file."""

    def understood(text: str) -> list[str]:
        run = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, check=True)
        assert not run.stderr
        return [" ".join(line.split()[:2]) for line in run.stdout.decode().splitlines() if line.startswith(("node", "edge"))]

    assert understood(draw(graph(label)).dot) == understood(draw(graph(TAME)).dot)


@labels
def test_mermaid(label: str) -> None:
    def skeleton(text: str) -> list[str]:
        return [re.sub(r'"[^"]*"', '""', line) for line in text.splitlines() if not line.startswith("  accTitle")]

    text = draw(graph(label)).mermaid
    assert skeleton(text) == skeleton(draw(graph(TAME)).mermaid)
    strings = [re.sub(r"</?b>|<br/>", "", string) for string in re.findall(r'"([^"]*)"', text)]
    assert not any(set(string) & set("<>&`\\{}[]%") for string in strings)
    read = [re.sub(r"#(\d+);", lambda found: chr(int(found[1])), string) for string in strings]
    name = cut(printable(label), 30 - len("2"))
    assert any(f"{name} = 2" in string.replace("\u200b", "") for string in read)


class Outline(HTMLParser):
    """The elements of a page, and its text, as a browser's parser finds them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *sorted(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def tame() -> Counter[tuple[str, ...]]:
    """The elements of a page with ordinary labels."""
    return Counter(Outline(play(graph(TAME)).html).elements)


@labels
def test_player(label: str, tame: Counter[tuple[str, ...]]) -> None:
    page = Outline(play(graph(label)).html)
    assert Counter(page.elements) == tame
    assert any(printable(label).strip() in text for text in page.text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", "".join(page.text))


def groups(text: str) -> int:
    """Check that braces and environments are balanced in LaTeX; return the number of commands."""
    plain = re.sub(r"\\[\\{}%#&_$^~]", "", text)
    depth = 0
    for c in plain:
        depth += {"{": 1, "}": -1}.get(c, 0)
        assert depth >= 0
    assert depth == 0
    assert plain.count(r"\begin{aligned}") == plain.count(r"\end{aligned}") <= 1
    return len(re.findall(r"\\(?:begin|end|input|href|frac|tanh)\b", plain))


@labels
def test_latex(label: str) -> None:
    def equations(label: str) -> list[str]:
        w = Value(0.5, label=label)
        y = graph(label)
        return [explain(y.inputs[1], of=y).latex, compile(lambda x: tanh(w * x) ** 2, [w], example=[0.0]).latex]

    for text, tame in zip(equations(label), equations(TAME), strict=True):
        assert groups(text) == groups(tame)
        assert not re.search(r"(?<!\\)[$%#]|[\x00-\x09\x0b-\x1f\x7f]", text)
        assert text.count("\n") == tame.count("\n")


@labels
def test_text(label: str) -> None:
    """Printed text shows the label in as many lines as any other label; data contain the label itself."""
    y = graph(label)
    assert printable(label) in str(walk(y)) and len(repr(y)) < 3 * len(label) + 100
    assert len(str(walk(y)).splitlines()) == len(str(walk(graph(TAME))).splitlines())
    assert {label, f"{label} h"} <= {node["label"] for node in json.loads(walk(y).to_json())["nodes"]}


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=8)
@example("x\\")
@example("\u07f4")  # read from right to left
@pytest.mark.slow
def test_any_label(tame: Counter[tuple[str, ...]], label: str) -> None:
    test_mermaid(label)
    test_latex(label)
    test_player(label, tame)
    test_svg(label)
