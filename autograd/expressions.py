"""Expressions such as ``tanh(w*x + b)**2``, read from text and never run as Python.

Python's parser turns the text into a tree, and only what the table of derivatives knows is allowed in it: numbers, names,
the operators that have a row, and rows called by name.  The tree is flattened into postfix notation, operands before their
operation, so that evaluation is a loop with a stack, however deep the expression nests.  Every operation is a row: on numbers
it returns a number, on `Value`s a graph.

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

import ast
import difflib
import keyword
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import e, pi, tau
from typing import Any, Final, NamedTuple

from autograd import primitives
from autograd.primitives import DomainError, Primitive, Unary
from autograd.rows import TABLE
from autograd.value import Value
from autograd.writing import printable

__all__ = ["CONSTANTS", "FUNCTIONS", "LONGEST", "MEANT", "Expression", "ExpressionError", "parse"]

LONGEST: Final = 2000  # characters; Python's parser recurses, and this keeps it far from the end of its stack
EXCERPT: Final = 30  # characters of the text that a message shows
CLOSE: Final = 0.8  # similarity of two names, from 0 to 1, from which on one may be a typing error for the other

FUNCTIONS: Final[dict[str, Primitive]] = TABLE | {"abs": primitives.absolute}
CONSTANTS: Final[dict[str, float]] = {"e": e, "pi": pi, "tau": tau}
# The names that other languages and textbooks have for our functions, which are called as in NumPy.
SYNONYMS: Final = {
    "abs": "fabs", "arccos": "acos", "arccosh": "acosh arcosh", "arcsin": "asin", "arcsinh": "asinh arsinh",
    "arctan": "atan arctg", "arctan2": "atan2", "arctanh": "atanh artanh", "ceil": "ceiling", "cos": "cosine cosinus",
    "cosh": "ch", "divide": "div", "dot": "inner", "log": "ln", "log10": "lg", "log2": "lb ld",
    "logsumexp": "lse", "maximum": "max fmax", "minimum": "min fmin", "multiply": "mul", "negative": "neg", "power": "pow",
    "prod": "product", "remainder": "fmod mod modulo rem", "rint": "round", "sigmoid": "expit logistic sigm sigma σ",
    "sign": "sgn signum", "sin": "sinus", "sinh": "sh", "step": "heaviside", "subtract": "sub", "tan": "tangent tg",
    "tanh": "th", "total": "sum", "trunc": "fix", "where": "cond ifelse iif select",
}  # fmt: skip
MEANT: Final = {other: ours for ours, others in SYNONYMS.items() for other in others.split()}
OPERATORS: Final = {(row.infix, 1 if isinstance(row, Unary) else 2): row for row in FUNCTIONS.values() if row.infix}
SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%", ast.FloorDiv: "//",
    ast.UAdd: "+", ast.USub: "-", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
WRITTEN: Final = str.maketrans("·⋅∙∗×÷−–", "*****/--")  # signs in printed or typed formulas; to Python, w·x is one name
ARITHMETIC: Final = " ".join(sign for sign in dict.fromkeys(SIGNS.values()) if (sign, 2) in OPERATORS and sign[0] not in "<>")
ALLOWED: Final = f"an expression consists of numbers, names, {ARITHMETIC}, comparisons, parentheses and functions"
KINDS: Final[dict[type[ast.AST], str]] = {
    ast.Attribute: "an attribute", ast.Lambda: "a lambda", ast.NamedExpr: "an assignment", ast.Subscript: "an index",
    ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.Constant: "a constant that is not a real number", ast.JoinedStr: "text",
}  # fmt: skip
SLIPS: Final = {  # signs that Python's parser stops at
    "=": "an expression has no =; values are given separately", "|": "an absolute value is written abs(x)",
    "√": "a root is written sqrt(x)", "≤": "less or equal is written <=", "≥": "greater or equal is written >=",
    **dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "a power is written with **, as in x**2"),
}  # fmt: skip
ADVICE: Final[dict[type[ast.AST], str]] = {
    ast.BitXor: "a power is written with **, not ^",
    ast.BoolOp: "conditions are joined by * for and, by maximum(a, b) for or",
    ast.Call: "a function is called by its name, and a product is written with *",
    ast.Eq: "numbers are compared with < <= > >=",
    ast.IfExp: "if and else are written where(condition, a, b)",
    ast.List: "a list is allowed only where a function takes one, as in total([x, y])",
    ast.Tuple: "only one expression is allowed; a list is written [x, y]",
}


class ExpressionError(ValueError):
    """An expression cannot be read, or is undefined at its operands; the message is one line and names the place.

    Attributes:
        start, end: the part of the text that is at fault, as positions between characters, from 0.
    """

    start = end = 0


class Term(NamedTuple):
    """One entry of an expression in postfix notation.

    Attributes:
        meaning: a number, the name of a variable, or a row to apply.
        arity: the number of its operands; 0 for numbers and variables.
        start, end: the part of the text that it comes from.
    """

    meaning: float | str | Primitive
    arity: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula in some variables; called with a number or `Value` for each of them, it returns its value.

    Attributes:
        text: the formula as it was written, with Python's signs.
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
            stack.append((value, term))
        [(result, _)] = stack
        return float(result) if isinstance(result, int) else result  # a comparison of numbers is a bool

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
                shown = _shown(self.text[term.start : term.end])
                named.append(shown if isinstance(term.meaning, float) or shown == f"{number:g}" else f"{shown} = {number!r}")
        fault = f"operand at fault is {named[0]}" if len(named) == 1 else f"operands are {' and '.join(named)}"
        return f"{problem}. The {fault}. Choose other numbers, or guard the operand with maximum or where"

    def refuse(self, problem: str, term: Term) -> ExpressionError:
        """Return the error that names a part of the text and what is wrong with it."""
        return _error(problem, self.text, term.start, term.end)


def parse(text: str, functions: Mapping[str, Primitive] = FUNCTIONS) -> Expression:
    """Read an expression.

    Args:
        text: at most `LONGEST` characters: numbers, names, the constants e, pi and tau, operators such as ``+ - * / **``,
            single comparisons, parentheses, and rows called by name, some with lists, as in ``dot([u, v], [x, y], b)``.
        functions: the rows, by the names that call them.

    Raises:
        ExpressionError: for anything else.

    >>> parse("__import__('os')")
    Traceback (most recent call last):
    autograd.expressions.ExpressionError: column 1, `__import__('os')`: there is no function __import__

    A product may be written as it is printed:

    >>> parse("w·x − 1").names
    ('w', 'x')
    """
    text = text.translate(WRITTEN)
    if len(text) > LONGEST:
        raise _error(f"{len(text):,} characters are too many; the limit is {LONGEST:,}", text, LONGEST, len(text))
    return _Reader(text, functions).read()


class _Reader:
    """Turns a text into the terms of an expression."""

    def __init__(self, text: str, functions: Mapping[str, Primitive]) -> None:
        self.functions = functions
        blank = "".join(" " if c.isspace() else c for c in text)
        self.text = text
        self.code = blank.strip()
        self.shift = len(blank) - len(blank.lstrip())

    def read(self) -> Expression:
        """Return the expression: the tree in postfix notation."""
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
        """Return Python's tree of the text; nothing is run."""
        if not self.code:
            raise _error("the expression is empty", self.text, 0, 0)
        for i, c in enumerate(self.text):
            if c == "#" or not (c.isprintable() or c.isspace()):
                raise _error(f"this character is not allowed; {ALLOWED}", self.text, i, i + 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python warns about 1if and the like, which are refused in any case
                return ast.parse(self.code, mode="eval").body
        except SyntaxError as error:
            raise self.misread(error) from None
        except (RecursionError, MemoryError):
            raise _error("this is nested too deeply to be read", self.text, self.shift, len(self.text)) from None

    def misread(self, error: SyntaxError) -> ExpressionError:
        """Return the error for a text that Python could not parse; common slips have messages of their own."""
        for word in re.finditer(r"\w+", self.text):
            if keyword.iskeyword(word.group()):
                return _error("this is a reserved word of Python; give the variable another name", self.text, *word.span())
        start, end = (self.shift + (offset or 1) - 1 for offset in (error.offset, error.end_offset))
        if not error.offset or not self.text[start:].strip():
            return _error("the expression ends too early", self.text, len(self.text), len(self.text))
        message = error.msg.partition(". ")[0]  # what follows is advice for whole programs
        problem = f"this cannot be read: {message}"
        if message == "invalid syntax":
            problem = "this cannot be read; is an operator missing? A product is written with *, as in w*x"
        elif self.text[start].isdecimal() and "literal" in message:
            problem = "this number cannot be read; a product is written with *, as in 2*x"
        return _error(SLIPS.get(self.text[start], problem), self.text, start, max(start + 1, end))

    def meaning(self, node: ast.expr) -> tuple[float | str | Primitive, Sequence[Any]]:
        """Return what the root of a tree stands for, and its operands: trees, or a `Term` for a default."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(str(number)), ()  # through str, an int beyond the largest float becomes ∞, like 1e999
            case ast.Name(id=name):
                if name in self.functions:
                    usage = self.functions[name].usage
                    raise self.refuse(node, f"{name} is a function, not a variable; it is called as {usage}")
                return CONSTANTS.get(name, name), ()
            case ast.UnaryOp(op=op, operand=x) if row := _operator(op, 1):
                return row, (x,)
            case ast.BinOp(left=x, op=op, right=y) if row := _operator(op, 2):
                return row, (x, y)
            case ast.Compare(left=x, ops=[op], comparators=[y]) if row := _operator(op, 2):
                return row, (x, y)
            case ast.List(elts=[ast.Compare() as condition]):  # the Iverson bracket: [x > 0] is 1 if x > 0, else 0
                return self.meaning(condition)
            case ast.Compare(ops=[_, _, *_]):
                raise self.refuse(node, "only two numbers are compared at a time")
            case ast.Call(func=ast.Name(id=name)):
                return self.call(node, name)
        sign = SIGNS.get(type(node.op)) if isinstance(node, ast.BinOp) else None
        problem = f"{f'the sign {sign}' if sign else KINDS.get(type(node), 'this')} is not allowed; {ALLOWED}"
        for part in (getattr(node, "op", None), *getattr(node, "ops", ()), node):
            problem = ADVICE.get(type(part), problem)
        raise self.refuse(node, problem)

    def call(self, node: ast.Call, name: str) -> tuple[Primitive, Sequence[Any]]:
        """Return the row that is called, and its operands."""
        row = self.functions.get(name)
        if row is None:
            near = _meant(name)
            raise self.refuse(node, f"there is no function {name}" + (f"; did you mean {near}?" if near else ""))
        arguments = [x.elts if isinstance(x, ast.List) else x for x in node.args]
        if len(arguments) > 2 and row.folds:
            return row, (ast.copy_location(ast.Call(node.func, node.args[:-1], []), node), node.args[-1])
        try:
            operands = row.operands_from(arguments)
        except ValueError as error:
            raise self.refuse(node, str(error)) from None
        except TypeError:
            operands = [[]]
        operands = [x[0] if isinstance(x, list) and len(x) == 1 and isinstance(x[0], ast.Compare) else x for x in operands]
        if node.keywords or any(isinstance(x, list) for x in operands):
            raise self.refuse(node, f"{name} is called as {row.usage}")
        return row, [Term(x, 0, *self.span(node)) if isinstance(x, float) else x for x in operands]  # a number is a default

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where in the text a tree comes from; Python counts in bytes of UTF-8."""
        code, end = self.code.encode(), node.end_col_offset
        return self.shift + len(code[: node.col_offset].decode()), self.shift + len(code[:end].decode())

    def refuse(self, node: ast.expr, problem: str) -> ExpressionError:
        """Return the error that names a part of the text and what is wrong with it."""
        return _error(problem, self.text, *self.span(node))


def _operator(op: ast.AST, arity: int) -> Primitive | None:
    """Return the row that an operator of Python stands for, or None."""
    return OPERATORS.get((SIGNS.get(type(op), ""), arity))


def _meant(name: str) -> str | None:
    """Guess which function is meant by a name: a synonym, a name with the same letters, or one that is nearly the same.

    >>> _meant("ln"), _meant("tahn"), _meant("sigmiod"), _meant("Tanh"), _meant("f")
    ('log', 'tanh', 'sigmoid', 'tanh', None)
    """
    name = name.lower()
    known = MEANT | {ours: ours for ours in FUNCTIONS}
    anagrams = [other for other in known if sorted(other) == sorted(name)]
    near = [name] if name in known else [*anagrams, *difflib.get_close_matches(name, known, cutoff=CLOSE)]
    return next((known[other] for other in near if known[other] in FUNCTIONS), None)  # not every synonym has a row


def _shown(text: str) -> str:
    """Return a part of the text as messages show it: on one line, and shortened."""
    excerpt = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    return printable(excerpt)


def _error(problem: str, text: str, start: int, end: int) -> ExpressionError:
    shown = _shown(text[start:end])
    error = ExpressionError(f"column {start + 1}{shown and f', `{shown}`'}: {problem}")
    error.start, error.end = start, end
    return error
