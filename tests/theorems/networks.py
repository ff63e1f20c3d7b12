r"""The gradient of a whole network as theorems, printed along the steps of its walk.

The idea: a walk is a theorem already.  Its forward steps name the values, its backward steps name the gradients; the claim is
that the gradient of a leaf is the derivative of the result.  The proof repeats the forward steps: by the chain rule, the
derivative of each node on the path from the leaf is the previous node's, times the rule, by the theorem about the node's row.

>>> from autograd import Value, tanh, walk
>>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
>>> y = tanh(w * x)
>>> y.label = "y"
>>> print("\n".join(gradients(walk(y), [w], "unit")))
Definition unit (w x : R) : R :=
  let v1 := w * x in
  let y := row_tanh v1 in
  y.
Theorem unit_w : forall w x : R,
  let v1 := w * x in
  let y := row_tanh v1 in
  let grad_y := 1 in
  let grad_v1 := grad_y * (1 - y * y) in
  let grad_w := grad_v1 * x in
  is_derive (fun w => unit w x) w grad_w /\ grad_w = (1 - y * y) * x.
Proof.
  intros.
  pose proof (multiply_x w x) as D0.
  pose proof (along _ _ _ _ _ D0 (tanh_x v1)) as D1.
  by_steps D1.
Qed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coq import term
from statements import POWERS, names_of, theorems

from autograd import Value, explain, primitives
from autograd.steps import Walk
from autograd.symbol import Symbol
from autograd.writing import UNSHIFTED

__all__ = ["gradients"]


def gradients(walk: Walk, leaves: Sequence[Value], title: str) -> Iterator[str]:
    """Define a graph and state for some leaves: the walk's gradient is the derivative, and equals the formula of `explain`.

    Args:
        walk: the graph, whose leaves have labels that can be names in Coq.
        leaves: those with respect to which the result is differentiated; only one path leads to each.
        title: the name of the function, with which the theorems' names begin.

    Raises:
        ValueError: if several paths lead from the result to a leaf.
    """
    notation, loss = walk.notation, walk.loss
    called = {node: name.translate(UNSHIFTED).replace("(", "").replace(")", "_") for node, name in notation.names.items()}
    names = {notation.names[node]: text for node, text in called.items()} | {
        f"grad_{text}": f"grad_{text}" for text in called.values()
    }
    free = " ".join(called[node] for node in called if node.primitive is None)

    def gradient(node: Value) -> str:
        return f"let grad_{called[node]} := {term(arrived[node], names)} in"

    arrived: dict[Value, Any] = {loss: 1.0}
    forward, backward = list[str](), list[str]()
    for step in walk:
        if step.phase == "forward":
            forward.append(f"let {called[step.node]} := {term(step.operation, names)} in")
            continue
        backward.append(gradient(step.node))
        for edge in step.edges:
            contribution = Symbol(f"grad_{called[step.node]}") * edge.derivative
            arrived[edge.input] = arrived[edge.input] + contribution if edge.input in arrived else contribution
    yield "\n  ".join([f"Definition {title} ({free} : R) : R :=", *forward, f"{called[loss]}."])
    for leaf in leaves:
        name = called[leaf]
        claims = (f"is_derive (fun {name} => {title} {free}) {name} grad_{name} /\\ "
                  f"grad_{name} = {term(explain(leaf, of=loss).formula, names)}.")  # fmt: skip
        yield "\n  ".join([f"Theorem {title}_{name} : forall {free} : R,", *forward, *backward, gradient(leaf), claims])
        yield "\n  ".join(["Proof.", "intros.", *_proof(walk, leaf, called)]) + "\nQed."


def _proof(walk: Walk, leaf: Value, called: Mapping[Value, str]) -> Iterator[str]:
    """Differentiate the nodes that depend on a leaf, one after the other, each by the theorem about its row."""
    path = [leaf]
    for node in walk.order:
        places = [i for i, x in enumerate(node.operands) if isinstance(x, Value) and x in path]
        if len(places) > 1:
            raise ValueError(f"several paths lead from {walk.names[node]} to {walk.names[leaf]}; the proof needs a single one")
        if places:
            i, fact = len(path) - 1, _theorem(node, places[0], called)
            yield f"pose proof {f'(along _ _ _ _ _ D{i - 1} {fact})' if i else fact} as D{i}."
            path.append(node)
    yield f"by_steps D{len(path) - 2}."


def _theorem(node: Value, place: int, called: Mapping[Value, str]) -> str:
    """Return the theorem about a node's row with respect to its operand at a place, applied to the operands."""
    row, operands = node.primitive, node.operands
    assert row is not None
    arguments = [called[x] if isinstance(x, Value) else term(x) for x in operands]
    if row is primitives.power and not isinstance(operands[1], Value):
        [name] = [name for name, exponent in POWERS.items() if exponent == operands[1]]
        return f"({name}_x {arguments[0]})"
    names = names_of(row)
    data = dict(zip(names, [float(x.data) if isinstance(x, Value) else x for x in operands], strict=True))
    found = next(x for x in theorems(row) if x.operand == names[place] and all(x.piece.on(data)))
    return f"({' '.join([found.name, *arguments, *['ltac:(lra)' for _ in found.piece.on(data)]])})"
