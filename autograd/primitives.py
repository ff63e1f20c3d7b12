"""The table of derivatives: one row per operation.

A row holds an operation's function and its partial derivatives, written with operators and other rows only.  It never
asks what its operands are: the operand's own ``__primitive__`` method says how the row is to be read.  So one row gives

    numbers             ``tanh(0.5)``, and with them the numeric backward pass
    a computation graph ``tanh(Value(0.5))``; its rules read on `Value`s are the graph of the gradient
    dual numbers        forward mode
    symbols             the rule as text, as LaTeX, as the source of the recording function
    arrays              through the array's own namespace

and a new operation is one more row, which any user can write:

>>> swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
>>> swish(0.0), swish(2.0)
(0.0, 1.7615941559557646)
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from numbers import Real
from typing import Any, Self

from autograd.rows import check_gradient, check_partial, check_rules, refuse_call

__all__ = [
    "Binary", "DomainError", "Nary", "Operand", "Primitive", "Unary",
    "absolute", "add", "cos", "divide", "dot", "exp", "expm1", "gate", "greater", "greater_equal", "leaky_relu", "less",
    "less_equal", "log", "log1p", "logsumexp", "maximum", "minimum", "multiply", "negative", "positive", "power",
    "prelu", "relu", "sigmoid", "sign", "sin", "softplus", "sqrt", "step", "subtract", "tan", "tanh", "total", "where",
]  # fmt: skip

inf, nan = math.inf, math.nan
Point = tuple[float, ...]


class DomainError(ValueError, ZeroDivisionError):
    """An operation was asked for a value it does not have, as ``log(-2)`` or ``1 / 0``."""


def number(x: Any) -> Any:
    """Return a plain number as a float, and NotImplemented for a type that may know better what to do.

    Takes int, bool, float, `fractions.Fraction` and NumPy scalars.

    Raises:
        TypeError: for text, None, complex numbers, sequences and arrays.
        OverflowError: for an int beyond the largest float.

    >>> number(3), number(True)
    (3.0, 1.0)
    """
    # Asking for the classes first is ten times faster than for Real: 10 % of a chain with constants such as 2.
    if x.__class__ is float or x.__class__ is int or isinstance(x, Real):
        return float(x)
    shape = getattr(x, "shape", None)
    if shape == () and getattr(x.dtype, "kind", "?") in "biuf":  # numpy.bool_, and what NumPy's own operators pass on
        return float(x)
    if shape is not None:
        raise TypeError(f"an array of shape {tuple(shape)} is no scalar; apply the operation to its elements one by one")
    if x is None or isinstance(x, str | bytes | complex | list | tuple | dict | set):
        raise TypeError(f"{x!r} is a {type(x).__name__}; pass a real number (int, float) or a Value")
    return NotImplemented


@dataclass(frozen=True, eq=False, repr=False)
class Primitive:
    """One row of the table; called, it reads itself on its operands.

    Args:
        name: as NumPy names it, where NumPy has it.
        function: the value, from as many floats as there are operands.  It may raise `ValueError` or
            `ZeroDivisionError` outside its domain, and `OverflowError` where the value is too large.
        infix: the operator's sign, for operations written between or before their operands.
        text, latex, code: how it is written for people, in LaTeX and in Python, ``{0}``, ``{1}`` … being the operands;
            by default with its infix sign, or as ``name({0}, {1})``.
        domain: where the function has a value, in words, for the error message.
        overflow: the value, from the operands, where the function raises `OverflowError`.
        kink: an expression in the operands that vanishes where the derivative jumps.
        singular: the partial derivatives chosen at points where a limit or a convention has to decide.
        array: the same function's name in an array namespace; empty where `function` itself serves arrays.
        fixed: numbers that the namespace's function takes after the operands.
        unguarded: the same function without its guard against overflow, for compiled programs, where overflow is ±∞.
    """

    name: str
    function: Callable[..., Any]
    _: KW_ONLY
    infix: str = ""
    text: str = ""
    latex: str = ""
    code: str = ""
    domain: str = ""
    overflow: Callable[..., float] = lambda *operands: inf
    kink: Callable[..., Any] | None = None
    singular: Mapping[Point, Point] = field(default_factory=dict)
    array: str = ""
    fixed: tuple[float, ...] = ()
    unguarded: Callable[..., Any] | None = None

    @functools.cached_property
    def is_condition(self) -> bool:
        """Whether the result is a truth value: a comparison."""
        return self.infix.startswith(("<", ">"))

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return ∂out/∂operand for the operands whose indices are in `which`, in the operands' own type.

        >>> divide.partials([6.0, 2.0], 3.0, which=[0, 1])
        [0.5, -1.5]
        """
        raise TypeError(f"a row is Unary, Binary or Nary; {self.name} is none of them")

    def evaluate(self, operands: Sequence[float]) -> float:
        """Return the value at plain floats; overflow gives ±∞, NaN stays NaN.

        Raises:
            DomainError: where the operation has no value.

        >>> exp.evaluate([1000.0])
        inf
        >>> log.evaluate([-2.0])
        Traceback (most recent call last):
        autograd.primitives.DomainError: log(-2.0) has no value: log needs x > 0
        """
        try:
            out = self.function(*operands)
        except OverflowError:
            return self.overflow(*operands)
        except (ValueError, ZeroDivisionError) as error:
            call = self.spell([repr(x) for x in operands])
            needs = f"{self.name} needs {self.domain}" if self.domain else str(error)
            raise DomainError(f"{call} has no value: {needs}") from None
        try:
            return bool(out) if self.is_condition else float(out)
        except (TypeError, ValueError):
            raise TypeError(f"the function of the row {self.name!r} returned {out!r}; it must return a number") from None

    def spell(self, operands: Sequence[str]) -> str:
        """Write the operation on operands that are text already.

        >>> divide.spell(["1", "x"]), tanh.spell(["x"]), power.spell(["-2", "x"])
        ('1 / x', 'tanh(x)', '(-2) ** x')
        """
        if self.infix:
            first, *rest = (f"({x})" if x.startswith("-") else x for x in operands)
            return f"{first} {self.infix} {rest[0]}" if rest else f"{self.infix}{first}"
        return f"{self.name}({', '.join(operands)})"

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the operands that the arguments of a call stand for; raise a TypeError or ValueError if it is not called so.

        >>> dot.operands_from([[1.0, 2.0], [3.0, 4.0]]), leaky_relu.operands_from([5.0])
        ((1.0, 2.0, 3.0, 4.0), [5.0, 0.01])
        """
        raise TypeError(f"a row is Unary, Binary or Nary; {self.name} is none of them")

    def apply(self, operands: Sequence[Any]) -> Any:
        """Read the row on `operands`: as one of them asks with ``__primitive__``, else on arrays, else on numbers."""
        for operand in operands:
            if operand.__class__ is not float:
                break
        else:  # the rules of the table ask for this most: 60 % off tanh(0.5), 40 % off x**3
            return self.evaluate(operands)
        arrays = []
        for operand in operands:
            kind = type(operand)
            if kind is float or kind is int:
                continue
            read = getattr(kind, "__primitive__", None)
            if read is not None:
                result = read(operand, self, operands)
                if result is not NotImplemented:
                    return result
            if getattr(operand, "shape", ()) != () and hasattr(operand, "__array_namespace__"):
                arrays.append(operand)
        if arrays:
            return self.on_arrays(arrays[0].__array_namespace__(), operands)
        data = [number(operand) for operand in operands]
        if NotImplemented in data:
            kinds = ", ".join(type(operand).__name__ for operand in operands)
            raise TypeError(f"{self.name} cannot be read on operands of types {kinds}; pass real numbers or Values")
        return self.evaluate(data)

    def on_arrays(self, namespace: Any, operands: Sequence[Any]) -> Any:
        """Return the value at arrays, element by element, in the words of their namespace."""
        return getattr(namespace, self.array, self.function)(*operands, *self.fixed)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # IPython and Hypothesis would print every column

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> str:
        if globals().get(self.name) is self:
            return str(self.name)
        raise TypeError(f"the primitive {self.name!r} is not in autograd's table, so it cannot be pickled")


@dataclass(frozen=True, eq=False, repr=False)
class Unary(Primitive):
    """A row ``f(x)`` with its derivative ``partial(x, out)``."""

    partial: Callable[[Any, Any], Any]

    def __post_init__(self) -> None:
        check_rules(self.name, self.function, "x", {f"rule ∂{self.name}/∂x": self.partial})

    def __call__(self, x: Any = ..., /, *more: Any) -> Any:
        """Read the row on x."""
        if x is ... or more:
            refuse_call(self, () if x is ... else (x, *more))
        return self.apply((x,))

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the arguments: there is one."""
        [_] = arguments
        return arguments

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return [∂out/∂x], or nothing if it is not wanted."""
        [x] = operands
        return [check_partial(self.name, "x", self.partial(x, out)) for _ in which]


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Primitive):
    """A row ``f(x, y)`` with ``partial_x(x, y, out)`` and ``partial_y(x, y, out)``; y may have a default."""

    partial_x: Callable[[Any, Any, Any], Any]
    partial_y: Callable[[Any, Any, Any], Any]
    _: KW_ONLY
    default: float | None = None

    def __post_init__(self) -> None:
        rules = {"x": self.partial_x, "y": self.partial_y}
        check_rules(self.name, self.function, "x, y", {f"rule ∂{self.name}/∂{x}": rule for x, rule in rules.items()})

    def __call__(self, x: Any = ..., y: Any = ..., /, *more: Any) -> Any:
        """Read the row on x and y."""
        if x is ... or more or (y is ... and self.default is None):
            refuse_call(self, [operand for operand in (x, y, *more) if operand is not ...])
        return self.apply((x, self.default if y is ... else y))

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the two arguments, or the one and the default."""
        if len(arguments) == 1 and self.default is not None:
            return [*arguments, self.default]
        [_, _] = arguments
        return arguments

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return ∂out/∂x and ∂out/∂y, those that are wanted."""
        x, y = operands
        rules = self.partial_x, self.partial_y
        return [check_partial(self.name, "xy"[i], rules[i](x, y, out)) for i in which]


@dataclass(frozen=True, eq=False, repr=False)
class Nary(Primitive):
    """A row of any number of operands, with ``gradient(operands, out)``, all partial derivatives at once.

    `operands_of` turns the arguments of a call into the flat tuple of operands, `expands` says that a formula
    shows what its function says rather than a call, `picks` which operand the result is, by the value of the first, and
    `fold` names the function of two arrays that, taken from operand to operand in any order, gives the result.
    """

    gradient: Callable[[Sequence[Any], Any], Sequence[Any]]
    operands_of: Callable[..., Sequence[Any]]
    _: KW_ONLY
    expands: bool = False
    picks: Callable[[Any], int] | None = None
    fold: str = ""

    def on_arrays(self, namespace: Any, operands: Sequence[Any]) -> Any:
        """Return the value at arrays, element by element: a fold, where the row has one."""
        if self.fold:
            return functools.reduce(getattr(namespace, self.fold), operands)
        return super().on_arrays(namespace, operands)

    def __post_init__(self) -> None:
        check_rules(self.name, self.function, "operands", {"gradient": self.gradient})

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the operands, flat."""
        return self.operands_of(*arguments)

    def __call__(self, *arguments: Any) -> Any:
        """Read the row on the operands that the arguments stand for."""
        try:
            operands = self.operands_of(*arguments)
        except (TypeError, ValueError):
            refuse_call(self, arguments)
            raise  # the fault is not in the call, as where a generator fails
        read = getattr(operands[0], "__primitive__", None) if operands else None
        if read is not None:  # what `apply` would find, without the search: 5 % of a network's step
            result = read(self, operands)
            if result is not NotImplemented:
                return result
        return self.apply(operands)

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return the entries of the gradient that are wanted."""
        gradient = check_gradient(self.name, len(operands), self.gradient(operands, out))
        return [gradient[i] for i in which]


class Operand:
    """Every operator spelled as the row it stands for; a reading inherits this and says what a row means to it."""

    __slots__ = ()

    # fmt: off
    def __add__(self, y: Any) -> Any:      return add.apply((self, y))
    def __radd__(self, x: Any) -> Any:     return add.apply((x, self))
    def __sub__(self, y: Any) -> Any:      return subtract.apply((self, y))
    def __rsub__(self, x: Any) -> Any:     return subtract.apply((x, self))
    def __mul__(self, y: Any) -> Any:      return multiply.apply((self, y))
    def __rmul__(self, x: Any) -> Any:     return multiply.apply((x, self))
    def __truediv__(self, y: Any) -> Any:  return divide.apply((self, y))
    def __rtruediv__(self, x: Any) -> Any: return divide.apply((x, self))
    def __pow__(self, y: Any) -> Any:      return power.apply((self, y))
    def __rpow__(self, x: Any) -> Any:     return power.apply((x, self))
    def __neg__(self) -> Any:              return negative.apply((self,))
    def __pos__(self) -> Any:              return positive.apply((self,))
    def __abs__(self) -> Any:              return absolute.apply((self,))
    def __lt__(self, y: Any) -> Any:       return less.apply((self, y))
    def __le__(self, y: Any) -> Any:       return less_equal.apply((self, y))
    def __gt__(self, y: Any) -> Any:       return greater.apply((self, y))
    def __ge__(self, y: Any) -> Any:       return greater_equal.apply((self, y))
    # fmt: on

    def __getattr__(self, name: str) -> Any:
        row = globals().get(name)  # x.tanh() is tanh(x)
        if isinstance(row, Unary | Binary):
            return functools.partial(row, self)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


# What the rows below are made of, where one expression does not say it.


def _power_x(x: Any, y: Any, out: Any) -> Any:
    # y·xʸ⁻¹.  At x = 0 the power y - 1 is not asked for below y = 1: x⁰ is flat there, and x^0.5 rises like √x.
    if isinstance(y, float) and not 0 <= y < 1:
        return y * (x if y == 2 else power(x, y - 1))
    defined = maximum(abs(x) > 0, maximum(y >= 1, y < 0))
    return where(defined, y, where(y > 0, inf, 0)) * power(where(defined, x, 1), y - 1)


def _power_overflow(x: float, y: float) -> float:
    return -inf if x < 0 and y % 2 == 1 else inf


def _sum(*terms: Any) -> Any:
    # Left to right; the built-in sum compensates from Python 3.12 on, and would give other bits there.
    return functools.reduce(operator.add, terms) if terms else 0.0


def _net(*operands: Any) -> Any:
    n = len(operands) // 2
    out = operands[0] * operands[n] if n else 0.0
    for w, x in zip(operands[1:n], operands[n + 1 : 2 * n], strict=True):
        out = out + w * x
    return out + operands[-1] if len(operands) % 2 else out


def _net_gradient(operands: Sequence[Any], out: Any) -> Sequence[Any]:
    n = len(operands) // 2
    return (*operands[n : 2 * n], *operands[:n], 1.0)[: len(operands)]


def _net_operands(weights: Iterable[Any], inputs: Iterable[Any], bias: Any = None) -> Sequence[Any]:
    weights, inputs = tuple(weights), tuple(inputs)
    if len(weights) != len(inputs):
        raise ValueError(f"dot needs as many weights as inputs; got {len(weights)} weights and {len(inputs)} inputs")
    return (*weights, *inputs) if bias is None else (*weights, *inputs, bias)


def _logsumexp(*operands: float) -> float:
    # Shifted by the largest operand, so that exp cannot overflow; its own term is the 1 of log1p.
    if any(map(math.isnan, operands)):
        return nan
    *rest, shift = sorted(operands)
    return shift if math.isinf(shift) else shift + math.log1p(_sum(*[math.exp(x - shift) for x in rest]))


def _at_least_one(operands: Iterable[Any]) -> Sequence[Any]:
    operands = tuple(operands)
    if not operands:
        raise ValueError("logsumexp of nothing has no value; pass at least one operand")
    return operands


# The table.  A partial derivative may use the operation's own result, `out`.

# fmt: off
cos:     Unary       # rows that are used above their line
log:     Unary
sign:    Unary
maximum: Binary
minimum: Binary
where:   Nary

positive      = Unary ("positive", operator.pos, lambda x, out: 1,  infix="+", array="positive")
negative      = Unary ("negative", operator.neg, lambda x, out: -1, infix="-", array="negative")
add           = Binary("add",      operator.add,     lambda x, y, out: 1,     lambda x, y, out: 1,       infix="+", array="add")
subtract      = Binary("subtract", operator.sub,     lambda x, y, out: 1,     lambda x, y, out: -1,      infix="-",
                       array="subtract")
multiply      = Binary("multiply", operator.mul,     lambda x, y, out: y,     lambda x, y, out: x,       infix="*",
                       array="multiply")
divide        = Binary("divide",   operator.truediv, lambda x, y, out: 1 / y, lambda x, y, out: -out / y, infix="/",
                       array="divide", latex=r"\frac{{{0}}}{{{1}}}", domain="y ≠ 0")
power         = Binary("power",    math.pow, _power_x, lambda x, y, out: out * log(where(x > 0, x, where(x < 0, nan, 1))),
                       infix="**", latex="{0}^{{{1}}}", array="power",
                       domain="a whole y, or x > 0, or x = 0 with y ≥ 0", overflow=_power_overflow,
                       singular={(0.0, 0.5): (inf, 0.0),     # as √x
                                 (0.0, 0.0): (0.0, 0.0),     # x⁰ is 1 everywhere, 0ʸ is 0 for y > 0
                                 (0.0, 2.0): (0.0, 0.0)})

exp           = Unary ("exp",   math.exp,   lambda x, out: out,           latex="e^{{{0}}}", array="exp")
expm1         = Unary ("expm1", math.expm1, lambda x, out: exp(x),        array="expm1")   # out + 1 would round eˣ away
log           = Unary ("log",   math.log,   lambda x, out: 1 / x,         latex=r"\ln({0})", array="log", domain="x > 0")
log1p         = Unary ("log1p", math.log1p, lambda x, out: 1 / (1 + x),   array="log1p", domain="x > -1")
sqrt          = Unary ("sqrt",  math.sqrt,  lambda x, out: where(x <= 0, inf, 0.5) / where(x <= 0, 1, out),
                       text="√{0}", latex=r"\sqrt{{{0}}}", array="sqrt", domain="x ≥ 0",
                       singular={(0.0,): (inf,)})            # the tangent of √x at 0 stands upright
sin           = Unary ("sin",   math.sin,   lambda x, out: cos(x),        latex=r"\sin({0})", array="sin", domain="a finite x")
cos           = Unary ("cos",   math.cos,   lambda x, out: -sin(x),       latex=r"\cos({0})", array="cos", domain="a finite x")
tan           = Unary ("tan",   math.tan,   lambda x, out: 1 + out * out, latex=r"\tan({0})", array="tan", domain="a finite x")
tanh          = Unary ("tanh",  math.tanh,  lambda x, out: 1 - out * out, latex=r"\tanh({0})", array="tanh")
# σ and softplus ask for exp(-|x|) only, so no x is too large for them.
sigmoid       = Unary ("sigmoid",  lambda x: where(x >= 0, 1, exp(-abs(x))) / (1 + exp(-abs(x))),
                       lambda x, out: out * (1 - out), text="σ({0})", latex=r"\sigma({0})",
                       unguarded=lambda x: 1 / (1 + exp(-x)))
softplus      = Unary ("softplus", lambda x: maximum(x, 0) + log1p(exp(-abs(x))), lambda x, out: sigmoid(x))

# Operations with a kink or a jump.  The value at the kink is the one from the left, as relu′(0) = 0; NaN stays NaN.
absolute      = Unary ("absolute", abs, lambda x, out: sign(x), text="|{0}|", latex=r"\left|{0}\right|", array="absolute",
                       kink=operator.pos, singular={(0.0,): (0.0,)})           # sign(0) is 0, between the slopes -1 and 1
sign          = Unary ("sign", lambda x: where(x > 0, 1, where(x < 0, -1, 0 * x)), lambda x, out: 0, array="sign",
                       kink=operator.pos, singular={(0.0,): (0.0,)})
step          = Unary ("step", lambda x: where(x >= 0, 1, where(x < 0, 0, x)), lambda x, out: 0,
                       text="[{0} ≥ 0]", latex=r"\mathbb{{1}}[{0} \geq 0]", array="heaviside", fixed=(1.0,),
                       kink=operator.pos, singular={(0.0,): (0.0,)})
gate          = Unary ("gate", lambda x: where(x > 0, 1, where(x <= 0, 0, x)), lambda x, out: 0,
                       text="[{0} > 0]", latex=r"\mathbb{{1}}[{0} > 0]", array="heaviside", fixed=(0.0,),
                       kink=operator.pos, singular={(0.0,): (0.0,)})
relu          = Unary ("relu", lambda x: where(x > 0, x, where(x <= 0, 0, x)), lambda x, out: gate(x),
                       array="maximum", fixed=(0.0,), kink=operator.pos, singular={(0.0,): (0.0,)})
prelu         = Binary("prelu", lambda x, y: where(x > 0, x, y * x),
                       lambda x, y, out: where(x > 0, 1, where(x <= 0, y, x)), lambda x, y, out: minimum(x, 0),
                       kink=lambda x, y: x, singular={(0.0, 0.25): (0.25, 0.0)})
leaky_relu    = replace(prelu, name="leaky_relu", default=0.01)               # the same row with a slope that is not learned
maximum       = Binary("maximum", lambda x, y: where(x > y, x, where(x <= y, y, x + y)),
                       lambda x, y, out: where(x > y, 1, where(x <= y, 0, out)),
                       lambda x, y, out: where(x > y, 0, where(x <= y, 1, out)), array="maximum",
                       kink=operator.sub, singular={(1.5, 1.5): (0.0, 1.0)})   # a tie goes to y: maximum(x, 0) is relu
minimum       = Binary("minimum", lambda x, y: where(x < y, x, where(x >= y, y, x + y)),
                       lambda x, y, out: where(x < y, 1, where(x >= y, 0, out)),
                       lambda x, y, out: where(x < y, 0, where(x >= y, 1, out)), array="minimum",
                       kink=operator.sub, singular={(1.5, 1.5): (0.0, 1.0)})   # a tie goes to y
less          = Binary("less",          operator.lt, lambda x, y, out: 0, lambda x, y, out: 0, infix="<", array="less",
                       kink=operator.sub)
less_equal    = Binary("less_equal",    operator.le, lambda x, y, out: 0, lambda x, y, out: 0, infix="<=", array="less_equal",
                       kink=operator.sub)
greater       = Binary("greater",       operator.gt, lambda x, y, out: 0, lambda x, y, out: 0, infix=">", array="greater",
                       kink=operator.sub)
greater_equal = Binary("greater_equal", operator.ge, lambda x, y, out: 0, lambda x, y, out: 0, infix=">=",
                       array="greater_equal", kink=operator.sub)

# Operations on many operands.
where         = Nary  ("where", lambda condition, a, b: a if condition else b,
                       lambda v, out: (0, where(v[0], 1, 0), where(v[0], 0, 1)),
                       lambda condition, a, b: (condition, a, b), picks=lambda condition: 1 if condition else 2,
                       array="where", code="({1} if {0} else {2})",
                       latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}")
total         = Nary  ("total", _sum, lambda v, out: (1.0,) * len(v), tuple, expands=True, fold="add")
# The net input Σ wᵢxᵢ + b of a neuron as one node, so that its gradient is the textbook's δ.
dot           = Nary  ("dot", _net, _net_gradient, _net_operands, expands=True)
logsumexp     = Nary  ("logsumexp", _logsumexp, lambda v, out: [exp(x - out) for x in v], _at_least_one,
                       fold="logaddexp")
# fmt: on
