from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from loopback import LocalSession, certificate, closed_port, machine, running

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.probes import web
from sio_lab.probes.observation import Evidence

NAME = "portail.example.test"
URL = f"https://{NAME}/extranet/"
ALICE = ("alice", "a-secret")


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, status: int, body: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        basic = "Basic " + base64.b64encode(":".join(ALICE).encode()).decode()
        if self.path == "/extranet/":
            known = self.headers.get("Authorization") == basic
            self.reply(200 if known else 401, "bonjour", WWW_Authenticate='Basic realm="extranet"')
        elif self.path == "/login":
            self.reply(302, Location="/", Set_Cookie=f"sid=token-1; Domain={NAME}; Path=/; Secure")
        elif self.path == "/session":
            self.reply(200 if self.headers.get("Cookie") == "sid=token-1" else 403)
        elif self.path == "/slow":
            time.sleep(1)
        elif self.path == "/down":
            self.reply(503)
        else:
            self.reply(
                200, f"{self.command} {self.path} {self.headers['Host']} {self.headers.get('Depth')} {content}"
            )

    do_POST = do_PUT = do_PROPFIND = do_GET  # noqa: N815  # the base class calls them so


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that do not trust the certificate hang up."""


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, NAME)


@pytest.fixture
def session(ca: Path) -> Iterator[LocalSession]:
    server = Server(("127.0.0.1", 0), Site)
    with running(server, ca) as port:
        yield LocalSession(ports={(NAME, 443): port})


def test_basic_authentication(session: LocalSession, ca: Path) -> None:
    record: list[Evidence] = []
    here = machine(session, record)
    let_in = web.get(here, URL, ca, auth=ALICE)
    assert (let_in.answer, let_in.status, let_in.body, let_in.detail) == ("granted", 200, "bonjour", "")
    refused = web.get(here, URL, ca, auth=("alice", "wrong"))
    assert (refused.answer, refused.status, refused.detail) == ("refused", 401, "HTTP 401")
    assert web.get(here, URL, ca).headers["WWW-Authenticate"].startswith("Basic")
    assert record[0].sent == "GET /extranet/ (alice)"
    assert record[0].target == f"https://{NAME}"
    encoded = base64.b64encode(":".join(ALICE).encode()).decode()
    assert not [e for e in record if ALICE[1] in e.sent + e.received or encoded in e.sent + e.received]


def test_session_keeps_cookies_and_records_none(session: LocalSession, ca: Path) -> None:
    record: list[Evidence] = []
    with web.client(machine(session, record), URL, ca) as browser:
        assert browser.ask("GET", "/session").answer == "refused"
        login = browser.ask("POST", "/login", form={"user": "alice", "pass": "a-secret"})
        assert (login.status, login.answer, login.headers["location"]) == (302, "refused", "/")
        assert browser.ask("GET", "/session").granted
    with web.client(machine(session), URL, ca) as another:
        assert another.ask("GET", "/session").answer == "refused"
    assert not [e for e in record if "token-1" in e.sent + e.received or "a-secret" in e.sent + e.received]


def test_content_and_headers(session: LocalSession, ca: Path) -> None:
    record: list[Evidence] = []
    with web.client(machine(session, record), URL, ca) as browser:
        seen = browser.ask(
            "PROPFIND", "/a/?b=c", headers={"Depth": "1", "Authorization": "Bearer s"}, content="<x/>"
        )
        assert seen.body == f"PROPFIND /a/?b=c {NAME} 1 <x/>"
        assert browser.ask("PUT", "/a", json={"k": "é"}).granted
    assert record[0].sent == "PROPFIND /a/?b=c\nDepth: 1\n<x/>"


def test_server_out_of_order_is_no_refusal(session: LocalSession, ca: Path) -> None:
    assert web.get(machine(session), f"https://{NAME}/down", ca).answer == "unavailable"


def test_nothing_listens(ca: Path) -> None:
    record: list[Evidence] = []
    seen = web.get(machine(LocalSession(ports={(NAME, 443): closed_port()}), record), URL, ca)
    assert (seen.answer, seen.status, seen.detail) == ("unavailable", 0, "connection refused")
    assert len(record) == 1


def test_too_slow(session: LocalSession, ca: Path) -> None:
    with pytest.raises(ProbeTimeout):
        web.get(machine(session), f"https://{NAME}/slow", ca, deadline=0.2)


def test_certificate_of_somebody_else(session: LocalSession, tmp_path: Path, ca: Path) -> None:
    with pytest.raises(ProtocolError, match="certificate"):
        web.get(machine(session), URL, certificate(tmp_path, "other.test"))
    session.ports = {("autre.example.test", 443): session.ports[NAME, 443]}
    with pytest.raises(ProtocolError, match="Hostname mismatch"):
        web.get(machine(session), "https://autre.example.test/", ca)


def test_clear_text_is_no_login(session: LocalSession, ca: Path) -> None:
    with pytest.raises(ProtocolError, match="not an https address"):
        web.get(machine(session), f"http://{NAME}/", ca)


def test_public_page_is_there_or_not(session: LocalSession) -> None:
    seen = web.public_page(machine(session), f"https://{NAME}/down")
    assert (seen.status, seen.evidence.target) == (503, f"https://{NAME}")
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Site)) as port:
        clear = LocalSession(ports={("www.example.test", 80): port})
        seen = web.public_page(machine(clear), "http://www.example.test/page?a=b")
    assert (seen.answer, seen.evidence.target) == ("granted", "http://www.example.test")
    assert seen.body.startswith("GET /page?a=b www.example.test")
