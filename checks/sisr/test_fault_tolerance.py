"""2.1.i: fault tolerance of servers and of interconnection."""

from __future__ import annotations

from urllib.parse import urlsplit

from sio_lab.audit import outage
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.disruption.watch import Watch
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.text import Text


# It uses no service in particular: nothing else runs meanwhile, for all that passes a firewall is disturbed.
@requirement(
    "2.1.i",
    title=Text("Perte d'une machine de chaque paire", "Loss of a machine of each pair"),
    intensity="disrupt",
    deadline=600,
)
def test_a_machine_of_each_pair_loses_its_power(lab: Lab, proof: Proof) -> None:
    """Of each redundant pair, the machine that holds the shared addresses loses its power: users are served on.

    Satisfied: each time, users of a service that is reached through the pair are without it for no longer than the
    declared recovery time, and the machine takes its addresses back once it is up again.
    Not satisfied: they are without it for longer, or the nominal state does not come back.
    Unverified: disruption is not allowed, no pair is declared, no declared service is reached through one, or an
    outage could not be measured.
    Reads: shared_addresses, contracts, and url and client of services.
    """
    if not lab.shared_addresses:
        raise InconclusiveError(
            Text("aucune paire redondante n'est déclarée", "no redundant pair is declared"),
            where="shared_addresses",
        )
    for name, pair in lab.shared_addresses.items():
        watch = through(lab, name)
        nominal = pair.machines[0]

        def nominal_again(name: str = name) -> bool:
            return holder(lab, proof, name) == lab.holders(name)[0]

        if not nominal_again():
            raise InconclusiveError(
                Text(
                    f"{nominal} ne tient pas les adresses partagées",
                    f"{nominal} does not hold the shared addresses",
                ),
                where=f"shared_addresses.{name}",
            )
        hold = pair.recovery_seconds + 3
        seen = proof.disrupt(cuts.power(nominal), watch=watch, hold=hold, until=nominal_again)
        outage.really_cut(proof, seen)
        outage.short_enough(proof, seen, pair.recovery_seconds)
        outage.back(proof, seen)


def through(lab: Lab, name: str) -> Watch:
    """Return a declared service that its user reaches through the shared addresses ``name``.

    Raises:
        InconclusiveError: there is none: what goes on without the pair would show nothing.
    """
    services = [getattr(lab.services, capability) for capability in type(lab.services).model_fields]
    for section in (*lab.contracts.values(), *services):
        url, client = str(getattr(section, "url", "")), str(getattr(section, "client", ""))
        if url.startswith("https://") and client in lab.machines and passes(lab, name, client, url):
            return Watch(url, client)
    raise InconclusiveError(
        Text("aucun service déclaré ne passe par ces adresses", "no declared service is reached through them"),
        where=f"shared_addresses.{name}",
    )


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
        held[machine] = {word.partition("/")[0] for word in listed.split()} & wanted
    holders = [machine for machine, addresses in held.items() if addresses]
    return holders[0] if len(holders) == 1 and held[holders[0]] == wanted else ""
