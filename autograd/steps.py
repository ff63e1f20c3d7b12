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
backward 1/3: loss = v2², ∂loss/∂loss = 1
    ∂loss/∂v2 = 2·v2 = 2·1 = 2
        add 1·2 = 2 to v2.grad: 0 + 2 = 2
backward 2/3: v2 = v1 - 5, ∂loss/∂v2 = 2
    ∂v2/∂v1 = 1
        add 2·1 = 2 to v1.grad: 0 + 2 = 2
backward 3/3: v1 = w·x, ∂loss/∂v1 = 2
    ∂v1/∂w = x = 2
        add 2·2 = 4 to w.grad: 0 + 4 = 4
    ∂v1/∂x = w = 3
        add 2·3 = 6 to x.grad: 0 + 6 = 6
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

from autograd.manners import describe
from autograd.mistakes import MISTAKES, Move, read, sorted_pass, totals
from autograd.moments import Edge, Moment, Step
from autograd.notation import MOST_DIGITS, Notation, equation, factor
from autograd.rerun import STALE, refuse_stale
from autograd.symbol import as_symbol
from autograd.value import Value
from autograd.writing import digits, parts, plain, strict

__all__ = ["Walk", "walk"]

EDGE_ENTRIES = ("rule", "reason", "numbers", "partial", "contribution", "before", "total", "taken")  # in JSON


class Walk(Sequence[Step]):
    """The steps of one graph, as a sequence with a position in it.

    Args:
        loss: the result whose gradient is taken.
        mistake: the name of a classic mistake to make, see `autograd.mistakes`; the walk then ends at the first step that
            differs from the right one, and this step says by how much and why; if no step differs, it runs to the end.
        n_digits: significant digits of the numbers in texts, 1 to 17; by default 5, and 3 in a network.

    Attributes:
        notation: the names and formulas of the nodes; its `order` and `names` are attributes of the walk too.

    Raises:
        TypeError: if the result is not a Value.
        ValueError: if a leaf was changed after the forward pass, the mistake is unknown, or `n_digits` is out of range.

    >>> x = Value(3.0, label="x")
    >>> steps = Walk(x * x)
    >>> len(steps), steps.position
    (2, 0)
    >>> steps.forward().delta
    1.0
    >>> steps.gradients[x]
    6.0
    """

    def __init__(self, loss: Value, mistake: str | None = None, n_digits: int | None = None) -> None:
        if not isinstance(loss, Value):
            raise TypeError(f"walk needs the Value whose graph is to be walked, not {loss!r}")
        if mistake is not None and not (isinstance(mistake, str) and mistake in MISTAKES):
            raise ValueError(f"unknown mistake {mistake!r}; choose from {', '.join(MISTAKES)}")
        self.loss = loss
        self.mistake = mistake
        self.notation = Notation(loss, n_digits)
        self.order, self.names = self.notation.order, self.notation.names
        refuse_stale(self.order)
        self._numbers = [x.data for x in self.notation.leaves]
        self.position = 0

    def __len__(self) -> int:
        return len(self.order) + (len(self.order) if self.mistake is None else len(self._moves))

    @overload
    def __getitem__(self, i: int) -> Step: ...
    @overload
    def __getitem__(self, i: slice) -> list[Step]: ...
    def __getitem__(self, i: int | slice) -> Step | list[Step]:
        """Return step i, counted from the end if negative, or a list of steps for a slice.

        Raises:
            IndexError: if there is no such step.
            ValueError: if a leaf has been changed since the walk was made.
        """
        self.refuse_stale()
        if isinstance(i, slice):
            return [self.unchecked(k) for k in range(*i.indices(len(self)))]
        return self.unchecked(self._place(i))

    def __iter__(self) -> Iterator[Step]:
        self.refuse_stale()
        return (self.unchecked(i) for i in range(len(self)))

    def refuse_stale(self) -> None:
        """Raise a ValueError if a leaf has been changed since the walk was made: new and old numbers would be mixed.

        >>> w = Value(3.0, label="w")
        >>> steps = Walk(w * w)
        >>> w.data = 2.6
        >>> steps[0]
        Traceback (most recent call last):
        ValueError: w = 2.6 was 3.0 when the steps were recorded: a leaf was changed after the forward pass; ...
        """
        if self._numbers == [x.data for x in self.notation.leaves]:  # the common case, by the fastest test
            return
        for x, number in zip(self.notation.leaves, self._numbers, strict=True):
            if not _same(x.data, number):
                raise ValueError(f"{describe(x)} was {number!r} when the steps were recorded: a leaf was {STALE}")

    @property
    def current(self) -> Step:
        """The step at the position."""
        return self[self.position]

    def forward(self) -> Step:
        """Go to the next step and return it; raise an IndexError at the end."""
        return self.goto(self.position + 1)

    def back(self) -> Step:
        """Go to the previous step and return it; raise an IndexError at the beginning."""
        return self.goto(self.position - 1)

    def goto(self, i: int) -> Step:
        """Go to step i, counted from 0, and return it.

        Raises:
            IndexError: if there is no such step; the position does not change.
        """
        place = self._place(i)
        if i < 0:
            raise self._no_step(i)
        self.position = place
        return self.current

    def moment(self, i: int) -> Moment:
        """Return the state after step i, counted from 0 or, if negative, from the end.

        Raises:
            IndexError: if there is no such step.
        """
        moment = Moment(self.loss, self.names)
        for step in self[: self._place(i) + 1]:
            moment.advance(step)
        return moment

    @cached_property
    def gradients(self) -> Mapping[Value, float]:
        """∂loss/∂node for every node and leaf at the end of the walk."""
        return {self.loss: 1.0, **totals(self._moves)}

    @property
    def difference(self) -> str:
        """The first error of a walk that makes a mistake; empty if the mistake changes nothing on this graph."""
        return self[-1].mistake if len(self) else ""

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        view: Literal["nodes", "neurons"] = "nodes",
        limit: int = 150,
        theme: Literal["light", "dark"] = "light",
    ) -> Path:
        """Write the walk as an animated SVG, and return the path.

        In the forward pass the values appear; in the backward pass a dot carries each contribution along its edge to the input
        where it is added.  The picture needs no script, so a README can show it as an image; it starts again after a pause,
        and a reader who prefers reduced motion sees only the last moment.

        Args:
            path: a name that ends in .svg; an existing file stays as it was if anything goes wrong.
            view: "neurons" draws a network neuron by neuron, see `draw`.
            limit: the largest number of boxes to draw.
            theme: "dark" draws on dark paper.

        Raises:
            ValueError: for any other suffix, view or theme, for a graph that is too large to be read, and for the view by
                neurons of a graph without neurons.
            FileNotFoundError: if the folder does not exist.
            LayoutError: if no layout engine is installed.
        """
        from autograd.drawing.as_animation import save  # the only import from the walk to the pictures

        return save(self, path, view, limit, theme)

    def to_json(self) -> str:
        """Return the whole walk as strict JSON.

        The object has ``nodes``, each leaf before the first node that uses it, and ``steps``:

        - a node: ``id`` (its place in the list), ``name`` (in full), ``short`` (the name in the texts), ``label`` (or null),
          ``operation`` (null for a leaf), ``operands`` (each ``{"node": id}`` or ``{"constant": number}``), ``data``;
        - a step: ``phase``, ``node`` (an id), ``formula``, ``numbers``, ``text``, and in the backward phase ``delta`` and
          ``edges``, each with ``input`` (an id), ``rule``, ``reason``, ``numbers``, ``partial``, ``contribution``,
          ``before``, ``total`` and ``taken``, false along a branch that is not taken.

        Numbers that JSON lacks are written as the strings "NaN", "Infinity" and "-Infinity".  A step takes about 500
        characters; for long walks `iter_json` yields the same text in pieces.

        >>> import json
        >>> trace = json.loads(walk(Value(3.0, label="x") * 2).to_json())
        >>> trace["steps"][1]["edges"][0]["rule"], trace["steps"][1]["edges"][0]["total"]
        ('2', 2.0)
        """
        return "".join(self.iter_json())

    def iter_json(self) -> Iterator[str]:
        """Yield the text of `to_json` in pieces, for walks of any length, as in ``file.writelines(steps.iter_json())``."""
        yield '{"nodes": ['
        yield from _in_json(map(self._node_entry, self.names))
        yield '], "steps": ['
        yield from _in_json(map(self._step_entry, self))
        yield "]}"

    def _node_entry(self, node: Value) -> dict[str, Any]:
        ids = self.notation.places
        operands = [{"node": ids[x]} if isinstance(x, Value) else {"constant": strict(x)} for x in node.operands]
        row, label = node.primitive, None if node.label is None else str(node.label)  # a label may be a number
        names = {"name": self.notation.full[node], "short": self.names[node], "label": label}
        return {"id": ids[node], **names, "operation": row and row.name, "operands": operands, "data": strict(node.data)}

    def _step_entry(self, step: Step) -> dict[str, Any]:
        ids = self.notation.places
        texts = {"formula": step.formula, "numbers": step.numbers, "text": str(step)}
        entry = {"phase": step.phase, "node": ids[step.node], **texts}
        if step.delta is None:
            return entry
        edges = [{"input": ids[x.input]} | {key: strict(getattr(x, key)) for key in EDGE_ENTRIES} for x in step.edges]
        return {**entry, "delta": strict(step.delta), "edges": edges}

    def __repr__(self) -> str:
        return f"<walk over {describe(self.loss)}: {len(self)} steps, at {self.position}>"

    def __str__(self) -> str:
        return "\n".join([*map(str, self), *self.notation.notes])

    def _place(self, i: int) -> int:
        if isinstance(i, bool) or not hasattr(i, "__index__"):
            raise TypeError(f"a step is given by its number, an int such as 0; got {i!r}")
        i = i.__index__()
        if not -len(self) <= i < len(self):
            raise self._no_step(i)
        return i % len(self)

    def _no_step(self, i: int) -> IndexError:
        steps = f"steps 0 to {len(self) - 1}" if len(self) else "no steps, because its result is a leaf"
        return IndexError(f"there is no step {i}; the walk has {steps}")

    @property
    def _moves(self) -> list[Move]:
        """The backward pass as numbers, up to the first wrong move."""
        return self._run[0]

    @cached_property
    def _run(self) -> tuple[list[Move], str]:
        """The moves, and what is wrong with the last one, or an empty string."""
        self.refuse_stale()
        if self.mistake is None:
            return list(sorted_pass(self.loss)), ""
        made: list[Move] = []
        seen: set[Value] = set()
        arrived: dict[Value, float] = {}
        for move in MISTAKES[self.mistake](self.loss):
            made.append(move)
            if wrong := self._wrong(move, seen, arrived):
                return made, wrong
            seen.add(move.node)
        return made, ""

    @cached_property
    def _right(self) -> Mapping[Value, float]:
        return totals(sorted_pass(self.loss))

    def _wrong(self, move: Move, seen: AbstractSet[Value], arrived: dict[Value, float]) -> str:
        """Return how a move differs from the right one, or an empty string.

        Args:
            move: the move.
            seen: the nodes that have been visited before.
            arrived: the gradients that have arrived so far; this move's are added to it.
        """
        node, delta = move.node, move.delta
        name, right, number = self.names[node], self._right, self.notation.number
        if node in seen:
            return f"{name} is visited a second time and passes on again what it passed on before"
        if not _same(move.upstream, right[node]) and (incomplete := self._incomplete(move, seen)):
            return incomplete
        if delta is None:
            return ""
        for k, (x, partial, own, (before, total)) in enumerate(
            zip(node.inputs, move.reading.partials, read(node).partials, move.sums, strict=True)
        ):
            if not _same(before, arrived.get(x, 0.0)):
                return f"{self.names[x]}.grad starts at {number(before)}, which an earlier pass left, not at 0"
            contribution = 0.0 if partial is None else delta * partial
            if not _same(contribution, 0.0 if own is None else delta * own):
                return self._misread(move, k)
            if partial is None:
                continue
            right_sum = before + contribution
            if not _same(total, right_sum):
                so_far = " so far" * (right_sum != right[x])
                should = f"{number(before)} + {factor(number(contribution))} = {number(right_sum)}{so_far}"
                return f"{self.names[x]} is used more than once, so its contributions add up: {should}, not {number(total)}"
            arrived[x] = total
        return ""

    def _incomplete(self, move: Move, seen: AbstractSet[Value]) -> str:
        """Return which consumers had not contributed to the gradient that a move passes on, or an empty string."""
        node = move.node
        late = [self.names[x] for x in self.order if node in x.inputs and x not in seen]
        if not late:  # the right contributions, added in another order, which rounds differently
            return ""
        right = f"∂{self.names[self.loss]}/∂{self.names[node]} is {self.notation.number(self._right[node])}"
        return f"{self.notation.number(move.upstream)} is used, but {right}: {' and '.join(late)} had not contributed yet"

    def _misread(self, move: Move, k: int) -> str:
        """Return what is wrong with the partial derivative that a move used for its input k, and where it was read."""
        node, x, used = move.node, move.node.inputs[k], move.reading.partials[k]
        rule, right = self.notation.rules(node)[k], node.partials[k]
        formula = rule.written(plain(self.notation.digits))
        values = move.reading.values[k] if move.reading.values else {}
        changed = {y: value for y, value in values.items() if not _same(value, y.data)}
        named = {part.name for part in parts(rule)}.intersection(self.names[y] for y in changed)
        should, now = self._apart(right, used or 0.0)
        text = f"{equation(f'∂{self.names[node]}/∂{self.names[x]}', formula, should)}, not {now}"
        for y, value in changed.items():
            if not named or self.names[y] in named:
                own, now = self._apart(y.data, value)
                return f"{text}: it was read at {self.names[y]} = {now} instead of {own}"
        return text

    def _apart(self, x: float, y: float) -> tuple[str, str]:
        """Write two numbers with as many digits as are needed to tell them apart."""
        pairs = ((digits(x, n), digits(y, n)) for n in range(self.notation.digits, MOST_DIGITS + 1))
        return next((pair for pair in pairs if pair[0] != pair[1]), (digits(x), digits(y)))

    def unchecked(self, i: int) -> Step:
        """Return step i, counted from 0, without looking for changed leaves; see `refuse_stale`."""
        n = len(self.order)
        if i < n:
            return self._step("forward", i + 1, self.order[i])
        move = self._moves[i - n]
        wrong = self._run[1] if i == len(self) - 1 else ""
        return self._step("backward", i - n + 1, move.node, move.upstream, tuple(self._edges(move)), wrong)

    def _step(
        self,
        phase: Literal["forward", "backward"],
        place: int,
        node: Value,
        delta: float | None = None,
        edges: tuple[Edge, ...] = (),
        wrong: str = "",
    ) -> Step:
        return Step(
            phase=phase,
            place=(place, len(self.order)),
            node=node,
            name=self.names[node],
            operation=self.notation.formula(node),
            delta=delta,
            edges=edges,
            loss=self.names[self.loss],
            mark=self.notation.mark(node),
            mistake=wrong,
            digits=self.notation.digits,
        )

    def _edges(self, move: Move) -> Iterator[Edge]:
        """Iterate over the edges of a move, in the order of the node's inputs."""
        node, rules, partials = move.node, self.notation.rules(move.node), move.reading.partials
        for x, rule, partial, own, (before, total) in zip(node.inputs, rules, partials, node.partials, move.sums, strict=True):
            flows = partial is not None and move.delta is not None
            used = own if partial is None else partial
            yield Edge(
                input=x,
                name=self.names[x],
                consumer=self.names[node],
                derivative=rule if _same(used, own) else as_symbol(used),
                partial=used,
                upstream=move.upstream,
                contribution=move.upstream * used if flows else 0.0,
                before=before,
                total=total,
                taken=flows,
                digits=self.notation.digits,
            )


Mistake = Literal[
    "recursion", "overwrite", "unsorted", "activation-forgotten", "zero-grad-forgotten", "sign", "out-for-net",
    "updated-too-soon",
]  # fmt: skip


def walk(loss: Value, mistake: Mistake | None = None, *, digits: int | None = None) -> Walk:
    """Return the forward and backward pass of `loss` as a sequence of steps; see `Walk` and this module's example.

    With a mistake, walk through the wrong algorithm on the same graph, up to the first step that differs from the right one:

    >>> x = Value(3.0, label="x")
    >>> print(walk(x * x, mistake="overwrite")[-1])
    backward 1/1: loss = x², ∂loss/∂loss = 1
        ∂loss/∂x = x = 3
            add 1·3 = 3 to x.grad: 0 + 3 = 3
        ∂loss/∂x = x = 3
            set x.grad to 1·3 = 3, where it was 3
        wrong: x is used more than once, so its contributions add up: 3 + 3 = 6, not 3
    """
    return Walk(loss, mistake, digits)


def _in_json(entries: Iterable[Any]) -> Iterator[str]:
    for i, entry in enumerate(entries):
        yield ", " * (i > 0) + json.dumps(entry, ensure_ascii=False, allow_nan=False)


def _same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))
