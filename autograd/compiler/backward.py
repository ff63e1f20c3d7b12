"""Backpropagation through a graph, as more nodes of the same graph.

The rules of a row are traced once for each kind of operands, as a small graph that is copied from then on.  The rule of `dot`
only selects operands, so it is applied to whole lists.  A list that is in several dots collects their δ, and its gradient is
Σ δᵤ·otherᵤ, element by element.  For a list of parameters with no other use that sum is not written out: it is an `Outer`,
which becomes a product of matrices.

>>> from autograd.value import Value
>>> w = [Value(0.5, label="w0"), Value(2.0, label="w1")]
>>> trace = Trace(lambda x: dot(w, x).tanh(), w, [(2,)])
>>> passes = differentiate(trace.graph, trace.outputs)
>>> print(passes.graph)
0: w0
1: w1
2: x0
3: x1
4: [0, 1]
5: [2, 3]
6: dot(4, 5)
7: tanh(6)
8: 1.0
9: multiply(7, 7)
10: subtract(8, 9)
>>> passes.forward, passes.outputs, passes.gradients.outers
(8, [7], [Outer(parameters=(0, 1), deltas=(10,), inputs=(5,))])
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress
from typing import Any, Final, NamedTuple, TypeAlias

from autograd.compiler.canonical import LEARNS, VARIES, VARIES_OR_ZERO, Canonical, canonical
from autograd.compiler.tracing import Graph, Trace, constant_key
from autograd.primitives import Primitive, add, dot, multiply, where
from autograd.risks import risks_of
from autograd.symbol import both, either, flows, read_flow

__all__ = ["Backward", "Gradients", "Outer", "Passes", "differentiate", "risks", "template"]

ONE_OPERAND: Final[Any] = (None,), (True,)  # it is not a constant, and it is wanted, or the node would have no gradient
Pair: TypeAlias = tuple[int, int]  # an upstream gradient and a partial derivative


class Outer(NamedTuple):
    """The gradient of parameters as Σ δᵤ·inputᵤ, still to be summed over a batch.

    Attributes:
        parameters: n of them.
        deltas: the nodes δᵤ.
        inputs: for each δᵤ the place of a list of n nodes.
    """

    parameters: tuple[int, ...]
    deltas: tuple[int, ...]
    inputs: tuple[int, ...]


@dataclass
class Gradients:
    """Where the gradient of each parameter is: the sum of all that is listed for it here, or 0.

    Attributes:
        nodes: for a parameter, the node to sum over the batch.
        outers: sums of products, for one or more parameters each.
    """

    nodes: dict[int, int] = field(default_factory=dict)
    outers: list[Outer] = field(default_factory=list)

    def places(self) -> list[int]:
        """Return all nodes that the gradients are made of."""
        return [*self.nodes.values(), *(i for outer in self.outers for i in (*outer.deltas, *outer.inputs))]

    def moved(self, places: Any) -> Gradients:
        """Return the gradients for a graph in which node i has the place ``places[i]``."""
        outers = [Outer(p, tuple([places[i] for i in d]), tuple([places[i] for i in x])) for p, d, x in self.outers]
        return Gradients({p: places[i] for p, i in self.nodes.items()}, outers)


class Passes(NamedTuple):
    """A program as a graph, which any machine can run.

    Attributes:
        graph: in canonical form.
        forward: the number of its nodes that the outputs need, which come first.
        outputs: the nodes that are wanted for each example.
        gradients: of the first output.
    """

    graph: Graph
    forward: int
    outputs: Sequence[int]
    gradients: Gradients

    @property
    def work(self) -> int:
        """The number of operands of all operations, with the lists of dots and outers written out."""
        operands = self.graph.operands
        sizes = [2 * len(operands[made_of[0]]) if row is dot else len(made_of)
                 for row, made_of in zip(self.graph.rows, operands, strict=True) if row is not None]  # fmt: skip
        return sum(sizes) + sum(2 * len(parameters) * len(deltas) for parameters, deltas, _ in self.gradients.outers)


def differentiate(graph: Graph, outputs: Sequence[int]) -> Passes:
    """Return the canonical form of a graph, and the gradient of its first output with respect to all parameters.

    The gradient of a node with a label gets one as well: that of ``net`` is ``∂net``.

    Args:
        graph: a trace.
        outputs: the nodes that are wanted for each example.
    """
    form = Canonical(graph)
    outputs = form.add(graph, outputs)
    forward = len(form)
    backward = Backward(form, outputs[0], risks(form, outputs[0]), first=graph.n_leaves)
    backward.through_operations(range(outputs[0], graph.n_leaves - 1, -1))
    gradients = backward.of_parameters()
    for index in (form.entered, form.known, form.depends):  # these only serve to add nodes; the program is finished
        index.clear()
    if not backward.is_risky:
        return Passes(form, forward, outputs, gradients)
    pruned, places = form.pruned(forward, gradients.places())  # most conditions turn out not to be needed
    return Passes(pruned, forward, outputs, gradients.moved(places))


class Template(NamedTuple):
    """A row's rules as a graph, with the conditions under which anything flows to its operands.

    The operands come first, then the result, then the nodes that the rules compute.

    Attributes:
        steps: for each of these nodes its row, or None for a list, and the places of its operands among all nodes so far; for
            a constant its number, and none.
        edges: for each wanted operand its place, that of the partial derivative, and that of the condition, or True.
    """

    steps: list[tuple[Any, tuple[int, ...]]]
    edges: list[tuple[int, int, Any]]


@functools.lru_cache(maxsize=4096)
def template(row: Primitive, constants: tuple[Any, ...], wanted: tuple[bool, ...], choices: bool) -> Template:
    """Trace the rules of a row.

    Args:
        row: a row of the table, or a user's.
        constants: for each operand the `constant_key` of its number; None if it is not a constant.
        wanted: the operands to differentiate with respect to.
        choices: whether the conditions are wanted too; otherwise they are True.
    """
    flow, n = flows(row, len(constants)), len(constants)
    which = [i for i in range(n) if wanted[i] and flow[i] is not False]

    def rules(*nodes: Any) -> list[Any]:
        operands = [x if c is None else float(c) for x, c in zip(nodes, constants, strict=False)]
        partials = row.partials(operands, nodes[-1], which)
        return [*partials, *(read_flow(row, i, operands, nodes[-1]) if choices else True for i in which)]

    trace = Trace(rules, [], [()] * (n + 1))
    graph, outputs = canonical(trace.graph, trace.outputs)
    conditions = [bool(graph.constants[i]) if i in graph.constants else i for i in outputs[len(which) :]]
    edges = [edge for edge in zip(which, outputs, conditions, strict=False) if edge[-1] is not False]
    steps = [(graph.constants.get(i, graph.rows[i]), graph.operands[i]) for i in range(graph.n_leaves, len(graph))]
    return Template(steps, edges)


@functools.cache
def _rules_of_dot(n: int) -> Sequence[Any]:
    """Return the partial derivatives of a dot with respect to its lists and the bias: the index of an operand, or a number.

    The rule only selects operands, so it can be applied to lists as if each were one operand.
    """
    return dot.gradient(tuple(range(n)), None)


class Backward:
    """The backward pass from a node, which finds the gradient of one node after the other.

    Args:
        form: the graph, to which the gradients are added.
        y: the node to differentiate.
        node_risks: what `risks` returns for the graph.
        first: the lowest node that `gradient` may be called with: beyond the leaves, if `of_parameters` finds their gradients.
    """

    def __init__(self, form: Canonical, y: int, node_risks: dict[int, int], first: int = 0) -> None:
        self.form, self.depends, self.constants, self.first = form, form.depends, form.constants, first
        self.one = form.constant(1.0)
        self.terms: dict[int, list[Pair]] = {y: [(self.one, self.one)]}
        self.uses: dict[int, tuple[list[int], list[int]]] = {}  # for each list, the δ and the other lists of its dots
        self.member: dict[int, list[tuple[int, int]]] = {}  # for each node the lists it is in, and its index there
        self.templates: dict[Any, Template] = {}
        self.reach: dict[int, Any] = {y: True}  # for nodes and lists the condition under which anything arrives
        self.hot: set[int] = set()  # nodes whose gradient may be infinite
        self.risks, self.is_risky = node_risks, any(node_risks.values())

    def through_operations(self, order: Iterable[int], *, past_zeros: bool = True) -> None:
        """Pass gradients on to operands, through nodes in descending order.

        Args:
            order: the nodes, from y down.
            past_zeros: whether to go on from a gradient that is the constant 0; otherwise only if 0·∞ may arise.
        """
        form, labels = self.form, {}
        for i in order:
            row = form.rows[i]
            if row is None or not self.depends[i] & LEARNS or (i not in self.terms and i not in self.member):
                continue
            delta = self.gradient(i)
            if self.constants.get(delta) == 0 and not (past_zeros or self.is_risky):
                continue
            if i in form.labels and form.rows[delta] is not None:
                labels[i] = delta
            self.through(i, row, delta)
        for i in sorted(labels):
            form.labels.setdefault(labels[i], f"∂{form.labels[i]}")

    def gradient(self, i: int) -> int:
        """Return the gradient of a node, the sum of all contributions that arrived."""
        pairs, sources = self.terms.pop(i, []), self.member.get(i, ())
        if not pairs and len(sources) == 1:  # measured: this case saves 8 % of the wait for an LSTM or a small GPT
            deltas, factors = self.factors(*sources[0])
            if self.constants.keys().isdisjoint(factors):  # Σ factor·δ, as in Wᵀδ
                return self.form.sum_of(factors, deltas)
        return self.sum(pairs + self.from_lists(i) if sources else pairs)

    def factors(self, place: int, k: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the δ of all dots that a list is in, and the factors of its element k there."""
        deltas, others = self.uses[place]
        operands = self.form.operands
        return tuple(deltas), tuple([operands[other][k] for other in others])

    def from_lists(self, i: int) -> list[Pair]:
        """Return the contributions that arrive at a node through the lists it is in."""
        return [pair for place, k in self.member.get(i, ()) for pair in zip(*self.factors(place, k), strict=True)]

    def sum(self, pairs: Sequence[Pair]) -> int:
        """Return the node of Σ upstream·partial, in which constants are already multiplied and added."""
        constants, number = self.constants, 0.0
        products: list[tuple[int, int]] = []
        addends: list[int] = []
        for upstream, partial in pairs:
            if upstream in constants:
                upstream, partial = partial, upstream
            if partial not in constants:
                products.append((upstream, partial))
            elif upstream in constants:
                number += constants[upstream] * constants[partial]
            elif constants[partial] == 1:
                addends.append(upstream)
            else:
                products.append((partial, upstream))
        if number or not (products or addends):
            addends.append(self.form.constant(number))
        return self.form.sum(products, addends)

    def _twice(self, x: int) -> int:
        return self.sum([(self.form.constant(2.0), x)])

    def through(self, i: int, row: Primitive, delta: int) -> None:
        """Pass a node's gradient on to its operands."""
        form, risk = self.form, 2 if i in self.hot else self.risks.get(i, 0)
        reach = self._reach(i) if self.is_risky else True
        if row is dot:
            self._through_dot(form.operands[i], delta, risk, reach)
            return
        operands = form.operands[i]
        if row is multiply and operands[0] == operands[1]:
            self.arrive(operands[0], delta, self._twice(operands[0]), reach, risk)
            return
        steps, edges = self._template(row, operands)
        place = [*operands, i]
        for made, made_of in steps:
            if not made_of:
                place.append(made)
                continue
            inputs = tuple([place[j] for j in made_of])
            place.append(form.listed(inputs) if made is None else form.node(made, inputs))
        for k, partial, flow in edges:
            condition = reach if flow is True else self._both(reach, place[flow])
            self.arrive(operands[k], delta, place[partial], condition, risk)

    def _template(self, row: Primitive, operands: Sequence[int]) -> Template:
        """Return the rules of a row at these operands, with the places of constants in place of the numbers."""
        constants, wanted = ONE_OPERAND
        if len(operands) > 1:
            constants = tuple([constant_key(self.form.constants[j]) if j in self.form.constants else None for j in operands])
            wanted = tuple([self.depends[j] & LEARNS > 0 for j in operands])
        key = row, constants, wanted
        if key not in self.templates:
            steps, edges = template(*key, self.is_risky)
            steps = [(made if made_of else self.form.constant(made), made_of) for made, made_of in steps]
            self.templates[key] = Template(steps, edges)
        return self.templates[key]

    def _through_dot(self, operands: tuple[int, ...], delta: int, risk: int, reach: Any) -> None:
        form, rules = self.form, _rules_of_dot(len(operands))
        for j, partial in zip(operands[2:], rules[2:], strict=True):
            self.arrive(j, delta, form.constant(float(partial)), reach, risk)
        is_square = operands[0] == operands[1]
        for k in (0,) if is_square else (0, 1):
            place, other, upstream = operands[k], operands[rules[k]], self._twice(delta) if is_square else delta
            if not self.depends[place] & LEARNS:
                continue
            if delta in self.constants or risk:
                for j, partial in zip(form.operands[place], form.operands[other], strict=True):
                    self.arrive(j, upstream, partial, reach, risk)
                continue
            if place not in self.uses:
                self.uses[place] = [], []
                for at, j in enumerate(form.operands[place]):
                    if j >= self.first and self.depends[j] & LEARNS:
                        self.member.setdefault(j, []).append((place, at))
            if self.is_risky:
                self.reach[place] = self._either(self.reach.get(place, False), reach)
            self.uses[place][0].append(upstream)
            self.uses[place][1].append(other)

    def arrive(self, j: int, upstream: int, partial: int, condition: Any, risk: int) -> None:
        """Add the contribution that arrives at a node along one edge.

        Args:
            j: the node.
            upstream: the gradient of the operation.
            partial: the partial derivative.
            condition: the node of the condition under which anything flows, or a bool.
            risk: the risk of the partial derivatives, see `autograd.risks`; 2 also if upstream may be infinite.
        """
        if not self.depends[j] & LEARNS or condition is False:
            return
        pair = upstream, partial
        if risk and condition is not True:
            pair = self.form.node(where, (condition, self.sum([pair]), self.form.constant(0.0))), self.one
        elif risk < 2 and self.constants.get(partial) == 0:  # if upstream may be infinite, 0·∞ has to stay NaN
            pair = partial, partial
        self.terms.setdefault(j, []).append(pair)
        if self.is_risky:
            self.reach[j] = self._either(self.reach.get(j, False), condition)
        if risk == 2:
            self.hot.add(j)

    def _reach(self, i: int) -> Any:
        """Return the condition under which anything arrives at a node, along its edges or through the lists it is in."""
        condition = self.reach.get(i, False)
        for place, _ in self.member.get(i, ()):
            condition = self._either(condition, self.reach[place])
        return condition

    def _both(self, one: Any, other: Any) -> Any:
        return both(one, other, lambda x, y: self.form.node(multiply, (x, y)))

    def _either(self, one: Any, other: Any) -> Any:
        return either(one, other, lambda x, y: self.form.node(add, (x, y)))

    # The parameters.

    def of_parameters(self) -> Gradients:
        """Return the gradients of the parameters, which come last."""
        operands, n = self.form.operands, len(self.form.parameters)
        uses = [place for place in self.uses if min(operands[place]) < n]
        varying = {place for place in uses if any(map(self._varies, zip(*self.uses[place], strict=True)))}
        counts = Counter(chain.from_iterable([operands[place] for place in varying]))
        # Nodes with varying contributions from several places.  A parameter may be in one outer only; `_of_one` makes theirs.
        shared = {j for j, count in counts.items() if count > 1}
        shared.update(j for j, pairs in self.terms.items() if any(map(self._varies, pairs)))
        structured = {place for place in varying if max(operands[place]) < n and shared.isdisjoint(operands[place])}
        found = Gradients()
        for place in uses:
            rest = self._of_list(place, found) if place in structured else range(len(operands[place]))
            for k in rest:
                if operands[place][k] < n:
                    self.member.setdefault(operands[place][k], []).append((place, k))
        for j in sorted(j for j in {*self.terms, *self.member} if j < n):
            self._of_one(j, self.terms.get(j, []) + self.from_lists(j), found)
        return found

    def _varies(self, pair: Pair) -> bool:
        """Return whether both factors of a contribution depend on an input."""
        return bool(self.depends[pair[0]] & self.depends[pair[1]] & VARIES)

    def _of_list(self, place: int, found: Gradients) -> Sequence[int]:
        """Find the gradient of a list of parameters whose contributions vary only here; return the indices left over."""
        parameters = self.form.operands[place]
        deltas, others = map(tuple, self.uses[place])
        if not all(self.depends[delta] & VARIES for delta in deltas):
            return range(len(parameters))
        if all(self.depends[other] & VARIES_OR_ZERO for other in others):
            found.outers.append(Outer(parameters, deltas, others))
            return ()
        columns = [*zip(*map(self.form.operands.__getitem__, others), strict=True)]
        varying = [all(self.depends[j] & VARIES_OR_ZERO for j in column) for column in columns]
        if any(varying):
            inputs = zip(*compress(columns, varying), strict=True)
            found.outers.append(Outer(tuple(compress(parameters, varying)), deltas, tuple(map(self.form.listed, inputs))))
        return [k for k, varies in enumerate(varying) if not varies]

    def _of_one(self, parameter: int, pairs: Sequence[Pair], found: Gradients) -> None:
        """Find the gradient of a parameter, still to be summed over a batch."""
        varying = [pair for pair in pairs if self._varies(pair)]
        if varying:
            deltas, factors = zip(*varying, strict=True)
            found.outers.append(Outer((parameter,), deltas, tuple([self.form.listed((x,)) for x in factors])))
        gradient = self.sum([pair for pair in pairs if not self._varies(pair)])
        if self.constants.get(gradient) != 0:
            found.nodes[parameter] = gradient


def risks(graph: Graph, y: int) -> dict[int, int]:
    """Return the risk of the partial derivatives of each node up to y where it is not 0; see `autograd.risks`."""
    kinds = [(row, n) for row, n in {*zip(graph.rows, map(len, graph.operands), strict=True)} if row is not None]
    nodes = ((i, row, graph.flat(i)) for i, row in enumerate(graph.rows[: y + 1]) if row is not None)
    return risks_of(kinds, nodes, graph.constants)
