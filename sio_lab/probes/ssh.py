"""Sessions: one persistent SSH connection a machine, which all checks share.

::

    sessions = Sessions(provider.access(lab))
    machine = Machine("web", sessions.session("web"), record)
    machine.run("uname -s")
    with machine.forward("db.lab.test", 5432) as (host, port): ...
    sessions.close()
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from sio_lab.errors import Unreachable
from sio_lab.probes.ssh_connect import connect as _connect
from sio_lab.probes.ssh_pool import Shells
from sio_lab.probes.ssh_transport import Link, Reconnection
from sio_lab.probes.ssh_tunnel import tunnel
from sio_lab.providers.base import SshAccess
from sio_lab.text import Text

TIMEOUT = 5.0  # seconds to reach a machine; an unreachable one costs it once


class SshSession:
    """A machine, through one SSH connection made when first needed. Implements ``Session``; thread-safe.

    A connection that is lost is tried once more when next needed (see ``reconnections``). A command that was
    running meanwhile is not run again: it may have done its work already.
    """

    def __init__(self, access: SshAccess, timeout: float = TIMEOUT) -> None:
        self.access = access
        self._link = Link(access, timeout, _connect)
        self._shells = Shells(self._link)

    def run(self, command: str, *, stdin: str = "", deadline: float = 10.0) -> tuple[int, str, str]:
        """Run ``command`` in a shell of the machine; see ``Session.run``.

        The command starts in the home folder, in a shell of its own: nothing that it does to it (``cd``,
        ``export``, ``exit``) is felt by the next. What it leaves running must not write on its output any
        more. Of each output the first mebibyte is kept; a cut is told on the error output.

        Raises:
            Unreachable, IdentityError: as ``Link.transport``.
            ProbeTimeout: it lasted longer than ``deadline`` seconds; it and its children were killed.
            ProtocolError: the machine gives us no shell, or sudo asks for a password.
        """
        return self._shells.run(command, stdin, deadline)

    def forward(self, host: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Open a loopback address whose connections start from the machine; see ``Session.forward``.

        Raises:
            Unreachable, IdentityError: as ``Link.transport``.
            ServiceUnavailable: nothing listens at ``host``:``port``, or no route leads there.
            ProbeTimeout: the peer does not answer.
            ProtocolError: the machine's sshd forbids tunnels, or the name does not resolve.
        """
        return tunnel(self._link, host, port)

    @property
    def host_key_fingerprint(self) -> str:
        """Fingerprint of the host key that the machine proved to hold: ``SHA256:…``, as ssh-keygen writes it."""
        return str(self._link.transport().get_remote_server_key().fingerprint)

    @property
    def greeting(self) -> str:
        """What the machine's sshd said it is: ``SSH-2.0-OpenSSH_10.0p2 Debian-7`` (RFC 4253 §4.2)."""
        return str(self._link.transport().remote_version)

    @property
    def reconnections(self) -> tuple[Reconnection, ...]:
        """The times when the connection was lost and tried again."""
        return tuple(self._link.reconnections)

    def renew(self) -> None:
        """Forget the connection and its failures: the machine was restarted or restored on purpose."""
        self._shells.discard()
        self._link.renew()

    def close(self) -> None:
        """Hang up; whatever comes later is ``Unreachable``."""
        self._link.close()
        self._shells.discard()


def connect(access: SshAccess, *, timeout: float = TIMEOUT) -> SshSession:
    """Return a session with the machine of ``access``; it is connected when first used.

    Args:
        access: how to reach it.
        timeout: seconds after which it counts as unreachable.
    """
    return SshSession(access, timeout)


class Sessions:
    """The sessions of a lab's machines, made on demand. Thread-safe."""

    def __init__(self, access: Mapping[str, SshAccess], timeout: float = TIMEOUT) -> None:
        self._access = access
        self._timeout = timeout
        self._lock = threading.Lock()
        self._sessions: dict[str, SshSession] = {}

    def session(self, name: str) -> SshSession:
        """Return the session with machine ``name``, not connected yet where nobody used it.

        Raises:
            Unreachable: nobody knows how to reach it (it does not exist).
        """
        with self._lock:
            if name not in self._sessions:
                if name not in self._access:
                    raise Unreachable(
                        Text("cette machine n'existe pas encore", "this machine does not exist yet"),
                        where=name,
                        todo=Text("créez-la : `sio-lab up`", "make it: `sio-lab up`"),
                    )
                self._sessions[name] = SshSession(self._access[name], self._timeout)
            return self._sessions[name]

    def close(self) -> None:
        """Hang up everywhere at once."""
        with self._lock:
            sessions = list(self._sessions.values())
        if sessions:
            with ThreadPoolExecutor(len(sessions)) as pool:
                list(pool.map(SshSession.close, sessions))
