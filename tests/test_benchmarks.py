"""The benchmark runs: its engines agree, wrong ones are found out, and its tables come out whole."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import eager
from peers import ByHand, Engine, engines

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


def test_the_report_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
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
