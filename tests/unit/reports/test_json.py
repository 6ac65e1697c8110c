"""The audit document as JSON: what programs read, by a schema that says what it holds."""

from __future__ import annotations

import json

import jsonschema
import pytest
from sample_audit import HOSTILE, document

from sio_lab.audit.document import SCHEMA_VERSION, AuditDocument
from sio_lab.reports import json as report

SCHEMA = json.loads(report.SCHEMA_FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_published_schema_is_up_to_date() -> None:
    published = report.SCHEMA_FILE.read_text(encoding="utf-8")
    assert published == report.schema(), "run: python -m sio_lab.reports.json > sio_lab/audit/audit.schema.json"


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA_VERSION in SCHEMA["title"]


def test_document_is_what_the_schema_says() -> None:
    VALIDATOR.validate(json.loads(report.render(document())))


@pytest.mark.parametrize("change", [{"verdict": "fine"}, {"requirements": [{}]}, {"more": 1}, {"started": 3}])
def test_schema_is_strict(change: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(json.loads(report.render(document())) | change)


def test_nothing_is_lost() -> None:
    audited = document()
    whole = json.loads(report.render(audited))
    again = AuditDocument.model_validate(whole)
    assert report.render(again) == report.render(audited)
    checks = [check for row in whole["requirements"] for check in row["checks"]]
    received = [each["received"] for check in checks for each in check["evidence"]]
    assert HOSTILE.replace("\udc80", "?") in received


def test_what_programs_rely_on() -> None:
    whole = json.loads(report.render(document()))
    assert whole["verdict"] == "not_conform"
    rows = {row["id"]: row for row in whole["requirements"]}
    assert rows["1.1.e"]["status"] == "not_satisfied"
    assert set(rows["1.1.e"]["reason"]) == {"fr", "en"}
    assert rows["1.1.e"]["checks"][0]["evidence"][0]["sha256"]
