"""Pictures on dark paper: every format has the same parts as on white, and legible text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from test_drawing_formats import needs_layout
from test_player import network

from autograd import Value, draw, walk
from autograd.drawing.style import BACKWARD, BOXES, NIGHT, NOTE, PAPER, TEXT

COLOUR = re.compile(r'(?<=")#[0-9a-f]{6}(?=")|(?<=[:{])#?[0-9a-fA-F]{6}\b')


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, which has to be 4.5 at least (AA). Source: WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


ON_BOXES = [(text.colour, box.fill) for text in TEXT.values() for box in BOXES.values()]


@pytest.mark.parametrize(("text", "ground"), [*ON_BOXES, (BACKWARD, PAPER), (NOTE, PAPER)])
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5 and contrast(NIGHT[text], NIGHT[ground]) >= 4.5


def test_every_colour_has_its_counterpart() -> None:
    assert {colour for box in BOXES.values() for colour in box} | {text.colour for text in TEXT.values()} <= set(NIGHT)
    assert not set(NIGHT) & set(NIGHT.values())


@needs_layout
@pytest.mark.parametrize("form", ["svg", "dot", "mermaid", "tikz"])
def test_only_the_colours_differ(form: str) -> None:
    loss = network()
    loss.backward()
    light, dark = (getattr(draw(loss, step=9, theme=theme), form) for theme in ("light", "dark"))
    named = {colour.removeprefix("#").lower() for colour in COLOUR.findall(dark)}
    assert NIGHT[PAPER][1:] in named and not {colour[1:] for colour in NIGHT} & named
    there = len(COLOUR.findall(light))
    assert there > 5 and there <= len(COLOUR.findall(dark)) <= there + 1
    assert len(COLOUR.sub("", dark).splitlines()) - len(COLOUR.sub("", light).splitlines()) in (0, 1)


@needs_layout
def test_a_label_that_looks_like_a_colour_stays(tmp_path: Path) -> None:
    x = Value(1.0, label='#ffffff="#ffffff"')
    for form in ("svg", "dot", "mermaid", "tikz"):
        light, dark = (getattr(draw(x, theme=theme), form) for theme in ("light", "dark"))
        for word in (r"#ffffff=", r"#35;ffffff", r"\#ffffff"):
            assert dark.count(word) == light.count(word)


@needs_layout
def test_a_walk(tmp_path: Path) -> None:
    path = walk(network()).save(tmp_path / "flow.svg", theme="dark")
    named = set(COLOUR.findall(path.read_text("utf-8")))
    assert NIGHT[PAPER] in named and not set(NIGHT) & named


def test_another_theme(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no theme 'night'; theme is 'light' or 'dark'"):
        draw(Value(1.0), theme=cast(Any, "night"))
    with pytest.raises(ValueError, match=r"there is no theme 'night'"):
        walk(Value(1.0)).save(tmp_path / "flow.svg", theme=cast(Any, "night"))
    assert not list(tmp_path.iterdir())
