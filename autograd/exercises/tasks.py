"""The task of an exercise: the given numbers, the questions, hints and the solution, as text, HTML and LaTeX.

Everything is written from the walk of the graph, so names, formulas and numbers are the same as in steps and pictures.

>>> w, x = Value(3.0, "w"), Value(2.0, "x")
>>> task = Task(w * x, "gradients", [w], 0.1)
>>> print(task.solution.splitlines()[0])
w.grad = 1·2 = 2
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from html import escape
from typing import Any, Final

from autograd.derivation import Derivation, Explanation
from autograd.exercises.answers import AnswerError, is_rounded
from autograd.exercises.matrices import Equation
from autograd.exercises.questions import Kind, Question, Scene, questions
from autograd.expressions import FUNCTIONS
from autograd.manners import describe
from autograd.notation import equation, factor
from autograd.primitives import Primitive
from autograd.steps import Walk
from autograd.value import Value
from autograd.writing import DIGITS, digits, latex_name, latex_number, numbers, parts

__all__ = ["Task", "described", "listed"]

BLANK: Final = "____"
LATEX_BLANK: Final = r"\underline{\hspace{4em}}"


class Task:
    """The task of an exercise on one graph; `print` shows it, and so does Jupyter.

    Attributes:
        loss: the result.
        kind: what to find: "gradients", "deltas", "local", "order" or "update".
        questions: the numbers to find; empty for an order.
        notes: equations shown before the graph, such as the matrices of a network; `solution_notes` are shown after the
            solution.
    """

    def __init__(
        self,
        loss: Value,
        kind: Kind,
        nodes: Sequence[Value],
        rate: float,
        notes: Sequence[Equation] = (),
        after: Sequence[Equation] = (),
    ) -> None:
        self.loss, self.kind, self.rate = loss, kind, rate
        self.notes, self.solution_notes = tuple(notes), tuple(after)
        self._steps = Walk(loss, n_digits=DIGITS)
        self.names, self.number = self.steps.names, self.steps.notation.number
        self.questions = tuple(questions(self.steps, kind, nodes, rate))
        self._given: dict[Question | None, int] = {}

    @property
    def steps(self) -> Walk:
        """The walk of the graph; raises a ValueError if a leaf was changed since the exercise was made."""
        self._steps.refuse_stale()
        return self._steps

    @cached_property
    def _scene(self) -> Scene:
        return Scene({x: x for x in self.names}, self.steps.gradients)

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers of all nodes, by their names."""
        return {name: x.data for x, name in self.steps.names.items()}

    @property
    def constants(self) -> dict[str, float]:
        """The numbers that a formula in an answer may name although no node has them: the learning rate of a step."""
        return {"η": self.rate} if self.kind == "update" else {}

    @cached_property
    def functions(self) -> dict[str, Primitive]:
        """The rows that a formula in an answer may call, by name: those of the table and of the graph."""
        notation = self.steps.notation
        formulas = [formula for node in self.steps.order for formula in (notation.formula(node), *notation.rules(node))]
        return FUNCTIONS | {part.row.name: part.row for formula in formulas for part in parts(formula) if part.row is not None}

    def _explain(self, node: Value) -> Explanation:
        return Derivation(node, self.steps).explanation()

    # Hints

    def hint(self, about: Any = None) -> str:
        """Return the next hint: which nodes are concerned, the rule, the numbers, the product.

        Args:
            about: the node or the name of a question; by default the hints on all questions, one after the other.

        >>> from autograd.exercises import exercise
        >>> w, x = Value(3.0, "w"), Value(2.0, "x")
        >>> task = exercise((w * x) ** 2, ask=[w])
        >>> for _ in range(4):
        ...     print(task.hint())
        w feeds v1 = w·x
        ∂loss/∂w = ∂loss/∂v1·∂v1/∂w, and ∂v1/∂w = x
        ∂loss/∂v1 = 12, and x = 2
        12·2 = 24
        """
        question = None if about is None else self.question_about(about)
        hints = list(self._all_hints() if question is None else self._hints_on(question))
        given = self._given[question] = self._given.get(question, 0) + 1
        return hints[given - 1] if given <= len(hints) else "there are no more hints"

    def _all_hints(self) -> Iterator[str]:
        if self.kind == "order":
            yield f"the backward pass starts at {self.names[self.loss]}"
            yield "a node is visited after all the nodes that it feeds"
            feeding = [(x, listed([self.names[y] for y in self._uses[x]])) for x in self.steps.order[:-1]]
            if feeding:
                yield "; ".join(f"{self.names[x]} feeds {others}" for x, others in feeding)
            yield f"one order is {', '.join(self.names[x] for x in reversed(self.steps.order))}"
        for question in self.questions:
            yield from self._hints_on(question)

    def _hints_on(self, question: Question) -> Iterator[str]:
        if question.place is None:
            return self._hints_on_gradient(question)
        return self._hints_on_rule(question, question.place)

    def _hints_on_rule(self, question: Question, k: int) -> Iterator[str]:
        x = question.node
        rule = self.steps.notation.rules(x)[k]
        yield f"{self.names[x]} = {self.steps.notation.formula(x).text}"
        yield f"{question.name} = {rule.text}"
        yield equation(question.name, rule.written(numbers()), self.number(x.partials[k]))

    def _hints_on_gradient(self, question: Question) -> Iterator[str]:
        x, result = question.node, self.names[self.loss]
        explanation = self._explain(x)
        if not explanation.shares:
            yield "the backward pass starts here"
            yield "this is the derivative of a number with respect to itself"
            yield f"{question.name} = 1"
            return
        steps, edges = zip(*explanation.shares, strict=True)
        yield f"{self.names[x]} feeds {listed(f'{step.name} = {step.formula}' for step in steps)}"
        terms = [f"∂{result}/∂{step.name}·{edge.slope}" for step, edge in explanation.shares]
        rules = listed(f"{edge.slope} = {edge.case}" for edge in edges)
        yield f"∂{result}/∂{self.names[x]} = {' + '.join(terms)}, and {rules}"
        put_in = [f"∂{result}/∂{step.name} = {self.number(step.delta or 0.0)}" for step in steps]
        formulas = [edge for edge in edges if edge.derivative.row or edge.derivative.name]  # not a plain number, such as 1
        put_in += [equation(edge.rule, edge.numbers, self.number(edge.partial)) for edge in formulas]
        yield listed(put_in, ", and ")
        total = self.number(explanation.gradient)
        yield equation(" + ".join(edge.product for edge in edges), total)
        if question.rate is not None:
            old, new = self.number(x.data), digits(question.value(self._scene), self._digits(question))
            step = f"{self.names[x]} - η·∂{result}/∂{self.names[x]}"
            yield f"{step} = {old} - {question.rate:g}·{factor(total)} = {new}"

    def _digits(self, question: Question) -> int:
        """Return how many digits the right number is written with: enough to show the step from the old one."""
        right = question.value(self._scene)
        enough = (n for n in range(DIGITS, 17) if is_rounded(float(f"{right:.{n}g}"), right, question.old))
        return next(enough, 17)  # 17 digits distinguish any two floats

    @cached_property
    def _uses(self) -> dict[Value, list[Value]]:
        users = self.steps.notation.users
        return {x: [*dict.fromkeys(users.get(x, []))] for x in self.names}

    def question_about(self, key: Any) -> Question:
        """Return the question that a key of the answers refers to: a node, a node and an operand, or a name.

        Raises:
            AnswerError: for a key that belongs to no question.
        """
        asked: dict[Any, Question] = {question.name: question for question in self.questions}
        asked |= {(question.node, question.place): question for question in self.questions}
        asked |= {question.key: question for question in self.questions}
        asked |= {self.names[question.node]: question for question in self.questions if question.place is None}
        known = key.strip() if isinstance(key, str) else tuple(key) if isinstance(key, list) else key
        found = asked.get(known) if isinstance(known, Hashable) else None
        if found is None:
            names = listed([question.name for question in self.questions])
            raise AnswerError(f"{described(key)} is not a question of this exercise; the questions are {names}")
        return found

    def by_question(self, answers: Mapping[Any, Any]) -> dict[Question, Any]:
        """Return each answer by its question, see `question_about`.

        Raises:
            AnswerError: for a key that belongs to no question, or two that belong to the same one.
        """
        found: dict[Question, Any] = {}
        for key, answer in answers.items():
            question = self.question_about(key)
            if question in found:
                raise AnswerError(f"{question.name} is answered twice: {described(key)} is another key for it; keep one")
            found[question] = answer
        return found

    # Showing

    @property
    def question(self) -> str:
        """The task, in one sentence."""
        has_neurons = bool(self.steps.notation.neurons)
        kinds = {
            "gradients": "Find the gradients:",
            "deltas": "Find the δ of each neuron:" if has_neurons else "Find the gradients of the intermediate nodes:",
            "local": "Find the local derivatives:",
            "order": "In which order does the backward pass visit the operations?",
            "update": f"Take one step of gradient descent, with the learning rate η = {self.rate:g}:",
        }
        return kinds[self.kind]

    @property
    def text(self) -> str:
        """The exercise as text, with blanks."""
        return "\n".join([*map(str, self.notes), self._body])

    @property
    def html(self) -> str:
        """The exercise as HTML, with blanks and, where a layout engine is installed, a picture of the graph."""
        return f"{self.picture}{_paragraphs(self.notes)}{_preformatted(self._body)}"

    @property
    def _body(self) -> str:
        given = [f"{self.names[x]} = {self.number(x.data)}" for x in self.steps.notation.leaves]
        lines = [f"Given {', '.join(given)}:"]
        for node in self.steps.order:
            rule = self.steps.notation.formula(node)
            lines.append("    " + equation(self.names[node], rule.text, rule.written(numbers()), self.number(node.data)))
        blanks = [f"    {question.name} = {BLANK}" for question in self.questions]
        return "\n".join([*lines, self.question, *(blanks or [f"    {BLANK}"])])

    @property
    def solution(self) -> str:
        """The solution as text: an order, or for each question the rule with its numbers or the derivation of the gradient."""
        return "\n".join([self._derivations, *map(str, self.solution_notes)])

    @property
    def solution_html(self) -> str:
        """The solution as HTML."""
        return _preformatted(self._derivations) + _paragraphs(self.solution_notes)

    @property
    def _derivations(self) -> str:
        if self.kind == "order":
            return f"for example {', '.join(self.names[x] for x in reversed(self.steps.order))}"
        found = []
        for question in self.questions:
            if question.place is None:
                found.append(str(self._explain(question.node)))
            if question.place is not None or question.rate is not None:
                found.append(list(self._hints_on(question))[-1])
        return "\n".join(found)

    @property
    def latex(self) -> str:
        """The operations in LaTeX's mathematics mode, with a blank for each question; `given_latex` has the leaves."""
        formulas = [(node, self.steps.notation.formula(node).latex) for node in self.steps.order]
        rows = [(latex_name(self.names[node]), f"{formula} = {latex_number(node.data)}") for node, formula in formulas]
        rows += [(question.latex, LATEX_BLANK) for question in self.questions] or [(r"\text{order}", LATEX_BLANK)]
        return _aligned(rows)

    @property
    def given_latex(self) -> str:
        """The numbers of the leaves in LaTeX."""
        texts = [f"{latex_name(self.names[x])} = {latex_number(x.data)}" for x in self.steps.notation.leaves]
        return r",\allowbreak\ ".join(texts)

    @property
    def solution_latex(self) -> list[str]:
        """The solution in LaTeX: a displayed formula for each question, then `solution_notes`."""
        if self.kind == "order":
            return [", ".join(latex_name(self.names[x]) for x in reversed(self.steps.order))]
        found: list[str] = []
        for question in self.questions:
            value = latex_number(question.value(self._scene), self._digits(question))
            if question.place is not None:
                rule = self.steps.notation.rules(question.node)[question.place].latex
                found.append(equation(question.latex, rule, value))
            else:
                found.append(self._explain(question.node).latex)
                found += [f"{question.latex} {value}"] if question.rate is not None else []
        return [*found, *(note.latex for note in self.solution_notes)]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        n = len(self.questions)
        content = "the order of the backward pass" if self.kind == "order" else f"{n} question{'s' * (n != 1)}"
        return f"<exercise on {self.names[self.loss]}: {content}>"

    def _repr_latex_(self) -> str:
        notes = "".join(f"$\\displaystyle {note.latex}$\n\n" for note in self.notes)
        given = self.given_latex.replace(r"\allowbreak", "")  # MathJax does not know it
        return rf"{notes}$\displaystyle \begin{{gathered}}{given}\\{self.latex}\end{{gathered}}$"

    def _repr_html_(self) -> str:
        return self.html

    @property
    def picture(self) -> str:
        """The graph after the forward pass as an HTML image, or nothing where no layout engine is installed."""
        from autograd.drawing import LayoutError, draw
        from autograd.drawing.jupyter import image

        try:
            drawing = replace(draw(self.loss, step=len(self.steps.order) - 1, digits=DIGITS), notes=())
            svg = re.sub(r"<(title|desc)\b.*?</\1>", "", drawing.svg, flags=re.DOTALL)  # they would give answers away
        except (LayoutError, ValueError):
            return ""
        return image(svg, f"the graph of {self.names[self.loss]}")


def _paragraphs(equations: Iterable[Equation]) -> str:
    return "".join(f"<p>{each.html}</p>" for each in equations)


def _preformatted(text: str) -> str:
    return f'<pre style="white-space: pre-wrap">{escape(text)}</pre>'


def described(x: Any) -> str:
    """Name a node, and each node of a tuple, with its number; show anything else as it is."""
    if isinstance(x, tuple):
        return f"({', '.join(map(described, x))})"
    return describe(x)


def _aligned(rows: Iterable[tuple[str, str]]) -> str:
    body = " \\\\\n".join(f"{left} &{'' if left.endswith('arrow') else '='} {right}" for left, right in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def listed(texts: Iterable[str], last: str = " and ") -> str:
    """Join texts as in a sentence, each of them once."""
    texts = [*dict.fromkeys(texts)]
    return ", ".join(texts[:-1]) + last * (len(texts) > 1) + "".join(texts[-1:])
