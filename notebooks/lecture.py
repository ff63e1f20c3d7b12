"""Helpers that the notebooks share: tables of results, and a stopwatch.

>>> table("step, w:+.4f, E:.3f", [(0, 0.3, 0.19614), (10, -0.80001, 0.0071)])
step         w       E
   0   +0.3000   0.196
  10   -0.8000   0.007
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["stopwatch", "table"]


def table(columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in columns, text to the left and numbers to the right.

    Args:
        columns: the headings, separated by commas; after a colon, the format of its numbers.
        rows: one or more rows, each with its entries, numbers or text.

    Raises:
        ValueError: for a row with more or fewer entries than there are columns.
    """
    heads = [column.strip().partition(":") for column in columns.split(",")]
    entries = [list(row) for row in rows]
    lines = [[head for head, _, _ in heads]]
    for row in entries:
        pairs = zip(row, heads, strict=True)
        lines.append([x if isinstance(x, str) else format(x, spec) for x, (_, _, spec) in pairs])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    is_text = [all(isinstance(x, str) for x in column) for column in zip(*entries, strict=True)]
    for line in lines:
        cells = zip(line, widths, is_text, strict=True)
        print("   ".join(x.ljust(n) if left else x.rjust(n) for x, n, left in cells).rstrip())


@contextmanager
def stopwatch(what: str) -> Iterator[None]:
    """Print how long a block took, a time that differs from run to run and is not stored."""
    start = time.perf_counter()
    yield
    print(f"⏱ {what}: {time.perf_counter() - start:.3g} s")
