"""2.1.b: a service under a service-level contract, with security and high availability."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sio_lab.audit import outage
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.disruption.account import DisruptionObservation
from sio_lab.disruption.engine import Step
from sio_lab.disruption.watch import Watch
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Contract, Lab
from sio_lab.probes import cleartext, flow, web
from sio_lab.text import Text

BEYOND = 0.5
"""Seconds that a part stays cut beyond those that an outage may last: one that lasts longer is seen to."""

NOTHING_CUT = 2.0
"""Seconds that the service is watched for before anything is cut."""

TRIES = 3
"""How often it is, at most."""

ENOUGH = 40
"""Requests by then, at least: of fewer nothing can be told."""

SOUND = 95.0
"""Percent of requests answered with nothing cut, at least: what a contract promises makes room for failures. Above
it a request lost now and then may be a busy client's."""


# It uses no service in particular: nothing else runs meanwhile, for firewalls may be among what fails.
@requirement(
    "2.1.b",
    title=Text("Contrat de service pendant des pannes", "Service-level contract during failures"),
    intensity="disrupt",
    deadline=1200,
)
def test_contracts_are_kept_while_parts_fail(lab: Lab, proof: Proof) -> None:
    """Each machine that a contract names loses its power in turn, while its users go on asking.

    Satisfied: for each contract, the page is given over TLS and not in clear, and requests are answered with
    nothing cut; each time, the outage, the response time of 95 % of the answers and the share of requests
    answered keep to it, and the service comes back.
    Not satisfied: one of them does not, or the page can be read in clear.
    Unverified: disruption is not allowed, no contract is declared, the service was not well before, or an
    outage could not be measured.
    Reads: contracts.
    """
    if not lab.contracts:
        raise InconclusiveError(
            Text("aucun contrat de service n'est déclaré", "no service-level contract is declared"),
            where="contracts",
        )
    for contract in lab.contracts.values():
        secured(proof, contract)
        answered(proof, contract)
        for seen in failures(proof, contract):
            kept(proof, contract, seen)


def secured(proof: Proof, contract: Contract) -> None:
    """Judge that users get the page over TLS, and nobody in clear, by the port of TLS or by that of HTTP."""
    user = proof.machine(contract.client)
    proof.works(
        web.get(user, contract.url, proof.ca),
        fr=f"{contract.url} ne répond pas en TLS",
        en=f"{contract.url} does not answer over TLS",
    )
    parts = urlsplit(contract.url)
    host = parts.hostname or ""
    for port in sorted({80, parts.port or 443}):
        (way,) = flow.tcp(user, [(host, port)])
        if not way.granted:
            continue
        reply = cleartext.get(user, f"http://{host}:{port}{parts.path or '/'}")
        proof.holds(
            not reply.reply.startswith(("HTTP/1.1 2", "HTTP/1.0 2")),
            reply,
            side="negative",
            fr=f"la page se lit en clair par le port {port}",
            en=f"the page can be read in clear by port {port}",
        )


def answered(proof: Proof, contract: Contract) -> None:
    """Judge that the contract is kept with nothing cut: of a service that is ill already no cut tells anything.

    Measured up to three times: a client that is busy with something else loses requests, once; a service that is
    ill is so each time.
    """
    wanted = max(contract.availability_percent, SOUND)
    for _ in range(TRIES):
        seen = proof.watch(Watch(contract.url, contract.client), seconds=NOTHING_CUT)
        if len(seen.samples) >= ENOUGH and seen.answered_percent >= wanted:
            break
    outage.enough(len(seen.samples), ENOUGH, contract.client)
    share = seen.answered_percent
    proof.holds(
        share >= wanted,
        seen,
        side="positive",
        fr=f"sans aucune coupure : {share:.1f} % de réponses ({seen.detail}), pour {wanted:g} % attendues",
        en=f"nothing being cut: {share:.1f} % answered ({seen.detail}), for {wanted:g} % expected",
    )


def failures(proof: Proof, contract: Contract) -> Iterator[DisruptionObservation]:
    """Take the power from each machine in turn, while one user goes on asking; yield what the user saw of each."""
    user = proof.machine(contract.client)

    def served() -> bool:
        return web.get(user, contract.url, proof.ca).granted

    steps = [Step(cuts.power(name), contract.recovery_seconds + BEYOND, served) for name in contract.machines]
    return proof.disrupt_in_turn(steps, watch=Watch(contract.url, contract.client))


def kept(proof: Proof, contract: Contract, seen: DisruptionObservation) -> None:
    """Judge that the contract is kept while a machine loses its power and gets it back."""
    cut = seen.cut.cut
    outage.really_cut(proof, seen)
    outage.short_enough(proof, seen, contract.recovery_seconds)
    slowest = max(seen.timeline.p95.values(), default=0.0)
    proof.holds(
        slowest <= contract.p95_seconds,
        seen,
        side="positive",
        fr=f"{cut.title.fr} : 95 % des réponses en {slowest:.2f} s, pour {contract.p95_seconds:g} s promises",
        en=f"{cut.title.en}: 95 % of the answers within {slowest:.2f} s, for {contract.p95_seconds:g} s promised",
    )
    share, promised = seen.answered_percent, contract.availability_percent
    proof.holds(
        share >= promised,
        seen,
        side="positive",
        fr=f"{cut.title.fr} : {share:.1f} % de réponses, pour {promised:g} % promis",
        en=f"{cut.title.en}: {share:.1f} % answered, for {promised:g} % promised",
    )
    outage.back(proof, seen)
