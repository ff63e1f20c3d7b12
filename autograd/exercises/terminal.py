"""Exercises in a terminal, one after the other, with hints, marks and a score."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from autograd.exercises.answers import AnswerError
from autograd.exercises.asking import Exercise
from autograd.exercises.sheets import worksheet
from autograd.symbol import digits

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
            for name in [question.name for question in task.questions] or ["order, with commas"]:
                found = _ask(task, name, read, show)
                points, asked = points + found, asked + 1
                show(f"Score: {digits(points, 3)} of {asked}")
    except (EOFError, KeyboardInterrupt, StopIteration):
        show("")
    return f"Score: {digits(points, 3)} of {asked}"


def _ask(task: Exercise, name: str, read: Callable[[str], str], show: Callable[[str], object]) -> float:
    """Ask one question until it is answered or skipped; return the points."""
    is_order = task.kind == "order"
    while True:
        line = read(f"{name} = ").strip()
        if line == "q":
            raise StopIteration
        if line == "?":
            show(task.hint(None if is_order else name))
            continue
        try:
            order = [part.strip() for part in line.split(",") if part.strip()]
            marking = task.mark(order if is_order else {name: line} if line else {})
        except AnswerError as error:
            show(f"{error}. No points are lost; try again.")
            continue
        mark = next(mark for mark in marking.marks if is_order or mark.sentence.startswith(f"{name}:"))
        show(mark.sentence)
        return mark.points
