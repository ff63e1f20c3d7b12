"""Batches of trees: the arrays that arguments consist of, and outputs put into the structure of the result.

A program computes with arrays, one row for each example.  A number in an example becomes an array [batch] in a batch; a NumPy
array or nested lists of numbers become one array [batch×…]; any other container is entered part by part.  So a batch of dicts
is a dict of batches, like the columns of a table.

>>> {path: array.shape for path, array in Batch([{"a": 1.0, "b": [[2.0, 3.0]]}, (4.0, 5.0)]).arrays.items()}
{"argument 0['a']": (), "argument 0['b']": (1, 2), 'argument 1': (2,)}
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from numbers import Real
from typing import Any, Final

import numpy as np

from autograd.compiler.layout import Array
from autograd.compiler.tracing import Shape
from autograd.reals import kind_of
from autograd.trees import is_array, map_tree, open_tree, short

__all__ = ["Batch", "argument", "batch_of", "indices_of", "joined", "named", "numbers_of", "place", "require_states", "shaped"]


ARGUMENT: Final = "argument "  # the start of a path, before the number of the argument
LISTS: Final = (list, tuple)  # measured: `isinstance` takes half the time that it takes with their union


def argument(i: int) -> str:
    """Return the start of the paths into argument i."""
    return f"{ARGUMENT}{i}"


def place(path: str) -> tuple[int, str]:
    """Return the number of the argument that a path starts from, and the rest of the path.

    >>> place("argument 0['w']")
    (0, "['w']")
    """
    rest = path.removeprefix(ARGUMENT)
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return int(digits), rest[len(digits) :]


def named(path: str) -> str:
    """Return a path to write before a shape; an empty string for a whole argument, whose position in the list names it."""
    return f"{path} " if place(path)[1] else ""


class Batch:
    """The arguments of a program, or of its function, taken apart.

    Args:
        arguments: for a batch or for one example: numbers, in any containers of `autograd.trees`.
        asarray: NumPy's function, or another library's of the same name.

    Attributes:
        arrays: arrays of numbers [batch×…], by path; a list of arrays where examples differ in shape.
        trees: by path, the containers, and what each array was made of, with an entry for each example.
        kinds: by path, for each example of an array what `_kind` returns, or this once if all are alike.
        labels: by path, a table's columns or a Series' labels.

    Raises:
        TypeError: for a leaf that is not a number, for lists of unequal lengths in an example, and for other iterables.
        ValueError: for masked entries.
    """

    def __init__(self, arguments: Sequence[Any], asarray: Callable[[Any], Any] = np.asarray) -> None:
        self.arguments, self.asarray = arguments, asarray
        self.arrays: dict[str, Any] = {}
        self.trees: dict[str, Any] = {}
        self.kinds: dict[str, list[Any]] = {}
        self.labels: dict[str, Any] = {}
        for i, x in enumerate(arguments):
            self.enter(x, argument(i))

    def enter(self, tree: Any, path: str) -> None:
        """Enter an argument, or a part of one, with all its parts."""
        is_nested = isinstance(tree, LISTS) and not hasattr(tree, "_fields")
        is_table = not is_nested and hasattr(type(tree), "__array__")
        opened = None if is_nested or is_table else open_tree(tree, path)
        if opened is None:
            if is_table and type(tree) is not np.ndarray:
                _require_whole(tree, path)
            if self._read(tree, path, is_nested, is_table):
                return
            opened = open_tree(tree, path) if is_nested else None
        if opened is None:
            advice = "; for nodes call the function that was compiled" * hasattr(tree, "__primitive__")
            raise TypeError(f"{path} is {short(tree)}, {kind_of(tree)}; pass a real number or an array of real numbers"
                            f"{advice}")  # fmt: skip
        self.trees[path] = tree
        parts = {path + opened.step(key): part for key, part in opened.parts.items()}
        for inner, part in parts.items():
            self.enter(part, inner)
        if is_nested and parts.keys() <= self.arrays.keys():
            arrays = {inner: self.arrays.pop(inner) for inner in parts}
            _require_even(arrays, "only whole examples may differ in length; inside an example,")
            found = [*arrays.values()]
            self.arrays[path] = found if len({array.shape for array in found}) > 1 else np.stack(found)
            self.kinds[path] = [_kind(x, array.ndim, path) for x, array in zip(tree, found, strict=True)]
            for inner in parts:
                del self.trees[inner]
                self.kinds.pop(inner, None)

    def _read(self, tree: Any, path: str, is_nested: bool, is_table: bool) -> bool:
        """Enter numbers: one, nested lists, or a table; return False for anything else."""
        try:
            array = self.asarray(tree)
        except (TypeError, ValueError, UserWarning):
            return False  # for a list of containers, or of arrays of several shapes; or a warning about masked entries
        kind = array.dtype.kind
        if kind == "O":
            if is_table and array.ndim:
                self.enter([*array], path)
                return True
            if all(isinstance(x, Real) for x in array.flat):  # such as Fraction, and 10**20
                array, kind = np.array([float(x) for x in array.flat]).reshape(array.shape), "f"
        if kind not in "biuf" and array.size:  # NumPy would turn None into NaN, and "1" into 1
            return False
        if kind == "f" and is_nested and type(array) is np.ndarray and np.isnan(array).any():
            return False  # NumPy turns masked entries into NaN, so each part is entered on its own
        kinds: list[Any] = []
        if array.ndim > 1:
            kinds = _kinds(tree, array.ndim - 1, path) if is_nested else [(np.ndarray,)]
        if any(hasattr(x, "_fields") for kind in kinds for x in kind[:-1]):
            return False  # namedtuples of numbers are rows, others are containers
        if is_table and hasattr(tree, "keys"):
            self.labels[path] = tree.keys()
        self.trees[path] = array if is_table else tree
        self.arrays[path] = array
        if kinds:
            self.kinds[path] = kinds
        return True

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of an example's arrays, by path, if all examples are alike."""
        return {path: array.shape[1:] for path, array in self.arrays.items()}

    @property
    def classes(self) -> dict[str, type]:
        """The classes of the containers, by path, without plain lists."""
        return {path: type(x) for path, x in self.trees.items() if type(x) is not list and path not in self.arrays}

    @property
    def key(self) -> tuple[Any, ...]:
        """All that a function can distinguish in an example, if all examples are alike: paths, shapes, kinds and classes."""
        found: list[Any] = [*self.shapes.items()]
        if self.kinds:
            found += [(path, kind) for path, [kind] in self.kinds.items() if kind.count(list) < len(kind)]
        if len(self.trees) > len(self.arrays):
            found += self.classes.items()
        return tuple(found)

    def require_even(self) -> None:
        """Raise if examples differ in shape."""
        _require_even(self.arrays, "for examples of different lengths use a program that was compiled without example=, or")

    def count(self) -> int:
        """Return the number of examples, 1 for a function without data; raise unless all arrays have an entry for each."""
        sizes = []
        for path, array in self.arrays.items():
            if array.__class__ is not list and not array.ndim:
                advice = self._advice(path) or f"an entry for each example: [{self.trees[path]}]"
                raise ValueError(f"{path} is the number {self.trees[path]}; a program takes a batch, {advice}")
            sizes.append(len(array))
        if sizes and (min(sizes) < max(sizes) or not sizes[0]):
            raise ValueError(f"each argument has an entry for each example, and there is at least one; got {sizes} entries")
        return sizes[0] if sizes else 1

    def _advice(self, path: str) -> str:
        """Return what to pass instead of the list of examples that a number is in; an empty string if it is in none."""
        lists = [start for start, tree in self.trees.items() if path.startswith(f"{start}[") and type(tree) in LISTS]
        if not lists:
            return ""
        first = min(lists, key=len)
        paths = [f"{first}[{i}]" for i in range(len(self.trees[first]))]
        try:
            return f"as containers of arrays, not as a list of examples: {short(self._built(paths, list))}"
        except ValueError:
            return f"of examples of one structure, and those in {first} differ; call it once for each structure"

    def groups(self) -> list[tuple[Sequence[int], Batch]]:
        """Group the examples by structure; return for each structure the indices of its examples, and their batch.

        >>> [(indices, part.key) for indices, part in Batch([[[1.0], [2.0, 3.0], [4.0]]]).groups()]
        [([0, 2], (('argument 0', (1,)),)), ([1], (('argument 0', (2,)),))]
        """
        n = self.count()
        columns = [(self.arrays[path], kinds) for path, kinds in self.kinds.items() if len(kinds) > 1]
        if not columns:
            return [(range(n), self)]
        found: dict[Any, list[int]] = {}
        for i in range(n):
            found.setdefault(tuple([(array[i].shape, kinds[i]) for array, kinds in columns]), []).append(i)
        return [(indices, self._take(indices)) for indices in found.values()]

    def _take(self, indices: Sequence[int]) -> Batch:
        """Return the batch of some examples, which are alike."""
        part = copy.copy(self)
        part.arrays = {path: np.stack([array[i] for i in indices]) for path, array in self.arrays.items()}
        part.trees = {path: [x[i] for i in indices] if path in self.arrays else x for path, x in self.trees.items()}
        part.kinds = {path: [kinds[indices[0] if len(kinds) > 1 else 0]] for path, kinds in self.kinds.items()}
        return part

    def first_example(self) -> list[Any]:
        """Return the arguments for the first example, in the structure that an example has.

        >>> Batch([{"a": [1.0, 2.0], "b": [(3.0, 4.0), (5.0, 6.0)]}]).first_example()
        [{'a': 1.0, 'b': (3.0, 4.0)}]
        """
        return [self._built([argument(i)], lambda columns: columns[0][0]) for i in range(len(self.arguments))]

    def _built(self, paths: Sequence[str], choose: Callable[[list[Any]], Any]) -> Any:
        """Return one container like those at some paths, with what is chosen from the entries of the arrays in them.

        Raises:
            ValueError: unless they have one structure.
        """
        if all(path in self.arrays for path in paths):
            return choose([self.trees[path] for path in paths])
        trees = [self.trees.get(path) for path in paths]
        opened = [found for tree, path in zip(trees, paths, strict=True) if (found := open_tree(tree, path))]
        if len({*map(type, trees)}) > 1 or any(found.parts.keys() != opened[0].parts.keys() for found in opened):
            raise ValueError(f"{', '.join(paths)} differ in structure")
        steps = {key: opened[0].step(key) for key in opened[0].parts}
        return opened[0].close({key: self._built([path + step for path in paths], choose) for key, step in steps.items()})


def _require_even(arrays: dict[str, Any], advice: str) -> None:
    """Raise if one of the arrays is a list of arrays that differ in shape."""
    for path, array in arrays.items():
        if isinstance(array, list):
            raise TypeError(f"{path} is not an array of numbers, nor nested lists of equal lengths; {advice} pad them and "
                            "multiply by a mask, 1 for what counts and 0 for what does not")  # fmt: skip


def _require_whole(table: Any, path: str) -> None:
    """Raise if a masked array, or a table of pandas, hides entries that NumPy would read as numbers."""
    if hasattr(table, "filled") and np.ma.is_masked(table):
        first = [int(axis[0]) for axis in np.nonzero(np.atleast_1d(table.mask))]
        raise ValueError(f"{path} has masked entries: {int(table.mask.sum())}, the first at {first}; fill them, or leave these "
                         "examples out")  # fmt: skip
    if hasattr(table, "isna"):
        dtypes = table.dtypes if table.ndim > 1 else [table.dtype]
        if all(isinstance(x, np.dtype) for x in dtypes):
            return
        entries = table.iloc if hasattr(table, "iloc") else table
        for where in np.argwhere(np.asarray(table.isna())).tolist():
            x = entries[(*where,) if len(where) > 1 else where[0]]
            if not isinstance(x, float):  # NaN is a number
                entry = path + "".join([f"[{i}]" for i in where])
                raise TypeError(f"{entry} is {x!r}, {kind_of(x)}; fill such entries, or leave these examples out")


def _kind(example: Any, depth: int, path: str) -> tuple[Any, ...]:
    """Return what a function can distinguish in an example of some dimensions, besides its shape."""
    if not depth:
        return ()
    if not isinstance(example, LISTS):
        _require_whole(example, path)
        return (type(example), *getattr(example, "keys", tuple)())  # with the labels of a Series
    inside = _kinds(example, depth - 1, path) if depth > 1 else [()]
    return (type(example), *(inside[0] if len(inside) == 1 else inside))


def _kinds(entries: Sequence[Any], depth: int, path: str) -> list[Any]:
    """Return the kind of each entry; only one if all are alike."""
    kind: tuple[Any, ...] = ()
    level = entries
    while (classes := {*map(type, level)}) in ({list}, {tuple}, {np.ndarray}):
        kind += (*classes,)
        if len(kind) == depth or np.ndarray in classes:
            return [kind]
        level = [*chain.from_iterable(level)]
    kinds = [_kind(x, depth, f"{path}[{i}]") for i, x in enumerate(entries)]
    return kinds if len({*kinds}) > 1 else kinds[:1]


def numbers_of(x: Any, name: str, n: int, what: str, asarray: Callable[[Any], Any] = np.asarray) -> Any:
    """Return n numbers as a flat array.

    Args:
        x: the numbers.
        name: what they are, for messages.
        n: the number of numbers needed.
        what: what each number belongs to, for messages.
        asarray: see `Batch`.

    Raises:
        TypeError: for anything but real numbers.
        ValueError: unless there are n of them, in one dimension.

    >>> numbers_of((1, 2.5), "rates", 2, "step")
    array([1. , 2.5])
    """
    wanted, batch = f"{name}: a flat list or array with a number for each {what} is needed, {n} in all", Batch((), asarray)
    try:
        batch.enter(x, name)
    except (TypeError, ValueError) as error:
        error.args = (f"{wanted}; {error}",)
        raise
    found: Any = batch.arrays.get(name)
    shape = getattr(found, "shape", None)
    if shape != (n,):
        raise ValueError(f"{wanted}; got {short(x)}{f', of shape {shape}' if shape else ''}")
    return found


def indices_of(batches: Sequence[Sequence[int]], n: int) -> tuple[Array, list[int]]:
    """Return the indices of the examples of all batches, one after the other, and the sizes of the batches.

    They are checked, because native code would silently read beyond its arrays.

    Args:
        batches: for each step the indices of its examples.
        n: the number of examples.

    Raises:
        TypeError: for anything but lists of ints.
        ValueError: without a batch, for an empty batch, and for indices outside the examples.

    >>> indices_of([[0, 2], [1]], 3)
    (array([0, 2, 1]), [2, 1])
    """
    try:
        sizes = [len(batch) for batch in batches]
        indices = np.array([*chain.from_iterable(batches)])
    except (TypeError, ValueError):
        sizes, indices = [1], np.array([None])
    if not sizes or 0 in sizes:
        which = f"batch {sizes.index(0)} is empty" if sizes else "there is none"
        raise ValueError(f"batches needs the index of at least one example for each step, and at least one step; {which}")
    if indices.dtype.kind not in "iu" or indices.ndim != 1:
        raise TypeError("batches lists for each step the indices of its examples, as ints, such as [[0, 1], [2]]; "
                        f"got {batches!r:.70}")  # fmt: skip
    if indices.min() < 0 or indices.max() >= n:
        wrong = next(index for index in indices.tolist() if not 0 <= index < n)
        raise ValueError(f"batches names the example {wrong}; examples are numbered from 0 to {n - 1}")
    return indices, sizes


def require_states(states: Any, parameters: Array) -> None:
    """Raise unless states, which native code changes in place, are an array [states×parameters] of the parameters' dtype."""
    is_array = isinstance(states, np.ndarray) and states.ndim == 2 and states.shape[1] == parameters.size
    if not is_array or states.dtype != parameters.dtype or not states.flags.writeable:
        found = f"an array of {states.dtype}, of shape {states.shape}" if isinstance(states, np.ndarray) else f"{states!r:.70}"
        raise ValueError(f"states is changed in place: a writeable array of {parameters.dtype}, of shape (states, "
                         f"{parameters.size}), a number for each parameter; got {found}")  # fmt: skip


def batch_of(arrays: Sequence[Array]) -> int:
    """Return the number of examples in a batch: 1 for a function without data."""
    return len(arrays[0]) if arrays else 1


def joined(runs: Sequence[tuple[Sequence[int], Any]]) -> Any:
    """Return the results for groups of examples in the order of the examples: as an array if they fit into one, or a list."""
    found: dict[int, Any] = {}
    for indices, results in runs:
        for k, i in enumerate(indices):
            found[i] = map_tree(lambda x, k=k: x[k], results, entries=False)
    ordered = [found[i] for i in sorted(found)]
    shapes = {np.shape(x) if isinstance(x, np.ndarray | np.floating) else None for x in ordered}
    return np.stack(ordered) if len(shapes) == 1 and None not in shapes else ordered


def shaped(result: Any, outputs: Iterator[Array]) -> Any:
    """Return the outputs, each [batch], in the structure of the function's result.

    Lists and tuples of arrays of one shape become one array [batch×…], as in arguments.

    Args:
        result: the result of a trace, with the place of a node for every leaf.
        outputs: an array for each leaf.

    >>> shaped({"y": [7, 8], "loss": 9}, iter(np.arange(6.0).reshape(3, 2)))
    {'y': array([[0., 2.],
           [1., 3.]]), 'loss': array([4., 5.])}
    """
    if isinstance(result, int):
        return next(outputs)
    if is_array(result) and result.size:
        return np.stack([next(outputs) for _ in range(result.size)], axis=1).reshape(-1, *result.shape)
    opened = open_tree(result, "the result")
    assert opened is not None
    parts = {key: shaped(part, outputs) for key, part in opened.parts.items()}
    shapes = {part.shape if isinstance(part, np.ndarray) else None for part in parts.values()}
    alike = type(result) in LISTS and len(shapes) == 1 and None not in shapes
    return np.stack([*parts.values()], axis=1) if alike else opened.close(parts)
