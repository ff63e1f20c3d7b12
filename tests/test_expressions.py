"""Expressions: which are read, which are refused with which message, and no text is ever executed."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from math import inf, isnan, nan, tau
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd import Dual, Value, primitives
from autograd.expressions import FUNCTIONS, LONGEST, ExpressionError, parse
from autograd.primitives import Binary, DomainError, Primitive, Unary
from autograd.tokens import SYNONYMS
from autograd.transforms import grad


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2**3", 8.0),
        ("6·2 − 8÷4×1⋅3", 6.0),
        ("  2 + 3 ", 5.0),
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("2**3**2", 512.0),
        ("10 - 3 - 2", 5.0),
        ("8 / 4 / 2", 1.0),
        ("2 + 3*4", 14.0),
        ("(2 + 3)*4", 20.0),
        ("+-+2", -2.0),
        ("007 + 00.5", 7.5),
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
        ("maximum(1, 2, 3) - minimum(2, 3, 1, 4)", 2.0),
        ("[2 > 1]*3 + [2 < 1]", 3.0),
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


def test_constants_are_numbers() -> None:
    assert parse("cos(pi*x)").names == ("x",) and parse("2*pi")() == parse("tau")() == tau
    assert parse("log(e)")() == 1.0 and parse("e**x")(2.0) == math.e**2
    with pytest.raises(ExpressionError, match="there is no function e"):
        parse("e(x)")


def test_synonyms_belong_to_names_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    assert [name for name in SYNONYMS if name not in FUNCTIONS and not hasattr(numpy, name)] == []
    others = " ".join(SYNONYMS.values()).split()
    assert len({*others}) == len(others)


# Unknown names, each with the name that is suggested; None where any suggestion would be misleading.
GUESSES = {
    "sinn": "sin", "coss": "cos", "tahn": "tanh", "lgo": "log", "sqroot": "sqrt", "Tanh": "tanh", "ReLU": "relu", "SIN": "sin",
    "LeakyReLU": "leaky_relu", "logsumexpp": "logsumexp", "ln": "log", "max": "maximum", "sgn": "sign", "pow": "power",
    "mul": "multiply", "totl": "total", "expit": "sigmoid", "iif": "where",
    "sinhh": "sinh", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "ATAN2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "arcsine": "arcsin", "mod": "remainder", "lg": "log10",
    "log_2": "log2", "ceiling": "ceil", "flor": "floor", "round": None, "int": None, "hypoth": "hypot",
    "f": None, "foo": None, "softmax": None, "print": None, "getattr": None, "cot": None, "gelu": None, "__import__": None,
}  # fmt: skip


@pytest.mark.parametrize(("name", "meant"), GUESSES.items())
def test_the_function_that_is_meant_is_guessed(name: str, meant: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for known in filter(None, GUESSES.values()):
        monkeypatch.setitem(FUNCTIONS, known, FUNCTIONS.get(known, primitives.tanh))
    monkeypatch.delitem(FUNCTIONS, "rint", raising=False)
    end = f"; did you mean {meant}" if meant else r"(; a product is written f\*\(…\))?$"
    with pytest.raises(ExpressionError, match=f"there is no function {name}{end}"):
        parse(f"{name}(x)")


def test_a_function_without_a_row_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FUNCTIONS, "arcsin", raising=False)
    with pytest.raises(ExpressionError, match=r"there is no function asin$"):
        parse("asin(x)")
    monkeypatch.setitem(FUNCTIONS, "rint", primitives.tanh)
    with pytest.raises(ExpressionError, match="did you mean rint"):
        parse("round(x)")


def test_a_quotient_or_remainder_of_nothing_is_refused() -> None:
    for sign in ("/", "%", "//"):
        with pytest.raises(ExpressionError, match=r"operand at fault is 0\."):
            parse(f"x {sign} 0")(1.0)
    with pytest.raises(ExpressionError, match=r"1\.0 / 0\.0 is undefined"):  # comparisons are numbers, too
        parse("[1 > 0]/[1 < 0]")()


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
    with pytest.raises(ExpressionError, match=r"^column 10, `\.`: a point belongs"):
        parse("  θ*2 + é.z")


def test_a_long_sum_and_many_signs_below_the_limit() -> None:
    assert parse("+".join(["x"] * 1000))(1.0) == 1000.0
    assert parse("-" * 1000 + "x")(1.0) == 1.0


NO_MEANING = "has no meaning here; an expression consists of numbers, names, + - * / ** % //, comparisons, parentheses and"
RESERVED = "this is a reserved word of Python; give the variable another name"
ONE_POINT = "a point belongs between digits, as in 0.5; a function is called by its name alone, as in tanh(x)"
CONDITION = "[ ] needs a condition, as in [x > 0]; parentheses are ( and )"
REFUSED = {
    "": "column 1: the expression is empty",
    " \n ": "column 1: the expression is empty",
    "__import__('os')": "column 1, `__import__('os')`: there is no function __import__",
    "x + y.real": f"column 6, `.`: {ONE_POINT}",
    "np.tanh(x)": f"column 3, `.`: {ONE_POINT}",
    "().__class__": "column 2, `)`: a number or a name is missing before )",
    "lambda: 0": f"column 1, `lambda`: {RESERVED}",
    "(lambda: 0)()": f"column 2, `lambda`: {RESERVED}",
    "[x for x in y]": "column 4, `for`: an operator is missing between x and for; a product is written x*for",
    "(x := 1)": "column 4, `:`: a division is written with /",
    "x[0]": "column 2, `[`: an operator is missing between x and [; a product is written x*[…]",
    "'text'": f"column 1, `'`: ' {NO_MEANING}",
    "x + True": f"column 5, `True`: {RESERVED}",
    "...": f"column 1, `.`: {ONE_POINT}",
    "{}": "column 1, `{`: parentheses are ( and )",
    "not x": f"column 1, `not`: {RESERVED}",
    "~x": f"column 1, `~`: ~ {NO_MEANING}",
    "x @ 2": f"column 3, `@`: @ {NO_MEANING}",
    "x << 2": "column 4, `<`: a number or a name is missing before <",
    "x == 2": "column 3, `==`: numbers are compared with < <= > >=",
    "1 < x < 2": "column 7, `<`: only two numbers are compared at a time",
    "x and y": "column 3, `and`: conditions are joined by *",
    "x if y > 0 else 1": "column 3, `if`: if and else are written where(condition, a, b)",
    "x, y": "column 2, `,`: a comma separates the operands of a function, as in maximum(x, y); a decimal number has a point",
    "[x]": f"column 1, `[`: {CONDITION}",
    "total([[x]])": f"column 8, `[`: {CONDITION}",
    "foo(x)": "column 1, `foo(x)`: there is no function foo",
    "1 + max(x, y)": "column 5, `max(x, y)`: there is no function max; did you mean maximum?",
    "(1 - tanh x)": "column 6, `tanh`: tanh is a function; it is called as tanh(x)",
    "tanh*2": "column 1, `tanh`: tanh is a function; it is called as tanh(x)",
    "leaky_relu": "column 1, `leaky_relu`: leaky_relu is a function; it is called as leaky_relu(x, y=0.01)",
    "tahn(x)": "column 1, `tahn(x)`: there is no function tahn; did you mean tanh?",
    "ln(x)": "column 1, `ln(x)`: there is no function ln; did you mean log?",
    "sigma(x)": "column 1, `sigma(x)`: there is no function sigma; did you mean sigmoid?",
    "f(x)": "column 1, `f(x)`: there is no function f; a product is written f*(…)",
    "f(x": "column 1, `f(x`: there is no function f",
    "tanh()": "column 1, `tanh()`: tanh is called as tanh(x)",
    "tanh(x, y)": "column 1, `tanh(x, y)`: tanh is called as tanh(x)",
    "tanh(x=1)": "column 7, `=`: an expression has no =",
    "tanh(*x)": "column 6, `*`: a number or a name is missing before *",
    "tanh(x,)": "column 8, `)`: a number or a name is missing before )",
    "tanh([x])": f"column 6, `[`: {CONDITION}",
    "maximum(x)": "column 1, `maximum(x)`: maximum is called as maximum(x, y, *more)",
    "leaky_relu(x, y, z)": "column 1, `leaky_relu(x, y, z)`: leaky_relu is called as leaky_relu(x, y=0.01)",
    "where(x, y)": "column 1, `where(x, y)`: where is called as where(condition, a, b)",
    "total()": "column 1, `total()`: total is called as total(operands)",
    "logsumexp([])": "column 1, `logsumexp([])`: logsumexp of nothing has no value",
    "dot([x], y)": "column 1, `dot([x], y)`: dot is called as dot(weights, inputs, bias=None)",
    "dot([x], [1, 2])": "column 1, `dot([x], [1, 2])`: dot needs as many weights as inputs; weights: 1, inputs: 2",
    "x +": "column 4: the expression ends too early",
    "(x": "column 1, `(`: ( is not closed",
    "|x": "column 1, `|`: | is not closed",
    "(x]": "column 1, `(`: ( is not closed",
    "x)": "column 2, `)`: there is no ( before )",
    " x y": "column 4, `y`: an operator is missing between x and y; a product is written x*y",
    "x = 3": "column 3, `=`: an expression has no =; values are given separately",
    "2*lambda": f"column 3, `lambda`: {RESERVED}",
    "x √ y": "column 3, `√`: an operator is missing between x and √; a product is written x*√",
    "x ∂ y": f"column 3, `∂`: ∂ {NO_MEANING}",
    "x # y": f"column 3, `#`: # {NO_MEANING}",
    "x\0": f"column 2, `\\x00`: \\x00 {NO_MEANING}",
    "x\x1b[31m": f"column 2, `\\x1b`: \\x1b {NO_MEANING}",
    "\udc80": f"column 1, `\\udc80`: \\udc80 {NO_MEANING}",
    "+".join(["x"] * 20_000): "column 2001, `x+x+x+x+x+x+x+x+x+x+x+x+x+x+x…`: 39,999 characters are too many; the limit",
    "-" * 5_000 + "x": "column 2001, `-----------------------------…`: 5,001 characters are too many; the limit is 2,000",
    "(" * 900 + "x" + ")" * 900: "column 1, `(((((((((((((((((((((((((((((…`: this is nested too deeply to be read",
    "tanh(" * 300 + "x" + ")" * 300: "column 1, `tanh(tanh(tanh(tanh(tanh(tanh…`: this is nested too deeply to be read",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:30]))
def test_messages_of_refused_expressions(text: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    message = str(refusal.value)
    assert message.startswith(REFUSED[text])
    assert message.isprintable()  # so it has no line breaks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 + log(x)", "column 5, `log(x)`: log(-1.0) … log needs x > 0 … operand at fault is x = -1.0"),
        ("1/(x + 1)", "column 1, `1/(x + 1)`: 1.0 / 0.0 … divide needs y ≠ 0 … operand at fault is x + 1 = 0.0"),
        ("x**0.5", "column 1, `x**0.5`: (-1.0) ** 0.5 … x > 0 … operands are x = -1.0 and 0.5"),
        ("x/(0*x\n\n)", "column 1, `x/(0*x\\n\\n)` … divide needs y ≠ 0 … operand at fault is 0*x = -0.0"),
        (f"log({'x+' * 50}x)", "column 1 … operand at fault is x+x+x+x+x+x+x+x+x+x+x+x+x+x+x… = -51.0"),
        ("x*w", "column 3, `w`: w has no value; give it one, as in w=0.5"),
        ("log(-1)", "The operand at fault is -1. Choose other numbers, or guard the operand with maximum or where"),
        ("log(0.00)", "The operand at fault is 0.00. Choose"),
        ("log(-1.0)", "The operand at fault is -1.0 = -1.0. Choose"),
        ("far(x, 2)", "column 1, `far(x, 2)`: far(-1.0, 2.0) … log(-3.0) … The operands are x = -1.0 and 2. Choose"),
    ],
)
def test_messages_of_undefined_expressions(text: str, message: str) -> None:
    far = Binary("far", lambda x, y: primitives.log(x - y), lambda x, y, out: 1 / (x - y), lambda x, y, out: 1 / (y - x))
    with pytest.raises(ExpressionError) as refusal:
        parse(text, FUNCTIONS | {"far": far}).evaluate({"x": Value(-1.0, "x")})
    assert [fact for fact in message.split(" … ") if fact not in str(refusal.value)] == []
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x # y", "#"), ("x" * 2003, "xxx"), (" 1/2x", "2x"), ("x 12", "12"), (" x y", "y"), ("x = 3", "="),
        ("2*lambda", "lambda"), (" tanh*2", "tanh"), ("  θ*2 + é.z ", "."), ("\tx == 2", "=="),
        ("x + foo(y, 2) + 1", "foo(y, 2)"), ("(x", "("), (" maximum(1, 2, foo(3), tanh)", "foo(3)"),
        ("1 + log(0 - 1)*2", "log(0 - 1)"), (" maximum(2, log(-1), 3)", "log(-1)"),
        ("2 + ①", "①"), ("x +", ""), (" ", ""),
    ],
)  # fmt: skip
def test_an_error_has_the_place_of_its_fault(text: str, fault: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse(text)()
    assert text[refusal.value.start : refusal.value.end] == fault and len(fault) == refusal.value.end - refusal.value.start
    assert refusal.value.start == (0 if not text.strip() else len(text) if text == "x +" else text.rindex(fault))
    assert (ExpressionError.start, ExpressionError.end) == (0, 0)


def test_the_first_fault_is_reported_first() -> None:
    with pytest.raises(ExpressionError, match="there is no function foo"):
        parse("foo(x) + bar(y)")
    with pytest.raises(ExpressionError, match=r"^column 1, `log"):
        parse("log(x) + sqrt(x)")(-1.0)


@pytest.mark.parametrize(
    "fault", [ZeroDivisionError("float division by zero"), OverflowError("math range error"), ValueError("no")]
)
def test_a_rule_that_fails_is_refused_in_one_line(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(x: float, out: float) -> float:
        raise fault

    monkeypatch.setitem(FUNCTIONS, "careless", Unary("careless", math.tanh, fail))
    with pytest.raises(ExpressionError, match=rf"^column 5, `careless\(x\)`: .*{fault}"):
        parse("1 + careless(x)")(Value(0.5))


def test_a_dual_outside_a_domain_is_refused_like_a_number() -> None:
    with pytest.raises(ExpressionError, match=r"^column 5, `log\(x\)`: log\(-1\.0\)"):
        parse("1 + log(x)")(Dual(-1.0, 1.0))


def test_refused_expressions_cause_no_warnings_of_python() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for text in ("1if x else 2", "'\\d'", "0x1for x"):
            with pytest.raises(ExpressionError):
                parse(text)
    assert seen == []


# Arbitrary texts, and texts that resemble expressions.
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
@settings(deadline=None, max_examples=200)
def test_any_text_is_an_expression_or_refused_in_one_line(text: str) -> None:
    try:
        result = parse(text).evaluate(dict.fromkeys(parse(text).names, Value(2.0)))
    except ExpressionError as refusal:
        assert str(refusal).isprintable()
    else:
        assert isinstance(result, Value | float)


def test_no_part_of_an_expression_is_executed(tmp_path: Path) -> None:
    """Python's audit hooks see all that is executed, imported or opened; they cannot be removed, hence the separate process."""
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
assert set(seen) <= {{"builtins.id"}}, seen
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent)
    assert not trap.exists()


@st.composite
def formulas(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a formula without superfluous parentheses, so that precedence and order matter."""
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
def test_a_formula_means_the_same_as_in_python(text: str, point: tuple[float, float, float]) -> None:
    leaves = dict(zip("xyz", map(Value, point), strict=True))
    twins = dict(zip("xyz", map(Value, point), strict=True))
    try:
        expected = eval(text, {**FUNCTIONS}, dict(twins))
    except (DomainError, ZeroDivisionError, OverflowError, TypeError):
        return  # refused by the engine, or by Python itself between constants
    if not isinstance(expected, Value):
        return
    try:
        result = parse(text).evaluate(leaves)
    except ExpressionError as refusal:
        assert "is undefined" in str(refusal)  # for example (-0.5)**0.5, a complex number in Python
        return
    result.backward()
    expected.backward()
    numbers = [result.data, *(x.grad for x in leaves.values())]
    assert list(map(repr, numbers)) == list(map(repr, [expected.data, *(x.grad for x in twins.values())]))
