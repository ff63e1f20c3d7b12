"""Threads on graphs that share nodes: the sums are those of one call after the other."""

import copy
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from autograd import Value, draw, gradients, replay, walk

THREADS = 4


@pytest.fixture(autouse=True)
def _switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # seconds: threads take turns as often as they can
    yield
    sys.setswitchinterval(before)


def lattice(x: Value, depth: int) -> Value:
    """Return a node in which every node below is used twice: 2^depth paths lead to x."""
    for _ in range(depth):
        x = x * 0.5 + x * 0.5
    return x


def at_once(action: Callable[[int], Any], times: int = 40) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(action, range(times)))


def test_backward_on_one_graph_adds_up() -> None:
    x = Value(1.0)
    y = lattice(x, 60)
    at_once(lambda _: y.backward())
    assert x.grad == 40.0 and y.grad == 1.0


def test_backward_on_graphs_that_share_nodes() -> None:
    x = Value(1.0)
    shared = lattice(x, 40)
    losses = [shared * float(k) for k in range(40)]
    at_once(lambda k: losses[k].backward())
    assert x.grad == sum(range(40))


READINGS: dict[str, Callable[[Value, Value], float]] = {
    "gradients": lambda y, x: gradients(y, [x])[0].data,
    "walk": lambda y, x: walk(y).gradients[x],
    "replay": lambda y, x: float(replay(y, {x: 2.0}).data) / 2,
    "copy": lambda y, x: copy.deepcopy(y).data,
    "drawing": lambda y, x: float(len(draw(y).nodes) > 0),
}


@pytest.mark.parametrize("name", READINGS)
def test_every_reading_works_during_a_backward_pass(name: str) -> None:
    x = Value(1.0, label="x")
    y = lattice(x, 12)

    def work(k: int) -> float:
        if k % 2:
            y.backward()
            return 1.0
        return READINGS[name](y, x)

    assert at_once(work) == [1.0] * 40
    assert x.grad == 20.0
