"""Points and sentences for automatic graders.

nbgrader takes the number that a test cell ends with as its points; otter-grader counts a test case as passed unless it raises.

In an nbgrader test cell worth 4 points, with partial credit::

    grade(task, {w: answer_w, b: answer_b}, points=4)

In an otter-grader test file, one case for each answer::

    @test_case(points=2)
    def test_w(task, w, answer_w):
        grade(task, {w: answer_w}, must_be_right=True)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from autograd.exercises.answers import AnswerError, read_answer
from autograd.exercises.asking import Exercise
from autograd.marking import Mark, Marking

__all__ = ["grade"]


def grade(task: Exercise, answers: Mapping[Any, Any] | Any, points: float = 1.0, *, must_be_right: bool = False) -> float:
    """Mark answers, print a sentence for each, and return the points.

    Args:
        task: the exercise.
        answers: as for `Exercise.mark`; only the questions that are answered here count.  An answer that cannot be read gets no
            points, but costs the others none.
        points: what all these answers together are worth.
        must_be_right: raise an AssertionError with the sentences unless all answers are right, as otter-grader expects.

    Returns:
        From 0 to `points`, with two decimals.

    Raises:
        AssertionError: with `must_be_right`, if an answer is wrong or cannot be read.
        AnswerError: for an answer that belongs to no question, or a second one to the same question, which is a mistake in the
            test.
        TypeError: if `task` is not an exercise, or `points` is not a number.
        ValueError: if `points` is negative, infinite or NaN.

    >>> from autograd.exercises.asking import exercise
    >>> from autograd.value import Value
    >>> w, x = Value(3.0, "w"), Value(2.0, "x")
    >>> grade(exercise((w * x - 5) ** 2, ask=[w, x]), {w: "2*(w*x - 5)*x"}, points=4)
    ∂loss/∂w: 2*(w*x - 5)*x is right
    4.0
    """
    if not isinstance(task, Exercise):
        raise TypeError(f"grade takes an exercise, such as exercise(loss, ask=[w]), not {task!r}")
    if not isinstance(points, Real) or not 0 <= points < math.inf:
        kind = ValueError if isinstance(points, Real) else TypeError
        raise kind(f"points is {points!r}; give what all these answers are worth together, 0 or more, such as 4")
    worth = float(points)
    marking = _mark_readable(task, answers)
    if must_be_right and not marking:
        raise AssertionError(str(marking))
    print(marking)
    return min(worth, round(worth * marking.points, 2))  # rounded up it may exceed `points`, and a grader refuses that


def _mark_readable(task: Exercise, answers: Any) -> Marking:
    """Mark the answers that can be read; for any other, the sentence says why it cannot be read."""
    if task.kind == "order":
        try:
            return task.mark(answers)
        except AnswerError as error:  # raised, it would end the test, and all its points would be lost
            return Marking((Mark("order", 0.0, f"order: {error}"),))
    if not isinstance(answers, Mapping) or not answers:
        return task.mark(answers)
    readable, unread = dict[Any, Any](), dict[Any, Mark]()
    for question, answer in task.by_question(answers).items():
        try:
            if answer is not ...:  # a blank, which `mark` handles
                read_answer(answer, task.numbers, task.functions, task.constants)
        except AnswerError as error:  # as above
            unread[question.key] = Mark(question.key, 0.0, f"{question.name}: {error}")
        else:
            readable[question.key] = answer
    given = {*readable, *unread}  # a blank counts as given, with no points
    return Marking(tuple(unread.get(mark.asked, mark) for mark in task.mark(readable).marks if mark.asked in given))
