"""Arbitrary input: it is understood, or refused with the documented errors.

The quick tests try few inputs, a slow one thousands of command lines; to try 20,000 inputs of each kind:

    .venv/bin/python -m pytest --hypothesis-profile=thorough tests/test_fuzz.py
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import math
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from autograd import Binary, Unary, Value
from autograd.__main__ import main
from autograd.expressions import FUNCTIONS, ExpressionError, parse
from nn import Neuron, load, save
from nn.data import read_idx

in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


# Mutations: a good input with a few changes.


@st.composite
def mutated(draw: st.DrawFn, whole: st.SearchStrategy[bytes], parts: list[bytes]) -> bytes:
    """Cut, repeat and overwrite pieces of a good input, and insert strange ones."""
    found = draw(whole)
    for _ in range(draw(st.integers(0, 4))):
        i, j = sorted(draw(st.tuples(*[st.integers(0, len(found))] * 2)))
        piece = draw(st.sampled_from(parts) | st.binary(max_size=4) | st.just(found[i:j] * 3))
        found = found[:i] + piece + found[draw(st.sampled_from([i, j])) :]
    return found


# Expressions

NUMBERS = ["0", "1", "2.5", "1e308", "1e999", "9" * 400, "1e-400", "0x1p3", "1_000", "nan", "inf", "2j", "9**9**9"]
LEAVES = st.sampled_from([*NUMBERS, "x", "y", "x" * 300, "π", "__class__", "lambda", "True", "None", "f"])


def composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts of the grammar, and texts that are nearly so."""
    signs = st.sampled_from(["+", "-", "*", "/", "**", "<", "<=", "//", "%", "@", "==", " if ", ".", ",", " and "])
    names = st.sampled_from([*FUNCTIONS, "exec", "__import__", "getattr", "print"])
    return st.one_of(
        st.builds("{}{}{}".format, inner, signs, inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("{}({})".format, names, inner),
        st.builds("{}([{}, {}], [{}])".format, names, inner, inner, inner),
        st.builds("{}({}, {})".format, names, inner, inner),
        st.builds("{}({}, {}, {})".format, names, inner, inner, inner),
    )


def valid(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts of the grammar."""
    rows = {kind: st.sampled_from([name for name, row in FUNCTIONS.items() if type(row) is kind]) for kind in (Unary, Binary)}
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "**", "<", ">="]), inner),
        st.builds("{}({})".format, rows[Unary], inner),
        st.builds("{}({}, {})".format, rows[Binary], inner, inner),
        st.builds("where({}, {}, {})".format, inner, inner, inner),
        st.builds("dot([{}, {}], [{}, {}], {})".format, inner, inner, inner, inner, inner),
    )


GRAMMAR = st.recursive(LEAVES, composed, max_leaves=25)
VALID = st.recursive(st.sampled_from(["x", "x", "y", "0.5", "2", "0", "pi"]), valid, max_leaves=12)
STRANGE = [
    b"(" * 300,
    b")" * 300,
    b"[" * 90,
    b"-" * 500,
    b"**9" * 300,
    b"lambda:" * 90,
    b"\0",
    b"#",
    b"\n",
    b"'",
    b"x.y",
    b"x[0]",
]
TEXTS = GRAMMAR | mutated(GRAMMAR.map(str.encode), STRANGE).map(lambda text: text.decode(errors="replace")) | st.text()


@given(TEXTS)
@example("9**9**9**9**9")
@example("(" * 1000 + "x" + ")" * 999)
@example("tanh(" * 300 + "x" + ")" * 300)
@example("x**" * 600 + "x")
@example("-" * 1999 + "x")
@example("1e999999999999999999 * x")
@example("9" * 1990 + "*x")
@example("().__class__.__bases__[0].__subclasses__()")
def test_an_expression_is_read_and_differentiated_or_refused_in_one_line(text: str) -> None:
    try:
        expression = parse(text)
        result = expression.evaluate({name: Value(0.5 + i, name) for i, name in enumerate(expression.names)})
    except ExpressionError as refusal:
        assert str(refusal).isprintable()
        return
    if isinstance(result, Value):
        result.backward()
    else:
        assert isinstance(result, float)


# Command lines

FILES_NAMED = ["f.svg", "f.dot", "f.mmd", "f.html", "f.json", "-f.svg", "f.gif", "f", "", "none/f.svg", "loop.svg", "loop.json"]
OPTIONS = (
    st.sampled_from([["--steps"], ["--explain"], ["--check"], ["--mermaid"], ["--latex"], ["--json=-"]])
    | st.sampled_from(["recursion", "overwrite", "unsorted"]).map(lambda name: ["--mistake", name])
    | st.sampled_from(["x", "y", "x,y", "y, x"]).map(lambda names: ["--wrt", names])
    | st.tuples(st.sampled_from(["--svg", "--html", "--json"]), st.sampled_from(FILES_NAMED)).map(list)
)
STRANGE_WORDS = st.sampled_from([
    "-h", "--version", "--", "-", "-x", "--no", "--latex=1", "--mistake", "--wrt=e", "--svg", "-hx", "x=2", "y=-0.5", "x=nan",
    "x=1e999", "x=", "=1", "x=0x1", "z=1", "x=1=2", "x=\0", "",
])  # fmt: skip
NUMBERS_GIVEN = st.sampled_from(["1", "-2", "0.5", "3e-5", "0", "700", "-inf", "nan"])


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Return the words of a command line: two in three command lines are meaningful, and most of these can be answered."""
    if is_strange := draw(st.integers(0, 2)) == 0:
        groups = [[draw(TEXTS)], *([word] for word in draw(st.lists(STRANGE_WORDS, max_size=4)))]
    else:
        text = draw(VALID)
        groups = [[text], *([f"{name}={draw(NUMBERS_GIVEN)}"] for name in parse(text).names)]
    for option in draw(st.lists(OPTIONS, max_size=3)):
        groups.insert(draw(st.integers(0, len(groups))), option)
    words = [word for group in groups for word in group]
    return draw(st.permutations(words)) if is_strange else words


def answers_or_refuses(argv: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command line in a folder that holds links to themselves, and leave the folder as it was."""
    with contextlib.chdir(folder):
        for name in ("loop.svg", "loop.json"):
            Path(name).symlink_to(name)
        status = main(argv)
        for name in filter(None, (*FILES_NAMED, "network.svg")):
            Path(name).unlink(missing_ok=True)
    printed = capsys.readouterr()
    if status == 2:
        assert not printed.out and printed.err.count("\n") == 1 and printed.err[:-1].isprintable()
    else:
        assert printed.out and not printed.err
        found = re.search("\nCheck: (wrong|kink): ", printed.out)  # NaN from 0·∞, for example, is wrong
        assert status == {"wrong": 1, "kink": 3}.get(found[1] if found else "", 0)
    assert [*folder.iterdir()] == []


@given(command_lines())
@settings(in_a_folder, max_examples=150)
@example(["x", "x=2", "--check"])
@example(["2 / dot([x, 2], [y, pi], y)", "x=0.5", "y=-inf", "--latex"])
@example(["x*2", "x=1", "--svg", "-f.svg"])
def test_a_command_line_is_answered_or_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, argv: list[str]
) -> None:
    answers_or_refuses(argv, tmp_path, capsys)


@pytest.mark.slow
@seed(0)
@given(command_lines())
@settings(in_a_folder, max_examples=max(2_000, settings().max_examples))
def test_thousands_of_command_lines_are_answered_or_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, argv: list[str]
) -> None:
    answers_or_refuses(argv, tmp_path, capsys)


# Weight files


def sealed(content: dict[str, Any]) -> bytes:
    """Return a weight file with arbitrary content and the right checksum."""
    digest = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
    return json.dumps(content | {"sha256": digest}).encode()


def contents(data: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    parameters = st.fixed_dictionaries({}, optional={"w0": data, "w1": data, "b": data, "c": data, "": data})
    return st.fixed_dictionaries(
        {
            "format": st.just("nn parameters, version 1") | data,
            "model": st.just(repr(Neuron(2))) | data,
            "parameters": parameters | data,
        },
        optional={"more": data},
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["nan", "inf", "1e5", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
GOOD = {"format": "nn parameters, version 1", "model": repr(Neuron(2)), "parameters": {"w0": 1.0, "w1": "nan", "b": -0.5}}
PIECES = [
    b'"w0": 1,',
    b"NaN",
    b"Infinity",
    b"1e999",
    b"9" * 5000,
    b"[" * 3000,
    b'{"a":' * 3000,
    b'"\\ud800"',
    b"\xff",
    b"\0",
    b",",
]
FILES = contents(JSON).map(sealed) | mutated(contents(JSON).map(sealed) | st.just(sealed(GOOD)), PIECES) | st.binary()


@given(FILES)
@in_a_folder
@example(b"[" * 1_000_000)
@example(b'{"a":' * 1_000_000)
@example(sealed(GOOD | {"parameters": {"w0": 10**400, "w1": 0.0, "b": 0.0}}))
@example(sealed(GOOD).replace(b'"w0": 1.0', b'"w0": 1' + b"0" * 5000))
@example(sealed(GOOD | {"model": "M" * 100_000}))
def test_a_weight_file_is_loaded_or_refused_and_then_nothing_has_changed(tmp_path: Path, content: bytes) -> None:
    path, model = tmp_path / "model.json", Neuron(2, seed=0)
    path.write_bytes(content)
    before = model.state_dict()
    try:
        load(model, path)
    except ValueError as refusal:
        assert str(path) in str(refusal) and len(str(refusal)) < 5000
        assert model.state_dict() == before
    else:
        assert all(isinstance(parameter.data, float) for parameter in model.parameters())


def test_the_good_weight_file_is_good(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(sealed(GOOD))
    assert math.isnan(load(Neuron(2), path).w[1].data)
    save(Neuron(2), path)


# IDX files

SIZES = st.lists(st.sampled_from([0, 1, 2, 3, 255, 2**16, 2**31, 2**32 - 1]), min_size=1, max_size=4)


@st.composite
def idx_files(draw: st.DrawFn) -> bytes:
    """Return a file whose header may claim any sizes."""
    sizes = draw(SIZES)
    length = math.prod(sizes)
    data = bytes(length) if length < 10_000 and draw(st.booleans()) else draw(st.binary(max_size=50))
    content = bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes) + data
    return gzip.compress(content, mtime=0) if draw(st.booleans()) else content


IDX = idx_files() | mutated(idx_files(), [b"\xff\xff\xff\xff", b"\0\0\x08\x03", b"\x1f\x8b\x08\0", b"\0" * 100]) | st.binary()
HUGE = b"\0\0\x08\x03" + b"\x7f\xff\xff\xff" * 3


@given(IDX, st.integers(1, 3))
@in_a_folder
@example(HUGE, 3)
@example(gzip.compress(HUGE, mtime=0), 3)
@example(gzip.compress(b"\0\0\x08\x01\0\0\0\x05" + bytes(50_000_000), mtime=0), 1)
def test_an_idx_file_is_read_or_refused_in_little_memory(tmp_path: Path, content: bytes, dimensions: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        sizes, data = read_idx(path, dimensions)
    except ValueError as refusal:
        assert str(path) in str(refusal)
    else:
        assert len(sizes) == dimensions and len(data) == math.prod(sizes)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 3_000_000 + 3 * len(content)
