"""The checks of access control, against a server that answers as recorded, sound and unsound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from dav_server import Shared, serving
from lab_runner import ROOT
from loopback import LocalSession, certificate, closed_port

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.loading import load
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Machine

LAB = load(ROOT / "inventories" / "sisr").lab
ALONE = LAB.model_copy(update={"services": LAB.services.model_copy(update={"directory": None})})
PASSWORDS = {account: f"{account}-secret" for account in LAB.accounts}

Run = Callable[[Shared], Proof]


def module(name: str) -> ModuleType:
    return check_module(f"common/{name}.py")


def collaboration(lab: Lab, proof: Proof) -> None:
    module("test_collaboration").test_sharing_between_members(lab, proof, lab.services.collaboration)


def restricted_area(lab: Lab, proof: Proof) -> None:
    module("test_restricted_area").test_authorised_only(lab, proof, lab.services.restricted_area)


CHECKS = {
    "collaboration": (
        collaboration,
        "collab.capvoile.test",
        5232,
        "/equipe/regates/",
        {"bruno", "chloe"},
        "alice",
    ),
    "restricted_area": (restricted_area, "partage.capvoile.test", 443, "/compta/", {"alice"}, "bruno"),
}


@pytest.fixture(params=CHECKS)
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sound(which: str) -> Shared:
    _, _, _, path, members, _ = CHECKS[which]
    return Shared(path, dict(PASSWORDS), readers=set(members), writers=set(members))


@pytest.fixture
def run(which: str, tmp_path: Path) -> Iterator[Run]:
    check, name, port, *_ = CHECKS[which]
    ca = certificate(tmp_path, name)

    def run(shared: Shared) -> Proof:
        with serving(shared, ca) as served:
            session = LocalSession(ports={(name, port): served})
            proof = Proof(lambda machine, record: Machine(machine, session, record), PASSWORDS, {}, ca)
            check(ALONE, proof)
        return proof

    yield run


def test_sound(run: Run, sound: Shared) -> None:
    proof = run(sound)
    assert proof.sides() == {"positive", "negative"}
    assert not sound.kept
    assert not [e for e in proof.evidence if any(secret in e.sent + e.received for secret in PASSWORDS.values())]


def test_hidden_from_outsiders(run: Run, sound: Shared) -> None:
    run(replace(sound, forbidden=404))


@pytest.mark.parametrize("what", ["readers", "writers"])
def test_outsider_let_in(run: Run, sound: Shared, which: str, what: str) -> None:
    getattr(sound, what).add(CHECKS[which][-1])
    with pytest.raises(NotSatisfiedError, match=CHECKS[which][-1]):
        run(sound)
    assert not sound.kept


@pytest.mark.parametrize("what", ["readers", "writers"])
def test_visitor_let_in(run: Run, sound: Shared, what: str) -> None:
    getattr(sound, what).add("")
    with pytest.raises(NotSatisfiedError, match="visitor"):
        run(sound)
    assert not sound.kept


def test_any_password(run: Run, sound: Shared) -> None:
    with pytest.raises(NotSatisfiedError, match="wrong password"):
        run(replace(sound, any_password=True))
    assert not sound.kept


def test_nobody_can_write(run: Run, sound: Shared) -> None:
    sound.writers.clear()
    with pytest.raises(NotSatisfiedError, match=r"HTTP 403"):
        run(sound)


def test_nobody_can_read(run: Run, sound: Shared) -> None:
    sound.readers.clear()
    with pytest.raises(NotSatisfiedError):
        run(sound)


def test_out_of_order(run: Run, sound: Shared) -> None:
    with pytest.raises(NotSatisfiedError, match="HTTP 500"):
        run(replace(sound, answer=(500, "")))


def test_outsider_whom_nobody_knows(run: Run, sound: Shared, which: str) -> None:
    """401 for a right password: the account may well not exist, and the lab has no directory to ask."""
    del sound.passwords[CHECKS[which][-1]]
    with pytest.raises(InconclusiveError, match="valid"):
        run(sound)
    assert not sound.kept


def test_refused_for_another_reason(run: Run, sound: Shared) -> None:
    with pytest.raises(InconclusiveError, match="want of a right"):
        run(replace(sound, forbidden=409))
    assert not sound.kept


def test_second_member_sees_something_else(tmp_path: Path) -> None:
    check, name, port, path, members, _ = CHECKS["collaboration"]

    class Forgetful(dict[str, str]):
        def __setitem__(self, key: str, value: str) -> None:
            super().__setitem__(key, value.replace("Contrôle", "Autre chose"))

    shared = Shared(path, PASSWORDS, set(members), set(members), kept=Forgetful())
    ca = certificate(tmp_path, name)
    with serving(shared, ca) as served, pytest.raises(NotSatisfiedError, match="something else"):
        session = LocalSession(ports={(name, port): served})
        check(ALONE, Proof(lambda m, record: Machine(m, session, record), PASSWORDS, {}, ca))


def test_nothing_listens(which: str, tmp_path: Path) -> None:
    check, name, port, *_ = CHECKS[which]
    session = LocalSession(ports={(name, port): closed_port()})
    proof = Proof(lambda m, record: Machine(m, session, record), PASSWORDS, {}, certificate(tmp_path, name))
    with pytest.raises(NotSatisfiedError, match="connection refused"):
        check(ALONE, proof)


def test_share_of_a_protocol_that_is_not_known(tmp_path: Path) -> None:
    area = ALONE.services.restricted_area
    assert area
    share = area.model_copy(update={"protocol": "smb", "url": "smb://partage/compta"})
    lab = ALONE.model_copy(update={"services": ALONE.services.model_copy(update={"restricted_area": share})})
    proof = Proof(lambda m, record: Machine(m, LocalSession({}), record), PASSWORDS, {}, tmp_path)
    with pytest.raises(InconclusiveError, match="SMB"):
        restricted_area(lab, proof)
