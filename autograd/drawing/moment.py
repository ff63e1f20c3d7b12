"""A moment of the walk, described for drawing.

The picture of step k of `walk(loss)`: the node that the step is about and its edges stand out, what was done before is drawn
as usual, what is still to come is faint.  In the backward pass the edges carry what has flowed along them, and each node the
sum of what has arrived.

>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> plan = describe_moment(w * x + w, step=3, limit=150)
>>> plan.notes[0]
'step 3, backward 2/2: v1 = w·x, δ = ∂loss/∂v1 = 1'
>>> [(edge.label, edge.emphasis) for edge in plan.edges]
[('← 2', 'active'), ('← 3', 'active'), ('← 1', 'normal'), ('← 1', 'normal')]
>>> [line.text for line in plan.nodes[0].lines]
['w = 3', 'δ = 3']
"""

from __future__ import annotations

from autograd.drawing.graph import WIDEST, cut, formula, in_product, kind_of, printable, readable, short_formula
from autograd.drawing.plan import Edge, Emphasis, Line, Node, Plan
from autograd.steps import Walk
from autograd.symbol import digits
from autograd.value import Value

__all__ = ["describe_moment"]


def describe_moment(root: Value, step: int, limit: int) -> Plan:
    """Describe the graph below `root` at one step of its walk.

    Args:
        root: the result.
        step: the step's place in ``walk(root)``, from 0; negative from the end.
        limit: the largest number of nodes, leaves included.

    Raises:
        IndexError: if there is no such step.
        ValueError: if the graph is too large to be read, or a leaf was changed after the forward pass.
    """
    order = readable(root, limit)
    steps = Walk(root)
    current = steps[step]
    place = step % len(steps)
    names = {node: printable(name) for node, name in steps.names.items()}
    ids = {node: f"n{i}" for i, node in enumerate(names)}
    done = set(order[: place + 1])  # nodes whose value is known
    arrived: dict[Value, float] = {root: 1.0} if current.phase == "backward" else {}
    flowed: dict[tuple[Value, int], float | None] = {}  # None along a branch that is not taken
    for past in steps[len(order) : place + 1]:
        for i, edge in enumerate(past.edges):
            arrived[edge.input] = edge.total
            flowed[past.node, i] = edge.contribution if edge.taken else None
    waiting = {x for node in order if (node, 0) not in flowed for x in node.inputs}

    def box(node: Value) -> Node:
        known = node.primitive is None or node in done
        value = f" = {digits(node.data)}" if known else ""
        lines = [Line(cut(names[node], WIDEST - len(value)) + value, "value")]
        if node.primitive is not None:
            lines.append(Line(short_formula(node, names), "operation"))
        if node in arrived:
            lines.append(Line(f"δ {'so far ' if node in waiting else ''}= {digits(arrived[node])}", "gradient"))
        seen = node in arrived if current.phase == "backward" else known
        emphasis: Emphasis = "active" if node is current.node else "normal" if seen else "faint"
        hint = " = ".join(filter(None, [names[node], formula(node, names), digits(node.data) if known else ""]))
        return Node(ids[node], kind_of(node, root), tuple(lines), hint, emphasis)

    edges: list[Edge] = []
    for node in names:
        for i, (x, partial) in enumerate(zip(node.inputs, node.partials, strict=True)):
            passed = (node, i) in flowed if current.phase == "backward" else node in done
            emphasis: Emphasis = "active" if node is current.node else "normal" if passed else "faint"
            label, hint = "", f"∂{names[node]}/∂{names[x]} = {digits(partial)}"
            if (node, i) in flowed:
                flow = flowed[node, i]
                label = "not taken" if flow is None else f"← {digits(flow)}"
                product = "" if flow is None else f"δ·∂ = {digits(arrived[node])}·{in_product(partial)} = {digits(flow)}"
                hint += f"; {product} flows back" if product else "; nothing flows: this branch is not taken"
            edges.append(Edge(f"e{len(edges)}", ids[x], ids[node], label, hint, emphasis))
    says = f"step {place}, " + str(current).partition("\n")[0]
    note = "thick: this step; dashed: still to come" + "; ←: what has flowed back along the edge" * bool(flowed)
    return Plan(f"Step {place} of the walk over {names[root]}", tuple(map(box, names)), tuple(edges), (cut(says, 100), note))
