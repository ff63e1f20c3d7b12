"""Gradients compared with numeric ones, each with a verdict and a reason.

The idea: a difference quotient is only as good as its error estimate, so the tolerance of a comparison is computed, not
chosen; and a report says where values of a function cannot decide: at a kink, at the edge of a domain, below rounding.

>>> from autograd import tanh
>>> bool(gradcheck(lambda w, x: tanh(w * x) ** 2, 0.5, 2.0))  # a function of autograd
True
>>> import numpy as np
>>> def loss(w):
...     return np.sum(np.log1p(np.exp(-w)))
>>> gradcheck(loss, np.array([0.5, -1.0]), gradient=lambda w: -1 / (1 + np.exp(w))).verdict
'correct'
>>> print(gradcheck(loss, np.array([0.5, -1.0]), gradient=lambda w: -np.array([1, 0]) / (1 + np.exp(w))))
wrong: ∂loss/∂w[1] disagrees with the numeric derivative.
...
∂loss/∂w[1] at w[1] = -1: it is 0, but the slope is -0.7310585786 ± ...

`graphs` checks functions that return a `Value`, edge by edge; `plain` checks any other function against a given gradient.
Both take numeric derivatives from `numeric`, compare them by `verdicts` and put the results into a `report`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, overload

from autograd.certainty import check_on_box
from autograd.checking import graphs, plain
from autograd.checking.lines import MOST_SINGLE
from autograd.checking.report import Report
from autograd.checking.verdicts import VERDICTS, Check, Verdict
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.certainty.rules import BoxReport

__all__ = ["VERDICTS", "Check", "Report", "Verdict", "gradcheck"]

STEPS: Final = "it takes steps of many sizes, and compares them with each other"
TOLERANCE: Final = "a derivative may be off by the estimated error of the numeric one, which the report shows"
ELSEWHERE: Final = {  # keywords of other checkers, and what replaces them here
    **dict.fromkeys(("eps", "epsilon", "h", "step"), STEPS),
    **dict.fromkeys(("atol", "rtol", "tol"), TOLERANCE),
    **dict.fromkeys(("fast_mode", "direction"), f"with more than {MOST_SINGLE} inputs it tries random directions first"),
    **dict.fromkeys(("grad", "jac"), "the keyword is gradient"),
    "args": "bind further arguments, as in lambda w: f(w, data)",
    "modes": "it compares backward with forward mode wherever f returns a Value",
    "nondet_tol": "it measures the noise of the function",
    "raise_exception": "the report is true or false; assert_gradient raises",
}


@overload
def gradcheck(
    f: Callable[..., Any] | Value,
    *point: Any,
    gradient: Callable[..., Any] | None = None,
    order: int = 1,
    seed: int | None = None,
    box: None = None,
    **others: Any,
) -> Report: ...
@overload
def gradcheck(f: Callable[..., Any] | Value, *, box: Mapping[str, Any]) -> BoxReport: ...
def gradcheck(
    f: Callable[..., Any] | Value,
    *point: Any,
    gradient: Callable[..., Any] | None = None,
    order: int = 1,
    seed: int | None = None,
    box: Mapping[str, Any] | None = None,
    **others: Any,
) -> Report | BoxReport:
    """Compare the gradient of a function, or of a graph, with numeric derivatives; or, on a box, check the rules that it uses.

    Args:
        f: a function of numbers or trees of numbers (nested lists, tuples, dicts, dataclasses, NumPy arrays, pandas Series),
            written with operators and autograd's functions; or the result of a graph, to be checked with respect to all its
            leaves at the numbers they have.  With `gradient`, any function that returns a number or an array; its point
            may then contain arrays of PyTorch and JAX too, and f is called with arrays of the same kind and precision.
        point: the arguments of the function, one or more; a `Value` gives its number and its label, other numbers are named
            by their paths, such as ``w[0]``.
        gradient: a function of the same arguments that returns the gradient, computed by any means, in the structure of the
            point: for several arguments a tuple; for an array result the Jacobian, with the result's shape before the
            argument's.
        order: 2 to check the derivatives of the derivatives too; not with `gradient`.
        seed: chooses the random directions that are used with more than 24 inputs.
        box: in place of a point, for each argument a pair (low, high), a number or a tree of these; for a graph, its leaves
            by label.  Every rule that f uses is then compared with its row's function on the whole box, by the mean value
            theorem in interval arithmetic; this needs python-flint.
        others: none; a keyword of another checker raises an error that names the alternative.

    Returns:
        A report: print it, read its `verdict`, or use it as a condition, as in ``assert gradcheck(f, 0.5)``.  The gradients
        of the nodes do not change.  On a box, "wrong" is proved; "correct" comes with a sharpness, the share of a rule's size
        below which an error may be hidden; otherwise the verdict is "undecided", with the pieces of the box where it is.

    Raises:
        TypeError: if there are no inputs, or f does not return one `Value` or, with `gradient`, real numbers.
        ValueError: if f or gradient raises, f is not finite at the point, or gradient has another structure or shape than
            the point; without `gradient`, also if f depends on no input or gives another value each time.

    >>> bool(gradcheck(lambda v: v[0] ** 2 * v[1], [3.0, 5.0], order=2))
    True
    >>> report = gradcheck(lambda p: p["w"] ** 2 * p["b"], {"w": 3.0, "b": 5.0})
    >>> [check.name for check in report.inputs]
    ["∂f/∂p['w']", "∂f/∂p['b']"]
    >>> x, y = Value(1e-5, label="x"), Value(2.0, label="y")
    >>> gradcheck(x.relu() * y).inputs[0].reason
    'a kink 1e-05 to the left: the slope is 0 on the left and 2 on the right; 2 is right on this side'
    >>> [check.verdict for check in gradcheck(lambda x, y: x * y, 2.0, 3.0, gradient=lambda x, y: (y, y)).inputs]
    ['correct', 'wrong']
    >>> gradcheck(lambda x: x.tanh() * 2, box={"x": (1, 3)}).verdict
    'correct'
    >>> gradcheck(lambda x: x * x, 2.0, eps=1e-6)
    Traceback (most recent call last):
    TypeError: gradcheck takes no eps: it takes steps of many sizes, and compares them with each other
    """
    for name in others:
        raise TypeError(f"gradcheck takes no {name}: {ELSEWHERE.get(name, 'its keywords are gradient, order, seed and box')}")
    if box is not None:
        if point or gradient is not None or order != 1:
            raise TypeError("with box=… gradcheck takes neither a point nor gradient=… nor an order: it checks the rules of f")
        return check_on_box(f, box)
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"the order of a check is 1, for first derivatives, or more; not {order!r}")
    if gradient is None:
        return graphs.check(f, point, order, seed)
    if isinstance(f, Value):
        raise TypeError("a graph has its own gradient; gradcheck(y) checks that, and check_derivation one derived by hand")
    if order > 1:
        raise ValueError("with gradient=… the order is 1; for second derivatives check the gradient itself: "
                         "gradcheck(gradient, *point, gradient=hessian)")  # fmt: skip
    return plain.check(f, point, gradient, seed)
