"""A plan as SVG, each part where `geometry` puts it.

Boxes and arrows keep the ids of the plan and have their kind and emphasis as classes, for style sheets and scripts; each has
its tooltip as title.  With the same layout engine, the same plan gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from unicodedata import bidirectional
from xml.etree.ElementTree import Element, SubElement, tostring

from autograd.drawing.geometry import fitted
from autograd.drawing.plan import NOTE_LINE, Edge, Emphasis, Node, Plan, Role, note_lines
from autograd.drawing.shapes import Arrow, Box, Geometry, Point
from autograd.drawing.style import (
    BACKWARD,
    BOXES,
    FAINT,
    FONTS,
    LINE,
    MARGIN,
    NIGHT,
    NOTE,
    NOTE_SIZE,
    PAPER,
    SIZE,
    TEXT,
    WIRE,
    label_size,
    text_width,
)

__all__ = ["darken", "draw_arrow", "draw_box", "draw_label", "draw_note", "draw_plan", "left_to_right", "path_of", "to_svg"]

RIGHT = ("R", "AL")  # letters that are read from right to left
PIXELS = 4 / 3  # to a point
BASELINE = 0.35 * SIZE  # of a line of text, below its middle
ASIDE = 8.0  # of the notes, from the edges of the picture
BARBS = 3.2  # half the width of an arrowhead, in points
LINES: dict[Emphasis, tuple[str, str]] = {"normal": ("1.2", ""), "active": ("3", ""), "faint": ("1.2", "3 3")}


def to_svg(plan: Plan) -> str:
    """Draw a plan as SVG.

    Raises:
        LayoutError: if no layout engine is installed.
    """
    return tostring(draw_plan(plan), encoding="unicode") + "\n"


def darken(svg: Element) -> None:
    """Give everything in a picture its colour on dark paper."""
    for part in svg.iter():
        for key in ("fill", "stroke"):
            if (colour := part.get(key)) in NIGHT:
                part.set(key, NIGHT[colour])


def draw_plan(plan: Plan, geometry: Geometry | None = None) -> Element:
    """Draw a plan as SVG, as the tree of its elements.

    Args:
        plan: the picture.
        geometry: where its parts go; by default where `fitted` puts them.
    """
    summary = plan.summary
    if geometry is None:
        plan, geometry = fitted(plan)
    notes = (plan.frame or plan).notes
    # A note of several lines has room for the longest possible ones, because at another moment it breaks elsewhere.
    widest = max((text_width(note[:NOTE_LINE]) * NOTE_SIZE / SIZE for note in notes), default=0.0) + 2 * ASIDE
    width, height = max(geometry.width, widest), geometry.height + len(note_lines(*notes)) * LINE
    svg = Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "width": _n(width * PIXELS), "height": _n(height * PIXELS),
        "viewBox": f"0 0 {_n(width)} {_n(height)}", "style": "max-width: 100%; height: auto", "font-family": FONTS,
        "font-size": _n(SIZE), "text-anchor": "middle", "role": "img", "aria-label": summary,
    })  # fmt: skip
    SubElement(svg, "title").text = summary
    SubElement(svg, "rect", {"class": "paper", "width": "100%", "height": "100%", "rx": "6", "fill": PAPER})
    # Lists, here and below: `extend` turns any error of a generator, such as an interrupt, into a TypeError.
    svg.extend([draw_arrow(edge, geometry.arrows[edge.id]) for edge in plan.edges])
    svg.extend([draw_label(edge, geometry.arrows[edge.id]) for edge in plan.edges if edge.lines])
    svg.extend([draw_box(node, geometry.boxes[node.id]) for node in plan.nodes])
    y = geometry.height + 0.6 * LINE
    for note in plan.notes:
        svg.append(draw_note(note, y))
        y += LINE * len(note_lines(note))
    if plan.theme == "dark":
        darken(svg)
    return svg


def draw_note(note: str, y: float) -> Element:
    """Write a note, its first line at a height."""
    look = {"x": _n(ASIDE), "y": _n(y), "font-size": _n(NOTE_SIZE), "fill": NOTE, "class": "note", "text-anchor": "start"}
    part = text = Element("text", look)
    for i, line in enumerate(note_lines(note)):
        if i:
            part.text = f"{part.text} "  # so that it can be copied as one sentence
            part = SubElement(text, "tspan", {"x": look["x"], "dy": _n(LINE)})
        part.text = left_to_right(line)
    return text


def draw_box(node: Node, box: Box) -> Element:
    """Draw a box with its lines."""
    group = _group(node.id, f"box {node.kind} {node.emphasis}", node.hint)
    fill, outline = BOXES[node.kind]
    look = _look(fill, outline, node.emphasis)
    if node.kind == "input":
        size = {"cx": _n(box.x), "cy": _n(box.y), "rx": _n(box.width / 2), "ry": _n(box.height / 2)}
        SubElement(group, "ellipse", size | look)
    elif node.kind != "rest" or node.emphasis == "active":
        for inset in (0, 3) if node.kind in ("result", "neuron") else (0,):
            corner = {"x": _n(box.x - box.width / 2 + inset), "y": _n(box.y - box.height / 2 + inset)}
            size = {"width": _n(box.width - 2 * inset), "height": _n(box.height - 2 * inset)}
            round_ = {"rx": _n(9 - inset)} if node.kind in ("leaf", "neuron") else {}
            SubElement(
                group, "rect", corner | size | round_ | (look | {"fill": "none", "stroke-width": "1"} if inset else look)
            )
    bottom = box.y + (box.height - MARGIN) / 2 if node.kind == "rest" else box.y + len(node.lines) * LINE / 2
    top = bottom - (len(node.lines) - 0.5) * LINE
    for i, line in enumerate(node.lines):
        group.append(_text(line.text, line.role, node.emphasis, box.x, top + i * LINE))
    return group


def draw_arrow(edge: Edge, arrow: Arrow) -> Element:
    """Draw an arrow, without its label."""
    group = _group(edge.id, f"arrow {edge.emphasis}", edge.hint)
    look = _look("none", WIRE, edge.emphasis)
    SubElement(group, "path", {"d": path_of(arrow.points)} | look)
    (x, y), (u, v) = arrow.points[-1], arrow.tip
    length = max(((u - x) ** 2 + (v - y) ** 2) ** 0.5, 1e-9)
    across = (v - y) / length * BARBS, -(u - x) / length * BARBS
    barbs = [(x + across[0], y + across[1]), (u, v), (x - across[0], y - across[1])]
    SubElement(group, "polygon", {"points": " ".join(map(_p, barbs)), "fill": look["stroke"]})
    return group


def draw_label(edge: Edge, arrow: Arrow) -> Element:
    """Write the label of an arrow on a piece of paper, above all arrows, so that it can be read on its line."""
    group = Element("g", {"class": f"label {edge.emphasis}", "data-of": edge.id})
    (x, y), (width, height) = arrow.label, label_size(edge)
    at = {"x": _n(x - width / 2), "y": _n(y - height / 2), "width": _n(width), "height": _n(height), "rx": "3"}
    SubElement(group, "rect", {"class": "paper", "fill": PAPER, "fill-opacity": "0.85"} | at)
    top = y - (len(edge.lines) - 1) * LINE / 2
    group.extend([_text(text, role, edge.emphasis, x, top + i * LINE) for i, (role, text) in enumerate(edge.lines)])
    return group


def _look(fill: str, outline: str, emphasis: Emphasis) -> dict[str, str]:
    """Return the area and the outline of a shape, which has the colour `outline` unless it is emphasised."""
    width, dashes = LINES[emphasis]
    ink = {"active": BACKWARD, "faint": FAINT, "normal": outline}[emphasis]
    return {"fill": fill, "stroke": ink, "stroke-width": width} | ({"stroke-dasharray": dashes} if dashes else {})


def _group(ident: str, kinds: str, hint: str) -> Element:
    group = Element("g", {"id": ident, "class": kinds})
    SubElement(group, "title").text = hint
    return group


def _text(text: str, role: Role, emphasis: Emphasis, x: float, y: float) -> Element:
    """Write a line of text centred on a point."""
    ink = FAINT if emphasis == "faint" else TEXT[role].colour
    element = Element("text", {"class": role, "x": _n(x), "y": _n(y + BASELINE), "fill": ink, "font-weight": TEXT[role].weight})
    element.text = left_to_right(text)
    return element


def left_to_right(text: str) -> str:
    r"""Mark the end of each name that is read from right to left, or the text after it would be reversed as well.

    >>> ascii(left_to_right("w\u05d5\u05d5 = 3"))
    "'w\\u05d5\\u05d5\\u200e = 3'"
    """
    pieces = pairwise([*text, ""])
    return "".join(c + "\u200e" * (bidirectional(c) in RIGHT and (after == "" or not after.isalpha())) for c, after in pieces)


def _n(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


def path_of(points: Iterable[Point]) -> str:
    """Write a curve as the data of an SVG path."""
    start, *rest = map(_p, points)
    return f"M{start}C{' '.join(rest)}"


def _p(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"
