"""A wheel of this project for the page, made from the installed packages: a ZIP archive, the same bytes each time.

It leaves out the rooms that need packages missing in a browser, and the command line, scripts and documentation, which the page
does not use.

>>> name, data = make_wheel()
>>> name.startswith("scalar_autograd-"), name.endswith("-py3-none-any.whl"), data[:2], data == make_wheel()[1]
(True, True, b'PK', True)

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

__all__ = ["make_wheel"]

PROJECT: Final = "scalar-autograd"
PACKAGES: Final = ("autograd", "nn")
WHEEL: Final = "Wheel-Version: 1.0\nGenerator: autograd.site\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
LEFT_OUT: Final = (
    "autograd/__main__.py", "autograd/compiler/", "autograd/strategies.py", "autograd/checking/pytest_plugin.py",
    "autograd/site/server.py", "autograd/site/site.css", "autograd/site/site.html",
)  # fmt: skip
UNUSED: Final = (".js", ".md")  # the page has the scripts already
WHEN: Final = (1980, 1, 1, 0, 0, 0)  # the earliest date that a ZIP archive can hold


def make_wheel() -> tuple[str, bytes]:
    """Return the name and the contents of a wheel of the packages as they are installed.

    Raises:
        PackageNotFoundError: if the project was not installed by pip, so that its name and version are not known.
    """
    try:
        about = distribution(PROJECT)
    except PackageNotFoundError:
        raise PackageNotFoundError(f"{PROJECT} runs from its sources here; `pip install .` installs it") from None
    stem = f"{PROJECT.replace('-', '_')}-{about.version}"
    installed = dict(pair for package in PACKAGES for pair in _files(files(package), package))
    contents = {path: data for path, data in installed.items() if not path.startswith(LEFT_OUT) and not path.endswith(UNUSED)}
    info = f"{stem}.dist-info"
    # In a clone, Python finds the egg-info folder of setuptools first, in which the file is called PKG-INFO.
    metadata = about.read_text("METADATA") or about.read_text("PKG-INFO") or ""
    headers, _, _ = metadata.partition("\n\n")  # what follows is the README
    contents[f"{info}/METADATA"] = f"{headers}\n".encode()
    contents[f"{info}/WHEEL"] = WHEEL.encode()
    contents[f"{info}/RECORD"] = "".join([*(f"{path},{_hash(contents[path])},{len(contents[path])}\n" for path in contents),
                                      f"{info}/RECORD,,\n"]).encode()  # fmt: skip
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        for path, data in contents.items():
            entry = zipfile.ZipInfo(path, WHEN)
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return f"{stem}-py3-none-any.whl", archive.getvalue()


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    """Go through the files of a package in the order of their names, without hidden and compiled ones."""
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        inside = f"{path}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, inside)
        elif not entry.name.startswith(".") and not entry.name.endswith(".pyc"):
            yield inside, entry.read_bytes()


def _hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
