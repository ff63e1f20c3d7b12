"""The theorems: for each row, operand and smooth piece, the derivative of the function is the rule.

>>> from autograd.primitives import relu, tanh
>>> [theorem] = theorems(tanh)
>>> print(theorem)
Theorem tanh_x : forall (x : R), is_derive (fun x => row_tanh x) x (rule_tanh_x x (row_tanh x)).
Proof. smooth x. Qed.
>>> print([*theorems(relu)][1].statement)
forall (x : R), x > 0 -> is_derive (fun x => row_relu x) x (rule_relu_x x (row_relu x))
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coq import definition, proposition, rows_of, term
from library import DEFINITIONS, FACTS, MEANING, PROOFS, TACTICS
from pieces import Piece, pieces

from autograd.primitives import Primitive, Unary, dot, exp, log1p, power, sigmoid, softplus
from autograd.strategies import ROWS, widths
from autograd.symbol import Symbol, operand_names

__all__ = ["POWERS", "PROVED", "Theorem", "functions", "heading", "names_of", "rules", "theorems"]

POWERS: Final = {"power_2": 2.0, "power_3": 3.0, "power_minus_1": -1.0, "power_half": 0.5}


def _power(name: str, y: float) -> Primitive:
    """Return the power with a constant exponent as a row, since power's rule has a branch for constant exponents."""
    return Unary(name, lambda x: power(x, y), lambda x, out: power.partial_x(x, y, out))


PROVED: Final[tuple[Primitive, ...]] = (*ROWS, *(_power(name, y) for name, y in POWERS.items()))
# Smooth functions whose cases only prevent overflow, and their formulas without cases.
TEXTBOOK: Final[Mapping[Primitive, Callable[[Any], Any]]] = {
    sigmoid: lambda x: 1 / (1 + exp(-x)),
    softplus: lambda x: log1p(exp(x)),
}


@dataclass(frozen=True)
class Theorem:
    """A theorem: on a piece, the derivative of a row with respect to one operand is its rule.

    Attributes:
        name: the names of the row and the operand, and the piece's number if there are several.
        row: the row.
        operand: the operand's name.
        piece: the piece.
        rule: the name of the rule in Coq.
    """

    name: str
    row: Primitive
    operand: str
    piece: Piece
    rule: str

    @property
    def statement(self) -> str:
        """The theorem in Coq."""
        names, fixed = names_of(self.row), self.piece.fixed
        free = [name for name in names if name not in fixed]
        whole = "(n : Z) " if self.piece.has_whole else ""
        symbols = {**{name: Symbol(name) for name in names}, "n": Symbol("IZR n")}
        conditions = "".join(f"{proposition(condition)} -> " for condition in self.piece.on(symbols))
        operands = " ".join("(IZR n)" if fixed.get(name) == "n" else term(fixed.get(name, Symbol(name))) for name in names)
        function = f"row_{self.row.name} {operands}"
        derivative = f"is_derive (fun {self.operand} => {function}) {self.operand} ({self.rule} {operands} ({function}))"
        return f"forall {whole}({' '.join(free)} : R), {conditions}{derivative}"

    @property
    def proof(self) -> str:
        """The tactics that prove it."""
        return PROOFS.get(self.name) or PROOFS.get(self.row.name) or f"smooth {self.operand}."

    def __str__(self) -> str:
        return f"Theorem {self.name} : {self.statement}.\nProof. {self.proof} Qed."


def names_of(row: Primitive) -> Sequence[str]:
    """Return the names of a row's operands; a row that takes any number of operands gets three, and dot five."""
    return operand_names(row, max(widths(row)) if row.name == dot.name else min(widths(row)))


def theorems(row: Primitive) -> Iterator[Theorem]:
    """Iterate over the theorems about a row."""
    for operand in names_of(row):
        found = pieces(row, operand)
        for i, piece in enumerate(found, 1):
            name = f"{row.name}_{operand}" + f"_{i}" * (len(found) > 1)
            yield Theorem(name, row, operand, piece, f"rule_{row.name}_{operand}")


def functions(rows: Iterable[Primitive], known: set[Primitive]) -> Iterator[str]:
    """Define the functions of rows, each after those that it applies."""
    for row in rows:
        if row in known:
            continue
        known.add(row)
        name, names = f"row_{row.name}", names_of(row)
        yield from functions(rows_of(row, len(names)), known)
        yield f"Definition {name} ({' '.join(names)} : R) : R := {definition(row, len(names))}."
        if row in TEXTBOOK:
            lemma, form = f"{row.name}_textbook", term(TEXTBOOK[row](Symbol("x")))
            yield f"Lemma {lemma} x : {name} x = {form}.\nProof. unfold {name}; {PROOFS[lemma]} Qed."
            yield f"#[local] Hint Rewrite {lemma} : textbook."
        else:
            yield f"#[local] Hint Unfold {name} : functions."


def rules(row: Primitive, which: Sequence[str] | None = None, prefix: str = "rule") -> Iterator[str]:
    """Define the rules of a row, for the operands named in `which` or for all."""
    names = names_of(row)
    for name, rule in zip(names, row.partials(list(map(Symbol, names)), Symbol("out"), range(len(names))), strict=True):
        if which is None or name in which:
            called, arguments = f"{prefix}_{row.name}_{name}", " ".join([*names, "out"])
            yield f"Definition {called} ({arguments} : R) : R := {term(rule)}.\n#[local] Hint Unfold {called} : rules."


def heading(rows: Sequence[Primitive] = PROVED) -> str:
    """Return the text before the theorems: the library, then functions and rules of the table."""
    lines = [DEFINITIONS, MEANING, FACTS, TACTICS, "Section Table.", "Variables infinity nan : R.", *functions(rows, set())]
    return "\n".join([*lines, *itertools.chain(*map(rules, rows))])
