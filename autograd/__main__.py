"""The command line: ``python -m autograd`` for a demonstration, or with an expression to differentiate it.

Everything is computed before anything is printed: a command prints either its whole answer or, with status 2, one line on
standard error that explains why there is none.

>>> main(["x**2 + 1", "x=3"])
f = x**2 + 1 = 10
<BLANKLINE>
    ∂f/∂x = 6  at x = 3
0
"""

from __future__ import annotations

import argparse
import codecs
import io
import json
import math
import os
import re
import sys
import tempfile
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from autograd.demo import demonstrate, line_up, signed
from autograd.derivation import explain
from autograd.expressions import CONSTANTS, FUNCTIONS, Expression, ExpressionError, parse
from autograd.mistakes import MISTAKES
from autograd.nonfinite import find_nonfinite
from autograd.notation import Notation
from autograd.steps import Walk, walk
from autograd.value import Value
from autograd.writing import LOWERED, RAISED, UNSHIFTED, digits, printable

if TYPE_CHECKING:
    from autograd.checking.report import Report
    from autograd.drawing import Drawing
    from autograd.player import Player

__all__ = ["main"]

STATUSES: Final = {"wrong": 1, "kink": 3}  # by the verdict of a check; 2 is for errors

COMMAND: Final = "python -m autograd"
EXAMPLE: Final = f"{COMMAND} 'tanh(w*x + b)**2' w=0.5 x=2 b=-0.4"
WRITTEN: Final = (
    f"Lists are written [x, y], as in dot([u, v], [x, y]); {', '.join(CONSTANTS)} are constants.\n"
    "x², √x, |x|, 2x, x·y and tanh²(x) may be written as in books."
)
OPTION: Final = re.compile(r"-|--|-h|--[a-z]+(=.*)?", re.DOTALL)
# Replacements for characters that the terminal's encoding lacks.
SPELLED: Final = {
    **dict(zip("∂δση·×√∞≤≥≠−─▶←…′⁽⁾",
               ["d", "delta", "sigma", "eta", "*", "*", "sqrt ", "inf", "<=", ">=", "!=", "-", "-", ">", "<-", "...", "'", "(",
                ")"], strict=True)),
    **{c: f"^{i}" for i, c in enumerate(RAISED)},
    **{c: str(i) for i, c in enumerate(LOWERED)},
}  # fmt: skip


class UsageError(ValueError):
    """The command line is invalid, or cannot be carried out."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are exceptions."""

    def error(self, message: str) -> NoReturn:
        """Raise the error instead of printing the usage and exiting."""
        shown = message.replace(r"\x00", "").replace("\0", "")  # without the NUL that `run` may have put there
        raise UsageError(f"{shown}; {COMMAND} --help lists the options")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and print its answer.

    Args:
        argv: the words after ``python -m autograd``; those of this process if None.

    Returns:
        The exit status: 0; 1 if ``--check`` finds a wrong gradient, 3 if it finds a kink and nothing wrong; 2 after one line
        on standard error that explains what is wrong.
    """
    try:
        text, status = run(sys.argv[1:] if argv is None else argv)
    except (UsageError, ExpressionError) as error:
        print(f"{COMMAND}: error: {_printable(str(error))}", file=sys.stderr)
        return 2
    print(text)
    return status


def run(argv: Sequence[str]) -> tuple[str, int]:
    """Run a command line; return the text to print, and the exit status.

    Raises:
        UsageError: if it is invalid, or a file cannot be written.
        ExpressionError: if the expression cannot be read, or is undefined at the given numbers.
    """
    parser = make_parser()
    # A word such as -x**2 is an expression, not an option; a NUL before it, which no shell can pass, hides it from argparse.
    words = [word if OPTION.fullmatch(word) or not word.startswith("-") else f"\0{word}" for word in argv]
    options = parser.parse_intermixed_args(words)
    given = [f"--{name}" for name, value in vars(options).items() if value not in (None, False) and name != "words"]
    if options.help:
        return parser.format_help().rstrip(), 0
    if options.version:
        return f"scalar-autograd {_version()}", 0
    if options.exercise is not None:
        return practise_at(options, given), 0
    if options.site is not None or options.vendor is not None or options.serve is not None:
        return publish(options, given), 0
    if options.seed is not None:
        raise UsageError("--seed chooses exercises; give their level, as in --exercise 1 --seed 3")
    if not options.words and given:
        raise UsageError(f"{given[0]} needs an expression, as in: {EXAMPLE} {given[0]}")
    if not options.words:
        return demonstrate(Path()), 0
    refuse_lost_text(options)
    text, *values = options.words
    expression = parse(text)
    variables = read_values(values, expression)
    wanted = choose(options.wrt, expression)
    result = expression.evaluate(variables)
    if isinstance(result, Value):
        return differentiate(expression, variables, wanted, result, options)
    if given:
        raise UsageError(f"{given[0]} needs a variable, and there is none in {text}")
    return f"{_printable(text)} = {digits(result)}", 0


def make_parser() -> Parser:
    """Make the parser of the command line, with a help text for every option."""
    from autograd.drawing.formats import suffixes

    functions = textwrap.fill(", ".join(sorted(FUNCTIONS)), 78, initial_indent="  ", subsequent_indent="  ")
    parser = Parser(
        prog=COMMAND,
        usage="%(prog)s [EXPRESSION [NAME=NUMBER ...]] [options]",
        description="Without an expression, go through a small network, one link of the chain rule at a time.\n"
        f"With one, print its value and its derivative with respect to each variable.  For example\n\n  {EXAMPLE}",
        epilog=f"functions:\n{functions}\n\n{WRITTEN}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", type=_unhidden, help=argparse.SUPPRESS)
    for flags, text in {
        ("-h", "--help"): "show this help",
        ("--version",): "show the version",
        ("--steps",): "show each step of the forward and the backward pass",
        ("--explain",): "show where each gradient comes from, and derive it by the chain rule",
        ("--check",): "compare the gradients with numeric ones, edge by edge; exit status 1 if one is wrong, 3 at a kink",
        ("--mermaid",): "print only the picture, as Mermaid text",
        ("--latex",): "print only the derivations, in LaTeX",
    }.items():
        parser.add_argument(*flags, action="store_true", help=text)
    parser.add_argument("--wrt", action="append", type=_unhidden, metavar="NAME",
                        help="differentiate with respect to these variables only, such as w or w,b")  # fmt: skip
    parser.add_argument("--mistake", choices=MISTAKES, metavar="NAME", help=f"make a classic mistake: {', '.join(MISTAKES)}")
    parser.add_argument("--exercise", type=_whole, choices=(1, 2, 3, 4), metavar="LEVEL",
                        help="set exercises of level 1 to 4 in the terminal; if there is none, print a worksheet")  # fmt: skip
    parser.add_argument("--seed", type=_whole, metavar="N", help="the number that selects the exercises, by default 0")
    for option, text in {
        "--svg": f"write a picture of the graph, in the format of the suffix: {suffixes()}",
        "--html": "write a page that plays the steps, forward and back, in a browser",
        "--json": "write the steps as JSON; if FILE is -, print only that",
    }.items():
        parser.add_argument(option, type=_unhidden, metavar="FILE", help=text)
    parser.add_argument(
        "--site", type=_unhidden, metavar="FOLDER", help="write a site that runs all this in a browser, as static files"
    )
    parser.add_argument("--vendor", type=_unhidden, metavar="DIR",
                        help="copy Pyodide and viz-js into the site from DIR, npm's folder node_modules")  # fmt: skip
    parser.add_argument("--serve", type=_whole, nargs="?", const=8000, metavar="PORT",
                        help="serve the site on this machine, by default at port 8000, and open it in the browser")  # fmt: skip
    return parser


def publish(options: argparse.Namespace, given: Sequence[str]) -> str:
    """Write the site, and with ``--serve`` serve it until Ctrl-C is pressed; return a sentence that says where it is.

    Raises:
        UsageError: for any other option, and if the site cannot be written or served.
    """
    from autograd.drawing import LayoutError
    from autograd.site import VendorError, write_site
    from autograd.site.server import serve
    from autograd.site.vendored import CDN

    words = [*options.words, *(name for name in given if name not in ("--site", "--vendor", "--serve"))]
    if words:
        raise UsageError(f"--site and --serve write and serve the site; leave out {words[0]}")
    if options.site == "":
        raise UsageError("--site needs the name of a folder, as in --site FOLDER")
    if options.serve is not None and not 0 <= options.serve <= 65535:
        raise UsageError(f"port {options.serve}: a port is a number from 0 to 65535, as in --serve 8080")
    if options.site is None and options.serve is None:
        raise UsageError("--vendor copies files into a site; give its folder, as in --site FOLDER --vendor DIR")
    with tempfile.TemporaryDirectory() as passing:
        folder = options.site if options.site is not None else passing
        try:
            site = write_site(folder, options.vendor)
        except (LayoutError, OSError, PackageNotFoundError, VendorError) as error:
            raise UsageError(f"the site is not written: {_reason(error)}") from None
        others = f"{site.vendored / 1e6:.0f} MB of Python and Graphviz" if site.vendored else f"Python and Graphviz from {CDN}"
        text = f"The site is in {folder}: {site.size / 1000:.0f} kB, and {others}."
        if options.serve is None:
            return f"{text} Serve it with: {COMMAND} --site {folder} --serve, or python -m http.server in it."
        try:
            serve(Path(folder), options.serve)
        except OSError as error:
            raise UsageError(f"port {options.serve}: {_reason(error)}; choose another, as in --serve 8080") from None
    return text if options.site is not None else "The site was temporary and is gone; --site FOLDER keeps it."


def _reason(error: Exception) -> str:
    """Return what is wrong, and with which file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def practise_at(options: argparse.Namespace, given: Sequence[str]) -> str:
    """Set the exercises of a level and return the score; without a terminal, return them as a worksheet.

    Raises:
        UsageError: for an expression, or any other option but ``--seed``.
    """
    from autograd.exercises import exercises
    from autograd.exercises.terminal import practise

    others = [*options.words, *(name for name in given if name not in ("--exercise", "--seed"))]
    if others:
        raise UsageError(f"--exercise makes its own graphs; leave out {others[0]}, or use autograd.exercises on yours")
    return practise(exercises(options.seed or 0, options.exercise))


def _unhidden(word: str) -> str:
    return word.removeprefix("\0")


def _whole(word: str) -> int:
    try:
        return int(_unhidden(word))
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: {_unhidden(word)!r}") from None


def refuse_lost_text(options: argparse.Namespace) -> None:
    """Raise a `UsageError` if an option prints only data for other programs, and another option's text would be lost."""
    data = {"--json -": options.json == "-", "--mermaid": options.mermaid, "--latex": options.latex}
    text = {f"--{name}": getattr(options, name) for name in ("steps", "explain", "check", "mistake")}
    text["--wrt"] = options.wrt and not options.latex
    for name in ("svg", "html", "json"):
        if getattr(options, name) == "":
            raise UsageError(f"--{name} needs the name of a file")
    files = [file for file in (options.svg, options.html, options.json) if file not in (None, "-")]
    if len({Path(file).absolute() for file in files}) < len(files):
        raise UsageError(f"{files[-1]} is given for two files, and one would be lost; give each a name of its own")
    first, *others = [name for name, given in (data | text).items() if given] or [""]
    if others and data.get(first):
        raise UsageError(f"{first} prints nothing else, and {' and '.join(others)} would be lost; run one after the other")


def read_values(words: Sequence[str], expression: Expression) -> dict[str, Value]:
    """Read words such as ``x=-0.5`` as the variables of an expression.

    Raises:
        UsageError: for a word of another form, a name given twice, and a name that is not in the expression.

    >>> read_values(["x=1e-3"], parse("x**2"))
    {'x': Value(data=0.001, grad=0.0, label='x')}
    """
    variables: dict[str, Value] = {}
    for word in words:
        name, equals, number = word.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python does with the names in the expression
        if not equals or not name.isidentifier():
            raise UsageError(f"`{word}` is not a value; write NAME=NUMBER, as in x=0.5, and quote an expression with spaces")
        if name in variables:
            raise UsageError(f"`{word}` gives {name} a second value")
        if name not in expression.names:
            raise UsageError(f"unknown variable in `{word}`: {_variables(name, expression)}")
        try:
            variables[name] = Value(_number(number), name)
        except ValueError:
            raise UsageError(f"`{word}` is not a value: write a number after the =, as in {name}=0.5") from None
    return variables


def _number(text: str) -> float:
    """Return a number, also one such as 1/2 or 0,5.

    Raises:
        ValueError: if it is not one.
    """
    try:
        return float(text)
    except ValueError:
        return float(parse(text).evaluate({}))


def choose(wrt: Sequence[str] | None, expression: Expression) -> list[str]:
    """Return the variables to differentiate with respect to: the given ones, or all.

    Raises:
        UsageError: for a name that is not in the expression.

    >>> choose(["x,w"], parse("w*x + b")), choose(None, parse("w*x + b"))
    (['x', 'w'], ['w', 'x', 'b'])
    """
    if wrt is None:
        return list(expression.names)
    names = [unicodedata.normalize("NFKC", name.strip()) for names in wrt for name in names.split(",")]
    for name in names:
        if name not in expression.names:
            raise UsageError(f"unknown variable in --wrt {name}: {_variables(name, expression)}")
    return names


def differentiate(
    expression: Expression, variables: Mapping[str, Value], names: Sequence[str], result: Value, options: argparse.Namespace
) -> tuple[str, int]:
    """Run the backward pass and write the files; return the text, data for other programs or a report, and the exit status."""
    if result.primitive is not None and "f" not in variables:
        result.label = "f"
    result.backward()
    wanted = {name: variables[name] for name in names}
    loss = Notation(result).names[result]
    check = _checked(expression, variables, wanted, loss) if options.check else None
    text = _data(result, wanted, options)
    report = [] if text else _report(expression, loss, result, wanted, options)
    if check is not None:
        report.append(f"Check: {check}")
    if nonfinite := find_nonfinite(result):
        report.append(f"Note: {nonfinite}.")
    if options.svg is not None:
        report.append(f"The picture is in {_save(_draw, result, options.svg)}.")
    if options.html is not None:
        report.append(f"The player is in {_save(_play, result, options.html)}; open it in a browser.")
    if options.json not in (None, "-"):
        report.append(f"The steps are in {_write(options.json, walk(result).to_json())}.")
    return text or "\n\n".join(report), STATUSES.get(check.verdict, 0) if check is not None else 0


def _data(result: Value, wanted: Mapping[str, Value], options: argparse.Namespace) -> str:
    if options.json == "-":
        return json.dumps(json.loads(walk(result).to_json()))  # in ASCII: it passes through any terminal whole
    if options.mermaid:
        return _draw(result).mermaid.rstrip()
    return "\n".join(explain(x, of=result).latex for x in wanted.values()) if options.latex else ""


def _report(
    expression: Expression, loss: str, result: Value, wanted: Mapping[str, Value], options: argparse.Namespace
) -> list[str]:
    text = " ".join(expression.text.split())
    parts = [f"{text} = {digits(result.data)}" if loss == text else f"{loss} = {text} = {digits(result.data)}"]
    if options.steps:
        parts.append(str(walk(result)) or f"{loss} is a variable itself: there is no step.")
    columns = zip(wanted, signed([x.grad for x in wanted.values()]), signed([x.data for x in wanted.values()]), strict=True)
    parts.append(line_up([[f"∂{loss}/∂{name}", "=", slope, " at", name, "=", number] for name, slope, number in columns]))
    if options.explain:
        parts += [str(explain(x, of=result)) for x in wanted.values()]
    if options.mistake is not None:
        parts.append(_mistaken(walk(result, options.mistake)))
    return parts


def _mistaken(wrong: Walk) -> str:
    if not wrong.difference:
        return f"The mistake {wrong.mistake!r} changes nothing on this graph."
    return f"With the mistake {wrong.mistake!r}, this is the first step that differs:\n\n{wrong[-1]}"


def _checked(expression: Expression, variables: Mapping[str, Value], wanted: Mapping[str, Value], name: str) -> Report:
    from autograd.checking import gradcheck

    def f(*values: Value) -> Any:
        return expression.evaluate({**variables, **dict(zip(wanted, values, strict=True))})

    f.__name__ = name
    for x in wanted.values():
        if not math.isfinite(x.data):
            raise UsageError(f"the gradient cannot be checked at {x.label} = {digits(x.data)}; choose a finite number")
    try:
        return gradcheck(f, *wanted.values())
    except ValueError as error:
        raise UsageError(f"the gradient cannot be checked: {error}") from None


def _draw(result: Value) -> Drawing:
    from autograd.drawing import draw

    try:
        return draw(result)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _play(result: Value) -> Player:
    from autograd.player import play

    return play(result)


def _save(make: Callable[[Value], Drawing | Player], result: Value, file: str) -> Path:
    from autograd.drawing import LayoutError

    try:
        return make(result).save(file)
    except (LayoutError, OSError, ValueError) as error:
        raise UsageError(f"{file} is not written: {getattr(error, 'strerror', None) or error}") from None


def _write(file: str, text: str) -> str:
    from autograd.files import write_whole

    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise UsageError(f"{file} is not written: {error.strerror}") from None
    return file


def _version() -> str:
    try:
        return version("scalar-autograd")
    except PackageNotFoundError:
        return "from its sources, not installed"


def _variables(name: str, expression: Expression) -> str:
    names = ", ".join(expression.names)
    constant = f"{name} is a constant, {digits(CONSTANTS[name])}; " if name in CONSTANTS else ""
    return f"{constant}the expression has {f'only {names}' if names else 'no variable'}"


def _printable(text: str) -> str:
    """Put a text on one line, in which every character can be seen."""
    return printable(" ".join(text.split()))


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that the terminal's encoding lacks, such as w⁽¹⁾₀₀ by w1_00; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = re.sub(f"⁽([{RAISED}]+)⁾", lambda layer: f"{layer[1].translate(UNSHIFTED)}_", error.object[error.start : error.end])
    return "".join(SPELLED.get(c, c if c.isascii() else "?") for c in text), error.end


def _in_terminal() -> int:
    """Run `main` as a process of its own; characters that the terminal lacks and a closed pipe do not stop it."""
    codecs.register_error("autograd.spell_out", _spell_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="autograd.spell_out")
    try:
        status = main()
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discard the rest, without another error
        if isinstance(error, BrokenPipeError):  # the reader, such as head, has seen enough
            return 0
        print(f"{COMMAND}: error: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(_in_terminal())
