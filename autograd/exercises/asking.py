"""One exercise: the given numbers, the questions, hints, and the marking of answers."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from html import escape
from typing import Any, Final

from autograd.derivation import explain
from autograd.exercises.answers import EXACT, Answer, AnswerError, differs, is_rounded, read_answer
from autograd.exercises.misconceptions import HALF, Suspect, Suspects
from autograd.exercises.questions import Kind, Question, Scene, questions, scenes
from autograd.manners import describe
from autograd.marking import Mark, Marking, blank
from autograd.mistakes import RATE
from autograd.primitives import dot
from autograd.steps import Walk
from autograd.symbol import Style, latex, latex_name, latex_number, numbers
from autograd.telling import equation, factor
from autograd.value import Value

__all__ = ["Exercise", "exercise"]

KINDS: Final = ("deltas", "local", "order", "update")
CLOSE: Final = 1e-6  # relative, of a formula to the derivative
NEARLY: Final = 0.05  # relative: an answer that is off by rounding on the way
ROUGHLY: Final = 0.2  # the same, of an answer with so few digits that it could be
BLANK: Final = "____"
LATEX_BLANK: Final = r"\underline{\hspace{4em}}"
MOST_EXPLANATIONS: Final = 2  # that are written out; all are named


class Exercise:
    """An exercise on one graph; `print` shows it, and so does Jupyter.  See `exercise`.

    Attributes:
        loss: the result.
        kind: what to find: "gradients", "deltas", "local", "order" or "update".
        questions: the numbers to find; empty for an order.
        notes: lines that stand before the graph, such as the matrices of a network, and `solution_notes` after the solution.
    """

    def __init__(
        self, loss: Value, kind: Kind, nodes: Sequence[Value], rate: float, notes: Sequence[str] = (), after: Sequence[str] = ()
    ) -> None:
        self.loss, self.kind, self.rate = loss, kind, rate
        self.notes, self.solution_notes = tuple(notes), tuple(after)
        self.steps = Walk(loss)
        self.names, self.number = self.steps.names, self.steps.telling.number
        self.questions = tuple(questions(self.steps, kind, nodes, rate))
        self._given: dict[Question | None, int] = {}

    @cached_property
    def _scene(self) -> Scene:
        return Scene({x: x for x in self.names}, self.steps.gradients)

    @cached_property
    def _numbers(self) -> dict[str, float]:
        return {self.names[x]: x.data for x in self.names}

    @cached_property
    def _scenes(self) -> list[Scene]:
        return scenes(self.steps)

    @cached_property
    def _suspects(self) -> Suspects:
        return Suspects(self.steps, self.rate)

    # Hints

    def hint(self, about: Any = None) -> str:
        """Return the next hint: which nodes are concerned, the rule, the numbers, the product.

        Args:
            about: the node or the name of a question; by default the questions one after the other.

        >>> w, x = Value(3.0, "w"), Value(2.0, "x")
        >>> task = exercise((w * x) ** 2, ask=[w])
        >>> for _ in range(4):
        ...     print(task.hint())
        w feeds v1 = w·x
        ∂loss/∂w = ∂loss/∂v1·∂v1/∂w, and ∂v1/∂w = x
        ∂loss/∂v1 = 12, and x = 2
        12·2 = 24
        """
        question = None if about is None else self._asked_for(about)
        hints = list(self._all_hints() if question is None else self._hints_on(question))
        given = self._given[question] = self._given.get(question, 0) + 1
        return hints[given - 1] if given <= len(hints) else "there are no more hints"

    def _all_hints(self) -> Iterator[str]:
        if self.kind == "order":
            n, result = self._uses, self.names[self.loss]
            yield f"the backward pass starts at {result}"
            yield "a node is visited after all the nodes that it feeds"
            yield "; ".join(f"{self.names[x]} feeds {_listed([self.names[y] for y in n[x]])}" for x in self.steps.order[:-1])
            yield f"one order is {', '.join(self.names[x] for x in reversed(self.steps.order))}"
        for question in self.questions:
            yield from self._hints_on(question)

    def _hints_on(self, question: Question) -> Iterator[str]:
        x, k = question.node, question.place
        if k is not None:
            rule = self.steps.telling.rules(x)[k]
            yield f"{self.names[x]} = {self.steps.telling.formula(x).text}"
            yield f"{question.name} = {rule.text}"
            yield equation(question.name, rule.written(_numbers(self)), self.number(x.partials[k]))
            return
        explanation, result = explain(x, of=self.loss), self.names[self.loss]
        if not explanation.shares:
            yield from (
                "the backward pass starts here",
                "the derivative of a number with respect to itself",
                f"{question.name} = 1",
            )
            return
        steps, edges = zip(*explanation.shares, strict=True)
        yield f"{self.names[x]} feeds {_listed([f'{step.name} = {step.formula}' for step in dict.fromkeys(steps)])}"
        terms = [f"∂{result}/∂{step.name}·{edge.slope}" for step, edge in explanation.shares]
        rules = list(dict.fromkeys(f"{edge.slope} = {edge.case}" for edge in edges))
        yield f"∂{result}/∂{self.names[x]} = {' + '.join(terms)}, and {_listed(rules)}"
        put_in = [f"∂{result}/∂{step.name} = {self.number(step.delta or 0.0)}" for step in steps]
        put_in += [
            equation(edge.rule, edge.numbers, self.number(edge.partial))
            for edge in edges
            if edge.derivative.row or edge.derivative.name
        ]
        yield _listed(list(dict.fromkeys(put_in)), ", and ")
        total = self.number(explanation.gradient)
        yield equation(" + ".join(edge.product for edge in edges), total)
        if question.rate is not None:
            old, new = self.number(x.data), self.number(question.value(self._scene))
            step = f"{self.names[x]} - η·∂{result}/∂{self.names[x]}"
            yield f"{step} = {old} - {question.rate:g}·{factor(total)} = {new}"

    @cached_property
    def _uses(self) -> dict[Value, list[Value]]:
        uses: dict[Value, list[Value]] = {x: [] for x in self.names}
        for node in self.steps.order:
            for x in dict.fromkeys(node.inputs):
                uses[x].append(node)
        return uses

    # Marking

    def mark(self, answers: Mapping[Any, Any] | Iterable[Any]) -> Marking:
        """Mark answers.

        Args:
            answers: the answer for each node in question; for local derivatives for each (node, operand), or (node, k) for
                the k-th operand where it occurs twice; for an order the list of nodes.  A node may be given by its name.  An
                answer is a number, or text: a number, a fraction, or a formula over the names in the picture; ``...`` is a
                blank that is still to be filled in, and gets no points.

        Raises:
            AnswerError: before anything is marked, for an answer that is neither a number nor a formula, and for a node that
                was not asked.

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
        given = {self._asked_for(key): answer for key, answer in answers.items()}
        read = {question: read_answer(answer, self._numbers) for question, answer in given.items() if answer is not ...}
        return Marking(tuple(
            blank(question.key, question.name) if given.get(question) is ... else self._mark(question, read)
            for question in self.questions
        ))  # fmt: skip

    def _asked_for(self, key: Any) -> Question:
        asked: dict[Any, Question] = {question.name: question for question in self.questions}
        asked |= {question.key: question for question in self.questions}
        asked |= {self.names[question.node]: question for question in self.questions if question.place is None}
        found = asked.get(key.strip() if isinstance(key, str) else tuple(key) if isinstance(key, list) else key)
        if found is None:
            names = _listed([question.name for question in self.questions])
            raise AnswerError(f"{_described(key)} is not a question of this exercise; the questions are {names}")
        return found

    def _mark(self, question: Question, answers: Mapping[Question, Answer]) -> Mark:
        if question not in answers:
            return Mark(question.key, 0.0, f"{question.name}: not answered")
        answer, right = answers[question], question.value(self._scene)
        head = f"{question.name}: {answer.text} is"
        if answer.formula is not None and not self._holds(question, answer) and is_rounded(answer.value, right):
            return Mark(question.key, HALF, f"{head} the right number here, but not the derivative at other numbers")
        if is_rounded(answer.value, right):
            return Mark(question.key, 1.0, f"{head} right", is_right=True)
        carried = self._carried(question, answers)
        if carried is not None and is_rounded(answer.value, carried):
            return Mark(question.key, 1.0, f"{head} not right, but follows from a wrong answer above, so it counts")
        found = self._explanations(question, answer, right)
        if not found:
            return Mark(question.key, 0.0, f"{head} not right, and no known misconception gives it; {self._way_to(question)}")
        likeliest = {suspect.name: suspect.words for suspect in reversed(found)}  # of each name the first
        names = tuple(dict.fromkeys(suspect.name for suspect in found))
        words = [likeliest[name] for name in names[:MOST_EXPLANATIONS]]
        points = max(suspect.points for suspect in found)
        return Mark(question.key, points, f"{head} not right; {', or '.join(words)} ({', '.join(names)})", names)

    def _holds(self, question: Question, answer: Answer) -> bool:
        """Whether a formula is the right number at other numbers, too."""
        for scene in self._scenes:
            right = question.value(scene)
            scale = max(1e-3, abs(right), abs(scene.gradients[question.node]))
            try:
                found = answer.at({self.names[x]: twin.data for x, twin in scene.nodes.items()})
            except ValueError:  # outside a domain
                return False
            if not abs(found - right) <= CLOSE * scale:
                return False
        return True

    def _carried(self, question: Question, answers: Mapping[Question, Answer]) -> float | None:
        """Return the number that follows from the answers about nodes above, if one of these is wrong."""
        above = {q.node: answers[q].value for q in answers if q.place is None and q.rate is None and q is not question}
        if question.place is not None or question.rate is not None or not above:
            return None
        gradients = {self.loss: 1.0}
        for node in reversed(self.steps.order):
            delta = above.get(node, gradients.get(node))
            for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True):
                if taken and delta is not None:
                    gradients[x] = gradients.get(x, 0.0) + delta * partial
        return gradients.get(question.node)

    def _explanations(self, question: Question, answer: Answer, right: float) -> list[Suspect]:
        """Return the misconceptions that give the answer, in the digits that it has; the nearest first."""
        if not math.isfinite(answer.value):
            return []
        if question.place is not None:
            suspects = list(self._suspects.readings(question.node, question.place))
        else:
            suspects = [self._asked(question, suspect) for suspect in self._suspects.of(question.node)]
        fits = [s for s in suspects if differs(s.gradient, right) and is_rounded(answer.value, s.gradient)]
        nearest = min((abs(s.gradient - answer.value) for s in fits), default=0.0)
        if nearest <= EXACT * abs(answer.value):  # in all its digits: those that fit three digits only do not count
            fits = [s for s in fits if abs(s.gradient - answer.value) <= 2 * EXACT * abs(answer.value) + 1e-15]
        unit = 10.0 ** -len(f"{answer.value}".partition(".")[2]) if answer.formula is None else 0.0
        if not fits and abs(answer.value - right) <= max(NEARLY * abs(right), min(unit, ROUGHLY * abs(right))):
            fits = [Suspect("rounded-on-the-way", "it is near: numbers on the way were rounded too early", answer.value, HALF)]
        return fits

    def _asked(self, question: Question, suspect: Suspect) -> Suspect:
        """Return what a wrong gradient gives for a question about the new value of a leaf."""
        if question.rate is None:
            return suspect
        return suspect._replace(gradient=question.node.data - question.rate * suspect.gradient)

    def _way_to(self, question: Question) -> str:
        """Name further questions whose answers would show where it goes wrong."""
        if question.place is not None:
            return f"the rule is that of {self.names[question.node]} = {self.steps.telling.formula(question.node).text}"
        above = [x for x in self._uses[question.node] if x is not self.loss]
        if not above:
            return f"look at the rule of {self.names[self.loss]} = {self.steps.telling.formula(self.loss).text}"
        result = self.names[self.loss]
        return f"answer {_listed([f'∂{result}/∂{self.names[x]}' for x in above])} as well, to see where it goes wrong"

    def _mark_order(self, answer: Any) -> Mark:
        nodes, key = {self.names[x]: x for x in self.steps.order}, "order"
        if answer is ... or (isinstance(answer, Sequence) and any(x is ... for x in answer)):
            return blank(key, "order")
        is_list = isinstance(answer, Iterable) and not isinstance(answer, Mapping | str)
        visited = list(answer) if is_list else []  # `reversed` can be read only once
        if not is_list or not all(isinstance(x, Value | str) for x in visited):
            raise AnswerError(f"an order is given as a list of nodes, not {answer!r}")
        order: list[Value] = []
        for x in visited:
            node: Any = nodes.get(x) if isinstance(x, str) else x
            if node not in nodes.values():
                what = x if isinstance(x, str) else describe(x)
                raise AnswerError(f"{what} is not visited in the backward pass; the operations are {_listed([*nodes])}")
            order.append(node)
        late = [x for i, x in enumerate(order) if any(y not in order[:i] for y in self._uses[x])]
        missing = [self.names[x] for x in nodes.values() if x not in order]
        points = 1 - (len(late) + len(missing)) / len(nodes)
        if late:
            before = [self.names[y] for y in self._uses[late[0]] if y not in order[: order.index(late[0])]]
            words = f"{self.names[late[0]]} is visited too early: it feeds {_listed(before)}, which had not passed on its share"
            return Mark(key, max(0.0, points), f"order: {words} (too-early)", ("too-early",))
        if missing or len(order) > len(nodes):
            words = f"missing: {_listed(missing)}" if missing else "a node is visited twice"
            return Mark(key, max(0.0, points), f"order: {words}")
        return Mark(key, 1.0, "order: right", is_right=True)

    # Showing

    @property
    def _has_neurons(self) -> bool:
        return any(node.primitive is dot for node in self.steps.order)

    @property
    def question(self) -> str:
        """The task, in one sentence."""
        kinds = {
            "gradients": "Find the gradients:",
            "deltas": "Find the δ of each neuron:" if self._has_neurons else "Find the gradients of the nodes on the way:",
            "local": "Find the local derivatives:",
            "order": "In which order does the backward pass visit the operations?",
            "update": f"Do one step of gradient descent, with the learning rate η = {self.rate:g}:",
        }
        return kinds[self.kind]

    @property
    def text(self) -> str:
        """The exercise as text, with blanks."""
        given = [f"{self.names[x]} = {self.number(x.data)}" for x in self.names if x.primitive is None]
        lines = [*self.notes, f"Given {', '.join(given)}:"]
        for node in self.steps.order:
            rule = self.steps.telling.formula(node)
            lines.append("    " + equation(self.names[node], rule.text, rule.written(_numbers(self)), self.number(node.data)))
        blanks = [f"    {question.name} = {BLANK}" for question in self.questions]
        return "\n".join([*lines, self.question, *(blanks or [f"    {BLANK}"])])

    @property
    def solution(self) -> str:
        """The solution as text: the order, or for each question the rule with its numbers, or where the gradient comes from."""
        if self.kind == "order":
            return f"for example {', '.join(self.names[x] for x in reversed(self.steps.order))}"
        parts = []
        for question in self.questions:
            if question.place is None:
                parts.append(str(explain(question.node, of=self.loss)))
            if question.place is not None or question.rate is not None:
                parts.append(list(self._hints_on(question))[-1])
        return "\n".join([*parts, *self.solution_notes])

    @property
    def latex(self) -> str:
        """The operations in LaTeX's mathematics mode, with a blank for each question; `given_latex` are the leaves."""
        style, number = latex(self.steps.telling.digits), self.steps.telling.digits
        rows: list[tuple[str, str]] = []
        for node in self.steps.order:
            formula = self.steps.telling.formula(node).written(style)
            rows.append((latex_name(self.names[node]), f"{formula} = {latex_number(node.data, number)}"))
        rows += [(question.latex, LATEX_BLANK) for question in self.questions] or [(r"\text{order}", LATEX_BLANK)]
        return _aligned(rows)

    @property
    def given_latex(self) -> str:
        """The numbers of the leaves in LaTeX."""
        leaves = [x for x in self.names if x.primitive is None]
        texts = [f"{latex_name(self.names[x])} = {latex_number(x.data, self.steps.telling.digits)}" for x in leaves]
        return r",\allowbreak\ ".join(texts)

    @property
    def solution_latex(self) -> list[str]:
        """The solution in LaTeX, a displayed formula for each question."""
        if self.kind == "order":
            return [", ".join(latex_name(self.names[x]) for x in reversed(self.steps.order))]
        found = []
        for question in self.questions:
            value = latex_number(question.value(self._scene), self.steps.telling.digits)
            if question.place is not None:
                rule = self.steps.telling.rules(question.node)[question.place].written(latex(self.steps.telling.digits))
                found.append(" = ".join(dict.fromkeys([question.latex, rule, value])))
            else:
                found.append(explain(question.node, of=self.loss).latex)
                found += [f"{question.latex} {value}"] if question.rate is not None else []
        return found

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        asked = "the order of the backward pass" if self.kind == "order" else f"{len(self.questions)} questions"
        return f"<exercise on {self.names[self.loss]}: {asked}>"

    def _repr_latex_(self) -> str:
        given = self.given_latex.replace(r"\allowbreak", "")  # MathJax does not know it
        return rf"$\displaystyle \begin{{gathered}}{given}\\{self.latex}\end{{gathered}}$"

    def _repr_html_(self) -> str:
        return f'{self.picture}<pre style="white-space: pre-wrap">{escape(self.text)}</pre>'

    @property
    def picture(self) -> str:
        """The graph after the forward pass as an HTML image, or nothing where no layout engine is installed."""
        from autograd.drawing import LayoutError, draw

        try:
            drawing = replace(draw(self.loss, step=len(self.steps.order) - 1), notes=())
            svg = re.sub(r"<(title|desc)\b.*?</\1>", "", drawing.svg, flags=re.DOTALL)  # they would give answers away
        except (LayoutError, ValueError):
            return ""
        data = b64encode(svg.encode()).decode()
        alt = f"the graph of {escape(self.names[self.loss])}"
        return f'<img style="max-width:100%" alt="{alt}" src="data:image/svg+xml;base64,{data}">'


def exercise(loss: Value, ask: str | Iterable[Value] = "deltas", *, rate: float = RATE) -> Exercise:
    """Make an exercise on a graph.

    Args:
        loss: the result.
        ask: the nodes whose gradients are to be found; or "deltas", the gradients of all net inputs or, in a graph without
            neurons, of all operations on the way; "local", the local derivative of every operation with respect to each of
            its operands; "order", an order in which the backward pass may visit the operations; "update", the value of every
            leaf after a step of gradient descent.
        rate: the learning rate of that step, a positive number.

    Raises:
        TypeError: if `loss` is not a Value.
        ValueError: for a graph without gradients, for another kind of question, for a node outside the graph, and for a rate
            that is not a positive number.

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
        raise ValueError(f"{describe(loss)} is a leaf, a graph without gradients; give the result of some operations")
    kind: Any = ask if isinstance(ask, str) else "gradients"
    if kind not in (*KINDS, "gradients"):
        raise ValueError(f"ask is {ask!r}; ask for a list of nodes, or for {_listed([repr(each) for each in KINDS])}")
    if not 0 < rate < math.inf:
        raise ValueError(f"rate is {rate!r}; the learning rate is a positive number, such as {RATE}")
    steps = Walk(loss)
    nets = [node for node in steps.order if node.primitive is dot]
    nodes = [] if isinstance(ask, str) else list(dict.fromkeys(ask))
    if kind == "deltas":
        nodes = list(reversed(nets or steps.order[:-1] or steps.order))
    elif kind == "update":
        nodes = [x for x in steps.names if x.primitive is None]
    elif kind == "gradients" and not nodes:
        raise ValueError("ask is an empty list; name the nodes whose gradients are to be found")
    for x in nodes:
        if x not in steps.gradients:
            raise ValueError(f"{_described(x)} does not take part in {describe(loss)}")
    return Exercise(loss, kind, nodes, rate)


def _described(x: Any) -> str:
    return describe(x) if isinstance(x, Value) else repr(x)


def _aligned(rows: Iterable[tuple[str, str]]) -> str:
    body = " \\\\\n".join(f"{left} &{'' if left.endswith('arrow') else '='} {right}" for left, right in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _listed(texts: Sequence[str], last: str = " and ") -> str:
    return ", ".join(texts[:-1]) + last * (len(texts) > 1) + "".join(texts[-1:])


def _numbers(task: Exercise) -> Style:
    return numbers(task.steps.telling.digits)
