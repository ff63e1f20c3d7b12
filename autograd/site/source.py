"""Writes the Python that makes the page's graph, for readers to copy.

>>> print(write_expression("tanh(w*x)**2", {"w": 0.5, "x": 2.0}))
from autograd import Value, tanh
<BLANKLINE>
w = Value(0.5, label="w")
x = Value(2.0, label="x")
f = tanh(w*x)**2
f.label = "f"
f.backward()
print(f.data, w.grad, x.grad)
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from itertools import chain, count
from typing import Final

import autograd
from autograd.expressions import CONSTANTS, Expression, parse
from autograd.rows import TABLE

__all__ = ["write_cell", "write_expression"]

OURS: Final = {"Value", "print"}  # names that the program uses besides those of the expression
EXACT: Final = 2.0**53  # below it Python's int and float are the same number
PLAIN: Final = ("+", "-", "*", "/")  # operators that give the same number for two ints as for two floats


def write_expression(text: str, values: Mapping[str, float]) -> str:
    """Return a program that computes an expression and its gradient.

    Args:
        text: the expression.
        values: a number for each of its variables.

    Raises:
        ExpressionError: if it cannot be read.
    """
    expression = parse(text)
    code = " ".join(expression.code.split())
    words = dict.fromkeys(re.findall(r"[^\W\d]\w*", code))
    result = next(name for name in chain(("f", "loss", "result", "f_"), (f"f{i}" for i in count(1))) if name not in words)
    if OURS & set(expression.names) or not _is_python(expression):
        return _through_parser(text, values, result)
    constants = [name for name in words if name in CONSTANTS]
    lines = [f"from math import {', '.join(constants)}", ""] if constants else []
    lines += [f"from autograd import {', '.join(['Value', *sorted(name for name in words if name in TABLE)])}", ""]
    lines += [f"{name} = Value({_number(x)}, label={_quoted(name)})" for name, x in values.items()]
    lines += [f"{result} = {code}"] + [f'{result}.label = "{result}"'] * (code not in values)
    lines += [f"{result}.backward()", f"print({', '.join([f'{result}.data', *(f'{name}.grad' for name in values)])})"]
    return "\n".join(lines)


def _is_python(expression: Expression) -> bool:
    """Whether Python computes the same from the text, although it reads whole numbers as ints and [x > 0] as a list."""
    nodes = [*ast.walk(ast.parse(" ".join(expression.code.split()), mode="eval"))]
    arguments = {x for node in nodes if isinstance(node, ast.Call) for x in node.args}
    if any(isinstance(node, ast.List) and node not in arguments for node in nodes):
        return False
    sizes: list[float | None] = []  # of the stack's entries: a bound if it is constant, None if it depends on a variable
    for term in expression.terms:
        first = len(sizes) - term.arity
        operands = [size for size in sizes[first:] if size is not None]
        del sizes[first:]
        size: float | None = None
        if isinstance(term.meaning, float):
            size = abs(term.meaning)
        elif not isinstance(term.meaning, str) and len(operands) == term.arity:
            if term.meaning.infix not in ("", *PLAIN):
                return False
            size = math.prod(operands) if term.meaning.infix == "*" else sum(operands)
        if size is not None and size >= EXACT:
            return False
        sizes.append(size)
    return True


def _through_parser(text: str, values: Mapping[str, float], result: str) -> str:
    """Return a program for an expression that Python would compute differently, such as one with huge whole numbers."""
    leaves = "".join(f"    Value({_number(x)}, label={_quoted(name)}),\n" for name, x in values.items())
    return (f"from autograd import Value\nfrom autograd.expressions import parse\n\nleaves = [\n{leaves}]\n"
            f'{result} = parse({_quoted(text)})(*leaves)\n{result}.label = "{result}"\n{result}.backward()\n'
            f"print({result}.data, *[x.grad for x in leaves])")  # fmt: skip


def write_cell(code: str, changed: Mapping[str, float]) -> str:
    r"""Return a cell with the imports that it does not need on the page, and a comment with the numbers changed since.

    >>> print(write_cell("x = Value(3.0)\nx * x", {"x": 2.5}))
    from autograd import Value
    <BLANKLINE>
    x = Value(3.0)
    x * x
    # changed in the player: x = 2.5
    """
    tree = ast.parse(code)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
    given = sorted({node.id for node in names if node.id in autograd.__all__} - bound)
    head = f"from autograd import {', '.join(given)}\n" + "\n" * (not code.startswith(("from ", "import ")))
    changes = ", ".join(f"{name} = {_number(x)}" for name, x in changed.items())
    return head * bool(given) + code.rstrip() + f"\n# changed in the player: {changes}" * bool(changes)


def _number(x: float) -> str:
    return repr(x) if x - x == 0 else f'float("{x}")'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
