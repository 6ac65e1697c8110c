"""What becomes of Ansible's events and logs; tests/integration/test_ansible.py runs it for real."""

from __future__ import annotations

from typing import Any

import pytest

from sio_lab import paths
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress
from sio_lab.provision import run


def event(kind: str, *, res: dict[str, Any] | None = None, stdout: str = "", **data: Any) -> dict[str, Any]:
    """Return an event of the shape that ansible-runner 2.4 gives."""
    about = {"host": "bdd", "task": "Write", "role": "dbms", "task_action": "host_state", **data}
    return {"event": kind, "pid": 7, "stdout": stdout, "event_data": {**about, "res": res or {}}}


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def events(told: list[Progress]) -> run._Events:
    return run._Events(told.append)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (event("runner_on_start"), "running"),
        (event("runner_on_ok", res={"changed": True}), "changed"),
        (event("runner_on_ok", res={"changed": False}), "unchanged"),
        (event("runner_on_ok", res={"censored": "…"}, stdout="changed: [bdd] => …"), "changed"),
        (event("runner_on_failed", res={"msg": "no"}), "failed"),
        (event("runner_on_unreachable", res={"msg": "lost"}), "failed"),
    ],
)
def test_progress(events: run._Events, told: list[Progress], given: dict[str, Any], state: str) -> None:
    assert not events(given)
    assert [(each.subject, each.step.fr, each.state) for each in told] == [("bdd", "dbms : Write", state)]


@pytest.mark.parametrize(
    "given",
    [
        event("runner_on_failed", ignore_errors=True),
        event("runner_on_ok", task_action="include_role"),
        event("runner_on_skipped"),
        {"event": "verbose", "stdout": "…"},
    ],
)
def test_no_progress(events: run._Events, told: list[Progress], given: dict[str, Any]) -> None:
    assert not events(given)
    assert told == []
    assert events.failures == []


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"stderr": "E: no", "msg": "non-zero return code"}, "E: no"),
        ({"msg": "non-zero return code"}, "non-zero return code"),
        ({"censored": "hidden", "msg": "secret"}, "hidden"),
        ({"results": [{"msg": "fine"}, {"failed": True, "msg": "item"}]}, "item"),
        ({"msg": "x" * 5000}, "x" * 600),
        ({}, "?"),
    ],
)
def test_reason(events: run._Events, result: dict[str, Any], reason: str) -> None:
    events(event("runner_on_failed", res=result))
    assert [failure.reason for failure in events.failures] == [reason]


def test_old_logs_go(small: Lab) -> None:
    for _ in range(25):
        run._new_log(small, "essai")
    assert len(list((paths.state("petit") / "logs").glob("*.log"))) == 20
