"""The node: a test for each thing that scalar engines get wrong, and for what users rely on."""

import copy
import gc
import itertools
import math
import pickle
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from autograd import DomainError, Unary, Value, dot, exp, label_values, logsumexp, primitives, relu, sigmoid, tanh, total, where
from autograd.manners import describe
from autograd.primitives import Binary, Nary
from autograd.strategies import ROWS, Program, programs, widths
from autograd.transforms import hessian, jacobian
from autograd.value import record, topological


def anything(x: Any) -> Any:
    return x


def gradient(f: Callable[..., Value], *numbers: float) -> list[float]:
    leaves = [Value(x) for x in numbers]
    f(*leaves).backward()
    return [leaf.grad for leaf in leaves]


# What scalar engines get wrong


def test_interior_gradients_start_fresh() -> None:
    a = Value(3.0)
    y = a * a * a
    y.backward()
    a.grad = 0.0
    y.backward()
    assert a.grad == 27


def test_two_losses_that_share_a_node() -> None:
    a = Value(2.0)
    h = a * a
    (h * 3).backward()
    (h * 5).backward()
    assert a.grad == 32


def test_every_node_comes_before_its_operands() -> None:
    def f(a: Value, b: Value) -> Value:
        c, d = a + b, a * b
        return (c + d) + c * d

    assert gradient(f, 2.0, 3.0) == [25, 19]


def test_same_operand_twice_is_two_edges() -> None:
    a = Value(3.0)
    y = a * a
    y.backward()
    assert a.grad == 6 and y.inputs == (a, a) and y.partials == (3.0, 3.0)
    assert gradient(lambda a: a + a, 1.0) == [2]
    assert gradient(lambda x: total([x * 3 * 2, x * 3 * 5]), 1.0) == [21]


def test_shared_interior_node() -> None:
    def f(x: Value) -> Value:
        y = x * 3
        return y * 2 + y * 5

    assert gradient(f, 1.0) == [21]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda a, b: a * b, [5.0, 2.0]),
        (lambda a, b: a - b, [1.0, -1.0]),
        (lambda a, b: a / b, [1 / 5, -2 / 25]),
        (lambda a, b: a**b, [5 * 2.0**4, 2.0**5 * math.log(2)]),
        (lambda a, b: 3 - a * 0 - b, [0.0, -1.0]),
        (lambda a, b: 3 / a + 2**b, [-3 / 4, 2**5 * math.log(2)]),
    ],
)
def test_order_of_the_local_derivatives(f: Callable[..., Value], expected: list[float]) -> None:
    assert gradient(f, 2.0, 5.0) == pytest.approx(expected, rel=1e-15)


def test_depth() -> None:
    n = 20_000  # test_limits has a million
    x = Value(0.5)
    y = x
    for _ in range(n):
        y = y + x
    y.backward()
    assert x.grad == n + 1
    z = copy.deepcopy(y)
    [leaf] = set(topological(z)[0].inputs)
    assert leaf is not x
    leaf.grad = 0.0
    z.backward()
    assert leaf.grad == n + 1
    del y, z


@pytest.mark.parametrize("given", [None, "0"])
def test_a_gradient_that_is_not_a_number_is_named(given: Any) -> None:
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    y = w * x + w
    w.grad = given
    with pytest.raises(TypeError, match=r"gradient of Value\(data=2.0, grad=.*label='w'\).*zero_grad\(\)"):
        y.backward()
    y.zero_grad()
    y.backward()
    assert (w.grad, x.grad) == (4.0, 2.0)


def test_changing_a_leaf_leaves_the_recorded_gradient() -> None:
    a, b = Value(2.0), Value(3.0)
    y = a * b
    b.data = 100
    y.backward()
    assert a.grad == 3


def test_deepcopy_keeps_sharing() -> None:
    a = Value(3.0, label="a")
    h = a * a
    first, second = copy.deepcopy([h * 2, h + a])
    assert first.inputs[0] is second.inputs[0] and second.inputs[1] is first.inputs[0].inputs[1]
    twin = second.inputs[1]
    assert twin is not a and twin.label == "a"
    first.backward()
    assert twin.grad == 12 and a.grad == 0
    mixed = copy.deepcopy(dot([a, 2.0], [a, h], 1.0))
    mixed.backward()
    assert mixed.data == 28 and [type(x) for x in mixed.operands] == [Value, float, Value, Value, float]


def test_copy_is_one_node() -> None:
    a = Value(3.0)
    y = a * 2
    twin = copy.copy(y)
    assert twin is not y and twin.inputs == (a,) and twin.data == 6


class Weight(Value):
    """A leaf with attributes, one of them in a slot, and with its own constructor."""

    __slots__ = ("__dict__", "rate")

    def __init__(self, rate: float, start: float) -> None:
        super().__init__(start, label="w")
        self.rate, self.past, self.grad = rate, [start], 5.0


def test_a_subclass_with_attributes_is_copied_and_pickled() -> None:
    w = Weight(0.1, 3.0)
    for copied in (copy.copy(w), copy.deepcopy(w), *copy.deepcopy(w * 2).inputs, pickle.loads(pickle.dumps(w))):
        assert type(copied) is Weight and (copied.data, copied.label, copied.grad) == (3.0, "w", 5.0) and copied is not w
        assert (copied.rate, copied.past) == (0.1, [3.0])
    assert copy.copy(w).past is w.past and copy.deepcopy(w).past is not w.past and (copy.deepcopy(w) * 2).data == 6.0


def test_nothing_is_left_for_the_garbage_collector() -> None:
    def work() -> None:
        x = Value(1.0)
        y = dot([x, x], [x, 2.0])
        for _ in range(1_000):
            y = (y + x).tanh()
        y.backward()
        topological(y)
        copy.deepcopy(y)
        hessian(lambda v: dot(v, v))([x, 2.0])
        jacobian(lambda v: {"squares": v * v})(np.ones(2))

    gc.collect()
    gc.disable()
    try:
        work()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_division_rounds_once() -> None:
    assert (Value(49.0) / 49.0).data == 1.0


def test_powers_at_the_edge() -> None:
    with pytest.raises(DomainError, match=r"\(-8\.0\) \*\* 0\.5 is undefined.*the operands are x = -8\.0 and 0\.5"):
        Value(-8.0, label="x") ** 0.5
    assert gradient(lambda x: x**0, 0.0) == [0.0]
    assert gradient(lambda x: x**0.5, 0.0) == [math.inf]
    assert gradient(lambda x: 2.0**x, 3.0) == [pytest.approx(8 * math.log(2))]
    assert gradient(lambda x, y: x**y, 2.0, 3.0) == [12.0, pytest.approx(8 * math.log(2))]
    assert gradient(lambda x: x ** np.int64(2), 3.0) == [6.0]
    assert gradient(lambda x: x**3, -2.0) == [12.0]
    base, whole = gradient(lambda x, y: x**y, -2.0, 3.0)
    assert base == 12.0 and math.isnan(whole)  # a negative base has no power at neighbouring exponents


def test_nan_passes_forward_and_backward() -> None:
    for f in (relu, tanh, abs, exp, Value.leaky_relu, lambda x: x.maximum(0), lambda x: x * x, Value.softplus, Value.sqrt):
        x = Value(math.nan)
        y = f(x)
        y.backward()
        assert math.isnan(y.data) and math.isnan(x.grad), f


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Value("3"), "'3' is a str; pass a real number"),
        (lambda: Value(None), "None is a NoneType; pass a real number"),
        (lambda: None + Value(1), "None is a NoneType; pass a real number"),
        (lambda: Value(1) + "1", "'1' is a str"),
        (lambda: Value(1) * np.array([1, 2]), r"an array of shape \(2,\) is not a scalar.* as np.array\(\[x\]\) does"),
        (lambda: np.array([1, 2]) * Value(1), r"an array of shape \(2,\) is not a scalar"),
        (lambda: Value(1) * np.complex128(2), r"^np.complex128\(2\+0j\) is a complex128; pass a real number"),
        (lambda: np.complex64(2) + Value(1), r"^np.complex64\(2\+0j\) is a complex64; pass a real number"),
        (lambda: Value(1) - np.array(2j), r"^array\(0\.\+2\.j\) is an ndarray; pass a real number"),
        (lambda: Value(np.datetime64(1, "D")), r"^np.datetime64\('1970-01-02'\) is a datetime64; pass a real number"),
        (lambda: Value(np.timedelta64(3, "ns")), r"^np.timedelta64\(3,'ns'\) is a timedelta64; pass a real number"),
        (lambda: Value(2.0) * np.timedelta64(3, "s"), r"^np.timedelta64\(3,'s'\) is a timedelta64; pass a real number"),
        (lambda: Value(np.str_("3")), r"^np.str_\('3'\) is a str_; pass a real number"),
        (lambda: anything([1.0]) * Value(1), r"\[1.0\] is a list"),
        (lambda: Value(1j), "complex; pass a real number"),
        (lambda: Value(1) * 1j, "complex; pass a real number"),
        (lambda: Value(Value(2.0)), "a Value holds a number, not a node"),
        (lambda: math.exp(Value(1)), "would drop its graph; use .data for the number, autograd's functions in place of math's"),
        (lambda: np.zeros(1).put(0, anything(Value(1))), "would drop its graph; .*, and dtype=object for an array of nodes$"),
        (lambda: int(Value(1, label="w")), "turning w = 1.0 into a plain number would drop its graph; use .data"),
        (lambda: round(anything(Value(1, label="w")), 2), "turning w = 1.0 into a plain number would drop its graph"),
        (lambda: math.trunc(Value(1, label="w")), "turning w = 1.0 into a plain number would drop its graph"),
        (lambda: Value(3.0) == 3, "== compares nodes, not their numbers; for those write `x.data == 3`"),
        (lambda: Value(3.0) != 3, "!= compares nodes, not their numbers; for those write `x.data != 3`"),
        (lambda: np.float64(3.0) == Value(3.0), "^numpy.equal tests numbers, not nodes; for those write x.data$"),
        (lambda: np.isfinite(Value(3.0)), "^numpy.isfinite tests numbers, not nodes; for those write x.data$"),
        (lambda: np.rint(Value(1.0)), r"numpy.rint cannot be recorded.* row: Unary\('rint', rint, rule\)$"),
        (lambda: bool(Value(1.0)), "is a number, not a condition"),
        (lambda: anything(Value(1.0)) @ 2, "unsupported operand"),
        (lambda: Value(1.0) < object(), "not supported"),
        (lambda: Value(1.0) + object(), "unsupported operand"),
        (lambda: tanh(object()), "cannot be applied to operands of types object"),
        (lambda: Value(object()), "pass a real number"),
    ],
)
def test_bad_operands_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_an_upstream_gradient_is_used() -> None:
    x = Value(3.0)
    y = x * 2
    y.backward(10.0)
    with pytest.raises(TypeError, match=r"^'1' is a str"):
        y.backward(anything("1"))
    assert (x.grad, y.grad) == (20, 10)
    x.backward(-20)
    assert x.grad == 0
    for y in (x * 2, x):
        x.grad = anything(None)
        with pytest.raises(TypeError, match=r"the gradient of Value\(.*\) is not a number, so nothing can be added to it"):
            y.backward()


def test_structure_is_read_only() -> None:
    a = Value(1.0)
    b = a + 1
    for name in ("inputs", "operands", "partials"):
        with pytest.raises(AttributeError):
            setattr(b, name, (b,))
    with pytest.raises(AttributeError, match=r"computed from its operands; set a leaf's data"):
        b.data = 3
    with pytest.raises(TypeError, match="'x' is a str"):
        a.data = "x"
    assert a.data == 1.0


def test_overflow_and_saturation() -> None:
    for f, x, value in [
        (Value.exp, 1000, math.inf),
        (lambda v: v**2, 1e200, math.inf),
        (Value.tanh, 1000, 1.0),
        (Value.sigmoid, 1000, 1.0),
        (Value.sigmoid, -1000, 0.0),
        (Value.softplus, 1000, 1000.0),
    ]:
        v = Value(x)
        y = f(v)
        y.backward()
        assert y.data == value and not math.isnan(v.grad)
    a, b = Value(1000.0), Value(1000.0)
    y = logsumexp([a, b])
    y.backward()
    assert y.data == 1000 + math.log(2) and a.grad == b.grad == pytest.approx(0.5)
    with pytest.raises(OverflowError):
        Value(1) * 10**400


def test_untaken_branch() -> None:
    x = Value(-1.0, label="x")
    with pytest.raises(
        DomainError, match=r"sqrt needs x ≥ 0; the operand is x = -1.0; keep it .* maximum, or pass a lambda to where"
    ):
        where(x > 0, x.sqrt(), 0)
    y = where(x > 0, where(x > 0, x, 1.0).sqrt(), 0.0)
    y.backward()
    assert (y.data, x.grad) == (0.0, 0.0)


def test_recording_where_only_the_derivative_is_singular() -> None:
    x = Value(0.0)
    y = x.sqrt()
    assert y.data == 0 and y.partials == (math.inf,)


# What users rely on


def test_every_binary_operator_takes_values_and_numbers_on_both_sides() -> None:
    operators: list[Callable[[Any, Any], Any]] = [
        lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y, lambda x, y: x**y,
        lambda x, y: x < y, lambda x, y: x <= y, lambda x, y: x > y, lambda x, y: x >= y,
    ]  # fmt: skip
    for f in operators:
        expected = float(f(1.5, 2.0))
        for kind in (float, Fraction, np.float64, np.float32):
            assert f(Value(1.5), kind(2)).data == f(kind(1.5), Value(2.0)).data == f(Value(1.5), Value(2.0)).data == expected
        assert f(Value(1.0), 2).data == float(f(1, 2)) and f(2, Value(1.0)).data == float(f(2, 1))
        assert isinstance(f(Value(1.0), True).data, float)


def test_operands_keep_constants_and_order() -> None:
    x = Value(2.0)
    assert (3 - x).operands == (3.0, x) and (x - 3).operands == (x, 3.0) and (-x).operands == (x,)
    assert (3 - x).inputs == (x,) and (3 - x).partials == (-1.0,) and Value(1.0).operands == ()
    y = dot([x, 3.0], [4.0, x], 1)
    assert y.operands == (x, 3.0, 4.0, x, 1.0) and y.inputs == (x, x) and y.partials == (4.0, 3.0)
    assert all(type(c) is float for c in y.operands if not isinstance(c, Value))


def test_numpy_functions_go_to_the_row_of_the_same_name() -> None:
    x = Value(0.5)
    for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "absolute", "negative", "sign"):
        y = getattr(np, name)(x)
        assert y.primitive is getattr(primitives, name) and y.data == pytest.approx(float(getattr(np, name)(0.5)))
    assert anything(np).maximum(x, 2.0).data == 2 and anything(np).power(x, 2).data == 0.25 and (np.float64(3) * x).data == 1.5


def test_comparisons_are_nodes_with_a_truth_value() -> None:
    x = Value(2.0)
    assert x > 1 and not x < 1 and (1 < x < 3)
    y = where(x > 1, x * 3, x)
    y.backward()
    assert x.grad == 3 and y.inputs[0].primitive is primitives.greater
    assert (x > 1).where(x, 0.0).data == 2
    assert max(Value(1.0), x) is x and sorted([x, Value(1.0)])[1] is x


def test_identity_and_formatting() -> None:
    x = Value(2.0, label="x")
    assert x == x and x != Value(2.0) and x in [x] and len({x, x, Value(2.0)}) == 2
    assert x is not None and (x == "x") is False
    assert f"{x:.3f} {x}" == "2.000 Value(data=2.0, grad=0.0, label='x')"


def test_pickling() -> None:
    x = Value(2.0, label="x")
    x.grad = 3.0
    twin = pickle.loads(pickle.dumps(x))
    assert (twin.data, twin.grad, twin.label) == (2.0, 3.0, "x")
    with pytest.raises(TypeError, match="cannot be pickled; pickle the leaves"):
        pickle.dumps(x * 2)


def test_zero_grad_reaches_every_node() -> None:
    x, w = Value(2.0), Value(3.0)
    h = x * w
    y = dot([h], [h])
    y.backward()
    assert x.grad and w.grad and h.grad and y.grad
    y.zero_grad()
    assert x.grad == w.grad == h.grad == y.grad == 0


def test_labels() -> None:
    w = Value(2.0)
    x = Value(3.0, label="input")
    y = w * x
    label_values({"w": w, "x": x, "y": y, "n": 3, "_hidden": Value(1.0)})
    assert (w.label, x.label, y.label) == ("w", "input", "y")
    assert describe(y * 1.5) == "y * 1.5 = 9.0" and describe(total([w] * 9)) == "total(w, w, …, w) = 18.0"


def test_a_rule_that_would_freeze_a_case_is_refused() -> None:
    hard = Unary("hard", lambda x: x, lambda x, out: 1 if x > 0 else 0)
    with pytest.raises(TypeError, match=r"whether x > 0 is true.*use where"):
        hard(Value(1.0))
    wrong = Unary("wrong", math.sin, lambda x, out: math.cos(x))
    with pytest.raises(TypeError, match="use autograd's functions in a rule, not math's"):
        wrong(Value(1.0))


def test_a_user_defined_row() -> None:
    swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
    hypot = Binary("hypot", math.hypot, lambda x, y, out: x / out, lambda x, y, out: y / out)
    x, y = Value(3.0), Value(4.0)
    z = hypot(swish(x), y) + hypot(1.0, y) + hypot(y, 1)
    z.backward()
    h = 1e-6

    def f(x: float, y: float) -> float:
        return float(hypot(swish(x), y) + 2 * hypot(1.0, y))

    assert x.grad == pytest.approx((f(3 + h, 4) - f(3 - h, 4)) / (2 * h), rel=1e-8)
    assert y.grad == pytest.approx((f(3, 4 + h) - f(3, 4 - h)) / (2 * h), rel=1e-8)


@given(programs())
def test_fast_recording_is_plain_recording(program: Program) -> None:
    leaves = [Value(x) for x in program.leaves]
    program(leaves)
    results: list[Any] = list(leaves)
    for row, places in program.instructions:
        operands = [results[x] if isinstance(x, int) else x for x in places]
        fast, plain = row.apply(operands), record(row, operands)
        assert fast.data == plain.data and fast.partials == plain.partials and fast.operands == plain.operands
        assert fast.inputs == plain.inputs and fast.taken == plain.taken and type(fast.data) is float
        results.append(fast)


@pytest.mark.parametrize("condition", [Value(1.0) > 0, Value(-1.0) > 0, Value(math.nan), True, 0, 0.0])
def test_where_is_recorded_alike_with_nodes_and_constants_in_every_place(condition: Any) -> None:
    for a, b in itertools.product((Value(5.0), 5, 5.0), (Value(7.0), True, 7.0)):
        if any(isinstance(x, Value) for x in (condition, a, b)):
            for _ in range(2):
                fast, plain = where(condition, a, b), record(where, (condition, a, b))
                assert (fast.data, fast.operands, fast.inputs) == (plain.data, plain.operands, plain.inputs)
                assert (fast.partials, fast.taken) == (plain.partials, plain.taken) and type(fast.data) is float


def test_a_rule_that_is_a_number_keeps_all_its_digits() -> None:
    third = Unary("third", lambda x: x * (1 / 3), lambda x, out: 1 / 3)
    assert third(Value(1.0)).partials == (1 / 3,)


def test_an_object_among_operands_is_refused() -> None:
    with pytest.raises(TypeError, match="where cannot be applied to operands of types Value, object, float"):
        where(Value(1.0) > 0, object(), 2.0)
    assert dot([], []) == 0.0 and dot([], [], Value(2.0)).data == 2.0


def test_subclasses_are_operands_too() -> None:
    class Weight(Value):
        __slots__ = ()

    w = Weight(2.0)
    y = (Value(1.0) + w) * w + dot([w], [3.0]) - w.tanh() / w
    y.backward()
    assert w.grad == pytest.approx(5 + 3 - (1 - math.tanh(2.0) ** 2) / 2 + math.tanh(2.0) / 4)


def test_every_row_has_a_method_or_function_on_values() -> None:
    for row in ROWS:
        count = widths(row)[0]
        x = 1.5 if row is primitives.arccosh else 0.5
        node = row.apply([Value(x)] * count)
        assert node.primitive is row and len(node.inputs) == count
        if not isinstance(row, Nary) and not row.infix and row.name != "absolute":
            assert getattr(Value(x), row.name)(*[0.25] * (count - 1)).primitive is row


def test_threads_with_graphs_of_their_own() -> None:
    w = Value(0.5)
    found: list[float] = []

    def work(seed: float) -> None:
        for _ in range(50):
            x = Value(seed)
            y = x
            for _ in range(100):
                y = (y * w).tanh() + x
            y.backward()
        found.append(x.grad)

    threads = [threading.Thread(target=work, args=(0.1,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and found[0] == found[1] != 0
