"""The audit on a terminal and in a pipe: readable at any width, harmless whatever the lab says."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from sample_audit import HOSTILE, document

from sio_lab import catalogue
from sio_lab.audit.document import AuditDocument
from sio_lab.reports import catalogue_view, terminal
from sio_lab.text import Lang, Text

_STYLE = re.compile(r"\x1b\[[\d;]*m")
REPORT = Path("/srv/labs/with a long name that must be copied whole/reports/report.html")


def console(width: int, *, styled: bool) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=styled, legacy_windows=False)


def written(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def shown(audited: AuditDocument, lang: Lang, *, width: int = 80, styled: bool = True) -> str:
    screen = console(width, styled=styled)
    terminal.show(audited, screen, lang, {"html": REPORT})
    return written(screen)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_fits_the_terminal(lang: Lang, width: int) -> None:
    lines = _STYLE.sub("", shown(document(), lang, width=width)).splitlines()
    assert not [line for line in lines if cell_len(line) > width and str(REPORT) not in line]


def test_words_of_the_language() -> None:
    french, english = (_STYLE.sub("", shown(document(), lang, width=200)) for lang in ("fr", "en"))
    assert "✘ NON CONFORME — option SISR" in french
    assert "✘ NOT CONFORM — option SISR" in english
    assert "À faire" in french
    assert "What to do next" in english
    assert "Cap Voile — siège · option SISR · entraînement" in french
    assert "conforme" not in english


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_count_is_never_broken(width: int) -> None:
    text = _STYLE.sub("", shown(document(), "fr", width=width))
    assert re.search(r"✔ conforme \d+ .*✘ non conforme \d+ ", text)
    assert re.search(r"– sans objet \d+ ", text)


def test_every_requirement_is_there_with_its_status() -> None:
    text = _STYLE.sub("", shown(document(), "en", width=200))
    marks = {"satisfied": "✔", "not_satisfied": "✘", "attested": "§", "unverified": "?", "not_applicable": "–"}
    for row in document().requirements:
        assert re.search(rf"^ ?{re.escape(row.id)} +{re.escape(marks[row.status])} ", text, re.MULTILINE), row.id


def test_why_an_attestation_does_not_count() -> None:
    assert "expired on 2026-08-31" in _STYLE.sub("", shown(document(), "en", width=200))


@pytest.mark.parametrize("styled", [True, False])
def test_a_reservation_is_told(styled: bool) -> None:
    text = _STYLE.sub("", shown(document(), "en", width=200, styled=styled))
    assert "with a reservation: the mobile terminal is simulated" in text


def test_path_of_the_report_is_whole() -> None:
    assert str(REPORT) in shown(document(), "fr", width=40)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_plain_lines(lang: Lang) -> None:
    audited = document()
    lines = shown(audited, lang, width=80, styled=False).splitlines()
    assert not [line for line in lines if "\x1b" in line]
    rows = {line.split("\t")[0]: line.split("\t") for line in lines if "\t" in line}
    assert set(rows) >= {row.id for row in audited.requirements}
    assert rows["1.1.e"][1] == Text("non conforme", "not conform").get(lang)
    assert rows["1.1.e"][-1].startswith("→ ")
    assert lines[-1] == str(REPORT)


@pytest.mark.parametrize("styled", [True, False])
def test_hostile_words_are_text(styled: bool) -> None:
    audited = document(title=f"[red]{HOSTILE}[/]\r\n\t")
    row = audited.requirements[1]
    row.status, row.title, row.reason, row.todo = "not_satisfied", *(Text(HOSTILE, HOSTILE),) * 3
    text = _STYLE.sub("", shown(audited, "fr", styled=styled))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\udc80]", text)
    assert "[red]" in text


def test_a_line_stays_one_line() -> None:
    audited = document()
    audited.requirements[0].reason = Text.same("one\ntwo\tthree")
    lines = shown(audited, "en", styled=False).splitlines()
    assert [line for line in lines if line.startswith("0.a\t") and "one two three" in line]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_catalogue(lang: Lang) -> None:
    whole = catalogue.load()
    styled, plain, data = (console(80, styled=styled) for styled in (True, False, False))
    catalogue_view.show(whole, styled, lang)
    catalogue_view.show(whole, plain, lang)
    catalogue_view.show(whole, data, lang, as_json=True)
    text = _STYLE.sub("", written(styled))
    assert not [line for line in text.splitlines() if cell_len(line) > 80]
    rows = {line.split("\t")[0]: line.split("\t") for line in written(plain).splitlines()}
    assert list(rows) == whole.ids()
    assert all(len(fields) == 5 for fields in rows.values())
    assert rows["2.2"][2] == Text("au moins 1 sur 4", "at least 1 of 4").get(lang)
    assert rows["1.2"][2] == Text("en certification", "in certification").get(lang)
    assert catalogue.Catalogue.model_validate_json(written(data)) == whole
    for id_ in whole.ids():
        assert re.search(rf"^{re.escape(id_)} ", text, re.MULTILINE)
