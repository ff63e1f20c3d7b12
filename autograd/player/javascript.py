"""The table read as JavaScript: the functions with which a page computes a graph by itself, printed from that graph's rows.

A formula is printed once, as a function of a *reading* ``$``: one reading computes it with numbers, the other writes it as
text, just as a rule of the table is read on floats and on symbols.  formulas.js has both, and Python's functions of `math`.

>>> from autograd.steps import walk
>>> x = Value(3.0, label="x")
>>> rows, [graph] = to_javascript([walk(x.tanh() * 2)])
>>> print(rows)
{rows: {
"tanh": {name: "tanh", value: math.tanh},
"subtract": {name: "subtract", infix: "-", sign: " - ", binding: 1, value: (x, y) => x - y},
"multiply": {name: "multiply", infix: "*", sign: "·", binding: 2, value: (x, y) => x * y},
}, kinds: [
{row: "tanh", operands: [null], rules: ($, x, out) => [$("subtract", 1, $("multiply", out, out))]},
{row: "multiply", operands: [null, 2], rules: ($, x, out) => [2]},
]}
>>> graph["nodes"][1]
{'name': 'v1', 'data': 0.9950547536867305, 'gradient': 2.0, 'kind': 0, 'inputs': [0]}

A row that is not written with operators and other rows, such as ``lambda x: math.sin(x)``, has no JavaScript of its own:

>>> from autograd.primitives import Unary, cos
>>> import math
>>> wave = Unary("wave", lambda x: math.sin(x), lambda x, out: cos(x))
>>> to_javascript([walk(wave(x))])
Traceback (most recent call last):
autograd.player.javascript.NotLiveError: the row 'wave' cannot be computed in a page: its function takes only numbers. ...
"""

from __future__ import annotations

import json
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from autograd.arithmetic import NOT_COMPUTED, log_sum_exp
from autograd.mistakes import activations
from autograd.primitives import Nary, Primitive
from autograd.steps import Walk
from autograd.symbol import Symbol, flows, operand_names
from autograd.value import Value
from autograd.writing import LEVELS, PLAIN, expand, read_template, strict, takes_list

__all__ = ["FUNCTIONS", "NotLiveError", "to_javascript"]

# Python's functions and their counterparts in JavaScript; `math`, divide, … are defined in formulas.js.
MATH: Final = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh",
    "cosh", "tanh", "asinh", "acosh", "atanh", "sqrt", "cbrt", "hypot", "erf", "pow",
)  # fmt: skip
FUNCTIONS: Final[Mapping[Callable[..., Any], str]] = {
    **{getattr(math, name): f"math.{name}" for name in MATH},
    abs: "Math.abs", log_sum_exp: "logSumExp",
    operator.pos: "(x) => x", operator.neg: "(x) => -x",
    operator.add: "(x, y) => x + y", operator.sub: "(x, y) => x - y", operator.mul: "(x, y) => x * y",
    operator.truediv: "divide", operator.floordiv: "floorDivide", operator.mod: "remainder",
    operator.lt: "(x, y) => +(x < y)", operator.le: "(x, y) => +(x <= y)",
    operator.gt: "(x, y) => +(x > y)", operator.ge: "(x, y) => +(x >= y)",
}  # fmt: skip
OVERFLOWING: Final = (math.exp, math.exp2, math.expm1, math.sinh, math.cosh, math.pow)  # an OverflowError in Python
CHAINS: Final = ("+", "*")  # operators whose long chains are printed as one list


class NotLiveError(TypeError):
    """A row has no JavaScript, so a page cannot compute it."""


def to_javascript(walks: Sequence[Walk], also: Iterable[Primitive] = ()) -> tuple[str, list[dict[str, Any]]]:
    """Return the rows that some graphs use as a JavaScript expression, and each graph as data for strict JSON.

    A graph has ``digits``, ``loss`` (a place), ``order`` (the places of the operations, topological), ``activations`` (those of
    them that `autograd.mistakes.activations` finds) and ``nodes``, by place.

    A node has ``name`` (in full), ``short`` if it is displayed under a shorter one, ``delta: true`` if its gradient is a δ, and
    ``data`` and ``gradient`` as Python computed them; an operation has ``kind`` (an index) and ``inputs`` (places); a leaf has
    ``leaf``, its index among the leaves of all the graphs together.  Numbers that JSON lacks are the strings "NaN", "Infinity"
    and "-Infinity".

    Args:
        walks: the graphs; in live.js each becomes ``new Graph(data, rows)``.
        also: further rows of one or two operands to print under their names; those without JavaScript are left out.

    Raises:
        NotLiveError: if a row has no JavaScript.
    """
    printer, leaves = _Printer(), dict[Value, int]()
    for row in also:
        printer.offer(row)
    graphs = [_graph(steps, printer, leaves) for steps in walks]
    return printer.text, graphs


def _graph(steps: Walk, printer: _Printer, leaves: dict[Value, int]) -> dict[str, Any]:
    notation, places, gradients = steps.notation, steps.notation.places, steps.gradients
    nodes = []
    for node in places:
        name, short = notation.full[node], notation.names[node]
        entry: dict[str, Any] = {"name": name} | ({"short": short} if short != name else {})
        entry |= {"delta": True} if notation.mark(node) == "δ" else {}
        entry |= {"data": strict(node.data), "gradient": strict(gradients.get(node, 0.0))}
        if node.primitive is None:
            entry["leaf"] = leaves.setdefault(node, len(leaves))
        else:
            entry |= {"kind": printer.kind(node), "inputs": [places[x] for x in node.inputs]}
        nodes.append(entry)
    order = [places[node] for node in steps.order]
    functions = activations(steps.loss)
    found = [places[node] for node in steps.order if node in functions]
    return {"digits": notation.digits, "loss": places[steps.loss], "order": order, "activations": found, "nodes": nodes}


class _Printer:
    """Prints rows and the kinds of nodes made with them: a kind is a row with the constants among its operands."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.keys: dict[tuple[Primitive, int], str] = {}
        self.kinds: dict[tuple[Primitive, str], int] = {}
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        """All rows and kinds so far, as one expression."""
        rows = "".join(f"{_string(key)}: {entry},\n" for key, entry in self.rows.items())
        return "{rows: {\n" + rows + "}, kinds: [\n" + "".join(f"{line},\n" for line in self.lines) + "]}"

    def kind(self, node: Value) -> int:
        """Return the index of a node's kind."""
        row = node.primitive
        assert row is not None
        operands = [None if isinstance(x, Value) else float(x) for x in node.operands]
        shown = f"[{', '.join(map(_operand, operands))}]"
        if (row, shown) not in self.kinds:
            key = self.row(row, len(operands))
            names = operand_names(row, len(operands))
            symbols = [Symbol(name) if x is None else x for name, x in zip(names, operands, strict=True)]
            which = [i for i, x in enumerate(operands) if x is None]
            rules = self._arrow("$, x, out", names, row.partials(symbols, Symbol("out"), which))
            entry = {"row": _string(key), "operands": shown, "rules": rules}
            conditions = [flows(row, len(operands))[i] for i in which]
            if any(condition is not True for condition in conditions):
                numbers = [x if isinstance(x, Symbol) else float(x) for x in conditions]
                entry["flows"] = self._arrow("$, x, out", names, numbers)
            self.kinds[row, shown] = len(self.lines)
            self.lines.append(_object(entry))
        return self.kinds[row, shown]

    def offer(self, row: Primitive) -> None:
        """Print a row that answers may use; a page without it refuses an answer that uses it."""
        try:
            self.row(row, row.arity)
        except NotLiveError:  # drop the row, and those that were begun for it
            self.rows = {key: entry for key, entry in self.rows.items() if entry}
            self.keys = {row: key for row, key in self.keys.items() if key in self.rows}

    def row(self, row: Primitive, n: int) -> str:
        """Return the key of a row with n operands."""
        if (row, n) in self.keys:
            return self.keys[row, n]
        key = row.name if row.arity or row.is_choice else f"{row.name} {n}"
        while key in self.rows:  # another row of this name
            key += "′"
        self.keys[row, n], self.rows[key] = key, ""
        entry = {"name": _string(row.name)}
        entry |= {name: _string(text) for name in ("infix", "domain") if (text := getattr(row, name))}
        if row.text:
            template, binding = read_template(row.text, row.infix, row.is_in_table)
            pieces = [piece if isinstance(piece, str) else [piece.operand, piece.binding] for piece in template]
            entry |= {"text": _string(pieces), "binding": str(binding)}
        elif row.infix and row.arity == 2:
            entry |= {"sign": _string(PLAIN.signs.get(row.infix, f" {row.infix} ")), "binding": str(LEVELS[row.infix])}
        if isinstance(row, Nary) and row.picks is not None:
            entry["picks"] = f"[{row.picks(0.0)}, {row.picks(1.0)}]"
        else:
            entry |= {"expands": "true"} if isinstance(row, Nary) and row.expands else {}
            entry |= {"list": "true"} if takes_list(row) else {}
            entry |= self._function(row, n)
        self.rows[key] = _object(entry)
        return key

    def _function(self, row: Primitive, n: int) -> dict[str, str]:
        if row.javascript:
            return {"value": row.javascript}
        if row.function in FUNCTIONS:
            value = FUNCTIONS[row.function]
            return {"value": f"bounded({value})" if row.function in OVERFLOWING and row.overflow is None else value}
        names = operand_names(row, n)
        formula = expand(row, [*map(Symbol, names)])
        if formula is None or (isinstance(formula, Symbol) and formula.row is row):
            raise NotLiveError(f"the row {row.name!r} cannot be computed in a page: its function takes only numbers. Write it "
                               "with operators and autograd's functions, or give the row javascript='(x) => …'")  # fmt: skip
        return {"formula": self._arrow("$, x", names, formula)}

    def _arrow(self, arguments: str, operands: Sequence[str], formulas: Any) -> str:
        """Print a function that returns a formula or a list of formulas, from a reading, the operands x and perhaps `out`."""
        names = {name: f"x[{i}]" for i, name in enumerate(operands)} | {"out": "out"}
        return f"({arguments}) => {self._body(formulas, names, {})}"

    def _body(self, formulas: Any, names: Mapping[str, str], known: Mapping[int, str]) -> str:
        """Print the body of a function; a formula used twice outside of branches becomes a constant, computed once."""
        counts, shared, constants = _uses(formulas), dict(known), list[str]()

        def written(formula: Any) -> str:
            if isinstance(formula, list):
                return f"[{', '.join(map(written, formula))}]"
            if not isinstance(formula, Symbol):
                return _number(formula)
            if formula.row is None:
                return names[formula.name] if formula.value is None else _number(formula.value)
            if id(formula) not in shared:
                text = call(formula.row, formula)
                if counts[id(formula)] == 1:
                    return text
                shared[id(formula)] = f"s{len(shared)}"
                constants.append(f"const {shared[id(formula)]} = {text}; ")
            return shared[id(formula)]

        def call(row: Primitive, formula: Symbol) -> str:
            chain, key = _chain(formula), _string(self.row(row, len(formula.operands)))
            if len(chain) > 2:
                return f"$.chain({', '.join([key, *map(written, chain)])})"
            if not row.is_choice:
                return f"$({', '.join([key, *map(written, formula.operands)])})"
            condition, *branches = formula.operands  # only the branch that is taken is computed
            lazy = [f"() => {self._body(branch, names, shared)}" for branch in branches]
            return f"$({', '.join([key, written(condition), *lazy])})"

        result = written(formulas)
        return f"{{ {''.join(constants)}return {result}; }}" if constants else result


def _uses(formulas: Any) -> Counter[int]:
    """Count how often each formula is used outside of branches."""
    counts, waiting = Counter[int](), list(formulas) if isinstance(formulas, list) else [formulas]
    while waiting:
        formula = waiting.pop()
        if isinstance(formula, Symbol) and formula.row is not None:
            counts[id(formula)] += 1
            if counts[id(formula)] == 1:
                waiting += formula.operands[:1] if formula.row.is_choice else formula.operands
    return counts


def _chain(formula: Symbol) -> list[Any]:
    """Return the operands of a chain such as ``((a + b) + c) + d``, from left to right."""
    row, found = formula.row, []
    if row is None or row.infix not in CHAINS:
        return []
    while isinstance(formula, Symbol) and formula.row is row and len(formula.operands) == 2:
        formula, last = formula.operands
        found.append(last)
    return [formula, *reversed(found)]


def _operand(x: float | None) -> str:
    """Write an operand of a kind: null for a node, and a function that raises for a branch that was not called."""
    return "null" if x is None else "uncalled" if x is NOT_COMPUTED else _number(x)


def _number(x: float) -> str:
    """Write a number in JavaScript; no negative one is printed where it would need parentheses."""
    return str(strict(float(x))).removesuffix(".0")


def _object(entry: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{name}: {text}' for name, text in entry.items())}}}"


def _string(text: str | list[Any]) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")  # so that no text can end the script
