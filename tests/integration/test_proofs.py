"""The embedded lab proves what it should, and each fault breaks what depends on it and nothing else.

One fault a requirement is tried, if it does not take minutes; those that have nothing in common, neither machines
nor requirements, are put in together: what fails then must be the sum of what each one breaks.
``SIO_LAB_TEST_EACH_FAULT=1`` tries every one alone, which takes an hour, and writes the table of faults from
that. ``SIO_LAB_TEST_STARVED=1`` audits while other programs take nearly all of the processors' time.
``SIO_LAB_TEST_LAB`` says which embedded lab this is about: ``sisr``; ``slam``, where faults of what both
labs have in common are left out; or ``both``, which is these two in one, and where no fault is tried again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from time import sleep

import fault_table
import pytest
from lab_runner import EMBEDDED, ROOT, Cli

from sio_lab.lab import load
from sio_lab.provision import faults
from sio_lab.provision.faults import Fault

pytestmark = pytest.mark.integration

ALONE = bool(os.environ.get("SIO_LAB_TEST_EACH_FAULT"))
STARVED = bool(os.environ.get("SIO_LAB_TEST_STARVED"))
LAB = load(ROOT / "inventories" / EMBEDDED).lab
OWN: tuple[str, ...] = {"SISR": ("1.", "2."), "SLAM": ("3.",), "both": ()}[LAB.option]
FAULTS = [
    fault for fault in faults.available(LAB) if any(id_.startswith(OWN) for id_ in (*fault.breaks, *fault.hides))
]
DISRUPTIVE = {"2.1.b", "2.1.f", "2.1.h", "2.1.i", "2.1.j", "2.2.a", "3.2"}
"""Requirements that are proven by cutting something: ``unverified`` as long as nothing may be cut."""

LONG = {"continuity_replica_stopped", "shared_address_no_standby"}
"""Faults with which services stay away for minutes."""

LOOKS, PAUSE = 4, 15
"""How often an audit is made that leaves something unverified, and the seconds between two."""

NOT_HERE = {"0.a": "not_applicable", "1.1.e": "not_satisfied", "1.2": "not_applicable", "2.0": "not_applicable"}


def healthy(id_: str, *, disrupt: bool) -> str:
    """Return the status of a requirement on the healthy lab."""
    return NOT_HERE.get(id_, "unverified" if id_ in DISRUPTIVE and not disrupt else "satisfied")


def unlike_healthy(
    cli: Cli, *only: str, disrupt: bool = False, hidden: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    """Return the rows that are not as on the healthy lab: status, and why.

    What could not be verified, unless it is ``hidden``, is looked at again, up to ``LOOKS`` times: this machine
    may be busy with something else.
    """
    options = [word for id_ in only for word in ("--only", id_)] + ["--disrupt"] * disrupt
    changed: dict[str, tuple[str, str]] = {}
    for look in range(LOOKS):
        sleep(PAUSE if look else 0)
        rows = {id_: row for id_, row in cli.audit(*options).items() if not only or id_ in only}
        changed = {id_: row for id_, row in rows.items() if row[0] != healthy(id_, disrupt=disrupt)}
        doubtful = {id_ for id_, (status, _) in changed.items() if status == "unverified"}
        if doubtful <= set(hidden):
            break
    return changed


def touched(fault: Fault) -> set[str]:
    """Return requirements and groups of machines that ``fault`` is about."""
    # Whoever writes an exception has firewalls read all of their rules again: faults there would undo each other.
    firewall = {"firewall"} if "nft" in fault.file.read_text(encoding="utf-8") else set()
    return {*fault.breaks, *fault.hides, *fault.hosts.split(":"), *firewall}


def together(found: Iterable[Fault], most: int) -> list[list[Fault]]:
    """Return ``found`` in groups of up to ``most``; members share neither machines nor requirements."""
    groups: list[list[Fault]] = []
    for fault in found:
        for group in groups:
            apart = all(touched(fault).isdisjoint(touched(other)) for other in group)
            if apart and len(group) < most:
                group.append(fault)
                break
        else:
            groups.append([fault])
    return groups


def one_for_each(found: Iterable[Fault], ids: Collection[str]) -> list[Fault]:
    """Return enough of ``found`` for each of the requirements ``ids`` to be broken once, as far as they can."""
    chosen: list[Fault] = []
    for fault in sorted(found, key=lambda fault: len(touched(fault))):
        proven = {id_ for other in chosen for id_ in other.breaks}
        if fault.name not in LONG and (set(fault.breaks) & set(ids)) - proven:
            chosen.append(fault)
    return chosen


CUT = [fault for fault in FAULTS if {*fault.breaks, *fault.hides} & DISRUPTIVE]
PROVEN = {id_ for fault in FAULTS for id_ in fault.breaks if id_.startswith(OWN)}
GROUPS = together(FAULTS, 1) if ALONE else together(one_for_each(FAULTS, PROVEN), 10)
# What is cut with another fault in the lab shows both: these are tried alone.
CUT_FAULTS = CUT if ALONE else one_for_each((f for f in CUT if set(f.breaks) <= DISRUPTIVE), DISRUPTIVE)


@pytest.fixture(scope="module")
def measures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what faults broke is noted."""
    return tmp_path_factory.mktemp("faults") / "measures.jsonl"


def named(group: list[Fault]) -> str:
    return "+".join(fault.name for fault in group)


def broken(cli: Cli, group: list[Fault], *only: str, disrupt: bool = False) -> dict[str, tuple[str, str]]:
    """Put in the faults of ``group``, audit, repair; return what was not as on the healthy lab."""
    try:
        done = cli("break", *(fault.name for fault in group))
        assert done.returncode == 0, done.stdout + done.stderr
        hidden = [id_ for fault in group for id_ in fault.hides]
        changed = unlike_healthy(cli, *only, disrupt=disrupt, hidden=hidden)
    finally:
        repaired = cli("repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    return changed


def expected(group: list[Fault], *, cut: bool) -> dict[str, str]:
    """Return the rows that change: those that are proven by cutting something, or the others."""
    hidden = {id_: "unverified" for fault in group for id_ in fault.hides}
    failed = {id_: "not_satisfied" for fault in group for id_ in fault.breaks}
    return {id_: status for id_, status in (hidden | failed).items() if (id_ in DISRUPTIVE) == cut}


def test_healthy_lab(cli: Cli) -> None:
    assert unlike_healthy(cli, disrupt=True) == {}


@contextmanager
def starved() -> Iterator[None]:
    """Leave a tenth of the processors' time to everything else."""
    loop = ["nice", "-n", "-10", sys.executable, "-c", "while True: pass"]
    loops = [Popen(loop) for _ in range(5 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
        for each in loops:
            each.wait()


@pytest.mark.skipif(not STARVED, reason="SIO_LAB_TEST_STARVED=1: an audit of minutes on busy processors")
def test_a_busy_machine_is_never_a_reason_for_not_conform(cli: Cli) -> None:
    with starved():
        rows = cli.audit()
    wrong = {id_: row for id_, row in rows.items() if row[0] not in (healthy(id_, disrupt=False), "unverified")}
    assert wrong == {}


def test_one_verdict_an_option(cli: Cli) -> None:
    options = ["SISR", "SLAM"] if LAB.option == "both" else [LAB.option]
    assert [verdict["option"] for verdict in cli.document("--only", "1.2")["verdicts"]] == options


@pytest.mark.parametrize("group", GROUPS, ids=named)
def test_faults_break_what_depends_on_them(cli: Cli, group: list[Fault], measures: Path) -> None:
    changed = broken(cli, group)
    seen = {id_: status for id_, (status, _) in changed.items()}
    fault_table.note(measures, group, seen)
    assert {id_: s for id_, s in seen.items() if id_ not in DISRUPTIVE} == expected(group, cut=False), changed
    # Some of them show without cutting anything.
    assert {id_: s for id_, s in seen.items() if id_ in DISRUPTIVE}.items() <= expected(group, cut=True).items()


@pytest.mark.parametrize("fault", CUT_FAULTS, ids=lambda fault: fault.name)
def test_fault_shows_when_something_is_cut(cli: Cli, fault: Fault, measures: Path) -> None:
    wanted = expected([fault], cut=True)
    changed = broken(cli, [fault], *sorted(wanted), disrupt=True)
    seen = {id_: status for id_, (status, _) in changed.items()}
    fault_table.note(measures, [fault], seen)
    assert seen == wanted, changed


def test_repaired_lab_is_healthy_again(cli: Cli, measures: Path) -> None:
    assert unlike_healthy(cli) == {}
    if ALONE:
        fault_table.write(measures, ROOT / "docs" / f"faults-{EMBEDDED}.md", FAULTS)
