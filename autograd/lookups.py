"""What nodes that stand for unknown numbers, such as symbols and intervals, do when a user's code asks for the number.

A set or a dict would find such a node by identity, so ``x in {0.0}`` would be False without a word, whatever x stands for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["hashed_here", "is_used_outside"]


def is_used_outside() -> bool:
    """Return whether the method that calls this was called by code outside this package."""
    return not sys._getframe(2).f_globals.get("__name__", "").startswith("autograd.")


def hashed_here(refusal: Callable[[Any], Exception]) -> Callable[[Any], int]:
    """Return a ``__hash__`` by identity for this package's own sets and dicts, which raises an error for those of users.

    Args:
        refusal: makes the error for a node.
    """

    def hashed(self: Any) -> int:
        if is_used_outside():
            raise refusal(self)
        return object.__hash__(self)

    return hashed
