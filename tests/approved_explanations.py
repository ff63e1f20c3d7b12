"""Formulas, and the names, explanations and traces of graphs that use only + − × ÷ √; see `test_approved`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from approved_pictures import lined

import autograd
from autograd import Nary, Unary, Value, dot, explain, maximum, relu, sqrt, total, walk, where
from autograd.derivation import Derivation
from autograd.notation import Notation, label_values
from autograd.rows import TABLE
from autograd.steps import Walk
from autograd.symbol import Symbol, as_symbol, both, either, flows
from autograd.writing import digits, latex_name, latex_number, numbers, source


def named(**numbers: float) -> list[Value]:
    """Return leaves with labels."""
    return [Value(x, name) for name, x in numbers.items()]


def explained() -> Iterator[tuple[Value, Value]]:
    """Iterate over nodes whose gradients are explained, each with the result that is differentiated."""
    w, x, b, t = named(w=0.5, x=2.0, b=-0.25, t=1.5)
    yield w, w
    yield x, x * x
    yield x, x * x * x
    yield x, x * x * x * w + x
    yield w, sqrt(w * x + b) * w
    for n in (8, 9, 12):
        yield x, total([x * float(i + 2) for i in range(n)])
    for n in (8, 9):
        yield x, total([x] * n)
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
    yield x, where(x > 1, lambda: 2.0, lambda: x * w) * x
    yield b, maximum(x, b) * x
    long = [Value(1.0 + i / 4, f"a_long_name_{i}") for i in range(5)]
    yield long[0], (long[0] * long[1] + long[2]) * (long[0] * long[3] - long[4]) * long[0]
    yield long[0], sqrt(long[0] * long[1]) * sqrt(long[2] * long[0]) / (long[3] + long[0]) - sqrt(long[0]) * long[0]
    wide = long[1] * long[2] + long[3] * long[4]
    hidden = sqrt(wide * wide + 1)
    hidden.label = "hidden"
    for y in (hidden * hidden * x, hidden / x, wide / x):
        yield x, y
    [z] = named(z=0.0)
    yield z, sqrt(z) ** 2
    weights = [Value(0.5 - i / 8, f"layer1.neuron0.w{i}") for i in range(3)]
    net = dot(weights, [x, t, w], Value(0.125, "layer1.neuron0.b"))
    net.label = "layer1.neuron0.net"
    out = net / (1 + sqrt(1 + net * net))
    out.label = "layer1.neuron0.out"
    yield weights[1], (out - t) * (out - t) / 2 + out * 0.01
    yield x, (out - t) * (out - t) / 2


def names() -> Iterator[Value]:
    """Iterate over graphs in which names collide or are shortened."""
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
        notation = Notation(loss)
        yield f"\n{', '.join(notation.full.values())}\n{', '.join(notation.names.values())}"
        yield from notation.notes
    x, y = named(x=-0.0, y=math.inf)
    for loss in (where(x > 0, x, y) * 2, x * y + Value(math.nan), x * -y, relu(x - 1) * y):
        yield f"\n{walk(loss).to_json()}"


FORMULAS: Final = """
a + b - c
a - (b - c)
a - (b + c)
(a + b)*c/d
a/(b*c)
a*(b/c)
a*(b*c)
-(a + b)
-a*b
a*(-b)
a - -b
-(-a)
-(a*0)
a**2
(a + b)**2
(a*b)**3
a**b**c
(a**b)**c
(-a)**2
a**10
a**-1
a**0.5
(a**2)**2
(a - b)*(a - b)
2*a + 1e-7*b
-0.5*a + inf*b
a < b + c
(a < b)*c
(a >= b) + c
a // b % c
(a % b)*c
a - b % c
sqrt(a + b)*c
sqrt(a)**2
absolute(a - b)**2
exp(a)**3
sigmoid(a + b)*2
relu(a)**2
tanh(a)/tanh(b)
log(a*b)/c
where(a > 0, b, c + 1)*2
maximum(a + b, c)**2
leaky_relu(a, 0.25)
total([])
total([a])*b
total([a, -b])*c
total([a, b, c, d, a, b])*2
total([a, b, c, d, a, b, -c])*2
dot([a, -b], [c, 2], d)
dot([a], [b])**2
prod([a, b, c, d, a, b])
prod([a, b, c, d, a, b, c])
clip(a, b, c)
hypot(a, b)
cube(a + b)*2
twin(a) + other(b) + twin(c)
many(a, b, c, d, a, b)
many(a, b, c, d, a, b, -c)
power(a + 0, 2.5)
"""
NAMES: Final = """a ab a_1 a_b_c net_o w⁽¹⁾₀₂′ w⁽¹⁾₀₂′′[3] σ² x′ x′′ x[2] a² ab² a²_1 w⁽¹⁾² 50%
-2 -2.5e-7 ∞ 1e+3 a_ _a x1 x12 x_1,2 a-b a^b a~b
{a} \\ θ_θ w⁽¹²⁾₁₀,₁₁ ∂a"""


def formulas() -> Iterator[str]:
    """Iterate over formulas in each of their styles, over names, and over conditions."""
    cube = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * x * x)
    rows = [Unary("twin", abs, lambda x, out: 1), Unary("twin", lambda x: float(x) * 2, lambda x, out: 2)]
    many = Nary("many", lambda *v: float(v[0]), lambda v, out: (1, *[0] * (len(v) - 1)), lambda *v: v)
    own = {"cube": cube, "twin": rows[0], "other": rows[1], "many": many, "inf": math.inf}
    symbols = {name: Symbol(name, x) for name, x in (("a", 2.5), ("b", 1.5), ("c", 3.0), ("d", -0.25))}
    free = {name: Symbol(name) for name in symbols}
    for text in FORMULAS.strip().splitlines():
        one, known = (
            eval(text, {name: getattr(autograd, name) for name in autograd.__all__} | own | s) for s in (free, symbols)
        )
        one, known = as_symbol(one), as_symbol(known)
        code, calls = source(one)
        yield f"{text}: {one} | {known.written(numbers())} | {known} | {one.latex} | {code}, {[*calls]}"
    yield from (f"{name}: {latex_name(name)}" for name in NAMES.split())
    yield from (
        f"{x!r}: {digits(x)} {digits(x, 3)} {latex_number(x)}" for x in (-0.0, 1 / 3, 1e-7, -2.5e300, math.inf, math.nan)
    )
    cases: list[Any] = [True, False, Symbol("x"), Symbol("y")]
    yield from (f"{one} {other}: both {both(one, other)}, either {either(one, other)}" for one in cases for other in cases)
    for row in TABLE.values():
        yield f"{row.name}: {', '.join(map(str, flows(row, row.arity or 4)))}"


EXPLANATIONS: Final[dict[str, Callable[[], str]]] = {
    "explanations.txt": lambda: lined(explanations()),
    "formulas.txt": lambda: lined(formulas()),
}
