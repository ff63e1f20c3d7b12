"""The strategies keep what they promise, and the property test of a row notices every kind of wrong row."""

import math
from dataclasses import replace
from itertools import pairwise, product
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty

from autograd import (
    Binary,
    Nary,
    Primitive,
    Unary,
    Value,
    dot,
    exp,
    log,
    log1p,
    power,
    primitives,
    relu,
    sigmoid,
    sqrt,
    strategies,
    tanh,
    where,
)
from autograd.checking import gradcheck
from autograd.checking.numeric import slope
from autograd.strategies import (
    LINE,
    NEAR,
    ROWS,
    STEEP,
    Network,
    Program,
    _is_excluded,
    _places,
    arrays,
    check_finite,
    check_primitive,
    graphs,
    is_inside,
    is_smooth,
    networks,
    numbers,
    operands,
    programs,
    widths,
)
from autograd.value import topological

swish = Unary("swish", lambda x: x * sigmoid(x), lambda x, out: out + sigmoid(x) * (1 - out))
cosh = Unary("cosh", math.cosh, lambda x, out: (exp(x) - exp(-x)) / 2, array="cosh")
SEARCH = settings(max_examples=2000, phases=[Phase.generate], database=None)  # examples need not be minimal
LOOK = settings(max_examples=100, phases=[Phase.generate], derandomize=True, database=None,
                suppress_health_check=[HealthCheck.filter_too_much])  # fmt: skip


def is_short(x: float) -> bool:
    return len(repr(x)) <= len("-99.99")


# What is drawn


@given(numbers(-1.5, 2.0))
def test_numbers_are_short_decimals_between_the_ends(x: float) -> None:
    assert -1.5 <= x <= 2.0 and is_short(x) and round(x, 2) == x


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_operands_are_in_the_domain_and_away_from_kinks(row: Primitive) -> None:
    seen: set[int] = set()

    @settings(max_examples=30, derandomize=True)
    @given(operands(row))
    def check(data: tuple[float, ...]) -> None:
        out = row.evaluate(data)
        partials = row.partials(data, out, range(len(data)))
        assert all(math.isfinite(x) for x in (out, *partials)) and all(map(is_short, data))
        assert row.kink is None or abs(row.kink(*data)) >= NEAR
        assert data not in row.singular and len(data) in widths(row)
        seen.add(len(data))

    check()
    assert seen == set(widths(row))


@pytest.mark.parametrize(
    ("row", "low", "high"),
    [
        (log, 0.0, 0.1),
        (log1p, -1.0, -0.9),
        (sqrt, 0.0, 0.1),
        (power, 0.0, 0.1),
        (relu, -3.0, -2.0),
        (relu, 0.0, 0.1),
        (dot, -3, 0),
    ],
)
def test_domains_are_filled_to_their_edges(row: Primitive, low: float, high: float) -> None:
    first, *_ = find(operands(row), lambda data: low < data[0] < high, settings=SEARCH, random=Random(0))
    assert low < first < high


def test_points_near_edges_and_kinks_are_left_out() -> None:
    assert is_smooth(power, (0.01, 1.5)) and not is_smooth(power, (0.0, 1.5)) and not is_smooth(power, (-2.0, 1.5))
    assert is_smooth(log, (0.01,)) and not is_smooth(log, (0.005,)) and not is_smooth(sqrt, (0.0,))
    assert is_smooth(relu, (0.01,)) and not is_smooth(relu, (-0.005,)) and not is_smooth(power, (0.0, 2.0))


def only(strategy: st.SearchStrategy[Any]) -> Any:
    """Return the only example that a strategy draws, or its simplest one."""
    return find(strategy, lambda drawn: True, settings=SEARCH, random=Random(0))


def test_the_ends_between_which_numbers_are_drawn_are_rounded_inward() -> None:
    for low, high, drawn in ((2.0, 2.0, 2.0), (0.005, 0.015, 0.01), (-0.015, -0.005, -0.01), (-1.29, -1.29, -1.29)):
        assert only(numbers(low, high)) == drawn
    assert only(arrays(2, 1.5, 1.5)).tolist() == [1.5, 1.5] and only(arrays((2, 1), 0.5, 0.5)).tolist() == [[0.5], [0.5]]
    assert only(_places(1)) == 0 and only(_places(3)) == 2  # the latest first
    assert LINE[:9] == [-1, 1, -2, 2, -3, 3, 0, -0.01, 0.01] and LINE[-1] == 2.99 and len(set(LINE)) == 601
    assert (NEAR, STEEP) == (0.01, 100)


def test_rows_are_not_tried_too_near_to_an_edge_a_kink_or_a_singular_point() -> None:
    for row, data, is_near in (
        (log, (0.0049,), True), (log, (0.0051,), False), (primitives.arcsin, (0.9951,), True),
        (primitives.arcsin, (0.9949,), False), (primitives.divide, (1, -0.005), True), (primitives.divide, (0, 0.006), False),
        (relu, (0.0099,), True), (relu, (0.01,), False), (primitives.cbrt, (0.0,), True), (primitives.cbrt, (1e-9,), False),
        (exp, (1000.0,), True), (log, (-1.0,), True),
    ):  # fmt: skip
        assert is_inside(row, data) is is_smooth(row, data) is not is_near, (row, data)
    undefined = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * exp(2 * log(x)))
    assert is_inside(undefined, (-1.0,)) and not is_smooth(undefined, (-1.0,)) and is_smooth(undefined, (1.0,))


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ("x > 0, y ≠ 1", [(1.0, 0.0)], [(0.0, 0.0), (1.0, 1.0)]),
        ("-1 ≤ x ≤ 1", [(1.0, 0.0), (-1.0, 5.0)], [(1.5, 0.0), (-1.5, 0.0)]),
        ("y ≥ x", [(1.0, 1.0)], [(1.0, 0.5)]),
        ("positive numbers", [(-1.0, 0.0)], []),
        ("", [(-1.0, 0.0)], []),
    ],
)
def test_a_domain_of_inequalities_excludes_operands(domain: str, inside: list[Any], outside: list[Any]) -> None:
    row = Binary("bound", lambda x, y: x, lambda x, y, out: 1, lambda x, y, out: 0, domain=domain)
    assert not any(_is_excluded(row, data) for data in inside) and all(_is_excluded(row, data) for data in outside)


def test_the_depth_of_a_program_is_its_longest_path() -> None:
    add = primitives.add
    for instructions, depth in (
        ([(add, (0, 1)), (add, (2, 0)), (add, (3, 2))], 3), ([(add, (0, 1)), (add, (0, 0))], 1), ([(add, (0.5, 0.5))], 1),
        ([(add, (0, 0)), (add, (2, 2)), (add, (3, 0.5)), (add, (0.5, 2))], 2),
    ):  # fmt: skip
        assert Program((1.0, 2.0), tuple(instructions)).depth == depth


def test_the_number_of_operands_can_be_chosen() -> None:
    assert len(find(operands(dot, 7), lambda data: data[-1] > 2, settings=SEARCH, random=Random(0))) == 7


@given(programs(longest=60))
def test_programs_stay_finite_moderate_and_short(program: Program) -> None:
    values: list[float] = list(program.leaves)
    conditions = set[int]()
    for row, places in program.instructions:
        data = [values[x] if isinstance(x, int) else x for x in places]
        assert all(is_short(x) for x in places if isinstance(x, float))
        assert row.kink is None or abs(row.kink(*data)) >= NEAR
        if row.is_choice:  # next to a 0 that no comparison made, the other branch is taken
            assert data[0] != 0 or places[0] in conditions
        conditions |= {len(values)} if row.is_condition else set()
        values.append(float(row.evaluate(data)))
        assert all(abs(x) < STEEP for x in (values[-1], *row.partials(data, values[-1], range(len(data)))))
    assert program(program.leaves) == values[-1] and all(map(is_short, program.leaves))


def test_programs_have_one_to_four_leaves_and_half_of_them_are_chains() -> None:
    leaves, lengths, chains = set[int](), set[int](), set[bool]()

    @settings(max_examples=100, phases=[Phase.generate], derandomize=True, database=None)
    @given(programs(longest=12))
    def look(program: Program) -> None:
        leaves.add(len(program.leaves))
        lengths.add(len(program.instructions))
        firsts = [places[0] for _, places in program.instructions]
        chains.add(len(firsts) < 4 or firsts == [len(program.leaves) - 1 + k for k in range(len(firsts))])

    look()
    assert (min(leaves), max(leaves)) == (1, 4)
    assert 8 <= max(lengths) <= 12
    assert chains == {True, False}


@pytest.mark.slow
def test_programs_have_all_shapes_of_graphs() -> None:
    rows: set[Primitive] = set()
    shapes: set[str] = set()

    @settings(max_examples=200, phases=[Phase.generate], derandomize=True)
    @given(programs(longest=60))
    def look(program: Program) -> None:
        rows.update(row for row, _ in program.instructions)
        y = program([Value(x) for x in program.leaves])
        edges = [x for node in topological(y) for x in node.inputs]
        used = [x for node in topological(y) for x in set(node.inputs)]
        shapes.update({"repeated operand"} if any(len(set(n.inputs)) < len(n.inputs) for n in topological(y)) else ())
        shapes.update({"shared node"} if any(used.count(x) > 1 and x.primitive for x in used) else ())
        shapes.update({"shared leaf"} if any(used.count(x) > 1 and not x.primitive for x in used) else ())
        shapes.update({"several leaves"} if len({x for x in edges if not x.primitive}) > 2 else ())
        shapes.update({"depth 40"} if program.depth >= 40 else ())

    look()
    assert rows == set(ROWS)
    assert shapes == {"repeated operand", "shared node", "shared leaf", "several leaves", "depth 40"}


def test_only_a_comparison_is_a_condition_of_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "ROWS", (where, primitives.less, primitives.multiply))
    seen: set[str] = set()

    @LOOK
    @given(programs(longest=12))
    def look(program: Program) -> None:
        values, compared = [*program.leaves], set[int | float]()
        for row, places in program.instructions:
            data = [values[x] if isinstance(x, int) else x for x in places]
            if row is where:
                seen.add("another number" if data[0] else "compared" if places[0] in compared else "not compared")
            compared |= {len(values)} if row is primitives.less else set()
            values.append(float(row.evaluate(data)))

    look()
    assert seen == {"another number", "compared"}


def test_the_nets_of_networks_are_moderate_and_away_from_kinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "ROWS", (relu,))
    monkeypatch.setattr(strategies, "STEEP", 2.0)
    nets: list[float] = []

    @LOOK
    @given(networks())
    def look(network: Network) -> None:
        nets.extend(network.nets(network.parameters))

    look()
    assert min(map(abs, nets)) >= NEAR and max(map(abs, nets)) < 2.0


def test_the_smallest_program_network_and_choice() -> None:
    assert len(find(programs(1), lambda program: True, settings=SEARCH, random=Random(0)).instructions) == 1
    assert find(
        networks(), lambda network: network.sizes == (1, 1) and network.parameters[0] < 0, settings=SEARCH, random=Random(0)
    )
    assert find(operands(where), lambda data: data[0] == 0, settings=SEARCH, random=Random(0))[0] == 0
    program = Program((0.5,), ((tanh, (0,)),))
    assert pretty(program) == repr(program) == "x0 = 0.5; v1 = tanh(x0)"


def test_each_operand_of_a_row_of_many_needs_a_finite_rule() -> None:
    row = Nary("weighted", lambda *v: v[0] + 2 * v[1], lambda v, out: (math.nan, 2.0), lambda *v: v)
    with pytest.raises(AssertionError, match=r"the rule ∂weighted/∂x0 has no finite value at x0 = 1, x1 = 2"):
        check_finite(row, [1.0, 2.0])


def test_chains_reach_depth_fifty() -> None:
    program = find(programs(longest=80), lambda program: program.depth >= 50, settings=SEARCH, random=Random(0))
    assert len(topological(program([Value(x) for x in program.leaves]))) >= program.depth >= 50


@given(graphs())
def test_graphs_are_programs_run_on_labelled_leaves(y: Value) -> None:
    leaves = {x for node in topological(y) for x in node.inputs if x.primitive is None}
    assert y.primitive is not None and math.isfinite(y.data) and y.grad == 0.0
    assert {str(x.label)[0] for x in leaves} <= {"x"}
    assert len({x.label for x in leaves}) == len(leaves)


@given(st.from_type(Value))
def test_importing_the_module_registers_the_strategy_of_values(y: Value) -> None:
    assert isinstance(y, Value) and y.primitive is not None


@given(networks())
def test_networks_are_small_with_data_and_no_neuron_at_a_kink(network: Network) -> None:
    first, *_, last = network.sizes
    assert last == 1 and first == len(network.inputs) and 2 <= len(network.sizes) <= 4
    assert len(network.parameters) == sum((n + 1) * m for n, m in pairwise(network.sizes))
    assert all(1 <= n <= 3 for n in network.sizes) and all(abs(x) <= 1.5 for x in network.parameters)
    assert not network.activation.domain and all(abs(net) < STEEP for net in network.nets(network.parameters))
    kink = network.activation.kink
    assert not kink or all(abs(kink(net)) >= NEAR for net in network.nets(network.parameters))
    assert all(map(is_short, (*network.parameters, *network.inputs, network.target)))
    *_, out = network.nets(network.parameters)
    loss = network([Value(x) for x in network.parameters])
    assert loss.data == (out - network.target) * (out - network.target)  # a power may be rounded otherwise


# The property test of a row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_of_the_table_pass(row: Primitive) -> None:
    check_primitive(row, examples=3)


def test_infinite_operands_have_no_neighbours() -> None:
    # The rule of power has a case with ∞, which is a node in the graph of the second derivative.
    assert slope(abs, math.inf).kind == slope(abs, -math.inf).kind == "lone"
    report = gradcheck(power, 0.0, 1.5, order=2)
    assert "no number next to this one is in the domain" in {check.reason for check in report.edges if "∞" in check.at}


def test_user_defined_rows_pass() -> None:
    gaussian = Unary("gaussian", lambda x: exp(-x * x), lambda x, out: -2 * x * out)
    hypotenuse = Binary("hypotenuse", lambda x, y: sqrt(x * x + y * y), lambda x, y, out: x / out, lambda x, y, out: y / out)
    cubes = Nary("cubes", lambda *v: v[0] ** 3 + v[1] ** 3 + v[2] ** 3, lambda v, out: [3 * x**2 for x in v], tuple)
    check_primitive(swish, examples=5)
    check_primitive(cosh, examples=5)
    check_primitive(gaussian, examples=5)
    away = st.tuples(numbers(0.5, 3), numbers(-3, -0.5))
    check_primitive(hypotenuse, away, examples=5)
    check_primitive(cubes, st.tuples(*[numbers(-2, 2)] * 3), examples=5)


def hidden(x: Any) -> Any:
    """Return only the number, so that the graph ends here."""
    return getattr(x, "data", x)


def on_arrays_otherwise(x: Any) -> Any:
    return x * x if isinstance(x, float) or not hasattr(x, "shape") else x * x + 1e-6


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (replace(swish, partial=lambda x, out: out + sigmoid(x)), r"swish at .* is\nwrong: the local derivative ∂swish/∂x"),
        (replace(swish, partial=lambda x, out: -swish.partial(x, out)), "wrong: the local derivative ∂swish/∂x is wrong"),
        (replace(swish, partial=lambda x, out: 0.0), "wrong: the local derivative ∂swish/∂x is wrong"),
        # The numbers of the first derivative are right, but not its graph.
        (Unary("cut", lambda x: x**3, lambda x, out: 3 * x * hidden(x)), "the graph lacks a part of the function"),
        (Unary("square", lambda x: x * x, lambda x, out: x + float(x)), "square cannot be written as text: a rule turns"),
        # The text or the arrays give another function than floats do, or none.
        (replace(cosh, code="({0} + 2.0)"), r"cosh at .*: the text \(x \+ 2\.0\) gives"),
        (replace(cosh, code="({0} * nan)"), r"cosh at .*: the text \(x \* nan\) gives nan"),
        (Unary("plain", math.cosh, lambda x, out: (exp(x) - exp(-x)) / 2), "plain cannot be read on arrays"),
        (Unary("ramp", lambda x: x if x > 0 else 0 * x, lambda x, out: 1.0 * (x > 0)), "ramp cannot be read on arrays"),
        (Unary("square", on_arrays_otherwise, lambda x, out: 2 * x), "square at .*: arrays give"),
        (Unary("square", lambda x: x * x, lambda x, out: 2 * x, array="sqrt"), "square at .*: arrays give"),
        (replace(tanh, name="steep", function=lambda x: tanh(2 * x)), "wrong: the local derivative ∂steep/∂x is wrong"),
    ],
)  # fmt: skip
def test_wrong_rows_are_noticed(row: Primitive, message: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=message):
        check_primitive(row, examples=30)


# Where a rule has no value


LOG_CUBE = "the rule has no finite value at x = -1, where the function is smooth and has the slope 3: .* log needs x > 0"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (replace(tanh, name="f", partial=lambda x, out: where(x < 0, math.nan, 1 - out * out)), "at x = -1, where .* NaN"),
        (replace(tanh, name="f", partial=lambda x, out: where(x > 1, math.inf, 1 - out * out)), "at x = 2, where .* ∞"),
        (replace(tanh, name="f", partial=lambda x, out: math.nan), "the rule has no finite value at x = -1, where"),
        (replace(tanh, name="f", partial=lambda x, out: 1 / 0), "at x = -1, where .* ZeroDivisionError"),
        (Unary("cube", lambda x: x * x * x, lambda x, out: 3 * exp(2 * log(x))), LOG_CUBE),
        (Unary("cube", lambda x: x * x * x, lambda x, out: 3 * exp(2 * log(x)), domain="positive x"), LOG_CUBE),
        (Unary("square", lambda x: x * x, lambda x, out: 2 * out / x), "no finite value at x = 0, where"),
        (Unary("square", lambda x: x * x, lambda x, out: 2 * x * (x - 1.5) / (x - 1.5)), "no finite value at x = 1.5, where"),
        (
            Binary("times", lambda x, y: x * y, lambda x, y, out: y, lambda x, y, out: where(y < 1, math.nan, x)),
            "the rule ∂times/∂y has no finite value at x = 0, y = 0, where",
        ),
        (
            Nary("sum", lambda *v: v[0] + v[1] + v[2], lambda v, out: [1.0, where(v[1] < 1, math.nan, 1.0), 1.0], tuple),
            "the rule ∂sum/∂x1 has no finite value at x0 = 0, x1 = 0, x2 = 0, where",
        ),
    ],
)
def test_a_rule_without_a_value_where_the_function_is_smooth_is_noticed(row: Primitive, message: str) -> None:
    with pytest.raises(AssertionError, match=f"^{row.name}: .*{message}"):
        check_primitive(row, examples=5)


def test_it_is_noticed_at_the_operands_that_a_strategy_draws() -> None:
    row = replace(tanh, name="f", partial=lambda x, out: 1 - out * out + 0 * log(x))
    check_primitive(row, st.tuples(numbers(0.5, 3)), examples=5)
    with pytest.raises(AssertionError, match=r"has no finite value at x = -0\.5, where"):
        check_primitive(row, st.tuples(numbers(-3, -0.5)), examples=5)


@pytest.mark.parametrize(
    "row",
    [
        Unary("cube", lambda x: x * x * x, lambda x, out: 3 * exp(2 * log(x)), domain="x > 0"),
        Unary("square", lambda x: x * x, lambda x, out: 2 * out / x, singular={(0.0,): (0.0,)}),
        Unary("root", lambda x: sqrt(x), lambda x, out: 1 / (2 * out)),  # at the edge of a domain that it does not state
        Unary("rise", lambda x: x * sqrt(x), lambda x, out: 1.5 * x / sqrt(x)),  # at such an edge, with a slope on one side
        Unary("cbrt", primitives.cbrt.function, lambda x, out: 1 / (3 * out * out), array="cbrt"),  # the slope at 0 is ∞
        Unary("size", lambda x: abs(x), lambda x, out: x / out),  # undefined at 0
    ],
    ids=lambda row: row.name,
)
def test_a_rule_needs_no_value_where_the_function_is_not_smooth_or_the_row_says_so(row: Primitive) -> None:
    check_primitive(row, examples=5)


def test_operands_at_which_a_rule_or_its_derivative_is_undefined_are_passed_over() -> None:
    root = Unary("root", lambda x: sqrt(x), lambda x, out: 1 / (2 * out))
    rise = Unary("rise", lambda x: x * root(x), lambda x, out: 1.5 * root(x))
    for row in (root, rise):
        check_primitive(row, st.sampled_from([(0.0,), (0.25,), (4.0,)]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_rule_of_the_table_has_values_where_its_function_is_smooth(row: Primitive) -> None:
    for width in widths(row):
        for data in product((0.0, 1.0, -1.0, 2.0, -0.5), repeat=width):
            if not (row.is_choice and data[0] not in (0, 1)):
                check_finite(row, data)


def test_a_row_without_a_value_where_operands_are_drawn_cannot_be_judged() -> None:
    with pytest.raises(AssertionError, match="with respect to any operand could not be judged at any of the operands drawn"):
        check_primitive(Unary("far", lambda x: log(x - 10), lambda x, out: 1 / (x - 10)), examples=5)


@pytest.mark.parametrize("function", [math.tanh, 3.0, [tanh], Unary])
def test_what_is_not_a_row_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=r"check_primitive takes a row, such as Unary\("):
        check_primitive(function)
