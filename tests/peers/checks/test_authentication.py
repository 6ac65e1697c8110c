"""The checks of authentication, against a directory that is OpenLDAP's own and a portal that asks it, or not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import ldap3
import pytest
import slapd
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession, certificate, running

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.loading import load
from sio_lab.probes.machine import Machine

LAB = load(ROOT / "inventories" / "sisr").lab
BASE = "dc=capvoile,dc=test"
PASSWORDS = {account: f"{account}-secret" for account in LAB.accounts}
DIRECTORY, PORTAL = "annuaire.capvoile.test", "portail.capvoile.test"

Knows = Callable[[str, str], bool]


def module() -> ModuleType:
    return check_module("common/test_authentication.py")


class Portal(BaseHTTPRequestHandler):
    knows: Knows
    internal_open = False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        login, _, password = base64.b64decode(given).decode().partition(":")
        status = 200
        if not self.knows(login, password):
            status = 401
        elif self.path == "/intranet/" and LAB.accounts[login].scope == "external" and not self.internal_open:
            status = 403
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def portal(pem: Path, knows: Knows, *, internal_open: bool = False) -> Iterator[int]:
    handler = type("Mine", (Portal,), {"knows": staticmethod(knows), "internal_open": internal_open})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with running(server, pem) as port:
        yield port


def asks(port: int) -> Knows:
    """Return how a portal knows people that asks the directory."""

    def knows(login: str, password: str) -> bool:
        server = ldap3.Server("127.0.0.1", port, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, f"uid={login},ou=people,{BASE}", password)
        return bool(login and password) and bool(connection.bind())

    return knows


def own_passwords(login: str, password: str) -> bool:
    """Know people by a copy of their passwords."""
    return PASSWORDS.get(login) == password


def certificates(folder: Path) -> Path:
    """Return the bundle of what is trusted."""
    bundle = folder / "ca.pem"
    bundle.write_bytes(b"".join(certificate(folder, name).read_bytes() for name in (DIRECTORY, PORTAL)))
    return bundle


def internal_users(folder: Path, **directory: bool) -> Proof:
    ca = certificates(folder)
    with slapd.serving(folder / "slapd", folder / f"{DIRECTORY}.pem", BASE, PASSWORDS, **directory) as ports:
        session = LocalSession(ports={(DIRECTORY, 636): ports[636]})
        proof = Proof(lambda name, record: Machine(name, session, record), PASSWORDS, {}, ca)
        module().test_internal_users(proof, LAB.services.directory)
    return proof


def external_users(
    folder: Path, *, knows: Knows | None = None, internal_open: bool = False, notes_logins: bool = True
) -> Proof:
    ca = certificates(folder)
    with (
        slapd.serving(
            folder / "slapd", folder / f"{DIRECTORY}.pem", BASE, PASSWORDS, notes_logins=notes_logins
        ) as ports,
        portal(folder / f"{PORTAL}.pem", knows or asks(ports[389]), internal_open=internal_open) as port,
    ):
        session = LocalSession(ports={(DIRECTORY, 636): ports[636], (PORTAL, 443): port})
        proof = Proof(lambda name, record: Machine(name, session, record), PASSWORDS, {}, ca)
        module().test_external_users(LAB, proof, LAB.services.portal)
    return proof


def test_sound_directory(tmp_path: Path) -> None:
    assert internal_users(tmp_path).sides() == {"positive", "negative"}


def test_directory_that_everybody_reads(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match="without logging in"):
        internal_users(tmp_path, everybody_reads=True)


def test_sound_portal(tmp_path: Path) -> None:
    proof = external_users(tmp_path)
    assert proof.sides() == {"positive", "negative"}
    assert {e.source for e in proof.evidence if e.target == f"https://{PORTAL}"} == {"internet", "poste"}
    assert not [e for e in proof.evidence for secret in PASSWORDS.values() if secret in e.sent + e.received]


def test_portal_with_passwords_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match="the directory knows nothing of it"):
        external_users(tmp_path, knows=own_passwords)


def test_portal_that_takes_any_password(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match="the directory knows nothing of it"):
        external_users(tmp_path, knows=lambda login, password: bool(login))


def test_directory_that_notes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="nothing tells whether the portal relies on the directory"):
        external_users(tmp_path, notes_logins=False)


def test_internal_page_open_to_external_users(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match="gets at the internal page"):
        external_users(tmp_path, internal_open=True)
