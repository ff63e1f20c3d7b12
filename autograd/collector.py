"""The cyclic garbage collector, kept off while graphs are made: they have no cycles, and it would visit all their nodes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cyclic garbage collector off inside the block, and restore it afterwards, whatever happens.

    Graphs have no reference cycles, so it finds nothing to free in them; but it looks at every live node again and again,
    which takes most of the time of a training step.

    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    was_on = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_on:
            gc.enable()
