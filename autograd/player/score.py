"""The walk as the player reads it: the trace of `Walk.to_json`, with what is written into the picture at each step.

>>> from autograd.value import Value
>>> x = Value(3.0, label="x")
>>> trace = trace_of(Walk(x * x))
>>> trace["steps"][1]["says"], [(edge["flow"], edge["says"]) for edge in trace["steps"][1]["edges"]]
('δ = 1', [('← 3', 'δ so far = 3'), ('← 3', 'δ = 6')])
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from autograd.steps import Walk
from autograd.symbol import digits

__all__ = ["said", "trace_of"]


def trace_of(steps: Walk) -> dict[str, Any]:
    """Return the trace of a walk as plain data.

    To what `Walk.to_json` holds, a backward step adds ``says``, the gradient in its box, and each of its edges ``flow``, the
    contribution on the arrow, and ``says``, the running total in the box that the arrow comes from.
    """
    trace: dict[str, Any] = json.loads(steps.to_json())
    awaited = Counter(x for node in steps.order for x in node.inputs)
    for step, entry in zip(steps, trace["steps"], strict=True):
        if step.delta is None:
            continue
        entry["says"] = f"δ = {digits(step.delta)}"
        for edge, flow in zip(step.edges, entry["edges"], strict=True):
            awaited[edge.input] -= 1
            so_far = "so far " if awaited[edge.input] > 0 else ""
            shown = f"← {digits(edge.contribution)}" if edge.taken else "not taken"
            flow |= {"flow": shown, "says": f"δ {so_far}= {digits(edge.total)}"}
    return trace


def said(trace: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Go through all that is ever said of gradients: the id of a node, and the text in its box."""
    for step in trace["steps"]:
        if step["phase"] == "backward":
            yield step["node"], step["says"]
            yield from ((edge["input"], edge["says"]) for edge in step["edges"])
