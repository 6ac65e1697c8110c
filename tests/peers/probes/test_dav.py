from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dav_server import Shared, serving
from loopback import LocalSession, certificate, closed_port, machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import dav
from sio_lab.probes.area import passage
from sio_lab.probes.observation import Evidence

NAME = "collab.example.test"
URL = f"https://{NAME}:5232/equipe/regates/"
PASSWORDS = {"bruno": "b-secret", "chloe": "c-secret", "alice": "a-secret"}
BRUNO, CHLOE, ALICE = PASSWORDS.items()


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, NAME)


@pytest.fixture
def shared() -> Shared:
    return Shared("/equipe/regates/", PASSWORDS, readers={"bruno", "chloe"}, writers={"bruno", "chloe"})


@pytest.fixture
def session(shared: Shared, ca: Path) -> Iterator[LocalSession]:
    with serving(shared, ca) as port:
        yield LocalSession(ports={(NAME, 5232): port})


def test_event_shared_between_two_people(session: LocalSession, ca: Path) -> None:
    record: list[Evidence] = []
    here = machine(session, record)
    with (
        dav.collection(here, URL, ca, BRUNO, calendar=True) as author,
        dav.collection(here, URL, ca, CHLOE, calendar=True) as reader,
    ):
        event = dav.event("sio-lab-1.ics", "Régate d'essai")
        assert author.write("sio-lab-1.ics", event).granted
        assert author.write("sio-lab-1.ics", event).refusal == "other"
        found = reader.look("sio-lab-1.ics")
        assert found.names == {"sio-lab-1.ics"}
        read = reader.read("sio-lab-1.ics")
        assert read.content != event
        assert dav.said_by(found.content) == dav.said_by(read.content) == dav.said_by(event)
        assert reader.look("sio-lab-2.ics").granted
        assert not reader.look("sio-lab-2.ics").names
        assert reader.remove("sio-lab-1.ics").granted
        assert author.read("sio-lab-1.ics").refusal == "rights"
    assert [e.probe for e in record[:3]] == ["dav.put", "dav.put", "dav.report"]
    assert not [e for e in record if any(secret in e.sent + e.received for secret in PASSWORDS.values())]


def test_files(session: LocalSession, ca: Path) -> None:
    with dav.collection(machine(session), URL, ca, BRUNO) as files:
        assert files.write("été 1.txt", "Contrôle").granted
        assert files.look().names == {"été 1.txt"}
        assert files.read("été 1.txt").content == "Contrôle"
        assert files.remove("été 1.txt").granted
        assert not files.look().names


@pytest.mark.parametrize(
    ("auth", "refusal"), [(ALICE, "rights"), (("bruno", "wrong"), "credentials"), (None, "credentials")]
)
def test_why_people_are_refused(
    session: LocalSession, ca: Path, auth: tuple[str, str] | None, refusal: str
) -> None:
    with dav.collection(machine(session), URL, ca, auth, calendar=True) as place:
        event = dav.event("x.ics", "x")
        for seen in (place.read("x.ics"), place.look("x.ics"), place.look(), place.write("x.ics", event)):
            assert (seen.answer, seen.refusal) == ("refused", refusal)


def test_hidden_rather_than_forbidden(session: LocalSession, shared: Shared, ca: Path) -> None:
    shared.forbidden = 404
    with dav.collection(machine(session), URL, ca, ALICE) as place:
        assert place.read("x.ics").refusal == "rights"


@pytest.mark.parametrize(
    ("status", "answer", "refusal"),
    [(500, "unavailable", ""), (302, "refused", "other"), (405, "refused", "other")],
)
def test_what_is_no_access_control(
    session: LocalSession, shared: Shared, ca: Path, status: int, answer: str, refusal: str
) -> None:
    shared.answer = (status, "")
    with dav.collection(machine(session), URL, ca, BRUNO) as place:
        seen = place.read("x")
        assert (seen.answer, seen.refusal) == (answer, refusal)


def test_server_that_takes_no_password(session: LocalSession, shared: Shared, ca: Path) -> None:
    shared.scheme = "Negotiate"
    with dav.collection(machine(session), URL, ca, ("bruno", "wrong")) as place, pytest.raises(ProtocolError):
        place.read("x")
    with dav.collection(machine(session), URL, ca, None) as place:
        assert place.read("x").refusal == "credentials"


def test_unreadable_listing(session: LocalSession, shared: Shared, ca: Path) -> None:
    shared.answer = (207, "<html>")
    with dav.collection(machine(session), URL, ca, BRUNO) as place, pytest.raises(ProtocolError, match="WebDAV"):
        place.look()


def test_page_instead_of_a_listing(session: LocalSession, shared: Shared, ca: Path) -> None:
    shared.answer = (200, "<html>Log in</html>")
    with dav.collection(machine(session), URL, ca, BRUNO) as place:
        assert place.look().names == frozenset()


def test_nothing_listens(ca: Path) -> None:
    session = LocalSession(ports={(NAME, 5232): closed_port()})
    with dav.collection(machine(session), URL, ca, BRUNO) as place:
        assert place.read("x").answer == "unavailable"


def test_certificate_of_somebody_else(session: LocalSession, tmp_path: Path) -> None:
    with (
        dav.collection(machine(session), URL, certificate(tmp_path, "other.test"), BRUNO) as place,
        pytest.raises(ProtocolError, match="certificate"),
    ):
        place.read("x")


def test_passage_removes_what_it_put_and_earlier_leftovers(
    session: LocalSession, shared: Shared, ca: Path
) -> None:
    shared.kept.update({"sio-lab-old.txt": "interrupted", "work.txt": "theirs"})
    with dav.collection(machine(session), URL, ca, BRUNO) as place:
        with pytest.raises(KeyboardInterrupt), passage(place) as start:
            assert set(shared.kept) == {"work.txt"}
            place.write(f"{start}.txt", "1")
            place.write(f"{start}-outsider.txt", "2")
            raise KeyboardInterrupt
        assert set(shared.kept) == {"work.txt"}


def test_passage_where_nothing_can_be_listed(session: LocalSession, shared: Shared, ca: Path) -> None:
    shared.answer = (207, "<html>")
    with dav.collection(machine(session), URL, ca, BRUNO) as place, passage(place) as start:
        assert start.startswith("sio-lab-")


def test_folded_event_of_another_server() -> None:
    said = dav.said_by(
        "BEGIN:VCALENDAR\r\nSUMMARY:not this\r\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=fr:Réga\r\n te\r\n"
        "uid:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    assert said == {"SUMMARY": "Régate", "UID": "1"}
