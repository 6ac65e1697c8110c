"""Which address a machine is reached at, depending on who asks."""

from __future__ import annotations

from ipaddress import IPv4Address
from urllib.parse import urlsplit

from sio_lab.lab.model import Lab

_INTERFACE_LENGTH = 15  # characters (IFNAMSIZ of Linux, less its final zero)
SITES_ROLE = "internet_sites"
"""Role of the machine that stands for the sites of the internet."""


def interface(perimeter: str) -> str:
    """Return the name that the interface in ``perimeter`` has inside machines."""
    return perimeter[:_INTERFACE_LENGTH]


def hosts(lab: Lab, viewer: str) -> dict[str, IPv4Address]:
    """Return the address at which ``viewer`` reaches each machine and shared address, itself included.

    Two machines of one perimeter meet there; from outside the organisation, a published machine is seen
    at the firewall's address. Perimeters of mirrored traffic are no way to anybody. Machines without any
    address are left out.
    """
    own = [perimeter for perimeter in lab.machines[viewer].addresses if perimeter in _usable(lab)]
    outside = bool(own) and set(own) <= set(lab.perimeters_with_role("internet"))
    seen = {}
    for name in (*lab.machines, *lab.shared_addresses):
        addresses = lab.addresses_of(name)
        published = public_addresses(lab, name) if outside and name != viewer else {}
        ways = [
            *(addresses[perimeter] for perimeter in own if perimeter in addresses),
            *(published[perimeter] for perimeter in own if perimeter in published),
            *(address for perimeter, address in addresses.items() if perimeter in _usable(lab)),
            *addresses.values(),
        ]
        if ways:
            seen[name] = ways[0]
    return seen


def public_addresses(lab: Lab, name: str) -> dict[str, IPv4Address]:
    """Return the firewall's address in each perimeter from which ``name`` is published."""
    sources = [
        perimeter
        for flow in lab.flows
        if flow.published and flow.to == name
        for perimeter in _perimeters(lab, flow.source)
    ]
    return {perimeter: address for perimeter in sources if (address := lab.firewall_at(perimeter))}


def sites(lab: Lab) -> dict[str, IPv4Address]:
    """Return the sites of the internet that the lab's declarations name, with their address in the lab."""
    machine = next((machine for machine in lab.machines.values() if SITES_ROLE in machine.roles), None)
    if machine is None or not machine.addresses:
        return {}
    address = next(iter(machine.addresses.values()))
    services = lab.services
    urls = []
    if services.internet_access:
        urls += [services.internet_access.allowed_url, services.internet_access.forbidden_url]
    if services.traffic_analysis:
        urls.append(services.traffic_analysis.flow_url)
    names = [urlsplit(url).hostname or "" for url in urls]
    return {name: address for name in names if name and lab.machine_of(name) is None}


def sites_of(lab: Lab, machine: str) -> list[str]:
    """Return the names of the sites that ``machine`` answers for."""
    return list(sites(lab)) if SITES_ROLE in lab.machines[machine].roles else []


def _usable(lab: Lab) -> set[str]:
    return set(lab.perimeters) - set(lab.perimeters_with_role("mirror"))


def _perimeters(lab: Lab, end: str) -> list[str]:
    """Return the perimeters that one end of a flow stands for."""
    if end in lab.perimeters:
        return [end]
    return [perimeter for perimeter in lab.machines[end].addresses if perimeter in _usable(lab)]
