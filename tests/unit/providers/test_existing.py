"""The provider of machines that are already there, against SSH servers that really answer on loopback."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from sio_lab.errors import ProviderError
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress
from sio_lab.providers.existing import ExistingProvider

KEY = paramiko.ECDSAKey.generate()


class _Door(paramiko.ServerInterface):
    """Lets ``audit`` in with ``KEY``, and nobody else."""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, key) == ("audit", KEY) else paramiko.AUTH_FAILED


class Server:
    """An SSH server; ``host_key`` is its public key as one line."""

    def __init__(self) -> None:
        self._key = paramiko.ECDSAKey.generate()
        self.host_key = f"{self._key.get_name()} {self._key.get_base64()} comment of the key"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._key)
            self._transports.append(transport)
            transport.start_server(event=threading.Event(), server=_Door())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._transports:
            transport.close()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The server's half of paramiko complains of clients that leave; ours is what is tested."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("paramiko").setLevel(logging.NOTSET)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def identity(tmp_path: Path) -> str:
    file = tmp_path / "key"
    KEY.write_private_key_file(str(file))
    return str(file)


def lab(**connections: object) -> Lab:
    return Lab.model_validate(
        {
            "lab": "lycee",
            "title": "Lycée",
            "option": "SISR",
            "provider": "existing",
            "machines": {name: {"connection": connection} for name, connection in connections.items()},
        }
    )


def ssh(server: Server, identity: str, **changes: object) -> dict[str, object]:
    connection = {"host": "127.0.0.1", "port": server.port, "user": "audit"}
    return {**connection, "identity_file": identity, "host_key": server.host_key, **changes}


def silent_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def up(declared: Lab) -> list[Progress]:
    told: list[Progress] = []
    assert not ExistingProvider().up(declared, {}, told.append)
    return told


def test_up_when_machines_let_us_in(server: Server, identity: str) -> None:
    told = up(lab(srv=ssh(server, identity), web=ssh(server, identity)))
    assert sorted((each.subject, each.state) for each in told) == [
        ("srv", "running"),
        ("srv", "unchanged"),
        ("web", "running"),
        ("web", "unchanged"),
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"user": "root"}, "root is not let in"),
        ({"port": silent_port()}, "does not answer"),
        ({"host": "no.such.host.invalid"}, "does not answer"),
        ({"host_key": f"{KEY.get_name()} {KEY.get_base64()}"}, "its host key is not the expected one"),
        ({"host_key": "ssh-ed25519 nonsense"}, "host_key is no public key"),
        ({"host_key": "ssh-unheard-of AAAA"}, "host_key is no public key"),
        ({"host_key": None}, "not found in known_hosts"),
        ({"identity_file": "/nowhere/key"}, "/nowhere/key"),
    ],
)
def test_up_says_which_machine_does_not(
    server: Server, identity: str, change: dict[str, object], says: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        up(lab(srv=ssh(server, identity), web=ssh(server, identity, **change)))
    error = caught.value
    assert says in error.what.en
    assert error.what.en.startswith("1 machine(s) out of reach\n  web (")
    assert "srv" not in error.what.en
    assert error.todo


def test_up_waits_for_all_at_once(server: Server, identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sio_lab.providers.existing._TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = ssh(server, identity, port=mute.getsockname()[1])
        start = time.monotonic()
        with pytest.raises(ProviderError, match="8 machine"):
            up(lab(**{f"m{index}": silent for index in range(8)}))
        assert time.monotonic() - start < 2


def test_nothing_is_printed(server: Server, identity: str, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("paramiko").setLevel(logging.NOTSET)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(ProviderError):
        port = mute.getsockname()[1]
        threading.Thread(target=hang_up, args=[mute], daemon=True).start()
        up(lab(web=ssh(server, identity, port=port)))
    assert capfd.readouterr() == ("", "")


def test_access(identity: str) -> None:
    declared = lab(
        srv={"host": "srv.lycee.lan", "user": "x", "port": 2222, "become": True, "identity_file": "~/.ssh/audit"},
        ad={"type": "winrm", "host": "ad.lycee.lan", "user": "audit", "port": 5986},
        sw={"type": "network", "host": "sw.lycee.lan", "user": "audit"},
        web={"host": "web", "user": "audit", "host_key": "ssh-ed25519 AAAA root@web"},
    )
    ways = ExistingProvider().access(declared)
    assert list(ways) == ["srv", "web"]
    assert (ways["srv"].host, ways["srv"].port, ways["srv"].become) == ("srv.lycee.lan", 2222, True)
    assert ways["srv"].identity_file == Path("~/.ssh/audit").expanduser()
    assert ways["srv"].host_key is None
    assert ways["web"].host_key == "ssh-ed25519 AAAA"


def test_status(server: Server, identity: str) -> None:
    closed = {"host": "127.0.0.1", "port": silent_port(), "user": "audit"}
    declared = lab(srv=ssh(server, identity), ad={**closed, "type": "winrm"})
    assert ExistingProvider().status(declared) == {"srv": "running", "ad": "stopped"}


def test_nothing_is_made_nor_removed() -> None:
    declared = lab(srv={"host": "srv", "user": "audit"})
    provider = ExistingProvider()
    assert not provider.down(declared, pytest.fail)
    provider.snapshot(declared, "provisioned", pytest.fail)
    assert provider.has_snapshot(declared, "provisioned")
    with pytest.raises(ProviderError, match="not sio-lab's") as caught:
        provider.restore(declared, "provisioned", pytest.fail, list(declared.machines))
    assert caught.value.todo
