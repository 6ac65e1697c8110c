"""1.1.e: two servers on different operating systems, one of them open source."""

from __future__ import annotations

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.services import OperatingSystems
from sio_lab.probes import system
from sio_lab.text import Text

PROPRIETARY = {"windows", "darwin"}


@requirement(
    "1.1.e",
    title=Text("Systèmes d'exploitation des serveurs", "Operating systems of the servers"),
    intensity="observe",
    uses=["operating_systems"],
)
def test_two_operating_systems(proof: Proof, service: OperatingSystems) -> None:
    """The declared servers run at least two operating systems, one of them open source.

    Satisfied: two servers of different families (Linux, BSD, Windows…); with a reservation where they are two
    distributions of one kernel. The same machine under two names counts once.
    Not satisfied: one server, one distribution, no open source system, or a server whose SSH greeting
    contradicts what it says of itself.
    Unverified: a server does not answer.
    Reads: services.operating_systems.
    """
    asked = {name: proof.machine(name) for name in service.machines}
    systems = {name: system.identify(machine) for name, machine in asked.items()}
    greetings = {name: system.ssh_greeting(machine) for name, machine in asked.items()}
    for name, greeting in greetings.items():
        proof.holds(
            not greeting.distribution or greeting.distribution == systems[name].distribution,
            greeting,
            side="negative",
            fr=f"{name} se dit {systems[name].distribution}, mais son serveur SSH dit {greeting.distribution}",
            en=f"{name} says it is {systems[name].distribution}, but its SSH server says {greeting.distribution}",
        )

    distinct = list({seen.machine_id or name: seen for name, seen in systems.items()}.values())
    named = ", ".join(f"{name} ({seen.pretty_name})" for name, seen in systems.items())
    distributions = {seen.distribution for seen in distinct}
    kernels = {seen.kernel_family for seen in distinct}
    proof.holds(
        len(distinct) > 1,
        *distinct,
        side="positive",
        fr=f"une seule machine : {named} ; il faut deux serveurs",
        en=f"only one machine: {named}; two servers are needed",
    )
    proof.holds(
        len(distributions) > 1,
        *distinct,
        side="positive",
        fr=f"tous les serveurs ont le même système : {named} ; il en faut deux différents, dont un libre",
        en=f"all servers run the same system: {named}; two different ones are needed, one of them open source",
    )
    proof.holds(
        not kernels <= PROPRIETARY,
        *distinct,
        side="positive",
        fr=f"aucun système libre : {named}",
        en=f"no open source system: {named}",
    )
    if len(kernels) == 1:
        proof.remark(
            fr=f"sous réserve : deux distributions d'un même noyau : {named}",
            en=f"with a reservation: two distributions of one kernel: {named}",
        )
