r"""Converts this project's LaTeX to MathML, which browsers typeset without a script.

Every formula has its LaTeX already, written from the `Symbol`s of the table.  This LaTeX is a small language: names, numbers, a
dozen commands, fractions, roots, scripts and two environments.  Any other command, which a user-defined row may have, is shown
by its name.

>>> to_mathml(r"\frac{1}{w_{h}} = 2 \cdot x")
'<mfrac><mn>1</mn><msub><mi>w</mi><mi>h</mi></msub></mfrac><mo>=</mo><mn>2</mn><mo>·</mo><mi>x</mi>'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from html import escape
from typing import Final

from autograd.writing import ESCAPES

__all__ = ["COMMANDS", "math", "to_mathml"]

TOKEN: Final = re.compile(r"\\\\|\\[A-Za-z]+|\\.|[\d.]*\d|\s+|.", re.DOTALL)
SYMBOLS: Final = {
    "partial": "<mi>∂</mi>", "sigma": "<mi>σ</mi>", "eta": "<mi>η</mi>", "infty": "<mi>∞</mi>", "cdot": "<mo>·</mo>",
    "leq": "<mo>≤</mo>", "geq": "<mo>≥</mo>", "bmod": "<mo>mod</mo>", "cdots": "<mo>⋯</mo>", "ldots": "<mo>…</mo>",
    "leftarrow": "<mo>←</mo>", "lfloor": "<mo>⌊</mo>", "rfloor": "<mo>⌋</mo>", "lceil": "<mo>⌈</mo>", "rceil": "<mo>⌉</mo>",
    "quad": '<mspace width="1em"></mspace>', "allowbreak": "", " ": '<mspace width="0.3em"></mspace>',
}  # fmt: skip
FUNCTIONS: Final = {"arccos", "arcsin", "arctan", "cos", "cosh", "ln", "log", "sin", "sinh", "tan", "tanh"}
ENVIRONMENTS: Final = {"cases": "<mrow><mo>{{</mo>{}</mrow>"}
FENCES: Final = {
    **dict.fromkeys("([", ' form="prefix" stretchy="false"'), **dict.fromkeys(")]", ' form="postfix" stretchy="false"')
}  # fmt: skip
APPLY: Final = "<mo>\u2061</mo>"  # FUNCTION APPLICATION, which is invisible but read out by screen readers
COMMANDS: Final = {
    *SYMBOLS, *FUNCTIONS, "\\", "begin", "end", "frac", "left", "mathbb", "mathrm", "operatorname", "right", "sqrt", "text",
}  # fmt: skip


def math(latex: str) -> str:
    """Return a formula as a ``math`` element on a line of its own.

    >>> math("x")
    '<math display="block"><mi>x</mi></math>'
    """
    return f'<math display="block">{to_mathml(latex)}</math>'


def to_mathml(latex: str) -> str:
    r"""Return a formula of LaTeX's mathematics mode as MathML, without the ``math`` element around it.

    >>> to_mathml(r"\mathrm{out}^{2}"), to_mathml(r"\ln x")
    ('<msup><mi>out</mi><mn>2</mn></msup>', '<mi>ln</mi><mo>\u2061</mo><mi>x</mi>')
    """
    return "".join(_Reader(latex).parts(()))


class _Reader:
    def __init__(self, latex: str) -> None:
        self.tokens: list[str] = TOKEN.findall(latex)
        self.tokens.reverse()
        self.end = ""  # the token at which `parts` stopped, or an empty string

    def parts(self, ends: Collection[str]) -> list[str]:
        """Read up to and including one of some tokens, or to the end."""
        parts: list[str] = []
        while self.tokens:
            token = self.tokens.pop()
            if token in ends:
                self.end = token
                break
            if token in ("^", "_", "'"):
                base = parts.pop() if parts else "<mrow></mrow>"
                parts.append(self.scripts(base, token))
            elif token == "-" and (not parts or (parts[-1].startswith("<mo") and "postfix" not in parts[-1])):
                parts.append('<mo form="prefix">−</mo>')
            elif not token.isspace():
                parts.append(self.part(token))
        else:
            self.end = ""
        return [part for part in parts if part]

    def scripts(self, base: str, token: str) -> str:
        """Read the scripts of a base, of which `token` is the first sign, and put all into one element."""
        above, below, is_function = list[str](), "", base.endswith(APPLY)
        while True:
            if token == "_":
                below = self.argument()
            else:
                above.append("<mo>′</mo>" if token == "'" else self.argument())
            if not self.tokens or self.tokens[-1] not in ("^", "_", "'"):
                break
            token = self.tokens.pop()
        base, parts = base.removesuffix(APPLY), [part for part in (below, _row(above) if above else "") if part]
        tag = "msubsup" if len(parts) == 2 else "msub" if below else "msup"
        return f"<{tag}>{base}{''.join(parts)}</{tag}>" + APPLY * is_function

    def part(self, token: str) -> str:
        """Read the element that begins with a token."""
        if token == "{":
            return _row(self.parts("}"))
        if token[0].isdigit() or token[0] == ".":
            return f"<mn>{token}</mn>"
        if token.startswith("\\"):
            return self.command(token[1:])
        if token.isalpha():
            return f"<mi>{token}</mi>"
        form = FENCES.get(token, "")
        return f"<mo{form}>{escape(token.replace('-', '−'))}</mo>"

    def command(self, name: str) -> str:
        """Read the arguments of a command."""
        if name in SYMBOLS:
            return SYMBOLS[name]
        if name in FUNCTIONS:
            return f"<mi>{name}</mi>{APPLY}"
        read: dict[str, Callable[[], str]] = {
            "frac": lambda: f"<mfrac>{self.argument()}{self.argument()}</mfrac>",
            "sqrt": self.root,
            "left": self.fenced,
            "begin": self.table,
            "mathrm": lambda: f"<mi>{self.text()}</mi>",
            "mathbb": lambda: f'<mi class="double">{self.text()}</mi>',
            "operatorname": lambda: f"<mi>{self.text()}</mi>{APPLY}",
            "text": lambda: f"<mtext>{self.text()}</mtext>",
        }
        return read[name]() if name in read else f"<mi>{escape(name)}</mi>"

    def argument(self) -> str:
        """Read a group or a single token, as one element."""
        while self.tokens and self.tokens[-1].isspace():
            self.tokens.pop()
        return self.part(self.tokens.pop()) if self.tokens else "<mrow></mrow>"

    def text(self) -> str:
        """Read a group as text, in which a backslash makes the next character literal."""
        found, depth = [], 0
        while self.tokens:
            token = self.tokens.pop()
            depth += (token == "{") - (token == "}")
            if token == "}" and not depth:
                break
            if token not in ("{", "}"):
                found.append(NAMED.get(token, token.removeprefix("\\")))
        return escape("".join(found))

    def root(self) -> str:
        """Read a root, with its degree if it has one."""
        if self.tokens and self.tokens[-1] == "[":
            self.tokens.pop()
            degree = _row(self.parts("]"))
            return f"<mroot>{self.argument()}{degree}</mroot>"
        return f"<msqrt>{self.argument()}</msqrt>"

    def fenced(self) -> str:
        r"""Read a formula between \left and \right, with the two fences."""
        opening = self.part(self.tokens.pop())
        inside = self.parts((r"\right",))
        closing = self.part(self.tokens.pop()) if self.tokens else ""
        opening, closing = (fence.replace(' stretchy="false"', "") for fence in (opening, closing))
        return f"<mrow>{opening}{''.join(inside)}{closing}</mrow>"

    def table(self) -> str:
        """Read an environment: rows of cells."""
        name = self.text()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append("".join(self.parts(("&", "\\\\", r"\end"))))
            if self.end not in ("&", "\\\\"):
                self.text()  # the name after \end
                break
            if self.end == "\\\\":
                rows.append([])
        cells = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows)
        return ENVIRONMENTS.get(name, "{}").format(f'<mtable class="{escape(name)}" displaystyle="true">{cells}</mtable>')


NAMED: Final = {name.removesuffix("{}"): c for c, name in ESCAPES.items() if name.endswith("{}")}


def _row(parts: Sequence[str]) -> str:
    """Return parts as one element."""
    return parts[0] if len(parts) == 1 and not parts[0].endswith(APPLY) else f"<mrow>{''.join(parts)}</mrow>"
