"""Architecture: which room may import which, what imports cost, and how large files may grow."""

import ast
import functools
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each room and the rooms that it may use.
ROOMS: dict[str, set[str]] = {
    "autograd.rows": {"autograd.arithmetic", "autograd.reals", "autograd.threads", "autograd.wellformed"},
    "autograd.reals": set(),
    "autograd.wellformed": set(),
    "autograd.arithmetic": set(),
    "autograd.threads": set(),
    "autograd.collector": set(),
    "autograd.lookups": set(),
    "autograd.primitives": {"autograd", "autograd.arithmetic", "autograd.rows"},
    "autograd.functions": {"autograd.arithmetic", "autograd.primitives"},
    "autograd.writing": {"autograd.arithmetic", "autograd.primitives", "autograd.rows"},
    "autograd.fixed": {"autograd.rows"},
    "autograd.symbol": {"autograd.fixed", "autograd.lookups", "autograd.primitives", "autograd.writing"},
    "autograd.manual": {"autograd.rows", "autograd.symbol", "autograd.writing"},
    "autograd.compatible": {"autograd.functions", "autograd.primitives", "autograd.rows"},
    "autograd.manners": {"autograd.compatible", "autograd.primitives", "autograd.rows"},
    "autograd.recording": {"autograd.rows", "autograd.symbol", "autograd.writing"},
    "autograd.value": {
        "autograd", "autograd.fixed", "autograd.manners", "autograd.primitives", "autograd.reals", "autograd.recording",
        "autograd.symbol", "autograd.threads",
    },
    "autograd.trees": {"autograd.reals"},
    "autograd.risks": {"autograd", "autograd.primitives", "autograd.symbol", "autograd.value"},
    "autograd.rerun": {
        "autograd.arithmetic", "autograd.fixed", "autograd.manners", "autograd.primitives", "autograd.reals", "autograd.value",
    },
    "autograd.forward": {
        "autograd.primitives", "autograd.reals", "autograd.rerun", "autograd.symbol", "autograd.trees", "autograd.value",
    },
    "autograd.transforms": {
        "autograd.primitives", "autograd.reals", "autograd.rerun", "autograd.risks", "autograd.symbol", "autograd.trees",
        "autograd.value",
    },
    "autograd.notation": {
        "autograd.primitives", "autograd.rerun", "autograd.symbol", "autograd.value", "autograd.writing",
    },
    "autograd.mistakes": {"autograd.primitives", "autograd.notation", "autograd.value"},
    "autograd.moments": {"autograd.symbol", "autograd.notation", "autograd.value", "autograd.writing"},
    "autograd.steps": {
        "autograd.manners", "autograd.mistakes", "autograd.moments", "autograd.rerun", "autograd.symbol", "autograd.notation",
        "autograd.value", "autograd.writing",
    },
    "autograd.nonfinite": {"autograd.manners", "autograd.mistakes", "autograd.notation", "autograd.value"},
    "autograd.algebra": {"autograd.symbol"},
    "autograd.derivation": {
        "autograd.algebra", "autograd.manners", "autograd.mistakes", "autograd.moments", "autograd.steps", "autograd.symbol",
        "autograd.notation", "autograd.value", "autograd.writing",
    },
    "autograd.marking": {"autograd.writing"},
    "autograd.claims": {
        "autograd.derivation", "autograd.manners", "autograd.marking", "autograd.reals", "autograd.steps", "autograd.notation",
        "autograd.value", "autograd.writing",
    },
    "autograd.exercises": {
        "autograd.derivation", "autograd.drawing", "autograd.expressions", "autograd.files", "autograd.manners",
        "autograd.marking", "autograd.mistakes", "autograd.player", "autograd.primitives", "autograd.reals", "autograd.rerun",
        "autograd.rows", "autograd.steps", "autograd.symbol", "autograd.notation", "autograd.tokens", "autograd.value",
        "autograd.writing",
    },
    "autograd.files": {"autograd.writing"},
    "autograd.drawing": {
        "autograd.files", "autograd.moments", "autograd.primitives", "autograd.rerun", "autograd.steps", "autograd.symbol",
        "autograd.notation", "autograd.value", "autograd.writing",
    },
    "autograd.player": {
        "autograd.arithmetic", "autograd.drawing", "autograd.files", "autograd.mistakes", "autograd.moments",
        "autograd.primitives", "autograd.steps", "autograd.symbol", "autograd.notation", "autograd.value", "autograd.writing",
    },
    "autograd.site": {
        "autograd", "autograd.checking", "autograd.derivation", "autograd.drawing", "autograd.exercises",
        "autograd.expressions", "autograd.files", "autograd.player", "autograd.reals", "autograd.rerun", "autograd.rows",
        "autograd.steps", "autograd.notation", "autograd.value", "autograd.writing",
    },
    "autograd.tokens": {"autograd.primitives", "autograd.rows", "autograd.writing"},
    "autograd.grammar": {"autograd.primitives", "autograd.rows", "autograd.tokens", "autograd.writing"},
    "autograd.expressions": {"autograd.grammar", "autograd.primitives", "autograd.tokens", "autograd.value"},
    "autograd.certainty": {
        "autograd.arithmetic", "autograd.chance", "autograd.lookups", "autograd.manners", "autograd.mistakes",
        "autograd.primitives", "autograd.reals", "autograd.rerun", "autograd.rows", "autograd.symbol", "autograd.notation",
        "autograd.threads", "autograd.transforms", "autograd.trees", "autograd.value", "autograd.writing",
    },
    "autograd.checking": {
        "autograd.certainty", "autograd.forward", "autograd.manners", "autograd.nonfinite", "autograd.primitives",
        "autograd.reals", "autograd.rerun", "autograd.steps", "autograd.symbol", "autograd.notation", "autograd.transforms",
        "autograd.trees", "autograd.value", "autograd.writing",
    },
    "autograd.strategies": {
        "autograd", "autograd.checking", "autograd.primitives", "autograd.rows", "autograd.symbol", "autograd.value",
    },
    "autograd.chance": {"autograd.value"},
    "autograd.compiler": {
        "autograd", "autograd.chance", "autograd.collector", "autograd.files", "autograd.fixed", "autograd.lookups",
        "autograd.manners", "autograd.primitives", "autograd.reals", "autograd.risks", "autograd.rows", "autograd.symbol",
        "autograd.threads", "autograd.trees", "autograd.value", "autograd.writing",
    },
    "nn": {"autograd", "autograd.chance", "autograd.collector", "autograd.files", "autograd.value"},
}  # fmt: skip
# Packages that a room is about and imports at the top of its modules.
GUESTS = {
    "autograd.strategies": {"hypothesis"},
    "autograd.checking.pytest_plugin": {"pytest"},
    "autograd.compiler": {"numpy"},
    "autograd.certainty": {"flint"},
}
# Imports inside functions that lead back, each for one purpose: to display a Value, and to save a walk, as a drawing.
LEADING_BACK = {("autograd.manners", "autograd.drawing"), ("autograd.steps", "autograd.drawing")}
ENTRANCES = {"autograd", "autograd.demo", "autograd.__main__"}  # may use every room


@functools.cache
def modules() -> dict[str, Path]:
    """Return the paths of all modules of the two packages, by dotted name."""
    found = {}
    for path in sorted([*ROOT.glob("autograd/**/*.py"), *ROOT.glob("nn/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def room(module: str) -> str:
    """Return the room that a module belongs to: itself, or the package around it."""
    while module not in ROOMS and module not in ENTRANCES:
        module, _, _ = module.rpartition(".")
    return module


def imports(path: Path, module: str) -> set[str]:
    """Return the modules that a file imports at its top level."""
    names: set[str] = set()
    for statement in tree(path).body:
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{module} imports relatively"
            names.add(str(statement.module))
            names |= {f"{statement.module}.{alias.name}" for alias in statement.names}
    return names


@pytest.mark.parametrize("module", modules())
def test_imports_flow_one_way(module: str) -> None:
    known = modules()
    used = {room(name) for name in imports(known[module], module) if name in known}
    if room(module) in ROOMS:
        assert used - {room(module)} <= ROOMS[room(module)]
    outside = {name.partition(".")[0] for name in imports(known[module], module)} - {"autograd", "nn", "__future__"}
    assert outside - GUESTS.get(module, GUESTS.get(room(module), set())) <= sys.stdlib_module_names, (
        "other packages are imported inside the functions that use them"
    )


def test_only_the_listed_imports_lead_back() -> None:
    known = modules()
    back = set()
    for module, path in known.items():
        whole = ast.walk(tree(path))
        names = {str(part.module) for part in whole if isinstance(part, ast.ImportFrom)} & set(known)
        within = {room(name) for name in names - imports(path, module)} - {room(module)}
        if room(module) in ROOMS:
            back |= {(module, name) for name in within if name not in ROOMS[room(module)]}
    assert back == LEADING_BACK


def test_nn_uses_only_public_names() -> None:
    import autograd
    from autograd import chance, collector, files

    public = {"autograd": {*autograd.__all__, "Program", "compile"}}
    public |= {module.__name__: {*module.__all__} for module in (chance, collector, files)}
    public["autograd.value"] = {"nodes_below"}  # both packages search graphs by it
    for name, path in modules().items():
        if room(name) == "nn":
            for statement in ast.walk(tree(path)):
                if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("autograd"):
                    assert {a.name for a in statement.names} <= public.get(str(statement.module), set())


def test_only_one_room_writes_files() -> None:
    writers = {"write_bytes", "write_text", "mkstemp", "NamedTemporaryFile", "fsync", "rename", "symlink_to"}
    for name, path in modules().items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name) and name != "autograd.files":
                called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                modes = {a.value for a in node.args if isinstance(a, ast.Constant)} if called == "open" else {"r"}
                assert called not in writers and modes <= {"r", "rb"}, f"{name}, line {node.lineno}"


def test_no_module_has_the_name_of_a_public_function() -> None:
    import autograd
    import nn

    assert not {name.rpartition(".")[2] for name in modules()} & {*autograd.__all__, *nn.__all__}


def test_no_operation_is_named_outside_the_table() -> None:
    import autograd
    from autograd.primitives import Primitive

    rows = {name for name in autograd.__all__ if isinstance(getattr(autograd, name), Primitive)}
    for name, path in modules().items():
        if room(name) == "autograd.drawing":
            rows.discard("dot")  # Graphviz's program and format
        if name != "autograd.primitives":
            for node in ast.walk(tree(path)):
                if isinstance(node, ast.Compare | ast.Match):
                    compared = {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
                    assert not compared & rows, f"{name}, line {node.lineno}"


def test_everything_public_has_a_docstring() -> None:
    for name, path in modules().items():
        assert ast.get_docstring(tree(path)), name
        classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        for body in [tree(path).body, *(node.body for node in classes)]:
            for part in body:
                if isinstance(part, ast.FunctionDef | ast.ClassDef) and not part.name.startswith("_"):
                    setter = any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in part.decorator_list)
                    overload = any(isinstance(d, ast.Name) and d.id == "overload" for d in part.decorator_list)
                    assert ast.get_docstring(part) or setter or overload, f"{name}.{part.name}"


def test_importing_needs_only_the_standard_library() -> None:
    program = "import sys; before = set(sys.modules); import autograd, nn; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    packages = {name.partition(".")[0] for name in run.stdout.split()} - {"autograd", "nn"}
    assert packages <= sys.stdlib_module_names


def test_a_star_import_needs_only_the_standard_library_and_hides_no_builtin() -> None:
    program = (
        "import builtins, sys; sys.modules['numpy'] = None\n"
        "from autograd import *\n"
        "from nn import *\n"
        "print(sorted(set(globals()) & {name for name in dir(builtins) if not name.startswith('_')}), Value(3.0) * 2)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout == "[] Value(data=6.0, grad=0.0)\n"


def test_names_that_need_extras_are_found_as_attributes() -> None:
    import autograd

    hidden = set(dir(autograd)) - set(autograd.__all__)
    assert {"Program", "compile"} <= hidden
    for name in ("Program", "compile", "draw"):
        vars(autograd).pop(name, None)  # as before its first use
        assert getattr(autograd, name).__name__ == name


def test_no_file_is_too_long() -> None:
    for folder in ("autograd", "nn", "tests"):
        for path in (ROOT / folder).glob("**/*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def code_lines(path: Path) -> int:
    """Return the number of lines without blank lines, comments and docstrings."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type not in skipped | {tokenize.ENCODING}]
    documented = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docstrings = {line for node in documented if ast.get_docstring(node, clean=False) is not None
                  for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)}  # fmt: skip
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - docstrings)


def test_the_engine_can_be_read_in_one_sitting() -> None:
    lines = {path.stem: code_lines(path) for path in (ROOT / "autograd").glob("*.py")}
    engine = "primitives", "value", "transforms"
    assert sum(lines[name] for name in engine) <= 550
    assert sum(lines[name] for name in (*engine, "rows", "recording", "symbol", "manners")) <= 1080


def test_the_top_level_has_only_the_agreed_names() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    top = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= {
        "pyproject.toml", "README.md", "LICENSE", "autograd", "nn", "tests", "notebooks",
    }  # fmt: skip
