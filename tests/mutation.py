"""Mutation of the whole code: after any one change to the project, a test has to fail.

    python tests/mutation.py --record          # once: which tests run which lines (the quick tests, under coverage)
    python tests/mutation.py 400 --seed 7      # a sample of mutants
    python tests/mutation.py --of nn/losses.py # every mutant of a file

The idea: only tests that run a mutant's line can notice it.  Coverage records these tests, and the most specific ones, which
run the fewest lines, come first.  So most mutants die within a few tests, in a fork of a process that has imported everything
(see `forks`).  The others are tried once more, in a copy of the project.  A mutant that no test notices is a survivor: either
it is equivalent to the original, or a test is missing.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Final, NamedTuple

from forks import Forks

ROOT: Final = Path(__file__).parent.parent
RECORD: Final = ROOT / ".coverage"
COPIED: Final = ("autograd", "nn", "tests", "notebooks", "README.md", "LICENSE", "pyproject.toml", ".ci", ".github",
                 ".gitignore")  # fmt: skip
SWAPS: Final = {  # without `|`, which is mostly a union of types
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "*", ast.Pow: "*",
    ast.BitAnd: "|", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not",
    ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in", ast.And: "or", ast.Or: "and",
}  # fmt: skip
MOST_TESTS: Final = 250  # per mutant
SIGNATURES: Final = "tests/test_approved.py::test_approved_files_are_reproduced[signatures.txt]"
SECONDS: Final = 300  # a test that takes longer is taken to loop for ever, and fails


class Mutant(NamedTuple):
    """A change of one file: the text from `start` to `end` becomes `new`."""

    path: Path
    line: int
    start: int
    end: int
    new: str

    def applied(self) -> str:
        """Return the changed text of the file."""
        text = self.path.read_text(encoding="utf-8")
        return text[: self.start] + self.new + text[self.end :]

    def __str__(self) -> str:
        text = self.path.read_text(encoding="utf-8")
        begin, stop = text.rfind("\n", 0, self.start) + 1, text.find("\n", self.end)
        before, after = text[begin:stop].strip(), (text[begin : self.start] + self.new + text[self.end : stop]).strip()
        return f"{self.path.relative_to(ROOT)}:{self.line}\n    - {before}\n    + {after}"


class Finder(ast.NodeVisitor):
    """Collects the mutants of a file."""

    def __init__(self, path: Path) -> None:
        self.path, self.found = path, list[Mutant]()
        self.text = path.read_text(encoding="utf-8")
        # ast counts columns in bytes
        self.lines = [line.encode() for line in self.text.splitlines(keepends=True)]
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line.decode()))
        self.visit(ast.parse(self.text))

    def place(self, line: int, column: int) -> int:
        """Return the index in the text of a line and a column."""
        return self.starts[line - 1] + len(self.lines[line - 1][:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends in the text."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.place(node.lineno, node.col_offset), self.place(node.end_lineno, node.end_col_offset)

    def add(self, node: ast.expr | ast.stmt, start: int, end: int, new: str) -> None:
        self.found.append(Mutant(self.path, node.lineno, start, end, new))

    def swap(self, node: ast.expr, left: ast.expr, right: ast.expr, operator: ast.AST) -> None:
        """Add the mutant with another operator between two operands; parentheses stay where they are."""
        new = SWAPS.get(type(operator))
        start, end = self.span(left)[1], self.span(right)[0]
        sign = re.search(r"[^\s()\\]+(?: not| in)?", self.text[start:end])
        if new is not None and sign is not None:
            self.add(node, start + sign.start(), start + sign.end(), new)

    def visit_Module(self, node: ast.Module) -> None:
        for each in node.body:
            names = [target.id for target in getattr(each, "targets", []) if isinstance(target, ast.Name)]
            if "__all__" not in names:
                self.visit(each)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        start, end = self.span(node.test)
        self.add(node.test, start, end, f"(not ({self.text[start:end]}))")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        start, end = self.span(node.test)
        self.add(node.test, start, end, f"(not ({self.text[start:end]}))")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.swap(node, node.left, node.right, node.op)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.swap(node, node.values[0], node.values[1], node.op)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            self.swap(node, left, right, operator)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        start, end = self.span(node)
        self.add(node, start, end, self.text[self.span(node.operand)[0] : end])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        start, end = self.span(node)
        if isinstance(node.value, bool):
            self.add(node, start, end, str(not node.value))
        elif isinstance(node.value, int | float):
            self.add(node, start, end, f"({node.value!r} + 1)" if abs(node.value) < 1e300 else "0.0")

    def visit_Return(self, node: ast.Return) -> None:
        """Return None instead; not for True and False, which are swapped elsewhere: None would only act as False does."""
        value = node.value.value if isinstance(node.value, ast.Constant) else ...
        if node.value is not None and not (value is None or isinstance(value, bool)):
            self.add(node, *self.span(node), "return None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call | ast.Yield):
            self.add(node, *self.span(node), "pass")
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.add(node, *self.span(node), "pass")
        self.generic_visit(node)

    def visit_Break(self, node: ast.Break) -> None:
        self.add(node, *self.span(node), "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self.add(node, *self.span(node), "break")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Messages are not mutated: tests pin their facts only."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """Exceptions are not mutated, for the same reason."""

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg != "strict":  # the argument of zip: the lengths are equal
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in [*node.defaults, *filter(None, node.kw_defaults)]:
            self.visit(default)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Skip annotations and decorators."""
        self.visit(node.args)
        for each in node.body:
            self.visit(each)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Skip decorators."""
        for each in node.body:
            self.visit(each)


def is_python(mutant: Mutant) -> bool:
    """Whether a mutant's file is still Python."""
    try:
        ast.parse(mutant.applied())
    except SyntaxError:
        return False
    return True


class Record:
    """Which tests run which lines, from a coverage run with a context for each test."""

    def __init__(self, path: Path = RECORD) -> None:
        if not path.exists():
            sys.exit(f"there is no {path.name} with the lines that each test runs; first run tests/mutation.py --record")
        self.by_line: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.lines: Counter[str] = Counter()  # of each test
        with closing(sqlite3.connect(path)) as database:
            files = {
                ident: self.by_line[str(Path(name).relative_to(ROOT))]
                for ident, name in database.execute("select id, path from file")
            }
            tests = {ident: name.rpartition("|")[0] for ident, name in database.execute("select id, context from context")}
            for file, context, *arc in database.execute("select file_id, context_id, fromno, tono from arc"):
                self.lines[test := tests[context]] += 1
                for line in arc:
                    files[file][abs(line)].add(test)

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the tests that run a mutant's line, or any line of its file if only an import runs that line.

        The most specific tests come first.  Among tests that differ only in their parameters, the second comes after all other
        first ones; approved files count as different tests.  For a line that is run on import, perhaps to make a table or a
        class, the test of all signatures and all approved files that run any line of the file come first: they show the result.
        """
        by_line = self.by_line[str(mutant.path.relative_to(ROOT))]
        of_file = {test for tests in by_line.values() for test in tests if test}
        found = by_line[mutant.line] - {""} or of_file
        if self.on_import(mutant):
            found |= {test for test in of_file if "approved" in test}
        turns, ranked = Counter[str](), list[tuple[int, str]]()
        for test in sorted(found, key=lambda test: (self.lines[test], test)):
            name = test if "approved" in test else test.partition("[")[0]
            ranked.append((turns[name], test))
            turns[name] += 1
        tests = [test for _, test in sorted(ranked, key=lambda each: each[0])]
        if self.on_import(mutant):
            tests = [SIGNATURES, *sorted(tests, key=lambda test: "approved" not in test)]
        return tests[:MOST_TESTS]

    def on_import(self, mutant: Mutant) -> bool:
        """Whether a mutant's line is run on import, perhaps to make a table."""
        return "" in self.by_line[str(mutant.path.relative_to(ROOT))][mutant.line]


def record() -> None:
    """Run the quick tests under coverage, with a context for each test.

    Because of the plug-in, pytest imports the core before pytest-cov begins; a second run, which collects only the doctests of
    all modules, adds the lines that run on import.
    """
    pytest = [sys.executable, "-m", "pytest", "-q"]
    cover = ["-n", "2", "--cov", "--cov-branch", "--cov-context=test", "--cov-report="]
    subprocess.run([*pytest, *cover], cwd=ROOT, check=True)
    imports = [sys.executable, "-m", "coverage", "run", "--append", *pytest[1:], "--collect-only", "autograd", "nn"]
    subprocess.run(imports, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def survives(mutant: Mutant, tests: Sequence[str], folder: Path) -> bool:
    """Whether no test fails in a copy of the project that has the mutant."""
    target = folder / mutant.path.relative_to(ROOT)
    text = target.read_text(encoding="utf-8")
    target.write_text(mutant.applied(), encoding="utf-8")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder), "CI": "1"}
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False)
        return ran.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        target.write_text(text, encoding="utf-8")


def left_by_forks(sample: Sequence[Mutant], known: Record) -> dict[Mutant, list[str]]:
    """Return the mutants that no test noticed in a fork, each with the tests that may notice it in a copy of the project."""
    tests = [known.tests(mutant) for mutant in sample]
    forks = Forks([(m.path.read_text(encoding="utf-8"), m.applied(), t) for m, t in zip(sample, tests, strict=True)], SECONDS)
    forks.run(ROOT, sorted({test.partition("::")[0] for names in tests for test in names}))
    left = [i for i in range(len(sample)) if i not in forks.killers]
    return {sample[i]: tests[i] if known.on_import(sample[i]) else forks.blind.get(i, tests[i]) for i in left}


def tried(left: dict[Mutant, list[str]]) -> Iterator[tuple[Mutant, bool]]:
    """Try mutants in copies of the project, one for each core; iterate over each with whether it survives."""
    with tempfile.TemporaryDirectory() as parent:
        folders: SimpleQueue[Path] = SimpleQueue()
        for i in range(len(os.sched_getaffinity(0))):
            folder = Path(parent) / str(i)
            for name in COPIED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
                elif (ROOT / name).exists():
                    folder.mkdir(exist_ok=True)
                    shutil.copy(ROOT / name, folder / name)
            folders.put(folder)

        def judged(mutant: Mutant) -> tuple[Mutant, bool]:
            folder = folders.get()
            try:
                return mutant, not left[mutant] or survives(mutant, left[mutant], folder)
            finally:
                folders.put(folder)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            yield from pool.map(judged, left)


def main() -> None:
    """Try mutants, and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", help="how many mutants; by default all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--of", nargs="+", type=Path, default=[ROOT / "autograd", ROOT / "nn"], help="files or folders")
    parser.add_argument("--record", action="store_true", help="first record which tests run which lines")
    options = parser.parse_args()
    if options.record:
        record()
        if options.count is None:
            return
    paths = [path.resolve() for root in options.of for path in (sorted(root.rglob("*.py")) if root.is_dir() else [root])]
    found = [mutant for path in paths for mutant in Finder(path).found]
    shuffled = found if options.count is None else Random(options.seed).sample(found, len(found))
    sample = list(islice(filter(is_python, shuffled), options.count))
    known, survivors = Record(), 0
    left = left_by_forks(sample, known)
    for i, (mutant, alive) in enumerate(tried(left), 1):
        survivors += alive
        if alive:
            print(mutant, flush=True)
        print(f"\r{i} of {len(left)} mutants once more, {survivors} survivors", end="", flush=True, file=sys.stderr)
    print(f"\n{len(sample)} of {len(found)} mutants: {len(sample) - survivors} killed, {survivors} survived")


if __name__ == "__main__":
    main()
