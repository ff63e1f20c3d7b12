"""The arguments of `Program.train`, checked: native code would read and write beyond its arrays without a word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.layout import Array

__all__ = ["places_of", "require_states"]


def places_of(batches: Sequence[Sequence[int]], n: int) -> tuple[Array, list[int]]:
    """Return the places of the examples of all batches, one after the other, and the sizes of the batches.

    Args:
        batches: for each step the places of its examples.
        n: the number of examples.

    Raises:
        TypeError: for anything but lists of ints.
        ValueError: for no batch, an empty one, and places outside the examples.

    >>> places_of([[0, 2], [1]], 3)
    (array([0, 2, 1]), [2, 1])
    """
    try:
        sizes = [len(batch) for batch in batches]
        places = np.array([*chain.from_iterable(batches)])
    except (TypeError, ValueError):
        sizes, places = [1], np.array([None])
    if not sizes or 0 in sizes:
        which = f"batch {sizes.index(0)} is empty" if sizes else "there is none"
        raise ValueError(f"batches needs the place of at least one example for each step, and at least one step; {which}")
    if places.dtype.kind not in "iu" or places.ndim != 1:
        raise TypeError("batches lists for each step the places of its examples, as ints, such as [[0, 1], [2]]; "
                        f"got {batches!r:.70}")  # fmt: skip
    if places.min() < 0 or places.max() >= n:
        wrong = next(place for place in places.tolist() if not 0 <= place < n)
        raise ValueError(f"batches names the example {wrong}; the places of {n} examples are 0 to {n - 1}")
    return places, sizes


def require_states(states: Any, parameters: Array) -> None:
    """Raise unless states can be changed in place: an array [states×parameters] of the parameters' dtype."""
    is_array = isinstance(states, np.ndarray) and states.ndim == 2 and states.shape[1] == parameters.size
    if not is_array or states.dtype != parameters.dtype or not states.flags.writeable:
        found = f"an array of {states.dtype}, of shape {states.shape}" if isinstance(states, np.ndarray) else f"{states!r:.70}"
        raise ValueError(f"states is changed in place: a writeable array of {parameters.dtype}, of shape (states, "
                         f"{parameters.size}), a number for each parameter; got {found}")  # fmt: skip
