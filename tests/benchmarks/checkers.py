"""Gradient checkers compared: their verdicts on right gradients and on planted faults.

    python tests/benchmarks/checkers.py [--quick] [--all]

Every checker is called as its documentation shows, with its default tolerances.  SciPy's and numdifftools' return numbers,
which are compared as is usual in tests: the error with 1e-6, the gradients by `numpy.allclose`.  All get the same NumPy
functions from `corpus.py`; for PyTorch and JAX, a custom function wraps them as its forward and backward pass.  For functions
computed in float32, only the right gradients are tried.

A wrong verdict is an alarm on a right gradient, or no alarm on a wrong one.  Ours may also answer that it cannot judge, and
why; this counts as neither.  A fault counts as missed only if it is larger than the error that ours estimates; how many of the
smaller faults each checker finds is in brackets.

Verdicts are compared, not times.  ``--all`` lists the wrong ones, ``--quick`` tries every tenth problem.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs without installing the project

import numpy as np
from corpus import Problem, faults, plant, problems

from autograd import gradcheck
from autograd.checking import Report

Checker = Callable[[Problem, Callable[[Any], Any]], str]  # from a problem and a gradient to "right", "wrong" or "undecided"
LARGER: Final = 8.0  # estimated errors: 4 are tolerated, and the numeric derivative may be off by as much as it estimates


class Case(NamedTuple):
    """A gradient to be judged.

    Attributes:
        kind: "right", or the fault.
        problem: the problem that it belongs to.
        gradient: the gradient.
        is_visible: whether a fault is larger than the error that ours estimates.
    """

    kind: str
    problem: Problem
    gradient: Callable[[Any], Any]
    is_visible: bool


def cases(every: int = 1) -> Iterator[Case]:
    """Iterate over right gradients and faults."""
    rng = np.random.default_rng(1)
    for i, problem in enumerate(problems()):
        if i % every:
            continue
        right = np.asarray(problem.gradient(problem.x), float)
        yield Case("right", problem, problem.gradient, True)
        single = float32(problem)
        if single is not None:
            yield Case("right, in float32", single, single.gradient, True)
        report = gradcheck(problem.f, problem.x, gradient=problem.gradient)
        for kind, fault in faults(right, rng):
            gradient = plant(problem, fault)
            yield Case(kind, problem, gradient, is_visible(report, gradcheck(problem.f, problem.x, gradient=gradient)))


def is_visible(right: Report, wrong: Report) -> bool:
    """Whether a fault moves a derivative by more than its estimated error and the rounding of the gradient."""
    before = {check.name: check.analytic for check in right.inputs}
    rounding = 1e-12 * max(map(abs, before.values()))
    moved = [(abs(c.analytic - before[c.name]), c.error) for c in wrong.inputs if c.name in before]
    return any(by > LARGER * error + rounding for by, error in moved)


def float32(problem: Problem) -> Problem | None:
    """Return a problem computed in float32, or None if this overflows or leaves less than two digits of the value."""

    def f(x: Any) -> Any:
        return np.float32(problem.f(np.asarray(x, np.float32)))

    def gradient(x: Any) -> Any:
        return np.asarray(problem.gradient(np.asarray(x, float)), np.float32)

    with np.errstate(all="ignore"):
        x = problem.x.astype(np.float32)
        if not np.isfinite(x).all() or not np.array_equal(x == 0, problem.x == 0):
            return None
        value, right = problem.f(x.astype(float)), f(x)
        exact = np.isfinite(right) and abs(right - value) <= 0.01 * abs(value) and np.isfinite(gradient(x)).all()
    return Problem(problem.name, f, gradient, x) if exact else None


def ours(problem: Problem, gradient: Callable[[Any], Any]) -> str:
    """Judge by `autograd.gradcheck`."""
    verdict = gradcheck(problem.f, problem.x, gradient=gradient).verdict
    return {"correct": "right", "wrong": "wrong"}.get(verdict, "undecided")


def scipy(problem: Problem, gradient: Callable[[Any], Any]) -> str:
    """Judge by `scipy.optimize.check_grad`, whose error is to be below 1e-6."""
    shape = problem.x.shape
    error = import_module("scipy.optimize").check_grad(
        lambda x: problem.f(x.reshape(shape)), lambda x: np.ravel(gradient(x.reshape(shape))), problem.x.ravel().astype(float)
    )
    return "right" if error < 1e-6 else "wrong"


def numdifftools(problem: Problem, gradient: Callable[[Any], Any]) -> str:
    """Judge by `numdifftools.Gradient` and `numpy.allclose`."""
    shape = problem.x.shape
    differentiate = import_module("numdifftools").Gradient(lambda x: float(problem.f(x.reshape(shape))))
    numeric = differentiate(problem.x.ravel().astype(float))
    return "right" if np.allclose(np.ravel(gradient(problem.x)), numeric) else "wrong"


def torch(problem: Problem, gradient: Callable[[Any], Any]) -> str:
    """Judge by `torch.autograd.gradcheck`."""
    torch = import_module("torch")

    def forward(context: Any, x: Any) -> Any:
        context.save_for_backward(x)
        return torch.as_tensor(float(problem.f(x.detach().numpy())), dtype=x.dtype)

    def backward(context: Any, upstream: Any) -> Any:
        [x] = context.saved_tensors
        return upstream * torch.as_tensor(np.array(gradient(x.numpy())), dtype=x.dtype)

    passes = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    f: Any = type("Function", (torch.autograd.Function,), passes)
    x = torch.tensor(problem.x, requires_grad=True)
    return "right" if torch.autograd.gradcheck(f.apply, (x,), raise_exception=False) else "wrong"


def jax(problem: Problem, gradient: Callable[[Any], Any]) -> str:
    """Judge by `jax.test_util.check_grads`, in reverse mode, with 64 bits."""
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    kind = problem.x.dtype

    def called(g: Callable[[Any], Any], shape: tuple[int, ...], x: Any) -> Any:
        return jax.pure_callback(lambda x: np.asarray(g(np.asarray(x)), kind), jax.ShapeDtypeStruct(shape, kind), x)

    f = jax.custom_vjp(lambda x: called(problem.f, (), x))
    f.defvjp(lambda x: (f(x), x), lambda x, upstream: (upstream * called(gradient, x.shape, x),))
    try:
        import_module("jax.test_util").check_grads(f, (jax.numpy.asarray(problem.x),), order=1, modes=["rev"])
    except AssertionError:
        return "wrong"
    return "right"


CHECKERS: Final[dict[str, Checker]] = {
    "ours": ours, "scipy": scipy, "numdifftools": numdifftools, "torch": torch, "jax": jax,
}  # fmt: skip


def judge(checker: Checker, case: Case) -> str:
    """Return a checker's verdict on a gradient, which is undecided if it raises."""
    try:
        with np.errstate(all="ignore"):
            return checker(case.problem, case.gradient)
    except Exception:
        return "undecided"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for case in cases(10 if options.quick else 1):
        want = "right" if case.kind.startswith("right") else "wrong"
        for name, checker in CHECKERS.items():
            verdict = judge(checker, case)
            count = counts[case.kind][name]
            if case.is_visible:
                count["cases"] += 1
                count["wrong"] += verdict not in (want, "undecided")
                count["undecided"] += verdict == "undecided"
            else:
                count["small"] += 1
                count["found"] += verdict == want
            if options.all and case.is_visible and verdict != want:
                print(f"{name:13} {case.kind:18} {case.problem.name}: {verdict}")
    print("| gradient | cases |" + "".join(f" {name} |" for name in CHECKERS))
    print("| --- | --: |" + " --: |" * len(CHECKERS))
    total: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, row in counts.items():
        for name, count in row.items():
            total[f"{name} {'right' if kind.startswith('right') else 'faulty'}"].update(count)
        print(f"| {kind} | {row['ours']['cases']} |" + "".join(f" {cell(row[name])} |" for name in CHECKERS))
    for kind in ("right", "faulty"):
        row = {name: total[f"{name} {kind}"] for name in CHECKERS}
        print(f"| **all {kind}** | {row['ours']['cases']} |" + "".join(f" {cell(row[name])} |" for name in CHECKERS))


def cell(count: Counter[str]) -> str:
    """Write the numbers of wrong and undecided verdicts, and of faults found below the estimated error."""
    text = str(count["wrong"])
    text += f", {count['undecided']} undecided" if count["undecided"] else ""
    return text + (f" ({count['found']} of {count['small']})" if count["small"] else "")


if __name__ == "__main__":
    main()
