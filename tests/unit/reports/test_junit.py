"""JUnit XML: well formed whatever a machine answers, and nothing that was not verified looks like a success."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from sample_audit import check, document, evidence

from sio_lab.audit.document import AuditDocument, Outcome
from sio_lab.reports import junit
from sio_lab.text import Lang, Text


def suites(audited: AuditDocument, lang: Lang = "en") -> dict[str, ET.Element]:
    """Return the suites of the report, by requirement."""
    root = ET.fromstring(junit.render(audited, lang).encode())
    assert root.tag == "testsuites"
    return {suite.get("name", "").split()[0]: suite for suite in root}


def tags(suite: ET.Element) -> list[str]:
    return [child.tag for case in suite for child in case if child.tag != "system-out"]


def test_a_suite_a_requirement() -> None:
    audited = document()
    assert list(suites(audited)) == [row.id for row in audited.requirements]


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [
        ("passed", None),
        ("failed", "failure"),
        ("unreachable", "error"),
        ("timeout", "error"),
        ("error", "error"),
        ("inconclusive", "error"),
        ("skipped", "skipped"),
    ],
)
def test_outcomes(outcome: Outcome, tag: str | None) -> None:
    audited = document()
    row = next(row for row in audited.requirements if row.id == "1.1.b")
    row.status = "satisfied" if outcome == "passed" else "unverified"
    row.checks = [check("1.1.b", outcome, fr="pourquoi", en="why")]
    (case,) = suites(audited)["1.1.b"]
    told = [child for child in case if child.tag != "system-out"]
    assert [child.tag for child in told] == ([tag] if tag else [])
    for child in told:
        assert (child.get("type"), child.get("message")) == (outcome, "why")


def test_nothing_unverified_is_a_success() -> None:
    audited = document()
    found = suites(audited)
    for row in audited.requirements:
        if row.status in ("unverified", "not_satisfied", "attested"):
            assert tags(found[row.id]), row.id


def test_a_pass_without_evidence_is_an_error() -> None:
    audited = document()
    row = next(row for row in audited.requirements if row.id == "1.1.b")
    row.checks = [check("1.1.b", seen=[])]
    assert tags(suites(audited)["1.1.b"]) == ["error"]


def test_what_is_not_required_fails_no_build() -> None:
    audited = document()
    row = next(row for row in audited.requirements if row.id == "1.2")
    row.checks = [check("1.2", "failed", nature_only=True)]
    assert tags(suites(audited)["1.2"]) == ["skipped"]


def test_counts() -> None:
    root = ET.fromstring(junit.render(document(), "fr").encode())
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert root.get(name) == str(len(root.findall(f".//{tag}")))
        for suite in root:
            assert suite.get(name) == str(len(suite.findall(f".//{tag}")))


def test_hostile_evidence_is_text() -> None:
    suite = suites(document())["1.1.c"]
    (out,) = suite.findall(".//system-out")
    assert out.text
    assert "</pre></details><script>document.title='owned'</script>" in out.text
    assert "]]>" in out.text
    assert "⟨ESC⟩" in out.text
    assert "⟨80⟩" in out.text


@pytest.mark.parametrize("code", [*range(0x00, 0x20), 0x7F, 0x9B, 0xDC80, 0xFFFE, 0xFFFF, 0x1F600])
def test_well_formed_whatever_a_machine_answers(code: int) -> None:
    audited = document(name=f"x{chr(code)}x")
    row = next(row for row in audited.requirements if row.id == "1.1.b")
    said = f"a{chr(code)}b"
    row.title = Text.same(said)
    row.checks = [check("1.1.b", "failed", fr=said, en=said, seen=[evidence(received=said)])]
    ET.fromstring(junit.render(audited, "fr").encode())


def test_both_languages() -> None:
    french, english = (suites(document(), lang)["1.1.e"] for lang in ("fr", "en"))
    assert "Deux serveurs" in french.get("name", "")
    assert "Two servers" in english.get("name", "")
    (failure,) = french.findall(".//failure")
    assert "un seul système" in failure.get("message", "")
