"""The walk as the player reads it: the trace of `Walk.to_json`, with what is written into the picture at each step.

>>> from autograd.value import Value
>>> x = Value(3.0, label="x")
>>> trace = trace_of(Walk(x * x))
>>> trace["steps"][1]["says"], [(edge["flows"], edge["flowed"], edge["says"]) for edge in trace["steps"][1]["edges"]]
('∂loss = 1', [('1 × 3 = 3', '← 3', '∂x so far = 3'), ('1 × 3 = 3', '← 3', '∂x = 6')])
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from autograd.drawing.nodes import gradient_line, local_edge
from autograd.moments import Moment
from autograd.steps import Walk
from autograd.value import Value

__all__ = ["said", "trace_of"]


def trace_of(steps: Walk) -> dict[str, Any]:
    """Return the trace of a walk as plain data.

    To what `Walk.to_json` holds, a backward step adds ``says``, the gradient in its box, and each of its edges ``flows`` and
    ``flowed``, the contribution on the arrow in this step and later, and ``says``, the running total where it arrives.
    """
    trace: dict[str, Any] = json.loads(steps.to_json())
    moment = Moment(steps.loss, steps.names)

    def gradient(node: Value) -> str:
        [line] = gradient_line(node, steps.telling, moment)
        return line.text

    for step, entry in zip(steps, trace["steps"], strict=True):
        moment.enter(step)
        if step.delta is None:
            continue
        entry["says"] = gradient(step.node)
        for k, flow in enumerate(entry["edges"]):
            moment.add(step, k)
            arrow = local_edge("", "", "", step.node, k, steps.telling, moment)
            past = arrow if arrow.flow == "not taken" else replace(arrow, flow="flowed")
            flow |= {"flows": arrow.label, "flowed": past.label, "says": gradient(step.edges[k].input)}
    return trace


def said(trace: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Go through all that is ever said of gradients: the id of a node, and the text in its box."""
    for step in trace["steps"]:
        if step["phase"] == "backward":
            yield step["node"], step["says"]
            yield from ((edge["input"], edge["says"]) for edge in step["edges"])
