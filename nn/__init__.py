"""Small neural networks, written with the scalars of `autograd`.

>>> from nn import MLP
>>> model = MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=1)
>>> XOR = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
>>> for epoch in range(200):
...     for x, target in XOR:
...         loss = (model(x) - target) ** 2 / 2
...         model.zero_grad()
...         loss.backward()
...         for parameter in model.parameters():
...             parameter.data -= 1.0 * parameter.grad
>>> [y > 0.5 for y in model.predict([x for x, _ in XOR])]
[False, True, True, False]

A neuron is two nodes, ``net = dot(w, x, b)`` and ``out = activation(net)``; so the δ of a textbook is ``net.grad``.
"""

from nn.layers import MLP, Layer, Neuron
from nn.module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron"]
