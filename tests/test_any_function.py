"""Gradients of any function: right ones pass, wrong entries are named, and undecidable cases are reported as such."""

import dataclasses
import itertools
import math
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import checkers
import corpus
import thresholds

from autograd import Value, grad, gradcheck, sin, tanh
from autograd.checking.numeric import slope
from autograd.checking.points import PRECISIONS, Point, PointError, block
from autograd.checking.rounding import Precision

PROBLEMS = list(corpus.problems())
RNG = np.random.default_rng(0)


def thinned(step: int) -> list[Any]:
    """Return all problems, marked as slow except for every `step`-th one."""
    return [p if i % step == 0 else pytest.param(p, marks=pytest.mark.slow) for i, p in enumerate(PROBLEMS)]


def named(report: Any) -> list[str]:
    """Return the names of the wrong derivatives."""
    return [check.name for check in report.inputs if check.verdict == "wrong"]


@dataclasses.dataclass
class Layer:
    w: Any
    b: float


def squares(x: Any) -> Any:
    return (x * x).sum()


# Points and gradients in every structure


@pytest.mark.parametrize(
    ("f", "point", "gradient", "names"),
    [
        (math.sin, [0.5], math.cos, ["∂sin/∂x"]),
        (lambda a, b: a * math.exp(b), [2.0, 1], lambda a, b: (math.exp(b), a * math.exp(b)), ["∂f/∂a", "∂f/∂b"]),
        (lambda v: v[0] * v[1], [[2.0, 3.0]], lambda v: [v[1], v[0]], ["∂f/∂v[0]", "∂f/∂v[1]"]),
        (lambda v: v[0] * v[1], [[2.0, 3.0]], lambda v: np.array([v[1], v[0]]), ["∂f/∂v[0]", "∂f/∂v[1]"]),
        (lambda v: v[0] * v[1], [np.array([2.0, 3.0])], lambda v: [v[1], v[0]], ["∂f/∂v[0]", "∂f/∂v[1]"]),
        (squares, [np.array([[1.0, 2.0]])], lambda x: 2 * x, ["∂squares/∂x[0, 0]", "∂squares/∂x[0, 1]"]),
        (
            lambda p: p["w"] ** 2 * p["rows"][0][1],
            [{"w": 3.0, "rows": [(1.0, 2.0)]}],
            lambda p: {"w": 2 * p["w"] * p["rows"][0][1], "rows": [(0.0, p["w"] ** 2)]},
            ["∂f/∂p['w']", "∂f/∂p['rows'][0][0]", "∂f/∂p['rows'][0][1]"],
        ),
        (
            lambda layer: layer.w.sum() ** 2 * layer.b,
            [Layer(np.array([1.0, 2.0]), 0.5)],
            lambda layer: Layer(2 * layer.w.sum() * layer.b * np.ones(2), layer.w.sum() ** 2),
            ["∂f/∂layer.w[0]", "∂f/∂layer.w[1]", "∂f/∂layer.b"],
        ),
        (lambda *v: v[0] * v[1], [2.0, np.float64(3.0)], lambda x, y: (y, x), ["∂f/∂x0", "∂f/∂x1"]),
        (lambda x: tanh(x), [Value(0.5, label="w")], lambda x: 1 - math.tanh(x) ** 2, ["∂f/∂w"]),
        (lambda x: x * x, [0.5], grad(lambda x: x * x), ["∂f/∂x"]),
        (np.cumsum, [np.array([1.0, 2.0])], lambda a: np.tri(2), ["∂cumsum[0]/∂a[0]", "∂cumsum[1]/∂a[0]"]),
        (lambda x: [x, x * x], [3.0], lambda x: [1.0, 2 * x], ["∂f[0]/∂x", "∂f[1]/∂x"]),
        (
            lambda a, b: np.outer(a, b),
            [np.array([1.0, 2.0]), np.array([3.0])],
            lambda a, b: (np.eye(2)[:, None] * b[:, None], a[:, None, None]),
            ["∂f[0, 0]/∂a[0]", "∂f[1, 0]/∂a[0]"],
        ),
        # For each entry of the result a gradient with the structure of the point, or one array for each block of the point.
        (
            lambda p: np.array([p["a"] * 2, p["a"] * p["b"][0]]),
            [{"a": 3.0, "b": [4.0]}],
            lambda p: [{"a": 2.0, "b": [0.0]}, {"a": p["b"][0], "b": [p["a"]]}],
            ["∂f[0]/∂p['a']", "∂f[1]/∂p['a']"],
        ),
        (
            lambda p: np.array([p["a"] * 2, p["a"] * p["b"][0]]),
            [{"a": 3.0, "b": [4.0]}],
            lambda p: {"a": np.array([2.0, p["b"][0]]), "b": [np.array([0.0, p["a"]])]},
            ["∂f[0]/∂p['a']", "∂f[1]/∂p['a']"],
        ),
        # SciPy's test: a vector with one entry, whose derivative has the shape of the point.
        (lambda x: 1 / (1 + np.exp(-x)), [np.array([1.5])], lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, ["∂f[0]/∂x[0]"]),
    ],
)
def test_every_structure(f: Callable[..., Any], point: Sequence[Any], gradient: Callable[..., Any], names: list[str]) -> None:
    report = gradcheck(f, *point, gradient=gradient)
    assert report, str(report)
    assert [check.name for check in report.inputs][: len(names)] == names
    assert report.edges == () and report.source == "gradient" and str(report).startswith("correct: ")


def test_the_digits_of_a_precision_are_those_of_its_type() -> None:
    for name in ("float64", "float32", "float16"):  # NumPy counts without the leading bit
        assert PRECISIONS[name].bits == np.finfo(name).nmant + 1


def test_a_series_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    point = pd.Series([1.0, 2.0], index=["a", "b"])
    report = gradcheck(lambda s: s["a"] * s["b"], point, gradient=lambda s: pd.Series([s["b"], s["a"]], index=s.index))
    assert report, str(report)


def test_functions_that_change_their_arguments_get_fresh_ones() -> None:
    def f(x: Any) -> Any:
        x *= x
        return x.sum()

    point = np.array([1.0, 3.0])
    assert gradcheck(f, point, gradient=lambda x: 2 * x) and point.tolist() == [1.0, 3.0]


# Wrong entries


def test_a_wrong_entry_of_a_matrix_is_named() -> None:
    def wrong(w: Any) -> Any:
        g = 2 * w
        g[2, 3] *= 1.01
        return g

    report = gradcheck(squares, RNG.normal(size=(3, 4)), gradient=wrong)
    assert report.verdict == "wrong" and named(report) == ["∂squares/∂x[2, 3]"]
    assert str(report).startswith("wrong: ∂squares/∂x[2, 3] disagrees with the numeric derivative.")


@pytest.mark.parametrize("size", [30, 500, pytest.param(3000, marks=pytest.mark.slow)])
def test_among_many_entries_the_wrong_ones_are_found_by_halving(size: int) -> None:
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return float(np.sum(np.sin(x)))

    def wrong(x: Any) -> Any:
        g = np.cos(x)
        g[[3, 17]] = g[[17, 3]]
        return g

    x = np.linspace(-1, 1, size)
    assert gradcheck(f, x, gradient=np.cos) and calls < 1000
    calls = 0
    report = gradcheck(f, x, gradient=wrong)
    assert named(report)[:2] == ["∂f/∂x[3]", "∂f/∂x[17]"] and named(report)[2].startswith("∂f/∂direction")
    assert str(report).startswith("wrong: ∂f/∂x[3] disagrees with the numeric derivative, and ")
    assert {check.reason for check in report.inputs[2:]} <= {"the line goes through an entry that is wrong", ""}
    assert calls < 1500 * math.log2(size)


def test_the_search_ends_after_twelve_wrong_entries() -> None:
    report = gradcheck(squares, RNG.normal(size=100), gradient=lambda x: -2 * x)
    assert len(named(report)) == 12 + 6 and report.notes == ("the search ended with 12 wrong entries; there may be more",)
    doubled = gradcheck(lambda x: 2 * x, RNG.normal(size=30), gradient=lambda x: 3 * np.eye(30))
    assert sum("direction" not in name for name in named(doubled)) == 12 and doubled.notes == report.notes


def test_a_gradient_may_be_wrapped_in_a_tuple_or_be_a_list() -> None:
    """`torch.autograd.grad` wraps even a single gradient."""
    x = np.array([1.0, 2.0])
    for gradient in (lambda x: (2 * x,), lambda x: [*(2 * x)], lambda x: [[*(2 * x)]]):
        assert gradcheck(lambda x: float(x @ x), x, gradient=gradient)
    for jacobian in (lambda x: ([2 * x, 2 * x],), lambda x: [2 * x, 2 * x]):
        assert gradcheck(lambda x: np.array([x @ x, x @ x]), x, gradient=jacobian)


def test_a_wrong_entry_of_a_large_jacobian_is_named() -> None:
    a = RNG.normal(size=(40, 30))

    def wrong(x: Any) -> Any:
        jacobian = a * np.cos(a @ x)[:, None]
        jacobian[7, 11] += 0.5
        return jacobian

    x = RNG.normal(size=30)
    right = gradcheck(lambda x: np.sin(a @ x), x, gradient=lambda x: a * np.cos(a @ x)[:, None])
    assert right and right.inputs[0].name == "∂(w1·f)/∂direction1"
    assert named(gradcheck(lambda x: np.sin(a @ x), x, gradient=wrong))[0] == "∂f[7]/∂x[11]"


@pytest.mark.parametrize("n", [3, 6])
def test_a_transposed_gradient_is_wrong(n: int) -> None:
    w = RNG.normal(size=(n, n))
    right = grad(corpus.bilinear)
    assert gradcheck(corpus.bilinear, w, gradient=right)
    assert gradcheck(corpus.bilinear, w, gradient=lambda w: right(w).T).verdict == "wrong"


# Rounding, noise, kinks, domains


def test_functions_in_float32_are_judged_by_its_rounding() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.exp(x) * np.sin(3 * x), dtype=np.float32)

    def g(x: Any) -> Any:
        return np.exp(x) * (np.sin(3 * x) + 3 * np.cos(3 * x))

    x = np.array([0.1, -0.7, 1.3], np.float32)
    report = gradcheck(f, x, gradient=g)
    assert report and "f computes in float32, and is judged by its rounding, 1e-07 of each value." in str(report)
    assert all(1e-8 < check.error < 1e-2 for check in report.inputs)
    assert gradcheck(f, x, gradient=lambda x: g(x) * np.float32(1.01)).verdict == "wrong"
    # A point in float64 is rounded; a function that casts inside and returns a float is recognised by its values.
    assert "and the point is rounded to it" in gradcheck(f, np.array([0.1, 0.2]), gradient=g).notes[0]
    hidden = gradcheck(lambda x: float(f(x.astype(np.float32))), np.array([0.1, -0.7, 1.3]), gradient=g)
    assert hidden.verdict == "correct" and "noisy" in str(hidden), str(hidden)
    half = gradcheck(lambda x: np.float16(x * x), np.float16(0.3), gradient=lambda x: 2 * x)
    assert half.verdict in ("correct", "unsure") and "float16" in half.notes[0]


def test_a_gradient_rounded_to_float32_is_wrong_for_a_function_in_float64() -> None:
    x = RNG.normal(size=5)
    single = gradcheck(squares, x, gradient=lambda x: (2 * x).astype(np.float32).astype(float))
    assert single.verdict == "wrong"
    assert gradcheck(squares, x, gradient=lambda x: (2 * x).astype(np.float32)).verdict == "correct"  # its dtype is visible
    tie = (1 + 2**-24) / 2  # float32 rounds the derivatives of its neighbours up and down
    for near in (tie - 4 * math.ulp(tie), tie + 4 * math.ulp(tie)):
        assert gradcheck(lambda x: x * x, near, gradient=lambda x: float(np.float32(2 * x))).verdict == "wrong"


def test_precisions_round_as_numpy_does() -> None:
    single, half = Precision("float32", 24), Precision("float16", 11)
    for x in (0.1, -1 / 3, 1e10, 5.0, 1.0, 0.0):
        assert single.round(x) == float(np.float32(x)) and single.ulp(x or 1.0) == abs(float(np.spacing(np.float32(x or 1.0))))
        assert x == 1e10 or half.round(x) == float(np.float16(x))
    exact = slope(lambda x: float(np.float32(x) * np.float32(x)), 0.5, precision=single)
    assert abs(exact.value - 1.0) < exact.error < 1e-3


def test_noise_from_call_to_call_is_measured_and_reported() -> None:
    chance = random.Random(0)
    report = gradcheck(lambda x: x * x + chance.gauss(0, 1e-9), 3.0, gradient=lambda x: 2 * x)
    assert report and "f is not deterministic: at the same point its values differ by up to" in str(report), str(report)
    assert 1e-9 < report.inputs[0].error < 1e-3
    assert gradcheck(lambda x: x * x + chance.gauss(0, 1e-9), 3.0, gradient=lambda x: 2.1 * x).verdict == "wrong"
    assert gradcheck(lambda x: x * x + chance.gauss(0, 1), 3.0, gradient=lambda x: 2 * x).verdict in ("unsure", "vacuous")


def test_rounding_that_neighbours_do_not_show_is_found() -> None:
    def f(x: float) -> float:  # the inner part changes in steps of 1e-14, the rest in steps of 1e-17
        return (math.cos(x) + 100.0) - 100.0 + x / 7

    for x in (0.1, 0.3, 0.01):
        report = gradcheck(f, x, gradient=lambda x: 1 / 7 - math.sin(x))
        assert report.verdict == "correct" or (x == 0.01 and report.verdict == "unsure"), str(report)


def test_values_that_cancel_are_rounded_like_their_parts() -> None:
    for a, x in (
        (np.array([[0.0, 0.0, 2.03], [0.0, 0.0, -2.39]]), np.array([1.44, 1.84, 1.99])),
        (np.array([[-3.0, 0.0, 0.0], [3.0, 0.0, 0.0]]), np.array([0.59, 1.0, 0.64])),
    ):

        def gradient(a: Any, x: Any = x) -> Any:
            return (1 - np.tanh(a @ x) ** 2)[:, None] * x

        report = gradcheck(lambda a, x=x: np.tanh(a @ x).sum(), a, gradient=gradient)
        assert report.verdict in ("correct", "unsure"), str(report)


@pytest.mark.parametrize("x", [1e-3, 1e-4, 3e-5, 2e-6, 1e-7, 1e-9])
@pytest.mark.parametrize(("f", "g"), [
    (lambda x: (1 - math.cos(x)) / x**2, lambda x: -x / 12),  # a thousand neighbours share cos x, but not x²
    (lambda x: (math.sqrt(1 + x * x) - 1) / x, lambda x: 0.5 - 0.375 * x * x),
    (lambda x: math.log(math.cosh(x)), math.tanh),
])  # fmt: skip
def test_cancellation_near_0_is_not_a_slope(f: Callable[[float], float], g: Callable[[float], float], x: float) -> None:
    right, wrong = (gradcheck(f, x, gradient=lambda x, k=k: k * g(x)).verdict for k in (1, -1))
    assert right != "wrong" and wrong != "correct" and (x < 1e-3 or (right, wrong) == ("correct", "wrong"))


def test_cancellation_in_a_gradient_near_0_leaves_the_verdict_unsure() -> None:
    def sinc_slope(factor: float, x: float) -> float:
        return factor * (x * math.cos(x) - math.sin(x)) / x**2

    for x, verdict in ((1e-2, "correct"), (1e-4, "correct"), (3e-5, "unsure"), (1e-6, "unsure")):
        for factor, want in ((1.0, verdict), (1.01, "wrong"), (-1.0, "wrong")):
            check = gradcheck(lambda x: math.sin(x) / x, x, gradient=partial(sinc_slope, factor)).inputs[0]
            assert check.verdict == want and check.reason.endswith("may explain this") == (want == "unsure"), str(check)


def test_the_rounding_of_a_gradient_is_not_an_error() -> None:
    def g(x: float) -> float:  # neighbouring numbers differ by up to 1e-9
        return 2 * x + 1e-9 * math.sin(1e20 * x)

    assert abs(g(0.7) - 1.4) > 1e-11
    assert gradcheck(lambda x: x * x, 0.7, gradient=g)


def test_kinks_edges_and_vacuity_are_the_same_as_for_graphs() -> None:
    kink = gradcheck(abs, 0.0, gradient=lambda x: 0.0)
    assert kink.verdict == "kink" and "the slope is -1 on the left and 1 on the right" in str(kink)
    assert gradcheck(abs, 0.0, gradient=lambda x: 3.0).verdict == "wrong"
    near = gradcheck(np.log, 1e-5, gradient=lambda x: 1 / x)
    assert near and "where the domain ends" in str(near)
    edge = gradcheck(math.sqrt, 0.0, gradient=lambda x: math.inf)
    assert edge.verdict == "domain" and edge.inputs[0].reason == "the slope grows without bound; the gradient is ∞"
    assert edge.notes == ()
    for root in (lambda x: x**0.5, np.emath.sqrt):  # complex to the left of 0
        assert gradcheck(root, 0.01, gradient=lambda x: 0.5 / math.sqrt(x))
    flat = gradcheck(lambda x: 0 * x, 2.0, gradient=lambda x: 0.0)
    assert flat.verdict == "vacuous" and "a gradient of zero would pass as well" in str(flat)
    assert gradcheck(math.sin, 0.5, gradient=lambda x: math.nan).verdict == "wrong"


@pytest.mark.parametrize("height", [1.0, -3.0])
@pytest.mark.parametrize("x0", [0.0, 1e-4, 0.3, -7e4])
@pytest.mark.parametrize("power", [0.05, 0.125, 1 / 3, 0.5, 0.75, 0.9, 0.96])
def test_a_cusp_has_no_derivative(power: float, x0: float, height: float) -> None:
    report = gradcheck(lambda x: height * abs(x - x0) ** power + x, x0, gradient=lambda x: 1.0)
    assert report.verdict == "kink", str(report)
    if abs(x0) < 1 and 0.1 < power < 0.95:
        sides = "-∞ on the left and ∞" if height > 0 else "∞ on the left and -∞"
        assert report.inputs[0].reason == f"a kink: the slope is {sides} on the right"


@pytest.mark.parametrize("f", [math.cosh, lambda x: abs(x) ** 1.5, lambda x: math.exp(-1e12 * x * x),
                               lambda x: (x * x + 1e-20) ** 0.25, lambda x: 1 / (1 + 1e16 * x * x)])  # fmt: skip
def test_a_narrow_bell_is_not_a_cusp(f: Callable[[float], float]) -> None:
    assert gradcheck(lambda x: f(x) + x, 0.0, gradient=lambda x: 1.0), str(f)


# Other libraries


def test_tensors_of_torch() -> None:
    torch = pytest.importorskip("torch")

    def f(x: Any) -> Any:
        return torch.logsumexp(torch.sin(x), dim=(0, 1))

    for dtype in (torch.float64, torch.float32):
        x = torch.linspace(-1, 1, 6, dtype=dtype, requires_grad=True).reshape(2, 3).detach().requires_grad_()
        report = gradcheck(f, x, gradient=lambda x: torch.autograd.grad(f(x), x))
        assert report and ("float32" in str(report)) == (dtype is torch.float32)
        assert gradcheck(f, x, gradient=lambda x: -torch.autograd.grad(f(x), x)[0]).verdict == "wrong"
    with pytest.raises(TypeError, match="x is a tensor of integers"):
        gradcheck(lambda x: x.sum(), torch.tensor([1, 2]), gradient=lambda x: x)


def test_arrays_of_jax() -> None:
    jax = pytest.importorskip("jax")
    single = jax.numpy.float32
    point = {"w": jax.numpy.array([[0.5, -0.25], [1.0, 0.75]], single), "b": jax.numpy.array([0.5, 0.25], single)}

    def f(p: Any) -> Any:
        return jax.numpy.sum(jax.numpy.tanh(p["w"] @ p["b"]) ** 2)

    def wrong(p: Any) -> Any:
        g = jax.grad(f)(p)
        return {"w": g["w"].at[1, 0].multiply(1.05), "b": g["b"]}

    report = gradcheck(f, point, gradient=jax.grad(f))
    assert report and "float32" in str(report)
    assert named(gradcheck(f, point, gradient=wrong)) == ["∂f/∂p['w'][1, 0]"]


# Public functions, right and with faults


# These have derivatives below the rounding of the value, which cannot be judged.
HIDDEN = ("brown_badly_scaled, n = 2", "gaussian, n = 3", "tiny", "huge", "exponential", "logarithm of a sum")


@pytest.mark.parametrize("problem", thinned(5), ids=lambda problem: problem.name)
def test_right_gradients_of_public_functions_are_called_right(problem: corpus.Problem) -> None:
    report = gradcheck(problem.f, problem.x, gradient=problem.gradient)
    assert report.verdict == "correct" or (problem.name.startswith(HIDDEN) and report.verdict in ("vacuous", "unsure")), report


@pytest.mark.parametrize("problem", thinned(40), ids=lambda problem: problem.name)
def test_faults_larger_than_the_estimated_error_are_found(problem: corpus.Problem) -> None:
    right = gradcheck(problem.f, problem.x, gradient=problem.gradient)
    planted = 0
    for name, fault in corpus.faults(np.asarray(problem.gradient(problem.x), float), np.random.default_rng(1)):
        report = gradcheck(problem.f, problem.x, gradient=corpus.plant(problem, fault))
        if checkers.is_visible(right, report):
            planted += 1
            assert report.verdict == "wrong", f"{name}\n{report}"
    assert planted >= 2


@pytest.mark.slow
def test_the_table_of_checkers_is_complete(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    some = list(itertools.islice(checkers.cases(), 10))
    monkeypatch.setattr(checkers, "cases", lambda every: iter(some))
    monkeypatch.setattr(checkers, "CHECKERS", {"ours": checkers.ours, "scipy": checkers.scipy})
    monkeypatch.setattr(sys, "argv", ["checkers.py"])
    checkers.main()
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| gradient | cases | ours | scipy |" and rows[0].startswith("| right | 2 | 0 | ")
    assert [row.split("|")[3].strip()[0] for row in rows] == ["0"] * len(rows) and "| **all faulty** | " in rows[-1]


def test_functions_to_which_thresholds_were_fitted_get_their_verdicts() -> None:
    with np.errstate(all="ignore"):
        for name, judged, want in thresholds.nasty():
            assert judged() == want, name
        moved = thresholds.changed(list(thresholds.nasty()), "steady", 1e-9)
    assert moved and gradcheck(abs, 0.0, gradient=lambda x: 0.0).verdict == "kink"  # it was restored


@pytest.mark.parametrize("problem", thinned(6), ids=lambda problem: problem.name)
def test_float32_raises_no_false_alarm(problem: corpus.Problem) -> None:
    single = checkers.float32(problem)
    if single is not None:
        with np.errstate(all="ignore"):
            assert checkers.ours(single, single.gradient) != "wrong"


def test_a_square_jacobian_of_lists_has_a_row_for_each_entry_of_the_result() -> None:
    report = gradcheck(lambda v: [v[0] * v[1], v[0]], [2.0, 3.0], gradient=lambda v: [[v[1], v[0]], [1.0, 0.0]])
    assert report and [check.analytic for check in report.inputs] == [3.0, 1.0, 2.0, 0.0]


# Bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gradcheck(squares, np.ones((3, 2)), gradient=lambda x: x.T), ValueError,
         r"the gradient of x has shape \(2, 3\), but x has shape \(3, 2\)"),
        (lambda: gradcheck(squares, np.ones(3), gradient=lambda x: 1.0), ValueError,
         r"the gradient of x has shape \(\), but x has shape \(3,\)"),
        (lambda: gradcheck(lambda x: x * x, np.ones(3), gradient=lambda x: 2 * x), ValueError,
         r"Jacobian of x has shape \(3,\), but the result has shape \(3,\) and x has shape \(3,\), so it should have "
         r"\(3, 3\); .* np.diag"),
        (lambda: gradcheck(lambda x, y: x * y, 1.0, 2.0, gradient=lambda x, y: y), ValueError,
         r"for 2 arguments \(x, y\) the gradient must be a tuple of 2 gradients, not a float"),
        (lambda: gradcheck(lambda x, y: x * y, 1.0, 2.0, gradient=lambda x, y: (1, 2, 3)), ValueError, "not a tuple of 3"),
        (lambda: gradcheck(lambda p: p["a"], {"a": 1.0}, gradient=lambda p: {"b": 1.0}), ValueError,
         r"the gradient of p\['a'\] is missing in dict"),
        (lambda: gradcheck(lambda p: p["a"], {"a": 1.0}, gradient=lambda p: {"a": 1.0, "b": 99.0}), ValueError,
         r"the gradient of p has 2 numbers, 1 too many: \{'a': 1.0, 'b': 99.0\}"),
        (lambda: gradcheck(lambda v: v[0] * v[1], [2.0, 3.0], gradient=lambda v: [v[1], v[0], 7.0]), ValueError, "1 too many"),
        (lambda: gradcheck(lambda v: v[0] * v[1], (2.0, 3.0), gradient=lambda v: {0: 3.0, 1: 2.0, 2: 7.0}), ValueError,
         "1 too many"),
        (lambda: gradcheck(math.log, -1.0, gradient=lambda x: 1 / x), PointError, "log raised ValueError at x = -1: "),
        (lambda: gradcheck(lambda v: v[7], [1.0], gradient=lambda v: v), ValueError, r"f raised IndexError at v\[0\] = 1: "),
        (lambda: gradcheck(lambda x: x, 1.0, gradient=lambda x: x["a"]), ValueError, "the gradient raised TypeError at x = 1"),
        (lambda: gradcheck(np.log, 0.0, gradient=lambda x: 1 / x), PointError, "log is -∞ at x = 0; choose another point"),
        (lambda: gradcheck(math.sin, math.nan, gradient=math.cos), PointError, "x is NaN; gradients are checked at finite"),
        (lambda: gradcheck(math.sin, math.inf, gradient=math.cos), PointError, "x is ∞; gradients are checked at finite"),
        (lambda: gradcheck(lambda x: None, 1.0, gradient=math.cos), TypeError, "f returned None; does it end without"),
        (lambda: gradcheck(lambda x: "a", 1.0, gradient=math.cos), TypeError, "'a' is a str; pass a real number"),
        (lambda: gradcheck(lambda x: x * 1j, np.ones(2), gradient=math.cos), TypeError, "f has entries of type complex128"),
        (lambda: gradcheck(lambda x: [[x], [x, x]], 1.0, gradient=math.cos), ValueError, "f is ragged"),
        (lambda: gradcheck(lambda x: np.ones(0), 1.0, gradient=math.cos), TypeError, r"shape \(0,\), which is empty"),
        (lambda: gradcheck(math.sin, gradient=math.cos), TypeError, "sin has no inputs"),
        (lambda: gradcheck(lambda x, y: x * y, (1.0, 2.0), gradient=lambda x, y: (y, x)), TypeError,
         r"f takes 2 arguments, and one tuple was passed; write gradcheck\(f, \*inputs\), not gradcheck\(f, inputs\)"),
        (lambda: gradcheck(lambda x, y: x * y, (1.0, 2.0)), TypeError, "f takes 2 arguments, and one tuple was passed"),
        (lambda: gradcheck(sin, 1.0, eps=1e-6), TypeError, "gradcheck takes no eps: it takes steps of many sizes"),
        (lambda: gradcheck(sin, 1.0, atol=1e-6), TypeError, "gradcheck takes no atol: a derivative may be off by the"),
        (lambda: gradcheck(sin, 1.0, jac=1), TypeError, "gradcheck takes no jac: the keyword is gradient"),
        (lambda: gradcheck(sin, 1.0, speed=1), TypeError, "gradcheck takes no speed: its keywords are gradient, order"),
        (lambda: gradcheck(sin, 1.0, gradient=math.cos, order=2), ValueError, r"gradcheck\(gradient, \*point, gradient=hess"),
        (lambda: gradcheck(Value(2.0) * 3, gradient=math.cos), TypeError, "a graph has its own gradient"),
        (lambda: gradcheck(math.sin, 1.0), ValueError, "sin raised TypeError"),
        (lambda: gradcheck(lambda x: 3.0, 1.0), TypeError, "pass its gradient too: gradcheck"),
    ],
)  # fmt: skip
def test_bad_input(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_anything_but_a_function_is_refused() -> None:
    array: Any = np.ones(1)
    with pytest.raises(TypeError, match="gradient is an ndarray; pass a function of the point"):
        gradcheck(math.sin, 1.0, gradient=array)
    with pytest.raises(TypeError, match="f is an ndarray; pass a function of the point"):
        gradcheck(array, 1.0, gradient=math.cos)


def test_blocks_and_points() -> None:
    assert block(np.float32(0.5), "x").precision.name == "float32" and block(np.array([1, 2]), "x").entries == [1.0, 2.0]
    assert block(np.array([Value(2.0), 3.0], dtype=object), "x").entries == [2.0, 3.0]
    point = Point(["x"], [np.array([1.0, 2.0], np.float32)])
    assert point.build([3.0, 4.0])[0].dtype == np.float32 and point.names == ["x[0]", "x[1]"]
