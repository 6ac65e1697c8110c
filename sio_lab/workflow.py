"""What the commands do to a lab, in order: the way through the house (audits: ``audits``). Prints nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sio_lab import paths
from sio_lab.disruption import journal as disruptions
from sio_lab.errors import UsageError
from sio_lab.lab import LoadedLab
from sio_lab.lab.model import Lab
from sio_lab.lab.unknown import unknown_machine
from sio_lab.lock import lab_lock
from sio_lab.providers import provider_for
from sio_lab.providers.base import Reporter
from sio_lab.provision import faults, inventory, roles, run, secrets, sources
from sio_lab.text import Text

PROVISIONED = "provisioned"
"""Name of the snapshot that ``reset`` comes back to."""


@dataclass(frozen=True, slots=True)
class UpResult:
    """What ``up`` did."""

    changed: bool
    faults_left: tuple[str, ...]


def _claim(loaded: LoadedLab) -> None:
    """Bind the lab's name to its file, so that two labs of one name never fight over machines."""
    mark = paths.state(loaded.lab.lab) / "lab.json"
    if mark.exists():
        owner = Path(json.loads(mark.read_text())["path"])
        if owner != loaded.path and owner.exists():
            raise UsageError(
                Text(
                    f"un autre fichier porte déjà le labo « {loaded.lab.lab} » : {owner}",
                    f"another file already holds the lab '{loaded.lab.lab}': {owner}",
                ),
                where=str(loaded.path),
                todo=Text(
                    f"changez `lab:` dans l'un des deux, ou retirez l'autre : sio-lab down {owner}",
                    f"change `lab:` in one of them, or remove the other: sio-lab down {owner}",
                ),
            )
    mark.write_text(json.dumps({"path": str(loaded.path)}))


def up(
    loaded: LoadedLab, report: Reporter, *, provision: bool | None = None, vault: tuple[Path, Path] | None = None
) -> UpResult:
    """Bring up and provision the lab; do nothing that is already done.

    Args:
        provision: whether to run the roles; default: unless the machines are somebody else's (``existing``).
        vault: secrets of the user's own (``ansible-vault``), and the file of its password.

    Raises:
        SioLabError: one of the family; what was done stays, and the next ``up`` goes on from there.
    """
    lab = loaded.lab
    recipes = roles.recipes(lab)
    # Before anything is made: a wrong password is told at once.
    own = secrets.unlock(secrets.Vault(*vault)) if vault else None
    with lab_lock(lab.lab, "up"):
        _claim(loaded)
        known = secrets.ensure(lab, own)
        sources.pack(loaded)
        provider = provider_for(lab)
        changed = provider.up(lab, recipes, report)
        access = provider.access(lab)
        if provision if provision is not None else lab.provider != "existing":
            from sio_lab.provision import pki  # slow to import, and needed here alone

            pki.ensure(lab)
            changed |= run.site(lab, access, known, report)
        _give_back(lab, report)
        broken = tuple(entry.name for entry in faults.journal(lab.lab))
        if not broken and (changed or not provider.has_snapshot(lab, PROVISIONED)):
            provider.snapshot(lab, PROVISIONED, report)
    return UpResult(changed, broken)


def _give_back(lab: Lab, report: Reporter) -> list[Text]:
    """Give back what a check cut and, killed or interrupted, could not; return what it was."""
    if not disruptions.read(lab.lab):
        return []
    from sio_lab.disruption.cuts import Ways
    from sio_lab.probes import ssh

    provider = provider_for(lab)
    disruptions.wake(lab, provider, report)
    sessions = ssh.Sessions(provider.access(lab))
    try:
        return [cut.title for cut in disruptions.restore(Ways(lab, provider, sessions), report)]
    finally:
        sessions.close()


def down(loaded: LoadedLab, report: Reporter) -> bool:
    """Remove the lab and all that is kept about it; return whether there was anything."""
    lab = loaded.lab
    with lab_lock(lab.lab, "down"):
        changed = provider_for(lab).down(lab, report)
        shutil.rmtree(paths.state(lab.lab))
    return changed


def reset(loaded: LoadedLab, report: Reporter, machines: Sequence[str] | None = None) -> None:
    """Bring the lab (or some of its machines) back to its provisioned state, its pairs in their nominal one."""
    lab = loaded.lab
    unknown = sorted(set(machines or ()) - set(lab.machines))
    if unknown:
        raise unknown_machine(unknown[0], lab)
    with lab_lock(lab.lab, "reset"):
        provider = provider_for(lab)
        if not provider.has_snapshot(lab, PROVISIONED):
            raise UsageError(
                Text("ce labo n'a pas encore d'état de référence", "this lab has no reference state yet"),
                todo=Text("montez-le d'abord : sio-lab up", "bring it up first: sio-lab up"),
            )
        provider.restore(lab, PROVISIONED, report, _slowest_first(lab, machines or list(lab.machines)))
        disruptions.forget(lab.lab, machines or None)
        if machines is None:
            faults.forget(lab.lab)
        _await_pairs(lab, report)


def _slowest_first(lab: Lab, machines: Sequence[str]) -> list[str]:
    """Return ``machines``, those first that take longest to be of use: pairs agree on who leads once they run."""
    data = lab.services.continuity.machines if lab.services.continuity else ()
    pairs = {machine for shared in lab.shared_addresses.values() for machine in shared.machines}
    return sorted(machines, key=lambda machine: (machine not in data, machine not in pairs))


def _await_pairs(lab: Lab, report: Reporter) -> None:
    """Wait for pairs to be as they are meant to: an audit that begins before would find services missing."""
    if not lab.shared_addresses:
        return
    from sio_lab.disruption import pairs
    from sio_lab.probes import ssh

    sessions = ssh.Sessions(provider_for(lab).access(lab))
    try:
        pairs.await_nominal(lab, sessions, report)
    finally:
        sessions.close()


def break_(loaded: LoadedLab, names: Sequence[str], report: Reporter) -> None:
    """Put the faults ``names`` into the lab, journalled first.

    Raises:
        UsageError: no such fault, or the machines are not ours to break.
    """
    lab = loaded.lab
    if lab.provider == "existing":
        raise UsageError(
            Text("on ne met pas en panne des machines réelles", "real machines are not broken on purpose"),
            where=str(loaded.path),
            todo=Text("exercez-vous sur un labo de conteneurs", "practise on a lab of containers"),
        )
    with lab_lock(lab.lab, "break"):
        _give_back(lab, report)
        faults.break_(lab, provider_for(lab).access(lab), names, report)


def repair(loaded: LoadedLab, report: Reporter) -> list[Text]:
    """Give back what a check left cut, then undo every fault of the journal; return what was undone."""
    lab = loaded.lab
    with lab_lock(lab.lab, "repair"):
        back = _give_back(lab, report)
        undone = faults.repair(lab, provider_for(lab).access(lab), report)
        return back + [Text(f"panne {name}", f"fault {name}") for name in undone]


def shell_command(loaded: LoadedLab, machine: str) -> list[str]:
    """Return the ssh command that opens a terminal on ``machine``.

    Raises:
        UsageError: the lab has no such machine, or it does not run.
    """
    lab = loaded.lab
    if machine not in lab.machines:
        raise unknown_machine(machine, lab)
    access = provider_for(lab).access(lab)
    if machine not in access:
        raise UsageError(
            Text("cette machine n'existe pas encore", "this machine does not exist yet"),
            where=machine,
            todo=Text(f"montez le labo : sio-lab up {loaded.path}", f"bring the lab up: sio-lab up {loaded.path}"),
        )
    inventory.write(lab, access, secrets.load(lab))
    return ["ssh", "-F", str(inventory.folder(lab) / "ssh_config"), machine]
