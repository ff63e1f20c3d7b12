"""Networks: shapes, names, δ as in textbooks, and predictions that equal the recorded numbers."""

from __future__ import annotations

import copy
import gc
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Unary, Value, dot, leaky_relu, maximum, sigmoid, tanh, total
from nn import MLP, Layer, Module, Neuron
from nn.layers import ACTIVATIONS

ROOT = Path(__file__).parent.parent
XOR = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
numbers = st.floats(-3, 3)


def train(model: Module, examples: list[tuple[list[int], int]], rate: float, epochs: int) -> float:
    """Descend on squared errors, one example at a time; return the sum of the last epoch's."""
    error = 0.0
    for _ in range(epochs):
        error = 0.0
        for x, target in examples:
            loss = (model(x) - target) ** 2 / 2
            model.zero_grad()
            loss.backward()
            for parameter in model.parameters():
                parameter.data -= rate * parameter.grad
            error += loss.data
    return error


# Learning


@pytest.mark.parametrize(("activation", "output", "rate"), [("tanh", "linear", 0.1), ("sigmoid", "sigmoid", 4.0)])
def test_xor_is_learned(activation: str, output: str, rate: float) -> None:
    model = MLP(2, [4, 1], activation=activation, output=output, seed=2)
    before = train(model, XOR, rate, epochs=1)
    after = train(model, XOR, rate, epochs=400)
    assert before > 0.2 and after < 0.02
    assert [y > 0.5 for y in model.predict([x for x, _ in XOR])] == [False, True, True, False]


SLOPES: dict[str, Callable[[float], float]] = {
    "linear": lambda z: 1.0,
    "tanh": lambda z: 1 / math.cosh(z) ** 2,
    "sigmoid": lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2,
    "relu": lambda z: float(z > 0),
}


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    activation=st.sampled_from(sorted(SLOPES)),
    output=st.sampled_from(sorted(SLOPES)),
    seed=st.integers(0, 2**32),
    x=st.lists(numbers, min_size=1, max_size=3),
    data=st.data(),
)
def test_delta_is_the_gradient_of_the_net_input(
    sizes: list[int], activation: str, output: str, seed: int, x: list[float], data: st.DataObject
) -> None:
    model = MLP(len(x), sizes, activation=activation, output=output, seed=seed)
    targets = data.draw(st.lists(numbers, min_size=sizes[-1], max_size=sizes[-1]))
    outs = model(x)
    outs = outs if isinstance(outs, list) else [outs]
    total([(y - t) ** 2 / 2 for y, t in zip(outs, targets, strict=True)]).backward()

    # BP1 and BP2: δ of the output layer from the errors, then of each layer from the one above it.
    upstream = [y.data - t for y, t in zip(outs, targets, strict=True)]
    for i, layer in reversed(list(enumerate(model.layers))):
        slope = SLOPES[output if i == len(sizes) - 1 else activation]
        nets = [neuron.net for neuron in layer.neurons]
        deltas = [error * slope(net.data) for error, net in zip(upstream, nets, strict=True) if net is not None]
        below = x if i == 0 else model.layers[i - 1].predict(_activations(model, x, i - 1))
        for neuron, delta in zip(layer.neurons, deltas, strict=True):
            assert neuron.net is not None
            assert neuron.net.grad == pytest.approx(delta, rel=1e-9, abs=1e-12)
            # BP3 and BP4
            assert neuron.b.grad == pytest.approx(delta, rel=1e-9, abs=1e-12)
            assert [w.grad for w in neuron.w] == pytest.approx([delta * a for a in below], rel=1e-9, abs=1e-12)
        upstream = [
            sum(neuron.w[j].data * delta for neuron, delta in zip(layer.neurons, deltas, strict=True))
            for j in range(layer.n_inputs)
        ]


def _activations(model: MLP, x: list[float], n: int) -> list[float]:
    """Return the outputs of the first n layers: the inputs of layer n + 1."""
    for layer in model.layers[:n]:
        x = layer.predict(x)
    return x


# Nodes


def test_a_neuron_is_two_nodes_and_a_linear_one_is_one() -> None:
    neuron = Neuron(2, "tanh", seed=0)
    x = Value(1.0)
    out = neuron([x, 2.0])
    (net,) = out.inputs
    assert out.primitive is tanh and net.primitive is dot
    assert net.operands == (*neuron.w, x, 2.0, neuron.b)
    assert neuron.net is net
    linear = Neuron(2, "linear", seed=0)
    assert linear([x, 2.0]) is linear.net


def test_nodes_are_labelled_like_their_neuron() -> None:
    model = MLP(2, [2, 1], seed=0)
    out = model([1.0, 2.0])
    assert out.label == "layer2.neuron0.net"
    assert [x.label for x in out.inputs[2:4]] == ["layer1.neuron0.out", "layer1.neuron1.out"]
    assert out.inputs[3].inputs[0].label == "layer1.neuron1.net"
    neuron = Neuron(1, seed=0)
    out = neuron([1.0])
    assert (out.label, out.inputs[0].label) == ("out", "net")


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"arccosh", "log", "log10", "log2", "sqrt"}))
def test_every_activation_by_name(name: str) -> None:
    model = MLP(3, [4, 1], activation=name, output=name, seed=3)
    x = [0.3, -0.1, 0.2]
    out = model(x)
    row = ACTIVATIONS[name]
    assert out.primitive is (row or dot)
    assert model.predict(x) == out.data


def test_the_activations_are_the_unary_rows_of_the_table() -> None:
    rows = [getattr(autograd, name) for name in autograd.__all__]
    assert {row.name for row in rows if isinstance(row, Unary)} | {"linear", "leaky_relu", "prelu"} == set(ACTIVATIONS)


@pytest.mark.parametrize("row", [tanh, leaky_relu, swish])
def test_activations_as_rows(row: Unary) -> None:
    out = Neuron(1, row, seed=0)([-2.0])
    assert out.primitive is row and out.data == row(out.inputs[0].data)


# Names


def test_names_and_labels() -> None:
    model = MLP(2, [2, 1], seed=0)
    names = [name for name, _ in model.named_parameters()]
    assert names == ["layer1.neuron0.w0", "layer1.neuron0.w1", "layer1.neuron0.b",
                     "layer1.neuron1.w0", "layer1.neuron1.w1", "layer1.neuron1.b",
                     "layer2.neuron0.w0", "layer2.neuron0.w1", "layer2.neuron0.b"]  # fmt: skip
    assert [parameter.label for parameter in model.parameters()] == names
    assert [name for name, _ in Layer(1, 1).named_parameters()] == ["neuron0.w0", "neuron0.b"]
    assert MLP(1, [1], label="critic").parameters()[0].label == "critic.layer1.neuron0.w0"


class Pair(NamedTuple):
    """Two parameters."""

    left: Value
    right: Value


class Attention(Module):
    """A user-defined module with parameters in every kind of place, one of them shared."""

    def __init__(self) -> None:
        self.name = "attention"
        self.matrix = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
        self.head = MLP(2, [1], seed=0)
        self.heads = (Neuron(1, seed=1), self.head)
        self.tied = self.matrix[0][0]
        self.scale = {"a": Value(5.0), "b": OrderedDict(c=Value(6.0))}
        self.pair = Pair(Value(7.0), Value(8.0))
        self.size = 2
        self.history: list[Value] = []

    def __call__(self, x: list[Any], *, shift: float = 0.0) -> Any:
        """Compute an output from parameters of several places, and keep a result."""
        rows = [dot(row, x) for row in self.matrix]
        self.history = [total(rows)]
        return self.head(rows) * self.scale["a"] + self.pair.left * self.pair.right + self.tied + shift


def test_parameters_of_a_user_defined_module() -> None:
    model = Attention()
    model([1.0, 2.0])
    assert [name for name, _ in model.named_parameters()] == [
        "matrix0_0", "matrix0_1", "matrix1_0", "matrix1_1", "head.layer1.neuron0.w0", "head.layer1.neuron0.w1",
        "head.layer1.neuron0.b", "heads0.w0", "heads0.b", "scale.a", "scale.b.c", "pair0", "pair1",
    ]  # fmt: skip
    assert model.parameters() == [parameter for _, parameter in model.named_parameters()]


def test_a_user_defined_module_predicts_without_further_code() -> None:
    model = Attention()
    out = model([1.0, -2.0], shift=0.5)
    history = model.history
    assert model.predict([1.0, -2.0], shift=0.5) == model.predict((Value(1.0), Value(-2.0)), shift=0.5) == out.data
    assert model.history is history


def test_a_cycle_of_modules_is_followed_once() -> None:
    model = Attention()
    model.__dict__["owner"] = model
    assert len(model.parameters()) == len(model.named_parameters()) == 13
    assert isinstance(model.predict([1.0, 2.0]), float)


def test_two_parameters_of_one_name_are_refused() -> None:
    class Twice(Module):
        def __init__(self) -> None:
            self.w = [Value(1.0)]
            self.w0 = Value(2.0)

    assert len(Twice().parameters()) == 2
    with pytest.raises(ValueError, match="two parameters are both named 'w0'"):
        Twice().named_parameters()


def test_zero_grad() -> None:
    model = MLP(2, [2, 1], seed=0)
    model([1.0, 2.0]).backward()
    assert all(parameter.grad != 0 for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad == 0 for parameter in model.parameters())


def test_a_module_without_call_says_so() -> None:
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward pass; define its method __call__"):
        Empty()([1.0])
    assert (repr(Empty()), str(Empty())) == ("Empty()", "Empty() with 0 parameters")


def test_one_parameter_is_not_plural() -> None:
    class Scale(Module):
        def __init__(self) -> None:
            self.w = Value(1.0)

    assert str(Scale()) == "Scale() with 1 parameter"


def test_repr() -> None:
    model = MLP(2, [16, 16, 1], activation="tanh", output="linear")
    assert repr(model) == "MLP(2, [16, 16, 1], activation='tanh', output='linear')"
    assert str(model) == f"{model!r} with 337 parameters"
    assert repr(MLP(1, [1], activation=leaky_relu, output=swish)) == (
        "MLP(1, [1], activation='leaky_relu', output=<primitive swish>)"
    )
    head = "MLP(2, [1], activation='tanh', output='linear')"
    assert repr(Attention()) == f"Attention(head={head}, heads=(Neuron(1, activation='tanh'), {head}))"


def test_the_repr_shows_modules_in_containers() -> None:
    class Blocks(Module):
        def __init__(self) -> None:
            self.blocks, self.heads = [[Neuron(1)]], {"a": Neuron(2)}
            self.w, self.sizes = [Value(1.0)], [1, 2]
            self.loop: list[Any] = [self]

    assert repr(Blocks()) == (
        "Blocks(blocks=[[Neuron(1, activation='tanh')]], heads={'a': Neuron(2, activation='tanh')}, loop=[…])"
    )


# Shapes and refusals


def test_shapes() -> None:
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert [type(out) for out in MLP(2, [1, 3])([1.0, 2.0])] == [Value] * 3
    assert [type(out) for out in Layer(2, 1)([1.0, 2.0])] == [Value]
    sizes: Any = np.array([2, 3, 1])
    assert repr(MLP(sizes[0], sizes[1:])) == "MLP(2, [3, 1], activation='tanh', output='linear')"


@pytest.mark.parametrize("row", [[1, 2], (1.0, 2.0), range(1, 3), np.array([1, 2]), [np.float32(1), np.int64(2)],
                                 np.array([Value(1.0), 2.0], dtype=object)])  # fmt: skip
def test_an_example_is_any_sequence_of_numbers(row: Any) -> None:
    for model in (Neuron(2, seed=0), MLP(2, [3, 1], seed=0)):
        expected = model([1.0, 2.0]).data
        assert model(row).data == expected
        assert model.predict(row) == expected


@pytest.mark.parametrize("rows", [[[1, 2], [3, 4]], [(1, 2), (3, 4)], np.array([[1, 2], [3, 4]]),
                                  [np.array([1.0, 2.0]), np.array([3.0, 4.0])], [[Value(1.0), 2.0], [3.0, 4.0]]])  # fmt: skip
def test_predict_takes_rows(rows: Any) -> None:
    for model in (Neuron(2, seed=0), Layer(2, 3, seed=0), MLP(2, [3, 1], seed=0)):
        assert model.predict(rows) == [model.predict([1.0, 2.0]), model.predict([3.0, 4.0])]


@pytest.mark.parametrize(
    ("model", "x", "message"),
    [
        (Neuron(3), [1.0, 2.0], r"Neuron\(3, activation='tanh'\) takes 3 inputs; got 2"),
        (Neuron(1), [1.0, 2.0], r"Neuron\(1, activation='tanh'\) takes 1 input; got 2"),
        (Layer(3, 2, "relu"), [], r"Layer\(3, 2, activation='relu'\) takes 3 inputs; got 0"),
        (MLP(2, [3, 1]), np.zeros(3), "layer1 takes 2 inputs; got 3"),
    ],
)
def test_a_wrong_number_of_inputs_is_refused(model: Any, x: Any, message: str) -> None:
    for call in (model, model.predict):
        with pytest.raises(ValueError, match=message):
            call(x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (5.0, r"takes a list of numbers or Values, as many as it has inputs \(2\); got 5.0"),
        (None, r"takes a list of numbers .* got None"),
        ("ab", r"takes a list of numbers .* got 'ab'"),
        ({1.0, 2.0}, r"takes a list of numbers .* got {1.0, 2.0}"),
        (["a", 1.0], "'a' is a str; pass a real number"),
        ([None, 1.0], "None is a NoneType; pass a real number"),
        ([1j, 1.0], "1j is a complex; pass a real number"),
        ([1.0, [2.0]], r"\[2.0\] is a list; pass a real number .* its elements one by one"),
    ],
)
def test_inputs_that_are_not_numbers_are_refused(x: Any, message: str) -> None:
    for model in (Neuron(2, label="neuron"), MLP(2, [1])):
        for call in (model, model.predict):
            with pytest.raises(TypeError, match=rf"^(layer1\.)?(layer1|neuron0?).*{message}"):
                call(x)


@pytest.mark.parametrize("model", [Neuron(2), Layer(2, 2), MLP(2, [1])])
def test_a_call_takes_one_example(model: Any) -> None:
    for rows in ([[1.0, 2.0]] * 2, np.zeros((3, 2))):
        with pytest.raises(
            TypeError, match=f"takes one example at a time, a list of length 2 .*; got rows, {len(rows)} in all"
        ):
            model(rows)


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "message"),
    [
        (Neuron, [0], ValueError, "n_inputs is at least 1; got 0"),
        (Layer, [2, -1], ValueError, "n_outputs is at least 1; got -1"),
        (MLP, [2, [3, 0]], ValueError, "size of layer 2 is at least 1; got 0"),
        (MLP, [2, [2.5]], TypeError, "size of layer 1 is a whole number; got 2.5"),
        (MLP, ["2", [2]], TypeError, "n_inputs is a whole number; got '2'"),
        (MLP, [2, []], ValueError, r"sizes lists the number of neurons of each layer, such as \[16, 16, 1\]; got \[\]"),
        (MLP, [2, 3], ValueError, "sizes lists the number of neurons .*; got 3"),
        (Neuron, [2, "tahn"], ValueError, "unknown activation 'tahn'; choose from .*leaky_relu, linear, .*tanh"),
        (MLP, [2, [1], "tahn"], ValueError, "unknown activation 'tahn'"),
        (Neuron, [2, math.tanh], TypeError, "got <built-in function tanh>; to make a row of a function of your own"),
        (Neuron, [2, maximum], TypeError, "a row that works on one operand; got <primitive maximum>"),
        (Neuron, [2, dot], TypeError, "a row that works on one operand; got <primitive dot>"),
        (Neuron, [2, None], TypeError, "an activation is a name, or a row"),
        (MLP, [2, [1], ["tanh"]], TypeError, "an activation is a name, or a row"),
    ],
)
def test_wrong_networks_are_refused(kind: Any, arguments: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        kind(*arguments)


# Predicting


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    activation=st.sampled_from(["tanh", "sigmoid", "relu", "softplus", "leaky_relu", "exp"]),
    seed=st.integers(0, 2**32),
    x=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=4),
)
def test_predict_is_the_forward_pass_bit_for_bit(sizes: list[int], activation: str, seed: int, x: list[float]) -> None:
    model = MLP(len(x), sizes, activation=activation, output=activation, seed=seed)
    for parameter in model.parameters():
        parameter.data += 0.1
    outs, predicted = model(x), model.predict(x)
    outs, predicted = (outs, predicted) if sizes[-1] > 1 else ([outs], [predicted])
    assert [type(y) for y in predicted] == [float] * sizes[-1]
    assert [y.hex() for y in predicted] == [out.data.hex() for out in outs]


def test_predict_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Value, *_: Any) -> None:
        raise AssertionError(f"{self!r} was recorded")

    model = MLP(2, [3, 2], activation=swish, output="sigmoid", seed=0)
    outs = model([1.0, 2.0])
    outs[0].backward()
    nets = [neuron.net for layer in model.layers for neuron in layer.neurons]
    gradients = [parameter.grad for parameter in model.parameters()]
    monkeypatch.setattr(Value, "__primitive__", refuse)
    with pytest.raises(AssertionError, match="was recorded"):
        model([1.0, 2.0])
    assert model.predict([Value(1.0), 2.0]) == [out.data for out in outs]
    assert [neuron.net for layer in model.layers for neuron in layer.neurons] == nets
    assert [parameter.grad for parameter in model.parameters()] == gradients


# Weights


def test_initial_weights() -> None:
    layer = Layer(30, 20, seed=1)
    limit = math.sqrt(6 / 50)
    weights = [w.data for neuron in layer.neurons for w in neuron.w]
    assert all(-limit <= w <= limit for w in weights) and max(weights) > 0.98 * limit and min(weights) < -0.98 * limit
    assert sum(w * w for w in weights) / len(weights) == pytest.approx(2 / 50, rel=0.1)
    assert [neuron.b.data for neuron in layer.neurons] == [0.0] * 20


def test_seeds() -> None:
    def weights(seed: int | Random | None) -> list[float]:
        return [parameter.data for parameter in MLP(2, [3, 1], seed=seed).parameters()]

    assert weights(1) == weights(1) == weights(Random(1)) != weights(2)
    assert weights(None) != weights(None)
    rng = Random(1)
    assert weights(rng) != weights(rng)
    # The first numbers of Random(1), scaled by √(6 / 5): they are the same in any Python on any machine.
    assert weights(1)[:2] == [math.sqrt(1.2) * (2 * u - 1) for u in (0.13436424411240122, 0.8474337369372327)]


# Copies


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_complete_and_independent(twin_of: Callable[[Any], Any]) -> None:
    model = MLP(2, [3, 1], activation="relu", output=leaky_relu, seed=0)
    out = model([1.0, 2.0])
    out.backward()
    twin = twin_of(model)
    assert repr(twin) == repr(model)
    assert [repr(p) for p in twin.named_parameters()] == [repr(p) for p in model.named_parameters()]
    assert twin.layers[0].neurons[0].net is None  # the graph of the last call is not copied
    assert twin([1.0, 2.0]).data == out.data
    twin.parameters()[0].data += 1
    assert twin.predict([1.0, 2.0]) != model.predict([1.0, 2.0]) == out.data


def test_a_copy_keeps_what_is_shared() -> None:
    twin = copy.deepcopy(Attention())
    assert twin.tied is twin.matrix[0][0] and twin.heads[1] is twin.head
    assert len(twin.parameters()) == 13


def test_a_user_defined_row_can_be_copied_but_not_pickled() -> None:
    model = MLP(2, [1], output=swish)
    assert copy.deepcopy(model).output is swish
    with pytest.raises(TypeError, match="'swish' is not in autograd's table, so it cannot be pickled"):
        pickle.dumps(model)


def test_a_compiled_model_still_predicts() -> None:
    model = MLP(2, [2, 1], seed=0)
    before = model.predict([0.5, -1.0])
    autograd.compile(model, model.parameters(), example=[[0.0, 0.0]])  # its nodes stand for any number
    assert model.predict([0.5, -1.0]) == before
    assert copy.deepcopy(model).predict([0.5, -1.0]) == before


def test_no_reference_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        model = MLP(2, [3, 1], seed=0)
        for _ in range(3):
            model([1.0, 2.0]).backward()
            model.predict([1.0, 2.0])
        model.zero_grad()
        del model
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_public_names() -> None:
    assert {"Layer", "MLP", "Module", "Neuron", "Perceptron", "fit", "load", "save"} <= set(nn.__all__)
    assert all(getattr(nn, name).__module__.startswith(("nn.", "autograd.collector")) for name in nn.__all__)
