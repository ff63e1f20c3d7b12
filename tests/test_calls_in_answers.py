"""Answers in which a call has too few or too many operands are refused, in Python and on the page."""

from __future__ import annotations

import pytest
from engines import Engine
from test_exercise_pages import in_python, marked

from autograd import Value, logsumexp, tanh
from autograd.exercises import AnswerError, exercise

REFUSED = (
    "where(x > 0, -6*x)", "where(x < 0, 1, -6*x, 5)", "where(x > 0)", "where()", "maximum(-6*x)", "tanh()",
    "-6*x + tanh(1, 2)*0", "prelu(-6*x)", "sigmoid(x, x)",
)  # fmt: skip


def test_a_call_with_the_wrong_number_of_operands_is_refused(engine: Engine) -> None:
    x = Value(2.0, "x")
    task = exercise(x * -3 * x, ask=[x])
    name = task.questions[0].name
    for text in REFUSED:
        [refused] = marked(engine, task, [{name: text}])
        assert isinstance(refused, str) and "cannot be read as a number or a formula" in refused, text
        with pytest.raises(AnswerError, match="cannot be read as a number or a formula"):
            task.mark({name: text})
    for text in ("where(x > 0, -6*x, 1)", "where(x < 0, 1, -6*x)", "maximum(-6*x, -100)", "maximum(-100, -6*x, -200)"):
        assert marked(engine, task, [{name: text}]) == [in_python(task, {name: text})] and task.mark({name: text})


def test_the_page_says_how_many_operands_a_function_takes(engine: Engine) -> None:
    x = Value(2.0, "x")
    task = exercise(x * -3 * x, ask=[x])
    [refused] = marked(engine, task, [{task.questions[0].name: "where(x > 0, -6*x)"}])
    assert refused.endswith("where is called as where(condition, a, b)")
    w, y = Value(2.0, "w"), Value(1.0, "y")
    task = exercise(logsumexp([x, y, 0.5]) * w, ask=[w])
    printed = "logsumexp([x, y, 0.5])"
    assert printed in task.solution
    for text in (printed, "logsumexp(x, y, 0.5)", "1·logsumexp( [y, x, 0.5] )"):
        assert marked(engine, task, [{"∂loss/∂w": text}]) == [in_python(task, {"∂loss/∂w": text})] and task.mark({w: text})


def test_a_number_in_a_formula_may_be_rounded(engine: Engine) -> None:
    """Three digits are enough, even where a difference magnifies the rounding error."""
    w, x = Value(3.0, "w"), Value(1.5, "x")
    out = tanh(w)
    out.label = "out"
    task = exercise(out * x, ask=[w])
    name = task.questions[0].name
    for text, points in (
        ("(1 - 0.995**2)*1.5", 1.0), ("1.5 - 1.5·0.99505²", 1.0), ("(1-0.995**2)*x", 0.5), ("(1-0.9²)*1.5", 0.0),
        ("(1-0.992**2)*1.5", 0.0), ("1000 - 999.9", 0.0),
    ):  # fmt: skip
        [marks] = marked(engine, task, [{name: text}])
        assert marks == in_python(task, {name: text}) and marks[0][0] == points, (text, marks)
    local = exercise(tanh(w), ask="local")
    shown = str(local.solution).split(" = ")[1]
    assert shown == "1 - 0.99505²" and local.mark({local.questions[0].key: shown}).points == 1.0
