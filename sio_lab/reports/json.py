"""The audit document itself, and the JSON Schema that it is published with.

To write the schema again after a change of the model:
``python -m sio_lab.reports.json > sio_lab/audit/audit.schema.json``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sio_lab.audit.document import SCHEMA_VERSION, AuditDocument
from sio_lab.text import Lang

filename = "audit.json"
SCHEMA_FILE = Path(__file__).parent.parent / "audit" / "audit.schema.json"


def render(document: AuditDocument, lang: Lang = "en") -> str:  # noqa: ARG001  # it holds both languages
    """Return ``document`` as JSON. Bytes that were no UTF-8 become ``?``, which JSON cannot hold."""
    text = json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=2)
    return text.encode(errors="replace").decode() + "\n"


def schema() -> str:
    """Return the JSON Schema of audit documents."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"sio-lab audit document {SCHEMA_VERSION}",
        **{k: v for k, v in AuditDocument.model_json_schema(mode="serialization").items() if k != "title"},
    }
    return json.dumps(described, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
