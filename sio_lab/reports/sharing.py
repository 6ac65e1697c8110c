"""Who was found to hold each address that machines share, in words."""

from __future__ import annotations

from dataclasses import dataclass

from sio_lab.audit.document import AuditDocument, SharedSummary
from sio_lab.text import Text


@dataclass(frozen=True, slots=True)
class Holding:
    """A shared address and its holder.

    Attributes:
        name: name of the shared address.
        shared: what the lab file says of it.
        words: who holds it.
        well: whether it is one machine, or nothing says otherwise.
        others: machines that may take it over.
    """

    name: str
    shared: SharedSummary
    words: Text
    well: bool
    others: list[str]


def holdings(document: AuditDocument) -> list[Holding]:
    """Return the shared addresses of ``document``, in the order of the lab file."""
    return [_holding(document, name, shared) for name, shared in document.lab.shared_addresses.items()]


def _holding(document: AuditDocument, name: str, shared: SharedSummary) -> Holding:
    told = {m.name: m.holds for m in document.machines if m.name in shared.machines and m.holds is not None}
    holders = [machine for machine, holds in told.items() if name in holds]
    main = holders[0] if len(holders) == 1 else shared.machines[0]
    others = [machine for machine in shared.machines if machine != main]
    if holders:
        words = Text(f"portée par {' et '.join(holders)}", f"held by {' and '.join(holders)}")
        return Holding(name, shared, words, len(holders) == 1, others)
    if len(told) == len(shared.machines):
        return Holding(name, shared, Text("aucune machine ne la porte", "nobody holds it"), False, others)
    return Holding(name, shared, Text(f"prévue sur {main}", f"meant for {main}"), True, others)
