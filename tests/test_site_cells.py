"""What students paste into a cell of the page for everyone, and what a cell may break."""

from __future__ import annotations

import pytest

from autograd import Value
from autograd.site.session import Session

PASTED = (
    ">>> w = Value(2.0)\n>>> for _ in range(1):\n...     out = w * w\n...\n>>> print(3)\n3\n>>> out",
    "    >>> w = Value(2.0)\n    >>> w * w\n    Value(data=4.0, grad=0.0)\n",
    "\ufeffw\xa0= Value(2.0)\nw * w\u200b",
    "w = Value(2.0)\r\nif w > 0:\r\n\tw = w\r\nw * w",
)
BROKEN = {
    "input('x?')": "write the answer into the code",
    "import no_such_package": "No module named 'no_such_package'; this page has only autograd, nn",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "Value.__mul__ = None\nValue(1.0) * 2": "TypeError",
}


@pytest.mark.parametrize("code", PASTED)
def test_a_pasted_cell_runs_and_is_copied_as_a_program(code: str) -> None:
    session = Session()
    shown = session.show(code=code)
    assert (shown.get("leaves"), shown.get("steps")) == ({"w": 2.0}, 2)
    exec(session.code({})["text"], {})


@pytest.mark.parametrize(("code", "text"), BROKEN.items())
def test_what_is_wrong_is_said_at_its_line(code: str, text: str) -> None:
    error = Session().show(code="\n" + code)["error"]
    assert text in error["text"]
    assert error["line"] == 1 + len(code.splitlines())


def test_what_a_cell_does_to_value_ends_with_it() -> None:
    session = Session()
    for name in ("__mul__", "twice"):
        assert session.show(code=f"Value.{name} = lambda x, y=2: x + x\nValue(1.0).{name}(2)")["names"][-1] == "loss"
        assert session.show(code="Value(1.0) * 3")["steps"] == 2
    assert not hasattr(Value, "twice")
    assert (Value(1.0) * 3).data == 3
