"""A plan as a Mermaid flowchart, which GitHub, GitLab and many note-taking programs draw in place.

Mermaid lays it out, so nothing is folded here: a graph that would be too wide for a page is set in `layers` from top to bottom.
The kinds of boxes differ as in the other formats: round ends for a leaf, a doubled frame for the result.

>>> from autograd.drawing.plan import Line, Node, Plan
>>> lines = (Line("value", "w", value=2.0), Line("gradient", "∂w", value=3.0))
>>> print(to_mermaid(Plan("t", (Node("n0", "leaf", lines, hint=""),), (), ())))
flowchart LR
  accTitle: t: 1 node, 0 edges
  n0(["<b>w = 2</b><br/>∂w = 3"]):::leaf
  classDef leaf fill:#dceefa,stroke:#0072b2,color:#1a1a1a
  classDef operation fill:#ffffff,stroke:#33404a,color:#1a1a1a
  classDef result fill:#fdf3cf,stroke:#33404a,color:#1a1a1a
  classDef input fill:#dceefa,stroke:#0072b2,color:#1a1a1a
  classDef neuron fill:#e5f4ee,stroke:#00694c,color:#1a1a1a
  classDef rest fill:#ffffff,stroke:#ffffff,color:#1a1a1a
  classDef note fill:#ffffff,stroke:#ffffff,color:#4a5560
  %%{init: {'flowchart': {'nodeSpacing': 10, 'rankSpacing': 30, 'padding': 8}}}%%
  linkStyle default interpolate linear
<BLANKLINE>
"""

from __future__ import annotations

import re

from autograd.drawing.layers import in_layers
from autograd.drawing.plan import Edge, Emphasis, Kind, Line, Node, Plan
from autograd.drawing.style import BACKWARD, BOXES, FAINT, NIGHT, NOTE, PAPER, TEXT

__all__ = ["to_mermaid"]

FRAMES: dict[Kind, tuple[str, str]] = {
    "leaf": ("([", "])"),
    "operation": ("[", "]"),
    "result": ("[[", "]]"),
    "input": ("((", "))"),
    "neuron": ("(", ")"),
    "rest": ("[", "]"),
}
FADED = f",color:{FAINT}"
EMPHASIS: dict[Emphasis, str] = {
    "active": f"stroke:{BACKWARD},stroke-width:3px",
    "faint": f"stroke:{FAINT},stroke-dasharray:4{FADED}",
}
# In pixels, where text has 16: Mermaid's own spaces and margins are more than twice as wide.
SPACES = "%%{init: {'flowchart': {'nodeSpacing': 10, 'rankSpacing': 30, 'padding': 8}}}%%"
DARK = '%%{init: {"theme": "dark"}}%%\n'
DEEPEST = 10  # layers: the greatest length that is written for an arrow
COLOUR = re.compile("#[0-9a-f]{6}(?![;0-9a-f])")  # in a label, # begins a number that ends in a semicolon
HARMLESS = frozenset(" .,=+-−·/^()|√δ∂σΣ∞…×←′⁽⁾²³₀₁₂₃₄₅₆₇₈₉≤≥_↑↓")  # written unchanged, as letters and digits are


def to_mermaid(plan: Plan) -> str:
    """Write a plan as a Mermaid flowchart."""
    ink, summary, layered = TEXT["value"].colour, plan.summary, in_layers(plan)
    plan = layered.plan if layered else plan
    lines = [
        f"flowchart {'TB' if layered else 'LR'}",
        f"  accTitle: {_escape(summary, plain=': ')}",
        *map(_node, plan.nodes),
        *(_edge(edge, layered.length(edge) if layered else 1) for edge in plan.edges),
        *(f"  {above} ~~~ {below}" for above, below in (layered.ties if layered else ())),
        *(f"  classDef {kind} fill:{box.fill},stroke:{box.outline},color:{ink}" for kind, box in BOXES.items()),
        f"  classDef note fill:{PAPER},stroke:{PAPER},color:{NOTE}",  # on paper, because arrows may pass behind the notes
        *_emphasis(plan),
        f"  {SPACES}",
        "  linkStyle default interpolate linear",  # on curves Mermaid moves labels, so that they overlap where arrows cross
    ]
    if plan.notes:
        joined = (_escape(note).replace("⁾", "⁾#8288;") for note in plan.notes)  # a word joiner, so that no name is broken
        box = f'notes["{"<br/>".join(joined)}"]:::note'
        if layered:
            lines += [f"  {box}", f"  {plan.nodes[-1].id} ~~~ notes"]
        elif plan.edges:  # below the result
            lines.append(f"  {plan.edges[-1].source} ~~~ {box}")
        else:
            lines.append(f"  {box}")
    text = "\n".join([*lines, ""])
    if plan.theme == "light":
        return text
    return DARK + COLOUR.sub(lambda found: NIGHT.get(found[0], found[0]), text)


def _emphasis(plan: Plan) -> list[str]:
    """Write the styles of what stands out at the moment shown, and of what is still to come."""
    lines = []
    for emphasis, look in EMPHASIS.items():
        nodes = [node for node in plan.nodes if node.emphasis == emphasis]
        edges = [str(i) for i, edge in enumerate(plan.edges) if edge.emphasis == emphasis]
        bare = look if emphasis == "active" else f"color:{FAINT}"  # a box without an outline has none to dash
        lines += [f"  style {node.id} {bare if node.kind == 'rest' else look}" for node in nodes]
        lines += [f"  linkStyle {','.join(edges)} {look.replace(FADED, '')}"] * bool(edges)  # labels have their own background
    return lines


def _node(node: Node) -> str:
    opening, closing = FRAMES[node.kind]
    return f'  {node.id}{opening}"{"<br/>".join(map(_line, node.lines))}"{closing}:::{node.kind}'


def _line(line: Line) -> str:
    text = _escape(line.text)
    return f"<b>{text}</b>" if TEXT[line.role].weight == "bold" else text


def _edge(edge: Edge, length: int) -> str:
    label = "<br/>".join(_escape(text) for _, text in edge.lines)
    arrow = "-" * (min(length, DEEPEST) + 1) + ">"
    return f'  {edge.source} {arrow}|"{label}"| {edge.target}' if label else f"  {edge.source} {arrow} {edge.target}"


def _escape(text: str, plain: str = "") -> str:
    """Replace every character that Mermaid, Markdown or HTML might interpret by its entity in Mermaid, ``#number;``."""
    text = "".join(c if c.isalnum() or c in HARMLESS or c in plain else f"#{ord(c)};" for c in text)
    return text.replace("#92;", "#92;#8203;")  # a zero-width space, or \\n would still break the line
