"""Exercises with answers, and the points that these get both in Python and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

from engines import leaves_of

from autograd import Nary, Unary, Value, label_values, relu, sigmoid, sqrt, tanh, where
from autograd.demo import POINT, network
from autograd.exercises import Exercise, exercise
from autograd.rows import TABLE

Answered: TypeAlias = tuple[Exercise, dict[str, str], float]
# Answers that cannot be read in an exercise about w, x₁ and w′, each with the reason.
RIGHT_SIDE = "give only the part to the right of = or ≈"
WRITTEN_OUT = "a derivative such as σ'(z) or ∂y/∂z is written out, as a number or a formula"
THERE_IS_NO = "there is no {} in this exercise; a formula may use w, x₁, w′"
REFUSED = {
    "= 2": RIGHT_SIDE, "≈ 2·x₁": RIGHT_SIDE, "∂loss/∂w = 2": RIGHT_SIDE, "dloss/dw=2": RIGHT_SIDE,
    **dict.fromkeys(("σ'(x₁)", "w·out'", "w·tanh\u2019(w)", "∂loss/∂w·x₁"), WRITTEN_OUT),
    "50 %": "% is the remainder of a division; a percentage is written as a decimal number, such as 0.5",
    "0,5·x₁": "a comma separates the operands of a function, as in maximum(x, y); a decimal number has a point, as in 0.5",
    "ln(w)": "the natural logarithm is written log(x)",
    "max(0,5)": "there is no function max; did you mean maximum?", "2·TH(w)": "there is no function TH; did you mean tanh?",
    "w·X₁": THERE_IS_NO.format("X₁"), "lambda·w": THERE_IS_NO.format("lambda"), "w·w′·w₂": THERE_IS_NO.format("w₂"),
}  # fmt: skip


@cache
def answered() -> tuple[Answered, ...]:
    """Return exercises, each with an answer for each question's name, and their points in total."""
    makers = (
        near_kinks, at_the_edge, below_others, near_the_right_number, printed, with_own_rows, written_by_hand, with_odd_names,
        powers,
    )  # fmt: skip
    return tuple(each for maker in makers for each in maker())


def powers() -> Iterator[Answered]:
    """Powers with exponents of one digit and of two."""
    x = Value(1.1, "x")
    for loss, answer, points in ((x**13, "13·x¹²", 1.0), (x * x * 0.5, "x¹⁰", 0.0), (x**3, "3·x²", 1.0), (x**2 / 2, "x¹", 1.0)):
        yield exercise(loss, ask=[x]), {"∂loss/∂x": answer}, points


def near_kinks() -> Iterator[Answered]:
    """Graphs that take another branch at nearby numbers, where the derivative has another formula."""
    w, x, b = Value(0.5, "w"), Value(0.1, "x"), Value(-0.3, "b")
    near = w * x - 0.0499
    for loss, answer in (
        (relu(w * x), "x"), (abs(w * x), "x"), (where(near > 0, w * x, b), "x"), (near.maximum(b * 0), "x"),
        (relu(near) * relu(b + 0.3001) * relu(x - 0.0999), "x*(b + 0.3001)*(x - 0.0999)"),
    ):  # fmt: skip
        task = exercise(loss, ask=[w])
        yield task, {"∂loss/∂w": answer}, 1.0
        yield task, {"∂loss/∂w": f"({answer})*2*w"}, 0.5  # right at w = 0.5 only


def at_the_edge() -> Iterator[Answered]:
    """Graphs that are undefined at most or all nearby numbers."""
    x, n, y = Value(-2.0, "x"), Value(3.0, "n"), Value(0.0, "y")
    task = exercise(x**n * 2, ask=[x])
    for answer, points in (("2*n*x**(n-1)", 1.0), ("6*n-3*x", 0.5), ("6*x**2", 0.5), ("24", 1.0)):
        yield task, {"∂loss/∂x": answer}, points
    yield exercise(sqrt(-(y.square())), ask="local"), {"∂v1/∂y": "2*y"}, 1.0


def below_others() -> Iterator[Answered]:
    """Answers that follow from right, rounded or wrong answers further up, beside answers that are wrong."""
    n = network(**POINT)
    task = exercise(n["E"], ask=["net_o", "w_o", "net_h", "w_h"])
    for given, points in (("-.147 5 .0269 .0538", 3.0), ("0.3 5 -0.0549 -0.11", 2.0), ("0.3 0.194 0.0268 0.0536", 3.0)):
        yield task, {q.name: text for q, text in zip(task.questions, given.split(), strict=True)}, points


def near_the_right_number() -> Iterator[Answered]:
    """Answers that are off by 3 %: half right as numbers, as intermediate results may be rounded, but wrong as formulas."""
    w, x, b = Value(3.0, "w"), Value(1.03, "x"), Value(0.5, "b")
    task = exercise((w * x - b) ** 2, ask=[w])
    yield task, {"∂loss/∂w": "5.49"}, 0.5
    yield task, {"∂loss/∂w": "2*v2*x*x"}, 0.0
    yield task, {"∂loss/∂w": "2*v2*x*1.03"}, 0.0


def printed() -> Iterator[Answered]:
    """Answers as hints and solutions print them for each row, at points in its domain: formulas and numbers."""
    for name, row in TABLE.items():
        w, x, y, z = Value(1.3, "w"), Value(1.5 if name == "arccosh" else 0.7, "x"), Value(1.1, "y"), Value(-0.6, "z")
        if isinstance(row, Nary):
            node = row(x > y, x, y) if name == "where" else row([x, y], [y, z], w) if name == "dot" else row([x, y, z])
        else:
            node = row(x) if isinstance(row, Unary) else row(x, y)
        for loss in (node * w, (w * node) ** 2 / 3):
            for task in (exercise(loss, "local"), exercise(loss, [x, y] if y in leaves_of(loss) else [x])):
                yield (
                    task,
                    {question.name: formula_of(task, i) for i, question in enumerate(task.questions)},
                    len(task.questions),
                )
                numbers = {question.name: task.number(question.value(task._scene)) for question in task.questions}
                yield task, numbers, len(task.questions)


def formula_of(task: Exercise, i: int) -> str:
    """Return the answer to a question as its solution prints it: the rule, or the product of the rules."""
    question = task.questions[i]
    if question.place is not None:
        return task.steps.notation.rules(question.node)[question.place].text
    return task._explain(question.node).formula.text


def with_own_rows() -> Iterator[Answered]:
    """Rows outside the table: one that another's rule calls, and one with the name of a row of the table."""
    slope = Unary("slope", lambda x: 1 - tanh(x) * tanh(x), lambda x, out: -2 * out * tanh(x))
    bend = Unary("bend", lambda x: tanh(x), lambda x, out: slope(x))
    square = Unary("square", lambda x: x * x + 1, lambda x, out: 2 * x)
    x, w = Value(0.3, "x"), Value(2.0, "w")
    yield exercise(bend(w * x), ask=[w]), {"∂loss/∂w": "slope(w*x)·x"}, 1.0
    yield exercise(slope(w * x), ask=[w]), {"∂loss/∂w": "-2·slope(v1)·tanh(v1)·x"}, 1.0
    yield exercise(square(w) * square(x), ask=[w]), {"∂loss/∂w": "2*w*square(x)"}, 1.0
    bent = bend(x)
    bent.label = "bend"
    yield exercise(bent * w, ask=[w]), {"∂loss/∂w": "bend*1 + bend(x) - bend"}, 1.0


def written_by_hand() -> Iterator[Answered]:
    """Rounded constants, mathematical symbols, and numbers that are not finite."""
    a, b = Value(0.5, "a"), Value(0.0, "b")
    third = exercise((a / 3) ** 2, ask=[a])
    for answer, points in (
        ("0.66667·v1", 1.0), ("0.667*v1", 1.0), ("0.6667*v1", 1.0), ("0.6665*v1", 0.5), ("0.67*v1", 0.0), ("2/9·a", 1.0),
        ("2·√(v1²)/3", 1.0), ("2·|v1|/3", 1.0), ("|-2·|v1||/3", 1.0), ("2·√√a⁴·√√a⁴/9·[a > 0]/[a ≥ v1]/a", 1.0),
        ("∛8·⌈v1⌉·⌊1.5⌋·v1/3", 1.0), ("a**2³/a⁷·2/9", 1.0), ("(a > 0)*2*v1/3", 1.0), ("where(a < 0, 1, 2*v1/3)", 1.0),
        ("a % 2 * 2 / 9 * 3 // 3", 0.0), ("2*v1/3 + 0*[a > ∞]", 1.0), ("∞", 0.0), ("-inf", 0.0), ("NaN", 0.0), ("∞·v1", 0.0),
    ):  # fmt: skip
        yield third, {"∂loss/∂a": answer}, points
    steep = exercise(sqrt(b) + a, ask=[b])
    for answer, points in (("∞", 1.0), ("inf", 1.0), ("1e999", 1.0), ("+∞", 1.0), ("-∞", 0.0), ("5", 0.0), ("nan", 0.0)):
        yield steep, {"∂loss/∂b": answer}, points
    yield exercise(sqrt(b) ** 2, ask=[b]), {"∂loss/∂b": "NaN"}, 1.0


def with_odd_names() -> Iterator[Answered]:
    """Names that Python normalises to others, and names that contain operators."""
    for name in ("ϕ", "ϵ", "\u2113", "µ", "x·y", "x×y", "ŵ", "w⁴", "a|b", "[0]", "σ", "inf", "x - 1", "f(x)", "√2", "ﬁt"):
        x, w = Value(3.0, name), Value(2.0, "w")
        task = exercise((w * x - 5) ** 2, ask=[w])
        yield task, {"∂loss/∂w": f"2*v2*{name}"}, 1.0
        yield task, {"∂loss/∂w": f"2·({name}·w - 5)·{name}"}, 1.0
    mu = Value(3.0, "µ")  # the micro sign; the answer has the Greek letter
    yield exercise((mu * 2) ** 2, ask=[mu]), {"∂loss/∂µ": "8*\u03bc"}, 1.0
    u, x, y = Value(3.0, "w⁽¹⁾₀₀"), Value(3.0, "x²"), Value(2.0, "x20")
    yield exercise(u * 2 * u, ask=[u]), {"∂loss/∂w⁽¹⁾₀₀": "4·w(1)00"}, 1.0
    yield exercise(x * y * x, ask=[x]), {"∂loss/∂x²": "2·x20·x2"}, 1.0
    s, v = Value(0.5, "σ"), Value(2.0, "v")
    loss = sigmoid(s * v)
    label_values({"y": loss})
    yield exercise(loss, ask=[s]), {"∂y/∂σ": "σ(σ·v)·(1 - y)·v"}, 1.0
