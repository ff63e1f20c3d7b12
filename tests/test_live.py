"""The table as JavaScript, in Node and Chromium: values, gradients, branches and digits are those of Python."""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import struct
from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random

import pytest
from engines import Engine, graph, leaves_of, pack, result_at, unpack
from hypothesis import assume, example, given
from hypothesis import strategies as st
from rounding import Torn, running_errors

from autograd import DomainError, Value, replay, walk
from autograd.player.javascript import FUNCTIONS
from autograd.primitives import Primitive
from autograd.rows import TABLE
from autograd.strategies import ROWS, Program, numbers, programs, widths
from autograd.value import record
from autograd.writing import digits

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 0.5, -0.5, 2.0, -2.0, 3.0, 1.0 + 2**-52, 1.0 - 2**-53, 5e-324, -5e-324,
    2.2250738585072014e-308, 1e-300, -1e-300, 1e300, 1.7976931348623157e308, -1.7976931348623157e308, 709.78, 710.0, -745.2,
    1e16, 2.0**53 + 2, 1e-17, 4.5, 6.0,
]  # fmt: skip


def deviation(found: float, right: float, scale: float = 0.0) -> float:
    """Return the difference of two numbers relative to the right one, or to `scale` where that is larger."""
    if found == right or (found != found and right != right):
        return 0.0
    if not math.isfinite(found) or not math.isfinite(right):
        return math.inf
    return abs(found - right) / max(abs(right), scale, 1e-300)


# Rows


def points(n: int, rng: Random) -> list[tuple[float, ...]]:
    ordinary = [tuple([rng.uniform(-3, 3) for _ in range(n)]) for _ in range(30)]
    large = [tuple([rng.choice((-1, 1)) * 10 ** rng.uniform(-20, 20) for _ in range(n)]) for _ in range(30)]
    if n <= 2:
        special = [*itertools.product(SPECIAL, repeat=n)]
    else:
        special = [tuple([rng.choice(SPECIAL) for _ in range(n)]) for _ in range(100)]
    return ordinary + large + special


def recorded(row: Primitive, operands: Sequence[float | None], point: Sequence[float]) -> tuple[Value | None, str]:
    """Return the node of a row, or None with the error; None among `operands` stands for the next leaf."""
    leaves = iter([Value(x) for x in point])
    try:
        return record(row, [next(leaves) if x is None else x for x in operands]), ""
    except DomainError as error:
        return None, str(error).partition("; the operand")[0]


def kinds(row: Primitive) -> Iterator[list[float | None]]:
    """Yield operands of a row, None for a leaf: only leaves first, then with a constant in each place."""
    for n in widths(row):
        yield [None] * n
        if n > 1:
            for i, constant in itertools.product(range(n), (2.0, 0.5, -1.5, 0.0) if n == 2 else (1.0, 0.0)):
                yield [constant if j == i else None for j in range(n)]


def test_every_named_function_of_javascript_exists(engine: Engine) -> None:
    for function, text in FUNCTIONS.items():
        assert engine.run(f"typeof ({text})") == "function", function


@functools.cache
def expected(row: Primitive) -> list[tuple[str, list[tuple[float, ...]], list[tuple[Value | None, str]]]]:
    """Return, for each kind of operands of a row, the script of its graph, points, and Python's nodes at these."""
    rng, found = Random(row.name), []
    for operands in kinds(row):
        n = operands.count(None)
        tried = (recorded(row, operands, point)[0] for point in itertools.product((0.5, 1.5), repeat=n))
        node = next((node for node in tried if node is not None), None)
        if node is not None:  # else it is something like x / 0
            some = points(n, rng)
            found.append((graph(node), some, [recorded(row, operands, point) for point in some]))
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_by_itself_agrees(row: Primitive, engine: Engine) -> None:
    for script, some, right in expected(row):
        outs = pack([math.nan if node is None else node.data for node, _ in right])
        answers = engine.run(
            f"""(() => {{
                const g = {script}, p = g.loss, outs = unpack("{outs}");
                return {json.dumps([pack(point) for point in some])}.map((point, i) => {{
                    moved(g, point);
                    if (g.problem) return g.problem.text;
                    const found = g.values[p], operands = g.operands(p, (x) => g.values[x]);
                    g.values[p] = outs[i];
                    g.partials[p].set(g.rows.partials(g.nodes[p].kind, operands, outs[i]));
                    g.follow();
                    return [pack([found]), pack(g.partials[p]), g.nodes[p].inputs.map((_, k) => g.isTaken(p, k))];
                }});
            }})()"""
        )
        for point, (node, problem), answer in zip(some, right, answers, strict=True):
            at = f"{row.name} at {point}"
            if node is None:
                assert answer == problem, at
                continue
            assert not isinstance(answer, str), f"{at}: {answer}"
            [value] = unpack(answer[0])
            assert deviation(value, node.data) < 1e-12, f"{at}: {value!r}, not {node.data!r}"
            assert value or math.copysign(1.0, value) == math.copysign(1.0, node.data), f"{at}: {value!r}, not {node.data!r}"
            for found, partial in zip(unpack(answer[1]), node.partials, strict=True):
                assert deviation(found, partial) < 1e-12, f"{at}: slope {found!r}, not {partial!r}"
            assert tuple(answer[2]) == node.taken, at


# Whole graphs


def norm(numbers: Sequence[float]) -> float:
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


def without_numbers(text: str) -> str:
    return re.sub(r"-?\b\d[\d.]*(e[-+]\d+)?", "0", text)


TAN = "arctanh exp2 erf cosh tan sin"  # near a pole of tan, which multiplies a rounding error by ten thousand


@example(program=Program((0.26,), tuple([(TABLE[name], (i,)) for i, name in enumerate(TAN.split())])))
@given(program=programs())
def test_whole_graphs_agree_at_the_recorded_leaves(program: Program, engine: Engine) -> None:
    loss = result_at(program, program.leaves)
    if loss.primitive is None:
        return
    steps = walk(loss)
    answer = engine.run(f"(() => {{ const g = {graph(loss)}; return {{...report(g), check: g.check()}}; }})()")
    gradients = [steps.gradients.get(node, 0.0) for node in steps.names]
    for i, (key, right) in enumerate([("values", [node.data for node in steps.names]), ("gradients", gradients)]):
        scale = norm(right)
        for node, x, y in zip(steps.names, unpack(answer[key]), right, strict=True):
            assert deviation(x, y, scale) < 1e-12 or abs(x - y) <= 2 * running_errors(loss)[node][i], (key, node)
    assert answer["taken"] == [taken for node in steps.order for taken in node.taken]
    assert answer["check"] == answer["problem"] == ""


@given(program=programs(), drawn=st.lists(numbers(), min_size=4, max_size=4))
def test_whole_graphs_agree_at_other_leaves(program: Program, drawn: list[float], engine: Engine) -> None:
    first = result_at(program, program.leaves)
    if first.primitive is None:
        return
    leaves = dict(zip(leaves_of(first), drawn, strict=False))
    answer = engine.run(f'report(moved({graph(first)}, "{pack([*leaves.values()])}"))')
    try:
        loss = replay(first, leaves)
    except DomainError as error:
        assume(answer["problem"])  # only one of the two is at the edge of a domain
        assert without_numbers(answer["problem"]) == without_numbers(str(error).partition("; the operand")[0])
        return
    try:
        off = running_errors(loss)
    except Torn:
        assume(False)
    steps = walk(loss)
    assert answer["problem"] == ""
    values, gradients = unpack(answer["values"]), unpack(answer["gradients"])
    for node, value, gradient in zip(steps.names, values, gradients, strict=True):
        doubt, slope_doubt = off[node]
        right = steps.gradients.get(node, 0.0)
        assert deviation(value, node.data) == 0 or not abs(value - node.data) > 2 * doubt, (node, value)
        assert deviation(gradient, right) == 0 or not abs(gradient - right) > 2 * slope_doubt, (node, gradient)


# Numbers as text


def ties(rng: Random) -> Iterator[tuple[float, int]]:
    """Yield floats exactly halfway between two decimals of n digits, each with n."""
    while True:
        x = (2 * rng.getrandbits(rng.randrange(2, 53)) + 1) / 2.0 ** rng.randrange(1, 25) * rng.choice((1.0, 5.0**3, 10.0**9))
        n = len(Decimal(x).normalize().as_tuple().digits) - 1
        if 1 <= n <= 17:
            yield x, n


def floats(count: int, rng: Random) -> list[tuple[float, int]]:
    """Return floats of every kind, each with a number of digits."""
    exact = [*itertools.islice(ties(rng), count // 4)]
    beside = [(math.nextafter(x, rng.choice((-math.inf, math.inf))), n) for x, n in exact]
    [*of_bits] = struct.unpack(f"<{count // 4}d", rng.randbytes(count // 4 * 8))
    denormal = [rng.getrandbits(rng.randrange(1, 53)) * 5e-324 for _ in range(count // 16)]
    short = [rng.randrange(10**6) / 10 ** rng.randrange(12) for _ in range(count // 16)]
    usual = [rng.uniform(-1, 1) * 10 ** rng.uniform(-6, 18) for _ in range(count // 8)]
    others = [*of_bits, *denormal, *short, *usual, *SPECIAL]
    return [*exact, *beside, *((x, rng.randint(1, 17)) for x in others)]


@pytest.mark.parametrize("count", [500, pytest.param(200_000, marks=pytest.mark.slow)])
def test_digits_and_repr_are_those_of_python(count: int, engine: Engine) -> None:
    drawn = floats(count, Random(count))
    for start in range(0, len(drawn), 20_000):
        some = drawn[start : start + 20_000]
        places, numbers = json.dumps([n for _, n in some]), pack([x for x, _ in some])
        script = f'((n) => Array.from(unpack("{numbers}"), (x, i) => [digits(x, n[i]), repr(x)]))({places})'
        for (x, n), (text, exact) in zip(some, engine.run(script), strict=True):
            assert text == digits(x, n), (x, n)
            assert exact == repr(x)
