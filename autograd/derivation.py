"""Where a gradient comes from: its ledger, and its derivation as a textbook writes it.

The gradient of a node is a sum over the paths from the result to it, each term the product of the partial derivatives along
its path.  The ledger groups that sum by the last edge, as backpropagation does; the derivation writes the paths out, in names,
rules and numbers.

>>> w, x, t = Value(0.5, label="w"), Value(2.0, label="x"), Value(1.0, label="t")
>>> r = (w * x).sigmoid()
>>> E = (t - r) ** 2 / 2
>>> r.label, E.label = "r", "E"
>>> print(explain(w, of=E))
w.grad = (-0.052877)·2 = -0.10575
    (-0.052877)·2 from v1 = w·x: ∂E/∂v1 = -0.052877 times ∂v1/∂w = x = 2
∂E/∂w = ∂E/∂r · ∂r/∂w
      = -(t - r)·r·(1 - r)·x
      = (-0.26894)·0.39322
      = -0.10575
where r = σ(w·x)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

from autograd.algebra import added, merged, product
from autograd.manners import describe
from autograd.mistakes import read
from autograd.moments import Edge, Step
from autograd.notation import Symbols, equation, factor, formula_of, is_condition, rules_of, slope
from autograd.steps import Walk
from autograd.symbol import Symbol, as_symbol
from autograd.value import Value, nodes_below
from autograd.writing import DIGITS, Style, digits, latex, latex_name, parts, plain

__all__ = ["Derivation", "Explanation", "Link", "Share", "explain", "tangents_of"]

MOST_PATHS = 8  # more are counted, not written out
MOST_HOPS = 60  # edges on all written paths together
MOST_NODES = 5_000  # of the whole graph
MOST_SHARES = 8  # terms of the ledger that are written
LONGEST_PART = 24  # characters of a part that is written in place rather than by name
LONGEST_COUNT = 10**40  # a larger number of paths is rounded
WIDEST_ROW = 58  # approximate characters on both sides of a row of LaTeX: 900 px at a font size of 20 px

Share: TypeAlias = tuple[Step, Edge]  # a use of a node: the consumer's step in the backward pass, and the edge to the node
Way: TypeAlias = tuple[list[Symbol], float | None]  # the rules along it, and the product of the partials; None if not taken


@dataclass(frozen=True, slots=True)
class Link:
    """An edge on a path, the part of the gradient that flows along it, and whether every path uses it."""

    edge: Edge
    flow: float
    everywhere: bool

    def __str__(self) -> str:
        return equation(self.edge.slope, self.edge.rule, digits(self.edge.partial, self.edge.digits))


@dataclass(frozen=True, slots=True)
class Path:
    """A path from the result to the node, through the nodes that have a name.

    Attributes:
        hops: for each hop, the names of the node where it starts and of the one where it ends.
        formula: the product of the rules.
        numbers: the factors.
        operations: for each hop from y to a, the operation of y if other paths lead from y to a too, else None.  ∂y/∂a would
            be the sum over all of these paths, so this hop by itself is written as ∂(v1 + a)/∂a.
    """

    hops: tuple[tuple[str, str], ...]
    formula: Symbol
    numbers: tuple[float, ...]
    operations: tuple[Symbol | None, ...]

    def slopes(self, style: Style) -> list[str]:
        """Write the partial derivative of each hop."""
        pairs = zip(self.hops, self.operations, strict=True)
        return [slope(a if operation is None else operation, b, style) for (a, b), operation in pairs]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a gradient comes from, as text (`str` or `text`) and as mathematics (`latex`, which Jupyter shows).

    Attributes:
        node, loss: the names of the node and of the result.
        gradient: ∂loss/∂node.
        shares: the ledger's terms, in the order in which they are added: for each use of the node, the consumer's step in
            the backward pass, and the edge that the contribution flows along.
        n_paths: the number of paths from the result to the node; none leads through a condition, whose derivative is 0.
        paths: the paths written out; empty if there are too many.
        where: the names that the derivation uses for parts, with their formulas.
        digits: significant digits of the numbers in texts.
    """

    node: str
    loss: str
    gradient: float
    shares: tuple[Share, ...]
    n_paths: int
    paths: tuple[Path, ...]
    where: tuple[tuple[str, Symbol], ...]
    digits: int = DIGITS

    @property
    def ledger(self) -> str:
        """The sum of the contributions, ``w.grad = 4·3 + 1·1 = 13``."""
        return equation(f"{self.node}.grad", self._sum(plain(self.digits)), digits(self.gradient, self.digits))

    @property
    def text(self) -> str:
        """The ledger, then the derivation: the paths in names, with the rules filled in, and in numbers."""
        style, lines = plain(self.digits), [self.ledger]
        for step, edge in self.shares[:MOST_SHARES]:
            partial = equation(edge.slope, edge.rule, digits(edge.partial, self.digits))
            lines.append(f"    {edge.product} from {step.name} = {step.formula}: {step.gradient} times {partial}")
        if len(self.shares) > MOST_SHARES:
            lines.append(f"    … and {len(self.shares) - MOST_SHARES} more")
        head = f"∂{self.loss}/∂{self.node}"
        if self.n_paths and not self.paths:
            paths, why = f"path{'s' * (self.n_paths > 1)}", "many" if self.n_paths > MOST_PATHS else "long"
            return "\n".join([*lines, f"{head} is a sum over {_count(self.n_paths)} {paths}, too {why} to write out"])
        lines += [f"{' ' * len(head) if i else head} = {row}" for i, row in enumerate(self._rows(style))]
        definitions = [f"{name} = {part.written(style)}" for name, part in self.where]
        return "\n".join(lines + [f"{'     ' if i else 'where'} {line}" for i, line in enumerate(definitions)])

    @property
    def latex(self) -> str:
        """The derivation in LaTeX's math mode, in rows that fit on a slide; the ledger's sum if there are too many paths."""
        style = latex(self.digits)
        head = slope(self.loss, self.node, style)
        body = [("" if i else head, row) for i, row in enumerate(self._rows(style))]
        body += [(latex_name(name), part.written(style)) for name, part in self.where]
        room = WIDEST_ROW - max(_width(left) for left, _ in body)
        aligned = " \\\\\n".join(f"{left} &= {_wrapped(right, room)}" for left, right in body)
        return f"\\begin{{aligned}}\n{aligned}\n\\end{{aligned}}"

    def _rows(self, style: Style) -> list[str]:
        """Write the paths in names, with the rules filled in, and in numbers, or else the ledger's sum; then the gradient."""
        times, rows = style.signs["*"], [self._sum(style)]
        if self.paths:
            names = " + ".join(f" {times.strip()} ".join(path.slopes(style)) for path in self.paths)
            is_lone = sum(len(path.numbers) for path in self.paths) == 1  # a lone number needs no parentheses
            written = str if is_lone else factor
            products = (times.join(written(style.number(x)) for x in path.numbers) for path in self.paths)
            is_lost = any(path.formula.text == "0" and math.isnan(math.prod(path.numbers)) for path in self.paths)  # 0·∞
            rows = [names, "" if is_lost else self.formula.written(style), " + ".join(products)]
        rows = [row for row in (*rows, style.number(self.gradient)) if row not in ("", slope(self.loss, self.node, style))]
        return [*dict.fromkeys(reversed(rows))][::-1]  # of equal rows only the last, so that the gradient stays at the end

    def _sum(self, style: Style) -> str:
        terms = [edge.product_in(style) for _, edge in self.shares]
        if len(terms) > MOST_SHARES:
            terms[MOST_SHARES - 1 : -1] = [r"\cdots" if style.tex else "…"]
        return " + ".join(terms)

    @property
    def formula(self) -> Symbol:
        """The gradient as one formula, with the rules filled in: the sum over the written paths."""
        return added([path.formula for path in self.paths]) if self.n_paths else as_symbol(self.gradient)

    def __str__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


def explain(node: Value, of: Value, *, digits: int | None = None) -> Explanation:
    """Trace the gradient of a node back to where it comes from.

    Args:
        node: a leaf or any other node of the graph.
        of: the result that is differentiated.
        digits: significant digits of the numbers, 1 to 17; by default 5, and 3 in a network.

    Returns:
        An explanation; print it, or read its `text`, `latex`, `ledger`, `shares` and `paths`.

    Raises:
        TypeError: for a constant; constants have no gradient.
        ValueError: for a node that does not take part in the result, or if a leaf was changed after the forward pass.

    >>> w = Value(3.0, label="w")
    >>> explain(w, of=w * 4 + w).ledger
    'w.grad = 1·1 + 1·4 = 5'
    """
    for thing in (node, of):
        if not isinstance(thing, Value):
            raise TypeError(f"{thing!r} is a constant, which has no gradient; explain takes Values")
    steps = Walk(of, n_digits=digits)
    if node not in steps.gradients:
        swapped = "; the result comes second, as in explain(w, of=loss)" * (of in {*nodes_below(node)})
        raise ValueError(f"{describe(node)} does not take part in {describe(of)}{swapped}")
    return Derivation(node, steps).explanation()


class Derivation:
    """Builds an explanation from a walk."""

    def __init__(self, node: Value, steps: Walk) -> None:
        self.node, self.steps, self.names = node, steps, steps.names
        self.on_path: set[Value] = set()
        self.n_paths = 0
        for other, n in self._counts():
            self.on_path.add(other)
            if other is steps.loss:
                self.n_paths = n

    def _counts(self) -> Iterator[tuple[Value, int]]:
        """Count, for each node on a path, the paths from it to the explained node; none leads through a condition."""
        yield self.node, 1
        counts = {self.node: 1}  # only of nodes still to be used: a count may have as many digits as the graph has nodes
        left = Counter(x for other in self.steps.order for x in other.inputs)
        for other in self.steps.order:
            n = sum(counts.get(x, 0) for x in other.inputs)
            for x in other.inputs:
                left[x] -= 1
                if not left[x]:
                    counts.pop(x, None)
            if n and not is_condition(other):
                counts[other] = n
                yield other, n

    def explanation(self) -> Explanation:
        """Return the explanation."""
        steps, names, loss = self.steps, self.names, self.steps.loss
        n_paths = self.n_paths if loss is not self.node else 0
        short = n_paths <= MOST_PATHS and len(self.on_path) * n_paths <= MOST_HOPS and len(names) <= MOST_NODES
        paths, where = self._paths() if short and n_paths else ((), ())
        return Explanation(
            node=names[self.node],
            loss=names[loss],
            gradient=steps.gradients[self.node],
            shares=tuple(self.shares()),
            n_paths=n_paths,
            paths=tuple(paths),
            where=tuple(where),
            digits=steps.notation.digits,
        )

    def shares(self) -> Iterator[Share]:
        """Iterate over the terms of the ledger, see `Explanation.shares`."""
        n = len(self.steps.order)
        for i, consumer in enumerate(reversed(self.steps.order)):
            if times := consumer.inputs.count(self.node):
                step = self.steps.unchecked(n + i)
                for k, edge in enumerate(step.edges):
                    if edge.input is self.node:
                        yield step, replace(self._with_operation(step, edge), name=edge.name + f" (operand {k})" * (times > 1))

    def _with_operation(self, step: Step, edge: Edge) -> Edge:
        """Return an edge, to be written with its operation if other paths lead from the consumer to the node too."""
        others = edge.input is self.node and any(x in self.on_path and x is not self.node for x in step.node.inputs)
        return replace(edge, operation=step.operation) if others else edge

    def settled(self, known: AbstractSet[Value]) -> dict[Value, bool]:
        """Return, for each node on a path, whether every path from it to the explained node contains a known node."""
        settled = {self.node: False}
        for other in self.steps.order:
            if other in self.on_path and other is not self.node:
                settled[other] = other in known or all(settled[x] for x in other.inputs if x in self.on_path)
        return settled

    def links(self, known: AbstractSet[Value]) -> Iterator[Link]:
        """Iterate over the edges that may be wrong, from the result on; edges with the rule 1, such as those of sums, cannot.

        Args:
            known: nodes whose claimed gradient is right, so that no edge between the result and them is in doubt.
        """
        settled = self.settled(known)
        tangents = tangents_of(self.node, self.steps.order)
        counts = dict(self._counts())
        arriving = Counter({self.steps.loss: 1})  # paths from the result to each node
        for step in self.steps[len(self.steps.order) :]:
            for edge in step.edges:
                if step.node in arriving and edge.input in self.on_path:
                    arriving[edge.input] += arriving[step.node]
                    if edge.rule != "1" and not settled[edge.input]:
                        everywhere = arriving[step.node] * counts[edge.input] == self.n_paths
                        yield Link(self._with_operation(step, edge), edge.contribution * tangents[edge.input], everywhere)

    def _paths(self) -> tuple[list[Path], list[tuple[str, Symbol]]]:
        # The labelled nodes are the stations of a path; if there are none between its two ends, all nodes are.
        between = [x for x in self.names if x in self.on_path and x is not self.steps.loss and x is not self.node]
        labelled = {x for x in between if x.label}
        stations = {self.steps.loss, self.node, *(labelled or between)}
        symbols = self._symbols(stations, named=set())
        paths = self._write(stations, symbols)
        repeated = self._repeated([path.formula for path in paths], symbols)
        if repeated:
            symbols = self._symbols(stations, named=repeated)
            paths = self._write(stations, symbols)
        return paths, self._definitions(paths, symbols)

    def _symbols(self, stations: set[Value], named: set[Value]) -> dict[Value, Symbol]:
        """Give each node the symbol that stands for it: its name, its number, or its formula written in place."""
        symbols = Symbols(self.names)
        for x in self.names:
            symbol = symbols[x]
            if x.primitive is None:
                is_shown_in_full = float(self.steps.notation.number(x.data).replace("∞", "inf")) == x.data
                # The explained node keeps its name, since a derivative with respect to v1 is taken of a formula with v1.
                if x.label is None and is_shown_in_full and x is not self.node:
                    symbol = as_symbol(x.data)
            elif x not in stations and x not in named and not x.label:
                formula = formula_of(x, symbols)
                symbol = formula if len(formula.text) <= LONGEST_PART else symbol
            symbols[x] = symbol
        return symbols

    def _write(self, stations: set[Value], symbols: Mapping[Value, Symbol]) -> list[Path]:
        """Write the paths from station to station; each hop is the sum over all ways between its two stations."""
        hops = {station: self._ways(station, stations, symbols) for station in stations}
        routes = list(self._routes(hops))
        longer = {(route[i], x) for route in routes for i in range(len(route)) for x in route[i + 2 :]}
        paths: list[Path] = []
        for route in routes:
            pairs = list(pairwise(route))
            factors = [merged([_term(rules, is_taken=flow is not None) for rules, flow in hops[a][b]]) for a, b in pairs]
            taken = [[flow for _, flow in hops[a][b] if flow is not None] for a, b in pairs]
            numbers = tuple(map(sum, taken)) if all(taken) else (0.0,)  # where one hop is not taken, nothing flows
            operations = tuple(formula_of(a, symbols) if (a, b) in longer else None for a, b in pairs)
            formula = _term(factors, is_taken=all(taken))
            paths.append(Path(tuple((self.names[a], self.names[b]) for a, b in pairs), formula, numbers, operations))
        return paths

    def _ways(self, start: Value, stations: set[Value], symbols: Mapping[Value, Symbol]) -> dict[Value, list[Way]]:
        """Return, for each station that can come next after `start`, the ways to it through no other station."""
        ways: dict[Value, list[Way]] = {}
        begun: list[tuple[Value, list[Symbol], float | None]] = [(start, [], 1.0)]
        while begun:
            node, rules, flow = begun.pop()
            if rules and node in stations:
                ways.setdefault(node, []).append((rules, flow))
                continue
            every = zip(node.inputs, rules_of(node, symbols), read(node).partials, strict=True)
            edges = [edge for edge in every if edge[0] in self.on_path]
            begun.extend((x, [*rules, rule], _times(flow, partial)) for x, rule, partial in reversed(edges))
        return ways

    def _routes(self, hops: Mapping[Value, dict[Value, Any]]) -> Iterator[tuple[Value, ...]]:
        """Iterate over the paths from the result to the node, as sequences of stations."""
        begun: list[tuple[Value, ...]] = [(self.steps.loss,)]
        while begun:
            route = begun.pop()
            if route[-1] is self.node:
                yield route
            else:
                begun.extend((*route, x) for x in reversed(hops[route[-1]]))

    def _repeated(self, formulas: Sequence[Symbol], symbols: Mapping[Value, Symbol]) -> set[Value]:
        """Find the nodes whose formulas are written in place more than once; they are better named."""
        times = Counter(id(part) for formula in formulas for part in parts(formula))
        return {x for x, symbol in symbols.items() if symbol.row is not None and times[id(symbol)] > 1}

    def _definitions(self, paths: Sequence[Path], symbols: Mapping[Value, Symbol]) -> list[tuple[str, Symbol]]:
        """Return the formulas of the names that the paths use, and of the names in these formulas, results first.

        A label that no path uses explains itself, such as those of the other neurons in a layer.
        """
        used = {part.name for path in paths for formula in (path.formula, *path.operations) for part in parts(formula)}
        mentioned: set[str] = set()  # in definitions
        definitions: list[tuple[str, Symbol]] = []
        for node in reversed(self.steps.order):
            name = self.names[node]
            is_needed = name in used or (name in mentioned and (node in self.on_path or not node.label))
            if is_needed:
                formula = formula_of(node, symbols)
                mentioned |= {part.name for part in parts(formula)}
                definitions.append((name, formula))
        return definitions


def tangents_of(x: Value, order: Sequence[Value]) -> dict[Value, float]:
    """Return ∂node/∂x for each node that depends on x, by forward mode on the recorded partial derivatives.

    >>> x = Value(3.0)
    >>> square = x * x
    >>> [*tangents_of(x, [square]).values()]
    [1.0, 6.0]
    """
    tangents = {x: 1.0}
    for node in order:
        known = [(tangents[x], p) for x, p in zip(node.inputs, read(node).partials, strict=True) if x in tangents]
        if known:
            tangents[node] = sum(tangent * partial for tangent, partial in known if partial is not None)
    return tangents


def _times(x: float | None, y: float | None) -> float | None:
    return None if x is None or y is None else x * y


def _term(factors: Sequence[Symbol], is_taken: bool) -> Symbol:
    """Multiply the rules along a path; one that is not taken contributes 0, even where the product would be 0·∞."""
    formula = product(factors)
    is_nan = formula.value is not None and math.isnan(formula.value)
    return as_symbol(0.0) if is_nan and not is_taken else formula


def _count(n: int) -> str:
    return f"{n:,}" if n < LONGEST_COUNT else f"about 10^{math.log10(n):.0f}"


def _wrapped(row: str, room: int) -> str:
    """Break a row of LaTeX between its terms, or factors of long terms, where it would be too wide."""
    lines, is_whole = list[str](), False  # whether the last line ends with a term that began there
    for term in _split(row, " + ", " - "):
        if is_whole and _width(lines[-1] + term) <= room:
            lines[-1] += term
            continue
        first = len(lines)
        for factors in _split(term, r" \cdot "):
            if len(lines) == first or _width(lines[-1] + factors) > room:
                lines.append("")
            lines[-1] += factors
        is_whole = len(lines) == first + 1
    return " \\\\\n&\\quad{}".join(map(str.strip, lines))


def _split(row: str, *signs: str) -> list[str]:
    """Split a row of LaTeX before each of these signs that is outside of all braces and parentheses.

    >>> _split(r"a + (b + c) - {d + e} + f", " + ", " - ")
    ['a', ' + (b + c)', ' - {d + e}', ' + f']
    """
    found, depth = [""], 0
    for token in re.split(rf"(\\left\(|\\right\)|[{{}}()]|{'|'.join(map(re.escape, signs))})", row):
        depth += (token in ("{", "(", r"\left(")) - (token in ("}", ")", r"\right)"))
        found += [""] * (token in signs and depth == 0)
        found[-1] += token
    return found


def _width(row: str) -> int:
    """Estimate the width of a row of LaTeX in characters; of two stacked parts, count the longer one.

    >>> _width("x^{(12)}_{1}"), _width("x^{2}_{1024}")
    (5, 5)
    """
    fraction = r"\\frac{(\\partial [^{}]*(?:{[^{}]*}[^{}]*)*)}{(\\partial [^{}]*(?:{[^{}]*}[^{}]*)*)}"
    for stacked in (r"\^{([^{}]*)}_{([^{}]*)}", fraction):
        row = re.sub(stacked, lambda m: max(m[1], m[2], key=len), row)
    return len(re.sub(r"\\[a-z]+|[{}^_\\ ]", lambda m: "x" if m[0] in (r"\partial", r"\cdot") else "", row))
