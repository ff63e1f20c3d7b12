"""Expressions such as ``tanh(w*x + b)**2``, read from text and never run as Python.

`grammar.py` reads the text; only what the table of derivatives knows is allowed in it: numbers, names, operators that have a
row, and rows called by name.  The result is in postfix notation, operands before their operation, so that evaluation is a loop
with a stack.  Every operation is a row: on numbers it returns a number, on `Value`s a graph.

>>> f = parse("tanh(w*x + b)**2")
>>> f.names
('w', 'x', 'b')
>>> print(f"{f(0.5, 2.0, -0.4):.5f}")
0.28842

All numbers are floats, so no number can exhaust the memory:

>>> parse("9**9**9")()
inf
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.grammar import ExpressionError, Reader, Term, excerpt
from autograd.primitives import DomainError, Primitive
from autograd.tokens import CONSTANTS, FUNCTIONS, LONGEST, MEANT
from autograd.value import Value

__all__ = ["CONSTANTS", "FUNCTIONS", "LONGEST", "MEANT", "Expression", "ExpressionError", "parse"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula in some variables; called with a number or `Value` for each of them, it returns its value.

    Attributes:
        text: the formula as it was typed.
        code: the formula as Python writes it; only a condition in brackets, [x > 0], is not Python.
        names: its variables in the order of their first occurrence, which is the order of a call's arguments.
        terms: the formula in postfix notation.

    >>> from autograd.value import Value
    >>> f = parse("w*x + 1")
    >>> f(3.0, 2.0), f(Value(3.0), 2.0)
    (7.0, Value(data=7.0, grad=0.0))
    """

    text: str
    code: str
    names: tuple[str, ...]
    terms: tuple[Term, ...]

    def __call__(self, *arguments: Any) -> Any:
        """Evaluate the expression at one argument for each of `names`, in that order; see `evaluate`."""
        if len(arguments) != len(self.names):
            names = ", ".join(self.names) or "none"
            raise TypeError(f"{self.text} needs one argument for each variable ({names}); it got {len(arguments)}")
        return self.evaluate(dict(zip(self.names, arguments, strict=True)))

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Evaluate the expression.

        Args:
            values: for each variable a number or a `Value`; further entries are ignored.

        Returns:
            A float, or a node of a graph if a `Value` takes part.

        Raises:
            ExpressionError: if a variable has no value, or an operation is undefined at its operands, such as ``log(-1)``.

        >>> parse("x / y").evaluate({"x": 3.0, "y": 2.0})
        1.5
        """
        stack: list[tuple[Any, Term]] = []  # values, each with the term that it comes from
        for term in self.terms:
            first = len(stack) - term.arity
            operands, stack[first:] = stack[first:], []
            match term.meaning:
                case float() as value:
                    pass
                case str() as name:
                    if name not in values:
                        raise self.refuse(f"{name} has no value; give it one, as in {name}=0.5", term)
                    value = values[name]
                case row:
                    try:
                        value = row.apply([operand for operand, _ in operands])
                    except (ArithmeticError, ValueError) as error:  # a `DomainError`, or what a rule raises
                        raise self.refuse(self._undefined(row, operands, error), term) from None
            stack.append((float(value) if isinstance(value, bool) else value, term))  # a comparison of numbers is a bool
        [(result, _)] = stack
        return result

    def _undefined(self, row: Primitive, operands: Sequence[tuple[Any, Term]], error: Exception) -> str:
        """Return why a row is undefined at its operands, and which of them are at fault, as the text has them."""
        numbers = [x.data if isinstance(x, Value) else x for x, _ in operands]
        if not all(isinstance(x, float | int) for x in numbers):
            return str(error)  # operands of another type, such as dual numbers
        try:
            row.evaluate(numbers)
        except DomainError as plain:  # it names no nodes: the operands are named as in the text
            problem = str(plain).rstrip(".")
        else:
            return str(error)  # a rule is undefined, not the row
        letters = re.findall(r"\b[xy]\b", row.domain)
        named = []
        for letter, number, (_, term) in zip("xy" if letters else "?" * len(numbers), numbers, operands, strict=False):
            if letter in letters or not letters:
                shown = excerpt(self.text[term.start : term.end])
                named.append(shown if isinstance(term.meaning, float) or shown == f"{number:g}" else f"{shown} = {number!r}")
        fault = f"operand at fault is {named[0]}" if len(named) == 1 else f"operands are {' and '.join(named)}"
        return f"{problem}. The {fault}. Choose other numbers, or guard the operand with maximum or where"

    def refuse(self, problem: str, term: Term) -> ExpressionError:
        """Return the error that names a part of the text and what is wrong with it."""
        return ExpressionError.at(problem, self.text, term.start, term.end)


def parse(
    text: str,
    functions: Mapping[str, Primitive] = FUNCTIONS,
    names: Iterable[str] | None = None,
    constants: Mapping[str, float] = {},
) -> Expression:
    """Read an expression.

    Args:
        text: at most `LONGEST` characters: numbers, names, constants such as pi, operators such as ``+ - * / **``, single
            comparisons, parentheses, and rows called by name, some with lists, as in ``dot([u, v], [x, y], b)``.  All of it may
            be written as in books, such as ``2x²`` or ``|x|``; `grammar.py` has the details.
        functions: the rows, by the names that call them.
        names: the variables that it may contain, if there are only some.
        constants: further numbers with a name.

    Raises:
        ExpressionError: for anything else.

    >>> parse("__import__('os')")
    Traceback (most recent call last):
    autograd.grammar.ExpressionError: column 1, `__import__('os')`: there is no function __import__

    >>> parse("2x² − √y·tanh²(w₁·x)").code
    '2*x**2 - sqrt(y)*(tanh(w1*x)**2)'
    """
    reader = Reader(text, functions, names, constants)
    variables = dict.fromkeys(term.meaning for term in reader.terms if isinstance(term.meaning, str))
    return Expression(text, reader.code, tuple(variables), tuple(reader.terms))
