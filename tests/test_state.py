"""States: names in order, arrays of arrays, and how much of them a message shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Module
from nn.state import LONGEST, assign, natural


class Held(Module):
    """A module with one attribute."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing


def named(*names: str) -> Held:
    """Return a module with a parameter of each name."""
    return Held({name: Value(0.0) for name in names})


def numbered(letter: str, n: int) -> list[str]:
    return [f"{letter}{i}" for i in range(n)]


def test_a_weight_comes_before_a_bias_and_both_before_all_else() -> None:
    assert sorted(["2.alpha", "2.bias", "10.weight", "2.weight"], key=natural) == ["2.weight", "2.bias", "2.alpha", "10.weight"]


def test_a_list_of_arrays_is_an_array() -> None:
    rows = [np.array([Value(1.0), Value(2.0)]), np.array([Value(3.0), Value(4.0)])]
    assert Held(rows).state_dict() == {"thing": [[1.0, 2.0], [3.0, 4.0]]}


def test_a_state_with_the_names_of_the_model_needs_no_note() -> None:
    assert assign(named("a"), {"thing.a": 2.0}) == ""


@pytest.mark.parametrize("n", [20, 21])
def test_a_note_says_where_at_most_twenty_arrays_went(n: int) -> None:
    note = assign(named(*numbered("a", n)), dict.fromkeys(numbered("b", n), 1.0))
    shown = ", ".join(f"b{i} as thing.a{i} a single number" for i in range(20 if n == 20 else 19))
    assert note == f"the names are not those of Held(); loaded in order: {shown}" + " and 2 more" * (n > 20)


@pytest.mark.parametrize(("n", "shown"), [(4, "b0, b1, b2, b3"), (5, "b0, b1, b2 and 2 more")])
def test_a_message_names_at_most_four_entries(n: int, shown: str) -> None:
    with pytest.raises(ValueError, match=rf"^the state does not fit Held\(\): it has {shown}, which are not parameters$"):
        assign(named("a"), {"thing.a": 1.0, **dict.fromkeys(numbered("b", n), 1.0)})


def test_a_message_shows_a_hundred_characters_of_a_name() -> None:
    for n, shown in ((LONGEST, "b" * 100), (LONGEST + 1, "b" * 100 + "…")):
        with pytest.raises(ValueError, match=f"it has {shown}, which is not a parameter$"):
            assign(named("a"), {"thing.a": 1.0, "b" * n: 1.0})


def test_a_state_may_hold_the_parameters_of_another_model() -> None:
    first, second = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    second.load_state_dict(dict(first.named_parameters()))
    assert second.state_dict() == first.state_dict()
    second.load_state_dict({**first.state_dict(), "layers.0.bias": [Value(1.0)] * 3})
    assert second.layers[0].bias[2].data == 1.0 and not {*map(id, first.parameters())} & {*map(id, second.parameters())}
