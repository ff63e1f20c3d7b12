"""CPython in WebAssembly, as browsers run it: the engine and the drawings give the same there, without any network.

It needs Node and npm's package pyodide, which Node finds by the variable NODE_PATH:

    npm install --prefix FOLDER pyodide && NODE_PATH=FOLDER/node_modules .venv/bin/python -m pytest tests/test_pyodide.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NODE = """
globalThis.fetch = () => { throw new Error("there is no network here"); };
const { loadPyodide } = require("pyodide");
loadPyodide().then(async (pyodide) => {
    if (process.argv[3] === "viz") pyodide.registerJsModule("viz_js", await require("@viz-js/viz").instance());
    pyodide.mountNodeFS("/mnt", process.argv[1]);
    pyodide.runPython(process.argv[2]);
}).catch((error) => { console.error(error); process.exit(1); });
"""
PROGRAM = """
import sys
sys.path.insert(0, "/mnt")
from autograd import Value, draw, explain, grad, sin, tanh, walk
from nn import MLP
x = Value(2.0, label="x")
loss = tanh(x * 0.5 - 0.4) ** 2 + x * x
loss.backward()
print(f"{loss.data:.12f} {x.grad:.12f} {grad(grad(sin))(1.0).data:.12f}")
print(walk(loss), explain(x, of=loss), walk(x**3 / 7).to_json(), sep="\\n")
error = (MLP(2, [2, 1], seed=1)([0.5, -1.0]) - 1) ** 2
error.backward()
for drawing in (draw(loss), draw(loss, step=5), draw(error, view="neurons")):
    print(drawing.dot, drawing.mermaid)
"""
WITHOUT_LAYOUT = """
import sys
sys.path.insert(0, "/mnt")
from autograd import Value, draw, play
from autograd.drawing import LayoutError
for picture in (draw, play):
    try:
        picture(Value(1.0) * 2).svg
    except LayoutError as error:
        print(error)
print(Value(1.0)._repr_mimebundle_())
"""

WITH_VIZ = """
import re, sys
sys.path.insert(0, "/mnt")
from autograd import Value, draw, play, tanh
from nn import MLP
x = Value(2.0, label="x")
loss = (MLP(2, [2, 1], seed=1)([0.5, x]) - 1) ** 2
for svg in (draw(loss).svg, draw(tanh(x) * x, step=2).svg, draw(loss, view="neurons").svg, play(loss).markup):
    print(len(re.findall("<(?:rect|ellipse)", svg)), len(re.findall("<path", svg)), re.sub("<[^>]*>", "", svg)[:2000])
"""

FILES = """
import importlib, pathlib, pkgutil, sys, tempfile, warnings
warnings.simplefilter("error")  # such as those of a Python that is newer than the one that runs the tests
sys.path.insert(0, "/mnt")
import autograd, nn
from autograd import Value, draw
others = ("autograd.certainty.", "autograd.compiler", "autograd.strategies", "autograd.checking.pytest_plugin")  # need packages
for package in (autograd, nn):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith(others):
            importlib.import_module(module.name)
folder = pathlib.Path(tempfile.mkdtemp())
model = nn.MLP(2, [2, 1], seed=1)
for _ in range(2):
    nn.save(model, folder / "model.json")
    draw(Value(1.0) * 2).save(folder / "graph.dot")
print(nn.load(nn.MLP(2, [2, 1]), folder / "model.json").state_dict() == model.state_dict())
print(sorted(path.name for path in folder.iterdir()))
"""


def run_there(program: str, viz: bool = False) -> str:
    """Run a program in Pyodide, with the project's folder at /mnt, and return its output; `viz`: with viz-js to lay out."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node: apt install nodejs")
    for package in ("pyodide", *["@viz-js/viz"] * viz):
        if subprocess.run([node, "-e", f"require.resolve('{package}')"], capture_output=True, check=False).returncode != 0:
            pytest.skip(f"Node does not find {package}: npm install {package}, and set NODE_PATH to its node_modules")
    command = [node, "-e", NODE, str(ROOT), program, *["viz"] * viz]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def test_it_computes_and_draws_the_same() -> None:
    here = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    assert "flowchart LR" in here.stdout
    assert run_there(PROGRAM) == here.stdout


def test_pictures_say_that_a_layout_engine_is_missing() -> None:
    lines = run_there(WITHOUT_LAYOUT).splitlines()
    assert [line.startswith("no layout engine is installed") for line in lines] == [True, True, False]
    assert lines[-1] == "{'text/plain': 'Value(data=1.0, grad=0.0)'}"


def test_pictures_are_laid_out_by_viz_js() -> None:
    here = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", WITH_VIZ], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    assert here.stdout.count("tanh") > 3
    assert run_there(WITH_VIZ, viz=True) == here.stdout


def test_files_are_written_without_a_warning() -> None:
    assert run_there(FILES) == "True\n['graph.dot', 'model.json']\n"
