"""A scalar computation, recorded once as plain data.

The user's function runs on nodes that stand for any number.  Each operation on them is entered into a `Graph`; anything that
needs *the* number, such as ``if``, ``float()`` or ``.data``, raises an error at the user's own line.  So nothing that holds for
one example only can slip into a program for all of them.

The leaves of a graph come first, the parameters before the numbers of the arguments, so a leaf's place identifies it.  The
factors of a `dot` are two *lists*: nodes that have operands but no row.  Equal lists are one node, so what the neurons of a
layer share is processed once.

>>> from autograd.value import Value
>>> w = Value(0.5, label="w")
>>> trace = Trace(lambda x: dot([w, x], [x, 2.0]), [w], [()])
>>> print(trace.graph)
0: w
1: x
2: 2.0
3: [0, 1]
4: [1, 2]
5: dot(3, 4)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, chain, compress, islice, product
from typing import Any, Final, NoReturn, TypeAlias

from autograd.lookups import is_used_outside
from autograd.manners import describe
from autograd.primitives import Operand, Primitive, add, divide, dot, method, multiply, positive, subtract
from autograd.reals import number
from autograd.rows import TABLE
from autograd.threads import call_with
from autograd.trees import flatten, map_tree
from autograd.value import TRACED_VARIABLE, Value, new, nodes_below

__all__ = ["Graph", "Shape", "Trace", "Traced", "constant_key"]

Shape: TypeAlias = tuple[int, ...]
Build: TypeAlias = Callable[[Iterator[Any]], Any]


class Graph:
    """A computation as plain data: node i is the row ``rows[i]`` applied to the nodes ``operands[i]``.

    A node without a row is a list if it has operands, else a leaf: a parameter, a number of an argument, or a constant.

    Args:
        parameters: the parameters' labels, which may be None.
        shapes: the shapes of the arguments, as in NumPy: () for a number, (3,) for a list of three.

    Attributes:
        rows: the row of each node; None for a leaf or a list.
        operands: the places of each node's operands, all before its own; for a dot, two lists and perhaps the bias.
        constants: the number of each constant, by its place.
        labels: the names that the user gave to results, by place.
        n_leaves: the number of parameters and numbers in arguments, which are the first nodes.
    """

    def __init__(self, parameters: Sequence[str | None] = (), shapes: Sequence[Shape] = ()) -> None:
        self.parameters, self.shapes = parameters, shapes
        self.sizes = [math.prod(shape) for shape in shapes]
        self.n_leaves = len(parameters) + sum(self.sizes)
        self.rows: list[Primitive | None] = [None] * self.n_leaves
        self.operands: list[tuple[int, ...]] = [()] * self.n_leaves
        self.constants: dict[int, float] = {}
        self.labels: dict[int, str] = {}
        self.known: dict[Any, int] = {}  # the places of lists and constants, which are entered once

    def append(self, row: Primitive | None, operands: tuple[int, ...]) -> int:
        """Enter a node, and return its place."""
        self.rows.append(row)
        self.operands.append(operands)
        return len(self.rows) - 1

    def enter(self, row: Primitive, operands: Sequence[int]) -> int:
        """Enter an operation on nodes, a dot with its factors as two lists, and return its place."""
        if row is dot and len(operands) == 1:
            row = positive  # of the bias, because both lists are empty
        elif row is dot:
            n = len(operands) // 2
            operands = [self.listed(tuple(operands[:n])), self.listed(tuple(operands[n : 2 * n])), *operands[2 * n :]]
        return self.append(row, tuple(operands))

    def listed(self, places: tuple[int, ...]) -> int:
        """Return the node of a list; equal lists share one."""
        place = self.known.setdefault(places, len(self.rows))
        return self.append(None, places) if place == len(self.rows) else place

    def constant(self, x: float) -> int:
        """Return the node of a number; equal numbers share one."""
        place = self.known.setdefault(constant_key(x), len(self.rows))
        if place == len(self.rows):
            self.constants[place] = x  # before `append`, since the canonical form looks there
            self.append(None, ())
        return place

    def flat(self, i: int) -> tuple[int, ...]:
        """Return the operands of a node, with the lists of a dot written out."""
        operands = self.operands[i]
        if self.rows[i] is dot:
            return (*self.operands[operands[0]], *self.operands[operands[1]], *operands[2:])
        return operands

    def pruned(self, n: int, wanted: Sequence[int]) -> tuple[Graph, Sequence[int]]:
        """Return the graph without the nodes that no wanted node needs, and the new places of all others, by their old ones.

        Args:
            n: the number of nodes at the start that stay in any case; at least the leaves.
            wanted: the nodes to keep, with all that they need.

        >>> graph = Graph(["w"])
        >>> unused, square = graph.enter(add, [0, 0]), graph.enter(multiply, [0, 0])
        >>> pruned, places = graph.pruned(1, [square])
        >>> print(pruned, places[square])
        0: w
        1: multiply(0, 0) 1
        """
        needed = bytearray(n * [1] + (len(self) - n) * [0])
        for i in wanted:
            needed[i] = True
        for i in range(len(self) - 1, n - 1, -1):
            if needed[i]:
                for j in self.operands[i]:
                    needed[j] = True
        places = [place - 1 for place in accumulate(needed)]
        found = Graph(self.parameters, self.shapes)
        found.rows = [*compress(self.rows, needed)]
        found.operands = [tuple([places[j] for j in operands]) for operands in compress(self.operands, needed)]
        found.constants = {places[i]: x for i, x in self.constants.items() if needed[i]}
        found.labels = {places[i]: label for i, label in self.labels.items() if needed[i]}
        return found, places

    def is_equivalent_to(self, other: Graph, n: int) -> bool:
        """Return whether this graph equals the first n nodes of another, apart from labels."""
        constants = {i: x for i, x in other.constants.items() if i < n}
        same = self.rows == other.rows[:n] and self.operands == other.operands[:n]
        return same and repr(self.constants) == repr(constants)  # by repr, because NaN does not equal itself

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return "\n".join(f"{i}: {self.describe(i)}" for i in range(len(self)))

    def describe(self, i: int) -> str:
        """Return a node as text: its operation, its list, its number or its name."""
        row, operands = self.rows[i], self.operands[i]
        if row is not None:
            return f"{row.name}({', '.join(map(str, operands))})"
        if operands or i in self.constants:
            return str([*operands] or self.constants[i])
        if i < len(self.parameters):
            return self.parameters[i] or f"p{i}"
        places = chain.from_iterable(product(*map(range, shape)) for shape in self.shapes)
        return "x" + "_".join(map(str, next(islice(places, i - len(self.parameters), None))))


def constant_key(x: float) -> Any:
    """Return a key for a number: as its own key, NaN would not be found again, and -0.0 would be found as 0.0."""
    return x if x and x == x else repr(x)


class Trace:
    """The computation of a function of one example.

    Args:
        f: a function of numbers or nested lists of numbers that returns a `Value`, or a tree of them; see `autograd.trees`.
        parameters: the leaves to differentiate with respect to.
        shapes: the shape of each argument of f, as in NumPy: () for a number, (3,) for a list of three.
        builds: for each argument of f, a function that builds it from the iterator over all inputs; by default, nested lists.

    Attributes:
        graph: the computation.
        result: what f returned, with the place of its node instead of each leaf.
        outputs: the places in the result, in order.
        held: the numbers of the other leaves that f used, which are constants.

    Raises:
        TypeError: if f needs a number that depends on an input or a parameter, or returns anything but numbers and `Value`s.
    """

    def __init__(
        self, f: Callable[..., Any], parameters: Sequence[Value], shapes: Sequence[Shape], builds: Sequence[Build] | None = None
    ) -> None:
        self._open = True
        self.refusal: TypeError | None = None  # the last one; if f caught it, what it did then is not what numbers would do
        self.graph, self.held = Graph([parameter.label for parameter in parameters], shapes), dict[Value, float]()
        with self._lent(parameters):
            nodes = map(self._node, range(len(parameters), self.graph.n_leaves))
            arguments = [build(nodes) for build in builds or [partial(_nested, shape) for shape in shapes]]
            try:
                returned = call_with(TRACED_VARIABLE, self._variable, f, *arguments)
                if self.refusal is not None:
                    self.refusal.add_note("the function caught this error; with numbers it would not have been raised")
                    raise self.refusal
                self.result = map_tree(self._result, returned, name="the result")
            finally:
                self._open = False
        self.outputs: list[int] = [int(place) for place in flatten(self.result)[0].values()]

    @contextmanager
    def _lent(self, parameters: Sequence[Value]) -> Iterator[None]:
        """Let the parameters stand for any number, for as long as the function runs."""
        for parameter in parameters:
            if parameter.primitive is not None:
                raise TypeError(f"a parameter is a leaf, a Value that did not come from an operation; got {parameter!r}")
            if parameter.__class__ is not Value:
                kind = type(parameter).__name__
                raise TypeError(f"a parameter is a plain Value, not a {kind}, whose operations may do more; got {parameter!r}")
        if len(set(parameters)) < len(parameters):
            raise ValueError("a parameter is listed twice; list each once")
        try:
            for i, parameter in enumerate(parameters):
                parameter.__class__, parameter._dx, parameter._dy = Traced, i, self
            yield
        finally:
            try:
                _give_back(parameters)
            except BaseException:
                _give_back(parameters)  # again, because an interrupt broke off the first call
                raise

    def _variable(self, x: float) -> Traced:
        """Return a node for a number that a derivative is taken at: a constant, but not the node of equal constants."""
        place = self.graph.append(None, ())
        self.graph.constants[place] = x
        return self._node(place)

    def _node(self, place: int, row: Primitive | None = None, operands: tuple[Any, ...] | None = None) -> Traced:
        node: Traced = new(Traced)
        node._mark = None
        node.primitive, node._dx, node._dy, node._left = row, place, self, operands
        return node

    def record(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Enter an operation, and return the node that stands for its result."""
        if not self._open:
            raise TypeError(f"{row.name} was applied to a node of a compiled function that has returned; such nodes stand "
                            "for any number and cannot be kept: return what you need")  # fmt: skip
        graph = self.graph
        try:
            places = [x._dx for x in operands if x._dy is self]  # measured: a fifth of the time of checking classes
        except AttributeError:
            places = []
        if len(places) < len(operands):
            operands = [self._operand(x) for x in operands]
            if any(x is NotImplemented for x in operands):
                return NotImplemented
            places = [graph.constant(x) if x.__class__ is float else x._dx for x in operands]
        place = graph.enter(row, places) if row is dot else graph.append(row, tuple(places))
        return self._node(place, row, tuple(operands))

    def _operand(self, x: Any) -> Any:
        """Return an operand as a node of this trace or a number."""
        if isinstance(x, Traced):
            if x._dy is not self:
                raise TypeError("two functions are being compiled at once, one inside the other; compile them one by one")
            return x
        return self._frozen(x) if isinstance(x, Value) else number(x)

    def _result(self, x: Any) -> int:
        if isinstance(x, Traced) and x._dy is self:
            return int(x._dx)
        try:
            x = x if isinstance(x, Value) else Value(x)
        except TypeError:
            raise TypeError(
                f"a compiled function returns numbers and Values, in any containers; this is {x!r}, a {type(x).__name__}"
            ) from None
        return self.graph.constant(self._frozen(x))

    def _frozen(self, x: Value) -> float:
        """Return the number of a node that depends on no parameter: a constant of the program."""
        nodes = nodes_below(x)
        if any(isinstance(node, Traced) for node in nodes):
            raise TypeError(f"{describe(x)} was computed from a parameter outside the compiled function; compute it inside, so "
                            "that the program computes it anew for new parameters")  # fmt: skip
        self.held |= {node: node._number for node in nodes if node.primitive is None}
        return x.data


def _nested(shape: Shape, nodes: Iterator[Any]) -> Any:
    return [_nested(shape[1:], nodes) for _ in range(shape[0])] if shape else next(nodes)


def _give_back(parameters: Sequence[Value]) -> None:
    for parameter in parameters:
        parameter.__class__ = Value
        parameter._dx = parameter._dy = parameter._mark = None


def _refuse(what: str) -> Callable[..., NoReturn]:
    def refuse(self: Traced, *_: Any) -> NoReturn:
        error = TypeError(f"{what} of {self!r} cannot be used while compiling, because it stands for any number: the answer "
                          f"for one example would be built into the program for all; {INSTEAD}")  # fmt: skip
        if is_used_outside():
            self._dy.refusal = error
        raise error

    return refuse


INSTEAD: Final = ("to choose, use where(condition, a, b), maximum or minimum; for a loop whose length depends on data, one of "
                  "fixed length with where inside; to guard exp from overflow, softmax or logsumexp; to select by an index "
                  "that is data, a one-hot list; for math's functions, autograd's of the same name")  # fmt: skip


LABEL: Final = Value.__dict__["label"]  # the slot of a leaf's own label


class Traced(Operand, Value):
    """A node that stands for any number; see `Trace`."""

    __slots__ = ()

    def __new__(cls, data: Any, label: str | None = None) -> Any:
        """Return a constant, as ``type(w)(2.0)`` does for a node w that is not traced."""
        return Value(data, label)

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Enter the operation into the graph."""
        return self._dy.record(row, operands)

    def __hash__(self) -> int:
        # A parameter is one node for all examples, so it may be a key; transforms, such as `grad`, may use any node as one.
        if self._dx >= len(self._dy.graph.parameters) and is_used_outside():
            self._look_up()
        return object.__hash__(self)

    def __repr__(self) -> str:
        graph = self._dy.graph
        if self.label or self.primitive is None:
            return f"<traced {self.label or graph.describe(self._dx)}>"
        names = [repr(x) if x.__class__ is float else x.label or ("…" if x.primitive else graph.describe(x._dx))
                 for x in self.operands]  # fmt: skip
        return f"<traced {self.primitive.spell(names if len(names) < 5 else [*names[:2], '…', names[-1]])}>"

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation was applied to, in written order."""
        return self._left or ()

    @property
    def _right(self) -> tuple[Value, ...]:
        return tuple([x for x in self.operands if isinstance(x, Value)])

    @property
    def label(self) -> str | None:
        """The name: a parameter's own, or what was set while tracing."""
        graph: Graph = self._dy.graph
        return graph.parameters[self._dx] if self._dx < len(graph.parameters) else graph.labels.get(self._dx)

    @label.setter
    def label(self, label: str | None) -> None:
        if self._dx < len(self._dy.graph.parameters):
            LABEL.__set__(self, label)
        else:
            self._dy.graph.labels[self._dx] = label

    # fmt: off
    __bool__  = _refuse("the truth")
    __float__ = __int__ = __index__ = __round__ = _refuse("the number")
    __format__ = _refuse("the digits")
    _look_up = _refuse("the hash, by which a set or a dict looks for it,")
    backward = zero_grad = _refuse("the backward pass")
    # fmt: on


def _operator(row: Primitive, *, reflected: bool = False) -> Callable[..., Any]:
    """Return a method for an operator: `record` for two nodes of one open trace.  Measured: saves a third of tracing."""

    def applied(self: Any, other: Any) -> Any:
        trace, operands = self._dy, (other, self) if reflected else (self, other)
        if other.__class__ is not Traced or other._dy is not trace or not trace._open:
            return self.__primitive__(row, operands)
        graph = trace.graph
        rows = graph.rows
        node: Traced = new(Traced)
        node._mark = None
        node.primitive, node._dx, node._dy, node._left = row, len(rows), trace, operands
        rows.append(row)
        graph.operands.append((operands[0]._dx, operands[1]._dx))
        return node

    return applied


for _name in ("data", "_number", "grad", "partials", "taken"):
    _shown = "." + _name.replace("_number", "data")
    setattr(Traced, _name, property(_refuse(_shown), _refuse(_shown)))
for _name, _row in TABLE.items():  # methods such as `Value.tanh` record numbers, so the rows replace them
    if hasattr(Value, _name):
        setattr(Traced, _name, method(_row))
for _name, _row in {"add": add, "sub": subtract, "mul": multiply, "truediv": divide}.items():
    setattr(Traced, f"__{_name}__", _operator(_row))
    setattr(Traced, f"__r{_name}__", _operator(_row, reflected=True))
