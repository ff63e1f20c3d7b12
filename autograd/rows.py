"""A row of the table: what an operation is.

A row holds an operation's function and its partial derivatives, and facts about it that no reading could find out for
itself.  It never asks what its operands are: `Primitive.apply` looks for an operand whose type has a ``__primitive__``
method, and that method says how the row is to be read; arrays are read in their own namespace, and the rest as floats.

>>> from autograd import sigmoid
>>> swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
>>> swish(0.0), swish(2.0)
(0.0, 1.7615941559557646)

Whatever a row's function or rule returns is checked at every call: a real number becomes a float, anything else is refused.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from numbers import Real
from typing import Any, ClassVar, Final, Self

__all__ = ["TABLE", "Binary", "DomainError", "Nary", "Primitive", "Unary", "number"]

Point = tuple[float, ...]
TABLE: Final[dict[str, Primitive]] = {}  # the rows of `autograd.primitives` by name; a user's row is in no table


class DomainError(ValueError, ZeroDivisionError):
    """An operation, or one of its rules, is undefined at its operands, for example ``log(-2)`` or ``1 / 0``."""


def number(x: Any) -> Any:
    """Return a plain number as a float, and NotImplemented for a type that may know better what to do.

    Takes int, bool, float, `fractions.Fraction` and NumPy scalars.

    Raises:
        TypeError: for text, None, complex numbers, sequences and arrays.
        OverflowError: for an int beyond the largest float.

    >>> number(3), number(True)
    (3.0, 1.0)
    """
    # Checking for the classes first is ten times faster than for Real: 10 % of a chain with constants such as 2.
    if x.__class__ is float or x.__class__ is int or isinstance(x, Real):
        return float(x)
    shape, kind = getattr(x, "shape", None), getattr(getattr(x, "dtype", None), "kind", "?")
    if shape == () and kind in "biuf":  # numpy.bool_, and what NumPy's own operators pass on
        return float(x)
    if kind == "O":  # an array of nodes
        return NotImplemented
    if shape is not None:
        raise TypeError(f"an array of shape {tuple(shape)} is not a scalar; apply the operation to its elements one by one")
    if x is None or isinstance(x, str | bytes | complex | list | tuple | dict | set):
        raise TypeError(f"{x!r} is a {type(x).__name__}; pass a real number (int, float) or a Value")
    return NotImplemented


def _returned(x: Any, part: str, operands: Sequence[Any]) -> Any:
    """Return what a part of a row gave: a number as a float; for formulas, nodes and arrays also one of these."""
    if x.__class__ is float:
        return x
    numbers = all(isinstance(operand, float | int) for operand in operands)
    if not numbers and (hasattr(x, "__primitive__") or getattr(x, "shape", ()) != ()):
        return x
    try:
        found = number(x)
    except (TypeError, ValueError, OverflowError):
        found = NotImplemented
    if found is NotImplemented:
        raise TypeError(f"{part} returned {x!r}; it must return a number")
    return found


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
        domain: where the function has a value, for the error message.
        overflow: the value, from the operands, where the function raises `OverflowError`; without it that is refused.
        kink: an expression in the operands that vanishes where the derivative jumps.
        singular: the partial derivatives chosen at points where a limit or a convention has to decide.
        array: the same function in an array namespace: its name there, or a function that finds it, given the namespace;
            empty where `function` itself serves arrays.
        unguarded: the same function without its guard against overflow, for compiled programs, where overflow is ±∞.
        default: the last operand, where it may be left out.
        folds: whether more operands may be given, which are taken from left to right.
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
    arity: ClassVar[int] = 0

    @functools.cached_property
    def is_condition(self) -> bool:
        """Whether the result is a truth value: a comparison."""
        return self.infix.startswith(("<", ">"))

    def __post_init__(self) -> None:
        _check_rules(self.name, self.function, ", ".join("xy"[: self.arity]), self.rules)
        if self.overflow is not None and not callable(self.overflow):
            raise TypeError(f"overflow of the row {self.name!r} must be a function of its operands; got {self.overflow!r}")
        object.__setattr__(self, "__signature__", self._signature())  # help(), editors and `gradcheck` look for it

    def __call__(self, *arguments: Any) -> Any:
        """Read the row on its operands."""
        if len(arguments) == self.arity:
            return self.apply(arguments)
        return functools.reduce(self, arguments) if self.folds and arguments[2:] else self.apply(self.operands_from(arguments))

    @property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The functions that give the partial derivatives, from the operands and the result, by what they are called."""
        raise TypeError(f"a row is Unary, Binary or Nary; {self.name} is none of them")

    @property
    def usage(self) -> str:
        """How the row is called, ``dot(weights, inputs, bias=None)``."""
        parameters = inspect.signature(self).parameters.values()
        return f"{self.name}({', '.join(str(p.replace(annotation=p.empty)) for p in parameters)})"

    def _signature(self) -> inspect.Signature:
        names, kind = "xy"[: self.arity], inspect.Parameter.POSITIONAL_OR_KEYWORD
        defaults = [
            inspect.Parameter.empty if self.default is None or i < self.arity - 1 else self.default for i in range(self.arity)
        ]
        found = [inspect.Parameter(name, kind, default=default) for name, default in zip(names, defaults, strict=True)]
        return inspect.Signature([*found, *[inspect.Parameter("more", inspect.Parameter.VAR_POSITIONAL)] * self.folds])

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the operands that the arguments of a call stand for.

        Raises:
            TypeError: if a row cannot be called this way; it says how it is called.

        >>> from autograd import dot, leaky_relu
        >>> dot.operands_from([[1.0, 2.0], [3.0, 4.0]]), leaky_relu.operands_from([5.0])
        ((1.0, 2.0, 3.0, 4.0), (5.0, 0.01))
        """
        operands = (*arguments, *[self.default] * (self.default is not None))[: max(self.arity, len(arguments))]
        if len(operands) != self.arity or any(isinstance(x, list) for x in operands):
            raise self.misuse(arguments)
        return operands

    def misuse(self, arguments: Sequence[Any]) -> TypeError:
        """Return the error for a call with the wrong arguments."""
        kinds = ", ".join(type(x).__name__ for x in arguments)
        return TypeError(f"{self.name} is called as {self.usage}; got {self.name}({kinds})")

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return ∂out/∂operand for the operands whose indices are in `which`, in the operands' own type.

        Raises:
            DomainError: where a rule is undefined, with the row, the rule and the operands.
            TypeError: if a rule returns anything but a number.

        >>> from autograd import divide
        >>> divide.partials([6.0, 2.0], 3.0, which=[0, 1])
        [0.5, -1.5]
        """
        parts = [[*self.rules][i] for i in which]
        found = [(self._call(part, operands, *operands, out), f"the {part} of the row {self.name!r}") for part in parts]
        return [_returned(partial, part, operands) for partial, part in found]

    def _call(self, part: str, operands: Sequence[Any], *arguments: Any) -> Any:
        try:
            return self.rules[part](*arguments)
        except (ArithmeticError, ValueError) as error:
            at = self.spell([repr(x) for x in operands])
            raise DomainError(f"the {part} of the row {self.name!r} raised {type(error).__name__} at {at}: {error}") from error
        except Exception as error:
            error.add_note(f"in the {part} of the row {self.name!r}")
            raise

    def evaluate(self, operands: Sequence[float]) -> float:
        """Return the value at plain floats; overflow gives ±∞, NaN stays NaN.

        Raises:
            DomainError: where the operation has no value, or overflows and the row does not say with which sign.
            TypeError: if the function returns anything but a real number.

        >>> from autograd import exp, log
        >>> exp.evaluate([1000.0])
        inf
        >>> log.evaluate([-2.0])
        Traceback (most recent call last):
        autograd.rows.DomainError: log(-2.0) has no value: log needs x > 0
        """
        try:
            out = self.function(*operands)
        except OverflowError as error:
            if self.overflow is not None:
                return float(_returned(self.overflow(*operands), f"the overflow of the row {self.name!r}", operands))
            call = self.spell([repr(x) for x in operands])
            raise DomainError(
                f"{call} overflows; give the row overflow=…, a function of the operands that returns ±inf"
            ) from error
        except (ValueError, ZeroDivisionError) as error:
            call = self.spell([repr(x) for x in operands])
            needs = f"{self.name} needs {self.domain}" if self.domain else str(error)
            raise DomainError(f"{call} has no value: {needs}") from None
        except Exception as error:
            error.add_note(f"in {self.spell([repr(x) for x in operands])}, the function of the row {self.name!r}")
            raise
        out = _returned(out, f"the function of the row {self.name!r}", operands)
        return bool(out) if self.is_condition else out

    def spell(self, operands: Sequence[str]) -> str:
        """Write the operation on operands that are text already.

        >>> from autograd import divide, power, tanh
        >>> divide.spell(["1", "x"]), tanh.spell(["x"]), power.spell(["-2", "x"])
        ('1 / x', 'tanh(x)', '(-2) ** x')
        """
        if self.infix:
            first, *rest = (f"({x})" if x.startswith("-") else x for x in operands)
            return f"{first} {self.infix} {rest[0]}" if rest else f"{self.infix}{first}"
        return f"{self.name}({', '.join(operands)})"

    def apply(self, operands: Sequence[Any]) -> Any:
        """Read the row on `operands`: as one of them asks with ``__primitive__``, else on arrays, else on numbers."""
        for operand in operands:
            if operand.__class__ is not float:
                break
        else:  # most calls come from the rules of the table: 60 % off tanh(0.5), 40 % off x**3
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

    def array_function(self, namespace: Any) -> Callable[..., Any] | None:
        """Return the row's function in an array namespace; None where `function` itself serves arrays.

        Raises:
            TypeError: if the namespace has no function of this name.
            ModuleNotFoundError: if the function is in a package that is not installed.
        """
        if callable(self.array):
            return self.array(namespace)
        if self.array and not hasattr(namespace, self.array):
            raise TypeError(f"{self!r} is {self.array!r} on arrays, but {namespace.__name__} has no function of this name")
        return getattr(namespace, self.array) if self.array else None

    def on_arrays(self, namespace: Any, operands: Sequence[Any]) -> Any:
        """Return the value at arrays, element by element."""
        return (self.array_function(namespace) or self.function)(*operands)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # IPython and Hypothesis would print every column

    def __copy__(self, memo: Any = None) -> Self:
        return self

    __deepcopy__ = __copy__

    def __reduce__(self) -> tuple[Any, ...]:
        if TABLE.get(self.name) is not self:
            raise TypeError(f"the primitive {self.name!r} is not in autograd's table, so it cannot be pickled")
        return _row_of_table, (self.name,)


@dataclass(frozen=True, eq=False, repr=False)
class Unary(Primitive):
    """A row ``f(x)`` with its derivative ``partial(x, out)``."""

    partial: Callable[[Any, Any], Any]
    arity: ClassVar[int] = 1

    @functools.cached_property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The one rule."""
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
    """A row of any number of operands, with ``gradient(operands, out)``, all partial derivatives at once.

    `operands_of` turns the arguments of a call into the flat tuple of operands, `expands` says that a formula
    shows what its function does rather than a call, `picks` which operand the result is, by the value of the first, and
    `fold` names the function of two arrays that, taken from operand to operand in any order, gives the result.
    """

    gradient: Callable[[Sequence[Any], Any], Sequence[Any]]
    operands_of: Callable[..., Sequence[Any]]
    _: KW_ONLY
    expands: bool = False
    picks: Callable[[Any], int] | None = None
    fold: str = ""

    def __call__(self, *arguments: Any) -> Any:
        """Read the row on the operands that the arguments stand for."""
        operands = self.operands_from(arguments)
        read = getattr(operands[0], "__primitive__", None) if operands else None
        if read is not None:  # what `apply` would find, without the search: 5 % of a network's step
            result = read(self, operands)
            if result is not NotImplemented:
                return result
        return self.apply(operands)

    @functools.cached_property
    def rules(self) -> Mapping[str, Callable[..., Any]]:
        """The one rule for all partial derivatives."""
        return {"gradient": self.gradient}

    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.operands_of)

    def operands_from(self, arguments: Sequence[Any], /) -> Sequence[Any]:
        """Return the operands, flat."""
        try:
            return self.operands_of(*arguments)
        except TypeError:
            if self._takes(arguments):
                raise  # the fault is not in the call, as where a generator fails
            raise self.misuse(arguments) from None

    def _takes(self, arguments: Sequence[Any]) -> bool:
        signature = self._signature()
        try:
            given = signature.bind(*arguments).arguments
        except TypeError:
            return False
        lists = [x for name, x in given.items() if "Iterable" in str(signature.parameters[name].annotation)]
        return all(isinstance(x, Iterable) for x in lists)

    def partials(self, operands: Sequence[Any], out: Any, which: Sequence[int]) -> list[Any]:
        """Return the wanted entries of the gradient; see `Primitive.partials`."""
        gradient, part = self._call("gradient", operands, operands, out), f"the gradient of the row {self.name!r}"
        is_list = isinstance(gradient, list | tuple) or getattr(gradient, "ndim", 0) == 1
        if not is_list or len(gradient) != len(operands):
            raise TypeError(f"{part} returned {gradient!r}; it must return a number for each of the {len(operands)} operands")
        return [_returned(gradient[i], part, operands) for i in which]

    def on_arrays(self, namespace: Any, operands: Sequence[Any]) -> Any:
        """Return the value at arrays, element by element: a fold, where the row has one."""
        if self.fold:
            return functools.reduce(getattr(namespace, self.fold), operands)
        return super().on_arrays(namespace, operands)


def _row_of_table(name: str) -> Primitive:
    return TABLE[name]


def _check_rules(row: str, function: Any, operands: str, rules: Mapping[str, Callable[..., Any]]) -> None:
    """Raise if a part of a row is not a function, or does not take what it will be called with.

    Args:
        row: the row's name.
        function: its function, which takes the operands one by one.
        operands: their names: ``"x"``, ``"x, y"``, or none for a row that takes any number of them.
        rules: the functions for the partial derivatives, by name; each takes the operands and ``out``.

    >>> _check_rules("cube", lambda x: x**3, "x", {"rule ∂cube/∂x": lambda x: 3 * x * x})
    Traceback (most recent call last):
    TypeError: the rule ∂cube/∂x of the row 'cube' is called with (x, out), but it takes (x)
    """
    for part, rule in {"function": function, **rules}.items():
        words = (operands or "operands") + ", out" * (part != "function")
        if not callable(rule):
            raise TypeError(f"the {part} of the row {row!r} must be a function of ({words}); got {rule!r}")
        try:
            signature = inspect.signature(rule)
            signature.bind(*words.split(", "))
        except ValueError:  # not every function that is written in C says what it takes
            continue
        except TypeError:
            if operands or part != "function":
                raise TypeError(f"the {part} of the row {row!r} is called with ({words}), but it takes {signature}") from None
