"""A tiny scalar autograd engine: one table of derivatives, read in many ways.

>>> from autograd import Value, tanh
>>> w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-0.4, label="b")
>>> loss = tanh(w * x + b) ** 2
>>> loss.backward()
>>> f"{loss.data:.4f} {w.grad:.4f}"
'0.2884 1.5286'

Record: `Value`, the operations by name, `label_values`; a new operation is a row, `Unary`, `Binary` or `Nary`.
Differentiate: `Value.backward`, `gradients`, `grad`, `value_and_grad`, `jacobian`, `hessian`; forward `jvp`, `Dual`; `replay`.
Step: `walk`, `find_nonfinite`.  Explain: `explain`, `check_derivation`.  Draw: `draw`.  Play: `play`.  Check: `gradcheck`,
`assert_gradient`, and `autograd.strategies` for Hypothesis.  Prove: `certify`.  Set exercises: `autograd.exercises`.  From
scalars to matrices: `compile`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd import manual as manual  # so that help(tanh) is about tanh
from autograd.forward import Dual, jvp
from autograd.functions import clip, mean, softmax
from autograd.nonfinite import find_nonfinite
from autograd.notation import label_values
from autograd.primitives import *
from autograd.primitives import __all__ as _operations
from autograd.rerun import replay
from autograd.steps import walk
from autograd.transforms import grad, gradients, hessian, jacobian, value_and_grad
from autograd.trees import numbers
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.certainty import certify
    from autograd.checking import gradcheck
    from autograd.checking.assertions import assert_gradient
    from autograd.claims import check_derivation
    from autograd.compiler import Program as Program
    from autograd.compiler import compile as compile
    from autograd.derivation import explain
    from autograd.drawing import draw
    from autograd.player import play

# `compile` and `Program` stay outside: a star import must need only the standard library, and must keep Python's `compile`.
__all__ = [
    "Dual", "Value", "assert_gradient", "certify", "check_derivation", "clip", "draw", "explain", "find_nonfinite", "grad",
    "gradcheck", "gradients", "hessian", "jacobian", "jvp", "label_values", "mean", "numbers", "play", "replay", "softmax",
    "value_and_grad", "walk",
]  # fmt: skip
__all__ += _operations

# The modules that are imported at first use, because a program that only differentiates does not need them.
_LAZY = {
    "Program": "autograd.compiler",
    "assert_gradient": "autograd.checking.assertions",
    "certify": "autograd.certainty",
    "check_derivation": "autograd.claims",
    "compile": "autograd.compiler",
    "draw": "autograd.drawing",
    "explain": "autograd.derivation",
    "gradcheck": "autograd.checking",
    "play": "autograd.player",
}


if not TYPE_CHECKING:  # a type checker that sees this takes every name for one of the package's

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'autograd' has no attribute {name!r}")
        globals()[name] = found = getattr(import_module(_LAZY[name]), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY})
