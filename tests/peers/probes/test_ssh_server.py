from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback import LocalSession, closed_port, machine
from sshd import keys, sshd

from sio_lab.errors import ProtocolError
from sio_lab.probes import ssh_server
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence

HOST = "srv.example.test"
SOUND = {
    "KexAlgorithms": "curve25519-sha256,curve25519-sha256@libssh.org",
    "MACs": "hmac-sha2-256-etm@openssh.com",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    keys(made)
    return made


@contextmanager
def served(folder: Path, options: Mapping[str, str], record: list[Evidence] | None = None) -> Iterator[Machine]:
    with sshd(folder, {**SOUND, **options}) as server:
        yield machine(LocalSession(ports={(HOST, 22): server.access.port}), record)


@contextmanager
def answering(text: bytes) -> Iterator[Machine]:
    """A server that says ``text`` to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.sendall(text)

        threading.Thread(target=serve, daemon=True).start()
        yield machine(LocalSession(ports={(HOST, 22): listener.getsockname()[1]}))


def test_keys_alone(folder: Path) -> None:
    record: list[Evidence] = []
    with served(folder, {"KbdInteractiveAuthentication": "no"}, record) as client:
        seen = ssh_server.methods(client, HOST, "root")
        offered = ssh_server.algorithms(client, HOST)
    assert seen.granted
    assert seen.methods == {"publickey"}
    assert offered.granted
    assert not offered.weak
    assert not offered.debated
    assert "curve25519-sha256" in record[-1].received


def test_passwords(folder: Path) -> None:
    with served(folder, {"PasswordAuthentication": "yes", "KbdInteractiveAuthentication": "no"}) as client:
        assert ssh_server.methods(client, HOST, "nobody-here").methods == {"publickey", "password"}


def test_weak_and_debated(folder: Path) -> None:
    options = {
        "KexAlgorithms": "curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group1-sha1",
        "Ciphers": "aes256-ctr,3des-cbc",
        "MACs": "hmac-sha2-256,hmac-sha1",
    }
    with served(folder, options) as client:
        seen = ssh_server.algorithms(client, HOST)
    assert set(seen.weak) == {"3des-cbc", "diffie-hellman-group1-sha1"}
    assert set(seen.debated) == {"ecdh-sha2-nistp256", "hmac-sha1"}
    assert "3DES" in seen.weak["3des-cbc"]


def test_kinds_and_names() -> None:
    weak, debated = ssh_server.reproved([
        ("kex", ["gss-group1-sha1-toWM5Slw5Ew8Mqkay+al2g==", "invented-tomorrow@example.test"]),
        ("key", ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"]),
        ("mac", ["hmac-md5"]),
    ])  # fmt: skip
    assert set(weak) == {"gss-group1-sha1-toWM5Slw5Ew8Mqkay+al2g==", "ssh-rsa", "hmac-md5"}
    assert set(debated) == {"ecdsa-sha2-nistp256"}


def test_nothing_listens() -> None:
    client = machine(LocalSession(ports={(HOST, 22): closed_port()}))
    assert ssh_server.methods(client, HOST, "root").answer == "unavailable"
    assert ssh_server.algorithms(client, HOST).answer == "unavailable"


def test_server_that_hangs_up() -> None:
    with answering(b"") as client:
        assert ssh_server.methods(client, HOST, "root").answer == "refused"


@pytest.mark.parametrize("text", [b"220 mail.example.test ESMTP\r\n", b"SSH-2.0-x\r\n\xff\xff\xff\xff", b""])
def test_something_else_than_ssh(text: bytes) -> None:
    with answering(text) as client, pytest.raises(ProtocolError):
        ssh_server.algorithms(client, HOST)
