"""Arguments of any length and structure: a trace for each shape, groups of examples, functions without data, other machines."""

import math
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_compiler import assert_close, eager, normal

from autograd import Value, compile, dot, exp, grad, logsumexp, relu, tanh, total, where
from autograd.compiler import program as programs
from autograd.compiler.version import Plan

BACKENDS = pytest.mark.parametrize("backend", ["numpy", "native"])
w, u, b = Value(0.5, label="w"), Value(-0.25, label="u"), Value(0.1, label="b")


def last(sequence: Sequence[Any]) -> Any:
    """Return the last output of a unit that is fed with its own output."""
    h: Any = 0.0
    for x in sequence:
        h = tanh(w * h + u * x + b)
    return h


RAGGED = [[1.0, -2.0], [0.5], [3.0, 1.0, -1.0], [2.0, 2.0], [-0.5]]


@BACKENDS
def test_examples_of_different_lengths_are_grouped(backend: str) -> None:
    values, gradient = eager(last, [w, u, b], RAGGED)
    program = compile(last, [w, u, b], backend=backend)
    assert_close(program(RAGGED), values)
    loss, mean = program.gradient(RAGGED)
    assert_close([loss], [sum(values) / 5])
    assert_close(mean, np.array(gradient) / 5)
    outputs, summed = program.outputs_and_gradient(RAGGED, reduce="sum")
    assert_close(outputs[0], values)
    assert_close(summed, gradient)
    assert [*program.traces] == [(("argument 0", (n,)),) for n in (2, 1, 3)]
    before = [*program.traces.values()]
    program(RAGGED)
    assert [*program.traces.values()] == before  # nothing was compiled again


@BACKENDS
def test_results_of_different_shapes_come_as_a_list(backend: str) -> None:
    program = compile(lambda xs: {"twice": [2 * w * x for x in xs], "sum": sum(xs)}, [w], backend=backend)
    found = program(RAGGED)
    assert [result["twice"].tolist() for result in found] == RAGGED
    assert [float(result["sum"]) for result in found] == [sum(xs) for xs in RAGGED]
    doubled = compile(lambda xs: [2 * w * x for x in xs], [w], backend=backend)
    assert [x.tolist() for x in doubled(RAGGED)] == RAGGED
    with pytest.raises(ValueError, match=r"different numbers of outputs.*; call the program"):
        doubled.outputs_and_gradient(RAGGED)


def test_several_ragged_arguments_are_grouped_together() -> None:
    program = compile(lambda xs, ys, scale: dot(xs, ys) * w * scale, [w])
    ragged = [[1.0, 2.0], [3.0]], [[0.5, 1.5], [2.5]], [1.0, 10.0]
    assert program(*ragged).tolist() == [0.5 * 3.5, 0.5 * 75.0]


@BACKENDS
def test_ragged_columns_of_a_table_are_grouped(backend: str) -> None:
    program = compile(lambda p, scale: w * dot(p["x"], p["x"]) * p["y"] * scale, [w], backend=backend)
    table = {"x": [[1.0], [2.0, 3.0], [4.0]], "y": np.array([1.0, 2.0, 3.0])}
    assert program(table, (1.0, 10.0, 100.0)).tolist() == [0.5, 0.5 * 13 * 2 * 10, 0.5 * 16 * 3 * 100]
    assert program.gradient(table, [1.0, 1.0, 1.0], reduce="sum")[1].tolist() == [1 + 26 + 48]


@BACKENDS
def test_any_real_numbers_may_be_in_a_batch(backend: str) -> None:
    program = compile(lambda x: w * x, [w], backend=backend)
    assert program([10**20, Fraction(1, 2), True, np.float32(4.0)]).tolist() == [0.5e20, 0.25, 0.5, 2.0]
    assert compile(lambda x: w * x[0], [w], backend=backend)([[Fraction(1, 2)], [10**20]]).tolist() == [0.25, 0.5e20]
    with pytest.raises(TypeError, match=r"argument 0\[0\] is Decimal\('0.5'\), a Decimal; pass a real number"):
        program([Decimal("0.5")])


@BACKENDS
def test_each_shape_has_its_trace_and_the_oldest_is_dropped(backend: str) -> None:
    program = compile(lambda x: w * sum(x), [w], backend=backend, traces=2)
    for n in (1, 2, 1, 3):
        assert program(np.ones((4, n))).tolist() == [0.5 * n] * 4
    assert [shapes[0][1] for shapes in program.traces] == [(1,), (3,)]
    assert program(np.ones((1, 2))).tolist() == [1.0]
    wrong: list[Any] = [0, 1.5, "3"]
    for traces in wrong:
        with pytest.raises(ValueError, match=f"traces is a whole number, at least 1; got {traces!r}"):
            compile(lambda x: w * sum(x), [w], backend=backend, traces=traces)


def test_a_program_with_an_example_is_for_that_shape() -> None:
    program = compile(last, [w, u, b], example=[[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"compiled for \[batch×2\]; compiled without example=, it takes any"):
        program([[1.0]])
    with pytest.raises(TypeError, match=r"lists of equal lengths.*without example=, or pad them and multiply by a mask"):
        program(RAGGED)


@BACKENDS
def test_a_function_needs_no_data(backend: str) -> None:
    examples: tuple[Any, ...] = ([], None)
    for example in examples:
        program = compile(lambda: (w - 3) ** 2, [w], backend=backend, example=example)
        assert program() == 6.25
        loss, gradient = program.gradient()
        assert (loss, gradient.tolist()) == (6.25, [-5.0])
        assert compile(lambda: {"a": [w, 2 * w], "b": 1.0}, backend=backend, example=example)()["a"].tolist() == [0.5, 1.0]


def test_gradient_descent_without_data() -> None:
    x, y = Value(-1.0), Value(2.0)
    program = compile(lambda: (1 - x) ** 2 + 10 * (y - x * x) ** 2, [x, y])
    for _ in range(3000):
        program.parameters -= 0.01 * program.gradient()[1]
    assert_close(program.parameters, [1.0, 1.0], 1e-4)


# Errors say what to write instead, and their advice works.


def assert_compiles(f: Any, eagerly: Any, *batch: Any) -> None:
    values, gradient = eager(eagerly, [w, u], *batch)
    program = compile(f, [w, u])
    assert_close(program(*batch), values)
    assert_close(program.gradient(*batch, reduce="sum")[1], gradient)


def test_advice_a_branch_is_written_with_where() -> None:
    with pytest.raises(TypeError, match=r"the truth of <traced x > 0.0> .*use where\(condition, a, b\)"):
        compile(lambda x: w * x if x > 0 else u * x, [w, u], example=[1.0])
    assert_compiles(lambda x: where(x > 0, w * x, u * x), lambda x: w * x if x > 0 else u * x, [1.0, -2.0])


@pytest.mark.parametrize("name", ["data", "grad", "partials", "taken"])
def test_attributes_that_only_numbers_have_are_refused_by_name(name: str) -> None:
    for node in (lambda x: w, lambda x: x, lambda x: w * x):
        with pytest.raises(
            TypeError, match=rf"\.{name} of <traced .*> cannot be used while compiling, because it stands for any"
        ):
            compile(lambda x, node=node: w * getattr(node(x), name), [w], example=[1.0])


def test_advice_a_loop_that_data_ends_is_bounded() -> None:
    def halved(x: Any) -> Any:
        y = w * x
        while y > 1:
            y = y / 2
        return y

    def bounded(x: Any) -> Any:
        y = w * x
        for _ in range(10):
            y = where(y > 1, y / 2, y)
        return y

    with pytest.raises(TypeError, match="for a loop whose length depends on data, one of fixed length with where inside"):
        compile(halved, [w, u], example=[1.0])
    assert_compiles(bounded, halved, [1.0, 300.0, -5.0])


def test_advice_exp_is_guarded_by_logsumexp_and_numbers_are_chosen_by_one_hot_lists() -> None:
    def guarded(x: Any) -> Any:
        largest = max(part.data for part in x)
        return sum(exp(w * part - largest) for part in x)

    with pytest.raises(TypeError, match="to guard exp from overflow, softmax or logsumexp"):
        compile(guarded, [w], example=[[1.0, 2.0]])
    assert_compiles(lambda x: logsumexp([w * x_i for x_i in x]), lambda x: logsumexp([w * x_i for x_i in x]), normal(3, 4))
    with pytest.raises(TypeError, match="by an index that is data, a one-hot list"):
        compile(lambda i: [w, u][i], [w, u], example=[1])
    assert_compiles(lambda hot: dot([w, u], hot), lambda hot: [w, u][hot.index(1.0)] * 1, [[1.0, 0.0], [0.0, 1.0]])


def test_numbers_are_not_looked_up_by_their_hash() -> None:
    """A node is not found in a set of numbers, whatever it stands for: every lookup but of parameters is refused."""
    lookups: list[Callable[[Any], Any]] = [
        lambda x: w * (x in {0.0, 1.0}), lambda x: w * {0.0: 2.0}.get(x, 1.0), lambda x: w * {1.0: 2.0}[2 * x],
        lambda x: w * len({x, 0.0}), lambda x: w * {x: 1.0}[x], lambda x: grad(lambda q: w * {1.0: q}.get(q, 0.0))(x),
    ]  # fmt: skip
    for lookup in lookups:
        with pytest.raises(TypeError, match=r"the hash, by which a set or a dict looks .*<traced .*use where\(condition"):
            compile(lookup, [w], example=[1.0])
    scales = {w: 3.0, u: 5.0}
    assert_compiles(lambda x: sum(p * x * scales[p] for p in (w, u)), lambda x: 3 * w * x + 5 * u * x, [1.0, 2.0])


def test_advice_random_numbers_are_drawn_outside() -> None:
    own, numpy, secret = random.Random(0), np.random.default_rng(0), random.SystemRandom()
    held = {"rng": [own]}
    draws: list[Any] = [random.random, np.random.rand, own.random, numpy.random, secret.random, lambda: held["rng"][0].random()]
    for draw in draws:
        for f in (lambda x, draw=draw: w * x * draw(), lambda x, draw=draw: w * x if draw() > 0.5 else u * x):
            with pytest.raises(TypeError, match=r"draws random numbers, .* outside and pass them as an argument"):
                compile(f, [w, u], example=[1.0])
            with pytest.raises(TypeError, match="draws random numbers"):
                compile(f, [w, u])([1.0, 2.0])
    assert_compiles(lambda x, chance: where(chance > 0.5, w * x, u * x), lambda x, chance: w * x if chance > 0.5 else u * x,
                    [1.0, -2.0], [own.random(), own.random()])  # fmt: skip


def test_a_program_that_begins_to_draw_is_not_current() -> None:
    noise = [0.0]
    program = compile(lambda x: w * x + (random.random() if noise[0] else 0.0), [w], example=[1.0])
    assert program.is_current()
    noise[0] = 1.0
    assert not program.is_current()


def test_advice_lengths_are_masked() -> None:
    def padded(xs: Any, mask: Any) -> Any:
        return total([tanh(w * x) * m for x, m in zip(xs, mask, strict=True)]) * u

    longest = max(map(len, RAGGED))
    xs = [[*x, *[0.0] * (longest - len(x))] for x in RAGGED]
    mask = [[float(i < len(x)) for i in range(longest)] for x in RAGGED]
    values = [total([tanh(w * x) for x in row]).data * u.data for row in RAGGED]
    assert_close(compile(padded, [w, u], example=(xs[0], mask[0]))(xs, mask), values)


# A user-defined machine.


class OnLists:
    """A machine that reads the graph on Python's floats, one example after the other."""

    def __init__(self, plan: Plan, parameters: Any) -> None:
        self.passes, self.parameters = plan.passes, parameters

    @classmethod
    def suits(cls, plan: Plan, batch: int) -> bool:
        return batch == 1

    def outputs(self, arguments: Sequence[Any]) -> Any:
        return self.gradient(arguments, 1.0)[0]

    def gradient(self, arguments: Sequence[Any], share: float) -> tuple[Any, Any]:
        graph, _, outputs, gradients = self.passes
        found, total = [], np.zeros(len(self.parameters))
        for example in zip(*arguments, strict=True) if arguments else [()]:
            values: list[Any] = [*self.parameters.tolist(), *(float(x) for part in example for x in part)]
            for i in range(graph.n_leaves, len(graph)):
                row = graph.rows[i]
                if row is None:
                    values.append([values[j] for j in graph.operands[i]] if graph.operands[i] else graph.constants[i])
                else:
                    values.append(float(row.evaluate([values[j] for j in graph.flat(i)])))
            found.append([values[i] for i in outputs])
            for parameter, i in gradients.nodes.items():
                total[parameter] += values[i]
            for parameters, deltas, inputs in gradients.outers:
                for delta, factors in zip(deltas, inputs, strict=True):
                    total[[*parameters]] += values[delta] * np.array(values[factors])
        return np.array(found).T, total * share


@pytest.fixture
def on_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MACHINES", {"lists": OnLists, **programs.MACHINES})


@pytest.mark.usefixtures("on_lists")
def test_a_machine_is_a_class_of_a_few_methods_and_a_line_of_a_table() -> None:
    values, gradient = eager(last, [w, u, b], normal(3, 5))
    program = compile(last, [w, u, b], backend="lists")
    assert_close(program(normal(3, 5)), values)
    assert_close(program.gradient(normal(3, 5), reduce="sum")[1], gradient)
    assert compile(lambda: w * 2, [w], backend="lists").gradient()[1].tolist() == [2.0]
    chosen = compile(lambda x: relu(w * x), [w], example=[1.0])
    assert [chosen.backend_for(batch) for batch in (1, 2)] == ["lists", "native"]
    assert math.isclose(chosen.gradient([3.0])[0], 1.5)
    with pytest.raises(ValueError, match="backend is one of 'auto', 'numpy', 'native', 'pure', 'lists'; got 'gpu'"):
        compile(last, [w], backend="gpu")
