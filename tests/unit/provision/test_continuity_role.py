"""What the role continuity decides between two database servers: who leads, who follows, who may take over."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lab_runner import ROOT

SETTINGS = {
    "name": "bdd2", "peer": "bdd1", "host": "bdd2.petit.test", "peer_host": "bdd1.petit.test",
    "port": 5432, "account": "continuity", "address": "192.0.2.1", "patience": 10,
    "nominal": True,
}  # fmt: skip


class Place:
    """Two servers, and what the keeper of one of them does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
        # The driver belongs to the machines of the lab: nothing is connected to here.
        driver = ModuleType("psycopg2")
        vars(driver)["Error"] = OSError
        monkeypatch.setitem(sys.modules, "psycopg2", driver)
        file = ROOT / "playbooks" / "roles" / "continuity" / "files" / "sio-dbms"
        loader = importlib.machinery.SourceFileLoader("sio_dbms", str(file))
        spec = importlib.util.spec_from_loader(loader.name, loader)
        assert spec
        self.module: Any = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, loader.name, self.module)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        with monkeypatch.context() as reading:
            reading.setattr(Path, "read_text", lambda *_, **__: json.dumps(SETTINGS))
            loader.exec_module(self.module)
        self.did: list[str] = []
        self.own: object = None
        self.peer: object = None
        self.holds = self.running = self.replica = False
        self.waits = True
        self.shown: tuple[str, bool] = ("", False)
        self.timeline, self.now = 1, 1000.0
        data.mkdir()
        self.data = data
        changes = {
            "DATA": data,
            "OWN": self.line("own"),
            "PEER": self.line("peer"),
            "holds_address": lambda: self.holds,
            "timeline": lambda: self.timeline,
            "runs": lambda: self.running,
            "run": lambda *command, **_: self.did.append(command[1]),
            "follow": lambda: self.did.append("follow"),
            "promote": lambda: self.did.append("promote"),
            "show": self.show,
            "wait_for_replica": self.wait,
        }
        vars(self.module).update(changes)
        monkeypatch.setattr(self.module.time, "monotonic", lambda: self.now)
        self.keeper = self.module.Keeper()

    def line(self, which: str) -> object:
        place = self

        class Line:
            def ask(self) -> object:
                return getattr(place, which)

        return Line()

    def show(self, role: str, *, healthy: bool) -> None:
        self.shown = (role, healthy)

    def wait(self, wanted: bool) -> None:
        self.waits = wanted

    def turn(self, seconds: float = 0.5) -> list[str]:
        """Let time pass, and the keeper take its turn; return what it did."""
        self.now += seconds
        self.did = []
        self.keeper.turn()
        return self.did

    def server(self, primary: bool, timeline: int = 1, *facts: str) -> object:
        known = ("attached", "waited_for", "streaming", "level")
        return self.module.Server(primary, timeline, *(fact in facts for fact in known))

    def stand_by(self, *facts: str) -> None:
        """The server here is a replica, of which the primary says ``facts``."""
        self.own, self.peer = self.server(primary=False), self.server(True, 1, *facts)


IN_STEP = ("attached", "waited_for", "streaming", "level")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    return Place(monkeypatch, tmp_path / "main")


def test_a_replica_in_step_takes_over(place: Place) -> None:
    place.stand_by(*IN_STEP)
    assert place.turn() == []
    assert place.shown == ("standby in step", True)
    place.peer = None
    assert place.turn(2) == []
    place.holds = True
    assert place.turn(2) == ["promote"]


def test_booted_together_the_nominal_machine_gets_the_address(place: Place) -> None:
    place.module.SETTINGS["nominal"] = False
    place.stand_by(*IN_STEP)
    place.turn()
    assert place.shown == ("standby in step", False)
    place.peer = None  # gone: nothing to leave the address to
    place.turn()
    assert place.shown == ("standby in step", True)
    place.stand_by(*IN_STEP)
    place.turn(place.module.BEGUN)
    assert place.shown == ("standby in step", True)


@pytest.mark.parametrize(
    "facts", [(), ("attached",), ("attached", "streaming", "level"), ("attached", "waited_for")]
)
def test_a_replica_that_may_miss_something_does_not(place: Place, facts: tuple[str, ...]) -> None:
    place.holds = True
    place.stand_by(*facts)
    assert place.turn() == []
    assert place.shown == ("standby behind", False)


def test_a_replica_for_which_writes_wait_no_longer(place: Place) -> None:
    place.stand_by(*IN_STEP)
    place.turn()
    place.stand_by("attached", "waited_for", "streaming")
    assert place.turn() == []
    assert place.shown == ("standby in step", True)  # it lags, but no write is acknowledged before it has it
    place.stand_by("attached", "streaming", "level")
    place.holds = True
    assert place.turn() == []
    assert place.shown == ("standby behind", False)


def test_a_replica_that_slept(place: Place) -> None:
    place.stand_by(*IN_STEP)
    place.turn()
    place.peer, place.holds = None, True
    assert place.turn(60) == []
    assert place.shown == ("standby behind", False)


def test_a_replica_that_cannot_follow_is_made_again(place: Place) -> None:
    place.stand_by()
    assert place.turn() == []
    for _ in range(4):
        place.turn(4)
    assert place.did == ["follow"]


@pytest.mark.parametrize(("own", "peer", "does"), [(1, 2, ["follow"]), (3, 2, []), (2, 2, [])])
def test_of_two_primaries_the_earlier_one_follows(place: Place, own: int, peer: int, does: list[str]) -> None:
    place.holds = True  # the address says nothing of whose data is right
    place.own, place.peer = place.server(True, own), place.server(True, peer)
    assert place.turn() == does


def test_writes_wait_for_the_replica(place: Place) -> None:
    place.holds = True
    place.own = place.server(True, 1, *IN_STEP)
    place.turn()
    assert (place.waits, place.shown) == (True, ("primary in step", True))
    place.own = place.server(primary=True)
    place.turn(2)
    assert (place.waits, place.shown) == (True, ("primary alone", True))
    place.turn(4)
    assert not place.waits
    place.holds = False
    place.turn()
    assert place.waits


def test_a_primary_without_the_address_never_goes_on_alone(place: Place) -> None:
    place.own = place.server(primary=True)
    place.turn(8)
    place.turn(60)
    assert place.waits


def test_at_boot_the_other_one_leads(place: Place) -> None:
    place.peer = place.server(True, 2)
    assert place.turn() == ["follow"]


def test_at_boot_the_other_one_leads_with_older_data(place: Place) -> None:
    place.timeline, place.peer = 3, place.server(True, 2)
    assert place.turn() == ["start"]


def test_at_boot_the_other_one_stands_by(place: Place) -> None:
    place.peer = place.server(primary=False)
    assert place.turn() == ["start"]


def test_at_boot_nobody_answers(place: Place) -> None:
    assert place.turn(8) == []
    assert place.shown == ("down", False)
    assert place.turn(8) == ["start"]


def test_at_boot_a_replica_asks_nobody(place: Place) -> None:
    (place.data / "standby.signal").touch()
    assert place.turn() == ["start"]


def test_a_server_that_is_busy_is_let_alone(place: Place) -> None:
    place.own, place.holds, place.running = place.server(primary=True), True, True
    place.turn()
    place.own, place.peer = None, place.server(True, 2)
    assert place.turn(4) == []
    assert place.shown[1]
    assert place.turn(4) == []
    assert place.shown == ("down", False)
    place.running = False
    assert place.turn() == ["follow"]
