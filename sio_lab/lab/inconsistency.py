"""One impossible thing in a lab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from sio_lab.lab.tree import Path, closest
from sio_lab.text import Text


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """Something impossible.

    Attributes:
        path: what it is about, from the top of the lab file.
        what: why it is impossible.
        todo: what to write instead, where that can be told.
        at_key: whether the key is wrong rather than its value.
    """

    path: Path
    what: Text
    todo: Text | None = None
    at_key: bool = False


def unknown(path: Path, kind: Text, name: str, names: list[str], *, at_key: bool = False) -> Inconsistency:
    """Return the inconsistency of ``name``, which should be one of ``names``.

    Args:
        path: where it stands.
        kind: what it is that does not exist: an undeclared machine, an undeclared account…
        name: what is written.
        names: those that exist.
        at_key: whether the name is a key.
    """
    existing = ", ".join(names) or "—"
    todo = closest(name, names) or Text(f"déclarés : {existing}", f"declared: {existing}")
    return Inconsistency(path, Text(f"{kind.fr} : {name}", f"{kind.en}: {name}"), todo, at_key)


def in_network(path: Path, address: IPv4Address, perimeter: str, network: IPv4Network) -> Iterator[Inconsistency]:
    """Yield why ``address`` cannot be a machine's in ``network``, that of ``perimeter``."""
    if address not in network:
        yield Inconsistency(
            path,
            Text(
                f"{address} est hors du périmètre « {perimeter} » ({network})",
                f"{address} is outside perimeter '{perimeter}' ({network})",
            ),
        )
    elif address == network.network_address:
        yield Inconsistency(
            path,
            Text(
                f"{address} est l'adresse du réseau lui-même ({network})",
                f"{address} is the address of the network itself ({network})",
            ),
        )
    elif address == network.broadcast_address:
        yield Inconsistency(
            path,
            Text(
                f"{address} est l'adresse de diffusion de {network}",
                f"{address} is the broadcast address of {network}",
            ),
        )
