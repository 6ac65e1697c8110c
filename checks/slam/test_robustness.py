"""3.1.e: testing how an application behaves where it is used abnormally."""

from __future__ import annotations

from functools import partial

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.software import Robustness
from sio_lab.probes import account, canary
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

LONG = 90
"""Seconds that one run of the tool may take."""


@requirement(
    "3.1.e",
    title=Text("Défaut trouvé, application saine épargnée", "Defect found, sound application spared"),
    uses=["robustness"],
    deadline=240,
)
def test_planted_defect_is_found(proof: Proof, service: Robustness) -> None:
    """The tool finds the defects of a small application that the check runs, and none in one without them.

    Satisfied: on an application that fails on quotes and very long words the tool tells a defect; on the same one
    without defects it tells none, although it sent it words that the other one fails on. What counts is what it
    says, not its exit status. Both applications end with the check.
    Not satisfied: it misses the defects, or tells some of the sound application.
    Unverified: the machine does not answer in time, the application cannot run there, or the tool tells without
    having asked it anything.
    Reads: services.robustness.
    """
    machine = proof.machine(service.machines[0])
    told, seen = tried(proof, machine, service, flawed=True)
    proof.holds(
        found(service, told),
        told,
        seen,
        side="positive",
        fr=f"l'outil ne trouve pas les défauts de l'application témoin ({seen.requests} requêtes reçues)",
        en=f"the tool does not find the defects of the canary ({seen.requests} requests came)",
    )
    asked(seen, seen.requests)
    told, seen = tried(proof, machine, service, flawed=False)
    proof.holds(
        not found(service, told),
        told,
        seen,
        side="negative",
        fr="l'outil signale un défaut dans une application saine",
        en="the tool tells a defect of a sound application",
    )
    asked(seen, seen.hostile)


def tried(
    proof: Proof, machine: Machine, service: Robustness, *, flawed: bool
) -> tuple[Ran, canary.CanaryObservation]:
    """Run the tool on the application, flawed or sound; return what it said, and what came to the application."""
    kept = partial(proof.put_back, machine.name)
    with canary.running(machine, flawed=flawed, seconds=LONG + 30, kept=kept) as running:
        told = machine.run(account.filled(service.run, url=running.url), deadline=LONG)
        return told, running.end()


def found(service: Robustness, told: Ran) -> bool:
    """Whether the tool told of a defect."""
    return account.said(service.defect, told.stdout, where="services.robustness.defect")


def asked(seen: canary.CanaryObservation, count: int) -> None:
    """Make sure that the tool tried anything.

    Raises:
        InconclusiveError: it did not.
    """
    if not count:
        raise InconclusiveError(
            Text(
                f"l'outil n'a rien essayé qui compte sur l'application témoin ({seen.requests} requêtes)",
                f"the tool tried nothing that counts on the canary ({seen.requests} requests)",
            ),
            where=seen.evidence.target,
        )
