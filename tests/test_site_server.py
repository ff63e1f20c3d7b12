"""The server of the site: what it prints, opens and serves until Ctrl-C is pressed."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path
from threading import Thread

import pytest

from autograd.__main__ import main
from autograd.site.server import serve

TYPES = {"": "text/html; charset=utf-8", "site.js": "text/javascript"}
LINE = r"The site is at http://127\.0\.0\.1:\d+/ until you press Ctrl-C\.\n"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """The types of two files that a browser, once opened, requests before Ctrl-C is pressed."""
    found: dict[str, str | None] = {}
    threads: list[Thread] = []

    def look(address: str) -> None:
        for file in TYPES:
            with urllib.request.urlopen(address + file) as answer:
                found[file] = answer.headers["Content-Type"]

    def open_browser(address: str) -> None:
        threads.append(Thread(target=look, args=(address,)))
        threads[0].start()

    def stop_after(_: object) -> None:
        if not any(thread.is_alive() for thread in threads):
            raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", open_browser)
    monkeypatch.setattr("http.server.ThreadingHTTPServer.service_actions", stop_after)
    return found


def test_a_browser_is_opened_and_gets_the_files_of_a_folder(
    found: dict[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("index.html", "site.js"):
        (tmp_path / name).write_bytes(b"")
    file = io.BytesIO()
    out = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    monkeypatch.setattr("sys.stdout", out)
    serve(tmp_path, 0)
    assert found == TYPES
    assert re.fullmatch(LINE, file.getvalue().decode()), "it is printed at once, even into a file"
    out.flush()
    assert re.fullmatch(LINE + "\n", file.getvalue().decode()), "the terminal's ^C has a line of its own"
    assert capsys.readouterr().err == "", "requests are not logged"


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False])
def test_the_site_is_made_and_served(
    found: dict[str, str | None], tmp_path: Path, kept: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*(["--site", str(tmp_path / "s")] if kept else []), "--serve", "0"]) == 0
    assert found == TYPES
    out = capsys.readouterr().out
    assert re.match(LINE, out)
    assert ("is gone" in out) is not kept
