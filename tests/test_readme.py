"""Every example of the README, run where its files do no harm."""

import doctest
import re
from pathlib import Path

import pytest

from autograd import Value, draw
from nn import MLP

README = Path(__file__).parent.parent / "README.md"
NETWORK = README.parent / "notebooks/pictures/network.svg"
WIDTH = 830  # pixels of a README's column on GitHub


def network() -> Value:
    """Return the loss of the network in the README's picture, after a backward pass."""
    loss: Value = (MLP(2, [3, 1], seed=1)([0.3, -0.2]) - 1) ** 2
    loss.backward()
    return loss


def test_every_example_gives_what_the_readme_says_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 50 and not failed
    assert Path.cwd() == tmp_path and not list(tmp_path.iterdir())


def test_files_and_folders_that_are_named_exist() -> None:
    text = README.read_text(encoding="utf-8")
    for name in ("autograd/primitives.py", "autograd/value.py", "autograd/mistakes.py", "autograd/drawing/", "nn/layers.py",
                 "tests/benchmarks/eager.py", "notebooks/pictures/network.svg"):  # fmt: skip
        assert name in text and (README.parent / name).exists()


def test_the_picture_of_the_network_is_drawn_as_the_readme_says() -> None:
    assert draw(network(), view="neurons").svg == NETWORK.read_text("utf-8")


def test_the_picture_can_be_read_in_the_width_of_a_readme() -> None:
    svg = NETWORK.read_text("utf-8")
    width = float(re.findall(r'viewBox="0 0 ([\d.]+)', svg)[0])
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg.split('class="note"')[0])]
    assert min(sizes) * WIDTH / width >= 11
