"""Losses: one number that measures how far a network's outputs are from the targets.

A loss takes the outputs and the targets of **one example**, a number or a list, and returns one node; `nn.fit` takes the mean
or the sum over the examples.  Every loss is computed with operators and rows of autograd's table, so it takes plain numbers
too, and targets that are `Value`s.

    squared_error                       Σ (y − t)²                half=True: Σ ½(y − t)²      reduce="mean": mean over outputs
    binary_cross_entropy                −Σ t·ln p + (1 − t)·ln(1 − p)                         p a probability
    binary_cross_entropy_with_logits    the same with p = σ(z)                                z any finite number
    categorical_cross_entropy           −Σ tⱼ·ln pⱼ                                           p probabilities
    cross_entropy                       the same with p = softmax(z)                          z any finite numbers
    hinge                               Σ max(0, 1 − s·y)         s = ±1
    l2                                  λ·Σ w²                                                of parameters, not of outputs

The losses on logits never compute ln 0, since they never form a probability.

>>> from autograd import Value
>>> z = Value(2.0)
>>> loss = binary_cross_entropy_with_logits(z, 1)
>>> loss.backward()
>>> f"{loss.data:.6f}", f"{z.grad:.6f}"  # the gradient is σ(z) − t
('0.126928', '-0.119203')
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Final, TypeAlias

from autograd import (
    DomainError,
    Value,
    divide,
    dot,
    exp,
    log,
    logsumexp,
    relu,
    sigmoid,
    softplus,
    sqrt,
    step,
    tanh,
    total,
    where,
)
from nn.tables import listed, short

__all__ = ["LIMITS", "LOSSES", "PROBABILITIES", "Loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "boundary",
           "categorical_cross_entropy", "cross_entropy", "hinge", "l2", "mean_squared_error", "one_hot", "paired",
           "reach", "require_probabilities", "require_targets", "squared_error", "unsuited"]  # fmt: skip

Loss: TypeAlias = Callable[[Any, Any], Any]


def squared_error(outputs: Any, targets: Any, *, half: bool = False, reduce: str = "sum") -> Any:
    """Return Σ (y − t)² over the outputs of an example.

    Args:
        outputs: a number or `Value`, or a list of them.
        targets: as many targets; for several outputs also the number of a class, which stands for its one-hot list.
        half: multiply by ½, so that the derivative with respect to y is y − t.
        reduce: ``"sum"`` over the outputs, or their ``"mean"``.

    Raises:
        ValueError: for different numbers of targets and outputs.

    >>> squared_error([1.0, 3.0], [0.0, 1.0]), squared_error([1.0, 3.0], [0.0, 1.0], half=True)
    (5.0, 2.5)
    """
    pairs = _pairs(outputs, targets)
    error = _add_up([(y - t) ** 2 for y, t in pairs])
    if reduce not in ("sum", "mean"):
        raise ValueError(f"reduce is 'sum' or 'mean'; got {reduce!r}")
    if reduce == "mean" and not pairs:
        raise ValueError("the mean over no outputs has no value; pass at least one")
    factor = (0.5 if half else 1.0) / (len(pairs) if reduce == "mean" else 1)
    return _scaled(factor, error)


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """Return the mean of (y − t)² over the outputs of an example; see `squared_error`.

    >>> mean_squared_error([1.0, 3.0], [0.0, 1.0])
    2.5
    """
    return squared_error(outputs, targets, reduce="mean")


def binary_cross_entropy(probabilities: Any, targets: Any) -> Any:
    """Return −Σ t·ln p + (1 − t)·ln(1 − p), for outputs that are probabilities of separate events.

    Where t is 0 or 1, only the logarithm with factor 1 counts, so the loss of p = t = 1 is 0, not NaN.

    Args:
        probabilities: a number or `Value` from 0 to 1, or a list of them.
        targets: as many numbers from 0 to 1; for several outputs also the number of a class.

    Raises:
        ValueError: for a target outside 0 to 1, or different numbers of targets and outputs.
        DomainError: for an output outside 0 to 1, and where the event that happened has probability 0, as from a saturated
            sigmoid, since the loss would be infinite; `binary_cross_entropy_with_logits` on the net input avoids this.

    >>> f"{binary_cross_entropy(0.8, 1):.4f}", f"{binary_cross_entropy(0.8, 0):.4f}", binary_cross_entropy(1.0, 1)
    ('0.2231', '1.6094', -0.0)
    """
    loss = binary_cross_entropy
    pairs = _suited(loss, probabilities, targets)
    return -_log_likelihood(loss, [pair for p, t in pairs for pair in ((t, p), (1 - t, 1 - p))])


def binary_cross_entropy_with_logits(logits: Any, targets: Any) -> Any:
    """Return `binary_cross_entropy` of σ(z), as softplus(z) − t·z, which is finite for every finite z.

    Its derivative with respect to z is σ(z) − t.  Arguments as for `binary_cross_entropy`, but with any finite numbers for z.

    Raises:
        ValueError: for a target outside 0 to 1, or different numbers of targets and outputs.

    >>> binary_cross_entropy_with_logits(1000.0, 0), binary_cross_entropy_with_logits(1000.0, 1)
    (1000.0, 0.0)
    """
    pairs = _suited(binary_cross_entropy_with_logits, logits, targets)
    return _add_up([softplus(z) - _scaled(t, z) if _counts(t) else softplus(z) for z, t in pairs])


def categorical_cross_entropy(probabilities: Sequence[Any], target: Any) -> Any:
    """Return −Σ tⱼ·ln pⱼ, for outputs that are the probabilities of the classes, such as those of a softmax.

    Args:
        probabilities: one from 0 to 1 for each of two or more classes.
        target: the class's number, its one-hot list, or the classes' probabilities, which add up to 1.

    Raises:
        ValueError: for a single output, targets that are not probabilities, or different numbers of targets and outputs.
        DomainError: for an output outside 0 to 1, and where the right class has probability 0; `cross_entropy` avoids this.

    >>> f"{categorical_cross_entropy([0.7, 0.2, 0.1], 0):.4f}"
    '0.3567'
    """
    loss = categorical_cross_entropy
    return -_log_likelihood(loss, [(t, p) for p, t in _suited(loss, probabilities, target)])


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """Return `categorical_cross_entropy` of softmax(z), as ln Σ exp zⱼ − Σ tⱼ·zⱼ, which is finite for all finite z.

    Its derivative with respect to zⱼ is softmax(z)ⱼ − tⱼ.  As in PyTorch, the loss with this name takes net inputs.  To leave a
    class out, give it a net input such as -1e9 and not −∞: a compiled program computes 0·∞, which is not a number.

    Args:
        logits: a net input for each of two or more classes.
        target: the class's number, its one-hot list, or the classes' probabilities, which add up to 1.

    Raises:
        ValueError: for a single output, targets that are not probabilities, or different numbers of targets and outputs.

    >>> cross_entropy([1000.0, 0.0], 0), cross_entropy([1000.0, 0.0], [0, 1])
    (0.0, 1000.0)
    """
    pairs = _suited(cross_entropy, logits, target)
    weights, chosen = zip(*[(t, z) for z, t in pairs if _counts(t)], strict=True)
    return logsumexp([z for z, _ in pairs]) - (_scaled(weights[0], chosen[0]) if len(chosen) == 1 else dot(weights, chosen))


def hinge(outputs: Any, targets: Any) -> Any:
    """Return Σ max(0, 1 − s·y): no loss for an output on the right side of the margin.

    s is +1 where the target is 1, else −1, so that the targets may be ±1, or 0 and 1, or one-hot.

    Raises:
        ValueError: for a target other than −1, 0 and 1, or different numbers of targets and outputs.

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(0.25, 0), hinge(3.0, 1)
    (0.75, 1.25, 1.25, 0.0)
    """
    return _add_up([relu(_shortfall(y, t)) for y, t in _suited(hinge, outputs, targets)])


def l2(parameters: Iterable[Any], strength: float = 1.0) -> Any:
    """Return strength·Σ w², the penalty that keeps weights small.

    Raises:
        TypeError: for anything but a list of parameters.

    >>> l2([Value(3.0), Value(-4.0)], strength=0.1).data
    2.5
    """
    if not isinstance(parameters, Iterable):
        raise TypeError(f"l2 takes a list of parameters, such as model.parameters(); got {parameters!r}")
    weights = list(parameters)
    return _scaled(strength, dot(weights, weights))


LOSSES: Final[Mapping[str, Loss]] = {
    loss.__name__: loss
    for loss in (squared_error, mean_squared_error, binary_cross_entropy, binary_cross_entropy_with_logits,
                 categorical_cross_entropy, cross_entropy, hinge)
}  # fmt: skip
_RANGES: Final[Mapping[Any, tuple[float, float]]] = {
    **dict.fromkeys((exp, relu, softplus, sqrt), (0, math.inf)), **dict.fromkeys((sigmoid, step), (0, 1)), tanh: (-1, 1)
}  # fmt: skip

# For each loss on probabilities, the activation whose outputs are probabilities, and the loss that takes net inputs instead.
PROBABILITIES: Final[Mapping[Loss, tuple[str, Loss]]] = {
    binary_cross_entropy: ("sigmoid", binary_cross_entropy_with_logits),
    categorical_cross_entropy: ("softmax", cross_entropy),
}
_SLACK: Final = 1e-9  # what rounding may add to a probability
LIMITS: Final = -_SLACK, 1 + _SLACK  # of probabilities


def require_probabilities(loss: Loss, outputs: Iterable[Any]) -> None:
    """Raise for an output outside 0 to 1 if a loss takes probabilities; symbolic nodes, in a program being compiled, pass.

    Raises:
        DomainError: naming the output and what to do.

    >>> require_probabilities(squared_error, [Value(-0.5)])
    >>> require_probabilities(categorical_cross_entropy, [Value(1.5), Value(-0.5)])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    DomainError: categorical_cross_entropy takes probabilities from 0 to 1; got 1.5: end the model with output="softmax", ...
    """
    if loss not in PROBABILITIES:
        return
    for p in outputs:
        x = _known(p)
        if x is not None and (x < LIMITS[0] or x > LIMITS[1]):
            output, on_logits = PROBABILITIES[loss]
            raise DomainError(f"{loss.__name__} takes probabilities from 0 to 1; got {x:.3g}: end the model with "
                              f'output="{output}", or use {on_logits.__name__}')  # fmt: skip


def require_targets(loss: Loss, targets: Sequence[Any]) -> None:
    """Raise if a loss of this module does not take an example's targets; symbolic nodes, in a program being compiled, pass.

    Args:
        loss: the loss.
        targets: one for each output.

    Raises:
        TypeError: for a target that is not a number.
        ValueError: naming the target and what to do.

    >>> require_targets(hinge, [-1])
    >>> require_targets(binary_cross_entropy, [2])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: binary_cross_entropy takes targets from 0 to 1; got 2: ...
    """
    numbers = [_known(t) for t in targets]
    takes, suits, way_out = _TARGETS.get(loss, ("numbers as targets", lambda _: True, ""))
    for t, x in zip(targets, numbers, strict=True):
        if not hasattr(t, "__float__") and not hasattr(t, "__primitive__"):
            raise TypeError(f"{loss.__name__} takes {takes}; got {t!r}, which is not a number; classes are numbered from 0")
        if x is not None and not suits(x):
            raise ValueError(f"{loss.__name__} takes {takes}; got {x!r}: {way_out}")
    if loss in (categorical_cross_entropy, cross_entropy):
        if len(numbers) < 2:
            raise ValueError(f"{loss.__name__} needs an output for each class; the model has one: give it as many as there "
                             "are classes, or use binary_cross_entropy_with_logits for two classes")  # fmt: skip
        if None not in numbers and not abs(sum(numbers) - 1) <= 1e-3:  # targets rounded to three digits
            raise ValueError(f"{loss.__name__} takes targets that add up to 1; got {numbers!r}: for several classes at once, "
                             "use binary_cross_entropy_with_logits")  # fmt: skip


_FROM_0_TO_1: Final[tuple[str, Callable[[float], bool]]] = ("targets from 0 to 1", lambda x: 0 <= x <= 1)
_ADVICE_ON_TWO_CLASSES: Final = "number two classes 0 and 1; for more, give the model an output for each and use cross_entropy"
_ADVICE_ON_CLASSES: Final = "pass the number of a class, its one-hot list, or the classes' probabilities"
# For each loss that does not take every number as a target: its targets, a test for one, and advice.
_TARGETS: Final[Mapping[Loss, tuple[str, Callable[[float], bool], str]]] = {
    **dict.fromkeys((binary_cross_entropy, binary_cross_entropy_with_logits), (*_FROM_0_TO_1, _ADVICE_ON_TWO_CLASSES)),
    **dict.fromkeys((categorical_cross_entropy, cross_entropy), (*_FROM_0_TO_1, _ADVICE_ON_CLASSES)),
    hinge: ("the targets -1 and 1, or 0 and 1", lambda x: x in (-1, 0, 1), _ADVICE_ON_TWO_CLASSES),
}


def reach(loss: Loss, outputs: Sequence[Any]) -> list[tuple[float, float] | None]:
    """Return for each output the range that it cannot leave, or None; an empty list unless the loss is a squared error.

    >>> reach(squared_error, [Value(0.0).tanh(), Value(0.0)]), reach(squared_error, [exp(Value(0.0))])
    ([(-1, 1), None], [(0, inf)])
    """
    if loss not in (squared_error, mean_squared_error):
        return []
    if _add_up_to_1(outputs) and all(map(_is_share, outputs)):
        return [(0, 1)] * len(outputs)
    return [_RANGES.get(y.primitive) if isinstance(y, Value) else None for y in outputs]


def unsuited(loss: Loss, outputs: Sequence[Any]) -> str:
    """Return a warning if outputs are not of the kind that a loss takes, with what to do; otherwise an empty string.

    >>> unsuited(binary_cross_entropy_with_logits, [Value(0.0).sigmoid()])  # doctest: +ELLIPSIS
    'binary_cross_entropy_with_logits takes net inputs, but the outputs are probabilities already: use binary_cross_entropy, ...
    >>> unsuited(categorical_cross_entropy, [Value(0.75), Value(0.75)])  # doctest: +ELLIPSIS
    'categorical_cross_entropy takes probabilities that add up to 1, but the outputs for example 0 add up to 1.5: ...
    """
    are_sigmoids = all(isinstance(y, Value) and y.primitive is sigmoid for y in outputs)
    numbers = [*map(_known, outputs)]
    # Unnormalised, the loss is least where each output is 1.  The tolerance allows for a small number in a denominator.
    if loss is categorical_cross_entropy and None not in numbers and abs(sum(numbers) - 1) > 1e-3:
        return (f"{loss.__name__} takes probabilities that add up to 1, but the outputs for example 0 add up to "
                f'{sum(numbers):.3g}: end the model with output="softmax", or use {binary_cross_entropy.__name__}')  # fmt: skip
    are_probabilities = loss is cross_entropy and _add_up_to_1(outputs)
    if not (are_probabilities or (are_sigmoids and loss in (binary_cross_entropy_with_logits, cross_entropy))):
        return ""
    instead = categorical_cross_entropy if are_probabilities else binary_cross_entropy
    return (f"{loss.__name__} takes net inputs, but the outputs are probabilities already: use {instead.__name__}, or end the "
            'model with output="linear"')  # fmt: skip


def _is_share(y: Any) -> bool:
    """Whether an output is exp(…) divided by something, like those of a softmax; other quotients may be negative."""
    return isinstance(y, Value) and y.primitive is divide and getattr(y.operands[0], "primitive", None) is exp


def _add_up_to_1(outputs: Sequence[Any]) -> bool:
    numbers = [x for x in map(_known, outputs) if x is not None]
    return len(numbers) > 1 and min(numbers) >= 0 and abs(sum(numbers) - 1) < _SLACK


def boundary(loss: Loss, labels: Iterable[float], output: Any = None) -> float:
    """Return the least output that means class 1, for a network with one output that was trained with this loss.

    That is 0 for a loss on net inputs, and otherwise the midpoint of the two labels; but ½ where 0 would put every
    example into class 1, since outputs such as those of a sigmoid are never negative.

    Args:
        loss: the loss.
        labels: the targets, 0 and 1 or -1 and 1.
        output: the node of an output, if there is one.

    >>> boundary(hinge, [0, 1]), boundary(squared_error, [0, 1]), boundary(squared_error, [-1, 1])
    (0.0, 0.5, 0.0)
    >>> boundary(squared_error, [-1, 1], Value(2.0).sigmoid())
    0.5
    """
    if isinstance(output, Value) and _RANGES.get(output.primitive, (-1, 1))[0] == 0:
        return 0.5
    return 0.0 if loss in (binary_cross_entropy_with_logits, hinge) or -1 in labels else 0.5


def _suited(loss: Loss, outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    """Pair each output with its target, after checking that the loss takes both."""
    pairs = _pairs(outputs, targets)
    require_targets(loss, [t for _, t in pairs])
    require_probabilities(loss, [y for y, _ in pairs])
    return pairs


def _known(x: Any) -> Any:
    """Return a number, or that of a `Value`; None for a symbolic node, which stands for any number."""
    if type(x) is Value:
        return x.data
    return x if isinstance(x, (float, int, Real)) else None


def _pairs(outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    """Pair each output with its target; single numbers are allowed, as is the number of a class."""
    ys, ts = listed(outputs), listed(targets)
    ys = [outputs] if ys is None else ys
    if ys and ys[0].__class__ in (list, tuple, dict):
        raise TypeError(f"a loss takes the outputs for one example, numbers or Values; got {short(repr(ys[0]))}: call it for "
                        "each example and take the mean, as fit does, or write a loss of your own")  # fmt: skip
    if ts is None:
        ts = [targets] if len(ys) == 1 else one_hot(targets, len(ys))
    return paired(ys, ts)


def paired(outputs: list[Any], targets: list[Any]) -> list[tuple[Any, Any]]:
    """Pair each output with its target, or raise if there are more of one than of the other."""
    if len(outputs) != len(targets):
        raise ValueError(f"a loss needs a target for each output; got {len(outputs)} and {len(targets)}: {targets!r}")
    return list(zip(outputs, targets, strict=True))


def one_hot(number: Any, n_classes: int) -> list[float]:
    """Return a list with 1 at the index of a class and 0 elsewhere.

    Raises:
        TypeError: for a `Value`, whose number a compiled program would freeze, and for anything that is not a number.
        ValueError: for a number that is not a class.

    >>> one_hot(2, 4)
    [0.0, 0.0, 1.0, 0.0]
    """
    if isinstance(number, Value) or not hasattr(number, "__float__"):
        raise TypeError(f"a class is a whole number from 0 to {n_classes - 1}, or a one-hot list; got {number!r}")
    if number not in range(n_classes):
        raise ValueError(f"for {n_classes} outputs, a class is a whole number from 0 to {n_classes - 1}; got {number!r}")
    return [float(i == number) for i in range(n_classes)]


def _add_up(terms: list[Any]) -> Any:
    return terms[0] if len(terms) == 1 else total(terms)


def _counts(t: Any) -> bool:
    """Return whether a term with the factor t belongs in a graph: it does unless t is the plain number 0.

    A node counts even if it is 0, because it may have another value in a replay or a compiled program.
    """
    return not isinstance(t, Real) or t != 0


def _scaled(factor: Any, x: Any) -> Any:
    """Return factor·x, which is x itself if the factor is the plain number 1."""
    return x if isinstance(factor, Real) and factor == 1 else factor * x


def _shortfall(y: Any, t: Any) -> Any:
    """Return 1 − s·y, by which an output misses the margin, with s = 1 for a target above 0, else −1."""
    if isinstance(t, Real):
        return 1 - y if float(t) > 0 else 1 + y
    return 1 - where(t > 0, 1.0, -1.0) * y


def _log_likelihood(loss: Loss, pairs: Iterable[tuple[Any, Any]]) -> Any:
    """Return Σ t·ln p over pairs of t and p; a term is 0 where t is 0, whatever p is.

    If t is a plain number, such terms are left out, so that a graph contains only what counts.  If it is a node, which may
    become 0 in a replay or a compiled program, or an array, the operand of the logarithm is replaced by 1 there.
    """
    terms = []
    for t, p in pairs:
        if _known(p) == 0 and (_known(t) or 0) > 0:
            output, on_logits = PROBABILITIES[loss]
            raise DomainError(f"{loss.__name__} is infinite, since what happened has the probability 0, as from a saturated "
                              f'{output}: end the model with output="linear", and use {on_logits.__name__}')  # fmt: skip
        if not isinstance(t, Real):
            terms.append(t * log(where(t > 0, p, 1)))
        elif _counts(t):
            terms.append(_scaled(t, log(p)))
    return _add_up(terms)
