"""Saving and loading a model's parameters, in the format that the suffix of the file names.

- ``.json``: for people.  It holds the `repr` of the model (with 0 for each parameter that it shows), each parameter under its
  name, and a checksum of both.  Numbers have the fewest digits that read back as the same float.
- ``.npz`` (NumPy) and ``.safetensors``: for other programs.  They hold the arrays of `Module.state_dict`, in float64, and
  nothing else.  A file from elsewhere, such as the ``state_dict()`` of a multilayer perceptron in PyTorch, is loaded in order.

A loaded model predicts the same bits if the rest of it is the same: other numbers in its attributes, such as a running mean,
are not saved.  Anything that does not fit raises an error that names the difference, and leaves model and file unchanged.
Reading a file never runs code from it.

>>> import tempfile
>>> from nn import Neuron
>>> path = Path(tempfile.mkdtemp()) / "neuron.json"
>>> save(Neuron(2, init="zeros"), path)
>>> print(path.read_text())
{
  "format": "nn parameters, version 1",
  "model": "Neuron(2, activation='tanh')",
  "parameters": {
    "w0": 0.0,
    "w1": 0.0,
    "b": 0.0
  },
  "sha256": "ffa28073..."
}
<BLANKLINE>
>>> load(Neuron(2, seed=1), path).state_dict()
{'w': [0.0, 0.0], 'b': 0.0}
"""

from __future__ import annotations

import codecs
import copy
import hashlib
import io
import json
import math
import os
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

from autograd import Value
from autograd.files import printable, write_whole
from nn.module import Module, require_module
from nn.state import assign, natural
from nn.tables import short

__all__ = ["load", "save"]

FORMAT: Final = "nn parameters, version 1"
KEYS: Final = ["format", "model", "parameters", "sha256"]
ADVICE: Final = "in PyTorch, save its state_dict() with safetensors.torch.save_file instead"
# The first bytes of files of other kinds, and what these are.
BEGINNINGS: Final[Mapping[bytes, str]] = {
    b"\x93NUMPY": "a single NumPy array (.npy); numpy.savez writes several with their names",
    b"\x80": f"a pickle, which can run code when it is read; {ADVICE}",
    b"\x89HDF": "an HDF5 file, such as Keras writes",
    b"GGUF": "a GGUF file",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
}
M = TypeVar("M", bound=Module)


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write a model's parameters to a file; if that fails, an existing file is unchanged.

    Args:
        model: any module.
        path: a name that ends in .json, .npz or .safetensors; the file is replaced if it exists.

    Raises:
        ValueError: for any other suffix.
        ImportError: if the format needs a package that is not installed.
        OSError: if the file cannot be written, or is a folder.
    """
    require_module(model)
    write_whole(path, _format(path)[0](model))


def load(model: M, path: str | os.PathLike[str]) -> M:
    """Read a file into a model of the same architecture; if anything does not fit, the model is unchanged.

    A file of arrays with none of the model's names is loaded in order if all shapes fit, with a warning that lists which array
    became which parameter.

    Args:
        model: the module whose parameters are set.
        path: a file written by `save`, or by another program in one of its formats.

    Returns:
        The model.

    Raises:
        ValueError: for a file that is cut off, was changed, or has another format or architecture.
        ImportError: if the format needs a package that is not installed.
        OSError: if the file cannot be read.
    """
    require_module(model)
    read = _format(path)[1]
    try:
        content = Path(path).read_bytes()
        kind = _kind(content)
        if kind and kind != Path(path).suffix.lower():
            description = f"a {kind} file; rename it" if kind in FORMATS else kind
            raise ValueError(f"it is {description}")
        state = read(content, model)
        note = assign(model, state, in_order=read is not _from_json)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{printable(str(path))} is not loaded: {error}") from None
    if note:
        warnings.warn(f"{printable(str(path))}: {note}", stacklevel=2)
    return model


def _to_json(model: Module) -> bytes:
    parameters = {name: x.data if math.isfinite(x.data) else str(x.data) for name, x in model.named_parameters()}
    content = {"format": FORMAT, "model": _architecture(model), "parameters": parameters}
    text = json.dumps(content | {"sha256": _checksum(content)}, indent=2, ensure_ascii=False)
    # Characters that are invisible, or change the direction of writing, become JSON's \u escapes.
    return ("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text) + "\n").encode()


def _architecture(model: Module) -> str:
    """Return the `repr` of a model with 0 for each parameter, since the repr of a dataclass, or a user's own, may show them."""
    try:
        return repr(copy.deepcopy(model, {id(parameter): Value(0.0) for parameter in model.parameters()}))
    except (AttributeError, TypeError):  # the repr reads a result, which copies lack, or a part cannot be copied, as a lock
        return repr(model)


def _from_json(data: bytes, model: Module) -> dict[str, Any]:
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it was not written by save: it is nested too deeply") from None
    except ValueError as error:  # of JSON and of UTF-8
        raise ValueError(f"it cannot be read, and may be cut off: {error}") from None
    if not _is_whole(content):
        raise ValueError(f"it was not written by save: it should have the entries {', '.join(KEYS)}")
    if content["format"] != FORMAT:
        raise ValueError(f"it has the format {short(content['format'], 500)!r}; this version reads {FORMAT!r}")
    if content["model"] != repr(model) and content["model"] != (own := _architecture(model)):  # copies the model
        raise ValueError(f"it holds {printable(short(content['model'], 500))}; the model to load into is {own}")
    if content.pop("sha256") != _checksum(content):
        raise ValueError("it was changed after it was saved: its checksum does not match its content")
    # JSON has no NaN and no infinities, so they were written as text.
    return {name: float(x) if x in ("nan", "inf", "-inf") else x for name, x in content["parameters"].items()}


def _to_npz(model: Module) -> bytes:
    import zipfile  # here and below, since it takes longer to import than all of nn

    numpy, file = _package("numpy"), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # numpy.savez refuses some names, such as "file"
        for name, array in _arrays(numpy, model).items():
            member = io.BytesIO()
            numpy.save(member, array)
            # Without a date, so that the same model makes the same file.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return file.getvalue()


def _from_npz(data: bytes, model: Module) -> dict[str, Any]:
    numpy = _package("numpy")
    try:
        with numpy.lib.npyio.NpzFile(io.BytesIO(data)) as archive:  # `numpy.load` takes any other data for a pickle
            if len({*archive.files}) < len(archive.files):
                raise ValueError("an array occurs twice")
            found = {name: archive[f"{name}.npy"] for name in archive.files}  # by its file: "w.npy" may be an array's name, too
    except Exception as error:  # NumPy, zipfile and zlib do not document what they raise for damaged data
        raise ValueError(f"it cannot be read, and may be damaged or cut off: {printable(str(error))}") from None
    return _by_name(found, model)


def _to_safetensors(model: Module) -> bytes:
    written: bytes = _package("safetensors.numpy").save(_arrays(_package("numpy"), model))
    return written


def _from_safetensors(data: bytes, model: Module) -> dict[str, Any]:
    package = _package("safetensors.numpy")
    try:
        found = package.load(data)
    except KeyError as error:
        raise ValueError(f"it has numbers of type {error.args[0]}, which NumPy lacks; save them as F32 or F64") from None
    except Exception as error:  # the package's own exception, whose module differs between versions
        raise ValueError(f"it cannot be read, and may be damaged or cut off: {printable(str(error))}") from None
    return _by_name({name: found[name] for name in sorted(found, key=natural)}, model)  # a file has them in any order


Format = tuple[Callable[[Module], bytes], Callable[[bytes, Module], dict[str, Any]]]
FORMATS: Final[Mapping[str, Format]] = {
    ".json": (_to_json, _from_json),
    ".npz": (_to_npz, _from_npz),
    ".safetensors": (_to_safetensors, _from_safetensors),
}


def _format(path: str | os.PathLike[str]) -> Format:
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"the format of {path.name!r} is unknown; end the name in {', '.join(FORMATS)}")
    return FORMATS[suffix]


def _kind(data: bytes) -> str:
    """Return the suffix of the format of a file, a description if it is of another kind, or an empty string if unknown."""
    if data.removeprefix(codecs.BOM_UTF8)[:1] == b"{":  # some editors put a byte order mark in front
        return ".json"
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data):
        return ".safetensors"
    if data[:4] == b"PK\x03\x04":
        import zipfile

        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError):  # zipfile raises the last for a zip that is too new
            return ""
        if any(name.endswith("data.pkl") for name in names):
            return f"a file of torch.save, which can run code when it is read; {ADVICE}"
        return ".npz" if all(name.endswith(".npy") for name in names) else "a zip archive with files that are not arrays"
    return next((kind for beginning, kind in BEGINNINGS.items() if data.startswith(beginning)), "")


def _arrays(numpy: Any, model: Module) -> dict[str, Any]:
    return {printable(name): numpy.array(array, dtype=numpy.float64) for name, array in model.state_dict().items()}


def _by_name(found: dict[str, Any], model: Module) -> dict[str, Any]:
    """Return arrays under the model's own names, whose characters may be escaped in the file."""
    names = {printable(name): name for name in model.state_dict()}
    return {names.get(name, name): array for name, array in found.items()}


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise ImportError(f"this format needs {package}; pip install {package}, or save as .json") from None


def _is_whole(content: Any) -> bool:
    """Whether the content of a file has all entries, each of the right type."""
    if not isinstance(content, dict) or sorted(content) != KEYS or not isinstance(content["parameters"], dict):
        return False
    are_texts = all(isinstance(content[key], str) for key in KEYS if key != "parameters")
    return are_texts and all(isinstance(data, float | int | str) for data in content["parameters"].values())


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry occurs twice")
    return entries


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
