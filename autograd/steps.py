"""The chain rule, one node at a time.

A walk lists everything that backpropagation does on one graph: a step for each operation in the forward pass, then a step for
each operation, in reverse order, in the backward pass.  It visits nodes in the order of `Value.backward`, uses the partial
derivatives that the nodes recorded, and adds in the same sequence, so its totals are those of `backward`, bit for bit.
A step also has text: the row that made the node, written as a formula with names and with numbers.

>>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
>>> loss = (w * x - 5) ** 2
>>> for step in walk(loss):
...     print(step)
forward 1/3: v1 = w·x = 3·2 = 6
forward 2/3: v2 = v1 - 5 = 6 - 5 = 1
forward 3/3: loss = v2² = 1² = 1
backward 1/3: loss = v2², δ = ∂loss/∂loss = 1
    ∂loss/∂v2 = 2·v2 = 2·1 = 2
        add 1·2 = 2 to v2.grad: 0 + 2 = 2
backward 2/3: v2 = v1 - 5, δ = ∂loss/∂v2 = 2
    ∂v2/∂v1 = 1
        add 2·1 = 2 to v1.grad: 0 + 2 = 2
backward 3/3: v1 = w·x, δ = ∂loss/∂v1 = 2
    ∂v1/∂w = x = 2
        add 2·2 = 4 to w.grad: 0 + 4 = 4
    ∂v1/∂x = w = 3
        add 2·3 = 6 to x.grad: 0 + 6 = 6
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Literal, overload

from autograd.manners import describe
from autograd.mistakes import MISTAKES, Move, sorted_pass
from autograd.primitives import Primitive
from autograd.symbol import Symbol, as_symbol, digits
from autograd.value import Value, refuse_stale, topological

__all__ = ["Edge", "Nonfinite", "Step", "Walk", "find_nonfinite", "name_nodes", "walk"]


@dataclass(frozen=True, slots=True)
class Edge:
    """What flows from a node to one of its inputs in the backward pass.

    Attributes:
        input: the input.
        name: its name.
        rule: the partial derivative as a formula, such as ``1 - out²``.
        reason: the condition under which the formula holds if the rule has cases, such as ``x > 0``; else empty.
        numbers: the formula with numbers in place of names.
        partial: the partial derivative, as recorded.
        contribution: upstream gradient · partial, which is added to the input's gradient.
        before, total: the input's gradient before and after the addition.
        taken: whether anything flows along the edge; False for a branch that was not taken, and where nothing has flowed to
            the node itself.
    """

    input: Value
    name: str
    rule: str
    reason: str
    numbers: str
    partial: float
    contribution: float
    before: float
    total: float
    taken: bool = True

    @property
    def overwrites(self) -> bool:
        """Whether the contribution replaced the gradient instead of being added to it, as only in a mistaken walk."""
        return self.total != self.before + self.contribution and self.total == self.contribution


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the forward or the backward pass; printing it explains it.

    Attributes:
        phase: "forward" or "backward".
        place: the step's place within its phase, from 1, and the number of steps there.
        node: the node.
        name: its name.
        formula, numbers: its operation, with names and with numbers.
        delta: the upstream gradient ∂loss/∂node, now complete, or 0 if nothing has flowed to the node; None in the forward
            pass.
        edges: what flows on to the inputs, in written order; empty in the forward pass.
        loss: the name of the result.
        mistake: what goes wrong here, if the walk makes a mistake and this is the first step that differs; else empty.
    """

    phase: Literal["forward", "backward"]
    place: tuple[int, int]
    node: Value
    name: str
    formula: str
    numbers: str
    delta: float | None
    edges: tuple[Edge, ...]
    loss: str
    mistake: str = ""

    def __str__(self) -> str:
        head = f"{self.phase} {self.place[0]}/{self.place[1]}: {self.name} = "
        if self.delta is None:
            return head + _equal(self.formula, self.numbers, digits(self.node.data))
        lines = [f"{head}{self.formula}, δ = ∂{self.loss}/∂{self.name} = {digits(self.delta)}"]
        for edge in self.edges:
            reason = f", as {edge.reason}" if edge.reason else ""
            product = f"{_factor(self.delta)}·{_factor(edge.partial)} = {digits(edge.contribution)}"
            added = f"{digits(edge.before)} + {_factor(edge.contribution)} = {digits(edge.total)}"
            flow = f"add {product} to {edge.name}.grad: {added}"
            if not edge.taken:
                flow = f"nothing flows to {edge.name}: this branch is not taken"
            if edge.overwrites:
                flow = f"set {edge.name}.grad to {product}, where it was {digits(edge.before)}"
            lines += [
                f"    ∂{self.name}/∂{edge.name} = {_equal(edge.rule, edge.numbers, digits(edge.partial))}{reason}",
                f"        {flow}",
            ]
        return "\n".join([*lines, f"    wrong: {self.mistake}"] if self.mistake else lines)


class Walk(Sequence[Step]):
    """The steps of one graph, as a sequence with a position in it.

    Args:
        loss: the result whose gradient is taken.
        mistake: the name of a classic mistake to make, see `autograd.mistakes`; then the walk ends at the first step that
            differs from the right one, which says by how much and why, or runs to its end if none does.

    Raises:
        ValueError: if a leaf was changed after the forward pass, or for a mistake that is not known.

    >>> x = Value(3.0, label="x")
    >>> steps = Walk(x * x)
    >>> len(steps), steps.position
    (2, 0)
    >>> steps.forward().delta
    1.0
    >>> steps.gradients[x]
    6.0
    """

    def __init__(self, loss: Value, mistake: str | None = None) -> None:
        if not isinstance(loss, Value):
            raise TypeError(f"walk needs the Value whose graph is to be walked, not {loss!r}")
        if mistake is not None and mistake not in MISTAKES:
            raise ValueError(f"there is no mistake {mistake!r}; choose from {', '.join(MISTAKES)}")
        self.loss = loss
        self.mistake = mistake
        self.order = topological(loss)
        refuse_stale(self.order)
        self.names = name_nodes(loss, self.order)
        self.position = 0

    def __len__(self) -> int:
        return len(self.order) + (len(self.order) if self.mistake is None else len(self._moves))

    @overload
    def __getitem__(self, i: int) -> Step: ...
    @overload
    def __getitem__(self, i: slice) -> list[Step]: ...
    def __getitem__(self, i: int | slice) -> Step | list[Step]:
        """Return step i, counted from the end if negative, or for a slice a list of steps."""
        if isinstance(i, slice):
            return [self._step(k) for k in range(*i.indices(len(self)))]
        return self._step(self._place(i))

    def __iter__(self) -> Iterator[Step]:
        return (self._step(i) for i in range(len(self)))

    @property
    def current(self) -> Step:
        """The step at the position."""
        return self[self.position]

    def forward(self) -> Step:
        """Go to the next step and return it; an IndexError at the end."""
        return self.goto(self.position + 1)

    def back(self) -> Step:
        """Go to the previous step and return it; an IndexError at the beginning."""
        return self.goto(self.position - 1)

    def goto(self, i: int) -> Step:
        """Go to step i, counted from 0, and return it.

        Raises:
            IndexError: if there is no such step; the position stays.
        """
        if i < 0:
            raise IndexError(f"there is no step {i}; the walk has the steps 0 to {len(self) - 1}")
        self.position = self._place(i)
        return self.current

    @cached_property
    def gradients(self) -> Mapping[Value, float]:
        """∂loss/∂node for every node and leaf, as at the end of the walk."""
        found = {self.loss: 1.0}
        for node, _, sums in self._moves:
            found.update((x, total) for x, (_, total) in zip(node.inputs, sums, strict=True))
        return found

    @property
    def difference(self) -> str:
        """What first goes wrong in a walk that makes a mistake; empty if the mistake does not matter on this graph."""
        return self[-1].mistake if self.mistake is not None and len(self) else ""

    def to_json(self) -> str:
        """Return the whole walk as strict JSON.

        The object has ``nodes``, leaves first where they first occur, and ``steps``:

        - a node: ``id`` (its place in the list), ``name``, ``label`` (or null), ``operation`` (null for a leaf), ``operands``
          (each ``{"node": id}`` or ``{"constant": number}``), ``data``;
        - a step: ``phase``, ``node`` (an id), ``formula``, ``numbers``, ``text``, and in the backward phase ``delta`` and
          ``edges``, each with ``input`` (an id), ``rule``, ``reason``, ``numbers``, ``partial``, ``contribution``,
          ``before``, ``total`` and ``taken``, false along a branch that is not taken.

        Numbers that JSON does not have are the strings "NaN", "Infinity" and "-Infinity".  A step takes some 500 characters;
        for long walks `iter_json` yields the same text in pieces.

        >>> import json
        >>> trace = json.loads(walk(Value(3.0, label="x") * 2).to_json())
        >>> trace["steps"][1]["edges"][0]["rule"], trace["steps"][1]["edges"][0]["total"]
        ('2', 2.0)
        """
        return "".join(self.iter_json())

    def iter_json(self) -> Iterator[str]:
        """Yield the text of `to_json` in pieces, for walks of any length, as in ``file.writelines(steps.iter_json())``."""
        ids = {node: i for i, node in enumerate(self.names)}
        yield '{"nodes": ['
        yield from _listed(self._node_entry(node, ids) for node in ids)
        yield '], "steps": ['
        yield from _listed(self._step_entry(step, ids) for step in self)
        yield "]}"

    def _node_entry(self, node: Value, ids: Mapping[Value, int]) -> dict[str, Any]:
        operands = [{"node": ids[x]} if isinstance(x, Value) else {"constant": _strict(x)} for x in node.operands]
        return {
            "id": ids[node],
            "name": self.names[node],
            "label": node.label,
            "operation": node.primitive.name if node.primitive is not None else None,
            "operands": operands,
            "data": _strict(node.data),
        }

    def _step_entry(self, step: Step, ids: Mapping[Value, int]) -> dict[str, Any]:
        entry: dict[str, Any] = {"phase": step.phase, "node": ids[step.node], "formula": step.formula}
        entry |= {"numbers": step.numbers, "text": str(step)}
        if step.delta is not None:
            entry["delta"] = _strict(step.delta)
            entry["edges"] = [
                {
                    "input": ids[edge.input],
                    "rule": edge.rule,
                    "reason": edge.reason,
                    "numbers": edge.numbers,
                    "partial": _strict(edge.partial),
                    "contribution": _strict(edge.contribution),
                    "before": _strict(edge.before),
                    "total": _strict(edge.total),
                    "taken": edge.taken,
                }
                for edge in step.edges
            ]
        return entry

    def __repr__(self) -> str:
        return f"<walk over {describe(self.loss)}: {len(self)} steps, at {self.position}>"

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self)

    def _place(self, i: int) -> int:
        if not -len(self) <= i < len(self):
            raise IndexError(f"there is no step {i}; the walk has the steps 0 to {len(self) - 1}")
        return i % len(self)

    @cached_property
    def _moves(self) -> list[Move]:
        """The backward pass as numbers, up to the first that is wrong."""
        right = list(sorted_pass(self.loss))
        if self.mistake is None:
            return right
        made: list[Move] = []
        for move in MISTAKES[self.mistake](self.loss):
            made.append(move)
            if self._wrong(made):
                break
        return made

    @cached_property
    def _right(self) -> Walk:
        return Walk(self.loss)

    def _wrong(self, made: Sequence[Move]) -> str:
        """Return how the last of the moves differs from the right one, or an empty string if it does not."""
        node, delta, sums = made[-1]
        name, right = self.names[node], self._right.gradients
        if any(node is earlier for earlier, _, _ in made[:-1]):
            return f"{name} is visited a second time, and what it passed on before is passed on again"
        if (delta or 0.0) != right[node] and not (delta is not None and math.isnan(delta) and math.isnan(right[node])):
            used = f"δ = {digits(delta or 0.0)} is used, but ∂{self.names[self.loss]}/∂{name} is {digits(right[node])}"
            seen = {earlier for earlier, _, _ in made}
            late = [self.names[consumer] for consumer in self.order if node in consumer.inputs and consumer not in seen]
            return f"{used}: {' and '.join(late)} had not passed on its share yet" if late else used
        for x, partial, taken, (before, total) in zip(node.inputs, node.partials, node.taken, sums, strict=True):
            if delta is None or not taken:
                continue
            right_sum = before + delta * partial
            if total != right_sum and not math.isnan(total):
                so_far = " so far" * (right_sum != right[x])
                should = f"{digits(before)} + {_factor(delta * partial)} = {digits(right_sum)}{so_far}"
                return f"{self.names[x]} is used more than once, and what arrives adds up: {should}, not {digits(total)}"
        return ""

    def _step(self, i: int) -> Step:
        n = len(self.order)
        node, delta, sums = Move(self.order[i], None, []) if i < n else self._moves[i - n]
        row = node.primitive
        assert row is not None
        name, loss = self.names[node], self.names[self.loss]
        formula = _written(row, node.operands, self.names)
        numbers = _written(row, node.operands, {x: digits(x.data) for x in node.inputs})
        if i < n:
            return Step("forward", (i + 1, n), node, name, formula, numbers, None, (), loss)
        which = [k for k, x in enumerate(node.operands) if isinstance(x, Value)]
        called = [Symbol(self.names[x], x.data) if isinstance(x, Value) else x for x in node.operands]
        put_in = [Symbol(digits(x.data), x.data) if isinstance(x, Value) else x for x in node.operands]
        rules = map(as_symbol, row.partials(called, Symbol(name, node.data), which))
        filled = map(as_symbol, row.partials(put_in, Symbol(digits(node.data), node.data), which))
        flowing = [taken and delta is not None for taken in node.taken]
        upstream = 0.0 if delta is None else delta
        flows = [upstream * partial if flow else 0.0 for partial, flow in zip(node.partials, flowing, strict=True)]
        edges = tuple(
            Edge(x, self.names[x], rule.text, rule.reason, numbered.text, partial, flow, before, total, taken)
            for x, rule, numbered, partial, flow, (before, total), taken in zip(
                node.inputs, rules, filled, node.partials, flows, sums, flowing, strict=True
            )
        )
        wrong = self._wrong(self._moves) if self.mistake is not None and i == len(self) - 1 else ""
        return Step("backward", (i - n + 1, n), node, name, formula, numbers, upstream, edges, loss, wrong)


def walk(loss: Value, mistake: Literal["recursion", "overwrite", "unsorted"] | None = None) -> Walk:
    """Return the forward and backward pass of `loss` as a sequence of steps; see `Walk` and this module's example.

    With a mistake it is the wrong algorithm on the same graph, up to the first step that differs from the right one:

    >>> x = Value(3.0, label="x")
    >>> print(walk(x * x, mistake="overwrite")[-1])
    backward 1/1: loss = x·x, δ = ∂loss/∂loss = 1
        ∂loss/∂x = x = 3
            add 1·3 = 3 to x.grad: 0 + 3 = 3
        ∂loss/∂x = x = 3
            set x.grad to 1·3 = 3, where it was 3
        wrong: x is used more than once, and what arrives adds up: 3 + 3 = 6, not 3
    """
    return Walk(loss, mistake)


def name_nodes(root: Value, order: Sequence[Value]) -> dict[Value, str]:
    """Return a unique name for every node of a graph: its label if no earlier node has the same, else v1, v2, ….

    The names are in the order of `order`, each leaf before the first node that uses it.  A root without a label is "loss".
    """
    found: dict[Value, None] = {}
    for node in order:
        for x in node.inputs:
            found.setdefault(x)
        found.setdefault(node)
    found.setdefault(root)
    labels: dict[str, Value] = {}
    for node in found:
        if node.label:
            labels.setdefault(str(node.label), node)
    if root.label is None:
        labels.setdefault("loss", root)
    own = {node: name for name, node in labels.items()}
    free = (name for i in count(1) if (name := f"v{i}") not in labels)
    return {node: own[node] if node in own else next(free) for node in found}


@dataclass(frozen=True, slots=True)
class Nonfinite:
    """Where a NaN or an infinity arose: the first node, in the order of the passes, whose operands were still finite.

    Attributes:
        node: the node.
        phase: "forward" if its value is not finite, "backward" if a gradient that flows from it is not.
        text: an explanation with the operation and its operands.
    """

    node: Value
    phase: Literal["forward", "backward"]
    text: str

    def __str__(self) -> str:
        return self.text


def find_nonfinite(loss: Value) -> Nonfinite | None:
    """Find the node at which a NaN or an infinity arose first, in the forward pass or else in the backward pass.

    Returns:
        The finding, or None if all values and gradients are finite.

    >>> w = Value(800.0, label="w")
    >>> print(find_nonfinite((w.exp() - w.exp()) * 2))
    the first value that is not finite is exp(w) = inf, from w = 800.0
    """
    if not isinstance(loss, Value):
        raise TypeError(f"find_nonfinite needs the Value whose graph is to be searched, not {loss!r}")
    order = topological(loss)
    for node in name_nodes(loss, order):
        if not math.isfinite(node.data):
            operands = " and ".join(describe(x) if isinstance(x, Value) else repr(x) for x in node.operands)
            origin = f"from {operands}" if operands else "from the start"
            return Nonfinite(node, "forward", f"the first value that is not finite is {describe(node)}, {origin}")
    flows = [
        (node, delta, x, partial)
        for node, delta, _ in sorted_pass(loss)
        for x, partial, taken in zip(node.inputs, node.partials, node.taken, strict=True)
        if taken and delta is not None and not math.isfinite(delta * partial)
    ]
    for node, delta, x, partial in flows[:1]:
        text = f"the first gradient that is not finite flows from {describe(node)}: {delta!r} · {partial!r} to {describe(x)}"
        lost = next((flow for flow in flows if 0 in (flow[1], flow[3])), None)
        if lost is not None:
            origin = "" if lost[0] is node else f"; from {describe(lost[0])} flows {lost[1]!r} · {lost[3]!r}"
            text += (f"{origin}, and 0·∞ is NaN: this 0 is a number, not a branch that is not taken; keep clear of the point, "
                     "and for the length of a vector use hypot")  # fmt: skip
        return Nonfinite(node, "backward", text)
    return None


def _written(row: Primitive, operands: Sequence[Value | float], names: Mapping[Value, str]) -> str:
    return as_symbol(row.apply([Symbol(names[x]) if isinstance(x, Value) else x for x in operands])).text


def _equal(*parts: str) -> str:
    return " = ".join(dict.fromkeys(parts))


def _factor(x: float) -> str:
    text = digits(x)
    return f"({text})" if text.startswith("-") else text


def _listed(entries: Iterable[Any]) -> Iterator[str]:
    for i, entry in enumerate(entries):
        yield ", " * (i > 0) + json.dumps(entry, ensure_ascii=False, allow_nan=False)


def _strict(x: float) -> float | str:
    return x if math.isfinite(x) else {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(x)]
