"""Derivatives of functions, of any order: the rules of the table read on nodes.

`backward` reads the rules on numbers.  Read on `Value`s, they give a gradient that is itself a graph and can be differentiated
again.  This module contains no derivative of its own.

>>> from autograd.primitives import exp
>>> slope = grad(lambda x: x * exp(x))
>>> f"{slope(1.0):.5f} {grad(slope)(1.0):.5f} {grad(grad(slope))(1.0):.5f}"      # (1 + x)eˣ, (2 + x)eˣ, (3 + x)eˣ
'5.43656 8.15485 10.87313'

A branch that is not taken contributes nothing here either, but it may be taken when the graph is evaluated at other numbers.
So the choice stays in the graph: where 0·∞ could arise, a contribution is ``where(reach, contribution, 0)``.  The *reach* of a
node is the condition under which anything flows to it: False never, True always, else a node.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from math import isfinite, isnan
from typing import Any

from autograd.primitives import Operand, where
from autograd.reals import function, kind_of, real
from autograd.rerun import guards, partials_of, refuse_stale
from autograd.risks import risks
from autograd.symbol import both, either, flows, read_flow
from autograd.trees import flatten, is_array, map_tree, number_arrays, stack, unboxed
from autograd.value import TRACED_VARIABLE, Independent, Value, Variable, nodes_below, topological

__all__ = ["chain_rule", "grad", "gradients", "hessian", "jacobian", "value_and_grad"]


def gradients(y: Value, xs: Iterable[Value]) -> list[Value]:
    """Return ∂y/∂x for each x as a node, which can be differentiated again.

    A gradient may be a node of y's own graph, such as ∂(w·x)/∂w = x: to label or change it, make a copy, ``+gradient``.

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
    if isinstance(xs, set | frozenset) or not hasattr(xs, "__iter__"):
        raise TypeError(f"gradients needs a list of Values to differentiate with respect to, as in [x, y]; got {xs!r}")
    xs = list(xs)
    if isinstance(y, Operand) and not all(isinstance(x, Operand) for x in xs):
        raise TypeError("a Value to differentiate with respect to is a constant of the function being compiled; use grad(f)(x)")
    for x in (y, *xs):
        if not isinstance(x, Value):
            raise TypeError(f"gradients needs the Value y and a list of Values xs, not {x!r}")
    order = topological(y)
    refuse_stale(order)
    found = chain_rule(order, y, xs)
    if any(isnan(getattr(g, "data", g)) for g in found if not isinstance(g, Operand)):  # perhaps 0·∞: keep every choice
        found = chain_rule(order, y, xs, lambda node: 2)
    zeros = [*guards(order)]  # a branch that was not called may depend on any x
    return [g if isinstance(g, Value) else Independent(g) for g in (sum(zeros, g) for g in found)]


def chain_rule(order: Sequence[Value], y: Value, xs: Sequence[Value], risk: Callable[[Value], int] | None = None) -> list[Any]:
    """Return ∂y/∂x for each x by reading the rules of the table on the nodes; a constant gradient stays a plain number.

    Args:
        order: the nodes below y, see `topological`.
        y: see `gradients`.
        xs: see `gradients`.
        risk: returns the risk of a node's partial derivatives, see `risks`; where it is not 0, the choice stays in the graph.

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
        operands, upstream, node_risk = node.operands, delta[node], 2 if node in hot else risk(node)
        flow = flows(node.primitive, len(operands))
        which = [i for i, x in enumerate(operands) if isinstance(x, Value) and x in depends and flow[i] is not False]
        for i, partial in zip(which, partials_of(node, operands, which), strict=True):
            x: Any = operands[i]
            condition = both(reach[node], read_flow(node.primitive, i, operands, node)) if is_risky else True
            keep = node_risk and condition is not True
            contribution = where(condition, upstream * partial, 0) if keep else _chain(upstream, partial, node in hot)
            delta[x] = delta[x] + contribution if x in delta else contribution
            reach[x] = either(reach.get(x, False), condition)
            if node_risk == 2:
                hot.add(x)
    return [delta.get(x, 0.0) for x in xs]


def _chain(upstream: Any, partial: Any, is_hot: bool) -> Any:
    # A plain factor 1 or 0 would only add nodes to the gradient's graph; but 0·∞ is not 0.
    if isinstance(partial, Value) or partial not in (0, 1):
        return partial if not isinstance(upstream, Value) and upstream == 1 else upstream * partial
    if partial == 1:
        return upstream
    # A traced gradient may be any number; it counts as finite, unless the node is hot.
    is_finite = isinstance(upstream, Operand) or isfinite(getattr(upstream, "data", upstream))
    return 0.0 if is_finite and not is_hot else upstream * partial


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., tuple[Value, Any]]:
    """Return the function that computes f's value, a Value, and its gradient, see `grad`; `numbers` turns both into floats.

    >>> value, slope = value_and_grad(lambda x, y: x * y + y)(2.0, 5.0)
    >>> value.data, slope.data
    (15.0, 5.0)
    """

    def scalar(y: Any) -> Value:
        if isinstance(y, list | tuple | dict) or is_array(y):
            raise TypeError(f"a gradient needs a function with one scalar result, not {kind_of(y)}; use jacobian for that")
        return _value(unboxed(y))

    return _differentiated(function(f), argnums, scalar)


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
        TypeError: for anything but a function, such as a result; and if f does not return one scalar: for functions with
            more results use `jacobian`.

    >>> grad(lambda w: w[0] * w[1] ** 2)([3.0, 4.0])
    [Value(data=16.0, grad=0.0), Value(data=24.0, grad=0.0)]
    """
    differentiated = value_and_grad(f, argnums)
    return lambda *arguments, **options: differentiated(*arguments, **options)[1]


def jacobian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of each of f's results, in the structure of the results.

    >>> rows = jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0])
    >>> [[d.data for d in row] for row in rows]
    [[3.0, 2.0], [1.0, 1.0]]
    """
    differentiated = _differentiated(function(f), argnums, lambda ys: ys)
    return lambda *arguments, **options: differentiated(*arguments, **options)[1]


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that computes the second derivatives of a scalar function; for several arguments, a tuple of tuples.

    >>> rows = hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
    >>> [[h.data for h in row] for row in rows]
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def _differentiated(f: Callable[..., Any], argnums: int | tuple[int, ...], check: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the function that calls f on fresh variables and returns its result, passed through `check`, and its Jacobian."""

    def differentiated(*arguments: Any, **options: Any) -> Any:
        wanted = argnums if isinstance(argnums, tuple) else (argnums,)
        if any(not hasattr(i, "__index__") or i not in range(len(arguments)) or wanted.count(i) > 1 for i in wanted):
            raise TypeError(f"argnums is {argnums!r}, but the number of arguments is {len(arguments)}; name one by its number, "
                            "counted from 0, or several as a tuple, such as (0, 1), each once")  # fmt: skip
        trees = {i: map_tree(_variable, arguments[i], name=f"argument {i}") for i in wanted}
        leaves, build = flatten(trees)
        xs, copies = [*leaves.values()], map_tree(lambda x: +x, trees)

        def shaped(items: Iterable[Any]) -> Any:
            built = tuple(build(items).values())
            return built if isinstance(argnums, tuple) else built[0]

        try:
            ys = check(f(*[copies.get(i, argument) for i, argument in enumerate(arguments)], **options))
            row = functools.partial(_row, xs=xs, shaped=shaped)
            result = ys, row(ys) if isinstance(ys, Value) else map_tree(row, ys, name="the result", entries=False)
        finally:  # from here on the variables are nodes like others, which are copied and computed again
            variables: list[Value] = [x for x in xs if isinstance(x, Variable)]
            for x in variables:
                x.__class__ = Independent if x.primitive is None else Value
        # Return arrays of floats, unless that would cut off a node that is not the argument's own.
        if not any(map(is_array, flatten([trees, ys], entries=False)[0].values())):
            return result
        nodes = {x for y in flatten(ys)[0].values() if isinstance(y, Value) for x in nodes_below(y)} - set(xs)
        return result if any(x.primitive is None and x.__class__ is not Independent for x in nodes) else number_arrays(result)

    return differentiated


def _row(y: Any, xs: Sequence[Value], shaped: Callable[[Iterable[Any]], Any]) -> Any:
    """Return the gradient of a result, or those of the entries of an array of results, stacked."""
    if is_array(y):
        return stack(shaped(xs), [_row(x, xs, shaped) for x in flatten(y)[0].values()], y.shape)
    return shaped(gradients(_value(y), xs))


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
    return x if isinstance(x, Value) else Independent(_number(x))


def _number(x: Any) -> float:
    return real(x, "to mix modes, take jvp inside grad, not grad inside jvp") if isinstance(x, Operand) else real(x)
