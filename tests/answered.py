"""Exercises with answers to them and the points that these get, in Python and in the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from autograd import Value, relu, sqrt, where
from autograd.demo import POINT, network
from autograd.exercises import Exercise, exercise

Answered: TypeAlias = tuple[Exercise, dict[str, str], float]


def answered() -> Iterator[Answered]:
    """Iterate over exercises, each with answers by the names of their questions and the points for all of them."""
    yield from near_kinks()
    yield from at_the_edge()
    yield from below_others()
    yield from near_the_right_number()


def near_kinks() -> Iterator[Answered]:
    """Graphs that take another branch at numbers not far away, where another formula is the derivative."""
    w, x, b = Value(0.5, "w"), Value(0.1, "x"), Value(-0.3, "b")
    near = w * x - 0.0499
    for loss, answer in (
        (relu(w * x), "x"), (abs(w * x), "x"), (where(near > 0, w * x, b), "x"), (near.maximum(b * 0), "x"),
        (relu(near) * relu(b + 0.3001) * relu(x - 0.0999), "x*(b + 0.3001)*(x - 0.0999)"),
    ):  # fmt: skip
        task = exercise(loss, ask=[w])
        yield task, {"∂loss/∂w": answer}, 1.0
        yield task, {"∂loss/∂w": f"({answer})*2*w"}, 0.5  # right at w = 0.5 only


def at_the_edge() -> Iterator[Answered]:
    """Graphs that are undefined at most of the numbers near, or at all of them."""
    x, n, y = Value(-2.0, "x"), Value(3.0, "n"), Value(0.0, "y")
    task = exercise(x**n * 2, ask=[x])
    for answer, points in (("2*n*x**(n-1)", 1.0), ("6*n-3*x", 0.5), ("6*x**2", 0.5), ("24", 1.0)):
        yield task, {"∂loss/∂x": answer}, points
    yield exercise(sqrt(-(y.square())), ask="local"), {"∂v1/∂y": "2*y"}, 1.0


def below_others() -> Iterator[Answered]:
    """Answers that follow from right, rounded or wrong ones above, with wrong ones beside them."""
    n = network(**POINT)
    task = exercise(n["E"], ask=["net_o", "w_o", "net_h", "w_h"])
    for given, points in (("-.147 5 .0269 .0538", 3.0), ("0.3 5 -0.0549 -0.11", 2.0), ("0.3 0.194 0.0268 0.0536", 3.0)):
        yield task, {q.name: text for q, text in zip(task.questions, given.split(), strict=True)}, points


def near_the_right_number() -> Iterator[Answered]:
    """Answers that are off by 3 %: a number may have been rounded on the way, a formula holds no rounded number."""
    w, x, b = Value(3.0, "w"), Value(1.03, "x"), Value(0.5, "b")
    task = exercise((w * x - b) ** 2, ask=[w])
    yield task, {"∂loss/∂w": "5.49"}, 0.5
    yield task, {"∂loss/∂w": "2*v2*x*x"}, 0.0
    yield task, {"∂loss/∂w": "2*v2*x*1.03"}, 0.0
