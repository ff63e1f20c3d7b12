"""The code is as its tools want it: formatted, linted and typed, with no exceptions listed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_tool_is_silent(command: str) -> None:
    pytest.importorskip(command.split()[0])
    run = subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_exceptions_are_listed() -> None:
    for path in [
        ROOT / "pyproject.toml",
        *(p for folder in ("autograd", "nn", "tests") for p in (ROOT / folder).glob("**/*.py")),
    ]:
        text = path.read_text(encoding="utf-8")
        for word in ("noqa", "type: " + "ignore", "pragma: no " + "cover", "per-file-" + "ignores"):
            assert word not in text or path == Path(__file__), f"{path.name} has {word}"
