"""The flow matrix as one firewall sees it: interfaces and addresses instead of perimeters and machines."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from sio_lab.lab.model import Flow, Lab
from sio_lab.provision import addressing


def mirrors(lab: Lab, firewall: str) -> list[str]:
    """Return the interfaces of ``firewall`` that carry copies of the traffic: no way to anybody."""
    legs = lab.machines[firewall].addresses
    return [addressing.interface(name) for name in lab.perimeters_with_role("mirror") if name in legs]


def crossings(lab: Lab, firewall: str) -> list[JsonValue]:
    """Return what ``firewall`` lets through, one entry a pair of interfaces.

    Keys: ``in``, ``out`` (interfaces), ``source``, ``target`` (address, ``None`` for all of a perimeter), ``tcp``,
    ``udp``, ``icmp`` as declared, ``published_at`` (firewall's address that stands for the target, or ``None``).
    Flows towards a firewall are not among them: see ``arrivals``.
    """
    return [
        {
            **_opening(flow),
            "in": one,
            "source": source,
            "out": other,
            "target": target,
            "published_at": _published_at(lab, firewall, flow, one),
        }
        for flow in lab.flows
        if flow.to in lab.perimeters or not lab.is_firewall(flow.to)
        for one, source in _sides(lab, firewall, flow.source)
        for other, target in _sides(lab, firewall, flow.to)
        if one != other
    ]


def arrivals(lab: Lab, firewall: str) -> list[JsonValue]:
    """Return what ``firewall`` itself accepts: the flows to it (keys as in ``crossings``, no ``out``)."""
    return [
        {**_opening(flow), "in": interface, "source": source}
        for flow in lab.flows
        if firewall in lab.holders(flow.to) and flow.to not in lab.perimeters
        for interface, source in _sides(lab, firewall, flow.source)
    ]


def peers(lab: Lab, firewall: str) -> list[JsonValue]:
    """Return where ``firewall`` meets those that it shares addresses with, one entry a peer and interface.

    Keys: ``in`` (interface), ``peer`` and ``own`` (addresses there of the other one and of ``firewall``).
    """
    own = lab.machines[firewall].addresses
    pairs = {
        (perimeter, peer)
        for shared in lab.shared_by(firewall).values()
        for peer in shared.machines
        for perimeter in shared.addresses
        if peer != firewall
    }
    return [
        {
            "in": addressing.interface(perimeter),
            "peer": str(lab.machines[peer].addresses[perimeter]),
            "own": str(own[perimeter]),
        }
        for perimeter, peer in sorted(pairs)
    ]


def _opening(flow: Flow) -> dict[str, JsonValue]:
    return {"tcp": list[JsonValue](flow.tcp), "udp": list[JsonValue](flow.udp), "icmp": flow.icmp}


def routes(lab: Lab, firewall: str) -> list[JsonValue]:
    """Return the networks that ``firewall`` reaches through a router: ``network`` and ``through``, its address."""
    legs = _legs(lab, firewall)
    return [
        {"network": str(perimeter.cidr), "through": str(lab.machines[perimeter.via].addresses[entrance])}
        for name, perimeter in lab.perimeters.items()
        if perimeter.via and (entrance := _entrance(lab, legs, name)) and entrance != name
    ]


def _legs(lab: Lab, firewall: str) -> set[str]:
    return set(lab.machines[firewall].addresses) - set(lab.perimeters_with_role("mirror"))


def _entrance(lab: Lab, legs: set[str], perimeter: str) -> str | None:
    """Return the one of ``legs`` (perimeters of a firewall) that leads to ``perimeter``."""
    return next((name for name in lab.entrances(perimeter) if name in legs), None)


def _sides(lab: Lab, firewall: str, end: str) -> Iterator[tuple[str, str | None]]:
    """Yield (interface of the firewall, address or network) for one end of a flow.

    A perimeter comes before a machine. ``None`` stands for all that is behind an interface.
    """
    legs = _legs(lab, firewall)
    if end in lab.perimeters:
        entrance = _entrance(lab, legs, end)
        if entrance:
            alone = entrance == end and not _leads_further(lab, legs, end)
            yield addressing.interface(entrance), None if alone else str(lab.perimeters[end].cidr)
        return
    for perimeter, address in lab.addresses_of(end).items():
        entrance = _entrance(lab, legs, perimeter)
        if entrance:
            yield addressing.interface(entrance), str(address)


def _leads_further(lab: Lab, legs: set[str], perimeter: str) -> bool:
    """Return whether other networks are reached by the interface in ``perimeter`` too."""
    return any(name != perimeter and _entrance(lab, legs, name) == perimeter for name in lab.perimeters)


def _published_at(lab: Lab, firewall: str, flow: Flow, interface: str) -> str | None:
    if not flow.published:
        return None
    legs = lab.machines[firewall].addresses
    return next(str(lab.firewall_at(name)) for name in legs if addressing.interface(name) == interface)
