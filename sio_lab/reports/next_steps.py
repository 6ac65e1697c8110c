"""What to do next, laid out: requirements that need the same thing stand together."""

from __future__ import annotations

from dataclasses import dataclass, field

from sio_lab.audit.document import AuditDocument, RequirementResult, Status
from sio_lab.text import Text


@dataclass(slots=True)
class Step:
    """One thing to do, and the requirements that it is for, in the order of the annexe."""

    status: Status
    todo: Text
    results: list[RequirementResult] = field(default_factory=list)


def next_steps(document: AuditDocument) -> list[Step]:
    """Return what to do: first for what failed, then for what could not be verified."""
    steps: dict[tuple[Status, Text], Step] = {}
    for status in ("not_satisfied", "unverified"):
        for result in document.requirements:
            if result.status == status and result.todo is not None:
                key = (result.status, result.todo)
                steps.setdefault(key, Step(*key)).results.append(result)
    return list(steps.values())
