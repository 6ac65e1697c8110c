"""What is cut is known to the next command, whatever becomes of the one that cut it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from small_service import Service

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.disruption import cuts, journal
from sio_lab.errors import ProvisionError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence

UNIT, POWER = cuts.stopped("web", "apache2"), cuts.power("bdd")

KILLED = """
import sys
from pathlib import Path
from small_service import Service
from sio_lab.disruption import cuts, engine
from sio_lab.disruption.engine import Step
from sio_lab.disruption.watch import Watch
engine.BEFORE = 0.3
service = Service(Path(sys.argv[1]), int(sys.argv[2]))
steps = [Step(cuts.stopped("web", "apache2"), 60.0)]
engine.run(steps, Watch(service.url, "poste"), service.ways(), service.ca, lambda _: None, lambda: True)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def watching(folder: Path) -> bool:
    """Whether a prober runs that trusts the certificate in ``folder``: that of this test's service."""
    mark = (folder / "localhost.pem").read_bytes().splitlines()[-3]
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark in file.read_bytes():
                return True
    return False


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_killed_while_something_is_cut(tmp_path: Path, sent: signal.Signals) -> None:
    service = Service(tmp_path).install()
    try:
        assert service.listens()
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(service.port)]
        tests = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": f"{tests}:{tests.parent}"}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            end = time.monotonic() + 20
            while service.systemctl("is-active") and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(sent)
            process.wait(20)
        if sent == signal.SIGKILL:
            assert not service.systemctl("is-active")
            removal, cut = journal.read("petit")
            assert cut == UNIT
            assert watching(tmp_path)
            assert journal.restore(service.ways(), lambda _: None) == [UNIT, removal]
        assert journal.restore(service.ways(), lambda _: None) == []
        assert service.listens()
        assert not watching(tmp_path)
        assert journal.read("petit") == []
    finally:
        service.remove()


def test_what_was_cut_is_given_back_the_newest_first(tmp_path: Path) -> None:
    service = Service(tmp_path).install()
    try:
        journal.add("petit", UNIT)
        journal.add("petit", POWER)
        assert journal.restore(service.ways(), lambda _: None) == [POWER, UNIT]
        assert journal.restore(service.ways(), lambda _: None) == []
    finally:
        service.remove()


def test_what_a_command_takes_back(tmp_path: Path) -> None:
    service, mark = Service(tmp_path).install(), tmp_path / "mark"
    try:
        change = cuts.command("web", f"touch {mark}", back=f"rm -f {mark}")
        journal.add("petit", change)
        cuts.do(change, service.ways())
        assert mark.exists()
        assert journal.restore(service.ways(), lambda _: None) == [change]
        assert not mark.exists()
    finally:
        service.remove()


def test_a_command_that_fails_is_told_and_struck_off(tmp_path: Path) -> None:
    service, told = Service(tmp_path).install(), []
    try:
        journal.add("petit", cuts.command("web", "", back="false"))
        journal.restore(service.ways(), lambda event: told.append(event.state))
        assert told == ["running", "failed"]
        assert journal.read("petit") == []
    finally:
        service.remove()


def test_a_proof_puts_back_what_it_changes(tmp_path: Path) -> None:
    def machine(name: str, record: Callable[[Evidence], None]) -> Machine:
        return Machine(name, service.session(name), record)

    service, mark = Service(tmp_path).install(), tmp_path / "mark"
    try:
        for ways in (service.ways(), None):
            proof = Proof(machine, {}, {}, service.ca, ways)
            with pytest.raises(ZeroDivisionError), proof.put_back("web", f"rm -f {mark}"):
                mark.touch()
                assert bool(journal.read("petit")) is bool(ways)
                raise ZeroDivisionError
            assert not mark.exists()
            assert journal.read("petit") == []
    finally:
        service.remove()


def test_a_proof_that_cuts_sees_that_all_is_as_before(tmp_path: Path) -> None:
    def machine(name: str, record: Callable[[Evidence], None]) -> Machine:
        return Machine(name, service.session(name), record)

    service = Service(tmp_path).install()
    try:
        proof = Proof(machine, {}, {}, service.ca, service.ways())
        with proof.cut(UNIT) as cut:
            assert not cut.granted
            assert journal.read("petit") == [UNIT]
        assert service.listens()
        assert [evidence.probe for evidence in proof.evidence] == ["disruption.unit", "disruption.state"]
        with pytest.raises(NotSatisfiedError, match="not all is as before"), proof.cut(UNIT, within=0.5):
            (tmp_path / "addresses").write_text("")
        assert journal.read("petit") == []
    finally:
        service.remove()


def test_only_what_came_back_is_forgotten() -> None:
    journal.add("petit", UNIT)
    journal.add("petit", POWER)
    journal.forget("petit", ["web"])
    assert journal.read("petit") == [POWER]
    journal.forget("petit")
    assert journal.read("petit") == []


def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    journal.add("petit", UNIT)
    (file,) = (tmp_path / "state").rglob("disruptions.json")
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("[{")
    with pytest.raises(ProvisionError):
        journal.read("petit")
