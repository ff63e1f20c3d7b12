"""Every example of the README, run where its files do no harm."""

import doctest
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_every_example_gives_what_the_readme_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 50 and not failed
    assert (tmp_path / "moons.png").stat().st_size > 10_000


def test_files_and_folders_that_are_named_exist() -> None:
    text = README.read_text(encoding="utf-8")
    for name in ("autograd/primitives.py", "autograd/value.py", "autograd/mistakes.py", "autograd/drawing/", "nn/layers.py",
                 "tests/benchmarks/eager.py", "notebooks/pictures/network.svg"):  # fmt: skip
        assert name in text and (README.parent / name).exists()
