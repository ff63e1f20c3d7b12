"""Collects a module's parameters as arrays, and sets them from a state.

An array is a nested list, named by the attributes on the path to it; a single parameter is an array without dimensions.

>>> from nn import MLP
>>> {name: shape_of(array) for name, array in arrays(MLP(3, [4, 1])).items()}
{'layers.0.weight': (4, 3), 'layers.0.bias': (4,), 'layers.1.weight': (1, 4), 'layers.1.bias': (1,)}
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Value
from autograd.files import printable
from nn.parts import SEQUENCE, VALUE, distinct, entries, is_array, role_of
from nn.tables import dense, flat, nested, shape_of, short

if TYPE_CHECKING:
    from nn.module import Module

__all__ = ["arrays", "assign", "natural"]

DEEPEST = 32  # dimensions; a list that contains itself would have more
LONGEST = 100  # characters of a name in a message


def arrays(module: Module) -> dict[str, Any]:
    """Return a module's parameters by name, as nested lists where they form an array; each once, even if it is shared.

    Raises:
        ValueError: if two arrays would have the same name.

    >>> from nn import Neuron
    >>> arrays(Neuron(2, init="zeros", label="unit"))["b"]
    Value(data=0.0, grad=0.0, label='unit.b')
    """
    return distinct(_arrays("", module, {}))


def assign(module: Module, state: Mapping[str, Any], *, in_order: bool = True) -> str:
    """Set the parameters of a module to the numbers of a state; if anything does not fit, none is changed.

    Args:
        module: the module.
        state: numbers, lists or arrays under the names of `arrays`, or numbers or `Value`s under those of
            `Module.named_parameters`.
        in_order: whether a state with none of these names is loaded in order if all shapes fit: in its own order, or else
            sorted by the numbers in its names, a layer's weight before its bias.

    Returns:
        Which array became which parameter, if the state has other names than the module; otherwise an empty string.

    Raises:
        ValueError: if names are missing or unknown, or shapes differ, naming them.
        TypeError: for anything that is not a real number, with its name.
        OverflowError: for an integer beyond the range of floats, with its name.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"a state maps names to numbers or arrays, as state_dict() does; got type {type(state).__name__}")
    wanted = arrays(module)
    if {*wanted} != {*state}:  # otherwise single parameters need no names, which may collide where arrays' do not
        wanted = max((wanted, dict(module.named_parameters())), key=lambda names: sum(name in state for name in names))
    has_other_names = in_order and len(state) == len(wanted) and not any(name in state for name in wanted)
    orders: list[list[str]] = [[*state], sorted(state, key=natural)] if has_other_names else [[*wanted]]
    differences = [] if has_other_names else _differences(wanted, state)
    pairs: list[tuple[str, str]] = []
    if not differences:
        found = {name: _floats(str(name), state[name]) for name in orders[0]}
        tried = [[*zip(wanted, order, strict=True)] for order in orders]
        pairs = min(tried, key=lambda pairs: len(_misfits(wanted, found, pairs)))
        differences = _misfits(wanted, found, pairs)
    if differences:
        raise ValueError(f"the state does not fit {module!r}: {printable('; '.join(differences[:3]))}")
    for name, other in pairs:
        for parameter, number in zip(flat(wanted[name]), flat(found[other]), strict=True):
            parameter.data = number
    if not has_other_names:
        return ""
    return f"the names are not those of {module!r}; loaded in order: " + printable(
        _enumerate([f"{other} as {name} {_spell(wanted[name])}" for name, other in pairs], most=20)
    )


def _differences(wanted: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return a sentence about the names that a state lacks, and one about those that are not wanted."""
    differences = []
    if lacking := [name for name in wanted if name not in state]:
        differences.append(f"it lacks {_enumerate(lacking)}")
    if unknown := [str(name) for name in state if name not in wanted]:
        are = "is not a parameter" if len(unknown) == 1 else "are not parameters"
        differences.append(f"it has {_enumerate(unknown)}, which {are}")
    return differences


def natural(name: str) -> tuple[Any, ...]:
    """Return a key for sorting names by the numbers in them, with a layer's weight before its bias.

    >>> sorted(["10.bias", "10.weight", "2.bias", "2.weight"], key=natural), sorted(["w10", "w9"], key=natural)
    (['2.weight', '2.bias', '10.weight', '10.bias'], ['w9', 'w10'])
    """
    path, _, last = str(name).rpartition(".")
    return _split(path), {"weight": 0, "bias": 1}.get(last, 2), _split(last)


def _split(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(re.split(r"(\d+)", text))]


def _arrays(name: str, thing: Any, seen: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    if is_array(thing):
        thing = thing.tolist()
    if id(thing) in seen:
        return
    array = _array(thing, seen)
    if array is not None:
        parameters = [*flat(array)]
        by_id = {id(parameter): parameter for parameter in parameters}
        if len(by_id) == len(parameters):
            seen |= by_id
            yield name, array
            return
    seen[id(thing)] = thing
    gathered = ((attribute, getattr(thing, attribute)) for attribute in getattr(type(thing), "gathered", ()))
    for key, part in itertools.chain(gathered, entries(thing)):
        yield from _arrays(f"{name}.{key}" if name else str(key), part, seen)


def _array(thing: Any, seen: Mapping[int, Any], depth: int = 0) -> Any:
    """Return parameters that form an array as nested lists, and None for anything else."""
    role = role_of(thing.__class__)
    if role == VALUE:
        return thing if thing.primitive is None and id(thing) not in seen else None
    if is_array(thing):
        return _array(thing.tolist(), seen, depth)
    if role != SEQUENCE or depth == DEEPEST:
        return None
    rows: list[Any] = []
    for item in thing:
        row = _array(item, seen, depth + 1)
        if row is None or (rows and shape_of(row) != shape_of(rows[0])):
            return None
        rows.append(row)
    return rows or None


def _floats(name: str, entry: Any) -> Any:
    """Return an array of any package, or nested sequences, as nested lists of floats."""
    try:
        # Not every tensor of PyTorch can become a NumPy array.
        entry = nested(entry if hasattr(entry, "detach") else dense(entry))
        if not isinstance(entry, list | tuple):
            return entry.data if isinstance(entry, Value) else Value(entry).data
    except (OverflowError, TypeError, ValueError) as error:
        raise type(error)(printable(f"{name}: {error}")) from None
    rows = [_floats(f"{name}[{i}]", item) for i, item in enumerate(entry)]
    if len({shape_of(row) for row in rows}) > 1:
        raise ValueError(f"{printable(name)} is not an array: its rows differ in length")
    return rows


def _misfits(wanted: Mapping[str, Any], found: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return a sentence for each array whose shape differs from that of its parameter."""
    return [
        f"{name} is {_spell(wanted[name])}, and in the state{f' {other}' * (other != name)} {_spell(found[other])}"
        for name, other in pairs
        if shape_of(wanted[name]) != shape_of(found[other])
    ]


def _spell(array: Any) -> str:
    return f"[{'×'.join(map(str, shape_of(array)))}]" if isinstance(array, list) else "a single number"


def _enumerate(names: Sequence[str], most: int = 4) -> str:
    shown = names if len(names) <= most else names[: most - 1]
    text = ", ".join(short(name, LONGEST) for name in shown)
    return text if shown is names else f"{text} and {len(names) - len(shown)} more"
