"""After a step of gradient descent, the number of a leaf is right if its change is right, in Python and in the page."""

from __future__ import annotations

import json
from random import Random

import pytest
from engines import Engine
from misconceived import leaves_of, random_graph
from test_exercise_pages import in_python, marked

from autograd import Value, sigmoid
from autograd.exercises import Exercise, exercise
from autograd.exercises.answers import is_rounded


def small_step(rate: float = 0.1) -> Exercise:
    w = Value(2.0, "w")
    return exercise((sigmoid(w * 0.5) - 0.9) ** 2, ask="update", rate=rate)  # from 2 to 2.0033216


def updates(seed: int, n: int) -> list[Exercise]:
    rng = Random(seed)
    graphs = [loss for loss in (random_graph(rng) for _ in range(n)) if leaves_of(loss)]
    return [exercise(loss, "update", rate=10.0 ** -rng.randrange(1, 12)) for loss in graphs]


@pytest.mark.parametrize("text", ["2.0033", "2.003", "2.00332", "2.0033216", "2,0033", "w - 0.1*2*v3*v2*(1 - v2)*0.5"])
def test_an_answer_that_shows_the_right_step_is_right(text: str) -> None:
    assert small_step().mark({"w": text}).points == 1


@pytest.mark.parametrize("text", ["2", "2.000", "1.999", "2.004", "2.001", "1.9967", "w", "w + 0*v2", "2.0332", "2.01"])
def test_an_answer_that_shows_another_step_or_none_is_wrong(text: str) -> None:
    assert not small_step().mark({"w": text})


@pytest.mark.parametrize("rate", [1e-3, 1e-6, 1e-9, 1e-13])
def test_an_unchanged_number_has_too_few_digits_and_the_printed_solution_has_enough(rate: float) -> None:
    task = small_step(rate)
    [mark] = task.mark({"w": 2}).marks
    assert mark.sentence == "w after the step: 2 has too few digits to show the step from 2; give more" and mark.points == 0
    printed = task.solution.rpartition(" = ")[2]
    assert printed != "2" and task.mark({"w": printed}) and task.solution_latex[-1] == rf"w \leftarrow {printed}"
    assert not task.mark({"w": repr(4 - float(printed))})  # a step in the other direction


def test_where_no_gradient_arrives_the_number_stays() -> None:
    w, x = Value(2.0, "w"), Value(0.0, "x")
    assert exercise(w * x * 3, ask="update").mark({"w": 2, "x": "-0.6"})


def test_the_step_of_a_large_number_shows_in_its_last_digits() -> None:
    w = Value(1000.0, "w")
    for answer, is_right in ((1003.4, True), (1003, True), (1000, False), (1005, False), (1004, False), (996.6, False)):
        assert bool(exercise(w * -3.4, "update", rate=1.0).mark({w: answer})) is is_right, answer


def test_the_right_number_is_right_with_all_digits_and_with_the_printed_ones() -> None:
    for task in updates(11, 40):
        for question in task.questions:
            right = question.value(task._scene)
            for answer in (right, f"{right:.{task._digits(question)}g}", repr(right)):
                [mark] = [mark for mark in task.mark({question.key: answer}).marks if mark.asked is question.key]
                assert mark.is_right, (str(task), answer)


def test_the_page_marks_steps_as_python_does(engine: Engine) -> None:
    for task in updates(12, 4):
        answers = []
        for question in task.questions:
            old, right = question.node.data, question.value(task._scene)
            changes = [(right - old) * factor for factor in (0, 1, -1, 10, 1.004, 1.02, 0.5)]
            answers += [{question.name: f"{old + x:.{n}g}"} for x in changes for n in (2, 3, 5, 12, 17)]
        assert marked(engine, task, answers) == [in_python(task, each) for each in answers]


def test_the_page_compares_changes_as_python_does(engine: Engine) -> None:
    rng = Random(13)
    triples = []
    for _ in range(1000):
        old = round(rng.uniform(-3, 3), rng.choice([0, 1, 2, 3, 8]))
        right = old + rng.uniform(-1, 1) * 10.0 ** -rng.randrange(12)
        answer = rng.choice(
            [right, old, round(right, rng.randrange(10)), float(f"{right:.{rng.randrange(1, 12)}g}"), old * 2 - right]
        )
        triples.append((answer, right, old))
    found = engine.run(f"{json.dumps(triples)}.map(([x, right, old]) => isRounded(x, right, old))")
    assert found == [is_rounded(*each) for each in triples] and 300 < sum(found) < 900


def test_a_step_uphill_and_one_without_the_rate_are_named() -> None:
    w = Value(0.5, "w")
    task = exercise((w * 2 - 3) ** 2, ask="update")  # from 0.5 to 0.5 - 0.1·(-8)
    for answer, name, words in (
        (-0.3, "ascent", "this goes uphill: η·∂loss/∂w is added, not subtracted, or ∂loss/∂w has the wrong sign"),
        ("w + 0.1*2*v2*2", "ascent", "η·∂loss/∂w is added"),
        (8.5, "rate-forgotten", "the factor η = 0.1 of the step is left out"),
        ("0.5 - 2*v2*2", "rate-forgotten", "left out"),
    ):  # fmt: skip
        [mark] = task.mark({w: answer}).marks
        assert mark.names == (name,) and words in mark.sentence and mark.points == 0.5, mark
    assert exercise((w * 2 - 3) ** 2, "update", rate=1).mark({w: 8.5})


def test_a_formula_that_is_right_at_one_point_only_is_no_derivative_after_a_step() -> None:
    w = Value(0.5, "w")
    [mark] = exercise((w * 2 - 3) ** 2, ask="update").mark({w: "w + 0.8"}).marks
    assert mark.sentence == "w after the step: w + 0.8 is the right number here, but not at other numbers"


@pytest.mark.parametrize("rate", [1.0, 0.1, 1e-3, 1e-4])
def test_a_step_from_the_shown_digits_of_a_trained_number_is_right(rate: float) -> None:
    w = Value(0.123456789, "w")  # shown as 0.12346
    task = exercise(w * 0.001234, ask="update", rate=rate)
    for answer in (0.12346 - rate * 0.001234, 0.123456789 - rate * 0.001234):
        assert task.mark({"w": answer}) and task.mark({"w": f"{answer:.{task._digits(task.questions[0])}g}"})
    for answer in (0.12346, 0.123456789, 0.12346 + rate * 0.001234, 0.123456789 + rate * 0.001234):
        assert not task.mark({"w": answer})
