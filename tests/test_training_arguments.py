"""Arguments of training that would be wrong without a word.

Those of native training are checked in full, since native code would read and write beyond its arrays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from autograd.compiler.batches import indices_of, require_states
from nn import Neuron, fit


class Late:
    """A callback whose call returns an iterator, and runs nothing."""

    def __call__(self, *_: object) -> Iterator[None]:
        """Wait to be iterated over."""
        yield


async def ticks(*_: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("callback", [lambda *_: (yield), Late(), partial(Late.__call__, Late()), asyncio.sleep, ticks])
def test_callbacks_that_a_call_would_not_run_are_refused(callback: Any) -> None:
    model = Neuron(1)
    before = model.state_dict()
    with pytest.raises(TypeError, match=r"a call would not run .*, because of its yield or async$"):
        fit(model, [[0.0], [1.0]], [0.0, 1.0], callbacks=[print, callback])
    assert model.state_dict() == before


@pytest.mark.parametrize("shuffle", ["no", 42, None, [], "False"])
def test_what_is_not_a_truth_value_is_refused(shuffle: Any) -> None:
    with pytest.raises(TypeError, match=r"shuffle is True or False; got .* pass seed=42$"):
        fit(Neuron(1), [[0.0], [1.0]], [0.0, 1.0], shuffle=shuffle)


@pytest.mark.parametrize("shuffle", [0, 1, np.True_])
def test_numbers_and_truth_values_of_numpy_are_truth_values(shuffle: Any) -> None:
    assert fit(Neuron(1), [[0.0], [1.0]], [0.0, 1.0], shuffle=shuffle, epochs=1).epochs == 1


def test_batches_may_name_every_example_in_any_order_and_often() -> None:
    several: list[Any] = [[[2, 0], [1, 1, 1]], [(2, 0), range(1, 2), np.array([1, 1])]]
    for batches in several:
        indices, sizes = indices_of(batches, 3)
        assert indices.tolist() == [2, 0, 1, 1, 1] and sum(sizes) == 5 and sizes == [len(batch) for batch in batches]
    assert indices_of([[0]], 1)[1] == [1]


@pytest.mark.parametrize(("batches", "message"), [
    ([], "and at least one step; there is none$"), ([[0], []], "; batch 1 is empty$"), ([[]], "; batch 0 is empty$"),
    ([[0, 3]], "names the example 3; examples are numbered from 0 to 2$"), ([[0, -1]], "names the example -1;"),
    ([[0], [2, 5, -1]], "names the example 5;"),
])  # fmt: skip
def test_batches_outside_the_examples_are_refused(batches: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        indices_of(batches, 3)


@pytest.mark.parametrize("batches", [3, [3], [None], [[0.0]], [[None]], ["01"], [[[0, 1]]], [[True]], [[0], [1.5]]])
def test_indices_have_to_be_ints(batches: Any) -> None:
    with pytest.raises(TypeError, match="batches lists for each step the indices of its examples, as ints"):
        indices_of(batches, 3)


def test_states_have_to_be_a_writeable_array() -> None:
    parameters, fixed = np.zeros(3), np.zeros((1, 3))
    for rows in (0, 1, 2):
        require_states(np.zeros((rows, 3)), parameters)
    fixed.flags.writeable = False
    wrong: list[tuple[Any, str]] = [
        (np.zeros((3, 1)), r"got an array of float64, of shape \(3, 1\)$"), (np.zeros(3), r"of shape \(3,\)$"),
        (np.zeros((1, 3, 1)), "got an array of"), (np.zeros((1, 3), np.float32), "got an array of float32"),
        (fixed, "a writeable array"), ([[0.0] * 3], r"got \[\[0.0, 0.0, 0.0\]\]$"), (None, "got None$"),
    ]  # fmt: skip
    for states, message in wrong:
        with pytest.raises(
            ValueError, match=rf"of float64, of shape \(states, 3\), a number for each parameter; .*{message}|{message}"
        ):
            require_states(states, parameters)
