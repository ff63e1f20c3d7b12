"""Check the theorems with Coq: all of them in one temporary text.

python tests/theorems/prover.py               checks all theorems, and prints how many there are
python tests/theorems/prover.py --wrong       tries every mutant of every rule, and prints those that are accepted
python tests/theorems/prover.py --save FILE   writes the text, to be read or stepped through in an editor for Coq
python tests/theorems/prover.py --readme      rewrites the table of README.md
"""

from __future__ import annotations

import argparse
import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from coq import definition
from networks import gradients
from pieces import pieces
from statements import PROVED, heading, names_of, theorems

from autograd import Value, sigmoid, walk
from autograd.primitives import Primitive
from autograd.strategies import ROWS
from nn import MLP
from nn.losses import squared_error

__all__ = ["AXIOMS", "Refused", "accepted", "counted", "missing", "table", "text", "title"]

README: Final = Path(__file__).with_name("README.md")
NAME: Final = re.compile(r"^Theorem (\w+)", re.MULTILINE)
# The axioms of Coq's real numbers; `Print Assumptions` names these, and would name a theorem that was admitted.
AXIOMS: Final = {
    "ClassicalDedekindReals.sig_not_dec", "ClassicalDedekindReals.sig_forall_dec",
    "FunctionalExtensionality.functional_extensionality_dep", "Classical_Prop.classic",
}  # fmt: skip


class Refused(AssertionError):
    """Coq rejected a text."""


@functools.cache
def missing() -> str:
    """Return which program is missing, with the command that installs it, or an empty string."""
    if shutil.which("coqc") is None:
        return "there is no coqc; apt install coq libcoq-coquelicot"
    try:
        accepted("From Coquelicot Require Import Coquelicot.")
    except Refused:
        return "coqc has no Coquelicot; apt install libcoq-coquelicot"
    return ""


def accepted(text: str) -> str:
    """Check a text with Coq, and return the output.

    Raises:
        Refused: with the theorem and Coq's message about it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.v")
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["coqc", "-q", path.name], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
        )
    if done.returncode == 0:
        return done.stdout
    line = re.search(r"line (\d+), characters [\d-]+:\nError", done.stderr)
    before = NAME.findall("\n".join(text.splitlines()[: int(line[1])])) if line else []
    raise Refused(f"Coq refuses {title(before[-1]) if before else 'the text'}:\n{done.stderr}")


def title(name: str) -> str:
    """Return the name of a theorem for messages, with its statement if it is about a row."""
    return next(
        (f"the theorem {x.name}: {x.statement}" for row in PROVED for x in theorems(row) if x.name == name),
        f"the theorem {name}",
    )


def networks() -> Iterator[str]:
    """Iterate over theorems about two networks of sigmoid neurons: a chain of two, and two inputs, two hidden and one output.

    The first is that of the lecture notes, r_h = σ(w_h·i), r_o = σ(w_o·r_h), E = (t - r_o)²/2.
    """
    i, w_h, w_o, t = leaves = [
        Value(x, label) for x, label in zip((0.5, 0.8, -0.6, 1.0), ("i", "w_h", "w_o", "t"), strict=True)
    ]
    r_h = sigmoid(w_h * i)
    r_o = sigmoid(w_o * r_h)
    error = (t - r_o) ** 2 / 2
    r_h.label, r_o.label, error.label = "r_h", "r_o", "E"
    yield from gradients(walk(error), leaves, "chain")

    model = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", seed=1)
    loss = squared_error(model([Value(1.0, "x0"), Value(0.5, "x1")]), Value(1.0, "y"), half=True)
    yield from gradients(walk(loss), model.parameters(), "network")


def text(rows: Sequence[Primitive] = PROVED, last: Sequence[str] | None = None) -> str:
    """Return the text for Coq: the library, the table, the theorems about its rows and those about the networks."""
    proved = [str(theorem) for row in rows for theorem in theorems(row)]
    lines = [heading(rows), "", *proved, *(networks() if last is None else last), "End Table.", ""]
    names = NAME.findall("\n".join(lines))
    return "\n".join([*lines, f"Definition all := ({', '.join(names)}).", "Print Assumptions all.", ""])


def counted(text: str) -> str:
    """Return a phrase with the numbers of a text's theorems: about rows, and about networks."""
    names, rows = {*NAME.findall(text)}, {row.name: {x.name for x in theorems(row)} for row in PROVED}
    whole = [row.name for row in ROWS if rows[row.name] <= names]
    count = len(names & set().union(*rows.values()))
    return f"{count} theorems about {len(whole)} of {len(ROWS)} rows, and {len(names) - count} about networks"


def table() -> str:
    """Return the table of README.md: each row, its function in Coq, the pieces and the number of theorems."""
    lines = ["| row | its function in Coq | smooth pieces | theorems |", "| --- | --- | --- | --: |"]
    for row in PROVED:
        names = names_of(row)
        found = {name: "; ".join(piece.text for piece in pieces(row, name)) for name in names}
        where = [*dict.fromkeys(found.values())]
        shown = where[0] if len(where) == 1 else "<br>".join(f"for {name}: {text}" for name, text in found.items())
        lines.append(
            f"| {row.name} | `{definition(row, len(names))}` | {shown} | {len([*theorems(row)])} |".replace("|x|", r"\|x\|")
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Check the table's rules with Coq.")
    parser.add_argument("--wrong", action="store_true", help="try every mutant of every rule")
    parser.add_argument("--save", metavar="FILE", type=Path, help="write the text for Coq")
    parser.add_argument("--readme", action="store_true", help="rewrite the table of README.md")
    options = parser.parse_args(arguments)
    if options.save:
        options.save.write_text(text(), encoding="utf-8")
        return
    if options.readme:
        before, _, rest = README.read_text(encoding="utf-8").partition("<!-- table -->\n")
        _, _, after = rest.partition("\n<!-- end of the table -->")
        before = re.sub(r"^- Proved: .*?\.", f"- Proved: {counted(text())}.", before, flags=re.MULTILINE)
        README.write_text(f"{before}<!-- table -->\n{table()}\n<!-- end of the table -->{after}", encoding="utf-8")
        return
    if missing():
        sys.exit(missing())
    if options.wrong:
        sys.path.insert(0, str(README.parent.parent))
        from wrong import attempt, verdicts, wrong_theorems

        tried = verdicts(accepted(attempt(wrong_theorems())))
        survivors = [line for line in tried if line.startswith("accepted")]
        print(*survivors, f"{len(tried) - len(survivors)} of {len(tried)} theorems about wrong rules refused", sep="\n")
        return
    whole = text()
    accepted(whole)
    print(f"accepted: {counted(whole)}")


if __name__ == "__main__":
    main(sys.argv[1:])
