"""Reports in pytest: a failing ``assert gradcheck(f, x)`` shows the whole report.

The idea: pytest writes the value of an assertion on one line of at most 240 characters.  The report itself is still in the
frame that failed, so its text replaces that line.  Any object of autograd's that has a verdict and is false counts as a
report: those of `gradcheck` at a point or on a box, and the claims of `certify`; so their modules need not be imported here.
If `assert_gradient` rejected points in a test, the reasons are added to Hypothesis's message.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from types import TracebackType
from typing import Any

import pytest

from autograd.checking.assertions import REJECTED, why_rejected

__all__ = ["pytest_runtest_makereport", "pytest_runtest_setup"]


def pytest_runtest_setup() -> None:
    """Forget the points that the last test rejected."""
    REJECTED.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Put whole reports into the message of a failure."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, AssertionError):
        for report in _reports(error.__traceback__):
            error.args = (_shown(str(error), report),)
    elif error is not None and type(error).__module__.startswith("hypothesis.") and (why := why_rejected()):
        error.args = (f"{error}\n\n{why}",)
    return (yield)


def _reports(traceback: TracebackType | None) -> list[Any]:
    """Return the reports in the frame that failed, where pytest keeps the parts of an assertion under names of its own."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    found = traceback.tb_frame.f_locals.values() if traceback is not None else ()
    return [*{id(x): x for x in found if _is_report(x)}.values()]


def _is_report(x: Any) -> bool:
    return type(x).__module__.startswith("autograd.") and hasattr(x, "verdict") and not x


def _shown(message: str, report: Any) -> str:
    """Return a message with the whole report in place of the line that shows only its beginning."""
    start = str(report)[:40].partition("\n")[0]
    if value := re.search(rf"^assert [^\n]*?{re.escape(start)}", message, re.MULTILINE):
        return message[: value.start()] + str(report)
    is_about_it = repr(report.verdict) in message and str(report) not in message  # as in `assert report.verdict == "kink"`
    return f"{message}\n{report}" if is_about_it else message
