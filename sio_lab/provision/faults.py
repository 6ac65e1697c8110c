"""Faults to train on, and the journal that makes sure each one can be undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from sio_lab import catalogue as annexe
from sio_lab import files, paths
from sio_lab import journal as journals
from sio_lab.errors import ProvisionError, UsageError
from sio_lab.lab.model import Lab
from sio_lab.lab.tree import closest
from sio_lab.providers.base import Reporter, SshAccess
from sio_lab.provision import inventory, run, secrets
from sio_lab.text import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that can go wrong, on purpose.

    Attributes:
        name: name of its playbook, without ``.yml``.
        title: what happens.
        breaks: the requirements that it makes fail.
        hides: those that can no longer be verified.
        hosts: Ansible pattern of the machines that it touches.
        file: its playbook.
    """

    name: str
    title: Text
    breaks: tuple[str, ...]
    hides: tuple[str, ...]
    hosts: str
    file: Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault that was put into the lab, or was about to be.

    Attributes:
        name: name of the fault.
        at: when, ISO 8601 (UTC).
    """

    name: str
    at: str


def catalogue(folder: Path) -> list[Fault]:
    """Return the faults whose playbooks lie in ``folder``, by name.

    Raises:
        ProvisionError: a playbook does not say what it is (see docs/architecture.md).
    """
    return [_read(file) for file in sorted(folder.glob("*.yml"))]


def available(lab: Lab) -> list[Fault]:
    """Return the faults of ``lab``: those whose machines it has, and what each breaks of its option."""
    options = annexe.options_of(lab.option)
    own = {row.id for section, row in annexe.load().rows() if not options.isdisjoint(section.options)}
    told = [
        replace(fault, breaks=_within(fault.breaks, own), hides=_within(fault.hides, own))
        for fault in catalogue(_folder())
    ]
    return [fault for fault in _usable(lab, told) if fault.breaks]


def journal(lab_name: str) -> list[Entry]:
    """Return the faults that may be in the lab, the oldest first.

    Raises:
        ProvisionError: the journal was damaged.
    """
    return journals.read(_journal(lab_name), Entry, Text("pannes", "faults"))


def forget(lab_name: str) -> None:
    """Empty the journal: the lab came back to a state without faults."""
    _journal(lab_name).unlink(missing_ok=True)


def break_(lab: Lab, access: Mapping[str, SshAccess], names: Sequence[str], report: Reporter) -> None:
    """Put the faults ``names`` into the lab, journalled first: whatever happens then, ``repair`` knows of them.

    Raises:
        UsageError: no such fault, or this lab has none of its machines.
        ProvisionError: a playbook failed.
    """
    wanted = [_find(lab, name) for name in dict.fromkeys(names)]
    kept = [entry for entry in journal(lab.lab) if entry.name not in names]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _keep(lab.lab, [*kept, *(Entry(fault.name, now) for fault in wanted)])
    _play(lab, access, wanted, "break", report)


def repair(lab: Lab, access: Mapping[str, SshAccess], report: Reporter) -> list[str]:
    """Undo every fault of the journal, the newest first, each struck off once it is undone.

    Returns:
        The names of the faults that were undone.

    Raises:
        UsageError: a fault of the journal no longer exists.
        ProvisionError: a playbook failed; that fault and older ones stay in the journal.
    """
    entries = journal(lab.lab)
    undone = [entry.name for entry in reversed(entries)]
    if len(entries) > 1:
        # All at once is quicker; where that fails, one by one tells which.
        with suppress(ProvisionError):
            _play(lab, access, [_find(lab, name) for name in undone], "repair", report)
            entries = []
            _keep(lab.lab, entries)
    while entries:
        _play(lab, access, [_find(lab, entries[-1].name)], "repair", report)
        entries = entries[:-1]
        _keep(lab.lab, entries)
    return undone


def _within(ids: Iterable[str], own: Collection[str]) -> tuple[str, ...]:
    return tuple(id_ for id_ in ids if id_ in own)


def _folder() -> Path:
    return paths.data("playbooks", "faults")


def _journal(lab_name: str) -> Path:
    return paths.state_path(lab_name) / "journal.json"


def _keep(lab_name: str, entries: Iterable[Entry]) -> None:
    paths.state(lab_name)  # made where it is not there yet
    journals.keep(_journal(lab_name), entries)


def _play(
    lab: Lab, access: Mapping[str, SshAccess], wanted: Sequence[Fault], action: str, report: Reporter
) -> None:
    # All machines: a fault may do part of its work on another one (delegate_to).
    source = inventory.write(lab, access, secrets.load(lab))
    run.playbook(lab, [fault.file for fault in wanted], source, report, {"fault_action": action})


def _find(lab: Lab, name: str) -> Fault:
    faults = {fault.name: fault for fault in catalogue(_folder())}
    usable = {fault.name for fault in _usable(lab, faults.values())}
    known = ", ".join(sorted(usable)) or "—"
    if name not in faults:
        raise UsageError(
            Text(f"panne inconnue : {name}", f"unknown fault: {name}"),
            todo=closest(name, usable) or Text(f"pannes de ce labo : {known}", f"faults of this lab: {known}"),
        )
    if name not in usable:
        raise UsageError(
            Text(
                f"la panne {name} concerne {faults[name].hosts}, que ce labo n'a pas",
                f"the fault {name} is about {faults[name].hosts}, which this lab does not have",
            ),
            todo=Text(f"pannes de ce labo : {known}", f"faults of this lab: {known}"),
        )
    return faults[name]


def _usable(lab: Lab, faults: Iterable[Fault]) -> list[Fault]:
    """Return those of ``faults`` whose machines ``lab`` has: unions of groups and machines are understood."""
    groups = inventory.groups(lab)

    def there(part: str) -> bool:
        return bool(groups.get(part)) or part in lab.machines

    return [fault for fault in faults if any(map(there, fault.hosts.replace(",", ":").split(":")))]


def _read(file: Path) -> Fault:
    try:
        play = files.own_yaml(file)[0]
        said = play["vars"]["fault"]
        title = Text(str(said["fr"]), str(said["en"]))
        breaks, hides = tuple(map(str, said["breaks"])), tuple(map(str, said.get("hides", ())))
        return Fault(file.stem, title, breaks, hides, str(play["hosts"]), file)
    except (yaml.YAMLError, LookupError, TypeError) as error:
        raise ProvisionError(
            Text("ce fichier ne décrit pas une panne", "this file describes no fault"),
            where=str(file),
            todo=Text(
                "un play, avec hosts et vars.fault (fr, en, breaks) : docs/architecture.md",
                "one play, with hosts and vars.fault (fr, en, breaks): docs/architecture.md",
            ),
        ) from error
