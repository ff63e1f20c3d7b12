"""Mutants: each rule of the table is made wrong in every simple way, and the suite has to notice."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from suite import faults
from test_primitives import NAMES

from autograd import Binary, DomainError, Nary, Primitive, Unary, dot, primitives, relu, tanh
from autograd.strategies import ROWS, widths

Rule = Callable[..., Any]
GRID = [-2.5, -1.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0]
WHERE, GATE, SIGN = primitives.where, primitives.gate, primitives.sign
TURNED: dict[str, Rule] = {
    "where": lambda condition, a, b: WHERE(condition, b, a),
    "gate": lambda x: 1 - GATE(x),
    "sign": lambda x: -SIGN(x),
    "maximum": primitives.minimum,
    "minimum": primitives.maximum,
}


def wrong_branch(name: str) -> Callable[[Rule], Rule]:
    """Return the change that reverses every choice that a rule makes by calling a row."""

    def way(rule: Rule) -> Rule:
        def turned(*arguments: Any) -> Any:
            usual = getattr(primitives, name)
            setattr(primitives, name, TURNED[name])  # not by MonkeyPatch: this runs tens of thousands of times
            try:
                return rule(*arguments)
            finally:
                setattr(primitives, name, usual)

        return turned

    return way


WAYS: dict[str, Callable[[Rule], Rule]] = {
    "zero": lambda rule: lambda *v: 0.0,
    "sign": lambda rule: lambda *v: -rule(*v),
    "factor two": lambda rule: lambda *v: 2 * rule(*v),
    "factor half": lambda rule: lambda *v: 0.5 * rule(*v),
    **{f"wrong branch of {name}": wrong_branch(name) for name in TURNED},
}


def at(i: int, way: Callable[[Rule], Rule], gradient: Rule) -> Rule:
    """Return the gradient of an n-ary row with a wrong entry i."""

    def changed(operands: Sequence[Any], out: Any) -> Sequence[Any]:
        entries = list(gradient(operands, out))
        entries[i] = way(lambda v, out: gradient(v, out)[i])(operands, out)
        return entries

    return changed


def mutants(row: Primitive) -> Iterator[tuple[str, Primitive]]:
    """Iterate over a row's mutants, each with a name: which rule, and what was done to it."""
    changes: dict[str, dict[str, Primitive]]
    if isinstance(row, Unary):
        rule = row.partial
        changes = {"∂x": {name: replace(row, partial=way(rule)) for name, way in WAYS.items()}}
        changes["∂x"]["swapped arguments"] = replace(row, partial=lambda x, out: rule(out, x))
    elif isinstance(row, Binary):
        dx, dy = row.partial_x, row.partial_y
        changes = {
            "∂x": {name: replace(row, partial_x=way(dx)) for name, way in WAYS.items()},
            "∂y": {name: replace(row, partial_y=way(dy)) for name, way in WAYS.items()},
            "both": {"exchanged": replace(row, partial_x=dy, partial_y=dx)},
        }
        changes["∂x"]["swapped arguments"] = replace(row, partial_x=lambda x, y, out: dx(y, x, out))
        changes["∂y"]["swapped arguments"] = replace(row, partial_y=lambda x, y, out: dy(y, x, out))
    else:
        assert isinstance(row, Nary)
        gradient = row.gradient
        changes = {f"∂x{i}": {n: replace(row, gradient=at(i, way, gradient)) for n, way in WAYS.items()} for i in range(3)}
        changes["all"] = {
            "swapped arguments": replace(row, gradient=lambda v, out: gradient((v[1], v[0], *v[2:]), out)),
            "exchanged": replace(row, gradient=lambda v, out: [gradient(v, out)[i] for i in (1, 0, *range(2, len(v)))]),
            "reversed": replace(row, gradient=lambda v, out: list(gradient(v, out))[::-1]),
        }
    yield from ((f"{which}: {name}", mutant) for which, ways in changes.items() for name, mutant in ways.items())


def differ(row: Primitive, mutant: Primitive) -> bool:
    """Whether two rows have different partial derivatives anywhere, except at kinks for which the row states nothing."""
    for data in itertools.product(GRID, repeat=widths(row)[0]):
        try:
            out = row.evaluate(data)
        except DomainError:
            continue
        if row.kink is None or row.kink(*data) != 0 or data in row.singular:
            which = range(len(data))
            try:
                found = mutant.partials(data, out, which)
            except (ArithmeticError, ValueError):  # a rule that fails is wrong, too
                return True
            pairs = zip(row.partials(data, out, which), found, strict=True)
            if any(float(a) != float(b) and (a == a or b == b) for a, b in pairs):
                return True
    return False


def is_noticed(mutant: Primitive) -> bool:
    """Whether the suite finds a fault with a row, or cannot even record it."""
    try:
        return next(faults(mutant), None) is not None
    except (ArithmeticError, ValueError):
        return True


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_no_mutant_survives(row: Primitive) -> None:
    assert next(faults(row), None) is None
    # Many mutants equal the rule, such as those of branches that it lacks; comparing is quicker than running the suite.
    survivors = [what for what, mutant in mutants(row) if differ(row, mutant) and not is_noticed(mutant)]
    assert not survivors, f"the suite does not notice these mutants of {row.name}: {'; '.join(survivors)}"


def test_there_are_many_mutants_and_they_are_wrong() -> None:
    made = [(row, what, mutant) for row in (tanh, relu, primitives.divide, dot) for what, mutant in mutants(row)]
    wrong = {f"{row.name} {what}" for row, what, mutant in made if differ(row, mutant)}
    assert len(made) == 10 + 10 + 21 + 30 and len(wrong) >= 35
    assert {"relu ∂x: wrong branch of gate", "tanh ∂x: sign", "divide both: exchanged", "dot all: exchanged"} <= wrong
    assert "tanh ∂x: wrong branch of where" not in wrong  # its rule does not call where


def test_a_rule_of_zero_is_noticed_where_the_derivative_is_zero() -> None:
    dead = replace(relu, partial=lambda x, out: 0.0)
    [fault, *_] = [fault for fault in faults(dead) if "x = -2.5" in fault]
    assert "0 is right here; at x = " in fault
