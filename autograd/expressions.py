"""Expressions such as ``tanh(w*x + b)**2``, read from text and never run as Python.

Python's parser makes a tree of the text, and of that tree only what the table of derivatives knows is taken: numbers,
names, the operators whose sign a row bears, and rows called by name.  The tree is laid out at once in postfix notation,
operands before their operation; so to evaluate it is a loop with a stack, however deep it nests, and every operation is a
row: on numbers it gives a number, on `Value`s a graph.

>>> f = parse("tanh(w*x + b)**2")
>>> f.names
('w', 'x', 'b')
>>> print(f"{f(0.5, 2.0, -0.4):.5f}")
0.28842

All numbers are floats, so none grows to fill the memory:

>>> parse("9**9**9")()
inf
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, pi
from typing import Any, Final, NamedTuple

from autograd import primitives
from autograd.primitives import DomainError, Primitive, Unary
from autograd.rows import TABLE

__all__ = ["FUNCTIONS", "LONGEST", "Expression", "ExpressionError", "parse"]

LONGEST: Final = 2000  # characters; Python's parser recurses, and this keeps it far from the end of its stack
EXCERPT: Final = 30  # characters of the text that a message shows

FUNCTIONS: Final[dict[str, Primitive]] = TABLE | {"abs": primitives.absolute}
CONSTANTS: Final[dict[str, float]] = {"pi": pi}
ELSEWHERE: Final = {"ln": "log", "max": "maximum", "min": "minimum", "sigma": "sigmoid", "sum": "total"}  # what others write
OPERATORS: Final = {(row.infix, 1 if isinstance(row, Unary) else 2): row for row in FUNCTIONS.values() if row.infix}
SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.UAdd: "+", ast.USub: "-", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
TAKEN: Final = "an expression is made of numbers, names, + - * / **, comparisons, parentheses and functions"
KINDS: Final[dict[type[ast.AST], str]] = {
    ast.Attribute: "an attribute", ast.Lambda: "a lambda", ast.NamedExpr: "an assignment", ast.Subscript: "an index",
    ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.Constant: "a constant that is no real number", ast.JoinedStr: "text",
}  # fmt: skip
ADVICE: Final[dict[type[ast.AST], str]] = {
    ast.BitXor: "a power is written with **, not ^",
    ast.BoolOp: "conditions are joined by * for and, by maximum(a, b) for or",
    ast.Call: "a function is called by its name, and a product is written with *",
    ast.Eq: "numbers are compared with < <= > >=",
    ast.IfExp: "if and else are written where(condition, a, b)",
    ast.List: "a list has its place only where a function takes one, as in total([x, y])",
    ast.Tuple: "only one expression is taken; a list is written [x, y]",
}


class ExpressionError(ValueError):
    """An expression cannot be read, or has no value; the message is one line and says where."""


class Term(NamedTuple):
    """One entry of an expression in postfix notation.

    Attributes:
        meaning: a number, the name of a variable, or a row to apply.
        arity: to how many operands.
        start, end: the part of the text that it comes from.
    """

    meaning: float | str | Primitive
    arity: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula in some variables; called with their numbers or `Value`s, it gives its own.

    Attributes:
        text: as it was written.
        names: its variables in the order of their first occurrence, which is the order of a call's arguments.
        terms: the formula in postfix notation.

    >>> from autograd.value import Value
    >>> f = parse("w*x + 1")
    >>> f(3.0, 2.0), f(Value(3.0), 2.0)
    (7.0, Value(data=7.0, grad=0.0))
    """

    text: str
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
            values: for each variable a number or a `Value`; more entries do no harm.

        Returns:
            A float, or a node of a graph if a `Value` takes part.

        Raises:
            ExpressionError: if a variable has no value, or an operation has none at its operands, as ``log(-1)``.

        >>> parse("x / y").evaluate({"x": 3.0, "y": 2.0})
        1.5
        """
        stack: list[Any] = []
        for meaning, arity, start, end in self.terms:
            if isinstance(meaning, float):
                stack.append(meaning)
            elif isinstance(meaning, str):
                if meaning not in values:
                    raise _error(f"{meaning} has no value; give it one, as in {meaning}=0.5", self.text, start, end)
                stack.append(values[meaning])
            else:
                first = len(stack) - arity
                try:
                    stack[first:] = [meaning.apply(stack[first:])]
                except DomainError as error:
                    raise _error(str(error), self.text, start, end) from None
        [result] = stack
        return float(result) if isinstance(result, int) else result  # a comparison of numbers is a bool


def parse(text: str) -> Expression:
    """Read an expression.

    Args:
        text: at most `LONGEST` characters: numbers, names, pi, ``+ - * / **``, single comparisons, parentheses, and the rows of
            the table by name, with lists for those that take lists, as in ``dot([u, v], [x, y], b)``.

    Raises:
        ExpressionError: for anything else.

    >>> parse("__import__('os')")
    Traceback (most recent call last):
    autograd.expressions.ExpressionError: column 1, `__import__('os')`: there is no function __import__
    """
    if len(text) > LONGEST:
        raise _error(f"{len(text):,} characters are too many, {LONGEST:,} are taken", text, LONGEST, len(text))
    return _Reader(text).read()


class _Reader:
    """Turns a text into the terms of an expression."""

    def __init__(self, text: str) -> None:
        blank = "".join(" " if c.isspace() else c for c in text)
        self.text = text
        self.code = blank.strip()
        self.shift = len(blank) - len(blank.lstrip())

    def read(self) -> Expression:
        """Lay out the tree in postfix notation."""
        terms: list[Term] = []
        pending: list[Any] = [self.tree()]
        while pending:
            part = pending.pop()
            if isinstance(part, Term):
                terms.append(part)
            else:
                meaning, operands = self.meaning(part)
                pending.append(Term(meaning, len(operands), *self.span(part)))
                pending.extend(reversed(operands))
        names = dict.fromkeys(term.meaning for term in terms if isinstance(term.meaning, str))
        return Expression(self.text, tuple(names), tuple(terms))

    def tree(self) -> ast.expr:
        """Let Python parse the text; nothing is run."""
        if not self.code:
            raise _error("the expression is empty", self.text, 0, 0)
        for i, c in enumerate(self.text):
            if c == "#" or not (c.isprintable() or c.isspace()):
                raise _error(f"this character is not taken; {TAKEN}", self.text, i, i + 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python warns of 1if and the like, which are refused in any case
                return ast.parse(self.code, mode="eval").body
        except SyntaxError as error:
            raise self.misread(error) from None
        except (RecursionError, MemoryError):
            raise _error("this is nested too deeply to be read", self.text, self.shift, len(self.text)) from None

    def misread(self, error: SyntaxError) -> ExpressionError:
        """Say what Python could not parse; where it is a common slip, in the words of expressions."""
        for word in re.finditer(r"\w+", self.text):
            if keyword.iskeyword(word.group()):
                return _error("a word of Python's own; give the variable another name", self.text, *word.span())
        start, end = (self.shift + (offset or 1) - 1 for offset in (error.offset, error.end_offset))
        if not error.offset or not self.text[start:].strip():
            return _error("the expression ends too early", self.text, len(self.text), len(self.text))
        problem = f"this cannot be read: {error.msg.partition('. ')[0]}"  # what follows is advice for whole programs
        if self.text[start] == "=":
            problem = "a value is given apart from the expression"
        elif self.text[start].isdigit():
            problem = "a number cannot be read; if a product is meant, write it with *"
        return _error(problem, self.text, start, max(start + 1, end))

    def meaning(self, node: ast.expr) -> tuple[float | str | Primitive, Sequence[Any]]:
        """Say what the head of a tree stands for, and what its operands are: trees, or a `Term` for a default."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _float(number), ()
            case ast.Name(id=name):
                if name in FUNCTIONS:
                    raise self.refuse(node, f"{name} is a function, not a variable; it is called as {FUNCTIONS[name].usage}")
                return CONSTANTS.get(name, name), ()
            case ast.UnaryOp(op=op, operand=x) if type(op) in SIGNS:
                return OPERATORS[SIGNS[type(op)], 1], (x,)
            case ast.BinOp(left=x, op=op, right=y) if type(op) in SIGNS:
                return OPERATORS[SIGNS[type(op)], 2], (x, y)
            case ast.Compare(left=x, ops=[op], comparators=[y]) if type(op) in SIGNS:
                return OPERATORS[SIGNS[type(op)], 2], (x, y)
            case ast.Compare(ops=[_, _, *_]):
                raise self.refuse(node, "only two numbers are compared at a time")
            case ast.Call(func=ast.Name(id=name)):
                return self.call(node, name)
        problem = f"{KINDS.get(type(node), 'this')} is not taken; {TAKEN}"
        for part in (getattr(node, "op", None), *getattr(node, "ops", ()), node):
            problem = ADVICE.get(type(part), problem)
        raise self.refuse(node, problem)

    def call(self, node: ast.Call, name: str) -> tuple[Primitive, Sequence[Any]]:
        """Find the row that is called, and its operands."""
        row = FUNCTIONS.get(name)
        if row is None:
            near = _meant(name)
            raise self.refuse(node, f"there is no function {name}" + (f"; is {near} meant?" if near else ""))
        arguments = [x.elts if isinstance(x, ast.List) else x for x in node.args]
        if len(arguments) > 2 and row.folds:
            return row, (ast.copy_location(ast.Call(node.func, node.args[:-1], []), node), node.args[-1])
        try:
            operands = row.operands_from(arguments)
        except ValueError as error:
            raise self.refuse(node, str(error)) from None
        except TypeError:
            operands = [[]]
        if node.keywords or any(isinstance(x, list) for x in operands):
            raise self.refuse(node, f"{name} is called as {row.usage}")
        return row, [Term(x, 0, 0, 0) if isinstance(x, float) else x for x in operands]  # a number is a default

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Say where in the text a tree comes from; Python counts in bytes of UTF-8."""
        code, end = self.code.encode(), node.end_col_offset
        return self.shift + len(code[: node.col_offset].decode()), self.shift + len(code[:end].decode())

    def refuse(self, node: ast.expr, problem: str) -> ExpressionError:
        """Make the error that says what is the matter with a part of the text."""
        return _error(problem, self.text, *self.span(node))


def _meant(name: str) -> str | None:
    """Guess the function that a name was meant to be: by what others call it, by its letters, by its spelling.

    >>> _meant("ln"), _meant("tahn"), _meant("sigmiod"), _meant("f")
    ('log', 'tanh', 'sigmoid', None)
    """
    turned = [known for known in FUNCTIONS if sorted(known) == sorted(name)]
    return ELSEWHERE.get(name) or next(iter([*turned, *difflib.get_close_matches(name, FUNCTIONS, n=1)]), None)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an int beyond the largest float, as 1e999 is ∞
        return inf


def _error(problem: str, text: str, start: int, end: int) -> ExpressionError:
    excerpt = text[start:end]
    if len(excerpt) > EXCERPT:
        excerpt = excerpt[: EXCERPT - 1] + "…"
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in excerpt)
    return ExpressionError(f"column {start + 1}{shown and f', `{shown}`'}: {problem}")
