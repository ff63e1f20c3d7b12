"""A computation graph described node by node, as it is or at a moment of its walk.

Every node is a box with its name and value, its operation with the constants inside, and its gradient; every use of an operand
is an arrow of its own.  In a still picture an arrow has the local derivative ∂result/∂operand that the forward pass recorded.
At a moment of the walk the arrows of the current step show upstream × local = contribution, earlier ones what has flowed, and
later ones are faint.

>>> w = Value(3.0, label="w")
>>> loss = w * 2 + 1
>>> for node in describe_nodes(Notation(loss)).nodes:
...     print(node.id, node.kind, [line.text for line in node.lines])
n0 leaf ['w = 3']
n1 operation ['v1 = 6', 'w·2']
n2 result ['loss = 7', 'v1 + 1']
>>> from autograd.steps import Walk
>>> steps = Walk(loss)
>>> [edge.label for edge in describe_nodes(steps.notation, steps.moment(3)).edges]
['1 × 2 = 2', '← 1']
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from autograd.drawing.plan import WIDEST_NOTE, Edge, Emphasis, Flow, Kind, Line, Node, Plan, cut
from autograd.moments import Moment
from autograd.notation import Notation, Symbols, dot_operands, equation, factor, formula_of
from autograd.primitives import dot
from autograd.steps import Walk
from autograd.value import Value
from autograd.writing import plain

__all__ = [
    "arrow_emphasis", "box_emphasis", "describe_nodes", "frame_of", "gradient_line", "hint_of", "local_edge", "notes_of",
    "plain_box",
]  # fmt: skip

THICK = "thick: this step; dashed: still to come"
FLOWED = "; ←: what has flowed back along the edge"


def describe_nodes(notation: Notation, moment: Moment | None = None) -> Plan:
    """Describe a graph node by node.

    Args:
        notation: the graph with its names.
        moment: the state to show; by default the graph with the gradients that a backward pass has left in it.
    """
    ids = {node: f"n{place}" for node, place in notation.places.items()}
    nodes = tuple(plain_box(ids[node], node, notation, moment) for node in notation.names)
    edges: list[Edge] = []
    for node in notation.names:
        for k, x in enumerate(node.inputs):
            edges.append(local_edge(f"e{len(edges)}", ids[x], ids[node], node, k, notation, moment))
    name, order = notation.names[notation.loss], tuple(tuple(ids[net] for net in layer) for layer in _layers(notation.order))
    if moment is None:
        return Plan(f"Computation graph of {name}", nodes, tuple(edges), notes_of(notation), order=order)
    notes = (THICK + FLOWED * bool(moment.flowed), *_notes_on_names(notation))
    return Plan(f"A moment of the walk over {name}", nodes, tuple(edges), notes, order=order)


def _layers(order: Sequence[Value]) -> Iterator[list[Value]]:
    """Find the layers of neurons: several weighted sums of the same inputs, each with leaves as weights."""
    layers: dict[tuple[Value | float, ...], list[Value]] = {}
    for node in order:
        if node.primitive is dot:
            weights, inputs = dot_operands(node)
            if all(isinstance(w, Value) and w.primitive is None for w in weights):
                layers.setdefault(inputs, []).append(node)
    return (layer for layer in layers.values() if len(layer) > 1)


def frame_of(steps: Walk, describe: Callable[[Notation, Moment], Plan]) -> Plan:
    """Describe a picture in which every text of every moment of a walk has room.

    Args:
        steps: the walk.
        describe: the function that describes one moment, such as `describe_nodes`.
    """
    notation, moment = steps.notation, Moment(steps.loss, steps.names)
    widest: dict[int | None, Line] = {}
    for step in steps:
        moment.enter(step)
        for k in range(len(step.edges)):
            moment.add(step, k)
            for line in gradient_line(step.edges[k].input, notation, moment):
                widest[line.place] = max(widest.get(line.place, line), line, key=lambda line: len(line.text))
    plan = describe(notation, moment)
    nodes = []
    for node in plan.nodes:
        lines = tuple(widest.get(line.place, line) if line.role == "gradient" else line for line in node.lines)
        nodes.append(replace(node, lines=lines))
    edges = (replace(edge, flow="flowing") if edge.flow == "flowed" else edge for edge in plan.edges)
    return replace(plan, nodes=tuple(nodes), edges=tuple(edges))


def plain_box(ident: str, node: Value, notation: Notation, moment: Moment | None) -> Node:
    """Describe a node's box: its name and value, its operation, its gradient.

    Args:
        ident: the box's id.
        node: the node.
        notation: the graph with its names.
        moment: the state to show, or None for the graph as it is.
    """
    kind: Kind = "leaf" if node.primitive is None else "result" if node is notation.loss else "operation"
    known = moment is None or node in moment.known
    value = node.data if known else None
    lines = [Line("value", notation.names[node], None, value, notation.digits, notation.places[node])]
    if node.primitive is not None:
        lines.append(Line("operation", formula=notation.formula(node), digits=notation.digits))
    lines += gradient_line(node, notation, moment)
    hint, emphasis = hint_of(node, notation, known), box_emphasis([node], moment)
    return Node(ident, kind, tuple(lines), hint, emphasis, (notation.places[node],))


def gradient_line(node: Value, notation: Notation, moment: Moment | None) -> Iterator[Line]:
    """Describe the gradient of a node, if it has one: as far as it has arrived, or as a backward pass has left it."""
    gradient, so_far = node.grad, ""
    if moment is not None:
        if node not in moment.arrived:
            return
        gradient, so_far = moment.arrived[node], "" if moment.is_complete(node) else " so far"
    elif node.grad == 0 and notation.loss.grad == 0:
        return
    yield Line("gradient", notation.mark(node) + so_far, None, gradient, notation.digits, notation.places[node])


def hint_of(node: Value, notation: Notation, known: bool) -> str:
    """Write the tooltip of a node: its full name, its operation on full names, its value."""
    formula = "" if node.primitive is None else formula_of(node, Symbols(notation.full)).written(plain(notation.digits))
    return equation(notation.full[node], formula, notation.number(node.data) if known else "")


def local_edge(ident: str, source: str, target: str, node: Value, k: int, notation: Notation, moment: Moment | None) -> Edge:
    """Describe the arrow from the k-th input of a node to the node.

    Args:
        ident: the arrow's id.
        source: the id of the input's box.
        target: the id of the node's box.
        node: the node.
        k: the place among its inputs.
        notation: the graph with its names.
        moment: the state to show, or None for the graph as it is.
    """
    x, local, upstream, taken = node.inputs[k], node.partials[k], node.grad, node.taken[k] and node in notation.reached
    hint = f"∂{notation.full[node]}/∂{notation.full[x]} = {notation.number(local)}"
    flow: Flow = "local"
    flows = taken and notation.loss.grad != 0
    if moment is not None:
        flow, flows = "nothing", False
        if (past := moment.flowed.get((node, k))) is not None:
            upstream, taken, flows = past.upstream, past.taken, past.taken
            flow = "not taken" if not taken else "flowing" if node is moment.active else "flowed"
    contribution = upstream * local if flows else 0.0
    if not taken:
        hint += "; nothing flows"
    elif flows:
        product = f"{notation.number(upstream)} × {factor(notation.number(local))} = {notation.number(contribution)}"
        hint += f"; {product} flows back to {notation.full[x]}"
    place = notation.places[node], k
    return Edge(ident, source, target, hint, flow, local, upstream, contribution, emphasis=arrow_emphasis(node, moment),
                digits=notation.digits, place=place)  # fmt: skip


def box_emphasis(nodes: Sequence[Value], moment: Moment | None) -> Emphasis:
    """Return the emphasis of a box that stands for some nodes, at a moment."""
    if moment is None:
        return "normal"
    if moment.active in nodes:
        return "active"
    reached = moment.arrived or moment.known
    return "normal" if any(node in reached for node in nodes) else "faint"


def arrow_emphasis(node: Value, moment: Moment | None) -> Emphasis:
    """Return the emphasis of the arrows to a node, at a moment."""
    if moment is None:
        return "normal"
    if node is moment.active:
        return "active"
    done = (node, 0) in moment.flowed if moment.arrived else node in moment.known
    return "normal" if done else "faint"


def notes_of(notation: Notation) -> tuple[str, ...]:
    """Return notes on the numbers of a still picture, and on whether a single backward pass from the result has left them."""
    root, name = notation.loss, cut(notation.names[notation.loss])
    edges = "on each edge: ∂result/∂operand"
    if not any(node.grad != 0 for node in notation.names):
        unknown = f"no backward pass has run yet: backward() adds ∂x, short for ∂{name}/∂x"
        return (unknown, *[edges] * bool(root.inputs), *_notes_on_names(notation))
    if root.grad == 0:
        stale = f"no backward pass has run from {name} yet: the gradients are left from another one"
        return (stale, edges, *_notes_on_names(notation))
    meaning = f"∂x is short for ∂{name}/∂x" if root.grad == 1 else "∂x is the gradient that arrived at x"
    neurons = ", δ for that of a net input" if any(notation.mark(node) == "δ" for node in notation.order) else ""
    notes = [f"{meaning}{neurons}, as backward() left it{'' if neurons else ' in .grad'}"]
    if root.inputs:
        notes.append(f"{edges}; the result's gradient times it flows back")
    mixed = [cut(notation.names[node]) for node in _with_other_contributions(notation)]
    if mixed:
        shown = ", ".join(mixed[:3]) + ", …" * (len(mixed) > 3)
        notes.append(f"an earlier pass, or a path outside this graph, contributed to the gradient of {shown}")
    return (*notes, *_notes_on_names(notation))


def _notes_on_names(notation: Notation) -> Iterator[str]:
    """Yield the notes about names, shortened to the width of a picture."""
    return (cut(note, WIDEST_NOTE) for note in notation.notes)


def _with_other_contributions(notation: Notation) -> list[Value]:
    """Find the nodes whose gradient differs from the sum of the contributions that arrive along the edges of this graph."""
    arrived = dict.fromkeys(notation.names, 0.0)
    size = dict.fromkeys(notation.names, 0.0)
    for node in notation.order:
        for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True):
            if taken and node in notation.reached:
                arrived[x] += node.grad * partial
                size[x] += abs(node.grad * partial)
    return [
        node
        for node in notation.names
        if node is not notation.loss and math.isfinite(size[node]) and not abs(node.grad - arrived[node]) <= 1e-9 * size[node]
    ]
