from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback import LocalSession, certificate, closed_port, machine

from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.lab.services import Dbms
from sio_lab.probes import sql

NAME = "db.example.test"
SERVICE = Dbms(product="postgresql", machines=["db"], host=NAME, database="app", user="app", client="web")
REFUSAL = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "app"\0\0'


@contextmanager
def server(pem: Path, *, tls: bool = True) -> Iterator[LocalSession]:
    """Speak PostgreSQL's protocol (version 3, chapter 'Frontend/Backend Protocol') up to a refused password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                if not peer.recv(8):  # SSLRequest; nothing where the tunnel only looked whether it leads there
                    continue
                peer.sendall(b"S" if tls else b"N")
                if tls:
                    refuse(context, peer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield LocalSession(ports={(NAME, 5432): listener.getsockname()[1]})


def refuse(context: ssl.SSLContext, peer: socket.socket) -> None:
    try:
        secure = context.wrap_socket(peer, server_side=True)
    except OSError:
        return  # the client did not trust the certificate
    with secure:
        secure.recv(4096)  # StartupMessage
        secure.sendall(b"R" + (8).to_bytes(4) + (3).to_bytes(4))  # AuthenticationCleartextPassword
        secure.recv(4096)  # PasswordMessage
        secure.sendall(b"E" + (len(REFUSAL) + 4).to_bytes(4) + REFUSAL)


def test_wrong_password_is_refused(tmp_path: Path) -> None:
    ca = certificate(tmp_path, NAME)
    with server(ca) as session:
        seen = sql.login(machine(session), SERVICE, "wrong", ca)
    assert (seen.answer, seen.detail) == ("refused", 'FATAL: password authentication failed for user "app"')
    assert seen.evidence.target == f"{NAME}:5432/app"
    assert "wrong" not in seen.evidence.sent


def test_nothing_listens(tmp_path: Path) -> None:
    session = LocalSession(ports={(NAME, 5432): closed_port()})
    seen = sql.write_and_roll_back(machine(session), SERVICE, "any", certificate(tmp_path, NAME))
    assert (seen.answer, seen.read_back, seen.rolled_back) == ("unavailable", False, False)


def test_certificate_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    with (
        server(certificate(tmp_path, NAME)) as session,
        pytest.raises(ProtocolError, match="certificate verify failed"),
    ):
        sql.login(machine(session), SERVICE, "any", certificate(tmp_path, "other.test"))


def test_server_without_tls_is_not_spoken_to(tmp_path: Path) -> None:
    ca = certificate(tmp_path, NAME)
    with server(ca, tls=False) as session, pytest.raises(ProtocolError, match="SSL"):
        sql.login(machine(session), SERVICE, "any", ca)


def test_unknown_product(tmp_path: Path) -> None:
    service = SERVICE.model_copy(update={"product": "mariadb"})
    with pytest.raises(InconclusiveError, match="mariadb"):
        sql.login(machine(), service, "any", tmp_path)
