"""The flow matrix of a lab, spelled out: what each machine may reach of each other one, and what not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Literal

from sio_lab.lab.model import Flow, Lab

Protocol = Literal["tcp", "udp", "icmp"]
Port = tuple[Protocol, int]

_TCP = (22, 23, 80, 443, 445, 3306, 3389, 5432, 8080)
_UDP = (53, 69, 123, 161, 514)
SAMPLE: frozenset[Port] = frozenset(
    [("icmp", 0), *(("tcp", port) for port in _TCP), *(("udp", port) for port in _UDP)]
)
"""Tried in every cell, declared anywhere or not: what administrators and intruders try first."""
NOBODY = IPv4Address("198.51.100.66")
"""An address of no lab (TEST-NET-2, RFC 5737)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One packet of the matrix, and whether it may arrive.

    Attributes:
        source: machine that sends it.
        source_address: its address there.
        here: perimeter that it is sent from.
        target: machine or shared address that it is meant for.
        address: where it is sent: that of the target, or the firewall's where the target is published.
        there: perimeter of the target; a firewall's own name where it is meant for the firewall itself.
        protocol: ``tcp``, ``udp`` or ``icmp``.
        port: 0 for ICMP.
        allowed: whether the flow matrix lets it through.
        claimed: source address that it bears instead of its own, where it is forged; else empty.
    """

    source: str
    source_address: str
    here: str
    target: str
    address: str
    there: str
    protocol: Protocol
    port: int
    allowed: bool
    claimed: str = ""


def perimeters(lab: Lab) -> list[str]:
    """Return the perimeters that flows go between: those of mirrored traffic lead nowhere."""
    mirrors = lab.perimeters_with_role("mirror")
    return [name for name in lab.perimeters if name not in mirrors]


def senders(lab: Lab) -> dict[str, str]:
    """Return the machines that packets can be sent from, each with its perimeter; routers are in none."""
    usable = perimeters(lab)
    homes = {
        name: next((perimeter for perimeter in machine.addresses if perimeter in usable), "")
        for name, machine in lab.machines.items()
        if machine.kind not in ("firewall", "network")
    }
    return {name: home for name, home in homes.items() if home}


def trials(lab: Lab, sources: Collection[str]) -> list[Trial]:
    """Return every packet of the matrix that ``sources`` (machines) send, forged ones last."""
    homes = {name: home for name, home in senders(lab).items() if name in sources}
    ports = sorted(SAMPLE | {port for flow in lab.flows for port in _ports(flow)})
    honest = [
        trial
        for source, home in homes.items()
        for trial in (*_crossings(lab, source, home, ports), *_to_firewalls(lab, source, home, ports))
    ]
    return [*honest, *_forgeries(lab, homes, honest)]


def _ports(flow: Flow) -> list[Port]:
    opened: list[Port] = [("icmp", 0)] if flow.icmp else []
    return [*opened, *(("tcp", port) for port in flow.tcp), *(("udp", port) for port in flow.udp)]


def _crossings(lab: Lab, source: str, home: str, ports: list[Port]) -> Iterator[Trial]:
    """Yield what ``source`` sends to who is not a firewall, where something filters in between."""
    own = lab.machines[source]
    published_at = lab.firewall_at(home)
    for target in (*lab.machines, *lab.shared_addresses):
        there = _place(lab, target)
        together = source in lab.holders(target) or set(own.addresses) & set(lab.addresses_of(target))
        if lab.is_firewall(target) or not there or together or _side(lab, home) == _side(lab, there):
            continue
        flows = [
            flow
            for flow in lab.flows
            if flow.source in _names(lab, source, home) and flow.to in _names(lab, target, there)
        ]
        for protocol, port in ports:
            through = [flow for flow in flows if (protocol, port) in _ports(flow)]
            # What is published is reached at the firewall; the matrix does not say whether at its own address too.
            published = published_at is not None and any(flow.published for flow in through)
            address = published_at if published else lab.addresses_of(target)[there]
            yield Trial(
                source, str(own.addresses[home]), home, target, str(address), there, protocol, port, bool(through)
            )


def _names(lab: Lab, machine: str, perimeter: str) -> set[str]:
    """Return the names under which flows are those of ``machine``; where a perimeter bears one, it comes first."""
    return {perimeter} if machine in lab.perimeters else {machine, perimeter}


def _to_firewalls(lab: Lab, source: str, home: str, ports: list[Port]) -> Iterator[Trial]:
    """Yield what ``source`` sends to firewalls themselves.

    How they are administered from the administration perimeter is theirs to say: it is neither owed nor forbidden.
    """
    flows = [flow for flow in lab.flows if flow.source in _names(lab, source, home)]
    led_elsewhere = {port for flow in flows if flow.published for port in _ports(flow)}
    administered: set[Port] = {("tcp", 22), ("icmp", 0)} if lab.perimeters[home].role == "admin" else set()
    for firewall in (*lab.machines, *lab.shared_addresses):
        address = lab.addresses_of(firewall).get(home)
        if not lab.is_firewall(firewall) or address is None:
            continue
        holders = set(lab.holders(firewall))
        opened = {
            port
            for flow in flows
            if flow.to not in lab.perimeters and holders & set(lab.holders(flow.to))
            for port in _ports(flow)
        }
        for port in ports:
            if port in opened or port not in led_elsewhere | administered:
                yield Trial(
                    source,
                    str(lab.machines[source].addresses[home]),
                    home,
                    firewall,
                    str(address),
                    firewall,
                    *port,
                    port in opened,
                )


def _forgeries(lab: Lab, homes: dict[str, str], honest: list[Trial]) -> Iterator[Trial]:
    """Yield forged packets: only their source tells each from one that the matrix lets through.

    From the internet any address may come but those of the lab.
    """
    allowed = [trial for trial in honest if trial.allowed and not lab.is_firewall(trial.target)]
    # What a whole perimeter may do shows best that nothing but the source is what is refused.
    allowed.sort(
        key=lambda trial: not any(flow.source == trial.here for flow in lab.flows if trial.target == flow.to)
    )
    for source, home in homes.items():
        model = next((trial for trial in allowed if trial.source == source), None)
        claims = [_stranger(lab, home, model.there if model else "")]
        if lab.perimeters[home].role != "internet":
            claims.append(str(NOBODY))
        if model is None:
            # Nothing is allowed from here: a place is taken whose packets would go through.
            other = next((trial for trial in allowed if _can_be_taken(lab, trial, home)), None)
            if other is None:
                continue
            own = str(lab.machines[source].addresses[home])
            model = replace(other, source=source, source_address=own, here=home)
            claims = [other.source_address]
        yield from (replace(model, allowed=False, claimed=claimed) for claimed in claims if claimed)


def _can_be_taken(lab: Lab, trial: Trial, home: str) -> bool:
    """Return whether a packet like ``trial`` would cross a firewall from ``home`` too."""
    at_firewall = trial.address == str(lab.firewall_at(trial.here))
    return not at_firewall and _side(lab, home) not in (_side(lab, trial.here), _side(lab, trial.there))


def _stranger(lab: Lab, home: str, there: str) -> str:
    """Return the address of a machine on another side than ``home``, if there is one, and rather not ``there``."""
    found = sorted(
        (perimeter == there, str(lab.machines[name].addresses[perimeter]))
        for name, perimeter in senders(lab).items()
        if _side(lab, perimeter) != _side(lab, home) and lab.perimeters[perimeter].role != "internet"
    )
    return found[0][1] if found else ""


def _place(lab: Lab, target: str) -> str:
    usable = perimeters(lab)
    return next((perimeter for perimeter in lab.addresses_of(target) if perimeter in usable), "")


def _side(lab: Lab, perimeter: str) -> str:
    """Return where a firewall meets ``perimeter``: between two that it meets at one place nothing filters."""
    guarded = {
        name for machine in lab.machines.values() if machine.kind == "firewall" for name in machine.addresses
    }
    return next((name for name in lab.entrances(perimeter) if name in guarded), perimeter)
