"""Optimisers: compute the next parameters from a gradient.

Each one is a single update rule, a function

    (parameter, gradient, rate, state, t)  →  (parameter, state)

written only with operators and rows of autograd's table.  So the rule works on a single number and on an array of parameters:
`Optimizer.step` applies it to the parameters of a network one by one, `Optimizer.step_array` to all of them as one array.

>>> from autograd import Value
>>> w, optimizer = Value(10.0), SGD(lr=0.3)
>>> for _ in range(3):
...     w.grad = 0.0
...     (w * w).backward()
...     optimizer.step([w])
>>> f"{w.data:.2f}"
'0.64'

The learning rate is a number, or a function of the number of steps made so far, such as those of `nn.schedules`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from operator import setitem
from typing import Any, TypeAlias

from autograd import Value, maximum, minimum, sign, where
from autograd.chance import Watched
from autograd.value import nodes_below
from nn.schedules import Schedule, cosine, exponential_decay, step_decay, warmup
from nn.settings import alternatives, is_positive, is_rate, is_share, pair, require, require_array, require_state, whole_number
from nn.tables import short

__all__ = ["SGD", "Adam", "Momentum", "Optimizer", "RProp", "Schedule", "cosine", "descend", "exponential_decay",
           "require_arrays", "require_optimizer", "step_decay", "warmup"]  # fmt: skip

State: TypeAlias = tuple[Any, ...]


@dataclass
class Optimizer:
    """The base class of optimisers: holds the learning rate, the number of steps, and each parameter's state and steps.

    To write your own, subclass `Optimizer` and define `start` and `rule`.

    A copied or unpickled optimiser continues from the same states.  Parameters that were copied with it keep theirs; without
    them, the states belong, in order, to the parameters of its first step.

    Args:
        lr: the learning rate η, a positive number or a function of the number of steps made so far.

    Attributes:
        steps: the number of steps made so far.

    Raises:
        ValueError: for a learning rate that is not positive.
    """

    lr: float | Schedule = 0.1
    steps: int = field(default=0, init=False)
    _states: dict[int, tuple[Any, State, Any]] = field(default_factory=dict, init=False, repr=False)
    _is_copy = False  # True for a copy until its first step

    def __setstate__(self, state: dict[str, Any]) -> None:
        states = {id(entry[0]): entry for entry in state["_states"].values()}  # the keys are the ids of the originals
        vars(self).update(state, _states=states, _is_copy=True)

    def __post_init__(self) -> None:
        if callable(self.lr):
            return
        requirement = "a positive number, or a function of the step"
        if isinstance(self.lr, Iterable) and not isinstance(self.lr, str):
            raise TypeError(f"lr is {requirement}; pass the parameters to step(…), as fit does")
        if not isinstance(self.lr, Real):
            raise TypeError(f"lr is {requirement}; got {self.lr!r}")
        require("lr", self.lr, is_positive, requirement)

    @property
    def rate(self) -> float:
        """The learning rate of the next step.

        Raises:
            ValueError: if `lr`, or its result if it is a function, is not a finite number, 0 or more.
        """
        return self._rate_of(self.steps)

    def start(self) -> State:
        """Return the state before the first step: numbers, which become arrays if the parameters are an array."""
        return ()

    def rule(self, parameter: Any, gradient: Any, rate: float, state: State, t: int) -> tuple[Any, State]:
        """Return the next parameter and state.

        Args:
            parameter: a number or an array.
            gradient: ∂L/∂parameter, of the same shape.
            rate: the learning rate of this step.
            state: the state that the rule last returned for this parameter, or that of `start`.
            t: the number of this step, from 1: the parameter's own count, or the optimiser's while the state is empty.
        """
        # Not an abstract method, whose error would not include what to do.
        raise NotImplementedError(f"{type(self).__name__} has no update rule; define its method rule")

    def step(self, parameters: Iterable[Value]) -> None:
        """Move each parameter by the rule and its ``grad``; an interrupted step is undone.

        Raises:
            TypeError: for anything but parameters with a gradient that is a number.
            ValueError: for a parameter that is listed twice.
        """
        given: list[Any] = [*parameters] if isinstance(parameters, Iterable) else [parameters]
        if isinstance(parameters, Value | set | frozenset) or not all(hasattr(parameter, "grad") for parameter in given):
            raise TypeError(f"step takes a list of parameters, such as model.parameters(); got {short(repr(parameters))}")
        if len({*map(id, given)}) < len(given):
            raise ValueError("a parameter is listed twice, and would move twice; list each once")
        for parameter in given:
            if parameter.grad.__class__ is not float and not isinstance(parameter.grad, Real):
                raise TypeError(f"the gradient of {parameter!r} is not a number; call zero_grad(), then backward() again")
        self._claim(given)
        before = [parameter.data for parameter in given]

        def undo() -> None:
            for parameter, data in zip(given, before, strict=True):
                parameter.data = data

        with _Atomic(self, undo):
            rate = self._next_rate()
            for parameter in given:
                parameter.data = self._moved(parameter, parameter.data, parameter.grad, rate)

    def step_array(self, parameters: Any, gradient: Any) -> None:
        """Move an array of parameters in place, by an array of their gradients; see `step`.

        Raises:
            TypeError: for anything but an array, and for one of integers.
            ValueError: for a gradient of another shape.

        >>> import numpy as np
        >>> parameters = np.array([1.0, 2.0])
        >>> SGD(lr=0.5).step_array(parameters, np.array([1.0, -1.0]))
        >>> parameters.tolist()
        [0.5, 2.5]
        """
        require_array(parameters, gradient)
        self._claim([parameters])
        with _Atomic(self, partial(setitem, parameters, ..., parameters.copy())):
            parameters[...] = self._moved(parameters, parameters, gradient, self._next_rate())

    def step_many(self, parameters: Any, n: int, train: Callable[..., tuple[Any, ...] | None]) -> tuple[Any, ...]:
        """Make at most n steps of an array of parameters with a function that applies the rule itself, such as native code.

        Args:
            parameters: the array; if the rule keeps a state, the array must have made a step.
            n: the largest number of steps.
            train: makes the steps, given the rule, its states, the rates and the number of the first step, as `Program.train`.

        Returns:
            The result of `train`: the number of steps made, then anything else it returns.  (0,) if it cannot make any, if a
            subclass overrides how steps are made, or if its rule reads `steps`, which changes with each step.
        """
        _, state, made = self._entry(parameters)
        made = made if state else self.steps
        overrides = any(getattr(type(self), name) is not getattr(Optimizer, name) for name in ("step_array", "_moved", "rate"))
        if overrides or hasattr(made, "shape") or any(getattr(x, "shape", None) != parameters.shape for x in state):
            return (0,)
        try:
            rates = [self._rate_of(i) for i in range(self.steps, self.steps + n)]
            if self._reads_steps(1.0, 1.0, rates[0], (1.0,) * len(state), made + 1):
                return (0,)
        except Exception:  # of a schedule or a rule: one by one, the steps before it are kept, and it raises again
            return (0,)
        states = _stacked(parameters, state)
        with _Atomic(self, partial(setitem, parameters, ..., parameters.copy())):
            found = train(rule=self.rule, states=states, rates=rates, step=made + 1) or (0,)
            self.steps += int(found[0])
            if state:
                self._states[id(parameters)] = parameters, tuple(states), made + int(found[0])
        return found

    def gather(self, array: Any, parameters: Sequence[Value]) -> None:
        """Combine the states of single parameters into that of the array that replaces them; those without a state start one.

        Raises:
            TypeError: if some are new, and `start` and `rule` return states that do not fit into one array.
        """
        self._claim(parameters)
        _, states, counts = zip(*map(self._entry, parameters), strict=True)
        if any(counts):
            if len({*map(len, states)}) > 1 or any(x is None for state in states for x in state):
                raise TypeError(f"this {type(self).__name__} has moved some of the parameters but not the others, whose states "
                                "start without a number, so they do not fit into one array: use compiled=False, or a new "
                                "optimiser")  # fmt: skip
            *columns, made = _stacked(array, [*zip(*states, strict=True), counts])
            self._states[id(array)] = array, tuple(columns), counts[0] if len({*counts}) == 1 else made

    def scatter(self, array: Any, parameters: Sequence[Value]) -> None:
        """Divide the state of an array among the single parameters that it replaced; see `gather`."""
        if id(array) in self._states:
            _, state, made = self._states.pop(id(array))
            columns = [_spread(x, len(parameters)) for x in (*state, made)]
            for parameter, *own, count in zip(parameters, *columns, strict=True):
                self._states[id(parameter)] = parameter, tuple(own), int(count)

    def _entry(self, key: Any) -> tuple[Any, State, Any]:
        """Return a parameter, its state and its number of steps; the entry holds on to it, so no other can have its id."""
        return self._states.get(id(key)) or (key, self.start(), 0)

    def _claim(self, keys: Sequence[Any]) -> None:
        """Give the states of a copy made without its parameters to these, in order."""
        if self._is_copy and self._states and not any(id(key) in self._states for key in keys):
            if len(keys) != len(self._states):
                raise ValueError(f"this optimiser is a copy with states for its parameters ({len(self._states)}), and cannot "
                                 f"continue with others ({len(keys)}): copy it with its model, as in "
                                 "copy.deepcopy((model, optimizer)), or make a new one")  # fmt: skip
            self._states = {id(key): (key, *own) for key, (_, *own) in zip(keys, self._states.values(), strict=True)}
        self._is_copy = False

    def _rate_of(self, step: int) -> float:
        rate, name = (self.lr(step), f"lr({step})") if callable(self.lr) else (self.lr, "lr")
        return float(require(name, rate, is_rate, "a finite number, 0 or more"))

    def _next_rate(self) -> float:
        rate = self.rate
        self.steps += 1
        return rate

    def _reads_steps(self, *arguments: Any) -> bool:
        """Return whether the rule, called with these arguments, reads the number of steps."""
        reads: list[int] = []

        def steps(_: Any) -> int:
            reads.append(self.steps)
            return self.steps

        watched = copy.copy(self)
        watched.__class__ = type(type(self).__name__, (type(self),), {"steps": property(steps)})
        watched.rule(*arguments)
        return bool(reads)

    def _moved(self, key: Any, parameter: Any, gradient: Any, rate: float) -> Any:
        _, state, made = self._entry(key)
        t = made + 1 if state else self.steps
        parameter, state = pair(self.rule(parameter, gradient, rate, state, t))
        if state:
            self._states[id(key)] = key, state, t
        return parameter


class _Atomic:
    """A context manager that makes a step completely or not at all: an error or an interrupt undoes it.

    Args:
        optimizer: its count of steps and its states are restored.
        undo: restores the parameters.
    """

    def __init__(self, optimizer: Optimizer, undo: Callable[[], object]) -> None:
        self.optimizer, self.undo = optimizer, undo
        self.before = {"steps": optimizer.steps, "_states": optimizer._states.copy()}

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            vars(self.optimizer).update(self.before)
            self.undo()


@dataclass
class SGD(Optimizer):
    """Gradient descent: w ← w − η·g.

    It is stochastic if the gradient is that of one example or a few, rather than of all.  With momentum, it is `Momentum`.

    >>> SGD(lr=0.5).rule(10.0, 4.0, 0.5, (), 1)
    (8.0, ())
    """

    def rule(self, parameter: Any, gradient: Any, rate: float, state: State, t: int) -> tuple[Any, State]:
        """Return w − η·g."""
        return parameter - rate * gradient, ()


@dataclass
class Momentum(Optimizer):
    """Gradient descent with momentum: v ← μ·v + g, w ← w − η·v.

    Args:
        lr: see `Optimizer`.
        momentum: μ, the share of the velocity that is kept, at least 0 and below 1.

    Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964; in the form that PyTorch uses.

    >>> Momentum(lr=0.5, momentum=0.9).rule(10.0, 4.0, 0.5, (2.0,), 1)
    (7.1, (5.8,))
    """

    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        self.momentum = require("momentum", self.momentum, is_share, "at least 0 and below 1")

    def start(self) -> State:
        """Return the velocity 0."""
        return (0.0,)

    def rule(self, parameter: Any, gradient: Any, rate: float, state: State, t: int) -> tuple[Any, State]:
        """Return w − η·v and the velocity v."""
        velocity = self.momentum * state[0] + gradient
        return parameter - rate * velocity, (velocity,)


@dataclass
class Adam(Optimizer):
    """Adam: steps of about η, whatever the size of the gradient.

    It keeps running means m of the gradient and v of its square, and corrects their bias from starting at 0:

        m ← β₁·m + (1 − β₁)·g     v ← β₂·v + (1 − β₂)·g²     w ← w − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)

    Args:
        lr: see `Optimizer`.
        betas: β₁ and β₂.
        eps: ε.

    Source: Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    >>> w, _ = Adam(lr=0.1).rule(10.0, 4.0, 0.1, (0.0, 0.0), 1)
    >>> f"{w:.6f}"
    '9.900000'
    """

    lr: float | Schedule = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        both = "two numbers, at least 0 and below 1"
        self.betas = require("betas", self.betas, lambda *betas: all(map(is_share, betas)), both, count=2)
        self.eps = require("eps", self.eps, is_positive, "positive")

    def start(self) -> State:
        """Return the means (0, 0)."""
        return 0.0, 0.0

    def rule(self, parameter: Any, gradient: Any, rate: float, state: State, t: int) -> tuple[Any, State]:
        """Return the next parameter and (m, v)."""
        (m, v), (beta1, beta2) = state, self.betas
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient * gradient
        mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
        return parameter - rate * mean / (square**0.5 + self.eps), (m, v)


@dataclass
class RProp(Optimizer):
    """Resilient backpropagation: only the sign of the gradient counts, and each parameter has its own step width.

    The width Δ grows while the sign stays the same, and shrinks when it flips, since the last step went past a minimum; in a
    step with a flip the parameter rests.  RProp needs the gradient over all examples: in small batches, signs are unreliable.

    Args:
        lr: the first width of every parameter.
        etas: the factors by which it shrinks and grows.
        widths: the smallest and the largest width.

    Source: Riedmiller, Braun, A direct adaptive method for faster backpropagation learning, 1993; the variant iRprop− of
    Igel, Hüsken, Improving the Rprop learning algorithm, 2000.

    >>> RProp(lr=0.1).rule(10.0, 4.0, 0.1, (0.1, 2.0), 2)  # the same sign as before: a wider step
    (9.88, (0.12, 4.0))
    >>> RProp(lr=0.1).rule(10.0, -4.0, 0.1, (0.1, 2.0), 2)  # the sign flipped: half the width, and no step
    (10.0, (0.05, 0.0))
    """

    lr: float | Schedule = 0.01
    etas: tuple[float, float] = (0.5, 1.2)
    widths: tuple[float, float] = (1e-6, 50.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        below_and_above, in_order = "a factor below 1 and one above 1", "two positive numbers in order"
        self.etas = require("etas", self.etas, lambda low, high: 0.0 < low < 1.0 < high, below_and_above, count=2)
        self.widths = require("widths", self.widths, lambda low, high: 0.0 < low <= high, in_order, count=2)

    def start(self) -> State:
        """Return no width yet, and a gradient of 0, whose sign cannot flip."""
        return None, 0.0

    def rule(self, parameter: Any, gradient: Any, rate: float, state: State, t: int) -> tuple[Any, State]:
        """Return the next parameter, and its width and gradient."""
        width, before = (rate if state[0] is None else state[0]), state[1]
        (shrink, grow), (smallest, largest) = self.etas, self.widths
        agreement = gradient * before
        wider, narrower = minimum(width * grow, largest), maximum(width * shrink, smallest)
        width = where(agreement > 0, wider, where(agreement < 0, narrower, width))
        gradient = where(agreement < 0, 0.0, gradient)
        return parameter - sign(gradient) * width, (width, gradient)


for _kind in (SGD, Momentum, Adam, RProp):
    alternatives(_kind)


def require_optimizer(optimizer: Any) -> None:
    """Raise a TypeError unless a thing is an optimiser; its class is not one."""
    if isinstance(optimizer, type) or not hasattr(optimizer, "step"):
        raise TypeError(f"optimizer is an instance of a class of nn.optim, such as Adam(lr=0.05); got {optimizer!r}")


def require_arrays(optimizer: Any, array: Any) -> None:
    """Raise unless an optimiser moves an array of parameters as it moves single ones.

    Args:
        optimizer: unchanged, since two steps are tried on a copy, the second with the state of the first.
        array: the parameters' numbers, which are changed.

    Raises:
        TypeError: for an optimiser with a `step` of its own, but no `step_array`, for a rule that takes only single numbers,
            since it uses Python's ``if`` or a function of `math`, or that draws random numbers, and for other states.
    """
    name, by_array = type(optimizer).__name__, getattr(type(optimizer), "step_array", None)
    if getattr(optimizer.step, "__func__", None) is not Optimizer.step and by_array in (None, Optimizer.step_array):
        raise TypeError(f"{name} has its own step, which moves Values, and compiled training moves all parameters as one "
                        "array: define step_array as well, or use compiled=False")  # fmt: skip
    try:
        watched, trial = Watched(optimizer), copy.copy(optimizer)
        trial.lr, trial._states = 0.1, {}
        for _ in range(2):
            trial.step_array(array, array**0)
        require_state([part for _, state, _ in trial._states.values() for part in state], array.shape)
        if by_array is Optimizer.step_array and watched.drew():
            raise ValueError("its rule draws random numbers, and would draw the same for all of them")
    except Exception as error:
        raise TypeError(f"{name} cannot move all parameters as one array, which compiled training does ({error}): write its "
                        "rule with operators and autograd's functions, such as where and maximum, or use "
                        "compiled=False") from error  # fmt: skip


def descend(
    f: Callable[..., Value], start: Sequence[float], optimizer: Optimizer, steps: int
) -> list[tuple[tuple[float, ...], float]]:
    """Descend from a point; return the points on the way, each with the function's value there.

    Args:
        f: a function of as many `Value`s as the point has coordinates.
        start: the point.
        optimizer: makes the steps.
        steps: their number, 0 or more.

    Raises:
        TypeError: for a start that is not a list, a class in place of an optimiser, and a number of steps that is not whole.
        ValueError: for a negative number of steps, and if the function's result depends on none of its arguments.

    >>> for point, height in descend(lambda a, b: a**2 + b**2, [10.0, 10.0], SGD(lr=0.3), steps=2):
    ...     print([f"{x:.2f}" for x in point], f"{height:.2f}")
    ['10.00', '10.00'] 200.00
    ['4.00', '4.00'] 32.00
    ['1.60', '1.60'] 5.12
    """
    require_optimizer(optimizer)
    if not isinstance(start, Iterable):
        raise TypeError(f"start is a list of coordinates; got {start!r}; for a function of one number write [{start!r}]")
    point, path = [Value(x) for x in start], []
    for i in range(whole_number("steps", steps, least=0) + 1):
        height = f(*point)
        if not (isinstance(height, Value) and {*map(id, point)} & {*map(id, nodes_below(height))}):
            raise ValueError(f"f depends on none of its arguments at {[x.data for x in point]}: it returned {height!r}; "
                             "compute it with operators and functions of autograd, not with .data or float()")  # fmt: skip
        path.append((tuple(x.data for x in point), height.data))
        if i < steps:
            for x in point:
                x.grad = 0.0
            height.backward()
            optimizer.step(point)
    return path


def _spread(x: Any, n: int) -> list[Any]:
    """Return the numbers of an array, or n times a single number."""
    numbers = x.tolist() if hasattr(x, "tolist") else x
    return numbers if isinstance(numbers, list) else [numbers] * n


def _stacked(array: Any, rows: Sequence[Any]) -> Any:
    """Return rows as an array, each like the array given."""
    stacked = array[None].repeat(len(rows), axis=0)
    for k, row in enumerate(rows):
        stacked[k] = row
    return stacked
