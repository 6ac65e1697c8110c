from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from loopback import LocalSession, closed_port, machine

from sio_lab.errors import IdentityError, InconclusiveError, ProtocolError
from sio_lab.probes import sftp
from sio_lab.probes.area import passage
from sio_lab.probes.observation import Evidence

NAME = "partage.example.test"
URL = f"sftp://{NAME}/compta"
ALICE, BRUNO = ("alice", "a-secret"), ("bruno", "b-secret")


class Accounts(paramiko.ServerInterface):
    """Two accounts, and a password each; a third, who has a key alone."""

    login = ""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey" if username == "carla" else "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self.login = username
        known = (username, password) in {ALICE, BRUNO}
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class Files(paramiko.SFTPServerInterface):
    """A folder that is alice's alone."""

    root: Path

    def __init__(self, server: paramiko.ServerInterface, *args: object, **kwargs: object) -> None:
        super().__init__(server, *args, **kwargs)
        assert isinstance(server, Accounts)
        self.mine = server.login == "alice"

    def at(self, path: str) -> Path:
        if not self.mine:
            raise PermissionError(13, "Permission denied")
        return self.root / path.removeprefix("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        try:
            return [paramiko.SFTPAttributes.from_stat(f.stat(), f.name) for f in self.at(path).iterdir()]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(self.at(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        try:
            file = os.fdopen(
                os.open(self.at(path), flags, 0o600),
                "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb",
            )
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = file
        return handle

    def remove(self, path: str) -> int:
        try:
            self.at(path).unlink()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return paramiko.SFTP_OK


@pytest.fixture(scope="module")
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


@pytest.fixture
def keys(key: paramiko.PKey) -> frozenset[sftp.HostKey]:
    return frozenset({(key.get_name(), key.get_base64())})


@pytest.fixture
def session(tmp_path: Path, key: paramiko.PKey) -> Iterator[LocalSession]:
    (tmp_path / "compta").mkdir()
    files = type("Bound", (Files,), {"root": tmp_path})
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                transport = paramiko.Transport(client)
                transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
                try:
                    transport.start_server(server=Accounts())
                except (paramiko.SSHException, EOFError):
                    transport.close()  # whoever only looked whether somebody listens

        threading.Thread(target=serve, daemon=True).start()
        yield LocalSession(ports={(NAME, 22): listener.getsockname()[1]})


def test_a_file_comes_and_goes(session: LocalSession, keys: frozenset[sftp.HostKey]) -> None:
    record: list[Evidence] = []
    with sftp.folder(machine(session, record), URL, keys, ALICE) as place, passage(place) as start:
        name = f"{start}.txt"
        assert place.write(name, "Contrôle").granted
        assert place.write(name, "again").answer == "refused"
        assert place.look().names == {name}
        assert place.read(name).content == "Contrôle"
        assert place.remove(name).granted
        assert not place.look().names
        assert place.read(name).refusal == "rights"
    assert not [e for e in record if "a-secret" in e.sent + e.received]


@pytest.mark.parametrize(
    ("auth", "refusal"), [(BRUNO, "rights"), (("alice", "wrong"), "credentials"), (None, "credentials")]
)
def test_why_people_are_refused(
    session: LocalSession, keys: frozenset[sftp.HostKey], auth: tuple[str, str] | None, refusal: str
) -> None:
    with sftp.folder(machine(session), URL, keys, auth) as place:
        for seen in (place.read("x"), place.look(), place.write("x", "x"), place.remove("x")):
            assert (seen.answer, seen.refusal) == ("refused", refusal)


def test_server_that_takes_no_password(session: LocalSession, keys: frozenset[sftp.HostKey]) -> None:
    with (
        sftp.folder(machine(session), URL, keys, ("carla", "c-secret")) as place,
        pytest.raises(ProtocolError, match="publickey"),
    ):
        place.look()


def test_server_with_another_key(session: LocalSession) -> None:
    with (
        sftp.folder(machine(session), URL, frozenset({("ssh-ed25519", "AAAA")}), ALICE) as place,
        pytest.raises(IdentityError),
    ):
        place.look()


def test_nothing_listens(keys: frozenset[sftp.HostKey]) -> None:
    session = LocalSession(ports={(NAME, 22): closed_port()})
    with sftp.folder(machine(session), URL, keys, ALICE) as place:
        assert place.look().answer == "unavailable"


def test_host_keys_that_the_server_says() -> None:
    said = {"cat /etc/ssh/": "ssh-ed25519 AAAAC3 root@partage\necdsa-sha2-nistp256 AAAAE2 root@partage\n"}
    server = machine(LocalSession(said))
    assert sftp.host_keys(server) == {("ssh-ed25519", "AAAAC3"), ("ecdsa-sha2-nistp256", "AAAAE2")}


def test_host_keys_that_cannot_be_known() -> None:
    with pytest.raises(InconclusiveError):
        sftp.host_keys(machine(LocalSession({})))
