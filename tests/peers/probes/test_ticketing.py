from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from loopback import LocalSession, certificate, closed_port, machine, running

from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.lab.services import Ticketing
from sio_lab.probes import ticketing
from sio_lab.probes.observation import Evidence

NAME = "tickets.example.test"
SERVICE = Ticketing(
    product="request-tracker",
    machines=["rt"],
    url=f"https://{NAME}",
    account="alice",
    agent="chloe",
    client="poste",
)
PASSWORDS = {"alice": "a-secret", "chloe": "c-secret"}


class Tracker(BaseHTTPRequestHandler):
    """What Request Tracker 5.0.7 answers to these requests, as recorded from it."""

    tickets: dict[str, dict[str, str]]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, status: int, body: object, cookie: str = "") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if cookie:
            self.send_header("Set-Cookie", f"RT_SID={cookie}; path=/; secure; HttpOnly")
        self.end_headers()
        self.wfile.write(content)

    def read(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def who(self) -> str:
        return (self.headers.get("Cookie") or "").removeprefix("RT_SID=")

    def forged(self) -> bool:
        """Whether a page of another site may have sent this: RT refuses it, since a security update."""
        return self.headers.get("Referer") != f"https://{NAME}/"

    def do_POST(self) -> None:
        body = self.read()
        if self.path.startswith("/REST/") and self.forged():
            self.reply(403, {"message": "Cross-site request forgery protection refused this request"})
        elif self.path == "/NoAuth/Login.html":
            form = {key: value[0] for key, value in parse_qs(body).items()}
            known = PASSWORDS.get(form["user"]) == form["pass"]
            # Where a directory answers for accounts; without one it shows the home page at once.
            self.reply(302 if known else 200, "", cookie=form["user"] if known else "nobody")
        elif self.path == "/REST/2.0/ticket":
            self.tickets["7"] = {"id": "7", "Subject": json.loads(body)["Subject"], "Status": "new"}
            self.reply(201, {"id": "7", "type": "ticket"})
        else:
            self.reply(201, ["Correspondence added"])

    def do_GET(self) -> None:
        number = self.path.rpartition("/")[2]
        if self.who() not in PASSWORDS:
            self.reply(302 if self.who() else 401, {"message": "Unauthorized"})
        elif self.path == "/REST/2.0/queues/all":
            self.reply(200, {"items": [{"id": "3", "type": "queue"}]})
        elif number in self.tickets:
            self.reply(200, self.tickets[number])
        else:
            self.reply(404, {"message": "Not found"})

    def do_PUT(self) -> None:
        self.read()
        if self.forged():
            self.reply(403, {"message": "Cross-site request forgery protection refused this request"})
            return
        if self.who() == "chloe":
            self.tickets["7"]["Status"] = "resolved"
        self.reply(200, ["Ticket 7: Permission Denied"])


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that do not trust the certificate hang up."""


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, NAME)


@pytest.fixture
def session(ca: Path) -> Iterator[LocalSession]:
    handler = type("Fresh", (Tracker,), {"tickets": {}})
    server = Server(("127.0.0.1", 0), handler)
    with running(server, ca) as port:
        yield LocalSession(ports={(NAME, 443): port})


def test_life_of_a_ticket(session: LocalSession, ca: Path) -> None:
    record: list[Evidence] = []
    here = machine(session, record)
    with ticketing.desk(here, SERVICE, ca) as user, ticketing.desk(here, SERVICE, ca) as agent:
        assert user.login("alice", PASSWORDS["alice"]).granted
        opened = user.open("Écran noir", "Rien ne s'affiche.")
        assert (opened.answer, opened.number) == ("granted", "7")
        assert not user.close("7").closed
        assert agent.login("chloe", PASSWORDS["chloe"]).granted
        assert agent.find("7").subject == "Écran noir"
        assert agent.find("8").answer == "refused"
        assert agent.answer("7", "Rallumez-le.").granted
        assert agent.close("7").closed
    assert not [e for e in record if PASSWORDS["alice"] in e.sent + e.received]


def test_outsiders_are_refused(session: LocalSession, ca: Path) -> None:
    with ticketing.desk(machine(session), SERVICE, ca) as visitor:
        assert visitor.find("7").answer == "refused"
        assert visitor.login("alice", "wrong").answer == "refused"


def test_nothing_listens(ca: Path) -> None:
    session = LocalSession(ports={(NAME, 443): closed_port()})
    with ticketing.desk(machine(session), SERVICE, ca) as visitor:
        assert visitor.login("alice", "a-secret").answer == "unavailable"


def test_certificate_of_somebody_else(session: LocalSession, tmp_path: Path) -> None:
    with (
        ticketing.desk(machine(session), SERVICE, certificate(tmp_path, "other.test")) as visitor,
        pytest.raises(ProtocolError, match="certificate"),
    ):
        visitor.login("alice", "a-secret")


def test_unknown_product(ca: Path) -> None:
    with (
        pytest.raises(InconclusiveError),
        ticketing.desk(machine(), SERVICE.model_copy(update={"product": "glpi"}), ca),
    ):
        pass
