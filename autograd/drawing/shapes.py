"""The parts of a picture as geometry: boxes and arrows in points, y downwards.

They know neither formats nor graphs, so every format draws the same picture, and all moments of a walk can share one layout.

>>> start, end = line((0.0, 0.0), (30.0, 0.0)), line((30.0, 0.0), (30.0, 9.0))
>>> joined(start, end)
((0.0, 0.0), (10.0, 0.0), (20.0, 0.0), (30.0, 0.0), (30.0, 3.0), (30.0, 6.0), (30.0, 9.0))
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Arrow", "Box", "Curve", "Geometry", "Point", "joined", "line"]

Point = tuple[float, float]
Curve = tuple[Point, ...]  # the control points of cubic Bézier curves, each of which begins where the one before ends


class Box(NamedTuple):
    """A box by its centre and its size."""

    x: float
    y: float
    width: float
    height: float


class Arrow(NamedTuple):
    """An arrow: its curves from the source on, the point of its head, the centre of its label."""

    points: Curve
    tip: Point
    label: Point


class Geometry(NamedTuple):
    """The size of a picture without its notes, and the places of its parts by their ids."""

    width: float
    height: float
    boxes: dict[str, Box]
    arrows: dict[str, Arrow]


def line(start: Point, end: Point) -> Curve:
    """Return a straight line as a curve."""
    (x, y), (u, v) = start, end
    return tuple((x + (u - x) * k / 3, y + (v - y) * k / 3) for k in range(4))


def joined(*curves: Curve) -> Curve:
    """Return curves as one; each begins where the one before ends."""
    first, *others = curves
    return first + tuple(point for curve in others for point in curve[1:])
