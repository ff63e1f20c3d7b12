"""Random programs in every reading: if two readings differ by more than rounding, one of them is wrong.

    python tests/differential.py 100000

The idea: all readings share the table, so comparing them shows errors of the engine, the transforms and the compiler.  mpmath,
which knows no derivatives, and JAX's own autodiff share nothing with the table, so comparing with them shows its errors.

There are two kinds of programs.  A *tame* one uses any rows, at ordinary numbers away from kinks; its readings may differ by
the bounds of `rounding.running_errors`.  A *wild* one contains quarters, zeros, infinities, NaN, denormals and ties, and no
result is rounded, so neither the order of a sum nor a library can change the outcome of a condition.  Three things depend on
the order of operations and are not compared in wild programs: products of denormals; where a number is not finite, the
gradients of compiled programs and of gradients' graphs that were built elsewhere; and the slope of a slope that is not finite.

A disagreement is shrunk: instructions are removed and leaves simplified as long as it remains.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # needed when it is run as a program, and in its worker processes

import numpy as np
from rounding import Torn, running_errors
from suite import everywhere
from test_accuracy import ORACLE, mpmath

from autograd import DomainError, Value, compile, grad, gradients, jvp, primitives, replay, walk
from autograd.compiler.program import MACHINES
from autograd.strategies import ROWS, STEEP, Program, is_smooth, widths
from autograd.value import nodes_below

__all__ = ["Disagreement", "disagreement", "drawn", "shrunk"]

EXACT: Final = [
    getattr(primitives, name)
    for name in (
        "positive", "negative", "add", "subtract", "multiply", "divide", "square", "sqrt", "sign", "absolute", "step", "gate",
        "relu", "maximum", "minimum", "prelu", "leaky_relu", "floor", "ceil", "less", "less_equal", "greater", "greater_equal",
        "where", "total", "dot", "prod",
    )
]  # fmt: skip
SPECIAL: Final = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, math.inf, -math.inf, math.nan, 5e-324, -1e-310)
SIMPLE: Final = (1.0, 0.0, 0.5, 2.0, -1.0)  # numbers to try in shrunk programs, the simplest first
LONGEST: Final = 12
ROUND: Final = 2.0**-20  # a wild program's numbers are multiples of it, or smaller, such as denormals
SLACK: Final = 1e-13  # relative to the largest number in the graph: the readings add in different orders


@dataclass(frozen=True)
class Case:
    """A program to be read at one point.

    Attributes:
        program: leaves and instructions; the last one adds the outputs up.
        outputs: the places of the outputs.
        elsewhere: other numbers for the leaves, on which compiled programs are traced.
        is_tame: whether the program is tame, not wild.
    """

    program: Program
    outputs: tuple[int, ...]
    elsewhere: tuple[float, ...]
    is_tame: bool


@dataclass(frozen=True)
class Disagreement:
    """Two readings of a program that differ."""

    case: Case
    reading: str
    found: list[float]
    expected: list[float]

    def __str__(self) -> str:
        return f"{self.case.program}\n    {self.reading} gives {self.found}\n    expected {self.expected}"


def drawn(seed: int) -> Case:
    """Draw a program: nodes may be shared, operands may occur twice or be constants, and there may be several outputs."""
    rng = Random(seed)
    is_tame = rng.random() < 0.6

    def number() -> float:
        if is_tame:
            return rng.randint(-300, 300) / 100
        return rng.choice(SPECIAL) if rng.random() < 0.6 else rng.randint(-12, 12) / 4

    n = rng.randint(1, 4)
    values = [number() for _ in range(n)]
    leaves, instructions, conditions = tuple(values), list[Any](), list[int]()
    length, is_chain = rng.randint(1, LONGEST), rng.random() < 0.3
    for _ in range(8 * length):
        row = rng.choice(ROWS if is_tame else EXACT)
        near = len(values) - 1 if is_chain else rng.randrange(len(values))
        rest = [rng.randrange(len(values)) if rng.random() < 0.8 else number() for _ in range(rng.choice(widths(row)) - 1)]
        if row is primitives.where and conditions:
            near = rng.choice(conditions)  # an ordinary number as the condition would jump at 0
        places: tuple[int | float, ...] = (near, *rest)
        data = [values[x] if isinstance(x, int) else x for x in places]
        try:
            out = float(row.evaluate(data))
            partials = row.partials(data, out, range(len(data)))
        except DomainError:
            continue
        if is_tame and not (is_smooth(row, data) and max(map(abs, (out, *partials))) <= STEEP):
            continue
        if is_tame and row is primitives.where and data[0] == 0 and near not in conditions:
            continue
        if not is_tame and ROUND < abs(out) < math.inf and out / ROUND % 1:  # it was rounded, such as √2
            continue
        conditions += [len(values)] * row.is_condition
        instructions.append((row, places))
        values.append(out)
        if len(instructions) == length:
            break
    outputs = tuple(sorted({len(values) - 1, *(rng.randrange(len(values)) for _ in range(rng.choice((0, 0, 1, 2))))}))
    instructions.append((primitives.total, outputs) if len(outputs) > 1 else (primitives.positive, outputs))
    return Case(Program(leaves, tuple(instructions)), outputs, tuple([number() for _ in range(n)]), is_tame)


# The readings: each returns the outputs and the gradient of their sum


def recorded(case: Case) -> tuple[list[Value], list[Value], Value]:
    """Return the leaves, the outputs and the sum of a program, as nodes."""
    leaves = [Value(x) for x in case.program.leaves]
    results = case.program.results(leaves)
    return leaves, [results[i] for i in case.outputs], results[-1]


def compiled(case: Case, backend: str) -> tuple[list[float], list[float]]:
    """Return the outputs and gradient of the compiled program; half of its leaves are parameters, the others a batch of two."""
    leaves = [Value(x) for x in case.program.leaves]
    half = (len(leaves) + 1) // 2

    def f(size: float, *data: Any) -> list[Any]:
        results = case.program.results([*leaves[:half], *data])
        return [results[-1], *[results[i] for i in case.outputs]]

    batch = [[1.0, 1.0], *([x, x] for x in case.program.leaves[half:])]
    program = compile(f, leaves[:half], example=[1.0, *case.elsewhere[half:]], backend=backend)
    outputs, gradient = program.outputs_and_gradient(*batch)
    return [float(x[0]) for x in outputs[1:]], [float(x) for x in gradient]


def by_mpmath(case: Case) -> tuple[list[float], list[float]]:
    """Return the outputs, and the gradient from difference quotients with 90 digits; no rule takes part."""
    with mpmath.workdps(90):
        h, exact = mpmath.mpf(10) ** -30, [mpmath.mpf(x) for x in case.program.leaves]
        rows = [(ORACLE[row.name], places) for row, places in case.program.instructions]

        def results(leaves: Sequence[Any]) -> list[Any]:
            found = list(leaves)
            for function, places in rows:
                found.append(mpmath.mpf(function(*[found[x] if isinstance(x, int) else mpmath.mpf(x) for x in places])))
            return found

        def moved(i: int, step: Any) -> Any:
            return results([*exact[:i], exact[i] + step, *exact[i + 1 :]])[-1]

        outputs = results(exact)
        return (
            [float(outputs[i]) for i in case.outputs],
            [float((moved(i, h) - moved(i, -h)) / (2 * h)) for i in range(len(exact))],
        )


def by_jax(case: Case) -> tuple[list[float], list[float]]:
    """Return the outputs, and the gradient that JAX's own autodiff makes of the rows' functions."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def results(leaves: Any) -> Any:
        found = [leaves[i : i + 1] for i in range(len(case.program.leaves))]
        for row, places in case.program.instructions:
            found.append(1.0 * row.apply([found[x] if isinstance(x, int) else x for x in places]))  # 1.0 makes bools numbers
        return found[-1].sum(), [found[i] for i in case.outputs]

    (_, outputs), gradient = jax.value_and_grad(results, has_aux=True)(jax.numpy.array(case.program.leaves))
    return [float(x[0]) for x in outputs], [float(x) for x in gradient]


def seconds(case: Case) -> dict[str, float]:
    """Return the second derivative with respect to the first leaf, by reading."""
    x, *rest = case.program.leaves

    def f(x: Any) -> Any:
        return case.program([x, *rest]) + x * x  # with x², both it and its slope depend on x

    leaf = Value(x)
    [first] = gradients(f(leaf), [leaf])
    [second] = gradients(first, [leaf])
    first.backward()
    return {
        "gradients of gradients": second.data,
        "backward through gradients": leaf.grad,
        "grad of grad": grad(grad(f))(x).data,
        "grad of jvp": grad(lambda x: jvp(f, (x,), (1.0,))[1])(x).data,
        "jvp of jvp": jvp(lambda x: jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1],
    }


def known_in(y: Value, leaves: Sequence[Value], numbers: Sequence[float]) -> dict[Value, float]:
    """Return the numbers of the leaves that are in the graph of y."""
    graph = set(nodes_below(y))
    return {leaf: x for leaf, x in zip(leaves, numbers, strict=True) if leaf in graph}


# Agreement


def disagreement(case: Case, *, jax: bool = False) -> Disagreement | None:
    """Return the first disagreement of the readings of a program, or None."""
    leaves, outputs, y = recorded(case)
    numbers = [float(x) for x in case.program.results(case.program.leaves)]
    values = [x.data for x in outputs]
    if repr(values) != repr([numbers[i] for i in case.outputs]):
        return Disagreement(case, "numbers", [numbers[i] for i in case.outputs], values)
    if y.primitive is None:
        return None
    found = everywhere(lambda *xs: case.program(xs), case.program.leaves)
    expected = found["backward"]
    try:
        bounds = running_errors(y) if case.is_tame else {}
    except Torn:
        return None
    constants = [x for _, places in case.program.instructions for x in places if isinstance(x, float)]
    is_finite = all(map(math.isfinite, (*numbers, *constants)))
    is_tiny = any(0 < abs(x) < 1e-150 for x in (*numbers, *constants))
    value_bounds = [bounds.get(x, (0.0, 0.0))[0] for x in outputs]
    slope_bounds = [bounds.get(x, (0.0, 0.0))[1] for x in leaves]
    scale = max(map(abs, filter(math.isfinite, [*walk(y).gradients.values(), *values])), default=0.0)

    def near(reading: str, ours: Sequence[float], theirs: Sequence[float], errors: Sequence[float]) -> Disagreement | None:
        pairs = zip(ours, theirs, errors, strict=True)
        if all(a == b or (a != a and b != b) or abs(a - b) <= 2 * error + SLACK * scale for a, b, error in pairs):
            return None
        return Disagreement(case, reading, [*ours], [*theirs])

    def judged() -> Iterator[Disagreement | None]:
        for reading, gradient in found.items():
            if reading.startswith("forward"):
                yield None if is_tiny else forward(reading, gradient)
            elif repr(gradient) != repr(expected):
                yield Disagreement(case, reading, gradient, expected)
        machines = {backend: (lambda backend=backend: compiled(case, backend)) for backend in MACHINES}
        others = machines | ({"mpmath": lambda: by_mpmath(case)} if case.is_tame else {})
        others |= {"jax": lambda: by_jax(case)} if jax and case.is_tame else {}
        for reading, read in others.items() if not is_tiny else ():
            theirs, gradient = read()
            yield near(reading, theirs, values, value_bounds)
            n = len(gradient)
            if is_finite or reading not in machines:
                yield near(f"the gradient of {reading}", gradient, expected[:n], slope_bounds[:n])
        if is_finite and not is_tiny and (replayed := again()):
            yield near("the gradient's graph, replayed", replayed, expected, slope_bounds)
        yield second()

    def again() -> list[float]:
        """Build the gradient's graph at other leaves and replay it at these; return [] if the program is undefined there."""
        there = [Value(x) for x in case.elsewhere]
        try:
            y = case.program(there)
            return [float(replay(g, known_in(g, there, case.program.leaves)).data) for g in gradients(y, there)]
        except DomainError:
            return []

    def forward(reading: str, gradient: Sequence[float]) -> Disagreement | None:
        """Compare forward mode, which adds in another order: where ∞ and -∞ meet, one may give NaN and the other ∞."""
        if case.is_tame or all(map(math.isfinite, expected)):
            return near(reading, gradient, expected, slope_bounds)
        pairs = zip(gradient, expected, strict=True)
        is_same = all(math.isfinite(a) == math.isfinite(b) and (a == b or not math.isfinite(b) or
                      math.isclose(a, b, rel_tol=1e-12)) for a, b in pairs)  # fmt: skip
        return None if is_same else Disagreement(case, reading, [*gradient], expected)

    def second() -> Disagreement | None:
        readings = seconds(case)
        [(name, right), *rest] = readings.items()
        if case.is_tame:
            leaf = Value(case.program.leaves[0])
            [slope] = gradients(case.program([leaf, *case.program.leaves[1:]]) + leaf * leaf, [leaf])
            try:
                allowed = running_errors(slope)[leaf][1]
            except Torn:
                return None
        elif not math.isfinite(expected[0]):
            return None
        else:
            allowed = 0.0
        for reading, x in rest:
            is_same = x == right or (x != x and right != right) or abs(x - right) <= 2 * allowed + 1e-12 * abs(right)
            if not is_same and (case.is_tame or math.isfinite(x) != math.isfinite(right)):
                return Disagreement(case, f"second derivative: {reading}, beside {name}", [x], [right])
        return None

    return next((each for each in judged() if each is not None), None)


def shrunk(found: Disagreement, still: Callable[[Case], Disagreement | None] = disagreement) -> Disagreement:
    """Return a disagreement of the same reading in a program that cannot be made shorter or simpler."""
    while True:
        for smaller in simpler(found.case):
            try:
                again = still(smaller)
            except DomainError:  # the smaller program is undefined
                continue
            if again is not None and again.reading == found.reading:
                found = again
                break
        else:
            return found


def simpler(case: Case) -> Iterator[Case]:
    """Iterate over programs with one output fewer, one instruction fewer, a leaf for one operand, or a simpler number."""
    program, n = case.program, len(case.program.leaves)
    for i in case.outputs if len(case.outputs) > 1 else ():
        alone = (*program.instructions[:-1], (primitives.positive, (i,)))
        yield replace(case, program=replace(program, instructions=alone), outputs=(i,))
    for k in reversed(range(len(program.instructions) - 1)):
        for instead in [x for x in program.instructions[k][1] if isinstance(x, int)] or [0]:
            yield without(case, k, instead)
    for i, x in enumerate(program.leaves):
        for number in SIMPLE[: SIMPLE.index(x) if x in SIMPLE else None]:
            yield replace(case, program=replace(program, leaves=(*program.leaves[:i], number, *program.leaves[i + 1 :])))
    for k, (row, places) in enumerate(program.instructions):
        for i, x in enumerate(places):
            if isinstance(x, int) and x >= n and len(places) > 1:
                changed = row, (*places[:i], 0, *places[i + 1 :])
                instructions = (*program.instructions[:k], changed, *program.instructions[k + 1 :])
                yield replace(case, program=replace(program, instructions=instructions))


def without(case: Case, k: int, instead: int) -> Case:
    """Return the case without its k-th instruction, whose uses read the node at place `instead`."""
    gone = len(case.program.leaves) + k

    def place(x: float) -> float:
        x = instead if isinstance(x, int) and x == gone else x
        return x - 1 if isinstance(x, int) and x > gone else x

    kept = [(row, tuple(map(place, places))) for i, (row, places) in enumerate(case.program.instructions) if i != k]
    return replace(case, program=Program(case.program.leaves, tuple(kept)), outputs=tuple(int(place(i)) for i in case.outputs))


def tried(seeds: range, jax: bool = False) -> list[str]:
    """Return the disagreements among the programs of some seeds, shrunk, as text."""
    found = []
    with np.errstate(all="ignore"):
        for seed in seeds:
            first = disagreement(drawn(seed), jax=jax)
            if first is not None:
                found.append(f"seed {seed}: {shrunk(first, lambda case: disagreement(case, jax=jax))}")
    return found


def main() -> None:
    """Try random programs on every core; exit with 1 if any reading disagrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, help="how many programs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jax", action="store_true", help="also compare with JAX's own autodiff")
    options = parser.parse_args()
    share, end = 100, options.first + options.count
    parts = [range(start, min(start + share, end)) for start in range(options.first, end, share)]
    found: list[str] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for i, each in enumerate(pool.map(tried, parts, [options.jax] * len(parts)), 1):
            found += each
            if each:
                print(*each, sep="\n")
            print(
                f"\r{min(i * share, options.count):,} programs, {len(found)} disagreements", end="", flush=True, file=sys.stderr
            )
    print(f"\n{options.count:,} programs: {len(found)} disagreements")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
