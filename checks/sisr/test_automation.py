"""2.2.c: automated procedures in a scripting language."""

from __future__ import annotations

import re
import shlex

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import Automation
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

LONG = 60.0
"""Seconds that one run of the procedure may take."""
LANGUAGES = {
    "python": r"^#!.*python|\.py$",
    "shell": r"^#!.*\b(ba|da|k|z)?sh\b|\.sh$",
    "perl": r"^#!.*perl|\.pl$",
    "powershell": r"^#!.*pwsh|\.ps1$",
}
"""How a script of each language is told: by its first line or by its name."""


@requirement(
    "2.2.c",
    title=Text("Procédure automatisée", "Automated procedure"),
    uses=["automation"],
    deadline=180,
)
def test_procedure_has_its_effect_once(proof: Proof, service: Automation) -> None:
    """A procedure brings about what it is for, changes nothing the second time, and is undone.

    Satisfied: the file is a script of the declared language; its effect is not there at first; it is after a run;
    after a second one it is the same to the letter; undone, it is gone.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, or the effect is there before.
    Reads: services.automation.
    """
    machine, target = proof.machine(service.machines[0]), proof.machine(service.target)
    script = machine.run(f"head -n 1 {shlex.quote(service.path)} && echo {shlex.quote(service.path)}")
    proof.holds(
        script.granted and re.search(LANGUAGES[service.language], script.stdout, re.MULTILINE) is not None,
        script,
        side="positive",
        fr=f"{service.path} n'est pas un script {service.language}",
        en=f"{service.path} is no {service.language} script",
    )
    absent(target, service)
    with proof.put_back(machine.name, service.undo):
        proof.works(machine.run(service.run, deadline=LONG), fr="la procédure échoue", en="the procedure fails")
        first = target.run(service.effect)
        proof.holds(
            bool(first.stdout.strip()),
            first,
            side="positive",
            fr="la procédure n'a pas l'effet déclaré",
            en="the procedure does not have the declared effect",
        )
        again = machine.run(service.run, deadline=LONG)
        proof.works(again, fr="la seconde exécution échoue", en="the second run fails")
        second = target.run(service.effect)
        proof.holds(
            second.stdout == first.stdout,
            first,
            second,
            side="negative",
            fr="la seconde exécution change ce que la première a fait",
            en="the second run changes what the first one did",
        )
        undone = machine.run(service.undo, deadline=LONG)
    proof.works(undone, fr="l'annulation de la procédure échoue", en="the procedure cannot be undone")
    left = target.run(service.effect)
    proof.holds(
        not left.stdout.strip(),
        left,
        side="negative",
        fr="annulée, la procédure laisse des traces",
        en="once undone, the procedure leaves something behind",
    )


def absent(target: Machine, service: Automation) -> None:
    """Make sure that the effect is not there yet: it would prove nothing, and may be somebody's to keep.

    Raises:
        InconclusiveError: it is there.
    """
    seen = target.run(service.effect)
    if seen.stdout.strip():
        raise InconclusiveError(
            Text(
                "l'effet de la procédure est déjà là : une exécution ne prouverait rien",
                "the effect of the procedure is already there: a run would prove nothing",
            ),
            where=service.target,
            todo=Text(
                f"annulez-la, si personne n'en a besoin : {service.undo}",
                f"undo it, if nobody needs it: {service.undo}",
            ),
        )
