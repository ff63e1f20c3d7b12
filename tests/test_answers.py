"""Answers to exercises: what counts as the right formula, at which numbers it is compared, and what may be written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from answered import answered

from autograd import Value, sqrt
from autograd.demo import POINT, network
from autograd.exercises import exercise, grade, worksheet


def test_each_answer_has_its_points() -> None:
    for task, answers, points in answered():
        marking = task.mark(answers)
        assert sum(mark.points for mark in marking.marks) == pytest.approx(points), (str(task), str(marking))


def test_a_formula_that_cannot_be_compared_elsewhere_is_not_called_right() -> None:
    y = Value(0.0, "y")
    [mark, *_] = exercise(sqrt(-(y.square())), ask="local").mark({"∂v1/∂y": "2*y"}).marks
    assert mark.is_right
    assert mark.sentence.endswith("the right number here; no other numbers are near at which the formula could be compared")


# Numbers that change


@pytest.mark.parametrize("ask", [["w"], "local", "update", "order", "deltas"])
def test_an_exercise_on_a_graph_that_was_trained_since_is_refused(ask: Any) -> None:
    w, x = Value(3.0, "w"), Value(2.0, "x")
    loss = (w * x - 5) ** 2
    task, text = exercise(loss, ask), str(exercise(loss, ask))
    answers: Any = ["loss", "v2", "v1"] if ask == "order" else {task.questions[0].key: "2*(w*x-5)*x"}
    loss.backward()
    w.data -= 0.1 * w.grad
    for read in (
        lambda: str(task), lambda: task.mark(answers), lambda: grade(task, answers), lambda: task.solution, task.hint,
        lambda: task.html, lambda: task.latex, lambda: task.given_latex, lambda: task.solution_latex, task.play,
        lambda: task.solution_html, lambda: worksheet([task]).tex, lambda: worksheet([task], solutions=True).text,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"a leaf was changed after the forward pass; compute the result again"):
            read()
    w.data = 3.0
    assert str(task) == text and str(task.mark(answers)) == str(exercise(loss, ask).mark(answers))


# Answers that follow from others


def test_only_an_answer_above_can_be_what_another_follows_from() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=["net_o", "w_o", "net_h", "w_h"])
    rounded = {"net_o": -0.147, "net_h": 0.0269, "w_h": 0.0538}
    for answers, ends in (
        (rounded | {"w_o": 5}, ["right", "wrong", "rounded", "rounded"]),
        (rounded, ["right", "none", "rounded", "rounded"]),
        ({"net_o": 0.3, "w_o": 0.3 * n["r_h"].data, "net_h": -0.0549, "w_h": -0.11}, ["wrong", "from", "from", "from"]),
        ({"net_o": 0.3, "net_h": 0.0268, "w_h": 0.0536}, ["wrong", "none", "right", "rounded"]),  # net_h is right by itself
        ({"net_o": -0.147, "net_h": 0.05, "w_h": 0.1}, ["right", "none", "wrong", "from"]),
    ):
        kinds = {
            "right": "is right$", "rounded": "is right, with the rounded answers above$", "none": "not answered$",
            "from": "follows from a wrong answer above, so it counts$", "wrong": r"is not right[;,] (?!but follows)",
        }  # fmt: skip
        for sentence, kind in zip(task.mark(answers).sentences, ends, strict=True):
            assert re.search(kinds[kind], sentence), (sentence, kind)
