"""The demonstration of ``python -m autograd``: the chain rule in the smallest network that has a hidden neuron.

One input i, a weight w_h to a hidden sigmoid neuron, a weight w_o to an output sigmoid neuron, and the squared error E of
its result against a target t.  Its two gradients are short enough to be worked out by hand, so the engine's numbers can be
compared with the formulas of a textbook.

>>> nodes = network(i=2.0, w_h=0.3, w_o=-0.8, t=1.0)
>>> nodes["E"].backward()
>>> f"{nodes['w_o'].grad:.6f} {nodes['w_h'].grad:.6f}"
'-0.094645 0.053659'
>>> "{:.6f} {:.6f}".format(*by_hand({name: node.data for name, node in nodes.items()}))
'-0.094645 0.053659'
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from autograd.derivation import explain
from autograd.moments import Step
from autograd.notation import factor, label_values
from autograd.primitives import sigmoid
from autograd.rerun import replay
from autograd.steps import walk
from autograd.value import Value
from autograd.writing import digits

__all__ = ["by_hand", "demonstrate", "line_up", "network", "signed"]

POINT: Final = {"i": 2.0, "w_h": 0.3, "w_o": -0.8, "t": 1.0}
RATE: Final = 2.0  # the learning rate η
PAGE: Final = "player.html"
AS_EXPRESSION: Final = f"'(t - sigmoid(w_o*sigmoid(w_h*i)))**2 / 2' {' '.join(f'{k}={v:g}' for k, v in POINT.items())}"
INTRODUCTION: Final = """\
A network of two neurons, each with the sigmoid function σ.  How does its error E
change with its weights w_h and w_o?

    i ──w_h──▶ net_h ──σ──▶ r_h ──w_o──▶ net_o ──σ──▶ r_o ──▶ E = (t - r_o)² / 2

The input is i = {i:g}, the target is t = {t:g}, the weights begin at w_h = {w_h:g}, w_o = {w_o:g}."""
FORWARD: Final = "FORWARD.  Each node is computed from those before it:"
BACKWARD: Final = """\
BACKWARD.  ∂E/∂E is 1.  Each node passes its gradient on to its operands, multiplied by
its derivative with respect to each.  That is the chain rule, one link at a time:"""
GIVEN: Final = "The data t and i have gradients too, but only the weights will be changed."
LEARNING: Final = "LEARNING.  A step against the gradient, w ← w - η·∂E/∂w, here with η = {:g}:"
DERIVATION: Final = """\
BY HAND.  The product of the links from E down to a weight, with the rules filled in, is
the textbook's formula.  Its value, next to the engine's:"""


def network(i: float, w_h: float, w_o: float, t: float) -> dict[str, Value]:
    """Record the network at a point; return its nodes by name, ``E`` being the error."""
    nodes = {name: Value(number) for name, number in {"i": i, "w_h": w_h, "w_o": w_o, "t": t}.items()}
    nodes["net_h"] = nodes["w_h"] * nodes["i"]
    nodes["r_h"] = sigmoid(nodes["net_h"])
    nodes["net_o"] = nodes["w_o"] * nodes["r_h"]
    nodes["r_o"] = sigmoid(nodes["net_o"])
    nodes["E"] = (nodes["t"] - nodes["r_o"]) ** 2 / 2
    label_values(nodes)
    return nodes


def by_hand(number: Mapping[str, float]) -> tuple[float, float]:
    """Compute ∂E/∂w_o and ∂E/∂w_h from the numbers of the nodes, by the formulas derived on paper."""
    i, t, w_o, r_h, r_o = (number[name] for name in ("i", "t", "w_o", "r_h", "r_o"))
    return -(t - r_o) * r_o * (1 - r_o) * r_h, -(t - r_o) * r_o * (1 - r_o) * w_o * r_h * (1 - r_h) * i


def demonstrate(folder: Path) -> str:
    """Go through the network forward and back, write a page that plays it into a folder, and return the text to print."""
    nodes = network(**POINT)
    nodes["E"].backward()
    steps = walk(nodes["E"])
    parts = [
        INTRODUCTION.format(**POINT),
        FORWARD,
        _forward(steps[: len(steps) // 2]),
        BACKWARD,
        _backward(steps[len(steps) // 2 :]),
        GIVEN,
        LEARNING.format(RATE),
        _update(nodes),
        DERIVATION,
        _comparison(nodes),
        _page(nodes["E"], folder / PAGE),
        f"The same network as an expression, step by step.  Then try your own:\n\n    {_command('--steps')}",
    ]
    return "\n\n".join(parts)


def signed(numbers: Sequence[float]) -> list[str]:
    """Write a column of numbers; if some have a minus, the others get a space in its place.

    >>> signed([0.5, -2.0]), signed([0.5, 2.0])
    ([' 0.5', '-2'], ['0.5', '2'])
    """
    texts = [digits(x) for x in numbers]
    gap = " " if any(text.startswith("-") for text in texts) else ""
    return [text if text.startswith("-") else gap + text for text in texts]


def line_up(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of texts in indented columns, each as wide as its widest text.

    >>> print(line_up([["w", "= 0.5"], ["net", "= 2"]]))
        w   = 0.5
        net = 2
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("    " + " ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _forward(steps: Sequence[Step]) -> str:
    values = signed([step.node.data for step in steps])
    return line_up([[s.name, "=", s.formula, "=", s.numbers, "=", value] for s, value in zip(steps, values, strict=True)])


def _backward(steps: Sequence[Step]) -> str:
    flows = [(step, edge) for step in steps for edge in step.edges]
    deltas = signed([step.delta or 0.0 for step, _ in flows])
    results = signed([edge.contribution for _, edge in flows])
    rows = []
    for (step, edge), delta, result in zip(flows, deltas, results, strict=True):
        chain = [f"∂E/∂{edge.name}", "=", f"∂E/∂{step.name}", "·", factor(edge.rule)]
        rows.append([*chain, "=", delta, "·", factor(digits(edge.partial)), "=", result])
    return line_up(rows)


def _comparison(nodes: Mapping[str, Value]) -> str:
    parts = []
    for name, number in zip(("w_o", "w_h"), by_hand({name: node.data for name, node in nodes.items()}), strict=True):
        derivation, engine = explain(nodes[name], of=nodes["E"]), nodes[name].grad
        [path] = derivation.paths
        apart = abs(number - engine)
        rows = [
            f"∂E/∂{name} = {' · '.join(f'∂{a}/∂{b}' for a, b in path.hops)}",
            f"        = {derivation.formula.text}",
            f"        = {number:.12f}",
            f" engine = {engine:.12f}, {f'{apart:.0e} apart' if apart else 'the same to the last bit'}",
        ]
        parts.append("\n".join(f"    {row}" for row in rows))
    return "\n\n".join(parts)


def _update(nodes: Mapping[str, Value]) -> str:
    weights = [nodes["w_o"], nodes["w_h"]]
    moved = {w: w.data - RATE * w.grad for w in weights}
    error, after = nodes["E"], replay(nodes["E"], moved).data
    columns = zip(weights, signed([w.data for w in weights]), signed(list(moved.values())), strict=True)
    rows = [[w.label or "", "←", old, f"- {RATE:g}·{factor(digits(w.grad))}", "=", new] for w, old, new in columns]
    return f"{line_up(rows)}\n\nThe error falls from E = {digits(error.data)} to E = {digits(after)}."


def _page(error: Value, path: Path) -> str:
    from autograd.drawing import LayoutError
    from autograd.player import play

    try:
        saved = play(error).save(path).resolve()
    except (LayoutError, OSError) as problem:
        reason = f"{path.name}: {problem.strerror}" if isinstance(problem, OSError) and problem.strerror else problem
        return f"No page was written: {reason}.\nThe graph as text, to be drawn by Mermaid:\n\n    {_command('--mermaid')}"
    return f"""\
PLAY IT.  Open this page in any browser, step through it, and change a number:

    {saved}"""


def _command(option: str) -> str:
    """Return a command to paste, with the path of the running Python if ``python`` would start another one."""
    python = "python"
    if shutil.which(python) is None or ("VIRTUAL_ENV" not in os.environ and sys.prefix != sys.base_prefix):
        python = shlex.quote(os.path.relpath(sys.executable))
    return f"{python} -m autograd {AS_EXPRESSION} {option}"
