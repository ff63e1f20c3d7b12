"""What is computed, written and drawn is the same in every process, whatever order Python's hashes give to sets."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from autograd import Value, compile, dot, draw, explain, gradients, logsumexp, play, sigmoid, tanh, total, walk
from autograd.drawing import LayoutError
from autograd.drawing.as_animation import to_animation
from autograd.drawing.as_image import to_image
from autograd.exercises import exercises
from nn import MLP, fit
from nn.data import moons, truth_table

TESTS: Final = Path(__file__).parent


def bits(values: Sequence[Value]) -> str:
    """Return numbers and gradients, bit by bit."""
    return " ".join(f"{value.data.hex()} {value.grad.hex()}" for value in values)


def random_graph() -> str:
    """Return what `backward` computes in a graph of 300 nodes, many of which are used several times."""
    rng = Random(0)
    xs = [Value(rng.uniform(-1, 1)) for _ in range(6)]
    operations: list[Callable[..., Value]] = [
        lambda a, b, c: a * b + c, lambda a, b, _: tanh(a - b), lambda *three: logsumexp(three), lambda a, *_: sigmoid(a) / 2,
    ]  # fmt: skip
    for _ in range(300):
        xs.append(rng.choice(operations)(*(rng.choice(xs) for _ in range(3))))
    y = logsumexp(xs[-20:])
    y.backward()
    return bits([y, *xs])


def trained(compiled: bool) -> str:
    """Return the weights and losses of a network that has learned."""
    model, (X, y) = MLP(2, [3, 1], "relu", "sigmoid", seed=1), truth_table("xor")
    history = fit(model, X, y, epochs=5, seed=0, compiled=compiled)
    return f"{bits(model.parameters())} {[x.hex() for x in history.loss]}"


def error() -> tuple[MLP, Value]:
    """Return a network and its error for two examples, with gradients."""
    model = MLP(1, [2, 1], output="sigmoid", seed=1)
    x = Value(0.5, label="x")
    loss = (model([x]) - 1) ** 2 + model([0.25]) * tanh(x)
    loss.backward()
    return model, loss


def derived() -> str:
    """Return gradients as graphs, a walk and a derivation."""
    model, loss = error()
    return f"{bits(gradients(loss, model.parameters()))} {walk(loss).to_json()} {explain(model.parameters()[0], of=loss)}"


def products(n: int = 5) -> Value:
    """Return a graph of n products that share their operands."""
    xs = [Value(i / 7, label=f"x{i}") for i in range(n)]
    hidden = [tanh(dot(xs, xs[::-1], x)) for x in xs]
    loss: Value = total(hidden) * hidden[1] - xs[0] ** 2
    loss.backward()
    return loss


def program(backend: str) -> str:
    """Return a compiled program, its formulas and a gradient."""
    model, (X, y) = MLP(2, [3, 1], "relu", "sigmoid", seed=1), truth_table("xor")
    found = compile(lambda x, t: (model(x) - t) ** 2, model.parameters(), backend=backend)
    value, gradient = found.gradient(X, y)
    return f"{value.hex()} {gradient.tobytes().hex()} {found} {found.latex}"


def every_format(loss: Value) -> str:
    """Return the drawings of a graph."""
    drawing = draw(loss)
    return "".join([drawing.svg, drawing.tikz, draw(loss, view="neurons").svg])


WORK: Final[dict[str, Callable[[], Any]]] = {
    "a random graph": random_graph,
    "training": lambda: trained(compiled=False),
    "gradients": derived,
    "a program in NumPy": lambda: program("numpy"),
    "plans": lambda: [(d.dot, d.mermaid, d.title, d.nodes, d.edges, d.notes) for d in map(draw, (products(), error()[1]))],
    "exercises": lambda: [str(task) for level in (1, 2, 3, 4) for task in exercises(5, level, 4)],
    "moons": lambda: moons(6, seed=3),
}
NATIVE: Final[dict[str, Callable[[], Any]]] = {
    "compiled training": lambda: trained(compiled=True),
    "a program in native code": lambda: program("native"),
}
DRAWN: Final[dict[str, Callable[[], Any]]] = {
    "drawings": lambda: [every_format(loss) for loss in (products(), error()[1])],
    "animations": lambda: to_animation(walk(products(2))),
    "players": lambda: [play(loss).html for loss in (products(2), error()[1])],
}
IMAGES: Final[dict[str, Callable[[], Any]]] = {
    "a PNG": lambda: to_image(draw(error()[1]), "png"),
    "a PDF": lambda: to_image(draw(error()[1]), "pdf"),
}


QUICK: Final = WORK | DRAWN | IMAGES
ALL: Final = QUICK | NATIVE


def digests(names: Sequence[str]) -> dict[str, str]:
    """Return a digest of each of these, or an empty text where a package is missing."""
    found = {}
    for name in names:
        try:
            found[name] = hashlib.sha256(ascii(ALL[name]()).encode()).hexdigest()
        except (LayoutError, ModuleNotFoundError):
            found[name] = ""
    return found


def elsewhere(names: Sequence[str], *seeds: str) -> list[dict[str, str]]:
    """Return the digests that new processes make, one for each seed of Python's hashes."""
    program = f"import json, test_same_bytes; print(json.dumps(test_same_bytes.digests({names!r})))"
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    processes = [
        subprocess.Popen(command, env={**environment, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, cwd=TESTS)
        for seed in seeds
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert not any(process.returncode for process in processes)
    return [json.loads(output) for output in outputs]


@pytest.fixture(scope="module")
def two() -> list[dict[str, str]]:
    """The digests of this process and of another one."""
    return [digests([*QUICK]), *elsewhere([*QUICK], "1")]


@pytest.mark.parametrize("name", QUICK)
def test_two_processes_with_different_hash_seeds_make_the_same(name: str, two: list[dict[str, str]]) -> None:
    if not two[0][name]:
        pytest.skip("a package for it is not installed")
    assert two[0][name] == two[1][name]


@pytest.mark.slow
def test_six_processes_with_random_hash_seeds_make_the_same() -> None:
    first, *others = elsewhere([*ALL], *["random"] * 6)
    assert others == [first] * 5
