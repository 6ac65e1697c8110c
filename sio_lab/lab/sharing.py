"""Shared addresses that no machines could hold."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from sio_lab.lab.inconsistency import Inconsistency, in_network, unknown
from sio_lab.lab.model import Lab, SharedAddress
from sio_lab.lab.tree import Path
from sio_lab.text import Text


def check(lab: Lab) -> Iterator[Inconsistency]:
    """Yield what is impossible in the shared addresses of ``lab``."""
    bearers: dict[IPv4Address, str] = {
        address: name for name, machine in lab.machines.items() for address in machine.addresses.values()
    }
    for name, shared in lab.shared_addresses.items():
        path = ("shared_addresses", name)
        if name in lab.machines or name in lab.perimeters:
            yield Inconsistency(
                path, Text(f"nom déjà pris dans le labo : {name}", f"name already taken: {name}"), None, True
            )
        yield from _holders(lab, path, shared)
        for perimeter, address in shared.addresses.items():
            where = (*path, "addresses", perimeter)
            if perimeter not in lab.perimeters:
                kind = Text("périmètre non déclaré", "undeclared perimeter")
                yield unknown(where, kind, perimeter, list(lab.perimeters), at_key=True)
                continue
            yield from in_network(where, address, perimeter, lab.perimeters[perimeter].cidr)
            bearer = bearers.setdefault(address, name)
            if bearer != name:
                yield Inconsistency(
                    where,
                    Text(
                        f"{address} est déjà l'adresse de « {bearer} »",
                        f"{address} is already the address of '{bearer}'",
                    ),
                )


def _holders(lab: Lab, path: Path, shared: SharedAddress) -> Iterator[Inconsistency]:
    for index, holder in enumerate(shared.machines):
        where = (*path, "machines", index)
        if holder not in lab.machines:
            kind = Text("machine non déclarée", "undeclared machine")
            yield unknown(where, kind, holder, list(lab.machines))
            continue
        if holder in shared.machines[:index]:
            yield Inconsistency(where, Text(f"« {holder} » écrit deux fois", f"'{holder}' written twice"))
        # Each tells the others that it holds the address from an address of its own there (RFC 9568 §5.1.1).
        for perimeter in shared.addresses:
            if perimeter in lab.perimeters and perimeter not in lab.machines[holder].addresses:
                yield Inconsistency(
                    where,
                    Text(
                        f"« {holder} » n'a pas d'adresse à elle dans « {perimeter} »",
                        f"'{holder}' has no address of its own in '{perimeter}'",
                    ),
                    Text(
                        f"ajoutez-en une dans machines.{holder}.addresses",
                        f"add one to machines.{holder}.addresses",
                    ),
                )
