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
        if not _is_firewall(lab, flow.to)
        for one, source in _sides(lab, firewall, flow.source)
        for other, target in _sides(lab, firewall, flow.to)
        if one != other
    ]


def arrivals(lab: Lab, firewall: str) -> list[JsonValue]:
    """Return what ``firewall`` itself accepts: the flows to it (keys as in ``crossings``, no ``out``)."""
    return [
        {**_opening(flow), "in": interface, "source": source}
        for flow in lab.flows
        if flow.to == firewall and flow.to not in lab.perimeters
        for interface, source in _sides(lab, firewall, flow.source)
    ]


def _opening(flow: Flow) -> dict[str, JsonValue]:
    return {"tcp": list[JsonValue](flow.tcp), "udp": list[JsonValue](flow.udp), "icmp": flow.icmp}


def _is_firewall(lab: Lab, end: str) -> bool:
    return end not in lab.perimeters and lab.machines[end].kind == "firewall"


def _sides(lab: Lab, firewall: str, end: str) -> Iterator[tuple[str, str | None]]:
    """Yield (interface of the firewall, address) for one end of a flow; a perimeter comes before a machine."""
    legs = set(lab.machines[firewall].addresses) - set(lab.perimeters_with_role("mirror"))
    if end in lab.perimeters:
        if end in legs:
            yield addressing.interface(end), None
        return
    for perimeter, address in lab.machines[end].addresses.items():
        if perimeter in legs:
            yield addressing.interface(perimeter), str(address)


def _published_at(lab: Lab, firewall: str, flow: Flow, interface: str) -> str | None:
    if not flow.published:
        return None
    addresses = lab.machines[firewall].addresses
    return next(str(own) for name, own in addresses.items() if addressing.interface(name) == interface)
