"""A plan as SVG: laid out and drawn by Graphviz, then finished here.

Finishing gives what plain DOT cannot say: the weight and colour of each line, text for screen readers, and tooltips.  It
removes what differs from one version of Graphviz to the next without being seen, so that the same graph is the same bytes.
Boxes and arrows keep the ids of the plan and their kind as class, for scripts that want to light them up.
"""

from __future__ import annotations

from xml.etree import ElementTree

from autograd.drawing.as_dot import to_dot
from autograd.drawing.layout import lay_out
from autograd.drawing.plan import Plan
from autograd.drawing.style import FAINT, TEXT

__all__ = ["to_svg", "to_tree"]

NAMESPACE = "http://www.w3.org/2000/svg"
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
NOTE_SIZE = "11"  # points; less than what was laid out, so that notes find room also in a wider font than Graphviz's


def to_svg(plan: Plan) -> str:
    """Draw a plan as SVG.

    Raises:
        LayoutError: if no layout engine is installed.
    """
    svg = to_tree(plan)
    svg.set("style", "max-width: 100%; height: auto")  # as wide as a notebook's page at most
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def to_tree(plan: Plan) -> ElementTree.Element:
    """Draw a plan as SVG, as the tree of its elements."""
    svg = ElementTree.fromstring(lay_out(to_dot(plan)))  # the parser drops the prologue and the comments
    for element in svg.iter():
        element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        element.attrib.pop("font-family", None)
    svg.attrib |= {"xmlns": NAMESPACE, "font-family": FONTS, "role": "img", "aria-label": plan.summary}
    title = ElementTree.Element("title")
    title.text = plan.summary
    svg.insert(0, title)
    for text in svg.iterfind("./g/text"):
        text.set("font-size", NOTE_SIZE)
    groups = {group.get("id"): group for group in svg.iter("g")}
    for node in plan.nodes:
        _hint(groups[node.id], node.hint)
        for text, line in zip(groups[node.id].iter("text"), node.lines, strict=True):
            colour = FAINT if node.emphasis == "faint" else TEXT[line.role].colour
            text.attrib |= {"fill": colour, "font-weight": TEXT[line.role].weight}
    for edge in plan.edges:
        _hint(groups[edge.id], edge.hint)
    return svg


def _hint(element: ElementTree.Element, text: str) -> None:
    """Put a text of our own into an element's title, which Graphviz fills with ids and browsers show on pointing."""
    for title in element.iter("title"):
        title.text = text
