"""Compiled programs and branches: examples of a batch may take different branches, and each gives the same as alone."""

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from test_branches import CASES, Case, agree

from autograd import Value, clip, compile, cos, dot, exp, log, maximum, relu, sin, sqrt, total, where

BACKENDS = ["numpy", "pure", *["native"] * (find_spec("numba") is not None)]


def gradient(backend: str, f: Callable[..., Any], point: list[float], columns: list[list[float]]) -> list[float]:
    """Return the gradient, summed over a batch, with respect to parameters that are added to the columns."""
    parameters = [Value(x) for x in point]
    program = compile(
        lambda *xs: f(*[x + w for x, w in zip(xs, parameters, strict=True)]),
        parameters,
        backend=backend,
        example=[0.5] * len(columns),
    )
    return [float(x) for x in program.gradient(*columns, reduce="sum")[1]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_examples_of_a_batch_take_their_own_branches(case: Case, backend: str) -> None:
    width = len(next(iter(case.at)))
    finite = [point for point, slopes in case.at.items() if all(map(math.isfinite, slopes))]
    for points in [*[[point] for point in case.at], finite]:
        if points:
            expected = [sum(case.at[point][i] for point in points) for i in range(width)]
            found = gradient(backend, case.f, [0.0] * width, [[point[i] for point in points] for i in range(width)])
            assert agree(found, expected), f"{points}: {found}, not {expected}"


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_branch_that_is_not_taken_adds_nothing_to_its_weight(backend: str) -> None:
    pytest.importorskip("numba")
    w = Value(3.0)
    program = compile(lambda x: where(x > 0, w * log(x), w), [w], backend=backend)
    values, batch = program([-1.0, 2.0]), [-1.0, 2.0]
    assert list(values) == pytest.approx([3.0, 3 * math.log(2)])
    assert program.gradient(batch, reduce="sum")[1] == pytest.approx([1 + math.log(2)])
    assert program.gradient([0.0, -1.0], reduce="sum")[1] == pytest.approx([2.0])


@pytest.mark.parametrize(
    "branch",
    [
        lambda w, x: sqrt(cos(w + x)),
        lambda w, x: sqrt(sin(exp(w + x / 4))),
        lambda w, x: log(0.5 + (w - x) ** (w + x)),
    ],
    ids=["cos", "sin", "power"],
)
def test_a_result_that_is_negative_only_at_some_numbers_is_a_risk(branch: Callable[[Any, Any], Any]) -> None:
    w = Value(1.0)
    program = compile(lambda x: where(x < 1, branch(w, x), w * x), [w], backend="numpy")
    assert program.gradient([2.0], reduce="sum")[1].tolist() == [2.0]  # here the branch that is not taken is NaN
    inside = branch(w, 0.0)
    inside.backward()
    assert program.gradient([0.0, 2.0], reduce="sum")[1].tolist() == pytest.approx([w.grad + 2.0])


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_dead_units_of_one_example_leave_the_others_alone(backend: str) -> None:
    pytest.importorskip("numba")
    weights = [[Value(0.5), Value(-1.0)], [Value(-0.5), Value(-2.0)]]
    batch = [[1.0, 2.0], [1.0, -2.0], [-3.0, 0.5], [0.0, 0.0], [-1.0, -1.0]]

    def loss(x: Any) -> Any:
        hidden = [relu(dot(row, x)) for row in weights]
        return sqrt(hidden[0]) + clip(hidden[1] ** 0.5, 0.5, 1.5) + maximum(sqrt(hidden[0] + hidden[1]), 1.0)

    parameters = [w for row in weights for w in row]
    inside = [x for x in batch if x != [0.0, 0.0]]  # at [0, 0] relu is at its kink
    for x in inside:
        loss(x).backward()
    program = compile(loss, parameters, backend=backend)
    assert list(program(batch)) == pytest.approx([loss(x).data for x in batch])
    found = program.gradient(inside, reduce="sum")[1]
    assert all(map(math.isfinite, found)) and list(found) == pytest.approx([w.grad for w in parameters])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_list_below_a_closed_unit_passes_nothing_on(backend: str) -> None:
    v = [Value(2.0), Value(0.5)]

    def loss(x: Any) -> Any:
        powers = [exp(a * x) for a in v]  # at x = 1,000 the first is ∞
        return relu(dot([-1.0, 3.0], powers)) + relu(dot([-2.0, -1.0], powers))

    loss(0.25).backward()
    program = compile(loss, v, backend=backend)
    assert program.gradient([1000.0], reduce="sum")[1].tolist() == [0.0, 0.0]
    assert program.gradient([0.25], reduce="sum")[1] == pytest.approx([a.grad for a in v])


def test_conditions_keep_the_matrices_and_leave_no_unused_nodes() -> None:
    w = [[Value(0.5), Value(-1.0)], [Value(-0.5), Value(2.0)]]
    u = [[Value(1.0), Value(0.25)], [Value(-0.5), Value(1.5)]]

    def loss(x: Any) -> Any:
        powers = [exp(dot(row, x)) for row in w]  # their slopes may be infinite, both below relu and beside it
        hidden = [relu(dot(row, powers)) for row in u]
        return dot(hidden, hidden) + total(powers)

    program = compile(loss, [leaf for row in (*w, *u) for leaf in row], example=[[1.0, 2.0]])
    graph, _, outputs, gradients = program.trace.passes
    assert [len(outer.parameters) for outer in gradients.outers] == [2] * 4  # each has a row of weights, not a single weight
    needed = {*outputs, *gradients.places()}
    for i in reversed(range(graph.n_leaves, len(graph))):
        assert i in needed, f"{i}: {graph.describe(i)} is computed, but nothing needs it"
        needed.update(graph.operands[i])
