"""2.1.i: fault tolerance of servers and of interconnection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from sio_lab.audit import continuity, outage
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.disruption.engine import Step
from sio_lab.disruption.watch import Watch
from sio_lab.errors import InconclusiveError, ProbeTimeout, ProtocolError
from sio_lab.lab.infrastructure import Continuity
from sio_lab.lab.model import Lab
from sio_lab.probes import system, web
from sio_lab.text import Text

UNAUTHORISED = 401
"""RFC 9110 §15.5.2: who asks must log in first."""

BEYOND = 1.0
"""Seconds that something stays cut beyond those that an outage may last: one that lasts longer is seen to."""

RETURN = 120.0
"""Seconds within which all must be as before, once what was lost is given back."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that is lost.

    Attributes:
        pair: name of the shared addresses concerned.
        step: what is cut, and when all is back.
        watch: what users do meanwhile.
        within: seconds that they may be without service.
    """

    pair: str
    step: Step
    watch: Watch
    within: float


# It uses no service in particular: nothing else runs meanwhile, for all that passes a firewall is disturbed.
@requirement(
    "2.1.i",
    title=Text("Perte d'une machine de chaque paire", "Loss of a machine of each pair"),
    intensity="disrupt",
    # Below that of checks that cut the same: they come first, and what they saw is not cut again.
    deadline=300,
)
def test_a_machine_of_each_pair_is_lost(lab: Lab, proof: Proof) -> None:
    """Of each redundant pair, the machine that holds the shared addresses loses its power: users are served on.

    A machine that routes between perimeters also loses the link towards its users, and nothing else: traffic must
    move to the other one as a whole, or answers would not find their way back.

    Satisfied: each time, users of a service that is reached through the pair are without it for no longer than the
    declared recovery time, and the machine takes its addresses back once it is whole again.
    Not satisfied: they are without it for longer, or the nominal state does not come back.
    Unverified: disruption is not allowed, no pair is declared, no declared service is reached through one, or an
    outage could not be measured.
    Reads: shared_addresses, contracts, url and client of services, services.continuity.
    """
    if not lab.shared_addresses:
        raise InconclusiveError(
            Text("aucune paire redondante n'est déclarée", "no redundant pair is declared"),
            where="shared_addresses",
        )
    found = [loss for name in lab.shared_addresses for loss in losses(lab, proof, name)]
    for watch, group in groupby(found, key=lambda loss: loss.watch):
        together = list(group)
        seen_of_each = proof.disrupt_in_turn([loss.step for loss in together], watch=watch)
        # One that does not come back is the last that is seen: it is judged so.
        for loss, seen in zip(together, seen_of_each, strict=False):
            outage.really_cut(proof, seen)
            outage.short_enough(proof, seen, loss.within)
            outage.back(proof, seen)


def losses(lab: Lab, proof: Proof, name: str) -> Iterator[Loss]:
    """Yield what is lost of the pair ``name``.

    Raises:
        InconclusiveError: nothing would be shown by it.
    """
    pair = lab.shared_addresses[name]
    nominal, watch = pair.machines[0], through(lab, proof, name)
    data = kept_by(lab, name)

    def nominal_again() -> bool:
        # One that has not all the data yet could not be lost next.
        held = holder(lab, proof, name) == nominal
        return held and (data is None or continuity.is_nominal(proof, data))

    if holder(lab, proof, name) != nominal:
        raise InconclusiveError(
            Text(
                f"{nominal} ne porte pas les adresses partagées", f"{nominal} does not hold the shared addresses"
            ),
            where=f"shared_addresses.{name}",
        )
    lost = [cuts.power(nominal)]
    if lab.gateway(watch.client) in pair.addresses.values():
        lost.append(cuts.link(nominal, towards(lab, proof, nominal, watch.client)))
    for cut in lost:
        step = Step(cut, pair.recovery_seconds + BEYOND, nominal_again, RETURN)
        yield Loss(name, step, watch, pair.recovery_seconds)


def towards(lab: Lab, proof: Proof, machine: str, client: str) -> str:
    """Return the interface of ``machine`` in a perimeter of ``client``.

    Raises:
        InconclusiveError: it has none.
    """
    own = lab.machines[machine].addresses
    for perimeter in lab.machines[client].addresses:
        if perimeter in own:
            words = proof.machine(machine).run(f"ip -o -4 address show to {own[perimeter]}").stdout.split()
            if len(words) > 1:
                return words[1]
    raise InconclusiveError(
        Text(f"{machine} n'a pas d'interface vers {client}", f"{machine} has no interface towards {client}"),
        where=f"machines.{machine}.addresses",
    )


def through(lab: Lab, proof: Proof, name: str) -> Watch:
    """Return a declared service that its user reaches through the shared addresses ``name``.

    One that answers is preferred to one that demands a login, which is there as well.

    Raises:
        InconclusiveError: there is none: what goes on without the pair would show nothing.
        ProbeError: a client does not answer.
    """
    asked = [(url, client, status(proof, url, client)) for url, client in candidates(lab, name)]
    for login in (False, True):
        for url, client, answer in asked:
            if answer == UNAUTHORISED if login else 200 <= answer < 300:
                return Watch(url, client, login=login)
    raise InconclusiveError(
        Text(
            "aucun service déclaré ne passe par ces adresses et ne répond",
            "no declared service is reached through them and answers",
        ),
        where=f"shared_addresses.{name}",
    )


def candidates(lab: Lab, name: str) -> Iterator[tuple[str, str]]:
    """Yield url and client of each declared service that is reached through the shared addresses ``name``.

    Last comes the one whose data the machines that share them keep.
    """
    services = [getattr(lab.services, capability) for capability in type(lab.services).model_fields]
    for section in (*lab.contracts.values(), *services):
        url, client = str(getattr(section, "url", "")), str(getattr(section, "client", ""))
        if url.startswith("https://") and client in lab.machines and passes(lab, name, client, url):
            yield url, client
    data = kept_by(lab, name)
    if data:
        yield data.entries_url, data.client


def kept_by(lab: Lab, name: str) -> Continuity | None:
    """Return the service whose data the machines that share the addresses ``name`` keep, if they keep any."""
    service = lab.services.continuity
    return service if service and set(service.machines) == set(lab.holders(name)) else None


def status(proof: Proof, url: str, client: str) -> int:
    """Return what ``url`` answers to ``client``; 0: nothing, or nothing that can be trusted."""
    try:
        return web.get(proof.machine(client), url, proof.ca).status
    except (ProtocolError, ProbeTimeout):
        return 0


def passes(lab: Lab, name: str, client: str, url: str) -> bool:
    """Whether what ``client`` asks for at ``url`` goes to the shared addresses ``name``, or through them."""
    host = urlsplit(url).hostname or ""
    places = {place: lab.addresses_of(place) for place in (*lab.shared_addresses, *lab.machines)}
    named = {place for place, addresses in places.items() if host in map(str, addresses.values())}
    target = next(
        (place for place in places if place == host.removesuffix(f".{lab.domain}") or place in named), ""
    )
    if not target:
        return False
    there, here = places[target], lab.machines[client].addresses
    routed = lab.gateway(client) in lab.shared_addresses[name].addresses.values() and not set(there) & set(here)
    return target == name or routed


def holder(lab: Lab, proof: Proof, name: str) -> str:
    """Return the one machine that holds all the shared addresses ``name``; nothing where that is not so."""
    wanted = {str(address) for address in lab.addresses_of(name).values()}
    held: dict[str, set[str]] = {}
    for machine in lab.holders(name):
        listed = proof.machine(machine).run("ip -o -4 address show").stdout
        held[machine] = wanted & system.addresses_of(listed)
    holders = [machine for machine, addresses in held.items() if addresses]
    return holders[0] if len(holders) == 1 and held[holders[0]] == wanted else ""
