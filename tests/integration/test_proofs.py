"""The embedded lab proves what it should, and each fault breaks what depends on it and nothing else."""

from __future__ import annotations

import pytest
from lab_runner import ROOT, Cli

from sio_lab.provision import faults

pytestmark = pytest.mark.integration

SECTION_1 = {"1.2", *(f"1.1.{letter}" for letter in "abcdefgh"), *(f"1.3.{letter}" for letter in "abcd")}
HEALTHY = dict.fromkeys(SECTION_1, "satisfied") | {"1.1.e": "not_satisfied", "1.2": "not_applicable"}
FAULTS = faults.catalogue(ROOT / "playbooks" / "faults")


def section_1(statuses: dict[str, str]) -> dict[str, str]:
    """Keep the rows of section 1."""
    return {id_: status for id_, status in statuses.items() if id_ in SECTION_1}


def test_healthy_lab(cli: Cli) -> None:
    assert section_1(cli.statuses()) == HEALTHY


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_breaks_what_depends_on_it(cli: Cli, fault: faults.Fault) -> None:
    broken = cli("break", fault.name)
    assert broken.returncode == 0, broken.stdout + broken.stderr
    try:
        seen = section_1(cli.statuses())
    finally:
        repaired = cli("repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    changed = {id_ for id_, status in seen.items() if status != HEALTHY[id_]}
    assert changed == set(fault.breaks)
    assert {seen[id_] for id_ in fault.breaks} == {"not_satisfied"}


def test_repaired_lab_is_healthy_again(cli: Cli) -> None:
    assert section_1(cli.statuses()) == HEALTHY
