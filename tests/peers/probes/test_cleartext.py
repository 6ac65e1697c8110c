from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from loopback import LocalSession, closed_port, machine

from sio_lab.probes import cleartext

URL = "http://portal.example.test:443/?page=../../etc/passwd&essai=cafe01"


@pytest.fixture
def peer() -> Iterator[tuple[LocalSession, list[bytes]]]:
    """A port that complains about the first request with content, and what it was sent."""
    received: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                channel, _ = server.accept()
            except OSError:
                return
            with channel:
                request = channel.recv(4096)
                if request:
                    received.append(request)
                    channel.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield LocalSession(ports={("portal.example.test", 443): server.getsockname()[1]}), received
        server.shutdown(socket.SHUT_RDWR)


def test_request_is_sent_as_it_is(peer: tuple[LocalSession, list[bytes]]) -> None:
    session, received = peer
    seen = cleartext.get(machine(session), URL)
    assert (seen.answer, seen.reply[:12]) == ("granted", "HTTP/1.1 400")
    assert received[0].startswith(
        b"GET /?page=../../etc/passwd&essai=cafe01 HTTP/1.1\r\nHost: portal.example.test:443\r\n"
    )


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = LocalSession(ports={("portal.example.test", 443): server.getsockname()[1]})
        assert cleartext.get(machine(session), URL, deadline=0.2).answer == "refused"


def test_nobody_listens() -> None:
    session = LocalSession(ports={("portal.example.test", 443): closed_port()})
    assert cleartext.get(machine(session), URL).answer == "unavailable"
