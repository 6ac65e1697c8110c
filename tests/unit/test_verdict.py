"""The logic of the verdict, exhaustively where its tables are small enough."""

import hashlib
from datetime import date
from itertools import product
from pathlib import Path

import pytest
import sample_audit
from sample_audit import attestation, check

from sio_lab import catalogue
from sio_lab.audit.attestations import examine
from sio_lab.audit.document import CheckResult, MachineFinding, OptionVerdict, RequirementResult
from sio_lab.errors import UsageError
from sio_lab.lab.model import Attestation
from sio_lab.verdict import EXIT_CODE, all_of, at_least, judge, option_verdicts, status_of, verdict_of

STATUSES = ("satisfied", "not_satisfied", "attested", "unverified", "not_applicable")
OUTCOMES = ("passed", "failed", "unreachable", "timeout", "error", "inconclusive", "skipped")
CATALOGUE = catalogue.load()


def results(
    *checks: CheckResult, option: str = "SISR", purpose: str = "training", **more: object
) -> dict[str, RequirementResult]:
    judged = judge(CATALOGUE, checks, option=option, purpose=purpose, **more)  # type: ignore[arg-type]
    return {result.id: result for result in judged}


@pytest.mark.parametrize("statuses", [s for n in range(4) for s in product(STATUSES, repeat=n)])
def test_all_of(statuses):
    status = all_of(statuses)
    assert (status == "not_satisfied") == ("not_satisfied" in statuses), "one proven failure decides"
    if status in ("satisfied", "attested"):
        assert set(statuses) <= {"satisfied", "attested", "not_applicable"}
        assert (status == "attested") == ("attested" in statuses), "a document always shows"
    if not set(statuses) - {"not_applicable"}:
        assert status == "unverified", "no conclusion without an observation"


@pytest.mark.parametrize("needed", [1, 3])
def test_at_least_never_contradicts_what_the_unknown_turns_out_to_be(needed):
    for statuses in product(STATUSES, repeat=4):
        status = at_least(needed, statuses)
        unknown = [i for i, s in enumerate(statuses) if s == "unverified"]
        futures = set()
        for truth in product(("satisfied", "not_satisfied"), repeat=len(unknown)):
            world = list(statuses)
            for i, value in zip(unknown, truth, strict=True):
                world[i] = value
            futures.add(sum(s in ("satisfied", "attested") for s in world) >= needed)
        expected = {"satisfied": {True}, "attested": {True}, "not_satisfied": {False}, "unverified": {True, False}}
        assert futures == expected[status], statuses
        if status == "attested":
            assert statuses.count("satisfied") < needed


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_only_passed_and_failed_conclude(outcome):
    expected = {"passed": "satisfied", "failed": "not_satisfied"}.get(outcome, "unverified")
    assert status_of(check("1.1.b", outcome)) == expected
    assert status_of(check("1.1.b", outcome, seen=[])) != "satisfied", "a pass that observed nothing"


@pytest.mark.parametrize(("first", "second"), list(product(OUTCOMES, repeat=2)))
def test_several_checks_all_must_pass(first, second):
    row = results(check("1.1.b", first), check("1.1.b", second))["1.1.b"]
    outcomes = {first, second}
    expected = "not_satisfied" if "failed" in outcomes else "satisfied" if outcomes == {"passed"} else "unverified"
    assert row.status == expected
    assert (row.todo is None) == (expected == "satisfied")
    for text in (row.reason, *([row.todo] if row.todo else [])):
        assert text.fr.strip() and text.en.strip()
        assert "\n" not in text.fr + text.en


@pytest.mark.parametrize("statuses", [s for n in range(4) for s in product(STATUSES, repeat=n)])
def test_verdict(statuses):
    verdict = verdict_of(statuses)
    assert (verdict == "not_conform") == ("not_satisfied" in statuses)
    if verdict == "conform":
        assert statuses and "unverified" not in statuses


def test_exit_codes():
    assert EXIT_CODE == {"conform": 0, "not_conform": 1, "incomplete": 3}


def test_no_check_yet():
    row = results()["2.1.j"]
    assert row.status == "unverified"
    assert row.reason.en == "No check yet for this requirement."
    assert "attestation" in row.todo.fr


def test_left_out_by_only():
    rows = results(check("1.1.b"), only=["1.1"])
    assert "--only" in rows["2.1.a"].reason.fr
    assert "No check yet" in rows["1.1.a"].reason.en
    assert rows["1.1.b"].status == "satisfied"


def test_undeclared_and_disruptive_are_told_apart():
    undeclared = results(check("1.3.d", "skipped", seen=[], uses=["traffic_analysis"]))["1.3.d"]
    assert undeclared.status == "unverified"
    assert "nothing is declared" in undeclared.reason.en.lower()
    assert "traffic_analysis" in undeclared.todo.en
    spared = check("2.1.i", "skipped", seen=[], intensity="disrupt", uses=["firewall"])
    assert "--disrupt" in results(spared)["2.1.i"].todo.en
    assert "firewall" in results(spared, disrupt=True)["2.1.i"].todo.en


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_informational_rows_never_block(outcome):
    rows = results(check("0.a", outcome))
    assert not rows["0.a"].mandatory
    assert rows["0.a"].todo is None
    assert verdicts(rows, "SISR")[0] == verdicts(results(), "SISR")[0]


def test_informational_row_with_nothing_to_show():
    for row in (results()["0.a"], results(check("0.a", "skipped", seen=[]))["0.a"]):
        assert row.status == "not_applicable"
    assert results(check("0.a", "failed"))["0.a"].status == "not_satisfied"


def verdicts(rows: dict[str, RequirementResult], option: str) -> list[OptionVerdict]:
    return option_verdicts(CATALOGUE, list(rows.values()), option)


def test_real_equipment():
    found = [
        MachineFinding(name=str(i), kind="server", addresses={}, reachable=True, nature=nature)
        for i, nature in enumerate(["container", "container", "physical", "unknown"])
    ]
    seen = check("1.2", "failed", nature_only=True, fr="aucune machine réelle", en="no real machine")
    training = results(seen, machines=found)
    assert training["1.2"].status == "not_applicable"
    assert training["2.0"].status == "not_applicable"
    assert "2 conteneurs" in training["1.2"].reason.fr
    assert "1 physical, 2 containers, 1 of unknown nature" in training["1.2"].reason.en
    certification = results(seen, purpose="certification", machines=found)["1.2"]
    assert certification.status == "not_satisfied"
    assert certification.reason.en == "No real machine."
    assert results(purpose="certification")["2.0"].status == "unverified"


def test_nature_only_decides_nothing_elsewhere_in_training():
    seen = check("1.1.h", "failed", nature_only=True)
    assert results(check("1.1.h"), seen)["1.1.h"].status == "satisfied"
    assert results(seen)["1.1.h"].status == "unverified"
    assert results(check("1.1.h"), seen, purpose="certification")["1.1.h"].status == "not_satisfied"


@pytest.mark.parametrize("members", list(product(("passed", "failed", "timeout", None), repeat=4)))
def test_one_infrastructure_solution_is_enough(members):
    ids = ["2.2.a", "2.2.b", "2.2.c", "2.2.d"]
    rows = results(*(check(i, outcome) for i, outcome in zip(ids, members, strict=True) if outcome))
    if "passed" in members:
        assert rows["2.2"].status == "satisfied"
        assert all(rows[i].todo is None for i in ids), "no nagging about what is not needed"
    else:
        assert rows["2.2"].status == ("not_satisfied" if set(members) == {"failed"} else "unverified")
    assert rows["2.2"].mandatory
    assert [rows[i].group for i in ids] == ["2.2"] * 4
    assert not any(rows[i].mandatory for i in ids)


@pytest.mark.parametrize(
    ("own", "met", "missed", "expected"),
    [
        ("passed", 3, 1, "satisfied"),
        ("passed", 2, 2, "not_satisfied"),
        ("passed", 2, 0, "unverified"),
        ("passed", 2, 1, "unverified"),
        ("failed", 4, 0, "not_satisfied"),
        ("timeout", 4, 0, "unverified"),
        ("timeout", 2, 2, "not_satisfied"),
        (None, 4, 0, "unverified"),
    ],
)
def test_applications_need_their_own_proof_and_three_situations(own, met, missed, expected):
    ids = ["3.2.a", "3.2.b", "3.2.c", "3.2.d"]
    members = [check(i) for i in ids[:met]] + [check(i, "failed") for i in ids[met : met + missed]]
    rows = results(*members, *([check("3.2", own)] if own else []), option="SLAM")
    assert rows["3.2"].status == expected
    assert rows["3.2"].reason.fr


@pytest.mark.parametrize("state", ["valid", "expired", "altered", "missing", "postdated"])
@pytest.mark.parametrize("outcome", [*OUTCOMES, None])
def test_attestations_overlay_the_unverified_only(state, outcome):
    checks = [check("1.1.b", outcome)] if outcome else []
    alone = results(*checks)["1.1.b"]
    with_document = results(*checks, attestations={"1.1.b": attestation(state)})["1.1.b"]
    if state == "valid" and alone.status == "unverified":
        assert with_document.status == "attested"
        assert "armoire-forte.pdf" in with_document.reason.fr
        assert "31/08/2026" in with_document.reason.fr
    else:
        assert with_document.status == alone.status
        if alone.status != "satisfied":
            assert "does not count" in with_document.reason.en
    assert with_document.attestation is not None


def test_attestation_on_a_group_and_its_members():
    group = results(attestations={"2.2.b": attestation()})
    assert group["2.2.b"].status == "attested"
    assert group["2.2"].status == "attested"
    assert results(attestations={"2.2": attestation()})["2.2"].status == "attested"


def test_unknown_requirement():
    with pytest.raises(UsageError, match=r"9\.9\.z"):
        results(check("9.9.z"))
    with pytest.raises(UsageError, match="attestations"):
        results(attestations={"1.1.z": attestation()})


@pytest.mark.parametrize(
    ("content", "today", "state"),
    [
        (b"signed", date(2026, 3, 1), "valid"),
        (b"signed", date(2026, 8, 31), "valid"),
        (b"signed", date(2026, 9, 1), "expired"),
        (b"signed", date(2025, 12, 31), "postdated"),
        (b"forged", date(2026, 3, 1), "altered"),
        (None, date(2026, 3, 1), "missing"),
    ],
)
def test_attested_documents_are_read(tmp_path: Path, content: bytes | None, today: date, state: str):
    if content is not None:
        (tmp_path / "scan.pdf").write_bytes(content)
    declared = Attestation(
        document="scan.pdf",
        sha256=hashlib.sha256(b"signed").hexdigest(),
        signed_by="La direction",
        date=date(2026, 1, 1),
        expires=date(2026, 8, 31),
    )
    assert examine({"1.1.g": declared}, tmp_path, today)["1.1.g"].state == state


def test_both_options_get_a_verdict_each():
    proven = [check(row.id) for _, row in CATALOGUE.rows() if not row.id.startswith("3")]
    rows = results(*proven, option="both", purpose="certification")
    sisr, slam = verdicts(rows, "both")
    assert (sisr.option, sisr.verdict) == ("SISR", "conform")
    assert (slam.option, slam.verdict) == ("SLAM", "incomplete")
    assert sisr.satisfied == len([r for r in rows.values() if r.mandatory and not r.id.startswith("3")])


def test_document_takes_the_worst_verdict_and_keeps_the_order_of_the_annexe():
    document = sample_audit.document(option="both")
    assert [r.id for r in document.requirements] == CATALOGUE.ids()
    assert document.verdict == "not_conform"
    assert [v.option for v in document.verdicts] == ["SISR", "SLAM"]
    kept = sum(len(r.checks) for r in document.requirements)
    assert kept == len(sample_audit.checks())


def test_slam_lab_is_not_asked_for_the_sisr_rows():
    assert not [i for i in results(option="SLAM") if i.startswith("2")]
    assert not [i for i in results(option="SISR") if i.startswith("3")]
