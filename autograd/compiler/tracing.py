"""A scalar computation, written down once.

The user's function runs on nodes that stand for any number: each operation on them is entered into a `Graph`, and anything
that asks for *the* number, an ``if``, a ``float()``, a ``.data``, is refused at the user's own line.  So nothing that holds for
one example only can slip into a program for all of them.  Backpropagation is recorded in the same way: `gradients` reads the
rules of the table on these nodes, and what comes out is more of the same graph.

>>> from autograd.value import Value
>>> w = Value(0.5, label="w")
>>> trace = Trace(lambda x: w * x + 1, [w], [()])
>>> print(trace.graph)
0: w
1: x
2: multiply(0, 1)
3: 1.0
4: add(2, 3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NamedTuple, NoReturn

from autograd.manners import describe
from autograd.primitives import Operand, Primitive, method
from autograd.rows import TABLE, number
from autograd.transforms import chain_rule
from autograd.trees import flatten, map_tree
from autograd.value import TRACED_VARIABLE, Value, new, nodes_below, topological

__all__ = ["CONSTANTS", "INPUTS", "PARAMETERS", "Graph", "Leaf", "Trace"]

CONSTANTS, PARAMETERS, INPUTS = 0, 1, 4  # where a leaf's number is found; from INPUTS on, one place for each argument
Tree = Any  # a node, or nested lists of them
Shape = tuple[int, ...]


class Leaf(NamedTuple):
    """A node without operands: the space its number is found in, the place there, and for a constant the number."""

    space: int
    place: int
    number: float = 0.0


@dataclass
class Graph:
    """A computation as plain data: node i is the row ``rows[i]`` applied to the nodes ``operands[i]``.

    Attributes:
        rows: of the table; None for a leaf.
        operands: the places of each node's operands, all before its own.
        leaves: what the nodes without a row stand for.
        labels: the nodes' names, where the user gave one.
    """

    rows: list[Primitive | None] = field(default_factory=list)
    operands: list[tuple[int, ...]] = field(default_factory=list)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    _known: dict[Any, int] = field(default_factory=dict, repr=False)

    def leaf(self, leaf: Leaf, label: str = "") -> int:
        """Enter a leaf; the same one again is the same node."""
        key = (leaf.space, leaf.place, repr(leaf.number))  # by repr, as NaN is not itself and -0.0 is not 0.0
        if key not in self._known:
            self._known[key] = place = self._append(None, ())
            self.leaves[place] = leaf
            if label:
                self.labels[place] = label
        return self._known[key]

    def constant(self, x: float) -> int:
        """Enter a number."""
        return self.leaf(Leaf(CONSTANTS, 0, x))

    def node(self, row: Primitive, operands: tuple[int, ...]) -> int:
        """Enter an operation; the same one on the same operands is the same node."""
        key = (row, operands)
        place = self._known.get(key)
        if place is None:
            self._known[key] = place = self._append(row, operands)
        return place

    def _append(self, row: Primitive | None, operands: tuple[int, ...]) -> int:
        self.rows.append(row)
        self.operands.append(operands)
        return len(self.rows) - 1

    def does_as(self, other: Graph) -> bool:
        """Say whether another graph does the same, whatever its nodes are called."""
        same = self.rows == other.rows and self.operands == other.operands
        return same and repr(self.leaves) == repr(other.leaves)  # by repr, as NaN is not itself

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return "\n".join(f"{i}: {self.describe(i)}" for i in range(len(self)))

    def describe(self, i: int) -> str:
        """Write down a node."""
        row, leaf = self.rows[i], self.leaves.get(i)
        if row is not None:
            return f"{row.name}({', '.join(map(str, self.operands[i]))})"
        assert leaf is not None
        return self.labels[i] if i in self.labels else repr(leaf.number)


class Trace:
    """What a function of one example does, and what each of its results depends on.

    Args:
        f: a function of numbers or nested lists of numbers that returns a `Value`, or a tree of them; see `autograd.trees`.
        parameters: the leaves that are to be learned.
        shapes: of each argument of f, as NumPy's: () for a number, (3,) for a list of three.

    Attributes:
        graph: the computation.
        result: what f returned, with a traced node for every leaf.
        parameters: the parameters' places in the graph.

    Raises:
        TypeError: where f asks for a number that depends on an input or a parameter; where it returns something else than
            numbers and `Value`s.
    """

    def __init__(self, f: Callable[..., Any], parameters: Sequence[Value], shapes: Sequence[Shape]) -> None:
        self.graph = Graph()
        self._handles: dict[int, Traced] = {}  # the node that stands for each place
        self._variables = 0
        self._open = True
        with self._lent(parameters):
            for i, parameter in enumerate(parameters):
                parameter._dx = self.graph.leaf(Leaf(PARAMETERS, i), parameter.label or f"p{i}")
            self.parameters = [self._handle(parameter._dx) for parameter in parameters]
            arguments = [self._argument(INPUTS + i, shape) for i, shape in enumerate(shapes)]
            token = TRACED_VARIABLE.set(self._variable)
            try:
                self.result = map_tree(self._result, f(*arguments), name="the result")
            finally:
                self._open = False
                TRACED_VARIABLE.reset(token)
                for place, node in self._handles.items():
                    if node.label:
                        self.graph.labels[place] = node.label

    def gradients(self, y: Traced, xs: Sequence[Traced]) -> list[Traced]:
        """Record ∂y/∂x for each x into the same graph, by the chain rule and the rules of the table.

        >>> w = Value(0.5, label="w")
        >>> trace = Trace(lambda x: (w * x).tanh(), [w], [()])
        >>> [gradient] = trace.gradients(trace.result, trace.parameters)
        >>> gradient
        <traced … * x>
        """
        self._open = True
        try:
            return [self._result(gradient) for gradient in chain_rule(topological(y), y, xs)]
        finally:
            self._open = False

    @property
    def outputs(self) -> list[Traced]:
        """The nodes of the result, in order."""
        return [*flatten(self.result)[0].values()]

    @property
    def labelled(self) -> list[Traced]:
        """The results of operations that were given a label."""
        return [self._handles[place] for place in self.graph.labels if self.graph.rows[place] is not None]

    def label(self, gradients: Sequence[Traced]) -> None:
        """Label the gradients of the labelled nodes: that of ``net`` is ``∂net``."""
        for node, gradient in zip(self.labelled, gradients, strict=True):
            if gradient.primitive is not None:  # not a number, which is what it is
                self.graph.labels.setdefault(gradient.place, f"∂{self.graph.labels[node.place]}")

    @contextmanager
    def _lent(self, parameters: Sequence[Value]) -> Iterator[None]:
        """Let the parameters stand for any number, for as long as the function runs."""
        for parameter in parameters:
            if parameter.__class__ is not Value or parameter.primitive is not None:
                raise TypeError(f"a parameter is a leaf, a Value that did not come from an operation; got {parameter!r}")
        if len(set(parameters)) < len(parameters):
            raise ValueError("a parameter is listed twice; list each once")
        try:
            for parameter in parameters:
                parameter.__class__, parameter._dy = Traced, self
            yield
        finally:
            try:
                _give_back(parameters)
            finally:
                _give_back(parameters)  # again, should an interrupt have broken off the first

    def _argument(self, space: int, shape: Shape) -> Tree:
        places = count()

        def build(rest: Shape, name: str) -> Tree:
            if rest:
                return [build(rest[1:], f"{name}_{i}" if name[-1].isdigit() else f"{name}{i}") for i in range(rest[0])]
            return self._handle(self.graph.leaf(Leaf(space, next(places)), name))

        return build(shape, "x")

    def _variable(self, x: float) -> Traced:
        """Return a node for a number that a derivative is taken at: a constant, but not the node of equal constants."""
        self._variables += 1
        return self._handle(self.graph.leaf(Leaf(CONSTANTS, self._variables, x)))

    def _handle(self, place: int, row: Primitive | None = None, operands: Sequence[Any] = ()) -> Traced:
        """Return the node that stands for a place in the graph."""
        node = self._handles.get(place)
        if node is None:
            node = self._handles[place] = new(Traced)
            node.primitive, node._dx, node._dy, node._mark, node.label = row, place, self, None, None
            node._left = node._right = None
            if row is not None:
                node._left, node._right = tuple(operands), tuple([x for x in operands if x.__class__ is Traced])
        return node

    def record(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Enter an operation, and return the node that stands for its result."""
        if not self._open:
            raise TypeError(f"{row.name} was asked for with a node of a compiled function that has returned; such nodes stand "
                            "for any number and cannot be kept: return what you need")  # fmt: skip
        handles, kept, places = self._handles, [], []
        for x in operands:
            if x.__class__ is Traced:
                if x._dy is not self:
                    raise TypeError("two functions are being compiled at once, one inside the other; compile them one by one")
                place = x._dx
                x = handles[place]
            else:
                x = _frozen(x) if isinstance(x, Value) else x if x.__class__ is float else number(x)
                if x is NotImplemented:
                    return NotImplemented
                place = self.graph.constant(x)
            kept.append(x)
            places.append(place)
        return self._handle(self.graph.node(row, tuple(places)), row, kept)

    def _result(self, x: Any) -> Any:
        if x.__class__ is Traced:
            return self._handles[x._dx]
        try:
            found = _frozen(x) if isinstance(x, Value) else Value(x).data
        except TypeError:
            raise TypeError(
                f"a compiled function returns numbers and Values, in any containers; this is {x!r}, a {type(x).__name__}"
            ) from None
        return self._handle(self.graph.constant(found))


def _give_back(parameters: Sequence[Value]) -> None:
    for parameter in parameters:
        parameter.__class__ = Value
        parameter._dx = parameter._dy = parameter._mark = None


def _refuse(what: str) -> Callable[..., NoReturn]:
    def refuse(self: Traced, *_: Any) -> NoReturn:
        raise TypeError(f"{what} of {self!r} was asked for while compiling, where it stands for any number: the answer for one "
                        f"example would be built into the program for all; {INSTEAD}")  # fmt: skip

    return refuse


INSTEAD: Final = ("to choose, use where(condition, a, b), maximum or minimum; to guard exp from overflow, logsumexp; to select "
                  "by an index that is data, a one-hot list; for math's functions, autograd's of the same name")  # fmt: skip


class Traced(Operand, Value):
    """A node that stands for any number; see `Trace`."""

    __slots__ = ()

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Enter the operation into the graph."""
        return self._dy.record(row, operands)

    def __repr__(self) -> str:
        graph = self._dy.graph
        names = [graph.describe(i) if graph.rows[i] is None else graph.labels.get(i, "…") for i in graph.operands[self._dx]]
        shown = names if len(names) < 5 else [*names[:2], "…", names[-1]]
        return f"<traced {self.label or (self.primitive.spell(shown) if self.primitive else graph.describe(self._dx))}>"

    @property
    def place(self) -> int:
        """Where this node is in the graph."""
        place: int = self._dx
        return place

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation was applied to, in written order."""
        return self._left or ()

    # fmt: off
    __bool__  = _refuse("the truth")
    __float__ = __int__ = __index__ = __round__ = _refuse("the number")
    __format__ = _refuse("the digits")
    backward = zero_grad = _refuse("backward")
    # fmt: on


for _name in ("data", "_data", "grad"):
    setattr(Traced, _name, property(_refuse(f".{_name.lstrip('_')}"), _refuse(f".{_name.lstrip('_')}")))
for _name, _row in TABLE.items():  # the methods that record numbers, such as `Value.tanh`, give way to the rows themselves
    if hasattr(Value, _name):
        setattr(Traced, _name, method(_row))


def _frozen(x: Value) -> float:
    """Return the number of a node that depends on no parameter: a constant of the program."""
    if any(isinstance(node, Traced) for node in nodes_below(x)):
        raise TypeError(f"{describe(x)} was computed from a parameter outside the compiled function; compute it inside, so "
                        "that the program computes it anew for new parameters")  # fmt: skip
    return x.data
