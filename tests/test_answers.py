"""Answers to exercises: what counts as the right formula, at which numbers it is compared, and what may be written."""

from __future__ import annotations

from typing import Any

import pytest
from answered import answered

from autograd import Value, sqrt
from autograd.exercises import exercise, grade, worksheet


def test_each_answer_has_its_points() -> None:
    for task, question, answer, points in answered():
        [mark] = [mark for mark in task.mark({question: answer}).marks if mark.asked == task.question_about(question).key]
        assert mark.points == points, (str(task), mark)


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
