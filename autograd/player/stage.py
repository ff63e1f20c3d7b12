"""The picture that the player moves: the whole graph, laid out once for every moment of the walk.

A box is as wide as the widest text that it will ever show, so nothing shifts while the steps go by.  Each part says in its
attributes which node of the trace it is about: ``data-value`` what shows a value, ``data-delta`` what shows a gradient,
``data-flow`` what carries a contribution.  A moment is then nothing but what can be seen of it, and how strongly.  In the
markup it is the first moment, for who runs no scripts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from autograd.drawing.as_svg import to_tree
from autograd.drawing.graph import describe_graph, printable
from autograd.drawing.neurons import boxes_of, describe_neurons, find_neurons
from autograd.drawing.plan import Line, Node, Plan
from autograd.player.markup import element
from autograd.player.score import said
from autograd.steps import Walk

__all__ = ["draw_neurons", "draw_nodes"]

LEAST, MOST = 0.054, 0.11  # a point of the picture in the text's em: smaller could not be read, larger would be loud
Members = Mapping[str, tuple[int, ...]]  # the nodes of the trace that a box stands for, by the id of the box


def draw_nodes(steps: Walk, trace: Mapping[str, Any], limit: int) -> Element:
    """Draw the graph of a walk node by node.

    Args:
        steps: the walk to be played.
        trace: the same as data, see `autograd.player.score`.
        limit: the largest number of nodes, leaves included.

    Raises:
        ValueError: if the graph is too large to be read.
        LayoutError: if no layout engine is installed.
    """
    plan = describe_graph(steps.loss, limit)
    return _stage(plan, {node.id: (i,) for i, node in enumerate(plan.nodes)}, trace)


def draw_neurons(steps: Walk, trace: Mapping[str, Any], limit: int) -> Element | None:
    """Draw the network of a walk neuron by neuron; None if there is no neuron in it."""
    neurons = find_neurons(steps.order)
    if not neurons:
        return None
    ids = {node: i for i, node in enumerate(steps.names)}
    plan = describe_neurons(steps.loss, limit)
    members: dict[str, tuple[int, ...]] = {}
    for box, (node, neuron) in zip(plan.nodes, boxes_of(steps.loss, steps.order, neurons).items(), strict=True):
        inside = (node,) if neuron is None else dict.fromkeys((neuron.net, neuron.out))
        members[box.id] = tuple(ids[x] for x in inside)
    return _stage(plan, members, trace)


def _stage(plan: Plan, members: Members, trace: Mapping[str, Any]) -> Element:
    """Draw a plan, mark its parts with what they are about, and set it to the first step."""
    flows = _flows(plan, members, trace)
    widest: dict[int, str] = {}
    for place, says in said(trace):
        widest[place] = max(widest.get(place, ""), says, key=len)
    nodes = tuple(_with_delta(node, widest.get(members[node.id][0])) for node in plan.nodes)
    edges = tuple(replace(edge, label=flows[edge.id][1]) if edge.id in flows else edge for edge in plan.edges)
    plan = replace(plan, nodes=nodes, edges=edges, notes=())
    svg = _bare(plan)
    first = trace["steps"][0]["node"] if trace["steps"] else None
    known = {node["id"] for node in trace["nodes"] if node["operation"] is None} | {first}
    groups = {group.attrib.pop("id"): group for group in svg.iter("g")}
    for node in plan.nodes:
        group, about = groups[node.id], members[node.id]
        state = " active" if first in about else " faint" * known.isdisjoint(about)
        group.attrib |= {
            "class": f"box {node.kind}{state}",
            "data-nodes": " ".join(map(str, about)),
            "role": "button",
            "tabindex": "-1",
            "aria-label": printable(node.lines[0].text),
        }
        _mark_lines(group, node, about, known)
    for edge in plan.edges:
        source, target = members[edge.source][0], members[edge.target][0]
        state = " active" if first in members[edge.target] else " faint"
        groups[edge.id].attrib |= {"class": f"arrow{state}", "data-from": str(source), "data-to": str(target)}
        if edge.id in flows:
            groups[edge.id].set("data-flow", flows[edge.id][0])
            for label in groups[edge.id].iter("text"):
                label.set("class", "flow unseen")
    return svg


def _bare(plan: Plan) -> Element:
    """Draw a plan without what a page has already: paper, titles to be pointed at, a fixed size."""
    svg = to_tree(plan)
    graph = svg.find("g")
    assert graph is not None
    for paper in graph.findall("polygon"):
        graph.remove(paper)
    for part in list(svg.iter()):
        for title in part.findall("title"):
            part.remove(title)
    width = float(svg.attrib.pop("width").removesuffix("pt"))
    del svg.attrib["height"]
    sizes = f"--least: {LEAST * width:.1f}em; --most: {MOST * width:.1f}em"
    svg.attrib |= {"role": "group", "class": "graph", "aria-label": printable(plan.title), "style": sizes}
    return svg


def _flows(plan: Plan, members: Members, trace: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what will flow back along each arrow that is one edge of the trace, and the edge: node and place there."""
    flows = {step["node"]: [edge["flow"] for edge in step["edges"]] for step in trace["steps"] if "edges" in step}
    kinds = {node.id: node.kind for node in plan.nodes}
    counted: Counter[int] = Counter()
    found = {}
    for edge in plan.edges:
        if kinds[edge.target] != "neuron":  # whose arrows bring a weight and an input each
            (node,) = members[edge.target]
            k = counted[node]
            counted[node] += 1
            found[edge.id] = (f"{node}.{k}", flows[node][k])
    return found


def _with_delta(node: Node, says: str | None) -> Node:
    """Return a box with room for the gradient of the walk, in place of what a backward pass may have left in it."""
    lines = [line for line in node.lines if line.role != "gradient"]
    return replace(node, lines=(*lines, *([Line(says, "gradient")] if says else [])))


def _mark_lines(group: Element, node: Node, about: tuple[int, ...], known: set[int | None]) -> None:
    inside = iter(about)
    for text, line in zip(group.iter("text"), node.lines, strict=True):
        text.set("class", line.role)
        if line.role == "gradient":
            text.attrib |= {"data-delta": str(about[0]), "class": "gradient unseen"}
        elif node.kind == "neuron" and line.role == "operation":  # net, and then out
            place = next(inside)
            text.attrib |= {"data-value": str(place), "class": f"operation{'' if place in known else ' unseen'}"}
        elif node.kind != "neuron" and line.role == "value":
            name, equals, value = line.text.rpartition(" = ")
            text.text = name
            seen = "" if about[0] in known else "unseen"
            text.append(element("tspan", equals + value, data_value=str(about[0]), class_=seen))
