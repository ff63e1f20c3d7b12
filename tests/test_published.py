"""Networks of lecture notes, run on scalars: the numbers are those that the notes print.

Four sets of notes: a derivation for a chain of two neurons; the error surface, the parity network and its
training run; perceptrons, XOR, batch against online; and the four equations of backpropagation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, dot, explain, sigmoid
from nn import MLP, Layer, Module, Neuron, Perceptron, accuracy, deltas, fit
from nn.data import parity, truth_table
from nn.losses import squared_error
from nn.optim import SGD
from nn.training import Batches

# Gradient descent on a paraboloid

PARABOLOID = """\
Step:  0, (a, b): (4.0, 4.0) Error: 200.0
Step:  1, (a, b): (1.6, 1.6) Error: 32.0
Step:  2, (a, b): (0.64, 0.64) Error: 5.12
Step:  3, (a, b): (0.26, 0.26) Error: 0.8192
Step:  4, (a, b): (0.1, 0.1) Error: 0.13107
Step:  5, (a, b): (0.041, 0.041) Error: 0.020972
Step:  6, (a, b): (0.016, 0.016) Error: 0.0033554"""


def test_descent_on_a_paraboloid() -> None:
    a, b, optimizer, lines = Value(10.0), Value(10.0), SGD(lr=0.3), []
    for i in range(7):
        error = a**2 + b**2
        error.zero_grad()
        error.backward()
        optimizer.step([a, b])
        lines.append(f"Step: {i:>2}, (a, b): ({a.data:>1.2}, {b.data:>1.2}) Error: {error.data:>3.5}")
    assert "\n".join(lines) == PARABOLOID


# The parity of ten bits

EPOCHS = ["0.48236", "0.3234", "0.16235", "0.075001", "0.040232", "0.025256", "0.017793", "0.013523", "0.010801", "0.0089463"]
N, SIZE = 700, 8


def parity_run(epochs: int, *, compiled: bool) -> tuple[MLP, list[str]]:
    """Train as the notes do: 87 batches, the last one of 12 examples; the sum of each batch's gradients divided by 8."""
    rng = np.random.RandomState(0)
    model = MLP(10, [3, 2], activation="sigmoid", output="sigmoid")
    for layer in model.layers:
        weights, biases = rng.randn(len(layer.neurons), layer.n_inputs), rng.randn(len(layer.neurons))
        for neuron, row, bias in zip(layer.neurons, weights.tolist(), biases.tolist(), strict=True):
            neuron.load_state_dict({**{f"w{i}": w for i, w in enumerate(row)}, "b": bias})
    X, y = parity()
    history = fit(model, X[:N], y[:N], loss=squared_error, optimizer=SGD(lr=0.3 / SIZE), reduce="sum",
                  epochs=epochs, batches=notes_batches(rng), compiled=compiled)  # fmt: skip
    n_batches = N // SIZE
    return model, [f"{loss / SIZE / n_batches:>3.5}" for loss in history.loss]


def notes_batches(rng: np.random.RandomState) -> Batches:
    """Return the batches of the notes: shuffled, of 8 examples each, and the last with the remaining ones too."""

    def batches() -> Iterator[Sequence[int]]:
        order = np.arange(N)
        rng.shuffle(order)
        starts = range(0, N - N % SIZE, SIZE)
        ends = [*starts[1:], N]
        return (order[start:end].tolist() for start, end in zip(starts, ends, strict=True))

    return batches


def test_parity_first_ten_epochs() -> None:
    _, errors = parity_run(10, compiled=False)
    assert errors == EPOCHS


@pytest.mark.slow
def test_parity_forty_epochs_node_by_node() -> None:
    assert parity_run(40, compiled=False)[1] == parity_run(40, compiled=True)[1]


def test_parity_thousand_epochs() -> None:
    model, errors = parity_run(1000, compiled=True)
    assert errors[:10] == EPOCHS
    assert errors[998:] == ["4.031e-05", "4.0268e-05"]
    X, y = parity()
    assert accuracy(model, X[N:], y[N:]) == 1.0
    # The notes' figure 5: the heaviest weight of every hidden neuron is that of the last bit.
    rows = [[abs(w.data) for w in neuron.w] for neuron in model.layers[0].neurons]
    assert all(row.index(max(row)) == 9 for row in rows)
    columns = [sum(column) for column in zip(*rows, strict=True)]
    assert columns[9] > 2 * max(columns[:9])


# One input, one hidden neuron, one output neuron


def chain(i: float, w_h: float, w_o: float, t: float) -> tuple[Value, Value, Value, Value, Value]:
    """Return both weights, both outputs and the error of the network 1-1-1."""
    i_, h, o, t_ = Value(i, "i"), Value(w_h, "w_h"), Value(w_o, "w_o"), Value(t, "t")
    r_h = sigmoid(h * i_)
    r_o = sigmoid(o * r_h)
    error = (t_ - r_o) ** 2 / 2
    r_h.label, r_o.label, error.label = "r_h", "r_o", "E"
    return h, o, r_h, r_o, error


numbers = st.floats(-3, 3)


@given(numbers, numbers, numbers, numbers)
def test_chain_of_two_neurons_in_numbers(i: float, w_h: float, w_o: float, t: float) -> None:
    h, o, hidden, out, error = chain(i, w_h, w_o, t)
    error.backward()
    r_h, r_o = hidden.data, out.data
    d_o = -(t - r_o) * r_o * (1 - r_o) * r_h
    d_h = -(t - r_o) * r_o * (1 - r_o) * w_o * r_h * (1 - r_h) * i
    assert o.grad == pytest.approx(d_o, rel=1e-12, abs=1e-15)
    assert h.grad == pytest.approx(d_h, rel=1e-12, abs=1e-15)
    eta = 0.5
    SGD(lr=eta).step([h, o])
    assert o.data == pytest.approx(w_o + eta * (t - r_o) * r_o * (1 - r_o) * r_h, rel=1e-12, abs=1e-15)
    assert h.data == pytest.approx(w_h + eta * (t - r_o) * r_o * (1 - r_o) * w_o * r_h * (1 - r_h) * i, rel=1e-12, abs=1e-15)


def test_chain_of_two_neurons_in_symbols() -> None:
    h, o, *_, error = chain(0.5, 0.8, -0.6, 1.0)
    of_output, of_hidden = explain(o, of=error), explain(h, of=error)
    assert of_output.paths[0].hops == (("E", "r_o"), ("r_o", "w_o"))
    assert of_hidden.paths[0].hops == (("E", "r_o"), ("r_o", "r_h"), ("r_h", "w_h"))
    assert of_output.formula.text == "-(t - r_o)·r_o·(1 - r_o)·r_h"
    assert of_hidden.formula.text == "-(t - r_o)·r_o·(1 - r_o)·w_o·r_h·(1 - r_h)·i"


# δ, and the equations of backpropagation


def network(n_inputs: int, sizes: list[int], seed: int) -> MLP:
    model = MLP(n_inputs, sizes, activation="sigmoid", output="sigmoid", seed=seed, init="normal")
    for layer in model.layers:
        for j, neuron in enumerate(layer.neurons):
            neuron.b.data = 0.3 - 0.2 * j
    return model


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@settings(max_examples=50)
@given(shapes, st.integers(0, 10_000), st.data())
def test_equations_1_to_6_and_the_four_equations(sizes: list[int], seed: int, data: st.DataObject) -> None:
    x = data.draw(st.lists(numbers, min_size=2, max_size=2))
    y = np.array(data.draw(st.lists(numbers, min_size=sizes[-1], max_size=sizes[-1])))
    model = network(2, sizes, seed)
    squared_error(model(x), y.tolist()).backward()

    weights = [np.array([[w.data for w in neuron.w] for neuron in layer.neurons]) for layer in model.layers]
    biases = [np.array([neuron.b.data for neuron in layer.neurons]) for layer in model.layers]
    a, slopes = [np.array(x)], []
    for w, b in zip(weights, biases, strict=True):
        out = 1 / (1 + np.exp(-(w @ a[-1] + b)))
        a.append(out)
        slopes.append(out * (1 - out))

    found = [np.array(layer) for layer in deltas(model)]
    # (2), BP1: the output layer's δ from the error;  (5), BP2: that of every other layer from the next layer's.
    expected = [-2 * (y - a[-1]) * slopes[-1]]
    for w, slope in zip(weights[:0:-1], slopes[-2::-1], strict=True):
        expected.insert(0, (w.T @ expected[0]) * slope)
    for layer, delta, expected_delta, below in zip(model.layers, found, expected, a, strict=False):
        np.testing.assert_allclose(delta, expected_delta, rtol=1e-9, atol=1e-14)
        # (1), (4), BP4 and (3), (6), BP3
        gradient = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        np.testing.assert_allclose(gradient, np.outer(delta, below), rtol=1e-9, atol=1e-14)
        np.testing.assert_array_equal([neuron.b.grad for neuron in layer.neurons], delta)


def test_delta_of_output_and_hidden_neurons() -> None:
    model = network(2, [2, 1], seed=4)
    x, y = [1.0, -0.5], 1.0
    out = model(x)
    squared_error(out, y, half=True).backward()
    hidden, (delta,) = deltas(model)
    o = out.data
    assert delta == pytest.approx((o - y) * o * (1 - o), rel=1e-12)
    o_hidden = model.layers[0].predict(x)
    back = [o_j * (1 - o_j) * delta * w.data for o_j, w in zip(o_hidden, model.layers[1].neurons[0].w, strict=True)]
    assert hidden == pytest.approx(back, rel=1e-12)


def test_a_saturated_neuron_learns_slowly() -> None:
    gradients = []
    for bias in (0.0, 4.0, 8.0):  # the same error of about 1, ever farther out on the sigmoid
        neuron = Neuron(1, "sigmoid", init="zeros")
        neuron.b.data = bias
        out = neuron([1.0])
        squared_error(out, out.data - 1.0, half=True).backward()
        gradients.append(neuron.w[0].grad)
    assert gradients == pytest.approx([0.25, 0.017663, 0.00033524], rel=1e-4)


def test_a_weight_from_a_silent_neuron_learns_slowly() -> None:
    neuron = Neuron(2, "sigmoid", seed=0)
    squared_error(neuron([1.0, 0.001]), 0.0).backward()
    assert neuron.w[1].grad == pytest.approx(0.001 * neuron.w[0].grad, rel=1e-12)


# Batch and online training


def half(outputs: Any, targets: Any) -> Any:
    return squared_error(outputs, targets, half=True)


def test_batch_and_online_training() -> None:
    X, y = truth_table("or")
    start = {name: parameter.data for name, parameter in network(2, [2, 1], seed=1).named_parameters()}
    batch, online = network(2, [2, 1], seed=1), network(2, [2, 1], seed=1)

    # Batch: one step along the gradient of ½ Σ (o − y)² over all examples, each at the same weights.
    fit(batch, X, y, loss=half, optimizer=SGD(lr=0.5), epochs=1, batch_size=None, reduce="sum", shuffle=False)
    by_hand = network(2, [2, 1], seed=1)
    gradient = dict.fromkeys(start, 0.0)
    for x, target in zip(X, y, strict=True):
        by_hand.zero_grad()
        half(by_hand(x), target).backward()
        gradient = {name: gradient[name] + parameter.grad for name, parameter in by_hand.named_parameters()}
    moved = [start[name] - 0.5 * gradient[name] for name in start]
    assert [parameter.data for parameter in batch.parameters()] == pytest.approx(moved, rel=1e-12)

    # Online: a step after each example, so the second example meets other weights.
    fit(online, X, y, loss=half, optimizer=SGD(lr=0.5), epochs=1, batch_size=1, shuffle=False)
    by_hand.load_state_dict(start)
    for x, target in zip(X, y, strict=True):
        by_hand.zero_grad()
        half(by_hand(x), target).backward()
        for parameter in by_hand.parameters():
            parameter.data -= 0.5 * parameter.grad
    assert online.state_dict() == by_hand.state_dict() != batch.state_dict()


# XOR


class ThresholdXor(Module):
    """Three threshold units that compute (a or b) and not (a and b)."""

    def __init__(self) -> None:
        self.hidden = Layer(2, 2, "step")
        self.out = Perceptron(2)
        self.load_state_dict({
            "hidden.neuron0.w0": 1.0, "hidden.neuron0.w1": 1.0, "hidden.neuron0.b": -0.5,
            "hidden.neuron1.w0": 1.0, "hidden.neuron1.w1": 1.0, "hidden.neuron1.b": -1.5,
            "out.w0": 1.0, "out.w1": -1.0, "out.b": -0.5,
        })  # fmt: skip

    def __call__(self, x: Any) -> Any:
        """Return 1 if exactly one input is 1."""
        return self.out(self.hidden(x))


def test_xor() -> None:
    X, y = truth_table("xor")
    outcome = Perceptron(2).fit(X, y)
    assert outcome.separable is False and min(outcome.mistakes) > 0
    wired = ThresholdXor()
    assert [wired.predict(x) for x in X] == y
    trained = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", seed=1, init="normal")
    history = fit(trained, X, y, loss=half, optimizer=SGD(lr=4.0), epochs=1000, batch_size=1, seed=0, goal=0.002)
    assert history.stopped == "at the goal" and accuracy(trained, X, y) == 1.0


def test_activations_of_the_notes() -> None:
    row = dot([0.5, -1.0], [2.0, 1.5], 0.25)
    assert row == -0.25
    names = "step", "sigmoid", "tanh", "relu", "leaky_relu", "prelu"  # prelu: gReLU with the initial α = 0.25
    outs = [Neuron(1, name, init=lambda *_: 1.0).predict([row]) for name in names]
    assert outs == pytest.approx([0.0, 1 / (1 + math.exp(0.25)), math.tanh(-0.25), 0.0, -0.0025, -0.0625], rel=1e-12)
    assert math.tanh(0.7) == pytest.approx(2 * sigmoid(1.4) - 1)
