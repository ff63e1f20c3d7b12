"""Compiled programs compared with NumPy by hand, torch, jax.jit and the scalars they were compiled from.

    python tests/benchmarks/compiled.py [--quick] [names of workloads]

Every participant does the same training step: the mean loss of a batch, its gradient with respect to all parameters, and the
update in place.  All gradients are compared before anything is timed.  Everything runs in one process on one thread; the
participants take turns, ours takes two turns as a control (its difference from 1.00 is noise), and ratios are taken round by
round, in processor time, which other processes do not disturb.

Torch and jax are left out if they are not installed:

    pip install torch jax

The environment's OPENBLAS_CORETYPE is ignored: NumPy may use everything that the processor has, as torch and jax do.

Nothing here asserts a time: the tables are for reading.
"""

from __future__ import annotations

import os

# Set first: each library reads these variables when it is imported.
os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC"], "1")
)
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"

import argparse
import importlib
import importlib.util
import math
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs without installing the project

import numpy as np
import outside
import workloads
from workloads import Array, Library, Workload

from autograd import Program, compile
from autograd.compiler.tracing import Trace
from nn.training import collector_paused

RATE, ADAM_RATE = 1e-4, 0.01
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}  # of gradients, relative to the largest component


@dataclass(frozen=True)
class Settings:
    """How much is measured: rounds, the least seconds of a participant's turn in a round, and tracings."""

    rounds: int = 15
    turn: float = 0.03
    tracings: int = 3


FULL = Settings()
QUICK = Settings(rounds=5, turn=0.01, tracings=1)
SMALLEST = Settings(rounds=1, turn=0.0, tracings=1)


class Participant(NamedTuple):
    """One way to compute a workload.

    Attributes:
        name: the column.
        gradient: returns the loss and the gradient, in the order of the leaves.
        step: the function that is timed.
        share: the share of the batch that a step processes; a step of the eager scalars processes one example.
    """

    name: str
    gradient: Callable[[], tuple[float, Array]]
    step: Callable[[], Any]
    share: float = 1.0


# Participants.


def participants(work: Workload, program: Program) -> Iterator[Participant]:
    """Yield all participants that can compute the workload, ours first and twice."""
    yield ours(work, program, "ours")
    yield ours(work, program, "ours again")
    yield by_hand(work)
    for name, peer in (("torch", with_torch), ("jax", with_jax)):
        if importlib.util.find_spec(name) is not None and (work.jitted or name != "jax"):
            yield peer(work)
    if work.dtype == "float64":
        yield scalars(work)


def ours(work: Workload, program: Program, name: str) -> Participant:
    """Return the compiled program."""
    move = mover(work, [program.parameters])

    def step() -> None:
        move([program.gradient(*work.batch)[1]])

    return Participant(name, lambda: program.gradient(*work.batch), step)


def by_hand(work: Workload) -> Participant:
    """Return NumPy by hand."""
    arrays = work.arrays()

    def gradient() -> tuple[float, Array]:
        loss, gradients = work.by_hand(arrays, *work.batch)
        return loss, work.flat(gradients)

    def step() -> None:
        move(work.by_hand(arrays, *work.batch)[1])

    move = mover(work, arrays)
    return Participant("NumPy", gradient, step)


def scalars(work: Workload) -> Participant:
    """Return the eager scalars, one example after the other; a step processes only the first one."""
    n = len(work.batch[0])
    batch = list(zip(*[array.tolist() for array in work.batch], strict=True))

    def learn(examples: Sequence[Any]) -> float:
        with collector_paused():
            for leaf in work.leaves:
                leaf.grad = 0.0
            losses = 0.0
            for example in examples:
                loss = work.scalars(*example)
                loss.backward(1 / n)
                losses += loss.data
        return losses / n

    def gradient() -> tuple[float, Array]:
        before = [leaf.data for leaf in work.leaves]
        loss = learn(batch)
        assert before == [leaf.data for leaf in work.leaves]
        return loss, np.array([leaf.grad for leaf in work.leaves])

    def step() -> None:
        learn(batch[:1])
        changes = change_of([leaf.grad / n for leaf in work.leaves])
        # Kept aside, since a program of the leaves would not go on after they moved.
        moved[:] = [leaf.data - change for leaf, change in zip(work.leaves, changes, strict=True)]

    moved: list[float] = []
    change_of = changer(work, [0.0] * len(work.leaves))
    return Participant("eager", gradient, step, 1 / n)


# Updates of parameters: gradient descent, or Adam as in Kingma and Ba (2015).


def moments_for(work: Workload, arrays: Sequence[Any]) -> Any:
    """Return the initial state of an update: Adam's averages of gradients and of their squares, and powers of its rates."""
    return [0.0 * array for array in arrays], [0.0 * array for array in arrays], 1.0, 1.0


def changes_of(work: Workload, gradients: Sequence[Any], moments: Any) -> tuple[list[Any], Any]:
    """Return the numbers to subtract from the parameters, and the new moments."""
    if not work.adam:
        return [RATE * gradient for gradient in gradients], moments
    means, squares, first, second = moments
    means = [0.85 * m + 0.15 * g for m, g in zip(means, gradients, strict=True)]
    squares = [0.99 * v + 0.01 * (g * g) for v, g in zip(squares, gradients, strict=True)]
    first, second = first * 0.85, second * 0.99
    scales = ADAM_RATE / (1 - first), 1 / (1 - second)
    changes = [scales[0] * m / ((scales[1] * v) ** 0.5 + 1e-8) for m, v in zip(means, squares, strict=True)]
    return changes, (means, squares, first, second)


def changer(work: Workload, arrays: Sequence[Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function from gradients to the numbers to subtract from the parameters."""
    moments = moments_for(work, arrays)

    def change_of(gradients: Sequence[Any]) -> list[Any]:
        nonlocal moments
        changes, moments = changes_of(work, gradients, moments)
        return changes

    return change_of


def mover(work: Workload, arrays: Sequence[Any]) -> Callable[[Sequence[Any]], None]:
    """Return a function that updates arrays in place from their gradients."""
    change_of = changer(work, [0.0 * array for array in arrays])

    def move(gradients: Sequence[Any]) -> None:
        for array, change in zip(arrays, change_of(gradients), strict=True):
            array -= change

    return move


def first_losses(names: Sequence[str], **sizes: int) -> dict[str, list[float]]:
    """Train a GPT by Adam on one name after the other, compiled and eager; return the loss before each step.

    Compiled, all names are padded to the longest and masked; eager, each has its own length.
    """
    found: dict[str, list[float]] = {}
    work = outside.gpt(names, **sizes)
    program = compile(work.scalars, work.leaves)
    move, change_of = mover(work, [program.parameters]), changer(work, [0.0] * len(work.leaves))
    for i in range(len(names)):
        loss, gradient = program.gradient(*[array[i : i + 1] for array in work.batch])
        move([gradient])
        found.setdefault("compiled", []).append(loss)
    for i, shares in enumerate(work.batch[2]):
        for leaf in work.leaves:
            leaf.grad = 0.0
        error = work.scalars(*[array[i, shares > 0].tolist() for array in work.batch])
        error.backward()
        for leaf, change in zip(work.leaves, change_of([leaf.grad for leaf in work.leaves]), strict=True):
            leaf.data -= change
        found.setdefault("eager", []).append(error.data)
    return found


def with_torch(work: Workload) -> Participant:
    """Return torch, eager."""
    torch = importlib.import_module("torch")
    functional = torch.nn.functional
    torch.set_num_threads(1)

    def last(step: Callable[[Array, Array], Array], h: Array, xs: Array) -> Array:
        for x in xs:
            h = step(h, x)
        return h

    words = Library(functional.linear, functional.conv2d, lambda x: x.softmax(-1), lambda x: x.logsumexp(-1), torch.tanh,
                    torch.sigmoid, torch.relu, torch.sin, torch.cos, last, torch.exp, torch.log,
                    lambda xs: torch.stack(xs, 1), torch.tensor)  # fmt: skip
    arrays = [torch.tensor(array, requires_grad=True) for array in work.arrays()]
    batch = [torch.from_numpy(array) for array in work.batch]

    def gradient() -> tuple[float, Array]:
        for array in arrays:
            array.grad = None
        loss = work.by_library(words, arrays, *batch)
        loss.backward()
        return loss.item(), work.flat([array.grad.numpy() for array in arrays])

    def step() -> None:
        work.by_library(words, arrays, *batch).backward()
        with torch.no_grad():
            move([array.grad for array in arrays])
            for array in arrays:
                array.grad = None

    move = mover(work, arrays)
    found = Participant("torch", gradient, step)
    loss = found.gradient()
    for array in arrays:
        array.grad = None
    return found._replace(gradient=lambda: loss)


def with_jax(work: Workload) -> Participant:
    """Return jax.jit of a whole step, which may reuse the memory of the old parameters for the new ones."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def convolution(images: Array, filters: Array, bias: Array) -> Array:
        return jax.lax.conv_general_dilated(images, filters, (1, 1), "VALID") + bias[:, None, None]

    words = Library(lambda x, W, b: x @ W.T + b, convolution, jax.nn.softmax, lambda x: jax.nn.logsumexp(x, -1), jax.numpy.tanh,
                    jax.nn.sigmoid, jax.nn.relu, jax.numpy.sin, jax.numpy.cos,
                    lambda step, h, xs: jax.lax.scan(lambda h, x: (step(h, x), None), h, xs)[0],
                    jax.numpy.exp, jax.numpy.log, lambda xs: jax.numpy.stack(xs, 1), jax.numpy.asarray)  # fmt: skip
    value_and_grad = jax.value_and_grad(lambda arrays, *batch: work.by_library(words, arrays, *batch))

    def learn(arrays: list[Array], moments: Any, *batch: Array) -> tuple[Array, list[Array], list[Array], Any]:
        loss, gradients = value_and_grad(arrays, *batch)
        changes, moments = changes_of(work, gradients, moments)
        return loss, gradients, [array - change for array, change in zip(arrays, changes, strict=True)], moments

    compiled = jax.jit(learn, donate_argnums=(0, 1))
    arrays = [jax.numpy.array(array) for array in work.arrays()]
    batch = [jax.numpy.array(array) for array in work.batch]
    loss, gradients, arrays, moments = compiled(arrays, moments_for(work, arrays), *batch)
    at_start = float(loss), work.flat([np.asarray(gradient) for gradient in gradients])

    def step() -> None:
        nonlocal arrays, moments
        loss, _, arrays, moments = compiled(arrays, moments, *batch)
        jax.block_until_ready((loss, arrays))

    return Participant("jax.jit", lambda: at_start, step)


# Measuring.


def compare_gradients(work: Workload, found: Sequence[Participant]) -> None:
    """Compare each participant's loss and gradient with those by hand, in float64.

    Raises:
        ValueError: if one differs by more than the tolerance, relative to the largest component.
    """
    arrays = [np.float64(array) for array in work.arrays()]
    loss, gradients = work.by_hand(arrays, *[np.float64(array) for array in work.batch])
    expected = np.empty(len(work.leaves))
    for places, array in zip(work.places, gradients, strict=True):
        expected[places] = array
    for participant in found:
        other, gradient = participant.gradient()
        apart = np.abs(gradient - expected).max() / np.abs(expected).max()
        if not (apart <= TOLERANCE[work.dtype] and math.isclose(loss, other, rel_tol=TOLERANCE[work.dtype])):
            raise ValueError(f"{work.title}: the loss {other!r} and the gradient of {participant.name} are not those by hand, "
                             f"{loss!r}; the gradients are {apart:.1e} apart: nothing was timed")  # fmt: skip


def measure(found: Sequence[Participant], settings: Settings) -> dict[str, list[float]]:
    """Return each participant's seconds per step, one figure for each round, in which they take turns."""
    runs = {participant.name: _runs(participant, settings.turn) for participant in found}
    seconds: dict[str, list[float]] = {participant.name: [] for participant in found}
    order = Random(0)
    for _ in range(settings.rounds):
        for participant in order.sample(found, len(found)):  # none always follows the same one
            participant.step()  # warms the cache, which the previous one has filled
            start = time.process_time()
            for _ in range(runs[participant.name]):
                participant.step()
            taken = (time.process_time() - start) / runs[participant.name]
            seconds[participant.name].append(taken / participant.share)
    return seconds


def _runs(participant: Participant, turn: float) -> int:
    """Return the number of steps in a turn."""
    participant.step()
    runs = 1
    while True:
        start = time.process_time()
        for _ in range(runs):
            participant.step()
        if time.process_time() - start >= turn:
            return runs
        runs *= 2


class Compilation(NamedTuple):
    """The cost of compiling: nodes as traced plus those of the backward pass, and seconds for the trace and for the rest."""

    nodes: int
    tracing: float
    lowering: float


def compilation(work: Workload, tracings: int) -> Compilation:
    """Measure tracing and lowering, up to instructions or a tape that is ready for the batch."""
    shapes = [array.shape[1:] for array in work.batch]
    rows: list[Compilation] = []
    for _ in range(tracings):
        with collector_paused():
            start = time.process_time()
            trace = Trace(work.scalars, work.leaves, shapes)
            traced = time.process_time() - start
            program = compile(work.scalars, work.leaves, dtype=work.dtype)
            start = time.process_time()
            program.gradient(*work.batch)
            nodes = len(trace.graph) + len(program.graph) - program.trace.passes.forward
            rows.append(Compilation(nodes, traced, time.process_time() - start - traced))
    return min(rows, key=lambda row: row.tracing + row.lowering)


# Printing.


def report(work: Workload, settings: Settings) -> str:
    """Measure a workload and return its row of the table."""
    program = compile(work.scalars, work.leaves, dtype=work.dtype)
    program.gradient(*work.batch)
    found = list(participants(work, program))
    compare_gradients(work, found)
    seconds = measure(found, settings)
    own = seconds.pop("ours")
    ratios = [_ratio(seconds[name], own) if name in seconds else "" for name in PEERS]
    backend = program.backend_for(len(work.batch[0]))
    instructions = program.instructions["forward"] if backend == "numpy" else len(program.graph)
    return _row(work.title, f"{instructions:,}", backend, _time(statistics.median(own)), _time(min(own)), *ratios)


PEERS = ("ours again", "NumPy", "torch", "jax.jit", "eager")


def _ratio(seconds: Sequence[float], own: Sequence[float]) -> str:
    median = statistics.median(a / b for a, b in zip(seconds, own, strict=True))
    return f"{_short(median)} ({_short(min(seconds) / min(own))})"


def _short(x: float) -> str:
    return f"{x:.2f}" if x < 10 else f"{x:,.0f}"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.2f} ms"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Return the names of the machine and of the software on it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    names = [name for name in ("numpy", "numba", "torch", "jax") if importlib.util.find_spec(name) is not None]
    versions = [f"{name} {importlib.import_module(name).__version__}" for name in names]
    return (
        f"{model}, {platform.system()}, {platform.python_implementation()} {platform.python_version()}, {', '.join(versions)}"
    )


def main(arguments: Sequence[str] | None = None, settings: Settings | None = None) -> None:
    """Read the command line, and report."""
    makers = workloads.workloads() | outside.outside()
    parser = argparse.ArgumentParser(description="Compiled programs beside NumPy by hand, torch, jax.jit and eager scalars.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("names", nargs="*", choices=[[], *makers], metavar="name", help=f"of workloads: {', '.join(makers)}")
    given = parser.parse_args(arguments)
    settings = settings or (QUICK if given.quick else FULL)
    chosen = given.names or [*makers]
    print(f"{machine()}; one thread; ratios to ours as medians (and of minima), above 1 ours is faster\n")
    print(_row("a step of training", "forward", "on", "median", "minimum", "control", *PEERS[1:]))
    print(_row("---", "--:", "---", *5 * ["--:"], *3 * ["--:"]))
    for name in chosen:
        print(report(makers[name](), settings), flush=True)
    print("\nforward: instructions on arrays, or operations of the native tape, both passes\n")
    if "gpt" in chosen:
        for engine, losses in first_losses(outside.NAMES[:12]).items():
            print(f"the GPT's first twelve losses, {engine}: {' '.join(f'{loss:.4f}' for loss in losses)}")
        print()
    print(_row("compiling", "nodes", "tracing", "lowering", "together, per node"))
    print(_row("---", *4 * ["--:"]))
    for name in chosen:
        nodes, tracing, lowering = compilation(work := makers[name](), settings.tracings)
        print(_row(work.title, f"{nodes:,}", _time(tracing), _time(lowering), f"{(tracing + lowering) / nodes * 1e6:.1f} µs"),
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
