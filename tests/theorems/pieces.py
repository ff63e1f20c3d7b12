"""Where the rows of the table are smooth: the pieces of their domains, each a list of conditions on the operands.

A row that has a kink has two pieces, on either side of it; any other is smooth wherever it is defined.  Only domains have to be
written down here, since the table has them as prose.  ``n`` stands for any whole number.

>>> from autograd.primitives import log, relu, tanh
>>> [piece.text for row in (tanh, relu, log) for piece in pieces(row, "x")]
['', 'x < 0', 'x > 0', 'x > 0']
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from autograd.primitives import Primitive, cos
from autograd.symbol import Symbol, operand_names

__all__ = ["PIECES", "Piece", "pieces"]


class Piece(NamedTuple):
    """A part of a domain.

    Attributes:
        conditions: what holds on it, from those operands that are free there, by name, and perhaps ``n``.
        fixed: the other operands: a number, or ``n``.
    """

    conditions: Callable[..., Sequence[Any]]
    fixed: Mapping[str, Any] = {}

    def on(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the conditions on symbols or on numbers."""
        return self.conditions(**{name: values[name] for name in inspect.signature(self.conditions).parameters})

    @property
    def names(self):
        return list(inspect.signature(self.conditions).parameters)

    @property
    def text(self) -> str:
        """The conditions for people."""
        names = inspect.signature(self.conditions).parameters
        fixed = [f"{name} = {value}" for name, value in self.fixed.items()]
        return ", ".join([*fixed, *(x.text for x in self.on({name: Symbol(name) for name in names}))])


EVERYWHERE: Final = Piece(lambda: ())
PIECES: Final[Mapping[str, Sequence[Piece]]] = {
    "divide": [Piece(lambda y: [y < 0]), Piece(lambda y: [y > 0])],
    "power/x": [
        Piece(lambda x: [x > 0]),
        Piece(lambda n: [n >= 1], {"y": "n"}),
        Piece(lambda: [], {"y": 0.0}),
        Piece(lambda x, n: [x < 0, n < 0], {"y": "n"}),
    ],
    "power/y": [Piece(lambda x: [x > 0]), Piece(lambda y: [y > 0], {"x": 0.0})],
    "power_minus_1": [Piece(lambda x: [x < 0]), Piece(lambda x: [x > 0])],
    "power_half": [Piece(lambda x: [x > 0])],
    "sqrt": [Piece(lambda x: [x > 0])],
    "cbrt": [Piece(lambda x: [x < 0]), Piece(lambda x: [x > 0])],
    "hypot": [Piece(lambda x, y: [x * x + y * y > 0])],
    **{name: [Piece(lambda x: [x > 0])] for name in ("log", "log2", "log10")},
    "log1p": [Piece(lambda x: [x > -1])],
    "tan": [Piece(lambda x: [cos(x) < 0]), Piece(lambda x: [cos(x) > 0])],
    **{name: [Piece(lambda x: [x > -1, x < 1])] for name in ("arcsin", "arccos", "arctanh")},
    "arccosh": [Piece(lambda x: [x > 1])],
    "arctan2": [Piece(lambda x, y: [(x * x + y * y).sqrt() + y > 0])],
    "floor": [Piece(lambda x, n: [n < x, x < n + 1])],
    "ceil": [Piece(lambda x, n: [n < -x, -x < n + 1])],
    **{
        name: [
            Piece(lambda x, y, n: [y < 0, n < x / y, x / y < n + 1]),
            Piece(lambda x, y, n: [y > 0, n < x / y, x / y < n + 1]),
        ]
        for name in ("floor_divide", "remainder")
    },
    "where/x0": [Piece(lambda x0: [x0 < 0]), Piece(lambda x0: [x0 > 0])],
    "where": [Piece(lambda x0: [x0 < 0]), Piece(lambda x0: [x0 > 0]), Piece(lambda: [], {"x0": 0.0})],
}


def pieces(row: Primitive, operand: str) -> Sequence[Piece]:
    """Return the pieces of the domain of a row on which it is smooth in one of its operands."""
    known = PIECES.get(f"{row.name}/{operand}") or PIECES.get(row.name)
    if known or row.kink is None:
        return known or [EVERYWHERE]
    kink = row.kink
    if row.arity == 1:
        return [Piece(lambda x: [kink(x) < 0]), Piece(lambda x: [kink(x) > 0])]
    return [Piece(lambda x, y: [kink(x, y) < 0]), Piece(lambda x, y: [kink(x, y) > 0])]
