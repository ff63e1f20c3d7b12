"""An answer that takes no work, such as 0 to every question, gets no points where it is wrong, in Python and in the page."""

from __future__ import annotations

import pytest
from engines import Engine
from test_exercise_pages import in_python, marked

from autograd import Value
from autograd.demo import POINT, network
from autograd.exercises import Exercise, exercise, exercises

TRIVIAL = ("0", "nan", "∞", "-∞")


def chain(*ask: str) -> Exercise:
    return exercise(network(**POINT)["E"], ask=ask)


def same_for_all(task: Exercise, text: str) -> dict[str, str]:
    return {question.name: text for question in task.questions}


@pytest.mark.parametrize("text", TRIVIAL)
@pytest.mark.parametrize("level", [2, 3, 4])
def test_one_answer_to_all_questions_gets_points_only_where_it_is_right(level: int, text: str) -> None:
    for task in exercises(seed=1, level=level, count=8):
        marks = task.mark(same_for_all(task, text)).marks if task.kind != "order" else ()
        assert all(mark.is_right == bool(mark.points) for mark in marks), str(task)


def test_an_answer_follows_from_a_wrong_one_only_if_twice_that_one_would_change_it() -> None:
    task = chain("net_o", "w_o", "net_h")
    for given, points in (
        (("0.3", "0.194", "-0.0549"), [0, 1, 1]), (("0", "0", "0"), [0, 0, 0]), (("nan", "nan", "nan"), [0, 0, 0]),
        (("∞", "∞", "-∞"), [0, 0, 0]), (("0.0003", "0", "0"), [0, 0, 0]), (("0.0003", "0.000194", "-0.0000549"), [0, 1, 1]),
        (("1e308", "6.46e307", "-1.83e307"), [0, 1, 1]),
    ):  # fmt: skip
        names = [question.name for question in task.questions]
        assert [mark.points for mark in task.mark(dict(zip(names, given, strict=True))).marks] == points, given


def test_an_answer_by_a_path_past_a_wrong_zero_does_not_follow_from_it() -> None:
    x = Value(3.0, "x")
    h = x * 2
    h.label = "h"
    task = exercise(h * 5 + x * 4 + 3, ask=[h, x])
    above, below = task.mark({h: 0, x: 4}).marks
    assert above.points == 0 and above.names == below.names[:1] == ("path-forgotten",)
    assert 0 < below.points < 1 and "follows from" not in below.sentence


def test_below_a_right_answer_that_was_rounded_to_zero_zero_is_wrong() -> None:
    x = Value(0.02, "x")
    h = x * 40
    h.label = "h"
    [above, below] = exercise(h * 0.0002, ask=[h, x]).mark({h: 0, x: 0}).marks
    assert above.is_right and not below.is_right and below.points == 0


def test_the_page_gives_trivial_answers_the_same_marks(engine: Engine) -> None:
    tasks = [task for level in (2, 3, 4) for task in exercises(seed=1, level=level, count=3) if task.kind != "order"]
    for task in [chain("net_o", "w_o", "net_h"), *tasks]:
        answers = [same_for_all(task, text) for text in (*TRIVIAL, "0.0003", "1e308", "1")]
        assert marked(engine, task, answers) == [in_python(task, each) for each in answers]
