"""Dialogues between two machines, as the one that begins them sends them. Never judges."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from time import monotonic

from sio_lab.probes import dialogue_prober, remote_python
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation

_AGAIN = 0.4  # seconds between attempts: the first may come before there is anybody to see it


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueObservation(Observation):
    """What a machine sent to a service. ``granted``: a packet with content at least; ``refused``: none.

    Attributes:
        client: address and port that it was sent from.
        server: address and port that it was sent to.
    """

    client: str = ""
    server: str = ""


def during(
    machine: Machine,
    servers: Collection[IPv4Address],
    port: int,
    act: Callable[[], object],
    *,
    seconds: float,
) -> DialogueObservation:
    """Look for a packet that ``machine`` sends to TCP ``port`` of ``servers``, doing ``act`` until there is one.

    Args:
        machine: the client of the dialogue, where packets are looked at.
        servers: addresses of the service.
        port: its port.
        act: what should bring the dialogue about; it may be done several times.
        seconds: how long to look.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: packets cannot be looked at: no Python there, no right to.
    """
    at, start = datetime.now(UTC), monotonic()
    addresses = sorted(map(str, servers))
    with ThreadPoolExecutor(1) as pool:
        arguments = [f"{seconds:g}", str(port), *addresses]
        looking = pool.submit(remote_python.run, machine, dialogue_prober, arguments, deadline=seconds)
        while not looking.done():
            act()
            wait([looking], timeout=_AGAIN)
        said = looking.result().split()
    client, server, content = said if len(said) == 3 else ("", "", "")
    detail = "" if client else f"nothing sent within {seconds:g} s"
    evidence = machine.saw(
        "dialogue.during",
        target=f"{', '.join(addresses)}, port {port}",
        sent=f"packets with content that {machine.name} sends there?",
        received=f"{client} → {server}, {content} bytes" if client else detail,
        at=at,
        start=start,
    )
    return DialogueObservation(evidence, "granted" if client else "refused", detail, client=client, server=server)
