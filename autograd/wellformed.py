"""Checks that a row is well formed: a wrong part is refused when the row is made, not at the first call that needs it.

The functions are not called, but their signatures are inspected; the templates are parsed as they will be when filled in.

>>> from autograd import Unary
>>> Unary("cube", lambda x: x**3, lambda x: 3 * x * x)
Traceback (most recent call last):
TypeError: the rule ∂cube/∂x of the row 'cube' is called with (x, out), but it takes (x)
>>> Unary("half", lambda x: x / 2, lambda x, out: 0.5, text="{x} / 2")
Traceback (most recent call last):
ValueError: the text of the row 'half' is '{x} / 2'; it may contain {0} for operands; double other braces, {{ and }}
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from itertools import starmap
from string import Formatter
from typing import Any, Final

__all__ = ["SIGNS", "require_functions", "require_texts"]

SIGNS: Final = ((), ("+", "-"), ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">="))  # of operators, by arity
FUNCTIONS: Final = ("overflow", "kink", "unguarded")  # functions that a row need not have
TEMPLATES: Final = ("text", "latex", "code")


def require_functions(row: Any) -> None:
    """Raise a TypeError unless every function of a row, such as a rule, can be called with the arguments that it will get.

    Its singular points have to be tuples of operands, too.
    """
    operands = [*"xy"[: row.arity]] or ["operands"]

    def are_point_and_slopes(point: Any, slopes: Any) -> bool:
        is_pair = isinstance(point, tuple) and isinstance(slopes, tuple)
        return is_pair and len(point) == len(slopes) == (row.arity or len(point))

    more = {part: getattr(row, part) for part in FUNCTIONS if getattr(row, part) is not None}
    for part, function in {"function": row.function, **more, **row.rules}.items():
        names = [*operands, "out"] if part in row.rules else operands
        called, name = f"({', '.join(names)})", f"the {part} of the row {row.name!r}"
        if not callable(function):
            raise TypeError(f"{name} must be a function of {called}; got {function!r}")
        try:
            signature = inspect.signature(function)
            signature.bind(*names)
        except ValueError:  # some functions written in C have no signature
            continue
        except TypeError:
            if names != ["operands"]:  # with many operands, the function takes them one by one
                raise TypeError(f"{name} is called with {called}, but it takes {signature}") from None
    if not (isinstance(row.singular, Mapping) and all(starmap(are_point_and_slopes, row.singular.items()))):
        raise TypeError(f"the singular of the row {row.name!r} is {row.singular!r}; it maps points to slopes, both tuples with "
                        "an entry for each operand, such as {(0.0,): (1.0,)}")  # fmt: skip


def require_texts(row: Any) -> None:
    """Raise unless a row's texts are strings, its sign is an operator's, and its templates can be filled in.

    Raises:
        TypeError: for a part that is not text.
        ValueError: for an infix that is not an operator of this arity, or a template with a field that is not an operand.
    """
    for part in ("name", "infix", *TEMPLATES, "domain", "javascript"):
        if not isinstance(text := getattr(row, part), str):
            raise TypeError(f"the {part} of the row {row.name!r} must be text; got {text!r}")
    signs, places = SIGNS[row.arity], [str(i) for i in range(row.arity)]
    if row.infix and row.infix not in signs:
        allowed = f"it may be {', '.join(signs)}" if signs else "a row of many operands has none"
        text = f"{row.infix}{{0}}" if row.arity == 1 else f"{{0}} {row.infix} {{1}}"
        raise ValueError(f"the infix of the row {row.name!r} is {row.infix!r}; {allowed}; write others as text={text!r}")
    for part in TEMPLATES:
        template = getattr(row, part)
        try:
            found = [place for _, place, *_ in Formatter().parse(template) if place is not None]
        except ValueError:  # a single brace
            found = [""]
        if not all(place in places if places else place.isdecimal() for place in found):
            named = ", ".join(f"{{{place}}}" for place in places) if places else "{0}, {1}, {2}, …"
            raise ValueError(f"the {part} of the row {row.name!r} is {template!r}; it may contain {named} for operands; "
                             "double other braces, {{ and }}")  # fmt: skip
