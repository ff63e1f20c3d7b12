"""The table of derivatives: one row per operation.

A row holds an operation's function and its partial derivatives, written with operators and other rows only.  So one row gives

    numbers             ``tanh(0.5)``; its rules applied to numbers are the backward pass
    a computation graph ``tanh(Value(0.5))``; its rules applied to `Value`s are the graph of the gradient
    dual numbers        forward mode
    symbols             the rule as text, as LaTeX, and as the source of the recording function
    arrays              through the array's own namespace

and a new operation is one more row, which any user can write; see `autograd.rows`.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from math import inf, nan
from typing import Any, Self

from autograd import arithmetic
from autograd.arithmetic import Constant
from autograd.rows import TABLE, Binary, DomainError, Nary, Primitive, Unary

__all__ = [
    "Binary", "DomainError", "Nary", "Primitive", "Unary", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "cbrt", "ceil", "cos", "cosh", "divide", "dot", "erf", "exp", "exp2", "expm1", "floor",
    "floor_divide", "gate", "greater", "greater_equal", "hypot", "leaky_relu", "less", "less_equal", "log", "log1p", "log2",
    "log10", "logsumexp", "maximum", "minimum", "multiply", "negative", "positive", "power", "prelu", "prod", "relu",
    "remainder", "sigmoid", "sign", "sin", "sinh", "softplus", "sqrt", "square", "step", "subtract", "tan", "tanh", "total",
    "where",
]  # fmt: skip


LOG_2, LOG_10 = Constant(lambda m: m.log(2)), Constant(lambda m: m.log(10))
ERF_0 = Constant(lambda m: 2 / m.sqrt(m.pi))  # the slope of erf at 0

# Helpers for rules too long for one lambda.  Operands are compared by order, never by ==, which would compare nodes.


def _over(x: Any, y: Any) -> Any:
    # x/y for y ≥ 0, and ∞ where y is 0: the slope of a vertical tangent.  The ∞ still depends on y, so it has a derivative too.
    return where(y <= 0, inf, x) / where(y <= 0, 1 + y, y)


def _over_square(x: Any, y: Any) -> Any:
    # x/y² for y ≥ 0, and NaN where y is 0; y² itself would overflow.
    return x / where(y > 0, y, nan) / where(y > 0, y, nan)


def _power_x(x: Any, y: Any, out: Any) -> Any:
    # y·xʸ⁻¹.  At x = 0 with 0 ≤ y < 1 that power is undefined: the slope is 0 for y = 0, since x⁰ is flat, else ∞, as for √x.
    # Numbers that need no such case go first: measured, x ** 0.5 then takes a sixteenth of the time.
    if isinstance(y, float) and (not 0 <= y < 1 or (isinstance(x, float) and x)):
        return y * (x if y == 2 else power(x, y - 1))
    defined = maximum(abs(x) > 0, y >= 1, y < 0)
    return where(defined, y, where(y > 0, inf, y)) * power(where(defined, x, 1 + x), y - 1)


def _product_of_others(v: Sequence[Any], out: Any) -> Sequence[Any]:
    # For each factor, the product of those before it times the product of those after it; out / v[i] would fail at 0.
    before, after = [*accumulate(v[:-1], operator.mul)], [*accumulate(v[:0:-1], operator.mul)][::-1]
    return [after[0], *map(operator.mul, before, after[1:]), before[-1]] if len(v) > 1 else [1.0] * len(v)


def _softmax(v: Sequence[Any], out: Any) -> Sequence[Any]:
    # exp(y) for y = x - out, divided by the sum of these, because out may be rounded.  Where x and out are the same infinity, y
    # is NaN, and the exponential is set to 1.  For all other numbers y is below ∞, so softmax has no kink there.
    weights = [exp(y if isinstance(y := x - out, float) and y < inf else where(y < inf, y, where(x <= inf, 0, nan))) for x in v]
    whole = total(weights)
    return [weight / whole for weight in weights]


# The table.  A partial derivative may use the operation's own result, `out`.

# fmt: off
cos:     Unary       # rows that are used before they are defined
cosh:    Unary
log:     Unary
floor:   Unary
ceil:    Unary
where:   Nary

positive      = Unary ("positive", operator.pos, lambda x, out: 1,  infix="+", array="positive")
negative      = Unary ("negative", operator.neg, lambda x, out: -1, infix="-", array="negative")
add           = Binary("add",      operator.add, lambda x, y, out: 1, lambda x, y, out: 1,  infix="+", array="add")
subtract      = Binary("subtract", operator.sub, lambda x, y, out: 1, lambda x, y, out: -1, infix="-", array="subtract")
multiply      = Binary("multiply", operator.mul, lambda x, y, out: y, lambda x, y, out: x,  infix="*", array="multiply")
divide        = Binary("divide",   operator.truediv, lambda x, y, out: 1 / y, lambda x, y, out: -out / y, infix="/",
                       array="divide", latex=r"\frac{{{0}}}{{{1}}}", domain="y ≠ 0")
power         = Binary("power",    math.pow, _power_x, lambda x, y, out: out * log(where(x > 0, x, where(x < 0, nan, 1))),
                       infix="**", latex="{0}^{{{1}}}", array="power",
                       domain="a whole y, or x > 0, or x = 0 with y ≥ 0",
                       overflow=lambda x, y: -inf if x < 0 and y % 2 == 1 else inf,
                       singular={(0.0, 0.5): (inf, 0.0),     # like √x
                                 (0.0, 0.0): (0.0, 0.0),     # x⁰ is 1 everywhere, 0ʸ is 0 for y > 0
                                 (0.0, 2.0): (0.0, 0.0)})
square        = Unary ("square", lambda x: x * x, lambda x, out: 2 * x, text="{0}²", latex="{0}^{{2}}", array="square")
sqrt          = Unary ("sqrt",  math.sqrt,  lambda x, out: _over(0.5, out), text="√{0}", latex=r"\sqrt{{{0}}}",
                       array="sqrt", domain="x ≥ 0", singular={(0.0,): (inf,)})     # the tangent of √x at 0 is vertical
cbrt          = Unary ("cbrt",  math.cbrt,  lambda x, out: _over(abs(out) / 3, abs(x)), text="∛{0}", latex=r"\sqrt[3]{{{0}}}",
                       array="cbrt", singular={(0.0,): (inf,)})
hypot         = Binary("hypot", math.hypot, lambda x, y, out: where(out <= 0, 0, x) / where(out <= 0, 1, out),
                       lambda x, y, out: where(out <= 0, 0, y) / where(out <= 0, 1, out), array="hypot",
                       kink=lambda x, y: abs(x) + abs(y), singular={(0.0, 0.0): (0.0, 0.0)})  # between its slopes, as for |x|

exp           = Unary ("exp",   math.exp,   lambda x, out: out,          latex="e^{{{0}}}", array="exp", overflow=lambda x: inf)
exp2          = Unary ("exp2",  math.exp2,  lambda x, out: out * LOG_2, text="2^{0}", latex="2^{{{0}}}", array="exp2",
                       overflow=lambda x: inf)
expm1         = Unary ("expm1", math.expm1, lambda x, out: exp(x),        array="expm1",   # out + 1 would lose eˣ near -1
                       overflow=lambda x: inf)
log           = Unary ("log",   math.log,   lambda x, out: 1 / x,         latex=r"\ln({0})", array="log", domain="x > 0")
log2          = Unary ("log2",  math.log2,  lambda x, out: 1 / (x * LOG_2), latex=r"\log_2({0})", array="log2", domain="x > 0")
log10         = Unary ("log10", math.log10, lambda x, out: 1 / (x * LOG_10), latex=r"\log_{{10}}({0})", array="log10",
                       domain="x > 0")
log1p         = Unary ("log1p", math.log1p, lambda x, out: 1 / (1 + x),   array="log1p", domain="x > -1")

sin           = Unary ("sin",   math.sin,   lambda x, out: cos(x),        latex=r"\sin({0})", array="sin", domain="a finite x")
cos           = Unary ("cos",   math.cos,   lambda x, out: -sin(x),       latex=r"\cos({0})", array="cos", domain="a finite x")
tan           = Unary ("tan",   math.tan,   lambda x, out: 1 + out * out, latex=r"\tan({0})", array="tan", domain="a finite x")
arcsin        = Unary ("arcsin", math.asin, lambda x, out: _over(1, sqrt((1 - x) * (1 + x))),  latex=r"\arcsin({0})",
                       array="arcsin", domain="-1 ≤ x ≤ 1", singular={(1.0,): (inf,), (-1.0,): (inf,)})
arccos        = Unary ("arccos", math.acos, lambda x, out: -_over(1, sqrt((1 - x) * (1 + x))), latex=r"\arccos({0})",
                       array="arccos", domain="-1 ≤ x ≤ 1", singular={(1.0,): (-inf,), (-1.0,): (-inf,)})
arctan        = Unary ("arctan", math.atan, lambda x, out: 1 / (1 + x * x), latex=r"\arctan({0})", array="arctan")
# The angle of a point, its ordinate first, as in NumPy.  Neither the angle nor its slopes have a limit at (0, 0).
arctan2       = Binary("arctan2", math.atan2, lambda x, y, out: _over_square(y, hypot(x, y)),
                       lambda x, y, out: _over_square(-x, hypot(x, y)), array="arctan2", singular={(0.0, 0.0): (nan, nan)},
                       kink=lambda x, y: hypot(x, y) + y)     # the angle jumps where x is 0 and y negative

sinh          = Unary ("sinh",  math.sinh,  lambda x, out: cosh(x),       latex=r"\sinh({0})", array="sinh",
                       overflow=lambda x: math.copysign(inf, x))
cosh          = Unary ("cosh",  math.cosh,  lambda x, out: sinh(x), latex=r"\cosh({0})", array="cosh", overflow=lambda x: inf)
tanh          = Unary ("tanh",  math.tanh,  lambda x, out: 1 - out * out, latex=r"\tanh({0})", array="tanh")
arcsinh       = Unary ("arcsinh", math.asinh, lambda x, out: 1 / hypot(x, 1), array="arcsinh")
arccosh       = Unary ("arccosh", math.acosh, lambda x, out: _over(1, sqrt(x - 1) * sqrt(x + 1)), array="arccosh",
                       domain="x ≥ 1", singular={(1.0,): (inf,)})
arctanh       = Unary ("arctanh", math.atanh, lambda x, out: 1 / ((1 - x) * (1 + x)), array="arctanh", domain="-1 < x < 1")
erf           = Unary ("erf",   math.erf,   lambda x, out: ERF_0 * exp(-x * x), array=arithmetic.special("erf"))

# Operations with a kink or a jump.  Each row states its slope there, such as relu′(0) = 0; NaN stays NaN.
sign          = Unary ("sign", lambda x: where(x > 0, 1, where(x < 0, -1, 0 * x)), lambda x, out: 0, array="sign",
                       kink=lambda x: x, singular={(0.0,): (0.0,)})
absolute      = Unary ("absolute", abs, lambda x, out: sign(x), text="|{0}|", latex=r"\left|{0}\right|", array="absolute",
                       kink=lambda x: x, singular={(0.0,): (0.0,)})           # sign(0) is 0, between the slopes -1 and 1
step          = replace(sign, name="step", function=lambda x: where(x >= 0, 1, where(x < 0, 0, x)),
                       text="[{0} ≥ 0]", latex=r"\mathbb{{1}}[{0} \geq 0]",
                       array=lambda namespace: lambda x, **out: namespace.heaviside(x, 1.0, **out))
gate          = replace(sign, name="gate", function=lambda x: where(x > 0, 1, where(x <= 0, 0, x)),
                       text="[{0} > 0]", latex=r"\mathbb{{1}}[{0} > 0]",
                       array=lambda namespace: lambda x, **out: namespace.heaviside(x, 0.0, **out))
relu          = Unary ("relu", lambda x: where(x > 0, x, where(x <= 0, 0, x)), lambda x, out: gate(x),
                       array=lambda namespace: lambda x, **out: namespace.maximum(x, 0.0, **out),
                       kink=lambda x: x, singular={(0.0,): (0.0,)})
maximum       = Binary("maximum", lambda x, y: where(x > y, x, where(x <= y, y, x + y)),
                       lambda x, y, out: where(x > y, 1, where(x <= y, 0, out)),
                       lambda x, y, out: where(x > y, 0, where(x <= y, 1, out)), array="maximum", folds=True,
                       kink=operator.sub, singular={(1.5, 1.5): (0.0, 1.0)})   # a tie goes to y: maximum(x, 0) is relu
minimum       = Binary("minimum", lambda x, y: where(x < y, x, where(x >= y, y, x + y)),
                       lambda x, y, out: where(x < y, 1, where(x >= y, 0, out)),
                       lambda x, y, out: where(x < y, 0, where(x >= y, 1, out)), array="minimum", folds=True,
                       kink=operator.sub, singular={(1.5, 1.5): (0.0, 1.0)})   # a tie goes to y
prelu         = Binary("prelu", lambda x, y: where(x > 0, x, y * x),
                       lambda x, y, out: where(x > 0, 1, where(x <= 0, y, x)), lambda x, y, out: minimum(x, 0),
                       kink=lambda x, y: x, singular={(0.0, 0.25): (0.25, 0.0)})
leaky_relu    = replace(prelu, name="leaky_relu", default=0.01)               # the same row with a slope that is not learned
# Operations that jump: the kink is the distance to the next whole number, or to the next multiple of y.
floor         = Unary ("floor", lambda x: where(abs(x) < inf, x // 1, x), lambda x, out: 0, text="⌊{0}⌋",
                       latex=r"\left\lfloor {0} \right\rfloor", array="floor",
                       kink=lambda x: minimum(x - floor(x), ceil(x) - x), singular={(2.0,): (0.0,)})
ceil          = Unary ("ceil",  lambda x: -floor(-x), lambda x, out: 0, text="⌈{0}⌉", latex=r"\left\lceil {0} \right\rceil",
                       array="ceil", kink=floor.kink, singular=floor.singular)
floor_divide  = Binary("floor_divide", operator.floordiv, lambda x, y, out: 0, lambda x, y, out: 0, infix="//",
                       latex=r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor", array="floor_divide", domain="y ≠ 0",
                       kink=lambda x, y: minimum(abs(x % y), abs(y - x % y)), singular={(4.0, 2.0): (0.0, 0.0)})
remainder     = Binary("remainder", operator.mod, lambda x, y, out: 1, lambda x, y, out: -(x // y), infix="%",
                       array="remainder", domain="y ≠ 0", kink=floor_divide.kink, singular={(4.0, 2.0): (1.0, -2.0)})
less          = Binary("less", operator.lt, lambda x, y, out: 0, lambda x, y, out: 0, infix="<", array="less",
                       kink=operator.sub)
less_equal    = replace(less, name="less_equal",    function=operator.le, infix="<=", array="less_equal")
greater       = replace(less, name="greater",       function=operator.gt, infix=">",  array="greater")
greater_equal = replace(less, name="greater_equal", function=operator.ge, infix=">=", array="greater_equal")

# σ and softplus compute only exp(-|x|), so they never overflow.
sigmoid       = Unary ("sigmoid",  lambda x: where(x >= 0, 1, exp(-abs(x))) / (1 + exp(-abs(x))),
                       lambda x, out: out * (1 - out), text="σ({0})", latex=r"\sigma({0})",
                       unguarded=lambda x: 1 / (1 + exp(-x)))
softplus      = Unary ("softplus", lambda x: maximum(x, 0) + log1p(exp(-abs(x))), lambda x, out: sigmoid(x))

# Operations on many operands.  The slope of `where` with respect to a branch is 1 if the branch is chosen, else 0; but it is
# `NOT_COMPUTED` if the other branch is chosen, and is a function that was not called.
where         = Nary  ("where", lambda condition, a, b: a if condition else b,
                       lambda v, out: (0, where(v[0], 1, arithmetic.other(v[2])), where(v[0], arithmetic.other(v[1]), 1)),
                       arithmetic.branches, picks=lambda condition: 1 if condition else 2,
                       array="where", code="({1} if {0} else {2})",
                       latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}")
total         = Nary  ("total", arithmetic.left_to_right, lambda v, out: (1.0,) * len(v), arithmetic.items,
                       expands=True, fold="add")
prod          = Nary  ("prod", arithmetic.product, _product_of_others, arithmetic.items, fold="multiply")
# The net input Σ wᵢxᵢ + b of a neuron as one node, so that its gradient is the δ of the textbooks.
dot           = Nary  ("dot", arithmetic.weighted_sum,
                       lambda v, out: (*v[len(v) // 2 : len(v) // 2 * 2], *v[: len(v) // 2], 1.0)[: len(v)],
                       arithmetic.weights_and_inputs, expands=True)
logsumexp     = Nary  ("logsumexp", arithmetic.log_sum_exp, _softmax, arithmetic.at_least_one, fold="logaddexp")
# fmt: on

TABLE.update({row.name: row for row in list(globals().values()) if isinstance(row, Primitive)})


def method(row: Primitive) -> Callable[..., Any]:
    """Make the method that applies a row to ``self`` and further operands."""

    def applied(self: Any, *others: Any) -> Any:
        return row(self, *others)

    applied.__qualname__, applied.__doc__ = row.name, f"Apply the operation; see ``help(autograd.{row.name})``."
    return applied


def _operators(row: Binary) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Make the methods for ``self + other`` and ``other + self``; on NotImplemented, Python tries the other operand."""
    return lambda self, y: self.__primitive__(row, (self, y)), lambda self, x: self.__primitive__(row, (x, self))


class Operand:
    """A base class whose operators apply their rows; ``__primitive__`` of a subclass defines what applying a row means."""

    __slots__ = ()

    # fmt: off
    __add__, __radd__           = _operators(add)
    __sub__, __rsub__           = _operators(subtract)
    __mul__, __rmul__           = _operators(multiply)
    __truediv__, __rtruediv__   = _operators(divide)
    __floordiv__, __rfloordiv__ = _operators(floor_divide)
    __mod__, __rmod__           = _operators(remainder)
    __divmod__, __rdivmod__     = lambda self, y: (self // y, self % y), lambda self, x: (x // self, x % self)
    __pow__, __rpow__           = _operators(power)
    __neg__, __pos__, __abs__, __floor__, __ceil__ = map(method, (negative, positive, absolute, floor, ceil))
    __lt__, __le__, __gt__, __ge__ = (_operators(row)[0] for row in (less, less_equal, greater, greater_equal))
    # fmt: on

    def __eq__(self, other: object) -> bool:
        raise TypeError(f"{self!r} == {other!r} compares objects, not numbers; for a condition use <, <=, > or >=")

    def __copy__(self, memo: Any = None) -> Self:
        return self  # it never changes, and a copy would not be connected to the variables

    abs, __ne__, __hash__, __deepcopy__, conjugate = __abs__, __eq__, object.__hash__, __copy__, __copy__

    def __getattr__(self, name: str) -> Any:
        if name in TABLE:
            return functools.partial(TABLE[name], self)  # x.tanh() is tanh(x)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
