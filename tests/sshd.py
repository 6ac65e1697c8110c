"""A real sshd on loopback, run as an ordinary process by the user who runs the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from loopback import closed_port

from sio_lab.providers.base import SshAccess

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Sshd:
    access: SshAccess
    process: subprocess.Popen[bytes]
    config: Path

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def keys(folder: Path) -> None:
    """Make a host key and a user's key in ``folder``."""
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", folder / name], check=True
        )


def access(folder: Path, **changes: object) -> SshAccess:
    known: dict[str, object] = {
        "machine": "srv",
        "user": getpass.getuser(),
        "host": "127.0.0.1",
        "identity_file": folder / "user",
        "host_key": (folder / "host.pub").read_text().strip(),
    }
    return SshAccess(**{**known, **changes})  # type: ignore[arg-type]


@contextmanager
def sshd(folder: Path, options: Mapping[str, str] | None = None, programs: Path | None = None) -> Iterator[Sshd]:
    """Run sshd with the keys of ``folder``; sessions find ``programs`` first on their PATH."""
    if SSHD is None:
        pytest.skip("no sshd here (apt install openssh-server)")
    port = int((options or {}).get("Port") or closed_port())
    settings = {
        "Port": str(port),
        "ListenAddress": "127.0.0.1",
        "HostKey": str(folder / "host"),
        "AuthorizedKeysFile": str(folder / "user.pub"),
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        **({"SetEnv": f"PATH={programs}:/usr/bin:/bin"} if programs else {}),
        **(options or {}),
    }
    config = folder / f"sshd-{port}.conf"
    config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where root's sshd separates its privileges
    with (folder / f"sshd-{port}.log").open("w+") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stderr=log)
        try:
            _wait(process, Path(log.name))
            yield Sshd(access(folder, port=port), process, config)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until ``process`` says that it listens: a connection alone could meet another server."""
    for _ in range(500):
        said = log.read_text()
        if "Server listening on" in said:
            return
        if process.poll() is not None:
            pytest.fail(f"sshd does not run: {said}")
        time.sleep(0.01)
    pytest.fail("sshd does not listen")


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full: the kernel drops what comes, as a filter does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = int(server.getsockname()[1])
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        time.sleep(0.02)
        yield port
        for client in clients:
            client.close()
