"""The demonstration that the command line runs without an expression: its numbers, its page, its commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from autograd import demo
from autograd.__main__ import main
from autograd.demo import by_hand, demonstrate, network, signed

ROOT = Path(__file__).parent.parent


@pytest.fixture
def demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The demonstration's text."""
    pytest.importorskip("wasmtime")
    monkeypatch.chdir(tmp_path)
    text = demonstrate(Path())
    assert "autograd-player" in (tmp_path / "player.html").read_text(encoding="utf-8")
    assert f"    {tmp_path / 'player.html'}\n" in text
    return text


def test_the_demonstration_shows_the_chain_rule_link_by_link(demonstration: str) -> None:
    for name, upstream, rule in (
        ("v2", "E", "0.5"),
        ("v1", "v2", "2·v1"),
        ("r_o", "v1", "(-1)"),
        ("net_o", "r_o", "r_o·(1 - r_o)"),
        ("w_o", "net_o", "r_h"),
        ("r_h", "net_o", "w_o"),
        ("net_h", "r_h", "r_h·(1 - r_h)"),
        ("w_h", "net_h", "i"),
    ):
        assert re.search(rf"∂E/∂{name} += ∂E/∂{upstream} +· {re.escape(rule)} +=", demonstration)


def test_the_demonstration_agrees_with_the_formulas_of_the_textbook(demonstration: str) -> None:
    nodes = network(i=2.0, w_h=0.3, w_o=-0.8, t=1.0)
    nodes["E"].backward()
    output, hidden = by_hand({name: node.data for name, node in nodes.items()})
    assert output == pytest.approx(nodes["w_o"].grad, rel=1e-14)
    assert hidden == pytest.approx(nodes["w_h"].grad, rel=1e-14)
    assert "= -(t - r_o)·r_o·(1 - r_o)·r_h\n" in demonstration
    assert "= -(t - r_o)·r_o·(1 - r_o)·w_o·r_h·(1 - r_h)·i\n" in demonstration
    numbers = re.findall(r"= (-?\d\.\d{12})", demonstration)
    assert numbers == [f"{x:.12f}" for x in (output, output, hidden, hidden)]
    assert len(re.findall(r", (?:the same to the last bit|\de-1[5-9] apart)\n", demonstration + "\n")) == 2


def test_the_demonstration_learns(demonstration: str) -> None:
    [(before, after)] = re.findall(r"falls from E = ([\d.]+) to E = ([\d.]+)\.", demonstration)
    rows = re.findall(r"(w_[oh]) ← +(-?[\d.]+) - 2·\(?(-?[\d.]+)\)? += +(-?[\d.]+)", demonstration)
    for _, old, slope, new in rows:
        assert float(new) == pytest.approx(float(old) - 2 * float(slope), abs=1e-5)
    steps = {name: new for name, _, _, new in rows}
    moved = network(i=2.0, w_h=float(steps["w_h"]), w_o=float(steps["w_o"]), t=1.0)["E"].data
    assert float(after) == pytest.approx(moved, rel=1e-4)
    assert float(after) < float(before)


def test_the_demonstration_ends_with_a_command_that_gives_the_same_gradients(
    demonstration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [command] = re.findall(r" -m autograd ('.*)", demonstration)
    assert main(shlex.split(command)) == 0
    out = capsys.readouterr().out
    assert re.findall(r"∂f/∂w_[oh] = +(\S+)", out) == ["-0.094645", "0.053659"]
    assert out.count("-0.094645") >= 1 <= demonstration.count("-0.094645")


def test_the_demonstration_fits_on_two_screens(demonstration: str) -> None:
    lines = demonstration.splitlines()
    assert len(lines) <= 64
    assert max(len(line) for line in lines if "/" not in line or "∂" in line) <= 88


def test_the_demonstration_without_a_layout_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.drawing.layout._package", lambda name: None)
    text = demonstrate(tmp_path)
    assert "No page was written: no layout engine is installed" in text
    assert re.search(r" -m autograd '.* --mermaid$", text, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_the_demonstration_where_nothing_can_be_written(tmp_path: Path) -> None:
    assert "No page was written: player.html: there is no folder" in demonstrate(tmp_path / "none")
    page = tmp_path / "player.html"
    page.mkdir()
    assert "No page was written: player.html: Is a directory." in demonstrate(tmp_path)
    page.rmdir()
    page.symlink_to(page)
    assert "No page was written: player.html: " in demonstrate(tmp_path)
    assert [*tmp_path.iterdir()] == [page]


@pytest.mark.parametrize(("found", "is_named"), [("/usr/bin/python", False), (None, True)])
def test_python_is_called_by_its_path_where_there_is_no_other_name(
    found: str | None, is_named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "here")
    monkeypatch.setattr("shutil.which", lambda name: found)
    assert demo._command("--mermaid").startswith("python -m autograd ") is not is_named


def test_the_demonstrations_commands_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path)
    [command] = re.findall(r"^    (.* --steps)$", demonstrate(tmp_path / "none"), re.MULTILINE)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, capture_output=True, cwd=tmp_path, env=environment, timeout=60, check=True)
    assert b"-0.094645" in done.stdout


def test_a_column_of_numbers_has_room_for_signs() -> None:
    assert signed([1.0, -float("inf"), float("nan")]) == [" 1", "-∞", " NaN"]
