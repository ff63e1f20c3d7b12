"""Exercises under the two graders of notebooks: nbgrader's own autograding, and a test file of otter-grader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograd import Value
from autograd.demo import POINT, network
from autograd.exercises import AnswerError, exercise, grade

ROOT = Path(__file__).parent.parent
MISSING = "is not installed: pip install '.[graders]'"


def test_the_points_are_a_number_that_nbgrader_reads(capsys: pytest.CaptureFixture[str]) -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["w_o"], n["w_h"]])
    points = grade(task, {"w_o": -0.0946, "w_h": 0.2345}, points=4)
    assert type(points) is float and float(repr(points)) == 3.71  # nbgrader parses the text of the last output
    assert capsys.readouterr().out.splitlines()[0] == "1.86 of 2 points"
    assert grade(task, {"w_o": -0.0946}, points=2) == 2.0 and grade(task, {"w_o": -0.0946}, points=2.999) == 2.999
    odd = Value(3.0, "q: not answered")
    assert grade(exercise(odd * 2, ask=[odd]), {odd: "2"}, points=4) == 4.0
    with pytest.raises(AssertionError, match="activation-forgotten"):
        grade(task, {"w_h": 0.2345}, must_be_right=True)
    assert grade(exercise(n["E"], ask="order"), [n["E"]], points=7) == 1.0 and grade(task, {}) == 0.0


def test_an_unreadable_answer_costs_no_points_of_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["w_o"], n["w_h"]])
    unread: list[Any] = [None, ..., "tanh(", "", 10**400, [1.0]]
    for answer in unread:
        assert grade(task, {"w_o": -0.0946, "w_h": answer}, points=4) == 2.0
        total, right, wrong = capsys.readouterr().out.splitlines()
        assert (total, right) == ("1 of 2 points", "∂E/∂w_o: -0.0946 is right") and wrong.startswith("∂E/∂w_h: ")
        with pytest.raises(AssertionError, match="∂E/∂w_h: "):
            grade(task, {"w_h": answer}, must_be_right=True)
    order = exercise(n["E"], ask="order")
    for answer in (None, "E", ["w_o"]):
        assert grade(order, answer) == 0.0 and capsys.readouterr().out.startswith("order: ")
    with pytest.raises(AnswerError, match="'t' is not a question"):  # a mistake in the test
        grade(task, {"t": 1.0})
    with pytest.raises(AssertionError, match="∂E/∂w_h: still blank"):
        grade(task, {"w_h": ...}, must_be_right=True)
    slips: list[tuple[Any, Any, str]] = [(n["E"], 4, "grade takes an exercise"), (task, "4", "points is '4'")]
    for what, points, words in slips:
        with pytest.raises(TypeError, match=words):
            grade(what, {"w_h": 1.0}, points=points)


# nbgrader

TASK = """from autograd import Value, sigmoid
from autograd.exercises import exercise, grade

w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-0.4, "b")
loss = (1 - sigmoid(w * x + b)) ** 2
task = exercise(loss, ask=[w, b])
task"""
ANSWERS = """answer_w = ...
answer_b = ...
### BEGIN SOLUTION
answer_w = "-2*v4*v3*(1 - v3)*x"
answer_b = -0.162
### END SOLUTION"""
TESTS = "grade(task, {w: answer_w, b: answer_b}, points=4)"


def cell(source: str, ident: str, **about: Any) -> Any:
    nbformat = pytest.importorskip("nbformat")
    made = nbformat.v4.new_code_cell(source)
    made.metadata["nbgrader"] = {
        "grade": False,
        "solution": False,
        "locked": False,
        "grade_id": ident,
        "schema_version": 3,
        **about,
    }
    return made


@pytest.mark.slow
def test_nbgrader_autogrades_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbgrader", reason=f"nbgrader {MISSING}")
    nbformat = pytest.importorskip("nbformat")
    api = pytest.importorskip("nbgrader.api")

    # nbgrader runs alembic by name, which is not on the path of an inactive environment.
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def nbgrader(*words: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *words, "--CourseDirectory.root", str(tmp_path)]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr[-3000:]

    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    notebook.cells = [
        cell(TASK, "task", locked=True),
        cell(ANSWERS, "answers", solution=True),
        cell(TESTS, "gradients", grade=True, locked=True, points=4),
    ]
    source = tmp_path / "source" / "ps1" / "gradients.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(notebook, source)
    nbgrader("generate_assignment", "ps1", "--create")
    released = (tmp_path / "release" / "ps1" / "gradients.ipynb").read_text(encoding="utf-8")
    for_students = json.loads(released)["cells"][1]["source"]
    # nbgrader replaces a solution by the last two lines; the error makes an unanswered cell fail.
    assert for_students == ["answer_w = ...\n", "answer_b = ...\n", "# YOUR CODE HERE\n", "raise NotImplementedError()"]
    students = {
        "right": ('answer_w = "-2*v4*v3*(1 - v3)*x"\nanswer_b = -0.162', 4.0, "2 of 2 points"),
        "partly": ("answer_w = 0.324\nanswer_b = -0.162", None, "(sign)"),
        "unread": ('answer_w = "tanh("\nanswer_b = -0.162', 2.0, "cannot be read as a number or a formula"),
        "empty": ("answer_w = answer_b = None", 0.0, "None is not an answer"),
        "untouched": ("".join(for_students), 0.0, "still blank"),
        # Half an answer, with nbgrader's error still in the cell: what was answered before it counts.
        "half": ("answer_w = ...\nanswer_b = -0.162\nraise NotImplementedError()", 2.0, "∂loss/∂b: -0.162 is right"),
        "broken": ("answer_w =", 0.0, "NameError"),
    }
    for student, (answers, _, _) in students.items():
        mine = nbformat.reads(released, as_version=4)
        mine.cells[1].source = answers
        mine.cells[2].source = "4.0  # a student who knows how nbgrader works"
        path = tmp_path / "submitted" / student / "ps1" / "gradients.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(mine, path)
    nbgrader("autograde", "ps1", "--create")
    gradebook = api.Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}")
    try:
        for student, (_, points, words) in students.items():
            submission = gradebook.find_submission("ps1", student)
            graded = nbformat.read(tmp_path / "autograded" / student / "ps1" / "gradients.ipynb", as_version=4)
            outputs = json.dumps(graded.cells[2].outputs, ensure_ascii=False)
            assert submission.max_score == 4 and words in outputs, student
            assert submission.score == points or (points is None and 2 < submission.score < 4), student
    finally:
        gradebook.close()


# otter-grader

TEST_FILE = """
from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None

from autograd.exercises import grade

@test_case(points=2)
def test_w_o(task, w_o):
    grade(task, {"w_o": w_o}, must_be_right=True)

@test_case(points=3)
def test_w_h(task, w_h):
    grade(task, {"w_h": w_h}, must_be_right=True)
"""


def test_otter_grader_runs_a_test_file(tmp_path: Path) -> None:
    test_files = pytest.importorskip("otter.test_files", reason=f"otter-grader {MISSING}")
    (tmp_path / "q1.py").write_text(TEST_FILE, encoding="utf-8")
    n = network(**POINT)
    task = exercise(n["E"], ask=[n["w_o"], n["w_h"]])
    file = test_files.ExceptionTestFile.from_file(str(tmp_path / "q1.py"))
    file.run({"task": task, "w_o": "-(t - r_o)*r_o*(1 - r_o)*r_h", "w_h": 0.2345})
    right, wrong = file.test_case_results
    assert right.passed and not wrong.passed and file.score == 2 and file.possible == 5
    assert "the factor ∂r_h/∂net_h = r_h·(1 - r_h) is left out" in wrong.message
