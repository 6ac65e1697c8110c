"""Files of an application as they are deployed, compared with those of its source. Never judges."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from sio_lab.errors import ProtocolError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

SUMS = "git ls-files -s -z | grep -z ^100 | cut -z -f 2- | xargs -0 -r sha256sum"
"""Command that sums up the files of a working copy, one a line: neither links nor other repositories."""

_DEADLINE = 30  # seconds: a large application, on a busy machine
_SHOWN = 5  # files that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedObservation(Observation):
    """Deployed files. ``granted``: those that are there are the source's; ``refused``: some are otherwise.

    Attributes:
        same: how many are the source's.
        changed: paths of those that are otherwise.
        missing: paths of those that are not there.
    """

    same: int = 0
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def compared(machine: Machine, folder: str, sums: str) -> DeployedObservation:
    """Compare the files in ``folder`` of ``machine`` with the source's.

    Args:
        machine: where the application is served.
        folder: where its files are.
        sums: what ``SUMS`` printed in a working copy of the version.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: there is no such folder, or none of the source's files is in it.
    """
    at, start = datetime.now(UTC), monotonic()
    command = f"cd {shlex.quote(folder)} && LC_ALL=C sha256sum --check -"
    status, stdout, stderr = machine.session.run(command, stdin=sums, deadline=_DEADLINE)
    same, changed, missing = reading(stdout)
    told = [f"{len(same)} as in the source", *(f"{path}: otherwise" for path in changed)]
    evidence = machine.saw(
        "deployed.compared",
        target=f"{machine.name}:{folder}",
        sent=f"sha256sum --check ({len(sums.splitlines())} files of the source)",
        received="\n".join([*told, f"{len(missing)} missing"]) if same or changed else stderr or f"exit {status}",
        at=at,
        start=start,
    )
    if not same and not changed:
        raise ProtocolError(
            Text(f"aucun fichier de la source dans {folder}", f"no file of the source in {folder}"),
            where=machine.name,
            todo=Text(
                "applications.….deployed dit où sont les fichiers déployés ; vide s'ils sont compilés",
                "applications.….deployed says where the deployed files are; empty where they are compiled",
            ),
        )
    detail = ", ".join(changed[:_SHOWN]) + ("…" if len(changed) > _SHOWN else "")
    return DeployedObservation(
        evidence,
        "refused" if changed else "granted",
        detail,
        same=len(same),
        changed=tuple(changed),
        missing=tuple(missing),
    )


def reading(output: str) -> tuple[list[str], list[str], list[str]]:
    """Return the paths of files that are the same, otherwise, and missing, from what sha256sum says."""
    verdicts = [line.rpartition(": ") for line in output.splitlines()]

    def said(verdict: str) -> list[str]:
        return [path for path, _, word in verdicts if word == verdict]

    return said("OK"), said("FAILED"), said("FAILED open or read")
