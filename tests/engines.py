"""JavaScript engines for the tests of live graphs: Node and Chromium, and the scripts that build graphs in them."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from browser import Browser, find_browser

from autograd import Value, walk
from autograd.player.javascript import to_javascript
from autograd.strategies import Program
from autograd.value import topological

PLAYER = Path(__file__).parent.parent / "autograd" / "player"
SCRIPTS = ("formulas.js", "live.js", "mistakes.js", "answers.js")

HELPERS = """
const unpack = (hex) => new Float64Array(Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer);
const HEX = Array.from({length: 256}, (_, byte) => byte.toString(16).padStart(2, "0"));
const pack = (numbers) => Array.from(new Uint8Array(Float64Array.from(numbers).buffer), (byte) => HEX[byte]).join("");
const report = (g) => ({
    values: pack(g.values), gradients: pack(g.gradients), partials: pack(g.partials.flatMap((some) => [...some])),
    taken: g.order.flatMap((p) => g.nodes[p].inputs.map((_, k) => g.isTaken(p, k))), problem: g.problem?.text ?? "",
});
const texts = (g, steps = g.steps) => steps.map((_, i) => g.stepText(i, steps));
// Replaces the numbers that were computed here by Python's, so that the last digits agree.
const lent = (g, values, partials) => {
    g.values.set(unpack(values));
    const rest = [...unpack(partials)];
    g.order.forEach((p) => g.partials[p].set(rest.splice(0, g.partials[p].length)));
    g.follow();
    return g;
};
const moved = (g, hex) => {
    const leaves = unpack(hex);
    g.nodes.forEach(({leaf}, p) => leaf !== undefined && g.set(p, leaves[leaf]));
    g.compute();
    return g;
};
"""
LOOP = """
const vm = require("node:vm");
require("node:readline").createInterface({input: process.stdin}).on("line", (line) => {
    let answer;
    try {
        answer = {value: vm.runInThisContext(JSON.parse(line))};
    } catch (error) {
        answer = {error: String(error?.stack ?? error)};
    }
    process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


class Node:
    """A Node process that evaluates JavaScript; declarations stay from one script to the next.

    Args:
        program: its path.
    """

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [program, "-e", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=-1
        )

    def run(self, script: str) -> Any:
        """Evaluate JavaScript and return its value; raise a RuntimeError if it throws."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(script) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "node has ended"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate()


Engine = Node | Browser


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Engine | None]:
    """Open an engine that has loaded the scripts and the helpers, or None if it is not installed.

    Args:
        name: "node" or "chromium".
        folder: an empty folder, for Chromium.
    """
    program = shutil.which("node") if name == "node" else find_browser()
    script = "".join((PLAYER / part).read_text(encoding="utf-8") for part in SCRIPTS) + HELPERS
    if program is None:
        yield None
    elif name == "node":
        with Node(program) as node:
            node.run(script)
            yield node
    else:
        page = folder / "live.html"
        page.write_text(f'<!doctype html><meta charset="utf-8"><script>{script}</script>', encoding="utf-8")
        with Browser(program, folder / "profile") as browser:
            browser.open(page)
            yield browser


@contextmanager
def node_with(part: str) -> Iterator[Node]:
    """Open Node with one more script of the player; skip the test if Node is not installed."""
    with opened("node", Path()) as found:
        if not isinstance(found, Node):
            pytest.skip("Node is not installed")
        found.run((PLAYER / part).read_text(encoding="utf-8") + "; 0")
        yield found


def pack(numbers: Sequence[float]) -> str:
    """Write floats as text, bit by bit."""
    return struct.pack(f"<{len(numbers)}d", *numbers).hex()


def unpack(text: str) -> list[float]:
    """Read floats written by `pack`, here or in JavaScript."""
    return [*struct.unpack(f"<{len(text) // 16}d", bytes.fromhex(text))]


def result_at(program: Program, leaves: Sequence[float]) -> Value:
    """Return the result of a program on leaves with these numbers, labelled x0, x1, …."""
    result: Value = program([Value(x, f"x{i}") for i, x in enumerate(leaves)])
    return result


def graph(loss: Value, n: int | None = None) -> str:
    """Return the JavaScript that makes the graph of a result."""
    rows, [data] = to_javascript([walk(loss, digits=n)])
    return f"new Graph({json.dumps(data, allow_nan=False)}, {rows})"


def lent(first: Value, loss: Value, n: int | None = None) -> str:
    """Return the JavaScript that makes a graph and moves it to the leaves of its twin, with Python's numbers there."""
    values, partials = [node.data for node in walk(loss).names], [x for node in topological(loss) for x in node.partials]
    there = pack([node.data for node in leaves_of(loss)])
    return f'lent(moved({graph(first, n)}, "{there}"), "{pack(values)}", "{pack(partials)}")'


def leaves_of(loss: Value) -> list[Value]:
    """Return the leaves of a graph, in the order of their indices on a page with only this graph."""
    return [node for node in walk(loss).names if node.primitive is None]
