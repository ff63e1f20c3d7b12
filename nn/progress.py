"""A progress bar for long training runs; it needs tqdm, and appears only at a terminal or in a notebook."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

__all__ = ["bar_over"]


class _Hidden:
    """Replaces a bar; it shows nothing, and all its methods do nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def bar_over(wanted: bool, epochs: int) -> Any:
    """Return a bar of tqdm that appears after a second, if wanted and someone watches: at a terminal or in a notebook."""
    if wanted and (_in_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
        with suppress(ImportError):  # of tqdm, or in a notebook of the widgets that it draws with
            return import_module("tqdm.auto").tqdm(total=epochs, unit="epoch", delay=1.0, leave=False)
    return _Hidden()


def _in_notebook() -> bool:
    """Whether this runs in a notebook, where nothing is a terminal and yet someone watches."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
