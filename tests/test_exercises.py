"""Exercises: right answers are accepted in any form, wrong ones are explained, and unreadable ones cost no points."""

import math
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from misconceived import OF_GRADIENTS, cases, leaves_of, random_graph

from autograd import Value, explain, label_values, maximum, total, walk, where
from autograd.demo import POINT, network
from autograd.exercises import AnswerError, Exercise, exercise, exercises, graphs
from autograd.exercises.answers import is_rounded, read_answer
from autograd.mistakes import MISTAKES, totals, updated_too_soon

ROOT = Path(__file__).parent.parent

# Right answers


def twice() -> dict[str, Value]:
    nodes: dict[str, Value] = {"x": Value(3.0), "y": Value(2.0)}
    nodes["h"] = nodes["x"] * nodes["y"]
    nodes["v"] = nodes["h"] * nodes["h"]
    nodes["u"] = nodes["v"] * nodes["x"]
    nodes["E"] = nodes["u"] + nodes["h"]
    label_values(nodes)
    return nodes


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-9), st.integers(3, 12))
def test_a_number_rounded_to_three_digits_or_decimals_is_right(right: float, n: int) -> None:
    assert is_rounded(float(f"{right:.{n}g}"), right) and is_rounded(round(right, n), right)
    assert is_rounded(float(f"{right:.{n}g}") * (1 + 1e-13), right)


@given(st.floats(0.01, 1e6), st.floats(0.01, 0.9))
def test_a_number_that_is_off_by_a_percent_is_wrong(right: float, off: float) -> None:
    for wrong in (right * (1 + off), right * (1 - off), -right):
        rounded = any(math.isclose(wrong, round(right, n), rel_tol=1e-9, abs_tol=1e-15) for n in range(3, 16))
        assert rounded or not is_rounded(wrong, right)


@pytest.mark.parametrize(("text", "value"), [
    ("1/2", 0.5), ("-0.5", -0.5), (",5", 0.5), ("0,25", 0.25), ("−0.5", -0.5), ("−,5", -0.5), (" 2 ", 2.0), ("3e-2", 0.03),
    ("-(t - r)·r", -0.25), ("r²·2", 0.5), ("r^2", 0.25), ("σ(0)", 0.5), ("w⁽¹⁾₀₀*w⁽¹⁾₀₁", 6.0), ("maximum(t, r)", 1.0),
    ("3,5e-2", 0.035), ("½", 0.5), ("-¾·r", -0.375), ("1/½²", 4.0), ("√¼", 0.5), ("r⁻¹", 2.0), ("r²⁻¹", 0.5),
    ("t – r⋅2∗r", 0.5),
])  # fmt: skip
def test_handwritten_notation_is_read(text: str, value: float) -> None:
    numbers = {"t": 1.0, "r": 0.5, "w⁽¹⁾₀₀": 2.0, "w⁽¹⁾₀₁": 3.0}
    assert read_answer(text, numbers).value == pytest.approx(value, rel=1e-15)


def test_a_name_means_its_node_even_if_it_also_names_a_function() -> None:
    numbers = {"e": 3.0, "lambda": 2.0, "step": 5.0, "tanh": 0.5, "name_0": 7.0, "a.b": 11.0, "2": 9.0, "x₀": 13.0}
    for text, value in (
        ("2*e", 6.0), ("1e-1*lambda", 0.2), ("step + step(1)", 6.0), ("tanh(0) + tanh", 0.5), ("name_0*a.b", 77.0), ("2", 2.0),
        ("e²", 9.0), ("x₀² + 1.5e0", 170.5), ("2.5*e", 7.5),
    ):  # fmt: skip
        assert read_answer(text, numbers).value == pytest.approx(value), text
    assert read_answer("e", {"t": 1.0}).value == math.e


def test_of_two_names_with_the_same_beginning_the_longer_one_is_read() -> None:
    assert read_answer("2*v 12", {"v 1": 3.0, "v 12": 5.0}).value == 10.0
    assert read_answer("2*v 1", {"v 12": 5.0, "v 1": 3.0}).value == 6.0


def test_a_formula_is_right_however_it_is_written() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["w_o"], n["w_h"]])
    for text in (
        "-(t - r_o)*r_o*(1 - r_o)*r_h",
        "(r_o - t)·r_o·r_h − (r_o - t)·r_o²·r_h",
        "-2*v1/2*r_o*(1-r_o)*sigmoid(w_h*i)",
    ):
        assert task.mark({"w_o": text}).marks[0].is_right, text
    assert task.mark({n["w_h"]: explain(n["w_h"], of=n["E"]).formula.text}).marks[1].is_right
    [mark, _] = task.mark({"w_o": f"{n['r_h'].data!r}*(-(t - r_o)*r_o*(1 - r_o))"}).marks
    assert not mark.is_right and mark.points == 0.5 and "the right number here, but not at other numbers" in mark.sentence
    assert not task.mark({"w_o": "(t - r_o)*r_o*(1 - r_o)*r_h"}).marks[0].is_right


@pytest.mark.parametrize(("level", "seed", "i", "found"), [
    (1, 7, 0, {"∂v1/∂w": 1, "∂v1/∂b": -1, "∂y/∂v1": 1.5, "∂y/∂x": -1.5}),
    (2, 5, 0, ["y", "v1", "h", "v2"]), (2, 5, 1, {"h": 1, "a": 0.5, "b": 1, "c": -10}), (2, 5, 2, {"a": 25, "b": 25, "c": 10}),
    (2, 5, 3, {"a": -6, "b": -5}), (2, 5, 4, {"a": -9, "b": 9, "c": -5.5}),
    (3, 5, 0, {"net": 0.1461, "w": 0.2922, "b": 0.1461}),
    (3, 5, 1, {"w": 0.14043, "b": 0.14043}), (3, 5, 2, {"w": 0.13609, "b": -0.13609}),
    (4, 2, 0, {"∂E/∂z⁽²⁾₀": -0.08374, "∂E/∂z⁽¹⁾₁": -0.008374, "∂E/∂z⁽¹⁾₀": 0.0062182}),
    (4, 2, 1, {"∂E/∂w⁽²⁾₀₀": -0.022503, "∂E/∂w⁽²⁾₀₁": -0.034863, "∂E/∂b⁽²⁾₀": -0.10507}),
])  # fmt: skip
def test_answers_worked_out_on_paper_from_printed_numbers_are_right(level: int, seed: int, i: int, found: Any) -> None:
    marking = exercises(seed, level, i + 1)[i].mark(found)
    assert marking and marking.points == 1.0, marking


@given(
    st.decimals(-1000, 1000, places=6).filter(lambda x: abs(x) > Decimal("0.0001")),
    st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]),
)
def test_a_tie_may_be_rounded_up_or_down(right: Decimal, rounding: str) -> None:
    for half in (right, right.quantize(Decimal("0.001")) + Decimal("0.0005")):
        assert is_rounded(float(half.quantize(Decimal("0.001"), rounding)), float(half))
        assert is_rounded(float(Context(prec=3, rounding=rounding).create_decimal(half)), float(half))


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_every_level_can_be_solved_with_the_numbers_of_its_solution(level: int) -> None:
    sheet = exercises(seed=11, level=level, count=12)
    kinds = Counter(task.kind for task in sheet)
    assert len(kinds) > 1 and len({task.text for task in sheet}) == 12
    for task in sheet:
        if task.kind == "order":
            assert task.mark(list(reversed(task.steps.order)))
            continue
        answers = {
            q.key: q.node.partials[q.place] if q.place is not None else task.steps.gradients[q.node] for q in task.questions
        }
        marking = task.mark({key: f"{answer:.3g}" for key, answer in answers.items()})
        assert marking and marking.points == 1.0 and marking.diagnoses == {}
        assert all(line.startswith(q.name) for line, q in zip(marking.sentences, task.questions, strict=True))
        assert all(task.number(x.data) in task.text for x in task.names)
        assert all(math.isfinite(x) for x in task.steps.gradients.values())


def test_a_seed_determines_a_sheet() -> None:
    assert [str(t) for t in exercises(6, 2, 4)] != [str(t) for t in exercises(5, 2, 4)]
    assert len({task.text for task in exercises(0, 2, 300)}) == 300
    assert [str(t) for t in exercises(0, 3, 20)[:8]] == [str(t) for t in exercises(0, 3, 8)]
    counts: list[tuple[int, Any, str]] = [(1, n, f"count is {n}; make 1 exercise or more") for n in (0, True, 2.0)]
    for level, count, words in [*counts, (5, 1, "the levels are 1, 2, 3, 4")]:
        with pytest.raises(ValueError, match=words):
            exercises(0, level, count)


def test_there_is_always_another_exercise(monkeypatch: pytest.MonkeyPatch) -> None:
    def few(dice: graphs.Dice) -> Exercise:
        w = dice.leaf("w", (0.5, 1.0))
        return exercise(w * 2, ask=[w])

    monkeypatch.setitem(graphs.LEVELS, 1, few)
    leaves = {task.questions[0].node.data for task in exercises(0, 1, 12)}
    assert leaves == {sign * size for sign in (1, -1) for size in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)}


def test_leaves_get_one_more_size_after_a_hundred_repeated_exercises(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def few(dice: graphs.Dice) -> Exercise:
        drawn.append(dice.extra_sizes)
        w = dice.leaf("w", (0.5, 1.0))
        return exercise(w * 2, ask=[w])

    monkeypatch.setitem(graphs.LEVELS, 1, few)
    exercises(0, 1, 9)
    assert [drawn.count(more) for more in (0, 1)] == [4 + 100, 2 + 100]
    dice = graphs.Dice("any")
    dice.extra_sizes = 2
    for sizes, further in ((graphs.PLAIN, {5.5, 6.0}), (graphs.SMALL, {0.9, 1.0})):
        assert {abs(dice.leaf("x", sizes).data) for _ in range(300)} == {*sizes} | further


def test_questions_have_gradients_that_three_decimals_show() -> None:
    w = Value(1.0, "w")
    assert [graphs._is_fit(exercise(w * x, ask=[w]), exact=False) for x in (0.002, -0.002, 0.0019, math.inf)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert [graphs._is_fit(exercise(w * x, ask=[w]), exact=True) for x in (0.1234, 0.12345, 12345.0, 0.0)] == [
        True, False, False, False,
    ]  # fmt: skip


# Misconceptions


@pytest.mark.slow
def test_each_misconception_is_recognised_on_random_graphs() -> None:
    found, total, names = Counter[str](), Counter[str](), 0
    for name, loss, x, answer in cases(Random(4), count=40, digits=4):
        marking = exercise(loss, ask=[x]).mark({x: answer})
        if not marking:  # rounded, the answer may be right
            total[name] += 1
            [diagnoses] = marking.diagnoses.values()
            found[name] += name in diagnoses
            names += len(diagnoses)
    assert set(total) == set(OF_GRADIENTS) and min(total.values()) >= 30
    assert {name: found[name] / total[name] for name in OF_GRADIENTS if found[name] < 0.95 * total[name]} == {}
    assert names < 2.5 * total.total(), "most answers have only one or two explanations"


def test_random_numbers_are_not_explained() -> None:
    rng, explained, n = Random(7), 0, 0
    while n < 60:
        loss = random_graph(rng)
        for x in leaves_of(loss)[:1]:
            answer = float(f"{walk(loss).gradients[x] * rng.uniform(-3, 3) + rng.uniform(-0.5, 0.5):.4g}")
            marking = exercise(loss, ask=[x]).mark({x: answer})
            n += not marking
            explained += any(marking.diagnoses.values())
    assert explained <= 6


def test_a_student_who_errs_in_ten_ways() -> None:
    n = network(**POINT)
    t, r_o, r_h, w_o, i = (n[name].data for name in ("t", "r_o", "r_h", "w_o", "i"))
    delta = -(t - r_o) * r_o * (1 - r_o)
    second = 1 / (1 + math.exp(-r_h))
    task = exercise(n["E"], ask=[n["w_o"], n["w_h"]])
    wrong: dict[str, tuple[str, float, str]] = {
        "sign": ("w_o", (t - r_o) * r_o * (1 - r_o) * r_h, "the minus sign of ∂v1/∂r_o = -1 is lost"),
        "activation-forgotten": ("w_h", delta * w_o * i, "the factor ∂r_h/∂net_h = r_h·(1 - r_h) is left out"),
        "other-operand": ("w_h", delta * r_h * r_h * (1 - r_h) * i, "∂net_o/∂r_h = w_o, not 0.64566"),
        "out-for-net": ("w_h", delta * w_o * second * (1 - second) * i, "at r_h = 0.64566, not at net_h"),
        "factor-two": ("w_o", 2 * delta * r_h, "the factor ∂E/∂v2 = 0.5 is missing"),
        "local-only": ("w_h", i, "this is only the local derivative ∂net_h/∂w_h = i"),
        "upstream-only": ("w_o", delta, "this is only the upstream gradient ∂E/∂net_o"),
        "updated-too-soon": ("w_h", delta * (w_o - 0.1 * delta * r_h) * r_h * (1 - r_h) * i, "weights were updated before"),
    }
    for name, (node, answer, words) in wrong.items():
        digits = 6 if name == "updated-too-soon" else 4
        [mark] = [m for m in task.mark({node: round(answer, digits)}).marks if m.asked is n[node]]
        assert mark.names[0] == name and words in mark.sentence and 0 < mark.points < 1, mark
    shared = twice()
    pair = exercise(shared["E"], ask=[shared["h"], shared["x"]])
    right = walk(shared["E"]).gradients
    assert pair.mark({"h": right[shared["h"]] - 1}).marks[0].names == ("path-forgotten",)
    assert "the contribution of E = u + h to h is forgotten" in pair.mark({"h": right[shared["h"]] - 1}).sentences[0]
    assert pair.mark({"x": totals(MISTAKES["recursion"](shared["E"]))[shared["x"]]}).marks[1].names == ("too-early",)
    assert "overwritten" in pair.mark({"x": totals(MISTAKES["overwrite"](shared["E"]))[shared["x"]]}).marks[1].names


def test_a_gradient_that_flows_into_the_branch_that_is_not_taken() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    square = x * x
    task = exercise(maximum(square, y * 5) * 2, ask=[x, y])
    assert [mark.names[0] for mark in task.mark({"x": 12, "y": 0}).marks] == ["other-branch", "other-branch"]
    assert exercise(where(square < 1, square, x) * 2, ask=[x]).mark({"x": 12}).marks[0].names[0] == "other-branch"


def test_the_net_input_in_place_of_the_output() -> None:
    n = network(**POINT)
    delta = walk(n["E"]).gradients[n["net_o"]]
    [mark] = exercise(n["E"], ask=[n["w_o"]]).mark({"w_o": f"{delta * n['net_h'].data:.4g}"}).marks
    assert mark.names == ("out-for-net",) and "this uses net_h, the net input" in mark.sentence


def test_answers_that_follow_from_rounded_ones_are_right() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["net_o"], n["w_o"]])
    marking = task.mark({"net_o": -0.147, "w_o": -0.0949})  # exactly -0.14659 and -0.094645
    assert marking and marking.sentences[1] == "∂E/∂w_o: -0.0949 is right, with the rounded answers above"
    assert not task.mark({"w_o": -0.0949}).marks[1].is_right
    chain = exercise(n["E"], ask=["net_o", "net_h", "w_h"]).mark({"net_o": -0.147, "net_h": 0.0269, "w_h": 0.0538})
    assert chain and all("rounded answers above" in sentence for sentence in chain.sentences[1:])


def test_an_unexplained_answer_leads_to_the_nodes_on_the_way() -> None:
    n = network(**POINT)
    [mark] = exercise(n["E"], ask=[n["w_h"]]).mark({"w_h": 7.77}).marks
    assert mark.names == () and mark.points == 0
    assert mark.sentence.endswith("no known misconception explains it; work out ∂E/∂net_h first")
    both = exercise(n["E"], ask=["net_h", "w_h"]).mark({"w_h": 7.77})
    assert both.marks[1].sentence.endswith("answer ∂E/∂net_h as well, to see where it goes wrong")


@pytest.mark.parametrize(("n", "named"), [(6, ", ∂loss/∂v9 and ∂loss/∂v11 first"), (7, "∂loss/∂v11 and 1 more first")])
def test_six_nodes_on_the_way_are_named(n: int, named: str) -> None:
    x = Value(0.5, "x")
    loss = total([(x * (k + 2.5)).tanh() for k in range(n)])
    [mark] = exercise(loss, ask=[x]).mark({x: 77.7}).marks
    assert "work out ∂loss/∂v1, " in mark.sentence and mark.sentence.endswith(named)


@pytest.mark.parametrize(("right", "near", "far"), [(20.0, (19, 21), (18.9, 21.1)), (0.9, (0.8,), (0.78, 0.82))])
def test_an_answer_is_near_within_five_percent_or_a_unit_of_its_only_digit(right: float, near: Any, far: Any) -> None:
    w = Value(1.0, "w")
    task = exercise(w * right, ask=[w])
    assert [task.mark({w: x}).marks[0].names for x in near] == [("rounded-too-early",)] * len(near)
    assert [task.mark({w: x}).marks[0].names for x in far] == [()] * len(far)


def test_following_answers_ignore_a_branch_that_is_not_taken() -> None:
    x, a, b = Value(2.0, "x"), Value(3.0, "a"), Value(5.0, "b")
    y = where(x > 0, x * a, x * b)
    y.label = "y"
    marking = exercise(y * 3, ask=[y, a]).mark({y: 6, a: 12})
    assert [mark.points for mark in marking.marks][1] == 1.0 and "follows from a wrong answer above" in marking.sentences[1]


def test_questions_may_be_given_by_name() -> None:
    n = network(**POINT)
    named, nodes = exercise(n["E"], ask=["w_o", n["w_h"]]), exercise(n["E"], ask=[n["w_o"], n["w_h"]])
    assert str(named) == str(nodes) and named.mark({"w_o": -0.0946, "w_h": 0.0537})
    assert len(exercise(n["E"], ask=["w_o", n["w_o"]]).questions) == 1


def test_answers_that_follow_from_a_wrong_one_get_points() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["net_o"], n["w_o"], n["net_h"], n["w_h"]])
    delta = 0.3
    below = delta * n["w_o"].data * n["r_h"].data * (1 - n["r_h"].data)
    marking = task.mark({"net_o": delta, "w_o": delta * n["r_h"].data, "net_h": below, "w_h": below * 2.0})
    assert [mark.points for mark in marking.marks] == [0.0, 1.0, 1.0, 1.0] and not marking
    assert all("follows from a wrong answer above" in sentence for sentence in marking.sentences[1:])
    assert task.mark({"net_o": delta, "w_o": 0.9}).marks[1].points == 0.0


# The other kinds


def test_nobody_asks_for_the_derivative_of_a_condition() -> None:
    x = Value(2.0, "x")
    loss = where(x > 1, x * 3, x) ** 2
    assert [question.name for question in exercise(loss).questions] == ["∂loss/∂v3", "∂loss/∂v2"]
    names = [question.name for question in exercise(loss, "local").questions]
    assert names == ["∂v2/∂x", "∂v3/∂v2", "∂(where(v1, v2, x))/∂x", "∂loss/∂v3"]
    assert len(exercise(x > 1, "local").questions) == len(exercise(x > 1).questions) == 1  # unless there is no other


def test_local_derivatives_by_node_and_operand_or_place() -> None:
    x = Value(3.0, "x")
    square = x * x
    loss = square.tanh() * 2
    task = exercise(loss, ask="local")
    tanh_of = loss.inputs[0]
    marking = task.mark({(square, 0): 3, (square, 1): "x", (tanh_of, square): "1 - v2²", (loss, tanh_of): 2})
    assert marking and len(marking.marks) == 4
    a, b = Value(3.0, "a"), Value(4.0, "b")
    product = a * b
    assert exercise(product, ask="local").mark({(product, 0): 4, (product, 1): 3})
    swapped = exercise(product, ask="local").mark({(product, a): 3, (product, b): -3})
    assert list(swapped.diagnoses.values()) == [("other-operand",), ("sign",)] and 0 < swapped.points < 1


def test_any_valid_order_is_right() -> None:
    n = twice()
    task = exercise(n["E"], ask="order")
    assert task.mark([n["E"], n["u"], n["v"], n["h"]]) and task.mark(["E", " u", "v ", "h"])
    early = task.mark([n["E"], n["h"], n["u"], n["v"]])
    assert early.diagnoses == {"order": ("too-early",)} and 0 < early.points < 1
    assert "h is visited too early: it feeds v" in str(early)
    assert not task.mark(["E", "u", "v"]) and not task.mark([]) and task.mark(reversed(task.steps.order))
    for order, points, words in (
        (["E", "u", "v"], 0.75, "order: missing: h"),
        (["E", "u"], 0.5, "order: missing: h and v"),
        (["E", "u", "v", "h", "h"], 0.75, "order: a node is visited twice"),
        (["E", "u", "v", "h", "v", "E", "E"], 0.25, "order: a node is visited twice"),
        (["E", "u", "u"], 0.25, "order: missing: h and v"),
        (["E"] * 9, 0.0, "order: missing: h, v and u"),
    ):
        [mark] = task.mark(order).marks
        assert (mark.points, mark.sentence) == (points, words)
    refused: list[tuple[Any, str]] = [
        (["E", "x"], "is not visited"), ("E, u", "as a list of nodes"), ({"E": 1}, "as a list of nodes"),
        (None, "as a list of nodes"), ([Value(1.0)], "is not visited"),
    ]  # fmt: skip
    for bad, words in refused:
        with pytest.raises(AnswerError, match=words):
            task.mark(bad)
    a = Value(2.0)
    b, c = a * 2, a * 3
    loss = b + c
    both = exercise(loss, ask="order")
    assert both.mark([loss, b, c]) and both.mark([loss, c, b])


def test_an_exercise_in_latex_has_a_blank_for_each_question() -> None:
    n = twice()
    *given, first, second = exercise(n["E"], ask=[n["u"], n["v"]]).latex.splitlines()[1:-1]
    assert len(given) == 4 and not any("underline" in line for line in given)
    for line, name in ((first, "u"), (second, "v")):
        assert line.startswith(rf"\frac{{\partial E}}{{\partial {name}}} &= \underline")
    assert exercise(n["E"], ask="order").latex.splitlines()[-2].startswith(r"\text{order} &= \underline")


def test_the_solution_has_a_line_for_each_local_derivative() -> None:
    task = exercise(twice()["E"], ask="local")
    assert [line.split(" = ")[0] for line in task.solution.splitlines()] == [question.name for question in task.questions]


def test_the_exclusive_or_is_1_where_its_inputs_differ() -> None:
    assert {(a, b): out for a, b, out in graphs.XOR} == {(a, b): float(a != b) for a in (0.0, 1.0) for b in (0.0, 1.0)}


def test_a_step_of_gradient_descent() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask="update", rate=0.5)
    g = task.steps.gradients
    leaves = [n[name] for name in ("w_h", "i", "w_o", "t")]
    assert task.mark({x: round(x.data - 0.5 * g[x], 3) for x in leaves})
    uphill = task.mark({x: x.data + 0.5 * g[x] for x in leaves})
    assert [*uphill.diagnoses.values()] == [("ascent",)] * 4
    soon = totals(updated_too_soon(n["E"], 0.5))[n["w_h"]]
    assert task.mark({"w_h": n["w_h"].data - 0.5 * soon}).diagnoses[n["w_h"]] == ("updated-too-soon",)
    assert task.mark({"w_o": "w_o - 0.5*(-(t - r_o)*r_o*(1 - r_o)*r_h)"}).marks[2].is_right


def test_hints_become_more_specific_step_by_step() -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["w_o"]])
    assert [task.hint() for _ in range(5)] == [
        "w_o feeds net_o = w_o·r_h",
        "∂E/∂w_o = ∂E/∂net_o·∂net_o/∂w_o, and ∂net_o/∂w_o = r_h",
        "∂E/∂net_o = -0.14659, and r_h = 0.64566",
        "(-0.14659)·0.64566 = -0.094645",
        "there are no more hints",
    ]
    assert exercise(n["E"], ask=[n["w_o"], n["w_o"]]).questions[1:] == exercise(n["E"], ask=n["w_o"]).questions[1:] == ()
    assert task.hint("w_o") == "w_o feeds net_o = w_o·r_h" and task.hint(n["w_o"]).startswith(
        "∂E/∂w_o = "
    )  # a name and its node share a counter
    for kind in ("local", "order", "update", "deltas"):
        other = exercise(n["E"], ask=kind)
        hints = [other.hint() for _ in range(3)]
        assert "there are no more hints" not in hints and len(set(hints)) == 3
    single = exercise(n["w_h"] * n["i"], ask="order")
    assert [single.hint() for _ in range(4)][2:] == ["one order is loss", "there are no more hints"]


def test_a_large_graph_is_an_exercise_on_a_page_if_the_limit_is_raised() -> None:
    w = result = Value(1.0, "w")
    for _ in range(160):
        result = result * 1.01
    task = exercise(result, ask=[w])
    assert repr(task) == "<exercise on loss: 1 question>"
    with pytest.raises(ValueError, match="limit=161 or more"):
        task.play()
    assert task.play(limit=161).asks


# Bad input, which costs nothing


@pytest.mark.parametrize(("answers", "words"), [
    ({"w_o": "tanh("}, "cannot be read as a number or a formula"),
    ({"w_o": "q*2"}, "there is no q in this exercise; a formula may use w_h, i"),
    ({"w_o": None}, "None is not an answer; give a number"),
    ({"w_o": [1.0]}, "is not an answer"),
    ({"w_o": math.nan}, "is not an answer"),
    ({"w_o": 10**400}, "the answer is beyond the largest float, 1.8e.308"), ({"w_o": 10**9999}, "beyond the largest float"),
    ({"w_o": ""}, "the expression is empty"),
    ({"w_o": "__import__('os')"}, "there is no function __import__"),
    ({"w_o": "1/0"}, "cannot be read"),
    ({"t": 1.0}, "'t' is not a question of this exercise; the questions are ∂E/∂w_o"),
    ({"w_o": 1.0, " ∂E/∂w_o ": 2.0}, "∂E/∂w_o is answered twice: ' ∂E/∂w_o ' is another key for it; keep one"),
    ([1.0], "answers are given as"),
])  # fmt: skip
def test_unreadable_answers_are_refused_in_a_sentence_before_marking(answers: Any, words: str) -> None:
    n = network(**POINT)
    with pytest.raises(AnswerError, match=words.replace("(", r"\(")) as caught:
        exercise(n["E"], ask=[n["w_o"]]).mark(answers)
    assert "\n" not in str(caught.value)


def test_graphs_and_nodes_without_gradients_are_refused() -> None:
    n = network(**POINT)
    stray: Any = 3.0
    name: Any = "w_o"
    nothing: Any = None
    nested: Any = [[n["w_o"]]]
    refused: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: exercise(Value(1.0, "x")), ValueError, "a leaf, so there is nothing to differentiate"),
        (lambda: exercise(stray), TypeError, "needs the Value"),
        (lambda: exercise(n["E"], ask="gradient"), ValueError, "ask is 'gradient'"),
        (lambda: exercise(n["E"], ask=stray), TypeError, "ask is 3.0; give a list of nodes, or 'deltas'"),
        (lambda: exercise(n["E"], ask=nested), TypeError, "give a list of nodes"),
        (lambda: exercise(n["E"], ask={n["w_o"]}), TypeError, "^ask is {.*}, which has no order; give a list of nodes$"),
        (lambda: exercise(n["E"], ask="order").mark({n["E"]}), AnswerError, "an order is given as a list of nodes, not {"),
        (lambda: exercise(n["E"], ask="update", rate=name), ValueError, "rate is 'w_o'; the learning rate is a positive"),
        (lambda: exercise(n["E"], ask=[]), ValueError, "an empty list"),
        (lambda: exercise(n["E"], ask=[Value(1.0, "z")]), ValueError, "does not take part"),
        (lambda: exercise(n["E"], ask=["w"]), ValueError, "'w' does not take part.*; ask takes nodes or their names, .* w_o,"),
        (lambda: exercise(n["E"], ask="update", rate=math.nan), ValueError, "rate is nan; the learning rate is a positive"),
        (lambda: exercise(n["E"], ask="update", rate=-0.1), ValueError, "rate is -0.1; the learning rate is a positive"),
        (lambda: exercise(n["E"], ask="update", rate=0.0), ValueError, "rate is 0.0; the learning rate is a positive"),
        (lambda: exercise(n["E"], ask="update", rate=math.inf), ValueError, "rate is inf; the learning rate is a positive"),
        (lambda: exercise(n["E"], ask="update", rate=nothing), ValueError, "rate is None; the learning rate is a positive"),
        (lambda: exercise(n["E"], ask="gradients"), ValueError, "ask is 'gradients'; give a list of nodes"),
        (lambda: exercise(n["E"], ask=[n["w_o"]]).hint({}), AnswerError, r"{} is not a question of this exercise"),
        (lambda: exercise(n["E"], ask=[n["w_o"]]).mark({(n["t"], 0): 1}), AnswerError, r"\(t = 1.0, 0\) is not a question"),
    ]
    for make, error, words in refused:
        with pytest.raises(error, match=words):
            make()
