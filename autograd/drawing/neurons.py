"""A network described neuron by neuron, as textbooks draw it.

A neuron is a weighted sum, one `dot`, and what is made of it by its only consumer, an operation on one operand.  Both are one
box with net, out and δ = ∂loss/∂net; its weights stand on the arrows that come in.  Whatever else is in the graph, such as
the loss, is drawn node by node.  Nothing here knows of layers or modules: what looks like a neuron is one.

>>> from autograd.primitives import dot, tanh
>>> x, w, b = Value(2.0, label="x"), Value(0.5, label="w"), Value(-0.4, label="b")
>>> loss = (tanh(dot([w], [x], b)) - 1) ** 2
>>> plan = describe_neurons(loss, limit=150)
>>> [(node.kind, [line.text for line in node.lines]) for node in plan.nodes][1]
('neuron', ['v2 = 0.537', 'tanh(net)', 'net = 0.6', 'b = -0.4'])
>>> [(edge.source, edge.target, edge.label) for edge in plan.edges][0]
('n0', 'n1', 'w = 0.5')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograd.drawing.nodes import gradient_line, hint_of, local_edge, notes_of, plain_box
from autograd.drawing.plan import Edge, Line, Node, Plan
from autograd.drawing.size import refuse_unreadable, too_large
from autograd.primitives import Unary, dot
from autograd.symbol import Symbol
from autograd.telling import Telling
from autograd.value import Value

__all__ = ["boxes_of", "describe_neurons", "find_neurons"]

NODES_PER_BOX = 20  # a neuron has its weights inside


@dataclass(frozen=True, slots=True)
class Neuron:
    """A weighted sum, and the node that is its output: the sum itself for a linear neuron."""

    net: Value
    out: Value

    @property
    def pairs(self) -> list[tuple[Value | float, Value | float]]:
        """The weights with their inputs."""
        n = len(self.net.operands) // 2
        return list(zip(self.net.operands[:n], self.net.operands[n : 2 * n], strict=True))

    @property
    def bias(self) -> Value | float | None:
        """The bias, if there is one."""
        return self.net.operands[-1] if len(self.net.operands) % 2 else None


def find_neurons(order: list[Value]) -> dict[Value, Neuron]:
    """Find the neurons of a graph, by their net inputs."""
    consumers: dict[Value, list[Value]] = {}
    for node in order:
        for x in node.inputs:
            consumers.setdefault(x, []).append(node)
    neurons = {}
    for node in order:
        if node.primitive is dot:
            using = consumers.get(node, [])
            activated = len(using) == 1 and isinstance(using[0].primitive, Unary) and not using[0].primitive.infix
            neurons[node] = Neuron(node, using[0] if activated else node)
    return neurons


def describe_neurons(root: Value, limit: int, n_digits: int | None = None) -> Plan:
    """Describe the graph below `root` neuron by neuron.

    Args:
        root: the result.
        limit: the largest number of boxes.
        n_digits: significant digits; see `Telling`.

    Raises:
        ValueError: if there is no neuron, or if the picture would be too large to be read.
    """
    refuse_unreadable(root, limit, NODES_PER_BOX)
    told = Telling(root, n_digits)
    neurons = find_neurons(told.order)
    if not neurons:
        raise ValueError("there is no neuron in this graph, no dot(weights, inputs, bias); draw it node by node, as draw(loss)")
    boxes = boxes_of(root, told.order, neurons)
    if len(boxes) > limit:
        raise too_large(f"it has {len(boxes):,} boxes", limit, len(boxes))
    ids = {node: f"n{i}" for i, node in enumerate(boxes)}
    place = {x: ids[neuron.out] for neuron in neurons.values() for x in (neuron.net, neuron.out)} | ids
    nodes = tuple(
        plain_box(ids[node], node, told) if neuron is None else _neuron(ids[node], neuron, told)
        for node, neuron in boxes.items()
    )
    edges: list[Edge] = []
    for node, neuron in boxes.items():
        if neuron is None:
            for k, operand in enumerate(node.inputs):
                edges.append(local_edge(f"e{len(edges)}", place[operand], place[node], node, k, told))
            continue
        for w, x in neuron.pairs:
            if isinstance(x, Value):
                edges.append(_weighted(f"e{len(edges)}", place[x], place[node], w, told))
        for part in (*(w for w, _ in neuron.pairs), neuron.bias):
            if isinstance(part, Value) and part in place:
                hint = "computed, or used elsewhere"
                edges.append(Edge(f"e{len(edges)}", place[part], place[node], hint, name=told.names[part]))
    return Plan(f"Network of {told.names[root]}, neuron by neuron", nodes, tuple(edges), notes_of(told)[:1])


def boxes_of(root: Value, order: list[Value], neurons: Mapping[Value, Neuron]) -> dict[Value, Neuron | None]:
    """Return what is drawn as a box, in order: neurons by their outputs, and every node that is no part of a neuron."""
    hidden = {n.net for n in neurons.values() if n.out is not n.net}
    weights = {x for n in neurons.values() for x in (*(w for w, _ in n.pairs), n.bias) if isinstance(x, Value)}
    shown = {x for n in neurons.values() for _, x in n.pairs if isinstance(x, Value)}
    shown |= {x for node in order if node not in neurons for x in node.inputs}
    hidden |= {x for x in weights if x.primitive is None and x not in shown}
    outs = {n.out: n for n in neurons.values()}
    boxes: dict[Value, Neuron | None] = {}
    for candidate in [*(x for node in order for x in (*node.inputs, node)), root]:
        if candidate not in hidden or candidate in outs:
            boxes.setdefault(candidate, outs.get(candidate))
    return boxes


def _neuron(ident: str, neuron: Neuron, told: Telling) -> Node:
    net, out, bias = neuron.net, neuron.out, neuron.bias
    lines = [Line("value", told.names[out], None, out.data, told.digits, told.places[out])]
    if out is not net:
        assert out.primitive is not None
        lines.append(Line("operation", formula=Symbol.applied(out.primitive, [Symbol("net")]), digits=told.digits))
        lines.append(Line("operation", "net", None, net.data, told.digits, told.places[net]))
    if isinstance(bias, Value):
        lines.append(Line("operation", "b", None, bias.data, told.digits, told.places[bias]))
    elif bias is not None:
        lines.append(Line("operation", "b", None, bias, told.digits))
    places = tuple(dict.fromkeys((told.places[net], told.places[out])))
    return Node(ident, "neuron", (*lines, *gradient_line(net, told)), hint_of(out, told), places=places)


def _weighted(ident: str, source: str, target: str, w: Value | float, told: Telling) -> Edge:
    """Describe the arrow from an input to a neuron, which carries the weight."""
    if not isinstance(w, Value):
        return Edge(ident, source, target, told.number(w), "weight", w, digits=told.digits)
    hint = f"{told.full[w]} = {told.number(w.data)}"
    if told.loss.grad != 0:
        hint += f"; ∂{told.names[told.loss]}/∂{told.full[w]} = {told.number(w.grad)}"
    return Edge(ident, source, target, hint, "weight", w.data, name=told.names[w], digits=told.digits)
