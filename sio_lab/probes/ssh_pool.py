"""The shells of a machine, shared by all checks: as many as run commands at the same time."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import paramiko

from sio_lab.errors import ProbeError, ProbeTimeout, ProtocolError, Unreachable
from sio_lab.probes.ssh_exec import run_once
from sio_lab.probes.ssh_shell import NoShell, Shell
from sio_lab.probes.ssh_transport import ChannelRefused, Link, Transport
from sio_lab.text import Text

_AT_ONCE = 8  # sshd allows ten sessions a connection (MaxSessions, sshd_config(5)); killing needs one more
# Opening a shell costs the machine a hundred times what most commands do: seconds that a busy one is waited for.
_PATIENCE = 0.01
_GONE = (paramiko.SSHException, EOFError, OSError)

# What such a command leaves running may write on its output after its end: into the next one's, in the same shell.
_LEAVES_SOMETHING = re.compile(r"(?<![&<>])&(?![&>])|\b(nohup|setsid)\b")


class Shells:
    """Runs commands on a machine, each in a shell that is idle or else a new one. Thread-safe."""

    def __init__(self, link: Link) -> None:
        self._link = link
        way = link.access
        self._prefix = "sudo -n -- " if way.become and way.user != "root" else ""
        self._changed = threading.Condition()
        self._idle: list[Shell] = []
        self._busy = 0
        self._opening = False
        self._limit = _AT_ONCE
        self._posix = True

    def run(self, command: str, stdin: str, deadline: float) -> tuple[int, str, str]:
        """Run ``command``; see ``SshSession.run``."""
        transport = self._link.transport()
        try:
            if self._posix:
                with self._shell(transport, command) as shell:
                    return self._run(shell, command, stdin, deadline)
        except NoShell as error:
            if self._prefix:
                raise self._no_sudo(error.said) from error
            self._posix = False
        except ChannelRefused as error:
            raise self._no_session(error) from error
        except TimeoutError as error:
            self._link.lost(transport)
            raise self._mute() from error
        except _GONE as error:
            raise self._gone(transport, error) from error
        return self._run_once(transport, command, stdin, deadline)

    def _run(self, shell: Shell, command: str, stdin: str, deadline: float) -> tuple[int, str, str]:
        try:
            return shell.run(command, stdin, deadline)
        except TimeoutError as error:
            killed = True
            try:
                shell.kill()
            except ChannelRefused:
                killed = False
            raise self._too_long(command, deadline, killed=killed) from error

    def _run_once(self, transport: Transport, command: str, stdin: str, deadline: float) -> tuple[int, str, str]:
        with self._slot():
            try:
                return run_once(transport, command, stdin.encode(errors="surrogateescape"), deadline)
            except ChannelRefused as error:
                raise self._no_session(error) from error
            except TimeoutError as error:
                raise self._too_long(command, deadline, killed=False) from error
            except _GONE as error:
                raise self._gone(transport, error) from error

    @contextmanager
    def _shell(self, transport: Transport, command: str) -> Iterator[Shell]:
        """Lend a shell: it comes back only when its command ended, and left nothing behind."""
        shell = self._taken(transport)
        back = False
        try:
            yield shell
            back = not _LEAVES_SOMETHING.search(command)
        finally:
            if not back:
                shell.close()
            self._return(shell if back else None)

    def _taken(self, transport: Transport) -> Shell:
        while True:
            idle = self._wait()
            if idle:
                return idle
            try:
                shell = Shell(transport, self._prefix)
            except ChannelRefused:
                # This machine allows fewer sessions: those that we have must do, if there is any.
                if not self._settle_for_less():
                    raise
            except BaseException:
                self._opened()
                self._return(None)
                raise
            else:
                self._opened()
                return shell

    def _wait(self) -> Shell | None:
        """Take a turn; return an idle shell, or ``None`` to open one and then say ``_opened``."""
        with self._changed:
            patience = monotonic() + _PATIENCE
            while True:
                while self._idle:
                    shell = self._idle.pop()
                    if shell.usable:
                        self._busy += 1
                        return shell
                    shell.close()
                if self._opening or self._busy >= self._limit:
                    self._changed.wait()
                    patience = monotonic() + _PATIENCE
                elif self._busy and monotonic() < patience:
                    self._changed.wait(patience - monotonic())
                else:
                    self._busy += 1
                    self._opening = True
                    return None

    def _opened(self) -> None:
        with self._changed:
            self._opening = False
            self._changed.notify_all()

    def _return(self, shell: Shell | None) -> None:
        with self._changed:
            self._busy -= 1
            if shell:
                self._idle.append(shell)
            self._changed.notify()

    def _settle_for_less(self) -> bool:
        """Return whether others hold a session that will be free one day, and count on no more than theirs."""
        with self._changed:
            self._opening = False
            self._busy -= 1
            self._limit = max(1, self._busy)
            self._changed.notify_all()
            return bool(self._busy or self._idle)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        shell = self._wait()
        self._opened()
        try:
            yield
        finally:
            self._return(shell)

    def discard(self) -> None:
        """Let the idle shells go."""
        with self._changed:
            idle, self._idle = self._idle, []
        for shell in idle:
            shell.close()

    def _too_long(self, command: str, deadline: float, *, killed: bool) -> ProbeTimeout:
        first = shlex.quote(command.strip().partition("\n")[0][:80])
        return ProbeTimeout(
            Text(
                f"la commande {first} a duré plus de {deadline:g} s"
                + ("" if killed else " et n'a pas pu être tuée"),
                f"the command {first} lasted longer than {deadline:g} s"
                + ("" if killed else " and could not be killed"),
            ),
            where=self._link.access.machine,
        )

    def _gone(self, transport: Transport, error: Exception) -> ProbeError:
        where = self._link.access.machine
        if transport.is_active():
            return ProtocolError(
                Text(
                    "le shell a été tué avant la fin de la commande",
                    "the shell was killed before its command ended",
                ),
                where=where,
            )
        said = str(error) or "closed by the machine"
        return Unreachable(
            Text(
                f"connexion perdue pendant la commande ({said})", f"connection lost while the command ran ({said})"
            ),
            where=where,
        )

    def _mute(self) -> Unreachable:
        return Unreachable(
            Text("la machine ne répond plus", "the machine no longer answers"), where=self._link.access.machine
        )

    def _no_session(self, error: ChannelRefused) -> ProtocolError:
        return ProtocolError(
            Text(
                f"le serveur SSH n'ouvre pas de session ({error.said})",
                f"the SSH server opens no session ({error.said})",
            ),
            where=self._link.access.machine,
            todo=Text("voyez MaxSessions dans sshd_config", "see MaxSessions in sshd_config"),
        )

    def _no_sudo(self, said: str) -> ProtocolError:
        return ProtocolError(
            Text(f"sudo refuse : {said}", f"sudo says no: {said}"),
            where=self._link.access.machine,
            todo=Text(
                f"permettez sudo sans mot de passe à « {self._link.access.user} », ou retirez `become`",
                f"let '{self._link.access.user}' use sudo without a password, or drop `become`",
            ),
        )
