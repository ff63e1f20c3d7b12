"""Time to compile a fresh program and run its first step, in eager forward passes of the same function.

    python tests/benchmarks/compiling.py [--beside FOLDER] [names of workloads]

Each program is fresh: another function on another model; an earlier program has warmed up the back end.  An eager forward pass
of the same function is timed in the same round, in processor time, and the table shows the median of the ratios.  With
--beside, the package in another folder, such as an older checkout, takes turns with this one in the same process.

Nothing here asserts a time: the table is for reading.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parents[2]
ROUNDS = 9


class Task(NamedTuple):
    """A loss, its parameters, and the arguments of one example."""

    loss: Callable[..., Any]
    leaves: Sequence[Any]
    example: Sequence[Any]
    batch: int = 1


def load(folder: Path) -> tuple[Any, Any]:
    """Import autograd and nn from a folder, beside those that were imported from other folders."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("autograd", "nn")]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        found = importlib.import_module("autograd"), importlib.import_module("nn")
        assert found[0].compile  # also loads the compiler from this folder
        return found
    finally:
        sys.path.pop(0)


def normal(rng: Random, *shape: int) -> Any:
    """Return nested lists of normal numbers."""
    return [normal(rng, *shape[1:]) for _ in range(shape[0])] if shape else rng.gauss(0, 0.5)


def leaves(autograd: Any, tree: Any) -> Any:
    """Return nested lists of leaves, from nested lists of numbers."""
    return [leaves(autograd, part) for part in tree] if isinstance(tree, list) else autograd.Value(tree)


def flat(tree: Any) -> list[Any]:
    """Return the leaves of nested lists."""
    return [leaf for part in tree for leaf in flat(part)] if isinstance(tree, list) else [tree]


def mlp(autograd: Any, nn: Any, seed: int, sizes: Sequence[int] = (196, 64, 10)) -> Task:
    """Return the squared error of a network of sigmoids, for a batch of 32."""
    rng, (first, *rest) = Random(seed), sizes
    model = nn.MLP(first, rest, activation="sigmoid", output="sigmoid", seed=seed)
    return Task(lambda x, t: nn.losses.squared_error(model(x), t), model.parameters(),
                (normal(rng, first), normal(rng, rest[-1])), 32)  # fmt: skip


def recurrence(autograd: Any, nn: Any, seed: int, steps: int = 4000) -> Task:
    """Return a unit that is fed its own output, and the squared error of its last output."""
    rng = Random(seed)
    w, u, b = parameters = leaves(autograd, normal(rng, 3))
    tanh = autograd.tanh

    def loss(x: Any, t: Any) -> Any:
        h: Any = 0.0
        for x_t in x:
            h = tanh(w * h + u * x_t + b)
        return (h - t) ** 2

    return Task(loss, parameters, (normal(rng, steps), 0.5))


def lstm(autograd: Any, nn: Any, seed: int, steps: int = 200, inputs: int = 4, width: int = 8) -> Task:
    """Return a long short-term memory and the squared error of its last output."""
    rng = Random(seed)
    weights, biases, out = (
        leaves(autograd, normal(rng, *shape)) for shape in ((4, width, inputs + width), (4, width), (width,))
    )
    dot, sigmoid, tanh = autograd.dot, autograd.sigmoid, autograd.tanh

    def loss(x: Any, t: Any) -> Any:
        h, c = [0.0] * width, [0.0] * width
        for x_t in x:
            z = [*x_t, *h]
            i, f, o, g = ([dot(w, z, b) for w, b in zip(W, B, strict=True)] for W, B in zip(weights, biases, strict=True))
            c = [sigmoid(f) * c + sigmoid(i) * tanh(g) for f, c, i, g in zip(f, c, i, g, strict=True)]
            h = [sigmoid(o) * tanh(c) for o, c in zip(o, c, strict=True)]
        return (dot(out, h) - t) ** 2

    return Task(loss, flat([weights, biases, out]), (normal(rng, steps, inputs), 0.5))


def gpt(autograd: Any, nn: Any, seed: int, length: int = 8, width: int = 16, heads: int = 4, words: int = 27) -> Task:
    """Return a transformer of one block, written as small ones are, and its mean cross-entropy on one-hot tokens."""
    rng = Random(seed)
    shapes = [(words, width), (length, width), *4 * [(width, width)], (4 * width, width), (width, 4 * width), (words, width)]
    wte, wpe, wq, wk, wv, wo, up, down, head = parameters = [leaves(autograd, normal(rng, *shape)) for shape in shapes]
    dot, exp, total, relu, logsumexp = autograd.dot, autograd.exp, autograd.total, autograd.relu, autograd.logsumexp
    size = width // heads

    def linear(matrix: Any, x: Any) -> Any:
        return [dot(row, x) for row in matrix]

    def softmax(x: Any) -> Any:
        shift = logsumexp(x)
        return [exp(x_i - shift) for x_i in x]

    def normed(x: Any) -> Any:
        scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
        return [x_i * scale for x_i in x]

    def loss(tokens: Any, targets: Any) -> Any:
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for token, position, target in zip(tokens, wpe, targets, strict=True):
            embedded = [dot(column, token) for column in zip(*wte, strict=True)]
            x = normed([a + b for a, b in zip(embedded, position, strict=True)])
            inside = normed(x)
            query = linear(wq, inside)
            keys.append(linear(wk, inside))
            values.append(linear(wv, inside))
            mixed = []
            for first in range(0, width, size):
                part = slice(first, first + size)
                shares = softmax([dot(query[part], key[part]) / size**0.5 for key in keys])
                mixed += [dot(shares, [value[j] for value in values]) for j in range(first, first + size)]
            x = [a + b for a, b in zip(linear(wo, mixed), x, strict=True)]
            hidden = [relu(net) for net in linear(up, normed(x))]
            x = [a + b for a, b in zip(linear(down, hidden), x, strict=True)]
            scores = linear(head, x)
            losses.append(logsumexp(scores) - dot(scores, target))
        return total(losses) / len(losses)

    drawn = [rng.randrange(words) for _ in range(2 * length)]
    one_hot = [[float(i == word) for i in range(words)] for word in drawn]
    return Task(loss, flat(parameters), (one_hot[:length], one_hot[length:]))


def raw_gpt(autograd: Any, nn: Any, seed: int) -> Task:
    """Return the same transformer with a node for each product and each sum, as in engines without `dot`."""

    class Written:
        """The engine's functions, except that `dot` is written out in products and sums."""

        exp, total, relu, logsumexp, Value = autograd.exp, autograd.total, autograd.relu, autograd.logsumexp, autograd.Value

        @staticmethod
        def dot(weights: Any, inputs: Any) -> Any:
            return sum(w * x for w, x in zip(weights, inputs, strict=True))

    return gpt(Written, nn, seed)


TASKS: dict[str, Callable[..., Task]] = {
    "MLP 196-64-10": mlp, "recurrence 4,000": recurrence, "LSTM 200": lstm, "GPT": gpt, "GPT, written out": raw_gpt,
}  # fmt: skip


def wait(autograd: Any, task: Task) -> float:
    """Return the seconds from compiling a program to its first gradient."""
    batch = [[x] * task.batch for x in task.example]
    start = time.process_time()
    program = autograd.compile(task.loss, task.leaves, example=task.example)
    program.gradient(*batch)
    return time.process_time() - start


def eager(task: Task) -> float:
    """Return the seconds of an eager forward pass, the median of five, with the collector on, as by default."""
    seconds = []
    for _ in range(5):
        start = time.process_time()
        task.loss(*task.example)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def report(name: str, packages: Sequence[tuple[Any, Any]], rounds: int) -> str:
    """Measure a workload in all packages, which take turns; return its row."""
    ratios: list[list[float]] = [[] for _ in packages]
    waits: list[list[float]] = [[] for _ in packages]
    for seed in range(rounds + 1):
        for i in Random(seed).sample(range(len(packages)), len(packages)):
            task = TASKS[name](*packages[i], seed)
            gc.collect()
            taken, passes = wait(packages[i][0], task), eager(task)
            if seed:  # the first round only warms up the back end
                ratios[i].append(taken / passes)
                waits[i].append(taken)
    cells = [f"{statistics.median(ratio):.1f} | {statistics.median(t) * 1e3:.1f} ms" for ratio, t in
             zip(ratios, waits, strict=True)]  # fmt: skip
    return f"| {name} | {' | '.join(cells)} |"


def memory(autograd: Any, nn: Any, sizes: Sequence[int] = (784, 64, 10)) -> float:
    """Return the peak of memory of compiling and a first step, in bytes per parameter."""
    task = mlp(autograd, nn, 0, sizes)
    wait(autograd, mlp(autograd, nn, 1, (3, 2, 2)))
    tracemalloc.start()
    wait(autograd, task)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / len(task.leaves)


def large(autograd: Any, nn: Any) -> str:
    """Return the seconds that a network of 670,000 parameters takes until its first step is done, and to be printed."""
    task = mlp(autograd, nn, 0, (784, 512, 512, 10))
    start = time.process_time()
    program = autograd.compile(task.loss, task.leaves, example=task.example)
    program.gradient(*[[x] * 32 for x in task.example])
    compiled, start = time.process_time() - start, time.process_time()
    assert str(program)
    return f"784-512-512-10: {compiled:.1f} s to its first step, printed in {time.process_time() - start:.1f} s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, and report."""
    parser = argparse.ArgumentParser(description="Compile and first step, in eager forward passes.")
    parser.add_argument("--beside", type=Path, help="another checkout to measure in the same process")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--large", action="store_true", help="a network of 670,000 parameters as well")
    parser.add_argument("names", nargs="*", choices=[[], *TASKS], metavar="name", help=f"of workloads: {', '.join(TASKS)}")
    given = parser.parse_args(arguments)
    packages = [load(folder) for folder in [*([given.beside] if given.beside else []), HERE]]
    print("| compile and first step, in eager passes |" + " before | |" * bool(given.beside) + " now | |")
    print("| --- |" + " --: | --: |" * len(packages))
    for name in given.names or TASKS:
        print(report(name, packages, given.rounds), flush=True)
    print("\nbytes per parameter, 784-64-10:", ", ".join(f"{memory(*package):,.0f}" for package in packages))
    for package in packages if given.large else ():
        print(large(*package))


if __name__ == "__main__":
    main()
