"""What parameters and results are called in equations: what their labels have in common, without the numbers that count them.

>>> from autograd.compiler import compile
>>> from nn import MLP
>>> model = MLP(3, [2, 4], seed=1)
>>> program = compile(model, model.parameters(), example=[[0.0] * 3])
>>> names = Names(program.trace.layout, [p.label or "" for p in model.parameters()])
>>> weights = Slots(PARAMETERS, np.array([[0, 1, 2], [4, 5, 6]]))  # after those of a neuron comes its bias
>>> names.words(weights), names.of(weights)
(('layer1.w',), [Name(words=('layer1.w',), parts=())])
>>> names.of(weights._replace(index=np.array([0, 1, 2])))
[Name(words=('layer1.w',), parts=(('0',),))]
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np

from autograd.compiler.labels import Alike, Counted, alike, coordinates, is_in_path, words_of
from autograd.compiler.layout import Array, Layout, Slots
from autograd.compiler.parts import MOST_PARTS, Name, distinct, is_dot, once, operands_of, part_of, rows
from autograd.compiler.schedule import BATCHED, GRADIENT, PARAMETERS

__all__ = ["Names"]


class Whole(NamedTuple):
    """Slots of parameters that have one name, in the order of their entries in an array of a shape."""

    order: Array
    shape: tuple[int, ...]


class Names:
    """The names in a program.

    Args:
        layout: the program.
        parameters: the parameters' labels.

    Attributes:
        wholes: groups of parameters, by what their labels have in common.
    """

    def __init__(self, layout: Layout, parameters: Sequence[str]) -> None:
        self.results, self.parameters = layout.labels, parameters
        self.counted: Counted = {}
        self.groups: dict[tuple[int, bytes], list[Alike]] = {}  # the labels of slots
        self.found: dict[tuple[int, bytes], tuple[tuple[str, ...], Array]] = {}  # what `_by_word` returned
        self.wholes: dict[tuple[str, ...], list[Whole]] = {}
        # Matrices of weights and biases come first, because other operations, such as a penalty, may use all layers together.
        everything = [slots for i in layout.instructions for slots in (i.out, *[operand for operand, _ in operands_of(i)])]
        products = [i for i in layout.instructions if i.kind == "product"]
        weights = [each for i in products for pair in i.factors if is_dot(*pair) for each in pair if each.space == PARAMETERS]
        self._learn([i.out for i in products if i.is_summed] + [each for each in weights if each.index.size > 1], set())
        self._learn([i.bias for i in layout.instructions if i.bias], {*self.counted})
        for words, numbers in self.counted.items():  # a bias has the path of its weights, in which the same numbers count
            numbers |= {i for path, known in self.counted.items() for i in known if is_in_path(i, path, words)}
        self._learn(everything, {*self.counted})
        for slots in everything:
            if slots.space in (PARAMETERS, GRADIENT):
                self._add_whole(slots)
        self._join_wholes()

    def _learn(self, some: Sequence[Slots], known: AbstractSet[tuple[str, ...]]) -> None:
        """Find the numbers that count labels: those in which the labels of some slots differ.

        Args:
            some: the slots.
            known: words of labels; leaves with these are skipped.
        """
        for slots in some:
            if _key(slots) not in self.groups:
                is_leaf = slots.space in (PARAMETERS, GRADIENT)
                for words, differ, _ in self._groups(slots):
                    if not (is_leaf and words in known):
                        self.counted.setdefault(words, set()).update(differ)

    def _add_whole(self, slots: Slots) -> None:
        """Join slots of parameters with those that they overlap and share a name with."""
        index, words = rows(slots), self.words(slots)
        order = np.array([*dict.fromkeys(index.ravel().tolist())])
        found = Whole(order, tuple([n for n in index.shape if n > 1]) if index.size == order.size else order.shape)
        others = []
        for whole in self.wholes.setdefault(words, []):
            is_known = np.isin(order, whole.order)
            if is_known.all():
                return
            if is_known.any():
                union = np.union1d(whole.order, found.order)
                found = found if len(found.order) == len(union) else Whole(union, union.shape)
            else:
                others.append(whole)
        self.wholes[words] = [*others, found]
        if len(words) > 1:
            each = self.numbers_of_words(slots._replace(index=order))
            for i in range(len(words)):
                self._add_whole(slots._replace(index=order[each == i]))

    def _join_wholes(self) -> None:
        """Join groups of parameters that share a name but no label, such as biases that are only used one by one."""
        for words, wholes in self.wholes.items():
            labels = [self.parameters[slot] for whole in wholes for slot in whole.order.tolist()]
            if words and len(wholes) > 1 and len({*labels}) == len(labels):
                wholes.sort(key=lambda whole: int(whole.order[0]))
                is_even = len({whole.shape for whole in wholes}) == 1
                shape = (len(wholes), *wholes[0].shape) if is_even else (len(labels),)
                self.wholes[words] = [Whole(np.concatenate([whole.order for whole in wholes]), shape)]

    def taken(self) -> set[tuple[str, ...]]:
        """Return the names of all groups of parameters, as words."""
        return {_with_primes(words, i) for words, wholes in self.wholes.items() for i in range(len(wholes))}

    def labels(self, slots: Slots) -> list[str]:
        """Return the labels of slots; for results, an empty list unless all have one."""
        if slots.space in (PARAMETERS, GRADIENT):
            return [self.parameters[slot] for slot in slots.index.ravel().tolist()]
        found = [self.results.get((slots.space, slot), "") for slot in slots.index.ravel().tolist()]
        return found if all(found) and slots.space == BATCHED else []

    def _groups(self, slots: Slots) -> list[Alike]:
        if (key := _key(slots)) not in self.groups:
            self.groups[key] = alike(self.labels(slots._replace(index=distinct(slots.index))))
        return self.groups[key]

    def _by_word(self, slots: Slots) -> tuple[tuple[str, ...], Array]:
        """Return the words of slots, and the number of its word for each of the different slots, which ascend."""
        if (key := _key(slots)) not in self.found:
            self.found[key] = words_of(self._groups(slots), self.counted)
        return self.found[key]

    def words(self, slots: Slots) -> tuple[str, ...]:
        """Return what the labels of slots have in common: a word, several for labels of several kinds; "" for no label."""
        return self._by_word(slots)[0]

    def numbers_of_words(self, slots: Slots) -> Array:
        """Return the number of its word for each slot."""
        return self._by_word(slots)[1][np.searchsorted(distinct(slots.index), slots.index)]

    def of(self, slots: Slots) -> list[Name]:
        """Return the names of parameters, in order: one, or if they are parts of several groups, one for each."""
        words = self.words(slots)
        i, whole = next(found for found in enumerate(self.wholes[words]) if np.isin(slots.index, found[1].order).all())
        if len(words) > 1:
            listed = slots._replace(index=once(rows(slots)).ravel())
            changes = np.flatnonzero(np.diff(self.numbers_of_words(listed))) + 1
            if len(changes) < max(len(words), MOST_PARTS):
                return [name for run in np.split(listed.index, changes) for name in self.of(slots._replace(index=run))]

        def entries() -> Array:
            return coordinates(whole.shape, [self.parameters[slot] for slot in whole.order.tolist()])

        return [part_of(_with_primes(words, i), whole.order, slots.index, entries)]


def _key(slots: Slots) -> tuple[int, bytes]:
    """Return a key for slots in any order; a gradient has that of its parameters."""
    return PARAMETERS if slots.space == GRADIENT else slots.space, distinct(slots.index).tobytes()


def _with_primes(words: tuple[str, ...], i: int) -> tuple[str, ...]:
    """Return the words of the i-th group of parameters that have them, with ′ from the second on; p1, p2, … for empty ones."""
    return tuple([word + i * "′" if word else f"p{i + 1}" for word in words])
