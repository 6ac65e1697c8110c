"""A machine that probes start from, bound to the record of one check."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Protocol

from sio_lab.probes.observation import Answer, Evidence, Ran


class Session(Protocol):
    """One persistent connection to a machine (see ``ssh.py``). Shared by all checks, thread-safe."""

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        """Run ``command`` in a shell; return exit status, stdout, stderr.

        Raises:
            Unreachable: the machine does not answer.
            ProbeTimeout: the command lasted longer than ``deadline`` seconds; it was killed.
        """

    def forward(self, host: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Open a loopback address whose connections start from this machine towards ``host``.

        The name is resolved by the machine itself, as its users would. The peer is reached once on entry.

        Raises:
            ServiceUnavailable: nothing listens there.
            ProbeTimeout: the peer does not answer.
            Unreachable: this machine does not answer.
        """


class Machine:
    """A machine, and where to record what it is asked.

    Probes of every protocol take one as their first argument: it is the place where their
    dialogue starts, so that a client's view is that of its perimeter.
    """

    def __init__(self, name: str, session: Session, record: Callable[[Evidence], None]) -> None:
        self.name = name
        self.session = session
        self.record = record

    def run(self, command: str, *, stdin: str = "", deadline: float = 10.0) -> Ran:
        """Run ``command`` in a shell of this machine and record it.

        Args:
            command: never with a secret in it: secrets go through ``stdin``, which is not recorded.
            stdin: what the command reads.
            deadline: seconds after which it is killed.

        Raises:
            Unreachable: the machine does not answer.
            ProbeTimeout: the command lasted longer than ``deadline`` seconds.
        """
        at, start = datetime.now(UTC), monotonic()
        status, stdout, stderr = self.session.run(command, stdin=stdin, deadline=deadline)
        evidence = self.saw(
            "shell.run", target=self.name, sent=command, received=stdout + stderr, at=at, start=start
        )
        answer: Answer = "granted" if status == 0 else "refused"
        detail = "" if status == 0 else (stderr.strip() or stdout.strip() or f"exit {status}").splitlines()[-1]
        return Ran(evidence, answer, detail, status, stdout, stderr, at)

    def forward(self, host: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Open a loopback address whose connections start from this machine (see ``Session.forward``)."""
        return self.session.forward(host, port)

    def saw(self, probe: str, *, target: str, sent: str, received: str, at: datetime, start: float) -> Evidence:
        """Record an exchange that started at ``at`` (``start`` on the monotonic clock) and just ended."""
        evidence = Evidence.of(
            probe,
            source=self.name,
            target=target,
            sent=sent,
            received=received,
            at=at,
            duration=monotonic() - start,
        )
        self.record(evidence)
        return evidence

    @property
    def host(self) -> Any:
        """The machine as a testinfra ``host``, over the same session; its commands are recorded."""
        from sio_lab.probes.testinfra_backend import host_of  # slow import, seldom used

        return host_of(self)
