"""The interpreter of tapes: one loop through the operations of a program, each for a few dozen examples at once.

It is the same for every program, so numba compiles it once, and it is kept on disk.  It has a branch for each row of the table,
with the formula that `autograd.writing.source` writes for the functions that record the row, too.

>>> print(branch(0, primitives.sigmoid)[0])
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
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from autograd import primitives
from autograd.files import cache_folder, write_whole
from autograd.primitives import Nary, Primitive
from autograd.rows import TABLE
from autograd.symbol import Symbol
from autograd.writing import source

__all__ = ["CODES", "FLUSH", "HAS_NUMBA", "PRODUCTS", "branch", "interpreter", "interpreter_text"]

CODES: Final = {row: code for code, row in enumerate(TABLE.values())}
PRODUCTS: Final = len(CODES)  # an operation that is not a row: a gradient, a sum of products, summed over the batch
HAS_NUMBA: Final = importlib.util.find_spec("numba") is not None
# The bits of x86's control word that make it treat subnormal numbers as 0; None on other processors.
FLUSH: Final = 0x8040 if platform.machine().lower() in ("x86_64", "amd64") else None

HEAD: Final = '''from math import inf, nan
from numba import njit
import numpy as np
{imports}


{exchange}


@njit(cache=True, error_model="numpy", fastmath={{"reassoc", "contract"}})
def run(ops, tos, ats, args, v, inputs, start, stop, parameters, gradient, out_rows, out, flush):
    """Run a tape on some of the examples, as many at once as v has columns."""
    if flush:
        before = exchange(np.uint32(0xFFFFFFFF), np.uint32({flush}))
    for i in range(len(parameters)):
        v[inputs.shape[1] + i, :] = parameters[i]
    for first in range(start, stop, v.shape[1]):
        width = min(v.shape[1], stop - first)
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
    if flush:
        exchange(np.uint32(0), before)


@njit(cache=True, error_model="numpy")
def train(tape, v, inputs, ends, parameters, gradient, out_rows, out, flush, rule, w, rule_rows, states, steps, rates, scalars):
    """Make steps until a loss or gradient is not finite, or an output is beyond the limits; return the number of steps made.

    The rows of `steps` hold for each step the factor of its gradient, and get its penalty and whether a gradient was not 0.
    """
    lowest, highest, l2, t = scalars
    start = np.intp(0)  # not a literal: `run` would be compiled once more for that type
    for step in range(len(ends)):
        stop, share = ends[step], steps[0, step]
        gradient[:] = 0.0
        run(tape[0], tape[1], tape[2], tape[3], v, inputs, start, stop, parameters, gradient, out_rows, out, flush)
        loss, penalty, moved = 0.0, 0.0, False
        for b in range(start, stop):
            loss += out[0, b] * share
            for j in range(1, len(out_rows)):
                if out[j, b] < lowest or out[j, b] > highest:
                    return step
        for i in range(len(parameters)):
            gradient[i] = gradient[i] * share + 2 * l2 * parameters[i]
            penalty += l2 * parameters[i] * parameters[i]
            moved |= gradient[i] != 0
            if not np.isfinite(gradient[i]):
                return step
        if not np.isfinite(loss + penalty):
            return step
        for first in range(0, len(parameters), w.shape[1]):
            width = min(w.shape[1], len(parameters) - first)
            for b in range(width):
                w[0, b], w[1, b], w[2, b], w[3, b] = parameters[first + b], gradient[first + b], rates[step], t + step
                for k in range(len(states)):
                    w[4 + k, b] = states[k, first + b]
            many(rule[0], rule[1], rule[2], rule[3], w, gradient, width)
            for b in range(width):
                parameters[first + b] = w[rule_rows[0], b]
                for k in range(len(states)):
                    states[k, first + b] = w[rule_rows[1 + k], b]
        steps[1, step], steps[2, step] = penalty, moved
        start = stop
    return len(ends)
'''
EXCHANGE: Final = '''from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


@intrinsic
def exchange(typing, keep, bits):
    """Set bits of the floating-point unit's control word, after those to keep; return the word before."""

    def build(context, builder, signature, args):
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte])
        word = cgutils.alloca_once(builder, ir.IntType(32))
        store, load = (cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse." + name)
                       for name in ("stmxcsr", "ldmxcsr"))
        builder.call(store, [builder.bitcast(word, byte)])
        before = builder.load(word)
        builder.store(builder.or_(builder.and_(before, args[0]), args[1]), word)
        builder.call(load, [builder.bitcast(word, byte)])
        return before

    return types.uint32(types.uint32, types.uint32), build
'''
NO_EXCHANGE: Final = "@njit(cache=True)\ndef exchange(keep, bits):\n    return keep"
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
SUM_PRODUCTS: Final = """        if op == {code}:
            n = (end - at) // 2
            total = {start}
            for j in range(at, at + n):
                for b in range(width):
                    total += v[args[j], b] * v[args[j + n], b]
            {target} total
"""


def branch(code: int, row: Primitive) -> tuple[str, dict[str, Primitive]]:
    """Write the interpreter's branch for a row of the table; return it, and the rows that it calls, by name."""
    if isinstance(row, Nary) and row.fold:
        return FOLD.format(code=code, fold=row.fold), {}
    if row is primitives.dot:
        return DOT.format(code=code), {}
    names = "xyz"[: row.arity or 3]  # the only n-ary row left is `where`
    text, calls = source(row.apply([Symbol(name) for name in names]))
    place = "v[args[at{}], b]"
    operands = "\n".join(f"                {name} = {place.format(f' + {i}' if i else '')}" for i, name in enumerate(names))
    return LOOP.format(code=code, operands=operands, text=text), calls


def interpreter_text() -> str:
    """Write the interpreter: once for many examples and once for a single one, without the loops over examples."""
    written = [branch(code, row) for row, code in CODES.items()]
    calls = {name: row for _, calls in written for name, row in calls.items()}
    imports = [
        f"from numpy import {row.array} as {name}" if isinstance(row.array, str)
        else f"from {row.function.__module__} import {row.function.__name__} as {name}"  # numba knows erf only from math
        for name, row in sorted(calls.items())
    ]  # fmt: skip
    branches = [text for text, _ in written] + [SUM_PRODUCTS.format(code=PRODUCTS, start="0.0", target="gradient[to] +=")]
    many = STEP.format(signature="many(ops, tos, ats, args, v, gradient, width)") + "".join(branches)
    dot, bias = CODES[primitives.dot], "v[args[end - 1], b] if (end - at) % 2 else 0.0"
    # The sum of a single example can stay in a local variable.
    branches[dot] = SUM_PRODUCTS.format(code=dot, start=bias, target="v[to, b] =")
    single = STEP.format(signature="one(ops, tos, ats, args, v, gradient)") + "".join(branches)
    single = single.replace("range(width)", "range(1)").replace(", b]", "]")
    exchange = NO_EXCHANGE if FLUSH is None else EXCHANGE
    return HEAD.format(imports="\n".join(imports), exchange=exchange.rstrip(), flush=FLUSH or 0) + many + single


@functools.cache
def interpreter(name: str, dtype: Any) -> Callable[..., Any]:
    """Return a compiled function of the interpreter for a type of numbers, from disk if it was compiled before.

    It is kept in `autograd.files.cache_folder`, under a hash of its text.  Damaged files are replaced.  If the folder cannot be
    used, a temporary one takes its place, for this process only.

    Args:
        name: ``"run"``, or ``"train"`` for many steps.
        dtype: NumPy's float64 or float32.

    Raises:
        ImportError: if numba is not installed, or does not work with NumPy.
    """
    importlib.import_module("numba")
    try:
        return _load(cache_folder(), name, dtype)
    except Exception:  # whatever is wrong with that folder; an error of the interpreter itself will be raised again
        folder = tempfile.TemporaryDirectory(prefix="scalar-autograd-")
        atexit.register(folder.cleanup)
        return _load(Path(folder.name), name, dtype)


@functools.cache
def _module(folder: Path) -> ModuleType:
    """Return the interpreter as a module, after writing its file to a folder if it is not there."""
    text = interpreter_text()
    path = folder / f"tape_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py"
    if not path.is_file() or path.read_bytes() != text.encode():
        write_whole(path, text.encode())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where numba looks for it when it loads what it compiled before
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def _load(folder: Path, name: str, dtype: Any) -> Callable[..., Any]:
    """Return a function of the interpreter after a first call, which compiles it."""
    module = _module(folder)
    function: Callable[..., Any] = getattr(module, name)
    tape = tuple(np.zeros(n, np.uint32) for n in (0, 0, 1, 0))
    numbers, matrix, rows = np.zeros(0, dtype), np.zeros((1, 1), dtype), np.zeros(1, np.intp)
    empty = {
        "run": (*tape, matrix, matrix, 0, 0, numbers, numbers, rows, matrix, False),
        "train": (tape, matrix, matrix, rows[:0], numbers, numbers, rows, matrix, False, tape, matrix, rows, matrix, matrix,
                  numbers, (0.0, 0.0, 0.0, 0)),
    }[name]  # fmt: skip
    try:
        function(*empty)
    except Exception:  # numba compiles anew if its files are missing, not if it cannot read them
        for damaged in Path(module.run.stats.cache_path).glob(f"{module.__name__}.*.nb[ci]"):
            damaged.unlink(missing_ok=True)
        function(*empty)
    return function
