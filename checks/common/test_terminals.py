"""1.1.h: two kinds of terminals, one of them mobile."""

from __future__ import annotations

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Terminals
from sio_lab.probes import desktop, mobile
from sio_lab.text import Text


@requirement(
    "1.1.h", title=Text("Poste fixe et terminal mobile", "Fixed and mobile terminals"), uses=["terminals"]
)
def test_fixed_and_mobile(lab: Lab, proof: Proof, service: Terminals) -> None:
    """The fixed terminal shows a desktop; the mobile one says over adb what device it is.

    Satisfied: on the fixed terminal a display server answers and something manages its windows; asked from
    the declared machine, the mobile terminal gives its model, and the fixed one, asked the same, does not
    pass for a mobile. A simulated device is told as a reservation. The proof holds for the date of the audit.
    Not satisfied: one of the two does not show what it is, or the fixed one passes for a mobile.
    Unverified: a machine does not answer; the proof by enrolment was declared and no device enrolled.
    Reads: services.terminals.
    """
    screen = desktop.session(proof.machine(service.fixed))
    proof.works(
        screen,
        fr=f"le poste fixe {service.fixed} n'a pas de session graphique",
        en=f"the fixed terminal {service.fixed} has no graphical session",
    )
    if service.mobile_proof != "adb":
        raise InconclusiveError(
            Text(
                "la preuve par enrôlement n'est pas encore sondée, seule ADB l'est",
                "the proof by enrolment is not probed yet, only ADB is",
            ),
            where="services.terminals.mobile_proof",
            todo=Text("joignez une attestation pour 1.1.h", "add an attestation for 1.1.h"),
        )
    asking = proof.machine(service.client)
    device = mobile.identity(asking, lab.fqdn(service.mobile))
    proof.works(
        device,
        fr=f"le terminal mobile {service.mobile} ne donne pas son identité",
        en=f"the mobile terminal {service.mobile} does not give its identity",
    )
    other = mobile.identity(asking, lab.fqdn(service.fixed))
    proof.holds(
        not other.granted,
        other,
        side="negative",
        fr=f"le poste fixe {service.fixed} se fait passer pour un mobile ({other.model})",
        en=f"the fixed terminal {service.fixed} passes for a mobile ({other.model})",
    )
    day = device.evidence.at
    proof.remark(
        fr=f"{screen.manager} sur {service.fixed} ; {device.model}" + f", constaté le {day:%d/%m/%Y}",
        en=f"{screen.manager} on {service.fixed}; {device.model}" + f", seen on {day:%Y-%m-%d}",
    )
    if device.simulated:
        proof.remark(
            fr="sous réserve : le terminal mobile est simulé",
            en="with a reservation: the mobile terminal is simulated",
        )
