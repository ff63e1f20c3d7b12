"""Formulas: their text, LaTeX and source mean what the table computes."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
from test_primitives import NAMES, sample

from autograd import primitives
from autograd.primitives import (
    Binary,
    Primitive,
    Unary,
    divide,
    dot,
    exp,
    gate,
    logsumexp,
    maximum,
    negative,
    power,
    relu,
    sqrt,
    square,
    step,
    total,
    where,
)
from autograd.strategies import ROWS, widths
from autograd.symbol import Symbol, as_symbol
from autograd.value import Value
from autograd.writing import digits, source

NAMESPACE: dict[str, Any] = {"inf": math.inf, "nan": math.nan}


def run(formula: Symbol, **values: float) -> float:
    text, calls = source(formula)
    return float(eval(text, {**NAMESPACE, **{name: row.function for name, row in calls.items()}}, values))


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_the_text_of_a_rule_evaluates_to_the_rule(row: Primitive) -> None:
    for operands in sample(row):
        names = ["x", "y"] if isinstance(row, Binary) else [f"x{i}" for i in range(len(operands))]
        symbols = [Symbol(name) for name in names]
        values = dict(zip(names, operands, strict=True))
        out = row.evaluate(operands)
        assert run(as_symbol(row.apply(symbols)), **values) == out
        which = range(len(operands))
        rules = row.partials(symbols, Symbol("out"), which)
        for rule, partial in zip(rules, row.partials(operands, out, which), strict=True):
            found = run(as_symbol(rule), **values, out=out)
            assert found == partial or (math.isnan(found) and math.isnan(partial))


x, y, z = Symbol("x"), Symbol("y"), Symbol("z")


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        (x + y * z, "x + y·z", r"x + y \cdot z"),
        (Symbol("w⁽¹⁾₀₂") ** 3, "w⁽¹⁾₀₂³", r"{w^{(1)}_{02}}^{3}"),
        (square(Symbol("w⁽¹⁾₀₂")), "w⁽¹⁾₀₂²", r"{w^{(1)}_{02}}^{2}"),
        ((x + y) * z, "(x + y)·z", r"\left(x + y\right) \cdot z"),
        (x - (y - z), "x - (y - z)", r"x - \left(y - z\right)"),
        (x - y - z, "x - y - z", "x - y - z"),
        (x / y / z, "x / y / z", r"\frac{\frac{x}{y}}{z}"),
        (x / (y * z), "x / (y·z)", r"\frac{x}{y \cdot z}"),
        (-(x + y), "-(x + y)", r"-\left(x + y\right)"),
        ((-x) ** 2, "(-x)²", r"\left(-x\right)^{2}"),
        (-(x**2), "-x²", "-x^{2}"),
        (x * x, "x²", "x^{2}"),
        ((x + 1) * (x + 1), "(x + 1)·(x + 1)", r"\left(x + 1\right) \cdot \left(x + 1\right)"),
        (x**y, "x^y", "x^{y}"),
        (x**-1, "x^-1", "x^{-1}"),
        ((x**y) ** z, "(x^y)^z", r"\left(x^{y}\right)^{z}"),
        (x + -2, "x + (-2)", "x + (-2)"),
        (as_symbol(-0.5) * 3, "-0.5·3", r"-0.5 \cdot 3"),
        (3 * as_symbol(-0.5), "3·(-0.5)", r"3 \cdot (-0.5)"),
        (as_symbol(-0.5) ** 2, "(-0.5)²", r"\left(-0.5\right)^{2}"),
        (abs(x - y), "|x - y|", r"\left|x - y\right|"),
        (sqrt(x + y), "√(x + y)", r"\sqrt{x + y}"),
        (exp(-x), "exp(-x)", "e^{-x}"),
        (relu(x), "relu(x)", r"\operatorname{relu}(x)"),
        (x <= y, "x ≤ y", r"x \leq y"),
        (gate(x <= y), "[(x ≤ y) > 0]", r"\mathbb{1}[\left(x \leq y\right) > 0]"),
        (step(x - y), "[x - y ≥ 0]", r"\mathbb{1}[x - y \geq 0]"),
        (dot([x, y], [1.0, 2.0], -3.0), "x·1 + y·2 + (-3)", r"x \cdot 1 + y \cdot 2 + (-3)"),
        (total([x, y]) * 2, "(x + y)·2", r"\left(x + y\right) \cdot 2"),
        (logsumexp([x, y]), "logsumexp([x, y])", r"\operatorname{logsumexp}(x, y)"),
        (x.tanh() / math.inf, "tanh(x) / ∞", r"\frac{\tanh(x)}{\infty}"),
    ],
)
def test_parentheses(formula: Symbol, text: str, latex: str) -> None:
    assert (formula.text, formula.latex) == (text, latex)


@pytest.mark.parametrize(
    ("template", "function"),
    [
        ("1 - {0}", lambda x: 1 - x),
        ("-{0}", lambda x: -x),
        ("{0}*{0}", lambda x: x * x),
        ("{0} / (1 + abs({0}))", lambda x: x / (1 + abs(x))),
        ("({0} / 2)", lambda x: x / 2),
        ("({0} > 1)", lambda x: x > 1),
        ("({0}) + ({0})", lambda x: x + x),
        ("({0} if {0} < 1 else 1)", lambda x: x if x < 1 else 1),
        ("{0} if {0} < 1 else 1", lambda x: x if x < 1 else 1),
        ("abs({0})", abs),
    ],
)
def test_a_user_defined_template_means_the_same_inside_a_formula(template: str, function: Any) -> None:
    row = Unary("row", lambda x: float(function(float(x))), lambda x, out: 0.0, text=template, code=template)
    twice = Unary("twice", row.function, lambda x, out: 0.0, text=template)
    inside: list[Callable[[Any], Any]] = [
        lambda x: 3 - row(x),
        lambda x: 3 / row(x + 1),
        lambda x: row(-x) * 2,
        lambda x: row(twice(x - 4)) ** 3,
    ]
    for f in inside:
        x = 0.75
        assert eval(f(Symbol("x")).text.replace("·", "*").replace("³", "**3")) == f(x)
        outer = Unary("outer", f, lambda x, out: 0.0)
        assert [outer(Value(x)).data for _ in range(2)] == [f(x)] * 2, "as recorded first, and then by the generated function"


@pytest.mark.parametrize(
    ("template", "latex"),
    [
        (r"\frac{{{0}}}{{2}}", r"\left(\frac{x + y}{2}\right)^{3}"),
        (r"({0} \cdot 2)", r"(\left(x + y\right) \cdot 2)^{3}"),
        (r"[{0} \leq 2]", r"[\left(x + y\right) \leq 2]^{3}"),
        (r"{0} \leq 2", r"\left(\left(x + y\right) \leq 2\right)^{3}"),
        ("{0} ⊗ {0}", r"\left(\left(x + y\right) ⊗ \left(x + y\right)\right)^{3}"),
    ],
)
def test_a_user_defined_latex_template_has_parentheses_where_it_needs_them(template: str, latex: str) -> None:
    row = Unary("row", math.sin, lambda x, out: 0.0, latex=template)
    assert (row(Symbol("x") + Symbol("y")) ** 3).latex == latex


def test_long_sums_have_an_ellipsis() -> None:
    many = [Symbol(f"w{i}") for i in range(100)]
    assert dot(many, many).text == "w0² + w1² + … + w98² + w99²"
    assert total(many).latex == r"w_{0} + w_{1} + \cdots + w_{98} + w_{99}"
    assert logsumexp(many).text == "logsumexp([w0, w1, …, w99])"


def test_known_numbers_pick_the_case_and_say_why() -> None:
    a, b = Symbol("a", 2.0), Symbol("b", 5.0)
    rule = maximum.partial_x(a, b, Symbol("out", 5.0)) * b
    assert (rule.text, rule.reason, rule.value) == ("0·b", "a ≤ b", 0.0)
    rule = maximum.partial_x(b, a, Symbol("out", 5.0))
    assert (rule.text, rule.reason, str(rule)) == ("1", "b > a", "1, since b > a")
    assert where(a > 1, a, b).text == "a" and where(a < 1, a, b).text == "b"
    assert as_symbol(power.partial_x(a, 3.0, Symbol("out", 8.0))).text == "3·a²"


def test_digits() -> None:
    assert [digits(v) for v in (1.0, -0.0, 1 / 3, 1e9, 123456.0, math.nan, math.inf)] == [
        "1", "0", "0.33333", "1e+09", "1.2346e+05", "NaN", "∞",
    ]  # fmt: skip


def test_all_rows_can_be_written_in_every_style() -> None:
    for row, width in itertools.product(ROWS, (3, 9)):
        count = max(widths(row)) if len(widths(row)) == 1 else width
        formula = as_symbol(row.apply([Symbol(f"a{i}") for i in range(count)]))
        assert formula.text and formula.latex.count("{") == formula.latex.count("}") and repr(formula)
    assert negative(divide(x, y)).text == "-(x / y)"
    assert set(NAMES) == {row.name for row in vars(primitives).values() if isinstance(row, Primitive)}
