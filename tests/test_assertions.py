"""Gradient checks in tests: what pytest, unittest and Hypothesis show of them."""

import math
import re
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck, Unsatisfiable

from autograd import Unary, assert_gradient, exp, gradcheck, log, relu, sigmoid, sin, tanh
from autograd.checking.assertions import REJECTED, why_rejected
from autograd.strategies import arrays, numbers

ROOT = Path(__file__).parent.parent
PLUGIN = "autograd.checking.pytest_plugin"
SMALL = settings(max_examples=20, database=None)


# Outside of Hypothesis


def test_a_right_gradient_passes() -> None:
    assert_gradient(lambda x, y: tanh(x * y), 0.5, 2.0, order=2)
    assert_gradient(math.sin, 0.5, gradient=math.cos)


@pytest.mark.parametrize(
    ("f", "x", "gradient", "verdict"),
    [
        (math.sin, 0.5, math.sin, "wrong"),
        (abs, 0.0, lambda x: 0.0, "kink"),
        (math.sqrt, 0.0, lambda x: math.inf, "domain"),
        (lambda x: 0 * x, 1.0, lambda x: 0.0, "vacuous"),
        (lambda x: math.sin(1e17 * x), 1.3, lambda x: 1e17 * math.cos(1e17 * x), "unsure"),
        (relu, 0.0, None, "kink"),
    ],
)
def test_any_other_verdict_fails_with_the_report(f: Any, x: float, gradient: Any, verdict: str) -> None:
    with pytest.raises(AssertionError) as failure:
        assert_gradient(f, x, gradient=gradient)
    assert str(failure.value) == str(gradcheck(f, x, gradient=gradient))
    assert str(failure.value).startswith(f"{verdict}: ")


def test_errors_of_gradcheck_are_raised_unchanged() -> None:
    with pytest.raises(ValueError, match="log raised ValueError at x = -1"):
        assert_gradient(math.log, -1.0, gradient=lambda x: 1 / x)
    with pytest.raises(TypeError, match="gradcheck takes no eps"):
        assert_gradient(sin, 1.0, eps=1e-6)


# In Hypothesis


@given(st.floats())
def test_numbers_of_every_size_are_rejections_at_worst(x: float) -> None:
    assert_gradient(lambda x: log(x), x)  # undefined for x <= 0


@given(st.floats())
def test_overflow_is_a_rejection_at_worst(x: float) -> None:
    assert_gradient(math.exp, x, gradient=math.exp)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_pairs_of_numbers_are_rejections_at_worst(x: float, y: float) -> None:
    assert_gradient(lambda x, y: x * y + x / y, x, y, gradient=lambda x, y: (y + 1 / y, x - x / y / y))


@pytest.mark.parametrize("options", [{}, {"gradient": lambda v: [2 * x for x in v]}])
@given(v=st.lists(st.floats(-4, 4), max_size=3))
def test_points_of_every_length_are_rejections_at_worst(options: Any, v: list[float]) -> None:
    assert_gradient(lambda v: sum(x * x for x in v), v, **options)


@given(arrays((2, 3)), arrays(3, 0.5, 2.0))
def test_points_may_be_drawn_as_arrays(a: Any, x: Any) -> None:
    assert a.shape == (2, 3) and x.shape == (3,) and a.dtype == float and (x >= 0.5).all() and (x <= 2).all()
    assert_gradient(lambda a, x: np.tanh(a @ x).sum(), a, x, gradient=lambda a, x: (
        (1 - np.tanh(a @ x) ** 2)[:, None] * x, (1 - np.tanh(a @ x) ** 2) @ a))  # fmt: skip


def test_hypothesis_shrinks_to_a_short_counterexample() -> None:
    shown: list[list[float]] = []

    @settings(SMALL, max_examples=200, derandomize=True)
    @given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5))
    def check(v: list[float]) -> None:
        shown.append(v)
        assert_gradient(lambda v: math.fsum(x * x for x in v), v, gradient=lambda v: [2 * x + (x > 10) for x in v])

    with pytest.raises(AssertionError, match=r"wrong: ∂f/∂v\[0\] disagrees with the numeric derivative"):
        check()
    assert len(shown[-1]) == 1 and 10 < shown[-1][0] <= 11


def test_a_test_in_which_every_point_is_rejected_fails() -> None:
    @SMALL
    @given(st.floats(-2, 0))
    def flat(x: float) -> None:
        assert_gradient(relu, x)

    @SMALL
    @given(st.just(0.0))
    def kink(x: float) -> None:
        assert_gradient(relu, x)

    @settings(SMALL, suppress_health_check=[HealthCheck.filter_too_much], phases=[Phase.generate])
    @given(st.floats(-2, -1))
    def outside(x: float) -> None:
        assert_gradient(lambda x: log(x), x)

    for test, error in ((flat, FailedHealthCheck), (kink, Unsatisfiable), (outside, Unsatisfiable)):
        REJECTED.clear()
        with pytest.raises(error):
            test()
        assert f"assert_gradient could not judge {REJECTED.total()} of the points" in why_rejected()
    REJECTED.clear()
    assert why_rejected() == ""


def test_a_mistake_in_the_test_is_not_a_rejection() -> None:
    @SMALL
    @given(st.floats(-1, 1))
    def check(x: float) -> None:
        assert_gradient(lambda x: x["a"], x, gradient=lambda x: x)

    with pytest.raises(ValueError, match="f raised TypeError at x = 0"):
        check()


# In reports of pytest and unittest

TESTS = """
import math, unittest
from hypothesis import given, settings, strategies as st
from autograd import Unary, assert_gradient, certify, gradcheck, relu, tanh

careless = Unary("careless", tanh.function, lambda x, out: 1 - out)
def wrong(x):
    return -math.cos(x)

def test_asserted():
    assert gradcheck(math.sin, 1.0, gradient=wrong)
def test_named():
    report = gradcheck(math.sin, 1.0, gradient=wrong)
    assert report, "first my own words"
def test_both():
    assert gradcheck(math.sin, 1.0, gradient=math.cos) and gradcheck(math.sin, 1.0, gradient=wrong)
def test_verdict():
    report = gradcheck(math.sin, 1.0, gradient=wrong)
    assert report.verdict == "correct"
def test_assert_gradient():
    assert_gradient(math.sin, 1.0, gradient=wrong)
def test_box():
    assert gradcheck(lambda x: careless(x) * tanh(x), box={"x": (0.25, 1)})
def test_box_verdict():
    report = gradcheck(lambda x: careless(x) * tanh(x), box={"x": (0.25, 1)})
    assert report.verdict == "correct"
def test_claim():
    assert certify(lambda **x: sum(x.values()) < 0, **{f"input{i}": (-1, 1) for i in range(12)})
def test_claim_verdict():
    claim = certify(lambda x: x < 0, x=(-1, 1))
    assert claim.verdict == "proved"
class Case(unittest.TestCase):
    def test_true(self):
        self.assertTrue(gradcheck(math.sin, 1.0, gradient=wrong))
@given(st.floats(-1, 0))
def test_rejected(x):
    assert_gradient(relu, x)
def test_something_else():
    report = gradcheck(math.sin, 1.0, gradient=wrong)
    assert 1 + 1 == 3
"""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run pytest with the plug-in on the tests above, and return its output for each."""
    folder = tmp_path_factory.mktemp("tests")
    (folder / "test_it.py").write_text(TESTS, encoding="utf-8")
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pytest; "
        f"sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', {PLUGIN!r}, {str(folder)!r}]))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", cwd=folder, check=False)
    assert "12 failed" in run.stdout, run.stdout + run.stderr
    _, *parts = run.stdout.partition("= short test summary")[0].split("\n____")
    return {part.split()[1].rpartition(".")[2]: part for part in parts}


@pytest.mark.parametrize(
    "test", ["test_asserted", "test_named", "test_both", "test_verdict", "test_assert_gradient", "test_true"]
)
def test_pytest_shows_the_whole_report(failures: dict[str, str], test: str) -> None:
    def g(x: float) -> float:
        return -math.cos(x)

    lines = str(gradcheck(math.sin, 1.0, gradient=g)).splitlines()
    shown = failures[test].splitlines()
    for line in lines:
        assert [text for text in shown if text.startswith("E") and line in text], f"{line}\n{failures[test]}"
    assert "\\n" not in failures[test]
    assert (test == "test_named") == ("first my own words\nE" in failures[test])
    assert "def assert_gradient" not in failures[test]


@pytest.mark.parametrize("test", ["test_box", "test_box_verdict"])
def test_pytest_shows_the_whole_report_on_a_box(failures: dict[str, str], test: str) -> None:
    careless = Unary("careless", tanh.function, lambda x, out: 1 - out)
    for line in str(gradcheck(lambda x: careless(x) * tanh(x), box={"x": (0.25, 1)})).splitlines():
        assert re.search(rf"^E .*{re.escape(line)}$", failures[test], re.MULTILINE), f"{line}\n{failures[test]}"


def test_pytest_shows_all_of_a_claim(failures: dict[str, str]) -> None:
    point = ", ".join(f"input{i} = {int(i < 6)}" for i in range(12))  # the corner where the first six sides end
    assert f"refuted at {point}\n" in failures["test_claim"]
    assert re.search(r"^E .*refuted at x = 1$", failures["test_claim_verdict"], re.MULTILINE)


def test_pytest_says_why_points_were_rejected(failures: dict[str, str]) -> None:
    assert "assert_gradient could not judge " in failures["test_rejected"]
    assert " × vacuous: a gradient of zero, or of the wrong sign, would pass as well." in failures["test_rejected"]
    assert "numeric" not in failures["test_something_else"]


def test_the_plugin_is_an_entry_point_under_the_name_of_its_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {PLUGIN: PLUGIN}


def test_unittest_and_a_notebook_show_the_whole_report() -> None:
    report = gradcheck(math.sin, 1.0, gradient=math.sin)
    with pytest.raises(AssertionError) as failure:
        unittest.TestCase().assertTrue(report)
    assert str(report) in str(failure.value) and repr(report) == str(report)


# Public tests of three projects, with a line for each function


@pytest.mark.parametrize("f", [
    lambda x: -x, lambda x: x + 5, lambda x: x * x, lambda x: x**3, lambda x: x - 5, lambda x: 5 * x, lambda x: x / 5,
    lambda x: 1 / (x + 3.5), sigmoid, lambda x: log(x + 100000), relu, exp, lambda x: log(exp(x) + 200),
])  # fmt: skip
@settings(max_examples=10)
@given(st.floats(-100, 100))
def test_derivatives_as_minitorch_tests_them(f: Any, x: float) -> None:
    """minitorch, tests/test_scalar.py: `derivative_check(scalar_fn, t1)` for the functions of minitorch/testing.py."""
    assert_gradient(f, x)


def test_check_grad_as_scipy_tests_it() -> None:
    """SciPy, scipy/optimize/tests/test_optimize.py: `test_check_grad`, with a line for each of its functions."""
    assert_gradient(lambda x: 1 / (1 + np.exp(-x)), np.array([1.5]), gradient=lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2)
    assert_gradient(lambda x: (x * np.sin(x)).sum(), np.arange(0, 2, 0.2), gradient=lambda x: np.sin(x) + x * np.cos(x))


@pytest.mark.parametrize(
    ("f", "derivative"),
    [
        (np.cos, lambda x: -np.sin(x)),
        (np.tan, lambda x: 1 / np.cos(x) ** 2),
        (np.cosh, np.sinh),
        (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
        (np.arcsinh, lambda x: 1 / np.sqrt(1 + x**2)),
        (np.expm1, np.exp),
        (np.exp2, lambda x: np.exp2(x) * np.log(2)),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (np.log1p, lambda x: 1 / (1 + x)),
        (np.log10, lambda x: 1 / (x * np.log(10))),
        (np.arccos, lambda x: -1 / np.sqrt(1 - x**2)),
        (np.arctan, lambda x: 1 / (1 + x**2)),
    ],
)
def test_example_functions_as_numdifftools_tests_them(f: Any, derivative: Any) -> None:
    """numdifftools, tests/test_example_functions.py: derivatives of known functions at x = 0.5."""
    assert_gradient(f, 0.5, gradient=derivative)


@given(numbers(-2, 2))
def test_sigmoid_by_hand(x: float) -> None:
    assert_gradient(sigmoid, x, gradient=lambda x: sigmoid(x) * (1 - sigmoid(x)))
