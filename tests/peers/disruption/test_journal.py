"""What is cut is known to the next command, whatever becomes of the one that cut it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_service import Service

from sio_lab.disruption import cuts, journal
from sio_lab.errors import ProvisionError

UNIT, POWER = cuts.stopped("web", "apache2"), cuts.power("bdd")

KILLED = """
import sys
from pathlib import Path
from small_service import Service
from sio_lab.disruption import cuts, engine
from sio_lab.disruption.engine import Disruption
from sio_lab.disruption.watch import Watch
engine.BEFORE = 0.3
service = Service(Path(sys.argv[1]), int(sys.argv[2]))
asked = Disruption(cuts.stopped("web", "apache2"), Watch(service.url, "poste"), 60.0)
engine.run(asked, service.ways(), service.ca, lambda _: None, lambda: True)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


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
            assert journal.read("petit") == [UNIT]
        assert journal.restore(service.ways(), lambda _: None) == ([UNIT] if sent == signal.SIGKILL else [])
        assert service.listens()
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
