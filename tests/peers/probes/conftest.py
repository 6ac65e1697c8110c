"""A real SSH server on loopback, for the tests of what goes through one; a module may have its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sshd import Sshd, keys, sshd

from sio_lab.probes.ssh import SshSession, connect


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ssh")
    keys(path)
    return path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Sshd]:
    with sshd(folder) as running:
        yield running


@pytest.fixture(scope="module")
def session(server: Sshd) -> Iterator[SshSession]:
    session = connect(server.access)
    yield session
    session.close()
