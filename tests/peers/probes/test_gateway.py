from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from loopback import LocalSession, certificate, closed_port, machine, running

from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.probes import gateway
from sio_lab.probes.observation import Evidence

CURL = shutil.which("curl")
ALLOWED = "http://www.allowed.test/"
ALICE = {"account": "alice", "password": 'a"secr\\et'}

pytestmark = pytest.mark.skipif(not CURL, reason="curl is not installed")


class Gateway(BaseHTTPRequestHandler):
    """A proxy as RFC 9110 §7.6 sees it from the client; it makes the sites' pages up itself."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"page\n\n")

    def do_GET(self) -> None:
        login = base64.b64encode(":".join(ALICE.values()).encode()).decode()
        if self.headers.get("Proxy-Authorization") != f"Basic {login}":
            self.reply(407, Proxy_Authenticate='Basic realm="lab"')
        elif "forbidden" in self.path:
            self.reply(403)
        elif "explained" in self.path:
            self.reply(302, Location="http://block.lab.test/why")
        elif "/moved" in self.path:
            self.reply(301, Location="https://allowed.test/")
        elif "dead" in self.path:
            self.reply(503)
        else:
            self.reply(200)

    do_CONNECT = do_GET  # noqa: N815  # the base class calls it so


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that do not trust the certificate hang up."""


@pytest.fixture
def pem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = certificate(tmp_path, "proxy.test")
    trust(path, tmp_path, monkeypatch)
    return path


def trust(pem: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have curl trust ``pem``, as if the system did."""
    curl = folder / "curl"
    curl.write_text(f'#!/bin/sh\nshift\nexec {CURL} -q --proxy-cacert {pem} "$@"\n')
    curl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture
def url(pem: Path) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Gateway)
    with running(server, pem) as port:
        yield f"https://127.0.0.1:{port}"


def test_with_and_without_login(url: str) -> None:
    session, record = LocalSession(), list[Evidence]()
    here = machine(session, record)
    seen = gateway.get(here, url, ALLOWED, **ALICE)
    assert (seen.answer, seen.status, seen.detail) == ("granted", 200, "")
    for login in ({}, {"account": "alice", "password": "wrong"}):
        seen = gateway.get(here, url, ALLOWED, **login)
        assert (seen.answer, seen.status, seen.detail) == ("refused", 407, "HTTP 407")
    assert [e.sent for e in record] == [f"GET {ALLOWED} ({who})" for who in ("alice", "no login", "alice")]
    assert record[0].received.startswith("200 000")
    assert record[0].received.endswith("page\n\n")
    assert not [text for text in [*session.asked, *(e.received for e in record)] if "secr" in text]


@pytest.mark.parametrize(
    ("page", "answer", "status"),
    [
        ("http://www.forbidden.test/", "refused", 403),
        ("https://www.forbidden.test/", "refused", 403),  # the answer to CONNECT
        ("http://www.explained.test/", "refused", 302),
        ("http://www.allowed.test/moved", "granted", 301),
        ("http://www.dead.test/", "unavailable", 503),
    ],
)
def test_answers(url: str, page: str, answer: str, status: int) -> None:
    seen = gateway.get(machine(), url, page, **ALICE)
    assert (seen.answer, seen.status) == (answer, status)


def test_environment_is_no_way_round(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert gateway.get(machine(), url, ALLOWED).status == 407


def test_no_gateway() -> None:
    seen = gateway.get(machine(), f"http://127.0.0.1:{closed_port()}", ALLOWED)
    assert (seen.answer, seen.status) == ("unavailable", 0)
    assert "Failed to connect" in seen.detail


def test_gateway_of_somebody_else(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(certificate(tmp_path, "other.test"), tmp_path, monkeypatch)
    with pytest.raises(ProtocolError, match="certificate"):
        gateway.get(machine(), url, ALLOWED, **ALICE)


def test_machine_without_curl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(InconclusiveError, match="curl is not installed"):
        gateway.get(machine(), "http://127.0.0.1:1", ALLOWED)


def test_log(tmp_path: Path) -> None:
    log, here = tmp_path / "access log", machine()
    assert gateway.log_size(here, str(log)) == 0
    log.write_text("1 172.30.30.50 TCP_MISS/200 GET http://a.test/t-1 alice\n")
    since = gateway.log_size(here, str(log))
    with log.open("a") as more:
        more.write("2 172.30.30.50 TCP_DENIED/407 GET http://a.test/t-2 -\n")
        more.write("2 172.30.30.50 TCP_MISS/200 GET http://a.test/t-2 alice HIER_DIRECT/1.2.3.4\n")
    seen = gateway.logged(here, str(log), since, "t-2", "alice")
    assert (seen.answer, len(seen.lines)) == ("granted", 1)


@pytest.mark.parametrize("line", ["malice", "alice.martin", "-"])
def test_log_that_names_somebody_else(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_LOG_DELAY", 1)
    log = tmp_path / "access.log"
    log.write_text(f"1 GET http://a.test/t-1 {line} HIER_DIRECT\n")
    seen = gateway.logged(machine(), str(log), 0, "t-1", "alice")
    assert seen.answer == "refused"
    assert line in seen.detail


@pytest.mark.parametrize("name", ["alice", "CAPVOILE\\alice", "alice@capvoile.test", 'user="alice"'])
def test_names_as_gateways_write_them(tmp_path: Path, name: str) -> None:
    log = tmp_path / "access.log"
    log.write_text(f"1 t-1 {name} ok\n")
    assert gateway.logged(machine(), str(log), 0, "t-1", "alice").granted


def test_log_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="cannot be read"):
        gateway.log_size(machine(), str(tmp_path))  # a folder
