"""The grammar of formulas: what people type, read into postfix notation.  Nothing is run as Python.

`Reader` in answers.js reads the same grammar on a page, with the same messages.  From the loosest operation to the tightest:

    comparison   sum, or sum < sum, with one of < <= > >=
    sum          product + product - product …
    product      signed * signed / signed …, with one of * / % //
    signed       power, or -power, or +power
    power        operand, operand², or operand ** signed
    operand      number, name, function(…), function²(…), √operand, (…), |…|, ⌊…⌋, ⌈…⌉, or the condition [… > …]

The * of a product may be left out after a number, a closing parenthesis or a raised exponent, as in ``2x²(y + 1)``, unless the
product could then be read in two ways, as in ``1/2x``.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from autograd.primitives import Primitive
from autograd.rows import Nary
from autograd.tokens import (
    ALLOWED,
    BRACKETS,
    CALLED,
    CLOSING,
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    KINDS,
    KNOWN,
    LONGEST,
    NUMERAL,
    OPERATORS,
    ROOTS,
    SLIPS,
    WORD,
    Token,
    look_up,
    make_token,
    meant,
    normal,
    plain_text,
    spellings,
)
from autograd.writing import printable

__all__ = ["ExpressionError", "Reader", "Term", "excerpt"]

EXCERPT: Final = 30  # characters of the text that a message shows


class ExpressionError(ValueError):
    """An expression cannot be read, or is undefined at its operands; the message is one line and names the place.

    Attributes:
        problem: what is wrong, without the place.
        start, end: the part of the text that is at fault, as positions between characters, from 0.
    """

    problem = ""
    start = end = 0

    @classmethod
    def at(cls, problem: str, text: str, start: int, end: int) -> ExpressionError:
        """Return the error that names a part of a text and what is wrong with it."""
        part = excerpt(text[start:end])
        error = cls(f"column {start + 1}{part and f', `{part}`'}: {problem}")
        error.problem, error.start, error.end = problem, start, end
        return error


class Term(NamedTuple):
    """One entry of an expression in postfix notation.

    Attributes:
        meaning: a number, the name of a variable, or a row to apply.
        arity: the number of its operands; 0 for numbers and variables.
        start, end: the part of the text that it comes from.
    """

    meaning: float | str | Primitive
    arity: int
    start: int
    end: int


class Part:
    """A part of a formula that was read: its terms, where it is in the text, and whether it is a comparison."""

    __slots__ = ("end", "is_condition", "start", "terms")

    def __init__(self, terms: list[Term], start: int, end: int) -> None:
        self.terms, self.start, self.end, self.is_condition = terms, start, end, False


class Reader:
    """Reads one formula.

    Args:
        text: the formula, as it was typed.
        functions: the rows that it may call, by name.
        names: the variables that it may contain; None if any name is a variable.
        constants: numbers with a name, besides those of `CONSTANTS`.

    Attributes:
        terms: the formula in postfix notation.
        code: the formula as Python writes it, apart from conditions in brackets.

    Raises:
        ExpressionError: for anything but a formula.
    """

    def __init__(
        self, text: str, functions: Mapping[str, Primitive], names: Iterable[str] | None, constants: Mapping[str, float]
    ) -> None:
        self.text, self.functions, self.constants = text, functions, {**CONSTANTS, **constants}
        self.names = None if names is None else spellings(names)
        self.usable = [*(names or ()), *constants]
        self.tokens: list[Token] = []
        self.place = 0  # of the token that is read next
        self.unclear = ""  # the sign before the last operand, if a product with it could be read in two ways
        self.inside = ""  # the innermost bracket that is open
        if len(text) > LONGEST:
            raise self._refuse(f"{len(text):,} characters are too many; the limit is {LONGEST:,}", LONGEST, len(text))
        self._split()
        try:
            self.terms = self._comparison().terms
        except RecursionError:
            raise self._refuse("this is nested too deeply to be read", 0, len(text)) from None
        if self._token:
            raise self._misplaced(self._token)
        ends = [self.tokens[0].start, *(token.end for token in self.tokens)]
        spaces = [" " * (token.start - end) for end, token in zip(ends, self.tokens, strict=False)]
        self.code = "".join(space + token.code for space, token in zip(spaces, self.tokens, strict=True))

    def _refuse(self, problem: str, start: int, end: int) -> ExpressionError:
        return ExpressionError.at(problem, self.text, start, end)

    # ---- tokens

    def _split(self) -> None:
        """Find the tokens of the text."""
        plain = plain_text(self.text)
        if grouped := re.fullmatch(r"\s*[-+]?([1-9][0-9]{0,2}),([0-9]{3})\s*", plain):
            whole, rest = grouped.groups()
            problem = f"{whole},{rest} can be read in two ways; write {whole}{rest} or {whole}.{rest}"
            raise self._refuse(problem, grouped.start(1), grouped.end(2))
        plain = re.sub(r"^(\s*[-+]?[0-9]*),([0-9]+(?:[eE][-+]?[0-9]+)?\s*)$", r"\1.\2", plain)  # a number alone
        odd = [name for name in self.names or () if not re.fullmatch(f"{WORD}|{NUMERAL}", name)]
        odd_word = "|".join(map(re.escape, sorted(odd, key=len, reverse=True))) or "(?!)"
        patterns = [(kind, re.compile(pattern)) for kind, pattern in [("word", odd_word), *KINDS]]
        place = 0
        while place < len(plain):
            if plain[place].isspace():
                place += 1
                continue
            found = ((kind, match[0]) for kind, pattern in patterns if (match := pattern.match(plain, place)))
            kind, text = next((kind, text) for kind, text in found if kind != "indexed" or self._variable(text))
            self.tokens.append(make_token(kind.replace("indexed", "word"), text, place))
            place += len(text)
        if not self.tokens:
            raise self._refuse("the expression is empty", 0, 0)

    @property
    def _token(self) -> Token | None:
        """The token that is read next; None at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _is_at(self, *signs: str, ahead: int = 0) -> bool:
        """Whether one of these signs comes next, or after some more tokens."""
        place = self.place + ahead
        return place < len(self.tokens) and self.tokens[place].sign in signs

    def _take(self, *signs: str) -> Token | None:
        """Return the next token and go on, if it is one of these signs."""
        if not self._is_at(*signs):
            return None
        self.place += 1
        return self.tokens[self.place - 1]

    def _variable(self, word: str) -> str | None:
        """Return the variable that a word stands for, if only some are allowed and it is one of them."""
        return look_up(word, self.names or {})

    # ---- the rules of the grammar, from the loosest operation to the tightest

    def _comparison(self) -> Part:
        left = self._sum()
        sign = self._take(*COMPARISONS)
        if sign is None:
            return left
        left = _applied(sign, left, self._sum())
        left.is_condition = True
        if again := self._take(*COMPARISONS):
            raise self._refuse("only two numbers are compared at a time", again.start, again.end)
        return left

    def _sum(self) -> Part:
        left = self._product()
        while sign := self._take("+", "-"):
            left = _applied(sign, left, self._product())
        return left

    def _product(self) -> Part:
        left, before = self._signed(), ""
        while True:
            if sign := self._take("*", "/", "%", "//"):
                left = _applied(sign, left, self._signed())
                before = "" if sign.sign == "*" else sign.text
            elif self._is_product():
                left = _applied(self._implied(self.unclear or before), left, self._power())
            else:
                return left

    def _is_product(self) -> bool:
        """Whether the sign of a product is left out before the next token."""
        last, token = self.tokens[self.place - 1], self._token
        is_number = last.kind == "number" and last.text.strip("0.") != ""  # 0x10 is not a product
        if token is None or not (is_number or last.kind == "raised" or last.text == ")"):
            return False
        if token.kind == "word":
            return not token.text.startswith("_") and token.text not in SLIPS
        return token.sign in ROOTS or (token.sign in BRACKETS and not token.sign == self.inside == "|")

    def _implied(self, unclear: str) -> Token:
        """Return the sign that is left out before the next token, unless it is unclear because of the sign before."""
        last, token = self.tokens[self.place - 1 : self.place + 1]
        if unclear:
            both, product = f"{last.text}{token.text}", f"{_factor(last)}*{_factor(token)}"
            problem = (
                f"{both} after {unclear} can be read in two ways; write {product}, and parentheses around what belongs together"
            )
            raise self._refuse(problem, last.start, token.end)
        last.code += "*" if last.end == token.start else " *"
        return make_token("symbol", "*", token.start)

    def _signed(self) -> Part:
        signs = []
        while sign := self._take("+", "-"):
            signs.append(sign)
        part = self._power()
        for sign in reversed(signs):
            part = _applied(sign, part)
        return part

    def _power(self) -> Part:
        self.unclear = ""
        return self._raised(self._operand())

    def _raised(self, base: Part) -> Part:
        token = self._token
        if token and token.kind == "raised":
            self.place += 1
            return _applied(POWER, base, self._raised(_exponent(token)))
        if sign := self._take("**"):
            exponent = self._signed()
            self.unclear = sign.text
            return _applied(POWER, base, exponent)
        return base

    def _operand(self) -> Part:
        token = self._token
        if token is None:
            raise self._refuse("the expression ends too early", len(self.text), len(self.text))
        self.place += 1
        if token.kind == "number":
            return self._number(token)
        if token.kind == "word":
            return self._word(token)
        if token.sign in ROOTS:
            return self._root(token)
        if token.sign in BRACKETS:
            return self._bracket(token)
        is_known = token.kind == "raised" or token.sign in KNOWN
        raise self._wrong(token, f"a number or a name is missing before {token.text}" if is_known else _unknown(token))

    def _number(self, token: Token) -> Part:
        exponent = re.search("[eE][0-9]+$", token.text)
        if exponent and self._variable(exponent[0]):
            product = f"{token.text[: exponent.start()]}*{exponent[0]}"
            raise self._wrong(
                token, f"{token.text} can be read in two ways; write {product}, or the number without an exponent"
            )
        above, _, below = normal(token.text).partition("⁄")  # ½ is 1⁄2
        return _leaf(float(above) / float(below or 1), token)

    def _root(self, token: Token) -> Part:
        inner = self._operand()
        self.unclear = token.text
        name = ROOTS[token.sign]
        token.code = f"{name}("
        self.tokens[self.place - 1].code += ")"
        return Part([*inner.terms, Term(FUNCTIONS[name], 1, token.start, inner.end)], token.start, inner.end)

    def _bracket(self, token: Token) -> Part:
        outer, self.inside = self.inside, token.sign
        inner = self._comparison()
        closing = self._close(token)
        if token.sign == "[" and not inner.is_condition:
            raise self._wrong(token, "[ ] needs a condition, as in [x > 0]; parentheses are ( and )")
        self.inside, self.unclear = outer, ""
        terms = inner.terms
        if name := CALLED.get(token.sign):
            token.code, closing.code = f"{name}(", ")"
            terms = [*terms, Term(FUNCTIONS[name], 1, token.start, closing.end)]
        return Part(terms, token.start, closing.end)

    def _close(self, opening: Token) -> Token:
        """Take the sign that closes a bracket."""
        if closing := self._take(BRACKETS[opening.sign]):
            return closing
        if self._token is None or self._token.sign in CLOSING:
            raise self._wrong(opening, f"{opening.text} is not closed")
        raise self._misplaced(self._token)

    def _word(self, token: Token) -> Part:
        row, variable = self.functions.get(token.code), self._variable(token.text)
        if self._is_at("(") and (row or variable is None):
            if row is None:
                near = meant(token.text)
                product = f"; a product is written {token.text}*(…)" if len(token.text) == 1 else ""
                problem = f"there is no function {token.text}" + (f"; did you mean {near}?" if near else product)
                raise self._refuse(problem, token.start, self.tokens[self.place + self._width() - 1].end)
            return self._call(token, row)
        if variable is not None:
            return _leaf(variable, token)
        if row:
            return self._raised_function(token, row)
        if token.code in self.constants:
            return _leaf(self.constants[token.code], token)
        if token.text in SLIPS:
            raise self._wrong(token, SLIPS[token.text])
        if point := self._take("."):
            raise self._wrong(point, SLIPS["."])
        if self.names is not None:
            usable = ", ".join(self.usable)
            raise self._wrong(token, f"there is no {token.text} in this exercise; a formula may use {usable}")
        if keyword.iskeyword(token.code):
            raise self._wrong(token, "this is a reserved word of Python; give the variable another name")
        if not token.code.isidentifier():
            raise self._wrong(token, _unknown(token))
        return _leaf(token.code, token)

    def _raised_function(self, token: Token, row: Primitive) -> Part:
        """Read tanh²(x) or tanh^2(x): the power of a function's value."""
        is_sign = self._is_at("**") and self.place + 1 < len(self.tokens) and self.tokens[self.place + 1].kind == "number"
        exponents = self.tokens[self.place : self.place + 1 + is_sign]
        if not self._is_at("(", ahead=len(exponents)) or not (is_sign or exponents[0].kind == "raised"):
            raise self._wrong(token, f"{token.text} is a function; it is called as {row.usage}")
        if "⁻" in exponents[0].text:
            inverse = ", or the inverse function" * (exponents[0].text == "⁻¹")
            problem = f"can be read in two ways; write {token.text}(…){exponents[0].code}{inverse}"
            raise self._refuse(f"{token.text}{exponents[0].text} {problem}", token.start, exponents[0].end)
        self.place += len(exponents)
        exponent = self._number(exponents[1]) if is_sign else _exponent(exponents[0])
        called = self._call(token, row)
        token.code, closing = f"({token.code}", self.tokens[self.place - 1]
        closing.code += f"{''.join(each.code for each in exponents)})"
        for each in exponents:
            each.code = ""
        return Part([*called.terms, *exponent.terms, Term(POWER_ROW, 2, called.start, called.end)], called.start, called.end)

    def _call(self, token: Token, row: Primitive) -> Part:
        """Read the operands of a function, and apply it."""
        opening, outer = self.tokens[self.place], self.inside
        self.place, self.inside = self.place + 1, "("
        arguments: list[Any] = [] if self._is_at(")") else [self._argument(row)]
        while self._take(","):
            arguments.append(self._argument(row))
        closing = self._close(opening)
        self.inside, self.unclear = outer, ""
        if isinstance(row, Nary) and row.fold and arguments and not any(isinstance(x, list) for x in arguments):
            arguments = [arguments]  # prod(x, y) means prod([x, y])
            opening.code, closing.code = "([", "])"
        return self._application(token, row, arguments, closing.end)

    def _argument(self, row: Primitive) -> Part | list[Part]:
        """Read an operand of a function or, if it takes lists, a list of operands."""
        if row.arity or not self._is_at("[") or not self._is_at(",", ")", ahead=self._width()):
            return self._comparison()
        opening, outer = self.tokens[self.place], self.inside
        self.place, self.inside = self.place + 1, "["
        parts = [] if self._is_at("]") else [self._comparison()]
        while self._take(","):
            parts.append(self._comparison())
        self._close(opening)
        self.inside = outer
        return parts

    def _application(self, token: Token, row: Primitive, arguments: list[Any], end: int) -> Part:
        """Return a function applied to arguments, of which some may be lists."""
        if len(arguments) > 2 and row.folds:
            arguments = [self._application(token, row, arguments[:-1], end), arguments[-1]]
        try:
            operands = row.operands_from(arguments)
        except ValueError as error:
            raise self._refuse(str(error), token.start, end) from None
        except TypeError:
            operands = [[]]
        operands = [x[0] if isinstance(x, list) and len(x) == 1 and x[0].is_condition else x for x in operands]
        if any(isinstance(x, list) for x in operands):
            raise self._refuse(f"{token.text} is called as {row.usage}", token.start, end)
        terms: list[Term] = []
        for x in operands:
            terms += [Term(x, 0, token.start, end)] if isinstance(x, float) else x.terms  # a number is a default
        return Part([*terms, Term(row, len(operands), token.start, end)], token.start, end)

    # ---- refusals

    def _wrong(self, token: Token, problem: str) -> ExpressionError:
        """Return the refusal of a token."""
        return self._refuse(problem, token.start, token.end)

    def _misplaced(self, token: Token) -> ExpressionError:
        """Return the refusal of the next token, which does not continue what stands before it."""
        last = self.tokens[self.place - 1]
        if token.text in SLIPS or token.sign in SLIPS:
            return self._wrong(token, _unknown(token))
        if last.kind == token.kind == "number":
            advice = "if this is one number, it is written without spaces, as in 1000 or 1.5"
            return self._wrong(token, f"an operator is missing between {last.text} and {token.text}; {advice}")
        if token.kind in ("word", "number") or token.sign in (*ROOTS, *BRACKETS):
            both, product = f"{last.text} and {token.text}", f"{_factor(last)}*{_factor(token)}"
            return self._wrong(token, f"an operator is missing between {both}; a product is written {product}")
        if token.sign in CLOSING:
            return self._wrong(token, f"there is no {CLOSING[token.sign]} before {token.text}")
        return self._wrong(token, _unknown(token))

    def _width(self) -> int:
        """Return how many tokens there are from the bracket that comes next to the one that closes it."""
        depth = 0
        for n, token in enumerate(self.tokens[self.place :], 1):
            depth += (token.sign in CLOSING.values()) - (token.sign in CLOSING)
            if not depth:
                return n
        return len(self.tokens) - self.place


def excerpt(text: str) -> str:
    """Return a part of a text as messages show it: on one line, and shortened."""
    return printable(text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…")


def _factor(token: Token) -> str:
    """Return how a message writes a factor that begins or ends with a token."""
    opening = CLOSING.get(token.sign, token.sign)
    return f"{opening}…{BRACKETS[opening]}" if opening in BRACKETS else token.text


def _leaf(meaning: float | str, token: Token) -> Part:
    return Part([Term(meaning, 0, token.start, token.end)], token.start, token.end)


def _exponent(token: Token) -> Part:
    """Return a raised exponent: ⁻² is 0 - 2, and ³⁻¹ is 3 - 1."""
    first, *others = (float(number or 0) for number in normal(token.text).split("−"))
    return _leaf(first - sum(others), token)


def _applied(sign: Token, *parts: Part) -> Part:
    """Return the operation of a sign, applied to its operands."""
    start = sign.start if len(parts) == 1 else parts[0].start
    term = Term(OPERATORS[sign.sign, len(parts)], len(parts), start, parts[-1].end)
    return Part([*(term for part in parts for term in part.terms), term], start, parts[-1].end)


def _unknown(token: Token) -> str:
    """Return what is wrong with a sign that has no meaning."""
    return SLIPS.get(token.text, SLIPS.get(token.sign, f"{printable(token.text)} has no meaning here; {ALLOWED}"))


POWER: Final = make_token("symbol", "**", 0)
POWER_ROW: Final = OPERATORS["**", 2]
