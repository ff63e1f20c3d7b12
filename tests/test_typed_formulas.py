"""Formulas as people type them: read in the same way, or refused with the same message, wherever something is typed."""

from __future__ import annotations

import json
import math
import re
from random import Random
from typing import Any, Final

import pytest
from engines import Engine, node_with
from test_exercise_pages import data_of

from autograd import Value, label_values, tanh
from autograd.__main__ import UsageError, read_values
from autograd.exercises import AnswerError, Exercise, exercise
from autograd.exercises.answers import read_answer
from autograd.expressions import FUNCTIONS, ExpressionError, parse
from autograd.site.source import write_expression
from autograd.tokens import CONSTANTS, look_up, spellings

browser = pytest.mark.slow  # run by the part of the pictures

AT: Final = {"w": 0.5, "x": 2.0, "y": 3.0, "w₁": 4.0, "e3": 0.25}


def wide(text: str) -> str:
    """Return a text in characters of full width, as East Asian keyboards type them."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


# Formulas, each with what it means in Python.
READ: Final = {
    "x²": "x**2", "x²³": "x**23", "x⁻²": "x**(-2)", "x^2": "x ** 2", "x^½": "x**(1/2)", "x² y": "x**2 * y", "x²y³": "x**2*y**3",
    "√x": "sqrt(x)", "√x²": "sqrt(x)**2", "2√x·y": "2*sqrt(x)*y", "∛x": "cbrt(x)", "e^(-x)": "e**(-x)", "x^-1": "x**-1",
    "|x - y|": "abs(x - y)", "2|x|": "2*abs(x)", "||x| - |y||·w": "abs(abs(x) - abs(y))*w", "|x|²": "abs(x)**2",
    "2x": "2*x", "-2x²": "-2*x**2", "2 x": "2 * x", "½x": "(1/2)*x", ".5x": "0.5*x", "5.x": "5.*x", "2π": "2*pi", "2e": "2*e",
    "2(x + 1)": "2*(x + 1)", "(x + 1)(y - 1)": "(x + 1)*(y - 1)", "2(w - 1)(1 - w²)x": "2*(w - 1)*(1 - w**2)*x",
    "σ(x)(1 - σ(x))": "sigmoid(x)*(1 - sigmoid(x))", "2tanh(x)y/3": "2*tanh(x)*y/3", "x/y·2w": "x/y*2*w", "007x": "7*x",
    "tanh²(x)": "tanh(x)**2", "1 - tanh^2(x)": "1 - tanh(x)**2", "sin³(x)cos²(y)": "sin(x)**3*cos(y)**2",
    "σ²(x)³": "(sigmoid(x)**2)**3", wide("(x+1)/2"): "(x+1)/2", wide("2.5x"): "2.5*x", wide("x * y"): "x * y",
    wide("|x|"): "abs(x)", wide("x^2"): "x**2", "x×y÷2 − w": "x*y/2 - w", "x·y∙w⋅2∗1•1": "x*y*w*2*1*1", "x – y": "x - y",
    "x\u2011y": "x-y", "x\u2215y": "x/y", "2w₁": "2*w1", "w1²": "w1**2", "[x ≤ y]·w": "(x <= y)*w",
    "⌊x⌋ + ⌈w⌉": "floor(x) + ceil(w)", "maximum(x, w, 3)": "maximum(x, w, 3)", "leaky_relu(-x)": "leaky_relu(-x)",
    **{f"2e{minus}3x": "2e-3*x" for minus in "-−–\u2010\u2011\uff0d"}, "1 −2.5E−1": "1 - 2.5e-1",
}  # fmt: skip
TOGETHER: Final = "and parentheses around what belongs together"
COMMA: Final = "a comma separates the operands of a function, as in maximum(x, y); a decimal number has a point, as in 0.5"
ONE_NUMBER: Final = "if this is one number, it is written without spaces, as in 1000 or 1.5"
# Formulas that are refused, each with the part at fault and the message.
REFUSED: Final = {
    **{
        text: (part, f"{part} after {sign} can be read in two ways; write {product}, {TOGETHER}")
        for text, part, sign, product in (
            ("1/2x", "2x", "/", "2*x"), ("w/2(x + 1)", "2(", "/", "2*(…)"), ("1÷(x)(y)", ")(", "÷", "(…)*(…)"),
            ("w^2x", "2x", "^", "2*x"), ("√2x", "2x", "√", "2*x"), ("x % 2y", "2y", "%", "2*y"), ("√(x)y", ")y", "√", "(…)*y"),
        )
    },
    **{
        text: (right, f"an operator is missing between {left} and {right}; a product is written {product}")
        for text, left, right, product in (
            ("x y", "x", "y", "x*y"), ("(x)2", ")", "2", "(…)*2"), ("|x|y", "|", "y", "|…|*y"), ("x|y|", "x", "|", "x*|…|"),
            ("0x", "0", "x", "0*x"),
        )
    },
    **{
        text: (right, f"an operator is missing between 1{left} and {right}; {ONE_NUMBER}")
        for text, left, right in (("1 000", "", "000"), ("1½", "", "½"), ("1.5.2", ".5", ".2"))
    },
    **{
        text: (name, f"{name} is a function; it is called as {name}(x)")
        for text, name in (("tanh x", "tanh"), ("sin²x", "sin"), ("tanh[x]", "tanh"), ("tanh·2", "tanh"))
    },
    "tanh⁻¹(x)": ("tanh⁻¹", "tanh⁻¹ can be read in two ways; write tanh(…)**(-1), or the inverse function"),
    **{
        f"sin{text}(x)": (f"sin{text}", f"sin{text} can be read in two ways; write sin(…)**({exponent})")
        for text, exponent in (("⁻²", "-2"), ("³⁻¹", "3-1"))
    },
    "where(x)": ("where(x)", "where is called as where(condition, a, b)"),
    "0,5·x": (",", COMMA), "1.000,5": (",", COMMA),
    **{
        text: (f"{whole},{rest}", f"{whole},{rest} can be read in two ways; write {whole}{rest} or {whole}.{rest}")
        for text, whole, rest in (("1,000", "1", "000"), ("−12,345", "12", "345"), ("999,999", "999", "999"))
    },
    "maximum(0.5; 1)": (";", "the operands of a function are separated by commas, as in maximum(x, y)"),
    "e^{-x}": ("{", "parentheses are ( and )"),
    "\\tanh(x)": ("\\", "LaTeX is not read; write 1/2 for \\frac{1}{2}, and x**2 for x^{2}"),
    "x:y": (":", "a division is written with /"), "x ≠ y": ("≠", "numbers are compared with < <= > >="),
    "x =< y": ("=<", "less or equal is written <="), "0 < x < 1": ("<", "only two numbers are compared at a time"),
    "x > 0 and w > 0": ("and", "conditions are joined by * for and, by maximum(a, b) for or"),
    "np.tanh(x)": (".", "a point belongs between digits, as in 0.5; a function is called by its name alone, as in tanh(x)"),
    "(x": ("(", "( is not closed"), "(x]": ("(", "( is not closed"), "x⌋": ("⌋", "there is no ⌊ before ⌋"),
    **{text: (text[0], f"a number or a name is missing before {text[0]}") for text in ("·x", "²", "/2", ")")},
    "w·": ("", "the expression ends too early"), "[x]": ("[", "[ ] needs a condition, as in [x > 0]; parentheses are ( and )"),
}  # fmt: skip
# Formulas that are refused because of a name in the picture.
NAMED: Final = {
    "x(y + 1)": "an operator is missing between x and (; a product is written x*(…)",
    "2e3": "2e3 can be read in two ways; write 2*e3, or the number without an exponent",
}


@pytest.fixture(scope="module")
def task() -> Exercise:
    """An exercise whose picture has the names of `AT`, and z⁽²⁾₀."""
    leaves = {name: Value(x, name) for name, x in AT.items()}
    z = tanh(leaves["w"] * leaves["x"] + leaves["w₁"] * 0.1) * leaves["e3"]
    label_values({"z⁽²⁾₀": z})
    return exercise(z * z * leaves["y"], ask=[leaves["w"]])


def on_page(engine: Engine, task: Exercise, texts: list[str]) -> list[Any]:
    """Read answers in JavaScript: for each the number, whether it is a formula, and its rounding, or the refusal."""
    rows, data = data_of(task)
    found: list[Any] = engine.run(f"""(() => {{
        const {{graphs: [graph], exercise}} = {json.dumps(data)}, marker = new Marker(new Graph(graph, {rows}), exercise);
        return {json.dumps(texts)}.map((text) => {{
            try {{
                const {{value, isFormula, rounding}} = marker.read(text);
                return [String(value), isFormula, String(rounding)];
            }} catch (error) {{
                if (!(error instanceof Refused)) throw error;
                return error.message;
            }}
        }});
    }})()""")
    return [x if isinstance(x, str) else [float(x[0].replace("Infinity", "inf")), x[1], float(x[2])] for x in found]


def in_python(task: Exercise, text: str) -> Any:
    try:
        answer = read_answer(text, task.numbers, task.functions, task.constants)
    except AnswerError as error:
        return str(error)
    return [answer.value, answer.formula is not None, answer.rounding]


@browser
def test_a_formula_means_what_it_means_in_books(engine: Engine, task: Exercise) -> None:
    here = {**FUNCTIONS, **CONSTANTS, **{name.replace("₁", "1"): x for name, x in AT.items()}}
    for text, found in zip(READ, on_page(engine, task, [*READ]), strict=True):
        meaning = float(eval(READ[text], here))
        expression = parse(text)
        assert expression(*[here[name] for name in expression.names]) == meaning, text
        assert "[" in text or eval(expression.code, here) == pytest.approx(meaning), text
        assert in_python(task, text)[0] == meaning and found[0] == pytest.approx(meaning), text


def test_a_refusal_names_the_place_and_the_way_out(task: Exercise) -> None:
    for text, (part, problem) in REFUSED.items():
        with pytest.raises(ExpressionError) as refusal:
            parse(text)
        assert refusal.value.problem == problem and text[refusal.value.start : refusal.value.end] == part, text
        assert in_python(task, text).endswith(f" cannot be read as a number or a formula: {problem}")
    for text, problem in NAMED.items():
        assert in_python(task, text).endswith(problem)


@browser
def test_the_page_refuses_in_the_same_words(engine: Engine, task: Exercise) -> None:
    for text, found in zip(REFUSED | NAMED, on_page(engine, task, [*(REFUSED | NAMED)]), strict=True):
        assert found.removeprefix(f"'{text}' ") == in_python(task, text).removeprefix(f"{text!r} ")


SPELLED: Final = {
    "z⁽²⁾₀": "z⁽²⁾₀", "z(2)0": "z⁽²⁾₀", "z(2)_0": "z⁽²⁾₀", "z^(2)_0": "z⁽²⁾₀", "z^{(2)}_0": "z⁽²⁾₀", "z^{(2)}_{0}": "z⁽²⁾₀",
    "w₁": "w₁", "w1": "w₁", "w_1": "w₁", "w_{1}": "w₁", "x_2": "x_2", "x2": "x₂", "x_{2}": "x₂", "z20": None, "w": None,
    "f(x)": "f(x)", "µ": "µ", "\u03bc": "µ", "7": None,
}  # fmt: skip


@browser
def test_a_name_has_many_spellings(engine: Engine, task: Exercise) -> None:
    names = ["z⁽²⁾₀", "w₁", "x_2", "x₂", "f(x)", "µ", "7"]
    assert {word: look_up(word, spellings(names)) for word in SPELLED} == SPELLED
    script = f"{json.dumps([*SPELLED])}.map((word) => names[lookUp(word, spellings(names))] ?? null)"
    assert engine.run(f"(() => {{ const names = {json.dumps(names)}; return {script}; }})()") == [*SPELLED.values()]
    of_z = [text for text, name in SPELLED.items() if name == "z⁽²⁾₀"]
    texts = [f"2{text} + w_{{1}}·{text}²" for text in of_z]
    for found in on_page(engine, task, texts):
        assert found == pytest.approx(in_python(task, texts[0]))


@browser
def test_an_order_may_spell_its_names_in_any_way(engine: Engine, task: Exercise) -> None:
    ordered = exercise(task.loss, "order")
    names = [ordered.names[x] for x in reversed(ordered.steps.order)]
    for text in ("z(2)0", "z^{(2)}_0"):
        assert ordered.mark([text if name == "z⁽²⁾₀" else name for name in names])


def test_a_name_with_an_accent_is_a_name() -> None:
    assert parse("2x̄²")(3.0) == 18.0 and read_answer("2x̄", {"x̄": 3.0}).value == 6.0
    with pytest.raises(AnswerError, match="there is no x̄ in this exercise; a formula may use x"):
        read_answer("x̄", {"x": 3.0})


OPERANDS: Final = ["w", "x", "w₁", "w_1", "z(2)0", "2", "3", "0.5", "½", "e3", "1.25", "π", "1.25e−1"]
FRAGMENTS: Final = [
    *OPERANDS, *"+-*/^·×−÷%<>≤()()()[]||⌊⌋⌈⌉√∛²³⁻∞¾,;.:={}#_'′", *wide("()2x+1"), "**", "//", "<=", ">=", "==", "⁻¹", "and",
    "or", "if", "not", "10", "0", ".5", "2.", "1e3", "2e1", "1.234", "w1", "w_{1}", "z⁽²⁾₀", "z^(2)_0", "loss", "q", "e", "pi",
    "_0", "0x10", "tanh", "σ", "abs", "maximum", "where", "leaky_relu", "sin", "log",
]  # fmt: skip


def written(rng: Random, depth: int) -> str:
    """Draw a formula, often one without the signs of its products."""
    if depth == 0:
        return rng.choice(OPERANDS)
    a, b = written(rng, depth - 1), written(rng, depth - 1)
    return rng.choice([
        f"{a}+{b}", f"{a}·{b}", f"{a}{b}", f"{a}({b})", f"({a}){b}", f"({a})({b})", f"{a}²{b}", f"√{a}", f"|{a}|", f"{a}|{b}|",
        f"tanh²({a})", f"tanh({a}){b}", f"sin^2({a})", f"-{a}", f"{a}/{b}", f"{a}^{b}", f"{a}²", f"{a} {b}",
        f"maximum({a},{b})", f"[{a}>{b}]", f"⌊{a}⌋", f"leaky_relu({a})", f"maximum({a},{b},{a})", f"where([{a}>{b}]*2,{a},{b})",
    ])  # fmt: skip


def problem(refusal: object) -> str:
    """Return a refusal, without the function that Python guesses, and without the operands of an undefined operation."""
    text = str(refusal).partition("formula: ")[2]
    return re.sub(r"; did you mean \w+\?$|^.*(?= is undefined)|\. The operand.*", "", text)


@browser
def test_python_and_the_page_read_any_text_in_the_same_way(engine: Engine, task: Exercise) -> None:
    rng = Random(4)
    texts = [rng.choice(["", "", " "]).join(rng.choices(FRAGMENTS, k=rng.randint(1, 9))) for _ in range(1500)]
    texts += [written(rng, rng.randint(1, 4)) for _ in range(1500)]
    n = 0
    for text, found in zip(texts, on_page(engine, task, texts), strict=True):
        expected = in_python(task, text)
        if isinstance(found, str) or isinstance(expected, str):
            assert problem(found) == problem(expected), text
        else:
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True), text
            n += 1
    assert n > 600


def test_a_number_for_a_variable_is_read_as_elsewhere() -> None:
    numbers = {"1/2": 0.5, "-0,5": -0.5, "−½": -0.5, "−5e−1": -0.5, wide("2.5"): 2.5, "√4": 2.0, "pi": math.pi}
    for text, value in numbers.items():
        assert read_values([f"x={text}"], parse("x"))["x"].data == value
    for text in ("y", "1/0", "1 000", "1,000", ""):
        with pytest.raises(UsageError, match=r"is not a value: write a number after the =, as in x=0\.5"):
            read_values([f"x={text}"], parse("x"))


def test_predictions_and_leaves_are_read_in_full_width() -> None:
    with node_with("quiz.js") as node:
        texts = ["1/2", "½", "−½", "1÷4", wide("2.5"), wide("-0,5"), wide("1/2"), "∞", "0,125", "1½", "1/2/3", "x", "1,000"]
        found = [
            float(x.replace("Infinity", "inf")) for x in node.run(f"{json.dumps(texts)}.map((text) => String(read(text)))")
        ]
    assert found == pytest.approx([0.5, 0.5, -0.5, 0.25, 2.5, -0.5, 0.5, math.inf, 0.125, *[math.nan] * 4], nan_ok=True)


def test_the_program_of_a_typed_formula_runs(capsys: pytest.CaptureFixture[str]) -> None:
    program = write_expression("2x²·tanh²(w₁) − |x|", {"x": 2.0, "w1": 1.0})
    assert "f = 2*x**2*(tanh(w1)**2) - abs(x)" in program
    exec(program)
    assert float(capsys.readouterr().out.split()[0]) == 8 * math.tanh(1.0) ** 2 - 2
