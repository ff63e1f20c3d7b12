"""Turns tables of any kind into lists: arrays, DataFrames, masked arrays, sparse matrices.

Other packages are recognised by the methods that their tables have, so none is imported that the caller did not use.

>>> listed((1.0, 2.0)), listed(5.0)
([1.0, 2.0], None)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from autograd import Value

__all__ = ["dense", "flat", "listed", "naming", "nested", "order_notes", "rows_of", "shape_of", "short"]


def dense(x: Any) -> Any:
    """Return a table as a NumPy array, a row for each example, and everything else unchanged.

    Args:
        x: a DataFrame, a Series, a sparse or masked array, a ``numpy.matrix``, or anything else.

    Raises:
        ValueError: for a masked array with masked entries.
        TypeError: for complex numbers, dates and records, and for a table of objects that cannot become an array.
    """
    if isinstance(x, list | tuple | dict | float | int | Value):
        return x
    if hasattr(x, "toarray"):  # sparse
        x = x.toarray()
    if hasattr(x, "filled") and x.mask.any():  # as a plain array, it would show what the mask hides
        first = [int(axis[0]) for axis in x.mask.nonzero()]
        raise ValueError(f"masked entries: {int(x.mask.sum())}, the first at {first}; fill them, or leave these examples out")
    if not hasattr(x, "__array__"):
        return x
    array = import_module("numpy").asarray(x)
    if array.dtype.kind not in "biufOSU":
        raise TypeError(f"numbers are needed, not entries of type {array.dtype}; got {short(repr(x))}")
    return array


def order_notes(X: Any, y: Any) -> list[str]:
    """Return a note if two tables of pandas have the same labels of rows in different orders, as after shuffling only one."""
    if not (hasattr(X, "iloc") and hasattr(y, "iloc")) or X.index.equals(y.index):
        return []
    if not X.index.is_unique or {*X.index} != {*y.index}:
        return []
    return ["inputs and targets are paired by position, although their labels are in different orders; to pair them by label, "
            "pass y.loc[X.index]"]  # fmt: skip


def listed(x: Any) -> list[Any] | None:
    """Return a sequence or a table as a list, or None for anything else; an array's numbers become Python's."""
    if x.__class__ is list:
        return list(x)
    x = nested(dense(x))
    return list(x) if isinstance(x, Sequence) and not isinstance(x, str | bytes | bytearray) else None


def nested(x: Any) -> Any:
    """Return an array as nested lists of Python's numbers, and everything else unchanged."""
    return x.tolist() if not isinstance(x, dict) and hasattr(x, "tolist") else x


def flat(x: Any) -> Iterator[Any]:
    """Iterate over the innermost items of nested lists."""
    if isinstance(x, list):
        for part in x:
            yield from flat(part)
    else:
        yield x


def rows_of(name: str, x: Any) -> Any:
    """Return examples or targets as a list, or as an array of numbers if they came in a table.

    Args:
        name: of the argument, for messages.
        x: an entry for each example.

    Raises:
        TypeError: for anything but a sequence or a table, and for entries that are not numbers.
        ValueError: for masked entries.

    >>> rows_of("X", [(1.0, 2.0), [3.0, 4.0]])
    [[1.0, 2.0], [3.0, 4.0]]
    """
    with naming(name):
        table = dense(x)
        if getattr(table, "shape", ()) and table.dtype != object:
            return table  # as a list, a large one would not fit into memory
        rows = listed(table)
        if rows is not None:
            return [row if row.__class__ is float else _row(row) for row in rows]
    raise TypeError(f"{name} is a list or an array, with an entry for each example; got {short(repr(x))}")


class naming:
    """A context manager that puts a place in front of the message of a RuntimeError, TypeError or ValueError.

    Subclasses, whose arguments may have a meaning of their own, stay as they are.  It is a class and not a generator because
    it surrounds every example, where a generator takes twice as long.

    >>> with naming("example 3"):
    ...     float("x")
    Traceback (most recent call last):
    ValueError: example 3: could not convert string to float: 'x'
    """

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is not None and kind in (RuntimeError, TypeError, ValueError):
            error.args = (f"{self.place}: {error}",)


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the length of a nested list, of its first entry, and so on; other entries are not inspected.

    >>> shape_of(1.0), shape_of([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    ((), (3, 2))
    """
    shape: list[int] = []
    while isinstance(x, list):
        shape.append(len(x))
        x = x[0] if x else None
    return tuple(shape)


def _row(x: Any) -> Any:
    """Return an example as nested lists if it is a tuple or a table, else unchanged."""
    if isinstance(x, tuple) or (isinstance(x, list) and x and hasattr(x[0], "__array__")):
        return [_row(item) for item in x]
    return nested(dense(x))


def short(text: str, most: int = 200) -> str:
    """Return a text, cut off with … after `most` characters."""
    return text if len(text) <= most else f"{text[:most]}…"
