"""The Vagrant provider: what Vagrant says, as it says it, and an SSH server that really answers."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from sio_lab.errors import ProviderError
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.providers.vagrant import Message, VagrantProvider, accesses, host_key, messages, states

# vagrant status --machine-readable, Vagrant 2.3.4 with libvirt and VirtualBox machines in several states.
STATUS = """\
1795531977,fw,metadata,provider,libvirt
1795531977,fw,provider-name,libvirt
1795531977,fw,state,running
1795531977,bdd,metadata,provider,libvirt
1795531977,bdd,state,not_created
1795531977,bdd,state-human-long,The Libvirt domain is not created. Run `vagrant up` to create it.
1795531977,web,state,poweroff
1795531977,ids,state,shutoff
1795531977,,ui,info,Current machine states:\\n\\nfw%!(VAGRANT_COMMA) bdd
"""

# vagrant ssh-config, after its own template (templates/commands/ssh_config/config.erb).
SSH_CONFIG = """\
Host fw
  HostName 127.0.0.1
  User vagrant
  Port 2222
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile "/home/a b/machines/fw/virtualbox/private_key"
  IdentitiesOnly yes
  LogLevel FATAL

Host bdd
  HostName 192.168.121.31
  User vagrant
  Port 22
  PasswordAuthentication no
  IdentityFile /home/x/.vagrant.d/insecure_private_key
  LogLevel FATAL
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "lab.yml").write_text(
        "lab: vg\ntitle: VG\noption: SISR\nprovider: vagrant\nperimeters: {users: 10.77.1.0/24}\n"
        "machines: {poste: {addresses: {users: 10.77.1.10}}}\n"
    )
    return load(tmp_path).lab


def test_messages() -> None:
    *_, last = messages(STATUS)
    assert last == Message("", "ui", ("info", "Current machine states:\n\nfw, bdd"))
    assert list(messages("Host fw\n  Port 22\n\n1,2\n")) == []


def test_states() -> None:
    assert states(STATUS, ["fw", "bdd", "web", "ids", "neuf"]) == {
        "fw": "running",
        "bdd": "absent",
        "web": "stopped",
        "ids": "stopped",
        "neuf": "absent",
    }


def test_accesses() -> None:
    found = accesses(SSH_CONFIG, ["fw", "bdd", "web"], {"fw": "ssh-ed25519 AAAA"})
    assert list(found) == ["fw", "bdd"]
    assert (found["fw"].host, found["fw"].port, found["fw"].user) == ("127.0.0.1", 2222, "vagrant")
    assert found["fw"].identity_file == Path("/home/a b/machines/fw/virtualbox/private_key")
    assert found["fw"].host_key == "ssh-ed25519 AAAA"
    assert found["fw"].become
    assert (found["bdd"].host, found["bdd"].port, found["bdd"].host_key) == ("192.168.121.31", 22, None)


@pytest.fixture
def ssh_server() -> Iterator[tuple[int, str]]:
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        connection, _ = listener.accept()
        transports.append(paramiko.Transport(connection))
        transports[0].add_server_key(key)
        transports[0].start_server(event=threading.Event(), server=paramiko.ServerInterface())

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], f"{key.get_name()} {key.get_base64()}"
    thread.join()
    listener.close()
    transports[0].close()


def test_host_key(ssh_server: tuple[int, str]) -> None:
    port, key = ssh_server
    assert host_key("127.0.0.1", port) == key


def test_host_key_where_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ProviderError, match="no SSH server") as caught:
        host_key("127.0.0.1", port)
    assert caught.value.where == f"127.0.0.1:{port}"


def test_host_key_of_something_else(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=hang_up, args=[listener])
        thread.start()
        with pytest.raises(ProviderError, match="no SSH server"):
            host_key("127.0.0.1", port)
        thread.join()
    assert capfd.readouterr() == ("", "")


def hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_without_vagrant(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="Vagrant is not installed") as caught:
        VagrantProvider().status(lab)
    assert caught.value.todo
    assert "apt install" in caught.value.todo.fr
