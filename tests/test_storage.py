"""Saving and loading: the same bits come back, anything else is refused, and nothing is lost."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd import Value
from nn import MLP, Layer, Module, Neuron, Perceptron, load, save


class Own(Module):
    """A user-defined module."""

    def __init__(self, size: int) -> None:
        self.table = {"a": [Value(float(i)) for i in range(size)], "größe": Value(-1.5)}
        self.inner = MLP(1, [2], activation="prelu", output="prelu", seed=size)


SUFFIXES = [".json", ".npz", ".safetensors"]
MODELS: list[Callable[[], Module]] = [
    lambda: MLP(3, [4, 2], activation="relu", output="softmax", init="he"),
    lambda: Layer(2, 3, "prelu"),
    lambda: Neuron(2),
    lambda: Perceptron(2),
    lambda: Own(3),
]


def test_names_in_other_alphabets_stay_readable(tmp_path: Path) -> None:
    save(Own(1), tmp_path / "model.json")
    assert '"table.größe": -1.5' in (tmp_path / "model.json").read_text(encoding="utf-8")


def bits(model: Module) -> list[str]:
    return [parameter.data.hex() for parameter in model.parameters()]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("make", MODELS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_models_are_loaded_bit_for_bit(suffix: str, make: Callable[[], Module], tmp_path: Path, data: st.DataObject) -> None:
    model, twin, path = make(), make(), tmp_path / f"model{suffix}"
    for parameter in model.parameters():
        parameter.data = data.draw(st.floats(allow_nan=False))
    save(model, path)
    assert load(twin, path) is twin
    assert bits(twin) == bits(model)
    again = tmp_path / f"again{suffix}"
    save(twin, str(again))
    assert again.read_bytes() == path.read_bytes()


def test_numbers_that_json_lacks_are_saved(tmp_path: Path) -> None:
    neuron, path = Neuron(2), tmp_path / "neuron.json"
    neuron.load_state_dict({"w": [math.nan, math.inf], "b": -math.inf})
    save(neuron, path)
    json.loads(path.read_text(), parse_constant=pytest.fail)
    again = load(Neuron(2), path)
    assert math.isnan(again.w[0].data) and (again.w[1].data, again.b.data) == (math.inf, -math.inf)


def test_a_person_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    neuron = Neuron(2, init="zeros")
    neuron.w[1].data = 0.1
    save(neuron, path)
    assert '    "w1": 0.1,\n' in path.read_text() and path.read_text().endswith("}\n")


# What is refused


def altered(text: str, **entries: Any) -> str:
    return json.dumps(json.loads(text) | entries)


@pytest.mark.parametrize(("alter", "message"), [
    (lambda text: text.replace("0.25", "0.26"), "was changed after it was saved"),
    (lambda text: text.replace("tanh", "relu"), r"holds Neuron\(2, activation='relu'\); the model to load into is Neuron\(2, "),
    (lambda text: text.replace('"w1"', '"w0"'), "an entry occurs twice"),
    (lambda text: text.replace("0.25", "NaN"), "NaN is not JSON"),
    (lambda text: altered(text, format="nn parameters, version 2"), "has the format 'nn parameters, version 2'"),
    (lambda text: altered(text, more=1), "was not written by save: it should have the entries format, model, "),
    (lambda text: altered(text, parameters=[1]), "was not written by save"),
    (lambda text: altered(text, format=5), "was not written by save"),
    (lambda text: altered(text, parameters={"w0": None}), "was not written by save"),
    (lambda text: altered(text, sha256="0"), "its checksum does not match its content"),
    (lambda text: "", "cannot be read, and may be cut off"),
    (lambda text: "[]", "was not written by save"),
    (lambda text: "\udcff", "cannot be read"),
])  # fmt: skip
def test_altered_files_are_refused(alter: Callable[[str], str], message: str, tmp_path: Path) -> None:
    path, model = tmp_path / "neuron.json", Neuron(2)
    saved = Neuron(2, init="zeros")
    saved.w[1].data = 0.25
    save(saved, path)
    path.write_bytes(alter(path.read_text()).encode(errors="surrogateescape"))
    before = model.state_dict()
    with pytest.raises(ValueError, match=message) as caught:
        load(model, path)
    assert str(path) in str(caught.value) and model.state_dict() == before


def test_every_truncation_and_every_flipped_digit_is_refused(tmp_path: Path) -> None:
    path, model = tmp_path / "neuron.json", Neuron(1, seed=1)
    save(model, path)
    whole = path.read_bytes()
    before = model.state_dict()
    for i in range(len(whole) - 2):  # all but the brace and the newline at the end
        path.write_bytes(whole[:i])
        with pytest.raises(ValueError, match=r"neuron\.json"):
            load(model, path)
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        if path.read_bytes().split() != whole.split():
            with pytest.raises(ValueError, match=r"neuron\.json"):
                load(model, path)
    assert model.state_dict() == before


@pytest.mark.parametrize("other", [
    MLP(2, [3, 1]), MLP(2, [4, 1], activation="relu"), MLP(2, [4, 1], output="sigmoid"), MLP(2, [4, 4, 1]), Neuron(2),
])  # fmt: skip
def test_another_architecture_is_refused(other: Module, tmp_path: Path) -> None:
    save(MLP(2, [4, 1]), tmp_path / "model.json")
    with pytest.raises(ValueError, match=r"holds MLP\(2, \[4, 1\], .*; the model to load into is "):
        load(other, tmp_path / "model.json")


def test_an_own_module_of_another_size_is_refused(tmp_path: Path) -> None:
    save(Own(2), tmp_path / "model.json")
    with pytest.raises(ValueError, match=r"model.json is not loaded: the state does not fit Own.*: it lacks table.a2$"):
        load(Own(3), tmp_path / "model.json")


def test_a_missing_file_or_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(Neuron(1), tmp_path / "none.json")
    with pytest.raises(FileNotFoundError):
        save(Neuron(1), tmp_path / "none" / "model.json")


@dataclass
class Line(Module):
    """A module whose `repr` shows its numbers."""

    w: Value
    b: Value
    name: str = "line"

    def __call__(self, x: Any) -> Any:
        """Return w·x + b."""
        return self.w * x[0] + self.b


class Shown(Line):
    """A module with its own `repr`, which also shows a result of the last call."""

    def __call__(self, x: Any) -> Any:
        """Return w·x + b, and keep it."""
        self.last = super().__call__(x)
        return self.last

    def __repr__(self) -> str:
        return f"{self.name}: {self.w.data:.2f}·x + {self.b.data:.2f} {getattr(self, 'last', None)}"


class Around(Module):
    """A module that contains one."""

    def __init__(self, line: Line) -> None:
        self.lines = {"first": line}

    def __repr__(self) -> str:
        return f"Around({self.lines})"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("wrap", [lambda line: line, Around])
@pytest.mark.parametrize("kind", [Line, Shown])
def test_modules_that_show_their_numbers(kind: type[Line], wrap: Any, suffix: str, tmp_path: Path) -> None:
    model, path = wrap(kind(Value(1.0, label="w"), Value(2.0))), tmp_path / f"line{suffix}"
    model.parameters()[0].grad = 3.0
    if wrap is not Around:
        model([1.0])
    before = repr(model)
    save(model, path)
    twin = wrap(kind(Value(0.0), Value(-7.0)))
    if wrap is not Around and kind is Shown:
        twin([1.0])
    assert bits(load(twin, path)) == bits(model) and repr(model) == before
    again = tmp_path / f"again{suffix}"
    save(twin, again)
    assert again.read_bytes() == path.read_bytes()
    if suffix == ".json":
        with pytest.raises(ValueError, match=r"it holds .*line.*; the model to load into is .*other"):
            load(wrap(kind(Value(0.0), Value(0.0), "other")), path)


def test_a_model_that_cannot_be_copied_is_saved_and_loaded(tmp_path: Path) -> None:
    models = [Own(2), Own(2)]
    for model in models:
        vars(model)["lock"] = threading.Lock()
    save(models[0], tmp_path / "model.json")
    models[1].parameters()[0].data = 7.0
    assert bits(load(models[1], tmp_path / "model.json")) == bits(models[0])


def ran(path: str) -> float:
    """Create a file, as a trace of having been run."""
    Path(path).touch()
    return 1.0


class Pickled:
    """An object whose pickle runs a function when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return ran, (str(self.path),)


def test_an_array_of_objects_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    thing, path = Pickled(tmp_path / "trace"), tmp_path / "neuron.npz"
    numpy.savez(path, w=numpy.array([thing, thing], dtype=object), b=0.0)
    with pytest.raises(ValueError, match=r"neuron\.npz is not loaded: it cannot be read, and may be damaged or cut off"):
        load(Neuron(2), path)
    assert not (tmp_path / "trace").exists()


def test_a_file_is_indented_by_two_and_shows_the_model_with_zeros(tmp_path: Path) -> None:
    path, other = tmp_path / "line.json", (tmp_path, Neuron(1))
    save(Line(Value(2.0), Value(3.0)), path)
    assert path.read_text().splitlines()[:5] == [
        "{", '  "format": "nn parameters, version 1",',
        '  "model": "Line(w=Value(data=0.0, grad=0.0), b=Value(data=0.0, grad=0.0), name=\'line\')",',
        '  "parameters": {', '    "w": 2.0,',
    ]  # fmt: skip
    wrong: list[Callable[[Any], object]] = [lambda model: save(model, path), lambda model: load(model, path)]
    for call in wrong:
        with pytest.raises(TypeError, match="the model comes first and is a Module"):
            call(other)


def test_a_file_that_an_editor_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    save(MLP(2, [1], seed=1), path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(MLP(2, [1], seed=2), path).state_dict() == MLP(2, [1], seed=1).state_dict()


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_names_that_differ_only_as_arrays_are_kept_apart(suffix: str, tmp_path: Path) -> None:
    class Twins(Module):
        def __init__(self, *numbers: float) -> None:
            a, b, c, d = map(Value, numbers)
            self.w, self.w0 = [a], b  # as single parameters, both are named w0
            self.table = {"k": c, "k.npy": d}  # the file of the first, in an .npz, has the name of the second

    model, twin = Twins(1.0, 2.0, 3.0, 4.0), Twins(0.0, 0.0, 0.0, 0.0)
    save(model, tmp_path / f"model{suffix}")
    assert load(twin, tmp_path / f"model{suffix}").state_dict() == model.state_dict()
