"""The formats of a report. To add one: a module with a ``filename`` and a ``render``, and a line here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from sio_lab.audit.document import AuditDocument
from sio_lab.reports import files, html, json, junit
from sio_lab.text import Lang


class Format(Protocol):
    """A module that writes audit documents one way."""

    filename: str

    def render(self, document: AuditDocument, lang: Lang) -> str:
        """Return the report on ``document``; ``lang`` is the reader's language."""


FORMATS: Mapping[str, Format] = {"html": html, "json": json, "junit": junit}


def write(
    document: AuditDocument, folder: Path, lang: Lang, formats: Iterable[str] = tuple(FORMATS)
) -> dict[str, Path]:
    """Write ``document`` in each of ``formats`` below ``folder``; return the path of each.

    Raises:
        SioLabError: a report could not be written; none is left half written.
    """
    paths = {}
    for name in formats:
        paths[name] = folder / FORMATS[name].filename
        files.write(paths[name], FORMATS[name].render(document, lang))
    return paths
