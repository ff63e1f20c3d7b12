"""Visits to the page for everyone in a real browser, for the tests that look at it.

They serve it on loopback, with Python in WebAssembly from npm's packages pyodide and @viz-js/viz, which the variable NODE_PATH
has to lead to:

    npm install --prefix FOLDER pyodide@314.0.7 @viz-js/viz@3.31.0
    NODE_PATH=FOLDER/node_modules .venv/bin/python -m pytest -m slow tests/test_site_browser.py
"""

from __future__ import annotations

import base64
import json
import os
import threading
import zlib
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find

from autograd.site.server import _Handler

HOST = ".autograd-player"
READY = "document.body.dataset.python === 'ready' && by('state').textContent.includes('ready')"


def modules(*packages: str) -> Path:
    """Return the folder in which npm installed some packages, which NODE_PATH lists; skip the test if there is none."""
    folders = [Path(folder) for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder]
    found = [folder for folder in folders if all((folder / package).is_dir() for package in packages)]
    if not found:
        pytest.skip(f"npm's {' and '.join(packages)} are not on NODE_PATH")
    return found[0]


class Server:
    """A server of a site's folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class Visit:
    """The page in a browser, with the actions of a visitor."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self, fragment: str = "", is_ready: bool = True, motion: str = "reduce", **window: Any) -> None:
        """Open the page, by default until Python is ready."""
        self.browser.open("about:blank")
        self.browser.open(self.address + fragment, **{"prefers_reduced_motion": motion} | window)
        self.wait(READY if is_ready else "document.body.dataset.python")  # the scripts start after the page has loaded

    def start_over(self) -> None:
        """Choose the first example, opening the page first if necessary."""
        if not self.browser.run("location.href").startswith(self.address):
            self.open()
        self.run("by('example').value = '0', by('example').dispatchEvent(new Event('change'))")
        self.browser.click("#tab-step")
        self.wait("player?.steps === 10")

    def judge(self) -> None:
        """Check that no script failed and that nothing was requested from elsewhere."""
        ours = (self.address, f"blob:{self.address}", "data:", "about:blank")
        complaints = [each for each in self.browser.complaints if "favicon" not in each]
        elsewhere = [each for each in self.browser.requests if not each.startswith(ours)]
        assert not complaints and not elsewhere, (complaints, elsewhere)

    def run(self, script: str) -> Any:
        """Evaluate JavaScript: ``by`` finds an element by its id, ``player`` is the player's, ``find`` looks into it."""
        return self.browser.run(f"(() => {{ {KNOWN} return {script}; }})()")

    def wait(self, condition: str) -> None:
        """Wait until a condition holds."""
        self.browser.run(f"""new Promise((done, fail) => {{
            const timer = setInterval(() => {{
                {KNOWN}
                if ({condition}) clearInterval(timer), done();
            }}, 20);
            setTimeout(() => fail("timed out: " + {json.dumps(condition)}), 110000);
        }})""")

    def write(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        self.browser.click(selector)
        self.run(f"{find(selector)}.select()")
        self.browser.type(text)

    def run_cell(self, code: str) -> None:
        """Write code into the cell, and run it."""
        self.browser.click("[value=code]")
        self.write("#code", code)
        self.browser.click("#run")

    def text(self, ident: str) -> str:
        """Return the text of an element, with single spaces."""
        return " ".join(str(self.run(f"by({json.dumps(ident)}).innerText")).split())

    def open_tab(self, tab: str, shows: str) -> str:
        """Open a tab, wait until it shows a text, and return all of its text."""
        self.browser.click(f"#tab-{tab}")
        self.wait(f"by('panel-{tab}').innerText.includes({json.dumps(shows)})")
        return self.text(f"panel-{tab}")

    def state(self) -> dict[str, Any]:
        """Return the state in the address, once it is up to date."""
        self.browser.run("new Promise(done => setTimeout(done, 800))")
        fragment = self.run("location.hash.slice(1)")
        found: dict[str, Any] = json.loads(zlib.decompress(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4))))
        return found


KNOWN = f"""const by = id => document.getElementById(id), host = document.querySelector("{HOST}"), player = host?.player,
    find = selector => host.shadowRoot.querySelector(selector);"""


def link(**state: Any) -> str:
    """Return the fragment of an address that encodes a state."""
    return "#" + base64.urlsafe_b64encode(zlib.compress(json.dumps(state).encode())).decode().rstrip("=")
