"""A function and the box on which it is certified: its arguments as numbers by name, each with an interval.

>>> subject = Subject(lambda w, x: w[0] * x + w[1], {"w": [(-1, 1), 0.5], "x": (2, 3)})
>>> subject.names, subject.text(subject.box)
(('w[0]', 'w[1]', 'x'), 'w[0] ∈ [-1, 1], w[1] = 0.5, x ∈ [2, 3]')
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any, Final

from autograd.certainty.enclosure import Enclosure
from autograd.certainty.intervals import Interval, between, interval, unrounded
from autograd.certainty.tables import Bounds
from autograd.chance import Watched
from autograd.reals import kind_of, real
from autograd.rerun import replay
from autograd.trees import Opened, flatten, open_tree, unboxed
from autograd.value import Value, nodes_below, topological

__all__ = ["Box", "Subject", "without_chance"]

Box = tuple[Interval, ...]
SHOWN_SIDES: Final = 12  # in a message
SHOWN_PIECES: Final = 3


class Subject:
    """A scalar function and a box for its arguments.

    Args:
        f: a function of numbers or trees of numbers, or the result of a graph.
        box: for each argument a number, a pair (low, high), or a tree of these; for a graph, for some leaves by label.

    Attributes:
        title: the function's name.
        names: one for each number among the arguments, such as ``w[0]``.
        box: their intervals.
        moving: the places of the numbers that have an interval.

    Raises:
        TypeError: for arguments that the function does not take, and for sides that are not real numbers.
        ValueError: for a pair that is empty or not finite, and for a label that no leaf or more than one has.
    """

    def __init__(self, f: Callable[..., Any] | Value, box: Mapping[str, Any]) -> None:
        call = _replaying(f, box) if isinstance(f, Value) else f
        if not callable(call):
            raise TypeError(f"{f!r} is {kind_of(f)}; certify takes the result of a graph, or a function and its box")
        name = str((f.label if isinstance(f, Value) else getattr(f, "__name__", getattr(f, "name", None))) or "f")
        self.title = name if name.isidentifier() else "f"
        self._function, self._positional = call, _positional(call, box, self.title)
        self._sources = [*{node.primitive for node in topological(f)}] if isinstance(f, Value) else [f]
        for name, tree in box.items():
            flatten(tree, name)  # raises for anything but a tree
        self._trees = {name: flatten(_with_sides(tree, name), name) for name, tree in box.items()}
        found = {path: leaf for leaves, _ in self._trees.values() for path, leaf in leaves.items()}
        self.names = tuple(found)
        self.box: Box = tuple(_side(leaf, path) for path, leaf in found.items())
        self.moving = tuple(i for i, x in enumerate(self.box) if not x.is_point)

    def __call__(self, leaves: Sequence[Enclosure]) -> Enclosure:
        """Enclose the function where its arguments are these leaves."""
        rest = iter(leaves)
        values = {name: build(rest) for name, (_, build) in self._trees.items()}
        try:
            return self._scalar(self._function(*[values.pop(name) for name in self._positional], **values))
        except TypeError as error:
            lists = [name for name, (found, _) in self._trees.items() if f"{name}[0]" in found]
            if lists and type(error) is TypeError:  # not an error of an enclosure's own
                error.add_note(f"{lists[0]} is a list of numbers here; an interval is a pair, {lists[0]}=(low, high)")
            raise

    def _scalar(self, y: Any) -> Enclosure:
        """Return what the function returned as an enclosure."""
        y = unboxed(y)
        if isinstance(y, bool):  # of `not x < 0`, for example
            y = Enclosure.leaf(interval(1.0)) <= float(y)
        if isinstance(y, Enclosure):
            return y
        if y is None or isinstance(y, list | tuple | dict) or getattr(y, "shape", ()) != ():
            why = "does it end without a return?" if y is None else "certify takes a function with one scalar result"
            raise TypeError(f"{self.title} returned {kind_of(y)}; {why}")
        return Enclosure.leaf(interval(y.data if isinstance(y, Value) else real(y)))

    def without_chance(self, *others: Any) -> AbstractContextManager[None]:
        """Refuse the function, and functions of its results, if they draw random numbers inside the context."""
        return without_chance(self.title, *self._sources, *others)

    def text(self, box: Box) -> str:
        """Write a piece or a point of the box for people."""
        sides = [f"{name} {_text(x)}" for name, x in zip(self.names, box, strict=True)]
        return ", ".join(sides[:SHOWN_SIDES]) + (", …" if len(sides) > SHOWN_SIDES else "")

    def texts(self, boxes: Sequence[Box]) -> str:
        """Write pieces of the box for people; if there are many, the first few."""
        shown, more = "; ".join(map(self.text, boxes[:SHOWN_PIECES])), len(boxes) - SHOWN_PIECES
        return f"{shown}; and {more} more piece{'s' * (more > 1)}" if more > 0 else shown

    def pairs(self, box: Box) -> dict[str, tuple[float, float]]:
        """Return a piece of the box as pairs by name, for the arguments that have an interval."""
        return {self.names[i]: (float(box[i].low), float(box[i].high)) for i in self.moving}

    def point(self, box: Box) -> dict[str, float]:
        """Return a point of the box as numbers by name."""
        return {name: float(x.low) for name, x in zip(self.names, box, strict=True)}


@contextmanager
def without_chance(title: str, *sources: Any) -> Iterator[None]:
    """Return a context manager that refuses a computation that draws random numbers: its bounds would hold only for those.

    Args:
        title: the name of the computation.
        sources: functions, or objects that hold them, which are searched for generators.

    Raises:
        TypeError: if the state of any generator was changed.
    """
    watched = Watched(*sources)
    yield
    if watched.drew():
        raise TypeError(f"{title} draws random numbers, and bounds would hold only for those that were drawn; draw them "
                        "outside, or let an argument with an interval stand for them")  # fmt: skip


def _text(x: Interval) -> str:
    low, high = f"{float(x.low):.10g}", f"{float(x.high):.10g}"
    return f"= {low}" if x.is_point else f"≈ {low}" if low == high else f"∈ [{low}, {high}]"


def _replaying(y: Value, box: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a graph as a function of some of its leaves, by label."""
    labelled = dict.fromkeys(x for x in nodes_below(y) if x.primitive is None and x.label)
    leaves = {str(x.label): x for x in labelled}
    for name in box:
        if name not in leaves:
            raise ValueError(f"no leaf of the graph is labelled {name!r}; its labels are {', '.join(leaves) or 'none'}")
        if (n := sum(x.label == name for x in labelled)) > 1:
            raise ValueError(f"{n} leaves of the graph are labelled {name!r}; give each a label of its own")
    return lambda **values: replay(y, {leaves[name]: x for name, x in values.items()})


def _positional(f: Callable[..., Any], box: Mapping[str, Any], title: str) -> list[str]:
    """Check that the function takes the arguments of the box; return the names of those that are passed by position."""
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(f).parameters
    except (TypeError, ValueError):  # some functions written in C have no signature
        parameters = dict.fromkeys(box, inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY))
    if "digits" in parameters and "digits" not in box:  # only gradcheck's box can have it: certify takes digits itself
        raise TypeError(f"{title} has an argument called digits, which certify takes itself; pass a function that calls it "
                        "something else, such as lambda d: f(digits=d)")  # fmt: skip
    if not box:
        raise TypeError(f"a function is certified on a box; pass each argument of {title}, such as x=(-1, 1), or x=2")
    named = {name: p for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in box:
        if name not in named and not takes_any:
            raise TypeError(f"{title} has no argument {name}; it takes ({', '.join(named)})")
    for name, p in named.items():
        if name not in box and p.default is p.empty:
            raise TypeError(f"{title} also needs {name}; pass a number, {name}=2, or a pair, {name}=(-1, 1)")
    found = []
    for name, p in named.items():
        if p.kind is p.KEYWORD_ONLY or name not in box:
            break
        found.append(name)
    return found


def _with_sides(tree: Any, path: str) -> Any:
    """Return a tree of numbers and pairs with each pair replaced by a leaf."""
    opened = _opened(tree, path)
    if opened is None:
        return tree
    if type(tree) is tuple and not tree:
        raise ValueError(f"{path} = () has no numbers; pass a number, or a pair (low, high)")
    if type(tree) in (tuple, Bounds) and len(tree) == 2 and not any(isinstance(x, Value) or _opened(x, path) for x in tree):
        low, high = (_real(x, path) for x in tree)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"{path} = ({low!r}, {high!r}) is not finite; a box has finite sides")
        if low > high:
            raise ValueError(f"{path} = ({low!r}, {high!r}) is empty; write ({high!r}, {low!r})")
        return Enclosure.leaf(between(float(unrounded(low, tree[0]).low), float(unrounded(high, tree[1]).high)))
    return opened.close({key: _with_sides(part, path + opened.step(key)) for key, part in opened.parts.items()})


def _opened(tree: Any, path: str) -> Opened | None:
    """Take a container apart; return None for a number or an operand."""
    is_leaf = hasattr(type(tree), "__primitive__") or (hasattr(type(tree), "shape") and tree.shape == ())
    return None if is_leaf else open_tree(tree, path)


def _side(leaf: Any, path: str) -> Interval:
    if isinstance(leaf, Enclosure):
        return leaf.bounds
    x = leaf.data if isinstance(leaf, Value) else _real(leaf, path)
    if not math.isfinite(x):
        raise ValueError(f"{path} = {x!r} is not finite; a box has finite sides")
    return interval(x) if isinstance(leaf, Value) else unrounded(x, leaf)


def _real(x: Any, path: str) -> float:
    try:
        return float(x) if isinstance(x, Decimal) else real(x, "pass a number, or a pair (low, high)")
    except TypeError as error:
        raise TypeError(f"{path}: {error}") from None
    except OverflowError:
        raise ValueError(f"{path} is beyond the largest float; give the box smaller sides") from None
