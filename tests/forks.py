"""Mutants in forks of one pytest session: the tests are imported once, and a mutant costs only the time of its own tests.

The idea: a mutant of a function's body differs from the original in one code object.  A fork of the process puts the new code
object into every function that has the old one, wherever it was imported, and runs the tests.  Defaults, tables and classes are
made on import and cannot be exchanged in this way, and a program that a test starts does not see the exchange.  So a failure
counts if the test passes in a fork without a mutant; a mutant that no test noticed has to be tried elsewhere only if nothing
could be exchanged or a test started a program.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final

import pytest

Functions = dict[CodeType, list[FunctionType]]
OPTIONS: Final = ("-q", "-q", "-s", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-W", "ignore")
STARTS: Final = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system")  # the audit events of starting a program
OTHERS: Final = ("dot", "node")  # programs that run no Python code of the project


class Forks:
    """A pytest plug-in that tries mutants instead of running the tests once.

    Args:
        mutants: for each, its file's text before and after, and the names of its tests, in order.
        seconds: the time after which a test that waits is given up; a test that computes fails after a fifth of it.

    Attributes:
        killers: the test that failed, by the index of its mutant.
        blind: the tests that started a program, by the index of a mutant that was exchanged and failed no test.
    """

    def __init__(self, mutants: Sequence[tuple[str, str, Sequence[str]]], seconds: int) -> None:
        self.mutants, self.seconds = mutants, seconds
        self.killers: dict[int, str] = {}
        self.blind: dict[int, list[str]] = {}

    def run(self, root: Path, files: Sequence[str]) -> None:
        """Collect the tests of some files, and try the mutants."""
        os.environ["CI"] = "1"
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PYTEST_DEBUG_TEMPROOT"], self._results = folder, Path(folder) / "results"
            pytest.main([*OPTIONS, f"--rootdir={root}", *[str(root / file) for file in files]], plugins=[self])
            del os.environ["PYTEST_DEBUG_TEMPROOT"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try each mutant in its own process, with as many processes at a time as there are cores."""
        items = {item.nodeid: item for item in session.items}
        gc.unfreeze()
        functions: Functions = defaultdict(list)
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                functions[each.__code__].append(each)
        gc.freeze()
        running: dict[int, int] = {}
        for i, (before, after, names) in enumerate(self.mutants):
            changes = exchanges(before, after, functions)
            found = [items[name] for name in names if name in items]
            if changes and found:
                if len(running) == len(os.sched_getaffinity(0)):
                    self._wait(running)
                running[self._fork(session, found, changes)] = i
        while running:
            self._wait(running)
        control = [items[name] for name in sorted({*self.killers.values()} - {""})]
        child = self._fork(session, control, ())
        os.waitpid(child, 0)
        wrong = self._listed(child, "failed")
        self.killers = {i: name for i, name in self.killers.items() if name not in wrong}
        return True

    def _fork(
        self, session: pytest.Session, items: Sequence[pytest.Item], changes: Sequence[tuple[FunctionType, CodeType]]
    ) -> int:
        """Start a process that runs tests with changed functions until one fails; without changes, it runs all tests."""
        if child := os.fork():
            return child
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nowhere, stream)
            for function, code in changes:
                function.__code__ = code
            started = list[str]()
            sys.addaudithook(lambda event, args: started.append(Path(str(args[0])).name) if event in STARTS else None)
            failed = 0
            for item, following in zip(items, [*items[1:], None], strict=True):
                signal.alarm(self.seconds)
                signal.setitimer(signal.ITIMER_PROF, self.seconds / 5)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed > failed:
                    failed = session.testsfailed
                    self._list(item.nodeid, "failed")
                    if changes:
                        break
                if not {*started} <= {*OTHERS}:
                    self._list(item.nodeid, "started")
                started.clear()
            os._exit(failed > 0)
        finally:
            os._exit(1)

    def _list(self, name: str, kind: str) -> None:
        with self._results.with_suffix(f".{kind}{os.getpid()}").open("a", encoding="utf-8") as file:
            file.write(name + "\n")

    def _listed(self, child: int, kind: str) -> list[str]:
        file = self._results.with_suffix(f".{kind}{child}")
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def _wait(self, running: dict[int, int]) -> None:
        child, status = os.wait()
        i = running.pop(child)
        if status and os.waitstatus_to_exitcode(status) != -signal.SIGALRM:  # the alarm ended a test that waited
            # The name is empty if the process crashed or computed too long.
            self.killers[i] = "".join(self._listed(child, "failed"))
        elif not status:
            self.blind[i] = self._listed(child, "started")
        print(f"\r{len(self.killers)} mutants killed in forks", end="", flush=True, file=sys.stderr)


def exchanges(before: str, after: str, functions: Functions) -> list[tuple[FunctionType, CodeType]]:
    """Return the functions to change, each with its new code; empty if exchanging code cannot reproduce the new text.

    >>> def f(x): return x + 1
    >>> text = "def f(x): return x + 1"
    >>> functions = {code: [f] for code in nested(compile(text, "", "exec", 0, True)) if code.co_name == "f"}
    >>> [(function, code)] = exchanges(text, text.replace("+", "-"), functions)
    >>> function.__code__ = code
    >>> f(5)
    4
    >>> exchanges("x = 1", "x = 2", functions)
    []
    """
    found: list[tuple[FunctionType, CodeType]] = []
    texts = [compile(text, "", "exec", dont_inherit=True) for text in (before, after)]
    for path in differences(*texts):
        live = [(function, new) for old, new in path for function in functions.get(old, ())]
        if not live or any(len(f.__code__.co_freevars) != len(new.co_freevars) for f, new in live):
            return []
        found += live
    return found


def differences(old: CodeType, new: CodeType) -> Iterator[list[tuple[CodeType, CodeType]]]:
    """Iterate over the differing pairs of code objects, each as the last of a path through the functions around it."""
    inside = [[x for x in code.co_consts if isinstance(x, CodeType)] for code in (old, new)]
    here = [(old, new)] if old.co_flags & CO_OPTIMIZED else []
    if own(old) != own(new) or len(inside[0]) != len(inside[1]):
        yield here
    else:
        for path in (path for pair in zip(*inside, strict=True) for path in differences(*pair)):
            yield [*here, *path]


def nested(code: CodeType) -> Iterator[CodeType]:
    """Iterate over a code object and those nested in it, always in the same order."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def own(code: CodeType) -> tuple[object, ...]:
    """Return what a code object does, apart from nested code objects and line numbers."""
    constants = [(type(x), repr(x)) for x in code.co_consts if not isinstance(x, CodeType)]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
