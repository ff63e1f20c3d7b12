"""A picture that is too wide to be read is folded like a paragraph: its columns are set in lines, one below the other.

A picture is cut from top to bottom between its columns, at places that few arrows cross.  An arrow that was cut runs on to
the right, returns between the two lines, and enters the next one at its old height.  So every line is read from left to
right, every arrow is still one curve from its source to its target, and nothing else changes.

>>> from autograd.drawing.plan import Edge
>>> boxes = {f"n{i}": Box(50.0 + 400 * i, 20.0, 80.0, 22.0) for i in range(3)}
>>> edges = [Edge("e0", "n0", "n1", ""), Edge("e1", "n1", "n2", "")]
>>> ends = [(line((90.0, 20.0), (402.0, 20.0)), (410.0, 20.0)), (line((490.0, 20.0), (802.0, 20.0)), (810.0, 20.0))]
>>> arrows = {edge.id: Arrow(points, tip, (0.0, 0.0)) for edge, (points, tip) in zip(edges, ends, strict=True)}
>>> folded = fold(Geometry(900.0, 40.0, boxes, arrows), edges, 870.0)
>>> [(box.x, box.y) for box in folded.boxes.values()]
[(56.0, 17.0), (456.0, 17.0), (216.0, 67.0)]
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from autograd.drawing.plan import Edge
from autograd.drawing.shapes import Arrow, Box, Curve, Geometry, Point, joined, line
from autograd.drawing.style import label_size

__all__ = ["fold"]

PAD = 6.0  # around the picture, in points
HEAD = 8.0  # in front of a box, for arrowheads
LANE = 6.0  # from one returning arrow to the next
APART = 14.0  # from the boxes of a line to the arrows that return below it, and from these to the next line
NEAREST = 4.0  # between two arrows where a line ends or begins
ROUND = 5.0  # the radius of the corners of a returning arrow
MOST_CUT = 8  # arrows
SOONEST = 0.5  # of the width: where a line may end
TRIES, LESS = 8, 0.03  # with lines that are a little narrower each time
HALVINGS = 40  # until a place on a curve is found to the last digit


class Piece(NamedTuple):
    """One line of the folded picture: its sides and lower end in the wide one, and how far it is moved."""

    left: float
    right: float
    bottom: float
    dx: float
    dy: float

    def moved(self, point: Point) -> Point:
        """Return where a point of the wide picture is in the folded one."""
        return point[0] + self.dx, point[1] + self.dy


class Return(NamedTuple):
    """An arrow on its way from the end of a line to the start of a later one."""

    edge: str
    start: int
    end: int
    y: float


def fold(geometry: Geometry, edges: Sequence[Edge], widest: float) -> Geometry:
    """Set a picture in lines that are no wider than a limit, as far as there are places where it can be cut.

    Args:
        geometry: the picture, its arrows from left to right.
        edges: its arrows.
        widest: the largest width, in points.
    """
    found = geometry
    for k in range(TRIES):  # returning arrows take room as well
        cuts = _cuts(geometry, edges, widest * (1 - k * LESS)) if found.width > widest else []
        if cuts:
            found = min(found, _folded(geometry, edges, cuts), key=lambda folded: folded.width)
    return found


def _folded(geometry: Geometry, edges: Sequence[Edge], cuts: Sequence[float]) -> Geometry:
    """Set a picture in lines that end at certain places."""
    labels = {edge.id: label_size(edge) for edge in edges if edge.lines}
    parts = {ident: _in_lines(arrow, cuts, ident in labels) for ident, arrow in geometry.arrows.items()}
    _keep_apart(parts)
    returns = [
        Return(ident, here, there, curves[here][-1][1]) for ident, curves in parts.items() for here, there in pairwise(curves)
    ]
    pieces = _pieces(geometry, cuts, parts, labels, returns)
    boxes = {ident: _moved_box(box, pieces[bisect(cuts, box.x)]) for ident, box in geometry.boxes.items()}
    lanes = _lanes(returns, pieces)
    arrows = {}
    for ident, curves in parts.items():
        arrow, last = geometry.arrows[ident], max(curves)
        place = bisect(cuts, arrow.label[0])
        label = pieces[place if place in curves else last].moved(arrow.label)
        arrows[ident] = Arrow(_rejoined(ident, curves, pieces, lanes), pieces[last].moved(arrow.tip), label)
    right = max(piece.right + piece.dx for piece in pieces)
    room = LANE * max(sum(each.start == i for each in returns) for i in range(len(pieces)))
    return Geometry(right + room + PAD, pieces[-1].bottom + pieces[-1].dy + PAD, boxes, arrows)


def _rejoined(
    ident: str, curves: dict[int, Curve], pieces: Sequence[Piece], lanes: dict[tuple[str, int], tuple[float, float, float]]
) -> Curve:
    """Return the parts of an arrow in the folded picture and its returns between them as one curve."""
    whole: list[Curve] = []
    for i, curve in curves.items():
        moved = tuple(map(pieces[i].moved, curve))
        if whole:
            end, start = whole[-1][-1], moved[0]
            whole.append(_rounded([end, *_around(end, start, lanes[ident, i]), start]))
        whole.append(moved)
    return joined(*whole)


def _cuts(geometry: Geometry, edges: Sequence[Edge], widest: float) -> list[float]:
    """Choose where each line but the last ends: where the fewest arrows are cut, then where lines are most even."""
    taken = [(box.x - box.width / 2 - HEAD, box.x + box.width / 2) for box in geometry.boxes.values()]
    for edge in edges:
        if edge.lines:
            x, half = geometry.arrows[edge.id].label[0], label_size(edge)[0] / 2
            taken.append((x - half, x + half))
    free, end = [], 0.0
    for left, right in sorted(taken):
        if left > end:
            free.append((end + left) / 2)
        end = max(end, right)
    spans = [(geometry.boxes[edge.source].x, geometry.boxes[edge.target].x) for edge in edges]
    crossed = {x: sum(a < x < b for a, b in spans) for x in free}
    possible = [x for x in free if crossed[x] <= MOST_CUT]
    cuts: list[float] = []
    start, most = 0.0, widest - 2 * PAD
    while geometry.width - start > most:
        good = [x for x in possible if SOONEST * most < x - start <= most - 2 * LANE * crossed[x]]
        later = [x for x in possible if x - start > most - 2 * LANE * crossed[x]]
        if not good and not later:
            break
        rest = geometry.width - start
        even = start + rest / math.ceil(rest / most)
        start = min(good, key=lambda x: (crossed[x], abs(x - even))) if good else later[0]
        cuts.append(start)
    return cuts


def _in_lines(arrow: Arrow, cuts: Sequence[float], has_label: bool) -> dict[int, Curve]:
    """Return the parts of an arrow by line, for the lines where it begins, has its label or ends; it skips all others."""
    first, last = bisect(cuts, arrow.points[0][0]), bisect(cuts, arrow.tip[0])
    kept = {first, last} | ({bisect(cuts, arrow.label[0])} if has_label else set())
    curves, rest = {}, arrow.points
    for i in range(first, last + 1):
        curve, rest = _split(rest, cuts[i]) if i < last else (rest, ())
        if i in kept:
            curves[i] = curve
    return curves


def _keep_apart(parts: dict[str, dict[int, Curve]]) -> None:
    """Move arrows apart that are cut at nearly the same height, or they would look like one."""
    for end, outer in ((0, min), (-1, max)):
        for i in {i for curves in parts.values() for i in curves}:
            cut = [(curves[i][end], ident) for ident, curves in parts.items() if i in curves and i != outer(curves)]
            lowest = -math.inf
            for (x, y), ident in sorted(cut, key=lambda found: found[0][1]):
                lowest = max(y, lowest + NEAREST)
                curve = list(parts[ident][i])
                curve[end] = x, lowest
                parts[ident][i] = tuple(curve)


def _split(curve: Curve, x: float) -> tuple[Curve, Curve]:
    """Split a curve where it first reaches an x."""
    k = next((k for k in range(3, len(curve), 3) if curve[k][0] >= x), len(curve) - 1)
    piece = curve[k - 3 : k + 1]
    a, b, c, d = (point[0] for point in piece)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        t = (low + high) / 2
        reached = ((a * (1 - t) + 3 * b * t) * (1 - t) + 3 * c * t**2) * (1 - t) + d * t**3
        if reached < x:
            low = t
        else:
            high = t
    before, after = _halves(piece, high)
    return curve[: k - 3] + before, after + curve[k + 1 :]


def _halves(curve: Curve, t: float) -> tuple[Curve, Curve]:
    """Split a cubic curve at a parameter, by de Casteljau's algorithm."""
    before, after, points = [curve[0]], [curve[-1]], list(curve)
    while len(points) > 1:
        points = [(x + (u - x) * t, y + (v - y) * t) for (x, y), (u, v) in pairwise(points)]
        before.append(points[0])
        after.append(points[-1])
    return tuple(before), tuple(reversed(after))


def _pieces(
    geometry: Geometry,
    cuts: Sequence[float],
    parts: dict[str, dict[int, Curve]],
    labels: dict[str, tuple[float, float]],
    returns: Sequence[Return],
) -> list[Piece]:
    """Stack the lines, with room for the returning arrows between them."""
    ys: list[list[float]] = [[] for _ in range(len(cuts) + 1)]
    for box in geometry.boxes.values():
        ys[bisect(cuts, box.x)] += box.y - box.height / 2, box.y + box.height / 2
    for ident, curves in parts.items():
        for i, curve in curves.items():
            ys[i] += (y for _, y in curve)
        if ident in labels:
            (x, y), half = geometry.arrows[ident].label, labels[ident][1] / 2
            ys[bisect(cuts, x)] += y - half, y + half
    pieces, y = [], PAD
    left = PAD + LANE * _n_lanes(returns)
    for i, (start, end) in enumerate(pairwise([PAD, *cuts, geometry.width - PAD])):
        top, bottom = min(ys[i]), max(ys[i])
        pieces.append(Piece(start, end, bottom, left - start, y - top))
        y += bottom - top + 2 * APART + LANE * max(sum(each.start == i for each in returns) - 1, 0)
    return pieces


def _n_lanes(returns: Sequence[Return]) -> int:
    """Count the lanes on the left: arrows to the next line share the same ones in every line, all others have their own."""
    to_next = [each.start for each in returns if each.end == each.start + 1]
    return max(map(to_next.count, to_next), default=0) + len(returns) - len(to_next)


def _lanes(returns: Sequence[Return], pieces: Sequence[Piece]) -> dict[tuple[str, int], tuple[float, float, float]]:
    """Give each return its lanes, by the arrow and the line where it ends: the x on the right, the y, the x on the left.

    The arrow that leaves at the top is the outermost on the right and the lowest between the lines, and enters at the top; so
    arrows to the next line do not cross.
    """
    lanes, far = {}, _n_lanes(returns)
    for i, piece in enumerate(pieces):
        leaving = sorted((each for each in returns if each.start == i), key=lambda each: (each.end > i + 1, each.y))
        for k, each in enumerate(leaving):
            out = len(leaving) - k
            inner = k + 1
            if each.end > i + 1:
                inner, far = far, far - 1
            right, y = piece.right + piece.dx + LANE * out, piece.bottom + piece.dy + APART + LANE * (out - 1)
            lanes[each.edge, each.end] = right, y, pieces[0].left + pieces[0].dx - LANE * inner
    return lanes


def _around(start: Point, end: Point, lanes: tuple[float, float, float]) -> Iterable[Point]:
    """Return the corners on the way from the end of a line to the start of another."""
    right, y, left = lanes
    return (right, start[1]), (right, y), (left, y), (left, end[1])


def _rounded(points: Sequence[Point]) -> Curve:
    """Return straight lines between points as a curve with round corners."""
    curves: list[Curve] = []
    here = points[0]
    for corner, after in pairwise(points[1:]):
        before, then = _towards(corner, here), _towards(corner, after)
        curves += [line(here, before), (before, corner, corner, then)]
        here = then
    return joined(*curves, line(here, points[-1]))


def _towards(corner: Point, point: Point) -> Point:
    """Return the point where the rounding of a corner begins: at its radius towards another point, or half-way if nearer."""
    (x, y), (u, v) = corner, point
    length = abs(u - x) + abs(v - y)
    share = min(ROUND / length, 0.5) if length else 0.0
    return x + (u - x) * share, y + (v - y) * share


def _moved_box(box: Box, piece: Piece) -> Box:
    return Box(*piece.moved((box.x, box.y)), box.width, box.height)
