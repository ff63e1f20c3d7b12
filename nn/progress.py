"""A progress bar for long training runs; it needs tqdm, and appears only at a terminal or in a notebook."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = ["Bar", "bar_over"]


class Bar:
    """A progress bar from tqdm, or a stand-in that shows nothing."""

    def __init__(self, bar: Any = None) -> None:
        self.bar = bar

    def update(self, text: str) -> None:
        """Count one more epoch, and show a text beside the bar."""
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update()

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()


def bar_over(wanted: bool, epochs: int) -> Bar:
    """Return a bar that appears after a second, if it is wanted and someone watches: at a terminal or in a notebook."""
    if not wanted or not (_in_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
        return Bar()
    try:
        tqdm = import_module("tqdm.auto").tqdm
        return Bar(tqdm(total=epochs, unit="epoch", delay=1.0, leave=False))
    except ImportError:  # of tqdm, or in a notebook of the widgets that it draws with
        return Bar()


def _in_notebook() -> bool:
    """Whether this runs in a notebook, where nothing is a terminal and yet someone watches."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
