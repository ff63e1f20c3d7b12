"""Exercises in the page: marked there as in Python, with nothing given away; for the mouse, fingers and the keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browser import Browser
from engines import Engine
from misconceived import cases, leaves_of, random_graph

from autograd import Value, label_values, walk
from autograd.demo import POINT, network
from autograd.exercises import AnswerError, Exercise, exercise, exercises
from autograd.player.asked import reveal

pytestmark = pytest.mark.slow  # a browser: run by the part of the pictures

HOST = ".autograd-player"


def data_of(task: Exercise) -> tuple[str, dict[str, Any]]:
    """Return the rows of a page as JavaScript, and its data."""
    player = task.play()
    [concealed] = re.findall(r'class="data">(.*?)</script>', player.markup)
    data: dict[str, Any] = json.loads(reveal(concealed))
    return player.rows, data


def marked(engine: Engine, task: Exercise, answers: list[dict[str, str]]) -> list[Any]:
    """Mark answers to the questions, by their names, in JavaScript: for each a list of marks, or what was refused."""
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
    """Iterate over answers to the questions of an exercise: right, rounded, misconceived, out of the air, and as formulas."""
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


def test_the_page_marks_as_python_does(engine: Engine) -> None:
    rng = Random(3)
    tasks = [task for level in (1, 2, 3, 4) for task in exercises(9, level, 4) if task.kind != "order"]
    tasks += [exercise(loss, ask) for loss in (random_graph(rng) for _ in range(12)) if leaves_of(loss)
              for ask in ("local", "update", "deltas", leaves_of(loss))]  # fmt: skip
    n = 0
    for task in tasks:
        answers = list(some_answers(task, rng))
        for given, found in zip(answers, marked(engine, task, answers), strict=True):
            assert found == in_python(task, given), (str(task), given)
            n += 1
    assert n > 1000


def test_the_page_names_the_misconceptions(engine: Engine) -> None:
    for _, loss, x, answer in cases(Random(5), count=4, digits=4):
        task = exercise(loss, ask=[x])
        [question] = task.questions
        given = {question.name: repr(answer)}
        assert marked(engine, task, [given]) == [in_python(task, given)]
