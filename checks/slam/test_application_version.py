"""3.4: applications are operational during the exam, and their source is at hand."""

from __future__ import annotations

import re

from sio_lab.audit import applications, working_copy
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
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

    Satisfied: each application answers, and names the commit that its declared tag has in the repository; cloned
    anew where it is developed, that version passes its tests; they fail once its code is emptied; who gives no
    password gets no clone.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application is declared, or a machine does not answer in time.
    Reads: applications, services.development.
    """
    for application in applications.declared(lab).values():
        title = application.title
        deployed = applications.somebody(proof, application).version()
        proof.works(deployed, fr=f"{title} : ne répond pas", en=f"{title}: does not answer")
        with working_copy.of(lab, proof, application) as copy:
            proof.works(
                copy.run(application.test, seconds=LONG),
                fr=f"{title} : les essais d'un clone neuf échouent",
                en=f"{title}: the tests of a fresh clone fail",
            )
            proof.holds(
                COMMIT.fullmatch(deployed.commit) is not None and deployed.commit == copy.seen.commit,
                deployed,
                copy.seen,
                side="positive",
                fr=f"{title} : tourne en {deployed.commit or '?'}, quand {application.tag} est {copy.seen.commit}",
                en=f"{title}: runs as {deployed.commit or '?'}, whereas {application.tag} is {copy.seen.commit}",
            )
            emptied = copy.run(EMPTIED, seconds=10)
            proof.works(emptied, fr=f"{title} : clone non modifiable", en=f"{title}: the clone cannot be changed")
            proof.refused(
                copy.run(application.test, seconds=LONG),
                fr=f"{title} : les essais passent encore quand le code est vide",
                en=f"{title}: the tests still pass when the code is empty",
            )
