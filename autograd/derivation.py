"""Where a gradient comes from: its ledger, and its derivation as a textbook writes it.

The gradient of a node is a sum over the paths from the result to it, of products along each path.  The ledger is that sum
grouped by the last edge, as backpropagation computes it; the derivation writes the paths out, in names, rules and numbers.

>>> w, x, t = Value(0.5, label="w"), Value(2.0, label="x"), Value(1.0, label="t")
>>> r = (w * x).sigmoid()
>>> E = (t - r) ** 2 / 2
>>> r.label, E.label = "r", "E"
>>> print(explain(w, of=E))
w.grad = (-0.052877)·2 = -0.10575
    (-0.052877)·2 from v1 = w·x: δ = ∂E/∂v1 = -0.052877 times ∂v1/∂w = x = 2
∂E/∂w = ∂E/∂r · ∂r/∂w
      = -(t - r)·r·(1 - r)·x
      = (-0.26894)·0.39322
      = -0.10575
where r = σ(w·x)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from autograd.manners import describe
from autograd.steps import Edge, Walk
from autograd.symbol import Symbol, as_symbol, digits, latex_name
from autograd.value import Value

__all__ = ["MOST_SHARES", "Derivation", "Explanation", "Share", "explain"]

MOST_PATHS = 8  # more are counted, not written out
MOST_HOPS = 60  # edges on all written paths together
MOST_NODES = 5_000  # of the whole graph
MOST_SHARES = 8  # terms of the ledger that are written
LONGEST_PART = 24  # characters of a part that is written in place rather than by name
COUNTED = 1_000_000  # paths are counted up to here


@dataclass(frozen=True, slots=True)
class Share:
    """One term of a ledger: what one use of the node adds to its gradient.

    Attributes:
        consumer: the node that uses it.
        name: the consumer's name.
        formula: the consumer's operation.
        delta: the gradient at the consumer.
        edge: the edge that the contribution flows along, with rule, partial derivative and contribution.
    """

    consumer: Value
    name: str
    formula: str
    delta: float
    edge: Edge

    @property
    def product(self) -> str:
        """The term as numbers, ``4·3``; 0 along a branch that is not taken."""
        return f"{_factor(self.delta)}·{_factor(self.edge.partial)}" if self.edge.taken else "0"


@dataclass(frozen=True, slots=True)
class Link:
    """An edge on a path: its consumer's name, the part of the gradient that goes along it, and if all of it does."""

    name: str
    edge: Edge
    flow: float
    everywhere: bool

    def __str__(self) -> str:
        rule = " = ".join(dict.fromkeys((self.edge.rule, digits(self.edge.partial))))
        return f"∂{self.name}/∂{self.edge.name} = {rule}"


@dataclass(frozen=True, slots=True)
class Path:
    """A way from the result to the node, over the nodes that have a name; each hop with its formula and its number."""

    hops: tuple[tuple[str, str], ...]
    formula: Symbol
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a gradient comes from; `str` and `text` write it, `latex` too, and Jupyter shows it as mathematics.

    Attributes:
        node, loss: the names of the node and of the result.
        gradient: ∂loss/∂node.
        shares: the ledger's terms, in the sequence in which they are added.
        n_paths: the number of paths from the result to the node, counted up to a million.
        paths: the paths written out, none where there are too many.
        where: the names that the derivation uses for parts, with their formulas.
    """

    node: str
    loss: str
    gradient: float
    shares: tuple[Share, ...]
    n_paths: int
    paths: tuple[Path, ...]
    where: tuple[tuple[str, Symbol], ...]

    @property
    def ledger(self) -> str:
        """The sum of the contributions, ``w.grad = 4·3 + 1·1 = 13``."""
        terms = [share.product for share in self.shares]
        if len(terms) > MOST_SHARES:
            terms[MOST_SHARES - 1 : -1] = ["…"]
        parts = [f"{self.node}.grad", " + ".join(terms), digits(self.gradient)]
        return " = ".join(part for part in parts if part)

    @property
    def text(self) -> str:
        """The ledger, then the derivation: the paths in names, with the rules put in, and in numbers."""
        lines = [self.ledger]
        for share in self.shares[:MOST_SHARES]:
            edge = share.edge
            partial = f"∂{share.name}/∂{self.node} = {' = '.join(dict.fromkeys((edge.rule, digits(edge.partial))))}"
            origin = f"{share.name} = {share.formula}: δ = ∂{self.loss}/∂{share.name} = {digits(share.delta)}"
            lines.append(f"    {share.product} from {origin} times {partial}")
        if len(self.shares) > MOST_SHARES:
            lines.append(f"    … and {len(self.shares) - MOST_SHARES} more")
        head = f"∂{self.loss}/∂{self.node}"
        if not self.paths:
            count = f"more than {COUNTED:,}" if self.n_paths >= COUNTED else f"{self.n_paths:,}"
            why = f"is a sum over {count} paths, too many to write out" if self.n_paths else f"= {digits(self.gradient)}"
            return "\n".join([*lines, f"{head} {why}"])
        rows = [" + ".join(" · ".join(f"∂{a}/∂{b}" for a, b in path.hops) for path in self.paths)]
        rows += [self.formula.text, _sum_of(_product_of(path.numbers) for path in self.paths), digits(self.gradient)]
        rows = [row for row, before in zip(rows, [head, *rows], strict=False) if row != before]
        lines += [f"{head if i == 0 else ' ' * len(head)} = {row}" for i, row in enumerate(rows)]
        if self.where:
            lines += [f"{'where' if i == 0 else '     '} {name} = {part.text}" for i, (name, part) in enumerate(self.where)]
        return "\n".join(lines)

    @property
    def latex(self) -> str:
        """The derivation in LaTeX's mathematics mode; the ledger where the paths are too many."""

        def ratio(a: str, b: str) -> str:
            return rf"\frac{{\partial {latex_name(a)}}}{{\partial {latex_name(b)}}}"

        head, total = ratio(self.loss, self.node), _latex_number(self.gradient)
        if self.paths:
            rows = [" + ".join(r" \cdot ".join(ratio(a, b) for a, b in path.hops) for path in self.paths)]
            numbers = _sum_of(_product_of(path.numbers) for path in self.paths)
            rows += [self.formula.latex, _latex_text(numbers), total]
        else:
            terms = [_latex_text(share.product) for share in self.shares]
            if len(terms) > MOST_SHARES:
                terms[MOST_SHARES - 1 : -1] = [r"\cdots"]
            rows = [" + ".join(terms), total]
        rows = [row for row, before in zip(rows, [head, *rows], strict=False) if row and row != before]
        body = [f"{head if i == 0 else ''} &= {row}" for i, row in enumerate(rows)]
        body += [rf"{latex_name(name)} &= {formula.latex}" for name, formula in self.where]
        return "\\begin{aligned}\n" + " \\\\\n".join(body) + "\n\\end{aligned}"

    @property
    def formula(self) -> Symbol:
        """The gradient as one formula, the rules put in: the sum over the written paths."""
        first, *rest = [path.formula for path in self.paths]
        for formula in rest:
            first = first + formula
        return first

    def __str__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


def explain(node: Value, of: Value) -> Explanation:
    """Say where the gradient of a node comes from.

    Args:
        node: a leaf or any other node of the graph.
        of: the result that is differentiated.

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
    steps = Walk(of)
    if node not in steps.gradients:
        raise ValueError(f"{describe(node)} does not take part in {describe(of)}")
    return Derivation(node, steps).explanation()


class Derivation:
    """The making of an explanation, from a walk."""

    def __init__(self, node: Value, steps: Walk) -> None:
        self.node, self.steps, self.names = node, steps, steps.names
        # How many paths lead from each node to the one to be explained; the nodes that are on a path are the keys.
        self.count: dict[Value, int] = {node: 1}
        for other in steps.order:
            if other is not node and (n := sum(self.count.get(x, 0) for x in other.inputs)):
                self.count[other] = min(n, COUNTED)

    def explanation(self) -> Explanation:
        """Put the explanation together."""
        steps, names, loss = self.steps, self.names, self.steps.loss
        n_paths = self.count[loss]
        short = n_paths <= MOST_PATHS and len(self.count) * n_paths <= MOST_HOPS and len(names) <= MOST_NODES
        paths, where = self._paths() if short and loss is not self.node else ((), ())
        return Explanation(
            node=names[self.node],
            loss=names[loss],
            gradient=steps.gradients[self.node],
            shares=tuple(self._shares()),
            n_paths=n_paths if loss is not self.node else 0,
            paths=tuple(paths),
            where=tuple(where),
        )

    def _shares(self) -> Iterator[Share]:
        n = len(self.steps.order)
        for i, consumer in enumerate(reversed(self.steps.order)):
            if self.node in consumer.inputs:
                step = self.steps[n + i]
                assert step.delta is not None
                for edge in step.edges:
                    if edge.input is self.node:
                        yield Share(consumer, step.name, step.formula, step.delta, edge)

    def links(self, known: AbstractSet[Value]) -> Iterator[Link]:
        """Go through the edges on the paths, results first; plain sums, which pass on what arrives, are passed over.

        Args:
            known: nodes whose gradient is not in doubt, nor is then any edge before them.
        """
        tangents, settled = {self.node: 1.0}, {self.node: False}  # ∂other/∂node; whether all ways on lead to a known node
        for other in self.steps.order:
            if other in self.count and other is not self.node:
                pairs = [(x, p) for x, p in zip(other.inputs, _taken(other), strict=True) if x in self.count]
                tangents[other] = sum(tangents[x] * partial for x, partial in pairs if partial is not None)
                settled[other] = other in known or all(settled[x] for x, _ in pairs)
        ways = Counter({self.steps.loss: 1})  # from the result to each node
        for step in self.steps[len(self.steps.order) :]:
            for edge in step.edges:
                if step.node in ways and edge.input in self.count:
                    ways[edge.input] += ways[step.node]
                    if edge.rule != "1" and not settled[edge.input]:
                        everywhere = ways[step.node] * self.count[edge.input] == self.count[self.steps.loss]
                        yield Link(step.name, edge, edge.contribution * tangents[edge.input], everywhere)

    def _paths(self) -> tuple[list[Path], list[tuple[str, Symbol]]]:
        # Nodes with labels are the stations of a path; without any label between the two ends, all nodes are.
        between = [x for x in self.count if x is not self.steps.loss and x is not self.node]
        labelled = {x for x in between if x.label and self.names[x] == x.label}
        stations = {self.steps.loss, self.node, *(labelled or between)}
        symbols = self._symbols(stations, named=set())
        paths = self._write(stations, symbols)
        repeated = self._repeated([path.formula for path in paths], symbols, stations)
        if repeated:
            symbols = self._symbols(stations, named=repeated)
            paths = self._write(stations, symbols)
        return paths, self._definitions(paths, symbols, stations | repeated)

    def _symbols(self, stations: set[Value], named: set[Value]) -> dict[Value, Symbol]:
        """Give each node the symbol that stands for it: its name, its number, or its formula written in place."""
        symbols: dict[Value, Symbol] = {}
        for x, name in self.names.items():
            symbol = Symbol(name, x.data)
            if x.primitive is None:
                if x.label is None and float(digits(x.data).replace("∞", "inf")) == x.data:
                    symbol = Symbol(digits(x.data), x.data)
            elif x not in stations and x not in named and x.label != name:
                formula = self._formula(x, symbols)
                symbol = formula if len(formula.text) <= LONGEST_PART else symbol
            symbols[x] = symbol
        return symbols

    def _formula(self, node: Value, symbols: Mapping[Value, Symbol]) -> Symbol:
        assert node.primitive is not None
        return as_symbol(node.primitive.apply([symbols[x] if isinstance(x, Value) else x for x in node.operands]))

    def _write(self, stations: set[Value], symbols: Mapping[Value, Symbol]) -> list[Path]:
        """Write the paths over the stations; between two stations, the sum over all ways without a station."""
        hops: dict[Value, dict[Value, list[tuple[list[Symbol], float | None]]]] = {}
        for station in stations:
            ways: list[tuple[Value, list[Symbol], float | None]] = [(station, [], 1.0)]
            found: dict[Value, list[tuple[list[Symbol], float | None]]] = {}
            while ways:
                node, factors, product = ways.pop()
                if node is self.node or (factors and node in stations):
                    if factors:
                        found.setdefault(node, []).append((factors, product))
                    continue
                edges = [(x, *rest) for x, *rest in self._edges(node, symbols) if x in self.count]
                ways.extend((x, [*factors, rule], _times(product, partial)) for x, rule, partial in reversed(edges))
            hops[station] = found
        paths: list[Path] = []
        routes: list[tuple[Value, ...]] = [(self.steps.loss,)]
        while routes:
            route = routes.pop()
            if route[-1] is not self.node:
                routes.extend((*route, x) for x in reversed(hops[route[-1]]))
                continue
            pairs = list(pairwise(route))
            factors = [_sum([_product(way) for way, _ in hops[a][b]]) for a, b in pairs]
            taken = [[product for _, product in hops[a][b] if product is not None] for a, b in pairs]
            numbers = tuple(map(sum, taken)) if all(taken) else (0.0,)  # one hop that is not taken, and nothing flows
            paths.append(Path(tuple((self.names[a], self.names[b]) for a, b in pairs), _product(factors), numbers))
        return paths

    def _edges(self, node: Value, symbols: Mapping[Value, Symbol]) -> Iterator[tuple[Any, ...]]:
        """Go through a node's edges: the operand, the partial derivative as a formula, and its number, see `_taken`."""
        row = node.primitive
        assert row is not None
        which = [i for i, x in enumerate(node.operands) if isinstance(x, Value)]
        operands = [symbols[x] if isinstance(x, Value) else x for x in node.operands]
        rules = row.partials(operands, symbols[node], which)
        yield from zip(node.inputs, map(as_symbol, rules), _taken(node), strict=True)

    def _repeated(self, formulas: Sequence[Symbol], symbols: Mapping[Value, Symbol], stations: set[Value]) -> set[Value]:
        """Find the parts that are written in place more than once; they are better named."""
        places = {id(symbols[x]): x for x in symbols if symbols[x].row is not None and x not in stations}
        seen: dict[Value, int] = {}
        for formula in formulas:
            for part in _parts(formula):
                if id(part) in places:
                    seen[places[id(part)]] = seen.get(places[id(part)], 0) + 1
        return {x for x, times in seen.items() if times > 1}

    def _definitions(
        self, paths: Sequence[Path], symbols: Mapping[Value, Symbol], named: set[Value]
    ) -> list[tuple[str, Symbol]]:
        """Give the formulas of the names that the paths use, and of the names that these use, results first."""
        used = {part.name for path in paths for part in _parts(path.formula)}
        definitions: list[tuple[str, Symbol]] = []
        for node in reversed(self.steps.order):
            if self.names[node] in used and symbols[node].row is None:
                formula = self._formula(node, symbols)
                used |= {part.name for part in _parts(formula)} if node in named or not node.label else set()
                definitions.append((self.names[node], formula))
        return definitions


def _taken(node: Value) -> list[float | None]:
    """Return the partial derivatives of a node, None along a branch that is not taken."""
    return [partial if taken else None for partial, taken in zip(node.partials, node.taken, strict=True)]


def _times(x: float | None, y: float | None) -> float | None:
    return None if x is None or y is None else x * y


def _product(factors: Sequence[Symbol]) -> Symbol:
    """Multiply formulas; numbers and signs are collected in front."""
    coefficient, others = 1.0, list[Any]()
    waiting = list(reversed(factors))
    while waiting:
        factor: Any = waiting.pop()
        if not isinstance(factor, Symbol):
            coefficient *= factor
        elif factor.row is None and factor.value is not None and factor.name == digits(factor.value):
            coefficient *= factor.value
        elif factor.row is not None and factor.row.infix == "*":
            waiting.extend(reversed(factor.operands))
        elif factor.row is not None and factor.row.infix == "-" and len(factor.operands) == 1:
            coefficient = -coefficient
            waiting.append(factor.operands[0])
        else:
            others.append(factor)
    if not others:
        return as_symbol(coefficient)
    product: Any = -others[0] if coefficient == -1 else others[0] if coefficient == 1 else coefficient * others[0]
    for factor in others[1:]:
        product = product * factor
    return as_symbol(product)


def _sum(terms: Sequence[Symbol]) -> Symbol:
    out: Any = terms[0]
    for term in terms[1:]:
        out = out + term
    return as_symbol(out)


def _parts(formula: Any) -> Iterator[Symbol]:
    """Go through a formula and all its parts; a square's base, which is written once, counts once."""
    waiting = [formula]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Symbol):
            yield part
            squared = len(part.operands) == 2 and part.operands[0] is part.operands[1]
            waiting.extend(part.operands[: 1 if squared else None])


def _factor(x: float) -> str:
    text = digits(x)
    return f"({text})" if text.startswith("-") else text


def _product_of(numbers: Sequence[float]) -> str:
    return "·".join(_factor(x) for x in numbers)


def _sum_of(terms: Iterator[str]) -> str:
    return " + ".join(terms)


def _latex_number(x: float) -> str:
    return as_symbol(x).latex


def _latex_text(text: str) -> str:
    return text.replace("·", r" \cdot ").replace("∞", r"\infty").replace("NaN", r"\text{NaN}")
