"""The operand that stands for all numbers of an interval: a result computed with it contains the result for each of them.

An `Enclosure` is recorded as a node, as a `Value` is, so the chain rule applies to it: its gradient is an enclosure of the
gradient, and can be differentiated again.  All rules come from the table.

>>> from autograd.certainty.intervals import between
>>> from autograd.transforms import gradients
>>> x = Enclosure.leaf(between(1.0, 2.0))
>>> y = x * x
>>> y, gradients(y, [x])[0]
(Enclosure([1, 4]), Enclosure([2, 4]))

A comparison that holds for some numbers of the interval and fails for others is *open*.  Then both branches of a choice count,
each narrowed by the comparison: ``where(x > 0, x, 0)`` is never negative.  Alternatively, each case is computed separately,
under `Assumptions`; a comparison that follows from an assumption is then decided too, in the function and in the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, NoReturn, TypeVar

from flint import arb

from autograd.arithmetic import NOT_COMPUTED
from autograd.certainty.intervals import (
    EVERYTHING,
    FUNCTIONS,
    NAN,
    Interval,
    OutsideError,
    describe,
    exactly,
    hull,
    interval,
    square,
    unrounded,
)
from autograd.lookups import hashed_here, is_used_outside
from autograd.primitives import DomainError, Operand, Primitive, method, multiply
from autograd.reals import number
from autograd.rerun import UNCALLED
from autograd.rows import TABLE
from autograd.threads import call_with
from autograd.transforms import chain_rule
from autograd.value import Value, new, topological

__all__ = ["Assumptions", "Case", "Enclosure", "NoEnclosureError", "UndecidedError", "by_cases", "derivatives"]

E = TypeVar("E", bound=Exception)
INSTEAD: Final = (
    "here it stands for all numbers of an interval; use autograd's functions and where, not math's, .data or float()"
)


class UndecidedError(TypeError):
    """A condition that a program branches on is true for some numbers of an interval, and false for others."""


class NoEnclosureError(TypeError):
    """A function or a rule takes only numbers, so it cannot be read on intervals."""


Test = tuple["Enclosure", "Enclosure", bool]  # that the first is less than the second, strictly or not


class Assumptions:
    """Open comparisons, decided one way or the other.

    Args:
        decided: whether the first open comparison holds, the second, and so on.

    Attributes:
        known: the assumed comparisons that have been met so far, each as the test that holds.
        open: the comparisons met after those, on which nothing is assumed.
    """

    def __init__(self, decided: Sequence[bool] = ()) -> None:
        self.decided = decided
        self.known: list[Test] = []
        self.open: list[Test] = []
        self.refusal: Exception | None = None  # the last error: a number is not known, or a domain was left

    def under(self, f: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function under these assumptions; raise if it caught an error that not all numbers of an interval raise."""
        y, refusal = call_with(ASSUMED, self, f, *arguments), self.refusal
        if refusal is None:
            return y
        if isinstance(refusal, UndecidedError):
            raise refusal
        raise NoEnclosureError(f"the function caught an error, which not all numbers of an interval raise ({refusal}): in "
                               "place of try, choose with where(condition, lambda: …, lambda: …)")  # fmt: skip

    def truth(self, test: Test) -> bool | None:
        """Return whether an open comparison holds; None if nothing is assumed about it."""
        for known in self.known:
            if (holds := _truth_given(known, test)) is not None:
                return holds
        if any(_truth_given(met, test) is not None for met in self.open):
            return None
        if len(self.known) < len(self.decided):
            holds = self.decided[len(self.known)]
            self.known.append(test if holds else _negated(test))
            return holds
        self.open.append(test)
        return None


class Case(NamedTuple):
    """The result of a computation under assumptions; None if it branches on a comparison that they leave open."""

    y: Any
    assumptions: Assumptions


def by_cases(run: Callable[[], Any], most: int = 3) -> tuple[Case, list[Case]]:
    """Run a computation without assumptions, and once for each outcome of its open comparisons.

    Args:
        run: the computation; it is repeated.
        most: how many open comparisons are decided at most; if there are more, and no `if` needs them, none is decided.

    Returns:
        The result without assumptions, and the cases, which together cover everything.

    Raises:
        DomainError: if the computation has no value, whatever the outcomes.
    """

    def case(decided: tuple[bool, ...]) -> Case:
        assumptions = Assumptions(decided)
        try:
            return Case(assumptions.under(run), assumptions)
        except UndecidedError:
            return Case(None, assumptions)

    whole, found = case(()), list[Case]()
    waiting: list[tuple[bool, ...]] = [(False,), (True,)]
    n = len(whole.assumptions.open)
    if not n or (n > most and whole.y is not None):
        return whole, [whole]
    while waiting:
        decided = waiting.pop()
        try:
            found.append(case(decided))
        except DomainError:  # perhaps only for numbers that the assumptions exclude
            found.append(Case(None, Assumptions()))
        if found[-1].assumptions.open and len(decided) < most:
            found.pop()
            waiting += [(*decided, False), (*decided, True)]
    return whole, found


ASSUMED: Final[ContextVar[Assumptions | None]] = ContextVar("ASSUMED", default=None)


class Enclosure(Operand, Value):
    """A node that stands for all numbers of an interval.

    Attributes:
        bounds: the interval.
        is_smooth: whether the node has a value and is continuous everywhere on the intervals of the leaves below it.
    """

    __slots__ = ("bounds", "is_smooth")

    bounds: Interval
    is_smooth: bool

    @classmethod
    def leaf(cls, bounds: Interval, label: str | None = None) -> Enclosure:
        """Return a node that did not come from an operation."""
        return cls._node(None, (), bounds, bounds.connected, label)

    @classmethod
    def _node(
        cls, row: Primitive | None, operands: tuple[Any, ...], bounds: Interval, is_smooth: bool, label: str | None = None
    ) -> Enclosure:
        node: Enclosure = new(cls)
        node.primitive, node.bounds, node.is_smooth, node.label = row, bounds, is_smooth, label
        node._left = node._right = operands
        node._dx = node._dy = node._mark = None
        return node

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        """Apply the row to intervals; return a node, or the branch that a choice with a decided condition takes."""
        nodes = tuple([x if x.__class__ is Enclosure else _constant(x) for x in operands])
        if any(x is NotImplemented for x in nodes):
            return NotImplemented
        if row.is_choice:
            return _chosen(row, nodes, [x is not NOT_COMPUTED for x in operands[1:]])
        bounds = _evaluated(row, nodes)
        return Enclosure._node(row, nodes, bounds, bounds.connected and all(x.is_smooth for x in nodes))

    def __bool__(self) -> bool:
        if self.primitive is None or not self.primitive.is_condition:
            raise TypeError(f"{self!r} is a number, not a condition; compare it, as in `if x > 0:`")
        truth = _truth(self)
        if truth is None:
            shown = self.primitive.spell([repr(x) for x in self.operands])
            raise _noted(UndecidedError(f"whether {shown} is open on this interval"), is_used_outside())
        return truth

    def __float__(self, _: object = None) -> NoReturn:
        error = NoEnclosureError(f"{self!r} cannot become a float: {INSTEAD}; to round to a whole number use floor(x + 0.5)")
        raise _noted(error, is_used_outside())

    __int__ = __index__ = __trunc__ = __complex__ = __round__ = __float__

    __hash__ = hashed_here(lambda self: _noted(NoEnclosureError(f"{self!r} cannot be looked up in a set or a dict: {INSTEAD}")))

    def __getattr__(self, name: str) -> Any:
        if name in ("data", "_number", "grad"):
            raise AttributeError(f"{self!r} has no {name.lstrip('_')}: {INSTEAD}")
        return super().__getattr__(name)

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"Enclosure({describe(self.bounds)})"


def _noted(error: E, is_for_user: bool = True) -> E:
    """Return an error, and note it for `Assumptions.under`, which raises it again if a user's code catches it."""
    assumed = ASSUMED.get()
    if is_for_user and assumed is not None:
        assumed.refusal = error
    return error


def _absent(self: Enclosure, *_: Any) -> NoReturn:
    raise AttributeError  # Python then calls `__getattr__`, whose error has the advice


for _name in ("data", "_number", "grad"):
    setattr(Enclosure, _name, property(_absent, _absent))
for _name, _row in TABLE.items():  # the rows themselves replace the methods that record numbers, such as `Value.tanh`
    if hasattr(Value, _name):
        setattr(Enclosure, _name, method(_row))


def derivatives(y: Any, xs: Sequence[Enclosure]) -> list[Enclosure]:
    """Return an enclosure of ∂y/∂x for each x; a choice that is open counts with all its branches."""
    if not isinstance(y, Enclosure):
        return [_constant(0.0) for _ in xs]
    found = chain_rule(topological(y), y, xs, lambda node: 2)
    return [g if g.__class__ is Enclosure else _constant(g) for g in found]


def _constant(x: Any) -> Any:
    """Return a plain number, or a node from outside the function, as a leaf; NotImplemented for anything else."""
    if isinstance(x, Value):
        return Enclosure.leaf(interval(x.data), x.label)
    plain = x if isinstance(x, float) else number(x)
    if plain is NotImplemented:
        return plain
    return Enclosure.leaf(exactly(plain) if plain is x else unrounded(plain, x))


def _evaluated(row: Primitive, nodes: Sequence[Enclosure]) -> Interval:
    """Return the interval of a row's values; a row without a function on intervals is evaluated by the rows it is made of."""
    function = FUNCTIONS.get(row.function)
    if not row.is_condition and any(x.bounds is NAN for x in nodes):
        return NAN
    try:
        if function is not None:
            if row is multiply and nodes[0] is nodes[1]:
                return square(nodes[0].bounds)
            return function(*[x.bounds for x in nodes])
        found = (row.unguarded or row.function)(*nodes)
    except OutsideError as error:
        shown = row.spell([describe(x.bounds) for x in nodes])
        needs = f"{row.name} needs {row.domain}" if row.domain else error
        raise _noted(DomainError(f"{shown} is undefined: {needs}")) from None
    except (UndecidedError, DomainError):  # from the rows that it is made of, which name their own operands
        raise
    except Exception as error:
        why = "" if isinstance(error, NoEnclosureError) else f" ({type(error).__name__}: {error})"
        raise NoEnclosureError(
            f"the row {row.name!r} cannot be certified: its function takes only numbers{why}. Write it "
            "with operators and autograd's functions, or let it be a function of math itself, such as math.erf"
        ) from error
    found = found if isinstance(found, Enclosure) else _constant(found)
    smooth = found.is_smooth or not all(x.is_smooth for x in nodes)  # a jump of an operand is recorded at its own node
    return found.bounds._replace(connected=smooth)


# Choices.


def _chosen(row: Primitive, nodes: tuple[Enclosure, ...], called: Sequence[bool]) -> Enclosure:
    condition, one, other = nodes
    truth = _truth(condition)
    reachable = called if truth is None else called[:1] if truth else called[1:]
    if not all(reachable):
        raise ValueError(f"{row.spell([describe(x.bounds) for x in nodes])} takes, or may take, {UNCALLED}")
    if truth is not None:
        return one if truth else other
    test = _order(condition)
    if test is None:
        return Enclosure._node(row, nodes, hull(one.bounds, other.bounds), False)
    low, high, _ = test
    one, other = _reduced(one, test), _reduced(other, _negated(test))
    pair = (_narrowed(one, low, high), _narrowed(other, high, low))
    possible = [bounds for bounds in pair if bounds.low <= bounds.high] or [EVERYTHING]
    joined = (_joins(one, low, high) and _joins(other, low, high)) or _is_same(one, other)
    smooth = joined and all(x.is_smooth for x in (low, high, one, other))
    return Enclosure._node(row, (condition, one, other), hull(*possible, connected=joined), smooth)


def _truth(condition: Enclosure) -> bool | None:
    """Return whether a condition holds, on the whole interval or by assumption; None where it is open."""
    if condition.bounds.truth is not None:
        return condition.bounds.truth
    test, assumed = _order(condition), ASSUMED.get()
    return None if test is None or assumed is None else assumed.truth(test)


def _order(condition: Enclosure) -> Test | None:
    """Return the test that a condition states, or None if it is not a comparison."""
    sign = condition.primitive.infix if condition.primitive is not None else ""
    if not sign.startswith(("<", ">")):
        return None
    x, y = condition.operands
    return (x, y, sign == "<") if sign.startswith("<") else (y, x, sign == ">")


def _negated(test: Test) -> Test:
    low, high, is_strict = test
    return high, low, not is_strict


def _reduced(branch: Enclosure, test: Test) -> Enclosure:
    """Return a branch; if it is itself a choice that a known test decides, return the branch that it takes."""
    while branch.primitive is not None and branch.primitive.is_choice:
        condition, one, other = branch.operands
        own = _order(condition)
        holds = None if own is None else _truth_given(test, own)
        if holds is None:
            return branch
        branch = one if holds else other
    return branch


def _truth_given(known: Test, test: Test) -> bool | None:
    """Return whether a test holds, given that another one does; None if they do not compare the same two numbers."""
    if _is_same_test(test, known):
        return True
    return False if _is_same_test(_negated(test), known) else None


def _is_same_test(one: Test, other: Test) -> bool:
    return one[2] == other[2] and _is_same(one[0], other[0]) and _is_same(one[1], other[1])


def _is_same(x: Enclosure, y: Enclosure) -> bool:
    return x is y or bool(x.bounds.low == x.bounds.high == y.bounds.low == y.bounds.high)


def _narrowed(branch: Enclosure, low: Enclosure, high: Enclosure) -> Interval:
    """Return the interval of a branch, narrowed by low ≤ high if the branch is one of these two."""
    bounds = branch.bounds
    if branch is low:
        return bounds._replace(high=min(bounds.high, high.bounds.high))
    return bounds._replace(low=max(bounds.low, low.bounds.low)) if branch is high else bounds


def _joins(branch: Enclosure, low: Enclosure, high: Enclosure) -> bool:
    """Whether a branch equals both compared numbers where these are equal, so that the choice does not jump there."""
    if _is_same(branch, low) or _is_same(branch, high):
        return True
    has_zero = any(x.bounds.low == x.bounds.high == arb(0) for x in (low, high))  # then a multiple of the other is 0, too
    return has_zero and branch.primitive is multiply and any(x is low or x is high for x in branch.operands)
