"""Points and sentences for automatic graders.

nbgrader takes the number that a test cell ends with as its points; otter-grader counts a test case as passed unless it raises.

In nbgrader's test cell, worth 4 points, partial credit included::

    grade(task, {w: answer_w, b: answer_b}, points=4)

In a test file of otter-grader, one case an answer::

    @test_case(points=2)
    def test_w(task, w, answer_w):
        grade(task, {w: answer_w}, must_be_right=True)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd.exercises.asking import Exercise
from autograd.marking import Marking

__all__ = ["grade"]


def grade(task: Exercise, answers: Mapping[Any, Any] | Any, points: float = 1.0, *, must_be_right: bool = False) -> float:
    """Mark answers, print a sentence for each, and return the points.

    Args:
        task: the exercise.
        answers: as for `Exercise.mark`; only the questions that are answered here count.
        points: what all these answers together are worth.
        must_be_right: raise an AssertionError with the sentences unless all answers are right, as otter-grader expects.

    Returns:
        From 0 to `points`, with two decimals.

    Raises:
        AssertionError: with `must_be_right`, if an answer is wrong.
        AnswerError: for an answer that cannot be read, or that was not asked for.

    >>> from autograd.exercises.asking import exercise
    >>> from autograd.value import Value
    >>> w, x = Value(3.0, "w"), Value(2.0, "x")
    >>> grade(exercise((w * x - 5) ** 2, ask=[w, x]), {w: "2*(w*x - 5)*x"}, points=4)
    ∂loss/∂w: 2*(w*x - 5)*x is right
    4.0
    """
    marking = task.mark(answers)
    if isinstance(answers, Mapping) and answers:
        marking = Marking(tuple(mark for mark in marking.marks if mark.is_answered))
    if must_be_right and not marking:
        raise AssertionError(str(marking))
    print(marking)
    return round(points * marking.points, 2)
