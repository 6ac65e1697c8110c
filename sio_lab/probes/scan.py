"""A bounded scan of ports, made to be noticed: each port is asked once. Never judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from sio_lab.errors import ProtocolError
from sio_lab.probes import remote_python, scan_prober
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

AT_MOST = 60
"""Ports of one scan: what a detection must notice, and no network suffers from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanObservation(Observation):
    """A scan that was sent: ``granted``, whatever became of its connections.

    Attributes:
        source: address that it came from, as the machine that made it knows it.
        source_port: port that all of it came from: the mark that tells it from other traffic.
        target: address that it went to.
    """

    source: str
    source_port: int
    target: str

    def marks(self) -> list[str]:
        """Return how logs write where this came from: as EVE does, and ``address:port`` as most others."""
        return [f'"src_port":{self.source_port},', f"{self.source}:{self.source_port} "]


def tcp(machine: Machine, host: str, ports: Sequence[int], *, source_port: int) -> ScanObservation:
    """Try, from ``machine``, to connect to each of ``ports`` of ``host``, all from ``source_port``.

    Nothing is sent on the connections; they are closed within half a second.

    Args:
        machine: where they start; it resolves the name.
        host: name or address.
        ports: TCP ports, ``AT_MOST`` of them.
        source_port: port that nobody else uses on ``machine``.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: they could not be sent: no such name, no way there, source port in use.
    """
    if len(ports) > AT_MOST:
        raise ProtocolError(Text(f"plus de {AT_MOST} ports", f"more than {AT_MOST} ports"), where=host)
    at, start = datetime.now(UTC), monotonic()
    arguments = [str(source_port), host, *map(str, ports)]
    said = remote_python.run(machine, scan_prober, arguments, deadline=5)
    try:
        source, target, count = said.split()
    except ValueError as error:
        raise ProtocolError(
            Text(f"réponse inattendue : {said!r}", f"unexpected answer: {said!r}"), where=machine.name
        ) from error
    evidence = machine.saw(
        "scan.tcp",
        target=f"{host} ({target})",
        sent=f"connect tcp, from port {source_port}, to ports {', '.join(map(str, ports))}",
        received=f"{count} sent",
        at=at,
        start=start,
    )
    return ScanObservation(evidence, "granted", source=source, source_port=source_port, target=target)
