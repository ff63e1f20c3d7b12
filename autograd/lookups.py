"""Hashes for nodes that stand for numbers which are not known, such as symbols and intervals.

A set or a dict would find such a node by identity, so ``x in {0.0}`` would be False without a word, whatever x stands for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["hashed_here"]


def hashed_here(refusal: Callable[[Any], Exception]) -> Callable[[Any], int]:
    """Return a ``__hash__`` by identity for this package's own sets and dicts, which raises an error for those of users.

    Args:
        refusal: makes the error for a node.
    """

    def hashed(self: Any) -> int:
        if not sys._getframe(1).f_globals.get("__name__", "").startswith("autograd."):
            raise refusal(self)
        return object.__hash__(self)

    return hashed
