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
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from autograd import primitives
from autograd.compiler.backward import Gradients
from autograd.compiler.definitions import expanded, has_definition
from autograd.compiler.layout import Array
from autograd.compiler.tracing import Graph
from autograd.compiler.version import Plan
from autograd.files import cache_folder, write_whole
from autograd.primitives import Nary, Primitive, Unary
from autograd.rows import TABLE
from autograd.symbol import Symbol, source

__all__ = ["NativeMachine", "branch", "can_run", "interpreter", "interpreter_text"]

CODES: Final = {row: code for code, row in enumerate(TABLE.values())}
SUM: Final = len(CODES)  # two operations that are no rows: a gradient, summed over the batch; of a result, or of products
PRODUCTS: Final = len(CODES) + 1
HAS_NUMBA: Final = importlib.util.find_spec("numba") is not None
BREAK_EVEN: Final = 2500  # operations on single numbers that take as long as one instruction on arrays
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
    """Return whether every operation of a graph is a row of the table, or made of such rows."""
    kinds = {(row, len(operands)) for row, operands in zip(graph.rows, graph.operands, strict=True) if row is not None}
    return all(row in CODES or has_definition(row, n) for row, n in kinds)


class NativeMachine:
    """A program on single numbers.

    Args:
        plan: the program, read as a graph, since a schedule and a layout would only cost time here.
        parameters: one flat array, which the calls read where it is.
    """

    def __init__(self, plan: Plan, parameters: Array) -> None:
        self.run, self.parameters = interpreter(parameters.dtype), parameters
        graph, forward, outputs, gradients = plan.passes
        if not CODES.keys() >= {*graph.rows} - {None}:
            graph, forward, places = expanded(graph, forward, CODES)
            outputs, gradients = [places[i] for i in outputs], gradients.moved(places)
        slot, self.n_slots = _slots(graph)
        self.constants = {slot[i]: x for i, x in graph.constants.items()}
        self.forward, self.whole = _tapes(graph, forward, gradients, slot)
        self.out_rows = slot[[*outputs]]
        self._sheet = functools.lru_cache(MOST_SIZES)(self._new_sheet)

    @classmethod
    def suits(cls, plan: Plan, batch: int) -> bool:
        """Return whether a batch is small, or the program has little structure.

        An array instruction costs a few calls of NumPy, as much as some 2,500 operations on single numbers in native code:
        there the two are equally fast, within a factor of 1.5, for networks, convolution and attention at batches up to 256.
        """
        return HAS_NUMBA and can_run(plan.passes.graph) and plan.has_more_groups(plan.passes.work * batch / BREAK_EVEN)

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
        dtype = self.parameters.dtype
        inputs = arguments[0] if as_it_is else np.concatenate(arguments or [np.zeros((1, 0), dtype)], axis=1)
        gradient, out = np.zeros(self.parameters.size, dtype), np.empty((len(self.out_rows), len(inputs)), dtype)
        width = min(len(inputs), max(8, TILE // self.n_slots))
        self.run(*tape, self._sheet(width), inputs, self.parameters, gradient, self.out_rows, out)
        return out, gradient

    def _new_sheet(self, width: int) -> Array:
        """Return an array with a slot for each number of the program, and a column for each of some examples."""
        sheet = np.zeros((self.n_slots, width), self.parameters.dtype)
        for slot, number in self.constants.items():
            sheet[slot] = number
        return sheet


def _slots(graph: Graph) -> tuple[Array, int]:
    """Return where the number of each node is, inputs first, then parameters; and how many slots there are."""
    n, first = len(graph.parameters), graph.n_leaves
    is_number = [row is not None or not operands for row, operands in zip(graph.rows, graph.operands, strict=True)]
    slots = np.cumsum(is_number) - 1
    slots[:n], slots[n:first] = np.arange(first - n, first), np.arange(first - n)
    return slots, int(np.count_nonzero(is_number))


def _tapes(graph: Graph, forward: int, gradients: Gradients, slot: Array) -> list[tuple[Array, Array, Array, Array]]:
    """Return the tapes of the forward pass and of both passes: what is done, where the result goes, where the operands are."""
    sizes = np.fromiter(map(len, graph.operands), np.intp, len(graph))
    flat = np.fromiter(chain.from_iterable(graph.operands), np.intp, sizes.sum())
    starts = np.cumsum(sizes) - sizes
    places = np.flatnonzero([row is not None for row in graph.rows])
    ops = np.array([CODES[row] for row in graph.rows if row is not None], np.uint32)
    # The operands of an operation are a piece of `flat`; those of a dot three: two lists, and perhaps the bias.
    pieces = np.zeros((3, 2, len(places)), np.intp)
    pieces[0] = starts[places], sizes[places]
    dots = np.flatnonzero(ops == CODES[primitives.dot])
    lists = flat[starts[places[dots]]], flat[starts[places[dots]] + 1]
    pieces[2][:, dots] = starts[places[dots]] + 2, sizes[places[dots]] - 2
    for piece, which in zip(pieces, lists, strict=False):
        piece[:, dots] = starts[which], sizes[which]
    lengths = pieces[:, 1].T.reshape(-1)
    first = pieces[:, 0].T.reshape(-1) - (np.cumsum(lengths) - lengths)
    args = slot[flat[np.repeat(first, lengths) + np.arange(lengths.sum())]]
    ends: list[tuple[int, Sequence[int], Array]] = [
        (SUM, [parameter], slot[[[node]]]) for parameter, node in gradients.nodes.items()
    ]
    matrices: dict[tuple[int, ...], Array] = {}
    for parameters, deltas, inputs in gradients.outers:
        if inputs not in matrices:
            matrices[inputs] = slot[np.array([graph.operands[i] for i in inputs])].T
        left = np.broadcast_to(slot[[*deltas]], matrices[inputs].shape)
        ends.append((PRODUCTS, parameters, np.concatenate([left, matrices[inputs]], axis=1)))
    counts = [pieces[:, 1].sum(axis=0), *(np.full(len(p), block.shape[1]) for _, p, block in ends)]
    tape = (
        np.concatenate([ops, *(np.full(len(p), op) for op, p, _ in ends)]),
        np.concatenate([slot[places], *(p for _, p, _ in ends)]),
        np.cumsum([0, *np.concatenate(counts)]),
        np.concatenate([args, *(block.reshape(-1) for _, _, block in ends)]),
    )
    ops, tos, ats, args = (x.astype(np.uint32) for x in tape)
    n = int(np.searchsorted(places, forward))
    return [(ops[:n], tos[:n], ats[: n + 1], args[: ats[n]]), (ops, tos, ats, args)]
