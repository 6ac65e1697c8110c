"""Impossible labs, refused before anything is created.

The model says whether each line can be read; this says whether the lines agree with each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from sio_lab.lab import flows, images, references, sharing
from sio_lab.lab.inconsistency import Inconsistency, in_network, unknown
from sio_lab.lab.model import Lab, Machine
from sio_lab.lab.tree import Path, closest
from sio_lab.text import Text

# Names that Ansible keeps for itself in an inventory.
_RESERVED_MACHINES = {"all", "ungrouped", "localhost"}
# Interfaces bear the name of their perimeter; Linux keeps these (lo, and the sysctl trees of all interfaces).
_RESERVED_PERIMETERS = {"lo", "all", "default"}
_INTERFACE_LENGTH = 15  # IFNAMSIZ - 1
# RFC 1035 §2.3.1, and RFC 1123 §2.1 for a digit first.
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SMALLEST_MEMORY = 64  # MiB; a Debian container without any service uses about 40


def check(lab: Lab) -> list[Inconsistency]:
    """Return all that makes ``lab`` impossible; nothing when it is possible."""
    return [
        *_domain(lab),
        *_perimeters(lab),
        *_machines(lab),
        *_addresses(lab),
        *sharing.check(lab),
        *references.check(lab),
        *flows.check(lab),
        *_attestations(lab),
    ]


def _domain(lab: Lab) -> Iterator[Inconsistency]:
    if not _DOMAIN.fullmatch(lab.domain):
        yield Inconsistency(
            ("domain",),
            Text(f"{lab.domain} n'est pas un nom de domaine", f"{lab.domain} is no domain name"),
            Text("minuscules, chiffres, tirets et points : capvoile.test", "such as capvoile.test, in lower case"),
        )


def _perimeters(lab: Lab) -> Iterator[Inconsistency]:
    for name, perimeter in lab.perimeters.items():
        path = ("perimeters", name)
        if name in _RESERVED_PERIMETERS:
            yield Inconsistency(
                path, Text(f"nom réservé par Linux : {name}", f"name kept by Linux: {name}"), None, True
            )
        yield from _usable(path, perimeter.cidr)
        if perimeter.via:
            yield from _router(lab, name, perimeter.via)
    for (one, first), (other, second) in combinations(lab.perimeters.items(), 2):
        if first.cidr.overlaps(second.cidr):
            yield Inconsistency(
                ("perimeters", other),
                Text(
                    f"le réseau {second.cidr} recouvre celui de « {one} » ({first.cidr})",
                    f"network {second.cidr} overlaps that of '{one}' ({first.cidr})",
                ),
            )
        if one[:_INTERFACE_LENGTH] == other[:_INTERFACE_LENGTH]:
            yield Inconsistency(
                ("perimeters", other),
                Text(
                    f"même début que « {one} » : une interface ne garde que {_INTERFACE_LENGTH} caractères",
                    f"begins like '{one}': an interface keeps {_INTERFACE_LENGTH} characters only",
                ),
                at_key=True,
            )


def _router(lab: Lab, perimeter: str, via: str) -> Iterator[Inconsistency]:
    path = ("perimeters", perimeter, "via")
    if via not in lab.machines:
        yield unknown(path, Text("machine non déclarée", "undeclared machine"), via, list(lab.machines))
    elif not set(lab.machines[via].addresses) - {perimeter}:
        yield Inconsistency(
            path,
            Text(
                f"« {via} » n'a d'adresse dans aucun autre périmètre : on n'y passe pas",
                f"'{via}' has no address in another perimeter: nothing goes through it",
            ),
        )


def _usable(path: Path, network: IPv4Network) -> Iterator[Inconsistency]:
    if network.prefixlen > 30:
        yield Inconsistency(
            path,
            Text(f"{network} n'a de place pour aucune machine", f"{network} has no room for machines"),
            Text(f"{network.network_address}/24 par exemple", f"for example {network.network_address}/24"),
        )
    if (
        network.is_loopback
        or network.is_multicast
        or network.is_link_local
        or network.network_address.packed[0] == 0
    ):
        yield Inconsistency(
            path,
            Text(
                f"{network} est réservé (boucle locale, multidiffusion ou lien local)",
                f"{network} is reserved (loopback, multicast or link-local)",
            ),
            Text("prenez un réseau privé : 172.30.10.0/24", "take a private network: 172.30.10.0/24"),
        )


def _machines(lab: Lab) -> Iterator[Inconsistency]:
    for name, machine in lab.machines.items():
        path = ("machines", name)
        if name in _RESERVED_MACHINES:
            yield Inconsistency(
                path, Text(f"nom réservé par Ansible : {name}", f"name kept by Ansible: {name}"), None, True
            )
        if lab.provider == "existing" and machine.connection is None:
            yield Inconsistency(
                path,
                Text(f"on ne sait pas comment joindre « {name} »", f"nothing says how to reach '{name}'"),
                Text(
                    "ajoutez connection: {host: …, user: …} (provider: existing)",
                    "add connection: {host: …, user: …} (provider: existing)",
                ),
                True,
            )
        elif not machine.addresses and machine.connection is None:
            yield Inconsistency(
                path,
                Text(f"« {name} » n'a ni adresse ni connexion", f"'{name}' has neither address nor connection"),
                Text("ajoutez addresses: {périmètre: adresse}", "add addresses: {perimeter: address}"),
                True,
            )
        if _mebibytes(machine.memory) < _SMALLEST_MEMORY:
            yield Inconsistency(
                (*path, "memory"),
                Text(
                    f"{machine.memory} : {_SMALLEST_MEMORY}MiB au moins sont nécessaires",
                    f"{machine.memory}: at least {_SMALLEST_MEMORY}MiB are needed",
                ),
            )
        if lab.provider != "existing":
            yield from _images(path, machine)


def _mebibytes(memory: str) -> int:
    return int(memory[:-3]) * (1024 if memory.endswith("GiB") else 1)


def _images(path: Path, machine: Machine) -> Iterator[Inconsistency]:
    listed = isinstance(machine.image, list)
    wanted = machine.image if isinstance(machine.image, list) else [machine.image]
    if not wanted:
        yield Inconsistency((*path, "image"), Text("aucune image dans la liste", "no image in the list"))
    for index, image in enumerate(wanted):
        if not images.is_known(image):
            known = images.names()
            name = image.removeprefix("images:")
            versions = [other for other in known if other.startswith(f"{name.partition('/')[0]}/")]
            examples = ", ".join(versions or ("debian/13", "ubuntu/24.04", "rockylinux/9"))
            yield Inconsistency(
                (*path, "image", index) if listed else (*path, "image"),
                Text(f"image inconnue : {image}", f"unknown image: {image}"),
                closest(name, known if not versions else [])
                or Text(f"images connues : {examples}", f"known images: {examples}"),
            )


def _addresses(lab: Lab) -> Iterator[Inconsistency]:
    bearers: dict[IPv4Address, str] = {}
    for name, machine in lab.machines.items():
        for perimeter, address in machine.addresses.items():
            path = ("machines", name, "addresses", perimeter)
            if perimeter not in lab.perimeters:
                yield unknown(
                    path,
                    Text("périmètre non déclaré", "undeclared perimeter"),
                    perimeter,
                    list(lab.perimeters),
                    at_key=True,
                )
                continue
            yield from in_network(path, address, perimeter, lab.perimeters[perimeter].cidr)
            bearer = bearers.setdefault(address, name)
            if bearer != name:
                yield Inconsistency(
                    path,
                    Text(
                        f"{address} est déjà l'adresse de « {bearer} »",
                        f"{address} is already the address of '{bearer}'",
                    ),
                )
        yield from _gateway(lab, name, machine)


def _gateway(lab: Lab, name: str, machine: Machine) -> Iterator[Inconsistency]:
    gateway = machine.gateway
    if gateway is None:
        return
    path = ("machines", name, "gateway")
    networks = [lab.perimeters[own].cidr for own in machine.addresses if own in lab.perimeters]
    if gateway in machine.addresses.values():
        yield Inconsistency(path, Text("la machine est sa propre passerelle", "the machine is its own gateway"))
    elif not any(gateway in network for network in networks):
        reach = ", ".join(map(str, networks)) or "—"
        yield Inconsistency(
            path,
            Text(
                f"passerelle {gateway} hors des réseaux de la machine ({reach})",
                f"gateway {gateway} outside the networks of the machine ({reach})",
            ),
        )


def _attestations(lab: Lab) -> Iterator[Inconsistency]:
    for requirement, attestation in lab.attestations.items():
        if attestation.expires <= attestation.date:
            yield Inconsistency(
                ("attestations", requirement, "expires"),
                Text(
                    f"l'attestation expire ({attestation.expires}) avant d'être signée ({attestation.date})",
                    f"the attestation expires ({attestation.expires}) before it is signed ({attestation.date})",
                ),
            )
