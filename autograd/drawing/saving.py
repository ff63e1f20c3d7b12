"""Files that are written whole or not at all: first beside their place, then moved there in one step."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that an older file of this name stays as it was if anything goes wrong.

    The new file keeps the permissions of the older one.  Of several writers at once, one wins, with a whole file.

    Args:
        path: the file; a link stays a link, and a pipe or a device is written to directly.
        data: the new contents.

    Raises:
        FileNotFoundError: if the folder does not exist.
        IsADirectoryError: if the path is a folder.
        OSError: if nothing can be written there, for example because the path is a link to itself.
    """
    try:
        mode = path.stat().st_mode  # follows links, and refuses those that lead back to themselves
    except (FileNotFoundError, NotADirectoryError):
        mode = None
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} to; make it first")
    if mode is not None and not stat.S_ISREG(mode):
        path.write_bytes(data)
        return
    beside = path.with_name(f".{secrets.token_hex(8)}.part")  # nobody can guess the name and put a link there
    try:
        beside.touch(0o666 if mode is None else 0o600, exist_ok=False)
        beside.write_bytes(data)
        if mode is not None:
            beside.chmod(stat.S_IMODE(mode))
        beside.replace(path)
    except OSError as error:  # name the requested file, not the one beside it
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
