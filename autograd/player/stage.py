"""The picture that the player moves: the whole graph, laid out once for every moment of the walk.

A box is as wide as the widest text that it will ever show, so nothing shifts while the steps go by.  Each part says in its
attributes which node of the trace it is about: ``data-value`` what shows a value, ``data-delta`` what shows a gradient,
``data-flow`` what carries a contribution.  A moment is then nothing but what can be seen of it, and how strongly.  The markup
shows the first moment, for readers without JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from autograd.drawing.as_svg import draw_plan
from autograd.drawing.neurons import describe_neurons, find_neurons
from autograd.drawing.nodes import describe_nodes
from autograd.drawing.plan import Line, Node, Plan
from autograd.player.markup import element
from autograd.player.score import said
from autograd.steps import Walk

__all__ = ["draw_neurons", "draw_nodes"]

LEAST, MOST = 0.04, 0.083  # a pixel of the picture in the text's em: smaller could not be read, larger would be loud


def draw_nodes(steps: Walk, trace: Mapping[str, Any]) -> Element:
    """Draw the graph of a walk node by node.

    Args:
        steps: the walk to be played.
        trace: the same as data, see `autograd.player.score`.

    Raises:
        LayoutError: if no layout engine is installed.
    """
    return _stage(describe_nodes(steps.telling), trace)


def draw_neurons(steps: Walk, trace: Mapping[str, Any], limit: int) -> Element | None:
    """Draw the network of a walk neuron by neuron; None if there is no neuron in it."""
    if not find_neurons(steps.order):
        return None
    return _stage(describe_neurons(steps.telling, limit=limit), trace)


def _stage(plan: Plan, trace: Mapping[str, Any]) -> Element:
    """Draw a plan, mark its parts with what they are about, and set it to the first step."""
    widest: dict[int, str] = {}
    for place, says in said(trace):
        widest[place] = max(widest.get(place, ""), says, key=len)
    flows = {(step["node"], k): edge["flows"] for step in trace["steps"] for k, edge in enumerate(step.get("edges", []))}
    nodes = tuple(_with_gradient(node, widest.get(node.places[0])) for node in plan.nodes)
    edges = tuple(replace(edge, flow="nothing", name=flows[edge.place]) if edge.place else edge for edge in plan.edges)
    plan = replace(plan, nodes=nodes, edges=edges, notes=())
    svg = _bare(plan)
    first = trace["steps"][0]["node"] if trace["steps"] else None
    known = {node["id"] for node in trace["nodes"] if node["operation"] is None} | {first}
    groups = {group.attrib.pop("id"): group for group in svg.iterfind("g[@id]")}
    labels = {group.attrib.pop("data-of"): group for group in svg.iterfind("g[@data-of]")}
    places = {node.id: node.places for node in plan.nodes}
    for node in plan.nodes:
        group = groups[node.id]
        state = " active" if first in node.places else " faint" * known.isdisjoint(node.places)
        group.attrib |= {
            "class": f"box {node.kind}{state}",
            "data-nodes": " ".join(map(str, node.places)),
            "role": "button",
            "tabindex": "-1",
            "aria-label": node.lines[0].text,
        }
        for text, line in zip(group.iter("text"), node.lines, strict=True):
            _mark(text, line, known)
    for edge in plan.edges:
        group, source, target = groups[edge.id], places[edge.source], places[edge.target]
        state = " active" if first in target else " faint"
        group.attrib |= {"class": f"arrow{state}", "data-from": str(source[0]), "data-to": str(target[0])}
        if edge.place:
            for part in (group, labels[edge.id]):
                part.set("data-flow", "{}.{}".format(*edge.place))
            for label in labels[edge.id].iter("text"):
                label.set("class", "flow unseen")
    return svg


def _bare(plan: Plan) -> Element:
    """Draw a plan without what a page has already: paper, titles to be pointed at, a fixed size."""
    svg = draw_plan(plan)
    for part in list(svg.iter()):
        for extra in (*part.findall("title"), *part.findall("rect[@class='paper']")):
            part.remove(extra)
    width = float(svg.attrib.pop("width"))
    del svg.attrib["height"]
    sizes = f"--least: {LEAST * width:.1f}em; --most: {MOST * width:.1f}em"
    svg.attrib |= {"role": "group", "class": "graph", "aria-label": plan.title, "style": sizes}
    return svg


def _with_gradient(node: Node, text: str | None) -> Node:
    """Return a box with room for the widest text of the walk's gradient, in place of what a backward pass may have left."""
    lines = tuple(line for line in node.lines if line.role != "gradient")
    return replace(node, lines=lines if text is None else (*lines, Line("gradient", text, place=node.places[0])))


def _mark(text: Element, line: Line, known: set[int | None]) -> None:
    text.set("class", line.role)
    if line.role == "gradient":
        text.attrib |= {"data-delta": str(line.place), "class": "gradient unseen"}
    elif line.place is not None:
        name, equals, value = line.text.rpartition(" = ")
        text.text = name
        seen = "" if line.place in known else "unseen"
        text.append(element("tspan", equals + value, data_value=str(line.place), class_=seen))
