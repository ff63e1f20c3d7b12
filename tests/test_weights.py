"""Weights as arrays: states, files of NumPy and safetensors, and the states of other programs."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from test_state import Held

from autograd import Value
from nn import MLP, Layer, Module, Neuron, Perceptron, load, save

ROOT = Path(__file__).parent.parent
SUFFIXES = [".npz", ".safetensors"]
Arrays = dict[str, Any]


def write(path: Path, arrays: Arrays) -> Path:
    """Write arrays as other programs do."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        path.write_bytes(safetensors.numpy.save({name: np.asarray(array) for name, array in arrays.items()}))
    return path


def read(path: Path) -> Arrays:
    """Read arrays as other programs do."""
    return dict(np.load(path)) if path.suffix == ".npz" else dict(safetensors.numpy.load(path.read_bytes()))


def data_of(module: Module) -> list[float]:
    return [parameter.data for parameter in module.parameters()]


# States


def test_a_network_has_a_matrix_and_a_row_of_biases_for_each_layer() -> None:
    model = MLP(3, [4, 2], activation="prelu", seed=1)
    state = model.state_dict()
    assert {name: np.shape(array) for name, array in state.items()} == {
        "layers.0.weight": (4, 3), "layers.0.bias": (4,), "layers.0.slope": (4,),
        "layers.1.weight": (2, 4), "layers.1.bias": (2,),
    }  # fmt: skip
    layer = model.layers[0]
    assert state["layers.0.weight"][2][1] == layer.neurons[2].w[1].data == layer.weight[2][1].data
    assert state["layers.0.slope"][3] == layer.slope[3].data == 0.25
    assert model.layers[1].bias == [neuron.b for neuron in model.layers[1].neurons] and model.layers[1].slope == []
    hidden = np.maximum(0.0, net := np.array(state["layers.0.weight"]) @ [1.0, -2.0, 0.5]) + 0.25 * np.minimum(0.0, net)
    assert model.predict([1.0, -2.0, 0.5]) == pytest.approx(np.array(state["layers.1.weight"]) @ hidden, rel=1e-12)


class Own(Module):
    """Parameters in all kinds of places."""

    def __init__(self) -> None:
        self.cube = [[[Value(float(i + j + k)) for k in range(2)] for j in range(3)] for i in range(4)]
        self.ragged = [[Value(1.0)], [Value(2.0), Value(3.0)]]
        self.mixed = [Value(4.0), 5.0, Value(6.0)]
        self.table = {"a": (Value(7.0), Value(8.0)), "größe": Value(9.0)}
        self.array = np.array([[Value(10.0), Value(11.0)]], dtype=object)
        self.shared = [self.mixed[0], Value(12.0)]
        self.twice = [Value(13.0)] * 2
        self.result = [Value(14.0) * 2]
        self.thing = SimpleNamespace(unit=Perceptron(2), back=self)
        self.itself: list[Any] = []
        self.itself.append(self.itself)


def test_states_are_named_by_attributes() -> None:
    model = Own()
    shapes = {name: np.shape(array) for name, array in model.state_dict().items()}
    assert shapes == {
        "cube": (4, 3, 2), "ragged.0": (1,), "ragged.1": (2,), "mixed.0": (), "mixed.2": (), "table.a": (2,), "table.größe": (),
        "array": (1, 2), "shared.1": (), "twice.0": (), "thing.unit.w": (2,), "thing.unit.b": (),
    }  # fmt: skip
    assert sum(math.prod(shape) for shape in shapes.values()) == len(model.parameters())
    twin = Own()
    for parameter in twin.parameters():
        parameter.data = -1.0
    twin.load_state_dict(model.state_dict())
    assert data_of(twin) == data_of(model)


def test_a_state_is_a_copy() -> None:
    model = Layer(2, 1, seed=0)
    state = model.state_dict()
    state["weight"][0][0] = 99.0
    assert model.neurons[0].w[0].data != 99.0


def test_a_user_defined_layer_keeps_its_own_parameters() -> None:
    class Gated(Layer):
        def __init__(self) -> None:
            super().__init__(2, 3)
            self.gate = Value(0.5)

    assert [*Gated().state_dict()] == ["weight", "bias", "gate"]


STATE: Arrays = {"weight": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "bias": [7.0, 8.0, 9.0]}


@pytest.mark.parametrize("convert", [
    np.array, np.float32, lambda x: np.array(x, np.int16), lambda x: np.array(x).astype(object), tuple, np.asfortranarray,
    lambda x: [np.float64(a) if np.ndim(a) == 0 else np.array(a) for a in x],
    lambda x: np.ma.array(x), lambda x: SimpleNamespace(detach=None, tolist=lambda: x),
])  # fmt: skip
def test_arrays_of_all_kinds_are_loaded(convert: Callable[[Any], Any]) -> None:
    layer = Layer(2, 3)
    layer.load_state_dict({name: convert(array) for name, array in STATE.items()})
    assert layer.state_dict() == STATE and all(type(x) is float for x in data_of(layer))


def test_numbers_by_their_names_are_loaded_too() -> None:
    model, twin = MLP(2, [2, 1], seed=1), MLP(2, [2, 1], seed=2)
    twin.load_state_dict({name: parameter.data for name, parameter in model.named_parameters()})
    assert data_of(twin) == data_of(model)


@pytest.mark.parametrize(("state", "error", "message"), [
    ({}, ValueError, r"does not fit Neuron\(2, activation='tanh'\): it lacks w, b$"),
    ({"w": [1, 1], "b": 1, "c": 1}, ValueError, "it has c, which is not a parameter"),
    ({"w0": 1, "w1": 1, "c": 1, "d": 1}, ValueError, "it lacks b; it has c, d, which are not parameters"),
    ({"w0": 1, **{f"v{i}": 1 for i in range(9)}}, ValueError, "it lacks w1, b; it has v0, v1, v2 and 6 more, which"),
    ({"w0": 1, "w1": "2", "b": 3}, TypeError, "w1: '2' is a str"),
    ({"w0": 1, "w1": [2], "b": 3}, ValueError, r"w1 is a single number, and in the state \[1\]"),
    ({"w": [1, "2"], "b": 3}, TypeError, r"w\[1\]: '2' is a str"),
    ({"w": [1, 2j], "b": 3}, TypeError, r"w\[1\]: "),
    ({"w": [1, None], "b": 3}, TypeError, r"w\[1\]: None"),
    ({"w": [1, 10**400], "b": 3}, OverflowError, r"w\[1\]: "),
    ({"w": "12", "b": 3}, TypeError, "w: '12' is a str"),
    ({"w": [1, 2, 3], "b": 3}, ValueError, r"w is \[2\], and in the state \[3\]"),
    ({"w": [[1, 2]], "b": 3}, ValueError, r"w is \[2\], and in the state \[1×2\]"),
    ({"w": [[1, 2], [3]], "b": 3}, ValueError, "w is not an array: its rows differ in length"),
    ({"w": 1, "b": 3}, ValueError, r"w is \[2\], and in the state a single number$"),
    ({"w": [1], "b": [3]}, ValueError, r"w is \[2\], .*\[1\]; b is a single number, and in the state \[1\]$"),
    ({"w": [], "b": 3}, ValueError, r"w is \[2\], and in the state \[0\]"),
    ({"w": np.array(["1", "2"]), "b": 3}, TypeError, r"w\[0\]: '1' is a str"),
    ({"w": np.array([1, 2], "M8[ns]"), "b": 3}, TypeError, r"w: numbers are needed, not entries of type datetime64"),
    ({"w": np.ma.array([1.0, 2.0], mask=[False, True]), "b": 3}, ValueError, "w: masked entries: 1"),
    ([1, 2, 3], TypeError, "a state maps names to numbers or arrays, as state_dict.. does; got type list"),
    ({"x" * 9999: 1, "b": 1}, ValueError, "it has x{100}…, which"),
    ({"w": [1, 2], "b": 1, "\x1b[2J\u202e\ud800": 1}, ValueError, r"it has \\x1b\[2J\\u202e\\ud800, which"),
    ({"v": [1, "\u202e"], "c": 1}, TypeError, r"v\[1\]: '\\u202e' is a str"),
])  # fmt: skip
def test_a_state_that_does_not_fit_changes_nothing(state: Any, error: type[Exception], message: str) -> None:
    neuron = Neuron(2, seed=0)
    before = data_of(neuron)
    with pytest.raises(error, match=message) as refusal:
        neuron.load_state_dict(state)
    assert data_of(neuron) == before and str(refusal.value).isprintable()


# States of other programs


def pytorch(sizes: list[int], seed: int = 0) -> tuple[Arrays, Callable[[Any], Any]]:
    """Return the state that PyTorch saves of `Sequential(Linear(…), Tanh(), …, Linear(…), Sigmoid())`, and its forward pass."""
    rng = np.random.default_rng(seed)
    state: Arrays = {}
    for i, (n_inputs, n_outputs) in enumerate(itertools.pairwise(sizes)):
        bound = 1 / math.sqrt(n_inputs)
        state[f"{2 * i}.weight"] = rng.uniform(-bound, bound, (n_outputs, n_inputs))
        state[f"{2 * i}.bias"] = rng.uniform(-bound, bound, n_outputs)

    def predict(x: Any) -> Any:
        last = len(sizes) - 2
        for i in range(last + 1):
            net = x @ state[f"{2 * i}.weight"].T + state[f"{2 * i}.bias"]
            x = np.tanh(net) if i < last else 1 / (1 + np.exp(-net))
        return x

    return state, predict


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("sizes", [[2, 4, 1], [3, 5, 4, 2], [3, *[3] * 12], [1, 1]])
def test_the_saved_state_of_a_network_in_pytorch_predicts_the_same(suffix: str, sizes: list[int], tmp_path: Path) -> None:
    state, predict = pytorch(sizes)
    path, model = write(tmp_path / f"model{suffix}", state), MLP(sizes[0], sizes[1:], output="sigmoid")
    with pytest.warns(UserWarning, match=rf"model{suffix}: the names are not those of MLP.*; loaded in order: 0.weight as "):
        assert load(model, path) is model
    X = np.random.default_rng(1).normal(size=(20, sizes[0]))
    found = np.array(model.predict(X)).reshape(20, sizes[-1])
    np.testing.assert_allclose(found, predict(X), rtol=0, atol=1e-12)


def test_a_warning_at_the_callers_line_says_what_was_loaded_as_what(tmp_path: Path) -> None:
    state, _ = pytorch([2, 3, 1])
    model = MLP(2, [3, 1], output="sigmoid")
    with pytest.warns(UserWarning) as caught:
        model.load_state_dict(state)
        load(model, write(tmp_path / "model.npz", state))
    assert [warning.filename for warning in caught] == [__file__] * 2
    for warning in caught:
        assert str(warning.message).endswith(
            "the names are not those of MLP(2, [3, 1], activation='tanh', output='sigmoid'); loaded in order: 0.weight as "
            "layers.0.weight [3×2], 0.bias as layers.0.bias [3], 2.weight as layers.1.weight [1×3], 2.bias as layers.1.bias [1]"
        )


@pytest.mark.parametrize("names", [
    ["input.weight", "input.bias", "hidden.weight", "hidden.bias", "a.weight", "a.bias"],  # in the order of the state
    ["W1", "b1", "W2", "b2", "W3", "b3"],
    ["fc2.bias", "fc2.weight", "fc10.bias", "fc10.weight", "fc9.bias", "fc9.weight"],  # by their numbers
    ["\x1b1.weight", "\x1b1.bias", "\x1b2.weight", "\x1b2.bias", "\x1b3.weight", "\x1b3.bias"],
])  # fmt: skip
def test_the_order_of_other_names(names: list[str]) -> None:
    rng, model, state = np.random.default_rng(0), MLP(2, [2, 2, 2]), {}
    for name in names:
        state[name] = rng.normal(size=2 if "b" in name.rpartition(".")[2] else (2, 2))
    order = sorted(names, key=lambda name: (int(name[2:].partition(".")[0]), "bias" in name)) if names[0][0] == "f" else names
    with pytest.warns(UserWarning) as caught:
        model.load_state_dict(state)
    assert str(caught[0].message).isprintable()
    assert data_of(model) == data_of_arrays([state[name] for name in order])


def data_of_arrays(arrays: list[Any]) -> list[float]:
    """Return the numbers of three layers' weights and biases in the order of the parameters: neuron by neuron."""
    weights, biases = arrays[::2], arrays[1::2]
    return [x for w, b in zip(weights, biases, strict=True) for row, c in zip(w, b, strict=True) for x in (*row, c)]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("sizes", "message"), [
    ([2, 3, 1], r"layers.0.weight is \[4×2\], and in the state 0.weight \[3×2\]"),
    ([3, 4, 1], r"layers.0.weight is \[4×2\], and in the state 0.weight \[4×3\]"),
    ([2, 4, 4, 1], "it lacks layers.0.weight, layers.0.bias, layers.1.weight, layers.1.bias; it has 0.weight, "),
    ([2, 1], "it lacks layers.0.weight, "),
])  # fmt: skip
def test_another_network_is_refused_with_both_shapes(suffix: str, sizes: list[int], message: str, tmp_path: Path) -> None:
    model = MLP(2, [4, 1], seed=0)
    before = data_of(model)
    path = write(tmp_path / f"model{suffix}", pytorch(sizes)[0])
    with pytest.raises(ValueError, match=rf"model{suffix} is not loaded: the state does not fit MLP\(2, \[4, 1\], .*{message}"):
        load(model, path)
    assert data_of(model) == before


def test_a_transposed_state_is_refused() -> None:
    with pytest.raises(ValueError, match=r"layers.0.weight is \[4×2\], and in the state dense.kernel \[2×4\]"):
        MLP(2, [4]).load_state_dict({"dense.kernel": np.zeros((2, 4)), "dense.bias": np.zeros(4)})


# Files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_programs_find_the_arrays_by_their_names(suffix: str, tmp_path: Path) -> None:
    model = MLP(2, [3, 1], seed=1)
    save(model, tmp_path / f"model{suffix.upper()}")
    (tmp_path / f"model{suffix.upper()}").rename(tmp_path / f"model{suffix}")
    found = read(tmp_path / f"model{suffix}")
    assert {name: array.tolist() for name, array in found.items()} == model.state_dict()
    assert {str(array.dtype) for array in found.values()} == {"float64"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ["float32", "float16", "int64", "uint8", ">f8"])
def test_numbers_of_other_types(suffix: str, kind: str, tmp_path: Path) -> None:
    if kind == ">f8" and suffix == ".safetensors":
        kind = "float64"
    path = write(tmp_path / f"layer{suffix}", {name: np.array(array, kind) for name, array in STATE.items()})
    assert load(Layer(2, 3), path).state_dict() == STATE


@pytest.mark.parametrize("suffix", [".json", *SUFFIXES])
def test_names_with_invisible_characters(suffix: str, tmp_path: Path) -> None:
    names = ["\ud800", "\u202egvs", "a\0b", "file", "../up", "tab\t", "ü", "\U000e0041", 'quote"', "back\\slash"]
    model, twin = (Held({name: Value(float(i)) for i, name in enumerate(names, start)}) for start in (1, 100))
    path = tmp_path / f"model{suffix}"
    save(model, path)
    assert data_of(load(twin, path)) == data_of(model)
    if suffix == ".json":
        assert all(line.isprintable() for line in path.read_text().splitlines())
    else:
        assert all(name.isprintable() for name in read(path))


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name), data)  # without a time, so that every process makes the same bytes
    return file.getvalue()


def npy(array: Any, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def tensors(kind: str, size: int) -> bytes:
    head = json.dumps({"w": {"dtype": kind, "shape": [2], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(size)


OTHERS: dict[str, tuple[bytes, str]] = {
    "torch": (archive(**{"model/data.pkl": b"\x80\x02", "model/version": b"3"}), "a file of torch.save, .*save_file instead"),
    "old torch": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a pickle, which can run code when it is read; in PyTorch"),
    "pickle": (pickle.dumps({"w": [1.0]}), "a pickle, which can run code"),
    "array": (npy(np.zeros(3)), r"a single NumPy array \(.npy\)"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, such as Keras writes"),
    "gzip": (gzip.compress(b"{}"), "compressed with gzip"),
    "zip": (archive(**{"notes.txt": b"hello"}), "a zip archive with files that are not arrays"),
    "gguf": (b"GGUF" + bytes(100), "a GGUF file"),
}


@pytest.mark.parametrize("suffix", [".json", *SUFFIXES])
@pytest.mark.parametrize("kind", OTHERS)
def test_files_of_other_formats_are_refused_by_their_format(suffix: str, kind: str, tmp_path: Path) -> None:
    content, message = OTHERS[kind]
    (tmp_path / f"model{suffix}").write_bytes(content)
    with pytest.raises(ValueError, match=rf"model{suffix} is not loaded: it is {message}"):
        load(Neuron(2), tmp_path / f"model{suffix}")


@pytest.mark.parametrize("suffix", [".json", *SUFFIXES])
@pytest.mark.parametrize("other", [".json", *SUFFIXES])
def test_a_file_with_the_suffix_of_another_format_is_refused(suffix: str, other: str, tmp_path: Path) -> None:
    model = Neuron(2, seed=1)
    save(model, tmp_path / f"model{other}")
    (tmp_path / f"model{other}").rename(tmp_path / f"renamed{suffix}")
    if suffix == other:
        assert data_of(load(Neuron(2, seed=2), tmp_path / f"renamed{suffix}")) == data_of(model)
    else:
        with pytest.raises(ValueError, match=rf"renamed{suffix} is not loaded: it is a {other} file; rename it"):
            load(Neuron(2), tmp_path / f"renamed{suffix}")


@pytest.mark.parametrize("name", ["model", "model.pt", "model.npy", "model.json.gz", ".json", "model.txt\u202e"])
def test_other_suffixes_are_refused(name: str, tmp_path: Path) -> None:
    for action in (lambda: save(Neuron(1), tmp_path / name), lambda: load(Neuron(1), tmp_path / name)):
        with pytest.raises(
            ValueError, match=r"the format of '.*' is unknown; end the name in .json, .npz, .safetensors$"
        ) as refusal:
            action()
        assert str(refusal.value).isprintable()
    assert not [*tmp_path.iterdir()]


GOOD = {"w.npy": npy(np.zeros(2)), "b.npy": npy(np.float64(0))}


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.npz", archive(**GOOD | {"w.npy": npy(np.array([1, "a"], object), allow_pickle=True)}), "allow_pickle"),
    ("x.npz", archive(**GOOD)[:-1], "cannot be read, and may be damaged or cut off"),
    ("x.npz", archive(**GOOD)[:100], "cannot be read, and may be damaged or cut off"),
    ("x.npz", archive(**GOOD | {"w.npy": GOOD["w.npy"][:-1]}), "cannot be read, and may be damaged or cut off"),
    ("x.npz", archive(**GOOD | {"w.npy": GOOD["w.npy"].replace(b"(2,), ", b"(2" + b"0" * 3)}), "cannot be read"),
    ("x.npz", archive(**GOOD | {"w.npy": npy(np.array(["a", "b"]))}), r"w\[0\]: 'a' is a str"),
    ("x.npz", archive(**GOOD | {"w.npy": npy(np.array([1j, 2j]))}), "w: numbers are needed, not entries of type complex128"),
    ("x.npz", b"", "cannot be read, and may be damaged or cut off"),
    ("x.npz", b"<html>not found</html>", "damaged or cut off: File is not a zip file$"),
    ("x.safetensors", b"", "cannot be read, and may be damaged or cut off"),
    ("x.safetensors", tensors("F64", 16)[:-1], "cannot be read, and may be damaged or cut off"),
    ("x.safetensors", tensors("BF16", 4), "it has numbers of type BF16, which NumPy lacks; save them as F32 or F64"),
    ("x.safetensors", tensors("F64", 16), "it lacks b$"),
    ("x.safetensors", b"<html>not found</html>", "cannot be read, and may be damaged or cut off"),
], ids=lambda value: value if isinstance(value, str) else "file")  # fmt: skip
def test_damaged_files_are_refused_by_name(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    model = Neuron(2, seed=0)
    before = data_of(model)
    with pytest.raises(ValueError, match=f"{name} is not loaded: .*{message}") as refusal:
        load(model, tmp_path / name)
    assert data_of(model) == before and str(refusal.value).isprintable()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as made:
        for name in ("w", "b", "w"):
            made.writestr(f"{name}.npy", GOOD[f"{name}.npy"])
    with pytest.raises(ValueError, match="an array occurs twice"):
        load(Neuron(2), tmp_path / "x.npz")


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_a_damaged_file_is_loaded_or_refused_and_then_nothing_has_changed(
    suffix: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path, model = tmp_path_factory.getbasetemp() / f"damaged{suffix}", Neuron(2, seed=0)
    save(model, path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    before = data_of(model)
    try:
        load(model, path)
    except ValueError as refusal:
        assert str(path) in str(refusal) and str(refusal).isprintable() and data_of(model) == before
    except Warning as warning:
        assert "loaded in order" in str(warning) and str(warning).isprintable()


@pytest.mark.parametrize(("suffix", "package"), [(".npz", "numpy"), (".safetensors", "safetensors")])
def test_without_the_package_the_message_says_what_to_install(suffix: str, package: str, tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules[{package!r}] = None
from nn import Neuron, load, save
save(Neuron(2), "x.json")
load(Neuron(2), "x.json")
for action in (lambda: save(Neuron(2), "x{suffix}"), lambda: load(Neuron(2), "y{suffix}")):
    try:
        action()
    except ImportError as error:
        print(error)
"""
    (tmp_path / f"y{suffix}").touch()
    run = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
                         cwd=tmp_path, capture_output=True, text=True, check=True)  # fmt: skip
    assert run.stdout == f"this format needs {package}; pip install {package}, or save as .json\n" * 2
    assert {path.name for path in tmp_path.iterdir()} == {"x.json", f"y{suffix}"}
