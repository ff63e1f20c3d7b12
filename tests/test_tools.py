"""The code needs no exceptions from its tools, which `.ci/run tools` runs, and the parts of `.ci/run` can be called singly."""

import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_no_exceptions_are_listed() -> None:
    for path in [
        ROOT / "pyproject.toml",
        *(p for folder in ("autograd", "nn", "tests") for p in (ROOT / folder).glob("**/*.py")),
    ]:
        text = path.read_text(encoding="utf-8")
        for word in ("noqa", "type: " + "ignore", "pragma: no " + "cover", "per-file-" + "ignores"):
            assert word not in text or path == Path(__file__), f"{path.name} has {word}"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize("parts", [["everything"], ["tools", "test"], ["tools tests"], [""]])
def test_an_unknown_part_is_refused_before_any_part_runs(parts: list[str]) -> None:
    run = subprocess.run(["bash", ".ci/run", *parts], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    [known] = re.findall(r"^PARTS=\((.+)\)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert parts[-1] in run.stderr and run.stderr.endswith(f"the parts are {known}\n")


def test_what_needs_a_browser_runs_where_one_is_installed() -> None:
    [listed] = re.findall(r"^PICTURES=\((.+?)\)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    needs = re.compile(r"^ *def test.*\b(engine: Engine|chromium: Browser|players: Players)\b", re.MULTILINE)
    files = [path.name for path in (ROOT / "tests").glob("test_*.py") if needs.search(path.read_text(encoding="utf-8"))]
    assert {"test_live.py", "test_player_browser.py"} <= {*files}
    for name in files:
        assert any(fnmatch(f"tests/{name}", pattern) for pattern in listed.split()), f"{name} is not in PICTURES"


def test_every_dependency_has_a_lower_bound_that_the_check_can_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = [dependency for extra in project["optional-dependencies"].values() for dependency in extra]
    bounds: dict[str, str] = {}
    for dependency in dependencies:
        if not dependency.startswith(project["name"]):
            parts = re.fullmatch(r"([a-z-]+)([>=]=[\d.]+)", dependency)
            assert parts, f"{dependency} has no lower bound"
            name, version = parts.groups()
            assert bounds.setdefault(name, version) == version, f"{name} has two lower bounds"
