"""Checks: what they print, and what they refuse."""

import itertools
import math
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Unary, Value, dot, exp, log, relu, softmax, tanh, total, where
from autograd.checking import gradcheck
from autograd.checking.numeric import Slope
from autograd.checking.report import Report
from autograd.checking.verdicts import VERDICTS, Check, judge, short


def test_the_report_of_a_network() -> None:
    w0, w1, b = Value(0.5, label="w0"), Value(-0.75, label="w1"), Value(0.25, label="b")
    out = tanh(dot([w0, w1], [2.0, 1.0], b))
    loss = (out - 1.0) ** 2
    loss.label = "E"
    report = gradcheck(loss)
    assert report.verdict == "correct" and bool(report)
    lines = str(report).splitlines()
    assert lines[0] == "correct: 3 derivatives and 6 local ones agree with numeric ones, and backward with forward mode."
    assert lines[2] == "derivative  at               backward        numeric  ± error  verdict"
    assert lines[3].startswith("∂E/∂w0      w0 = 0.5     -1.692066969   -1.692066969  ") and lines[3].endswith("  correct")
    assert lines[-1] == "Local derivatives that are correct: dot 3, tanh 1, subtract 1, power 1."
    assert [check.verdict for check in (*report.inputs, *report.edges)] == ["correct"] * 9


@pytest.mark.parametrize("logits", [(0.0, 1.0), (0.0, 0.0), (5.25, 27.0)])  # the last are saturated
def test_softmax_has_no_kink(logits: tuple[float, float]) -> None:
    assert gradcheck(lambda x, y: softmax([x, y])[1], *logits).verdict == "correct"


def test_the_report_of_a_wrong_rule() -> None:
    cube = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * x)
    text = str(gradcheck(lambda x: cube(x) + x, 2.0))
    head, table, reasons, right = text.split("\n\n")
    assert head == "wrong: the local derivative ∂cube/∂x is wrong."
    assert [line.split()[0] for line in table.splitlines()] == ["derivative", "∂f/∂x", "∂cube/∂x"]
    assert "∂cube/∂x at x = 2: the rule 3·x gives 6, but the slope is 12 ± " in reasons
    assert right == "Local derivatives that are correct: add 2."


@pytest.mark.parametrize("call", [0, 1, 2])
def test_a_function_that_differs_once_is_not_deterministic(call: int) -> None:
    calls = itertools.count()
    with pytest.raises(ValueError, match=r"not deterministic: at x = 2 it gave [46]\.0 and then [46]\.0"):
        gradcheck(lambda x: x * (2 if next(calls) == call else 3), 2.0)


def test_a_condition_has_the_exact_derivative_0() -> None:
    x = Value(2.0, label="x")
    [condition, *_] = gradcheck(where(x, x * 3, 1.0)).edges[1:]
    assert str(condition) == "correct: ∂where/∂x0 at x0 = 2, x1 = 6, x2 = 1: 0, numeric 0 ± 0"


@pytest.mark.slow
def test_reports_fit_into_a_terminal() -> None:
    long = [Value(0.5 + i, label=f"layer{i}.neuron{i}.weight{i}") for i in range(15)]
    cube = Unary("cube", lambda x: x * x * x, lambda x, out: 3 * x)
    for y in (total([tanh(x) * 1e-7 for x in long[::4]]), total([cube(x) for x in long]), total([relu(x - 0.5) for x in long])):
        text = str(gradcheck(y, order=2) if y.data < 1e-3 else gradcheck(y))
        assert max(map(len, text.splitlines())) <= 100, text
    assert "… and 3 more" in text


def test_comparisons_left_out_are_counted_and_wrong_ones_come_first() -> None:
    def check(i: int) -> Check:
        return Check(f"∂f/∂x{i}", f"x{i} = 1", 1.0, 1.0, 0.0, "wrong" if i == 19 else "correct", "so" if i == 19 else "")

    report = Report(tuple(check(i) for i in range(20)), ())
    rows = str(report).split("\n\n")[1].splitlines()
    assert len(rows) == 1 + 12 + 1 and rows[1].startswith("∂f/∂x19") and rows[-1] == "… and 8 more"
    assert str(check(19)) == "wrong: ∂f/∂x19 at x19 = 1: 1, numeric 1 ± 0: so"


def test_the_first_verdict_that_applies_is_the_reports() -> None:
    for n, verdict in enumerate(VERDICTS):
        checks = [Check("∂f/∂x", "x = 1", 1.0, 1.0, 0.0, other) for other in VERDICTS[n:]]
        report = Report(tuple(checks[1:]), tuple(checks[:1]))
        assert report.verdict == verdict and bool(report) == (verdict == "correct")
    assert VERDICTS == ("wrong", "domain", "kink", "unsure", "vacuous", "correct")


@pytest.mark.parametrize(
    ("analytic", "found", "verdict"),
    [
        (2.0, Slope(2.0, 1e-9), "correct"),
        (2.0, Slope(2.0 + 3e-9, 1e-9), "correct"),
        (2.0, Slope(2.0 + 5e-9, 1e-9), "wrong"),
        (0.0, Slope(1e-10, 1e-9), "correct"),
        (2.0, Slope(2.0, 0.1), "unsure"),
        (2.0, Slope(2.0, 0.6), "vacuous"),
        (1e-10, Slope(0.0, 1e-9), "vacuous"),
        (-2.0, Slope(2.0, 1e-9), "wrong"),
        (math.nan, Slope(2.0, 1e-9), "wrong"),
        (math.nan, Slope(math.nan, math.inf, "lone"), "domain"),
        (math.inf, Slope(2.0, 1e-9), "wrong"),
        (math.inf, Slope(math.inf, 0.0), "correct"),
        (-math.inf, Slope(math.inf, 0.0), "wrong"),
        (2.0, Slope(math.inf, 0.0), "wrong"),
        (1.7e308, Slope(math.inf, 0.0), "unsure"),
        (math.inf, Slope(math.inf, math.inf, "steep", "right"), "domain"),
        (2.0, Slope(math.nan, math.inf, "noise"), "unsure"),
        (2.0, Slope(2.0, math.inf), "unsure"),
        (0.5, Slope(math.nan, math.inf, "kink", left=0.0, right=1.0), "kink"),
        (1.5, Slope(math.nan, math.inf, "kink", left=0.0, right=1.0), "wrong"),
        (1.0, Slope(1.0, 1e-9, "kink", left=0.0, right=1.0, away=-1e-5), "kink"),
        (0.0, Slope(1.0, 1e-9, "kink", left=0.0, right=1.0, away=-1e-5), "wrong"),
        (7.0, Slope(math.nan, math.inf, "jump", left=0.0, right=0.0, height=1.0), "kink"),
        (2.0, Slope(2.0, 1e-9, side="left"), "correct"),
        (3.0, Slope(0.0, 1e-9, limit=1.0), "unsure"),
    ],
)
def test_verdicts(analytic: float, found: Slope, verdict: str) -> None:
    check = judge("∂f/∂x", "x = 1", analytic, found)
    assert check.verdict == verdict
    assert bool(check.reason) == (verdict != "correct" or found.side != "both")


def test_numbers_are_short() -> None:
    assert [short(x) for x in (1 / 3, -2.0, 1e-300, math.nan, -math.inf)] == ["0.3333333333", "-2", "1e-300", "NaN", "-∞"]


counter = itertools.count()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gradcheck(lambda x: 3.0, 1.0), TypeError, "f returned 3.0, not a Value; .data, float"),
        (lambda: gradcheck(lambda x: x.data * 2, 1.0), TypeError, "f returned 2.0, not a Value"),
        (lambda: gradcheck(lambda x: None, 1.0), TypeError, "does it end without a return"),
        (lambda: gradcheck(lambda x: [x, x], 1.0), TypeError, "f returned a list; gradcheck takes one scalar"),
        (lambda: gradcheck(lambda x: Value(3.0) * 2, 1.0), ValueError, "f depends on none of its inputs"),
        (lambda: gradcheck(lambda x: log(x), -1.0), ValueError, r"f raised DomainError at x = -1: log\(-1.0\) is undefined"),
        (
            lambda: gradcheck(lambda x: math.exp(x), 1.0),
            ValueError,
            "f raised TypeError at x = 1: turning x = 1.0 into",
        ),
        (lambda: gradcheck(lambda v: v[5], [1.0]), ValueError, r"f raised IndexError at v\[0\] = 1"),
        (lambda: gradcheck(lambda x: x * random.random(), 1.0), ValueError, "f is not deterministic: at x = 1 it gave"),
        (lambda: gradcheck(lambda x: x * next(counter), 1.0), ValueError, "and then .*; draw random numbers outside of it"),
        (lambda: gradcheck(tanh), TypeError, "f has no inputs to differentiate with respect to; pass a point"),
        (lambda: gradcheck(tanh, []), ValueError, "^the point of f is empty; choose one with at least one number$"),
        (lambda: gradcheck(tanh, math.nan), ValueError, "x is NaN; gradients are checked at finite points"),
        (lambda: gradcheck(tanh, -math.inf), ValueError, "x is -∞; gradients"),
        (lambda: gradcheck(tanh, "1"), TypeError, "'1' is a str; pass a real number"),
        (lambda: gradcheck(tanh, object()), TypeError, "pass a real number"),
        (lambda: gradcheck(lambda x: x * math.nan, 1.0), ValueError, r"f is NaN at x = 1; .* is x \* nan = nan"),
        (lambda: gradcheck(lambda x: exp(x) * 2, 1000.0), ValueError, r"f is ∞ at x = 1000; .* is exp\(x\) = inf"),
        (lambda: gradcheck(lambda *v: log(v[0]), *[-1.0] * 40), ValueError, "f raised DomainError at x0 = -1, .*…: log"),
        (lambda: gradcheck(Value(3.0)), TypeError, r"Value\(3.0\) has no inputs: it is a leaf"),
        (lambda: gradcheck(Value(3.0) * 2, 1.0), TypeError, "a graph has its point in its leaves"),
        (lambda: gradcheck(tanh, 1.0, order=0), ValueError, "the order of a check is 1, for first derivatives, or more; not 0"),
    ],
)
def test_bad_input(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_number_and_a_changed_leaf_are_refused() -> None:
    number: Any = 3.0
    with pytest.raises(TypeError, match=r"3.0 is a float; gradcheck takes a function and a point, or the Value of a graph"):
        gradcheck(number, 1.0)
    x = Value(2.0, label="x")
    y = x * x
    x.data = 3.0
    with pytest.raises(ValueError, match="a leaf was changed after the forward pass"):
        gradcheck(y)


def test_a_gradient_that_adds_to_that_of_an_earlier_call_is_wrong() -> None:
    total_so_far = [0.0]

    def gradient(x: float) -> float:  # a backward pass without zero_grad
        total_so_far[0] += 2 * x
        return total_so_far[0]

    report = gradcheck(lambda x: x * x, 3.0, gradient=gradient)
    [check] = report.inputs
    assert report.verdict == "wrong" and check.analytic == 6
    assert re.fullmatch("called again at this point, it differs by up to .*: draw random numbers outside .*", check.reason)


@pytest.mark.parametrize(("noise", "verdict"), [(0.1, "wrong"), (1e-3, "correct"), (1e-9, "correct")])
def test_a_gradient_with_random_numbers_is_named(noise: float, verdict: str) -> None:
    chance = random.Random(0)
    report = gradcheck(lambda x: x * x, 3.0, gradient=lambda x: 2 * x + noise * chance.random())
    assert report.verdict == verdict
    [note] = report.notes
    assert re.fullmatch("the gradient is not deterministic: at the same point it differs by up to .*", note)


def test_rounding_noise_in_a_gradient_of_zero_is_not_wrong() -> None:
    chance = random.Random(0)
    report = gradcheck(lambda x: math.cos(x) + 1, 0.0, gradient=lambda x: -math.sin(x) + 1e-17 * chance.random())
    assert report.verdict == "vacuous"


def test_numbers_that_look_alike_are_written_in_full() -> None:
    [check] = gradcheck(lambda x: x * x, 3.0, gradient=lambda x: 2 * x * (1 + 1e-12)).inputs
    assert check.reason == f"it is {6 * (1 + 1e-12)!r}, but the slope is {check.numeric!r} ± {check.error:.1g}"


def test_a_doubtful_gradient_is_not_blamed_on_the_numeric_derivative() -> None:
    smooth = Slope(6.0, 1e-13)
    assert judge("∂f/∂x", "x = 3", 6.0, smooth, doubt=24.0).reason == "6 cannot be told from 0 with an error of 6"
    assert judge("∂f/∂x", "x = 3", 6.0, smooth, doubt=2.0).reason == "6 is known only to ± 0.5, which is too coarse to judge by"


def test_a_series_is_compared_by_its_labels_and_not_by_their_order() -> None:
    pd = pytest.importorskip("pandas")
    s, t = pd.Series([1.0, 2.0, 5.0], index=["a", "b", "c"]), pd.Series([3.0, 4.0, 7.0], index=["a", "b", "c"])
    assert gradcheck(lambda s: (s * s).sum(), s, gradient=lambda s: (2 * s)[::-1])
    assert gradcheck(lambda s, t: (s * t).sum(), s, t, gradient=lambda s, t: (t[::-1], s))
    swapped = gradcheck(lambda s: (s * s).sum(), s, gradient=lambda s: pd.Series([10.0, 4.0, 2.0], index=s.index))
    assert [check.verdict for check in swapped.inputs] == ["wrong", "correct", "wrong"]
