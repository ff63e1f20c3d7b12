"""Files that are written whole or not at all: the only code of both packages that writes to the disk.

>>> path = Path(tempfile.mkdtemp()) / "steps.json"
>>> write_whole(path, b"[]")
>>> path.read_bytes(), [beside.name for beside in path.parent.iterdir()]
(b'[]', ['steps.json'])
"""

from __future__ import annotations

import contextlib
import errno
import operator
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from autograd.writing import printable

__all__ = ["cache_folder", "printable", "write_whole"]

BINARY = getattr(os, "O_BINARY", 0)  # on Windows, which changes line breaks without it


def cache_folder() -> Path:
    """Return the folder for files that can be computed again, and make it if it is missing.

    It is ``scalar-autograd`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.  Code is loaded from there, so it belongs to this user
    and is closed to others.

    Raises:
        OSError: if it cannot be made, or belongs to another user.
        RuntimeError: if this user has no home folder.

    Source: https://specifications.freedesktop.org/basedir-spec/latest
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The specification wants a relative path to be ignored.
    folder = (base if base.is_absolute() else Path.home() / ".cache") / "scalar-autograd"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):  # on Windows a user's folders are closed to others, and have neither owner nor mode here
        status = folder.stat()
        if status.st_uid != os.getuid():
            raise OSError(errno.EPERM, "code is loaded from this folder, and it belongs to another user", str(folder))
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            folder.chmod(0o700)
    return folder


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step, so that every reader finds either the old contents or the new ones, complete.

    Several threads and processes may write to one path: the last write wins.  A file that is replaced keeps its permissions
    and, as far as the system allows, its owner.  If anything fails, the old file stays as it was and nothing else is left.

    Signals wait until this thread has written the file, but another thread may receive one that ends the process.  On Linux,
    nothing is left of the data then, because the new file has no name until it is whole.  There is one exception: in the last
    moment before an old file is replaced (about ten microseconds), such a signal leaves the new file beside it, whole, under
    the name `.NAME.being-written`; the next write to the path removes it.  On other systems, on file systems without nameless
    files (NFS, for example) and for names of more than 240 bytes, a private folder with the data remains beside the target.

    Args:
        path: the file; a link to a file stays a link, and a pipe or a device is written to directly.
        data: the new contents.

    Raises:
        FileNotFoundError: if the folder does not exist, or the path is a link to a file that does not exist.
        IsADirectoryError: if the path is a folder.
        OSError: if the file cannot be written, for example because the disk is full, the path is a link that leads back to
            itself, or no file can have this name.
    """
    path = Path(path)
    try:
        old = _status(path)
        if old is None or stat.S_ISREG(old.st_mode):
            with _signals_held_back():
                _replace(path.resolve(), data, old)
        else:
            path.write_bytes(data)
    except OSError as error:  # name the requested file, not the one beside it
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    except ValueError as error:  # of a null character or a lone surrogate
        raise OSError(errno.EINVAL, f"no file can have this name: {error}", str(path)) from None


def _status(path: Path) -> os.stat_result | None:
    """Return the status of the file that a path leads to, or None if a new one can be made there."""
    try:
        return path.stat()  # follows links, and refuses those that lead back to themselves
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            there = str(path.readlink())
            problem = f"it is a link to {there!r}, which does not exist; make that file or remove the link"
        elif not path.parent.is_dir():
            folder = str(path.parent.resolve())
            problem = f"there is no folder {folder!r} to write {printable(path.name)} to; make that folder first"
        else:
            return None
        raise OSError(errno.ENOENT, problem) from None


def _replace(path: Path, data: bytes, old: os.stat_result | None) -> None:
    if not any(_replace_nameless(path, data, old) for _ in range(3)):  # a killed or competing process may have taken the name
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder, "part")
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)  # less the user's umask
            try:
                _fill(file, data, old)
            finally:
                os.close(file)
            part.replace(path)


def _replace_nameless(path: Path, data: bytes, old: os.stat_result | None) -> bool:
    """Write a file that has no name, and name it; return False if the system or a file of that name prevents it."""
    try:
        flags = os.O_TMPFILE | os.O_WRONLY  # on Linux only
        import ctypes  # which some builds of Python lack

        file = os.open(path.parent, flags, 0o666)
    except (AttributeError, ImportError, OSError):
        return False
    try:
        _fill(file, data, old)
        libc = ctypes.PyDLL(None)  # unlike `os`, it keeps the GIL, so that no Python thread runs between link and rename
        target, part = os.fsencode(path), os.fsencode(path.with_name(f".{path.name}.being-written"))
        link = partial(libc.linkat, -1, b"/proc/self/fd/%d" % file, -1)
        follow = 0x400  # AT_SYMLINK_FOLLOW: from the entry in /proc to the file
        steps = [partial(link, part, follow), partial(libc.rename, part, target)] if old else [partial(link, target, follow)]
        failed = any(map(operator.call, steps))  # a loop in C: between two calls from Python, threads could switch
        libc.unlink(part)  # left by a process that was killed, or not moved
        return not failed
    finally:
        with contextlib.suppress(OSError):  # `fsync` has reported what can go wrong
            os.close(file)


def _fill(file: int, data: bytes, old: os.stat_result | None) -> None:
    """Write the data to an open file, with the owner and the permissions of the old one."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
    if old is not None and hasattr(os, "fchown"):  # which Windows does not have
        with contextlib.suppress(PermissionError):  # only root can give a file away
            os.fchown(file, old.st_uid, old.st_gid)
        os.fchmod(file, stat.S_IMODE(old.st_mode))
    os.fsync(file)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let signals such as Ctrl-C and those of `kill` wait until this thread has finished writing."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
