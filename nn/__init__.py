"""Small neural networks, built from the scalars of `autograd`.

>>> from nn import MLP, fit
>>> from nn.data import truth_table
>>> X, y = truth_table("xor")
>>> model = MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=1)
>>> history = fit(model, X, y, epochs=200, seed=0)
>>> [p > 0.5 for p in model.predict(X)]
[False, True, True, False]

A training loop can also be written by hand:

>>> for epoch in range(100):
...     for x, target in zip(X, y):
...         loss = (model(x) - target) ** 2 / 2
...         model.zero_grad()
...         loss.backward()
...         for parameter in model.parameters():
...             parameter.data -= 1.0 * parameter.grad

A neuron is two nodes, ``net = dot(w, x, b)`` and ``out = activation(net)``; so the δ of a textbook is ``net.grad``.

Networks: `MLP`, `Layer`, `Neuron`, `Perceptron`; to write your own, subclass `Module`.  Training: `fit`, with `nn.losses` and
`nn.optim`; afterwards ``model.history``, `accuracy`, `confusion`, `classify`, `deltas`, and `nn.plots`.
Files: `save`, `load`.  Examples: `nn.data`.
"""

from nn import data as data
from nn import losses as losses
from nn import optim as optim
from nn import plots as plots
from nn.evaluation import accuracy, classify, confusion, deltas
from nn.layers import MLP, Layer, Neuron
from nn.module import Module
from nn.perceptron import Perceptron
from nn.storage import load, save
from nn.training import collector_paused, fit

__all__ = ["MLP", "Layer", "Module", "Neuron", "Perceptron", "accuracy", "classify", "collector_paused", "confusion", "deltas",
           "fit", "load", "save"]  # fmt: skip
