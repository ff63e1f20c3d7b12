"""Instructions on single numbers, compiled by numba.

Where there are no matrices to be found, or only tiny ones, calling NumPy costs more than computing.  Here one loop goes through
the operations of a program one by one, each for a few dozen examples at once: it is an interpreter, the same for every program,
so it is compiled once and kept on disk.  Its branches are the rows of the table, written as Python by `autograd.symbol.source`,
the same text that records them.

>>> print(branch(0, primitives.sigmoid))
        if op == 0:
            for b in range(width):
                x = v[args[at], b]
                v[to, b] = (1.0 if (x >= 0.0) else exp(-absolute(x))) / (1.0 + exp(-absolute(x)))
<BLANKLINE>
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from autograd import primitives
from autograd.compiler.definitions import definition, has_definition
from autograd.compiler.layout import Array
from autograd.compiler.schedule import below, only_summed
from autograd.compiler.tracing import CONSTANTS, INPUTS, PARAMETERS, Graph
from autograd.files import cache_folder, write_whole
from autograd.primitives import Nary, Primitive, Unary
from autograd.rows import TABLE
from autograd.symbol import Symbol, source

__all__ = ["NativeMachine", "branch", "can_run", "interpreter", "interpreter_text"]

CODES: Final = {row: code for code, row in enumerate(TABLE.values())}
SUM: Final = len(CODES)  # two operations that are no rows: a gradient, summed over the batch; of a result, or of products
PRODUCTS: Final = len(CODES) + 1
MOST_SIZES: Final = 8  # of batches that stay prepared
TILE: Final = 1 << 15  # numbers that are worked on at once, so that they stay in the cache

HEAD: Final = '''from math import inf, nan
from numba import njit
import numpy as np
{imports}


@njit(cache=True, error_model="numpy", fastmath={{"reassoc", "contract"}})
def run(ops, tos, ats, args, v, inputs, parameters, gradient, out_rows, out):
    """Run a tape on all examples, as many at once as v has columns."""
    for i in range(len(parameters)):
        v[inputs.shape[1] + i, :] = parameters[i]
    for first in range(0, len(inputs), v.shape[1]):
        width = min(v.shape[1], len(inputs) - first)
        for j in range(inputs.shape[1]):
            for b in range(width):
                v[j, b] = inputs[first + b, j]
        if v.shape[1] == 1:
            one(ops, tos, ats, args, v.reshape(-1), gradient)
        else:
            many(ops, tos, ats, args, v, gradient, width)
        for j in range(len(out_rows)):
            for b in range(width):
                out[j, first + b] = v[out_rows[j], b]
'''
STEP: Final = """

@njit(cache=True, error_model="numpy", fastmath={{"reassoc", "contract"}})
def {signature}:
    for i in range(len(ops)):
        op, to, at, end = ops[i], tos[i], ats[i], ats[i + 1]
"""
LOOP: Final = """        if op == {code}:
            for b in range(width):
{operands}
                v[to, b] = {text}
"""
FOLD: Final = """        if op == {code}:
            for b in range(width):
                v[to, b] = v[args[at], b]
            for j in range(at + 1, end):
                for b in range(width):
                    v[to, b] = np.{fold}(v[to, b], v[args[j], b])
"""
DOT: Final = """        if op == {code}:
            n = (end - at) // 2
            for b in range(width):
                v[to, b] = v[args[end - 1], b] if (end - at) % 2 else 0.0
            for j in range(at, at + n):
                for b in range(width):
                    v[to, b] += v[args[j], b] * v[args[j + n], b]
"""
DOT_OF_ONE: Final = """        if op == {code}:
            n = (end - at) // 2
            total = v[args[end - 1]] if (end - at) % 2 else 0.0
            for j in range(at, at + n):
                total += v[args[j]] * v[args[j + n]]
            v[to] = total
"""
SUM_UP: Final = """        if op == {sum}:
            total = 0.0
            for b in range(width):
                total += v[args[at], b]
            gradient[to] += total
"""
SUM_PRODUCTS: Final = """        if op == {products}:
            n = (end - at) // 2
            total = 0.0
            for j in range(at, at + n):
                for b in range(width):
                    total += v[args[j], b] * v[args[j + n], b]
            gradient[to] += total
"""


def branch(code: int, row: Primitive) -> str:
    """Write the interpreter's branch for a row of the table."""
    return _branch(code, row)[0]


def _branch(code: int, row: Primitive) -> tuple[str, dict[str, Primitive]]:
    if isinstance(row, Nary) and row.fold:
        return FOLD.format(code=code, fold=row.fold), {}
    if row is primitives.dot:
        return DOT.format(code=code), {}
    names = ["x"] if isinstance(row, Unary) else ["x", "y", "z"] if isinstance(row, Nary) else ["x", "y"]
    text, calls = source(row.apply([Symbol(name) for name in names]))
    place = "v[args[at{}], b]"
    operands = "\n".join(f"                {name} = {place.format(f' + {i}' if i else '')}" for i, name in enumerate(names))
    return LOOP.format(code=code, operands=operands, text=text), calls


def interpreter_text() -> str:
    """Write the interpreter: once for many examples and once for one, where there are no loops over examples to set up."""
    written = [_branch(code, row) for row, code in CODES.items()]
    calls = {name: row for _, calls in written for name, row in calls.items()}
    imports = [
        f"from numpy import {row.array} as {name}" if isinstance(row.array, str)
        else f"from {row.function.__module__} import {row.function.__name__} as {name}"  # numba has erf from math alone
        for name, row in sorted(calls.items())
    ]  # fmt: skip
    branches = [text for text, _ in written] + [SUM_UP.format(sum=SUM), SUM_PRODUCTS.format(products=PRODUCTS)]
    dot = CODES[primitives.dot]
    one = [DOT_OF_ONE.format(code=dot) if code == dot else text for code, text in enumerate(branches)]
    many = STEP.format(signature="many(ops, tos, ats, args, v, gradient, width)") + _choice(branches)
    single = STEP.format(signature="one(ops, tos, ats, args, v, gradient)") + _choice(one)
    single = single.replace("range(width)", "range(1)").replace(", b]", "]")
    return HEAD.format(imports="\n".join(imports)) + many + single


def _choice(branches: Sequence[str]) -> str:
    return branches[0] + "".join(text.replace("        if", "        elif", 1) for text in branches[1:])


@functools.cache
def interpreter(dtype: Any) -> Callable[..., None]:
    """Return the compiled interpreter for a type of numbers, from disk if it was compiled before.

    It is kept, named by its text, in `autograd.files.cache_folder`.  What is damaged there is replaced.  Where nothing can be
    kept, it is compiled in a temporary folder, for this process only.

    Raises:
        ImportError: if numba is not installed, or does not work with NumPy.
    """
    importlib.import_module("numba")
    try:
        return _load(cache_folder(), dtype)
    except Exception:  # whatever is wrong with that folder; what is wrong with the interpreter itself will be raised again
        folder = tempfile.TemporaryDirectory(prefix="scalar-autograd-")
        atexit.register(folder.cleanup)
        return _load(Path(folder.name), dtype)


def _load(folder: Path, dtype: Any) -> Callable[..., None]:
    text = interpreter_text()
    path = folder / f"tape_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py"
    if not path.is_file() or path.read_bytes() != text.encode():
        write_whole(path, text.encode())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where numba looks for it when it loads what it compiled before
    try:
        spec.loader.exec_module(module)
        tape = [np.zeros(n, np.uint32) for n in (0, 0, 1, 0)]
        number, matrix, row = np.zeros(0, dtype), np.zeros((1, 1), dtype), np.zeros(1, np.intp)
        try:
            module.run(*tape, matrix, matrix, number, number, row, matrix)
        except Exception:  # numba compiles anew if its files are missing, not if it cannot read them
            for damaged in Path(module.run.stats.cache_path).glob(f"{path.stem}.*.nb[ci]"):
                damaged.unlink(missing_ok=True)
            module.run(*tape, matrix, matrix, number, number, row, matrix)
    except BaseException:
        del sys.modules[path.stem]
        raise
    run: Callable[..., None] = module.run
    return run


def can_run(graph: Graph) -> bool:
    """Say whether every operation of a graph is a row of the table, or made of such rows."""
    kinds = {(row, len(operands)) for row, operands in zip(graph.rows, graph.operands, strict=True) if row is not None}
    return all(row in CODES or has_definition(row, n) for row, n in kinds)


class NativeMachine:
    """A program on single numbers.

    Args:
        graph: in canonical form.
        outputs: the nodes that are wanted for each example.
        gradients: for each parameter, the node whose sum over the batch is its gradient.
        parameters: one flat array, which the calls read where it is.
        sizes: how many numbers each argument has per example.
    """

    def __init__(
        self, graph: Graph, outputs: Sequence[int], gradients: Sequence[int], parameters: Array, sizes: Sequence[int]
    ) -> None:
        self.run, self.parameters, self.sizes = interpreter(parameters.dtype), parameters, sizes
        tape = _Tape(graph, sum(sizes), parameters.size, [0, *np.cumsum(sizes)])
        wanted, ends = below(graph, outputs), only_summed(graph, outputs, gradients)
        for i in range(len(graph)):
            if i in wanted:
                tape.enter(i)
        self.forward = tape.arrays()
        for i in range(len(graph)):
            if i not in wanted and i not in ends:
                tape.enter(i)
        for parameter, i in enumerate(gradients):
            tape.sum(i, parameter, products=i in ends)
        self.whole = tape.arrays()
        self.n_rows, self.constants = tape.n_rows, tape.constants
        self.out_rows = np.array([tape.row[i] for i in outputs])
        self.sheets: dict[int, Array] = {}

    def outputs(self, arguments: Sequence[Array]) -> Array:
        """Return the outputs [outputs×batch] for arguments [batch×size]."""
        return self._run(arguments, self.forward)[0]

    def gradient(self, arguments: Sequence[Array], share: float) -> tuple[Array, Array]:
        """Return the outputs, and the gradient of the first, summed over the batch and multiplied by a share."""
        outputs, gradient = self._run(arguments, self.whole)
        gradient *= share
        return outputs, gradient

    def _run(self, arguments: Sequence[Array], tape: Sequence[Array]) -> tuple[Array, Array]:
        # What cannot be written to is another type to numba, for which it would compile anew.
        as_it_is = len(arguments) == 1 and arguments[0].flags.writeable
        inputs = arguments[0] if as_it_is else np.concatenate(arguments, axis=1)
        dtype = self.parameters.dtype
        gradient, out = np.zeros(self.parameters.size, dtype), np.empty((len(self.out_rows), len(inputs)), dtype)
        self.run(*tape, self._sheet(len(inputs)), inputs, self.parameters, gradient, self.out_rows, out)
        return out, gradient

    def _sheet(self, batch: int) -> Array:
        """Return an array with a row for each number of the program, and a column for each of some examples."""
        width = min(batch, max(8, TILE // self.n_rows))
        sheet = self.sheets.pop(width, None)
        if sheet is None:
            sheet = np.zeros((self.n_rows, width), self.parameters.dtype)
            for row, number in self.constants.items():
                sheet[row] = number
        self.sheets[width] = sheet  # the one that was used last stands last
        if len(self.sheets) > MOST_SIZES:
            del self.sheets[next(iter(self.sheets))]
        return sheet


class _Tape:
    """Operations, one after the other: what is done, where the result goes, and where the operands are."""

    def __init__(self, graph: Graph, n_inputs: int, n_parameters: int, starts: Sequence[int]) -> None:
        self.graph, self.n_rows = graph, n_inputs + n_parameters
        self.constants: dict[int, float] = {}
        self.row: dict[int, int] = {}
        self.ops: list[int] = []
        self.tos: list[int] = []
        self.ats: list[int] = [0]
        self.args: list[int] = []
        for i, leaf in graph.leaves.items():
            if leaf.space == CONSTANTS:
                self.row[i] = self.constant(leaf.number)
            else:
                self.row[i] = leaf.place + (n_inputs if leaf.space == PARAMETERS else starts[leaf.space - INPUTS])

    def new(self) -> int:
        """Return a row that is free."""
        self.n_rows += 1
        return self.n_rows - 1

    def constant(self, x: float) -> int:
        """Return the row of a number."""
        self.constants[self.n_rows] = x
        return self.new()

    def add(self, op: int, to: int, args: Sequence[int]) -> None:
        """Enter an operation."""
        self.ops.append(op)
        self.tos.append(to)
        self.args += args
        self.ats.append(len(self.args))

    def enter(self, i: int) -> None:
        """Enter a node."""
        row = self.graph.rows[i]
        if row is not None:
            self.row[i] = self.do(row, [self.row[j] for j in self.graph.operands[i]])

    def do(self, row: Primitive, args: Sequence[int]) -> int:
        """Enter a row of the table, or what another row is made of; return where its result is."""
        if row in CODES:
            to = self.new()
            self.add(CODES[row], to, args)
            return to
        graph, nodes, result = definition(row, len(args))
        places: dict[int, int] = {}
        for i in nodes:
            made_of, leaf = graph.rows[i], graph.leaves.get(i)
            if leaf is not None:
                places[i] = self.constant(leaf.number) if leaf.space == CONSTANTS else args[leaf.space - INPUTS]
            elif made_of is not None:
                places[i] = self.do(made_of, [places[j] for j in graph.operands[i]])
        return places[result]

    def sum(self, i: int, parameter: int, *, products: bool) -> None:
        """Enter the sum of a node over the batch, which is a parameter's gradient."""
        if products:
            self.add(PRODUCTS, parameter, [self.row[j] for j in self.graph.operands[i]])
        else:
            self.add(SUM, parameter, [self.row[i]])

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Return the tape as the interpreter takes it."""
        ops, tos, ats, args = (np.array(x, dtype=np.uint32) for x in (self.ops, self.tos, self.ats, self.args))
        return ops, tos, ats, args
