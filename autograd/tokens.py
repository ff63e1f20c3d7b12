"""The words and signs of formulas: which there are, how people and Python write them, and how a text is cut into them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import e, inf, nan, pi, tau
from typing import Final

from autograd.primitives import Primitive, Unary, absolute
from autograd.rows import TABLE
from autograd.writing import RAISED

__all__ = [
    "ALLOWED", "BRACKETS", "CALLED", "CLOSING", "COMPARISONS", "CONSTANTS", "FUNCTIONS", "KINDS", "KNOWN", "LONGEST", "MEANT",
    "NUMERAL", "OPERATORS", "ROOTS", "SIGNS", "SLIPS", "WORD", "Token", "look_up", "make_token", "meant", "normal",
    "plain_text", "spellings",
]  # fmt: skip

LONGEST: Final = 2000  # characters
CLOSE: Final = 0.8  # similarity of two names, from 0 to 1, from which on one may be a typing error for the other

FUNCTIONS: Final[dict[str, Primitive]] = TABLE | {"abs": absolute}
CONSTANTS: Final[dict[str, float]] = {"e": e, "inf": inf, "nan": nan, "pi": pi, "tau": tau}
ALIASES: Final = {"∞": "inf", "NaN": "nan", "π": "pi", "σ": "sigmoid"}  # and how Python writes them
# The names that other languages and textbooks have for our functions, which are called as in NumPy.
SYNONYMS: Final = {
    "abs": "fabs", "arccos": "acos", "arccosh": "acosh arcosh", "arcsin": "asin", "arcsinh": "asinh arsinh",
    "arctan": "atan arctg", "arctan2": "atan2", "arctanh": "atanh artanh", "ceil": "ceiling", "cos": "cosine cosinus",
    "cosh": "ch", "divide": "div", "dot": "inner", "log": "ln", "log10": "lg", "log2": "lb ld",
    "logsumexp": "lse", "maximum": "max fmax", "minimum": "min fmin", "multiply": "mul", "negative": "neg", "power": "pow",
    "prod": "product", "remainder": "fmod mod modulo rem", "rint": "round", "sigmoid": "expit logistic sigm sigma σ",
    "sign": "sgn signum", "sin": "sinus", "sinh": "sh", "step": "heaviside", "subtract": "sub", "tan": "tangent tg",
    "tanh": "th", "total": "sum", "trunc": "fix", "where": "cond ifelse iif select",
}  # fmt: skip
MEANT: Final = {other: ours for ours, others in SYNONYMS.items() for other in others.split()}
OPERATORS: Final = {(row.infix, 1 if isinstance(row, Unary) else 2): row for row in FUNCTIONS.values() if row.infix}
ARITHMETIC: Final = "+ - * / ** % //"
ALLOWED: Final = f"an expression consists of numbers, names, {ARITHMETIC}, comparisons, parentheses and functions"

# Signs as people write them, and as Python does.
MINUS: Final = "−–\u2010\u2011"  # characters that are read as -, also in the exponent of a number, as in 2e−3
SIGNS: Final = {
    **dict.fromkeys("·⋅∙•∗×", "*"), **dict.fromkeys("÷\u2215\u2044", "/"), "^": "**", "≤": "<=", "≥": ">=",
}  # fmt: skip
# Signs and words that do not belong in a formula, and what to write instead.
CONDITIONS: Final = "conditions are joined by * for and, by maximum(a, b) for or"
EQUALITY: Final = "numbers are compared with < <= > >="
SLIPS: Final = {
    **dict.fromkeys(("and", "or", "&"), CONDITIONS), **dict.fromkeys(("==", "!=", "≠"), EQUALITY),
    **dict.fromkeys(("if", "else"), "if and else are written where(condition, a, b)"),
    **dict.fromkeys(("{", "}"), "parentheses are ( and )"), **dict.fromkeys((":", "\u2236"), "a division is written with /"),
    "=": "an expression has no =; values are given separately",
    "=<": "less or equal is written <=", "=>": "greater or equal is written >=",
    ",": "a comma separates the operands of a function, as in maximum(x, y); a decimal number has a point, as in 0.5",
    ";": "the operands of a function are separated by commas, as in maximum(x, y)",
    ".": "a point belongs between digits, as in 0.5; a function is called by its name alone, as in tanh(x)",
    **dict.fromkeys(("\\", "$"), "LaTeX is not read; write 1/2 for \\frac{1}{2}, and x**2 for x^{2}"),
}  # fmt: skip

ROOTS: Final = {"√": "sqrt", "∛": "cbrt"}
BRACKETS: Final = {"(": ")", "[": "]", "⌊": "⌋", "⌈": "⌉", "|": "|"}  # each with what closes it
CALLED: Final = {"⌊": "floor", "⌈": "ceil", "|": "abs"}  # the functions of brackets
CLOSING: Final = {closing: opening for opening, closing in BRACKETS.items() if closing != opening}
COMPARISONS: Final = ("<", "<=", ">", ">=")
KNOWN: Final = {sign for sign, _ in OPERATORS} | CLOSING.keys()  # signs that may stand somewhere, but not for an operand
NOT_LETTERS: Final = "⁰¹²³⁴-⁹¼-¾⅐-⅞"  # which a regular expression counts as parts of words
NUMERAL: Final = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[¼-¾⅐-⅞]"
WORD: Final = rf"[^\W\d{NOT_LETTERS}][^\W{NOT_LETTERS}]*(?:[\u0300-\u036f]+[^\W{NOT_LETTERS}]*)*|∞"
EXPONENT: Final = rf"(?:⁻?[{RAISED}]+)+"
INDEXED: Final = r"[^\W\d_]+(?:\^?\([0-9]+\)|\^\{\([0-9]+\)\})?(?:_?[0-9]+|_\{[0-9]+\})"  # w₁ as w_{1}, z⁽²⁾₀ as z^(2)_0
SYMBOL: Final = r"\*\*|//|[<>=!]=|=[<>]|\S"
KINDS: Final = [
    ("indexed", INDEXED),
    ("number", NUMERAL),
    ("word", WORD),
    ("raised", EXPONENT),
    ("symbol", SYMBOL),
]  # of tokens


@dataclass(slots=True)
class Token:
    """A number, a word, a raised exponent or a symbol.

    Attributes:
        kind: "number", "word", "raised" or "symbol".
        text: as it was typed, but with ordinary digits and minus signs, and letters and signs of ordinary width.
        start: where it begins in the text.
        sign: the symbol as Python writes it, or an empty string.
        code: what Python writes in its place.
    """

    kind: str
    text: str
    start: int
    sign: str
    code: str

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.start + len(self.text)


def meant(name: str) -> str | None:
    """Guess which function is meant by a name: a synonym, a name with the same letters, or one that is nearly the same.

    >>> meant("ln"), meant("tahn"), meant("sigmiod"), meant("Tanh"), meant("f")
    ('log', 'tanh', 'sigmoid', 'tanh', None)
    """
    name = name.lower()
    known = MEANT | {ours: ours for ours in FUNCTIONS}
    anagrams = [other for other in known if sorted(other) == sorted(name)]
    near = [name] if name in known else [*anagrams, *difflib.get_close_matches(name, known, cutoff=CLOSE)]
    return next((known[other] for other in near if known[other] in FUNCTIONS), None)  # not every synonym has a row


def make_token(kind: str, text: str, start: int) -> Token:
    """Return a token, as it is before the formula is read."""
    sign = SIGNS.get(text, text) if kind == "symbol" else ""
    code = sign
    if kind == "number":
        code = re.sub("(.*)⁄(.*)", r"(\1/\2)", normal(text)).lstrip("0")
        code = code if code[:1].isdigit() or code[:1] == "(" else f"0{code}"
    elif kind == "raised":
        code = f"**({normal(text)})".replace("−", "-") if "⁻" in text else f"**{normal(text)}"
    elif kind == "word":
        code = ALIASES.get(text, normal(text))
    return Token(kind, text, start, sign, code)


def spellings(names: Iterable[str]) -> dict[str, str]:
    """Return names by each of their spellings that belongs to only one of them.

    >>> spellings(["w₁", "x"])
    {'w1': 'w₁', 'x': 'x', 'w₁': 'w₁'}
    """
    known, found = [name for name in names if not re.fullmatch(NUMERAL, name)], dict[str, str]()
    for spell in (on_one_line, normal, str):
        spelled = [plain_text(spell(name)) for name in known]
        counts = Counter(spelled)
        found |= {text: name for text, name in zip(spelled, known, strict=True) if counts[text] == 1}
    return found


def look_up(word: str, spelled: Mapping[str, str]) -> str | None:
    """Return the name that a word stands for, however it is spelled, or None; `spelled` comes from `spellings`.

    >>> look_up("w_{1}", spellings(["w₁", "x"]))
    'w₁'
    """
    return next((spelled[each] for each in (word, normal(word), on_one_line(word)) if each in spelled), None)


def plain_text(text: str) -> str:
    r"""Return a text of the same length, with digits, minus signs and characters of full width as the ordinary ones.

    >>> plain_text("\uff12e\u22123")
    '2e-3'
    """
    return "".join(
        ["-" if c in MINUS else normal(c) if "\uff01" <= c <= "\uff5e" or unicodedata.category(c) == "Nd" else c for c in text]
    )


def normal(text: str) -> str:
    """Return a text in ordinary characters: x₁ as x1, and ½ as 1⁄2."""
    return unicodedata.normalize("NFKC", text)


def on_one_line(name: str) -> str:
    """Return a name without the signs that LaTeX and keyboards need for its indices: w_{1} as w1, and z^(2)_0 as z(2)0."""
    return re.sub("[_^{}]", "", normal(name))
