"""Programs as users see them: what they print and refuse, which machine they choose, and what the passes return."""

import copy
import math
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import (
    Value,
    arctan2,
    compile,
    dot,
    exp,
    logsumexp,
    maximum,
    minimum,
    primitives,
    prod,
    sin,
    tanh,
    total,
    where,
)
from autograd.compiler.canonical import canonical
from autograd.compiler.interpreter import interpreter, interpreter_text
from autograd.compiler.layout import shape_of
from autograd.compiler.native import NativeMachine
from autograd.compiler.program import MACHINES
from autograd.compiler.tracing import Trace
from autograd.compiler.version import Plan
from nn import MLP, losses

LESSON = """\
forward
  net1[32×B] = layer1.w[32×20] @ x[20×B] + layer1.b
  out1[32×B] = σ(net1)
  net2[10×B] = layer2.w[10×32] @ out1 + layer2.b
  out2[10×B] = σ(net2)
  loss[B] = Σ (out2 - y)²
backward
  δ2[10×B] = 2·(out2 - y) ⊙ (out2 ⊙ (1 - out2))
  ∂layer2.w[10×32] = δ2 @ out1ᵀ
  δ1[32×B] = (layer2.wᵀ @ δ2) ⊙ (out1 ⊙ (1 - out1))
  ∂layer1.w[32×20] = δ1 @ xᵀ
  ∂layer2.b[10] = Σ δ2
  ∂layer1.b[32] = Σ δ1"""


def network(*sizes: int, **options: Any) -> Any:
    """Return the compiled squared error of a network."""
    model = MLP(sizes[0], sizes[1:], seed=1, **options)
    example = [0.0] * sizes[0], [0.0] * sizes[-1]
    return compile(lambda x, y: losses.squared_error(model(x), y), model.parameters(), example=example)


# The equations that are printed.


def test_the_four_equations_are_derived() -> None:
    assert str(network(20, 32, 10, activation="sigmoid", output="sigmoid")) == LESSON


def test_the_equations_in_latex() -> None:
    written = network(3, 2, 4, activation="tanh").latex
    assert r"\mathrm{net}_{1} &= \text{layer1.w} \, x + \text{layer1.b} \\" in written
    assert (
        r"\delta_{1} &= \left(\text{layer2.w}^{T} \, \delta_{2}\right) \odot \left(1 - \mathrm{out}_{1}^{2}\right)" in written
    )
    assert r"\partial \text{layer1.w} &= \delta_{1} \, x^{T}" in written
    assert written.startswith(r"\begin{aligned}")
    assert written.count("{") == written.count("}")


def test_the_latex_is_accepted_by_tex() -> None:
    """Names of rows are upright, names of several groups are listed, and nothing has two subscripts or superscripts."""
    w, u, theta = (
        Value(0.5, label="w⁽¹⁾₀₁"),
        Value(-1.5, label="u"),
        [Value(0.1 * i, label=f"v⁽²⁾{'₀₁₂'[i]}") for i in range(3)],
    )

    def loss(x: Any) -> Any:
        nets = [dot([w, u], x), dot([u, w], x)]
        return logsumexp(nets) + prod([w, u, nets[0]]) + maximum(*nets) * tanh(w * x[0] ** 2) + dot(theta, [*x, 1.0]) ** 3

    written = compile(loss, [w, u, *theta], example=[[1.0, 2.0]]).latex
    assert r"\operatorname{logsumexp}(" in written and r"\operatorname{prod}([{w^{(1)}_{01}}, u], " in written
    assert r"{v_{1}}_{0}" in written and not re.search(r"_\{[^{}]*\}_|\^\{[^{}]*\}(_\{[^{}]*\})?\^", written), written
    assert not re.search(r"(?<![{\\a-z])(logsumexp|prod|maximum)\(", written)


def test_the_equations_evaluate_to_the_gradient() -> None:
    """The printed equations, evaluated by NumPy, give the gradient."""
    program = network(3, 4, 2, activation="sigmoid", output="sigmoid")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 5)), rng.normal(size=(2, 5))
    w1, b1, w2, b2 = (np.array([leaf.data for leaf in program.leaves if f".{kind}" in leaf.label and layer in leaf.label])
                      for layer in ("layer1", "layer2") for kind in ("w", "b"))  # fmt: skip
    names = {"w1": w1.reshape(4, 3), "b1": b1[:, None], "w2": w2.reshape(2, 4), "b2": b2[:, None], "x": x, "y": y}
    for line in str(program).splitlines():
        if not line.startswith("  "):
            continue
        left, right = line.split(" = ")
        right = right.replace("layer1.", "").replace("layer2.", "")
        number = "1" if "layer1" in line or ("net1" in left or "out1" in left) else "2"
        for old, new in (("²", "**2"), ("·", "*"), ("⊙", "*"), ("Σ (out2 - y)**2", "total(out2 - y)"), ("Σ ", "rows")):
            right = right.replace(old, new)
        right = right.replace("wᵀ", "w2.T").replace("xᵀ", "x.T").replace("out1ᵀ", "out1.T").replace("w[", f"w{number}[")
        right = right.replace("+ b", f"+ b{number}").replace("rowsδ", "rows * δ")
        for shape in ("[4×3]", "[3×B]", "[2×4]"):
            right = right.replace(shape, "")
        name = left.strip().split("[")[0]
        if right.startswith("rows * "):
            names[name] = names[right.removeprefix("rows * ")].sum(axis=1)
        else:
            scope = {**names, "σ": lambda z: 1 / (1 + np.exp(-z)), "total": lambda d: (d**2).sum(axis=0)}
            names[name] = eval(right, scope)
    _, gradient = program.gradient(x.T, y.T, reduce="sum")
    by_hand = [*np.c_[names["∂layer1.w"], names["∂layer1.b"]].ravel(), *np.c_[names["∂layer2.w"], names["∂layer2.b"]].ravel()]
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-12)


def test_instructions_are_counted() -> None:
    assert network(10, 3, 2, activation="sigmoid", output="sigmoid").instructions["forward"] == 6
    assert network(784, 32, 10, activation="sigmoid", output="sigmoid").instructions["forward"] == 6


# The passes.


def traced(f: Any, n: int) -> Any:
    """Return a function's graph in canonical form, and the place of its output."""
    trace = Trace(f, [], [(n,)])
    graph, [place] = canonical(trace.graph, trace.outputs)
    return graph, place


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[0] * x[1] + x[2] * x[3] + x[4],
        lambda x: x[4] + x[0] * x[1] + x[2] * x[3],
        lambda x: sum([x[0] * x[1], x[2] * x[3]]) + x[4],
        lambda x: dot([x[0], x[2]], [x[1], x[3]], x[4]),
        lambda x: total([x[0] * x[1], x[4], x[2] * x[3]]),
        lambda x: (x[4] + 0) + (x[0] * x[1] + +(x[2] * x[3])),
        lambda x: dot([x[0]], [x[1]], x[2] * x[3] + x[4]),
    ],
)
def test_sums_of_products_are_one_dot_however_they_are_written(f: Any) -> None:
    graph, place = traced(f, 5)
    assert graph.rows[place] is primitives.dot
    assert sum(row is not None for row in graph.rows) == 1


def test_a_shared_sum_is_not_taken_apart() -> None:
    graph, _ = traced(lambda x: tanh(s := x[0] * x[1] + x[2] * x[3]) + (s + x[4]), 5)
    assert [row.name for row in graph.rows if row] == ["dot", "tanh", "total"]


def test_zeros_of_both_signs_and_nan_are_distinct_constants() -> None:
    program = compile(lambda x: [arctan2(0.0, x), arctan2(-0.0, x), math.nan * x], [], example=[0.0])
    assert str(program([-1.0])[0].round(4).tolist()) == "[3.1416, -3.1416, nan]"


def test_every_left_row_meeting_every_right_row_is_a_matrix_product() -> None:
    model = leaves_of(3, 4)

    def pairs(x: Any) -> Any:
        return [[sum(w * v for w, v in zip(row, x[4 * p : 4 * p + 4], strict=True)) for p in range(2)] for row in model]

    product = compile(pairs, [w for row in model for w in row], example=[[0.0] * 8]).layout.instructions[0]
    assert product.kind == "product"
    assert product.out.index.shape == (1, 3, 2)


@pytest.mark.parametrize(
    ("columns", "shape"),
    [
        ([[0, 1, 2, 3]], (4,)),
        ([[4, 4, 4]], (3,)),
        ([[0, 1, 2, 10, 11, 12], [7] * 6], (2, 3)),
        ([[0, 1, 2, 10, 11, 12], [0, 1, 2, 9, 11, 12]], (2, 3)),  # both jump first in the same place
        ([[0, 1, 5, 6, 7]], (5,)),
        ([[0, 1, 5, 6, 9, 10]], (6,)),
        ([[0, 1, 4, 5, 8, 9, 12, 13], [0, 0, 0, 0, 1, 1, 1, 1]], (4, 2)),
        ([[0, 2, 4, 5]], (4,)),
        ([[3]], (1,)),
    ],
)
def test_lists_of_slots_are_arranged_in_two_dimensions(columns: list[list[int]], shape: tuple[int, ...]) -> None:
    assert shape_of([np.array(column) for column in columns]) == shape


def test_groups_are_counted_up_to_a_limit() -> None:
    program = network(2, 3, 1)
    count = len(program.trace.groups)
    for most in range(count + 2):
        plan = Plan(program.trace.passes)
        assert plan.has_more_groups(most) == (count > most)
        assert len(plan.groups) == count


def test_a_sheet_is_as_wide_as_its_batch_within_a_tile() -> None:
    program = compile(lambda x: x * 2, example=[1.0])
    machine = NativeMachine(program.trace, program.parameters)
    found = []
    for machine.n_slots in (4, 3000, 5000):
        found.append([machine._width(batch) for batch in (0, 1, 7, 9, 10_000)])
    assert found == [[1, 1, 7, 9, 8192], [1, 1, 7, 9, 10], [1, 1, 7, 8, 8]]


def test_a_trace_takes_nested_lists() -> None:
    trace = Trace(lambda x, y: [x[1][0], x[0][2], y], [], [(2, 3), ()])
    assert trace.outputs == [3, 2, 6]


def leaves_of(n: int, m: int) -> list[list[Value]]:
    """Return parameters in rows."""
    return [[Value(float(i * m + j)) for j in range(m)] for i in range(n)]


# The choice of a machine.


def test_small_batches_run_natively_and_large_ones_on_numpy() -> None:
    program = network(10, 3, 2)
    assert (program.backend_for(8), program.backend_for(5000)) == ("native", "numpy")
    assert compile(lambda x: x, [], example=[0.0], backend="numpy").backend_for(1) == "numpy"


def test_the_interpreter_is_one_text_from_the_table() -> None:
    text = interpreter_text()
    rows = [row for row in vars(primitives).values() if isinstance(row, primitives.Primitive)]
    assert text.count("op ==") == 2 * (len(rows) + 1)  # for many examples, and for one
    assert "import tanh as tanh" in text


def test_without_numba_a_program_runs_on_numpy_unless_native_code_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(NativeMachine):
        def __init__(self, *_: Any) -> None:
            raise ImportError("No module named 'numba'")

    monkeypatch.setitem(MACHINES, "native", Missing)
    program = compile(lambda x: x * 2, [], example=[0.0])
    assert program.backend_for(1) == "native" and program([3.0]).tolist() == [6.0] and program.backend_for(1) == "numpy"
    with pytest.raises(ImportError, match="needs numba: pip install numba; No module named 'numba'"):
        compile(lambda x: x * 2, [], example=[0.0], backend="native")([3.0])


def test_without_numpy_a_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import autograd, nn\n"
        "try: autograd.compile\n"
        "except ModuleNotFoundError as error: print(error)\n"
        "else: print('?')\n"
        "print(nn.fit(nn.MLP(1, [1], seed=1), [[1.0]], [1.0], epochs=3_000_000, goal=1.0).engine)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    advice = "autograd.compile needs NumPy: pip install numpy numba\n"
    assert printed == f"{advice}eager: {advice}"


# What is refused.


w = Value(2.0, label="w")
REFUSED: list[tuple[tuple[Any, ...], type[Exception], str]] = [
    (([[1.0, 2.0], [3.0]],), TypeError, "argument 0 is not an array of numbers, nor nested lists of equal lengths"),
    ((["a", "b"],), TypeError, r"argument 0\[0\] is 'a', a str"),
    ((None,), TypeError, "argument 0 is None"),
    ((3.0,), ValueError, r"argument 0 is the number 3.0; a program takes a batch, an entry for each example: \[3.0\]"),
    (([],), ValueError, "the shapes|at least one"),
    (([[1.0, 2.0, 3.0]],), ValueError, r"the arguments have the shapes \(1, 3\); the program was compiled for \[batch×2\]"),
    (([[1.0, 2.0]], [1.0]), ValueError, r"the shapes \(1, 2\), \(1,\); the program was compiled for \[batch×2\]"),
    (([1.0, None],), TypeError, r"argument 0\[1\] is None"),
    (([Value(1.0)],), TypeError, r"argument 0\[0\] is Value\("),
    (([1j],), TypeError, r"argument 0\[0\] is 1j, a complex"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), REFUSED)
def test_wrong_arguments_are_refused_with_their_shapes(arguments: Any, error: type[Exception], message: str) -> None:
    program = compile(lambda x: w * x[0] + x[1], [w], example=[[0.0, 0.0]])
    with pytest.raises(error, match=message):
        program(*arguments)


def test_an_error_of_the_function_comes_with_the_shapes_of_an_example() -> None:
    with pytest.raises(TypeError, match="not subscriptable") as caught:  # a single example in place of a batch
        compile(lambda x: x[0] * w, [w])([1.0, 2.0])
    assert caught.value.__notes__ == ["while f was traced for one example of a batch; the shapes of its arguments: ()"]


def test_arguments_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"there is at least one; got \[2, 3\] entries"):
        compile(lambda x, y: x * y, [])([1.0, 2.0], [1.0, 2.0, 3.0])


def test_wrong_functions_and_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match=r"the result: .*this is 'loss', a str"):
        compile(lambda x: "loss", [w])([1.0])
    with pytest.raises(ValueError, match="returned no output"):
        compile(lambda x: [], [w])([1.0])
    with pytest.raises(TypeError, match="a parameter is a leaf"):
        compile(lambda x: x, [w * 2])([1.0])
    with pytest.raises(ValueError, match="a parameter is listed twice"):
        compile(lambda x: x, [w, w])([1.0])
    outside = w * 3
    with pytest.raises(TypeError, match=r"w \* 3.0 = 6.0 was computed from a parameter outside the compiled function"):
        compile(lambda x: x * outside, [w])([1.0])
    kept: list[Any] = []

    def keep(x: Any) -> Any:
        kept.append(x)
        return x

    compile(keep, [w])([1.0])
    with pytest.raises(TypeError, match="a compiled function that has returned"):
        exp(kept[0])


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="dtype is 'float64' or 'float32'; got 'int'"):
        compile(lambda x: x, [], dtype="int")
    with pytest.raises(ValueError, match="backend is one of 'auto', 'numpy', 'native', 'pure'; got 'gpu'"):
        compile(lambda x: x, [], backend="gpu")
    with pytest.raises(ValueError, match="reduce is 'mean' or 'sum'; got 'max'"):
        compile(lambda x: x, []).gradient([1.0], reduce="max")
    with pytest.raises(ValueError, match="not traced yet"):
        _ = compile(lambda x: x, []).layout
    assert repr(compile(len, [w])) == str(compile(len, [w])) == "<program of len: 1 parameter, not traced yet>"


def test_a_result_of_constants_is_a_constant() -> None:
    frozen = MLP(2, [2, 1], seed=1)
    program = compile(lambda x: w * frozen([x, 1.0]) + frozen.parameters()[0] * 2, [w])
    out = program([0.5])
    assert out.tolist() == pytest.approx([2 * frozen.predict([0.5, 1.0]) + 2 * frozen.parameters()[0].data])


# What would hold for one example only.


def data_of(x: Value) -> float:
    """Return a number that depends on an input."""
    return x.data


BAKED_IN: dict[str, Callable[[Any], Any]] = {
    "a branch": lambda x: x if x > 0 else -x,
    "data": lambda x: x * data_of(x),
    "data of a parameter": lambda x: x * max(p.data for p in [w]),
    "a float": lambda x: x * float(x),
    "math": lambda x: x * math.exp(w),
    "an index": lambda x: [w, x][x],
    "a range": lambda x: sum(w for _ in range(x)),
    "max": lambda x: max(w, x),
    "sorted": lambda x: sorted([w, x])[0],
    "and": lambda x: x > 0 and x,
    "formatting": lambda x: x * float(f"{x:.2f}"),
    "a softmax that subtracts its largest number": lambda x: exp(x - max(x.data, w.data)),
    "a gradient": lambda x: x * w.grad,
    "backward": lambda x: (w * x).backward(),
    "rounding": lambda x: x * round(x),
    "setting data": lambda x: setattr(w, "data", 1.0),
    "equality": lambda x: x if x == 1 else w,
}


@pytest.mark.parametrize("f", BAKED_IN.values(), ids=BAKED_IN.keys())
def test_code_that_holds_for_one_example_only_is_refused_at_the_users_line(f: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        compile(f, [w])([1.0])
    assert any(entry.path == Path(__file__) for entry in caught.traceback[1:])
    assert type(w) is Value
    assert w.data == 2.0


@pytest.mark.parametrize(("f", "parameters", "message"), [
    (None, [], "compile needs a function of an example, not None"),
    (abs, Value(1.0), r"parameters is a list of Values, such as model.parameters\(\); got Value"),
    (abs, [1.0], "parameters is a list of Values"),
    (abs, MLP(1, [1]), "parameters is a list of Values.*; got MLP"),
    (abs, {Value(1.0), Value(2.0)}, "parameters is a list of Values.*; got {"),  # a set has no order
])  # fmt: skip
def test_compile_needs_a_function_and_a_list_of_parameters(f: Any, parameters: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        compile(f, parameters)


def test_equations_use_no_name_twice() -> None:
    w, v = Value(2.0, label="w"), Value(3.0, label="v1")
    printed = str(compile(lambda v2: exp(v2 * v) * sin(v2 * v), [v], example=[0.0]))
    assert "v3[B] = v2 ⊙ v1\n  v4[B] = exp(v3)" in printed and printed.endswith("∂v1 = (Σ [v4, v5] ⊙ [v6, v4]) @ v2[B]ᵀ")
    assert "v4[B] = v2 ⊙ v3" in str(compile(lambda loss: exp(loss * w) * sin(loss * w), [w], example=[0.0]))


def test_nodes_with_the_same_label_and_constants_get_distinct_names() -> None:
    w, c = Value(2.0, label="w"), Value(1.0, label="c")

    def twice(x: Any) -> Any:
        inner = tanh(w * x)
        outer = exp(inner * w)
        inner.label = outer.label = "h"
        return outer * inner

    assert "h[B] = tanh(w ⊙ x)\n  v1[B] = exp(h ⊙ w)\n  loss[B] = v1 ⊙ h" in str(compile(twice, [w], example=[0.0]))
    assert "x > c2" in str(compile(lambda x: total([where(x > i, 3.0, c) for i in range(5)]), [c], example=[0.0]))
    curves = compile(lambda x: [exp(x + i) for i in range(1, 6)] + [tanh(x * i) for i in range(5)], example=[0.0])
    assert "exp(x + c)" in str(curves) and "tanh(x ⊙ c2)" in str(curves) and "c_{2}" in curves.latex


def test_biases_of_all_layers_in_a_penalty_keep_their_names() -> None:
    model = MLP(2, [2, 1], seed=1)
    penalised = compile(lambda x: model(x) + sum(p * p for p in model.parameters()), model.parameters(), example=[[0.0] * 2])
    assert "@ x[2×B] + layer1.b\n" in str(penalised) and "∂layer2.b = " in str(penalised)


def test_a_block_in_another_order_is_not_written_as_the_block() -> None:
    w = [Value(float(i), label=f"w{i}") for i in range(3)]

    def palindrome(x: list[Any]) -> Any:
        h = [tanh(a * b) for a, b in zip(w, x, strict=True)]
        return dot(h, h[::-1])

    assert "loss[B] = Σ v1 ⊙ [v1₂, v1₁, v1₀]" in str(compile(palindrome, w, example=[[1.0] * 3]))
    smaller = str(compile(lambda a, b: minimum(w[1] * a, w[1] * b), w, example=[1.0, 2.0]))
    assert "v3[2×B] = where(v1 ≥ v2, [1, 0], loss)\n  v4[2×B] = where(v1 < v2, [1, 0], [v3₁, v3₀])" in smaller


def test_a_program_is_neither_copied_nor_pickled() -> None:
    program = compile(abs, [Value(1.0)], example=[0.0])
    for action in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"program of abs.*neither copied nor pickled; compile the function again"):
            action(program)


def native(**environment: str) -> str:
    """Compile with numba in a new process and return its output."""
    code = "from autograd import Value, compile\nw = Value(2.0)\nprint(compile(lambda x: w * x, [w], backend='native')([3.0]))"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout


@pytest.mark.slow
def test_a_damaged_cache_is_replaced(tmp_path: Path) -> None:
    # A copy of the cache of this process: to fill an empty one would take as long as the test itself.
    run: Any = interpreter("run", np.float64)
    source, folder = Path(run.py_func.__code__.co_filename), tmp_path / "scalar-autograd"
    (folder / "__pycache__").mkdir(parents=True)
    shutil.copy2(source, folder)
    for path in Path(run.stats.cache_path).glob(f"{source.stem}.*.nb[ci]"):
        shutil.copy2(path, folder / "__pycache__")
    environment = {"XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    kept = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {path.suffix for path in kept} >= {".py", ".nbi", ".nbc"}
    damages = b"", *[b"\xff\xfe not what it was"] * 2  # a cycle of three: the pairs of .nbc and .nbi are damaged differently
    for path, damage in zip(kept, cycle(damages), strict=False):
        path.write_bytes(damage)
    assert native(**environment) == "[6.]\n"
    again = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in again} >= {".py", ".nbi", ".nbc"}
    assert not [path for path in again if path.read_bytes() in damages]
