"""2.0: an infrastructure that is more than a simulation."""

from __future__ import annotations

from sio_lab.audit.document import NATURE
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab, Machine
from sio_lab.probes import system
from sio_lab.text import Text

PARTS = {
    "server": Text("serveurs", "servers"),
    "interconnection": Text("équipements d'interconnexion", "interconnection devices"),
}
KINDS = {"server": "server", "firewall": "interconnection", "network": "interconnection"}


@requirement(
    "2.0",
    title=Text("Nature des serveurs et de l'interconnexion", "Nature of servers and interconnection"),
    intensity="observe",
    one_sided="the machines are only looked at: there is nothing that should be refused",
)
def test_nature_of_infrastructure(lab: Lab, proof: Proof) -> None:
    """Every server, firewall and router is asked what it is made of; an exam's infrastructure has real ones in it.

    Satisfied: the nature of each was found and, in a ``certification`` lab, at least one server and one firewall,
    router or switch are real equipment.
    Not satisfied: a ``certification`` lab without them.
    Unverified: a machine does not answer, or does not show its nature; none of those that could be asked is real,
    and there is equipment that only its command line could tell of.
    Reads: purpose, machines.
    """
    machines = {name: machine for name, machine in lab.machines.items() if machine.kind in KINDS}
    found = {name: system.identify(proof.machine(name)) for name, machine in machines.items() if asked(machine)}
    natures = Text(
        ", ".join(f"{name} : {NATURE[seen.nature].fr}" for name, seen in found.items()),
        ", ".join(f"{name}: {NATURE[seen.nature].en}" for name, seen in found.items()),
    )
    proof.remark(fr=natures.fr, en=natures.en)
    for part, title in PARTS.items():
        members = [name for name, machine in machines.items() if KINDS[machine.kind] == part]
        real = any(found[name].nature == "physical" for name in members if name in found)
        silent = [name for name in members if name not in found]
        if silent and not real and lab.purpose != "training":
            raise InconclusiveError(
                Text(
                    f"la nature de {', '.join(silent)} ne se lit pas par sa ligne de commande",
                    f"the nature of {', '.join(silent)} cannot be read by its command line",
                ),
                where=silent[0],
                todo=Text("joignez une attestation pour 2.0", "add an attestation for 2.0"),
            )
        proof.holds(
            real or lab.purpose == "training",
            *found.values(),
            side="positive",
            fr=f"aucun équipement réel parmi les {title.fr} ({natures.fr})",
            en=f"no real equipment among the {title.en} ({natures.en})",
        )


def asked(machine: Machine) -> bool:
    """Whether ``machine`` can be asked what it is made of: it has a shell."""
    return machine.connection is None or machine.connection.type == "ssh"
