"""The node, and backpropagation.

A `Value` remembers how it came about: the row of the table that made it, its operands, and the row's partial derivatives
at their numbers.  The chain rule needs no more.  `backward` goes through the graph from the result to the leaves, in an
order in which every node comes before its operands, and from each node to each of its operands flows

    contribution = gradient of the node · partial derivative of the node with respect to the operand

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> y = a * b + a
>>> y.backward()
>>> y.data, a.grad, b.grad
(-4.0, -2.0, 2.0)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from numbers import Real
from typing import Any, Final, NoReturn

from autograd import primitives
from autograd.primitives import Binary, DomainError, Nary, Primitive, Unary, number
from autograd.recording import recorder

__all__ = ["Value", "describe", "label_values", "refuse_stale", "topological"]

new: Final = object.__new__
Operands: Final = type(iter(()))
REFUSED: Final = (ArithmeticError, ValueError, TypeError)
_recorders: dict[Primitive, Callable[..., Any]] = {}


def unary(row: Unary) -> Callable[[Value], Value]:
    """Make the method of a row with one operand."""
    method: Callable[[Value], Value] = recorder(row, globals())
    return _recorders.setdefault(row, method)


def operators(row: Binary) -> tuple[Callable[..., Value], Callable[..., Value]]:
    """Make the two methods of a row with two operands: for ``self + other`` and for ``other + self``."""
    method, reflected = recorder(row, globals())
    _recorders[row] = lambda x, y: method(x, y) if isinstance(x, Value) else reflected(y, x)
    return method, reflected


def binary(row: Binary) -> Callable[..., Value]:
    """Make the method of a row with two operands, for ``self`` as the first."""
    return operators(row)[0]


class Value:
    """A scalar in a computation graph.

    Args:
        data: a real number.
        label: a name for texts and pictures.

    Attributes:
        data: the number, a float.  A leaf's may be set; other nodes keep the number of their forward pass.
        grad: ∂(last differentiated result)/∂(this node), 0.0 before any backward pass.
        label: the name, or None.
        primitive: the row of the table that made this node, None for a leaf.

    Raises:
        TypeError: for anything but a real number.

    >>> w = Value(0.5, label="w")
    >>> (w * 2 + 1).relu()
    Value(data=2.0, grad=0.0)
    """

    __slots__ = ("_data", "_dx", "_dy", "_left", "_mark", "_right", "grad", "label", "primitive")

    _data: float
    _left: Any
    _right: Any
    _dx: Any
    _dy: Any
    _mark: object
    grad: float
    label: str | None
    primitive: Primitive | None

    def __init__(self, data: Any, label: str | None = None) -> None:
        if isinstance(data, Value):
            raise TypeError(f"a Value holds a number, not a node; use {data!r} itself, or its .data for a new leaf")
        self._data = data if data.__class__ is float else _real(data)  # half the time of a leaf
        self.grad = 0.0
        self.label = label
        self.primitive = self._left = self._right = self._dx = self._dy = self._mark = None

    # fmt: off
    __add__, __radd__         = operators(primitives.add)
    __sub__, __rsub__         = operators(primitives.subtract)
    __mul__, __rmul__         = operators(primitives.multiply)
    __truediv__, __rtruediv__ = operators(primitives.divide)
    __pow__, __rpow__         = operators(primitives.power)
    __lt__, __le__ = binary(primitives.less), binary(primitives.less_equal)
    __gt__, __ge__ = binary(primitives.greater), binary(primitives.greater_equal)
    __neg__, __pos__, __abs__ = unary(primitives.negative), unary(primitives.positive), unary(primitives.absolute)

    exp, expm1, log, log1p = unary(primitives.exp), unary(primitives.expm1), unary(primitives.log), unary(primitives.log1p)
    sin, cos, tan, tanh    = unary(primitives.sin), unary(primitives.cos), unary(primitives.tan), unary(primitives.tanh)
    sqrt, abs, sign        = unary(primitives.sqrt), __abs__, unary(primitives.sign)
    sigmoid, softplus      = unary(primitives.sigmoid), unary(primitives.softplus)
    relu, step, gate       = unary(primitives.relu), unary(primitives.step), unary(primitives.gate)
    leaky_relu, prelu      = binary(primitives.leaky_relu), binary(primitives.prelu)
    maximum, minimum       = binary(primitives.maximum), binary(primitives.minimum)
    # fmt: on

    def where(self, a: Any, b: Any) -> Value:
        """Return a node that is `a` where this condition holds and `b` elsewhere; see `autograd.where`."""
        node: Value = record(primitives.where, (self, a, b))
        return node

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Record `row` on `operands`: the way in for functions such as ``tanh(x)`` and for users' own rows."""
        if row not in _recorders:
            return _first(row, operands)
        return record_many(row, operands) if isinstance(row, Nary) else _recorders[row](*operands)

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        """Send NumPy's function to the row of its name, as in ``np.exp(v)`` and ``np.float64(2) * v``."""
        row = getattr(primitives, ufunc.__name__, None)
        if not isinstance(row, Primitive) or method != "__call__" or options:
            raise TypeError(f"numpy.{ufunc.__name__} cannot be recorded; use operators and autograd's functions on Values")
        return row.apply(operands)

    @property
    def data(self) -> float:
        """The number; that of a leaf can be set."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if self.primitive is not None:
            raise AttributeError(f"the data of {describe(self)} is computed from its operands; set a leaf's data, then "
                                 "compute again or use autograd.replay")  # fmt: skip
        self._data = _real(data)

    @property
    def operands(self) -> tuple[Value | float, ...]:
        """What the operation was applied to, in written order: nodes, and plain numbers for constants."""
        left, right = self._left, self._right
        if self.primitive is None:
            return ()
        if isinstance(left, tuple):
            return left if right is None else tuple([x if isinstance(x, Value) else number(x) for x in right])
        if isinstance(self.primitive, Unary):
            return (left,)
        return (self._dx if left is None else left, self._dy if right is None else right)

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The operands that are nodes, in written order; the same node twice if it is used twice."""
        left, right = self._left, self._right
        if isinstance(left, tuple):
            return left
        return tuple(x for x in (left, right) if x is not None)

    @property
    def partials(self) -> tuple[float, ...]:
        """∂(this node)/∂input for each of `inputs`, as recorded in the forward pass.

        >>> (Value(2.0) * Value(5.0)).partials
        (5.0, 2.0)
        """
        if isinstance(self._left, tuple):
            return tuple(float(partial) for partial in self._dx)
        pairs = (self._left, self._dx), (self._right, self._dy)
        return tuple(float(partial) for x, partial in pairs if x is not None)

    def backward(self, upstream: float = 1.0) -> None:
        """Add ∂(this node)/∂leaf to the `grad` of every leaf below it, and set the `grad` of the nodes between.

        The partial derivatives are those of the forward pass.  It may be called again: leaves go on adding up, until
        `zero_grad`; the nodes between start anew.

        Args:
            upstream: the gradient that arrives at this node, ∂L/∂(this node).

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0

        Source: Rumelhart, Hinton, Williams, Learning representations by back-propagating errors, Nature 323 (1986).
        """
        order = topological(self)
        for node in order:
            node.grad = 0.0
        self.grad += _real(upstream)
        for node in reversed(order):
            delta = node.grad
            left = node._left
            if left.__class__ is tuple:
                for x, partial in zip(left, node._dx, strict=True):
                    x.grad += delta * partial
                continue
            if left is not None:
                left.grad += delta * node._dx
            right = node._right
            if right is not None:
                right.grad += delta * node._dy

    def zero_grad(self) -> None:
        """Set the `grad` of this node and of every node below it to zero."""
        self.grad = 0.0
        for node in topological(self):
            node.grad = 0.0
            for x in node.inputs:
                x.grad = 0.0

    def __bool__(self) -> bool:
        if self.primitive is None or not self.primitive.is_condition:
            raise TypeError(f"{describe(self)} is a number, not a condition; compare it, as in `if x > 0:`")
        return self._data != 0.0

    def __eq__(self, other: object) -> bool:
        return self is _node(other, "==")

    def __ne__(self, other: object) -> bool:
        return self is not _node(other, "!=")

    __hash__ = object.__hash__

    def __float__(self) -> NoReturn:
        raise TypeError(f"turning {describe(self)} into a plain number would drop its graph; for the number use .data, and for "
                        "math.exp and the like use autograd.exp and the like")  # fmt: skip

    __int__ = __float__

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label is not None else ""
        return f"Value(data={self._data!r}, grad={self.grad!r}{label})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in topological(self):
            for x in (*node.inputs, node):
                if id(x) not in memo:
                    memo[id(x)] = _twin(x, memo)
        copied: Value = memo.setdefault(id(self), _twin(self, memo))
        return copied

    def __copy__(self) -> Value:
        return _twin(self, {})

    def __reduce__(self) -> tuple[Any, ...]:
        if self.primitive is not None:
            raise TypeError(f"{describe(self)} is the result of an operation and cannot be pickled; pickle the leaves and "
                            "compute it again, or write walk(loss).to_json()")  # fmt: skip
        return _leaf, (self._data, self.grad, self.label)

    def _repr_svg_(self) -> str | None:
        """Show the graph in Jupyter, where something is installed that can lay it out."""
        from autograd.drawing import LayoutError, draw  # the display hook alone looks up from the engine to the pictures

        try:
            return draw(self).svg
        except (LayoutError, ValueError):
            return None


def record(row: Primitive, operands: Sequence[Any]) -> Any:
    """Make the node of `row` on `operands`, numbers and Values: what every recording function does, in plain words.

    Raises:
        DomainError: where the row has no value, naming the nodes concerned.
        TypeError: for an operand that is no real number.
    """
    for x in operands:  # a subclass with a reading of its own goes first, as with Python's reflected operators
        if x.__class__ is not Value and isinstance(x, Value) and type(x).__primitive__ is not Value.__primitive__:
            return x.__primitive__(row, operands)
    data = [x._data if isinstance(x, Value) else number(x) for x in operands]
    if NotImplemented in data:
        return NotImplemented
    which = [i for i, x in enumerate(operands) if isinstance(x, Value)]
    try:
        out = float(row.evaluate(data))
    except DomainError as error:
        nodes = " and ".join(describe(operands[i]) for i in which)
        raise DomainError(f"{error}; the operand is {nodes}; keep it inside the domain, for instance with where or "
                          "maximum on the operand") from None  # fmt: skip
    partials = row.partials(data, out, which)
    node: Value = new(Value)
    node._data, node.grad, node.primitive = out, 0.0, row
    node._mark = node.label = None
    if isinstance(row, Unary | Binary):
        slots: list[Any] = [None, None]
        values: list[Any] = [*data, None][:2]
        for i, partial in zip(which, partials, strict=True):
            slots[i], values[i] = operands[i], float(partial)
        (node._left, node._right), (node._dx, node._dy) = slots, values
    else:
        node._left, node._dx = tuple(operands[i] for i in which), tuple(partials)
        mixed = zip(operands, data, strict=True)
        node._right = None if len(which) == len(data) else tuple(x if isinstance(x, Value) else d for x, d in mixed)
        node._dy = None
    return node


def record_many(row: Nary, operands: Sequence[Any]) -> Any:
    """Make the node of a row on many operands: `record` for what is usual, in a third of its time."""
    which = None
    try:
        if operands[len(operands) // 2].__class__ is Value:  # of a dot the first input: the likeliest to be a number
            data = [x._data for x in operands]
        else:
            which = [x.__class__ is Value for x in operands]
            data = [
                x._data if node else x if x.__class__ is float else _real(x) for x, node in zip(operands, which, strict=True)
            ]
        out = row.function(*data)
        partials = row.gradient(data, out)
    except (AttributeError, *REFUSED):
        return record(row, operands)
    inputs, mixed = tuple(operands), None
    if which is not None:
        inputs, mixed, partials = tuple(compress(inputs, which)), inputs, tuple(compress(partials, which))
    node: Value = new(Value)
    node._data = out
    node.grad = 0.0
    node.primitive = row
    node._left, node._right, node._dx = inputs, mixed, partials
    node._dy = node._mark = node.label = None
    return node


def _first(row: Primitive, operands: Sequence[Any]) -> Any:
    """Record a row for the first time: in plain words, which say what is wrong with its rules, if anything is."""
    node = record(row, operands)
    if isinstance(row, Unary):
        unary(row)
    elif isinstance(row, Binary):
        operators(row)
    else:
        _recorders[row] = record_many
    return node


def topological(root: Value) -> list[Value]:
    """Return the nodes below `root` that came from operations, each after its operands, `root` last.

    Depth first, operands in written order, without recursion; a mark on the node says that it was seen.  The mark is a new
    object each time, so no marks have to be cleared.
    """
    mark = object()
    order: list[Value] = []
    path: list[Any] = []  # from the root down; above a node of many operands, the iterator over those still to be seen
    node: Any = root
    while True:
        # Go straight down along first operands: a third faster than a stack of everything that is still to do.
        while node is not None and node.primitive is not None and node._mark is not mark:
            node._mark = mark
            path.append(node)
            node = node._left
            if node.__class__ is tuple:
                path.append(iter(node))
                break
        # On the way up, turn to the next operand that is new; after the last one the node has its place.
        while path:
            top = path.pop()
            if top.__class__ is Operands:
                for node in top:
                    if node.primitive is not None and node._mark is not mark:
                        break
                else:
                    order.append(path.pop())
                    continue
            else:
                node = top._right
                if node is None or node.primitive is None or node._mark is mark:
                    order.append(top)
                    continue
            path.append(top)
            break
        else:
            return order


def refuse_stale(order: Sequence[Value]) -> None:
    """Raise if the operands of a node no longer give its number, because a leaf was set after the forward pass.

    Every reading that evaluates rules again asks this first; `backward` needs not, it uses what was recorded.
    """
    for node in order:
        row = node.primitive
        assert row is not None
        now = float(row.evaluate([x._data if isinstance(x, Value) else x for x in node.operands]))
        if now != node._data and (now == now or node._data == node._data):
            raise ValueError(f"{describe(node)} was recorded with other operands, which now give {now!r}: a leaf was "
                             "changed after the forward pass; compute the result again, or use autograd.replay")  # fmt: skip


def describe(node: Value) -> str:
    """Name a node for a message: its label, or the operation it came from, and its number.

    >>> describe(Value(2.0, label="w")), describe(Value(2.0, label="w") * 3)
    ('w = 2.0', 'w * 3.0 = 6.0')
    """
    if node.label is not None or node.primitive is None:
        return f"{node.label} = {node._data!r}" if node.label is not None else f"Value({node._data!r})"
    names = [(x.label or repr(x._data)) if isinstance(x, Value) else repr(x) for x in node.operands]
    if len(names) > 4:
        names[2:-1] = ["…"]
    return f"{node.primitive.spell(names)} = {node._data!r}"


def label_values(namespace: Mapping[str, Any]) -> None:
    """Label the nodes of a namespace, such as ``locals()``, with their names there; labels already set stay.

    >>> w = Value(2.0)
    >>> y = w * w
    >>> label_values({"w": w, "y": y})
    >>> y.label, y.inputs[0].label
    ('y', 'w')
    """
    for name, node in namespace.items():
        if isinstance(node, Value) and node.label is None and not name.startswith("_"):
            node.label = name


def _real(data: Any) -> float:
    real = number(data)
    if real is NotImplemented:
        raise TypeError(f"{data!r} is a {type(data).__name__}; pass a real number (int, float)")
    return float(real)


def _node(other: object, sign: str) -> object:
    """Return what a node is compared with, unless it is a number."""
    if isinstance(other, Real):
        raise TypeError(f"{sign} compares nodes, not their numbers; for those write `x.data {sign} {other!r}`")
    return other


def _leaf(data: float, grad: float, label: str | None) -> Value:
    leaf = Value(data, label)
    leaf.grad = grad
    return leaf


def _twin(node: Value, memo: Mapping[int, Any]) -> Value:
    """Copy one node, with the operands that `memo` has for its own."""

    def other(x: Any) -> Any:
        return tuple(memo.get(id(item), item) for item in x) if isinstance(x, tuple) else memo.get(id(x), x)

    twin: Value = new(type(node))
    twin._data, twin.grad, twin.label, twin.primitive = node._data, node.grad, node.label, node.primitive
    twin._left, twin._right, twin._dx, twin._dy, twin._mark = other(node._left), other(node._right), node._dx, node._dy, None
    return twin
