"""Files that are there whole or not at all: written beside their place first, then put there in one move."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whatever goes wrong, an older file of this name stays as it was.

    Raises:
        FileNotFoundError: if the folder does not exist.
        OSError: if nothing can be written there.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} to; make it first")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
