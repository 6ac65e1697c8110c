"""What the commands do, in order: the way through the house. Prints nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sio_lab import paths
from sio_lab.errors import UsageError
from sio_lab.lab import LoadedLab
from sio_lab.lock import lab_lock
from sio_lab.providers import provider_for
from sio_lab.providers.base import Reporter
from sio_lab.provision import faults, pki, roles, run, secrets
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


def up(loaded: LoadedLab, report: Reporter) -> UpResult:
    """Bring up and provision the lab; do nothing that is already done.

    Raises:
        SioLabError: one of the family; what was done stays, and the next ``up`` goes on from there.
    """
    lab = loaded.lab
    with lab_lock(lab.lab, "up"):
        _claim(loaded)
        recipes = roles.recipes(lab)
        provider = provider_for(lab)
        changed = provider.up(lab, recipes, report)
        access = provider.access(lab)
        changed |= run.site(lab, access, secrets.ensure(lab), pki.ensure(lab), report)
        broken = tuple(entry.name for entry in faults.journal(lab.lab))
        if not broken and (changed or not provider.has_snapshot(lab, PROVISIONED)):
            provider.snapshot(lab, PROVISIONED, report)
    return UpResult(changed, broken)


def down(loaded: LoadedLab, report: Reporter) -> bool:
    """Remove the lab and all that is kept about it; return whether there was anything."""
    lab = loaded.lab
    with lab_lock(lab.lab, "down"):
        changed = provider_for(lab).down(lab, report)
        shutil.rmtree(paths.state(lab.lab))
    return changed


def reset(loaded: LoadedLab, report: Reporter, machines: Sequence[str] | None = None) -> None:
    """Bring the lab (or some of its machines) back to its provisioned state."""
    lab = loaded.lab
    unknown = sorted(set(machines or ()) - set(lab.machines))
    if unknown:
        raise UsageError(
            Text(f"machine inconnue de ce labo : {unknown[0]}", f"this lab has no machine {unknown[0]}"),
            todo=Text(f"machines : {', '.join(lab.machines)}", f"machines: {', '.join(lab.machines)}"),
        )
    with lab_lock(lab.lab, "reset"):
        provider = provider_for(lab)
        if not provider.has_snapshot(lab, PROVISIONED):
            raise UsageError(
                Text("ce labo n'a pas encore d'état de référence", "this lab has no reference state yet"),
                todo=Text("montez-le d'abord : sio-lab up", "bring it up first: sio-lab up"),
            )
        provider.restore(lab, PROVISIONED, report, machines)
        if machines is None:
            faults.forget(lab.lab)


def break_(loaded: LoadedLab, fault: str, report: Reporter) -> None:
    """Put the fault ``fault`` into the lab, journalled first."""
    lab = loaded.lab
    with lab_lock(lab.lab, "break"):
        faults.break_(lab, provider_for(lab).access(lab), fault, report)


def repair(loaded: LoadedLab, report: Reporter) -> list[str]:
    """Undo every fault of the journal, the newest first; return their names."""
    lab = loaded.lab
    with lab_lock(lab.lab, "repair"):
        return faults.repair(lab, provider_for(lab).access(lab), report)


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit, and where its reports were written (format → file)."""

    document: AuditDocument
    files: dict[str, Path]
    interrupted: bool = False


def check(
    loaded: LoadedLab,
    report: Reporter,
    *,
    checks: Sequence[Path] = (),
    only: Sequence[str] = (),
    disrupt: bool = False,
    output: Path | None = None,
) -> Audit:
    """Prove what the lab claims, and write the reports.

    Args:
        checks: folders of checks, beside those of the tool.
        only: requirements to prove; default: all.
        disrupt: whether checks may cut services.
        output: folder of the reports; default: ``reports`` beside the lab file.
    """
    lab = loaded.lab
    started = datetime.now(UTC)
    with lab_lock(lab.lab, "check"):
        known = secrets.load(lab)
        ran = run_audit(
            lab,
            loaded.path,
            provider_for(lab).access(lab),
            known,
            pki.ca(lab),
            checks_dirs=[paths.data("checks"), *checks],
            only=only,
            disrupt=disrupt,
            report=report,
        )
        document = verdict.build_document(
            loaded, catalogue.load(), ran.checks, ran.machines, started=started, disrupt=disrupt, only=only
        )
    files = reports.write_all(document, output or loaded.path.parent / "reports")
    return Audit(document, files, ran.interrupted)


def last_audit(loaded: LoadedLab, output: Path | None = None) -> Audit:
    """Read the last audit document of the lab and write its reports again."""
    folder = output or loaded.path.parent / "reports"
    document = reports.read_last(folder, loaded.lab.lab)
    return Audit(document, reports.write_all(document, folder))
