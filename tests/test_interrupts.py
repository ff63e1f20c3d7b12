"""Interrupts: of training, which keeps what was learned with its history, and of a drawing."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_training import LINE, line

from autograd import Value, walk
from autograd.drawing import as_animation, as_svg
from nn import Module, Neuron, fit
from nn.optim import SGD
from nn.training import DivergenceError, History


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Restore SIGINT, which programs ignore if a script started them in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(history: History, model: Module) -> None:
    if history.epochs == 3:
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_keeps_what_was_learned_and_is_raised_again() -> None:
    model = line()
    before = model.state_dict()
    with pytest.raises(KeyboardInterrupt):
        fit(model, *LINE, epochs=1000, callbacks=[interrupt])
    assert model.history.stopped == "by an interrupt" and 3 <= model.history.epochs < 1000
    assert model.history.seconds > 0 and len(model.history.loss) == model.history.epochs
    assert model.state_dict() != before and gc.isenabled()


def test_an_interrupt_stops_a_program_of_several_fits() -> None:
    models = [line(seed) for seed in range(3)]
    with pytest.raises(KeyboardInterrupt):
        for model in models:
            fit(model, *LINE, epochs=10, callbacks=[interrupt])
    assert models[0].history.epochs >= 3 and models[1].history is models[2].history is None


def test_an_interrupt_may_return() -> None:
    model = line()
    history = fit(model, *LINE, epochs=1000, callbacks=[interrupt], interrupt="return")
    assert history.stopped == "by an interrupt" and 3 <= history.epochs < 1000 and model.history is history


def test_the_history_stays_on_the_model() -> None:
    model = line()
    first = fit(model, *LINE, epochs=2)
    assert model.history is first
    second = fit(model, *LINE, epochs=1)
    assert model.history is second and first.epochs == 2
    with pytest.raises(DivergenceError) as caught:
        fit(model, *LINE, optimizer=SGD(lr=1e3), epochs=1000)
    assert model.history is caught.value.history
    assert len(model.parameters()) == 2 and model.predict([1.0]) == model([1.0]).data
    twin = pickle.loads(pickle.dumps(model))
    assert twin.history == model.history and repr(twin) == repr(model)


def test_a_model_with_an_attribute_history_keeps_it() -> None:
    class Diary(Neuron):
        def __init__(self) -> None:
            super().__init__(1, "linear")
            self.history = ["begun"]

    model = Diary()
    assert fit(model, *LINE, epochs=1).epochs == 1 and model.history == ["begun"]


@pytest.mark.parametrize("piece", [as_svg.draw_arrow, as_svg.draw_label, as_svg.draw_box, as_svg._text, as_animation._dot])
def test_an_interrupt_of_a_drawing_stays_an_interrupt(
    piece: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    x = Value(2.0)
    monkeypatch.setattr(sys.modules[piece.__module__], piece.__name__, interrupted)
    with pytest.raises(KeyboardInterrupt):
        walk(x * x).save(tmp_path / "walk.svg")
