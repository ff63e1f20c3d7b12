"""The two third-party programs that the site runs: Pyodide, which is Python, and viz-js, which is Graphviz.

Their versions and the digests of their files are pinned here, from npm's packages.  The browser compares each file with its
digest when it loads it, and so does `collect` when it copies one.

>>> [program.folder for program in PROGRAMS]
['pyodide', 'viz']
>>> PROGRAMS[0].address("pyodide.mjs")
'https://cdn.jsdelivr.net/npm/pyodide@314.0.7/pyodide.mjs'
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["CDN", "PROGRAMS", "Program", "VendorError", "collect", "digest"]

CDN: Final = "https://cdn.jsdelivr.net/npm"


class VendorError(ValueError):
    """A file to be copied is missing, or differs from the pinned one."""


class Program(NamedTuple):
    """An npm package.

    Attributes:
        name, version: as npm has them.
        folder: its folder in the site.
        files: the files that are used, by path in the package: the size in bytes, and the digest as in ``integrity``.
    """

    name: str
    version: str
    folder: str
    files: Mapping[str, tuple[int, str]]

    def address(self, file: str) -> str:
        """Return the address of a file on the public CDN for npm's packages."""
        return f"{CDN}/{self.name}@{self.version}/{file}"


PROGRAMS: Final = (
    Program(
        "pyodide",
        "314.0.7",
        "pyodide",
        {
            "pyodide.mjs": (17_931, "sha384-Lp79fMwxa4n2BLtugpUAoQMlbxIdg8iCUiP1r3h7nJLkQjwlXT1JzZTeHVL+f4Dg"),
            "pyodide.asm.mjs": (1_250_344, "sha384-/2281iaC0Iimw0B3Kagy1DBfZcJG3W4KYW+EmOqhsdY3fR9BJ88FE2Zt6y0KQKpa"),
            "pyodide.asm.wasm": (9_598_218, "sha384-y++qrQ72KPA1fTjLIuGMP+jppgGxjbLCgfdb0zMrnNnQVhxRUXTOTF6rTxNzllSu"),
            "python_stdlib.zip": (2_545_637, "sha384-xW3A5jmenkrPXbsgrIaB1FCJh9OuLT7FRMagsJMgtlhVc19k/mSy3+7nMaF/d767"),
            "pyodide-lock.json": (119_077, "sha384-o8SQQvpVlZnOl04+3dFTJipKxul9GbViVusA379wlOrfHSgxbzt0yPiqCTxOiYES"),
        },
    ),
    Program(
        "@viz-js/viz",
        "3.31.0",
        "viz",
        {
            "dist/viz.js": (1_188_719, "sha384-1K1CIg5RxaUbqpwmMN9nDsPTCO5QMIP2wKBsI5ycbs8Nv74aLuM14Jqo+ayxLE21"),
        },
    ),
)


def digest(data: bytes) -> str:
    """Return the digest of a file, as in the attribute ``integrity``.

    >>> digest(b"")
    'sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb'
    """
    return f"sha384-{base64.b64encode(hashlib.sha384(data).digest()).decode()}"


def collect(modules: Path) -> Iterator[tuple[str, bytes]]:
    """Read the files from npm's folder ``node_modules``; yield the path of each in the site, and its contents.

    Raises:
        VendorError: if one is missing, or differs from the pinned one.
    """
    for program in PROGRAMS:
        command = f"npm install {program.name}@{program.version}"
        for file, (_, expected) in program.files.items():
            path = modules / program.name / file
            try:
                data = path.read_bytes()
            except OSError as error:
                raise VendorError(f"{path} cannot be read: {error.strerror}; run `{command}`") from None
            if digest(data) != expected:
                raise VendorError(f"{path} is not the file of version {program.version}: its digest is {digest(data)}, and "
                                  f"{expected} is pinned; run `{command}`")  # fmt: skip
            yield f"{program.folder}/{Path(file).name}", data
