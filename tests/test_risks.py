"""Where a partial derivative may be infinite: what is known about a node without its number.

The idea: the risk of a row depends on the signs that its operands can have, and a risk spreads to what is computed from it.
"""

from __future__ import annotations

import pytest

from autograd import Unary, Value, dot, exp, sqrt, where
from autograd.risks import risks
from autograd.value import topological

X, Y = Value(2.0, "x"), Value(3.0, "y")


def twice(x: float, out: float) -> float:
    """Return 2x; it takes only numbers."""
    return float(x) * 2


own = Unary("own", lambda x: x * x, twice)


@pytest.mark.parametrize(
    ("loss", "risky"),
    [
        (own(X), [("own", 2)]),
        (own(X.log()), [("log", 1), ("own", 2)]),  # a rule that takes only numbers may use all of them
        (sqrt(X * X) * Y + 1, [("sqrt", 2), ("multiply", 1)]),
        (where(X > 1, sqrt(X * X), 1) * 2, [("sqrt", 2), ("multiply", 1)]),  # the rule of where uses the condition only
        (sqrt(X * X + 1e-5) * Y, []),
        (exp(X) * Y, [("exp", 1), ("multiply", 1)]),
        (dot([exp(X), 1.0], [Y, X]) * Y, [("exp", 1)]),  # in a dot, an overflow is ignored: masks would cost matrices
        (dot([X.log(), 1.0], [Y, X]) * Y, [("log", 1), ("dot", 1), ("multiply", 1)]),
    ],
    ids=["own", "own of a log", "a product", "a choice", "none", "overflow", "overflow in a dot", "a log in a dot"],
)
def test_a_risk_spreads_to_what_is_computed_from_it(loss: Value, risky: list[tuple[str, int]]) -> None:
    order = topological(loss)
    risk = risks(order)
    assert [(node.primitive.name, risk(node)) for node in order if node.primitive and risk(node)] == risky
