"""Hypothesis strategies for scalars, arrays, graphs and networks, and a property test for a user-defined row.

The idea: a graph is drawn as a program, leaves and instructions, and not as nodes.  So the same example runs on numbers,
on `Value`s, on dual numbers and on symbols, whose results can be compared; and it is printed as text that can be read.
All numbers are short decimals.

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
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from autograd import primitives
from autograd.checking import gradcheck
from autograd.primitives import DomainError, Nary, Primitive, Unary
from autograd.rows import TABLE
from autograd.symbol import Symbol, as_symbol, operand_name
from autograd.value import Value
from autograd.writing import source

__all__ = [
    "ROWS", "Network", "Program", "arrays", "check_primitive", "graphs", "networks", "numbers", "operands", "programs",
    "widths",
]  # fmt: skip

ROWS: Final[tuple[Primitive, ...]] = tuple(TABLE.values())
NEAR: Final = 1e-2  # how near to a kink no operands are drawn; half of it for the edge of a domain
STEEP: Final = 100.0  # how large values and partial derivatives of a drawn graph may be


@functools.cache
def numbers(low: float = -3.0, high: float = 3.0) -> st.SearchStrategy[float]:
    """Draw decimals with two places."""
    return st.integers(math.ceil(100 * low), math.floor(100 * high)).map(lambda hundredths: hundredths / 100)


def arrays(shape: int | tuple[int, ...], low: float = -3.0, high: float = 3.0) -> st.SearchStrategy[Any]:
    """Draw NumPy arrays of decimals with two places, for example as points for `assert_gradient`.

    Args:
        shape: of the arrays; a number for a vector.
        low: the least that an entry may be.
        high: the greatest.

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
    return st.integers(1, count).map(lambda back: count - back)  # the latest first


@functools.cache
def _places_or_numbers(count: int) -> st.SearchStrategy[int | float]:
    return _places(count) | numbers()


def widths(row: Primitive) -> list[int]:
    """Return numbers of operands that a row can be given.

    >>> widths(primitives.tanh), widths(primitives.divide), widths(primitives.dot)
    ([1], [2], [3, 5])
    """
    if isinstance(row, Nary):
        return [3] if row.picks is not None else [3, 5]
    return [1] if isinstance(row, Unary) else [2]


def is_smooth(row: Primitive, data: Sequence[float]) -> bool:
    """Whether a row has a value and finite partial derivatives at some operands, no kink or edge near, and nothing singular."""
    if tuple(data) in row.singular:
        return False
    try:
        out = float(row.evaluate(data))
        for i in range(len(data)) if row.domain else ():
            for step in (-NEAR / 2, NEAR / 2):
                row.evaluate([*data[:i], data[i] + step, *data[i + 1 :]])
        slopes = row.partials(data, out, range(len(data)))
        return all(map(math.isfinite, (out, *slopes))) and (row.kink is None or not abs(row.kink(*data)) < NEAR)
    except DomainError:
        return False


def operands(row: Primitive, width: int | None = None) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw operands inside the domain of a row, and away from its edges and kinks.

    Args:
        row: the row.
        width: how many operands; by default one of `widths`.

    >>> from hypothesis import find
    >>> find(operands(primitives.log), lambda data: True)
    (0.01,)
    """
    counts = [width] if width is not None else widths(row)
    conditions = st.sampled_from((1.0, 0.0)) if isinstance(row, Nary) and row.picks is not None else numbers()
    drawn = [st.tuples(conditions, *[numbers()] * (count - 1)) for count in counts]
    return st.one_of(*drawn).filter(lambda data: is_smooth(row, data))


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
        """Run on any operands, numbers or others, and return these and the result of each instruction, by place."""
        results = list(leaves)
        for row, places in self.instructions:
            results.append(row.apply([results[x] if isinstance(x, int) else x for x in places]))
        return results

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Return the last result; in an instruction an int is a place, a float a constant."""
        return self.results(leaves)[-1]

    @property
    def depth(self) -> int:
        """The number of operations on the longest way from a leaf to the result."""
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

    All rows of the table occur; nodes are shared, an operand may be the same one twice, and chains become deep.

    Args:
        draw: given by Hypothesis.
        longest: the most instructions.

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
        # Any earlier result, or in a chain the last one each time; the same one twice is common.
        first = len(values) - 1 if is_chain else draw(_places(len(values)))
        places = (first, *(draw(_places_or_numbers(len(values))) for _ in range(count - 1)))
        data = [values[x] if isinstance(x, int) else x for x in places]
        # Next to the condition 0 of a `where` there is another case, but a comparison's 0 has nothing next to it.
        torn = isinstance(row, Nary) and row.picks is not None and data[0] == 0 and places[0] not in conditions
        if torn or not is_smooth(row, data):
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
    """A small multilayer perceptron with one example; called with its parameters, it gives the squared error.

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

    At many operands: its partial derivatives and their derivatives against numeric ones, forward mode and the differentiable
    gradients against backward; its function and rules as text, evaluated, against themselves; and read on NumPy's arrays,
    against the same on floats.

    Args:
        row: the row.
        drawn: where the operands come from; `operands` of the row by default.
        examples: how many to draw.
        arrays: whether the row can be read on arrays, as compiled programs do.

    Raises:
        AssertionError: with the smallest operands found at which something is wrong, and what; or if some partial
            derivative could not be judged anywhere.
    """
    tested: set[int] = set()
    seen: set[int] = set()
    strategy = operands(row) if drawn is None else drawn
    thorough = settings(max_examples=examples, deadline=None, report_multiple_bugs=False, phases=set(Phase) - {Phase.explain})

    @thorough
    @given(strategy)
    def check(drawn: Sequence[float]) -> None:
        data = [float(x) for x in drawn]
        if not _has_rules(row, data):
            return
        check_text(row, data)  # first, since nodes are recorded by the text of their row
        steered = isinstance(row, Nary) and row.picks is not None
        constants = data[:1] if steered else []  # a condition

        def f(*values: Any) -> Any:
            return row.apply([*constants, *values])

        f.__name__ = row.name
        point = [Value(x, operand_name(row, i)) for i, x in enumerate(data)][len(constants) :]
        try:
            report = gradcheck(f, *point, order=2)
        except DomainError:  # where a rule is at the edge of its own domain, it has no derivative
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


def check_text(row: Primitive, data: Sequence[float]) -> None:
    """Compare a row's function and rules, written as Python and evaluated, with what they give at some operands.

    Raises:
        AssertionError: if they cannot be written, or give something else.

    >>> check_text(primitives.tanh, [0.5])
    """
    names = [operand_name(row, i) for i in range(len(data))]
    symbols, which = [Symbol(name) for name in names], range(len(data))
    out = row.evaluate(data)
    values = {**dict(zip(names, data, strict=True)), "out": float(out), "inf": math.inf, "nan": math.nan}
    try:
        formulas = [row.apply(symbols), *row.partials(symbols, Symbol("out"), which)]
    except Exception as error:  # whatever a function or rule that takes only numbers raises
        raise AssertionError(f"{row.name} cannot be written as text: {error}") from None
    for formula, expected in zip(formulas, [out, *row.partials(data, out, which)], strict=True):
        text, calls = source(as_symbol(formula))
        found = float(eval(text, {"__builtins__": {}}, {**values, **{name: called.function for name, called in calls.items()}}))
        if found != expected and not (math.isnan(found) and math.isnan(expected)):
            raise AssertionError(f"{row.name} at {tuple(data)}: the text {text} gives {found!r}, the row {float(expected)!r}")


def check_arrays(row: Primitive, data: Sequence[float]) -> None:
    """Compare a row's function and rules, read on NumPy's arrays, with what they give at floats.

    Raises:
        AssertionError: if they cannot be read, or give something else, apart from rounding.

    >>> check_arrays(primitives.tanh, [0.5])
    """
    import numpy as np

    which = range(len(data))
    out = row.evaluate(data)
    columns = [np.array([x, x]) for x in data]
    try:
        with np.errstate(all="ignore"):  # what is not finite shows in the comparison
            result = row.apply(columns)
            found = [result, *row.partials(columns, result, which)]
    except Exception as error:
        raise AssertionError(f"{row.name} cannot be read on arrays ({error}); make its function of rows, name the function "
                             "of the array namespace in the column array, or pass arrays=False") from None  # fmt: skip
    for array, expected in zip(found, [out, *row.partials(data, out, which)], strict=True):
        if not np.allclose(array, float(expected), rtol=1e-12, atol=1e-15, equal_nan=True):
            raise AssertionError(f"{row.name} at {tuple(data)}: arrays give {array!r}, floats {float(expected)!r}")


st.register_type_strategy(Value, graphs())
