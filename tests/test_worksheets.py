"""Exercises as worksheets in every format, in a session in a terminal, and on the command line."""

import re
import shutil
import subprocess
from base64 import b64decode
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from browser import Browser

from autograd import Unary, Value, draw, total
from autograd.__main__ import main
from autograd.demo import POINT, network
from autograd.exercises import exercise, exercises, worksheet
from autograd.exercises.matrices import Matrix
from autograd.exercises.terminal import ask_all, practise
from autograd.writing import latex_name


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_sheet_of_eight_with_solutions_is_typeset_by_latex(level: int, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed; Debian has it in texlive-latex-base, and amsmath in texlive-latex-recommended")
    file = worksheet(exercises(seed=3, level=level, count=8), solutions=True).save(tmp_path / "sheet.tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", file.name]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0 and (tmp_path / "sheet.pdf").stat().st_size > 10_000, run.stdout[-2000:]
    assert "Overfull" not in run.stdout
    tex = file.read_text(encoding="utf-8")
    assert tex.count(r"\section*{Exercise") == tex.count(r"\section*{Solution") == 8
    assert tex.index(r"\newpage") < tex.index(r"\section*{Solution 1}") and r"\underline" not in tex[tex.index(r"\newpage") :]


LABELS = (
    "ŷ", "ö", "Δw", "x̂", "\u2113", "ϕ", "∂x", "\u00b5", "x⁻¹", "σ²", "x_1²", "x′", "w⁽¹⁾₀₂", "w⁽¹⁾₀₂′", "50% & more_#", "x^2",
    "日本",
)  # fmt: skip


def odd_names() -> tuple[str, Value]:
    """Return a worksheet with names of all kinds, in LaTeX, and a graph with all of them."""
    nodes = [Value(0.1 * i, label) for i, label in enumerate(LABELS)]
    odd = Unary("50%_#", lambda x: x * 2, lambda x, out: 2.0)
    tasks = [exercise((odd(a) * b).tanh() ** 2, ask=[a]) for a, b in pairwise(nodes)]
    return worksheet(tasks, title="A_B & θ").tex, tasks[-1].loss * total(nodes)


def test_names_of_all_kinds_are_written() -> None:
    assert latex_name("|x|") == r"\text{\textbar{}x\textbar{}}"  # in text, TeX sets |x| as —x—
    tex, _ = odd_names()
    assert r"\ensuremath{\theta}" in tex and r"A\_B \& " in tex and r"\operatorname{50\%\_\#}" in tex
    assert r"w^{(1)\prime}_{02}" in tex and r"\ensuremath{\sigma}^{2}" in tex and r"\ensuremath{\hat{x}}" in tex


@pytest.mark.slow
def test_names_of_all_kinds_are_typeset(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    tex, loss = odd_names()
    (tmp_path / "sheet.tex").write_text(tex, encoding="utf-8")
    draw(loss).save(tmp_path / "drawing.tex")
    for name in ("sheet.tex", "drawing.tex"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", name]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert run.returncode == 0 and "Missing character" not in run.stdout, run.stdout[-2000:]


def test_a_page_needs_no_network_and_keeps_solutions_apart(tmp_path: Path) -> None:
    sheet = worksheet(exercises(seed=2, level=3, count=2), solutions=True)
    html = sheet.save(tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://", re.sub(r"base64,[^\"]*", "", html)) and html.count("<h2>Exercise") == 4
    assert html.index("____") < html.index('class="solutions"') and "____" not in html[html.index('class="solutions"') :]
    assert "break-before: page" in html and html.count("<div") == html.count("</div>") and html.count("<section") == 4
    bare = worksheet(sheet.tasks)
    assert "olution" not in bare.text and "<h1>Solutions" not in bare.html and r"\newpage" not in bare.tex
    assert bare.save(tmp_path / "sheet.txt").read_text(encoding="utf-8").startswith("1. Given ")
    with pytest.raises(ValueError, match=r"cannot be saved as 'sheet.pdf'"):
        sheet.save(tmp_path / "sheet.pdf")
    strangers: list[Any] = [[3], sheet.tasks[0], {*sheet.tasks}]  # a set has no order
    for stranger in strangers:
        with pytest.raises(TypeError, match="takes a list of exercises"):
            worksheet(stranger)
    with pytest.raises(ValueError, match="one exercise or more"):
        worksheet([])


@pytest.mark.slow
@pytest.mark.parametrize(("width", "media"), [(320, ""), (390, ""), (1280, ""), (718, "print")])
def test_nothing_is_cut_off_on_a_phone_or_on_paper(width: int, media: str, chromium: Browser, tmp_path: Path) -> None:
    out = w = Value(0.5, "w")
    for _ in range(25):  # whose product of derivatives is a long line
        out = out.tanh()
    tasks = [exercise(out, ask=[w]), exercise(Value(1.0, "x" * 80) * w, "local"), *exercises(seed=3, level=4, count=2)]
    chromium.open(worksheet(tasks, solutions=True).save(tmp_path / "sheet.html"), width)
    chromium.call("Emulation.setEmulatedMedia", media=media)
    assert chromium.run("document.documentElement.clientWidth") <= width, "a phone shows it at its own width"
    assert chromium.run("document.documentElement.scrollWidth") <= width
    chromium.call("Emulation.setEmulatedMedia", media="")


def test_a_picture_gives_no_answer_away() -> None:
    n = network(**POINT)
    n["E"].backward()
    for ask in ("local", "deltas", "update"):
        task = exercise(n["E"], ask=ask)
        svg = b64decode(task.picture.partition("base64,")[2].partition('"')[0]).decode()
        assert "net_h = 0.6" in svg and "σ(net_o)" in svg
        assert "∂" not in svg and "δ" not in svg


def test_labels_cannot_become_markup() -> None:
    x = Value(2.0, "<script>alert(1)</script>")
    task = exercise(x * 3, ask=[x])
    for html in (worksheet([task], solutions=True).html, task._repr_html_()):
        assert "<script" not in html


def test_the_four_equations_hold_in_the_matrices_that_are_printed() -> None:
    for task in exercises(seed=4, level=4, count=6):
        given = {name: np.array(eval(text)) for name, text in re.findall(r"(\S+) = (\[\[.*?\]\])", str(task.notes[0]))}
        w1, b1, w2, b2, x, t = (given[name] for name in ("W¹", "b¹", "W²", "b²", "x", "t"))
        assert (w1.shape, b1.shape, w2.shape, b2.shape, x.shape, t.shape) == ((2, 2), (2, 1), (1, 2), (1, 1), (2, 1), (1, 1))
        a1 = 1 / (1 + np.exp(-(w1 @ x + b1)))
        a2 = 1 / (1 + np.exp(-(w2 @ a1 + b2)))
        delta2 = (a2 - t) * a2 * (1 - a2)
        delta1 = (w2.T @ delta2) * a1 * (1 - a1)
        right = [[a2 - t, a2 * (1 - a2), delta2], [w2.T, delta2, a1 * (1 - a1), delta1], [delta2, delta1],
                 [delta2, a1.T, delta2 @ a1.T], [delta1, x.T, delta1 @ x.T]]  # fmt: skip
        for line, matrices in zip(task.solution_notes, right, strict=True):
            printed = [np.array(eval(text)) for text in re.findall(r"\[\[.*?\]\]", str(line))]
            for matrix, expected in zip(printed, matrices, strict=True):
                assert matrix.shape == expected.shape and np.allclose(matrix, expected, rtol=1e-4)
        assert [line.name for line in task.solution_notes] == ["BP1", "BP2", "BP3", "BP4", "BP4"]


def test_matrices_are_written_in_every_format() -> None:
    [task] = exercises(seed=4, level=4, count=1)
    sheet = worksheet([task], solutions=True)
    rows = task.solution_notes[1].parts[1]
    assert isinstance(rows, Matrix) and len(rows.rows) == 2 and len(rows.rows[0]) == 1
    (above,), (below,) = rows.rows
    assert r"\text{BP2: }\delta^{1} = (W^{2})^{\top}\delta^{2} \odot \sigma'(z^{1}) = " in sheet.tex
    assert rf"\begin{{bmatrix}}{above} \\ {below}\end{{bmatrix}}" in sheet.tex and r"\begin{bmatrix}" in task._repr_latex_()
    table = f"<mtable><mtr><mtd><mn>{above}</mn></mtd></mtr><mtr><mtd><mn>{below}</mn></mtd></mtr></mtable>"
    assert table in sheet.html and task._repr_html_().count("<mtable>") == 6
    assert f"BP2: δ¹ = (W²)ᵀδ² ⊙ σ′(z¹) = [[{above}], [{below}]]" in sheet.text


# In a terminal


def session(lines: list[str], level: int = 1, seed: int = 7, count: int = 1) -> tuple[list[str], str]:
    shown: list[str] = []
    answers = iter(lines)

    def read(prompt: str) -> str:
        shown.append(prompt)
        line = next(answers, None)
        if line is None:
            raise EOFError
        return line

    score = ask_all(exercises(seed, level, count), read, lambda text: shown.append(str(text)))
    return shown, score


def test_a_session_asks_hints_marks_and_keeps_score() -> None:
    shown, score = session(["?", "?", "1", "tanh(", "-1", "", "-1.5"])
    text = "\n".join(shown)
    assert score == "Score: 3 of 4" and shown[0].startswith("\nExercise 1 of 1. ? for a hint")
    assert "v1 = w - b" in shown and "∂v1/∂w = 1" in shown and "No points are lost; try again." in text
    assert "Score: 1 of 1" in shown and "Score: 2 of 2" in shown and "∂y/∂v1: not answered" in shown


def test_a_session_can_be_left() -> None:
    for lines in (["1", "q"], ["1"]):
        assert session(lines)[1] == "Score: 1 of 1"
    assert session(["q"])[1] == "Score: 0 of 0" and session(["q"])[0][-1] == ""


def test_a_hint_is_about_the_question_that_is_asked() -> None:
    shown, _ = session(["1", "?", "?"])
    assert [text for text in shown if text in ("v1 = w - b", "∂v1/∂w = 1", "∂v1/∂b = -1")] == ["v1 = w - b", "∂v1/∂b = -1"]


def test_a_sheet_as_text_numbers_its_tasks_and_their_solutions() -> None:
    tasks = exercises(seed=2, level=1, count=2)
    sheet = worksheet(tasks, solutions=True)
    numbered = [
        f"{i}. {text}" for texts in ([t.text for t in tasks], [t.solution for t in tasks]) for i, text in enumerate(texts, 1)
    ]
    assert sheet.text.split("\n\n") == [*numbered[:2], "Solutions", *numbered[2:]]
    assert str(sheet) == sheet.text and sheet._repr_html_() in sheet.html
    assert worksheet(tasks).text == "\n\n".join(numbered[:2])


def test_a_picture_shows_the_graph_after_the_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(0.5, "w")
    task = exercise((w * 2.5) * 3, ask=[w])
    assert "3.75" in b64decode(task.picture.partition("base64,")[2].partition('"')[0]).decode()
    monkeypatch.setattr("autograd.drawing.draw", Mock(side_effect=ValueError))
    assert task.picture == "" and task.html.startswith("<pre ")


def test_an_answer_that_follows_from_a_wrong_one_counts_in_a_session() -> None:
    n = network(**POINT)
    shown: list[str] = []
    lines = iter(["0.3", f"{0.3 * n['r_h'].data:.4g}"])
    score = ask_all([exercise(n["E"], ask=[n["net_o"], n["w_o"]])], lambda _: next(lines), lambda text: shown.append(str(text)))
    last = max(i for i, text in enumerate(shown) if text == score)
    assert score == "Score: 1 of 2" and "follows from a wrong answer above" in shown[last - 1]


def test_an_order_is_answered_with_commas() -> None:
    level2 = next(seed for seed in range(50) if exercises(seed, 2, 1)[0].kind == "order")
    task = exercises(level2, 2, 1)[0]
    shown, score = session(["y, x", ", ".join(task.names[x] for x in reversed(task.steps.order))], level=2, seed=level2)
    assert score == "Score: 1 of 1" and any("x is not visited in the backward pass" in line for line in shown)


def test_the_command_line_prints_the_sheet_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--exercise", "2", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert out.strip() == worksheet(exercises(3, 2)).text and out.startswith("1. Given ")
    assert main(["--exercise", "2"]) == 0 and capsys.readouterr().out != out
    for words, message in (
        (["--exercise", "5"], "invalid choice: 5"),
        (["--exercise", "one"], "invalid int value"),
        (["--seed", "1"], "give their level"),
        (["x*2", "--exercise", "1"], "leave out x*2"),
        (["--exercise", "1", "--steps"], "leave out --steps"),
    ):
        assert main(words) == 2
        assert message in capsys.readouterr().err


def test_exercises_are_asked_in_a_terminal_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("builtins.input", lambda prompt: "q")
    assert practise(exercises(0, 1, 1)) == "Score: 0 of 0"


def test_a_name_in_an_order_may_hold_a_comma() -> None:
    w, x = Value(3.0, "w"), Value(2.0, "x")
    f = w * x
    f.label = "f(x, w)"
    shown: list[str] = []
    lines = iter([" loss ,, f(x, y)", "loss,f(x, w) , "])
    score = ask_all([exercise(f * 2, ask="order")], lambda _: next(lines), lambda text: shown.append(str(text)))
    assert score == "Score: 1 of 1" and any("f(x is not visited" in line for line in shown)
