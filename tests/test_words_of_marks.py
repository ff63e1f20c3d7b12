"""The sentence about a wrong answer says what the answer assumed: it gives no answer away, and cannot be taken for the rule."""

from __future__ import annotations

import pytest
from misconceived import odd_graphs

from autograd import Value, sigmoid, walk
from autograd.exercises import exercise
from autograd.exercises.misconceptions import Suspects


def neuron() -> tuple[Value, Value, Value, Value]:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-0.4, "b")
    return w, x, b, (1 - sigmoid(w * x + b)) ** 2


@pytest.mark.parametrize(("about", "answer", "words"), [
    ("∂v4/∂v3", 1, "the minus sign of ∂v4/∂v3 is lost (sign)"),
    ("∂v1/∂w", 0.5, "this is the derivative with respect to the other operand (other-operand)"),
    ("∂v3/∂v2", 1, "the factor ∂v3/∂v2 is left out: the derivative of the activation (activation-forgotten)"),
    ("∂loss/∂v4", "v4", "the factor 2 of ∂loss/∂v4 is missing (factor-two)"),
])  # fmt: skip
def test_a_mark_does_not_give_the_local_derivative_away(about: str, answer: object, words: str) -> None:
    *_, loss = neuron()
    task = exercise(loss, ask="local")
    [mark] = [mark for mark in task.mark({about: answer}).marks if mark.names]
    assert mark.sentence == f"{about}: {answer} is not right; {words}"


def test_no_explanation_of_a_local_derivative_has_its_rule() -> None:
    for loss in (neuron()[-1], *odd_graphs()):
        task = exercise(loss, ask="local")
        for question in task.questions:
            words = [suspect.words for suspect in task._suspects_of(question, question.value(task._scene))]
            assert not [text for text in words if f"{question.name} = " in text or f"{question.name}, not " in text]


def test_a_misconception_about_the_whole_pass_is_not_worded_as_a_rule() -> None:
    rules = (
        "only what comes ",
        "nothing flows ",
        "every product is ",
        "gradients replace ",
        "the last contribution ",
        "every local ",
    )
    for loss in (neuron()[-1], *odd_graphs()):
        steps = walk(loss)
        for node in steps.gradients:
            assert not [each.words for each in Suspects(steps).of(node) if node is not loss and each.words.startswith(rules)]
