"""Approved numbers, pictures, programs and texts: the project still writes them exactly as they were approved.

    python tests/test_approved.py    # writes all of them again; then read the output of `git diff tests/approved`

The idea: the right size of a picture, the right time of a dot and the right words of a hint are easy to see, and hard to state
as properties.  So each of these files was read when it was made, and a change to one is reviewed like a change of code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from approved_answers import ANSWERS
from approved_boxes import BOXES
from approved_calls import RESULTS
from approved_checking import CHECKING
from approved_compiled_calls import COMPILED_CALLS
from approved_compiler import COMPILED
from approved_drawings import DRAWINGS
from approved_explanations import EXPLANATIONS
from approved_fits import FITTED
from approved_layouts import LAYOUTS
from approved_markings import MARKINGS
from approved_numbers import NUMBERS
from approved_pages import PAGES
from approved_pictures import PICTURES
from approved_programs import PROGRAMS
from approved_texts import TEXTS

APPROVED: Final = Path(__file__).parent / "approved"
FILES: Final = (
    ANSWERS,
    BOXES,
    CHECKING,
    COMPILED,
    COMPILED_CALLS,
    DRAWINGS,
    EXPLANATIONS,
    FITTED,
    LAYOUTS,
    MARKINGS,
    NUMBERS,
    PAGES,
    PICTURES,
    PROGRAMS,
    RESULTS,
    TEXTS,
)
MAKERS: Final = {name: make for files in FILES for name, make in files.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_approved_files_are_reproduced(name: str) -> None:
    assert MAKERS[name]() == (APPROVED / name).read_text(encoding="utf-8")


def test_every_approved_file_has_a_maker() -> None:
    assert {path.name for path in APPROVED.iterdir()} == {*MAKERS}


if __name__ == "__main__":
    for name, make in MAKERS.items():
        (APPROVED / name).write_text(make(), encoding="utf-8")
