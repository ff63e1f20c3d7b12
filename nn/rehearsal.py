"""Trial calls of a model before it learns: find out what the loss depends on, and undo what they change in the model.

>>> w, b = Value(1.0, label="w"), Value(2.0, label="b")
>>> dependence = Dependence([w])
>>> for x in (1.0, 2.0):
...     dependence.see(w * x + b, given=[x])
>>> [note.partition(":")[0] for note in dependence.notes()]
['b (2) takes part in the loss of every example but is not in model.parameters()']
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any, Final

from autograd import Value
from autograd.value import nodes_below
from nn.parts import ARRAY, OBJECT, Inventory, entries, in_slots, is_array, named, own, role_of

__all__ = ["Dependence", "Snapshot", "numbers_in", "parameters_of", "require_loss", "unchanged"]

ENOUGH: Final = 8  # a `Value` that takes part in this many examples is assumed to take part in all


class Dependence:
    """Which parameters the losses of examples depend on, and which other `Value`s take part in all of them.

    Args:
        parameters: the model's.
        model: if given, parameters are named by the paths to them in it, since several layers may have the same labels.
    """

    def __init__(self, parameters: Sequence[Value], model: Any = None) -> None:
        self.model = model
        self.parameters = {id(parameter): parameter for parameter in parameters}
        self.unreached = dict(self.parameters)
        self.others: dict[int, Value] = {}
        self.seen = 0

    @property
    def is_open(self) -> bool:
        """Whether another example may change the answer."""
        return bool(self.unreached) or self.seen < ENOUGH

    @property
    def is_empty(self) -> bool:
        """Whether no loss so far depends on a parameter."""
        return len(self.unreached) == len(self.parameters)

    def see(self, loss: Value, given: Any) -> None:
        """Inspect the graph of an example's loss.

        Args:
            loss: the loss.
            given: the example's inputs and targets; `Value`s in them do not belong to the model.
        """
        leaves = {id(node): node for node in nodes_below(loss) if node.primitive is None}
        for key in leaves.keys() & self.unreached.keys():
            del self.unreached[key]
        foreign = leaves.keys() - self.parameters.keys() - Inventory([given]).values.keys()
        if self.seen:
            foreign &= self.others.keys()
        self.others = {key: leaf for key, leaf in leaves.items() if key in foreign}  # keeps them alive, and so their ids valid
        self.seen += 1

    def notes(self) -> list[str]:
        """Return a sentence about `Value`s that are not learned, and one about parameters that nothing depends on."""
        notes = []
        if self.others and self.seen > 1:
            one = "takes", "is", "it is", "it", "it"
            take, are, they_are, them, each = one if len(self.others) == 1 else ("take", "are", "they are", "them", "each")
            notes.append(f"{_enumerate(self.others.values(), self.model)} {take} part in the loss of every example but "
                         f"{are} not in model.parameters(): {they_are} not learned; to learn {them}, make {each} an attribute "
                         f"of the model; if the model defines parameters() itself, return {them} there")  # fmt: skip
        if self.unreached:
            notes.append(f"no loss depends on {_enumerate(self.unreached.values(), self.model)}, so not all parameters "
                         f"learn ({len(self.unreached)} of {len(self.parameters)} do not): they are not used, or .data or "
                         "float() cuts the graph above them")  # fmt: skip
        return notes

    def require_any(self) -> None:
        """Raise if no example's loss depends on a parameter."""
        if self.is_empty:
            example = _enumerate(self.parameters.values(), self.model, most=1)
            raise ValueError(f"no example's loss depends on any parameter ({len(self.parameters)} in all), such as {example}, "
                             "so there is nothing to learn: compute the loss from what the model returns, with operators and "
                             "functions of autograd, and not from .data or float()")  # fmt: skip


class Snapshot:
    """A snapshot of models and other objects: their attributes, the containers and arrays there, and random generators.

    Args:
        things: the objects.

    >>> from types import SimpleNamespace
    >>> unit = SimpleNamespace(w=Value(2.0), calls=0, seen=[])
    >>> before = Snapshot(unit)
    >>> unit.calls, unit.last = 1, unit.seen.append(unit.w * 3)
    >>> before.restore()
    >>> unit
    namespace(w=Value(data=2.0, grad=0.0), calls=0, seen=[])
    """

    def __init__(self, *things: Any) -> None:
        inventory = Inventory(things, through=True)
        parts = inventory.objects.values()
        containers = [part for part in [*parts, *inventory.closed] if isinstance(part, dict | list | deque | set)]
        inner = [x for part in parts for _, x in entries(part) if not isinstance(x, Value | float | int | str)]
        arrays = [x for x in inner if _is_numpy(x) and x.flags.writeable and x.ndim]
        objects = [part for part in parts if role_of(part.__class__) == OBJECT]
        self._contents = [(part, part.copy()) for part in [*containers, *arrays, *[own(part) for part in objects]]]
        self._slots = [(part, in_slots(part)) for part in objects]
        self._generators = [(x.setstate, x.getstate()) for x in inner if isinstance(x, Random)]
        # Those of NumPy, `RandomState` and `Generator`, by attributes of their classes.
        self._generators += [(x.set_state, x.get_state(legacy=False)) for x in inner if hasattr(type(x), "random_sample")]
        bit_generators = [x.bit_generator for x in inner if hasattr(type(x), "bit_generator")]
        self._generators += [(partial(setattr, x, "state"), x.state) for x in bit_generators]

    def restore(self) -> None:
        """Restore everything that has changed; containers that have not are left alone, since they may refuse changes."""
        for part, before in self._contents:
            _refill(part, before)
        for part, slots in self._slots:
            for name, x in slots.items():
                object.__setattr__(part, name, x)
            for name in in_slots(part).keys() - slots.keys():
                object.__delattr__(part, name)
        for put_back, state in self._generators:
            put_back(state)


def _refill(part: Any, before: Any) -> None:
    """Give a container or an array the contents of a copy of it, changing only what differs in a container."""
    if isinstance(part, dict):
        for key, x in before.items():
            if key not in part or part[key] is not x:
                part[key] = x
        for key in part.keys() - before.keys():
            del part[key]
    elif _is_numpy(part):
        part[:] = before
    elif len(part) != len(before) or any(map(operator.is_not, part, before)):
        part.clear()
        refill = part.update if isinstance(part, set) else part.extend
        refill(before)


@contextmanager
def unchanged(*things: Any) -> Iterator[None]:
    """Undo, after this block, what calls in it changed in models and other objects; see `Snapshot`."""
    before = Snapshot(*things)
    try:
        yield
    finally:
        try:
            before.restore()
        except BaseException:
            before.restore()  # again, since an interrupt has cut the first one short
            raise


def numbers_in(*things: Any) -> list[Any]:
    """Return, for comparison, the numbers and texts that models and other objects hold, such as counts; None for nodes.

    >>> numbers_in([Value(1.0), 2, "three"])
    [[(0, None), (1, 2), (2, 'three')]]
    """
    parts = Inventory(things, through=True).objects.values()
    return [[(key, _number(x)) for key, x in entries(part)] for part in parts]


def _number(x: Any) -> Any:
    """Return a number, a text or the numbers of an array; None for anything else, and for NaN, which differs from itself."""
    if _is_numpy(x):
        return None if is_array(x) else x.tolist()
    return x if isinstance(x, float | int | str) and x == x else None


def _is_numpy(x: Any) -> bool:
    return role_of(x.__class__) == ARRAY and hasattr(x, "setflags")


def parameters_of(model: Any) -> list[Value]:
    """Return a module's parameters, or raise if there are none, or an attribute hides the method that finds them."""
    if not callable(model.parameters):
        raise TypeError(f"{type(model).__name__} has an attribute called parameters, which hides the method parameters() that "
                        "every Module has; call it something else, such as weights")  # fmt: skip
    parameters: list[Value] = model.parameters()
    if not parameters:
        raise ValueError(f"{model!r} has no parameters, so there is nothing to train: set Values as attributes of the model, "
                         "directly and not as results of operations")  # fmt: skip
    return parameters


def require_loss(loss: Any, outputs: Any) -> Value:
    """Return the loss of an example, or raise if it is not a `Value`.

    Raises:
        TypeError: with what it is, and whether the model or the loss dropped the graph.
    """
    if isinstance(loss, Value):
        return loss
    if not Inventory([outputs]).values:
        raise TypeError(f"the model returned {outputs!r}, which contains no Value, so the loss {loss!r} has no gradient: "
                        "compute the outputs from the parameters themselves, not from .data or float()")  # fmt: skip
    raise TypeError(f"the loss is {loss!r}, of type {type(loss).__name__}, where a Value is needed: return it, and compute it "
                    "from the outputs with operators and functions of autograd, not with .data, float() or max()")  # fmt: skip


def _enumerate(values: Iterable[Value], model: Any = None, most: int = 3) -> str:
    """Name some `Value`s, by the paths to them in a model, or else by their labels or numbers."""
    paths = {id(part): name for name, part in named("", model) if isinstance(part, Value)}
    names = [(paths.get(id(value), value.label), value) for value in values]
    texts = [f"{name} ({value.data:.6g})" if name else repr(value) for name, value in names]
    return ", ".join(texts if len(texts) <= most else [*texts[:most], "…"])
