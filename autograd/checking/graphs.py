"""Gradients compared with numeric ones, edge by edge, each with a verdict and a reason.

The idea: a node is one scalar operation, so every local derivative can be checked by itself, against the values of its own
function.  Forward mode then checks, without any step size, how backpropagation combines the local derivatives; and numeric
derivatives of the whole function check that the graph computes all of it.  So the error in a wrong gradient can be located:
in a rule, in the accumulation, or in a part of the function that the graph lacks.

>>> from autograd.primitives import Unary, tanh
>>> print(check(lambda w, x: tanh(w * x) ** 2, [0.5, 2.0]))
correct: 2 derivatives and 4 local ones agree with numeric ones, and backward with forward mode.
...
>>> cube = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * x)
>>> report = check(cube, [2.0])
>>> report.verdict, bool(report)
('wrong', False)
>>> report.edges[0].reason
'the rule 3·x gives 6, but the slope is 12 ± ..., in cube(x)...'
"""

from __future__ import annotations

import functools
import math
import operator
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, Literal

from autograd.checking.edges import Rules, clearance, excused
from autograd.checking.lines import MOST_SINGLE, Line, axes, directions
from autograd.checking.numeric import slope
from autograd.checking.points import CALLS, PointError, finite, parameters, point_text, refuse_tuple, require_inputs, title
from autograd.checking.report import Report
from autograd.checking.rounding import Rounded, spread
from autograd.checking.verdicts import Check, judge, mark_vacuous, short
from autograd.forward import Dual
from autograd.manners import describe
from autograd.nonfinite import find_nonfinite
from autograd.notation import name_nodes
from autograd.reals import kind_of
from autograd.rerun import refuse_stale, replay
from autograd.steps import walk
from autograd.transforms import gradients
from autograd.trees import flatten, is_array, map_tree, unboxed
from autograd.value import Value, nodes_below, topological
from autograd.writing import SUPERSCRIPTS

__all__ = ["check"]

MOST_DERIVATIVES: Final = 4  # first derivatives that are all differentiated again; of more, random combinations are


class NoValueError(TypeError):
    """A function returned something other than one `Value`."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A scalar function of numbers, and the point at which it is to be checked.

    Attributes:
        title: the function's name.
        by: the variables with respect to which this function is already a derivative; empty for the original function.
        names, point: the names and the numbers of the inputs.
        call: this function, of a sequence with one `Value` for each input.
    """

    title: str
    by: tuple[str, ...]
    names: tuple[str, ...]
    point: tuple[float, ...]
    call: Callable[[Sequence[Value]], Value]


def check(f: Callable[..., Any] | Value, point: Sequence[Any], order: int = 1, seed: int | None = None) -> Report:
    """Compare the gradient of a function that returns a `Value`, or of a graph, with numeric derivatives.

    Args:
        f: the function, or the result of the graph.
        point: the arguments of the function.
        order: the highest order of the derivatives to check.
        seed: chooses the random directions that are used with many inputs.
    """
    rng = Random(0 if seed is None else seed)
    subject = _graph(f, point) if isinstance(f, Value) else _function(f, point)
    _refuse_uncheckable(subject)
    subjects, rules = [subject], Rules(rng)
    inputs: list[Check] = []
    edges: list[Check] = []
    accumulated = True
    for level in range(order):
        found: list[Check] = []
        for one in subjects:
            leaves = [Value(x, name) for name, x in zip(one.names, one.point, strict=True)]
            y = one.call(leaves)
            edges += [check for node in topological(y) for check in rules.check(node, repeat=level == 0)]
            checks, agree = _whole(one, y, leaves, rng)
            found += checks
            accumulated = accumulated and agree
        inputs += mark_vacuous(found)
        if level + 1 < order:
            subjects = [derivative for one in subjects for derivative in _derivatives(one, rng)]
    return _report(inputs, edges, accumulated)


def _graph(y: Value, point: Sequence[Any]) -> Subject:
    """Return a graph as a function of its leaves."""
    if point:
        raise TypeError("a graph has its point in its leaves; write gradcheck(y), or pass a function: gradcheck(f, 0.5)")
    order = topological(y)
    if not order:
        raise TypeError(f"{describe(y)} has no inputs: it is a leaf, not the result of an operation")
    refuse_stale(order)
    leaves = {x: name for x, name in name_nodes(y, order).items() if x.primitive is None}

    def call(values: Sequence[Value]) -> Value:
        again: Value = replay(y, dict(zip(leaves, values, strict=True)))
        return again

    point = tuple(finite(x.data, name) for x, name in leaves.items())
    return Subject(y.label or "f", (), tuple(leaves.values()), point, call)


def _function(f: Callable[..., Any], point: Sequence[Any]) -> Subject:
    """Return a function of trees of numbers as a function of their leaves; see `autograd.trees`."""
    if not callable(f):
        raise TypeError(f"{f!r} is {kind_of(f)}; gradcheck takes a function and a point, or the Value of a graph")
    refuse_tuple(f, point)
    called = title(f)
    arguments = zip(parameters(f, len(point)), point, strict=True)
    flat = [
        flatten(map_tree(lambda x: x if isinstance(x, Value) else Value(x), tree, name=name), name) for name, tree in arguments
    ]
    inputs = {path: leaf for leaves, _ in flat for path, leaf in leaves.items()}
    require_inputs(inputs, called, point)

    def call(values: Sequence[Value]) -> Value:
        rest = iter(values)
        y = unboxed(f(*[build(rest) for _, build in flat]))
        if isinstance(y, Value):
            return y
        if isinstance(y, list | tuple | dict) or is_array(y):
            raise NoValueError(f"{called} returned {kind_of(y)}; gradcheck takes one scalar, such as the total of its items")
        why = ("; .data, float() and functions of math drop the graph; autograd's functions keep it; for a function of plain "
               "numbers, pass its gradient too: gradcheck(f, *point, gradient=…)")  # fmt: skip
        why = "; does it end without a return?" if y is None else why
        raise NoValueError(f"{called} returned {y!r}, not a Value{why}")

    labels = Counter(leaf.label for leaf in inputs.values())
    names = tuple(leaf.label if leaf.label and labels[leaf.label] == 1 else path for path, leaf in inputs.items())
    point = tuple(finite(leaf.data, name) for leaf, name in zip(inputs.values(), names, strict=True))
    return Subject(called, (), names, point, call)


def _refuse_uncheckable(subject: Subject) -> None:
    """Call a function a few times at its point, and raise if it fails, is not finite, ignores its inputs or varies."""
    at = point_text(subject.names, subject.point)
    seen: list[float] = []
    for _ in range(CALLS):
        leaves = [Value(x, name) for name, x in zip(subject.names, subject.point, strict=True)]
        try:
            y = subject.call(leaves)
        except NoValueError:
            raise
        except Exception as error:
            kind = PointError if isinstance(error, ArithmeticError | ValueError) else ValueError
            raise kind(f"{subject.title} raised {type(error).__name__} at {at}: {error}") from error
        order = topological(y)
        if y not in leaves and not any(x in leaves for node in order for x in node.inputs):
            raise ValueError(f"{subject.title} depends on none of its inputs: the graph of {describe(y)} does not reach them")
        if not math.isfinite(y.data):
            origin = next((node for node in order if not math.isfinite(node.data)), y)
            raise PointError(f"{subject.title} is {short(y.data)} at {at}; "
                             f"the first value that is not finite is {describe(origin)}")  # fmt: skip
        seen.append(y.data)
    if len(set(seen)) > 1:
        raise ValueError(f"{subject.title} is not deterministic: at {at} it gave {seen[0]!r} and then "
                         f"{next(x for x in seen if x != seen[0])!r}; draw random numbers outside of it")  # fmt: skip


def _derivatives(subject: Subject, rng: Random) -> list[Subject]:
    """Return the derivatives of a function as functions; of many, a few random combinations."""
    n = len(subject.names)
    weights = [{i: 1.0} for i in range(n)]
    names = list(subject.names)
    if n > MOST_DERIVATIVES:
        weights = [{i: rng.choice((-1.0, 1.0)) for i in range(n)} for _ in range(MOST_DERIVATIVES // 2)]
        names = [f"direction{k}" for k in range(1, len(weights) + 1)]

    def along(which: dict[int, float]) -> Callable[[Sequence[Value]], Value]:
        def call(values: Sequence[Value]) -> Value:
            wanted = gradients(subject.call(values), [values[i] for i in which])
            terms = [g if weight == 1 else g * weight for g, weight in zip(wanted, which.values(), strict=True)]
            out: Value = functools.reduce(operator.add, terms)
            return out

        return call

    return [replace(subject, by=(*subject.by, name), call=along(which)) for name, which in zip(names, weights, strict=True)]


def _whole(subject: Subject, y: Value, leaves: Sequence[Value], rng: Random) -> tuple[list[Check], bool]:
    """Compare the gradient of the whole function; return the comparisons, and whether forward mode gives the same."""
    backward, axis_lines = _backward(y, leaves), axes(subject.names, subject.point)
    compared = functools.partial(_along, subject=subject, y=y, leaves=leaves, backward=backward, rng=rng)
    is_small = len(leaves) <= MOST_SINGLE
    found = [*map(compared, axis_lines if is_small else directions(subject.point, range(len(leaves)), rng))]
    if not is_small and any(check.verdict == "wrong" for check, _ in found):  # find out which inputs it is
        found += [pair for pair in map(compared, axis_lines) if pair[0].verdict == "wrong"]
    return [check for check, _ in found], all(agrees for _, agrees in found)


def _backward(y: Value, leaves: Sequence[Value]) -> list[float]:
    """Return the gradients that `backward` computes, and leave those of all nodes as they were."""
    kept = {node: node.grad for node in (*nodes_below(y), *leaves)}
    try:
        for node in kept:
            node.grad = 0.0
        y.backward()
        return [leaf.grad for leaf in leaves]
    finally:
        for node, grad in kept.items():
            node.grad = grad


def _along(
    line: Line, subject: Subject, y: Value, leaves: Sequence[Value], backward: Sequence[float], rng: Random
) -> tuple[Check, bool]:
    """Compare one derivative: backward with forward mode, and with the numeric one."""

    def f(point: list[float]) -> float:
        return subject.call([*map(Value, point)]).data

    ends = dict.fromkeys(x for x in nodes_below(y) if x.primitive is None)
    seeds = {leaves[i]: d for i, d in line.direction.items()}

    def forward(chance: Random | None) -> tuple[float, float]:
        numbers = {x: Rounded(x.data, chance) for x in ends}
        out = replay(y, {x: Dual(number, seeds[x]) if x in seeds else number for x, number in numbers.items()})
        return float(getattr(out, "primal", out)), float(getattr(out, "tangent", 0.0))

    primal_noise, tangent_noise = spread(lambda: forward(rng))
    analytic, (_, tangent) = line.along(backward), forward(None)
    doubt = 2 * tangent_noise + 8 * math.ulp(analytic)
    variables = (*subject.by, line.name)
    power = str(len(variables)).translate(SUPERSCRIPTS) if len(variables) > 1 else ""
    name = f"∂{power}{subject.title}/{''.join(f'∂{v}' for v in variables)}"

    def compare(clear: float) -> Check:
        return judge(name, line.at, analytic, slope(line.near(f, clear), line.start, primal_noise), doubt)

    check = compare(math.inf)
    if math.isfinite(analytic) and math.isfinite(tangent):
        agrees = abs(analytic - tangent) <= doubt
    else:  # products may overflow in one order and not in another
        steps = walk(y).gradients
        agrees = repr(line.along([steps.get(leaf, 0.0) for leaf in leaves])) == repr(analytic)
    if not agrees:
        return replace(check, verdict="wrong", reason=f"backward gives {short(analytic)}, forward mode {short(tangent)}"), False
    if math.isnan(analytic) or (check.verdict == "wrong" and math.isinf(analytic)):
        return _because_of_products(check, y), True
    return (_beside_kinks(compare, check, y, line, leaves) if check.verdict == "wrong" else check), True


def _beside_kinks(compare: Callable[[float], Check], check: Check, y: Value, line: Line, leaves: Sequence[Value]) -> Check:
    """Excuse a wrong check if a node below y is too near a kink, see `excused`; the reason names the node."""
    for node in topological(y):
        if node.primitive is not None and node.primitive.kink is not None:
            found = excused(compare, check, clearance(node.primitive.kink(*node.operands), line, leaves))
            if found.verdict != "wrong":
                return replace(found, reason=f"{found.reason}, in {describe(node)}")
    return check


def _because_of_products(check: Check, y: Value) -> Check:
    """Name the place where a derivative ceases to be finite, unless a rule itself gives NaN."""
    rule_is_nan = any(math.isnan(partial) for node in topological(y) for partial in node.partials)
    return check if rule_is_nan else replace(check, reason=f"{check.reason}; {find_nonfinite(y)}")


def _report(inputs: list[Check], edges: list[Check], accumulated: bool) -> Report:
    """Put the checks into a report, with the cause of a wrong gradient."""
    cause: Literal["rule", "accumulation", "graph", "nonfinite", ""] = ""
    if any(check.verdict == "wrong" for check in edges):
        cause = "rule"
    elif not accumulated:
        cause = "accumulation"
    elif any(check.verdict == "wrong" and math.isfinite(check.analytic) for check in inputs):
        cause = "graph"
    elif any(check.verdict == "wrong" for check in inputs) or (_has_nan(inputs) and not _has_nan(edges)):
        cause = "nonfinite"
    if cause == "rule":
        inputs = [replace(c, reason=f"{c.reason}; it comes from the rule") if c.verdict == "wrong" else c for c in inputs]
    return Report(tuple(inputs), tuple(edges), cause)


def _has_nan(checks: Sequence[Check]) -> bool:
    return any(math.isnan(check.analytic) for check in checks)
