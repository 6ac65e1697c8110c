"""A fresh working copy of an application, where it is developed: what checks of its source are made on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sio_lab.audit.proof import Proof
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Application
from sio_lab.probes import account
from sio_lab.probes.git import GitObservation, Person
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A working copy; made by ``of``.

    Attributes:
        machine: where it is.
        folder: where it is there.
        user: whose it is.
        seen: how the source was had.
    """

    machine: Machine
    folder: str
    user: str
    seen: GitObservation

    def run(self, command: str, *, seconds: int) -> Ran:
        """Run ``command`` there, as its owner would once logged in.

        Raises:
            Unreachable, ProbeTimeout: as every probe.
        """
        there = f"cd {self.folder} && {command}"
        return self.machine.run(account.under(self.user, there, seconds=seconds), deadline=seconds + 5)


@contextmanager
def of(lab: Lab, proof: Proof, application: Application) -> Iterator[WorkingCopy]:
    """Make a working copy of the declared version, as somebody who may; it is removed in the end.

    Positive side: that can be done. Negative side: who gives no password gets nothing.

    Raises:
        NotSatisfiedError: one of these is otherwise.
    """
    machine = proof.machine(application.development)
    place, user = account.place(), developer(lab, application)
    title, who = application.title, application.account
    folder, auth = f"{place}/source", (who, proof.password(who))
    with proof.put_back(machine.name, account.removal(place)):
        proof.works(
            machine.run(account.make(place, user)),
            fr=f"aucun dossier ne peut être fait pour {user}",
            en=f"no folder can be made for {user}",
        )
        seen = Person(machine, place, "member", application.repository, proof.ca, auth).checkout(
            application.tag, folder, user
        )
        proof.works(
            seen,
            fr=f"{title} : {who} ne peut pas cloner la version {application.tag}",
            en=f"{title}: {who} cannot clone the version {application.tag}",
        )
        proof.refused(
            Person(machine, place, "visitor", application.repository, proof.ca, None).clone(),
            fr=f"{title} : le dépôt se clone sans mot de passe",
            en=f"{title}: the repository can be cloned without a password",
        )
        yield WorkingCopy(machine, folder, user, seen)


def developer(lab: Lab, application: Application) -> str:
    """Return the account that developers work under, where ``application`` is developed."""
    service = lab.services.development
    return service.user if service and application.development in service.machines else "root"
