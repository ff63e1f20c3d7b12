"""Data to learn from.

Every function returns inputs and targets, ``X, y``: lists with an entry for each example, as `nn.fit` takes them.
Random data take a seed.

>>> truth_table("and")
([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 0, 1])
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from importlib import import_module
from itertools import product
from numbers import Real
from pathlib import Path
from random import Random
from typing import IO, Any, Final, cast

from autograd.files import printable
from nn.layers import generator, normal

__all__ = ["GATES", "digits", "mnist", "moons", "parity", "read_idx", "truth_table"]

Rows = list[list[float]]
BLOCK: Final = 1 << 20  # bytes that are read at a time

# Outputs for the inputs 00, 01, 10, 11.  A line separates the ones from the zeros in all but the last two.
GATES: Final[Mapping[str, list[int]]] = {
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "nand": [1, 1, 1, 0],
    "nor": [1, 0, 0, 0],
    "xor": [0, 1, 1, 0],
    "xnor": [1, 0, 0, 1],
}


def truth_table(name: str) -> tuple[Rows, list[int]]:
    """Return the four inputs of a gate and its outputs.

    Args:
        name: one of `GATES`.

    Raises:
        ValueError: for any other name.

    >>> truth_table("xor")[1]
    [0, 1, 1, 0]
    """
    if not (isinstance(name, str) and name in GATES):
        raise ValueError(f"unknown gate {name!r}; choose from {', '.join(GATES)}")
    return [[float(a), float(b)] for a, b in product((0, 1), repeat=2)], list(GATES[name])


def parity(n_bits: int = 10) -> tuple[Rows, list[int]]:
    """Return all binary numbers of `n_bits` bits, in order, the highest bit first, with target 1 for each that is even.

    Raises:
        ValueError: for anything but a whole number of bits from 1 to 20.

    >>> X, y = parity(3)
    >>> X[6], y[6], y[7]
    ([1.0, 1.0, 0.0], 1, 0)
    """
    if not (hasattr(n_bits, "__index__") and 1 <= n_bits <= 20):
        raise ValueError(f"n_bits is a whole number from 1 to 20, since all 2ⁿ numbers are made; got {n_bits!r}")
    X = [[float(bit) for bit in f"{number:0{int(n_bits)}b}"] for number in range(2**n_bits)]
    return X, [int(number % 2 == 0) for number in range(2**n_bits)]


def moons(n: int = 100, noise: float = 0.1, seed: int | Random | None = None) -> tuple[Rows, list[int]]:
    """Return points on two interleaving half circles, the upper one class 0 and the lower one class 1.

    Args:
        n: number of points; the two classes take turns.
        noise: standard deviation of the normal noise added to each coordinate.
        seed: an int for the same points every time, or a `random.Random` to draw from.

    Raises:
        ValueError: for fewer than two points, and for noise that is negative or not finite.

    >>> X, y = moons(4, noise=0.0)
    >>> [[round(a, 6) for a in x] for x in X], y
    ([[1.0, 0.0], [0.0, 0.5], [-1.0, 0.0], [2.0, 0.5]], [0, 1, 0, 1])
    """
    if not (hasattr(n, "__index__") and n >= 2):
        raise ValueError(f"n is a whole number, at least 2, for a point of each class; got {n!r}")
    if not (isinstance(noise, Real) and 0 <= noise < math.inf):
        raise ValueError(f"noise is a standard deviation, a finite number, 0 or more; got {noise!r}")
    rng, noise = generator(seed), float(noise)
    X: Rows = []
    for i in range(n):
        label = i % 2
        n_points = (n + 1 - label) // 2  # of this class
        angle = math.pi * (i // 2) / max(n_points - 1, 1)
        a, b = math.cos(angle), math.sin(angle)
        point = (1 - a, 0.5 - b) if label == 1 else (a, b)
        X.append([coordinate + noise * normal(rng, 1, 1) for coordinate in point])
    return X, [i % 2 for i in range(n)]


def digits() -> tuple[Rows, list[int]]:
    """Return 1,797 handwritten digits of 8×8 pixels, scaled to the range from 0 to 1, and which digit each is.

    They come with scikit-learn, so nothing is downloaded.

    Raises:
        ImportError: without scikit-learn, with what to install.

    Source: Alpaydin, Kaynak, Optical recognition of handwritten digits, UCI Machine Learning Repository, 1998.
    """
    try:
        datasets = import_module("sklearn.datasets")
    except ImportError:
        raise ImportError("the digits come with scikit-learn; install scikit-learn") from None
    bunch = datasets.load_digits()
    return (bunch.data / 16.0).tolist(), bunch.target.tolist()


def mnist(folder: str | os.PathLike[str], part: str = "train") -> tuple[Any, Any]:
    """Return MNIST's handwritten digits from the four files in a folder, compressed with gzip or not.

    Args:
        folder: where ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and so on are, with or without ``.gz``; or
            ``train-images.idx3-ubyte`` and so on.
        part: ``"train"`` or ``"test"``.

    Returns:
        Two NumPy arrays of bytes: the images, a row of pixels from 0 to 255 each, and which digit each is.

    Raises:
        FileNotFoundError: naming the file that is missing.
        ValueError: naming the file that is cut off or in another format.

    Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits, 1998.
    """
    prefixes = {"train": "train", "test": "t10k"}
    if not (isinstance(part, str) and part in prefixes):
        raise ValueError(f"part is 'train' or 'test'; got {part!r}")
    import numpy as np

    image_file = _find(Path(folder), f"{prefixes[part]}-images-idx3-ubyte")
    label_file = _find(Path(folder), f"{prefixes[part]}-labels-idx1-ubyte")
    (n, *size), pixels = read_idx(image_file, dimensions=3)
    (n_labels,), labels = read_idx(label_file, dimensions=1)
    if n != n_labels:
        files = f"images in {image_file}: {n}, labels in {label_file}: {n_labels}"
        raise ValueError(f"{printable(files)}; they do not belong together")
    if max(labels, default=0) > 9:
        raise ValueError(f"{printable(str(label_file))} has the label {max(labels)}; a digit is 0 to 9")
    return np.frombuffer(pixels, np.uint8).reshape(n, math.prod(size)), np.frombuffer(labels, np.uint8)


def read_idx(path: str | os.PathLike[str], dimensions: int) -> tuple[tuple[int, ...], bytes]:
    """Read a file of bytes in the IDX format, compressed with gzip or not.

    The format: two zero bytes, 8 for "unsigned bytes", the number of dimensions; then each dimension's size as four bytes,
    big-endian; then the bytes.

    Args:
        path: the file.
        dimensions: how many there should be, 1 to 255.

    Returns:
        The sizes and the bytes.

    Raises:
        ValueError: if header, sizes or length are wrong, or the compressed data are damaged, and for other dimensions.
    """
    if not (hasattr(dimensions, "__index__") and 1 <= dimensions <= 255):
        raise ValueError(f"dimensions is a whole number from 1 to 255; got {dimensions!r}")
    import gzip
    import zlib

    with Path(path).open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            return _read_idx(cast(IO[bytes], gzip.open(file) if compressed else file), printable(str(path)), dimensions)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{printable(str(path))} is damaged or cut off: {error}") from None


def _read_idx(file: IO[bytes], name: str, dimensions: int) -> tuple[tuple[int, ...], bytes]:
    start = 4 + 4 * dimensions
    head = file.read(start)
    if head[:4] != bytes([0, 0, 8, dimensions]):
        raise ValueError(f"{name} is not an IDX file of bytes with {dimensions} dimension{'s' * (dimensions > 1)}: "
                         f"it begins with {head[:4].hex(' ') or 'no byte'}, not 00 00 08 {dimensions:02x}")  # fmt: skip
    if len(head) < start:
        raise ValueError(f"{name} is cut off within its header, after {len(head)} bytes of {start}")
    sizes = struct.unpack(f">{dimensions}I", head[4:])
    length, content = math.prod(sizes), bytearray()
    # The header is not trusted: memory grows with the bytes read, and at most one more than promised is unpacked.
    while len(content) <= length and (block := file.read(min(BLOCK, length + 1 - len(content)))):
        content += block
    if len(content) != length:
        shape = "×".join(map(str, sizes))
        holds = "more" if len(content) > length else f"{len(content)}"
        raise ValueError(f"{name} should hold {shape} = {length} bytes; it holds {holds}")
    return sizes, bytes(content)


def _find(folder: Path, name: str) -> Path:
    dotted = name.replace("-idx", ".idx")  # the name that some unpackers give it
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise FileNotFoundError(f"there is no {name} or {name}.gz in {printable(str(folder))}")
