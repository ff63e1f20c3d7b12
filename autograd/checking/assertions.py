"""A gradient check that fails a test.

The idea: a derivative that could not be judged is not a bug.  In a property test its point is rejected, as by `assume`, so
that Hypothesis draws another; other tests have only the one point, and fail.

>>> assert_gradient(lambda x, y: x * y, 2.0, 3.0, gradient=lambda x, y: (y, x))
>>> assert_gradient(lambda x, y: x * y, 2.0, 3.0, gradient=lambda x, y: (x, y))
Traceback (most recent call last):
AssertionError: wrong: ∂f/∂x disagrees with the numeric derivative, and so does 1 more.
...
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from autograd.checking import gradcheck
from autograd.checking.points import PointError
from autograd.value import Value

__all__ = ["REJECTED", "assert_gradient", "why_rejected"]

REJECTED: Final[Counter[str]] = Counter()  # how many points were rejected since the test began, by reason


def assert_gradient(
    f: Callable[..., Any] | Value,
    *point: Any,
    gradient: Callable[..., Any] | None = None,
    order: int = 1,
    seed: int | None = None,
    **others: Any,
) -> None:
    """Fail unless the gradient of a function, or of a graph, agrees with numeric derivatives.

    In a Hypothesis test, a point at which this cannot be judged is rejected: a point at a kink or at the edge of a domain,
    where rounding hides too much, where a gradient of zero would pass too, where f has no value or overflows, or that is
    itself empty or not finite.  If every point is rejected, Hypothesis fails the test.

    Args:
        f: the function or the result of a graph, as for `gradcheck`.
        point: the arguments of the function.
        gradient: the function that returns the gradient, unless f returns a `Value`.
        order: 2 to check the derivatives of the derivatives too.
        seed: chooses the random directions that are used with many inputs.
        others: none; a keyword of another checker raises an error that names the alternative.

    Raises:
        AssertionError: with the report, if the gradient is wrong; outside of Hypothesis, also if it could not be judged.
        TypeError, ValueError: as `gradcheck` raises them.

    >>> import math
    >>> from hypothesis import given, strategies as st
    >>> @given(st.floats(-20, 20))
    ... def test_sinh(x):
    ...     assert_gradient(math.sinh, x, gradient=math.cosh)
    >>> test_sinh()
    """
    __tracebackhide__ = True  # in pytest the traceback ends in the test
    is_property = "hypothesis" in sys.modules and sys.modules["hypothesis"].currently_in_test_context()
    try:
        report = gradcheck(f, *point, gradient=gradient, order=order, seed=seed, **others)
    except PointError as error:
        if is_property:
            _reject(str(error))
        raise
    if report:
        return
    if is_property and report.verdict != "wrong":
        _reject(str(report).partition("\n")[0])
    raise AssertionError(str(report))


def why_rejected() -> str:
    """Return how many points were rejected since the test began, and why; an empty string if none was."""
    if not REJECTED:
        return ""
    reasons = "\n".join(f"    {count} × {reason}" for reason, count in REJECTED.most_common(5))
    return f"assert_gradient could not judge {REJECTED.total()} of the points that were drawn:\n{reasons}"


def _reject(reason: str) -> None:
    import hypothesis

    REJECTED[reason] += 1
    hypothesis.event(f"not judged: {reason}")
    hypothesis.reject()
