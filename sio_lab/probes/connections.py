"""TCP connections that a machine has, or just had, with a service. Never judges."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from sio_lab.errors import ProtocolError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsObservation(Observation):
    """Connections between two sides. ``granted``: there is one at least.

    Attributes:
        known: each by its two ends, client first.
        open: those that are open, and not only remembered.
    """

    known: frozenset[tuple[str, str]]
    open: frozenset[tuple[str, str]]


def between(
    machine: Machine, clients: Collection[IPv4Address], servers: Collection[IPv4Address], port: int
) -> ConnectionsObservation:
    """Return the connections of ``clients`` to ``port`` of ``servers`` that ``machine``, one of them, knows.

    The side that ends a connection remembers it for a minute (TIME-WAIT, RFC 9293 §3.6.1): ask both sides.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: the machine cannot tell.
    """
    ran = machine.run(f"ss -Htan '( sport = :{port} or dport = :{port} )'")
    if not ran.granted:
        raise ProtocolError(
            Text(
                f"les connexions de la machine ne peuvent être lues : {ran.detail}",
                f"the machine's connections cannot be read: {ran.detail}",
            ),
            where=machine.name,
            todo=Text("installez ss : apt install iproute2", "install ss: apt install iproute2"),
        )
    known, still = set(), set()
    for state, local, peer in reading(ran.stdout):
        for client, server in ((local, peer), (peer, local)):
            if _is(client, clients) and _is(server, servers) and _port(server) == port:
                known.add((client, server))
                if state == "ESTAB":
                    still.add((client, server))
    return ConnectionsObservation(
        ran.evidence, "granted" if known else "refused", known=frozenset(known), open=frozenset(still)
    )


def reading(output: str) -> list[tuple[str, str, str]]:
    """Return state, local end and peer of each connection that ``ss -Htan`` printed, but of those that listen."""
    found = []
    for line in output.splitlines():
        words = shlex.split(line)
        if len(words) >= 5 and words[0] != "LISTEN":
            found.append((words[0], _plain(words[3]), _plain(words[4])))
    return found


def _plain(end: str) -> str:
    """Return ``end`` as IPv4 writes it, where an IPv6 socket serves it (RFC 4291 §2.5.5.2)."""
    return end.replace("[::ffff:", "").replace("]", "") if end.startswith("[::ffff:") else end


def _is(end: str, addresses: Collection[IPv4Address]) -> bool:
    host = end.rpartition(":")[0].partition("%")[0].strip("[]")
    try:
        return ip_address(host) in addresses
    except ValueError:
        return False


def _port(end: str) -> int:
    number = end.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
