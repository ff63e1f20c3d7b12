"""How a node behaves as a Python object: it prints like a number, and refuses whatever would drop its graph.

>>> from autograd import Value
>>> v = Value(3.0, label="v")
>>> print(f"{v:.2f} {v}"), float(v)
Traceback (most recent call last):
TypeError: turning v = 3.0 into a plain number would drop its graph; ...
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any, NoReturn, cast

from autograd.compatible import Compatible
from autograd.primitives import Operand, Primitive, positive
from autograd.rows import IN_RULE

__all__ = ["Manners", "Same", "describe"]


class Same:
    """The truth value of ``==``: whether two nodes are the same node.  It cannot be an operand, or be tested in a rule."""

    __slots__ = ("_same",)

    def __init__(self, same: bool) -> None:
        self._same = same

    def __bool__(self) -> bool:
        if IN_RULE.get():  # applied to numbers, the same rule compares the numbers
            raise TypeError("a rule tests nodes with == or !=, which compare nodes, not their numbers: use where with <, <=, "
                            "> or >=")  # fmt: skip
        return self._same

    def __eq__(self, other: object) -> bool:
        return self._same == other

    def __hash__(self) -> int:
        return hash(self._same)

    def __repr__(self) -> str:
        return repr(self._same)

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> NoReturn:
        """Refuse to be an operand."""
        raise TypeError(f"== and != test whether two nodes are the same node, not whether their numbers are equal; "
                        f"{row.name} needs a number: for a condition use <, <=, > or >=")  # fmt: skip


class Manners(Compatible):
    """The base class of `Value` with everything that is neither recording nor backpropagation."""

    __slots__ = ()

    label: Any
    _number: float
    grad: float

    __divmod__, __rdivmod__ = Operand.__divmod__, Operand.__rdivmod__
    __hash__ = object.__hash__  # type checkers, too, take the hash away from a class with an __eq__

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        kind: Any = cls
        # A graph is a set of nodes.  Python takes the hash away from a class with an __eq__ of its own, such as a dataclass.
        kind.__hash__ = kind.__hash__ or object.__hash__
        if kind.__hash__ is not object.__hash__ and not cls.__module__.startswith("autograd."):
            raise TypeError(f"{cls.__name__} has a __hash__ of its own, but graphs find nodes by identity; leave it out")

    def __eq__(self, other: object) -> Any:
        return _compared(self, other, "==")

    def __ne__(self, other: object) -> Any:
        return _compared(self, other, "!=")

    def __bool__(self) -> bool:
        if self.primitive is None or not self.primitive.is_condition:
            raise TypeError(f"{describe(self)} is a number, not a condition; compare it, as in `if x > 0:`")
        return self._number != 0.0

    def __invert__(self, _: object = None) -> NoReturn:
        raise TypeError("&, |, ^ and ~ are not recorded; write ** for a power, on conditions minimum(a, b) for 'and', "
                        "maximum(a, b) for 'or', 1 - a for 'not', and in numpy.allclose x.data for x")  # fmt: skip

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__

    def __float__(self, _: object = None) -> NoReturn:
        raise TypeError(f"turning {describe(self)} into a plain number would drop its graph; use .data for the "
                        "number, autograd's functions in place of math's, and dtype=object for an array of nodes")  # fmt: skip

    __int__ = __trunc__ = __round__ = as_integer_ratio = __float__  # the last is called by `statistics.mean` and the like

    def __format__(self, spec: str) -> str:
        return format(self._number, spec) if spec else str(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label is not None else ""
        return f"Value(data={self._number!r}, grad={self.grad!r}{label})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.primitive is not None:
            raise TypeError(f"{describe(self)} is the result of an operation and cannot be pickled; pickle the leaves and "
                            "compute it again, or write walk(loss).to_json()")  # fmt: skip
        return object.__new__, (type(self),), self.__getstate__()  # a subclass may have attributes, and its own __init__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show the graph in Jupyter, if a layout engine is installed and it is not too large."""
        from autograd.drawing import LayoutError, draw  # the engine's only import of the drawings

        try:
            return {**draw(cast(Any, self))._repr_mimebundle_(), "text/plain": repr(self)}
        except (LayoutError, ValueError):
            return {"text/plain": repr(self)}


def describe(x: Any) -> str:
    """Describe an object in a message: a node by its label or its operation, and its number; anything else by its `repr`.

    >>> from autograd import Value
    >>> w, other = Value(2.0, label="w"), Value(5.0, label="w")
    >>> describe(w), describe(w * 3), describe(w * other), describe(2.0)
    ('w = 2.0', 'w * 3.0 = 6.0', 'w * w′ = 10.0', '2.0')
    """
    if not isinstance(x, Manners):
        return repr(x)
    node: Any = x
    data = repr(node._number)  # as recorded; a leaf that was copied may have been set since
    while node.label is None and node.primitive is positive:  # a copy, like those that `grad` passes to a function
        node = node.operands[0]
    if node.label is not None or node.primitive is None:
        return f"{node.label} = {data}" if node.label is not None else f"Value({data})"
    operands = (*node.operands[:2], node.operands[-1]) if len(node.operands) > 4 else node.operands
    named: dict[Any, str] = {}
    for operand in dict.fromkeys(x for x in operands if isinstance(x, Manners)):
        primes = "′" * sum(bool(operand.label) and operand.label == other.label for other in named)  # if others have its label
        named[operand] = str(operand.label or repr(operand._number)) + primes
    names = [named[x] if isinstance(x, Manners) else repr(x) for x in operands]
    names[2:2] = ["…"] * (len(node.operands) > 4)
    spelled = node.primitive.spell(names)
    return data if spelled == data else f"{spelled} = {data}"  # -3.0, computed from a node without a label


def _compared(node: Manners, other: object, sign: str) -> Any:
    """Compare by identity with another node; refuse numbers, and leave the rest to Python."""
    if isinstance(other, Manners):
        return Same((node is other) == (sign == "=="))
    if isinstance(other, Number) or hasattr(other, "shape"):
        raise TypeError(f"{sign} compares nodes, not their numbers; for those write `x.data {sign} {other!r}`")
    return NotImplemented
