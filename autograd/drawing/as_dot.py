r"""A plan in DOT, the language of Graphviz.

Only plain labels are used, no HTML-like ones, because not every build of Graphviz has an XML parser; bold and coloured
lines come in later, when the SVG is finished.  The sizes of boxes are reckoned here and not left to the layout engine,
since the engines measure text with different fonts, and none of them with the one the reader's screen will have.

>>> from autograd.drawing.plan import Line, Node, Plan
>>> print(to_dot(Plan("t", (Node("n0", "leaf", (Line("value", 'say "w"'),), hint=""),), (), ())).splitlines()[-2])
  n0 [id=n0, class=leaf, label="say \"w\"", style="filled,rounded", fillcolor="#dceefa", color="#0072b2", width=0.95]
"""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import east_asian_width

from autograd.drawing.plan import Edge, Emphasis, Kind, Node, Plan
from autograd.drawing.style import BACKWARD, BOXES, FAINT, FONT, NOTE, PAPER, WIRE

__all__ = ["to_dot"]

SIZE = 13  # points
EM = 0.62  # the mean width of a character in the widest font to be expected (DejaVu Sans), bold, in units of its size
PATIENCE = 20  # bounds the search for positions: the same pictures as without, but no minutes where many edges are long
SHAPES: dict[Kind, str] = {
    "leaf": 'style="filled,rounded"',
    "operation": "style=filled",
    "result": "style=filled, peripheries=2",
    "neuron": 'style="filled,rounded", peripheries=2',
}
STANDING: dict[Emphasis, str] = {
    "normal": "",
    "active": f', color="{BACKWARD}", penwidth=3',
    "faint": f', color="{FAINT}", fontcolor="{FAINT}", style="dashed"',
}


def to_dot(plan: Plan) -> str:
    """Write a plan in DOT."""
    notes = "".join(_escape(note) + r"\l" for note in plan.notes)
    lines = [
        f'  graph [rankdir=LR, nodesep=0.18, ranksep=0.5, nslimit={PATIENCE}, pad=0.15, bgcolor="{PAPER}"]',
        f'  graph [fontname="{FONT}", fontsize={SIZE + 1}, fontcolor="{NOTE}", labelloc=b, labeljust=l, label="{notes}"]',
        f'  node [shape=box, height=0.3, margin="0.1,0.06", penwidth=1.2, fontname="{FONT}", fontsize={SIZE}]',
        f'  edge [color="{WIRE}", penwidth=1.1, arrowsize=0.65, fontname="{FONT}", fontsize=11, fontcolor="{BACKWARD}"]',
        *map(_node, plan.nodes),
        *map(_edge, plan.edges),
        *map(_column, _layers(plan)),
    ]
    return "\n".join(["digraph {", *lines, "}", ""])


def _node(node: Node) -> str:
    fill, outline = BOXES[node.kind]
    label = r"\n".join(_escape(line.text) for line in node.lines)
    inches = (max(_columns(line.text) for line in node.lines) * EM * SIZE + 12) / 72
    return (f'  {node.id} [id={node.id}, class={node.kind}, label="{label}", {SHAPES[node.kind]}, '
            f'fillcolor="{fill}", color="{outline}", width={inches:.2f}{STANDING[node.emphasis]}]')  # fmt: skip


def _edge(edge: Edge) -> str:
    return (
        f'  {edge.source} -> {edge.target} [id={edge.id}, label=" {_escape(edge.label)} "{_ink(edge)}{STANDING[edge.emphasis]}]'
    )


def _layers(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Find what stands side by side in a network: neurons with the same inputs, and inputs of the same neurons."""
    sources: dict[str, set[str]] = {node.id: set() for node in plan.nodes}
    targets: dict[str, set[str]] = {node.id: set() for node in plan.nodes}
    for edge in plan.edges:
        sources[edge.target].add(edge.source)
        targets[edge.source].add(edge.target)
    neurons = {node.id for node in plan.nodes if node.kind == "neuron"}
    layers: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    for node in plan.nodes:
        if node.id in neurons:
            layers.setdefault((frozenset(sources[node.id]), frozenset()), []).append(node.id)
        elif node.kind == "leaf" and set() < targets[node.id] <= neurons:
            layers.setdefault((frozenset(), frozenset(targets[node.id])), []).append(node.id)
    yield from (tuple(layer) for layer in layers.values() if len(layer) > 1)


def _column(layer: tuple[str, ...]) -> str:
    """Hold a layer in its order: left alone, a layout engine puts it in whatever order has the fewest crossings."""
    return f"  {{rank=same; edge [style=invis]; {' -> '.join(layer)}}}"


def _ink(edge: Edge) -> str:
    return "" if edge.flow in ("step", "flowed") else f', fontcolor="{NOTE}"'


def _escape(text: str) -> str:
    """Escape for a quoted string: its own quotes and backslashes, and the HTML entities that Graphviz would resolve."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("&", "&amp;").replace("\n", r"\n")


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
