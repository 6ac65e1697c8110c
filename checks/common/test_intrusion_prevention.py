"""1.3.b, for its part: intrusion prevention."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError, ProbeTimeout
from sio_lab.lab.model import Lab
from sio_lab.lab.services import IntrusionPrevention
from sio_lab.probes import flow, web
from sio_lab.probes.flow import FlowObservation
from sio_lab.probes.machine import Machine
from sio_lab.probes.web import WebObservation
from sio_lab.text import Text

DELAY = 20.0
"""Seconds within which the source of the bad logins must be banned."""


@requirement(
    "1.3.b",
    title=Text("Prévention d'intrusion", "Intrusion prevention"),
    uses=["intrusion_prevention"],
    # Nobody else may come from outside while outside is banned.
    disturbs=["portal", "secured_access", "intrusion_detection"],
    deadline=120,
)
def test_ban_after_bad_logins(lab: Lab, proof: Proof, service: IntrusionPrevention) -> None:
    """Repeated bad logins from outside get their source banned, nobody else, until the ban is lifted.

    Satisfied: outside, the login refuses a wrong password; after the declared number of them, the source can no
    longer connect, while a machine inside can; once the ban is lifted, it connects again.
    Not satisfied: a wrong password is let in, the source still connects after 20 seconds, or is still banned once
    the ban is lifted.
    Unverified: a machine does not answer, or the login does not: outside at first, or inside during the ban.
    Reads: services.intrusion_prevention, the addresses of its outside client.
    """
    outside, inside = proof.machine(service.outside_client), proof.machine(service.client)
    with ban_lifted(lab, proof, service):
        proof.refused(
            bad_login(outside, service, proof),
            fr="un mot de passe faux est accepté",
            en="a wrong password is let in",
        )
        insist(outside, service, proof)
        seen = connection(outside, service, wanted=False)
        if not web.get(inside, service.url, proof.ca).status:
            raise InconclusiveError(
                Text("le service ne répond plus à personne", "the service no longer answers anybody"),
                where=service.url,
            )
        # Had it been a moment's silence, who is not banned connects now.
        still = look(outside, service, deadline=3)
        proof.holds(
            not seen.granted and not still.granted,
            seen,
            still,
            side="negative",
            fr=f"après {service.attempts} mots de passe faux, leur source se connecte encore",
            en=f"after {service.attempts} wrong passwords, their source still connects",
        )
    proof.works(
        connection(outside, service, wanted=True),
        fr="le bannissement levé, la source ne se connecte toujours pas",
        en="once the ban is lifted, the source still cannot connect",
    )


@contextmanager
def ban_lifted(lab: Lab, proof: Proof, service: IntrusionPrevention) -> Iterator[None]:
    """Lift the bans of the outside client on leaving, whatever happened."""
    addresses = [str(address) for address in lab.machines[service.outside_client].addresses.values()]
    if not addresses:
        raise InconclusiveError(
            Text(
                "on ne sait quelle adresse sera bannie : le contrôle ne s'y risque pas",
                "which address will be banned is not known: the check does not risk it",
            ),
            where=f"machines.{service.outside_client}.addresses",
        )
    unban = "; ".join(service.unban.format(address=shlex.quote(address)) for address in addresses)
    with proof.put_back(service.machines[0], unban):
        yield


def bad_login(machine: Machine, service: IntrusionPrevention, proof: Proof) -> WebObservation:
    """Try to log in as somebody who does not exist: no real account may get locked."""
    return web.get(machine, service.url, proof.ca, auth=("sio-lab", secrets.token_hex(8)), deadline=3)


def insist(machine: Machine, service: IntrusionPrevention, proof: Proof) -> None:
    """Log in wrongly until as many logins as lead to a ban were answered, or the source connects no more.

    Raises:
        InconclusiveError: logins get no answer, although the source connects.
    """
    unanswered = 0
    answered = 1  # the one that was judged
    while answered < service.attempts:
        try:
            bad_login(machine, service, proof)
            answered += 1
        except ProbeTimeout as error:
            if not look(machine, service, deadline=3).granted:
                return  # banned already, by somebody who does not even say so
            unanswered += 1
            if unanswered > service.attempts:
                raise InconclusiveError(
                    Text("les connexions restent sans réponse", "logins get no answer"), where=service.url
                ) from error


def connection(machine: Machine, service: IntrusionPrevention, *, wanted: bool) -> FlowObservation:
    """Try to connect until it does, or does not, as ``wanted``; after ``DELAY`` return what is."""
    end = monotonic() + DELAY
    while True:
        seen = look(machine, service, deadline=1)
        if seen.granted is wanted or monotonic() >= end:
            return seen
        sleep(0.3)


def look(machine: Machine, service: IntrusionPrevention, *, deadline: float) -> FlowObservation:
    """Try to connect once, for ``deadline`` seconds."""
    parts = urlsplit(service.url)
    (seen,) = flow.tcp(machine, [(parts.hostname or "", parts.port or 443)], deadline=deadline)
    return seen
