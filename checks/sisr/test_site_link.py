"""2.2.a: secured link between two remote sites."""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from time import monotonic, sleep

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.errors import InconclusiveError, ServiceUnavailable
from sio_lab.lab.infrastructure import SiteLink
from sio_lab.lab.model import Lab
from sio_lab.probes import capture, cleartext, flow
from sio_lab.probes.flow import FlowObservation
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

PERIOD = 0.5
"""Seconds between two attempts to reach the other site."""


@requirement(
    "2.2.a",
    title=Text("Lien chiffré entre les sites", "Encrypted link between the sites"),
    uses=["site_link"],
    deadline=60,
)
def test_link_is_encrypted(lab: Lab, proof: Proof, service: SiteLink) -> None:
    """The second site reaches a server of the first one, and between the routers only encrypted packets are seen.

    Satisfied: the remote machine's connection reaches the server with its own address; a request marked with a
    unique word is read in clear behind the router of the first site, while on its outer interface it is not: there
    the tunnel has a packet at least for each of the dialogue, and nothing else is seen between the two routers or
    with the addresses of the two machines.
    Not satisfied: the server is not reached, or the dialogue is not in the tunnel, or not alone.
    Unverified: a machine does not answer, or the capture misses packets.
    Reads: services.site_link, the addresses of its machines.
    """
    router, remote = proof.machine(service.machines[0]), proof.machine(service.remote)
    reached = reach(lab, service, remote)
    proof.works(
        reached,
        fr=f"{service.remote} n'atteint pas {service.server}:{service.port} par le lien",
        en=f"{service.remote} does not reach {service.server}:{service.port} through the link",
    )
    own_address(lab, proof, service, remote)
    token = secrets.token_hex(8)
    with ExitStack() as captures:
        outer, stray, inner = (
            captures.enter_context(capture.on(router, interface, expression))
            for interface, expression in (
                (service.interface, tunnel(lab, service)),
                (service.interface, in_clear(lab, service)),
                (service.inner_interface, f"host {main(lab, service.remote)} and tcp port {service.port}"),
            )
        )
        cleartext.get(remote, f"http://{lab.fqdn(service.server)}:{service.port}/{token}")
        sleep(PERIOD)
        within, around, between = (each.search({"mark": token}) for each in (inner, stray, outer))
    if within.missed or around.missed or between.missed:
        raise InconclusiveError(
            Text("la capture a manqué des paquets", "the capture missed packets"), where=service.machines[0]
        )
    proof.holds(
        around.packets == 0,
        around,
        side="negative",
        fr=f"{around.packets} paquets hors du tunnel entre les deux sites",
        en=f"{around.packets} packets outside the tunnel between the two sites",
    )
    proof.holds(
        within.granted,
        within,
        side="positive",
        fr=f"la requête de {service.remote} n'arrive pas par {service.inner_interface} de {service.machines[0]}",
        en=f"the request of {service.remote} does not come by {service.inner_interface} of {service.machines[0]}",
    )
    # The tunnel alone sends some too: one at least for each of the dialogue shows that it was in there.
    proof.holds(
        between.packets >= within.packets,
        between,
        side="positive",
        fr=f"{within.packets} paquets échangés, mais {between.packets} dans le tunnel sur {service.interface}",
        en=f"{within.packets} packets exchanged, but {between.packets} in the tunnel on {service.interface}",
    )
    proof.holds(
        not between.granted,
        between,
        side="negative",
        fr="le contenu du tunnel se lit en clair entre les routeurs",
        en="what the tunnel carries is read in clear between the routers",
    )


@requirement(
    "2.2.a",
    title=Text("Tunnel coupé : rien en clair", "Tunnel cut: nothing in clear"),
    intensity="disrupt",
    uses=["site_link"],
    # Those that reach machines of the second site: to see them, or to administer them.
    disturbs=["site_link", "supervision", "remote_administration", "configuration_management"],
    deadline=180,
)
def test_no_way_in_clear(lab: Lab, proof: Proof, service: SiteLink) -> None:
    """Without the tunnel the sites do not reach each other, and they do again once it is back.

    Satisfied: with the tunnel cut, the server that was reached is not, as long as routers may look for other ways,
    and nothing of the attempts is seen in clear on the outer interface of the second site's router; with the
    tunnel given back, the server is reached again within the same time.
    Not satisfied: the server is reached without the tunnel, an attempt leaves in clear, or it stays unreachable.
    Unverified: the server is not reached to begin with, or the tunnel cannot be cut.
    Reads: services.site_link, the addresses of its machines.
    """
    remote = proof.machine(service.remote)
    before = reach(lab, service, remote)
    if not before.granted:
        raise InconclusiveError(
            Text("le lien ne fonctionne pas : rien à couper", "the link does not work: nothing to cut"),
            where=service.remote,
        )
    with capture.on(proof.machine(service.machines[1]), service.interface, in_clear(lab, service)) as stray:
        with proof.cut(cuts.command(service.machines[0], service.cut, back=service.restore)):
            without = [*attempts(lab, service, remote, until=False)]
        around = stray.search({})
    back = [*attempts(lab, service, remote, until=True)]
    proof.holds(
        not any(seen.granted for seen in without),
        *without,
        side="negative",
        fr=f"sans le tunnel, {service.remote} atteint encore {service.server}",
        en=f"without the tunnel, {service.remote} still reaches {service.server}",
    )
    proof.holds(
        around.packets == 0,
        around,
        side="negative",
        fr=f"sans le tunnel, {around.packets} paquets partent en clair",
        en=f"without the tunnel, {around.packets} packets leave in clear",
    )
    proof.works(
        back[-1],
        fr=f"le lien n'est pas rétabli en {service.convergence_seconds:g} s",
        en=f"the link does not come back within {service.convergence_seconds:g} s",
    )


def reach(lab: Lab, service: SiteLink, remote: Machine) -> FlowObservation:
    """Return whether the remote machine reaches the server."""
    return flow.tcp(remote, [(lab.fqdn(service.server), service.port)], deadline=3)[0]


def attempts(lab: Lab, service: SiteLink, remote: Machine, *, until: bool) -> list[FlowObservation]:
    """Try to reach the server until it is, at most as long as routers need to find ways; return all tries.

    ``until``: whether it is to be reached, or must not be; what is retried says so.
    """
    tries, end = list[FlowObservation](), monotonic() + service.convergence_seconds
    while not tries or (monotonic() < end and not tries[-1].granted):
        if tries:
            sleep(PERIOD)
        tries.append(reach(lab, service, remote))
        if len(tries) > 1:
            tries[-1].evidence.attempt = len(tries)
            tries[-1].evidence.retry_reason = "routes may not be found yet" if until else "a way may yet be found"
    return tries


def own_address(lab: Lab, proof: Proof, service: SiteLink, remote: Machine) -> None:
    """Judge that the server sees the remote machine itself, not a router that stands for it."""
    server = proof.machine(service.server)
    try:
        with remote.forward(lab.fqdn(service.server), service.port):
            seen = server.run(f"ss -Htn state established '( sport = :{service.port} )'")
    except ServiceUnavailable as error:
        raise InconclusiveError(error.what, where=error.where) from error
    if not seen.granted:
        raise InconclusiveError(
            Text(f"connexions illisibles : {seen.detail}", f"connections cannot be read: {seen.detail}"),
            where=server.name,
        )
    addresses = lab.machines[service.remote].addresses.values()
    proof.holds(
        any(re.search(rf"(?<![\d.]){re.escape(str(address))}\]?:\d+", seen.stdout) for address in addresses),
        seen,
        side="positive",
        fr=f"{service.server} ne voit pas {service.remote} sous sa propre adresse",
        en=f"{service.server} does not see {service.remote} under its own address",
    )


def tunnel(lab: Lab, service: SiteLink) -> str:
    """Return the filter (pcap-filter(7)) of the tunnel's packets between the two routers."""
    return f"({service.packets}) and {routers(lab, service)}"


def in_clear(lab: Lab, service: SiteLink) -> str:
    """Return the filter of all else between the routers, and of what bears the addresses of the two machines."""
    ends = f"host {main(lab, service.remote)} or host {main(lab, service.server)}"
    return f"ip and (({routers(lab, service)} and not ({service.packets})) or {ends})"


def routers(lab: Lab, service: SiteLink) -> str:
    """Return the filter of the packets between the routers, outside."""
    first, second = (lab.machines[name].addresses for name in service.machines)
    shared = next((name for name in first if name in second), None)
    if shared is None:
        raise InconclusiveError(
            Text("les deux routeurs n'ont aucun périmètre en commun", "the two routers share no perimeter"),
            where=", ".join(service.machines),
        )
    return f"(host {first[shared]} and host {second[shared]})"


def main(lab: Lab, name: str) -> str:
    """Return the main address of the machine ``name``."""
    return str(next(iter(lab.machines[name].addresses.values())))
