r"""Worksheets: the questions, then the solutions on pages of their own; as a web page, LaTeX or plain text.

>>> from autograd.exercises.graphs import exercises
>>> sheet = worksheet(exercises(seed=1, level=3, count=2), solutions=True)
>>> sheet.tex.count(r"\section*"), r"\newpage" in sheet.tex
(4, True)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from autograd.drawing.as_tikz import GLYPH, in_ascii
from autograd.exercises.asking import Exercise
from autograd.files import write_whole
from autograd.writing import escaped

__all__ = ["Worksheet", "worksheet"]

STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1, pre { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; }
p:has(> math) { overflow-x: auto; }
section { break-inside: avoid; }
.solutions { break-before: page; }
"""


@dataclass(frozen=True)
class Worksheet:
    """A printable sheet of exercises.

    Attributes:
        tasks: the exercises.
        solutions: whether their solutions follow, on pages of their own.
        title: the heading.
    """

    tasks: tuple[Exercise, ...]
    solutions: bool = False
    title: str = "Backpropagation by hand"

    @property
    def text(self) -> str:
        """The sheet as text."""
        parts = [f"{i}. {task.text}" for i, task in enumerate(self.tasks, 1)]
        if self.solutions:
            parts += ["Solutions", *(f"{i}. {task.solution}" for i, task in enumerate(self.tasks, 1))]
        return "\n\n".join(parts)

    @property
    def html(self) -> str:
        """The sheet as a web page that loads nothing from the network."""
        return "\n".join(["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
                          '<meta name="viewport" content="width=device-width, initial-scale=1">',
                          f"<title>{escape(self.title)}</title><style>{STYLE}</style></head><body><main>", *self._html_body(),
                          "</main></body></html>", ""])  # fmt: skip

    def _html_body(self) -> Iterator[str]:
        yield f"<h1>{escape(self.title)}</h1>"
        for i, task in enumerate(self.tasks, 1):
            yield f"<section><h2>Exercise {i}</h2>{task.html}</section>"
        if self.solutions:
            yield '<div class="solutions"><h1>Solutions</h1>'
            for i, task in enumerate(self.tasks, 1):
                yield f"<section><h2>Exercise {i}</h2>{task.solution_html}</section>"
            yield "</div>"

    @property
    def tex(self) -> str:
        """The sheet as a LaTeX document for pdflatex."""
        return "\n".join([r"\documentclass[a4paper]{article}", r"\usepackage[utf8]{inputenc}", r"\usepackage{amsmath,amssymb}",
                          r"\usepackage[margin=2.2cm]{geometry}", r"\setlength{\parindent}{0pt}", GLYPH,
                          r"\begin{document}", *map(in_ascii, self._tex_body()), r"\end{document}", ""])  # fmt: skip

    def _tex_body(self) -> Iterator[str]:
        yield rf"\begin{{center}}\Large {escaped(self.title)}\end{{center}}"
        for i, task in enumerate(self.tasks, 1):
            yield rf"\section*{{Exercise {i}}}"
            yield from (rf"\[{note.latex}\]" for note in task.notes)
            yield rf"Given ${task.given_latex}$. {escaped(task.question)}\[{task.latex}\]"
        if self.solutions:
            yield r"\newpage"
            for i, task in enumerate(self.tasks, 1):
                yield rf"\section*{{Solution {i}}}"
                yield from (rf"\[{part}\]" for part in task.solution_latex)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sheet to a file and return its path.

        Args:
            path: a name that ends in .html, .tex or .txt.

        Raises:
            ValueError: for any other suffix.
        """
        path = Path(path)
        written = {".html": "html", ".htm": "html", ".tex": "tex", ".txt": "text"}
        if path.suffix.lower() not in written:
            raise ValueError(f"a worksheet cannot be saved as {path.name!r}; end the name in .html, .tex or .txt")
        write_whole(path, getattr(self, written[path.suffix.lower()]).encode())
        return path

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return "\n".join(self._html_body())


def worksheet(tasks: Iterable[Exercise], *, solutions: bool = False, title: str = "Backpropagation by hand") -> Worksheet:
    """Put exercises on a sheet.

    Args:
        tasks: the exercises, such as `exercises` makes.
        solutions: whether the solutions follow, on pages of their own.
        title: the heading.

    Raises:
        TypeError: for anything but exercises.
        ValueError: if there are none.
    """
    sheet = tuple(tasks) if isinstance(tasks, Iterable) and not isinstance(tasks, set | frozenset) else None
    if sheet is None or not all(isinstance(task, Exercise) for task in sheet):
        raise TypeError(f"a worksheet takes a list of exercises, not {tasks!r}")
    if not sheet:
        raise ValueError("a worksheet needs one exercise or more")
    return Worksheet(sheet, solutions, title)
