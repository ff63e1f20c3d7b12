"""What labels have in common, without the numbers that count them.

A number in a label counts if it differs among labels that are otherwise alike.

>>> weights = alike(["layer1.neuron0.w0", "layer1.neuron0.w1", "layer1.neuron1.w0", "layer1.neuron1.w1"])
>>> [(group.words, group.differ) for group in weights]
[(('layer', '.neuron', '.w', ''), {1, 2})]
>>> counted = {group.words: group.differ for group in weights}
>>> words_of(alike(["layer2.neuron0.w0", "layer2.neuron0.w1"]), counted)[0]
('layer2.w',)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

__all__ = ["Alike", "Counted", "alike", "coordinates", "is_in_path", "words_of"]

DIGITS: Final = re.compile("[0-9]+")
ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
Counted: TypeAlias = dict[tuple[str, ...], set[int]]  # for the words of a label, the numbers between them that count


class Alike(NamedTuple):
    """Labels that differ only in their numbers: the words between these, which numbers differ, and all the labels by place."""

    words: tuple[str, ...]
    differ: set[int]
    labels: dict[int, str]


def alike(labels: Sequence[str]) -> list[Alike]:
    """Group labels that differ only in their numbers.

    >>> [(group.words, group.differ) for group in alike(["w1_0", "w1_1", "b1"])]
    [(('w', '_', ''), {1}), (('b', ''), set())]
    """
    layouts: dict[bytes, list[int]] = {}  # the places of labels, by the labels with every digit as 0
    for i, label in enumerate(labels):
        layouts.setdefault(label.encode(errors="replace").translate(ZEROS), []).append(i)
    groups: dict[str, list[list[int]]] = {}  # by the labels with every number as 0
    for layout, places in layouts.items():
        groups.setdefault(DIGITS.sub("0", layout.decode()), []).append(places)
    found = []
    for each in groups.values():
        same = [[labels[i] for i in places] for places in each]
        found.append(
            Alike(tuple(DIGITS.split(same[0][0])), _differing(same), dict(zip(chain(*each), chain(*same), strict=True)))
        )
    return found


def _differing(layouts: Sequence[Sequence[str]]) -> set[int]:
    """Return which numbers differ in labels, which are given in lists of those with digits at the same places.

    Measured: comparing characters in an array takes a tenth of the time of finding the numbers of each label.
    """
    firsts = [DIGITS.findall(labels[0]) for labels in layouts]
    found = {i for i, numbers in enumerate(zip(*firsts, strict=True)) if len({*numbers}) > 1}
    for labels in layouts:
        characters = np.frombuffer("".join(labels).encode("utf-32-le", "replace"), np.uint32).reshape(len(labels), -1)
        varies = (characters != characters[0]).any(axis=0)
        found |= {i for i, number in enumerate(DIGITS.finditer(labels[0])) if varies[slice(*number.span())].any()}
    return found


def words_of(groups: Sequence[Alike], counted: Counted) -> tuple[tuple[str, ...], Any]:
    """Return what is left of labels without the numbers that count them: words, and the number of each label's word.

    >>> words, numbers = words_of(alike(["a.w0", "b", "a.w1", "v[1]"]), {("a.w", ""): {0}, ("v[", "]"): {0}})
    >>> words, numbers.tolist()
    (('a.w', 'b', 'v'), [0, 1, 0, 2])
    """
    found: dict[str, int] = {}
    numbers = np.zeros(sum(len(group.labels) for group in groups), np.intp)
    for words, differ, labels in groups:
        counts = counted.get(words, set())
        alike_in: dict[tuple[str, ...], list[int]] = {}  # the places of labels, by those numbers that do not count
        if others := [*differ - counts]:
            for i, label in labels.items():
                each = DIGITS.findall(label)
                alike_in.setdefault(tuple([each[k] for k in others]), []).append(i)
        for places in alike_in.values() if others else [[*labels]]:
            numbers[places] = found.setdefault(_stem(labels[places[0]], counts), len(found))
    return tuple(found), numbers


def _stem(label: str, counted: AbstractSet[int]) -> str:
    """Return a label without the numbers that count it, and without the brackets around them; … for one before other letters.

    >>> _stem("layer1.unit[2].w_0_1", {1, 2, 3}), _stem("w(0, 1)", {0, 1}), _stem("a0b", {0})
    ('layer1.w', 'w', 'a…b')
    """
    parts = re.split("([0-9]+)", label)
    marked = "".join("\0" if i % 2 and i // 2 in counted else part for i, part in enumerate(parts))
    *path, last = re.sub(r"_?[\[({]?\0(, ?\0)*[\])}]?", "\0", marked).split(".")
    return ".".join([*(part for part in path if not part.endswith("\0")), last.rstrip("\0")]).replace("\0", "…")


def coordinates(shape: Sequence[int], labels: Sequence[str] = ()) -> Any:
    """Return the indices [entries×axes] of the entries of an array: as their labels count them, or from 0.

    >>> coordinates((2, 2), ["w1_1", "w1_2", "w2_1", "w2_2"]).tolist(), coordinates((2,)).tolist()
    ([[1, 1], [1, 2], [2, 1], [2, 2]], [[0], [1]])
    """
    groups = alike(labels)
    if len(groups) == 1 and all(labels):
        differ = sorted(groups[0].differ)
        counts = [tuple([int(numbers[i]) for i in differ]) for numbers in map(DIGITS.findall, labels)]
        if len({*counts}) == len(counts):
            return np.array(counts)
    return np.indices(shape).reshape(len(shape), -1).T


def is_in_path(i: int, *labels: Sequence[str]) -> bool:
    """Return whether labels, as the words between their numbers, have the same path up to number i, and go on after a dot."""
    return len({tuple(words[: i + 1]) for words in labels}) == 1 and all("".join(words[i + 1 :])[:1] == "." for words in labels)
