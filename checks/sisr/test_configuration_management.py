"""2.1.d: configuration management."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial

from sio_lab import parallel
from sio_lab.audit import equipment
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import ConfigurationManagement, EquipmentVersions
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Machine
from sio_lab.probes.netdevice import Device, DeviceObservation
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

DRIFT = 2
"""Exit status that says that a machine is not as it should be."""
LONG = 60.0
"""Seconds that one run of the tool may take."""
NOBODY = [f"198.51.100.{last}" for last in range(1, 255)]
"""Addresses that a line added for the purpose names: nobody has them (RFC 5737)."""
ABOUT = ("!", "#", "building configuration", "current configuration")
"""What lines about a configuration begin with: times, sizes, remarks."""


@requirement(
    "2.1.d",
    title=Text("Écart détecté, corrigé, consigné", "Drift seen, undone, remembered"),
    uses=["configuration_management"],
    deadline=180,
)
def test_drift_is_undone(lab: Lab, proof: Proof, service: ConfigurationManagement) -> None:
    """A managed file that is altered comes back, configurations of equipment are kept, and history tells both.

    Satisfied: the tool sees no drift at first; the file is altered on every managed machine: the tool sees it,
    brings back what was there, and its history names the drift and the restoration of each
    machine; another run changes neither the file nor the history. What is kept of each network equipment is what
    runs there; a harmless line is added on one: it is told as a difference, a version holds it, and neither once
    it is gone; where nothing changes no version is made.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, the file or the equipment cannot be altered, or nothing is declared that
    keeps the configuration of network equipment, while there is some.
    Reads: services.configuration_management, kind and device_type of machines.
    """
    parts = [partial(judge_files, proof, service)]
    if lab.equipment() or service.equipment:
        parts.append(partial(judge_equipment, lab, proof, service))
    parallel.each(lambda part: part(), parts, workers=len(parts))


def judge_files(proof: Proof, service: ConfigurationManagement) -> None:
    """Judge what becomes of a managed file that is altered."""
    tool = proof.machine(service.machines[0])
    managed = [proof.machine(name) for name in service.managed]
    judge_check(proof, tool, service, drift=False)
    before = history(proof, tool, service)
    with ExitStack() as stack:
        kept = [stack.enter_context(altered(proof, machine, service.path)) for machine in managed]
        judge_check(proof, tool, service, drift=True)
        proof.works(
            tool.run(service.apply, deadline=LONG), fr="l'écart n'est pas corrigé", en="the drift is not undone"
        )
        states = []
        for machine, copy in zip(managed, kept, strict=True):
            same = machine.run(f"cmp {shlex.quote(service.path)} {copy}")
            proof.works(
                same,
                fr=f"{service.path} n'est pas revenu comme avant sur {machine.name}",
                en=f"{service.path} did not come back as it was on {machine.name}",
            )
            states.append(state(machine, service.path))
        after = history(proof, tool, service)
        judge_history(proof, service, before, after)
        judge_second_run(proof, tool, service, managed, states)


def judge_check(proof: Proof, tool: Machine, service: ConfigurationManagement, *, drift: bool) -> Ran:
    """Judge what the tool sees."""
    seen = tool.run(service.check, deadline=LONG)
    said = f"exit {seen.exit_status}" + (f": {seen.detail}" if seen.detail else "")
    proof.holds(
        seen.exit_status == (DRIFT if drift else 0),
        seen,
        side="positive" if drift else "negative",
        fr=f"l'outil ne détecte pas l'écart ({said})" if drift else f"l'outil échoue ou signale un écart ({said})",
        en=f"the tool does not see the drift ({said})" if drift else f"the tool fails, or sees a drift ({said})",
    )
    return seen


def history(proof: Proof, tool: Machine, service: ConfigurationManagement) -> Ran:
    """Return the history as the tool prints it."""
    seen = tool.run(service.history)
    proof.works(seen, fr="l'historique est illisible", en="the history cannot be read")
    return seen


def judge_history(proof: Proof, service: ConfigurationManagement, before: Ran, after: Ran) -> None:
    """Judge what the history tells of what has just happened."""
    for name in service.managed:
        for entry in (service.drift_entry, service.restored_entry):
            text = entry.format(machine=name)
            proof.holds(
                entries(after, text) > entries(before, text),
                before,
                after,
                side="positive",
                fr=f"l'historique ne dit rien de : {text}",
                en=f"the history tells nothing of: {text}",
            )


def entries(seen: Ran, text: str) -> int:
    """Return how many lines of a history hold ``text``."""
    return sum(text in line for line in seen.stdout.splitlines())


def judge_second_run(
    proof: Proof,
    tool: Machine,
    service: ConfigurationManagement,
    managed: Sequence[Machine],
    states: Sequence[Ran],
) -> None:
    """Judge that a run where nothing is to be done does nothing."""
    after = history(proof, tool, service)
    again = tool.run(service.apply, deadline=LONG)
    proof.works(again, fr="la seconde exécution échoue", en="the second run fails")
    for machine, known in zip(managed, states, strict=True):
        now = state(machine, service.path)
        proof.holds(
            now.stdout == known.stdout,
            known,
            now,
            side="negative",
            fr=f"la seconde exécution réécrit {service.path} sur {machine.name}",
            en=f"the second run writes {service.path} on {machine.name} again",
        )
    last = history(proof, tool, service)
    proof.holds(
        last.stdout == after.stdout,
        after,
        last,
        side="negative",
        fr="la seconde exécution laisse une trace dans l'historique, alors que rien ne change",
        en="the second run leaves an entry in the history, while nothing changes",
    )


def state(machine: Machine, path: str) -> Ran:
    """Return what tells whether a file was written again: inode and times."""
    return machine.run(f"stat -c '%i %Y %Z' {shlex.quote(path)}")


@contextmanager
def altered(proof: Proof, machine: Machine, path: str) -> Iterator[str]:
    """Alter the file ``path`` by a line of our own; yield a copy of what it was, which is put back afterwards."""
    token = f"sio-lab-{secrets.token_hex(8)}"
    folder, file = f"/var/tmp/{token}", shlex.quote(path)  # noqa: S108  # made by mkdir: never one that is there
    copy = f"{folder}/sound"
    undo = f"[ ! -e {copy} ] || cmp -s {copy} {file} || cp -p {copy} {file}; rm -rf {folder}"
    with proof.put_back(machine.name, undo):
        made = machine.run(f"set -e; umask 077; mkdir {folder}; cp -p {file} {copy}; echo '# {token}' >>{file}")
        proof.works(
            made,
            fr=f"{path} ne peut pas être modifié sur {machine.name}",
            en=f"{path} cannot be altered on {machine.name}",
        )
        yield copy


def judge_equipment(lab: Lab, proof: Proof, service: ConfigurationManagement) -> None:
    """Judge what is kept of network equipment, and whether a change on one of them is seen and kept."""
    tool, kept = proof.machine(service.machines[0]), keeper(lab, service)
    found = parallel.each(partial(running, proof, tool, kept), kept.machines, workers=len(kept.machines))
    save(proof, tool, kept)
    for name, seen in zip(kept.machines, found, strict=True):
        shown = show(proof, tool, kept, name)
        proof.holds(
            substance(shown.stdout) == substance(seen.output),
            seen,
            shown,
            side="positive",
            fr=f"{name} : la version conservée n'est pas la configuration active",
            en=f"{name}: the version that is kept is not the configuration that runs",
        )
    name = kept.machines[0]
    before, versions = compare(proof, tool, kept), versions_of(proof, tool, kept, name)
    if before.exit_status:
        proof.remark(
            fr="un équipement réseau ne tourne pas avec sa configuration de référence",
            en="network equipment does not run with its configuration of reference",
        )
    with added(lab, proof, tool, kept, found[0]) as address:
        judge_comparison(compare(proof, tool, kept), DRIFT, address, proof, added=True)
        save(proof, tool, kept)
        judge_version(show(proof, tool, kept, name), address, proof, added=True)
    judge_comparison(compare(proof, tool, kept), before.exit_status, address, proof, added=False)
    save(proof, tool, kept)
    judge_version(show(proof, tool, kept, name), address, proof, added=False)
    judge_versions(proof, tool, kept, name, versions)


def keeper(lab: Lab, service: ConfigurationManagement) -> EquipmentVersions:
    """Return what keeps the configurations of equipment.

    Raises:
        InconclusiveError: nothing is declared that keeps those of all equipment of the lab.
    """
    kept = service.equipment
    missing = [name for name in lab.equipment() if not kept or name not in kept.machines]
    if kept is None or missing:
        raise InconclusiveError(
            Text(
                f"aucun outil déclaré ne conserve la configuration de : {', '.join(missing)}",
                f"nothing is declared that keeps the configuration of: {', '.join(missing)}",
            ),
            where="services.configuration_management.equipment",
            todo=Text("déclarez-le, avec ces machines", "declare it, with these machines"),
        )
    return kept


def running(proof: Proof, tool: Machine, kept: EquipmentVersions, name: str) -> DeviceObservation:
    """Return the configuration that runs on ``name``, without what a check that was killed had left there."""
    with proof.device(name, tool) as device:
        seen = device.configuration()
        left = [address for address in NOBODY if has_lines(seen, kept.change, address)]
        for address in left:
            remove(device, kept, name, address)
        return device.configuration() if left else seen


def has_lines(seen: DeviceObservation, lines: Sequence[str], address: str) -> bool:
    """Tell whether a configuration holds the lines that name ``address``."""
    return {line.format(address=address) for line in lines} <= set(substance(seen.output))


def substance(text: str) -> list[str]:
    """Return the lines of a configuration that are no remarks about it."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.lower().startswith(ABOUT)]


def save(proof: Proof, tool: Machine, kept: EquipmentVersions) -> None:
    """Have a new version kept of what changed."""
    proof.works(
        tool.run(kept.save, deadline=LONG),
        fr="les configurations des équipements réseau ne sont pas conservées",
        en="the configurations of network equipment are not kept",
    )


def show(proof: Proof, tool: Machine, kept: EquipmentVersions, name: str) -> Ran:
    """Return the last version of the configuration of ``name``."""
    seen = tool.run(kept.show.format(machine=name))
    proof.works(
        seen,
        fr=f"{name} : aucune version de sa configuration n'est lisible",
        en=f"{name}: no version of its configuration can be read",
    )
    return seen


def compare(proof: Proof, tool: Machine, kept: EquipmentVersions) -> Ran:
    """Compare all equipment with its reference."""
    seen = tool.run(kept.check, deadline=LONG)
    proof.holds(
        seen.exit_status in (0, DRIFT),
        seen,
        side="positive",
        fr=f"les équipements réseau ne sont pas comparés à leur référence ({seen.detail})",
        en=f"network equipment is not compared with its reference ({seen.detail})",
    )
    return seen


def judge_comparison(seen: Ran, status: int, address: str, proof: Proof, *, added: bool) -> None:
    """Judge whether the line that names ``address`` is told as a difference as long as it is there."""
    proof.holds(
        seen.exit_status == status and (address in seen.stdout) == added,
        seen,
        side="positive" if added else "negative",
        fr="la modification d'un équipement n'est pas détectée"
        if added
        else "un écart est signalé, alors qu'il n'existe plus",
        en="a change of equipment is not seen" if added else "a difference is told that is there no more",
    )


def judge_version(seen: Ran, address: str, proof: Proof, *, added: bool) -> None:
    """Judge whether the last version holds the line that names ``address`` as long as it is there."""
    proof.holds(
        (address in seen.stdout) == added,
        seen,
        side="positive" if added else "negative",
        fr="la version conservée n'est pas la configuration active",
        en="the version that is kept is not the one that runs",
    )


def versions_of(proof: Proof, tool: Machine, kept: EquipmentVersions, name: str) -> Ran:
    """Return the versions that were kept of the configuration of ``name``."""
    seen = tool.run(kept.history.format(machine=name))
    proof.works(
        seen, fr="les versions conservées sont illisibles", en="the versions that were kept cannot be read"
    )
    return seen


def judge_versions(proof: Proof, tool: Machine, kept: EquipmentVersions, name: str, before: Ran) -> None:
    """Judge that two versions were made, with the line and without it, and that none is made of nothing."""
    after = versions_of(proof, tool, kept, name)
    proof.holds(
        len(after.stdout.splitlines()) == len(before.stdout.splitlines()) + 2,
        before,
        after,
        side="positive",
        fr=f"{name} : deux modifications n'ont pas donné deux versions",
        en=f"{name}: two changes did not make two versions",
    )
    save(proof, tool, kept)
    last = versions_of(proof, tool, kept, name)
    proof.holds(
        last.stdout == after.stdout,
        after,
        last,
        side="negative",
        fr=f"{name} : une version est créée, alors que rien ne change",
        en=f"{name}: a version is made, while nothing changes",
    )


@contextmanager
def added(
    lab: Lab, proof: Proof, tool: Machine, kept: EquipmentVersions, before: DeviceObservation
) -> Iterator[str]:
    """Add the harmless line on the first equipment; yield the address that it names; remove it afterwards.

    Raises:
        InconclusiveError: it cannot be added, or removed.
    """
    name = kept.machines[0]
    address = secrets.choice([free for free in NOBODY if free not in before.output])
    with removed_in_any_case(lab, proof, kept, address):
        try:
            with proof.device(name, tool) as device:
                device.configure([line.format(address=address) for line in kept.change])
                if address not in device.configuration().output:
                    raise InconclusiveError(
                        Text("la configuration ne peut pas être modifiée", "the configuration cannot be changed"),
                        where=name,
                        todo=Text("vérifiez equipment.change", "check equipment.change"),
                    )
            yield address
        finally:
            with proof.device(name, tool) as device:
                remove(device, kept, name, address)


def removed_in_any_case(
    lab: Lab, proof: Proof, kept: EquipmentVersions, address: str
) -> AbstractContextManager[None]:
    """Have the line removed even where this process is killed, from equipment that answers to commands of ours."""
    name = kept.machines[0]
    if lab.machines[name].connection or equipment.device_type(lab, name) != equipment.MADE_HERE:
        return nullcontext()  # the next run removes it: see ``running``
    lines = ("configure terminal", *(line.format(address=address) for line in kept.undo))
    words = shlex.join(["vtysh", *(word for line in lines for word in ("-c", line))])
    return proof.put_back(name, f"{words} >/dev/null 2>&1; true")


def remove(device: Device, kept: EquipmentVersions, name: str, address: str) -> None:
    """Remove the line that names ``address``.

    Raises:
        InconclusiveError: it is still there.
    """
    device.configure([line.format(address=address) for line in kept.undo])
    if address in device.configuration().output:
        raise InconclusiveError(
            Text(
                f"la ligne d'essai ({address}) y est restée", f"the line of the trial ({address}) is still there"
            ),
            where=name,
            todo=Text("retirez-la, et vérifiez equipment.undo", "remove it, and check equipment.undo"),
        )
