"""1.2: simulation does not replace real equipment."""

from __future__ import annotations

from sio_lab.audit.document import NATURE
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.probes import system
from sio_lab.text import Text

PARTS = {
    "server": Text("serveur ou pare-feu", "server or firewall"),
    "terminal": Text("poste de travail", "workstation"),
}


@requirement(
    "1.2",
    title=Text("Nature des machines", "Nature of the machines"),
    intensity="observe",
    one_sided="the machines are only looked at: there is nothing that should be refused",
)
def test_nature_of_machines(lab: Lab, proof: Proof) -> None:
    """Every machine is asked what it is made of; an exam's environment has real equipment in it.

    Satisfied: the nature of every machine was found and, in a ``certification`` lab, at least one server or
    firewall and one workstation are real equipment.
    Not satisfied: a ``certification`` lab without them.
    Unverified: a machine does not answer, or does not show its nature.
    Reads: purpose, machines.
    """
    kinds = {"server": "server", "firewall": "server", "terminal": "terminal"}
    found = {
        name: system.identify(proof.machine(name))
        for name, machine in lab.machines.items()
        if machine.kind in kinds
    }
    natures = Text(
        ", ".join(f"{name} : {NATURE[seen.nature].fr}" for name, seen in found.items()),
        ", ".join(f"{name}: {NATURE[seen.nature].en}" for name, seen in found.items()),
    )
    proof.remark(fr=natures.fr, en=natures.en)
    for part, title in PARTS.items():
        real = [
            name
            for name, seen in found.items()
            if kinds[lab.machines[name].kind] == part and seen.nature == "physical"
        ]
        proof.holds(
            bool(real) or lab.purpose == "training",
            *found.values(),
            side="positive",
            fr=f"aucun équipement réel parmi les machines de genre « {title.fr} » ({natures.fr})",
            en=f"no real equipment among the machines of kind '{title.en}' ({natures.en})",
        )
