"""Hypothesis strategies for scalars, arrays, graphs and networks, and a property test for a user-defined row.

The idea: a graph is drawn as a program of leaves and instructions, not as nodes.  The same example then runs on numbers,
`Value`s, dual numbers and symbols, so that their results can be compared, and it prints as readable text.  All numbers are
short decimals.

>>> Program((0.5, 2.0), ((primitives.multiply, (0, 1)), (primitives.dot, (0, 2, 1, 1.5))))
x0 = 0.5; x1 = 2.0; v2 = x0 * x1; v3 = dot(x0, v2, x1, 1.5)

>>> from autograd.primitives import Unary, sigmoid
>>> swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
>>> check_primitive(swish)                                 # first and second derivatives, text, arrays
>>> check_primitive(Unary("swish", swish.function, lambda x, out: out + sigmoid(x)))
Traceback (most recent call last):
AssertionError: ...

Importing this module makes ``st.from_type(Value)`` draw the result of a graph.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from autograd import primitives
from autograd.checking import gradcheck
from autograd.checking.numeric import slope
from autograd.checking.readings import check_arrays, check_text
from autograd.checking.verdicts import short
from autograd.primitives import DomainError, Nary, Primitive, Unary
from autograd.rows import TABLE
from autograd.symbol import operand_names
from autograd.value import Value

__all__ = [
    "ROWS", "Network", "Program", "arrays", "check_primitive", "graphs", "networks", "numbers", "operands", "programs",
    "widths",
]  # fmt: skip

ROWS: Final[tuple[Primitive, ...]] = tuple(TABLE.values())
NEAR: Final = 1e-2  # operands are drawn at least this far from a kink, and half as far from the edge of a domain
# All numbers that `numbers` draws, tried for a row with one operand: whole numbers first, because they are easiest to read.
LINE: Final = sorted([n / 100 for n in range(-300, 301)], key=lambda x: (x % 1 != 0, x == 0, abs(x)))
ENOUGH: Final = 0.1  # relative error up to which a numeric derivative shows that the function has one
STEEP: Final = 100.0  # the largest value or partial derivative in a drawn graph


@functools.cache
def numbers(low: float = -3.0, high: float = 3.0) -> st.SearchStrategy[float]:
    """Draw decimals with two places."""
    return st.integers(math.ceil(100 * low), math.floor(100 * high)).map(lambda hundredths: hundredths / 100)


def arrays(shape: int | tuple[int, ...], low: float = -3.0, high: float = 3.0) -> st.SearchStrategy[Any]:
    """Draw NumPy arrays of decimals with two places, for example as points for `assert_gradient`.

    Args:
        shape: the shape of the arrays; a number for a vector.
        low: the smallest possible entry.
        high: the largest possible entry.

    >>> import numpy as np
    >>> from autograd import assert_gradient
    >>> @given(arrays((2, 3)), arrays(3))
    ... def test_bilinear(a, x):
    ...     assert_gradient(lambda a, x: (a @ x).sum(), a, x, gradient=lambda a, x: (np.ones((2, 1)) * x, a.sum(0)))
    >>> test_bilinear()
    """
    import numpy as np

    sizes = (shape,) if isinstance(shape, int) else shape
    count = math.prod(sizes)
    return st.lists(numbers(low, high), min_size=count, max_size=count).map(lambda drawn: np.array(drawn, float).reshape(sizes))


@functools.cache
def _places(count: int) -> st.SearchStrategy[int]:
    return st.integers(1, count).map(lambda back: count - back)  # shrinks to the latest


@functools.cache
def _places_or_numbers(count: int) -> st.SearchStrategy[int | float]:
    return _places(count) | numbers()


def widths(row: Primitive) -> list[int]:
    """Return the numbers of operands with which a row is tried.

    >>> widths(primitives.tanh), widths(primitives.divide), widths(primitives.dot)
    ([1], [2], [3, 5])
    """
    if isinstance(row, Nary):
        return [3] if row.is_choice else [3, 5]
    return [1] if isinstance(row, Unary) else [2]


def is_inside(row: Primitive, data: Sequence[float]) -> bool:
    """Whether a row is finite at some operands that are not singular, and away from kinks and the edges of its domain."""
    if tuple(data) in row.singular:
        return False
    try:
        out = float(row.evaluate(data))
        for i in range(len(data)) if row.domain else ():
            for step in (-NEAR / 2, NEAR / 2):
                row.evaluate([*data[:i], data[i] + step, *data[i + 1 :]])
        return math.isfinite(out) and (row.kink is None or not abs(row.kink(*data)) < NEAR)
    except DomainError:
        return False


def is_smooth(row: Primitive, data: Sequence[float]) -> bool:
    """Whether a row is inside its domain at some operands, see `is_inside`, and its partial derivatives are finite there."""
    return is_inside(row, data) and all(map(math.isfinite, _slopes(row, data)))


def _slopes(row: Primitive, data: Sequence[float]) -> list[float]:
    """Return the partial derivatives that a row's rules give, or NaN for all of them if a rule is undefined."""
    try:
        return [float(x) for x in row.partials(data, row.evaluate(data), range(len(data)))]
    except DomainError:
        return [math.nan] * len(data)


def operands(row: Primitive, width: int | None = None) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw operands inside the domain of a row, and away from its edges and kinks.

    Args:
        row: the row.
        width: how many operands; by default one of `widths`.

    >>> from hypothesis import find
    >>> find(operands(primitives.log), lambda data: True)
    (0.01,)
    """
    return _anywhere(row, width).filter(lambda data: is_smooth(row, data))


def _anywhere(row: Primitive, width: int | None = None) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw operands of a row, including some at which it has no value."""
    counts = [width] if width is not None else widths(row)
    conditions = st.sampled_from((1.0, 0.0)) if row.is_choice else numbers()
    drawn = [st.tuples(conditions, *[numbers()] * (count - 1)) for count in counts]
    return st.one_of(*drawn)


@dataclass(frozen=True)
class Program:
    """Leaves, and instructions that apply a row to leaves, earlier results (by place) and constants.

    >>> program = Program((2.0, -1.5), ((primitives.multiply, (0, 1)), (primitives.tanh, (2,)), (primitives.add, (3, 0.5))))
    >>> program
    x0 = 2.0; x1 = -1.5; v2 = x0 * x1; v3 = tanh(v2); v4 = v3 + 0.5
    >>> program(program.leaves)
    -0.495054753686...
    """

    leaves: tuple[float, ...]
    instructions: tuple[tuple[Primitive, tuple[int | float, ...]], ...]

    def results(self, leaves: Sequence[Any]) -> list[Any]:
        """Run on leaves of any kind, numbers or others; return these and the result of each instruction, by place."""
        results = list(leaves)
        for row, places in self.instructions:
            results.append(row.apply([results[x] if isinstance(x, int) else x for x in places]))
        return results

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Return the last result; in an instruction an int is a place, a float a constant."""
        return self.results(leaves)[-1]

    @property
    def depth(self) -> int:
        """The number of operations on the longest path from a leaf to the result."""
        depths = [0] * len(self.leaves)
        for _, places in self.instructions:
            depths.append(1 + max((depths[x] for x in places if isinstance(x, int)), default=0))
        return depths[-1]

    def __repr__(self) -> str:
        names = [f"x{i}" for i in range(len(self.leaves))]
        lines = [f"{name} = {x}" for name, x in zip(names, self.leaves, strict=True)]
        for row, places in self.instructions:
            shown = [names[x] if isinstance(x, int) else repr(x) for x in places]
            names.append(f"v{len(names)}")
            lines.append(f"{names[-1]} = {row.spell(shown)}")
        return "; ".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # so that Hypothesis prints it like this


@st.composite
def programs(draw: st.DrawFn, longest: int = 20) -> Program:
    """Draw a program whose values stay finite and moderate, inside every domain and away from kinks.

    All rows of the table occur, nodes are shared, both operands may be the same node, and chains become deep.

    Args:
        draw: given by Hypothesis.
        longest: the largest number of instructions.

    >>> from hypothesis import find
    >>> find(programs(), lambda program: program.depth > 2)
    x0 = 0.0; v1 = +x0; v2 = +v1; v3 = +v2
    """
    leaves = draw(st.lists(numbers(), min_size=1, max_size=4))
    is_chain = draw(st.booleans())
    values = list(leaves)
    conditions: set[int] = set()
    instructions: list[tuple[Primitive, tuple[int | float, ...]]] = []
    for row in draw(st.integers(1, longest).flatmap(lambda n: st.lists(st.sampled_from(ROWS), min_size=n, max_size=n))):
        count = draw(st.sampled_from(widths(row)))
        # Any earlier result, or in a chain always the last one; using the same one twice is common.
        first = len(values) - 1 if is_chain else draw(_places(len(values)))
        places = (first, *(draw(_places_or_numbers(len(values))) for _ in range(count - 1)))
        data = [values[x] if isinstance(x, int) else x for x in places]
        # A `where` jumps at a condition of 0, but not at the 0 of a comparison, which does not vary continuously.
        is_jump = row.is_choice and data[0] == 0 and places[0] not in conditions
        if is_jump or not is_smooth(row, data):
            continue
        out = float(row.evaluate(data))
        if all(abs(x) < STEEP for x in (out, *row.partials(data, out, range(count)))):
            conditions |= {len(values)} if row.is_condition else set()
            instructions.append((row, places))
            values.append(out)
    return Program(tuple(leaves), tuple(instructions or [(primitives.multiply, (0, 0))]))


def graphs(longest: int = 20) -> st.SearchStrategy[Value]:
    """Draw the result of a graph, with leaves labelled x0, x1, …; see `programs`.

    >>> from hypothesis import find
    >>> find(graphs(3), lambda node: node.data > 1 and len(node.inputs) == 2).data > 1
    True
    """
    return programs(longest).map(lambda p: p([Value(x, f"x{i}") for i, x in enumerate(p.leaves)]))


@dataclass(frozen=True)
class Network:
    """A small multilayer perceptron with one example; called with its parameters, it returns the squared error.

    Attributes:
        sizes: the number of inputs, then of neurons in each layer.
        activation: the row that all neurons but the last layer's apply to their net input.
        parameters: for each neuron of each layer, its weights and then its bias.
        inputs, target: the example.

    >>> network = Network((1, 1, 1), primitives.tanh, (0.5, 0.0, 2.0, 1.0), (2.0,), 1.0)
    >>> network(network.parameters) == (2 * math.tanh(1.0) + 1 - 1) ** 2
    True
    """

    sizes: tuple[int, ...]
    activation: Unary
    parameters: tuple[float, ...]
    inputs: tuple[float, ...]
    target: float

    def __call__(self, parameters: Sequence[Any]) -> Any:
        """Return (output - target)², from parameters of any kind."""
        *_, out = self.nets(parameters)
        error = out - self.target
        return error * error

    def nets(self, parameters: Sequence[Any]) -> list[Any]:
        """Return the net inputs of all neurons, layer by layer; the last one is the output."""
        rest, nets = iter(parameters), list[Any]()
        signals: list[Any] = list(self.inputs)
        for size in self.sizes[1:]:
            layer = [primitives.dot([next(rest) for _ in signals], signals, next(rest)) for _ in range(size)]
            signals = [self.activation(net) for net in layer]
            nets += layer
        return nets


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a network of one to three layers, with one output; no neuron is at a kink.

    >>> from hypothesis import find
    >>> find(networks(), lambda network: len(network.sizes) == 3).activation
    <primitive positive>
    """
    activation = draw(st.sampled_from([row for row in ROWS if isinstance(row, Unary) and not row.domain]))
    sizes = (*draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)), 1)
    count = sum((n + 1) * m for n, m in pairwise(sizes))
    parameters = draw(st.lists(numbers(-1.5, 1.5), min_size=count, max_size=count))
    inputs = draw(st.lists(numbers(), min_size=sizes[0], max_size=sizes[0]))
    network = Network(sizes, activation, tuple(parameters), tuple(inputs), draw(numbers()))
    assume(all(abs(net) < STEEP and is_smooth(activation, [net]) for net in network.nets(parameters)))
    return network


def check_primitive(
    row: Primitive,
    drawn: st.SearchStrategy[Sequence[float]] | None = None,
    *,
    examples: int = 50,
    arrays: bool = True,
) -> None:
    """Property-test a row, of the table or user-defined.

    Compare, at many operands, its first and second derivatives with numeric ones; forward mode and the differentiable
    gradients with backward; its function and rules, written as text and evaluated, with themselves; and their results on
    NumPy's arrays with those on floats.  The rules must have finite values wherever the function is smooth, except at points
    that are listed in `singular` or excluded by `domain`, written as inequalities such as ``x > 0``.

    Args:
        row: the row.
        drawn: where the operands come from; `operands` of the row by default.
        examples: how many to draw.
        arrays: whether to evaluate the row on arrays too, as compiled programs do.

    Raises:
        AssertionError: if something is wrong, with a description and the smallest operands found that show it; or if a partial
            derivative could not be judged at any operands.
        TypeError: for anything but a row.
    """
    if not isinstance(row, Primitive):
        raise TypeError(
            f"check_primitive takes a row, such as Unary('cube', lambda x: x**3, lambda x, out: 3 * x**2), not {row!r}"
        )
    tested: set[int] = set()
    seen: set[int] = set()
    strategy = operands(row) if drawn is None else drawn
    thorough = settings(
        max_examples=examples,
        deadline=None,
        report_multiple_bugs=False,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=[HealthCheck.filter_too_much],
    )

    @thorough
    @given(_anywhere(row) if drawn is None else drawn)
    def check_everywhere(drawn: Sequence[float]) -> None:
        check_finite(row, [float(x) for x in drawn])

    @thorough
    @given(strategy)
    def check(drawn: Sequence[float]) -> None:
        data = [float(x) for x in drawn]
        if not _has_rules(row, data):
            return
        check_text(row, data)  # first, since nodes are recorded by the text of their row
        constants = data[:1] if row.is_choice else []  # a condition

        def f(*values: Any) -> Any:
            return row.apply([*constants, *values])

        f.__name__ = row.name
        point = [*map(Value, data, operand_names(row, len(data)))][len(constants) :]
        try:
            report = gradcheck(f, *point, order=2)
        except DomainError:  # a rule that is at the edge of its own domain has no derivative
            report = gradcheck(f, *point)
        if report.verdict == "wrong":
            raise AssertionError(f"{row.name} at {tuple(data)} is\n{report}")
        own = [c for c in report.edges if c.node is not None and c.node.primitive is row]
        seen.update(c.operand for c in own if c.operand is not None)
        tested.update(c.operand for c in own if c.operand is not None and c.verdict == "correct")

    @thorough
    @given(strategy)
    def check_on_arrays(drawn: Sequence[float]) -> None:
        data = [float(x) for x in drawn]
        if _has_rules(row, data):
            check_arrays(row, data)

    for x in LINE if drawn is None and isinstance(row, Unary) else ():
        check_finite(row, [x])
    check_everywhere()
    with suppress(Unsatisfiable):  # if no operands suit, `seen` stays empty
        check()
        if arrays:
            check_on_arrays()
    if seen - tested or not seen:
        names = ", ".join(f"operand {i}" for i in sorted(seen - tested)) or "any operand"
        raise AssertionError(f"the partial derivative of {row.name} with respect to {names} could not be judged at any of the "
                             "operands drawn; pass a strategy that draws others")  # fmt: skip


def _has_rules(row: Primitive, data: Sequence[float]) -> bool:
    """Whether a row has a finite value at some operands, and its rules have values there."""
    try:
        out = row.evaluate(data)
        row.partials(data, out, range(len(data)))
    except DomainError:
        return False
    return math.isfinite(out)


def check_finite(row: Primitive, data: Sequence[float]) -> None:
    """Check that a row's rules have finite values at some operands if its function is smooth there.

    Raises:
        AssertionError: if a rule gives ∞ or NaN, or is undefined, where the function has a finite slope on both sides.

    >>> check_finite(primitives.sqrt, [0.0])
    """
    if not is_inside(row, data) or _is_excluded(row, data):
        return
    out = row.evaluate(data)
    for i in range(1 if row.is_choice else 0, len(data)):  # a condition has no slope
        try:
            [partial] = row.partials(data, out, [i])
            found = f"it gives {short(partial)}"
        except DomainError as error:
            partial, found = math.nan, str(error)
        if math.isfinite(partial):
            continue

        def f(t: float, i: int = i) -> float:
            try:
                return float(row.evaluate([*data[:i], t, *data[i + 1 :]]))
            except DomainError:
                return math.nan

        numeric = slope(f, data[i])
        if numeric.kind == "smooth" and numeric.side == "both" and numeric.error <= ENOUGH * max(1.0, abs(numeric.value)):
            names = operand_names(row, len(data))
            at = ", ".join(f"{name} = {short(x)}" for name, x in zip(names, data, strict=True))
            rule = "the rule" if isinstance(row, Unary) else f"the rule ∂{row.name}/∂{names[i]}"
            raise AssertionError(f"{row.name}: {rule} has no finite value at {at}, where the function is smooth and has the "
                                 f"slope {short(numeric.value)}: {found}. Correct the rule, list the point in singular, or "
                                 "exclude it by domain, such as 'x > 0'")  # fmt: skip


def _is_excluded(row: Primitive, data: Sequence[float]) -> bool:
    """Whether a row's domain is written as inequalities, such as ``-1 ≤ x ≤ 1``, that do not hold at some operands."""
    text = row.domain
    for sign, operator in {"≤": "<=", "≥": ">=", "≠": "!=", ",": " and "}.items():
        text = text.replace(sign, operator)
    try:
        return not eval(text, {"__builtins__": {}}, dict(zip(operand_names(row, len(data)), data, strict=True)))
    except Exception:  # the domain is empty, or is not written as an inequality
        return False


st.register_type_strategy(Value, graphs())
