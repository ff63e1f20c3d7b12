"""How answers are read: what the parser makes of a text, and which numbers count as right; see `test_approved`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from approved_pictures import lined

from autograd import Value
from autograd.exercises.answers import AnswerError, _half_unit, differs, is_rounded, read_answer, split
from autograd.exercises.questions import scenes
from autograd.expressions import LONGEST, parse
from autograd.steps import Walk

NUMBERS: Final = {"x": 2.0, "y": 3.0, "a.b": 0.5, "v 1": 7.0, "step": 5.0, "7": 11.0, "x₀": 13.0, "E": 1.0}
TEXTS: Final = """
√x|√(x+2)|√√16|2√x|√x²|√√x·y|√(√x)|√|√+x|√-x|∛8|√[x]
⌊x/3⌋|⌈x/3⌉|⌊x·⌈y/2⌉⌋|⌊x|⌊⌋|[x ≤ y]|[x ≥ y]·x|[x]|(x|x)|(x]|)|()
x²|x²³|x⁻²|²|x² y|x^2|x·y|x×y÷2|−x|x−y|x ≤ y|-x²|x**2
σ(0)|σ|sigmoid(0)|max(x, y)|maximum(x, y)|total(x, y)|total([x, y])|total( [x])|prod(x, y)|prod|dot([x], [y])
step(x)|step|tanh(0)|tanh
∞|-∞|inf|nan|NaN|1/∞|x·∞
1,5|,5|−,5|-,5|+1,5|1,5x|1,234,5|1.5|.5|5.|1.5.2|1e-3|1.5e3|1e|2x|x y|7|7x|7·x|12345678901
a.b|a.b²|2·a.b·x|a|v 1|v 1·x|v 2|x₀|x₀²|e|E|pi|π|lambda|name_0|z|½|\uff58|x;y|x = 2|"x"|# x
"""
BARS: Final = ("|x|", "|x - |y||", "||x| - y|", "|x||y|", "|-x|·|y|", "|x", "x|", "||", "2|x|", "√|x|", "|√x|", "|x|²", "(|x|)",
               "⌊|x|/3⌋", "|x|/|y|", "|(x)|y||", "| x |")  # fmt: skip
OBJECTS: Final = (
    2,
    -0.5,
    True,
    None,
    [1.0],
    1e300 * 10,
    math.nan,
    10**400,
    1 / 3,
    1234567.0,
    0.1234567,
    "x" * 3,
    ("?" * 58,),
    b"1",
)
NUMERALS: Final = ("0.667", "0.5", "1.25e+03", "12.3", "123", "1.23", "0.123", "00.12", "1e5", "100", ".123", "1.230", "0.0012",
                   "1.23e-2", "x", "", "12.34E1")  # fmt: skip
RIGHT: Final = (
    0.0,
    0.23404,
    -0.23404,
    1234.5,
    0.00049,
    0.00051,
    1e-9,
    2.5,
    100.0,
    0.0125,
    9.995,
    1e20,
    math.inf,
    -math.inf,
    math.nan,
)
GIVEN: Final = (
    0.0, 0.001, 0.0005, 5e-16, 0.234, 0.23, 0.2341, 0.235, -0.234, 1234.5, 1234.0, 1230.0, 1235.0, 1239.0, 1240.0, 0.00049,
    0.0004, 0.00051, 1e-9, 1.004e-9, 1.006e-9, 2.5, 2.504, 2.506, 2.495, 100.0, 100.4, 100.6, 99.6, 0.0125, 0.012, 0.013,
    0.01255, 9.99, 10.0, 9.985, 1e20, 1.004e20, 1.006e20, 1e300, math.inf, -math.inf, math.nan,
)  # fmt: skip
GRAPHS: Final[dict[str, dict[str, float]]] = {  # smooth, near kinks, near the ends of domains, with whole exponents
    "w*x + b": {"w": 0.5, "x": 2.0, "b": 0.0}, "relu(w*x)": {"w": 0.5, "x": 0.001}, "relu(w) - w": {"w": 0.0},
    "maximum(x, y)*x": {"x": 1.0, "y": 1.0}, "maximum(x, y)*y": {"x": 1.0, "y": 1.01}, "sqrt(x)": {"x": 1e-6},
    "1/x": {"x": -0.01}, "sqrt(x - 3)*y": {"x": 3.0, "y": 2.0}, "x**n*sqrt(n)": {"x": -2.0, "n": 0.0},
    "x**n": {"x": -2.0, "n": 3.0},
    "x**n*y": {"x": -2.0, "n": -1.0, "y": 0.5},
    "floor(x)*y": {"x": 2.999, "y": 1.0}, "abs(x - 1000)": {"x": 1000.0}, "where(x > y, x, y*y)": {"x": 1e9, "y": 1e-9},
    "sqrt(-x*x)": {"x": 0.0}, "absolute(x)*absolute(y - 1)": {"x": -1e-3, "y": 1.0},
    "sqrt(1 - x*x) + sqrt(x - y)": {"x": 1.0, "y": 1.0},
}  # fmt: skip


def read(answer: object) -> str:
    """Write how an answer is read, with the formula as Python writes it, or its refusal."""
    try:
        found = read_answer(answer, NUMBERS)
    except AnswerError as error:
        return str(error)
    text = "" if found.formula is None else f" = {found.formula.code}, with {found.formula.names}"
    loose = f" ± {found.slack(NUMBERS):.4g}" * bool(found.slack(NUMBERS))
    return f"{found.text}{text} = {found.at(NUMBERS):.6g}{loose}"


def answers() -> Iterator[str]:
    """Iterate over answers as they are read, and over numbers that count as right."""
    for answer in [*TEXTS.replace("\n", "|").strip("|").split("|"), *BARS, *OBJECTS, "", "0.667·x + 1/0.333", "1e-400*x"]:
        yield f"{answer!r:.70}: {read(answer)}"
    longest = "+x" + "·1" * (LONGEST // 2 - 1)
    yield from (f"{len(text)} characters: {read(text)[-40:]}" for text in (longest, f"({longest})"))
    yield from (f"half a unit of {numeral!r} is {_half_unit(numeral):.6g}" for numeral in NUMERALS)
    for right in RIGHT:
        yield f"{right:.6g} may be written as {', '.join(f'{x:.6g}' for x in GIVEN if is_rounded(x, right))}"
        yield f"    and is not distinguished from {', '.join(f'{x:.6g}' for x in GIVEN if not differs(x, right))}"
    for names in (["a", "a, b", "c"], ["f(x, w)", "E"]):
        yield from (f"{names}: {split(text, names)}" for text in ("a, b, a", "E, f(x, w) ,c d", ",a ,, b,", "", "a,b"))


def compared() -> Iterator[str]:
    """Iterate over graphs, each with the points at which formulas for its gradient are compared, and its gradients there."""
    for text, numbers in GRAPHS.items():
        leaves = {name: Value(number, name) for name, number in numbers.items()}
        found: Any = parse(text).evaluate(leaves)
        yield f"\n{text} at {', '.join(f'{name} = {number:g}' for name, number in numbers.items())}"
        for scene in scenes(Walk(found)):
            parts = [f"{name} = {scene.nodes[x].data:.6g}, ∂{name} = {scene.gradients[x]:.6g}" for name, x in leaves.items()]
            yield f"    {'; '.join(parts)}; {scene.nodes[found].data:.6g}"


ANSWERS: Final[dict[str, Callable[[], str]]] = {
    "answers.txt": lambda: lined(answers()),
    "compared.txt": lambda: lined(compared()),
}
