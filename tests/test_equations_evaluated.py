"""The printed equations of random programs, read as a reader would, give the numbers that the programs compute.

The reader knows the parameters, by the names that their labels promise, and one example.  A list is a vector, ``a @ b`` the
product of two vectors, and ``a @ bᵀ`` that of each pair of entries, unless the result is one number.  Σ adds up the entries of
the term after it; at the beginning of a parameter's gradient it adds up examples, of which there is one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from autograd import Value, compile, cos, dot, exp, tanh

TOKEN = re.compile(r"(∂?[A-Za-z][A-Za-z0-9_…]*|\[[^]]*\]|[0-9.]+(?:e-?[0-9]+)?|[₀-₉][₀-₉,…]*|[-+/@·⊙()Σᵀ²³,])")
SHAPE = r"(?<=[\w₀-₉\]])\[[0-9×B]+\]"
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
BINARY = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul}
UNARY: dict[str, Any] = {"tanh": tanh, "cos": cos, "exp": lambda x: exp(tanh(x)), "square": lambda x: x**2}
# How four parameters are labelled, and under which names: for each name, the numbers of parameters by their subscripts.
LABELLED: dict[tuple[str | None, ...], dict[str, dict[tuple[int, ...], int]]] = {
    ("w0", "w1", "w2", "w3"): {"w": {(i,): i for i in range(4)}},
    ("a", "b", "k", "m"): {},
    ("w0_0", "w0_1", "w1_0", "w1_1"): {
        "w": {(i, j): 2 * i + j for i in (0, 1) for j in (0, 1)},
        **{f"w{i}": {(j,): 2 * i + j for j in (0, 1)} for i in (0, 1)},
        **{f"w…_{j}": {(i,): 2 * i + j for i in (0, 1)} for j in (0, 1)},
    },
    ("w0", "w1", "b0", "b1"): {"w": {(0,): 0, (1,): 1}, "b": {(0,): 2, (1,): 3}},
    ("w0", None, "b", "w1"): {"w": {(0,): 0, (1,): 3}, "p1": {(0,): 1}},
}
FUNCTIONS = {"tanh": np.tanh, "exp": np.exp, "cos": np.cos, "sin": np.sin}


class Unreadable(Exception):
    """An equation uses something that only the program knows: named constants, parts written […], several products at once."""


class Reader:
    """Evaluates the right side of an equation: sums of terms, terms of factors."""

    def __init__(self, text: str, values: dict[str, Any], is_single: bool = False) -> None:
        text = text.replace(" ", "")
        self.tokens, self.values, self.is_single = TOKEN.findall(text), values, is_single
        if "".join(self.tokens) != text or "[…]" in text:
            raise Unreadable(text)

    def next_is(self, *tokens: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in tokens

    def sum(self) -> Any:
        found = self.term()
        while self.next_is("+", "-"):
            found = found + self.term() if self.tokens.pop(0) == "+" else found - self.term()
        return found

    def term(self) -> Any:
        if self.next_is("Σ"):
            self.tokens.pop(0)
            return np.sum(self.term())
        if self.next_is("-"):
            self.tokens.pop(0)
            return -self.term()
        found = self.factor()
        while self.next_is("⊙", "·", "/", "@"):
            sign, other = self.tokens.pop(0), self.factor()
            if sign == "@":
                is_transposed = self.next_is("ᵀ") and self.tokens.pop(0)
                is_outer = is_transposed and not self.is_single
                if not is_outer and np.size(found) != np.size(other) and 1 not in (np.size(found), np.size(other)):
                    raise Unreadable
                found = np.outer(found, other).ravel() if is_outer else np.sum(found * other)
            else:
                found = found / other if sign == "/" else found * other
        return found

    def factor(self) -> Any:
        token = self.tokens.pop(0)
        if token == "(":
            found = self.sum()
            self.tokens.pop(0)
        elif token in FUNCTIONS:
            self.tokens.pop(0)
            found = FUNCTIONS[token](self.sum())
            self.tokens.pop(0)
        elif token[0].isdigit():
            found = float(token)
        else:
            found = self.named(token)
        while self.next_is("²", "³"):
            found = found ** (2 if self.tokens.pop(0) == "²" else 3)
        return found

    def named(self, name: str) -> Any:
        if name.startswith("["):
            items = re.split(",(?![₀-₉])", name[1:-1])
            return np.concatenate([np.atleast_1d(Reader(each, self.values).sum()) for each in items])
        if name not in self.values:
            raise Unreadable(name)
        found = self.values[name]
        ranges = self.tokens.pop(0).translate(DIGITS).split(",") if self.tokens and self.tokens[0][0] in "₀₁₂₃₄₅₆₇₈₉" else []
        if not isinstance(found, dict):
            if not ranges:
                return found
            found = {(i,): each for i, each in enumerate(np.atleast_1d(found))}
        limits = [(int(first), int(last or first)) for first, _, last in (each.partition("…") for each in ranges)]
        inside = [at for at in found if all(low <= i <= high for i, (low, high) in zip(at, limits, strict=False))]
        return np.array([found[at] for at in inside])


def program(r: Random, parameters: Sequence[Value]) -> Callable[[Any], Any]:
    """Return a random function of a list of three numbers, with parameters."""
    steps = [(r.random(), r.random(), r.choice([*BINARY, *UNARY, "dot"]), r.randint(1, 3)) for _ in range(r.randint(1, 6))]

    def f(x: Any) -> Any:
        pool = [*x, *parameters]
        for first, second, operation, k in steps:
            one, other = ([pool[(int(start * len(pool)) + i) % len(pool)] for i in range(k)] for start in (first, second))
            if operation in UNARY:
                pool += map(UNARY[operation], one)
            else:
                pool += [dot(one, other)] if operation == "dot" else [*map(BINARY[operation], one, other)]
        return sum(pool[-3:]) + pool[-1] * pool[0] + sum(parameters)

    return f


def read(text: str, values: dict[str, Any], places: dict[str, Any], n: int) -> Any:
    """Return the gradient by n parameters according to the equations; `values` gets those of the results, by name."""
    gradient = np.zeros(n)
    for line in text.splitlines():
        left, _, right = line.strip().partition(" = ")
        if "×" in re.sub("×B", "", line) or (re.search(r"\[[0-9]+[]×]", left) and re.search("@ [^ᵀ]*$", right)):
            raise Unreadable(line)
        name, right = re.sub(SHAPE, "", left), re.sub(SHAPE, "", right)
        word = re.match(r"\[?∂([A-Za-z0-9_…]+)", name)
        if word and word[1] in places:
            at = np.atleast_1d(Reader(name.replace("∂", ""), places).sum())
            adds = right.startswith(f"{name} + ")
            found = Reader(right.removeprefix(f"{name} + ").removeprefix("Σ "), values, is_single=len(at) == 1).sum()
            gradient[at] = gradient[at] * adds + found
        elif right:
            values[name] = Reader(right, values).sum()
    return gradient


@pytest.mark.parametrize("labels", LABELLED)
def test_the_equations_of_random_programs_are_true(labels: tuple[str | None, ...]) -> None:
    checked = 0
    for seed in range(80):
        r = Random(seed)
        n = r.randint(1, 4)
        parameters = [Value(0.3 * i - 0.5, label=label) for i, label in enumerate(labels[:n])]
        f, x = program(r, parameters), [r.uniform(-1, 1) for _ in range(3)]
        compiled = compile(f, parameters, example=[x])
        loss, gradient = compiled.gradient([x])
        places: dict[str, Any] = {label: i for i, label in enumerate(labels[:n]) if label}
        places |= {word: {at: i for at, i in entries.items() if i < n} for word, entries in LABELLED[labels].items()}
        values: dict[str, Any] = {"x": np.array(x)}
        for word, place in places.items():
            numbers = compiled.parameters
            values[word] = {at: numbers[i] for at, i in place.items()} if isinstance(place, dict) else numbers[place]
        try:
            found = read(str(compiled), values, places, n)
        except Unreadable:
            continue
        text = f"seed {seed}\n{compiled}"
        np.testing.assert_allclose(np.sum(values["loss"]), loss, rtol=1e-9, atol=1e-12, err_msg=text)
        np.testing.assert_allclose(found, gradient, rtol=1e-9, atol=1e-12, err_msg=text)
        checked += 1
    assert checked > 77, checked
