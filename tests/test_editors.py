"""Type checkers of editors: pyright, which VS Code runs while people type, accepts programs as users write them.

The test needs Node and npm's package pyright, which the variable NODE_PATH has to lead to:

    npm install --prefix FOLDER pyright
    NODE_PATH=FOLDER/node_modules .venv/bin/python -m pytest -m slow tests/test_editors.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from visits import modules

pytestmark = pytest.mark.slow  # needs npm's package: run by `.ci/run pictures`

ROOT = Path(__file__).resolve().parents[1]
NODES = """
import math
from collections import Counter
from collections.abc import Hashable
import numpy as np
from autograd import (
    Unary, Value, check_derivation, dot, draw, explain, gradients, logsumexp, maximum, play, relu, replay, sigmoid,
    softmax, tanh, total, walk, where,
)
from autograd.exercises import exercise, exercises, worksheet
from autograd.expressions import parse

w, x, b = Value(0.5, label="w"), Value(2.0, "x"), Value(-1)
out = tanh(w * x + b)
out.label = "out"
loss = (out - 1) ** 2
loss.backward()
print(w.grad + 1, f"{loss.data:.3f}", out.relu().exp().data, {w: 1.0}[w], {w, x}, Counter([w, x]), max(w, x), sum([w, x]))
keys: list[Hashable] = [w, x]
z = 2 * w - x / 3 + 1 - b**2 + w**x + 2**w + abs(w) + w // 2 + w % 2 + math.floor(w)
if w > 0 and x < 3:
    z += where(w > 0, lambda: relu(w), 0.0) + maximum(w, 0, x) + where(w > x, w, 1)
total([w, x, 1.0, dot([w, x], [1, 2], b), logsumexp([w, x]), softmax([w, x, 1])[0]]).backward(2.0)
print((np.array([w, x]) * 2).sum().data, tanh(1.0) + 1, parse("w*x + 1")(1, 2))
steps = walk(loss)
print(steps[3], steps.goto(2).name, steps.forward().name, len(steps), [step.name for step in steps], steps.difference)
print(explain(w, of=loss).latex, draw(loss, step=3, theme="dark").save("graph.svg").name, play([loss, replay(loss, {w: 3.0})]))
print(check_derivation(loss, {w: 1.0, x: ...}).sentences, bool(check_derivation(loss, {w: 1})), gradients(loss, [w, x])[0])
task = exercise(loss, ask=[w, b])
print(task.mark({w: "2*x", b: -1}).points, task.hint(), worksheet(exercises(seed=1)).save("sheet.tex").name)
swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
print(swish(w).data, swish(1.0))
"""
FUNCTIONS = """
import numpy as np
from autograd import (
    Value, assert_gradient, certify, compile, grad, gradcheck, hessian, jvp, numbers, sigmoid, tanh, value_and_grad,
)

def f(a, b=1.0):
    hidden = tanh(a * b)
    hidden.label = "hidden"
    return sigmoid(hidden)

print(grad(f)(1.0), grad(grad(tanh))(1.0).data, value_and_grad(f)(2.0)[1], numbers(grad(f)(1.0)))
print(hessian(lambda v: v[0] * v[1])([1.0, 2.0])[0][1].data, jvp(lambda a: a * a, (3.0,), (1.0,))[1])
print(grad(lambda a, b: a * b, argnums=(0, 1))(1.0, 2.0)[0].data)
print(gradcheck(f, 0.5).verdict, bool(gradcheck(lambda v: v @ v, np.ones(2), gradient=lambda v: 2 * v)))
assert_gradient(lambda a: a * a, 3.0)
box = certify(lambda w, x: tanh(w * x), w=(-1, 1), x=2)
print(box.claim(lambda w: w > 0).verdict, box.monotone("w"), box.value)
w = Value(2.0)
print(certify(w * w, digits=40).bounds(w).low)
program = compile(lambda x, y: (w * x - y) ** 2, [w], example=(1.0, 2.0))
value, gradient = program.gradient([1.0], [2.0])
program.parameters -= 0.1 * gradient
print(value + 1, program([1.0], [2.0])[0], program.latex)
"""
NETWORKS = """
from autograd import Value, total
from nn import MLP, Layer, Module, Neuron, accuracy, confusion, deltas, fit, load, losses, save
from nn.data import moons
from nn.optim import SGD, Adam, Momentum, descend
from nn.plots import decision_boundary, loss_curve, weights
from nn.schedules import cosine, warmup

class Residual(Module):
    def __init__(self):
        self.inner = Layer(2, 2, "tanh", seed=1)
        self.scale = Value(1.0)

    def __call__(self, x):
        return total([a * self.scale + b for a, b in zip(self.inner(x), x)])

print(Residual()([1.0, 2.0]).data, len(Residual().parameters()))
model = MLP(2, [3, 1], activation="tanh", seed=0)
model([1.0, 2.0]).backward()
for name, parameter in model.named_parameters():
    parameter.data -= 0.1 * parameter.grad
model.zero_grad()
print(model.layers[0].neurons[0].w[0].data, model.predict([1.0, 2.0]))
X, y = moons(20, seed=0)
history = fit(model, X, y, epochs=2, optimizer=Adam(lr=warmup(cosine(0.1, 10), 2)), progress=False,
              callbacks=[lambda history, model: model.layers[0].neurons[0].b.data > 9])
print(history.loss[-1] + 1, history.stopped, accuracy(model, X, y) * 100, confusion(model, X, y), deltas(model)[0][0])
neuron = Neuron(2)
neuron([1.0, 2.0]).backward()
print(neuron.net.grad, neuron.b.data, [v.data for v in neuron.w])
save(model, "model.json")
load(model, "model.json")
Momentum(lr=0.1).step(model.parameters())
print(descend(lambda a, b: a * a + b * b, [1.0, 2.0], SGD(lr=0.1), steps=3)[0], losses.cross_entropy([1.0, neuron.b], 1).data)
decision_boundary(model, X, y).set_title("moons")
print(loss_curve(history), weights(model)[0].get_title())
"""


WRONG = """
from autograd import Value, draw, tahn, tanh, walk

walk(3), draw(Value(1.0), stop=2), tanh(Value(1.0)).backwards(), walk(tanh(Value(1.0)))[0].nmae
"""


def check(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run pyright on a program, which is left in a folder."""
    checker = modules("pyright") / "pyright" / "index.js"
    (folder / "program.py").write_text(program, encoding="utf-8")
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)]}), encoding="utf-8")
    command = ["node", str(checker), "--pythonpath", sys.executable, "program.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", [NODES, FUNCTIONS, NETWORKS], ids=["nodes", "functions", "networks"])
def test_a_program_that_runs_has_no_errors(program: str, tmp_path: Path) -> None:
    found = check(program, tmp_path)
    assert found.returncode == 0, found.stdout
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, check=True, capture_output=True)


def test_an_editable_installation_can_be_read() -> None:
    hooks = Path(sysconfig.get_path("purelib")).glob("__editable___scalar_autograd*_finder.py")
    assert not [*hooks], "only Python runs hooks"


def test_mistakes_are_found_before_the_program_runs(tmp_path: Path) -> None:
    assert "\n5 errors," in check(WRONG, tmp_path).stdout
