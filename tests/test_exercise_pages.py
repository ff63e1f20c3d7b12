"""Exercises on a page: marked as in Python, without giving anything away; by mouse, finger and keyboard."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from answered import REFUSED, answered
from browser import Browser
from engines import Engine
from misconceived import cases, leaves_of, random_graph

from autograd import Value, label_values, walk
from autograd.demo import POINT, network
from autograd.exercises import AnswerError, Exercise, exercise, exercises
from autograd.exercises.answers import is_rounded
from autograd.player import play
from autograd.player.asked import reveal

pytestmark = pytest.mark.slow  # a browser: run by the part of the pictures

HOST = ".autograd-player"


@cache  # each call lays out a picture
def data_of(task: Exercise) -> tuple[str, dict[str, Any]]:
    """Return the rows of a page as JavaScript, and its data."""
    player = task.play()
    [concealed] = re.findall(r'class="data">(.*?)</script>', player.markup)
    data: dict[str, Any] = json.loads(reveal(concealed))
    return player.rows, data


def marked(engine: Engine, task: Exercise, answers: list[dict[str, str]]) -> list[Any]:
    """Mark answers, by the names of their questions, in JavaScript; return for each a list of marks or the refusal."""
    rows, data = data_of(task)
    names = [question["name"] for question in data["exercise"]["questions"]]
    given = [[[names.index(name), text] for name, text in each.items()] for each in answers]
    found: list[Any] = engine.run(f"""(() => {{
        const {{graphs: [graph], exercise}} = {json.dumps(data)}, marker = new Marker(new Graph(graph, {rows}), exercise);
        const numbers = ({{points, sentence, names, isRight}}) => [points, sentence, names, isRight];
        return {json.dumps(given)}.map((answers) => {{
            try {{
                return marker.mark(new Map(answers.map(([i, text]) => [i, marker.read(text)]))).map(numbers);
            }} catch (error) {{
                if (!(error instanceof Refused)) throw error;
                return error.message;
            }}
        }});
    }})()""")
    return found


def in_python(task: Exercise, answers: dict[str, str]) -> list[Any]:
    return [[m.points, m.sentence, [*m.names], m.is_right] for m in task.mark(answers).marks]


def some_answers(task: Exercise, rng: Random) -> Iterator[dict[str, str]]:
    """Iterate over answers to the questions of an exercise: right, rounded, misconceived and random ones, and formulas."""
    for question in task.questions:
        right = question.value(task._scene)
        suspects = [suspect.gradient for suspect in task._suspects_of(question, right)]
        numbers = [
            right,
            -right,
            2 * right,
            right * rng.uniform(0.9, 1.1),
            rng.uniform(-2, 2),
            *rng.sample(suspects, min(8, len(suspects))),
        ]
        for x in numbers:
            yield {
                question.name: rng.choice([f"{x:.4g}", f"{x:.3g}", f"{x:.2g}", f"{x!r}", f"{x:.3f}", str(Fraction(f"{x:.3g}"))])
            }
        if question.place is None and question.rate is None and question.node is not task.loss:
            formula = task._explain(question.node).formula.text
            yield from ({question.name: text} for text in (formula, f"-({formula})", f"{formula} + 0*1", f"2·({formula})/2"))
    every = [question.name for question in task.questions]
    for _ in range(4):
        yield {name: f"{rng.uniform(-1, 1):.3g}" for name in every}


def test_the_page_reads_handwritten_answers_as_python_does(engine: Engine) -> None:
    w, x = Value(0.5, "w"), Value(2.0, "x")
    task = exercise(w * x, ["w"])
    right = ["2,0e0", "4·½", "1/½", "¼⁻¹·w·w·x", "√¼∗4", "2⋅x – x", "x²⁻¹", "w⁻²·½", "w·x+1", "\uff12∙\U0001d7cf", "\uff14·w"]
    answers = [{"∂loss/∂w": text} for text in right]
    assert marked(engine, task, answers) == [in_python(task, each) for each in answers]
    below = exercise(w * Value(2.0, "x₁") * Value(3.0, "w′"), ["w"])
    refused = {"w[w > 0]": "an operator is missing between w and [; a product is written w*[…]",
               "w/0": "0.5 / 0.0 is undefined: divide needs y ≠ 0"}  # fmt: skip
    answers = [{"∂loss/∂w": text} for text in ("x1·w′", *refused, *REFUSED)]
    names = "w, x₁, v1, w′, loss"
    assert marked(engine, below, answers) == [
        [[1.0, "∂loss/∂w: x1·w′ is right", [], True]],
        *(
            f"'{text}' cannot be read as a number or a formula: {why.replace('w, x₁, w′', names)}"
            for text, why in (refused | REFUSED).items()
        ),
    ]
    rate: Any = Fraction(1, 4)
    step = exercise(w * 3.0, "update", rate=rate)
    for text, points in (("w - η·3", 1.0), ("0.5 – η*3", 1.0), ("w - 2*η*3", 0.5), ("w + η·3", 0.5)):
        answers = [{"w after the step": text}]
        assert marked(engine, step, answers) == [in_python(step, answers[0])]
        assert step.mark(answers[0]).points == points
    assert "η = 0.25:" in str(step)


def test_the_page_marks_as_python_does(engine: Engine) -> None:
    rng = Random(3)
    tasks = [task for level in (1, 2, 3, 4) for task in exercises(9, level, 4) if task.kind != "order"]
    tasks += [exercise(loss, ask) for loss in (random_graph(rng) for _ in range(4)) if leaves_of(loss)
              for ask in ("local", "update", "deltas", leaves_of(loss))]  # fmt: skip
    n = 0
    for task in tasks:
        answers = list(some_answers(task, rng))
        for given, found in zip(answers, marked(engine, task, answers), strict=True):
            assert found == in_python(task, given), (str(task), given)
            n += 1
    assert n > 500


def test_the_page_marks_difficult_answers_as_python_does(engine: Engine) -> None:
    for task, some in groupby(answered(), key=itemgetter(0)):
        answers = [each for _, each, _ in some]
        assert marked(engine, task, answers) == [in_python(task, each) for each in answers]


def test_the_page_rounds_as_python_does(engine: Engine) -> None:
    rng = Random(6)
    pairs = [(x, x) for x in (0.0, 1.0, -2.5)]
    for _ in range(2000):
        right = rng.choice([-1, 1]) * rng.randrange(1, 10**6) * 10.0 ** rng.randrange(-9, 3)
        tie = math.floor(right * 1000) / 1000 + 0.0005
        pairs += [(rng.choice([round(right, 3), float(f"{right:.3g}"), float(f"{right:.2g}"), right * 1.004]), right)]
        pairs += [(tie + half, tie) for half in (0.0005, -0.0005)]
    assert engine.run(f"{json.dumps(pairs)}.map(([x, right]) => isRounded(x, right))") == [is_rounded(*pair) for pair in pairs]


def test_the_page_names_the_misconceptions(engine: Engine) -> None:
    for _, loss, x, answer in cases(Random(5), count=2, digits=4):
        task = exercise(loss, ask=[x])
        [question] = task.questions
        given = {question.name: repr(answer)}
        assert marked(engine, task, [given]) == [in_python(task, given)]


# In the browser


class Desk:
    """The page of an exercise in the browser."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self.browser, self.path = browser, path

    def show(self, task: Exercise, width: int = 1280) -> None:
        """Open the page of an exercise."""
        self.browser.open("about:blank")
        self.browser.open(task.play().save(self.path), width, prefers_reduced_motion="reduce")
        self.run("host.marks = [], host.addEventListener('mark', ({detail}) => host.marks.push(detail)), 0")
        assert not self.browser.complaints

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in which ``find`` and ``all`` search the player."""
        start = f"const host = document.querySelector('{HOST}'), root = host.shadowRoot;"
        find = "const find = s => root.querySelector(s), all = s => [...root.querySelectorAll(s)];"
        return self.browser.run(f"(() => {{ {start} {find} return {script}; }})()")

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.run(f"find({json.dumps(selector)}).textContent"))

    def sees(self, selector: str) -> bool:
        """Whether an element takes up space on the page."""
        return bool(self.run(f"all({json.dumps(selector)}).some(e => e.getClientRects().length > 0)"))

    def click(self, selector: str) -> None:
        """Click an element with the mouse."""
        self.browser.click(f"{HOST} >>> {selector}")

    def tap(self, selector: str) -> None:
        """Touch an element with a finger."""
        x, y = self.browser.middle(f"{HOST} >>> {selector}")
        self.browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def answer(self, i: int, text: str) -> str:
        """Replace an answer, press Enter, and return the mark."""
        self.run(f"all('.answer')[{i}].select()")
        self.browser.type(text)
        self.browser.press("Enter")
        return str(self.run(f"all('.question .mark')[{i}].textContent"))

    @property
    def picture(self) -> list[str]:
        """The texts of the picture, after they have been updated."""
        self.browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        texts: list[str] = self.run("all('.stage:not([hidden]) .graph > g text').map(e => e.textContent).filter(Boolean)")
        return texts


@pytest.fixture
def desk(chromium: Browser, tmp_path: Path) -> Desk:
    """The page of an exercise, not opened yet."""
    return Desk(chromium, tmp_path / "exercise.html")


def two_weights() -> tuple[dict[str, Value], Exercise]:
    n = network(**POINT)
    return n, exercise(n["E"], ask=[n["w_o"], n["w_h"]])


def test_answers_are_marked_on_the_page_which_then_becomes_a_player(desk: Desk) -> None:
    n, task = two_weights()
    desk.show(task)
    assert desk.run("host.player.steps") == len(task.steps.order) and desk.run("host.player.step") == len(task.steps.order) - 1
    assert desk.text(".points") == "0 of 2 points" and desk.text(".exercise .head b") == "Find the gradients:"
    for hidden in (".values", ".ledger", ".mistakes", ".solution"):
        assert not desk.sees(hidden)
    assert [text for text in desk.picture if "?" in text] == ["∂w_h = ?", "∂w_o = ?"]
    desk.click(".question:nth-child(1) .answer")
    desk.browser.type("-(t - r_o)*r_o*(1 - r_o)*r_h")
    assert desk.text(".question:nth-child(1) .mark") == "= -0.094645"
    desk.browser.press("Enter")
    assert desk.text(".question:nth-child(1) .mark") == f"✓ {task.mark({'w_o': '-(t - r_o)*r_o*(1 - r_o)*r_h'}).sentences[0]}"
    assert desk.run("root.activeElement === all('.answer')[1]")  # Enter moves on to the next question
    desk.browser.type("0.2345")
    desk.browser.press("Enter")
    wrong = task.mark({"w_o": -0.0946, "w_h": "0.2345"})
    assert (
        desk.text(".question:nth-child(2) .mark") == f"✗ {wrong.sentences[1]}" and "activation-forgotten" in wrong.sentences[1]
    )
    assert desk.text(".points") == str(wrong).partition("\n")[0]
    last = desk.run("host.marks.at(-1)")
    assert last["points"] / last["of"] == pytest.approx(wrong.points) and last["diagnoses"] == [[], ["activation-forgotten"]]
    assert {"∂w_o = -0.094645 ✓", "∂w_h = 0.2345 ✗"} <= set(desk.picture)
    assert "is right" in desk.answer(1, "0.0537") and desk.text(".points") == "2 of 2 points"
    assert desk.run("host.player.steps") == 2 * len(task.steps.order) and desk.text(".solution") == task.solution
    assert desk.run("root.activeElement.matches('.play')")
    for shown in (".values", ".mistakes", ".solution", ".ledger"):
        assert desk.sees(shown)
    desk.run("host.player.goto(13)")
    desk.browser.run("new Promise(done => requestAnimationFrame(done))")
    assert desk.run("find('.live').textContent") == str(list(walk(n["E"]))[13])
    desk.run("host.player.set({w_o: 0.5})")
    assert desk.run("host.player.value('w_o')") == 0.5 and not desk.browser.complaints


def test_unreadable_answers_cost_no_points(desk: Desk) -> None:
    _, task = two_weights()
    desk.show(task)
    assert "is right" in desk.answer(0, "−0,0946")
    for text, words in (
        ("q*2", "there is no q in this exercise; a formula may use w_h, i, "),
        ("tanh(", "the expression ends too early"),
        ("1/0", "1.0 / 0.0 is undefined"), ("2 3", "an operator is missing between 2 and 3"),
        ("log(w_o)", "log(-0.8) is undefined"),
        ("__import__('os')", "there is no function __import__"), ("f(1)", "there is no function f"),
        ("constructor(1)", "there is no function constructor"), ("toString", "there is no toString in this exercise"),
        ("tanh(1, 2)", "tanh is called as tanh(x)"), ("(1", "not closed"),
        ("tanh", "tanh is a function"), ("1" * 2001, "2,001 characters are too many; the limit is 2,000"),
        ("(" * 1999, "nested too deeply"),
    ):  # fmt: skip
        mark = desk.answer(1, text)
        assert words in mark and mark.endswith("No points are lost; try again.")
        assert desk.text(".points") == "1 of 2 points" and "✓" in desk.run("all('.mark')[0].textContent")
        with pytest.raises(AnswerError):
            task.mark({"w_h": text})
    assert "is right" in desk.answer(1, "0.0537") and not desk.browser.complaints


def test_hints_and_giving_up(desk: Desk) -> None:
    _, task = two_weights()
    desk.show(task, width=390)
    desk.browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
    hints = [task.hint("w_h") for _ in range(4)]
    for i in range(4):
        desk.tap(".question:nth-child(2) .hint")
        assert desk.run("all('.question:nth-child(2) .hints li').map(e => e.textContent)") == hints[: i + 1]
    desk.tap(".question:nth-child(2) .hint")
    assert desk.run("all('.hint').map(e => e.ariaDisabled)") == [None, "true"]
    assert desk.run("all('.question:nth-child(2) .hints li').length") == 4
    assert desk.run("document.querySelector('.autograd-player').shadowRoot.activeElement === all('.hint')[1]")
    assert desk.run("document.documentElement.scrollWidth <= innerWidth")
    card, form = (desk.run(f"find('{part}').getBoundingClientRect().toJSON()") for part in (".card", ".exercise"))
    assert form["width"] > 300 and form["bottom"] <= card["top"] + 1  # the form is above the card
    assert desk.run("all('.exercise :is(button, input)').every(e => e.getBoundingClientRect().height >= 36)")
    desk.tap(".give-up")
    desk.browser.call("Emulation.setTouchEmulationEnabled", enabled=False)
    assert desk.text(".solution") == task.solution and desk.run("host.player.steps") == 2 * len(task.steps.order)
    assert desk.text(".points") == "0 of 2 points" and "is right" in desk.answer(0, "-0.0946")


def test_an_order_is_answered_with_the_mouse_and_with_keys(desk: Desk) -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    nodes = {"h": (h := x * y), "v": (v := h * h), "u": (u := v * x), "E": u + h}
    label_values(nodes)
    task = exercise(nodes["E"], ask="order")
    desk.show(task)
    box = '.stage:not([hidden]) .box[data-nodes="{}"]'.format
    places = {name: task.steps.notation.places[node] for name, node in nodes.items()}
    for name in ("E", "h"):
        desk.click(box(places[name]))
    assert desk.run("find('.answer').value") == "E, h" and {"1.", "2."} <= set(desk.picture)
    desk.click(".undo")
    for name in ("v", "u", "h"):
        desk.run(f"find({json.dumps(box(places[name]))}).focus()")
        desk.browser.press("Enter")
    wrong = task.mark(["E", "v", "u", "h"])
    assert desk.text(".question .mark") == f"✗ {wrong.sentences[0]}"
    assert desk.run("host.marks.at(-1)") == {"points": wrong.points, "of": 1, "diagnoses": [["too-early"]]}
    for text in ("E, u", "E, u, v, h, h", "h", "E, u, v, x", "E,,u,  v, h", "E → u;v, h"):
        mark = desk.answer(0, text)
        try:
            found = task.mark([part.strip() for part in re.split("[,;→]", text) if part.strip()])
            assert mark == f"{'✓' if found else '✗'} {found.sentences[0]}"
        except AnswerError as error:
            assert mark == f"{error}. No points are lost; try again."
    assert desk.run("host.player.steps") == 2 * len(task.steps.order)
    h.label, nodes["u"].label = "f(x, y)", "f(x"
    named = exercise(nodes["E"], ask="order")
    desk.show(named)
    assert "y) is not visited" in desk.answer(0, "E, f(x, v, y)")
    assert desk.answer(0, " E , f(x,, v,f(x, y) ,") == "✓ order: right"
    desk.show(named)
    for node in ("E", "u", "v", "h"):
        desk.click(box(places[node]))
    assert desk.run("find('.answer').value") == "E, f(x, v, f(x, y)" and desk.text(".question .mark") == "✓ order: right"
    desk.browser.resize(320)  # a small phone
    assert desk.run("find('.answer').getBoundingClientRect().width") > 150


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_every_level_can_be_solved_in_the_page(desk: Desk, level: int) -> None:
    for task in exercises(seed=21, level=level, count=3):
        desk.show(task)
        if task.kind == "order":
            desk.answer(0, ", ".join(task.names[x] for x in reversed(task.steps.order)))
        blanks = sum(text.endswith("?") for text in desk.picture)
        assert blanks == len(task.questions) or "neurons" in desk.run("find('.stage:not([hidden])').dataset.view")
        for i, question in enumerate(task.questions):
            assert "is right" in desk.answer(i, f"{question.value(task._scene):.3g}")
        n = max(1, len(task.questions))
        assert desk.text(".points") == f"{n} of {n} point{'s' * (n > 1)}"
        assert not desk.sees(".give-up") and not desk.browser.complaints


def test_answers_are_marked_at_the_numbers_of_the_exercise_not_of_the_player(desk: Desk) -> None:
    w, x = Value(3.0, "w"), Value(2.0, "x")
    v = w * x
    for task, answer in (
        (exercise(v + x.tanh(), ask="local"), {"∂v1/∂w": "x", "∂v2/∂x": "1 - v2²"}),
        (exercise(v, ask="update"), {"w after the step": "w - 0.1*x", "x after the step": "x - 0.1*w"}),
        (exercise((v - 5) ** 2, ask=[v, w]), {"∂loss/∂v1": "2*v2", "∂loss/∂w": "2*v2*x"}),
    ):
        desk.show(task)
        names = [question.name for question in task.questions]
        desk.click(".give-up")
        for values in ({}, {"x": 5, "w": -1}):
            desk.run(f"host.player.set({json.dumps(values)})")
            for name, text in answer.items():
                assert desk.answer(names.index(name), text) == f"✓ {name}: {text} is right"


def test_other_questions_have_their_blanks_in_the_picture(desk: Desk) -> None:
    x = Value(3.0, "x")
    square = x * x
    desk.show(exercise(square * 2, ask="local"))
    assert "is right" in desk.answer(0, "x")
    assert sorted(text for text in desk.picture if text[-1] in "?✓") == ["?", "?", "x ✓"]
    w = Value(0.5, "w")
    desk.show(exercise(w * 4 + 1, ask="update", rate=0.5))
    assert "w → ?" in desk.picture and "is right" in desk.answer(0, "0.5 - 0.5*4")


def test_nothing_is_given_away(desk: Desk) -> None:
    n, task = two_weights()
    n["E"].backward()
    player = task.play()
    secrets = [f"{task.steps.gradients[x]:.5g}" for x in (n["w_o"], n["w_h"], n["net_h"])] + ["-0.1465"]
    for page in (player.html, player.element):
        assert repr(task.steps.gradients[n["w_o"]]) not in page and "is left out" not in page  # not even in its source
        visible = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
        assert not [secret for secret in secrets if secret in visible] and "w_o = ____" in visible
    desk.show(task)
    assert not [secret for secret in secrets if secret in desk.run("root.innerHTML")]
    desk.run("host.player.set({w_o: 5})")
    assert desk.run("host.player.value('w_o')") == POINT["w_o"]
    desk.run("dispatchEvent(new Event('beforeprint'))")
    assert desk.text(".text") == task.text
    desk.run("dispatchEvent(new Event('afterprint'))")
    desk.browser.press("End")
    desk.browser.press("ArrowRight")
    assert not [secret for secret in secrets if secret in desk.run("root.innerHTML")]


def test_nothing_is_given_away_if_mistakes_change_something(desk: Desk) -> None:
    for task in exercises(seed=4, level=2, count=8):
        desk.show(task)
        desk.browser.run(
            "new Promise(done => setTimeout(done, 150))"
        )  # the mistakes run once the numbers have stopped changing
        secrets = {task.number(x) for x in task.steps.gradients.values()}
        secrets = {secret for secret in secrets if "." in secret and secret not in task.text}
        texts = desk.run("all('*').filter(e => !e.matches('style, script')).map(e => e.textContent)")
        assert not [secret for secret in secrets if any(secret in text for text in texts)]


def test_without_scripts_the_page_says_what_is_asked(desk: Desk) -> None:
    task = two_weights()[1]
    desk.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        desk.path.write_text(task.play().html, encoding="utf-8")
        desk.browser.open(desk.path)
        assert desk.run("host.shadowRoot.querySelector('.text').innerText") == task.text
    finally:
        desk.browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_several_exercises_and_a_player_on_one_page(desk: Desk) -> None:
    _, task = two_weights()
    other = exercises(seed=1, level=1, count=1)[0]
    parts = [task.play()._repr_html_(), play(task.loss)._repr_html_(), other.play()._repr_html_(), task.play()._repr_html_()]
    desk.path.write_text("<!doctype html><meta charset=utf-8><body>" + "\n".join(parts), encoding="utf-8")
    desk.browser.open(desk.path)
    counts = "[...document.querySelectorAll('.autograd-player')].map(e => e.shadowRoot.querySelectorAll('.answer').length)"
    assert desk.browser.run(counts) == [2, 0, len(other.questions), 2]
    assert "is right" in desk.answer(0, "-0.0946") and not desk.browser.complaints
