"""Neurons, layers of them, and networks of layers.

A neuron is two nodes of the graph: the net input and the neuron's output,

    net = Σ wᵢxᵢ + b,  one ``dot``          out = activation(net),  one row of autograd's table

so that after a backward pass ``net.grad`` is ∂L/∂net, the δ of a textbook, and each weight's gradient is δ·xᵢ.

>>> neuron = Neuron(2, activation="sigmoid", seed=1)
>>> out = neuron([1.0, 0.5])
>>> out.backward()
>>> neuron.net.grad == out.data * (1 - out.data)
True
>>> [w.grad / neuron.net.grad for w in neuron.w]
[1.0, 0.5]
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any, ClassVar, Final, TypeAlias, TypeGuard, TypeVar

import autograd
from autograd import Binary, Unary, Value, dot, prelu, softmax
from nn.module import Module, plain, require_module
from nn.settings import whole_number
from nn.tables import listed, short

__all__ = ["ACTIVATIONS", "INITIALISATIONS", "JOINT", "LEARNED", "MLP", "Layer", "Neuron", "Rowwise", "by_layer", "choose",
           "generator", "glorot", "he", "normal", "twins", "uniform", "zeros"]  # fmt: skip

Activation: TypeAlias = Unary | Binary
Joint: TypeAlias = Callable[[Sequence[Any]], list[Any]]
Initialisation: TypeAlias = Callable[[Random, int, int], float]
T = TypeVar("T")


def _is_activation(row: object) -> TypeGuard[Activation]:
    """Whether a thing is a row that can be called with one operand: if it takes a second one, that has a default."""
    return isinstance(row, Unary) or (isinstance(row, Binary) and row.default is not None)


# The rows whose second operand is learned, one number for each neuron, and its initial value.
# Source: He, Zhang, Ren, Sun, Delving deep into rectifiers, ICCV 2015, section 2.1.
LEARNED: Final[Mapping[Activation, float]] = {prelu: 0.25}

# Every row of autograd's table that can be an activation; a linear neuron has none.
ACTIVATIONS: Final[Mapping[str, Activation | None]] = {
    "linear": None,
    **{row.name: row for row in vars(autograd).values() if _is_activation(row)},
    **{row.name: row for row in LEARNED},
}

# Activations of a whole layer: each output depends on all net inputs.
JOINT: Final[Mapping[str, Joint]] = {"softmax": softmax}


def zeros(rng: Random, n_inputs: int, n_outputs: int) -> float:
    """Return 0, which is fine for a single neuron; in a hidden layer, it would keep all neurons identical."""
    return 0.0


def uniform(rng: Random, n_inputs: int, n_outputs: int) -> float:
    """Draw a weight from the uniform distribution over ±1."""
    # Here and below only `random()`: no other method of Random promises the same numbers on every Python.
    return 2 * rng.random() - 1


def normal(rng: Random, n_inputs: int, n_outputs: int) -> float:
    """Draw a weight from the normal distribution with mean 0 and variance 1.

    Source: Box, Muller, A note on the generation of random normal deviates, 1958.
    """
    radius = math.sqrt(-2 * math.log(1 - rng.random()))
    return radius * math.cos(2 * math.pi * rng.random())


def he(rng: Random, n_inputs: int, n_outputs: int) -> float:
    """Draw a weight from the normal distribution with variance 2 / n_inputs, for layers of rectifiers.

    The 2 makes up for the half of the net inputs that relu sets to zero.

    Source: He, Zhang, Ren, Sun, Delving deep into rectifiers, ICCV 2015, equation 10.
    """
    return math.sqrt(2 / n_inputs) * normal(rng, n_inputs, n_outputs)


def glorot(rng: Random, n_inputs: int, n_outputs: int) -> float:
    """Draw a weight from the uniform distribution over ±√(6 / (n_inputs + n_outputs)).

    Its variance, 2 / (n_inputs + n_outputs), keeps both the activations of a tanh network and the δ that flow back about
    equally large from layer to layer.

    Source: Glorot, Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010,
    equation 16.

    >>> glorot(Random(0), 2, 4)
    0.6888437030500962
    """
    return math.sqrt(6 / (n_inputs + n_outputs)) * uniform(rng, n_inputs, n_outputs)


INITIALISATIONS: Final[Mapping[str, Initialisation]] = {
    "zeros": zeros, "uniform": uniform, "normal": normal, "xavier": glorot, "glorot": glorot, "he": he,
}  # fmt: skip


class Rowwise(Module):
    """A module whose examples are rows of numbers or `Value`s."""

    label: str

    @property
    def n_inputs(self) -> int:
        """The number of inputs in an example."""
        # Not an abstract property, whose error would not include what to do.
        raise NotImplementedError(f"{type(self).__name__} does not define n_inputs, the number of its inputs")

    def predict(self, x: Any) -> Any:
        """Return the outputs for one example, or a list of them for a list of examples, as plain numbers.

        Nothing is recorded, and the numbers are those of the recorded forward pass, bit for bit.

        Args:
            x: `n_inputs` numbers, or a list of such rows; lists, tuples, NumPy arrays or DataFrames.

        >>> model = MLP(2, [3, 1], seed=1)
        >>> model.predict([0.5, -1.0]) == model([0.5, -1.0]).data
        True
        >>> len(model.predict([[0.5, -1.0], [2.0, 0.0]]))
        2
        """
        numeric, rows = plain(self), plain(listed(x))
        if rows is not None and (len(getattr(x, "shape", ())) == 2 or (rows and listed(rows[0]) is not None)):
            return [self._computed(numeric, row) for row in rows]
        return self._computed(numeric, x if rows is None else rows)

    def _row(self, x: Any) -> list[Any]:
        """Return an example as a list, or raise if it is not one row of the right length."""
        row = listed(x)
        if row is None:
            raise TypeError(f"{self._name} takes a list of numbers or Values, as many as it has inputs ({self.n_inputs}); "
                            f"got {x!r}")  # fmt: skip
        if row and listed(row[0]) is not None:
            raise TypeError(f"{self._name} takes one example at a time, a list of length {self.n_inputs} with "
                            f"numbers or Values; got rows, {len(row)} in all; call it on each row, or use predict")  # fmt: skip
        if len(row) != self.n_inputs:
            inputs = "input" if self.n_inputs == 1 else "inputs"
            raise ValueError(f"{self._name} takes {self.n_inputs} {inputs}; got {len(row)}")
        return row

    @property
    def _name(self) -> str:
        return self.label or repr(self)


class Neuron(Rowwise):
    """A neuron: ``activation(Σ wᵢxᵢ + b)``, two nodes; a linear one is only the net input, one node.

    Args:
        n_inputs: number of inputs.
        activation: the name of a row of autograd's table, ``"linear"``, or any row that takes one operand; ``"prelu"`` learns
            its slope along with the weights.
        fan_out: number of neurons that share its inputs, used by `glorot`.
        init: how to draw the initial weights: ``"glorot"`` (or ``"xavier"``), ``"he"``, ``"uniform"``, ``"normal"``,
            ``"zeros"``, or a function of a `random.Random`, the number of inputs, and `fan_out`.  The bias is 0 at first.
        seed: an int for the same weights every time, or a `random.Random` to draw from.
        label: a prefix for the labels of its parameters and nodes, such as ``layer1.neuron0`` in ``layer1.neuron0.w2``.

    Attributes:
        w: the weights.
        b: the bias.
        activation: the row, None for a linear neuron.
        slope: the learned second operand of a row such as ``"prelu"``, else None.
        net: the net input of the last call, None before any; after a backward pass its ``grad`` is the neuron's δ.

    Raises:
        ValueError: for an unknown activation or initialisation, or fewer than one input.
        TypeError: for an activation that is not a row of one operand.

    >>> neuron = Neuron(3, activation="tanh", seed=1)
    >>> [name for name, _ in neuron.named_parameters()]
    ['w0', 'w1', 'w2', 'b']
    >>> neuron([1.0, 2.0])
    Traceback (most recent call last):
    ValueError: Neuron(3, activation='tanh') takes 3 inputs; got 2
    """

    net: Value | Any = None  # type checkers would object to ``neuron.net.grad`` if it were Value | None

    def __init__(
        self,
        n_inputs: int,
        activation: str | Activation = "tanh",
        *,
        fan_out: int = 1,
        init: str | Initialisation = "glorot",
        seed: int | Random | None = None,
        label: str = "",
    ) -> None:
        n_inputs, rng, prefix = whole_number("n_inputs", n_inputs), generator(seed), _prefix(label)
        self.label = label
        row = _activation(activation)
        alternative = "a function of a random.Random and the numbers of inputs and outputs"
        draw = init if callable(init) else choose("initialisation", init, INITIALISATIONS, alternative)
        self.activation: Any = row
        self.w = [Value(draw(rng, n_inputs, fan_out), label=f"{prefix}w{i}") for i in range(n_inputs)]
        self.b = Value(0.0, label=f"{prefix}b")
        self.slope = Value(LEARNED[row], label=f"{prefix}slope") if row is not None and row in LEARNED else None
        self._node_labels = f"{prefix}net", f"{prefix}out"

    @property
    def n_inputs(self) -> int:
        """The number of inputs."""
        return len(self.w)

    def __call__(self, x: Any) -> Any:
        """Return the neuron's output for one example.

        Args:
            x: as many numbers or `Value`s as there are inputs; a list, tuple or NumPy array.

        Raises:
            ValueError: for any other number of inputs.
            TypeError: for inputs that are not numbers.
        """
        if x.__class__ is not list or len(x) != len(self.w):
            x = self._row(x)
        try:
            net = dot(self.w, x, self.b)
        except TypeError as error:
            self._row(x)  # raises a clearer error if x is a list of rows
            raise TypeError(f"{self._name}: {error}") from error
        out = self.fire(net)
        if isinstance(out, Value):
            out.label = self._node_labels[1]
            net.label = self._node_labels[0]
            self.net = net
        return out

    def fire(self, net: Any) -> Any:
        """Return the neuron's output for a net input: ``activation(net)``."""
        if self.activation is None:
            return net
        return self.activation(net) if self.slope is None else self.activation(net, self.slope)

    def __repr__(self) -> str:
        return f"Neuron({self.n_inputs}, activation={_spell(self.activation)})"


class Layer(Rowwise):
    """A layer of neurons that share their inputs; called, it returns the list of their outputs.

    Args:
        n_inputs: number of inputs.
        n_outputs: number of neurons.
        activation: see `Neuron`; or ``"softmax"``, which works on the net inputs of all neurons together.
        init: see `Neuron`.
        seed: an int for the same weights every time, or a `random.Random` to draw from.
        label: a prefix for all labels, such as ``layer1``.

    Attributes:
        neurons: the neurons.
        weight, bias, slope: the weights [outputs×inputs], the biases [outputs] and the learned slopes [outputs], if any.
        joint: for a softmax layer, the function that computes all outputs from all net inputs, else None.

    >>> layer = Layer(3, 2, activation="relu", seed=1)
    >>> [out.data for out in layer([1.0, 2.0, 3.0])]
    [2.4550142612802057, 0.0]
    >>> print(layer)
    Layer(3, 2, activation='relu') with 8 parameters
    """

    numbered: ClassVar[Mapping[str, tuple[str, int]]] = {"neurons": ("neuron", 0)}
    gathered: ClassVar[Sequence[str]] = ("weight", "bias", "slope")

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        activation: str | Activation = "tanh",
        *,
        init: str | Initialisation = "glorot",
        seed: int | Random | None = None,
        label: str = "",
    ) -> None:
        rng, prefix, n_outputs = generator(seed), _prefix(label), whole_number("n_outputs", n_outputs)
        self.label = label
        self.joint = _joint(activation)
        each: str | Activation = "linear" if self.joint else activation
        self.neurons = [
            Neuron(n_inputs, each, fan_out=n_outputs, init=init, seed=rng, label=f"{prefix}neuron{i}") for i in range(n_outputs)
        ]

    @property
    def n_inputs(self) -> int:
        """The number of inputs."""
        return self.neurons[0].n_inputs

    @property
    def weight(self) -> list[list[Value]]:
        """The weights [outputs×inputs]: a row for each neuron."""
        return [neuron.w for neuron in self.neurons]

    @property
    def bias(self) -> list[Value]:
        """The biases [outputs]."""
        return [neuron.b for neuron in self.neurons]

    @property
    def slope(self) -> list[Value]:
        """The learned slopes [outputs], an empty list for an activation that has none."""
        return [neuron.slope for neuron in self.neurons if neuron.slope is not None]

    def __call__(self, x: Any) -> list[Any]:
        """Return the neurons' outputs for one example; see `Neuron`."""
        x = self._row(x)
        outs = [neuron(x) for neuron in self.neurons]
        return outs if self.joint is None else self.joint(outs)

    def __repr__(self) -> str:
        return f"Layer({self.n_inputs}, {len(self.neurons)}, activation={_spell(self.joint or self.neurons[0].activation)})"


class MLP(Rowwise):
    """A multilayer perceptron: layers, each fed with the outputs of the one before.

    A network with one output neuron returns a single output, any other a list.  The layers are counted from 1, the inputs
    being layer 0; ``layer1.neuron0.w2`` is the weight from input 2 to the first neuron of the first layer.

    Args:
        n_inputs: number of inputs.
        sizes: number of neurons of each layer, the last one the output layer.
        activation: that of the hidden layers; see `Neuron`.
        output: that of the last layer; see `Layer`.
        init: how to draw the initial weights; see `Neuron`.
        seed: an int for the same weights every time, or a `random.Random` to draw from.
        label: a prefix for all labels, to tell several networks in one graph apart.

    Raises:
        ValueError: for an unknown activation, no layers, or a layer without neurons.
        TypeError: for an activation that is not a row of one operand, or a size that is not a whole number.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> print(model)
    MLP(2, [16, 16, 1], activation='tanh', output='linear') with 337 parameters
    >>> out = model([0.5, -1.0])
    >>> out.label, f"{out:.4f}"
    ('layer3.neuron0.net', '0.7488')
    """

    numbered: ClassVar[Mapping[str, tuple[str, int]]] = {"layers": ("layer", 1)}

    def __init__(
        self,
        n_inputs: int,
        sizes: Sequence[int],
        activation: str | Activation = "tanh",
        output: str | Activation = "linear",
        seed: int | Random | None = None,
        *,
        init: str | Initialisation = "glorot",
        label: str = "",
    ) -> None:
        widths = listed(sizes)
        if not widths:
            raise ValueError(f"sizes lists the number of neurons of each layer, such as [16, 16, 1]; got {sizes!r}")
        rng, prefix = generator(seed), _prefix(label)
        self.label = label
        self.activation = _joint(activation) or _activation(activation)
        self.output = _joint(output) or _activation(output)
        self.layers: list[Layer] = []
        for i, width in enumerate(widths, start=1):
            width = whole_number(f"the size of layer {i}", width)
            used = output if i == len(widths) else activation
            self.layers.append(Layer(n_inputs, width, used, init=init, seed=rng, label=f"{prefix}layer{i}"))
            n_inputs = width

    @property
    def n_inputs(self) -> int:
        """The number of inputs."""
        return self.layers[0].n_inputs

    def __call__(self, x: Any) -> Any:
        """Return the output for one example, a list if there are several output neurons; see `Neuron`."""
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def __repr__(self) -> str:
        sizes = [len(layer.neurons) for layer in self.layers]
        return f"MLP({self.n_inputs}, {sizes}, activation={_spell(self.activation)}, output={_spell(self.output)})"


def by_layer(model: Module) -> list[tuple[list[Neuron], Joint | None]]:
    """Return the neurons of each layer in a module and the layer's joint activation; a neuron outside layers counts as one.

    >>> [len(neurons) for neurons, joint in by_layer(MLP(2, [3, 1]))]
    [3, 1]
    """
    require_module(model)
    modules = model.modules()
    layers = [(part.neurons, part.joint) for part in modules if isinstance(part, Layer)]
    inside = {id(neuron) for neurons, _ in layers for neuron in neurons}
    return [*layers, *(([part], None) for part in modules if isinstance(part, Neuron) and id(part) not in inside)]


def twins(model: Module) -> list[str]:
    """Return a note for each hidden layer of an MLP with neurons that always learn the same, since all their weights are equal.

    Source: Nielsen (2015), chapter 1, on random initial weights; Goodfellow, Bengio, Courville, Deep Learning (2016), 8.4.

    >>> twins(MLP(2, [3, 1], init="zeros"))
    ['neurons 0, 1, 2 of layer1 have the same weights, so they stay alike; start from random ones, such as init="glorot"']
    """
    notes = []
    for mlp in (part for part in model.modules() if isinstance(part, MLP)):
        for layer, after in pairwise(mlp.layers):
            if len({neuron.w[0].data for neuron in layer.neurons}) == len(layer.neurons):
                continue  # as for random weights; measured: 0.2 s instead of 0.5 for 670,000 parameters
            alike: dict[tuple[float, ...], list[int]] = {}
            for i, neuron in enumerate(layer.neurons):
                weights = [*neuron.parameters(), *(each.w[i] for each in after.neurons)]
                alike.setdefault(tuple([weight.data for weight in weights]), []).append(i)
            groups = [short(", ".join(map(str, same))) for same in alike.values() if len(same) > 1]
            notes += [f"neurons {group} of {layer.label} have the same weights, so they stay alike; start from random "
                      'ones, such as init="glorot"' for group in groups]  # fmt: skip
    return notes


def _activation(activation: str | Activation) -> Activation | None:
    """Return the row of an activation, None for a linear one."""
    if isinstance(activation, str):
        if activation in JOINT:
            raise ValueError(f"{activation} works on all net inputs of a layer together; a single neuron cannot have it")
        return choose("activation", activation, ACTIVATIONS, "a row of your own")
    if _is_activation(activation) or any(activation is row for row in LEARNED):
        return activation
    raise TypeError(f"an activation is a name, or a row that works on one operand; got {activation!r}; to make a row of "
                    "a function of your own, use autograd.Unary(name, function, derivative)")  # fmt: skip


def _joint(activation: str | Activation) -> Joint | None:
    return JOINT.get(activation) if isinstance(activation, str) else None


def choose(kind: str, name: str, known: Mapping[str, T], other: str) -> T:
    """Return the entry of a name, or raise an error with the known names and what else can be passed."""
    if not (isinstance(name, str) and name in known):
        raise ValueError(f"unknown {kind} {name!r}; choose from {', '.join(sorted(known))}, or pass {other}")
    return known[name]


def _spell(activation: Activation | Joint | None) -> str:
    """Write an activation as it was given: its name, or a user-defined row."""
    names = (name for name, known in {**ACTIVATIONS, **JOINT}.items() if known is activation)
    return repr(next(names, getattr(activation, "__name__", activation)))


def generator(seed: int | Random | None) -> Random:
    """Return a generator of random numbers with a seed; a generator in its place is returned unchanged.

    Raises:
        TypeError: for any other seed.
        ValueError: for a negative one.
    """
    if isinstance(seed, Random):
        return seed
    try:
        number = None if seed is None else operator.index(seed)
    except TypeError:
        raise TypeError(f"seed is an int, a random.Random or None; got {seed!r}") from None
    if number is not None and number < 0:
        raise ValueError(f"seed is 0 or more, since Python draws the same numbers for {seed!r} as for {-number}")
    return Random(number)


def _prefix(label: str) -> str:
    return f"{label}." if label else ""
