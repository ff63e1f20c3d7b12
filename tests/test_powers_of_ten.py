"""Near a power of ten, where the unit of the third digit changes, only true roundings are right."""

from __future__ import annotations

import json

import pytest
from engines import Engine

from autograd.exercises.answers import is_rounded

# The answer, the right number, and whether the answer is the number rounded.
PAIRS = (
    (0.996, 1.0, False), (99.6, 100.0, False), (996.0, 1000.0, False), (-9.96, -10.0, False), (0.9996, 1.0, True),
    (1.0, 0.9996, True), (1.0, 0.996, False), (1.0, 0.9951, False), (100.0, 99.96, True), (100.0, 99.94, False),
    (1000.0, 999.6, True), (1000.0, 1004.0, True), (1.0, 1.004, True), (0.99, 0.9899, True), (0.999, 1.0, False),
    (10.0, 9.995, True), (0.0999, 0.1, False), (0.0, 0.0004, True), (0.001, 0.00096, True), (9.99, 10.0, False),
)  # fmt: skip


@pytest.mark.parametrize(("answer", "right", "is_right"), PAIRS)
def test_the_unit_is_that_of_the_smaller_number(answer: float, right: float, is_right: bool) -> None:
    assert is_rounded(answer, right) is is_right


def test_every_number_of_three_digits_is_a_rounding_of_those_nearest_to_it() -> None:
    for n in range(100, 1000):
        for scale in (1e-6, 1e-3, 1.0, 1e3):
            answer = float(f"{n * scale:.3g}")
            assert is_rounded(answer, (n + 0.49) * scale) and (n == 100 or is_rounded(answer, (n - 0.49) * scale))
            assert is_rounded(float(f"{(n + 0.51) * scale:.3g}"), (n + 0.51) * scale)


def test_the_page_rounds_as_python_does(engine: Engine) -> None:
    pairs = json.dumps([[answer, right] for answer, right, _ in PAIRS])
    assert engine.run(f"{pairs}.map(([x, right]) => isRounded(x, right))") == [is_right for *_, is_right in PAIRS]
