"""Answers to exercises: which formulas count as right, at which numbers they are compared, and how they may be written."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Any

import pytest
from answered import REFUSED, answered
from misconceived import OF_GRADIENTS, odd_graphs, random_graph, recomputed

from autograd import Binary, Unary, Value, ceil, exp, gate, label_values, log, maximum, relu, sigmoid, sqrt, total, walk, where
from autograd.demo import POINT, network
from autograd.exercises import AnswerError, exercise, grade, worksheet
from autograd.exercises.answers import read_answer
from autograd.exercises.misconceptions import Suspects
from autograd.exercises.questions import scenes


def test_each_answer_has_its_points() -> None:
    for task, answers, points in answered():
        marking = task.mark(answers)
        assert sum(mark.points for mark in marking.marks) == pytest.approx(points), (str(task), str(marking))


def test_a_formula_that_cannot_be_compared_elsewhere_has_the_right_number() -> None:
    y = Value(0.0, "y")
    [mark, *_] = exercise(sqrt(-(y.square())), ask="local").mark({"∂v1/∂y": "2*y"}).marks
    assert mark.is_right
    assert mark.sentence.endswith("the right number here; the formula could not be compared at other numbers nearby")


def test_a_name_may_be_written_with_its_index_below_or_beside_it() -> None:
    for name, text in (("x₁", "w·x1"), ("x1", "2*x₁ + 0*π")):
        assert read_answer(text, {"w": 2.0, name: 3.0}).value == 6.0


def test_a_refusal_is_about_the_written_text() -> None:
    for text in ("x y", "√x y", "|x|y", "x√y", "w1′1", "w1′∞"):  # the message does not guess the twelfth name
        with pytest.raises(AnswerError, match="an operator is missing between"):
            read_answer(text, {"x": 1.0, "y": 2.0} | {f"w{i}′": 1.0 for i in range(12)})
    for text in ("x|x|", "x|y|", "x += y"):  # it mentions neither the function behind the bars nor the right side alone
        with pytest.raises(AnswerError) as caught:
            read_answer(text, {"x": 1.0, "y": 2.0})
        assert not re.search("abs|give only", str(caught.value))
    for text, problem in REFUSED.items():
        with pytest.raises(AnswerError) as caught:
            read_answer(text, {"w": 1.0, "x₁": 2.0, "w′": 3.0})
        assert str(caught.value) == f"{text!r} cannot be read as a number or a formula: {problem}"


def test_a_formula_that_is_undefined_nearby_is_right_only_here() -> None:
    w, x = Value(3.0, "w"), Value(1.0, "x")
    [mark] = exercise(w * x, ["w"]).mark({"∂loss/∂w": "x + 0*sqrt(3 - w)"}).marks
    assert mark.points == 0.5 and not mark.is_right


def test_a_formula_is_not_compared_where_a_gradient_is_infinite() -> None:
    x = Value(1.0, "x")  # a whole number moves by 1, and at 0 the root has no derivative
    task = exercise(ceil(x) * sqrt(x), ask=[x])
    for text in ("ceil(x)*0.5/sqrt(x)", "v1*0.5/v2", "0·v2 + v1·(0.5 / v2)"):
        assert task.mark({x: text}).points == 1.0
    assert task.mark({x: "ceil(x)*0.5*sqrt(x)"}).points == 0.5  # right at 1 only


def test_a_condition_in_brackets_is_an_operand_as_solutions_print_it() -> None:
    a, w = Value(0.5, "a"), Value(2.0, "w")
    for loss, printed in ((sigmoid(gate(a)) * w, "σ([a > 0])"), (maximum(gate(a), 0.25) * w, "maximum([a > 0], 0.25)")):
        task = exercise(loss, ask=[w])
        assert printed in str(task.solution) and task.mark({w: printed}).points == 1.0


def test_nan_is_not_the_gradient_of_a_node_that_nothing_reaches() -> None:
    w, x = Value(-0.5, "w"), Value(2.0, "x")
    [mark] = exercise(where(x > 0, x, w * 3), ["w"]).mark({"∂loss/∂w": "NaN"}).marks
    assert mark.points == 0 and not mark.is_right


def test_leaves_move_one_by_one_only_where_that_is_little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = walk((-Value(0.5)) ** Value(3.0))  # two leaves, two operations
    for work, n in ((4, 4), (3, 0)):
        monkeypatch.setattr("autograd.exercises.questions.MOST_WORK", work)
        assert len(scenes(steps)) == n


# Numbers that change


@pytest.mark.parametrize("ask", [["w"], "local", "update", "order", "deltas"])
def test_an_exercise_on_a_graph_whose_leaves_changed_is_refused(ask: Any) -> None:
    w, x = Value(3.0, "w"), Value(2.0, "x")
    loss = (w * x - 5) ** 2
    task, text = exercise(loss, ask), str(exercise(loss, ask))
    answers: Any = ["loss", "v2", "v1"] if ask == "order" else {task.questions[0].key: "2*(w*x-5)*x"}
    loss.backward()
    w.data -= 0.1 * w.grad
    for read in (
        lambda: str(task), lambda: task.mark(answers), lambda: grade(task, answers), lambda: task.solution, task.hint,
        lambda: task.html, lambda: task.latex, lambda: task.given_latex, lambda: task.solution_latex, task.play,
        lambda: task.solution_html, lambda: worksheet([task]).tex, lambda: worksheet([task], solutions=True).text,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"a leaf was changed after the forward pass; compute the result again"):
            read()
    w.data = 3.0
    assert str(task) == text and str(task.mark(answers)) == str(exercise(loss, ask).mark(answers))


# Answers that follow from others


def test_an_answer_can_follow_only_from_answers_above_it() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=["net_o", "w_o", "net_h", "w_h"])
    rounded = {"net_o": -0.147, "net_h": 0.0269, "w_h": 0.0538}
    for answers, ends in (
        (rounded | {"w_o": 5}, ["right", "wrong", "rounded", "rounded"]),
        (rounded, ["right", "none", "rounded", "rounded"]),
        ({"net_o": 0.3, "w_o": 0.3 * n["r_h"].data, "net_h": -0.0549, "w_h": -0.11}, ["wrong", "from", "from", "from"]),
        ({"net_o": 0.3, "net_h": 0.0268, "w_h": 0.0536}, ["wrong", "none", "right", "rounded"]),  # net_h is right by itself
        ({"net_o": -0.147, "net_h": 0.05, "w_h": 0.1}, ["right", "none", "wrong", "from"]),
    ):
        kinds = {
            "right": "is right$", "rounded": "is right, with the rounded answers above$", "none": "not answered$",
            "from": "follows from a wrong answer above, so it counts$", "wrong": r"is not right[;,] (?!but follows)",
        }  # fmt: skip
        for sentence, kind in zip(task.mark(answers).sentences, ends, strict=True):
            assert re.search(kinds[kind], sentence), (sentence, kind)


# Explanations


@pytest.mark.slow
def test_an_explanation_describes_the_number_that_it_explains() -> None:
    rng, n, passes = Random(8), Counter[str](), set[str]()
    for loss in [*odd_graphs(), *(random_graph(rng) for _ in range(12))]:
        steps = walk(loss)
        for x in steps.gradients:
            for suspect in Suspects(steps).of(x) if x is not loss else ():
                found = recomputed(suspect.words, loss, x)
                if found is None:
                    passes.add(suspect.words)
                else:
                    n[suspect.name] += 1
                    assert suspect.gradient == pytest.approx(found, rel=1e-9, abs=1e-12), (str(steps), suspect)
    assert min(n.values()) > 20 and set(n) == {*OF_GRADIENTS} - {"too-early", "updated-too-soon", "rounded-too-early"}
    assert len(passes) == 13, passes  # one for each algorithm that is about the whole pass


def test_an_explanation_names_one_of_two_operands_or_both() -> None:
    w, a, b = Value(3.0, "w"), Value(2.0, "a"), Value(1.5, "b")
    p = a * b
    q = p * p
    label_values({"p": p, "q": q})
    for loss, x, answer, words in (
        (w * w + 4 * w, w, 7, "the contribution of v1 = w² to w (operand 0) is forgotten (path-forgotten)"),
        (
            w * w + 4 * w,
            w,
            4,
            "the contribution of v1 = w² to w is forgotten, or ∂v1/∂w (operand 0) = w is taken with the wrong sign",
        ),
        (w * w + 4 * w, w, 3, "this counts only what comes directly from v1 (operand 0)"),
        (q * p * a + q, p, 21, "this is only the last contribution, from q (operand 1); all contributions add up"),
        (q + p * a + p * b, p, 6, "this counts only what comes directly from q"),
    ):
        assert words in str(exercise(loss, ask=[x]).mark({x: answer})), words


def test_a_refusal_counts_no_columns() -> None:
    task = exercise(Value(3.0, "w") * 2, ask=["w"])
    for answer, problem in (("w +", "the expression ends too early"), ("-√4w", "4w after √ can be read in two ways")):
        with pytest.raises(AnswerError, match=f"number or a formula: {problem}"):
            task.mark({"w": answer})


def test_a_sentence_names_only_some_of_many_nodes() -> None:
    w = Value(3.0, "w")
    task = exercise(total([w * Value(float(i)) for i in range(2, 40)]), ask=[w])
    assert "and 32 more" in task._way_to(task.questions[0])


# Pages


def test_a_page_has_the_functions_and_the_hints_for_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []
    monkeypatch.setattr("autograd.player.make_player", lambda *given: found.append((given[-1], given[-2])))
    w, x = Value(0.5, "w"), Value(2.0, "x")
    task = exercise((w * x).tanh() * w, "order")
    task.play()
    exercise((w * x).tanh() * w, ask=[w]).play(limit=7)
    (order, limit), (other, limited) = found
    assert order.data["hints"] == [task.hint() for _ in range(4)] and other.data["hints"] == []
    assert (limit, limited) == (150, 7)
    for asked in (order, other):
        functions = asked.data["functions"]
        assert functions["abs"] == ["absolute", 1, False, "absolute(x)", None]
        assert functions["leaky_relu"] == ["leaky_relu", 2, False, "leaky_relu(x, y=0.01)", 0.01]
        assert functions["maximum"][:3] == ["maximum", 2, True]
        assert {name for name, (_, arity, *_) in functions.items() if arity is None} == {"prod", "logsumexp"}
        names = {row.name for row in asked.rows}
        assert names == {name for name, *_ in functions.values()} - {"prod", "logsumexp"}


def test_an_answer_may_follow_from_a_rounded_one_on_one_of_two_paths() -> None:
    w = Value(1.0, "w")
    u = w * 28.2
    u.label = "u"
    marking = exercise(u / 3 + w * 0.5, ask=[u, w]).mark({u: 0.333, w: 28.2 * 0.333 + 0.5})
    assert marking and marking.sentences[1].endswith("is right, with the rounded answers above")


def test_a_square_has_a_question_for_each_of_its_two_operands() -> None:
    x = Value(3.0, "x")
    names = [question.name for question in exercise(x * x, "local").questions]
    assert names == ["∂loss/∂x (operand 0)", "∂loss/∂x (operand 1)"]


# Misconceptions


def test_without_its_derivative_a_shut_rectifier_passes_the_gradient() -> None:
    w = Value(-1.0, "w")
    found = {(suspect.name, suspect.gradient) for suspect in Suspects(walk(relu(w) * 5)).of(w)}
    assert ("activation-forgotten", 5.0) in found and {gradient for _, gradient in found} == {0.0, 5.0}
    assert {gradient for name, gradient in found if name == "out-for-net"} == {0.0}


def test_the_last_contribution_comes_from_the_first_of_three_uses() -> None:
    x = Value(3.0, "x")
    found = [suspect for suspect in Suspects(walk(x * 2 + x * 3 + x * 5)).of(x) if suspect.name == "overwritten"]
    assert [suspect.gradient for suspect in found] == [2.0, 2.0] and "the last contribution, from v1;" in found[1].words


def test_forgotten_paths_are_suspected_among_six_but_not_seven() -> None:
    x = Value(1.0, "x")
    for n, names in ((6, ("path-forgotten",)), (7, ())):
        assert exercise(total([x * (1.1 * 2**i) for i in range(n)]), ask=[x]).mark({x: 0}).marks[0].names == names


def test_a_branch_that_is_not_taken_changes_nothing_whatever_its_rule() -> None:
    a, b, x = Value(3.0, "a"), Value(5.0, "b"), Value(2.0, "x")
    taken, other = x * a, x * b
    y = where(x > 0, taken, other)
    slips = [suspect for suspect in Suspects(walk(y)).of(x) if "∂v3/∂x = b" in suspect.words or "v3 = x·b" in suspect.words]
    assert [suspect.gradient for suspect in slips[:3]] == [3.0] * 3 and len(slips) == 5
    assert exercise(y, ask=[other]).mark({other: "0*x"}).marks[0].is_right


def test_only_an_operation_with_two_operands_has_another_operand() -> None:
    x = Value(0.5, "x")
    words = [suspect.words for suspect in Suspects(walk(exp(x))).of(x)]
    assert words and not any("not 0.5, which is the derivative with respect to the other operand" in text for text in words)


def test_a_misconception_without_a_result_explains_nothing() -> None:
    x, b = Value(0.96, "x"), Value(3.0, "b")
    steep = log(x * x - 0.9)  # 0, if x² is rounded to a digit
    scaled = Binary("scaled", lambda x, y: x * x * abs(y), lambda x, y, out: 2 * x * abs(y), lambda x, y, out: out / y)
    flat = scaled(x, 0.0) + x  # the rule of y is undefined
    chain = x
    for _ in range(14):
        chain = chain * 0.5 + chain * 0.5
    late = chain + b * 2 * 3  # recursion comes to b·2 after 2¹⁵ moves
    squared = Unary("squared", lambda x: x * x, lambda x, out: 2 * sqrt(out))
    for loss, leaf in ((steep, x), (flat, x), (late, b), (squared(x - 2) * b, b), (squared(x - 2), x)):
        task = exercise(loss, ask=[leaf])
        assert task.mark({leaf: 7.0}).diagnoses == {leaf: ()} and task.mark({leaf: -task.steps.gradients[leaf]}).diagnoses[leaf]
