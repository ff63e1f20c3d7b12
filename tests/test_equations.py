"""The equations of a program name the parts of arguments, parameters and results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from autograd import Value, compile, cos, dot, exp, logsumexp, sin, tanh
from nn import MLP, losses


def equations(f: Callable[..., Any], parameters: Sequence[Value] = (), **options: Any) -> list[str]:
    return [line.strip() for line in str(compile(f, parameters, **options)).splitlines()]


def test_an_entry_of_an_argument_has_its_index() -> None:
    """Without it, ``cos(q[0] - q[1])`` read as ``cos(q - q)``."""
    program = compile(lambda q: cos(q[0] - q[1]), example=[[0.0, 0.0]])
    assert "loss[B] = cos(q₀ - q₁)" in str(program)
    assert r"\mathrm{loss} &= \cos({q}_{0} - {q}_{1})" in program.latex


@pytest.mark.parametrize(
    ("f", "example", "text"),
    [
        (lambda x: x[0][1] - x[1][0] * x[2][1], [[0.0, 0.0]] * 3, "x₀,₁ - x₁,₀ ⊙ x₂,₁"),
        (lambda s: s["a"][0] - s["a"][1] * s["b"], {"a": [0.0, 0.0], "b": 1.0}, "s['a']₀ - s['a']₁ ⊙ s['b']"),
        (lambda x: [sin(y) for y in x[1:3]], [0.0] * 4, "sin(x₁…₂)"),
        (lambda x: [sin(y) for y in x[1]], [[0.0] * 4] * 2, "sin(x₁)"),
        (lambda x: [sin(y) for row in x[1:] for y in row], [[0.0] * 4] * 3, "sin(x₁…₂)"),
        (lambda x: [sin(y) for y in x[1][:2]], [[0.0] * 4] * 2, "sin(x₁,₀…₁)"),
        (lambda x: [sin(y) for y in x[::-1]], [0.0] * 4, "sin(x)"),  # the outputs are in another order, not the block
        (lambda x: [sin(y) for y in x[::2]], [0.0] * 4, "sin([x₀, x₂])"),
        (lambda x: [sin(y) for y in x[::2]], [0.0] * 10, "sin(x[…])"),
        (lambda x: [sin(y) for y in x], [0.0] * 12, "sin(x)"),
        (lambda x: cos(x[10] - x[11]), [0.0] * 12, "cos(x₁₀ - x₁₁)"),
    ],
)
def test_parts_of_arguments(f: Callable[..., Any], example: Any, text: str) -> None:
    assert equations(f, example=[example])[1].endswith(f" = {text}")


def test_parts_of_parameters_are_named_after_the_whole() -> None:
    """They were called p2, p3 and p4, which did not say that they belong to p1."""
    w = [Value(0.1 * i) for i in range(3)]
    found = equations(lambda x: w[0] * x[0] - sin(w[1] * x[1]) + exp(w[2] * x[0] * x[1]), w, example=[[0.0, 0.0]])
    assert found[:4] == ["forward", "v1[3×B] = p1 ⊙ [x₀…₁, x₀]", "v2[B] = exp(v1₂ ⊙ x₁)", "loss[B] = v1₀ - sin(v1₁) + v2"]
    assert found[5:] == ["∂p1₁ = (-1·cos(v1₁)) @ x₁ᵀ", "∂p1₂ = (v2 ⊙ x₁) @ x₀ᵀ", "∂p1₀ = Σ x₀"]


def test_rows_of_a_matrix_of_weights() -> None:
    """Both gradients were called ∂layer2.w, and both biases layer2.b."""
    model = MLP(3, [4, 2], seed=1)

    def loss(x: Any, eps: Any) -> Any:  # a mean, and the logarithm of a variance
        mean, log_variance = model(x)
        return (mean + exp(log_variance / 2) * eps) ** 2

    found = equations(loss, model.parameters(), example=[[0.0] * 3, 0.0])
    assert "net2[B] = layer2.w₁[4] @ out1 + layer2.b₁" in found
    assert {"∂layer2.w₀[4]", "∂layer2.w₁[4]", "∂layer2.b₀", "∂layer2.b₁"} <= {line.split(" =")[0] for line in found}


def test_a_part_of_a_block_with_several_names_has_its_own() -> None:
    """Two networks that run side by side, as in a coupling layer, whose outputs are used apart."""
    s, t = MLP(1, [3, 1], seed=1, label="s"), MLP(1, [3, 1], seed=2, label="t")
    found = equations(lambda x: (tanh(s([x[0]])) + x[1]) * t([x[0]]), s.parameters() + t.parameters(), example=[[0.0, 0.0]])
    assert "∂t.layer2.net[B] = tanh(s.layer2.net) + x₁" in found
    assert "∂s.layer2.w[3] = ∂s.layer2.net @ s.layer1.outᵀ" in found


def test_groups_that_overlap_are_one() -> None:
    w = [Value(0.1 * i) for i in range(4)]
    found = equations(lambda x: tanh(dot(w[:2], x)) * tanh(dot(w[1:3], x)) * tanh(dot(w[2:], x)), w, example=[[0.0, 0.0]])
    assert not any("p2" in line for line in found) and any("p1₃" in line or "p1₂…₃" in line for line in found)


def test_a_recurrent_network_takes_one_input_after_the_other() -> None:
    w, u = Value(0.5, label="w"), Value(1.0, label="u")

    def last(xs: Any) -> Any:
        h: Any = 0.0
        for x in xs:
            h = tanh(w * h + u * x)
        return h

    found = equations(last, [w, u], example=[[0.0] * 3])
    assert found[1:4] == [
        "v1[B] = tanh(0·w + u ⊙ xs₀)", "v2[B] = tanh(w ⊙ v1 + u ⊙ xs₁)", "loss[B] = tanh(w ⊙ v2 + u ⊙ xs₂)",
    ]  # fmt: skip


def test_a_penalty_is_a_sum_of_squares_not_a_product_of_matrices() -> None:
    """It was written ``W @ W``, with W a matrix [3×3]."""
    W = [[Value(0.1 * i + j, label=f"W{i}_{j}") for j in range(3)] for i in range(3)]
    entries = [w for row in W for w in row]
    found = equations(lambda x: sum(dot(row, x) for row in W) + dot(entries, entries), entries, example=[[0.0] * 3])
    assert any("Σ W²" in line for line in found) and not any("W @ W" in line for line in found)


@pytest.mark.parametrize("n", [1, 2])
def test_biases_have_the_path_of_their_weights(n: int) -> None:
    """With one input and one output they were listed one by one."""
    model = MLP(n, [3, 1], seed=1)
    found = equations(lambda *x: losses.squared_error(model(x[:n]), x[n]), model.parameters(), example=[0.0] * (n + 1))
    assert {"∂layer1.b[3] = Σ δ1", "∂layer2.b = Σ δ2"} <= {*found}


def test_a_label_may_be_the_beginning_of_another() -> None:
    w = [[Value(0.1 * i + j, label=f"layer1.neuron{i}.w{j}") for j in range(2)] for i in range(2)]
    b = [Value(0.5, label="layer1.neuron") for _ in range(2)]
    found = equations(
        lambda x: sum(tanh(dot(v, x, u)) for v, u in zip(w, b, strict=True)), [*w[0], *w[1], *b], example=[[0.0] * 2]
    )
    assert found[1] == "v1[2×B] = tanh(layer1.w[2×2] @ x[2×B] + layer1.neuron)"


def test_networks_with_the_same_labels_are_told_apart() -> None:
    """The encoder and the decoder of an autoencoder both had a layer1.w, of different shapes."""
    encoder, decoder = MLP(3, [2], seed=1), MLP(2, [3], seed=2)
    found = equations(
        lambda x: losses.squared_error(decoder(encoder(x)), x), encoder.parameters() + decoder.parameters(), example=[[0.0] * 3]
    )
    assert found[1:3] == ["net1[2×B] = layer1.w[2×3] @ x[3×B] + layer1.b", "v1[3×B] = (layer1.w′[3×2] @ net1 + layer1.b′) - x"]
    assert {"∂layer1.w[2×3]", "∂layer1.w′[3×2]", "∂layer1.b[2]", "∂layer1.b′[3]"} <= {line.split(" =")[0] for line in found}


def test_what_is_repeated_is_counted() -> None:
    """They were written ``Σ w + x``, ``[v1, v2] ⊙ x``, ``w @ x`` and ``logsumexp(w, x)``."""
    w = [Value(0.1 * i, label=f"w{i}") for i in range(2)]
    assert "  loss[B] = w₀ + 3·w₁ + x" in str(compile(lambda x: w[0] + w[1] + (w[1] + (w[1] + x)), w, example=[0.0]))
    assert "= 2·w0 ⊙ x + sin(w1)" in str(compile(lambda x: dot([w[0]] * 2, [x] * 2) + sin(w[1]), w, example=[0.0]))
    assert "= [w₀, w₀…₁][3] @ [x₀, x₀…₁]" in str(compile(lambda x: dot(w + w[:1], [x[0], x[1], x[0]]), w, example=[[0.0] * 2]))
    assert "logsumexp(w0, w0, x)" in str(compile(lambda x: logsumexp([w[0], x, w[0]]), w, example=[0.0]))


def test_a_sum_of_sums_is_enclosed() -> None:
    """``Σ w₂ + w₂`` read as ``(Σ w₂) + w₂``."""
    w = Value(0.5, label="w")
    assert "  ∂w = Σ (2·w + cos(w))" in str(compile(lambda x: w * w + sin(w) + x, [w], example=[0.0]))


def test_entries_are_counted_as_their_labels_count_them() -> None:
    w = [Value(0.1 * i, label=f"w{i}_{j}") for i in (1, 2) for j in (1, 2)]
    found = equations(lambda x: tanh(dot(w[:2], x)) + tanh(dot(w[2:], x)) + sin(w[1]), w, example=[[0.0] * 2])
    assert "loss[B] = sin(w₁,₂) + Σ v1" in found and "∂w₁,₂ = ∂w₁,₂ + Σ cos(w₁,₂)" in found


def test_parts_are_listed_in_their_order() -> None:
    """A convolution was ``w @ x``, with a matrix of windows in place of the list x."""
    w = [Value(0.1 * i, label=f"w{i}") for i in range(2)]
    found = equations(lambda x: sum(tanh(dot(w, x[i : i + 2])) for i in range(3)), w, example=[[0.0] * 4])
    assert "v1[3×B] = tanh(w[2] @ [x₀…₁, x₁…₂, x₂…₃]ᵀ)" in found
    assert (
        r"{x}_{0 \ldots 1}, {x}_{1 \ldots 2}" in compile(lambda x: dot(w, x[:2]) * dot(w, x[1:]), w, example=[[0.0] * 3]).latex
    )


def test_a_gradient_is_in_the_order_of_its_inputs() -> None:
    """It was ``∂w = … @ xᵀ``, although w₀ is multiplied by x₁."""
    w = [Value(0.1 * i, label=f"w{i}") for i in range(2)]
    found = equations(lambda x: tanh(dot(w, [x[1], x[0]])) + dot(w, w), w, example=[[0.0] * 2])
    assert "[∂w₁, ∂w₀][2] = (1 - v1²) @ x[2×B]ᵀ" in found


def test_parameters_without_a_common_name_are_listed_in_their_order() -> None:
    """They were ``[[b, a, k]₁, [b, a, k]₀, [b, a, k]₂]``."""
    a, b, k = (Value(0.5, label=label) for label in "abk")
    found = equations(lambda x: tanh(dot([b, a, k], x)) * sin(k * a + b), [a, b, k], example=[[0.0] * 3])
    assert "[∂b, ∂a, ∂k][3] = (sin(v2) ⊙ (1 - v1²)) @ x[3×B]ᵀ" in found


def test_weights_have_one_name_also_where_one_of_them_is_used_alone() -> None:
    """They were listed one by one, ``[w0, w1][2] @ x + sin(w1)``."""
    w = [Value(0.1 * i, label=f"w{i}") for i in range(2)]
    found = equations(lambda x: dot(w, x) + sin(w[1]), w, example=[[0.0, 0.0]])
    assert found[1:] == ["loss[B] = w[2] @ x[2×B] + sin(w₁)", "backward", "∂w₁ = Σ (x₁ + cos(w₁))", "∂w₀ = Σ x₀"]


def test_a_short_list_of_numbers_is_written_out() -> None:
    """It was called c, and no equation said what that was."""
    matrix = equations(lambda x: [exp(dot(row, x)) for row in ([1.0, 2.0], [3.0, 4.0])], example=[[0.0] * 2])
    assert matrix[1].endswith(" = exp(c @ x[2×B])")
    found = {n: equations(lambda x: dot([0.5, 0.25, -1.0, 2.0, 3.0][: len(x)], x), example=[[0.0] * n])[1] for n in (4, 5)}
    assert found[4].startswith("loss[B] = [0.5, 0.25, -1, 2] @ ") and found[5].startswith("loss[B] = c @ ")


def test_groups_of_numbers_are_added_in_columns() -> None:
    """It was ``Σ (1 + Σ [v1, v2])``, although the first entries of v1 and v2 are added up, and the second ones."""
    w = [Value(0.1 * i, label=f"w{i}") for i in range(2)]
    found = equations(lambda x: dot(w, [exp(tanh(v)) for v in w]) + sum(w) * cos(x), w, example=[0.0])
    assert "∂w[2] = Σ (v1 + v2 + cos(x))" in found


def test_a_number_counts_in_all_labels_with_the_same_path_and_in_no_others() -> None:
    w, b = ([Value(0.1 * i, label=f"layer1.neuron{i}.{name}") for i in range(3)] for name in ("w0", "b"))
    v, c = [Value(0.1 * i, label=f"layer2.neuron0.w{i}") for i in range(3)], Value(0.5, label="layer2.neuron0.b")
    gate = Value(0.5, label="gate1.unit3.c")
    found = equations(
        lambda x: dot(v, [tanh(p * x + q) for p, q in zip(w, b, strict=True)], c) * gate, [*w, *b, *v, c, gate], example=[0.0]
    )
    assert found[1].endswith(" + layer1.b)") and found[2].endswith(" + layer2.b") and found[3] == "loss[B] = v2 ⊙ gate1.unit3.c"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("w[{}]", "w"),
        ("w({})", "w"),
        ("w_{{{}}}", "w"),
        ("w_{}", "w"),
        ("net[{}].w", "w"),
        ("a{}b", "a…b"),
        ("[{}]", "p1"),
        ("{}", "p1"),
    ],
)
def test_numbers_in_labels_leave_no_brackets_behind(label: str, name: str) -> None:
    """``w[0]`` and ``w[1]`` were called ``w[]``, with a character that is not printed between the brackets."""
    w = [Value(0.1 * i, label=label.format(i)) for i in range(2)]
    program = compile(lambda x: tanh(dot(w, x)) * sin(w[1]), w, example=[[0.0, 0.0]])
    assert f"v1[B] = tanh({name}[2] @ x[2×B])\n  loss[B] = v1 ⊙ sin({name}₁)" in str(program)
    assert str(program).replace("\n", " ").isprintable() and program.latex.replace("\n", " ").isprintable()


def test_a_label_with_brackets_is_not_the_name_of_a_part() -> None:
    """The only parameter was called w₁, as if there were others."""
    w = Value(0.5, label="w[1]")
    assert equations(lambda x: sin(w * x), [w], example=[0.0])[1:4:2] == [
        "loss[B] = sin(w[1] ⊙ x)",
        "∂w[1] = cos(w[1] ⊙ x) @ x[B]ᵀ",
    ]


def test_arguments_without_a_known_signature_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(f: object) -> None:
        raise ValueError(f"no signature found for {f!r}")  # as for some functions in C, on some versions of Python

    program = compile(lambda u, v: tanh(u * v), example=[0.5, 2.0])
    assert "tanh(u ⊙ v)" in str(program)
    monkeypatch.setattr(inspect, "signature", refuse)
    assert "tanh(x0 ⊙ x1)" in str(program)
