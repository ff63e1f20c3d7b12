r"""Equations between matrices: as text, in LaTeX, and in HTML with MathML, which browsers typeset themselves.

>>> line = Equation("BP2", ["δ¹ = (W²)ᵀδ² ⊙ σ′(z¹) = ", Matrix([["0.1"], ["-0.2"]])])
>>> print(line)
BP2: δ¹ = (W²)ᵀδ² ⊙ σ′(z¹) = [[0.1], [-0.2]]
>>> print(line.latex)
\text{BP2: }\delta^{1} = (W^{2})^{\top}\delta^{2} \odot \sigma'(z^{1}) = \begin{bmatrix}0.1 \\ -0.2\end{bmatrix}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["Equation", "Matrix"]

# The symbols of the four equations, in LaTeX.
SYMBOLS: Final = {"δ": r"\delta", "σ": r"\sigma", "∂": r"\partial ", "∇": r"\nabla ", "⊙": r"\odot", "′": "'", "·": r"\cdot ",
                  "¹": "^{1}", "²": "^{2}", "ᵀ": r"^{\top}", "ₐ": "_{a}", ",": r",\quad "}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix, row by row, whose numbers are already text; a column vector has one number in each row."""

    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        return "[" + ", ".join(f"[{', '.join(row)}]" for row in self.rows) + "]"

    @property
    def latex(self) -> str:
        """The matrix in LaTeX."""
        return r"\begin{bmatrix}" + r" \\ ".join(" & ".join(row) for row in self.rows) + r"\end{bmatrix}"

    @property
    def html(self) -> str:
        """The matrix in MathML."""
        rows = "".join(f"<mtr>{''.join(f'<mtd><mn>{escape(x)}</mn></mtd>' for x in row)}</mtr>" for row in self.rows)
        return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation: a name such as BP1, which may be empty, then text such as ``W² = `` and matrices in turn."""

    name: str
    parts: Sequence[str | Matrix]

    def __str__(self) -> str:
        return f"{self.name}: " * bool(self.name) + "".join(map(str, self.parts))

    @property
    def latex(self) -> str:
        """The equation in LaTeX's mathematics mode."""
        parts = ["".join(SYMBOLS.get(c, c) for c in part) if isinstance(part, str) else part.latex for part in self.parts]
        return rf"\text{{{self.name}: }}" * bool(self.name) + "".join(parts)

    @property
    def html(self) -> str:
        """The equation as HTML."""
        parts = [_text(part) if isinstance(part, str) else part.html for part in self.parts]
        return f"{escape(self.name)}: " * bool(self.name) + f"<math>{''.join(parts)}</math>"


def _text(text: str) -> str:
    """Write symbols in MathML, where a plain space at the end would be dropped."""
    return f"<mtext>{escape(text).replace(' ', '&#160;')}</mtext>"
