"""The node, and backpropagation.

A `Value` remembers how it was computed: the row of the table that made it, its operands, and the row's partial derivatives
evaluated at their values.  The chain rule needs no more.  `backward` visits the graph from the result to the leaves, every node
before its operands, and adds to the gradient of each operand

    contribution = gradient of the node · partial derivative of the node with respect to the operand

Nothing flows to a constant or along a branch that was not taken: there the stored partial derivative is None or missing.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> y = a * b + a
>>> y.backward()
>>> y.data, a.grad, b.grad
(-4.0, -2.0, 2.0)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from itertools import compress
from numbers import Real
from typing import Any, Final, cast

from autograd import primitives as table
from autograd.fixed import is_fixed
from autograd.manners import Manners, describe
from autograd.primitives import Binary, DomainError, Nary, Primitive, Unary, method
from autograd.reals import number, real
from autograd.recording import recorder
from autograd.symbol import read_flow
from autograd.threads import one_at_a_time

__all__ = ["Value", "nodes_below", "topological"]

new: Final = object.__new__
TUPLE_ITERATOR: Final = type(iter(()))
# The grad of a node that nothing has reached in this pass.  It is recognised by identity: adding to it gives another float.
UNREACHED: Final = float("0")
_recorders: dict[Primitive, Callable[..., Any]] = {}


def unary(row: Unary) -> Callable[[Value], Value]:
    """Make the method of a row with one operand, and remember it for functions such as ``tanh(x)``."""
    return _recorders.setdefault(row, recorder(row, globals()))


def operators(row: Binary) -> tuple[Callable[..., Value], Callable[..., Value]]:
    """Make the two methods of a row with two operands, for ``self + other`` and ``other + self``, and remember them."""
    recorded, reflected = recorder(row, globals())
    _recorders[row] = lambda x, y: recorded(x, y) if isinstance(x, Value) else reflected(y, x)
    return recorded, reflected


class Value(Manners):
    """A scalar in a computation graph.

    Args:
        data: a real number.
        label: a name, shown in printed and drawn graphs.

    Attributes:
        data: the number, a float.  It can be set on a leaf; other nodes keep the number of their forward pass.
        grad: ∂(result)/∂(this node) after a backward pass, 0.0 before; on a leaf it accumulates until `zero_grad`.
        label: the name, or None.
        primitive: the row of the table that made this node, None for a leaf.

    Raises:
        TypeError: for anything but a real number, or a label that is neither text nor a number.

    >>> w = Value(0.5, label="w")
    >>> (w * 2 + 1).relu()
    Value(data=2.0, grad=0.0)
    """

    # One or two operands, nodes or floats, are in _left and _right, and their partial derivatives in _dx and _dy: None where
    # the operand is a constant or nothing flows to it.  With many operands, _left has all, _right those that are nodes, and _dx
    # the partial derivatives with respect to these; _dy is True if some of them may be None, else None.
    __slots__ = ("_dx", "_dy", "_left", "_mark", "_number", "_right", "grad", "label", "primitive")

    _left: Any
    _right: Any
    _dx: Any
    _dy: Any
    _mark: object

    def __init__(self, data: Any, label: str | None = None) -> None:
        if isinstance(data, Value):
            raise TypeError(f"a Value holds a number, not a node; use {data!r} itself, or its .data for a new leaf")
        if label is not None and not isinstance(label, str | int | float):
            raise TypeError(f"the label of a Value is text, not {label!r}; operations record their operands themselves")
        self._number = data if data.__class__ is float else real(data)  # measured: halves the time to make a leaf
        self.grad = 0.0
        self.label = label if label is None or label.__class__ is str else str(label)
        self.primitive = self._left = self._right = self._dx = self._dy = self._mark = None

    # fmt: off
    __add__, __radd__           = operators(table.add)
    __sub__, __rsub__           = operators(table.subtract)
    __mul__, __rmul__           = operators(table.multiply)
    __truediv__, __rtruediv__   = operators(table.divide)
    __floordiv__, __rfloordiv__ = operators(table.floor_divide)
    __mod__, __rmod__           = operators(table.remainder)
    __pow__, __rpow__           = operators(table.power)
    __lt__, __gt__              = operators(table.less)[0], operators(table.greater)[0]
    __le__, __ge__              = operators(table.less_equal)[0], operators(table.greater_equal)[0]
    __neg__, __pos__, __abs__   = map(unary, (table.negative, table.positive, table.absolute))

    exp, exp2, expm1            = map(unary, (table.exp, table.exp2, table.expm1))
    log, log2, log10, log1p     = map(unary, (table.log, table.log2, table.log10, table.log1p))
    square, sqrt, cbrt          = map(unary, (table.square, table.sqrt, table.cbrt))
    sin, cos, tan               = map(unary, (table.sin, table.cos, table.tan))
    arcsin, arccos, arctan      = map(unary, (table.arcsin, table.arccos, table.arctan))
    sinh, cosh, tanh            = map(unary, (table.sinh, table.cosh, table.tanh))
    arcsinh, arccosh, arctanh   = map(unary, (table.arcsinh, table.arccosh, table.arctanh))
    sigmoid, softplus, erf      = map(unary, (table.sigmoid, table.softplus, table.erf))
    relu, step, gate, sign, floor, ceil = map(unary, (table.relu, table.step, table.gate, table.sign, table.floor, table.ceil))
    leaky_relu, prelu, maximum, minimum = map(method, (table.leaky_relu, table.prelu, table.maximum, table.minimum))
    where, hypot, arctan2       = map(method, (table.where, table.hypot, table.arctan2))
    abs, __floor__, __ceil__    = __abs__, floor, ceil
    # fmt: on

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Record `row` on `operands`; functions such as ``tanh(x)`` and users' own rows call this."""
        if self.__class__ is not Value and type(self).__primitive__ is not Value.__primitive__:  # called by its super()
            return record(row, operands, is_handed_on=True)
        recorded = _recorders.get(row)
        if recorded is None:
            return _record_first_time(row, operands)
        return recorded(*operands) if row.arity else recorded(row, operands)

    @property
    def data(self) -> float:
        """The number; it can be set on a leaf."""
        return self._number

    @data.setter
    def data(self, data: Any) -> None:
        if self.primitive is not None:
            raise AttributeError(f"the data of {describe(self)} is computed from its operands; set a leaf's data, then "
                                 "compute the result again or use autograd.replay")  # fmt: skip
        self._number = real(data)

    @property
    def operands(self) -> tuple[Any, ...]:
        """The operands in written order: nodes, and plain numbers for constants."""
        found = self._left if self._left.__class__ is tuple else (self._left, self._right)
        return tuple([x if isinstance(x, Value) else number(x) for x in found if x is not None])

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The operands that are nodes, in written order; a node that is used twice occurs twice."""
        found = self._right if self._left.__class__ is tuple else [x for x in (self._left, self._right) if isinstance(x, Value)]
        return tuple(found)

    @property
    def partials(self) -> tuple[float, ...]:
        """∂(this node)/∂input for each of `inputs`, as recorded in the forward pass; 0 where nothing flows.

        >>> (Value(2.0) * Value(5.0)).partials
        (5.0, 2.0)
        """
        return tuple([0.0 if partial is None else partial for partial in self._partials])

    @property
    def taken(self) -> tuple[bool, ...]:
        """Whether anything flows along the edge to each of `inputs`; False for a branch that the operation did not choose.

        >>> x = Value(-2.0)
        >>> x.relu().taken, (x * 0.0).taken
        ((False,), (True,))
        """
        return tuple([partial is not None for partial in self._partials])

    @property
    def _partials(self) -> Sequence[float | None]:
        """As `partials`, but None where nothing flows."""
        if self._left.__class__ is tuple:
            return tuple(self._dx)
        return [p for x, p in ((self._left, self._dx), (self._right, self._dy)) if isinstance(x, Value)]

    @one_at_a_time
    def backward(self, upstream: float = 1.0) -> None:
        """Add upstream · ∂(this node)/∂leaf to the `grad` of every leaf below, and set the `grad` of the nodes in between.

        The partial derivatives are those of the forward pass.  In further calls the leaves accumulate until `zero_grad`, and
        the nodes in between start again from 0.  Several threads may call it on graphs that share nodes; the calls are
        serialised.  (Do not fork the process while another thread is in a backward pass.)

        Args:
            upstream: the gradient that arrives at this node, ∂L/∂(this node).

        Raises:
            TypeError: if the `grad` of a leaf was set to something that a float cannot be added to, such as None.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0

        Source: Rumelhart, Hinton, Williams, Learning representations by back-propagating errors, Nature 323 (1986).
        """
        upstream = real(upstream)
        order, unreached = topological(self), UNREACHED
        for node in order:
            node.grad = unreached
        try:
            self.grad += upstream
            for node in reversed(order):
                delta = node.grad
                if delta is unreached:
                    continue
                dx, dy = node._dx, node._dy
                if dx.__class__ is tuple:
                    edges = zip(node._right, dx, strict=True)
                    for x, partial in edges if dy is None else [edge for edge in edges if edge[1] is not None]:
                        x.grad += delta * partial
                    continue
                if dx is not None:
                    node._left.grad += delta * dx
                if dy is not None:
                    node._right.grad += delta * dy
        except TypeError:
            wrong = next(x for x in nodes_below(self) if not isinstance(x.grad, Real))
            raise TypeError(f"the gradient of {wrong!r} is not a number, so nothing can be added to it; call zero_grad(), then "
                            "backward() again") from None  # fmt: skip

    @one_at_a_time
    def zero_grad(self) -> None:
        """Set the `grad` of this node and of every node below it to zero."""
        for node in nodes_below(self):
            node.grad = 0.0

    def __copy__(self) -> Value:
        return _twin(self, lambda part: part)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in nodes_below(self):  # operands first, so that each node finds its own copied, without recursion
            if id(node) not in memo:
                memo[id(node)] = node if isinstance(node, Variable) else _twin(node, lambda part: copy.deepcopy(part, memo))
        return cast(Value, memo[id(self)])


class Variable(Value):
    """The variable that a function is differentiated with respect to, while the function runs.

    Copies made inside the function, and graphs computed again there, stay connected to it.
    """

    __slots__ = ()


class Independent(Value):
    """A leaf that the user did not make: a constant derivative, or a former `Variable` that was made from a number."""

    __slots__ = ()


# While a function is being traced, the function that makes a variable of the trace from a number.
TRACED_VARIABLE: Final[ContextVar[Callable[[float], Value] | None]] = ContextVar("TRACED_VARIABLE", default=None)


def record(row: Primitive, operands: Sequence[Any], is_handed_on: bool = False) -> Any:
    """Make the node of `row` on `operands`, numbers and Values: the reference implementation of every recording function.

    Args:
        row: the row.
        operands: what it is applied to.
        is_handed_on: whether a subclass of `Value` with its own ``__primitive__`` has had its turn.

    Raises:
        DomainError: where the row or one of its rules is undefined, naming the operands.
        TypeError: if an operand or the row's result is not a real number.
    """
    # A subclass with its own `__primitive__` goes first, as with Python's reflected operators.
    for x in () if is_handed_on else operands:
        if x.__class__ is not Value and isinstance(x, Value) and type(x).__primitive__ is not Value.__primitive__:
            return x.__primitive__(row, operands)
    data = [x._number if isinstance(x, Value) else number(x) for x in operands]
    if NotImplemented in data:
        return NotImplemented
    which = [i for i, x in enumerate(operands) if isinstance(x, Value)]
    try:
        out = float(row.evaluate(data))
        partials: list[Any] = row.partials([*data], out, which)  # a copy, because a user's rule may sort it
    except DomainError as error:
        names = [*map(describe, operands)]
        shown = f"operand is {names[0]}; keep it" if len(names) == 1 else f"operands are {' and '.join(names[:4])}; keep them"
        raise DomainError(f"{error}; the {shown} in the domain, for example with maximum, or pass a lambda to where") from error
    partials = [p if p or read_flow(row, i, data, out) else None for p, i in zip(partials, which, strict=True)]
    written = tuple([x if isinstance(x, Value) else d for x, d in zip(operands, data, strict=True)])
    if isinstance(row, Nary):
        slots: Any = written, tuple([operands[i] for i in which]), tuple(partials), None in partials or None
    else:
        by_place = dict(zip(which, partials, strict=True))
        slots = *(*written, None)[:2], by_place.get(0), by_place.get(1)
    node: Value = new(Value)
    node._number, node.grad, node.primitive = out, 0.0, row
    node._left, node._right, node._dx, node._dy = slots
    node._mark = node.label = None
    return node


def record_many(row: Nary, operands: Sequence[Any]) -> Any:
    """Make the node of a row on many operands.  Measured: in the common case three times as fast as `record`."""
    which = None
    try:
        # If these two are nodes, most likely all are: they are the first input and the bias of a dot, the branches of a where.
        if operands[len(operands) // 2].__class__ is operands[-1].__class__ is Value:
            data = [x._number for x in operands]
        else:
            which = [x.__class__ is Value for x in operands]
            pairs = zip(operands, which, strict=True)
            data = [x._number if is_node else x if x.__class__ is float else real(x) for x, is_node in pairs]
        if row.picks is None:
            out = row.function(*data)
            partials: tuple[Any, ...] = tuple(row.gradient(data, out))
        else:
            taken = row.picks(data[0])
            out, partials = data[taken], (None,) * taken + (1.0,) + (None,) * (len(data) - taken - 1)
    except Exception:  # `record` records it, or raises an error that names the operands
        return record(row, operands)
    inputs = written = tuple(operands)
    if which is not None:
        inputs, partials = tuple(compress(written, which)), tuple(compress(partials, which))
    node: Value = new(Value)
    node._number, node.grad, node.primitive = out, 0.0, row
    node._left, node._right = written, inputs
    node._dx, node._dy = partials, None if row.picks is None else True
    node._mark = node.label = None
    return node


def _record_first_time(row: Primitive, operands: Sequence[Any]) -> Any:
    """Record a row through `record`, whose errors name a faulty rule, and make the function that records it from then on."""
    node = record(row, operands)
    if isinstance(row, Unary):
        unary(row)
    elif isinstance(row, Binary):
        operators(row)
    else:  # a user's row stays with `record`, which checks every result
        _recorders[row] = record_many if row.is_in_table else record
    if row.arity and not is_fixed(row):  # its formulas may differ at the next call
        _recorders[row] = lambda *operands: record(row, operands)
    return node


@one_at_a_time
def topological(root: Value) -> list[Value]:
    """Return the nodes at or below `root` that operations made, each after its operands, `root` last.

    The search is depth first, operands in written order, without recursion, and leaves a mark on each node it has seen.  The
    mark is a new object each time, so marks never have to be cleared.
    """
    mark = object()
    order: list[Value] = []
    path: list[Any] = []  # from the root down; a node of many operands is followed by an iterator over those still to visit
    x: Any = root
    while True:
        # Go down along first operands, to a node that has none or is marked.  Measured: a third faster than a stack of all the
        # nodes still to visit.
        while x.primitive is not None and x._mark is not mark:
            x._mark = mark
            path.append(x)
            left = x._left
            if left.__class__ is Value:  # the most common class first; measured: saves 15 % of this pass
                x = left
            elif left.__class__ is tuple:
                path.append(iter(x._right))
            elif left.__class__ is not float:
                x = left
        # On the way up, turn to the next operand that is new; after the last one append the node.
        while path:
            top = path.pop()
            if top.__class__ is TUPLE_ITERATOR:
                for x in top:
                    if x.primitive is not None and x._mark is not mark:
                        break
                else:
                    order.append(path.pop())
                    continue
            else:
                x = top._right
                if x is None or (top._dy is None and x.__class__ is float) or x.primitive is None or x._mark is mark:
                    order.append(top)
                    continue
            path.append(top)
            break
        else:
            return order


def nodes_below(root: Value) -> list[Value]:
    """Return all nodes of a graph, leaves included, each after its operands; a node may occur more than once."""
    return [x for node in (*topological(root), root) for x in (*node.inputs, node)]


def _twin(node: Value, copied: Callable[[Any], Any]) -> Value:
    """Copy one node with all its attributes, including those that a subclass has added."""
    added, slots = cast(tuple[dict[str, Any] | None, dict[str, Any]], node.__getstate__())
    twin = new(type(node))
    for name, part in {**slots, **(added or {})}.items():
        setattr(twin, name, copied(part))
    return twin
