"""Names, explanations and traces of graphs that are made of + − × ÷ √ only; see `test_approved`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from approved_pictures import lined

from autograd import Value, dot, explain, maximum, relu, sqrt, total, walk, where
from autograd.derivation import Derivation
from autograd.steps import Walk
from autograd.telling import Telling, label_values


def named(**numbers: float) -> list[Value]:
    """Return leaves with labels."""
    return [Value(x, name) for name, x in numbers.items()]


def explained() -> Iterator[tuple[Value, Value]]:
    """Iterate over nodes, each with the result whose gradient is explained."""
    w, x, b, t = named(w=0.5, x=2.0, b=-0.25, t=1.5)
    yield w, w
    yield x, x * x
    yield x, x * x * x
    yield x, x * x * x * w + x
    yield w, sqrt(w * x + b) * w
    for n in (8, 9, 12):
        yield x, total([x * float(i + 2) for i in range(n)])
    ten = x
    for _ in range(40):
        ten = total([ten] * 10)
    yield x, ten
    many: Value = total([x, *(Value(1.0) for _ in range(4998))]) * w
    yield x, many.inputs[0]
    yield x, many
    yield w, w * Value(0.1234567) + w * Value(0.5) + w * Value(math.inf)
    square = (w * x - t) * (w * x - t)
    yield w, square
    part = w * x + b
    yield w, (part - t) * part + part / x
    part.label = "part"
    yield w, (part - t) * part + part / x
    yield part, (part - t) * part
    for name in ("a_name_of_8", "a_name_of_9_"):
        [a] = named(**{name: 3.0})
        yield a, sqrt(a * w + 1.5) * a * (a * w + 1.5)
    yield x, maximum(x, w) * relu(b - x) + where(x > 1, x * w, x)
    yield b, maximum(x, b) * x
    long = [Value(1.0 + i / 4, f"a_long_name_{i}") for i in range(5)]
    yield long[0], (long[0] * long[1] + long[2]) * (long[0] * long[3] - long[4]) * long[0]
    yield long[0], sqrt(long[0] * long[1]) * sqrt(long[2] * long[0]) / (long[3] + long[0]) - sqrt(long[0]) * long[0]
    weights = [Value(0.5 - i / 8, f"layer1.neuron0.w{i}") for i in range(3)]
    net = dot(weights, [x, t, w], Value(0.125, "layer1.neuron0.b"))
    net.label = "layer1.neuron0.net"
    out = net / (1 + sqrt(1 + net * net))
    out.label = "layer1.neuron0.out"
    yield weights[1], (out - t) * (out - t) / 2 + out * 0.01
    yield x, (out - t) * (out - t) / 2


def names() -> Iterator[Value]:
    """Iterate over graphs in which names meet."""
    yield total([Value(float(i), "x") for i in range(7)]) * Value(1.0, "x′") + Value(2.0, "x[6]")
    x = Value(2.0, "x")
    for labels in (["y"], ["y", "y"], ["y", "y", "y"], ["x", "v1"], ["y[1]", "y", "y"]):
        y = x
        for label in labels:
            y = y * 1.5
            y.label = label
        yield y + Value(1.0, "v2") * y * x
    yield Value(1.0, "a\nb") * Value(2.0, "a\\nb") + Value(3.0, "")
    yield Value(1.0, "w") * Value(2.0, "w") + Value(3.0, "b") * Value(4.0, "b")
    places = (
        "layer2.neuron1.w0",
        "layer2.neuron1.w10",
        "neuron12.b",
        "net.layer1.neuron3.net",
        "neuron0.out[2]",
        "neuron0.w1′",
    )
    yield total([Value(1.0, name) for name in places])
    yield Value(1.0, "layer1.neuron0.w1") * Value(2.0, "model.layer1.neuron0.w1")
    w, first, _hidden = Value(2.0), Value(3.0, "kept"), Value(4.0)
    y = w * first * _hidden
    label_values({"w": w, "first": first, "_hidden": _hidden, "y": y, "n": 3})
    yield y


def explanations() -> Iterator[str]:
    """Iterate over explanations as text and in LaTeX, and over the names and traces of graphs."""
    for node, loss in explained():
        found = explain(node, of=loss)
        lines = [text if len(text) < 2000 else f"{text[:60]}…{text[-60:]}" for text in (found.text, found.latex)]
        yield f"\n{lines[0]}\n{found.n_paths} paths, shares {len(found.shares)}\n{lines[1]}"
        steps = Walk(loss)
        links = [*Derivation(node, steps).links(set(steps.order[:1]))] if len(steps.order) < 30 else []
        yield from (f"    {link}: {link.flow:.6g}{' on every path' * link.everywhere}" for link in links)
    for loss in names():
        telling = Telling(loss)
        yield f"\n{', '.join(telling.full.values())}\n{', '.join(telling.names.values())}"
        yield from telling.notes
    x, y = named(x=-0.0, y=math.inf)
    for loss in (where(x > 0, x, y) * 2, x * y + Value(math.nan), x * -y, relu(x - 1) * y):
        yield f"\n{walk(loss).to_json()}"


EXPLANATIONS: Final[dict[str, Callable[[], str]]] = {"explanations.txt": lambda: lined(explanations())}
