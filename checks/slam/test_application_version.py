"""3.4: applications are operational during the exam, and their source is at hand."""

from __future__ import annotations

import re

from sio_lab.audit import applications, working_copy
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Application
from sio_lab.probes import deployed
from sio_lab.text import Text

LONG = 150
"""Seconds that the tests of one application may take."""
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
CODE = r"\.(py|php|java|kts?|m?js|ts|c|cc|cpp|h|cs|go|rs|rb|dart|swift)$"
TESTS = r"(^|/)(tests?|essais?|spec|deploiement)(/|_|\.)"
# Files that are told apart by their names alone: what is left runs the tests of nothing.
EMPTIED = f"git ls-files | grep -E '{CODE}' | grep -viE '{TESTS}' | while IFS= read -r f; do : >\"$f\"; done"


@requirement("3.4", title=Text("Version déployée, source et essais", "Version, source and tests"), deadline=600)
def test_the_deployed_version_is_at_hand(lab: Lab, proof: Proof) -> None:
    """What runs is a version of the repository, whose fresh clone passes its tests in the development environment.

    Satisfied: each application answers, and names the commit that its declared tag has in the repository; its
    deployed files are that commit's; cloned anew where it is developed, that version passes its tests; they fail
    once its code is emptied; who gives no password gets no clone.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application is declared, its files are not where they are declared to be deployed, or a machine
    does not answer in time.
    Reads: applications, services.development.
    """
    for application in applications.declared(lab).values():
        title = application.title
        running = applications.served(applications.somebody(proof, application).version)
        proof.works(running, fr=f"{title} : ne répond pas", en=f"{title}: does not answer")
        with working_copy.of(lab, proof, application) as copy:
            files = copy.run(deployed.SUMS, seconds=20)
            proof.works(
                copy.run(application.test, seconds=LONG),
                fr=f"{title} : les essais d'un clone neuf échouent",
                en=f"{title}: the tests of a fresh clone fail",
            )
            proof.holds(
                COMMIT.fullmatch(running.commit) is not None and running.commit == copy.seen.commit,
                running,
                copy.seen,
                side="positive",
                fr=f"{title} : tourne en {running.commit or '?'}, quand {application.tag} est {copy.seen.commit}",
                en=f"{title}: runs as {running.commit or '?'}, whereas {application.tag} is {copy.seen.commit}",
            )
            proof.works(files, fr=f"{title} : clone illisible", en=f"{title}: the clone cannot be read")
            compare(proof, application, files.stdout)
            emptied = copy.run(EMPTIED, seconds=10)
            proof.works(emptied, fr=f"{title} : clone non modifiable", en=f"{title}: the clone cannot be changed")
            proof.refused(
                copy.run(application.test, seconds=LONG),
                fr=f"{title} : les essais passent encore quand le code est vide",
                en=f"{title}: the tests still pass when the code is empty",
            )


def compare(proof: Proof, application: Application, sums: str) -> None:
    """Hold the files of ``application``, where it is served, against those of its source.

    A version that names itself may have been changed on the spot. Files that are left out of a deployment are no
    change: no code runs from them.
    """
    title = application.title
    if not application.deployed:
        proof.remark(
            fr=f"{title} : fichiers déployés non comparés à la source (applications.….deployed est vide)",
            en=f"{title}: deployed files not compared with the source (applications.….deployed is empty)",
        )
        return
    for name in application.machines:
        proof.works(
            deployed.compared(proof.machine(name), application.deployed, sums),
            fr=f"{title} : sur « {name} », des fichiers ne sont pas ceux de la version {application.tag}",
            en=f"{title}: on '{name}', files are not those of the version {application.tag}",
        )
