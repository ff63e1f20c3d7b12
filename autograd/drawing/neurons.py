"""A network described neuron by neuron, as lectures draw it.

A neuron is a weighted sum, one `dot`, and its only consumer, if that is an operation on one operand.  Both are one box
with net input z, output a and δ = ∂loss/∂z; inputs are circles, even where they are plain numbers.  A weight stands on its
arrow with its gradient, and under it the product δ·w that flows back.  Neurons with the same inputs are a layer, one column; a
layer that is too long to be read is condensed to its first neurons, a note and its last.  In a recurrent network each time
step has a column of its own.  Everything else, such as the loss, is drawn node by node.  `Notation.neurons` recognises neurons
by their form only, so a network need not be made of modules.

>>> from autograd.primitives import dot, tanh
>>> w, b = Value(0.5, label="w"), Value(-0.4, label="b")
>>> loss = (tanh(dot([w], [2.0], b)) - 1) ** 2
>>> plan = describe_neurons(Notation(loss))
>>> [(node.kind, [line.text for line in node.lines]) for node in plan.nodes[:2]]
[('input', ['x₀ = 2']), ('neuron', ['v2 tanh', 'net = 0.6', 'out = 0.537', 'b = -0.4'])]
>>> plan.edges[0].source, plan.edges[0].target, plan.edges[0].label
('n0', 'n1', '0.5')
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

from autograd.drawing.nodes import (
    arrow_emphasis,
    box_emphasis,
    describe_nodes,
    gradient_line,
    hint_of,
    local_edge,
    notes_of,
    plain_box,
)
from autograd.drawing.plan import Edge, Flow, Line, Node, Plan
from autograd.drawing.size import refuse_unreadable, too_large
from autograd.moments import Moment
from autograd.notation import Notation, dot_operands
from autograd.primitives import add
from autograd.value import Value
from autograd.writing import SUBSCRIPTS

__all__ = ["Neuron", "describe_neurons", "describer"]

LONGEST_COLUMN = 8  # neurons or inputs side by side, and copies of the network for several examples
MOST_ARROWS = 16  # between two columns
SHOWN = 3  # of what is condensed: the first two, and the last
MOST_FLOWS = 8  # arrows between two columns that show what flows back in a still picture


class Constant(NamedTuple):
    """An input that is a plain number: its place and the number."""

    place: int
    value: float


Input = Value | Constant
Layer = tuple[Input, ...]  # the inputs that its neurons share


@dataclass(frozen=True, eq=False)
class Neuron:
    """A weighted sum, and the node that is its output: the sum itself for a linear neuron."""

    net: Value
    out: Value

    @cached_property
    def weights(self) -> tuple[Value | float, ...]:
        """The weights; the same in the copies of a neuron for several examples."""
        return dot_operands(self.net)[0]

    @cached_property
    def inputs(self) -> Layer:
        """The inputs; the same in all neurons of a layer."""
        return tuple(x if isinstance(x, Value) else Constant(i, x) for i, x in enumerate(dot_operands(self.net)[1]))

    @property
    def bias(self) -> Value | float | None:
        """The bias, if there is one."""
        return self.net.operands[-1] if len(self.net.operands) % 2 else None

    @property
    def nodes(self) -> tuple[Value, ...]:
        """Its nodes: net input and output, or one that is both."""
        return (self.net,) if self.out is self.net else (self.net, self.out)

    def place(self, i: int) -> int:
        """Return the place of the i-th input, a node, among the inputs of `net`."""
        return sum(isinstance(x, Value) for x in self.net.operands[: len(self.weights) + i])


def describe_neurons(notation: Notation, moment: Moment | None = None, *, limit: int = 150) -> Plan:
    """Describe a network neuron by neuron.

    Args:
        notation: the graph with its names.
        moment: the state to show; by default the graph with the gradients that a backward pass has left in it.
        limit: the largest number of boxes.

    Raises:
        ValueError: if there is no neuron, or if the picture would be too large to be read.
    """
    network = _Network(notation, moment)
    if not network.neurons:
        raise ValueError("there is no neuron in this graph, that is, no dot(weights, inputs, bias) whose weights are leaves; "
                         "draw it by nodes, with draw(loss)")  # fmt: skip
    network.add_boxes()
    if len(network.nodes) > limit:
        raise too_large(f"it has {len(network.nodes):,} boxes", limit, len(network.nodes))
    network.add_arrows()
    notes = notes_of(notation)[:1] if moment is None else notation.notes
    columns = tuple(tuple(ids) for ids in network.columns.values() if len(ids) > 1)
    title = f"Network of {notation.names[notation.loss]}, neuron by neuron"
    return Plan(title, tuple(network.nodes.values()), tuple(network.edges.values()), (*network.notes, *notes), columns)


def describer(loss: Value, view: str, limit: int) -> Callable[[Notation, Moment | None], Plan]:
    """Return the function that describes a graph in a view, "nodes" or "neurons".

    Raises:
        ValueError: if there is no such view, or if the graph has too many nodes for the view by nodes.
    """
    if view == "neurons":
        return partial(describe_neurons, limit=limit)
    if view != "nodes":
        raise ValueError(f"there is no view {view!r}; view is 'nodes' or 'neurons'")
    refuse_unreadable(loss, limit)
    return describe_nodes


class _Network:
    """The boxes and arrows of one picture, while they are put together."""

    def __init__(self, notation: Notation, moment: Moment | None) -> None:
        self.notation, self.moment = notation, moment
        self.neurons = [Neuron(net, out) for net, out in notation.neurons.items()]
        self.owner = {node: neuron for neuron in self.neurons for node in (neuron.net, neuron.out)}
        self.layers: dict[Layer, list[Neuron]] = {}
        self.copies: dict[tuple[Value | float, ...], list[Layer]] = {}  # by the weights of the first neuron
        self.depth: dict[Value, int] = {}  # the most neurons on a path to a node: time steps share weights, not columns
        for node in notation.order:
            self.depth[node] = max(self.depth.get(x, 0) for x in node.inputs) + (node in notation.neurons)
        for neuron in self.neurons:
            layer = self.layers.setdefault(neuron.inputs, [])
            layer.append(neuron)
            if len(layer) == 1:
                self.copies.setdefault(neuron.weights, []).append(neuron.inputs)
        self.hidden: set[Value] = set()  # nodes without a box of their own
        self.nodes: dict[str, Node] = {}
        self.columns: dict[Hashable, list[str]] = {}
        self.place: dict[Hashable, str] = {}  # the boxes of nodes, of constants in a layer, and of what is hidden
        self.edges: dict[tuple[str, str, Hashable], Edge] = {}
        self.notes: list[str] = []

    def _shown(self) -> set[Hashable]:
        """Choose the neurons and inputs that are shown: all of a column, or the first ones and the last if it is long."""
        free = {layer: [x for x in layer if not isinstance(x, Value) or x.primitive is None] for layer in self.layers}
        n_neurons, n_inputs = self._lengths(free)
        chosen: set[Hashable] = set()
        tallest: dict[int, int] = {}  # by the number of copies: layers with equally many show the same examples
        for layers in self.copies.values():
            n = len(layers)
            tallest[n] = max(tallest.get(n, 1), n_neurons[layers[0]], n_inputs[layers[0]])
        for layers in self.copies.values():
            for layer in _condensed(layers, max(SHOWN, LONGEST_COLUMN // tallest[len(layers)])):
                chosen.update(_condensed(self.layers[layer], n_neurons[layer]))
                chosen.update(_key(x, layer) for x in _condensed(free[layer], n_inputs[layer]))
        return chosen

    def _lengths(self, free: Mapping[Layer, Sequence[Input]]) -> tuple[dict[Layer, int], dict[Layer, int]]:
        """Return how many neurons and how many of the free inputs each layer shows, so that no two columns are crowded."""
        n_neurons = {layer: len(neurons) for layer, neurons in self.layers.items()}
        n_inputs = {layer: len(inputs) for layer, inputs in free.items()}
        # Two columns with arrows between them: the lengths of the left one's kind, its layer, and the layer of the right one.
        pairs: list[tuple[dict[Layer, int], Layer, Layer]] = [(n_inputs, layer, layer) for layer in self.layers]
        for layer in self.layers:
            before = {self.owner[x].inputs for x in layer if isinstance(x, Value) and x in self.owner}
            pairs += [(n_neurons, earlier, layer) for earlier in before]
        crowded = True
        while crowded:
            crowded = False
            for lengths, earlier, layer in pairs:
                m, n = lengths[earlier], n_neurons[layer]
                if max(m, n) > SHOWN and (max(m, n) > LONGEST_COLUMN or m * n > MOST_ARROWS):
                    crowded = True
                    if m > n:
                        lengths[earlier] = SHOWN
                    else:
                        n_neurons[layer] = SHOWN
        return n_neurons, n_inputs

    def add_boxes(self) -> None:
        """Describe the boxes that are shown, in the order of the graph."""
        notation, shown, running = self.notation, self._shown(), self._running_sums()
        inputs = {x for layer in self.layers for x in layer if isinstance(x, Value)}
        elsewhere = {x for node in notation.order if node not in notation.neurons for x in node.inputs}
        for node in notation.names:
            neuron = self.owner.get(node)
            if neuron is not None:
                self._add_part(node, neuron, shown)
            elif node.primitive is not None:
                self._add_operation(node, running)
            elif node in elsewhere and node not in inputs:
                self.place[node] = self._add(plain_box("", node, notation, self.moment))
        self._describe_rests()
        n_neurons = len(self.neurons)
        n_shown = sum(neuron.net not in self.hidden for neuron in self.neurons)
        if n_shown < n_neurons:
            self.notes.append(f"condensed: {n_shown} of {n_neurons:,} neurons are shown")

    def _add_part(self, node: Value, neuron: Neuron, shown: AbstractSet[Hashable]) -> None:
        """Describe a neuron at its output, after the inputs of its layer, or let a box for its column stand for the node."""
        first = self.layers[neuron.inputs][0]
        column = first.weights, self.depth[neuron.net]
        if node is first.net:
            self._add_inputs(neuron.inputs, shown)
        if neuron not in shown:
            self.hidden.add(node)
            self._add_rest(node, column)
        elif node is neuron.out:
            ident = self._add(self._neuron(neuron), column)
            self.place |= {neuron.net: ident, neuron.out: ident}

    def _add_operation(self, node: Value, running: AbstractSet[Value]) -> None:
        """Describe an operation outside of neurons; on hidden nodes it is hidden, unless it joins them with what is shown.

        Of a sum over hidden and shown nodes, only the last addition is shown.
        """
        on_hidden = [x for x in node.inputs if x in self.hidden]
        on_shown = [x for x in node.inputs if x not in self.hidden and x.primitive is not None]
        if not on_hidden or (on_shown and node not in running):
            self.place[node] = self._add(plain_box("", node, self.notation, self.moment))
            return
        self.hidden.add(node)
        if on_shown:
            self._add_rest(node, ("sum", node))
        else:
            self.place[node] = self.place[on_hidden[0]]

    def _describe_rests(self) -> None:
        """Give each box that stands for hidden nodes their places, and make it stand out at the step of any of them."""
        hidden: dict[str, list[Value]] = {}
        for node, ident in self.place.items():
            if isinstance(node, Value) and self._stands_for_hidden(ident):
                hidden.setdefault(ident, []).append(node)
        for ident, nodes in hidden.items():
            places = tuple(self.notation.places[node] for node in nodes)
            self.nodes[ident] = replace(self.nodes[ident], places=places, emphasis=box_emphasis(nodes, self.moment))

    def _running_sums(self) -> set[Value]:
        """Find the additions whose only use is in another addition."""
        users = self.notation.users
        return {x for x, [first, *more] in users.items() if x.primitive is first.primitive is add and not more}

    def add_arrows(self) -> None:
        """Describe the arrows between the boxes."""
        for node in self.notation.order:
            neuron = self.owner.get(node)
            if neuron is None:
                self._connect_operation(node)
            elif node is neuron.net:
                self._connect_neuron(neuron)

    def _connect_neuron(self, neuron: Neuron) -> None:
        """Describe the arrows to a neuron: from its inputs, and from weights and a bias with boxes of their own."""
        notation, net, target = self.notation, neuron.net, self.place[neuron.net]
        for i, unit in enumerate(neuron.inputs):
            source = self.place[_key(unit, neuron.inputs)]
            is_bare = self._stands_for_hidden(source) or self._stands_for_hidden(target)
            self._connect(self._bare(source, target, net) if is_bare else self._weighted(source, target, neuron, i))
        for part in (*neuron.weights, neuron.bias):
            if isinstance(part, Value) and part in self.place:
                hint = f"{notation.full[part]}: computed, or used elsewhere"
                self._connect(Edge("", self.place[part], target, hint, name=notation.names[part]))

    def _connect_operation(self, node: Value) -> None:
        """Describe the arrows to an operation outside of neurons."""
        target = self.place[node]
        for k, x in enumerate(node.inputs):
            source = self.place.get(x, target)
            if not self._stands_for_hidden(source) and not self._stands_for_hidden(target):
                self._connect(local_edge("", source, target, node, k, self.notation, self.moment))
            elif source != target:
                self._connect(self._bare(source, target, node))

    def _stands_for_hidden(self, ident: str) -> bool:
        return self.nodes[ident].kind == "rest"

    def _bare(self, source: str, target: str, node: Value) -> Edge:
        """Describe an arrow from or to hidden nodes: one for all of them, without numbers, faint or part of this step."""
        active = self.moment is not None and self.moment.active is node
        return Edge("", source, target, "", emphasis="active" if active else "faint")

    def _add(self, node: Node, column: Hashable = None) -> str:
        ident = f"n{len(self.nodes)}"
        self.nodes[ident] = replace(node, id=ident)
        if column is not None:
            self.columns.setdefault(column, []).append(ident)
        return ident

    def _connect(self, edge: Edge) -> None:
        """Add an arrow; several between the same two boxes become one if they are from or to hidden nodes."""
        key = edge.source, edge.target, len(self.edges) if edge.hint else None
        if key not in self.edges or edge.emphasis == "active":
            ident = self.edges[key].id if key in self.edges else f"e{len(self.edges)}"
            self.edges[key] = replace(edge, id=ident)

    def _add_inputs(self, layer: Layer, shown: AbstractSet[Hashable]) -> None:
        """Describe the inputs of a layer that no operation computes, as circles."""
        notation, first = self.notation, self.layers[layer][0]
        copies, column = self.copies[first.weights], ("inputs", first.weights, self.depth[first.net])
        example = f"[{copies.index(layer) + 1}]" if len(copies) > 1 else ""
        for x in layer:
            key = _key(x, layer)
            if key in self.place or (isinstance(x, Value) and x.primitive is not None):
                continue
            if key not in shown:
                self._add_rest(key, column)
            elif isinstance(x, Value):
                self.place[key] = self._add(replace(plain_box("", x, notation, self.moment), kind="input"), column)
            else:
                name = f"x{str(x.place).translate(SUBSCRIPTS)}{example}"
                line = Line("value", name, value=x.value, digits=notation.digits)
                self.place[key] = self._add(Node("", "input", (line,), f"input {x.place}: {notation.number(x.value)}"), column)

    def _add_rest(self, key: Hashable, column: Hashable) -> None:
        """Let one box stand for everything in a column that is not shown."""
        rest = "rest", column
        if rest not in self.place:
            lines = (Line("operation", "⋮"),)
            self.place[rest] = self._add(Node("", "rest", lines, "not shown: too many to be read"), column)
        self.place[key] = self.place[rest]

    def _neuron(self, neuron: Neuron) -> Node:
        notation, moment, net, out, bias = self.notation, self.moment, neuron.net, neuron.out, neuron.bias
        known = [x for x in neuron.nodes if moment is None or x in moment.known]
        z, a = ("z", "a") if notation.names[net] != notation.full[net] else ("net", "out")
        activation = f" {out.primitive.name}" if out is not net and out.primitive is not None else ""
        lines = [Line("value", notation.names[out] + activation)]
        for name, node in zip((z, a), neuron.nodes, strict=False):
            lines.append(
                Line("operation", name, None, node.data if node in known else None, notation.digits, notation.places[node])
            )
        if isinstance(bias, Value):
            lines.append(Line("operation", "b", None, bias.data, notation.digits, notation.places[bias]))
        elif bias is not None:
            lines.append(Line("operation", "b", None, bias, notation.digits))
        if moment is None or net in moment.arrived:
            lines += gradient_line(net, notation, moment)
        else:
            lines += [replace(line, name=f"∂{a}") for line in gradient_line(out, notation, moment)]
        places = tuple(notation.places[node] for node in neuron.nodes)
        hint, emphasis = hint_of(out, notation, out in known), box_emphasis(neuron.nodes, moment)
        return Node("", "neuron", tuple(lines), hint, emphasis, places)

    def _weighted(self, source: str, target: str, neuron: Neuron, i: int) -> Edge:
        """Describe the arrow from an input to a neuron: the weight with its gradient, and what flows back."""
        notation, moment, net, w, x = self.notation, self.moment, neuron.net, neuron.weights[i], neuron.inputs[i]
        weight = w.data if isinstance(w, Value) else w
        hint = f"{notation.full[w]} = {notation.number(weight)}" if isinstance(w, Value) else notation.number(weight)
        edge = Edge("", source, target, hint, "nothing", weight, emphasis=arrow_emphasis(net, moment), digits=notation.digits)
        has_flowed = notation.loss.grad != 0 if moment is None else (net, 0) in moment.flowed
        if isinstance(x, Value):
            edge = local_edge("", source, target, net, neuron.place(i), notation, moment)
            few = len(neuron.inputs) * len(self.layers[neuron.inputs]) <= MOST_FLOWS
            flow: Flow = "flowed" if moment is None and has_flowed and few and edge.flow == "local" else edge.flow
            edge = replace(edge, flow=flow, hint=f"{hint}; {edge.hint}")
        if isinstance(w, Value):
            edge = replace(edge, weighs=(notation.places[net], neuron.place(i - len(neuron.weights))))
        if not isinstance(w, Value) or not has_flowed:
            return replace(edge, weight=True)
        gradient = w.grad if moment is None else moment.arrived[w]
        hint = f"{edge.hint}; ∂{notation.full[notation.loss]}/∂{notation.full[w]} = {notation.number(gradient)}"
        return replace(edge, weight=True, gradient=gradient, hint=hint)


def _key(x: Input, layer: Layer) -> Hashable:
    """Return what identifies an input: a node by itself, a plain number only within its layer."""
    return x if isinstance(x, Value) else (layer, x)


def _condensed(items: Sequence[Any], most: int) -> Sequence[Any]:
    return items if len(items) <= most else [*items[: most - 1], items[-1]]
