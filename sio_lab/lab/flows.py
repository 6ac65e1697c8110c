"""Flows that no lab could carry."""

from __future__ import annotations

from collections.abc import Iterator

from sio_lab.lab.inconsistency import Inconsistency, unknown
from sio_lab.lab.model import Flow, Lab
from sio_lab.text import Text


def check(lab: Lab) -> Iterator[Inconsistency]:
    """Yield what is impossible in the flow matrix of ``lab``."""
    known = {*lab.perimeters, *lab.machines, *lab.shared_addresses}
    seen: dict[str, int] = {}
    for index, flow in enumerate(lab.flows):
        yield from _ends(lab, index, flow)
        yield from _ports(index, flow)
        line = flow.model_dump_json()
        if seen.setdefault(line, index) != index:
            yield Inconsistency(("flows", index), Text("flux déjà écrit plus haut", "flow already written above"))
        if {flow.source, flow.to} <= known:
            yield from _publication(lab, index, flow)
    yield from _published_twice(lab)
    yield from _firewalls(lab, known)


def _ends(lab: Lab, index: int, flow: Flow) -> Iterator[Inconsistency]:
    sources = [*lab.perimeters, *(name for name in lab.machines if name not in lab.perimeters)]
    # Who holds a shared address opens connections from its own.
    for key, end, names in (("from", flow.source, sources), ("to", flow.to, [*sources, *lab.shared_addresses])):
        if end not in names:
            yield unknown(
                ("flows", index, key), Text("ni périmètre ni machine", "neither perimeter nor machine"), end, names
            )
    if flow.source == flow.to:
        yield Inconsistency(
            ("flows", index, "to"),
            Text(f"flux de « {flow.source} » vers soi-même", f"flow from '{flow.source}' to itself"),
            Text("dans un périmètre rien ne filtre", "nothing filters inside a perimeter"),
        )


def _ports(index: int, flow: Flow) -> Iterator[Inconsistency]:
    if not (flow.tcp or flow.udp or flow.icmp):
        yield Inconsistency(
            ("flows", index),
            Text("ce flux n'ouvre rien", "this flow opens nothing"),
            Text("ajoutez tcp: [443], udp: [53] ou icmp: true", "add tcp: [443], udp: [53] or icmp: true"),
        )
    for key, ports in (("tcp", flow.tcp), ("udp", flow.udp)):
        if len(set(ports)) < len(ports):
            yield Inconsistency(("flows", index, key), Text("port écrit deux fois", "port written twice"))


def _publication(lab: Lab, index: int, flow: Flow) -> Iterator[Inconsistency]:
    if not flow.published:
        return
    if flow.to in lab.perimeters:
        yield Inconsistency(
            ("flows", index, "to"),
            Text(
                f"seule une machine peut être publiée, pas le périmètre « {flow.to} »",
                f"only a machine can be published, not perimeter '{flow.to}'",
            ),
        )
    if not _places(lab, flow.source) & _guarded(lab):
        yield Inconsistency(
            ("flows", index, "from"),
            Text(
                f"aucun pare-feu n'a d'adresse où publier pour « {flow.source} »",
                f"no firewall has an address to publish at for '{flow.source}'",
            ),
        )


def _published_twice(lab: Lab) -> Iterator[Inconsistency]:
    taken: dict[tuple[str, str, int], str] = {}
    for index, flow in enumerate(lab.flows):
        for key, ports in (("tcp", flow.tcp), ("udp", flow.udp)):
            for port in set(ports) if flow.published else ():
                first = taken.setdefault((flow.source, key, port), flow.to)
                if first != flow.to:
                    yield Inconsistency(
                        ("flows", index, key),
                        Text(
                            f"le port {port} publié pour « {flow.source} » mène déjà à « {first} »",
                            f"port {port} published for '{flow.source}' already leads to '{first}'",
                        ),
                    )


def _firewalls(lab: Lab, known: set[str]) -> Iterator[Inconsistency]:
    """Between perimeters something must route and filter, or what is not listed would not be forbidden."""
    if lab.provider == "existing" or len(lab.perimeters) < 2 or not lab.flows:
        return
    if all(machine.kind != "firewall" for machine in lab.machines.values()):
        yield Inconsistency(
            ("flows",),
            Text(
                "des flux entre périmètres, mais aucune machine de genre firewall",
                "flows between perimeters, but no machine of kind firewall",
            ),
            Text(
                "ajoutez une machine kind: firewall, avec une adresse dans chaque périmètre",
                "add a machine of kind: firewall, with an address in each perimeter",
            ),
            True,
        )
        return
    guarded = _guarded(lab)
    for index, flow in enumerate(lab.flows):
        for key, end in (("from", flow.source), ("to", flow.to)):
            places = _places(lab, end)
            if end in known and places and not places & guarded:
                yield Inconsistency(
                    ("flows", index, key),
                    Text(
                        f"aucun pare-feu n'a d'adresse dans « {', '.join(sorted(places))} »",
                        f"no firewall has an address in '{', '.join(sorted(places))}'",
                    ),
                )


def _guarded(lab: Lab) -> set[str]:
    """Return the perimeters where a firewall stands, and those that are reached through them."""
    firewalls = (machine for machine in lab.machines.values() if machine.kind == "firewall")
    stands = {perimeter for machine in firewalls for perimeter in machine.addresses}
    return stands | {name for name in lab.perimeters if stands & set(lab.entrances(name))}


def _places(lab: Lab, end: str) -> set[str]:
    """Return the perimeters that the end of a flow designates: itself, or where its machines are."""
    if end in lab.perimeters:
        return {end}
    return set(lab.addresses_of(end))
