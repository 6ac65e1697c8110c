"""3.3: specific development, or adapted open source software: where each application comes from."""

from __future__ import annotations

from sio_lab.audit import applications, working_copy
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.text import Text

ORIGIN = {
    "specific": Text("développement spécifique", "specific development"),
    "adapted": Text("logiciel open source adapté", "adapted open source software"),
}
FILES = "ls | grep -iE '^(licen[cs]e|copying)' | head -n 1 | xargs -r grep -m 2 -H ."


@requirement("3.3", title=Text("Origine et licence", "Origin and licence"), deadline=120)
def test_origin_and_licence(lab: Lab, proof: Proof) -> None:
    """The origin and licence of each application are shown, with the licence's text in its source.

    Satisfied: a fresh clone of each application holds a file with its licence; the declared origin and licence are
    told as remarks. Who gives no password gets no clone.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application is declared, or a machine does not answer.
    Reads: applications, services.development.
    """
    for application in applications.declared(lab).values():
        title, origin = application.title, ORIGIN[application.origin]
        with working_copy.of(lab, proof, application) as copy:
            found = copy.run(FILES, seconds=10)
        proof.holds(
            bool(found.stdout.strip()),
            found,
            side="positive",
            fr=f"{title} : aucun fichier de licence dans le source ({application.licence} est déclarée)",
            en=f"{title}: no licence file in the source ({application.licence} is declared)",
        )
        made = f"{application.framework}, {application.language}"
        proof.remark(
            fr=f"{title} : {origin.fr} ({made}), {application.licence}",
            en=f"{title}: {origin.en} ({made}), {application.licence}",
        )
