"""Bounds as decimals that are rounded outward, and certificates as tables, for a terminal and for a notebook.

>>> from autograd.certainty.intervals import between
>>> bounds = Bounds.of(between(0.1, 0.1), 5)
>>> bounds, str(bounds)
(Bounds(low=Decimal('0.10000'), high=Decimal('0.10001')), '0.1000[0,1]')
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from html import escape
from itertools import takewhile
from typing import Final, NamedTuple

from flint import arb

from autograd.certainty.intervals import Interval

__all__ = ["Bounds", "Table", "Tabular", "bits"]

GUARD: Final = 64  # bits beyond the requested digits

LARGEST: Final = 2**16  # exponent of 2 beyond which a bound becomes 0, ∞ or this power; one of 2**22 takes half a minute


class Bounds(NamedTuple):
    """Two decimals, with a real number or a set of real numbers between them."""

    low: Decimal
    high: Decimal

    @classmethod
    def of(cls, x: Interval, digits: int) -> Bounds:
        """Return the bounds of an interval with this number of significant digits, each rounded outward."""
        return cls(_decimal(x.low, digits, ROUND_FLOOR), _decimal(x.high, digits, ROUND_CEILING))

    def __str__(self) -> str:
        low, high = (str(x).replace("Infinity", "∞") for x in self)
        if low == high:
            return low
        same = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False)))
        if len(low) == len(high) and len(same.lstrip("-0.")) >= 3 and "E" not in same:
            end = low[len(same) :].partition("E")
            return f"{same}[{end[0]},{high[len(same) :].partition('E')[0]}]{end[1]}{end[2]}"
        return f"[{low}, {high}]"


def _decimal(x: arb, digits: int, rounding: str) -> Decimal:
    """Return an exact number as a decimal with this number of digits, rounded in this direction."""
    if not x.is_finite():
        return Decimal(float(x))
    context = Context(prec=digits, rounding=rounding, Emin=MIN_EMIN, Emax=MAX_EMAX)
    mantissa, exponent = map(int, x.man_exp())
    power = max(-LARGEST, min(exponent, LARGEST))
    if power != exponent:
        is_huge, is_away = power == LARGEST, (rounding == ROUND_CEILING) == (mantissa > 0)
        if is_huge == is_away:  # away from 0 beyond the largest power, or towards 0 below the smallest
            return Decimal("Infinity").copy_sign(mantissa) if is_huge else Decimal(0)
        mantissa //= abs(mantissa)
    return context.divide(Decimal(mantissa << max(power, 0)), Decimal(1 << max(-power, 0)))


def bits(digits: int) -> int:
    """Return the precision in bits with which this number of decimal digits is computed."""
    return GUARD + math.ceil(digits * math.log2(10))


class Table(NamedTuple):
    """A title, rows of cells under a head, and notes.

    >>> print(Table("Squares", ("x", "x²"), [("2", "4"), ("12", "144")], ["by hand"]))
    Squares
    x   x²
    2   4
    12  144
    Note: by hand.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (self.head, *self.rows)]
        return "\n".join([self.title, *lines, *[f"Note: {note}." for note in self.notes]])

    @property
    def html(self) -> str:
        """The table as HTML, for a notebook."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{escape(note)}.</p>" for note in self.notes)
        return f"<table><caption>{escape(self.title)}</caption><tr>{head}</tr>{rows}</table>{notes}"


class Tabular(ABC):
    """The base class of objects that are shown as a table, in a terminal and in a notebook."""

    @property
    @abstractmethod
    def _table(self) -> Table:
        """The table to be shown."""

    def __str__(self) -> str:
        return str(self._table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self._table.html
