"""Exercises with answers to them and the points that these get, in Python and in the page."""

from __future__ import annotations

from collections.abc import Iterator

from autograd import Value, relu, sqrt, where
from autograd.exercises import Exercise, exercise


def answered() -> Iterator[tuple[Exercise, str, str, float]]:
    """Iterate over exercises, each with the name of a question, an answer and its points, from 0 to 1."""
    yield from near_kinks()
    yield from at_the_edge()


def near_kinks() -> Iterator[tuple[Exercise, str, str, float]]:
    """Graphs that take another branch at numbers not far away, where another formula is the derivative."""
    w, x, b = Value(0.5, "w"), Value(0.1, "x"), Value(-0.3, "b")
    near = w * x - 0.0499
    for loss, answer in (
        (relu(w * x), "x"), (abs(w * x), "x"), (where(near > 0, w * x, b), "x"), (near.maximum(b * 0), "x"),
        (relu(near) * relu(b + 0.3001) * relu(x - 0.0999), "x*(b + 0.3001)*(x - 0.0999)"),
    ):  # fmt: skip
        task = exercise(loss, ask=[w])
        yield task, "∂loss/∂w", answer, 1.0
        yield task, "∂loss/∂w", f"({answer})*2*w", 0.5  # right at w = 0.5 only


def at_the_edge() -> Iterator[tuple[Exercise, str, str, float]]:
    """Graphs that are undefined at most of the numbers near, or at all of them."""
    x, n, y = Value(-2.0, "x"), Value(3.0, "n"), Value(0.0, "y")
    task = exercise(x**n * 2, ask=[x])
    for answer, points in (("2*n*x**(n-1)", 1.0), ("6*n-3*x", 0.5), ("6*x**2", 0.5), ("24", 1.0)):
        yield task, "∂loss/∂x", answer, points
    yield exercise(sqrt(-(y.square())), ask="local"), "∂v1/∂y", "2*y", 1.0
