"""The machines of an audit: how checks get hold of them, and what each was found to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sio_lab.audit import outcomes
from sio_lab.audit.document import MachineFinding
from sio_lab.errors import IdentityError, ProbeError, ProbeTimeout, Unreachable
from sio_lab.lab import model
from sio_lab.lab.unknown import unknown_machine
from sio_lab.probes import system
from sio_lab.probes.machine import Machine, Session
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text


class Sessions(Protocol):
    """Where sessions come from: one a machine, whoever asks (``sio_lab.probes.ssh.Sessions``)."""

    def session(self, name: str) -> Session:
        """Return the session of the machine ``name``."""


class Machines:
    """The machines of ``lab``, over ``sessions``.

    Args:
        lab: the lab.
        sessions: the connections.
    """

    def __init__(self, lab: model.Lab, sessions: Sessions) -> None:
        self._lab, self._sessions = lab, sessions

    def bound(self, name: str, record: Callable[[Evidence], None]) -> Machine:
        """Return the machine ``name``, whose evidence goes to ``record``.

        Raises:
            UsageError: the lab has no such machine.
            Unreachable: it does not exist yet, or does not answer.
            IdentityError: it is not the machine that was provisioned.
        """
        if name not in self._lab.machines:
            raise unknown_machine(name, self._lab)
        return Machine(name, self._sessions.session(name), record)

    def find(self, name: str) -> MachineFinding:
        """Ask the machine ``name`` what it is."""
        finding = self.declared(name)
        try:
            machine = self.bound(name, _forget)
            seen = system.identify(machine)
        except ProbeError as error:
            answers = not isinstance(error, (Unreachable, IdentityError, ProbeTimeout))
            return finding.model_copy(update={"reachable": answers, "problem": outcomes.told(error)})
        return finding.model_copy(
            update={
                "reachable": True,
                "system": seen.pretty_name,
                "family": seen.family,
                "nature": seen.nature,
                "nature_evidence": seen.nature_evidence,
                "machine_id": seen.machine_id,
                "host_key": getattr(machine.session, "host_key_fingerprint", ""),
                "holds": self._held(name, seen.addresses),
            }
        )

    def _held(self, name: str, addresses: frozenset[str]) -> list[str] | None:
        """Return which of the addresses that the machine ``name`` shares are all among ``addresses``."""
        shared = self._lab.shared_by(name)
        if not addresses:
            return None
        return [which for which in shared if addresses.issuperset(map(str, shared[which].addresses.values()))]

    def declared(self, name: str) -> MachineFinding:
        """Return what the lab file says of the machine ``name``, nothing being seen yet."""
        machine = self._lab.machines[name]
        return MachineFinding(
            name=name,
            kind=machine.kind,
            title=machine.title,
            addresses={perimeter: str(address) for perimeter, address in machine.addresses.items()},
            reachable=False,
        )


def same_ones(findings: Sequence[MachineFinding]) -> list[MachineFinding]:
    """Return ``findings``, each saying which other names designate the very same machine."""
    return [_compared(finding, findings) for finding in findings]


def _compared(finding: MachineFinding, findings: Sequence[MachineFinding]) -> MachineFinding:
    why: dict[str, Text] = {}
    for other in findings:
        if other.name != finding.name and other.reachable and finding.reachable:
            if finding.host_key and finding.host_key == other.host_key:
                why[other.name] = Text("même clé d'hôte", "same host key")
            elif finding.machine_id and finding.machine_id == other.machine_id:
                why[other.name] = Text("même machine-id", "same machine-id")
    if not why:
        return finding
    names, sign = ", ".join(why), next(iter(why.values()))
    problem = Text(
        f"c'est la même machine que {names} ({sign.fr}) : elle compte une seule fois",
        f"this is the same machine as {names} ({sign.en}): it counts once",
    )
    return finding.model_copy(update={"same_as": list(why), "problem": finding.problem or problem})


def _forget(_: Evidence) -> None:
    """Nobody judges on it: the finding itself tells what was seen."""
