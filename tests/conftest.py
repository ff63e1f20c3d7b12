"""Hypothesis profiles, and a run in which nothing may be skipped.

The profiles: by default every run tries the same examples, so its result depends only on the commit.  `search` draws new ones,
and `thorough` draws many; for 20,000 random graphs:

    .venv/bin/python -m pytest --hypothesis-profile=thorough tests/test_checking.py -k random_graphs

With ``--no-skips``, a test that lacks a program or a package fails instead of being skipped.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find_browser
from engines import Engine, opened
from hypothesis import settings
from players import Players
from visits import Server, Visit, modules

from autograd.site import Site, write_site

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("search", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=20_000)
if settings.get_current_profile_name() in ("default", "ci"):  # Hypothesis chooses "ci" if the variable CI is set
    settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--no-skips``."""
    parser.addoption("--no-skips", action="store_true", help="a test that would be skipped fails")


def pytest_collection_finish() -> None:
    """Exempt all objects so far from the garbage collector, which the tests of cycles and memory call many times."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skipped test into a failed one, if nothing may be skipped."""
    outcome: Any = yield
    report = outcome.get_result()
    # An expected failure is also reported as skipped, and marked by `wasxfail`; but that test did run.
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here; {report.longrepr[2]}"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all the tests of a module, which are skipped if none is installed."""
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium to drive; apt install chromium, for instance")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module", params=["node", pytest.param("chromium", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A JavaScript engine that has loaded the scripts."""
    with opened(request.param, tmp_path_factory.mktemp("engine")) as found:
        if found is None:
            pytest.skip(f"there is no {request.param} to run JavaScript in")
        yield found


@pytest.fixture
def players(chromium: Browser, tmp_path: Path) -> Iterator[Players]:
    """A page for players, in which no script fails and from which nothing else is requested."""
    players = Players(chromium, tmp_path)
    yield players
    players.judge()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, including the third-party programs that it serves."""
    return write_site(tmp_path_factory.mktemp("site"), modules("pyodide", "@viz-js/viz"))


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    """The site on loopback, at an address of its own."""
    server = Server(site.folder)
    yield server
    server.stop()


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Visit]:
    """A visit that must cause no script errors and no requests to other servers."""
    visit = Visit(chromium, server.address)
    yield visit
    visit.judge()


@pytest.fixture(scope="module")
def long_visit(chromium: Browser, site: Site) -> Iterator[Visit]:
    """A visit for all the tests of a module; they share the Python in the page, which takes some seconds to start."""
    server = Server(site.folder)
    yield Visit(chromium, server.address)
    server.stop()


@pytest.fixture
def page(long_visit: Visit) -> Iterator[Visit]:
    """The page, with Python running and its first example; it is judged as by `visit`."""
    long_visit.start_over()
    yield long_visit
    long_visit.judge()
