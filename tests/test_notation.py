"""Every room writes the same formula and the same numbers for a node and an edge, and each mark has one meaning."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings

from autograd import Value, compile, dot, draw, explain, play, relu, sqrt, tanh, walk, where
from autograd.__main__ import main
from autograd.drawing import Drawing
from autograd.exercises import exercise
from autograd.primitives import multiply, negative, total
from autograd.strategies import Network, Program, networks, programs
from nn import MLP
from nn.losses import cross_entropy, l2

WIDEST = 30  # characters of a formula that a box has to show in full


@dataclass
class Facts:
    """What a room says: formulas and values of nodes; partial derivatives and flows of edges; rules."""

    nodes: dict[str, tuple[str, str]]
    edges: Counter[tuple[str, str, str, str]]
    rules: set[tuple[str, str, str]]

    def node(self, name: str, formula: str, value: str) -> None:
        """Add a node; one that is there already has to be the same."""
        assert self.nodes.setdefault(name, (formula, value)) == (formula, value)

    def edge(self, consumer: str, operand: str, partial: str, flow: str) -> None:
        """Add an edge; `flow` is ``upstream × partial = contribution``, or empty."""
        self.edges[consumer, operand, partial, re.sub(r"[()]", "", flow).replace("·", " × ")] += 1


def no_facts() -> Facts:
    return Facts({}, Counter(), set())


def read_text(text: str) -> Facts:
    """Read a printed walk."""
    facts, consumer, local = no_facts(), "", ("", "", "")
    for line in text.splitlines():
        if match := re.match(r"forward \d+/\d+: (.*)", line):
            name, formula, *_, value = match[1].split(" = ")
            facts.node(name, formula, value)
        elif match := re.match(r"backward \d+/\d+: (\S+) = (.*), (?:δ = )?∂", line):
            consumer = match[1]
            assert facts.nodes[consumer][0] == match[2]
        elif match := re.match(r"    ∂(\S+)/∂(\S+) = ", line):
            assert match[1] == consumer
            formulas, _, reason = line.partition(", since ")
            local = match[1], match[2], formulas.rpartition(" = ")[2]
            facts.rules.add((match[1], match[2], ", since ".join(filter(None, [formulas.split(" = ")[1], reason]))))
        elif match := re.match(r"        add (.*) to (\S+)\.grad: ", line):
            assert match[2] == local[1]
            facts.edge(*local, match[1])
        elif line.startswith("        nothing flows to"):
            facts.edge(*local, "")
    return facts


def read_command_line(loss: Value) -> Facts:
    """Read what ``--steps`` prints for a graph."""

    class Recorded:
        names, text = (), "f"

        def evaluate(self, variables: object) -> Value:
            return loss

    with patch("autograd.__main__.parse", lambda text: Recorded()), redirect_stdout(StringIO()) as printed:
        assert main(["f", "--steps"]) == 0
    return read_text(printed.getvalue())


def read_trace(trace: Any, digits: int) -> Facts:
    """Read the walk as JSON."""
    facts, nodes = no_facts(), trace["nodes"]
    names = [node["short"] for node in nodes]

    def number(x: float | str) -> str:
        text = {"Infinity": "∞", "-Infinity": "-∞"}.get(str(x), str(x))
        return text if isinstance(x, str) else f"{x + 0.0:.{digits}g}"

    for node in nodes:
        if node["operation"] is None:
            facts.node(node["short"], "", number(node["data"]))
    for step in trace["steps"]:
        facts.node(names[step["node"]], step["formula"], number(nodes[step["node"]]["data"]))
        for edge in step.get("edges", []):
            partial, flow = number(edge["partial"]), ""
            rule = edge["rule"] + f", since {edge['reason']}" * bool(edge["reason"])
            facts.rules.add((names[step["node"]], names[edge["input"]], rule))
            if edge["taken"]:
                flow = f"{number(step['delta'])} × {partial} = {number(edge['contribution'])}"
            facts.edge(names[step["node"]], names[edge["input"]], partial, flow)
    return facts


def read_hints(drawing: Drawing, short: Callable[[str], str]) -> Facts:
    """Read the tooltips of a picture, which have full names."""
    facts = no_facts()
    for node in drawing.nodes:
        name, *formula, value = short(node.hint).split(" = ")
        facts.node(name, "".join(formula), value)
    for edge in drawing.edges:
        match = re.fullmatch(r"∂(\S+)/∂(\S+) = ([^;]+)(?:; (.*) flows back to (\S+)|; nothing flows.*)", short(edge.hint))
        assert match is not None and match[5] in (match[2], None) and edge.label == match[3]
        facts.edge(match[1], match[2], match[3], match[4] or "")
    return facts


def lines_of(node: Any) -> tuple[str, str, str]:
    """Return a box's name, the text of its formula, and its value."""
    name, _, value = node.lines[0].text.rpartition(" = ")
    return name, "".join(line.text for line in node.lines if line.role == "operation"), value


def read_mermaid(text: str) -> Iterator[tuple[str, str, str]]:
    """Read a Mermaid flowchart: the name, formula and value of each box."""
    text = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)
    for match in re.finditer(r'^  n\d+[(\[{]+"<b>(.*) = (.*?)</b>(.*)"[)\]}]+:::', text, re.MULTILINE):
        others = [line for line in match[3].split("<br/>") if line and not line.startswith(("∂", "δ", "↓"))]
        yield match[1], "".join(others), match[2]


def read_moments(loss: Value, names: dict[str, str]) -> Facts:
    """Read the picture of every step: the active box and what its arrows carry, which later pictures keep."""
    facts, passed = no_facts(), Counter[str]()
    for k, step in enumerate(walk(loss)):
        drawing = draw(loss, step=k)
        boxes = {node.id: lines_of(node) for node in drawing.nodes}
        [active] = [node for node in drawing.nodes if node.emphasis == "active"]
        assert drawing.notes[0][:40] == f"step {k}, {step}"[:40]
        facts.node(*boxes[active.id])
        if step.phase == "forward":
            continue
        before = [edge.label for edge in drawing.edges if edge.emphasis == "normal" and edge.label]
        assert Counter(before) == passed
        for edge in drawing.edges:
            if edge.emphasis == "active":
                assert edge.target == active.id
                flow = "" if edge.label == "not taken" else edge.label
                passed[edge.label if not flow else "← " + flow.rpartition(" = ")[2]] += 1
                local = edge.hint.partition(";")[0].rpartition(" = ")[2]
                facts.edge(boxes[edge.target][0], boxes[edge.source][0], local, flow)
    return facts


def read_explanations(loss: Value) -> Facts:
    """Read the ledger in the explanation of every leaf."""
    facts = no_facts()
    for leaf in walk(loss).names:
        if leaf.primitive is None:
            line = r"^    (.*) from (\S+) = (.*): (?:δ = )?∂\S+ = (\S+) times ∂(\S+|\(.*\))/∂(\S+)(?: \(operand \d+\))? = (.*)$"
            for flow, name, formula, upstream, consumer, operand, rule in re.findall(line, str(explain(leaf, of=loss)), re.M):
                partial = rule.rpartition(" = ")[2]
                assert consumer in (name, f"({formula})") and flow in ("0", f"{inside(upstream)}·{inside(partial)}")
                facts.nodes.setdefault(name, (formula, ""))
                facts.edge(name, operand, partial, "" if flow == "0" else flow)
    return facts


def inside(number: str) -> str:
    return f"({number})" if number.startswith("-") else number


def check_rooms(make: Callable[[], Value]) -> None:
    """Check that a graph, made anew for each reading, reads the same in every room."""
    loss = make()
    loss.backward()
    trace = json.loads(walk(loss).to_json())
    right = read_trace(trace, walk(loss).notation.digits)
    operations = {name: facts for name, facts in right.nodes.items() if facts[0]}
    full = {node["name"]: node["short"] for node in trace["nodes"]}
    pattern = "|".join(re.escape(name) for name in sorted(full, key=len, reverse=True))
    text = read_text(str(walk(loss)))
    assert (text.nodes, text.edges, text.rules) == (operations, right.edges, right.rules)
    printed = read_command_line(make())
    assert (printed.nodes, printed.edges, printed.rules) == (operations, right.edges, right.rules)
    drawing = draw(loss)
    hints = read_hints(drawing, lambda text: re.sub(pattern, lambda match: full[match[0]], text))
    assert (hints.nodes, hints.edges) == (right.nodes, right.edges)
    moments = read_moments(loss, full)
    assert moments.edges == right.edges
    boxes = {name: (formula, value) for name, formula, value in map(lines_of, drawing.nodes)}
    mermaid = {name: (formula, value) for name, formula, value in read_mermaid(drawing.mermaid)}
    assert boxes == mermaid == boxes | moments.nodes
    assert {name: value for name, (_, value) in boxes.items()} == {name: value for name, (_, value) in right.nodes.items()}
    fits = {name: formula for name, (formula, _) in right.nodes.items() if len(formula) <= WIDEST}
    assert {name: boxes[name][0] for name in fits} == fits
    page = html.unescape(play(loss).html)  # test_live_texts.py compares what the page itself computes
    for step in walk(loss)[: len(operations)]:
        assert f"{str(step).partition(': ')[2]},  {step.mark} = " in page
    explained = read_explanations(loss)
    assert {name: formula for name, (formula, _) in explained.nodes.items()}.items() <= {
        name: formula for name, (formula, _) in operations.items()
    }.items()
    assert explained.edges <= Counter((a, b, p, flow.partition(" = ")[0]) for a, b, p, flow in right.edges.elements())
    leaves = right.nodes.keys() - operations.keys()
    uses = Counter(operand for _, operand, _, _ in right.edges.elements())
    if all(uses[leaf] <= 8 for leaf in leaves):  # of more uses, the explanation lists only eight
        assert explained.edges.total() == sum(uses[leaf] for leaf in leaves)


def run(program: Program) -> Value:
    loss: Value = program([Value(x, label=f"x{i}") for i, x in enumerate(program.leaves)])
    loss.label = "f"
    return loss


class TestEveryRoom:
    @settings(max_examples=12)
    @given(program=programs(longest=12))
    def test_random_graphs(self, program: Program) -> None:
        check_rooms(lambda: run(program))

    @settings(max_examples=3)
    @given(network=networks())
    def test_random_networks(self, network: Network) -> None:
        def make() -> Value:
            loss: Value = network([Value(x, label=f"p{i}") for i, x in enumerate(network.parameters)])
            loss.label = "f"
            return loss

        check_rooms(make)

    @pytest.mark.parametrize(("sizes", "activation"), [([1], "relu"), ([2, 1], "tanh"), ([3, 1], "relu"), ([2, 2, 1], "tanh")])
    def test_networks_with_short_names(self, sizes: list[int], activation: str) -> None:
        def make() -> Value:
            loss: Value = (MLP(2, sizes, activation, seed=1)([Value(0.5, label="x0"), Value(-1.0, label="x1")]) - 1) ** 2 / 2
            loss.label = "f"
            return loss

        check_rooms(make)

    def test_branches_that_are_not_taken(self) -> None:
        def make() -> Value:
            x = Value(0.0, label="x")
            loss: Value = where(x > 0, sqrt(x), x * 3) + relu(x - 1)
            loss.label = "f"
            return loss

        check_rooms(make)
        loss = make()
        loss.backward()
        assert not re.search("NaN", draw(loss).dot + str(draw(loss).edges)), "0 times an infinite slope is not computed"


def every_text(loss: Value) -> dict[str, str]:
    """Return every text about a graph, by the room that writes it."""
    loss.backward()
    steps, drawing = walk(loss), draw(loss)
    moments = [draw(loss, step=k) for k in range(len(steps))]
    written = {
        "walk": str(steps), "trace": steps.to_json(), "hints": "\n".join(part.hint for part in drawing.nodes + drawing.edges),
        "notes": "\n".join(drawing.notes), "player": re.sub("<(script|style).*?</\\1>", "", play(loss).html, flags=re.DOTALL),
        "explanations": "\n".join(str(explain(x, of=loss)) for x in steps.names),
        "LaTeX": "\n".join(explain(x, of=loss).latex for x in steps.names),
        "mistakes": "\n".join(str(walk(loss, mistake=name)) for name in ("recursion", "overwrite", "unsorted")),
    }  # fmt: skip
    for name, plans in {"picture": [drawing], "moments": moments}.items():
        written[f"{name} in DOT"] = "\n".join(plan.dot for plan in plans)
        written[f"{name} in Mermaid"] = "\n".join(plan.mermaid for plan in plans)
    written["SVG"] = drawing.svg.replace("\xa0", " ")
    return written


class TestSquares:
    def test_a_square_is_a_square_in_every_room(self, capsys: pytest.CaptureFixture[str]) -> None:
        def make() -> Value:
            q = Value(3.0, label="q")
            return q * q + q

        written = every_text(make())
        assert main(["q*q + q", "q=3", "--steps", "--explain", "--mistake", "overwrite"]) == 0
        written["command line"] = capsys.readouterr().out
        assert main(["(q*q)*q", "q=3", "--latex"]) == 0
        written["LaTeX"] += capsys.readouterr().out
        written["compiled"] = str(compile(lambda q: q * q + q, [], example=[3.0]))
        derived = Value(3.0, label="q")
        written["derivation"] = str(explain(derived, of=(derived * derived).tanh() * 2))
        for room, text in written.items():
            if room not in ("notes", "LaTeX"):
                assert "q²" in text or r"q\u00b2" in text or "q#178;" in text, room
            assert not re.search(r"\bq ?(?:·|×|\\cdot|#183;|\\u00b7) ?q\b", text), room
        assert r"3 \cdot q^{2}" not in written["LaTeX"] and r"2 \cdot q^{2} + v_{1}" in written["LaTeX"]

    def test_only_a_node_times_itself_is_a_square(self) -> None:
        a, twin = Value(3.0, label="a"), Value(3.0, label="a")
        assert walk(a * twin)[0].formula == "a·a′"
        assert walk((a + 1) * (a + 1))[2].formula == "v1·v2"


class TestMarks:
    @settings(max_examples=8)
    @given(program=programs(longest=8))
    def test_no_delta_without_a_neuron(self, program: Program) -> None:
        loss = run(program)
        if not any(node.primitive is dot for node in walk(loss).order):
            for room, text in every_text(loss).items():
                assert "δ" not in text and "&#948;" not in text and r"\u03b4" not in text and "#948;" not in text, room

    def test_delta_marks_the_net_input_of_neurons_only(self) -> None:
        loss = (MLP(2, [3, 1], "tanh", "tanh", seed=1)([0.5, -1.0]) - 1) ** 2
        loss.backward()
        for step in list(walk(loss))[len(walk(loss)) // 2 :]:
            assert ("δ" in str(step)) == (step.node.primitive is dot)
            assert (f", δ = ∂loss/∂{step.name} = " in str(step)) == (step.node.primitive is dot)
        for k in range(len(walk(loss))):
            for node in draw(loss, step=k).nodes:
                is_net = "z⁽" in node.lines[0].text
                assert all(("δ" in line.text) == is_net for line in node.lines if line.role == "gradient")
        for node in draw(loss, view="neurons").nodes:
            gradients = [line.text for line in node.lines if line.role == "gradient"]
            assert all(text.startswith("δ = ") == (node.kind == "neuron") for text in gradients)

    def test_a_local_derivative_and_a_contribution_never_look_alike(self) -> None:
        w, x = Value(-3.0, label="w"), Value(2.0, label="x")
        loss = tanh(w * x) * 5
        loss.backward()
        number = r"-?[\d.]+(?:e[-+]\d+)?"
        assert all(re.fullmatch(number, edge.label) for edge in draw(loss).edges)
        for k, step in enumerate(walk(loss)):
            for edge in draw(loss, step=k).edges:
                flowing = rf"{number} × (?:{number}|\(-{number[2:]}\)) = {number}"
                kind = {"active": flowing, "normal": rf"← {number}", "faint": ""}
                assert re.fullmatch(kind[edge.emphasis] if step.phase == "backward" else "", edge.label)
        assert [edge.label for edge in draw((w * 2) * -1, step=2).edges] == ["", "1 × (-1) = -1"]


class TestNumbers:
    @settings(max_examples=8)
    @given(program=programs(longest=8))
    @example(program=Program((0.0,), ((total, (0, 0.01, -0.01, 0, 0.01)), (negative, (0,)), (multiply, (2, -1.0)))))
    @example(program=Program((-0.01,), ((total, (0, 0, 0, 0.01, -0.01)),)))
    def test_zeros_have_no_sign_and_no_number_has_two(self, program: Program) -> None:
        for room, text in every_text(run(program)).items():
            text = re.sub(r"<(?:path|polygon)[^>]*>", "", text)  # coordinates from Graphviz may be -0
            assert not re.search(r"(?<![\w.])-0(?![.\d…])|--[\d.∞]", text), room  # a long note may be cut within a number

    def test_zeros_and_signs(self) -> None:
        x = Value(-0.0, label="x")
        loss = -(x * 3) - (-x)
        text = "".join(every_text(loss)[room] for room in ("walk", "hints", "explanations", "picture in Mermaid"))
        assert not re.search(r"-0(?![.\d])", text) and "v1 = x·3 = 0·3 = 0\nforward 2/4: v2 = -v1 = -(0) = 0" in text
        assert str(walk(Value(-2.0, label="w") * -3)[0]) == "forward 1/1: loss = w·(-3) = -2·(-3) = 6"


def test_the_formula_of_a_leaf_is_its_name_and_it_has_no_rules() -> None:
    x = Value(2.0, label="x")
    notation = walk(x * 3).notation
    assert (notation.formula(x).text, notation.rules(x)) == ("x", [])


def test_only_the_net_input_of_a_neuron_has_a_delta() -> None:
    model = MLP(2, [2, 2], activation="tanh", seed=1)
    loss = cross_entropy(model([0.5, -1.0]), 1) + l2(model.parameters(), 0.1)  # both contain a dot, of logits and of weights
    nets = {f"z{layer}{neuron}" for layer in ("⁽¹⁾", "⁽²⁾") for neuron in "₀₁"}
    notation = walk(loss).notation
    assert {name for node, name in notation.names.items() if notation.mark(node) == "δ"} == nets
    assert {question.name for question in exercise(loss, ask="deltas").questions} == {f"∂loss/∂{net}" for net in nets}
