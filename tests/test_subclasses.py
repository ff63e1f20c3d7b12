"""Subclasses of `Value`: one that does more at every operation, and then calls `super`.

The idea: its method is called once, wherever the node is among the operands; the result is that of a plain `Value`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from autograd import DomainError, Primitive, Value, compile, dot, log, maximum, tanh, total, where

seen: list[str] = []


class Watched(Value):
    """A node that records the operations on it."""

    __slots__ = ()

    def __primitive__(self, row: Primitive, operands: Sequence[Any]) -> Any:
        seen.append(row.name)
        return super().__primitive__(row, operands)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x, w: x * w, "multiply"),
        (lambda x, w: dot([x, w], [w, x]), "dot"),
        (lambda x, w: total([w, w]), "total"),
        (lambda x, w: maximum(w, x), "maximum"),
        (lambda x, w: where(1.0, w, x), "where"),
        (lambda x, w: tanh(w), "tanh"),
        (lambda x, w: 1 / w, "divide"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_the_method_is_called_once_per_operation(f: Callable[..., Value], name: str) -> None:
    seen.clear()
    x, w, plain = Value(3.0, "x"), Watched(2.0, "w"), Value(2.0, "w")
    y, same = f(x, w), f(x, plain)
    y.backward()
    same.backward()
    assert seen in ([name], []) and (y.data, w.grad) == (same.data, plain.grad)
    assert seen or name in ("divide",)  # operators with plain numbers are recorded at once


def test_an_error_names_the_node() -> None:
    with pytest.raises(DomainError, match=r"log\(-1.0\) is undefined.*Value\(-1.0\)"):
        log(Watched(-1.0))


def test_a_program_has_plain_parameters() -> None:
    w = Watched(2.0)
    with pytest.raises(TypeError, match="a parameter is a plain Value, not a Watched"):
        compile(lambda x: w * x, [w], example=[1.0])
