"""The function that writes all files: readers see only whole files, despite other writers, failures, and links at the path."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import autograd.files
from autograd import Value, draw, play
from autograd.files import write_whole
from nn import MLP, save

ROOT = Path(__file__).parent.parent
linux = pytest.mark.skipif(sys.platform != "linux", reason="this is about Linux")
posix = pytest.mark.skipif(os.name == "nt", reason="there are no permissions and signals of this kind here")


@pytest.fixture(params=["nameless", "folder"])
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write in each of two ways: to a nameless file, if the system has them, and in a private folder."""
    if request.param == "folder":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not has_nameless_files(tmp_path):
        pytest.skip("there are no nameless files here")
    return str(request.param)


def has_nameless_files(folder: Path) -> bool:
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except (AttributeError, OSError):
        return False
    return True


def neuron(name: str) -> Value:
    return Value(2.0, label=name) * 3 + 1


# Several writers and a reader


MODELS = [partial(save, MLP(2, [size, 1], seed=0)) for size in (1, 2, 3, 4)]
PICTURES = [draw(neuron(name)).save for name in ("a", "bb", "ccc", "dddd")]
PLAYERS = [play(neuron(name)).save for name in ("a", "bb", "ccc", "dddd")]


@pytest.mark.parametrize(
    ("writes", "name"),
    [(MODELS, "x.json"), *(pytest.param(*case, marks=pytest.mark.slow) for case in [(PICTURES, "x.dot"), (PLAYERS, "x.html")])],
)
@pytest.mark.slow
def test_a_reader_sees_whole_files_while_four_threads_save(
    writes: list[Callable[[Path], Any]], name: str, tmp_path: Path, way: str
) -> None:
    path, whole = tmp_path / name, set()
    for write in writes:
        write(path)
        whole.add(path.read_bytes())
    failures: list[Exception] = []

    def work(write: Callable[[Path], Any]) -> None:
        try:
            for _ in range(100):
                write(path)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(write,)) for write in writes]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        seen.add(path.read_bytes())
    assert not failures and seen <= whole and len(whole) == 4 and len(seen) > 1
    assert [*tmp_path.iterdir()] == [path]


# Programs that a script starts in the background ignore SIGINT, those of nohup SIGHUP; their children inherit this.
WRITER = """
import signal, sys
from autograd.files import write_whole
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
while True:
    write_whole(sys.argv[1], sys.argv[2].encode() * 500_000)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start four processes that write to x.svg for ever, each its own letter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "x.svg", letter], env=environment, stderr=subprocess.DEVNULL)
        for letter in "abcd"
    ]
    yield started
    for process in started:
        process.kill()
        process.wait()


@posix
@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_processes_that_are_ended_while_they_write_leave_nothing_behind(
    ending: str, tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    path, wholes, seen = tmp_path / "x.svg", {letter * 500_000 for letter in "abcd"}, set[str]()
    deadline = time.monotonic() + 60
    while len(seen) < 4 and time.monotonic() < deadline:
        with suppress(FileNotFoundError):  # before the first write
            seen.add(path.read_text())
    assert seen == wholes
    for process in processes:
        process.send_signal(getattr(signal, ending))
    for process in processes:
        assert process.wait(60) != 0
    assert [*tmp_path.iterdir()] == [path] and path.read_text() in wholes


# Ends each of thirty processes of five threads while it writes, and prints the files that it left.
THREADS = """
import os, signal, sys, threading, time
from itertools import count
from pathlib import Path
from autograd.files import write_whole

folder, new = Path(sys.argv[1]), sys.argv[2] == "new"

def work(letter):
    for i in count():
        write_whole(folder / (f"{letter}{i}" if new else "x"), letter.encode() * 1_000_000)
        os.write(written, b".")

signal.signal(signal.SIGTERM, signal.SIG_DFL)
for turn in range(30):
    ready, written = os.pipe()
    process = os.fork()
    if not process:
        for letter in "abcd":
            threading.Thread(target=work, args=letter).start()
        time.sleep(60)
    os.read(ready, 1)
    time.sleep(turn / 1500)
    os.kill(process, signal.SIGTERM)
    os.waitpid(process, 0)
    os.close(ready)
    os.close(written)
    for path in folder.iterdir():
        print(path.name, path.is_file() and path.stat().st_size)
        if new:
            path.unlink()
"""


@linux
@pytest.mark.parametrize("files", ["new", "old"])
@pytest.mark.slow
def test_processes_of_several_threads_that_are_ended_while_they_write_leave_nothing_behind(files: str, tmp_path: Path) -> None:
    if not has_nameless_files(tmp_path):
        pytest.skip("there are no nameless files here")
    (tmp_path / "x").write_bytes(b"x" * 1_000_000)
    command = [sys.executable, "-c", THREADS, str(tmp_path), files]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names, sizes = zip(*(line.split() for line in run.stdout.splitlines()), strict=True)
    assert set(sizes) == {"1000000"}
    if files == "new":
        assert len(names) > 30 and not [name for name in names if name.startswith(".")]
    else:  # a process that ends between two system calls leaves a temporary name; the next write removes it
        assert {*names} <= {"x", ".x.being-written"}
        write_whole(tmp_path / "x", b"new")
        assert [*tmp_path.iterdir()] == [tmp_path / "x"]


@linux
@pytest.mark.skipif(not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no GIL")
def test_no_other_thread_runs_while_a_file_has_its_temporary_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)  # it is slow
    libc, part, done, seen = ctypes.PyDLL(None), os.fsencode(tmp_path / ".x.being-written"), threading.Event(), []

    def watch() -> None:
        while not done.is_set():
            if libc.access(part, os.F_OK) == 0:
                seen.append(part)

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        sys.setswitchinterval(1e-6)
        for _ in range(300):
            write_whole(tmp_path / "x", b"new")
    finally:
        sys.setswitchinterval(interval)
        done.set()
        thread.join()
    assert not seen


# Failures

FOLDER = ("mkdir", "open", "write", "fchown", "fchmod", "fsync", "close", "replace")
NAMELESS = ("open", "write", "fchown", "fchmod", "fsync", "linkat", "rename", "unlink", "close")
SAVES: list[tuple[Callable[[Path], Any], str]] = [
    (partial(save, MLP(2, [1])), "x.json"), (draw(neuron("x")).save, "x.dot"), (play(neuron("x")).save, "x.html"),
]  # fmt: skip


def calls_of(action: Callable[[], Any], fails: int = -1, number: int = 0, has_alternatives: bool = True) -> list[str]:
    """Run an action and return its system calls that change files; the call at index `fails` fails with an error number.

    Without alternatives, the calls of the other ways to write the file fail as well.
    """
    called: list[str] = []
    libc: Any = ctypes.PyDLL(None)

    def has_failed(name: str) -> bool:
        called.append(name)
        return len(called) - 1 == fails or (not has_alternatives and name in ("mkdir", "linkat", "rename"))

    def spied(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not has_failed(name):
                return real(*arguments, **options)
            if name == "close":  # a failing close still closes
                real(*arguments)
            if name == "write":  # a part is written
                real(arguments[0], arguments[1][:10])
            raise OSError(number, os.strerror(number))

        return call

    class Library:
        """A stand-in for the C library, whose functions return -1 if they fail."""

        def __init__(self, name: None) -> None:
            pass

        def __getattr__(self, name: str) -> Callable[..., int]:
            return lambda *arguments: -1 if has_failed(name) else getattr(libc, name)(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        for name in {*FOLDER, *NAMELESS} - {"linkat", "rename", "unlink"}:
            patch.setattr(os, name, spied(name, getattr(os, name)))
        patch.setattr(ctypes, "PyDLL", Library)
        action()
    return called


@posix
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG])
@pytest.mark.parametrize(("write", "name"), SAVES)
def test_every_system_call_fails_once(write: Callable[[Path], Any], name: str, number: int, tmp_path: Path, way: str) -> None:
    path = tmp_path / name

    def make_old() -> None:
        path.write_text("old")
        path.chmod(0o640)

    make_old()
    calls = calls_of(lambda: write(path))
    new = path.read_bytes()
    if way == "folder":
        calls = calls[: calls.index("replace") + 1]  # the remaining calls remove the empty folder
    assert tuple(calls) == (NAMELESS if way == "nameless" else FOLDER)
    for i, call in enumerate(calls):
        make_old()
        if (call, number) == ("fchown", errno.EACCES):  # only root can give files away
            continue
        if way == "nameless" and call in (
            "open",
            "linkat",
            "rename",
            "unlink",
            "close",
        ):  # there is another way, or the file is already complete
            calls_of(lambda: write(path), i, number)
            assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (new, 0o640)
            assert [*tmp_path.iterdir()] == [path]
            make_old()
        if way == "folder" or call not in ("unlink", "close"):
            with pytest.raises(OSError, match=os.strerror(number)) as caught:
                calls_of(lambda: write(path), i, number, has_alternatives=way == "folder")
            assert (caught.value.errno, caught.value.filename) == (number, str(path))
            assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("old", 0o640)
            assert [*tmp_path.iterdir()] == [path]


@linux
def test_a_file_that_another_process_made_meanwhile_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(file: int) -> None:
        (tmp_path / "x").write_text("other")

    monkeypatch.setattr(os, "fsync", meanwhile)
    write_whole(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new" and [*tmp_path.iterdir()] == [tmp_path / "x"]


@posix
def test_a_disk_may_accept_a_write_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:7]))
    write_whole(tmp_path / "x", bytes(range(100)))
    assert (tmp_path / "x").read_bytes() == bytes(range(100))


@linux
def test_a_full_device_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that a faulty version, run as root, cannot replace a device of the machine.
    monkeypatch.setattr(autograd.files, "_replace", Mock(side_effect=AssertionError))
    with pytest.raises(OSError, match=r"No space left on device: '/dev/full'") as caught:
        write_whole("/dev/full", b"new")
    assert caught.value.errno == errno.ENOSPC


def test_after_a_failure_signals_arrive_again(tmp_path: Path, way: str) -> None:
    if not hasattr(signal, "pthread_sigmask"):
        pytest.skip("signals cannot be held back here")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    for fails in range(4):
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            calls_of(lambda: write_whole(tmp_path / "x", b"new"), fails, errno.EIO, has_alternatives=way == "folder")
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


# Files, links and folders at the path


@posix
@pytest.mark.parametrize("mode", [0o600, 0o444, 0o644, 0o660, 0o755])
def test_a_replaced_file_keeps_its_permissions(mode: int, tmp_path: Path, way: str) -> None:
    path = tmp_path / "x.svg"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


@posix
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(umask: int, mode: int, tmp_path: Path, way: str) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "x", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


@posix
def test_root_leaves_a_file_to_its_owner(tmp_path: Path, way: str) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    try:
        os.chown(path, 12345, 54321)
    except PermissionError:
        pytest.skip("only root can give files away")
    write_whole(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


@posix
def test_nobody_else_can_read_a_file_before_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    seen: list[list[int]] = []
    real = os.fsync

    def spied(file: int) -> None:
        seen.append([stat.S_IMODE(beside.stat().st_mode) for beside in tmp_path.iterdir()])
        real(file)

    monkeypatch.setattr(os, "fsync", spied)
    write_whole(tmp_path / "x", b"new")
    assert seen == [[0o700] if way == "folder" else []]


def test_links_planted_at_guessed_names_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    victim, path = tmp_path / "victim", tmp_path / "x.svg"
    victim.write_text("precious")
    names = [".guessed", f".x.svg.{os.getpid()}.tmp", "x.svg.tmp", ".other"]
    monkeypatch.setattr(tempfile, "_get_candidate_names", lambda: iter(["guessed", "other", "free"]))
    for name in names:
        (tmp_path / name).symlink_to(victim)
    write_whole(path, b"new")
    assert victim.read_text() == "precious" and path.read_bytes() == b"new" and not path.is_symlink()
    assert {beside.name for beside in tmp_path.iterdir()} == {"victim", "x.svg", *names}


@posix
@pytest.mark.parametrize("old", [True, False])
def test_a_link_or_folder_at_the_temporary_name_is_not_followed(old: bool, tmp_path: Path, way: str) -> None:
    victim, path, part = tmp_path / "victim", tmp_path / "x.svg", tmp_path / ".x.svg.being-written"
    victim.write_text("precious")
    for plant in (partial(part.symlink_to, victim), part.mkdir):
        plant()
        if old:
            path.write_text("old")
        write_whole(path, b"new")
        assert victim.read_text() == "precious" and path.read_bytes() == b"new" and not path.is_symlink()
        assert {beside.name for beside in tmp_path.iterdir()} - {part.name} == {"victim", "x.svg"}
        if way == "nameless":
            assert not part.is_symlink()
        if part.is_symlink():
            part.unlink()
        path.unlink()


def test_a_long_name_is_not_an_obstacle(tmp_path: Path, way: str) -> None:
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


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_text("old")
    (tmp_path / "second").symlink_to("folder/real")
    (tmp_path / "first").symlink_to(tmp_path / "second")
    write_whole(tmp_path / "first", b"new")
    assert (tmp_path / "folder" / "real").read_bytes() == b"new"
    assert (tmp_path / "first").is_symlink() and (tmp_path / "second").is_symlink()
    assert len([*tmp_path.iterdir()]) == 3 and len([*(tmp_path / "folder").iterdir()]) == 1


@pytest.mark.parametrize("target", ["nowhere.svg", "nowhere/x.svg", "second"])
def test_a_link_to_a_file_that_does_not_exist_is_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "second").symlink_to("nothing")
    (tmp_path / "x.svg").symlink_to(target)
    with pytest.raises(
        FileNotFoundError, match=rf"it is a link to '{target}', which does not exist; make that file or"
    ) as refusal:
        write_whole(tmp_path / "x.svg", b"new")
    assert refusal.value.filename == str(tmp_path / "x.svg")
    assert {path.name for path in tmp_path.iterdir()} == {"second", "x.svg"}


@pytest.mark.parametrize("name", ["\ud800.svg", "a\0b.svg", "\ud800/x.svg", "line\nbreak/x", "\u202egvs/x", "\x1b[2J/x"])
def test_impossible_and_unprintable_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError) as refusal:
        write_whole(tmp_path / name, b"new")
    assert str(refusal.value).isprintable() and refusal.value.filename == str(tmp_path / name)
    assert not [*tmp_path.iterdir()]


@linux
def test_a_name_of_undecodable_bytes_is_accepted(tmp_path: Path) -> None:
    write_whole(tmp_path / os.fsdecode(b"\xff.svg"), b"new")
    assert (tmp_path / os.fsdecode(b"\xff.svg")).read_bytes() == b"new"


@linux
def test_the_terminal_is_written_to() -> None:
    code = "from autograd.files import write_whole; write_whole('/dev/stdout', b'new')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout == b"new"
