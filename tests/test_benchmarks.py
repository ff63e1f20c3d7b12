"""The benchmarks: all participants agree, wrong ones are caught, and the tables are complete."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import compiled
import compiling
import eager
import mnist
import numpy as np
import outside
import workloads
from peers import ByHand, Engine, engines
from workloads import Workload

from autograd import compile

WORKLOADS = {"chain": (eager.chain_tasks, 40), "products": (eager.product_tasks, 10), "moons": (eager.moons_tasks, 4)}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_all_engines_give_the_same_gradients(workload: str) -> None:
    tasks_of, n = WORKLOADS[workload]
    tasks = tasks_of(engines(), n)
    eager.compare_gradients(tasks)
    assert {engine.name for engine in engines()} <= set(tasks)
    for task in tasks.values():
        assert any(leaf.grad for leaf in task.leaves)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_an_engine_with_a_wrong_rule_is_not_timed(workload: str) -> None:
    def wrong(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *operands: f(*operands) * 1.0001

    ours = engines()[0]
    broken = replace(ours, name="broken", tanh=wrong(ours.tanh), net=wrong(ours.net), total=wrong(ours.total))
    tasks_of, n = WORKLOADS[workload]
    with pytest.raises(ValueError, match=r"by ours and .* by broken"):
        eager.compare_gradients(tasks_of([ours, broken], n))


def test_methods_written_by_hand_record_what_the_table_records() -> None:
    def programs(engine: Engine) -> list[Any]:
        a, b = engine.leaf(0.75), engine.leaf(-1.25)
        return [
            a + b, a + 2, a - b, a - 2, 2 - a, a * b, a * 2, 2 * a, a / b, a / 2, a**2, a**3, a**0.5, a**0, b**-1,
            engine.tanh(a), a.relu(), b.relu(), engine.total([a, b, a]), engine.net([a, b], [b, a], a),
            engine.net([a, b], [0.5, a], b), engine.net([a, b], [0.5, 2], b),
        ]  # fmt: skip

    for ours, by_hand in zip(*map(programs, engines()[:2]), strict=True):
        assert type(by_hand) is ByHand
        assert by_hand.primitive is ours.primitive
        assert (by_hand.data, by_hand.partials) == (ours.data, ours.partials)
        assert [getattr(x, "data", x) for x in by_hand.operands] == [getattr(x, "data", x) for x in ours.operands]


@pytest.mark.slow
def test_the_report_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    limit = sys.getrecursionlimit()
    eager.report(eager.SMALLEST)
    printed = capsys.readouterr().out
    for part in ("Python", "import autograd", "chain of 1,000 operations", "chain of 40 mixed", "bytes per operation",
                 "sum of 10 products", "training step, network 2-16-16-1, 3 points"):  # fmt: skip
        assert part in printed
    for engine in engines():
        assert printed.count(f"\n{engine.name:16}") == 4  # three tables of times, one of memory
    assert sys.getrecursionlimit() == limit


def test_quick_and_full_measure_the_same_sizes() -> None:
    for size in ("chain", "products", "batch"):
        assert getattr(eager.QUICK, size) == getattr(eager.FULL, size)


# Compiled programs.

SMALL: dict[str, Callable[[], Workload]] = {
    "moons": lambda: workloads.moons(5),
    "parity": lambda: workloads.parity(8),
    "digits": lambda: workloads.digits(4, "float64", (9, 4, 3)),
    "digits32": lambda: workloads.digits(4, "float32", (9, 4, 3)),
    "convolution": lambda: workloads.convolution(3, size=5, filters=2, classes=3),
    "attention": lambda: workloads.attention(2, length=3, width=4),
    "attention64": lambda: workloads.attention(5, length=2, width=3),
    "recurrence": lambda: workloads.recurrence(12),
    "mixed": lambda: workloads.mixed(60, 3, n_leaves=5),
    "gmm": lambda: outside.gmm(6, 3, 4),
    "lstm": lambda: outside.lstm(4, 2, 3),
    "gpt": lambda: outside.gpt(outside.NAMES[:2], width=4, heads=2, length=6),
}


LONG = ("attention64", "gmm", "lstm", "gpt")  # jax takes seconds to compile these


# Numba compiles the interpreter for each dtype, and float32 is not worth ten seconds of every first run.
NATIVE = [pytest.param(name, marks=pytest.mark.slow) if name == "digits32" else name for name in SMALL]


def in_numpy(work: Workload) -> list[compiled.Participant]:
    """Return the participants without torch and jax: both back ends, NumPy by hand, and the scalars."""
    programs = {name: compile(work.scalars, work.leaves, dtype=work.dtype, backend=name) for name in ("numpy", "native")}
    ours = [compiled.ours(work, program, name) for name, program in programs.items()]
    return [*ours, compiled.by_hand(work), compiled.scalars(work)]


@pytest.mark.parametrize("name", NATIVE)
def test_every_text_of_a_workload_gives_the_same_gradient(name: str) -> None:
    work = SMALL[name]()
    found = in_numpy(work)
    compiled.compare_gradients(work, found)
    _, gradient = found[0].gradient()
    assert np.abs(gradient).max() > 1e-6


@pytest.mark.parametrize("peer", ["torch", "jax"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in SMALL])
def test_a_peer_gives_the_same_gradient(name: str, peer: str) -> None:
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    work = SMALL[name]()
    compiled.compare_gradients(work, [{"torch": compiled.with_torch, "jax": compiled.with_jax}[peer](work)])


@pytest.mark.parametrize("name", NATIVE)
def test_a_step_is_one_of_gradient_descent(name: str) -> None:
    work = SMALL[name]()
    program = compile(work.scalars, work.leaves, dtype=work.dtype)
    before, (_, gradient) = program.parameters.copy(), program.gradient(*work.batch)
    compiled.ours(work, program, "ours").step()
    # Adam's first step is the gradient divided by its size.
    change = 0.01 * gradient / (np.abs(gradient) + 1e-8) if work.adam else compiled.RATE * gradient
    np.testing.assert_allclose(program.parameters, before - change, rtol=1e-6 if "32" in name else 1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_a_wrong_gradient_is_not_timed(name: str) -> None:
    work = SMALL[name]()
    right = compiled.by_hand(work)
    loss, gradient = right.gradient()
    wrong = right._replace(name="broken", gradient=lambda: (loss, gradient * 1.0001))
    with pytest.raises(ValueError, match="of broken are not those by hand"):
        compiled.compare_gradients(work, [right, wrong])


def test_the_table_of_compiled_programs_is_complete(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workloads, "workloads", lambda: {name: SMALL[name] for name in ("parity", "digits")})
    monkeypatch.setattr(outside, "outside", dict)
    monkeypatch.setattr(compiled, "participants", lambda work, program: [compiled.ours(work, program, "ours"), *in_numpy(work)])
    compiled.main([], compiled.SMALLEST)
    printed = capsys.readouterr().out
    assert "one thread" in printed
    rows = [line for line in printed.splitlines() if line.startswith(("| parity", "| digits"))]
    assert [row.count("|") for row in rows] == [11, 11, 6, 6]


@pytest.mark.slow
def test_the_table_of_waits_is_complete(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def small(name: str, **sizes: Any) -> Callable[..., compiling.Task]:
        return lambda autograd, nn, seed: getattr(compiling, name)(autograd, nn, seed, **sizes)

    tasks = {"mlp": small("mlp", sizes=(4, 3, 2)), "recurrence": small("recurrence", steps=5), "lstm": small("lstm", steps=2)}
    monkeypatch.setattr(compiling, "TASKS", {**tasks, "gpt": small("gpt", length=2, width=4, heads=2, words=3)})
    monkeypatch.setattr(compiling, "load", lambda folder: (importlib.import_module("autograd"), importlib.import_module("nn")))
    monkeypatch.setattr(compiling, "memory", lambda *_: 0.0)
    compiling.main(["--rounds", "1"])
    printed = capsys.readouterr().out
    for name in ("mlp", "recurrence", "lstm", "gpt"):
        assert f"| {name} | " in printed


def test_published_sizes() -> None:
    makers = workloads.workloads() | outside.outside()
    assert list(SMALL) == list(makers)
    assert makers["gpt"]().title.startswith("GPT of 4,192 parameters")
    work = workloads.workloads()["parity"]()
    assert (len(work.leaves), work.batch[0].shape) == (41, (8, 10))


@pytest.mark.slow
def test_the_mixture_has_the_density_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    n, d, k = 6, 3, 4
    work = outside.gmm(n, d, k)
    alphas, means, diagonals, factors = work.arrays()
    expected, densities = 0.0, np.zeros((k, n))
    for i in range(k):
        Q = np.diag(np.exp(diagonals[i]))
        Q[[1, 2, 2], [0, 0, 1]] = factors[i]
        precision = Q.T @ Q
        densities[i] = stats.multivariate_normal(means[i], np.linalg.inv(precision)).pdf(work.batch[0])
        expected += stats.wishart(d + 1, np.eye(d)).logpdf(precision)
    expected += np.log(np.exp(alphas) / np.exp(alphas).sum() @ densities).sum()
    assert -n * work.by_hand(work.arrays(), *work.batch)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_a_gpt_learns_with_the_losses_of_the_eager_engine() -> None:
    found = compiled.first_losses(outside.NAMES[:12])
    assert len({len(name) for name in outside.NAMES[:12]}) > 3
    assert [f"{loss:.10f}" for loss in found["compiled"]] == [f"{loss:.10f}" for loss in found["eager"]]
    assert found["eager"][-1] < found["eager"][0]


def one_pixel_images(n: int) -> mnist.Images:
    y = np.random.default_rng(n).integers(10, size=n)
    X = np.zeros((n, 784), np.uint8)
    X[np.arange(n), y * 50] = 255
    return mnist.Images(X, y)


@pytest.fixture
def few_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halve the hidden neurons of the network for MNIST: these tests spend most of their time on tracing."""
    monkeypatch.setattr(mnist, "SIZES", (784, 16, 10))


@pytest.mark.usefixtures("few_neurons")
def test_the_notes_recipe_takes_the_steps_of_numpy_by_hand() -> None:
    outcome = mnist.notes(one_pixel_images(600), one_pixel_images(100), epochs=12)
    assert 0 < outcome.apart < 1e-9
    assert outcome.by_hand is not None
    assert outcome.by_hand[0] == pytest.approx(outcome.accuracy, abs=0.1)
    assert "by hand" in str(outcome)


@pytest.mark.slow
@pytest.mark.usefixtures("few_neurons")
def test_the_recipe_of_today_learns() -> None:
    assert mnist.today(one_pixel_images(600), one_pixel_images(100), epochs=25).accuracy > 0.95
