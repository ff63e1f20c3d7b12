"""Run the notebooks and save them with their outputs: the only way to regenerate them.

    .venv/bin/python tests/regenerate_notebooks.py            # all
    .venv/bin/python tests/regenerate_notebooks.py 01 04      # only those whose names begin with 01 or 04

A notebook is its own source: edit it in Jupyter, then run this, so that the saved file has no trace of where or when it ran.
Each notebook gets a new kernel of this Python, with an empty search path: so no ``dot`` program is found, the build of Graphviz
that pip installs lays out every picture, and the same notebook gives the same bytes anywhere.

A line of output that begins with ⏱ is a time: it appears when the notebook runs, but is not saved.

A graph is saved as SVG, which GitHub and nbviewer show, and as PNG, the only picture that JupyterLab shows in an untrusted
notebook.  It is not saved as HTML, which GitHub would prefer, only to strip the images that are data URLs.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import PIL.Image
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from autograd.drawing.as_image import FONT, print_svg

__all__ = ["NOTEBOOKS", "as_kept", "execute", "nbformat", "regenerate", "run", "written"]

nbformat: Any = import_module("nbformat")  # a plain import would bring untyped functions
ROOT: Final = Path(__file__).parent.parent
NOTEBOOKS: Final = sorted((ROOT / "notebooks").glob("*.ipynb"))
METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SECONDS: Final = 600  # a cell that takes longer counts as hung
COLOURS: Final = 128  # of a plot
GRAPH_COLOURS: Final = 32
WIDEST: Final = 1280  # pixels of a graph's PNG
TIME: Final = "⏱"  # begins a line that differs from run to run
WAIT: Final = "Matplotlib is building the font cache; this may take a moment.\n"  # Matplotlib prints this on a slow machine
SHRUNK: Final = 0.5  # from the resolution of print to that of a screen


def run(path: Path, **variables: str) -> Any:
    """Run a notebook from its first cell to its last in a kernel of its own, in its folder, and return it with its outputs.

    Args:
        path: the notebook; the file stays as it is.
        variables: additional environment variables for the kernel.

    Raises:
        CellExecutionError: if a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        kernels = KernelSpecManager(kernel_dirs=[])  # only this Python's kernel, none that the user installed
        manager = AsyncKernelManager(kernel_spec_manager=kernels, transport="ipc", ip=f"{folder}/kernel")
        client = NotebookClient(notebook, km=manager, timeout=SECONDS, resources={"metadata": {"path": str(path.parent)}})
        client.execute(env=_environment(folder) | variables, cleanup_kc=True)
    return notebook


def execute(path: Path, **variables: str) -> Any:
    """Run a notebook as `run` does, and return it as it is saved; see `as_kept`."""
    return as_kept(run(path, **variables), path.name)


def regenerate(path: Path) -> bool:
    """Run a notebook and write it with its outputs; return whether that changed the file."""
    before, after = path.read_text(encoding="utf-8"), written(execute(path))
    path.write_text(after, encoding="utf-8")
    return before != after


def written(notebook: Any) -> str:
    """Return a notebook as the text of its file."""
    text: str = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    return text.rstrip("\n") + "\n"


def _environment(folder: str) -> dict[str, str]:
    """Return a kernel's environment: minimal, so that it acts the same on every machine; it writes its files to `folder`."""
    kept = {name: value for name, value in os.environ.items() if name in ("SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")}
    isolated = {"PATH": "", "HOME": folder, "IPYTHONDIR": folder, "MPLCONFIGDIR": folder, "JUPYTER_RUNTIME_DIR": folder}
    return kept | isolated | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def as_kept(notebook: Any, name: str) -> Any:
    """Number the cells of a notebook from 1 and remove traces of the run: versions, times, and where the output was split.

    Raises:
        ValueError: if a cell wrote to standard error, since warnings do not belong in a lecture.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    count = 0
    for i, cell in enumerate(notebook.cells, start=1):
        cell.id, cell.metadata = f"cell{i:02}", {}
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        pieces, cell.outputs = cell.outputs, []
        for output in pieces:
            last = cell.outputs[-1] if cell.outputs else {}
            if output.output_type == "stream" and last.get("name") == output.name:
                last["text"] += output.text
                continue
            if "metadata" in output:
                output.metadata = {}
            if "execution_count" in output:
                output.execution_count = count
            data = output.get("data", {})
            if "text/latex" in data or "image/svg+xml" in data:
                data.pop("text/html", None)
            if "image/svg+xml" in data:
                data["image/png"] = _drawn(data["image/svg+xml"])
            elif "image/png" in data:
                data["image/png"] = _light(data["image/png"])
            cell.outputs.append(output)
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = re.sub(rf"^{TIME}.*\n", "", output.text.replace(WAIT, ""), flags=re.MULTILINE)
        cell.outputs = [output for output in cell.outputs if output.get("text") != ""]
        for output in cell.outputs:
            if output.get("name") == "stderr":
                raise ValueError(f"{name}, {cell.id} warns: {output.text}")
    return notebook


def _drawn(svg: str) -> str:
    """Return a graph as PNG, in the fonts that Typst contains, which are the same everywhere."""
    font = f'font-family="{FONT}"'
    image = PIL.Image.open(io.BytesIO(print_svg(re.sub('font-family="[^"]*"', font, svg, count=1), "", "png")))
    image.thumbnail((min(image.width * SHRUNK, WIDEST), image.height), PIL.Image.Resampling.LANCZOS)
    paper = PIL.Image.new("RGBA", image.size, "white")  # the corners of a graph are round
    return _packed(PIL.Image.alpha_composite(paper, image.convert("RGBA")), GRAPH_COLOURS)


def _light(png: str) -> str:
    """Return a plot with a palette of its own colours: a third of the bytes, and no visible difference."""
    return _packed(PIL.Image.open(io.BytesIO(base64.b64decode(png))), COLOURS)


def _packed(image: PIL.Image.Image, colours: int) -> str:
    """Return an image as the text of a PNG with a palette of `colours` colours."""
    buffer = io.BytesIO()
    image.convert("RGB").quantize(colours).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode() + "\n"


def main(beginnings: Sequence[str]) -> None:
    """Regenerate the notebooks whose names begin with one of `beginnings`, or all if it is empty."""
    for path in NOTEBOOKS:
        if path.name.startswith(tuple(beginnings) or ""):
            print(f"{path.name}: {'rewritten' if regenerate(path) else 'unchanged'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
