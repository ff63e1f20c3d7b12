"""A row of the table, read as the function that records it.

Recording is the hot path.  So each row becomes one function, with its rules written out in place: the row read with
symbols, and the formulas printed as Python.  The functions cover what is usual; whatever else comes, a domain error or an
overflow, they leave to ``record``, which does the same in plain words.

What was measured, on forward and backward together: rules in place of calls save 15 % of the time an operation; two
operand and two partial-derivative slots in place of tuples, a third of the time and of the memory; a constant kept in the
free partial-derivative slot in place of a node of its own, half of the time of operations with constants.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any, Final

from autograd.primitives import Binary, Unary
from autograd.symbol import Symbol, source

__all__ = ["recorder"]

NODE: Final = """
        node = new(Value)
        node._data = out
        node.grad = 0.0
        node.primitive = row
        node._left = {left}
        node._right = {right}
        node._dx = {dx}
        node._dy = {dy}
        node._mark = node.label = None
        return node
"""
UNARY: Final = """
def bind(row, {names}):
    def recorded(self):
        x = self._data
        try:
            out = {function}
            dx = {partial_x}
        except REFUSED:
            return record(row, (self,))""" + NODE.format(left="self", right="None", dx="dx", dy="None") + """
    return recorded
"""  # fmt: skip
BINARY: Final = """
def bind(row, {names}):
    def recorded(self, other{default}):
        x = self._data
        if other.__class__ is Value:
            y = other._data
            try:
                out = {function}
                dx = {partial_x}
                dy = {partial_y}
            except REFUSED:
                return record(row, (self, other))
        else:
            y = dy = other if other.__class__ is float else number(other)
            if y is NotImplemented:
                return record(row, (self, other))
            try:
                out = {function}
                dx = {partial_x}
            except REFUSED:
                return record(row, (self, y))
            other = None""" + NODE.format(left="self", right="other", dx="dx", dy="dy") + """
    def reflected(self, other):
        x = dx = other if other.__class__ is float else number(other)
        if x is NotImplemented:
            return record(row, (other, self))
        y = self._data
        try:
            out = {function}
            dy = {partial_y}
        except REFUSED:
            return record(row, (x, self))""" + NODE.format(left="None", right="self", dx="dx", dy="dy") + """
    return recorded, reflected
"""  # fmt: skip


def recorder(row: Unary | Binary, scope: dict[str, Any]) -> Any:
    """Write the function that records a row.

    Args:
        row: the row.
        scope: the namespace with ``Value``, ``new``, ``number``, ``record`` and ``REFUSED``, looked up at each call.

    Returns:
        For a unary row a method; for a binary row two, the second with the operands reflected, as in ``2 - x``.

    Raises:
        TypeError: if a rule cannot be read as a formula, since it uses Python's ``if`` or a function for numbers alone.
    """
    x, y, out = Symbol("x"), Symbol("y"), Symbol("out")
    operands: tuple[Symbol, ...]
    rules: dict[str, Callable[..., Any]]
    if isinstance(row, Unary):
        template, operands, rules = UNARY, (x,), {"partial_x": row.partial}
    else:
        template, operands, rules = BINARY, (x, y), {"partial_x": row.partial_x, "partial_y": row.partial_y}
    text, calls = source(row.apply(operands))
    texts = {"function": text}
    names: dict[str, Any] = {"inf": inf, "nan": nan}
    names |= {name: called.function for name, called in calls.items()}
    for name, rule in rules.items():
        if rule.__name__ == "<lambda>":
            texts[name], calls = source(rule(*operands, out))
            names |= {name: called.function for name, called in calls.items()}
        else:  # a function with statements of its own is called
            texts[name] = f"{name}({', '.join(x.name for x in (*operands, out))})"
            names[name] = rule
    default = f"={row.default!r}" if isinstance(row, Binary) and row.default is not None else ""
    made: dict[str, Any] = {}
    exec(template.format(names=", ".join(names), default=default, **texts), scope, made)
    return made["bind"](row, **names)
