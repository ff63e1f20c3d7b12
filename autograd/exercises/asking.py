"""One exercise: a task, and the marking of answers to it.

An answer is compared with the right number, then with what follows from the answers above it, so that a slip counts only once,
then with the result of each misconception.  The first that agrees decides the points and the sentence.

>>> w, x = Value(3.0, "w"), Value(2.0, "x")
>>> task = exercise((w * x - 5) ** 2, ask=["v2", w])
>>> print(task.mark({"v2": -2, w: -4}))  # the sign is wrong, but only once
1.5 of 2 points
∂loss/∂v2: -2 is not right; ...
∂loss/∂w: -4 is not right, but follows from a wrong answer above, so it counts
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from autograd.exercises.answers import ADVICE, EXACT, NOISE, Answer, AnswerError, differs, fits, is_rounded, read_answer, shown
from autograd.exercises.misconceptions import HALF, Suspect, Suspects
from autograd.exercises.questions import KINDS, Question, Scene, scenes
from autograd.exercises.tasks import Task, described, listed
from autograd.manners import describe
from autograd.marking import Mark, Marking, blank
from autograd.mistakes import RATE
from autograd.notation import is_condition
from autograd.primitives import Nary, Primitive
from autograd.steps import Walk
from autograd.tokens import ALLOWED, MEANT, SIGNS, SLIPS, look_up, spellings
from autograd.value import Value
from autograd.writing import DIGITS, strict

if TYPE_CHECKING:
    from autograd.player import Player

__all__ = ["Exercise", "exercise"]

NAMED: Final = KINDS[1:]  # kinds that `ask` gives by name; for gradients it gives the nodes
ALTERNATIVES: Final = listed([repr(kind) for kind in NAMED], " or ")
CLOSE: Final = 1e-6  # relative, of a formula to the derivative
NEARLY: Final = 0.05  # relative: an error that comes from rounding intermediate results
ROUGHLY: Final = 0.2  # the same, where so few digits are given that they may hide more
MOST_NAMED: Final = 6  # nodes in one sentence
MOST_EXPLANATIONS: Final = 2  # that are written out; all are named
Followed: TypeAlias = tuple[float, float, bool]  # see `_following`
NOTHING: Final = (0.0, 0.0, False)  # of a node that no contribution has reached
ROUNDED: Final = "it is close: intermediate results were rounded too early"
# The sentences of a marking; a page fills in the same ones.
SENTENCES: Final = {
    "unanswered": "{name}: not answered",
    "right": "{name}: {answer} is right",
    "from rounded": "{name}: {answer} is right, with the rounded answers above",
    "right here": "{name}: {answer} is the right number here, but not at other numbers",
    "only here": "{name}: {answer} is the right number here; the formula could not be compared at other numbers nearby",
    "from wrong": "{name}: {answer} is not right, but follows from a wrong answer above, so it counts",
    "too few digits": "{name}: {answer} has too few digits to show the step from {old}; give more",
    "explained": "{name}: {answer} is not right; {words} ({names})",
    "unexplained": "{name}: {answer} is not right, and no known misconception explains it; {way}",
    "order": "order: right",
    "too early": "order: {node} is visited too early: it feeds {users}, which must come before it (too-early)",
    "missing": "order: missing: {nodes}",
    "twice": "order: a node is visited twice",
}


class Exercise(Task):
    """An exercise on one graph, which marks answers; `print` shows it, and so does Jupyter.  See `exercise`."""

    @cached_property
    def _scenes(self) -> list[Scene]:
        return scenes(self.steps)

    @cached_property
    def _suspects(self) -> Suspects:
        return Suspects(self.steps, self.rate)

    def mark(self, answers: Mapping[Any, Any] | Iterable[Any]) -> Marking:
        """Mark answers.

        Args:
            answers: the answer for each node in question; for local derivatives, for each (node, operand), or (node, k) with
                the k-th operand where it occurs twice; for an order, a list of nodes.  A node may be given by its name.  An
                answer is a number, or text: a number, a fraction, or a formula over the names in the picture; ``...`` is a
                blank that is still to be filled in, and gets no points.

        Raises:
            AnswerError: before anything is marked, for an answer that is neither a number nor a formula, or for a node that
                no question is about, or two answers to one question.
            ValueError: if a leaf was changed since the exercise was made.

        >>> w, x = Value(3.0, "w"), Value(2.0, "x")
        >>> task = exercise((w * x - 5) ** 2, ask=[w, x])
        >>> print(task.mark({w: "2*(w*x - 5)*x", x: 2}))
        1.5 of 2 points
        ∂loss/∂w: 2*(w*x - 5)*x is right
        ∂loss/∂x: 2 is not right; ...
        """
        if self.kind == "order":
            return Marking((self._mark_order(answers),))
        if not isinstance(answers, Mapping):
            raise AnswerError(f"answers are given as {{node: answer}}, not {answers!r}")
        given = self.by_question(answers)
        numbers = self.numbers
        read = {q: read_answer(x, numbers, self.functions, self.constants) for q, x in given.items() if x is not ...}
        following = self._following(read)
        return Marking(tuple(
            blank(question.key, question.name) if given.get(question) is ... else self._mark(question, read, following)
            for question in self.questions
        ))  # fmt: skip

    def _mark(self, question: Question, answers: Mapping[Question, Answer], following: Mapping[Value, Followed]) -> Mark:
        if question not in answers:
            return Mark(question.key, 0.0, SENTENCES["unanswered"].format(name=question.name))
        answer, right, old = answers[question], question.value(self._scene), question.old

        def mark(points: float, sentence: str, names: tuple[str, ...] = (), is_right: bool = False, **parts: str) -> Mark:
            text = SENTENCES[sentence].format(name=question.name, answer=answer.text, names=", ".join(names), **parts)
            return Mark(question.key, points, text, names, is_right)

        is_near = old is None and abs(answer.value - right) <= min(answer.rounding, ROUGHLY * abs(right))
        if is_near or is_rounded(answer.value, right, old):
            if answer.formula is None or (self._scenes and self._holds(question, answer)):
                return mark(1.0, "right", is_right=True)
            return mark(HALF, "right here") if self._scenes else mark(1.0, "only here", is_right=True)
        if old is not None and answer.formula is None and answer.value in (old, shown(old)) and fits(answer.value, right):
            return mark(0.0, "too few digits", old=self.number(old))
        if question.place is None and old is None:
            gradient, twice, is_wrong = following.get(question.node, NOTHING)
            if is_rounded(answer.value, gradient) and not is_rounded(answer.value, twice):
                return mark(1.0, "from wrong" if is_wrong else "from rounded", is_right=not is_wrong)
        found = self._explanations(question, answer, right)
        if not found:
            return mark(0.0, "unexplained", way=self._way_to(question))
        likeliest: dict[str, str] = {}  # the first words of each misconception
        for suspect in found:
            likeliest.setdefault(suspect.name, suspect.words)
        words = [*likeliest.values()][:MOST_EXPLANATIONS]
        shows = answer.value != (old or 0.0)  # a 0, or a step of 0, has no part that is right
        points = max(suspect.points for suspect in found) if shows else 0.0
        return mark(points, "explained", tuple(likeliest), words=", or ".join(words))

    def _holds(self, question: Question, answer: Answer) -> bool:
        """Whether a formula gives the right number at other numbers, too."""
        for scene in self._scenes:
            numbers = {self.names[x]: twin.data for x, twin in scene.nodes.items()}
            try:
                found = answer.at(numbers)
            except ValueError:  # outside a domain
                return False
            right = question.value(scene)
            if found != right and not abs(found - right) <= self._tolerance(question, scene) + answer.slack(numbers):
                return False
        return True

    def _tolerance(self, question: Question, scene: Scene) -> float:
        """Return the largest difference between a formula and the derivative that counts as rounding."""
        right, gradient = abs(question.value(scene)), abs(scene.gradients[question.node])
        if question.rate is not None:  # the step has to be right, and it may be small beside the leaf
            return CLOSE * question.rate * max(1e-3, gradient) + NOISE * right
        return CLOSE * max(1e-3, right, gradient)

    def _following(self, answers: Mapping[Question, Answer]) -> dict[Value, Followed]:
        """Return for each node the gradient that follows from the answers above it, and whether one of these is wrong.

        An answer replaces the gradient that follows from those above it.  If the two agree, it is as wrong as they are.
        The second number is the gradient that would follow from answers twice as large: where that is the same, as for 0, ∞
        and NaN, an answer that follows proves nothing.
        """
        given = {question.node: answer.value for question, answer in answers.items()}
        found = {self.loss: (1.0, 1.0, False)}
        for node in reversed(self.steps.order):
            if node not in found:
                continue
            delta, twice, is_wrong = found[node]
            if node in given:
                follows = is_rounded(given[node], delta)
                is_right = is_rounded(given[node], self.steps.gradients[node])
                delta, twice, is_wrong = given[node], 2 * given[node], not is_right and (is_wrong or not follows)
            for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True):
                if taken:
                    total, doubled, was_wrong = found.get(x, NOTHING)
                    found[x] = total + delta * partial, doubled + twice * partial, was_wrong or is_wrong
        return found

    def _explanations(self, question: Question, answer: Answer, right: float) -> list[Suspect]:
        """Return the misconceptions that give the answer, up to rounding, the nearest first."""
        if not math.isfinite(answer.value):
            return []
        suspects, old, start = self._suspects_of(question, right), question.old, question.old or 0.0
        if answer.formula is not None:  # no intermediate result was rounded
            suspects = [s for s in suspects if s.name != "rounded-too-early"]
        likely = [s for s in suspects if is_rounded(answer.value, s.gradient, old)]
        same = 2 * EXACT * abs(answer.value - start) + 1e-15
        likely.sort(key=lambda s: max(abs(s.gradient - answer.value), same))
        # If one result is the answer exactly, others that agree with it in three digits do not explain it.
        if likely and abs(likely[0].gradient - answer.value) <= same:
            likely = [s for s in likely if abs(s.gradient - answer.value) <= same]
        if likely or answer.formula is not None or not math.isfinite(right):
            return likely
        return [Suspect("rounded-too-early", ROUNDED, answer.value, HALF)] if _is_near(answer.value, right, start) else []

    def _suspects_of(self, question: Question, right: float) -> list[Suspect]:
        """Return the results of the misconceptions that differ from the right answer."""
        node = question.node
        if question.rate is not None:
            suspects = self._suspects.after_step(node, question.rate)
        elif question.place is not None:
            suspects = self._suspects.readings(node, question.place)
        else:
            suspects = self._suspects.of(node)
        return [suspect for suspect in suspects if differs(suspect.gradient, right, question.old)]

    def _way_to(self, question: Question) -> str:
        """Return advice: the gradients above the node, or the rule, that would show where the answer goes wrong."""
        if question.place is not None:
            return f"look at the rule of {self.names[question.node]} = {self.steps.notation.formula(question.node).text}"
        above = [x for x in self._uses[question.node] if x is not self.loss]
        if not above:
            return f"look at the rule of {self.names[self.loss]} = {self.steps.notation.formula(self.loss).text}"
        result = self.names[self.loss]
        asked = {each.node for each in self.questions}
        names = [f"∂{result}/∂{self.names[x]}" for x in above]
        what = listed([*names[:MOST_NAMED], *[f"{len(names) - MOST_NAMED} more"] * (len(names) > MOST_NAMED)])
        return f"answer {what} as well, to see where it goes wrong" if asked.issuperset(above) else f"work out {what} first"

    def _mark_order(self, answer: Any) -> Mark:
        if answer is ... or (isinstance(answer, Sequence) and any(x is ... for x in answer)):
            return blank("order", "order")
        order = self._read_order(answer)
        early = [x for i, x in enumerate(order) if any(y not in order[:i] for y in self._uses[x])]
        missing = [self.names[x] for x in self.steps.order if x not in order]
        n_repeated = len(order) - len(set(order))
        points = max(0.0, 1 - (len(early) + len(missing) + n_repeated) / len(self.steps.order))
        if early:
            before = [self.names[y] for y in self._uses[early[0]] if y not in order[: order.index(early[0])]]
            words = SENTENCES["too early"].format(node=self.names[early[0]], users=listed(before))
            return Mark("order", points, words, ("too-early",))
        if missing or n_repeated:
            return Mark("order", points, SENTENCES["missing" if missing else "twice"].format(nodes=listed(missing)))
        return Mark("order", 1.0, SENTENCES["order"], is_right=True)

    def _read_order(self, answer: Any) -> list[Value]:
        """Return the nodes of an order, which is given as a list of nodes or of their names."""
        nodes = {self.names[x]: x for x in self.steps.order}
        spelled = spellings(nodes)
        is_list = isinstance(answer, Iterable) and not isinstance(answer, Mapping | set | frozenset | str)
        visited = list(answer) if is_list else []  # `reversed` can be read only once
        if not is_list or not all(isinstance(x, Value | str) for x in visited):
            raise AnswerError(f"an order is given as a list of nodes, not {answer!r}")
        order: list[Value] = []
        for x in visited:
            node: Any = nodes.get(look_up(x.strip(), spelled) or x.strip()) if isinstance(x, str) else x
            if node not in nodes.values():
                what = x if isinstance(x, str) else describe(x)
                raise AnswerError(f"{what} is not visited in the backward pass; the operations are {listed([*nodes])}")
            order.append(node)
        return order

    # In a page

    def play(self, *, limit: int = 150) -> Player:
        """Make a player that poses the exercise: its page takes answers, gives hints and marks.

        The graph is played forward, with a blank for each question.  Once all answers are right, or the learner gives up, the
        page shows the backward pass, and all numbers can be changed, as in the player that `autograd.play` makes.

        Args:
            limit: as for `autograd.play`.

        Returns:
            A player, which Jupyter shows and `save` writes; its page needs neither Python nor the network.

        Raises:
            ValueError: if the graph is too large to be read.
            NotLiveError: if a row has no JavaScript, so that no page can compute the graph.
            LayoutError: if no layout engine is installed.

        >>> w, x = Value(3.0, "w"), Value(2.0, "x")
        >>> exercise((w * x - 5) ** 2, ask=[w]).play()
        <player: Exercise on loss, 6 steps>
        """
        from autograd.player import Asked, make_player  # imported here: most exercises are never played

        rows = {name: row for name, row in self.functions.items() if not (isinstance(row, Nary) and row.expands)}
        words: dict[str, int] = {}
        questions = [self._for_page(question, words) for question in self.questions]
        data = {
            "kind": self.kind,
            "task": self.question,
            "notes": [str(note) for note in self.notes],
            "questions": questions,
            "hints": list(self._all_hints()) if self.kind == "order" else [],
            "words": list(words),
            "rounded": ROUNDED,
            "sentences": SENTENCES,
            "solution": self.solution,
            "scenes": [[strict(scene.nodes[x].data) for x in self.names] for scene in self._scenes],
            "functions": {name: _for_reading(row) for name, row in rows.items()},
            "constants": self.constants,
            "synonyms": MEANT,
            "signs": SIGNS,
            "slips": SLIPS,
            "allowed": ALLOWED,
            "advice": [*ADVICE.items()],
        }
        asked = Asked(f"Exercise on {self.names[self.loss]}", self.text, data, [row for row in rows.values() if _arity(row)])
        return make_player([self.loss], None, DIGITS, limit, asked)

    def _for_page(self, question: Question, words: dict[str, int]) -> dict[str, Any]:
        """Return the data with which a page poses and marks a question; `words` collects explanations, with their indices."""
        right = question.value(self._scene)
        suspects = self._suspects_of(question, right)
        return {
            "name": question.name,
            "node": self.steps.notation.places[question.node],
            "place": question.place,
            "rate": question.rate,
            "right": strict(right),
            "hints": list(self._hints_on(question)),
            "way": self._way_to(question),
            "suspects": [[s.name, words.setdefault(s.words, len(words)), s.gradient, s.points] for s in suspects],
            "elsewhere": [[strict(question.value(each)), strict(self._tolerance(question, each))] for each in self._scenes],
        }


def exercise(loss: Value, ask: str | Value | Iterable[Value | str] = "deltas", *, rate: float = RATE) -> Exercise:
    """Make an exercise on a graph.

    Args:
        loss: the result.
        ask: the nodes whose gradients are to be found, or their names, or one node; or "deltas", the gradients of all net
            inputs or, in a graph without neurons, of all intermediate operations; "local", the local derivative of every
            operation with respect to each of its operands; "order", an order in which the backward pass may visit the
            operations; "update", the value of every leaf after a step of gradient descent, so write data as plain numbers.
            Conditions, such as x > 0, have no gradient to be found.
        rate: the learning rate of that step, a positive number.

    Raises:
        TypeError: if `loss` is not a Value, or `ask` is neither text nor nodes.
        ValueError: for a leaf, whose graph has no operation; for an unknown kind of question, an empty list, a node that is not
            in the graph, or a rate that is not a positive number.

    >>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-2.0, "b")
    >>> task = exercise((w * x + b) ** 2, ask=[w, b])
    >>> print(task)
    Given w = 0.5, x = 2, b = -2:
        v1 = w·x = 0.5·2 = 1
        v2 = v1 + b = 1 + (-2) = -1
        loss = v2² = (-1)² = 1
    Find the gradients:
        ∂loss/∂w = ____
        ∂loss/∂b = ____
    >>> task.mark({w: -4, b: "2*v2"})
    2 of 2 points
    ∂loss/∂w: -4 is right
    ∂loss/∂b: 2*v2 is right
    """
    if not isinstance(loss, Value):
        raise TypeError(f"an exercise needs the Value whose graph it is about, not {loss!r}")
    if loss.primitive is None:
        raise ValueError(f"{describe(loss)} is a leaf, so there is nothing to differentiate; give the result of operations")
    kind: Any = ask if isinstance(ask, str) else "gradients"
    if isinstance(ask, str) and ask not in NAMED:
        raise ValueError(f"ask is {ask!r}; give a list of nodes, or {ALTERNATIVES}")
    if not (isinstance(rate, Real) and 0 < rate < math.inf):
        raise ValueError(f"rate is {rate!r}; the learning rate is a positive number, such as {RATE}")
    steps = Walk(loss)
    nodes: list[Value] = []
    if kind == "deltas":
        on_the_way = [x for x in steps.order[:-1] if not is_condition(x)]
        nodes = list(reversed([*steps.notation.neurons] or on_the_way or steps.order))
    elif kind == "update":
        nodes = steps.notation.leaves
    elif kind == "gradients":
        nodes = _asked(ask, steps)
    return Exercise(loss, kind, nodes, float(rate))


def _asked(ask: Any, steps: Walk) -> list[Value]:
    """Return the nodes that are listed in `ask`, itself or by name, or raise for what is not a node of the graph."""
    if isinstance(ask, set | frozenset):  # the same program would ask in another order each time
        raise TypeError(f"ask is {ask!r}, which has no order; give a list of nodes")
    named = {name: x for x, name in steps.names.items()}
    try:
        asked = [ask] if isinstance(ask, Value) else list(ask)
        nodes: list[Any] = list(dict.fromkeys(named.get(x, x) if isinstance(x, str) else x for x in asked))
    except TypeError:
        raise TypeError(f"ask is {ask!r}; give a list of nodes, or {ALTERNATIVES}") from None
    if not nodes:
        raise ValueError("ask is an empty list; name the nodes whose gradients are to be found")
    for x in nodes:
        if x not in steps.gradients:
            advice = "" if isinstance(x, Value) else f"; ask takes nodes or their names, which are {listed([*named])}"
            raise ValueError(f"{described(x)} does not take part in {describe(steps.loss)}{advice}")
    return nodes


def _is_near(answer: float, right: float, start: float) -> bool:
    """Whether rounding intermediate results explains an answer's error, which is small beside the number or its last digit."""
    unit = 10.0 ** -len(f"{answer}".partition(".")[2])
    size = abs(right - start)  # of the step, if there is one
    return abs(answer - right) <= max(NEARLY * size, min(unit, ROUGHLY * size))


def _for_reading(row: Primitive) -> list[Any]:
    """Return what a page needs in order to read a call: the row, and how many operands it takes."""
    default = None if isinstance(row, Nary) else row.default
    return [row.name, _arity(row), row.folds, row.usage, default]


def _arity(row: Primitive) -> int | None:
    """Return how many operands a function takes in an answer: 3 for a condition and two branches, None for any number."""
    return 3 if row.is_choice else row.arity or None
