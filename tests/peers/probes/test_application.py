from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from application_server import COMMIT, NAME, TOKEN, URLS, serving
from loopback import LocalSession, certificate, closed_port, machine, running

from sio_lab.errors import ProtocolError
from sio_lab.probes.application import Api, client_program, processes
from sio_lab.probes.observation import Evidence


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, NAME)


@pytest.fixture
def broken() -> set[str]:
    return set()


@pytest.fixture
def session(ca: Path, broken: set[str]) -> Iterator[LocalSession]:
    with running(serving(broken), ca) as port:
        yield LocalSession(ports={(NAME, 443): port})


def test_life_of_an_entry(session: LocalSession, ca: Path) -> None:
    record: list[Evidence] = []
    api = Api(machine(session, record), URLS, ca)
    assert api.list().status == 401
    assert api.login("chloe", "c-secret").granted
    made = api.add("siolabx1")
    assert (made.answer, made.entries[0]["lieu"], made.ids("siolab")) == ("granted", "Camaret", ["1"])
    assert api.list().ids("siolabx[0-9]$") == ["1"]
    assert not api.list().ids("siolaby")
    assert "siolabx1" in api.called("siolabx1").body
    assert "siolabx2" not in api.called("siolabx2").body
    assert api.remove("1").granted
    assert not api.list().entries
    assert api.version().commit == COMMIT
    for secret in ("c-secret", TOKEN, TOKEN.replace("/", "\\/"), "token+of", "somebody"):
        assert not [seen for seen in record if secret in seen.sent + seen.received]


def test_who_is_refused(session: LocalSession, ca: Path) -> None:
    wrong = Api(machine(session), URLS, ca)
    assert wrong.login("chloe", "wrong").answer == "refused"
    forger = Api(machine(session), URLS, ca, token="false")
    for seen in (wrong.list(), forger.list(), forger.add("x"), forger.remove("1"), forger.called("x")):
        assert (seen.answer, seen.status, list(seen.entries)) == ("refused", 401, [])


@pytest.mark.parametrize("what", ["add", "list"])
def test_an_answer_that_is_not_what_it_should_be(
    what: str, session: LocalSession, ca: Path, broken: set[str]
) -> None:
    broken.add(what)
    api = Api(machine(session), URLS, ca)
    api.login("chloe", "c-secret")
    seen = api.add("siolabx1") if what == "add" else api.list()
    assert (seen.answer, bool(seen.detail)) == ("refused", True)


def test_the_remote_site_is_away(session: LocalSession, ca: Path, broken: set[str]) -> None:
    broken.add("away")
    api = Api(machine(session), URLS, ca)
    api.login("chloe", "c-secret")
    assert (api.list().answer, api.list().status) == ("unavailable", 503)
    assert api.version().granted


def test_nothing_listens(ca: Path) -> None:
    session = LocalSession(ports={(NAME, 443): closed_port()})
    assert Api(machine(session), URLS, ca).login("chloe", "c-secret").answer == "unavailable"


def test_certificate_of_somebody_else(session: LocalSession, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="certificate"):
        Api(machine(session), URLS, certificate(tmp_path, "other.test")).login("chloe", "c-secret")


def test_client_program() -> None:
    """Run for real: the password comes on the standard input, and stands in no evidence."""
    record: list[Evidence] = []
    here = machine(record=record)
    seen = client_program(here, 'read -r word; echo "$(echo {account}) ${#word} $HOME"', "o'brien", "eightlet")
    assert (seen.granted, seen.stdout.split()[:2]) == (True, ["o'brien", "8"])
    assert not Path(seen.stdout.split()[2]).exists()
    assert "eightlet" not in record[0].sent + record[0].received
    assert not client_program(here, "exit 3", "chloe", "x").granted


def test_processes() -> None:
    """Run for real: a process of our own works, nobody bears the other name."""
    here = machine()
    with subprocess.Popen([sys.executable, "-IS", "-c", "while True: pass", "siolab-works"]) as working:
        try:
            before = processes(here, "siolab-works$")
            assert before.granted
            time.sleep(0.3)
            assert processes(here, "siolab-works$").since(before) > 0
        finally:
            working.kill()
    assert not processes(here, "^siolab-is-no-process$").granted
