"""Texts; see `test_approved`."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from inspect import Parameter, Signature, isclass, isfunction, signature
from typing import Any, Final, get_args, get_origin

import numpy as np
from approved_pictures import choice, lined, trained

from autograd import Unary, Value, certify, check_derivation, clip, explain, find_nonfinite, gradcheck, label_values, walk
from autograd.__main__ import UsageError, run
from autograd.demo import POINT, network
from autograd.exercises import Exercise, exercise, exercises, worksheet
from autograd.expressions import ExpressionError, parse
from autograd.manual import page
from autograd.player.javascript import to_javascript
from autograd.primitives import (
    Binary,
    Nary,
    Primitive,
    cos,
    dot,
    exp,
    floor,
    log,
    maximum,
    minimum,
    relu,
    sin,
    sqrt,
    step,
    tanh,
    total,
    where,
)
from autograd.rows import TABLE
from autograd.site.examples import EXAMPLES
from autograd.site.mathml import to_mathml
from autograd.site.session import Session
from autograd.site.source import write_cell, write_expression
from autograd.steps import Mistake
from nn import MLP, fit
from nn.data import truth_table
from nn.optim import SGD, Adam, Momentum, RProp, cosine, exponential_decay, step_decay, warmup

SPOILT: Final = Unary("spoilt", sin.function, lambda x, out: cos(x) * where(abs(x - 2) < 0.01, 1.1, 1))
EXPRESSIONS: Final = {
    "-(a - b)**2 + a**10 - a**-1 + b**0.5": {"a": 1.5, "b": 2.0},
    "a/b/a - (a - (b - a)) * -a": {"a": 3.0, "b": -0.5},
    "2*a*(1 + a*b)*a + (a*b)**a": {"a": 2.0, "b": 1.5},
    "sigmoid(a)*tanh(b)*exp(-a) / (1e-7 + b)": {"a": 40.0, "b": 1e-9},
    "maximum(a, relu(b), 3) + where(a > b, a, b*b) + absolute(b)": {"a": 4.0, "b": -1.0},
    "dot([a, b], [b, 2], 1) + dot([a, 3], [a, a])": {"a": 0.25, "b": 123456.0},
    "hypot(a, b) + arctan2(a, b) + a % b + a // b": {"a": 7.0, "b": 2.0},
    "log(a)**2 / sqrt(a) + abs(-a)**3 - softplus(b)": {"a": 0.1, "b": 0.0},
}


def shared() -> dict[str, Value]:
    """Return, by name, the nodes of a graph in which some are used several times, such as a product and its square."""
    nodes: dict[str, Value] = {"x": Value(3.0), "y": Value(2.0)}
    nodes["h"] = nodes["x"] * nodes["y"]
    nodes["v"] = nodes["h"] ** 2
    nodes["u"] = tanh(nodes["v"] * -0.05) * nodes["x"]
    nodes["E"] = nodes["u"] - nodes["h"] / 2
    label_values(nodes)
    return nodes


def walks() -> Iterator[str]:
    """Iterate over the steps, derivations and LaTeX of expressions, and over the help pages of some rows."""
    for text, numbers in EXPRESSIONS.items():
        variables = {name: Value(number, name) for name, number in numbers.items()}
        result: Any = parse(text).evaluate(variables)
        yield f"\n{text}\n{walk(result)}"
        explanation = explain(variables["a"], of=result)
        yield f"{explanation}\n{explanation.latex}"


def mistaken() -> Iterator[str]:
    """Iterate over classic mistakes and checks of derivations."""
    for mistake in get_args(Mistake):
        steps = walk(shared()["E"], mistake)
        yield f"\n{mistake}: {steps.difference}\n{steps[-1]}"
    nodes = shared()
    for claim in (0.0, -1.0, 1.0, 2.0, 0.5, -0.5, 1.001, 1e300):
        for name in ("x", "y", "v"):
            right = walk(nodes["E"]).gradients[nodes[name]]
            yield str(check_derivation(nodes["E"], {nodes["h"]: ..., nodes[name]: right * claim}))
    x = Value(0.0, "x")
    yield str(find_nonfinite(exp(sqrt(x) * 1e5 + 710) * x))
    y = sqrt(x) ** 2
    y.backward()
    yield str(find_nonfinite(y))


def command_lines() -> Iterator[str]:
    """Iterate over answers of the command line."""
    for words in (
        ["w*x + b", "w=0.5", "x=2", "b=-0.4", "--wrt", "w,b", "--explain"],
        ["tanh(w*x)**2", "w=0.5", "x=2", "--steps", "--mistake", "sign"],
        ["w*x", "w=0.5", "x=2", "--mistake", "overwrite"],
        ["relu(x) + 1", "x=0"],
        ["sqrt(x)*0", "x=0"],
        ["x", "x=3", "--steps"],
        ["f*e", "f=3"],
        ["1/3 + pi"],
        ["x**2", "x=-0.5", "--latex", "--wrt", "x"],
        ["x*y", "x=2", "y=3", "--mermaid"],
        ["-x", "x=1", "--json", "-"],
        ["x*y", "x=1"],
        ["x*y", "x=1", "y"],
        ["x*y", "x=1", "x=2"],
        ["x*y", "x=1", "pi=2"],
        ["x*y", "x=1", "y=a"],
        ["x*y", "x=1", "y=2", "--wrt", "z"],
        ["x*(y", "x=1", "y=2"],
        ["x", "x=1", "--latex", "--steps"],
        ["x", "x=1", "--svg", "a.svg", "--html", "a.svg"],
        ["--steps"],
        ["--seed", "3"],
        ["2", "--steps"],
        ["--exercise", "1", "--latex"],
        ["--serve", "70000"],
        ["--site", ""],
        ["--vendor", "x"],
        ["x", "--site", "y"],
    ):
        yield f"\n$ {' '.join(words)}"
        try:
            text, status = run(words)
        except (UsageError, ExpressionError) as error:
            text, status = str(error), 2
        yield f"{text}\n{status}"


def posed() -> list[tuple[str, Exercise]]:
    """Return exercises of all kinds, with their names."""
    nodes, deep = network(**POINT), shared()
    neurons = MLP(2, [2, 1], activation="sigmoid", seed=3)([Value(1.0, "i"), Value(0.5, "j")])
    return [
        ("a network", exercise(nodes["E"], ask=["r_o", "w_h"])),
        ("its local derivatives", exercise(nodes["E"], "local")),
        ("its order", exercise(nodes["E"], "order")),
        ("shared nodes", exercise(deep["E"])),
        ("an update", exercise(deep["E"], "update", rate=0.25)),
        ("neurons", exercise((neurons - 1) ** 2, "deltas")),
    ]


def tasks() -> Iterator[str]:
    """Iterate over exercises: the task, all hints, the solution, and the answer that each known misconception gives."""
    for name, task in posed():
        yield f"\n{name}\n{task}"
        while (hint := task.hint()) != "there are no more hints":
            yield f"? {hint}"
        yield task.solution
        for question in task.questions[-1:]:
            right = question.value(task._scene)
            yield f"{question.name} = {right:.6g}"
            for suspect in task._suspects_of(question, right):
                yield f"    {suspect.gradient:.6g}: {suspect.words} ({suspect.name}, {suspect.points:.3g})"
        yield str(task.mark(["E", "v2"] if task.kind == "order" else {}))
    for level in (1, 2, 3, 4):
        yield f"\nlevel {level}"
        yield worksheet(exercises(5, level, 2)).text
        more = exercises(6, level, 24 if level < 4 else 1)
        shapes = {
            " and ".join(f"{task.names[x]} = {task.steps.notation.formula(x).text}" for x in task.steps.order) for task in more
        }
        yield from (f"    {shape}" for shape in sorted(shapes))
        leaves = [x.data for task in exercises(6, level, 8) for x in task.names if x.primitive is None]
        yield f"sizes of the numbers in eight more: {sorted({abs(x) for x in leaves})}"


def certificates() -> Iterator[str]:
    """Iterate over certificates of graphs, bounds and claims on boxes, and checks of rules on boxes."""
    x, y = Value(0.1, "x"), Value(3.0, "y")
    # With only + - × ÷ and √, backward() has the same digits everywhere.
    network = trained(9, 1, activation="relu")
    chain = (x * 3 - 0.3 + x / y) ** 2 / sqrt(y + x)
    near = sqrt(y) * sqrt(y) - 3
    graphs = [
        chain, (x + y) - y, relu(x - 0.1) + floor(y) * sqrt(x * 0), relu(near), network, relu(abs(near)) + relu(x - 5),
        where(x > 0, x * 3, y) * 0.1, maximum(x, y) - x, where(near > 0, x, y) * x, (x * 1e200) * 1e200 - y, x,
    ]  # fmt: skip
    for loss in graphs:
        yield f"\n{certify(loss)}"
    boxes: list[tuple[Any, dict[str, Any]]] = [
        (lambda x, y: x * y - x, {"x": (-1, 2), "y": (0, 1)}),
        (lambda x: sin(x * x) / x, {"x": (0.5, 3)}),
        (lambda x, y: exp(-x) * maximum(x, y), {"x": (-1, 1), "y": 0.25}),
        (lambda x: sqrt(x) * floor(x * 2), {"x": (0.25, 0.75)}),
        (lambda w: tanh(w[0] * w[1]) + clip(w[0], -0.5, 0.5), {"w": [(-1, 1), (0.25, 2)]}),
        (lambda x: 1 / x, {"x": (-1, 1)}),
        (lambda x: log(x), {"x": (0, 1)}),
        (lambda x: (x * x if x > 0 else -x) + (1 if x > 0 else x), {"x": (-1, 1)}),
        (lambda x, y=2.0, z=3.0: x * y + z, {"x": (0, 1), "z": 5}),
        (lambda x: x - x * x * x / 3 + abs(x) * 0, {"x": (-2, 2)}),
        (lambda x: sqrt(1 - x * x) + 1, {"x": (-1, 1)}),
        (lambda x, y: maximum(x, y) - minimum(x, y), {"x": (0, 1), "y": (0.5, 2)}),
    ]
    for f, box in boxes:
        try:
            found = certify(f, **box)
        except ValueError as error:
            yield f"\n{error}"
            continue
        names = list(found.subject.names)
        yield f"\n{found}\n{found.claim(lambda value: value < 1)}\n{found.claim(lambda value: value >= -0.5)}"
        yield f"{found.lipschitz(2.5)}\n{found.monotone(names[0])}"
    for f, box in (
        (lambda x: 3 * SPOILT(x) + 1, {"x": (1, 3)}),
        (lambda x: floor(x), {"x": (0.5, 1.5)}),
        (lambda x, y: x * x * y + exp(x - y), {"x": (-1, 2), "y": (0, 1)}),
    ):
        yield f"\n{gradcheck(f, box=box)}"


def lifted(x: float, out: float) -> float:
    """Return the slope of √x, plus 1/4; it takes only numbers."""
    return 0.5 / math.sqrt(x) + 0.25


def checks() -> Iterator[str]:
    """Iterate over reports of gradient checks, with only the first digits of numeric derivatives, and without their errors."""
    wrong = Unary("wrong", tanh.function, lambda x, out: 1 - out)
    lead = Binary("lead", lambda x, y: x + y * y, lambda x, y, out: 1, lambda x, y, out: where(y > 0, y, 0))
    many = Nary("many", lambda *v: v[0] * v[1] + v[-1], lambda v, out: (v[1], *[v[0]] * (len(v) - 2), 1.5), lambda *v: v)
    numeric = Unary("numeric", math.sqrt, lifted)
    choose = replace(where, name="choose", gradient=lambda v, out: (0.5, where(v[0], 1, 0), where(v[0], 0, 1)))
    powers = [10.0**k for k in range(-20, 20)]

    def products(v: Any) -> Any:  # takes matrices; one entry comes from the transposed one
        found = np.einsum("ik,lj->ijkl", np.eye(2), v) + np.einsum("jl,ik->ijkl", np.eye(2), v)
        found[0, 1, 0, 1] = found[1, 0, 1, 0] + 0.25
        return found

    cases: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        (lambda w, x: tanh(w * x) ** 2, (0.5, 2.0), {}),
        (lambda w, x: wrong(w * x) + wrong(x), (0.5, 2.0), {}),
        (lambda x: relu(x) + maximum(x, 0.5), (0.0,), {}),
        (lambda x: sqrt(x), (0.0,), {}),
        (lambda x: x * x.data, (2.0,), {}),
        (lambda x: x * x, (0.0,), {}),
        (lambda v: v[0] ** 3 * v[1], ([3.0, 5.0],), {"order": 2}),
        (lambda x, y: x * y, (2.0, 3.0), {"gradient": lambda x, y: (y, y)}),
        (lambda x, y: x * y, (2.0, 3.0), {"gradient": lambda x, y: (y, x)}),
        (lambda x: float(x > 0), (0.0,), {"gradient": lambda x: 0.0}),
        (lambda x: 1e20 + x, (1.0,), {"gradient": lambda x: 1.0}),
        (lambda v: sum(v[i] * i for i in range(30)), ([0.5] * 30,), {"gradient": lambda v: [*range(29), 28.0], "seed": 1}),
        (lambda w, x: total([wrong(w), lead(x, w), many(w, x, w), many(w, x, x, w)]), (0.5, 2.0), {}),
        (lambda a_long_name_of_an_input, b: wrong(a_long_name_of_an_input) * b, (Value(0.5, "θ" * 70), 2.0), {}),
        (lambda x: choose(x, x * 2, x + 1) * where(x > 1, x, 3), (2.0,), {}),
        (lambda x: numeric(x), (2.0,), {}),
        (lambda x: x**1.5, (0.0,), {}),
        (lambda x: sqrt(x), (1e-4,), {}),
        (lambda x: relu(x - 1e-5) + x, (0.0,), {}),
        (lambda x: floor(x + 1e-5) * x, (3.0,), {}),
        (lambda x: sqrt(x * 0.0) * x, (2.0,), {}),
        (lambda x: total([x * 1e-9, 1e9]), (2.0,), {}),
        (lambda x: abs(x) + step(x), (0.0,), {}),
        (lambda p: p["w"][0] * p["b"] ** 2, ({"w": [1.0, 2.0], "b": 3.0},), {"order": 2}),
        (lambda v: [v[0] * v[1], v[0]], ([2.0, 3.0],), {"gradient": lambda v: [[v[1], v[0]], [1.0, 1.0]]}),
        (lambda v: v @ v, (np.array([[1.0, 2.0], [0.5, 4.0]]),), {"gradient": products}),
        (
            lambda v: v * 3,
            (np.array([0.1, 2.0], np.float32),),
            {"gradient": lambda v: np.array([[3, 0], [0, 3.01]], np.float32)},
        ),
        (lambda x, y, z: x * y + z, (2.0, 3.0, 1.0), {"gradient": lambda x, y, z: (y + 1, x + 1, 1.5)}),
        (lambda x: abs(x), (0.0,), {"gradient": lambda x: 2.0}),
        (lambda x: x * x, (2.0,), {"gradient": lambda x: math.nan}),
        (lambda x: x * x + 1e-10 * (x * 1e12 % 7), (2.0,), {"gradient": lambda x: 2 * x}),
        (lambda v: sum(v), ([0.5] * 40,), {"gradient": lambda v: [1.0] * 20 + [1.5] * 20}),
        (lambda x: [x * unit for unit in powers], (2.0,), {"gradient": lambda x: [3e-20, *powers[1:]]}),
    ]
    for f, point, options in cases:
        report = str(gradcheck(f, *point, **options))
        report = re.sub(r"(?<=\d) +\d\.\de[-+]\d\d(?= )", " …", report)
        yield "\n" + re.sub(r"(\d\.\d{5})\d+( ± \S+)?|±? ?\d\.?\d*e-\d\d", r"\1…", report)


def training() -> Iterator[str]:
    """Iterate over trainings: what they print, and the parameters afterwards to six digits."""
    X, y = truth_table("xor")
    for name, optimizer in {
        "SGD": SGD(lr=0.5),
        "SGD, step decay": SGD(lr=step_decay(0.5, every=3)),
        "SGD, exponential decay": SGD(lr=exponential_decay(0.5, 0.75)),
        "momentum, cosine": Momentum(lr=cosine(0.4, steps=10, lowest=0.1), momentum=0.8),
        "Adam": Adam(),
        "Adam, warm-up": Adam(lr=warmup(0.1, steps=6), betas=(0.8, 0.9), eps=1e-3),
        "RProp": RProp(lr=0.1),
    }.items():
        for options in ({"batch_size": None}, {"batch_size": 3, "reduce": "sum", "l2": 0.01, "loss": "binary_cross_entropy"}):
            model = MLP(2, [2, 1], output="sigmoid", seed=1)
            history = fit(model, X, y, optimizer=optimizer, epochs=6, seed=0, compiled=False, **options)
            yield f"\n{name}, {options}\n{history}"
            yield " ".join(f"{parameter.data:.6g}" for parameter in model.parameters())
    for init in ("glorot", "he", "normal", "uniform"):
        yield f"{init}: " + " ".join(f"{p.data:.6g}" for p in MLP(3, [2], init=init, seed=2).parameters())


def live() -> Iterator[str]:
    """Iterate over graphs as the player's page receives them: rows as JavaScript, nodes as data."""
    twins = Unary("twin", lambda x: x * 2, lambda x, out: 0 * x + 2), Unary("twin", lambda x: x * 3, lambda x, out: 0 * x + 3)
    x = Value(0.5, "x")
    odd = twins[0](x) * twins[1](x) + where(x > 0, x, 1.0) ** 2 - total([x, 1.0, x]) + dot([x, 2.0], [x, x])
    for loss in (network(**POINT)["E"], choice(), odd):
        rows, graphs = to_javascript([walk(loss)], [twins[0], tanh, maximum] if loss is not odd else [*TABLE.values()])
        yield f"\n{rows}"
        for graph in graphs:
            nodes = graph.pop("nodes")
            for each in (graph, *nodes):
                short = {name: round(x, 9) if isinstance(x, float) else x for name, x in each.items()}
                yield json.dumps(short, ensure_ascii=False)


FORMULAS: Final = (
    r"\frac{a_{1}^{2}}{\sqrt{b}} \cdot \left(c - 2\right)", r"\left|x\right| \geq -0.5 \cdot 10^{-3}", r"\unknown{x}",
    r"\begin{cases} a & b \\ c & \text{otherwise} \end{cases}", r"\operatorname{relu}(x)^{\top}", r"\sqrt[3]{x} - \sqrt[n+1]y",
    r"-x + (-x) - [-2]", r"x''_i^2 + y_1' + {}^2", r"\ln x^{2} \sin^2 x", r"\text{a\_b \textbackslash{}{c} <} \mathbb{1}",
    r"a < b > c \& \alpha", r"\begin{aligned} a &= \begin{cases} 1 & {x & y} \end{cases} \\ b &= .5 \end{aligned}",
    r"\frac12 \frac{a", r"\left( a", r"{a", "x^", "^2", r"\operatorname{f}_{1} x",
)  # fmt: skip
PROGRAMS: Final[dict[str, tuple[float, ...]]] = {  # expressions, with numbers for their variables as they first occur
    "tanh(w*x  + b)": (0.5, -math.inf, -0.0), "pi*f + e": (2.0,), "f + loss*result": (1.0, 2.0, 3.0), "2**3*x": (1.0,),
    "7//2 + x": (1.0,), "7/2*x": (1.0,), "9007199254740993*x": (1.0,), "9007199254740992*x": (1.0,), "x": (4.0,),
    "Value + print": (1.0, 2.0), "maximum(x, 2 % 3)": (1.0,), "sin(x)**2 + sin(2)": (0.5,), "9007199254740994*x": (1.0,),
}  # fmt: skip


def replies() -> Iterator[str]:
    """Iterate over what the site's page receives: errors, explanations as MathML, code, and printed exercises."""
    yield from (f"{example.title}: {example.content}" for example in EXAMPLES)
    session = Session()
    cell = "w, x = Value(0.5), Value(2.0)\nprint('a line')\nloss = (w * x - 3) ** 2"
    for asked in (
        {"expression": "x*", "values": {}}, {"expression": "2 + e"}, {"code": "x ="}, {"code": "x = Value(1.0)\nx / 0"},
        {"code": "1"}, {"code": "print(1)\nNone\n\n"}, {"code": cell},
        {"expression": "a*b + c*d*e*f_ + g + h*a", "values": {"a": 7}}, {"expression": "θ*2 + ∂"}, {"expression": "θ*2"},
    ):  # fmt: skip
        found = session.show(**asked)
        kept = {
            name: found[name] for name in ("error", "output", "values", "title", "steps", "names", "leaves") if name in found
        }
        yield json.dumps(kept, ensure_ascii=False)
        if "error" not in found:
            values = {"w": -1.0, "a": 0.1}
            why = session.why(values, next(iter(found["leaves"])))
            yield from (f"    {name}: {json.dumps(part, ensure_ascii=False)}" for name, part in why.items())
            yield f"    {json.dumps(session.check(values)['rows'][0][:4])}\n{session.code(values)['text']}"
    yield from (f"{formula}\n    {to_mathml(formula)}" for formula in FORMULAS)
    for text, numbers in PROGRAMS.items():
        yield f"\n{write_expression(text, dict(zip(parse(text).names, numbers, strict=True)))}"
    for cell in (
        "x = Value(3.0)\nx * x",
        "from math import e\nexp = 1\nlog(Value(e)) + exp",
        "def sin(x): return tanh(x)\nsin(2)",
        "1",
    ):
        yield f"\n{write_cell(cell, {'x': 2.5, 'y': math.inf} if 'x' in cell else {})}"
    [task] = exercises(4, 3, 1)
    sheet = worksheet([task, exercise(shared()["E"], "local")], solutions=True, title="A & B")
    yield re.sub(r"base64,[^\"]*", "…", sheet.html)
    yield sheet.tex


def sheets() -> Iterator[str]:
    """Iterate over the output of the exercise generator: the numbers of long sheets, and the questions."""
    for level, count in ((1, 60), (2, 40), (3, 12), (4, 4)):
        for task in exercises(seed=5, level=level, count=count):
            lines = [line.partition(" = ")[0].strip() for line in task.text.splitlines()[1:]]
            yield f"{task.text.splitlines()[0]} {', '.join(lines)}"
    w, x = Value(3.0, "w"), Value(2.0, "x")
    loss = (w * x - 5) ** 2 / 2
    asks: list[Any] = ["update", ["loss", "w"], "order", "local"]
    for ask in asks:
        task = exercise(loss, ask=ask)
        yield from ("", f"{ask}", *task.solution_latex, *(task.hint() for _ in range(6)))


MODULES: Final = (
    "autograd", "autograd.chance", "autograd.checking.assertions", "autograd.drawing", "autograd.exercises", "autograd.player",
    "autograd.site", "autograd.strategies", "nn", "nn.data", "nn.layers", "nn.losses", "nn.optim", "nn.perceptron", "nn.plots",
)  # fmt: skip


def signatures() -> Iterator[str]:
    """Iterate over the public callables, with the names and defaults of their arguments."""
    for module in MODULES:
        yield f"\n{module}"
        names = import_module(module).__all__
        for name in sorted(names):
            thing = getattr(import_module(module), name)
            methods = (
                [f"{name}.{method}" for method, f in sorted(vars(thing).items()) if isfunction(f) and method[0] != "_"]
                if isclass(thing)
                else []
            )
            for each in [name, *methods]:
                found = operator.attrgetter(each)(import_module(module))
                if callable(found) and not isinstance(found, Primitive) and get_origin(found) is None:  # not a type alias
                    try:
                        bare = [p.replace(annotation=Parameter.empty) for p in signature(found).parameters.values()]
                    except ValueError:  # without a signature
                        continue
                    yield f"    {each}{re.sub(' at 0x[0-9a-f]+', '', str(Signature(bare)))}"


def rows() -> Iterator[str]:
    """Iterate over the rows of the table as `help` shows them: rules as formulas, domains and conventions."""
    for row in TABLE.values():
        facts, _, example = page(row).partition(">>> ")
        yield f"\n{facts.strip()}"
        yield f"    {example.partition(chr(10))[0]}" if example else ""  # without its digits, which depend on the machine


TEXTS: Final[dict[str, Callable[[], str]]] = {
    "walks.txt": lambda: lined(walks()),
    "mistakes.txt": lambda: lined(mistaken()),
    "command_lines.txt": lambda: lined(command_lines()),
    "exercises.txt": lambda: lined(tasks()),
    "certificates.txt": lambda: lined(certificates()),
    "checks.txt": lambda: lined(checks()),
    "live.txt": lambda: lined(live()),
    "replies.txt": lambda: lined(replies()),
    "rows.txt": lambda: lined(rows()),
    "sheets.txt": lambda: lined(sheets()),
    "signatures.txt": lambda: lined(signatures()),
    "training.txt": lambda: lined(training()),
}
