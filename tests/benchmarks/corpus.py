"""Public functions with gradients, to test gradient checkers.

The idea: each function is written once, in NumPy, and runs on arrays of floats and of `Value`s alike.  So the engine gives its
right gradient, and a wrong gradient is a right one with a planted fault.

Sources: Moré, Garbow and Hillstrom, Testing unconstrained optimization software, ACM Transactions on Mathematical Software 7
(1981), whose problem numbers the docstrings give; SciPy's `scipy.optimize.rosen`; Himmelblau, Applied Nonlinear
Programming (1972).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autograd import grad

Array = Any  # of floats or of Values
Function = Callable[[Array], Any]


@dataclass(frozen=True)
class Problem:
    """A function of an array at a point.

    Attributes:
        name: its name.
        f: the function.
        gradient: its right gradient.
        x: the point.
    """

    name: str
    f: Function
    gradient: Function
    x: Array


def least_squares(residuals: Callable[[Array], Any]) -> Function:
    """Return the sum of squares of residuals."""

    def f(x: Array) -> Any:
        out: Any = 0.0
        for r in residuals(x):
            out = out + r * r
        return out

    return f


BARD: Final = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
GAUSS: Final = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295, 0.0540, 0.0175, 0.0044,
                0.0009]  # fmt: skip
MEYER: Final = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
KOWALIK: Final = [
    (0.1957, 4.0), (0.1947, 2.0), (0.1735, 1.0), (0.1600, 0.5), (0.0844, 0.25), (0.0627, 0.167), (0.0456, 0.125),
    (0.0342, 0.1), (0.0323, 0.0833), (0.0235, 0.0714), (0.0246, 0.0625),
]  # fmt: skip
OSBORNE: Final = [
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.580,
    0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
]  # fmt: skip


def rosenbrock(x: Array) -> list[Any]:
    """1 and 21: the extended Rosenbrock function."""
    return [r for a, b in zip(x[::2], x[1::2], strict=True) for r in (10 * (b - a * a), 1 - a)]


def freudenstein_roth(x: Array) -> list[Any]:
    """2."""
    a, b = x
    return [-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b]


def powell_badly_scaled(x: Array) -> list[Any]:
    """3."""
    a, b = x
    return [1e4 * a * b - 1, np.exp(-a) + np.exp(-b) - 1.0001]


def brown_badly_scaled(x: Array) -> list[Any]:
    """4."""
    a, b = x
    return [a - 1e6, b - 2e-6, a * b - 2]


def beale(x: Array) -> list[Any]:
    """5."""
    a, b = x
    return [y - a * (1 - b**i) for i, y in enumerate((1.5, 2.25, 2.625), 1)]


def jennrich_sampson(x: Array) -> list[Any]:
    """6."""
    a, b = x
    return [2 + 2 * i - (np.exp(i * a) + np.exp(i * b)) for i in range(1, 11)]


def helical_valley(x: Array) -> list[Any]:
    """7, where the first number is not 0."""
    a, b, c = x
    turn = np.arctan(b / a) / (2 * np.pi) + (0.0 if a > 0 else 0.5)
    return [10 * (c - 10 * turn), 10 * ((a * a + b * b) ** 0.5 - 1), c]


def bard(x: Array) -> list[Any]:
    """8."""
    a, b, c = x
    return [y - (a + i / ((16 - i) * b + min(i, 16 - i) * c)) for i, y in enumerate(BARD, 1)]


def gaussian(x: Array) -> list[Any]:
    """9."""
    a, b, c = x
    return [a * np.exp(-b * ((8 - i) / 2 - c) ** 2 / 2) - y for i, y in enumerate(GAUSS, 1)]


def meyer(x: Array) -> list[Any]:
    """10."""
    a, b, c = x
    return [a * np.exp(b / (45 + 5 * i + c)) - y for i, y in enumerate(MEYER, 1)]


def box(x: Array) -> list[Any]:
    """12."""
    a, b, c = x
    times = [i / 10 for i in range(1, 11)]
    return [np.exp(-t * a) - np.exp(-t * b) - c * (np.exp(-t) - np.exp(-10 * t)) for t in times]


def powell_singular(x: Array) -> list[Any]:
    """13 and 22: the extended Powell singular function."""
    out = []
    for a, b, c, d in zip(x[::4], x[1::4], x[2::4], x[3::4], strict=True):
        out += [a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2]
    return out


def wood(x: Array) -> list[Any]:
    """14."""
    a, b, c, d = x
    return [10 * (b - a * a), 1 - a, 90**0.5 * (d - c * c), 1 - c, 10**0.5 * (b + d - 2), 10**-0.5 * (b - d)]


def kowalik_osborne(x: Array) -> list[Any]:
    """15."""
    a, b, c, d = x
    return [y - a * (u * u + u * b) / (u * u + u * c + d) for y, u in KOWALIK]


def brown_dennis(x: Array) -> list[Any]:
    """16."""
    a, b, c, d = x
    times = [i / 5 for i in range(1, 21)]
    return [(a + t * b - np.exp(t)) ** 2 + (c + d * np.sin(t) - np.cos(t)) ** 2 for t in times]


def osborne(x: Array) -> list[Any]:
    """17."""
    a, b, c, d, e = x
    return [y - (a + b * np.exp(-10 * i * d) + c * np.exp(-10 * i * e)) for i, y in enumerate(OSBORNE)]


def biggs(x: Array) -> list[Any]:
    """18."""
    a, b, c, d, e, f = x
    times = [i / 10 for i in range(1, 14)]
    data = [np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t) for t in times]
    return [c * np.exp(-t * a) - d * np.exp(-t * b) + f * np.exp(-t * e) - y for t, y in zip(times, data, strict=True)]


def watson(x: Array) -> list[Any]:
    """20."""
    out = []
    for i in range(1, 30):
        t = i / 29
        slope = sum(j * x[j] * t ** (j - 1) for j in range(1, len(x)))
        value = sum(x[j] * t**j for j in range(len(x)))
        out.append(slope - value * value - 1)
    return [*out, x[0], x[1] - x[0] * x[0] - 1]


def penalty_1(x: Array) -> list[Any]:
    """23."""
    return [*(1e-5**0.5 * (a - 1) for a in x), sum(a * a for a in x) - 0.25]


def penalty_2(x: Array) -> list[Any]:
    """24."""
    n, scale = len(x), 1e-5**0.5
    out = [x[0] - 0.2]
    for i in range(1, n):
        y = np.exp((i + 1) / 10) + np.exp(i / 10)
        out += [scale * (np.exp(x[i] / 10) + np.exp(x[i - 1] / 10) - y), scale * (np.exp(x[i] / 10) - np.exp(-0.1))]
    return [*out, sum((n - i) * x[i] * x[i] for i in range(n)) - 1]


def variably_dimensioned(x: Array) -> list[Any]:
    """25."""
    total = sum((i + 1) * (a - 1) for i, a in enumerate(x))
    return [*(a - 1 for a in x), total, total * total]


def trigonometric(x: Array) -> list[Any]:
    """26."""
    n = len(x)
    cosines = sum(np.cos(a) for a in x)
    return [n - cosines + (i + 1) * (1 - np.cos(a)) - np.sin(a) for i, a in enumerate(x)]


def brown_almost_linear(x: Array) -> list[Any]:
    """27."""
    total, product = sum(x), 1.0
    for a in x:
        product = product * a
    return [*(a + total - len(x) - 1 for a in x[:-1]), product - 1]


def boundary_value(x: Array) -> list[Any]:
    """28."""
    n = len(x)
    h, around = 1 / (n + 1), [0.0, *x, 0.0]
    return [2 * around[i] - around[i - 1] - around[i + 1] + h * h * (around[i] + i * h + 1) ** 3 / 2 for i in range(1, n + 1)]


def integral_equation(x: Array) -> list[Any]:
    """29."""
    n = len(x)
    h = 1 / (n + 1)
    t = [(i + 1) * h for i in range(n)]
    cubes = [(x[j] + t[j] + 1) ** 3 for j in range(n)]
    return [
        x[i] + h / 2 * ((1 - t[i]) * sum(t[j] * cubes[j] for j in range(i + 1))
                        + t[i] * sum((1 - t[j]) * cubes[j] for j in range(i + 1, n)))
        for i in range(n)
    ]  # fmt: skip


def broyden_tridiagonal(x: Array) -> list[Any]:
    """30."""
    around = [0.0, *x, 0.0]
    return [(3 - 2 * around[i]) * around[i] - around[i - 1] - 2 * around[i + 1] + 1 for i in range(1, len(x) + 1)]


def broyden_banded(x: Array) -> list[Any]:
    """31."""
    n = len(x)
    return [
        x[i] * (2 + 5 * x[i] * x[i]) + 1 - sum(x[j] * (1 + x[j]) for j in range(max(0, i - 5), min(n, i + 2)) if j != i)
        for i in range(n)
    ]


def linear(x: Array) -> list[Any]:
    """32: linear, of full rank."""
    total = sum(x)
    return [a - total / 5 - 1 for a in x] + [-total / 5 - 1] * 5


def chebyquad(x: Array) -> list[Any]:
    """35."""
    n = len(x)
    sums: list[Any] = [0.0] * n
    for a in x:
        before, now = 1.0, 2 * a - 1
        for i in range(n):
            sums[i] = sums[i] + now
            before, now = now, 2 * (2 * a - 1) * now - before
    return [sums[i] / n + (1 / ((i + 1) ** 2 - 1) if i % 2 else 0.0) for i in range(n)]


MORE_GARBOW_HILLSTROM: Final[list[tuple[Callable[[Array], Any], list[float]]]] = [
    (rosenbrock, [-1.2, 1.0]),
    (freudenstein_roth, [0.5, -2.0]),
    (powell_badly_scaled, [0.0, 1.0]),
    (brown_badly_scaled, [1.0, 1.0]),
    (beale, [1.0, 1.0]),
    (jennrich_sampson, [0.3, 0.4]),
    (helical_valley, [-1.0, 0.0, 0.0]),
    (bard, [1.0, 1.0, 1.0]),
    (gaussian, [0.4, 1.0, 0.0]),
    (meyer, [0.02, 4000.0, 250.0]),
    (box, [0.0, 10.0, 20.0]),
    (powell_singular, [3.0, -1.0, 0.0, 1.0]),
    (wood, [-3.0, -1.0, -3.0, -1.0]),
    (kowalik_osborne, [0.25, 0.39, 0.415, 0.39]),
    (brown_dennis, [25.0, 5.0, -5.0, -1.0]),
    (osborne, [0.5, 1.5, -1.0, 0.01, 0.02]),
    (biggs, [1.0, 2.0, 1.0, 1.0, 1.0, 1.0]),
    (watson, [0.0] * 6),
    (rosenbrock, [-1.2, 1.0] * 15),
    (powell_singular, [3.0, -1.0, 0.0, 1.0] * 5),
    (penalty_1, [1.0, 2.0, 3.0, 4.0]),
    (penalty_2, [0.5] * 4),
    (variably_dimensioned, [1 - i / 10 for i in range(1, 11)]),
    (trigonometric, [0.1] * 10),
    (brown_almost_linear, [0.5] * 10),
    (boundary_value, [i / 11 * (i / 11 - 1) for i in range(1, 11)]),
    (integral_equation, [i / 11 * (i / 11 - 1) for i in range(1, 11)]),
    (broyden_tridiagonal, [-1.0] * 10),
    (broyden_banded, [-1.0] * 10),
    (linear, [1.0] * 10),
    (chebyquad, [i / 9 for i in range(1, 9)]),
]


def rosen(x: Array) -> Any:
    """SciPy's Rosenbrock function."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def himmelblau(x: Array) -> Any:
    """Himmelblau's function."""
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def logistic(count: int, width: int) -> Function:
    """Return the loss of a logistic regression on random data."""
    rng = np.random.default_rng(width)
    data, labels = rng.normal(size=(count, width)), rng.integers(0, 2, count)

    def f(w: Array) -> Any:
        z = data @ w
        return (np.log1p(np.exp(-abs(z))) + abs(z) / 2 - (labels - 0.5) * z).sum() / count

    return f


def network(inputs: int, hidden: int, count: int, relu: bool = False) -> Function:
    """Return the squared error of a network with one hidden layer, as a function of its weights in one array."""
    rng = np.random.default_rng(hidden)
    data, targets = rng.normal(size=(count, inputs)), rng.normal(size=count)

    def f(w: Array) -> Any:
        first, second = w[: inputs * hidden].reshape(inputs, hidden), w[inputs * hidden :]
        net = data @ first
        out = np.maximum(net, 0.1 * net) if relu and net.dtype == float else None
        out = (np.vectorize(lambda v: v.prelu(0.1), otypes=[object])(net) if relu else np.tanh(net)) if out is None else out
        error = out @ second - targets
        return (error * error).sum() / count

    return f


def bilinear(w: Array) -> Any:
    """A function of a square matrix whose gradient is not symmetric."""
    n = len(w)
    left, right = np.arange(1.0, n + 1), np.cos(np.arange(n))
    return np.sin(left @ w @ right) + (w[0] ** 3).sum() + (w[:, -1] * right).sum()


HARD: Final[list[tuple[str, Function, list[float]]]] = [
    ("waves", lambda x: np.sin(x * x).sum(), [20000.3, 300.3]),
    ("short waves", lambda x: np.cos(1e6 * x).sum(), [1.0, 0.3]),
    ("tiny", lambda x: (x**2).sum(), [1e-150, 3e-120]),
    ("tiny logarithm", lambda x: np.log(x).sum(), [1e-5, 1e-300]),
    ("huge", lambda x: (x**2).sum(), [1e100, 3e120]),
    ("huge and small", lambda x: (x[0] / 1e8 - 1) ** 2 + (1e8 * x[1] - 1) ** 2, [3e8, 2e-8]),
    ("large constant", lambda x: 1e10 + np.sin(x).sum(), [1.0, 2.0]),
    ("cancellation", lambda x: ((x + 1e8) - 1e8).sum(), [1.0, 0.3]),
    ("root near 0", lambda x: np.sqrt(x).sum(), [1e-12, 2e-8]),
    ("steep", lambda x: np.tanh(1e4 * x).sum(), [1e-5, 2e-5]),
    ("saturated", lambda x: np.tanh(x).sum(), [9.0, -12.0]),
    ("near a pole", lambda x: (1 / x).sum(), [1e-7, -1e-9]),
    ("exponential", lambda x: np.exp(x).sum(), [300.0, -300.0]),
    ("oscillating product", lambda x: np.sin(30 * x[0]) * np.cos(40 * x[1]) * np.exp(-x[0] * x[1]), [1.3, 0.7]),
    ("logarithm of a sum", lambda x: np.log(np.exp(x).sum()), [10.0, 9.0, -20.0]),
    ("power", lambda x: (abs(x) ** 2.5).sum(), [1e-3, 4.0]),
]  # fmt: skip


def problems() -> Iterator[Problem]:
    """Iterate over all problems, those of Moré, Garbow and Hillstrom at their starting point, near it and at ten times it."""
    rng = np.random.default_rng(0)

    def problem(name: str, f: Function, x: Any) -> Problem:
        return Problem(name, f, grad(f), np.array(x, float))

    for residuals, start in MORE_GARBOW_HILLSTROM:
        f, name, x = least_squares(residuals), f"{residuals.__name__}, n = {len(start)}", np.array(start)
        yield problem(name, f, x)
        yield problem(f"{name}, beside", f, x * (1 + 0.1 * rng.normal(size=len(x))) + 0.01 * rng.normal(size=len(x)))
        if residuals is not jennrich_sampson:  # its exponentials would grow to e⁴⁰
            yield problem(f"{name}, ten times", f, 10 * x)
    for n in (2, 5, 40):
        yield problem(f"rosen, n = {n}", rosen, 1.3 * rng.normal(size=n))
    yield problem("himmelblau", himmelblau, [1.0, -2.0])
    for count, width in ((40, 5), (60, 50)):
        yield problem(f"logistic, n = {width}", logistic(count, width), rng.normal(size=width))
    for inputs, hidden in ((2, 4), (3, 10)):
        for relu in (False, True):
            f, kind = network(inputs, hidden, 12, relu), "leaky relu" if relu else "tanh"
            yield problem(f"network of {kind}, {hidden} hidden", f, rng.normal(size=(inputs + 1) * hidden))
    for n in (3, 6):
        yield problem(f"bilinear, n = {n}", bilinear, rng.normal(size=(n, n)))
    for name, f, start in HARD:
        yield problem(name, f, start)


def faults(right: Array, rng: np.random.Generator) -> Iterator[tuple[str, Function]]:
    """Iterate over faults, functions of the right gradient, that make it wrong by more than rounding.

    Args:
        right: the gradient at a point where the faults have to be visible.
        rng: chooses the entries.
    """
    shape, n = right.shape, right.size
    order = np.arange(n)
    if n > 1:
        i, j = rng.choice(n, 2, replace=False)
        order[[i, j]] = order[[j, i]]
    holed, noise = np.ones(shape), 1 + 1e-6 * rng.normal(size=shape)
    holed.ravel()[np.abs(right).ravel().argsort()[n // 2]] = 0.0
    planted: dict[str, Function] = {
        "sign": lambda g: -g,
        "factor 1.01": lambda g: 1.01 * g,
        "swapped": lambda g: g.ravel()[order].reshape(shape),
        "missing entry": lambda g: holed * g,
        "transposed": lambda g: g.T,
        "off by one": lambda g: np.roll(g, 1),
        "float32 inside": lambda g: g.astype(np.float32).astype(float),
        "noise of 1e-6": lambda g: noise * g,
    }
    for name, fault in planted.items():
        with np.errstate(over="ignore"):
            wrong = fault(right)
        if np.isfinite(wrong).all() and np.abs(wrong - right).max() > 1e-12 * np.abs(right).max():
            yield name, fault


def plant(problem: Problem, fault: Function) -> Function:
    """Return the gradient of a problem with a fault."""
    return lambda x: fault(np.asarray(problem.gradient(x), float))
