"""How boxes are divided; see `test_approved`.

Bounds from another division are right, too, but they may be wider or take longer, and only their numbers show that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest.mock import patch

from approved_pictures import lined

from autograd import Nary, Unary, certify, cos, dot, exp, floor, log, logsumexp, maximum, relu, sin, sqrt, tanh, total, where
from autograd.certainty import boxes, rules
from autograd.certainty.intervals import describe
from autograd.certainty.pieces import VALUE
from autograd.certainty.rules import _Search, _volume
from autograd.certainty.subjects import Subject

Case = tuple[str, Callable[..., Any], dict[str, Any]]
SPOILT: Final = Unary("spoilt", lambda x: x * x, lambda x, out: 2 * x + where(abs(x - 2) < 0.1, 0.5, 0))
THIRD: Final = Nary(
    "third", lambda *v: v[0] * v[1] * v[2], lambda v, out: (v[1] * v[2], v[0] * v[2], v[0] * v[1] + 9), lambda *v: v
)
FOURTH: Final = Nary("fourth", lambda *v: v[0] + v[3] * v[3], lambda v, out: (1.0, 0.0, 0.0, 3 * v[3]), lambda *v: v)

COMPARED: Final[list[Case]] = [
    ("an edge where a rule has no value", lambda x: sqrt(x), {"x": (0, 1)}),
    ("an edge where a rule's slope has none", lambda x: x**1.5, {"x": (0, 1)}),
    ("a rule that is 0 at an end", lambda x: x * x, {"x": (-1, 0)}),
    ("a kink, and the same rule without one", lambda x: relu(x) + 3 * relu(x * x + 0.5), {"x": (-1, 2)}),
    ("nothing but a kink", lambda x: relu(x), {"x": (-5e-324, 5e-324)}),
    ("jumps", lambda x: floor(x), {"x": (0.5, 4.25)}),
    ("more jumps", lambda x: floor(x), {"x": (0.25, 5.5)}),
    ("edges", lambda x: log(x), {"x": (-1, 3)}),
    ("a choice", lambda x: where(x * x - 2, sin(x), x * 3), {"x": (-1, 2)}),
    ("an argument that is chosen", lambda x: where(x > 0.3, x, 1), {"x": (0, 1)}),
    ("lists", lambda x, y: dot([x, y, x], [y, 2, 3], 1) + logsumexp([x, y]), {"x": (-1, 1), "y": (0, 2)}),
    ("a wrong rule below a right one", lambda x: tanh(SPOILT(x) + exp(-x)), {"x": (1, 3)}),
    ("a wrong rule of three", lambda x, y: THIRD(x, y, x + 1), {"x": (0, 1), "y": (1, 3)}),
    ("a wrong rule of four", lambda x: FOURTH(x, 2, 3, x), {"x": (1, 2)}),
    ("two arguments", lambda x, y: sin(x * y) / (1 + x * x), {"x": (-1, 2), "y": 1.5}),
]
MANY: Final[list[Case]] = [  # rules that are checked with little work
    ("six rules", lambda x: sin(cos(x)) + tanh(exp(x)) * sqrt(x), {"x": (1, 3)}),
    ("nine rules", lambda x: sin(cos(x)) * 2 + tanh(exp(x)) / sqrt(x) - 1, {"x": (1, 3)}),
    ("one rule", lambda x: x * x, {"x": (1, 3)}),
    ("a kink and an if", lambda x: relu(x) if x < 1 else x * x, {"x": (-1, 3)}),
]


def compared(cases: list[Case], **limits: float) -> Iterator[str]:
    """Iterate over rules on boxes, each with the number of remaining pieces of each size."""
    for name, f, box in cases:
        with patch.dict(vars(rules), limits):
            search = _Search(Subject(f, box))
        sizes = Counter(-math.log2(_volume(box, search.subject)) for box, _ in [*search.settled, *(x[2:] for x in search.heap)])
        left = ", ".join(f"{n} of 2^-{size:.4g}" for size, n in sorted(sizes.items()))
        yield f"\n{name}: {left}; {len(search.outside)} outside"
        yield from (f"    {x.name} {x.verdict} {x.sharpness:.6g} {x.where[:4]} {x.reason}" for x in search.report().rules)


DONE: Final[list[Case]] = [  # rules whose pieces stay rather coarse
    ("a slope that is the same everywhere", lambda x: 3 * x + 2, {"x": (0, 1)}),
    ("nothing to compare", lambda x: where(x > -1, x, 1), {"x": (0, 1)}),
    ("a slope that falls", lambda x: x**3, {"x": (-1.5, -1)}),
    ("a value that overflows", lambda x: exp(exp(exp(x))) * 0.25 + sin(x) / 9, {"x": (-1, 60)}),
]
BOUNDED: Final[list[Case]] = [
    ("x² - x", lambda x: x * x - x, {"x": (-1, 2)}),
    ("√x + x² - x", lambda x: sqrt(x) + x * x - x, {"x": (0, 4)}),
    ("√(x/16) + x² - 2x", lambda x: sqrt(x / 16) + x * x - 2 * x, {"x": (0, 2**-33)}),
    ("sin(x² + y)/(1 + xy)", lambda x, y: sin(x * x + y) / (1 + x * y), {"x": (0, 2), "y": (0, 3)}),
    ("a polynomial", lambda x: x * (x - 1) * (x - 2) * (x - 3) * (x - 4), {"x": (0, 4)}),
    ("an if", lambda x, y: x * y if x > y else y - x * x, {"x": (0, 2), "y": (0, 1)}),
    ("three sides", lambda v: tanh(v[0] * v[1] - v[2]) * v[0] - total(v), {"v": [(-1, 1), (0, 2), (0.5, 1)]}),
    ("a floor", lambda x: floor(x * 1.5) * x - x * x, {"x": (0, 3)}),
    ("a constant", lambda x: x - x + 2, {"x": (0, 3)}),
    ("the larger", lambda x, y: maximum(x * x, y) - x, {"x": (-1, 1), "y": (0, 1)}),
    ("a choice of three", lambda x: relu(x) - relu(x - 1) * x if x * x < 2 else 1 / x, {"x": (-1, 3)}),
]


def above(limit: float) -> Callable[[Any], Any]:
    """Return the claim that no value is below a limit."""
    return lambda value: value >= limit


def bounded(**limits: int) -> Iterator[str]:
    """Iterate over bounds on boxes, and over claims about them."""
    for name, f, box in BOUNDED:
        yield f"\n{name}, {limits}"
        with patch.dict(vars(boxes), limits):
            found = certify(f, **box)
            for place in (VALUE, *found.subject.moving):
                bounds, excess = found._search(place)
                yield f"    {describe(bounds)} {excess:.6g}"
            yield from (f"    {line}" for line in str(found).splitlines()[len(found.subject.names) + 3 :])
            least, most = (float(x) for x in found._search(VALUE)[0][:2])
            for share in (0.0, 0.02, 0.3, 0.98):
                limit = least + share * (most - least) if math.isfinite(least + most) else share
                claim = found.claim(above(limit))
                yield f"    {claim} {len(claim.where)}"
            yield f"    {found.monotone(found.subject.names[0])}; {found.lipschitz(3.5)}"
    yield f"\n{found.claim(lambda value: True)}; {found.claim(lambda value: not value > 3)}; {found.claim(lambda value: False)}"


def divided() -> Iterator[str]:
    """Iterate over all of these, with lower limits on the work than usual."""
    yield from compared(COMPARED, MOST_PIECES=64)
    yield from compared(MANY, MOST_WORK=100, FEWEST_PIECES=1)
    yield from compared(MANY, MOST_WORK=60, FEWEST_PIECES=1)
    yield from compared(DONE, COARSEST=1 / 8, FINE=0.08, MOST_PIECES=60)
    yield from compared(DONE, MOST_PIECES=10, FEWEST_PIECES=1)
    yield from bounded(MOST_PIECES=64)
    yield from bounded(FEWEST_PIECES=4, MOST_PIECES=9)


BOXES: Final[dict[str, Callable[[], str]]] = {"boxes.txt": lambda: lined(divided())}
