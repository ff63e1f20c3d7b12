"""Forward mode: the table read on dual numbers.

A dual number carries a derivative along with its number.  Applying a row to dual numbers multiplies their tangents by the
row's partial derivatives, so one run of a function gives its value and its derivative in one direction, without a graph.

>>> from autograd import exp
>>> value, slope = jvp(lambda x: x * exp(x), (1.0,), (1.0,))
>>> f"{value:.5f} {slope:.5f}"
'2.71828 5.43656'

A branch that is not taken contributes nothing: its tangent is left out, since a tangent of 0 would become NaN in 0·∞.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, cast

from autograd.primitives import Operand, Primitive, where
from autograd.reals import function, number, real
from autograd.rerun import guards
from autograd.symbol import both, either, read_flow
from autograd.trees import map_tree
from autograd.value import Value, topological

__all__ = ["Dual", "jvp"]

_levels = count()


class Dual(Operand):
    """A number with its derivative, ``primal + tangent·ε`` where ε² = 0; computing with it is forward mode.

    Args:
        primal, tangent: numbers, or Values, or Duals of an outer derivative.
        level: the number of the derivative that the tangent belongs to, which keeps nested derivatives apart.
        reach: the condition under which there is a tangent: True, a node, or False for a constant, which may be used as a
            plain number.

    >>> x = Dual(3.0, 1.0)
    >>> x * x
    Dual(9.0, 6.0)

    Source: Wengert, A simple automatic derivative evaluation program, Communications of the ACM 7 (1964).
    """

    __slots__ = ("level", "primal", "reach", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: int = -1, reach: Any = True) -> None:
        self.primal, self.tangent, self.level, self.reach = primal, tangent, level, reach

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Apply the row to the primals, and its partial derivatives to the tangents of the innermost level."""
        level = max(x.level for x in operands if isinstance(x, Dual))
        own = [isinstance(x, Dual) and x.level == level for x in operands]
        pairs = zip(operands, own, strict=True)
        primals = [x.primal if mine else x if hasattr(type(x), "__primitive__") else number(x) for x, mine in pairs]
        if any(x is NotImplemented for x in primals):  # of another type, such as an array, which handles this itself
            return NotImplemented
        out = row.apply(primals)
        tangent, reach = 0.0, False
        when = {i: both(operands[i].reach, read_flow(row, i, primals, out)) for i, mine in enumerate(own) if mine}
        which = [i for i, condition in when.items() if condition is not False]
        for i, partial in zip(which, row.partials(primals, out, which), strict=True):
            contribution = partial * operands[i].tangent
            tangent = tangent + (contribution if when[i] is True else where(when[i], contribution, 0))
            reach = either(reach, when[i])
        return Dual(out, tangent, level, reach)

    def __eq__(self, other: object) -> bool:
        return bool(self.primal == other) if self.reach is False else super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self.primal)  # sets and dicts then compare Duals with ==, which refuses, instead of by identity

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"

    def __float__(self) -> float:
        if self.reach is False:
            return float(self.primal)
        raise TypeError(f"turning {self!r} into a float would drop its derivative; use autograd's functions in place of math's")

    def __int__(self) -> int:
        return int(float(self))

    def __round__(self, digits: int | None = None) -> float:
        return round(float(self), digits)

    def __format__(self, spec: str) -> str:
        return format(self.primal, spec) if spec else str(self)

    clip: Any = Value.clip

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        """Dispatch NumPy's function as a node does; arrays of numbers, too, are computed element by element."""
        elements = [x.astype(object) if getattr(x, "shape", ()) != () else x for x in operands]
        return Value.__array_ufunc__(cast(Value, self), ufunc, method, *elements, **options)

    def __bool__(self) -> bool:
        if self.reach is False or isinstance(self.primal, bool | Value | Dual):  # a bool: a comparison at its jump
            return bool(self.primal)
        raise TypeError(f"{self!r} is a number, not a condition; compare it, as in `if x > 0:`")


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f's value and its derivative in a direction, a Jacobian-vector product, by forward mode.

    Args:
        f: a function of numbers or trees of numbers.
        primals: its arguments.
        tangents: the direction, in the same structures.  A number whose tangent is 0 is a constant, even at an infinite slope.

    Returns:
        The value and the derivative, in the structure of f's result: numbers, or Values if the arguments contain Values.

    Raises:
        TypeError: if f returns anything but numbers in containers, see `autograd.trees`.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    if not (isinstance(primals, list | tuple) and isinstance(tangents, list | tuple)):
        raise TypeError(f"jvp takes a tuple of arguments and one of tangents, such as (3.0,) and (1.0,); "
                        f"got {primals!r}, {tangents!r}")  # fmt: skip
    if len(primals) != len(tangents):
        raise ValueError(f"jvp needs a tangent for each argument; arguments: {len(primals)}, tangents: {len(tangents)}")
    level = next(_levels)

    def dual(primal: Any, tangent: Any) -> Dual:
        tangent = _plain(tangent)
        return Dual(_plain(primal), tangent, level, reach=tangent.__class__ is not float or tangent != 0)

    def primal_of(x: Any) -> Any:
        return x.primal if isinstance(x, Dual) and x.level == level else _plain(x)

    def tangent_of(x: Any) -> Any:
        tangent = x.tangent if isinstance(x, Dual) and x.level == level else 0.0
        node = primal_of(x)
        while isinstance(node, Dual):
            node = node.primal
        for zero in guards(topological(node)) if isinstance(node, Value) else ():  # see `gradients`
            tangent = tangent + zero
        return tangent

    pairs = enumerate(zip(primals, tangents, strict=True))
    y = function(f)(*[map_tree(dual, primal, tangent, name=f"argument {i}") for i, (primal, tangent) in pairs])
    return map_tree(primal_of, y, name="the result"), map_tree(tangent_of, y, name="the result")


def _plain(x: Any) -> Any:
    """Return a number as a float, and a node or a Dual of an outer derivative unchanged."""
    return x if isinstance(x, Value | Operand) else real(x, "it cannot be differentiated")
