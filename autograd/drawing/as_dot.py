r"""A plan in DOT, the language of Graphviz.

Labels are plain, not HTML-like, because not every build of Graphviz has an XML parser; so the lines of a box cannot differ in
weight or colour.  `style` computes the sizes of boxes, not the layout engine, because the engines measure text with different
fonts, and none of them with the font on the reader's screen.

The program that reads the DOT lays it out, so nothing is folded here: a graph that would be too wide for a page is set in
`layers` from top to bottom.

>>> from autograd.drawing.plan import Line, Node, Plan
>>> print(to_dot(Plan("t", (Node("n0", "leaf", (Line("value", 'say "w"'),), hint=""),), (), ())).splitlines()[-2])
  n0 [id=n0, class=leaf, label="say \"w\"", style="filled,rounded", fillcolor="#dceefa", color="#0072b2", width=0.95]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograd.drawing.layers import Layered, in_layers
from autograd.drawing.plan import Edge, Emphasis, Kind, Node, Plan
from autograd.drawing.style import (
    BACKWARD,
    BOXES,
    FAINT,
    FONT,
    NIGHT,
    NOTE,
    NOTE_SIZE,
    PAPER,
    PATIENCE,
    SIZE,
    TEXT,
    WIRE,
    size_of,
)

__all__ = ["depth", "in_order", "spaces", "ties", "to_dot"]

COLOUR = re.compile(r'(?<=color=")#[0-9a-f]{6}(?=")')  # in a label, the quotation marks are escaped
SHAPES: dict[Kind, str] = {
    "leaf": 'style="filled,rounded"',
    "operation": "style=filled",
    "result": "style=filled, peripheries=2",
    "input": "shape=ellipse, style=filled",
    "neuron": 'style="filled,rounded", peripheries=2',
    "rest": "shape=plaintext, style=filled",
}
INK = TEXT["value"].colour
HEAVY = 5  # the weight of an arrow that should stay straight
EMPHASIS: dict[Emphasis, str] = {
    "normal": "",
    "active": f', color="{BACKWARD}", penwidth=3',
    "faint": f', color="{FAINT}", fontcolor="{FAINT}"',
}
STYLE = re.compile(r'style="?([a-z]+(?:,[a-z]+)*)"?')


def to_dot(plan: Plan) -> str:
    """Write a plan in DOT."""
    layered = in_layers(plan)
    plan = layered.plan if layered else plan
    notes = "".join(_escape(note) + r"\l" for note in plan.notes)
    type_ = f'fontname="{FONT}", fontsize={SIZE}'
    lines = [
        f'  graph [{spaces(layered)}, pad=0.15, bgcolor="{PAPER}"]',
        f'  graph [fontname="{FONT}", fontsize={NOTE_SIZE}, fontcolor="{NOTE}", labelloc=b, labeljust=l, label="{notes}"]',
        f'  node [shape=box, height=0.3, margin="0.1,0.06", penwidth=1.2, {type_}, fontcolor="{INK}"]',
        f'  edge [color="{WIRE}", penwidth=1.1, arrowsize=0.65, {type_}, fontcolor="{BACKWARD}"]',
        *map(_node, plan.nodes),
        *(_edge(edge, layered) for edge in plan.edges),
        *(f"  {tie}" for tie in ties(layered)),
        *(f"  {in_order(ids)}" for group in plan.columns + plan.order for ids in _by_layer(group, layered)),
    ]
    text = "\n".join(["digraph {", *lines, "}", ""])
    return text if plan.theme == "light" else COLOUR.sub(lambda found: NIGHT.get(found[0], found[0]), text)


def spaces(layered: Layered | None) -> str:
    """Return the direction and the spacing of a graph; in layers, operands keep their order from left to right.

    >>> spaces(None)
    'rankdir=LR, nodesep=0.18, ranksep=0.36, nslimit=20'
    """
    direction = "TB, ordering=in, nodesep=0.06" if layered else "LR, nodesep=0.18"
    return f"rankdir={direction}, ranksep=0.36, nslimit={PATIENCE}"


def _node(node: Node) -> str:
    fill, outline = BOXES[node.kind]
    label = r"\n".join(_escape(line.text) for line in node.lines)
    inches = size_of(node)[0] / 72
    shape, emphasis = SHAPES[node.kind], EMPHASIS[node.emphasis]
    if node.kind == "rest":  # it has an outline only where it stands out
        emphasis += ", shape=box" * (node.emphasis == "active")
    elif node.emphasis == "faint":
        shape = STYLE.sub(r'style="\1,dashed"', shape)
    return (f'  {node.id} [id={node.id}, class={node.kind}, label="{label}", {shape}, '
            f'fillcolor="{fill}", color="{outline}", width={inches:.2f}{emphasis}]')  # fmt: skip


def _edge(edge: Edge, layered: Layered | None) -> str:
    dashed = ', style="dashed"' * (edge.emphasis == "faint")
    look = f'label="{_label(edge)}"{_ink(edge)}{EMPHASIS[edge.emphasis]}{dashed}{depth(edge, layered)}'
    return f"  {edge.source} -> {edge.target} [id={edge.id}, {look}]"


def depth(edge: Edge, layered: Layered | None) -> str:
    """Return the attributes for how many layers an arrow goes down, and for arrows from leaves to give way to others."""
    if layered is None:
        return ""
    return f", minlen={layered.length(edge)}, weight={1 if edge.source in layered.leaves else HEAVY}"


def ties(layered: Layered | None) -> list[str]:
    """Return the ties between layers, as invisible arrows."""
    return [f"{above} -> {below} [style=invis]" for above, below in layered.ties] if layered else []


def _by_layer(group: Sequence[str], layered: Layered | None) -> list[list[str]]:
    """Divide a column into the parts that share a layer."""
    parts: dict[int, list[str]] = {}
    for ident in group:
        parts.setdefault(layered.layers[ident] if layered else 0, []).append(ident)
    return [part for part in parts.values() if len(part) > 1]


def in_order(ids: Sequence[str]) -> str:
    """Keep a column in its order, where a layout engine would choose the order with the fewest crossings.

    >>> in_order(["n1", "n2"])
    '{rank=same; edge [style=invis]; n1 -> n2}'
    """
    return f"{{rank=same; edge [style=invis]; {' -> '.join(ids)}}}"


def _label(edge: Edge) -> str:
    return r"\n".join(f" {_escape(text)} " for _, text in edge.lines)


def _ink(edge: Edge) -> str:
    return "" if edge.flow in ("flowing", "flowed") else f', fontcolor="{NOTE}"'


def _escape(text: str) -> str:
    """Escape for a quoted string: its own quotes and backslashes, and the HTML entities that Graphviz would resolve."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("&", "&amp;").replace("\n", r"\n")
