"""What the compiler's passes make of programs; see `test_approved`.

No result shows when and where numbers are computed.  So these are written down here: the graph, the groups of nodes that are
computed at once, the tape of the native back end, and the calls of the array back end.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
from approved_pictures import lined
from approved_programs import called, laid_out, layered, made, values

from autograd import Value, compile, dot, exp, floor, grad, log, maximum, relu, sqrt, tanh, total, value_and_grad, where
from autograd.compiler.arrays import Bound, NumPyMachine
from autograd.compiler.backward import Passes, template
from autograd.compiler.batches import Batch
from autograd.compiler.interpreter import CODES, PRODUCTS
from autograd.compiler.jacobians import OF
from autograd.compiler.native import NativeMachine, can_run
from autograd.compiler.program import MACHINES, Program
from autograd.compiler.recordings import definition
from autograd.compiler.schedule import Group
from autograd.compiler.tracing import constant_key
from autograd.compiler.version import Plan
from autograd.primitives import Nary, Unary
from autograd.rows import TABLE

NAMES: Final = {code: row.name for row, code in CODES.items()} | {PRODUCTS: "products"}


def more() -> Iterator[tuple[str, Callable[..., Any], Sequence[Value], list[Any]]]:
    """Iterate over functions, as `made` does, chosen for the compiler's passes."""
    w = values(*(0.25 * (i - 4) for i in range(12)))

    def below_a_branch(x: Any) -> Any:
        return where(x[0] > w[0], lambda: dot([sqrt(w[1] * x[0]), log(w[2] * x[1])], w[3:5]), lambda: w[1] * x[0])

    def shared_in_part(x: Any, y: Any) -> Any:
        return total([tanh(dot([*w[:2], w[2 + i]], [*x[i : i + 2], y])) for i in (0, 1)])

    def meeting_in_part(x: Any) -> Any:
        return [dot(w[:2], x[:2]), dot(w[:2], x[1:]), dot(w[2:4], x[:2])]

    yield "no data", lambda: (w[0] - 3) ** 2, w[:2], []
    yield "no parameters", lambda x: [dot(x, x) + 1, x[0] * 1], [], [[1.0, 2.0]]
    yield "a parameter", lambda x: [w[0], 3.0, x], w[:2], [1.0]
    yield "a derivative inside", lambda x: x * grad(lambda a: tanh(a * w[0]) * w[1])(x), w[:2], [0.5]
    yield "a derivative at a number", lambda x: 2.0 * x * grad(lambda a: 2.0 * a * a * w[0])(2.0), w[:1], [0.5]
    yield (
        "sums in sums",
        lambda x: (x[0] + (w[0] * x[1] - 0.0 + (x[1] + (2 + w[1])))) + total([x[0], total([w[2]]), 0.0]),
        w[:3],
        [[1.0, 2.0]],
    )
    yield "a shared sum", lambda x: [tanh(w[0] * x + w[1]) + (w[0] * x + w[1]), (w[0] * x) * 2 + 1 + (w[0] * x)], w[:2], [1.0]
    yield (
        "zeros",
        lambda x: [x[0] * 0 + 0.0, total([0.0, -0.0]), dot([0.0, w[0]], x, 0.0), dot(w[:1], x[:1], 0.0)],
        w[:1],
        [[1.0, 2.0]],
    )
    yield (
        "squares",
        lambda x: x[0] * x[0] + w[0] ** 2 + x[1] ** 2 * 3 + (w[1] ** 2) ** 2 + x[0] ** 3.0 + 2 ** x[1],
        w[:2],
        [[1.0, 2.0]],
    )
    yield (
        "a list used twice",
        lambda x, y: tanh(dot(w[:2], x)) * dot(w[:2], y) + dot(w[:2], [x[0], 3.0]),
        w[:2],
        [[1.0, 2.0]] * 2,
    )
    yield "a list and one of it", lambda x: dot(w[:3], x) * w[1] + dot(w[:2], w[1:3]), w[:3], [[1.0, 2.0, 3.0]]
    yield "a list that varies in part", lambda x: tanh(dot(w[:4], [x, 2.0, 0.0, x * x])) ** 2, w[:4], [0.5]
    yield (
        "hidden lists",
        lambda x: dot(h := [tanh(w[0] * x[0]), tanh(w[1] * x[1])], h) + dot(h, w[2:4]) + dot(h, x),
        w[:4],
        [[1.0, 2.0]],
    )
    yield "one product", lambda x: dot([w[0]], [x]) + dot([x], [x]) + dot([w[1]], [2.0], w[1]), w[:2], [1.0]
    yield "risks", lambda x: where(x > w[0], lambda: log(x - w[0]) * sqrt(w[1]), lambda: w[2] / x), w[:3], [1.0]
    yield (
        "risks in lists",
        lambda x: dot([relu(dot(w[:2], x)), sqrt(dot(w[2:4], x))], w[4:6]) + sqrt(relu(w[0] * x[0])),
        w[:6],
        [[1.0, 2.0]],
    )
    yield (
        "a filter on results",
        lambda x: total([dot(w[1:4], [tanh(w[0] * v) for v in x][i : i + 3]) ** 2 for i in (0, 1)]),
        w[:4],
        [[0.5] * 4],
    )
    yield (
        "padding",
        lambda x: [dot([0.0, *x], w[:3]), dot(w[:3], [*x, 0.0]), sum(a * b for a, b in zip([0.0, *x], w[:3], strict=True))],
        w[:3],
        [[1.0, 2.0]],
    )
    yield "a bias that is a sum", lambda x: tanh(dot(w[:2], x, x[0] * w[2] + w[3])) + dot(x, x, x[1]), w[:4], [[1.0, 2.0]]
    yield "one product as a result", lambda x: [dot([w[0]], [x]), dot([x], [x], w[1]), total([w[0]])], w[:2], [1.0]
    yield "a sum of zeros", lambda x: x + value_and_grad(lambda a: a + a)(0.0)[0] * w[0], w[:1], [1.0]
    yield "a list below a branch", below_a_branch, w[:5], [[1.0, 2.0]]
    yield "a constant condition", lambda x: where(0.0, sqrt(w[0] * x), w[1] * x), w[:2], [1.0]
    yield "an infinite slope times 0", lambda x: sqrt(floor(w[0] * x)), w[:1], [1.0]
    yield "own rules", lambda x: CUBIC(dot(w[:2], [x, 2.0], w[2])) + sqrt(RAMP(w[1] * x)), w[:3], [1.0]
    yield "one delta for all", lambda x, y: tanh(dot(w[:2], x)) + dot(w[:2], y) * w[2], w[:3], [[1.0, 2.0]] * 2
    yield "spaces by turns", lambda x: dot(w[:3], [tanh(x[0]), x[1], tanh(x[1])]), w[:3], [[1.0, 2.0]]
    yield "lists in disorder", lambda x: [dot([w[0], w[2], w[1]], x), dot([w[0], w[0]], [x[1], x[0]])], w[:3], [[1.0, 2.0, 3.0]]
    yield "filters that share a part", shared_in_part, w[:4], [[1.0, 2.0, 3.0], 0.5]
    yield "rows that meet in part", meeting_in_part, w[:4], [[1.0, 2.0, 3.0]]
    yield "empty sums", lambda x: [dot([], [], x) * w[0], dot([], [], w[0]), dot([], []) + x], w[:1], [1.0]
    yield "weights only", lambda: dot(w[:2], w[2:4]) + total([v * v for v in w[:4]]), w[:4], []
    yield (
        "columns with a constant each",
        lambda x: tanh(dot(w[:2], [x[0], 2.0])) * x[1] + tanh(dot(w[:2], [3.0, x[1]])) * x[0],
        w[:2],
        [[1.0, 2.0]],
    )
    yield "a slope that is 0", lambda x: [floor(tanh(w[0] * x)) * 3.0, w[1] * x], w[:2], [1.0]
    yield "constants", lambda x: w[0] * exp(2.0) + maximum(x, 2.0, 3.0) - 1 / x + (x - 1) / 2, w[:1], [1.0]


CUBIC: Final = Unary("cubic", lambda x: +x * x * x + dot([1.5 * x], [x]), lambda x, out: 3 * x * x + 3 * x)
RAMP: Final = Unary("ramp", lambda x: maximum(x, 0.0), lambda x, out: where(out > 0, 1.0, 0.0))


def numbered(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


def passed(passes: Passes) -> Iterator[str]:
    """Iterate over a graph and its gradients."""
    for i, line in [*enumerate(str(passes.graph).splitlines())][passes.graph.n_leaves :]:
        yield f"    {'' if i < passes.forward else 'backward '}{line} {passes.graph.labels.get(i, '')}".rstrip()
    yield f"    outputs {numbered(passes.outputs)}, work {passes.work}, gradients {passes.gradients.nodes}"
    for outer in passes.gradients.outers:
        yield f"    outer {numbered(outer.parameters)}: deltas {numbered(outer.deltas)}, inputs {numbered(outer.inputs)}"


def grouped(groups: Sequence[Group]) -> Iterator[str]:
    """Iterate over groups of nodes that are computed at once."""
    for group in groups:
        name = group.row.name if group.row else "outers"
        yield f"    {name} {numbered(group.nodes)} in {group.space}{' backward' * group.backward}"


def taped(machine: NativeMachine) -> Iterator[str]:
    """Iterate over the operations of a tape."""
    ops, tos, ats, args = (x.tolist() for x in machine.whole)
    for i, (op, to) in enumerate(zip(ops, tos, strict=True)):
        yield f"    {to} = {NAMES[op]} {numbered(args[ats[i] : ats[i + 1]])}"
    numbers = {int(slot): float(f"{x:.6g}") for slot, x in machine.constants.items()}
    forward = [len(x) for x in machine.forward]
    yield f"    {machine.n_slots} slots, forward {forward}, results {numbered(machine.out_rows)}, numbers {numbers}"


def computed(plan: Plan, parameters: Any) -> Iterator[str]:
    """Iterate over the numbers that the machines compute for a batch of two: the outputs, and the gradient of the first."""
    found: dict[str, list[str]] = {}
    for name, machine in MACHINES.items():
        if name != "native" or can_run(plan.passes):
            arguments = [np.linspace(0.3, 1.7, 2 * size).reshape(2, size) for size in plan.passes.graph.sizes]
            numbers = [(np.round(x, 5) + 0.0).tolist() for x in machine(plan, parameters).gradient(arguments, 0.5)]
            found.setdefault(f"{numbers}", []).append(name)
    yield from (f"    {', '.join(names)}: {text}" for text, names in found.items())


def compiled() -> Iterator[str]:
    """Iterate over programs as graphs, groups and tapes, each with the size of the largest batch that runs natively."""
    written = {name for name, *_ in layered()}  # their instructions and calls are in `instructions.txt`
    for name, f, parameters, example in (*made(), *layered(), *more()):
        program: Program = compile(f, parameters, example=example)
        plan = program.trace
        size = bisect_left(range(1, 10**5), True, key=lambda n: program.backend_for(n) == "numpy")
        yield f"\n{name}"
        yield from passed(plan.passes)
        yield from grouped(plan.groups)
        if can_run(program.trace.passes):
            yield from taped(NativeMachine(plan, program.parameters))
        if name not in written:
            yield from laid_out(program.layout)
            for batch in (1, 2):
                yield f"    batch {batch}"
                yield from called(Bound(NumPyMachine(plan, program.parameters), batch))
        yield f"    native up to batches of {size}"
        yield from computed(plan, program.parameters)


LABELS: Final = (
    ("a", "b"), ("w9", "w10"), ("w0", "w1", "b0", "b1"), ("a1.b0.w0", "a1.b0.w1"), (None, None), ("a", None), ("w1_0", "w1_1"),
    ("layer1.neuron0.w0", "layer1.neuron1.w0", "layer2.neuron0.w0"), ("layer1.neuron0.w0", "layer1.neuron0.w1"),
    ("layer1.neuron9.w0", "layer1.neuron10.w0"), ("theta", "x1"), ("a", "a"), ("7", "8"),
)  # fmt: skip


def named() -> Iterator[tuple[Callable[..., Any], Sequence[Value], list[Any]]]:
    """Iterate over functions whose parameters and nodes have all kinds of names."""
    for labels in LABELS:
        leaves = [Value(0.5, label) for label in labels]
        yield lambda x, leaves=leaves: tanh(dot(leaves, x)) + leaves[0], leaves, [[1.0] * len(leaves)]
    w, many = [Value(0.25 * i) for i in range(6)], [Value(0.5) for _ in range(18)]

    def deep(x: Any) -> Any:
        for _ in range(30):
            x = tanh(x)
        return x

    def numbered(x: Any) -> Any:
        outs = [tanh(a * x) for a in w[:2]]
        outs[0].label, outs[1].label = "0", "1"
        return total([out * out * x for out in outs])

    def weighted(x: Any) -> Any:
        triples = zip(many[:9], many[9:], [0.25 * i for i in range(9)], strict=True)
        return total([tanh(a * c + x) * tanh(b * c - x) * c for a, b, c in triples])

    def labelled(x: Any) -> Any:
        nets = [dot(w[2 * i : 2 * i + 2], x) for i in range(3)]
        outs = [tanh(net) for net in nets]
        shared = w[0] * w[1]
        nets[0].label, nets[1].label, nets[2].label, outs[0].label, shared.label = "net0", "net1", "net2", "out0", "shared"
        return total(outs) * shared + outs[2]

    yield deep, [], [0.5]
    yield numbered, w[:2], [0.5]
    yield weighted, many, [0.5]
    yield labelled, w, [[1.0, 2.0]]
    yield lambda x: total([tanh(a * b) for a in w[:2] for b in x]) + dot(w[:2], x) * w[2] + w[3], w[:4], [[1.0, 2.0]]
    yield lambda x: total([tanh(dot(w[i::3], x)) * w[5 - i] for i in range(3)]), w, [[1.0, 2.0]]


def lessons() -> Iterator[str]:
    """Iterate over programs as equations, which show the names."""
    for f, parameters, example in named():
        program: Program = compile(f, parameters, example=example)
        yield f"\n{', '.join(f'{leaf.label}' for leaf in parameters)}\n{program}\n{program.latex}"


def jacobians() -> Iterator[str]:
    """Iterate over programs as equations, and the graphs of their Jacobians."""
    for name, f, parameters, example in more():
        program: Program = compile(f, parameters, example=example)
        yield f"\n{name}\n{program}"
        for of in OF:
            found, plan = program.trace.jacobian(of)
            yield f"    Jacobian of {of} {found.shape}: rows {numbered(found.rows)}, columns {numbered(found.columns)}"
            yield from passed(plan.passes)


def rules() -> Iterator[str]:
    """Iterate over the rows: what their rules compute, and which rows they use."""
    for name, row in TABLE.items():
        n = {Unary: 1, Nary: 3}.get(type(row), 2)
        yield f"\n{name}"
        cases: list[tuple[Any, ...]] = [((None,) * n, (True,) * n, choices) for choices in (False, True)]
        if n > 1:
            rest = (None,) * (n - 1)
            constants = [constant_key(x) for x in (2.0, 1.0)]
            cases += [((x, *rest), (False,) + (True,) * (n - 1), False) for x in constants]
            cases += [((*rest, x), (True,) * (n - 1) + (False,), True) for x in constants]
        lines: dict[str, None] = {}
        for known, wanted, choices in cases:
            steps, edges = template(row, known, wanted, choices)
            text = [f"{made.name if made else 'list'}{among}" if among else f"{made:.6g}" for made, among in steps]
            lines[f"    {known} {' '.join(text)}: {edges}"] = None
        yield from lines
        with contextlib.suppress(TypeError):
            found = definition(row, n)
            text = [f"{i} {made.name}{operands}" for i, made, operands in found.steps]
            yield f"    is {' '.join(text)}: {found.results[0]}, {found.constants}"


class Point(NamedTuple):
    """Two numbers."""

    x: Any
    y: Any


@dataclass
class Weights:
    """Numbers and a list."""

    w: Any
    b: Any = 0.5


BATCHES: Final = """
2.0
[]
[1.0, 2]
[True, False]
(1.0, 2.0, 3.0)
[1.0], [2.0]
[1.0, 2.0], [3.0]
[1.0, 2.0], 3.0
[1.0], "a"
["1", "2"]
[None, 1.0]
[1j]
{1.0, 2.0}
(x for x in [1.0])
[Fraction(1, 2), 10**20]
[Fraction(1, 2), "a"]
[[1.0, 2.0], [3.0, 4.0]]
[(1.0, 2.0), (3.0, 4.0)]
[(1.0, 2.0), [3.0, 4.0]]
([1.0, 2.0], [3.0, 4.0])
[[1.0, 2.0], [3.0]]
[[1.0, 2.0], [3.0], [4.0, 5.0]], [1.0, 2.0, 3.0]
[[1.0], (2.0,), [3.0, 4.0]]
[[], []]
[[[1.0], [2.0]], [[3.0], [4.0]]]
[[(1.0,), (2.0,)], [(3.0,), (4.0,)]]
[([1.0], [2.0]), [[3.0], [4.0]]]
[[[1.0], [2.0, 3.0]]]
[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]
[[0.0] * 8, [1.0] * 8]
[[0.0] * 9, [1.0] * 9]
[(0.0,) * 9, [1.0] * 9]
[(0.0,) * 9, (1.0,) * 9]
[[[0.0] * 9, [1.0] * 9]]
[[(0.0,) * 9, [1.0] * 9], [(0.0,) * 9, [1.0] * 9]]
array([1.0, 2.0])
array(3.0)
array([[1, 2], [3, 4]])
array([[1.0, 2.0]], dtype="float32")
array(["a", "b"])
array([1.0, "a"], dtype=object)
array([1.0, [2.0, 3.0]], dtype=object)
array([array([1.0]), array([2.0, 3.0])], dtype=object)
[array([1.0, 2.0]), array([3.0, 4.0])]
[array([1.0, 2.0]), array([3.0])]
[array([1.0, 2.0]), [3.0, 4.0]]
[array(1.0), array(2.0)]
[array([[1.0, 2.0]]), array([[3.0, 4.0]])]
masked_array([1.0, 2.0])
masked_array([1.0, 2.0], [False, True])
[masked_array([1.0, 2.0], [False, True]), array([1.0, 2.0])]
masked_array([[1.0, 2.0], [3.0, 4.0]], [[False, False], [False, True]])
{"a": [1.0, 2.0], "b": [[3.0], [4.0]]}
{"a": [1.0, 2.0], "b": 3.0}
{"a": [1.0, 2.0], "b": {"c": [[3.0], [4.0, 5.0]]}}
{}
[1.0, 2.0], {}
Point([1.0], [2.0])
Point([[1.0], [2.0, 3.0]], [2.0, 3.0])
[Point(1.0, 2.0), Point(3.0, 4.0)]
[Point(1.0, 2.0), Point(3.0, [4.0])]
[Point(1.0, 2.0), Weights(3.0, 4.0)]
[[1.0, 2.0], Weights([3.0, 4.0], [5.0, 6.0])]
[[1.0], 2.0]
[[(1.0,)], [(2.0,), (3.0,)]]
[[1.0], [2.0, 3.0]], [(1.0, 2.0), (3.0, 4.0)]
[[1.0], [2.0, 3.0]], {"a": [1.0, 2.0]}, [[(1.0, 2.0)], [(3.0, 4.0)]]
[{"x": 1.0, "y": 2.0}, Point(1.0, 2.0)]
["a b" + " c" * 32 + "d"]
["a b" + " c" * 32 + "dd"]
[[0.0] * 9]
[1.0, masked]
[[1.0, masked], [2.0, 3.0]]
[{"a": 1.0, "b": [2.0]}, {"a": 3.0, "b": [4.0]}]
[[{"a": 1.0}], [{"a": 2.0}]]
[{"a": 1.0}, {"b": 3.0}]
[{"a": 1.0}]
Weights([1.0, 2.0], [[3.0], [4.0]])
([1.0, 2.0], {"a": [3.0, 4.0]})
[[1.0, 2.0], {"a": [3.0, 4.0]}]
"""


def batches() -> Iterator[str]:
    """Iterate over arguments, each with its arrays, and with its examples grouped by structure."""
    names = {
        "array": np.array,
        "masked_array": np.ma.masked_array,
        "masked": np.ma.masked,
        "Fraction": Fraction,
        "Point": Point,
        "Weights": Weights,
    }
    for text in BATCHES.strip().splitlines():
        yield f">>> {text}"
        try:
            batch = Batch(eval(f"({text},)", names))
            for path, x in batch.arrays.items():
                types = [f"{y.dtype}{y.shape}" for y in (x if isinstance(x, list) else [x])]
                yield f"    {path}: {', '.join(types)}, kinds {classes(batch.kinds.get(path))}"
            yield f"    within {classes(batch.classes)}"
            for places, part in batch.groups():
                yield f"    {numbered(places)}: {classes(part.key)}, such as {part.first_example()}"
        except (TypeError, ValueError) as error:
            yield f"    {type(error).__name__}: {error}"


def classes(x: Any) -> str:
    """Write the key of a group of examples, with classes as bare names."""
    return re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", f"{x}")


COMPILED: Final[dict[str, Callable[[], str]]] = {
    "compiled.txt": lambda: lined(compiled()),
    "jacobians.txt": lambda: lined(jacobians()),
    "lessons.txt": lambda: lined(lessons()),
    "batches.txt": lambda: lined(batches()),
    "rules.txt": lambda: lined(rules()),
}
