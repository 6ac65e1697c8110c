"""git itself, against its own HTTP server behind passwords."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from forge_server import NAME, PASSWORDS, Forge, repository, serving
from loopback import LocalSession, certificate, closed_port, machine

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.probes import git
from sio_lab.probes.observation import Evidence


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, "127.0.0.1")


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(repository(tmp_path))


@pytest.fixture
def port(forge: Forge, ca: Path) -> Iterator[int]:
    with serving(forge, ca) as port:
        yield port


class Place:
    def __init__(self, folder: Path, ca: Path, port: int) -> None:
        self.folder, self.ca, self.port, self.record = folder, ca, port, list[Evidence]()
        folder.mkdir()

    def person(self, who: str, login: str = "", password: str = "") -> git.Person:
        auth = (login, password) if login else None
        url = f"https://127.0.0.1:{self.port}/git/essai"
        return git.Person(machine(LocalSession(), self.record), str(self.folder), who, url, self.ca, auth)

    def member(self) -> git.Person:
        return self.person("member", "chloe", PASSWORDS["chloe"])


@pytest.fixture
def place(tmp_path: Path, ca: Path, port: int) -> Place:
    return Place(tmp_path / "place", ca, port)


def test_member_clones_commits_pushes_and_deletes(place: Place, forge: Forge) -> None:
    member = place.member()
    assert member.clone().granted
    made = member.commit("controle-1", "essai.txt", "Essai, refs #7")
    assert made.granted
    assert len(made.commit) == 40
    assert not member.branches("controle-").names
    assert member.push("controle-1", member.clone_folder).granted
    assert member.branches("controle-").names == {"controle-1"}
    assert forge.commits("7") == [made.commit]
    assert member.delete("controle-1").granted
    assert forge.branches() == ["main"]
    assert not [e for e in place.record if PASSWORDS["chloe"] in e.sent + e.received]
    assert (place.folder / "member" / "password").stat().st_mode & 0o77 == 0


def test_password_is_no_argument(place: Place) -> None:
    session = LocalSession()
    url = f"https://127.0.0.1:{place.port}/git/essai"
    auth = ("chloe", PASSWORDS["chloe"])
    git.Person(machine(session), str(place.folder), "member", url, place.ca, auth).clone()
    assert session.asked
    assert not [command for command in session.asked if PASSWORDS["chloe"] in command]


def test_what_is_pushed_is_taken_back(place: Place, forge: Forge) -> None:
    member = place.member()
    undo = member.undo("controle-2")
    subprocess.run(undo, shell=True, check=True)
    member.clone()
    member.commit("controle-2", "essai.txt", "Essai")
    member.push("controle-2", member.clone_folder)
    for _ in range(2):
        subprocess.run(undo, shell=True, check=True)
        assert forge.branches() == ["main"]


def test_those_who_may_not(place: Place, forge: Forge) -> None:
    member = place.member()
    member.clone()
    member.commit("controle-3", "essai.txt", "Essai")
    for person, refusal in (
        (place.person("outsider", "alice", PASSWORDS["alice"]), "rights"),
        (place.person("impostor", "chloe", "wrong"), "credentials"),
        (place.person("visitor"), "credentials"),
    ):
        assert (person.clone().answer, person.clone().refusal) == ("refused", refusal)
        seen = person.push("controle-3", member.clone_folder)
        assert (seen.answer, seen.refusal) == ("refused", refusal), seen.detail
    assert forge.branches() == ["main"]


def test_empty_repository(place: Place, forge: Forge) -> None:
    subprocess.run(["git", "-C", forge.repository, "update-ref", "-d", "refs/heads/main"], check=True)
    member = place.member()
    assert member.clone().granted
    assert member.commit("controle-4", "essai.txt", "Essai").granted
    assert member.push("controle-4", member.clone_folder).granted


def test_settings_of_the_user_count_for_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(f"machine 127.0.0.1 login chloe password {PASSWORDS['chloe']}\n")
    (home / ".gitconfig").write_text("[http]\n\tsslVerify = false\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    assert place.person("visitor").clone().refusal == "credentials"
    place.ca = certificate(tmp_path, "other.test")
    with pytest.raises(ProtocolError, match="certificate"):
        place.member().clone()


def test_out_of_order(place: Place, forge: Forge) -> None:
    forge.out_of_order = True
    assert place.member().clone().answer == "unavailable"
    place.port = closed_port()
    assert place.member().clone().answer == "unavailable"


@pytest.mark.parametrize(
    ("said", "answer", "refusal"),
    [
        ("remote: Repository not found\nfatal: repository 'https://f/x/' not found", "refused", "rights"),
        (
            "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://f/'",
            "refused",
            "credentials",
        ),
        (" ! [remote rejected] HEAD -> b (pre-receive hook declined)\nerror: failed to push", "refused", "rights"),
        (" ! [rejected] HEAD -> b (fetch first)\nerror: failed to push some refs", "refused", "other"),
        ("fatal: unable to access 'https://f/': Failed to connect to f port 443: No route", "unavailable", ""),
    ],
)
def test_words_of_git(said: str, answer: str, refusal: str) -> None:
    assert git.reading(128, said, NAME)[:2] == (answer, refusal)


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (128, "fatal: unable to access 'https://f/': Could not resolve host: f", ProtocolError),
        (128, "fatal: unable to access 'https://f/': server certificate verification failed", ProtocolError),
        (124, "", ProbeTimeout),
        (128, "fatal: unable to access 'https://f/': Connection timed out after 30000 milliseconds", ProbeTimeout),
    ],
)
def test_what_says_nothing_of_rights(status: int, said: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        git.reading(status, said, NAME)
