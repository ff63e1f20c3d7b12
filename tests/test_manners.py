"""Manners: how a node behaves as a Python object."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Value, certify, compile, dot, grad, gradcheck, gradients, jacobian, jvp, tanh, value_and_grad, walk
from autograd.manners import describe


def test_a_comparison_of_nodes_is_equal_to_its_truth_value() -> None:
    x, y = Value(2.0), Value(2.0)
    assert [x == x, x == y, x != x, x != y] == [True, False, False, True]
    assert {x == x, x != y} == {True} and {x == y, x != x} == {False} and repr(x == x) == "True"


@pytest.mark.parametrize("number", [int, float, np.float64, np.int64, Fraction])
def test_divmod_records_two_operations_and_statistics_is_refused_with_advice(number: Callable[[int], Any]) -> None:
    def f(x: Any) -> Any:
        return [*divmod(x, number(2)), *divmod(number(17), x)]

    assert jvp(f, (7.5,), (1.0,)) == ([3.0, 1.5, 2.0, 2.0], [0.0, 1.0, 0.0, -2.0])
    found = jacobian(f)(7.5)
    assert [slope.data for slope in found] == [0.0, 1.0, 0.0, -2.0]
    nodes: list[Any] = [Value(7.5)]
    with pytest.raises(TypeError, match="would drop its graph"):
        statistics.mean(nodes)


class Vector:
    """A vector that defines reflected operators, so it can be the right operand of a node."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __rmul__(self, x: Any) -> Any:
        return sum(x * part for part in self.parts)

    def __gt__(self, x: Any) -> Any:
        return sum(x < part for part in self.parts)


def test_other_objects_keep_their_own_operators_in_every_reading() -> None:
    def f(x: Any) -> Any:
        return (x < Vector(1.0, 3.0)) * (x * Vector(1.0, x))

    assert grad(f)(2.0).data == 5.0 and jvp(f, (2.0,), (1.0,)) == (6.0, 5.0) and certify(f, x=2).value == (6, 6)
    assert compile(f, [], example=[2.0])([2.0]) == 6.0
    for call in (lambda x: x * Vector, lambda x: Vector - x):  # the class itself defines no operators
        with pytest.raises(TypeError, match="unsupported operand type"):
            jvp(call, (2.0,), (1.0,))


def test_a_node_is_described_by_its_operation() -> None:
    w, x = Value(0.5, "w"), Value(2.0)
    for node, text in (
        (w, "w = 0.5"), (x, "Value(2.0)"), (+w, "w = 0.5"), (+x, "Value(2.0)"), (+(w * x), "w * 2.0 = 1.0"),
        (tanh(w * 0), "tanh(0.0) = 0.0"), (3 - w, "3.0 - w = 2.5"), (dot([w, 1], [x, x]), "dot(w, 1.0, 2.0, 2.0) = 3.0"),
        (dot([w, 1], [x, x], 4), "dot(w, 1.0, …, 4.0) = 7.0"), (-x, "-2.0"),
    ):  # fmt: skip
        assert describe(node) == text


def test_ipython_prints_the_name_of_a_row() -> None:
    written: list[str] = []

    class Printer:
        text = written.append

    row: Any = tanh
    row._repr_pretty_(Printer(), cycle=False)
    assert written == ["<primitive tanh>"]


def test_a_label_may_be_given_as_a_number_and_is_kept_as_text() -> None:
    labels: tuple[Any, ...] = (0, 2.5, "", None)
    assert [Value(1.0, label).label for label in labels] == ["0", "2.5", "", None]
    assert describe(Value(3.0, labels[0]) + 1) == "0 + 1.0 = 4.0"


def test_a_dual_is_formatted_and_clipped_like_a_node() -> None:
    def f(x: Any) -> Any:
        assert f"{x:.2f}" in ("0.25", "1.00")
        return 3 * x.clip(0.0, 1.0) + np.clip(x, None, 1.0)

    for x, slope in ((0.25, 4.0), (1.0, 0.0)):  # at an end the slope is that of the end
        assert jvp(f, (x,), (1.0,)) == (4 * x, slope)
        found: Any = value_and_grad(f)(x)
        assert [part.data for part in found] == [4 * x, slope]


def test_a_node_is_found_by_identity_whatever_its_class_compares() -> None:
    class Equal(Value):
        """A node that is equal to its number, and to any node with this number."""

        def __eq__(self, other: object) -> Any:
            return self.data == (other.data if isinstance(other, Value) else other)

    @dataclass
    class Weight(Value):
        """A node with a field."""

        start: float

        def __post_init__(self) -> None:
            super().__init__(self.start)

    kinds: list[Any] = [Equal, Weight]
    for kind in kinds:
        a, b = kind(2.0), kind(2.0)
        loss = a * b * a
        loss.backward()
        assert a == b and [a.grad, b.grad] == [8.0, 4.0] == [slope.data for slope in gradients(loss, [a, b])]
        assert "v3 = v1·v2" in str(walk(loss)) and gradcheck(loss)


def test_a_hash_by_number_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^Equal has a __hash__ of its own, but graphs find nodes by identity; leave it out$"):

        class Equal(Value):
            """A node that a dict finds by its number."""

            def __hash__(self) -> int:
                return hash(self.data)

    class Identical(Value):
        """A node with another equality, whose author kept the hash."""

        def __eq__(self, other: object) -> Any:
            return self is other

        __hash__ = Value.__hash__

    x = Identical(3.0)
    assert {x: 1.0}[x] == 1.0 and gradients(x * x, [x])[0].data == 6.0


@pytest.mark.parametrize("f", [lambda x: x ^ 2, lambda x: 2 ^ x, lambda x: np.allclose(x, 2.0)])
def test_operators_on_bits_are_refused_with_what_to_write_instead(f: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"write \*\* for a power, .* in numpy.allclose x.data for x"):
        f(Value(2.0))
