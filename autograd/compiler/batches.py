"""Batches of trees: the arrays that arguments consist of, and outputs put into the structure of the result.

A program computes with arrays, one row for each example.  A number in an example is an array [batch] in a batch; a NumPy array
or nested lists of numbers are one array [batch×…]; of any other container each part is looked at in turn.  So a batch of
dicts is a dict of batches, as the columns of a table are.

>>> {path: array.shape for path, array in arrays_of([{"a": 1.0, "b": [[2.0, 3.0]]}, (4.0, 5.0)]).items()}
{"argument 0['a']": (), "argument 0['b']": (1, 2), 'argument 1': (2,)}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from numbers import Real
from textwrap import shorten
from typing import Any

import numpy as np

from autograd.compiler.layout import Array
from autograd.trees import is_array, map_tree, open_tree

__all__ = [
    "argument", "arrays_of", "batch_of", "by_structure", "first_example", "joined", "named", "place", "require_one_length",
    "shaped",
]  # fmt: skip


def argument(i: int) -> str:
    """Return the start of the paths into argument i."""
    return f"argument {i}"


def place(path: str) -> tuple[int, str]:
    """Return which argument a path starts from, and the rest of the path.

    >>> place("argument 0['w']")
    (0, "['w']")
    """
    rest = path.removeprefix(argument(0)[:-1])
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return int(digits), rest[len(digits) :]


def named(path: str) -> str:
    """Return a path to precede a shape; an empty string for a whole argument, whose shape stands at its place."""
    return f"{path} " if place(path)[1] else ""


def arrays_of(arguments: Sequence[Any], asarray: Callable[[Any], Any] = np.asarray) -> dict[str, Array]:
    """Return the arrays of numbers in arguments, by path.

    Args:
        arguments: of one example or of a batch: numbers, in any containers of `autograd.trees`.
        asarray: NumPy's function, or the one of the same name of another library.

    Raises:
        TypeError: for a leaf that is not a number, for lists of numbers of unequal lengths, and for other iterables.
    """
    found: dict[str, Array] = {}
    for i, x in enumerate(arguments):
        found |= _arrays(x, argument(i), asarray)
    return found


def _arrays(tree: Any, path: str, asarray: Callable[[Any], Any]) -> dict[str, Array]:
    is_nested = isinstance(tree, list | tuple) and not hasattr(tree, "_fields")
    opened = None if is_nested or hasattr(type(tree), "__array__") else open_tree(tree, path)
    reason = ""
    if opened is None:
        try:
            array = asarray(tree)
        except (TypeError, ValueError) as error:
            reason = f": {error}"
        else:
            if array.dtype.kind == "O" and all(isinstance(x, Real) for x in array.flat):  # such as Fraction, and 10**20
                array = np.array([float(x) for x in array.flat]).reshape(array.shape)
            if not array.size or array.dtype.kind in "biuf":  # anything else would become a number: None NaN, and "1" 1
                return {path: array}
        opened = open_tree(tree, path) if is_nested else None
    if opened is None:
        shown = shorten(repr(tree), 70, placeholder=" …")
        raise TypeError(f"{path} is {shown}, a {type(tree).__name__}; pass a real number or an array of real numbers")
    parts = {path + opened.step(key): part for key, part in opened.parts.items()}
    found: dict[str, Array] = {}
    for inner, part in parts.items():
        found |= _arrays(part, inner, asarray)
    if is_nested and found.keys() == parts.keys():
        raise TypeError(f"{path} is not an array of numbers, nor nested lists of equal lengths{reason}; for examples of "
                        "different lengths pass each as a list of its own, to a program that was compiled without example=, "
                        "or pad them and multiply by a mask, 1 for what counts and 0 for what does not")  # fmt: skip
    return found


def first_example(tree: Any, path: str, arrays: Mapping[str, Array]) -> Any:
    """Return the first example of a batch, in the structure that an example has.

    Args:
        tree: an argument, for a batch.
        path: of the argument.
        arrays: what `arrays_of` found in it.

    >>> batch = {"a": [1.0, 2.0], "b": [(3.0, 4.0), (5.0, 6.0)]}
    >>> first_example(batch, "argument 0", arrays_of([batch]))
    {'a': 1.0, 'b': (3.0, 4.0)}
    """
    if path in arrays:
        return tree[0] if isinstance(tree, list | tuple) else arrays[path][0]
    opened = open_tree(tree, path)
    assert opened is not None
    return opened.close({key: first_example(part, path + opened.step(key), arrays) for key, part in opened.parts.items()})


def require_one_length(arrays: Mapping[str, Array]) -> None:
    """Raise unless all arrays have a row for each of the same examples, of which there is at least one."""
    sizes = [len(array) for array in arrays.values()]
    if sizes and (len(set(sizes)) != 1 or not sizes[0]):
        raise ValueError(f"each argument has an entry for each example, and there is at least one; got {sizes} entries")


def batch_of(arrays: Sequence[Array]) -> int:
    """Return the number of examples in a batch: 1 for a function without data."""
    return len(arrays[0]) if arrays else 1


def by_structure(arguments: Sequence[Any]) -> dict[Any, tuple[list[int], list[Any]]]:
    """Group the examples of a batch by structure: return for each the places of its examples, and the arguments for these.

    Nothing is returned unless all lists in the arguments have an entry for each example, made of numbers.

    >>> [*by_structure([[[1.0], [2.0, 3.0], [4.0]]]).values()]
    [([0, 2], [[[1.0], [4.0]]]), ([1], [[[2.0, 3.0]]])]
    >>> [*by_structure([{"x": [[1.0], [2.0, 3.0]], "y": [0, 1]}]).values()]
    [([0], [{'x': [[1.0]], 'y': [0]}]), ([1], [{'x': [[2.0, 3.0]], 'y': [1]}])]
    """
    places: dict[Any, list[int]] = {}
    sizes: set[int] = set()
    try:
        for x in arguments:
            _each_column(x, lambda column: sizes.add(len(column)))
        for i in range(*sizes) if len(sizes) == 1 else ():
            found = arrays_of([_each_column(x, partial(_entries, [i])) for x in arguments])
            places.setdefault(tuple([(path, x.shape) for path, x in found.items()]), []).append(i)
    except TypeError:
        return {}
    return {shapes: (some, [_each_column(x, partial(_entries, some)) for x in arguments]) for shapes, some in places.items()}


def _each_column(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Return an argument with a function applied to each list, or array, of entries for the examples."""
    if is_array(tree) or (type(tree) in (list, tuple) and all(type(x) in (list, tuple) or _is_number(x) for x in tree)):
        return change(tree)
    opened = open_tree(tree, "the argument")
    if opened is None:
        raise TypeError(f"{tree!r} has no entries for examples")
    return opened.close({key: _each_column(part, change) for key, part in opened.parts.items()})


def _entries(places: Sequence[int], column: Any) -> list[Any]:
    return [column[i] for i in places]


def _is_number(x: Any) -> bool:
    return isinstance(x, Real) or hasattr(type(x), "__array__")


def joined(runs: Sequence[tuple[Sequence[int], Any]]) -> Any:
    """Put the results for groups of examples into the order of the examples: an array if they fit into one, else a list."""
    found: dict[int, Any] = {}
    for places, results in runs:
        for k, i in enumerate(places):
            found[i] = map_tree(lambda x, k=k: x[k], results, entries=False)
    ordered = [found[i] for i in sorted(found)]
    shapes = {np.shape(x) if isinstance(x, np.ndarray | np.floating) else None for x in ordered}
    return np.stack(ordered) if len(shapes) == 1 and None not in shapes else ordered


def shaped(result: Any, outputs: Iterator[Array]) -> Any:
    """Put the outputs, each [batch], into the structure of the function's result.

    Lists and tuples of arrays of one shape become one array [batch×…], as they are in arguments.

    >>> shaped({"y": [0.0, 0.0], "loss": 0.0}, iter(np.arange(6.0).reshape(3, 2)))
    {'y': array([[0., 2.],
           [1., 3.]]), 'loss': array([4., 5.])}
    """
    if is_array(result) and result.size:
        return np.stack([next(outputs) for _ in range(result.size)], axis=1).reshape(-1, *result.shape)
    opened = open_tree(result, "the result")
    if opened is None:
        return next(outputs)
    parts = {key: shaped(part, outputs) for key, part in opened.parts.items()}
    shapes = {part.shape if isinstance(part, np.ndarray) else None for part in parts.values()}
    alike = type(result) in (list, tuple) and len(shapes) == 1 and None not in shapes
    return np.stack([*parts.values()], axis=1) if alike else opened.close(parts)
