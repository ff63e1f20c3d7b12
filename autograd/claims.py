"""Checks gradients derived by hand, and explains the wrong ones.

A gradient is a sum over paths, each term a product of factors along its path, so a claim fails in one of two ways.  If a path
was forgotten, that path's share is missing.  If a factor is wrong, the claim is off by a ratio.  The ratio does not identify
the factor, so the candidates are named, the likeliest first; factors between the result and a node whose claim is right are
not among them.

>>> w, x, y = Value(0.5, label="w"), Value(2.0, label="x"), Value(3.0, label="y")
>>> loss = (w * x - y) ** 2
>>> check_derivation(loss, {w: -4.0})
∂loss/∂w is -8, not -4: the claim is 0.5 times the right value -8 = 2·v2·x; no path is missing, so one factor is off \
by that much: ∂loss/∂v2 = 2·v2 = -4, ∂v1/∂w = x = 2
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import combinations
from numbers import Real
from types import EllipsisType
from typing import Any

from autograd.derivation import Derivation, Explanation, Link, Share, tangents_of
from autograd.manners import describe
from autograd.marking import Mark, Marking, blank
from autograd.notation import equation, factor
from autograd.reals import kind_of, real
from autograd.steps import Walk
from autograd.value import Value
from autograd.writing import plain

__all__ = ["check_derivation"]

MOST_FACTORS = 3  # that are named, the likeliest first
MOST_NODES = 20  # between a leaf and the result, at which forgotten paths are looked for
MOST_USES = 12  # of a node, to look for several forgotten ones at once; with more, only single ones are looked for
RECOGNISED = 0.01  # relative error: a claim of two digits is enough to recognise a factor that was left out


def check_derivation(loss: Value, claims: Mapping[Value, float | EllipsisType], tolerance: float = 1e-6) -> Marking:
    """Check gradients that were derived by hand.

    Args:
        loss: the result.
        claims: for nodes of its graph, the claimed ∂loss/∂node; ``...`` is a blank that is still to be filled in.
        tolerance: the allowed error, relative to the gradient.

    Returns:
        A marking, true if all claims are right: a sentence for each claim, in the order of the backward pass, and
        `diagnoses`, in which ``path-forgotten`` and ``sign`` may occur.

    Raises:
        TypeError: for a claim that is not a number, or a node that is not a Value.
        ValueError: for a node that does not take part in the result, a claim beyond the largest float, or a negative
            tolerance.

    >>> w = Value(3.0, label="w")
    >>> loss = w * w + 4 * w
    >>> bool(check_derivation(loss, {w: 10.0}))
    True
    >>> check_derivation(loss, {w: 6.0})
    ∂loss/∂w is 10, not 6: a path was forgotten, the one through v2 = 4·w, which adds 1·4 = 4
    """
    if not isinstance(claims, Mapping):
        raise TypeError(f"claims is a dict from nodes to claimed gradients, such as {{w: 1.5}}; got {kind_of(claims)}")
    if not isinstance(tolerance, Real):
        raise TypeError(f"tolerance is a number, relative to the gradient; got {tolerance!r}")
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance!r}; it is relative to the gradient, and 0 or more")
    if not isinstance(loss, Value):
        raise TypeError(f"check_derivation needs the Value whose gradients are claimed, not {loss!r}")
    steps = Walk(loss)
    claimed = _read_claims(claims, steps)
    right: set[Value] = set()
    marks: list[Mark] = []
    for node in [*reversed(steps.order), *steps.notation.leaves]:
        if node not in claimed:
            continue
        name = f"∂{steps.names[loss]}/∂{steps.names[node]}"
        if claimed[node] is ...:
            marks.append(blank(node, name))
        elif _close(claimed[node], steps.gradients[node], tolerance) or (claimed[node] == 0 and _sums_to_zero(node, steps)):
            right.add(node)
            marks.append(Mark(node, 1.0, f"{name} is {steps.notation.number(claimed[node])}: right", is_right=True))
        else:
            marks.append(_diagnosis(Derivation(node, steps), claimed[node], right, tolerance))
    return Marking(tuple(marks))


def _read_claims(claims: Mapping[Value, Any], steps: Walk) -> dict[Value, Any]:
    """Return the claims as numbers and blanks, or raise for what is neither, and for nodes of other graphs."""
    claimed: dict[Value, Any] = {}
    for node, claim in claims.items():
        if not isinstance(node, Value):
            raise TypeError(f"a claim is about a Value of the graph, not about {kind_of(node)}: {node!r}; "
                            "write {w: 1.5} for a node w")  # fmt: skip
        if node not in steps.gradients:
            raise ValueError(f"{describe(node)} does not take part in {describe(steps.loss)}")
        try:
            claimed[node] = claim if claim is ... else real(claim.data if isinstance(claim, Value) else claim)
        except OverflowError:  # the number itself may be too long to be printed
            largest = f"the largest float, {sys.float_info.max:.2g}"
            raise ValueError(f"the claim for {describe(node)} is beyond {largest}; claim a smaller number") from None
        except TypeError as error:
            formulas = "; for formulas use autograd.exercises, as in exercise(loss).mark({w: '2*w'})" * isinstance(claim, str)
            raise TypeError(f"the claim for {describe(node)}: {error}{formulas}") from None
    return claimed


def _diagnosis(derivation: Derivation, claim: float, known: AbstractSet[Value], tolerance: float) -> Mark:
    """Return the mark of a wrong claim, with its explanation; the claims about the `known` nodes were right."""
    explanation, number = derivation.explanation(), derivation.steps.notation.number
    right = explanation.gradient
    look_alike = number(right) == number(claim)
    written = repr if look_alike else number
    head = f"∂{explanation.loss}/∂{explanation.node} is {written(right)}, not {written(claim)}"
    names: tuple[str, ...] = ()
    if not explanation.shares:
        text = ": the derivative of the result with respect to itself is 1"
    elif not math.isfinite(right):
        text = ": the right value is not finite; find_nonfinite(loss) finds where that begins"
    elif not math.isfinite(claim):
        text = ": the claim is not finite, so the calculation divided by 0 or overflowed"
    elif _rounded(right, claim):
        text = ": the claim is the right value, rounded; give more digits, or allow a larger tolerance"
    elif look_alike:
        text = ": they agree in the digits that are printed; give more digits, or allow a larger tolerance"
    else:
        is_minus, forgotten = _agrees(-right, claim, tolerance), _forgotten(derivation, claim, known, tolerance)
        names = ("sign",) * is_minus + ("path-forgotten",) * bool(forgotten)
        off = -1.0 if is_minus else claim / right if right else math.inf
        sign = "the sign is wrong, or " * is_minus
        text = f": {sign + forgotten if forgotten else _wrong_factor(derivation, explanation, claim, off, known)}"
    return Mark(derivation.node, 0.0, head + text, names)


def _rounded(right: float, claim: float) -> bool:
    """Whether a claim of at least two digits is the right value, rounded to the claim's decimals."""
    _, figures, exponent = Decimal(repr(claim)).normalize().as_tuple()
    return isinstance(exponent, int) and len(figures) > 1 and round(right, max(0, -exponent)) == claim


def _sums_to_zero(node: Value, steps: Walk) -> bool:
    """Whether the contributions to a node's gradient add up to 0, apart from rounding."""
    contributions = [edge.contribution for _, edge in Derivation(node, steps).shares()]
    return abs(sum(contributions)) < sum(map(abs, contributions)) * 2**-50


def _agrees(value: float, claim: float, tolerance: float) -> bool:
    """Whether a claim is a value, perhaps rounded."""
    return _close(value, claim, tolerance) or _rounded(value, claim)


def _forgotten(derivation: Derivation, claim: float, known: AbstractSet[Value], tolerance: float) -> str:
    """Name the paths whose omission explains the claim, as few as possible; return an empty string if none does.

    The omitted paths go through some of the uses of one node: the explained node itself, or a node on the way to it.
    """
    steps, node = derivation.steps, derivation.node
    tangents, settled = tangents_of(node, steps.order), derivation.settled(known)
    uses = Counter(x for other in steps.order for x in other.inputs)
    between = [x for x in reversed(steps.order) if uses[x] > 1 and not settled.get(x, True) and x is not node]
    for x in [node, *between[:MOST_NODES]]:
        shares = list(Derivation(x, steps).shares())
        sizes = range(1, len(shares)) if len(shares) <= MOST_USES else (1,)
        for missing in (some for size in sizes for some in combinations(shares, size)):
            lost = sum(edge.contribution for _, edge in missing) * tangents[x]
            if _agrees(steps.gradients[node] - lost, claim, tolerance):
                onward = None if x is node else tangents[x]
                through = ", and the one through ".join(_use(share, steps, steps.names[x], onward) for share in missing)
                what = "a path was forgotten" if len(missing) == 1 else f"{len(missing)} paths were forgotten"
                return f"{what}, the one through {through}"
    return ""


def _use(share: Share, steps: Walk, name: str, onward: float | None) -> str:
    """Write one use of a node and what it adds to the gradient.

    Args:
        share: the use, as in `Explanation.shares`.
        steps: the walk.
        name: the name of the node that is used.
        onward: its derivative with respect to the explained node; None if it is that node.
    """
    (step, edge), number = share, steps.notation.number
    product, added = edge.product, edge.contribution
    if onward is not None:
        product, added = f"{product}·{factor(number(onward))}", added * onward
    which = edge.name.removeprefix(name)  # such as " (operand 0)"
    return f"{step.name} = {step.formula}{which}, which adds {product} = {number(added)}"


def _wrong_factor(derivation: Derivation, explanation: Explanation, claim: float, off: float, known: AbstractSet[Value]) -> str:
    """Describe the ratio of a claim to the right value, and the factors that could be wrong."""
    right, number = explanation.gradient, derivation.steps.notation.number
    if not explanation.paths:
        missing = ", or a path is missing" * (explanation.n_paths > 1)
        return f"a factor is wrong{missing}; claim intermediate nodes as well, to find out where"
    formula = equation(number(right), explanation.formula.written(plain(explanation.digits)))
    links = list(derivation.links(known))
    if right == 0:
        zeros = [str(link) for link in links if link.edge.partial == 0]
        return f"a factor is 0: {_first_few(zeros)}" if zeros else f"the paths cancel: {formula}"
    if claim == 0:
        return f"no path is missing, and no factor is 0 in the right value {formula}"
    everywhere = [link for link in links if link.everywhere]
    ratios = {link: 1 + (claim - right) / link.flow for link in links if link.flow and not link.everywhere}
    errors = []
    if everywhere:
        texts = [str(link) for link in sorted(everywhere, key=lambda link: not _is_likely(link, off))]
        errors.append(f"{'has the wrong sign' if off == -1 else 'is off by that much'}: {_first_few(texts)}")
    if ratios:
        likeliest = sorted(ratios, key=lambda link: not _is_likely(link, ratios[link]))
        texts = [f"{link} by {number(ratios[link])}" for link in likeliest]
        errors.append(f"is off on some of the paths: {_first_few(texts)}")
    ratio = "the sign is wrong: the claim is minus" if off == -1 else f"the claim is {number(off)} times"
    could_be = f"so one factor {', or one '.join(errors)}" if errors else "and sums pass the gradient on unchanged"
    return f"{ratio} the right value {formula}; no path is missing, {could_be}"


def _is_likely(link: Link, off: float) -> bool:
    """Whether leaving out the factor, its minus sign or its 2 explains the ratio by which a claim is off."""
    partial = link.edge.partial
    usual = [1 / partial] if partial else []
    usual += [-1.0] if partial < 0 else []
    usual += [0.5] if link.edge.rule.startswith("2·") else []
    return any(_close(off, ratio, RECOGNISED) for ratio in usual)


def _first_few(texts: Sequence[str]) -> str:
    texts = list(dict.fromkeys(texts))
    return ", ".join([*texts[:MOST_FACTORS], *[f"and {len(texts) - MOST_FACTORS} more"] * (len(texts) > MOST_FACTORS)])


def _close(a: float, b: float, tolerance: float) -> bool:
    return math.isclose(a, b, rel_tol=tolerance) or (math.isnan(a) and math.isnan(b))
