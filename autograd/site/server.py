"""A web server for the site, on this machine only: it serves the files of a folder, and opens the browser."""

from __future__ import annotations

import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

__all__ = ["serve"]

HOST: Final = "127.0.0.1"  # only this machine
# A system's own list of types may lack these or have them wrong, and a browser insists on them.
TYPES: Final = {
    **SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", ".mjs": "text/javascript",
    ".wasm": "application/wasm", ".css": "text/css", ".html": "text/html; charset=utf-8",
}  # fmt: skip


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = TYPES

    def log_message(self, *_: Any) -> None:
        """Print nothing for each request."""


def serve(folder: Path, port: int) -> None:
    """Serve a folder until Ctrl-C is pressed, and open it in the browser.

    Args:
        folder: the folder of the site.
        port: from 1 to 65535, or 0 for any that is free.

    Raises:
        OSError: if the port is taken, or closed to this user.
    """
    with ThreadingHTTPServer((HOST, port), partial(_Handler, directory=str(folder))) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        print(f"The site is at {address} until you press Ctrl-C.", flush=True)
        webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
