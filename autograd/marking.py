"""The marking of answers: points, and for each answer a sentence about what is right or wrong with it.

>>> half = Mark("w", 0.5, "∂E/∂w: the sign is wrong", ("sign",))
>>> marking = Marking((Mark("b", 1.0, "∂E/∂b: right", is_right=True), half))
>>> print(marking)
1.5 of 2 points
∂E/∂b: right
∂E/∂w: the sign is wrong
>>> bool(marking), marking.points, marking.diagnoses
(False, 0.75, {'w': ('sign',)})
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from autograd.writing import digits

__all__ = ["Mark", "Marking", "blank"]


@dataclass(frozen=True, slots=True)
class Mark:
    """The marking of one answer.

    Attributes:
        asked: the subject of the question: a node, or a node and one of its operands.
        points: from 0 to 1.
        sentence: what is right or wrong with the answer.
        names: the misconceptions that explain a wrong answer, the likeliest first.
        is_right: whether the answer is right.
    """

    asked: Hashable
    points: float
    sentence: str
    names: tuple[str, ...] = ()
    is_right: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Marking:
    """The marks of all answers; true when all are right.  Its text is shown by `print`, in a terminal and in Jupyter.

    Attributes:
        marks: one for each answer.
    """

    marks: tuple[Mark, ...]

    @property
    def points(self) -> float:
        """The mean of the answers' points, from 0 to 1."""
        return sum(mark.points for mark in self.marks) / len(self.marks) if self.marks else 1.0

    @property
    def diagnoses(self) -> dict[Hashable, tuple[str, ...]]:
        """The names of the misconceptions behind each answer that is not right; empty if no known one explains it."""
        return {mark.asked: mark.names for mark in self.marks if not mark.is_right}

    @property
    def sentences(self) -> list[str]:
        """One sentence for each answer."""
        return [mark.sentence for mark in self.marks]

    def __bool__(self) -> bool:
        return all(mark.is_right for mark in self.marks)

    def __str__(self) -> str:
        total = f"{digits(sum(mark.points for mark in self.marks), 3)} of {len(self.marks)} points"
        return "\n".join([total, *self.sentences] if len(self.marks) > 1 else self.sentences)

    def __repr__(self) -> str:
        return str(self)


def blank(asked: Hashable, name: str) -> Mark:
    """Return the mark of an answer that is still the ``...`` of a prepared notebook cell.

    >>> print(Marking((blank("w", "∂E/∂w"),)))
    ∂E/∂w: still blank; put your answer in place of ... and run this again
    """
    return Mark(asked, 0.0, f"{name}: still blank; put your answer in place of ... and run this again")
