"""When a pair is said to be in its nominal state."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from small_lab import SMALL, changed

from sio_lab.disruption import pairs
from sio_lab.errors import Unreachable
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Session
from sio_lab.providers.base import Progress
from sio_lab.text import Text


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_ASKING", 0.01)


class Pair:
    """Machines that say what the test wants them to say, one answer after the other."""

    def __init__(self, addresses: list[str], roles: list[str] | None = None) -> None:
        self.addresses, self.roles = addresses, roles or [""]
        self.asked: list[str] = []

    def session(self, name: str) -> Session:
        self.asked.append(name)
        return self

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        answers = self.addresses if command.startswith("ip ") else self.roles
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        if said == "starting":
            raise Unreachable(Text.same("starting"))
        return 0, f"2: dmz inet {said}/24 scope global dmz\n" if command.startswith("ip ") else f"{said}\n", ""

    def forward(self, host: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        raise NotImplementedError


def lab(*, data: bool = False) -> Lab:
    continuity = {
        "product": "postgresql",
        "machines": ["web", "bdd"],
        "entries_url": "https://web.petit.test/entries",
        "client": "poste",
        "role": "cat /run/role",
    }
    services = {**SMALL["services"], "continuity": continuity} if data else SMALL["services"]
    shared = {"vip": {"machines": ["web", "bdd"], "addresses": {"dmz": "10.9.1.100"}}}
    return changed(shared_addresses=shared, services=services)


def states(found: Lab, machines: Pair, within: float = 5) -> tuple[bool, list[str]]:
    told: list[Progress] = []
    nominal = pairs.await_nominal(found, machines, told.append, within=within)
    return nominal, [event.state for event in told]


def test_the_first_machine_holds_the_addresses_in_the_end() -> None:
    machines = Pair(["starting", "10.9.1.10", "10.9.1.100"])
    assert states(lab(), machines) == (True, ["running", "unchanged"])
    assert machines.asked == ["web"] * 3


def test_it_has_the_data_that_it_leads_with() -> None:
    machines = Pair(["10.9.1.100"], ["replica", "primary in step"])
    assert states(lab(data=True), machines) == (True, ["running", "unchanged"])


def test_a_pair_that_never_is_nominal_is_told() -> None:
    assert states(lab(), Pair(["10.9.1.10"]), within=0.1) == (False, ["running", "failed"])


def test_a_lab_without_pairs_waits_for_nothing() -> None:
    assert states(changed(), Pair(["10.9.1.10"])) == (True, [])
