"""Markings of right, rounded and wrong answers; see `test_approved`.

How close an answer has to be, and which of several misconceptions explains it, are choices that no property pins down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

from approved_pictures import lined
from approved_texts import posed, shared

from autograd.exercises import Exercise, exercise, exercises
from autograd.exercises.answers import read_answer
from autograd.exercises.questions import Question

FACTORS: Final = (1.0, 1.0004, 1.0006, 1.004, 1.006, 1.04, 1.06, 1.3, -1.0, 2.0, 0.5, 0.0, 1e-9)


def answers_to(task: Exercise, question: Question) -> Iterator[str]:
    """Iterate over answers: multiples of the right one, the right one to a few digits, and the one of each misconception."""
    right = question.value(task._scene)
    yield from (f"{right * factor:.6g}" for factor in FACTORS)
    yield from (f"{right:.{n}g}" for n in (1, 2, 3))
    yield from (f"{suspect.gradient:.{n}g}" for suspect in task._suspects_of(question, right) for n in (2, 5))


def markings() -> Iterator[str]:
    """Iterate over answers to each question of some exercises, each with its points and explanation."""
    sheets = [(f"level {level}, exercise {i}", task) for level in (1, 2, 3) for i, task in enumerate(exercises(9, level, 1))]
    for name, task in [*posed(), *sheets]:
        yield f"\n{name}"
        for question in task.questions:
            found: dict[str, list[str]] = {}  # answers that are marked alike
            for answer in dict.fromkeys(answers_to(task, question)):
                [mark] = [mark for mark in task.mark({question.key: answer}).marks if mark.asked == question.key]
                outcome = mark.sentence.partition(f"{answer} is ")[2]
                found.setdefault(f"{mark.points:.3g} {outcome}", []).append(answer)
            yield f"{question.name} = {question.value(task._scene):.6g}"
            yield from (f"    {', '.join(answers)}: {outcome}" for outcome, answers in found.items())
        gradients = [question for question in task.questions if question.place is None and question.rate is None]
        if len(gradients) > 1:
            yield "what follows from a first answer that is too large by half, or rounded"
            first, *others = gradients
            for wrong in (f"{first.value(task._scene) * 1.5:.6g}", f"{first.value(task._scene):.3g}"):
                following = task._following({first: read_answer(wrong, {})})
                follow = {q.key: f"{following.get(q.node, (0.0, False))[0]:.6g}" for q in others}
                yield from (f"    {sentence}" for sentence in task.mark({first.key: wrong, **follow}).sentences)
    for name, task in posed():
        words: dict[str, int] = {}
        pages = [json.dumps(task._for_page(question, words), ensure_ascii=False) for question in task.questions[:2]]
        yield f"\n{name}, in a page"
        yield from (re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda number: f"{float(number[0]):.6g}", text) for text in pages)
    formulas = ("0", "h", "2*h*y", "-0.05*v*x", "x*y*h*0", "1e-4 + 2*h*y", "h²", "sqrt(h - 5.9)")
    task = exercise(shared()["E"], ask=["h", "v", "x"])
    for formula in formulas:
        yield from task.mark(dict.fromkeys(("h", "v", "x"), formula)).sentences


MARKINGS: Final[dict[str, Callable[[], str]]] = {"markings.txt": lambda: lined(markings())}
