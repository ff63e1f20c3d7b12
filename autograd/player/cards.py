"""What stands below the picture: a card for each step, a ledger for each node, and the classic mistakes.

All of it is written here and is in the markup from the start; the script shows the one that is due.  What a learner may
predict has its number in ``data-answer``, and whatever would give it away has the class ``secret``.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from autograd.mistakes import MISTAKES
from autograd.moments import Edge, Step
from autograd.player.markup import element
from autograd.steps import Walk
from autograd.symbol import digits, numbers, plain
from autograd.telling import equation
from autograd.value import Value

__all__ = ["card", "ledger", "mistaken"]

PLACES = {"forward": "Forward {} of {} →", "backward": "← Backward {} of {}"}


def card(step: Step, beside: Step | None = None, tag: str = "li") -> Element:
    """Write a step: its rule, the numbers put in, and what comes of it.

    Args:
        step: the step.
        beside: the same step of another walk; what differs from it is marked.
        tag: the name of the element to be made.
    """
    head: list[Element | str] = [element("span", PLACES[step.phase].format(*step.place), class_="place"), " "]
    head += [element("b", step.name if step.delta is None else f"{step.name} = {step.formula}"), " "]
    if step.delta is not None:
        differs = " differs" * (beside is not None and beside.delta != step.delta)
        head.append(element("span", step.gradient, class_=f"delta{differs}"))
    rows = _rows(step)
    others = _rows(beside) if beside is not None else rows
    flows = [element("dl", *map(_cell, row, other)) for row, other in zip(rows, others, strict=True)]
    return element(tag, element("p", *head, class_="head"), *flows, class_=f"step {step.phase}")


Cell = tuple[str, str, float | None]  # a caption, what is told, and the number to be predicted if there is one


def _rows(step: Step) -> list[list[Cell]]:
    if step.delta is not None:
        return list(map(_flow, step.edges))
    return [[("rule", f"{step.name} = {step.formula}", None), ("numbers put in", step.numbers, None),
             ("value", f"{step.name} = {step.value}", step.node.data)]]  # fmt: skip


def _flow(edge: Edge) -> list[Cell]:
    return [
        ("rule", f"{edge.slope} = {edge.case}", None),
        ("numbers put in", equation(edge.numbers, digits(edge.partial, edge.digits)), None),
        ("contribution", _product(edge), edge.contribution),
        (f"running total, {edge.name}.grad", edge.addition, None),
    ]


def _cell(told: Cell, beside: Cell) -> Element:
    caption, text, answer = told
    kind = ("rule" if caption == "rule" else "secret") + " differs" * (text != beside[1])
    first, *others = text.split(" = ")
    parts: list[Element | str] = [element("span", first)]
    for part in others:
        parts += [" ", element("span", f"= {part}")]  # where a line may best be broken
    made = element("div", element("dt", caption), element("dd", *parts), class_=kind)
    if answer is not None:
        made.set("data-answer", repr(answer))
    return made


def _product(edge: Edge) -> str:
    product = edge.product if edge.taken else "not taken"
    return f"{product} = {digits(edge.contribution, edge.digits)}"


def ledger(node: Value, steps: Walk) -> Element:
    """Write where the gradient of a node comes from: a line for each arrow that leaves it, in the order of the walk."""
    ids = {x: str(i) for i, x in enumerate(steps.names)}
    name, loss, place = steps.names[node], steps.names[steps.loss], ids[node]
    told, number = steps.telling.formula(node), steps.telling.number
    formula = [] if node.primitive is None else [told.written(plain(steps.telling.digits))]
    put_in = [] if node.primitive is None else [told.written(numbers(steps.telling.digits))]
    head = [
        element("span", f"Ledger of {name}", class_="place"),
        element("b", " = ".join([name, *formula])),
        element("span", " = ".join(["", *put_in, number(node.data)]), data_value=place),
    ]
    lines = [
        element(
            "li",
            element("span", f"from {step.name}: ∂{loss}/∂{step.name} · {edge.slope}"),
            element("span", f" = {_product(edge)}", class_="term"),
            element("span", ", still to come", class_="later"),
            data_flow=f"{ids[step.node]}.{k}",
        )
        for step in steps[len(steps.order) :]
        for k, edge in enumerate(step.edges)
        if edge.input is node
    ]
    start = [element("li", f"∂{loss}/∂{name} = 1: the backward pass starts here")] if node is steps.loss else []
    total = element("output", f"{steps.telling.mark(node)} = {number(steps.gradients[node])}", data_delta=place)
    later = element("span", "still to come", class_="later")
    meaning = element("p", f"{name}.grad = ∂{loss}/∂{name}: ", total, later, class_="sum")
    return element("section", element("p", *head, class_="head"), element("ul", *start, *lines), meaning, data_node=place)


def mistaken(wrong: Walk, right: Sequence[Step]) -> Element:
    """Write a mistake beside the right run, at the first step that differs; or that it changes nothing on this graph.

    Args:
        wrong: the walk with the mistake.
        right: the steps of the right walk.
    """
    name = wrong.mistake or ""
    about = (MISTAKES[name].__doc__ or "").partition("\n")[0]
    if not wrong.difference:
        return element("p", element("b", name), f": {about} It changes nothing on this graph.", class_="harmless")
    last = wrong[-1]
    place, step = next((i, step) for i, step in enumerate(right) if step.phase == "backward" and step.node is last.node)
    runs = [_run("right", place, step, last), _run("wrong", len(wrong) - 1, last, step)]
    return element(
        "details",
        element("summary", element("b", name), f": {about}"),
        element("p", f"{wrong.difference}.", class_="difference"),
        element("div", *runs, class_="runs"),
        data_mistake=name,
    )


def _run(kind: str, place: int, step: Step, beside: Step) -> Element:
    title = {"right": "As it should be", "wrong": "With the mistake"}[kind]
    stage = element("div", class_="stage")  # the script puts the picture of this moment into it
    parts = element("h4", title), stage, card(step, beside, "div")
    return element("div", *parts, class_=f"run {kind}", data_place=str(place))
