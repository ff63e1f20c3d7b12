"""Large graphs: every part of the engine takes a million nodes, or refuses at once with advice.

Nothing recurses, and memory grows linearly with the graph; each large graph is made in a process of its own, whose peak of
memory is checked.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import Value, compile, draw, play, tanh, walk

ROOT = Path(__file__).parent.parent
STEP = 1e-3
LARGE = [pytest.param(graph, n, marks=pytest.mark.slow) for graph, n in (("chain", 1_000_000), ("ladder", 200_000))]
each_graph = pytest.mark.parametrize(("graph", "n"), [("chain", 5_000), *LARGE])


def chain(n: int) -> tuple[Value, Value]:
    """Return x and the end of a chain of n nodes: the product h·x, added to x again and again."""
    x = Value(0.5, label="x")
    step = x * STEP
    y = x
    for _ in range(n - 1):
        y = y + step
    return x, y


def ladder(n: int) -> tuple[Value, Value]:
    """Return x and the end of a graph of n nodes, y ← (y + y)/2, with 2^(n/2) paths between them."""
    x = Value(1.0, label="x")
    y = x
    for _ in range(n // 2):
        y = (y + y) * 0.5
    return x, y


def peak(program: str) -> float:
    """Run a program in a process of its own; return its peak of memory in megabytes, or 0 if it is unknown."""
    modules = ["itertools", "autograd.value", "autograd", "test_limits"]
    lines = ["import copy, json", *(f"from {module} import *" for module in modules), program, "print(peak_here())"]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT / "tests", env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return float(run.stdout)


def peak_here() -> float:
    """Return the peak of memory of this process; the one of `resource` includes the parent's memory at the fork."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


@each_graph
def test_a_large_graph_is_differentiated_copied_and_freed(graph: str, n: int) -> None:
    used = peak(f"""
x, y = {graph}({n})
y.backward()
expected = 1 + STEP * ({n} - 1) if {graph} is chain else 1.0
assert abs(x.grad - expected) < 1e-6 * expected, x.grad
y.zero_grad()
assert x.grad == 0
twin = copy.deepcopy(y)
assert len(topological(twin)) == len(topological(y)) == {n}
twin.backward()
assert x.grad == 0 and replay(y, {{x: 2.0}}).data == 4 * y.data * (0.5 if {graph} is ladder else 1)
del twin, y
""")
    assert used < 100 + 900 * n / 1e6


@each_graph
def test_a_large_graph_has_a_gradient_that_is_a_graph(graph: str, n: int) -> None:
    used = peak(f"""
x, y = {graph}({n})
[slope] = gradients(y, [x])
expected = 1 + STEP * ({n} - 1) if {graph} is chain else 1.0
assert abs(slope.data - expected) < 1e-6 * expected, slope
del slope, y
""")
    assert used < 100 + 1400 * n / 1e6


@pytest.mark.parametrize("n", [5_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_a_large_graph_is_walked_one_step_at_a_time(n: int) -> None:
    used = peak(f"""
x, y = chain({n})
steps = walk(y)
assert len(steps) == {2 * n}
assert [step.place[0] for step in islice(steps, 3)] == [1, 2, 3]
assert steps.goto({2 * n - 1}).edges[0].input is x and steps.back().phase == "backward"
y.backward()
assert steps.gradients[x] == x.grad
assert find_nonfinite(y) is None
pieces = list(islice(steps.iter_json(), 1000))
assert pieces[0] == '{{"nodes": [' and json.loads(pieces[1])["name"] == "x"
""")
    assert used < 100 + 1400 * n / 1e6


def test_pieces_of_json_join_to_the_whole() -> None:
    _, y = chain(50)
    steps = walk(y)
    assert "".join(steps.iter_json()) == steps.to_json()
    assert [len(part) for part in json.loads(steps.to_json()).values()] == [51, 100]


@pytest.mark.slow
def test_a_long_walk_is_written_in_pieces(tmp_path: Path) -> None:
    n = 50_000
    used = peak(f"""
x, y = chain({n})
with open({str(tmp_path / "walk.json")!r}, "w") as file:
    file.writelines(walk(y).iter_json())
""")
    assert used < 200
    text = (tmp_path / "walk.json").read_text()
    assert len(text) > 300 * n and text.count('"phase"') == 2 * n
    json.loads(text)


def test_a_large_graph_is_neither_drawn_nor_played_but_there_is_advice() -> None:
    _, y = chain(20_000)
    for picture in (draw, play):
        with pytest.raises(ValueError, match=r"too large to be read: it has more than 10,000 nodes, and the limit is 150"):
            picture(y)
    assert y._repr_mimebundle_() == {"text/plain": repr(y)}


def recurrence(n: int, backend: str) -> tuple[float, float]:
    """Return the error of the compiled loss and gradient of n steps h ← h·w + x, relative to the closed form."""
    w = Value(0.5, label="w")

    def f(x: Value) -> Value:
        h = x
        for _ in range(n):
            h = h * w + x
        return h

    program = compile(f, [w], example=[0.0], backend=backend)
    loss, gradient = program.gradient([0.1, 0.2])
    return loss / (0.15 / 0.5) - 1, gradient[0] / (0.15 / 0.25) - 1  # x/(1 - w), and its derivative x/(1 - w)²


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_long_chain_is_compiled(backend: str) -> None:
    pytest.importorskip("numba")
    used = peak(f"assert max(map(abs, recurrence(25_000, {backend!r}))) < 1e-14")
    assert used < 500


@pytest.mark.slow
def test_a_very_long_chain_is_compiled_for_the_native_machine() -> None:
    """Measured with a million nodes: 40 seconds to trace, 10 ms to run, 2.5 GB."""
    pytest.importorskip("numba")
    used = peak("assert max(map(abs, recurrence(125_000, 'native'))) < 1e-14")
    assert used < 1000


@pytest.mark.slow
def test_a_long_program_prints() -> None:
    n, w = 1200, Value(0.5, label="w")  # Python's limit of recursion is 1000

    def f(x: Value) -> Value:
        h = x
        for _ in range(n):
            h = tanh(h * w + x)
        return h

    program = compile(f, [w], example=[0.0])
    lines = str(program).splitlines()
    assert lines[:2] == ["forward", "  v1[B] = tanh(w ⊙ x + x)"]
    assert f"  v{n - 1}[B] = tanh(w ⊙ v{n - 2} + x)" in lines and program.latex.count(r"\tanh") >= n

    def g(x: Value) -> Value:
        h = x
        for _ in range(n):
            h = -tanh(h)
        return h

    text = str(compile(g, example=[0.0]))
    assert text.count("tanh") == n and max(map(len, text.splitlines())) < 200
