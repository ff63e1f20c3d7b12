"""Wrong rules: each mutant of each rule of the table, and the theorems that must fail with it.

A mutant may equal the rule on some pieces, for example a changed sign where the rule is 0; there nothing has to fail.  So rule
and mutant are first compared at numbers of the piece.  A mutant that changes another row inside the rule, such as sign in
|x|′ = sign(x), prints the same Coq text as the rule and is left out: the theorems about that other row cover it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from pieces import members
from statements import PROVED, Theorem, heading, names_of, rules, theorems
from test_mutations import mutants

from autograd.primitives import Binary, DomainError, Nary, Primitive, Unary

__all__ = ["attempt", "verdicts", "wrong_theorems"]

NUMBERS: Final = (-2.5, -1.5, -0.75, 0.25, 0.5, 1.75, 3.5)
Values = tuple[list[float], float, float]
Attempt = tuple[str, str, Theorem]


def wrong_theorems(rows: Iterable[Primitive] = PROVED) -> Iterator[Attempt]:
    """Iterate over the mutants: the change, the definition, and each theorem with the mutant in place of the rule.

    The mutants are those of test_mutations, and the rule plus 1, since a rule that is 0 everywhere has no other mutant.

    >>> from autograd.primitives import tanh
    >>> what, text, theorem = next(wrong_theorems([tanh]))
    >>> what
    '∂x: zero'
    >>> print(text)
    Definition wrong_1_tanh_x (x out : R) : R := 0.
    #[local] Hint Unfold wrong_1_tanh_x : rules.
    >>> theorem.statement
    'forall (x : R), is_derive (fun x => row_tanh x) x (wrong_1_tanh_x x (row_tanh x))'
    """
    count = 0
    for row in rows:
        found = [(theorem, [*_values(theorem)]) for theorem in theorems(row)]
        for what, mutant in itertools.chain(mutants(row), _shifted(row)):
            for operand in names_of(row):
                changed = [x for x, known in found if x.operand == operand and _differ(x, mutant, known)]
                if changed and [*rules(mutant, [operand])] != [*rules(row, [operand])]:
                    count += 1
                    [text] = rules(mutant, [operand], f"wrong_{count}")
                    name = f"wrong_{count}_{row.name}_{operand}"
                    yield from ((what, text, replace(x, rule=name)) for x in changed)


def _shifted(row: Primitive) -> Iterator[tuple[str, Primitive]]:
    if isinstance(row, Unary):
        yield "∂x: one more", replace(row, partial=lambda x, out: row.partial(x, out) + 1)
    elif isinstance(row, Binary):
        shifted = replace(row, partial_x=lambda x, y, out: row.partial_x(x, y, out) + 1)
        yield "both: one more", replace(shifted, partial_y=lambda x, y, out: row.partial_y(x, y, out) + 1)
    else:
        assert isinstance(row, Nary)
        yield "all: one more", replace(row, gradient=lambda v, out: [partial + 1 for partial in row.gradient(v, out)])


def _values(theorem: Theorem) -> Iterator[Values]:
    """Iterate over operands on the piece of a theorem, with the value and the partial derivative there."""
    row, names = theorem.row, names_of(theorem.row)
    for point in members(theorem.piece, names, NUMBERS[:: max(1, len(names) - 2)]):
        data = [*point.values()]
        try:
            out = row.evaluate(data)
            [partial] = row.partials(data, out, [names.index(theorem.operand)])
        except DomainError:
            continue
        yield data, out, partial


def _differ(theorem: Theorem, mutant: Primitive, known: Sequence[Values]) -> bool:
    """Whether a mutant's partial derivative differs from the row's anywhere on the piece of a theorem."""
    place = names_of(theorem.row).index(theorem.operand)
    for data, out, right in known:
        try:
            [partial] = mutant.partials(data, out, [place])
        except (ArithmeticError, ValueError):  # a rule that raises is wrong, too
            return True
        if not math.isclose(right, partial, rel_tol=1e-6, abs_tol=1e-6):
            return True
    return False


def attempt(theorems: Iterable[Attempt]) -> str:
    """Return a Coq text that tries the proof of each theorem and prints which are accepted and which are refused."""
    lines, defined = [heading()], set[str]()
    for what, text, theorem in theorems:
        if text not in defined:
            defined.add(text)
            lines.append(text)
        proof, name = theorem.proof.rstrip("."), f"{theorem.name}, {what}"
        lines.append(f"Goal {theorem.statement}.\nfirst [solve [{proof}]; idtac \"accepted: {name}\" "
                     f"| idtac \"refused: {name}\"].\nAbort.")  # fmt: skip
    return "\n".join([*lines, "End Table.", ""])


def verdicts(printed: str) -> list[str]:
    """Return the verdicts in Coq's output, without the messages of failing tactics."""
    return [line for line in printed.splitlines() if line.startswith(("accepted: ", "refused: "))]
