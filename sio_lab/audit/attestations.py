"""Documents that stand for what no probe can prove: whether they are still what was signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from sio_lab.audit.document import AttestationFinding, AttestationState
from sio_lab.lab.model import Attestation


def examine(attestations: Mapping[str, Attestation], folder: Path, today: date) -> dict[str, AttestationFinding]:
    """Read each attested document and say whether it counts.

    Args:
        attestations: the lab file's, by requirement.
        folder: the lab's folder, which document paths are relative to.
        today: day of the audit; an attestation counts on its last day.
    """
    return {
        requirement: AttestationFinding(
            document=declared.document,
            signed_by=declared.signed_by,
            signed_on=declared.date,
            expires=declared.expires,
            sha256=declared.sha256,
            state=_state(declared, folder, today),
        )
        for requirement, declared in attestations.items()
    }


def _state(declared: Attestation, folder: Path, today: date) -> AttestationState:
    try:
        with (folder / declared.document).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"
    if found != declared.sha256:
        return "altered"
    if today > declared.expires:
        return "expired"
    return "postdated" if today < declared.date else "valid"
