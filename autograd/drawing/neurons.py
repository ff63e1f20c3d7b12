"""A network described neuron by neuron, as textbooks draw it.

A neuron is a weighted sum, one `dot`, and what is made of it by its only consumer, an operation on one operand.  Both are one
box with net, out and δ = ∂loss/∂net; its weights stand on the arrows that come in.  Whatever else is in the graph, such as
the loss, is drawn node by node.  Nothing here knows of layers or modules: what looks like a neuron is one.

>>> from autograd.primitives import dot, tanh
>>> x, w, b = Value(2.0, label="x"), Value(0.5, label="w"), Value(-0.4, label="b")
>>> loss = (tanh(dot([w], [x], b)) - 1) ** 2
>>> plan = describe_neurons(loss, limit=150)
>>> [(node.kind, [line.text for line in node.lines]) for node in plan.nodes][1]
('neuron', ['v2', 'net = 0.6, b = -0.4', 'out = tanh(net) = 0.53705'])
>>> [(edge.source, edge.target, edge.label) for edge in plan.edges][0]
('n0', 'n1', 'w = 0.5')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograd.drawing.graph import WIDEST, cut, kind_of, lines_of, notes_of, printable, readable, too_large
from autograd.drawing.plan import Edge, Line, Node, Plan, Role
from autograd.primitives import Unary, dot
from autograd.steps import name_nodes
from autograd.symbol import Symbol, as_symbol, digits
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


def describe_neurons(root: Value, limit: int) -> Plan:
    """Describe the graph below `root` neuron by neuron.

    Args:
        root: the result.
        limit: the largest number of boxes.

    Raises:
        ValueError: if there is no neuron, or if the picture would be too large to be read.
    """
    order = readable(root, limit, NODES_PER_BOX)
    neurons = find_neurons(order)
    if not neurons:
        raise ValueError("there is no neuron in this graph, no dot(weights, inputs, bias); draw it node by node, as draw(loss)")
    names = {node: printable(name) for node, name in name_nodes(root, order).items()}
    boxes = boxes_of(root, order, neurons)
    if len(boxes) > limit:
        raise too_large(f"it has {len(boxes):,} boxes", limit, len(boxes))
    ids = {node: f"n{i}" for i, node in enumerate(boxes)}
    place = {x: ids[neuron.out] for neuron in neurons.values() for x in (neuron.net, neuron.out)} | ids
    begun = root.grad != 0
    nodes = tuple(
        _neuron(neuron, names, ids[node], begun)
        if neuron is not None
        else Node(ids[node], kind_of(node, root), lines_of(node, names, with_gradient=begun), f"{names[node]} = {node.data!r}")
        for node, neuron in boxes.items()
    )
    edges: list[Edge] = []

    def connect(source: str, target: str, label: str, hint: str, role: Role = "operation") -> None:
        edges.append(Edge(f"e{len(edges)}", source, target, label, hint, role=role))

    for node, neuron in boxes.items():
        if neuron is None:
            for operand, partial in zip(node.inputs, node.partials, strict=True):
                hint = f"∂{names[node]}/∂{names[operand]} = {digits(partial)}"
                connect(place[operand], place[node], digits(partial), hint, "gradient")
            continue
        for w, x in neuron.pairs:
            if not isinstance(x, Value):
                continue
            weight = f"{_last(names[w])} = {digits(w.data)}" if isinstance(w, Value) else digits(w)
            hint = f"∂/∂{names[w]} = {digits(w.grad)}" if begun and isinstance(w, Value) else weight
            connect(place[x], place[node], weight, hint)
        for part in [w for w, _ in neuron.pairs] + [neuron.bias]:
            if isinstance(part, Value) and part in place:
                connect(place[part], place[node], names[part], "computed, or used elsewhere")
    return Plan(f"Network of {names[root]}, neuron by neuron", nodes, tuple(edges), notes_of(root, names)[:1])


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


def _neuron(neuron: Neuron, names: Mapping[Value, str], ident: str, begun: bool) -> Node:
    net, out = neuron.net, neuron.out
    common = names[out].rpartition(".")[0] or names[out]
    bias = neuron.bias
    told = f", b = {digits(bias.data if isinstance(bias, Value) else bias)}" if bias is not None else ""
    lines = [Line(cut(common, WIDEST), "value"), Line(f"net = {digits(net.data)}{told}", "operation")]
    if out is not net:
        assert out.primitive is not None
        made = as_symbol(out.primitive.apply([Symbol("net")])).text
        lines.append(Line(f"out = {made} = {digits(out.data)}", "operation"))
    if begun:
        lines.append(Line(f"δ = {digits(net.grad)}", "gradient"))
    return Node(ident, "neuron", tuple(lines), f"{names[out]} = {out.data!r}")


def _last(name: str) -> str:
    return name.rpartition(".")[2] or name
