"""A page for everyone: a folder of static files in which anyone can try an expression, without installing anything.

The idea: the engine runs unchanged in a browser, in a Python compiled to WebAssembly, and the player computes by itself.  So
any server of static files will do: the site has a wheel of this project, examples that were made when it was built, and a
script that puts them together.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp()) / "site"
>>> site = write_site(folder)
>>> print(*sorted(path.name for path in folder.iterdir()))
examples.bin index.html scalar_autograd-...-py3-none-any.whl service-worker.js site.bin site.css site.js worker.js
>>> site.size < 600_000
True
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from autograd.drawing import LayoutError
from autograd.exercises.questions import KINDS
from autograd.files import write_whole
from autograd.player import ASKING
from autograd.player import SCRIPTS as PLAYER_SCRIPTS
from autograd.player.javascript import FUNCTIONS, OVERFLOWING
from autograd.player.markup import as_data, policy_hash, style_of
from autograd.player.theme import colours
from autograd.rows import TABLE
from autograd.site.examples import EXAMPLES
from autograd.site.session import Session
from autograd.site.vendored import PROGRAMS, VendorError, collect, digest
from autograd.site.wheel import make_wheel
from autograd.site.words import LANGUAGES, SPOKEN

__all__ = ["Site", "VendorError", "functions", "in_words", "make_site", "write_site"]

SCRIPTS: Final = ("rows.js", "links.js", "python.js", "panels.js", "site.js")
# What the page uses of the player's scripts.
FROM_PLAYER: Final = ("Player", "calm", "made", "decoded", "noticeTyping", "read", "repr")
LANGUAGE: Final = "en"  # of the page as it is written; the script changes it
WORD: Final = re.compile(r'<(\w+)((?:[^<>"]|"[^"]*")*) data-(word|label)="([\w-]+)"((?:[^<>"]|"[^"]*")*)>')


@dataclass(frozen=True)
class Site:
    """A site that was written.

    Attributes:
        folder: its folder.
        files: the sizes of its files in bytes, by path in the folder.
    """

    folder: Path
    files: Mapping[str, int]

    @property
    def size(self) -> int:
        """The size of the site in bytes, without third-party programs."""
        return sum(self.files.values()) - self.vendored

    @property
    def vendored(self) -> int:
        """The size of third-party programs in bytes; 0 if the page loads them from elsewhere."""
        folders = tuple(f"{program.folder}/" for program in PROGRAMS)
        return sum(size for file, size in self.files.items() if file.startswith(folders))


def write_site(folder: str | os.PathLike[str], vendor: str | os.PathLike[str] | None = None) -> Site:
    """Write the site into a folder, which is made if it does not exist.

    Args:
        folder: the folder; files of the same names are replaced, and others stay.
        vendor: npm's folder ``node_modules``, from which Pyodide and viz-js are copied; without it the page loads them from
            their public CDN.

    Raises:
        VendorError: if a file to be copied is missing, or differs from the pinned one.
        LayoutError: if no layout engine is installed, which the examples need.
        PackageNotFoundError: if the project is not installed, so that there is no wheel of it.
        OSError: if a file cannot be written.
    """
    contents, folder = make_site(vendor), Path(folder)
    for file, data in contents.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / file, data)
    return Site(folder, {file: len(data) for file, data in contents.items()})


def make_site(vendor: str | os.PathLike[str] | None = None) -> dict[str, bytes]:
    """Return the contents of the site's files by path; the same layout engine gives the same bytes each time."""
    vendored = dict(collect(Path(vendor))) if vendor is not None else {}
    wheel, archive = make_wheel()
    scripts = zlib.compress(_script().encode(), 9)
    head = f"const INTEGRITY = {json.dumps(digest(scripts))};\n"
    contents: dict[str, bytes] = {wheel: archive, "worker.js": _part("worker.js").encode(), "site.bin": scripts}
    contents["site.js"] = (head + _part("unfold.js")).encode()
    contents["site.css"] = (colours().replace(".player", ":root") + _part("site.css")).encode()
    first, *further = _examples()
    style = style_of(first["markup"])
    others = [{**each, "markup": each["markup"].replace(style, "")} for each in further]  # the page has it once
    contents["examples.bin"] = zlib.compress(json.dumps(others).encode(), 9)
    loaded = [_entry(wheel, archive), _entry("worker.js", contents["worker.js"]), *_program_entries(uses_cdn=vendor is None)]
    contents["index.html"] = _page(first, loaded, wheel, contents).encode()
    own = ["./", *(file for file in contents if file != wheel)]
    version = hashlib.sha256(b"".join(contents.values())).hexdigest()[:12]
    head = f"const VERSION = {json.dumps(version)}, FILES = {json.dumps(own)};\n"
    contents["service-worker.js"] = (head + _part("service-worker.js")).encode()
    return contents | vendored


def _examples() -> list[dict[str, Any]]:
    """Return the examples, each as `Session.show` returns it."""
    shown = [Session().show(**example.content) for example in EXAMPLES]
    for each in shown:
        if "error" in each:
            raise LayoutError(each["error"]["text"])
    return shown


def _entry(name: str, data: bytes) -> dict[str, Any]:
    """Return what the page needs to load one of the site's own files and to check it."""
    return {"name": name, "address": name, "integrity": digest(data), "size": len(data)}


def _program_entries(uses_cdn: bool) -> Iterator[dict[str, Any]]:
    """Iterate over the entries of third-party programs' files, on the CDN or in the site; see `_entry`."""
    for program in PROGRAMS:
        for file, (size, integrity) in program.files.items():
            name = Path(file).name
            address = program.address(file) if uses_cdn else f"{program.folder}/{name}"
            yield {"name": name, "address": address, "integrity": integrity, "size": size}


def _page(first: dict[str, Any], loaded: list[dict[str, Any]], wheel: str, contents: Mapping[str, bytes]) -> str:
    words = LANGUAGES[LANGUAGE]
    session = Session()
    session.show(**EXAMPLES[0].content)
    styles = [style_of(shown["markup"]) for shown in (first, session.exercise({}, KINDS[0]))]
    data = {
        "languages": LANGUAGES,
        "files": loaded,
        "version": wheel.split("-")[1],
        "first": {key: value for key, value in first.items() if key != "markup"},
        "examples": [{"title": each.title, "content": each.content} for each in EXAMPLES],
    }
    values = EXAMPLES[0].values or {}
    fields = [f'<label><span dir="ltr">{name}</span><input type="text" name="{name}" value="{x:g}" inputmode="text" '
              'autocomplete="off"></label>' for name, x in values.items()]  # fmt: skip
    options = "".join(f'<option value="{i}">{escape(each.title)}</option>' for i, each in enumerate(EXAMPLES))
    page = Template(_part("site.html")).substitute(
        language=LANGUAGE,
        direction=words["direction"],
        title=words["title"],
        policy=escape(_policy(styles, [each["address"] for each in loaded])),
        style_hash=digest(contents["site.css"]),
        script_hash=digest(contents["site.js"]),
        examples=options + '<option value="" hidden data-word="own"></option>',
        expression=escape(EXAMPLES[0].source),
        variables="".join(fields),
        player_title=escape(first["title"]),
        player=first["markup"],
        data=as_data(data),
    )
    return WORD.sub(lambda match: _spoken(match, words), page)


def _spoken(match: re.Match[str], words: Mapping[str, str]) -> str:
    """Write a word of the table into its element, or into its label."""
    tag, before, kind, key, after = match.groups()
    label = f' aria-label="{escape(words[key])}"' if kind == "label" else ""
    text = escape(words[key]) if kind == "word" else ""
    return f'<{tag}{before} data-{kind}="{key}"{label}{after}>{text}'


def _policy(styles: list[str], addresses: list[str]) -> str:
    """Return the page's Content-Security-Policy; the worker, which is made from a blob, inherits it.

    Requests go only to this site and, unless those files are copied into it, to the addresses of the pinned files.  Scripts
    are the site's own, and blobs: Pyodide's, after a check of their digests.  WebAssembly needs permission to be compiled.
    """
    connect = " ".join(["'self'", *(each for each in addresses if each.startswith("https:"))])
    hashed = " ".join(map(policy_hash, styles))
    return "; ".join([
        "default-src 'none'", "script-src 'self' blob: 'wasm-unsafe-eval'", f"style-src 'self' {hashed}", "img-src data:",
        f"connect-src {connect}", "worker-src 'self' blob:", "base-uri 'none'", "form-action 'none'",
    ])  # fmt: skip


def _script() -> str:
    """Join the player's scripts and the page's into one module."""
    player = "\n".join(
        files("autograd.player").joinpath(name).read_text(encoding="utf-8") for name in (*PLAYER_SCRIPTS, *ASKING)
    )
    names = ", ".join((*FROM_PLAYER, "FUNCTIONS"))
    page = "\n".join(map(_part, SCRIPTS))
    # The player's scripts are made with the words of one language, and made again when the language changes.
    return _bare(f"const playerIn = (word) => {{\n{in_words(player)}\nconst FUNCTIONS = {functions()};\n"
                 f"return {{{names}}};\n}};\nlet {names};\n\n{page}\nnew Page();\n")  # fmt: skip


def in_words(script: str) -> str:
    """Replace the fixed words in a script of the player by look-ups, so that they can be translated.

    >>> in_words('title = isRight ? "As it should be" : "With the mistake"')
    'title = isRight ? word("As it should be") : word("With the mistake")'
    >>> in_words("made(`Ledger of ${nodes[place].short}`)")
    'made(word("Ledger of {}", nodes[place].short))'
    """
    for phrase in SPOKEN:
        quoted = json.dumps(phrase, ensure_ascii=False)
        if "{}" in phrase:
            parts = [re.escape(part) for part in phrase.split("{}")]
            called = ", ".join([f"word({quoted}", *(rf"\{i}" for i in range(1, len(parts)))])
            script = re.sub("`" + r"\$\{([^{}`]*)\}".join(parts) + "`", f"{called})", script)
        else:
            script = script.replace(quoted, f"word({quoted})")
    return script


def functions() -> str:
    """Return a JavaScript object with every function that a row may have; its keys are the functions' texts.

    >>> '"Math.abs": Math.abs,' in functions()
    True
    """
    texts = {"uncalled", *FUNCTIONS.values(), *(f"bounded({FUNCTIONS[each]})" for each in OVERFLOWING)}
    texts |= {row.javascript for row in TABLE.values() if row.javascript}
    return "{\n" + "".join(f"{json.dumps(text)}: {text},\n" for text in sorted(texts)) + "}"


def _bare(script: str) -> str:
    """Remove indentation, comment lines and empty lines; no string in the scripts spans lines."""
    return re.sub(r"^ *//.*\n|^ +|^\n", "", script, flags=re.MULTILINE)


def _part(name: str) -> str:
    return files("autograd.site").joinpath(name).read_text(encoding="utf-8")
