"""What the check of continuity concludes from what was seen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from check_module import check_module
from loopback import LocalSession

from sio_lab.audit import continuity
from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import Continuity
from sio_lab.probes.entries import EntriesObservation, Try
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Evidence, Ran

SERVICE = Continuity(
    product="postgresql",
    machines=["bdd1", "bdd2"],
    entries_url="https://www.petit.test/courses",
    client="poste",
    role="cat /run/sio-dbms/role",
    recovery_seconds=10,
)
AWAY = (100.0, 120.0)


@pytest.fixture(scope="module")
def check() -> ModuleType:
    return check_module("sisr/test_continuity.py")


def proof_of(role: str = "") -> Proof:
    session = LocalSession(answers={SERVICE.role: role})
    return Proof(lambda name, record: Machine(name, session, record), {}, {}, Path("/nowhere"))


def evidence() -> Evidence:
    return Evidence("entries.write", "poste", SERVICE.entries_url, "", "", "", datetime.now(UTC), 0)


def wrote(reads: list[Try], writes: list[Try] | None = None, answer: Answer = "granted") -> EntriesObservation:
    return EntriesObservation(evidence(), answer, reads=reads, writes=writes or [])


READ = Try(110, 111, ok=True)


def test_data_that_was_there_all_the_time(check: ModuleType) -> None:
    proof = proof_of()
    check.judge_data(proof, wrote([READ]), AWAY)
    assert proof.evidence == []  # the probe records, the judgement only says which side it was


@pytest.mark.parametrize(
    ("reads", "answer", "why"),
    [
        ([], "granted", "nothing could be read"),
        (
            [Try(90, 91, ok=True), Try(110, 114, ok=False), Try(121, 122, ok=True)],
            "granted",
            "nothing could be read",
        ),
        ([READ, Try(112, 113, ok=True, missing=("a", "b"))], "granted", "2 acknowledged entries are missing"),
        ([READ], "refused", "lost at the end"),
        ([READ], "unavailable", "lost at the end"),
    ],
)
def test_data_that_was_not(check: ModuleType, reads: list[Try], answer: Answer, why: str) -> None:
    with pytest.raises(NotSatisfiedError, match=why):
        check.judge_data(proof_of(), wrote(reads, answer=answer), AWAY)


def said(check: ModuleType, *heard: tuple[float, str]) -> Any:
    witness = check.Witness(Machine("bdd2", LocalSession(), lambda _: None), SERVICE)
    witness.heard = [
        Ran(evidence(), "granted", stdout=f"{role}\n", at=datetime.fromtimestamp(at, UTC)) for at, role in heard
    ]
    return witness


def test_the_other_machine_replaces_it(check: ModuleType) -> None:
    proof = proof_of()
    witness = said(check, (90, "standby in step"), (104, "standby in step"), (110, "primary alone"))
    check.judge_replacement(proof, SERVICE, witness, AWAY)
    assert [kept.side for kept in proof.evidence] == ["positive"]


def test_the_other_machine_only_looks_on(check: ModuleType) -> None:
    witness = said(check, (110, "standby in step"), (121, "primary alone"))
    with pytest.raises(NotSatisfiedError, match=r"bdd2 does not replace bdd1 \(standby in step\)"):
        check.judge_replacement(proof_of(), SERVICE, witness, AWAY)


def test_nobody_knows_what_the_other_machine_did(check: ModuleType) -> None:
    with pytest.raises(InconclusiveError):
        check.judge_replacement(proof_of(), SERVICE, said(check, (90, "standby in step")), AWAY)


def gap(least: float, most: float) -> list[Try]:
    return [
        Try(0, 1, ok=True),
        Try(1.5, 2, ok=False),
        Try(1.5 + least, 2 + least, ok=False),
        Try(most, most + 1, ok=True),
    ]


def test_gap(check: ModuleType) -> None:
    check.judge_gap(proof_of(), wrote([], gap(8, 9)), SERVICE)
    with pytest.raises(NotSatisfiedError, match=r"11\.0 s without any way to add an entry, for 10 s promised"):
        check.judge_gap(proof_of(), wrote([], gap(11, 13)), SERVICE)
    with pytest.raises(InconclusiveError, match="not well enough measured"):
        check.judge_gap(proof_of(), wrote([], gap(9, 12)), SERVICE)
    with pytest.raises(NotSatisfiedError):
        check.judge_gap(proof_of(), wrote([], gap(3, 9)[:-1]), SERVICE)


def test_nominal_state() -> None:
    assert continuity.is_nominal(proof_of("primary in step\n"), SERVICE)
    assert not continuity.is_nominal(proof_of("primary alone\n"), SERVICE)
    assert continuity.await_nominal(proof_of("primary alone\n"), SERVICE, 0).stdout == "primary alone\n"


def test_nothing_is_cut_where_the_replica_is_not_in_step(
    check: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "SETTLING", 0.0)
    with pytest.raises(NotSatisfiedError, match=r"bdd1 cannot be replaced without loss \(primary alone\)"):
        check.test_the_nominal_machine_is_lost(proof_of("primary alone\n"), SERVICE)
