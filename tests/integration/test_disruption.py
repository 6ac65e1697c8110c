"""An audit that is killed while something is cut: `sio-lab repair` brings the nominal state back."""

from __future__ import annotations

import ast
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab_runner import ROOT, Cli, interrupt

from sio_lab.audit.selection import Selection
from sio_lab.disruption import journal, state
from sio_lab.disruption.cuts import Cut, Ways
from sio_lab.disruption.state import State
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.probes import ssh
from sio_lab.providers import provider_for

pytestmark = pytest.mark.integration

# Seconds until all is as before; a pair of database servers copies its data twice meanwhile.
SETTLING = 180.0
LASTS = 3.0  # seconds within which a server that is to copy all again has stopped


RUNS = int(os.environ.get("SIO_LAB_TEST_RUNS", "0"))
"""Whole audits in a row: each takes minutes."""


@dataclass(frozen=True)
class Disruptive:
    """A check that cuts something: what it proves, and the capabilities that it needs."""

    name: str
    requirement: str
    uses: tuple[str, ...]


def disruptive() -> Iterator[Disruptive]:
    for file in sorted((ROOT / "checks").rglob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            for call in getattr(node, "decorator_list", ()):
                if isinstance(node, ast.FunctionDef) and isinstance(call, ast.Call):
                    named = {word.arg: word.value for word in call.keywords}
                    if "intensity" in named and ast.literal_eval(named["intensity"]) == "disrupt":
                        uses = ast.literal_eval(named["uses"]) if "uses" in named else ()
                        yield Disruptive(node.name, ast.literal_eval(call.args[0]), tuple(uses))


def is_cut(entry: Cut) -> bool:
    return entry.kind != "command" or bool(entry.what)


def nominal(lab: Lab) -> dict[str, State]:
    provider = provider_for(lab)
    sessions = ssh.Sessions(provider.access(lab))
    try:
        return state.of(list(lab.machines), Ways(lab, provider, sessions))
    finally:
        sessions.close()


def wait(seconds: float, until: Callable[[], object]) -> bool:
    end = time.monotonic() + seconds
    while not (done := bool(until())) and time.monotonic() < end:
        time.sleep(0.1)
    return done


def lasts(lab: Lab, before: dict[str, State]) -> bool:
    """Tell whether all is as ``before``, and stays so.

    Between the two copies that a pair of database servers makes, everything runs for a moment.
    """
    if state.differences(before, nominal(lab)):
        return False
    time.sleep(LASTS)
    return not state.differences(before, nominal(lab))


@pytest.mark.parametrize("check", list(disruptive()), ids=lambda check: f"{check.requirement}-{check.name}")
def test_killed_then_repaired(cli: Cli, check: Disruptive) -> None:
    lab = load(Path(cli.folder)).lab
    of_lab = Selection(lab).wants(check.requirement)
    if not of_lab or any(getattr(lab.services, name) is None for name in check.uses):
        pytest.skip("nothing declared")
    before = nominal(lab)
    assert set(before) == set(lab.machines)
    audit = cli.start("check", "--disrupt", "--only", check.requirement)
    wait(300, lambda: any(map(is_cut, journal.read(lab.lab))) or audit.poll() is not None)
    time.sleep(1)  # it was journalled before it is made
    _, said = interrupt(audit, signal.SIGKILL)
    assert any(map(is_cut, journal.read(lab.lab))), said
    assert state.differences(before, nominal(lab))
    repaired = cli("repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert journal.read(lab.lab) == []
    assert wait(SETTLING, lambda: lasts(lab, before)), state.differences(before, nominal(lab))


@pytest.mark.skipif(not RUNS, reason="SIO_LAB_TEST_RUNS says how many audits to make in a row")
def test_audits_in_a_row_say_the_same_and_leave_the_lab_as_it_was(cli: Cli) -> None:
    lab = load(Path(cli.folder)).lab
    before = nominal(lab)
    said: list[dict[str, str]] = []
    for _ in range(RUNS):
        said.append({id_: status for id_, (status, _) in cli.audit("--disrupt").items()})
        assert wait(SETTLING, lambda: lasts(lab, before)), state.differences(before, nominal(lab))
    assert [each for each in said if each != said[0]] == []
