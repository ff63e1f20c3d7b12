"""Exercises in a terminal, one after the other, with hints, marks and a score.

The dialogue reads and shows text through the functions passed to it, so that it also runs without a terminal:

>>> from autograd.exercises.graphs import exercises
>>> answers = iter(["1", "q"])
>>> ask_all(exercises(seed=7, count=1), lambda prompt: next(answers), lambda text: None)
'Score: 1 of 1'
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from autograd.exercises.answers import AnswerError, split
from autograd.exercises.asking import Exercise
from autograd.exercises.questions import Question
from autograd.exercises.sheets import worksheet
from autograd.writing import digits

__all__ = ["ask_all", "practise"]

KEYS: Final = "? for a hint, Enter to skip, q to stop"


def practise(tasks: Sequence[Exercise]) -> str:
    """Ask exercises in the terminal and return the score; without a terminal, return the sheet."""
    if sys.stdin is None or not sys.stdin.isatty():
        return worksheet(tasks).text
    return ask_all(tasks, input, print)


def ask_all(tasks: Sequence[Exercise], read: Callable[[str], str], show: Callable[[str], object]) -> str:
    """Ask exercises, one question at a time.

    Args:
        tasks: the exercises.
        read: prints a prompt and returns a line, as `input` does; an EOFError stops.
        show: prints a text.

    Returns:
        The score, as text.
    """
    points, asked = 0.0, 0
    try:
        for i, task in enumerate(tasks, 1):
            show(f"\nExercise {i} of {len(tasks)}. {KEYS}.\n{task}")
            answers: dict[str, str] = {}  # an answer that follows from a wrong one above counts
            for question in task.questions or [None]:
                points += _ask(task, question, answers, read, show)
                asked += 1
                show(f"Score: {digits(points, 3)} of {asked}")
    except (EOFError, KeyboardInterrupt):
        show("")
    return f"Score: {digits(points, 3)} of {asked}"


def _ask(
    task: Exercise,
    question: Question | None,
    answers: dict[str, str],
    read: Callable[[str], str],
    show: Callable[[str], object],
) -> float:
    """Ask one question, or for the order if there is none, until it is answered or skipped; return the points."""
    name = question.name if question else "order, with commas"
    while True:
        line = read(f"{name} = ").strip()
        if line == "q":
            raise EOFError  # as at the end of the input
        if line == "?":
            show(task.hint(name if question else None))
            continue
        try:
            if question:
                marking = task.mark(answers | ({name: line} if line else {}))
            else:
                marking = task.mark(split(line, [task.names[x] for x in task.steps.order]))
        except AnswerError as error:
            show(f"{error}. No points are lost; try again.")
            continue
        if line:
            answers[name] = line
        mark = next(mark for mark in marking.marks if question is None or mark.asked == question.key)
        show(mark.sentence)
        return mark.points
