"""testinfra on our sessions: ``machine.host.file("/etc/passwd").exists``, every command recorded as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

if TYPE_CHECKING:
    from sio_lab.probes.machine import Machine


class MachineBackend(BaseBackend):  # type: ignore[misc]  # testinfra comes without types
    """A testinfra backend that runs through ``Machine.run``: same connection, same deadline, same record."""

    NAME = "sio-lab"

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.name)
        self.machine = machine
        self._encoding = "utf-8"  # asking would start a Python on the machine

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:  # noqa: ARG002  # encoding: ours is known
        """Run ``command``, its ``%s`` filled in with quoted ``args``.

        Raises:
            Unreachable, ProbeTimeout: as ``Machine.run``; testinfra lets them through.
        """
        command = self.get_command(command, *args)
        ran = self.machine.run(command)
        return self.result(ran.exit_status, self.encode(command), _bytes(ran.stdout), _bytes(ran.stderr))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def host_of(machine: Machine) -> Host:
    """Return ``machine`` as a testinfra host."""
    backend = MachineBackend(machine)
    host = Host(backend)
    backend.set_host(host)
    return host
