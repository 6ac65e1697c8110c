"""ARP (RFC 826): who has an address, and answers that nobody asked for. Never judges."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from time import monotonic

from sio_lab.errors import ProtocolError
from sio_lab.probes import frames_prober, remote_python
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.probes.packets import ARP, Ether
from sio_lab.text import Text

_BROADCAST = "ff:ff:ff:ff:ff:ff"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArpObservation(Observation):
    """A question or an announcement. ``granted``: somebody answered it, or it was sent.

    Attributes:
        mac: hardware address that was answered, or announced.
    """

    mac: str = ""


def who_has(machine: Machine, interface: str, address: IPv4Address, *, deadline: float = 1.0) -> ArpObservation:
    """Ask who has ``address`` without claiming it, as RFC 5227 §2.1.1 does; ``refused``: nobody answers.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: no such interface, or no right to send frames from it.
    """
    at, start = datetime.now(UTC), monotonic()
    own = machine.run(f"cat {shlex.quote(f'/sys/class/net/{interface}/address')}")
    if not own.granted:
        raise ProtocolError(Text(f"pas d'interface {interface}", f"no interface {interface}"), where=machine.name)
    mac = own.stdout.strip()
    question = Ether(src=mac, dst=_BROADCAST) / ARP(
        op="who-has",
        hwsrc=mac,
        psrc="0.0.0.0",  # noqa: S104  # who claims none
        hwdst="00:00:00:00:00:00",
        pdst=str(address),
    )
    # Within the frame: operation 2 (reply), and the address of who sends it.
    match = f"12=0806,20=0002,28={address.packed.hex()}"
    said = remote_python.run(
        machine, frames_prober, [interface, f"{deadline:g}", match, bytes(question).hex()], deadline=deadline
    )
    answered = Ether(bytes.fromhex(said.strip()))[ARP].hwsrc if said.strip() else ""
    detail = "" if answered else "nobody answers"
    evidence = machine.saw(
        "arp.who_has",
        target=interface,
        sent=f"who has {address}?",
        received=f"{address} is at {answered}" if answered else detail,
        at=at,
        start=start,
    )
    return ArpObservation(evidence, "granted" if answered else "refused", detail, mac=answered)


def announce(machine: Machine, interface: str, address: IPv4Address, mac: str) -> ArpObservation:
    """Send from ``machine``, to everybody, an answer that nobody asked for: ``address`` is at ``mac``.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: no such interface, or no right to send frames from it.
    """
    at, start = datetime.now(UTC), monotonic()
    answer = Ether(src=mac, dst=_BROADCAST) / ARP(
        op="is-at", hwsrc=mac, psrc=str(address), hwdst=_BROADCAST, pdst=str(address)
    )
    remote_python.run(machine, frames_prober, [interface, "0", "-", bytes(answer).hex()], deadline=1)
    evidence = machine.saw(
        "arp.announce", target=interface, sent=f"{address} is at {mac}", received="sent", at=at, start=start
    )
    return ArpObservation(evidence, "granted", mac=mac)
