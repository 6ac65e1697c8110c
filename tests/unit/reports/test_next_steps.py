"""What to do next: what failed first, and what needs the same thing together."""

from __future__ import annotations

from sample_audit import document

from sio_lab.reports.next_steps import next_steps


def test_failures_come_first() -> None:
    statuses = [step.status for step in next_steps(document())]
    assert statuses == sorted(statuses, key=["not_satisfied", "unverified"].index)
    assert statuses[0] == "not_satisfied"


def test_what_needs_the_same_thing_stands_together() -> None:
    steps = next_steps(document())
    assert len({(step.status, step.todo) for step in steps}) == len(steps)
    together = next(step for step in steps if len(step.results) > 1)
    assert {result.todo for result in together.results} == {together.todo}


def test_nothing_is_forgotten() -> None:
    audited = document()
    open_ = [row.id for row in audited.requirements if row.status in ("not_satisfied", "unverified")]
    assert sorted(row.id for step in next_steps(audited) for row in step.results) == sorted(open_)


def test_nothing_to_do() -> None:
    audited = document()
    for row in audited.requirements:
        row.status = "satisfied"
    assert next_steps(audited) == []
