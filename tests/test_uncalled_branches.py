"""A page whose graph needs a branch that was not called says so, in the words of `replay`, and does not compute with NaN."""

from __future__ import annotations

import math
from typing import Any

import pytest
from engines import Engine, graph, lent

from autograd import Value, replay, tanh, where

WORDS = "now takes a branch that was not called when the graph was recorded; pass numbers or nodes to where, not functions"


def lazy(w: Value) -> Value:
    y: Value = where(w > 0, lambda: tanh(w), lambda: w * 2)
    y.label = "y"
    loss: Value = y * 3
    return loss


def at(engine: Engine, loss: Value, x: float) -> Any:
    """Return the problem of a page whose first leaf is x, the problem's place, the nodes' values and the steps' texts."""
    return engine.run(f"""(() => {{
        const g = {graph(loss)};
        g.set(0, {x});
        g.compute();
        return [g.problem?.text ?? "", g.problem && g.nodes[g.problem.place].short, [...g.values].map(String), texts(g)];
    }})()""")


@pytest.mark.parametrize(("x", "other"), [(-0.5, 1.0), (2.0, -1.0)])
def test_the_other_branch_is_refused_as_replay_refuses_it(engine: Engine, x: float, other: float) -> None:
    w = Value(x, "w")
    loss = lazy(w)
    with pytest.raises(ValueError, match=WORDS):
        replay(loss, {w: other})
    text, place, values, _ = at(engine, loss, other)
    assert (text, place) == (f"where {WORDS}", "y") and values[-2:] == ["NaN", "NaN"]


def test_the_branch_that_was_called_is_computed(engine: Engine) -> None:
    text, _, values, _ = at(engine, lazy(Value(-0.5, "w")), -2.0)
    assert text == "" and float(values[-1]) == -12.0
    loss = lazy(Value(-0.5, "w"))
    assert engine.run(f"texts({lent(loss, loss)})[2]") == "forward 3/4: y = where(v1, …, v2) = where(0, …, -1) = -1"


def test_nan_as_a_branch_is_a_number_like_any_other(engine: Engine) -> None:
    w = Value(-0.5, "w")
    text, _, values, _ = at(engine, where(w > 0, math.nan, w) * 3, 1.0)
    assert text == "" and values[-1] == "NaN"
