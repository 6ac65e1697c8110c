"""The flow matrix in the report: what went wrong first, what was stopped as a number, both languages."""

from __future__ import annotations

import pytest
from sample_audit import document, flow_matrix

from sio_lab.audit.document import AuditDocument
from sio_lab.reports import html, matrix
from sio_lab.text import Lang, Text


def shown() -> AuditDocument:
    audited = document()
    row = next(row for row in audited.requirements if row.id == "2.1.a")
    assert row.checks[0].matrix
    return audited


def squares() -> dict[tuple[str, str], matrix.Square]:
    return {
        (source, square.target): square for source, row in matrix.rows(flow_matrix()) for square in row if square
    }


def test_a_row_a_perimeter_and_a_column_a_target() -> None:
    found = flow_matrix()
    rows = matrix.rows(found)
    assert [source for source, _ in rows] == found.sources
    assert {len(row) for _, row in rows} == {len(found.targets)}
    assert all(row[found.targets.index(source)] is None for source, row in rows)


def test_what_is_wrong_comes_first() -> None:
    square = squares()["users", "servers"]
    assert square.status == "not_satisfied"
    assert [(line.status, line.ports.en, line.word) for line in square.lines] == [
        ("not_satisfied", "tcp 5432", matrix.OPENED),
        ("not_satisfied", "tcp 636", matrix.FORGED),
        ("satisfied", "tcp 443, 636 · udp 514", matrix.THROUGH),
    ]
    assert square.lines[0].who.en == "poste → bdd"
    assert square.stopped == 2


def test_blocked_and_not_tried() -> None:
    assert [line.word for line in squares()["admin", "users"].lines] == [matrix.BLOCKED]
    unknown = squares()["admin", "fw"]
    assert unknown.status == "unverified"
    assert [line.word for line in unknown.lines] == [matrix.UNTOLD]


def test_many_ports_of_which_nothing_was_seen_are_counted() -> None:
    found = flow_matrix()
    untold = found.cells[-1]
    found.cells = [untold.model_copy(update={"port": port}) for port in range(1, 20)]
    (_, (*_, square)) = matrix.rows(found)[-1]
    assert square
    assert [line.ports for line in square.lines] == [Text("19 ports ou protocoles", "19 ports or protocols")]


def test_stopped_alone() -> None:
    square = squares()["servers", "users"]
    assert (square.status, square.lines, square.stopped, square.forged) == ("satisfied", [], 1, True)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_in_the_page(lang: Lang) -> None:
    page = html.render(shown(), lang)
    table = page.split('<table class="matrix">')[1].split("</table>")[0]
    for words in ("passe sans être autorisé", "gets through, though not allowed", "poste → bdd", "tcp 5432"):
        assert words in table
    assert page.count('<table class="matrix">') == 1


def test_no_matrix_no_table() -> None:
    audited = document()
    for row in audited.requirements:
        for check in row.checks:
            check.matrix = None
    assert 'class="matrix"' not in html.render(audited, "fr")
