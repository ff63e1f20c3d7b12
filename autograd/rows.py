"""A row of the table: what an operation is.

A row holds an operation's function, its partial derivatives, and the facts that cannot be derived from these, such as its
domain.  The operands decide what applying a row means: `Primitive.apply` looks for one whose type defines ``__primitive__``,
and calls that method.  If there is none, arrays are computed in their own namespace, and everything else as floats.

>>> from autograd import sigmoid
>>> swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
>>> swish(0.0), swish(2.0)
(0.0, 1.7615941559557646)

The result of a row's function or rule is checked at every call: a real number becomes a float; anything else is refused.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from autograd.arithmetic import items
from autograd.reals import number, real
from autograd.threads import call_with
from autograd.wellformed import require_functions, require_texts

__all__ = ["IN_RULE", "TABLE", "Binary", "DomainError", "Nary", "Primitive", "Unary"]

Point = tuple[float, ...]
IN_RULE: Final = ContextVar("IN_RULE", default=False)  # whether a rule is running; there == is refused
TABLE: Final[dict[str, Primitive]] = {}  # the rows of `autograd.primitives` by name; users' rows are not in it
X = TypeVar("X")  # the type of an operand


class DomainError(ValueError, ZeroDivisionError):
    """An operation, or one of its rules, is undefined at its operands, for example ``log(-2)`` or ``1 / 0``."""


@dataclass(frozen=True, eq=False, repr=False)
class Primitive:
    """One row of the table; calling it applies the operation.

    Args:
        name: NumPy's name for the operation, where it has one.
        function: computes the value from floats, one per operand.  It may raise `ValueError` or `ZeroDivisionError` outside
            its domain, and `OverflowError` where the value is too large.
        infix: the operator, for operations written between or before their operands.
        text, latex, code: templates for people, for LaTeX and for Python source, with ``{0}``, ``{1}``, … for the operands;
            by default the infix sign, or ``name({0}, {1})``.
        domain: where the function is defined, for error messages.
        overflow: computes the value, ±∞, from the operands where the function raises `OverflowError`; without it an overflow
            is an error.
        kink: a function of the operands that is zero where the derivative or the value jumps.
        singular: the partial derivatives at points where they are a limit or a convention.
        array: the same function on arrays: its name in an array namespace, or a function that returns it, given the
            namespace; empty where `function` itself works on arrays.
        unguarded: the same function without its guard against overflow, for compiled programs, where overflow gives ±∞.
        default: the value of the last operand where it is omitted.
        folds: whether the row also takes more operands, combining them from left to right.
        javascript: the function in JavaScript, such as ``(x) => Math.sin(x)``, for pages that compute; needed only where
            `function` takes only numbers and is not one of the functions of `math`.
    """

    name: str
    function: Callable[..., Any]
    _: KW_ONLY
    infix: str = ""
    text: str = ""
    latex: str = ""
    code: str = ""
    domain: str = ""
    overflow: Callable[..., float] | None = None
    kink: Callable[..., Any] | None = None
    singular: Mapping[Point, Point] = field(default_factory=dict)
    array: str | Callable[[Any], Callable[..., Any]] = ""
    unguarded: Callable[..., Any] | None = None
    default: float | None = None
    folds: bool = False
    javascript: str = ""
    arity: ClassVar[int] = 0

    @functools.cached_property
    def is_condition(self) -> bool:
        """Whether the result is a truth value: a comparison."""
        return self.infix.startswith(("<", ">"))

    @functools.cached_property
    def is_choice(self) -> bool:
        """Whether the result is one of the operands, picked by the value of the first."""
        return getattr(self, "picks", None) is not None

    @property
    def is_in_table(self) -> bool:
        """Whether the row belongs to the table; a user's row does not, even if it has the same name."""
        return TABLE.get(self.name) is self

    def __post_init__(self) -> None:
        require_texts(self)
        require_functions(self)
        object.__setattr__(self, "__signature__", self._signature())  # read by help(), editors and `gradcheck`

    def __call__(self, *arguments: Any) -> Any:
        """Apply the row to its operands."""
        return self.apply(arguments if len(arguments) == self.arity else self.operands_from(arguments))

    @property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The functions that compute the partial derivatives from the operands and the result, by name."""
        raise TypeError(f"a row is Unary, Binary or Nary; {self.name} is none of them")

    @property
    def usage(self) -> str:
        """How the row is called, such as ``dot(weights, inputs, bias=None)``."""
        parameters = inspect.signature(self).parameters.values()
        return f"{self.name}({', '.join(str(p.replace(annotation=p.empty)) for p in parameters)})"

    def _signature(self) -> inspect.Signature:
        parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in "xy"[: self.arity]]
        if self.default is not None:
            parameters[-1] = parameters[-1].replace(default=self.default)
        if self.folds:
            parameters.append(inspect.Parameter("more", inspect.Parameter.VAR_POSITIONAL))
        return inspect.Signature(parameters)

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Turn the arguments of a call into operands.

        Raises:
            TypeError: if the row cannot be called this way; the message shows how to call it.

        >>> from autograd import dot, leaky_relu
        >>> dot.operands_from([[1.0, 2.0], [3.0, 4.0]]), leaky_relu.operands_from([5.0])
        ((1.0, 2.0, 3.0, 4.0), (5.0, 0.01))
        """
        if self.default is not None and len(arguments) == self.arity - 1:
            return (*arguments, self.default)
        if self.folds and len(arguments) > self.arity:
            return functools.reduce(self, arguments[:-1]), arguments[-1]
        if len(arguments) != self.arity:
            raise self._misuse(arguments)
        return arguments

    def _misuse(self, arguments: Sequence[Any]) -> TypeError:
        kinds = ", ".join(type(x).__name__ for x in arguments)
        return TypeError(f"{self.name} is called as {self.usage}; got {self.name}({kinds})")

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return ∂out/∂operand for the operands whose indices are in `which`.

        The operands may be floats, nodes, symbols or arrays; the partial derivatives are numbers or of the same kind.

        Raises:
            DomainError: where a rule is undefined, naming the row, the rule and the operands.
            TypeError: if a rule returns anything but a number.

        >>> from autograd import divide
        >>> divide.partials([6.0, 2.0], 3.0, which=[0, 1])
        [0.5, -1.5]
        """
        rules = [*self.rules.items()]
        return [self._returned(rules[i][0], self._call(*rules[i], operands, *operands, out), operands) for i in which]

    def _call(self, part: str, function: Callable[..., Any], operands: Sequence[Any], *arguments: Any) -> Any:
        try:
            return call_with(IN_RULE, True, function, *arguments)
        except (ArithmeticError, ValueError) as error:
            at = self._spell_at(operands)
            raise DomainError(f"the {part} of the row {self.name!r} raised {type(error).__name__} at {at}: {error}") from error
        except Exception as error:
            error.add_note(f"in the {part} of the row {self.name!r} at {self._spell_at(operands)}")
            raise

    def _returned(self, part: str, x: Any, operands: Sequence[Any]) -> Any:
        """Return a part's result as a float; unless all operands are numbers, a node, symbol or array is returned unchanged."""
        if x.__class__ is float:
            return x
        is_symbolic = hasattr(x, "__primitive__") or getattr(x, "shape", ()) != ()
        if is_symbolic and not all(isinstance(operand, float | int) for operand in operands):
            return x
        try:
            return real(x)
        except (TypeError, ValueError, OverflowError):
            raise TypeError(f"the {part} of the row {self.name!r} returned {x!r}; it must return a number") from None

    def evaluate(self, operands: Sequence[float]) -> float:
        """Return the value at plain floats; overflow gives ±∞, NaN stays NaN.

        Raises:
            DomainError: where the operation is undefined, or overflows and the row has no `overflow`.
            TypeError: if the function returns anything but a real number.

        >>> from autograd import exp, log
        >>> exp.evaluate([1000.0])
        inf
        >>> log.evaluate([-2.0])
        Traceback (most recent call last):
        autograd.rows.DomainError: log(-2.0) is undefined: log needs x > 0
        """
        try:
            out = self.function(*operands)
        except OverflowError as error:
            if self.overflow is not None:
                return float(self._returned("overflow", self._call("overflow", self.overflow, operands, *operands), operands))
            advice = "give the row overflow=…, a function of the operands that returns ±inf"
            raise DomainError(f"{self._spell_at(operands)} overflows; {advice}") from error
        except (ValueError, ZeroDivisionError) as error:
            needs = f"{self.name} needs {self.domain}" if self.domain else error
            raise DomainError(f"{self._spell_at(operands)} is undefined: {needs}") from None
        except Exception as error:
            error.add_note(f"in the function of the row {self.name!r} at {self._spell_at(operands)}")
            raise
        out = self._returned("function", out, operands)
        return bool(out) if self.is_condition else out

    def spell(self, operands: Sequence[str]) -> str:
        """Write the operation in Python, applied to operands that are already text.

        >>> from autograd import divide, power, tanh
        >>> divide.spell(["1", "x"]), tanh.spell(["x"]), power.spell(["-2", "x"])
        ('1 / x', 'tanh(x)', '(-2) ** x')
        """
        if self.infix:
            first, *rest = (f"({x})" if x.startswith("-") else x for x in operands)
            return f"{first} {self.infix} {rest[0]}" if rest else f"{self.infix}{first}"
        return f"{self.name}({', '.join(operands)})"

    def _spell_at(self, operands: Sequence[Any]) -> str:
        return self.spell([*map(repr, operands)])

    def apply(self, operands: Sequence[Any]) -> Any:
        """Apply the row through the ``__primitive__`` of an operand if one has it, else to arrays, else to numbers."""
        arrays, are_floats = [], True
        for x in operands:
            if x.__class__ is float:
                continue
            are_floats = False
            if x.__class__ is int:
                continue
            handler = getattr(type(x), "__primitive__", None)
            if handler is not None and (result := handler(x, self, operands)) is not NotImplemented:
                return result
            if getattr(x, "shape", ()) != () and hasattr(x, "__array_namespace__"):
                arrays.append(x)
        if are_floats:  # in most calls, since rules make them; measured: this saves 60 % of tanh(0.5) and 40 % of x**3
            return self.evaluate(operands)
        if arrays:
            return self._apply_to_arrays(arrays, operands)
        data = [number(operand) for operand in operands]
        if NotImplemented in data:
            kinds = ", ".join(type(operand).__name__ for operand in operands)
            raise TypeError(f"{self.name} cannot be applied to operands of types {kinds}; pass real numbers or Values")
        return self.evaluate(data)

    def _apply_to_arrays(self, arrays: Sequence[Any], operands: Sequence[Any]) -> Any:
        """Apply the row in the namespace of the arrays among its operands."""
        namespace = arrays[0].__array_namespace__()
        kinds = {array.dtype.kind for array in arrays}
        if "O" in kinds:  # an array of nodes: element by element
            return namespace.frompyfunc(lambda *entries: self.apply(entries), len(operands), 1)(*operands)
        if not kinds.isdisjoint("biu") and not self.is_choice:
            dtype = namespace.result_type(*arrays, 1.0)  # integers overflow, and True + True is True
            operands = [x.astype(dtype) if getattr(getattr(x, "dtype", None), "kind", "?") in "biu" else x for x in operands]
        out = (self.array_function(namespace) or self.function)(*operands)
        kind = getattr(getattr(out, "dtype", None), "kind", "")
        if kind in "OUScmM" if kind else not isinstance(out, Real):
            raise TypeError(f"the function of the row {self.name!r} returned {out!r} on arrays; it must return numbers")
        return out

    def array_function(self, namespace: Any) -> Callable[..., Any] | None:
        """Return the row's function in an array namespace, or None where `function` itself works on arrays.

        Raises:
            TypeError: if the namespace has no function of this name.
            ModuleNotFoundError: if the function is in a package that is not installed.
        """
        if callable(self.array):
            return self.array(namespace)
        if self.array and not hasattr(namespace, self.array):
            raise TypeError(f"{self!r} is {self.array!r} on arrays, but {namespace.__name__} has no function of this name")
        return getattr(namespace, self.array) if self.array else None

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # IPython and Hypothesis would print every column

    def __copy__(self, memo: Any = None) -> Self:
        return self

    __deepcopy__ = __copy__

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_in_table:
            raise TypeError(f"the primitive {self.name!r} is not in autograd's table, so it cannot be pickled")
        return _row_of_table, (self.name,)


@dataclass(frozen=True, eq=False, repr=False)
class Unary(Primitive):
    """A row ``f(x)`` with its derivative ``partial(x, out)``."""

    partial: Callable[[Any, Any], Any]
    arity: ClassVar[int] = 1

    if TYPE_CHECKING:  # for editors: tanh of a node is a node, and of something unknown it is unknown

        def __call__(self, x: X = ..., /) -> X: ...

    @functools.cached_property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The rule for x."""
        return {f"rule ∂{self.name}/∂x": self.partial}


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Primitive):
    """A row ``f(x, y)`` with ``partial_x(x, y, out)`` and ``partial_y(x, y, out)``."""

    partial_x: Callable[[Any, Any, Any], Any]
    partial_y: Callable[[Any, Any, Any], Any]
    arity: ClassVar[int] = 2

    @functools.cached_property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The rule for x and the rule for y."""
        return {f"rule ∂{self.name}/∂x": self.partial_x, f"rule ∂{self.name}/∂y": self.partial_y}


@dataclass(frozen=True, eq=False, repr=False)
class Nary(Primitive):
    """A row of any number of operands, with ``gradient(operands, out)`` for all partial derivatives at once.

    Args:
        gradient: computes the partial derivatives, one per operand, from the sequence of operands and the result.
        operands_of: turns the arguments of a call into the flat tuple of operands.
        expands: whether formulas show what the function computes, instead of a call.
        picks: computes, from the value of the first operand, the index of the operand that is the result.
        fold: the name of a function of two arrays that gives the result when it combines all operands, in any order.

    >>> from autograd import sqrt
    >>> norm = Nary("norm", lambda *v: sqrt(sum(x * x for x in v)), lambda v, out: [x / out for x in v], lambda v: v)
    >>> norm([3.0, 4.0])
    5.0
    """

    gradient: Callable[[Sequence[Any], Any], Sequence[Any]]
    operands_of: Callable[..., Sequence[Any]]
    _: KW_ONLY
    expands: bool = False
    picks: Callable[[Any], int] | None = None
    fold: str = ""

    @functools.cached_property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The one rule for all partial derivatives."""
        return {"gradient": self.gradient}

    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.operands_of)

    def __call__(self, *arguments: Any) -> Any:
        """Apply the row to the operands that the arguments contain."""
        return self.apply(self.operands_from(arguments))  # measured: counting the arguments first costs 2 % of a network's step

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the operands, flat."""
        try:
            operands = self.operands_of(*arguments)
            return operands if operands.__class__ is tuple else items(operands)
        except TypeError as error:
            try:
                inspect.signature(self).bind(*arguments)
            except TypeError:
                raise self._misuse(arguments) from None
            raise TypeError(f"{self._misuse(arguments)}: {error}") from error  # the call fits, an argument does not

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return the requested entries of the gradient; see `Primitive.partials`."""
        gradient, n = self._call("gradient", self.gradient, operands, operands, out), len(operands)
        is_list = isinstance(gradient, list | tuple) or getattr(gradient, "ndim", 0) == 1
        if not is_list or len(gradient) != n:
            raise TypeError(f"the gradient of the row {self.name!r} returned {gradient!r}; "
                            f"it must return one number for each operand; operands: {n}")  # fmt: skip
        return [self._returned("gradient", gradient[i], operands) for i in which]

    def array_function(self, namespace: Any) -> Callable[..., Any] | None:
        """Return the function on arrays: the fold, where the row has one, else as in `Primitive.array_function`."""
        if not self.fold:
            return super().array_function(namespace)
        fold = getattr(namespace, self.fold)
        return lambda *operands: functools.reduce(fold, operands)


def _row_of_table(name: str) -> Primitive:
    return TABLE[name]
