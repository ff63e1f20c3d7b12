"""The engines that are measured side by side.

Each is an `Engine`: how it makes a leaf, and how its users write tanh, a neuron's net input, a sum and a network.  With these,
a workload is one text for all of them.

`ByHand` is this project's own node, and only the recording differs: each method is written by hand with its rule inlined, as
one would write it without a table.  The extra time of `ours` is the price of the table.  The other two are the engines of
textbooks: `Closures` keeps a function in each node, `Tuples` the operands and local derivatives.
"""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import autograd
from autograd import primitives
from autograd.manners import describe
from autograd.primitives import DomainError
from autograd.reals import number
from autograd.value import Value

__all__ = ["ByHand", "Closures", "Engine", "Network", "Tuples", "engines"]

new: Final = object.__new__


@dataclass(frozen=True)
class Engine:
    """One engine, as the workloads use it.

    Attributes:
        name: its name in the tables.
        leaf: makes a leaf from a float.
        tanh: tanh of a node.
        net: the net input Σ wᵢxᵢ + b from weights, inputs and a bias, as the engine's users write it.
        total: the sum of nodes.
        network: makes a network from its sizes, such as [2, 16, 16, 1], and its parameters as floats.
        takes_numbers: whether the inputs of a network may be plain floats.
    """

    name: str
    leaf: Callable[[float], Any]
    tanh: Callable[[Any], Any]
    net: Callable[[Sequence[Any], Sequence[Any], Any], Any]
    total: Callable[[Iterable[Any]], Any]
    network: Callable[[Engine, Sequence[int], Sequence[float]], Any]
    takes_numbers: bool = False


def engines() -> list[Engine]:
    """Return ours first, then its peers.

    >>> [engine.name for engine in engines()]
    ['ours', 'by hand', 'micrograd', 'closures', 'tuples']
    """
    ours = Engine("ours", Value, Value.tanh, autograd.dot, autograd.total, Network, takes_numbers=True)
    by_hand = Engine("by hand", ByHand, ByHand.tanh, ByHand.dot, ByHand.total, Network, takes_numbers=True)
    micrograd = importlib.import_module("micrograd.engine").Value
    return [
        ours,
        by_hand,
        Engine("micrograd", micrograd, _micrograd_tanh, _net, sum, _micrograd_network),
        Engine("closures", Closures, Closures.tanh, _net, sum, Network),
        Engine("tuples", Tuples, Tuples.tanh, _net, sum, Network),
    ]


class Network:
    """A multilayer perceptron: relu neurons, and linear ones in the last layer.

    Args:
        engine: the engine of its nodes.
        sizes: the number of inputs, then of neurons in each layer.
        parameters: for each neuron its weights, then its bias.
    """

    def __init__(self, engine: Engine, sizes: Sequence[int], parameters: Sequence[float]) -> None:
        self.engine = engine
        self._parameters = [engine.leaf(x) for x in parameters]
        following = iter(self._parameters)
        self.layers = [
            [([next(following) for _ in range(n_inputs)], next(following)) for _ in range(n_neurons)]
            for n_inputs, n_neurons in itertools.pairwise(sizes)
        ]

    def parameters(self) -> list[Any]:
        """Return the leaves that are learned."""
        return self._parameters

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the single output at x."""
        net = self.engine.net
        *hidden, last = self.layers
        for layer in hidden:
            x = [net(weights, x, bias).relu() for weights, bias in layer]
        [(weights, bias)] = last
        return net(weights, x, bias)


def _net(weights: Sequence[Any], inputs: Sequence[Any], bias: Any) -> Any:
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def _micrograd_tanh(x: Any) -> Any:
    # The package has no tanh; this one is written like its own operations.
    t = math.tanh(x.data)
    out = x.__class__(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def _micrograd_network(engine: Engine, sizes: Sequence[int], parameters: Sequence[float]) -> Any:
    network = importlib.import_module("micrograd.nn").MLP(sizes[0], list(sizes[1:]))
    for leaf, x in zip(network.parameters(), parameters, strict=True):
        leaf.data = x
    return network


def _recursive_order(root: Any) -> list[Any]:
    """Sort topologically as textbooks do, by recursion and with a set of visited nodes."""
    order: list[Any] = []
    seen: set[Any] = set()

    def visit(node: Any) -> None:
        if node not in seen:
            seen.add(node)
            for x in node.inputs:
                visit(x)
            order.append(node)

    visit(root)
    return order


class Textbook:
    """The operators that textbooks define by others."""

    __slots__ = ()

    # fmt: off
    def __neg__(self: Any) -> Any: return self * -1
    def __sub__(self: Any, other: Any) -> Any: return self + (-other)
    def __truediv__(self: Any, other: Any) -> Any: return self * other**-1
    def __radd__(self: Any, other: float) -> Any: return self + other
    def __rsub__(self: Any, other: float) -> Any: return (-self) + other
    def __rmul__(self: Any, other: float) -> Any: return self * other
    # fmt: on


class Closures(Textbook):
    """The textbook engine that keeps a function in each node, which does the node's part of the backward pass."""

    def __init__(self, data: float, inputs: tuple[Closures, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.inputs = inputs
        self.push: Callable[[], None] = lambda: None

    def __add__(self, other: Any) -> Closures:
        other = other if isinstance(other, Closures) else Closures(other)
        out = Closures(self.data + other.data, (self, other))

        def push() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out.push = push
        return out

    def __mul__(self, other: Any) -> Closures:
        other = other if isinstance(other, Closures) else Closures(other)
        out = Closures(self.data * other.data, (self, other))

        def push() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.push = push
        return out

    def __pow__(self, exponent: float) -> Closures:
        out = Closures(self.data**exponent, (self,))

        def push() -> None:
            self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out.push = push
        return out

    def tanh(self) -> Closures:
        """Return tanh of this node."""
        out = Closures(math.tanh(self.data), (self,))

        def push() -> None:
            self.grad += (1 - out.data**2) * out.grad

        out.push = push
        return out

    def relu(self) -> Closures:
        """Return the larger of this node and 0."""
        out = Closures(self.data if self.data > 0 else 0.0, (self,))

        def push() -> None:
            self.grad += (out.data > 0) * out.grad

        out.push = push
        return out

    def backward(self) -> None:
        """Add the gradient of this node to all below it."""
        self.grad = 1.0
        for node in reversed(_recursive_order(self)):
            node.push()


class Tuples(Textbook):
    """The textbook engine that keeps two tuples in each node: the operands, and the local derivatives."""

    __slots__ = ("data", "grad", "inputs", "partials")

    def __init__(self, data: float, inputs: tuple[Tuples, ...] = (), partials: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.inputs = inputs
        self.partials = partials

    def __add__(self, other: Any) -> Tuples:
        other = other if isinstance(other, Tuples) else Tuples(other)
        return Tuples(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Tuples:
        other = other if isinstance(other, Tuples) else Tuples(other)
        return Tuples(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Tuples:
        return Tuples(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def tanh(self) -> Tuples:
        """Return tanh of this node."""
        t = math.tanh(self.data)
        return Tuples(t, (self,), (1 - t * t,))

    def relu(self) -> Tuples:
        """Return the larger of this node and 0."""
        return Tuples(max(0.0, self.data), (self,), (float(self.data > 0),))

    def backward(self) -> None:
        """Add the gradient of this node to all below it."""
        self.grad = 1.0
        for node in reversed(_recursive_order(self)):
            for x, partial in zip(node.inputs, node.partials, strict=True):
                x.grad += partial * node.grad


class ByHand(Value):
    """The project's node, but with the operations that the workloads need recorded by hand-written methods.

    Its slots, order and backward pass are inherited; so is `number`, which refuses bad operands.
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        node: Any = new(ByHand)
        if other.__class__ is ByHand:
            node._number = self._number + other._number
            node._right = other
            node._dy = 1.0
        else:
            y = other if other.__class__ is float else number(other)
            if y is NotImplemented:
                return NotImplemented
            node._number = self._number + y
            node._right = y
            node._dy = None
        node.grad = 0.0
        node.primitive = primitives.add
        node._left = self
        node._dx = 1.0
        node._mark = node.label = None
        return node

    def __sub__(self, other: Any) -> Any:
        node: Any = new(ByHand)
        if other.__class__ is ByHand:
            node._number = self._number - other._number
            node._right = other
            node._dy = -1.0
        else:
            y = other if other.__class__ is float else number(other)
            if y is NotImplemented:
                return NotImplemented
            node._number = self._number - y
            node._right = y
            node._dy = None
        node.grad = 0.0
        node.primitive = primitives.subtract
        node._left = self
        node._dx = 1.0
        node._mark = node.label = None
        return node

    def __rsub__(self, other: Any) -> Any:
        x = other if other.__class__ is float else number(other)
        if x is NotImplemented:
            return NotImplemented
        node: Any = new(ByHand)
        node._number = x - self._number
        node.grad = 0.0
        node.primitive = primitives.subtract
        node._left = x
        node._right = self
        node._dx = None
        node._dy = -1.0
        node._mark = node.label = None
        return node

    def __mul__(self, other: Any) -> Any:
        node: Any = new(ByHand)
        x = self._number
        if other.__class__ is ByHand:
            y = other._number
            node._right = other
            node._dy = x
        else:
            y = other if other.__class__ is float else number(other)
            if y is NotImplemented:
                return NotImplemented
            node._right = y
            node._dy = None
        node._number = x * y
        node.grad = 0.0
        node.primitive = primitives.multiply
        node._left = self
        node._dx = y
        node._mark = node.label = None
        return node

    def __rmul__(self, other: Any) -> Any:
        x = other if other.__class__ is float else number(other)
        if x is NotImplemented:
            return NotImplemented
        node: Any = new(ByHand)
        node._number = x * self._number
        node.grad = 0.0
        node.primitive = primitives.multiply
        node._left = x
        node._right = self
        node._dx, node._dy = None, x
        node._mark = node.label = None
        return node

    def __truediv__(self, other: Any) -> Any:
        node: Any = new(ByHand)
        x = self._number
        try:
            if other.__class__ is ByHand:
                y = other._number
                out = x / y
                node._right = other
                node._dy = -out / y
            else:
                y = other if other.__class__ is float else number(other)
                if y is NotImplemented:
                    return NotImplemented
                out = x / y
                node._right = y
                node._dy = None
        except ZeroDivisionError:
            raise DomainError(f"{describe(self)} cannot be divided by 0") from None
        node._number = out
        node.grad = 0.0
        node.primitive = primitives.divide
        node._left = self
        node._dx = 1.0 / y
        node._mark = node.label = None
        return node

    def __pow__(self, other: Any) -> Any:
        if other.__class__ is ByHand:
            raise TypeError("by hand only powers with numbers are written")
        y = other if other.__class__ is float else number(other)
        if y is NotImplemented:
            return NotImplemented
        x = self._number
        node: Any = new(ByHand)
        try:
            node._number = math.pow(x, y)
            # At y = 0 the derivative is 0, without the power y - 1, which is undefined at x = 0.
            node._dx = 2.0 * x if y == 2.0 else y * math.pow(x, y - 1.0) if y else 0.0
        except OverflowError:
            node._number = node._dx = math.inf
        except ValueError:
            raise DomainError(f"{describe(self)} has no power {y}") from None
        node.grad = 0.0
        node.primitive = primitives.power
        node._left = self
        node._right = y
        node._dy = None
        node._mark = node.label = None
        return node

    def tanh(self) -> Any:
        """Return tanh of this node."""
        node: Any = new(ByHand)
        node._number = out = math.tanh(self._number)
        node.grad = 0.0
        node.primitive = primitives.tanh
        node._left = self
        node._dx = 1.0 - out * out
        node._right = node._dy = node._mark = node.label = None
        return node

    def relu(self) -> Any:
        """Return the larger of this node and 0."""
        node: Any = new(ByHand)
        x = self._number
        if x > 0.0:
            node._number = x
            node._dx = 1.0
        elif x <= 0.0:
            node._number = node._dx = 0.0
        else:
            node._number = node._dx = x  # NaN stays NaN
        node.grad = 0.0
        node.primitive = primitives.relu
        node._left = self
        node._right = node._dy = node._mark = node.label = None
        return node

    @staticmethod
    def total(terms: Iterable[Any]) -> Any:
        """Return the sum of nodes, as one node."""
        nodes = tuple(terms)
        data = 0.0
        for node in nodes:
            data += node._number
        return _of_many(primitives.total, nodes, None, (1.0,) * len(nodes), data)

    @staticmethod
    def dot(weights: Sequence[Any], inputs: Sequence[Any], bias: Any) -> Any:
        """Return Σ wᵢxᵢ + b as one node; weights and bias are nodes, inputs are nodes or numbers."""
        if len(weights) != len(inputs):
            raise ValueError(f"{len(weights)} weights and {len(inputs)} inputs")
        w = [weight._number for weight in weights]
        operands: Any = (*weights, *inputs, bias)
        which = [x.__class__ is ByHand for x in inputs]
        if all(which):
            v = [x._number for x in inputs]
            nodes, operands, partials = operands, None, (*v, *w, 1.0)
        else:
            v = [x._number if x.__class__ is ByHand else number(x) for x in inputs]
            nodes = (*weights, *itertools.compress(inputs, which), bias)
            partials = (*v, *itertools.compress(w, which), 1.0)
        data = 0.0
        for a, b in zip(w, v, strict=True):
            data += a * b
        return _of_many(primitives.dot, nodes, operands, partials, data + bias._number)


def _of_many(row: Any, nodes: Any, operands: Any, partials: Any, data: float) -> Any:
    node: Any = new(ByHand)
    node._number = data
    node.grad = 0.0
    node.primitive = row
    node._left = nodes if operands is None else operands
    node._right = nodes
    node._dx = partials
    node._dy = node._mark = node.label = None
    return node
