"""Answers to exercises: what counts as the right formula, at which numbers it is compared, and what may be written."""

from __future__ import annotations

from answered import answered

from autograd import Value, sqrt
from autograd.exercises import exercise


def test_each_answer_has_its_points() -> None:
    for task, question, answer, points in answered():
        [mark] = [mark for mark in task.mark({question: answer}).marks if mark.asked == task.question_about(question).key]
        assert mark.points == points, (str(task), mark)


def test_a_formula_that_cannot_be_compared_elsewhere_is_not_called_right() -> None:
    y = Value(0.0, "y")
    [mark, *_] = exercise(sqrt(-(y.square())), ask="local").mark({"∂v1/∂y": "2*y"}).marks
    assert mark.is_right
    assert mark.sentence.endswith("the right number here; no other numbers are near at which the formula could be compared")
