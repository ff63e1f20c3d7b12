"""Expressions: what is read, what is refused and in which words, and that nothing of a text is ever run."""

from __future__ import annotations

import subprocess
import sys
import warnings
from math import inf, isnan, nan, tau
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd import Dual, Value, primitives
from autograd.expressions import ELSEWHERE, FUNCTIONS, LONGEST, ExpressionError, parse
from autograd.primitives import DomainError, Primitive
from autograd.transforms import grad


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2**3", 8.0),
        ("  2 + 3 ", 5.0),
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("2**3**2", 512.0),
        ("10 - 3 - 2", 5.0),
        ("8 / 4 / 2", 1.0),
        ("2 + 3*4", 14.0),
        ("(2 + 3)*4", 20.0),
        ("+-+2", -2.0),
        ("1_000 + 0x10", 1016.0),
        ("1e-3", 0.001),
        ("1e999", inf),
        ("9" * 1000, inf),
        ("9**9**9", inf),
        ("3 > 2", 1.0),
        ("(2 <= 1) + (1 < 2) + (2 >= 2)", 2.0),
        ("abs(-2) + absolute(-3)", 5.0),
        ("where(1 > 2, 3, 4)", 4.0),
        ("leaky_relu(-2)", -0.02),
        ("leaky_relu(-2, 0.5)", -1.0),
        ("maximum(2, 3) - minimum(2, 3)", 1.0),
        ("total([1, 2, 3])", 6.0),
        ("total([])", 0.0),
        ("dot([1, 2], [3, 4])", 11.0),
        ("dot([1, 2], [3, 4], 5)", 16.0),
        ("2\n+\t3", 5.0),
    ],
)
def test_the_value_of_a_constant(text: str, value: float) -> None:
    result = parse(text)()
    assert result == value
    assert type(result) is float


def test_pi_is_a_number() -> None:
    assert parse("cos(pi*x)").names == ("x",) and parse("2*pi")() == tau


def test_what_others_call_it_is_no_name_of_ours() -> None:
    assert set(ELSEWHERE.values()) <= set(FUNCTIONS) and not set(ELSEWHERE) & set(FUNCTIONS)


def test_every_operation_of_the_table_is_called_by_its_name() -> None:
    rows = {name for name in primitives.__all__ if isinstance(getattr(primitives, name), Primitive)}
    assert set(FUNCTIONS) == rows | {"abs"}


def test_names_come_in_the_order_of_their_first_occurrence() -> None:
    assert parse("b + w*x - b").names == ("b", "w", "x")
    assert parse("dot([u, v], [x, u], c)").names == ("u", "v", "x", "c")


def test_values_give_a_graph() -> None:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-0.4, "b")
    result = parse("tanh(w*x + b)**2").evaluate({"w": w, "x": x, "b": b, "unused": 1.0})
    same = (w * x + b).tanh() ** 2
    result.backward()
    gradient = w.grad, x.grad, b.grad
    result.zero_grad()
    same.backward()
    assert result.data == same.data
    assert gradient == (w.grad, x.grad, b.grad)


def test_an_expression_is_a_function_for_the_other_readings() -> None:
    square = parse("x**2")
    assert grad(grad(square))(3.0).data == 2.0
    assert square(Dual(3.0, 1.0)).tangent == 6.0


def test_a_call_needs_one_argument_for_each_variable() -> None:
    with pytest.raises(TypeError, match=r"x\*y needs one argument for each variable \(x, y\); it got 1"):
        parse("x*y")(1.0)


def test_nan_and_infinity_pass_through() -> None:
    assert isnan(parse("x*y")(nan, 2.0))
    assert parse("x + 1")(-inf) == -inf


def test_names_may_be_greek_and_columns_count_characters() -> None:
    assert parse("θ*2")(3.0) == 6.0
    with pytest.raises(ExpressionError, match=r"^column 9, `é\.z`: an attribute is not taken"):
        parse("  θ*2 + é.z")


def test_a_long_sum_and_many_signs_below_the_limit() -> None:
    assert parse("+".join(["x"] * 1000))(1.0) == 1000.0
    assert parse("-" * 1000 + "x")(1.0) == 1.0


REFUSED = {
    "": "column 1: the expression is empty",
    " \n ": "column 1: the expression is empty",
    "__import__('os')": "column 1, `__import__('os')`: there is no function __import__",
    "x + y.real": "column 5, `y.real`: an attribute is not taken; an expression is made of numbers, names, + - * / **",
    "().__class__": "column 1, `().__class__`: an attribute is not taken",
    "lambda: 0": "column 1, `lambda: 0`: a lambda is not taken",
    "(lambda: 0)()": "column 1, `(lambda: 0)()`: a function is called by its name",
    "[x for x in y]": "column 1, `[x for x in y]`: a comprehension is not taken",
    "tanh(x for x in y)": "column 5, `(x for x in y)`: a comprehension is not taken",
    "(x := 1)": "column 2, `x := 1`: an assignment is not taken",
    "x[0]": "column 1, `x[0]`: an index is not taken",
    "'text'": "column 1, `'text'`: a constant that is no real number is not taken",
    "f'{x}'": "column 1, `f'{x}'`: text is not taken",
    "x + True": "column 5, `True`: a constant that is no real number is not taken",
    "2j": "column 1, `2j`: a constant that is no real number is not taken",
    "...": "column 1, `...`: a constant that is no real number is not taken",
    "{}": "column 1, `{}`: this is not taken",
    "not x": "column 1, `not x`: this is not taken",
    "~x": "column 1, `~x`: this is not taken",
    "x % 2": "column 1, `x % 2`: this is not taken",
    "x // 2": "column 1, `x // 2`: this is not taken",
    "x ^ 2": "column 1, `x ^ 2`: a power is written with **, not ^",
    "x == 2": "column 1, `x == 2`: numbers are compared with < <= > >=",
    "1 < x < 2": "column 1, `1 < x < 2`: only two numbers are compared at a time",
    "x and y": "column 1, `x and y`: conditions are joined by *",
    "x if y > 0 else 1": "column 1, `x if y > 0 else 1`: if and else are written where(condition, a, b)",
    "x, y": "column 1, `x, y`: only one expression is taken",
    "[x]": "column 1, `[x]`: a list has its place only where a function takes one",
    "total([[x]])": "column 8, `[x]`: a list has its place only where a function takes one",
    "foo(x)": "column 1, `foo(x)`: there is no function foo",
    "1 + max(x, y)": "column 5, `max(x, y)`: there is no function max; is maximum meant?",
    "tanh*2": "column 1, `tanh`: tanh is a function, not a variable; it is called as tanh(a)",
    "tahn(x)": "column 1, `tahn(x)`: there is no function tahn; is tanh meant?",
    "ln(x)": "column 1, `ln(x)`: there is no function ln; is log meant?",
    "sigma(x)": "column 1, `sigma(x)`: there is no function sigma; is sigmoid meant?",
    "f(x)": "column 1, `f(x)`: there is no function f",
    "tanh()": "column 1, `tanh()`: tanh is called as tanh(a)",
    "tanh(x, y)": "column 1, `tanh(x, y)`: tanh is called as tanh(a)",
    "tanh(x=1)": "column 1, `tanh(x=1)`: tanh is called as tanh(a)",
    "tanh(x, y=1)": "column 1, `tanh(x, y=1)`: tanh is called as tanh(a)",
    "tanh(*x)": "column 6, `*x`: this is not taken",
    "tanh([x])": "column 1, `tanh([x])`: tanh is called as tanh(a)",
    "maximum(x)": "column 1, `maximum(x)`: maximum is called as maximum(a, b)",
    "leaky_relu(x, y, z)": "column 1, `leaky_relu(x, y, z)`: leaky_relu is called as leaky_relu(a) or leaky_relu(a, b)",
    "where(x, y)": "column 1, `where(x, y)`: where is called as where(a, b, c)",
    "where(x, [y], z)": "column 1, `where(x, [y], z)`: where is called as where(a, b, c)",
    "total(x, y)": "column 1, `total(x, y)`: total is called as total([a, b])",
    "total(x)": "column 1, `total(x)`: total is called as total([a, b])",
    "logsumexp([])": "column 1, `logsumexp([])`: logsumexp of nothing has no value",
    "dot([x], y)": "column 1, `dot([x], y)`: dot is called as dot([a, b], [c, d]) or dot([a, b], [c, d], e)",
    "dot([x], [1, 2])": "column 1, `dot([x], [1, 2])`: dot needs as many weights as inputs; got 1 weights and 2 inputs",
    "2x": "column 1, `2`: a number cannot be read; if a product is meant, write it with *",
    "2(x)": "column 1, `2(x)`: a function is called by its name, and a product is written with *",
    "x +": "column 4: the expression ends too early",
    "(x": "column 1, `(`: this cannot be read: '(' was never closed",
    " x y": "column 4, `y`: this cannot be read: invalid syntax",
    "x = 3": "column 3, `=`: a value is given apart from the expression",
    "2*lambda": "column 3, `lambda`: a word of Python's own; give the variable another name",
    "x − y": "column 3, `−`: this cannot be read: invalid character",
    "x # y": "column 3, `#`: this character is not taken",
    "x\0": "column 2, `\\x00`: this character is not taken",
    "x\x1b[31m": "column 2, `\\x1b`: this character is not taken",
    "\udc80": "column 1, `\\udc80`: this character is not taken",
    "+".join(["x"] * 20_000): "column 2001, `x+x+x+x+x+x+x+x+x+x+x+x+x+x+x…`: 39,999 characters are too many, 2,000 are taken",
    "-" * 5_000 + "x": "column 2001, `-----------------------------…`: 5,001 characters are too many, 2,000 are taken",
    "(" * 900 + "x" + ")" * 900: "column ",
    "tanh(" * 300 + "x" + ")" * 300: "column ",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:30]))
def test_what_is_refused_and_in_which_words(text: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    message = str(refusal.value)
    assert message.startswith(REFUSED[text])
    assert message.isprintable()  # and so on one line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 + log(x)", "column 5, `log(x)`: log(-1.0) has no value: log needs x > 0; the operand is x = -1.0; keep it inside"),
        ("1/(x + 1)", "column 1, `1/(x + 1)`: 1.0 / 0.0 has no value: divide needs y ≠ 0"),
        ("x**0.5", "column 1, `x**0.5`: (-1.0) ** 0.5 has no value: power needs a whole y, or x > 0"),
        ("x*w", "column 3, `w`: w has no value; give it one, as in w=0.5"),
    ],
)
def test_what_has_no_value(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse(text).evaluate({"x": Value(-1.0, "x")})
    assert str(refusal.value).startswith(message)
    assert str(refusal.value).isprintable()


def test_the_first_thing_that_is_wrong_is_told_first() -> None:
    with pytest.raises(ExpressionError, match="there is no function foo"):
        parse("foo(x) + bar(y)")
    with pytest.raises(ExpressionError, match=r"^column 1, `log"):
        parse("log(x) + sqrt(x)")(-1.0)


def test_python_does_not_warn_of_a_text() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for text in ("1if x else 2", "'\\d'", "0x1for x"):
            with pytest.raises(ExpressionError):
                parse(text)
    assert seen == []


# Anything at all, and texts that look more like expressions than most.
WORDS = """x y w0 tanh dot total where log lambda if else for in is not and or yield await None print __import__
    'a' f'{x}' b'' 1 0 2.5 1e9 1e 0x 007 1_0 2j ( ) [ ] { } , . : = := == < <= > >= != + - * ** / // % @ ^ & | ~ ; #
    \\ ! ? $ ` é − ² ﬁ ()() .real [0] (x"""
FRAGMENTS = st.sampled_from([*WORDS.split(), " for x in y", "\n", "\t", "\0"])
TEXTS = st.text() | st.lists(FRAGMENTS, max_size=30).map("".join) | st.lists(FRAGMENTS, max_size=30).map(" ".join)


@given(TEXTS)
@example("(" * 199 + "x x" + ")" * 199)
@example("lambda:(" * 220)
@example("x if x else " * 160)
@example("f(x x" * 150)
@example("f'{" * 200)
@example("{**" * 100)
@example("-" * LONGEST)
@example("1if 1else 1")
@example("'\\d'")
@example("\ufeffx")
@settings(deadline=None, max_examples=500)
def test_any_text_is_an_expression_or_refused_in_one_line(text: str) -> None:
    try:
        result = parse(text).evaluate(dict.fromkeys(parse(text).names, Value(2.0)))
    except ExpressionError as refusal:
        assert str(refusal).isprintable()
    else:
        assert isinstance(result, Value | float)


def test_nothing_of_a_text_is_run(tmp_path: Path) -> None:
    """Python's audit hooks are told of everything that is run, imported and opened; they cannot be removed again."""
    trap = tmp_path / "trap"
    texts = [
        f"__import__('os').system('touch {trap}')",
        f"open('{trap}', 'w')",
        f"exec('open({str(trap)!r})')",
        f"[open('{trap}', 'w') for x in (1,)]",
        f"f'{{open({trap.name})}}'",
        f"tanh(x=open('{trap}', 'w'))",
        f"(lambda: open('{trap}', 'w'))()",
        "print(1)",
        "print",
        "tanh(breakpoint())",
    ]
    program = f"""
import sys
from autograd.expressions import ExpressionError, parse
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
for text in {texts!r}:
    try:
        parse(text)()
    except (ExpressionError, TypeError):
        pass
assert set(seen) <= {{"compile"}}, seen
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent)
    assert not trap.exists()


@st.composite
def formulas(draw: st.DrawFn, depth: int = 3) -> str:
    """A text without superfluous parentheses, so that precedence and order matter."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "y", "z", "0.5", "2.0", "3e-1"]))
    a, b, c = (draw(formulas(depth - 1)) for _ in range(3))
    return draw(
        st.sampled_from(
            [f"{a}+{b}-{c}", f"{a}-{b}*{c}", f"-{a}**{b}", f"{a}/{b}/{c}", f"{a}**-{b}", f"({a}-{b})*{c}", f"+{a}",
             f"({a})**({b})", f"tanh({a})", f"where({a}<{b},{c},{a})", f"dot([{a},{b}],[{c},{a}],{b})", f"(abs({a})>={b})"]
        )
    )  # fmt: skip


@given(formulas(), st.tuples(*[st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.5])] * 3))
@settings(deadline=None)
def test_a_formula_means_what_it_means_in_python(text: str, point: tuple[float, float, float]) -> None:
    leaves = dict(zip("xyz", map(Value, point), strict=True))
    twins = dict(zip("xyz", map(Value, point), strict=True))
    try:
        expected = eval(text, {**FUNCTIONS}, dict(twins))
    except (DomainError, ZeroDivisionError, OverflowError, TypeError):
        return  # what the engine refuses, or Python itself where constants meet
    if not isinstance(expected, Value):
        return
    try:
        result = parse(text).evaluate(leaves)
    except ExpressionError as refusal:
        assert "has no value" in str(refusal)  # as (-0.5)**0.5, which is a complex number in Python
        return
    result.backward()
    expected.backward()
    numbers = [result.data, *(x.grad for x in leaves.values())]
    assert list(map(repr, numbers)) == list(map(repr, [expected.data, *(x.grad for x in twins.values())]))
