"""Exercises that mark themselves: on any graph, with partial credit, and the reason for each wrong answer.

There is no answer key: the engine derives the right answers on any graph, and a misconception is a wrong algorithm run on the
same graph.  An answer is compared with the right number and with the result of each misconception.

>>> from autograd.demo import network
>>> nodes = network(i=2.0, w_h=0.3, w_o=-0.8, t=1.0)
>>> task = exercise(nodes["E"], ask=[nodes["w_o"], nodes["w_h"]])
>>> marking = task.mark({"w_o": "-(t - r_o)*r_o*(1 - r_o)*r_h", "w_h": 0.235})
>>> print(marking)
1.86 of 2 points
∂E/∂w_o: -(t - r_o)*r_o*(1 - r_o)*r_h is right
∂E/∂w_h: 0.235 is not right; the factor ∂r_h/∂net_h = r_h·(1 - r_h) is left out: the derivative of the activation \
(activation-forgotten)
>>> marking.diagnoses == {nodes["w_h"]: ("activation-forgotten",)}
True
"""

from autograd.exercises.answers import AnswerError
from autograd.exercises.asking import Exercise, exercise
from autograd.exercises.grading import grade
from autograd.exercises.graphs import exercises
from autograd.exercises.misconceptions import NAMES
from autograd.exercises.sheets import Worksheet, worksheet
from autograd.marking import Mark, Marking

__all__ = [
    "NAMES", "AnswerError", "Exercise", "Mark", "Marking", "Worksheet", "exercise", "exercises", "grade", "worksheet",
]  # fmt: skip
