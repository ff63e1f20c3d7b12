"""Files that are there whole or not at all: written beside their place first, then put there in one move."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whatever goes wrong, an older file of this name stays as it was.

    Args:
        path: the file; a link stays one, and what is no file, such as a pipe, is written to where it is.
        data: what it is to hold.

    Raises:
        FileNotFoundError: if the folder does not exist.
        IsADirectoryError: if the path is a folder.
        OSError: if nothing can be written there.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} to; make it first")
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:  # told of the file that was asked for, not of the one beside it
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
