"""A real browser for tests: headless Chromium, driven over its own debugging pipe.

Protocol: https://chromedevtools.github.io/devtools-protocol/ (JSON messages, each ended by a zero byte,
on file descriptors 3 and 4 of the browser). No driver and no port: nobody else can speak to it.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

CHROMIUM = shutil.which("chromium")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_DEADLINE = 30.0  # seconds
_TROUBLE = {
    "Log.entryAdded",  # violations of the page's policy among others
    "Page.javascriptDialogOpening",
    "Runtime.consoleAPICalled",
    "Runtime.exceptionThrown",
}


class Page:
    """One page of the browser.

    Attributes:
        troubles: what the page complained of or tried: console messages, errors, policy violations, dialogs.
        requests: addresses that it asked for, its own left out.
    """

    def __init__(self, to: int, back: int) -> None:
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self._to, self._back = to, back
        self._buffer = b""
        self._last = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, file: Path, *, width: int = 1280, height: int = 900) -> None:
        """Open ``file`` in a window of that size, and wait until all of it is there."""
        self.resize(width, height)
        self.call("Page.navigate", url=file.as_uri())
        self._until(lambda message: message.get("method") == "Page.loadEventFired")
        self.requests = [address for address in self.requests if address != file.as_uri()]

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another size, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def text(self) -> str:
        """Return what a reader sees."""
        return str(self.run("document.body.innerText"))

    def click(self, selector: str) -> None:
        """Click in the middle of an element, with a mouse."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); "
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def print(self, file: Path) -> None:
        """Print the page to a PDF file, as its own style sheet wants it."""
        pdf = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        file.write_bytes(base64.b64decode(pdf))

    def picture(self, file: Path) -> None:
        """Write a picture of the whole page (PNG)."""
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(image))

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command of the protocol and return its result."""
        self._last += 1
        number = self._last
        message: dict[str, object] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda message: message.get("id") == number)
        assert "error" not in answer, answer["error"]
        return dict(answer["result"])

    def _until(self, wanted: Any) -> dict[str, Any]:
        end = monotonic() + _DEADLINE
        while True:
            while b"\0" in self._buffer:
                line, _, self._buffer = self._buffer.partition(b"\0")
                message = json.loads(line)
                self._note(message)
                if wanted(message):
                    return dict(message)
            ready, _, _ = select.select([self._back], [], [], max(0.0, end - monotonic()))
            assert ready, "the browser does not answer"
            chunk = os.read(self._back, 1 << 20)
            assert chunk, "the browser is gone"
            self._buffer += chunk

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method", ""), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if method in _TROUBLE:
            self.troubles.append(f"{method}: {json.dumps(params)[:400]}")


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start Chromium with an empty profile below ``folder``; stop it at the end."""
    assert CHROMIUM
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # Far from 3 and 4, so that the shell cannot overwrite one while it moves the other there.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]
    move = f'exec "$@" 3<&{ends[0]} 4>&{ends[1]} {ends[0]}<&- {ends[1]}>&-'
    process = subprocess.Popen(
        ["bash", "-c", move, "bash", CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
        pass_fds=ends,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"HOME": str(folder), "TZ": "UTC"},
    )
    for end in (theirs_in, theirs_out, *ends):
        os.close(end)
    try:
        yield Page(ours_out, ours_in)
    finally:
        os.close(ours_out)  # the browser leaves when its pipe closes
        os.close(ours_in)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
