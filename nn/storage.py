"""Saving and loading: JSON that a person can read.

A file holds how the model is written, its parameters by name, and a checksum over both.  Numbers are written with the fewest
digits that read back as the same float, so a loaded model predicts the same bits.  Whatever does not fit is refused with what
differs, and then nothing has changed: neither the model that was to be loaded, nor the file that was to be written.

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
{'w0': 0.0, 'w1': 0.0, 'b': 0.0}
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any, Final, TypeVar

from autograd.files import write_whole
from nn.module import Module

__all__ = ["load", "save"]

FORMAT: Final = "nn parameters, version 1"
KEYS: Final = ["format", "model", "parameters", "sha256"]
M = TypeVar("M", bound=Module)


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write a model's parameters to a file; if that fails, the file is what it was before.

    Args:
        model: any module.
        path: the file, which is replaced if it exists.

    Raises:
        OSError: if the file cannot be written, or is a folder.
    """
    parameters = {name: data if math.isfinite(data) else str(data) for name, data in model.state_dict().items()}
    content = {"format": FORMAT, "model": repr(model), "parameters": parameters}
    text = json.dumps(content | {"sha256": _checksum(content)}, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, text.encode())


def load(model: M, path: str | os.PathLike[str]) -> M:
    """Read a file into a model of the same architecture; if anything does not fit, the model stays as it is.

    Args:
        model: the module whose parameters are set.
        path: a file written by `save`.

    Returns:
        The model.

    Raises:
        ValueError: for a file that is cut off, was changed, is something else, or is of another architecture.
        OSError: if the file cannot be read.
    """
    try:
        content = json.loads(Path(path).read_bytes().decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError(f"{path} was not written by save: it is nested too deeply") from None
    except ValueError as error:  # of JSON and of UTF-8
        raise ValueError(f"{path} cannot be read, it may be cut off: {error}") from None
    if not _is_whole(content):
        raise ValueError(f"{path} was not written by save: it should have the entries {', '.join(KEYS)}")
    if content["format"] != FORMAT:
        raise ValueError(f"{path} has the format {_short(content['format'])!r}; this version reads {FORMAT!r}")
    if content["model"] != repr(model):
        raise ValueError(f"{path} holds {_short(content['model'])}; the model to load into is {model!r}")
    expected = content.pop("sha256")
    if expected != _checksum(content):
        raise ValueError(f"{path} was changed after it was saved: its checksum does not fit its content")
    try:
        model.load_state_dict({name: _number(data) for name, data in content["parameters"].items()})
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    return model


def _is_whole(content: Any) -> bool:
    """Whether what was read has all entries, each of its type."""
    if not isinstance(content, dict) or sorted(content) != KEYS or not isinstance(content["parameters"], dict):
        return False
    texts = all(isinstance(content[key], str) for key in KEYS if key != "parameters")
    return texts and all(isinstance(data, float | int | str) for data in content["parameters"].values())


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def _number(data: Any) -> Any:
    # What JSON has no number for was written as text.
    return float(data) if data in ("nan", "inf", "-inf") else data


def _short(text: str, most: int = 500) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry occurs twice")
    return entries


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
