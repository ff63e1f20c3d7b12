"""The examples that the page offers; each is an expression with its numbers, or a cell of Python that ends in a `Value`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

__all__ = ["EXAMPLES", "Example"]


class Example(NamedTuple):
    """An example.

    Attributes:
        title: its text in the page's list.
        source: an expression, or a cell of Python.
        values: the numbers of the expression's variables; None for a cell.
    """

    title: str
    source: str
    values: Mapping[str, float] | None = None

    @property
    def content(self) -> dict[str, Any]:
        """The keyword arguments of `Session.show`."""
        return {"code": self.source} if self.values is None else {"expression": self.source, "values": dict(self.values)}


NETWORK: Final = """\
from nn import MLP

model = MLP(2, [3, 1], activation="tanh", output="sigmoid", seed=1)
x = [Value(0.5, label="x0"), Value(-1.0, label="x1")]
loss = (model(x) - 1) ** 2 / 2
loss
"""
XOR: Final = """\
from nn import MLP

model = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", seed=3)
x = [Value(1.0, label="x0"), Value(0.0, label="x1")]
loss = (model(x) - 1) ** 2 / 2  # 1 XOR 0 is 1
loss
"""
ATTENTION: Final = """\
q = [Value(1.0, label="q0"), Value(-0.5, label="q1")]
keys = [[Value(0.5, label="k00"), Value(1.0, label="k01")], [Value(-1.0, label="k10"), Value(0.2, label="k11")]]
values = [Value(0.3, label="v0"), Value(0.9, label="v1")]
e = [exp((q[0] * k[0] + q[1] * k[1]) / 2**0.5) for k in keys]
weights = [each / (e[0] + e[1]) for each in e]
out = weights[0] * values[0] + weights[1] * values[1]
loss = (out - 1) ** 2
loss
"""

EXAMPLES: Final = (
    Example("A neuron", "(tanh(w*x + b) - 1)**2", {"w": 0.5, "x": 2.0, "b": -0.4}),
    Example("1-1-1: two neurons", "(t - sigmoid(w_o*sigmoid(w_h*i)))**2 / 2", {"t": 1.0, "w_o": -0.8, "w_h": 0.3, "i": 2.0}),
    Example("XOR, 2-2-1", XOR),
    Example("A neuron with ReLU", "(relu(w1*x1 + w2*x2 + b) - t)**2",
            {"w1": 0.5, "x1": 2.0, "w2": -1.5, "x2": -1.0, "b": -0.5, "t": 1.0}),
    Example("A shared node", "w*w + 4*w", {"w": 1.0}),
    Example("Softmax with cross-entropy", "-log(exp(z2) / (exp(z1) + exp(z2) + exp(z3)))", {"z2": 1.0, "z1": 2.0, "z3": -1.0}),
    Example("A network, 2-3-1", NETWORK),
    Example("An attention head", ATTENTION),
)  # fmt: skip
