"""External faults: threads, interrupts, full and read-only disks.

An interrupt from the keyboard can come between any two instructions of Python.  The tests try all places: a tracer raises it at
the n-th line or call, for one n after another.
"""

from __future__ import annotations

import gc
import math
import os
import resource
import sys
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from autograd import Value, compile, dot, draw, files, grad, gradients, play, tanh, threads, total
from autograd.__main__ import main
from autograd.compiler.tracing import Trace
from autograd.rows import IN_RULE
from autograd.value import TRACED_VARIABLE
from nn import MLP, Module, Neuron, fit, save
from nn.data import truth_table
from nn.optim import SGD, Adam, Optimizer

ROOT = Path(__file__).parent.parent
CALLS = [part.__code__ for part in vars(threads).values() if isinstance(part, FunctionType)]
OURS = str(ROOT / "autograd"), str(ROOT / "nn")


# Threads


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """Run functions in threads that switch as often as possible; return their results."""
    found: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(i: int, work: Callable[[], Any]) -> None:
        start.wait()
        found[i] = work()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run, args=(i, work)) for i, work in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    return found


def test_each_thread_has_the_gradients_of_its_own_graphs() -> None:
    def work(x0: float) -> list[float]:
        found = []
        for i in range(60):
            x, w = Value(x0), Value(0.5 + i / 100)
            h = [tanh(w * x + j) for j in range(10)]
            y = total(h) * dot(h, h) + x
            y.backward()
            found += [y.data, x.grad, w.grad]
        return found

    alone = [work(x0) for x0 in (0.1, 0.2, 0.3)]
    for _ in range(5):
        assert in_threads(lambda: work(0.1), lambda: work(0.2), lambda: work(0.3)) == alone


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_each_thread_has_the_gradients_of_its_own_program(backend: str) -> None:
    pytest.importorskip("numba" if backend == "native" else "numpy")

    def work(seed: int) -> list[Any]:
        model = MLP(3, [4, 1], output="sigmoid", seed=seed)
        program = compile(lambda x, y: (model(x) - y) ** 2, model.parameters(), backend=backend)
        found = []
        for i in range(30):
            X = [[(i + j + k) % 7 / 7 for k in range(3)] for j in range(5)]
            loss, gradient = program.gradient(X, [0, 1, 1, 0, 1])
            found += [loss, *gradient.tolist()]
        return found

    alone = [work(1), work(2)]
    for _ in range(5):
        assert in_threads(lambda: work(1), lambda: work(2)) == alone


def test_each_thread_trains_its_own_network() -> None:
    X, y = truth_table("xor")

    def work(seed: int, compiled: bool) -> dict[str, Any]:
        model = MLP(2, [3, 1], output="sigmoid", seed=seed)
        fit(model, X, y, epochs=20, seed=0, compiled=compiled)
        return model.state_dict()

    for compiled in (False, True):
        alone = [work(1, compiled), work(2, compiled)]
        assert in_threads(partial(work, 1, compiled), partial(work, 2, compiled)) == alone
    assert gc.isenabled()


# Interrupts


class Interrupter:
    """Raises `KeyboardInterrupt` at the n-th event inside a block: a line of the project's own code.

    With ``calls``, an event is the start or end of a call, where Python checks for signals; with ``within``, only events in
    these functions count.
    """

    def __init__(self, n: int, *, calls: bool = False, within: Container[Any] = ()) -> None:
        self.left, self.calls, self.within = n, calls, within

    def __enter__(self) -> None:
        self.before = sys.gettrace(), sys.getprofile()  # those of a debugger or of coverage
        (sys.setprofile if self.calls else sys.settrace)(self.see)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before[0])
        sys.setprofile(self.before[1])

    def see(self, frame: Any, event: str, _: Any) -> Any:
        code = frame.f_code
        ours = code in self.within if self.within else code.co_filename.startswith((*OURS, "<"))
        if ours and event in (("call", "c_return") if self.calls else ("line",)):
            self.left -= 1
            if self.left == 0:
                self.__exit__()
                raise KeyboardInterrupt
        return self.see


def interrupts(action: Callable[[], Any], *, calls: bool = False, within: Container[Any] = ()) -> Iterator[bool]:
    """Run an action with an interrupt at its first event, its second, and so on; yield whether each broke it off."""
    for n in count(1):
        interrupter = Interrupter(n, calls=calls, within=within)
        broke_off = False
        try:
            with interrupter:
                action()
        except KeyboardInterrupt:
            broke_off = True
        if interrupter.left > 0:
            return
        yield broke_off


def test_after_an_interrupt_of_backward_zero_grad_and_backward_are_right() -> None:
    x, w = Value(0.3, label="x"), Value(0.7, label="w")
    h = tanh(w * x)
    y = dot([h, x, h], [w, h, 2.0], 1.0) * (h + x)
    y.backward()
    right = x.grad, w.grad, h.grad, y.grad
    n = 0
    for _ in interrupts(y.backward):
        y.zero_grad()
        y.backward()
        assert (x.grad, w.grad, h.grad, y.grad) == right
        n += 1
    assert n > 60
    for _ in interrupts(y.zero_grad):
        y.zero_grad()
        assert x.grad == w.grad == h.grad == y.grad == 0


def test_an_interrupt_leaves_no_context_variable_set() -> None:
    x = Value(2.0)
    y = x * tanh(x)
    for _ in interrupts(lambda: gradients(y, [x])):
        assert not IN_RULE.get()
    for broke_off in interrupts(lambda: Trace(grad(lambda x: x * x), [], [()]), within={Trace.__init__.__code__, *CALLS}):
        assert broke_off and TRACED_VARIABLE.get() is None


X, Y = truth_table("xor")


def training(kind: type[Optimizer], compiled: bool) -> tuple[Module, Optimizer, Callable[[int], Any]]:
    """Return a model, an optimiser, and a function that trains the model for some epochs of two steps."""
    model, optimizer = MLP(2, [2, 1], output="sigmoid", seed=3), kind(lr=0.1)

    def train(epochs: int) -> Any:
        return fit(model, X, Y, epochs=epochs, batch_size=2, shuffle=False, optimizer=optimizer, compiled=compiled,
                   validation=(X, Y), progress=False)  # fmt: skip

    return model, optimizer, train


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Python itself may drop an interrupt
@pytest.mark.slow
@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize("compiled", [False, True])
def test_after_an_interrupt_of_fit_the_parameters_are_those_of_whole_steps(kind: type[Optimizer], compiled: bool) -> None:
    pytest.importorskip("numpy")
    path: list[tuple[float, ...]] = []  # the parameters before and after each step of an undisturbed training
    model, optimizer, train = training(kind, compiled)

    def put_down(*_: Any) -> None:
        path.append(tuple(parameter.data for parameter in model.parameters()))

    put_down()
    for half in (slice(0, 2), slice(2, 4)) * 2:
        fit(model, X[half], Y[half], epochs=1, batch_size=2, shuffle=False, optimizer=optimizer, compiled=compiled)
        put_down()
    n, seen = 1 if kind is SGD else 30, set()  # they share the loop, so each takes every other one of the same places
    while True:
        model, optimizer, train = training(kind, compiled)
        interrupter = Interrupter(n, calls=True)
        try:
            with interrupter:
                train(2)
        except KeyboardInterrupt:
            pass
        history = model.history  # None if it was interrupted before the training
        found = tuple(parameter.data for parameter in model.parameters())
        [place] = [i for i, known in enumerate(path) if found == pytest.approx(known, abs=1e-12)]
        assert optimizer.steps == place and gc.isenabled()
        if history is not None:
            curves = history.loss, history.accuracy, history.validation_loss, history.validation_accuracy
            assert {len(curve) for curve in curves} == {history.epochs} and history.epochs <= place // 2
        seen.add(place)
        if interrupter.left > 0:
            break
        train(1)  # training can continue from there
        assert optimizer.steps == place + 2 and all(type(parameter) is Value for parameter in model.parameters())
        n += 58
    assert n > 500 and seen == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("compiled", [False, True])
def test_a_failing_update_rule_moves_no_parameter(compiled: bool) -> None:
    class Moody(Adam):
        def rule(self, parameter: Any, gradient: Any, rate: float, state: Any, t: int) -> Any:
            moved = super().rule(parameter, gradient, rate, state, t)
            if t == 3 and (compiled or parameter == last):
                raise ZeroDivisionError
            return moved

    model, optimizer = MLP(2, [2, 1], output="sigmoid", seed=3), Moody(lr=0.1)
    after: list[dict[str, Any]] = []
    last = math.nan

    def note(*_: Any) -> None:
        nonlocal last
        after.append(model.state_dict())
        last = model.parameters()[-1].data

    with pytest.raises(ZeroDivisionError):
        fit(model, X, Y, epochs=5, batch_size=None, optimizer=optimizer, compiled=compiled, callbacks=[note])
    assert len(after) == 2 and model.state_dict() == after[-1] and optimizer.steps == 2


# Files


def weights(path: Path) -> None:
    save(Neuron(2, seed=0), path)


def picture(path: Path) -> None:
    draw(Value(2.0, label="x") * 2).save(path)


def page(path: Path) -> None:
    play(Value(2.0, label="x") * 2).save(path)


WRITER = [part for part in vars(files).values() if isinstance(part, FunctionType) and part.__module__ == files.__name__] + [
    save
]
SAVES = [(weights, "x.json"), (picture, "x.dot"), (picture, "x.mmd"), (picture, "x.svg"), (page, "x.html")]
saves = pytest.mark.parametrize(("write", "name"), SAVES)


@contextmanager
def disk_with(room: int) -> Iterator[None]:
    """Limit the size of every file to so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@saves
def test_a_full_disk_leaves_the_old_file_and_no_other(write: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("old")
    write(tmp_path / f"warm{path.suffix}")  # so that no other files, such as compiled modules, are written later
    (tmp_path / f"warm{path.suffix}").unlink()
    refused: list[OSError] = []
    with disk_with(50):
        try:
            write(path)
        except OSError as error:
            refused.append(error)
    assert [error.filename for error in refused] == [str(path)]
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


@pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO")  # opened, but closed only by the collector
@saves
def test_an_interrupted_write_leaves_the_old_file_and_no_other(
    write: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text("old")
    write(tmp_path / f"new{path.suffix}")
    new = (tmp_path / f"new{path.suffix}").read_bytes()
    (tmp_path / f"new{path.suffix}").unlink()
    found = []
    for broke_off in interrupts(lambda: write(path), calls=True, within={save.__code__, *(part.__code__ for part in WRITER)}):
        found.append((broke_off, path.read_bytes()))
        assert [*tmp_path.iterdir()] == [path]
        path.write_text("old")
    assert (True, b"old") in found and set(found) <= {(True, b"old"), (True, new)}


@saves
def test_a_folder_that_accepts_no_files(write: Callable[[Path], None], name: str) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no /proc, the folder that takes no file from anybody")
    with pytest.raises(OSError, match=rf"'/proc/{name}'$"):
        write(Path("/proc") / name)


@saves
def test_a_folder_is_not_a_file(write: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match=name):
        write(tmp_path / name)
    assert [*tmp_path.iterdir()] == [tmp_path / name] and not [*(tmp_path / name).iterdir()]


@saves
def test_a_link_stays_a_link(write: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    real, link = tmp_path / f"real-{name}", tmp_path / name
    real.write_text("old")
    link.symlink_to(real.name)
    write(link)
    assert link.is_symlink() and real.read_text() != "old"


def test_the_steps_on_the_command_line_are_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "steps.json"
    path.write_text("old")
    with disk_with(50):
        status = main(["x*x", "x=2", "--json", str(path)])
    assert status == 2 and "steps.json is not written: File too large" in capsys.readouterr().err
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "x.dot"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    picture(pipe)
    reader.join()
    assert read[0].startswith("digraph") and pipe.is_fifo()
