"""Activations with a learned slope, activations of a whole layer, and initial weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import prelu, softmax
from nn import MLP, Layer, Neuron, fit
from nn.layers import INITIALISATIONS, Rowwise

# A learned slope


def test_the_slope_of_prelu_is_a_parameter() -> None:
    neuron = Neuron(1, "prelu", init=lambda *_: 1.0, label="unit")
    assert [name for name, _ in neuron.named_parameters()] == ["w0", "b", "slope"]
    assert neuron.slope is not None and neuron.slope.label == "unit.slope" and neuron.slope.data == 0.25
    out = neuron([-2.0])
    out.backward()
    assert (out.data, neuron.slope.grad, neuron.b.grad) == (-0.5, -2.0, 0.25)
    assert neuron.predict([-2.0]) == -0.5 and neuron.predict([2.0]) == 2.0
    assert Neuron(1, "leaky_relu").slope is None


def test_the_slope_is_learned() -> None:
    neuron = Neuron(1, prelu, init=lambda *_: 1.0)
    X = [[x / 4] for x in range(-8, 9)]
    fit(neuron, X, [x if x > 0 else 0.7 * x for [x] in X], epochs=300, seed=0)
    assert neuron.slope is not None and abs(neuron.slope.data) == pytest.approx(0.7, abs=0.02)
    model = MLP(2, [3, 1], activation="prelu")
    assert len(model.parameters()) == 9 + 3 + 4 and copy.deepcopy(model).layers[0].neurons[0].slope is not None
    assert repr(model) == "MLP(2, [3, 1], activation='prelu', output='linear')"


# Softmax


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=5))
def test_softmax(nets: list[float]) -> None:
    shifted = [math.exp(net - max(nets)) for net in nets]
    assert softmax(nets) == pytest.approx([p / sum(shifted) for p in shifted], rel=1e-9, abs=1e-300)


def test_a_softmax_layer() -> None:
    layer = Layer(2, 3, "softmax", seed=0)
    outs = layer([0.5, -1.0])
    assert [out.data for out in outs] == softmax([neuron.net.data for neuron in layer.neurons if neuron.net is not None])
    assert sum(out.data for out in outs) == pytest.approx(1.0)
    assert layer.predict([0.5, -1.0]) == [out.data for out in outs]
    assert repr(layer) == "Layer(2, 3, activation='softmax')"
    model = MLP(2, [4, 3], output="softmax", seed=0)
    assert repr(model) == "MLP(2, [4, 3], activation='tanh', output='softmax')"
    assert repr(copy.deepcopy(model)) == repr(model)
    with pytest.raises(ValueError, match="softmax works on all net inputs of a layer together; a single neuron cannot have it"):
        Neuron(2, "softmax")


# Initialisation

SPREADS: dict[str, Callable[[int, int], float]] = {
    "zeros": lambda n, m: 0.0,
    "uniform": lambda n, m: math.sqrt(1 / 3),
    "normal": lambda n, m: 1.0,
    "xavier": lambda n, m: math.sqrt(2 / (n + m)),
    "glorot": lambda n, m: math.sqrt(2 / (n + m)),
    "he": lambda n, m: math.sqrt(2 / n),
}


@pytest.mark.parametrize("init", sorted(INITIALISATIONS))
def test_initialisations(init: str) -> None:
    layer = Layer(40, 60, init=init, seed=1)
    weights = [w.data for neuron in layer.neurons for w in neuron.w]
    spread = math.sqrt(sum(w * w for w in weights) / len(weights))
    assert spread == pytest.approx(SPREADS[init](40, 60), rel=0.05)
    assert abs(sum(weights)) / len(weights) <= 0.05 * spread
    assert [neuron.b.data for neuron in layer.neurons] == [0.0] * 60
    again = [Layer(40, 60, init=init, seed=seed).state_dict() for seed in (1, Random(1), 2)]
    assert again[0] == again[1] == layer.state_dict() and (again[2] != again[0]) is (init != "zeros")


def test_uniform_weights_stay_inside_and_normal_ones_do_not() -> None:
    uniform, normal = ([w.data for w in Neuron(4000, init=init, seed=0).w] for init in ("uniform", "normal"))
    assert max(map(abs, uniform)) < 1 and 3 < max(map(abs, normal)) < 5
    assert sum(abs(w) < 1 for w in normal) / 4000 == pytest.approx(0.6827, abs=0.03)


def test_a_user_defined_initialisation() -> None:
    drawn: list[tuple[int, int]] = []

    def draw(rng: Random, n_inputs: int, n_outputs: int) -> float:
        drawn.append((n_inputs, n_outputs))
        return 0.5

    MLP(3, [2, 1], init=draw, seed=0)
    assert drawn == [(3, 2)] * 6 + [(2, 1)] * 2
    with pytest.raises(ValueError, match="unknown initialisation 'kaiming'; choose from glorot, he, normal, uniform, xavier"):
        Neuron(2, init="kaiming")


def test_a_negative_seed_is_refused_since_it_would_draw_the_numbers_of_another() -> None:
    assert Random(-3).random() == Random(3).random()
    with pytest.raises(ValueError, match=r"^seed is 0 or more, since Python draws the same numbers for -3 as for 3$"):
        MLP(2, [1], seed=-3)
    assert MLP(2, [1], seed=0).state_dict() != MLP(2, [1], seed=1).state_dict()


def test_fit_notes_hidden_neurons_that_stay_the_same() -> None:
    X, y = [[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0]
    model = MLP(2, [2, 1], init="zeros")
    [note] = fit(model, X, y, epochs=20).notes
    assert note.startswith("neurons 0, 1 of layer1 have the same weights, so they stay alike; ")
    first, second = model.layers[0].neurons
    assert [p.data for p in first.parameters()] == [p.data for p in second.parameters()]
    assert not fit(MLP(2, [1], init="zeros"), X, y, epochs=1).notes  # no hidden layer
    model.layers[1].neurons[0].w[1].data = 0.5
    assert not fit(model, X, y, epochs=1).notes  # the weights above them tell them apart


def test_a_module_of_rows_without_a_number_of_inputs_says_what_to_define() -> None:
    with pytest.raises(NotImplementedError, match="Rowwise does not define n_inputs"):
        _ = Rowwise().n_inputs
