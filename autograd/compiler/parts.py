"""Parts of arrays, as instructions use them and as equations name them: an entry, a range along each axis, or several.

A part is an index: the slots of its entries, in any number of dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Final, NamedTuple

import numpy as np

from autograd.compiler.layout import Array, Instruction, Slots, strides
from autograd.compiler.schedule import BATCHED, PARAMETERS

__all__ = [
    "MOST_PARTS", "SOME", "Name", "distinct", "is_dot", "is_transposed", "is_whole", "once", "operands_of", "part_of", "rows",
]  # fmt: skip

MOST_PARTS: Final = 4  # listed one by one
SOME: Final = ""  # the subscripts of entries that have none in common, or that are in another order


class Name(NamedTuple):
    """What an equation calls an array.

    Attributes:
        words: one, such as ``layer1.w``; several for an array that consists of several.
        parts: for a name of parts, the subscripts of each, such as ``("1,0…2",)``; ``("1", SOME)`` are some entries of row 1.
    """

    words: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = ()


def part_of(words: tuple[str, ...], order: Array, index: Array, entries_of: Callable[[], Array]) -> Name:
    """Return the name of a part of an array.

    Args:
        words: those of the whole array.
        order: the slots of its entries, in their order.
        index: those of the part.
        entries_of: returns the indices of all entries, see `coordinates`; called only if the part is not the whole.

    >>> from functools import partial
    >>> from autograd.compiler.labels import coordinates
    >>> some, entries_of = ([6], [4, 5, 6, 7], [6, 5, 0], [3, 2, 1, 3, 0, 2]), partial(coordinates, (3, 4))
    >>> [part_of(("x",), np.arange(12), np.array(index), entries_of).parts for index in some]
    [(('1,2',),), (('1',),), (('1,2',), ('1,1',), ('0,0',)), (('0', ''),)]
    """
    slots = distinct(index)
    if is_whole(order, index, len(slots)):
        return Name(words)
    entries = entries_of()
    if place := _place(order, index, entries):
        return Name(words, ((place,),))
    sorter, listed = np.argsort(order), once(index).ravel()
    places = sorter[np.searchsorted(order, listed, sorter=sorter)]
    steps = np.diff(np.column_stack([places, entries[places]]), axis=0)
    ends = np.flatnonzero((steps[:, [0, -1]] != 1).any(axis=1)) + 1
    found = [_place(order, run, entries) for run in np.split(listed, ends)] if len(ends) < MOST_PARTS else [""]
    if all(found):
        return Name(words, tuple([(place,) for place in found]))
    inside = _place(order, slots, entries) if len(slots) < len(order) else ""
    return Name(words, ((inside, SOME) if inside else (SOME,),))


def _place(order: Array, index: Array, entries: Array) -> str:
    """Return the indices of slots in an array that is stored in an order, if they are a range along each axis; else "".

    >>> from autograd.compiler.labels import coordinates
    >>> some = ([6], [4, 5, 6, 7], [9, 10], [1, 2, 5, 6], [0, 2])
    >>> [_place(np.arange(12), np.array(index), coordinates((3, 4))) for index in some]
    ['1,2', '1', '2,1…2', '0…1,1…2', '']
    """
    places = np.flatnonzero(np.isin(order, index))
    n, chosen = len(places), entries[places]
    low, high = chosen.min(axis=0), chosen.max(axis=0)
    inside = np.logical_and.accumulate((low <= entries) & (entries <= high), axis=1).sum(axis=0)  # in the first axes, for each
    are_ranges = all(len(np.unique(numbers)) == b - a + 1 for numbers, a, b in zip(chosen.T, low, high, strict=True))
    is_in_order = is_whole(order[places], index, n) and (np.lexsort(chosen.T[::-1]) == range(n)).all()
    if not (is_in_order and are_ranges and inside[-1] == n):
        return ""
    axes = np.flatnonzero(inside == n)[0] + 1  # the others are whole
    return ",".join(str(a) if a == b else f"{a}…{b}" for a, b in zip(low[:axes], high[:axes], strict=True))


def is_whole(block: Array, index: Array, n: int) -> bool:
    """Return whether an index, with n different slots in a block, is all of it, each slot once: in its order, or transposed."""
    index = once(index)
    orders = (index.transpose(axes).ravel() for axes in permutations(range(index.ndim)))
    return n == block.size == index.size and any(np.array_equal(slots, block.ravel()) for slots in orders)


def once(index: Array) -> Array:
    """Return an index without the axes along which it only repeats, because numbers are combined with others there."""
    for axis in range(index.ndim):
        first = index.take([0], axis)
        index = first if (index == first).all() else index
    return index


def distinct(index: Array) -> Array:
    """Return the different slots of an index.  Measured: `np.unique` takes 30 times as long on slots that ascend already."""
    slots = np.sort(index, axis=None)
    return slots[np.concatenate([[True], slots[1:] != slots[:-1]])]


def operands_of(instruction: Instruction) -> list[tuple[Slots, int]]:
    """Return an instruction's operands, each with how often it is one: more than once for equal columns of a fold."""
    if instruction.kind != "fold":
        return [(slots, 1) for slots in instruction.operands]
    found = []
    for space, index in instruction.operands:  # [n×k]; equal columns are neighbours
        first = np.flatnonzero(np.concatenate([[True], (index[:, 1:] != index[:, :-1]).any(axis=0)]))
        counts = np.diff(first, append=index.shape[1]).tolist()
        are_blocks = len(index) > 1 and len(first) <= MOST_PARTS and (np.diff(index, axis=0) == 1).all()
        groups = [first] if len({*counts}) == 1 and not are_blocks else first.reshape(-1, 1)
        found += [(Slots(space, index[:, group]), n) for group, n in zip(groups, counts, strict=False)]
    return found


def is_dot(left: Slots, right: Slots) -> bool:
    """Return whether left factors weigh right ones: they are the same in all examples, and not both are parameters."""
    return left.space < BATCHED and not left.space == right.space == PARAMETERS


def rows(slots: Slots) -> Array:
    """Return the index of slots, row by row also for a transposed matrix."""
    return slots.index.swapaxes(-1, -2) if is_transposed(slots) else slots.index


def is_transposed(slots: Slots) -> bool:
    """Return whether slots [c×m×K] are stored column by column, as a transposed matrix is."""
    even = strides(slots.index)
    return slots.index.ndim == 3 and even is not None and 0 < even[1][1] < even[1][2]
