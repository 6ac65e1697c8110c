"""Issue trackers, against a server that answers as recorded (Trac) or as documented (the others)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from forge_server import NAME, PASSWORDS, Forge, repository, serving
from loopback import LocalSession, certificate, closed_port, machine

from sio_lab.errors import ProtocolError
from sio_lab.lab import software
from sio_lab.probes import tracker
from sio_lab.probes.observation import Evidence

PLACES = {
    "trac": "/suivi",
    "redmine": "/redmine/projects/essai",
    "gitea": "/gitea/equipe/essai",
    "gitlab": "/equipe/essai",
}
TITLE = f"{tracker.PREFIX}42"
CHLOE = ("chloe", PASSWORDS["chloe"])


def declared(product: str) -> software.Forge:
    return software.Forge(
        product=product,
        machines=["forge"],
        repository=f"https://{NAME}/git/essai",
        tracker=product,  # type: ignore[arg-type]  # one of those that it may be
        tracker_url=f"https://{NAME}{PLACES[product]}",
        account="chloe",
        outsider="alice",
        client="dev",
    )


class Place:
    """A forge whose tracker is of one product, and those who use it."""

    def __init__(self, product: str, forge: Forge, ca: Path, port: int) -> None:
        self.product, self.forge, self.ca, self.record = product, forge, ca, list[Evidence]()
        self.session = LocalSession(ports={(NAME, 443): port})

    def person(self, auth: tuple[str, str] | None = CHLOE) -> AbstractContextManager[tracker.Tracker]:
        here = machine(self.session, self.record)
        return tracker.tracker(here, declared(self.product), self.ca, auth)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    ca = certificate(tmp_path, NAME)
    forge = Forge(repository(tmp_path))
    with serving(forge, ca) as port:
        yield Place(request.param, forge, ca, port)


def test_life_of_an_issue(place: Place) -> None:
    with place.person() as member:
        made = member.open(TITLE, "Un texte\nsur deux lignes.")
        assert (made.answer, made.number) == ("granted", "1")
        seen = member.read("1")
        assert (seen.answer, seen.title, seen.closed) == ("granted", TITLE, False)
        assert member.leftovers() == ["1"]
        gone = member.remove("1")
        assert gone.closed
        assert not place.forge.issues
        assert member.leftovers() == []
    assert not [e for e in place.record if PASSWORDS["chloe"] in e.sent + e.received]
    assert not [e for e in place.record if "token-of-a-certain-length" in e.sent + e.received]


def test_issue_that_cannot_be_deleted_is_closed(place: Place) -> None:
    place.forge.deletes = False
    with place.person() as member:
        member.open(TITLE, "Un texte")
        assert member.remove("1").closed
    assert place.forge.issues["1"]["closed"]


def test_commit_shows_where_it_is_linked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789" * 4
    with place.person() as member:
        member.open(TITLE, "Un texte")
        before = member.link("1", commit)
        assert (before.answer, before.linked) == ("granted", False)
        monkeypatch.setattr(place.forge, "commits", lambda _: ["f" * 40, commit])
        assert member.link("1", commit).linked
        assert not member.link("1", "1" * 40).linked


def test_those_who_may_not(place: Place) -> None:
    with place.person() as member:
        member.open(TITLE, "Un texte")
    for auth in (("alice", PASSWORDS["alice"]), ("chloe", "wrong"), None):
        with place.person(auth) as other:
            for seen in (other.read("1"), other.open("autre", "…"), other.link("1", "0" * 40)):
                assert seen.answer == "refused"
                assert seen.refusal == ("rights" if auth and auth[0] == "alice" else "credentials")
                assert TITLE not in seen.content
                assert not seen.number or seen.number == "1"
    assert len(place.forge.issues) == 1


def test_what_an_interrupted_check_left_is_removed(place: Place) -> None:
    place.forge.add(TITLE, "…")
    place.forge.add("Une vraie anomalie", "…")
    with place.person() as member:
        tracker.sweep(member)
    assert [issue["title"] for issue in place.forge.issues.values()] == ["Une vraie anomalie"]


def test_out_of_order(place: Place) -> None:
    place.forge.out_of_order = True
    with place.person() as member:
        assert member.open(TITLE, "…").answer == "unavailable"
    place.session.ports = {(NAME, 443): closed_port()}
    with place.person() as member:
        assert member.read("1").answer == "unavailable"


def test_gitlab_that_gives_no_token(tmp_path: Path) -> None:
    ca = certificate(tmp_path, NAME)
    forge = Forge(repository(tmp_path), tokens=False)
    with (
        serving(forge, ca) as port,
        Place("gitlab", forge, ca, port).person() as member,
        pytest.raises(ProtocolError, match="no token for a password"),
    ):
        member.open(TITLE, "…")
