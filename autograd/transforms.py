"""The other readings of the table by calculus.

`backward` reads the rules with numbers.  Read them with `Value`s and the gradient is itself a graph, to be differentiated
again; read them with dual numbers and derivatives flow forward, along with the values.  Nothing here knows a derivative.

>>> from autograd.primitives import exp
>>> slope = grad(lambda x: x * exp(x))
>>> f"{slope(1.0):.5f} {grad(slope)(1.0):.5f} {grad(grad(slope))(1.0):.5f}"      # (1 + x)eˣ, (2 + x)eˣ, (3 + x)eˣ
'5.43656 8.15485 10.87313'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from autograd.primitives import Operand, Primitive, number
from autograd.value import Value, describe, refuse_stale, topological

__all__ = ["Dual", "chain_rule", "grad", "gradients", "hessian", "jacobian", "jvp", "replay", "value_and_grad"]


def gradients(y: Value, xs: Sequence[Value]) -> list[Value]:
    """Return ∂y/∂x for each x as a new node, which can be differentiated again.

    Args:
        y: the result.
        xs: any nodes of its graph; the gradient of a node that y does not depend on is 0.

    Raises:
        ValueError: if a leaf was changed after the forward pass.

    >>> x = Value(3.0)
    >>> [first] = gradients(x**3, [x])
    >>> [second] = gradients(first, [x])
    >>> first.data, second.data
    (27.0, 18.0)
    """
    if not isinstance(y, Value):
        raise TypeError(f"gradients needs the Value that is to be differentiated, not {y!r}")
    order = topological(y)
    refuse_stale(order)
    return [g if isinstance(g, Value) else Value(g) for g in chain_rule(order, y, xs)]


def chain_rule(order: Sequence[Value], y: Value, xs: Sequence[Value]) -> list[Any]:
    """Return ∂y/∂x for each x, from the rules of the table read on the nodes themselves; a plain number where it is one.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> chain_rule(topological(y), y, [x, y])
    [Value(data=6.0, grad=0.0), 1.0]
    """
    leads = set(xs)  # the nodes that depend on some x; the others need no gradient
    leads.update(node for node in order if any(x in leads for x in node.inputs))
    delta: dict[Value, Any] = {y: 1.0}
    for node in reversed(order):
        row, operands = node.primitive, node.operands
        which = [i for i, x in enumerate(operands) if isinstance(x, Value) and x in leads]
        if row is None or not which or node not in delta:
            continue
        for i, partial in zip(which, row.partials(operands, node, which), strict=True):
            contribution = _chain(delta[node], partial)
            x: Any = operands[i]
            delta[x] = delta[x] + contribution if x in delta else contribution
    return [delta.get(x, 0.0) for x in xs]


def _chain(upstream: Any, partial: Any) -> Any:
    # A factor that is the plain number 1 or 0 would only add nodes to the gradient's graph.
    if not isinstance(partial, Value) and partial in (0, 1):
        return upstream if partial == 1 else 0.0
    return partial if not isinstance(upstream, Value) and upstream == 1 else upstream * partial


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., tuple[Value, Any]]:
    """Return the function that gives f's value and its gradient, see `grad`.

    >>> value, slope = value_and_grad(lambda x, y: x * y + y)(2.0, 5.0)
    >>> value.data, slope.data
    (15.0, 5.0)
    """

    def both(*arguments: Any) -> tuple[Value, Any]:
        y, gradient = _differentiable(f, argnums, arguments)
        if isinstance(y, list | tuple):
            raise TypeError(f"grad needs a function with one scalar result, not a {type(y).__name__}; use jacobian for that")
        return y if isinstance(y, Value) else Value(_scalar(y)), gradient(y)

    return both


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that gives the gradient of a scalar function.

    Args:
        f: a Python function of numbers, or of nested lists of numbers, written with operators and autograd's functions.
        argnums: which argument to differentiate by, or several.

    Returns:
        A function of the same arguments.  It returns Values, in the shape of the argument, so that it can be
        differentiated again and nested; `.data` is the number.

    Raises:
        TypeError: if f does not return one scalar; `jacobian` is for those that return more.

    >>> grad(lambda w: w[0] * w[1] ** 2)([3.0, 4.0])
    [Value(data=16.0, grad=0.0), Value(data=24.0, grad=0.0)]
    """
    both = value_and_grad(f, argnums)
    return lambda *arguments: both(*arguments)[1]


def jacobian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that gives the gradient of each of f's results, in the shape of the results.

    >>> rows = jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0])
    >>> [[d.data for d in row] for row in rows]
    [[3.0, 2.0], [1.0, 1.0]]
    """

    def rows(*arguments: Any) -> Any:
        ys, gradient = _differentiable(f, argnums, arguments)
        return _map(gradient, ys)

    return rows


def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that gives the second derivatives of a scalar function of its first argument.

    >>> rows = hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
    >>> [[h.data for h in row] for row in rows]
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f))


_levels = count()


class Dual(Operand):
    """A number with its derivative, ``primal + tangent·ε`` where ε² = 0; computing with it is forward mode.

    Args:
        primal, tangent: numbers, or Values, or Duals of an outer derivative.
        level: which derivative the tangent belongs to; nested derivatives keep apart by it.

    >>> x = Dual(3.0, 1.0)
    >>> x * x
    Dual(9.0, 6.0)

    Source: Wengert, A simple automatic derivative evaluation program, Communications of the ACM 7 (1964).
    """

    __slots__ = ("level", "primal", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: int = -1) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Apply the row to the primals, and its partial derivatives to the tangents of the innermost level."""
        level = max(x.level for x in operands if isinstance(x, Dual))
        own = [isinstance(x, Dual) and x.level == level for x in operands]
        primals = [x.primal if mine else x for x, mine in zip(operands, own, strict=True)]
        out = row.apply(primals)
        if row.is_condition:
            return out
        which = [i for i, mine in enumerate(own) if mine]
        tangent: Any = 0.0
        for i, partial in zip(which, row.partials([_plain(x) for x in primals], out, which), strict=True):
            tangent = tangent + partial * operands[i].tangent
        return Dual(out, tangent, level)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"

    def __float__(self) -> float:
        raise TypeError(f"turning {self!r} into a float would drop its derivative; use autograd's functions in place of math's")


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f's value and its derivative in a direction, computed forward (a Jacobian-vector product).

    Args:
        f: a function of numbers or nested lists of numbers.
        primals: its arguments.
        tangents: the direction, in the same shapes.

    Returns:
        Numbers, or Values where Values went in, in the shape of f's result.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    if len(primals) != len(tangents):
        raise ValueError(f"jvp needs a tangent for each argument; got {len(primals)} primals and {len(tangents)} tangents")
    level = next(_levels)

    def dual(primal: Any, tangent: Any) -> Any:
        if isinstance(primal, list | tuple):
            return type(primal)(dual(p, t) for p, t in zip(primal, tangent, strict=True))
        return Dual(_plain(primal), _plain(tangent), level)

    y = f(*(dual(p, t) for p, t in zip(primals, tangents, strict=True)))

    def mine(x: Any) -> bool:
        return isinstance(x, Dual) and x.level == level

    return _map(lambda x: x.primal if mine(x) else x, y), _map(lambda x: x.tangent if mine(x) else 0.0, y)


def replay(y: Value, values: Mapping[Value, Any] | None = None) -> Any:
    """Compute the graph of y again, with other values at some of its nodes; the graph of y stays as it is.

    Args:
        y: the result of the graph.
        values: what some nodes are to be: numbers, or Values, or Duals (then the result is one).  Leaves that are not
            named here take part themselves, with the data they have now.

    Returns:
        The result of a new graph.

    Raises:
        ValueError: for a node that y does not depend on.

    >>> w, x = Value(2.0, label="w"), Value(5.0, label="x")
    >>> y = w * x + 1
    >>> replay(y, {w: 3.0}).data, y.data
    (16.0, 11.0)
    """
    if not isinstance(y, Value):
        raise TypeError(f"replay needs the Value whose graph is to be computed again, not {y!r}")
    order = topological(y)
    known: dict[Value, Any] = {}
    graph = {y, *order, *(x for node in order for x in node.inputs)}
    for node, value in (values or {}).items():
        if node not in graph:
            raise ValueError(f"{describe(node)} does not take part in {describe(y)}; replay takes nodes of its graph")
        plain = number(value) if not isinstance(value, Value) else NotImplemented
        known[node] = value if plain is NotImplemented else Value(plain, node.label)
    for node in order:
        if node in known or node.primitive is None:
            continue
        again = known[node] = node.primitive.apply([known.get(x, x) if isinstance(x, Value) else x for x in node.operands])
        if isinstance(again, Value):
            again.label = node.label
    return known.get(y, y)


def _differentiable(f: Callable[..., Any], argnums: int | tuple[int, ...], arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    """Call f on fresh variables; return its result, and the function that gives the gradient of a part of it."""
    wanted = (argnums,) if isinstance(argnums, int) else argnums
    if any(i not in range(len(arguments)) for i in wanted):
        raise TypeError(f"the derivative is wanted by argument {argnums}, but there are {len(arguments)} arguments, from 0 on")
    variables = {i: _map(_variable, arguments[i]) for i in wanted}

    def gradient(y: Any) -> Any:
        node = y if isinstance(y, Value) else Value(_scalar(y))
        found = iter(gradients(node, [x for i in wanted for x in _flat(variables[i])]))
        shaped = tuple(_map(lambda _: next(found), variables[i]) for i in wanted)
        return shaped[0] if isinstance(argnums, int) else shaped

    return f(*(variables.get(i, argument) for i, argument in enumerate(arguments))), gradient


def _variable(x: Any) -> Value:
    # A node of its own that is connected to x, so that a derivative by it is not confused with one by x.
    return +x if isinstance(x, Value) else Value(_scalar(x))


def _scalar(x: Any) -> float:
    real = number(x)
    if real is NotImplemented:
        raise TypeError(f"{x!r} is a {type(x).__name__}; to mix modes, take jvp inside grad, not grad inside jvp")
    return float(real)


def _plain(x: Any) -> Any:
    real = x if isinstance(x, Value | Dual) else number(x)
    return x if real is NotImplemented else real


def _map(g: Callable[[Any], Any], tree: Any) -> Any:
    return type(tree)(_map(g, item) for item in tree) if isinstance(tree, list | tuple) else g(tree)


def _flat(tree: Any) -> list[Any]:
    return [leaf for item in tree for leaf in _flat(item)] if isinstance(tree, list | tuple) else [tree]
