"""Predictions in the player: which numbers and signs count as right, without a page."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from engines import PLAYER, Node, node_with


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with node_with("quiz.js") as found:
        found.run((PLAYER / "picture.js").read_text(encoding="utf-8") + "; 0")
        yield found


def test_a_number_agrees_within_a_hundredth_however_small_it_is(node: Node) -> None:
    pairs = {
        "4e-10, 4e-10": True, "-4e-10, 4e-10": False, "0, 4e-10": False, "4.03e-10, 4e-10": True, "4.05e-10, 4e-10": False,
        "0, 0": True, "-0, 0": True, "1e-10, 0": False, "0, -1.1e-16": True, "0.5, 0.504": True, "0.5, 0.51": False,
        "Infinity, Infinity": True, "-Infinity, Infinity": False, "0, NaN": False, "NaN, 0": False,
    }  # fmt: skip
    assert {pair: node.run(f"agrees({pair})") for pair in pairs} == pairs


def test_nan_has_no_sign(node: Node) -> None:
    numbers = ["3", "-0.1", "0", "-0", "1e-300", "-Infinity", "NaN"]
    signs = node.run(f"[{', '.join(numbers)}].map((x) => SIGNS[signOf(x)]?.[1] ?? null)")
    assert signs == ["+", "-", "0", "0", "+", "-", None]
    hints = [node.run(f"Quiz.prototype.hint.call({{onlySigns: true}}, NaN, {right}, {{}})") for right in ("NaN", "1", "0")]
    assert hints == ["NaN has no sign", "", ""]


def test_the_sign_of_a_tiny_gradient_is_a_hint(node: Node) -> None:
    for guess, right in ((-4e-10, 4e-10), (2e-11, -2e-11)):
        assert node.run(f"Quiz.prototype.hint.call({{onlySigns: false}}, {json.dumps(guess)}, {right}, {{}})") == "the sign"
