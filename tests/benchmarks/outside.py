"""Programs from outside, as workloads: two objectives of GradBench, and a small GPT.

Like `workloads`, they are written in scalars for one example, in NumPy by hand, and once for torch and jax.

Sources: GradBench, https://github.com/gradbench/gradbench, the evals `gmm` and `lstm`, which it took from Šrajer, Kukelova and
Fitzgibbon, A benchmark of selected algorithmic differentiation tools (2018); Karpathy's microgpt, a GPT that learns names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from workloads import Array, Gradients, Library, Workload, consecutive, flattened, leaves

from autograd import Value, dot, exp, log, logsumexp, relu, sigmoid, tanh, total

__all__ = ["NAMES", "documents", "gmm", "gpt", "lstm", "outside"]


def outside() -> dict[str, Callable[[], Workload]]:
    """Return the programs by name, in the sizes of the published table."""
    return {"gmm": lambda: gmm(1000), "lstm": lambda: lstm(1024), "gpt": lambda: gpt(NAMES[:1])}


# A mixture of Gaussians: one point's share of the negative logarithm of the posterior density.


def gmm(n: int, d: int = 10, k: int = 25) -> Workload:
    """Return GradBench's `gmm`, for n points in d dimensions and k components, with a Wishart prior (γ = 1, m = 0).

    A component's precision is QᵀQ, where Q is lower triangular, with exp(q) on the diagonal.  The mean of the loss over
    all points is the objective divided by -n.
    """
    rng = np.random.default_rng(8)
    shapes = [(k,), (k, d), (k, d), (k, d * (d - 1) // 2)]
    tree = leaves(rng, shapes, 1.0)
    prior = -d * (d + 1) * math.log(2) / 2 - _log_gamma((d + 1) / 2, d)
    lower = np.tril_indices(d, -1)
    order = np.lexsort([lower[0], lower[1]])  # column by column
    rows, columns = lower[0][order], lower[1][order]
    fixed = d / 2 * math.log(2 * math.pi) - k * prior / n

    def scalars(x: Any) -> Value:
        alphas, means, diagonals, factors = tree
        terms, squares = [], []
        for alpha, mean, q, factor in zip(alphas, means, diagonals, factors, strict=True):
            centred = [x_i - m_i for x_i, m_i in zip(x, mean, strict=True)]
            scales = [exp(q_i) for q_i in q]
            scaled = [scale * c for scale, c in zip(scales, centred, strict=True)]
            for i, j, factor_ij in zip(rows.tolist(), columns.tolist(), factor, strict=True):
                scaled[i] = scaled[i] + factor_ij * centred[j]
            terms.append(alpha + sum(q) - sum(y * y for y in scaled) / 2)
            squares += [*scales, *factor]
        out: Value = logsumexp(alphas) - logsumexp(terms) + fixed + sum(s * s for s in squares) / (2 * n)
        return out

    def by_hand(parameters: Sequence[Array], X: Array) -> Gradients:
        alphas, means, diagonals, factors = parameters
        scales = np.exp(diagonals)
        Q = np.zeros((k, d, d))
        Q[:, range(d), range(d)] = scales
        Q[:, rows, columns] = factors
        centred = X.T[None] - means[:, :, None]  # [k×d×n]
        scaled = Q @ centred
        terms = (alphas + diagonals.sum(1))[:, None] - (scaled * scaled).sum(1) / 2
        largest = terms.max(0)
        powers = np.exp(terms - largest)
        sums = powers.sum(0)
        weights = np.exp(alphas - alphas.max())
        whole = weights.sum()
        loss = np.log(whole) + alphas.max() - (np.log(sums) + largest).mean()
        loss += fixed + ((scales * scales).sum() + (factors * factors).sum()) / (2 * n)
        shares = powers / sums / len(X)
        counts = shares.sum(1)
        down = shares[:, None] * scaled
        dQ = down @ centred.transpose(0, 2, 1)
        dmeans = -(Q.transpose(0, 2, 1) @ down.sum(2)[:, :, None])[:, :, 0]
        ddiagonals = (dQ[:, range(d), range(d)] + scales / n) * scales - counts[:, None]
        return float(loss), [weights / whole - counts, dmeans, ddiagonals, dQ[:, rows, columns] + factors / n]

    def by_library(words: Library, parameters: Sequence[Array], X: Array) -> Array:
        alphas, means, diagonals, factors = parameters
        scales = words.exp(diagonals)
        place = np.zeros((rows.size, d * d))
        place[range(rows.size), rows * d + columns] = 1.0
        eye = words.array(np.eye(d))
        Q = scales[:, :, None] * eye + (factors @ words.array(place)).reshape(k, d, d)
        scaled = Q @ (X.T[None] - means[:, :, None])
        terms = (alphas + diagonals.sum(-1))[:, None] - (scaled * scaled).sum(1) / 2
        squares = (scales * scales).sum() + (factors * factors).sum()
        return words.logsumexp(alphas) - words.logsumexp(terms.T).mean() + fixed + squares / (2 * n)

    title = f"GradBench's gmm, d {d}, k {k}, n {n:,}"
    return Workload(title, scalars, flattened(tree), consecutive(*shapes), (rng.standard_normal((n, d)),), by_hand, by_library)


def _log_gamma(a: float, d: int) -> float:
    """Return the logarithm of the multivariate gamma function."""
    return d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma(a - i / 2) for i in range(d))


# A long short-term memory in which each gate sees only one input, on the bits of a text.


def lstm(characters: int, layers: int = 2, bits: int = 14) -> Workload:
    """Return GradBench's `lstm`: predict each character's bits from the previous ones; its logsumexp adds 2 to the sum."""
    rng = np.random.default_rng(9)
    shapes = [(layers, 4, bits), (layers, 4, bits), (bits,), (bits,), (bits,)]
    tree = leaves(rng, shapes)
    start = rng.random((layers, 2, bits))
    text = rng.integers(2, size=(1, characters, bits)).astype(float)
    count = (characters - 1) * bits

    def scalars(sequence: Any) -> Value:
        weights, biases, inward, outward, offsets = tree
        state: list[Any] = [[*hidden_and_cell] for hidden_and_cell in start.tolist()]
        terms = []
        for given, wanted in pairwise(sequence):
            x = [w * g for w, g in zip(inward, given, strict=True)]
            for layer, (hidden, cell) in enumerate(state):
                nets = [
                    [w * y + b for w, y, b in zip(ws, ys, bs, strict=True)]
                    for ws, bs, ys in zip(weights[layer], biases[layer], [x, hidden, x, hidden], strict=True)
                ]
                forget, enter, leave = ([sigmoid(net) for net in row] for row in nets[:3])
                change = [tanh(net) for net in nets[3]]
                cell = [c * f + i * g for c, f, i, g in zip(cell, forget, enter, change, strict=True)]
                x = [o * tanh(c) for o, c in zip(leave, cell, strict=True)]
                state[layer] = [x, cell]
            scores = [y * w + b for y, w, b in zip(x, outward, offsets, strict=True)]
            norm = log(sum(exp(score) for score in scores) + 2)
            terms += [bit * (score - norm) for bit, score in zip(wanted, scores, strict=True)]
        out: Value = -total(terms) / count
        return out

    def by_hand(parameters: Sequence[Array], sequences: Array) -> Gradients:
        weights, biases, inward, outward, offsets = parameters
        sequence = sequences[0]
        steps = len(sequence) - 1
        hidden, cell = (np.empty((steps + 1, layers, bits)) for _ in range(2))
        gates, nets = np.empty((steps, layers, 4, bits)), np.empty((4, bits))
        curved, scores = np.empty((steps, layers, bits)), np.empty((steps, bits))
        hidden[0], cell[0] = start[:, 0], start[:, 1]
        entered = sequence[:-1] * inward
        for t in range(steps):
            x = entered[t]
            for i in range(layers):
                nets[0::2], nets[1::2] = x, hidden[t, i]
                nets *= weights[i]
                nets += biases[i]
                gate = gates[t, i]
                gate[:3] = 1 / (1 + np.exp(-nets[:3]))
                gate[3] = np.tanh(nets[3])
                cell[t + 1, i] = cell[t, i] * gate[0] + gate[1] * gate[3]
                curved[t, i] = np.tanh(cell[t + 1, i])
                x = hidden[t + 1, i] = gate[2] * curved[t, i]
            scores[t] = x * outward + offsets
        powers = np.exp(scores)
        sums = powers.sum(1, keepdims=True) + 2
        wanted = sequence[1:]
        loss = -(wanted * (scores - np.log(sums))).sum() / count
        dscores = (powers / sums * wanted.sum(1, keepdims=True) - wanted) / count
        dhidden, dcell = np.zeros((layers, bits)), np.zeros((layers, bits))
        dnets, douts = np.empty((steps, layers, 4, bits)), dscores * outward
        back = np.empty((steps, bits))
        slopes = gates * (1 - gates)
        slopes[:, :, 3] = 1 - gates[:, :, 3] ** 2
        for t in range(steps - 1, -1, -1):
            arrived = douts[t]
            for i in range(layers - 1, -1, -1):
                d, gate = arrived + dhidden[i], gates[t, i]
                dc = dcell[i] + d * gate[2] * (1 - curved[t, i] ** 2)
                dnet = dnets[t, i]
                dnet[0], dnet[1], dnet[2], dnet[3] = dc * cell[t, i], dc * gate[3], d * curved[t, i], dc * gate[1]
                dnet *= slopes[t, i]
                dcell[i] = dc * gate[0]
                through = dnet * weights[i]
                arrived, dhidden[i] = through[0] + through[2], through[1] + through[3]
            back[t] = arrived
        below = np.concatenate([entered[:, None], hidden[1:, :-1]], axis=1)
        seen = np.stack([below, hidden[:-1], below, hidden[:-1]], axis=2)
        return float(loss), [(dnets * seen).sum(0), dnets.sum(0), (back * sequence[:-1]).sum(0),
                             (dscores * hidden[1:, -1]).sum(0), dscores.sum(0)]  # fmt: skip

    def by_library(words: Library, parameters: Sequence[Array], sequences: Array) -> Array:
        weights, biases, inward, outward, offsets = parameters

        def step(state: Any, pair: Array) -> Any:
            *states, loss = state
            x, found = pair[0] * inward, []
            for i in range(layers):
                hidden, cell = states[2 * i : 2 * i + 2]
                forget, enter, leave = (
                    words.sigmoid(weights[i, gate] * y + biases[i, gate]) for gate, y in enumerate((x, hidden, x))
                )
                cell = cell * forget + enter * words.tanh(weights[i, 3] * hidden + biases[i, 3])
                x = leave * words.tanh(cell)
                found += [x, cell]
            scores = x * outward + offsets
            terms = pair[1] * (scores - words.log(words.exp(scores).sum() + 2))
            return (*found, loss - terms.sum() / count)

        pairs = words.stack([sequences[0][:-1], sequences[0][1:]])
        first = [words.array(start[i, j]) for i in range(layers) for j in range(2)]
        return words.last(step, (*first, 0.0 * offsets[0]), pairs)[-1]

    title = f"GradBench's lstm, {layers} layers, {characters:,} steps of {bits} bits"
    return Workload(title, scalars, flattened(tree), consecutive(*shapes), (text,), by_hand, by_library)


# A transformer of one block that learns names, letter by letter.

NAMES: Final = (
    "emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia", "harper", "evelyn", "abigail", "emily",
    "elizabeth", "mila", "ella", "avery", "sofia", "camila", "aria", "scarlett", "victoria", "madison", "luna", "grace",
)  # fmt: skip
LENGTH: Final = 16
WORDS: Final = 27  # the letters, and a token that begins and ends a name


def documents(names: Sequence[str], length: int = LENGTH) -> tuple[Array, Array, Array]:
    """Return names as one-hot tokens and targets [names×length×27], and each position's share of its loss [names×length].

    After the end of a name, the share is 0: this is the mask.
    """
    tokens, targets = (np.zeros((len(names), length, WORDS)) for _ in range(2))
    shares = np.zeros((len(names), length))
    for i, name in enumerate(names):
        letters = [WORDS - 1, *(ord(letter) - ord("a") for letter in name), WORDS - 1]
        n = min(length, len(letters) - 1)
        tokens[i, range(n), letters[:n]] = targets[i, range(n), letters[1 : n + 1]] = 1.0
        shares[i, :n] = 1 / n
    return tokens, targets, shares


def gpt(names: Sequence[str], width: int = 16, heads: int = 4, length: int = LENGTH) -> Workload:
    """Return a GPT of one block, by default of the published size of 4,192 parameters; it is trained by Adam."""
    rng = np.random.default_rng(10)
    shapes = [(WORDS, width), (length, width), *4 * [(width, width)], (4 * width, width), (width, 4 * width), (WORDS, width)]
    tree = leaves(rng, shapes, 0.08)
    size = width // heads

    def linear(matrix: Any, x: Any) -> Any:
        return [dot(row, x) for row in matrix]

    def normed(x: Any) -> Any:
        scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
        return [x_i * scale for x_i in x]

    def scalars(tokens: Any, targets: Any, shares: Any) -> Value:
        wte, wpe, wq, wk, wv, wo, up, down, head = tree
        columns = [*zip(*wte, strict=True)]
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for token, position, target, share in zip(tokens, wpe, targets, shares, strict=False):
            x = normed([dot(column, token, p) for column, p in zip(columns, position, strict=True)])
            inside = normed(x)
            query = linear(wq, inside)
            keys.append(linear(wk, inside))
            values.append(linear(wv, inside))
            mixed = []
            for first in range(0, width, size):
                part = slice(first, first + size)
                scores = [dot(query[part], key[part]) / size**0.5 for key in keys]
                shift = logsumexp(scores)
                weights = [exp(score - shift) for score in scores]
                mixed += [dot(weights, [value[j] for value in values]) for j in range(first, first + size)]
            x = [a + b for a, b in zip(linear(wo, mixed), x, strict=True)]
            hidden = [relu(net) for net in linear(up, normed(x))]
            x = [a + b for a, b in zip(linear(down, hidden), x, strict=True)]
            scores = linear(head, x)
            losses.append(share * (logsumexp(scores) - dot(scores, target)))
        out: Value = total(losses)
        return out

    def split(x: Array) -> Array:
        return x.reshape(len(x), length, heads, size).swapaxes(1, 2)

    def joined(x: Array) -> Array:
        return x.swapaxes(1, 2).reshape(len(x), length, width)

    later = np.triu(np.full((length, length), -1e300), 1)

    def by_hand(parameters: Sequence[Array], tokens: Array, targets: Array, shares: Array) -> Gradients:
        wte, wpe, wq, wk, wv, wo, up, down, head = parameters

        def scale_of(x: Array) -> Array:
            return ((x * x).mean(-1, keepdims=True) + 1e-5) ** -0.5

        def back(dy: Array, x: Array, scale: Array) -> Array:
            return scale * dy - scale**3 * x * (dy * x).mean(-1, keepdims=True)

        def outer(delta: Array, x: Array) -> Array:
            return delta.reshape(-1, delta.shape[-1]).T @ x.reshape(-1, x.shape[-1])

        embedded = tokens @ wte + wpe
        scale0 = scale_of(embedded)
        x0 = embedded * scale0
        scale1 = scale_of(x0)
        inside = x0 * scale1
        q, k, v = (split(inside @ w.T) for w in (wq, wk, wv))
        scores = q @ k.swapaxes(2, 3) / size**0.5 + later
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        weights = powers / powers.sum(-1, keepdims=True)
        mixed = joined(weights @ v)
        x1 = mixed @ wo.T + x0
        scale2 = scale_of(x1)
        normal = x1 * scale2
        hidden = np.maximum(normal @ up.T, 0)
        x2 = hidden @ down.T + x1
        z = x2 @ head.T
        largest = z.max(-1, keepdims=True)
        powers = np.exp(z - largest)
        sums = powers.sum(-1, keepdims=True)
        loss = (shares * ((np.log(sums) + largest)[..., 0] - (targets * z).sum(-1))).sum() / len(tokens)
        dz = (powers / sums - targets) * (shares / len(tokens))[..., None]
        dx2 = dz @ head
        dhidden = dx2 @ down * (hidden > 0)
        dx1 = dx2 + back(dhidden @ up, x1, scale2)
        dmixed = split(dx1 @ wo)
        dweights = dmixed @ v.swapaxes(2, 3)
        dscores = weights * (dweights - (dweights * weights).sum(-1, keepdims=True)) / size**0.5
        dq, dk, dv = (joined(x) for x in (dscores @ k, dscores.swapaxes(2, 3) @ q, weights.swapaxes(2, 3) @ dmixed))
        dx0 = dx1 + back(dq @ wq + dk @ wk + dv @ wv, x0, scale1)
        dembedded = back(dx0, embedded, scale0)
        return float(loss), [
            outer(tokens, dembedded), dembedded.sum(0), outer(dq, inside), outer(dk, inside), outer(dv, inside),
            outer(dx1, mixed), outer(dhidden, normal), outer(dx2, hidden), outer(dz, x2),
        ]  # fmt: skip

    def by_library(words: Library, parameters: Sequence[Array], tokens: Array, targets: Array, shares: Array) -> Array:
        wte, wpe, wq, wk, wv, wo, up, down, head = parameters

        def normed(x: Array) -> Array:
            return x * ((x * x).mean(-1) + 1e-5)[..., None] ** -0.5

        x = normed(tokens @ wte + wpe)
        q, k, v = (split(normed(x) @ w.T) for w in (wq, wk, wv))
        weights = words.softmax(q @ k.swapaxes(2, 3) / size**0.5 + words.array(later))
        x = joined(weights @ v) @ wo.T + x
        x = words.relu(normed(x) @ up.T) @ down.T + x
        z = x @ head.T
        return (shares * (words.logsumexp(z) - (targets * z).sum(-1))).sum() / len(tokens)

    n = sum(math.prod(shape) for shape in shapes)
    title = f"GPT of {n:,} parameters, {len(names)} name{'s' * (len(names) > 1)}, Adam"
    batch = documents(names, length)
    return Workload(title, scalars, flattened(tree), consecutive(*shapes), batch, by_hand, by_library, adam=True)
