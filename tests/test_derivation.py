"""Explanations: the ledger adds up, the text of a derivation evaluates to the gradient, and claims are judged."""

import math
import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, check_derivation, explain, label_values, minimum, relu, sigmoid, sqrt, tanh, total, walk, where
from autograd.derivation import Derivation, _wrapped
from autograd.strategies import Program, programs
from autograd.writing import latex_name
from nn import MLP

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def evaluate(text: str, values: dict[str, float]) -> float:
    """Evaluate the text of a formula as a reader would, with a number for each name."""
    names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    last = r"(?![^\W⁰¹²³⁴⁵⁶⁷⁸⁹]|[.⁽′])"  # a name may be followed by a power, as in v1²
    text = re.sub(rf"(?<![\w.])({names}){last}", lambda m: f"({values[m[1]]!r})", text) if names else text
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "**" + m[0].translate(SUPERSCRIPTS), text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    for sign, python in {"·": "*", "^": "**", "[": "(", "]": ")", "√": "root", "≤": "<=", "≥": ">=", "σ": "sigmoid"}.items():
        text = text.replace(sign, python)
    known = {"exp": math.exp, "tanh": tanh, "sigmoid": sigmoid, "relu": relu, "log": math.log, "inf": math.inf, "nan": math.nan}
    return float(eval(text, {"__builtins__": {"abs": abs}}, known))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["tanh", "sigmoid", "relu", "linear"]), st.booleans())
def test_the_text_of_every_weight_of_a_network_evaluates_to_its_gradient(seed: int, activation: str, shared: bool) -> None:
    rng = Random(seed)
    model = MLP(2, [2, 1], activation, "sigmoid", seed=seed)
    for parameter in model.parameters():
        parameter.data = round(rng.uniform(-1.5, 1.5), 2)
    x0, x1, t = (Value(round(rng.uniform(-2, 2), 2), label=label) for label in ("x0", "x1", "t"))
    out = model([x0, x0 if shared else x1])
    loss = (t - out) ** 2 / 2
    loss.label = "E"
    steps = walk(loss)
    values = {name: node.data for node, name in steps.names.items()}
    for name, parameter in model.named_parameters():
        explanation = explain(parameter, of=loss, digits=5)
        right = steps.gradients[parameter]
        formula, numbers = explanation.formula.text, explanation.ledger.split(" = ")[1]
        assert f"= {formula}" in explanation.text
        assert evaluate(formula, values) == pytest.approx(right, rel=1e-9, abs=1e-12), name
        assert evaluate(numbers, {}) == pytest.approx(right, rel=1e-3, abs=1e-9)


@given(programs(longest=8))
def test_the_ledger_adds_up_and_written_derivations_evaluate(program: Program) -> None:
    leaves = [Value(x, label=f"x{i}") for i, x in enumerate(program.leaves)]
    y = program(leaves)
    steps = walk(y)
    for leaf in leaves:
        if leaf in steps.gradients:
            explanation = explain(leaf, of=y)
            total = 0.0
            for step, edge in explanation.shares:
                assert edge.contribution == edge.upstream * edge.partial and edge.upstream == step.delta
                total += edge.contribution
            assert total == explanation.gradient == steps.gradients[leaf]
            assert explanation.latex.count("{") == explanation.latex.count("}") and explanation.ledger in str(explanation)
            if explanation.paths:
                assert len(explanation.paths) <= explanation.n_paths
                size = max(1.0, *(abs(math.prod(path.numbers)) for path in explanation.paths))
                written = sum(math.prod(path.numbers) for path in explanation.paths)
                assert written == pytest.approx(explanation.gradient, rel=1e-9, abs=1e-9 * size)
                if explanation.formula.value is not None:
                    found = explanation.formula.value
                    assert found == pytest.approx(explanation.gradient, rel=1e-3, abs=1e-3 * size)


def one_one_one() -> dict[str, Value]:
    i, w_h, w_o, t = (Value(x, label=label) for x, label in ((1.5, "i"), (0.4, "w_h"), (-0.6, "w_o"), (1.0, "t")))
    net_h = w_h * i
    r_h = sigmoid(net_h)
    net_o = w_o * r_h
    r_o = sigmoid(net_o)
    error = (t - r_o) ** 2 / 2
    nodes = {"i": i, "w_h": w_h, "w_o": w_o, "t": t, "net_h": net_h, "r_h": r_h, "net_o": net_o, "r_o": r_o, "E": error}
    label_values(nodes)
    return nodes


def test_the_network_of_the_notes_has_the_factors_of_the_notes() -> None:
    n = one_one_one()
    assert explain(n["w_o"], of=n["E"]).text.splitlines()[2:] == [
        "∂E/∂w_o = ∂E/∂r_o · ∂r_o/∂net_o · ∂net_o/∂w_o",
        "        = -(t - r_o)·r_o·(1 - r_o)·r_h",
        "        = (-0.59566)·0.24085·0.64566",
        "        = -0.092628",
        "where r_o = σ(net_o)",
        "      net_o = w_o·r_h",
        "      r_h = σ(net_h)",
    ]
    hidden = explain(n["w_h"], of=n["E"])
    assert hidden.formula.text == "-(t - r_o)·r_o·(1 - r_o)·w_o·r_h·(1 - r_h)·i"
    assert hidden.formula.value == pytest.approx(hidden.gradient, rel=1e-12)
    assert hidden.latex.splitlines()[2] == (
        r" &= -\left(t - r_{o}\right) \cdot r_{o} \cdot \left(1 - r_{o}\right) \cdot w_{o} \cdot r_{h} "
        r"\cdot \left(1 - r_{h}\right) \cdot i \\"
    )
    assert hidden._repr_latex_() == f"$\\displaystyle {hidden.latex}$"


def test_a_rounded_claim_is_distinguished_from_a_forgotten_path_and_a_lost_sign() -> None:
    a = Value(3.0, "a")
    loss = a / 3 * a + tanh(a)  # 2.00986…
    for claim, name, words in (
        (1.00987, "path-forgotten", "the one through v2 = v1·a, which adds 1·1 = 1"),
        (2.0, "path-forgotten", "tanh(a), which adds"),
        (-2.0099, "sign", "the claim is minus the right value"),
        (0.0099, "path-forgotten", "which adds 1·1 = 1, and the one"),
    ):
        [mark] = check_derivation(loss, {a: claim}).marks
        assert mark.names == (name,) and words in mark.sentence
    [mark] = check_derivation(loss, {a: 2.01}).marks
    assert mark.names == () and "rounded" in mark.sentence
    [mark] = check_derivation(a * tanh(a), {a: 0.7}).marks
    assert "∂(a·v1)/∂a = v1" in mark.sentence


def test_one_path_of_several_is_not_written_as_the_whole_derivative() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    y = a * b + a
    y.label = "y"
    text = explain(a, of=y).text
    assert "∂y/∂a = ∂y/∂v1 · ∂v1/∂a + ∂(v1 + a)/∂a\n" in text and text.endswith("where v1 = a·b")
    assert r"+ \frac{\partial \left(v_{1} + a\right)}{\partial a} \\" in explain(a, of=y).latex
    assert explain(y.inputs[0], of=y).text.splitlines()[-1] == "∂y/∂v1 = 1"
    inner = a * b + a
    text = explain(a, of=inner * inner).text
    assert "= ∂loss/∂v2 · ∂v2/∂v1 · ∂v1/∂a + ∂loss/∂v2 · ∂(v1 + a)/∂a\n" in text and "∂loss/∂v2 = -8 times ∂(v1 + a)/∂a" in text


def test_the_ledger_of_a_shared_node() -> None:
    w = Value(3.0, label="w")
    h = w * w
    h.label = "h"
    explanation = explain(w, of=h * 4 + w)
    assert explanation.ledger == "w.grad = 1·1 + 4·3 + 4·3 = 25"
    assert explanation.n_paths == 3 and len(explanation.shares) == 3
    assert explanation.text.splitlines()[1:] == [
        "    1·1 from loss = v1 + w: ∂loss/∂loss = 1 times ∂(v1 + w)/∂w = 1",
        "    4·3 from h = w²: ∂loss/∂h = 4 times ∂h/∂w (operand 0) = w = 3",
        "    4·3 from h = w²: ∂loss/∂h = 4 times ∂h/∂w (operand 1) = w = 3",
        "∂loss/∂w = ∂loss/∂h · ∂h/∂w + ∂(h·4 + w)/∂w",
        "         = 8·w + 1",
        "         = 4·6 + 1",
        "         = 25",
        "where h = w²",
    ]


def test_parts_that_occur_twice_get_a_name() -> None:
    x, a = Value(0.3, label="x"), Value(0.7, label="a")
    h = a * x
    h.label = "h"
    inner = (h + 1) * a
    loss = tanh(inner) * h
    formula = explain(x, of=loss)
    names = [name for name, _ in formula.where]
    assert "h" in names and any(name.startswith("v") for name in names)
    assert formula.formula.value == pytest.approx(formula.gradient, rel=1e-12)


def test_a_short_part_is_written_in_place_and_a_long_one_has_a_name() -> None:
    x = Value(3.0, "x")
    for n, definitions in ((20, ["v2 = (bbbbbbbbbbbbbbbbbbbb + 1)·x"]), (21, ["v2 = v1·x", "v1 = bbbbbbbbbbbbbbbbbbbbb + 1"])):
        found = explain(x, of=(Value(2.0, "b" * n) + 1) * x * x).where
        assert [f"{name} = {formula.text}" for name, formula in found] == definitions


def test_a_labelled_part_is_defined_and_the_labelled_parts_in_it_are_not() -> None:
    x, g = Value(3.0, "x"), Value(2.0, "g")
    square = g * g
    square.label = "s"
    h = square + 2
    h.label = "h"
    found = explain(x, of=tanh(x * h) * h)
    assert found.formula.text == "h·(1 - v2²)·h"
    assert [f"{name} = {formula.text}" for name, formula in found.where] == ["v2 = tanh(v1)", "v1 = x·h", "h = s + 2"]


def test_many_paths_are_counted() -> None:
    x = Value(1.01, label="x")
    y = x
    for _ in range(6):
        y = y * y + x
    assert explain(x, of=3 * (2 * x)).text.endswith(" · ∂v1/∂x\n         = 3·2\n         = 6")  # not 6, then 3·2
    explanation = explain(x, of=y)
    assert explanation.n_paths == 127 and not explanation.paths
    assert explanation.text.endswith("∂loss/∂x is a sum over 127 paths, too many to write out")
    assert explanation.latex.startswith("\\begin{aligned}\n\\frac{\\partial \\mathrm{loss}}{\\partial x} &= 1 \\cdot 1 + ")
    for _ in range(2000):
        y = (y + y) / 2.0
    assert explain(x, of=y).n_paths == 127 * 2**2000
    assert str(explain(x, of=y)).endswith("is a sum over about 10^604 paths, too many to write out")


def test_paths_are_counted_exactly_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Value(1.0, label="x")
    y = x
    for _ in range(60):
        y = total([y, y, y]) / 3
    explanation = explain(x, of=y)
    assert explanation.n_paths == 3**60
    assert explanation.text.endswith("is a sum over 42,391,158,275,216,203,514,294,433,201 paths, too many to write out")
    asked = Counter[Value]()
    inputs = Value.inputs
    for _ in range(20_000):
        y = y + y
    steps = walk(y)
    derivation = Derivation(x, steps)
    assert derivation.n_paths == 3**60 * 2**20_000

    def counted(self: Value) -> tuple[Value, ...]:
        asked[self] += 1
        operands: tuple[Value, ...] = inputs.__get__(self)
        return operands

    monkeypatch.setattr(Value, "inputs", property(counted))
    assert Derivation(x, steps).n_paths == 3**60 * 2**20_000
    assert set(asked.values()) == {3}, "each node is looked at three times, however many paths go through it"


def test_a_sum_over_paths_keeps_parts_apart_that_are_shortened_to_one_text() -> None:
    xs = [Value(float(i), label=f"x{i}") for i in range(7)]
    w, other = Value(2.0, label="w"), Value(50.0, label="other")
    u = w * 3
    u.label = "u"
    explanation = explain(w, of=total(xs) * u + total([*xs[:3], other, *xs[4:]]) * u)
    assert "3·(x0 + x1 + … + x5 + x6 + (x0 + x1 + … + x5 + x6))" in explanation.text
    assert explanation.formula.value == explanation.gradient == 3 * (21 + 68)


def test_explanations_of_the_result_itself_and_over_thousands_of_nodes() -> None:
    w = Value(2.0, label="w")
    y = w * 3
    assert str(explain(y, of=y)) == "loss.grad = 1\n∂loss/∂loss = 1"
    assert str(explain(w, of=w)).splitlines()[0] == "w.grad = 1"
    long = w
    for _ in range(3_000):
        long = long + 1
    assert "w.grad = 1·1 = 1" in str(explain(w, of=long))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("explain(Value(1.0, label='z'), of=loss)", ValueError, r"z = 1.0 does not take part in v \* 2.0 = 2.0$"),
        ("explain(loss, v)", ValueError, "does not take part in v = 1.0; the result comes second"),
        ("explain(2.0, of=loss)", TypeError, "2.0 is a constant, which has no gradient"),
        ("explain(v, of=2.0)", TypeError, "2.0 is a constant"),
        ("check_derivation(3, {})", TypeError, "check_derivation needs the Value whose gradients are claimed, not 3"),
        ("check_derivation(loss, {v: 'two'})", TypeError, "claim for v = 1.0: 'two' is a str.*autograd.exercises, as in"),
        ("check_derivation(loss, {v: None})", TypeError, "pass a real number"),
        ("check_derivation(loss, {v: [2.0]})", TypeError, "pass a real number"),
        ("check_derivation(loss, {v: object()})", TypeError, "is an object; pass a real number"),
        ("check_derivation(loss, {2.0: 1.0})", TypeError, "not about a float: 2.0"),
        ("check_derivation(loss, {Value(3.0): 1.0})", ValueError, "does not take part"),
        ("explain(v, of=stale)", ValueError, "a leaf was changed"),
    ],
)
def test_bad_input(call: str, error: type[Exception], message: str) -> None:
    v, u = Value(1.0, label="v"), Value(1.0)
    loss, stale = v * 2, v + u * 2
    u.data = 5.0
    with pytest.raises(error, match=message):
        eval(call, {**globals(), "v": v, "loss": loss, "stale": stale})


def test_right_claims() -> None:
    n = one_one_one()
    steps = walk(n["E"])
    assert check_derivation(n["E"], {node: steps.gradients[node] for node in n.values()})
    assert check_derivation(n["E"], {n["w_o"]: -0.0926}, tolerance=1e-3) and check_derivation(n["E"], {})
    assert check_derivation(n["E"], {n["w_o"]: steps.gradients[n["w_o"]] * (1 + 1e-9)})
    assert check_derivation(n["E"], {n["w_o"]: steps.gradients[n["w_o"]]}, tolerance=0)
    marking = check_derivation(n["E"], {n["r_o"]: steps.gradients[n["r_o"]]})
    assert repr(marking) == "∂E/∂r_o is -0.59566: right" and marking.points == 1.0 and marking.diagnoses == {}


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (
            {"w": 6.0},
            "∂loss/∂w is 16, not 6: 2 paths were forgotten, the one through v2 = 4·w, which adds 1·4 = 4, and the one",
        ),
        (
            {"w": 4.0},
            "∂loss/∂w is 16, not 4: 2 paths were forgotten, the one through h = w² (operand 0), which adds 2·3 = 6, and "
            "the one through h = w² (operand 1), which adds 2·3 = 6",
        ),
        ({"w": 12.0}, "∂loss/∂w is 16, not 12: a path was forgotten, the one through v2 = 4·w, which adds 1·4 = 4"),
        (
            {"w": -16.0},
            "∂loss/∂w is 16, not -16: the sign is wrong: the claim is minus the right value 16 = 4·w + 4; no path is missing, "
            "so one factor is off on some of the paths: ∂v2/∂w = 4 by -7, ∂v1/∂h = 2 by -1.6667, ∂h/∂w = w = 3 by -4.3333",
        ),
        (
            {"h": 3.0, "w": 0.0},
            "∂loss/∂h is 2, not 3: the claim is 1.5 times the right value 2; no path is missing, "
            "so one factor is off by that much: ∂v1/∂h = 2",
        ),
        ({"h": 2.0, "loss": 2.0}, "∂loss/∂loss is 1, not 2: the derivative of the result with respect to itself is 1"),
        ({"loss": 0.0}, "∂loss/∂loss is 1, not 0: the derivative of the result with respect to itself is 1"),
        ({"w": 16.0000001e0 + 1e-4}, "agree in the digits that are printed"),
    ],
)
def test_wrong_claims(claims: dict[str, float], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    w = Value(3.0, label="w")
    h = w * w
    h.label = "h"
    nodes = {"w": w, "h": h, "loss": h * 2 + 4 * w}
    marking = check_derivation(nodes["loss"], {nodes[name]: claim for name, claim in claims.items()})
    assert not marking and message in str(marking) and capsys.readouterr().out == ""


def test_paths_that_branch_further_up_are_named_unless_the_claims_above_are_right() -> None:
    p, q = Value(1.0, label="p"), Value(2.0, label="q")
    v = p * q
    loss = v * v + v
    named = "a path was forgotten, the one through loss = v2 + v1, which adds 1·1·2 = 2"
    assert str(check_derivation(loss, {p: 8.0})) == f"∂loss/∂p is 10, not 8: {named}"
    assert "2 paths were forgotten" in str(check_derivation(loss, {p: 2.0}))
    assert "no path is missing, so one factor is off by that much: ∂v1/∂p" in str(check_derivation(loss, {p: 8.0, v: 5.0}))
    marking = check_derivation(4 * p - 2 * p, {p: -2.0})
    assert "the sign is wrong, or a path was forgotten, the one through v1 = 4·p, which adds 1·4 = 4" in str(marking)
    assert marking.diagnoses == {p: ("sign", "path-forgotten")}


def test_each_claim_has_its_own_mark() -> None:
    w = Value(3.0, label="w")
    h = w * w
    h.label = "h"
    loss = h * 2 + 4 * w
    marking = check_derivation(loss, {w: -16.0, h: 2.0, loss: 2.0})
    assert marking.points == 1 / 3 and marking.diagnoses == {loss: (), w: ("sign",)}
    assert [sentence.partition(":")[0] for sentence in marking.sentences] == [
        "∂loss/∂loss is 1, not 2", "∂loss/∂h is 2", "∂loss/∂w is 16, not -16",
    ]  # fmt: skip
    assert str(marking).startswith("1 of 3 points\n∂loss/∂loss is 1") and repr(marking) == str(marking)
    assert check_derivation(loss, {w: 12.0}).diagnoses == {w: ("path-forgotten",)}


def squared_error(w: float = 0.2) -> dict[str, Value]:
    nodes = {"w": Value(w), "x": Value(2.0), "b": Value(-0.3)}
    nodes["out"] = tanh(nodes["w"] * nodes["x"] + nodes["b"])
    label_values(nodes)
    return nodes | {"loss": (nodes["out"] - 1) ** 2}


def judged(nodes: dict[str, Value], claims: dict[str, float]) -> str:
    """Check claims of which one is wrong, and return the judgement after its two numbers."""
    marking = check_derivation(nodes["loss"], {nodes[name]: claim for name, claim in claims.items()})
    [sentence] = [mark.sentence for mark in marking.marks if not mark.is_right]
    return sentence.partition(": ")[2]


def test_a_wrong_factor_is_reported_with_its_ratio_and_all_candidates() -> None:
    nodes = squared_error()
    out = math.tanh(0.2 * 2 - 0.3)
    right = 2 * (out - 1) * (1 - out**2) * 2
    value = "the right value -3.5656 = 2·(out - 1)·(1 - out²)·x; no path is missing, so one factor"
    upper, rule, x = "∂loss/∂v3 = 2·v3 = -1.8007", "∂out/∂v2 = 1 - out² = 0.99007", "∂v1/∂w = x = 2"
    links = f"{upper}, {rule}, {x}"
    half = f"the claim is 0.5 times {value} is off by that much:"  # as without the 2 of 2·v3, or without x = 2
    assert judged(nodes, {"w": right / 2}) == f"{half} {upper}, {x}, {rule}"
    without_rule = judged(nodes, {"w": right / (1 - out**2)})
    assert without_rule.endswith(f" times {value} is off by that much: {rule}, {upper}, {x}")
    wrong_rule = right / (1 + out)  # 1 - out for 1 - out²
    assert judged(nodes, {"w": wrong_rule}) == f"the claim is {1 / (1 + out):.5g} times {value} is off by that much: {links}"
    assert judged(nodes, {"w": -right}) == f"the sign is wrong: the claim is minus {value} has the wrong sign: {links}"
    above = right / 2 / (1 - out**2)  # the right gradient at out clears the factors above it
    assert judged(nodes, {"out": above, "w": right / 2}) == f"{half} {x}, {rule}"


def test_terms_with_a_minus_sign_are_subtracted_and_a_product_with_zero_is_zero() -> None:
    a, b, c = Value(2.0, "a"), Value(3.0, "b"), Value(4.0, "c")
    formulas = {
        explain(a, of=a * b - a * c): "b - c",
        explain(a, of=b / a - a): "-(v1 / a) - 1",
        explain(a, of=(a - b / a) * c): "c + c·(v1 / a)",
        explain(a, of=(a * 0) * b): "0",
        explain(a, of=(a * 0) * b + a * c): "0 + c",
    }
    for explanation, expected in formulas.items():
        assert explanation.formula.text == expected


def test_no_path_leads_through_a_condition() -> None:
    x = Value(2.0, "x")
    explanation = explain(x, of=where(x > 0, x * 3, 1.0))
    assert (explanation.n_paths, explanation.formula.text) == (1, "3")
    for loss in (x > 1, where(x > 0, Value(1.0), 2.0)):
        explanation = explain(x, of=loss)
        assert (explanation.n_paths, explanation.formula.text, explanation.gradient) == (0, "0", 0.0)


def test_zero_times_infinity_is_not_first_written_as_zero() -> None:
    x = Value(0.0, "x")
    for loss in (0 * sqrt(x), sqrt(x) * 0 + x * 3):
        found = explain(x, of=loss)
        assert math.isnan(found.gradient) and "0·∞" in found.text and found.text.endswith(" = NaN")
        assert "= 0\n" not in found.text and "= 0 + 3" not in found.text and "&= 0 \\\\" not in found.latex
    assert explain(x, of=minimum(1.0, 2 + 3 * x**0.5)).formula.text == "0", "but a path that is not taken contributes 0"


def test_claims_that_are_rounded_zero_or_not_finite() -> None:
    nodes = squared_error()
    right = explain(nodes["w"], of=nodes["loss"]).gradient
    rounded = "the claim is the right value, rounded; give more digits, or allow a larger tolerance"
    assert [judged(nodes, {"w": round(right, places)}) for places in (1, 2, 3)] == [rounded] * 3
    assert "1.1218 times" in judged(nodes, {"w": round(right)}), "one digit is too few to count as the right value"
    w = Value(1.0, label="w")
    assert judged({"w": w, "loss": w * 12.25}, {"w": 12.0}) == rounded, "two digits before the point are enough"
    for claim in (math.nan, math.inf, -math.inf):
        assert judged(nodes, {"w": claim}).startswith("the claim is not finite")
    assert judged(nodes, {"w": 0.0}).startswith("no path is missing, and no factor is 0 in the right value -3.5656 = 2·(out")
    flat = Value(1.0, label="w")
    dead = {"w": flat, "loss": relu(flat * -2) * 3}
    assert judged(dead, {"w": 3.0}) == "a factor is 0: ∂v2/∂v1 = [v1 > 0] = 0"
    assert judged({"w": flat, "loss": flat * 2 - flat * 2}, {"w": 3.0}) == "the paths cancel: 0 = 2 - 2"
    assert judged({"w": flat, "loss": flat * math.inf}, {"w": 3.0}).startswith("the right value is not finite; find_nonfinite")


def test_factors_on_some_of_the_paths_are_reported_with_the_ratio_of_each() -> None:
    w = Value(3.0, label="w")
    h = w * w
    h.label = "h"
    judgement = judged({"w": w, "loss": (h * 2 + w) ** 2}, {"w": 1000.0})  # h·2 + w = 21: the right value is 42·(2·6 + 1)
    assert judgement.startswith(f"the claim is {1000 / 546:.5g} times the right value 546 = ")
    assert "one factor is off by that much: ∂loss/∂v2 = 2·v2 = 42, or one is off on some of the paths: " in judgement
    other = judged({"w": w, "loss": h * 2 + 7 * w}, {"w": 15.0})  # the right value is 19; the likeliest comes first
    assert other.endswith("some of the paths: ∂h/∂w = w = 3 by 0.33333, ∂v2/∂w = 7 by 0.42857, ∂v1/∂h = 2 by 0.66667")
    h_twice, path = 1 + (1000 - 546) / (42 * 12), 1 + (1000 - 546) / (42 * 6)
    assert judgement.endswith(f"∂v1/∂h = 2 by {h_twice:.5g}, ∂h/∂w = w = 3 by {path:.5g}")


def test_a_path_is_forgotten_through_a_node_that_is_used_twice() -> None:
    x = Value(0.5, label="x")
    h = tanh(x)
    claim = (1 - math.tanh(h.data) ** 2) * (1 - h.data**2)
    assert judged({"x": x, "loss": tanh(h) + 3 * h}, {"x": claim}).endswith(
        "a path was forgotten, the one through v3 = 3·v1, which adds 1·3·0.78645 = 2.3593"
    )


def test_several_forgotten_paths_are_named_where_there_are_few() -> None:
    w = Value(1.0, label="w")
    for n, missing, named in ((12, (0, 5), 2), (13, (0, 5), 0), (13, (5,), 1), (20, (19,), 1)):
        loss = total([w * 3.0**i for i in range(n)])
        claim = sum(3.0**i for i in range(n) if i not in missing)
        assert judged({"w": w, "loss": loss}, {"w": claim}).count(", which adds") == named


def test_judgements_of_long_derivations_are_short() -> None:
    w = Value(0.5, label="w")
    assert judged({"w": w, "loss": w + 1}, {"w": 2.0}).endswith("no path is missing, and sums pass the gradient on unchanged")
    chain = w
    for _ in range(30):
        chain = tanh(chain)
    assert judged({"w": w, "loss": chain}, {"w": 1.0}).endswith(", and 27 more")
    for _ in range(30):
        chain = tanh(chain)
    assert "a factor is wrong; claim intermediate nodes as well" in judged({"w": w, "loss": chain}, {"w": 1.0})
    for _ in range(4):
        chain = chain + tanh(chain)
    assert "is wrong, or a path is missing; claim intermediate nodes" in judged({"w": w, "loss": chain}, {"w": 1.0})


def test_names_in_latex() -> None:
    assert [latex_name(name) for name in ("x²", "x2", "a²b", "x′", "w⁽¹⁾₀₂′")] == [
        "x^{2}", "x_{2}", r"\text{a²b}", "x'", r"w^{(1)\prime}_{02}",
    ]  # fmt: skip
    assert latex_name("layer1.neuron0.w2") == r"\text{layer1.neuron0.w2}"
    assert latex_name(r"\input{x}^2_#") == r"\text{\textbackslash{}input\{x\}\textasciicircum{}2\_\#}"


def test_a_line_of_latex_is_broken_only_if_it_is_too_long() -> None:
    row = " + ".join([r" \cdot ".join(["abc"] * 9)] * 2)
    lines = _wrapped(row, 12).split(" \\\\\n&\\quad{}")
    assert " ".join(lines) == row and [line.count("abc") for line in lines] == [3] * 6
    assert _wrapped(row, 1000) == row


def test_an_unlabelled_leaf_that_is_explained_has_its_name_in_every_formula() -> None:
    leaf, half, c = Value(2.0), Value(0.5), Value(3.0, label="c")
    _, derivation = explain(leaf, of=tanh(leaf * c) * half + leaf).text.split("∂loss/∂v1 = ∂loss")
    assert "∂(v5 + v1)/∂v1" in derivation and "v2 = v1·c" in derivation
    assert "v5 = v3·0.5" in derivation  # other unlabelled leaves are their numbers
