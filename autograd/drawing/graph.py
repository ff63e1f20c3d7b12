"""A computation graph described for drawing.

Every node of the graph is a box with the line ``name = value``, for an operation its formula with the constants inside, and
its gradient δ; every use of an operand is an arrow of its own, with the local derivative ∂result/∂operand that the forward
pass recorded.  Names and order are those of the walk, so that a picture, a printed step and a trace speak of the same node.

>>> w = Value(3.0, label="w")
>>> for node in describe_graph(w * 2 + 1, limit=150).nodes:
...     print(node.id, node.kind, [line.text for line in node.lines])
n0 leaf ['w = 3']
n1 operation ['v1 = 6', 'w·2']
n2 result ['loss = 7', 'v1 + 1']
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from autograd.drawing.plan import Edge, Kind, Line, Node, Plan
from autograd.steps import name_nodes
from autograd.symbol import Symbol, as_symbol, digits, printable
from autograd.value import Value, topological

__all__ = ["cut", "describe_graph", "formula", "in_product", "kind_of", "lines_of",
           "notes_of", "printable", "readable", "short_formula", "too_large"]  # fmt: skip

WIDEST = 30  # characters in a line of a box; what is longer is shortened there, and told in full by the hint
# A graph with few nodes is a tangle, too, if it has many edges, or edges past many other nodes: a weight used at each of
# 50 time steps.  Layout is slow there as well.  So both have a limit, in proportion to that of the nodes.
EDGES_PER_NODE = 3
LAYERS_PER_NODE = 20
MOST_COUNTED = 10_000  # nodes, if the limit is no higher: a larger graph is not counted to its end


def describe_graph(root: Value, limit: int) -> Plan:
    """Describe the graph below `root`.

    Args:
        root: the result.
        limit: the largest number of nodes, leaves included.

    Raises:
        ValueError: if there are more nodes, or too many or too long edges.
    """
    order = readable(root, limit)
    names = {node: printable(name) for node, name in name_nodes(root, order).items()}
    ids = {node: f"n{i}" for i, node in enumerate(names)}
    begun = root.grad != 0
    nodes = tuple(
        Node(
            id=ids[node],
            kind=kind_of(node, root),
            lines=lines_of(node, names, with_gradient=begun or node.grad != 0),
            hint=" = ".join(filter(None, [names[node], formula(node, names), digits(node.data)])),
        )
        for node in names
    )
    edges: list[Edge] = []
    for node in names:
        for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True):
            number = digits(partial)
            hint = f"∂{names[node]}/∂{names[x]} = {number}"
            if not taken:
                hint += "; nothing flows: this branch is not taken"
            elif begun:
                hint += f"; δ·∂ = {digits(node.grad)}·{in_product(partial)} = {digits(node.grad * partial)} flows back"
            edges.append(Edge(f"e{len(edges)}", ids[x], ids[node], number, hint))
    return Plan(f"Computation graph of {names[root]}", nodes, tuple(edges), notes_of(root, names))


def readable(root: Value, limit: int, nodes_per_box: int = 1) -> list[Value]:
    """Return the topological order of a graph, or raise `ValueError` if its picture could not be read.

    Args:
        root: the result.
        limit: the largest number of boxes.
        nodes_per_box: how many nodes, at most, are drawn as one box.
    """
    room = limit * nodes_per_box
    most = max(room, MOST_COUNTED)
    n_nodes, n_edges = _size(root, most)
    if n_nodes > most or n_edges > EDGES_PER_NODE * most:
        reason = f"{most:,} nodes" if n_nodes > most else f"{EDGES_PER_NODE * most:,} edges"
        raise too_large(f"it has more than {reason}", limit)
    order = topological(root)
    crossed = _layers_crossed(order)
    needed = max(n_nodes, math.ceil(n_edges / EDGES_PER_NODE), math.ceil(crossed / LAYERS_PER_NODE))
    if needed > room:
        reason = f"it has {n_nodes:,} nodes and {n_edges:,} edges"
        if max(n_nodes, math.ceil(n_edges / EDGES_PER_NODE)) <= room:
            reason += f", which cross {crossed:,} layers of nodes"
        raise too_large(reason, limit, math.ceil(needed / nodes_per_box))
    return order


def too_large(reason: str, limit: int, needed: int | None = None) -> ValueError:
    """Make the error for a graph that cannot be read, with the limit that it needed if there is a sensible one."""
    advice = f"; to draw it takes limit={needed} at least" if needed is not None else ""
    return ValueError(f"this graph is too large to be read: {reason}, and the limit is {limit}{advice}")


def _size(root: Value, most: int) -> tuple[int, int]:
    """Count the nodes and the edges of a graph, until there are more nodes than `most`, or far more edges."""
    seen, pending, edges = {root}, [root], 0
    while pending and len(seen) <= most and edges <= EDGES_PER_NODE * most:
        for x in pending.pop().inputs:
            edges += 1
            if x not in seen:
                seen.add(x)
                pending.append(x)
    return len(seen), edges


def _layers_crossed(order: Sequence[Value]) -> int:
    """Sum the lengths of the edges, counted in the layers that they cross, a layer being what stands side by side."""
    layer: dict[Value, int] = {}
    for node in order:
        layer[node] = 1 + max(layer.get(x, 0) for x in node.inputs)
    for node in order:
        for x in node.inputs:  # a leaf stands right before its first use
            layer[x] = min(layer.get(x, layer[node] - 1), layer[node] - 1)
    return sum(layer[node] - layer[x] for node in order for x in node.inputs)


def kind_of(node: Value, root: Value) -> Kind:
    """Say what a node's box stands for."""
    if node.primitive is None:
        return "leaf"
    return "result" if node is root else "operation"


def lines_of(node: Value, names: Mapping[Value, str], with_gradient: bool) -> tuple[Line, ...]:
    """Write what stands in a node's box."""
    value = digits(node.data)
    lines = [Line(f"{cut(names[node], WIDEST - len(value))} = {value}", "value")]
    if node.primitive is not None:
        lines.append(Line(short_formula(node, names), "operation"))
    if with_gradient:
        lines.append(Line(f"δ = {digits(node.grad)}", "gradient"))
    return tuple(lines)


def formula(node: Value, names: Mapping[Value, str]) -> str:
    """Write a node's operation on the names of its operands; nothing for a leaf."""
    row = node.primitive
    if row is None:
        return ""
    symbols = {x: Symbol(names[x]) for x in node.inputs}  # one for both operands of x·x, which is then written x²
    operands = [symbols[x] if isinstance(x, Value) else x for x in node.operands]
    return as_symbol(row.apply(operands)).text


def short_formula(node: Value, names: Mapping[Value, str]) -> str:
    """Write a node's operation so that it fits into a line: on shorter and shorter names, and at last cut off."""
    last = {x: names[x].rpartition(".")[2] or names[x] for x in node.inputs}  # w2 for layer1.neuron0.w2
    brief = {x: cut(name, 8) for x, name in last.items()}
    attempts = [formula(node, called) for called in (names, last, brief)]
    return next((text for text in attempts if len(text) <= WIDEST), cut(attempts[-1], WIDEST))


def notes_of(root: Value, names: Mapping[Value, str]) -> tuple[str, ...]:
    """Say what the numbers are, and whether δ is what a single backward pass from `root` leaves."""
    name = cut(names[root], WIDEST)
    edges = "on each edge: ∂result/∂operand"
    if not any(node.grad != 0 for node in names):
        return (f"no backward pass has run yet: backward() adds δ = ∂{name}/∂node", *[edges] * bool(root.inputs))
    if root.grad == 0:
        return (f"no backward pass has run from {name} yet: δ is left from another one", edges)
    meaning = f"δ = ∂{name}/∂node" if root.grad == 1 else "δ = the gradient that arrived at the node"
    notes = [f"{meaning}, as backward() left it in .grad"]
    if root.inputs:
        notes.append(f"{edges}; times that, δ flows back along the edge")
    mixed = [cut(names[node], WIDEST) for node in _with_more_than_flows_here(root, names)]
    if mixed:
        shown = ", ".join(mixed[:3]) + ", …" * (len(mixed) > 3)
        notes.append(f"more than flows here is in δ of {shown}: from an earlier backward pass, or by a path outside")
    return tuple(notes)


def _with_more_than_flows_here(root: Value, nodes: Mapping[Value, str]) -> list[Value]:
    """Find the nodes whose gradient is not the sum of the contributions that arrive along the edges of this graph."""
    arrived = dict.fromkeys(nodes, 0.0)
    size = dict.fromkeys(nodes, 0.0)
    for node in nodes:
        for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True):
            if taken and node.grad:
                arrived[x] += node.grad * partial
                size[x] += abs(node.grad * partial)
    return [
        node
        for node in nodes
        if node is not root and math.isfinite(size[node]) and not abs(node.grad - arrived[node]) <= 1e-9 * size[node]
    ]


def cut(text: str, width: int) -> str:
    """Shorten a text that is too wide in its middle: names differ at their ends, and a formula ends in its constant."""
    half = width // 2
    return text if len(text) <= width else f"{text[:half]}…{text[half + 1 - width :]}"


def in_product(x: float) -> str:
    """Write a number as a factor that is not the first."""
    text = digits(x)
    return f"({text})" if text.startswith("-") else text
