"""Data: generated data sets, and files that are read whole or refused by name."""

from __future__ import annotations

import gzip
import math
import os
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
import pytest

import nn.data
from nn.data import GATES, digits, mnist, moons, parity, read_idx, truth_table
from nn.tables import rows_of

ROOT = Path(__file__).parent.parent
MNIST = Path(os.environ.get("MNIST", ROOT.parent / "shared" / "data" / "mnist"))


def test_gates() -> None:
    logic: dict[str, Callable[[float, float], Any]] = {
        "and": lambda a, b: a and b,
        "or": lambda a, b: a or b,
        "xor": lambda a, b: a != b,
    }
    for name, gate in logic.items():
        X, y = truth_table(name)
        assert y == [int(gate(a, b)) for a, b in X]
        X, negated = truth_table({"and": "nand", "or": "nor", "xor": "xnor"}[name])
        assert negated == [1 - t for t in y]
    truth_table("xor")[1][0] = 5
    assert GATES["xor"] == [0, 1, 1, 0]
    with pytest.raises(ValueError, match="unknown gate 'not'; choose from and, or, nand, nor, xor, xnor"):
        truth_table("not")


def test_parity() -> None:
    X, y = parity()
    assert len(X) == len(y) == 1024
    assert [int("".join(str(int(bit)) for bit in x), 2) for x in X] == list(range(1024))
    assert y == [1, 0] * 512
    assert parity(1) == ([[0.0], [1.0]], [1, 0])
    for n in (0, 21):
        with pytest.raises(ValueError, match=f"n_bits .* from 1 to 20, .*; got {n}"):
            parity(n)


def test_the_longest_numbers_and_the_fewest_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.data, "range", lambda n: [n - 1], raising=False)  # make only the last of the 2²⁰ numbers
    assert parity(20) == ([[1.0] * 20], [0])
    monkeypatch.undo()
    assert moons(2, noise=0.0) == ([[1.0, 0.0], [0.0, 0.5]], [0, 1])


def test_moons() -> None:
    X, y = moons(201, noise=0.0)
    assert Counter(y) == {0: 101, 1: 100}
    for (a, b), target in zip(X, y, strict=True):
        centre, side = ((1.0, 0.5), -1) if target else ((0.0, 0.0), 1)
        assert math.hypot(a - centre[0], b - centre[1]) == pytest.approx(1.0) and side * (b - centre[1]) >= -1e-12
    for target in (0, 1):  # both moons reach from tip to tip
        across = [a for (a, _), t in zip(X, y, strict=True) if t == target]
        assert (min(across), max(across)) == pytest.approx((target - 1.0, target + 1.0))
    with pytest.raises(ValueError, match=r"n is .* at least 2, .*; got 1"):
        moons(1)
    for noise in (-1, math.nan, math.inf, "a"):
        with pytest.raises(ValueError, match="noise is a standard deviation, a finite number, 0 or more; got"):
            moons(4, noise=cast(float, noise))


def test_moons_have_noise_and_a_seed() -> None:
    plain, _ = moons(2000, noise=0.0)
    X, _ = moons(2000, noise=0.3, seed=1)
    away = np.array(X) - np.array(plain)
    assert abs(away.mean()) < 0.02 and away.std() == pytest.approx(0.3, rel=0.05)
    assert moons(20, seed=1) == moons(20, seed=Random(1)) != moons(20, seed=2)


def test_digits() -> None:
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    X, y = digits()
    assert len(X) == len(y) == 1797 and {len(x) for x in X} == {64} and set(y) == set(range(10))
    assert min(map(min, X)) == 0.0 and max(map(max, X)) == 1.0 and type(X[0][0]) is float and type(y[0]) is int


def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="install scikit-learn"):
        digits()


# MNIST's files


def idx(*sizes: int, data: bytes | None = None, magic: bytes = b"\0\0\x08") -> bytes:
    """Return an IDX file."""
    head = magic + bytes([len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
    return head + (bytes(i % 10 for i in range(math.prod(sizes))) if data is None else data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(4, 3, 2))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(4), mtime=0))
    return tmp_path


def test_files_are_read(folder: Path) -> None:
    images, labels = mnist(folder)
    assert images.shape == (4, 6) and images.dtype == labels.dtype == np.uint8
    assert images[1].tolist() == [6, 7, 8, 9, 0, 1] and labels.tolist() == [0, 1, 2, 3]
    assert read_idx(folder / "train-images-idx3-ubyte", 3)[0] == (4, 3, 2)


@pytest.mark.parametrize(("name", "content", "message"), [
    ("train-images-idx3-ubyte", idx(4, 3, 2)[:-1], "train-images-idx3-ubyte should hold 4×3×2 = 24 bytes; it holds 23"),
    ("train-images-idx3-ubyte", idx(4, 3, 2) + b"x", "it holds more"),
    ("train-images-idx3-ubyte", idx(4, 3, 2)[:9], "is cut off within its header, after 9 bytes of 16"),
    ("train-images-idx3-ubyte", b"", "is not an IDX file of bytes with 3 dimensions: it begins with no byte, not 00 00 08 03"),
    ("train-images-idx3-ubyte", idx(24), "it begins with 00 00 08 01, not 00 00 08 03"),
    ("train-images-idx3-ubyte", idx(4, 3, 2, magic=b"\0\0\x0d"), "it begins with 00 00 0d 03"),
    ("train-images-idx3-ubyte", b"<html>not found</html>", "it begins with 3c 68 74 6d"),
    ("train-images-idx3-ubyte", idx(5, 3, 2), "images in .*: 5, labels in .*train-labels-idx1-ubyte.gz: 4"),
    ("train-labels-idx1-ubyte.gz", gzip.compress(idx(4), mtime=0)[:-4], "train-labels-idx1-ubyte.gz is damaged or cut off"),
    ("train-labels-idx1-ubyte.gz", gzip.compress(idx(4), mtime=0)[:12], "is damaged or cut off"),
    ("train-labels-idx1-ubyte.gz", gzip.compress(idx(4), mtime=0)[:10] + b"\xff\xff\xff\xff", "is damaged or cut off"),
    ("train-labels-idx1-ubyte.gz", gzip.compress(idx(4)[:-1] + b"\x0a", mtime=0), "has the label 10; a digit is 0 to 9"),
    ("train-labels-idx1-ubyte.gz", gzip.compress(idx(4)[:-1], mtime=0), "should hold 4 = 4 bytes; it holds 3"),
])  # fmt: skip
def test_damaged_and_wrong_files_are_refused_by_name(name: str, content: bytes, message: str, folder: Path) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        mnist(folder)
    assert name in str(caught.value)


def test_labels_may_be_all_ten_digits_or_none(tmp_path: Path) -> None:
    for n in (10, 0):
        (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(n, 3, 2))
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(n))
        images, labels = mnist(tmp_path)
        assert images.shape == (n, 6) and labels.tolist() == [*range(n)]


def test_a_file_with_one_byte_more_than_a_whole_block_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(idx(nn.data.BLOCK, data=bytes(nn.data.BLOCK + 1)))
    with pytest.raises(ValueError, match="it holds more"):
        read_idx(tmp_path / "file", 1)
    (tmp_path / "file").write_bytes(idx(nn.data.BLOCK, data=bytes(nn.data.BLOCK)))
    assert read_idx(tmp_path / "file", 1) == ((nn.data.BLOCK,), bytes(nn.data.BLOCK))


@pytest.mark.parametrize("dotted", [True, False])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize(("part", "prefix"), [("train", "train"), ("test", "t10k")])
def test_the_files_are_found_under_all_their_usual_names(
    part: str, prefix: str, compressed: bool, dotted: bool, tmp_path: Path
) -> None:
    for kind, content in (("images-idx3-ubyte", idx(4, 3, 2)), ("labels-idx1-ubyte", idx(4))):
        name = f"{prefix}-{kind.replace('-idx', '.idx') if dotted else kind}" + ".gz" * compressed
        (tmp_path / name).write_bytes(gzip.compress(content, mtime=0) if compressed else content)
    images, labels = mnist(tmp_path, part)
    assert images.shape == (4, 6) and labels.tolist() == [0, 1, 2, 3]


def test_names_in_messages_are_printable(tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[2J\u202e"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match=r"in .*\\x1b\[2J\\u202e$"):
        mnist(folder)
    for content, message in [(b"", "is not an IDX file"), (gzip.compress(idx(4), mtime=0)[:-4], "is damaged or cut off")]:
        (folder / "file").write_bytes(content)
        with pytest.raises(ValueError, match=message) as refusal:
            read_idx(folder / "file", 1)
        assert str(refusal.value).isprintable()


def test_missing_files_are_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no t10k-images-idx3-ubyte or "):
        mnist(folder, "test")
    with pytest.raises(ValueError, match="part is 'train' or 'test'; got 'validation'"):
        mnist(folder, "validation")


@pytest.mark.skipif(not MNIST.is_dir(), reason="MNIST is not here; name its folder in the environment variable MNIST")
@pytest.mark.parametrize(("part", "n", "counts"), [
    ("train", 60_000, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
    ("test", 10_000, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
])  # fmt: skip
def test_mnist(part: str, n: int, counts: list[int]) -> None:
    images, labels = mnist(MNIST, part)
    assert images.shape == (n, 784) and np.bincount(labels).tolist() == counts
    assert (images.min(), images.max()) == (0, 255)


def test_a_table_of_numbers_stays_a_table_and_one_of_objects_becomes_lists() -> None:
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert rows_of("X", table) is table
    assert rows_of("X", table.astype(object)) == [[1.0, 2.0], [3.0, 4.0]]
    images = [[np.array([1, 2]), np.array([3, 4])], ([5], np.array([6]))]
    assert repr(rows_of("X", images)) == "[[[1, 2], [3, 4]], [[5], [6]]]"  # nested lists, to any depth


@pytest.mark.parametrize("name", [["xor"], {}, None, "XOR"])
def test_a_name_of_any_other_type_is_refused_like_an_unknown_one(name: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^unknown gate .*; choose from and, or"):
        truth_table(name)
    with pytest.raises(ValueError, match=r"^part is 'train' or 'test'; got "):
        mnist(tmp_path, name)


@pytest.mark.parametrize("dimensions", [0, -1, 256, "1", None, 1.0])
def test_the_number_of_dimensions_is_a_byte(dimensions: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(4))
    with pytest.raises(ValueError, match=r"^dimensions is a whole number from 1 to 255; got "):
        read_idx(file, dimensions)


def test_noise_of_any_type_gives_floats() -> None:
    noises: list[Any] = [np.float32(0.1), np.float64(0.1), 1, Fraction(1, 10)]
    assert {type(a) for noise in noises for x in moons(4, noise, seed=1)[0] for a in x} == {float}
