"""Higher derivatives and forward mode: other readings of the same table.

`backward` reads the rules on numbers.  Read on `Value`s, they give a gradient that is itself a graph and can be differentiated
again; read on dual numbers, they carry derivatives forward along with the values.  Nothing here knows a derivative.

>>> from autograd.primitives import exp
>>> slope = grad(lambda x: x * exp(x))
>>> f"{slope(1.0):.5f} {grad(slope)(1.0):.5f} {grad(grad(slope))(1.0):.5f}"      # (1 + x)eˣ, (2 + x)eˣ, (3 + x)eˣ
'5.43656 8.15485 10.87313'

A branch that is not taken contributes nothing here either, but it may be taken when the graph is evaluated at other numbers.
So the choice stays in the graph: where 0·∞ could arise, a contribution is ``where(reach, contribution, 0)``.  The *reach* of a
node is the condition under which anything flows to it: False never, True always, else a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from math import isfinite, isnan
from typing import Any

from autograd.manners import describe
from autograd.primitives import Operand, Primitive, where
from autograd.risks import risks
from autograd.rows import kind_of, number, real
from autograd.symbol import flows, read_flow
from autograd.trees import flatten, is_array, map_tree, number_arrays, stack
from autograd.value import TRACED_VARIABLE, Value, Variable, nodes_below, refuse_stale, topological

__all__ = ["Dual", "chain_rule", "grad", "gradients", "hessian", "jacobian", "jvp", "replay", "value_and_grad"]


def gradients(y: Value, xs: Iterable[Value]) -> list[Value]:
    """Return ∂y/∂x for each x as a new node, which can be differentiated again.

    Args:
        y: the result.
        xs: any nodes of its graph; the gradient of a node that y does not depend on is 0.

    Raises:
        TypeError: if y or an x is not a `Value`.
        ValueError: if a leaf was changed after the forward pass.

    >>> x = Value(3.0)
    >>> [first] = gradients(x**3, [x])
    >>> [second] = gradients(first, [x])
    >>> first.data, second.data
    (27.0, 18.0)
    """
    if isinstance(xs, Value):
        raise TypeError(f"gradients needs a list of Values to differentiate with respect to; write [{xs!r}]")
    xs = list(xs)
    if isinstance(y, Operand) and not all(isinstance(x, Operand) for x in xs):
        raise TypeError("gradients with respect to a Value that is a constant of the function being compiled; use grad(f)(x)")
    for x in (y, *xs):
        if not isinstance(x, Value):
            raise TypeError(f"gradients needs the Value y and a list of Values xs, not {x!r}")
    order = topological(y)
    refuse_stale(order)
    found = chain_rule(order, y, xs)
    numbers = [g.data if g.__class__ is Value else g for g in found]
    if any(isinstance(x, float) and isnan(x) for x in numbers):  # perhaps 0·∞ after an overflow: keep every choice
        found = chain_rule(order, y, xs, lambda node: 2)
    return [g if isinstance(g, Value) else Value(g) for g in found]


def chain_rule(order: Sequence[Value], y: Value, xs: Sequence[Value], risk: Callable[[Value], int] | None = None) -> list[Any]:
    """Return ∂y/∂x for each x by reading the rules of the table on the nodes; a constant gradient stays a plain number.

    Args:
        order: the nodes below y, see `topological`.
        y: see `gradients`.
        xs: see `gradients`.
        risk: what a node's partial derivatives risk, see `risks`; where it is not 0, the choice stays in the graph.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> chain_rule(topological(y), y, [x, y])
    [Value(data=6.0, grad=0.0), 1.0]
    """
    depends = set(xs)  # the nodes that depend on some x; the others need no gradient
    depends.update(node for node in order if any(x in depends for x in node.inputs))
    delta: dict[Value, Any] = {y: 1.0}
    reach: dict[Value, Any] = {y: True}
    risk = risks(order) if risk is None else risk
    is_risky = any(map(risk, order))
    hot = set[Value]()  # nodes whose gradient may be infinite
    for node in reversed(order):
        if node not in delta or node not in depends or node.primitive is None:
            continue
        operands, upstream, danger = node.operands, delta[node], 2 if node in hot else risk(node)
        flow = flows(node.primitive, len(operands))
        which = [i for i, x in enumerate(operands) if isinstance(x, Value) and x in depends and flow[i] is not False]
        for i, partial in zip(which, node.primitive.partials(operands, node, which), strict=True):
            x: Any = operands[i]
            condition = _both(reach[node], read_flow(flow[i], operands, node)) if is_risky else True
            keep = danger and condition is not True
            contribution = where(condition, upstream * partial, 0) if keep else _chain(upstream, partial, node in hot)
            delta[x] = delta[x] + contribution if x in delta else contribution
            reach[x] = _either(reach.get(x, False), condition)
            if danger == 2:
                hot.add(x)
    return [delta.get(x, 0.0) for x in xs]


def _chain(upstream: Any, partial: Any, is_hot: bool) -> Any:
    # A plain factor 1 or 0 would only add nodes to the gradient's graph; but 0·∞ is not 0.
    if not isinstance(partial, Value) and partial == 1:
        return upstream
    if not isinstance(partial, Value) and partial == 0 and not is_hot and _is_finite(upstream):
        return 0.0
    return partial if not isinstance(upstream, Value) and upstream == 1 else upstream * partial


def _is_finite(x: Any) -> bool:
    return isinstance(x, Operand) or isfinite(x.data if isinstance(x, Value) else x)  # a traced node may be any number


def _both(one: Any, other: Any) -> Any:
    if one is True or other is False:
        return other
    return one if other is True or one is False else one * other


def _either(one: Any, other: Any) -> Any:
    if one is True or other is False:
        return one
    return other if other is True or one is False else one + other


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., tuple[Value, Any]]:
    """Return the function that computes f's value and its gradient, see `grad`.

    >>> value, slope = value_and_grad(lambda x, y: x * y + y)(2.0, 5.0)
    >>> value.data, slope.data
    (15.0, 5.0)
    """

    def scalar(y: Any) -> Value:
        if isinstance(y, list | tuple | dict) or is_array(y):
            raise TypeError(f"grad needs a function with one scalar result, not {kind_of(y)}; use jacobian for that")
        return _value(y[()] if getattr(y, "shape", None) == () else y)  # a 0-d array is a number

    return _differentiated(f, argnums, scalar)


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of a scalar function.

    Args:
        f: a Python function of numbers, or of trees of numbers (nested lists, tuples, dicts, dataclasses, NumPy arrays),
            written with operators and autograd's functions.
        argnums: the argument to differentiate with respect to, counted from 0, or several as a tuple.

    Returns:
        A function of the same arguments; keyword arguments are passed on and not differentiated.  It returns Values, in the
        structure of the argument, so that it can be nested and differentiated again; `.data` is the number.  For an array
        it returns an array of floats, or of Values if the result depends on Values other than those of the argument.

    Raises:
        TypeError: if f does not return one scalar; for functions with more results use `jacobian`.

    >>> grad(lambda w: w[0] * w[1] ** 2)([3.0, 4.0])
    [Value(data=16.0, grad=0.0), Value(data=24.0, grad=0.0)]
    """
    both = value_and_grad(f, argnums)
    return lambda *arguments, **options: both(*arguments, **options)[1]


def jacobian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of each of f's results, in the structure of the results.

    >>> rows = jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0])
    >>> [[d.data for d in row] for row in rows]
    [[3.0, 2.0], [1.0, 1.0]]
    """
    both = _differentiated(f, argnums, lambda ys: ys)
    return lambda *arguments, **options: both(*arguments, **options)[1]


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that computes the second derivatives of a scalar function; for several arguments, a tuple of tuples.

    >>> rows = hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
    >>> [[h.data for h in row] for row in rows]
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


_levels = count()


class Dual(Operand):
    """A number with its derivative, ``primal + tangent·ε`` where ε² = 0; computing with it is forward mode.

    Args:
        primal, tangent: numbers, or Values, or Duals of an outer derivative.
        level: the derivative that the tangent belongs to, which keeps nested derivatives apart.
        reach: the condition under which there is a tangent: True, or a node.

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
        primals = [_plain(x.primal if mine else x) for x, mine in zip(operands, own, strict=True)]
        out = row.apply(primals)
        flow, tangent, reach = flows(row, len(operands)), 0.0, False
        when = {i: _both(operands[i].reach, read_flow(flow[i], primals, out)) for i, mine in enumerate(own) if mine}
        which = [i for i, condition in when.items() if condition is not False]
        for i, partial in zip(which, row.partials(primals, out, which), strict=True):
            contribution = partial * operands[i].tangent
            tangent = tangent + (contribution if when[i] is True else where(when[i], contribution, 0))
            reach = _either(reach, when[i])
        return Dual(out, tangent, level, reach) if which or row.is_condition else out  # else it is a constant

    def __hash__(self) -> int:
        return hash(self.primal)  # sets and dicts then compare Duals with ==, which refuses, instead of by identity

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"

    def __float__(self) -> float:
        raise TypeError(f"turning {self!r} into a float would drop its derivative; use autograd's functions in place of math's")

    def __bool__(self) -> bool:
        if isinstance(self.primal, bool | Value | Dual):  # a comparison at its jump
            return bool(self.primal)
        raise TypeError(f"{self!r} is a number, not a condition; compare it, as in `if x > 0:`")


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f's value and its derivative in a direction, a Jacobian-vector product, by forward mode.

    Args:
        f: a function of numbers or trees of numbers.
        primals: its arguments.
        tangents: the direction, in the same structures.

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
        raise ValueError(f"jvp needs a tangent for each argument; got {len(primals)} primals and {len(tangents)} tangents")
    level = next(_levels)

    def dual(primal: Any, tangent: Any) -> Dual:
        return Dual(_plain(primal), _plain(tangent), level)

    def parts(x: Any) -> tuple[Any, Any]:
        return (x.primal, x.tangent) if isinstance(x, Dual) and x.level == level else (_plain(x), 0.0)

    pairs = enumerate(zip(primals, tangents, strict=True))
    y = f(*[map_tree(dual, primal, tangent, name=f"argument {i}") for i, (primal, tangent) in pairs])
    return map_tree(lambda x: parts(x)[0], y, name="the result"), map_tree(lambda x: parts(x)[1], y, name="the result")


def replay(y: Value, values: Mapping[Value, Any] | None = None) -> Any:
    """Compute the graph of y again, with other values at some of its nodes; the graph of y does not change.

    Args:
        y: the result of the graph.
        values: the new values of some nodes: numbers, Values or Duals (then the result is a Dual).  All other leaves are
            used as they are, with the data they have now.

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
    if not isinstance(values, Mapping | None):
        raise TypeError(f"values is a dict from nodes to numbers, such as {{w: 3.0}}; got {kind_of(values)}")
    order = topological(y)
    known: dict[Value, Any] = {}
    graph = set(nodes_below(y))
    for node, value in (values or {}).items():
        if node not in graph:
            named = describe(node) if isinstance(node, Value) else repr(node)
            raise ValueError(f"{named} does not take part in {describe(y)}; replay takes nodes of its graph")
        plain = number(value)
        known[node] = value if plain is NotImplemented else Value(plain, node.label)
    for node in order:
        if node in known or node.primitive is None:
            continue
        again = known[node] = node.primitive.apply([known.get(x, x) if isinstance(x, Value) else x for x in node.operands])
        if isinstance(again, Value):
            again.label = node.label
    return known.get(y, y)


def _differentiated(f: Callable[..., Any], argnums: int | tuple[int, ...], check: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the function that calls f on fresh variables and returns its result, as `check` returns it, and its Jacobian."""

    def differentiated(*arguments: Any, **options: Any) -> Any:
        wanted = argnums if isinstance(argnums, tuple) else (argnums,)
        if any(i not in range(len(arguments)) or wanted.count(i) > 1 for i in wanted):
            raise TypeError(f"argnums is {argnums}, but the function got {len(arguments)} arguments, which are counted from 0 "
                            "and named once")  # fmt: skip
        trees = {i: map_tree(_variable, arguments[i], name=f"argument {i}") for i in wanted}
        leaves, build = flatten(trees)
        xs, copies = [*leaves.values()], map_tree(lambda x: +x, trees)
        ys = check(f(*[copies.get(i, argument) for i, argument in enumerate(arguments)], **options))

        def shaped(items: Iterable[Any]) -> Any:
            built = tuple(build(items).values())
            return built[0] if isinstance(argnums, int) else built

        def row(y: Any) -> Any:
            if is_array(y):
                return stack(shaped(xs), [row(x) for x in flatten(y)[0].values()], y.shape)
            return shaped(gradients(_value(y), xs))

        result = ys, row(ys) if isinstance(ys, Value) else map_tree(row, ys, name="the result", entries=False)
        # Arrays of floats, unless that would cut off a node that is not the argument's own.
        if not any(map(is_array, flatten([trees, ys], entries=False)[0].values())):
            return result
        nodes = {x for y in flatten(ys)[0].values() if isinstance(y, Value) for x in nodes_below(y)} - set(xs)
        return result if any(x.primitive is None for x in nodes) else number_arrays(result)

    return differentiated


def _variable(x: Any) -> Value:
    # A new node connected to x, so that derivatives with respect to it and to x stay distinct.
    if (traced := TRACED_VARIABLE.get()) is not None and not isinstance(x, Operand):
        return traced(x.data if isinstance(x, Value) else _number(x))
    if not isinstance(x, Value):
        return Variable(_number(x))
    node = +x
    if node.__class__ is Value:
        node.__class__ = Variable
    return node


def _value(x: Any) -> Value:
    if x is None:
        raise TypeError("the function returned None; does it end without a return?")
    return x if isinstance(x, Value) else Value(_number(x))


def _number(x: Any) -> float:
    return real(x, "to mix modes, take jvp inside grad, not grad inside jvp") if isinstance(x, Dual) else real(x)


def _plain(x: Any) -> Any:
    """Return a number as a float, and a node or a Dual of an outer derivative as it is."""
    return x if isinstance(x, Value | Operand) else real(x, "it cannot be differentiated")
