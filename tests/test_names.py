"""Names and numbers: each node has a unique name, short where possible, and each number has the chosen digits."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd import Value, check_derivation, dot, draw, explain, label_values, play, sigmoid, tanh, walk
from autograd.notation import PARAMETER, Notation, short_names
from autograd.steps import Walk
from autograd.strategies import Program, programs
from nn import MLP

LABELS = ["x", "x′", "x′′", "v1", "v2", "out", "out[1]", "out[2]", "x[5]", "loss", "a", "layer1.neuron0.w0", "w⁽¹⁾₀₀",
          "neuron0.w0", "", None, 7]  # fmt: skip


def network(sizes: list[int] | None = None) -> Value:
    """Return the error of a network on an example."""
    loss: Value = (MLP(2, sizes or [3, 1], "tanh", seed=1)([Value(0.123456789, label="x0"), Value(-1.0, label="x1")]) - 1) ** 2
    return loss


class TestNames:
    def test_a_second_leaf_gets_a_prime_and_one_note_says_so(self) -> None:
        xs = [Value(float(i), label="x") for i in range(6)]
        notation = Notation(dot(xs[:3], xs[3:]))
        assert sorted(notation.names[x] for x in xs) == ["x", "x[5]", "x[6]", "x′", "x′′", "x′′′"]
        assert notation.notes == (f"{notation.names[list(notation.names)[1]]}: another leaf with the label x",)
        assert str(walk(dot(xs[:3], xs[3:]))).splitlines()[-1] == notation.notes[0]
        assert notation.notes[0] in draw(dot(xs[:3], xs[3:])).notes

    def test_operations_that_share_a_label_are_numbered(self) -> None:
        outs = [sigmoid(Value(float(i), label=f"x{i}")) for i in range(3)]
        for out in outs:
            out.label = "out"
        assert [Notation(outs[0] + outs[1] + outs[2]).names[out] for out in outs] == ["out[1]", "out[2]", "out[3]"]
        assert [Notation(outs[0] * outs[2]).names[out] for out in outs[::2]] == ["out[1]", "out[2]"]
        assert Notation(outs[0] + 1).names[outs[0]] == "out" and Notation(outs[0] + 1).notes == ()

    def test_the_nodes_of_a_network_that_is_applied_twice_are_numbered(self) -> None:
        model = MLP(2, [2, 1], seed=1)
        loss = model([1.0, 2.0]) + model([3.0, 4.0])
        names = Notation(loss).names
        assert {"w⁽¹⁾₀₀", "a⁽¹⁾₀[1]", "a⁽¹⁾₀[2]", "z⁽²⁾₀[1]", "z⁽²⁾₀[2]"} <= set(names.values())
        assert len(set(names.values())) == len(names)

    @given(st.lists(st.sampled_from(LABELS), min_size=3, max_size=14), st.randoms(use_true_random=False))
    @example(["x", "x", "x′", "x"], None)
    @example(["out[1]", "out", "out", "v1", None, None], None)
    def test_names_are_unique_whatever_the_labels(self, labels: list[Any], random: Any) -> None:
        nodes: list[Value] = [Value(1.0, label=labels[0])]
        for i, label in enumerate(labels[1:]):
            operand = nodes[random.randrange(len(nodes)) if random else -1]
            nodes.append(Value(1.0, label=label) if i % 3 == 1 else operand * nodes[-1])
            nodes[-1].label = label
        loss = dot(nodes, nodes[::-1])
        notation = Notation(loss)
        for names in (notation.full, notation.names):
            assert len(set(names.values())) == len(names) == len(notation.places) and "" not in names.values()
        counts = Counter(["loss", *(str(node.label) for node in notation.full if node.label)])  # the result's name
        for node, name in notation.full.items():
            if counts[str(node.label)] == 1:
                assert name == str(node.label), "a label that only one node has is its name"
        trace = json.loads(walk(loss).to_json())
        assert [node["name"] for node in trace["nodes"]] == list(notation.full.values())
        assert [node["short"] for node in trace["nodes"]] == list(notation.names.values())
        draw(loss)

    def test_full_names_are_in_tooltips_and_data(self) -> None:
        loss = network()
        loss.backward()
        full = Notation(loss).full
        for drawing in (draw(loss), draw(loss, step=5)):
            assert [node.hint.partition(" = ")[0] for node in drawing.nodes] == list(full.values())
            assert not any("⁽" in part.hint for part in drawing.nodes + drawing.edges)
            assert all("layer" not in line.text for node in drawing.nodes for line in node.lines)
        hints = [edge.hint for edge in draw(loss, view="neurons").edges if edge.weight]
        assert len(hints) == 9 and all(re.match(r"layer\d\.neuron\d\.w\d = ", hint) for hint in hints)
        trace = json.loads(walk(loss).to_json())
        assert {"layer1.neuron0.w0": "w⁽¹⁾₀₀", "layer1.neuron2.net": "z⁽¹⁾₂"}.items() <= {
            node["name"]: node["short"] for node in trace["nodes"]
        }.items()

    def test_short_names_are_those_of_lectures(self) -> None:
        short = {
            "layer1.neuron0.w2": "w⁽¹⁾₀₂", "layer12.neuron3.w10": "w⁽¹²⁾₃,₁₀", "neuron0.b": "b₀", "layer2.neuron1.out": "a⁽²⁾₁",
            "model.layer1.neuron0.net": "z⁽¹⁾₀", "layer1.neuron0.out[3]": "a⁽¹⁾₀[3]", "layer1.neuron0.w0′": "w⁽¹⁾₀₀′",
            "weird.w2": "weird.w2", "layer1.neuron0": "layer1.neuron0", "layer1.neuron0.w2.x": "layer1.neuron0.w2.x",
        }  # fmt: skip
        assert {name: next(iter(short_names({Value(0.0): name}).values())) for name in short} == short
        assert PARAMETER.fullmatch("layer1.neuron0.w2") and not PARAMETER.fullmatch("w2")

    def test_two_networks_keep_their_full_names_where_short_ones_would_be_the_same(self) -> None:
        nodes = {Value(0.0): name for name in ("left.layer1.neuron0.w0", "right.layer1.neuron0.w0", "left.layer1.neuron0.w1")}
        assert list(short_names(nodes).values()) == ["left.layer1.neuron0.w0", "right.layer1.neuron0.w0", "w⁽¹⁾₀₁"]


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text that have a decimal point or an exponent."""
    return re.findall(r"(?<![\w.⁾₀-₉])\d+\.\d+(?:e[-+]\d+)?(?![\w.])", text)


def significant(number: str) -> int:
    """Return how many significant digits a number has."""
    return len(number.partition("e")[0].replace(".", "").lstrip("0"))


class TestDigits:
    @pytest.mark.parametrize("digits", [1, 2, 3, 4, 6, 9, 13, 16, 17])
    def test_every_room_writes_the_chosen_number_of_digits(self, digits: int) -> None:
        loss = network()
        loss.backward()
        drawings = [draw(loss, digits=digits), draw(loss, view="neurons", digits=digits)]
        drawings += [draw(loss, step=k, digits=digits) for k in (0, 12, -1)]
        written = {
            "walk": str(walk(loss, digits=digits)),
            "boxes": "\n".join(line.text for drawing in drawings for node in drawing.nodes for line in node.lines),
            "hints": "\n".join(part.hint for drawing in drawings for part in drawing.nodes + drawing.edges),
            "labels": "\n".join(edge.label for drawing in drawings for edge in drawing.edges),
            "notes": "\n".join(note for drawing in drawings for note in drawing.notes),
            "explanations": "\n".join(str(explain(x, of=loss, digits=digits)) for x in walk(loss).names),
            "LaTeX": "\n".join(explain(x, of=loss, digits=digits).latex for x in walk(loss).names),
        }
        for room, text in written.items():
            counts = [significant(number) for number in numbers_in(text)]
            assert all(count <= digits for count in counts), room
            assert digits == 1 or room == "notes" or max(counts) == digits, room
        right = f"{walk(loss).gradients[loss.inputs[0]]:.{digits}g}"
        assert f"∂loss/∂v1 = {right}" in written["walk"] and f"∂v1 = {right}" in written["boxes"]

    def test_the_default_is_five_digits_or_three_with_a_neuron(self) -> None:
        x = Value(1 / 3, label="x")
        assert draw(x * 2).nodes[0].lines[0].text == "x = 0.33333"
        assert draw(dot([x], [2.0])).nodes[0].lines[0].text == "x = 0.333"
        assert str(walk(dot([x], [2.0]))[0]) == "forward 1/1: loss = x·2 = 0.333·2 = 0.667"
        assert explain(x, of=dot([x], [x])).ledger == "x.grad = 1·0.333 + 1·0.333 = 0.667"

    @pytest.mark.parametrize(("digits", "error"), [(0, ValueError), (18, ValueError), (-1, ValueError), (True, TypeError),
                                                   ("3", TypeError), (2.5, TypeError)])  # fmt: skip
    @pytest.mark.parametrize("room", [draw, play, walk, lambda y, digits: explain(y, of=y, digits=digits),
                                      lambda y, digits: draw(y, step=0, digits=digits),
                                      lambda y, digits: draw(y, view="neurons", digits=digits)])  # fmt: skip
    def test_other_numbers_of_digits_are_refused(self, digits: Any, error: type[Exception], room: Callable[..., Any]) -> None:
        x = Value(1.0, label="x")
        with pytest.raises(error, match=r"^digits is .*significant digits"):
            room(dot([x], [x]), digits=digits)


class TestMistakes:
    @given(programs(longest=6))
    def test_the_digits_of_a_mistake_are_those_of_the_walk(self, program: Program) -> None:
        loss = program([Value(x, label=f"x{i}") for i, x in enumerate(program.leaves)])
        for mistake in ("recursion", "overwrite", "unsorted"):
            for digits in (1, 6):
                text = walk(loss, mistake, digits=digits).difference
                assert all(significant(number) <= digits for number in numbers_in(text))

    @pytest.mark.parametrize("mistake", ["recursion", "overwrite", "unsorted"])
    def test_where_nothing_differs_each_node_is_judged_once(self, mistake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        n, judged, looked = 400, Counter[Value](), Counter[Value]()
        y = Value(0.5, label="x")
        for _ in range(n):
            y = tanh(y)
        wrong, partials = Walk._wrong, Value.partials

        def judge(self: Walk, move: Any, *others: Any) -> str:
            judged[move.node] += 1
            return wrong(self, move, *others)

        def look(self: Value) -> Any:
            looked[self] += 1
            return partials.__get__(self)

        monkeypatch.setattr(Walk, "_wrong", judge)
        monkeypatch.setattr(Value, "partials", property(look))
        steps = walk(y, mistake=mistake)
        assert steps.difference == "" and len(steps) == 2 * n
        assert len(judged) == n and judged.total() <= n + 2
        assert looked.total() <= 6 * n


def test_a_claim_names_at_most_three_factors_the_likeliest_first() -> None:
    w = Value(0.5, label="w")
    y = w
    for i in range(7):
        y = y * (2.0 + i)
    gradient = walk(y).gradients[w]
    for i in range(7):
        [named] = re.findall(r"is off by that much: (.*)$", str(check_derivation(y, {w: gradient / (2.0 + i)})))
        parts = named.split(", ")
        assert len(parts) == 4 and parts[-1] == "and 4 more"
        assert parts[0].endswith(f" = {2 + i}"), "the factor that was left out comes first"


def test_labels_are_names_and_not_numbers() -> None:
    w, hidden, numbered = Value(2.0), Value(3.0), Value(4.0)
    namespace: dict[Any, Any] = {"w": w, "_hidden": hidden, 3: "not a node"}
    label_values(namespace)
    assert (w.label, hidden.label) == ("w", None)
    with pytest.raises(TypeError, match=r"^label_values takes names as keys, such as \{'w': w\}; got 3$"):
        label_values(namespace | {"late": hidden, 3: numbered})
    assert (hidden.label, numbered.label) == (None, None)
