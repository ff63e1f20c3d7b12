"""The notebooks: run again, they give the saved outputs byte for byte, and GitHub can show these."""

from __future__ import annotations

import ast
import base64
import copy
import doctest
import math
import os
import re
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any
from xml.etree import ElementTree

import pytest
from regenerate_notebooks import NOTEBOOKS, TIME, as_kept, execute, nbformat, run, written

from autograd import Unary, Value, check_derivation, gradcheck, sin, total
from nn import MLP, accuracy, fit
from nn.data import truth_table
from nn.losses import cross_entropy, squared_error
from nn.optim import SGD

ROOT = Path(__file__).parent.parent
SHOWN = {"text/plain", "text/latex", "image/svg+xml", "image/png"}  # by GitHub, which strips HTML and scripts
LARGEST_PLOT, LARGEST_GRAPH = 60_000, 80_000  # bytes
ANSWER, NUMBERS = "answer", "numbers"  # begin the ids of inserted cells
TRACES = re.compile(r"\b0x[0-9a-f]{6,}|/home/|/root/|/tmp/|/work/|\.venv|site-packages|\bseconds=")

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def outputs(notebook: Any) -> Iterator[Any]:
    """Iterate over the outputs of all cells."""
    return (output for cell in notebook.cells for output in cell.get("outputs", ()))


def comparable(notebook: Any) -> Any:
    """Return a notebook with a placeholder for each plot, whose bytes depend on matplotlib's version and fonts."""
    copied = copy.deepcopy(notebook)
    for output in outputs(copied):
        if "image/png" in output.get("data", ()):
            output.data["image/png"] = "a plot"
    return copied


@pytest.mark.slow
@pytest.mark.skipif("MNIST" not in os.environ, reason="MNIST is not here: the variable MNIST does not name its folder")
def test_mnist_is_read_from_its_folder() -> None:
    [path] = [path for path in NOTEBOOKS if "digits" in path.stem]
    texts = [output.text for output in outputs(execute(path, MNIST=os.environ["MNIST"])) if "text" in output]
    found = re.search(r"accuracy on 1,000 images of the test: (.*)", texts[-1])
    assert found and float(found[1]) > 0.93


def test_there_are_eight_notebooks_in_order() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01_chain_rule", "02_perceptron_and_xor", "03_gradient_descent", "04_four_equations", "05_parity",
        "06_handwritten_digits", "07_gradient_checking", "08_a_small_gpt",
    ]  # fmt: skip


@each
def test_its_file_is_what_regenerating_writes(path: Path) -> None:
    notebook = read(path)
    assert path.read_text(encoding="utf-8") == written(notebook)
    assert notebook.metadata.language_info == {"name": "python"}
    assert [cell.id for cell in notebook.cells] == [f"cell{i:02}" for i in range(1, len(notebook.cells) + 1)]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


@each
def test_github_can_show_it(path: Path) -> None:
    pictures = 0
    for output in outputs(read(path)):
        assert output.output_type in ("stream", "display_data", "execute_result"), "a cell ended in an error"
        assert output.get("name", "stdout") == "stdout"
        data = output.get("data", {})
        assert set(data) <= SHOWN
        assert not TRACES.search(data.get("text/plain", output.get("text", "")))
        if "image/png" in data:
            largest = LARGEST_GRAPH if "image/svg+xml" in data else LARGEST_PLOT
            assert 1_000 < len(base64.b64decode(data["image/png"])) < largest
        if "image/svg+xml" in data:
            svg = ElementTree.fromstring(data["image/svg+xml"])
            assert svg.get("role") == "img" and svg.get("aria-label") and "script" not in data["image/svg+xml"]
            pictures += 1
    assert pictures, "no graph is drawn"


@each
def test_it_has_a_title_and_questions_with_answers_and_its_links_lead_somewhere(path: Path) -> None:
    cells = read(path).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    assert "\n## Think about it\n\n1. " in words
    questions = re.findall(r"^\d\. ", words.partition("## Think about it")[2].partition("## Answers")[0], re.MULTILINE)
    answers = re.findall(r"<summary>Answer (\d)</summary>", words)
    assert answers == [f"{i}" for i in range(1, len(questions) + 1)]
    assert words.count("<details>") == words.count("</details>")
    for name in re.findall(r"\]\((\w+\.ipynb)\)", words):
        assert (path.parent / name).exists()
    assert words.count("$$") % 2 == 0 and words.replace("$$", "").count("$") % 2 == 0
    assert f"]({path.name})" in (path.parent / "README.md").read_text(encoding="utf-8")


@each
def test_it_imports_only_allowed_packages(path: Path) -> None:
    allowed = {"autograd", "nn", "matplotlib", "numpy", "IPython", "lecture", *sys.stdlib_module_names}
    for cell in read(path).cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                assert {name.partition(".")[0] for name in names} <= allowed


def turns(notebook: Any) -> dict[int, str]:
    """Return the index of each cell to be filled in, with the program in its folded solution."""
    found = {}
    for i, cell in enumerate(notebook.cells):
        if cell.source.startswith("# Your turn"):
            text = next(after.source for after in notebook.cells[i:] if "<summary>Solution</summary>" in after.source)
            [found[i]] = re.findall(r"<summary>Solution</summary>\n\n```python\n(.*?)```", text, re.DOTALL)
    return found


def printing_numbers(turn: str) -> str:
    """Return a program that prints the numbers of an exercise's graph, as a solution may give them."""
    return (
        f"for step in {turn}.steps:\n"
        "    for edge in step.edges:\n"
        "        for number in (step.node.data, edge.partial, edge.contribution):\n"
        "            print(f'{abs(number):.4f}', end=' ')"
    )


def spoiled(answers: ast.expr) -> ast.expr:
    """Return answers that are all wrong: with other signs, or in reverse order."""
    if isinstance(answers, ast.List):
        return ast.List(answers.elts[::-1], ast.Load())
    assert isinstance(answers, ast.Dict)
    values: list[ast.expr] = []
    for answer in answers.values:
        text = f"-({ast.literal_eval(answer)})" if isinstance(answer, ast.Constant) and isinstance(answer.value, str) else ""
        is_zero = ast.unparse(answer) in ("0", "0.0")
        values.append(ast.Constant(text or 1) if text or is_zero else ast.UnaryOp(ast.USub(), answer))
    return ast.Dict(answers.keys, values)


def filled_in(source: str, solution: str, *, rightly: bool) -> str:
    """Return the source of a cell with the answers of its solution, or with wrong ones."""
    *before, statement = ast.parse(solution).body
    assert isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "answers"
    if not rightly:
        statement.value = spoiled(statement.value)
    program = ast.parse(source)
    [blank] = [i for i, line in enumerate(program.body) if ast.unparse(line).startswith("answers = ")]
    assert "..." in ast.unparse(program.body[blank])
    program.body[blank : blank + 1] = [*before, statement]
    return ast.unparse(program)


@each
def test_it_has_three_to_five_exercises_with_hints_and_solutions(path: Path) -> None:
    notebook = read(path)
    places = turns(notebook)
    assert 3 <= len(places) <= 5
    for i, (place, solution) in enumerate(places.items(), start=1):
        cell, follows = notebook.cells[place], notebook.cells[place + 1]
        above = "\n".join(cell.source for cell in notebook.cells[place - 2 : place])
        assert re.search(rf"^### Your turn {i}: ", above, re.MULTILINE)
        assert (f"turn{i} = exercise(" in cell.source and f"turn{i}.mark(answers)" in cell.source) or (
            "check_derivation(" in cell.source
        )
        assert f"# print(turn{i}.hint())" in follows.source or "<summary>Hint</summary>" in follows.source
        [output] = cell.outputs
        assert "still blank; put your answer in place of ... and run this again" in output.data["text/plain"]
        assert filled_in(cell.source, solution, rightly=True) != filled_in(cell.source, solution, rightly=False)


@pytest.mark.slow
@each
def test_run_again_it_gives_the_saved_outputs_and_marks_answers(path: Path, tmp_path: Path) -> None:
    """Below each blank come wrong answers, the folded solution and wrong ones again; all other outputs are the saved ones."""
    notebook = read(path)
    blanks = turns(notebook)
    for place, solution in reversed(blanks.items()):
        source = notebook.cells[place].source
        answers = [filled_in(source, solution, rightly=rightly) for rightly in (False, True, False)]
        cells = [nbformat.v4.new_code_cell(answer, id=f"{ANSWER}{place}-{i}") for i, answer in enumerate(answers)]
        if turn := re.search(r"(turn\d) = exercise", source):
            cells.append(nbformat.v4.new_code_cell(printing_numbers(turn[1]), id=f"{NUMBERS}{place}"))
        notebook.cells[place + 1 : place + 1] = cells
    for name in ("lecture.py", "plots.mplstyle"):
        shutil.copy(path.parent / name, tmp_path)
    (tmp_path / path.name).write_text(written(notebook), encoding="utf-8")
    fresh = run(tmp_path / path.name)
    answered = [cell for cell in fresh.cells if cell.id.startswith(ANSWER)]
    shown = {cell.id: cell.outputs[0].text.split() for cell in fresh.cells if cell.id.startswith(NUMBERS)}
    fresh.cells = [cell for cell in fresh.cells if not cell.id.startswith((ANSWER, NUMBERS))]
    assert written(comparable(as_kept(fresh, path.name))) == written(comparable(read(path)))
    assert len(answered) == 3 * len(blanks)
    for place, solution in blanks.items():
        words = next(cell.source for cell in read(path).cells[place:] if solution in cell.source).partition(solution)[2]
        for number in re.findall(r"(?<![\d.])\d\.\d{4}(?!\d)", words):
            assert number in shown[f"{NUMBERS}{place}"], f"{number} is not a number of this graph"
    for i, cell in enumerate(answered):
        rightly, text = i % 3 == 1, cell.outputs[-1].data["text/plain"]
        points, answers = re.match(r"(\S+) of (\d+) points", text), re.sub(r"^.* of \d+ points\n", "", text).split("\n")
        rights = [bool(re.search(r"(is|:) right$", answer)) for answer in answers]
        assert all(rights) if rightly else not any(rights), text
        assert not points or (points[1] == points[2]) == rightly


def words_of(number: str) -> str:
    """Return the Markdown of a lecture with single spaces."""
    [path] = [path for path in NOTEBOOKS if path.stem.startswith(number)]
    return " ".join(" ".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown").split())


@pytest.mark.parametrize("seed", [2, 11, 15])
def test_lecture_2_is_right_about_starts_that_get_stuck(seed: int) -> None:
    X, y = truth_table("xor")
    half = partial(squared_error, half=True)
    model = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", seed=seed, init="normal")
    fit(model, X, y, loss=half, optimizer=SGD(lr=4.0), batch_size=1, epochs=400, seed=seed, progress=False)
    assert accuracy(model, X, y) < 1
    total([half(model(x), target) for x, target in zip(X, y, strict=True)]).backward()
    assert 0 < max(abs(parameter.grad) for parameter in model.layers[0].parameters()) < 0.002, "a slope is left, but hardly any"
    hidden = zip(model.layers[0].predict(X), y, strict=True)
    corners = [(a, b) for (a, wanted), (b, other) in combinations(hidden, 2) if wanted != other]
    assert min(math.dist(a, b) for a, b in corners) < 0.01
    assert "saturated at two corners with different answers, so that the output neuron sees these as one" in words_of("02")


@pytest.mark.slow
def test_lecture_8_is_right_about_a_model_that_looks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.syspath_prepend(".")
    [path] = [path for path in NOTEBOOKS if path.stem.startswith("08")]
    imports, *rest = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    [first, last] = [i for i, source in enumerate(rest) if source.startswith(("TEXT = ", "X, Y = "))]
    model = [source for source in rest[first : last + 1] if not source.startswith(("x_in", "# "))]
    program = "\n".join([imports, *model]).replace(" in ks[: t + 1]", " in ks").replace(" in vs[: t + 1]", " in vs")
    names: dict[str, Any] = {}
    exec(program, names)
    some = zip(names["inputs"][::10], names["targets"][::10], strict=True)
    scores = [(names["gpt"](letters), wanted) for letters, wanted in some]
    losses = [fmean(cross_entropy(z[t], y[t].index(1.0)).data for z, y in scores) for t in range(8)]
    assert max(losses[:7]) < 0.01 and losses[7] > 0.1
    assert "seven of the eight positions the model would learn to copy it, and the loss there would go to 0;" in words_of("08")


def test_lecture_7_is_right_about_stairs_and_about_step_sizes() -> None:
    words = words_of("07")
    stairs = Unary("stairs", lambda x: round(x, 3), lambda x, out: 1.0)
    [verdicts] = re.findall(r"At 0.5 and 0.5004 it is `(\w+)`, at 1.2345 a `(\w+)`", words)
    assert [gradcheck(stairs, x).verdict for x in (0.5, 0.5004, 1.2345)] == [verdicts[0], *verdicts]
    x = Value(1.0)
    for power in map(int, re.findall(r"From \$10\^{(-\d)}\$ down to \$10\^{(-\d)}\$ it is good", words)[0]):
        h = 10.0**power
        assert check_derivation(sin(x), {x: (math.sin(1 + h) - math.sin(1 - h)) / (2 * h)}, tolerance=1e-9)


def notebook_of(folder: Path, *sources: str) -> Path:
    """Write a notebook with these code cells."""
    new = nbformat.v4
    path = folder / "trial.ipynb"
    path.write_text(written(new.new_notebook(cells=[new.new_code_cell(source) for source in sources])), encoding="utf-8")
    return path


@pytest.mark.slow
def test_no_trace_of_the_machine_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST", "somewhere")
    program = "import os, shutil, sys\nprint(shutil.which('dot'), os.environ.get('MNIST'), flush=True)\nprint('twice')"
    fresh = execute(notebook_of(tmp_path, program, "sys.executable == sys.argv[0]"))
    assert fresh.metadata == {"kernelspec": fresh.metadata.kernelspec, "language_info": {"name": "python"}}
    assert [cell.id for cell in fresh.cells] == ["cell01", "cell02"]
    [piece] = fresh.cells[0].outputs
    assert piece.text == "None None\ntwice\n"
    assert fresh.cells[1].outputs[0].execution_count == 2
    assert fresh == execute(tmp_path / "trial.ipynb")


@pytest.mark.slow
def test_a_warning_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"trial.ipynb, cell01 warns: [^$]*look out"):
        execute(notebook_of(tmp_path, "import warnings; warnings.warn('look out')"))


@pytest.mark.slow
def test_a_time_is_shown_but_not_saved(tmp_path: Path) -> None:
    path = notebook_of(tmp_path, "print('⏱ all: 2 s')", "print('a')\nprint('⏱ this: 3 s')\nprint('b ⏱')")
    assert [len(cell.outputs) for cell in run(path).cells] == [1, 1]
    first, second = execute(path).cells
    assert first.outputs == [] and second.outputs[0].text == "a\nb ⏱\n"


def test_the_module_that_the_notebooks_share(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "notebooks")
    lecture: Any = import_module("lecture")
    assert doctest.testmod(lecture) == doctest.TestResults(failed=0, attempted=1)
    lecture.table("name, x:.2f", [("a", 1.0), ("long", "none")])
    with lecture.stopwatch("a block"):
        pass
    lines = capsys.readouterr().out.split("\n")
    assert lines[:3] == ["name      x", "a      1.00", "long   none"] and lines[3].startswith(f"{TIME} a block: ")
    with pytest.raises(ValueError, match="zip"):
        lecture.table("a, b", [(1,)])
