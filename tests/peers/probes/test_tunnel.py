from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from loopback import closed_port
from sshd import Sshd, deaf_port, sshd
from threads import end_of_all_but

from sio_lab.errors import ProbeError, ProbeTimeout, ProtocolError, ServiceUnavailable, Unreachable
from sio_lab.probes import ssh_tunnel
from sio_lab.probes.ssh import SshSession, connect


class Shouter:
    """A peer that greets first, then gives back in capitals all that it reads, and closes."""

    def __init__(self) -> None:
        self.met = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.met += 1
            threading.Thread(target=self.dialogue, args=[client], daemon=True).start()

    def dialogue(self, client: socket.socket) -> None:
        with client:
            client.sendall(b"hello\n")
            while data := client.recv(65536):
                client.sendall(data.upper())


@pytest.fixture
def shouter() -> Iterator[Shouter]:
    peer = Shouter()
    yield peer
    peer.socket.shutdown(socket.SHUT_RDWR)
    peer.socket.close()


def ask(address: tuple[str, int], text: bytes) -> bytes:
    with socket.create_connection(address, timeout=5) as client:
        sender = threading.Thread(target=lambda: (client.sendall(text), client.shutdown(socket.SHUT_WR)))
        sender.start()
        heard = b"".join(iter(lambda: client.recv(65536), b""))
        sender.join()
        return heard


def test_connections_go_through(session: SshSession, shouter: Shouter) -> None:
    session.greeting  # noqa: B018  # connects: its threads stay
    before = set(threading.enumerate())
    with session.forward("localhost", shouter.port) as address:
        assert address[0] == "127.0.0.1"
        assert ask(address, b"one") == b"hello\nONE"
        assert shouter.met == 1  # the trial connection was not wasted
        large = b"x" * 5_000_000
        with ThreadPoolExecutor(5) as pool:
            assert set(pool.map(lambda _: ask(address, large) == b"hello\n" + large.upper(), range(5))) == {True}
        assert shouter.met == 6
        left_open = socket.create_connection(address)
    with suppress(ConnectionResetError), left_open:
        assert left_open.recv(100) in {b"", b"hello\n"}
    end_of_all_but(before)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_peer_that_left_meanwhile(session: SshSession, server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as peer, session.forward(*peer.getsockname()) as address:
        peer.accept()[0].close()
        time.sleep(0.05)
        with socket.create_connection(address) as client, peer.accept()[0] as second:
            second.sendall(b"still here")
            assert client.recv(100) == b"still here"


@pytest.mark.parametrize(
    ("host", "error", "said"),
    [
        ("localhost", ServiceUnavailable, "Connection refused"),
        ("no-such-name.invalid", ProtocolError, "cannot resolve this name"),
        ("255.255.255.255", ServiceUnavailable, "nothing listens"),
    ],
)
def test_refusals(session: SshSession, host: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said), session.forward(host, closed_port()):
        pass
    assert session.run("echo usable")[1] == "usable\n"


def test_each_thread_gets_its_own_refusal(folder: Path) -> None:
    closed, forbidden = closed_port(), closed_port()

    def tried(number: int) -> type[BaseException]:
        way = session.forward("localhost", forbidden if number % 2 else closed)
        with pytest.raises(ProbeError) as caught, way:
            pass
        return caught.type

    with sshd(folder, {"PermitOpen": f"localhost:{closed}"}) as running, ThreadPoolExecutor(16) as pool:
        session = connect(running.access)
        assert list(pool.map(tried, range(200))) == [ServiceUnavailable, ProtocolError] * 100
        session.close()


def test_no_answer(session: SshSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_tunnel, "PEER_TIMEOUT", 0.3)
    with deaf_port() as port:
        way = session.forward("127.0.0.1", port)
        with pytest.raises(ProbeTimeout, match=r"within 0\.3 s"), way:
            pass


@pytest.mark.parametrize("option", ["AllowTcpForwarding", "PermitOpen"])
def test_forbidden(folder: Path, shouter: Shouter, option: str) -> None:
    with sshd(folder, {option: "no" if option == "AllowTcpForwarding" else "none"}) as running:
        session = connect(running.access)
        way = session.forward("localhost", shouter.port)
        with pytest.raises(ProtocolError, match="forbids tunnels") as caught, way:
            pass
        assert caught.value.todo
        session.close()


def test_connection_lost(session: SshSession, shouter: Shouter) -> None:
    with session.forward("localhost", shouter.port) as address:
        client = socket.create_connection(address)
        assert client.recv(100) == b"hello\n"
        with pytest.raises(Unreachable):
            session.run("kill -9 $PPID; sleep 1")
        assert client.recv(100) == b""
        client.close()
        with socket.create_connection(address) as second:
            assert second.recv(100) == b""
    with session.forward("localhost", shouter.port) as address:
        assert ask(address, b"again") == b"hello\nAGAIN"
