"""Where the rows of the table are smooth: the pieces of their domains, each by conditions on the operands.

A row with a kink is smooth on either side of it; any other row is smooth wherever it is defined.  So this module lists only
domains, which the table has as prose, and the jumps of ``floor`` and similar rows.  ``n`` stands for any whole number.

>>> from autograd.primitives import floor, relu, tanh
>>> [piece.text for row in (tanh, relu, floor) for piece in pieces(row, "x")]
['everywhere', 'x < 0', 'x > 0', 'n < x, x < n + 1']
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from autograd.primitives import Primitive, cos, hypot
from autograd.symbol import Symbol

__all__ = ["PIECES", "Piece", "members", "pieces"]

Point = dict[str, float]


class Piece(NamedTuple):
    """A part of a domain.

    Attributes:
        conditions: a function that returns them; its parameters are named after operands, and one may be ``n``.
        fixed: the value of each operand that is constant on the piece, by name: a number, or ``"n"``.
    """

    conditions: Callable[..., Sequence[Any]]
    fixed: Mapping[str, Any] = {}

    @property
    def names(self) -> Sequence[str]:
        """The names that occur in the conditions."""
        return tuple(inspect.signature(self.conditions).parameters)

    def on(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the conditions on symbols or on numbers, by name."""
        return self.conditions(**{name: values[name] for name in self.names})

    @property
    def has_whole(self) -> bool:
        """Whether there is one such piece for each whole number n."""
        return "n" in (*self.names, *self.fixed.values())

    @property
    def text(self) -> str:
        """The conditions as text."""
        fixed = [f"{name} = {value if isinstance(value, str) else f'{value:g}'}" for name, value in self.fixed.items()]
        return ", ".join([*fixed, *(x.text for x in self.on({name: Symbol(name) for name in self.names}))]) or "everywhere"


EVERYWHERE: Final = [Piece(lambda: ())]
SIDES: Final = [Piece(lambda x: [x < 0]), Piece(lambda x: [x > 0])]
RIGHT: Final = SIDES[1:]
INSIDE: Final = [Piece(lambda x: [abs(x) < 1])]
JUMPS: Final = [
    Piece(lambda x, y, n: [y < 0, n < x / y, x / y < n + 1]),
    Piece(lambda x, y, n: [y > 0, n < x / y, x / y < n + 1]),
]
CHOICES: Final = [Piece(lambda x0: [x0 < 0]), Piece(lambda x0: [x0 > 0])]
# By the row's name, or by the names of row and operand where the operands' pieces differ.
PIECES: Final[Mapping[str, Sequence[Piece]]] = {
    "divide": [Piece(lambda y: [y < 0]), Piece(lambda y: [y > 0])],
    "power x": [
        *RIGHT,
        Piece(lambda n: [n >= 1], {"y": "n"}),
        Piece(lambda: (), {"y": 0.0}),
        Piece(lambda x, n: [x < 0, n < 0], {"y": "n"}),
    ],
    "power y": [*RIGHT, Piece(lambda y: [y > 0], {"x": 0.0})],
    "power_minus_1": SIDES,
    "power_half": RIGHT,
    "sqrt": RIGHT,
    "cbrt": SIDES,
    "hypot": [Piece(lambda x, y: [x * x + y * y > 0])],
    "log": RIGHT,
    "log2": RIGHT,
    "log10": RIGHT,
    "log1p": [Piece(lambda x: [1 + x > 0])],
    "tan": [Piece(lambda x: [cos(x) < 0]), Piece(lambda x: [cos(x) > 0])],
    "arcsin": INSIDE,
    "arccos": INSIDE,
    "arctan2": [Piece(lambda x, y: [hypot(x, y) + y > 0])],  # all but the cut, where x = 0 and y ≤ 0
    "arccosh": [Piece(lambda x: [x > 1])],
    "arctanh": INSIDE,
    "floor": [Piece(lambda x, n: [n < x, x < n + 1])],
    "ceil": [Piece(lambda x, n: [-x > n, -x < n + 1])],
    "floor_divide": JUMPS,
    "remainder": JUMPS,
    "prelu y": [*SIDES, Piece(lambda: (), {"x": 0.0})],
    "leaky_relu y": [*SIDES, Piece(lambda: (), {"x": 0.0})],
    "where x0": CHOICES,
    "where": [*CHOICES, Piece(lambda: (), {"x0": 0.0})],
}


def pieces(row: Primitive, operand: str) -> Sequence[Piece]:
    """Return the pieces of the domain of a row on which it is smooth in one of its operands."""
    known, kink = PIECES.get(f"{row.name} {operand}") or PIECES.get(row.name), row.kink
    if known or kink is None:
        return known or EVERYWHERE
    if row.arity == 1:
        return [Piece(lambda x: [kink(x) < 0]), Piece(lambda x: [kink(x) > 0])]
    return [Piece(lambda x, y: [kink(x, y) < 0]), Piece(lambda x, y: [kink(x, y) > 0])]


def members(piece: Piece, names: Sequence[str], numbers: Sequence[float]) -> Iterator[Point]:
    """Iterate over the points of a piece whose free operands are among some numbers."""
    wholes = [float(n) for n in range(-3, 4)] if piece.has_whole else [0.0]
    choices = [numbers if name not in piece.fixed else [piece.fixed[name]] for name in names]
    for n, data in itertools.product(wholes, itertools.product(*choices)):
        point = {name: n if x == "n" else x for name, x in zip(names, data, strict=True)}
        try:
            inside = all(piece.on({**point, "n": n}))
        except ZeroDivisionError:  # or DomainError, its subclass
            continue
        if inside:
            yield point
