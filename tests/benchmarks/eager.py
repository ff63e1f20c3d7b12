"""The eager engine compared with its peers: time, memory, depth, import.

    python tests/benchmarks/eager.py [--quick]

Every workload has one text for all engines, and its gradients are compared before anything is timed.  Engines are never
compared across processes, hours or temperatures: their blocks take turns within one process, ours takes two turns as a control
(its difference from 1.00 is noise), and ratios are taken round by round.  A block begins with a full collection, so that no
engine pays for another's garbage, and its leaves exist before the clock starts; forward + backward + free are timed, in
processor time.  With the collector off, engines whose nodes form cycles free nothing.

Nothing here asserts a time: the tables are for reading.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs without installing the project

from peers import Engine, engines

ROOT = Path(__file__).resolve().parents[2]
SIZES = [2, 16, 16, 1]
RATE = 0.05
UNIT = 10  # operations that the chain repeats


@dataclass(frozen=True)
class Settings:
    """How much is measured: sizes, and for each workload the runs in a block and the rounds of blocks.

    A block has several runs, as a training loop has: where nodes form cycles, the garbage of one run is collected during the
    next, and with a single run it would be left to the collection that is not timed.
    """

    chain: int = 1000
    chain_blocks: tuple[int, int] = (20, 21)
    products: int = 300
    products_blocks: tuple[int, int] = (40, 21)
    batch: int = 100
    batch_blocks: tuple[int, int] = (4, 5)
    long_chain: int = 1_000_000
    imports: int = 15


FULL = Settings()
QUICK = Settings(chain_blocks=(10, 5), products_blocks=(20, 5), batch_blocks=(3, 1), long_chain=200_000, imports=5)
SMALLEST = Settings(40, (1, 1), 10, (1, 1), 3, (1, 1), 1000, 1)


class Task(NamedTuple):
    """A workload for one engine: `run` does it once, and `leaves` then have the gradients."""

    run: Callable[[], None]
    leaves: Sequence[Any]


# The workloads.


def chain(n: int, x: Any, w: Any, b: Any, tanh: Callable[[Any], Any]) -> Any:
    """Return the end of a chain of n mixed operations, with constants as people write them.

    >>> from autograd import Value, tanh
    >>> round(chain(1000, Value(0.5), Value(0.8), Value(-0.3), tanh).data, 4)
    0.8937
    """
    y = x
    for _ in range(n // UNIT):
        y = y * w
        y = y + 0.5
        y = tanh(y)
        y = y * 1.5
        y = y - b
        y = y.relu()
        y = y / 2
        y = y**2
        y = 1 - y
        y = y + x
    return y


def chain_tasks(participants: Sequence[Engine], n: int) -> dict[str, Task]:
    """Return each engine's chain of n operations."""

    def task(engine: Engine) -> Task:
        x, w, b = (engine.leaf(data) for data in (0.5, 0.8, -0.3))
        return Task(lambda: chain(n, x, w, b, engine.tanh).backward(), [x, w, b])

    return {engine.name: task(engine) for engine in participants}


def product_tasks(participants: Sequence[Engine], n: int) -> dict[str, Task]:
    """Return each engine's sum of n products and a bias: by operators, and by ``dot`` if the engine has it."""
    source = random.Random(1)
    data = [source.uniform(-1, 1) for _ in range(2 * n + 1)]

    def task(engine: Engine, net: Callable[[Any, Any, Any], Any]) -> Task:
        leaves = [engine.leaf(x) for x in data]
        weights, inputs, bias = leaves[:n], leaves[n : 2 * n], leaves[-1]
        return Task(lambda: net(weights, inputs, bias).backward(), leaves)

    tasks = {engine.name: task(engine, _sum_of_products) for engine in participants}
    return tasks | {f"{engine.name}: dot": task(engine, engine.net) for engine in participants if engine.takes_numbers}


def _sum_of_products(weights: Sequence[Any], inputs: Sequence[Any], bias: Any) -> Any:
    out = bias
    for w, x in zip(weights, inputs, strict=True):
        out = out + w * x
    return out


def moons(n: int) -> tuple[list[list[float]], list[float]]:
    """Return n points on two interleaving half circles, and their classes -1 and 1.

    >>> points, targets = moons(100)
    >>> len(points), sum(targets)
    (100, 0.0)
    """
    source = random.Random(2)
    points, targets = [], []
    for i in range(n):
        angle, target = source.uniform(0, math.pi), -1.0 if i % 2 else 1.0
        x, y = target * math.cos(angle) + (target < 0), target * math.sin(angle) + (target < 0) / 2
        points.append([x + source.gauss(0, 0.1), y + source.gauss(0, 0.1)])
        targets.append(target)
    return points, targets


def moons_tasks(participants: Sequence[Engine], n: int) -> dict[str, Task]:
    """Return each engine's training step of a 2-16-16-1 network on n points at once: forward, loss, backward, update."""
    source = random.Random(3)
    data = [source.uniform(-1, 1) for inputs, neurons in itertools.pairwise(SIZES) for _ in range((inputs + 1) * neurons)]
    points, targets = moons(n)

    def task(engine: Engine) -> Task:
        network = engine.network(engine, SIZES, data)
        inputs = points if engine.takes_numbers else [[engine.leaf(x) for x in point] for point in points]
        parameters = network.parameters()

        def step() -> None:
            losses = [(1 - target * network(point)).relu() for point, target in zip(inputs, targets, strict=True)]
            loss = engine.total(losses) * (1 / n)
            for parameter in parameters:
                parameter.grad = 0.0
            loss.backward()
            for parameter in parameters:
                parameter.data -= RATE * parameter.grad

        return Task(step, parameters)

    return {engine.name: task(engine) for engine in participants}


def compare_gradients(tasks: dict[str, Task]) -> None:
    """Run each task once and compare its gradients with those of the first.

    Raises:
        ValueError: if one differs by more than 1e-9, relative to it or to 1, whichever is larger.
    """
    gradients = {}
    for name, task in tasks.items():
        task.run()
        gradients[name] = [leaf.grad for leaf in task.leaves]
    (first, expected), *others = gradients.items()
    for name, found in others:
        for i, (a, b) in enumerate(zip(expected, found, strict=True)):
            if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9):
                raise ValueError(f"the gradient of leaf {i} is {a!r} by {first} and {b!r} by {name}: nothing was timed")


# Measuring.


@contextlib.contextmanager
def collector(on: bool) -> Iterator[None]:
    """Run the block after a full collection, with the cyclic garbage collector on, in its default mode, or off."""
    was_on = gc.isenabled()
    gc.collect()
    (gc.enable if on else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if was_on else gc.disable)()


@contextlib.contextmanager
def deep_recursion(limit: int = 50_000) -> Iterator[None]:
    """Let recursive engines recurse as deep as the workloads."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, limit))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def measure(tasks: dict[str, Task], runs: int, rounds: int, collect: bool) -> dict[str, list[float]]:
    """Return the seconds per run of each task, one figure for each round, in which the tasks take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    names = list(tasks)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            run = tasks[name].run
            with collector(collect):
                start = time.process_time()
                for _ in range(runs):
                    run()
                seconds[name].append((time.process_time() - start) / runs)
    return seconds


def bytes_per_operation(engine: Engine, n: int) -> tuple[float, float]:
    """Return the memory of a chain of n operations, in bytes per operation, after the forward and the backward pass."""
    x, w, b = (engine.leaf(data) for data in (0.5, 0.8, -0.3))
    gc.collect()
    tracemalloc.start()
    try:
        y = chain(n, x, w, b, engine.tanh)
        forward = tracemalloc.get_traced_memory()[0]
        y.backward()
        gc.collect()
        return forward / n, tracemalloc.get_traced_memory()[0] / n
    finally:
        tracemalloc.stop()


def long_chain(n: int) -> None:
    """Print, as JSON, the time that a chain of n operations takes to build, differentiate and free, and the peak of memory.

    The peak is that of the whole process, in bytes, so this needs a process of its own.
    """
    import resource

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    ours = engines()[0]
    x, w, b = (ours.leaf(data) for data in (0.5, 0.8, -0.3))
    before, start = peak(), time.process_time()
    y = chain(n, x, w, b, ours.tanh)
    built = time.process_time()
    y.backward()
    differentiated = time.process_time()
    del y
    freed = time.process_time()
    times = {"build": built - start, "backward": differentiated - built, "free": freed - differentiated}
    print(json.dumps(times | {"before": before, "peak": peak()}))


def import_times(runs: int) -> tuple[list[float], list[float]]:
    """Return the seconds of starting bare Python, and of Python with an import of the package; the two take turns."""
    seconds: tuple[list[float], list[float]] = [], []
    for _ in range(runs):
        for program, times in zip(("pass", "import autograd"), seconds, strict=True):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
            times.append(time.perf_counter() - start)
    return seconds


# Printing.


def print_table(title: str, tasks: dict[str, Task], blocks: tuple[int, int], scale: float) -> None:
    """Measure tasks with the collector on and off, and print a row for each, with times multiplied by `scale`."""
    compare_gradients(tasks)
    on, off = measure(tasks, *blocks, collect=True), measure(tasks, *blocks, collect=False)
    print(f"\n{title}")
    print(f"{'':16}{'collector on':^34}  {'collector off':^34}")
    print(f"{'':16}" + 2 * f"{'median':>10}{'minimum':>10}{'× ours':>7}{'(min)':>7}  ")
    for name in tasks:
        cells = "".join(_cells(seconds[name], seconds["ours"], scale) + "  " for seconds in (on, off))
        print(f"{name:16}{cells}".rstrip())


def _cells(seconds: Sequence[float], ours: Sequence[float], scale: float) -> str:
    ratio = statistics.median(a / b for a, b in zip(seconds, ours, strict=True))
    best = min(seconds) / min(ours)
    return f"{statistics.median(seconds) * scale:10.4g}{min(seconds) * scale:10.4g}{ratio:7.2f}{best:7.2f}"


def print_memory(participants: Sequence[Engine], n: int) -> None:
    """Print the bytes per operation of each engine."""
    print("\nmemory of that chain, bytes per operation")
    print(f"{'':16}{'forward':>10}{'backward':>10}")
    for engine in participants:
        forward, backward = bytes_per_operation(engine, n)
        print(f"{engine.name:16}{forward:10.0f}{backward:10.0f}")


def print_long_chain(n: int) -> None:
    """Print the cost of a long chain, which is too deep for the peers' recursion."""
    program = f"from eager import long_chain; long_chain({n})"
    folder = Path(__file__).parent
    answer = subprocess.run([sys.executable, "-c", program], cwd=folder, check=True, capture_output=True, text=True)
    taken = json.loads(answer.stdout)
    print(f"\nchain of {n:,} operations, collector on, ours in a process of its own")
    print(f"build {taken['build']:.2f} s, backward {taken['backward']:.2f} s, free {taken['free']:.2f} s, "
          f"peak {taken['peak'] / 1e6:.0f} MB, of which {taken['before'] / 1e6:.0f} MB before the chain")  # fmt: skip


def print_import(runs: int) -> None:
    """Print the time that importing the package adds to starting Python."""
    bare, full = import_times(runs)
    median, least = ((of(full) - of(bare)) * 1e3 for of in (statistics.median, min))
    print(f"\nimport autograd: {median:.0f} ms (minimum {least:.0f}) on top of bare Python's {min(bare) * 1e3:.0f}")


def report(settings: Settings) -> None:
    """Measure everything and print it."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}")
    ours, *peers = engines()
    # First, while this process is small: a child's peak of memory is at least its parent's.
    print_import(settings.imports)
    print_long_chain(settings.long_chain)
    participants = [ours, replace(ours, name="ours again"), *peers]
    with deep_recursion():
        print_table(f"chain of {settings.chain:,} mixed operations, ns per operation: forward, backward, free",
                    chain_tasks(participants, settings.chain), settings.chain_blocks, 1e9 / settings.chain)  # fmt: skip
        print_memory([ours, *peers], settings.chain)
        print_table(f"sum of {settings.products} products and a bias, ns per product: forward, backward, free",
                    product_tasks(participants, settings.products), settings.products_blocks,
                    1e9 / settings.products)  # fmt: skip
        print_table(f"training step, network {'-'.join(map(str, SIZES))}, {settings.batch} points at once, ms",
                    moons_tasks(participants, settings.batch), settings.batch_blocks, 1e3)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, and report."""
    parser = argparse.ArgumentParser(description="The eager engine beside its peers: time, memory, depth, import.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter blocks: some 15 seconds instead of 2 minutes")
    report(QUICK if parser.parse_args(arguments).quick else FULL)


if __name__ == "__main__":
    main()
