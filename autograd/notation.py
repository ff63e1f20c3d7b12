"""How a node is written everywhere: its name, its formula, the rules of its edges, its numbers.

A formula travels as a `Symbol` whose names carry the numbers they stand for; it becomes text, LaTeX or a label only where it
is shown.  So a node reads the same in a step, a picture, a derivation and a player.

>>> from autograd.writing import numbers
>>> x, y = Value(3.0, label="x"), Value(2.0, label="y")
>>> notation = Notation(x * x + y)
>>> node = notation.order[0]
>>> notation.names[node], notation.formula(node).text, notation.formula(node).written(numbers(notation.digits))
('v1', 'x²', '3²')
>>> [rule.text for rule in notation.rules(node)], notation.mark(node)
(['x', 'x'], '∂v1')
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import count
from typing import Any

from autograd.primitives import Unary, dot
from autograd.rerun import input_places
from autograd.symbol import Symbol, as_symbol
from autograd.value import Value, topological
from autograd.writing import DIGITS, SUBSCRIPTS, SUPERSCRIPTS, Style, digits, latex_name, printable

__all__ = [
    "Notation",
    "Symbols",
    "checked_digits",
    "dot_operands",
    "equation",
    "factor",
    "formula_of",
    "is_condition",
    "label_values",
    "name_nodes",
    "rules_of",
    "short_names",
]  # fmt: skip

IN_A_NETWORK = 3  # significant digits; see `Notation`
MOST_PRIMES = 3  # after a label; further leaves with this label are numbered
MOST_DIGITS = 17  # enough to distinguish any two floats
PARAMETER = re.compile(r"(?:.*?\.)??(?:layer(\d+)\.)?neuron(\d+)\.(w|b|net|out)(\d*)(\[\d+\]|′*)", re.DOTALL)
LETTERS = {"w": "w", "b": "b", "net": "z", "out": "a"}


class Symbols(dict[Value, Symbol]):
    """The symbol that stands for each node: by default its name with its number."""

    def __init__(self, names: Mapping[Value, str]) -> None:
        super().__init__()
        self.names = names

    def __missing__(self, node: Value) -> Symbol:
        return Symbol(self.names[node], node.data)


class Notation:
    """The names of the nodes of one graph, and their formulas in these names.

    Args:
        loss: the result.
        n_digits: significant digits of the numbers, 1 to 17; by default 5, and 3 in a network, that is, a graph with a
            `dot`.

    Attributes:
        order: the operations, in topological order.
        full: a unique name for every node, each leaf before the first node that uses it; see `name_nodes`.
        names: the same, with short names for the parts of a network; see `short_names`.
        leaves: the leaves, in the order of `full`.
        places: the place of every node in the order of `full`, from 0: its id in traces and pictures.
        notes: remarks on the names, such as two leaves with one label.
        digits: significant digits.

    Raises:
        TypeError: if n_digits is not an int.
        ValueError: if n_digits is outside 1 to 17.
    """

    def __init__(self, loss: Value, n_digits: int | None = None) -> None:
        self.loss, self.order = loss, topological(loss)
        self.full = name_nodes(loss, self.order)
        self.names = short_names(self.full)
        self.leaves = [node for node in self.full if node.primitive is None]
        self.places = {node: i for i, node in enumerate(self.full)}
        labels = {leaf: printable(str(leaf.label)) for leaf in self.leaves if leaf.label}
        twins = [node for node, label in labels.items() if self.full[node] != label]
        self.notes = tuple(f"{self.names[x]}: another leaf with the label {labels[x]}" for x in twins[:1])
        if n_digits is None:
            n_digits = IN_A_NETWORK if any(node.primitive is dot for node in self.order) else DIGITS
        self.digits = checked_digits(n_digits, MOST_DIGITS)
        self._dependents_found: dict[Value, set[Value]] = {}

    def formula(self, node: Value) -> Symbol:
        """Return a node's operation, applied to the names of its operands; for a leaf, return its name."""
        return formula_of(node, Symbols(self.names))

    def rules(self, node: Value) -> list[Symbol]:
        """Return the partial derivatives of a node with respect to its inputs, as formulas."""
        return rules_of(node, Symbols(self.names))

    def slope(self, node: Value, x: Value, style: Style) -> str:
        """Write ∂node/∂x for an operand x, or ∂(operation)/∂x if x also reaches the node along other paths.

        >>> from autograd.writing import plain
        >>> a, b = Value(2.0, "a"), Value(3.0, "b")
        >>> y = a * b + a
        >>> notation = Notation(y)
        >>> notation.slope(y, a, plain()), notation.slope(y, y.inputs[0], plain())
        ('∂(v1 + a)/∂a', '∂loss/∂v1')
        """
        has_other_paths = len(self.users[x]) > 1 and any(y in self._dependents(x) for y in node.inputs if y is not x)
        return slope(self.formula(node) if has_other_paths else self.names[node], self.names[x], style)

    @cached_property
    def users(self) -> dict[Value, list[Value]]:
        """The nodes that use each input; one that uses it twice is listed twice."""
        users: dict[Value, list[Value]] = {}
        for node in self.order:
            for x in node.inputs:
                users.setdefault(x, []).append(node)
        return users

    def _dependents(self, x: Value) -> AbstractSet[Value]:
        """Return x and the nodes that depend on it."""
        if x not in self._dependents_found:
            found = self._dependents_found[x] = {x}
            found.update(node for node in self.order if not found.isdisjoint(node.inputs))
        return self._dependents_found[x]

    @cached_property
    def reached(self) -> AbstractSet[Value]:
        """The nodes that a gradient reaches from the result, along branches that are taken."""
        found = {self.loss}
        for node in reversed(self.order):
            if node in found:
                found.update(x for x, taken in zip(node.inputs, node.taken, strict=True) if taken)
        return found

    def number(self, x: float) -> str:
        """Write a number to the chosen number of digits."""
        return digits(x, self.digits)

    @cached_property
    def neurons(self) -> dict[Value, Value]:
        """The output of each neuron, by its net input.

        A neuron is a `dot` that has a leaf among its weights, or is used only by a function of one operand, its activation.
        Other dots are not: Σ w², the score of a query and a key, or the net input of the class that a one-hot target picks.

        >>> from autograd.primitives import tanh
        >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
        >>> out = tanh(dot([w], [x]))
        >>> Notation(out * dot([1.0, 0.0], [out, x]) + dot([w, x], [w, x])).neurons == {out.inputs[0]: out}
        True
        """
        found: dict[Value, Value] = {}
        for net in self.order:
            if net.primitive is dot:
                (weights, inputs), using = dot_operands(net), self.users.get(net, [])
                activated = len(using) == 1 and isinstance(using[0].primitive, Unary) and not using[0].primitive.infix
                has_leaf = any(isinstance(w, Value) and w.primitive is None for w in weights)
                if (activated or has_leaf) and not all(map(operator.is_, weights, inputs)):
                    found[net] = using[0] if activated else net
        return found

    def mark(self, node: Value) -> str:
        """Return the short mark of ∂loss/∂node: δ for the net input of a neuron, else ∂ with the name."""
        return "δ" if node in self.neurons else f"∂{self.names[node]}"


def checked_digits(n: int, most: int) -> int:
    """Return a number of significant digits if it is valid.

    Raises:
        TypeError: if it is not an int.
        ValueError: if it is outside 1 to `most`.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"digits is the number of significant digits, an int; got {n!r}")
    if not 1 <= n <= most:
        raise ValueError(f"digits is {n}; choose 1 to {most} significant digits")
    return n


def dot_operands(net: Value) -> tuple[tuple[Value | float, ...], tuple[Value | float, ...]]:
    """Return the weights and the inputs of a `dot`, without its bias.

    >>> dot_operands(dot([Value(2.0), 3.0], [5.0, 7.0], 1.0))
    ((Value(data=2.0, grad=0.0), 3.0), (5.0, 7.0))
    """
    operands = net.operands
    n = len(operands) // 2
    return operands[:n], operands[n : 2 * n]


def formula_of(node: Value, symbols: Mapping[Value, Symbol]) -> Symbol:
    """Return the operation of a node, applied to the symbols of its operands and left as it was written.

    >>> from autograd.primitives import where
    >>> a, b = Value(1.0, label="a"), Value(2.0, label="b")
    >>> formula_of(where(a, b, 0.5), Symbols({a: "a", b: "b"})).text
    'where(a, b, 0.5)'
    """
    if node.primitive is None:
        return symbols[node]
    return Symbol.applied(node.primitive, _operands(node, symbols), node.data)


def rules_of(node: Value, symbols: Mapping[Value, Symbol]) -> list[Symbol]:
    """Return a node's partial derivatives with respect to its inputs, in the symbols of its operands and its own."""
    if node.primitive is None:
        return []
    partials = node.primitive.partials(_operands(node, symbols), symbols[node], input_places(node))
    return list(map(as_symbol, partials))


def _operands(node: Value, symbols: Mapping[Value, Symbol]) -> list[Symbol | float]:
    """Return the operands of a node, with one symbol for both operands of x·x, which is then written x²."""
    symbol_of = {x: symbols[x] for x in node.inputs}
    return [symbol_of[x] if isinstance(x, Value) else x for x in node.operands]


def label_values(namespace: Mapping[str, Any]) -> None:
    """Label the nodes of a namespace, such as ``locals()``, with their names there; existing labels stay.

    Args:
        namespace: objects by name; anything but nodes is left alone, as are names that begin with an underscore.

    Raises:
        TypeError: for anything but a mapping, and for a node under a number or anything else that is not a name.

    >>> from autograd import Value
    >>> w = Value(2.0)
    >>> y = w * w
    >>> label_values({"w": w, "y": y})
    >>> y.label, y.inputs[0].label
    ('y', 'w')
    """
    if not isinstance(namespace, Mapping):
        raise TypeError(f"label_values takes a dict of names, such as locals() or {{'w': w}}; got {namespace!r}")
    nodes = {name: x for name, x in namespace.items() if isinstance(x, Value)}
    for name in nodes:
        if not isinstance(name, str):  # a number as a label would be read as the number
            raise TypeError(f"label_values takes names as keys, such as {{'w': w}}; got {name!r}")
    for name, node in nodes.items():
        if node.label is None and not name.startswith("_"):
            node.label = name


def name_nodes(root: Value, order: Sequence[Value]) -> dict[Value, str]:
    """Return a unique name for every node of a graph.

    A node's name is its label.  Of leaves with the same label, the second gets a prime, x′; operations with the same label
    are numbered, out[1], out[2], …, for example in a network that is applied to several examples.  Nodes without a label are
    named v1, v2, …, and the root "loss".

    Args:
        root: the result.
        order: its operations, in topological order.

    Returns:
        The names in the order of `order`, each leaf before the first node that uses it.

    >>> x, y = Value(1.0, label="x"), Value(2.0, label="x")
    >>> loss = x * y
    >>> list(name_nodes(loss, [loss]).values())
    ['x', 'x′', 'loss']
    """
    nodes = list(dict.fromkeys(x for node in [*order, root] for x in (*node.inputs, node)))
    labels = {node: printable(str(node.label)) for node in nodes if node.label}
    if root.label is None:
        labels[root] = "loss"
    shared = Counter(label for node, label in labels.items() if node.primitive is not None)
    taken = set(labels.values())
    leaves = {label: _further_leaves(label) for label in taken}
    operations = {label: _numbered(label, 1 if shared[label] > 1 else 2) for label in taken}
    names: dict[Value, str] = {}
    used: set[str] = set()
    for node, label in labels.items():
        name, is_operation = label, node.primitive is not None
        if name in used or (is_operation and shared[label] > 1):
            further = operations[label] if is_operation else leaves[label]
            name = next(other for other in further if other not in taken and other not in used)
        used.add(name)
        names[node] = name
    free = (name for i in count(1) if (name := f"v{i}") not in taken and name not in used)
    return {node: names[node] if node in names else next(free) for node in nodes}


def _further_leaves(label: str) -> Iterator[str]:
    """Iterate over names for further leaves with the same label: with primes, then numbered."""
    yield from (label + "′" * i for i in range(1, MOST_PRIMES + 1))
    yield from _numbered(label, MOST_PRIMES + 2)


def _numbered(label: str, first: int) -> Iterator[str]:
    return (f"{label}[{i}]" for i in count(first))


def is_condition(node: Value) -> bool:
    """Return whether a node is a comparison, whose derivative is 0 by definition.

    >>> is_condition(Value(2.0) > 1.0)
    True
    """
    return node.primitive is not None and node.primitive.is_condition


def short_names(names: Mapping[Value, str]) -> dict[Value, str]:
    """Write the parts of a network as lectures do: layer above, neuron and input below; z is the net input, a the output.

    If two short names would coincide, for example those of two networks in one graph, both nodes keep their full names.

    >>> w = Value(0.5)
    >>> [short_names({w: name})[w] for name in ("layer1.neuron0.w2", "layer2.neuron11.w3", "neuron1.net", "w_h")]
    ['w⁽¹⁾₀₂', 'w⁽²⁾₁₁,₃', 'z₁', 'w_h']
    """
    short = {node: _shortened(name) for node, name in names.items()}
    times = Counter(short.values())
    return {node: name if times[name] == 1 else names[node] for node, name in short.items()}


def _shortened(name: str) -> str:
    match = PARAMETER.fullmatch(name)
    if match is None:
        return name
    layer, neuron, kind, place, last = match.groups()
    comma = "," if place and len(neuron + place) > 2 else ""
    above = f"({layer})".translate(SUPERSCRIPTS) if layer else ""
    return LETTERS[kind] + above + f"{neuron}{comma}{place}".translate(SUBSCRIPTS) + last


def equation(*parts: str) -> str:
    """Join equal expressions by equals signs; omit repetitions and empty strings.

    >>> equation("v2", "2·1", "2", "2")
    'v2 = 2·1 = 2'
    """
    return " = ".join(dict.fromkeys(part for part in parts if part))


def slope(a: str | Symbol, b: str, style: Style) -> str:
    """Write ∂a/∂b, where a and b are names, or a is a formula.

    >>> from autograd.writing import plain
    >>> slope("y", "w", plain()), slope(Symbol("w") * 2, "w", plain())
    ('∂y/∂w', '∂(w·2)/∂w')
    """
    if style.tex:
        above = latex_name(a) if isinstance(a, str) else rf"\left({a.written(style)}\right)"
        return rf"\frac{{\partial {above}}}{{\partial {latex_name(b)}}}"
    return f"∂{a if isinstance(a, str) else f'({a.written(style)})'}/∂{b}"


def factor(text: str) -> str:
    """Put a factor or a term that begins with a minus sign into parentheses."""
    return f"({text})" if text.startswith("-") else text
