"""Every example of the README and of the other pages, run in a temporary folder; their links; the first page's picture."""

import doctest
import re
from pathlib import Path

import pytest

from autograd import Value, draw
from nn import MLP

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *(page for part in ("autograd", "nn", "notebooks", "tests") for page in sorted((ROOT / part).rglob("*.md")))]
NETWORK = README.parent / "notebooks/pictures/network.svg"
WIDTH = 830  # pixels of a README's column on GitHub


def network() -> Value:
    """Return the loss of the network in the README's picture, after a backward pass."""
    loss: Value = (MLP(2, [3, 1], seed=1)([0.3, -0.2]) - 1) ** 2
    loss.backward()
    return loss


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_gives_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for package in ("matplotlib", "flint") if ">>>" in page.read_text(encoding="utf-8") else ():
        pytest.importorskip(package)
    assert not doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed


def test_pages_have_examples() -> None:
    assert {page.relative_to(ROOT).parts[0] for page in PAGES} == {"README.md", "autograd", "nn", "notebooks", "tests"}
    assert sum(page.read_text(encoding="utf-8").count("\n>>> ") for page in PAGES) > 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_existing_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target
    for name in re.findall(r"`((?:autograd|nn|tests|notebooks)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name


def test_the_first_page_is_at_most_three_screens() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert next(i for i, line in enumerate(lines) if line.startswith("![")) < next(
        i for i, line in enumerate(lines) if line.startswith("```bash")
    )


def test_the_picture_of_the_network_is_drawn_as_the_readme_says() -> None:
    assert draw(network(), view="neurons").svg == NETWORK.read_text("utf-8")


def test_the_picture_can_be_read_in_the_width_of_a_readme() -> None:
    svg = NETWORK.read_text("utf-8")
    width = float(re.findall(r'viewBox="0 0 ([\d.]+)', svg)[0])
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg.split('class="note"')[0])]
    assert min(sizes) * WIDTH / width >= 11
