"""Blanks, ``...``, in answers and claims: an unfilled cell runs, prints what to do, and gets no points."""

from __future__ import annotations

from typing import Any

import pytest

from autograd import Value, check_derivation
from autograd.exercises import AnswerError, exercise, grade

ADVICE = "still blank; put your answer in place of ... and run this again"


def product() -> tuple[Value, Value, Value]:
    """Return a loss and its two leaves."""
    w, x = Value(3.0, "w"), Value(2.0, "x")
    return (w * x - 5) ** 2, w, x


def test_a_blank_gets_no_points() -> None:
    loss, w, x = product()
    marking = exercise(loss, ask=[w, x]).mark({w: ..., "x": 6})
    assert str(marking) == f"1 of 2 points\n∂loss/∂w: {ADVICE}\n∂loss/∂x: 6 is right"
    assert not marking and marking.points == 0.5 and marking.diagnoses == {w: ()}


def test_an_omitted_answer_is_not_a_blank() -> None:
    loss, w, x = product()
    assert exercise(loss, ask=[w, x]).mark({w: ...}).sentences == [f"∂loss/∂w: {ADVICE}", "∂loss/∂x: not answered"]


def test_a_blank_for_an_unknown_question_is_refused() -> None:
    loss, w, _ = product()
    with pytest.raises(AnswerError, match="'z' is not a question of this exercise"):
        exercise(loss, ask=[w]).mark({"z": ...})


@pytest.mark.parametrize("first", [..., 2.0, "q"])
def test_a_second_answer_to_a_question_is_refused_whatever_the_first_is(first: Any) -> None:
    loss, w, _ = product()
    task = exercise(loss, ask=[w])
    for give in (task.mark, lambda answers: grade(task, answers)):
        with pytest.raises(AnswerError, match=r"^∂loss/∂w is answered twice: w = 3\.0 is another key for it; keep one$"):
            give({"w": first, w: 2.0})


@pytest.mark.parametrize("answers", [..., [...], ["loss", ..., ...], ("loss", "v2", ...)])
def test_an_order_with_blanks_gets_no_points(answers: Any) -> None:
    loss, _, _ = product()
    marking = exercise(loss, ask="order").mark(answers)
    assert marking.sentences == [f"order: {ADVICE}"] and marking.points == 0


def test_blank_local_derivatives_and_updates() -> None:
    loss, w, x = product()
    local, update = exercise(loss, ask="local"), exercise(loss, ask="update", rate=0.5)
    first = local.steps.order[0]
    assert local.mark({(first, w): ..., (first, x): "w"}).sentences[:2] == [f"∂v1/∂w: {ADVICE}", "∂v1/∂x: w is right"]
    assert update.mark({w: 1, x: ...}).sentences == ["w after the step: 1 is right", f"x after the step: {ADVICE}"]


def test_a_grader_gives_nothing_for_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    loss, w, x = product()
    task = exercise(loss, ask=[w, x])
    assert grade(task, {w: ...}, points=4) == 0.0
    assert grade(task, {w: ..., x: 6}, points=4) == 2.0
    with pytest.raises(AssertionError, match="still blank"):
        grade(task, {w: ...}, must_be_right=True)
    assert ADVICE in capsys.readouterr().out


def test_blank_claims() -> None:
    loss, w, x = product()
    assert check_derivation(loss, {w: ..., x: 6.0}).sentences == [f"∂loss/∂w: {ADVICE}", "∂loss/∂x is 6: right"]
    assert check_derivation(loss, {w: ...}).points == 0
    assert not check_derivation(loss, {loss: ..., w: 4.0})
