"""Limits on what is shown, read or allowed: each is tested at the last number that it allows, and at the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value, certify, check_derivation, draw, explain, floor, gradcheck, tanh, total, walk
from autograd.checking.assertions import REJECTED, why_rejected
from autograd.checking.points import point_text
from autograd.compiler.program import require_one_of
from autograd.drawing import Drawing
from autograd.exercises import exercise
from autograd.exercises.answers import read_answer
from autograd.expressions import parse
from autograd.manners import describe
from autograd.player.stage import draw_views
from nn import MLP, Module, Neuron
from nn.engines import Compiled, Eager, Lesson, engine_for
from nn.evaluation import examples_of
from nn.losses import squared_error
from nn.optim import SGD
from nn.perceptron import Perceptron


def leaves(n: int) -> list[Value]:
    return [Value(1.0 + i, label=f"x{i}") for i in range(n)]


def steps_down(n: int) -> Value:
    """Return a chain of n operations."""
    x = Value(0.5, label="x")
    for _ in range(n):
        x = tanh(x)
    return x


def loss_of(inputs: int, *sizes: int) -> Value:
    """Return the loss of a network after a backward pass."""
    xs = [Value(0.1, label=f"x{i}") for i in range(inputs)]
    loss: Value = (MLP(inputs, list(sizes), seed=1)(xs) - 1) ** 2
    loss.backward()
    return loss


def network(inputs: int, *sizes: int) -> Drawing:
    return draw(loss_of(inputs, *sizes), view="neurons")


def lines_on_a_weight(inputs: int, *sizes: int) -> int:
    """Return the number of lines in the label of a weight in the player."""
    svg = draw_views(walk(loss_of(inputs, *sizes)), 150)["neurons"][0]
    return next(len(group) for group in svg if group.get("class") == "label weight")


def is_whole(drawing: Drawing) -> bool:
    return not any(node.kind == "rest" for node in drawing.nodes)


def message(f: Callable[[], Any]) -> str:
    """Return the message of the ValueError that a function raises, or an empty text."""
    try:
        f()
    except ValueError as error:
        return str(error)
    return ""


def fan(n: int) -> str:
    """Return the explanation of a leaf with n paths to the result."""
    x = Value(2.0, label="x")
    return explain(x, of=total([x * float(i + 2) for i in range(n)])).text


def hops(n: int) -> str:
    """Return the explanation of a leaf with two paths through n nodes in all, not counting the leaf."""
    x = Value(0.5, label="x")
    y = x * 3 + x * 2
    for _ in range(n - 3):
        y = tanh(y)
    return explain(x, of=y).text


def doubled(n: int) -> str:
    """Return the explanation of a leaf with 2ⁿ paths."""
    x = y = Value(1.0, label="x")
    for _ in range(n):
        y = y + y
    return explain(x, of=y).text


def factors(n: int) -> str:
    """Return the diagnosis of a gradient in which one of n factors may be wrong."""
    x = y = Value(0.3, label="x")
    for _ in range(n):
        y = tanh(y)
    return str(check_derivation(y, {x: 17.0}))


def uses(n: int) -> Value:
    """Return a sum with n edges to one leaf."""
    y: Value = total([Value(1.0, label="x")] * n)
    return y


def on_a_box(n: int) -> str:
    """Return the bounds of a sum of n arguments."""
    return str(certify(lambda w: total(w), w=[1.0] * (n - 1) + [(0, 1)]))


def rejected(n: int) -> str:
    """Return why points were rejected, for n reasons."""
    REJECTED.update(f"reason {i}" for i in range(n))
    try:
        return why_rejected()
    finally:
        REJECTED.clear()


def compared(f: Callable[[Any], Any], point: Any, gradient: Any) -> str:
    """Return the names of the derivatives that a check of a given gradient compares."""
    return str([check.name for check in gradcheck(f, point, gradient=lambda x: gradient).inputs])


def rules_of_a_sum(n: int) -> set[str]:
    """Return the names of the rules that are checked one by one in a sum of n operands."""
    return {check.name for check in gradcheck(lambda x: total([x] * n), 1.0).edges}


def twice(n: int) -> list[str]:
    """Return the names of the second derivatives that are checked."""
    return [check.name for check in gradcheck(lambda v: total(v) ** 2, [1.0] * n, order=2).inputs]


def lesson(n: int, loss: Any) -> Lesson:
    """Return a lesson of n examples for a neuron with two parameters."""
    neuron = Neuron(1, "linear", seed=0)
    examples = examples_of(neuron, [[0.0]] * n, [float(i) for i in range(n)])
    return Lesson(neuron, loss, examples, SGD(), "mean", 0.0, 0.5)


def forgotten(n: int) -> str:
    """Return the marking of an answer that counts only two of n paths."""
    x = Value(1.0, label="x")
    task = exercise(total([x * (1.1 * 2**i) for i in range(n)]), ask=[x])
    return str(task.mark({x: 1.1 + 4.4}))


class Held(Module):
    """A module with one attribute."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing


def nested(n: int) -> Any:
    """Return a parameter inside n nested lists."""
    return [nested(n - 1)] if n else Value(1.0)


def is_small(n: int) -> bool:
    """Whether n epochs with one example are too little work to compile."""
    return isinstance(engine_for(lesson(1, squared_error), "auto", n), Eager)


def is_shown(n: int) -> bool:
    """Whether compiling shows the loss the n-th of n + 1 targets, which it refuses."""

    def picky(y: Any, t: Any) -> Any:
        if isinstance(t, float) and t == n - 1:
            raise ValueError("refused")
        return (y - t) ** 2

    return message(lambda: Compiled(lesson(n + 1, picky))) == "refused"


class Shown:
    """An invalid answer whose text has n characters."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __repr__(self) -> str:
        return "?" * self.n


LAST: dict[str, tuple[int, Callable[[int], bool]]] = {  # each with the last number for which it holds
    "characters of an expression": (2000, lambda n: "too many" not in message(lambda: parse("x" + " " * (n - 1)))),
    "characters of an excerpt": (30, lambda n: "…" not in message(lambda: parse("sim(" + "x" * (n - 5) + ")"))),
    "characters of an answer in a message": (60, lambda n: "???" in message(lambda: read_answer(Shown(n), {}))),
    "operands of a sum": (6, lambda n: "…" not in str(walk(total(leaves(n)))[0])),
    "characters in a line of a box": (30, lambda n: "…" not in draw(tanh(Value(0, "x" * (n - 6)))).nodes[1].lines[1].text),
    "shares of a gradient": (8, lambda n: "…" not in fan(n).partition("\n")[0] and "more" not in fan(n)),
    "paths": (8, lambda n: "to write out" not in explain((y := uses(n)).inputs[0], of=y).text),
    "edges on all paths": (30, lambda n: "to write out" not in hops(n - 1)),
    "digits of a number of paths": (132, lambda n: "about 10^" not in doubled(n)),
    "factors that may be wrong": (3, lambda n: "more" not in factors(n)),
    "boxes of a picture": (9, lambda n: "limit" not in message(lambda: draw(steps_down(n), limit=10))),
    "arrows of a picture": (12, lambda n: "limit" not in message(lambda: draw(uses(n), limit=4))),
    "arrows from left to right": (4, lambda n: "flowchart LR" in draw(steps_down(n)).mermaid),
    "neurons in a column": (8, lambda n: is_whole(network(1, n, 1))),
    "inputs in a column": (8, lambda n: is_whole(network(n, 1))),
    "arrows between two columns": (5, lambda n: is_whole(network(3, n, 1))),
    "arrows with what flows back": (4, lambda n: "←" in network(2, n, 1).edges[0].label),
    "neurons with two lines on each weight, in the player": (3, lambda n: lines_on_a_weight(3, n, 1) == 2),
    "columns of a formula in a certificate": (30, lambda n: "(…)" not in str(certify(tanh(Value(0.5, label="x" * (n - 6)))))),
    "leaves in a certificate": (20, lambda n: "more leaves" not in str(certify(total(leaves(n)) * 0.5))),
    "derivatives in a table of bounds": (19, lambda n: "more derivatives" not in on_a_box(n)),
    "sides in a message": (12, lambda n: "…" not in on_a_box(n)),
    "pieces of an undecided claim": (3, lambda n: "more piece" not in str(certify(floor, x=(0.5, n + 0.5)).monotone())),
    "choices that are joined by or": (2, lambda n: " or " in message(lambda: require_one_of("x", 0, [*"abc"[:n]]))),
    "reasons of rejected points": (5, lambda n: rejected(n).count("×") == n),
    "rows of a report": (12, lambda n: "more" not in str(gradcheck(lambda *xs: total(xs), *range(1, n + 1)))),
    "inputs of which each is checked": (24, lambda n: "direction" not in str(gradcheck(sum, [1.0] * n).inputs)),
    "inputs of which each is compared": (24, lambda n: "direction" not in compared(lambda v: sum(v), [1.0] * n, [1.0] * n)),
    "results of which each is compared": (24, lambda n: "w1" not in compared(lambda x: [x] * n, 1.0, [1.0] * n)),
    "operands of which each rule is checked": (24, lambda n: "∂total/∂x0" in rules_of_a_sum(n)),
    "inputs of which each second derivative is checked": (4, lambda n: "direction" not in str(twice(n))),
    "operands that are shown beside a rule": (3, lambda n: ", …" not in gradcheck(lambda x: total([x] * n), 1.0).edges[0].at),
    "characters of a point in a message": (80, lambda n: "…" not in point_text(["x" * (n - 4)], [1.0])),
    "operands in the description of a node": (4, lambda n: "…" not in describe(uses(n))),
    "epochs that are not worth compiling": (999_999, is_small),
    "dimensions of an array in a state": (32, lambda n: "thing" in Held(nested(n)).state_dict()),
    "paths of which several may be forgotten": (6, lambda n: "only what comes directly from" in forgotten(n)),
    "targets that are shown to a loss": (100, is_shown),
    "epochs of a perceptron": (12, lambda n: "…" not in Perceptron(1).fit([[20.0], [21.0]], [0, 1], epochs=n).message),
}  # fmt: skip


@pytest.mark.parametrize("what", LAST)
def test_limits(what: str) -> None:
    n, holds = LAST[what]
    assert holds(n) and not holds(n + 1)
