"""Writes what is made from the model of the lab file: ``python -m sio_lab.lab.schema``.

That is the JSON Schema that editors complete and check with, and the reference of the keys in
``docs/lab-file.md``.
"""

from __future__ import annotations

import json
from pathlib import Path

from sio_lab import paths
from sio_lab.lab import reference
from sio_lab.lab.structure import schema

FILE = Path(__file__).with_name("lab.schema.json")


def rendered() -> str:
    """Return the text of the published schema."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schema and the reference where the checkout keeps them."""
    FILE.write_text(rendered(), encoding="utf-8")
    page = paths.data("docs", "lab-file.md")
    page.write_text(reference.rendered(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
