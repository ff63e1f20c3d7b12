"""Computes a recorded graph again: with other numbers at some of its nodes, or to check that its numbers still hold.

A node remembers its row and its operands, so its number can be computed again at any time, from the leaves up.

>>> w = Value(2.0, label="w")
>>> y = w * w
>>> w.data = 3.0
>>> replay(y).data, y.data
(9.0, 4.0)
>>> refuse_stale(topological(y))
Traceback (most recent call last):
ValueError: w * w = 4.0 was recorded with other operands; its operands now give 9.0: ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, cast

from autograd.arithmetic import NOT_COMPUTED
from autograd.fixed import is_fixed
from autograd.manners import describe
from autograd.primitives import DomainError, Operand, Primitive
from autograd.reals import kind_of, number
from autograd.value import Value, Variable, topological

__all__ = ["STALE", "UNCALLED", "guards", "input_places", "operand_numbers", "partials_of", "refuse_stale", "replay"]

STALE: Final = "changed after the forward pass; compute the result again, or use autograd.replay"
UNCALLED: Final = "a branch that was not called when the graph was recorded; pass numbers or nodes to where, not functions"


def replay(y: Value, values: Mapping[Value, Any] | None = None) -> Any:
    """Compute the graph of y again, with other values at some of its nodes; the graph of y does not change.

    Args:
        y: the result of the graph.
        values: the new values of some nodes: numbers, Values or Duals (then the result is a Dual).  All other leaves are
            used as they are, with the data they have now.

    Returns:
        The result of a new graph.

    Raises:
        ValueError: for a node that y does not depend on, and where the graph now takes a branch that was not called.

    >>> w, x = Value(2.0, label="w"), Value(5.0, label="x")
    >>> y = w * x + 1
    >>> replay(y, {w: 3.0}).data, y.data
    (16.0, 11.0)
    """
    if not isinstance(y, Value):
        raise TypeError(f"replay needs the Value whose graph is to be computed again, not {y!r}")
    if not isinstance(values, Mapping | None):
        raise TypeError(f"values is a dict from nodes to numbers, such as {{w: 3.0}}; got {kind_of(values)}")
    order = topological(y)
    known: dict[Value, Any] = {}
    graph = {y, *(x for node in order for x in node.inputs)}
    for node, value in (values or {}).items():
        if node not in graph:
            raise ValueError(f"{describe(node)} does not take part in {describe(y)}; replay takes nodes of its graph")
        plain = number(value)
        known[node] = value if plain is NotImplemented else Value(plain, node.label)
    if not known.keys().isdisjoint(order):  # nodes that are only below one with a new value are not needed
        graph = {y}
        for node in reversed(order):
            if node in graph and node not in known:
                graph.update(node.inputs)
    # A variable that a derivative is being taken with respect to stays itself.
    order = [node for node in order if node in graph and node not in known and not isinstance(node, Variable)]

    def computed(node: Value) -> Any:
        row = cast(Primitive, node.primitive)
        again = row.apply([known.get(x, x) if isinstance(x, Value) else x for x in node.operands])
        if row.is_choice and _number(again) is NOT_COMPUTED:
            raise ValueError(f"{describe(node)} now takes {UNCALLED}")
        return again

    for node in order:
        try:
            again = known[node] = computed(node)
        except DomainError:  # perhaps in the branch that was called when recorded; if another one is taken now, report that
            for choice in order:
                if cast(Primitive, choice.primitive).is_choice:
                    computed(choice)
            raise
        if isinstance(again, Value):
            again.label = node.label
    return known.get(y, y)


def guards(order: Sequence[Value]) -> Iterator[Value]:
    """Yield a node with the number 0 for each branch that was not called; `replay` raises if it takes that branch.

    >>> from autograd.primitives import where
    >>> x = Value(2.0)
    >>> [*guards([where(x > 0, lambda: x, lambda: 1 / x)])]
    [Value(data=0.0, grad=0.0)]
    """
    for node in order:
        row = cast(Primitive, node.primitive)
        if row.is_choice and isinstance(node.operands[0], Value) and any(x is NOT_COMPUTED for x in node.operands):
            yield row.apply([node.operands[0], *(x if x is NOT_COMPUTED else 0.0 for x in node.operands[1:])])


def _number(x: Any) -> Any:
    """Return the number of a result: of a Value, a Dual, or a number."""
    while hasattr(x, "primal"):
        x = x.primal
    return x.data if isinstance(x, Value) and not isinstance(x, Operand) else x


def input_places(node: Value) -> list[int]:
    """Return the places of a node's inputs among its operands.

    >>> input_places(2.0 - Value(3.0))
    [1]
    """
    return [i for i, x in enumerate(node.operands) if isinstance(x, Value)]


def operand_numbers(node: Value) -> list[float]:
    """Return the numbers of a node's operands, as they are now.

    >>> operand_numbers(2.0 - Value(3.0))
    [2.0, 3.0]
    """
    return [x.data if isinstance(x, Value) else x for x in node.operands]


def partials_of(node: Value, operands: Sequence[Any], which: Sequence[int]) -> list[Any]:
    """Return a node's partial derivatives with respect to some operands, by reading its row's rules on nodes.

    Raises:
        TypeError: for a user-defined row whose rule gives other numbers on nodes than on numbers.
    """
    row = cast(Primitive, node.primitive)
    found = row.partials(operands, node, which)
    if not row.is_in_table and node.__class__ is Value:
        recorded = dict(zip(input_places(node), node._partials, strict=True))
        for i, partial in zip(which, found, strict=True):
            on_nodes, on_numbers = getattr(partial, "data", partial), recorded[i]
            # Sums may differ in rounding, and NaN and a branch that was not taken are not numbers to compare.
            if on_numbers is not None and abs(on_nodes - on_numbers) > 1e-6 * max(1.0, abs(on_numbers)):
                raise TypeError(f"a rule of the row {row.name!r} gives {on_nodes!r} on nodes and {on_numbers!r} on numbers, at "
                                f"{describe(node)}; does it look an operand up in a set or test its type?")  # fmt: skip
    return found


def refuse_stale(order: Sequence[Value]) -> None:
    """Raise a ValueError if a node's operands no longer give its number or slopes, for example because a leaf was set.

    Everything that evaluates rules again checks this first; `backward` need not, since it uses what was recorded.

    >>> x = Value(2.0, label="x")
    >>> y = x * x
    >>> x.data = -2.0
    >>> refuse_stale(topological(y))
    Traceback (most recent call last):
    ValueError: x * x = 4.0 was recorded with other operands; its operands now give the slope -2.0 in place of 2.0: ...
    """
    for node in order:
        row = node.primitive
        if row is None or isinstance(node, Operand):  # a traced node stands for any number
            continue
        if is_fixed(row) and all(x.primitive is not None for x in node.inputs):  # only the number of a leaf can have been set
            continue
        data = operand_numbers(node)
        if _differs(now := float(row.evaluate(data)), node._number):
            _refuse(node, row, repr(now))
        for recorded, slope in zip(node._partials, row.partials([*data], node._number, input_places(node)), strict=True):
            if recorded is not None and _differs(slope, recorded):
                _refuse(node, row, f"the slope {slope!r} in place of {recorded!r}")


def _differs(now: float, recorded: float) -> bool:
    return now != recorded and (now == now or recorded == recorded)


def _refuse(node: Value, row: Primitive, found: str) -> NoReturn:
    changed = "a leaf" if is_fixed(row) else "a leaf, or something else that the row reads,"
    raise ValueError(f"{describe(node)} was recorded with other operands; its operands now give {found}: {changed} was {STALE}")
