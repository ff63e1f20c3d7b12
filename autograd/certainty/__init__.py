"""Certainty: proved bounds of values and gradients, at the numbers of one graph or on a whole box.

The table is evaluated on intervals whose ends Arb rounds outward, so every interval contains the true result.  The printed
bounds are therefore not estimates but theorems: the true gradient is between these decimals; the slope is positive on this
box; this rule is wrong.

>>> from autograd import Value, tanh
>>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
>>> loss = (tanh(w * x) - 1) ** 2
>>> certificate = certify(loss)
>>> str(certificate.bounds(w)), certificate.ulps(w) < 4
('-0.4004973495576552772[1,0]', True)
>>> certify(lambda w, x: (tanh(w * x) - 1) ** 2, w=(-1, 1), x=2).claim(lambda w: w < 0)
Claim('proved on w ∈ [-1, 1], x = 2')

A certificate is about the mathematics: real numbers, and the derivatives that the table states.  `intervals` is arithmetic on
intervals, `enclosure` the operand that evaluates the table on them, `points` certifies graphs, `subjects`, `pieces` and `boxes`
certify boxes, `rules` checks rules on boxes, and `tables` prints the results.  All of it needs python-flint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, overload

from autograd.notation import checked_digits
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.certainty.points import GraphCertificate
    from autograd.certainty.rules import BoxReport

__all__ = ["certify", "check_on_box"]

GRAPH_DIGITS: Final = 20  # three more than it takes to distinguish all floats
BOX_DIGITS: Final = 17
MOST_DIGITS: Final = 100_000


@overload
def certify(subject: Value, /, *, digits: int | None = None) -> GraphCertificate: ...
@overload
def certify(subject: Any, /, *, digits: int | None = None, **box: Any) -> Any: ...
def certify(subject: Value | Callable[..., Any], /, *, digits: int | None = None, **box: Any) -> Any:
    """Prove bounds of a value and its gradient, for a graph at its own numbers or for a function on a box.

    Args:
        subject: the result of a graph; or a function of numbers or trees of numbers, with a scalar result, written with
            operators and autograd's functions.
        digits: significant decimal digits of the bounds, 1 to 100,000; by default 20 for a graph, 17 for a box.
        box: for each argument of the function a number, a pair (low, high), or a tree of these.  For a graph, its leaves by
            label; other leaves keep their numbers.  The bounds of another certificate are a pair.  A fraction, a decimal or
            an int that equals no float lies between two floats, and the bounds hold for both.

    Returns:
        A certificate, which prints as a table.  `value` and ``bounds(leaf)``, or ``bounds("w")`` on a box, are pairs of exact
        decimals, rounded outward, with the true value or the true derivative between them.

        Without a box, the floats in the graph's leaves are taken as exact numbers, and the precision is raised until the
        digits are known.  ``ulps(leaf)`` is the error of `backward()`, ``lost_at(leaf)`` the node that contributes most to it.
        At a kink, the choice of the row's rule is certified, with a remark in `notes`.

        On a box, the bounds hold at every point.  They are wider than the true range by a few percent, or by more where a
        limit on the work is reached; the table shows by how much, ∞ for a range of one number.  Further methods decide
        claims: ``claim(lambda w: w > 0)`` on the derivatives, `monotone`, `lipschitz`.  For a function that returns a
        condition, the result is a `Claim`: proved, refuted at a point, or undecided on the pieces that it lists.

    Raises:
        TypeError: for any other subject, for arguments that the function does not have, for rows whose function or rule takes
            only numbers, and for a function that draws random numbers.
        ValueError: for leaves or sides that are not finite, and for an empty side; a `DomainError` if the function is found
            to have no value somewhere in the box.  Not all such places are found: a proof holds where the function has one.
        ModuleNotFoundError: without python-flint.

    >>> from autograd import sin
    >>> low, high = certify(sin, x=(0, 1)).bounds("x")
    >>> float(low) <= 0.5403023058681398 <= float(high) + 1e-15, float(high)
    (True, 1.0)
    >>> certify(lambda x: sin(x) <= x, x=(0.5, 3))
    Claim('proved on x ∈ [0.5, 3]')
    >>> certify(lambda x: sin(x) < 0.99, x=(0, 3)).verdict
    'refuted'

    Source: Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE Transactions on Computers
    66 (2017).
    """
    if digits is not None:
        checked_digits(digits, MOST_DIGITS)
    _need_arb("certify")
    if isinstance(subject, Value) and not box:
        from autograd.certainty.points import GraphCertificate

        return GraphCertificate(subject, digits or GRAPH_DIGITS)
    from autograd.certainty.boxes import BoxCertificate, claimed
    from autograd.certainty.subjects import Subject

    on_box = Subject(subject, box)
    claim = claimed(on_box, digits or BOX_DIGITS)
    return BoxCertificate(on_box, digits or BOX_DIGITS) if claim is None else claim


def check_on_box(f: Callable[..., Any] | Value, box: Mapping[str, Any]) -> BoxReport:
    """Compare the rules that a function uses with their rows' functions on a box; see `autograd.gradcheck`.

    Raises:
        ModuleNotFoundError: without python-flint.
    """
    _need_arb("gradcheck(f, box=…)")
    from autograd.certainty.rules import check

    if not isinstance(box, Mapping):
        raise TypeError(
            f"box={box!r} is a {type(box).__name__}; it is a dict with a pair for each argument, as in {{'x': (1, 3)}}"
        )
    return check(f, box)


def _need_arb(what: str) -> None:
    if find_spec("flint") is None:
        raise ModuleNotFoundError(
            f"{what} computes with Arb, from python-flint: pip install python-flint, or this package's extra certify",
            name="flint",
        )
