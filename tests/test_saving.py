"""Files that are written whole or not at all: several writers at once, permissions, and links."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from autograd.drawing.saving import write_whole


def test_of_several_writers_one_wins_with_a_whole_file(tmp_path: Path) -> None:
    path, contents = tmp_path / "x.svg", [bytes([65 + i]) * 300_000 for i in range(8)]
    failures: list[OSError] = []

    def write(content: bytes) -> None:
        try:
            for _ in range(10):
                write_whole(path, content)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and path.read_bytes() in contents
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(os.name == "nt", reason="there are no permissions of this kind here")
@pytest.mark.parametrize("mode", [0o600, 0o444, 0o644, 0o660, 0o755])
def test_an_older_file_lends_its_permissions(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


def test_a_link_that_was_planted_beside_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim, path = tmp_path / "victim", tmp_path / "x.svg"
    victim.write_text("precious")
    monkeypatch.setattr("secrets.token_hex", lambda n: "guessed")
    (tmp_path / ".guessed.part").symlink_to(victim)
    (tmp_path / f".x.svg.{os.getpid()}.part").symlink_to(victim)
    with pytest.raises(FileExistsError, match=r"x\.svg"):
        write_whole(path, b"new")
    assert victim.read_text() == "precious" and not path.exists()
    monkeypatch.undo()
    write_whole(path, b"new")
    assert victim.read_text() == "precious" and path.read_bytes() == b"new"


def test_a_long_name_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".svg")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["loop", "loop/x.svg", "first", "second"])
def test_a_link_to_itself_is_refused_and_stays(name: str, tmp_path: Path) -> None:
    for link, target in (("loop", "loop"), ("first", "second"), ("second", "first")):
        (tmp_path / link).symlink_to(target)
    with pytest.raises(OSError, match=name) as refusal:
        write_whole(tmp_path / name, b"new")
    assert refusal.value.errno == errno.ELOOP
    assert len([path for path in tmp_path.iterdir() if path.is_symlink()]) == 3


def test_a_link_to_a_file_that_is_not_there_makes_it(tmp_path: Path) -> None:
    link = tmp_path / "x.svg"
    link.symlink_to("real.svg")
    write_whole(link, b"new")
    assert link.is_symlink() and (tmp_path / "real.svg").read_bytes() == b"new"
