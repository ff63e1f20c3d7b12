"""The arguments of a function as one list of named numbers, and gradients matched with them.

The idea: a block is a number or an array, of NumPy, PyTorch or JAX; arguments are trees of blocks.  So whatever a function
takes, its point is a list of numbers with names such as ``w[2, 3]``.  A gradient matches the point if it has a block of the
same shape wherever the point has a block.

>>> point = Point(["x", "p"], [0.5, {"w": [1.0, 2.0], "b": 3.0}])
>>> point.names
['x', "p['w'][0]", "p['w'][1]", "p['b']"]
>>> point.build([10.0, 20.0, 30.0, 40.0])
[10.0, {'w': [20.0, 30.0], 'b': 40.0}]
>>> point.match([1.0, {"w": [2.0, 3.0], "b": 4.0}], ())
[[1.0, 2.0, 3.0, 4.0]]
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Any, Final, NamedTuple

from autograd.checking.rounding import DOUBLE, SINGLE, Precision
from autograd.checking.verdicts import short
from autograd.reals import real
from autograd.trees import flatten, is_array, map_tree
from autograd.value import Value

__all__ = [
    "CALLS", "Block", "Point", "PointError", "block", "coarser", "finite", "parameters", "point_text", "refuse_tuple",
    "require_inputs", "subscript", "title",
]  # fmt: skip

CALLS: Final = 3  # of a function at its point, to see whether it gives the same value
PRECISIONS: Final = {p.name: p for p in (DOUBLE, SINGLE, Precision("float16", 11), Precision("bfloat16", 8))}


class PointError(ValueError):
    """A function cannot be checked at a point, because the point or the value there is not finite, or there is no value."""


class Block(NamedTuple):
    """A number or an array: its shape, its entries in order, and their format."""

    shape: tuple[int, ...]
    entries: list[float]
    precision: Precision


def block(x: Any, path: str) -> Block:
    """Read a number, an array of any library, or nested lists of numbers.

    Args:
        x: what to read.
        path: its name in messages.

    Raises:
        TypeError: for anything but real numbers.
        ValueError: for lists of unequal lengths.

    >>> block([[1, 2.5], [3, 4]], "f")
    Block(shape=(2, 2), entries=[1.0, 2.5, 3.0, 4.0], precision=Precision(name='float64', bits=53))
    """
    if isinstance(x, float | int | Value):
        return Block((), [float(x.data if isinstance(x, Value) else x)], DOUBLE)
    if isinstance(x, list | tuple):
        parts = [block(part, f"{path}[{i}]") for i, part in enumerate(x)]
        shapes = {part.shape for part in parts}
        if len(shapes) > 1:
            raise ValueError(f"{path} is ragged: its items have the shapes {', '.join(map(str, sorted(shapes)))}")
        entries = [entry for part in parts for entry in part.entries]
        return Block((len(x), *(shapes.pop() if shapes else ())), entries, coarser(*[part.precision for part in parts]))
    if hasattr(x, "shape") and hasattr(x, "tolist"):
        name = getattr(x.dtype, "name", str(x.dtype)).removeprefix("torch.")
        if name.startswith(("complex", "str", "bytes", "datetime", "timedelta", "void", "float8")):
            raise TypeError(f"{path} has entries of type {x.dtype}; they must be real numbers")
        x = x.detach() if hasattr(x, "detach") else x  # PyTorch refuses to convert tensors that it differentiates
        listed = x.tolist()
        for _ in x.shape[1:]:
            listed = [entry for row in listed for entry in row]
        listed = listed if x.shape else [listed]
        numbers = [entry.data if isinstance(entry, Value) else real(entry, "pass real numbers") for entry in listed]
        return Block(tuple(x.shape), numbers, PRECISIONS.get(name, DOUBLE))
    return Block((), [real(x, "pass a real number, an array or nested lists of them")], DOUBLE)


def coarser(*precisions: Precision) -> Precision:
    """Return the format with the fewest digits; float64 if none are given."""
    return min((DOUBLE, *precisions), key=lambda p: p.bits)


class Argument(NamedTuple):
    """An argument of a function: its name, its leaves with their blocks by path, and a function that replaces its leaves."""

    name: str
    leaves: dict[str, tuple[Any, Block]]
    build: Callable[[Iterable[Any]], Any]


class Point:
    """The arguments of a function as a list of numbers.

    Attributes:
        names: for each number, its name: the Python expression for it, or the label of a `Value`.
        numbers: the numbers.
        precision: the coarsest format among them.
    """

    def __init__(self, arguments: Sequence[str], point: Sequence[Any]) -> None:
        """Take the arguments apart.

        Args:
            arguments: the names of the arguments.
            point: their values, numbers, arrays or containers of them.

        Raises:
            TypeError: for leaves that are not real numbers, and iterables that are not containers.
        """
        self.arguments: list[Argument] = []
        self.names: list[str] = []
        self.numbers: list[float] = []
        self.precision = DOUBLE
        for argument, tree in zip(arguments, point, strict=True):
            leaves, build = flatten(tree, argument, entries=False)
            self.arguments.append(Argument(argument, {path: (leaf, block(leaf, path)) for path, leaf in leaves.items()}, build))
            for path, (leaf, (shape, entries, precision)) in self.arguments[-1].leaves.items():
                if "int" in str(getattr(leaf, "dtype", "")) and hasattr(leaf, "new_tensor"):
                    raise TypeError(f"{path} is a tensor of integers, which cannot be varied a little; pass {path}.double()")
                name = (leaf.label or path) if isinstance(leaf, Value) else path
                self.names += [name + subscript(index) for index in product(*map(range, shape))]
                self.numbers += entries
                self.precision = coarser(self.precision, precision)

    def build(self, numbers: Sequence[float]) -> list[Any]:
        """Return the arguments with other numbers, in fresh arrays of the same kinds."""
        rest = iter(numbers)
        return [
            build([_like(leaf, b.shape, list(islice(rest, len(b.entries)))) for leaf, b in leaves.values()])
            for _, leaves, build in self.arguments
        ]

    def match(self, gradient: Any, shape: tuple[int, ...]) -> list[list[float]]:
        """Read a gradient in the structure of the point.

        Args:
            gradient: for one argument its gradient, for several a tuple; nested lists may stand for arrays.
            shape: the shape of the function's result; () for a number.  Each block of the gradient has this shape, followed
                by that of the point's block; or there is one gradient for each entry of the result.  Nested lists that fit
                both ways are read the second way.

        Returns:
            For each entry of the result a list with the derivatives with respect to the point's numbers.

        Raises:
            ValueError: if the structures or shapes differ.
        """
        parts = self._parts(gradient)
        rows: list[list[float]] = [[] for _ in range(math.prod(shape))]
        for argument, part in zip(self.arguments, parts, strict=True):
            if [*argument.leaves] == [argument.name]:
                part = _in_order(part, argument.leaves[argument.name][0])
            part = map_tree(_plain, part, name=f"the gradient of {argument.name}", entries=False)
            for found in self._find(argument, part, shape):
                size = len(found) // len(rows)
                for k, row in enumerate(rows):
                    row += found[k * size : (k + 1) * size]
        return rows

    def precision_of(self, gradient: Any) -> Precision:
        """Return the coarsest format among the blocks of a gradient."""
        leaves = [leaf for part in self._parts(gradient) for leaf in flatten(part, entries=False)[0].values()]
        return coarser(*[block(leaf, "the gradient").precision for leaf in leaves])

    def _parts(self, gradient: Any) -> Sequence[Any]:
        """Return the part of a gradient for each argument."""
        is_tuple = isinstance(gradient, tuple | list) and not hasattr(gradient, "_fields")
        names = [argument.name for argument in self.arguments]
        if len(names) == 1:
            is_block = [*self.arguments[0].leaves] == names
            whole = is_tuple and len(gradient) == 1 and is_block and not isinstance(gradient[0], float | int)
            return list(gradient) if whole else [gradient]  # torch.autograd.grad wraps even one gradient in a tuple
        if not is_tuple or len(gradient) != len(names):
            found = f"{type(gradient).__name__} of {len(gradient)}" if is_tuple else type(gradient).__name__
            raise ValueError(f"for {len(names)} arguments ({', '.join(names)}) the gradient must be a tuple of {len(names)} "
                             f"gradients, not a {found}")  # fmt: skip
        return list(gradient)

    def _find(self, argument: Argument, part: Any, shape: tuple[int, ...]) -> Iterator[list[float]]:
        """Iterate over the entries of the part of a gradient that belongs to an argument, block by block."""
        name, leaves, _ = argument
        whole, _ = flatten(part, name, entries=False)
        size = sum(len(entries) for _, (_, entries, _) in leaves.values())
        single: dict[str, float] = {}
        for path, (_, (own, _, _)) in leaves.items():
            found = block(whole[path], path) if path in whole else None
            if found and (found.shape == shape + own or (math.prod(shape) == 1 and found.shape == own)):
                yield found.entries
                continue
            single = single or flatten(part, name)[0]
            rest = path.removeprefix(name)
            outer, inner = list(product(*map(range, shape))), list(product(*map(range, own)))
            for place in (name, path):  # an index of the result follows the argument's name, as in JAX, or the block's path
                after = rest if place == name else ""
                paths = [place + _subscripts(k) + after + _subscripts(i) for k in outer for i in inner]
                if all(p in single for p in paths) and (place != name or len(single) == len(outer) * size):
                    yield [single[p] for p in paths]
                    break
            else:
                raise ValueError(self._mismatch(path, own, found, part, shape))
        given, wanted = sum(len(block(leaf, path).entries) for path, leaf in whole.items()), size * math.prod(shape)
        if given > wanted:
            raise ValueError(f"the gradient of {name} has {given} numbers, {given - wanted} too many: {part!r:.70}")

    @staticmethod
    def _mismatch(path: str, own: tuple[int, ...], found: Block | None, part: Any, shape: tuple[int, ...]) -> str:
        got = f"has shape {found.shape}" if found else f"is missing in {type(part).__name__} {str(part)[:60]}"
        kind = f"{path} has shape {own}" if own else f"{path} is a number"
        if not shape:
            return f"the gradient of {path} {got}, but {kind}"
        text = f"the Jacobian of {path} {got}, but the result has shape {shape} and {kind}, so it should have {shape + own}"
        if found and found.shape == own == shape:
            text += "; if each entry of the result depends on only one entry, pass its diagonal matrix, np.diag(…)"
        return text


def require_inputs(found: Collection[Any], called: str, point: Sequence[Any]) -> None:
    """Raise unless numbers were found in the point of a function.

    Raises:
        TypeError: for no arguments at all.
        PointError: for empty ones, such as an array of shape (0,).
    """
    if not found and not point:
        raise TypeError(f"{called} has no inputs to differentiate with respect to; pass a point, such as 0.5")
    if not found:
        raise PointError(f"the point of {called} is empty; choose one with at least one number")


def finite(x: float, name: str) -> float:
    """Return a number of a point.

    Raises:
        PointError: if it is not finite.
    """
    if not math.isfinite(x):
        raise PointError(f"{name} is {short(x)}; gradients are checked at finite points")
    return x


def point_text(names: Sequence[str], numbers: Sequence[float]) -> str:
    """Write a point for a message, cut short if it is long.

    >>> point_text(["w", "x"], [0.5, 2.0])
    'w = 0.5, x = 2'
    """
    text = ", ".join(f"{name} = {short(x)}" for name, x in zip(names[:20], numbers, strict=False))
    return text if len(text) <= 80 else text[:80] + "…"


def subscript(index: Sequence[int]) -> str:
    """Write an index as NumPy does; an empty one is an empty string.

    >>> subscript((2, 3)), subscript(())
    ('[2, 3]', '')
    """
    return f"[{', '.join(map(str, index))}]" if index else ""


def _subscripts(index: Sequence[int]) -> str:
    """Write an index as the paths of nested lists do: [2][3]."""
    return "".join(f"[{i}]" for i in index)


def _in_order(part: Any, leaf: Any) -> Any:
    """Return a pandas Series in the order of another one with the same labels, and anything else as it is."""
    if not (hasattr(part, "reindex") and hasattr(leaf, "reindex") and part.index.is_unique):
        return part
    return part.reindex(leaf.index) if sorted(map(repr, part.index)) == sorted(map(repr, leaf.index)) else part


def _plain(leaf: Any) -> Any:
    """Return a leaf of a gradient as a float, or as a NumPy array of floats."""
    shape, entries, _ = block(leaf, "it")
    if not shape:
        return entries[0]
    import numpy as np

    return np.array(entries).reshape(shape)


def _like(leaf: Any, shape: tuple[int, ...], entries: list[float]) -> Any:
    """Return a block of the same kind as a leaf, with other entries."""
    if hasattr(leaf, "new_tensor"):
        return leaf.detach().new_tensor(entries).reshape(shape).requires_grad_(leaf.requires_grad)
    name = getattr(getattr(leaf, "dtype", None), "name", "")
    if not shape:
        return leaf.dtype.type(entries[0]) if name in PRECISIONS else entries[0]
    import numpy as np

    array = np.array(entries, leaf.dtype if name in PRECISIONS else float).reshape(shape)
    if isinstance(leaf, np.ndarray):
        return array
    if is_array(leaf):  # a pandas Series
        return type(leaf)(array, index=leaf.index, name=leaf.name)
    return leaf.__array_namespace__().asarray(array)


def title(f: Callable[..., Any]) -> str:
    """Return the name of a function for a report, or "f" if it has none."""
    name = str(getattr(f, "__name__", "f"))
    return name if name.isidentifier() else "f"


def parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Return the names of a function's first parameters; those without a name are x0, x1, …, or x for a single one."""
    try:
        found = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        found = []
    named = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return named + [f"x{i}" if count > 1 else "x" for i in range(len(named), count)]


def refuse_tuple(f: Callable[..., Any], point: Sequence[Any]) -> None:
    """Raise if the arguments were passed in one tuple, as PyTorch's `gradcheck` takes them.

    Raises:
        TypeError: if f cannot be called with that tuple, but could with its items.
    """
    if len(point) == 1 and isinstance(point[0], tuple) and not _takes(f, point) and _takes(f, point[0]):
        name = title(f)
        raise TypeError(f"{name} takes {len(point[0])} arguments, and one tuple was passed; write gradcheck({name}, *inputs), "
                        f"not gradcheck({name}, inputs)")  # fmt: skip


def _takes(f: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Whether a function has a signature that accepts these arguments."""
    try:
        inspect.signature(f).bind(*arguments)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return False
    return True
