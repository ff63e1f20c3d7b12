"""A real browser for the tests: Chromium without a window, controlled by the DevTools protocol over two pipes.

Over pipes, a message is JSON followed by NUL, so neither a driver nor a package is needed.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-device-scale-factor=1",
    "--remote-debugging-pipe",
]  # fmt: skip
# The browser's ends of the pipes have to be its file descriptors 3 and 4.
LAUNCH = "import os, sys; i, o, *words = sys.argv[1:]; os.dup2(int(i), 3); os.dup2(int(o), 4); os.execv(words[0], words)"
PATIENCE = 120  # seconds without a message, after which the browser counts as dead
KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35, "Tab": 9, "Enter": 13, " ": 32,
    "a": 65, "Escape": 27, "b": 66, "x": 88, "f": 70, "l": 76, "p": 80, "+": 187, "-": 189, "0": 48,
}  # fmt: skip


def find_browser() -> str | None:
    """Return the path of a browser that can be driven, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def find(selector: str) -> str:
    """Return JavaScript for the first element that matches a selector; ``>>>`` descends into an element's shadow root."""
    return "document" + "?.shadowRoot".join(f"?.querySelector({json.dumps(part.strip())})" for part in selector.split(">>>"))


def _server(address: str) -> str:
    """Return the server of an address, which may be that of a blob; an empty text for a file's."""
    return urlsplit(address.removeprefix("blob:")).netloc


class Browser:
    """A browser with one page.

    Args:
        program: its path.
        profile: an empty folder for its profile.
    """

    def __init__(self, program: str, profile: Path) -> None:
        (theirs_in, self._out), (self._in, theirs_out) = os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out), program, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = count(1)
        self._rest = b""
        self._elsewhere: Mapping[str, bytes] = {}
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    _session = ""
    _address = "about:blank"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._session = ""
            self.call("Browser.close")
        finally:
            os.close(self._out)
            os.close(self._in)
            self._process.wait(timeout=30)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result; raise a RuntimeError if the browser refuses or has ended."""
        number = self._send(method, **parameters)
        while (answer := self._receive()).get("id") != number:
            self.events.append(answer)
            self._answer(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _answer(self, event: dict[str, Any]) -> None:
        """Answer an event that needs an answer: a page asks whether it may be left, or requests a file of another server."""
        given = event.get("params", {})
        if given.get("type") == "beforeunload":
            self._send("Page.handleJavaScriptDialog", accept=True)
        elif event.get("method") == "Fetch.requestPaused":
            body = base64.b64encode(self._elsewhere[given["request"]["url"]]).decode()
            headers = [{"name": "Access-Control-Allow-Origin", "value": "*"}]
            self._send(
                "Fetch.fulfillRequest", requestId=given["requestId"], responseCode=200, responseHeaders=headers, body=body
            )

    def stand_in(self, files: Mapping[str, bytes]) -> None:
        """Stand in for other servers: serve these files, by address, to pages of any origin."""
        self._elsewhere = files
        self.call(
            "Fetch.enable" if files else "Fetch.disable",
            **({"patterns": [{"urlPattern": url} for url in files]} if files else {}),
        )

    def _send(self, method: str, **parameters: Any) -> int:
        """Send a message and return its number."""
        message: dict[str, Any] = {"id": next(self._numbers), "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self._out, rest) :]
        number: int = message["id"]
        return number

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            answers, _, _ = select.select([self._in], [], [], PATIENCE)
            more = os.read(self._in, 1 << 16) if answers else b""
            if not more:
                raise RuntimeError("the browser has ended" if answers else f"the browser was silent for {PATIENCE} seconds")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        received: dict[str, Any] = json.loads(message)
        return received

    def open(self, page: Path | str, width: int = 1280, height: int = 900, **media: str) -> None:
        """Open a file or an address in a window; see `resize`."""
        self.resize(width, height, **media)
        self.events.clear()
        self._address = page if isinstance(page, str) else page.as_uri()
        self.call("Page.navigate", url=self._address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(event := self._receive())
            self._answer(event)

    def resize(self, width: int = 1280, height: int = 900, **media: str) -> None:
        """Give the window a size, and media features such as ``prefers_color_scheme="dark"``."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in the page and return its value."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        x, y = self.middle(selector)
        self.point(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def point(self, selector: str) -> None:
        """Move the mouse over the middle of an element."""
        x, y = self.middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def middle(self, selector: str) -> tuple[float, float]:
        """Scroll an element into view and return the position of its middle; raise a RuntimeError if it cannot be seen."""
        script = f"""(() => {{
            const e = {find(selector)};
            e.scrollIntoView({{block: "center", inline: "center", behavior: "instant"}});
            const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
            const top = e.getRootNode().elementFromPoint(x, y);
            return [x, y, r.width > 0 && (e.contains(top) || (top?.contains(e) ?? false))];
        }})()"""
        x, y, seen = self.run(script)
        if not seen:
            raise RuntimeError(f"{selector} cannot be clicked at ({x}, {y})")
        return x, y

    def press(self, key: str) -> None:
        """Press a key."""
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": KEYS[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type a text into the focused element."""
        self.call("Input.insertText", text=text)

    def screenshot(self, path: Path, full: bool = True) -> Path:
        """Save a picture of the page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    @property
    def complaints(self) -> list[str]:
        """The script errors and log entries of the page since it was opened."""
        wanted = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in wanted]

    @property
    def requests(self) -> list[str]:
        """The addresses that the page has requested since it was opened.

        The request for a worker of the page before can arrive late; it is without a loader, and is left out by its server.
        """
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        servers = ("", _server(self._address))
        return [each["request"]["url"] for each in sent if each["loaderId"] or _server(each["documentURL"]) in servers]
