"""Python's side of the page: makes a player from an expression or a cell of code, then reasons, checks, exercises and code.

A session holds one graph.  Its methods return plain data, which can cross from the worker, in which Python runs, to the page.

>>> session = Session()
>>> shown = session.show(expression="tanh(w*x)", values={"w": 0.5})
>>> shown["values"], shown["steps"]
({'w': 0.5, 'x': 2.0}, 4)
>>> session.why({"w": 1.0}, "w")["ledger"][0]["contribution"]
'<mn>0.070651</mn><mo>·</mo><mn>2</mn><mo>=</mo><mn>0.1413</mn>'
>>> session.show(expression="tahn(w)")["error"]
{'text': 'column 1, `tahn(w)`: there is no function tahn; did you mean tanh?', 'start': 0, 'end': 7}
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import re
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, ParamSpec, TypeAlias

import autograd
from autograd.checking import gradcheck
from autograd.checking.verdicts import short
from autograd.derivation import explain
from autograd.drawing import LayoutError
from autograd.exercises import exercise, exercises
from autograd.exercises.questions import KINDS
from autograd.expressions import ExpressionError, parse
from autograd.notation import Notation, equation, label_values, slope
from autograd.player import play
from autograd.reals import kind_of
from autograd.rerun import replay
from autograd.site.mathml import math, to_mathml
from autograd.site.source import write_cell, write_expression
from autograd.steps import Walk
from autograd.value import Value
from autograd.writing import latex, latex_name, strict

__all__ = ["Session"]

Data: TypeAlias = dict[str, Any]
P = ParamSpec("P")

NUMBERS: Final = (0.5, 2.0, -0.4, 1.0, 1.5, -1.0)  # of new variables, in turn
CELL: Final = "<cell>"
PASTED: Final = {0xA0: " ", 0x200B: None, 0xFEFF: None}  # what Python refuses and nobody sees: spaces of web pages, for example
PROMPT: Final = re.compile(r"\s*(>>>|\.\.\.)( |$)")
MOST_OUTPUT: Final = 10_000  # characters that a cell may print; the rest is dropped


def _or_error(method: Callable[P, Data]) -> Callable[P, Data]:
    """Make a method return the text of an error that it raises, as ``error``."""

    @functools.wraps(method)
    def call(*arguments: P.args, **named: P.kwargs) -> Data:
        try:
            return method(*arguments, **named)
        except (ValueError, TypeError, LayoutError) as error:  # a `NotLiveError` is a TypeError
            return {"error": {"text": str(error)}}

    return call


class Session:
    """One graph, and the methods that the page calls."""

    def __init__(self) -> None:
        self.loss: Value | None = None
        self.source: Data = {}

    def call(self, name: str, arguments: str) -> str:
        """Call a method by its name, with keyword arguments as JSON, and return its result as JSON."""
        return json.dumps(getattr(self, name)(**json.loads(arguments)))

    # ---- a graph and its player

    def show(self, expression: str | None = None, values: Mapping[str, float] | None = None, code: str | None = None) -> Data:
        """Compute an expression or run a cell, and return its player.

        Args:
            expression: the expression.
            values: numbers for its variables; those without one get a number from `NUMBERS`.
            code: in place of an expression, a cell of Python whose last line is a `Value`.

        Returns:
            ``markup``, ``rows``, ``title`` and ``steps`` of the player; ``names`` of all nodes; ``leaves``, the numbers of the
            leaves by name; for an expression ``values``, the numbers of its variables; for a cell ``output``, what it printed.
            Or only ``error``: its ``text`` and its place, ``start`` and ``end`` in an expression, ``line`` in a cell; with
            ``output``.  After an error the session keeps its graph.
        """
        found = self._express(expression, values or {}) if expression is not None else self._run(code := _typed(code or ""))
        if "error" in found:
            return found
        loss = found.pop("loss")
        try:
            player = play(loss)
        except (ValueError, LayoutError) as error:
            return found | {"error": {"text": str(error).partition("; pass limit=")[0]}}  # the page has no such argument
        self.loss = loss
        self.source = {"expression": expression, "values": found["values"]} if expression is not None else {"code": code}
        notation = Notation(loss)
        leaves = {name: strict(node.data) for node, name in notation.full.items() if node.primitive is None}
        return found | {"markup": player.markup, "rows": player.rows, "title": player.title, "steps": player.steps,
                        "names": [*notation.names.values()], "leaves": leaves}  # fmt: skip

    def _express(self, text: str, values: Mapping[str, float]) -> Data:
        try:
            formula = parse(text)
            values = {unicodedata.normalize("NFKC", name): x for name, x in values.items()}  # as Python does with names in code
            numbers = {name: float(values.get(name, NUMBERS[i % len(NUMBERS)])) for i, name in enumerate(formula.names)}
            variables = {name: Value(x, name) for name, x in numbers.items()}
            result = formula.evaluate(variables)
        except ExpressionError as error:
            return {"error": {"text": str(error), "start": error.start, "end": error.end}}
        if not isinstance(result, Value):
            text = f"{' '.join(text.split())} is {result:g}; there is no variable in it to differentiate with respect to"
            return {"error": {"text": text, "start": 0, "end": 0}, "values": {}}
        if result.primitive is not None and "f" not in variables:
            result.label = "f"
        return {"loss": result, "values": {name: strict(x) for name, x in numbers.items()}}

    def _run(self, code: str) -> Data:
        output = _Output()
        namespace: Data = {name: getattr(autograd, name) for name in autograd.__all__}
        namespace |= {"__name__": "__main__", "input": _input}
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), _restored(Value):
                result = _evaluate(code, namespace)
        except BaseException as error:  # whatever a cell may raise is shown at its line
            return {"error": _located(error), "output": output.getvalue()}
        if not isinstance(result, Value):
            last = "nothing" if result is None else kind_of(result)
            text = f"the cell ends in {last}; let its last line be the Value whose graph is to be shown, such as loss"
            return {"error": {"text": text, "line": len(code.rstrip().splitlines())}, "output": output.getvalue()}
        label_values({name: x for name, x in namespace.items() if name not in autograd.__all__})
        return {"loss": result, "output": output.getvalue()}

    def _at(self, values: Mapping[str, float]) -> Value:
        """Return the graph with other numbers for some leaves, which are given by their full names."""
        assert self.loss is not None, "show comes first"
        full = Notation(self.loss).full
        changed = {node: float(values[name]) for node, name in full.items() if node.primitive is None and name in values}
        found: Value = replay(self.loss, changed)
        return found

    # ---- what the tabs show

    @_or_error
    def why(self, values: Mapping[str, float], node: str) -> Data:
        """Return where the gradient of a node comes from.

        Args:
            values: numbers for leaves, by their full names.
            node: the node's name, as in the texts.

        Returns:
            ``text``, as printed; ``ledger``, for each use of the node its ``consumer``, ``upstream`` gradient, ``local``
            derivative and ``contribution``, each as MathML, and a ``reason``; ``total`` and ``derivation`` as MathML.
        """
        loss = self._at(values)
        steps = Walk(loss)
        wanted = next(x for x, name in steps.names.items() if name == node)
        explanation = explain(wanted, of=loss)
        style = latex(explanation.digits)
        ledger = []
        for step, edge in explanation.shares:
            cells = {
                "consumer": equation(latex_name(step.name), step.operation.written(style)),
                "upstream": equation(slope(explanation.loss, step.name, style), style.number(edge.upstream)),
                "local": equation(edge.slope_in(style), edge.derivative.written(style), style.number(edge.partial)),
                "contribution": equation(edge.product_in(style), style.number(edge.contribution)),
            }
            ledger.append({name: to_mathml(cell) for name, cell in cells.items()} | {"reason": edge.reason})
        total = equation(slope(explanation.loss, explanation.node, style), style.number(explanation.gradient))
        return {"text": explanation.text, "ledger": ledger, "total": math(total), "derivation": math(explanation.latex)}

    @_or_error
    def check(self, values: Mapping[str, float]) -> Data:
        """Return the report of `gradcheck` on the graph at some numbers: ``verdict``, ``summary``, ``rows`` and ``notes``."""
        report = gradcheck(self._at(values))
        summary, _, *notes = str(report).split("\n\n")
        failing = [check for check in report.edges if check.verdict != "correct"]
        rows = [
            [c.name, c.at, short(c.analytic), short(c.numeric), f"{c.error:.1e}", c.verdict] for c in (*report.inputs, *failing)
        ]
        return {"verdict": report.verdict, "summary": _unwrapped(summary), "rows": rows, "notes": [*map(_unwrapped, notes)]}

    @_or_error
    def exercise(self, values: Mapping[str, float], kind: str, seed: int = 0) -> Data:
        """Set an exercise.

        Args:
            values: numbers for leaves, by their full names.
            kind: one of `KINDS`, on this graph, or a level from "1" to "4", on a graph of its own.
            seed: chooses the exercise of a level.

        Returns:
            ``markup``, ``rows`` and ``title`` of a player that poses it, and marks answers by itself.
        """
        if kind in KINDS:
            loss = self._at(values)
            leaves = [x for x in Notation(loss).full if x.primitive is None]
            task = exercise(loss, leaves if kind == "gradients" else kind)
        else:
            [task] = exercises(seed, int(kind), 1)
        player = task.play()
        return {"markup": player.markup, "rows": player.rows, "title": player.title}

    def code(self, values: Mapping[str, float]) -> Data:
        """Return the Python that makes the graph at some numbers, as ``text``."""
        if "expression" in self.source:
            numbers = {name: values.get(name, x) for name, x in self.source["values"].items()}
            return {"text": write_expression(self.source["expression"], {name: float(x) for name, x in numbers.items()})}
        return {"text": write_cell(self.source["code"], {name: float(x) for name, x in values.items()})}


class _Output(io.StringIO):
    """The output of a cell, cut off after `MOST_OUTPUT` characters."""

    def write(self, text: str) -> int:
        room = MOST_OUTPUT - self.tell()
        if room >= 0:
            super().write(text[:room] + "\n…" * (len(text) > room))
        return len(text)


def _typed(code: str) -> str:
    r"""Return what was typed in a cell that was pasted: without prompts, output and invisible characters, on the same lines.

    >>> _typed(">>> x = 3\n>>> if x:\n...     x\n...\n3\n>>> -x")
    'x = 3\nif x:\n    x\n\n\n-x'
    """
    code = code.translate(PASTED)
    if not code.lstrip().startswith(">>>"):
        return code
    prompts = [(line, PROMPT.match(line)) for line in code.splitlines()]
    return "\n".join(line[prompt.end() :] if prompt else "" for line, prompt in prompts)


def _input(prompt: object = "") -> str:
    raise EOFError("nobody can answer input() on this page; write the answer into the code")


@contextlib.contextmanager
def _restored(cls: type) -> Iterator[None]:
    """Undo what a cell does to a class, so that a method that it breaks is whole in the next one."""
    before = dict(vars(cls))
    try:
        yield
    finally:
        for name in vars(cls).keys() - before.keys():
            delattr(cls, name)
        for name, part in before.items():
            if vars(cls).get(name) is not part:
                setattr(cls, name, part)


def _evaluate(code: str, namespace: Data) -> Any:
    """Run a cell, and return the value of its last expression, or the one that its last line assigns."""
    tree = ast.parse(code, CELL)
    last: ast.expr | None = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        final = tree.body.pop()
        last = final.value if isinstance(final, ast.Expr) else None
    elif tree.body and isinstance(final := tree.body[-1], ast.Assign | ast.AugAssign | ast.AnnAssign):
        target = final.targets[0] if isinstance(final, ast.Assign) else final.target
        if isinstance(target, ast.Name) and final.value:
            last = ast.copy_location(ast.Name(target.id, ast.Load()), final)
    exec(compile(tree, CELL, "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last), CELL, "eval"), namespace)


def _located(error: BaseException) -> Data:
    """Return the text of an error, and the line of the cell that it comes from."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename == CELL:
        return {"text": f"SyntaxError: {error.msg}", "line": error.lineno or 1}
    if isinstance(error, ModuleNotFoundError):
        text += "; this page has only autograd, nn and Python's own modules; Value needs no import"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == CELL]
    return {"text": text, "line": lines[-1] if lines else 1}


def _unwrapped(text: str) -> str:
    return " ".join(text.split())
