"""The check of the forge, against git's own server and a tracker that answers as recorded, sound and unsound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from check_module import check_module
from forge_server import PASSWORDS, Forge, repository, serving
from lab_runner import ROOT
from loopback import LocalSession, certificate

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.loading import load
from sio_lab.probes import account
from sio_lab.probes.machine import Machine

LAB = load(ROOT / "inventories" / "slam").lab
ALONE = LAB.model_copy(update={"services": LAB.services.model_copy(update={"directory": None})})
SERVICE = LAB.services.forge

Run = Callable[[], Proof]


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(repository(tmp_path))


@pytest.fixture
def run(forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    ca = certificate(tmp_path, "127.0.0.1")
    assert SERVICE
    folder = tmp_path / "place"
    monkeypatch.setattr(account, "place", lambda: str(folder))

    def run() -> Proof:
        folder.mkdir()
        with serving(forge, ca) as port:
            service = SERVICE.model_copy(
                update={
                    "repository": f"https://127.0.0.1:{port}/git/essai",
                    "tracker_url": f"https://127.0.0.1:{port}/suivi",
                    "delay_seconds": 2,
                }
            )
            proof = Proof(lambda name, record: Machine(name, LocalSession(), record), PASSWORDS, {}, ca)
            check_module("slam/test_forge.py").test_commit_and_its_issue(ALONE, proof, service)
        return proof

    yield run
    # However it ended, nothing is left.
    assert not folder.exists()
    assert forge.branches() == ["main"]
    assert not [issue for issue in forge.issues.values() if not issue["closed"]]


def test_sound(run: Run) -> None:
    proof = run()
    assert proof.sides() == {"positive", "negative"}
    assert not [e for e in proof.evidence if any(secret in e.sent + e.received for secret in PASSWORDS.values())]


def test_issues_that_are_closed_only(run: Run, forge: Forge) -> None:
    forge.deletes = False
    run()


def test_commits_that_are_not_linked(run: Run, forge: Forge) -> None:
    forge.links = False
    with pytest.raises(NotSatisfiedError, match="within 2 s"):
        run()


def test_anybody_clones(run: Run, forge: Forge) -> None:
    forge.open_git = True
    with pytest.raises(NotSatisfiedError, match="alice, who is no member, clones"):
        run()


def test_outsider_is_a_member(run: Run, forge: Forge) -> None:
    forge.members.add("alice")
    with pytest.raises(NotSatisfiedError, match="alice, who is no member, clones"):
        run()


def test_any_password(run: Run, forge: Forge) -> None:
    forge.any_password = True
    with pytest.raises(NotSatisfiedError, match="wrong password"):
        run()


def test_anybody_sees_issues(run: Run, forge: Forge) -> None:
    forge.open_tracker = True
    with pytest.raises(NotSatisfiedError, match="alice, who is no member, reads the issues"):
        run()


def test_member_is_refused(run: Run, forge: Forge) -> None:
    forge.members.clear()
    with pytest.raises(NotSatisfiedError, match="cannot clone"):
        run()


def test_out_of_order(run: Run, forge: Forge) -> None:
    forge.out_of_order = True
    with pytest.raises(NotSatisfiedError, match="503"):
        run()


def test_outsider_that_nobody_knows(run: Run, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(PASSWORDS)
    monkeypatch.setattr(Proof, "password", lambda _, name: known[name])
    monkeypatch.setitem(PASSWORDS, "alice", "changed since")
    with pytest.raises(InconclusiveError, match="account alice is valid"):
        run()
