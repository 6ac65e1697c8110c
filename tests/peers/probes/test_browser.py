"""The browser's probe against a driver that answers as Chromium's does; the scripts that start one run on labs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from loopback import LocalSession, machine, running

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.lab.software import PageCode
from sio_lab.probes import browser
from sio_lab.probes.browser import Browser
from sio_lab.probes.observation import Evidence

PAGE = PageCode(machine="poste", url="https://regates.example.test/", shows="#regates li")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver §12
WORD = "siolabpage01"
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
MANIFEST = {"display": "standalone", "icons": [{"src": "/i.png"}]}


class Driver(BaseHTTPRequestHandler):
    """A driver, and a page that shows the data to who types the good password."""

    state: dict[str, Any]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, value: object, error: str = "", said: str = "") -> None:
        if error:
            value = {"error": error, "message": said, "stacktrace": ""}
        content = json.dumps({"value": value}).encode()
        self.send_response(404 if error else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def read(self) -> dict[str, Any]:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    @property
    def place(self) -> str:
        return self.path.removeprefix("/session/s1")

    def shown(self) -> list[str]:
        return [f"Coupe {WORD}"] if self.state.get("in") else []

    def do_GET(self) -> None:
        if self.place == "/source":
            self.reply(f"<html><form></form><ul id=regates>{''.join(self.shown())}</ul></html>")
        elif self.place == "/screenshot":
            self.reply(PICTURE)
        elif self.place == "/element/alert/text":
            self.reply(self.state["alert"])
        elif self.place.endswith("/attribute/method"):
            self.reply(self.state["method"])
        else:
            self.reply(self.shown()[int(self.place.split("/")[2])])

    def do_DELETE(self) -> None:
        self.state["ended"] = True
        self.reply(None)

    def do_POST(self) -> None:
        body = self.read()
        asked = {
            "/session": lambda: self.start(body),
            "/url": self.open,
            "/element": lambda: self.find(body["value"]),
            "/elements": lambda: self.reply([{ELEMENT: each} for each in self.elements(body["value"])]),
            "/element/submit/click": self.submit,
            "/se/log": lambda: self.reply([{"level": "SEVERE", "message": self.state["console"]}]),
            "/goog/cdp/execute": lambda: self.reply(self.state["cdp"][body.get("cmd")]),
            "/execute/sync": lambda: self.reply(True),
            "/execute/async": self.work,
        }.get(self.place)
        if self.place.endswith("/value"):
            self.state["typed"][self.place.split("/")[2]] = body["text"]
        if asked:
            asked()
        else:
            self.reply(None)

    def start(self, body: dict[str, Any]) -> None:
        self.state["asked"] = body["capabilities"]["alwaysMatch"]["goog:chromeOptions"]
        if self.state.get("no browser"):
            self.reply(None, "session not created", "no chrome binary at /usr/bin/chromium")
        else:
            self.reply({"sessionId": "s1", "capabilities": {"browserName": "chrome"}})

    def open(self) -> None:
        self.state["in"] = False
        said = self.state.get("net", "")
        self.reply(None, "timeout" if said == "timeout" else "unknown error" if said else "", said)

    def find(self, selector: str) -> None:
        names = {PAGE.account_input: "account", PAGE.password_input: "password", PAGE.submit: "submit"}
        name = names.get(selector, "form")
        if name in self.state.get("without", ()):
            self.reply(None, "no such element", f"no such element: {selector}")
        else:
            self.reply({ELEMENT: name})

    def elements(self, selector: str) -> list[str]:
        if selector == "[role=alert]":
            return ["alert"] if "alert" in self.state else []
        return [str(n) for n in range(len(self.shown()))]

    def submit(self) -> None:
        self.state["in"] = self.state["typed"] == {"account": "chloe", "password": "c-secret"}
        self.reply(None)

    def work(self) -> None:
        worker = self.state["worker"]
        self.reply(worker, "" if worker else "script timeout", "" if worker else "script timeout")


class Session(LocalSession):
    """A machine whose driver is started by a command that only says so."""

    def __init__(self, port: int) -> None:
        super().__init__({"": ""})
        self._port = port

    @contextmanager
    def forward(self, host: str, port: int) -> Iterator[tuple[str, int]]:
        assert host == "127.0.0.1"
        yield "127.0.0.1", self._port


@pytest.fixture
def state() -> dict[str, Any]:
    cdp = {
        "Page.getInstallabilityErrors": {"installabilityErrors": []},
        "Page.getAppManifest": {"url": "x", "errors": [], "data": json.dumps(MANIFEST)},
    }
    return {"typed": {}, "method": "post", "cdp": cdp, "worker": "activated"}


@pytest.fixture
def session(state: dict[str, Any]) -> Iterator[Session]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Fresh", (Driver,), {"state": state}))
    with running(server) as port:
        yield Session(port)


@pytest.fixture
def record() -> list[Evidence]:
    return []


@pytest.fixture
def opened(session: Session, record: list[Evidence]) -> Iterator[Browser]:
    with browser.on(machine(session, record)) as made:
        yield made


def test_who_logs_in_sees_the_data(opened: Browser, record: list[Evidence]) -> None:
    wrong = opened.use(PAGE, "chloe", "wrong", WORD, within=0.3)
    assert (wrong.answer, WORD in wrong.source + wrong.before) == ("refused", False)
    right = opened.use(PAGE, "chloe", "c-secret", WORD)
    assert (right.answer, right.text, WORD in right.before) == ("granted", f"Coupe {WORD}", False)
    assert right.evidence.picture == PICTURE
    assert right.evidence.source == "client"
    assert not [seen for seen in record if "c-secret" in seen.sent + seen.received]


def test_what_the_page_says_instead(opened: Browser, state: dict[str, Any]) -> None:
    state.update(alert="Données indisponibles.\nRéessayez plus tard. " + "…" * 200, console="/api: status 503")
    seen = opened.use(PAGE, "chloe", "wrong", WORD, within=0.1)
    assert (
        "#regates li does not show it within 0.1 s; the page says: Données indisponibles. Réessayez" in seen.detail
    )
    assert len(seen.detail) < 250
    assert "console: /api: status 503\n" in seen.evidence.received


def test_options(session: Session, state: dict[str, Any]) -> None:
    with browser.on(machine(session), javascript=False, size=(412, 915), app=PAGE.url):
        asked = state["asked"]
    assert {"--headless=new", "--window-size=412,915", f"--app={PAGE.url}"} <= set(asked["args"])
    assert asked["prefs"] == {"profile.managed_default_content_settings.javascript": 2}
    assert "--no-sandbox" not in asked["args"]
    assert state["ended"]


def test_without_code_no_password_goes_into_an_address(session: Session, state: dict[str, Any]) -> None:
    with browser.on(machine(session), javascript=False) as inert:
        assert inert.use(PAGE, "chloe", "c-secret", WORD).granted
        state.update(method=None, typed={})
        assert not inert.use(PAGE, "chloe", "c-secret", WORD, within=0.2).granted
    assert not state["typed"]


def test_a_page_without_form(opened: Browser, state: dict[str, Any]) -> None:
    state["without"] = ["password"]
    seen = opened.use(PAGE, "chloe", "c-secret", WORD)
    assert (seen.answer, "no such element" in seen.detail) == ("refused", True)


def test_nothing_listens(opened: Browser, state: dict[str, Any]) -> None:
    state["net"] = "unknown error: net::ERR_CONNECTION_REFUSED"
    assert opened.use(PAGE, "chloe", "c-secret", WORD).answer == "unavailable"


def test_a_page_that_cannot_be_shown(opened: Browser, state: dict[str, Any]) -> None:
    state["net"] = "unknown error: net::ERR_CERT_AUTHORITY_INVALID"
    with pytest.raises(ProtocolError, match="ERR_CERT_AUTHORITY_INVALID"):
        opened.use(PAGE, "chloe", "c-secret", WORD)
    state["net"] = "timeout"
    with pytest.raises(ProbeTimeout):
        opened.use(PAGE, "chloe", "c-secret", WORD)


def test_installable(opened: Browser, state: dict[str, Any]) -> None:
    seen = opened.installable(PAGE)
    assert (seen.answer, seen.manifest, seen.worker, seen.standalone) == ("granted", MANIFEST, "activated", True)
    state["worker"] = ""
    state["cdp"] = {
        "Page.getInstallabilityErrors": {"installabilityErrors": [{"errorId": "no-manifest"}]},
        "Page.getAppManifest": {"url": "", "errors": []},
    }
    seen = opened.installable(PAGE)
    assert (seen.answer, seen.errors, seen.manifest, seen.worker) == ("refused", ["no-manifest"], {}, "")


def test_no_browser(session: Session, state: dict[str, Any]) -> None:
    state["no browser"] = True
    with pytest.raises(ProtocolError, match="no chrome binary"), browser.on(machine(session)):
        pass


def test_no_driver() -> None:
    with pytest.raises(ProtocolError, match="does not start"), browser.on(machine(LocalSession({}))):
        pass


@pytest.mark.parametrize("simulated", [True, False])
def test_mobile(simulated: bool, session: Session, state: dict[str, Any]) -> None:
    device = "mobile.example.test:5555"
    with browser.on_mobile(machine(session), device, simulated=simulated, app=PAGE.url) as opened:
        assert opened.use(PAGE, "chloe", "c-secret", WORD).granted
    (start, *_) = session.asked
    if simulated:
        assert f"--app={PAGE.url}" in state["asked"]["args"]
        assert f"connect {device}" in start
        assert "shell" in start
    else:
        assert state["asked"]["androidPackage"] == "com.android.chrome"
        assert state["asked"]["androidDeviceSerial"] == device
        assert "--adb-port=" in start
