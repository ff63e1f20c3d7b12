"""Wrong rules: each mutant of each rule of the table, and the theorems that it must make fail.

A mutant may equal the rule on some pieces, as a sign does where the rule is 0; there nothing has to fail.  So rule and mutant
are first compared on numbers of the piece.  A mutant of a choice within another row, such as |x|′ = sign(x) with sign turned
around, is written like the rule, and stands in the theorems about that other row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from pieces import members
from statements import PROVED, Theorem, heading, names_of, rules, theorems
from test_mutations import mutants

from autograd.primitives import DomainError, Primitive

__all__ = ["attempt", "wrong_theorems"]

NUMBERS: Final = (-2.5, -1.5, -0.75, 0.25, 0.5, 1.75, 3.5)
FEW: Final = (-1.5, 0.25, 2.0)  # for a row of five operands


def wrong_theorems(rows: Iterable[Primitive] = PROVED) -> Iterator[tuple[str, Theorem]]:
    """Go through the mutants' definitions and the theorems with a mutant in place of the rule.

    >>> from autograd.primitives import tanh
    >>> text, theorem = next(wrong_theorems([tanh]))
    >>> print(text)
    Definition wrong_1_tanh_x (x out : R) : R := 0.
    #[local] Hint Unfold wrong_1_tanh_x : rules.
    >>> theorem.statement
    'forall (x : R), is_derive (fun x => row_tanh x) x (wrong_1_tanh_x x (row_tanh x))'
    """
    count = 0
    for row in rows:
        found = [*theorems(row)]
        for what, mutant in mutants(row):
            changed = [theorem for theorem in found if _differ(theorem, mutant)]
            for operand in dict.fromkeys(theorem.operand for theorem in changed):
                if [*rules(mutant, [operand])] == [*rules(row, [operand])]:
                    continue
                count += 1
                [text] = rules(mutant, [operand], f"wrong_{count}")
                for theorem in changed:
                    if theorem.operand == operand:
                        rule = f"wrong_{count}_{row.name}_{operand}"
                        yield text, replace(theorem, name=f"{theorem.name}, {what}", rule=rule)


def _differ(theorem: Theorem, mutant: Primitive) -> bool:
    """Whether a mutant's partial derivative is another number than the row's anywhere on the piece of a theorem."""
    row, names = theorem.row, names_of(theorem.row)
    place = names.index(theorem.operand)
    for point in members(theorem.piece, names, NUMBERS if len(names) < 4 else FEW):
        data = [*point.values()]
        try:
            out = row.evaluate(data)
            [right] = row.partials(data, out, [place])
        except DomainError:
            continue
        try:
            [wrong] = mutant.partials(data, out, [place])
        except (ArithmeticError, ValueError):  # a rule that fails is wrong, too
            return True
        if not math.isclose(right, wrong, rel_tol=1e-6, abs_tol=1e-6):
            return True
    return False


def attempt(theorems: Iterable[tuple[str, Theorem]]) -> str:
    """Return a text for Coq that tries to prove theorems by their proofs and prints which are accepted and which refused."""
    lines, defined = [heading()], set[str]()
    for text, theorem in theorems:
        if text not in defined:
            defined.add(text)
            lines.append(text)
        proof = theorem.proof.rstrip(".")
        lines.append(f"Goal {theorem.statement}.\nfirst [solve [{proof}]; idtac \"accepted: {theorem.name}\" "
                     f"| idtac \"refused: {theorem.name}\"].\nAbort.")  # fmt: skip
    return "\n".join([*lines, "End Table.", ""])
